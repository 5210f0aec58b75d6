"""Arithmetic that takes NumPy several passes over memory, compiled; for arrays of one type that lie without gaps.

NumPy's own functions of one or two arrays run on threads as they are: see ``functions.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .crew_numba import enter
from .jit_numba import loop, summing

__all__: list[str] = []  # found through elementwise.py and reduction.py


@loop
def product(g: Any, d: Any, out: Any) -> None:
    """``g * d``, and 0 where ``g`` is 0."""
    enter()
    for i in range(out.size):
        out[i] = g[i] if g[i] == 0 else g[i] * d[i]


@loop
def quotient(g: Any, d: Any, out: Any) -> None:
    """``g / d``, and 0 where ``g`` is 0."""
    enter()
    for i in range(out.size):
        q = g[i] / d[i]
        out[i] = g[i] if g[i] == 0 else q


@loop
def add_scaled_into(x: Any, y: Any, factor: Any) -> None:
    """``x += factor * y``."""
    enter()
    for i in range(x.size):
        x[i] += factor * y[i]


@loop
def clamp(x: Any, out: Any, low: Any, high: Any) -> None:
    """``min(max(x, low), high)``; NaN stays."""
    enter()
    for i in range(out.size):
        y = low if x[i] < low else x[i]
        out[i] = high if y > high else y


@loop
def cube(x: Any, out: Any) -> None:
    enter()
    for i in range(out.size):
        out[i] = x[i] * x[i] * x[i]


@loop
def rsqrt(x: Any, out: Any) -> None:
    """``1 / sqrt(x)``."""
    enter()
    one = x.dtype.type(1)
    for i in range(out.size):
        out[i] = one / np.sqrt(x[i])


@loop
def select(mask: Any, x: Any, y: Any, out: Any) -> None:
    """``x`` where the mask is 1, else ``y``."""
    enter()
    for i in range(out.size):
        out[i] = x[i] if mask[i] != 0 else y[i]


@loop
def select_or_number(mask: Any, x: Any, number: Any, out: Any) -> None:
    """``x`` where the mask is 1, else the number."""
    enter()
    for i in range(out.size):
        out[i] = x[i] if mask[i] != 0 else number


@loop
def number_or_select(mask: Any, number: Any, y: Any, out: Any) -> None:
    """The number where the mask is 1, else ``y``."""
    enter()
    for i in range(out.size):
        out[i] = number if mask[i] != 0 else y[i]


@summing
def total(x: Any) -> Any:
    s = x.dtype.type(0)
    for i in range(x.size):
        s += x[i]
    return s


@loop
def sums(x: Any, out: Any, width: int, first: int, last: int) -> None:
    """The sums of blocks of rows: of each row in ``x``, ``width`` elements at a time; from one block up to another."""
    enter()
    blocks = out.shape[1]
    for k in range(first, last):
        row, start = k // blocks, k % blocks * width
        out[row, k % blocks] = total(x[row, start : start + width])
