"""What a tensor is asked about its layout, and how it is converted to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import kernels_of, to_dtype
from ...backends.errors import ArgumentError, GraphError, ShapeError
from ...backends.sparse import Compressed, Coordinates
from ..base import TensorBase, wrap
from ..inplace import inplace, wrote
from ..ops.conversion import to
from ..ops.dims import sizes_of
from ..ops.layout import Layout, strided
from ..primitive import apply
from ..write_checks import check_writable
from . import creation
from .convert import to_coordinates, to_layout
from .core import (
    Assemble,
    ToDenseUnmasked,
    assemble,
    coalesced,
    dense_of,
    is_sparse,
    layout_text,
    need,
    pattern_of,
    values_at,
    values_of,
)
from .dispatch import unsupported

if TYPE_CHECKING:
    from ..tensor import Tensor

LAYOUTS = {
    name: getattr(creation, name) for name in ("sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc")
}
COORDINATES = "sparse coordinate"


def layout_of(input: Any) -> Layout:
    """The layout of a Tensor."""
    return LAYOUTS[pattern_of(input).layout] if is_sparse(input) else strided


def has_coordinates(input: Any) -> bool:
    """``x.is_sparse``: whether the layout is ``wengert.sparse_coo``."""
    return is_sparse(input) and pattern_of(input).layout == "sparse_coo"


def has_rows(input: Any) -> bool:
    """``x.is_sparse_csr``: whether the layout is ``wengert.sparse_csr``."""
    return is_sparse(input) and pattern_of(input).layout == "sparse_csr"


# ---------------------------------------------------------------------- parts


def _inner(array: Any) -> Tensor:
    made: Tensor = wrap(array[...])
    return made


def _indices(input: Tensor) -> Tensor:
    """The coordinates of the stored elements, coalesced or not."""
    return _inner(need("_indices", input, "sparse_coo", what=COORDINATES).indices)


def _values(input: Tensor) -> Tensor:
    """The stored values, coalesced or not, outside the graph."""
    if not is_sparse(input):
        unsupported("_values")
    return _inner(input._data.values)


def indices(input: Tensor) -> Tensor:
    """The coordinates of the stored elements, (sparse_dim, nnz), of a coalesced tensor.

    Raises:
        RuntimeError: the tensor is not of layout ``sparse_coo``, or not coalesced.
    """
    pattern = need("indices", input, "sparse_coo", what=COORDINATES)
    if not pattern.coalesced:
        raise ArgumentError("Cannot get indices on an uncoalesced tensor, please call .coalesce() first")
    return _inner(pattern.indices)


def values(input: Tensor) -> Tensor:
    """The stored values, (nnz, *dense sizes) of a coalesced tensor; gradients flow back through them.

    Raises:
        RuntimeError: the tensor is dense, or not coalesced.
    """
    pattern = need("values", input, *LAYOUTS, what="sparse")
    if not pattern.coalesced:
        raise ArgumentError("Cannot get values on an uncoalesced tensor, please call .coalesce() first")
    return values_of(input)


def _nnz(input: Tensor) -> int:
    """How many elements are stored (in each matrix of a batch)."""
    if not is_sparse(input):
        unsupported("_nnz")
    return int(pattern_of(input).nnz)


def crow_indices(input: Tensor) -> Tensor:
    """Where the rows of a tensor in compressed rows begin."""
    what = "sparse row compressed"
    return _inner(need("crow_indices", input, "sparse_csr", "sparse_bsr", what=what).starts)


def col_indices(input: Tensor) -> Tensor:
    """The columns of the elements of a tensor in compressed rows."""
    return _inner(need("col_indices", input, "sparse_csr", "sparse_bsr", what="sparse row compressed").others)


def ccol_indices(input: Tensor) -> Tensor:
    """Where the columns of a tensor in compressed columns begin."""
    what = "sparse column compressed"
    return _inner(need("ccol_indices", input, "sparse_csc", "sparse_bsc", what=what).starts)


def row_indices(input: Tensor) -> Tensor:
    """The rows of the elements of a tensor in compressed columns."""
    return _inner(need("row_indices", input, "sparse_csc", "sparse_bsc", what="sparse column compressed").others)


def sparse_dim(input: Tensor) -> int:
    """How many dimensions are sparse; 0 for a dense tensor."""
    return int(pattern_of(input).sparse_dim) if is_sparse(input) else 0


def dense_dim(input: Tensor) -> int:
    """How many dimensions each stored element has; all of them for a dense tensor."""
    return int(pattern_of(input).dense_dim) if is_sparse(input) else input._data.ndim


def is_coalesced(input: Tensor) -> bool:
    """Whether the elements are known to be in order and at different places."""
    return bool(need("is_coalesced", input, "sparse_coo", what="sparse coordinate").coalesced)


def _coalesced_(input: Tensor, coalesced: bool) -> Tensor:
    """Declare the elements to be in order and at different places, or not, in place."""
    pattern = need("_coalesced_", input, "sparse_coo", what=COORDINATES)
    input._data.pattern = Coordinates(pattern.indices, pattern.shape)
    input._data.pattern.coalesced = bool(coalesced)
    return input


def coalesce(input: Tensor) -> Tensor:
    """The elements in order, those at equal places added; ``input`` itself if it is so.

    Example:
        >>> import wengert as wg
        >>> s = wg.sparse_coo_tensor([[1, 0, 1]], [1.0, 2.0, 3.0], (2,))
        >>> s.coalesce().values()
        tensor([2., 4.])
    """
    need("coalesce", input, "sparse_coo", what=COORDINATES)
    result: Tensor = coalesced(input)
    return result


# ---------------------------------------------------------------------- other layouts


def to_dense(input: Tensor, dtype: Any = None, *, masked_grad: bool | None = None) -> Tensor:
    """All elements; a dense tensor as it is.

    Args:
        input: any layout.
        dtype: convert to this type.
        masked_grad: with False, the gradient keeps what arrives at places that are not stored.
    """
    result = dense_of(input)
    if masked_grad is False and is_sparse(input):
        result = apply(ToDenseUnmasked, input)
    if dtype is not None:
        result = to(result, to_dtype(dtype))
    return result


def to_sparse(
    input: Tensor, sparse_dim: Any = None, *, layout: Any = None, blocksize: Any = None, dense_dim: int | None = None
) -> Tensor:
    """The tensor in a sparse layout: of the elements that are not 0.

    Args:
        input: any layout.
        sparse_dim: by coordinates, how many of the first dimensions are to be sparse; all unless told.
        layout: ``sparse_coo`` unless told.
        blocksize: for layouts of blocks, their two sizes.
        dense_dim: for compressed layouts, how many of the last dimensions are to be dense.

    Example:
        >>> import wengert as wg
        >>> wg.tensor([[0.0, 5.0], [0.0, 0.0]]).to_sparse().indices()
        tensor([[0],
                [1]])
    """
    if isinstance(sparse_dim, Layout):
        sparse_dim, layout = None, sparse_dim
    name = "sparse_coo" if layout is None else getattr(layout, "name", str(layout))
    if sparse_dim is not None and (name != "sparse_coo" or blocksize is not None or dense_dim is not None):
        raise ArgumentError("to_sparse: sparse_dim is for layout sparse_coo only, without blocksize and dense_dim")
    if sparse_dim is not None:
        if is_sparse(input):
            if pattern_of(input).sparse_dim != sparse_dim:
                raise ArgumentError(
                    f"to_sparse: conversion from {layout_text(input)} to Sparse with sparse_dim argument "
                    "!=self.sparse_dim() is not supported"
                )
            return input
        return to_coordinates(input, int(sparse_dim))
    if name == "sparse_coo" and not is_sparse(input) and dense_dim:
        return to_coordinates(input, input._data.ndim - dense_dim)
    if name == "strided":
        raise ArgumentError("to_sparse: conversion from Strided to Strided is not supported")
    return to_layout(input, name, blocksize, dense_dim or 0)


def to_sparse_coo(input: Tensor) -> Tensor:
    """The tensor by coordinates; see `to_sparse`."""
    return to_sparse(input)


def to_sparse_csr(input: Tensor, dense_dim: int | None = None) -> Tensor:
    """The matrix in compressed rows; see `to_sparse`."""
    return to_layout(input, "sparse_csr", None, dense_dim or 0)


def to_sparse_csc(input: Tensor, dense_dim: int | None = None) -> Tensor:
    """The matrix in compressed columns; see `to_sparse`."""
    return to_layout(input, "sparse_csc", None, dense_dim or 0)


def to_sparse_bsr(input: Tensor, blocksize: Any, dense_dim: int | None = None) -> Tensor:
    """The matrix in compressed rows of blocks; see `to_sparse`."""
    return to_layout(input, "sparse_bsr", blocksize, dense_dim or 0)


def to_sparse_bsc(input: Tensor, blocksize: Any, dense_dim: int | None = None) -> Tensor:
    """The matrix in compressed columns of blocks; see `to_sparse`."""
    return to_layout(input, "sparse_bsc", blocksize, dense_dim or 0)


def sparse_mask(input: Tensor, mask: Tensor) -> Tensor:
    """The elements of ``input``, dense or sparse, at the places that ``mask`` stores.

    Args:
        input: any layout.
        mask: a sparse tensor of the same shape; its values do not matter.

    Raises:
        RuntimeError: the shapes differ, or ``mask`` is dense.
    """
    if not isinstance(mask, TensorBase) or not is_sparse(mask):
        raise ArgumentError("sparse_mask: mask must be a sparse tensor; use * or where() with dense ones")
    if input._data.shape != mask._data.shape:
        raise ShapeError(
            f"sparse_mask(): operands have incompatible sizes; self has size {list(input._data.shape)} but mask has "
            f"size {list(mask._data.shape)}"
        )
    pattern = pattern_of(mask)
    return assemble(values_at(input, pattern), pattern)


# ---------------------------------------------------------------------- other sizes, in place


def _replace(input: Any, pattern: Any, stored: Any, op: str) -> Any:
    check_writable(input, op)
    if input.requires_grad:
        raise GraphError(f"{op} is not recorded: detach() the tensor first")
    made = Assemble.forward(None, stored, pattern=pattern)
    input._data.pattern, input._data.values = made.pattern, made.values
    wrote(input, op)
    return input


def sparse_resize_and_clear_(input: Tensor, size: Any, sparse_dim: int, dense_dim: int) -> Tensor:
    """Nothing stored, and other sizes, in place."""
    shape = tuple(sizes_of("sparse_resize_and_clear_", size))
    _check_dims(shape, sparse_dim, dense_dim)
    need("sparse_resize_and_clear_", input, "sparse_coo", what=COORDINATES)
    stored = input._data.values
    k = kernels_of[type(stored)]
    pattern = Coordinates(k.zeros((sparse_dim, 0), dtype="int64"), shape, True)
    return _replace(input, pattern, k.zeros(pattern.values_shape(), dtype=stored.dtype), "sparse_resize_and_clear_")


def _check_dims(shape: tuple[int, ...], sparse: int, dense: int) -> None:
    if sparse + dense != len(shape):
        raise ShapeError(
            f"number of dimensions must be sparse_dim ({sparse}) + dense_dim ({dense}), but got {len(shape)}"
        )


def sparse_resize_(input: Tensor, size: Any, sparse_dim: int, dense_dim: int) -> Tensor:
    """Larger sizes, in place; what is stored stays where it is.

    Raises:
        RuntimeError: elements are stored, and a size shrinks or the numbers of dimensions change.
    """
    shape = tuple(sizes_of("sparse_resize_", size))
    _check_dims(shape, sparse_dim, dense_dim)
    pattern = need("sparse_resize_", input, "sparse_coo", what=COORDINATES)
    if not pattern.nnz:
        return sparse_resize_and_clear_(input, shape, sparse_dim, dense_dim)
    for kind, old, new in (("sparse", pattern.sparse_dim, sparse_dim), ("dense", pattern.dense_dim, dense_dim)):
        if old != new:
            raise ArgumentError(
                f"changing the number of {kind} dimensions (from {old} to {new}) on a non-empty sparse tensor is not "
                "supported: make an empty one, sparse_coo_tensor(size), or take indices and values apart"
            )
    parts = (
        ("sparse", pattern.shape[:sparse_dim], shape[:sparse_dim]),
        ("dense", pattern.shape[sparse_dim:], shape[sparse_dim:]),
    )
    for kind, before, after in parts:
        if any(n < m for n, m in zip(after, before, strict=True)):
            raise ArgumentError(
                f"shrinking the size of {kind} dimensions (from {list(before)} to {list(after)}) on a non-empty sparse "
                "tensor is not supported: make an empty one, sparse_coo_tensor(size), or take indices and values apart"
            )
    stored = input._data.values
    if parts[1][1] != parts[1][2]:
        larger = kernels_of[type(stored)].zeros((pattern.nnz, *shape[sparse_dim:]), dtype=stored.dtype)
        larger[tuple([slice(0, n) for n in stored.shape])] = stored
        stored = larger
    return _replace(input, Coordinates(pattern.indices, shape, pattern.coalesced), stored, "sparse_resize_")


def resize_as_sparse_(input: Tensor, other: Tensor) -> Tensor:
    """`sparse_resize_` to the sizes of ``other``."""
    pattern = need("resize_as_sparse_", other, "sparse_coo", what=COORDINATES)
    return sparse_resize_(input, pattern.shape, pattern.sparse_dim, pattern.dense_dim)


def resize_compressed_(input: Any, shape: tuple[int, ...]) -> Any:
    """``resize_`` of a matrix in compressed rows: more or fewer rows, more columns."""
    pattern = pattern_of(input)
    if pattern.layout != "sparse_csr" or pattern.batch or pattern.dense_dim:
        unsupported("resize_", input)
    if len(shape) != 2:
        raise ShapeError(f"resize_: expected the sizes of a matrix, got {list(shape)}")
    if shape[1] < pattern.shape[1]:
        raise ArgumentError(
            "resize_: Resizing columns of sparse CSR tensors to a smaller value is not supported. "
            f"The original number of columns is {pattern.shape[1]} while the requested new number of columns is "
            f"{shape[1]}."
        )
    k = kernels_of[type(pattern.starts)]
    more = max(0, shape[0] - pattern.shape[0])
    starts = k.concatenate([pattern.starts[: shape[0] + 1], k.repeat(pattern.starts[-1:], more)], axis=0)
    n = int(starts[-1])
    made = Compressed("sparse_csr", starts, pattern.others[:n], shape, (1, 1))
    return _replace(input, made, input._data.values[:n], "resize_")


def sparse_copy_(input: Any, src: Any) -> Any:
    """``input.copy_(src)`` where one of them is sparse."""
    if src is input:
        return input
    if not is_sparse(src) or not is_sparse(input) or layout_of(src) is not layout_of(input):
        raise ArgumentError(
            "copy_() between dense and sparse Tensors is not implemented! Found self type = "
            f"{input.type()} and src type = {src.type()}; convert one, for example with to_dense()"
        )
    if src._data.shape != input._data.shape:
        raise ShapeError(f"copy_: sizes do not match, {list(input._data.shape)} and {list(src._data.shape)}")
    value = to(src, input.device, input.dtype)
    return inplace(input, "copy_", lambda t: value.clone())
