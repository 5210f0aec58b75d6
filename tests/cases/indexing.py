"""Rows of the op table: reading and writing at positions, masks, sorting."""

from __future__ import annotations

from typing import Any

import numpy as np

from .base import Make, OpCase
from .elementwise import function
from .shapes import both, on, row

_ = slice(None)
MASK = np.array([[True, False, True, False], [False, False, True, True], [True, True, False, False]])
BASIC = [0, -1, _, slice(1, None, 2), (0, 1), (_, 2), None, ..., (None, 0, ..., None), (slice(0, 0),), (..., -1)]
PICKED = [
    np.array([1, 0, -1]),
    np.array([[0, 1], [2, 2]]),
    (_, np.array([3, 0])),
    (np.array([0, 2]), np.array([1, 3])),
    (np.array([[0], [2]]), np.array([1, 3])),
    (0, np.array([1, 1])),
    MASK,
    np.array([True, False, True]),
    (_, np.array([True, False, True, True])),
    (np.array([0, 2, 1]), np.array([True, False, True, True])),
    (None, np.array([0, 2]), None),
    np.zeros(0, np.int64),
]


def getitem(T: Any, x: Any, key: Any) -> Any:
    return x[key]


def written(T: Any, x: Any, key: Any, value: Any) -> Any:
    y = x.clone()
    y[key] = value
    return y


def write_samples(make: Make) -> Any:
    x = make.real(3, 4)
    for key in [0, (_, 2), slice(1, None, 2), ..., (None, 1), (slice(0, 0),)]:
        shape = x[key].shape
        yield x, key, make.real(*shape)
        yield x, key, make.real(*shape[-1:])
        yield x, key, 1.5
    for key in PICKED:
        if key is not PICKED[1] and key is not PICKED[5]:  # those name a place twice
            yield x, key, make.real(*np.asarray(x[key]).shape)
            yield x, key, make.real()
    yield x, (0, np.array([2, 1])), make.real(1, 1, 2)
    yield make.real(), ..., make.real()
    yield make.real(2, 3, 4), (0, _, np.array([1, 2])), make.real(3, 2)


def into_view(T: Any, x: Any, v: Any) -> Any:
    """Writes to views of views, and what they make of the base and of other views."""
    y = x * 2
    row, column = y[1], y[:, 0]
    row[1:3] = v * 3
    column.add_(x[1, 0])
    y.t()[2].copy_(v[0] * x[:, 1])[1] = 5.0
    return y, row, column


def index_put(T: Any, x: Any, value: Any, *indices: Any, **options: Any) -> Any:
    return T.index_put(x, indices, value, **options)


def accumulated(T: Any, x: Any, value: Any, *indices: Any) -> Any:
    return T.index_put(x, indices, value, accumulate=True)


def put(T: Any, x: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    return x.put(index, source, accumulate)


def masked_scatter(T: Any, x: Any, mask: Any, source: Any) -> Any:
    return T.masked_scatter(x, mask, source)


POSITIONS = np.array([[0, 1, 2, 0], [2, 2, 0, 1]])
ONCE = np.array([[0, 1, 2, 0], [2, 0, 1, 1]])

READING = [
    OpCase(
        "Tensor.__getitem__", getitem, on((3, 4), *[(k,) for k in BASIC]), lambda x, k: x[k], integer=True, note="basic"
    ),
    OpCase("Tensor.__getitem__", getitem, on((3, 4), *[(k,) for k in PICKED]), lambda x, k: x[k], integer=True),
    OpCase(
        "Tensor.__getitem__",
        getitem,
        on(
            (2, 3, 4),
            ((0, _, np.array([1, 2])),),
            ((_, 0, np.array([1, 2])),),
            ((np.array([0, 1]), _, np.array([1, 2])),),
        ),
        lambda x, k: (
            x[k[0]][k[1:]] if isinstance(k[0], int) else x[:, 0][k[0], k[2]] if isinstance(k[1], int) else x[k]
        ),
        note="integers come first",
    ),
    row(
        "gather",
        lambda make: [
            (make.real(3, 4), 0, POSITIONS),
            (make.real(3, 4), 1, np.array([[0, 0], [3, 1]])),
            (make.real(3, 4), -1, np.zeros((0, 4), int)),
            (make.real(), 0, np.array(0)),
        ],
        lambda x, dim, i: (
            x if x.ndim == 0 else np.take_along_axis(x[: i.shape[0]] if dim else x[:, : i.shape[1]], i, dim)
        ),
    ),
    row(
        "take_along_dim",
        lambda make: [
            (make.real(3, 4), POSITIONS, 0),
            (make.real(3, 4), np.array([[0], [3], [1]]), 1),
            (make.real(3, 4), np.array([5, 11]), None),
        ],
        np.take_along_axis,
    ),
    row(
        "take", lambda make: [(make.real(3, 4), np.array([[0, 5], [11, -1]])), (make.real(), np.array([0, 0]))], np.take
    ),
    row(
        "index_select",
        lambda make: [(make.real(3, 4), 1, np.array([3, 0, 3])), (make.real(3, 4), 0, np.array([], int))],
        lambda x, dim, i: np.take(x, i, dim),
    ),
    OpCase(
        "gather",
        lambda T, z, i, j: [T.gather(z, 0, i), T.index_select(z, 0, j), z[j], T.index_add(z, 0, j, z[:2])],
        lambda make: [(make.real(3, 4) + 1j * make.real(3, 4), POSITIONS, np.array([1, 1]))],
        dtypes=("float32",),
        note="complex",
    ),
    row("masked_select", lambda make: [(make.real(3, 4), MASK), (make.real(4), MASK), (make.real(), np.array(True))]),
]

WRITING = [
    OpCase("Tensor.__setitem__", written, write_samples, integer=False),
    OpCase("Tensor.__setitem__", into_view, lambda make: [(make.real(3, 4), make.real(2))], note="views"),
    OpCase(
        "index_put",
        index_put,
        lambda make: [
            (make.real(3, 4), make.real(2), np.array([0, 2]), np.array([1, 3])),
            (make.real(3, 4), make.real(), MASK),
            (make.real(3, 4), make.real(2, 4), np.array([0, 2])),
        ],
        also=("Tensor.index_put", "Tensor.index_put_"),
    ),
    OpCase(
        "index_put",
        accumulated,
        lambda make: [
            (make.real(3, 4), make.real(3), np.array([0, 0, 2]), np.array([1, 1, 3])),
            (make.real(3, 4), make.real(2, 4), np.array([1, 1])),
        ],
        note="accumulate",
    ),
    row(
        "scatter",
        lambda make: [
            (make.real(3, 4), 0, ONCE, make.real(2, 4)),
            (make.real(3, 4), 0, ONCE[:1], make.real(3, 5)),
            (make.real(3, 4), 1, np.array([[0], [3], [1]]), 2),
            (make.real(3, 4), 1, np.zeros((0, 4), int), make.real(0, 4)),
            (make.real(), 0, np.array(0), make.real()),
        ],
        None,
        "Tensor.scatter_",
    ),
    row(
        "scatter_add",
        lambda make: [
            (make.real(3, 4), 0, POSITIONS, make.real(2, 4)),
            (make.real(3, 4), 1, np.array([[0, 0, 0]]), make.real(2, 3)),
            (make.real(), 0, np.array([0, 0]), make.real(2)),
        ],
        None,
        "Tensor.scatter_add_",
    ),
    *[
        OpCase(
            "scatter_reduce",
            lambda T, x, i, src, op, own: T.scatter_reduce(x, 0, i, src, op, include_self=own),
            lambda make, op=op: [
                (make.distinct(3, 4), np.array([[0, 0, 2, 0], [0, 1, 2, 2]]), make.away(2, 4, gap=0.3) * 2, op, own)
                for own in (True, False)
            ],
            also=("Tensor.scatter_reduce", "Tensor.scatter_reduce_"),
            note=op,
            smooth=False,
        )
        for op in ("sum", "prod", "mean", "amax", "amin")
    ],
    OpCase(
        "scatter_reduce",
        lambda T, x, i, src: T.scatter_reduce(x, 0, i, src, "prod"),
        lambda make: [(np.array([0.0, 2.0, 3.0]), np.array([0, 0, 1, 2, 2]), np.array([3.0, 0.5, 0.0, 2.0, 0.0]))],
        note="prod with zeros",
    ),
    OpCase(
        "Tensor.index_reduce",
        lambda T, x, dim, i, src, op, own: T.Tensor.index_reduce(x, dim, i, src, op, include_self=own),
        lambda make: [
            (make.distinct(3, 4), 0, np.array([2, 2, 0]), make.distinct(3, 4, gap=0.07), op, own)
            for op in ("prod", "mean", "amax", "amin")
            for own in (True, False)
        ],
        also=("index_reduce", "Tensor.index_reduce_"),
        smooth=False,
    ),
    OpCase(
        "segment_reduce",
        lambda T, x, lengths, how, options: T.segment_reduce(x, how, lengths=lengths, **options),
        lambda make: (
            [
                (make.real(4, 3), np.array([1, 3]), how, {"initial": start})
                for how in ("sum", "mean", "prod", "max", "min")
                for start in (None, -5.0 if how == "max" else 5.0)
            ]
            + [(make.real(2, 3), np.array([[1, 0, 2], [3, 0, 0]]), "sum", {"axis": 1})]
        ),
        smooth=False,
    ),
    row(
        "index_add",
        lambda make: [
            (make.real(3, 4), 0, np.array([2, 2, 0, 2]), make.real(4, 4)),
            (make.real(3, 4), 1, np.array([1, 3]), make.real(3, 2)),
            (make.real(3, 9), 1, np.array([1, 3, 3, 8, 0, 3, 2, 2, 2]), make.real(3, 9)),
        ],
        None,
        "Tensor.index_add_",
    ),
    OpCase(
        "index_add",
        lambda T, x, i, src: T.index_add(x, 0, i, src, alpha=2),
        lambda make: [(make.real(3), np.array([1, 1]), make.real(2))],
        note="alpha",
    ),
    row(
        "index_copy",
        lambda make: [
            (make.real(3, 4), 0, np.array([2, 0]), make.real(2, 4)),
            (make.real(3), 0, np.array([1]), make.real(1)),
        ],
        None,
        "Tensor.index_copy_",
    ),
    row(
        "index_fill",
        lambda make: [
            (make.real(3, 4), 0, np.array([2, 0]), 1.5),
            (make.real(3, 4), 1, np.array([-1]), make.real()),
        ],
        None,
        "Tensor.index_fill_",
        integer=False,
    ),
    OpCase(
        "Tensor.put",
        put,
        lambda make: [
            (make.real(3, 4), np.array([0, 5]), make.real(2)),
            (make.real(3, 4), np.array([[0, 5], [5, -1]]), make.real(2, 2), True),
        ],
        also=("put", "Tensor.put_"),
    ),
    row(
        "masked_fill",
        lambda make: [
            (make.real(3, 4), MASK, 1.5),
            (make.real(4), MASK, make.real()),
            (make.real(), np.array(True), 2),
        ],
        None,
        "Tensor.masked_fill_",
        integer=False,
    ),
    OpCase(
        "masked_scatter",
        masked_scatter,
        lambda make: [(make.real(3, 4), MASK, make.real(8)), (make.real(4), MASK, make.real(3, 4))],
        also=("Tensor.masked_scatter", "Tensor.masked_scatter_"),
    ),
]


def ordered(name: str, samples: Any, *also: str, **options: Any) -> OpCase:
    return row(name, samples, None, *also, smooth=False, integer=False, **options)


def distinct(*rest: tuple[Any, ...]) -> Any:
    return lambda make: [(make.distinct(3, 4), *more) for more in rest]


ROWS = np.array([[1.0, 3.0, 3.0, 5.0], [2.0, 4.0, 6.0, 8.0]])

SORTING = [
    ordered("sort", both(distinct((), (0,), (-1, True)), on((), ()), on((0, 3), (0,)))),
    ordered("argsort", both(distinct((), (0,), (-1, True)), on((), ())), orders=0),
    ordered("msort", distinct(())),
    ordered("topk", both(distinct((2,), (2, 0), (1, 1, False), (0,)), on((), (1,)))),
    ordered("kthvalue", both(distinct((2,), (3, 0), (1, 1, True)), on((), (1,)))),
    OpCase(
        "searchsorted",
        lambda T, rows, v, right: T.searchsorted(rows, v, right=right),
        lambda make: [
            (rows, v, right)
            for right in (False, True)
            for rows, v in ((ROWS[0], np.array([[0.0, 3.0], [5.0, 9.0]])), (ROWS, np.array([[3.0], [8.0]])))
        ],
        orders=0,
    ),
    OpCase(
        "bucketize",
        function("bucketize"),
        lambda make: [(np.array([[0.0, 3.0], [5.0, 9.0]]), ROWS[0])],
        lambda x, edges: np.searchsorted(edges, x),
        orders=0,
    ),
    OpCase(
        "nonzero",
        lambda T, x: [T.nonzero(x), *T.nonzero(x, as_tuple=True)],
        lambda make: [(MASK * make.real(3, 4),), (np.zeros((0, 2)),), (np.array(1.0),)],
        orders=0,
        integer=False,
        also=("Tensor.nonzero",),
    ),
    OpCase(
        "unravel_index",
        lambda T, i: list(T.unravel_index(i, (3, 4))),
        lambda make: [(np.array([[0, 5], [11, -1]]),)],
        orders=0,
    ),
    OpCase(
        "Tensor.nonzero_static",
        lambda T, x: [T.nonzero_static(x, size=n) for n in (1, 6)],
        lambda make: [(MASK * make.real(3, 4),)],
        orders=0,
        also=("nonzero_static",),
    ),
    row("argwhere", lambda make: [(MASK,), (np.array([0, 3]),)], np.argwhere, orders=0),
    OpCase(
        "nn.functional.one_hot",
        function("nn.functional.one_hot"),
        lambda make: [(np.array([[1, 0], [3, 1]]),), (np.array([1]), 4), (np.array(2),)],
        orders=0,
    ),
]

CASES: list[OpCase] = [*READING, *WRITING, *SORTING]
