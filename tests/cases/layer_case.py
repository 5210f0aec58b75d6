"""What a row of the layer table is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .base import Args, Make


@dataclass(frozen=True)
class LayerCase:
    """One layer and how it is tested.

    Attributes:
        name: the class in ``wengert.nn`` and ``torch.nn``.
        inputs: ``inputs(make)`` gives the arguments of one call; NumPy arrays become tensors, floats in float64.
        args, kwargs: what it is made with; NumPy arrays become tensors, and `Built` objects what they build.
        free: how many of the inputs, from the first on, are differentiated; all when None.
        same_gradients: whether torch gives the true gradients.
        random: in training its output is random, so that only evaluation is compared with torch.
        orders: how often it is differentiated.
        repr: whether it prints as torch's does.
        parity: compare with torch at all.
        strict: run on the strict stand-in backend.
        idle: whether there are parameters that the call does not reach, and that get no gradient.
        tolerance: of the comparison with torch, which has float32 constants in some float64 kernels.
        short: whether its numbers in float16 and bfloat16 are near enough torch's to compare; where a rounding error
            may choose another element or branch, only types and shapes are.
    """

    name: str
    inputs: Callable[[Make], Args]
    args: Args = ()
    kwargs: tuple[tuple[str, Any], ...] = ()
    free: int | None = None
    same_gradients: bool = True
    random: bool = False
    orders: int = 2
    repr: bool = True
    parity: bool = True
    strict: bool = True
    idle: bool = False
    tolerance: float = 1e-9
    short: bool = True

    def __str__(self) -> str:
        shown = [str(a.shape) if isinstance(a, np.ndarray) else str(a) for a in self.args]
        shown += [f"{k}={v.shape if isinstance(v, np.ndarray) else v}" for k, v in self.kwargs]
        return f"{self.name}({', '.join(shown)})"


@dataclass(frozen=True)
class Built:
    """An argument that each library makes for itself: a module, or a list of them.

    Attributes:
        make: ``make(T)`` makes it with the library ``T``.
        text: how the row shows it.
    """

    make: Callable[[Any], Any]
    text: str

    def __str__(self) -> str:
        return self.text


def built(name: str, *args: Any, **kwargs: Any) -> Built:
    """A layer, as an argument of another."""
    shown = ", ".join([*map(str, args), *(f"{k}={v}" for k, v in kwargs.items())])

    def make(T: Any) -> Any:
        return getattr(T.nn, name)(*[a.make(T) if isinstance(a, Built) else a for a in args], **kwargs)

    return Built(make, f"{name}({shown})")


Inputs = Callable[[Make], Args]
CASES: list[LayerCase] = []


def add(name: str, inputs: Inputs, *args: Any, options: dict[str, Any] | None = None, **kwargs: Any) -> None:
    """A row: the layer made with ``args`` and ``kwargs``; ``options`` are the row's own."""
    CASES.append(LayerCase(name, inputs, args, tuple(kwargs.items()), **(options or {})))


def loss(name: str, inputs: Inputs, free: int = 1, options: dict[str, Any] | None = None, **kwargs: Any) -> None:
    """A row for a loss, of which the targets are not differentiated."""
    add(name, inputs, options={"free": free, **(options or {})}, **kwargs)


# ---------------------------------------------------------------------- inputs


def real(*shape: int) -> Inputs:
    """One input of uniform numbers."""
    return lambda make: (make.real(*shape),)


def reals(*shapes: tuple[int, ...]) -> Inputs:
    """Several inputs of uniform numbers."""
    return lambda make: tuple(make.real(*shape) for shape in shapes)


def distinct(*shape: int) -> Inputs:
    """One input no two elements of which are close."""
    return lambda make: (make.distinct(*shape),)


def away(*points: float, shape: tuple[int, ...] = (4, 5)) -> Inputs:
    """An input that stays away from kinks."""
    return lambda make: (make.away(*shape, points=points),)


def pair(*shape: int) -> Inputs:
    """An input, and a target at some distance from it."""

    def make_pair(make: Make) -> Args:
        x = make.real(*shape)
        return x, x + make.away(*shape, points=(-1.0, 0.0, 1.0, -0.5, 0.5))

    return make_pair


def classes(*shape: int, count: int = 4) -> Inputs:
    """Scores (N, C, *) and class numbers (N, *)."""
    return lambda make: (make.real(shape[0], count, *shape[1:]), make.integers(*shape, high=count))


def signs(make: Make, *shape: int) -> np.ndarray:
    """1 and -1."""
    return 2.0 * make.bools(*shape) - 1.0
