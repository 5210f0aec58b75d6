"""Floating-point numbers by their parts: signs, exponents, neighbours, NaN; and the integers' divisors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends.dtypes import complex128, finfo, float64
from ...backends.errors import DTypeError
from ..admission import need_tensors, no_signature, scalar_type, unsupported
from ..base import TensorBase
from ..out import write_out
from ..primitive import Primitive, apply
from ..promotion import result_type
from .arithmetic import mul, pow
from .calling import binary, broadcast_error, in_place, unary
from .cast import cast
from .complex import complex as make_complex
from .complex import imag, real
from .elementwise import Binary, Unary, scaled
from .logic import integers
from .return_types import named_result
from .rounding import Sign
from .select import where_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


class Copysign(Binary):
    """``abs(x)`` with the sign of ``y``."""

    kernel, expression = "copysign", "copysign(x, y)"

    @staticmethod
    def turned(g: Any, x: Any, y: Any) -> Any:
        """``g``, negated where the signs differ, and 0 at 0."""
        sign = apply(Sign, x)
        return g * sign * apply(Copysign, sign, y)

    derivatives = (turned, lambda g, x, y: scaled(g, 0))


class Heaviside(Binary):
    """0 below zero, 1 above, ``y`` at zero."""

    kernel, expression = "heaviside", "y if x == 0 else 1 if x > 0 else 0"
    derivatives = (lambda g, x, y: scaled(g, 0), lambda g, x, y: where_rule(x == 0, g, 0.0))


class Nextafter(Binary):
    """The number after ``x`` towards ``y``: the gradient of ``x`` goes through where there is a step to take."""

    kernel, expression = "nextafter", "nextafter(x, y)"
    derivatives = (lambda g, x, y: where_rule(x != y, g, 0.0), lambda g, x, y: scaled(g, 0))


class Ldexp(Primitive):
    """``x * 2 ** n`` for whole ``n``, which may be too large for a power of two of the type of ``x``."""

    @staticmethod
    def forward(ctx: Any, x: Any, n: Any) -> Any:
        ctx.save(None, n)
        return ctx.k.scale_by_power(x, n)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(Ldexp, g, ctx.saved[1]), None


class NanToNum(Unary):
    """``x`` with numbers in place of NaN and infinities."""

    kernel, expression = "nan_to_num", "nan if isnan(x) else min(max(x, low), high)"
    derivative = staticmethod(lambda g, x, nan, high, low: where_rule(x - x == 0, g, 0.0))


class Frexp(Primitive):
    """``x`` as a mantissa in [1/2, 1) and a power of two."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        mantissa, exponent = ctx.k.split_exponent(x)
        ctx.cache(exponent)
        return mantissa, exponent

    @staticmethod
    def backward(ctx: Any, g: Any, _: Any) -> Any:
        (exponent,) = ctx.cached
        return g * ctx.k.power_of_two(-exponent, ctx.dtype[0])


FrexpResult = named_result("frexp", "mantissa exponent")


def copysign(input: Tensor, other: Any, *, out: Tensor | None = None) -> Tensor:
    """``abs(input)`` with the sign of ``other``, that of -0.0 too."""
    if not isinstance(input, TensorBase) and not hasattr(input, "dtype"):
        raise no_signature("copysign", input, other)
    return binary(Copysign, "copysign", input, other, out, floating=True)


def heaviside(input: Tensor, values: Tensor, *, out: Tensor | None = None) -> Tensor:
    """0 where ``input`` is negative, 1 where it is positive, ``values`` where it is 0.

    Raises:
        RuntimeError: the dtypes differ.
    """
    need_tensors("heaviside", input=input, values=values)
    if input.dtype.category == 3 or values.dtype.category == 3:
        raise DTypeError("heaviside is not yet implemented for complex tensors.")
    if input.dtype is not values.dtype:
        raise DTypeError(
            f"heaviside is not yet implemented for tensors with different dtypes: {input.dtype} and {values.dtype}"
        )
    return binary(Heaviside, "heaviside", input, values, out)


def nan_to_num(
    input: Tensor,
    nan: float | None = None,
    posinf: float | None = None,
    neginf: float | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """``input`` with NaN and infinities replaced; they send no gradient on.

    Args:
        input: any real dtype.
        nan: in place of NaN; 0 unless told.
        posinf: in place of infinity; the largest number of the dtype unless told.
        neginf: in place of minus infinity; the smallest number of the dtype unless told.
        out: a tensor to write the result to.
    """
    if input.dtype.category == 3:
        parts = [nan_to_num(part(input), nan, posinf, neginf) for part in (real, imag)]
        y = make_complex(*parts)
        return y if out is None else write_out(out, y, "nan_to_num")
    limits = finfo(input.dtype) if input.dtype.category == 2 else None
    if limits is None:  # integers are finite
        return input.clone() if out is None else write_out(out, input, "nan_to_num")
    high = limits.max if posinf is None else posinf
    low = limits.min if neginf is None else neginf
    return unary(NanToNum, "nan_to_num", input, out, nan=0.0 if nan is None else nan, high=high, low=low)


def nextafter(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The next number that the dtype has after ``input`` in the direction of ``other``."""
    need_tensors("nextafter", input=input, other=other)
    return binary(Nextafter, "nextafter", input, other, out)


def ldexp(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``input * 2 ** other``."""
    need_tensors("ldexp", input=input, other=other)
    if input.dtype.category == 2 and other.dtype.category < 2:
        if other.dtype.category == 0:
            raise unsupported("ldexp", other.dtype, "integers and floating-point numbers as exponents")
        try:
            y = apply(Ldexp, input, other)
        except ValueError as error:
            raise broadcast_error("ldexp", input, other) from error
        return y if out is None else write_out(out, y, "ldexp")
    if input.dtype.category == 3:
        other = cast(other, result_type(input, other).dtype)
    return mul(input, pow(2.0, other), out=out)


def frexp(input: Tensor, *, out: Any = None) -> Any:
    """``(mantissa, exponent)`` with ``input = mantissa * 2 ** exponent`` and mantissa in [1/2, 1), or 0.

    Returns:
        The mantissa in the dtype of ``input``, the exponent in int32.

    Raises:
        RuntimeError: ``input`` is not floating point.
    """
    if input.dtype.category != 2:
        raise DTypeError(f"frexp() only supports floating-point dtypes, not {input.dtype}")
    pair = apply(Frexp, input)
    if out is not None:
        pair = tuple(write_out(target, part, "frexp") for target, part in zip(out, pair, strict=True))
    return FrexpResult(*pair)


def float_power(input: Any, exponent: Any, *, out: Tensor | None = None) -> Tensor:
    """``input ** exponent`` in float64 (complex128)."""
    wide = [
        cast(v, (complex128 if v._data.dtype.kind == "c" else float64).dtype) if isinstance(v, TensorBase) else v
        for v in (input, exponent)
    ]
    return pow(*wide, out=out)


def gcd(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The greatest common divisor of integers."""
    need_tensors("gcd", input=input, other=other)
    return integers("gcd", input, other, out=out, bools=False)


def lcm(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The least common multiple of integers."""
    need_tensors("lcm", input=input, other=other)
    return integers("lcm", input, other, out=out, bools=False)


def float_power_(input: Any, exponent: Any) -> Tensor:
    """`float_power` in place.

    Raises:
        RuntimeError: ``input`` is not of the type of the result, float64 or complex128.
    """
    wanted = complex128 if result_type(input, exponent).is_complex else float64
    if input.dtype is not wanted:
        raise DTypeError(
            f"the base given to float_power_ has dtype {scalar_type(input.dtype)} but the operation's result requires "
            f"dtype {scalar_type(wanted)}"
        )
    return _float_power_(input, exponent)


_float_power_ = in_place(float_power)
copysign_, heaviside_, nan_to_num_ = in_place(copysign), in_place(heaviside), in_place(nan_to_num)
nextafter_, ldexp_ = in_place(nextafter), in_place(ldexp)
gcd_, lcm_ = in_place(gcd), in_place(lcm)
