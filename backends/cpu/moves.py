"""Copies on all threads: large arrays of any element type and in any order, and what is made of copies."""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import numpy as np

from ..definitions import cumulative as plain_cumulative
from ..definitions import indexing as plain
from . import threads
from .addresses import address
from .compiled import SHARED, compiled, over, pieces, together

__all__ = ["compact", "concatenate", "copy_into", "full", "ones", "progression", "roll", "stack", "tile", "triangle"]

MANY = 2 * SHARED  # elements from which on a second thread is worth asking, where one takes a nanosecond
SHORT = 8  # elements along the innermost dimension, below which another one is better within the loop
RUN = 256  # bytes of a run that NumPy copies or fills as fast
TILES = 16  # elements along two dimensions, from which a transpose goes tile by tile
LEAST = 1 << 16  # bytes, from which a compiled copy is worth the planning where NumPy goes element by element
RUNS = 1 << 20  # and where it copies whole runs, or fills them
BYTES = 1 << 18  # of a thread's part, so that asking for its help is worth it


def copy_into(x: Any, y: Any) -> None:
    """``x[...] = y``; see the definition."""
    array = y.__class__ is np.ndarray
    runs = x.nbytes < RUNS and x.flags.c_contiguous and (not array or y.flags.c_contiguous)
    if x.nbytes < LEAST or runs or not _copied(x, y if array else np.full((), y, x.dtype)):
        x[...] = y


def _copied(x: Any, y: Any) -> bool:
    """Whether ``y``, broadcast, has been copied into ``x``."""
    kind = x.dtype
    if (y.dtype is not kind and y.dtype != kind) or y.ndim > x.ndim:
        return False
    if y.shape != x.shape:
        y = np.broadcast_to(y, x.shape)  # NumPy says what is wrong
    plan = _plan(x.shape, x.strides, y.strides, kind, threads.get_num_threads())
    if plan is None or x.nbytes < plan[4] or not (x.flags.behaved and y.flags.aligned) or overlap(x, y):
        return False
    if (loops := compiled("moves", x.size)) is None:
        return False
    name, width, table, parts, _ = plan
    together(getattr(loops, name), [(width, table, address(x), address(y), *part) for part in parts])
    return True


@functools.lru_cache(1024)
def _plan(shape: tuple[int, ...], to: tuple[int, ...], of: tuple[int, ...], kind: Any, number: int) -> Any:
    """How to copy from one layout to another: a loop's name and arguments, those of parts, bytes from which it pays.

    None where NumPy is to do it.
    """
    if kind.hasobject or kind.itemsize not in (1, 2, 4, 8, 16) or not kind.isnative:
        return None
    width, sizes, steps = kind.itemsize, list(shape), [list(to), list(of)]
    if width == 16:  # two words
        width, sizes, steps = 8, [*sizes, 2], [[*s, 8] for s in steps]
    order = sorted(range(len(sizes)), key=lambda d: (-abs(steps[0][d]), -abs(steps[1][d])))
    lengths, moves = merged(sizes, order, steps)
    if len(lengths) > 4 or any(step % width for both in moves for step in both):
        return None
    if len(lengths) > 1:
        _choose_inner(lengths, moves, width)
    table = np.zeros((3, 4), np.int64)
    table[0] = 1
    table[0, : len(lengths)] = lengths
    table[1:, : len(lengths)] = np.transpose(moves)
    (n0, n1, n2, n3), (step, *_), (stride, across, *_) = table.tolist()
    tiles = step == width and abs(stride) > width and across == width and n0 >= TILES and n1 >= TILES
    rows = (-(-n1 // TILES) if tiles else n1) * n2 * n3
    runs = step == width and stride in (0, width) and n0 * width >= RUN
    number = max(1, min(number, n0 * n1 * n2 * n3 * width // (RUNS if runs else BYTES)))
    if rows > 1:
        parts = [(a, b, 0, n0) for a, b in pieces(rows, number)]
    else:
        parts = [(0, 1, a, b) for a, b in pieces(n0, number)]
    return "transpose" if tiles else "copy", width, table, parts, RUNS if runs else LEAST


def _choose_inner(lengths: list[int], moves: list[list[int]], width: int) -> None:
    """Put a long dimension within the loop, and behind it the one along which what is read has no gaps."""
    if lengths[0] < SHORT:
        longest = max(range(len(lengths)), key=lambda d: lengths[d])
        lengths.insert(0, lengths.pop(longest))
        moves.insert(0, moves.pop(longest))
        return
    for d in range(2, len(lengths)):
        if moves[d][1] == width and lengths[d] >= TILES:
            lengths.insert(1, lengths.pop(d))
            moves.insert(1, moves.pop(d))


def merged(shape: Any, order: list[int], strides: list[Any]) -> tuple[list[int], list[list[int]]]:
    """Dimensions, the innermost first, with those in one that all operands step through evenly; their steps."""
    sizes: list[int] = []
    steps: list[list[int]] = []
    for d in reversed(order):
        here = [s[d] for s in strides]
        if shape[d] == 1:
            continue
        if sizes and here == [step * sizes[-1] for step in steps[-1]]:
            sizes[-1] *= shape[d]
        else:
            sizes.append(shape[d])
            steps.append(here)
    return sizes, steps


def overlap(x: Any, y: Any) -> bool:
    """Whether ``y`` has memory of ``x``, but not element by element."""
    if y.__class__ is not np.ndarray or not np.may_share_memory(x, y):
        return False
    return not (address(x) == address(y) and x.strides == y.strides)


# ---------------------------------------------------------------------- arrays in another order


STRIP = 16  # elements along the last dimension: of float32 they fill the lines of memory that they are written to
FAR = 1024  # bytes between neighbours from which a copy element by element loses its lines before they are used up


def compact(x: Any) -> Any:
    """A copy in C order."""
    if x.nbytes >= LEAST and (x.nbytes >= RUNS or not x.flags.c_contiguous):
        y = np.empty(x.shape, x.dtype)
        if _copied(y, x):
            return y
    if not x.ndim or x.strides[-1] < FAR or x.shape[-1] <= STRIP or 0 in x.shape:
        return x.copy("C")
    y = np.empty(x.shape, x.dtype)
    for start in range(0, x.shape[-1], STRIP):
        y[..., start : start + STRIP] = x[..., start : start + STRIP]
    return y


def copied(x: Any) -> Any:
    """The array, or a copy in C order of one that does not lie so."""
    return x if x.flags.c_contiguous else compact(x)


def concatenate(arrays: Any, axis: int = 0) -> Any:
    """``np.concatenate``; large arrays are shared out among threads."""
    first = arrays[0]
    if sum([x.nbytes for x in arrays]) < RUNS * len(arrays) or any(x.dtype != first.dtype for x in arrays):
        return np.concatenate(arrays, axis=axis)
    if not (-first.ndim <= axis < first.ndim) or any(x.ndim != first.ndim for x in arrays):
        return np.concatenate(arrays, axis=axis)
    axis %= first.ndim
    around = (first.shape[:axis], first.shape[axis + 1 :])
    plain_order = all(x.flags.c_contiguous or not any(x.strides) for x in arrays)
    alike = plain_order and all((x.shape[:axis], x.shape[axis + 1 :]) == around for x in arrays)
    if not alike:  # NumPy knows how the result lies, or says what is wrong
        return np.concatenate(arrays, axis=axis)
    ends = [0, *itertools.accumulate([x.shape[axis] for x in arrays])]
    y = np.empty((*around[0], ends[-1], *around[1]), first.dtype)
    for x, start, end in zip(arrays, ends, ends[1:], strict=False):
        copy_into(y[(slice(None),) * axis + (slice(start, end),)], x)
    return y


def stack(arrays: Any, axis: int = 0) -> Any:
    """``np.stack``; large arrays are shared out among threads."""
    first = arrays[0]
    large = first.nbytes >= (LEAST if axis else RUNS) and first.flags.c_contiguous
    if (
        not large
        or not -first.ndim - 1 <= axis <= first.ndim
        or any(x.shape != first.shape or x.dtype != first.dtype for x in arrays)
    ):
        return np.stack(arrays, axis=axis)
    axis %= first.ndim + 1
    y = np.empty((*first.shape[:axis], len(arrays), *first.shape[axis:]), first.dtype)
    for i, x in enumerate(arrays):
        copy_into(y[(slice(None),) * axis + (i,)], x)
    return y


def roll(x: Any, shift: tuple[int, ...], axis: tuple[int, ...]) -> Any:
    """``np.roll``; large arrays are shared out among threads."""
    if shift.__class__ is not tuple or not x.flags.c_contiguous or not x.size:
        return np.roll(x, shift, axis)
    by = dict.fromkeys(axis, 0)
    for s, d in zip(shift, axis, strict=True):
        by[d] += s
    y = np.empty(x.shape, x.dtype)
    moves = []
    for d, n in enumerate(x.shape):
        s = by.get(d, 0) % n
        whole = [(slice(None), slice(None))]
        moves.append([(slice(s, None), slice(0, n - s)), (slice(0, s), slice(n - s, None))] if s else whole)
    for parts in itertools.product(*moves):
        copy_into(y[tuple([to for to, _ in parts])], x[tuple([of for _, of in parts])])
    return y


def tile(x: Any, sizes: tuple[int, ...]) -> Any:
    """``np.tile``; large results are shared out among threads."""
    if sizes.__class__ is not tuple or len(sizes) != x.ndim or math.prod(sizes) * x.nbytes < LEAST:
        return np.tile(x, sizes)
    y = np.empty([times * n for times, n in zip(sizes, x.shape, strict=True)], x.dtype)
    apart = y.reshape([n for pair in zip(sizes, x.shape, strict=True) for n in pair])
    copy_into(apart, x.reshape([n for pair in zip((1,) * x.ndim, x.shape, strict=True) for n in pair]))
    return y


# ---------------------------------------------------------------------- arrays made from numbers


def full(shape: Any, value: Any, dtype: Any) -> Any:
    """``np.full``; large arrays are shared out among threads."""
    y = np.empty(shape, dtype)
    if y.nbytes >= RUNS:
        copy_into(y, np.full((), value, y.dtype))
    elif y.dtype.char in "?fdlq":
        y.fill(value)
    else:
        y[...] = np.full((), value, y.dtype)
    return y


def ones(shape: Any, dtype: Any = float) -> Any:
    """``np.ones``; large arrays are shared out among threads."""
    return full(shape, 1, dtype)


def progression(first: float, step: float, count: int, dtype: Any) -> Any:
    """``first, first + step, ...``; see the definition."""
    loops = compiled("moves", count) if dtype.char in "ilqfd" else None
    if loops is None:
        return plain_cumulative.progression(np, first, step, count, dtype)
    y = np.empty(count, dtype)
    if dtype.kind == "i":
        over(loops.count_up, count, 1, y, np.int64(first), np.int64(step))
    else:
        over(loops.count_up_by, count, 1, y, float(first), float(step))
    return y


def triangle(x: Any, offset: int, upper: bool) -> Any:
    """The matrices of ``x`` with zeros on one side of a diagonal; see the definition."""
    plain_bytes = x.flags.carray and not x.dtype.hasobject and x.size
    if not plain_bytes or (loops := compiled("moves", x.size)) is None:
        return plain.triangle(np, x, offset, upper)
    y = np.empty(x.shape, x.dtype)
    rows, columns = x.shape[-2:]
    offset = max(min(offset, columns), -rows - 1)
    args = (address(y), address(x), x.itemsize, rows, columns, offset, upper)
    over(loops.triangle, x.size // columns, columns, *args)
    return y
