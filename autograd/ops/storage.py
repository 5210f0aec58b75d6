"""The memory below tensors: ``UntypedStorage``, bytes, and ``TypedStorage``, numbers of one type.

Tensors hold arrays, and a storage is made when it is asked for; two storages are equal when they are the same memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...backends import Device, DType, default_device, dtypes, get_backend, kernels_of, to_dtype
from ...backends.errors import ArgumentError
from ..base import TensorBase

if TYPE_CHECKING:
    from ..tensor import Tensor

STORAGE_NAMES = {
    "ByteStorage": dtypes.uint8,
    "CharStorage": dtypes.int8,
    "ShortStorage": dtypes.int16,
    "IntStorage": dtypes.int32,
    "LongStorage": dtypes.int64,
    "HalfStorage": dtypes.float16,
    "BFloat16Storage": dtypes.bfloat16,
    "FloatStorage": dtypes.float32,
    "DoubleStorage": dtypes.float64,
    "BoolStorage": dtypes.bool_,
    "ComplexFloatStorage": dtypes.complex64,
    "ComplexDoubleStorage": dtypes.complex128,
}


def _made(args: tuple[Any, ...], dtype: Any, device: Any) -> Any:
    """A 1-d array for a storage's arguments: nothing, a number of elements, or the elements."""
    if len(args) > 1:
        raise ArgumentError("Too many positional arguments: a storage takes a size or a sequence")
    where = default_device() if device is None else Device(device)
    backend = get_backend(where.type)
    given: Any = args[0] if args else 0
    if isinstance(given, TensorBase | str | bytes | float):
        raise TypeError(f"Argument type not recognized: {type(given).__name__}; a storage takes a size or a sequence")
    with backend.on(where):
        if hasattr(given, "__index__"):
            return backend.xp.empty((int(given),), dtype=dtype)
        return backend.xp.asarray(list(given), dtype=dtype)


class _Storage:
    """What both kinds of storage have: an array of their elements."""

    __slots__ = ("_array",)
    _array: Any

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + self.nbytes()

    def nbytes(self) -> int:
        """The number of bytes."""
        return int(self._array.nbytes)

    def size(self) -> int:
        """The number of elements."""
        return int(self._array.size)

    def __len__(self) -> int:
        return self.size()

    def element_size(self) -> int:
        """Bytes per element."""
        return int(self._array.itemsize)

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return int(kernels_of[type(self._array)].address(self._array)) if self._array.size else 0

    _cdata = property(data_ptr)

    @property
    def device(self) -> Device:
        """Where the memory is."""
        return kernels_of[type(self._array)].backend.device_of(self._array)

    @property
    def is_cuda(self) -> bool:
        """Whether the memory is on a CUDA device."""
        return self.device.type == "cuda"

    def is_shared(self) -> bool:
        """Whether other processes see the memory; see `Tensor.is_shared`."""
        return kernels_of[type(self._array)].backend.is_shared(self._array)

    def is_pinned(self, device: Any = None) -> bool:
        """Whether the memory is page-locked; it never is."""
        return False

    def tolist(self) -> list[Any]:
        """The elements as Python numbers."""
        values: list[Any] = kernels_of[type(self._array)].backend.to_numpy(self._array).tolist()
        return [float(v) for v in values] if self._array.dtype.kind == "V" else values

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(value, _Storage):
            raise ArgumentError(f"cannot set item with value type '{type(value).__name__}'; use copy_")
        self._array[index] = value

    def fill_(self, value: Any) -> Any:
        """Write one number everywhere."""
        self[:] = value
        return self

    def resize_(self, size: int) -> Any:
        """Storages keep their size, as arrays do.

        Raises:
            NotImplementedError: the size is another one.
        """
        if size != self.size():
            raise NotImplementedError(
                "a storage cannot be resized: other tensors hold its memory; use resize_ of a tensor"
            )
        return self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Storage):
            return False
        a, b = self._array, other._array
        return a.dtype == b.dtype and a.size == b.size and self.data_ptr() == other.data_ptr()

    def __hash__(self) -> int:
        return hash((self.data_ptr(), self.nbytes()))


class UntypedStorage(_Storage):
    """The memory that a tensor is a view of, as bytes.

    Args:
        args: how many bytes, or the bytes; none for an empty storage.
        device: where it is; the default device unless told.
    """

    __slots__ = ()

    def __init__(self, *args: Any, device: Any = None) -> None:
        self._array = _made(args, "uint8", device)

    def untyped(self) -> UntypedStorage:
        """Itself."""
        return self

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return _around(self._array[index])
        return int(self._array[index])

    def clone(self) -> UntypedStorage:
        """A copy."""
        return _around(self._array.copy())

    __copy__ = clone

    def copy_(self, source: Any, non_blocking: bool | None = None) -> UntypedStorage:
        """Write the bytes of another storage of the same size."""
        self._array[...] = source.untyped()._array
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> UntypedStorage:
        return _around(copied_memory(self._array, memo))

    def byteswap(self, dtype: DType) -> None:
        """Turn the bytes of every element round, for elements of ``dtype``."""
        size = dtype.itemsize // 2 if dtype.is_complex else dtype.itemsize
        rows = self._array.reshape(-1, size)
        rows[...] = rows[:, ::-1].copy()

    def type(self) -> str:
        """The name of the class."""
        return "wengert.storage.UntypedStorage"

    def __repr__(self) -> str:
        lines = "".join([f" {v}\n" for v in self.tolist()])
        return f"{lines}[{self.type()}(device={self.device}) of size {len(self)}]"


def _around(array: Any) -> UntypedStorage:
    storage = UntypedStorage.__new__(UntypedStorage)
    storage._array = array
    return storage


class _Kind(type):
    """The classes of typed storages: an instance belongs to all whose dtype is its own."""

    _dtype: DType | None = None

    def __instancecheck__(cls, instance: Any) -> bool:
        kind = getattr(instance, "dtype", None) if isinstance(instance, _Storage) else None
        return kind is not None and cls._dtype in (None, kind)


class TypedStorage(_Storage, metaclass=_Kind):
    """Memory as numbers of one type: PyTorch's older kind of storage.

    Args:
        args: how many elements, or the elements; none for an empty storage.
        wrap_storage: an `UntypedStorage` whose memory to take instead.
        dtype: the element type; the default dtype unless told.
        device: where it is; the default device unless told.

    Example:
        >>> import wengert as wg
        >>> s = wg.arange(3).storage()
        >>> s[0] = 7
        >>> s.tolist()
        [7, 1, 2]
    """

    __slots__ = ()
    _dtype: Any = None

    def __init__(
        self, *args: Any, wrap_storage: Any = None, dtype: Any = None, device: Any = None, _internal: bool = False
    ) -> None:
        from ..promotion import get_default_dtype

        kind = type(self)._dtype or (get_default_dtype() if dtype is None else to_dtype(dtype))
        if wrap_storage is None:
            self._array = _made(args, kind.dtype, device)
            return
        if not isinstance(wrap_storage, UntypedStorage):
            raise TypeError(f"Argument 'wrap_storage' must be UntypedStorage, but got {type(wrap_storage).__name__}")
        if device is not None or args:
            raise ArgumentError("Argument 'device' should not be specified when 'wrap_storage' is given; nor a size")
        self._array = wrap_storage._array.view(kind.dtype)

    @property
    def dtype(self) -> DType:
        """The element type."""
        return dtypes.FROM_NUMPY[self._array.dtype]

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return _around(self._array.view("uint8"))

    _untyped_storage = property(untyped)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            raise ArgumentError("slices are only supported in UntypedStorage.__getitem__")
        value = self._array[index].item()
        return float(value) if self._array.dtype.kind == "V" else value

    def clone(self) -> TypedStorage:
        """A copy."""
        return typed(self._array.copy())

    __copy__ = clone

    def copy_(self, source: Any, non_blocking: bool | None = None) -> TypedStorage:
        """Write the elements of another storage of the same size."""
        self._array[...] = source._array
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> TypedStorage:
        return typed(copied_memory(self._array.view("uint8"), memo).view(self._array.dtype))

    def pickle_storage_type(self) -> str:
        """The name of the class for the element type, such as ``"FloatStorage"``."""
        return next(name for name, kind in STORAGE_NAMES.items() if kind is self.dtype)

    def type(self, dtype: Any = None) -> Any:
        """The name of the class for the element type; or the storage converted to ``dtype``."""
        if dtype is None:
            return f"wengert.{'cuda.' * self.is_cuda}{self.pickle_storage_type()}"
        return self._as(to_dtype(getattr(dtype, "dtype", dtype)))

    def _as(self, kind: DType) -> TypedStorage:
        return typed(kernels_of[type(self._array)].astype(self._array, kind.dtype))

    def __repr__(self) -> str:
        lines = "".join([f" {v}\n" for v in self.tolist()])
        return f"{lines}[wengert.storage.TypedStorage(dtype={self.dtype}, device={self.device}) of size {len(self)}]"


def _caster(kind: DType) -> Any:
    def convert(self: TypedStorage) -> TypedStorage:
        return self._as(kind)

    convert.__doc__ = f"The elements as {kind.name}."
    return convert


for _name, _kind in {
    **{"double": dtypes.float64, "float": dtypes.float32, "half": dtypes.float16, "bfloat16": dtypes.bfloat16},
    **{"long": dtypes.int64, "int": dtypes.int32, "short": dtypes.int16, "char": dtypes.int8, "byte": dtypes.uint8},
    **{"bool": dtypes.bool_, "complex_float": dtypes.complex64, "complex_double": dtypes.complex128},
}.items():
    setattr(TypedStorage, _name, _caster(_kind))


def typed(array: Any) -> TypedStorage:
    """A storage on a 1-d array."""
    storage = TypedStorage.__new__(TypedStorage)
    storage._array = array
    return storage


def _named(name: str) -> Any:
    members = {"__slots__": (), "__module__": "wengert", "__doc__": f"A `TypedStorage` of {STORAGE_NAMES[name].name}."}
    kind = STORAGE_NAMES[name]
    return _Kind(name, (TypedStorage,), {**members, "_dtype": kind, "dtype": kind})


TypedStorage.__module__ = UntypedStorage.__module__ = "wengert.storage"
BFloat16Storage, BoolStorage, ByteStorage = _named("BFloat16Storage"), _named("BoolStorage"), _named("ByteStorage")
CharStorage, DoubleStorage, FloatStorage = _named("CharStorage"), _named("DoubleStorage"), _named("FloatStorage")
HalfStorage, IntStorage, LongStorage = _named("HalfStorage"), _named("IntStorage"), _named("LongStorage")
ShortStorage, ComplexFloatStorage = _named("ShortStorage"), _named("ComplexFloatStorage")
ComplexDoubleStorage, Storage = _named("ComplexDoubleStorage"), FloatStorage


def is_storage(obj: Any) -> bool:
    """Whether ``obj`` is the memory of a tensor."""
    return isinstance(obj, UntypedStorage | TypedStorage)


def untyped_storage(input: Tensor) -> UntypedStorage:
    """The memory that the tensor is a view of, as bytes."""
    x = input._data
    return _around(kernels_of[type(x)].memory(x))


def storage(input: Tensor) -> TypedStorage:
    """The memory that the tensor is a view of, as numbers of its type."""
    x = input._data
    memory = kernels_of[type(x)].memory(x)
    return typed(memory[: memory.size // x.itemsize * x.itemsize].view(x.dtype))


def storage_type(input: Tensor) -> Any:
    """The class of the tensor's storage, such as ``wengert.FloatStorage``."""
    return globals()[storage(input).pickle_storage_type()]


def copied_memory(memory: Any, memo: dict[Any, Any]) -> Any:
    """A copy of a storage's bytes, the same one for all tensors and storages on it within one ``copy.deepcopy``."""
    key = memory_key(memory)
    if key not in memo:
        memo[key] = memory.copy()
    return memo[key]


def memory_key(memory: Any) -> Any:
    """What tells a storage's bytes from others'."""
    return "memory", int(kernels_of[type(memory)].address(memory)), int(memory.nbytes)
