"""What there is of CUDA here: answers programs that ask before they choose a device.

Every function can be called without a GPU, and says so truthfully.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from typing import Any, NamedTuple

from .autograd.ops.legacy import typed_tensors as _typed_tensors
from .autograd.random import get_rng_state as _get_rng_state
from .autograd.random import initial_seed as initial_seed
from .autograd.random import manual_seed as manual_seed
from .autograd.random import seed as seed
from .autograd.random import set_rng_state as _set_rng_state
from .backends import Device, get_backend
from .backends import device_count as _device_count
from .backends.streams import CUDAEvent, CUDAStream

Event = CUDAEvent
Stream = CUDAStream
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


def _cupy() -> Any:
    return get_backend("cuda").xp


def _index(device: Any = None) -> int:
    """The number that a ``device`` argument means; the current device for None.

    Raises:
        RuntimeError: there is no such device. ValueError: it is no CUDA device.
    """
    backend = get_backend("cuda")
    if device is None:
        return int(backend.xp.cuda.runtime.getDevice())
    chosen = Device(device)
    if chosen.type != "cuda":
        raise ValueError(f"Expected a cuda device, but got: {chosen}")
    backend.check(chosen)
    return _index() if chosen.index is None else chosen.index


def current_device() -> int:
    """The number of the device that new CUDA tensors go to."""
    return _index()


def set_device(device: Any) -> None:
    """Make ``device`` the one that new CUDA tensors go to; prefer ``with wengert.device(...)``."""
    _cupy().cuda.Device(_index(device)).use()


def synchronize(device: Any = None) -> None:
    """Wait until the device has done everything that it was asked to do."""
    cupy = _cupy()
    with cupy.cuda.Device(_index(device)):
        cupy.cuda.runtime.deviceSynchronize()


def get_device_name(device: Any = None) -> str:
    """The product name of a device."""
    name = _cupy().cuda.runtime.getDeviceProperties(_index(device))["name"]
    return name.decode() if isinstance(name, bytes) else str(name)


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The compute capability of a device, such as (9, 0)."""
    properties = _cupy().cuda.runtime.getDeviceProperties(_index(device))
    return int(properties["major"]), int(properties["minor"])


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether a device can be used, since bfloat16 works on all of them."""
    return is_available()


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Free and total bytes of a device's memory."""
    cupy = _cupy()
    with cupy.cuda.Device(_index(device)):
        free, total = cupy.cuda.runtime.memGetInfo()
    return int(free), int(total)


def memory_allocated(device: Any = None) -> int:
    """Bytes that tensors hold; 0 without a GPU."""
    return int(_cupy().get_default_memory_pool().used_bytes()) if is_available() else 0


def memory_reserved(device: Any = None) -> int:
    """Bytes that were taken from the driver, in use or kept for reuse; 0 without a GPU."""
    return int(_cupy().get_default_memory_pool().total_bytes()) if is_available() else 0


def empty_cache() -> None:
    """Give memory that is kept for reuse back to the driver."""
    if is_available():
        get_backend("cuda").empty_cache()


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


def get_device_properties(device: Any = None) -> DeviceProperties:
    """Name, compute capability, bytes of memory and number of multiprocessors of a device."""
    p = _cupy().cuda.runtime.getDeviceProperties(_index(device))
    name = p["name"].decode() if isinstance(p["name"], bytes) else str(p["name"])
    return DeviceProperties(
        name, int(p["major"]), int(p["minor"]), int(p["totalGlobalMem"]), int(p["multiProcessorCount"])
    )


def current_stream(device: Any = None) -> Stream:
    """The queue that work goes to."""
    return Stream(_index(device), _stream=_cupy().cuda.get_current_stream())


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


def max_memory_allocated(device: Any = None) -> int:
    """Bytes that tensors held at most; CuPy's pool does not count the peak, so what its pool has taken in all."""
    return memory_reserved(device)


def max_memory_reserved(device: Any = None) -> int:
    """Bytes that were taken from the driver; 0 without a GPU."""
    return memory_reserved(device)


def memory_stats(device: Any = None) -> OrderedDict[str, int]:
    """Bytes in use and bytes taken from the driver; empty without a GPU."""
    if not is_available():
        return OrderedDict()
    return OrderedDict(
        {
            "allocated_bytes.all.current": memory_allocated(device),
            "reserved_bytes.all.current": memory_reserved(device),
        }
    )


def memory_summary(device: Any = None, abbreviated: bool = False) -> str:
    """The bytes in use and taken from the driver, as text."""
    return f"allocated {memory_allocated(device)} bytes, reserved {memory_reserved(device)} bytes"


def reset_peak_memory_stats(device: Any = None) -> None:
    """Nothing to do: peaks are not counted."""


reset_max_memory_allocated = reset_max_memory_cached = reset_accumulated_memory_stats = reset_peak_memory_stats
max_memory_cached, memory_cached = max_memory_reserved, memory_reserved


def ipc_collect() -> None:
    """Nothing to do: memory is not shared between processes."""


def get_arch_list() -> list[str]:
    """The architectures that kernels were compiled for: none, as CuPy compiles them when they are called."""
    return []


def can_device_access_peer(device: Any, peer_device: Any) -> bool:
    """Whether one device can read the memory of another."""
    return bool(_cupy().cuda.runtime.deviceCanAccessPeer(_index(device), _index(peer_device)))


def is_current_stream_capturing() -> bool:
    """Whether work is recorded as a graph; it never is."""
    return False


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
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


_types = _typed_tensors("cuda")
DoubleTensor, FloatTensor, HalfTensor = _types["DoubleTensor"], _types["FloatTensor"], _types["HalfTensor"]
BFloat16Tensor, BoolTensor = _types["BFloat16Tensor"], _types["BoolTensor"]
CharTensor, ShortTensor = _types["CharTensor"], _types["ShortTensor"]
ByteTensor, IntTensor, LongTensor = _types["ByteTensor"], _types["IntTensor"], _types["LongTensor"]
