"""Convolution on NumPy: columns for a few samples at a time, so that they are still in the cache when BLAS reads them.

The columns of one sample are a strided view of it; copying that view is all the gathering there is. Each group of
samples then is one stacked product that writes straight into the output.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..definitions import conv as plain
from ..definitions.conv import Ints, Pairs, interior, out_size, taps, window
from .product import ones

__all__ = ["conv", "conv_input", "conv_weight", "sum_channels"]

PIECE = 1 << 20  # bytes of columns at a time: more than one sample where samples are small


def _pieces(n: int, bytes_each: int) -> Iterator[slice]:
    step = max(1, PIECE // max(1, bytes_each))
    return (slice(i, min(i + step, n)) for i in range(0, n, step))


class Columns:
    """Reads the columns of consecutive samples into one buffer that is used again for the next ones."""

    def __init__(self, x: Any, kernel: Ints, out: Ints, stride: Ints, padding: Pairs, dilation: Ints) -> None:
        n, c, *size = x.shape
        self.x, self.padding, self.size = x, padding, tuple(size)
        self.shape = (c, *kernel, *out)
        self.pieces = list(_pieces(n, math.prod(self.shape) * x.itemsize))
        self.rows = max([p.stop - p.start for p in self.pieces], default=0)
        self.pointwise = all(k == 1 for k in kernel) and all(s == 1 for s in stride) and not any(map(any, padding))
        self.stride, self.dilation, self.kernel = stride, dilation, len(kernel)
        if not self.pointwise:
            self.buffer = np.empty((self.rows, *self.shape), x.dtype)
        if any(map(any, padding)):
            padded = [m + sum(p) for m, p in zip(size, padding, strict=True)]
            self.padded = np.zeros((self.rows, c, *padded), x.dtype)
            self.inside = interior(self.size, padding)

    def read(self, piece: slice) -> Any:
        """The columns of some samples, (samples, C, *kernel, *out)."""
        x = self.x[piece]
        if self.pointwise:
            return x.reshape(len(x), *self.shape)
        if any(map(any, self.padding)):
            padded = self.padded[: len(x)]
            padded[self.inside] = x
            x = padded
        steps = x.strides[2:]
        view = as_strided(
            x,
            (len(x), *self.shape),
            (
                *x.strides[:2],
                *[s * d for s, d in zip(steps, self.dilation, strict=True)],
                *[s * t for s, t in zip(steps, self.stride, strict=True)],
            ),
        )
        columns = self.buffer[: len(x)]
        columns[...] = view
        return columns


def conv(x: Any, w: Any, bias: Any, stride: Ints, padding: Pairs, dilation: Ints, groups: int) -> Any:
    """The convolution; see the definition."""
    if x.dtype.char not in "fdFD":
        return plain.conv(np, x, w, bias, stride, padding, dilation, groups)
    n, k = x.shape[0], w.shape[0]
    out = out_size(x.shape[2:], w.shape[2:], stride, padding, dilation)
    area, depth = math.prod(out), math.prod(w.shape[1:])
    weight = w.reshape(groups, k // groups, depth)
    y = np.empty((n, groups, k // groups, area), x.dtype)
    shift = None if bias is None else bias.reshape(groups, k // groups, 1)
    columns = Columns(x, w.shape[2:], out, stride, padding, dilation)
    for piece in columns.pieces:
        part = columns.read(piece).reshape(-1, groups, depth, area)
        np.matmul(weight, part, out=y[piece])
        if shift is not None:
            y[piece] += shift
    return y.reshape(n, k, *out)


def conv_input(g: Any, w: Any, size: Ints, stride: Ints, padding: Pairs, dilation: Ints, groups: int) -> Any:
    """The adjoint in the input; see the definition."""
    if g.dtype.char not in "fdFD":
        return plain.conv_input(np, g, w, size, stride, padding, dilation, groups)
    n, k, *out = g.shape
    kernel, c = w.shape[2:], w.shape[1] * groups
    weight = np.swapaxes(w.reshape(groups, k // groups, -1), 1, 2)
    flat = g.reshape(n, groups, k // groups, math.prod(out))
    x = np.zeros((n, c, *[m + sum(p) for m, p in zip(size, padding, strict=True)]), g.dtype)
    windows = [(number, window(offset, tuple(out), stride, dilation)) for number, offset in taps(kernel)]
    for piece in _pieces(n, c * len(windows) * math.prod(out) * g.itemsize):
        columns = np.matmul(weight, flat[piece]).reshape(-1, c, len(windows), *out)
        target = x[piece]
        for number, seen in windows:
            target[seen] += columns[:, :, number]
    return np.ascontiguousarray(x[interior(size, padding)])


def conv_weight(x: Any, g: Any, kernel: Ints, stride: Ints, padding: Pairs, dilation: Ints, groups: int) -> Any:
    """The adjoint in the weight; see the definition."""
    if x.dtype.char not in "fdFD":
        return plain.conv_weight(np, x, g, kernel, stride, padding, dilation, groups)
    n, k, *out = g.shape
    c = x.shape[1] // groups
    depth, area = c * math.prod(kernel), math.prod(out)
    flat = g.reshape(n, groups, k // groups, area)
    w = np.zeros((groups, k // groups, depth), g.dtype)
    columns = Columns(x, kernel, tuple(out), stride, padding, dilation)
    for piece in columns.pieces:
        part = columns.read(piece).reshape(-1, groups, depth, area)
        each = np.matmul(flat[piece], np.swapaxes(part, 2, 3))
        w += each[0] if len(each) == 1 else each.sum(0)
    return w.reshape(k, c, *kernel)


def sum_channels(x: Any) -> Any:
    """The sum over all dimensions but the second, by BLAS; see the definition."""
    if x.dtype.char not in "fdFD" or not x.flags.c_contiguous:
        return plain.sum_channels(np, x)
    n, c = x.shape[:2]
    area = math.prod(x.shape[2:])
    return ones(n, x.dtype.char).dot(x.reshape(n * c, area).dot(ones(area, x.dtype.char)).reshape(n, c))
