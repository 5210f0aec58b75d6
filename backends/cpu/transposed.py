"""Copies in another order of dimensions on NumPy, a strip at a time, whose lines of memory the cache can hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from .functions import MANY, copy_into

__all__ = ["compact"]

STRIP = 16  # elements along the last dimension: of float32 they fill the lines of memory that they are written to
FAR = 1024  # bytes between neighbours from which a copy element by element loses its lines before they are used up


def compact(x: Any) -> Any:
    """A copy in C order."""
    if x.size >= MANY and x.flags.c_contiguous:
        y = np.empty(x.shape, x.dtype)
        copy_into(y, x)
        return y
    if not x.ndim or x.strides[-1] < FAR or x.shape[-1] <= STRIP or 0 in x.shape:
        return x.copy("C")
    y = np.empty(x.shape, x.dtype)
    for start in range(0, x.shape[-1], STRIP):
        y[..., start : start + STRIP] = x[..., start : start + STRIP]
    return y
