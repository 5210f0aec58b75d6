"""Running sums of rows compiled, each kept in float64. Imported only when it pays."""

from __future__ import annotations

from typing import Any

from .crew_numba import enter
from .jit_numba import loop

__all__: list[str] = []  # found through cpu/cumulative.py


@loop
def cumsum(start: int, stop: int, x: Any, reverse: bool, y: Any) -> None:
    """Rows of (R, n), from the front or from the back."""
    enter()
    for r in range(start, stop):
        source, out, total = x[r], y[r], 0.0
        if reverse:
            for i in range(out.size - 1, -1, -1):
                total += source[i]
                out[i] = total
        else:
            for i in range(out.size):
                total += source[i]
                out[i] = total
