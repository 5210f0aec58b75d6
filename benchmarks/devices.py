"""How calls are timed on a device. A device that knows a better way than the host's clock is registered here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import memory

Wait = Callable[[Any], None]


@dataclass(frozen=True)
class Device:
    """Times calls by the host's clock, which suits the CPU, and any device that `wait` waits for.

    Attributes:
        wait: takes the result of a call, and returns when it is computed.
    """

    wait: Wait

    def time(self, call: Callable[[], Any], n: int) -> tuple[float, float]:
        """Seconds of the clock and of all processors for each of ``n`` calls."""
        result: Any = None
        self.wait(result)
        start, used = time.perf_counter(), time.process_time()
        for _ in range(n):
            result = call()
        self.wait(result)
        return (time.perf_counter() - start) / n, (time.process_time() - used) / n

    def reset_peak(self) -> None:
        """Let `peak` count from now on."""
        memory.reset_peak()

    def held(self) -> int | None:
        """Bytes of memory in use."""
        return memory.resident() or None

    def peak(self) -> int | None:
        """The most that `held` was."""
        return memory.peak()


class Other(Device):
    """A device whose memory is not the host's."""

    def reset_peak(self) -> None:
        pass

    def held(self) -> int | None:
        return None

    peak = held


DEVICES: dict[str, type[Device]] = {"cpu": Device}


def device(name: str, column: str, library: Any) -> Device:
    """The way to time ``library`` on a device such as ``cuda:0``."""
    if name.partition(":")[0] == "cuda":
        from .cuda_device import CUDA

        found = CUDA(waiting(name, column, library))
        object.__setattr__(found, "library", library)
        return found
    return DEVICES.get(name.partition(":")[0], Other)(waiting(name, column, library))


def waiting(name: str, column: str, library: Any) -> Wait:
    """What waits for a library's results."""
    if column == "jax":
        return library.block_until_ready
    if name == "cpu":
        return lambda result: None
    synchronize = getattr(library, name.partition(":")[0]).synchronize
    return lambda result: synchronize()
