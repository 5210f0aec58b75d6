"""Where the stored elements of a sparse array are: by coordinates. ``compressed.py`` has rows and columns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ..registry import kernels_of

__all__ = ["Coordinates", "Lines", "Pattern", "chosen_rows", "positions"]


class Pattern:
    """Where stored elements are.

    Attributes:
        layout: PyTorch's name of the kind of pattern.
        shape: the sizes of the whole array.
        sparse_dim: how many dimensions the pattern addresses.
        dense_dim: how many dimensions each stored element has of its own; they come last.
    """

    layout: str
    shape: tuple[int, ...]
    sparse_dim: int
    dense_dim: int
    coalesced: bool

    @property
    def nnz(self) -> int:
        """How many elements are stored, in each matrix of a batch."""
        raise NotImplementedError

    @property
    def size(self) -> int:
        """The number of elements, stored or not."""
        return math.prod(self.shape)

    @property
    def dense_shape(self) -> tuple[int, ...]:
        """The sizes of the dense dimensions."""
        return self.shape[len(self.shape) - self.dense_dim :]

    @property
    def arrays(self) -> tuple[Any, ...]:
        """The index arrays, in the order in which PyTorch's constructor takes them."""
        raise NotImplementedError

    def with_arrays(self, *arrays: Any) -> Pattern:
        """The same pattern in other memory."""
        raise NotImplementedError

    def emptied(self) -> Pattern:
        """A pattern of the same kind without places."""
        raise NotImplementedError

    def copy(self) -> Pattern:
        """The same pattern in memory of its own."""
        return self.with_arrays(*[a.copy() for a in self.arrays])

    def coordinates(self) -> Coordinates:
        """The same places as coordinates, in the order of the values taken as one list."""
        raise NotImplementedError

    def values_shape(self) -> tuple[int, ...]:
        """The shape of the values."""
        raise NotImplementedError


@dataclass(frozen=True)
class Lines:
    """The elements of a matrix, row by row: what products run over.

    Attributes:
        starts: where each row starts and the last one ends, (rows + 1).
        columns: the column of each element, in this order.
        rows: the row of each element, in this order.
        order: which stored element comes where; None if they are stored in this order.
        shape: of the matrix.
    """

    starts: Any
    columns: Any
    rows: Any
    order: Any
    shape: tuple[int, int]


class Coordinates(Pattern):
    """One column of integers for each stored element; the values are (nnz, *dense).

    Args:
        indices: (sparse_dim, nnz), int64.
        shape: the sizes of the whole array.
        coalesced: whether the columns are known to be in order and to occur once each.
        version: whose first element counts writes to ``indices``, where others may write to them.
    """

    layout = "sparse_coo"

    def __init__(
        self, indices: Any, shape: tuple[int, ...], coalesced: bool = False, version: list[Any] | None = None
    ) -> None:
        self.indices, self.shape = indices, shape
        self.version, self.seen = version, None if version is None else version[0]
        self.sparse_dim = indices.shape[0]
        self.dense_dim = len(shape) - self.sparse_dim
        self.coalesced = coalesced or indices.shape[1] < 2
        self._forget()

    @property
    def nnz(self) -> int:
        """How many elements are stored."""
        return self.indices.shape[1]

    @property
    def arrays(self) -> tuple[Any, ...]:
        return (self.indices,)

    @property
    def sparse_shape(self) -> tuple[int, ...]:
        """The sizes of the sparse dimensions."""
        return self.shape[: self.sparse_dim]

    def with_arrays(self, *arrays: Any) -> Coordinates:
        (indices,) = arrays
        return Coordinates(indices, self.shape, self.coalesced)

    def coordinates(self) -> Coordinates:
        return self

    def values_shape(self) -> tuple[int, ...]:
        return (self.nnz, *self.dense_shape)

    def emptied(self) -> Coordinates:
        return Coordinates(self.indices[:, :0].copy(), self.shape, True)

    def _forget(self) -> None:
        self._flat: Any = None
        self._grouped: Any = None
        self._lines: dict[bool, Lines] = {}

    def _look(self) -> None:
        """Forget what was found out about indices that have been written since."""
        if self.version is not None and self.version[0] != self.seen:
            self.seen = self.version[0]
            self._forget()

    def flat(self) -> Any:
        """The position of each element if the sparse dimensions were one, (nnz)."""
        self._look()
        if self._flat is None:
            self._flat = positions(self.indices, self.sparse_shape)
        return self._flat

    def grouped(self) -> tuple[Coordinates, Any]:
        """The coalesced pattern, and for each element which of its places it belongs to."""
        self._look()
        if self._grouped is None:
            k = kernels_of[type(self.indices)]
            first, group = k.group_equal(self.flat())
            self._grouped = Coordinates(k.take(self.indices, first, axis=1), self.shape, True), group
        return self._grouped

    def lines(self, transposed: bool = False) -> Lines:
        """The elements of a matrix (or of its transpose) row by row."""
        self._look()
        known = self._lines.get(transposed)
        if known is None:
            k = kernels_of[type(self.indices)]
            rows, columns = (self.indices[1], self.indices[0]) if transposed else (self.indices[0], self.indices[1])
            shape = (self.shape[1], self.shape[0]) if transposed else (self.shape[0], self.shape[1])
            order = None
            if transposed or not self.coalesced:
                order = k.argsort(rows, kind="stable")
                rows, columns = k.take(rows, order), k.take(columns, order)
            index = "int32" if max(*shape, self.nnz) < 2**31 else "int64"
            starts = k.searchsorted(rows, k.arange(shape[0] + 1, dtype="int64"), side="left")
            starts, columns, rows = (k.astype(a, index) for a in (starts, columns, rows))
            known = self._lines[transposed] = Lines(starts, columns, rows, order, shape)
        return known


def positions(indices: Any, shape: tuple[int, ...]) -> Any:
    """The position of each column of ``indices`` in an array of ``shape`` read as one dimension."""
    k = kernels_of[type(indices)]
    flat = k.zeros((indices.shape[1],), dtype="int64")
    for d, n in enumerate(shape):
        flat = flat * n + indices[d]
    return flat


def chosen_rows(indices: Any, rows: list[int]) -> Any:
    """Some of the rows of ``indices``, which may be none."""
    k = kernels_of[type(indices)]
    if not rows:
        return k.zeros((0, indices.shape[1]), dtype=indices.dtype)
    return k.stack([indices[d] for d in rows], axis=0)
