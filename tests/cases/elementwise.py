"""Rows of the op table: arithmetic, functions of analysis, rounding, choosing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .base import Args, Make, OpCase

Draw = Callable[..., np.ndarray]


def function(name: str) -> Callable[..., Any]:
    """``fn(T, *args)`` that calls the function with this (dotted) name."""

    def call(T: Any, *args: Any, **options: Any) -> Any:
        for part in name.split("."):
            T = getattr(T, part)
        return T(*args, **options)

    return call


def forms(name: str, inplace: bool = True) -> tuple[str, ...]:
    """The names of an op's method and in-place method."""
    return (f"Tensor.{name}", f"Tensor.{name}_") if inplace else (f"Tensor.{name}",)


def unary(name: str, draw: Callable[[Make], Draw] = lambda make: make.real, *aliases: str, **options: Any) -> OpCase:
    """An op on one operand: a matrix, a 0-d tensor, an empty tensor."""

    def samples(make: Make) -> Iterable[Args]:
        return [(draw(make)(*shape),) for shape in ((3, 4), (), (0, 2))]

    also = tuple(form for n in (name, *aliases) for form in (n, *forms(n)))[1:]
    return OpCase(name, function(name), samples, also=also, **{"integer": True, **options})


def pairs(left: Draw, right: Draw) -> list[Args]:
    """Two operands: alike, broadcast both ways, one of them 0-d, empty."""
    shapes = [((3, 4), (3, 4)), ((3, 1), (2, 1, 4)), ((), (3,)), ((2, 3), ()), ((0, 3), (1, 3))]
    return [(left(*a), right(*b)) for a, b in shapes]


def binary(
    name: str,
    right: Callable[[Make], Draw] = lambda make: make.real,
    left: Callable[[Make], Draw] = lambda make: make.real,
    scalars: tuple[Any, ...] = (),
    aliases: tuple[str, ...] = (),
    **options: Any,
) -> OpCase:
    """An op on two operands; ``scalars`` are numbers that the right one may be."""

    def samples(make: Make) -> Iterable[Args]:
        return pairs(left(make), right(make)) + [(left(make)(2, 3), s) for s in scalars]

    also = tuple(form for n in (name, *aliases) for form in (n, *forms(n)))[1:]
    return OpCase(name, function(name), samples, also=also, **options)


def positive(make: Make) -> Draw:
    return make.positive


def away(*points: float) -> Callable[[Make], Draw]:
    return lambda make: lambda *shape: make.away(*shape, points=points)


def within(low: float, high: float) -> Callable[[Make], Draw]:
    return lambda make: lambda *shape: make.real(*shape, low=low, high=high)


WHOLE = tuple(float(n) for n in range(-2, 3))
HALVES = tuple(n + 0.5 for n in range(-2, 2))

_BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow")
OPERATORS = ("neg", "pos", "abs", *(r + n for n in _BINARY for r in ("", "r", "i")))

ARITHMETIC = [
    binary("add", scalars=(2, 0.5, True), integer=True),
    OpCase("add", lambda T, x, y: T.add(x, y, alpha=0.5), lambda m: pairs(m.real, m.real), note="alpha"),
    binary("sub", scalars=(2, 0.5), aliases=("subtract",), integer=True),
    OpCase("sub", lambda T, x, y: T.sub(x, y, alpha=3), lambda m: pairs(m.real, m.real), note="alpha"),
    OpCase("rsub", lambda T, x, y: T.rsub(x, y), lambda m: [(m.real(2, 3), m.real(3)), (m.real(2), 1.5)]),
    binary("mul", scalars=(2, 0.5), aliases=("multiply",), integer=True),
    binary("div", away(0.0), scalars=(2, 0.5), aliases=("divide", "true_divide"), integer=True),
    *(
        OpCase(
            "div",
            lambda T, x, y, mode=mode: T.div(x, y, rounding_mode=mode),
            lambda m: [(m.real(3, 4), m.positive(4)), (m.real(2, 3), -0.7)],
            note=mode,
        )
        for mode in ("floor", "trunc")
    ),
    binary("floor_divide", away(0.0), scalars=(3, 0.7)),
    binary("remainder", away(0.0), scalars=(3, -0.75), note="tensor"),
    binary("fmod", away(0.0), scalars=(3, -0.75)),
    binary("pow", left=positive, scalars=(2, 3, 0.5, -1, -1.5, 1, 0)),
    OpCase("pow", lambda T, y: T.pow(2.5, y), lambda m: [(m.real(3, 4),), (m.real(),)], note="base"),
    OpCase("pow", lambda T, x: x**2 + x**3 - 2**x, lambda m: [(m.real(3, 4),)], integer=True, note="operators"),
    unary("neg", lambda m: m.real, "negative"),
    unary("reciprocal", away(0.0)),
    unary("square"),
    OpCase(
        "Tensor.__add__",
        lambda T, x, y: (
            ((1 + x - y) * 2 / (3 - y)) % 5 + (-x) - +y + abs(x) + 7 // (y * y + 1) + 5 % (y * y + 1) + 1 / (y - 3)
        ),
        lambda m: [(m.away(3, 4), m.real(4))],
        also=("positive", "Tensor.positive", *(f"Tensor.__{n}__" for n in OPERATORS)),
    ),
]

EXPONENTIAL = [
    unary("exp"),
    unary("exp2"),
    unary("expm1"),
    unary("log", positive),
    unary("log2", positive),
    unary("log10", positive),
    unary("log1p", within(-0.8, 2.0)),
    unary("sqrt", positive),
    unary("rsqrt", positive),
]

TRIGONOMETRIC = [
    unary("sin"),
    unary("cos"),
    unary("tan", within(-1.2, 1.2)),
    unary("asin", within(-0.9, 0.9), "arcsin"),
    unary("acos", within(-0.9, 0.9), "arccos"),
    unary("atan", lambda m: m.real, "arctan"),
    unary("sinh"),
    unary("cosh"),
    unary("tanh"),
    unary("asinh", lambda m: m.real, "arcsinh"),
    unary("acosh", within(1.2, 3.0), "arccosh"),
    unary("atanh", within(-0.9, 0.9), "arctanh"),
    unary("deg2rad"),
    unary("rad2deg"),
    binary("atan2", away(0.0), aliases=("arctan2",), integer=True),
]

ROUNDING = [
    unary("abs", away(0.0), "absolute", integer=False),
    unary("sign", away(0.0)),
    unary("sgn", away(0.0)),
    unary("floor", away(*WHOLE), integer=False),
    unary("ceil", away(*WHOLE), integer=False),
    unary("trunc", away(*WHOLE), "fix", integer=False),
    unary("round", away(*HALVES), integer=False),
    OpCase("round", lambda T, x: T.round(x, decimals=1), lambda m: [(m.real(3, 4) * 10,)], orders=0, note="decimals"),
    unary("frac", away(*WHOLE), integer=False),
    OpCase(
        "signbit",
        lambda T, x: T.signbit(x),
        lambda m: [(m.real(3, 4),), (np.array([-0.0, 0.0, -np.inf]),)],
        orders=0,
        integer=True,
        also=("Tensor.signbit",),
    ),
]

NAN = np.nan
EXTREMES = ("maximum", "minimum", "fmax", "fmin")

SELECT = [
    OpCase(
        "where",
        lambda T, c, x, y: T.where(c, x, y),
        lambda m: [
            (m.bools(3, 4), m.real(3, 4), m.real(4)),
            (m.bools(3, 1), m.real(), m.real(1, 4)),
            (m.bools(2), m.real(2), 0.5),
        ],
    ),
    OpCase("Tensor.where", lambda T, x, c, y: x.where(c, y), lambda m: [(m.real(3, 4), m.bools(3, 4), m.real(4))]),
    OpCase("where", lambda T, c: T.where(c), lambda m: [(m.bools(3, 4),)], orders=0, strict=False, note="indices"),
    OpCase(
        "clamp",
        lambda T, x, low, high: T.clamp(x, low, high),
        lambda m: [
            (m.away(3, 4, points=(-1.0, 1.0)), -1, 1.0),
            (m.away(3, 4, points=(0.0,)), 0, None),
            (m.away(3, 4, points=(0.5,)), None, 0.5),
            (m.real(3, 4), m.real(4) - 3, m.real(3, 1) + 3),
            (m.real(3, 4) * 5, m.real(4), m.real(3, 1)),
            (m.real(3, 4) * 5, None, m.real()),
        ],
        also=("clip", "Tensor.clamp", "Tensor.clip", "Tensor.clamp_", "Tensor.clip_"),
    ),
    binary("clamp_min", scalars=(0.3,)),
    binary("clamp_max", scalars=(0.3,)),
    *(
        OpCase(
            name,
            function(name),
            lambda m: pairs(m.real, m.real),
            integer=True,
            also=(f"Tensor.{name}",),
        )
        for name in EXTREMES
    ),
    *(
        OpCase(
            name,
            function(name),
            lambda m: [(np.array([1.0, NAN, 2.0]), np.array([NAN, 1.0, 2.0]))],
            orders=0,
            note="nan",
        )
        for name in EXTREMES
    ),
]

CASES: list[OpCase] = [*ARITHMETIC, *EXPONENTIAL, *TRIGONOMETRIC, *ROUNDING, *SELECT]
