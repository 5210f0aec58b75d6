"""Inverses and systems of equations; in ``wengert.linalg``.

References:
    M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation" (2008).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends.errors import ShapeError
from ..primitive import Primitive, apply
from .linalg import (
    also_named,
    bmm_rule,
    check_matrix,
    check_types,
    done,
    done_all,
    lower,
    mH,
    mT,
    same_batch,
    upper,
    with_info,
)
from .return_types import named_result
from .shape import reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor

InverseResult = named_result("linalg_inv_ex", "inverse info")
SolveResult = named_result("linalg_solve_ex", "result info")


class Inverse(Primitive):
    """``y = inv(x)``: as ``dy = -y dx y``, the gradient is ``-y.H g y.H``."""

    torch_name = "LinalgInvEx"

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


def inv_ex(A: Tensor, *, check_errors: bool = False, out: Any = None) -> Any:
    """The inverse, and for each matrix 0, or, of a singular one, the number of the pivot that was zero.

    Args:
        A: (..., n, n).
        check_errors: raise as `inv` does.
        out: two tensors to write the results to.

    Returns:
        ``(inverse, info)``, the latter int32; what stands for the inverse of a singular matrix means nothing.
    """
    check_matrix("linalg.inv_ex", A, True)
    results = with_info(A, "lu_info", check_errors, lambda x: apply(Inverse, x))
    return done_all("linalg.inv_ex", InverseResult, results, out)


def is_vector(a: Any, b: Any) -> bool:
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
    check_types(op, A, B)
    vector = is_vector(a, B._data)
    if vector:
        if not left:
            raise ShapeError(
                f"{op}: Vector broadcasting of the left hand side is not supported for left=False. "
                "In this case linalg.solve is equivalent to B / A.squeeze(-1)"
            )
        B = reshape_rule(B, (*B._data.shape, 1))
    fits(op, a, B._data, left)
    A, B = same_batch(op, A, B)
    x = apply(Solve, A, B) if left else mT(apply(Solve, mT(A), mT(B)))
    return done(op, reshape_rule(x, x._data.shape[:-1]) if vector else x, out)


def solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False, out: Any = None) -> Any:
    """`solve`, and for each matrix 0, or, of a singular one, the number of the pivot that was zero.

    Returns:
        ``(result, info)``, the latter int32; what stands for the solution with a singular matrix means nothing.
    """
    check_matrix("linalg.solve_ex", A, True)
    results = with_info(A, "lu_info", check_errors, lambda x: solve(x, B, left=left))
    return done_all("linalg.solve_ex", SolveResult, results, out)


def fits(op: str, a: Any, b: Any, left: bool) -> None:
    """Raise unless ``a`` and ``b`` are the matrices of a system of equations."""
    if b.ndim < 2:
        raise ShapeError(f"{op}: The input tensor B must have at least 2 dimensions. Its shape is {list(b.shape)}")
    if a.shape[-1] != b.shape[-2 if left else -1]:
        first, second = ("x".join(map(str, m.shape[-2:])) for m in (a, b))
        raise ShapeError(
            f"{op}: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
            f"({first} and {second}); the shapes are {list(a.shape)} and {list(b.shape)}"
        )


@also_named(input="A")
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
    check_matrix(op, B, name="B")
    fits(op, A._data, B._data, left)
    A, B = same_batch(op, A, B)
    if not left:
        return done(op, mT(solve_triangle(mT(A), mT(B), not upper, unitriangular)), out)
    x = solve_triangle(A, B, upper, unitriangular)
    return done(op, x, out)


inverse = inv
