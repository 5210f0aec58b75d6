"""Products with sparse matrices. The two primitives are each other's adjoints, so derivatives of any order follow."""

from __future__ import annotations

from typing import Any

from ...backends import kernels_of
from ...backends.errors import ArgumentError, ShapeError
from ...backends.sparse import Coordinates, Pattern
from ..ops.elementwise import conj
from ..ops.join import stack_rule
from ..ops.linear import Linear
from ..ops.product import Bmm, Mm
from ..ops.shape import permute_rule, reshape_rule
from ..primitive import Primitive, apply
from .convert import to_layout
from .core import array_of, assemble, coalesced, dense_of, elements, is_sparse, pattern_of, take
from .dispatch import rule
from .rules import select

__all__ = ["Sampled", "SparseTimesDense", "sampled", "sparse_product", "times_dense"]


class SparseTimesDense(Primitive):
    """The sparse matrix of values at ``where`` (or its transpose) times a dense matrix."""

    @staticmethod
    def forward(ctx: Any, values: Any, dense: Any, *, where: Coordinates, transposed: bool) -> Any:
        needs = ctx.needs
        ctx.save(values if needs[1] else None, dense if needs[0] else None)
        lines = where.lines(transposed)
        return ctx.k.sparse_times_dense(lines, values if lines.order is None else values[lines.order], dense)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        values, dense = ctx.saved
        where, transposed = ctx.params["where"], ctx.params["transposed"]
        gv = gd = None
        if dense is not None:
            gv = apply(Sampled, g, conj(dense), where=where, transposed=transposed)
        if values is not None:
            gd = apply(SparseTimesDense, conj(values), g, where=where, transposed=not transposed)
        return gv, gd


class Sampled(Primitive):
    """``a @ b.T`` at the places ``where`` (or at those of the transpose) only."""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any, *, where: Coordinates, transposed: bool) -> Any:
        needs = ctx.needs
        ctx.save(a if needs[1] else None, b if needs[0] else None)
        lines = where.lines(transposed)
        y = ctx.k.sampled_products(lines, a, b)
        if lines.order is None:
            return y
        back = ctx.k.empty_like(y)
        back[lines.order] = y
        return back

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        a, b = ctx.saved
        where, transposed = ctx.params["where"], ctx.params["transposed"]
        ga = gb = None
        if b is not None:
            ga = apply(SparseTimesDense, g, conj(b), where=where, transposed=transposed)
        if a is not None:
            gb = apply(SparseTimesDense, g, conj(a), where=where, transposed=not transposed)
        return ga, gb


def times_dense(s: Any, dense: Any, transposed: bool = False) -> Any:
    """``s @ dense``, or ``s.T @ dense``, for a sparse matrix and a dense one."""
    if pattern_of(s).dense_dim:
        raise ArgumentError("sparse matrix product: expected a matrix without dense dimensions; to_dense() first")
    values, where = elements(s)
    return apply(SparseTimesDense, values, dense, where=where, transposed=transposed)


def sampled(a: Any, b: Any, pattern: Pattern) -> Any:
    """``a @ b`` at the places of a pattern, in the shape of its values."""
    y = apply(Sampled, a, permute_rule(b, (1, 0)), where=pattern.coordinates(), transposed=False)
    return reshape_rule(y, pattern.values_shape()) if pattern.values_shape() != array_of(y).shape else y


def transposed(s: Any) -> Any:
    """The transpose of a matrix, dense or sparse."""
    return permute_rule(s, (1, 0))


@rule(Mm)
def mm(x: Any, w: Any, *, transposed: bool = False) -> Any:
    """``x @ w`` or ``x @ w.T``, of which one or both are sparse."""
    if is_sparse(x):
        if is_sparse(w):
            return sparse_product(x, permute_rule(w, (1, 0)) if transposed else w)
        return times_dense(x, permute_rule(w, (1, 0)) if transposed else w)
    shape = array_of(x).shape
    rows = x if len(shape) == 2 else reshape_rule(x, (-1, shape[-1]))
    y = permute_rule(times_dense(w, permute_rule(rows, (1, 0)), not transposed), (1, 0))
    return y if len(shape) == 2 else reshape_rule(y, (*shape[:-1], array_of(y).shape[1]))


@rule(Bmm)
def bmm(a: Any, b: Any, *, ta: bool = False, tb: bool = False) -> Any:
    """Stacked products, one matrix after the other."""
    if ta or tb or array_of(a).ndim != 3 or array_of(b).ndim != 3:
        raise ArgumentError("bmm: sparse operands must be stacks of matrices, not transposed")
    parts = [mm(_matrix(a, i), _matrix(b, i)) for i in range(array_of(a).shape[0])]
    if not parts:
        raise ShapeError("bmm: there are no sparse matrices to multiply")
    return stack_rule([dense_of(p) for p in parts], 0)


def _matrix(x: Any, i: int) -> Any:
    return select(x, 0, i) if is_sparse(x) else x[i]


@rule(Linear)
def linear(x: Any, w: Any, b: Any = None) -> Any:
    """``x @ w.T + b`` for sparse rows, or a sparse weight."""
    y = mm(x, w, transposed=True)
    return y if b is None else y + b


def sparse_product(a: Any, b: Any) -> Any:
    """The product of two sparse matrices, sparse itself."""
    if pattern_of(a).dense_dim or pattern_of(b).dense_dim:
        raise ArgumentError("sparse matrix product: expected matrices without dense dimensions; to_dense() first")
    layout = pattern_of(a).layout
    va, wa = elements(a)
    vb, wb = elements(b)
    k = kernels_of[type(wa.indices)]
    lines = wb.lines()
    rows, middle = wa.indices
    begin = k.take(lines.starts, middle)
    counts = k.take(lines.starts, middle + 1) - begin
    left = k.numbered(counts)
    inside = k.arange(left.shape[0], dtype="int64") - k.take(k.cumsum(counts, axis=0) - counts, left)
    right = k.take(begin, left) + inside
    columns = k.astype(k.take(lines.columns, right), "int64")
    chosen = right if lines.order is None else k.take(lines.order, right)
    shape = (wa.shape[0], wb.shape[1])
    indices = k.stack([k.take(rows, left), columns], axis=0)
    product = coalesced(assemble(take(va, left) * take(vb, chosen), Coordinates(indices, shape)))
    return product if layout == "sparse_coo" else to_layout(product, layout)
