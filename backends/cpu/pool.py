"""Pooling on NumPy: the same passes as the definitions, in place and over small types."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..definitions import pool as plain
from ..definitions.conv import Ints, Pairs, interior, pad, taps, window
from .conv_last import channels_last

__all__ = ["max_pool", "pool_scatter"]


def max_pool(x: Any, kernel: Ints, out: Ints, stride: Ints, padding: Pairs, dilation: Ints, codes: bool = True) -> Any:
    """The largest of each window and its number; see the definition.

    Later elements have larger numbers, so "the last one that beat all before it" is a maximum of bytes. A NaN spoils
    the comparisons, but not the maximum, so it shows in the sum and then the definition decides.
    """
    if x.dtype.char not in "fd":
        return plain.max_pool(np, x, kernel, out, stride, padding, dilation, codes)
    padded = pad(np, x, padding, -math.inf)
    windows = [padded[window(offset, out, stride, dilation)] for _, offset in taps(kernel)]
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
    padded = [n + before + after for n, (before, after) in zip(size, padding, strict=True)]
    apart = all(s >= k and d == 1 for s, k, d in zip(stride, kernel, dilation, strict=True))
    tiled = apart and all(n == o * s == o * k for n, o, s, k in zip(padded, out, stride, kernel, strict=True))
    make = np.empty if tiled else np.zeros
    n, c = g.shape[:2]
    x = np.moveaxis(make((n, *padded, c), g.dtype), -1, 1) if channels_last(g) else make((n, c, *padded), g.dtype)
    for number, offset in taps(kernel):
        target = x[window(offset, out, stride, dilation)]
        if apart:
            np.multiply(g, code == number, out=target)
        else:
            target += g * (code == number)
    return x[interior(size, padding)]
