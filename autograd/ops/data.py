"""Tensors from data: numbers, lists, arrays, and what other libraries hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import get_backend, kernels_of, to_dtype
from ...backends.errors import DTypeError, InvalidValueError
from ...backends.settings import warn_once
from ..base import TensorBase, wrap
from ..promotion import get_default_dtype
from .conversion import same_device, to
from .creation import dtype_of, empty, finished, place_of
from .parsing import array_from, native
from .size import Size
from .storage import UntypedStorage, is_storage

if TYPE_CHECKING:
    from ..tensor import Tensor


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A tensor with a copy of ``data``.

    Args:
        data: a number, nested sequences of numbers, an array, or a Tensor. Numbers in lists may be 0-d Tensors.
        dtype: the element type. Without it, arrays keep theirs, Python floats become the default float and Python
            integers int64.
        device: where to put it; the default device unless told.
        requires_grad: whether gradients are wanted.
        pin_memory: for PyTorch's sake.

    Returns:
        A leaf.

    Raises:
        ValueError: sequences differ in length, or hold something that is no number. TypeError: ``data`` is a string.
        RuntimeError: a value does not fit the dtype, or ``data`` is of a type that holds no numbers.

    Example:
        >>> import wengert as wg
        >>> wg.tensor([[1, 2], [3, 4]])
        tensor([[1, 2],
                [3, 4]])
        >>> wg.tensor([0.5, 1.0], dtype=wg.float64)
        tensor([0.5000, 1.0000], dtype=wengert.float64)
    """
    if isinstance(data, TensorBase):
        where = data.device if device is None else place_of(device)  # type: ignore[attr-defined]
        copied: Any = to(wrap(data._data), where, dtype, copy=True)
        return finished(copied._data, requires_grad)
    if is_storage(data):
        data = _numbers_of(data, dtype)
    array = array_from(data, None if dtype is None else to_dtype(dtype).dtype, get_default_dtype().dtype)
    where = place_of(device)
    return finished(get_backend(where.type).from_numpy(array, where), requires_grad)


def _numbers_of(storage: Any, dtype: Any) -> Any:
    """A storage's array, as ``dtype`` where it has no type of its own.

    Raises:
        RuntimeError: it has another type.
    """
    if dtype is None or storage._array.dtype == (wanted := to_dtype(dtype).dtype):
        return storage._array
    if isinstance(storage, UntypedStorage):
        return storage._array.view(wanted)
    raise DTypeError(
        f"Expected a Storage of type {to_dtype(dtype)} or an UntypedStorage, but got type {storage.dtype} for "
        "argument 1 'data'"
    )


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """``data`` as a tensor, on the same memory where that is possible and with its graph if it is a Tensor.

    Args:
        data: see `tensor`.
        dtype: the element type; that of ``data`` unless told.
        device: where to put it; where ``data`` is unless told.
    """
    if isinstance(data, TensorBase):
        return to(data, data.device if device is None else place_of(device), dtype)  # type: ignore[arg-type, attr-defined]
    if type(data) in kernels_of:
        t = from_array(data)
        return to(
            t, t.device if device is None and kernels_of[type(data)].backend.name != "cpu" else place_of(device), dtype
        )
    return tensor(data, dtype=dtype, device=device)


def from_array(array: Any) -> Tensor:
    """A Tensor on the memory of a backend's array.

    Raises:
        ValueError: a stride is negative, or no multiple of the element's size, or the byte order foreign.
    """
    native(array)
    if array.strides and min(array.strides) < 0:
        raise InvalidValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not "
            "supported; copy the array first: array.copy()"
        )
    to_dtype(array.dtype)  # raises for types that no tensor has
    if any(s % array.itemsize for s in array.strides):
        raise InvalidValueError(
            "given numpy array strides not a multiple of the element byte size. Copy the numpy array to reallocate the "
            "memory."
        )
    return wrap(array[...])


def from_numpy(ndarray: Any) -> Tensor:
    """A tensor on the memory of a NumPy array: writing to one changes the other.

    Raises:
        TypeError: it is no array, or of an element type that no tensor has.

    Example:
        >>> import numpy as np, wengert as wg
        >>> a = np.zeros(2)
        >>> wg.from_numpy(a).add_(1)
        tensor([1., 1.], dtype=wengert.float64)
        >>> a
        array([1., 1.])
    """
    k = get_backend("cpu").kernels
    if not isinstance(ndarray, k.xp.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    if not ndarray.flags.writeable:
        warn_once(
            "The given NumPy array is not writable, and there are no non-writable tensors: writing to the tensor is an "
            "error. Copy the array first to protect its data or to make it writable."
        )
    return from_array(k.asarray(ndarray))


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor on the memory of any object that speaks DLPack: writing to one changes the other.

    Args:
        ext_tensor: has ``__dlpack__`` and ``__dlpack_device__``, or is a capsule of main memory, which is used up.
        device: where to put it; where it is unless told.
        copy: True for memory of its own, False for the same memory or an error, None for a copy where it has to be.

    Raises:
        ValueError: ``copy`` is False, and the device is another; or the strides are none that a tensor has.
        BufferError: the other side does not export it, as where it requires grad.

    Example:
        >>> import numpy as np, wengert as wg
        >>> a = np.zeros(2)
        >>> wg.from_dlpack(a).add_(1)
        tensor([1., 1.], dtype=wengert.float64)
        >>> a
        array([1., 1.])
    """
    capsule = not hasattr(ext_tensor, "__dlpack__")
    if capsule and (device is not None or copy is not None):
        raise AssertionError("device and copy kwargs not supported when ext_tensor is already a DLPack capsule.")
    if isinstance(ext_tensor, TensorBase):
        backend = kernels_of[type(ext_tensor._data)].backend
    else:
        kind = 1 if capsule else int(ext_tensor.__dlpack_device__()[0])
        backend = get_backend("cuda" if kind in (2, 13) else "cpu")
    shared = from_array(backend.from_dlpack(ext_tensor))
    if device is None:
        return to(shared, copy=bool(copy))
    where = place_of(device)
    if copy is False and not same_device(where, shared.device):
        raise ValueError(
            f"cannot move DLPack tensor from device {shared.device} to {where} without copying. Set copy=None or "
            "copy=True."
        )
    return to(shared, where, copy=bool(copy))


def frombuffer(buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Tensor:
    """A 1-d tensor on the memory of an object that has Python's buffer interface.

    Args:
        buffer: bytearray, memoryview, array.array, ...
        dtype: the element type.
        count: how many elements; all unless told.
        offset: bytes to pass over.
        requires_grad: whether gradients are wanted.

    Raises:
        ValueError: the buffer is too small, or its size is no multiple of the element's.
    """
    d = to_dtype(dtype).dtype
    try:
        memory = memoryview(buffer).cast("B")[offset:]
    except TypeError:
        raise InvalidValueError("frombuffer: object does not implement Python buffer protocol.") from None
    if count < 0 and len(memory) % d.itemsize:
        raise InvalidValueError(
            f"frombuffer: buffer length ({len(memory)} bytes) after offset ({offset} bytes) must be a multiple of "
            f"element size ({d.itemsize})"
        )
    wanted = len(memory) if count < 0 else count * d.itemsize
    if not wanted or wanted > len(memory):
        raise InvalidValueError(f"frombuffer: requested buffer length ({wanted} bytes), and there are {len(memory)}")
    array = get_backend("cpu").xp.frombuffer(memory[:wanted], dtype="uint8").view(d)
    return finished(array, requires_grad)


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """``obj`` as a tensor; ``copy`` says whether it must (True) or must not (False) have memory of its own.

    Raises:
        ValueError: ``copy`` is False and there is no other way.
    """
    shares = isinstance(obj, TensorBase) or type(obj) in kernels_of or hasattr(obj, "__dlpack__")
    if copy is False and not shares:
        raise ValueError(f"can't alias a {type(obj).__name__}: it holds no array")
    if hasattr(obj, "__dlpack__") and type(obj) not in kernels_of and not isinstance(obj, TensorBase):
        obj = from_dlpack(obj)
    source = as_tensor(obj, dtype, device)
    if (
        copy is False
        and source._data is not getattr(obj, "_data", None)
        and getattr(source._data, "base", None) is None
    ):
        raise ValueError(f"can't alias the {type(obj).__name__} with dtype {dtype} on device {device}")
    result: Tensor = to(source, copy=True) if copy and source is obj else source
    return result.requires_grad_() if requires_grad else result


def new_tensor(
    input: Tensor, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`tensor` with the dtype and on the device of ``input``, unless told."""
    return tensor(
        data,
        dtype=input.dtype if dtype is None else dtype,
        device=input.device if device is None else device,
        requires_grad=requires_grad,
    )


def _is_number(value: Any) -> bool:
    """Whether a value is a NumPy scalar."""
    return hasattr(value, "dtype") and not isinstance(value, TensorBase) and type(value) not in kernels_of


def legacy_tensor(*data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """``Tensor(2, 3)``: uninitialised of these sizes; ``Tensor([1, 2])``: these numbers, in the default float."""
    if not data:
        return empty(0, dtype=dtype, device=device)
    if len(data) == 1 and not (isinstance(data[0], int) or (hasattr(data[0], "__index__") and _is_number(data[0]))):
        (value,) = data
        if value is None:
            raise TypeError("new(): data must be a sequence (got NoneType)")
        if is_storage(value):
            return wrap(_numbers_of(value, dtype_of(dtype)))
        if isinstance(value, TensorBase):
            if dtype is not None and value._data.dtype != to_dtype(dtype).dtype:
                raise TypeError(f"new(): expected a tensor of {to_dtype(dtype)} (got {value._data.dtype.name})")
            return as_tensor(value, dtype, device).detach()
        if isinstance(value, Size):
            return empty(value, dtype=dtype, device=device)
        if type(value) in kernels_of and dtype is None:
            return as_tensor(value, get_default_dtype(), device)
        if isinstance(value, float | complex):
            raise TypeError(f"new(): data must be a sequence (got {type(value).__name__}); use wengert.tensor({value})")
        return tensor(value, dtype=dtype_of(dtype), device=device)
    return empty(data, dtype=dtype, device=device)
