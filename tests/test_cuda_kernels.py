"""The CUDA backend's own kernels without a GPU: compiled by nvcc, and run by g++ against the plain definitions."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from wengert.backends import cuda
from wengert.backends import settings as switches
from wengert.backends.definitions import activation as plain_activation
from wengert.backends.definitions import random as plain_random

from . import emulation
from .cuda_calls import CALLS, FUSED, Call, Draw, compare, rounded
from .emulation.backend import emulated, on_device, on_host

FOLDER = Path(cuda.__file__).parent
SOURCES = sorted(path.stem for path in FOLDER.glob("*.cu") if path.stem != "philox")
DTYPES = {"float32": np.float32, "float64": np.float64, "float16": np.float16, "bfloat16": ml_dtypes.bfloat16}
THREADS, REGISTERS = 512, 65536  # of the largest block, and of a multiprocessor


# As a GPU gets them.


def instances(name: str, kinds: tuple[str, ...]) -> str:
    """A source that asks for every kernel of a file, for some element types."""
    lines = [f'#include "{FOLDER / name}.cu"']
    for kernel, types in emulation.signatures((FOLDER / f"{name}.cu").read_text(encoding="utf-8")).items():
        for kind in kinds:
            wide = "double" if kind == "double" else "float"
            listed = ", ".join(re.sub(r"\bT\b", kind, t.replace("Wide<T>", wide)) for t in types)
            lines.append(f"template __global__ void {kernel}<{kind}>({listed});")
    return "\n".join(lines)


def usage(name: str, kinds: tuple[str, ...], arch: str, folder: Path) -> list[tuple[int, int, int]]:
    """Bytes of stack, bytes of spilled registers, and registers of every kernel in a file."""
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        pytest.skip("nvcc is not installed")
    (folder / "all.cu").write_text(instances(name, kinds))
    command = [nvcc, "-std=c++17", "-cubin", f"-arch={arch}", "-Xptxas", "-v", "-o", str(folder / "all.cubin")]
    done = subprocess.run([*command, str(folder / "all.cu")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    kernels = done.stderr.split("Compiling entry function")[1:]
    stacks = [re.findall(r"(\d+) bytes stack frame, (\d+) bytes spill stores", kernel)[0] for kernel in kernels]
    registers = [re.findall(r"Used (\d+) registers", kernel)[0] for kernel in kernels]
    return [(int(a), int(b), int(c)) for (a, b), c in zip(stacks, registers, strict=True)]


@pytest.mark.parametrize("name", SOURCES)
def test_sources_compile_without_spills(name: str, tmp_path: Path):
    check_usage(usage(name, ("bfloat16",), "sm_90", tmp_path))


@pytest.mark.sweep
@pytest.mark.parametrize("arch", ["sm_80", "sm_90"])
@pytest.mark.parametrize("name", SOURCES)
def test_sources_compile_for_every_type(name: str, arch: str, tmp_path: Path):
    check_usage(usage(name, emulation.TYPES, arch, tmp_path))


def check_usage(found: list[tuple[int, int, int]]) -> None:
    assert found
    for stack, spilled, registers in found:
        assert (stack, spilled) == (0, 0)
        assert registers * THREADS <= REGISTERS, "the largest block would not start"


def test_kernels_are_fit_for_the_emulation():
    for name in SOURCES:
        text = (FOLDER / f"{name}.cu").read_text(encoding="utf-8")
        assert "asm" not in re.findall(r"\w+", re.sub("//.*", "", text)), "inline PTX"
        assert "extern __shared__" not in text
        kernels = text.count("__global__ void")
        assert kernels == text.count("template <class T>\n__global__ void __launch_bounds__(512, 1)"), name


# On the CPU.


@pytest.fixture(scope="module")
def backend() -> Iterator[Any]:
    if emulation.compiler() is None:
        pytest.skip("g++ is not installed")
    with emulated() as found:
        yield found


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_kernels_compute_what_is_defined(call: Call, dtype: str, backend: Any):
    with np.errstate(all="ignore"):
        for number, arguments in enumerate(call.arguments(Draw(0))):
            arguments = rounded(arguments, DTYPES[dtype])
            given, expected = on_device(backend, arguments), call.expected(*arguments)
            before = len(emulation.launches)
            found = call.kernel(backend.kernels)(*given)
            if call.in_place:
                found, expected = given, arguments
            what = f"{call} {number}"
            compare(call.seen(on_host(found)), call.seen(expected), dtype, what)
            assert len(emulation.launches) > before or not call.launches(arguments), f"{what} started no kernel"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUSED)
def test_fused_kernels_compute_what_their_parts_do(name: str, dtype: str, backend: Any):
    for arguments, expected in FUSED[name](Draw(0), DTYPES[dtype]):
        found = on_host(expected.kernel(cuda)(*on_device(backend, arguments)))
        compare(found, expected.values(*arguments), dtype, name)


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_short_numbers_are_converted_exactly(kind: str, backend: Any):
    header = (FOLDER / "common.cuh").read_text(encoding="utf-8")
    text = f"""{header}
    template <class T> __global__ void widen(float* y, const T* x, i64 n) {{
        for (i64 i = first_item(); i < n; i += item_step()) y[i] = wide(x[i]);
    }}
    template <class T> __global__ void shorten(T* y, const float* x, i64 n) {{
        for (i64 i = first_item(); i < n; i += item_step()) y[i] = narrow<T>(x[i]);
    }}"""
    module = emulation.RawModule(text, (), (f"widen<{kind}>", f"shorten<{kind}>"))
    dtype, xp = np.dtype(DTYPES[kind]), backend.xp
    short = np.arange(2**16, dtype=np.uint16).view(dtype)
    wide = xp.empty(short.shape, np.float32)
    module.get_function(f"widen<{kind}>")((64,), (256,), (wide, xp.asarray(short), np.int64(short.size)))
    np.testing.assert_array_equal(on_host(wide), short.astype(np.float32))
    every = np.random.default_rng(0).integers(0, 2**32, 200_000, dtype=np.uint32).view(np.float32)
    near = short.astype(np.float32)
    with np.errstate(all="ignore"):
        middle = (near[1:] + near[:-1]) / 2  # where it is rounded to even
        values = np.concatenate([every, near, middle, np.nextafter(middle, 0), np.nextafter(middle, near[1:])])
        expected = values.astype(dtype)
    found = xp.empty(values.shape, dtype)
    module.get_function(f"shorten<{kind}>")((256,), (256,), (found, xp.asarray(values), np.int64(values.size)))
    same = on_host(found).view(np.uint16) == expected.view(np.uint16)
    assert (same | np.isnan(values)).all()
    assert np.isnan(on_host(found)[np.isnan(values)]).all()


@pytest.mark.parametrize("offset", [0, 2**32 - 2, 2**64 - 2])
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_mask_of_dropout_is_the_cpus(dtype: str, offset: int, backend: Any):
    for n in (1, 3, 4, 5, 1001):
        x = np.linspace(1, 2, n).astype(DTYPES[dtype])
        y = backend.kernels.seeded_dropout(on_device(backend, x), 77, offset, 0.7, 1 / 0.7)
        mask = plain_random.random_bernoulli(np, 77, offset, 0.7, x.shape)
        np.testing.assert_array_equal(on_host(y) != 0, mask)
        compare(on_host(y), (x.astype(np.float64) * mask / 0.7).astype(x.dtype), dtype, "seeded_dropout")


def test_sums_that_need_not_repeat_are_allowed_by_the_program(backend: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(switches._state, "waived", False)  # whatever tests before have said
    rng = np.random.default_rng(0)
    g, index = rng.normal(size=(40, 5)).astype("f"), rng.integers(0, 7, 40)
    given = on_device(backend, (g, index))
    ways = []
    for waived in (False, True):
        if waived:
            switches.use_deterministic_algorithms(False)
        try:
            for by_frequency in (False, True):
                before = len(emulation.launches)
                ways.append(on_host(backend.kernels.embedding_grad(*given, 7, 2, by_frequency)))
                assert waived == any("atomic" in name for name in emulation.launches[before:])
        finally:
            switches._state["waived"] = False
    np.testing.assert_allclose(ways[0], ways[2], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ways[1], ways[3], rtol=1e-5, atol=1e-6)


def test_other_types_and_shapes_go_to_the_definitions(backend: Any):
    k, before = backend.kernels, len(emulation.launches)
    x = on_device(backend, np.array([[1 + 2j, 3], [0, 1]]))
    assert k.tanh(x).dtype == np.complex128
    assert k.sum(on_device(backend, np.arange(6).reshape(2, 3)), axis=1).dtype == np.int64
    assert k.max(on_device(backend, np.arange(6.0))).shape == ()
    empty = on_device(backend, np.zeros((0, 3), np.float32))
    assert k.softmax(empty, 1).shape == (0, 3)
    assert k.normalise(empty, None, None, (1,), 1e-5)[0].shape == (0, 3)
    assert len(emulation.launches) == before


# What is said when something is wrong.


def test_a_kernel_that_does_not_compile_is_named(backend: Any, monkeypatch: pytest.MonkeyPatch):
    from wengert.backends.cuda import loader
    from wengert.backends.errors import KernelError

    class Broken:
        def get_function(self, name: str) -> None:
            raise RuntimeError("softmax.cu(7): error: identifier undefined")

    monkeypatch.setattr(loader, "_module", lambda name, char: Broken())
    loader.kernel.cache_clear()
    with pytest.raises(KernelError, match=r"kernel softmax_rows<float> of cuda/softmax\.cu") as caught:
        backend.kernels.softmax(on_device(backend, np.ones((2, 3), np.float32)), 1)
    for words in ("WENGERT_CUDA_KERNELS=0", "show_config", "identifier undefined"):
        assert words in str(caught.value)
    loader.kernel.cache_clear()
    monkeypatch.undo()
    with pytest.raises(TypeError, match="transpose takes 5 arguments, not 1"):
        loader.launch("transpose", np.dtype("f"), ((1,), (32, 8)), None)


def test_the_environment_switches_the_kernels_off(backend: Any, monkeypatch: pytest.MonkeyPatch):
    from wengert.backends.cuda import own

    assert len(own.modules()) > 5
    monkeypatch.setenv("WENGERT_CUDA_KERNELS", "0")
    assert [module.__name__.rpartition(".")[2] for module in own.modules()] == ["random"]


def test_sources_lose_their_includes_but_not_their_line_numbers(backend: Any):
    from wengert.backends.cuda import loader

    text = loader.source("softmax")
    assert "#include" not in text
    assert '#line 1 "common.cuh"' in text
    lines = (FOLDER / "softmax.cu").read_text().splitlines()
    number = int(re.findall(r'#line (\d+) "softmax.cu"', text)[0])
    assert text.split('"softmax.cu"\n')[1].splitlines()[0] == lines[number - 1]


# The emulation itself.

BAD = """
template <class T> __global__ void divergent(T* y) { if (threadIdx.x < 5) __syncthreads(); y[0] = T(); }
template <class T> __global__ void alone(T* y) { if (threadIdx.x < 5) y[0] = __shfl_xor_sync(~0u, y[0], 1); }
template <class T> __global__ void beside(T* y, int n) { y[n] = T(); }
template <class T> __global__ void unsynchronised(T* y) {
    __shared__ T part[64];
    part[threadIdx.x] = (T)threadIdx.x;
    y[threadIdx.x] = part[63 - threadIdx.x];
}
"""


@pytest.fixture(scope="module")
def bad(backend: Any) -> Callable[[str], Any]:
    names = re.findall(r"void (\w+)\(", BAD)
    kinds = emulation.TYPES
    emulation.TYPES = ("float",)
    try:
        module = emulation.RawModule(BAD, (), tuple(f"{name}<float>" for name in names))
    finally:
        emulation.TYPES = kinds
    return lambda name: module.get_function(f"{name}<float>")


def test_the_emulation_finds_what_a_gpu_would_not_say(bad: Any, backend: Any):
    y, n = backend.xp.empty(64, np.float32), np.int32
    with pytest.raises(
        AssertionError, match="5 of 64 threads wait at __syncthreads, 0 at a shuffle, and 59 have ended"
    ):
        bad("divergent")((1,), (64,), (y,))
    with pytest.raises(AssertionError, match="5 at a shuffle"):
        bad("alone")((1,), (64,), (y,))
    with pytest.raises(AssertionError, match="wrote beside"):
        bad("beside")((1,), (32,), (backend.xp.empty(64, np.float32), n(64)))
    results = []
    for _ in range(2):
        bad("unsynchronised")((1,), (64,), (y,))
        results.append(on_host(y))
    assert any(np.isnan(result).any() for result in results), "threads run in both orders, and find NaN"


def test_the_emulation_checks_arguments(bad: Any, backend: Any):
    y, call = backend.xp.empty(64, np.float32), bad("beside")
    call((1,), (32,), (y, np.int32(0)))
    wrong = {
        "8 bytes for int": (y, np.int64(0)),
        "int has no size of its own": (y, 0),
        "float32 for int": (y, np.float32(0)),
        "an array of float64 for float": (backend.xp.empty(64, np.float64), np.int32(0)),
        "has gaps": (y[::2], np.int32(0)),
        "an array for a parameter of type int": (y, y),
        "has 2 parameters": (y,),
    }
    for words, arguments in wrong.items():
        with pytest.raises(AssertionError, match=words):
            call((1,), (32,), arguments)
    for grid, block, words in (((0,), (32,), "no launch"), ((1,), (1024,), "too large"), ((1,), (33,), "whole warps")):
        with pytest.raises(AssertionError, match=words):
            call(grid, block, (y, np.int32(0)))


def test_activations_of_common_are_the_definitions(backend: Any):
    from wengert.backends.cuda import activation

    x, bias = np.linspace(-4, 4, 36).reshape(4, 9), np.linspace(-1, 1, 9)
    expected = {
        "none": lambda v: v,
        "relu": lambda v: plain_activation.relu(np, v),
        "gelu": lambda v: plain_activation.gelu(np, v, "none"),
        "gelu_tanh": lambda v: plain_activation.gelu(np, v, "tanh"),
        "silu": lambda v: plain_activation.silu(np, v),
        "sigmoid": lambda v: plain_activation.sigmoid(np, v),
        "tanh": np.tanh,
    }
    assert set(expected) == set(activation.ACTIVATIONS)
    for name, function in expected.items():
        found = activation.bias_activation(*on_device(backend, (x, bias)), name)
        np.testing.assert_allclose(on_host(found), function(x + bias), rtol=1e-12, atol=1e-12, err_msg=name)
