"""Trigonometric and hyperbolic functions, and their inverses."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

from ..admission import need_tensors
from ..formulas import kernel_or_formula
from ..primitive import apply
from .calling import binary, in_place, unary
from .elementwise import Binary, Unary, quotient, scaled, times
from .exponential import sqrt_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


@kernel_or_formula
def tanh_backward(g: Any, y: Any) -> Any:
    """``g * (1 - y ** 2)``."""
    return g * (1 - y * y)


class Sin(Unary):
    """The sine."""

    kernel, expression = "sin", "sin(x)"
    derivative = staticmethod(lambda g, x: times(g, apply(Cos, x)))


class Cos(Unary):
    """The cosine."""

    kernel, expression = "cos", "cos(x)"
    derivative = staticmethod(lambda g, x: -times(g, apply(Sin, x)))


class Tan(Unary):
    """The tangent."""

    kernel, expression, saves = "tan", "tan(x)", "y"
    derivative = staticmethod(lambda g, y: g * (y * y + 1))


class Asin(Unary):
    """The inverse of the sine."""

    kernel, expression = "arcsin", "asin(x)"
    derivative = staticmethod(lambda g, x: quotient(g, sqrt_rule(1 - x * x)))


class Acos(Unary):
    """The inverse of the cosine."""

    kernel, expression = "arccos", "acos(x)"
    derivative = staticmethod(lambda g, x: -quotient(g, sqrt_rule(1 - x * x)))


class Atan(Unary):
    """The inverse of the tangent."""

    kernel, expression = "arctan", "atan(x)"
    derivative = staticmethod(lambda g, x: g / (x * x + 1))


class Sinh(Unary):
    """The hyperbolic sine."""

    kernel, expression = "sinh", "sinh(x)"
    derivative = staticmethod(lambda g, x: g * apply(Cosh, x))


class Cosh(Unary):
    """The hyperbolic cosine."""

    kernel, expression = "cosh", "cosh(x)"
    derivative = staticmethod(lambda g, x: g * apply(Sinh, x))


class Tanh(Unary):
    """The hyperbolic tangent."""

    kernel, expression, saves = "tanh", "tanh(x)", "y"
    derivative = staticmethod(tanh_backward)


class Asinh(Unary):
    """The inverse of the hyperbolic sine."""

    kernel, expression = "arcsinh", "asinh(x)"
    derivative = staticmethod(lambda g, x: g / sqrt_rule(x * x + 1))


class Acosh(Unary):
    """The inverse of the hyperbolic cosine."""

    kernel, expression = "arccosh", "acosh(x)"
    derivative = staticmethod(lambda g, x: quotient(g, sqrt_rule(x - 1) * sqrt_rule(x + 1)))


class Atanh(Unary):
    """The inverse of the hyperbolic tangent."""

    kernel, expression = "arctanh", "atanh(x)"
    derivative = staticmethod(lambda g, x: quotient(g, 1 - x * x))


class Deg2Rad(Unary):
    """``x * pi / 180``."""

    kernel, expression, saves = "deg2rad", "x * (pi / 180)", ""
    derivative = staticmethod(lambda g: scaled(g, math.pi / 180))


class Rad2Deg(Unary):
    """``x * 180 / pi``."""

    kernel, expression, saves = "rad2deg", "x * (180 / pi)", ""
    derivative = staticmethod(lambda g: scaled(g, 180 / math.pi))


class Atan2(Binary):
    """The angle of the point (y, x)."""

    kernel, expression = "arctan2", "atan2(x, y)"
    derivatives = (lambda g, y, x: quotient(g * x, x * x + y * y), lambda g, y, x: -quotient(g * y, x * x + y * y))


cos_rule = functools.partial(apply, Cos)
tanh_rule = functools.partial(apply, Tanh)


def sin(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The sine of ``input`` in radians; integers give floats."""
    return unary(Sin, "sin", input, out)


def cos(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The cosine of ``input`` in radians."""
    return unary(Cos, "cos", input, out)


def tan(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The tangent of ``input`` in radians."""
    return unary(Tan, "tan", input, out)


def asin(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The inverse of the sine, in radians; NaN outside [-1, 1]."""
    return unary(Asin, "asin", input, out)


def acos(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The inverse of the cosine, in radians; NaN outside [-1, 1]."""
    return unary(Acos, "acos", input, out)


def atan(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The inverse of the tangent, in radians."""
    return unary(Atan, "atan", input, out)


def atan2(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The angle of the point (``other``, ``input``), in (-pi, pi]: ``atan(input / other)`` in the right quadrant."""
    need_tensors("atan2", input=input, other=other)
    return binary(Atan2, "atan2", input, other, out, floating=True)


def sinh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The hyperbolic sine."""
    return unary(Sinh, "sinh", input, out)


def cosh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The hyperbolic cosine."""
    return unary(Cosh, "cosh", input, out)


def tanh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The hyperbolic tangent, in (-1, 1)."""
    return unary(Tanh, "tanh", input, out)


def asinh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The inverse of the hyperbolic sine."""
    return unary(Asinh, "asinh", input, out)


def acosh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The inverse of the hyperbolic cosine; NaN below 1."""
    return unary(Acosh, "acosh", input, out)


def atanh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The inverse of the hyperbolic tangent; NaN outside [-1, 1]."""
    return unary(Atanh, "atanh", input, out)


def deg2rad(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Degrees as radians."""
    return unary(Deg2Rad, "deg2rad", input, out)


def rad2deg(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Radians as degrees."""
    return unary(Rad2Deg, "rad2deg", input, out)


arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
arcsinh, arccosh, arctanh = asinh, acosh, atanh
sin_, cos_, tan_ = in_place(sin), in_place(cos), in_place(tan)
asin_, acos_, atan_, atan2_ = in_place(asin), in_place(acos), in_place(atan), in_place(atan2)
sinh_, cosh_, tanh_ = in_place(sinh), in_place(cosh), in_place(tanh)
asinh_, acosh_, atanh_ = in_place(asinh), in_place(acosh), in_place(atanh)
deg2rad_, rad2deg_ = in_place(deg2rad), in_place(rad2deg)
arcsin_, arccos_, arctan_, arctan2_ = asin_, acos_, atan_, atan2_
arcsinh_, arccosh_, arctanh_ = asinh_, acosh_, atanh_
