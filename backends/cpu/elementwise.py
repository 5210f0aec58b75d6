"""Elementwise kernels on NumPy: fewer passes than the definitions, and integers that refuse to be divided by zero."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..definitions import elementwise as plain
from ..errors import ArgumentError

__all__ = ["floor_divide", "fmod", "product", "quotient", "remainder", "trunc_divide"]


def product(g: Any, d: Any) -> Any:
    """``g * d``, and 0 where ``g`` is 0; the mask is made only if something went wrong without it."""
    y = np.multiply(g, d)
    return y if math.isfinite(abs(np.add.reduce(y, axis=None))) else plain.product(np, g, d)


def quotient(g: Any, d: Any) -> Any:
    """``g / d``, and 0 where ``g`` is 0; the mask is made only if something went wrong without it."""
    if isinstance(d, plain.NUMBERS):
        return g / plain.like(g, d)
    y = np.true_divide(g, d)
    return y if math.isfinite(abs(np.add.reduce(y, axis=None))) else plain.quotient(np, g, d)


def _refuse_zero(name: str, y: Any) -> None:
    """NumPy divides integers by zero to 0, with a warning."""
    if isinstance(y, np.ndarray) and y.dtype.kind in "iu" and not y.all():
        raise ArgumentError(f"{name}: ZeroDivisionError: an integer tensor is divided by zero; mask the zeros first")


def floor_divide(x: Any, y: Any) -> Any:
    """``floor(x / y)``."""
    _refuse_zero("floor_divide", y)
    return np.floor_divide(x, y)


def remainder(x: Any, y: Any) -> Any:
    """``x - y * floor(x / y)``."""
    _refuse_zero("remainder", y)
    return np.remainder(x, y)


def fmod(x: Any, y: Any) -> Any:
    """``x - y * trunc(x / y)``."""
    _refuse_zero("fmod", y)
    return np.fmod(x, y)


def trunc_divide(x: Any, y: Any) -> Any:
    """``x / y`` rounded towards zero."""
    _refuse_zero("div", y)
    return plain.trunc_divide(np, x, y)
