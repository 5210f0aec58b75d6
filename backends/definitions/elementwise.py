"""Elementwise kernels that the array namespaces lack, or that need care with 16-bit types and Python numbers."""

from __future__ import annotations

import math
from typing import Any

from .reduction import wide, widened

__all__ = [
    "abs_backward",
    "add_product_into",
    "add_quotient_into",
    "add_scaled_into",
    "clamp",
    "copy_into",
    "frac",
    "heaviside",
    "in_float32",
    "isclose",
    "lerp_into",
    "logaddexp",
    "logical_not",
    "logical_xor",
    "make_complex",
    "nan_to_num",
    "phase",
    "power",
    "power_of_two",
    "product",
    "quotient",
    "round_to",
    "rsqrt",
    "scale_by_power",
    "sgn",
    "sign",
    "sign_bit",
    "split_exponent",
    "tanh_backward",
    "trunc_divide",
    "where",
    "with_halves",
    "write_into",
]

NUMBERS = (bool, int, float, complex)


def like(x: Any, value: Any) -> Any:
    """A Python number in the type of ``x``; what is no Python number, as it is."""
    return x.dtype.type(value) if isinstance(value, NUMBERS) else value


def write_into(xp: Any, x: Any, function: str, y: Any) -> None:
    """``x`` becomes ``function(x, y)``, for the name of a function of two arrays, or of an array and a number."""
    getattr(xp, function)(x, y, out=x)


def add_scaled_into(xp: Any, x: Any, y: Any, factor: float) -> None:
    """``x += factor * y``."""
    x += y * like(y, factor)


def add_product_into(xp: Any, x: Any, y: Any, z: Any, factor: float) -> None:
    """``x += factor * y * z``."""
    x += y * z * like(y, factor)


def add_quotient_into(xp: Any, x: Any, y: Any, z: Any, factor: float) -> None:
    """``x += factor * y / z``."""
    x += y / z * like(y, factor)


def lerp_into(xp: Any, x: Any, end: Any, weight: float) -> None:
    """``x += weight * (end - x)``, from whichever is nearer."""
    if abs(weight) < 0.5:
        x += (end - x) * like(x, weight)
    else:
        xp.add(end, (end - x) * like(x, weight - 1), out=x)


def copy_into(xp: Any, x: Any, y: Any) -> None:
    """``x[...] = y``."""
    x[...] = y


def in_float32(xp: Any, function: Any, *operands: Any, **params: Any) -> Any:
    """A function of 16-bit floats computed in float32; whether the result is in one or the other is left open."""
    return function(*[wide(a) if hasattr(a, "dtype") else a for a in operands], **params)


def with_halves(xp: Any, kernel: Any, *operands: Any, **params: Any) -> Any:
    """An elementwise kernel of 16-bit floats, which is used as it is or in float32, whichever is faster."""
    return kernel(*operands, **params)


def where(xp: Any, condition: Any, x: Any, y: Any) -> Any:
    """``x`` where the condition holds, else ``y``. Python numbers take the other's type, bfloat16 too."""
    if isinstance(x, NUMBERS):
        x = like(y, x)
    elif isinstance(y, NUMBERS):
        y = like(x, y)
    return xp.where(condition, x, y)


def product(xp: Any, g: Any, d: Any) -> Any:
    """``g * d``, and 0 where ``g`` is 0."""
    return xp.where(g == like(g, 0), g, g * d)


def quotient(xp: Any, g: Any, d: Any) -> Any:
    """``g / d``, and 0 where ``g`` is 0."""
    if isinstance(d, NUMBERS):
        return g / like(g, d)
    return xp.where(g == like(g, 0), g, g / d)


def logical_not(xp: Any, x: Any) -> Any:
    """Where ``x`` is zero."""
    return xp.equal(wide(x), 0)


def logical_xor(xp: Any, x: Any, y: Any) -> Any:
    """Where exactly one is not zero."""
    return xp.not_equal(wide(x) != 0, wide(y) != 0)


def logaddexp(xp: Any, x: Any, y: Any) -> Any:
    """``log(exp(x) + exp(y))``; of complex numbers, the branch that starts from the one with the larger real part."""
    if x.dtype.kind != "c":
        return xp.logaddexp(x, y)
    swap = x.real < y.real
    large, small = xp.where(swap, y, x), xp.where(swap, x, y)
    infinite = xp.isinf(large.real) & (large.real == small.real)  # where the difference is NaN
    limit = xp.where(large.real < 0, small, xp.log(xp.exp(small) + xp.exp(large)))
    return xp.where(infinite, limit, large + xp.log1p(xp.exp(small - large)))


def sign(xp: Any, x: Any) -> Any:
    """-1, 0 or 1, and 0 of NaN; of truth values themselves."""
    if x.dtype.kind == "b":
        return x.copy()
    zero = like(x, 0)
    return ((x > zero).astype("int8") - (x < zero).astype("int8")).astype(x.dtype)


def abs_backward(xp: Any, g: Any, x: Any) -> Any:
    """``g`` times the sign of ``x``, or the direction of a complex one."""
    return g * sgn(xp, x)


def sgn(xp: Any, x: Any) -> Any:
    """``x / abs(x)``, and 0 at 0."""
    if x.dtype.kind != "c":
        return sign(xp, x)
    size = xp.abs(x)
    return xp.where(size == 0, x, x / size)


def sign_bit(xp: Any, x: Any) -> Any:
    """Whether the sign bit is set; for integers, whether they are negative."""
    return xp.signbit(x) if x.dtype.kind in "fV" else x < 0


def frac(xp: Any, x: Any) -> Any:
    """``x - trunc(x)``."""
    return x - xp.trunc(x)


def rsqrt(xp: Any, x: Any) -> Any:
    """``1 / sqrt(x)``."""
    return xp.reciprocal(xp.sqrt(x))


def round_to(xp: Any, x: Any, decimals: int) -> Any:
    """``x`` rounded to ``decimals`` digits after the point."""
    w = wide(x)
    power = like(w, 10.0 ** abs(decimals))
    return (xp.rint(w * power) / power if decimals >= 0 else xp.rint(w / power) * power).astype(x.dtype)


def power(xp: Any, x: Any, y: Any) -> Any:
    """``x ** y``; small whole exponents by multiplication. Integers to negative powers are rounded towards zero."""
    if isinstance(y, NUMBERS):
        if y == 2:
            return xp.square(x)
        if y == 3:
            return x * x * x
        if y == 1:
            return xp.positive(x)
        if y == 0.5:
            return xp.sqrt(x)
        if y == -1:
            return xp.reciprocal(x)
        if y == -2 and x.dtype.kind == "f":
            return xp.reciprocal(x * x)
        y = like(x, y)
    x = like(y, x)
    if y.dtype.kind != "i":
        return xp.power(x, y)
    whole = xp.power(x, xp.maximum(y, 0))
    inverse = xp.where(abs(x) == 1, xp.power(x, y & 1), xp.zeros_like(whole))
    return xp.where(y < 0, inverse, whole)


def trunc_divide(xp: Any, x: Any, y: Any) -> Any:
    """``x / y`` rounded towards zero; integers stay exact."""
    if (y if isinstance(x, NUMBERS) else x).dtype.kind in "fV":
        return xp.trunc(x / y)
    floor = xp.floor_divide(x, y)
    return xp.where((floor < 0) & (floor * y != x), floor + like(floor, 1), floor)


def clamp(xp: Any, x: Any, low: Any, high: Any) -> Any:
    """``min(max(x, low), high)``; NaN stays."""
    y = x if low is None else xp.maximum(x, like(x, low))
    return y if high is None else xp.minimum(y, like(x, high))


def isclose(xp: Any, x: Any, y: Any, rtol: float, atol: float, equal_nan: bool) -> Any:
    """``abs(x - y) <= atol + rtol * abs(y)``; infinities are close to themselves."""
    x, y = (v.astype("float64") if v.dtype.kind != "c" else v for v in (x, y))
    close = (x == y) | (xp.isfinite(x) & xp.isfinite(y) & (xp.abs(x - y) <= atol + rtol * xp.abs(y)))
    return close | (xp.isnan(x) & xp.isnan(y)) if equal_nan else close


def tanh_backward(xp: Any, g: Any, y: Any) -> Any:
    """``g * (1 - y ** 2)``."""
    return g * (1 - y * y)


@widened
def heaviside(xp: Any, x: Any, y: Any) -> Any:
    """0 where ``x`` is negative or NaN, 1 where it is positive, ``y`` where it is 0."""
    return xp.where(x == 0, y, xp.where(x > 0, xp.ones_like(x), xp.zeros_like(x)))


@widened
def nan_to_num(xp: Any, x: Any, nan: float, high: float, low: float) -> Any:
    """``x`` with numbers in place of NaN and of the infinities."""
    y = xp.where(xp.isnan(x), nan, x)
    return xp.where(xp.isinf(x), xp.where(x > 0, like(x, high), like(x, low)), y)


def split_exponent(xp: Any, x: Any) -> Any:
    """The mantissa in [1/2, 1) and the exponent of two, in int32."""
    mantissa, exponent = xp.frexp(wide(x))
    return mantissa.astype(x.dtype), exponent.astype("int32")


def scale_by_power(xp: Any, x: Any, n: Any) -> Any:
    """``x * 2 ** n`` for integers ``n``."""
    return xp.ldexp(wide(x), xp.clip(n.astype("int64"), -5000, 5000).astype("int32")).astype(x.dtype)


def power_of_two(xp: Any, exponent: Any, dtype: Any) -> Any:
    """``2 ** exponent`` as numbers of type ``dtype``."""
    return xp.exp2(exponent.astype("float64")).astype(dtype)


@widened
def phase(xp: Any, z: Any) -> Any:
    """The angle of a complex number; of a real one 0 or pi, and NaN of NaN."""
    if z.dtype.kind == "c":
        return xp.arctan2(z.imag, z.real)
    return xp.where(xp.isnan(z), z, xp.where(z < 0, like(z, math.pi), like(z, 0.0)))


def make_complex(xp: Any, x: Any, y: Any) -> Any:
    """``x + iy``; float16 gives complex64."""
    shape = xp.broadcast_shapes(x.shape, y.shape)
    z = xp.empty(shape, dtype="complex128" if x.dtype.itemsize == 8 else "complex64")
    z.real = x
    z.imag = y
    return z
