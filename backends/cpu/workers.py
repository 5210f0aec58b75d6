"""Shares out the items of a compiled kernel among threads of this process.

Who does which item depends on nothing but the number of threads: results are equal to the last bit from run to run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import crew_numba as crew
from . import threads
from .compiled import pieces
from .scratch import scratch as scratch

__all__: list[str] = []  # nothing here is a kernel

SHARED = 1 << 19  # operations from which on another thread's help is worth asking for


def workers(items: int, work: float) -> int:
    """How many threads are worth it for so many items and operations in all."""
    return max(1, min(threads.get_num_threads(), items, int(work / SHARED)))


def share(kernel: Callable[..., None], items: int, number: int, *args: Any) -> None:
    """Call ``kernel(start, stop, slot, *args)`` in ``number`` threads, for consecutive parts of ``range(items)``."""
    if number == 1:
        kernel(0, items, 0, *args)
        return
    crew.call(kernel, [(*ends, slot, *args) for slot, ends in enumerate(pieces(items, number))])
