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
def add_product_into(x: Any, y: Any, z: Any, factor: Any) -> None:
    """``x += factor * y * z``."""
    enter()
    for i in range(x.size):
        x[i] += factor * (y[i] * z[i])


@loop
def add_quotient_into(x: Any, y: Any, z: Any, factor: Any) -> None:
    """``x += factor * y / z``."""
    enter()
    for i in range(x.size):
        x[i] += factor * (y[i] / z[i])


@loop
def lerp_into(x: Any, end: Any, weight: Any, from_end: Any) -> None:
    """``x += weight * (end - x)``, or from the end, which is nearer: ``x = end - (1 - weight) * (end - x)``."""
    enter()
    for i in range(x.size):
        d = end[i] - x[i]
        x[i] = end[i] + d * from_end if weight >= 0.5 else x[i] + d * weight


@loop
def sign(x: Any, out: Any) -> None:
    """-1, 0 or 1; 0 of NaN."""
    enter()
    one, zero = x.dtype.type(1), x.dtype.type(0)
    for i in range(out.size):
        out[i] = one if x[i] > zero else -one if x[i] < zero else zero


@loop
def sign_product(g: Any, x: Any, out: Any) -> None:
    """``g`` times the sign of ``x``."""
    enter()
    zero = x.dtype.type(0)
    for i in range(out.size):
        out[i] = g[i] if x[i] > zero else -g[i] if x[i] < zero else g[i] * zero


@loop
def leaky_relu(x: Any, out: Any, slope: Any) -> None:
    enter()
    for i in range(out.size):
        out[i] = x[i] if x[i] > 0 else x[i] * slope


@loop
def huber(x: Any, y: Any, out: Any, delta: Any) -> None:
    """Of ``d = x - y``: ``d ** 2 / 2`` up to ``delta``, a line beyond."""
    enter()
    half = x.dtype.type(0.5)
    for i in range(out.size):
        d = abs(x[i] - y[i])
        c = delta if d > delta else d
        out[i] = c * (d - half * c)


@loop
def huber_backward(g: Any, x: Any, y: Any, out: Any, delta: Any) -> None:
    """``g`` times ``x - y``, clamped."""
    enter()
    for i in range(out.size):
        d = x[i] - y[i]
        c = -delta if d < -delta else d
        out[i] = g[i] * (delta if c > delta else c)


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


@summing
def square_total(x: Any) -> Any:
    s = x.dtype.type(0)
    for i in range(x.size):
        s += x[i] * x[i]
    return s


@summing
def error_total(x: Any, y: Any) -> Any:
    s = x.dtype.type(0)
    for i in range(x.size):
        d = x[i] - y[i]
        s += d * d
    return s


@loop
def sums(x: Any, out: Any, width: int, first: int, last: int) -> None:
    """The sums of blocks of rows: of each row in ``x``, ``width`` elements at a time; from one block up to another."""
    enter()
    blocks = out.shape[1]
    for k in range(first, last):
        row, start = k // blocks, k % blocks * width
        out[row, k % blocks] = total(x[row, start : start + width])


@loop
def squares(x: Any, out: Any, width: int, first: int, last: int) -> None:
    """The sums of the squares of blocks of rows; see `sums`."""
    enter()
    blocks = out.shape[1]
    for k in range(first, last):
        row, start = k // blocks, k % blocks * width
        out[row, k % blocks] = square_total(x[row, start : start + width])


@loop
def squared_errors(x: Any, y: Any, out: Any, width: int, first: int, last: int) -> None:
    """The sums of the squared differences of blocks of two vectors."""
    enter()
    for k in range(first, last):
        out[k] = error_total(x[k * width : (k + 1) * width], y[k * width : (k + 1) * width])
