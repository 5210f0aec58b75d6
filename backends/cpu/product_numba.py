"""Rows times a layer's weight plus its bias, compiled, for float32.

OpenBLAS spends a tenth to a half of its time on turning the weight over where there are few rows. Here a part of it
that fits the second cache is laid out in panels, and all rows go past it; the bias is what the sums start from. What is
summed, and in which order, does not depend on the number of threads. Imported only when it pays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .block_numba import DEPTH, column, pack
from .crew_numba import enter
from .jit_numba import inlined, loop
from .simd_numba import LANES as LANES
from .simd_numba import WIDE, copy

__all__: list[str] = []  # found through cpu/product.py

ROWS = 48  # at a time
PANELS = 16  # at a time: with DEPTH rows they take half of the second cache


@inlined
def _into(
    rows: int, a: int, a_row: int, b: int, depth: int, c: int, c_row: int, start: int, start_row: int, columns: int,
    spare: int,
) -> None:  # fmt: skip
    """`column`, of whose panel only ``columns`` are there; the others are computed in ``spare``."""
    if columns >= WIDE:
        column(rows, a, a_row, 1, b, depth, c, c_row, start, start_row)
        return
    for r in range(rows):
        copy(start + 4 * r * start_row, spare + 4 * r * WIDE, columns)
    column(rows, a, a_row, 1, b, depth, spare, WIDE, spare, WIDE)
    for r in range(rows):
        copy(spare + 4 * r * WIDE, c + 4 * r * c_row, columns)


@loop
def multiply(start: int, stop: int, x: Any, w: Any, bias: Any, y: Any) -> None:
    """Panels ``start`` to ``stop`` of ``y = x @ w.T + bias``, all of them contiguous; a bias is there or empty."""
    enter()
    rows, depth = x.shape
    columns = y.shape[1]
    width = min(PANELS, stop - start) * WIDE
    panels = np.empty(width * min(depth, DEPTH), np.float32)
    spare, first = np.empty(min(rows, ROWS) * WIDE, np.float32), np.zeros(width, np.float32)
    for low in range(start * WIDE, min(stop * WIDE, columns), width):
        high = min(low + width, stop * WIDE, columns)
        if bias.size:
            copy(bias[low:].ctypes.data, first.ctypes.data, high - low)
        for k in range(0, depth, DEPTH):
            part = min(DEPTH, depth - k)
            pack(w[low:].ctypes.data + 4 * k, depth, high - low, part, True, panels.ctypes.data)
            for r in range(0, rows, ROWS):
                count, a = min(ROWS, rows - r), x[r:].ctypes.data + 4 * k
                for j in range(0, high - low, WIDE):
                    to, b = y[r:].ctypes.data + 4 * (low + j), panels.ctypes.data + 4 * j * part
                    begin, step = (to, columns) if k else (first.ctypes.data + 4 * j, 0)
                    _into(count, a, depth, b, part, to, columns, begin, step, high - low - j, spare.ctypes.data)
