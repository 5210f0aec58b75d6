"""Convolution of arrays whose channels lie closest together in memory (channels-last behind an (N, C, ...) shape).

A column of what the kernel covers is then made of long runs, all positions of several samples are the rows of one
matrix product, and the result is in the same layout.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..definitions.conv import Ints, Pairs, channels_last, interior, out_size

PIECE = 1 << 20  # bytes of rows at a time


def new_like(x: Any, size: Ints, make: Any = np.empty) -> Any:
    """A new (N, C, *size) array with the batch, channels, type and layout of ``x``."""
    n, c = x.shape[:2]
    return np.moveaxis(make((n, *size, c), x.dtype), -1, 1) if channels_last(x) else make((n, c, *size), x.dtype)


def padded(x: Any, padding: Pairs, value: float = 0) -> Any:
    """``x`` (N, C, *size) with ``value`` around its spatial dimensions, in its layout."""
    if not any(map(any, padding)):
        return x
    y = new_like(x, tuple(n + sum(p) for n, p in zip(x.shape[2:], padding, strict=True)), np.zeros)
    if value:
        y[...] = value
    y[interior(x.shape[2:], padding)] = x
    return y


def covered(x: Any, kernel: Ints, out: Ints, stride: Ints, dilation: Ints) -> Any:
    """What the kernel covers at each position of a padded ``x``, as a view (N, C, *kernel, *out)."""
    steps = x.strides[2:]
    near = [s * d for s, d in zip(steps, dilation, strict=True)]
    far = [s * t for s, t in zip(steps, stride, strict=True)]
    return as_strided(x, (*x.shape[:2], *kernel, *out), (*x.strides[:2], *near, *far))


def _steps(n: int, bytes_each: int) -> range:
    return range(0, n, max(1, PIECE // max(1, bytes_each)))


class Rows:
    """What the kernel covers at each position, as rows (positions, kernel * C), for some samples at a time."""

    def __init__(self, x: Any, kernel: Ints, out: Ints, stride: Ints, padding: Pairs, dilation: Ints) -> None:
        self.x = np.moveaxis(padded(x, padding), 1, -1)
        n, c = x.shape[:2]
        self.width = math.prod(kernel) * c
        self.shape = (*out, *kernel, c)
        self.starts = _steps(n, math.prod(out) * self.width * x.itemsize)
        self.pointwise = math.prod(kernel) == 1 and math.prod(stride) == 1
        steps = self.x.strides[1:-1]
        self.strides = (
            self.x.strides[0],
            *[s * t for s, t in zip(steps, stride, strict=True)],
            *[s * d for s, d in zip(steps, dilation, strict=True)],
            self.x.strides[-1],
        )

    def read(self, piece: slice) -> Any:
        """The rows of some samples."""
        x = self.x[piece]
        if self.pointwise:
            return x.reshape(-1, self.width)
        return as_strided(x, (len(x), *self.shape), self.strides).reshape(-1, self.width)


def conv(x: Any, w: Any, bias: Any, stride: Ints, padding: Pairs, dilation: Ints) -> Any:
    """The convolution without groups; see the definition."""
    n, k = x.shape[0], w.shape[0]
    out = out_size(x.shape[2:], w.shape[2:], stride, padding, dilation)
    weight = np.moveaxis(w, 1, -1).reshape(k, -1).T
    y = np.empty((n, *out, k), x.dtype)
    rows = Rows(x, w.shape[2:], out, stride, padding, dilation)
    for start in rows.starts:
        piece = slice(start, start + rows.starts.step)
        part = y[piece].reshape(-1, k)
        np.dot(rows.read(piece), weight, out=part)
        if bias is not None:
            part += bias
    return np.moveaxis(y, -1, 1)


def conv_weight(x: Any, g: Any, kernel: Ints, stride: Ints, padding: Pairs, dilation: Ints) -> Any:
    """The adjoint in the weight without groups; see the definition."""
    k, c = g.shape[1], x.shape[1]
    rows = Rows(x, kernel, g.shape[2:], stride, padding, dilation)
    flat = np.ascontiguousarray(np.moveaxis(g, 1, -1))
    w = np.zeros((k, rows.width), g.dtype)
    for start in rows.starts:
        piece = slice(start, start + rows.starts.step)
        w += flat[piece].reshape(-1, k).T.dot(rows.read(piece))
    return np.moveaxis(w.reshape(k, *kernel, c), -1, 1).copy(order="C")


def conv_input(g: Any, w: Any, size: Ints, stride: Ints, padding: Pairs, dilation: Ints) -> Any:
    """The adjoint in the input without groups; see the definition. One product per element of the kernel."""
    n, k, *out = g.shape
    c, kernel = w.shape[1], w.shape[2:]
    flat = np.moveaxis(g, 1, -1)
    weight = np.ascontiguousarray(np.moveaxis(w, (0, 1), (-2, -1)))  # (*kernel, K, C)
    x = np.zeros((n, *[m + sum(p) for m, p in zip(size, padding, strict=True)], c), g.dtype)
    starts = _steps(n, math.prod(out) * c * g.itemsize)
    for start in starts:
        piece = slice(start, start + starts.step)
        rows = flat[piece].reshape(-1, k)
        target = x[piece]
        for offset in itertools.product(*map(range, kernel)):
            seen = tuple(
                slice(d * t, d * t + s * (o - 1) + 1, s)
                for t, o, s, d in zip(offset, out, stride, dilation, strict=True)
            )
            target[(slice(None), *seen)] += rows.dot(weight[offset]).reshape(-1, *out, c)
    inside = tuple(slice(before, before + m) for m, (before, _) in zip(size, padding, strict=True))
    return np.moveaxis(np.ascontiguousarray(x[(slice(None), *inside)]), -1, 1)
