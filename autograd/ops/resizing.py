"""Tensors that take other memory or another size in place, and what says which memory a tensor is on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...backends import Device, kernels_of
from ...backends.errors import GraphError, ShapeError
from ...backends.sparse import SparseArray
from ..base import version_of
from ..inplace import check_writable, wrote
from .creation import shape_of
from .dims import packed, sizes_of
from .layout import clone, contiguous_format, data_ptr
from .shape import reshape_rule
from .shape_inplace import change_view
from .strides import as_strided

if TYPE_CHECKING:
    from ..tensor import Tensor


class UntypedStorage:
    """The memory that a tensor is a view of, as bytes."""

    __slots__ = ("_owner",)

    def __init__(self, tensor: Any) -> None:
        x = tensor._data
        self._owner = x if x.base is None or not hasattr(x.base, "nbytes") else x.base

    def nbytes(self) -> int:
        """The number of bytes."""
        return int(self._owner.nbytes)

    def size(self) -> int:
        """The number of bytes."""
        return self.nbytes()

    def __len__(self) -> int:
        return self.nbytes()

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return int(kernels_of[type(self._owner)].address(self._owner)) if self._owner.size else 0

    @property
    def device(self) -> Device:
        """Where the memory is."""
        return kernels_of[type(self._owner)].backend.device_of(self._owner)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UntypedStorage) and self._owner is other._owner

    def __hash__(self) -> int:
        return id(self._owner)


def is_storage(obj: Any) -> bool:
    """Whether ``obj`` is the memory of a tensor."""
    return isinstance(obj, UntypedStorage)


def untyped_storage(input: Tensor) -> UntypedStorage:
    """The memory that the tensor is a view of."""
    return UntypedStorage(input)


def resize_(input: Tensor, *sizes: Any, memory_format: Any = contiguous_format) -> Tensor:
    """Make the tensor of another size: the elements that fit stay, in their order; new ones are uninitialised.

    Raises:
        RuntimeError: it requires grad.
    """
    shape = shape_of("resize_", packed(sizes))
    if input.requires_grad:
        raise GraphError("cannot resize variables that require grad; write to input.detach(), or out of place")
    check_writable(input, "resize_")
    x = input._data
    if x.shape == shape:
        return input
    y = kernels_of[type(x)].empty(shape, dtype=x.dtype)
    n = min(x.size, y.size)
    y.reshape(-1)[:n] = x.reshape(-1)[:n]
    input._data, input._view = y, None
    wrote(input, "resize_")
    return input


def resize_as_(input: Tensor, the_template: Tensor, memory_format: Any = contiguous_format) -> Tensor:
    """`resize_` to the size of another tensor; of a sparse one, to its sparse and dense sizes."""
    if isinstance(input._data, SparseArray):
        return input.resize_as_sparse_(the_template)
    return resize_(input, the_template._data.shape)


def set_(input: Tensor, source: Tensor | None = None) -> Tensor:
    """Take the memory, size and strides of another tensor of the same dtype; without one, be empty.

    Raises:
        RuntimeError: the dtypes differ, or the tensor requires grad.
    """
    if input.requires_grad:
        raise GraphError("set_() on a tensor that requires grad has no gradient; use input.data = source")
    x = input._data
    if source is None:
        input._data, input._ver = kernels_of[type(x)].empty((0,), dtype=x.dtype), None
    else:
        if source._data.dtype != x.dtype:
            raise ShapeError(f"set_(): could not set tensor of type {source.dtype} to a tensor of type {input.dtype}")
        input._data, input._ver = source._data[...], version_of(source)
    input._view = None
    return input


def is_set_to(input: Tensor, tensor: Tensor) -> bool:
    """Whether both tensors are the same view of the same memory."""
    x, y = input._data, tensor._data
    return data_ptr(input) == data_ptr(tensor) and (x.shape, x.strides) == (y.shape, y.strides)


def as_strided_(input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None) -> Tensor:
    """`as_strided` in place."""
    return change_view(input, "as_strided_", lambda x: as_strided(x, size, stride, storage_offset))


def as_strided_scatter(
    input: Tensor, src: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> Tensor:
    """A copy of ``input`` with ``src`` written to the elements that `as_strided` would give."""
    result = clone(input, memory_format=contiguous_format)
    as_strided(result, size, stride, storage_offset).copy_(src)
    return result


def fill_diagonal_(input: Tensor, fill_value: float, wrap: bool = False) -> Tensor:
    """Write a number to the main diagonal; with ``wrap``, to a tall matrix's next diagonals too.

    Raises:
        RuntimeError: there are fewer than two dimensions, or more that differ in size.
    """
    shape = input._data.shape
    if len(shape) < 2:
        raise ShapeError("fill_diagonal_: dimensions must larger than 1")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise ShapeError("fill_diagonal_: all dimensions of input must be of equal length")
    steps = [s // input._data.itemsize for s in input._data.strides]
    height, width = shape[0], shape[1] if len(shape) == 2 else shape[0]
    count = min(shape)
    positions = [as_strided(input, (count,), (sum(steps),))]
    if wrap and len(shape) == 2 and height > width + 1:
        for start in range(width + 1, height, width + 1):
            part = input[start:]
            positions.append(as_strided(part, (min(part._data.shape),), (sum(steps),)))
    for diagonal in positions:
        diagonal.fill_(fill_value)
    return input


def sum_to_size(input: Tensor, *size: Any) -> Tensor:
    """Summed to a shape that broadcasts to the tensor's.

    Raises:
        RuntimeError: it does not.
    """
    from .reduction import sum_to

    shape, own = sizes_of("sum_to_size", packed(size)), input._data.shape
    tail = own[len(own) - len(shape) :] if len(shape) <= len(own) else None
    if tail is None or any(n not in (1, m) for n, m in zip(shape, tail, strict=True)):
        raise ShapeError(f"size {list(shape)} is not expandable to size {list(own)}.")
    if input._data.dtype.kind in "iub" and (shape != own or not shape):  # as `sum`
        input = input.long()
    return input if shape == own else sum_to(input, shape)


def apply_(input: Tensor, callable: Any) -> Tensor:
    """Replace every element by what a Python function makes of it; slow, on the CPU only.

    Raises:
        TypeError: the tensor is on another device.
    """
    return map_(input, None, callable)


def map_(input: Tensor, tensor: Tensor | None, callable: Any) -> Tensor:
    """Replace every element by ``callable(element, other)``, with the elements of ``tensor``; slow, on the CPU only.

    Raises:
        TypeError: a tensor is on another device. RuntimeError: the tensor requires grad.
    """
    if input.device.type != "cpu":
        raise TypeError("apply_ and map_ are only implemented on CPU tensors")
    if input.requires_grad:
        name = "apply_" if tensor is None else "map_"
        raise GraphError(f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead.")
    from .data import tensor as make

    rows = [input.tolist()] if not input._data.ndim else reshape_rule(input, (-1,)).tolist()
    if tensor is None:
        values = [callable(v) for v in rows]
    else:
        others = reshape_rule(tensor.expand_as(input), (-1,)).tolist()
        values = [callable(v, w) for v, w in zip(rows, others, strict=True)]
    return input.copy_(make(values, dtype=input.dtype).reshape(input._data.shape))
