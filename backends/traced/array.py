"""The array that holds numbers, and knows where they came from."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from ..batched.array import give_operators
from ..call_site import warn
from .recording import TraceError, Value

__all__ = ["TraceError", "TracedArray", "shares"]

# How a program asks for the numbers themselves; what the library asks for its own checks is nobody's concern.
_NAMES = """__array__ __bool__ __complex__ __float__ __index__ __int__ allclose array_of bool_of complex_of contains
equal float_of index_of int_of is_nonzero item numpy tolist"""
ASKING = frozenset(_NAMES.split())


class TracedArray:
    """An array, and which value of the recording it is.

    A view does not copy: it knows the array that it is a view of, and the step from there. So a write to a view is one
    to the array, and every other view of it reads what was written.

    Attributes:
        real: the array itself.
        base: the array whose memory it shares, or None.
        level: the session that records.
    """

    __slots__ = ("__weakref__", "_parent", "_seen", "_step", "_value", "_writes", "base", "level", "real")
    __array_priority__ = 900
    __hash__ = None  # type: ignore[assignment]
    flags = property(lambda self: self.real.flags, doc="What NumPy says of its memory.")
    real: Any
    base: Any
    level: Any

    def __init__(self, level: Any, real: Any, value: Value | None, parent: Any = None, step: Any = None) -> None:
        self.level, self.real, self._value = level, real, value
        self._parent, self._step = parent, step
        self.base = None if parent is None else parent if parent.base is None else parent.base
        self._writes = 0
        self._seen = -1 if value is None else 0 if self.base is None else self.base._writes

    shape = property(lambda self: self.real.shape, doc="Its shape.")
    ndim = property(lambda self: self.real.ndim, doc="How many dimensions it has.")
    dtype = property(lambda self: self.real.dtype, doc="The element type.")
    size = property(lambda self: self.real.size, doc="How many elements it has.")
    itemsize = property(lambda self: self.real.itemsize, doc="Bytes of an element.")
    nbytes = property(lambda self: self.real.nbytes, doc="Bytes of all elements.")
    strides = property(lambda self: self.real.strides, doc="Bytes from one element to the next.")
    T = property(lambda self: self.transpose(), doc="Dimensions reversed.")

    # ------------------------------------------------------------------ which value it is

    @property
    def value(self) -> Value:
        """What the recording calls it now."""
        if self.base is None:
            return self._value  # type: ignore[return-value]
        if self._seen != self.base._writes:
            (self._value,) = self.level.note(*_taking(self._parent.value, self._step), [self.real])
            self._seen = self.base._writes
        return self._value  # type: ignore[return-value]

    def written(self, value: Value) -> None:
        """Be another value from now on, after a write; so with the array that it is a view of."""
        node, whole = self, value
        while node._parent is not None:
            parent, (kind, how) = node._parent, node._step
            if kind == "getitem":
                args: tuple[Any, ...] = ("slice_put", (parent.value, whole, how), {})
            elif kind == "reshape":
                args = ("reshape", (whole, parent.shape), {})
            elif kind == "transpose":
                args = ("transpose", (whole, tuple([how.index(i) for i in range(len(how))])), {})
            elif kind == "diagonal":
                args = ("diagonal_put", (parent.value, whole, *how[0]), how[1])
            else:
                raise TraceError(
                    f"a write to a view made by {kind} cannot be recorded; write to the tensor itself, or out of place"
                )
            (whole,) = self.level.note(*args, [parent.real])
            node = parent
        node._value = whole
        node._writes += 1
        self._value, self._seen = value, node._writes

    def _view(self, real: Any, step: Any) -> Any:
        """A view, or what NumPy copied where there can be none."""
        if shares(real, self.real):
            return TracedArray(self.level, real, None, self, step)
        (value,) = self.level.note(*_taking(self.value, step), [real])
        return TracedArray(self.level, real, value)

    # ------------------------------------------------------------------ what NumPy calls

    def _asked(self, what: str) -> Any:
        frame, name = sys._getframe(2), what
        package = __name__.partition(".")[0]
        while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == package:
            name, frame = frame.f_code.co_name, frame.f_back  # type: ignore[assignment]
        if name in ASKING and self.level.depends(self.value):
            warn(
                f"Converting a tensor to a Python value ({name.removesuffix('_of')}) might cause the trace to be "
                "incorrect: what depends on it is recorded as it was for the example, for all other inputs, too.",
                self.level.warning,
            )
        elif what == "__array__" and name not in ASKING:  # silently it would become a constant
            raise TraceError(
                f"{name}: cannot be recorded with a tensor that is no part of the model; make that one a buffer "
                "(register_buffer)"
            )
        return self.real

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        return self._asked("__array__").__array__(*args, **kwargs)

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        return self.level.run(name, args, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        module = function.__module__.partition(".")[2]
        name = f"{module}.{function.__name__}" if module in ("linalg", "fft") else function.__name__
        return self.level.run(name, args, kwargs)

    def __bool__(self) -> bool:
        return bool(self._asked("__bool__"))

    def item(self, *args: Any) -> Any:
        """One element as a Python number."""
        return self._asked("item").item(*args)

    def tolist(self) -> Any:
        """The elements as lists."""
        return self._asked("tolist").tolist()

    def __float__(self) -> float:
        return float(self._asked("__float__"))

    def __int__(self) -> int:
        return int(self._asked("__int__"))

    def __complex__(self) -> complex:
        return complex(self._asked("__complex__"))

    def __index__(self) -> int:
        return int(self._asked("__index__").__index__())

    def __len__(self) -> int:
        return len(self.real)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    # ------------------------------------------------------------------ memory

    def __getitem__(self, key: Any) -> Any:
        parts = key if type(key) is tuple else (key,)
        if any(hasattr(p, "dtype") or type(p) is list for p in parts):
            return self.level.run("__getitem__", (self, key), {})
        if not any(p is Ellipsis for p in parts):
            parts = (*parts, Ellipsis)  # a single element is a view, too
        return self._view(self.real[parts], ("getitem", parts))

    def __setitem__(self, key: Any, value: Any) -> None:
        parts = key if type(key) is tuple else (key,)
        if any(hasattr(p, "dtype") or type(p) is list for p in parts):
            self.level.run_in_place("__setitem__", self, (self, key, value), {})
            return
        target = self if parts in ((Ellipsis,), (slice(None),)) else self[key]
        fitting = self.level.fitted(value, target.shape, target.dtype)
        target.real[...] = self.level.plain(value)
        target.written(fitting)

    def astype(self, dtype: Any, order: str = "K", copy: bool = True, **kwargs: Any) -> Any:
        """The same in another element type."""
        real = self.real.astype(dtype)
        (value,) = self.level.note("astype", (self.value, real.dtype), {}, [real])
        return TracedArray(self.level, real, value)

    def view(self, dtype: Any) -> Any:
        """The same memory read as another element type."""
        return self.level.run("view", (self, dtype), {})

    def copy(self, order: str = "C") -> Any:
        """A copy."""
        return TracedArray(self.level, self.real.copy(), self.value)

    __copy__ = copy

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    def fill(self, value: Any) -> None:
        """Set every element."""
        self[...] = value

    def reshape(self, *shape: Any, order: str = "C", copy: Any = None) -> Any:
        """In another shape, a view where it can be."""
        sizes = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape
        real = self.real.reshape(sizes)
        return self._view(real, ("reshape", real.shape))

    def ravel(self, order: str = "C") -> Any:
        """In one dimension."""
        return self.reshape(self.size)

    def flatten(self, order: str = "C") -> Any:
        """In one dimension, a copy."""
        return self.copy().reshape(self.size)

    def transpose(self, *axes: Any) -> Any:
        """Dimensions in another order; reversed unless told."""
        order = tuple(axes[0]) if len(axes) == 1 and not isinstance(axes[0], int) and axes[0] is not None else axes
        if not order or order == (None,):
            order = tuple(reversed(range(self.ndim)))
        order = tuple([int(a) % self.ndim for a in order])
        return self._view(self.real.transpose(order), ("transpose", order))


def _taking(value: Value, step: Any) -> tuple[str, Any, Any]:
    kind, how = step
    if kind in ("getitem", "reshape", "transpose"):
        return ("__getitem__" if kind == "getitem" else kind), (value, how), {}
    return kind, (value, *how[0]), how[1]


def shares(view: Any, of: Any) -> bool:
    """Whether an array is a view of another, or of what that is a view of."""
    owner = view.base
    return owner is not None and (owner is of or owner is of.base)


Runner = Callable[[str, Any, Any], Any]


def _run(name: str, args: Any, kwargs: Any) -> Any:
    level = next(a.level for a in (*args, *kwargs.values()) if isinstance(a, TracedArray))
    return level.run(name, args, kwargs)


give_operators(TracedArray, _run)
