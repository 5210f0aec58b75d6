"""Direct convolution, compiled: a product of matrices whose rows are read where they lie in the image.

All positions of a block times all output channels are one product. Its left matrix, what the kernel covers at each
position, is never written down: a row of it is a few runs of channels in the block, found by tables of offsets. The
forward pass and the gradient of the input are both this `correlate`; a step in the forward pass makes the output
positions sparse, and in the gradient it makes several dense problems, one for each remainder.
"""

from __future__ import annotations

from typing import Any

from .crew_numba import enter
from .depthwise_numba import weigh, weigh_gradients
from .images_numba import read_block, write_line
from .jit_numba import inlined, loop
from .simd_numba import LANES, ROWS, WIDE, copy, entry, get, put, tile1, tile2

__all__: list[str] = []  # found through conv_numba.py


@loop
def pack(
    start: int, stop: int, slot: int, w: int, strides: Any, taps: int, count: int, inner: int, outer: int, panels: int,
    padded: int, packed: int,
) -> None:  # fmt: skip
    """Weights in the order in which `correlate` reads them: panels of (taps, input channels, output channels).

    Args:
        start: number of the first panel of all groups.
        stop: and behind the last.
        slot: unused.
        w: address of the weights.
        strides: those of output channels, input channels and groups.
        taps: table of the offsets of the kernel's elements.
        count: how many of them.
        inner: input channels of a group.
        outer: output channels of a group.
        panels: how many panels a group has.
        padded: output channels of a group with those that fill up the last panel.
        packed: address of the result.
    """
    enter()
    for item in range(start, stop):
        group, number = divmod(item, panels)
        first = number * WIDE
        width = min(WIDE, padded - first)
        there = min(width, outer - first)
        target = packed + 4 * (group * padded + first) * count * inner
        source = w + 4 * (group * strides[2] + first * strides[0])
        for low in range(0, width, LANES):  # few lines at a time, so that they stay in the cache
            some = max(min(LANES, there - low), 0)
            line = source + 4 * low * strides[0]
            for c in range(inner):
                for t in range(count):
                    place = line + 4 * (c * strides[1] + entry(taps, t))
                    row = (t * inner + c) * width + low
                    for i in range(some):
                        put(target, row + i, get(place, i * strides[0]))
                    for i in range(some, LANES):
                        put(target, row + i, 0.0)


@inlined
def _multiply(
    block: int, places: int, count: int, runs: int, number: int, depth: int, weights: int, padded: int, out: int,
    width: int,
) -> None:  # fmt: skip
    """The positions in ``places`` times the panels of one group, into rows of ``width``."""
    for first in range(0, padded, WIDE):
        panel = weights + 4 * first * number * depth
        if padded - first > LANES:
            for p in range(0, count, ROWS):
                result = out + 4 * (p * width + first)
                tile2(block, places + 8 * p, runs, number, depth, 1, panel, WIDE, result, width, 0)
        else:
            for p in range(0, count, ROWS):
                result = out + 4 * (p * width + first)
                tile1(block, places + 8 * p, runs, number, depth, 1, panel, LANES, result, width, 0)


@inlined
def _close_up(out: int, count: int, number: int, outer: int, padded: int) -> None:
    """Move the output channels of all groups to the beginning of each row."""
    for p in range(count):
        row = out + 4 * p * number * padded
        for group in range(1, number):
            for i in range(outer):
                put(row, group * outer + i, get(row, group * padded + i))


@inlined
def write_positions(
    line: int, width: int, shift: int, at: int, strides: Any, size: Any, n: int, images: int, q0: int, rows: int,
    grid: Any, first: Any, spread: Any, channels: int,
) -> None:  # fmt: skip
    """Results from scratch to the array, those positions that it has.

    Position ``q`` of the grid is ``q * spread + first`` in the array.
    """
    s_n, s_c, s_d, s_h, s_w = strides
    low = max(0, (spread[2] - 1 - first[2]) // spread[2])
    high = min(grid[2], (size[2] - first[2] + spread[2] - 1) // spread[2])
    if high <= low:
        return
    whole = size[2] == grid[2] and size[1] == grid[1] and spread == (1, 1, 1) and first == (0, 0, 0)
    if whole and q0 + rows <= size[0] and s_h == s_w * grid[2] and (s_d == s_h * grid[1] or rows == 1):
        area = rows * grid[1] * grid[2]
        for i in range(images):
            target = at + 4 * ((n + i) * s_n + q0 * s_d)
            write_line(line + 4 * i * area * width, width, shift, target, s_c, s_w, 0, area, channels)
        return
    for i in range(images):
        for a in range(rows):
            d = (q0 + a) * spread[0] + first[0]
            if d < 0 or d >= size[0]:
                continue
            for b in range(grid[1]):
                h = b * spread[1] + first[1]
                if h < 0 or h >= size[1]:
                    continue
                row = line + 4 * ((i * rows + a) * grid[1] + b) * grid[2] * width
                w = low * spread[2] + first[2]
                target = at + 4 * ((n + i) * s_n + d * s_d + h * s_h + w * s_w)
                write_line(row, width, shift, target, s_c, s_w * spread[2], low, high - low, channels)


@inlined
def _assemble(
    line: int, width: int, images: int, rows: int, grid: Any, first: Any, spread: Any, low: int, high: int, size: Any,
    channels: int, image: int,
) -> None:  # fmt: skip
    """Results of one problem to their places in rows ``low`` to ``high`` of the image, with their channels last.

    Row ``q`` of results is row ``q * spread + first`` of the image.
    """
    area = (high - low) * size[1] * size[2] * channels
    for i in range(images):
        for a in range(rows):
            d = a * spread[0] + first[0]
            if d < low or d >= high:
                continue
            for b in range(grid[1]):
                h = b * spread[1] + first[1]
                if h < 0 or h >= size[1]:
                    continue
                source = line + 4 * ((i * rows + a) * grid[1] + b) * grid[2] * width
                target = image + 4 * (i * area + ((d - low) * size[1] + h) * size[2] * channels)
                for q in range(grid[2]):
                    w = q * spread[2] + first[2]
                    if w >= 0 and w < size[2]:
                        copy(source + 4 * q * width, target + 4 * w * channels, channels)


@loop
def correlate(
    start: int, stop: int, slot: int, source: Any, x_strides: Any, x_size: Any, y: Any, y_strides: Any, y_size: Any,
    weights: Any, groups: Any, blocks: Any, origin: Any, shape: Any, step: int, grid: Any, spread: Any, tables: Any,
    scratch: Any,
) -> None:  # fmt: skip
    """Blocks ``start`` to ``stop`` of a convolution, or of the gradient of its input.

    Args:
        start: number of the first block.
        stop: and behind the last.
        slot: which of the scratch memories to use.
        source: address of the array that is read, and how many images it has.
        x_strides: its strides (N, C, D, H, W).
        x_size: its D, H and W.
        y: address of the array that is written, and of one bias for each of its channels.
        y_strides: its strides.
        y_size: its D, H and W.
        weights: address of the packed weights.
        groups: how many; input channels of each, output channels, and these filled up to whole vectors; where both are
            1, the channels are not filled up one by one, but all together.
        blocks: images of a block, rows of positions of a block, and how many blocks an image has.
        origin: where the first block begins in the image that is read.
        shape: size of a block with its padding.
        step: how many rows of the image there are from one row of positions to the next.
        grid: how many positions there are in each dimension.
        spread: how far apart they are in the array that is written.
        tables: addresses of the table of positions, of that of the problems, and of that of taps; how many problems.
        scratch: address of scratch memory; how much a slot has; where the results begin, and the spare memory; and
            where the results of all problems are put together, or 0 to write them one by one.
    """
    enter()
    number, inner, outer, padded = groups
    per, band, bands = blocks
    places, problems, taps, count = tables
    block = scratch[0] + 4 * slot * scratch[1]
    out, spare, image = block + 4 * scratch[2], block + 4 * scratch[3], block + 4 * scratch[4]
    width = number if inner != 1 or outer != 1 else -(-number // LANES) * LANES
    width = width * padded
    for item in range(start, stop):
        n, q0 = item // bands * per, item % bands * band
        images, rows = min(per, source[1] - n), min(band, grid[0] - q0)
        read_block(
            source[0], x_strides, x_size, number * inner, n, images, (origin[0] + q0 * step, origin[1], origin[2]),
            ((rows - 1) * step + shape[0] - (band - 1) * step, shape[1], shape[2]), block, spare,
        )  # fmt: skip
        area = images * rows * grid[1] * grid[2]
        low, high = q0 * spread[0], min(y_size[0], (q0 + rows) * spread[0])
        for problem in range(count):
            info = problems + 8 * 7 * problem
            first = entry(info, 0), entry(info, 1), entry(info, 2)
            here, some, panels, depth = entry(info, 3), entry(info, 4), weights + 4 * entry(info, 5), entry(info, 6)
            if inner == 1 and outer == 1:
                weigh(block, places, area, taps + 8 * here, some, number, panels, out, width)
            else:
                for group in range(number):
                    _multiply(
                        block + 4 * group * inner, places, area, taps + 8 * here, some, depth,
                        panels + 4 * group * padded * some * depth, padded, out + 4 * group * padded, width,
                    )  # fmt: skip
                if number > 1 and padded > outer:
                    _close_up(out, area, number, outer, padded)
            if scratch[4] > 0:
                _assemble(
                    out, width, images, rows, grid, (first[0] + q0 * spread[0], first[1], first[2]), spread, low, high,
                    y_size, number * outer, image,
                )  # fmt: skip
                continue
            write_positions(
                out, width, y[1], y[0], y_strides, y_size, n, images, q0, rows, grid, first, spread, number * outer
            )  # fmt: skip
        if scratch[4] > 0 and high > low:
            write_positions(
                image, number * outer, y[1], y[0], y_strides, y_size, n, images, low, high - low,
                (y_size[0], y_size[1], y_size[2]), (0, 0, 0), (1, 1, 1), number * outer,
            )  # fmt: skip


@loop
def correlate_weights(
    start: int, stop: int, slot: int, source: Any, x_strides: Any, x_size: Any, g: Any, g_strides: Any, g_size: Any,
    groups: Any, blocks: Any, origin: Any, shape: Any, steps: Any, tables: Any, scratch: Any, total: Any,
) -> None:  # fmt: skip
    """What blocks ``start`` to ``stop`` add to the gradient of the weights.

    The product is the other way round: rows are the kernel's elements and input channels, and the sum runs over
    positions, whose channels of the output gradient are the right matrix.

    Args:
        start: number of the first block.
        stop: and behind the last.
        slot: which of the scratch memories and sums to use.
        source: address of the convolution's input, and how many images it has.
        x_strides: its strides.
        x_size: its D, H and W.
        g: address of the output's gradient.
        g_strides: its strides.
        g_size: its D, H and W.
        groups: as `correlate` has them.
        blocks: likewise.
        origin: likewise.
        shape: likewise.
        steps: rows of the image from one row of positions to the next; numbers from one position to the next.
        tables: addresses of the table of kernel elements and channels, and of that of lines; rows of the former;
            for groups of one channel the table of positions, and the number of the kernel's elements.
        scratch: address of scratch memory; how much a slot has; where the gradients begin, and the spare memory.
        total: address of the sums, zeros at first, and how many a slot has.
    """
    enter()
    number, inner, outer, padded = groups
    per, band, bands = blocks
    elements, lines, rows, places, taps = tables
    block = scratch[0] + 4 * slot * scratch[1]
    out, spare = block + 4 * scratch[2], block + 4 * scratch[3]
    sums = total[0] + 4 * slot * total[1]
    channels = number * outer
    for item in range(start, stop):
        n, q0 = item // bands * per, item % bands * band
        images, high = min(per, source[1] - n), min(band, g_size[0] - q0)
        read_block(
            source[0], x_strides, x_size, number * inner, n, images, (origin[0] + q0 * steps[0], origin[1], origin[2]),
            ((high - 1) * steps[0] + shape[0] - (band - 1) * steps[0], shape[1], shape[2]), block, spare,
        )  # fmt: skip
        read_block(
            g, g_strides, g_size, channels, n, images, (q0, 0, 0), (high, g_size[1], g_size[2]), out, spare
        )  # fmt: skip
        count = images * high * g_size[1]
        if inner == 1 and outer == 1:
            weigh_gradients(block, places, count * g_size[2], elements, taps, number, out, sums)
            continue
        for group in range(number):
            a, b, c = block + 4 * group * inner, out + 4 * group * outer, sums + 4 * group * rows * padded
            for r in range(0, rows, ROWS):
                row = elements + 8 * r
                for first in range(0, padded, WIDE):
                    result = c + 4 * (r * padded + first)
                    if padded - first > LANES:
                        tile2(a, row, lines, count, g_size[2], steps[1], b + 4 * first, channels, result, padded, 1)
                    else:
                        tile1(a, row, lines, count, g_size[2], steps[1], b + 4 * first, channels, result, padded, 1)


@loop
def unpack(
    start: int, stop: int, slot: int, total: Any, slots: int, rows: int, inner: int, outer: int, padded: int,
    taps: int, w: int,
) -> None:  # fmt: skip
    """The sums of all slots, as weights (K, C, *kernel): output channels ``start`` to ``stop``.

    Args:
        start: the first of the output channels of all groups.
        stop: and behind the last.
        slot: unused.
        total: address of the sums, and how many a slot has.
        slots: how many slots there are.
        rows: those of one group.
        inner: input channels of a group.
        outer: output channels of a group.
        padded: columns of the sums.
        taps: number of the kernel's elements.
        w: address of the weights.
    """
    enter()
    for item in range(start, stop):
        group, k = divmod(item, outer)
        source = total[0] + 4 * (group * rows * padded + k)
        target = w + 4 * item * inner * taps
        for c in range(inner):
            for t in range(taps):
                value = get(source, (t * inner + c) * padded)
                for s in range(1, slots):
                    value += get(source + 4 * s * total[1], (t * inner + c) * padded)
                put(target, c * taps + t, value)


@loop
def few(
    start: int, stop: int, slot: int, w: int, rows: int, depth: int, tables: Any, columns: int, width: int, y: int
) -> None:
    """``y = w columns`` for ROWS rows of ``w`` each: where there are few positions, weights are read as they lie.

    Args:
        start: number of the first of these parts.
        stop: and behind the last.
        slot: unused.
        w: address of the weights (rows, depth).
        rows: how many there are.
        depth: of the product.
        tables: addresses of the table of rows, and of a single 0.
        columns: address of what the kernel covers (depth, width).
        width: positions, filled up to whole vectors.
        y: address of the results, with room for ROWS rows more.
    """
    enter()
    for item in range(start, stop):
        first = min(item * ROWS, rows - ROWS)
        left = w + 4 * first * depth
        for p in range(0, width, WIDE):
            right, result = columns + 4 * p, y + 4 * (first * width + p)
            if width - p > LANES:
                tile2(left, tables[0], tables[1], 1, depth, 1, right, width, result, width, 0)
            else:
                tile1(left, tables[0], tables[1], 1, depth, 1, right, width, result, width, 0)
