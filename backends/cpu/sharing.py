"""Main memory that several processes see: a model in it can be trained by all of them at once."""

from __future__ import annotations

import ctypes
import multiprocessing
from multiprocessing import context
from typing import Any

import numpy as np

__all__ = ["is_shared", "parts", "rebuilt", "share"]

MARK = "_wengert_shared"  # an attribute of the memory, since a ctypes array may also be a process's own


def share(x: Any) -> Any:
    """The elements of ``x`` in shared memory, laid out like them. Processes that are forked later see the same ones."""
    strides = x.copy("K").strides
    y = _on(multiprocessing.RawArray(ctypes.c_byte, max(x.nbytes, 1)), x.dtype, x.shape, strides, 0)
    y[...] = x
    return y


def is_shared(x: Any) -> bool:
    """Whether the array lies in memory that `share` made."""
    return _memory(x) is not None


def parts(x: Any) -> tuple[Any, ...] | None:
    """What `rebuilt` makes the array of in a process that is about to start; None where its values must be sent."""
    memory = _memory(x)
    if memory is None or context.get_spawning_popen() is None:  # only then can a pickle refer to memory
        return None
    offset = x.__array_interface__["data"][0] - ctypes.addressof(memory)
    return memory, x.dtype, x.shape, x.strides, offset


def rebuilt(memory: Any, dtype: Any, shape: tuple[int, ...], strides: tuple[int, ...], offset: int) -> Any:
    """The array that `parts` were taken from."""
    return _on(memory, dtype, shape, strides, offset)


def _on(memory: Any, dtype: Any, shape: tuple[int, ...], strides: tuple[int, ...], offset: int) -> Any:
    setattr(memory, MARK, True)
    return np.ndarray(shape, dtype, buffer=memory, offset=offset, strides=strides)


def _memory(x: Any) -> Any:
    while isinstance(x, np.ndarray):
        x = x.base
    return x if hasattr(x, MARK) else None
