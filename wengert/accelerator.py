"""The accelerator of this machine, whatever its kind: a CUDA device, or none."""

from __future__ import annotations

from typing import Any

from . import cuda as _cuda
from .backends import Device
from .backends.errors import DeviceError


def is_available() -> bool:
    """Whether there is an accelerator."""
    return _cuda.is_available()


def device_count() -> int:
    """The number of accelerators."""
    return _cuda.device_count()


def current_accelerator(check_available: bool = False) -> Device | None:
    """The kind of accelerator, as a device without a number; None where there is none."""
    return Device("cuda") if is_available() else None


def _check() -> None:
    if not is_available():
        raise DeviceError(
            "Cannot access accelerator device when none is available; test wengert.accelerator.is_available() first"
        )


def current_device_index() -> int:
    """The number of the accelerator in use.

    Raises:
        RuntimeError: there is none.
    """
    _check()
    return _cuda.current_device()


def set_device_index(device: Any) -> None:
    """Use the accelerator with this number.

    Raises:
        RuntimeError: there is none.
    """
    _check()
    _cuda.set_device(device)


def synchronize(device: Any = None) -> None:
    """Wait until the accelerator has done everything that it was asked to do.

    Raises:
        RuntimeError: there is none.
    """
    _check()
    _cuda.synchronize(device)


def current_stream(device: Any = None) -> Any:
    """The queue that work goes to.

    Raises:
        RuntimeError: there is no accelerator.
    """
    _check()
    return _cuda.current_stream(device)


def set_stream(stream: Any) -> None:
    """Let work go to ``stream`` from here on.

    Raises:
        RuntimeError: there is no accelerator.
    """
    _check()
    _cuda.set_stream(stream)


class device_index(_cuda.device):
    """A block in which new tensors go to the accelerator with this number; None changes nothing."""


def memory_reserved(device_index: Any = None) -> int:
    """Bytes that were taken from the driver; 0 without an accelerator."""
    return _cuda.memory_reserved(device_index)


def max_memory_allocated(device_index: Any = None) -> int:
    """See `wengert.cuda.max_memory_allocated`."""
    return _cuda.max_memory_allocated(device_index)


def max_memory_reserved(device_index: Any = None) -> int:
    """See `wengert.cuda.max_memory_reserved`."""
    return _cuda.max_memory_reserved(device_index)


def memory_stats(device_index: Any = None) -> Any:
    """See `wengert.cuda.memory_stats`."""
    return _cuda.memory_stats(device_index)


def reset_peak_memory_stats(device_index: Any = None) -> None:
    """Nothing to do: peaks are not counted."""


def memory_allocated(device_index: Any = None) -> int:
    """Bytes that tensors hold; 0 without an accelerator."""
    return _cuda.memory_allocated(device_index)


def empty_cache() -> None:
    """Give memory that is kept for reuse back to the driver."""
    _cuda.empty_cache()


current_device_idx, set_device_idx = current_device_index, set_device_index
