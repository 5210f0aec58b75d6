"""Reductions on NumPy: the ufuncs' own ``reduce``, without the wrappers around it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..definitions import reduction as plain
from .compiled import LIGHT, compiled, spread
from .elementwise import LARGE
from .product import ones

__all__ = ["argmax", "argmin", "logsumexp", "max", "mean", "min", "place_along", "prod", "sum", "var"]

WIDE = "fdFD"  # type characters of what is summed as it is
RUN = 4096  # elements that are added up one after another, in vectors, before rounding tells
SHORT = 16  # elements below which calling it for each row costs more
add: Any = np.add.reduce  # its stubs want keepdims as a literal
maximum: Any = np.maximum.reduce
minimum: Any = np.minimum.reduce


def total(x: Any, axis: Any, keepdims: bool) -> Any:
    """The sum of floats; of the last dimensions of large arrays by a compiled loop, or as a product with ones."""
    if x.dtype.char not in "fd" or not x.flags.c_contiguous:
        return add(x, axis=axis, keepdims=keepdims)
    if x.size < LARGE:
        return _few(x, axis, keepdims)
    axes = _last(axis, x.ndim)
    if axes is None:
        return add(x, axis=axis, keepdims=keepdims)
    kept = x.shape[: x.ndim - axes]
    n = math.prod(x.shape[x.ndim - axes :])
    y = blocks("sums", x, n)
    if y is None:
        return add(x, axis=axis, keepdims=keepdims)
    y = add(y.reshape(*kept, -1), axis=-1)
    return y.reshape((*kept, *[1] * axes)) if keepdims else y


def blocks(loop: str, x: Any, n: int) -> Any:
    """The ``sums`` or ``squares`` of the blocks of each row of ``n``, compiled or by BLAS; None for NumPy to add up."""
    if not n or (loops := compiled("arithmetic", x.size)) is None:
        width = n if n <= RUN else RUN if not n % RUN else 0
        rows = x.reshape(-1, width) if width >= SHORT else None
        return None if rows is None else np.vecdot(rows, rows if loop == "squares" else ones(width, x.dtype.char))
    rows, y = x.reshape(-1, n), np.empty((x.size // n, -(-n // RUN)), x.dtype)
    run = getattr(loops, loop)
    spread(lambda start, stop: run(rows, y, RUN, start, stop), y.size, LIGHT * (n if n < RUN else RUN))
    return y


def _few(x: Any, axis: Any, keepdims: bool) -> Any:
    """The sum of few floats: of all, or of rows or columns, as a product with ones, which costs half a reduction."""
    if axis is None and x.ndim:
        y = x.ravel().dot(ones(x.size, x.dtype.char))
        return y.reshape((1,) * x.ndim) if keepdims else y
    if x.ndim != 2 or not x.size:
        return add(x, axis=axis, keepdims=keepdims)
    if axis.__class__ is tuple and len(axis) == 1:
        axis = axis[0]
    if axis == 1 or axis == -1:
        y = x.dot(ones(x.shape[1], x.dtype.char))
        return y.reshape(-1, 1) if keepdims else y
    if axis == 0:
        y = ones(x.shape[0], x.dtype.char).dot(x)
        return y.reshape(1, -1) if keepdims else y
    return add(x, axis=axis, keepdims=keepdims)


def _last(axis: Any, ndim: int) -> int | None:
    """How many dimensions ``axis`` names, if they are the last ones."""
    if axis is None:
        return ndim
    named = (axis,) if isinstance(axis, int) else axis
    found = {a % ndim for a in named}
    return len(found) if found == {*range(ndim - len(found), ndim)} else None


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """``log(sum(exp(x)))``; see the definition."""
    axes = _last(axis, x.ndim) if x.dtype.char == "f" and x.size >= LARGE and x.flags.c_contiguous else None
    n = math.prod(x.shape[x.ndim - axes :]) if axes else 0
    if n < SHORT or axes is None or (loops := compiled("softmax", x.size)) is None:
        return plain.logsumexp(np, x, axis, keepdims)
    y = np.empty((x.size // n, 1), x.dtype)
    spread(loops.log_sum_exp, len(y), n, x.reshape(-1, n), y)
    return y.reshape((*x.shape[: x.ndim - axes], *[1] * (axes if keepdims else 0)))


def prod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The product over one axis, or all; see the definition. Halves of long rows are multiplied with each other."""
    n = x.size if axis is None else plain.size(x, axis)
    last = axis is None or _last(axis, x.ndim) == 1
    if x.dtype.char not in "fd" or x.size < LARGE or n < 64 or not last or not x.flags.c_contiguous:
        return plain.prod(np, x, axis, keepdims)
    rows = x.reshape(-1, n)
    while rows.shape[1] > 8:
        half = rows.shape[1] // 2
        product = np.multiply(rows[:, :half], rows[:, half : 2 * half])
        if rows.shape[1] % 2:
            product[:, 0] *= rows[:, -1]
        rows = product
    y = np.multiply.reduce(rows, axis=1)
    kept = () if axis is None else x.shape[:-1]
    return y.reshape((*kept, *[1] * (x.ndim - len(kept)))) if keepdims else y.reshape(kept)


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum over ``axis``; see the definition."""
    if x.dtype.char in WIDE:
        return total(x, axis, keepdims)
    return plain.sum(np, x, axis, keepdims)


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean over ``axis``; see the definition."""
    if x.dtype.char not in WIDE:
        return plain.mean(np, x, axis, keepdims)
    n = x.size if axis is None else plain.size(x, axis)
    return total(x, axis, keepdims) / (n or math.nan)


def var(x: Any, axis: Any, correction: float, keepdims: bool = False) -> Any:
    """The variance and the mean over ``axis``; see the definition."""
    if x.dtype.char not in "fd":
        return plain.var(np, x, axis, correction, keepdims)
    n = x.size if axis is None else plain.size(x, axis)
    if axis is None and correction < n < LARGE and x.ndim and x.flags.c_contiguous and not keepdims:
        d = x.ravel()
        average = d.dot(ones(n, d.dtype.char)) / n
        d = d - average
        return d.dot(d) / (n - correction), average
    average = total(x, axis, True) / (n or math.nan)
    d = np.asarray(x - average)
    np.multiply(d, d, out=d)
    freedom = n - correction if n > correction else 0 if n else math.nan
    return np.divide(total(d, axis, keepdims), freedom, dtype=x.dtype), average


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
