"""Queues of work on a device and marks in them: ``Stream`` and ``Event``, which time what a GPU does.

The CPU has one queue whose work is done at once; CUDA's are CuPy's.
"""

from __future__ import annotations

import time
from typing import Any

from .device import Device
from .registry import device_count, get_backend

__all__ = ["CPUEvent", "CPUStream", "CUDAEvent", "CUDAStream", "Event", "Stream"]


class CPUStream:
    """The CPU's queue: everything in it is done."""

    def __init__(self, priority: int = -1) -> None:
        self.device = Device("cpu")

    def wait_stream(self, stream: Any) -> None:
        """Nothing to wait for."""

    def record_event(self, event: Event | None = None) -> Event:
        """A mark at this moment."""
        event = Event("cpu", enable_timing=True) if event is None else event
        event.record()
        return event

    def wait_event(self, event: Any) -> None:
        """Nothing to wait for."""

    def synchronize(self) -> None:
        """Nothing to wait for."""

    def query(self) -> bool:
        """Whether all work is done; it is."""
        return True

    def __enter__(self) -> CPUStream:
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing to undo."""


class CUDAStream:
    """A queue of work on a CUDA device; work in different queues may run at the same time.

    Args:
        device: the device; the current one unless told.
        priority: lower numbers run first.

    Raises:
        RuntimeError: there is no CUDA device, or CuPy is missing.
    """

    def __init__(self, device: Any = None, priority: int = 0, *, _stream: Any = None) -> None:
        cupy = get_backend("cuda").xp
        index = None if device is None else Device(device).index
        self.device = Device("cuda", cupy.cuda.runtime.getDevice() if index is None else index)
        self.priority = priority
        if _stream is None:
            with cupy.cuda.Device(self.device.index):
                _stream = cupy.cuda.Stream(non_blocking=True, priority=priority)
        self._stream = _stream

    @property
    def cuda_stream(self) -> int:
        """The address of CUDA's stream."""
        return int(self._stream.ptr)

    def wait_stream(self, stream: CUDAStream) -> None:
        """Let work that comes here wait for what is in ``stream`` now."""
        self.wait_event(stream.record_event())

    def record_event(self, event: CUDAEvent | None = None) -> CUDAEvent:
        """A mark after the work that is here now."""
        event = CUDAEvent() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: CUDAEvent) -> None:
        """Let work that comes here wait for a mark."""
        self._stream.wait_event(event._event)

    def synchronize(self) -> None:
        """Wait until all work here is done."""
        self._stream.synchronize()

    def query(self) -> bool:
        """Whether all work here is done."""
        return bool(self._stream.done)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CUDAStream) and (self.device, self.cuda_stream) == (other.device, other.cuda_stream)

    def __hash__(self) -> int:
        return hash((self.cuda_stream, self.device))

    def __repr__(self) -> str:
        return f"<wengert.cuda.Stream device={self.device} cuda_stream={self.cuda_stream:#x}>"

    def __enter__(self) -> CUDAStream:
        self._stream.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stream.__exit__(*exc)


def current_cuda_stream(device: Device | None = None) -> CUDAStream:
    """The queue that work on a CUDA device goes to now."""
    cuda = get_backend("cuda").xp.cuda
    number = cuda.runtime.getDevice() if device is None or device.index is None else device.index
    with cuda.Device(number):
        return CUDAStream(number, _stream=cuda.get_current_stream())


class CUDAEvent:
    """A mark in a CUDA device's queue of work.

    Args:
        enable_timing: whether `elapsed_time` will be asked.
        blocking: whether `synchronize` lets other threads run meanwhile.
        interprocess: for PyTorch's sake.

    Raises:
        RuntimeError: there is no CUDA device, or CuPy is missing.
    """

    def __init__(self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False) -> None:
        self._cuda = get_backend("cuda").xp.cuda
        self._timed, self._recorded = enable_timing, False
        self._event = self._cuda.Event(block=blocking, disable_timing=not enable_timing)

    def record(self, stream: CUDAStream | None = None) -> None:
        """Put the mark behind the work that is in the queue now."""
        self._recorded = True
        self._event.record(self._cuda.get_current_stream() if stream is None else stream._stream)

    def wait(self, stream: CUDAStream | None = None) -> None:
        """Let work that comes to the queue wait for the mark."""
        (self._cuda.get_current_stream() if stream is None else stream._stream).wait_event(self._event)

    def query(self) -> bool:
        """Whether the work before the mark is done."""
        return bool(self._event.done)

    def synchronize(self) -> None:
        """Wait for the work before the mark."""
        self._event.synchronize()

    def elapsed_time(self, end_event: CUDAEvent) -> float:
        """Milliseconds from this mark to another.

        Raises:
            ValueError: a mark is not timed, or has not been recorded.
        """
        if not (self._timed and end_event._timed):
            raise ValueError("Both events must be created with argument 'enable_timing=True'.")
        if not (self._recorded and end_event._recorded):
            raise ValueError("Both events must be recorded before calculating elapsed time.")
        return float(self._cuda.get_elapsed_time(self._event, end_event._event))


class CPUEvent:
    """A mark in the CPU's queue: a moment."""

    def __init__(self, enable_timing: bool = False) -> None:
        self._timed = enable_timing
        self._time: float | None = None

    def record(self, stream: Any = None) -> None:
        """Keep the time."""
        self._time = time.perf_counter()

    def wait(self, stream: Any = None) -> None:
        """Nothing to wait for."""

    def query(self) -> bool:
        """Whether the work before the mark is done; it is."""
        return True

    def synchronize(self) -> None:
        """Nothing to wait for."""

    def elapsed_time(self, end_event: Any) -> float:
        """Milliseconds from this mark to another.

        Raises:
            ValueError: a mark is not timed, or has not been recorded.
        """
        if not (self._timed and end_event._timed):
            raise ValueError("Both events must be created with argument 'enable_timing=True'.")
        if self._time is None or end_event._time is None:
            raise ValueError("Both events must be recorded before calculating elapsed time.")
        return (float(end_event._time) - self._time) * 1000


class Event:
    """A mark in a device's queue of work: `CUDAEvent` where the device is a CUDA device, else a moment of the CPU.

    Args:
        device: the kind of device; the accelerator, or the CPU where there is none.
        enable_timing: whether ``elapsed_time`` will be asked.
        blocking: whether ``synchronize`` lets other threads run meanwhile.
        interprocess: for PyTorch's sake.

    Example:
        >>> import wengert as wg
        >>> start, end = wg.Event("cpu", enable_timing=True), wg.Event("cpu", enable_timing=True)
        >>> start.record(); end.record()
        >>> start.elapsed_time(end) >= 0
        True
    """

    def __init__(
        self, device: Any = None, *, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False
    ) -> None:
        self.device = Device(_kind(device))
        self._timed = enable_timing
        self._event: Any = CUDAEvent(enable_timing, blocking) if self.device.type == "cuda" else CPUEvent(enable_timing)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_event"], name)


class Stream:
    """A queue of work on a device: `CUDAStream` where that is a CUDA device, else `CPUStream`.

    Args:
        device: the kind of device; the accelerator, or the CPU where there is none.
        priority: lower numbers run first.
    """

    def __new__(cls, device: Any = None, *, priority: int = 0) -> Any:
        kind = Device(_kind(device))
        return CUDAStream(kind, priority) if kind.type == "cuda" else CPUStream(priority)


def _kind(device: Any) -> Any:
    return device if device is not None else "cuda" if device_count("cuda") else "cpu"
