"""Addition, subtraction, multiplication, division, powers."""

from __future__ import annotations

import cmath
import math
from typing import TYPE_CHECKING, Any

from ...backends.errors import ArgumentError, DTypeError
from ..admission import no_signature
from ..base import TensorBase
from ..formulas import kernel_or_formula
from ..out import write_out
from ..primitive import Primitive, apply
from ..promotion import result_type
from .calling import arithmetic_in_place, binary, binary_operator, in_place, operator, raw, unary, warn_old_form
from .elementwise import Binary, Unary, conj, product, quotient, scaled, times
from .exponential import log_rule
from .scalar import number_for
from .select import where_rule

if TYPE_CHECKING:
    from ..tensor import Tensor

Scalar = float | int | bool | complex


class Add(Primitive):
    """``x + y``."""

    layout = "operands"
    expression = "x + y"

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        return ctx.k.add(x, y)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g, g


class Sub(Primitive):
    """``x - y``."""

    layout = "operands"
    expression = "x - y"

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        return ctx.k.subtract(x, y)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g, -g if ctx.needs[1] else None


class Mul(Primitive):
    """``x * y``."""

    layout = "operands"
    expression = "x * y"

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        needs = ctx.needs
        ctx.save(x if needs[1] else None, y if needs[0] else None)
        return ctx.k.multiply(x, y)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, y = ctx.saved
        if ctx.dtype.kind == "c":
            x, y = conj(x), conj(y)
        return (None if y is None else times(g, y)), (None if x is None else times(g, x))


@kernel_or_formula
def div_backward(g: Any, x: Any, y: Any) -> Any:
    """The gradients of both operands of ``x / y``."""
    gx = quotient(g, y)
    return gx, -quotient(gx * x, y)


class Div(Primitive):
    """``x / y``."""

    layout = "operands"
    expression = "x / y"

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        ctx.save(x if ctx.needs[1] else None, y)
        return ctx.k.true_divide(x, y)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, y = ctx.saved
        if ctx.dtype.kind == "c":
            x, y = conj(x), conj(y)
        return (quotient(g, y), None) if x is None else div_backward(g, x, y)


class FloorDivide(Binary):
    """``floor(x / y)``, whose derivative is zero."""

    kernel, expression = "floor_divide", "floor(x / y)"
    derivatives = (lambda g, x, y: scaled(g, 0), lambda g, x, y: scaled(g, 0))


class TruncDivide(FloorDivide):
    """``x / y`` rounded towards zero."""

    kernel, expression = "trunc_divide", "trunc(x / y)"


class Remainder(Binary):
    """``x - y * floor(x / y)``: the sign of ``y``."""

    kernel, expression = "remainder", "x - y * floor(x / y)"
    derivatives = (lambda g, x, y: g, lambda g, x, y: -(g * apply(FloorDivide, x, y)))


class Fmod(Binary):
    """``x - y * trunc(x / y)``: the sign of ``x``."""

    kernel, expression = "fmod", "x - y * trunc(x / y)"
    derivatives = (lambda g, x, y: g, lambda g, x, y: -(g * apply(TruncDivide, x, y)))


class Neg(Unary):
    """``-x``."""

    kernel, expression, saves = "negative", "-x", ""
    derivative = staticmethod(lambda g: -g)


class Reciprocal(Unary):
    """``1 / x``."""

    kernel, expression, saves = "reciprocal", "1 / x", "y"
    derivative = staticmethod(lambda g, y: product(g, -(y * y)))


class Square(Unary):
    """``x * x``."""

    kernel, expression = "square", "x * x"
    derivative = staticmethod(lambda g, x: times(g, x + x))


class Pow(Binary):
    """``x ** y``, of which one may be a number."""

    kernel, expression = "power", "x ** y"

    @staticmethod
    def by_base(g: Any, x: Any, y: Any) -> Any:
        """``g * y * x ** (y - 1)``."""
        if isinstance(y, Scalar):
            if y == 0:
                return scaled(g, 0)
            if isinstance(y, complex) or y >= 1:
                return scaled(g if y == 1 else times(g, pow_rule(x, y - 1)), y)
            return scaled(quotient(g, pow_rule(x, 1 - y)), y)
        return where_rule(y == 0, 0.0, product(g, y * pow_rule(x, y - 1)))

    @staticmethod
    def by_exponent(g: Any, x: Any, y: Any) -> Any:
        """``g * x ** y * log(x)``, and 0 for powers of zero."""
        real = y.real if raw(y).dtype.kind == "c" else y
        if not isinstance(x, Scalar):
            return where_rule((x == 0) & (real >= 0), 0.0, product(g, pow_rule(x, y) * log_rule(x)))
        if x == 0:
            return where_rule(real >= 0, 0.0, product(g, -pow_rule(x, y)))
        log = cmath.log(x) if isinstance(x, complex) else math.log(x) if x > 0 else math.nan
        return product(g, scaled(pow_rule(x, y), log))

    derivatives = (by_base, by_exponent)


def pow_rule(x: Any, y: Any) -> Any:
    """``x ** y`` for gradient rules."""
    return apply(Pow, x, y)


def _times_alpha(name: str, input: Any, other: Any, alpha: Any) -> Any:
    kind = result_type(input, other)
    if isinstance(alpha, float) and kind.category < 2:
        raise DTypeError(f"{name}: For integral input tensors, argument alpha must not be a floating point number.")
    if isinstance(alpha, bool) and kind.category > 0:
        raise DTypeError(f"{name}: Boolean alpha only supported for Boolean results.")
    if isinstance(alpha, complex) and kind.category < 3:
        raise DTypeError(f"{name}: For non-complex input tensors, argument alpha must not be a complex number.")
    if kind.category == 0:
        alpha = bool(alpha)
        if isinstance(other, bool):
            return other and alpha
    return other * alpha


def add(input: Any, other: Any, third: Any = None, *, alpha: Any = 1, out: Any = None) -> Tensor:
    """``input + alpha * other``, with broadcasting.

    Args:
        input: Tensor or number.
        other: Tensor or number.
        third: for ``add(input, alpha, other)``, PyTorch's older form.
        alpha: a number that multiplies ``other``.
        out: a tensor to write the result to.

    Returns:
        The broadcast shape, the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Example:
        >>> import wengert as wg
        >>> wg.add(wg.tensor([1.0, 2.0]), 10, alpha=2)
        tensor([21., 22.])
    """
    if third is not None:
        alpha, other = other, third
        warn_old_form("add", "alpha=")
    if not (alpha.__class__ is int and alpha == 1):
        other = _times_alpha("add", input, other, alpha)
    return binary(Add, "add", input, other, out)


def sub(input: Any, other: Any, third: Any = None, *, alpha: Any = 1, out: Any = None) -> Tensor:
    """``input - alpha * other``, with broadcasting; also ``sub(input, alpha, other)``, PyTorch's older form.

    Raises:
        RuntimeError: the shapes do not broadcast, or an operand is boolean (``^`` or ``~`` is meant).
    """
    if third is not None:
        alpha, other = other, third
        warn_old_form("sub", "alpha=")
    _refuse_bool("Subtraction", input, other)
    if not (alpha.__class__ is int and alpha == 1):
        other = _times_alpha("sub", input, other, alpha)
    return binary(Sub, "sub", input, other, out)


def _refuse_bool(what: str, *values: Any) -> None:
    for v in values:
        if isinstance(v, TensorBase):
            if v._data.dtype.char == "?":
                raise DTypeError(
                    f"{what}, the `-` operator, with a bool tensor is not supported. If you are trying to invert a "
                    "mask, use the `~` or `logical_not()` operator instead; for two masks, `^` or `logical_xor()`"
                )
        elif v is True or v is False:
            raise DTypeError(f"{what}, the `-` operator, with a bool is not supported; use an integer")


def rsub(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """``other - alpha * input``."""
    if not isinstance(input, TensorBase):
        raise no_signature("rsub", input, other)
    if not (alpha.__class__ is int and alpha == 1):
        input = mul(input, alpha)
    return sub(other, input)


def mul(input: Any, other: Any, *, out: Any = None) -> Tensor:
    """``input * other``, with broadcasting."""
    return binary(Mul, "mul", input, other, out)


def div(input: Any, other: Any, *, rounding_mode: str | None = None, out: Any = None) -> Tensor:
    """``input / other``, with broadcasting.

    Args:
        input: Tensor or number.
        other: Tensor or number.
        rounding_mode: None divides truly, and integers give floats; ``"trunc"`` and ``"floor"`` round the quotient
            and keep the promoted dtype.
        out: a tensor to write the result to.

    Raises:
        RuntimeError: the shapes do not broadcast; the rounding mode is none of these; an integer is divided by zero.

    Example:
        >>> import wengert as wg
        >>> wg.div(wg.tensor([-7, 7]), 2, rounding_mode="trunc")
        tensor([-3,  3])
    """
    if rounding_mode is None:
        return binary(Div, "div", input, other, out, floating=True)
    if rounding_mode not in _ROUNDED:
        raise ArgumentError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    return binary(_ROUNDED[rounding_mode], "div", input, other, out)


_ROUNDED = {"floor": FloorDivide, "trunc": TruncDivide}


def floor_divide(input: Any, other: Any, *, out: Any = None) -> Tensor:
    """``floor(input / other)``.

    Raises:
        RuntimeError: an integer is divided by zero.
    """
    return binary(FloorDivide, "floor_divide", input, other, out)


def remainder(input: Any, other: Any, *, out: Any = None) -> Tensor:
    """What division leaves, with the sign of ``other``: ``input - other * floor(input / other)``, as Python's ``%``."""
    return binary(Remainder, "remainder", input, other, out)


def fmod(input: Any, other: Any, *, out: Any = None) -> Tensor:
    """What division leaves, with the sign of ``input``: ``input - other * trunc(input / other)``, as C's ``fmod``."""
    if not isinstance(input, TensorBase) and not hasattr(input, "dtype"):
        raise no_signature("fmod", input, other)
    return binary(Fmod, "fmod", input, other, out)


def pow(input: Any, exponent: Any, *, out: Any = None) -> Tensor:
    """``input ** exponent``, where one of them may be a number.

    Raises:
        RuntimeError: an integer tensor and a negative integer exponent.

    Example:
        >>> import wengert as wg
        >>> wg.pow(2, wg.tensor([1.0, 3.0]))
        tensor([2., 8.])
    """
    whole = isinstance(input, TensorBase) and input._data.dtype.kind in "iub"
    if whole and isinstance(exponent, int):
        if exponent < 0:
            raise DTypeError(
                "pow: Integers to negative integer powers are not allowed; convert the base to a float tensor first"
            )
        if input._data.dtype.kind != "b":
            number_for(exponent, input._data.dtype)  # it must fit
        elif isinstance(exponent, bool):
            y = input.clone() if exponent else input.logical_or(~input)
            return y if out is None else write_out(out, y, "pow")
    return binary(Pow, "pow", input, exponent, out)


def neg(input: Tensor, *, out: Any = None) -> Tensor:
    """``-input``."""
    if not isinstance(input, TensorBase) or input._data.dtype.char == "?":
        _refuse_bool("Negation", input)
    return unary(Neg, "neg", input, out, floating=False)


def positive(input: Tensor) -> Tensor:
    """``input`` itself.

    Raises:
        RuntimeError: it is boolean.
    """
    if input._data.dtype.char == "?":
        raise DTypeError("The `+` operator, on a bool tensor is not supported.")
    return input


def reciprocal(input: Tensor, *, out: Any = None) -> Tensor:
    """``1 / input``."""
    return unary(Reciprocal, "reciprocal", input, out)


def square(input: Tensor, *, out: Any = None) -> Tensor:
    """``input * input``."""
    if isinstance(input, TensorBase) and input._data.dtype.char == "?":
        input = input * 1
    return unary(Square, "square", input, out, floating=False)


subtract, multiply, divide, true_divide, negative = sub, mul, div, div, neg


def _add_into(k: Any, x: Any, y: Any, alpha: Any) -> None:
    if alpha == 1:
        k.write_into(x, "add", y)
    elif isinstance(y, Scalar):
        k.write_into(x, "add", y * alpha)
    else:
        k.add_scaled_into(x, y, alpha)


def _sub_into(k: Any, x: Any, y: Any, alpha: Any) -> None:
    if alpha == 1:
        k.write_into(x, "subtract", y)
    else:
        _add_into(k, x, y, -alpha)


add_ = arithmetic_in_place(add, "e", _add_into, "alpha")
sub_ = arithmetic_in_place(sub, "e", _sub_into, "alpha")
mul_ = arithmetic_in_place(mul, "e", lambda k, x, y, _: k.write_into(x, "multiply", y))
div_ = arithmetic_in_place(div, "e", lambda k, x, y, _: k.write_into(x, "true_divide", y))
subtract_, multiply_, divide_, true_divide_ = sub_, mul_, div_, div_
floor_divide_, remainder_, fmod_ = in_place(floor_divide), in_place(remainder), in_place(fmod)
pow_, neg_, reciprocal_, square_ = in_place(pow), in_place(neg), in_place(reciprocal), in_place(square)
negative_ = neg_


add_operator, mul_operator = binary_operator(Add, "add"), binary_operator(Mul, "mul")
sub_operator, rsub_operator = binary_operator(Sub, "sub", function=sub), operator(sub, True)
div_operator = binary_operator(Div, "div", floating=True)
rdiv_operator = binary_operator(Div, "div", reflected=True, floating=True)
floor_divide_operator, rfloor_divide_operator = operator(floor_divide), operator(floor_divide, True)
remainder_operator, rremainder_operator = operator(remainder), operator(remainder, True)
pow_operator, rpow_operator = operator(pow), binary_operator(Pow, "pow", reflected=True)
