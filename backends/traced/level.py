"""While a program is recorded: the namespace and the kernels of traced arrays."""

from __future__ import annotations

import contextlib
import math
import operator
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import registry
from ..registry import Backend, Kernels, announce, get_backend, kernels_of
from .array import TracedArray, shares
from .recording import Recording, TraceError, Value, mapped
from .recurrent import LAYERS

__all__ = ["Level", "tracing"]


class Level:
    """One recording that is going on.

    Attributes:
        recording: what is written to.
        warning: the category of warnings about what cannot be recorded.
    """

    def __init__(self, recording: Recording, warning: type[Warning] = UserWarning) -> None:
        self.recording, self.warning = recording, warning
        self.below = get_backend("cpu").kernels
        self.namespace = Namespace(self, np)
        self.backend = TracedBackend(self)

    # ------------------------------------------------------------------ arrays and values

    def array(self, real: Any, kind: str, name: str = "") -> TracedArray:
        """A traced array for an input, a parameter or a constant."""
        value = self.recording.constant(real) if kind == "constant" else self.recording.new(real, kind, name)
        return TracedArray(self, real, value)

    def depends(self, value: Value) -> bool:
        """Whether an input has a say in a value."""
        return value.depends

    def note(self, name: str, args: Any, kwargs: Any, results: Any) -> list[Any]:
        """The values that a step makes."""
        return self.recording.add(name, args, kwargs, results)

    def plain(self, nest: Any) -> Any:
        """Arguments with the arrays themselves."""
        return mapped(nest, lambda v: isinstance(v, TracedArray), lambda v: v.real)

    def symbols(self, nest: Any) -> Any:
        """Arguments with values for arrays, and Python's numbers for NumPy's."""
        return mapped(nest, _is_array, self._symbol)

    def _symbol(self, array: Any) -> Any:
        if isinstance(array, TracedArray):
            return array.value
        if isinstance(array, np.integer | np.bool_):
            return array.item()
        return self.recording.constant(array if type(array) is np.ndarray else np.asarray(array))

    def fitted(self, value: Any, shape: tuple[int, ...], dtype: Any) -> Value:
        """What a write of ``value`` to an array of that shape and type puts there."""
        array = value if isinstance(value, TracedArray) else self.array(np.asarray(value, dtype=dtype), "constant")
        if array.dtype != dtype:
            array = array.astype(dtype)
        if array.shape != shape:
            while array.ndim > len(shape):  # NumPy drops leading dimensions of size 1
                array = array[0]
            array = self.run("broadcast_to", (array, shape), {})
        return array.value

    # ------------------------------------------------------------------ functions

    def run(self, name: str, args: Any, kwargs: Any) -> Any:
        """A function of the namespace, by name."""
        own = OWN.get(name)
        if own is not None and isinstance(args[0], TracedArray):
            return own(*args, **kwargs)
        if name.endswith(".at"):
            return self.run_in_place(name, args[0], args, kwargs)
        return self.compute(name, self.namespace.function(name), args, kwargs)

    def run_in_place(self, name: str, target: Any, args: Any, kwargs: Any, function: Any = None) -> None:
        """A function that writes to its first argument."""
        if not isinstance(target, TracedArray):
            raise TraceError(
                f"{name}: a tensor that was there before the model ran would be written to; make it a buffer of the "
                "module (register_buffer), or a copy of it in forward"
            )
        self._need(name)
        given, named = self.symbols((args, kwargs))
        (function or self.namespace.function(name))(*self.plain(args), **self.plain(kwargs))
        (value,) = self.note(name, given, named, [target.real])
        target.written(value)

    def compute(self, name: str, function: Any, args: Any, kwargs: Any) -> Any:
        """Run a function on the arrays themselves, and write it down."""
        out = kwargs.get("out")
        out = out[0] if type(out) is tuple and len(out) == 1 else out
        if isinstance(out, TracedArray):
            made = self.compute(name, function, args, {k: v for k, v in kwargs.items() if k != "out"})
            out[...] = made
            return out
        self._need(name)
        symbols = self.symbols((args, kwargs))
        result = function(*self.plain(args), **self.plain(kwargs))
        many = isinstance(result, tuple | list)
        given = result if many else (result,)
        results = [_as_array(r) for r in given]
        if not any(isinstance(r, np.ndarray) for r in results):
            return result
        values = self.note(name, symbols[0], symbols[1], results)
        arrays = [
            self._made(name, args, symbols, r, v) if v is not None else () if type(o) is tuple else None
            for o, r, v in zip(given, results, values, strict=True)  # a tuple is kept for backward, and not wanted
        ]
        return tuple(arrays) if many else arrays[0]

    def _made(self, name: str, args: Any, symbols: Any, real: Any, value: Value) -> TracedArray:
        """A result; one that shares the memory of the first argument knows that it does."""
        of = args[0] if args else None
        if not isinstance(of, TracedArray) or not shares(real, of.real):
            return TracedArray(self, real, value)
        (_, *rest), named = symbols
        return TracedArray(self, real, value, of, (name, (tuple(rest), named)))

    def _need(self, name: str) -> None:
        if not self.recording.knows(name):
            place = self.recording.place()
            raise UnknownStepError(name, place, self.recording.line())


class UnknownStepError(TraceError, NotImplementedError):
    """A kernel ran that the reader of the recording does not know, and that has no definition in those that it does."""

    def __init__(self, name: str, module: str, line: str) -> None:
        super().__init__(name)
        self.name, self.module, self.line = name, module, line


def _is_array(value: Any) -> bool:
    return isinstance(value, TracedArray | np.ndarray | np.generic)


def _as_array(value: Any) -> Any:
    return np.asarray(value) if isinstance(value, np.generic | np.ndarray) else None


class Namespace:
    """NumPy on traced arrays."""

    def __init__(self, level: Level, below: Any, prefix: str = "") -> None:
        self.level, self.below, self.prefix = level, below, prefix

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self.below, name)
        if isinstance(found, types.ModuleType):
            made: Any = Namespace(self.level, found, f"{name}.")
        elif callable(found) and not isinstance(found, type):
            made = Function(self.level, self.prefix + name, found)
        else:
            return found
        setattr(self, name, made)
        return made

    def function(self, name: str) -> Any:
        """NumPy's function of that name."""
        if name in ("__getitem__", "__setitem__"):
            return getattr(operator, name)
        if name == "view":
            return lambda x, dtype: x.view(dtype)
        value: Any = self.below
        for part in name.split("."):
            value = getattr(value, part)
        return value


class Function:
    """One function of a `Namespace`; ufuncs have methods, too."""

    def __init__(self, level: Level, name: str, below: Any) -> None:
        self.level, self.name, self.below = level, name, below
        self.__name__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if has_traced((args, kwargs)):
            return self.level.run(self.name, args, kwargs)
        if self.name == "asarray" and type(args[0]) in (int, float) and kwargs.get("dtype") is not None:
            return self.level.compute("full", np.full, ((), args[0]), {"dtype": kwargs["dtype"]})
        if self.level.recording.knows(self.name) and self.name in MAKERS:
            return self.level.compute(self.name, self.below, args, kwargs)
        return lifted(self.level, self.below(*args, **kwargs))

    def __getattr__(self, name: str) -> Any:
        if name in ("at", "reduce", "accumulate", "outer", "reduceat"):
            return Function(self.level, f"{self.name}.{name}", getattr(self.below, name))
        return getattr(self.below, name)


# What makes arrays out of sizes and numbers.
MAKERS = frozenset(["arange", "empty", "eye", "full", "identity", "linspace", "ones", "zeros"])


def has_traced(nest: Any) -> bool:
    """Whether there is a traced array in a nest of containers."""
    found: list[Any] = []
    mapped(nest, lambda v: isinstance(v, TracedArray), found.append)
    return bool(found)


def lifted(level: Level, result: Any) -> Any:
    """What was computed of nothing traced: arrays become constants of the recording."""
    if type(result) in (tuple, list):
        return type(result)([lifted(level, r) for r in result])
    if type(result) is np.ndarray:
        return level.array(result, "constant")
    return level.array(np.asarray(result), "constant") if isinstance(result, np.inexact) else result


class TracedKernels(Kernels):
    """The kernels of traced arrays: those that the reader knows are written down, others run by their definition."""

    direct = False

    def __init__(self, backend: Backend, level: Level) -> None:
        super().__init__(backend, (), ())
        self._level = level

    def _find(self, name: str) -> Any:
        from .. import definitions

        if name in KEPT:
            return KEPT[name]
        level = self._level
        module = next((m for m in definitions.MODULES if name in m.__all__), None)
        definition = None if module is None else getattr(module, name)
        if name in LAYERS:
            below = LAYERS[name](level.below)
        elif level.below.has(name):
            below = getattr(level.below, name)
        else:
            return None
        if level.recording.knows(name):
            if name.endswith("_") and not name.startswith("_"):
                return lambda x, *args, **kwargs: level.run_in_place(name, x, (x, *args), kwargs, below)
            return self._listed(name, below)
        if definition is not None:
            return lambda *args, **kwargs: definition(self.xp, *args, **kwargs)
        found = getattr(self.xp, name, None)
        return self._unknown(name, below) if found is None else found

    def _listed(self, name: str, below: Any) -> Callable[..., Any]:
        level = self._level

        def run(*args: Any, **kwargs: Any) -> Any:
            own = OWN.get(name)
            if own is not None and args and isinstance(args[0], TracedArray):
                return own(*args, **kwargs)
            return level.compute(name, below, args, kwargs)

        return run

    def _unknown(self, name: str, below: Any) -> Callable[..., Any]:
        level = self._level

        def run(*args: Any, **kwargs: Any) -> Any:
            if has_traced((args, kwargs)):
                level._need(name)
            return lifted(level, below(*args, **kwargs))

        return run


class TracedBackend(Backend):
    """The backend of traced arrays, which takes the place of the CPU's while a program is recorded."""

    def __init__(self, level: Level) -> None:
        self.level, self.below = level, level.below.backend
        self.name, self.xp, self.seen, self.array_type = "cpu", level.namespace, level.namespace, TracedArray
        self.kernels = TracedKernels(self, level)

    def device_of(self, array: Any) -> Any:
        return self.below.device_of(array.real if isinstance(array, TracedArray) else array)

    def check(self, device: Any) -> None:
        """Every device is the CPU."""

    def to_numpy(self, array: Any) -> Any:
        return array._asked("numpy")

    def from_numpy(self, array: Any, device: Any, non_blocking: bool = False) -> Any:
        return array if isinstance(array, TracedArray) else self.level.array(np.asarray(array), "constant")

    def moved(self, array: Any, device: Any) -> Any:
        return array.copy()


@contextlib.contextmanager
def tracing(recording: Recording, warning: type[Warning] = UserWarning) -> Iterator[Level]:
    """A block in which what is computed with traced arrays is written down, and new arrays are traced ones."""
    level = Level(recording, warning)
    before = registry._loaded["cpu"]
    registry._loaded["cpu"] = level.backend
    kernels_of[TracedArray] = level.backend.kernels
    announce(level.backend)
    try:
        yield level
    finally:
        registry._loaded["cpu"] = before


# ---------------------------------------------------------------------- views, in terms of three kinds of them


def _swapaxes(x: Any, a: int, b: int) -> Any:
    order = list(range(x.ndim))
    order[a], order[b] = order[b], order[a]
    return x.transpose(order)


def _moveaxis(x: Any, source: Any, destination: Any) -> Any:
    sources = [source] if isinstance(source, int) else list(source)
    targets = [destination] if isinstance(destination, int) else list(destination)
    sources, targets = [a % x.ndim for a in sources], [a % x.ndim for a in targets]
    order = [a for a in range(x.ndim) if a not in sources]
    for target, place in sorted(zip(targets, sources, strict=True)):
        order.insert(target, place)
    return x.transpose(order)


def _expand_dims(x: Any, axis: Any) -> Any:
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    new = {a % (x.ndim + len(axes)) for a in axes}
    sizes = iter(x.shape)
    return x.reshape(tuple([1 if i in new else next(sizes) for i in range(x.ndim + len(axes))]))


def _squeeze(x: Any, axis: Any = None) -> Any:
    axes = [i for i, n in enumerate(x.shape) if n == 1] if axis is None else [axis] if isinstance(axis, int) else axis
    gone = {a % x.ndim for a in axes}
    return x.reshape(tuple([n for i, n in enumerate(x.shape) if i not in gone]))


def _same(x: Any, *args: Any, **kwargs: Any) -> Any:
    return x


def _asarray(x: Any, dtype: Any = None, order: Any = None, copy: Any = None, **kwargs: Any) -> Any:
    if dtype is not None and x.dtype != np.dtype(dtype):
        return x.astype(np.dtype(dtype))
    return x.copy() if copy else x


def _array(x: Any, dtype: Any = None, **kwargs: Any) -> Any:
    return _asarray(x, dtype, copy=True)


def _like(maker: str) -> Callable[..., Any]:
    def make(x: Any, *value: Any, dtype: Any = None, shape: Any = None, **kwargs: Any) -> Any:
        sizes = x.shape if shape is None else shape
        return getattr(x.level.namespace, maker)(sizes, *value, dtype=x.dtype if dtype is None else np.dtype(dtype))

    return make


def _reshape(x: Any, *shape: Any, **kwargs: Any) -> Any:
    return x.reshape(*(shape or (kwargs.get("shape", kwargs.get("newshape")),)))


def _transpose(x: Any, *axes: Any, **kwargs: Any) -> Any:
    return x.transpose(*axes, *kwargs.values())


def _astype(x: Any, dtype: Any, *args: Any, **kwargs: Any) -> Any:
    return x.astype(np.dtype(dtype))


def _atleast(x: Any) -> Any:
    return x if x.ndim else x.reshape(1)


def _size(x: Any, axis: Any = None) -> int:
    axes = range(x.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
    return math.prod([x.shape[a] for a in axes])


OWN: dict[str, Callable[..., Any]] = {
    "array": _array,
    "asanyarray": _asarray,
    "asarray": _asarray,
    "ascontiguousarray": _same,
    "astype": _astype,
    "atleast_1d": _atleast,
    "copy": lambda x, *args, **kwargs: x.copy(),
    "empty_like": _like("empty"),
    "expand_dims": _expand_dims,
    "full_like": _like("full"),
    "moveaxis": _moveaxis,
    "ndim": lambda x: x.ndim,
    "ones_like": _like("ones"),
    "permute_dims": _transpose,
    "positive": _same,
    "ravel": lambda x, *args, **kwargs: x.ravel(),
    "reshape": _reshape,
    "shape": lambda x: x.shape,
    "size": _size,
    "squeeze": _squeeze,
    "swapaxes": _swapaxes,
    "transpose": _transpose,
    "zeros_like": _like("zeros"),
}
# Kernels about where an array lies in memory, which a recording says nothing of.
KEPT: dict[str, Callable[..., Any]] = {
    "column_major": _same,
    "compact": lambda x, *args: x.copy(),
    "laid_out_like": _same,
    "with_strides": _same,
    "address": lambda x: int(x.real.ctypes.data),
    "memory_order": lambda x, *args: tuple(range(x.ndim)),
}
