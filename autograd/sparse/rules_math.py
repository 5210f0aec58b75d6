"""What arithmetic, sums and norms mean for sparse operands."""

from __future__ import annotations

from typing import Any

from ...backends import kernels_of
from ...backends.errors import ArgumentError, ShapeError
from ...backends.sparse import Compressed, Coordinates
from ...backends.sparse.array import bind_operators
from ...backends.sparse.coordinates import chosen_rows
from ..base import TensorBase, wrap
from ..ops.arithmetic import Add, Div, FloorDivide, Mul, Neg, Pow, Sub, TruncDivide
from ..ops.complex import Angle, Imag, Real
from ..ops.conversion import Zero
from ..ops.distance import PNorm
from ..ops.elementwise import Conj, Product, Quotient
from ..ops.expansion import broadcast_shapes, expand_rule
from ..ops.gather import IndexAdd
from ..ops.join import cat_rule
from ..ops.reduction import Sum, SumTo, sum_rule, sum_to
from ..ops.rounding import Abs, RoundTo, Sgn
from ..ops.shape import reshape_rule
from ..primitive import Primitive, apply
from . import products as products
from .convert import to_coordinates, to_layout
from .core import (
    array_of,
    assemble,
    coalesced,
    dense_of,
    elements,
    found_in,
    is_sparse,
    pattern_of,
    picked,
    take,
    total,
    values_at,
    values_of,
)
from .dispatch import on_values, rule, unsupported

# ---------------------------------------------------------------------- functions of one operand


def _linear(prim: Any) -> None:
    """Functions that add up: they need no coalescing."""
    rule(prim)(lambda s, **params: on_values(prim, s, params))


def _valuewise(prim: Any) -> None:
    """Functions that give 0 for 0 and are no `Unary`."""
    rule(prim)(lambda s, **params: on_values(prim, coalesced(s), params))


for linear in (Neg, Conj, Real, Imag):
    _linear(linear)
for valuewise in (Sgn, RoundTo, Angle):
    _valuewise(valuewise)


@rule(Zero)
def zero(s: Any, value: Any, *, own: bool) -> Any:
    """Nothing stored."""
    return empty_like(s)


def empty_like(s: Any) -> Any:
    """The sparse Tensor or array of the same kind with nothing in it."""
    pattern = pattern_of(s).emptied()
    values = array_of(s).values
    nothing = kernels_of[type(values)].zeros(pattern.values_shape(), dtype=values.dtype)
    return assemble(wrap(nothing) if isinstance(s, TensorBase) else nothing, pattern)


# ---------------------------------------------------------------------- sums of two operands


def _refuse_sum() -> None:
    raise ArgumentError("add(sparse, dense) is not supported. Use add(dense, sparse) instead.")


@rule(Add)
def add(a: Any, b: Any) -> Any:
    """Sparse and sparse, or dense and sparse; the other way round only inside gradient rules."""
    if is_sparse(a) and is_sparse(b):
        return _merged(a, b)
    if is_sparse(b):
        return _onto_dense(a, b)
    if isinstance(a, TensorBase) and pattern_of(a).layout == "sparse_coo":
        _refuse_sum()
    return _onto_dense(b, a)


def _onto_dense(dense: Any, s: Any) -> Any:
    shape = array_of(s).shape
    if getattr(array_of(dense), "shape", None) != shape:
        if not isinstance(s, TensorBase) or not hasattr(array_of(dense), "shape"):
            _refuse_sum()
        raise ShapeError(
            f"add: expected 'self' and 'other' to have same size, but self has size {list(array_of(dense).shape)} "
            f"while other has size {list(shape)} (FYI: dense-sparse addition does not currently support broadcasting)"
        )
    values, where = elements(s)
    rows = reshape_rule(dense, (-1, *where.dense_shape) if 0 not in shape else (where_size(where), *where.dense_shape))
    index: Any = where.flat()
    if isinstance(rows, TensorBase) or isinstance(values, TensorBase):
        index = wrap(index)
    return reshape_rule(apply(IndexAdd, rows, index, values, dim=0), shape)


def where_size(where: Coordinates) -> int:
    """How many places the sparse dimensions have."""
    n = 1
    for size in where.sparse_shape:
        n *= size
    return n


def _merged(a: Any, b: Any) -> Any:
    pa, pb = pattern_of(a), pattern_of(b)
    if pa.shape != pb.shape:
        raise ShapeError(
            f"add: expected sizes of 'self' and 'other' to match, but {list(pa.shape)} != {list(pb.shape)}"
        )
    if pa.layout != pb.layout:
        raise ArgumentError(
            f"add: memory format option is only supported by strided tensors: layouts {pa.layout} and {pb.layout} "
            "cannot be added; convert one, for example with to_sparse_coo()"
        )
    if isinstance(pa, Coordinates) and not (pa.nnz and pb.nnz) and pa.sparse_dim != pb.sparse_dim:
        return b if pb.nnz else a
    if isinstance(pa, Compressed):
        block = pa.block if pa.blocked else None
        return to_layout(_merged(to_coordinates(a), to_coordinates(b)), pa.layout, block)
    if (pa.sparse_dim, pa.dense_dim) != (pb.sparse_dim, pb.dense_dim):
        raise ArgumentError(
            "add: expected 'self' and 'other' to have same density, but self has "
            f"{pa.sparse_dim} sparse dims and other has {pb.sparse_dim}"
        )
    k = kernels_of[type(pa.indices)]
    if pa is pb or (pa.nnz == pb.nnz and bool((pa.flat() == pb.flat()).all())):
        return assemble(values_of(a) + values_of(b), pa if pa.coalesced or not pb.coalesced else pb)
    joined = cat_rule([values_of(a), values_of(b)], 0)
    indices = k.concatenate([pa.indices, pb.indices], axis=1)
    keys = _paired(k, pa.flat(), pb.flat())
    if keys is None:
        return assemble(joined, Coordinates(indices, pa.shape))
    first, group = k.group_equal(keys)
    where = Coordinates(k.take(indices, first, axis=1), pa.shape, pa.coalesced and pb.coalesced)
    return assemble(total(joined, group, where.nnz), where)


def _paired(k: Any, a: Any, b: Any) -> Any:
    """One number for each element of two lists of places, equal where they are added; None if one is out of order."""
    keys, most = [], 1
    for flat in (a, b):
        if flat.size > 1 and bool((flat[1:] < flat[:-1]).any()):
            return None
        again = k.arange(flat.shape[0], dtype="int64") - k.searchsorted(flat, flat, side="left")
        keys.append((flat, again))
        if flat.size:
            most = max(most, int(again.max()) + 1)
    return k.concatenate([flat * most + again for flat, again in keys])


@rule(Sub)
def sub(a: Any, b: Any) -> Any:
    """``a + -b``."""
    return add(a, -b)


# ---------------------------------------------------------------------- products and quotients of two operands


def _scalar(x: Any) -> bool:
    return not is_sparse(x) and getattr(array_of(x), "ndim", 0) == 0


@rule(Mul, Product)
def mul(a: Any, b: Any) -> Any:
    """Stored values times what the other operand has at their places."""
    if not is_sparse(a) or (is_sparse(b) and not array_of(a).ndim):
        return mul(b, dense_of(a))
    if is_sparse(b) and not array_of(b).ndim:
        b = dense_of(b)
    if _scalar(b):
        return assemble(values_of(a) * b, pattern_of(a))
    if is_sparse(b):
        return _intersection(a, b)
    pattern = pattern_of(a)
    shape = array_of(b).shape
    whole = tuple(broadcast_shapes(pattern.shape, shape))
    if whole != pattern.shape:
        a = repeated(a, whole)
        pattern = pattern_of(a)
    if len(shape) > len(pattern.shape) or any(
        n not in (1, m)
        for n, m in zip(reversed(shape), reversed(pattern.shape))  # noqa: B905
    ):
        raise ShapeError(
            f"mul: the dense operand, {list(shape)}, must broadcast to the sparse one, {list(pattern.shape)}"
        )
    values, where = elements(a)
    product = values * picked(b, where)
    return assemble(reshape_rule(product, pattern.values_shape()), pattern)


def repeated(s: Any, shape: tuple[int, ...]) -> Any:
    """``s`` repeated along new and size-1 dimensions, as a tensor by coordinates."""
    values, where = elements(s)
    lead = len(shape) - len(where.shape)
    k = kernels_of[type(where.indices)]
    dense = shape[lead + where.sparse_dim :]
    values = expand_rule(values, (where.nnz, *dense)) if dense != where.dense_shape else values
    indices, outer = where.indices, (1,) * lead + where.sparse_shape
    if lead:
        indices = k.concatenate([k.zeros((lead, where.nnz), dtype="int64"), indices], axis=0)
    for d, (old, new) in enumerate(zip(outer, shape[: len(outer)], strict=True)):
        if old == new:
            continue
        n = indices.shape[1]
        values = take(values, k.repeat(k.arange(n, dtype="int64"), new))
        indices = k.repeat(indices, new, axis=1)
        indices[d] = k.tile(k.arange(new, dtype="int64"), n)
    return assemble(values, Coordinates(indices, shape))


def _intersection(a: Any, b: Any) -> Any:
    pa, pb = pattern_of(a), pattern_of(b)
    if pa is pb and pa.coalesced:
        return assemble(values_of(a) * values_of(b), pa)
    if pa.shape != pb.shape:
        larger, other = (a, b) if pa.size >= pb.size else (b, a)
        return mul(larger, dense_of(other))
    if isinstance(pa, Compressed):
        block = pa.block if pa.blocked else None
        return to_layout(_intersection(to_coordinates(a), to_coordinates(b)), pa.layout, block)
    if isinstance(pb, Compressed) or pa.sparse_dim != pb.sparse_dim:
        return mul(a, dense_of(b))
    a, b = coalesced(a), coalesced(b)
    wa, wb = pattern_of(a), pattern_of(b)
    k = kernels_of[type(wa.indices)]
    at, missing = found_in(wb, wa)
    here = k.nonzero(~missing)[0]
    where = Coordinates(k.take(wa.indices, here, axis=1), wa.shape, True)
    return assemble(take(values_of(a), here) * take(values_of(b), k.take(at, here)), where)


def _divide(prim: Any) -> Any:
    def divide(a: Any, b: Any) -> Any:
        if not is_sparse(a) or not _scalar(b):
            shape = list(getattr(array_of(b), "shape", ()))
            kind = "floor division" if prim is FloorDivide else "division"
            raise ArgumentError(
                f"Sparse {kind} requires a scalar or zero-dim dense tensor divisor (got shape {shape} for divisor)"
            )
        if prim is not Div:
            a = coalesced(a)
        return assemble(apply(prim, values_of(a), b), pattern_of(a))

    return divide


for quotient in (Div, FloorDivide, TruncDivide):
    rule(quotient)(_divide(quotient))
rule(Quotient)(_divide(Div))


@rule(Pow)
def power(a: Any, b: Any) -> Any:
    """Stored values to a power that is a number and not 0."""
    if not is_sparse(a) or not _scalar(b):
        unsupported("Pow", a, b)
    number = b.item() if hasattr(b, "item") else b
    if number == 0:
        raise ArgumentError("pow: cannot raise to zeroth power on sparse tensor; it would make the result tensor dense")
    if not isinstance(number, complex) and number < 0:
        raise ArgumentError(f"pow: cannot raise a sparse tensor to the negative power {number}")
    a = coalesced(a)
    return assemble(apply(Pow, values_of(a), b), pattern_of(a))


# ---------------------------------------------------------------------- sums


class SumOfAll(Primitive):
    """The sum of all elements of a sparse tensor; its gradient is dense."""

    @staticmethod
    def forward(ctx: Any, s: Any) -> Any:
        ctx.info = s.shape
        k = kernels_of[type(s.values)]
        return k.asarray(k.sum(s.values))

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return expand_rule(g, ctx.info)


SumOfAll.node_type.__name__ = "SumBackward0"


@rule(Sum)
def sum_(s: Any, *, dim: Any, keepdim: bool) -> Any:
    """The sum over all dimensions, dense; or over some, sparse while a sparse dimension is left."""
    ndim = array_of(s).ndim
    if dim is None:
        y = apply(SumOfAll, s)
        if not keepdim:
            return y
        y = reshape_rule(y, (1,) * ndim)
        return to_layout(y, pattern_of(s).layout) if isinstance(pattern_of(s), Compressed) else y
    if isinstance(pattern_of(s), Compressed) and not keepdim:
        raise ArgumentError("reduction operations on CSR tensors with keepdim=False is unsupported")
    y = sum_over(s, dim)
    if not keepdim:
        return y
    shape = tuple([1 if d in dim else n for d, n in enumerate(array_of(s).shape)])
    if is_sparse(y):
        from .rules import new_dim

        for d in sorted(dim):
            y = new_dim(y, d)
    else:
        y = reshape_rule(y, shape)
    return to_layout(y, pattern_of(s).layout) if isinstance(pattern_of(s), Compressed) else y


def sum_over(s: Any, dim: tuple[int, ...]) -> Any:
    """The sum over dimensions: dense ones of each value, sparse ones by bringing equal places together."""
    layout = pattern_of(s).layout
    values, where = elements(coalesced(s))
    n = where.sparse_dim
    inner = tuple([d - n + 1 for d in dim if d >= n])
    if inner:
        values = sum_rule(values, inner)
    shape = tuple([size for d, size in enumerate(where.shape) if d not in dim])
    kept = [d for d in range(n) if d not in dim]
    if not kept:
        return reshape_rule(sum_rule(values, (0,)), shape)
    if len(kept) == n:
        y = assemble(values, Coordinates(where.indices, shape, where.coalesced))
    else:
        y = coalesced(assemble(values, Coordinates(chosen_rows(where.indices, kept), shape)))
    return y if layout == "sparse_coo" or len(kept) < 2 else to_layout(y, layout)


@rule(SumTo)
def sum_to_shape(s: Any, *, shape: tuple[int, ...]) -> Any:
    """What undoes broadcasting, dense."""
    return sum_to(dense_of(s), shape)


@rule(PNorm)
def p_norm(s: Any, *, p: float, dim: tuple[int, ...], keepdim: bool) -> Any:
    """The norm of all elements: that of the stored ones."""
    if keepdim:
        raise ArgumentError("norm_sparse currently does not support keepdim=True")
    if len(dim) != array_of(s).ndim:
        raise ArgumentError(
            "norm_sparse currently only supports full reductions, so 'dim' must either be empty or contain all "
            "dimensions of the input"
        )
    values = values_of(coalesced(s))
    return apply(PNorm, reshape_rule(values, (array_of(values).size,)), p=p, dim=(0,), keepdim=False)


# ---------------------------------------------------------------------- on arrays, for the engine


def _operator(function: Any) -> Any:
    return lambda *operands: function(*operands)


bind_operators(
    {
        "add": _operator(add),
        "sub": _operator(sub),
        "mul": _operator(mul),
        "div": _operator(_divide(Div)),
        "neg": _operator(lambda s: on_values(Neg, s, {})),
        "abs": _operator(lambda s: on_values(Abs, coalesced(s), {})),
    }
)

__all__ = ["empty_like", "sum_over", "values_at"]
