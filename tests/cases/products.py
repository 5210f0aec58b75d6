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
        return T(*args[:-1], **args[-1]) if args and type(args[-1]) is dict else T(*args)

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

EINSUM = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ba", (2, 3)),
    ("ii", (3, 3)),
    ("iij,jk->ik", (3, 3, 2), (2, 4)),
    ("...ij,...jk->...ik", (2, 3, 4), (5, 1, 4, 3)),
    ("bhqd,bhkd->bhqk", (2, 3, 4, 5), (2, 3, 6, 5)),
    ("i,ij,j->", (2,), (2, 3), (3,)),
    ("ij,k->", (2, 3), (4,)),
    ("ij,ij->ij", (1, 3), (2, 1)),
    ("ij,jk->ik", (2, 0), (0, 4)),
]


def einsums(make: Make) -> Iterable[Args]:
    return [(equation, *[make.real(*shape) for shape in shapes]) for equation, *shapes in EINSUM]


def added(name: str, *shapes: tuple[int, ...]) -> OpCase:
    """One of the family of addmm, plain and with factors, and its other forms."""
    samples = shaped(shapes, (*shapes, {"beta": 0.5, "alpha": 2}), (*shapes, {"beta": 0}))
    return row(name, samples, also=(f"Tensor.{name}", f"{name}_", f"Tensor.{name}_"))


def rows_of(p: float) -> Iterable[Args]:
    return [((4, 3), (5, 3), p), ((2, 4, 3), (1, 5, 3), p)]


CASES: list[OpCase] = [
    row("matmul", shaped(*MATMUL), reference=np.matmul, also=("Tensor.matmul", "Tensor.__matmul__")),
    row("mm", shaped(((3, 4), (4, 5)), ((0, 4), (4, 2))), reference=np.matmul, also=("Tensor.mm",)),
    row("bmm", shaped(((2, 3, 4), (2, 4, 5)), ((0, 3, 4), (0, 4, 5))), reference=np.matmul, also=("Tensor.bmm",)),
    row(
        "mv",
        shaped(
            ((3, 4), (4,)),
        ),
        reference=np.matmul,
        also=("Tensor.mv",),
    ),
    row("dot", shaped(((4,), (4,)), ((0,), (0,))), reference=np.dot, also=("Tensor.dot",)),
    row("outer", shaped(((4,), (3,)), ((0,), (3,))), reference=np.outer, also=("Tensor.outer",)),
    row("ger", shaped(((4,), (3,))), reference=np.outer, also=("Tensor.ger",)),
    row("inner", shaped(((4,), (4,)), ((2, 3), (4, 5, 3)), ((), (3,))), reference=np.inner, also=("Tensor.inner",)),
    row("vdot", shaped(((4,), (4,))), reference=np.vdot, also=("Tensor.vdot",)),
    row("kron", shaped(((2, 3), (3, 2)), ((2,), (2, 3)), ((), (3,))), reference=np.kron, also=("Tensor.kron",)),
    row("cross", shaped(((3, 4), (3, 4), 0), ((4, 3), (1, 3), -1)), also=("Tensor.cross",)),
    row("chain_matmul", shaped(((3, 4), (4, 10), (10, 2), (2, 5)), ((3, 4),))),
    row("einsum", einsums),
    OpCase(
        "tensordot",
        lambda T, a, b, dims: T.tensordot(a, b, dims),
        shaped(
            ((2, 3), (3, 4), 1), ((2, 3, 4), (3, 4, 5), 2), ((3, 4, 2), (4, 3, 5), ([0, 1], [1, 0])), ((2,), (3,), 0)
        ),
        reference=np.tensordot,
    ),
    row(
        "nn.functional.bilinear",
        shaped(((2, 4, 3), (2, 4, 5), (6, 3, 5), (6,)), ((3,), (5,), (6, 3, 5))),
        also=("bilinear",),
    ),
    added("addmm", (3, 5), (3, 4), (4, 5)),
    row("addmm", shaped(((5,), (3, 4), (4, 5))), note="broadcast"),
    added("addmv", (3,), (3, 4), (4,)),
    added("addr", (3, 4), (3,), (4,)),
    added("addbmm", (3, 5), (2, 3, 4), (2, 4, 5)),
    added("baddbmm", (2, 3, 5), (2, 3, 4), (2, 4, 5)),
    row("cdist", shaped(*[s for p in (2.0, 1.0, 3.0, float("inf")) for s in rows_of(p)], ((30, 3), (26, 3)))),
    row("nn.functional.pdist", shaped(((5, 3),), ((5, 3), 1.0), ((1, 3),)), also=("pdist",)),
    row("dist", shaped(((3, 4), (4,)), ((3, 4), (3, 4), 3)), also=("Tensor.dist",)),
    row(
        "nn.functional.pairwise_distance",
        shaped(((4, 3), (4, 3)), ((4, 3), (3,), 1.0, 1e-6, True)),
        also=("pairwise_distance",),
    ),
    row(
        "nn.functional.cosine_similarity",
        shaped(((4, 3), (4, 3)), ((2, 4, 3), (3,), -1), ((4, 3), (1, 3), 0)),
        also=("cosine_similarity",),
    ),
    row("nn.functional.normalize", lambda make: [(make.real(4, 3),), (make.real(2, 3, 4), 3.0, (1, 2))]),
    row(
        "nn.functional.linear",
        shaped(
            ((3, 4), (5, 4), (5,)), ((2, 3, 4), (5, 4), (5,)), ((4,), (5, 4), (5,)), ((2, 4), (5, 4)), ((2, 4), (4,))
        ),
    ),
]
