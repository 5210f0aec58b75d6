"""Counts of values: how many there are, in which bins, which different ones. None has a gradient but for weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.errors import ArgumentError, DTypeError, ShapeError
from ..base import TensorBase, wrap
from ..inplace import write_out
from ..promotion import operands
from .dims import canonical_dim
from .reduction import Dim, numpy_names, reduced
from .return_types import named_result

if TYPE_CHECKING:
    from ..tensor import Tensor

HistogramResult = named_result("histogram", "hist bin_edges")


@numpy_names
def count_nonzero(input: Tensor, dim: Dim = None) -> Tensor:
    """How many elements are not zero, of all or along dimensions, in int64."""
    dims = reduced("count_nonzero", input, dim)
    k = kernels_of[type(input._data)]
    return wrap(k.asarray(k.count_true(input._data, dims)))


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each of 0, 1, 2, ... occurs.

    Args:
        input: (n), integers that are not negative.
        weights: (n), what each occurrence counts; 1 without it.
        minlength: the result has at least this length.

    Returns:
        int64, or with weights their dtype (float64 for other types than float32).

    Raises:
        RuntimeError: ``input`` is not 1-d, not of integers, or has negative ones; the lengths differ.

    Example:
        >>> import wengert as wg
        >>> wg.bincount(wg.tensor([0, 2, 2]))
        tensor([1, 0, 2])
    """
    x = input._data
    if x.ndim != 1 or x.dtype.kind not in "iu" or (x.size and int(x.min()) < 0):
        raise ArgumentError(
            f"bincount only supports 1-d non-negative integral inputs, not {list(x.shape)} of {input.dtype}"
        )
    if minlength < 0:
        raise ArgumentError(f"bincount: minlength should be >= 0, not {minlength}")
    k = kernels_of[type(x)]
    bins = max(int(x.max()) + 1 if x.size else 0, minlength)
    if weights is None:
        return wrap(k.count_bins(x.astype("int64"), None, bins))
    w = weights._data
    if w.shape != x.shape:
        raise ShapeError(f"bincount: input and weights should have the same length, not {x.size} and {w.size}")
    counts = k.count_bins(x.astype("int64"), w.astype("float64"), bins)
    return wrap(counts.astype(w.dtype) if w.dtype.char == "f" else counts)


def _limits(name: str, x: Any, low: float, high: float) -> tuple[float, float]:
    """The range of the bins: that of the data where the two are equal, widened where it is one point."""
    if low == high and x.size:
        low, high = float(x.min()), float(x.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ArgumentError(f"{name}: range of [{low}, {high}] is not finite")
    if low > high:
        raise ArgumentError(f"{name}: max must be larger than min, but got [{low}, {high}]")
    return (low - 1, high + 1) if low == high else (low, high)


def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0, *, out: Tensor | None = None) -> Tensor:
    """How many elements lie in each of ``bins`` equal intervals from ``min`` to ``max``.

    Args:
        input: floating point; what lies outside the range (or is NaN) is not counted.
        bins: the number of intervals.
        min: the lower end; with ``min == max`` the range is that of the data.
        max: the upper end, which belongs to the last interval.
        out: a tensor to write the result to.

    Returns:
        The counts (bins), in the dtype of ``input``.

    Raises:
        RuntimeError: ``bins`` is not positive, or the range is empty or not finite.
    """
    x = input._data
    if x.dtype.kind not in "fV":
        raise DTypeError(f"histc: not implemented for {input.dtype}; convert with .float()")
    if bins <= 0:
        raise ArgumentError(f"histc: bins must be > 0, but got {bins}")
    k = kernels_of[type(x)]
    low, high = _limits("histc", x, float(min), float(max))
    counts = k.count_bins(k.bin_positions(x, low, high, bins), None, bins).astype(x.dtype)
    return wrap(counts) if out is None else write_out(out, wrap(counts), "histc")


def histogram(
    input: Tensor,
    bins: Any,
    *,
    range: tuple[float, float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
    out: Any = None,
) -> Any:
    """How many elements, or how much weight, lie in each interval, and the intervals' edges.

    Args:
        input: floating point.
        bins: the number of equal intervals, or a 1-d tensor of edges, rising.
        range: the ends of the equal intervals; those of the data unless told.
        weight: what each element counts, of the shape of ``input``.
        density: divide by the total and by the interval's width, so that the area is 1.
        out: a pair of tensors to write the result to.

    Returns:
        A named tuple ``(hist, bin_edges)``.
    """
    x = input._data
    k = kernels_of[type(x)]
    if isinstance(bins, TensorBase):
        edges = bins._data
        n = edges.size - 1
        at = k.searchsorted(edges, x.reshape(-1), side="right") - 1
        at = k.where(x.reshape(-1) == edges[-1], n - 1, at)
        at = k.where((at < 0) | (at >= n), n, at)
    else:
        n = int(bins)
        low, high = _limits("histogram", x, *((0.0, 0.0) if range is None else range))
        edges = k.linspace(low, high, n + 1).astype(x.dtype)
        at = k.bin_positions(x, low, high, n)
    counts = k.count_bins(at, None if weight is None else weight._data.astype("float64"), n).astype("float64")
    if density:
        counts = counts / (counts.sum() * (edges[1:] - edges[:-1]).astype("float64"))
    pair = wrap(counts.astype(x.dtype)), wrap(edges)
    if out is not None:
        pair = tuple(write_out(target, part, "histogram") for target, part in zip(out, pair, strict=True))
    return HistogramResult(*pair)


def _several(parts: tuple[Any, Any, Any], return_inverse: bool, return_counts: bool) -> Any:
    """What was asked for of values, inverse and counts: one tensor, or a tuple."""
    values, inverse, counts = parts
    found = [values, *([inverse] if return_inverse else []), *([counts] if return_counts else [])]
    return wrap(found[0]) if len(found) == 1 else tuple([wrap(f) for f in found])


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The different elements, in order; or the different slices along ``dim``.

    Args:
        input: any shape.
        sorted: the result is in order anyhow.
        return_inverse: also say where in the result each element of ``input`` is.
        return_counts: also say how often each occurs.
        dim: compare slices along this dimension; None compares elements.

    Returns:
        The tensor, or a tuple with the parts that were asked for.

    Example:
        >>> import wengert as wg
        >>> wg.unique(wg.tensor([3, 1, 3]), return_counts=True)
        (tensor([1, 3]), tensor([1, 2]))
    """
    d = None if dim is None else canonical_dim(dim, input._data.ndim, "unique")
    found = kernels_of[type(input._data)].unique_parts(input._data, d)
    return _several(found, return_inverse, return_counts)


def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The elements (or slices along ``dim``) without repetitions of the one before; see `unique`."""
    d = None if dim is None else canonical_dim(dim, input._data.ndim, "unique_consecutive")
    found = kernels_of[type(input._data)].runs(input._data, d)
    return _several(found, return_inverse, return_counts)


def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Which elements are among ``test_elements``.

    Args:
        elements: Tensor or number.
        test_elements: Tensor or number.
        assume_unique: a promise that neither has an element twice; not needed here.
        invert: say which elements are not among them.

    Returns:
        bool, of the shape of ``elements``.
    """
    x, y = operands("isin", elements, test_elements)
    a, b = (v._data if isinstance(v, TensorBase) else v for v in (x, y))
    k = kernels_of[type(a if hasattr(a, "dtype") else b)]
    return wrap(k.asarray(k.is_among(a, b, invert)))
