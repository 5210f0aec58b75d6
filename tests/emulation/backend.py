"""The library's CUDA backend with its own kernels, run on the CPU, as what ``device="cuda"`` means."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from wengert.backends import Device

from ..fake_cupy import fake_cuda
from ..strict import StrictArray
from . import EmulatedCupy


@contextlib.contextmanager
def emulated() -> Iterator[Any]:
    """The backend, until the end of the block; NVIDIA's libraries are missing."""
    with fake_cuda(stand_in=EmulatedCupy()) as (_, backend):
        yield backend


def on_device(backend: Any, value: Any) -> Any:
    """NumPy arrays in ``value`` as arrays of the backend; what is no array as it is."""
    if isinstance(value, np.ndarray):
        return backend.from_numpy(value, Device("cuda"))
    if isinstance(value, list | tuple):
        return type(value)(on_device(backend, v) for v in value)
    return value


def on_host(value: Any) -> Any:
    """The arrays of the backend in ``value`` as NumPy arrays."""
    if isinstance(value, StrictArray):
        return np.array(value._data)
    if isinstance(value, list | tuple):
        return type(value)(on_host(v) for v in value)
    return value
