"""Files in the safetensors format: named arrays and a text note, nothing that can be executed.

The safetensors package writes and checks them. Added here are bfloat16, which its NumPy reader lacks, files that appear
only when they are complete, and errors that name the file and what to do.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

import numpy as np
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from ..backends.dtypes import ALL, FLOAT8, numpy_dtype
from ..backends.errors import WengertError

__all__ = ["FileFormatError", "FilePlaceError", "complete", "encoded", "read", "several_complete", "write"]

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
    content = encoded(arrays, notes)
    with complete(target) as file:
        file.write(content)


def encoded(arrays: Mapping[str, Any], notes: Mapping[str, str]) -> bytes:
    """The content of a file of NumPy arrays; see `write`."""
    # Not `ascontiguousarray`, which gives 0-d arrays a dimension.
    return save({name: np.array(a, order="C", copy=None) for name, a in arrays.items()}, dict(notes))


class FilePlaceError(OSError, WengertError, RuntimeError):
    """A place where no file can be written: both an ``OSError`` and what PyTorch raises there."""


@contextlib.contextmanager
def complete(target: Target) -> Iterator[IO[bytes]]:
    """A file to write to. For a path it is another one beside it, which takes its place when all is written.

    Raises:
        FilePlaceError: there is no such folder, no file may be made in it, or the path is a folder's.
    """
    if not isinstance(target, (str, os.PathLike)):
        yield target
        return
    with several_complete() as opened:
        yield opened(target)


@contextlib.contextmanager
def several_complete() -> Iterator[Callable[[str | os.PathLike[str]], IO[bytes]]]:
    """A function that opens files to write to, of which all take their places when all are written, or none does.

    What is no file of a disk, such as ``/dev/null`` or a pipe, is written to itself. A file that takes the place of
    another has its permissions.
    """
    waiting: list[tuple[IO[bytes], str, str]] = []

    def opened(target: str | os.PathLike[str]) -> IO[bytes]:
        path = os.path.realpath(target)
        own = _mode(path)
        beside = path if own is not None and not stat.S_ISREG(own) else f"{path}.{os.getpid()}.tmp"
        file = _opened(beside, path)
        waiting.append((file, beside, path))
        if own is not None and beside != path:
            with contextlib.suppress(OSError):  # a file system without permissions
                os.chmod(beside, stat.S_IMODE(own))
        return file

    try:
        yield opened
        for file, beside, path in waiting:
            file.flush()
            if beside != path:
                os.fsync(file.fileno())
            file.close()
        for _, beside, path in waiting:
            if beside != path:
                os.replace(beside, path)
    except BaseException:
        for file, beside, path in waiting:
            with contextlib.suppress(OSError):
                file.close()  # which writes what is left, and fails again on a full disk
            if beside != path:
                with contextlib.suppress(FileNotFoundError):
                    os.remove(beside)
        raise


def _mode(path: str) -> int | None:
    try:
        return os.stat(path).st_mode
    except OSError:
        return None


def _opened(beside: str, path: str) -> IO[bytes]:
    folder = os.path.dirname(path)
    if os.path.isdir(path):
        raise FilePlaceError(errno.EISDIR, "this is a folder; name a file in it", path)
    if not os.path.isdir(folder):
        raise FilePlaceError(
            errno.ENOENT, f"Parent directory {folder} does not exist. Make it first, with os.makedirs", path
        )
    try:
        return open(beside, "wb")
    except PermissionError:
        raise FilePlaceError(
            errno.EACCES, f"no file can be made in {folder}, for want of permission; choose another", path
        ) from None


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
