"""Tensors that take other memory or another size in place, and what says which memory a tensor is on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...backends import dtypes, kernels_of
from ...backends.errors import GraphError, ShapeError
from ...backends.sparse import SparseArray
from ..base import TensorBase, version_of, wrap
from ..grad_mode import mode
from ..inplace import wrote
from ..write_checks import check_writable
from .creation import shape_of
from .dims import packed, sizes_of
from .layout import (
    clone,
    contiguous_format,
    contiguous_strides,
    data_ptr,
    preserve_format,
    storage_offset,
    suggested_format,
)
from .shape import reshape_rule
from .shape_inplace import change_view
from .storage import TypedStorage, UntypedStorage
from .strides import as_strided

if TYPE_CHECKING:
    from ..tensor import Tensor


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
    if x.shape == shape and memory_format is contiguous_format:
        return input
    if isinstance(x, SparseArray):
        from ..sparse.methods import resize_compressed_

        return resize_compressed_(input, shape)
    k = kernels_of[type(x)]
    memory = k.memory(x)
    memory = memory[: memory.size // x.itemsize * x.itemsize].view(x.dtype)
    start = storage_offset(input)
    if math.prod(shape) * x.itemsize >= 2**63:
        raise ShapeError(f"resize_: Storage size calculation overflowed with sizes={list(shape)}")
    if start + math.prod(shape) > memory.size:  # of the elements that fit, all stay
        larger = k.empty((start + math.prod(shape),), dtype=x.dtype)
        larger[: memory.size] = memory
        memory = larger
    if memory_format.order is not None and len(shape) != memory_format.ndim:
        raise ShapeError(f"required rank {memory_format.ndim} tensor to use {memory_format.name} format")
    input._data = k.strided(memory, shape, contiguous_strides(shape, memory_format.order), start)
    input._view = None
    wrote(input, "resize_")
    return input


def resize_as_(input: Tensor, the_template: Tensor, memory_format: Any = contiguous_format) -> Tensor:
    """`resize_` to the size of another tensor; of a sparse one, to its sparse and dense sizes."""
    if isinstance(input._data, SparseArray):
        return input.resize_as_sparse_(the_template)
    if memory_format is preserve_format:
        memory_format = suggested_format(the_template)
    return resize_(input, the_template._data.shape, memory_format=memory_format)


def set_(input: Tensor, source: Any = None, storage_offset: int = 0, size: Any = None, stride: Any = None) -> Tensor:
    """Take other memory.

    Args:
        input: any tensor.
        source: a Tensor of the same dtype, whose size and strides come with its memory unless told; a storage, for a
            1-d tensor of all of it unless told; without one, the tensor becomes empty.
        storage_offset: how many elements after the beginning of the memory it starts.
        size: the sizes.
        stride: the strides, in elements; as of a contiguous tensor unless told.

    Raises:
        RuntimeError: the dtypes differ, or the tensor requires grad and operations are recorded.
    """
    if input.requires_grad and mode.grad:
        raise GraphError("set_() on a tensor that requires grad has no gradient; do it under no_grad()")
    x = input._data
    if source is None:
        input._data, input._ver = kernels_of[type(x)].empty((0,), dtype=x.dtype), None
    elif isinstance(source, TensorBase):
        if source._data.dtype != x.dtype:
            raise ShapeError(
                f"set_(): could not set tensor of type {source.dtype} to a tensor of type {input.dtype}"  # type: ignore[attr-defined]
            )
        input._data, input._ver = source._data[...], version_of(source)
        if size is not None:
            input._data = as_strided(input, size, _steps(size, stride), storage_offset)._data
    else:
        input._data, input._ver = _of_storage(x, source, storage_offset, size, stride), None
    input._view = None
    return input


def _steps(size: Any, stride: Any) -> Any:
    return contiguous_strides(tuple(size)) if stride is None else stride


def _of_storage(x: Any, source: Any, offset: int, size: Any, stride: Any) -> Any:
    """An array like ``x`` on the memory of a storage."""
    if isinstance(source, TypedStorage):
        if source._array.dtype != x.dtype:
            raise ShapeError(
                f"Expected a Storage of type {dtypes.FROM_NUMPY[x.dtype]} or an UntypedStorage, but got type "
                f"{source.dtype} for argument 1 'storage'"
            )
        memory = source._array
    elif isinstance(source, UntypedStorage):
        memory = source._array[: source.nbytes() // x.itemsize * x.itemsize].view(x.dtype)
    else:
        raise TypeError(f"set_() takes a Tensor or a storage, not {type(source).__name__}")
    if size is None:
        return memory[offset:]
    whole: Any = wrap(memory)
    return as_strided(whole, size, _steps(size, stride), offset)._data


def is_set_to(input: Tensor, tensor: Tensor) -> bool:
    """Whether both tensors are the same view of the same memory."""
    x, y = input._data, tensor._data
    if (x.shape, x.strides) != (y.shape, y.strides):
        return False
    if not x.size:  # empty memory has no address
        return (x if x.base is None else x.base) is (y if y.base is None else y.base)
    return data_ptr(input) == data_ptr(tensor)


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
    if input.requires_grad or (tensor is not None and tensor.requires_grad):
        name = "apply_" if tensor is None else "map_"
        raise GraphError(f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead.")
    from .data import tensor as make

    rows = [input.tolist()] if not input._data.ndim else reshape_rule(input, (-1,)).tolist()
    if tensor is None:
        values = [callable(v) for v in rows]
    else:
        others = reshape_rule(tensor.expand_as(input), (-1,)).tolist()
        values = [callable(v, w) for v, w in zip(rows, others, strict=True)]
    for value in values:
        if isinstance(value, str | bytes):
            raise TypeError(f"apply_ and map_ need functions that give numbers, not {type(value).__name__}")
    return input.copy_(make(values, dtype=input.dtype).reshape(input._data.shape))
