"""What a value is like, in a few numbers: its range, mean, zeros, NaN, and a histogram; all of it where it is small."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autograd.base import TensorBase
from ..backends import kernels_of
from ..backends.sparse import SparseArray

__all__ = ["Values", "measure"]

BINS = 24
SMALL = 64  # elements: so many are kept as they are
SAMPLE = 200_000  # elements: of more than this, the histogram counts a sample


@dataclass(frozen=True, slots=True)
class Values:
    """What was measured of an array; complex numbers by their magnitude.

    Attributes:
        shape, dtype: of the array.
        low, high: the range of what is finite; None if nothing is.
        mean, std: of what is finite.
        zeros: the part that is exactly 0.
        nans, infinities: how many.
        bins: how many values lie in each of equally wide pieces of the range; empty if there is no range.
        numbers: every element, nested as in ``tolist()``, where there are few; else None.
    """

    shape: tuple[int, ...]
    dtype: str
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    std: float | None = None
    zeros: float = 0.0
    nans: int = 0
    infinities: int = 0
    bins: tuple[int, ...] = ()
    numbers: Any = None

    def __str__(self) -> str:
        if self.numbers is not None and self.shape == ():
            return f"{self.numbers:g}" if isinstance(self.numbers, int | float) else str(self.numbers)
        if self.low is None:
            return "nothing finite"
        text = f"{self.low:.4g} to {self.high:.4g}, mean {self.mean:.4g}"
        return text + (f", {self.nans:,} NaN" if self.nans else "")


def measure(value: Any) -> Values:
    """Measure a tensor or an array.

    Example:
        >>> import wengert as wg
        >>> v = measure(wg.tensor([0.0, 1.0, 3.0, float("nan")]))
        >>> v.low, v.high, v.zeros, v.nans
        (0.0, 3.0, 0.25, 1)
    """
    array = value._data if isinstance(value, TensorBase) else value
    dtype, shape = array.dtype.name, tuple(array.shape)
    plain = _plain(array)
    numbers = plain.tolist() if plain.size <= SMALL else None
    if plain.dtype.kind == "c":
        plain = np.abs(plain)
        numbers = None if numbers is None else _texts(numbers)
    flat = plain.reshape(-1)
    if not flat.size:
        return Values(shape, dtype, numbers=numbers)
    if flat.size == 1:
        return _single(shape, dtype, float(flat[0]), numbers)
    flat = flat.astype(np.float64) if flat.dtype.kind != "f" or flat.dtype.itemsize < 4 else flat
    good = np.isfinite(flat)
    finite = flat if good.all() else flat[good]
    nans = 0 if finite is flat else int(np.isnan(flat).sum())
    rest = flat.size - finite.size - nans
    zeros = 1 - float(np.count_nonzero(flat)) / flat.size
    if not finite.size:
        return Values(shape, dtype, zeros=zeros, nans=nans, infinities=rest, numbers=numbers)
    low, high = float(finite.min()), float(finite.max())
    mean, std = float(finite.mean(dtype=np.float64)), float(finite.std(dtype=np.float64))
    return Values(shape, dtype, low, high, mean, std, zeros, nans, rest, _histogram(finite, low, high), numbers)


def _single(shape: tuple[int, ...], dtype: str, x: float, numbers: Any) -> Values:
    """`measure` of one number, quickly: graphs of scalars have many."""
    if not math.isfinite(x):
        return Values(shape, dtype, nans=int(math.isnan(x)), infinities=int(math.isinf(x)), numbers=numbers)
    return Values(shape, dtype, x, x, x, 0.0, float(x == 0), numbers=numbers)


def _plain(array: Any) -> Any:
    """The array as NumPy knows it, on the host; the stored values of a sparse one."""
    if isinstance(array, SparseArray):
        array = array.values
    k = kernels_of.get(type(array))
    if k is not None and not isinstance(array, np.ndarray):
        array = k.backend.to_numpy(array)
    array = np.asarray(array)
    return array.astype(np.float32) if array.dtype.kind == "V" else array


def _histogram(finite: Any, low: float, high: float) -> tuple[int, ...]:
    if not np.isfinite(high - low) or not low + (high - low) / (4 * BINS) > low:  # no range that could be divided
        return ()
    sample = finite[:: -(-finite.size // SAMPLE)].astype(np.float64)
    return tuple(np.histogram(sample, BINS, (low, high))[0].tolist())


def _texts(numbers: Any) -> Any:
    """Complex numbers as text, which JSON can hold."""
    return [_texts(n) for n in numbers] if isinstance(numbers, list) else str(numbers)
