"""Parameters, gradients and optimizers for the tests of what an optimizer does with memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn, optim

SHAPES = [(3, 4), (5,), (), (2, 0, 3), (2, 1, 3)]


def parameters(shapes: list[Any] = SHAPES, dtype: Any = wg.float64, seed: int = 0) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [nn.Parameter(wg.tensor(rng.normal(size=s), dtype=dtype)) for s in shapes]


def copies(params: list[Any]) -> list[Any]:
    """The same values in memory of their own, each as its own optimizer will see it."""
    return [p.detach().clone().requires_grad_() for p in params]


def give_gradients(rng: np.random.Generator, *sides: list[Any], skip: Callable[[int], bool] = lambda i: False) -> None:
    """The same random gradients to the parameters on both sides."""
    for i, same in enumerate(zip(*sides, strict=True)):
        values = rng.normal(size=same[0].shape)
        for p in same:
            p.grad = None if skip(i) else wg.tensor(values).to(p.dtype)


def arenas(optimizer: Any) -> list[Any]:
    """Which parameters are updated together."""
    return [len(arena.params) for known in optimizer._arenas.values() for arena in known.arenas]


def assert_same(left: list[Any], right: list[Any]) -> None:
    for a, b in zip(left, right, strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


MAKERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    "Adam": lambda p: optim.Adam(p, lr=0.1, weight_decay=0.1, amsgrad=True),
}


@pytest.fixture(params=list(MAKERS))
def make(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    return MAKERS[request.param]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)
