"""How a convolution is cut into blocks, and the tables of offsets by which compiled kernels find their operands."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from typing import Any

import numpy as np

from ..definitions.conv import Ints, Pairs, out_size
from .addresses import address as address

__all__: list[str] = []  # nothing here is a kernel

LIMIT = 1 << 17  # numbers of a block and its results: half a second-level cache of 1 MiB


def three(values: Any, filler: Any) -> Any:
    """One value for each of three dimensions; images are rows of one line, so that rows can be shared out."""
    if len(values) == 2:
        return values[0], filler, values[1]
    return (filler, filler, *values) if len(values) == 1 else tuple(values)


def strides(x: Any) -> tuple[int, ...]:
    """The strides of (N, C, ...), in elements, as those of (N, C, D, H, W)."""
    n, c, *rest = [s // x.itemsize for s in x.strides]
    w = rest[-1] * x.shape[-1]
    if len(rest) == 1:
        return n, c, w, w, rest[0]
    return (n, c, rest[0], w, rest[1]) if len(rest) == 2 else (n, c, *rest)


@dataclasses.dataclass(frozen=True)
class Shape:
    """The sizes of a convolution in three dimensions."""

    n: int
    inner: int  # input channels of a group
    outer: int  # output channels of a group
    groups: int
    size: Ints
    kernel: Ints
    stride: Ints
    padding: Pairs
    dilation: Ints
    out: Ints

    @property
    def work(self) -> int:
        """Products of two numbers."""
        return self.n * math.prod(self.out) * math.prod(self.kernel) * self.inner * self.outer * self.groups

    @functools.cached_property
    def cost(self) -> int:
        """What it costs, in such products, with what moving its numbers costs; 0 where there is nothing to do."""
        moved = self.inner * self.groups * math.prod(self.size) + self.outer * self.groups * math.prod(self.out)
        return self.work + 64 * self.n * moved if self.work > 0 and min(self.out) > 0 else 0


@functools.lru_cache(maxsize=512)
def shape_of(
    n: int, c: int, size: Ints, k: int, kernel: Ints, stride: Ints, padding: Pairs, dilation: Ints, groups: int
) -> Shape:
    """The sizes of a convolution in one, two or three dimensions."""
    out = out_size(size, kernel, stride, padding, dilation)
    return Shape(
        n, c // groups, k // groups, groups, three(size, 1), three(kernel, 1), three(stride, 1),
        three(padding, (0, 0)), three(dilation, 1), three(out, 1),
    )  # fmt: skip


def lines(count: int) -> int:
    """Numbers up to the next cache line, and one line more."""
    return whole(count, 16) + 16


def whole(n: int, unit: int) -> int:
    """``n`` rounded up to whole units."""
    return -(-n // unit) * unit


@dataclasses.dataclass(frozen=True)
class Blocks:
    """How many images and rows a block has, and what lies where in it."""

    per: int
    band: int
    bands: int
    count: int  # of all blocks
    shape: Ints  # of one image's part, with padding
    area: int  # numbers of that

    @property
    def numbers(self) -> Ints:
        """As `correlate` takes them."""
        return self.per, self.band, self.bands


def cut(
    n: int, channels: int, width: int, grid: Ints, step: int, shape: Ints, threads: int, limit: int = LIMIT
) -> Blocks:
    """Blocks that fit into the cache and are enough for all threads.

    Args:
        n: images.
        channels: of the array that is read.
        width: of a row of results.
        grid: positions in each dimension.
        step: rows of the image from one row of positions to the next.
        shape: of an image with its padding, as far as the positions need it.
        threads: how many there are.
        limit: numbers of a block and its results.
    """
    area = math.prod(shape) * channels
    all_of_it = area + math.prod(grid) * width
    wanted = -(-threads // n)  # bands of an image
    band = grid[0] if all_of_it <= limit else max(1, grid[0] * limit // all_of_it)
    band = min(band, -(-grid[0] // wanted))
    per = max(1, min(limit // all_of_it, n // threads)) if band == grid[0] else 1
    part = (shape[0] - (grid[0] - band) * step, *shape[1:])
    bands = -(-grid[0] // band)
    return Blocks(per, band, bands, -(-n // per) * bands, part, math.prod(part) * channels)


def offsets(blocks: Blocks, channels: int, grid: Ints, steps: Ints) -> Any:
    """Where the positions of a block lie in it: (images, rows, H, W)."""
    _, h, w = blocks.shape
    unit = np.array([h * w, w, 1]) * steps * channels
    places = [np.arange(m) * u for m, u in zip((blocks.band, *grid[1:]), unit, strict=True)]
    images = np.arange(blocks.per) * blocks.area
    return images[:, None, None, None] + places[0][:, None, None] + places[1][:, None] + places[2]


def table(values: Any, unit: int = 1) -> Any:
    """Offsets as kernels read them, filled up to whole units by the last."""
    flat = np.ascontiguousarray(values, np.int64).reshape(-1)
    return np.append(flat, np.repeat(flat[-1:], whole(len(flat), unit) - len(flat)))


def _padded(inner: int, outer: int, groups: int, lanes: int) -> tuple[int, int]:
    """Output channels of a group filled up to whole vectors, and those of all groups; see `correlate`."""
    if inner == outer == 1:
        return 1, whole(groups, lanes)
    return whole(outer, lanes), whole(outer, lanes) * groups


def _seen(s: Shape) -> Ints:
    """How much of an image with its padding the positions need."""
    return tuple(
        (o - 1) * t + d * (k - 1) + 1 for o, t, d, k in zip(s.out, s.stride, s.dilation, s.kernel, strict=True)
    )


@dataclasses.dataclass(frozen=True, eq=False)
class Correlation:
    """What `correlate` needs to know beside the arrays."""

    groups: Ints  # number, inner, outer, padded
    blocks: Blocks
    origin: Ints
    step: int
    grid: Ints
    spread: Ints
    positions: Any
    problems: Any
    taps: Any
    elements: tuple[tuple[int, ...], ...]  # numbers of the kernel's elements in each problem
    packed: int  # numbers of the packed weights
    width: int  # of a row of results

    @functools.cached_property
    def tables(self) -> tuple[int, ...]:
        """As `correlate` takes them."""
        return *map(address, (self.positions, self.problems, self.taps)), len(self.elements)

    def places(self, rows: int, size: Ints, last: bool) -> tuple[int, int, int, int]:
        """How much a slot of scratch memory has; where results, spare memory and whole images begin in it.

        The latter is 0 where results are written to the array of ``size`` one problem after the other: if there is
        only one, or if the array's channels are ``last``.
        """
        begin = lines(self.blocks.per * self.blocks.area)
        results = whole(self.blocks.per * self.blocks.band * math.prod(self.grid[1:]), 2 * rows) * self.width
        spare = begin + lines(results)
        if self.spread == (1, 1, 1) or last:
            return spare + begin, begin, spare, 0
        channels = self.groups[0] * self.groups[2]
        images = self.blocks.per * self.blocks.band * self.spread[0] * math.prod(size[1:]) * channels
        return spare + begin + lines(images), begin, spare, spare + begin


def runs(places: list[int], inner: int, channels: int) -> tuple[list[int], int]:
    """Where runs of memory begin that hold all channels of the kernel's elements at ``places``, and their length."""
    longest = 1
    if inner == channels:  # without groups neighbours lie end to end
        longest = next((i for i in range(1, len(places)) if places[i] - places[i - 1] != channels), len(places))
        neighbours = all(places[i] - places[i - 1] == channels for i in range(1, len(places)) if i % max(longest, 1))
        if not longest or not neighbours or len(places) % longest:
            longest = 1
    return places[:: max(longest, 1)], max(longest, 1) * inner


@functools.lru_cache(maxsize=128)
def forward(s: Shape, threads: int, rows: int, lanes: int) -> Correlation:
    """A convolution: one problem, positions ``stride`` apart in what is read."""
    seen = _seen(s)
    padded, width = _padded(s.inner, s.outer, s.groups, lanes)
    channels = s.inner * s.groups
    blocks = cut(s.n, channels, width, s.out, s.stride[0], seen, threads)
    _, h, w = blocks.shape
    taps = [
        ((a * s.dilation[0] * h + b * s.dilation[1]) * w + c * s.dilation[2]) * channels
        for a, b, c in itertools.product(*map(range, s.kernel))
    ]
    starts, depth = runs(taps, s.inner, channels)
    return Correlation(
        (s.groups, s.inner, s.outer, padded), blocks, tuple(-p for p, _ in s.padding), s.stride[0], s.out, (1, 1, 1),
        table(offsets(blocks, channels, s.out, s.stride), 2 * rows), table([0, 0, 0, 0, len(starts), 0, depth]),
        table(starts), (tuple(range(len(taps))),), width * len(taps) * s.inner, width,
    )  # fmt: skip


@functools.lru_cache(maxsize=128)
def adjoint(s: Shape, threads: int, rows: int, lanes: int) -> Correlation:
    """The gradient of the input: a problem for each remainder of a padded position by the stride.

    Padded position ``q * stride + r`` was seen by the elements ``t`` with ``dilation * t = r`` modulo the stride, from
    output position ``q - (dilation * t - r) / stride``. Each remainder begins at the first such position inside the
    image, so that all have as many.
    """
    padded, width = _padded(s.outer, s.inner, s.groups, lanes)
    channels = s.outer * s.groups
    before = [p for p, _ in s.padding]
    grid = tuple(-(-m // t) for m, t in zip(s.size, s.stride, strict=True))
    low = tuple(p // t for p, t in zip(before, s.stride, strict=True))  # for the largest remainder
    reach = tuple(d * (k - 1) // t for d, k, t in zip(s.dilation, s.kernel, s.stride, strict=True))
    seen = tuple(
        m + e + -(-p // t) - a for m, e, p, t, a in zip(grid, reach, before, s.stride, low, strict=True)
    )  # the remainder 0 begins last
    blocks = cut(s.n, channels, width, grid, 1, seen, threads)
    _, h, w = blocks.shape
    problems: list[int] = []
    taps: list[int] = []
    elements: list[tuple[int, ...]] = []
    packed = 0
    for rest in itertools.product(*map(range, s.stride)):
        start = [-(-(p - r) // t) for p, r, t in zip(before, rest, s.stride, strict=True)]
        later = [a - b for a, b in zip(start, low, strict=True)]
        found = []
        for number, t in enumerate(itertools.product(*map(range, s.kernel))):
            away = [d * i - r for d, i, r in zip(s.dilation, t, rest, strict=True)]
            if all(e % m == 0 for e, m in zip(away, s.stride, strict=True)):
                a, b, c = (x + y - e // m for x, y, e, m in zip(reach, later, away, s.stride, strict=True))
                found.append((number, ((a * h + b) * w + c) * channels))
        first = [q * t + r - p for q, t, r, p in zip(start, s.stride, rest, before, strict=True)]
        found.sort(key=lambda pair: pair[1])
        starts, depth = runs([offset for _, offset in found], s.outer, channels)
        problems += [*first, len(taps), len(starts), packed, depth]
        taps += starts
        elements.append(tuple(number for number, _ in found))
        packed += width * len(found) * s.outer
    return Correlation(
        (s.groups, s.outer, s.inner, padded), blocks, tuple(a - e for a, e in zip(low, reach, strict=True)), 1, grid,
        s.stride, table(offsets(blocks, channels, grid, (1, 1, 1)), 2 * rows), table(problems), table(taps or [0]),
        tuple(elements), packed, width,
    )  # fmt: skip


@functools.lru_cache(maxsize=256)
def element_tables(p: Correlation, kernel: Ints, steps: Ints) -> tuple[Any, ...]:
    """Tables of where the kernel's elements of each problem lie in weights with these steps between elements."""
    every = [sum(i * n for i, n in zip(t, steps, strict=True)) for t in np.ndindex(*kernel)]
    return tuple([table([every[t] for t in chosen] or [0]) for chosen in p.elements])


@dataclasses.dataclass(frozen=True)
class WeightSums:
    """What `correlate_weights` needs to know beside the arrays."""

    groups: Ints
    blocks: Blocks
    elements: Any
    lines: Any
    rows: int
    positions: Any
    taps: int
    sums: int  # how many numbers they are


@functools.lru_cache(maxsize=128)
def weights(s: Shape, threads: int, rows: int, lanes: int) -> WeightSums:
    """The gradient of the weights: kernel elements and channels by positions."""
    seen = _seen(s)
    channels = s.inner * s.groups
    blocks = cut(s.n, channels, s.outer * s.groups, s.out, s.stride[0], seen, threads)
    _, h, w = blocks.shape
    taps = np.array(
        [
            ((a * s.dilation[0] * h + b * s.dilation[1]) * w + c * s.dilation[2]) * channels
            for a, b, c in itertools.product(*map(range, s.kernel))
        ]
    )
    elements = table(taps[:, None] + np.arange(s.inner), rows)
    places = offsets(blocks, channels, s.out, s.stride)
    padded, width = _padded(s.inner, s.outer, s.groups, lanes)
    return WeightSums(
        (s.groups, s.inner, s.outer, padded), blocks, elements, table(places[..., 0]), len(elements), table(places),
        len(taps), len(elements) * width,
    )  # fmt: skip
