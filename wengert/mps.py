"""Apple's GPUs, which this library has no backend for: answers programs that ask, and says so to those that use one."""

from __future__ import annotations

from typing import Any

from .autograd.random import manual_seed as manual_seed
from .autograd.random import seed as seed
from .backends.errors import DeviceError


def is_available() -> bool:
    """Whether Apple's GPU can be used; it cannot."""
    return False


def device_count() -> int:
    """The number of Apple GPUs that can be used: none."""
    return 0


def empty_cache() -> None:
    """Nothing to give back."""


def current_allocated_memory() -> int:
    """Bytes that tensors hold on Apple's GPU: none."""
    return 0


def driver_allocated_memory() -> int:
    """Bytes that were taken from the driver: none."""
    return 0


def synchronize(*args: Any) -> None:
    """Wait for the GPU.

    Raises:
        RuntimeError: always.
    """
    raise DeviceError("there is no backend for Apple's GPUs; use device='cpu'")
