"""The transforms of Winograd's convolution of 3x3 kernels, in vectors of channels.

A tile of m x m outputs needs (m + 2) x (m + 2) inputs; between two linear transforms its convolution is one product per
element of that, 36 instead of 144 for m = 4. The transforms are evaluations of polynomials at m + 1 points and
infinity. For m = 4 the usual points 0, 1, -1, 2, -2 lose a digit and a half; 0, 3/4, -3/4, 3/2, -3/2 lose half as much,
and their powers are exact in binary.

S. Winograd, "Arithmetic complexity of computations", 1980; A. Lavin, S. Gray, arXiv:1509.09308; for the points,
B. Barabasz et al., arXiv:1803.10986.
"""

from __future__ import annotations

import numpy as np

from .jit_numba import inlined
from .simd_numba import LANES, get, load, put, store

__all__: list[str] = []  # found through conv_winograd_numba.py

A, B = np.float32(3 / 4), np.float32(3 / 2)
A2, B2 = np.float32(9 / 16), np.float32(9 / 4)
A3, B3 = np.float32(27 / 64), np.float32(27 / 8)
BOTH, SUM = np.float32(81 / 64), np.float32(45 / 16)  # a^2 b^2 and a^2 + b^2
G0 = np.float32(64 / 81)  # one over the product of a point's distances from the others
GA = np.float32(1 / (2 * 9 / 16 * (9 / 16 - 9 / 4)))
GB = np.float32(1 / (2 * 9 / 4 * (9 / 4 - 9 / 16)))
HALF = np.float32(0.5)
SPARE = 64 * LANES  # numbers that a transform keeps between its two passes


@inlined
def input_line(m: int, x: int, step: int, y: int, distance: int) -> None:
    """``B' d``: m + 2 inputs, ``step`` apart, to as many values."""
    d0, d1, d2, d3 = load(x, 0), load(x, step), load(x, 2 * step), load(x, 3 * step)
    if m == 2:
        store(y, 0, d0 - d2)
        store(y, distance, d2 + d1)
        store(y, 2 * distance, d2 - d1)
        store(y, 3 * distance, d3 - d1)
        return
    d4, d5 = load(x, 4 * step), load(x, 5 * step)
    store(y, 0, BOTH * d0 - SUM * d2 + d4)
    even, odd = d4 - B2 * d2, A * (d3 - B2 * d1)
    store(y, distance, even + odd)
    store(y, 2 * distance, even - odd)
    even, odd = d4 - A2 * d2, B * (d3 - A2 * d1)
    store(y, 3 * distance, even + odd)
    store(y, 4 * distance, even - odd)
    store(y, 5 * distance, BOTH * d1 - SUM * d3 + d5)


@inlined
def output_line(m: int, x: int, step: int, y: int, distance: int) -> None:
    """``A' p``: m + 2 products to m outputs."""
    p0, p1, p2, p3 = load(x, 0), load(x, step), load(x, 2 * step), load(x, 3 * step)
    if m == 2:
        store(y, 0, p0 + p1 + p2)
        store(y, distance, p1 - p2 + p3)
        return
    p4, p5 = load(x, 4 * step), load(x, 5 * step)
    even_a, odd_a, even_b, odd_b = p1 + p2, p1 - p2, p3 + p4, p3 - p4
    store(y, 0, p0 + even_a + even_b)
    store(y, distance, A * odd_a + B * odd_b)
    store(y, 2 * distance, A2 * even_a + B2 * even_b)
    store(y, 3 * distance, A3 * odd_a + B3 * odd_b + p5)


@inlined
def gradient_line(m: int, x: int, step: int, y: int, distance: int) -> None:
    """``A g``, the adjoint of `output_line`: the gradients of m outputs to m + 2 values."""
    g0, g1 = load(x, 0), load(x, step)
    if m == 2:
        store(y, 0, g0)
        store(y, distance, g0 + g1)
        store(y, 2 * distance, g0 - g1)
        store(y, 3 * distance, g1)
        return
    g2, g3 = load(x, 2 * step), load(x, 3 * step)
    store(y, 0, g0)
    even, odd = g0 + A2 * g2, A * g1 + A3 * g3
    store(y, distance, even + odd)
    store(y, 2 * distance, even - odd)
    even, odd = g0 + B2 * g2, B * g1 + B3 * g3
    store(y, 3 * distance, even + odd)
    store(y, 4 * distance, even - odd)
    store(y, 5 * distance, g3)


@inlined
def weight_line(m: int, x: int, step: int, y: int, distance: int) -> None:
    """``G w``: 3 elements of the kernel to m + 2 values."""
    w0, w1, w2 = load(x, 0), load(x, step), load(x, 2 * step)
    if m == 2:
        even, odd = HALF * (w0 + w2), HALF * w1
        store(y, 0, w0)
        store(y, distance, even + odd)
        store(y, 2 * distance, even - odd)
        store(y, 3 * distance, w2)
        return
    store(y, 0, G0 * w0)
    even, odd = GA * (w0 + A2 * w2), (GA * A) * w1
    store(y, distance, even + odd)
    store(y, 2 * distance, even - odd)
    even, odd = GB * (w0 + B2 * w2), (GB * B) * w1
    store(y, 3 * distance, even + odd)
    store(y, 4 * distance, even - odd)
    store(y, 5 * distance, w2)


@inlined
def kernel_line(m: int, x: int, step: int, y: int, distance: int) -> None:
    """``G' u``, the adjoint of `weight_line`: m + 2 values to 3 elements of the kernel."""
    u0, u1, u2, u3 = load(x, 0), load(x, step), load(x, 2 * step), load(x, 3 * step)
    if m == 2:
        store(y, 0, u0 + HALF * (u1 + u2))
        store(y, distance, HALF * (u1 - u2))
        store(y, 2 * distance, HALF * (u1 + u2) + u3)
        return
    u4, u5 = load(x, 4 * step), load(x, 5 * step)
    even_a, even_b = GA * (u1 + u2), GB * (u3 + u4)
    store(y, 0, G0 * u0 + even_a + even_b)
    store(y, distance, (GA * A) * (u1 - u2) + (GB * B) * (u3 - u4))
    store(y, 2 * distance, A2 * even_a + B2 * even_b + u5)


@inlined
def transform_inputs(
    m: int, block: int, channels: int, shape: tuple[int, int, int], tiles: tuple[int, int, int], target: int,
    slab: int, spare: int,
) -> None:  # fmt: skip
    """All tiles of a block (images, *shape, channels) to (m + 2, m + 2, tiles, channels), ``slab`` numbers apart."""
    e, number = m + 2, 0
    for i in range(tiles[0]):
        for r in range(tiles[1]):
            for q in range(tiles[2]):
                corner = block + 4 * ((i * shape[0] + r * m) * shape[2] + q * m) * channels
                place = target + 4 * number * channels
                number += 1
                for c0 in range(0, channels, LANES):
                    c = max(min(c0, channels - LANES), 0)
                    for j in range(e):
                        input_line(m, corner + 4 * (j * channels + c), shape[2] * channels, spare + 4 * j * LANES,
                                   e * LANES)  # fmt: skip
                    for k in range(e):
                        input_line(m, spare + 4 * k * e * LANES, LANES, place + 4 * (k * e * slab + c), slab)


@inlined
def transform_outputs(
    m: int, source: int, slab: int, row: int, tiles: tuple[int, int, int], panel: int, block: int, width: int,
    spare: int,
) -> None:  # fmt: skip
    """Products (m + 2, m + 2, tiles, row), the first ``panel`` columns, to (images, rows, columns, width)."""
    e, number = m + 2, 0
    line = m * tiles[2] * width
    for i in range(tiles[0]):
        for r in range(tiles[1]):
            for q in range(tiles[2]):
                corner = block + 4 * ((i * tiles[1] + r) * m * line + q * m * width)
                place = source + 4 * number * row
                number += 1
                for k in range(0, panel, LANES):
                    for j in range(e):
                        output_line(m, place + 4 * (j * slab + k), e * slab, spare + 4 * j * LANES, e * LANES)
                    for a in range(m):
                        output_line(m, spare + 4 * a * e * LANES, LANES, corner + 4 * (a * line + k), width)


@inlined
def transform_gradients(
    m: int, block: int, channels: int, tiles: tuple[int, int, int], target: int, slab: int, spare: int
) -> None:
    """Output gradients (images, rows, columns, channels) to (m + 2, m + 2, tiles, channels)."""
    e, number = m + 2, 0
    line = m * tiles[2] * channels
    for i in range(tiles[0]):
        for r in range(tiles[1]):
            for q in range(tiles[2]):
                corner = block + 4 * ((i * tiles[1] + r) * m * line + q * m * channels)
                place = target + 4 * number * channels
                number += 1
                for c0 in range(0, channels, LANES):
                    c = max(min(c0, channels - LANES), 0)
                    for j in range(m):
                        gradient_line(m, corner + 4 * (j * channels + c), line, spare + 4 * j * LANES, m * LANES)
                    for k in range(e):
                        gradient_line(m, spare + 4 * k * m * LANES, LANES, place + 4 * (k * e * slab + c), slab)


@inlined
def transform_weights(m: int, panel: int, channels: int, width: int, target: int, spare: int) -> None:
    """A packed panel (9, channels, width) to (m + 2, m + 2, channels, width)."""
    e, area = m + 2, channels * width
    for p in range(0, area, LANES):
        for j in range(3):
            weight_line(m, panel + 4 * (j * area + p), 3 * area, spare + 4 * j * LANES, 3 * LANES)
        for k in range(e):
            weight_line(m, spare + 4 * 3 * k * LANES, LANES, target + 4 * (k * e * area + p), area)


@inlined
def transform_kernels(
    m: int, sums: int, slab: int, channels: int, width: int, w: int, inner: int, outer: int, first: int, spare: int
) -> None:
    """Sums (m + 2, m + 2, channels, width) to elements of the kernel, in weights (outer, inner, 3, 3)."""
    e = m + 2
    nine = spare + 4 * 40 * LANES
    for v in range(0, width, LANES):
        there = min(LANES, outer - first - v)
        for c in range(channels):
            for j in range(e):
                kernel_line(m, sums + 4 * (j * slab + c * width + v), e * slab, spare + 4 * j * LANES, e * LANES)
            for a in range(3):
                kernel_line(m, spare + 4 * a * e * LANES, LANES, nine + 4 * 3 * a * LANES, LANES)
            for i in range(there):
                element = w + 4 * ((first + v + i) * inner + c) * 9
                for t in range(9):
                    put(element, t, get(nine, t * LANES + i))
