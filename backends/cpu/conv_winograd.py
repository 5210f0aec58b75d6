"""Which 3x3 convolutions go by Winograd's transforms, and in which blocks; the kernels are compiled."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from . import conv_direct_numba as direct
from . import conv_plan as plan
from . import conv_winograd_numba as kernels
from .conv_plan import Shape, address, strides, three, whole
from .simd_numba import LANES, ROWS, WIDE
from .winograd_numba import SPARE
from .workers import scratch, share

if TYPE_CHECKING:
    from ..definitions.conv import Ints, Pairs

__all__: list[str] = []  # found through conv_numba.py

LIMIT = 1 << 18  # numbers of a block's transformed inputs and products
MOST = 128  # tiles of a block; half of that where a block would be larger than the limit
HELD = 1 << 20  # numbers of transformed inputs and gradients that wait for their product
# Cycles of a vector's transforms there and back for one tile, and of one kernel's, relative to 2 products of vectors.
TILE, KERNEL = {2: 120, 4: 360}, {2: 45, 4: 130}


@functools.lru_cache(maxsize=512)
def tile_of(s: Shape) -> int:
    """Outputs of a tile in each direction, 2 or 4; 0 where a direct convolution is as fast."""
    flat = s.size[1] == 1 and s.kernel == (3, 1, 3) and s.stride == (1, 1, 1) and s.dilation == (1, 1, 1)
    if not flat or s.groups != 1 or min(s.inner, s.outer) < LANES or min(s.out[0], s.out[2]) < 2:
        return 0
    vectors = -(-s.outer // LANES)
    best, least = 0, 0.85 * s.n * s.out[0] * s.out[2] * 9 * s.inner * vectors
    for m in (2, 4):
        tiles = s.n * -(-s.out[0] // m) * -(-s.out[2] // m)
        products = tiles * (m + 2) ** 2 * s.inner * vectors
        moves = tiles * TILE[m] * (s.inner + s.outer) / LANES / 2 + KERNEL[m] * s.inner * vectors
        if products + moves < least:
            best, least = m, products + moves
    return best


def _rounded(count: int) -> int:
    """Numbers up to the next cache line, and one line more for vectors that reach beyond the end."""
    return whole(count, 16) + WIDE


@functools.lru_cache(maxsize=128)
def _blocks(n: int, m: int, inner: int, width: int, out: Ints, threads: int) -> tuple[plan.Blocks, Ints, int, Any]:
    """Blocks of tiles, how many rows and columns of tiles there are, how many a block has, and their table."""
    grid = -(-out[0] // m), 1, -(-out[2] // m)
    most = min(max(LIMIT // ((m + 2) ** 2 * (inner + width)), MOST // 2), MOST)
    area = grid[0] * grid[2]
    if area <= most or n * grid[0] == 1:
        per, band = _least(n, area, most, threads), grid[0]
    else:
        per, band = 1, _least(grid[0], grid[2], most, -(-threads // n))
    bands = -(-grid[0] // band)
    part = band * m + 2, 1, grid[2] * m + 2
    blocks = plan.Blocks(per, band, bands, -(-n // per) * bands, part, math.prod(part) * inner)
    count = per * band * grid[2]
    return blocks, grid, count, plan.table(np.arange(whole(count, ROWS)) * inner)


def _least(number: int, tiles: int, most: int, threads: int) -> int:
    """How many of ``number`` lines of tiles to take at a time, so that the fewest rows of a product are wasted."""

    def rows(take: int) -> tuple[int, int]:
        full, rest = divmod(number, take)
        return full * whole(take * tiles, ROWS) + whole(rest * tiles, ROWS), -take

    shared = number if number * tiles <= most else max(1, number // threads)
    return min(range(1, max(1, min(shared, most // tiles)) + 1), key=rows)


def _laid(sizes: list[int]) -> tuple[list[int], int]:
    """Where memories of these sizes begin behind one another, and their total."""
    starts = [0]
    for size in sizes:
        starts.append(starts[-1] + _rounded(size))
    return starts[:-1], starts[-1]


ZERO = np.zeros(1, np.int64)


def convolve(
    m: int, x: Any, x_size: Ints, w: Any, shift: Any, y: Any, y_size: Ints, before: Pairs, turned: bool, number: int
) -> None:
    """Write the convolution of ``x`` with ``w`` to ``y``.

    Args:
        m: outputs of a tile in each direction.
        x: (N, C, H, W).
        x_size: its sizes in three dimensions.
        w: (K, C, 3, 3), or (C, K, 3, 3) where it is turned.
        shift: one bias per channel of ``y``.
        y: (N, K, H', W').
        y_size: its sizes in three dimensions.
        before: the padding.
        turned: whether to turn the kernels around, for the gradient of an input.
        number: of threads at most.
    """
    n, inner, outer, e = len(x), x.shape[1], y.shape[1], m + 2
    padded = whole(outer, LANES)
    panels = -(-padded // WIDE)
    blocks, grid, count, table = _blocks(n, m, inner, padded, y_size, number)
    packed = pack(w, inner, outer, padded, turned, number)
    single = blocks.count == 1  # then panels are shared out, and each is transformed where it is used
    held = 0 if single else e * e * inner * padded
    transformed = scratch(held + WIDE, "transformed")
    slabs = (whole(count, ROWS) * inner + 16, whole(count, ROWS) * (WIDE if single else padded) + 16)
    block = blocks.per * blocks.area
    sizes = [block, e * e * slabs[0], e * e * slabs[1], max(block, m * m * count * padded)]
    places, slot = _laid([*sizes, e * e * inner * WIDE if single else 0, SPARE])
    memory = scratch(number * slot)
    if not single:
        share(
            kernels.prepare, panels, min(number, panels), m, address(packed), inner, padded, address(transformed),
            address(memory), SPARE,
        )  # fmt: skip
    parts = min(panels, number) if single else 1
    share(
        kernels.convolve, blocks.count * parts, min(number, blocks.count * parts), m, (address(x), n), strides(x),
        x_size, (address(y), address(shift)), strides(y), y_size,
        (address(packed), 0 if single else address(transformed)), (inner, outer, padded), blocks.numbers,
        (parts, panels), tuple(-p for p, _ in before), blocks.shape, grid, (address(table), address(ZERO)),
        (address(memory), slot), tuple(places[1:]), slabs,
    )  # fmt: skip


@functools.lru_cache(maxsize=64)
def _nine(steps: Ints, turned: bool) -> Any:
    """The table of a kernel's elements, in weights with these steps from one to the next."""
    return plan.table([a * steps[0] + b * steps[2] for a in range(3) for b in range(3)][:: -1 if turned else 1])


def pack(w: Any, inner: int, outer: int, padded: int, turned: bool, number: int) -> Any:
    """Weights in panels (9, inner, width)."""
    k, c, *rest = [i // w.itemsize for i in w.strides]
    taps = _nine(three(rest, 0), turned)
    packed = scratch(9 * inner * padded + WIDE, "packed")
    panels = -(-padded // WIDE)
    ways = (c, k, 0) if turned else (k, c, 0)
    share(
        direct.pack, panels, min(number, panels), address(w), ways, address(taps), 9, inner, outer, panels, padded,
        address(packed),
    )  # fmt: skip
    return packed


def weight_gradient(m: int, x: Any, g: Any, s: Shape, number: int) -> Any:
    """The gradient of the weights, (K, C, 3, 3)."""
    n, inner, outer, e = s.n, s.inner, s.outer, m + 2
    padded, rows = whole(outer, LANES), whole(inner, ROWS)
    panels = -(-padded // WIDE)
    blocks, grid, count, _ = _blocks(n, m, inner, padded, s.out, number)
    most = max(1, min(blocks.count, max(HELD // (e * e * (inner + outer)), 128) // count))  # blocks at a time
    slabs = (whole(most * count * inner, 16) + 16, whole(most * count * outer, 16) + 16)
    block = blocks.per * blocks.area
    places, slot = _laid([block, max(block, m * m * count * outer), SPARE])
    memory = scratch(number * slot)
    held = scratch(e * e * sum(slabs) + 2 * WIDE, "transformed")
    targets = (address(held), address(held) + 4 * (e * e * slabs[0] + WIDE), *slabs)
    elements = plan.table(np.arange(inner), ROWS)
    w = np.empty((outer, inner, 3, 3), np.float32)
    single = most >= blocks.count
    panel = e * e * rows * WIDE + 16
    sums = scratch((min(number, panels) if single else panels) * panel, "packed")
    tiles = n * grid[0] * grid[2]
    done = 0
    for at in range(0, blocks.count, most):
        some = min(most, blocks.count - at)
        share(
            kernels.transform_both, some, min(number, some), m, (address(x), n), strides(x), s.size, address(g),
            strides(g), s.out, (inner, outer), blocks.numbers, tuple(-p for p, _ in s.padding), blocks.shape, grid, at,
            targets, (address(memory), slot, places[1], places[2]),
        )  # fmt: skip
        last = at + some >= blocks.count
        now = tiles if last else _tiles(at + some, blocks, grid)
        share(
            kernels.add_products, panels, min(number, panels), m, targets, now - done, (inner, outer, padded),
            (address(elements), address(ZERO), rows), (address(sums), panel, 0 if single else 1), int(at > 0),
            address(w) if last else 0, (address(memory), slot),
        )  # fmt: skip
        done = now
    return w


def _tiles(number: int, blocks: plan.Blocks, grid: Ints) -> int:
    """How many tiles the blocks before ``number`` have; none of them is the last."""
    whole_images, rest = divmod(number, blocks.bands)
    return (whole_images * blocks.per * grid[0] + rest * blocks.band) * math.prod(grid[1:])
