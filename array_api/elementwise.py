"""Functions of each element, under the standard's names and signatures: thin covers of wengert's own operations.

Two operands are brought to their common type first (see `promotion`), and either of them may be a Python number.
Gradients flow through all of them, as they do through the operations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd import ops
from ..autograd.tensor import Tensor
from .promotion import together

__all__ = [
    "abs",
    "acos",
    "acosh",
    "add",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "ceil",
    "clip",
    "conj",
    "copysign",
    "cos",
    "cosh",
    "divide",
    "equal",
    "exp",
    "expm1",
    "floor",
    "floor_divide",
    "greater",
    "greater_equal",
    "hypot",
    "imag",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "nextafter",
    "not_equal",
    "positive",
    "pow",
    "real",
    "reciprocal",
    "remainder",
    "round",
    "sign",
    "signbit",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "subtract",
    "tan",
    "tanh",
    "trunc",
]

One = Callable[[Tensor], Tensor]
Two = Callable[[Any, Any], Tensor]


def _named(function: Any, name: str, text: str) -> Any:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = text
    return function


def _one(name: str, op: Any, what: str) -> One:
    """The function of one array that computes ``op``."""

    def function(x: Tensor, /) -> Tensor:
        return op(x)

    return _named(function, name, f"{what} of each element of ``x``: ``(*)`` to ``(*)``.")


def _two(name: str, op: Any, what: str) -> Two:
    """The function of two arrays, or of an array and a number, that computes ``op`` in their common type."""

    def function(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
        return op(*together(x1, x2))

    return _named(
        function, name, f"{what}, element by element, in the common type of ``x1`` and ``x2``; they broadcast."
    )


acos = _one("acos", ops.acos, "The inverse cosine")
acosh = _one("acosh", ops.acosh, "The inverse hyperbolic cosine")
asin = _one("asin", ops.asin, "The inverse sine")
asinh = _one("asinh", ops.asinh, "The inverse hyperbolic sine")
atan = _one("atan", ops.atan, "The inverse tangent")
atanh = _one("atanh", ops.atanh, "The inverse hyperbolic tangent")
bitwise_invert = _one("bitwise_invert", ops.bitwise_not, "All bits inverted")
conj = _one("conj", ops.conj, "The complex conjugate")
cos = _one("cos", ops.cos, "The cosine")
cosh = _one("cosh", ops.cosh, "The hyperbolic cosine")
exp = _one("exp", ops.exp, "The exponential")
expm1 = _one("expm1", ops.expm1, "exp(x) - 1")
imag = _one("imag", ops.imag, "The imaginary part")
isfinite = _one("isfinite", ops.isfinite, "Whether it is neither infinite nor NaN,")
isinf = _one("isinf", ops.isinf, "Whether it is infinite,")
isnan = _one("isnan", ops.isnan, "Whether it is NaN,")
log = _one("log", ops.log, "The natural logarithm")
log1p = _one("log1p", ops.log1p, "log(1 + x)")
log2 = _one("log2", ops.log2, "The logarithm to base 2")
log10 = _one("log10", ops.log10, "The logarithm to base 10")
logical_not = _one("logical_not", ops.logical_not, "Whether it is zero,")
negative = _one("negative", ops.neg, "The negative")
positive = _one("positive", ops.clone, "The value itself, in memory of its own,")
real = _one("real", ops.real, "The real part")
reciprocal = _one("reciprocal", ops.reciprocal, "1 / x")
signbit = _one("signbit", ops.signbit, "Whether the sign bit is set, as for -0.0,")
sin = _one("sin", ops.sin, "The sine")
sinh = _one("sinh", ops.sinh, "The hyperbolic sine")
sqrt = _one("sqrt", ops.sqrt, "The square root")
square = _one("square", ops.square, "The square")
tan = _one("tan", ops.tan, "The tangent")
tanh = _one("tanh", ops.tanh, "The hyperbolic tangent")
abs = _one("abs", ops.abs, "The magnitude")
ceil = _one("ceil", ops.ceil, "The least integer that is not below")
floor = _one("floor", ops.floor, "The greatest integer that is not above")
trunc = _one("trunc", ops.trunc, "The integer part")

add = _two("add", ops.add, "The sum")
atan2 = _two("atan2", ops.atan2, "The angle of the point (x2, x1)")
bitwise_and = _two("bitwise_and", ops.bitwise_and, "Bits that are set in both")
bitwise_left_shift = _two("bitwise_left_shift", ops.bitwise_left_shift, "Bits moved up")
bitwise_or = _two("bitwise_or", ops.bitwise_or, "Bits that are set in either")
bitwise_right_shift = _two("bitwise_right_shift", ops.bitwise_right_shift, "Bits moved down")
bitwise_xor = _two("bitwise_xor", ops.bitwise_xor, "Bits that are set in one of the two")
copysign = _two("copysign", ops.copysign, "The magnitude of x1 with the sign of x2")
divide = _two("divide", ops.true_divide, "The quotient")
equal = _two("equal", ops.eq, "Whether they are equal")
floor_divide = _two("floor_divide", ops.floor_divide, "The quotient, rounded down")
greater = _two("greater", ops.gt, "Whether x1 > x2")
greater_equal = _two("greater_equal", ops.ge, "Whether x1 >= x2")
hypot = _two("hypot", ops.hypot, "The square root of x1**2 + x2**2")
less = _two("less", ops.lt, "Whether x1 < x2")
less_equal = _two("less_equal", ops.le, "Whether x1 <= x2")
logaddexp = _two("logaddexp", ops.logaddexp, "log(exp(x1) + exp(x2))")
logical_and = _two("logical_and", ops.logical_and, "Whether both are true")
logical_or = _two("logical_or", ops.logical_or, "Whether either is true")
logical_xor = _two("logical_xor", ops.logical_xor, "Whether one of the two is true")
maximum = _two("maximum", ops.maximum, "The larger one")
minimum = _two("minimum", ops.minimum, "The smaller one")
multiply = _two("multiply", ops.mul, "The product")
nextafter = _two("nextafter", ops.nextafter, "The float beside x1 in the direction of x2")
not_equal = _two("not_equal", ops.ne, "Whether they differ")
pow = _two("pow", ops.pow, "x1 to the power x2")
subtract = _two("subtract", ops.sub, "The difference")


def sign(x: Tensor, /) -> Tensor:
    """-1, 0 or 1 as the sign of each element; x / abs(x) of complex ones, and NaN of NaN: ``(*)`` to ``(*)``."""
    if x.dtype.is_complex:
        return ops.sgn(x)
    # PyTorch's sign of NaN is zero.
    return ops.where(ops.isnan(x), x, ops.sign(x)) if x.dtype.is_floating_point else ops.sign(x)


def remainder(x1: Tensor | float, x2: Tensor | float, /) -> Tensor:
    """The remainder of the quotient rounded down, with the sign of ``x2``, in their common type; they broadcast."""
    a, b = together(x1, x2)
    y = ops.remainder(a, b)
    if not y.dtype.is_floating_point:
        return y
    # PyTorch's zeros have the sign of x1. A sum with 0.0 has none, whatever the sign of its zero was.
    return ops.where(b < 0, -(0.0 - y), y + 0.0)


def round(x: Tensor, /) -> Tensor:
    """The nearest integer of each element, the even one of two; of both parts of complex ones: ``(*)`` to ``(*)``."""
    if x.dtype.is_complex:
        return ops.complex(ops.round(ops.real(x)), ops.round(ops.imag(x)))
    return ops.round(x)


def clip(x: Tensor, /, min: Tensor | int | float | None = None, max: Tensor | int | float | None = None) -> Tensor:
    """Each element, moved to the nearer of the bounds ``min`` and ``max`` if it is outside: in the type of ``x``.

    Args:
        x: ``(*)``, of a real type.
        min: the lower bound, or None; it broadcasts with ``x``.
        max: the upper bound, or None; likewise.
    """
    if min is None and max is None:
        return ops.clone(x)
    bounds = [_bound(x, b) for b in (min, max)]
    return ops.clamp(x, *bounds)


def _bound(x: Tensor, bound: Any) -> Any:
    """A bound as a tensor of the type of ``x``."""
    if bound is None:
        return None
    if isinstance(bound, Tensor):
        return bound.to(x.dtype)
    return ops.tensor(bound, dtype=x.dtype, device=x.device)
