"""Convolutions with few output channels, in vectors of positions: steps of 1, in one or two dimensions, without groups.

Vectors of six channels would be mostly empty. In an image that has its padding around it, all positions of a row of
the kernel are one run of memory, even from row to row of the image, and so are sixteen of them a vector. What falls
between the end of one row and the beginning of the next is computed and left out.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from . import conv_plan as plan
from .conv_plan import Shape, address, strides, whole
from .crew_numba import enter
from .jit_numba import inlined, instructions, loop
from .simd_numba import (
    FAST,
    FLOAT,
    INT,
    LANE,
    LANES,
    ROWS,
    _call,
    _filled,
    _pointer,
    _vector_at,
    clear,
    copy,
    fill,
    get,
    load,
    put,
    store,
)
from .workers import scratch, share, workers

__all__: list[str] = []  # found through conv_numba.py

SIX, FOUR = (4, 6) if LANES == 16 else (2, 3)  # vectors beside which six and four rows of sums have room in registers
LIMIT = 1 << 16  # numbers of an image with its padding, above which it is left to others


def _zeros(builder: Any, number: int) -> list[Any]:
    sums = [cgutils.alloca_once(builder, LANE) for _ in range(number)]
    for total in sums:
        builder.store(ir.Constant(LANE, [0.0] * LANES), total)
    return sums


def _add_product(builder: Any, total: Any, left: Any, right: Any) -> None:
    product = builder.fmul(left, right, flags=FAST)
    builder.store(builder.fadd(builder.load(total), product, flags=FAST), total)


def _emit_sums(rows: int, vectors: int, builder: Any, w: Any, x: Any, taps: Any, count: Any, y: Any, step: Any) -> None:
    """``y[i * step + j] = sum over t of w[t * rows + i] * x[taps[t] + j]`` for so many rows and vectors of ``j``."""
    sums = _zeros(builder, rows * vectors)
    with cgutils.for_range(builder, count) as tap:
        start = builder.load(_pointer(builder, taps, tap.index, INT))
        seen = [
            builder.load(_vector_at(builder, x, builder.add(start, ir.Constant(INT, j * LANES))), align=4)
            for j in range(vectors)
        ]
        weights = _pointer(builder, w, builder.mul(tap.index, ir.Constant(INT, rows)), FLOAT)
        for i in range(rows):
            weight = _filled(builder, builder.load(builder.gep(weights, [ir.Constant(INT, i)])))
            for j in range(vectors):
                _add_product(builder, sums[i * vectors + j], weight, seen[j])
    for i in range(rows):
        for j in range(vectors):
            at = builder.add(builder.mul(step, ir.Constant(INT, i)), ir.Constant(INT, j * LANES))
            builder.store(builder.load(sums[i * vectors + j]), _vector_at(builder, y, at), align=4)


def _emit_products(
    rows: int, vectors: int, builder: Any, g: Any, step: Any, x: Any, taps: Any, count: Any, total: Any
) -> None:
    """``total[i, j] += sum over p of g[i * step + p] * x[taps[j] + p]``, lane by lane, for so many vectors of ``p``."""
    sums = _zeros(builder, rows * vectors)
    seen = [
        _pointer(builder, x, builder.load(_pointer(builder, taps, ir.Constant(INT, j), INT)), FLOAT)
        for j in range(vectors)
    ]
    with cgutils.for_range(builder, count) as part:
        at = builder.mul(part.index, ir.Constant(INT, LANES))
        left = [
            builder.load(_vector_at(builder, g, builder.add(builder.mul(step, ir.Constant(INT, i)), at)), align=4)
            for i in range(rows)
        ]
        for j in range(vectors):
            right = builder.load(builder.bitcast(builder.gep(seen[j], [at]), LANE.as_pointer()), align=4)
            for i in range(rows):
                _add_product(builder, sums[i * vectors + j], left[i], right)
    for number, value in enumerate(sums):
        place = _vector_at(builder, total, ir.Constant(INT, number * LANES))
        builder.store(builder.fadd(builder.load(place, align=4), builder.load(value), flags=FAST), place, align=4)


def _six_of(name: str, emit: Any, rows: int, vectors: int) -> Any:
    @instructions
    def tile(typingctx: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            _call(builder, f"wengert_{name}{rows}", functools.partial(emit, rows, vectors), args)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 6), codegen

    return tile


sums6, sums4 = _six_of("sums", _emit_sums, 6, SIX), _six_of("sums", _emit_sums, 4, FOUR)
products6 = _six_of("products", _emit_products, 6, SIX)
products4 = _six_of("products", _emit_products, 4, FOUR)


@inlined
def _read(x: int, strides: Any, size: Any, channels: int, before: Any, padded: Any, block: int) -> None:
    """An image whose rows are in one piece each, as (channels, *padded) with zeros around it."""
    _, c, d, _, _ = strides
    if padded[0] > size[0] or padded[1] > size[2]:
        clear(block, channels * padded[0] * padded[1])
    rows, run = min(size[0], padded[0] - before[0]), min(size[2], padded[1] - before[1])
    for b in range(channels):
        for r in range(rows):
            target = block + 4 * ((b * padded[0] + before[0] + r) * padded[1] + before[1])
            copy(x + 4 * (b * c + r * d), target, run)


@inlined
def _write(line: int, shift: Any, y: int, count: int) -> None:
    """``count`` numbers and a bias."""
    if count < LANES:
        for i in range(count):
            put(y, i, get(line, i) + shift)
        return
    bias = fill(shift)
    for i in range(0, count, LANES):
        at = min(i, count - LANES)
        store(y, at, load(line, at) + bias)


@loop
def correlate(
    start: int, stop: int, slot: int, x: int, x_strides: Any, size: Any, y: int, y_strides: Any, out: Any, weights: int,
    shift: int, channels: Any, before: Any, padded: Any, taps: int, count: int, scratch: Any,
) -> None:  # fmt: skip
    """Images ``start`` to ``stop`` of a convolution.

    Args:
        start: number of the first image.
        stop: and behind the last.
        slot: which of the scratch memories to use.
        x: address of the images (N, C, D, H, W), of which D and W are the image's.
        x_strides: their strides; that of W is 1.
        size: their D, H and W.
        y: address of the array that is written.
        y_strides: its strides; that of W is 1.
        out: its D, H and W.
        weights: address of the packed weights: groups of six or four output channels, each (taps, channels).
        shift: address of one bias for each output channel.
        channels: input channels; output channels; how many of these go six at a time, and how many four at a time.
        before: the padding before both dimensions.
        padded: size of an image with its padding.
        taps: address of the table of the kernel's elements in all input channels.
        count: how many they are.
        scratch: address of scratch memory, how much a slot has, where results begin, and the distance of their rows.
    """
    enter()
    block = scratch[0] + 4 * slot * scratch[1]
    results, step = block + 4 * scratch[2], scratch[3]
    run = out[0] * padded[1]
    six, four = channels[2], channels[3]
    for n in range(start, stop):
        _read(x + 4 * n * x_strides[0], x_strides, size, channels[0], before, padded, block)
        for k in range(0, six, 6):
            for p in range(0, run, SIX * LANES):
                sums6(weights + 4 * k * count, block + 4 * p, taps, count, results + 4 * (k * step + p), step)
        for k in range(six, six + four, 4):
            for p in range(0, run, FOUR * LANES):
                sums4(weights + 4 * k * count, block + 4 * p, taps, count, results + 4 * (k * step + p), step)
        for k in range(channels[1]):
            for r in range(out[0]):
                target = y + 4 * (n * y_strides[0] + k * y_strides[1] + r * y_strides[2])
                _write(results + 4 * (k * step + r * padded[1]), get(shift, k), target, out[2])


@loop
def correlate_weights(
    start: int, stop: int, slot: int, x: int, x_strides: Any, size: Any, g: int, g_strides: Any, out: Any,
    channels: Any, before: Any, padded: Any, taps: int, count: int, scratch: Any, total: Any,
) -> None:  # fmt: skip
    """What images ``start`` to ``stop`` add to the gradient of the weights, lane by lane.

    Args:
        start: number of the first image.
        stop: and behind the last.
        slot: which of the scratch memories and sums to use.
        x: as `correlate` has it.
        x_strides: likewise.
        size: likewise.
        g: address of the output's gradient.
        g_strides: its strides; that of W is 1.
        out: its D, H and W.
        channels: as `correlate` has them.
        before: likewise.
        padded: likewise.
        taps: likewise.
        count: likewise.
        scratch: likewise, with gradients in the place of results.
        total: address of the sums, zeros at first, and how many a slot has.
    """
    enter()
    block = scratch[0] + 4 * slot * scratch[1]
    gradients, step = block + 4 * scratch[2], scratch[3]
    parts = -(-out[0] * padded[1] // LANES)
    six, four = channels[2], channels[3]
    clear(block, scratch[2] + (six + four) * step)  # zeros lie between two rows, and numbers behind the last image
    for n in range(start, stop):
        _read(x + 4 * n * x_strides[0], x_strides, size, channels[0], before, padded, block)
        for k in range(channels[1]):
            for r in range(out[0]):
                source = g + 4 * (n * g_strides[0] + k * g_strides[1] + r * g_strides[2])
                copy(source, gradients + 4 * (k * step + r * padded[1]), out[2])
        sums = total[0] + 4 * slot * total[1]
        for k in range(0, six, 6):
            for t in range(0, count, SIX):
                products6(gradients + 4 * k * step, step, block, taps + 8 * t, parts, sums)
                sums += 4 * 6 * SIX * LANES
        for k in range(six, six + four, 4):
            for t in range(0, count, FOUR):
                products4(gradients + 4 * k * step, step, block, taps + 8 * t, parts, sums)
                sums += 4 * 4 * FOUR * LANES


# ---------------------------------------------------------------------- calls


@dataclasses.dataclass(frozen=True)
class Lines:
    """What both need to know beside the arrays."""

    channels: tuple[int, int, int, int]
    before: tuple[int, int]
    padded: tuple[int, int]
    taps: Any
    count: int
    places: tuple[int, int, int]  # as `scratch` has them behind the address


def _split(k: int) -> tuple[int, int]:
    """How many of ``k`` channels to take six and four at a time, with as few as possible beyond them."""
    return min(((6 * i, whole(max(k - 6 * i, 0), 4)) for i in range(-(-k // 6) + 1)), key=lambda s: (sum(s), -s[0]))


@functools.lru_cache(maxsize=128)
def planned(s: Shape) -> Lines | None:
    """The plan for a convolution of this shape; None where others take it."""
    flat = s.size[1] == 1 and s.kernel[1] == 1 and s.stride == (1, 1, 1) and s.groups == 1 and s.padding[1] == (0, 0)
    height, width = s.size[0] + sum(s.padding[0]), s.size[2] + sum(s.padding[2])
    if not flat or s.inner * height * width > LIMIT:
        return None
    six, four = _split(s.outer)
    offsets = [
        (c * height + a * s.dilation[0]) * width + b * s.dilation[2]
        for c in range(s.inner) for a in range(s.kernel[0]) for b in range(s.kernel[2])
    ]  # fmt: skip
    run = s.out[0] * width
    step = max(whole(run, SIX * LANES), whole(run, FOUR * LANES)) + LANES
    results = plan.lines(max(offsets[-1] + step, s.inner * height * width))
    return Lines(
        (s.inner, s.outer, six, four), (s.padding[0][0], s.padding[2][0]), (height, width),
        plan.table([*offsets, *offsets[-1:] * (6 * 6)]), len(offsets), (results + (six + four) * step, results, step),
    )  # fmt: skip


def _vectors(s: Shape, p: Lines) -> int:
    """Vectors of positions, times output channels with those that fill up a group."""
    return -(-s.out[0] * p.padded[1] // LANES) * (p.channels[2] + p.channels[3])


def pays(s: Shape) -> bool:
    """Whether `conv` multiplies fewer vectors than a convolution in vectors of channels does."""
    p = planned(s)
    return p is not None and 1.1 * _vectors(s, p) < s.out[0] * s.out[2] * -(-s.outer // LANES)


def pays_for_weights(s: Shape) -> bool:
    """The same for `conv_weight`."""
    p = planned(s)
    if p is None:
        return False
    rows = whole(p.count, ROWS) / whole(p.count, SIX)
    return 1.1 * _vectors(s, p) < s.out[0] * s.out[2] * -(-s.outer // LANES) * rows


def suits(*arrays: Any) -> bool:
    """Whether all rows are in one piece of memory."""
    return all(x.strides[-1] == x.itemsize for x in arrays)


def conv(x: Any, w: Any, shift: Any, s: Shape, y: Any) -> None:
    """Write the convolution to ``y``, given one bias per channel."""
    p = planned(s)
    assert p is not None
    six, four = p.channels[2:]
    flat = np.zeros((six + four, p.count), np.float32)
    flat[: s.outer] = w.reshape(s.outer, p.count)
    packed = scratch(flat.size, "packed")
    packed[: six * p.count].reshape(-1, p.count, 6)[...] = flat[:six].reshape(-1, 6, p.count).transpose(0, 2, 1)
    rest = packed[six * p.count : flat.size].reshape(-1, p.count, 4)
    rest[...] = flat[six:].reshape(-1, 4, p.count).transpose(0, 2, 1)
    number = workers(s.n, s.work)
    memory = scratch(number * p.places[0])
    share(
        correlate, s.n, number, address(x), strides(x), s.size, address(y), strides(y), s.out, address(packed),
        address(shift), p.channels, p.before, p.padded, address(p.taps), p.count, (address(memory), *p.places),
    )  # fmt: skip


def conv_weight(x: Any, g: Any, s: Shape, kernel: tuple[int, ...]) -> Any:
    """The gradient of the weights."""
    p = planned(s)
    assert p is not None
    six, four = p.channels[2:]
    number = workers(s.n, s.work)
    memory = scratch(number * p.places[0])
    many, some = whole(p.count, SIX), whole(p.count, FOUR)
    each = (six * many + four * some) * LANES
    total = np.zeros((number, each), np.float32)
    share(
        correlate_weights, s.n, number, address(x), strides(x), s.size, address(g), strides(g), s.out, p.channels,
        p.before, p.padded, address(p.taps), p.count, (address(memory), *p.places), (address(total), each),
    )  # fmt: skip
    sums = total.reshape(number, -1, LANES).sum((0, 2))
    first = sums[: six * many].reshape(six // 6, many // SIX, 6, SIX).transpose(0, 2, 1, 3).reshape(six, many)
    second = sums[six * many :].reshape(four // 4, some // FOUR, 4, FOUR).transpose(0, 2, 1, 3).reshape(four, some)
    w = np.concatenate([first[:, : p.count], second[:, : p.count]])[: s.outer]
    return w.reshape(s.outer, s.inner, *kernel)
