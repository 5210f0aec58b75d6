"""Reductions on NumPy: the ufuncs' own ``reduce``, without the wrappers around it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..definitions import reduction as plain

__all__ = ["argmax", "argmin", "max", "mean", "min", "place_along", "sum", "var"]

WIDE = "fdFD"  # type characters of what is summed as it is
add: Any = np.add.reduce  # its stubs want keepdims as a literal
maximum: Any = np.maximum.reduce
minimum: Any = np.minimum.reduce


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum over ``axis``; see the definition."""
    if x.dtype.char in WIDE:
        return add(x, axis=axis, keepdims=keepdims)
    return plain.sum(np, x, axis, keepdims)


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean over ``axis``; see the definition."""
    if x.dtype.char not in WIDE:
        return plain.mean(np, x, axis, keepdims)
    n = x.size if axis is None else plain.size(x, axis)
    return add(x, axis=axis, keepdims=keepdims) / (n or math.nan)


def var(x: Any, axis: Any, correction: float, keepdims: bool = False) -> Any:
    """The variance and the mean over ``axis``; see the definition."""
    if x.dtype.char not in "fd":
        return plain.var(np, x, axis, correction, keepdims)
    n = x.size if axis is None else plain.size(x, axis)
    average = add(x, axis=axis, keepdims=True) / (n or math.nan)
    d = np.asarray(x - average)
    np.multiply(d, d, out=d)
    freedom = n - correction if n > correction else 0 if n else math.nan
    return np.divide(add(d, axis=axis, keepdims=keepdims), freedom, dtype=x.dtype), average


def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest element."""
    return maximum(x, axis=axis, keepdims=keepdims)


def min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest element."""
    return minimum(x, axis=axis, keepdims=keepdims)


def place_along(g: Any, index: Any, n: int, axis: int) -> Any:
    """``g`` at the positions ``index`` of ``axis``, of size ``n``, and 0 elsewhere."""
    shape = list(index.shape)
    shape[axis] = n
    y = np.zeros(shape, g.dtype)
    np.put_along_axis(y, index, g, axis)
    return y


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The index of the largest element, the first of equal ones."""
    return x.argmax(axis, keepdims=keepdims)


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The index of the smallest element, the first of equal ones."""
    return x.argmin(axis, keepdims=keepdims)
