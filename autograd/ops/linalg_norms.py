"""Norms, condition numbers and ranks; in ``wengert.linalg``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...backends import kernels_of, to_dtype
from ...backends.errors import ArgumentError, DimensionError, DTypeError, LinAlgError, ShapeError
from ..base import TensorBase, wrap
from ..promotion import promote_types
from .cast import cast
from .dims import canonical_dim, canonical_dims, packed
from .distance import p_norm
from .extrema import amax, amin
from .linalg import WANTED, also_named, check_matrix, done, type_name
from .linalg_eigen import eigvalsh
from .linalg_factors import svdvals
from .linalg_solving import inv
from .reduction import restore_dims, sum_rule
from .shape import permute_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


def _floating(op: str, x: Any, dtype: Any) -> Any:
    """``x`` as the type asked for, which has norms.

    Raises:
        TypeError: it is no Tensor. RuntimeError: it is of integers, or the type asked for is of another kind or less.
    """
    if not isinstance(x, TensorBase):
        raise TypeError(f"{op}(): argument must be Tensor, not {type(x).__name__}")
    kind = x.dtype  # type: ignore[attr-defined]
    if kind.category < 2:
        raise DTypeError(f"{op}: {WANTED} Got {type_name(x)}; use .float()")
    if dtype is None:
        return x
    wanted = to_dtype(dtype)
    if wanted.category < 2:
        raise DTypeError(f"{op}: dtype should be floating point or complex, but got {wanted}")
    if wanted.category != kind.category:
        own = "complex" if kind.is_complex else "real"
        raise DTypeError(f"{op}: dtype should be {own} for {own} inputs, but got {wanted}")
    if promote_types(kind, wanted) is not wanted:
        raise DTypeError(
            f"{op}: the dtype of the input ({kind}) should be convertible without narrowing to the specified dtype "
            f"({wanted})"
        )
    return cast(x, wanted.dtype)


@also_named(input="x", axis="dim", keepdims="keepdim")
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
        TypeError: ``ord`` is no number. RuntimeError: ``x`` is of integers, or there is nothing of which to take the
            largest or smallest.

    Example:
        >>> import wengert as wg
        >>> wg.linalg.vector_norm(wg.tensor([3.0, 4.0]))
        tensor(5.)
    """
    op = "linalg.vector_norm"
    if isinstance(ord, str):
        raise TypeError(f"{op}(): argument 'ord' (position 2) must be Number, not str")
    v = _floating(op, x, dtype)
    shape = v._data.shape
    dims = canonical_dims(None if dim is not None and not packed(dim) else dim, len(shape), op)
    if not v._data.size and (ord < 0 or ord == math.inf):
        empty = next((d for d in dims if not shape[d]), None)
        if empty is not None:
            where = "an empty tensor" if dim is None else f"the dimension {empty}"
            raise ArgumentError(
                f"{op} cannot compute the {ord} norm on {where} because this dimension is empty and the operation does "
                "not have an identity"
            )
    return done(op, p_norm(v, float(ord), dims, keepdim), out)


@also_named(input="A", axis="dim", keepdims="keepdim")
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
        RuntimeError: ``A`` is of integers or has less than two dimensions, or ``ord`` is none of these. IndexError:
            there is nothing of which to take the smallest.
    """
    op = "linalg.matrix_norm"
    x = _floating(op, A, dtype)
    shape = x._data.shape
    if len(shape) < 2:
        raise ShapeError(f"{op}: The input tensor A must have at least 2 dimensions. Its shape is {list(shape)}")
    if isinstance(dim, int) or len(packed(dim)) != 2:
        raise ArgumentError(f"{op}: dim must be a 2-tuple. Got {dim}")
    dims = tuple([canonical_dim(d, len(shape), op) for d in packed(dim)])
    if dims[0] == dims[1]:
        raise ArgumentError(f"{op}: dims must be different. Got ({dims[0]}, {dims[1]})")
    if ord == "fro":
        return done(op, p_norm(x, 2.0, dims, keepdim), out)
    if ord == "nuc" or (not isinstance(ord, str) and abs(ord) == 2):
        rest = tuple([d for d in range(len(shape)) if d not in dims])
        s = svdvals(permute_rule(x, (*rest, *dims)))
        axis = s._data.ndim - 1
        y = sum_rule(s, (axis,)) if ord == "nuc" else _outermost(s, ord, axis, -1)
        return done(op, restore_dims(y, shape, dims) if keepdim else y, out)
    if isinstance(ord, str) or abs(ord) not in (1, math.inf):
        raise ArgumentError(f"{op}: Order {ord} not supported. The orders are 'fro', 'nuc', inf, -inf, 1, -1, 2 and -2")
    first, second = dims if abs(ord) == 1 else dims[::-1]
    sums = p_norm(x, 1.0, (first,), True)
    y = _outermost(sums, ord, second, second, True)
    return done(op, y if keepdim else y.squeeze(dims), out)


def _outermost(sizes: Any, ord: float, axis: int, named: int, keepdim: bool = False) -> Any:
    """The largest of some sizes, or, for a negative ``ord``, the smallest; 0 is the largest of none."""
    if ord < 0:
        if not sizes._data.shape[axis]:
            raise DimensionError(f"amin(): Expected reduction dim {named} to have non-zero size.")
        return amin(sizes, axis, keepdim)
    return amax(sizes, axis, keepdim) if sizes._data.shape[axis] else sum_rule(sizes, (axis,), keepdim)


@also_named(input="A", axis="dim", keepdims="keepdim")
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
    if count == 2 or isinstance(ord, str):
        return matrix_norm(A, ord, (-2, -1) if dims is None else dims, keepdim, dtype=dtype, out=out)
    if count != 1:
        raise ArgumentError(
            f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {count}D. Its shape is "
            f"{list(A._data.shape)}; give one or two dimensions"
        )
    return vector_norm(A, ord, dims, keepdim, dtype=dtype, out=out)


@also_named(input="A")
def cond(A: Tensor, p: Any = None, *, out: Any = None) -> Tensor:
    """The condition number ``norm(A) * norm(inv(A))``, infinite for singular matrices.

    Args:
        A: (..., m, n), square unless ``p`` is None, 2 or -2.
        p: the order of `matrix_norm`; None is 2.
        out: a tensor to write the result to.
    """
    op = "linalg.cond"
    if not (p in (None, "fro", "nuc") or (not isinstance(p, str) and abs(p) in (1, 2, math.inf))):
        raise ArgumentError(f"{op} got an invalid norm type: {p}")
    a = check_matrix(op if p in (None, 2, -2) else f"{op}(ord={p})", A, p not in (None, 2, -2))
    if not a.shape[-1] or not a.shape[-2]:
        return done(op, A.abs().sum((-2, -1)), out, casts=True)
    if p in (None, 2, -2):
        s = svdvals(A)
        large, small = s[..., 0], s[..., -1]
        return done(op, small / large if p == -2 else large / small, out, casts=True)
    try:
        y = matrix_norm(A, p) * matrix_norm(inv(A), p)
    except LinAlgError:
        y = _cond_of_singular(A, p)
    return done(op, y, out, casts=True)


def _cond_of_singular(A: Any, p: Any) -> Any:
    """`cond` where some of the matrices are singular: they are replaced by the identity, and their result by inf."""
    k = kernels_of[type(A._data)]
    regular = wrap(k.asarray(k.det(A._data) != 0))
    unit = wrap(k.eye(A._data.shape[-1], dtype=A._data.dtype))
    safe = A.where(regular[..., None, None], unit)
    y = matrix_norm(safe, p) * matrix_norm(inv(safe), p)
    return y.masked_fill(~regular, math.inf)


@also_named(input="A")
def matrix_rank(
    A: Tensor, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None, out: Any = None
) -> Tensor:
    """How many singular values are above ``max(atol, rtol * largest)``, as int64.

    Args:
        A: (..., m, n).
        tol: ``atol`` by its old name, which leaves ``rtol`` at 0.
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
    if tol is not None:
        absolute, relative = tolerances(op, x, tol, 0.0)
    else:
        absolute, relative = tolerances(op, x, atol, rtol)
    if not s._data.shape[-1]:
        return done(op, (s != 0).sum(-1), out, casts=True)
    bound = s.amax(-1) * relative
    bound = bound.maximum(bound * 0 + absolute)
    return done(op, (s > bound[..., None]).sum(-1), out, casts=True)


def tolerances(op: str, A: Any, atol: Any, rtol: Any) -> tuple[Any, Any]:
    """``atol`` and ``rtol`` as numbers or Tensors where one or both are None.

    Raises:
        RuntimeError: one is complex.
    """
    a = A._data
    for name, value in (("atol", atol), ("rtol", rtol)):
        kind = value._data.dtype.kind if isinstance(value, TensorBase) else "c" if isinstance(value, complex) else "f"
        if kind == "c":
            raise DTypeError(f"{op}: {name} tensor of complex type is not supported. Give real ones")
    given = atol is not None and (isinstance(atol, TensorBase) or atol > 0)
    default = max(a.shape[-2:]) * float(kernels_of[type(a)].finfo(a.dtype).eps)
    if rtol is None:
        rtol = 0.0 if given else default
        if isinstance(atol, TensorBase):  # where it says nothing, the default holds
            nothing: Any = atol <= 0  # type: ignore[operator]
            rtol = cast(nothing, a.real.dtype) * default
    return (
        cast(atol, a.real.dtype) if isinstance(atol, TensorBase) else 0.0 if atol is None else float(atol),
        cast(rtol, a.real.dtype) if isinstance(rtol, TensorBase) else float(rtol),
    )


@also_named(axis="dim", keepdims="keepdim")
def frobenius_norm(input: Tensor, dim: Any, keepdim: bool = False, *, out: Any = None) -> Tensor:
    """The root of the sum of squares over one dimension, or two.

    Raises:
        RuntimeError: ``dim`` has more than two dimensions, or ``input`` is of integers.
    """
    dims = packed(dim)
    if len(dims) > 2:
        raise ArgumentError(f"frobenius_norm: Expected at most 2 dimensions, but got {len(dims)} dimensions instead.")
    return vector_norm(input, 2, dims, keepdim, out=out)


@also_named(axis="dim", keepdims="keepdim")
def nuclear_norm(input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Any = None) -> Tensor:
    """The sum of the singular values of the matrices in two dimensions, the last ones unless told."""
    if isinstance(dim, bool):  # nuclear_norm(input, keepdim)
        dim, keepdim = None, dim
    return matrix_norm(input, "nuc", (-2, -1) if dim is None else dim, keepdim, out=out)
