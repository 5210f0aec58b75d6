"""Files in the safetensors format: named arrays and a text note, nothing that can be executed.

The safetensors package writes and checks them. Added here are bfloat16, which its NumPy reader lacks, files that appear
only when they are complete, and errors that name the file and what to do.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import IO, Any

import numpy as np
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from ..backends.dtypes import ALL, FLOAT8, numpy_dtype
from ..backends.errors import WengertError

__all__ = ["FileFormatError", "complete", "read", "write"]

_SPECIAL = {
    **{"bool": "BOOL", "bfloat16": "BF16"},
    **{"float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "float8_e8m0fnu": "F8_E8M0"},
}
NAMES = {
    d.name: _SPECIAL.get(d.name) or d.name[0].upper() + str(8 * d.itemsize)
    for d in ALL
    if d.name in _SPECIAL or (d.name != "complex128" and d not in FLOAT8)  # the format lacks the others
}
TYPES = {name: numpy_dtype(kind) for kind, name in NAMES.items()}
NOTES = "__metadata__"

# What other files begin with, and what to do about them.
STRANGERS = (
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
    # Not `ascontiguousarray`, which gives 0-d arrays a dimension.
    content = save({name: np.array(a, order="C", copy=None) for name, a in arrays.items()}, dict(notes))
    with complete(target) as file:
        file.write(content)


@contextlib.contextmanager
def complete(target: Target) -> Iterator[IO[bytes]]:
    """A file to write to. For a path it is another one beside it, which takes its place when all is written."""
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


def read(content: bytes, where: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """The arrays and notes of a file, in the order in which its header names them.

    Args:
        content: the file's bytes.
        where: what to call the file in errors.

    Raises:
        FileFormatError: the file is damaged or is none; the message names it, what is wrong and what to do.
    """
    try:
        entries = dict(deserialize(content))  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        raise FileFormatError(f"cannot load {where}: {_advice(content, error)}") from None
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])  # the package has checked it
    notes = header.pop(NOTES, None) or {}
    return {name: _array(name, entries[name], where) for name in header}, notes


def _advice(content: bytes, error: SafetensorError) -> str:
    for magic, advice in STRANGERS:
        if content.startswith(magic):
            return advice
    return (
        f"it is no safetensors file, or it is truncated or damaged ({error}; {len(content)} bytes); "
        "copy or download it again"
    )


def _array(name: str, entry: Mapping[str, Any], where: Any) -> Any:
    kind = entry["dtype"]
    if kind not in TYPES:
        raise FileFormatError(
            f"cannot load {where}: {name!r} has the type {kind}, which has no counterpart here; known are "
            f"{', '.join(TYPES)}. Convert it in the program that wrote it"
        )
    return np.frombuffer(entry["data"], TYPES[kind]).reshape(entry["shape"])
