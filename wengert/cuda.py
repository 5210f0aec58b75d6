"""What there is of CUDA here: answers programs that ask before they choose a device.

Every function can be called without a GPU, and says so truthfully.
"""

from __future__ import annotations

import contextlib
from typing import Any, NamedTuple

from .autograd.ops.legacy import typed_tensors as _typed_tensors
from .autograd.random import get_rng_state as _get_rng_state
from .autograd.random import initial_seed as initial_seed
from .autograd.random import manual_seed as manual_seed
from .autograd.random import seed as seed
from .autograd.random import set_rng_state as _set_rng_state
from .backends import Device as _Device
from .backends import device_count as _device_count
from .backends import get_backend
from .backends.errors import AcceleratorError as AcceleratorError
from .backends.streams import CUDAEvent, CUDAStream
from .backends.streams import current_cuda_stream as _current_stream
from .cuda_memory import MemPool as MemPool
from .cuda_memory import OutOfMemoryError as OutOfMemoryError
from .cuda_memory import cupy as _cupy
from .cuda_memory import empty_cache as empty_cache
from .cuda_memory import get_allocator_backend as get_allocator_backend
from .cuda_memory import get_per_process_memory_fraction as get_per_process_memory_fraction
from .cuda_memory import host_memory_stats as host_memory_stats
from .cuda_memory import index_of as _index
from .cuda_memory import ipc_collect as ipc_collect
from .cuda_memory import list_gpu_processes as list_gpu_processes
from .cuda_memory import max_memory_allocated as max_memory_allocated
from .cuda_memory import max_memory_cached as max_memory_cached
from .cuda_memory import max_memory_reserved as max_memory_reserved
from .cuda_memory import mem_get_info as mem_get_info
from .cuda_memory import memory_allocated as memory_allocated
from .cuda_memory import memory_cached as memory_cached
from .cuda_memory import memory_reserved as memory_reserved
from .cuda_memory import memory_stats as memory_stats
from .cuda_memory import memory_stats_as_nested_dict as memory_stats_as_nested_dict
from .cuda_memory import memory_summary as memory_summary
from .cuda_memory import reset_accumulated_host_memory_stats as reset_accumulated_host_memory_stats
from .cuda_memory import reset_accumulated_memory_stats as reset_accumulated_memory_stats
from .cuda_memory import reset_max_memory_allocated as reset_max_memory_allocated
from .cuda_memory import reset_max_memory_cached as reset_max_memory_cached
from .cuda_memory import reset_peak_host_memory_stats as reset_peak_host_memory_stats
from .cuda_memory import reset_peak_memory_stats as reset_peak_memory_stats
from .cuda_memory import set_per_process_memory_fraction as set_per_process_memory_fraction
from .cuda_memory import use_mem_pool as use_mem_pool

Event = CUDAEvent
Stream = CUDAStream
has_half, has_magma = True, False
CudaError = AcceleratorError
manual_seed_all = manual_seed
seed_all = seed


def is_available() -> bool:
    """Whether a CUDA device can be used."""
    return device_count() > 0


def device_count() -> int:
    """The number of CUDA devices; 0 where CuPy or the driver is missing."""
    return _device_count("cuda")


def is_initialized() -> bool:
    """Whether the CUDA backend is ready; it is loaded when it is first asked for."""
    return is_available()


def init() -> None:
    """Load the CUDA backend now.

    Raises:
        RuntimeError: CuPy or the driver is missing.
    """
    get_backend("cuda")


def current_device() -> int:
    """The number of the device that new CUDA tensors go to."""
    return _index()


def set_device(device: Any) -> None:
    """Make ``device`` the one that new CUDA tensors go to; prefer ``with wengert.device(...)``."""
    _cupy().cuda.Device(_index(device)).use()


def synchronize(device: Any = None) -> None:
    """Wait until the device has done everything that it was asked to do."""
    with _cupy().cuda.Device(_index(device)):
        get_backend("cuda").synchronize()


def get_device_name(device: Any = None) -> str:
    """The product name of a device."""
    return get_device_properties(device).name


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The compute capability of a device, such as (9, 0)."""
    found = get_device_properties(device)
    return found.major, found.minor


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether a device can be used, since bfloat16 works on all of them."""
    return is_available()


class device:
    """A block in which new CUDA tensors go to one device; a negative number, or None, changes nothing.

    Args:
        device: a device or its number.
    """

    def __init__(self, device: Any) -> None:
        self.idx = -1 if device is None else device if isinstance(device, int) else _index(device)
        self._inner: Any = None

    def __enter__(self) -> None:
        if self.idx >= 0:
            self._inner = _cupy().cuda.Device(_index(self.idx))
            self._inner.__enter__()

    def __exit__(self, *exc: object) -> None:
        if self._inner is not None:
            self._inner.__exit__(*exc)


class device_of(device):
    """A block in which new CUDA tensors go to the device of a tensor, if that is on one."""

    def __init__(self, obj: Any) -> None:
        super().__init__(obj.device.index if obj.device.type == "cuda" else -1)


class DeviceProperties(NamedTuple):
    """What is known about a device."""

    name: str
    major: int
    minor: int
    total_memory: int
    multi_processor_count: int
    L2_cache_size: int = 0
    max_threads_per_multi_processor: int = 0
    max_threads_per_block: int = 0
    regs_per_multiprocessor: int = 0
    shared_memory_per_block: int = 0
    shared_memory_per_block_optin: int = 0
    shared_memory_per_multiprocessor: int = 0
    warp_size: int = 32
    is_integrated: int = 0
    is_multi_gpu_board: int = 0
    gcnArchName: str = ""  # of AMD's devices


PROPERTIES = {  # as the CUDA runtime calls them
    "major": "major",
    "minor": "minor",
    "total_memory": "totalGlobalMem",
    "multi_processor_count": "multiProcessorCount",
    "L2_cache_size": "l2CacheSize",
    "max_threads_per_multi_processor": "maxThreadsPerMultiProcessor",
    "max_threads_per_block": "maxThreadsPerBlock",
    "regs_per_multiprocessor": "regsPerMultiprocessor",
    "shared_memory_per_block": "sharedMemPerBlock",
    "shared_memory_per_block_optin": "sharedMemPerBlockOptin",
    "shared_memory_per_multiprocessor": "sharedMemPerMultiprocessor",
    "warp_size": "warpSize",
    "is_integrated": "integrated",
    "is_multi_gpu_board": "isMultiGpuBoard",
}


def get_device_properties(device: Any = None) -> DeviceProperties:
    """Name, compute capability, bytes of memory, number of multiprocessors and more of a device."""
    found = _cupy().cuda.runtime.getDeviceProperties(_index(device))
    name = found["name"].decode() if isinstance(found["name"], bytes) else str(found["name"])
    numbers: dict[str, Any] = {field: int(found.get(key, 0)) for field, key in PROPERTIES.items()}
    return DeviceProperties(name, **numbers)


def is_tf32_supported() -> bool:
    """Whether a device has tensor cores for TF32."""
    return is_available() and get_device_capability()[0] >= 8


def current_stream(device: Any = None) -> Stream:
    """The queue that work goes to."""
    return _current_stream(_Device("cuda", _index(device)))


def get_stream_from_external(data_ptr: int, device: Any = None) -> Stream:
    """Another library's queue of work, by the address of CUDA's stream."""
    number = _index(device)
    with _cupy().cuda.Device(number):
        return Stream(number, _stream=_cupy().cuda.Stream.from_external(_Address(data_ptr)))


def ExternalStream(stream_ptr: int, device: Any = None) -> Stream:
    """Another library's queue of work; see `get_stream_from_external`."""
    return get_stream_from_external(stream_ptr, device)


class _Address:
    """What CuPy takes another library's stream from."""

    def __init__(self, address: int) -> None:
        self.address = address

    def __cuda_stream__(self) -> tuple[int, int]:
        return 0, self.address


def default_stream(device: Any = None) -> Stream:
    """The queue that work goes to unless told otherwise."""
    return Stream(_index(device), _stream=_cupy().cuda.Stream.null)


def stream(stream: Stream | None) -> contextlib.AbstractContextManager[Any]:
    """A block in which work goes to ``stream``; None changes nothing."""
    return contextlib.nullcontext() if stream is None else stream


def set_stream(stream: Stream | None) -> None:
    """Let work go to ``stream`` from here on; None changes nothing."""
    if stream is not None:
        stream._stream.use()


def get_arch_list() -> list[str]:
    """The architectures that kernels were compiled for: none, as CuPy compiles them when they are called."""
    return []


def can_device_access_peer(device: Any, peer_device: Any) -> bool:
    """Whether one device can read the memory of another."""
    return bool(_cupy().cuda.runtime.deviceCanAccessPeer(_index(device), _index(peer_device)))


def is_current_stream_capturing() -> bool:
    """Whether work is being recorded as a graph."""
    return is_available() and bool(_cupy().cuda.get_current_stream().is_capturing)


_waiting = {"mode": 0}


def set_sync_debug_mode(debug_mode: int | str) -> None:
    """What `get_sync_debug_mode` says. CuPy does not tell when it waits, so nothing is warned of.

    Raises:
        RuntimeError: it is not one of 0 "default", 1 "warn", 2 "error".
    """
    names = {"default": 0, "warn": 1, "error": 2}
    mode = names.get(debug_mode) if isinstance(debug_mode, str) else debug_mode
    if mode not in (0, 1, 2):
        raise RuntimeError("invalid value of debug_mode, expected one of `default`, `warn`, `error`")
    _waiting["mode"] = mode


def get_sync_debug_mode() -> int:
    """What `set_sync_debug_mode` set."""
    return _waiting["mode"]


def get_rng_state_all() -> list[Any]:
    """The state of the random number generator, once for each device."""
    return [get_rng_state() for _ in range(device_count())]


def set_rng_state_all(new_states: Any) -> None:
    """Put the random number generator into the last of the states: it is the same for all devices."""
    for state in new_states:
        set_rng_state(state)


def get_rng_state(device: Any = "cuda") -> Any:
    """The state of the random number generator, which is the same for all devices."""
    return _get_rng_state()


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    """Put the random number generator into a state that `get_rng_state` gave."""
    _set_rng_state(new_state)


class StreamContext:
    """`stream` as a class.

    Args:
        stream: the stream, or None for the current one.
    """

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self._block = globals()["stream"](stream)

    def __enter__(self) -> None:
        self._block.__enter__()

    def __exit__(self, *exception: Any) -> None:
        self._block.__exit__(*exception)


class CUDAGraph:
    """Kernels that PyTorch launches as one. None are recorded here, but programs ask whether something is one.

    Raises:
        RuntimeError: one is made.
    """

    def __init__(self, keep_graph: bool = False) -> None:
        raise RuntimeError("CUDAGraph: kernels are not recorded here; run the program as it is")


class graph(CUDAGraph):
    """A block that PyTorch records; see `CUDAGraph`."""


def make_graphed_callables(callables: Any, sample_args: Any, **options: Any) -> Any:
    """The functions themselves, not recorded."""
    return callables


__path__: list[str] = []  # a package, since it has ``amp`` below it


def __getattr__(name: str) -> Any:
    if name == "amp":  # built on this module
        from .amp_names import names_of

        return names_of("cuda")
    if name == "memory":
        from . import cuda_memory

        return cuda_memory
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


_types = _typed_tensors("cuda")
DoubleTensor, FloatTensor, HalfTensor = _types["DoubleTensor"], _types["FloatTensor"], _types["HalfTensor"]
BFloat16Tensor, BoolTensor = _types["BFloat16Tensor"], _types["BoolTensor"]
CharTensor, ShortTensor = _types["CharTensor"], _types["ShortTensor"]
ByteTensor, IntTensor, LongTensor = _types["ByteTensor"], _types["IntTensor"], _types["LongTensor"]
