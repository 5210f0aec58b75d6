"""The safetensors file format: named arrays and a text note, nothing that can be executed.

A file is the length of its header (8 bytes, little-endian), the header (JSON: for each array its type, its shape and
where its bytes are), and the bytes. Reading checks all of the header before it reads any array.

References:
    https://huggingface.co/docs/safetensors, section "Format".
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
from collections.abc import Iterator, Mapping
from typing import IO, Any

import numpy as np

from ..backends.dtypes import ALL, numpy_dtype
from ..backends.errors import WengertError

__all__ = ["FileFormatError", "read", "write"]

_SPECIAL = {"bool": "BOOL", "bfloat16": "BF16"}
NAMES = {d.name: _SPECIAL.get(d.name) or d.name[0].upper() + str(8 * d.itemsize) for d in ALL if d.name != "complex128"}
TYPES = {name: numpy_dtype(kind) for kind, name in NAMES.items()}
NOTES = "__metadata__"
MAX_HEADER = 100_000_000  # bytes; the reference implementation reads no more

# What other files begin with, and what to do about them.
STRANGERS = (
    (
        b"PK\x03\x04",
        "it is a zip archive, as torch.save writes; in PyTorch, write it again with "
        "safetensors.torch.save_file(model.state_dict(), path)",
    ),
    (b"\x80", "it is a pickle, which could run any code; save it again in its own program as safetensors"),
    (b"\x93NUMPY", "it is a NumPy array; read it with numpy.load"),
    (b"\x89HDF", "it is an HDF5 file; read it with h5py"),
    (b"version https://git-lfs", "it is a Git LFS pointer, not the file itself; fetch that with `git lfs pull`"),
    (b"<", "it looks like a web page; the download answered with an error page"),
)

Target = str | os.PathLike[str] | IO[bytes]


class FileFormatError(WengertError, RuntimeError):
    """A file that is damaged, or is of another kind than its reader takes."""


def write(target: Target, arrays: Mapping[str, Any], notes: Mapping[str, str]) -> None:
    """Write NumPy arrays to a file, which appears under its name when it is complete.

    Args:
        target: a path, or a file open for writing.
        arrays: names to arrays of the types that the format has.
        notes: text to keep with them.
    """
    # Wide types first, so that every array lies at a multiple of its item size.
    names = sorted(arrays, key=lambda name: -arrays[name].dtype.itemsize)
    header: dict[str, Any] = {NOTES: dict(notes)} if notes else {}
    end = 0
    for name in names:
        a = arrays[name]
        header[name] = {
            "dtype": NAMES[a.dtype.name],
            "shape": list(a.shape),
            "data_offsets": [end, end := end + a.nbytes],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with _complete(target) as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for name in names:
            if arrays[name].size:
                file.write(np.ascontiguousarray(arrays[name]).reshape(-1).view(np.uint8).data)


@contextlib.contextmanager
def _complete(target: Target) -> Iterator[IO[bytes]]:
    """A file to write to. For a path it is another one beside it, which takes its place at the end."""
    if not isinstance(target, (str, os.PathLike)):
        yield target
        return
    path = os.path.realpath(target)
    beside = f"{path}.{os.getpid()}.tmp"
    try:
        with open(beside, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.remove(beside)
        raise


def read(source: Target) -> tuple[dict[str, Any], dict[str, str]]:
    """The arrays and notes of a file, in the order in which its header names them.

    Args:
        source: a path, or a file open for reading.

    Raises:
        FileFormatError: the file is damaged or is none; the message names it, what is wrong and what to do.
        FileNotFoundError: there is none.
    """
    if isinstance(source, (str, os.PathLike)):
        with open(source, "rb") as file:
            return _read(file, os.fspath(source), os.fstat(file.fileno()).st_size)
    content = source.read()
    return _read(io.BytesIO(content), getattr(source, "name", "the given file"), len(content))


def _read(file: IO[bytes], where: Any, size: int) -> tuple[dict[str, Any], dict[str, str]]:
    start = file.read(32)
    for magic, advice in STRANGERS:
        if start.startswith(magic) and not _plausible(start, size):
            raise FileFormatError(f"cannot load {where}: {advice}")
    if size < 8:
        raise FileFormatError(f"cannot load {where}: it has {size} bytes and no header; it was not written to the end")
    length = int.from_bytes(start[:8], "little")
    if length > min(MAX_HEADER, size - 8):
        what = "it is truncated, or no safetensors file" if start[8:9] == b"{" else "it is no safetensors file"
        raise FileFormatError(
            f"cannot load {where}: its header should have {length} bytes, and {size - 8} follow, so {what}; copy or "
            "download it again"
        )
    file.seek(8)
    header = _header(file.read(length), where)
    notes = header.pop(NOTES, {})
    if not isinstance(notes, dict) or not all(isinstance(v, str) for v in notes.values()):
        raise FileFormatError(f"cannot load {where}: the notes in its header are no text")
    layout = {name: _entry(name, entry, where) for name, entry in header.items()}
    _check_layout(layout, size - 8 - length, where)
    arrays = {}
    for name, (dtype, shape, begin, _) in layout.items():
        arrays[name] = a = np.empty(shape, dtype)
        if a.size:
            file.seek(8 + length + begin)
            buffer = a.reshape(-1).view(np.uint8)
            if file.readinto(buffer) != buffer.size:  # type: ignore[attr-defined]
                raise FileFormatError(f"cannot load {where}: it ended while {name!r} was read; is it being written?")
    return arrays, notes


def _plausible(start: bytes, size: int) -> bool:
    """Whether a beginning that looks like another format's may be a header's length after all."""
    return start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= size - 8


def _header(text: bytes, where: Any) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(
            f"cannot load {where}: its header is not JSON ({error}); it is damaged, or no safetensors file"
        ) from None
    if not isinstance(header, dict):
        raise FileFormatError(f"cannot load {where}: its header is a {type(header).__name__}, not a JSON object")
    return header


def _entry(name: str, entry: Any, where: Any) -> tuple[Any, tuple[int, ...], int, int]:
    """Type, shape, first and last byte of one array."""
    try:
        kind, shape, (begin, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
        fits = all(type(n) is int and n >= 0 for n in (*shape, begin, end))
    except (TypeError, KeyError, ValueError):
        fits = False
    if not fits:
        raise FileFormatError(f"cannot load {where}: its header does not say type, shape and place of {name!r}")
    if kind not in TYPES:
        raise FileFormatError(
            f"cannot load {where}: {name!r} has the type {kind}, which has no counterpart here; known are "
            f"{', '.join(TYPES)}. Convert it in the program that wrote it"
        )
    dtype = TYPES[kind]
    if end - begin != math.prod(shape) * dtype.itemsize:
        raise FileFormatError(
            f"cannot load {where}: {name!r} of type {kind} and shape {list(shape)} takes "
            f"{math.prod(shape) * dtype.itemsize} bytes, and its header says {end - begin}; it is damaged"
        )
    return dtype, shape, begin, end


def _check_layout(layout: dict[str, tuple[Any, tuple[int, ...], int, int]], size: int, where: Any) -> None:
    """The arrays must follow one another without gaps, and fill the file."""
    at = 0
    for name, (_, _, begin, end) in sorted(layout.items(), key=lambda item: item[1][2:]):
        if begin != at:
            raise FileFormatError(f"cannot load {where}: {name!r} begins at byte {begin}, not {at}; it is damaged")
        at = end
    if at != size:
        what = "truncated" if size < at else "longer than its header says"
        raise FileFormatError(
            f"cannot load {where}: the file is {what}: the arrays take {at} bytes, {size} are there; copy or download "
            "it again"
        )
