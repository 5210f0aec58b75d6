"""A small profiler with PyTorch's names: how long the ranges took that a program named with ``record_function``.

Single operations are not timed; Python's own profilers and those of the devices do that.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterable
from typing import Any

__all__ = ["EventList", "FunctionEvent", "FunctionEventAvg", "emit_itt", "emit_nvtx", "profile", "record_function"]

_running: list[profile] = []  # the profilers that are on


class FunctionEvent:
    """One range.

    Attributes:
        name, key: what it is called.
        start, end: in microseconds.
        thread: the number of its thread.
    """

    count = 1

    def __init__(self, name: str, start: float, end: float, thread: int) -> None:
        self.name = self.key = name
        self.start, self.end, self.thread = start, end, thread

    @property
    def cpu_time_total(self) -> float:
        """How long it took, in microseconds."""
        return self.end - self.start

    cpu_time = self_cpu_time_total = cpu_time_total

    def __repr__(self) -> str:
        return f"<FunctionEvent name={self.name} cpu_time={self.cpu_time_total:.3f}us>"


class FunctionEventAvg:
    """All ranges of one name.

    Attributes:
        key: the name.
        count: how many there were.
        cpu_time_total: how long they took together, in microseconds.
    """

    def __init__(self, key: str) -> None:
        self.key, self.count, self.cpu_time_total = key, 0, 0.0

    def add(self, event: Any) -> FunctionEventAvg:
        """Count a range, or those of another average."""
        self.count += event.count
        self.cpu_time_total += event.cpu_time_total
        return self

    __iadd__ = add

    @property
    def self_cpu_time_total(self) -> float:
        """The same as ``cpu_time_total``: ranges do not know of each other."""
        return self.cpu_time_total

    @property
    def cpu_time(self) -> float:
        """The average, in microseconds."""
        return self.cpu_time_total / self.count if self.count else 0.0

    def __repr__(self) -> str:
        return f"<FunctionEventAvg key={self.key} cpu_time={self.cpu_time:.3f}us count={self.count}>"


class EventList(list[Any]):
    """Ranges, or averages of ranges."""

    def key_averages(self, *args: Any, **kwargs: Any) -> EventList:
        """One average for each name; the arguments are accepted as in PyTorch."""
        found: dict[str, FunctionEventAvg] = {}
        for event in self:
            found.setdefault(event.key, FunctionEventAvg(event.key)).add(event)
        return EventList(found.values())

    def total_average(self) -> FunctionEventAvg:
        """All of them as one average."""
        total = FunctionEventAvg("Total")
        for event in self:
            total.add(event)
        return total

    @property
    def self_cpu_time_total(self) -> float:
        """How long they took together, in microseconds."""
        return float(sum(event.self_cpu_time_total for event in self))

    def table(self, sort_by: str | None = None, row_limit: int = 100, **kwargs: Any) -> str:
        """The averages as text.

        Args:
            sort_by: the attribute by which they are sorted, the largest first, such as ``"cpu_time_total"``.
            row_limit: how many are shown; all when negative.
            kwargs: accepted as in PyTorch.
        """
        averages: Iterable[Any] = self.key_averages()
        if sort_by is not None:
            averages = sorted(averages, key=lambda a: getattr(a, sort_by.removeprefix("self_"), 0.0), reverse=True)
        rows = [("Name", "CPU total", "CPU time avg", "# of Calls")]
        rows += [(a.key, f"{a.cpu_time_total:.3f}us", f"{a.cpu_time:.3f}us", str(a.count)) for a in averages]
        rows = rows if row_limit < 0 else rows[: row_limit + 1]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in rows)

    def export_chrome_trace(self, path: str) -> None:
        """Write the ranges to a file that Chrome's tracing page reads."""
        events = [
            {"name": e.name, "ph": "X", "ts": e.start, "dur": e.end - e.start, "tid": e.thread, "pid": "CPU functions"}
            for e in self
        ]
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"traceEvents": events}, file)

    def __str__(self) -> str:
        return self.table()


class profile:
    """A block whose named ranges are timed.

    Args:
        enabled: False does nothing.
        kwargs: accepted as in PyTorch (``use_cuda``, ``record_shapes``, ``with_stack`` and so on).

    Example:
        >>> import wengert as wg
        >>> with wg.autograd.profiler.profile() as prof:
        ...     with wg.autograd.profiler.record_function("sum"):
        ...         _ = wg.ones(3).sum()
        >>> [(average.key, average.count) for average in prof.key_averages()]
        [('sum', 1)]
    """

    def __init__(self, enabled: bool = True, **kwargs: Any) -> None:
        self.enabled = enabled
        self.entered = False
        self.function_events = EventList()

    def __enter__(self) -> profile:
        if self.enabled:
            if self.entered:
                raise RuntimeError("Profiler context manager is not reentrant")
            self.entered = True
            _running.append(self)
        return self

    def __exit__(self, *exc: object) -> None:
        if self in _running:
            _running.remove(self)

    def _seen(self) -> EventList:
        if not self.entered:
            raise RuntimeError("Profiler didn't finish running")
        return self.function_events

    def key_averages(self, *args: Any, **kwargs: Any) -> EventList:
        """One average for each name."""
        return self._seen().key_averages()

    def total_average(self) -> FunctionEventAvg:
        """All ranges as one average."""
        return self._seen().total_average()

    def table(self, sort_by: str | None = None, row_limit: int = 100, **kwargs: Any) -> str:
        """The averages as text; see `EventList.table`."""
        return self._seen().table(sort_by, row_limit)

    def export_chrome_trace(self, path: str) -> None:
        """Write the ranges to a file that Chrome's tracing page reads."""
        self._seen().export_chrome_trace(path)

    @property
    def self_cpu_time_total(self) -> float:
        """How long the ranges took together, in microseconds."""
        return self._seen().self_cpu_time_total

    def __str__(self) -> str:
        return self.table() if self.entered else "<unfinished torch.autograd.profile>"

    __repr__ = __str__


class record_function(contextlib.ContextDecorator):
    """A named range: a ``with`` block, or a decorated function. It costs nothing where no profiler is on.

    Args:
        name: what it is called.
        args: more about it; not kept.
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name

    def __enter__(self) -> record_function:
        self._start = time.perf_counter_ns()
        return self

    def __exit__(self, *exc: object) -> None:
        if _running:
            end = time.perf_counter_ns()
            event = FunctionEvent(self.name, self._start / 1e3, end / 1e3, threading.get_ident())
            for profiler in _running:
                profiler.function_events.append(event)


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
