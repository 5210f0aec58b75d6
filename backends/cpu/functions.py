"""NumPy's elementwise functions, on all threads where the arrays are large.

Each thread runs NumPy's own inner loop on some of the rows, so results are those of one call, to the last bit. An inner
loop needs no lock on Python, but NumPy's way to it does: the loops are looked up in the functions themselves, whose
layout is part of NumPy's C interface (``PyUFuncObject`` in ``ufuncobject.h``).
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from . import threads
from .addresses import FIRST, address
from .compiled import LIGHT, SHARED, compiled, pieces, together
from .moves import MANY, merged, overlap

UNARY = (
    "abs", "absolute", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctanh", "cbrt", "ceil", "cos", "cosh",
    "exp", "exp2", "expm1", "floor", "log", "log10", "log1p", "log2", "negative", "positive", "reciprocal", "rint",
    "sin", "sinh", "sqrt", "square", "tan", "tanh", "trunc",
)  # fmt: skip
BINARY = (
    "add", "arctan2", "equal", "greater", "greater_equal", "less", "less_equal", "maximum", "minimum", "multiply",
    "not_equal", "subtract", "true_divide",
)  # fmt: skip
__all__ = [*UNARY, *BINARY, "write_into"]
FEW = int(MANY / LIGHT)  # elements that are worth a second thread where each takes a tenth of a nanosecond
SHORT = 64  # elements of a row, below which the calls of inner loops show
CHEAP = frozenset(
    getattr(np, name)
    for name in (*BINARY, "absolute", "ceil", "floor", "negative", "positive", "reciprocal", "rint", "square", "trunc")
    if name != "arctan2"
)
TYPES = frozenset("?bBhHiIlLqQfd")


class _Function(ctypes.Structure):
    """How a ``PyUFuncObject`` goes on after the head that all Python objects have."""

    _fields_ = (
        ("nin", ctypes.c_int),
        ("nout", ctypes.c_int),
        ("nargs", ctypes.c_int),
        ("identity", ctypes.c_int),
        ("functions", ctypes.POINTER(ctypes.c_void_p)),
        ("data", ctypes.POINTER(ctypes.c_void_p)),
        ("ntypes", ctypes.c_int),
    )


@functools.cache
def inner_loop(function: Any, kind: Any, count: int) -> Any:
    """The inner loop for ``count`` operands of one type: its address, its data, and the result's type.

    None where there is none, or where what is there does not look as expected.
    """
    if kind.char not in TYPES or not kind.isnative:
        return None
    if not FIRST:
        return None
    found = _Function.from_address(id(function) + object.__basicsize__)
    if (found.nin, found.nout, found.ntypes) != (function.nin, function.nout, function.ntypes):
        return None
    for i, types in enumerate(function.types):
        takes, gives = types.split("->")
        if takes == kind.char * count and found.functions[i]:
            return found.functions[i], (found.data[i] or 0) if found.data else 0, np.dtype(gives)
    return None


def shared(function: Any, operands: tuple[Any, ...], out: Any = None) -> Any:
    """``function(*operands)`` on all threads, or None where NumPy is to do it.

    Args:
        function: one of NumPy's elementwise functions, with one result.
        operands: arrays of one type and Python numbers. One array has the result's shape and no gaps between its
            elements; the others are laid out like it, or broadcast.
        out: the array for the result, which may be one of them but not overlap them otherwise; a new one without it.
    """
    number = threads.get_num_threads()
    if number < 2:
        return None
    light = function in CHEAP
    least = FEW if light else MANY
    large = next((x for x in operands if x.__class__ is np.ndarray and x.size >= least), None)
    if large is None or (loops := compiled("functions", large.size)) is None:
        return None
    inner = inner_loop(function, large.dtype, len(operands))
    if inner is None:
        return None
    number = min(number, int(large.size * (LIGHT if light else 1)) // SHARED)
    y = _flat(loops.flat, inner, operands, large, out, number)
    return _in_rows(loops.run, inner, operands, out, number) if y is None else y


def _flat(run: Any, inner: Any, operands: tuple[Any, ...], large: Any, out: Any, number: int) -> Any:
    """`shared` where all arrays are of one shape and in C order, or numbers; else None."""
    kind, shape = large.dtype, large.shape
    arrays: list[Any] = []
    steps = shift = 0
    for x in operands:
        if x.__class__ is not np.ndarray:
            if (x := _number(x, kind)) is None:
                return None
        elif x.dtype != kind or x.shape != shape or not x.flags.carray:
            return None
        else:
            steps |= kind.itemsize << shift
        arrays.append(x)
        shift += 8
    if out is None:
        out = np.empty(shape, inner[2])
    elif out.dtype != inner[2] or out.shape != shape or not out.flags.carray:
        return None
    steps |= out.itemsize << shift
    arrays.append(out)
    places = (*map(id, arrays), 0)[:3]
    together(run, [(*inner[:2], len(arrays), *places, steps, *ends) for ends in pieces(large.size, number)])
    return out


def _in_rows(run: Any, inner: Any, operands: tuple[Any, ...], out: Any, number: int) -> Any:
    """`shared` where arrays are broadcast, or lie in another order; None where that is not plain to see."""
    large = next((x for x in operands if x.__class__ is np.ndarray and x.size >= MANY and 0 not in x.strides), None)
    if large is None:
        return None
    order = [*range(large.ndim)]
    if not large.flags.c_contiguous:
        order.sort(key=lambda d: -large.strides[d])
        if not large.transpose(order).flags.c_contiguous:
            return None
    arrays = [x if x.__class__ is np.ndarray else _number(x, large.dtype) for x in operands]
    steps: list[Any] = [None if x is None else _steps(x, large) for x in arrays]
    if None in steps:
        return None
    if not large.flags.c_contiguous and not all(_descending([s[d] for d in order if s[d]]) for s in steps):
        return None  # NumPy's result is in C order where operands disagree
    if out is None:
        out = np.empty_like(large, inner[2])
    elif out.dtype != inner[2] or out.shape != large.shape or not (out.flags.writeable and out.flags.aligned):
        return None
    sizes, moves = merged(large.shape, order, [*steps, out.strides])
    if len(sizes) > 3 or sizes[0] < SHORT:
        return None
    table = np.zeros((len(arrays) + 2, 4), np.int64)
    table[0, : len(sizes)] = sizes
    table[1:, 0] = [address(x) for x in (*arrays, out)]
    table[1:, 1 : len(sizes) + 1] = np.transpose(moves)
    _run(run, inner, table, number)
    return out


def _number(x: Any, kind: Any) -> Any:
    """A number as an array of floats; None for what could change their type, or would be cut off."""
    return np.array(x, kind) if kind.kind == "f" and x.__class__ in (int, float, kind.type) else None


def _steps(x: Any, large: Any) -> Any:
    """The bytes from one element of ``x`` to the next along the dimensions of ``large``; None if it does not fit."""
    missing = large.ndim - x.ndim
    if x.dtype != large.dtype or missing < 0 or not x.flags.aligned:
        return None
    steps = [0] * missing
    for n, size, step, own in zip(large.shape[missing:], x.shape, x.strides, large.strides[missing:], strict=True):
        if size == 1:
            steps.append(0)
        elif size != n or (step not in (0, own) and x.shape == large.shape):  # the order in memory is not plain
            return None
        else:
            steps.append(step)
    return tuple(steps)


def _descending(steps: list[int]) -> bool:
    return steps == sorted(steps, reverse=True)


def _run(run: Callable[..., None], inner: tuple[int, int, Any], table: Any, number: int) -> None:
    """Run an inner loop for all rows, or for the parts of the only one."""
    table[0][table[0] == 0] = 1
    width, rows, groups, _ = table[0].tolist()
    rows *= groups
    parts: list[tuple[Any, ...]] = []
    for first, last in pieces(width if rows == 1 else rows, number):
        if rows > 1:
            parts.append((*inner[:2], table, first, last))
            continue
        part = table.copy()
        part[0, 0] = last - first
        part[1:, 0] += first * table[1:, 1]
        parts.append((*inner[:2], part, 0, 1))
    together(run, parts)


def _large(function: Any) -> Callable[..., Any]:
    """A kernel: NumPy's function, on all threads where that pays. Small programs call it most, so it asks little."""
    least = FEW if function in CHEAP else MANY

    def one(x: Any) -> Any:
        if x.__class__ is np.ndarray and x.size >= least:
            y = shared(function, (x,))
            if y is not None:
                return y
        return function(x)

    def two(x: Any, y: Any) -> Any:
        if x.__class__ is np.ndarray:  # what is broadcast mostly comes second
            if x.size < least:
                return function(x, y)
        elif y.__class__ is not np.ndarray or y.size < least:
            return function(x, y)
        z = shared(function, (x, y))
        return function(x, y) if z is None else z

    kernel = one if function.nin == 1 else two
    kernel.__name__ = function.__name__
    kernel.__doc__ = f"``np.{function.__name__}``; large arrays are shared out among threads."
    return kernel


for _name in (*UNARY, *BINARY):
    globals()[_name] = _large(getattr(np, _name))


def write_into(x: Any, function: str, y: Any) -> None:
    """``x`` becomes ``function(x, y)``; see the definition."""
    ufunc = getattr(np, function)
    if x.size < MANY or overlap(x, y) or shared(ufunc, (x, y), x) is None:
        ufunc(x, y, out=x)
