"""Order: positions in sorted order, positions in a sorted row. NaN counts as the largest number, as in PyTorch."""

from __future__ import annotations

from typing import Any

from .reduction import wide

__all__ = ["kth_positions", "places", "row_positions", "sort_positions", "top_positions"]


def sort_positions(xp: Any, x: Any, dim: int, descending: bool = False) -> Any:
    """Where each element of the sorted row comes from, int64; equal elements keep their order."""
    keys = wide(x) if x.dtype.kind != "b" else x.astype("uint8")
    if not descending:
        return xp.argsort(keys, axis=dim, kind="stable").astype("int64")
    # The ascending order of the reversed row, read backwards: stable, and right for NaN and the least integer too.
    back = (slice(None),) * dim + (slice(None, None, -1),)
    return (x.shape[dim] - 1 - xp.argsort(keys[back], axis=dim, kind="stable")[back]).astype("int64")


def top_positions(xp: Any, x: Any, count: int, dim: int, largest: bool = True) -> Any:
    """Where the ``count`` largest (or least) elements are, in order, int64."""
    return sort_positions(xp, x, dim, largest)[(slice(None),) * dim + (slice(0, count),)]


def kth_positions(xp: Any, x: Any, count: int, dim: int) -> Any:
    """Where the element is that is number ``count`` of its sorted row, counted from 1, int64; ``dim`` has size 1."""
    return sort_positions(xp, x, dim)[(slice(None),) * dim + (slice(count - 1, count),)]


def places(xp: Any, row: Any, values: Any, right: bool = False) -> Any:
    """Before how many elements of one ascending row each value goes; see `row_positions`."""
    return xp.searchsorted(wide(row), wide(values), side="right" if right else "left")


def row_positions(xp: Any, rows: Any, values: Any, right: bool = False) -> Any:
    """Before how many elements of its sorted row each value goes: binary search in all rows at once.

    Args:
        xp: the array namespace.
        rows: shape (..., n), each row ascending.
        values: shape (..., m).
        right: go behind equal elements instead of before them.

    Returns:
        Shape (..., m), int64.
    """
    n = rows.shape[-1]
    low = xp.zeros(values.shape, dtype="int64")
    high = low + n
    for _ in range(n.bit_length()):
        middle = (low + high) // 2
        probe = xp.take_along_axis(rows, xp.minimum(middle, n - 1), -1)
        behind = (low < high) & ~((probe > values) if right else (probe >= values))
        low = xp.where(behind, middle + 1, low)
        high = xp.where(behind, high, middle)
    return low
