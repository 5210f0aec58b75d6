"""QR decompositions and singular values; in ``wengert.linalg``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.errors import ArgumentError, GraphError
from ..base import wrap
from ..primitive import Primitive, apply
from .complex import real_rule
from .elementwise import quotient
from .join import cat_rule
from .linalg import (
    array_of,
    bmm_rule,
    check_matrix,
    check_phases,
    diagonal_matrix,
    diagonal_of,
    done,
    done_all,
    mH,
    upper,
    wants_grad,
)
from .linalg_solving import solve_triangle
from .return_types import named_result

if TYPE_CHECKING:
    from ..tensor import Tensor

QrResult = named_result("linalg_qr", "Q R")
SvdResult = named_result("linalg_svd", "U S Vh")


class Qr(Primitive):
    """``x = q r``. Columns of a wide ``x`` beyond the square part are products of ``q``, which receives from them.

    References:
        S. Walter and L. Lehmann, "Algorithmic differentiation of linear algebra functions with application in optimum
        experimental design", arXiv:1001.1654.
    """

    @staticmethod
    def forward(ctx: Any, x: Any, *, mode: str) -> Any:
        q, r = ctx.k.qr(x, "complete" if mode == "complete" else "reduced")
        if mode == "r":
            return ctx.k.zeros((0,), dtype=x.dtype), r
        ctx.save(q, r)
        return q, r

    @staticmethod
    def backward(ctx: Any, gq: Any, gr: Any) -> Any:
        if ctx.params["mode"] == "r":
            raise GraphError(
                "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use "
                "linalg.qr(A, mode='reduced') if you are going to differentiate through linalg.qr."
            )
        q, r = ctx.saved
        rows, columns = r.shape[-2:]
        if rows > columns:
            raise GraphError(
                "The QR decomposition is not differentiable when mode='complete' and nrows > ncols; use mode='reduced'"
            )
        rest = None
        if columns > rows:
            beyond, g_beyond = r[..., rows:], gr[..., rows:]
            r, gr = r[..., :rows], gr[..., :rows]
            rest = bmm_rule(q, g_beyond)
            gq = gq + bmm_rule(bmm_rule(q, beyond), mH(g_beyond))
        m = upper(bmm_rule(gr, mH(r)) - bmm_rule(mH(q), gq))
        d = diagonal_of(m)
        m = m + mH(m) - diagonal_matrix(real_rule(d) if ctx.dtype[0].kind == "c" else d)
        g = mH(solve_triangle(r, mH(gq + bmm_rule(q, m)), True))
        return g if rest is None else cat_rule([g, rest], g.ndim - 1)


class Svd(Primitive):
    """``x = u diag(s) vh``.

    ``u.H du`` and ``v.H dv`` are skew, with elements that ``u.H dx v`` determines divided by ``s[j]**2 - s[i]**2``:
    where singular values are equal, only functions that do not ask for the vectors have a gradient.

    References:
        J. Townsend, "Differentiating the singular value decomposition" (2016).
        Z. Wan and S. Zhang, "Automatic differentiation for complex valued SVD", arXiv:1909.02659.
    """

    undefined = True

    @staticmethod
    def forward(ctx: Any, x: Any, *, full: bool) -> Any:
        u, s, vh = ctx.k.svd(x, full)
        ctx.save(u, s, vh)
        return u, s, vh

    @staticmethod
    def backward(ctx: Any, gu: Any, gs: Any, gvh: Any) -> Any:
        u, s, vh = ctx.saved
        k = s.shape[-1]
        u, vh = u[..., :k], vh[..., :k, :]  # what completes them is not determined
        if gu is None and gvh is None:
            return bmm_rule(u * gs[..., None, :], vh)
        row, column = s[..., None, :], s[..., :, None]
        gaps = (row - column) * (row + column) + ctx.k.eye(k, dtype=array_of(s).dtype)
        middle = diagonal_matrix(s * 0 if gs is None else gs)
        outer = None
        if gu is not None:
            gu = gu[..., :k]
            a = bmm_rule(mH(u), gu)
            skew = a - mH(a)
            both = diagonal_of(a) if gvh is None else diagonal_of(a) + diagonal_of(bmm_rule(vh, mH(gvh[..., :k, :])))
            check_phases("svd", "singular", both)
            middle = middle + quotient(skew, gaps + a * 0) * row
            if ctx.dtype[0].kind == "c":  # the phases that u and v have in common
                middle = middle + diagonal_matrix(quotient(diagonal_of(skew), (s + s) + diagonal_of(a) * 0))
            if u.shape[-2] > k:
                outer = bmm_rule((gu - bmm_rule(u, a)) / row, vh)
        if gvh is not None:
            gvh = gvh[..., :k, :]
            b = bmm_rule(gvh, mH(vh))
            middle = middle + quotient(mH(b) - b, gaps + b * 0) * column
            if vh.shape[-1] > k:
                rest = bmm_rule(u, (gvh - bmm_rule(b, vh)) / column)
                outer = rest if outer is None else outer + rest
        inner = bmm_rule(bmm_rule(u, middle + u[..., :1, :1] * 0), vh)
        return inner if outer is None else inner + outer


# ---------------------------------------------------------------------- the public functions


def qr(A: Tensor, mode: str = "reduced", *, out: Any = None) -> Any:
    """Orthonormal columns ``Q`` and an upper triangle ``R`` with ``A = Q @ R``.

    Args:
        A: (..., m, n).
        mode: ``"reduced"``: ``Q`` is (..., m, k) and ``R`` (..., k, n), with k the smaller of m and n; ``"complete"``:
            (..., m, m) and (..., m, n); ``"r"``: only ``R``, and ``Q`` is empty.
        out: two tensors to write the results to.

    Raises:
        RuntimeError: ``mode`` is none of these.
    """
    op = "linalg.qr"
    check_matrix(op, A)
    if mode not in ("reduced", "complete", "r"):
        raise ArgumentError(
            f"{op} received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    return done_all(op, QrResult, apply(Qr, A, mode=mode), out)


def svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None, out: Any = None) -> Any:
    """``U, S, Vh`` with ``A = U @ diag(S) @ Vh``, the singular values ``S`` from large to small.

    Args:
        A: (..., m, n).
        full_matrices: make ``U`` and ``Vh`` square; else they have as many columns and rows as there are values.
        driver: for PyTorch's libraries on a GPU; must be None.
        out: three tensors to write the results to.

    Returns:
        The columns of ``U`` and rows of ``Vh`` are determined up to a sign (a phase, if complex); gradients hold for
        functions that do not depend on it.
    """
    check_matrix("linalg.svd", A)
    _check_driver("linalg.svd", driver)
    parts = apply(Svd, A, full=bool(full_matrices))
    return done_all("linalg.svd", SvdResult, parts, out)


def _check_driver(op: str, driver: str | None) -> None:
    if driver is not None:
        raise ArgumentError(
            f"{op}: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend; leave it away"
        )


def svdvals(A: Tensor, *, driver: str | None = None, out: Any = None) -> Tensor:
    """The singular values of matrices (..., m, n), from large to small."""
    a = check_matrix("linalg.svdvals", A)
    _check_driver("linalg.svdvals", driver)
    s = apply(Svd, A, full=False)[1] if wants_grad(A) else wrap(kernels_of[type(a)].singular_values(a))
    return done("linalg.svdvals", s, out)
