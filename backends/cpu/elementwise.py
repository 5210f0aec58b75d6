"""Elementwise kernels on NumPy: fewer passes than the definitions, and integers that refuse to be divided by zero."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..definitions import elementwise as plain
from ..errors import ArgumentError
from .compiled import LEAST, LIGHT, compiled, spread
from .functions import shared
from .moves import MANY, copied, overlap

__all__ = [
    "abs_backward",
    "add_product_into",
    "add_quotient_into",
    "add_scaled_into",
    "clamp",
    "div_backward",
    "floor_divide",
    "fmod",
    "lerp_into",
    "ones_like",
    "power",
    "product",
    "quotient",
    "remainder",
    "rsqrt",
    "sign",
    "trunc_divide",
    "where",
]

LARGE = 2048  # elements from which fewer branches are worth more NumPy calls
BITS: dict[int, Any] = {1: np.dtype("int8"), 2: np.dtype("int16"), 4: np.dtype("int32"), 8: np.dtype("int64")}


def looped(name: str, *arrays: Any, numbers: tuple[float, ...] = (), least: int | None = None) -> Any:
    """The compiled loop ``name`` over arrays of one shape and one type; None where NumPy is to do it.

    Args:
        name: a function of ``arithmetic_numba.py``.
        arrays: what it takes, one of them contiguous; a gradient may be one number, broadcast.
        numbers: what follows the result.
        least: as in `compiled`.
    """
    first = arrays[-1]
    kind, shape = first.dtype, first.shape
    if kind.char not in "fd" or not first.flags.c_contiguous:
        return None
    for a in arrays:
        if a.__class__ is not np.ndarray or a.dtype != kind or a.shape != shape:
            return None
    if (loops := compiled("arithmetic", first.size, least)) is None:
        return None
    out = np.empty(shape, kind)
    _along(getattr(loops, name), [*map(copied, arrays), out], numbers)
    return out


def _along(loop: Any, arrays: Any, numbers: tuple[float, ...]) -> None:
    """Call a compiled loop with arrays in C order, flat, and numbers in the type of the last, on all threads."""
    flat, scalars = [a.reshape(-1) for a in arrays], [arrays[-1].dtype.type(n) for n in numbers]
    spread(lambda start, stop: loop(*[a[start:stop] for a in flat], *scalars), flat[-1].size, LIGHT)


def ones_like(x: Any, **options: Any) -> Any:
    """``np.ones_like``; every backward pass begins with a single one, which NumPy takes long to make."""
    return np.ones_like(x, **options) if x.ndim or options else np.array(1, x.dtype)


def where(condition: Any, x: Any, y: Any) -> Any:
    """``x`` where the condition holds, else ``y``; Python numbers take the other's type.

    NumPy's own branches on every element, which costs 4 ns each where the condition is irregular. This one takes the
    bits of ``x`` or ``y`` by a mask instead: ``y ^ ((x ^ y) & mask)``, and ``x & mask`` beside a zero.
    """
    chosen = _selected(condition, x, y)
    return plain.where(np, condition, x, y) if chosen is None else chosen


def select(condition: Any, x: Any, y: Any) -> Any:
    """``np.where``, with the types that it gives."""
    if not (_keeps_type(x, y) and _keeps_type(y, x)):
        return np.where(condition, x, y)
    chosen = _selected(condition, x, y)
    return np.where(condition, x, y) if chosen is None else chosen


def _keeps_type(value: Any, other: Any) -> bool:
    """Whether a Python number beside an array leaves its type as it is; arrays are looked at later."""
    if value.__class__ is float:
        return other.__class__ is np.ndarray and other.dtype.char in "fd"
    return value.__class__ is np.ndarray


def _selected(condition: Any, x: Any, y: Any) -> Any:
    """One or the other by their bits, or None where that cannot be."""
    if condition.__class__ is not np.ndarray or condition.dtype.char != "?":
        return None
    if condition.size < LARGE and not any(v.__class__ is np.ndarray and v.size >= LARGE for v in (x, y)):
        return None
    if not condition.flags.c_contiguous:
        order = sorted(range(condition.ndim), key=lambda d: -condition.strides[d])
        if order == [*range(condition.ndim)]:
            return None
        if any(v.__class__ is np.ndarray and v.ndim not in (0, len(order)) for v in (x, y)):
            return None
        turned = [v.transpose(order) if v.__class__ is np.ndarray and v.ndim else v for v in (condition, x, y)]
        chosen = _selected(*turned)
        return None if chosen is None else chosen.transpose(np.argsort(order))
    found = _bits(condition, x, y)
    if found is None:
        return None
    xs, ys, kind = found
    chosen = _select_bits(condition, xs, ys)
    if chosen is not None:
        return chosen.view(kind)
    mask = condition.view("int8").astype(BITS[kind.itemsize])
    shape = next(v.shape for v in (xs, ys) if v.__class__ is np.ndarray)
    if shape != condition.shape:  # it broadcasts to them
        mask = np.negative(mask)
        xs, ys = (0 if v is None else v for v in (xs, ys))
        bits = np.bitwise_and(mask, np.bitwise_xor(xs, ys))
        return np.bitwise_xor(bits, ys, out=bits).view(kind)
    if ys is None:
        np.negative(mask, out=mask)
        return np.bitwise_and(mask, xs, out=mask).view(kind)
    if xs is None:
        np.subtract(mask, 1, out=mask)
        return np.bitwise_and(mask, ys, out=mask).view(kind)
    np.negative(mask, out=mask)
    np.bitwise_and(mask, np.bitwise_xor(xs, ys), out=mask)
    return np.bitwise_xor(mask, ys, out=mask).view(kind)


def _select_bits(condition: Any, x: Any, y: Any) -> Any:
    """One or the other by a compiled loop; None where NumPy is to do it. A number is one, or None for zero."""
    arrays = [v for v in (x, y) if v.__class__ is np.ndarray]
    if not arrays or any(v.shape != condition.shape for v in arrays):
        return None
    if (loops := compiled("arithmetic", condition.size)) is None:
        return None
    kind = arrays[0].dtype
    out = np.empty(condition.shape, kind)
    flat = [v.reshape(-1) for v in (condition.view("int8"), *arrays, out)]
    if len(arrays) == 2:
        spread(lambda a, b: loops.select(*[v[a:b] for v in flat]), condition.size, LIGHT)
        return out
    mask, values, result = flat
    number = kind.type((y if x is arrays[0] else x) or 0)
    if x is arrays[0]:
        spread(lambda a, b: loops.select_or_number(mask[a:b], values[a:b], number, result[a:b]), condition.size, LIGHT)
    else:
        spread(lambda a, b: loops.number_or_select(mask[a:b], number, values[a:b], result[a:b]), condition.size, LIGHT)
    return out


def _bits(condition: Any, x: Any, y: Any) -> Any:
    """The operands' bits as integers, None for the number zero, and the type; nothing where that cannot be."""
    arrays = [v for v in (x, y) if v.__class__ is np.ndarray and v.ndim]
    if not arrays or arrays[0].itemsize not in BITS or arrays[0].dtype.kind not in "fVbiuc":
        return None
    kind, shape = arrays[0].dtype, arrays[0].shape
    if shape != condition.shape and (
        len(shape) != condition.ndim or any(m not in (1, n) for m, n in zip(condition.shape, shape, strict=True))
    ):
        return None
    views: list[Any] = []
    for v in (x, y):
        if v.__class__ is np.ndarray and (v.ndim or v.dtype != kind):
            if v.shape != shape or v.dtype != kind or not v.flags.c_contiguous:
                return None
            views.append(v.view(BITS[kind.itemsize]))
        elif v.__class__ is np.ndarray:
            views.append(v.view(BITS[kind.itemsize])[()])
        elif isinstance(v, plain.NUMBERS):
            number = np.asarray(plain.like(arrays[0], v)).view(BITS[kind.itemsize])[()]
            views.append(number if number else None)
        else:
            return None
    return (*views, kind)


def clamp(x: Any, low: Any, high: Any) -> Any:
    """``min(max(x, low), high)``; NaN stays. NumPy's clip is vectorised, its maximum of two is not."""
    if x.dtype.char not in "fd" or x.size < LARGE or low != low or high != high:
        return plain.clamp(np, x, low, high)
    low, high = -math.inf if low is None else low, math.inf if high is None else high
    if x.size >= MANY and (y := looped("clamp", x, numbers=(low, high))) is not None:
        return y
    return x.clip(min(low, high), high)


def rsqrt(x: Any) -> Any:
    """``1 / sqrt(x)``."""
    y = looped("rsqrt", x)
    return plain.rsqrt(np, x) if y is None else y


def power(x: Any, y: Any) -> Any:
    """``x ** y``; see the definition."""
    if y.__class__ is int and x.__class__ is np.ndarray and x.size >= LARGE:
        if y == 2 and (z := shared(np.square, (x,))) is not None:
            return z
        if y == 3 and (z := looped("cube", x)) is not None:
            return z
    return plain.power(np, x, y)


def sign(x: Any) -> Any:
    """-1, 0 or 1; see the definition."""
    y = looped("sign", x) if x.size >= LARGE else None
    return plain.sign(np, x) if y is None else y


def abs_backward(g: Any, x: Any) -> Any:
    """``g`` times the sign of ``x``; see the definition."""
    y = looped("sign_product", g, x) if x.size >= LARGE else None
    return plain.abs_backward(np, g, x) if y is None else y


def into(name: str, x: Any, *others: Any, numbers: tuple[float, ...]) -> bool:
    """Whether a compiled loop has changed ``x`` in place, by arrays of its shape and type."""
    if x.size < LEAST or x.dtype.char not in "fd" or not x.flags.carray:
        return False
    if any(y.dtype != x.dtype or y.shape != x.shape or not y.flags.carray or overlap(x, y) for y in others):
        return False
    if (loops := compiled("arithmetic", x.size)) is None:
        return False
    _along(getattr(loops, name), (x, *others), numbers)
    return True


def add_scaled_into(x: Any, y: Any, factor: float) -> None:
    """``x += factor * y``; see the definition."""
    if not into("add_scaled_into", x, y, numbers=(factor,)):
        plain.add_scaled_into(np, x, y, factor)


def add_product_into(x: Any, y: Any, z: Any, factor: float) -> None:
    """``x += factor * y * z``; see the definition."""
    if not into("add_product_into", x, y, z, numbers=(factor,)):
        plain.add_product_into(np, x, y, z, factor)


def add_quotient_into(x: Any, y: Any, z: Any, factor: float) -> None:
    """``x += factor * y / z``; see the definition."""
    if not into("add_quotient_into", x, y, z, numbers=(factor,)):
        plain.add_quotient_into(np, x, y, z, factor)


def lerp_into(x: Any, end: Any, weight: float) -> None:
    """``x += weight * (end - x)``; see the definition."""
    if not into("lerp_into", x, end, numbers=(weight, weight - 1)):
        plain.lerp_into(np, x, end, weight)


def product(g: Any, d: Any) -> Any:
    """``g * d``, and 0 where ``g`` is 0; the mask is made only if something went wrong without it."""
    if d.__class__ is np.ndarray and d.size >= LARGE and g.__class__ is np.ndarray:
        y = looped("product", g, d)
        if y is not None:
            return y
    y = np.multiply(g, d)
    return y if math.isfinite(abs(np.add.reduce(y, axis=None))) else plain.product(np, g, d)


def quotient(g: Any, d: Any) -> Any:
    """``g / d``, and 0 where ``g`` is 0; the mask is made only if something went wrong without it."""
    if isinstance(d, plain.NUMBERS):
        return g / plain.like(g, d)
    if d.size >= LARGE and g.__class__ is np.ndarray and (y := looped("quotient", g, d)) is not None:
        return y
    y = np.true_divide(g, d)
    return y if math.isfinite(abs(np.add.reduce(y, axis=None))) else plain.quotient(np, g, d)


def div_backward(g: Any, x: Any, y: Any) -> Any:
    """The gradients of both operands of ``x / y``."""
    operands = (g, x, y)
    if not all(a.__class__ is np.ndarray and a.dtype.char == "f" for a in operands):
        return _div_backward(*operands)
    loops = compiled("activation", 2 * g.size) if g.shape == x.shape == y.shape else None
    if loops is None or not (x.flags.c_contiguous and y.flags.c_contiguous):
        return _div_backward(*operands)
    flat = [a.reshape(-1) for a in (copied(g), x, y, np.empty_like(y), np.empty_like(y))]
    spread(lambda start, stop: loops.div_backward(*[a[start:stop] for a in flat]), g.size, 1)
    return flat[3].reshape(g.shape), flat[4].reshape(g.shape)


def _div_backward(g: Any, x: Any, y: Any) -> Any:
    gx = quotient(g, y)
    return gx, -quotient(gx * x, y)


def _refuse_zero(name: str, y: Any) -> None:
    """NumPy divides integers by zero to 0, with a warning."""
    if isinstance(y, np.ndarray) and y.dtype.kind in "iu" and not y.all():
        raise ArgumentError(f"{name}: ZeroDivisionError: an integer tensor is divided by zero; mask the zeros first")


def floor_divide(x: Any, y: Any) -> Any:
    """``floor(x / y)``."""
    _refuse_zero("floor_divide", y)
    found = _by_quotient(x, y, np.floor, False)
    return np.floor_divide(x, y) if found is None else found


def remainder(x: Any, y: Any) -> Any:
    """``x - y * floor(x / y)``; a zero has the sign of ``x``."""
    _refuse_zero("remainder", y)
    found = _by_quotient(x, y, np.floor, True)
    if found is not None:
        return found
    found = np.remainder(x, y)
    return found if found.dtype.kind != "f" or found.all() else np.where(found == 0, np.copysign(found, x), found)


def fmod(x: Any, y: Any) -> Any:
    """``x - y * trunc(x / y)``."""
    _refuse_zero("fmod", y)
    found = _by_quotient(x, y, np.trunc, True)
    return np.fmod(x, y) if found is None else found


# Quotients up to which quotient times divisor is exact in float64, and the quotient itself in float32.
EXACT = 2.0**22
BLOCK = 8192  # elements whose float64 stay in the cache


def _by_quotient(x: Any, y: Any, rounded: Any, rest: bool) -> Any:
    """The rounded quotient of float32 numbers or what it leaves, by a division in float64, or None.

    In float64 the quotient of two float32 is rounded to the right side of an integer, and what it leaves is exact.
    NumPy's own subtract the divisor bit by bit, which costs ten times as much.
    """
    if x.__class__ is not np.ndarray or x.dtype.char != "f" or x.size < LARGE or not x.flags.c_contiguous:
        return None
    array = y.__class__ is np.ndarray and y.ndim > 0
    if array and (y.dtype != x.dtype or y.shape != x.shape or not y.flags.c_contiguous):
        return None
    if not array:
        if not isinstance(y, float | int | np.ndarray) or (y.__class__ is np.ndarray and y.dtype != x.dtype):
            return None
        y = float(np.float32(y))
        if not math.isfinite(y):
            return None
    out = np.empty_like(x)
    flat, divisors, results = x.reshape(-1), y.reshape(-1) if array else y, out.reshape(-1)
    for start in range(0, x.size, BLOCK):
        part = slice(start, start + BLOCK)
        if not _divided(results[part], flat[part], divisors[part] if array else y, rounded, rest):
            return None
    return out


def _divided(out: Any, x: Any, y: Any, rounded: Any, rest: bool) -> bool:
    """Write what `_by_quotient` describes for one block; whether that was possible."""
    wide = x.astype(np.float64)
    divisor = y.astype(np.float64) if y.__class__ is np.ndarray else y
    q = np.divide(wide, divisor)
    rounded(q, out=q)
    if not max(q.max(), -q.min()) < EXACT or (divisor is not y and not np.isfinite(divisor).all()):
        return False
    if not rest:
        out[...] = q
        return True
    np.multiply(q, divisor, out=q)
    np.subtract(wide, q, out=q)
    zero = q == 0
    out[...] = q
    if zero.any():  # of the sign of what was divided
        out[zero] = np.copysign(out[zero], x[zero])
    return True


def trunc_divide(x: Any, y: Any) -> Any:
    """``x / y`` rounded towards zero."""
    _refuse_zero("div", y)
    return plain.trunc_divide(np, x, y)
