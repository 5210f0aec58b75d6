"""LU decompositions; in ``wengert.linalg``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.batched import every
from ...backends.errors import DTypeError, LinAlgError, ShapeError
from ..base import TensorBase, wrap
from ..primitive import Primitive, apply
from .gather import gather_rule
from .join import cat_rule
from .linalg import bmm_rule, check_matrix, column_major, done, done_all, lower, mH, same_batch, upper
from .linalg_solving import fits, solve_triangle
from .return_types import named_result

if TYPE_CHECKING:
    from ..tensor import Tensor

LuResult = named_result("linalg_lu", "P L U")
LuFactorResult = named_result("linalg_lu_factor", "LU pivots")
LuFactorExResult = named_result("linalg_lu_factor_ex", "LU pivots info")


class LuFactor(Primitive):
    """``x[order] = l u`` in one matrix.

    With ``m = inv(l) dx[order] inv(u)``, ``inv(l) dl`` is the part of ``m`` below its diagonal and ``du inv(u)`` the
    rest; rows below and columns beside the square part are solutions of systems.
    """

    @staticmethod
    def forward(ctx: Any, x: Any, *, pivot: bool) -> Any:
        y, pivots = ctx.k.lu_factor(x, pivot)
        ctx.save(y)
        if ctx.needs[0]:
            ctx.cache(ctx.k.argsort(ctx.k.permutation(pivots, x.shape[-2]), axis=-1))
        return y, pivots

    @staticmethod
    def backward(ctx: Any, g: Any, _: Any) -> Any:
        (y,), (order,) = ctx.saved, ctx.cached
        rows, columns = y.shape[-2:]
        k = min(rows, columns)
        square, gl = y[..., :k, :k], g[..., :k, :k]
        gu, rest = gl, None
        if rows > k:
            low = y[..., k:, :]
            rest = mH(solve_triangle(square, mH(g[..., k:, :]), True))
            gu = gu - bmm_rule(mH(low), rest)
        elif columns > k:
            rest = solve_triangle(mH(square), g[..., k:], True, True)
            gl = gl - bmm_rule(rest, mH(y[..., k:]))
        gl, gu = lower(gl, -1), upper(gu)
        m = lower(bmm_rule(mH(lower(square, -1)), gl) + gl, -1) + upper(bmm_rule(gu, mH(upper(square))))
        m = solve_triangle(mH(square), m, True, True)
        gx = mH(solve_triangle(square, mH(m), True))
        if rest is not None:
            gx = cat_rule([gx, rest], gx.ndim - (2 if rows > k else 1))
        return gather_rule(gx, ctx.k.broadcast_to(order[..., None], gx.shape), gx.ndim - 2)


# ---------------------------------------------------------------------- the public functions


def lu_factor(A: Tensor, *, pivot: bool = True, out: Any = None) -> Any:
    """The LU decomposition in one matrix, and the swaps of rows.

    Args:
        A: (..., m, n).
        pivot: swap the largest element of a column to its diagonal.
        out: two tensors to write the results to.

    Returns:
        ``(LU, pivots)``: ``pivots`` int32, counted from 1: row i was swapped with row ``pivots[i] - 1``.
    """
    results = lu_factor_ex(A, pivot=pivot)
    check_pivots("linalg.lu_factor", results.info)
    return done_all("linalg.lu_factor", LuFactorResult, results[:2], out)


def check_pivots(op: str, info: Any) -> None:
    """Raise `LinAlgError` if a matrix has a pivot of zero."""
    found = [int(i) for i in every(info._data).reshape(-1)]
    if any(found):
        index = next(i for i, n in enumerate(found) if n)
        where = f"(Batch element {index}): " if every(info._data).ndim else ""
        raise LinAlgError(
            f"{op}: {where}U[{found[index]},{found[index]}] is zero and using it on lu_solve would result in a "
            "division by zero. If you still want to perform the factorization, consider calling linalg.lu(A, pivot) "
            "or linalg.lu_factor_ex(A, pivot)"
        )


def lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False, out: Any = None) -> Any:
    """`lu_factor` of any matrices, and for each 0, or the number of its first pivot that is zero.

    Args:
        A: (..., m, n).
        pivot: swap the largest element of a column to its diagonal.
        check_errors: raise as `lu_factor` does.
        out: three tensors to write the results to.

    Returns:
        ``(LU, pivots, info)``, the last two int32.
    """
    op = "linalg.lu_factor_ex"
    check_matrix(op, A)
    packed, pivots = apply(LuFactor, A, pivot=bool(pivot))
    k = kernels_of[type(A._data)]
    info = wrap(k.asarray(k.first_true(k.diagonal(packed._data, axis1=-2, axis2=-1) == 0)))
    if check_errors:
        check_pivots(op, info)
    return done_all(op, LuFactorExResult, (packed, pivots, info), out)


def lu(A: Tensor, *, pivot: bool = True, out: Any = None) -> Any:
    """``P, L, U`` with ``A = P @ L @ U``: a permutation, a lower triangle of diagonal 1, an upper one."""
    check_matrix("linalg.lu", A)
    packed, pivots = apply(LuFactor, A, pivot=bool(pivot))
    return done_all("linalg.lu", LuResult, unpacked(packed, pivots), out)


def unpacked(packed: Any, pivots: Any, data: bool = True, permutation: bool = True) -> tuple[Any, Any, Any]:
    """``P, L, U`` from the result of `lu_factor`; empty where they are not asked for."""
    a = packed._data
    xp = kernels_of[type(a)]
    rows, columns = a.shape[-2:]
    k = min(rows, columns)
    p = left = right = wrap(xp.zeros((0,), dtype=a.dtype))
    if permutation:
        order = xp.permutation(pivots._data, rows)
        p = wrap((order[..., None, :] == xp.arange(rows)[:, None]).astype(a.dtype))
    if data:
        left = lower(packed[..., :k], -1) + wrap(xp.eye(rows, k, dtype=a.dtype))
        right = upper(packed[..., :k, :])
    return p, left, right


def lu_solve(
    LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False, out: Any = None
) -> Tensor:
    """The ``X`` with ``A @ X = B``, from the result of `lu_factor`.

    Args:
        LU: (..., n, n).
        pivots: (..., n).
        B: (..., n, k); (..., k, n) if not ``left``.
        left: whether ``A`` stands on the left.
        adjoint: solve with the conjugate transpose of ``A``.
        out: a tensor to write the result to.
    """
    op = "linalg.lu_solve"
    check_matrix(op, LU, True, name="LU")
    check_matrix(op, B, name="B")
    if not isinstance(pivots, TensorBase) or pivots._data.dtype.name != "int32":
        raise DTypeError(f"{op}: pivots should be a Tensor of scalar type int32, as lu_factor gives them")
    if pivots._data.shape != LU._data.shape[:-1]:
        raise ShapeError(
            f"{op}: Number of pivots per batch should be same as the dimension of the matrix, but LU is "
            f"{list(LU._data.shape)} and pivots {list(pivots._data.shape)}"
        )
    fits(op, LU._data, B._data, left)
    if not left:
        return done(op, mH(lu_solve(LU, pivots, mH(B), adjoint=not adjoint)), out)
    LU, B = same_batch(op, LU, B)
    k = kernels_of[type(LU._data)]
    order = k.permutation(pivots._data, LU._data.shape[-1])
    if adjoint:
        order = k.argsort(order, axis=-1)
    rows = wrap(k.broadcast_to(order[..., None], B._data.shape))
    axis = B._data.ndim - 2
    if adjoint:
        x = solve_triangle(mH(LU), solve_triangle(mH(LU), B, False), True, True)
        return done(op, column_major(gather_rule(x, rows, axis)), out)
    y = solve_triangle(LU, gather_rule(B, rows, axis), False, True)
    return done(op, solve_triangle(LU, y, True), out)
