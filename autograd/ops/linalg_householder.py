"""Reflections: QR decompositions as LAPACK has them, and their products; in ``wengert.linalg``.

The product of reflections ``I - tau[i] v[i] v[i].H`` is ``I - V T V.H``, and the inverse of the triangle ``T`` has
``1 / tau`` on its diagonal and what ``V.H V`` has above it. So all is products and one triangular system, and they have
gradients.

References:
    R. Schreiber and C. Van Loan, "A storage-efficient WY representation for products of Householder transformations",
    SIAM J. Sci. Stat. Comput. 10 (1989).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.errors import DTypeError, ShapeError, UnsupportedDTypeError
from ..base import TensorBase, wrap
from ..primitive import Primitive, apply
from .linalg import also_named, bmm_rule, check_matrix, check_types, column_major, done, done_all, lower, mH, type_name
from .linalg_solving import solve_triangle
from .return_types import named_result

if TYPE_CHECKING:
    from ..tensor import Tensor

GeqrfResult = named_result("geqrf", "a tau")


class Geqrf(Primitive):
    """LAPACK's QR decomposition. It has no gradient, as in PyTorch; `Qr` has."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        a, tau = ctx.k.qr_raw(x)
        return a, tau

    @staticmethod
    def backward(ctx: Any, ga: Any, gtau: Any) -> Any:
        raise UnsupportedDTypeError("the derivative for 'geqrf' is not implemented. Use linalg.qr")


def _vectors(A: Any, count: int) -> Any:
    """The vectors of the reflections: what is below the diagonal, and 1 on it."""
    a = A._data
    k = kernels_of[type(a)]
    return lower(A[..., :count], -1) + wrap(k.eye(a.shape[-2], count, dtype=a.dtype))


def _reflected(v: Any, tau: Any, x: Any, adjoint: bool) -> Any:
    """``(I - V T V.H) @ x``, or with ``T.H``."""
    scale = tau[..., :, None]
    inner = bmm_rule(mH(v), x)
    gram = bmm_rule(mH(v), v)
    if adjoint:  # T.H = D.H inv(I + S.H D.H), with D the diagonal of tau
        inner = solve_triangle(gram * mH(scale), inner, False, True)
        return x - bmm_rule(v, mH(mH(inner) * tau[..., None, :]))
    return x - bmm_rule(v, solve_triangle(gram * scale, inner * scale, True, True))


def _check(op: str, A: Any, tau: Any) -> tuple[Any, Any]:
    a = check_matrix(op, A, name="input")
    if not isinstance(tau, TensorBase):
        raise TypeError(f"{op}(): argument 'tau' (position 2) must be Tensor, not {type(tau).__name__}")
    t = tau._data
    if t.ndim != a.ndim - 1:
        raise ShapeError(
            f"{op}: Expected tau to have one dimension less than input, but got tau.ndim equal to {t.ndim} and "
            f"input.ndim is equal to {a.ndim}"
        )
    if t.shape[:-1] != a.shape[:-2]:
        raise ShapeError(
            f"{op}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got {list(t.shape[:-1])} and "
            f"{list(a.shape[:-2])}"
        )
    if t.dtype != a.dtype:
        raise DTypeError(f"{op}: tau dtype {type_name(tau)} does not match input dtype {type_name(A)}")
    check_types(op, A, tau, ("input", "tau"))
    return a, t


@also_named(input="A", input2="tau")
def householder_product(A: Tensor, tau: Tensor, *, out: Any = None) -> Tensor:
    """The first n columns of the product of the reflections that `geqrf` gives.

    Args:
        A: (..., m, n) with m >= n, the vectors below the diagonal.
        tau: (..., k) with k <= n, their factors.
        out: a tensor to write the result to.

    Returns:
        (..., m, n).

    Raises:
        RuntimeError: the shapes or types do not fit.

    Example:
        >>> import wengert as wg
        >>> a, tau = wg.geqrf(wg.tensor([[3.0, 0.0], [4.0, 5.0]]))
        >>> wg.linalg.householder_product(a, tau)
        tensor([[-0.6000, -0.8000],
                [-0.8000,  0.6000]])
    """
    op = "linalg.householder_product"
    a, t = _check(op, A, tau)
    rows, columns = a.shape[-2:]
    if rows < columns:
        raise ShapeError(f"{op}: input.shape[-2] must be greater than or equal to input.shape[-1]; it is {rows}")
    if columns < t.shape[-1]:
        raise ShapeError(f"{op}: input.shape[-1] must be greater than or equal to tau.shape[-1]; it is {columns}")
    k = kernels_of[type(a)]
    unit = wrap(k.zeros(a.shape, dtype=a.dtype) + k.eye(rows, columns, dtype=a.dtype))
    return done(op, column_major(_reflected(_vectors(A, t.shape[-1]), tau, unit, False)), out, casts=True)


@also_named(input2="tau", input3="other")
def ormqr(
    input: Tensor, tau: Tensor, other: Tensor, left: bool = True, transpose: bool = False, *, out: Any = None
) -> Tensor:
    """``Q @ other``, ``Q`` (m, m) being the product of the reflections that `geqrf` gives.

    Args:
        input: (..., m, k), the vectors below the diagonal.
        tau: (..., k), their factors.
        other: (..., m, n), or (..., n, m) if not ``left``.
        left: or ``other @ Q``.
        transpose: with the conjugate transpose of ``Q``.
        out: a tensor to write the result to.

    Raises:
        RuntimeError: the shapes or types do not fit.
    """
    op = "ormqr"
    a, t = _check(op, input, tau)
    b = check_matrix(op, other, name="other")
    check_types(op, input, other, ("input", "other"))
    side = -2 if left else -1
    if t.shape[-1] > a.shape[-1]:
        raise ShapeError(f"{op}: tau.shape[-1] must be less than or equal to input.shape[-1]")
    if b.shape[side] != a.shape[-2]:
        raise ShapeError(
            f"{op}: other.shape[{side}] must be equal to input.shape[-2]; the shapes are {list(b.shape)} and "
            f"{list(a.shape)}"
        )
    if b.ndim != a.ndim or b.shape[:-2] != a.shape[:-2]:
        raise ShapeError(
            f"{op}: Expected batch dimensions of other to be equal to input.shape[:-2], but got {list(b.shape[:-2])} "
            f"and {list(a.shape[:-2])}"
        )
    v = _vectors(input, t.shape[-1])
    y = _reflected(v, tau, other, transpose) if left else mH(_reflected(v, tau, mH(other), not transpose))
    return done(op, column_major(y), out)


def geqrf(input: Tensor, *, out: Any = None) -> Any:
    """The QR decomposition as LAPACK's geqrf leaves it.

    Args:
        input: (..., m, n).
        out: two tensors to write the results to.

    Returns:
        ``(a, tau)``: ``a`` (..., m, n) has R on and above its diagonal and the vectors of reflections below it,
        ``tau`` (..., min(m, n)) their factors: what `householder_product` takes.
    """
    check_matrix("geqrf", input, name="input")
    return done_all("geqrf", GeqrfResult, apply(Geqrf, input), out, casts=True)


orgqr = householder_product
