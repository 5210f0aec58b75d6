"""Norms, condition numbers and ranks; in ``wengert.linalg``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...backends import kernels_of, to_dtype
from ...backends.errors import ArgumentError, DTypeError, LinAlgError, ShapeError
from ..base import TensorBase, wrap
from .cast import cast
from .dims import canonical_dims, packed
from .distance import p_norm
from .linalg import check_matrix, done, lower, mH
from .linalg_factors import eigvalsh, svdvals
from .linalg_solving import inv
from .reduction import restore_dims, sum_rule
from .shape import permute_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


def _floating(op: str, x: Any, dtype: Any) -> Any:
    """``x`` as the type asked for, which has norms.

    Raises:
        TypeError: it is no Tensor. RuntimeError: it is of integers.
    """
    if not isinstance(x, TensorBase):
        raise TypeError(f"{op}(): argument must be Tensor, not {type(x).__name__}")
    if x._data.dtype.kind in "iub":
        raise DTypeError(
            f"{op}: Expected a floating point or complex tensor as input. Got {x._data.dtype.name}; use .float()"
        )
    return x if dtype is None else cast(x, to_dtype(dtype).dtype)


def vector_norm(
    x: Tensor, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Tensor:
    """``sum(abs(x) ** ord) ** (1 / ord)`` over some dimensions, as of one vector.

    Args:
        x: floating point or complex, any shape.
        ord: a number; infinities give the largest or smallest size, 0 counts what is not zero.
        dim: one dimension, several, or None for all.
        keepdim: keep the reduced dimensions at size 1.
        dtype: convert to this type first.
        out: a tensor to write the result to.

    Raises:
        RuntimeError: ``x`` is of integers, or ``ord`` is no number.

    Example:
        >>> import wengert as wg
        >>> wg.linalg.vector_norm(wg.tensor([3.0, 4.0]))
        tensor(5.)
    """
    if isinstance(ord, str):
        raise ArgumentError(f"linalg.vector_norm: ord must be a number, not {ord!r}; matrix_norm takes 'fro' and 'nuc'")
    v = _floating("linalg.vector_norm", x, dtype)
    dims = canonical_dims(dim, v._data.ndim, "linalg.vector_norm")
    return done("linalg.vector_norm", p_norm(v, float(ord), dims, keepdim), out)


def matrix_norm(
    A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Tensor:
    """The norm of matrices.

    Args:
        A: floating point or complex, (..., m, n).
        ord: ``"fro"``, the root of the sum of squares; ``"nuc"``, the sum of the singular values; 2 or -2, the
            largest or smallest of them; 1 or -1, the largest or smallest sum of a column's sizes; infinities, of a
            row's.
        dim: which two dimensions are the matrices'.
        keepdim: keep them at size 1.
        dtype: convert to this type first.
        out: a tensor to write the result to.

    Raises:
        RuntimeError: ``A`` is of integers or has less than two dimensions, or ``ord`` is none of these.
    """
    op = "linalg.matrix_norm"
    x = _floating(op, A, dtype)
    shape = x._data.shape
    if len(shape) < 2:
        raise ShapeError(f"{op}: The input tensor A must have at least 2 dimensions, but its shape is {list(shape)}")
    dims = canonical_dims(dim, len(shape), op)
    if len(dims) != 2:
        raise ArgumentError(f"{op}: dim must be a 2-tuple. Got {dim}")
    if ord == "fro":
        return done(op, p_norm(x, 2.0, dims, keepdim), out)
    if ord == "nuc" or (not isinstance(ord, str) and abs(ord) == 2):
        rest = tuple([d for d in range(len(shape)) if d not in dims])
        s = svdvals(permute_rule(x, (*rest, *dims)))
        axis = (s._data.ndim - 1,)
        y = sum_rule(s, axis) if ord == "nuc" else p_norm(s, math.copysign(math.inf, ord), axis)
        return done(op, restore_dims(y, shape, dims) if keepdim else y, out)
    if isinstance(ord, str) or abs(ord) not in (1, math.inf):
        raise ArgumentError(f"{op}: Order {ord} not supported; supported are 'fro', 'nuc', inf, -inf, 1, -1, 2 and -2")
    first, second = dims if abs(ord) == 1 else dims[::-1]
    sums = p_norm(x, 1.0, (first,), True)
    y = p_norm(sums, math.copysign(math.inf, ord), (second,), True)
    return done(op, y if keepdim else y.squeeze(dims), out)


def norm(
    A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, out: Any = None, dtype: Any = None
) -> Tensor:
    """`vector_norm` or `matrix_norm`, whichever the arguments speak of.

    Without ``ord`` it is the root of the sum of squares over ``dim``; with it, one dimension is a vector and two are a
    matrix.

    Raises:
        RuntimeError: ``ord`` is given and ``A``, or ``dim``, has neither one nor two dimensions.
    """
    dims = None if dim is None else packed(dim)
    if ord is None:
        return vector_norm(A, 2, dims, keepdim, dtype=dtype, out=out)
    count = A._data.ndim if dims is None else len(dims)
    if count == 2:
        return matrix_norm(A, ord, (-2, -1) if dims is None else dims, keepdim, dtype=dtype, out=out)
    if count != 1:
        raise ArgumentError(
            f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {count}D with shape "
            f"{list(A._data.shape)}; give one or two dimensions"
        )
    return vector_norm(A, ord, dims, keepdim, dtype=dtype, out=out)


def cond(A: Tensor, p: Any = None, *, out: Any = None) -> Tensor:
    """The condition number ``norm(A) * norm(inv(A))``, infinite for singular matrices.

    Args:
        A: (..., m, n), square unless ``p`` is None, 2 or -2.
        p: the order of `matrix_norm`; None is 2.
        out: a tensor to write the result to.
    """
    op = "linalg.cond"
    check_matrix(op, A, p not in (None, 2, -2))
    if p in (None, 2, -2):
        s = svdvals(A)
        large, small = s[..., 0], s[..., -1]
        return done(op, small / large if p == -2 else large / small, out)
    try:
        y = matrix_norm(A, p) * matrix_norm(inv(A), p)
    except LinAlgError:
        y = _cond_of_singular(A, p)
    return done(op, y, out)


def _cond_of_singular(A: Any, p: Any) -> Any:
    """`cond` where some of the matrices are singular: they are replaced by the identity, and their result by inf."""
    k = kernels_of[type(A._data)]
    regular = wrap(k.asarray(k.det(A._data) != 0))
    unit = wrap(k.eye(A._data.shape[-1], dtype=A._data.dtype))
    safe = A.where(regular[..., None, None], unit)
    y = matrix_norm(safe, p) * matrix_norm(inv(safe), p)
    return y.masked_fill(~regular, math.inf)


def matrix_rank(
    A: Tensor, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None, out: Any = None
) -> Tensor:
    """How many singular values are above ``max(atol, rtol * largest)``, as int64.

    Args:
        A: (..., m, n).
        tol: ``atol`` by its old name.
        hermitian: the matrices are Hermitian, and only their lower triangle is read.
        atol: a number or tensor; 0 unless told.
        rtol: a number or tensor; ``max(m, n)`` times the type's epsilon unless told, 0 if ``atol`` is given.
        out: a tensor to write the result to.

    Example:
        >>> import wengert as wg
        >>> wg.linalg.matrix_rank(wg.ones(3, 3))
        tensor(1)
    """
    op = "linalg.matrix_rank"
    check_matrix(op, A, hermitian)
    x = A.detach()
    s = eigvalsh(x).abs() if hermitian else svdvals(x)
    absolute, relative = tolerances(x, tol if atol is None else atol, rtol)
    if not s._data.shape[-1]:
        return done(op, (s != 0).sum(-1), out)
    bound = s.amax(-1) * relative
    bound = bound.maximum(bound * 0 + absolute)
    return done(op, (s > bound[..., None]).sum(-1), out)


def tolerances(A: Any, atol: Any, rtol: Any) -> tuple[Any, Any]:
    """``atol`` and ``rtol`` where one or both are None."""
    a = A._data
    given = isinstance(atol, TensorBase) or (atol is not None and atol > 0)
    if rtol is None:
        rtol = 0.0 if given else max(a.shape[-2:]) * kernels_of[type(a)].finfo(a.dtype).eps
    return 0.0 if atol is None else atol, rtol if isinstance(rtol, TensorBase) else float(rtol)


def hermitian_from_lower(x: Any) -> Any:
    """The Hermitian matrices whose lower triangle ``x`` has."""
    return lower(x) + mH(lower(x, -1))
