"""Whether operations are recorded: ``no_grad``, ``enable_grad``, ``set_grad_enabled``, ``inference_mode``.

The state is one per thread, as in PyTorch: a new thread records, whatever the thread that started it does.
"""

from __future__ import annotations

import functools
import inspect
import threading
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

__all__ = [
    "enable_grad",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "set_grad_enabled",
    "set_multithreading_enabled",
]

F = TypeVar("F", bound=Callable[..., Any])

# The version that tensors made under inference_mode carry: they were never counted, so nothing may save them.
INFERENCE: list[Any] = [0, None]


class Mode(threading.local):
    """What the current thread is doing. Class attributes are the defaults of a new thread."""

    grad = True  # record operations
    reattach = False  # a backward rule is running on Tensors: saved values come back joined to the graph
    fresh: list[Any] | None = None  # the version that new tensors start with
    trace: Callable[[Any, Any, Any], None] | None = None  # called with every node recorded, its outputs and inputs
    observe: Callable[[Any, tuple[Any, ...]], None] | None = None  # called with every node that ran and its gradients
    complain: Callable[[Any], None] | None = None  # called with a node that failed
    savers: tuple[Any, ...] = ()  # pairs of functions that saved tensors go through; the last one acts
    no_savers: str | None = None  # why there may be no such functions now
    running: Any = None  # the backward pass that is running
    casting: Any = None  # the autocast blocks around
    levels: tuple[tuple[Any, str], ...] = ()  # the calls of vmap around: type of arrays, what is said of random numbers
    transforms: tuple[Any, ...] = ()  # the transforms of `wengert.func` whose functions run, the innermost last


mode = Mode()
followed: list[threading.local] = [mode]  # what a thread that goes on with another's work begins with
tracing = False  # whether any thread has set `mode.trace`; asked first, since it is quicker to ask


def trace_with(trace: Callable[[Any, Any, Any], None] | None) -> None:
    """From now on, call ``trace`` with every node that this thread records, or nobody."""
    global tracing
    mode.trace = trace
    tracing = tracing or trace is not None


def in_thread(work: Callable[[], None]) -> None:
    """Do ``work`` in a thread of its own, in this thread's mode."""
    states, failed = [dict(vars(state)) for state in followed], []

    def body() -> None:
        for state, values in zip(followed, states, strict=True):
            vars(state).update(values)
        try:
            work()
        except BaseException as error:  # raised again by the thread that waits
            failed.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


class ModeContext:
    """A context manager that is also a decorator, for functions and for generators."""

    _before: Any

    def __enter__(self) -> None:
        raise NotImplementedError

    def __exit__(self, *exc: object) -> None:
        raise NotImplementedError

    def clone(self) -> ModeContext:
        """A new context of the same meaning, since one object cannot be entered twice at a time."""
        return type(self)()

    def __call__(self, function: F) -> F:
        if inspect.isclass(function):
            warnings.warn(
                "Decorating classes is deprecated and will be disabled in future versions. You should only decorate "
                "functions or methods. To preserve the current behavior of class decoration, you can directly decorate "
                "the `__init__` method and nothing else.",
                FutureWarning,
                stacklevel=2,
            )
            function.__init__ = self(function.__init__)  # type: ignore[method-assign]
            return function
        if inspect.isgeneratorfunction(function):
            return cast("F", _wrap_generator(self, function))

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self.clone():
                return function(*args, **kwargs)

        return cast("F", wrapped)


def _wrap_generator(context: ModeContext, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        generator = function(*args, **kwargs)
        step, value = generator.send, None
        while True:  # the mode holds inside the generator only, never in the code that consumes it
            try:
                with context.clone():
                    item = step(value)
            except StopIteration as stop:
                return stop.value
            try:
                step, value = generator.send, (yield item)
            except GeneratorExit:
                with context.clone():
                    generator.close()
                raise
            except BaseException as error:
                step, value = generator.throw, error

    return wrapped


class no_grad(ModeContext):
    """Record nothing inside: results do not require grad, whatever their inputs do.

    Example:
        >>> import wengert as wg
        >>> x = wg.ones(2, requires_grad=True)
        >>> with wg.no_grad():
        ...     y = x * 2
        >>> y.requires_grad
        False
    """

    if not TYPE_CHECKING:  # type checkers would take every decorated function for Any

        def __new__(cls, function: Any = None) -> Any:
            self = super().__new__(cls)
            return self if function is None else self(function)  # `@no_grad` without parentheses

    def __enter__(self) -> None:
        self._before = mode.grad
        mode.grad = False

    def __exit__(self, *exc: object) -> None:
        mode.grad = self._before


class enable_grad(no_grad):
    """Record inside, also within a ``no_grad`` block."""

    def __enter__(self) -> None:
        self._before = mode.grad
        mode.grad = True


class set_grad_enabled(ModeContext):
    """Switch recording on or off: at once when called, and until the block's end when used with ``with``.

    Args:
        mode: True to record.
    """

    def __init__(self, mode: bool) -> None:  # the parameter's name is PyTorch's
        state = globals()["mode"]
        self._before = state.grad
        self.mode = bool(mode)
        state.grad = self.mode

    def __enter__(self) -> None:
        mode.grad = self.mode

    def __exit__(self, *exc: object) -> None:
        mode.grad = self._before

    def clone(self) -> set_grad_enabled:
        return set_grad_enabled(self.mode)

    def __call__(self, function: F) -> F:
        mode.grad = self._before  # used as a decorator, it must not act until the function runs
        return super().__call__(function)


class inference_mode(ModeContext):
    """Like ``no_grad``, and tensors made inside can never take part in a recorded operation's saved values.

    Args:
        mode: False makes a block in which tensors are normal and operations are recorded, within such a block too.
    """

    mode: bool

    def __new__(cls, mode: Any = True) -> Any:
        self = super().__new__(cls)
        self.mode = True if callable(mode) else bool(mode)
        return self(mode) if callable(mode) else self

    def __init__(self, mode: Any = True) -> None:
        pass

    def __enter__(self) -> None:
        self._before = (mode.grad, mode.fresh)
        mode.grad, mode.fresh = (False, INFERENCE) if self.mode else (True, None)

    def __exit__(self, *exc: object) -> None:
        mode.grad, mode.fresh = self._before

    def clone(self) -> ModeContext:
        return cast("ModeContext", inference_mode(self.mode))


class set_multithreading_enabled(ModeContext):
    """Nothing: a backward pass runs in the thread that asked for it. It is here for programs that switch threads off.

    Args:
        mode: kept as an attribute.
    """

    def __init__(self, mode: bool) -> None:
        self.mode = bool(mode)

    def __enter__(self) -> None:
        """Nothing to begin."""

    def __exit__(self, *exc: object) -> None:
        """Nothing to end."""

    def clone(self) -> ModeContext:
        return set_multithreading_enabled(self.mode)


def is_grad_enabled() -> bool:
    """Whether operations are being recorded in this thread."""
    return mode.grad


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside ``inference_mode``."""
    return mode.fresh is INFERENCE
