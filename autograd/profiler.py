"""The profiler: how long each operation took, forward and backward, and each range that a program named.

It has PyTorch's names. Operations are watched through `wengert.autograd.watch`, so that a program pays nothing for it
while no profiler is on.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import weakref
from contextlib import ExitStack
from typing import Any

from ..backends.flops import counted_flops
from .profiler_events import EventList as EventList
from .profiler_events import FunctionEvent as FunctionEvent
from .profiler_events import FunctionEventAvg as FunctionEventAvg
from .watch import Call, Watcher, begin_range, end_range, input_arrays, new_trail, output_arrays, running_call

__all__ = ["EventList", "FunctionEvent", "FunctionEventAvg", "emit_itt", "emit_nvtx", "profile", "record_function"]

_PACKAGE = __name__.partition(".")[0]


class _Recorder(Watcher):
    """Turns calls into events."""

    def __init__(self, shapes: bool, memory: bool, stack: bool, modules: bool) -> None:
        self.shapes, self.memory, self.stack = shapes, memory, stack
        self.trail = new_trail[-1]() if modules else None
        self.modules: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()  # of nodes, for their backward
        self.flops: dict[Call, int] = {}
        self.seen: list[tuple[Call, FunctionEvent]] = []

    def count_flops(self, count: int) -> None:
        """Arithmetic that was done just now."""
        call = running_call()
        if call is not None:
            self.flops[call] = self.flops.get(call, 0) + count

    def after(self, call: Call, result: Any) -> None:
        """Keep a call that has ended."""
        start, end, inside = call.start / 1e3, call.end / 1e3, call.inside / 1e3
        event = FunctionEvent(call.name, start, end, call.thread, inside)
        event.phase = call.phase
        event.flops = self.flops.pop(call, 0)
        if self.shapes:
            event.input_shapes = [[] if a is None else list(a.shape) for a in input_arrays(call)]
        if self.memory and call.phase != "range":
            event.cpu_memory_usage = sum(a.nbytes for a in output_arrays(result) if _owns(a))
        if self.stack:
            event.stack = _program_lines()
        if self.trail is not None:
            event.module = self._module(call)
        self.seen.append((call, event))

    def _module(self, call: Call) -> str:
        if call.phase == "backward":
            return self.modules.get(call.node, "")
        path = self.trail.path() if self.trail is not None else ""
        if call.node is not None and path:
            self.modules[call.node] = path
        return path

    def events(self) -> list[FunctionEvent]:
        """All events in the order in which they began, each joined to the one around it."""
        self.seen.sort(key=lambda pair: pair[0].start)
        by_call = dict(self.seen)
        for i, (call, event) in enumerate(self.seen):
            event.id = i
            outer = call.outer
            while outer is not None and outer not in by_call:  # one that raised, or that was on before
                outer = outer.outer
            if outer is not None:
                event.cpu_parent = by_call[outer]
                event.cpu_parent.cpu_children.append(event)
        for _, event in self.seen:
            if event.phase == "range":
                event.cpu_memory_usage = sum(c.cpu_memory_usage for c in event.cpu_children)
            else:
                event.self_cpu_memory_usage = event.cpu_memory_usage
        return [event for _, event in self.seen]


def _owns(array: Any) -> bool:
    return array is not None and getattr(array, "base", None) is None


def _program_lines() -> list[str]:
    """The lines of the program that led here, the innermost first, without this package's own."""
    lines = []
    frame: Any = sys._getframe(2)
    while frame is not None:
        if str(frame.f_globals.get("__name__", "")).partition(".")[0] != _PACKAGE:
            code = frame.f_code
            lines.append(f"{code.co_filename}({frame.f_lineno}): {code.co_name}")
        frame = frame.f_back
    return lines


class profile:
    """A block whose operations are timed, forward and backward, and the ranges that it names.

    Args:
        enabled: False does nothing.
        record_shapes: keep the shapes of the inputs.
        profile_memory: count the bytes of new memory that results hold.
        with_stack: keep the program's lines that led to each operation.
        with_modules: keep the path of the module that each operation belongs to.
        with_flops: count the arithmetic of products, convolutions and attention.
        kwargs: accepted as in PyTorch (``use_cuda``, ``use_kineto`` and so on).

    Example:
        >>> import wengert as wg
        >>> x = wg.ones(3, requires_grad=True)
        >>> with wg.autograd.profiler.profile() as prof:
        ...     with wg.autograd.profiler.record_function("square"):
        ...         y = (x * x).sum()
        ...     y.backward()
        >>> [(average.key, average.count) for average in prof.key_averages()]
        [('square', 1), ('Mul', 1), ('Sum', 1), ('SumBackward0', 1), ('Expand', 1), ('MulBackward0', 1)]
    """

    def __init__(
        self,
        enabled: bool = True,
        *,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_modules: bool = False,
        with_flops: bool = False,
        **kwargs: Any,
    ) -> None:
        self.enabled = enabled
        self.entered = False
        self.record_shapes, self.profile_memory = record_shapes, profile_memory
        self.with_stack, self.with_modules, self.with_flops = with_stack, with_modules, with_flops
        self.function_events = EventList(profile_memory=profile_memory, with_flops=with_flops)
        self._recorder: _Recorder | None = None

    def __enter__(self) -> profile:
        if self.enabled:
            if self.entered:
                raise RuntimeError("Profiler context manager is not reentrant")
            self.entered = True
            self._recorder = _Recorder(self.record_shapes, self.profile_memory, self.with_stack, self.with_modules)
            self._undo = ExitStack()
            if self.with_flops:
                self._undo.enter_context(counted_flops(self._recorder.count_flops))
            if self._recorder.trail is not None:
                self._undo.callback(self._recorder.trail.close)
            self._recorder.start_watching()
        return self

    def __exit__(self, *exc: object) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.stop_watching()
            self._undo.close()
            self.function_events.extend(recorder.events())

    def _seen(self) -> EventList:
        if not self.entered or self._recorder is not None:
            raise RuntimeError("Profiler didn't finish running")
        return self.function_events

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0, group_by_overload_name: bool = False
    ) -> EventList:
        """One average for each name; see `EventList.key_averages`."""
        return self._seen().key_averages(group_by_input_shape, group_by_stack_n)

    def module_averages(self) -> EventList:
        """One average for each module and phase; see `EventList.module_averages`."""
        return self._seen().module_averages()

    def total_average(self) -> FunctionEventAvg:
        """All events as one average."""
        return self._seen().total_average()

    def table(self, sort_by: str | None = None, row_limit: int = 100, **kwargs: Any) -> str:
        """The events as text; see `EventList.table`."""
        return self._seen().table(sort_by, row_limit, **kwargs)

    def export_chrome_trace(self, path: str) -> None:
        """Write the events to a file that Chrome's tracing page reads."""
        self._seen().export_chrome_trace(path)

    def export_stacks(self, path: str, metric: str = "self_cpu_time_total") -> None:
        """Write what flame graph tools read; see `EventList.export_stacks`."""
        if not self.with_stack:
            raise AssertionError("export_stacks() requires with_stack=True")
        self._seen().export_stacks(path, metric)

    @property
    def self_cpu_time_total(self) -> float:
        """How long the operations and ranges took together, in microseconds."""
        return self._seen().self_cpu_time_total

    def __str__(self) -> str:
        return self.table() if self.entered and self._recorder is None else "<unfinished torch.autograd.profile>"

    __repr__ = __str__


class record_function(contextlib.ContextDecorator):
    """A named range: a ``with`` block, or a decorated function. It costs nothing where no profiler is on.

    Args:
        name: what it is called.
        args: more about it; not kept.
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name
        self._open = threading.local()

    def __enter__(self) -> record_function:
        calls = self._open.__dict__.setdefault("calls", [])
        calls.append(begin_range(self.name))
        return self

    def __exit__(self, *exc: object) -> None:
        end_range(self._open.calls.pop())


class emit_nvtx:
    """Nothing: a block that PyTorch marks for NVIDIA's profilers.

    Args:
        enabled: accepted as in PyTorch.
        record_shapes: likewise.
    """

    def __init__(self, enabled: bool = True, record_shapes: bool = False) -> None:
        self.enabled = enabled

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing to end."""


class emit_itt(emit_nvtx):
    """Nothing: a block that PyTorch marks for Intel's profilers."""
