"""Order on the CPU: large arrays are sorted as integers that hold each element's rank and its place."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..definitions import sorting as plain
from ..definitions import statistics as plain_statistics
from ..definitions.reduction import wide
from . import threads
from .compiled import SHARED, compiled, over, spread, together
from .indexing import gather_elements, scatter_
from .moves import compact, copied

__all__ = ["kth_positions", "median", "places", "sort_positions", "top_positions", "unique_parts"]

FEW = 256  # elements that are sorted as fast as partitioned
LEAST = 2048  # elements from which integers are worth making
KEYS: dict[str, tuple[Any, int]] = {  # types of elements: the integers that have their bits, and those of infinity
    "?": (np.uint8, 0), "b": (np.int8, 0), "B": (np.uint8, 0), "h": (np.int16, 0), "H": (np.uint16, 0),
    "i": (np.int32, 0), "I": (np.uint32, 0), "l": (np.int64, 0), "q": (np.int64, 0), "e": (np.int16, 0x7C00),
    "f": (np.int32, 0x7F800000), "d": (np.int64, 0x7FF0000000000000),
}  # fmt: skip
BRAIN = (np.int16, 0x7F80)


class Rows:
    """The rows of an array along one dimension, as integers; None in ``loops`` where NumPy is to do it."""

    def __init__(self, x: Any, dim: int) -> None:
        kind = BRAIN if x.dtype.name == "bfloat16" else KEYS.get(x.dtype.char)
        small = kind is None or x.size < LEAST or not x.dtype.isnative
        self.loops: Any = None if small else compiled("sorting", x.size)
        if self.loops is None or kind is None:
            return
        self.shape = (*x.shape[:dim], *x.shape[dim + 1 :])
        self.dim, self.n = dim, x.shape[dim]
        rows = copied(x if dim == x.ndim - 1 else np.moveaxis(x, dim, -1)).reshape(-1, self.n)
        bits = np.dtype(kind[0])
        self.bits = rows.view(bits)
        self.args = (kind[1], int(np.iinfo(bits).max))  # what every loop is told of the type
        self.low, self.high = int(np.iinfo(bits).min), int(np.iinfo(bits).max)
        self.index_bits = max(1, (self.n - 1).bit_length())

    def packed(self, down: bool) -> tuple[Any, bool]:
        """Ranks and places, (R, n), and whether the ranks lack bits."""
        wanted = 64 - self.index_bits
        if self.bits.itemsize * 8 > wanted:
            blocks = self.bits.reshape(-1, self.n)
            found = np.empty((len(blocks), 2), np.int64)
            over(self.loops.limits, len(blocks), self.n, blocks, *self.args, found)
            self.low, self.high = int(found[:, 0].min()), int(found[:, 1].max())
        shift = max(0, (self.high - self.low).bit_length() - wanted)
        y = np.empty(self.bits.shape, np.uint64)
        base = self.high if down else self.low
        over(self.loops.pack, y.size, 1, self.bits, *self.args, base, down, shift, self.index_bits, y)
        return y, shift > 0

    def mended(self, y: Any, down: bool) -> bool:
        """Whether sorted rows whose ranks lack bits could be put in order."""
        wrong = np.zeros(1, np.int8)
        over(self.loops.mend, len(y), self.n, self.bits, *self.args, down, self.index_bits, y, wrong)
        return not wrong[0]

    def positions(self, y: Any) -> Any:
        """The places in columns of sorted rows, int64, where ``x`` has its dimension."""
        out = np.empty(y.shape, np.int64)
        over(self.loops.positions, y.size, 1, copied(y).reshape(-1), self.index_bits, out.reshape(-1))
        return self.back(out)

    def back(self, out: Any) -> Any:
        """Rows of results in the order of the dimensions of ``x``."""
        out = out.reshape(*self.shape, out.shape[1])
        return out if self.dim == len(self.shape) else compact(np.moveaxis(out, -1, self.dim))


def sort_positions(x: Any, dim: int, descending: bool = False) -> Any:
    """Where each element of the sorted row comes from; see the definition."""
    if x.size < LEAST:
        return plain.sort_positions(np, x, dim, descending)
    rows = Rows(x, dim)
    if rows.loops is not None:
        y, short = rows.packed(descending)
        _sort(rows.loops, y)
        if not short or rows.mended(y, descending):
            return rows.positions(y)
    return plain.sort_positions(np, x, dim, descending)


def _sort(loops: Any, y: Any) -> None:
    """Sort rows of integers, all of a row different, in place: on all threads, and so parts of a single row."""
    number = threads.get_num_threads()
    if len(y) > 1 or number < 2 or y.size < 4 * SHARED:
        spread(lambda start, stop: y[start:stop].sort(axis=1), *y.shape, python=True)
        return
    row = y[0]
    half = row.size // 2
    together(lambda part: part.sort(), [(row[:half],), (row[half:],)], python=True)
    merged = np.empty_like(row)
    over(loops.merge, row.size, 1, row[:half], row[half:], merged)
    row[...] = merged


def top_positions(x: Any, count: int, dim: int, largest: bool = True) -> Any:
    """Where the ``count`` largest (or least) elements are, in order; see the definition."""
    n = x.shape[dim]
    if not 0 < count < n // 4 or x.size < FEW:
        return sort_positions(x, dim, largest)[(slice(None),) * dim + (slice(0, count),)]
    rows = Rows(x, dim)
    if rows.loops is None:
        return _top_by_numpy(x, count, dim, largest)
    if count * count * math.log(n / count) < EAGER * n:
        return rows.back(_top(rows, count, largest))
    y, short = rows.packed(largest)
    if short:
        return sort_positions(x, dim, largest)[(slice(None),) * dim + (slice(0, count),)]
    _partition(y, count - 1)
    best = copied(y[:, :count])
    best.sort(axis=1)
    return rows.positions(best)


EAGER = 4  # steps of keeping the list of the best in order, for each element, from which a partition is faster
CHUNK = 1 << 15  # elements of a long row that have a list of their own


def _top(rows: Rows, count: int, largest: bool) -> Any:
    """The positions of the best, (R, count). A long row is cut, and the best of all parts are compared."""
    bits, n = rows.bits, rows.n
    if len(bits) > 8 or n < 4 * CHUNK:
        out = np.empty((len(bits), count), np.int64)
        over(rows.loops.top, len(bits), n, bits, *rows.args, largest, out)
        return out
    whole = n // CHUNK * CHUNK
    parts = bits[:, :whole].reshape(-1, CHUNK)
    found = np.empty((len(parts), count), np.int64)
    over(rows.loops.top, len(parts), CHUNK, parts, *rows.args, largest, found)
    found = found.reshape(len(bits), -1, count) + np.arange(0, whole, CHUNK)[:, None]
    rest = np.broadcast_to(np.arange(whole, n), (len(bits), n - whole))
    places = np.concatenate([found.reshape(len(bits), -1), rest], axis=1)
    best = np.empty((len(bits), count), np.int64)
    rows.loops.top(np.take_along_axis(bits, places, 1), *rows.args, largest, best, 0, len(bits))
    return np.take_along_axis(places, best, 1)


def _top_by_numpy(x: Any, count: int, dim: int, largest: bool) -> Any:
    """A partition finds the largest, and only they are sorted. Of equal ones at the end, any may be in the list."""
    n, keys = x.shape[dim], wide(x)
    place = n - count if largest else count - 1
    chosen = (slice(None),) * dim + (slice(place, None) if largest else slice(0, count),)
    positions = np.sort(np.argpartition(keys, place, axis=dim)[chosen], axis=dim)  # equal ones in their old order
    order = plain.sort_positions(np, np.take_along_axis(keys, positions, dim), dim, largest)
    return np.take_along_axis(positions, order, dim)


def _partition(y: Any, *places: int) -> None:
    """Partition rows of integers at places, in place and on all threads."""
    spread(lambda start, stop: y[start:stop].partition(places, axis=1), *y.shape, python=True)


def kth_positions(x: Any, count: int, dim: int) -> Any:
    """Where the element is that is number ``count`` of its sorted row; see the definition."""
    rows = Rows(x, dim)
    if rows.loops is not None:
        y, short = rows.packed(False)
        if not short:
            _partition(y, count - 1)
            return rows.positions(y[:, count - 1 : count])
    return plain.sort_positions(np, x, dim)[(slice(None),) * dim + (slice(count - 1, count),)]


def median(x: Any, axis: int) -> Any:
    """The lower median and its index; see the definition."""
    if x.size < LEAST:
        return plain_statistics.median(np, x, axis)
    places = kth_positions(x, (x.shape[axis] + 1) // 2, axis)
    if x.dtype.kind in "fV" and bool((wrong := x != x).any()):
        first = wrong.argmax(axis=axis, keepdims=True)
        places = np.where(wrong.any(axis=axis, keepdims=True), first, places)
    return np.take_along_axis(x, places, axis), places


def places(row: Any, values: Any, right: bool = False) -> Any:
    """Before how many elements of one ascending row each value goes; see the definition."""
    alike = row.dtype == values.dtype and row.dtype.char in "fdil" and row.flags.c_contiguous and row.dtype.isnative
    loops = compiled("sorting", values.size) if alike else None
    if loops is None:
        return plain.places(np, row, values, right)
    out = np.empty(values.shape, np.int64)
    over(loops.search, values.size, 8, row, copied(values).reshape(-1), right, out.reshape(-1))
    return out


def unique_parts(x: Any, axis: int | None) -> Any:
    """The different elements in order, each element's place among them, and their counts; see the definition."""
    if axis is not None or x.size < LEAST or x.dtype.kind == "c":
        return plain_statistics.unique_parts(np, x, axis)
    flat = x.reshape(-1)
    order = sort_positions(flat, 0)
    ordered = gather_elements(flat, order, 0)
    new = np.empty(x.size, bool)
    new[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    starts = np.flatnonzero(new)
    inverse = np.empty(x.size, np.int64)
    scatter_(inverse, order, np.cumsum(new) - 1, 0)
    return ordered[starts], inverse.reshape(x.shape), np.diff(starts, append=x.size)
