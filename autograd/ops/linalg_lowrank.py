"""Some of the singular values or eigenvalues of large matrices, by products with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...backends.errors import InvalidValueError
from ..grad_mode import no_grad
from .join import cat
from .linalg import WANTED, check_matrix, mH, wants_grad
from .linalg_cholesky import cholesky
from .linalg_eigen import eigh
from .linalg_factors import qr, svd
from .linalg_solving import solve_triangular
from .product import matmul
from .random import randn

if TYPE_CHECKING:
    from ..tensor import Tensor

Basis = tuple[Any, Any, Any]


def svd_lowrank(A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None) -> Basis:
    """``U, S, V`` with ``A`` close to ``U @ diag(S) @ V.mH``, the ``q`` largest singular values, by random products.

    Args:
        A: (..., m, n).
        q: how many, rather more than the rank.
        niter: how many times to multiply with ``A`` and its transpose again, which makes it more exact.
        M: (..., m, n) or what broadcasts to it: decompose ``A - M``.

    Returns:
        (..., m, q), (..., q) and (..., n, q).

    References:
        N. Halko, P. Martinsson and J. Tropp, "Finding structure with randomness: probabilistic algorithms for
        constructing approximate matrix decompositions", arXiv:0909.4061: algorithms 4.4 and 5.1.
    """
    check_matrix("svd_lowrank", A)
    q = 6 if q is None else q
    x = A if M is None else A - M
    wide = x._data.shape[-2] < x._data.shape[-1]
    tall = mH(x) if wide else x
    basis = _range(tall, q, 2 if niter is None else niter)
    u, s, vh = svd(matmul(mH(basis), tall), full_matrices=False)
    u, v = matmul(basis, u), mH(vh)
    return (v, s, u) if wide else (u, s, v)


def _range(A: Any, q: int, niter: int) -> Any:
    """Orthonormal columns that span what ``A`` maps to, as far as ``q`` random products and more rounds show it."""
    columns = A._data.shape[-1]
    basis = qr(matmul(A, randn(columns, q, dtype=A.dtype, device=A.device))).Q
    for _ in range(niter):
        basis = qr(matmul(mH(A), basis)).Q
        basis = qr(matmul(A, basis)).Q
    return basis


def pca_lowrank(A: Tensor, q: int | None = None, center: bool = True, niter: int = 2) -> Basis:
    """The principal components of samples: `svd_lowrank` of ``A`` less its mean.

    Args:
        A: (..., m, n): m samples of n features.
        q: how many components; the smallest of 6, m and n unless told.
        center: subtract the mean of each feature.
        niter: see `svd_lowrank`.

    Returns:
        ``U, S, V``: the components are the columns of ``V``.

    Raises:
        ValueError: ``q`` or ``niter`` is out of range.
    """
    m, n = check_matrix("pca_lowrank", A).shape[-2:]
    if q is None:
        q = min(6, m, n)
    elif not 0 <= q <= min(m, n):
        raise InvalidValueError(
            f"pca_lowrank: q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}"
        )
    if niter < 0:
        raise InvalidValueError(f"pca_lowrank: niter(={niter}) must be non-negative integer")
    return svd_lowrank(A - A.mean(-2, keepdim=True) if center else A, q, niter)


def lobpcg(
    A: Tensor,
    k: int | None = None,
    B: Tensor | None = None,
    X: Tensor | None = None,
    n: int | None = None,
    iK: Tensor | None = None,
    niter: int | None = None,
    tol: float | None = None,
    largest: bool | None = None,
    method: str | None = None,
    tracker: Callable[..., Any] | None = None,
    ortho_iparams: Any = None,
    ortho_fparams: Any = None,
    ortho_bparams: Any = None,
) -> tuple[Tensor, Tensor]:
    """The largest (or smallest) eigenvalues of symmetric matrices, and their vectors: ``A @ X = B @ X @ diag(E)``.

    Args:
        A: (..., m, m), symmetric; for gradients, of all its eigenvalues.
        k: how many; as many as columns of ``X``, or 1, unless told.
        B: (..., m, m), symmetric positive-definite; the identity unless told.
        X: (..., m, n) to start from; random unless told.
        n: how many columns to work with; ``k`` unless told.
        iK: (..., m, m), a preconditioner: close to the inverse of ``A``.
        niter: at most so many steps; 1000 unless told.
        tol: the residual's size, relative to the matrices', that will do; the root of the type's epsilon unless told.
        largest: the largest eigenvalues (unless told) or the smallest.
        method: ``"basic"`` or ``"ortho"``; one way does for both.
        tracker: accepted, and not called.
        ortho_iparams: accepted, and ignored.
        ortho_fparams: likewise.
        ortho_bparams: likewise.

    Returns:
        ``(E, X)``: (..., k) and (..., m, k).

    Raises:
        ValueError: the matrices are smaller than three times the number of columns.

    References:
        A. Knyazev, "Toward the optimal preconditioned eigensolver: locally optimal block preconditioned conjugate
        gradient method", SIAM J. Sci. Comput. 23 (2001).
    """
    a = check_matrix("lobpcg", A, True)
    if a.dtype.kind == "c":
        raise InvalidValueError(f"lobpcg: {WANTED} Got {A.dtype}; complex matrices are not supported, use linalg.eigh")
    m = a.shape[-1]
    k = (1 if X is None else X._data.shape[-1]) if k is None else k
    n = (k if X is None else X._data.shape[-1]) if n is None else n
    if m < 3 * n:
        raise InvalidValueError(
            f"LOBPCG algorithm is not applicable when the number of A rows (={m}) is smaller than 3 x the number of "
            f"requested eigenpairs (={n}); use linalg.eigh"
        )
    largest = True if largest is None else largest
    if wants_grad(A) and B is None:  # all eigenvalues, whose gradients are known
        w, v = eigh((A + A.mT) * 0.5)
        return (w.flip(-1)[..., :k], v.flip(-1)[..., :k]) if largest else (w[..., :k], v[..., :k])
    if tol is None:
        tol = 1.19e-7**0.5 if a.dtype.char == "f" else 2.23e-16**0.5
    with no_grad():
        start = randn(*a.shape[:-1], n, dtype=A.dtype, device=A.device) if X is None else X
        sign = -1.0 if largest else 1.0
        w, v = _iterate(A.detach() * sign, B, start[..., :n], iK, 1000 if niter is None else niter, tol)
        return w[..., :k] * sign, v[..., :k]


def _iterate(A: Any, B: Any, x: Any, preconditioner: Any, niter: int, tol: float) -> tuple[Any, Any]:
    """The smallest eigenvalues: the best of what ``x``, its residual and the last step span, again and again."""
    n = x._data.shape[-1]
    w, x = _ritz(A, B, x, n)
    step = None
    for _ in range(niter):
        image = matmul(A, x)
        mass = x if B is None else matmul(B, x)
        residual = image - mass * w[..., None, :]
        sizes = image.norm(dim=-2) + mass.norm(dim=-2) * w.abs()
        if bool((residual.norm(dim=-2) <= tol * sizes).all()):
            break
        if preconditioner is not None:
            residual = matmul(preconditioner, residual)
        before = x
        w, x = _ritz(A, B, cat([x, residual] if step is None else [x, residual, step], -1), n)
        step = x - matmul(before, matmul(before.mT, x if B is None else matmul(B, x)))
    return w, x


def _ritz(A: Any, B: Any, basis: Any, n: int) -> tuple[Any, Any]:
    """The ``n`` smallest eigenvalues of ``A`` within the span of a basis, and their vectors."""
    q = qr(basis).Q
    if B is None:
        w, v = eigh(matmul(q.mT, matmul(A, q)))
        return w[..., :n], matmul(q, v[..., :n])
    factor = cholesky(matmul(q.mT, matmul(B, q)))
    inner = solve_triangular(factor, matmul(q.mT, matmul(A, q)), upper=False)
    inner = solve_triangular(factor, inner.mT, upper=False)
    w, v = eigh(inner)
    return w[..., :n], matmul(q, solve_triangular(factor.mT, v[..., :n], upper=True))
