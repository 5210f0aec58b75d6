"""What programs ask about the memory of CUDA devices, as ``wengert.cuda.memory`` and ``wengert.cuda``.

Bytes are counted by CuPy's pool: *allocated* is what arrays hold, *reserved* what the pool has taken from the driver.
Without a GPU all of it is nothing.
"""

from __future__ import annotations

import contextlib
import os
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from .autograd.holders import holders as _holders
from .backends import Device, device_count, get_backend
from .backends.cuda import memory as _memory
from .backends.errors import InvalidValueError
from .backends.errors import OutOfMemoryError as OutOfMemoryError

_memory.holders.append(_holders)
_peak: list[Any] = []
_most_reserved: dict[int, int] = {}
_fraction: dict[int, float] = {}


def cupy() -> Any:
    """The module CuPy.

    Raises:
        RuntimeError: it, or the driver, is missing.
    """
    return get_backend("cuda").xp


def index_of(device: Any = None) -> int:
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
    return index_of() if chosen.index is None else chosen.index


def _counter() -> Any:
    if not _peak or _peak[0]._cupy is not cupy():
        _peak[:] = [_memory.Peak(cupy())]
    return _peak[0]


def _of_pool(device: Any, question: str) -> int:
    if not device_count("cuda"):
        return 0
    with cupy().cuda.Device(index_of(device)):
        return int(getattr(cupy().get_default_memory_pool(), question)())


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Free and total bytes of a device's memory."""
    with cupy().cuda.Device(index_of(device)):
        free, total = cupy().cuda.runtime.memGetInfo()
    return int(free), int(total)


def memory_allocated(device: Any = None) -> int:
    """Bytes that tensors hold; 0 without a GPU."""
    return _of_pool(device, "used_bytes")


def memory_reserved(device: Any = None) -> int:
    """Bytes that were taken from the driver, in use or kept for reuse; 0 without a GPU."""
    now = _of_pool(device, "total_bytes")
    if now:
        number = index_of(device)
        _most_reserved[number] = max(_most_reserved.get(number, 0), now)
    return now


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes that tensors held since `reset_peak_memory_stats`; 0 without a GPU.

    Counting starts with the first reset, because it takes time at every allocation; before, it is what was taken from
    the driver, which is more.
    """
    if not device_count("cuda"):
        return 0
    counter, number = _counter(), index_of(device)
    return counter.most.get(number, 0) if counter.on else max_memory_reserved(device)


def max_memory_reserved(device: Any = None) -> int:
    """The most bytes that were taken from the driver, as far as somebody asked; 0 without a GPU."""
    now = memory_reserved(device)
    return max(_most_reserved.get(index_of(device), 0), now) if now else 0


def reset_peak_memory_stats(device: Any = None) -> None:
    """Let `max_memory_allocated` count from now on."""
    if device_count("cuda"):
        number = index_of(device)
        _counter().reset(number)
        _most_reserved[number] = _of_pool(device, "total_bytes")


reset_max_memory_allocated = reset_max_memory_cached = reset_accumulated_memory_stats = reset_peak_memory_stats
max_memory_cached, memory_cached = max_memory_reserved, memory_reserved


def empty_cache() -> None:
    """Give memory that is kept for reuse back to the driver, on all devices."""
    for number in range(device_count("cuda")):
        with cupy().cuda.Device(number):
            get_backend("cuda").empty_cache()


def memory_stats(device: Any = None) -> OrderedDict[str, int]:
    """Bytes in use and bytes taken from the driver, now and at most; empty without a GPU."""
    if not device_count("cuda"):
        return OrderedDict()
    return OrderedDict(
        {
            "allocated_bytes.all.current": memory_allocated(device),
            "allocated_bytes.all.peak": max_memory_allocated(device),
            "reserved_bytes.all.current": memory_reserved(device),
            "reserved_bytes.all.peak": max_memory_reserved(device),
        }
    )


def memory_stats_as_nested_dict(device: Any = None) -> dict[str, Any]:
    """`memory_stats` as dictionaries in dictionaries."""
    nested: dict[str, Any] = {}
    for path, value in memory_stats(device).items():
        *above, last = path.split(".")
        place = nested
        for name in above:
            place = place.setdefault(name, {})
        place[last] = value
    return nested


def host_memory_stats() -> OrderedDict[str, int]:
    """Nothing: page-locked memory is not counted."""
    return OrderedDict()


def reset_peak_host_memory_stats() -> None:
    """Nothing to do: page-locked memory is not counted."""


reset_accumulated_host_memory_stats = reset_peak_host_memory_stats


def memory_summary(device: Any = None, abbreviated: bool = False) -> str:
    """A table of what is in use and taken from the driver, and unless ``abbreviated`` who holds most of it."""
    if not device_count("cuda"):
        return "no CUDA device: no memory is in use"
    free, total = mem_get_info(device)
    stats, read = memory_stats(device), _memory.readable
    lines = [f"CUDA memory of device {index_of(device)}: {read(free)} of {read(total)} are free"]
    for name in ("allocated", "reserved"):
        now, most = (stats[f"{name}_bytes.all.{when}"] for when in ("current", "peak"))
        lines.append(f"  {name:<10} {read(now):>12}   at most {read(most):>12}")
    if not abbreviated:
        lines += [f"  {read(size):>12}  {name}" for size, name in _memory.largest()]
    return "\n".join(lines)


def list_gpu_processes(device: Any = None) -> str:
    """What this process uses of a device; of others, ``nvidia-smi`` knows."""
    if not device_count("cuda"):
        return "no CUDA device is used"
    used = memory_reserved(device) / 2**20
    return f"GPU:{index_of(device)}\nprocess {os.getpid():>10d} uses {used:>12.3f} MB GPU memory"


def set_per_process_memory_fraction(fraction: float, device: Any = None) -> None:
    """Let this process take only a part of a device's memory; more is an `OutOfMemoryError`.

    Raises:
        TypeError: it is no float. ValueError: it is not between 0 and 1.
    """
    if not isinstance(fraction, float):
        raise TypeError("Invalid type for fraction argument, must be `float`")
    if not 0 <= fraction <= 1:
        raise InvalidValueError(f"Invalid fraction value: {fraction}. Allowed range: 0~1")
    number = index_of(device)
    with cupy().cuda.Device(number):
        cupy().get_default_memory_pool().set_limit(fraction=fraction if fraction < 1 else None, size=None)
    _fraction[number] = fraction


def get_per_process_memory_fraction(device: Any = None) -> float:
    """What `set_per_process_memory_fraction` set; 1.0 unless it did."""
    return _fraction.get(index_of(device), 1.0)


def get_allocator_backend() -> str:
    """Who hands out memory: a pool that keeps what was given back, for reuse."""
    return "native"


@contextlib.contextmanager
def use_mem_pool(pool: Any, device: Any = None) -> Iterator[None]:
    """A block in which memory comes from a pool of its own."""
    with cupy().cuda.Device(index_of(device)), cupy().cuda.using_allocator(pool.pool.malloc):
        yield


class MemPool:
    """A pool of memory of its own, for `use_mem_pool`: CuPy's ``MemoryPool``.

    Raises:
        RuntimeError: there is no CUDA device, or CuPy is missing.
    """

    def __init__(self, allocator: Any = None, use_on_oom: bool = False) -> None:
        self.allocator, self.pool = allocator, cupy().cuda.MemoryPool()
        self.id = (0, id(self.pool))


def ipc_collect() -> None:
    """Nothing to do: memory is not shared between processes."""
