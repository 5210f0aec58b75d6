"""Linear algebra under the names that PyTorch had before ``linalg``, with their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .linalg import mH, mT, same_batch
from .linalg_factors import lu_factor, unpacked
from .linalg_factors import lu_solve as new_lu_solve
from .linalg_factors import qr as new_qr
from .linalg_factors import svd as new_svd
from .linalg_functions import pinv
from .linalg_solving import cholesky as new_cholesky
from .linalg_solving import solve_triangular
from .return_types import named_result

if TYPE_CHECKING:
    from ..tensor import Tensor

SvdResult = named_result("svd", "U S V")
QrResult = named_result("qr", "Q R")
TriangularResult = named_result("triangular_solve", "solution cloned_coefficient")
UnpackResult = named_result("lu_unpack", "P L U")


def cholesky(input: Tensor, upper: bool = False, *, out: Any = None) -> Tensor:
    """`wengert.linalg.cholesky`."""
    return new_cholesky(input, upper=upper, out=out)


def qr(input: Tensor, some: bool = True) -> Any:
    """`wengert.linalg.qr`, reduced if ``some`` and else complete."""
    return QrResult(*new_qr(input, "reduced" if some else "complete"))


def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> Any:
    """``U, S, V`` with ``input = U @ diag(S) @ V.mH``; without ``compute_uv``, ``U`` and ``V`` are zeros."""
    u, s, vh = new_svd(input, not some)
    v = mH(vh)
    return SvdResult(u, s, v) if compute_uv else SvdResult((u * 0).detach(), s, (v * 0).detach())


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """`wengert.linalg.pinv` with ``rtol=rcond``."""
    return pinv(input, rtol=rcond)


def triangular_solve(
    b: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> Any:
    """The ``X`` with ``A @ X = b`` (``A.T @ X = b`` with ``transpose``), and a copy of ``A``."""
    A, b = same_batch("triangular_solve", A, b)
    a, is_upper = (mT(A), not upper) if transpose else (A, upper)
    return TriangularResult(solve_triangular(a, b, upper=is_upper, unitriangular=unitriangular), A.clone())


def lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor, *, out: Any = None) -> Tensor:
    """`wengert.linalg.lu_solve`, the right side first."""
    return new_lu_solve(LU_data, LU_pivots, b, out=out)


def lu(A: Tensor, pivot: bool = True) -> Any:
    """`wengert.linalg.lu_factor`."""
    return tuple(lu_factor(A, pivot=pivot))


def lu_unpack(LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True) -> Any:
    """``P, L, U`` from the result of `lu`; both flags are accepted, and everything is unpacked."""
    return UnpackResult(*unpacked(LU_data, LU_pivots))
