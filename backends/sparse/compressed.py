"""Patterns of matrices in compressed rows or columns, of elements or of blocks, and of batches of such matrices."""

from __future__ import annotations

import math
from typing import Any

from ..registry import kernels_of
from .coordinates import Coordinates, Lines, Pattern

__all__ = ["COMPRESSED", "Compressed", "compress"]

COMPRESSED = ("sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc")


class Compressed(Pattern):
    """Rows (or columns) one after another; the values are (*batch, nnz, *block, *dense).

    Args:
        layout: ``"sparse_csr"``, ``"sparse_csc"``, ``"sparse_bsr"`` or ``"sparse_bsc"``.
        starts: (*batch, lines + 1): where each row, column or line of blocks starts.
        others: (*batch, nnz): the column (row) of each element.
        shape: the sizes of the whole array.
        block: the sizes of one block; (1, 1) for elements.
    """

    coalesced = True

    def __init__(self, layout: str, starts: Any, others: Any, shape: tuple[int, ...], block: tuple[int, int]) -> None:
        self.layout, self.starts, self.others, self.shape, self.block = layout, starts, others, shape, block
        self.batch = tuple(starts.shape[:-1])
        self.sparse_dim = 2
        self.dense_dim = len(shape) - 2 - len(self.batch)
        self._coordinates: Any = None

    @property
    def by_rows(self) -> bool:
        """Whether rows are compressed, and not columns."""
        return self.layout in ("sparse_csr", "sparse_bsr")

    @property
    def blocked(self) -> bool:
        """Whether blocks are stored, and not elements."""
        return self.layout in ("sparse_bsr", "sparse_bsc")

    @property
    def nnz(self) -> int:
        """How many elements (or blocks) each matrix stores."""
        return self.others.shape[-1]

    @property
    def arrays(self) -> tuple[Any, ...]:
        return self.starts, self.others

    def with_arrays(self, *arrays: Any) -> Compressed:
        starts, others = arrays
        return Compressed(self.layout, starts, others, self.shape, self.block)

    def values_shape(self) -> tuple[int, ...]:
        return (*self.batch, self.nnz, *(self.block if self.blocked else ()), *self.dense_shape)

    def emptied(self) -> Compressed:
        starts, others = self.arrays
        return self.with_arrays(starts * 0, others[..., :0].copy())

    def transposed(self) -> Compressed:
        """The pattern of the transposed matrices; the values are the same, blocks transposed."""
        b = len(self.batch)
        shape = (*self.batch, self.shape[b + 1], self.shape[b], *self.dense_shape)
        swapped = dict(zip(COMPRESSED, ("sparse_csc", "sparse_csr", "sparse_bsc", "sparse_bsr"), strict=True))
        return Compressed(swapped[self.layout], self.starts, self.others, shape, self.block[::-1])

    def coordinates(self) -> Coordinates:
        if self._coordinates is None:
            self._coordinates = self._find_coordinates()
        return self._coordinates

    def _find_coordinates(self) -> Coordinates:
        k = kernels_of[type(self.starts)]
        batches, n = math.prod(self.batch), self.nnz
        starts = k.astype(self.starts.reshape(batches, self.starts.shape[-1]), "int64")
        others = k.astype(self.others.reshape(-1), "int64")
        counts = (starts[:, 1:] - starts[:, :-1]).reshape(-1)
        lines = k.numbered(counts)
        lines = lines % max(starts.shape[1] - 1, 1)
        if lines.shape[0] != others.shape[0]:
            raise ValueError(f"the compressed indices count {lines.shape[0]} elements, but there are {others.shape[0]}")
        rows, columns = (lines, others) if self.by_rows else (others, lines)
        number = k.repeat(k.arange(batches, dtype="int64"), n)
        if self.blocked:
            (h, w), one = self.block, k.arange(1, dtype="int64")
            inner = (one + k.arange(h).reshape(1, h, 1), one + k.arange(w).reshape(1, 1, w))
            whole = (rows.size, h, w)
            rows = k.broadcast_to(rows.reshape(-1, 1, 1) * h + inner[0], whole).reshape(-1)
            columns = k.broadcast_to(columns.reshape(-1, 1, 1) * w + inner[1], whole).reshape(-1)
            number = k.repeat(number, h * w)
        leading = []
        for size in reversed(self.batch):
            leading.append(number % size)
            number = number // size
        in_order = self.layout == "sparse_csr"
        return Coordinates(k.stack([*reversed(leading), rows, columns], axis=0), self.shape, in_order)

    def lines(self, transposed: bool = False) -> Lines:
        """The elements of one matrix (or of its transpose) row by row."""
        return self.coordinates().lines(transposed)


def compress(layout: str, where: Coordinates, block: tuple[int, int] = (1, 1), index: Any = "int64") -> Any:
    """The compressed pattern of a coalesced matrix, and which of its elements comes where.

    Returns:
        ``(pattern, order)``; for blocks, ``order`` is a pair: the block of each element, and its place in it.
    """
    k = kernels_of[type(where.indices)]
    rows, columns = where.indices
    (h, w), (n, m) = block, where.shape[:2]
    down, across = rows // h, columns // w
    by_rows = layout in ("sparse_csr", "sparse_bsr")
    major, minor = (down, across) if by_rows else (across, down)
    lines, others = (n // h, m // w) if by_rows else (m // w, n // h)
    first, group = k.group_equal(major * max(others, 1) + minor)
    major, minor = k.take(major, first), k.take(minor, first)
    starts = k.searchsorted(major, k.arange(lines + 1, dtype="int64"), side="left")
    pattern = Compressed(layout, k.astype(starts, index), k.astype(minor, index), where.shape, block)
    if pattern.blocked:
        return pattern, (group, (rows % h) * w + columns % w)
    return pattern, first
