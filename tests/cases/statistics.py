"""Rows of the op table: order statistics, counts, running extremes, differences, covariance."""

from __future__ import annotations

from typing import Any

import numpy as np

from .base import Make, OpCase
from .elementwise import function
from .reductions import reduction

NAN, INF = np.nan, np.inf
WITH_NAN = np.array([[1.0, NAN, 3.0, 2.0], [NAN, NAN, NAN, NAN], [4.0, 3.0, 9.0, 1.0]])


def methods(name: str) -> tuple[str, ...]:
    return (f"Tensor.{name}",)


def distinct_rows(make: Make) -> list[tuple[Any, ...]]:
    return [(make.distinct(3, 4), {"dim": d, "keepdim": k}) for d in (0, -1) for k in (False, True)] + [
        (make.distinct(3, 5), {}),
        (make.real(), {"dim": 0}),
    ]


HOWS = ("linear", "lower", "higher", "midpoint", "nearest")

ORDER = [
    *(
        OpCase(name, lambda T, x, o, name=name: function(name)(T, x, **o), distinct_rows, also=methods(name))
        for name in ("median", "nanmedian", "mode")
    ),
    *(
        OpCase(
            name,
            lambda T, x, name=name: function(name)(T, x, 1),
            lambda m: [(WITH_NAN,)],
            orders=0,
            parity=name == "median",
            note="nan",
        )
        for name in ("median", "nanmedian")
    ),
    OpCase("median", lambda T, x: T.median(x), lambda m: [(m.integers(7),), (WITH_NAN,)], orders=0, note="whole"),
    OpCase(
        "mode",
        lambda T, x: T.mode(x, 1),
        lambda m: [(np.array([[1, 2, 2, 1, 3], [5, 5, 4, 4, 4]]),), (np.array([[2.0, 1.0, 2.0], [3.0, 3.0, 1.0]]),)],
        orders=0,
        note="ties",
    ),
    *(
        OpCase(
            name,
            lambda T, x, q, o, name=name: function(name)(T, x, q, **o),
            lambda m: (
                [(m.distinct(3, 5), 0.3, {}), (m.distinct(3, 5), 0.3, {"dim": 1, "keepdim": True})]
                + [(m.distinct(3, 6), 0.45, {"dim": 0, "interpolation": how}) for how in HOWS]
            ),
            dtypes=("float32",),
            also=methods(name),
        )
        for name in ("quantile", "nanquantile")
    ),
    *(
        OpCase(
            name,
            lambda T, x, name=name: function(name)(T, x, T.tensor([0.0, 0.3, 1.0], dtype=x.dtype), dim=1),
            lambda m: [(m.distinct(3, 5),), (WITH_NAN,)],
            orders=0,
            dtypes=("float32",),
            strict=False,
            note="several",
        )
        for name in ("quantile", "nanquantile")
    ),
]

RUNNING = [
    *(
        OpCase(
            name,
            lambda T, x, d, name=name: function(name)(T, x, d),
            lambda m: [(m.distinct(3, 4), 0), (m.distinct(2, 7), -1), (m.real(), 0)],
            integer=True,
            also=methods(name),
        )
        for name in ("cummax", "cummin")
    ),
    OpCase(
        "cummax",
        lambda T, x: (*T.cummax(x, 0), *T.cummin(x, 0)),
        lambda m: [(np.array([2.0, 2.0, 1.0, 2.0]),), (np.array([1.0, NAN, 3.0, NAN]),)],
        orders=0,
        note="ties",
    ),
    OpCase(
        "logcumsumexp",
        lambda T, x, d: T.logcumsumexp(x, d),
        lambda m: [(m.real(3, 4), 0), (m.real(3, 5) * 30, -1), (m.real(), 0), (np.array([-INF, 1.0, 2.0]), 0)][:3],
        also=methods("logcumsumexp"),
    ),
    OpCase(
        "diff",
        lambda T, x, o: T.diff(x, **o),
        lambda m: [(m.real(3, 4), {}), (m.real(4, 3), {"dim": 0, "n": 2}), (m.real(2, 3), {"n": 4})],
        integer=True,
        also=methods("diff"),
    ),
    OpCase("diff", lambda T, x: T.diff(x), lambda m: [(m.bools(5),)], orders=0, note="bool"),
    OpCase(
        "diff",
        lambda T, x, a, b: T.diff(x, prepend=a, append=b),
        lambda m: [(m.real(2, 3), m.real(2, 1), m.real(2, 2))],
        note="ends",
    ),
    *(
        OpCase(
            name,
            lambda T, y, o, name=name: function(name)(T, y, **o),
            lambda m: [(m.real(3, 4), {}), (m.real(3, 4), {"dx": 0.5, "dim": 0}), (m.real(3, 1), {})],
            also=("trapz",)[: name == "trapezoid"],
        )
        for name in ("trapezoid", "cumulative_trapezoid")
    ),
    OpCase(
        "trapezoid",
        lambda T, y, x: T.trapezoid(y, x),
        lambda m: [(m.real(3, 4), m.real(4)), (m.real(2, 3), m.real(2, 3))],
        note="x",
    ),
    OpCase(
        "gradient",
        lambda T, x, o: T.gradient(x, **o),
        lambda m: [(m.real(5), {}), (m.real(4, 5), {"spacing": 0.5}), (m.real(4, 3), {"dim": 0, "edge_order": 2})],
    ),
    OpCase(
        "gradient",
        lambda T, x, t: T.gradient(x, spacing=(t,), edge_order=2),
        lambda m: [(m.real(5), np.array([0.0, 1.0, 3.0, 3.5, 5.0]))],
        orders=1,
        note="coordinates",
    ),
]

COUNTING = [
    OpCase(
        "count_nonzero",
        lambda T, x, d: T.count_nonzero(x, d),
        lambda m: [(m.bools(3, 4), None), (m.real(3, 4), 1), (m.real(2, 3, 2), (0, 2))],
        orders=0,
        also=methods("count_nonzero"),
    ),
    OpCase(
        "bincount",
        lambda T, x: T.bincount(x, minlength=4),
        lambda m: [(m.integers(9),), (m.integers(0),)],
        orders=0,
        also=methods("bincount"),
    ),
    OpCase(
        "bincount",
        lambda T, x, w: T.bincount(x, w),
        lambda m: [(m.integers(9), m.real(9))],
        orders=0,
        dtypes=("float32",),
        note="weights",
    ),
    OpCase(
        "histc",
        lambda T, x, o: T.histc(x, **o),
        lambda m: [
            (m.real(20), {"bins": 5, "min": -1, "max": 1}),
            (m.real(3, 4), {"bins": 4}),
            (np.array([1.0, 2.0, 3.0, 4.0]), {"bins": 3}),
        ],
        orders=0,
        dtypes=("float32",),
        also=methods("histc"),
    ),
    OpCase(
        "histogram",
        lambda T, x, o: T.histogram(x, **o),
        lambda m: [(m.real(20), {"bins": 5, "range": (-1.0, 1.0)}), (m.real(9), {"bins": 3, "density": True})],
        orders=0,
        dtypes=("float32",),
        also=methods("histogram"),
    ),
    OpCase(
        "histogram",
        lambda T, x, e, w: T.histogram(x, e, weight=w),
        lambda m: [(m.real(9), np.array([-1.0, 0.0, 0.5, 2.0]), m.real(9))],
        orders=0,
        dtypes=(),
        note="edges",
    ),
    OpCase(
        "histogramdd",
        lambda T, x, o: (lambda r: (r.hist, *r.bin_edges))(T.histogramdd(x, **o)),
        lambda m: [
            (m.real(20, 2), {"bins": [2, 3], "range": [-1.0, 1.0, -2.0, 2.0]}),
            (m.real(3, 4, 3), {"bins": 2, "density": True}),
        ],
        orders=0,
        dtypes=("float32",),
    ),
    OpCase(
        "histogramdd",
        lambda T, x, a, b, w: (lambda r: (r.hist, *r.bin_edges))(T.histogramdd(x, (a, b), weight=w)),
        lambda m: [(m.real(9, 2), np.array([-1.0, 0.0, 0.5, 2.0]), np.array([-2.0, 0.0, 2.0]), m.real(9))],
        orders=0,
        dtypes=(),
        note="edges",
    ),
    OpCase(
        "unique",
        lambda T, x, o: T.unique(x, **o),
        lambda m: [
            (m.integers(3, 4, high=4), {}),
            (m.integers(3, 4, high=4), {"return_inverse": True, "return_counts": True}),
            (np.array([[1, 2], [1, 2], [0, 5]]), {"dim": 0, "return_inverse": True, "return_counts": True}),
            (np.array([2.0, 1.0, 2.0]), {"return_counts": True}),
        ],
        orders=0,
        also=methods("unique"),
    ),
    OpCase(
        "unique_consecutive",
        lambda T, x, o: T.unique_consecutive(x, **o),
        lambda m: [
            (np.array([1, 1, 2, 2, 1]), {"return_inverse": True, "return_counts": True}),
            (np.array([[1, 2], [1, 2], [0, 5], [1, 2]]), {"dim": 0, "return_inverse": True, "return_counts": True}),
            (np.array([[1, 1], [1, 3]]), {"return_inverse": True}),
        ],
        orders=0,
        also=methods("unique_consecutive"),
    ),
    OpCase(
        "isin",
        lambda T, x, y, o: T.isin(x, y, **o),
        lambda m: [
            (m.integers(3, 4), m.integers(5), {}),
            (m.integers(3), 2, {}),
            (m.real(3), m.real(2), {"invert": True}),
        ],
        orders=0,
        also=methods("isin"),
    ),
]

MEANS = [
    reduction("nansum"),
    reduction("nanmean"),
    *(
        OpCase(n, lambda T, x, n=n: function(n)(T, x, 1), lambda m: [(WITH_NAN,)], orders=0, note="nan")
        for n in ("nansum", "nanmean")
    ),
    OpCase("cov", lambda T, x: T.cov(x), lambda m: [(m.real(3, 5),), (m.real(4),)], also=methods("cov")),
    OpCase(
        "cov",
        lambda T, x, f, a: T.cov(x, correction=0, fweights=f, aweights=a) + T.cov(x, fweights=f) + T.cov(x, aweights=a),
        lambda m: [(m.real(3, 5), m.integers(5, low=1, high=4), m.positive(5))],
        dtypes=(),
        note="weights",
    ),
    OpCase(
        "corrcoef",
        lambda T, x: T.corrcoef(x),
        lambda m: [(m.real(3, 5),)],
        dtypes=("float32",),
        also=methods("corrcoef"),
    ),
    OpCase(
        "norm",
        lambda T, x, o: T.norm(x, **o),
        lambda m: [
            (m.away(3, 4), o)
            for o in ({}, {"p": 1}, {"p": 3, "dim": 1}, {"p": INF, "dim": 0, "keepdim": True}, {"dim": (0, 1)})
        ],
        also=methods("norm"),
    ),
    OpCase(
        "renorm",
        lambda T, x: T.renorm(x, 2, 0, 1.5),
        lambda m: [(m.real(4, 3),), (m.real(2, 3, 2),)],
        also=("Tensor.renorm", "Tensor.renorm_"),
    ),
    OpCase(
        "std",
        lambda T, x: T.std(x, 1),
        lambda m: [(np.array([[1.0, 1.0, 1.0], [1.0, 2.0, 3.0]]),)],
        orders=0,
        note="equal",
    ),
]

CASES: list[OpCase] = [*ORDER, *RUNNING, *COUNTING, *MEANS]
