"""CUDA devices: times by events in the device's queue, memory as each library's allocator counts it.

With ``WENGERT_STAND_IN=1`` in the environment, CUDA is the tests' stand-in for CuPy: that tries programs, not speed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from .devices import Device

_entered: list[Any] = []


def stand_in() -> None:
    """Let ``cuda`` be the tests' stand-in for the rest of this process, if the environment says so."""
    if os.environ.get("WENGERT_STAND_IN") == "1":
        from tests.fake_cublaslt import FakeCublasLt
        from tests.fake_cudnn import fake_cudnn
        from tests.fake_cudnn_rnn import FakeRNN
        from tests.fake_cupy import fake_cuda

        block = fake_cuda(libraries={"cublasLt": FakeCublasLt(), "cudnn": FakeRNN(), "cudnn frontend": fake_cudnn()})
        block.__enter__()
        _entered.append(block)  # which would end with the last reference


class CUDA(Device):
    """Times calls by two events around them, which leaves out how long the host waits for the last one."""

    library: Any = None

    def time(self, call: Callable[[], Any], n: int) -> tuple[float, float]:
        """Seconds of the device's queue, and of all processors, for each of ``n`` calls."""
        if self.library is None or not hasattr(self.library, "cuda"):
            return super().time(call, n)  # JAX has no events
        cuda = self.library.cuda
        start, end = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
        cuda.synchronize()
        used = time.process_time()
        start.record()
        for _ in range(n):
            call()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) / 1e3 / n, (time.process_time() - used) / n

    def reset_peak(self) -> None:
        if self.library is not None and hasattr(self.library, "cuda"):
            self.library.cuda.reset_peak_memory_stats()

    def held(self) -> int | None:
        if self.library is None:
            return None
        if hasattr(self.library, "cuda"):
            return int(self.library.cuda.memory_allocated())
        return int((self.library.devices()[0].memory_stats() or {}).get("bytes_in_use", 0))

    def peak(self) -> int | None:
        if self.library is None:
            return None
        if hasattr(self.library, "cuda"):
            return int(self.library.cuda.max_memory_allocated())
        return int((self.library.devices()[0].memory_stats() or {}).get("peak_bytes_in_use", 0))
