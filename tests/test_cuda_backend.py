"""The CUDA backend: what it says where it cannot run, its kernels compiled and run without a GPU, and with one."""

from __future__ import annotations

import ctypes
import itertools
import math
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from wengert.backends import Device, cuda, dtypes, get_backend
from wengert.backends.definitions import random as plain
from wengert.backends.errors import BackendUnavailableError, DeviceError, UnsupportedDTypeError

SOURCE = Path(cuda.__file__).with_name("philox.cu")
KEY = 0xFEDCBA9876543210
OPTIONS = ["-std=c++17", "--fmad=false", "-arch=sm_90"]

# What a host compiler needs to run the kernels: the built-in names of CUDA, one thread at a time.
SHIM = """
#include <cmath>
struct Index { unsigned x, y, z; };
extern "C" { Index threadIdx, blockIdx, blockDim, gridDim; }
#define __device__
#define __global__
static inline float __fsqrt_rn(float x) { return std::sqrt(x); }
static inline double __dsqrt_rn(double x) { return std::sqrt(x); }
"""


# What it says where it cannot run.


def fake_cupy(available: bool = False, devices: Any = 0) -> ModuleType:
    """A module in the place of CuPy that finds so many devices, or fails as the CUDA runtime does."""

    def count() -> int:
        if isinstance(devices, Exception):
            raise devices
        return int(devices)

    module = ModuleType("cupy")
    module.__dict__.update(__version__="14.2.0", ndarray=type("ndarray", (), {}))
    runtime = SimpleNamespace(getDeviceCount=count, getDevice=lambda: 0)
    module.cuda = SimpleNamespace(is_available=lambda: available, runtime=runtime)  # type: ignore[attr-defined]
    return module


def test_without_cupy_it_names_the_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(BackendUnavailableError, match=r"pip install wengert\[cuda13\]") as caught:
        cuda.load()
    assert "wengert[cuda12]" in str(caught.value)
    assert "device='cpu'" in str(caught.value)
    assert isinstance(caught.value, DeviceError)
    assert isinstance(caught.value, RuntimeError)


def test_without_a_driver_it_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy())
    with pytest.raises(BackendUnavailableError, match="no CUDA driver or no CUDA device") as caught:
        cuda.load()
    assert "CuPy 14.2.0 is installed" in str(caught.value)
    assert "device='cpu'" in str(caught.value)
    assert "driver" in str(caught.value)


def test_what_the_runtime_says_is_passed_on(monkeypatch: pytest.MonkeyPatch):
    trouble = RuntimeError("cudaErrorInsufficientDriver: CUDA driver version is insufficient")
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy(True, trouble))
    with pytest.raises(BackendUnavailableError, match="cudaErrorInsufficientDriver"):
        cuda.load()


def test_a_broken_cupy_is_not_called_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "cupy.py").write_text("raise ImportError('libcudart.so.13: cannot open shared object file')")
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(BackendUnavailableError, match=r"importing it failed: libcudart\.so\.13"):
        cuda.load()


def test_an_installed_cupy_without_a_device_says_so():
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    if cupy.cuda.is_available():
        pytest.skip("there is a device")
    with pytest.raises(BackendUnavailableError, match="no CUDA driver or no CUDA device"):
        cuda.load()


def test_devices_are_checked_by_number():
    backend = cuda.CUDABackend(fake_cupy(True, 2))
    assert backend.device_count() == 2
    assert backend.device_of(SimpleNamespace(device=SimpleNamespace(id=1))) == Device("cuda:1")
    backend.check(Device("cuda:1"))
    backend.check(Device("cuda"))
    with pytest.raises(DeviceError, match="there is no device cuda:2: the number of cuda devices is 2"):
        backend.from_numpy(np.zeros(3), Device("cuda:2"))


# Its kernels, compiled and run without a GPU.


@pytest.fixture
def nvcc() -> str:
    found = shutil.which("nvcc")
    if found is None:
        pytest.skip("nvcc is not installed")
    return found


def test_the_source_compiles_for_a_gpu_without_spills(nvcc: str, tmp_path: Path):
    command = [nvcc, "-cubin", *OPTIONS, "-Xptxas", "-v", "-o", str(tmp_path / "philox.cubin"), str(SOURCE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    assert done.stderr.count("0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads") == 9
    assert (tmp_path / "philox.cubin").stat().st_size > 0


def test_no_product_is_contracted_with_a_sum(nvcc: str, tmp_path: Path):
    def fused(*options: str) -> bool:
        target = tmp_path / "philox.ptx"
        subprocess.run([nvcc, "-ptx", *options, "-o", str(target), str(SOURCE)], check=True)
        return "fma.rn" in target.read_text()

    assert not fused(*OPTIONS)
    assert fused("-std=c++17", "-arch=sm_90"), "the option makes the difference"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The kernels as functions of the CPU."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("g++ is not installed")
    folder = tmp_path_factory.mktemp("philox")
    (folder / "shim.h").write_text(SHIM)
    options = ["-std=c++17", "-O1", "-ffp-contract=off", "-shared", "-fPIC", "-include", "shim.h", "-x", "c++"]
    command = [compiler, *options, str(SOURCE), "-o", "philox.so"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return ctypes.CDLL(str(folder / "philox.so"))


@pytest.fixture
def kernels(compiled: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """``backends/cuda/random.py`` over a module in the place of CuPy whose kernels run on the CPU, thread by thread."""

    def launch(name: str) -> Any:
        def kernel(grid: tuple[int], block: tuple[int], arguments: tuple[Any, ...]) -> None:
            out, *scalars = arguments
            assert all(type(scalar) is np.uint64 for scalar in scalars), "a Python number would have a size of its own"
            raw = [ctypes.c_void_p(out.ctypes.data), *(ctypes.c_ulonglong(int(scalar)) for scalar in scalars)]
            place = {index: (ctypes.c_uint * 3).in_dll(compiled, index) for index in ("threadIdx", "blockIdx")}
            for index, size in (("blockDim", block[0]), ("gridDim", grid[0])):
                (ctypes.c_uint * 3).in_dll(compiled, index)[0] = size
            for place["blockIdx"][0], place["threadIdx"][0] in itertools.product(range(grid[0]), range(block[0])):
                compiled[name](*raw)

        return kernel

    fake = fake_cupy(True, 1)
    fake.__dict__.update(
        {name: getattr(np, name) for name in ("ndarray", "empty", "floor", "sort", "arange", "uint64")}
    )
    fake.RawModule = lambda code, options: SimpleNamespace(get_function=launch)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cupy", fake)
    monkeypatch.delitem(sys.modules, "wengert.backends.cuda.random", raising=False)
    monkeypatch.delattr(cuda, "random", raising=False)
    from wengert.backends.cuda import random

    monkeypatch.setattr(random, "_THREADS", 3)
    monkeypatch.setattr(random, "_MOST_BLOCKS", 2)
    yield random
    del sys.modules["wengert.backends.cuda.random"], cuda.random  # type: ignore[attr-defined]


def same_bits(a: Any, b: Any) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


DRAWS: list[tuple[Any, ...]] = [
    *((f"random_{name}", 7, (3, 1001), dtype) for name in ("uniform", "normal") for dtype in dtypes.ALL[6:12]),
    *(("random_exponential", 7, 1001, dtype) for dtype in dtypes.ALL[6:10]),
    *(("random_normal", 2**64 - 3, shape, "float64") for shape in ((), 0, (2, 0), 1, 2, 33)),
    ("random_uniform", 0, (), "complex64"),
    ("random_integers", 2**128 - 5, -3, 1000, 101),
    ("random_integers", 7, -(2**63), 2**63, 101),
    ("random_integers", 7, 0, 100, (5, 7), "uint8"),
    *(("random_permutation", 7, n) for n in (0, 1, 1001)),
    *(("random_bernoulli", 7, p, 1001) for p in (0.0, 0.3, 1.0, np.linspace(0, 1, 1001))),
    ("random_bernoulli", 7, 0.5, (5, 7), "float32"),
]


@pytest.mark.parametrize("draw", DRAWS, ids=lambda draw: f"{draw[0]}-{draw[-1]}"[:40])
def test_kernels_have_the_defined_bits(kernels: Any, draw: tuple[Any, ...]):
    name, *arguments = draw
    assert same_bits(getattr(kernels, name)(KEY, *arguments), getattr(plain, name)(np, KEY, *arguments))


@pytest.mark.parametrize("counter", [0, 2**32 - 2, 2**64 - 2, 2**128 - 2])
@pytest.mark.parametrize("n", [0, 1, 3, 4, 101])
def test_words_have_the_defined_bits(kernels: Any, counter: int, n: int):
    assert same_bits(kernels.philox(5, 2**32 - 1, counter, n), plain.philox(np, 5, 2**32 - 1, counter, n))


def test_every_kernel_has_a_definition(kernels: Any):
    assert set(kernels.__all__) <= set(plain.__all__)


# With a GPU.


@pytest.fixture
def gpu() -> Any:
    return get_backend("cuda")


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", dtypes.ALL, ids=lambda dtype: dtype.name)
def test_round_trips_keep_every_dtype(gpu: Any, dtype: Any):
    host = np.array([[0, 1, 2], [3, 4, 5]]).astype(dtype.dtype).T
    try:
        array = gpu.from_numpy(host, Device("cuda:0"))
    except UnsupportedDTypeError:
        assert dtype.name.startswith("float8"), "of all others there are arrays"
        return
    assert gpu.device_of(array) == Device("cuda:0")
    assert array.dtype == dtype.dtype
    assert np.array_equal(gpu.to_numpy(array), host)
    assert gpu.from_numpy(host, Device("cuda")).device.id == array.device.id


@pytest.mark.gpu
@pytest.mark.parametrize("draw", DRAWS, ids=lambda draw: f"{draw[0]}-{draw[-1]}"[:40])
def test_a_gpu_draws_the_defined_bits(gpu: Any, draw: tuple[Any, ...]):
    name, *arguments = draw
    arguments = [gpu.from_numpy(a, Device("cuda")) if isinstance(a, np.ndarray) else a for a in arguments]
    expected = getattr(plain, name)(np, KEY, *draw[1:])
    assert same_bits(gpu.to_numpy(getattr(gpu.kernels, name)(KEY, *arguments)), expected)
    assert same_bits(gpu.to_numpy(getattr(plain, name)(gpu.xp, KEY, *arguments)), expected), "by CuPy's own functions"


@pytest.mark.gpu
def test_a_gpu_draws_more_than_its_threads(gpu: Any):
    n = 2**24 + 3
    words = gpu.to_numpy(gpu.kernels.philox(1, 2, 2**64 - 1000, n))
    gpu.synchronize()
    assert same_bits(
        words[-4096:], plain.philox(np, 1, 2, 2**64 - 1000 + (n - 4096) // 4, 4100)[(n - 4096) % 4 :][:4096]
    )
    assert math.isclose(float(words.mean()), 2**31, rel_tol=1e-3)


@pytest.mark.gpu
def test_a_device_that_is_not_there_is_refused(gpu: Any):
    with pytest.raises(DeviceError, match="there is no device cuda:99"):
        gpu.from_numpy(np.ones(3, ml_dtypes.bfloat16), Device("cuda:99"))
