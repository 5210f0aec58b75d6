"""Tensors filled with one value; those like another one are in ``creation_like.py``.

From data they are made in ``data.py``, from random numbers in ``random.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import Device, default_device, dtypes, get_backend, kernels_of, to_dtype
from ...backends.errors import DTypeError, ShapeError
from ...backends.sparse import SparseArray
from ..admission import scalar_type
from ..base import wrap
from ..out import write_out
from ..promotion import get_default_dtype
from .conversion import to
from .dims import packed, sizes_of
from .layout import MemoryFormat, contiguous_format, preserve_format, strided
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


def without_elements(layout: Any, shape: tuple[int, ...], dtype: Any, device: Any, requires_grad: bool) -> Any:
    """A tensor of a sparse layout with nothing stored.

    Raises:
        RuntimeError: there is no such layout.
    """
    from ..sparse.creation import empty_of_layout

    made = empty_of_layout(layout, shape, dtype_of(dtype), device)
    return made.requires_grad_() if requires_grad else made
