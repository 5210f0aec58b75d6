"""Looking at every operation as it runs, forward and backward, at no cost while nobody looks.

As long as a `Watcher` is on, the rules of all primitives are exchanged for ones that report their calls. Nothing asks
on the path of an operation whether there is one. Profilers and guards are made of this.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from ..backends import kernels_of
from ..backends.sparse import SparseArray
from .base import TensorBase
from .function_node import FunctionOp
from .primitive import Primitive

__all__ = [
    "Call",
    "Trail",
    "Watcher",
    "begin_range",
    "end_range",
    "input_arrays",
    "output_arrays",
    "running_call",
    "watching",
]

PHASES = ("forward", "backward", "backward_graph")


class Call:
    """One run of a rule, or a range that the program named.

    Attributes:
        op: the `Primitive`, or what stands for a user's Function; the name of a range.
        phase: ``"forward"``, ``"backward"`` or ``"range"``.
        node: the recorded node where there is one: always in backward.
        args: what the rule was given after the node: arrays, numbers, Tensors under ``create_graph``, None.
        params: the operation's settings.
        outer: the call inside of which this one ran, on the same thread.
        start, end: in nanoseconds.
        inside: how long the calls took that ran inside of this one, in nanoseconds.
        thread: the number of its thread.
    """

    __slots__ = ("args", "end", "inside", "node", "op", "outer", "params", "phase", "start", "thread")

    def __init__(self, op: Any, phase: str, node: Any, args: Any, params: Any, outer: Call | None) -> None:
        self.op, self.phase, self.node, self.args, self.params, self.outer = op, phase, node, args, params, outer
        self.start = self.end = self.inside = 0
        self.thread = threading.get_ident()

    @property
    def name(self) -> str:
        """The operation's name; in backward that of its node, such as ``MulBackward0``."""
        if self.phase == "range":
            return str(self.op)
        return str(self.node.name()) if self.phase == "backward" else str(self.op.__name__)


class Watcher:
    """Something that sees every operation while it is on; a subclass writes `before` or `after`.

    Watchers see the calls of all threads.
    """

    def before(self, call: Call) -> None:
        """Called before a rule runs."""

    def after(self, call: Call, result: Any) -> None:
        """Called with what a rule returned; what is raised here comes out of the operation."""

    def start_watching(self) -> None:
        """Begin to look."""
        with _switch:
            if not watching:
                _exchange()
            watching.append(self)

    def stop_watching(self) -> None:
        """Look no more; more than once does nothing."""
        with _switch:
            if self in watching:
                watching.remove(self)
                if not watching:
                    _restore()


class Trail:
    """Which module is running, for those who ask; `nn` has one that knows."""

    def path(self) -> str:
        """The path of the innermost module that runs in this thread, from the class of the outermost on; or nothing."""
        return ""

    def close(self) -> None:
        """Stop following."""


new_trail: list[Callable[[], Trail]] = [Trail]  # the last one counts; ``nn`` puts its own here when it is loaded


class _Running(threading.local):
    call: Call | None = None  # the innermost call of this thread


_running = _Running()
watching: list[Watcher] = []  # those that are on
_switch = threading.Lock()
_exchanged: list[tuple[Any, str, Any]] = []  # class, attribute, what stood there (or _ABSENT)
_ABSENT = object()


def _reporting(op: Any, phase: str, rule: Callable[..., Any]) -> Any:
    """``rule``, with the watchers around it."""

    def run(ctx: Any, *args: Any, **params: Any) -> Any:
        node = ctx if hasattr(ctx, "edges") else None
        return watched(Call(op, phase, node, args, params, _running.call), rule, ctx)

    return staticmethod(run)


def watched(call: Call, rule: Callable[..., Any], *ctx: Any) -> Any:
    """Run a rule as ``call``, and tell the watchers."""
    watchers = tuple(watching)
    for watcher in watchers:
        watcher.before(call)
    _running.call = call
    call.start = time.perf_counter_ns()
    try:
        result = rule(*ctx, *call.args, **call.params)
    finally:
        call.end = time.perf_counter_ns()
        _running.call = call.outer
        if call.outer is not None:
            call.outer.inside += call.end - call.start
    for watcher in watchers:
        watcher.after(call, result)
    call.args, call.params, call.node = (), {}, None  # whoever keeps the call keeps no arrays alive
    return result


def running_call() -> Call | None:
    """The innermost call that runs in this thread."""
    return _running.call


def begin_range(name: str) -> Call | None:
    """Begin a range of the program's own. Returns what `end_range` takes; None where nobody looks."""
    if not watching:
        return None
    call = Call(name, "range", None, (), {}, _running.call)
    for watcher in tuple(watching):
        watcher.before(call)
    _running.call = call
    call.start = time.perf_counter_ns()
    return call


def end_range(call: Call | None) -> None:
    """End a range."""
    if call is None:
        return
    call.end = time.perf_counter_ns()
    _running.call = call.outer
    if call.outer is not None:
        call.outer.inside += call.end - call.start
    for watcher in tuple(watching):
        watcher.after(call, None)


def _primitives() -> Iterator[Any]:
    stack = list(Primitive.__subclasses__())
    seen = set()
    while stack:
        op = stack.pop()
        if op not in seen:
            seen.add(op)
            stack.extend(op.__subclasses__())
            yield op


def _exchange() -> None:
    changes = []
    for op in _primitives():
        for attribute in PHASES:
            rule = getattr(op, attribute, None)
            if rule is not None:
                changes.append((op, attribute, _reporting(op, attribute.partition("_")[0], rule)))
    for attribute in PHASES[1:]:
        changes.append((FunctionOp, attribute, _reporting_function(getattr(FunctionOp, attribute))))
    for owner, attribute, rule in changes:
        _exchanged.append((owner, attribute, owner.__dict__.get(attribute, _ABSENT)))
        setattr(owner, attribute, rule)


def _reporting_function(rule: Callable[..., Any]) -> Any:
    """The same for the backward of users' Functions, which is a method of what stands for them."""

    @functools.wraps(rule)
    def run(op: Any, node: Any, *gs: Any) -> Any:
        return watched(Call(op, "backward", node, gs, {}, _running.call), rule, op, node)

    return run


def _restore() -> None:
    while _exchanged:
        owner, attribute, before = _exchanged.pop()
        if before is _ABSENT:
            delattr(owner, attribute)
        else:
            setattr(owner, attribute, before)


def input_arrays(call: Call) -> list[Any]:
    """The arrays that a call was given; None in the place of anything else, sparse arrays included."""
    return [_array(a) for a in call.args]


def output_arrays(result: Any) -> list[Any]:
    """The arrays that a rule returned; None in the place of anything else."""
    return [_array(a) for a in (result if type(result) is tuple else (result,))]


def _array(value: Any) -> Any:
    if isinstance(value, TensorBase):
        value = value._data
    if isinstance(value, SparseArray):
        return None
    if type(value) in kernels_of:
        return value
    # Reductions on NumPy may give its scalars.
    return value.__array__() if hasattr(value, "dtype") and hasattr(value, "__array__") else None
