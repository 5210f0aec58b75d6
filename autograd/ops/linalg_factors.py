"""QR, singular values, eigenvalues, LU and the pseudo-inverse; in ``wengert.linalg``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.errors import ArgumentError, GraphError
from ..base import wrap
from ..primitive import Primitive, apply
from .complex import real_rule
from .elementwise import quotient
from .gather import gather_rule
from .join import cat, cat_rule
from .linalg import bmm_rule, check_matrix, diagonal_matrix, diagonal_of, done, lower, mH, same_batch, upper
from .linalg_solving import solve_triangle
from .return_types import named_result

if TYPE_CHECKING:
    from ..tensor import Tensor

QrResult = named_result("linalg_qr", "Q R")
SvdResult = named_result("linalg_svd", "U S Vh")
EighResult = named_result("linalg_eigh", "eigenvalues eigenvectors")
LuResult = named_result("linalg_lu", "P L U")
LuFactorResult = named_result("linalg_lu_factor", "LU pivots")


class Qr(Primitive):
    """``x = q r`` of matrices that are not wide.

    References:
        S. Walter and L. Lehmann, "Algorithmic differentiation of linear algebra functions with application in optimum
        experimental design", arXiv:1001.1654.
    """

    @staticmethod
    def forward(ctx: Any, x: Any, *, mode: str) -> Any:
        q, r = ctx.k.qr(x, mode)
        ctx.save(q, r)
        return q, r

    @staticmethod
    def backward(ctx: Any, gq: Any, gr: Any) -> Any:
        q, r = ctx.saved
        if r.shape[-2] != r.shape[-1]:
            raise GraphError(
                "linalg.qr: The QR decomposition is not differentiable when mode='complete' and nrows > ncols; "
                "use mode='reduced'"
            )
        m = upper(bmm_rule(gr, mH(r)) - bmm_rule(mH(q), gq))
        d = diagonal_of(m)
        m = m + mH(m) - diagonal_matrix(real_rule(d) if ctx.dtype[0].kind == "c" else d)
        return mH(solve_triangle(r, mH(gq + bmm_rule(q, m)), True))


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
        gaps = (row - column) * (row + column) + ctx.k.eye(k, dtype=s_dtype(s))
        middle = diagonal_matrix(s * 0 if gs is None else gs)
        outer = None
        if gu is not None:
            gu = gu[..., :k]
            a = bmm_rule(mH(u), gu)
            skew = a - mH(a)
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


class Eigh(Primitive):
    """``x = v diag(w) v.H``: ``dw`` is the diagonal of ``v.H dx v``, and ``v.H dv`` its rest over ``w[j] - w[i]``.

    References:
        M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation" (2008).
    """

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
        gaps = w[..., None, :] - w[..., :, None] + ctx.k.eye(w.shape[-1], dtype=s_dtype(w))
        a = quotient(a, gaps + a * 0)
        a = a - diagonal_matrix(diagonal_of(a) if gw is None else diagonal_of(a) - gw)
        return bmm_rule(bmm_rule(v, a), mH(v))


class LuFactor(Primitive):
    """``x[order] = l u`` in one matrix.

    With ``m = inv(l) dx[order] inv(u)``, ``inv(l) dl`` is the part of ``m`` below its diagonal and ``du inv(u)`` the
    rest; rows below and columns beside the square part are solutions of systems.
    """

    @staticmethod
    def forward(ctx: Any, x: Any, *, pivot: bool) -> Any:
        y, pivots = ctx.k.lu_factor(x, pivot)
        ctx.save(y)
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


class Pinv(Primitive):
    """The pseudo-inverse, at constant rank.

    References:
        G. Golub and V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose
        variables separate", SIAM J. Numer. Anal. 10 (1973).
    """

    @staticmethod
    def forward(ctx: Any, x: Any, *, atol: float, rtol: float) -> Any:
        y = ctx.k.pinv(x, atol, rtol)
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


def s_dtype(x: Any) -> Any:
    """The array type of a Tensor or array."""
    return x._data.dtype if hasattr(x, "_data") else x.dtype


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
    a = check_matrix(op, A)
    if mode not in ("reduced", "complete", "r"):
        raise ArgumentError(f"{op} received unrecognized mode '{mode}' but expected 'reduced', 'r', or 'complete'")
    rows, columns = a.shape[-2:]
    kind = "complete" if mode == "complete" else "reduced"
    if columns > rows:  # the columns beyond the square part follow from it
        q, r = apply(Qr, A[..., :rows], mode=kind)
        r = cat([r, bmm_rule(mH(q), A[..., rows:])], -1)
    else:
        q, r = apply(Qr, A, mode=kind)
    if mode == "r":
        q = wrap(kernels_of[type(a)].empty((0,), dtype=a.dtype))
    return QrResult(*[done(op, y, None if out is None else out[i]) for i, y in enumerate((q, r))])


def svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None, out: Any = None) -> Any:
    """``U, S, Vh`` with ``A = U @ diag(S) @ Vh``, the singular values ``S`` from large to small.

    Args:
        A: (..., m, n).
        full_matrices: make ``U`` and ``Vh`` square; else they have as many columns and rows as there are values.
        driver: accepted, and ignored.
        out: three tensors to write the results to.

    Returns:
        The columns of ``U`` and rows of ``Vh`` are determined up to a sign (a phase, if complex); gradients hold for
        functions that do not depend on it.
    """
    check_matrix("linalg.svd", A)
    parts = apply(Svd, A, full=bool(full_matrices))
    return SvdResult(*[done("linalg.svd", y, None if out is None else out[i]) for i, y in enumerate(parts)])


def svdvals(A: Tensor, *, driver: str | None = None, out: Any = None) -> Tensor:
    """The singular values of matrices (..., m, n), from large to small."""
    check_matrix("linalg.svdvals", A)
    return done("linalg.svdvals", apply(Svd, A, full=False)[1], out)


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
    if UPLO.upper() not in ("L", "U"):
        raise ArgumentError(f"linalg.eigh: Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    parts = apply(Eigh, A, uplo=UPLO.upper())
    return EighResult(*[done("linalg.eigh", y, None if out is None else out[i]) for i, y in enumerate(parts)])


def eigvalsh(A: Tensor, UPLO: str = "L", *, out: Any = None) -> Tensor:
    """The eigenvalues of Hermitian matrices, from small to large; see `eigh`."""
    return done("linalg.eigvalsh", eigh(A, UPLO)[0], out)


def lu_factor(A: Tensor, *, pivot: bool = True, out: Any = None) -> Any:
    """The LU decomposition in one matrix, and the swaps of rows.

    Args:
        A: (..., m, n).
        pivot: swap the largest element of a column to its diagonal.
        out: two tensors to write the results to.

    Returns:
        ``(LU, pivots)``: ``pivots`` int32, counted from 1: row i was swapped with row ``pivots[i] - 1``.
    """
    check_matrix("linalg.lu_factor", A)
    parts = apply(LuFactor, A, pivot=bool(pivot))
    return LuFactorResult(*[done("linalg.lu_factor", y, None if out is None else out[i]) for i, y in enumerate(parts)])


def lu(A: Tensor, *, pivot: bool = True, out: Any = None) -> Any:
    """``P, L, U`` with ``A = P @ L @ U``: a permutation, a lower triangle of diagonal 1, an upper one."""
    packed, pivots = lu_factor(A, pivot=pivot)
    parts = unpacked(packed, pivots)
    return LuResult(*[done("linalg.lu", y, None if out is None else out[i]) for i, y in enumerate(parts)])


def unpacked(packed: Any, pivots: Any) -> tuple[Any, Any, Any]:
    """``P, L, U`` from the result of `lu_factor`."""
    a = packed._data
    xp = kernels_of[type(a)]
    rows, columns = a.shape[-2:]
    k = min(rows, columns)
    order = xp.permutation(pivots._data, rows)
    p = wrap((order[..., None, :] == xp.arange(rows)[:, None]).astype(a.dtype))
    left = lower(packed[..., :k], -1) + wrap(xp.eye(rows, k, dtype=a.dtype))
    return p, left, upper(packed[..., :k, :])


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
    check_matrix(op, LU, True)
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
        return done(op, gather_rule(x, rows, axis), out)
    y = solve_triangle(LU, gather_rule(B, rows, axis), False, True)
    return done(op, solve_triangle(LU, y, True), out)
