"""Reductions. Sums and products of 16-bit floats accumulate in float32, as on every PyTorch device."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

__all__ = ["along_mask", "astype", "logsumexp", "mean", "prod", "prod_backward", "sum", "tally", "var"]

Axis = int | tuple[int, ...] | None


def wide(x: Any) -> Any:
    """``x`` in float32 if it is a 16-bit float, else ``x`` itself."""
    return x.astype("float32") if x.dtype.itemsize == 2 and x.dtype.kind in "fV" else x


def widened(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel with 16-bit floats computed in float32, in which Python numbers keep their meaning."""

    @functools.wraps(kernel)
    def run(xp: Any, x: Any, *args: Any, **params: Any) -> Any:
        w = wide(x)
        if w is x:
            return kernel(xp, x, *args, **params)
        return kernel(xp, w, *[wide(a) if hasattr(a, "dtype") else a for a in args], **params).astype(x.dtype)

    return run


def in_double(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel computed in float64, for functions whose formulas lose digits on the way."""

    @functools.wraps(kernel)
    def run(xp: Any, x: Any, *args: Any, **params: Any) -> Any:
        if x.dtype == "float64":
            return kernel(xp, x, *args, **params)
        others = [a.astype("float64") if hasattr(a, "dtype") else a for a in args]
        return kernel(xp, x.astype("float64"), *others, **params).astype(x.dtype)

    return run


def astype(xp: Any, x: Any, dtype: Any) -> Any:
    """``x`` in another element type; complex numbers lose their imaginary part on the way to real ones."""
    if x.dtype.kind == "c" and dtype.kind not in "cb":
        x = x.real
    return x.astype(dtype)


def sum(xp: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The sum over ``axis``; all axes when None. Keeps the dtype of ``x``."""
    if x.dtype.itemsize == 2 and x.dtype.kind in "fV":
        return xp.sum(wide(x), axis=axis, keepdims=keepdims).astype(x.dtype)
    return xp.sum(x, axis=axis, keepdims=keepdims, dtype=x.dtype)


def mean(xp: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The mean over ``axis``; all axes when None."""
    total = xp.sum(wide(x), axis=axis, keepdims=keepdims)
    return (total / (size(x, axis) or math.nan)).astype(x.dtype)


def size(x: Any, axis: Axis) -> int:
    """How many elements each result is made of."""
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return math.prod([x.shape[a] for a in axes])


def var(xp: Any, x: Any, axis: Axis, correction: float, keepdims: bool = False) -> Any:
    """The mean over ``axis`` and the sum of squared deviations from it, divided by the count less ``correction``."""
    w = wide(x)
    n = size(x, axis)
    average = xp.sum(w, axis=axis, keepdims=True) / (n or math.nan)
    d = xp.abs(w - average)
    freedom = max(n - correction, 0) if n else math.nan
    squares = xp.sum(d * d, axis=axis, keepdims=keepdims) / d.dtype.type(freedom)
    return squares.astype(d.dtype if x.dtype.kind == "c" else x.dtype), average.astype(x.dtype)


def prod(xp: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The product over one axis, or all when None. Keeps the dtype of ``x``."""
    y = xp.prod(wide(x), axis=axis, keepdims=keepdims, dtype=wide(x).dtype)
    return y.astype(x.dtype)


def prod_backward(xp: Any, g: Any, x: Any, axis: Any) -> Any:
    """``g`` times the product of all other elements: of those before and those after, so that zeros do no harm."""
    if not x.ndim:
        return g
    rows = x.reshape(-1) if axis is None else xp.moveaxis(x, axis[0], -1)
    ones = xp.ones_like(rows[..., :1])
    before = xp.cumprod(xp.concatenate([ones, rows[..., :-1]], axis=-1), axis=-1)
    after = xp.cumprod(xp.concatenate([ones, rows[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    others = before * after
    return g * (others.reshape(x.shape) if axis is None else xp.moveaxis(others, -1, axis[0]))


def logsumexp(xp: Any, x: Any, axis: Axis, keepdims: bool = False) -> Any:
    """``log(sum(exp(x)))`` over ``axis``, shifted by the maximum."""
    w = wide(x)
    if not size(x, axis):
        return xp.log(xp.sum(w, axis=axis, keepdims=keepdims)).astype(x.dtype)
    top = xp.max(w.real, axis=axis, keepdims=True)
    top = xp.where(xp.isfinite(top), top, xp.zeros_like(top))
    total = xp.sum(xp.exp(w - top), axis=axis, keepdims=keepdims)
    return (xp.log(total) + top.reshape(total.shape)).astype(x.dtype)


def tally(xp: Any, mask: Any, axis: Axis, dtype: Any) -> Any:
    """How many are true along ``axis``, which stays at size 1, as numbers of type ``dtype``."""
    return xp.sum(mask, axis=axis, keepdims=True).astype(dtype)


def along_mask(xp: Any, index: Any, n: int, axis: int) -> Any:
    """True at the positions that ``index`` (of size 1 along ``axis``) names along an axis of size ``n``."""
    shape = [1] * index.ndim
    shape[axis] = n
    return xp.arange(n).reshape(shape) == index
