"""What a profiler has seen: single events, averages of them, a table, and a file for Chrome's tracing page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

__all__ = ["EventList", "FunctionEvent", "FunctionEventAvg", "Interval"]


class Interval(NamedTuple):
    """A stretch of time, in microseconds."""

    start: float
    end: float

    def elapsed_us(self) -> float:
        """How long it is."""
        return self.end - self.start


class Measured:
    """What events and their averages have in common: times in microseconds, memory in bytes."""

    key: str
    count: int
    cpu_time_total: float
    self_cpu_time_total: float
    cpu_memory_usage: int = 0
    self_cpu_memory_usage: int = 0
    device_time_total: float = 0.0
    self_device_time_total: float = 0.0
    device_memory_usage: int = 0
    self_device_memory_usage: int = 0
    flops: int = 0
    input_shapes: Any = ()

    @property
    def cpu_time(self) -> float:
        """The average, in microseconds."""
        return self.cpu_time_total / self.count if self.count else 0.0

    @property
    def device_time(self) -> float:
        """The average on the device."""
        return self.device_time_total / self.count if self.count else 0.0

    cuda_time, cuda_time_total, self_cuda_time_total = device_time, device_time_total, self_device_time_total
    cpu_time_str = property(lambda self: format_time(self.cpu_time))
    cpu_time_total_str = property(lambda self: format_time(self.cpu_time_total))
    self_cpu_time_total_str = property(lambda self: format_time(self.self_cpu_time_total))


class FunctionEvent(Measured):
    """One run of an operation, or of a range that the program named.

    Attributes:
        id: its number, in the order in which events began.
        name, key: the operation's name (``Mul``, ``MulBackward0``), or the range's.
        phase: ``"forward"``, ``"backward"`` or ``"range"``.
        time_range: when it ran, in microseconds.
        cpu_time_total: how long it took; ``self_cpu_time_total`` is that without the events inside of it.
        cpu_memory_usage: bytes of new memory that its results hold.
        cpu_parent, cpu_children: the event around it and those in it.
        input_shapes: of its inputs, where ``record_shapes`` asked for them.
        stack: the program's lines that led to it, the innermost first, where ``with_stack`` asked for them.
        module: the path of the module that it belongs to, where ``with_modules`` asked for it.
        thread: the number of its thread.
    """

    count = 1
    device_type = "CPU"
    is_async = is_remote = is_legacy = False
    node_id = device_index = -1

    def __init__(self, name: str, start: float, end: float, thread: int, inside: float = 0.0) -> None:
        self.name = self.key = name
        self.id = 0
        self.thread, self.phase, self.module = thread, "range", ""
        self.time_range = Interval(start, end)
        self.cpu_time_total = end - start
        self.self_cpu_time_total = self.cpu_time_total - inside
        self.cpu_parent: FunctionEvent | None = None
        self.cpu_children: list[FunctionEvent] = []
        self.stack: list[str] = []

    @property
    def start(self) -> float:
        """When it began, in microseconds."""
        return self.time_range.start

    @property
    def end(self) -> float:
        """When it ended, in microseconds."""
        return self.time_range.end

    def __repr__(self) -> str:
        return (
            f"<FunctionEvent id={self.id} name={self.name} cpu_time={self.cpu_time_str} start_us={self.start} "
            f"end_us={self.end} cpu_children={[c.id for c in self.cpu_children]} thread={self.thread} "
            f"input_shapes={self.input_shapes} cpu_memory_usage={self.cpu_memory_usage}>"
        )


class FunctionEventAvg(Measured):
    """All events of one name (and, where asked for, of the same shapes, lines or module).

    Attributes:
        key: the name.
        count: how many there were.
        cpu_time_total, self_cpu_time_total: how long they took together, in microseconds.
    """

    def __init__(self, key: str) -> None:
        self.key, self.count, self.cpu_time_total, self.self_cpu_time_total = key, 0, 0.0, 0.0
        self.cpu_memory_usage = self.self_cpu_memory_usage = self.flops = 0
        self.input_shapes: Any = ""
        self.stack: list[str] = []
        self.module = ""

    def add(self, event: Any) -> FunctionEventAvg:
        """Count an event, or those of another average."""
        for name in ("count", "cpu_time_total", "self_cpu_time_total", "cpu_memory_usage", "self_cpu_memory_usage"):
            setattr(self, name, getattr(self, name) + getattr(event, name))
        self.flops += event.flops
        return self

    __iadd__ = add

    def __repr__(self) -> str:
        return (
            f"<FunctionEventAvg key={self.key} self_cpu_time={self.self_cpu_time_total_str} "
            f"cpu_time={self.cpu_time_str} count={self.count} input_shapes={self.input_shapes} "
            f"cpu_memory_usage={self.cpu_memory_usage}>"
        )


class EventList(list[Any]):
    """Events, or averages of events.

    Args:
        events: them.
        profile_memory: show memory in tables.
        with_flops: show floating-point operations in tables.
    """

    def __init__(self, events: Iterable[Any] = (), *, profile_memory: bool = False, with_flops: bool = False) -> None:
        super().__init__(events)
        self.profile_memory, self.with_flops = profile_memory, with_flops

    def _like(self, events: Iterable[Any]) -> EventList:
        return EventList(events, profile_memory=self.profile_memory, with_flops=self.with_flops)

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0, group_by_overload_name: bool = False
    ) -> EventList:
        """One average for each name.

        Args:
            group_by_input_shape: one for each name and shapes of the inputs.
            group_by_stack_n: one for each name and so many of the program's lines that led to it.
            group_by_overload_name: accepted as in PyTorch; no operation has more than one signature here.
        """
        return self._averages(
            lambda e: (
                e.key,
                str(e.input_shapes) if group_by_input_shape else "",
                tuple(e.stack[:group_by_stack_n]),
            )
        )

    def module_averages(self) -> EventList:
        """One average for each module (``key`` is its path) and phase; needs ``with_modules``."""
        return self._averages(lambda e: (f"{e.module or '(no module)'}, {e.phase}", "", ()), outermost=True)

    def _averages(self, kind: Callable[[Any], tuple[str, str, tuple[str, ...]]], outermost: bool = False) -> EventList:
        found: dict[Any, FunctionEventAvg] = {}
        for event in self:
            if outermost and (event.phase == "range" or getattr(event.cpu_parent, "phase", "range") != "range"):
                continue
            key = kind(event)
            average = found.get(key)
            if average is None:
                average = found[key] = FunctionEventAvg(key[0])
                average.input_shapes, average.stack, average.module = key[1], list(key[2]), event.module
            average.add(event)
        return self._like(found.values())

    def total_average(self) -> FunctionEventAvg:
        """All of them as one average."""
        total = FunctionEventAvg("Total")
        for event in self:
            total.add(event)
        return total

    @property
    def self_cpu_time_total(self) -> float:
        """How long they took together, in microseconds, each moment counted once."""
        return float(sum(event.self_cpu_time_total for event in self))

    def table(
        self,
        sort_by: str | None = None,
        row_limit: int = 100,
        max_src_column_width: int = 75,
        max_name_column_width: int = 55,
        max_shapes_column_width: int = 80,
        header: str | None = None,
        top_level_events_only: bool = False,
        **kwargs: Any,
    ) -> str:
        """The events as text, in PyTorch's columns.

        Args:
            sort_by: the attribute by which they are sorted, the largest first: ``"cpu_time"``, ``"cpu_time_total"``,
                ``"self_cpu_time_total"``, ``"cpu_memory_usage"``, ``"self_cpu_memory_usage"``, ``"count"``.
            row_limit: how many are shown; all when negative.
            max_src_column_width: longer lines of the program are cut.
            max_name_column_width: longer names are cut.
            max_shapes_column_width: longer shapes are cut.
            header: a line above.
            top_level_events_only: leave out what ran inside of something else.
            kwargs: accepted as in PyTorch.
        """
        events: list[Any] = [e for e in self if not (top_level_events_only and getattr(e, "cpu_parent", None))]
        if sort_by is not None:
            by = sort_by.replace("cuda", "device")
            events.sort(key=lambda e: getattr(e, by, 0.0), reverse=True)
        total = self.self_cpu_time_total
        shown = events if row_limit < 0 else events[:row_limit]
        columns = self._columns(shown, total, max_src_column_width, max_name_column_width, max_shapes_column_width)
        lines = _aligned(columns)
        lines = ([header] if header else []) + lines
        return "\n".join([*lines, f"Self CPU time total: {format_time(total)}", ""])

    def _columns(
        self, events: Sequence[Any], total: float, source_width: int, name_width: int, shapes_width: int
    ) -> list[tuple[str, list[str]]]:
        def share(time: float) -> str:
            return f"{100 * time / total if total else 0:.2f}%"

        columns = [
            ("Name", [_cut(e.key, name_width) for e in events]),
            ("Self CPU %", [share(e.self_cpu_time_total) for e in events]),
            ("Self CPU", [e.self_cpu_time_total_str for e in events]),
            ("CPU total %", [share(e.cpu_time_total) for e in events]),
            ("CPU total", [e.cpu_time_total_str for e in events]),
            ("CPU time avg", [e.cpu_time_str for e in events]),
        ]
        if self.profile_memory:
            columns.append(("CPU Mem", [format_memory(e.cpu_memory_usage) for e in events]))
            columns.append(("Self CPU Mem", [format_memory(e.self_cpu_memory_usage) for e in events]))
        columns.append(("# of Calls", [str(e.count) for e in events]))
        if any(e.input_shapes for e in events):
            columns.append(("Input Shapes", [_cut(str(e.input_shapes), shapes_width) for e in events]))
        if any(e.stack for e in events):
            columns.append(("Source Location", [_cut(e.stack[0] if e.stack else "", source_width) for e in events]))
        if self.with_flops:
            columns.append(("Total FLOPs", [f"{e.flops:.3f}" if e.flops else "--" for e in events]))
        return columns

    def export_chrome_trace(self, path: str) -> None:
        """Write the events to a file that Chrome's tracing page (and Perfetto) reads."""
        category = {"forward": "cpu_op", "backward": "backward", "range": "user_annotation"}
        events = [
            {
                "name": e.name,
                "cat": category[e.phase],
                "ph": "X",
                "ts": e.start,
                "dur": e.end - e.start,
                "tid": e.thread,
                "pid": "CPU functions",
                "args": {k: v for k, v in _details(e).items() if v},
            }
            for e in self
        ]
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"schemaVersion": 1, "traceEvents": events}, file)

    def export_stacks(self, path: str, metric: str = "self_cpu_time_total") -> None:
        """Write the lines that led to each event, and what it cost, as flame graph tools read them.

        Args:
            path: the file.
            metric: the attribute that is written, in whole microseconds.
        """
        with open(path, "w", encoding="utf-8") as file:
            for e in self:
                cost = int(getattr(e, metric.replace("cuda", "device")))
                if e.stack and cost > 0:
                    frames = [line.translate({ord(c): "_" for c in " ;\t\n"}) for line in [*reversed(e.stack), e.name]]
                    file.write(f"{';'.join(frames)} {cost}\n")

    def __str__(self) -> str:
        return self.table()


def _details(event: Any) -> dict[str, Any]:
    return {
        "Input Dims": event.input_shapes,
        "Module": event.module,
        "Call stack": ";".join(event.stack),
        "Bytes": event.cpu_memory_usage,
    }


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."


def _aligned(columns: Sequence[tuple[str, list[str]]]) -> list[str]:
    """Columns under their titles, between rules of dashes."""
    widths = [max(12, len(title), *map(len, cells)) if cells else max(12, len(title)) for title, cells in columns]
    rule = "  ".join("-" * w for w in widths)
    rows = zip(*[cells for _, cells in columns], strict=True)
    title = "  ".join(title.rjust(w) for (title, _), w in zip(columns, widths, strict=True))
    body = ["  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    return [rule, title, rule, *body, rule]


def format_time(us: float) -> str:
    """Microseconds as text, in the largest unit that fits."""
    if us >= 1e6:
        return f"{us / 1e6:.3f}s"
    return f"{us / 1e3:.3f}ms" if us >= 1e3 else f"{us:.3f}us"


def format_memory(count: float) -> str:
    """Bytes as text, in the largest unit that fits."""
    for power, unit in ((3, "GB"), (2, "MB"), (1, "KB")):
        if abs(count) >= 1024**power:
            return f"{count / 1024**power:.2f} {unit}"
    return f"{int(count)} B"
