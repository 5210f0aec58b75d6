"""The backends that tests run on, and the way to them: the CPU, the stand-in for CuPy, and a GPU where there is one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from wengert.backends import Backend, Device, backend_of, get_backend, register

from .strict import StrictArray, strict_xp


class StrictBackend(Backend):
    """The stand-in of `tests/strict.py`, known to the library by `register` alone."""

    def to_numpy(self, array: Any) -> Any:
        return array.get()

    def from_numpy(self, array: Any, device: Device, non_blocking: bool = False) -> Any:
        return strict_xp.asarray(array)


register("strict", lambda: StrictBackend("strict", strict_xp, StrictArray))


@pytest.fixture(params=["cpu", "strict", pytest.param("cuda", marks=pytest.mark.gpu)])
def backend(request: pytest.FixtureRequest) -> str:
    """The name of the device that the test runs on."""
    return str(request.param)


def to_backend(array: Any, device: str) -> Any:
    """A backend's array with the values of a NumPy array, or of what makes one."""
    chosen = Device(device)
    return get_backend(chosen.type).from_numpy(np.asarray(array), chosen)


def to_numpy(array: Any) -> Any:
    """The values of any backend's array."""
    return backend_of(array).to_numpy(array)
