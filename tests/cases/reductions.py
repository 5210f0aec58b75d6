"""Rows of the op table: reductions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .base import Args, Make, OpCase
from .elementwise import function

INF, NAN = np.inf, np.nan


def reduction(name: str, draw: str = "real", tuples: bool = True, whole: bool = True, **options: Any) -> OpCase:
    """A reduction over no, one or several dimensions, with ``keepdim`` and without."""

    def samples(make: Make) -> list[Args]:
        x = getattr(make, draw)
        found: list[Args] = [(x(3, 4), {"dim": d, "keepdim": keep}) for d in (0, -1) for keep in (False, True)]
        found += [(x(), {"dim": 0})]
        if whole:
            found += [(x(3, 4), {}), (x(), {}), (x(2, 3, 2), {})]
        if tuples:
            found += [
                (x(2, 3, 4), {"dim": (0, -1)}),
                (x(2, 3, 4), {"dim": (1, 2), "keepdim": True}),
                (x(2, 0), {"dim": 0}),
            ]
        return found

    also = (f"Tensor.{name}", *options.pop("also", ()))
    return OpCase(name, lambda T, x, o: function(name)(T, x, **o), samples, also=also, **options)


def row(name: str, fn: Callable[..., Any], samples: Callable[[Make], list[Args]], **options: Any) -> OpCase:
    return OpCase(name, fn, samples, **options)


MOMENTS = (
    {},
    {"dim": 1},
    {"dim": (0, 2), "keepdim": True},
    {"correction": 0},
    {"dim": 0, "correction": 2},
    {"unbiased": False},
)

CASES: list[OpCase] = [
    reduction("sum", integer=True),
    row(
        "sum",
        lambda T, x: T.sum(x, 0, dtype=T.float64) + x.sum(axis=0),
        lambda m: [(m.real(3, 4),)],
        dtypes=(),
        integer=True,
        note="dtype",
    ),
    reduction("mean"),
    reduction("prod", tuples=False, integer=True),
    row(
        "prod",
        lambda T, x, d: T.prod(x, d),
        lambda m: [(np.array([[1.0, 0.0, 3.0], [0.0, 0.0, 2.0], [0.5, 2.0, -1.0]]), d) for d in (0, 1)],
        note="zeros",
    ),
    reduction("logsumexp", whole=False, integer=True),
    row(
        "logsumexp",
        lambda T, x: T.logsumexp(x, 0),
        lambda m: [(np.array([-INF, 1000.0]),), (np.array([INF, 1.0]),)],
        orders=0,
        note="infinite",
    ),
    reduction("all", orders=0, integer=True),
    reduction("any", orders=0, integer=True),
    reduction("amax", "distinct", integer=True),
    reduction("amin", "distinct", integer=True),
    row(
        "amax",
        lambda T, x: T.amax(x, 1),
        lambda m: [(np.array([[1.0, 1.0, 0.0], [2.0, 3.0, 3.0]]),)],
        orders=1,
        note="ties",
    ),
    reduction("max", "distinct", tuples=False, integer=True),
    reduction("min", "distinct", tuples=False, integer=True),
    row("max", lambda T, x, y: T.max(x, y), lambda m: [(m.real(3, 4), m.real(4))], note="two"),
    row(
        "max",
        lambda T, x: T.max(x, 0),
        lambda m: [(np.array([1.0, NAN, 3.0, NAN]),), (np.array([2.0, 2.0]),)],
        orders=0,
        note="nan",
    ),
    row(
        "aminmax",
        lambda T, x, o: T.aminmax(x, **o),
        lambda m: [(m.distinct(3, 4), {}), (m.distinct(3, 4), {"dim": 1})],
        also=("Tensor.aminmax",),
    ),
    reduction("argmax", "distinct", tuples=False, orders=0, integer=True),
    reduction("argmin", "distinct", tuples=False, orders=0, integer=True),
    *(
        row(
            name,
            lambda T, x, o, name=name: function(name)(T, x, **o),
            lambda m: [(m.real(3, 4, 2), o) for o in MOMENTS],
            also=(f"Tensor.{name}",) if "mean" not in name else (),
        )
        for name in ("var", "std", "var_mean", "std_mean")
    ),
    *(
        row(
            name,
            function(name),
            lambda m: [
                (m.real(3, 4), 0),
                (m.real(3, 4), -1),
                (m.real(), 0),
                (m.real(0, 2), 0),
                (np.array([0.0, 2.0, 0.0, 3.0]), 0),
            ],
            integer=True,
            also=(f"Tensor.{name}", f"Tensor.{name}_"),
        )
        for name in ("cumsum", "cumprod")
    ),
]
