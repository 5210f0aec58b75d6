"""The CPU as a device, with the functions that other kinds of device have."""

from __future__ import annotations

import contextlib
from typing import Any

from .backends.streams import CPUEvent, CPUStream

Event = CPUEvent
Stream = CPUStream


def is_available() -> bool:
    """Whether the CPU can be used; it can."""
    return True


def is_initialized() -> bool:
    """Whether the CPU is ready; it is."""
    return True


def device_count() -> int:
    """The number of CPU devices, which is 1 whatever the number of cores."""
    return 1


def current_device() -> str:
    """The name of the device in use."""
    return "cpu"


def set_device(device: Any) -> None:
    """Nothing to do: there is one."""


def synchronize(device: Any = None) -> None:
    """Nothing to wait for: ops are done when they return."""


def current_stream(device: Any = None) -> Stream:
    """The one queue of work that there is."""
    return Stream()


def stream(stream: Any) -> contextlib.AbstractContextManager[None]:
    """A block in which work goes to ``stream``; there is one."""
    return contextlib.nullcontext()


__path__: list[str] = []  # a package, since it has ``amp`` below it


def __getattr__(name: str) -> Any:
    if name == "amp":
        from .amp_names import names_of

        return names_of("cpu")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
