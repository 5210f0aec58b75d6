"""The gradient of a convolution's input where that has few channels: rows of the kernel are spread over it.

Vectors of three colours would be mostly empty. A row of the kernel times the colours fills one, and lies in one piece
in an image with its channels last, so all rows' values of some positions are one product, and are added there.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from typing import Any

import numpy as np

from . import conv_plan as plan
from .conv_direct_numba import write_positions
from .conv_plan import Shape, address, strides, whole
from .crew_numba import enter
from .images_numba import read_block
from .jit_numba import inlined, loop
from .simd_numba import LANES, ROWS, WIDE, choose_equal, clear, entry, fill, load, store, tile1, tile2
from .workers import scratch, share, workers

__all__: list[str] = []  # found through conv_numba.py

ZERO, ONE = np.float32(0), np.float32(1)
MASK = np.repeat(np.array([1, 0], np.float32), LANES)
LIMIT = 1 << 20  # numbers of an image, above which it is left to others


@inlined
def _add(values: int, image: int, length: int, mask: int) -> None:
    """Add ``length`` numbers; what lies behind them is not touched by NaN either."""
    for v in range(0, length, LANES):
        value = load(values, v)
        if length - v < LANES:
            value = choose_equal(load(mask, LANES - (length - v)), fill(ONE), value, fill(ZERO))
        store(image, v, load(image, v) + value)


@loop
def spread(
    start: int, stop: int, slot: int, g: int, g_strides: Any, out: Any, images: Any, outer: int, weights: int,
    lines: Any, tables: Any, padded: Any, x: Any, x_strides: Any, size: Any, first: Any, scratch: Any,
) -> None:  # fmt: skip
    """Blocks ``start`` to ``stop`` of images.

    Args:
        start: number of the first block.
        stop: and behind the last.
        slot: which of the scratch memories to use.
        g: address of the output's gradient.
        g_strides: its strides (N, C, D, H, W).
        out: its D, H and W.
        images: how many a block has, and all.
        outer: channels of the gradient.
        weights: address of the packed weights: panels of (outer, columns).
        lines: how many rows the kernel has, numbers of each, and the same filled up to whole vectors.
        tables: addresses of the tables of positions in the gradient, of positions in the image and of the kernel's
            rows there, of a single 0, and of as many ones as a vector has lanes and as many zeros.
        padded: size of an image with its padding.
        x: address of the array that is written, of one zero for each channel, and the number of channels.
        x_strides: its strides.
        size: its D, H and W.
        first: where the padded image begins in it.
        scratch: address of scratch memory; how much a slot has; where gradients, products and spare memory begin.
    """
    enter()
    per, number = images
    count, length, width = lines
    area, places = padded[0] * padded[1] * padded[2] * x[2], out[0] * out[1] * out[2]
    image = scratch[0] + 4 * slot * scratch[1]
    rows, products, spare = image + 4 * scratch[2], image + 4 * scratch[3], image + 4 * scratch[4]
    total = count * width
    for item in range(start, stop):
        n = item * per
        some = min(per, number - n)
        read_block(g, g_strides, out, outer, n, some, (0, 0, 0), out, rows, spare)
        clear(image, some * area + LANES)
        for p in range(0, some * places, ROWS):
            for c in range(0, total, WIDE):
                panel, result = weights + 4 * c * outer, products + 4 * c
                if total - c > LANES:
                    tile2(rows, tables[0] + 8 * p, tables[3], 1, outer, 1, panel, WIDE, result, total, 0)
                else:
                    tile1(rows, tables[0] + 8 * p, tables[3], 1, outer, 1, panel, LANES, result, total, 0)
            for i in range(min(ROWS, some * places - p)):
                corner = image + 4 * entry(tables[1], p + i)
                for k in range(count):
                    _add(products + 4 * (i * total + k * width), corner + 4 * entry(tables[2], k), length, tables[4])
        write_positions(
            image, x[2], x[1], x[0], x_strides, size, n, some, 0, padded[0], padded, first, (1, 1, 1), x[2]
        )  # fmt: skip


def pays(s: Shape) -> bool:
    """Whether `input_gradient` is faster than gathering, by the vectors that are multiplied."""
    if s.groups > 1 or s.inner >= LANES or s.dilation[2] > 1 or math.prod(_padded(s)) * s.inner > LIMIT:
        return False
    gathered = math.prod(s.size) * math.prod(s.kernel) / math.prod(s.stride)
    vectors = -(-s.kernel[2] * s.inner // LANES)
    return 1.5 * math.prod(s.out) * s.kernel[0] * s.kernel[1] * vectors < gathered


def _padded(s: Shape) -> tuple[int, ...]:
    """An image with the padding before it, and behind it as far as the kernel sees."""
    seen = ((o - 1) * t + d * (k - 1) + 1 for o, t, d, k in zip(s.out, s.stride, s.dilation, s.kernel, strict=True))
    return tuple(max(m, n + p) for m, n, (p, _) in zip(seen, s.size, s.padding, strict=True))


@dataclasses.dataclass(frozen=True)
class Plan:
    """What `spread` needs to know beside the arrays."""

    per: int
    count: int  # of blocks
    lines: tuple[int, int, int]
    kept: tuple[Any, ...]
    tables: tuple[int, ...]
    starts: tuple[int, ...]


@functools.lru_cache(maxsize=64)
def _planned(s: Shape, threads: int) -> Plan:
    c, outer, padded = s.inner, s.outer, _padded(s)
    area, places = math.prod(padded) * c, math.prod(s.out)
    per = max(1, min(plan.LIMIT // (area + places * outer), s.n // threads))
    count, length = s.kernel[0] * s.kernel[1], s.kernel[2] * c
    width = whole(length, LANES)
    blocks = plan.Blocks(per, s.out[0], 1, -(-s.n // per), padded, area)
    positions = plan.table(plan.offsets(blocks, c, s.out, s.stride), ROWS)
    lines = [
        (a * s.dilation[0] * padded[1] + b * s.dilation[1]) * padded[2] * c
        for a, b in itertools.product(range(s.kernel[0]), range(s.kernel[1]))
    ]
    kept = plan.table(np.arange(per * places) * outer, ROWS), positions, plan.table(lines), plan.table([0]), MASK
    sizes = [per * area, per * places * outer, ROWS * count * width, max(per * places * outer, per * area)]
    starts = itertools.accumulate([0, *(whole(size, 16) + WIDE for size in sizes)])
    return Plan(per, blocks.count, (count, length, width), kept, tuple(map(address, kept)), tuple(starts))


def input_gradient(g: Any, w: Any, s: Shape, x: Any, threads: int) -> None:
    """Write the gradient of the input to ``x``."""
    c, outer, p = s.inner, s.outer, _planned(s, threads)
    count, length, width = p.lines
    columns = np.zeros((outer, count, width), np.float32)
    columns[:, :, :length] = np.moveaxis(w.reshape(outer, c, count, s.kernel[2]), 1, 3).reshape(outer, count, length)
    flat = columns.reshape(outer, count * width)
    panels = [np.ravel(flat[:, i : i + WIDE]) for i in range(0, count * width, WIDE)]
    packed = np.concatenate([*panels, np.zeros(WIDE, np.float32)])
    shift = np.zeros(c + WIDE, np.float32)
    number = workers(p.count, s.work)
    memory = scratch(number * p.starts[-1])
    share(
        spread, p.count, number, address(g), strides(g), s.out, (p.per, s.n), outer, address(packed), p.lines,
        p.tables, _padded(s), (address(x), address(shift), c), strides(x), s.size,
        tuple([-b for b, _ in s.padding]), (address(memory), p.starts[-1], *p.starts[1:4]),
    )  # fmt: skip
