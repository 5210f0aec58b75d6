"""CUDA kernels on the CPU: the sources of ``backends/cuda`` compiled by g++ behind ``shim.h``, and launched by ctypes.

`EmulatedCupy` is what the Python callers of the kernels import in the place of CuPy: the stand-in, and ``RawModule``
over kernels that run here. It checks what CuPy and a GPU would not: size and type of every argument, that arrays lie
in one piece, and that nothing was written beside them.
"""

from __future__ import annotations

import ctypes
import hashlib
import itertools
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..fake_cupy import FakeCupy
from ..strict import StrictArray, strict_xp
from ..strict_array import new, poison

SHIM = Path(__file__).with_name("shim.h")
BUILD = Path(__file__).resolve().parents[2] / "build" / "emulation"
TYPES = ("float", "double", "float16", "bfloat16")
FLAGS = ["-std=c++17", "-O0", "-w", "-ffp-contract=off", "-shared", "-fPIC", "-x", "c++"]
GUARD = 128  # bytes before and after the memory of an array
ITEM = {
    **{
        "float": "f",
        "double": "d",
        "float16": "e",
        "bfloat16": "E",
        "int": "i",
        "i64": "lq",
        "long long": "lq",
        "bool": "?B",
        "u8": "B?",
        "u32": "IL",
    },
    **{"u64": "LQ", "void": "?bBhHiIlLqQefdE"},
}
turns = itertools.cycle((0, 1))  # in which order the threads of a block run
launches: list[str] = []  # the names of the kernels that were launched


def compiler() -> str | None:
    """g++, if it is installed."""
    return shutil.which("g++")


def guarded(shape: Any, dtype: Any) -> Any:
    """Poisoned memory for an array, with more of it before and after."""
    dtype = np.dtype(dtype)
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    memory = np.full(size + 2 * GUARD, 0xFF, np.uint8)
    return poison(memory[GUARD : GUARD + size].view(dtype).reshape(shape))


def written_beside(data: Any) -> bool:
    """Whether something was written before or after the memory of a guarded array."""
    memory = data
    while isinstance(memory.base, np.ndarray):
        memory = memory.base
    if memory.dtype != np.uint8 or memory.ndim != 1 or memory.size < 2 * GUARD:
        return False
    return not ((memory[:GUARD] == 0xFF).all() and (memory[-GUARD:] == 0xFF).all())


def build(text: str, exports: dict[str, str]) -> ctypes.CDLL:
    """The library with these kernels, by the names they are exported under; from the disk if it was built before."""
    lines = [f"EXPORT({name}, {kernel})" for name, kernel in exports.items()]
    whole = "\n".join([SHIM.read_text(encoding="utf-8"), text, *lines])
    target = BUILD / f"{hashlib.sha256((whole + ' '.join(FLAGS)).encode()).hexdigest()[:24]}.so"
    if not target.exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        mine = target.with_suffix(f".{os.getpid()}")
        command = [str(compiler()), *FLAGS, "-", "-o", str(mine)]
        done = subprocess.run(command, input=whole, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        mine.replace(target)
    return ctypes.CDLL(str(target))


class RawModule:
    """In the place of ``cupy.RawModule``. Templates are compiled for all element types at once."""

    def __init__(self, code: str, options: tuple[str, ...] = (), name_expressions: tuple[str, ...] = ()) -> None:
        self.kinds = signatures(code)
        kernels = [name.partition("<")[0] for name in name_expressions]
        exports = {f"run_{kernel}_{kind}": f"{kernel}<{kind}>" for kernel in kernels for kind in TYPES}
        self.library = build(code, exports or {f"run_{kernel}": kernel for kernel in self.kinds})

    def get_function(self, name: str) -> Callable[..., None]:
        kernel, _, kind = name.rstrip(">").partition("<")
        wide = "double" if kind == "double" else "float"
        kinds = [
            k.replace("Wide<T>", wide).replace("T*", f"{kind}*").replace("<T>", f"<{kind}>") for k in self.kinds[kernel]
        ]
        return Function(self.library, f"{kernel}_{kind}" if kind else kernel, kinds)


def signatures(code: str) -> dict[str, list[str]]:
    """The types of every kernel's parameters."""
    code = code.replace("STREAM", "u64 n, u64 key, u64 low, u64 high")  # a macro of philox.cu
    found = re.findall(r"__global__ void (?:__launch_bounds__\(512, 1\)\s+)?(\w+)\(([^)]*)\)", code)
    return {name: [p.strip().rpartition(" ")[0] for p in inside.split(",")] for name, inside in found}


class Function:
    """A kernel that runs when it is called as CuPy's are: with a grid, a block and the arguments."""

    def __init__(self, library: ctypes.CDLL, name: str, kinds: list[str]) -> None:
        self.name, self.kinds = name, kinds
        self.run = library[f"run_{name}"]
        self.run.restype = ctypes.c_char_p
        sizes = library[f"run_{name}_sizes"]
        sizes.restype = ctypes.POINTER(ctypes.c_int)
        self.sizes = sizes()[: len(kinds)]

    def __call__(self, grid: tuple[int, ...], block: tuple[int, ...], arguments: tuple[Any, ...]) -> None:
        assert len(arguments) == len(self.kinds), f"{self.name} has {len(self.kinds)} parameters"
        assert all(type(n) is int and n > 0 for n in (*grid, *block)), f"{self.name}: no launch of {grid} {block}"
        assert np.prod(block) <= 512, f"{self.name}: a block of {block} is too large"
        assert np.prod(block) % 32 == 0, f"{self.name}: a block of {block} is no number of whole warps"
        assert grid[0] < 2**31, f"{self.name}: too many blocks"
        assert all(n < 2**16 for n in grid[1:]), f"{self.name}: too many blocks"
        held = [check(self.name, *each) for each in zip(self.kinds, self.sizes, arguments, strict=True)]
        pointers = (ctypes.c_void_p * len(held))(*[ctypes.addressof(value) for value in held])
        sizes = [(ctypes.c_uint * 3)(*n, *[1] * (3 - len(n))) for n in (grid, block)]
        trouble = self.run(pointers, *sizes, next(turns))
        assert trouble is None, f"{self.name}: {trouble}"
        launches.append(self.name)
        for kind, argument in zip(self.kinds, arguments, strict=True):
            if isinstance(argument, StrictArray):
                assert not written_beside(argument._data), f"{self.name} wrote beside its {kind} argument"


def check(name: str, kind: str, size: int, argument: Any) -> Any:
    """An argument as ctypes has it, after a look at whether it is what the kernel expects."""
    if isinstance(argument, StrictArray):
        data = argument._data
        item = kind.removeprefix("const ").removesuffix("*").strip()
        assert kind.endswith("*"), f"{name}: an array for a parameter of type {kind}"
        assert data.dtype.char in ITEM[item], f"{name}: an array of {data.dtype} for {kind}"
        assert dense(data), f"{name}: the array of shape {data.shape} and strides {data.strides} has gaps"
        return ctypes.c_void_p(data.__array_interface__["data"][0])
    assert isinstance(argument, np.generic | np.ndarray), f"{name}: {type(argument).__name__} has no size of its own"
    assert argument.nbytes == size, f"{name}: {argument.nbytes} bytes for {kind}, which has {size}"
    if kind.endswith("*"):
        assert argument == 0, f"{name}: a number for a pointer"
    elif kind in ITEM:
        assert argument.dtype.char in ITEM[kind], f"{name}: {argument.dtype} for {kind}"
    return (ctypes.c_char * size).from_buffer_copy(argument.tobytes())


def dense(data: Any) -> bool:
    """Whether the elements fill one piece of memory, in whatever order of dimensions."""
    expected = data.itemsize
    for stride, n in sorted((s, n) for s, n in zip(data.strides, data.shape, strict=True) if n > 1):
        if stride != expected:
            return data.size == 0
        expected *= n
    return True


class EmulatedCupy(FakeCupy):
    """The stand-in for CuPy, with kernels that run and memory that is guarded."""

    RawModule = RawModule

    def empty(self, shape: Any, dtype: Any = float) -> Any:
        return new(guarded(shape, dtype))

    def asarray(self, *args: Any, **kwargs: Any) -> Any:
        array = strict_xp.asarray(*args, **kwargs)
        if array.base is not None or not array.flags.c_contiguous:
            return array
        data = guarded(array.shape, array.dtype)
        data[...] = array._data
        return new(data)
