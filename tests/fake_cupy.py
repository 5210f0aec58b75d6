"""The module ``cupy`` of the stand-in: `tests/strict.py` with devices, streams, events and memory that are not there.

`fake_cuda` makes the library's own CUDA backend of it, under the name ``cuda``, with NVIDIA's libraries in NumPy.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import time
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from wengert.backends import cuda, registry

from .strict import StrictArray, strict_xp
from .strict_array import current

MODULES = ("attention", "conv", "cudnn_graph", "cudnn_rnn", "namespace", "order", "own", "product", "recurrent")


class CUDARuntimeError(RuntimeError):
    """What CUDA reports."""


class OutOfMemoryError(MemoryError):
    """What CuPy's pool raises."""


class FakeDevice:
    """``cupy.cuda.Device``."""

    def __init__(self, id: int | None = None) -> None:
        self.id = current.device if id is None else id
        self._before: list[int] = []

    def use(self) -> None:
        current.device = self.id

    def __enter__(self) -> FakeDevice:
        self._before.append(current.device)
        self.use()
        return self

    def __exit__(self, *exc: object) -> None:
        current.device = self._before.pop()

    def synchronize(self) -> None:
        pass


class FakeStream:
    """``cupy.cuda.Stream``: work is done at once."""

    null: FakeStream
    now: ClassVar[list[FakeStream]] = []
    made = 0

    def __init__(self, null: bool = False, non_blocking: bool = False, ptds: bool = False, priority: int = 0) -> None:
        FakeStream.made += not null
        self.ptr = 0 if null else 1000 + FakeStream.made
        self.capturing, self.done, self._before = False, True, []  # type: ignore[var-annotated]

    def use(self) -> FakeStream:
        FakeStream.now[:] = [self]
        return self

    def __enter__(self) -> FakeStream:
        self._before.append(FakeStream.now[:])
        return self.use()

    def __exit__(self, *exc: object) -> None:
        FakeStream.now[:] = self._before.pop()

    def synchronize(self) -> None:
        pass

    def wait_event(self, event: Any) -> None:
        assert event.time is not None

    def record(self, event: Any = None) -> Any:
        event = FakeEvent() if event is None else event
        event.record(self)
        return event

    def begin_capture(self, mode: Any = None) -> None:
        self.capturing = True

    def end_capture(self) -> Any:
        self.capturing = False
        return SimpleNamespace(launch=lambda stream=None: None, upload=lambda stream=None: None)

    @property
    def is_capturing(self) -> bool:
        return self.capturing


FakeStream.null = FakeStream(null=True)
FakeStream.now = [FakeStream.null]


class FakeEvent:
    """``cupy.cuda.Event``: a moment."""

    def __init__(self, block: bool = False, disable_timing: bool = False, interprocess: bool = False) -> None:
        self.timed, self.time, self.done = not disable_timing, None, True  # type: ignore[var-annotated]

    def record(self, stream: Any = None) -> None:
        self.time = time.perf_counter()

    def synchronize(self) -> None:
        pass


def get_elapsed_time(start: FakeEvent, end: FakeEvent) -> float:
    assert start.timed
    assert end.timed
    return (end.time - start.time) * 1e3  # type: ignore[operator]


class FakeHook:
    """``cupy.cuda.MemoryHook``."""

    active: ClassVar[list[Any]] = []

    def __enter__(self) -> Any:
        FakeHook.active.append(self)
        return self


class Memory:
    """A piece of memory that says when it is let go."""

    def __init__(self, pool: FakePool, size: int) -> None:
        self.pool, self.size, self.bytes = pool, size, np.empty(max(size, 1), np.uint8)
        self.ptr = self.bytes.ctypes.data

    def __del__(self) -> None:
        self.pool.used -= self.size
        for hook in FakeHook.active:
            hook.free_postprocess(device_id=0, mem_size=self.size, mem_ptr=self.ptr, pmem_id=id(self))


class FakePool:
    """``cupy.cuda.MemoryPool``: counts what is asked for, and has only so much."""

    def __init__(self) -> None:
        self.limit, self.total, self.used, self.freed = 1 << 40, 0, 0, 0

    def set_limit(self, size: int | None = None, fraction: float | None = None) -> None:
        self.limit = int((8 << 30) * fraction) if fraction is not None else size or 1 << 40

    def malloc(self, size: int) -> Any:
        if self.used + size > self.limit:
            raise OutOfMemoryError(f"Out of memory allocating {size:,} bytes (allocated so far: {self.total:,} bytes).")
        self.used += size
        self.total = max(self.total, self.used)
        for hook in FakeHook.active:
            hook.malloc_postprocess(device_id=0, size=size, mem_size=size, mem_ptr=0, pmem_id=0)
        return Memory(self, size)

    def used_bytes(self) -> int:
        return self.used

    def total_bytes(self) -> int:
        return self.total

    def free_all_blocks(self, stream: Any = None) -> None:
        self.freed += 1

    def n_free_blocks(self) -> int:
        return 0


class FakeRuntime:
    """``cupy.cuda.runtime``."""

    CUDARuntimeError = CUDARuntimeError

    def __init__(self, devices: int) -> None:
        self.devices, self.failure = devices, ""

    def _check(self) -> None:
        if self.failure:
            raise CUDARuntimeError(self.failure)

    def getDeviceCount(self) -> int:
        return self.devices

    def getDevice(self) -> int:
        return current.device

    def setDevice(self, number: int) -> None:
        current.device = number

    def deviceSynchronize(self) -> None:
        self._check()

    def driverGetVersion(self) -> int:
        return 13000

    def runtimeGetVersion(self) -> int:
        return 13020

    def memGetInfo(self) -> tuple[int, int]:
        return 6 << 30, 8 << 30

    def deviceCanAccessPeer(self, a: int, b: int) -> int:
        return int(a != b)

    def streamIsCapturing(self, stream: int) -> bool:
        return FakeStream.now[0].ptr == stream and FakeStream.now[0].capturing

    def getDeviceProperties(self, number: int) -> dict[str, Any]:
        return {
            "name": b"Stand-in",
            "major": 9,
            "minor": 0,
            "totalGlobalMem": 8 << 30,
            "multiProcessorCount": 132,
            "warpSize": 32,
            "l2CacheSize": 50 << 20,
            "maxThreadsPerMultiProcessor": 2048,
            "maxThreadsPerBlock": 1024,
            "regsPerMultiprocessor": 65536,
            "sharedMemPerBlock": 48 << 10,
            "sharedMemPerBlockOptin": 227 << 10,
            "sharedMemPerMultiprocessor": 228 << 10,
            "integrated": 0,
            "isMultiGpuBoard": 0,
            "uuid": bytes(16),
            "clockRate": 1980000,
            "memoryClockRate": 2619000,
            "memoryBusWidth": 6144,
            "pciBusID": 1,
            "pciDeviceID": 0,
            "pciDomainID": 0,
        }


class FakeCupy(ModuleType):
    """The module: what the stand-in has, and ``cuda``."""

    def __init__(self, devices: int = 1) -> None:
        super().__init__("cupy")
        self.__version__ = "14.2.0"
        self.pool, self.runtime = FakePool(), FakeRuntime(devices)
        self.allocator = self.pool.malloc
        self.ndarray = StrictArray
        self.cuda = SimpleNamespace(
            Device=FakeDevice,
            Stream=FakeStream,
            Event=FakeEvent,
            MemoryPool=FakePool,
            MemoryHook=FakeHook,
            alloc=lambda size: self.allocator(size),
            get_allocator=lambda: self.allocator,
            set_allocator=lambda allocator: setattr(self, "allocator", allocator),
            get_current_stream=lambda device=None: FakeStream.now[0],
            get_elapsed_time=get_elapsed_time,
            is_available=lambda: True,
            using_allocator=self._using_allocator,
            memory=SimpleNamespace(OutOfMemoryError=OutOfMemoryError),
            runtime=self.runtime,
        )

    @contextlib.contextmanager
    def _using_allocator(self, allocator: Any) -> Iterator[None]:
        before, self.allocator = self.allocator, allocator
        yield
        self.allocator = before

    def get_default_memory_pool(self) -> FakePool:
        return self.pool

    def get_default_pinned_memory_pool(self) -> FakePool:
        return self.pool

    def __getattr__(self, name: str) -> Any:
        return getattr(strict_xp, name)


class PinnedMemoryPointer(bytearray):
    """Page-locked memory."""


def empty_pinned(shape: Any, dtype: Any = float, order: str = "C") -> Any:
    """``cupyx.empty_pinned``."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer(PinnedMemoryPointer(max(size, 1)), np.uint8)[:size].view(dtype).reshape(shape, order=order)


@contextlib.contextmanager
def fake_cuda(
    devices: int = 1,
    libraries: dict[str, Any] | None = None,
    register: bool = True,
    stand_in: FakeCupy | None = None,
) -> Iterator[tuple[FakeCupy, Any]]:
    """The CUDA backend over the stand-in, until the end of the block.

    Args:
        devices: how many GPUs there seem to be.
        libraries: what stands for NVIDIA's libraries, by name, and for the package ``cudnn`` as "cudnn frontend"; the
            others are missing.
        register: whether it is what ``device="cuda"`` means.
        stand_in: what stands for CuPy, where it can run kernels; the backend then has its own.
    """
    from wengert.backends.cuda import libraries as found

    cupy, package = stand_in or FakeCupy(devices), "wengert.backends.cuda"
    with contextlib.ExitStack() as stack:
        _forget(package)
        kept = sys.modules.pop("cupy", None)
        stack.callback(lambda: sys.modules.update({"cupy": kept} if kept else {}))
        stack.callback(_forget, package)
        stack.callback(sys.modules.pop, "cupy", None)
        sys.modules["cupy"] = cupy
        stack.callback(setattr, found, "find", found.find)
        found.find = (libraries or {}).get  # type: ignore[assignment]
        before = sys.modules.get("cudnn", cupy)
        sys.modules["cudnn"] = (libraries or {}).get("cudnn frontend")  # type: ignore[assignment]
        stack.callback(lambda: sys.modules.pop("cudnn", None) if before is cupy else sys.modules.update(cudnn=before))
        kept_too = sys.modules.get("cupyx")
        stack.callback(lambda: sys.modules.update(cupyx=kept_too) if kept_too else sys.modules.pop("cupyx", None))
        sys.modules["cupyx"] = ModuleType("cupyx")
        sys.modules["cupyx"].empty_pinned = empty_pinned  # type: ignore[attr-defined]
        stack.callback(FakeHook.active.clear)
        own = None if stand_in is None else importlib.import_module(f"{package}.own")
        backend = cuda.make(cupy) if own is None else cuda.make(cupy, *own.modules())
        if register:
            table, loaded = registry.kernels_of, registry._loaded
            stack.callback(put_back, table, StrictArray, table.get(StrictArray))
            stack.callback(loaded.pop, "cuda", None)
            table[StrictArray], loaded["cuda"] = backend.kernels, backend
            registry.announce(backend)
        stack.callback(setattr, current, "device", 0)
        stack.callback(setattr, registry.follower, "start", None)
        yield cupy, backend


def put_back(table: dict[Any, Any], key: Any, value: Any) -> None:
    """The entry of a table as it was; None for none."""
    table.pop(key, None)
    if value is not None:
        table[key] = value


def _forget(package: str) -> None:
    """Let the modules that have imported CuPy, or one that has, be imported anew."""
    users = [name for name, module in sys.modules.items() if name.startswith(f"{package}.") and "cupy" in vars(module)]
    for name in [*users, *(f"{package}.{name}" for name in MODULES)]:
        sys.modules.pop(name, None)
        vars(cuda).pop(name.rpartition(".")[2], None)
