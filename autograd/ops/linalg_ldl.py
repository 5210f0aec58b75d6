"""The LDL decomposition of symmetric and Hermitian matrices; in ``wengert.linalg``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends.batched import every
from ...backends.errors import DTypeError, GraphError, LinAlgError, ShapeError
from ..base import TensorBase
from ..primitive import Primitive, apply
from .expansion import broadcast_shapes, expand_rule
from .linalg import also_named, check_matrix, check_types, done, done_all
from .linalg_solving import fits
from .return_types import named_result

if TYPE_CHECKING:
    from ..tensor import Tensor

LdlFactorResult = named_result("linalg_ldl_factor", "LD pivots")
LdlFactorExResult = named_result("linalg_ldl_factor_ex", "LD pivots info")


class LdlFactor(Primitive):
    """``x = l d l.T``. It has no gradient, as in PyTorch."""

    @staticmethod
    def forward(ctx: Any, x: Any, *, hermitian: bool) -> Any:
        packed, pivots, info = ctx.k.ldl_factor(x, hermitian)
        return packed, pivots, info

    @staticmethod
    def backward(ctx: Any, *gs: Any) -> Any:
        raise GraphError("derivative for linalg_ldl_factor_ex is not implemented; use linalg.lu_factor or cholesky")


class LdlSolve(Primitive):
    """The system's solution. It has no gradient, as in PyTorch."""

    @staticmethod
    def forward(ctx: Any, packed: Any, b: Any, *, pivots: Any, hermitian: bool) -> Any:
        return ctx.k.ldl_solve(packed, pivots, b, hermitian)

    @staticmethod
    def backward(ctx: Any, *gs: Any) -> Any:
        raise GraphError("derivative for linalg_ldl_solve is not implemented; use linalg.solve")


@also_named(input="A")
def ldl_factor_ex(A: Tensor, *, hermitian: bool = False, check_errors: bool = False, out: Any = None) -> Any:
    """`ldl_factor`, and for each matrix 0, or the number of its first pivot that is zero.

    Args:
        A: (..., n, n).
        hermitian: complex matrices are Hermitian, not symmetric.
        check_errors: raise where a pivot is zero.
        out: three tensors to write the results to.

    Returns:
        ``(LD, pivots, info)``, the last two int32.
    """
    op = "linalg.ldl_factor_ex"
    a = check_matrix(op, A, True)
    results = apply(LdlFactor, A, hermitian=bool(hermitian) and a.dtype.kind == "c")
    if check_errors:
        _check_pivots(op, results[2])
    return done_all(op, LdlFactorExResult, results, out)


def _check_pivots(op: str, info: Any) -> None:
    found = [int(i) for i in every(info._data).reshape(-1)]
    if any(found):
        index = next(i for i, n in enumerate(found) if n)
        where = f"(Batch element {index}): " if every(info._data).ndim else ""
        raise LinAlgError(f"{op}: {where}D[{found[index]},{found[index]}] is zero: the matrix is singular")


@also_named(input="A")
def ldl_factor(A: Tensor, *, hermitian: bool = False, out: Any = None) -> Any:
    """``L`` and ``D`` in one matrix, with ``A = L @ D @ L.T`` (``L.mH`` if Hermitian) but for swaps of rows.

    Args:
        A: symmetric matrices (..., n, n), of which the lower triangle is read.
        hermitian: complex matrices are Hermitian, not symmetric.
        out: two tensors to write the results to.

    Returns:
        ``(LD, pivots)``: ``D`` has blocks of size 1 and 2; ``pivots`` int32 as LAPACK has them, negative for blocks of
        size 2.

    Raises:
        RuntimeError: the matrices are not square. LinAlgError: a pivot is zero.

    Example:
        >>> import wengert as wg
        >>> wg.linalg.ldl_factor(wg.tensor([[4.0, 2.0], [2.0, 3.0]])).LD.tril()
        tensor([[4.0000, 0.0000],
                [0.5000, 2.0000]])

    References:
        J. Bunch and L. Kaufman, "Some stable methods for calculating inertia and solving symmetric linear systems",
        Math. Comp. 31 (1977).
    """
    op = "linalg.ldl_factor"
    check_matrix(op, A, True)
    results = ldl_factor_ex(A, hermitian=hermitian)
    _check_pivots(op, results.info)
    return done_all(op, LdlFactorResult, results[:2], out)


def ldl_solve(LD: Tensor, pivots: Tensor, B: Tensor, *, hermitian: bool = False, out: Any = None) -> Tensor:
    """The ``X`` with ``A @ X = B``, from the result of `ldl_factor`.

    Args:
        LD: (..., n, n).
        pivots: (..., n).
        B: (..., n, k); leading dimensions broadcast.
        hermitian: as `ldl_factor` was told.
        out: a tensor to write the result to.

    Raises:
        RuntimeError: the shapes or types do not fit.
    """
    op = "linalg.ldl_solve"
    a = check_matrix(op, LD, True, name="LD")
    b = check_matrix(op, B, name="B")
    if not isinstance(pivots, TensorBase) or pivots._data.dtype.kind not in "iu":
        raise DTypeError(f"{op}: Expected pivots to be integers")
    if pivots._data.shape != a.shape[:-1]:
        raise ShapeError(
            f"{op}: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with shape "
            f"{list(pivots._data.shape)} instead"
        )
    fits(op, a, b, True)
    check_types(op, LD, B, ("LD", "B"))
    batch = tuple(broadcast_shapes(a.shape[:-2], b.shape[:-2]))
    LD, B = expand_rule(LD, (*batch, *a.shape[-2:])), expand_rule(B, (*batch, *b.shape[-2:]))
    order = expand_rule(pivots, (*batch, a.shape[-1]))._data
    return done(op, apply(LdlSolve, LD, B, pivots=order, hermitian=bool(hermitian) and a.dtype.kind == "c"), out)
