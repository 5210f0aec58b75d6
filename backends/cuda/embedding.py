"""Embedding look-ups on the GPU; the source is ``embedding.cu``.

The gradient repeats to the bit: its rows are sorted by their place in the table and added up in that order. A program
that has called ``use_deterministic_algorithms(False)`` gets atomic additions, which need no sorting.
"""

from __future__ import annotations

import math
from typing import Any

import cupy

from ..definitions import embedding as plain
from ..settings import repeatability_waived
from .loader import by_items, by_rows, launch, takes, wide_type
from .order import contiguous

__all__ = ["embedding", "embedding_grad"]


def embedding(w: Any, index: Any) -> Any:
    """Rows of the table; see the definition."""
    if not takes(w) or w.ndim != 2 or index.dtype.kind not in "iu":
        return plain.embedding(cupy, w, index)
    w, flat = contiguous(w), contiguous(index.astype("int64", copy=False))
    y = cupy.empty((*index.shape, w.shape[1]), w.dtype)
    if y.size:
        launch("embedding", w.dtype, by_rows(flat.size, w.shape[1]), y, w, flat, flat.size, *w.shape)
    return y


def embedding_grad(g: Any, index: Any, n: int, padding: int, by_frequency: bool) -> Any:
    """The rows' sums; see the definition."""
    columns = math.prod(g.shape[index.ndim :])
    if not takes(g) or index.dtype.kind not in "iu" or g.ndim != index.ndim + 1 or not g.size:
        return plain.embedding_grad(cupy, g, index, n, padding, by_frequency)
    g, flat = contiguous(g), contiguous(index.astype("int64", copy=False)).reshape(-1)
    if repeatability_waived():
        return _atomic(g, flat, n, columns, padding, by_frequency)
    order = cupy.argsort(flat, kind="stable")
    table = cupy.zeros((n, columns), g.dtype)
    given = table, g, cupy.take(flat, order), order
    launch(
        "embedding_grad_sorted",
        g.dtype,
        by_rows(flat.size, columns),
        *given,
        flat.size,
        n,
        columns,
        padding,
        by_frequency,
    )
    return table


def _atomic(g: Any, flat: Any, n: int, columns: int, padding: int, by_frequency: bool) -> Any:
    wide, shape = wide_type(g.dtype), by_rows(flat.size, columns)
    counts = None
    if by_frequency:
        counts = cupy.zeros(n, wide)
        launch("count_indices", g.dtype, by_items(flat.size), counts, flat, flat.size, n)
    table = cupy.zeros((n, columns), wide)
    launch("embedding_grad_atomic", g.dtype, shape, table, g, flat, counts, flat.size, n, columns, padding)
    return table.astype(g.dtype, copy=False)
