"""Sparse tensors from indices and values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...backends import kernels_of, to_dtype
from ...backends.errors import ArgumentError, DTypeError, ShapeError
from ...backends.sparse import Compressed, Coordinates, SparseArray
from ...backends.sparse.compressed import COMPRESSED
from ..base import TensorBase, version_of, wrap
from ..ops.conversion import to
from ..ops.creation import dtype_of, make
from ..ops.data import as_tensor, tensor
from ..ops.dims import sizes_of
from ..ops.layout import Layout
from ..primitive import apply
from .core import Assemble
from .invariants import check_compressed, check_coordinates, checking

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "sparse_bsc",
    "sparse_bsc_tensor",
    "sparse_bsr",
    "sparse_bsr_tensor",
    "sparse_compressed_tensor",
    "sparse_coo",
    "sparse_coo_tensor",
    "sparse_csc",
    "sparse_csc_tensor",
    "sparse_csr",
    "sparse_csr_tensor",
]

sparse_coo, sparse_csr, sparse_csc = Layout("sparse_coo"), Layout("sparse_csr"), Layout("sparse_csc")
sparse_bsr, sparse_bsc = Layout("sparse_bsr"), Layout("sparse_bsc")


def sparse_coo_tensor(
    *args: Any,
    indices: Any = None,
    values: Any = None,
    size: Any = None,
    dtype: Any = None,
    device: Any = None,
    layout: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
    is_coalesced: bool | None = None,
) -> Tensor:
    """A sparse tensor by coordinates; values at equal coordinates are meant to be added.

    Args:
        args: ``indices, values`` and perhaps ``size``, or ``size`` alone for a tensor without elements.
        indices: (sparse dimensions, number of elements): the coordinates of each element as a column.
        values: (number of elements, *sizes of the dense dimensions). Gradients flow back to it.
        size: the sizes of the whole; the smallest that hold everything unless told.
        dtype: the values' type.
        device: where to put it.
        layout: ``wengert.sparse_coo``.
        pin_memory: for PyTorch's sake.
        requires_grad: whether gradients are wanted.
        check_invariants: look for coordinates out of range (also, for each program, by
            ``wengert.sparse.check_sparse_tensor_invariants``).
        is_coalesced: the caller knows whether the coordinates are in order and different.

    Returns:
        A tensor of layout ``wengert.sparse_coo``.

    Raises:
        RuntimeError: the numbers of coordinates and values differ, or the sizes do not hold them.

    Example:
        >>> import wengert as wg
        >>> wg.sparse_coo_tensor([[0, 1], [2, 0]], [3.0, 4.0], (2, 3)).to_dense()
        tensor([[0., 0., 3.],
                [4., 0., 0.]])
    """
    indices, values, size = _arguments("sparse_coo_tensor", args, indices, values, size)
    _check_layout("sparse_coo_tensor", layout, sparse_coo)
    if indices is None:
        return _nothing(size, dtype, device).requires_grad_(requires_grad)
    values = _values("sparse_coo_tensor", values, dtype, device)
    index = _index(indices, values)
    if index.ndim != 2:
        raise ShapeError(f"indices must be sparse_dim x nnz, but got: {list(index.shape)}")
    if values._data.ndim == 0:
        values = values.reshape(1)
    if values._data.ndim == 0 or index.shape[1] != values._data.shape[0]:
        given = values._data.shape[0] if values._data.ndim else 1
        raise ShapeError(
            f"indices and values must have same nnz, but got nnz from indices: {index.shape[1]}, nnz from values: "
            f"{given}"
        )
    shape = _size_of(index, values._data) if size is None else sizes_of("sparse_coo_tensor", size)
    check_coordinates(index, values._data, shape, checking(check_invariants))
    if math.prod(shape) >= 2**63:
        raise ShapeError(f"numel: integer multiplication overflow: {list(shape)} are too many elements")
    shared = isinstance(indices, TensorBase) and indices._data is index
    pattern = Coordinates(index, tuple(shape), bool(is_coalesced), version_of(indices) if shared else None)
    if is_coalesced and checking(check_invariants) and _out_of_order(pattern):
        raise ArgumentError("cannot set is_coalesced to true if indices correspond to uncoalesced COO tensor")
    return _leaf(apply(Assemble, values, pattern=pattern), values, requires_grad)


def _out_of_order(pattern: Coordinates) -> bool:
    flat = pattern.flat()
    return bool((flat[1:] <= flat[:-1]).any())


def _leaf(made: Any, values: Any, requires_grad: bool) -> Any:
    if requires_grad and made._edge is None:
        made.requires_grad_()
    return made


def _arguments(op: str, args: tuple[Any, ...], indices: Any, values: Any, size: Any) -> tuple[Any, Any, Any]:
    if len(args) == 1 and indices is None and values is None:
        return None, None, args[0]
    rest = list(args)
    if rest:
        indices = rest.pop(0)
    if rest:
        values = rest.pop(0)
    if rest:
        size = rest.pop(0)
    if rest or (indices is None) != (values is None) or (indices is None and size is None):
        raise TypeError(f"{op}() received an invalid combination of arguments: it takes indices, values and size")
    return indices, values, size


def _check_layout(op: str, layout: Any, wanted: Layout) -> None:
    if layout is not None and getattr(layout, "name", None) != wanted.name:
        raise ArgumentError(f"{op}: expected layout {wanted!r}, but got {layout!r}")


def _values(op: str, values: Any, dtype: Any, device: Any) -> Any:
    if isinstance(values, TensorBase):
        wanted: Any = values
        if device is not None:
            wanted = to(wanted, device)
        return wanted if dtype is None else to(wanted, to_dtype(dtype))
    return tensor(values, dtype=dtype, device=device)


def _index(indices: Any, values: Any, keep: bool = False) -> Any:
    """The array of indices, integers, where the values are."""
    given: Any = indices if isinstance(indices, TensorBase) else as_tensor(indices)
    array = to(given, values.device)._data
    k = kernels_of[type(array)]
    if array.dtype.kind not in "iu":
        if array.size and array.dtype.kind not in "fb":
            raise DTypeError(f"indices must be integers, not {given.dtype}")
        array = k.astype(array, "int64")
    return array if keep or array.dtype.name == "int64" else k.astype(array, "int64")


def _size_of(index: Any, values: Any) -> tuple[int, ...]:
    """The smallest sizes that hold all elements."""
    if index.shape[0] and not index.shape[1]:
        outer = [0] * index.shape[0]
    else:
        least = index.min(axis=1).tolist() if index.shape[0] else []
        for d, n in enumerate(least):
            if n < 0:
                raise ArgumentError(f"found negative index {n} for dim {d}")
        outer = [n + 1 for n in index.max(axis=1).tolist()] if index.shape[0] else []
    return (*outer, *values.shape[1:])


def _nothing(size: Any, dtype: Any, device: Any) -> Any:
    shape = tuple(sizes_of("sparse_coo_tensor", size))
    if any(n < 0 for n in shape):
        raise ShapeError(f"sparse_coo_tensor: Trying to create tensor with negative dimension: {list(shape)}")
    index = make("zeros", device, (len(shape), 0), dtype="int64")
    values = wrap(make("zeros", device, (0,), dtype=dtype_of(dtype)))
    return apply(Assemble, values, pattern=Coordinates(index, shape, True))


def empty_of_layout(layout: Any, shape: tuple[int, ...], dtype: Any, device: Any, like: Any = None) -> Any:
    """Nothing stored, in any sparse layout; with the same numbers of dimensions as the pattern ``like``, if given."""
    name = getattr(layout, "name", None)
    if name not in ("sparse_coo", *COMPRESSED):
        raise ArgumentError(f"unknown layout {layout!r}: it must be wengert.strided or a sparse one")
    block = getattr(like, "block", (1, 1))
    if like is not None and like.layout == name:
        pattern = like.emptied()
    elif name == "sparse_coo":
        n = len(shape) - (like.dense_dim if isinstance(like, Compressed) else 0)
        pattern = Coordinates(make("zeros", device, (n, 0), dtype="int64"), shape, True)
    else:
        blocked = name in ("sparse_bsr", "sparse_bsc")
        if len(shape) < 2 or (blocked and block == (1, 1)):
            raise ArgumentError(f"a tensor of layout {name} and shape {list(shape)} needs a pattern to be made from")
        block = block if blocked else (1, 1)
        b = len(getattr(like, "batch", shape[:-2]))
        lines = shape[b] // block[0] if name in ("sparse_csr", "sparse_bsr") else shape[b + 1] // block[1]
        starts = make("zeros", device, (*shape[:b], lines + 1), dtype="int64")
        others = make("zeros", device, (*shape[:b], 0), dtype="int64")
        pattern = Compressed(name, starts, others, shape, block)
    values = wrap(make("zeros", device, pattern.values_shape(), dtype=dtype))
    return apply(Assemble, values, pattern=pattern)


def unpacked(layout: str, arrays: Any, shape: Any, rest: Any) -> SparseArray:
    """The sparse array of what `SparseArray.packed` gave."""
    *index, values = arrays
    shape = tuple(shape)
    if layout == "sparse_coo":
        return SparseArray(Coordinates(index[0], shape, rest), values)
    return SparseArray(Compressed(layout, index[0], index[1], shape, tuple(rest)), values)


# ---------------------------------------------------------------------- compressed


def _compressed(op: str, layout: Any, starts: Any, others: Any, values: Any, size: Any, options: dict[str, Any]) -> Any:
    device, dtype, requires_grad = options.get("device"), options.get("dtype"), options.get("requires_grad", False)
    unknown = set(options) - {"device", "dtype", "requires_grad", "pin_memory", "check_invariants", "layout"}
    if unknown:
        raise TypeError(f"{op}() got an unexpected keyword argument {unknown.pop()!r}")
    values = _values(op, values, dtype, device)
    first, second = (_index(v, values, keep=True) for v in (starts, others))
    for name, array in (("compressed", first), ("plain", second)):
        if array.dtype.name not in ("int32", "int64"):
            raise DTypeError(f"{op}: {name}_indices must be int32 or int64, not {array.dtype.name}")
    data = values._data
    blocked = layout.name in ("sparse_bsr", "sparse_bsc")
    if not first.ndim or not second.ndim or data.ndim < second.ndim + 2 * blocked:
        raise ShapeError(
            f"{op}: compressed_indices, plain_indices and values must have at least 1 dimension (values of blocks 3), "
            f"but have {first.ndim}, {second.ndim} and {data.ndim}"
        )
    b = first.ndim - 1
    block = tuple(data.shape[b + 1 : b + 3]) if blocked else (1, 1)
    shape = _compressed_size(layout.name, first, second, data, block) if size is None else tuple(sizes_of(op, size))
    pattern = Compressed(layout.name, first, second, shape, block)
    if checking(options.get("check_invariants")):
        check_compressed(pattern, data)
    return _leaf(apply(Assemble, values, pattern=pattern), values, requires_grad)


def _compressed_size(layout: str, first: Any, second: Any, data: Any, block: Any) -> tuple[int, ...]:
    by_rows, blocked = layout in ("sparse_csr", "sparse_bsr"), layout in ("sparse_bsr", "sparse_bsc")
    lines = first.shape[-1] - 1
    across = int(second.max()) + 1 if second.size else 0
    rows, columns = (lines, across) if by_rows else (across, lines)
    b = first.ndim - 1
    dense = data.shape[b + 1 + 2 * blocked :]
    return (*first.shape[:-1], rows * block[0], columns * block[1], *dense)


def sparse_compressed_tensor(
    compressed_indices: Any, plain_indices: Any, values: Any, size: Any = None, *, layout: Any = None, **options: Any
) -> Tensor:
    """A sparse matrix (or a batch of them) in compressed rows or columns, of elements or blocks.

    Args:
        compressed_indices: (*batch, lines + 1): where each row (column) begins, and where the last one ends.
        plain_indices: (*batch, nnz): the column (row) of each element.
        values: (*batch, nnz, *block, *dense). Gradients flow back to it.
        size: the sizes of the whole; the smallest that hold everything unless told.
        layout: ``wengert.sparse_csr``, ``sparse_csc``, ``sparse_bsr`` or ``sparse_bsc``.
        options: ``dtype``, ``device``, ``requires_grad``, ``pin_memory``, ``check_invariants``, as for
            `sparse_coo_tensor`.

    Raises:
        RuntimeError: the layout is none of these; with ``check_invariants``, the indices are not as they should be.
    """
    name = getattr(layout, "name", None)
    if name not in ("sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc"):
        raise ArgumentError(
            "sparse_compressed_tensor expected sparse compressed tensor layout but got "
            f"{'none' if layout is None else layout}"
        )
    return _compressed("sparse_compressed_tensor", layout, compressed_indices, plain_indices, values, size, options)


def sparse_csr_tensor(crow_indices: Any, col_indices: Any, values: Any, size: Any = None, **options: Any) -> Tensor:
    """A matrix in compressed rows; see `sparse_compressed_tensor`.

    Example:
        >>> import wengert as wg
        >>> wg.sparse_csr_tensor([0, 1, 2], [1, 0], [5.0, 6.0]).to_dense()
        tensor([[0., 5.],
                [6., 0.]])
    """
    _check_layout("sparse_csr_tensor", options.pop("layout", None), sparse_csr)
    return _compressed("sparse_csr_tensor", sparse_csr, crow_indices, col_indices, values, size, options)


def sparse_csc_tensor(ccol_indices: Any, row_indices: Any, values: Any, size: Any = None, **options: Any) -> Tensor:
    """A matrix in compressed columns; see `sparse_compressed_tensor`."""
    _check_layout("sparse_csc_tensor", options.pop("layout", None), sparse_csc)
    return _compressed("sparse_csc_tensor", sparse_csc, ccol_indices, row_indices, values, size, options)


def sparse_bsr_tensor(crow_indices: Any, col_indices: Any, values: Any, size: Any = None, **options: Any) -> Tensor:
    """A matrix in compressed rows of blocks; see `sparse_compressed_tensor`."""
    _check_layout("sparse_bsr_tensor", options.pop("layout", None), sparse_bsr)
    return _compressed("sparse_bsr_tensor", sparse_bsr, crow_indices, col_indices, values, size, options)


def sparse_bsc_tensor(ccol_indices: Any, row_indices: Any, values: Any, size: Any = None, **options: Any) -> Tensor:
    """A matrix in compressed columns of blocks; see `sparse_compressed_tensor`."""
    _check_layout("sparse_bsc_tensor", options.pop("layout", None), sparse_bsc)
    return _compressed("sparse_bsc_tensor", sparse_bsc, ccol_indices, row_indices, values, size, options)
