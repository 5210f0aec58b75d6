"""Elimination of columns compiled, for matrices of floats and complex numbers. Imported only when it pays."""

from __future__ import annotations

from typing import Any

from .jit_numba import loop

__all__: list[str] = []  # found through cpu/linalg.py


@loop
def eliminate(columns: Any, pivots: Any, pivot: bool, low: int, high: int) -> None:
    """`eliminate` of ``definitions/triangular.py``; ``columns`` are those of each matrix, (matrices, columns, rows)."""
    count, rows = columns.shape[1], columns.shape[2]
    for b in range(columns.shape[0]):
        a = columns[b]
        for j in range(low, high):
            column = a[j]
            if pivot:
                best, top = j, abs(column[j].real) + abs(column[j].imag)
                for i in range(j + 1, rows):
                    size = abs(column[i].real) + abs(column[i].imag)
                    if size > top or (size != size and top == top):  # the first NaN counts as the largest
                        best, top = i, size
                pivots[b, j] = best
                if best != j:
                    for c in range(count):
                        a[c, j], a[c, best] = a[c, best], a[c, j]
            top_value = column[j]
            if top_value != 0:
                for i in range(j + 1, rows):
                    column[i] /= top_value
            for c in range(j + 1, high):
                factor, other = a[c, j], a[c]
                for i in range(j + 1, rows):
                    other[i] -= column[i] * factor
