"""New tensors like another one, and new tensors in a given memory order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import assign, kernels_of, to_dtype
from ...backends.batched import BatchedArray
from ...backends.errors import DTypeError, ShapeError, UnsupportedDTypeError
from ...backends.layout import relaid, result_strides
from ...backends.sparse import SparseArray
from ..admission import need_tensors
from .creation import dtype_of, finished, full, make, shape_of
from .dims import sizes_of
from .layout import MemoryFormat, check_rank, contiguous_format, preserve_format, strided
from .scalar import number_for

if TYPE_CHECKING:
    from ..tensor import Tensor


FILLED_WITH = {"zeros": "Zeros", "ones": "Ones", "empty": "Uninitialised elements"}


def _like(kernel: str) -> Any:
    """The function ``zeros_like`` of a factory kernel."""

    def like(
        input: Tensor,
        *,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
        memory_format: MemoryFormat = preserve_format,
    ) -> Tensor:
        need_tensors(kernel + "_like", input=input)
        x = input._data
        d = x.dtype if dtype is None else to_dtype(dtype).dtype
        shape = x.shape
        if layout not in (None, strided) or (layout is None and isinstance(x, SparseArray)):
            return _sparse_like(
                kernel,
                input,
                input.layout if layout is None else layout,
                shape,
                d,
                device,
                requires_grad,
                memory_format,
            )
        if isinstance(x, SparseArray):
            memory_format = contiguous_format
        order = memory_order(x, memory_format)
        if order is not None:
            shape = tuple([shape[i] for i in order])
        array = make(kernel, input.device if device is None else device, shape, dtype=d)
        if order is not None:
            array = array.transpose([order.index(i) for i in range(len(order))])
            if memory_format.order is None:  # dimensions of size 1 too
                array = relaid(kernels_of[type(array)], array, [x])
        return finished(array, requires_grad)

    like.__name__ = like.__qualname__ = kernel + "_like"
    like.__doc__ = (
        f"{FILLED_WITH[kernel]} in the shape, dtype and memory order of ``input``, and on its device, unless told."
    )
    return like


def _new(kernel: str) -> Any:
    """The function ``new_zeros`` of a factory kernel."""

    def new(
        input: Tensor,
        *sizes: Any,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
        size: Any = None,
    ) -> Tensor:
        size = sizes if size is None else size
        d = input._data.dtype if dtype is None else to_dtype(dtype).dtype
        if layout not in (None, strided) or (layout is None and isinstance(input._data, SparseArray)):
            shape = shape_of("new_" + kernel, size)
            return _sparse_like(
                kernel, input, input.layout if layout is None else layout, shape, d, device, requires_grad
            )
        shape = shape_of("new_" + kernel, size)
        if device is None and isinstance(input._data, BatchedArray):  # memory for each example, which may be written
            return finished(getattr(kernels_of[type(input._data)].xp, kernel)(shape, dtype=d), requires_grad)
        array = make(kernel, input.device if device is None else device, shape, dtype=d)
        return finished(array, requires_grad)

    new.__name__ = new.__qualname__ = "new_" + kernel
    new.__doc__ = (
        f"{FILLED_WITH[kernel]} of the given sizes, with the dtype and on the device of ``input``, unless told."
    )
    return new


def _sparse_like(
    kernel: str,
    input: Any,
    layout: Any,
    shape: tuple[int, ...],
    d: Any,
    device: Any,
    requires_grad: bool,
    memory_format: MemoryFormat = preserve_format,
) -> Any:
    if memory_format is not preserve_format:
        raise DTypeError("memory format option is only supported by strided tensors")
    if kernel == "ones":
        raise UnsupportedDTypeError(
            "Could not run 'aten::fill_.Scalar' with arguments from the 'SparseCPU' backend: a tensor of ones has no "
            "zeros to leave out; pass layout=wengert.strided"
        )
    from ..sparse.creation import empty_of_layout

    like = input._data.pattern if isinstance(input._data, SparseArray) else None
    if like is not None and like.shape != shape:
        like = None
    made = empty_of_layout(layout, shape, d, input.device if device is None else device, like)
    return made.requires_grad_() if requires_grad else made


def memory_order(x: Any, memory_format: MemoryFormat) -> tuple[int, ...] | None:
    """Dimensions from the slowest to the fastest, where that is not the usual order; None where it is."""
    if memory_format.order is not None:
        check_rank(x, memory_format)
        return memory_format.order
    if memory_format is contiguous_format or x.flags.c_contiguous or x.ndim < 2 or not x.size:
        return None
    strides = result_strides(x.shape, ((x.shape, tuple([s // x.itemsize for s in x.strides])),))
    return tuple(sorted(range(x.ndim), key=lambda i: (-strides[i], i)))


def in_order_of(array: Any, x: Any, memory_format: MemoryFormat) -> Any:
    """A new array of the shape of ``x`` in the memory order that the format asks for, or that ``x`` has."""
    order = memory_order(x, memory_format)
    if order is None:
        return array
    back = [order.index(i) for i in range(len(order))]
    array = kernels_of[type(array)].compact(array.transpose(order)).transpose(back)
    return array if memory_format.order is not None else relaid(kernels_of[type(array)], array, [x])


zeros_like, ones_like, empty_like = _like("zeros"), _like("ones"), _like("empty")
new_zeros, new_ones, new_empty = _new("zeros"), _new("ones"), _new("empty")


def full_like(input: Tensor, fill_value: Any, **options: Any) -> Tensor:
    """``fill_value`` in the shape and dtype of ``input`` and on its device, unless told; options as `zeros_like`."""
    requires_grad = options.pop("requires_grad", False)
    t: Tensor = empty_like(input, **options)
    assign(t._data, number_for(fill_value, t._data.dtype))
    return t.requires_grad_() if requires_grad else t


def new_full(input: Tensor, size: Any, fill_value: Any, **options: Any) -> Tensor:
    """``fill_value`` in the given sizes, with the dtype and on the device of ``input``, unless told."""
    if isinstance(input._data, BatchedArray) and "device" not in options:
        made = _new("empty")(input, size, **{"dtype": input.dtype, **options})
        return made.detach().fill_(fill_value).requires_grad_(made.requires_grad)
    options.setdefault("dtype", input.dtype)
    options.setdefault("device", input.device)
    return full(size, fill_value, **options)


def empty_strided(
    size: Any, stride: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Uninitialised elements of the given sizes, as far apart as the strides say.

    Raises:
        RuntimeError: there are not as many strides as sizes, or one is negative.
    """
    shape, strides = shape_of("empty_strided", size), sizes_of("empty_strided", stride)
    if len(shape) != len(strides):
        raise ShapeError(
            f"empty_strided: dimensionality of sizes ({len(shape)}) must match dimensionality of strides "
            f"({len(strides)})"
        )
    if any(s < 0 for s in strides):
        raise ShapeError(f"empty_strided: Negative strides are not supported at the moment, got {list(strides)}")
    reach = 1 + sum([(n - 1) * s for n, s in zip(shape, strides, strict=True)]) if 0 not in shape else 0
    memory = make("empty", device, (reach,), dtype=dtype_of(dtype))
    array = kernels_of[type(memory)].strided(memory, shape, strides, 0) if reach else memory.reshape(shape)
    return finished(array, requires_grad)


def empty_permuted(size: Any, physical_layout: Any, *, dtype: Any = None, device: Any = None, **options: Any) -> Tensor:
    """Uninitialised elements with the dimensions in the given order in memory, the slowest first.

    Raises:
        RuntimeError: ``physical_layout`` does not name every dimension once.
    """
    shape, order = shape_of("empty_permuted", size), sizes_of("empty_permuted", physical_layout)
    if len(shape) != len(order):
        raise ShapeError(
            "empty_permuted: Number of dimensions in size does not match the length of the physical_layout; i.e. "
            f"len(size) = {len(shape)} is not equal to len(physical_layout) = {len(order)}"
        )
    for i, d in enumerate(order):
        if not 0 <= d < len(shape):
            raise ShapeError(
                f"empty_permuted: Dimension out of range (expected to be between 0 and {len(shape) - 1}, but got {d} "
                f"at index {i}); negative dims are not supported"
            )
    if len(set(order)) != len(order):
        raise ShapeError(f"empty_permuted: Duplicate dim not allowed in physical_layout {list(order)}")
    array = make("empty", device, tuple([shape[i] for i in order]), dtype=dtype_of(dtype))
    requires_grad = options.pop("requires_grad", False)
    return finished(array.transpose([order.index(i) for i in range(len(order))]), requires_grad)


def new_empty_strided(input: Tensor, size: Any, stride: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """`empty_strided` with the dtype and on the device of ``input``, unless told."""
    d, where = input.dtype if dtype is None else dtype, input.device if device is None else device
    return empty_strided(size, stride, dtype=d, device=where)
