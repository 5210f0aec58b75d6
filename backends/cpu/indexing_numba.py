"""Elements at positions compiled: read, written and combined, each row by one thread. Imported only when it pays.

What is read or written has shape (A, n, B), C order; positions and values have shape (A, m, B). Positions are checked
on the way: a wrong one stands for the first, and is told of by ``wrong``, int8 (1,).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .crew_numba import enter
from .jit_numba import inlined, loop

__all__: list[str] = []  # found through cpu/indexing.py

WRITE, ADD, MOST, LEAST, MULTIPLY = range(5)  # what becomes of an element and of what comes to it


@loop
def gather(x: Any, index: Any, y: Any, wrong: Any, first: int, last: int) -> None:
    """``y[a, j] = x[a, index[a, j]]`` of matrices, for elements ``first`` to ``last`` of ``y``."""
    enter()
    n, m = x.shape[1], index.shape[1]
    place = first
    while place < last:
        a = place // m
        start, stop = place - a * m, min(m, last - a * m)
        row, positions, out = x[a], index[a, start:stop], y[a, start:stop]
        for j in range(out.size):
            i = positions[j]
            if i < 0 or i >= n:
                wrong[0] = 1
                i = 0
            out[j] = row[i]
        place = a * m + stop


@loop
def gather_across(x: Any, index: Any, y: Any, wrong: Any, first: int, last: int) -> None:
    """``y[a, j, b] = x[a, index[a, j, b], b]`` for rows ``first`` to ``last`` of ``y``, (A * m, B)."""
    enter()
    n, m = x.shape[1], index.shape[1]
    for r in range(first, last):
        a, j = r // m, r % m
        block, positions, out = x[a], index[a, j], y[a, j]
        for b in range(out.size):
            i = positions[b]
            if i < 0 or i >= n:
                wrong[0] = 1
                i = 0
            out[b] = block[i, b]


@loop
def take(x: Any, index: Any, y: Any, wrong: Any, negative: bool, first: int, last: int) -> None:
    """``y[a, j] = x[a, index[j]]`` for elements ``first`` to ``last`` of ``y``; maybe counted from the end."""
    enter()
    n, m = x.shape[1], index.size
    place = first
    while place < last:
        a = place // m
        start, stop = place - a * m, min(m, last - a * m)
        row, positions, out = x[a], index[start:stop], y[a, start:stop]
        for j in range(out.size):
            i = positions[j]
            if i < 0 and negative:
                i += n
            if i < 0 or i >= n:
                wrong[0] = 1
                i = 0
            out[j] = row[i]
        place = a * m + stop


@loop
def outside(index: Any, low: int, high: int, wrong: Any, first: int, last: int) -> None:
    """Tell of positions below ``low``, and from ``high`` on."""
    enter()
    part, any_outside = index[first:last], False
    for i in range(part.size):
        any_outside |= (part[i] < low) | (part[i] >= high)
    if any_outside:
        wrong[0] = 1


@inlined
def combined(how: int, old: Any, new: Any) -> Any:
    """An element and what comes to it; NaN is the larger and the smaller one."""
    if how == ADD:
        return old + new
    if how == MOST:
        return old if old >= new or old != old else new
    if how == LEAST:
        return old if old <= new or old != old else new
    if how == MULTIPLY:
        return old * new
    return new


@loop
def scatter(x: Any, index: Any, values: Any, how: int, first: int, last: int) -> None:
    """``x[a, index[a, j]]`` combined with ``values[a, j]`` in the order of ``j``, for rows ``first`` to ``last``."""
    enter()
    for a in range(first, last):
        row, positions, new = x[a], index[a], values[a]
        if how == WRITE:
            for j in range(positions.size):
                row[positions[j]] = new[j]
        elif how == ADD:
            for j in range(positions.size):
                row[positions[j]] += new[j]
        else:
            for j in range(positions.size):
                i = positions[j]
                row[i] = combined(how, row[i], new[j])


@loop
def scatter_across(x: Any, index: Any, values: Any, how: int, first: int, last: int) -> None:
    """The same along the middle dimension, for columns ``first`` to ``last`` of the last one."""
    enter()
    for a in range(x.shape[0]):
        for j in range(index.shape[1]):
            positions, new = index[a, j, first:last], values[a, j, first:last]
            target = x[a, :, first:last]
            for b in range(new.size):
                i = positions[b]
                target[i, b] = combined(how, target[i, b], new[b])


@loop
def add_rows(x: Any, index: Any, rows: Any, first: int, last: int) -> None:
    """``x[index[i]] += rows[i]`` for columns ``first`` to ``last``; the positions are known to be there."""
    enter()
    for i in range(index.size):
        target, row = x[index[i], first:last], rows[i, first:last]
        for j in range(row.size):
            target[j] += row[j]


@loop
def add_columns(x: Any, index: Any, values: Any, first: int, last: int) -> None:
    """``x[a, index[j]] += values[a, j]`` for rows ``first`` to ``last``; the positions are known to be there."""
    enter()
    for a in range(first, last):
        row, new = x[a], values[a]
        for j in range(index.size):
            row[index[j]] += new[j]


@loop
def count(index: Any, counts: Any, first: int, last: int) -> None:
    """How often each number is among elements ``first`` to ``last``."""
    enter()
    for place in range(first, last):
        counts[index[place]] += 1


@loop
def flatten(index: Any, size: int, places: Any, wrong: Any, first: int, last: int) -> None:
    """Positions in one more dimension of ``size``: ``places`` becomes ``places * size + index``."""
    enter()
    part, out = index[first:last], places[first:last]
    for j in range(out.size):
        i = part[j]
        if i < 0:
            i += size
        if i < 0 or i >= size:
            wrong[0] = 1
            i = 0
        out[j] = out[j] * size + i


@loop
def unravel(places: Any, shape: Any, out: Any, first: int, last: int) -> None:
    """Ascending places in a flattened array as positions in each dimension.

    Args:
        places: int64 (m,).
        shape: int64, the sizes of all dimensions.
        out: int64, (dimensions, m).
        first: the first place.
        last: the place after the last.
    """
    enter()
    ndim = shape.size
    n, begin, end = shape[ndim - 1], 0, 0
    held = np.zeros(ndim, np.int64)
    for i in range(first, last):
        place = places[i]
        if place >= end:
            rest = place // n
            begin, end = rest * n, rest * n + n
            for d in range(ndim - 2, -1, -1):
                held[d] = rest % shape[d]
                rest //= shape[d]
        for d in range(ndim - 1):
            out[d, i] = held[d]
        out[ndim - 1, i] = place - begin
