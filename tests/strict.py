"""A stand-in for CuPy that needs no GPU: NumPy underneath, with the manners of CuPy 14.2.

`StrictArray` and `strict_xp` refuse what CuPy refuses, count what would make the host wait for a GPU, and refuse what
CuPy does silently and differently from NumPy: code that passes here is fit for a GPU. ``tests/test_strict.py`` shows
every rule.
"""

from __future__ import annotations

import inspect
import operator
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from . import strict_tables as tables
from .strict_array import (
    BFLOAT16,
    SCALARS,
    StrictArray,
    arrays,
    call,
    check,
    check_cast,
    host,
    index,
    new,
    poison,
    sync,
    unwrap,
    wrap,
)
from .strict_array import StrictError as StrictError
from .strict_array import SyncError as SyncError
from .strict_array import no_sync as no_sync
from .strict_array import sync_count as sync_count


def _check_python_scalars(args: Any) -> None:
    if {int, float} & set(map(type, args)) and any(array.dtype == BFLOAT16 for array in arrays(args)):
        raise TypeError("bfloat16 with a Python number: the result's dtype depends on the library and its version")


class StrictUfunc:
    """A ufunc with CuPy's keywords, operands and methods."""

    def __init__(self, ufunc: np.ufunc) -> None:
        self.ufunc, self.__name__, self.nin, self.nout = ufunc, ufunc.__name__, ufunc.nin, ufunc.nout

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        wrong = kwargs.keys() - {"out", "dtype", "casting"}
        if wrong:
            raise TypeError(f"Wrong arguments {sorted(wrong)}")
        out = kwargs.get("out", args[self.nin] if len(args) > self.nin else None)
        for operand in args[: self.nin]:
            if not isinstance(operand, StrictArray) and type(operand) not in SCALARS:
                raise TypeError(f"Unsupported type {type(operand)}")
        if out is None and "dtype" not in kwargs:
            _check_python_scalars(args)
        result = call(self.__name__, self.ufunc, args, kwargs)
        if out is not None:
            return out[0] if isinstance(out, tuple) and self.nout == 1 else out
        for array in arrays([result]):
            array._data = np.asarray(array._data, order="C")
        return result

    def at(self, a: StrictArray, indices: Any, b: Any = None) -> None:
        if self.__name__ not in tables.AT:
            raise NotImplementedError(f"`cupy_{self.__name__}.at` is not supported yet")
        if a.dtype.char not in tables.AT[self.__name__]:
            raise TypeError(f"{self.__name__}.at does not support {a.dtype}")
        if not isinstance(b, StrictArray):
            sync("adding a host scalar through an index array")
        self.ufunc.at(a._data, index(indices)[0], unwrap(b))

    def outer(self, a: Any, b: Any, **kwargs: Any) -> Any:
        return self(a.reshape(a.shape + (1,) * b.ndim), b.reshape((1,) * a.ndim + b.shape), **kwargs)

    def _fold(self, method: str, names: tuple[str, ...], args: Any, kwargs: dict[str, Any]) -> Any:
        if self.__name__ not in names:
            raise NotImplementedError(f"`cupy_{self.__name__}.{method}` is not supported yet")
        check("sum", args, kwargs)
        return call(method, getattr(self.ufunc, method), args, kwargs)

    def reduce(self, *args: Any, **kwargs: Any) -> Any:
        return self._fold("reduce", ("add", "multiply"), args, kwargs)

    def accumulate(self, *args: Any, **kwargs: Any) -> Any:
        return self._fold("accumulate", ("add", "multiply"), args, kwargs)

    def reduceat(self, *args: Any, **kwargs: Any) -> Any:
        return self._fold("reduceat", ("add",), args, kwargs)


def _converter(name: str) -> Any:
    """``asarray`` and its kin: the way from the host to the device, where data is copied always."""

    def convert(value: Any, *args: Any, **kwargs: Any) -> Any:
        check(name, (), kwargs)
        function = getattr(np, name)
        dtype = kwargs.get("dtype", args[0] if args else None)
        if dtype is not None and isinstance(value, StrictArray | np.ndarray):
            check_cast(host(value), dtype)
        if next(arrays(value), None) is not None:
            return call(name, function, (value, *args), kwargs)
        sync(f"{name}() of host data")
        return new(np.array(function(value, *args, **kwargs)))

    return convert


def _function(name: str, function: Any) -> Any:
    try:
        first = next(iter(inspect.signature(function).parameters), "")
    except ValueError:
        first = ""
    takes_array = first in ("a", "x", "arr", "m", "ary", "array", "A") and name not in tables.SEQUENCES

    def function_of_device(*args: Any, **kwargs: Any) -> Any:
        if takes_array and args and isinstance(args[0], list | tuple):
            raise TypeError(f"{name}() takes a device array, not a {type(args[0]).__name__}")
        if name == "where" and len(args) == 1:
            sync("where() with one argument")
        check(name, args, kwargs)
        if name in ("full", "full_like"):
            value = host(args[1] if len(args) > 1 else kwargs["fill_value"])
            kept = value.dtype if name == "full" else args[0].dtype
            check_cast(value, kwargs.get("dtype", args[2] if len(args) > 2 else None) or kept)
        if name == "copyto":
            check_cast(host(args[1]), args[0].dtype)
        if name in tables.ELEMENTWISE:
            _check_python_scalars(args)
        narrow = name in tables.PRODUCTS and any(array.dtype == BFLOAT16 for array in arrays(args))
        if narrow and any(array.ndim > 2 for array in arrays(args)):
            raise TypeError(f"{name}() of stacked bfloat16 matrices crashes in CuPy 14")
        result = call(name, function, args, kwargs)
        if narrow and result.dtype == np.float32 and not any(array.dtype == np.float32 for array in arrays(args)):
            return result.astype(BFLOAT16)
        if name in ("empty", "empty_like"):
            poison(result._data)
        return result

    function_of_device.__name__ = name
    return function_of_device


class StrictNamespace:
    """A module of NumPy's with what CuPy has of it."""

    def __init__(self, module: Any, missing: frozenset[str]) -> None:
        self._module, self._missing, self.__name__ = module, missing, "strict"

    def __getattr__(self, name: str) -> Any:
        hidden = name.startswith("_") or name in self._missing or name in tables.UNUSED
        value = None if hidden else getattr(self._module, name, None)
        if value is None and name != "newaxis":
            raise AttributeError(f"CuPy has no {name!r}")
        if isinstance(value, types.ModuleType):
            if name not in tables.MODULES:
                raise AttributeError(f"the module {name!r} is not for kernels")
            value = StrictNamespace(value, tables.MISSING_LINALG if name == "linalg" else frozenset())
        elif isinstance(value, np.ufunc) and name != "matmul":
            value = StrictUfunc(value)
        elif name in tables.CONVERTERS:
            value = _converter(name)
        elif callable(value) and not isinstance(value, type):
            value = _function(name, value)
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return [name for name in dir(self._module) if hasattr(self, name)]


def _defers(other: Any) -> bool:
    """Whether an operator leaves the work to the other operand, as CuPy decides it."""
    if isinstance(other, StrictArray | np.ndarray | list | tuple) or type(other) in SCALARS:
        return False
    if hasattr(other, "__array_ufunc__"):
        return other.__array_ufunc__ is None
    return bool(getattr(other, "__array_priority__", 0) > StrictArray.__array_priority__)


def _binary(name: str, reflected: bool = False) -> Any:
    def method(self: StrictArray, other: Any) -> Any:
        if _defers(other):
            return NotImplemented
        function = getattr(strict_xp, name)
        return function(other, self) if reflected else function(self, other)

    return method


def _in_place(name: str) -> Any:
    return lambda self, other: getattr(strict_xp, name)(self, other, out=self)


def _method(name: str) -> Any:
    def method(self: StrictArray, *args: Any, **kwargs: Any) -> Any:
        if name != "clip":  # of which only the function lacks min= and max=
            check(name, (self, *args), kwargs)
        return call(name, getattr(np.ndarray, name), (self, *args), kwargs)

    return method


def _waiting(convert: Callable[[Any], Any]) -> Any:
    def method(self: StrictArray) -> Any:
        sync(f"{convert.__name__}()")
        return convert(self._data)

    return method


def _array_ufunc(self: StrictArray, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """An operator with a NumPy scalar on its left comes here, and CuPy takes it."""
    if ufunc.__name__ in tables.COMPARISONS.values():  # NumPy has made the scalar an array by now
        inputs = tuple(x[()] if isinstance(x, np.ndarray) and x.ndim == 0 else x for x in inputs)
    scalars = [x for x in inputs if isinstance(x, np.generic)]
    if method != "__call__" or not scalars or len(scalars) + len(list(arrays(inputs))) < len(inputs):
        raise TypeError(f"np.{ufunc.__name__} got a device array; call xp.{ufunc.__name__} with device arrays only")
    return getattr(strict_xp, ufunc.__name__)(*inputs, **kwargs)


def from_host(array: Any) -> StrictArray:
    """The device array that a pickle holds the values of."""
    return strict_xp.array(array)


def _complete_array() -> None:
    """Give `StrictArray` the attributes, methods and operators that work as NumPy's do."""
    for name in set(dir(np.ndarray)) - tables.MISSING_METHODS - tables.UNUSED - set(dir(StrictArray)):
        if name.startswith("_"):
            continue
        if callable(getattr(np.ndarray, name)):
            setattr(StrictArray, name, _method(name))
        else:
            setattr(StrictArray, name, property(lambda self, name=name: wrap(getattr(self._data, name), [self])))
    for short, name in tables.OPERATORS.items():
        setattr(StrictArray, f"__{short}__", _binary(name))
        setattr(StrictArray, f"__r{short}__", _binary(name, reflected=True))
        if short not in ("matmul", "divmod"):
            setattr(StrictArray, f"__i{short}__", _in_place(name))
    for short, name in tables.COMPARISONS.items():
        setattr(StrictArray, f"__{short}__", _binary(name))
    for short, name in {"neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert"}.items():
        setattr(StrictArray, f"__{short}__", lambda self, name=name: getattr(strict_xp, name)(self))
    for convert in (bool, int, float, complex, bytes, repr, str):
        setattr(StrictArray, f"__{convert.__name__}__", _waiting(convert))
    StrictArray.__array_ufunc__ = _array_ufunc  # type: ignore[attr-defined]
    StrictArray.__reduce__ = lambda self: (from_host, (self.get(),))  # type: ignore[method-assign]


strict_xp = StrictNamespace(np, tables.MISSING)
strict_xp.ndarray = StrictArray
strict_xp.asnumpy = operator.methodcaller("get")
_complete_array()
