"""Philox and the normal distribution compiled: the bits of ``definitions/random.py``. Imported only when it pays.

Only operations that IEEE 754 rounds in one way are used, in the definition's order and without contraction.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from ..definitions.random import _ATANH, _COSINE, _SINE, KEY_STEPS, MULTIPLIERS, ROUNDS
from .jit_numba import inlined, instructions, loop
from .vector_numba import ONE, exponent, mantissa

__all__: list[str] = []  # found through cpu/random.py

U = np.uint64
M0, M1, K0, K1 = map(U, (*MULTIPLIERS, *KEY_STEPS))
SHIFT, MASK, UNIT = U(32), U(0xFFFFFFFF), U(1)
F = np.float32
A0, A1, A2, A3, A4 = map(F, _ATANH[:5])
S0, S1, S2, S3, S4 = map(F, _SINE[:5])
C0, C1, C2, C3, C4 = map(F, _COSINE[:5])
STEP, HALF_STEP, LN2, MINUS_TWO, EIGHTH = F(2.0**-32), F(2.0**-33), F(math.log(2)), F(-2), F(math.pi / 4 * 2.0**-31)


TILE = 512  # blocks


@loop
def philox(out: Any, key0: Any, key1: Any, low: Any, high: Any) -> None:
    """Write the blocks from the number ``high * 2**64 + low`` on to ``out``, uint32, end to end; keys are uint64."""
    lanes = np.empty((4, TILE), np.uint32)
    for start in range(0, out.size, 4 * TILE):
        piece = out[start : start + 4 * TILE]
        count = piece.size // 4
        first = low + U(start // 4)
        second = high + (UNIT if first < low else U(0))
        a, b, c, d = lanes[0, :count], lanes[1, :count], lanes[2, :count], lanes[3, :count]
        _lanes(a, b, c, d, key0, key1, first, second)
        for i in range(count):
            piece[4 * i] = a[i]
            piece[4 * i + 1] = b[i]
            piece[4 * i + 2] = c[i]
            piece[4 * i + 3] = d[i]


@loop
def _lanes(a: Any, b: Any, c: Any, d: Any, key0: Any, key1: Any, low: Any, high: Any) -> None:
    """The four words of consecutive blocks, each in an array of its own, so that blocks are handled side by side."""
    for i in range(a.size):
        first = low + U(i)
        second = high + (UNIT if first < low else U(0))
        c0, c1, c2, c3 = first & MASK, first >> SHIFT, second & MASK, second >> SHIFT
        k0, k1 = key0, key1
        for _ in range(ROUNDS):
            p0, p1 = c0 * M0, c2 * M1
            c0, c1, c2, c3 = (p1 >> SHIFT) ^ c1 ^ k0, p1 & MASK, (p0 >> SHIFT) ^ c3 ^ k1, p0 & MASK
            k0, k1 = (k0 + K0) & MASK, (k1 + K1) & MASK
        a[i] = c0
        b[i] = c1
        c[i] = c2
        d[i] = c3


@instructions
def fraction(typingctx: Any, word: Any) -> Any:
    """A word as float32, without Numba's way through 64 bits."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.uitofp(args[0], ir.FloatType())

    return types.float32(types.uint32), codegen


@instructions
def octant(typingctx: Any, word: Any) -> Any:
    """The low 30 bits of a word, as the upper ones of a signed number."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.sitofp(builder.shl(args[0], args[0].type(2)), ir.FloatType())

    return types.float32(types.uint32), codegen


@instructions
def bit(typingctx: Any, word: Any, place: Any) -> Any:
    """Whether one bit of a word is set."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.trunc(builder.lshr(args[0], args[1]), ir.IntType(1))

    return types.boolean(types.uint32, types.uint32), codegen


@instructions
def upper(typingctx: Any, a: Any, b: Any) -> Any:
    """The upper 64 bits of a product."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(*[builder.zext(a, wide) for a in args])
        return builder.trunc(builder.lshr(product, wide(64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), codegen


@loop
def integers(words: Any, low: Any, size: Any, out: Any) -> None:
    """``low + word % size`` of 64-bit words, uint64; 0 stands for all 2**64 numbers. ``low`` is added modulo 2**64.

    A product with ``2**64 / size``, rounded down, gives the quotient, or one less.
    """
    if size & (size - UNIT) == 0:
        for i in range(out.size):
            out[i] = np.int64((words[i] & (size - UNIT)) + low)
        return
    inverse = ~U(0) // size  # no power of two divides 2**64 here
    for i in range(out.size):
        rest = words[i] - upper(words[i], inverse) * size
        out[i] = np.int64((rest - size if rest >= size else rest) + low)


TOP, NEXT = np.uint32(31), np.uint32(30)


@inlined
def log(x: Any) -> Any:
    """The logarithm as the definition has it: without fused products."""
    m = mantissa(x)
    s = (m - ONE) / (m + ONE)
    z = s * s
    series = (((z * A4 + A3) * z + A2) * z + A1) * z + A0
    return exponent(x) * LN2 + s * series


@loop
def normal(words: Any, out: Any) -> None:
    """Pairs of words become pairs of normal numbers."""
    for i in range(out.size // 2):
        radius = np.sqrt(log(fraction(words[2 * i]) * STEP + HALF_STEP) * MINUS_TWO)
        turn = words[2 * i + 1]
        angle = octant(turn) * EIGHTH
        z = angle * angle
        sine = angle * ((((z * S4 + S3) * z + S2) * z + S1) * z + S0)
        cosine = (((z * C4 + C3) * z + C2) * z + C1) * z + C0
        cosine = -cosine if bit(turn, NEXT) else cosine
        swap = bit(turn, TOP)
        out[2 * i] = radius * (sine if swap else cosine)
        out[2 * i + 1] = radius * (cosine if swap else sine)


@loop
def permutation(keys: Any, width: Any, order: Any) -> None:
    """The order of random 64-bit keys whose low ``width`` bits become their places; ``keys`` are not changed.

    Random keys are spread evenly over as many buckets, one for the upper ``width`` bits each, so that sorting takes
    time in proportion to their number: within a bucket they are inserted one after the other.
    """
    places = (UNIT << width) - UNIT
    shift = U(64) - width
    ends = np.zeros((1 << np.int64(width)) + 1, np.int64)
    for i in range(keys.size):
        ends[np.int64(keys[i] >> shift) + 1] += 1
    for b in range(1, ends.size):
        ends[b] += ends[b - 1]
    for i in range(keys.size):
        key = (keys[i] & ~places) | U(i)
        bucket = np.int64(key >> shift)
        order[ends[bucket]] = key
        ends[bucket] += 1
    for i in range(1, order.size):
        key, j = order[i], i
        while j > 0 and order[j - 1] > key:
            order[j] = order[j - 1]
            j -= 1
        order[j] = key
    for i in range(order.size):
        order[i] &= places
