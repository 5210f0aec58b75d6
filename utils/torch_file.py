"""Reading files that ``torch.save`` wrote, without PyTorch and without executing anything from the file.

Such a file is a pickle with the tensors' memory beside it: in a zip archive (since PyTorch 1.6), or one after the
other in one stream (before). A pickle names functions to be called. Here a name is looked up in a table of the few
that tensors, parameters and their containers need, each of which only arranges data; any other name is an error.
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from ..autograd.ops.size import Size
from ..backends import Device, to_dtype
from ..backends.dtypes import FLOAT8, WIDE_UNSIGNED, numpy_dtype
from .safetensors import FileFormatError

__all__ = ["is_torch_file", "read"]

MAGIC = 0x1950A86A20F9469CFC6C  # the number that the older form begins with
ZIP, PICKLE = b"PK\x03\x04", b"\x80"

STORAGES = {
    **{"FloatStorage": "float32", "DoubleStorage": "float64", "HalfStorage": "float16"},
    **{"BFloat16Storage": "bfloat16", "BoolStorage": "bool", "ByteStorage": "uint8", "CharStorage": "int8"},
    **{"ShortStorage": "int16", "IntStorage": "int32", "LongStorage": "int64"},
    **{"ComplexFloatStorage": "complex64", "ComplexDoubleStorage": "complex128", "UntypedStorage": "uint8"},
}
DTYPES = {
    *("float16", "float32", "float64", "bfloat16", "complex64", "complex128"),
    *("bool", "uint8", "int8", "int16", "int32", "int64"),
    *(kind.name for kind in WIDE_UNSIGNED + FLOAT8),
}


def is_torch_file(head: bytes) -> bool:
    """Whether a file whose first nine bytes these are may be one of ``torch.save``'s.

    A safetensors file may begin with a pickle's byte, too: that of its header's length. Its ninth opens the header.
    """
    return head.startswith(ZIP) or (head.startswith(PICKLE) and head[8:9] != b"{")


def read(file: IO[bytes], place: Callable[[Any], Any]) -> Any:
    """The object that ``torch.save`` wrote.

    Args:
        file: open for reading, with ``seek``.
        place: makes a tensor of a NumPy array.

    Raises:
        FileFormatError: the file is damaged, or asks for something that only its own program has, such as a whole
            module; the message names it.
    """
    start = file.tell()
    zipped = file.read(4) == ZIP
    file.seek(start)
    try:
        return _read_zip(file, place) if zipped else _read_stream(file, place)
    except FileFormatError:
        raise
    except (zipfile.BadZipFile, pickle.UnpicklingError, EOFError, KeyError, ValueError, TypeError) as error:
        raise FileFormatError(f"not a file of torch.save, or a damaged one: {error!r}") from error
    except (AttributeError, IndexError, OverflowError, MemoryError, UnicodeDecodeError) as error:
        raise FileFormatError(f"a damaged file of torch.save: {error!r}") from error


def _read_zip(file: IO[bytes], place: Callable[[Any], Any]) -> Any:
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        root = next((name.removesuffix("data.pkl") for name in names if name.endswith("data.pkl")), None)
        if root is None:
            inside = ", ".join(names[:3])
            raise FileFormatError(f"a zip archive without data.pkl, so not one of torch.save's; it holds {inside}")
        big = f"{root}byteorder" in names and archive.read(f"{root}byteorder") == b"big"

        def load(key: str, dtype: Any) -> Any:
            memory = np.frombuffer(bytearray(archive.read(f"{root}data/{key}")), dtype)
            return memory.byteswap(inplace=True) if big else memory

        return _Reader(io.BytesIO(archive.read(f"{root}data.pkl")), place, load).load()


def _read_stream(file: IO[bytes], place: Callable[[Any], Any]) -> Any:
    """The older form: three pickles of numbers, the object, the keys of its storages, and then these."""
    if _Reader(file, place, None).load() != MAGIC:
        raise FileFormatError("a pickle, but not one of torch.save's; a pickle could run any code, so it is not read")
    _Reader(file, place, None).load()  # the version
    system = _Reader(file, place, None).load()
    reader = _Reader(file, place, None)
    value = reader.load()
    for key in _Reader(file, place, None).load():
        storage = reader.storages[key]
        count = int.from_bytes(file.read(8), "little")
        content = file.read(count * storage.dtype.itemsize)
        if len(content) != storage.nbytes or count != storage.size:
            raise FileFormatError(f"the file ends within the storage {key!r}: it is truncated")
        storage[:] = np.frombuffer(content, storage.dtype)
        if not system.get("little_endian", True):
            storage.byteswap(inplace=True)
    return reader.arrange(value)


class _Tensor:
    """A tensor of the file, before its memory is known."""

    def __init__(self, storage: Any, offset: int, size: Any, stride: Any, requires_grad: bool, parameter: bool) -> None:
        self.storage, self.offset, self.size, self.stride = storage, int(offset), tuple(size), tuple(stride)
        self.requires_grad, self.parameter = bool(requires_grad), parameter

    def array(self) -> np.ndarray[Any, Any]:
        """The tensor's elements, in the memory that it shares with others of the file."""
        last = self.offset + sum((n - 1) * s for n, s in zip(self.size, self.stride, strict=True))
        outside = last >= self.storage.size or min(self.offset, *self.stride, 0) < 0
        if math.prod(self.size) and outside:
            raise FileFormatError(
                f"a tensor of size {list(self.size)} and strides {list(self.stride)} at {self.offset} does not lie "
                f"within its storage of {self.storage.size} elements: the file is damaged"
            )
        steps = [s * self.storage.itemsize for s in self.stride]
        start = self.offset * self.storage.itemsize if math.prod(self.size) else 0
        memory = self.storage.view(np.uint8)  # `as_strided` does not know all types
        return np.ndarray(self.size, self.storage.dtype, buffer=memory, offset=start, strides=steps)


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, requires_grad: Any = False, *rest: Any) -> _Tensor:
    return _Tensor(storage, offset, size, stride, requires_grad, parameter=False)


def _typed_tensor(storage: Any, offset: Any, size: Any, stride: Any, requires_grad: Any, hooks: Any, dtype: Any,
                  *rest: Any) -> _Tensor:  # fmt: skip
    return _tensor(storage.view(numpy_dtype(dtype)), offset, size, stride, requires_grad)


def _parameter(data: Any, requires_grad: Any = True, *rest: Any) -> _Tensor:
    return _Tensor(data.storage, data.offset, data.size, data.stride, requires_grad, parameter=True)


PLAIN = (set, frozenset, complex, bytearray)

# What a pickle may name. Each of these arranges what it is given, and does nothing else.
ALLOWED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    **{(module, kind.__name__): kind for module in ("builtins", "__builtin__") for kind in PLAIN},
    ("_codecs", "encode"): lambda text, encoding="latin1": text.encode("latin1"),
    ("torch", "Size"): Size,
    ("torch", "device"): Device,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_tensor_v3"): _typed_tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _parameter,
    ("torch._tensor", "_rebuild_from_type_v2"): lambda function, kind, arguments, state: function(*arguments),
    ("torch", "Tensor"): _tensor,
    ("torch.nn.parameter", "Parameter"): _parameter,
    ("torch.serialization", "_get_layout"): str,
    **{("torch", name): to_dtype(name) for name in DTYPES},
    **{(module, name): name for module in ("torch", "torch.storage") for name in STORAGES},
}


class _Reader(pickle.Unpickler):
    """An unpickler that knows the names of `ALLOWED` and no other.

    Args:
        file: where the pickle stands.
        place: makes a tensor of a NumPy array.
        load: ``load(key, dtype)`` gives a storage of the file; where it is None they follow later.
    """

    def __init__(self, file: IO[bytes], place: Callable[[Any], Any], load: Callable[[str, Any], Any] | None) -> None:
        super().__init__(file, encoding="utf-8")
        self.place, self.fetch = place, load
        self.storages: dict[str, Any] = {}
        self.made: dict[int, Any] = {}

    def find_class(self, module: str, name: str) -> Any:
        """What ``module.name`` stands for.

        Raises:
            FileFormatError: it is not one of the names that data needs.
        """
        try:
            return ALLOWED[module, name]
        except KeyError:
            raise FileFormatError(
                f"the file asks for {module}.{name}, which is more than data, and nothing in a file is executed here; "
                "in PyTorch, save only tensors: torch.save(model.state_dict(), path)"
            ) from None

    def persistent_load(self, pid: Any) -> Any:
        """The memory that a tensor of the file lies in."""
        _, kind, key, _, count, *_ = pid
        if key not in self.storages:
            dtype = numpy_dtype(to_dtype(STORAGES[kind]))
            self.storages[key] = np.zeros(int(count), dtype) if self.fetch is None else self.fetch(key, dtype)
        return self.storages[key]

    def load(self) -> Any:
        """The object; of the older form a nesting that `arrange` completes."""
        value = super().load()
        return value if self.fetch is None else self.arrange(value)

    def arrange(self, value: Any) -> Any:
        """The same nesting with tensors in it; what was one tensor in the file is one here."""
        if isinstance(value, _Tensor):
            if id(value) not in self.made:
                self.made[id(value)] = value, self._placed(value)
            return self.made[id(value)][1]
        if isinstance(value, dict):
            for key in value:
                value[key] = self.arrange(value[key])
            return value
        if isinstance(value, list):
            value[:] = map(self.arrange, value)
            return value
        if isinstance(value, tuple) and not isinstance(value, Size):
            return tuple(map(self.arrange, value))
        return value

    def _placed(self, value: _Tensor) -> Any:
        tensor = self.place(value.array())
        if value.parameter:
            from ..nn.parameter import Parameter

            return Parameter(tensor, value.requires_grad)
        return tensor.requires_grad_() if value.requires_grad else tensor
