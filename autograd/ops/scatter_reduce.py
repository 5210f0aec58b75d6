"""Scattered elements combined with what is there: sums, means, products, extremes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.errors import ShapeError
from ..base import wrap
from ..inplace import inplace
from ..out import write_out
from ..primitive import Primitive, apply
from .cast import cast
from .expansion import expand
from .gather import Scatter, ScatterAdd, gather_adjoint, gather_rule
from .gather_arguments import at_least_1d, elements, slices, source_of
from .index_put import IndexPut
from .indexing import index_rule
from .select import where_rule
from .shape import reshape_rule, unsqueeze

if TYPE_CHECKING:
    from ..tensor import Tensor

REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


class ScatterExtreme(Primitive):
    """The largest (or least) of ``x`` and the elements of ``src`` at each position. Ties share the gradient."""

    @staticmethod
    def forward(ctx: Any, x: Any, index: Any, src: Any, *, dim: int, largest: bool) -> Any:
        y = x.copy()
        ctx.k.scatter_extreme_(y, index, src, dim, largest)
        wins, wins_src = x == y, src == ctx.k.gather_elements(y, index, dim)
        ties = wins.astype("int64")
        ctx.k.scatter_add_(ties, index, wins_src.astype("int64"), dim)
        ctx.save(index)
        ctx.cache(wins, wins_src, ties)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (index,), (wins, wins_src, ties), dim = ctx.saved, ctx.cached, ctx.params["dim"]
        share = g / where_rule(ties == 0, 1, ties)
        gx = where_rule(wins, share, 0.0) if ctx.needs[0] else None
        return gx, None, where_rule(wins_src, gather_rule(share, index, dim), 0.0) if ctx.needs[2] else None


class ScatterProd(Primitive):
    """``x`` multiplied by the elements of ``src`` at each position."""

    kernels = ("scatter_prod_",)

    @staticmethod
    def formula(x: Any, index: Any, src: Any, *, dim: int) -> Any:
        """Multiply in rounds, each of which meets a position once: exact with zeros, at any order."""
        k = kernels_of[type(index._data)]
        positions, rounds = k.scatter_rounds(index._data, x.shape, dim)
        y, factors = reshape_rule(x, (-1,)), reshape_rule(src, (-1,))
        for now in rounds:
            at = (positions[now],)
            y = apply(IndexPut, y, index_rule(y, at, (0,)) * index_rule(factors, (now,), (0,)), *at, **_FIRST)
        return reshape_rule(y, tuple(x.shape))

    @staticmethod
    def forward(ctx: Any, x: Any, index: Any, src: Any, *, dim: int) -> Any:
        y = x.copy()
        ctx.save(x, index, src)
        ctx.k.scatter_prod_(y, index, src, dim)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        """The product of all other factors: that of the factors but zeros, if no other factor is zero, else 0."""
        (x, index, src), dim = ctx.saved, ctx.params["dim"]
        none, none_src = x == 0, src == 0
        solid, solid_src = where_rule(none, 1.0, x), where_rule(none_src, 1.0, src)
        product = apply(ScatterProd, solid, index, solid_src, dim=dim)
        zeros = none * 1 + gather_adjoint(none_src * 1, index, dim, x.shape)
        g = g * product
        gx = where_rule(zeros - none * 1 == 0, g / solid, 0.0)
        others = gather_rule(zeros, index, dim) - none_src * 1
        return gx, None, where_rule(others == 0, gather_rule(g, index, dim) / solid_src, 0.0)


_FIRST = {"where": (0,), "accumulate": False}


def _reduced(name: str, input: Any, dim: int, index: Any, src: Any, reduce: str, include_self: bool) -> Any:
    if reduce not in REDUCTIONS:
        raise ShapeError(f"{name}: reduce argument must be one of {', '.join(REDUCTIONS)}, got {reduce!r}")
    x, dim, index, src = elements(name, input, dim, index, src)
    if not include_self:
        x = apply(Scatter, x, index, _neutral(reduce, x), dim=dim)
    if reduce in ("sum", "mean"):
        y = apply(ScatterAdd, x, index, src, dim=dim)
        if reduce == "mean":
            y = _divided(y, _counts(x, index, dim, include_self))
    elif reduce == "prod":
        y = apply(ScatterProd, x, index, src, dim=dim)
    else:
        y = apply(ScatterExtreme, x, index, src, dim=dim, largest=reduce == "amax")
    return reshape_rule(y, input._data.shape)


def _neutral(reduce: str, x: Any) -> Any:
    """What changes nothing when it is combined."""
    if reduce in ("sum", "mean", "prod"):
        return 1 if reduce == "prod" else 0
    from ...backends.dtypes import finfo, iinfo

    sign = -1 if reduce == "amax" else 1
    if x._data.dtype.kind in "fV":
        return sign * float("inf")
    if x._data.dtype.kind == "b":
        return sign > 0
    info: Any = iinfo(x.dtype) if x._data.dtype.kind in "iu" else finfo(x.dtype)
    return info.min if sign < 0 else info.max


def _counts(x: Any, index: Any, dim: int, include_self: bool) -> Any:
    """How many elements each mean is made of, at least 1."""
    k = kernels_of[type(x._data)]
    counts = k.full(x._data.shape, int(include_self), dtype="int64")
    k.scatter_add_(counts, index._data, k.ones(index._data.shape, dtype="int64"), dim)
    return wrap(k.maximum(counts, 1))


def _divided(y: Any, counts: Any) -> Any:
    """``y / counts`` in the type of ``y``, rounded down for integers as PyTorch does."""
    if y._data.dtype.kind in "iub":
        return cast(wrap(y._data // counts._data), y._data.dtype)
    return y / cast(counts, y._data.dtype)


def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True, out: Any = None
) -> Tensor:
    """A copy of ``input`` with the elements of ``src`` combined with what is at their positions.

    Args:
        input: any shape.
        dim: the dimension whose positions ``index`` holds.
        index: int64; see `scatter`.
        src: of the dtype of ``input``.
        reduce: ``"sum"``, ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``.
        include_self: whether the elements of ``input`` take part at positions that are written to.
        out: a tensor to write the result to.

    Raises:
        RuntimeError: the shapes do not fit, or a position is out of range.

    Example:
        >>> import wengert as wg
        >>> wg.zeros(2).scatter_reduce(0, wg.tensor([0, 0, 1]), wg.tensor([1.0, 3.0, 2.0]), "mean", include_self=False)
        tensor([2., 2.])
    """
    y = _reduced("scatter_reduce", input, dim, index, src, reduce, include_self)
    return y if out is None else write_out(out, y, "scatter_reduce")


def scatter_reduce_(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """`scatter_reduce` in place."""
    return inplace(
        input, "scatter_reduce_", lambda t: _reduced("scatter_reduce_", t, dim, index, src, reduce, include_self)
    )


def index_reduce(
    input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True, out: Any = None
) -> Tensor:
    """A copy of ``input`` with the slices of ``source`` combined with those at the positions ``index`` of ``dim``.

    Args:
        input: any shape.
        dim: the dimension.
        index: int64, shape (n,).
        source: the shape of ``input`` with n slices along ``dim``.
        reduce: ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``.
        include_self: whether the elements of ``input`` take part.
        out: a tensor to write the result to.
    """
    dim, index = slices("index_reduce", input, dim, index)
    x = at_least_1d(input)
    source = source_of("index_reduce", x, dim, index, source)
    positions: Any = index
    for d in range(x._data.ndim):
        if d != dim:
            positions = unsqueeze(positions, d)
    y = _reduced("index_reduce", x, dim, expand(positions, source._data.shape), source, reduce, include_self)
    y = reshape_rule(y, input._data.shape)
    return y if out is None else write_out(out, y, "index_reduce")


def index_reduce_(
    input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """`index_reduce` in place."""
    return inplace(
        input,
        "index_reduce_",
        lambda t: index_reduce(t, dim, index, source, reduce, include_self=include_self),
    )
