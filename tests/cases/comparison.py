"""Rows of the op table: comparisons, tests of values, logical and bitwise ops. None has a gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from .base import Args, Make, OpCase
from .elementwise import forms, function

INF, NAN = np.inf, np.nan


def _pairs(make: Make) -> list[Args]:
    x = make.integers(3, 4, low=0, high=3).astype(float)
    return [
        (x, make.integers(4, low=0, high=3).astype(float)),
        (x, 1),
        (x, 1.5),
        (x, True),
        (make.real(0, 2), make.real(2)),
        (make.real(), make.real(3)),
    ]


def _truth(make: Make) -> list[Args]:
    return [
        (make.bools(3, 4), make.bools(4)),
        (make.real(3) > 0, make.real(3)),
        (make.integers(3, low=0, high=2), make.bools(3)),
    ]


def _whole(make: Make) -> list[Args]:
    x = make.integers(3, 4, low=-9, high=9)
    return [(x, make.integers(4, low=-9, high=9)), (x, 5), (x.astype("uint8"), 255), (make.integers(low=0), x)]


def _special(make: Make) -> list[Args]:
    return [(np.array([1.0, NAN, INF, -INF, 0.0]),), (make.real(2, 0),), (np.array(NAN),)]


def plain(name: str, samples: Any, *aliases: str, inplace: bool = True, **options: Any) -> OpCase:
    also = tuple(f for n in (name, *aliases) for f in (n, *forms(n, inplace)))[1:] + options.pop("also", ())
    return OpCase(name, function(name), samples, orders=0, also=also, **options)


def _dunder(T: Any, x: Any, y: Any) -> Any:
    return (x == y) | (x != 1) & (x < y) ^ (x <= y) | (x > 0.5) ^ ~(x >= y) | (x == "text") | (x > 1)


NAMES = {"eq": "", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}

CASES: list[OpCase] = [
    *(plain(n, _pairs, *([alias] if alias else []), integer=True) for n, alias in NAMES.items()),
    OpCase(
        "Tensor.__eq__",
        _dunder,
        lambda m: [(m.real(3, 4), m.real(4))],
        orders=0,
        also=tuple(f"Tensor.__{n}__" for n in [*NAMES, "invert"])
        + tuple(f"Tensor.__{r}{n}__" for n in ("and", "or", "xor") for r in ("", "r", "i")),
    ),
    OpCase(
        "Tensor.__lshift__",
        lambda T, x: ((x << 2) >> 1) + (1 << x) + (64 >> x),
        lambda m: [(m.integers(3, 4, low=0, high=5),)],
        orders=0,
        also=tuple(f"Tensor.__{r}{n}shift__" for n in ("l", "r") for r in ("", "r", "i")),
    ),
    *(plain(n, _special, inplace=False) for n in ("isnan", "isinf", "isfinite", "isposinf", "isneginf", "isreal")),
    *(
        OpCase(
            n,
            lambda T, x, y, o, n=n: function(n)(T, x, y, **o),
            lambda m: [
                (np.array([1.0, NAN, INF, 1e-9]), np.array([1.0 + 1e-6, NAN, INF, 0.0]), {}),
                (np.array([1.0, NAN]), np.array([1.0, NAN]), {"equal_nan": True}),
                (m.real(3, 4), m.real(4), {"rtol": 0.1, "atol": 0.5}),
                (m.integers(3), m.integers(3), {}),
            ],
            orders=0,
            also=(f"Tensor.{n}",),
        )
        for n in ("isclose", "allclose")
    ),
    OpCase(
        "equal",
        lambda T, x, y: T.equal(x, y),
        lambda m: [(np.ones((2, 2)), np.ones((2, 2))), (np.ones(2), np.ones(3)), (np.array([NAN]), np.array([NAN]))],
        orders=0,
        also=("Tensor.equal",),
    ),
    *(plain(n, _truth) for n in ("logical_and", "logical_or", "logical_xor")),
    plain("logical_not", lambda m: [(m.bools(3, 4),), (m.integers(3, low=0, high=2),), (m.real(3),)]),
    *(plain(n, lambda m: [*_whole(m), (m.bools(3), m.bools(3))]) for n in ("bitwise_and", "bitwise_or", "bitwise_xor")),
    plain("bitwise_not", lambda m: [(m.integers(3),), (m.bools(3),)]),
    *(
        plain(n, lambda m: [(m.integers(3, 4), m.integers(4, low=0, high=5)), (m.integers(3), 2)])
        for n in ("bitwise_left_shift", "bitwise_right_shift")
    ),
]
