"""Linear algebra on stacks of matrices: LAPACK's factorisations, and those that array libraries lack in their terms.

Where an operation needs an invertible matrix, what comes out is looked at, and `LinAlgError` raised: NumPy raises by
itself, CuPy returns NaN. PyTorch waits for the device at the same places.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from ..errors import LinAlgError

__all__ = [
    "cholesky",
    "cofactor",
    "det",
    "eigh",
    "inverse",
    "lu_factor",
    "matrix_exp",
    "permutation",
    "pinv",
    "qr",
    "singular_values",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
]


def adjoint(xp: Any, x: Any) -> Any:
    """The conjugate transpose of each matrix."""
    return xp.swapaxes(xp.conjugate(x) if x.dtype.kind == "c" else x, -1, -2)


def checked(op: str, why: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Raise `LinAlgError` where a kernel cannot go on: where it says so, or gives NaN for what had none."""

    def decorate(kernel: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(kernel)
        def run(xp: Any, x: Any, *args: Any, **params: Any) -> Any:
            try:
                y = kernel(xp, x, *args, **params)
            except xp.linalg.LinAlgError as error:
                raise LinAlgError(f"linalg.{op}: input of shape {list(x.shape)}: {why}") from error
            if not xp.isfinite(y).all() and xp.isfinite(x).all() and all(bool(xp.isfinite(a).all()) for a in args):
                raise LinAlgError(f"linalg.{op}: input of shape {list(x.shape)}: {why}")
            return y

        return run

    return decorate


SINGULAR = "a matrix is singular (its determinant is zero), so that it has no inverse"


@checked("inv", SINGULAR)
def inverse(xp: Any, x: Any) -> Any:
    """The inverse of each matrix."""
    return xp.linalg.inv(x)


@checked("solve", SINGULAR)
def solve(xp: Any, a: Any, b: Any) -> Any:
    """``x`` with ``a @ x = b``: (..., n, n) and (..., n, k), the batch dimensions equal."""
    return xp.linalg.solve(a, b)


@checked("cholesky", "a leading minor is not positive, so that the matrix is not positive-definite")
def cholesky(xp: Any, x: Any) -> Any:
    """The lower triangle ``l`` with ``l @ l.H = x``, of which the lower triangle is read."""
    y = xp.linalg.cholesky(x)
    if not (xp.diagonal(y, axis1=-2, axis2=-1).real > 0).all():  # where a library stops half-way without a word
        raise xp.linalg.LinAlgError("a pivot is not positive")
    return y


def qr(xp: Any, x: Any, mode: str) -> tuple[Any, Any]:
    """Orthonormal columns and an upper triangle whose product is ``x``; ``mode`` is ``"reduced"`` or ``"complete"``."""
    q, r = xp.linalg.qr(x, mode=mode)
    return q, r


def svd(xp: Any, x: Any, full: bool) -> tuple[Any, Any, Any]:
    """``u, s, vh`` with ``u @ diag(s) @ vh = x``, the singular values ``s`` from large to small."""
    u, s, vh = xp.linalg.svd(x, full_matrices=full)
    return u, s, vh


def singular_values(xp: Any, x: Any) -> Any:
    """The singular values from large to small."""
    return xp.linalg.svd(x, compute_uv=False)


def eigh(xp: Any, x: Any, uplo: str) -> tuple[Any, Any]:
    """Eigenvalues, from small to large, and eigenvectors of Hermitian matrices, of which one triangle is read."""
    w, v = xp.linalg.eigh(x, UPLO=uplo)
    return w, v


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


def solve_triangular(xp: Any, a: Any, b: Any, upper: bool, unit: bool) -> Any:
    """``x`` with ``a @ x = b`` for triangles ``a``: one half after the other, so that most work is products."""
    n = a.shape[-1]
    if n == 0:
        return xp.zeros_like(xp.matmul(a, b))
    if n == 1:
        return b + xp.zeros_like(a) if unit else b / a
    h = n // 2
    first, last = (slice(h, None), slice(0, h)) if upper else (slice(0, h), slice(h, None))
    x = solve_triangular(xp, a[..., first, first], b[..., first, :], upper, unit)
    rest = b[..., last, :] - xp.matmul(a[..., last, first], x)
    y = solve_triangular(xp, a[..., last, last], rest, upper, unit)
    return xp.concatenate([y, x] if upper else [x, y], axis=-2)


def lu_factor(xp: Any, x: Any, pivot: bool) -> tuple[Any, Any]:
    """``l`` (without its diagonal of ones) and ``u`` in one matrix, and the row that each row was swapped with.

    Gaussian elimination, one column after the other; the pivot is the column's largest element.
    """
    a = x.copy()
    rows, columns = a.shape[-2:]
    batch, count = a.shape[:-2], min(rows, columns)
    index = xp.arange(rows).reshape(rows, 1)
    pivots = xp.zeros((*batch, count), dtype="int32")
    for j in range(count):
        pivots[..., j] = j + 1
        if pivot and rows - j > 1:
            best = xp.argmax(xp.abs(a[..., j:, j]), axis=-1)[..., None, None] + j
            pivots[..., j] = best[..., 0, 0] + 1
            order = xp.where(index == j, best, xp.where(index == best, j, index))
            a = xp.take_along_axis(a, xp.broadcast_to(order, (*batch, rows, columns)), axis=-2)
        if j + 1 < rows:
            top = a[..., j : j + 1, j : j + 1]
            a[..., j + 1 :, j : j + 1] /= xp.where(top == 0, xp.ones_like(top), top)
            a[..., j + 1 :, j + 1 :] -= a[..., j + 1 :, j : j + 1] * a[..., j : j + 1, j + 1 :]
    return a, pivots


def permutation(xp: Any, pivots: Any, rows: int) -> Any:
    """The order of the rows after the swaps of `lu_factor`: row ``i`` of the product was row ``order[i]``."""
    index = xp.arange(rows)
    order = xp.zeros((*pivots.shape[:-1], rows), dtype="int64") + index
    for j in range(pivots.shape[-1]):
        other = pivots[..., j : j + 1].astype("int64") - 1
        swap = xp.where(index == j, other, xp.where(index == other, j, index))
        order = xp.take_along_axis(order, swap, axis=-1)
    return order


def pinv(xp: Any, x: Any, atol: float, rtol: float) -> Any:
    """The pseudo-inverse: singular values above ``max(atol, rtol * largest)`` inverted, the others 0."""
    u, s, vh = xp.linalg.svd(x, full_matrices=False)
    if not s.shape[-1]:
        return xp.zeros((*x.shape[:-2], x.shape[-1], x.shape[-2]), dtype=x.dtype)
    large = s > xp.maximum(s[..., :1] * s.dtype.type(rtol), xp.full_like(s[..., :1], atol))
    inverted = xp.where(large, 1 / xp.where(large, s, xp.ones_like(s)), xp.zeros_like(s))
    return xp.matmul(adjoint(xp, vh) * inverted[..., None, :], adjoint(xp, u))


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
