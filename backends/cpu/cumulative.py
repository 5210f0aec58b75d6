"""Running sums, products and extremes on NumPy: whole rows at a time, where NumPy would wait for each element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..definitions import cumulative as plain
from ..definitions import statistics as plain_statistics
from .compiled import compiled, over
from .moves import compact, copied

__all__ = ["cumprod", "cumsum", "cumulative_extreme"]

ROW = 64  # elements from which a row is worth a call of NumPy
WIDE = "fdFD"  # type characters of what is computed as it is


def cumsum(x: Any, axis: int, reverse: bool = False) -> Any:
    """The running sum; see the definition."""
    if (y := _compiled(x, axis, False, reverse)) is not None:
        return y
    if x.dtype.char not in WIDE or not _by_rows(x, axis):
        return plain.cumsum(np, x, axis, reverse)
    return _running(np.add, np.flip(x, axis), axis)[_backwards(axis)] if reverse else _running(np.add, x, axis)


def cumprod(x: Any, axis: int) -> Any:
    """The running product; see the definition."""
    if (y := _compiled(x, axis, True, False)) is not None:
        return y
    if x.dtype.char not in WIDE or not _by_rows(x, axis):
        return plain.cumprod(np, x, axis)
    return _running(np.multiply, x, axis)


KEPT: dict[str, Any] = {"f": np.float64, "d": np.float64, "i": np.int32, "l": np.int64}  # in what totals are kept


def _compiled(x: Any, axis: int, times: bool, reverse: bool) -> Any:
    """The running sum or product by a compiled loop, or None."""
    kind: Any = KEPT.get(x.dtype.char)
    loops = compiled("cumulative", x.size) if kind and x.ndim and x.dtype.isnative else None
    if loops is None or not x.size:
        return None
    y, total = np.empty(x.shape, x.dtype), kind(times)
    loop, views, items, width = _rows(loops, "running", axis, copied(x), y)
    over(loop, items, width, views[0], times, reverse, total, views[1])
    return y


def _rows(loops: Any, name: str, axis: int, *arrays: Any) -> tuple[Any, list[Any], int, int]:
    """The loop for rows of the last dimension, or that across another one; what it takes; its items and their size."""
    shape = arrays[0].shape
    n, inner = shape[axis], math.prod(shape[axis % len(shape) + 1 :])
    if inner == 1:
        return getattr(loops, name), [a.reshape(-1, n) for a in arrays], arrays[0].size // n, n
    return getattr(loops, name + "_across"), [a.reshape(-1, n, inner) for a in arrays], inner, arrays[0].size // inner


def cumulative_extreme(x: Any, axis: int, largest: bool) -> Any:
    """The running maximum or minimum and the index of its last occurrence; see the definition."""
    if x.dtype.char not in "fdlihbB" or not x.ndim or not x.size:
        return plain_statistics.cumulative_extreme(np, x, axis, largest)
    if x.dtype.isnative and (loops := compiled("cumulative", x.size)) is not None:
        y, index = np.empty(x.shape, x.dtype), np.empty(x.shape, np.int64)
        loop, views, items, width = _rows(loops, "extreme", axis, copied(x), y, index)
        over(loop, items, width, views[0], largest, *views[1:])
        return y, index
    n = x.shape[axis]
    y = _running(np.maximum if largest else np.minimum, x, axis)
    new = x == y
    if x.dtype.kind == "f":
        new |= x != x  # each NaN is a new extreme
    place = np.arange(n, dtype=np.int16 if n < 1 << 15 else np.int64)
    shape = [1] * x.ndim
    shape[axis] = n
    index = _running(np.maximum, new * place.reshape(shape), axis).astype(np.int64)
    if x.dtype.kind == "f" and not y.all():  # of two zeros, the later one's sign
        y = np.take_along_axis(x, index, axis)
    return y, index


def _by_rows(x: Any, axis: int) -> bool:
    """Whether there are enough elements beside each other, across ``axis``."""
    return bool(x.ndim) and x.size >= ROW * x.shape[axis] and x.size > ROW * ROW


def _backwards(axis: int) -> Any:
    return (slice(None),) * axis + (slice(None, None, -1),)


def _running(ufunc: Any, x: Any, axis: int) -> Any:
    """``ufunc.accumulate``; along the last dimension of many rows by way of the transpose."""
    if not _by_rows(x, axis):
        return ufunc.accumulate(x, axis=axis)
    if axis == x.ndim - 1:
        return compact(_accumulated(ufunc, compact(x.reshape(-1, x.shape[-1]).T)).T).reshape(x.shape)
    if math.prod(x.shape[axis + 1 :]) < ROW:
        return ufunc.accumulate(x, axis=axis)
    rows = np.moveaxis(x, axis, 0)
    y = np.empty(x.shape, x.dtype)
    _accumulated(ufunc, rows, np.moveaxis(y, axis, 0))
    return y


def _accumulated(ufunc: Any, x: Any, y: Any = None) -> Any:
    """The running result of rows, along dimension 0."""
    y = np.empty_like(x) if y is None else y
    y[0] = x[0]
    before = y[0]
    for row, result in zip(x[1:], y[1:], strict=True):
        ufunc(before, row, out=result)
        before = result
    return y
