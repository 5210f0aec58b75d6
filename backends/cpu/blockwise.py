"""Elementwise formulas over blocks of large arrays, and kernels for 16-bit floats by way of float32.

A formula of many steps over a large array writes each step to main memory and reads it again. Over one block after the
other it does not, with the same result to the bit; that pays from a dozen steps on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .casts import astype
from .namespace import FASTER

__all__ = ["in_float32", "with_halves"]

BLOCK = 1 << 16  # bytes of an array: ten of them fit the second-level cache
SINGLE = np.dtype("float32")


def is_half(dtype: Any) -> bool:
    """Whether it is a float of 16 bits."""
    return bool(dtype.itemsize == 2 and dtype.kind in "fV")


def blockwise(function: Callable[..., Any], x: Any, *others: Any, **params: Any) -> Any:
    """``function(x, *others, **params)`` for an elementwise function, block by block where that is possible."""
    if x.__class__ is not np.ndarray or x.nbytes < 2 * BLOCK:
        return function(x, *others, **params)
    flats = _flats((x, *others))
    found = None if flats is None else _over_blocks(function, x, flats, params)
    return function(x, *others, **params) if found is None else found


def _flats(operands: tuple[Any, ...]) -> list[Any] | None:
    """One-dimensional views of arrays of one shape, in one order of elements, and what is no array; None if in vain."""
    arrays = [a for a in operands if a.__class__ is np.ndarray and a.ndim]
    if any(a.shape != arrays[0].shape for a in arrays):
        return None
    laid = [a for a in arrays if any(a.strides)]
    if all(a.flags.c_contiguous for a in laid):
        axes = None
    else:
        axes = sorted(range(laid[0].ndim), key=lambda d: -laid[0].strides[d])
        if not all(a.transpose(axes).flags.c_contiguous for a in laid):
            return None
    flats = []
    for a in operands:
        if a.__class__ is not np.ndarray or not a.ndim:
            flats.append(a)
        elif not any(a.strides):  # one number everywhere, as the gradient of a sum is
            flats.append(np.broadcast_to(a[(0,) * a.ndim], (a.size,)))
        else:
            flats.append((a if axes is None else a.transpose(axes)).reshape(-1))
    return flats


def _over_blocks(function: Callable[..., Any], x: Any, flats: list[Any], params: dict[str, Any]) -> Any:
    """The result in the memory order of ``x``; None if the function turns out to be no elementwise one."""
    out: Any = None
    step = BLOCK // x.itemsize
    for start in range(0, x.size, step):
        part = slice(start, start + step)
        args = [a[part] if a.__class__ is np.ndarray and a.ndim else a for a in flats]
        y = function(*args, **params)
        if out is None:
            if y.__class__ is not np.ndarray or y.shape != args[0].shape:
                return None
            out = np.empty(x.size, y.dtype)
        out[part] = y
    if x.flags.c_contiguous or not any(x.strides):
        return out.reshape(x.shape)
    axes = sorted(range(x.ndim), key=lambda d: -x.strides[d])
    return out.reshape([x.shape[d] for d in axes]).transpose(np.argsort(axes))


def narrow(kernel: Callable[..., Any], definition: Callable[..., Any], x: Any, *others: Any, **params: Any) -> Any:
    """What a kernel for float32 and float64 makes of other types: large 16-bit floats widened, the rest by definition.

    Args:
        kernel: elementwise.
        definition: the same for all types; it is given the namespace first.
        x: the first operand, which is of the other type.
        others: more of them.
        params: passed on.
    """
    if x.__class__ is not np.ndarray or x.nbytes < BLOCK:
        return definition(FASTER, x, *others, **params)
    if is_half(x.dtype):
        return in_float32(kernel, x, *others, **params)
    return blockwise(functools.partial(definition, FASTER), x, *others, **params)


def widened(kernel: Callable[..., Any], definition: Callable[..., Any], x: Any, *others: Any) -> Any:
    """As `narrow`, for a kernel that is not elementwise."""
    if x.nbytes >= BLOCK and is_half(x.dtype):
        return in_float32(kernel, x, *others)
    return definition(np, x, *others)


def in_float32(function: Callable[..., Any], x: Any, *others: Any, **params: Any) -> Any:
    """A function of 16-bit floats computed in float32. Of several results only the first, no statistic, is narrowed."""
    arrays = [astype(a, SINGLE) if a.__class__ is np.ndarray and is_half(a.dtype) else a for a in (x, *others)]
    found = function(*arrays, **params)
    if found.__class__ is tuple:
        return (_narrowed(found[0], x.dtype), *found[1:])
    return _narrowed(found, x.dtype)


def _narrowed(y: Any, dtype: Any) -> Any:
    return astype(y, dtype) if y.__class__ is np.ndarray and y.dtype == SINGLE else y


def with_halves(kernel: Callable[..., Any], x: Any, *others: Any, **params: Any) -> Any:
    """An elementwise kernel of 16-bit floats; of large arrays of bfloat16 in float32, which has vector instructions."""
    if x.__class__ is np.ndarray and x.nbytes >= BLOCK and x.dtype.kind == "V":
        return in_float32(kernel, x, *others, **params)
    return kernel(x, *others, **params)
