"""Factorisations that NumPy lacks, on NumPy: the definitions, with columns eliminated by compiled loops."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..definitions import triangular as plain
from .compiled import compiled

__all__ = ["lu_factor"]

WIDTH = 48  # columns, up to which loops are as fast as products of halves


def lu_factor(x: Any, pivot: bool) -> tuple[Any, Any]:
    """``l`` and ``u`` in one matrix, and the row that each row was swapped with; see the definition."""
    loops = compiled("linalg", x.size * min(x.shape[-2:]), least=1) if x.dtype.char in "fdFD" else None
    if loops is None:
        return plain.lu_factor(np, x, pivot)

    def eliminate(_: Any, a: Any, pivots: Any, pivot: bool, low: int, high: int) -> None:
        loops.eliminate(a.swapaxes(-1, -2), pivots, pivot, low, high)

    return plain.lu_factor(np, x, pivot, eliminate, WIDTH)
