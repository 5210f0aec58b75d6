"""Convolution with 3x3 kernels by Winograd's transforms: a quarter of the products, in blocks that stay in the cache.

Tiles of the input are transformed, multiplied by transformed weights in one product for each element of a tile, and
transformed back. The gradient of the input is the same with the weights turned around, and that of the weights
multiplies transformed inputs and transformed gradients.
"""

from __future__ import annotations

from typing import Any

from .conv_direct_numba import write_positions
from .crew_numba import enter
from .images_numba import read_block
from .jit_numba import inlined, loop
from .simd_numba import LANES, ROWS, WIDE, tile1, tile2
from .winograd_numba import (
    transform_gradients,
    transform_inputs,
    transform_kernels,
    transform_outputs,
    transform_weights,
)

__all__: list[str] = []  # found through conv_numba.py

SLICE = 8 * ROWS  # input channels


@loop
def prepare(start: int, stop: int, slot: int, m: int, packed: int, channels: int, padded: int, target: int, spare: int,
            apart: int) -> None:  # fmt: skip
    """Panels ``start`` to ``stop`` of packed weights, transformed.

    Args:
        start: number of the first panel.
        stop: and behind the last.
        slot: which of the spare memories to use.
        m: outputs of a tile in each direction.
        packed: address of the packed weights (panels, 9, channels, width).
        channels: input channels.
        padded: output channels, filled up to whole vectors.
        target: address of the result (panels, m + 2, m + 2, channels, width).
        spare: address of spare memory.
        apart: how much a slot has.
    """
    enter()
    for item in range(start, stop):
        first = item * WIDE
        transform_weights(
            m, packed + 4 * first * 9 * channels, channels, min(WIDE, padded - first),
            target + 4 * first * (m + 2) * (m + 2) * channels, spare + 4 * slot * apart,
        )  # fmt: skip


@inlined
def _multiply(
    points: int, left: int, left_slab: int, places: int, count: int, run: int, depth: int, weights: int, low: int,
    high: int, result: int, result_slab: int, row: int,
) -> None:  # fmt: skip
    """One product for each point, (count, depth) x (depth, columns), for the columns from ``low`` to ``high``."""
    for point in range(points):
        a, c = left + 4 * point * left_slab, result + 4 * point * result_slab
        for first in range(low, high, WIDE):
            width = min(WIDE, high - first)
            b = weights + 4 * ((first - low) * points + point * width) * depth
            for p in range(0, count, ROWS):
                if width > LANES:
                    tile2(a, places + 8 * p, run, 1, depth, 1, b, width, c + 4 * (p * row + first), row, 0)
                else:
                    tile1(a, places + 8 * p, run, 1, depth, 1, b, width, c + 4 * (p * row + first), row, 0)


@loop
def convolve(
    start: int, stop: int, slot: int, m: int, source: Any, x_strides: Any, x_size: Any, y: Any, y_strides: Any,
    y_size: Any, weights: Any, channels: Any, blocks: Any, parts: Any, origin: Any, shape: Any, grid: Any,
    tables: Any, scratch: Any, places: Any, slabs: Any,
) -> None:  # fmt: skip
    """Parts ``start`` to ``stop`` of a convolution.

    Args:
        start: number of the first part: a block of tiles and some panels of output channels.
        stop: and behind the last.
        slot: which of the scratch memories to use.
        m: outputs of a tile in each direction.
        source: address of the array that is read, and how many images it has.
        x_strides: its strides (N, C, D, H, W), of which D and W are the image's.
        x_size: its sizes.
        y: address of the array that is written, and of one bias for each of its channels.
        y_strides: its strides.
        y_size: its sizes.
        weights: address of the packed weights, and of the transformed ones, or 0 to transform them here.
        channels: input channels, output channels, and these filled up to whole vectors.
        blocks: images of a block, rows of tiles of a block, and how many blocks an image has.
        parts: into how many the panels are divided, and how many panels there are.
        origin: where the first tile begins in the image.
        shape: size of a block with its padding.
        grid: how many rows, 1, and columns of tiles.
        tables: addresses of the table of tiles and of a single 0.
        scratch: address of scratch memory, and how much a slot has.
        places: where in that the inputs, products, results, weights, and spare memories begin.
        slabs: from one point of the transformed inputs to the next; the same for the products.
    """
    enter()
    e = m + 2
    inner, outer, padded = channels
    per, band, bands = blocks
    memory = scratch[0] + 4 * slot * scratch[1]
    products, results = memory + 4 * places[1], memory + 4 * places[2]
    inputs, own, spare = memory + 4 * places[0], memory + 4 * places[3], memory + 4 * places[4]
    before, images, rows = -1, 0, 0
    for item in range(start, stop):
        number, part = divmod(item, parts[0])
        n, q0 = number // bands * per, number % bands * band
        if number != before:
            before = number
            images, rows = min(per, source[1] - n), min(band, grid[0] - q0)
            here = rows * m + 2, 1, shape[2]
            read_block(
                source[0], x_strides, x_size, inner, n, images, (origin[0] + q0 * m, origin[1], origin[2]), here,
                memory, results,
            )  # fmt: skip
            transform_inputs(m, memory, inner, here, (images, rows, grid[2]), inputs, slabs[0], spare)
        tiles = images, rows, grid[2]
        begin = parts[1] * part // parts[0] * WIDE
        end = min(padded, parts[1] * (part + 1) // parts[0] * WIDE)
        step = WIDE if weights[1] == 0 else padded
        for first in range(begin, end, step):
            stop_here = min(first + step, end)
            transformed, row, column = weights[1], padded, first
            if weights[1] == 0:
                transformed, row, column = own, WIDE, 0
                transform_weights(m, weights[0] + 4 * first * 9 * inner, inner, stop_here - first, own, spare)
            _multiply(
                e * e, inputs, slabs[0], tables[0], images * rows * grid[2], tables[1], inner, transformed, column,
                column + stop_here - first, products, slabs[1], row,
            )  # fmt: skip
            transform_outputs(
                m, products + 4 * column, slabs[1], row, tiles, stop_here - first, results + 4 * first, padded, spare
            )  # fmt: skip
        write_positions(
            results + 4 * begin, padded, y[1] + 4 * begin, y[0] + 4 * begin * y_strides[1], y_strides, y_size, n,
            images, q0 * m, rows * m, (grid[0] * m, 1, grid[2] * m), (0, 0, 0), (1, 1, 1), min(outer, end) - begin,
        )  # fmt: skip


@loop
def transform_both(
    start: int, stop: int, slot: int, m: int, source: Any, x_strides: Any, x_size: Any, g: int, g_strides: Any,
    g_size: Any, channels: Any, blocks: Any, origin: Any, shape: Any, grid: Any, at: Any, targets: Any, scratch: Any,
) -> None:  # fmt: skip
    """Inputs and output gradients of blocks ``start`` to ``stop``, transformed.

    Args:
        start: number of the first block.
        stop: and behind the last.
        slot: which of the scratch memories to use.
        m: outputs of a tile in each direction.
        source: address of the convolution's input, and how many images it has.
        x_strides: as `convolve` has them.
        x_size: likewise.
        g: address of the output's gradient.
        g_strides: its strides.
        g_size: its sizes.
        channels: input channels and output channels.
        blocks: as `convolve` has them.
        origin: likewise.
        shape: likewise.
        grid: likewise.
        at: number of the first block in the targets.
        targets: addresses of the transformed inputs and gradients, and from one point of each to the next.
        scratch: address of scratch memory; how much a slot has; where the results and the spare memory begin.
    """
    enter()
    per, band, bands = blocks
    inner, outer = channels
    memory = scratch[0] + 4 * slot * scratch[1]
    results, spare = memory + 4 * scratch[2], memory + 4 * scratch[3]
    for item in range(start, stop):
        number = at + item
        n, q0 = number // bands * per, number % bands * band
        images, rows = min(per, source[1] - n), min(band, grid[0] - q0)
        here, tiles = (rows * m + 2, 1, shape[2]), (images, rows, grid[2])
        first = _tiles_before(number, blocks, grid, source[1]) - _tiles_before(at, blocks, grid, source[1])
        read_block(
            source[0], x_strides, x_size, inner, n, images, (origin[0] + q0 * m, origin[1], origin[2]), here, memory,
            results,
        )  # fmt: skip
        transform_inputs(m, memory, inner, here, tiles, targets[0] + 4 * first * inner, targets[2], spare)
        read_block(
            g, g_strides, g_size, outer, n, images, (q0 * m, 0, 0), (rows * m, 1, grid[2] * m), results, memory
        )  # fmt: skip
        transform_gradients(m, results, outer, tiles, targets[1] + 4 * first * outer, targets[3], spare)


@inlined
def _tiles_before(number: int, blocks: Any, grid: Any, images: int) -> int:
    """How many tiles the blocks before ``number`` have."""
    per, band, bands = blocks
    return (min(number // bands * per, images) * grid[0] + number % bands * band) * grid[2]


@loop
def add_products(
    start: int, stop: int, slot: int, m: int, operands: Any, count: int, channels: Any, tables: Any, sums: Any,
    more: int, w: int, spare: Any,
) -> None:  # fmt: skip
    """Products of transformed inputs and gradients over ``count`` tiles, for panels ``start`` to ``stop``.

    Args:
        start: number of the first panel.
        stop: and behind the last.
        slot: which of the spare memories to use.
        m: outputs of a tile in each direction.
        operands: addresses of the transformed inputs and gradients, and from one point of each to the next.
        count: how many tiles.
        channels: input channels, output channels, and the latter filled up to whole vectors.
        tables: addresses of the table of input channels and of a single 0; rows of the former.
        sums: address of the sums; how much a panel has; whether there is one place for each panel, or for each slot.
        more: whether to add to what is there.
        w: address of the weights (K, C, 3, 3), to which the sums are transformed back, or 0 to leave that.
        spare: address of spare memory, and how much a slot has.
    """
    enter()
    e = m + 2
    inner, outer, padded = channels
    rows = tables[2]
    for item in range(start, stop):
        first = item * WIDE
        width = min(WIDE, padded - first)
        total = sums[0] + 4 * (item if sums[2] else slot) * sums[1]
        for low in range(0, rows, SLICE):  # the sums of all points for some channels stay in the cache
            high = min(low + SLICE, rows)
            slab = (high - low) * width
            part = total + 4 * low * e * e * width * sums[2]
            for point in range(e * e):
                a, b = operands[0] + 4 * point * operands[2], operands[1] + 4 * (point * operands[3] + first)
                for r in range(low, high, ROWS):
                    c = part + 4 * (point * slab + (r - low) * width)
                    if width > LANES:
                        tile2(a, tables[0] + 8 * r, tables[1], 1, count, inner, b, outer, c, width, more)
                    else:
                        tile1(a, tables[0] + 8 * r, tables[1], 1, count, inner, b, outer, c, width, more)
            if w != 0:
                transform_kernels(
                    m, part, slab, min(high, inner) - low, width, w + 4 * low * 9, inner, outer, first,
                    spare[0] + 4 * slot * spare[1],
                )  # fmt: skip
