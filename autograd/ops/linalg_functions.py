"""Functions of matrices made of products and factorisations: powers, exponentials, least squares and others."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

from ...backends.errors import ArgumentError, DTypeError, ShapeError
from ..base import TensorBase
from ..primitive import Primitive, apply
from .arithmetic import mul
from .blas import cross as old_cross
from .blas import multiplied
from .diagonals import diagonal as old_diagonal
from .elementwise import conj
from .expansion import broadcast_tensors
from .join import cat_rule
from .linalg import also_named, bmm_rule, check_matrix, check_types, done, mH
from .linalg_norms import tolerances
from .linalg_solving import inv, solve
from .reduction import sum_rule
from .sequences import vander as old_vander
from .shape import movedim, reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


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


class Pinv(Primitive):
    """The pseudo-inverse, at constant rank.

    References:
        G. Golub and V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose
        variables separate", SIAM J. Numer. Anal. 10 (1973).
    """

    @staticmethod
    def forward(ctx: Any, x: Any, *, atol: Any, rtol: Any, hermitian: bool) -> Any:
        y = ctx.k.pinv(x, atol, rtol, hermitian)
        ctx.save(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, p = ctx.saved
        ph, gh = mH(p), mH(g)
        left = bmm_rule(bmm_rule(gh, p), ph)
        right = bmm_rule(ph, bmm_rule(p, gh))
        both = bmm_rule(bmm_rule(ph, g), ph)
        return left - bmm_rule(x, bmm_rule(p, left)) + right - bmm_rule(bmm_rule(right, p), x) - both


class Unit(Primitive):
    """Unit matrices, the zeroth power, with a gradient of zeros."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return ctx.k.zeros(x.shape, dtype=x.dtype) + ctx.k.eye(x.shape[-1], dtype=x.dtype)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * 0


def matrix_exp(input: Tensor) -> Tensor:
    """The exponential ``I + A + A @ A / 2 + ...`` of square matrices (..., n, n).

    Example:
        >>> import wengert as wg
        >>> wg.linalg.matrix_exp(wg.zeros(2, 2))
        tensor([[1., 0.],
                [0., 1.]])
    """
    check_matrix("linalg.matrix_exp", input, True, short=True)
    return apply(MatrixExp, input)


def matrix_power(input: Tensor, n: int, *, out: Any = None) -> Tensor:
    """``input`` multiplied by itself ``n`` times, by repeated squaring; a negative ``n`` is a power of the inverse.

    Raises:
        RuntimeError: the matrices are not square. LinAlgError: ``n`` is negative and one is singular.
    """
    op = "linalg.matrix_power"
    check_matrix(op, input, True)
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise TypeError(f"{op}(): argument 'n' (position 2) must be int, not {type(n).__name__}")
    x, n = (inv(input), -n) if n < 0 else (input, n)
    if n == 0:
        return done(op, apply(Unit, input), out)
    result = None
    while n:
        if n % 2:
            result = x if result is None else bmm_rule(result, x)
        n //= 2
        x = bmm_rule(x, x) if n else x
    return done(op, result.clone() if result is input else result, out)


@also_named(input="A")
def pinv(
    A: Tensor, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None, out: Any = None
) -> Tensor:
    """The pseudo-inverse of Moore and Penrose.

    Args:
        A: (..., m, n).
        rcond: ``rtol`` by its old name.
        hermitian: ``A`` is Hermitian, and only its lower triangle is read.
        atol: singular values not above ``max(atol, rtol * largest)`` count as 0; a number, or a tensor that broadcasts
            to the batch; 0 unless told.
        rtol: likewise; ``max(m, n)`` times the type's epsilon unless told, 0 if ``atol`` is given.
        out: a tensor to write the result to.

    Returns:
        (..., n, m). Gradients hold where the rank is constant.

    Raises:
        RuntimeError: ``hermitian``, and the matrices are not square.
    """
    check_matrix("linalg.pinv", A, hermitian)
    bounds = tolerances("linalg.pinv", A, atol, rcond if rtol is None else rtol)
    absolute, relative = (b._data[..., None] if isinstance(b, TensorBase) else b for b in bounds)
    return done("linalg.pinv", apply(Pinv, A, atol=absolute, rtol=relative, hermitian=bool(hermitian)), out, casts=True)


def multi_dot(tensors: Any, *, out: Any = None) -> Tensor:
    """The product of several matrices in the order that takes the fewest multiplications.

    The first may be a row vector, and the last a column vector.

    Raises:
        RuntimeError: there are fewer than two, or shapes do not fit.
    """
    op = "linalg.multi_dot"
    matrices = list(tensors)
    if len(matrices) < 2:
        raise ShapeError(f"{op}(): expected at least 2 tensors but got {len(matrices)}")
    for i, m in enumerate(matrices):
        if m.dtype is not matrices[0].dtype:
            raise DTypeError(
                f"{op}(): all tensors must have be the same dtype but tensor 0 is {matrices[0].dtype} and tensor {i} "
                f"{m.dtype}"
            )
        check_types(op, matrices[0], m, ("tensor 0", f"tensor {i}"))
    ends = 0, len(matrices) - 1
    for i, m in enumerate(matrices):
        if m._data.ndim not in ((1, 2) if i in ends else (2,)):
            which = {0: "the first tensor", ends[1]: "the last tensor"}.get(i, f"tensor {i}")
            wanted = "1D or 2D" if i in ends else "2D"
            raise ShapeError(
                f"{op}(): {which} must be {wanted} but got {m._data.ndim}D with shape {list(m._data.shape)}"
            )
    first, last = matrices[0]._data.ndim == 1, matrices[-1]._data.ndim == 1
    if first:
        matrices[0] = reshape_rule(matrices[0], (1, matrices[0]._data.size))
    if last:
        matrices[-1] = reshape_rule(matrices[-1], (matrices[-1]._data.size, 1))
    for i, (a, b) in enumerate(itertools.pairwise(matrices)):
        if a._data.shape[1] != b._data.shape[0]:
            raise ShapeError(
                f"{op}(): tensors {i} and {i + 1} with shapes {list(tensors[i].shape)} and "
                f"{list(tensors[i + 1].shape)} cannot be multiplied"
            )
    y = multiplied(matrices)
    shape = y._data.shape
    own = (() if first else shape[:1]) + (() if last else shape[1:])
    return done(op, y if own == shape else reshape_rule(y, own), out)


@also_named(input="A")
def tensorinv(A: Tensor, ind: int = 2, *, out: Any = None) -> Tensor:
    """The inverse for `tensordot` over ``ind`` dimensions: the first ``ind`` dimensions against the others.

    Raises:
        RuntimeError: their sizes do not multiply to the same number, or ``ind`` is not positive.
    """
    shape = A._data.shape
    if ind <= 0:
        raise ArgumentError(f"linalg.tensorinv: Expected a strictly positive integer for 'ind', but got {ind}")
    n, m = math.prod(shape[:ind]), math.prod(shape[ind:])
    if n != m:
        raise ShapeError(
            "linalg.tensorinv: Expected self to satisfy the requirement prod(self.shape[ind:]) == "
            f"prod(self.shape[:ind]), but got {m} != {n} for shape {list(shape)} and ind={ind}"
        )
    return done(
        "linalg.tensorinv", reshape_rule(inv(reshape_rule(A, (n, n))), (*shape[ind:], *shape[:ind])), out, casts=True
    )


@also_named(input="A", other="B")
def tensorsolve(A: Tensor, B: Tensor, dims: Any = None, *, out: Any = None) -> Tensor:
    """The ``X`` with ``tensordot(A, X, X.ndim) = B``; ``dims`` of ``A`` are moved to its end first."""
    a = A if dims is None else movedim(A, tuple(dims), tuple(range(-len(dims), 0)))
    shape = a._data.shape[B._data.ndim :]
    n = B._data.size
    if math.prod(shape) != n:
        raise ShapeError(
            "linalg.tensorsolve: Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
            f"prod(self.shape[:other.ndim]), but got {math.prod(shape)} != {n} for shapes {list(a._data.shape)} and "
            f"{list(B._data.shape)}"
        )
    return done(
        "linalg.tensorsolve",
        reshape_rule(solve(reshape_rule(a, (n, n)), reshape_rule(B, (n,))), shape),
        out,
        casts=True,
    )


@also_named(axis="dim")
def cross(input: Tensor, other: Tensor, *, dim: int = -1, out: Any = None) -> Tensor:
    """The vector product along a dimension of size 3."""
    if input._data.ndim != other._data.ndim:
        raise ShapeError(
            f"linalg.cross: inputs must have the same number of dimensions. The shapes are {list(input.shape)} and "
            f"{list(other.shape)}"
        )
    return old_cross(input, other, dim, out=out)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """A view of the diagonal of each matrix."""
    return old_diagonal(A, offset, dim1, dim2)


def vander(x: Tensor, N: int | None = None) -> Tensor:
    """The powers 0 to ``N - 1`` of each element, along a new last dimension; ``N`` is the last size unless told."""
    shape = x._data.shape or (1,)
    n = shape[-1] if N is None else N
    if n <= 1:
        raise ArgumentError(f"linalg.vander: N must be greater than 1. It is {n}")
    return reshape_rule(old_vander(reshape_rule(x, (x._data.size,)), n, True), (*shape, n))


@also_named(axis="dim")
def vecdot(x: Tensor, y: Tensor, *, dim: int = -1, out: Any = None) -> Tensor:
    """The sum of ``conj(x) * y`` along a dimension."""
    check_types("linalg.vecdot", x, y, ("x", "y"))
    a, b = broadcast_tensors(x, y)
    product = mul(conj(a), b)
    return done("linalg.vecdot", sum_rule(product, (dim % max(product._data.ndim, 1),)), out)
