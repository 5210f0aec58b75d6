"""PyTorch's newer profiler by its names, on `wengert.autograd.profiler`: operations and ranges, in chosen steps."""

from __future__ import annotations

import enum
import os
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

from .autograd.profiler import EventList
from .autograd.profiler import profile as _Profile
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


def kineto_available() -> bool:
    """Whether PyTorch's own tracer is there; it is not."""
    return False


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
    """A block whose operations and named ranges are timed, in the steps that a `schedule` chooses.

    Args:
        activities: accepted as in PyTorch; everything runs through the CPU's clock.
        schedule: says what to do in each step; without one everything is recorded.
        on_trace_ready: called with the profiler when a cycle has been recorded.
        record_shapes: keep the shapes of the inputs.
        profile_memory: count the bytes of new memory that results hold.
        with_stack: keep the program's lines that led to each operation.
        with_flops: count the arithmetic of products, convolutions and attention.
        with_modules: keep the path of the module that each operation belongs to; `module_averages` sums them up.
        kwargs: accepted as in PyTorch.

    Example:
        >>> import wengert as wg
        >>> model = wg.nn.Sequential(wg.nn.Linear(3, 4), wg.nn.ReLU())
        >>> with wg.profiler.profile(with_modules=True) as prof:
        ...     with wg.profiler.record_function("step"):
        ...         model(wg.ones(2, 3)).sum().backward()
        >>> print(prof.key_averages().table(sort_by="cpu_time_total", row_limit=10))  # doctest: +SKIP
        >>> [average.key for average in prof.module_averages()][:2]
        ['Sequential.0, forward', 'Sequential.1, forward']
    """

    def __init__(
        self,
        *,
        activities: Iterable[ProfilerActivity] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[[Any], Any] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
        **kwargs: Any,
    ) -> None:
        self.activities = set(activities) if activities else supported_activities()
        self.schedule = schedule if schedule is not None else lambda step: ProfilerAction.RECORD
        self.on_trace_ready = on_trace_ready
        self.record_shapes, self.profile_memory, self.with_stack = record_shapes, profile_memory, with_stack
        self.with_flops, self.with_modules = with_flops, with_modules
        self.step_num = 0
        self.current_action = self.schedule(0)
        self._metadata: dict[str, str] = {}
        self._events = self._new()

    def _new(self) -> _Profile:
        return _Profile(
            record_shapes=self.record_shapes,
            profile_memory=self.profile_memory,
            with_stack=self.with_stack,
            with_flops=self.with_flops,
            with_modules=self.with_modules,
        )

    def start(self) -> None:
        """Begin, as entering the block does."""
        self._enter_action()

    def stop(self) -> None:
        """End, as leaving the block does."""
        recorded = self._events.entered
        self._events.__exit__()
        if recorded and self.on_trace_ready is not None and self.current_action.value >= ProfilerAction.RECORD.value:
            self.on_trace_ready(self)

    def step(self) -> None:
        """Say that the program's next step begins."""
        before = self.current_action
        self.step_num += 1
        self.current_action = self.schedule(self.step_num)
        if before is ProfilerAction.RECORD_AND_SAVE:
            self._events.__exit__()
            if self.on_trace_ready is not None:
                self.on_trace_ready(self)
            self._events = self._new()
        self._enter_action()

    def _enter_action(self) -> None:
        if self.current_action.value >= ProfilerAction.RECORD.value and not self._events.entered:
            self._events.__enter__()

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def events(self) -> EventList:
        """What was recorded."""
        return self._events.function_events

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0, **kwargs: Any) -> EventList:
        """One average for each name; see `EventList.key_averages`."""
        return self.events().key_averages(group_by_input_shape, group_by_stack_n)

    def module_averages(self) -> EventList:
        """One average for each module and phase; see `EventList.module_averages`."""
        return self.events().module_averages()

    def export_chrome_trace(self, path: str) -> None:
        """Write the events to a file that Chrome's tracing page reads."""
        self.events().export_chrome_trace(path)

    def export_stacks(self, path: str, metric: str = "self_cpu_time_total") -> None:
        """Write what flame graph tools read; needs ``with_stack``."""
        self._events.export_stacks(path, metric)

    def add_metadata(self, key: str, value: str) -> None:
        """Keep a note; the trace does not show it."""
        self._metadata[key] = value

    add_metadata_json = add_metadata
