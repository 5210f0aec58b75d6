"""Convolutions that have a kernel of their own for each channel: sums of products, in vectors of channels."""

from __future__ import annotations

import numpy as np

from .jit_numba import inlined
from .simd_numba import LANES, entry, fill, load, store

__all__: list[str] = []  # found through conv_direct_numba.py

ZERO = np.float32(0)


@inlined
def weigh(
    block: int, places: int, count: int, taps: int, number: int, channels: int, weights: int, out: int, width: int
) -> None:
    """``out[p, c] = sum over t of block[places[p] + taps[t] + c] * weights[t, c]``, rows of ``width``."""
    for c in range(0, channels, LANES):
        source, kernel, target = block + 4 * c, weights + 4 * c, out + 4 * c
        for p in range(0, count, 4):  # tables go on behind their end, and so does scratch memory
            a, b = entry(places, p), entry(places, p + 1)
            d, e = entry(places, p + 2), entry(places, p + 3)
            sum_a = sum_b = sum_d = sum_e = fill(ZERO)
            for t in range(number):
                tap, w = entry(taps, t), load(kernel, t * width)
                sum_a = sum_a + w * load(source, a + tap)
                sum_b = sum_b + w * load(source, b + tap)
                sum_d = sum_d + w * load(source, d + tap)
                sum_e = sum_e + w * load(source, e + tap)
            store(target, p * width, sum_a)
            store(target, (p + 1) * width, sum_b)
            store(target, (p + 2) * width, sum_d)
            store(target, (p + 3) * width, sum_e)


@inlined
def weigh_gradients(
    block: int, places: int, count: int, taps: int, number: int, channels: int, gradients: int, sums: int
) -> None:
    """``sums[t, c] += sum over p of block[places[p] + taps[t] + c] * gradients[p, c]``, four elements at a time."""
    width = -(-channels // LANES) * LANES
    for c in range(0, channels, LANES):
        source, g, target = block + 4 * c, gradients + 4 * c, sums + 4 * c
        for t in range(0, number, 4):
            last = number - 1
            t1, t2, t3 = min(t + 1, last), min(t + 2, last), min(t + 3, last)
            a, b, d, e = entry(taps, t), entry(taps, t1), entry(taps, t2), entry(taps, t3)
            sum_a = sum_b = sum_d = sum_e = fill(ZERO)
            for p in range(count):
                at, value = entry(places, p), load(g, p * channels)
                sum_a = sum_a + value * load(source, at + a)
                sum_b = sum_b + value * load(source, at + b)
                sum_d = sum_d + value * load(source, at + d)
                sum_e = sum_e + value * load(source, at + e)
            store(target, t * width, load(target, t * width) + sum_a)
            if t1 > t:
                store(target, t1 * width, load(target, t1 * width) + sum_b)
            if t2 > t1:
                store(target, t2 * width, load(target, t2 * width) + sum_d)
            if t3 > t2:
                store(target, t3 * width, load(target, t3 * width) + sum_e)
