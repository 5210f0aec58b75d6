"""How many threads the CPU's kernels use: NumPy's OpenBLAS, and those that share out compiled loops."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

__all__: list[str] = []  # nothing here is a kernel

_count: list[int] = []


@functools.cache
def _openblas() -> tuple[Any, Any] | None:
    """OpenBLAS's functions that get and set the number of threads, or None where NumPy brings no OpenBLAS."""
    root = Path(np.__file__).parent
    files = [*root.parent.glob("numpy.libs/*openblas*"), *root.glob(".dylibs/*openblas*")]
    for file in files:
        library = ctypes.CDLL(str(file))
        for prefix in ("scipy_openblas", "openblas"):
            for suffix in ("64_", ""):
                names = (f"{prefix}_get_num_threads{suffix}", f"{prefix}_set_num_threads{suffix}")
                if all(hasattr(library, name) for name in names):
                    return getattr(library, names[0]), getattr(library, names[1])
    return None


@contextlib.contextmanager
def one_for_blas() -> Iterator[None]:
    """Let each matrix product run on the thread that asks for it, while work is shared out among threads otherwise."""
    blas = _openblas()
    before = get_num_threads()
    if before == 1 or blas is None:
        yield
        return
    blas[1](1)
    try:
        yield
    finally:
        blas[1](before)


def get_num_threads() -> int:
    """The number of threads that CPU kernels use."""
    if not _count:  # asked once: `one_for_blas` changes what OpenBLAS says
        blas = _openblas()
        _count.append(int(blas[0]()) if blas else os.cpu_count() or 1)
    return _count[0]


def set_num_threads(number: int) -> None:
    """Let CPU kernels use ``number`` threads.

    Raises:
        RuntimeError: it is not positive.
    """
    if not isinstance(number, int):
        raise RuntimeError(f"set_num_threads expects an int, but got {type(number).__name__}")
    if number <= 0:
        raise RuntimeError(f"set_num_threads expects a positive integer, got {number}")
    blas = _openblas()
    if blas:
        blas[1](number)
    _count[:] = [number]
