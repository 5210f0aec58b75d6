"""Linear algebra on stacks of matrices: LAPACK's factorisations as array libraries have them.

Results are column-major, as LAPACK leaves them. Where an operation needs an invertible matrix, what comes out is looked
at, and `LinAlgError` raised: NumPy raises by itself, CuPy returns NaN. PyTorch waits for the device at the same places.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from ..errors import LinAlgError
from .triangular import cholesky_info, column_major, lu_info

__all__ = [
    "cholesky",
    "cofactor",
    "det",
    "eig",
    "eigh",
    "eigvals",
    "inverse",
    "matrix_exp",
    "pinv",
    "qr",
    "qr_raw",
    "singular_values",
    "slogdet",
    "solve",
    "svd",
]


def adjoint(xp: Any, x: Any) -> Any:
    """The conjugate transpose of each matrix."""
    return xp.swapaxes(xp.conjugate(x) if x.dtype.kind == "c" else x, -1, -2)


def checked(op: str, why: str, info: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Raise `LinAlgError` where a kernel cannot go on: where it says so, or gives NaN for what had none.

    ``info`` finds, for the message, where each matrix failed: a number from 1, or 0; ``why`` has a place for it.
    """

    def failure(xp: Any, x: Any) -> LinAlgError:
        found = [int(i) for i in info(xp, x).reshape(-1)]
        index = next((i for i, n in enumerate(found) if n), 0)
        where = f"(Batch element {index}): " if x.ndim > 2 else ""
        return LinAlgError(f"linalg.{op}: {where}{why.format(found[index] if found else 0)}")

    def decorate(kernel: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(kernel)
        def run(xp: Any, x: Any, *args: Any, **params: Any) -> Any:
            try:
                y = kernel(xp, x, *args, **params)
            except xp.linalg.LinAlgError as error:
                raise failure(xp, x) from error
            if not xp.isfinite(y).all() and xp.isfinite(x).all() and all(bool(xp.isfinite(a).all()) for a in args):
                raise failure(xp, x)
            return y

        return run

    return decorate


@checked(
    "inv",
    "The diagonal element {} is zero, the inversion could not be completed because the input matrix is singular.",
    lu_info,
)
def inverse(xp: Any, x: Any) -> Any:
    """The inverse of each matrix."""
    return column_major(xp, xp.linalg.inv(x))


@checked("solve", "The solver failed because the input matrix is singular.", lu_info)
def solve(xp: Any, a: Any, b: Any) -> Any:
    """``x`` with ``a @ x = b``: (..., n, n) and (..., n, k), the batch dimensions equal."""
    return column_major(xp, xp.linalg.solve(a, b))


@checked(
    "cholesky",
    "The factorization could not be completed because the input is not positive-definite (the leading minor of order "
    "{} is not positive-definite).",
    cholesky_info,
)
def cholesky(xp: Any, x: Any) -> Any:
    """The lower triangle ``l`` with ``l @ l.H = x``, of which the lower triangle is read."""
    y = xp.linalg.cholesky(x)
    if not (xp.diagonal(y, axis1=-2, axis2=-1).real > 0).all():  # where a library stops half-way without a word
        raise xp.linalg.LinAlgError("a pivot is not positive")
    return column_major(xp, y)


def qr(xp: Any, x: Any, mode: str) -> tuple[Any, Any]:
    """Orthonormal columns and an upper triangle whose product is ``x``; ``mode`` is ``"reduced"`` or ``"complete"``."""
    if not x.size:  # nothing to do, which libraries do in their own ways
        rows, columns = x.shape[-2:]
        k = rows if mode == "complete" else min(rows, columns)
        unit = xp.zeros((*x.shape[:-2], rows, k), dtype=x.dtype) + xp.eye(rows, k, dtype=x.dtype)
        return unit, xp.zeros((*x.shape[:-2], k, columns), dtype=x.dtype)
    q, r = xp.linalg.qr(x, mode=mode)
    return column_major(xp, q), column_major(xp, r)


def qr_raw(xp: Any, x: Any) -> tuple[Any, Any]:
    """``a, tau`` as LAPACK has them: ``r`` on and above the diagonal, reflectors below it, and their factors."""
    rows, columns = x.shape[-2:]
    if not x.size:
        return x.copy(), xp.zeros((*x.shape[:-2], min(rows, columns)), dtype=x.dtype)
    flat = x.reshape(-1, rows, columns)  # some libraries take one matrix only
    parts = [xp.linalg.qr(flat[i], mode="raw") for i in range(flat.shape[0])]
    a = xp.stack([h for h, _ in parts]).reshape(*x.shape[:-2], columns, rows)
    tau = xp.stack([t for _, t in parts]).reshape(*x.shape[:-2], min(rows, columns))
    return column_major(xp, xp.swapaxes(a.astype(x.dtype), -1, -2)), tau.astype(x.dtype)


CONVERGENCE = (
    "The algorithm failed to converge because the input matrix is ill-conditioned or has too many repeated {} values."
)


def _svd(xp: Any, x: Any, **options: Any) -> Any:
    try:
        y = xp.linalg.svd(x, **options)
    except xp.linalg.LinAlgError:
        y = None
    s = None if y is None else y if options.get("compute_uv") is False else y[1]
    if s is None or not xp.isfinite(s).all():
        if not xp.isfinite(x).all():
            raise LinAlgError(
                "linalg.svd: The algorithm failed to converge because the input matrix contained non-finite values."
            )
        if y is None:
            raise LinAlgError("linalg.svd: " + CONVERGENCE.format("singular"))
    return y


def svd(xp: Any, x: Any, full: bool) -> tuple[Any, Any, Any]:
    """``u, s, vh`` with ``u @ diag(s) @ vh = x``, the singular values ``s`` from large to small."""
    u, s, vh = _svd(xp, x, full_matrices=full)
    return column_major(xp, u), s, column_major(xp, vh)


def singular_values(xp: Any, x: Any) -> Any:
    """The singular values from large to small."""
    return _svd(xp, x, compute_uv=False)


def eigh(xp: Any, x: Any, uplo: str) -> tuple[Any, Any]:
    """Eigenvalues, from small to large, and eigenvectors of Hermitian matrices, of which one triangle is read."""
    try:
        w, v = xp.linalg.eigh(x, UPLO=uplo)
    except xp.linalg.LinAlgError as error:
        raise LinAlgError("linalg.eigh: " + CONVERGENCE.format("eigen")) from error
    return w, column_major(xp, v)


def _eigen(xp: Any, x: Any, name: str) -> Any:
    if not xp.isfinite(x).all():
        raise LinAlgError(f"linalg.{name}: input tensor should not contain infs or NaNs.")
    try:
        return getattr(xp.linalg, name)(x)
    except xp.linalg.LinAlgError as error:
        raise LinAlgError(f"linalg.{name}: " + CONVERGENCE.format("eigen")) from error


def eig(xp: Any, x: Any) -> tuple[Any, Any]:
    """Eigenvalues and eigenvectors of square matrices, complex ones even if all are real."""
    w, v = _eigen(xp, x, "eig")
    kind = "complex64" if x.dtype.char in "fF" else "complex128"
    return w.astype(kind), column_major(xp, v.astype(kind))


def eigvals(xp: Any, x: Any) -> Any:
    """The eigenvalues of square matrices, complex."""
    return _eigen(xp, x, "eigvals").astype("complex64" if x.dtype.char in "fF" else "complex128")


def slogdet(xp: Any, x: Any) -> tuple[Any, Any]:
    """The determinant's sign (of a complex one, its direction) and the logarithm of its size."""
    sign, size = xp.linalg.slogdet(x)
    return sign.astype(x.dtype), size


def det(xp: Any, x: Any) -> Any:
    """The determinant of each matrix."""
    return xp.linalg.det(x)


def cofactor(xp: Any, x: Any) -> Any:
    """The matrix of cofactors, which is ``det(x) * inv(x).T`` and exists for singular matrices, too.

    Cofactors of a product are products of cofactors, and those of a diagonal are products of its other elements.
    """
    u, s, vh = xp.linalg.svd(x, full_matrices=True)
    one = xp.ones_like(s[..., :1])
    before = xp.cumprod(xp.concatenate([one, s[..., :-1]], axis=-1), axis=-1)
    after = xp.cumprod(xp.concatenate([one, s[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    size = (xp.linalg.det(u) * xp.linalg.det(vh))[..., None, None]
    # The cofactors of a unitary matrix are its determinant times its conjugate.
    y = size * xp.matmul(xp.conjugate(u) * (before * after)[..., None, :], xp.conjugate(vh))
    return y.astype(x.dtype)


def pinv(xp: Any, x: Any, atol: Any, rtol: Any, hermitian: bool) -> Any:
    """The pseudo-inverse: singular values above ``max(atol, rtol * largest)`` inverted, the others 0.

    Of Hermitian matrices the lower triangle is read, and the singular values are the sizes of the eigenvalues.
    """
    if not x.size:
        return xp.zeros((*x.shape[:-2], x.shape[-1], x.shape[-2]), dtype=x.dtype)
    if hermitian:
        s, u = eigh(xp, x, "L")
        right, size = u, xp.abs(s)
    else:
        u, s, vh = _svd(xp, x, full_matrices=False)
        right, size = adjoint(xp, vh), s
    bound = xp.maximum(rtol * xp.max(size, axis=-1, keepdims=True), atol)
    large = size > bound
    inverted = xp.where(large, 1 / xp.where(large, s, xp.ones_like(s)), xp.zeros_like(s))
    return xp.matmul(right * inverted[..., None, :], adjoint(xp, u))


# The coefficients of the Pade approximant of order 13 to exp, and up to which norm it is exact to float64.
PADE = [math.factorial(26 - i) * math.comb(13, i) / math.factorial(26) for i in range(14)]
PADE_NORM = 5.371920351148152


def matrix_exp(xp: Any, x: Any) -> Any:
    """The exponential by scaling and squaring: ``exp(x / 2**s)`` as a quotient of polynomials, squared ``s`` times.

    References:
        N. Higham, "The scaling and squaring method for the matrix exponential revisited", SIAM J. Matrix Anal. Appl.
        26 (2005).
    """
    if not x.size:
        return xp.zeros_like(x)
    work = x.astype("complex128" if x.dtype.kind == "c" else "float64")
    largest = float(xp.max(xp.sum(xp.abs(work), axis=-2)))  # how often to square depends on the values
    squarings = max(0, math.ceil(math.log2(largest / PADE_NORM))) if 0 < largest < math.inf else 0
    a = work / 2.0**squarings
    unit = xp.broadcast_to(xp.eye(x.shape[-1], dtype=a.dtype), a.shape)
    even, odd, power, square = unit * PADE[0], unit * PADE[1], unit, xp.matmul(a, a)
    for i in range(2, 14, 2):
        power = xp.matmul(power, square)
        even = even + power * PADE[i]
        odd = odd + power * PADE[i + 1]
    odd = xp.matmul(a, odd)
    y = xp.linalg.solve(even - odd, even + odd)
    for _ in range(squarings):
        y = xp.matmul(y, y)
    return y.astype(x.dtype)
