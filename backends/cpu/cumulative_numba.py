"""Running sums, products and extremes compiled. Imported only when it pays."""

from __future__ import annotations

from typing import Any

import numpy as np

from .crew_numba import enter
from .jit_numba import loop

__all__: list[str] = []  # found through cpu/cumulative.py


@loop
def running(x: Any, times: bool, reverse: bool, total: Any, y: Any, first: int, last: int) -> None:
    """Running sums, or products, of rows (R, n), kept in the type of ``total``: 0, or 1."""
    enter()
    for r in range(first, last):
        source, out, held = x[r], y[r], total
        if reverse:
            source, out = source[::-1], out[::-1]
        if times:
            for i in range(out.size):
                held *= source[i]
                out[i] = held
        else:
            for i in range(out.size):
                held += source[i]
                out[i] = held


@loop
def running_across(x: Any, times: bool, reverse: bool, total: Any, y: Any, first: int, last: int) -> None:
    """The same along the middle dimension of (A, n, B), for columns ``first`` to ``last``."""
    enter()
    n = x.shape[1]
    held = np.full(last - first, total)
    for a in range(x.shape[0]):
        held[:] = total
        for j in range(n):
            i = n - 1 - j if reverse else j
            source, out = x[a, i, first:last], y[a, i, first:last]
            if times:
                for b in range(held.size):
                    held[b] *= source[b]
                    out[b] = held[b]
            else:
                for b in range(held.size):
                    held[b] += source[b]
                    out[b] = held[b]


@loop
def extreme(x: Any, largest: bool, y: Any, index: Any, first: int, last: int) -> None:
    """The running maximum or minimum of rows (R, n), and where it was last; NaN is both."""
    enter()
    for r in range(first, last):
        source, out, places = x[r], y[r], index[r]
        best, place = source[0], 0
        for i in range(out.size):
            value = source[i]
            if value != value or (value >= best if largest else value <= best):
                best, place = value, i
            out[i], places[i] = best, place


@loop
def extreme_across(x: Any, largest: bool, y: Any, index: Any, first: int, last: int) -> None:
    """The same along the middle dimension of (A, n, B), for columns ``first`` to ``last``."""
    enter()
    for a in range(x.shape[0]):
        y[a, 0, first:last] = x[a, 0, first:last]
        index[a, 0, first:last] = 0
        for i in range(1, x.shape[1]):
            source, out, before = x[a, i, first:last], y[a, i, first:last], y[a, i - 1, first:last]
            places, old = index[a, i, first:last], index[a, i - 1, first:last]
            for b in range(out.size):
                value, best = source[b], before[b]
                new = value != value or (value >= best if largest else value <= best)
                out[b] = value if new else best
                places[b] = i if new else old[b]
