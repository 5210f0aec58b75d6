"""The linear algebra extension: functions of stacks of matrices, in the standard's signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from ..autograd import ops
from ..autograd.ops import linalg_cholesky, linalg_eigen, linalg_factors, linalg_functions, linalg_norms, linalg_solving
from .products import matmul as matmul
from .products import matrix_transpose as matrix_transpose
from .products import tensordot as tensordot
from .products import vecdot as vecdot
from .promotion import together
from .reductions import sum as _sum

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor
    from ..backends import DType
    from .manipulation import Axes

__all__ = [
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]


class Eig(NamedTuple):
    """Eigenvalues and eigenvectors."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class QR(NamedTuple):
    """The factors of `qr`."""

    Q: Tensor
    R: Tensor


class Slogdet(NamedTuple):
    """The sign of a determinant and the logarithm of its magnitude."""

    sign: Tensor
    logabsdet: Tensor


class SVD(NamedTuple):
    """The factors of `svd`."""

    U: Tensor
    S: Tensor
    Vh: Tensor


def cholesky(x: Tensor, /, *, upper: bool = False) -> Tensor:
    """The triangular factor of Hermitian positive definite matrices: ``(*, M, M)``, lower unless ``upper``."""
    return linalg_cholesky.cholesky(x, upper=upper)


def cross(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """The cross product along ``axis``, of size 3 in both; the other axes broadcast.

    Raises:
        ValueError: the size is another.
    """
    x1, x2 = together(x1, x2)
    if x1.shape[axis] != 3 or x2.shape[axis] != 3:
        raise ValueError(
            f"cross: axis {axis} must have size 3, and the shapes are {list(x1.shape)} and {list(x2.shape)}"
        )
    return linalg_functions.cross(x1, x2, dim=axis)


def det(x: Tensor, /) -> Tensor:
    """Determinants: ``(*, M, M)`` to ``(*)``."""
    return ops.det(x)


def diagonal(x: Tensor, /, *, offset: int = 0) -> Tensor:
    """A view of the diagonals of the last two axes, ``offset`` counted upwards: ``(*, M, N)`` to ``(*, k)``."""
    return linalg_functions.diagonal(x, offset=offset)


def eig(x: Tensor, /) -> Eig:
    """Eigenvalues ``(*, M)`` and eigenvectors ``(*, M, M)`` of matrices, complex ones."""
    return Eig(*linalg_eigen.eig(x))


def eigvals(x: Tensor, /) -> Tensor:
    """Eigenvalues of matrices, complex ones: ``(*, M)``."""
    return linalg_eigen.eigvals(x)


def eigh(x: Tensor, /) -> Eig:
    """Eigenvalues ``(*, M)``, ascending, and eigenvectors ``(*, M, M)`` of Hermitian matrices."""
    return Eig(*linalg_eigen.eigh(x))


def eigvalsh(x: Tensor, /) -> Tensor:
    """Eigenvalues of Hermitian matrices, ascending: ``(*, M)``."""
    return linalg_eigen.eigvalsh(x)


def inv(x: Tensor, /) -> Tensor:
    """Inverses of matrices: ``(*, M, M)``."""
    return linalg_solving.inv(x)


def matrix_norm(x: Tensor, /, *, keepdims: bool = False, ord: float | Literal["fro", "nuc"] | None = "fro") -> Tensor:
    """Norms of matrices: ``(*, M, N)`` to ``(*)``.

    Args:
        x: the matrices.
        keepdims: whether the last two axes stay, with size 1.
        ord: 1, 2, inf or the negative of one of them, "fro" or "nuc".
    """
    return linalg_norms.matrix_norm(x, "fro" if ord is None else ord, keepdim=keepdims)


def matrix_power(x: Tensor, n: int, /) -> Tensor:
    """``n`` factors of each matrix multiplied, of its inverse for a negative ``n``: ``(*, M, M)``."""
    return ops.matrix_power(x, n)


def matrix_rank(x: Tensor, /, *, rtol: float | Tensor | None = None) -> Tensor:
    """How many singular values exceed ``rtol`` times the largest: ``(*, M, N)`` to int64 ``(*)``.

    ``rtol`` is max(M, N) times the resolution of the type if it is None.
    """
    return linalg_norms.matrix_rank(x, rtol=rtol)


def outer(x1: Tensor, x2: Tensor, /) -> Tensor:
    """All products of an element of ``(N,)`` and one of ``(M,)``: ``(N, M)``.

    Raises:
        ValueError: one of them is no vector.
    """
    if x1.ndim != 1 or x2.ndim != 1:
        raise ValueError(
            f"outer: both must have one dimension, and the shapes are {list(x1.shape)} and {list(x2.shape)}"
        )
    x1, x2 = together(x1, x2)
    return ops.unsqueeze(x1, 1) * x2


def pinv(x: Tensor, /, *, rtol: float | Tensor | None = None) -> Tensor:
    """Pseudo-inverses: ``(*, M, N)`` to ``(*, N, M)``; singular values up to ``rtol`` times the largest are zero."""
    return linalg_functions.pinv(x, rtol=rtol)


def qr(x: Tensor, /, *, mode: Literal["reduced", "complete"] = "reduced") -> QR:
    """An orthonormal and an upper triangular factor of ``(*, M, N)``: ``(*, M, K)`` and ``(*, K, N)``.

    ``K`` is min(M, N), or M if ``mode`` is "complete".
    """
    return QR(*linalg_factors.qr(x, mode))


def slogdet(x: Tensor, /) -> Slogdet:
    """Signs of determinants and logarithms of their magnitudes: ``(*, M, M)`` to ``(*)`` each."""
    return Slogdet(*ops.slogdet(x))


def solve(x1: Tensor, x2: Tensor, /) -> Tensor:
    """The solution of ``x1 @ x = x2``.

    Args:
        x1: ``(*, M, M)``.
        x2: ``(M,)``, one vector for all matrices, or ``(*, M, K)``, matrices. Unlike PyTorch's, no stack of vectors.

    Returns:
        ``(*, M)`` or ``(*, M, K)``.
    """
    x1, x2 = together(x1, x2)
    if x2.ndim == 1:
        return ops.squeeze(linalg_solving.solve(x1, ops.unsqueeze(x2, -1).expand((*x1.shape[:-1], 1))), -1)
    batch = ops.broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    return linalg_solving.solve(x1.expand((*batch, *x1.shape[-2:])), x2.expand((*batch, *x2.shape[-2:])))


def svd(x: Tensor, /, *, full_matrices: bool = True) -> SVD:
    """Singular vectors and values of ``(*, M, N)``: U ``(*, M, M)``, S ``(*, K)`` descending, and Vh ``(*, N, N)``.

    Without ``full_matrices``, U is ``(*, M, K)`` and Vh ``(*, K, N)``; K is min(M, N).
    """
    return SVD(*linalg_factors.svd(x, full_matrices))


def svdvals(x: Tensor, /) -> Tensor:
    """Singular values, descending: ``(*, M, N)`` to ``(*, min(M, N))``."""
    return linalg_factors.svdvals(x)


def trace(x: Tensor, /, *, offset: int = 0, dtype: DType | None = None) -> Tensor:
    """The sums of the diagonals of the last two axes: ``(*, M, N)`` to ``(*)``; ``dtype`` as for `sum`."""
    return _sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)


def vector_norm(x: Tensor, /, *, axis: Axes | None = None, keepdims: bool = False, ord: float = 2) -> Tensor:
    """The norm of the elements over ``axis``, or over all axes, of any real order, inf and -inf included."""
    if axis == ():
        return ops.abs(x) if ord else (x != 0).to(ops.abs(x).dtype)
    return linalg_norms.vector_norm(x, ord, axis, keepdims)
