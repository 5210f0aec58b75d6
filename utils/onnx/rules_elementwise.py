"""Functions of one element, or of two, in ONNX."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .graph import Graph, rule
from .varying import Varying

__all__: list[str] = []

FLOATS = "fV"


def _one(kind: str) -> Any:
    def write(g: Graph, x: Any) -> str:
        return str(g.op(kind, g.operand(x, g.out.dtype)))

    return write


UNARY = {
    "absolute abs fabs": "Abs",
    "negative": "Neg",
    "sqrt": "Sqrt",
    "exp": "Exp",
    "log": "Log",
    "sin": "Sin",
    "cos": "Cos",
    "tan": "Tan",
    "arcsin asin": "Asin",
    "arccos acos": "Acos",
    "arctan atan": "Atan",
    "sinh": "Sinh",
    "cosh": "Cosh",
    "tanh": "Tanh",
    "arcsinh asinh": "Asinh",
    "arccosh acosh": "Acosh",
    "arctanh atanh": "Atanh",
    "sign": "Sign",
    "erf": "Erf",
    "reciprocal": "Reciprocal",
    "relu": "Relu",
    "sigmoid": "Sigmoid",
    "softsign": "Softsign",
}
for _names, _kind in UNARY.items():
    rule(_names)(_one(_kind))


def _whole_or(kind: str) -> Any:
    """A rounding function, which leaves whole numbers as they are."""

    def write(g: Graph, x: Any) -> str:
        return g.name(x) if x.dtype.kind in "iub" else str(g.op(kind, x))

    return write


for _name, _kind in {"floor": "Floor", "ceil": "Ceil", "rint": "Round"}.items():
    rule(_name)(_whole_or(_kind))


# ---------------------------------------------------------------------- arithmetic


def _two(kind: str) -> Any:
    def write(g: Graph, x: Any, y: Any) -> str:
        dtype = g.out.dtype
        return str(g.op(kind, g.operand(x, dtype), g.operand(y, dtype)))

    return write


for _names, _kind in {"subtract": "Sub", "true_divide divide": "Div"}.items():
    rule(_names)(_two(_kind))


@rule("add multiply")
def sum_or_product(g: Graph, x: Any, y: Any) -> str:
    """Of masks, they are "or" and "and"."""
    dtype = g.out.dtype
    adds = g.step.name == "add"
    kind = ("Or" if adds else "And") if dtype.kind == "b" else "Add" if adds else "Mul"
    return str(g.op(kind, g.operand(x, dtype), g.operand(y, dtype)))


def _common(*values: Any) -> Any:
    """The type in which NumPy compares operands."""
    return np.result_type(*[v.dtype if hasattr(v, "dtype") else _sample(v) for v in values])


def _sample(v: Any) -> Any:
    return v.values[0] if isinstance(v, Varying) else v


def _comparison(kind: str, negated: bool = False) -> Any:
    def write(g: Graph, x: Any, y: Any) -> str:
        dtype = _common(x, y)
        if dtype.kind == "b" and kind != "Equal":
            dtype = np.dtype("int32")
        made = g.op(kind, g.operand(x, dtype), g.operand(y, dtype))
        return str(g.op("Not", made)) if negated else str(made)

    return write


for _names, (_kind, _negated) in {
    "equal": ("Equal", False),
    "not_equal": ("Equal", True),
    "less": ("Less", False),
    "less_equal": ("LessOrEqual", False),
    "greater": ("Greater", False),
    "greater_equal": ("GreaterOrEqual", False),
}.items():
    rule(_names)(_comparison(_kind, _negated))


@rule("maximum minimum fmax fmin")
def extreme(g: Graph, x: Any, y: Any) -> str:
    """The larger or the smaller."""
    dtype, largest = g.out.dtype, g.step.name in ("maximum", "fmax")
    if dtype.kind == "b":
        return str(g.op("Or" if largest else "And", g.operand(x, dtype), g.operand(y, dtype)))
    return str(g.op("Max" if largest else "Min", g.operand(x, dtype), g.operand(y, dtype)))


@rule("power")
def power(g: Graph, x: Any, y: Any) -> str:
    """Powers; common ones in a simpler way."""
    dtype = g.out.dtype
    base = g.operand(x, dtype)
    if isinstance(y, int | float) and dtype.kind in FLOATS:
        if y == -0.5:
            return str(g.op("Reciprocal", g.op("Sqrt", base)))
        if y == 0.5:
            return str(g.op("Sqrt", base))
        if y == 2:
            return str(g.op("Mul", base, base))
    return str(g.op("Pow", base, g.operand(y, dtype)))


@rule("square")
def square(g: Graph, x: Any) -> str:
    """``x * x``."""
    return str(g.op("Mul", x, x))


@rule("floor_divide")
def floor_divide(g: Graph, x: Any, y: Any) -> str:
    """Rounded down, which ONNX's division of integers is not."""
    dtype = g.out.dtype
    a, b = g.operand(x, dtype), g.operand(y, dtype)
    if dtype.kind in FLOATS:
        return str(g.op("Floor", g.op("Div", a, b)))
    if dtype.kind == "u":
        return str(g.op("Div", a, b))
    return str(g.op("Div", g.op("Sub", a, g.op("Mod", a, b)), b))


@rule("trunc_divide")
def trunc_divide(g: Graph, x: Any, y: Any) -> str:
    """Rounded towards zero."""
    dtype = g.out.dtype
    found = g.op("Div", g.operand(x, dtype), g.operand(y, dtype))
    return _truncated(g, found, dtype) if dtype.kind in FLOATS else str(found)


def _truncated(g: Graph, x: Any, dtype: Any) -> str:
    zero = g.constant(0, dtype)
    return g.where(g.op("Less", x, zero), g.op("Ceil", x), g.op("Floor", x))


@rule("trunc fix")
def trunc(g: Graph, x: Any) -> str:
    """Towards zero."""
    return _truncated(g, x, x.dtype) if x.dtype.kind in FLOATS else g.name(x)


@rule("frac")
def frac(g: Graph, x: Any) -> str:
    """What is behind the point."""
    return str(g.op("Sub", x, _truncated(g, x, x.dtype)))


@rule("remainder mod")
def remainder(g: Graph, x: Any, y: Any) -> str:
    """The remainder with the sign of the divisor."""
    dtype = g.out.dtype
    a, b = g.operand(x, dtype), g.operand(y, dtype)
    if dtype.kind not in FLOATS:
        return str(g.op("Mod", a, b))
    return str(g.op("Sub", a, g.op("Mul", g.op("Floor", g.op("Div", a, b)), b)))


@rule("fmod")
def fmod(g: Graph, x: Any, y: Any) -> str:
    """The remainder with the sign of the dividend."""
    dtype = g.out.dtype
    return str(g.op("Mod", g.operand(x, dtype), g.operand(y, dtype), fmod=1))


@rule("clamp clip")
def clamp(g: Graph, x: Any, low: Any = None, high: Any = None, **names: Any) -> str:
    """Between two bounds."""
    low, high = names.get("min", names.get("a_min", low)), names.get("max", names.get("a_max", high))
    dtype = g.out.dtype
    bounds = [None if b is None else g.operand(b, dtype) for b in (low, high)]
    tensors = [b for b in (low, high) if getattr(b, "ndim", 0)]
    if not tensors:
        return str(g.op("Clip", g.operand(x, dtype), *bounds))
    made: Any = g.operand(x, dtype)
    made = made if bounds[0] is None else g.op("Max", made, bounds[0])
    return str(made if bounds[1] is None else g.op("Min", made, bounds[1]))


@rule("astype")
def astype(g: Graph, x: Any, dtype: Any = None) -> str:
    """Another element type."""
    if x.dtype.kind in FLOATS and g.out.dtype.kind == "b":
        return str(g.op("Not", g.op("Equal", x, g.constant(0, x.dtype))))
    return g.cast(x, g.out.dtype)


@rule("where select")
def where(g: Graph, condition: Any, x: Any = None, y: Any = None) -> str:
    """One or the other."""
    dtype = g.out.dtype
    return g.where(g.operand(condition, "bool"), g.operand(x, dtype), g.operand(y, dtype))


# ---------------------------------------------------------------------- masks


@rule("logical_and logical_or logical_xor")
def logical(g: Graph, x: Any, y: Any) -> str:
    """Of two truth values."""
    kind = {"logical_and": "And", "logical_or": "Or", "logical_xor": "Xor"}[g.step.name]
    return str(g.op(kind, _truth(g, x), _truth(g, y)))


def _truth(g: Graph, x: Any) -> str:
    if not hasattr(x, "dtype"):
        return g.constant(bool(x), "bool")
    return g.name(x) if x.dtype.kind == "b" else str(g.op("Not", g.op("Equal", x, g.constant(0, x.dtype))))


@rule("logical_not")
def logical_not(g: Graph, x: Any) -> str:
    """Whether it is zero."""
    return str(g.op("Not", _truth(g, x)))


@rule("bitwise_and bitwise_or bitwise_xor")
def bitwise(g: Graph, x: Any, y: Any) -> str:
    """Bit by bit; of masks as a whole."""
    dtype, kind = g.out.dtype, g.step.name.removeprefix("bitwise_").capitalize()
    kind = kind if dtype.kind == "b" else f"Bitwise{kind}"
    return str(g.op(kind, g.operand(x, dtype), g.operand(y, dtype)))


@rule("invert bitwise_not bitwise_invert")
def invert(g: Graph, x: Any) -> str:
    """All bits the other way."""
    return str(g.op("Not" if x.dtype.kind == "b" else "BitwiseNot", x))


@rule("left_shift right_shift bitwise_left_shift bitwise_right_shift")
def shift(g: Graph, x: Any, y: Any) -> str:
    """Bits moved."""
    dtype = g.out.dtype
    factor = g.op("Pow", g.constant(2, dtype), g.operand(y, dtype))
    return str(g.op("Mul" if "left" in g.step.name else "Div", g.operand(x, dtype), factor))


@rule("isnan")
def isnan(g: Graph, x: Any) -> str:
    """Where there is no number."""
    return str(g.op("IsNaN", x)) if x.dtype.kind in FLOATS else _nowhere(g, x)


def _nowhere(g: Graph, x: Any) -> str:
    return str(g.op("Not", g.op("Equal", x, x)))


@rule("isinf isposinf isneginf")
def isinf(g: Graph, x: Any) -> str:
    """Where there is no end."""
    if x.dtype.kind not in FLOATS:
        return _nowhere(g, x)
    positive, negative = int(g.step.name != "isneginf"), int(g.step.name != "isposinf")
    return str(g.op("IsInf", x, detect_positive=positive, detect_negative=negative))


@rule("isfinite")
def isfinite(g: Graph, x: Any) -> str:
    """Where there is a number."""
    return str(g.op("Equal", g.op("Sub", x, x), g.constant(0, x.dtype)))


# ---------------------------------------------------------------------- exponentials and friends


def _with(names: str, formula: Any) -> None:
    """A function as a formula of others; ``c`` makes constants of its type."""

    def write(g: Graph, x: Any, *numbers: Any, **named: Any) -> str:
        dtype = g.out.dtype
        return str(formula(g, g.operand(x, dtype), lambda v: g.operand(v, dtype), *numbers, **named))

    rule(names)(write)


_with("rsqrt", lambda g, x, c: g.op("Reciprocal", g.op("Sqrt", x)))
_with("exp2", lambda g, x, c: g.op("Pow", c(2.0), x))
_with("expm1", lambda g, x, c: g.op("Sub", g.op("Exp", x), c(1.0)))
_with("log1p", lambda g, x, c: g.op("Log", g.op("Add", x, c(1.0))))
_with("log2", lambda g, x, c: g.op("Div", g.op("Log", x), c(math.log(2))))
_with("log10", lambda g, x, c: g.op("Div", g.op("Log", x), c(math.log(10))))
_with("deg2rad", lambda g, x, c: g.op("Mul", x, c(math.pi / 180)))
_with("rad2deg", lambda g, x, c: g.op("Mul", x, c(180 / math.pi)))
_with("erfc", lambda g, x, c: g.op("Sub", c(1.0), g.op("Erf", x)))
_with("sgn", lambda g, x, c: g.op("Sign", x))
_with("silu", lambda g, x, c: g.op("Mul", x, g.op("Sigmoid", x)))
_with("log_sigmoid", lambda g, x, c: g.op("Neg", g.op("Softplus", g.op("Neg", x))))
_with("leaky_relu", lambda g, x, c, negative_slope: g.op("LeakyRelu", x, alpha=float(negative_slope)))
_with("hardsigmoid", lambda g, x, c: g.op("HardSigmoid", x, alpha=1 / 6, beta=0.5))
_with("hardshrink", lambda g, x, c, lambd: g.op("Shrink", x, lambd=float(lambd), bias=0.0))
_with("softshrink", lambda g, x, c, lambd: g.op("Shrink", x, lambd=float(lambd), bias=float(lambd)))
_with("threshold", lambda g, x, c, threshold, value: g.where(g.op("Greater", x, c(threshold)), x, c(value)))
_with("entr", lambda g, x, c: g.op("Neg", g.op("Mul", x, g.op("Log", x))))
_with("masked_scale", lambda g, x, c, mask, scale: g.op("Mul", g.op("Mul", x, c(mask)), c(scale)))


@rule("sinc")
def sinc(g: Graph, x: Any) -> str:
    """``sin(pi x) / (pi x)``."""
    zero = g.constant(0, x.dtype)
    t = g.op("Mul", x, g.constant(math.pi, x.dtype))
    at_zero = g.op("Equal", x, zero)
    safe = g.where(at_zero, g.constant(1, x.dtype), t)
    return g.where(at_zero, g.constant(1, x.dtype), g.op("Div", g.op("Sin", safe), safe))


@rule("elu")
def elu(g: Graph, x: Any, alpha: float, scale: float, input_scale: float) -> str:
    """ELU, SELU and CELU."""
    if scale == 1 and input_scale == 1:
        return str(g.op("Elu", x, alpha=float(alpha)))
    if input_scale == 1:
        return str(g.op("Selu", x, alpha=float(alpha), gamma=float(scale)))
    if scale == 1 and x.dtype.name == "float32" and abs(alpha * input_scale - 1) < 1e-6:
        return str(g.op("Celu", x, alpha=float(alpha)))
    inner = g.op("Sub", g.op("Exp", g.op("Mul", x, g.constant(input_scale, x.dtype))), g.constant(1, x.dtype))
    below = g.op("Mul", inner, g.constant(alpha * scale, x.dtype))
    above = g.op("Mul", x, g.constant(scale, x.dtype))
    return g.where(g.op("Greater", x, g.constant(0, x.dtype)), above, below)


@rule("softplus")
def softplus(g: Graph, x: Any, beta: float, threshold: float) -> str:
    """``log(1 + exp(beta x)) / beta``, and ``x`` above the threshold."""
    scaled = g.name(x) if beta == 1 else g.op("Mul", x, g.constant(beta, x.dtype))
    y = g.op("Softplus", scaled)
    y = y if beta == 1 else g.op("Div", y, g.constant(beta, x.dtype))
    return g.where(g.op("Greater", scaled, g.constant(threshold, x.dtype)), x, y)


@rule("mish")
def mish(g: Graph, x: Any) -> str:
    """``x tanh(softplus(x))``."""
    return str(g.op("Mul", x, g.op("Tanh", g.op("Softplus", x))))


@rule("hardswish")
def hardswish(g: Graph, x: Any) -> str:
    """``x hardsigmoid(x)``."""
    if g.opset >= 14:
        return str(g.op("HardSwish", x))
    return str(g.op("Mul", x, g.op("HardSigmoid", x, alpha=1 / 6, beta=0.5)))


@rule("gelu")
def gelu(g: Graph, x: Any, approximate: str = "none") -> str:
    """``x`` times the normal distribution function, or its approximation by tanh."""
    if g.opset >= 20:
        return str(g.op("Gelu", x, approximate=approximate))
    half, one = g.constant(0.5, x.dtype), g.constant(1, x.dtype)
    if approximate == "tanh":
        cube = g.op("Mul", g.op("Mul", x, x), x)
        inner = g.op("Add", x, g.op("Mul", cube, g.constant(0.044715, x.dtype)))
        bell = g.op("Tanh", g.op("Mul", inner, g.constant(math.sqrt(2 / math.pi), x.dtype)))
    else:
        bell = g.op("Erf", g.op("Div", x, g.constant(math.sqrt(2), x.dtype)))
    return str(g.op("Mul", g.op("Mul", x, g.op("Add", bell, one)), half))


@rule("prelu")
def prelu(g: Graph, x: Any, w: Any) -> str:
    """A slope below zero that is a tensor."""
    return str(g.op("PRelu", x, g.cast(w, x.dtype)))


@rule("logaddexp logaddexp2")
def logaddexp(g: Graph, x: Any, y: Any) -> str:
    """``log(exp(x) + exp(y))``."""
    dtype = g.out.dtype
    unit = math.log(2) if g.step.name.endswith("2") else 1.0
    a, b = g.operand(x, dtype), g.operand(y, dtype)
    gap = g.op("Neg", g.op("Abs", g.op("Sub", a, b)))
    gap = g.op("Mul", gap, g.constant(unit, dtype)) if unit != 1 else gap
    rest = g.op("Log", g.op("Add", g.op("Exp", gap), g.constant(1, dtype)))
    rest = g.op("Div", rest, g.constant(unit, dtype)) if unit != 1 else rest
    return str(g.op("Add", g.op("Max", a, b), rest))


@rule("arctan2 atan2")
def arctan2(g: Graph, y: Any, x: Any) -> str:
    """The angle of a point."""
    dtype = g.out.dtype
    a, b = g.operand(y, dtype), g.operand(x, dtype)
    zero, pi = g.constant(0, dtype), g.constant(math.pi, dtype)
    angle = g.op("Atan", g.op("Div", a, b))
    turned = g.where(g.op("Less", a, zero), g.op("Sub", angle, pi), g.op("Add", angle, pi))
    whole = g.where(g.op("Less", b, zero), turned, angle)
    both = g.op("And", g.op("Equal", a, zero), g.op("Equal", b, zero))
    return g.where(both, zero, whole)


@rule("hypot")
def hypot(g: Graph, x: Any, y: Any) -> str:
    """The length of a vector of two."""
    dtype = g.out.dtype
    a, b = g.operand(x, dtype), g.operand(y, dtype)
    return str(g.op("Sqrt", g.op("Add", g.op("Mul", a, a), g.op("Mul", b, b))))


@rule("xlogy")
def xlogy(g: Graph, x: Any, y: Any) -> str:
    """``x log(y)``, 0 where ``x`` is."""
    dtype = g.out.dtype
    a, b = g.operand(x, dtype), g.operand(y, dtype)
    zero = g.constant(0, dtype)
    return g.where(g.op("Equal", a, zero), zero, g.op("Mul", a, g.op("Log", b)))


@rule("nan_to_num")
def nan_to_num(g: Graph, x: Any, nan: Any = 0.0, high: Any = None, low: Any = None) -> str:
    """Numbers for what is none."""
    if x.dtype.kind not in FLOATS:
        return g.name(x)
    limits = np.finfo(x.dtype) if x.dtype.kind == "f" else None
    high = limits.max if high is None and limits is not None else high
    low = limits.min if low is None and limits is not None else low
    y = g.where(g.op("IsNaN", x), g.operand(float(nan), x.dtype), x)
    y = g.where(g.op("IsInf", y, detect_negative=0), g.operand(float(high), x.dtype), y)
    return g.where(g.op("IsInf", y, detect_positive=0), g.operand(float(low), x.dtype), y)


@rule("signbit sign_bit")
def sign_bit(g: Graph, x: Any) -> str:
    """Whether it is negative, zero included."""
    zero = g.constant(0, x.dtype)
    below = g.op("Less", x, zero)
    if x.dtype.kind not in FLOATS:
        return str(below)
    at_zero = g.op("And", g.op("Equal", x, zero), g.op("Less", g.op("Reciprocal", x), zero))
    return str(g.op("Or", below, at_zero))


@rule("copysign")
def copysign(g: Graph, x: Any, y: Any) -> str:
    """The size of one, with the sign of the other."""
    dtype = g.out.dtype
    size, sign, zero = g.op("Abs", g.operand(x, dtype)), g.operand(y, dtype), g.constant(0, dtype)
    negative = g.op("And", g.op("Equal", sign, zero), g.op("Less", g.op("Reciprocal", sign), zero))
    return g.where(g.op("Or", g.op("Less", sign, zero), negative), g.op("Neg", size), size)


@rule("heaviside")
def heaviside(g: Graph, x: Any, y: Any) -> str:
    """0 below zero, 1 above it, and ``y`` there."""
    dtype = g.out.dtype
    a, zero, one = g.operand(x, dtype), g.constant(0, dtype), g.constant(1, dtype)
    return g.where(g.op("Equal", a, zero), g.operand(y, dtype), g.where(g.op("Less", a, zero), zero, one))
