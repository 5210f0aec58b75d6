"""The sparse gradient of looking up rows."""

from __future__ import annotations

from typing import Any

from ...backends import kernels_of
from ...backends.sparse import Coordinates
from ..ops.layout import Clone, contiguous_format
from ..ops.shape import reshape_rule
from ..primitive import apply
from .core import array_of, assemble, take

__all__ = ["rows_of"]


def rows_of(g: Any, index: Any, n: int, padding: int) -> Any:
    """The rows of ``g`` (Tensor or array) where they were looked up, as a sparse table.

    Args:
        g: (..., D).
        index: which row each is, (...), an array.
        n: rows of the table.
        padding: a row that receives nothing; -1 for none.
    """
    k = kernels_of[type(index)]
    flat = k.astype(index.reshape(-1), "int64")
    width = array_of(g).shape[-1]
    rows = reshape_rule(g, (flat.shape[0], width))
    if padding >= 0:
        kept = k.nonzero(flat != padding)[0]
        flat, rows = k.take(flat, kept), take(rows, kept)
    else:  # what arrives may be one number, repeated
        rows = apply(Clone, rows, memory_format=contiguous_format)
    return assemble(rows, Coordinates(flat.reshape(1, -1).copy(), (n, width)))
