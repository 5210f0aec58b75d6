"""How the kernels of ``*_numba.py`` are compiled: kept on disk, without the lock on Python, with NumPy's division."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
from numba.extending import intrinsic

__all__: list[str] = []  # nothing here is a kernel

F = TypeVar("F", bound=Callable[..., Any])


def loop(function: F) -> F:
    """A kernel, or a part of one: arithmetic as it is written."""
    return numba.njit(cache=True, nogil=True, error_model="numpy")(function)


def summing(function: F) -> F:
    """A part that sums in any order, so in vectors; it is the same order for rows of the same length."""
    kind = {"reassoc", "contract"}
    return numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=kind)(function)


def inlined(function: F) -> F:
    """A function of numbers that loops use; it is compiled into them."""
    return numba.njit(nogil=True, error_model="numpy")(function)


def instructions(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function given by the instructions that its ``codegen`` builds; it is called without the first argument."""
    return intrinsic(function)
