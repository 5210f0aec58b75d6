"""Rows of the op table: recurrent layers and steps as functions, lookups and convolutions by their older names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .base import Args, Make, OpCase
from .elementwise import function

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}


def weights(make: Make, gates: int, width: int, hidden: int) -> list[Any]:
    """Input and recurrent weight, and their biases."""
    rows = gates * hidden
    return [make.real(rows, width), make.real(rows, hidden), make.real(rows), make.real(rows)]


def network(name: str) -> OpCase:
    """Two layers in two directions, batch first; and one layer without biases."""
    states = 2 if name == "lstm" else 1

    def fn(T: Any, x: Any, *rest: Any) -> Any:
        *tensors, biases, layers, both, first = rest
        hx, params = tensors[:states], tensors[states:]
        return getattr(T, name)(x, hx if states == 2 else hx[0], params, biases, layers, 0.0, False, both, first)

    def samples(make: Make) -> Iterable[Args]:
        params = [w for width in (2, 2, 6, 6) for w in weights(make, GATES[name], width, 3)]
        yield make.real(2, 3, 2), *[make.real(4, 2, 3) for _ in range(states)], *params, True, 2, True, True
        params = weights(make, GATES[name], 2, 3)[:2]
        yield make.real(3, 2, 2), *[make.real(1, 2, 3) for _ in range(states)], *params, False, 1, False, False

    return OpCase(name, fn, samples, dtypes=("float32",), orders=2)


def cell(name: str) -> OpCase:
    """One step, with biases and without."""
    gates = GATES[name.removesuffix("_cell")]
    states = 2 if gates == 4 else 1

    def fn(T: Any, x: Any, *rest: Any) -> Any:
        hx, params = rest[:states], rest[states:]
        return getattr(T, name)(x, hx if states == 2 else hx[0], *params)

    def samples(make: Make) -> Iterable[Args]:
        for n in (4, 2):
            yield make.real(2, 3), *[make.real(2, 4) for _ in range(states)], *weights(make, gates, 3, 4)[:n]

    return OpCase(name, fn, samples, dtypes=("float32",))


def sampler(name: str, size: tuple[int, ...]) -> OpCase:
    """Images and places in them."""

    def samples(make: Make) -> Iterable[Args]:
        grid = make.real(1, *size, len(size), low=-0.8, high=0.8)
        yield make.real(1, 2, *size), grid, 0, 0, False

    return OpCase(name, function(name), samples, dtypes=("float32",))


def bags(make: Make) -> Iterable[Args]:
    index, offsets = make.integers(6, high=5), np.array([0, 2, 2])
    for mode in (0, 1):
        yield make.real(5, 3), index, offsets, False, mode
    yield make.distinct(5, 3), index, offsets, False, 2


def first(name: str) -> Callable[..., Any]:
    """The first result of a function."""
    return lambda T, *args: getattr(T, name)(*args)[0]


def renormalised(T: Any, x: Any, index: Any) -> Any:
    """Rows scaled down in place, in a copy."""
    return T.embedding_renorm_(x.detach().clone(), index, 1.0, 2.0)


CASES = [
    *[network(name) for name in GATES],
    *[cell(f"{name}_cell") for name in GATES],
    sampler("grid_sampler_2d", (3, 4)),
    sampler("grid_sampler_3d", (2, 3, 2)),
    OpCase("embedding_bag", first("embedding_bag"), bags, dtypes=("float32",)),
    OpCase(
        "embedding_renorm_", renormalised, lambda m: [(m.real(5, 3), m.integers(2, 2, high=5))], dtypes=(), orders=0
    ),
    OpCase(
        "convolution",
        function("convolution"),
        lambda make: [
            (make.real(2, 4, 5, 4), make.real(3, 4, 2, 3), make.real(3), (2, 1), (1, 1), (1, 1), False, (0, 0), 1),
            (make.real(2, 4, 3), make.real(4, 1, 2), None, (2,), (0,), (1,), True, (1,), 2),
        ],
    ),
]
