"""The two ends of every sparse computation: values taken out of a sparse tensor, and put into a pattern again.

What happens between them is computed by the ops of dense tensors, so gradients of any order follow. Everything here
is read on arrays too, as gradient rules are.
"""

from __future__ import annotations

import math
from typing import Any

from ...backends import kernels_of
from ...backends.errors import ArgumentError, SparseOperandError
from ...backends.sparse import Coordinates, Pattern, SparseArray
from ...backends.sparse.coordinates import chosen_rows, positions
from ..base import TensorBase, wrap
from ..ops.gather import IndexSelect, IndexSelectAdjoint
from ..ops.shape import reshape_rule
from ..primitive import Primitive, apply

__all__ = [
    "Assemble",
    "ToDenseUnmasked",
    "Values",
    "array_of",
    "assemble",
    "coalesced",
    "dense_of",
    "elements",
    "is_sparse",
    "layout_text",
    "pattern_of",
    "take",
    "total",
    "values_at",
    "values_of",
]


class Values(Primitive):
    """The stored values of a sparse tensor. The gradient has the same pattern, coalesced.

    Values at one place are added, so what arrives at each of them is the gradient of their sum: it counts once.
    """

    @staticmethod
    def forward(ctx: Any, s: Any) -> Any:
        if type(s) is not SparseArray:
            raise SparseOperandError("values are those of a sparse tensor")
        ctx.info = s.pattern
        return s.values[...]

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        pattern = ctx.info
        if pattern.coalesced:
            return assemble(g, pattern)
        once, group = pattern.grouped()
        k = kernels_of[type(group)]
        return assemble(take(g, k.group_equal(group)[0]), once)


class Assemble(Primitive):
    """A sparse tensor of values and a pattern."""

    @staticmethod
    def forward(ctx: Any, values: Any, *, pattern: Pattern) -> Any:
        return SparseArray(pattern, values[...])

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return values_at(g, ctx.params["pattern"])


Assemble.node_type.__name__ = "SparseCooTensorWithDimsAndTensorsBackward0"


def array_of(x: Any) -> Any:
    """The array of a Tensor; an array as it is."""
    return x._data if isinstance(x, TensorBase) else x


def is_sparse(x: Any) -> bool:
    """Whether a Tensor or array is sparse, of any layout."""
    return type(array_of(x)) is SparseArray


def pattern_of(s: Any) -> Any:
    """Where the values of a sparse Tensor or array are."""
    return array_of(s).pattern


def values_of(s: Any) -> Any:
    """The stored values of a sparse Tensor or array."""
    return apply(Values, s)


def assemble(values: Any, pattern: Pattern) -> Any:
    """The sparse Tensor or array with these values."""
    return apply(Assemble, values, pattern=pattern)


# ---------------------------------------------------------------------- between them


def take(x: Any, index: Any, dim: int = 0) -> Any:
    """Rows of ``x`` (Tensor or array) at the positions ``index``, an array."""
    return apply(IndexSelect, x, wrap(index) if isinstance(x, TensorBase) else index, dim=dim)


def total(x: Any, group: Any, number: int) -> Any:
    """Rows of ``x`` summed by the group that each belongs to: (number, ...)."""
    index = wrap(group) if isinstance(x, TensorBase) else group
    return apply(IndexSelectAdjoint, x, index, dim=0, shape=(number, *array_of(x).shape[1:]))


def elements(s: Any) -> tuple[Any, Coordinates]:
    """The values of any sparse layout as one list (n, *dense), and their coordinates."""
    pattern = pattern_of(s)
    values, where = values_of(s), pattern.coordinates()
    if where is not pattern and len(pattern.values_shape()) != 1 + pattern.dense_dim:
        values = reshape_rule(values, (where.nnz, *pattern.dense_shape))
    return values, where


def coalesced(s: Any) -> Any:
    """The same tensor with every place once and in order; ``s`` itself if it is so."""
    pattern = pattern_of(s)
    if pattern.coalesced:
        return s
    once, group = pattern.grouped()
    return assemble(total(values_of(s), group, once.nnz), once)


def dense_of(s: Any) -> Any:
    """All elements of a sparse Tensor or array; a dense one as it is."""
    if not is_sparse(s):
        return s
    values, where = elements(s)
    return spread(values, where)


def spread(values: Any, where: Coordinates) -> Any:
    """The values at their places, zero elsewhere."""
    return reshape_rule(total(values, where.flat(), math.prod(where.sparse_shape)), where.shape)


def values_at(x: Any, pattern: Pattern) -> Any:
    """What ``x``, dense or sparse, has at the places of a pattern, in the shape of its values."""
    if is_sparse(x):
        if pattern_of(x) is pattern and pattern.coalesced:
            return values_of(x)
        found = _values_of_sparse(x, pattern.coordinates())
    else:
        found = picked(x, pattern.coordinates())
    shape = pattern.values_shape()
    return found if array_of(found).shape == shape else reshape_rule(found, shape)


def picked(x: Any, where: Coordinates) -> Any:
    """What a dense ``x``, which may broadcast to the sparse shape, has at each place: (n, *dense)."""
    shape, ndim = array_of(x).shape, len(where.shape)
    shape = (1,) * (ndim - len(shape)) + tuple(shape)
    outer, inner = shape[: where.sparse_dim], shape[where.sparse_dim :]
    if outer == where.sparse_shape:
        at = where.flat()
    else:
        known = [d for d, n in enumerate(outer) if n != 1]
        at = positions(chosen_rows(where.indices, known), tuple([outer[d] for d in known]))
    return take(reshape_rule(x, (math.prod(outer), *inner)), at)


def _values_of_sparse(x: Any, where: Coordinates) -> Any:
    """What a sparse ``x`` has at each place: (n, *dense)."""
    values, there = elements(coalesced(x))
    if there.sparse_dim != where.sparse_dim:
        return picked(dense_of(x), where)
    if not there.coalesced:  # columns and blocks come in another order
        once, group = there.grouped()
        values, there = total(values, group, once.nnz), once
    at, missing = found_in(there, where)
    if not there.nnz:
        k = kernels_of[type(array_of(values))]
        zeros = k.zeros((where.nnz, *where.dense_shape), dtype=array_of(values).dtype)
        return wrap(zeros) if isinstance(values, TensorBase) else zeros
    found = take(values, at)
    return found * _column(~missing, found)


def _column(mask: Any, like: Any) -> Any:
    """One factor, 0 or 1, for each row of ``like``."""
    array = array_of(like)
    factor = kernels_of[type(mask)].astype(mask, array.dtype).reshape((-1,) + (1,) * (array.ndim - 1))
    return wrap(factor) if isinstance(like, TensorBase) else factor


def found_in(there: Coordinates, where: Coordinates) -> tuple[Any, Any]:
    """For each place of ``where`` its number in ``there``, which is coalesced, and whether it is not there."""
    k = kernels_of[type(there.indices)]
    known, wanted = there.flat(), where.flat()
    if not there.nnz:
        return k.zeros(wanted.shape, dtype="int64"), k.ones(wanted.shape, dtype=bool)
    at = k.minimum(k.searchsorted(known, wanted, side="left"), there.nnz - 1)
    return at, k.take(known, at) != wanted


LAYOUT_TEXT = {
    "sparse_coo": "Sparse",
    "sparse_csr": "SparseCsr",
    "sparse_csc": "SparseCsc",
    "sparse_bsr": "SparseBsr",
    "sparse_bsc": "SparseBsc",
}


def layout_text(x: Any) -> str:
    """The name of a Tensor's layout in PyTorch's messages."""
    return LAYOUT_TEXT[pattern_of(x).layout] if is_sparse(x) else "Strided"


def need(op: str, x: Any, *layouts: str, what: str) -> Any:
    """The pattern of ``x``.

    Raises:
        RuntimeError: its layout is not one of ``layouts``.
    """
    if not isinstance(x, TensorBase):
        raise TypeError(f"{op}(): argument 'input' must be Tensor, not {type(x).__name__}")
    if not is_sparse(x) or pattern_of(x).layout not in layouts:
        raise ArgumentError(f"{op} expected {what} tensor layout but got {layout_text(x)}")
    return pattern_of(x)


class ToDenseUnmasked(Primitive):
    """All elements, with a gradient that stays dense."""

    @staticmethod
    def forward(ctx: Any, s: Any) -> Any:
        return spread(*elements(s))

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g
