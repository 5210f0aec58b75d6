"""Random programs of views, in-place writes and ordinary ops, for comparing engines and for finite differences."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

STEP_KINDS = ["view"] * 5 + ["out"] * 2 + ["write"] * 4 + ["leaf"]
UNRECORDED = ["no_grad", "detach"]


class Program:
    """Steps drawn from a seed; `run` does them in namespace ``T``, which is wengert or torch."""

    def __init__(self, seed: int, unrecorded: bool = False) -> None:
        rng = random.Random(seed)
        kinds = STEP_KINDS + (UNRECORDED if unrecorded else [])
        self.steps = [
            (rng.choice(kinds), rng.random(), rng.random(), rng.randrange(10**6)) for _ in range(rng.randint(3, 12))
        ]

    def start(self, T: Any, moved: float = 0.0) -> tuple[list[Any], list[Any]]:
        """The first tensors, and the leaves, moved by a multiple of fixed random directions."""
        rng = np.random.default_rng(0)
        values = [rng.uniform(0.5, 1.5, shape) for shape in ((2, 3, 4), (3,), (3, 2))]
        moves = [np.random.default_rng(i).standard_normal(v.shape) for i, v in enumerate(values)]
        x, w = (
            T.tensor((v + moved * m).tolist(), dtype=T.float64, requires_grad=True)
            for v, m in zip(values[:2], moves, strict=False)
        )
        return [x * 1.0, T.tensor(values[2].tolist(), dtype=T.float64)], [x, w]

    @staticmethod
    def directions() -> list[np.ndarray]:
        """The directions in which `start` moves the leaves."""
        return [np.random.default_rng(i).standard_normal(shape) for i, shape in enumerate(((2, 3, 4), (3,)))]

    def step(self, T: Any, pool: list[Any], leaves: list[Any], number: int) -> None:
        """Do one step: it writes to a tensor of ``pool``, or adds one."""
        kind, first, second, seed = self.steps[number]
        rng = random.Random(seed)
        t, other, leaf = pick(pool, first), pick(pool, second), pick(leaves, second)
        if kind == "view":
            pool.append(view(t, rng))
        elif kind == "out":
            pool.append(rng.choice([lambda: t * 1.5, lambda: t + leaf.sum(), t.sin, lambda: t * other.sum() * 0.1])())
        elif kind == "write":
            rng.choice(writes(t, other, leaf))()
        elif kind == "leaf":
            pool.append(leaf * 2)
        elif kind == "detach":
            pool.append(t.detach())
        else:
            with T.no_grad():
                t.mul_(1.1) if rng.random() < 0.5 else pool.append(t * 2)

    def loss(self, T: Any, pool: list[Any]) -> Any:
        """A weighted sum of everything."""
        rng = np.random.default_rng(7)
        total = 0.0
        for t in pool:
            weights = T.tensor(rng.uniform(0.5, 1.5, tuple(t.shape)).tolist(), dtype=T.float64)
            total = total + (t * weights).sum()
        return total


def pick(items: list[Any], where: float) -> Any:
    return items[int(where * len(items))]


def view(t: Any, rng: random.Random) -> Any:
    """A random view of ``t`` (or a reshaped copy)."""
    if not t.ndim:
        return t.unsqueeze(0)
    dim, other = rng.randrange(t.ndim), rng.randrange(t.ndim)
    size = t.shape[dim]
    at = rng.randrange(size)
    end, by = rng.randint(at + 1, size), rng.choice([1, 1, 2])
    order = rng.sample(range(t.ndim), t.ndim)
    return rng.choice(
        [
            lambda: t.unsqueeze(dim),
            lambda: t.select(dim, at),
            lambda: t[(slice(None),) * dim + (slice(at, end, by),)],
            lambda: t.transpose(dim, other),
            lambda: t.reshape(-1),
            lambda: t.narrow(dim, at, end - at),
            t.squeeze,
            lambda: t.permute(*order),
            lambda: t.unsqueeze(0).expand(2, *t.shape),
            lambda: t.split(1, dim)[at],
            lambda: t.unbind(dim)[at],
        ]
    )()


def writes(t: Any, other: Any, leaf: Any) -> list[Callable[[], Any]]:
    """Ways to write to ``t``."""
    return [
        lambda: t.mul_(1.25),
        lambda: t.add_(0.5),
        lambda: t.add_(leaf.sum()),
        lambda: t.mul_(leaf.sum() * 0.3),
        lambda: t.copy_(other.sum() * 0.1),
        lambda: t.__setitem__(..., 0.75),
        lambda: t.__setitem__(0 if t.ndim else ..., leaf.sum() * 2),
        t.sin_,
        lambda: t.mul_(0.1).exp_(),
        lambda: t.__imul__(other.sum() * 0.1),
    ]
