"""Convolutions of float32 by compiled kernels. Imported only when it pays; see ``conv.py`` for when."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..definitions.conv import Ints, channels_last
from . import conv_direct_numba as direct
from . import conv_last as last
from . import conv_lines_numba as lines
from . import conv_plan as plan
from . import conv_spread_numba as spread
from . import conv_winograd as winograd
from . import threads
from .conv_plan import Shape, address, strides, three
from .simd_numba import LANES, ROWS, WIDE
from .workers import scratch, share, workers

__all__: list[str] = []  # found through conv.py

FEW = 64  # positions
DIMENSIONS = {3: (2,), 4: (0, 2), 5: (0, 1, 2)}  # which of three an array has


def conv(x: Any, w: Any, bias: Any, s: Shape) -> Any:
    """The convolution; see the definition."""
    out = tuple(s.out[i] for i in DIMENSIONS[x.ndim])
    y = _like(w if channels_last(w) else x, (s.n, s.outer * s.groups, *out))
    if s.n * math.prod(s.out) <= FEW and s.groups == 1 and s.outer >= ROWS and w.flags.c_contiguous and w.size > x.size:
        _few(x, w, bias, s, y)
        return y
    m = winograd.tile_of(s)
    if m:
        count = workers(s.n * s.out[0], s.work)
        winograd.convolve(m, x, s.size, w, _shift(bias, len(w)), y, s.out, s.padding, False, count)
        return y
    if lines.suits(x, y) and lines.pays(s):
        lines.conv(x, w, _shift(bias, len(w)), s, y)
        return y
    p = plan.forward(s, threads.get_num_threads(), ROWS, LANES)
    _correlate(p, s, x, w, bias, y, False)
    return y


def _few(x: Any, w: Any, bias: Any, s: Shape, y: Any) -> None:
    """A convolution with few positions, for which it is not worth putting the weights in another order.

    Its columns are written down, as there are few.
    """
    n, k, places = s.n, s.outer, math.prod(s.out)
    depth, width = s.inner * math.prod(s.kernel), plan.whole(n * places, LANES)
    columns = scratch(depth * width + WIDE, "packed")[: depth * width].reshape(depth, width)
    columns[:, n * places :] = 0
    real = DIMENSIONS[x.ndim]
    kernel, out, stride, dilation = (tuple([v[i] for i in real]) for v in (s.kernel, s.out, s.stride, s.dilation))
    x = last.padded(x, tuple([s.padding[i] for i in real]))
    seen = np.moveaxis(last.covered(x, kernel, out, stride, dilation), 0, len(real) + 1)
    columns[:, : n * places] = seen.reshape(depth, n * places)
    rows = plan.table(np.arange(ROWS) * depth)
    result = np.empty((k, width), np.float32)
    parts = -(-k // ROWS)
    share(
        direct.few, parts, workers(parts, s.work), address(w), k, depth, (address(rows), address(winograd.ZERO)),
        address(columns), width, address(result),
    )  # fmt: skip
    if bias is not None:
        result += bias[:, None]
    y[...] = np.moveaxis(result[:, : n * places].reshape(k, n, *out), 1, 0)


def conv_input(g: Any, w: Any, s: Shape, size: Ints) -> Any:
    """The adjoint in the input; see the definition."""
    x = _like(g, (s.n, s.inner * s.groups, *size))
    m = winograd.tile_of(s)
    if m and all(b <= 2 for b, _ in s.padding[::2]):
        around = tuple((k - 1 - b, 0) for (b, _), k in zip(s.padding, s.kernel, strict=True))
        count = workers(s.n * s.size[0], s.work)
        winograd.convolve(m, g, s.out, w, _shift(None, w.shape[1]), x, s.size, around, True, count)
        return x
    if spread.pays(s):
        spread.input_gradient(g, w, s, x, threads.get_num_threads())
        return x
    p = plan.adjoint(s, threads.get_num_threads(), ROWS, LANES)
    _correlate(p, s, g, w, None, x, True)
    return x


def conv_weight(x: Any, g: Any, s: Shape, kernel: Ints) -> Any:
    """The adjoint in the weight; see the definition."""
    m = winograd.tile_of(s)
    if m:
        return winograd.weight_gradient(m, x, g, s, workers(s.n * s.out[0], s.work))
    if lines.suits(x, g) and lines.pays_for_weights(s):
        return lines.conv_weight(x, g, s, kernel)
    p = plan.weights(s, threads.get_num_threads(), ROWS, LANES)
    b, channels, padded = p.blocks, s.outer * s.groups, p.groups[3]
    number = workers(b.count, s.work)
    each = p.sums
    total = np.zeros(number * each + WIDE, np.float32)
    begin = plan.lines(b.per * b.area)
    spare = begin + plan.lines(b.per * b.band * math.prod(s.out[1:]) * channels + WIDE)
    slot = spare + max(begin, spare - begin)
    memory = scratch(number * slot)
    share(
        direct.correlate_weights, b.count, number, (address(x), s.n), strides(x), s.size, address(g), strides(g),
        s.out, p.groups, b.numbers, tuple(-q for q, _ in s.padding), b.shape, (s.stride[0], s.stride[2] * x.shape[1]),
        (address(p.elements), address(p.lines), p.rows, address(p.positions), p.taps),
        (address(memory), slot, begin, spare), (address(total), each),
    )  # fmt: skip
    w = np.empty((channels, s.inner, *kernel), np.float32)
    if s.inner == s.outer == 1:
        sums = total[: number * each].reshape(number, -1, plan.whole(channels, LANES))
        w.reshape(channels, -1)[...] = sums.sum(0)[: p.taps, :channels].T
        return w
    share(
        direct.unpack, channels, workers(channels, 4 * w.size), (address(total), each), number, p.rows, s.inner,
        s.outer, padded, math.prod(kernel), address(w),
    )  # fmt: skip
    return w


def _like(x: Any, shape: Ints) -> Any:
    """A new array of this shape in the layout of ``x``."""
    n, c, *size = shape
    if channels_last(x):
        return np.moveaxis(np.empty((n, *size, c), x.dtype), -1, 1)
    return np.empty(shape, x.dtype)


def _shift(bias: Any, channels: int) -> Any:
    """One bias per channel, and zeros for vectors that reach beyond the last."""
    shift = np.zeros(channels + WIDE, np.float32)
    if bias is not None:
        shift[:channels] = bias
    return shift


def _correlate(p: plan.Correlation, s: Shape, x: Any, w: Any, bias: Any, y: Any, transposed: bool) -> None:
    number_of, _, outer, _ = p.groups
    packed = scratch(p.packed + WIDE, "packed")
    _pack(p, s, w, packed, transposed)
    shift = _shift(bias, number_of * outer)
    b = p.blocks
    size = s.size if transposed else s.out
    slot, *places = p.places(ROWS, size, channels_last(y))
    number = workers(b.count, s.work)
    memory = scratch(number * slot)
    share(
        direct.correlate, b.count, number, (address(x), s.n), strides(x), s.out if transposed else s.size,
        (address(y), address(shift)), strides(y), size, address(packed), p.groups,
        b.numbers, p.origin, b.shape, p.step, p.grid, p.spread, p.tables, (address(memory), slot, *places),
    )  # fmt: skip


def _pack(p: plan.Correlation, s: Shape, w: Any, packed: Any, transposed: bool) -> None:
    """Write the weights to ``packed``, problem after problem, in the order in which `correlate` reads them."""
    number_of, inner, outer, padded = p.groups
    if inner == outer == 1:
        flat, at = w.reshape(len(w), -1), 0
        for chosen in p.elements:
            rows = packed[at : at + p.width * len(chosen)].reshape(len(chosen), p.width)
            rows[:, number_of:] = 0
            rows[:, :number_of] = flat[:, list(chosen)].T
            at += rows.size
        return
    k, c, *rest = [n // w.itemsize for n in w.strides]
    ways = (c, k, s.outer * k) if transposed else (k, c, s.outer * k)
    panels = -(-padded // WIDE)
    target = address(packed)
    for chosen, taps in zip(p.elements, plan.element_tables(p, s.kernel, three(rest, 0)), strict=True):
        size = p.width * len(chosen) * inner
        if size:
            share(
                direct.pack, number_of * panels, workers(number_of * panels, 4 * size), address(w), ways,
                address(taps), len(chosen), inner, outer, panels, padded, target,
            )  # fmt: skip
        target += 4 * size
