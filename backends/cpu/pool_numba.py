"""Max and average pooling and their adjoints, compiled: one walk over windows in vectors of channels.

Images with their channels last are read where they lie; of others a few channels at a time are turned over in scratch
memory. A window is a list of its elements, as pairs of an offset and a number, the same for all windows that do not
reach beyond the image.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .conv_plan import address, strides, table, three
from .crew_numba import enter
from .jit_numba import inlined, loop
from .simd_numba import (
    LANES,
    choose_equal,
    choose_larger,
    clear,
    entry,
    fill,
    get,
    load,
    load_bytes,
    note,
    store,
    store_bytes,
    transpose,
)
from .workers import scratch, share, workers

if TYPE_CHECKING:
    from ..definitions.conv import Ints, Pairs

__all__: list[str] = []  # found through pool.py

MAX, CHOSEN, MEAN, SHARE = 0, 1, 2, 3  # what a walk makes of its sources
PART = 64  # channels that are worked on together
PLANE = 1 << 16  # positions of an image that is turned over
MASK = np.repeat(np.array([0, 1], np.float32), LANES)
LOWEST, ZERO = np.float32(-np.inf), np.float32(0)


@inlined
def _clip(taps: int, start: int, steps: Any, kernel: Any, bounds: Any, here: Any) -> int:
    """Write the pairs of a window's elements that lie inside the image behind ``start``; returns how many they are."""
    count = 0
    for a in range(entry(bounds[0], 2 * here[0]), entry(bounds[0], 2 * here[0] + 1)):
        for b in range(entry(bounds[1], 2 * here[1]), entry(bounds[1], 2 * here[1] + 1)):
            for c in range(entry(bounds[2], 2 * here[2]), entry(bounds[2], 2 * here[2] + 1)):
                note(taps, start + 2 * count, a * steps[0] + b * steps[1] + c * steps[2])
                note(taps, start + 2 * count + 1, (a * kernel[1] + b) * kernel[2] + c)
                count += 1
    return count


@inlined
def _largest(x: int, taps: int, count: int, code: int) -> Any:
    """The largest element of a window and, where ``code`` is an address, its number there."""
    best = fill(LOWEST)
    if code == 0:
        for t in range(count):
            seen = load(x, entry(taps, 2 * t))
            best = choose_larger(seen, best, seen, best)
        return best
    number = fill(np.float32(entry(taps, 1)))
    for t in range(count):
        seen = load(x, entry(taps, 2 * t))
        number = choose_larger(seen, best, fill(np.float32(entry(taps, 2 * t + 1))), number)
        best = choose_larger(seen, best, seen, best)
    store_bytes(code, 0, number)
    return best


@inlined
def _vector(kind: int, x: int, y: int, taps: int, count: int, code: int, divisor: Any, mask: int, done: int) -> None:
    """One vector of a window: of the image ``x`` at its beginning, and of the windows ``y``.

    Nothing is added to its first ``done`` lanes, which another vector has seen to.
    """
    if kind == MAX:
        store(y, 0, _largest(x, taps, count, code))
    elif kind == MEAN:
        total = fill(ZERO)
        for t in range(count):
            total = total + load(x, entry(taps, 2 * t))
        store(y, 0, total / divisor)
    elif kind == CHOSEN:
        g, number, zero = load(y, 0), load_bytes(code, 0), fill(ZERO)
        if done > 0:
            g = choose_equal(load(mask, LANES - done), zero, zero, g)
        for t in range(count):
            at, this = entry(taps, 2 * t), fill(np.float32(entry(taps, 2 * t + 1)))
            store(x, at, load(x, at) + choose_equal(number, this, g, zero))
    else:
        g = load(y, 0) / divisor
        if done > 0:
            g = choose_equal(load(mask, LANES - done), fill(ZERO), fill(ZERO), g)
        for t in range(count):
            at = entry(taps, 2 * t)
            store(x, at, load(x, at) + g)


@inlined
def _walk(
    kind: int, x: int, x_steps: Any, y: int, y_steps: Any, out: Any, low: int, high: int, taps: int, kernel: Any,
    stride: Any, before: Any, dilation: Any, bounds: Any, code: int, code_step: int, divisors: int, own: int,
    mask: int,
) -> None:  # fmt: skip
    """All windows of one image, in its channels from ``low`` to ``high``."""
    total = kernel[0] * kernel[1] * kernel[2]
    steps = dilation[0] * x_steps[0], dilation[1] * x_steps[1], dilation[2] * x_steps[2]
    number = 0
    for d in range(out[0]):
        for h in range(out[1]):
            outer = (entry(bounds[0], 2 * d + 1) - entry(bounds[0], 2 * d)) * (
                entry(bounds[1], 2 * h + 1) - entry(bounds[1], 2 * h)
            )
            corner = (d * stride[0] - before[0]) * x_steps[0] + (h * stride[1] - before[1]) * x_steps[1]
            for w in range(out[2]):
                here, count = taps, outer * (entry(bounds[2], 2 * w + 1) - entry(bounds[2], 2 * w))
                if count < total:
                    here = own
                    count = _clip(own, 0, steps, kernel, bounds, (d, h, w))
                first = x + 4 * (corner + (w * stride[2] - before[2]) * x_steps[2])
                window = y + 4 * (d * y_steps[0] + h * y_steps[1] + w * y_steps[2])
                divisor = fill(get(divisors, number) if divisors != 0 else np.float32(1))
                for c0 in range(low, high, LANES):
                    c = min(c0, high - LANES)
                    place = code + number * code_step + c if code != 0 else 0
                    _vector(kind, first + 4 * c, window + 4 * c, here, count, place, divisor, mask, c0 - c)
                number += 1


@loop
def walk(
    start: int, stop: int, slot: int, kind: int, x: int, x_strides: Any, size: Any, y: int, y_strides: Any, out: Any,
    channels: int, parts: int, kernel: Any, stride: Any, before: Any, dilation: Any, tables: Any, code: int,
    divisors: int, memory: Any,
) -> None:  # fmt: skip
    """Parts of the channels of images, or blocks of LANES channels where they do not lie together.

    Args:
        start: number of the first of them.
        stop: and behind the last.
        slot: which of the scratch memories to use.
        kind: MAX, CHOSEN, MEAN or SHARE.
        x: address of the images.
        x_strides: their strides (N, C, D, H, W).
        size: their D, H and W.
        y: address of the windows.
        y_strides: their strides.
        out: how many there are in each dimension.
        channels: how many there are; those of all images together where they do not lie together.
        parts: into how many an image's channels are divided, or 0 where they do not lie together.
        kernel: size of the windows.
        stride: from one to the next.
        before: the padding.
        dilation: of their elements.
        tables: addresses of the table of a whole window, and of those of each dimension's first and last elements.
        code: address of the numbers of chosen elements, in the order (N, D, H, W, C), or 0.
        divisors: address of the divisors, or 0.
        memory: address of scratch memory; how much a slot has; address of tables to write on; entries of each; address
            of as many zeros as a vector has lanes, and as many ones.
    """
    enter()
    bounds = tables[1], tables[2], tables[3]
    own = memory[2] + 8 * slot * memory[3]
    area, places = size[0] * size[1] * size[2], out[0] * out[1] * out[2]
    adjoint = kind in (CHOSEN, SHARE)
    images = memory[0] + 4 * slot * memory[1]
    windows = images + 4 * area * LANES
    for item in range(start, stop):
        if parts > 0:
            n, part = divmod(item, parts)
            low, high = part * PART, channels if part == parts - 1 else (part + 1) * PART
            image = x + 4 * n * x_strides[0]
            if adjoint:
                for p in range(area):
                    clear(image + 4 * (p * x_strides[4] + low), high - low)
            _walk(
                kind, image, (x_strides[2], x_strides[3], x_strides[4]), y + 4 * n * y_strides[0],
                (y_strides[2], y_strides[3], y_strides[4]), out, low, high, tables[0], kernel, stride, before,
                dilation, bounds, code + n * places * channels if code != 0 else 0, channels, divisors, own, memory[4],
            )  # fmt: skip
            continue
        c = min(item * LANES, channels - LANES)
        if adjoint:
            transpose(y + 4 * c * places, places, LANES, places, windows, LANES)
            clear(images, area * LANES)
        else:
            transpose(x + 4 * c * area, area, LANES, area, images, LANES)
        _walk(
            kind, images, (size[1] * size[2] * LANES, size[2] * LANES, LANES), windows,
            (out[1] * out[2] * LANES, out[2] * LANES, LANES), out, 0, LANES, tables[0], kernel, stride, before,
            dilation, bounds, code + c if code != 0 else 0, channels, divisors, own, memory[4],
        )  # fmt: skip
        if adjoint:
            transpose(images, LANES, area, LANES, x + 4 * c * area, area)
        else:
            transpose(windows, LANES, places, LANES, y + 4 * c * places, places)


# ---------------------------------------------------------------------- calls


@functools.lru_cache(maxsize=256)
def _tables(
    size: Ints, kernel: Ints, out: Ints, stride: Ints, before: Ints, dilation: Ints, steps: Ints
) -> tuple[Any, ...]:
    """The pairs of a whole window, and which of its elements lie inside the image, for each dimension."""
    places = itertools.product(*map(range, kernel))
    pairs = [
        (sum(t * d * s for t, d, s in zip(place, dilation, steps, strict=True)), i) for i, place in enumerate(places)
    ]
    bounds = []
    for n, k, o, s, p, d in zip(size, kernel, out, stride, before, dilation, strict=True):
        first = np.arange(o) * s - p
        low, high = -(first // d), -((first - n) // d)  # rounded up, both
        bounds.append(table(np.stack([np.clip(low, 0, k), np.clip(high, 0, k)], -1)))
    return table(pairs), *bounds


def suits(x: Any, channels_last: bool) -> bool:
    """Whether `pool` takes an array of this layout."""
    if channels_last:
        return bool(x.shape[1] >= LANES)
    return bool(x.flags.c_contiguous and x.shape[0] * x.shape[1] >= LANES and math.prod(x.shape[2:]) <= PLANE)


def pool(
    kind: int, x: Any, y: Any, kernel: Ints, stride: Ints, padding: Pairs, dilation: Ints, code: Any, divisors: Any,
    last: bool,
) -> None:  # fmt: skip
    """Write windows ``y`` from images ``x``, or for the adjoints images from windows.

    Args:
        kind: MAX, CHOSEN, MEAN or SHARE.
        x: (N, C, *size).
        y: (N, C, *out).
        kernel: as the definitions have it.
        stride: likewise.
        padding: likewise.
        dilation: likewise.
        code: numbers of chosen elements, with their channels closest together, or None.
        divisors: float32 for each window, or None.
        last: whether the channels of both arrays are closest together; else both are contiguous.
    """
    size, out = three(x.shape[2:], 1), three(y.shape[2:], 1)
    kernel, stride, dilation = three(kernel, 1), three(stride, 1), three(dilation, 1)
    before = three([p for p, _ in padding], 0)
    n, channels = x.shape[:2]
    steps = strides(x)[2:] if last else (size[1] * size[2] * LANES, size[2] * LANES, LANES)
    tables = _tables(size, kernel, out, stride, before, dilation, steps)
    parts = max(1, channels // PART) if last else 0
    channels = channels if last else n * channels
    items = n * parts if last else -(-channels // LANES)
    number = workers(items, 8 * max(x.size, y.size))
    slot = 0 if last else (math.prod(size) + math.prod(out)) * LANES
    memory, pairs = scratch(number * slot + 1), 2 * math.prod(kernel)
    own = np.empty(number * pairs, np.int64)
    share(
        walk, items, number, kind, address(x), strides(x), size, address(y), strides(y), out, channels, parts, kernel,
        stride, before, dilation, tuple(map(address, tables)), 0 if code is None else address(code),
        0 if divisors is None else address(divisors), (address(memory), slot, address(own), pairs, address(MASK)),
    )  # fmt: skip
