"""Functions of matrices made of products and factorisations: powers, exponentials, least squares and others."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.errors import ArgumentError, ShapeError
from ..base import wrap
from ..primitive import Primitive, apply
from .arithmetic import mul
from .blas import cross as old_cross
from .blas import multiplied
from .diagonals import diagonal as old_diagonal
from .elementwise import conj
from .join import cat_rule
from .linalg import check_matrix, done, mH, same_batch
from .linalg_factors import Pinv, svdvals
from .linalg_norms import hermitian_from_lower, matrix_rank, tolerances
from .linalg_solving import inv, solve, unit_like
from .product import bmm_rule
from .reduction import sum_rule
from .return_types import named_result
from .sequences import vander as old_vander
from .shape import broadcast_tensors, movedim, reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor

LstsqResult = named_result("linalg_lstsq", "solution residuals rank singular_values")


class MatrixExp(Primitive):
    """The matrix exponential.

    Its derivative in a direction is a block of the exponential of a matrix of blocks, and the gradient is the
    derivative of the adjoint's exponential in the direction ``g``.

    References:
        R. Mathias, "A chain rule for matrix functions and applications", SIAM J. Matrix Anal. Appl. 17 (1996).
    """

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save(x)
        return ctx.k.matrix_exp(x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x = mH(ctx.saved[0])
        n, columns = g.shape[-1], g.ndim - 1
        blocks = cat_rule([cat_rule([x, g], columns), cat_rule([x * 0, x], columns)], columns - 1)
        return apply(MatrixExp, blocks)[..., :n, n:]


def matrix_exp(input: Tensor) -> Tensor:
    """The exponential ``I + A + A @ A / 2 + ...`` of square matrices (..., n, n).

    Example:
        >>> import wengert as wg
        >>> wg.linalg.matrix_exp(wg.zeros(2, 2))
        tensor([[1., 0.],
                [0., 1.]])
    """
    check_matrix("linalg.matrix_exp", input, True)
    return apply(MatrixExp, input)


def matrix_power(input: Tensor, n: int, *, out: Any = None) -> Tensor:
    """``input`` multiplied by itself ``n`` times, by repeated squaring; a negative ``n`` is a power of the inverse.

    Raises:
        RuntimeError: the matrices are not square. LinAlgError: ``n`` is negative and one is singular.
    """
    op = "linalg.matrix_power"
    check_matrix(op, input, True)
    x, n = (inv(input), -n) if n < 0 else (input, n)
    if n == 0:
        return done(op, unit_like(input).clone(), out)
    result = None
    while n:
        if n % 2:
            result = x if result is None else bmm_rule(result, x)
        n //= 2
        x = bmm_rule(x, x) if n else x
    return done(op, result.clone() if result is input else result, out)


def pinv(A: Tensor, *, atol: Any = None, rtol: Any = None, hermitian: bool = False, out: Any = None) -> Tensor:
    """The pseudo-inverse of Moore and Penrose.

    Args:
        A: (..., m, n).
        atol: singular values not above ``max(atol, rtol * largest)`` count as 0; 0 unless told.
        rtol: ``max(m, n)`` times the type's epsilon unless told, 0 if ``atol`` is given.
        hermitian: ``A`` is Hermitian, and only its lower triangle is read.
        out: a tensor to write the result to.

    Returns:
        (..., n, m). Gradients hold where the rank is constant.
    """
    check_matrix("linalg.pinv", A, hermitian)
    absolute, relative = tolerances(A, atol, rtol)
    x = hermitian_from_lower(A) if hermitian else A
    return done("linalg.pinv", apply(Pinv, x, atol=float(absolute), rtol=float(relative)), out)


def lstsq(A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None) -> Any:
    """The ``X`` of least ``norm(A @ X - B)``, and of least norm among those, by the pseudo-inverse.

    Args:
        A: (..., m, n).
        B: (..., m, k), or (..., m).
        rcond: singular values below this part of the largest count as 0; ``max(m, n)`` times the epsilon unless told.
        driver: ``"gelsy"``, ``"gels"``, ``"gelsd"`` or ``"gelss"``: the last two return singular values.

    Returns:
        ``(solution, residuals, rank, singular_values)``. The sums of squared residuals are empty unless m > n and
        every rank is n; the rank is empty with ``"gels"``.

    Raises:
        RuntimeError: the shapes or types do not fit.
    """
    op = "linalg.lstsq"
    a = check_matrix(op, A)
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise ArgumentError(f"{op}: parameter `driver` should be one of (gels, gelsy, gelsd, gelss), got {driver!r}")
    vector = B._data.ndim == a.ndim - 1
    if vector:
        B = reshape_rule(B, (*B._data.shape, 1))
    if B._data.ndim < 2 or B._data.shape[-2] != a.shape[-2]:
        raise ShapeError(f"{op}: input.size(-2) should match other.size(-2), got {list(a.shape)} and {list(B.shape)}")
    A, B = same_batch(op, A, B)
    x = bmm_rule(pinv(A, rtol=rcond), B)
    k = kernels_of[type(a)]
    nothing = wrap(k.empty((0,), dtype=a.real.dtype))
    rank = matrix_rank(A, rtol=rcond)
    residuals = nothing
    if a.shape[-2] > a.shape[-1] and bool((rank == a.shape[-1]).all()):
        residuals = (bmm_rule(A, x) - B).abs().square().sum(-2).detach()
    values = svdvals(A).detach() if driver in ("gelsd", "gelss") else nothing
    solution = reshape_rule(x, x._data.shape[:-1]) if vector else x
    return LstsqResult(solution, residuals, wrap(k.empty((0,), dtype="int64")) if driver == "gels" else rank, values)


def multi_dot(tensors: Any, *, out: Any = None) -> Tensor:
    """The product of several matrices in the order that takes the fewest multiplications.

    The first may be a row vector, and the last a column vector.

    Raises:
        RuntimeError: there are fewer than two, or shapes do not fit.
    """
    op = "linalg.multi_dot"
    matrices = list(tensors)
    if len(matrices) < 2:
        raise ShapeError(f"{op}: expected at least 2 tensors but got {len(matrices)}")
    first, last = matrices[0]._data.ndim == 1, matrices[-1]._data.ndim == 1
    if first:
        matrices[0] = reshape_rule(matrices[0], (1, matrices[0]._data.size))
    if last:
        matrices[-1] = reshape_rule(matrices[-1], (matrices[-1]._data.size, 1))
    for i, m in enumerate(matrices):
        if m._data.ndim != 2:
            raise ShapeError(f"{op}: tensor {i} must be 2D but got {m._data.ndim}D with shape {list(m._data.shape)}")
    y = multiplied(matrices)
    shape = y._data.shape
    wanted = (() if first else shape[:1]) + (() if last else shape[1:])
    return done(op, y if wanted == shape else reshape_rule(y, wanted), out)


def tensorinv(A: Tensor, ind: int = 2, *, out: Any = None) -> Tensor:
    """The inverse for `tensordot` over ``ind`` dimensions: the first ``ind`` dimensions against the others.

    Raises:
        RuntimeError: their sizes do not multiply to the same number, or ``ind`` is not positive.
    """
    shape = A._data.shape
    if ind <= 0:
        raise ArgumentError("linalg.tensorinv: Expected a strictly positive integer for 'ind'")
    n, m = math.prod(shape[:ind]), math.prod(shape[ind:])
    if n != m:
        raise ShapeError(
            f"linalg.tensorinv: Expected the sizes {list(shape[:ind])} and {list(shape[ind:])} to have one product"
        )
    return done("linalg.tensorinv", reshape_rule(inv(reshape_rule(A, (n, n))), (*shape[ind:], *shape[:ind])), out)


def tensorsolve(A: Tensor, B: Tensor, dims: Any = None, *, out: Any = None) -> Tensor:
    """The ``X`` with ``tensordot(A, X, X.ndim) = B``; ``dims`` of ``A`` are moved to its end first."""
    a = A if dims is None else movedim(A, tuple(dims), tuple(range(-len(dims), 0)))
    shape = a._data.shape[B._data.ndim :]
    n = B._data.size
    if math.prod(shape) != n:
        raise ShapeError(
            f"linalg.tensorsolve: A of shape {list(a._data.shape)} does not fit B of {list(B._data.shape)}"
        )
    return done("linalg.tensorsolve", reshape_rule(solve(reshape_rule(a, (n, n)), reshape_rule(B, (n,))), shape), out)


def cross(input: Tensor, other: Tensor, *, dim: int = -1, out: Any = None) -> Tensor:
    """The vector product along a dimension of size 3."""
    return old_cross(input, other, dim, out=out)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """A view of the diagonal of each matrix."""
    return old_diagonal(A, offset, dim1, dim2)


def vander(x: Tensor, N: int | None = None) -> Tensor:
    """The powers 0 to ``N - 1`` of each element, along a new last dimension; ``N`` is the last size unless told."""
    shape = x._data.shape
    if not shape:
        raise ShapeError("linalg.vander: Expected x to have at least one dimension")
    if N is not None and N <= 1:
        raise ArgumentError(f"linalg.vander: N must be greater than 1, got {N}")
    n = shape[-1] if N is None else N
    return reshape_rule(old_vander(reshape_rule(x, (x._data.size,)), n, True), (*shape, n))


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1, out: Any = None) -> Tensor:
    """The sum of ``conj(x) * y`` along a dimension."""
    a, b = broadcast_tensors(x, y)
    product = mul(conj(a), b)
    return done("linalg.vecdot", sum_rule(product, (dim % max(product._data.ndim, 1),)), out)
