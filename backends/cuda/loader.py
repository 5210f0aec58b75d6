"""Compiles the CUDA sources beside this file when one of their kernels is first called, and launches them.

Each ``.cu`` file holds templates ``template <class T> __global__ void name(...)``. For each element type that comes
by, NVRTC compiles a file once; CuPy keeps the result on the disk (``CUPY_CACHE_DIR``). The types of a kernel's
parameters are read from its source, so that a Python number reaches it in the size that it has there.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cupy
import numpy as np

from ..errors import KernelError

FOLDER = Path(__file__).parent
OPTIONS = ("--std=c++17",)
TYPES = {"f": "float", "d": "double", "e": "float16", "E": "bfloat16"}  # by the character of a NumPy dtype
ACTIVATIONS = {"none": 0, "relu": 1, "gelu": 2, "gelu_tanh": 3, "silu": 4, "sigmoid": 5, "tanh": 6}  # as in common.cuh
MOST_THREADS = 512  # of a block: leaves each thread 128 registers, more than any kernel uses
MOST_BLOCKS = 8192  # of a grid; each then goes on to further items

_INCLUDE = re.compile(r'^#include "(\w+\.cuh)"$', re.MULTILINE)
_KERNEL = re.compile(r"template <class T>\n__global__ void __launch_bounds__\(512, 1\)\s+(\w+)\(([^)]*)\)")


def source(name: str) -> str:
    """The text of a ``.cu`` file with the headers beside it put in, as CuPy's cache only sees the text."""
    text = (FOLDER / f"{name}.cu").read_text(encoding="utf-8")

    def header(found: re.Match[str]) -> str:
        inner = (FOLDER / found[1]).read_text(encoding="utf-8")
        line = text.count("\n", 0, found.end()) + 2
        return f'#line 1 "{found[1]}"\n{inner}\n#line {line} "{name}.cu"'

    return _INCLUDE.sub(header, text)


def parameters(text: str) -> dict[str, tuple[str, ...]]:
    """The kernels in a source, and the types of their parameters."""
    return {
        name: tuple(" ".join(parameter.split()[:-1]) for parameter in inside.split(","))
        for name, inside in _KERNEL.findall(text)
    }


@functools.cache
def homes() -> dict[str, str]:
    """In which file each kernel is."""
    files = sorted(path.stem for path in FOLDER.glob("*.cu"))
    return {kernel: name for name in files for kernel in parameters((FOLDER / f"{name}.cu").read_text("utf-8"))}


def _pointer(x: Any) -> Any:
    return np.uint64(0) if x is None else x


def _struct(x: Any) -> Any:
    return x.reshape(1)  # CuPy passes an array of one element by value


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "int": np.int32,
    "i64": np.int64,
    "u64": np.uint64,
    "double": np.float64,
}


def _converter(kind: str) -> Callable[[Any], Any]:
    """What makes an argument of a Python value, for a parameter of that type."""
    if kind.endswith("*"):
        return _pointer
    return _CONVERTERS.get(kind, _struct)


@functools.cache
def _module(name: str, char: str) -> Any:
    text = source(name)
    names = tuple(f"{kernel}<{TYPES[char]}>" for kernel in parameters(text))
    return cupy.RawModule(code=text, options=OPTIONS, name_expressions=names)


@functools.cache
def kernel(name: str, char: str) -> tuple[Any, tuple[Callable[[Any], Any], ...]]:
    """The compiled kernel of that name for an element type, and what its arguments are converted by.

    Raises:
        KernelError: it does not compile here.
    """
    file = homes()[name]
    try:
        function = _module(file, char).get_function(f"{name}<{TYPES[char]}>")
    except Exception as error:  # of the compiler, of finding it, of loading what it made
        raise KernelError(
            f"the CUDA kernel {name}<{TYPES[char]}> of {FOLDER.name}/{file}.cu could not be compiled by CuPy "
            f"{cupy.__version__}. Set WENGERT_CUDA_KERNELS=0 before starting Python to compute with CuPy's own kernels "
            f"instead; or see whether CuPy fits the driver, with python -c 'import cupy; cupy.show_config()'. It said: "
            f"{type(error).__name__}: {error}"
        ) from error
    kinds = parameters((FOLDER / f"{file}.cu").read_text("utf-8"))[name]
    return function, tuple(map(_converter, kinds))


def launch(name: str, dtype: Any, shape: tuple[Any, Any], *arguments: Any) -> None:
    """Start a kernel.

    Args:
        name: of the kernel.
        dtype: the element type for ``T``.
        shape: the grid and the block, as `by_rows` and `by_items` give them.
        arguments: contiguous arrays, None for a pointer to nothing, and Python numbers.
    """
    function, converters = kernel(name, dtype.char)
    if len(arguments) != len(converters):
        raise TypeError(f"{name} takes {len(converters)} arguments, not {len(arguments)}")
    function(*shape, tuple([convert(a) for convert, a in zip(converters, arguments, strict=True)]))


def takes(*arrays: Any) -> bool:
    """Whether the arrays (or None) are of one floating type that the kernels are for."""
    kinds = {a.dtype.char for a in arrays if a is not None}
    return len(kinds) == 1 and next(iter(kinds)) in TYPES


def wide_type(dtype: Any) -> Any:
    """What a type is computed in."""
    return np.dtype(np.float32) if dtype.itemsize == 2 else dtype


def by_rows(rows: int, columns: int) -> tuple[Any, Any]:
    """Grid and block for one row to a warp (short rows, four to a block) or to a block."""
    threads = 32
    while threads < MOST_THREADS and threads * 8 < columns:
        threads *= 2
    together = 4 if threads == 32 else 1
    return (max(min(-(-rows // together), 2**31 - 1), 1),), (threads, together)


def by_items(count: int, each: int = 1, threads: int = 256) -> tuple[Any, Any]:
    """Grid and block for items of their own, ``each`` of which a thread does at once."""
    return (max(min(-(-count // (threads * each)), MOST_BLOCKS), 1),), (threads,)
