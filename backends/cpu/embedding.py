"""Embedding look-ups on NumPy: with a check of every index, and a gradient by sorting instead of row by row."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..definitions import embedding as plain
from ..errors import DimensionError

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
    """The rows' sums; see the definition. Equal indices are brought together and each run is summed at once."""
    flat = index.reshape(-1)
    if g.dtype.char not in "fd" or not flat.size:
        return plain.embedding_grad(np, g, index, n, padding, by_frequency)
    order = flat.argsort(kind="stable")
    ordered = flat[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    sums = np.add.reduceat(g.reshape(flat.size, math.prod(g.shape[index.ndim :]))[order], starts, axis=0)
    if by_frequency:
        sums /= np.diff(np.append(starts, flat.size))[:, None].astype(g.dtype)
    table = np.zeros((n, sums.shape[1]), g.dtype)
    table[ordered[starts]] = sums
    if padding >= 0:
        table[padding] = 0
    return table
