"""Shares out the items of a compiled kernel among threads of this process.

Kernels let go of the interpreter, so plain threads do. They sleep between two calls and so leave BLAS its cores, and
who does which item depends on nothing but the number of threads: results are equal to the last bit from run to run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import compiled, threads
from .scratch import scratch as scratch

__all__: list[str] = []  # nothing here is a kernel

SHARED = 1 << 20  # operations from which on waking another thread takes less time than it saves


def workers(items: int, work: float) -> int:
    """How many threads are worth it for so many items and operations in all."""
    return max(1, min(threads.get_num_threads(), items, int(work / SHARED)))


def share(kernel: Callable[..., None], items: int, number: int, *args: Any) -> None:
    """Call ``kernel(start, stop, slot, *args)`` in ``number`` threads, for consecutive parts of ``range(items)``."""
    bounds = [items * i // number for i in range(number + 1)]
    if number == 1:
        kernel(0, items, 0, *args)
        return
    pool = compiled.pool()
    rest = [pool.submit(kernel, bounds[i], bounds[i + 1], i, *args) for i in range(1, number)]
    try:
        kernel(bounds[0], bounds[1], 0, *args)
    finally:
        for future in rest:
            future.result()
