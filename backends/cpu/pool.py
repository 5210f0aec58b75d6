"""Pooling on NumPy: the same passes as the definitions, in place and over small types."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..definitions import pool as plain
from ..definitions.conv import Ints, Pairs, channels_last, interior, taps, window
from .compiled import compiled
from .conv_last import new_like, padded
from .reduction import total as sum_over

__all__ = ["avg_pool", "avg_pool_input", "flat_add", "flat_gather", "max_pool", "pool_scatter"]


def _loops(x: Any, kernel: Ints) -> tuple[Any, bool]:
    """The compiled loops, if they are worth it for windows of ``x``, and whether its channels are last."""
    if x.dtype.char != "f" or not x.size or not x.flags.aligned:
        return None, False
    last = channels_last(x)
    loops = compiled("pool", x.size * min(math.prod(kernel), 16))
    return (loops, last) if loops is not None and loops.suits(x, last) else (None, last)


def _new(n: int, c: int, size: Ints, last: bool, dtype: Any = np.float32) -> Any:
    """A new (N, C, *size) array, with its channels last in memory or first."""
    return np.moveaxis(np.empty((n, *size, c), dtype), -1, 1) if last else np.empty((n, c, *size), dtype)


def _new_code(n: int, c: int, out: Ints, last: bool) -> Any:
    """Memory for the numbers of chosen elements as the loops have it, and the same as (N, C, *out)."""
    if last:
        code = np.empty((n, *out, c), np.uint8)
        return code, np.moveaxis(code, -1, 1)
    code = np.empty((*out, n * c), np.uint8)
    return code, np.moveaxis(code, -1, 0).reshape(n, c, *out)


def _as_code(code: Any, last: bool) -> Any:
    """The memory of `_new_code`, if that is where the numbers come from; else a copy in its order."""
    n, c, *out = code.shape
    if last:
        return np.ascontiguousarray(np.moveaxis(code, 1, -1))
    return np.ascontiguousarray(np.moveaxis(code.reshape(n * c, *out), 0, -1))


def max_pool(x: Any, kernel: Ints, out: Ints, stride: Ints, padding: Pairs, dilation: Ints, codes: bool = True) -> Any:
    """The largest of each window and its number; see the definition.

    Later elements have larger numbers, so "the last one that beat all before it" is a maximum of bytes. A NaN spoils
    the comparisons, but not the maximum, so it shows in the sum and then the definition decides.
    """
    if x.dtype.char not in "fd":
        return plain.max_pool(np, x, kernel, out, stride, padding, dilation, codes)
    loops, last = _loops(x, kernel) if math.prod(kernel) <= 256 else (None, False)
    if loops is not None:
        n, c = x.shape[:2]
        y = _new(n, c, out, last)
        memory, code = _new_code(n, c, out, last) if codes else (None, None)
        loops.pool(loops.MAX, x, y, kernel, stride, padding, dilation, memory, None, last)
        return y, code
    whole = padded(x, padding, -math.inf)
    windows = [whole[window(offset, out, stride, dilation)] for _, offset in taps(kernel)]
    y = windows[0].copy(order="K")
    if not codes:
        for seen in windows[1:]:
            np.maximum(y, seen, out=y)
        return y, None
    code = np.zeros_like(y, dtype=plain.code_type(kernel))
    if any(map(any, padding)):
        code += plain.first_inside(np, kernel, out, stride, padding, dilation).astype(code.dtype)
    better = np.empty_like(y, dtype=bool)
    step = np.empty_like(code)
    for number, seen in enumerate(windows[1:], 1):
        np.greater(seen, y, out=better)
        np.maximum(y, seen, out=y)
        np.multiply(better.view(np.uint8), code.dtype.type(number), out=step)
        np.maximum(code, step, out=code)
    if math.isnan(y.sum()):
        return plain.max_pool(np, x, kernel, out, stride, padding, dilation)
    return y, code


def pool_scatter(
    g: Any, code: Any, size: Ints, kernel: Ints, out: Ints, stride: Ints, padding: Pairs, dilation: Ints
) -> Any:
    """Gradients to the elements that were chosen; windows that do not overlap are written, not added."""
    if g.dtype.char not in "fd":
        return plain.pool_scatter(np, g, code, size, kernel, out, stride, padding, dilation)
    loops, last = _loops(g, kernel) if code.dtype.char == "B" else (None, False)
    if loops is not None:
        x = _new(g.shape[0], g.shape[1], size, last)
        loops.pool(loops.CHOSEN, x, g, kernel, stride, padding, dilation, _as_code(code, last), None, last)
        return x
    whole = tuple(n + sum(p) for n, p in zip(size, padding, strict=True))
    apart = all(s >= k and d == 1 for s, k, d in zip(stride, kernel, dilation, strict=True))
    tiled = apart and all(n == o * s == o * k for n, o, s, k in zip(whole, out, stride, kernel, strict=True))
    x = new_like(g, whole, np.empty if tiled else np.zeros)
    for number, offset in taps(kernel):
        target = x[window(offset, out, stride, dilation)]
        if apart:
            np.multiply(g, code == number, out=target)
        else:
            target += g * (code == number)
    return x[interior(size, padding)].copy(order="K") if any(map(any, padding)) else x


def _divisors(total: Any, out: Ints) -> Any:
    """What each window is divided by, one after another."""
    return np.ascontiguousarray(np.broadcast_to(np.asarray(total, np.float32), out))


def avg_pool(x: Any, kernel: Ints, out: Ints, stride: Ints, padding: Pairs, include: bool, divisor: int | None) -> Any:
    """Each window's mean, one dimension after the other; see the definition."""
    total = plain.counts(np, x.shape[2:], kernel, out, stride, padding, include, divisor)
    if x.dtype.char not in "fd":
        return plain.avg_pool(np, x, kernel, out, stride, padding, include, divisor)
    if kernel == x.shape[2:] and x.flags.c_contiguous and not any(map(any, padding)):  # one window
        return np.divide(sum_over(x, tuple(range(2, x.ndim)), True), total, dtype=x.dtype, casting="same_kind")
    loops, last = _loops(x, kernel)
    if loops is not None:
        y = _new(x.shape[0], x.shape[1], out, last)
        each = (1,) * len(kernel)
        loops.pool(loops.MEAN, x, y, kernel, stride, padding, each, None, _divisors(total, out), last)
        return y
    y = padded(x, padding)
    for axis, (k, o, s) in enumerate(zip(kernel, out, stride, strict=True), 2):
        part = y[plain.strip(y.ndim, axis, 0, o, s)].copy(order="K")
        for t in range(1, k):
            part += y[plain.strip(y.ndim, axis, t, o, s)]
        y = part
    y /= total
    return y


def avg_pool_input(
    g: Any, size: Ints, kernel: Ints, out: Ints, stride: Ints, padding: Pairs, include: bool, divisor: int | None
) -> Any:
    """Each window's share to all its elements, one dimension after the other; see the definition."""
    if g.dtype.char not in "fd":
        return plain.avg_pool_input(np, g, size, kernel, out, stride, padding, include, divisor)
    total = plain.counts(np, size, kernel, out, stride, padding, include, divisor)
    loops, last = _loops(g, kernel)
    if loops is not None:
        x = _new(g.shape[0], g.shape[1], size, last)
        each = (1,) * len(kernel)
        loops.pool(loops.SHARE, x, g, kernel, stride, padding, each, None, _divisors(total, out), last)
        return x
    x = np.divide(g, total, dtype=g.dtype, casting="same_kind")
    for axis, (n, k, o, s, p) in enumerate(zip(size, kernel, out, stride, padding, strict=True), 2):
        whole = tuple(n + sum(p) if i == axis else m for i, m in enumerate(x.shape))[2:]
        spread = new_like(x, whole, np.zeros)
        for t in range(k):
            spread[plain.strip(x.ndim, axis, t, o, s)] += x
        x = spread
    return x[interior(size, padding)].copy(order="K") if any(map(any, padding)) else x


def flat_gather(x: Any, position: Any) -> Any:
    """Elements at places of the flattened spatial dimensions; places that all channels share are looked up once."""
    if not position.size or position.strides[1]:
        return plain.flat_gather(np, x, position)
    flat = x.reshape(*x.shape[:2], math.prod(x.shape[2:]))
    y = np.empty((*x.shape[:2], math.prod(position.shape[2:])), x.dtype)
    for sample, places, result in zip(flat, position[:, 0], y, strict=True):
        np.take(sample, places.reshape(-1), axis=1, out=result, mode="clip")  # the only mode that does not copy
    return y.reshape(position.shape)


def flat_add(g: Any, position: Any, size: Ints) -> Any:
    """The adjoint of `flat_gather`; see the definition. Flat positions have the short path of ``ufunc.at``."""
    if g.dtype.char not in "fd":
        return plain.flat_add(np, g, position, size)
    flat = np.zeros((*g.shape[:2], *size), g.dtype)
    rows, places = plain.rows_and_places(np, position)
    np.add.at(flat.reshape(-1), (rows * math.prod(size) + places).reshape(-1), g.reshape(-1))
    return flat
