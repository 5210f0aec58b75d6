"""Products with sparse matrices, whose elements come row by row, and the grouping of equal places."""

from __future__ import annotations

from typing import Any

from .indexing import add_at
from .reduction import wide

__all__ = ["group_equal", "numbered", "sampled_products", "sparse_times_dense"]


def group_equal(xp: Any, flat: Any) -> tuple[Any, Any]:
    """Equal integers brought together.

    Args:
        xp: the array namespace.
        flat: integers, (n).

    Returns:
        ``(first, group)``: where each different integer occurs first, in rising order, (m); and for every element the
        number of its integer in that order, (n).
    """
    if not flat.shape[0]:
        return flat, flat
    order = xp.argsort(flat, kind="stable")
    ordered = flat[order]
    new = xp.concatenate([xp.ones(1, dtype=bool), ordered[1:] != ordered[:-1]])
    group = xp.empty_like(order)
    group[order] = xp.cumsum(new) - 1
    return order[new], group


def numbered(xp: Any, counts: Any) -> Any:
    """The number 0 ``counts[0]`` times, the number 1 ``counts[1]`` times, and so on."""
    ends = xp.cumsum(counts)
    last = int(ends[-1]) if counts.shape[0] else 0
    return xp.searchsorted(ends, xp.arange(last, dtype=ends.dtype), side="right").astype("int64")


def sparse_times_dense(xp: Any, lines: Any, values: Any, dense: Any) -> Any:
    """A sparse matrix times a dense one: row ``i`` is the sum of ``values[e] * dense[columns[e]]`` over its elements.

    Args:
        xp: the array namespace.
        lines: the elements row by row, see ``backends.sparse.Lines``; ``values`` are in this order.
        values: (nnz).
        dense: (columns, n).
    """
    products = wide(values)[:, None] * wide(dense)[lines.columns]
    out = xp.zeros((lines.shape[0], dense.shape[1]), dtype=products.dtype)
    add_at(xp, out, lines.rows, products)
    return out.astype(dense.dtype)


def sampled_products(xp: Any, lines: Any, a: Any, b: Any) -> Any:
    """``a @ b.T`` at the elements of a sparse matrix only: ``sum(a[rows[e]] * b[columns[e]])``.

    Args:
        xp: the array namespace.
        lines: the elements row by row.
        a: (rows, n).
        b: (columns, n).
    """
    return xp.sum(wide(a)[lines.rows] * wide(b)[lines.columns], axis=1).astype(a.dtype)
