"""PyTorch's newer profiler by its names, on `wengert.autograd.profiler`: it times the ranges that a program names."""

from __future__ import annotations

import enum
import os
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

from .autograd.profiler import EventList
from .autograd.profiler import profile as _ranges
from .autograd.profiler import record_function as record_function

__all__ = [
    "ProfilerAction",
    "ProfilerActivity",
    "profile",
    "record_function",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]


class ProfilerActivity(enum.Enum):
    """What PyTorch's profiler can watch."""

    CPU = 0
    XPU = 1
    MTIA = 2
    CUDA = 3
    HPU = 4
    PrivateUse1 = 5


class ProfilerAction(enum.Enum):
    """What a profiler does in one step of the program."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def supported_activities() -> set[ProfilerActivity]:
    """What can be watched here."""
    return {ProfilerActivity.CPU}


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0, skip_first_wait: int = 0
) -> Callable[[int], ProfilerAction]:
    """A function that says what the profiler does in each step: wait, warm up, record, over and over.

    Args:
        wait: steps without recording.
        warmup: steps whose record is dropped.
        active: steps that are recorded.
        repeat: how many such cycles; for ever when 0.
        skip_first: steps before the first cycle.
        skip_first_wait: 1 leaves the first cycle's ``wait`` out.

    Raises:
        AssertionError: a number is negative, or there is no active step.

    Example:
        >>> import wengert as wg
        >>> plan = wg.profiler.schedule(wait=1, warmup=1, active=2)
        >>> [plan(step).name for step in range(5)]
        ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE', 'NONE']
    """
    if wait < 0 or warmup < 0 or active <= 0 or repeat < 0 or skip_first < 0:
        raise AssertionError("Invalid profiler schedule arguments: active must be positive, the others not negative")

    def action(step: int) -> ProfilerAction:
        if step < 0:
            raise AssertionError(f"Step must be non-negative. Got {step}.")
        step -= skip_first
        if step < 0:
            return ProfilerAction.NONE
        step += wait if skip_first_wait else 0
        length = wait + warmup + active
        if repeat and step >= length * repeat:
            return ProfilerAction.NONE
        place = step % length
        if place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD if place < length - 1 else ProfilerAction.RECORD_AND_SAVE

    return action


def tensorboard_trace_handler(dir_name: str, worker_name: str | None = None, use_gzip: bool = False) -> Any:
    """A function for ``on_trace_ready`` that writes each trace into a folder, named after worker and time.

    Args:
        dir_name: the folder, made if it is not there.
        worker_name: host and process, unless given.
        use_gzip: accepted as in PyTorch.
    """

    def handler(prof: Any) -> None:
        os.makedirs(dir_name, exist_ok=True)
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        prof.export_chrome_trace(os.path.join(dir_name, f"{worker}.{time.time_ns()}.pt.trace.json"))

    return handler


class profile:
    """A block whose named ranges are timed, in the steps that a `schedule` chooses.

    Args:
        activities: accepted as in PyTorch.
        schedule: says what to do in each step; without one everything is recorded.
        on_trace_ready: called with the profiler when a cycle has been recorded.
        kwargs: accepted as in PyTorch (``record_shapes``, ``profile_memory``, ``with_stack`` and so on).

    Example:
        >>> import wengert as wg
        >>> with wg.profiler.profile() as prof:
        ...     with wg.profiler.record_function("sum"):
        ...         _ = wg.ones(3).sum()
        >>> prof.key_averages()[0].count
        1
    """

    def __init__(
        self,
        *,
        activities: Iterable[ProfilerActivity] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[[Any], Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.activities = set(activities) if activities else supported_activities()
        self.schedule = schedule if schedule is not None else lambda step: ProfilerAction.RECORD
        self.on_trace_ready = on_trace_ready
        self.step_num = 0
        self.current_action = self.schedule(0)
        self._metadata: dict[str, str] = {}
        self._ranges = _ranges()

    def start(self) -> None:
        """Begin, as entering the block does."""
        self._enter_action()

    def stop(self) -> None:
        """End, as leaving the block does."""
        recorded = self._ranges.entered
        self._ranges.__exit__()
        if recorded and self.on_trace_ready is not None and self.current_action.value >= ProfilerAction.RECORD.value:
            self.on_trace_ready(self)

    def step(self) -> None:
        """Say that the program's next step begins."""
        before = self.current_action
        self.step_num += 1
        self.current_action = self.schedule(self.step_num)
        if before is ProfilerAction.RECORD_AND_SAVE:
            self._ranges.__exit__()
            if self.on_trace_ready is not None:
                self.on_trace_ready(self)
            self._ranges = _ranges()
        self._enter_action()

    def _enter_action(self) -> None:
        if self.current_action.value >= ProfilerAction.RECORD.value and not self._ranges.entered:
            self._ranges.__enter__()

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def events(self) -> EventList:
        """The ranges."""
        return self._ranges.function_events

    def key_averages(self, *args: Any, **kwargs: Any) -> EventList:
        """One average for each name."""
        return self.events().key_averages()

    def export_chrome_trace(self, path: str) -> None:
        """Write the ranges to a file that Chrome's tracing page reads."""
        self.events().export_chrome_trace(path)

    def add_metadata(self, key: str, value: str) -> None:
        """Keep a note; the trace does not show it."""
        self._metadata[key] = value

    add_metadata_json = add_metadata
