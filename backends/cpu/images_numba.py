"""Images to and from the scratch memory of compiled convolutions: channels-last there, in any order outside.

A *block* is some rows of some images. In scratch it has the zeros of its padding around it, so that the loops that
compute know nothing of edges, and it is small enough to stay in the second-level cache.
"""

from __future__ import annotations

from typing import Any

from .jit_numba import inlined
from .simd_numba import LANES, clear, copy, get, load, put, store, transpose

__all__: list[str] = []  # found through the convolutions


@inlined
def read_block(
    x: int, strides: Any, size: Any, channels: int, first: int, images: int, origin: Any, shape: Any, block: int,
    spare: int,
) -> None:  # fmt: skip
    """Copy ``images`` images from ``first`` on, as (images, *shape, channels) and zeros beyond their edges.

    Args:
        x: address of the array (N, C, D, H, W).
        strides: of its five dimensions, in elements.
        size: its D, H and W.
        channels: C.
        first: number of the first image.
        images: how many of them.
        origin: where in the image the block begins; negative in the padding.
        shape: the block's size.
        block: where it goes.
        spare: memory for as many numbers.
    """
    n, c, d, h, w = strides
    area = shape[0] * shape[1] * shape[2] * channels
    z0, y0, x0 = max(-origin[0], 0), max(-origin[1], 0), max(-origin[2], 0)
    z1 = min(shape[0], size[0] - origin[0])
    y1 = min(shape[1], size[1] - origin[1])
    x1 = min(shape[2], size[2] - origin[2])
    if z1 - z0 < shape[0] or y1 - y0 < shape[1] or x1 - x0 < shape[2]:
        clear(block, images * area)
    rows, run = y1 - y0, x1 - x0
    if rows <= 0 or run <= 0:
        return
    whole = w == 1 and c != 1 and run == size[2] and (rows == 1 or h == run)  # its rows are one piece of memory
    for i in range(images):
        for z in range(z0, z1):
            source = x + 4 * ((first + i) * n + (origin[0] + z) * d + (origin[1] + y0) * h + (origin[2] + x0) * w)
            target = block + 4 * (i * area + ((z * shape[1] + y0) * shape[2] + x0) * channels)
            if whole and (run < LANES or run == shape[2]):
                tight = run == shape[2]
                transpose(source, c, channels, rows * run, target if tight else spare, channels)
                if not tight:
                    for y in range(rows):
                        line = target + 4 * y * shape[2] * channels
                        copy(spare + 4 * y * run * channels, line, run * channels)
            else:
                for y in range(rows):
                    line = target + 4 * y * shape[2] * channels
                    _read_line(source + 4 * y * h, c, w, run, channels, line)


@inlined
def _read_line(source: int, c: int, w: int, run: int, channels: int, target: int) -> None:
    """``run`` pixels with ``channels`` channels each."""
    if c == 1 and w == channels:
        copy(source, target, run * channels)
    elif c == 1:
        for i in range(run):
            copy(source + 4 * i * w, target + 4 * i * channels, channels)
    elif w == 1:
        transpose(source, c, channels, run, target, channels)
    else:
        for b in range(channels):
            for i in range(run):
                put(target, i * channels + b, get(source, b * c + i * w))


@inlined
def write_line(
    line: int, distance: int, bias: int, y: int, c: int, w: int, first: int, count: int, channels: int
) -> None:
    """Write pixels ``first`` to ``first + count`` of a line from scratch, with a bias for each channel.

    Args:
        line: address of the first pixel's channels in scratch.
        distance: from one pixel to the next there.
        bias: address of the biases.
        y: where the pixel of number ``first`` goes.
        c: stride of channels there.
        w: stride of pixels there.
        first: number of the first pixel in the line.
        count: how many pixels.
        channels: how many channels.
    """
    whole = channels - channels % LANES
    for i in range(count):
        pixel = line + 4 * (first + i) * distance
        target = y + 4 * i * w if c == 1 else pixel
        for b in range(0, whole, LANES):
            store(target, b, load(pixel, b) + load(bias, b))
        for b in range(whole, channels):
            put(target, b, get(pixel, b) + get(bias, b))
    if c == 1:
        return
    line += 4 * first * distance
    if w == 1:
        transpose(line, distance, count, channels, y, c)
    else:
        for b in range(channels):
            for i in range(count):
                put(y, b * c + i * w, get(line, i * distance + b))
