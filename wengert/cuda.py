"""What there is of CUDA here: answers programs that ask before they choose a device.

Every function can be called without a GPU, and says so truthfully.
"""

from __future__ import annotations

from typing import Any

from .autograd.ops.legacy import typed_tensors as _typed_tensors
from .autograd.random import get_rng_state as _get_rng_state
from .autograd.random import manual_seed as manual_seed
from .autograd.random import seed as seed
from .autograd.random import set_rng_state as _set_rng_state
from .backends import Device, get_backend
from .backends.errors import BackendUnavailableError

manual_seed_all = manual_seed
seed_all = seed


def is_available() -> bool:
    """Whether a CUDA device can be used."""
    return device_count() > 0


def device_count() -> int:
    """The number of CUDA devices; 0 where CuPy or the driver is missing."""
    try:
        return get_backend("cuda").device_count()
    except BackendUnavailableError:
        return 0


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
        _cupy().get_default_memory_pool().free_all_blocks()


def get_rng_state(device: Any = "cuda") -> Any:
    """The state of the random number generator, which is the same for all devices."""
    return _get_rng_state()


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    """Put the random number generator into a state that `get_rng_state` gave."""
    _set_rng_state(new_state)


_types = _typed_tensors("cuda")
DoubleTensor, FloatTensor, HalfTensor = _types["DoubleTensor"], _types["FloatTensor"], _types["HalfTensor"]
ByteTensor, IntTensor, LongTensor = _types["ByteTensor"], _types["IntTensor"], _types["LongTensor"]
