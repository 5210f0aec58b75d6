"""The Cholesky factor, and what is computed from it; in ``wengert.linalg``.

References:
    I. Murray, "Differentiation of the Cholesky decomposition", arXiv:1602.07527.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends.batched import any_in, every
from ...backends.errors import LinAlgError, ShapeError
from ..primitive import Primitive, apply
from .linalg import also_named, bmm_rule, check_matrix, done, done_all, lower, mH, same_batch, with_info
from .linalg_solving import solve_triangle
from .return_types import named_result

if TYPE_CHECKING:
    from ..tensor import Tensor

CholeskyResult = named_result("linalg_cholesky_ex", "L info")


class Cholesky(Primitive):
    """``x = l l.H``.

    As ``inv(l) dx inv(l).H = inv(l) dl + (inv(l) dl).H``, ``inv(l) dl`` is the lower triangle of the left side with
    its diagonal halved, and the gradient is the adjoint of that map, made Hermitian.
    """

    @staticmethod
    def forward(ctx: Any, x: Any, *, upper: bool) -> Any:
        y = ctx.k.cholesky(mH(x) if upper else x)
        if upper:
            y = ctx.k.column_major(mH(y))
        ctx.save(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (lh,) = ctx.saved
        if ctx.params["upper"]:
            g = mH(g)
        else:
            lh = mH(lh)
        p = lower(bmm_rule(lh, g))
        half = solve_triangle(lh, (p + mH(lower(p, -1))) * 0.5, True)
        return mH(solve_triangle(lh, mH(half), True))


class CholeskySolve(Primitive):
    """``x`` with ``l l.H x = b``. The gradient is that of the whole of ``l``, although one triangle is read."""

    @staticmethod
    def forward(ctx: Any, b: Any, factor: Any) -> Any:
        x = solve_triangle(mH(factor), solve_triangle(factor, b, False), True)
        ctx.save(factor, x)
        return x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        factor, x = ctx.saved
        gb = apply(CholeskySolve, g, factor)
        if not ctx.needs[1]:
            return gb, None
        p = bmm_rule(gb, mH(x))
        return gb, -bmm_rule(p + mH(p), factor)


class CholeskyInverse(Primitive):
    """``inv(l l.H)``, with the gradient of the whole of ``l``."""

    @staticmethod
    def forward(ctx: Any, factor: Any) -> Any:
        zero = ctx.k.diagonal(factor, axis1=-2, axis2=-1) == 0
        if any_in(zero):
            place = max(int(i) for i in every(ctx.k.first_true(zero)).reshape(-1))
            raise LinAlgError(
                f"cholesky_inverse: The diagonal element {place} is zero, the inversion could not be completed because "
                "the input matrix is singular."
            )
        unit = ctx.k.broadcast_to(ctx.k.eye(factor.shape[-1], dtype=factor.dtype), factor.shape)
        y = solve_triangle(mH(factor), solve_triangle(factor, unit, False), True)
        ctx.save(factor, y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        factor, y = ctx.saved
        return -bmm_rule(bmm_rule(y, bmm_rule(g + mH(g), y)), factor)


# ---------------------------------------------------------------------- the public functions


@also_named(input="A")
def cholesky(A: Tensor, *, upper: bool = False, out: Any = None) -> Tensor:
    """The lower triangle ``L`` with ``A = L @ L.mH``, or the upper one, its conjugate transpose.

    Args:
        A: Hermitian positive-definite matrices (..., n, n), of which the triangle asked for is read.
        upper: which triangle.
        out: a tensor to write the result to.

    Raises:
        RuntimeError: they are not square. LinAlgError: one is not positive-definite.

    Example:
        >>> import wengert as wg
        >>> wg.linalg.cholesky(wg.tensor([[4.0, 2.0], [2.0, 2.0]]))
        tensor([[2., 0.],
                [1., 1.]])
    """
    check_matrix("linalg.cholesky", A, True)
    return done("linalg.cholesky", apply(Cholesky, A, upper=bool(upper)), out)


@also_named(input="A")
def cholesky_ex(A: Tensor, *, upper: bool = False, check_errors: bool = False, out: Any = None) -> Any:
    """`cholesky`, and for each matrix 0, or the order of the first leading minor that is not positive.

    Args:
        A: (..., n, n).
        upper: which triangle.
        check_errors: raise as `cholesky` does.
        out: two tensors to write the results to.

    Returns:
        ``(L, info)``, the latter int32; what stands for the factor of a matrix that has none means nothing.
    """
    check_matrix("linalg.cholesky_ex", A, True)
    results = with_info(
        A, "cholesky_info", check_errors, lambda x: apply(Cholesky, x, upper=bool(upper)), mH if upper else None
    )
    return done_all("linalg.cholesky_ex", CholeskyResult, results, out)


@also_named(input="B", input2="L")
def cholesky_solve(B: Tensor, L: Tensor, upper: bool = False, *, out: Any = None) -> Tensor:
    """The ``X`` with ``A @ X = B``, where ``L`` is the Cholesky factor of ``A``.

    Args:
        B: (..., n, k).
        L: (..., n, n); leading dimensions broadcast.
        upper: whether ``L`` is the upper triangle.
        out: a tensor to write the result to.
    """
    op = "cholesky_solve"
    for name, x in (("b", B), ("u", L)):
        if x._data.ndim < 2:
            raise ShapeError(
                f"{op}: {name} should have at least 2 dimensions, but has {x._data.ndim} dimensions instead"
            )
    if L._data.shape[-1] != B._data.shape[-2]:
        n, (rows, columns) = L._data.shape[-1], B._data.shape[-2:]
        raise ShapeError(
            f"Incompatible matrix sizes for {op}: each A matrix is {n} by {n} but each b matrix is {rows} by {columns}"
        )
    check_matrix(op, L, True)
    L, B = same_batch(op, L, B)
    return done(op, apply(CholeskySolve, B, mH(L) if upper else L), out, casts=True)


@also_named(input="L")
def cholesky_inverse(L: Tensor, upper: bool = False, *, out: Any = None) -> Tensor:
    """The inverse of ``A`` from its Cholesky factor; see `cholesky_solve`."""
    check_matrix("cholesky_inverse", L, True)
    return done("cholesky_inverse", apply(CholeskyInverse, mH(L) if upper else L), out, casts=True)
