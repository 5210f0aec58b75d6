"""Inverses, determinants and systems of equations; in ``wengert.linalg``.

References:
    M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation" (2008):
    the rules of inverse, determinant, solution and Cholesky factor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.errors import ShapeError
from ..base import wrap
from ..primitive import Primitive, apply
from .complex import imag_rule
from .elementwise import conj, quotient
from .exponential import log
from .linalg import (
    bmm_rule,
    check_matrix,
    diagonal_matrix,
    diagonal_of,
    done,
    lower,
    mH,
    mT,
    same_batch,
    upper,
)
from .product import check_pair
from .reduction import sum_rule
from .return_types import named_result
from .shape import expand_rule, reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor

SlogdetResult = named_result("linalg_slogdet", "sign logabsdet")


class Inverse(Primitive):
    """``y = inv(x)``: as ``dy = -y dx y``, the gradient is ``-y.H g y.H``."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = ctx.k.inverse(x)
        ctx.save(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        yh = mH(ctx.saved[0])
        return -bmm_rule(bmm_rule(yh, g), yh)


class Solve(Primitive):
    """``x = inv(a) b``: ``b`` receives ``inv(a).H g``, and ``a`` that times ``-x.H``."""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        x = ctx.k.solve(a, b)
        ctx.save(a, x)
        return x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        a, x = ctx.saved
        gb = apply(Solve, mH(a), g)
        return -bmm_rule(gb, mH(x)) if ctx.needs[0] else None, gb


class SolveTriangular(Primitive):
    """`Solve` for a triangle; its gradient is one, too."""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any, *, upper: bool, unit: bool) -> Any:
        x = ctx.k.solve_triangular(a, b, upper, unit)
        ctx.save(a, x)
        return x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        a, x = ctx.saved
        is_upper, unit = ctx.params["upper"], ctx.params["unit"]
        gb = solve_triangle(mH(a), g, not is_upper, unit)
        if not ctx.needs[0]:
            return None, gb
        ga = -bmm_rule(gb, mH(x))
        return upper(ga, int(unit)) if is_upper else lower(ga, -int(unit)), gb


class Cholesky(Primitive):
    """``x = l l.H``.

    As ``inv(l) dx inv(l).H = inv(l) dl + (inv(l) dl).H``, ``inv(l) dl`` is the lower triangle of the left side with
    its diagonal halved, and the gradient is the adjoint of that map, made Hermitian.

    References:
        I. Murray, "Differentiation of the Cholesky decomposition", arXiv:1602.07527.
    """

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = ctx.k.cholesky(x)
        ctx.save(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        lh = mH(ctx.saved[0])
        p = lower(bmm_rule(lh, g))
        p = p - diagonal_matrix(diagonal_of(p)) * 0.5
        half = solve_triangle(lh, (p + mH(p)) * 0.5, True)
        return mH(solve_triangle(lh, mH(half), True))


class Det(Primitive):
    """The determinant: its derivative by an element is that element's cofactor."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save(x)
        return ctx.k.det(x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return conj(apply(Cofactor, ctx.saved[0])) * g[..., None, None]


class Cofactor(Primitive):
    """``c = det(x) inv(x).T``, with ``dc = (sum(c * dx) c - c dx.T c) / det(x)``: it needs a regular matrix."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = ctx.k.cofactor(x)
        ctx.save(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, y = ctx.saved
        c, d = conj(y), conj(apply(Det, x))[..., None, None]
        inner = sum_rule(g * c, (g.ndim - 2, g.ndim - 1), True)
        return quotient(inner * c - bmm_rule(bmm_rule(c, mT(g)), c), d + c * 0)


class Slogdet(Primitive):
    """Sign and logarithm of the determinant.

    ``d log(det) = trace(inv(x) dx)``, of which the imaginary part turns the sign of a complex one.
    """

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        sign, size = map(ctx.k.asarray, ctx.k.slogdet(x))
        ctx.save(x, sign)
        ctx.info = x.dtype.kind == "c"
        return sign, size

    @staticmethod
    def backward(ctx: Any, gs: Any, g: Any) -> Any:
        x, sign = ctx.saved
        if ctx.info:
            g = g + imag_rule(gs * conj(sign)) * 1j
        return mH(apply(Inverse, x)) * g[..., None, None]


def solve_triangle(a: Any, b: Any, upper: bool, unit: bool = False) -> Any:
    """`SolveTriangular` of Tensors or arrays whose leading dimensions are equal."""
    return apply(SolveTriangular, a, b, upper=upper, unit=unit)


# ---------------------------------------------------------------------- the public functions


def inv(A: Tensor, *, out: Any = None) -> Tensor:
    """The inverse of square matrices (..., n, n).

    Raises:
        RuntimeError: they are not square, or their type has no inverse. LinAlgError: one is singular.

    Example:
        >>> import wengert as wg
        >>> wg.linalg.inv(wg.tensor([[2.0, 0.0], [0.0, 4.0]]))
        tensor([[0.5000, 0.0000],
                [0.0000, 0.2500]])
    """
    check_matrix("linalg.inv", A, True)
    return done("linalg.inv", apply(Inverse, A), out)


def _is_vector(a: Any, b: Any) -> bool:
    """Whether `solve` takes ``b`` as vectors, not as matrices."""
    return b.ndim == 1 or (a.ndim - 1 == b.ndim and b.shape == a.shape[:-1])


def solve(A: Tensor, B: Tensor, *, left: bool = True, out: Any = None) -> Tensor:
    """The ``X`` with ``A @ X = B``, or ``X @ A = B`` if not ``left``.

    Args:
        A: (..., n, n).
        B: (..., n, k), or (..., n) for one right side; leading dimensions broadcast.
        left: on which side ``A`` stands.
        out: a tensor to write the result to.

    Raises:
        RuntimeError: the shapes or types do not fit. LinAlgError: a matrix is singular.

    Example:
        >>> import wengert as wg
        >>> wg.linalg.solve(wg.tensor([[2.0, 0.0], [0.0, 4.0]]), wg.tensor([2.0, 2.0]))
        tensor([1.0000, 0.5000])
    """
    op = "linalg.solve"
    a = check_matrix(op, A, True)
    check_pair(op, A, B, "A and B")
    vector = _is_vector(a, B._data)
    if vector:
        if not left:
            raise ShapeError(f"{op}: Vector broadcasting of the left hand side is not supported for left=False")
        B = reshape_rule(B, (*B._data.shape, 1))
    _fits(op, a, B._data, left)
    A, B = same_batch(op, A, B)
    x = apply(Solve, A, B) if left else mT(apply(Solve, mT(A), mT(B)))
    return done(op, reshape_rule(x, x._data.shape[:-1]) if vector else x, out)


def _fits(op: str, a: Any, b: Any, left: bool) -> None:
    if b.ndim < 2 or a.shape[-1] != b.shape[-2 if left else -1]:
        raise ShapeError(
            f"{op}: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
            f"({list(a.shape)} and {list(b.shape)})"
        )


def solve_triangular(
    A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False, out: Any = None
) -> Tensor:
    """The ``X`` with ``A @ X = B`` (``X @ A = B`` if not ``left``) for triangular ``A``, of which the rest is not read.

    Args:
        A: (..., n, n).
        B: (..., n, k), or (..., k, n) if not ``left``; leading dimensions broadcast.
        upper: which triangle.
        left: on which side ``A`` stands.
        unitriangular: take the diagonal for ones.
        out: a tensor to write the result to.

    Raises:
        RuntimeError: the shapes or types do not fit. A zero on the diagonal gives infinities.
    """
    op = "linalg.solve_triangular"
    check_matrix(op, A, True)
    check_matrix(op, B)
    _fits(op, A._data, B._data, left)
    A, B = same_batch(op, A, B)
    if not left:
        return done(op, mT(solve_triangle(mT(A), mT(B), not upper, unitriangular)), out)
    x = solve_triangle(A, B, upper, unitriangular)
    return done(op, x, out)


def cholesky(A: Tensor, *, upper: bool = False, out: Any = None) -> Tensor:
    """The lower triangle ``L`` with ``A = L @ L.mH``, or the upper one, its conjugate transpose.

    Args:
        A: Hermitian positive-definite matrices (..., n, n), of which the triangle asked for is read.
        upper: which triangle.
        out: a tensor to write the result to.

    Raises:
        RuntimeError: they are not square. LinAlgError: one is not positive-definite.
    """
    check_matrix("linalg.cholesky", A, True)
    y = mH(apply(Cholesky, mH(A))) if upper else apply(Cholesky, A)
    return done("linalg.cholesky", y, out)


def cholesky_solve(B: Tensor, L: Tensor, upper: bool = False, *, out: Any = None) -> Tensor:
    """The ``X`` with ``A @ X = B``, where ``L`` is the Cholesky factor of ``A``.

    Args:
        B: (..., n, k).
        L: (..., n, n); leading dimensions broadcast.
        upper: whether ``L`` is the upper triangle.
        out: a tensor to write the result to.
    """
    op = "cholesky_solve"
    check_matrix(op, L, True)
    check_matrix(op, B)
    _fits(op, L._data, B._data, True)
    L, B = same_batch(op, L, B)
    if upper:
        L = mH(L)
    x = solve_triangle(mH(L), solve_triangle(L, B, False), True)
    return done(op, x, out)


def cholesky_inverse(L: Tensor, upper: bool = False, *, out: Any = None) -> Tensor:
    """The inverse of ``A`` from its Cholesky factor; see `cholesky_solve`."""
    check_matrix("cholesky_inverse", L, True)
    return cholesky_solve(unit_like(L), L, upper, out=out)


def unit_like(A: Any) -> Any:
    """Unit matrices of the shape and type of ``A``."""
    a = A._data
    return expand_rule(wrap(kernels_of[type(a)].eye(a.shape[-1], dtype=a.dtype)), a.shape)


def det(A: Tensor, *, out: Any = None) -> Tensor:
    """The determinant of square matrices (..., n, n).

    Singular matrices have a gradient as well (PyTorch gives 0 for some); the second derivative needs a regular one.
    """
    check_matrix("linalg.det", A, True)
    return done("linalg.det", apply(Det, A), out)


def slogdet(A: Tensor, *, out: Any = None) -> Any:
    """Sign and logarithm of the size of the determinant, which does not overflow.

    Returns:
        ``(sign, logabsdet)``; of a singular matrix 0 and -inf.
    """
    check_matrix("linalg.slogdet", A, True)
    parts = apply(Slogdet, A)
    return SlogdetResult(*[done("linalg.slogdet", y, None if out is None else out[i]) for i, y in enumerate(parts)])


def logdet(input: Tensor) -> Tensor:
    """The logarithm of the determinant; NaN where that is negative."""
    check_matrix("logdet", input, True)
    sign, size = apply(Slogdet, input)
    return log(sign.detach() if input._data.dtype.kind == "f" else sign) + size


inverse = inv
