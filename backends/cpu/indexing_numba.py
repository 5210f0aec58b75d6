"""Sums at positions compiled: each row is added where it belongs, one after the other. Imported only when it pays."""

from __future__ import annotations

from typing import Any

from .jit_numba import loop

__all__: list[str] = []  # found through cpu/indexing.py


@loop
def add_rows(x: Any, index: Any, rows: Any) -> None:
    """``x[index[i]] += rows[i]``; the positions are known to be there."""
    for i in range(index.size):
        target, row = x[index[i]], rows[i]
        for j in range(row.size):
            target[j] += row[j]
