"""Tensors filled by a rule. From data they are made in ``data.py``, from random numbers in ``random.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import Device, default_device, dtypes, get_backend, kernels_of, to_dtype
from ...backends.errors import DTypeError, ShapeError, UnsupportedDTypeError
from ...backends.layout import relaid, result_strides
from ...backends.sparse import SparseArray
from ..admission import need_tensors, scalar_type
from ..base import wrap
from ..inplace import write_out
from ..promotion import get_default_dtype
from .conversion import to
from .dims import packed, sizes_of
from .layout import MemoryFormat, check_rank, contiguous_format, preserve_format, strided
from .scalar import number_for

if TYPE_CHECKING:
    from ..tensor import Tensor


# ---------------------------------------------------------------------- what all factories share


def place_of(device: Any) -> Device:
    """The device that a factory's ``device=`` argument means.

    Raises:
        RuntimeError: it is unknown or missing.
    """
    where = default_device() if device is None else Device(device)
    get_backend(where.type).check(where)
    return where


def make(kernel: str, device: Any, *args: Any, **options: Any) -> Any:
    """The array that the kernel ``kernel`` makes on ``device``."""
    where = default_device() if device is None else place_of(device)
    backend = get_backend(where.type)
    try:
        with backend.on(where):
            return getattr(backend.kernels, kernel)(*args, **options)
    except ValueError as error:
        raise ShapeError(f"Storage size calculation overflowed with {kernel}{args}: {error}") from error


def finished(array: Any, requires_grad: bool, out: Any = None, name: str = "") -> Tensor:
    """The Tensor that a factory returns.

    Raises:
        RuntimeError: it is to require grad and is not floating or complex.
    """
    # Arithmetic on NumPy's 0-d arrays gives scalars, which know how to become arrays again.
    t: Tensor = wrap(array if type(array) in kernels_of else array.__array__())
    if out is not None:
        t = write_out(out, t, name)
    return t.requires_grad_() if requires_grad else t


def shape_of(op: str, size: Any) -> tuple[int, ...]:
    """A factory's sizes.

    Raises:
        RuntimeError: one is negative. TypeError: one is no integer.
    """
    shape = sizes_of(op, size)
    if shape and min(shape) < 0:
        raise ShapeError(f"{op}: Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    return shape


def size_argument(op: str, sizes: tuple[Any, ...], size: Any) -> Any:
    """The sizes of a factory, given by position or as ``size=``.

    Raises:
        TypeError: neither.
    """
    if size is not None:
        return size
    if not sizes:
        raise TypeError(f'{op}() missing 1 required positional arguments: "size"')
    return sizes


def dtype_of(dtype: Any) -> Any:
    """The NumPy dtype of a factory's ``dtype=`` argument; the default float for None."""
    return (get_default_dtype() if dtype is None else to_dtype(dtype)).dtype


def dtype_beside(out: Any, dtype: Any) -> Any:
    """The ``dtype=`` argument of a factory with ``out=``: that of ``out`` unless told, and never another.

    Raises:
        RuntimeError: they differ.
    """
    if out is None:
        return dtype
    if dtype is not None and to_dtype(dtype) is not out.dtype:
        raise DTypeError(
            f"dtype {scalar_type(to_dtype(dtype))} does not match dtype of out parameter ({scalar_type(out.dtype)})"
        )
    return out.dtype


def check_layout(layout: Any) -> None:
    """Raise unless ``layout`` is ``strided`` or None."""
    if layout is not None and getattr(layout, "name", None) != "strided":
        raise DTypeError(f"full(...) is not implemented for sparse layout {layout!r} here; use wengert.strided")


# ---------------------------------------------------------------------- filled with one value


def _full(name: str, size: Any, value: Any, dtype: Any, device: Any, requires_grad: bool, out: Any) -> Tensor:
    shape = shape_of(name, size)
    if getattr(value, "ndim", 0):
        raise TypeError(f"{name}(): argument 'fill_value' must be Number, not {type(value).__name__}")
    d = dtype_of(dtype_beside(out, dtype))
    return finished(make("full", device, shape, number_for(value, d), dtype=d), requires_grad, out, name)


def zeros(
    *sizes: Any,
    size: Any = None,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Zeros.

    Args:
        sizes: the sizes, as integers or as one sequence.
        size: the same, by keyword.
        out: a tensor to write the result to.
        dtype: the element type; the default float unless told.
        layout: ``wengert.strided``.
        device: where to put it; the default device unless told.
        requires_grad: whether gradients are wanted.
        pin_memory: for PyTorch's sake.

    Example:
        >>> import wengert as wg
        >>> wg.zeros(2, 3)
        tensor([[0., 0., 0.],
                [0., 0., 0.]])
    """
    if layout is not None and layout is not strided:
        return without_elements(
            layout, shape_of("zeros", size_argument("zeros", sizes, size)), dtype, device, requires_grad
        )
    if out is None:
        return finished(
            make("zeros", device, shape_of("zeros", size_argument("zeros", sizes, size)), dtype=dtype_of(dtype)),
            requires_grad,
        )
    if isinstance(out._data, SparseArray):
        wanted = shape_of("zeros", size_argument("zeros", sizes, size))
        cleared: Tensor = out.sparse_resize_and_clear_(wanted, len(wanted), 0)
        return cleared.requires_grad_() if requires_grad else cleared
    return _full("zeros", size_argument("zeros", sizes, size), 0, dtype, device, requires_grad, out)


def ones(
    *sizes: Any,
    size: Any = None,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Ones; arguments as for `zeros`."""
    check_layout(layout)
    return _full("ones", size_argument("ones", sizes, size), 1, dtype, device, requires_grad, out)


def empty(
    *sizes: Any,
    size: Any = None,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    memory_format: MemoryFormat = contiguous_format,
) -> Tensor:
    """Uninitialised elements; arguments as for `zeros`, and how they lie in memory."""
    if layout is not None and layout is not strided:
        return without_elements(
            layout, shape_of("empty", size_argument("empty", sizes, size)), dtype, device, requires_grad
        )
    if memory_format is preserve_format:
        raise ShapeError("unsupported memory format Preserve: a new tensor has no other to preserve the format of")
    array = make("empty", device, shape_of("empty", size_argument("empty", sizes, size)), dtype=dtype_of(dtype))
    t = finished(array, False, out, "empty")
    if memory_format.order is not None:
        t = to(t, memory_format=memory_format)
    return t.requires_grad_() if requires_grad else t


def full(
    size: Any,
    fill_value: Any,
    *,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """``fill_value`` everywhere, in its own kind of dtype unless told; other arguments as for `zeros`.

    Example:
        >>> import wengert as wg
        >>> wg.full((2,), 7)
        tensor([7, 7])
    """
    check_layout(layout)
    if hasattr(fill_value, "item") and not getattr(fill_value, "ndim", 0):
        fill_value = fill_value.item()
    if dtype is None and out is None:
        dtype = _kind_of(fill_value)
    return _full("full", packed(size), fill_value, dtype, device, requires_grad, out)


def _kind_of(value: Any) -> Any:
    """The element type of a Python number."""
    if isinstance(value, bool):
        return dtypes.bool_
    if isinstance(value, int):
        return dtypes.int64
    return get_default_dtype() if not isinstance(value, complex) else get_default_dtype().to_complex()


def scalar_tensor(s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A 0-d tensor with the value of a number, of the default float type unless told."""
    return _full("scalar_tensor", (), s, dtype, device, requires_grad, None)


# ---------------------------------------------------------------------- like another


def _like(kernel: str) -> Any:
    """The functions ``zeros_like`` and ``new_zeros`` of a factory kernel."""

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

    def new(
        input: Tensor,
        *size: Any,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
    ) -> Tensor:
        d = input._data.dtype if dtype is None else to_dtype(dtype).dtype
        if layout not in (None, strided) or (layout is None and isinstance(input._data, SparseArray)):
            shape = shape_of("new_" + kernel, size)
            return _sparse_like(
                kernel, input, input.layout if layout is None else layout, shape, d, device, requires_grad
            )
        array = make(kernel, input.device if device is None else device, shape_of("new_" + kernel, size), dtype=d)
        return finished(array, requires_grad)

    what = {"zeros": "Zeros", "ones": "Ones", "empty": "Uninitialised elements"}[kernel]
    like.__name__ = like.__qualname__ = kernel + "_like"
    like.__doc__ = f"{what} in the shape, dtype and memory order of ``input``, and on its device, unless told."
    new.__name__ = new.__qualname__ = "new_" + kernel
    new.__doc__ = f"{what} of the given sizes, with the dtype and on the device of ``input``, unless told."
    return like, new


def without_elements(layout: Any, shape: tuple[int, ...], dtype: Any, device: Any, requires_grad: bool) -> Any:
    """A tensor of a sparse layout with nothing stored.

    Raises:
        RuntimeError: there is no such layout.
    """
    from ..sparse.creation import empty_of_layout

    made = empty_of_layout(layout, shape, dtype_of(dtype), device)
    return made.requires_grad_() if requires_grad else made


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
    strides = result_strides(x.shape, [(x.shape, tuple([s // x.itemsize for s in x.strides]))])
    return tuple(sorted(range(x.ndim), key=lambda i: (-strides[i], i)))


def in_order_of(array: Any, x: Any, memory_format: MemoryFormat) -> Any:
    """A new array of the shape of ``x`` in the memory order that the format asks for, or that ``x`` has."""
    order = memory_order(x, memory_format)
    if order is None:
        return array
    back = [order.index(i) for i in range(len(order))]
    array = array.transpose(order).copy("C").transpose(back)
    return array if memory_format.order is not None else relaid(kernels_of[type(array)], array, [x])


zeros_like, new_zeros = _like("zeros")
ones_like, new_ones = _like("ones")
empty_like, new_empty = _like("empty")


def full_like(input: Tensor, fill_value: Any, **options: Any) -> Tensor:
    """``fill_value`` in the shape and dtype of ``input`` and on its device, unless told; options as `zeros_like`."""
    requires_grad = options.pop("requires_grad", False)
    t: Tensor = empty_like(input, **options)
    t._data[...] = number_for(fill_value, t._data.dtype)
    return t.requires_grad_() if requires_grad else t


def new_full(input: Tensor, size: Any, fill_value: Any, **options: Any) -> Tensor:
    """``fill_value`` in the given sizes, with the dtype and on the device of ``input``, unless told."""
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
