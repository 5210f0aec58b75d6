"""Looking up rows of a table, and the adjoint. An index outside the table gives NaN rows, as a device cannot raise."""

from __future__ import annotations

import math
from typing import Any

from .reduction import wide

__all__ = ["embedding", "embedding_grad", "renormalise_rows_"]


def embedding(xp: Any, w: Any, index: Any) -> Any:
    """Rows of ``w`` (V, D): (...) gives (..., D)."""
    inside = (index >= 0) & (index < w.shape[0])
    rows = xp.take(w, xp.where(inside, index, 0), axis=0)
    return xp.where(inside[..., None], rows, xp.asarray(math.nan, dtype=w.dtype))


def embedding_grad(xp: Any, g: Any, index: Any, n: int, padding: int, by_frequency: bool) -> Any:
    """The rows of ``g`` (..., D) added to the rows of zeros (n, D) that they came from.

    Args:
        xp: the array namespace.
        g: (..., D).
        index: the row of each, (...).
        n: rows of the table.
        padding: a row that receives nothing; -1 for none.
        by_frequency: divide each row's gradient by how often it was looked up.
    """
    index = index.reshape(-1)
    rows = wide(g).reshape(index.shape[0], g.shape[-1])
    table = xp.zeros((n, g.shape[-1]), dtype=rows.dtype)
    if padding >= 0:
        rows = xp.where((index == padding)[:, None], xp.asarray(0, dtype=rows.dtype), rows)
    xp.add.at(table, index, rows)
    if by_frequency:
        times = xp.zeros(n, dtype=rows.dtype)
        xp.add.at(times, index, xp.ones(index.shape, dtype=rows.dtype))
        table = table / xp.maximum(times, 1)[:, None]
    return table.astype(g.dtype)


def renormalise_rows_(xp: Any, w: Any, index: Any, max_norm: float, norm_type: float) -> None:
    """Scale the rows of ``w`` that are looked up and longer than ``max_norm`` down to it, in place."""
    looked_up = xp.zeros(w.shape[0], dtype=bool)
    looked_up[index.reshape(-1)] = True
    sizes = abs(wide(w))
    infinite = math.isinf(norm_type)
    norms = xp.max(sizes, axis=1) if infinite else xp.sum(sizes**norm_type, axis=1) ** (1 / norm_type)
    scale = xp.where(looked_up & (norms > max_norm), max_norm / (norms + 1e-7), xp.asarray(1, dtype=norms.dtype))
    w *= scale[:, None].astype(w.dtype)
