"""Intel's GPUs, which this library has no backend for: answers programs that ask, and says so to those that use one."""

from __future__ import annotations

from typing import Any

from .autograd.random import manual_seed as manual_seed
from .autograd.random import seed as seed
from .backends.errors import DeviceError


def is_available() -> bool:
    """Whether Intel's GPU can be used; it cannot."""
    return False


def device_count() -> int:
    """The number of Intel GPUs that can be used: none."""
    return 0


def empty_cache() -> None:
    """Nothing to give back."""


def synchronize(*args: Any) -> None:
    """Wait for the GPU.

    Raises:
        RuntimeError: always.
    """
    raise DeviceError("there is no backend for Intel's GPUs; use device='cpu'")
