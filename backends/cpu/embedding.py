"""Embedding look-ups on NumPy: with a check of every index, and a gradient that adds as `index_add_` does."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..definitions import embedding as plain
from ..errors import DimensionError
from .indexing import add_rows

__all__ = ["embedding", "embedding_grad"]


def embedding(w: Any, index: Any) -> Any:
    """Rows of the table; see the definition.

    Raises:
        IndexError: an index outside the table.
    """
    if index.size and (index.min() < 0 or index.max() >= w.shape[0]):
        wrong = index[(index < 0) | (index >= w.shape[0])].flat[0]
        raise DimensionError(
            f"index out of range in self: embedding was asked for row {wrong} of a weight of shape {list(w.shape)}; "
            f"rows are 0 to {w.shape[0] - 1}"
        )
    return w.take(index, axis=0)


def embedding_grad(g: Any, index: Any, n: int, padding: int, by_frequency: bool) -> Any:
    """The rows' sums; see the definition."""
    flat = index.reshape(-1)
    if g.dtype.char not in "fd" or not flat.size:
        return plain.embedding_grad(np, g, index, n, padding, by_frequency)
    table = np.zeros((n, math.prod(g.shape[index.ndim :])), g.dtype)
    rows = g.reshape(flat.size, table.shape[1])
    if by_frequency:
        rows = rows / np.bincount(flat)[flat][:, None].astype(g.dtype)
    add_rows(table, flat, rows)
    if padding >= 0:
        table[padding] = 0
    return table
