"""Running sums and products along an axis. 16-bit floats accumulate in float32."""

from __future__ import annotations

import math
from typing import Any

from .elementwise import logaddexp
from .reduction import wide

__all__ = ["cumprod", "cumprod_backward", "cumsum", "logcumsumexp", "logcumsumexp_backward", "progression"]


def progression(xp: Any, first: float, step: float, count: int, dtype: Any) -> Any:
    """``first, first + step, ...``: ``count`` numbers, in int64 or float64 before they are of ``dtype``."""
    counts = xp.arange(count, dtype="int64" if dtype.kind in "iu" else "float64")
    return (counts * step + first).astype(dtype)


def cumsum(xp: Any, x: Any, axis: int, reverse: bool = False) -> Any:
    """The running sum, from the end where ``reverse``."""
    if not x.ndim:
        return x.copy()
    w = wide(x)
    y = xp.flip(xp.cumsum(xp.flip(w, axis), axis=axis), axis) if reverse else xp.cumsum(w, axis=axis)
    return y.astype(x.dtype)


def cumprod(xp: Any, x: Any, axis: int) -> Any:
    """The running product."""
    return xp.cumprod(wide(x), axis=axis).astype(x.dtype) if x.ndim else x.copy()


def cumprod_backward(xp: Any, g: Any, x: Any, y: Any, axis: int) -> Any:
    """The gradient of `cumprod`, without dividing by elements, which may be zero.

    With ``a[i]`` the gradient of ``y[i]`` by all paths, ``a[i] = g[i] + a[i + 1] * x[i + 1]`` and the result is
    ``a[i] * y[i - 1]``. The recurrence is solved in log2(n) steps, each of which doubles how far ``a`` looks ahead.
    """
    if not x.ndim:
        return g
    x, y, a = (xp.moveaxis(wide(v), axis, 0) for v in (x, y, g))
    n = x.shape[0]
    factor = xp.concatenate([x[1:], xp.zeros_like(x[:1])])
    a = a.copy()
    step = 1
    while step < n:
        a[:-step] = a[:-step] + factor[:-step] * a[step:]
        factor = xp.concatenate([factor[:-step] * factor[step:], xp.zeros_like(factor[:step])])
        step *= 2
    before = xp.concatenate([xp.ones_like(y[:1]), y[:-1]])
    return xp.moveaxis(a * before, 0, axis).astype(g.dtype)


def logcumsumexp(xp: Any, x: Any, axis: int, reverse: bool = False) -> Any:
    """``log(cumsum(exp(x)))``, from the end where ``reverse``; by doubling the distance that each step looks back."""
    if not x.ndim:
        return x.copy()
    y = xp.moveaxis(wide(x), axis, -1)
    y = y[..., ::-1] if reverse else y
    if x.dtype.kind == "c":  # from left to right: the branch of a complex logarithm follows from the order
        rows = [xp.full_like(y[..., :1], -math.inf)]
        for i in range(y.shape[-1]):
            rows.append(logaddexp(xp, y[..., i : i + 1], rows[-1]))
        y = xp.concatenate(rows[1:], axis=-1) if rows[1:] else y
        return xp.moveaxis(y[..., ::-1] if reverse else y, -1, axis)
    step = 1
    while step < y.shape[-1]:
        y = xp.concatenate([y[..., :step], _log_of_sum(xp, y[..., step:], y[..., :-step])], axis=-1)
        step *= 2
    return xp.ascontiguousarray(xp.moveaxis(y[..., ::-1] if reverse else y, -1, axis)).astype(x.dtype)


def _log_of_sum(xp: Any, a: Any, b: Any) -> Any:
    """``log(exp(a) + exp(b))``, of complex numbers too."""
    if a.dtype.kind != "c":
        return xp.logaddexp(a, b)
    top = xp.maximum(a.real, b.real)
    top = xp.where(xp.isfinite(top), top, xp.zeros_like(top))
    return xp.log(xp.exp(a - top) + xp.exp(b - top)) + top


def logcumsumexp_backward(xp: Any, g: Any, x: Any, y: Any, axis: int) -> Any:
    """``exp(x)`` times the sum of ``g * exp(-y)`` from there on, in logarithms, for each sign of ``g``."""
    if not x.ndim:
        return g
    if x.dtype.kind == "c":
        return _complex_logcumsumexp_backward(xp, g, x, y, axis)
    w, v, h = wide(x), wide(y), wide(g)
    if x.dtype.kind == "c":  # a complex logarithm has room for any sign
        return xp.exp(logcumsumexp(xp, xp.log(h) - xp.conj(v), axis, True) + xp.conj(w))
    zero = xp.zeros_like(h)
    up = xp.exp(logcumsumexp(xp, xp.log(xp.maximum(h, zero)) - v, axis, True) + w)
    down = xp.exp(logcumsumexp(xp, xp.log(xp.maximum(-h, zero)) - v, axis, True) + w)
    return (up - down).astype(g.dtype)


def _complex_logcumsumexp_backward(xp: Any, g: Any, x: Any, y: Any, axis: int) -> Any:
    """The sum of ``g[j] * conj(exp(x - y[j]))`` over what follows, from the end, without large exponentials."""
    g, x, y = (xp.moveaxis(a, axis, 0) for a in (g, x, y))
    total = xp.zeros_like(g[:1])
    rows: list[Any] = []
    for i in range(x.shape[0] - 1, -1, -1):
        if rows:
            total = total * xp.conjugate(xp.exp(y[i : i + 1] - y[i + 1 : i + 2]))
        total = total + g[i : i + 1]
        rows.append(total * xp.conjugate(xp.exp(x[i : i + 1] - y[i : i + 1])))
    return xp.moveaxis(xp.concatenate(rows[::-1], axis=0), 0, axis) if rows else xp.moveaxis(g, 0, axis)
