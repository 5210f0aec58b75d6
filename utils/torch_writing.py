"""Writing files in PyTorch's format, without PyTorch: a zip archive of a pickle and of the tensors' memory.

The pickle is Python's own, with three differences. A tensor becomes a call of PyTorch's function that puts one
together; a class or function of this package goes under the name that PyTorch has for it (`torch_names`); a module's
state is arranged as PyTorch's modules keep it. Which memory tensors share is known only when all have been seen, so
what the pickle says of each tensor's memory is filled in at the end.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import struct
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

from numpy.lib.array_utils import byte_bounds

from ..autograd.base import TensorBase, wrap
from ..autograd.ops.layout import Layout, MemoryFormat
from ..autograd.ops.size import Size
from ..autograd.tensor import Tensor
from ..backends import Device, DType, kernels_of
from ..backends.sparse import SparseArray
from ..nn.members import Members
from ..nn.parameter import Buffer, Parameter
from ..nn.torch_state import to_torch
from ..nn.uninitialized import is_lazy
from .safetensors import Target, complete
from .torch_names import THEIRS, TYPED, name_in_files

__all__ = ["write"]

ALIGNMENT = 64  # of the memory in the file, so that it can be mapped
PROTOCOL = 2  # the newest that PyTorch's own reader of plain data knows
NEWEST = 3  # from 4 on pickles come in frames, whose lengths could not be known


class Name:
    """A class or function by its name in the file. It is callable because pickle wants what it calls to be."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self) -> None:
        """Nothing: only the name is used."""


TENSOR, TYPED_TENSOR = (Name("torch._utils", f"_rebuild_tensor_v{n}") for n in (2, 3))
PARAMETER = Name("torch._utils", "_rebuild_parameter")
PARAMETER_WITH_STATE = Name("torch._utils", "_rebuild_parameter_with_state")
SPARSE = Name("torch._utils", "_rebuild_sparse_tensor")
SUBCLASS = Name("torch._tensor", "_rebuild_from_type_v2")
LAYOUT = Name("torch.serialization", "_get_layout")


class Memory(tuple[Any, ...]):
    """The arguments of the function that makes a tensor. They are written last, when its memory has a number.

    Attributes:
        array: a NumPy array, the tensor's elements.
        place: the device, as text.
        requires_grad: whether the tensor does.
    """

    array: Any
    place: str
    requires_grad: bool


Pickler: Any = pickle._Pickler  # in Python, since the one in C cannot be told other names


class Writer(Pickler):  # type: ignore[misc]
    """Python's pickler with PyTorch's names, and gaps where tensors are.

    Args:
        chunks: takes what is written: bytes, and a `Memory` at each gap.
        protocol: of the pickle.
    """

    def __init__(self, chunks: list[Any], protocol: int) -> None:
        class Sink:
            write = chunks.append

        super().__init__(Sink, min(protocol, NEWEST))

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        """Write one object, of whatever kind."""
        if type(obj) is Memory:
            self.write(obj)
        elif isinstance(obj, Name):
            self.write(encoded(obj))
        elif isinstance(obj, (DType, MemoryFormat)):
            self.write(encoded(Name(THEIRS, obj.name)))
        elif isinstance(obj, (type, FunctionType)) and (name := name_in_files(obj)) is not None:
            self.write(encoded(Name(*name)))
        else:
            super().save(obj, save_persistent_id)

    def reducer_override(self, obj: Any) -> Any:
        """How an object of this package is put together again; NotImplemented for others."""
        if isinstance(obj, TensorBase):
            return reduced(obj)
        if isinstance(obj, Device):
            return Name(THEIRS, "device"), (obj.type,) if obj.index is None else (obj.type, obj.index)
        if isinstance(obj, Layout):
            return LAYOUT, (f"{THEIRS}.{obj.name}",)
        if type(obj) is Size:
            return Name(THEIRS, "Size"), (tuple(obj),)
        if isinstance(obj, Members):
            how: Any = obj.__reduce_ex__(PROTOCOL)
            function, args, *rest = how
            if rest and isinstance(rest[0], dict) and "_kinds" in rest[0]:
                rest[0] = to_torch(obj, rest[0])
            return (function, args, *rest)
        return NotImplemented


def reduced(tensor: Any) -> tuple[Any, ...]:
    """How PyTorch puts a tensor together: a function and its arguments."""
    kind, state = type(tensor), dict(tensor.__dict__)
    if is_lazy(tensor):
        return tensor.__reduce_ex__(PROTOCOL)  # type: ignore[no-any-return]
    if isinstance(tensor, Parameter):
        plain = tensor.detach()
        if kind is Parameter and state:
            return PARAMETER_WITH_STATE, (plain, tensor.requires_grad, OrderedDict(), state)
        args: Any
        function, args = PARAMETER, (plain, tensor.requires_grad, OrderedDict())
        return (function, args) if kind is Parameter else (SUBCLASS, (function, kind, args, state))
    function, args = sparse(tensor) if isinstance(tensor._data, SparseArray) else dense(tensor)
    if kind is Buffer:  # what a module keeps says that it is one
        return function, args
    return (function, args) if kind is Tensor and not state else (SUBCLASS, (function, kind, args, state))


def dense(tensor: Any) -> tuple[Name, Any]:
    """A tensor's memory."""
    array = kernels_of[type(tensor._data)].backend.to_numpy(tensor._data)
    memory = Memory()
    memory.array = array.copy() if min(array.strides, default=0) < 0 else array
    memory.place, memory.requires_grad = str(tensor.device), tensor.requires_grad
    return (TENSOR if array.dtype.name in TYPED else TYPED_TENSOR), memory


def sparse(tensor: Any) -> tuple[Name, Any]:
    """A sparse tensor's layout and the tensors that it is made of."""
    layout, arrays, shape, rest = tensor._data.packed()
    parts = [wrap(array) for array in arrays]
    if layout == "sparse_coo":
        return SPARSE, (Layout(layout), (*parts, Size(shape), bool(rest)))
    return SPARSE, (Layout(layout), (*parts, Size(shape)))


# ---------------------------------------------------------------------- what is written by hand


def encoded(value: Any) -> bytes:
    """A name, number, text or tuple of such, as pickles of any protocol have it."""
    if isinstance(value, Name):
        return pickle.GLOBAL + f"{value.module}\n{value.name}\n".encode()
    if isinstance(value, bool):
        return pickle.NEWTRUE if value else pickle.NEWFALSE
    if isinstance(value, int):
        if 0 <= value < 2**31:
            return pickle.BININT + struct.pack("<i", value)
        number = pickle.encode_long(value)
        return pickle.LONG1 + bytes([len(number)]) + number
    if isinstance(value, str):
        text = value.encode()
        return pickle.BINUNICODE + struct.pack("<I", len(text)) + text
    return pickle.MARK + b"".join(map(encoded, value)) + pickle.TUPLE


NO_HOOKS = encoded(Name("collections", "OrderedDict")) + pickle.EMPTY_TUPLE + pickle.REDUCE


class Storages:
    """The pieces of memory that a file holds, and which of them each tensor lies in.

    Tensors of one type that overlap in memory share a piece, so that they overlap again when they are read.

    Args:
        memories: those of all tensors.
    """

    def __init__(self, memories: list[Memory]) -> None:
        self.pieces: list[tuple[int, int]] = []  # where each begins and ends; the arrays in `found` keep them alive
        self.found: dict[int, tuple[int, int, Any]] = {}  # the number of a tensor's piece, its offset there, its array
        kinds: dict[tuple[str, str], list[tuple[int, int, Memory]]] = {}
        for memory in memories:
            low, high = byte_bounds(memory.array) if memory.array.size else (0, 0)
            kinds.setdefault((memory.array.dtype.name, memory.place), []).append((low, high, memory))
        for spans in kinds.values():
            self._divide(sorted(spans, key=lambda span: span[:2]))

    def _divide(self, spans: list[tuple[int, int, Memory]]) -> None:
        together: list[tuple[int, int, Memory]] = []
        end = 0
        for low, high, memory in spans:
            if together and (low >= end or (low - together[0][0]) % memory.array.itemsize):
                self._add(together, end)
                together = []
            end = max(end, high) if together else high
            together.append((low, high, memory))
        self._add(together, end)

    def _add(self, together: list[tuple[int, int, Memory]], end: int) -> None:
        start, _, alone = together[0]
        if len(together) > 1:
            kept = [(low, memory, memory.array) for low, _, memory in together]
        else:
            gaps = alone.array.nbytes < end - start  # which nobody fills: a copy has none
            array = alone.array.copy() if gaps else alone.array
            start, end = byte_bounds(array) if gaps else (start, end)
            kept = [(start, alone, array)]
        for low, memory, array in kept:
            self.found[id(memory)] = len(self.pieces), (low - start) // array.itemsize, array
        self.pieces.append((start, end))

    def arguments(self, memory: Memory) -> bytes:
        """The arguments of the function that makes the tensor, as the pickle has them."""
        number, offset, array = self.found[id(memory)]
        start, end = self.pieces[number]
        kind = array.dtype.name
        count = (end - start) // (array.itemsize if kind in TYPED else 1)
        name = Name(THEIRS, TYPED[kind]) if kind in TYPED else Name(f"{THEIRS}.storage", "UntypedStorage")
        storage = "storage", name, str(number), memory.place, count
        steps = tuple([step // array.itemsize for step in array.strides]) if array.size else dense_steps(array.shape)
        parts = encoded(storage) + pickle.BINPERSID
        parts += b"".join(map(encoded, (offset, array.shape, steps, memory.requires_grad))) + NO_HOOKS
        if kind not in TYPED:
            parts += encoded(Name(THEIRS, kind))
        return pickle.MARK + parts + pickle.TUPLE

    def contents(self) -> Iterator[tuple[int, Any]]:
        """The number of each piece, and its bytes."""
        for number, (start, end) in enumerate(self.pieces):
            yield number, (ctypes.c_char * (end - start)).from_address(start) if end > start else b""


def dense_steps(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of a tensor without elements, which NumPy does not keep."""
    steps = [1]
    for size in reversed(shape[1:]):
        steps.append(steps[-1] * max(size, 1))
    return tuple(reversed(steps[: len(shape)]))


# ---------------------------------------------------------------------- the archive


def write(target: Target, obj: Any, protocol: int = PROTOCOL) -> None:
    """Write an object, which appears under its name when the file is complete.

    Args:
        target: a path, or a file open for writing.
        obj: anything that can be pickled.
        protocol: of the pickle; at most `NEWEST` is used.

    Raises:
        Exception: what pickle raises for an object that it cannot take, such as a lambda. Nothing is written then.
    """
    chunks: list[Any] = []
    Writer(chunks, protocol).dump(obj)
    storages = Storages([chunk for chunk in chunks if type(chunk) is Memory])
    content = b"".join([storages.arguments(chunk) if type(chunk) is Memory else chunk for chunk in chunks])
    with complete(target) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        root = Path(target).stem if isinstance(target, (str, os.PathLike)) else "archive"
        add(archive, f"{root}/data.pkl", content)
        add(archive, f"{root}/.format_version", b"1")
        add(archive, f"{root}/.storage_alignment", str(ALIGNMENT).encode())
        add(archive, f"{root}/byteorder", sys.byteorder.encode())
        for number, piece in storages.contents():
            add(archive, f"{root}/data/{number}", piece)
        add(archive, f"{root}/version", b"3\n")


def add(archive: zipfile.ZipFile, name: str, content: Any) -> None:
    """Put a file into the archive, so that its content begins at a multiple of `ALIGNMENT`."""
    entry = zipfile.ZipInfo(name)
    size = memoryview(content).nbytes
    large = size >= zipfile.ZIP64_LIMIT
    begin = archive.fp.tell() + 30 + len(name.encode()) + (20 if large else 0) + 4  # type: ignore[union-attr]
    gap = -begin % ALIGNMENT
    entry.extra = b"FB" + struct.pack("<H", gap) + b"Z" * gap
    entry.file_size = size
    with archive.open(entry, "w", force_zip64=large) as file:
        file.write(content)
