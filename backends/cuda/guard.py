"""Kernels where there are several GPUs: each runs on the device of its arrays, and refuses arrays of two devices.

With one GPU nothing of this is there, and nothing is slower.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from ..errors import DeviceError
from ..registry import Kernels, follower


class GuardedKernels(Kernels):
    """The kernels of a backend, each within the device of its arrays.

    Args:
        plain: the kernels themselves.
    """

    def __init__(self, plain: Kernels) -> None:
        self.__dict__.update(plain.__dict__)
        self.plain = plain
        self._runtime = plain.xp.cuda.runtime

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        kernel = getattr(self.plain, name)
        if callable(kernel) and not isinstance(kernel, type):
            kernel = self._guarded(name, kernel)
        setattr(self, name, kernel)
        return kernel

    def _guarded(self, name: str, kernel: Any) -> Any:
        array_type, runtime, device = self.backend.array_type, self._runtime, self.xp.cuda.Device

        @functools.wraps(kernel)
        def run(*args: Any, **params: Any) -> Any:
            where = {array.device.id for array in _arrays((*args, *params.values()), array_type)}
            if not where or (len(where) == 1 and runtime.getDevice() in where):
                return kernel(*args, **params)
            if len(where) > 1:
                first, second, *_ = sorted(where)
                raise DeviceError(
                    f"{name}: Expected all tensors to be on the same device, but found at least two devices, "
                    f"cuda:{first} and cuda:{second}; move one with .to('cuda:{first}')"
                )
            with device(where.pop()):
                return kernel(*args, **params)

        return run


def follow_devices(backend: Any) -> None:
    """Let the backward pass go onto the device of each gradient that arrives."""
    runtime, array_type = backend.xp.cuda.runtime, backend.array_type

    def follow(g: Any) -> None:
        for part in g if type(g) is list else (g,):
            array = part if isinstance(part, array_type) else getattr(part, "_data", None)
            if isinstance(array, array_type):
                runtime.setDevice(array.device.id)
                return

    follower.start, follower.follow, follower.end = runtime.getDevice, follow, runtime.setDevice


def _arrays(values: Any, array_type: type) -> Iterator[Any]:
    for value in values:
        if isinstance(value, array_type):
            yield value
        elif type(value) in (list, tuple):
            yield from _arrays(value, array_type)
