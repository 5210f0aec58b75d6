"""``save`` and ``load``: PyTorch's files (`torch_writing`, `torch_file`), and safetensors files.

In a safetensors file tensors become the file's arrays. A note in its header, in JSON, says how they were arranged, with
the numbers and strings between them. So other programs can read a saved ``state_dict``.
"""

from __future__ import annotations

import io
import json
import os
import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from ..autograd.base import TensorBase, wrap
from ..autograd.ops.size import Size
from ..autograd.sparse.creation import unpacked
from ..backends import Device, DType, default_device, get_backend, kernels_of, to_dtype
from ..backends.errors import ArgumentError
from ..backends.sparse import SparseArray
from ..nn.parameter import Parameter
from . import safetensors, torch_file, torch_writing
from .safetensors import FileFormatError, Target

__all__ = ["FileFormatError", "load", "save"]

NOTE = "wengert"  # the note that holds the arrangement


def save(
    obj: Any,
    f: Target,
    pickle_module: Any = None,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
) -> None:
    """Write an object to a file in PyTorch's format, which PyTorch reads, too.

    Tensors that share memory share it again when they are read. The file appears under its name when it is complete.
    To a path that ends in ``.safetensors`` goes a file of that format, for tensors, numbers and strings, and
    dictionaries and lists of them.

    Args:
        obj: a ``state_dict`` of a module or an optimizer, a tensor, a nesting of these, or another object, such as a
            module. What is more than data is read back with ``weights_only=False`` only.
        f: a path, or a file open for writing.
        pickle_module: accepted as in PyTorch.
        pickle_protocol: of the pickle in the file.
        _use_new_zipfile_serialization: accepted as in PyTorch; files are of the newer form.

    Raises:
        TypeError: something in ``obj`` cannot be pickled, or is not for a safetensors file; the message says what.
            Nothing is written then.

    Example:
        >>> import wengert as wg, tempfile, os
        >>> path = os.path.join(tempfile.mkdtemp(), "checkpoint.pt")
        >>> wg.save({"weight": wg.ones(2), "epoch": 3}, path)
        >>> wg.load(path)
        {'weight': tensor([1., 1.]), 'epoch': 3}
    """
    if isinstance(f, (str, os.PathLike)) and os.fspath(f).endswith(".safetensors"):
        writer = Writer()
        tree = writer.node(obj, ())
        safetensors.write(f, writer.arrays, {"format": "pt", NOTE: json.dumps(tree, separators=(",", ":"))})
        return
    try:
        torch_writing.write(f, obj, pickle_protocol)
    except (pickle.PicklingError, AttributeError, TypeError, ValueError) as reason:
        hint = "; save its state_dict()" if hasattr(obj, "state_dict") else ""
        raise TypeError(f"save() cannot pickle this {type(obj).__name__}: {reason}{hint}") from reason


def load(
    f: Target,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool = True,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """What `save` or ``torch.save`` wrote, or the tensors of any other safetensors file by name.

    Args:
        f: a path, or a file open for reading.
        map_location: the device to put tensors on, the default device when left out; or a function of a tensor and the
            name of the device that it was saved from, or a dictionary from such names to devices.
        pickle_module: accepted as in PyTorch.
        weights_only: read only what is data: tensors, parameters, numbers, text, NumPy arrays and containers of them.
            Nothing else that the file names is called, but what `serialization.add_safe_globals` was given. False
            reads everything, whole modules, too, and may run any code: only for files that you trust.
        mmap: leave the tensors' memory in the file until it is used; needs a path, and tensors stay on the CPU.
        **pickle_load_args: accepted as in PyTorch.

    Raises:
        UnpicklingError: the file holds more than data, and ``weights_only`` is True. RuntimeError: it is damaged,
            truncated or of another kind, or ``mmap`` is wanted of a file object. FileNotFoundError: there is none.

    Example:
        >>> import wengert as wg, io
        >>> file = io.BytesIO()
        >>> wg.save(wg.nn.Linear(2, 1).state_dict(), file)
        >>> _ = file.seek(0)
        >>> list(wg.load(file))
        ['weight', 'bias']
    """
    place = _placement(map_location)
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            return _loaded(file, os.fspath(f), place, not weights_only, f if mmap else None)
    if mmap:
        raise ArgumentError("f must be a file path in order to use the mmap argument")
    content = io.BytesIO(f.read())
    return _loaded(content, getattr(f, "name", "the given file"), place, not weights_only, None)


def _loaded(file: IO[bytes], where: Any, place: Callable[[Any, str], Any], trusted: bool, mapped: Any) -> Any:
    """What is in a file that can be searched; ``where`` is what errors call it."""
    head = file.read(9)
    file.seek(0)
    if not torch_file.is_torch_file(head):
        return _arranged(file.read(), where, lambda array: place(array, "cpu"))
    try:
        return torch_file.read(file, place, trusted=trusted, mapped=mapped)
    except torch_file.UntrustedFileError as error:
        raise torch_file.UntrustedFileError(f"cannot load {where}: {error}") from None
    except FileFormatError as error:
        raise FileFormatError(f"cannot load {where}: {error}") from error


def _arranged(content: bytes, where: Any, place: Callable[[Any], Any]) -> Any:
    """What is in a safetensors file."""
    arrays, notes = safetensors.read(content, where)
    reader = Reader(arrays, place)
    if NOTE not in notes:
        return {name: reader.tensor(name, {}) for name in arrays}
    try:
        return reader.value(json.loads(notes[NOTE]))
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise FileFormatError(
            f"cannot load {where}: the note that says how its tensors are arranged is damaged ({error!r}); its tensors "
            "can still be read with the safetensors package"
        ) from error


class NoDataError(TypeError):
    """A value that is neither a tensor nor a number, a string or a nesting of such."""


class Writer:
    """Takes a nesting apart into arrays and a tree of JSON values.

    A tree has text, numbers, booleans and None as they are. Everything else is an object with one of these keys:
    ``tensor`` (with ``sparse`` beside it where it holds the values of a
    sparse one), ``array`` (the name of an array), ``dict``, ``ordered`` (pairs), ``list``, ``tuple``, ``set``,
    ``complex``, ``dtype``, ``device``, ``size``.
    """

    def __init__(self) -> None:
        self.arrays: dict[str, Any] = {}
        self.names: dict[Any, str] = {}  # of arrays that are there already, by where they lie in memory

    def node(self, value: Any, path: tuple[str, ...]) -> Any:
        """The tree of ``value``."""
        if value is None or isinstance(value, (bool, str)) or type(value) in (int, float):
            return value
        if isinstance(value, TensorBase):
            return self._tensor(value, path)
        if isinstance(value, np.ndarray) and value.dtype.name in safetensors.NAMES:
            return {"array": self._name(value, path)}
        if isinstance(value, np.generic):
            return self.node(value.item(), path)
        if isinstance(value, dict):
            return self._dict(value, path)
        if isinstance(value, Size):
            return {"size": list(value)}
        for kind, key in ((list, "list"), (tuple, "tuple"), ((set, frozenset), "set")):
            if isinstance(value, kind):
                return {key: [self.node(item, (*path, str(i))) for i, item in enumerate(value)]}
        if isinstance(value, complex):
            return {"complex": [value.real, value.imag]}
        if isinstance(value, DType):
            return {"dtype": value.name}
        if isinstance(value, Device):
            return {"device": str(value)}
        if isinstance(value, (int, float)):  # their subclasses, such as enumerations
            return self.node(int(value) if isinstance(value, int) else float(value), path)
        place = "".join(f"[{part!r}]" for part in path)
        hint = "; save its state_dict()" if hasattr(value, "state_dict") else ""
        kind_of = f"{type(value).__name__} of {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
        raise NoDataError(
            "a .safetensors file takes tensors, numbers, strings, and dictionaries, lists and tuples of them, but "
            f"obj{place} is a {kind_of}{hint}; to a path that ends otherwise, such as model.pt, everything that can be "
            "pickled is saved"
        )

    def _dict(self, value: dict[Any, Any], path: tuple[str, ...]) -> Any:
        pairs = [[self.node(key, path), self.node(item, (*path, str(key)))] for key, item in value.items()]
        node: dict[str, Any] = {"ordered" if isinstance(value, OrderedDict) else "dict": pairs}
        metadata = getattr(value, "_metadata", None)
        if metadata is not None:  # the versions of a module's state_dict
            node["metadata"] = self.node(metadata, (*path, "_metadata"))
        return node

    def _sparse(self, tensor: Any, path: tuple[str, ...]) -> Any:
        layout, arrays, shape, rest = tensor._data.packed()
        names = [self._array(a, (*path, str(i)))["tensor"] for i, a in enumerate(arrays[:-1])]
        node = self._array(arrays[-1], (*path, "values"))
        node["sparse"] = [layout, names, list(shape), list(rest) if isinstance(rest, tuple) else rest]
        if tensor.requires_grad:
            node["requires_grad"] = True
        return node

    def _tensor(self, tensor: Any, path: tuple[str, ...]) -> Any:
        if isinstance(tensor._data, SparseArray):
            return self._sparse(tensor, path)
        node = self._array(kernels_of[type(tensor._data)].backend.to_numpy(tensor._data), path)
        if tensor.requires_grad:
            node["requires_grad"] = True
        if isinstance(tensor, Parameter):
            node["parameter"] = True
        return node

    def _array(self, array: Any, path: tuple[str, ...]) -> dict[str, Any]:
        node: dict[str, Any] = {}
        if array.dtype.name == "complex128":  # the format has no such type
            array = np.ascontiguousarray(array.reshape(*array.shape, 1)).view(np.float64)
            node["view"] = "complex128"
        node["tensor"] = self._name(array, path)
        return node

    def _name(self, array: Any, path: tuple[str, ...]) -> str:
        """The name under which ``array`` is written: its path, unless it is there under another one."""
        place = array.__array_interface__["data"][0], array.shape, array.strides, array.dtype.name
        if place in self.names and array.size:
            return self.names[place]
        name = base = ".".join(path) or "tensor"
        number = 1
        while name in self.arrays or name == safetensors.NOTES:
            number += 1
            name = f"{base}#{number}"
        self.arrays[name] = array
        self.names[place] = name
        return name


class Reader:
    """Puts a nesting together from arrays and a tree."""

    def __init__(self, arrays: dict[str, Any], place: Callable[[Any], Any]) -> None:
        self.arrays, self.place = arrays, place
        self.tensors: dict[str, Any] = {}
        self.parameters: dict[str, Any] = {}  # on the memory of these

    def value(self, node: Any) -> Any:
        """The value that a tree stands for."""
        if not isinstance(node, dict):
            return node
        if "sparse" in node:
            return self.sparse(node)
        if "tensor" in node:
            return self.tensor(node["tensor"], node)
        if "dict" in node or "ordered" in node:
            pairs = (
                (self.value(key), self.value(item)) for key, item in node["ordered" if "ordered" in node else "dict"]
            )
            result: Any = OrderedDict(pairs) if "ordered" in node else dict(pairs)
            if "metadata" in node and isinstance(result, OrderedDict):
                result._metadata = self.value(node["metadata"])  # type: ignore[attr-defined]
            return result
        ((kind, content),) = node.items()
        if kind == "array":
            return self.arrays[content]
        if kind == "size":
            return Size(content)
        if kind in ("list", "tuple", "set"):
            items = [self.value(item) for item in content]
            return items if kind == "list" else tuple(items) if kind == "tuple" else set(items)
        if kind == "complex":
            return complex(*content)
        if kind == "dtype":
            return to_dtype(content)
        if kind == "device":
            return Device(content)
        raise ValueError(f"unknown kind {kind!r}")

    def sparse(self, node: dict[str, Any]) -> Any:
        """The sparse tensor that several arrays become."""
        layout, names, *rest = node["sparse"]
        arrays = [*[self.arrays[name] for name in names], self._values(node["tensor"], node)]
        tensor = wrap(unpacked(layout, [self.place(a)._data for a in arrays], *rest))
        return tensor.requires_grad_() if node.get("requires_grad") else tensor

    def _values(self, name: str, node: dict[str, Any]) -> Any:
        array = self.arrays[name]
        if node.get("view") == "complex128":
            array = array.view(np.complex128).reshape(array.shape[:-1])
        return array

    def tensor(self, name: str, node: dict[str, Any]) -> Any:
        """The tensor that an array becomes; the same one each time."""
        if name not in self.tensors:
            tensor = self.place(self._values(name, node))
            if node.get("requires_grad") and not node.get("parameter"):
                tensor.requires_grad_(True)
            self.tensors[name] = tensor
        if not node.get("parameter"):
            return self.tensors[name]
        if name not in self.parameters:
            self.parameters[name] = Parameter(self.tensors[name], node.get("requires_grad", False))
        return self.parameters[name]


def _placement(map_location: Any) -> Callable[[Any, str], Any]:
    """What makes a tensor of a NumPy array that was saved from some device, where ``map_location`` says."""
    if isinstance(map_location, dict):
        named = map_location
        return lambda array, device: tensor_on(array, named.get(device))
    if callable(map_location):
        move: Callable[..., Any] = map_location
        return lambda array, device: move(wrap(array), device)
    _check(map_location)
    return lambda array, device: tensor_on(array, map_location)


def _check(where: Any) -> tuple[Any, Device]:
    device = default_device() if where is None else Device(where)
    backend = get_backend(device.type)
    backend.check(device)
    return backend, device


def tensor_on(array: Any, where: Any) -> Any:
    """A tensor of a NumPy array; on the CPU it shares the memory.

    Args:
        array: the elements.
        where: a device; the default device for None.
    """
    backend, device = _check(where)
    return wrap(backend.from_numpy(array, device))
