"""safetensors files by name of tensor: whole, one tensor at a time, and spread over several files with an index.

The functions are called as in the ``safetensors`` package's own modules for other libraries; an index is named as on
the Hugging Face Hub: ``model-00001-of-00003.safetensors`` and ``model.safetensors.index.json``. Files of whole
nestings are `serialization`'s.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors as package

from ..autograd.base import TensorBase
from ..backends import kernels_of
from . import safetensors
from .safetensors import NOTES, TYPES, FileFormatError
from .serialization import tensor_on

__all__ = ["SafeFile", "load_file", "load_sharded", "safe_open", "save_file", "save_sharded"]

FilePath = str | os.PathLike[str]
UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "KI": 2**10, "MI": 2**20, "GI": 2**30}


def save_file(tensors: Mapping[str, Any], filename: FilePath, metadata: Mapping[str, str] | None = None) -> None:
    """Write tensors by name to a safetensors file, which appears when it is complete.

    Args:
        tensors: names to tensors, such as a ``state_dict``; each is written by value.
        filename: the path.
        metadata: text to keep with them.

    Raises:
        TypeError: a value is no tensor, or of a type that the format lacks (complex128).

    Example:
        >>> import wengert as wg, tempfile, os
        >>> from wengert.utils.tensor_files import load_file, save_file
        >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
        >>> save_file({"w": wg.ones(2, dtype=wg.bfloat16)}, path)
        >>> load_file(path)["w"]
        tensor([1., 1.], dtype=wengert.bfloat16)
    """
    content = _encoded(tensors, metadata)
    with safetensors.complete(filename) as file:
        file.write(content)


def _encoded(tensors: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> bytes:
    arrays = {name: _array_of(name, tensor) for name, tensor in tensors.items()}
    return safetensors.encoded(arrays, {"format": "pt", **(metadata or {})})


def _array_of(name: str, tensor: Any) -> Any:
    if not isinstance(tensor, TensorBase):
        raise TypeError(f"save_file: {name!r} is a {type(tensor).__name__}; a safetensors file holds tensors by name")
    array = kernels_of[type(tensor._data)].backend.to_numpy(tensor._data)
    if array.dtype.name not in safetensors.NAMES:
        raise TypeError(f"save_file: {name!r} is of {array.dtype}, which safetensors files lack; use view_as_real")
    return array


def load_file(filename: FilePath, device: Any = None) -> dict[str, Any]:
    """The tensors of a safetensors file, by name.

    Args:
        filename: the path.
        device: where to put them; the default device when left out.

    Raises:
        RuntimeError: the file is damaged or of another kind. FileNotFoundError: there is none.
    """
    with safe_open(filename, device=device) as file:
        return {name: file.get_tensor(name) for name in file}


def safe_open(filename: FilePath, framework: str = "pt", device: Any = None) -> SafeFile:
    """Open a safetensors file to read tensors of it one at a time, without reading the rest.

    Args:
        filename: the path.
        framework: accepted as in the ``safetensors`` package.
        device: where to put them; the default device when left out.

    Example:
        >>> import wengert as wg, tempfile, os
        >>> from wengert.utils.tensor_files import safe_open, save_file
        >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
        >>> save_file({"w": wg.arange(6.0).reshape(3, 2), "b": wg.zeros(2)}, path)
        >>> with safe_open(path) as file:
        ...     print(list(file.keys()), file.get_slice("w")[1:].tolist())
        ['b', 'w'] [[2.0, 3.0], [4.0, 5.0]]
    """
    return SafeFile(filename, device)


class SafeFile:
    """A safetensors file of which nothing is read before it is asked for; see `safe_open`."""

    def __init__(self, filename: FilePath, device: Any = None) -> None:
        self.path, self.device = os.fspath(filename), device
        with open(filename, "rb") as file:
            head = file.read(8)
            size = int.from_bytes(head, "little")
            header = file.read(size) if size <= os.path.getsize(filename) else b""
        try:
            with package.safe_open(self.path, framework="numpy"):  # it checks every number in the header
                pass
            entries = json.loads(header)
        except (package.SafetensorError, ValueError) as error:
            raise FileFormatError(f"cannot load {self.path}: no safetensors file, or a damaged one ({error})") from None
        self._notes: dict[str, str] = entries.pop(NOTES, None) or {}
        self._entries: dict[str, Any] = dict(sorted(entries.items()))
        self._begin = 8 + size

    def __enter__(self) -> SafeFile:
        return self

    def __exit__(self, *exc: object) -> None: ...

    def keys(self) -> list[str]:
        """The names of the tensors."""
        return list(self._entries)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def metadata(self) -> dict[str, str] | None:
        """The text that was saved with the tensors."""
        return self._notes or None

    def get_tensor(self, name: str) -> Any:
        """One tensor, read now.

        Raises:
            KeyError: the file has none of this name; the message gives those that are most alike.
        """
        return self.get_slice(name)[...]

    def get_slice(self, name: str) -> Slice:
        """One tensor, of which indexing reads a part."""
        if name not in self._entries:
            from difflib import get_close_matches

            near = get_close_matches(name, self._entries, 3, 0.3)
            raise KeyError(f"{self.path} has no tensor {name!r}; it has {', '.join(map(repr, near or self._entries))}")
        entry = self._entries[name]
        if entry["dtype"] not in TYPES:
            raise FileFormatError(f"cannot load {self.path}: {name!r} has the type {entry['dtype']}, which is unknown")
        dtype, shape = np.dtype(TYPES[entry["dtype"]]), tuple(entry["shape"])
        if 0 in shape:
            return Slice(np.empty(shape, dtype), self.device)
        return Slice(np.memmap(self.path, dtype, "r", self._begin + entry["data_offsets"][0], shape), self.device)


class Slice:
    """A tensor in a file; indexing it gives a `Tensor` of what was asked for."""

    def __init__(self, array: Any, device: Any) -> None:
        self._array, self._device = array, device

    def __getitem__(self, index: Any) -> Any:
        return tensor_on(np.array(self._array[index]), self._device)

    def get_shape(self) -> list[int]:
        """The sizes."""
        return list(self._array.shape)

    def get_dtype(self) -> str:
        """The type, as the format calls it: ``F32``."""
        return safetensors.NAMES[self._array.dtype.name]


# ---------------------------------------------------------------------- over several files


def save_sharded(
    tensors: Mapping[str, Any],
    folder: FilePath,
    max_shard_size: int | str = "5GB",
    filename: str = "model.safetensors",
) -> list[Path]:
    """Write tensors to as many files as are needed, with an index of which is where.

    What fits into one file goes into ``filename`` without an index. All files take their places when all are written.
    Files of an earlier call that are not written again are removed after that.

    Args:
        tensors: names to tensors. Those that share all of their memory are written once each time they occur.
        folder: where the files go; it is made if it is not there.
        max_shard_size: the most bytes of tensors in a file, as a number or like ``"500MB"``. A larger tensor has a file
            of its own.
        filename: what the files are named after.

    Returns:
        The paths of the files, the index last.

    Raises:
        ValueError: ``max_shard_size`` is not understood.
    """
    limit, folder = _bytes(max_shard_size), Path(folder)
    shards: list[dict[str, Any]] = [{}]
    room = limit
    for name, tensor in tensors.items():
        size = _array_of(name, tensor).nbytes
        if size > room and shards[-1]:
            shards.append({})
            room = limit
        shards[-1][name] = tensor
        room -= size
    folder.mkdir(parents=True, exist_ok=True)
    stem, suffix = os.path.splitext(filename)
    before = {
        p for p in folder.iterdir() if re.fullmatch(re.escape(stem) + r"-\d{5}-of-\d{5}" + re.escape(suffix), p.name)
    }
    index = folder / f"{filename}.index.json"
    if len(shards) == 1:
        written = [folder / filename]
        save_file(shards[0], written[0])
        index.unlink(missing_ok=True)
    else:
        written = [folder / f"{stem}-{i:05}-of-{len(shards):05}{suffix}" for i in range(1, len(shards) + 1)]
        places = {name: path.name for path, shard in zip(written, shards, strict=True) for name in shard}
        total = sum(_array_of(name, tensor).nbytes for name, tensor in tensors.items())
        with safetensors.several_complete() as opened:  # a part of an earlier call's files is not mixed with these
            for path, shard in zip(written, shards, strict=True):
                opened(path).write(_encoded(shard))
            listed = {"metadata": {"total_size": total}, "weight_map": places}
            opened(index).write(json.dumps(listed, indent=2).encode())
        (folder / filename).unlink(missing_ok=True)
        written.append(index)
    for path in before.difference(written):
        path.unlink()
    return written


def _bytes(size: int | str) -> int:
    if isinstance(size, int):
        return size
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMG]?I?)B?\s*", size.upper())
    if found is None:
        raise ValueError(f'max_shard_size must be a number of bytes, or like "500MB" or "5GB", not {size!r}')
    return int(float(found[1]) * UNITS[found[2]])


def load_sharded(folder: FilePath, filename: str = "model.safetensors", device: Any = None) -> dict[str, Any]:
    """The tensors that `save_sharded` wrote, or that a folder from the Hugging Face Hub holds, by name.

    Args:
        folder: where the files are.
        filename: what they are named after.
        device: where to put the tensors; the default device when left out.

    Raises:
        FileNotFoundError: neither the file nor an index is there, or a file that the index names is missing.
        RuntimeError: a file is damaged, or lacks a tensor that the index promises.

    Example:
        >>> import wengert as wg, tempfile
        >>> from wengert.utils.tensor_files import load_sharded, save_sharded
        >>> folder = tempfile.mkdtemp()
        >>> [path.name for path in save_sharded({"a": wg.ones(4), "b": wg.ones(4)}, folder, max_shard_size=16)]
        ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors', 'model.safetensors.index.json']
        >>> sorted(load_sharded(folder))
        ['a', 'b']
    """
    folder = Path(folder)
    index = folder / f"{filename}.index.json"
    if not index.exists():
        return load_file(folder / filename, device)
    try:
        places = dict(json.loads(index.read_bytes())["weight_map"])
    except (ValueError, KeyError, TypeError) as error:
        raise FileFormatError(
            f"cannot load {index}: no index of safetensors files, or a damaged one ({error!r})"
        ) from None
    files: dict[str, SafeFile] = {}
    tensors = {}
    for name, place in places.items():
        if not isinstance(place, str) or os.path.basename(place) != place:
            raise FileFormatError(
                f"cannot load {index}: {name!r} is said to be in {place!r}, which is outside the folder"
            )
        if place not in files:
            files[place] = safe_open(folder / place, device=device)
        try:
            tensors[name] = files[place].get_tensor(name)
        except KeyError as error:
            raise FileFormatError(f"cannot load {index}: {error.args[0]}") from None
    return tensors
