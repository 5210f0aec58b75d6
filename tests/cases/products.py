"""Rows of the op table: products."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .base import Args, Make, OpCase


def call(name: str) -> Callable[..., Any]:
    """``fn(T, *args)`` that calls the function with this dotted name; a dict as last argument is its keywords."""

    def fn(T: Any, *args: Any) -> Any:
        for part in name.split("."):
            T = getattr(T, part)
        options = args[-1] if args and type(args[-1]) is dict else {}
        return T(*(args[:-1] if options else args), **options)

    return fn


def row(name: str, samples: Callable[[Make], Iterable[Args]], **options: Any) -> OpCase:
    """A row whose function is called by its name."""
    return OpCase(name, call(name), samples, **options)


def shaped(*shapes: tuple[Any, ...]) -> Callable[[Make], Iterable[Args]]:
    """Samples of these shapes: a tuple of ints is an operand, anything else stays."""

    def samples(make: Make) -> Iterable[Args]:
        def value(v: Any) -> Any:
            return make.real(*v) if isinstance(v, tuple) and all(isinstance(n, int) for n in v) else v

        return [tuple(value(v) for v in shape) for shape in shapes]

    return samples


MATMUL = [
    ((3, 4), (4, 5)),
    ((4,), (4,)),
    ((3, 4), (4,)),
    ((4,), (4, 5)),
    ((2, 3, 4), (4, 5)),
    ((2, 3, 4), (4,)),
    ((4,), (2, 4, 5)),
    ((2, 1, 3, 4), (3, 4, 5)),
    ((3, 4), (2, 4, 5)),
    ((0, 4), (4, 5)),
    ((3, 0), (0, 5)),
]

CASES: list[OpCase] = [
    row("matmul", shaped(*MATMUL), reference=np.matmul, also=("Tensor.matmul", "Tensor.__matmul__", "rmatmul")[:2]),
    row("mm", shaped(((3, 4), (4, 5)), ((0, 4), (4, 2))), reference=np.matmul, also=("Tensor.mm",)),
    row("bmm", shaped(((2, 3, 4), (2, 4, 5)), ((0, 3, 4), (0, 4, 5))), reference=np.matmul, also=("Tensor.bmm",)),
    row("mv", shaped(((3, 4), (4,)),), reference=np.matmul, also=("Tensor.mv",)),
    row("dot", shaped(((4,), (4,)), ((0,), (0,))), reference=np.dot, also=("Tensor.dot",)),
    row("outer", shaped(((4,), (3,)), ((0,), (3,))), reference=np.outer, also=("Tensor.outer",)),
    row(
        "addmm",
        shaped(((3, 5), (3, 4), (4, 5)), ((5,), (3, 4), (4, 5)), ((3, 5), (3, 4), (4, 5), {"beta": 0.5, "alpha": 2})),
        also=("Tensor.addmm", "addmm_", "Tensor.addmm_"),
    ),
    row(
        "nn.functional.linear",
        shaped(((3, 4), (5, 4), (5,)), ((2, 3, 4), (5, 4), (5,)), ((4,), (5, 4), (5,)), ((2, 4), (5, 4)), ((2, 4), (4,))),
    ),
]
