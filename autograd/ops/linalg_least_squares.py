"""Least squares; in ``wengert.linalg``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.batched import all_in
from ...backends.errors import ArgumentError, DTypeError, ShapeError
from ..base import wrap
from .linalg import also_named, bmm_rule, check_matrix, done_all, same_batch, type_name
from .linalg_factors import svdvals
from .linalg_functions import pinv
from .linalg_norms import matrix_rank
from .linalg_solving import is_vector
from .product import check_pair
from .return_types import named_result
from .shape import reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor

LstsqResult = named_result("linalg_lstsq", "solution residuals rank singular_values")
DRIVERS = ("gels", "gelsy", "gelsd", "gelss")


@also_named(input="A", b="B")
def lstsq(A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None, out: Any = None) -> Any:
    """The ``X`` of least ``norm(A @ X - B)``, and of least norm among those, by the pseudo-inverse.

    Args:
        A: (..., m, n).
        B: (..., m, k), or (..., m).
        rcond: singular values below this part of the largest count as 0; ``max(m, n)`` times the epsilon unless told.
        driver: ``"gelsy"`` (unless told), ``"gels"``, ``"gelsd"`` or ``"gelss"``: the last two return singular values.
        out: four tensors to write the results to.

    Returns:
        ``(solution, residuals, rank, singular_values)``. The sums of squared residuals are empty with ``"gelsy"``, and
        unless m > n and every rank is n; the rank is empty with ``"gels"``.

    Raises:
        RuntimeError: the shapes or types do not fit.
    """
    op = "linalg.lstsq"
    a = _check(op, A, B, driver)
    vector = is_vector(a, B._data)
    if vector:
        B = reshape_rule(B, (*B._data.shape, 1))
    if B._data.ndim < 2 or B._data.shape[-2] != a.shape[-2]:
        name = "size(-1)" if vector else "size(-2)"
        raise ShapeError(
            f"{op}: input.size(-2) should match other.{name}, got {list(a.shape)} and {list(B._data.shape)}"
        )
    A, B = same_batch(op, A, B)
    x = bmm_rule(pinv(A, rtol=rcond), B)
    k = kernels_of[type(a)]
    rank = wrap(k.zeros((0,), dtype="int64")) if driver == "gels" else matrix_rank(A, rtol=rcond)
    residuals = _residuals(A, B, x, None if driver == "gels" else rank, driver)
    values = svdvals(A.detach()) if driver in ("gelsd", "gelss") else wrap(k.zeros((0,), dtype=a.real.dtype))
    solution = reshape_rule(x, x._data.shape[:-1]) if vector else x
    return done_all(op, LstsqResult, (solution, residuals, rank, values), out, casts=True)


def _check(op: str, A: Any, B: Any, driver: str | None) -> Any:
    a = check_matrix(op, A, name="input")
    if B._data.dtype != a.dtype:
        raise DTypeError(
            f"{op}: Expected input and other to have the same dtype, but got input's dtype {type_name(A)} and other's "
            f"dtype {type_name(B)}"
        )
    check_pair(op, A, B)
    if B._data.ndim < 1:
        raise ShapeError(f"{op}: other must have at least 1 dimension")
    if not 0 <= a.ndim - B._data.ndim <= 1:
        raise ShapeError(
            f"{op}: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1, but the "
            f"shapes are {list(a.shape)} and {list(B._data.shape)}"
        )
    if driver not in (None, *DRIVERS):
        raise ArgumentError(
            f"{op}: parameter `driver` should be one of (gels, gelsy, gelsd, gelss), but it is {driver!r}"
        )
    return a


def _residuals(A: Any, B: Any, x: Any, rank: Any, driver: str | None) -> Any:
    """The sums of squared residuals where LAPACK's driver has them, else an empty part of the result."""
    rows, columns = A._data.shape[-2:]
    full = rank is None or all_in((rank == columns)._data)
    if rows > columns and full and driver not in (None, "gelsy"):
        return (bmm_rule(A, x) - B).abs().square().sum(-2)
    return reshape_rule(x, (x._data.size,))[:0].abs()
