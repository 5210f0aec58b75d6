"""Linear algebra under the names that PyTorch had before ``linalg``, with their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends.errors import DTypeError, ShapeError
from .linalg import also_named, done, done_all, mH, mT, same_batch
from .linalg_cholesky import cholesky as new_cholesky
from .linalg_factors import qr as new_qr
from .linalg_factors import svd as new_svd
from .linalg_functions import pinv
from .linalg_lu import lu_factor_ex, unpacked
from .linalg_lu import lu_solve as new_lu_solve
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
    return done("cholesky", new_cholesky(input, upper=upper), out, casts=True)


def qr(input: Tensor, some: bool = True, *, out: Any = None) -> Any:
    """`wengert.linalg.qr`, reduced if ``some`` and else complete."""
    return done_all("qr", QrResult, new_qr(input, "reduced" if some else "complete"), out, casts=True)


def svd(input: Tensor, some: bool = True, compute_uv: bool = True, *, out: Any = None) -> Any:
    """``U, S, V`` with ``input = U @ diag(S) @ V.mH``; without ``compute_uv``, square ``U`` and ``V`` of zeros."""
    u, s, vh = new_svd(input, not (some and compute_uv))
    v = mH(vh)
    parts = (u, s, v) if compute_uv else ((u * 0).detach(), s, (v * 0).detach())
    return done_all("svd", SvdResult, parts, out, casts=True)


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """`wengert.linalg.pinv` with ``rtol=rcond``."""
    return pinv(input, rtol=rcond)


@also_named(input="b")
def triangular_solve(
    b: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False, *, out: Any = None
) -> Any:
    """The ``X`` with ``A @ X = b`` (``A.T @ X = b`` with ``transpose``), and a copy of ``A``."""
    for name, value in (("b", b), ("A", A)):
        if value._data.ndim < 2:
            raise ShapeError(
                f"triangular_solve: Expected {name} to have at least 2 dimensions, but it has "
                f"{value._data.ndim} dimensions instead"
            )
    A, b = same_batch("triangular_solve", A, b)
    a, is_upper = (mT(A), not upper) if transpose else (A, upper)
    x = solve_triangular(a, b, upper=is_upper, unitriangular=unitriangular)
    return done_all("triangular_solve", TriangularResult, (x, A.clone()), out)


@also_named(input="b")
def lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor, *, out: Any = None) -> Tensor:
    """`wengert.linalg.lu_solve`, the right side first."""
    return new_lu_solve(LU_data, LU_pivots, b, out=out)


def lu(A: Tensor, pivot: bool = True, get_infos: bool = False, *, out: Any = None) -> Any:
    """`wengert.linalg.lu_factor`, with `lu_factor_ex`'s ``info`` if ``get_infos``."""
    results = lu_factor_ex(A, pivot=pivot)
    return done_all("lu", _tuple, results if get_infos else results[:2], out, casts=True)


def _tuple(*parts: Any) -> tuple[Any, ...]:
    return parts


def lu_unpack(
    LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True, *, out: Any = None
) -> Any:
    """``P, L, U`` from the result of `lu`.

    Args:
        LU_data: (..., m, n).
        LU_pivots: (..., min(m, n)), int32.
        unpack_data: whether ``L`` and ``U`` are wanted; else they are empty.
        unpack_pivots: whether ``P`` is wanted; else it is empty.
        out: three tensors to write the results to.

    Raises:
        RuntimeError: ``LU_pivots`` is not int32.
    """
    if unpack_pivots and LU_pivots._data.dtype.name != "int32":
        raise DTypeError(
            "lu_unpack: LU_pivots is expected to be a contiguous tensor of int32 dtype. Note: this function is "
            "intended to be used with the output produced by lu_factor"
        )
    return done_all(
        "lu_unpack", UnpackResult, unpacked(LU_data, LU_pivots, unpack_data, unpack_pivots), out, casts=True
    )
