"""What a row of the op table is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np


class Make:
    """Draws inputs in float64 from a fixed seed; the tests cast, shuffle strides and move them to a backend."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)

    def real(self, *shape: int, low: float = -2.0, high: float = 2.0) -> np.ndarray:
        """Uniform numbers in [low, high)."""
        return self.rng.uniform(low, high, shape)

    def positive(self, *shape: int, low: float = 0.2, high: float = 3.0) -> np.ndarray:
        """Numbers that stay away from zero."""
        return self.rng.uniform(low, high, shape)

    def away(self, *shape: int, points: tuple[float, ...] = (0.0,), gap: float = 0.1) -> np.ndarray:
        """Numbers in [-2, 2) at least ``gap`` away from each of ``points`` (kinks)."""
        x = self.rng.uniform(-2.0, 2.0, shape)
        for p in points:
            x = np.where(np.abs(x - p) < gap, p + np.where(x < p, -1.0, 1.0) * 2 * gap, x)
        return x

    def distinct(self, *shape: int, gap: float = 0.05) -> np.ndarray:
        """Shuffled numbers no two of which are closer than ``gap`` (for max, sort, median)."""
        n = int(np.prod(shape))
        return (self.rng.permutation(n) * gap - n * gap / 2 + gap / 3).reshape(shape)

    def integers(self, *shape: int, low: int = 0, high: int = 10) -> np.ndarray:
        """int64 numbers in [low, high)."""
        return self.rng.integers(low, high, shape)

    def bools(self, *shape: int) -> np.ndarray:
        """True and False."""
        return self.rng.integers(0, 2, shape).astype(bool)


Args = tuple[Any, ...]


@dataclass(frozen=True)
class OpCase:
    """One op and how it is tested.

    Attributes:
        name: the public name, ``"add"`` or ``"nn.functional.conv2d"`` or ``"Tensor.add_"``; a test finds public ops
            that no row names.
        fn: ``fn(T, *args)`` calls the op in namespace ``T``, which is wengert or torch.
        samples: ``samples(make)`` yields argument tuples; NumPy arrays in them become tensors, the rest stays.
        reference: the same on NumPy arrays, or None where only torch or the gradient check decides.
        orders: how many times the op is differentiated in the tests; 0 for ops without a gradient.
        dtypes: element types, beside float64, for which forward runs and the result type is compared with torch's.
        integer: integer types too (forward and result type).
        parity: compare with torch.
        atol: tolerance of the forward comparison in float64.
        strict: run on the strict stand-in backend.
        smooth: False where a rounding error may make the result jump (remainders): short types then only have their
            result type and shape checked.
        also: further public names that this row covers (aliases, in-place forms).
    """

    name: str
    fn: Callable[..., Any]
    samples: Callable[[Make], Iterable[Args]]
    reference: Callable[..., Any] | None = None
    orders: int = 2
    dtypes: tuple[str, ...] = ("float32", "float16", "bfloat16")
    integer: bool = False
    parity: bool = True
    atol: float = 1e-10
    strict: bool = True
    smooth: bool = True
    also: tuple[str, ...] = ()
    note: str = ""

    def __str__(self) -> str:
        return self.name + (f"[{self.note}]" if self.note else "")
