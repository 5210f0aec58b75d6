"""Elementwise kernels on NumPy whose own loops take one element at a time: the same in passes that are vectorised.

Each takes the fast way for finite numbers, which is checked by a sum, and leaves infinities and NaN to the definition.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..definitions import elementwise as plain
from .elementwise import LARGE

__all__ = ["deg2rad", "logaddexp2", "nan_to_num", "phase", "rad2deg"]

WIDE = "fd"  # type characters of what is computed as it is


def finite(x: Any) -> bool:
    """Whether all elements are, or else, seldom, they may be."""
    return math.isfinite(abs(np.add.reduce(x, axis=None)))


def _fast(x: Any) -> bool:
    return x.__class__ is np.ndarray and x.dtype.char in WIDE and x.size >= LARGE


def _log_of_sum(x: Any, y: Any, power: Any, unit: float, exact: Callable[..., Any]) -> Any:
    """The larger one plus the logarithm of 1 and the power of what the smaller one lacks."""
    if not (_fast(x) and _fast(y) and x.dtype == y.dtype):
        return exact(x, y)
    rest = np.subtract(x, y)
    np.abs(rest, out=rest)
    np.negative(rest, out=rest)
    power(rest, out=rest)
    np.log1p(rest, out=rest)
    if unit != 1:
        np.multiply(rest, unit, out=rest)
    np.add(rest, np.maximum(x, y), out=rest)
    return rest if finite(rest) else exact(x, y)


def logaddexp(x: Any, y: Any) -> Any:
    """``log(exp(x) + exp(y))``."""
    return _log_of_sum(x, y, np.exp, 1, np.logaddexp)


def logaddexp2(x: Any, y: Any) -> Any:
    """``log2(2 ** x + 2 ** y)``."""
    return _log_of_sum(x, y, np.exp2, 1 / math.log(2), np.logaddexp2)


def nan_to_num(x: Any, nan: float, high: float, low: float) -> Any:
    """``x`` with numbers in place of NaN and of the infinities; see the definition."""
    return x.copy() if _fast(x) and finite(x) else plain.nan_to_num(np, x, nan, high, low)


def phase(z: Any) -> Any:
    """The angle of a complex number, of a negative one pi; see the definition."""
    return np.multiply(z < 0, z.dtype.type(math.pi)) if _fast(z) and finite(z) else plain.phase(np, z)


def deg2rad(x: Any) -> Any:
    """``x * pi / 180``."""
    return np.multiply(x, x.dtype.type(math.pi / 180)) if _fast(x) else np.deg2rad(x)


def rad2deg(x: Any) -> Any:
    """``x * 180 / pi``."""
    return np.multiply(x, x.dtype.type(180 / math.pi)) if _fast(x) else np.rad2deg(x)
