"""Eigenvalues and eigenvectors; in ``wengert.linalg``.

References:
    M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation" (2008).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.errors import ArgumentError
from ..base import wrap
from ..primitive import Primitive, apply
from .complex import real_rule
from .elementwise import conj, quotient
from .linalg import (
    also_named,
    array_of,
    bmm_rule,
    check_matrix,
    check_phases,
    diagonal_matrix,
    diagonal_of,
    done,
    done_all,
    mH,
    wants_grad,
)
from .linalg_solving import Solve
from .return_types import named_result

if TYPE_CHECKING:
    from ..tensor import Tensor

EighResult = named_result("linalg_eigh", "eigenvalues eigenvectors")
EigResult = named_result("linalg_eig", "eigenvalues eigenvectors")


def _gaps(w: Any, k: Any) -> Any:
    """``w[j] - w[i]``, and 1 on the diagonal."""
    return w[..., None, :] - w[..., :, None] + k.eye(w.shape[-1], dtype=array_of(w).dtype)


class Eigh(Primitive):
    """``x = v diag(w) v.H``: ``dw`` is the diagonal of ``v.H dx v``, and ``v.H dv`` its rest over ``w[j] - w[i]``."""

    undefined = True

    @staticmethod
    def forward(ctx: Any, x: Any, *, uplo: str) -> Any:
        w, v = ctx.k.eigh(x, uplo)
        ctx.save(w, v)
        return w, v

    @staticmethod
    def backward(ctx: Any, gw: Any, gv: Any) -> Any:
        w, v = ctx.saved
        if gv is None:
            return bmm_rule(v * gw[..., None, :], mH(v))
        a = bmm_rule(mH(v), gv)
        check_phases("linalg_eigh", "eigen", diagonal_of(a))
        a = (a - mH(a)) * 0.5  # v.H dv is skew
        a = quotient(a, _gaps(w, ctx.k) + a * 0)
        d = diagonal_of(a)
        a = a - diagonal_matrix(d if gw is None else d - gw)
        return bmm_rule(bmm_rule(v, a), mH(v))


class Eig(Primitive):
    """``x v = v diag(w)``, the columns of ``v`` of length 1.

    ``m = inv(v) dx v`` has ``dw`` on its diagonal, and ``inv(v) dv`` is its rest over ``w[j] - w[i]``, less what
    changes the columns' lengths.

    References:
        C. Boeddeker et al., "On the computation of complex-valued gradients with application to statistically optimum
        beamforming", arXiv:1701.00392.
    """

    undefined = True

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        w, v = ctx.k.eig(x)
        ctx.save(w, v)
        ctx.info = x.dtype.kind == "c"
        return w, v

    @staticmethod
    def backward(ctx: Any, gw: Any, gv: Any) -> Any:
        w, v = ctx.saved
        vh = mH(v)
        if gv is None:
            inner = diagonal_matrix(gw)
        else:
            a = bmm_rule(vh, gv)
            d = diagonal_of(a)
            check_phases("linalg_eig", "eigen", d)
            a = a - bmm_rule(vh, v * real_rule(d)[..., None, :])
            a = quotient(a, conj(_gaps(w, ctx.k)) + a * 0)
            rest = diagonal_of(a)
            inner = a - diagonal_matrix(rest if gw is None else rest - gw)
        g = apply(Solve, vh, bmm_rule(inner, vh))
        return g if ctx.info else real_rule(g)


# ---------------------------------------------------------------------- the public functions


@also_named(input="A")
def eig(A: Tensor, *, out: Any = None) -> Any:
    """Eigenvalues and eigenvectors of square matrices, in no particular order.

    Args:
        A: (..., n, n).
        out: two tensors to write the results to.

    Returns:
        ``(eigenvalues, eigenvectors)``, complex: (..., n), and (..., n, n) with the vectors as columns of length 1.
        Gradients hold for functions that do not depend on the columns' phases, where the eigenvalues differ.

    Raises:
        RuntimeError: the matrices are not square, or not finite.

    Example:
        >>> import wengert as wg
        >>> wg.linalg.eig(wg.tensor([[0.0, 1.0], [-1.0, 0.0]])).eigenvalues
        tensor([0.+1.j, 0.-1.j])
    """
    check_matrix("linalg.eig", A, True)
    return done_all("linalg.eig", EigResult, apply(Eig, A), out, casts=True)


@also_named(input="A")
def eigvals(A: Tensor, *, out: Any = None) -> Tensor:
    """The eigenvalues of square matrices (..., n, n), complex, in no particular order; see `eig`."""
    a = check_matrix("linalg.eigvals", A, True)
    w = apply(Eig, A)[0] if wants_grad(A) else wrap(kernels_of[type(a)].eigvals(a))
    return done("linalg.eigvals", w, out, casts=True)


@also_named(input="A")
def eigh(A: Tensor, UPLO: str = "L", *, out: Any = None) -> Any:
    """Eigenvalues, from small to large, and eigenvectors of Hermitian matrices.

    Args:
        A: (..., n, n), of which one triangle is read.
        UPLO: ``"L"`` for the lower triangle, ``"U"`` for the upper one.
        out: two tensors to write the results to.

    Returns:
        ``(eigenvalues, eigenvectors)``: real, and as columns; gradients hold for functions that do not depend on the
        columns' signs.
    """
    check_matrix("linalg.eigh", A, True)
    if not isinstance(UPLO, str) or UPLO.upper() not in ("L", "U"):
        raise ArgumentError(f"linalg.eigh: Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    return done_all("linalg.eigh", EighResult, apply(Eigh, A, uplo=UPLO.upper()), out)


@also_named(input="A")
def eigvalsh(A: Tensor, UPLO: str = "L", *, out: Any = None) -> Tensor:
    """The eigenvalues of Hermitian matrices, from small to large; see `eigh`."""
    return done("linalg.eigvalsh", eigh(A, UPLO)[0], out)
