"""Distances and angles between vectors, and vectors scaled to length 1."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.dtypes import FROM_NUMPY
from ...backends.errors import DTypeError, ShapeError
from ..admission import need_tensors, scalar_type
from ..base import TensorBase
from ..out import write_out
from ..primitive import Primitive, apply
from ..promotion import operands
from .arithmetic import add, div, mul, pow_rule, sub
from .dims import canonical_dims
from .expansion import broadcast_tensors
from .gather import index_select_rule
from .product import bmm_rule, check_pair
from .reduction import restore_dims, sum_rule
from .rounding import Abs, Sgn, Sign
from .select import Clamp, where_rule
from .shape import reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


class PNorm(Primitive):
    """``sum(abs(x) ** p) ** (1 / p)`` over some dimensions. At 0, where it has a kink, the gradient is 0."""

    torch_name = "LinalgVectorNorm"

    layout = "contiguous"

    @staticmethod
    def forward(ctx: Any, x: Any, *, p: float, dim: tuple[int, ...], keepdim: bool) -> Any:
        y = ctx.k.asarray(ctx.k.p_norm(x, p, dim, keepdim))
        ctx.save(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, y = ctx.saved
        p, dim = ctx.params["p"], ctx.params["dim"]
        if not ctx.params["keepdim"]:
            g, y = restore_dims(g, x.shape, dim), restore_dims(y, x.shape, dim)
        if p == 0:
            return None
        if p == 2:
            return x * _ratio(g, y)
        sign = apply(Sgn if _array(x).dtype.kind == "c" else Sign, x)
        if p == 1:
            return sign * g
        size = apply(Abs, x)
        if math.isinf(p):
            chosen = where_rule(size == y, sign, 0.0)
            return chosen * (g / sum_rule(where_rule(size == y, chosen * 0 + 1, 0.0), dim, True))
        power = pow_rule(where_rule(size == 0, 1.0, size), p - 1)  # sign is 0 where the size was
        return sign * power * _ratio(g, where_rule(y == 0, 0.0, pow_rule(where_rule(y == 0, 1.0, y), p - 1)))


def _array(x: Any) -> Any:
    return x._data if isinstance(x, TensorBase) else x


def _ratio(g: Any, y: Any) -> Any:
    """``g / y``, and 0 where ``y`` is 0."""
    return where_rule(y == 0, 0.0, g / where_rule(y == 0, 1.0, y))


def p_norm(x: Any, p: float, dim: tuple[int, ...], keepdim: bool = False) -> Any:
    """The p-norm of a Tensor or array over dimensions counted from the front."""
    return apply(PNorm, x, p=float(p), dim=dim if x.ndim else (), keepdim=keepdim)


class Root(Primitive):
    """``sqrt(max(x, 0))``, with gradient 0 where that is 0: what distances from products need."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = ctx.k.asarray(ctx.k.sqrt(ctx.k.maximum(x, ctx.k.asarray(0, dtype=x.dtype))))
        ctx.save(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (y,) = ctx.saved
        return _ratio(g, y + y)


def _floating(op: str, *tensors: Any) -> None:
    for t in tensors:
        if not isinstance(t, TensorBase):
            raise TypeError(f"{op}(): argument must be Tensor, not {type(t).__name__}")
        if t._data.dtype.kind not in "fV":
            raise DTypeError(
                f"{op}: Expected a floating point tensor as input (expected common dtype to be floating point), but "
                f"got {scalar_type(FROM_NUMPY[t._data.dtype])}; convert with .float()"
            )


def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary") -> Tensor:
    """The distances of every row of ``x1`` from every row of ``x2``.

    Args:
        x1: (..., P, M).
        x2: (..., R, M); leading dimensions broadcast.
        p: which norm of the difference.
        compute_mode: for ``p=2``, whether to use ``|a|^2 + |b|^2 - 2 ab``, one matrix product, which is fast and loses
            digits for close rows: ``"use_mm_for_euclid_dist"``, ``"donot_use_mm_for_euclid_dist"``, or, unless told,
            only for more than 25 rows.

    Returns:
        (..., P, R).

    Raises:
        RuntimeError: the rows' lengths differ.
    """
    _floating("cdist", x1, x2)
    a, b = check_pair("cdist", x1, x2)
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-1]:
        raise ShapeError(
            f"cdist: X1 and X2 must have at least 2 dimensions and the same number of columns, got {list(a.shape)} and "
            f"{list(b.shape)}"
        )
    if p < 0:
        raise ShapeError(f"cdist only supports non-negative p values, got {p}")
    many = a.shape[-2] > 25 or b.shape[-2] > 25
    if p == 2 and (compute_mode == "use_mm_for_euclid_dist" or (many and not compute_mode.startswith("donot"))):
        squares = [sum_rule(mul(x, x), (x._data.ndim - 1,), True) for x in (x1, x2)]
        across = reshape_rule(squares[1], (*b.shape[:-2], 1, b.shape[-2]))
        return apply(Root, sub(add(squares[0], across), mul(bmm_rule(x1, x2, False, True), 2.0)))
    left = reshape_rule(x1, (*a.shape[:-1], 1, a.shape[-1]))
    right = reshape_rule(x2, (*b.shape[:-2], 1, *b.shape[-2:]))
    difference = sub(left, right)
    return p_norm(difference, p, (difference._data.ndim - 1,))


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The distances of all pairs of rows, (0, 1), (0, 2), ..., (1, 2), ...: the upper triangle of `cdist`.

    Args:
        input: (N, M).
        p: which norm of the difference.

    Returns:
        (N (N - 1) / 2).
    """
    _floating("pdist", input)
    x = input._data
    if x.ndim != 2:
        raise ShapeError(f"pdist only supports 2D tensors, got: {x.ndim}D with shape {list(x.shape)}")
    if p < 0:
        raise ShapeError(f"pdist only supports non-negative p values, got {p}")
    k, n = kernels_of[type(x)], x.shape[0]
    later = k.arange(n)[:, None] < k.arange(n)[None, :]
    first, second = k.nonzero(later)
    return p_norm(sub(index_select_rule(input, first, 0), index_select_rule(input, second, 0)), p, (1,))


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of ``input - other`` over all elements."""
    need_tensors("dist", input=input, other=other)
    difference = sub(input, other)
    return p_norm(difference, p, tuple(range(difference._data.ndim)))


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of ``x1 - x2 + eps`` over the last dimension.

    Args:
        x1: (..., D), which broadcast.
        x2: likewise.
        p: which norm.
        eps: keeps the norm away from its kink at 0.
        keepdim: keep the dimension, at size 1.
    """
    difference = add(sub(x1, x2), eps)
    ndim = difference._data.ndim
    return p_norm(difference, p, (ndim - 1,) if ndim else (), keepdim)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors: ``x1 x2 / (max(|x1|, eps) max(|x2|, eps))``.

    Args:
        x1: Tensors that broadcast.
        x2: likewise.
        dim: the dimension of the vectors.
        eps: the least length.
    """
    if x1._data.shape != x2._data.shape:
        x1, x2 = broadcast_tensors(x1, x2)
    a, b = operands("cosine_similarity", x1, x2)
    _floating("cosine_similarity", a, b)
    axis = canonical_dims(dim, a._data.ndim, "cosine_similarity") if a._data.ndim else _no_dims(dim)
    scaled = [div(x, apply(Clamp, p_norm(x, 2, axis, True), low=eps, high=None)) for x in (a, b)]
    return sum_rule(mul(*scaled), axis)


def _no_dims(dim: Any) -> tuple[int, ...]:
    """The dimensions of a number, which has none but lets itself be addressed as if it had one."""
    canonical_dims(dim, 0, "norm")
    return ()


def normalize(input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12, out: Any = None) -> Tensor:
    """``input / max(|input|_p, eps)``: vectors of length 1.

    Args:
        input: any shape, floating or complex.
        p: which norm.
        dim: the dimension of the vectors, or several.
        eps: the least length.
        out: a tensor to write the result to.
    """
    if input._data.dtype.kind != "c":
        _floating("normalize", input)
    dims = canonical_dims(dim, input._data.ndim, "normalize") if input._data.ndim else _no_dims(dim)
    result = div(input, apply(Clamp, p_norm(input, p, dims, True), low=eps, high=None))
    return result if out is None else write_out(out, result, "normalize")
