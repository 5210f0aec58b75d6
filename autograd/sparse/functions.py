"""The functions of ``wengert.sparse``: products, sums and softmax with gradients in the operand's own pattern."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...backends import kernels_of, to_dtype
from ...backends.errors import ArgumentError, DTypeError, ShapeError
from ...backends.sparse import Coordinates
from ...backends.sparse.coordinates import chosen_rows, positions
from ..admission import scalar_type
from ..base import wrap
from ..ops.arithmetic import add as add_op
from ..ops.arithmetic import mul
from ..ops.conversion import to
from ..ops.dims import canonical_dim, canonical_dims
from ..ops.exponential import exp, log
from ..ops.product import check_pair, matmul, ranks
from ..ops.product_sums import scaled_sum
from ..ops.reduction import sum_rule
from ..ops.scatter_reduce import scatter_reduce
from ..ops.softmax import log_softmax as dense_log_softmax
from ..ops.softmax import softmax as dense_softmax
from ..out import write_out
from .convert import to_coordinates, to_layout
from .core import assemble, coalesced, dense_of, elements, is_sparse, pattern_of, take, total, values_of
from .creation import sparse_coo_tensor
from .methods import layout_of
from .products import sampled
from .rules_math import sum_over

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "addmm",
    "as_sparse_gradcheck",
    "dsmm",
    "hsmm",
    "hspmm",
    "log_softmax",
    "mm",
    "saddmm",
    "sampled_addmm",
    "smm",
    "softmax",
    "spdiags",
    "spmm",
    "spsolve",
    "sspaddmm",
    "sum",
]


def mm(mat1: Tensor, mat2: Tensor, reduce: str = "sum") -> Tensor:
    """The product of a sparse matrix with a sparse or dense one; the gradient of a sparse operand is sparse too.

    Args:
        mat1: (n, k), sparse (or dense, with ``mat2`` sparse).
        mat2: (k, m).
        reduce: what to do with the products of a row, in compressed rows: ``"sum"``, ``"prod"``, ``"mean"``,
            ``"amax"`` or ``"amin"``.

    Raises:
        RuntimeError: shapes or dtypes do not fit.

    Example:
        >>> import wengert as wg
        >>> a = wg.sparse_coo_tensor([[0, 1], [1, 0]], [2.0, 3.0], (2, 2))
        >>> wg.sparse.mm(a, wg.ones(2, 1))
        tensor([[2.],
                [3.]])
    """
    ranks("mm", ("self", mat1, 2), ("mat2", mat2, 2))
    if mat1._data.dtype != mat2._data.dtype:
        names = [scalar_type(m.dtype) for m in (mat1, mat2)]
        raise DTypeError(f"sparse.mm: mat1 dtype {names[0]} does not match mat2 dtype {names[1]}; convert one of them")
    if reduce == "sum":
        return matmul(mat1, mat2)
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise ArgumentError(f"sparse.mm: reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    if not is_sparse(mat1) or pattern_of(mat1).layout != "sparse_csr" or is_sparse(mat2):
        raise ArgumentError(f"sparse.mm with reduce={reduce!r} takes a matrix of layout sparse_csr and a dense one")
    check_pair("mm", mat1, mat2)
    if mat1._data.shape[1] != mat2._data.shape[0]:
        matmul(mat1, mat2)  # says what is wrong
    values, where = elements(mat1)
    rows, columns = where.indices
    products = take(mat2, columns) * values.unsqueeze(1)
    k = kernels_of[type(rows)]
    start: Any = wrap(k.zeros((mat1._data.shape[0], mat2._data.shape[1]), dtype=mat2._data.dtype))
    at = wrap(k.broadcast_to(rows[:, None], products._data.shape))
    return scatter_reduce(start, 0, at, products, reduce, include_self=False)


def addmm(mat: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1.0, alpha: Any = 1.0) -> Tensor:
    """``beta * mat + alpha * (mat1 @ mat2)`` with ``mat1`` sparse, whose gradient is sparse too."""
    ranks("addmm", ("mat1", mat1, 2), ("mat2", mat2, 2))
    result: Tensor = scaled_sum("addmm", mat, matmul(mat1, mat2), beta, alpha)
    return result


def saddmm(mat: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Tensor:
    """`sparse.addmm` under an old name."""
    result = addmm(mat, mat1, mat2, beta=beta, alpha=alpha)
    return result if out is None else write_out(out, result, "saddmm")


def spmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of a sparse and a dense matrix, under an old name of `mm`."""
    ranks("spmm", ("self", input, 2), ("mat2", mat2, 2))
    return matmul(input, mat2)


def dsmm(input: Tensor, mat2: Tensor) -> Tensor:
    """`spmm` under another old name."""
    return spmm(input, mat2)


def hsmm(input: Tensor, mat2: Tensor) -> Tensor:
    """`spmm` with a result whose rows without an element are not stored."""
    return hspmm(input, mat2)


def hspmm(mat1: Tensor, mat2: Tensor, *, out: Any = None) -> Tensor:
    """The product of a sparse and a dense matrix as a hybrid tensor: only rows with an element are stored.

    Returns:
        Layout ``sparse_coo`` with one sparse and one dense dimension.
    """
    ranks("hspmm", ("mat1", mat1, 2), ("mat2", mat2, 2))
    y = matmul(coalesced(to_coordinates(mat1)), mat2)
    rows = pattern_of(coalesced(to_coordinates(mat1))).indices[:1]
    k = kernels_of[type(rows)]
    first, _ = k.group_equal(rows[0])
    kept = k.take(rows, first, axis=1)
    result: Any = assemble(take(y, kept[0]), Coordinates(kept, y._data.shape, True))
    return result if out is None else write_out(out, result, "hspmm")


def smm(input: Tensor, mat: Tensor) -> Tensor:
    """The product of a sparse and a dense matrix, sparse itself."""
    ranks("smm", ("self", input, 2), ("mat", mat, 2))
    y = matmul(input, mat)
    rows = pattern_of(input).coordinates().indices[0]
    k = kernels_of[type(rows)]
    first, _ = k.group_equal(rows)
    kept, n = k.take(rows, first), y._data.shape[1]
    indices = k.stack([k.repeat(kept, n), k.tile(k.arange(n, dtype="int64"), kept.shape[0])], axis=0)
    where = Coordinates(indices, y._data.shape, True)
    return assemble(take(y.reshape(-1), where.flat()), where)


def sspaddmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Tensor:
    """``beta * input + alpha * smm(mat1, mat2)``, sparse."""
    result: Any = add_op(mul(input, beta), mul(smm(mat1, mat2), alpha))
    return result if out is None else write_out(out, result, "sspaddmm")


def sampled_addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1.0, alpha: Any = 1.0, out: Any = None
) -> Tensor:
    """``beta * input + alpha * (mat1 @ mat2)`` at the places that ``input`` stores only.

    Args:
        input: (n, m), sparse.
        mat1: (n, k), dense.
        mat2: (k, m), dense.
        beta: multiplies ``input``.
        alpha: multiplies the product.
        out: a tensor to write the result to.

    Returns:
        The layout and pattern of ``input``.
    """
    if not is_sparse(input) or is_sparse(mat1) or is_sparse(mat2):
        raise ArgumentError("sampled_addmm: Expected self to have sparse csr layout, and mat1 and mat2 strided")
    ranks("sampled_addmm", ("mat1", mat1, 2), ("mat2", mat2, 2))
    check_pair("sampled_addmm", mat1, mat2)
    n, m = mat1._data.shape[0], mat2._data.shape[1]
    if mat1._data.shape[1] != mat2._data.shape[0]:
        raise ShapeError(
            f"sampled_addmm: mat1 and mat2 shapes cannot be multiplied ({n}x{mat1._data.shape[1]} and "
            f"{mat2._data.shape[0]}x{m})"
        )
    if input._data.shape != (n, m):
        raise ShapeError(f"sampled_addmm: self.shape {list(input._data.shape)} must be [{n}, {m}]")
    pattern = pattern_of(input)
    found = mul(sampled(mat1, mat2, pattern), alpha)
    if beta != 0:
        found = add_op(found, mul(values_of(input), beta))
    result: Any = assemble(found, pattern)
    return result if out is None else write_out(out, result, "sampled_addmm")


def sum(input: Tensor, dim: Any = None, dtype: Any = None) -> Tensor:
    """The sum over all dimensions, or over some: sparse while a sparse dimension is left, with a sparse gradient.

    Example:
        >>> import wengert as wg
        >>> s = wg.sparse_coo_tensor([[0, 1], [2, 2]], [3.0, 4.0], (2, 3))
        >>> wg.sparse.sum(s, 0).to_dense()
        tensor([0., 0., 7.])
    """
    if not is_sparse(input):
        raise ArgumentError("sparse.sum: expected a sparse tensor; use wengert.sum for dense ones")
    x = input if dtype is None else to(input, to_dtype(dtype))
    if x._data.dtype.kind in "iub" and dtype is None:
        x = to(x, to_dtype("int64"))
    if dim is None:
        values = values_of(x)
        return sum_rule(values, None)
    dims = canonical_dims(dim, x._data.ndim, "sparse.sum")
    return sum_over(x, dims)


# ---------------------------------------------------------------------- softmax of what is stored


def softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """`wengert.softmax` with everything that is not stored counting as minus infinity.

    Args:
        input: sparse, floating point.
        dim: the dimension that sums to 1.
        dtype: convert to this type first.
    """
    return _normalised("softmax", input, dim, dtype)


def log_softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """``log(sparse.softmax(input))`` of what is stored; see `softmax`."""
    return _normalised("log_softmax", input, dim, dtype)


def _normalised(name: str, input: Any, dim: int, dtype: Any) -> Any:
    if not is_sparse(input):
        raise ArgumentError(f"sparse.{name}: expected a sparse tensor; use wengert.{name} for dense ones")
    x = input if dtype is None else to(input, to_dtype(dtype))
    if x._data.dtype.kind not in "fV":
        raise DTypeError(f"sparse.{name}: not implemented for {x.dtype}; pass dtype=")
    layout = layout_of(x).name
    x = coalesced(to_coordinates(x))
    values, where = values_of(x), pattern_of(x)
    d = canonical_dim(dim, len(where.shape), name)
    if d >= where.sparse_dim:
        function = dense_softmax if name == "softmax" else dense_log_softmax
        result = assemble(function(values, d - where.sparse_dim + 1), where)
    else:
        result = assemble(_over_group(name, values, where, d), where)
    return result if layout == "sparse_coo" else to_layout(result, layout)


def _over_group(name: str, values: Any, where: Coordinates, dim: int) -> Any:
    """The softmax among the elements whose coordinates differ in ``dim`` only."""
    rest = [d for d in range(where.sparse_dim) if d != dim]
    k = kernels_of[type(where.indices)]
    first, group = k.group_equal(positions(chosen_rows(where.indices, rest), tuple([where.shape[d] for d in rest])))
    n = first.shape[0]
    x = values._data
    largest = k.full((n, *x.shape[1:]), -float("inf"), dtype=x.dtype)
    at = k.broadcast_to(group.reshape((-1,) + (1,) * (x.ndim - 1)), x.shape)
    k.scatter_extreme_(largest, at, x, 0, True)
    largest = k.where(k.isfinite(largest), largest, k.zeros_like(largest))
    shifted = values - wrap(k.take(largest, group, axis=0))
    sizes = exp(shifted)
    whole = take(total(sizes, group, n), group)
    return sizes / whole if name == "softmax" else shifted - log(whole)


# ---------------------------------------------------------------------- further constructions


def spdiags(diagonals: Tensor, offsets: Tensor, shape: Any, layout: Any = None) -> Tensor:
    """A sparse matrix with the rows of ``diagonals`` along its diagonals.

    Args:
        diagonals: (number of diagonals, length), or (length).
        offsets: which diagonal each row is, int64; positive ones lie above the main one. The element in column ``j`` of
            the matrix is the one in column ``j`` of the row.
        shape: the two sizes of the matrix.
        layout: ``sparse_coo``, ``sparse_csr`` or ``sparse_csc``.

    Raises:
        RuntimeError: sizes or offsets do not fit.
    """
    rows: Any = diagonals.reshape(1, -1) if diagonals._data.ndim == 1 else diagonals
    where: Any = offsets.reshape(1) if offsets._data.ndim == 0 else offsets
    if rows._data.ndim != 2:
        raise ArgumentError("Diagonals must be vector or matrix")
    if where._data.ndim != 1:
        raise ArgumentError("Offsets must be scalar or vector")
    if where._data.dtype.name != "int64":
        raise ArgumentError(f"Offset Tensor must have dtype Long but got {where.dtype}")
    if where._data.shape[0] != rows._data.shape[0]:
        raise ArgumentError(
            f"Number of diagonals ({rows._data.shape[0]}) does not match the number of offsets ({where._data.shape[0]})"
        )
    if len(shape) != 2:
        raise ArgumentError("Output shape must be 2d")
    steps = where.tolist()
    if len(set(steps)) != len(steps):
        raise ArgumentError("Offset tensor contains duplicate values")
    name = "sparse_coo" if layout is None else layout.name
    if name not in ("sparse_coo", "sparse_csr", "sparse_csc"):
        raise ArgumentError(f"Only output layouts (Sparse, SparseCsc, SparseCsr) are supported, got {name}")
    k = kernels_of[type(rows._data)]
    lines, columns, taken = [], [], []
    for i, step in enumerate(steps):
        first, last = max(0, step), min(shape[1], shape[0] + step, rows._data.shape[1])
        across = k.arange(first, max(first, last), dtype="int64")
        columns.append(across)
        lines.append(across - step)
        taken.append(across + i * rows._data.shape[1])
    none = k.zeros((0,), dtype="int64")
    lines, columns, taken = ([*parts, none] for parts in (lines, columns, taken))
    index = k.stack([k.concatenate(lines), k.concatenate(columns)], axis=0)
    result = sparse_coo_tensor(wrap(index), take(rows.reshape(-1), k.concatenate(taken)), tuple(shape))
    return result if name == "sparse_coo" else to_layout(result, name)


def spsolve(input: Tensor, other: Tensor, *, left: bool = True) -> Tensor:
    """The solution ``x`` of ``input @ x = other`` for a square sparse matrix, found by way of a dense one.

    Args:
        input: (n, n), of layout ``sparse_csr``.
        other: (n), dense.
        left: only True.
    """
    from ..ops.linalg_solving import solve

    if not left or not is_sparse(input):
        raise ArgumentError("spsolve: takes a sparse matrix on the left")
    return solve(dense_of(input), other)


def as_sparse_gradcheck(gradcheck: Callable[..., bool]) -> Callable[..., bool]:
    """``gradcheck`` for sparse inputs: the function itself, as `wengert.autograd.gradcheck` takes them."""
    return gradcheck
