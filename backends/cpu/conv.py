"""Convolution on NumPy: columns for a few samples at a time, so that they are still in the cache when BLAS reads them.

The columns of one sample are a strided view of it; copying that view is all the gathering there is. Each group of
samples then is one stacked product that writes straight into the output.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..definitions import conv as plain
from ..definitions.conv import Ints, Pairs, channels_last, interior, out_size, taps, window
from . import conv_last as last
from . import conv_plan
from .compiled import compiled
from .product import ones

__all__ = ["conv", "conv_input", "conv_weight", "sum_channels"]

PIECE = 1 << 20  # bytes of columns at a time: more than one sample where samples are small


LEAST = 5 << 16  # products of two numbers from which on compiled kernels are worth calling


def _compiled(
    x: Any, y: Any, size: Ints, k: int, c: int, kernel: Ints, stride: Ints, padding: Pairs, dilation: Ints, groups: int
) -> tuple[Any, Any]:
    """The compiled kernels and the shape they take, if they are worth it for these operands; else None and None."""
    if x.dtype.char != "f" or y.dtype.char != "f" or not (x.flags.aligned and y.flags.aligned):
        return None, None
    s = conv_plan.shape_of(len(x), c, size, k, kernel, stride, padding, dilation, groups)
    if s.cost < LEAST:
        return None, None
    return compiled("conv", s.cost >> 6, LEAST >> 6), s


def _small(c: int, out: Ints, groups: int) -> bool:
    """Whether the positions are so few that the detour over channels-last, one product for many samples, is faster."""
    return groups == 1 and c >= 4 and math.prod(out) <= 200


def _one_place(size: Ints, kernel: Ints, padding: Pairs, groups: int) -> bool:
    """Whether the kernel covers an image once and exactly, so that the convolution is a product of two matrices."""
    return groups == 1 and tuple(size) == tuple(kernel) and not any(map(any, padding))


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
        self.stride, self.dilation, self.kernel = stride, dilation, kernel
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
        view = last.covered(x, self.kernel, self.shape[1 + len(self.kernel) :], self.stride, self.dilation)
        columns = self.buffer[: len(x)]
        columns[...] = view
        return columns


def conv(x: Any, w: Any, bias: Any, stride: Ints, padding: Pairs, dilation: Ints, groups: int) -> Any:
    """The convolution; see the definition."""
    if x.dtype.char not in "fdFD":
        return plain.conv(np, x, w, bias, stride, padding, dilation, groups)
    if _one_place(x.shape[2:], w.shape[2:], padding, groups):
        depth = math.prod(w.shape[1:])
        y = x.reshape(len(x), depth).dot(w.reshape(len(w), depth).T)
        return (y if bias is None else np.add(y, bias, out=y)).reshape(*y.shape, *[1] * (x.ndim - 2))
    geometry = (stride, padding, dilation, groups)
    loops, shape = _compiled(x, w, x.shape[2:], len(w), x.shape[1], w.shape[2:], *geometry)
    if loops is not None:
        return loops.conv(x, w, bias, shape)
    out = out_size(x.shape[2:], w.shape[2:], stride, padding, dilation)
    if channels_last(w) and not channels_last(x):
        x = to_channels_last(x)
    if channels_last(x):
        if groups == 1 and x.size:
            return last.conv(x, w, bias, stride, padding, dilation)
        y = conv(np.ascontiguousarray(x), w, bias, stride, padding, dilation, groups)
        return to_channels_last(y)
    if _small(x.shape[1], out, groups) and x.size:
        return last.conv(to_channels_last(x), w, bias, stride, padding, dilation).copy(order="C")
    n, k = x.shape[0], w.shape[0]
    area, depth = math.prod(out), math.prod(w.shape[1:])
    weight = w.reshape(groups, k // groups, depth)
    y = np.empty((n, groups, k // groups, area), x.dtype)
    shift = None if bias is None else bias.reshape(groups, k // groups, 1)
    columns = Columns(x, w.shape[2:], out, stride, padding, dilation)
    for piece in columns.pieces:
        part = columns.read(piece).reshape(piece.stop - piece.start, groups, depth, area)
        np.matmul(weight, part, out=y[piece])
        if shift is not None:
            y[piece] += shift
    return y.reshape(n, k, *out)


def conv_input(g: Any, w: Any, size: Ints, stride: Ints, padding: Pairs, dilation: Ints, groups: int) -> Any:
    """The adjoint in the input; see the definition."""
    if g.dtype.char not in "fdFD":
        return plain.conv_input(np, g, w, size, stride, padding, dilation, groups)
    if _one_place(size, w.shape[2:], padding, groups):
        flat = w.reshape(len(w), math.prod(w.shape[1:]))
        return g.reshape(g.shape[:2]).dot(flat).reshape(len(g), *w.shape[1:])
    geometry = (stride, padding, dilation, groups)
    loops, shape = _compiled(g, w, size, len(w), w.shape[1] * groups, w.shape[2:], *geometry)
    if loops is not None:
        return loops.conv_input(g, w, shape, size)
    if channels_last(g):
        if groups == 1 and g.size:
            return last.conv_input(g, w, size, stride, padding, dilation)
        return to_channels_last(conv_input(np.ascontiguousarray(g), w, size, stride, padding, dilation, groups))
    n, k, *out = g.shape
    kernel, c = w.shape[2:], w.shape[1] * groups
    if _small(c, tuple(out), groups) and g.size:
        return last.conv_input(to_channels_last(g), w, size, stride, padding, dilation).copy(order="C")
    weight = np.swapaxes(w.reshape(groups, k // groups, c // groups * math.prod(kernel)), 1, 2)
    padded = tuple(m + sum(p) for m, p in zip(size, padding, strict=True))
    add = _add_runs if all(s == 1 for s in stride) else _add_windows
    x = np.empty((n, c, *size), g.dtype)
    for piece in _pieces(n, c * math.prod(kernel) * math.prod(out) * g.itemsize):
        total = add(g[piece], weight, padded, kernel, stride, dilation)
        x[piece] = total[interior(size, padding)]
    return x


def _columns_of(g: Any, weight: Any) -> Any:
    """The columns that the weights make of output gradients (samples, K, ...): (samples, C, taps, area)."""
    groups = len(weight)
    flat = g.reshape(len(g), groups, -1, math.prod(g.shape[2:]))
    return np.matmul(weight, flat).reshape(len(g), -1, flat.shape[-1])


def _add_windows(g: Any, weight: Any, padded: Ints, kernel: Ints, stride: Ints, dilation: Ints) -> Any:
    """Columns added where the kernel's elements saw the padded input."""
    out = g.shape[2:]
    columns = _columns_of(g, weight).reshape(len(g), -1, math.prod(kernel), *out)
    x = np.zeros((len(g), columns.shape[1], *padded), g.dtype)
    for number, offset in taps(kernel):
        x[window(offset, out, stride, dilation)] += columns[:, :, number]
    return x


def _add_runs(g: Any, weight: Any, padded: Ints, kernel: Ints, stride: Ints, dilation: Ints) -> Any:
    """The same for stride 1, in long runs.

    With the gradients padded behind to the input's rows, one kernel element's values are a single run of memory, at
    a distance that is the element's place. What the zeros add past a row's end is zero.
    """
    wide = np.zeros((*g.shape[:3], *padded[1:]), g.dtype)
    place: Any = (..., *map(slice, g.shape[2:]))
    wide[place] = g
    run = math.prod(wide.shape[2:])
    columns = _columns_of(wide, weight).reshape(len(g), -1, math.prod(kernel), run)
    steps = [d * math.prod(padded[i + 1 :]) for i, d in enumerate(dilation)]
    last = sum(step * (k - 1) for step, k in zip(steps, kernel, strict=True))
    x = np.zeros((len(g), columns.shape[1], max(run + last, math.prod(padded))), g.dtype)
    for number, offset in taps(kernel):
        start = sum(step * t for step, t in zip(steps, offset, strict=True))
        x[:, :, start : start + run] += columns[:, :, number]
    return x[:, :, : math.prod(padded)].reshape(len(g), -1, *padded)


def conv_weight(x: Any, g: Any, kernel: Ints, stride: Ints, padding: Pairs, dilation: Ints, groups: int) -> Any:
    """The adjoint in the weight; see the definition."""
    if x.dtype.char not in "fdFD":
        return plain.conv_weight(np, x, g, kernel, stride, padding, dilation, groups)
    if _one_place(x.shape[2:], kernel, padding, groups):
        flat = x.reshape(len(x), math.prod(x.shape[1:]))
        return g.reshape(g.shape[:2]).T.dot(flat).reshape(g.shape[1], *x.shape[1:])
    geometry = (stride, padding, dilation, groups)
    loops, shape = _compiled(x, g, x.shape[2:], g.shape[1], x.shape[1], kernel, *geometry)
    if loops is not None:
        return loops.conv_weight(x, g, shape, kernel)
    if channels_last(x) and groups == 1 and x.size:
        return last.conv_weight(x, g, kernel, stride, padding, dilation)
    n, k, *out = g.shape
    if _small(x.shape[1], tuple(out), groups) and x.size:
        return last.conv_weight(to_channels_last(x), g, kernel, stride, padding, dilation)
    c = x.shape[1] // groups
    depth, area = c * math.prod(kernel), math.prod(out)
    flat = g.reshape(n, groups, k // groups, area)
    w = np.zeros((groups, k // groups, depth), g.dtype)
    columns = Columns(x, kernel, tuple(out), stride, padding, dilation)
    for piece in columns.pieces:
        part = columns.read(piece).reshape(piece.stop - piece.start, groups, depth, area)
        each = np.matmul(flat[piece], np.swapaxes(part, 2, 3))
        w += each[0] if len(each) == 1 else each.sum(0)
    return w.reshape(k, c, *kernel)


def sum_channels(x: Any) -> Any:
    """The sum over all dimensions but the second, by BLAS; see the definition."""
    if x.dtype.char in "fdFD" and channels_last(x):
        rows = np.moveaxis(x, 1, -1).reshape(-1, x.shape[1])
        return ones(len(rows), x.dtype.char).dot(rows)
    if x.dtype.char not in "fdFD" or not x.flags.c_contiguous:
        return plain.sum_channels(np, x)
    n, c = x.shape[:2]
    area = math.prod(x.shape[2:])
    return ones(n, x.dtype.char).dot(x.reshape(n * c, area).dot(ones(area, x.dtype.char)).reshape(n, c))


def to_channels_last(x: Any) -> Any:
    """``x`` with the same shape and its channels closest together in memory."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
