"""Scratch memory of compiled kernels: each thread keeps some buffers, because new pages cost time.

A buffer that is asked for again is the same memory, so what is in it lasts until then, and a result is never a view of
one. Whoever computes on a buffer holds a reference to it: giving it back meanwhile does no harm.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any

import numpy as np

__all__: list[str] = []  # nothing here is a kernel

LIMIT = int(os.environ.get("WENGERT_SCRATCH_MB", "16")) << 20  # bytes that a thread keeps


class _Buffers(dict[str, Any]):
    """Those of one thread by purpose, the one that was made last at the end."""

    __hash__ = object.__hash__  # type: ignore[assignment]  # so that a set can hold it


class _Memory(threading.local):
    def __init__(self) -> None:
        self.buffers = _Buffers()
        _everyone.add(self.buffers)


_everyone: weakref.WeakSet[_Buffers] = weakref.WeakSet()
_memory = _Memory()


def scratch(count: int, purpose: str = "blocks") -> Any:
    """``count`` float32 to write on until this thread asks for some with the same purpose again."""
    buffers = _memory.buffers
    array = buffers.get(purpose)
    if array is None or len(array) < count:
        buffers.pop(purpose, None)
        array = np.empty(count, np.float32)
        if array.nbytes <= LIMIT:
            while sum([b.nbytes for b in buffers.values()]) + array.nbytes > LIMIT:
                del buffers[next(iter(buffers))]
            buffers[purpose] = array
    return array


def held() -> int:
    """Bytes that all threads keep."""
    return sum(array.nbytes for buffers in list(_everyone) for array in list(buffers.values()))


def give_back() -> None:
    """Keep nothing; later calls make new buffers."""
    for buffers in list(_everyone):
        buffers.clear()
