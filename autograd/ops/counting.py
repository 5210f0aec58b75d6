"""Counts of values: how many there are, in which bins, which different ones. None has a gradient but for weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.errors import ArgumentError, DTypeError, ShapeError, UnsupportedDTypeError
from ..base import TensorBase, wrap
from ..out import write_out
from ..promotion import operands
from .dims import canonical_dim, numpy_names, scalar_name
from .reduction import Dim, reduced
from .return_types import named_result
from .shape import reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor

HistogramResult = named_result("histogram", "hist bin_edges")
HistogramddResult = named_result("histogramdd", "hist bin_edges")


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
    if x.dtype.kind not in "iu":
        raise UnsupportedDTypeError(f'"bincount_cpu" not implemented for {scalar_name(input)!r}; convert with .long()')
    if x.ndim != 1 or (x.size and int(x.min()) < 0):
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
        raise ShapeError(
            f"bincount: input and weights should be 1-d and have the same length, not {list(x.shape)} and "
            f"{list(w.shape)}"
        )
    counts = k.count_bins(x.astype("int64"), w.astype("float64"), bins)
    return wrap(counts.astype(w.dtype) if w.dtype.char == "f" else counts)


def _limits(name: str, x: Any, low: Any, high: Any, margin: float = 0.5) -> tuple[float, float]:
    """The range of the bins: that of the data where none is given, widened where it is one point."""
    if low is None:
        low, high = (float(x.min()), float(x.max())) if x.size else (0.0, 1.0)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ArgumentError(f"{name}: range of [{low}, {high}] is not finite")
    if low > high:
        raise ArgumentError(f"{name}: min should not exceed max, but got min {low} max {high}")
    return (low - margin, high + margin) if low == high else (low, high)


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
    if min > max:
        raise ArgumentError(f"histc: max must be larger than min, but got [{min}, {max}]")
    if x.dtype.kind not in "fV":
        raise UnsupportedDTypeError(
            f'"histogram_cpu" not implemented for {scalar_name(input)!r}; convert with .float()'
        )
    if bins <= 0:
        raise ArgumentError(f"histc: bins must be > 0, but got {bins}")
    k = kernels_of[type(x)]
    whole = min == max and x.size
    low, high = _limits("histc", x, None if whole else float(min), None if whole else float(max), margin=1.0)
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

    Raises:
        RuntimeError: the dtypes of ``input``, ``bins`` and ``weight`` differ, their shapes do not fit, or the range is
            empty or not finite.
    """
    points = reshape_rule(input, (input._data.size, 1))
    if weight is not None and weight._data.shape != input._data.shape:
        raise ShapeError(
            "torch.histogram: if weight tensor is provided it should have the same shape as the input tensor, but got "
            f"{list(weight._data.shape)} and {list(input._data.shape)}"
        )
    flat_weight = None if weight is None else reshape_rule(weight, (-1,))
    hist, edges = _histogram("histogram", points, (bins,), range, flat_weight, density)
    pair = hist, edges[0]
    if out is not None:
        for name, target in zip(("hist", "bin_edges"), out, strict=True):
            if target.dtype is not input.dtype:
                raise DTypeError(
                    f"torch.histogram: input tensor and {name} tensor should have the same dtype, but got input "
                    f"{input.dtype} and {name} {target.dtype}"
                )
        pair = tuple([write_out(target, part, "histogram") for target, part in zip(out, pair, strict=True)])
    return HistogramResult(*pair)


def histogramdd(
    input: Tensor,
    bins: Any,
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> Any:
    """How many points, or how much weight, lie in each cell of a grid over several dimensions, and the grid's edges.

    Args:
        input: (..., dimensions), floating point: each row is a point.
        bins: the number of equal intervals, for all dimensions or one each; or one 1-d tensor of rising edges each.
        range: the two ends of the equal intervals of each dimension in turn; those of the data unless told.
        weight: what each point counts, of the shape of ``input`` without its last dimension.
        density: divide by the total and by the cell's volume, so that the integral is 1.

    Returns:
        A named tuple ``(hist, bin_edges)``: the counts, with one dimension for each of the points', and a tuple of
        tensors.

    Raises:
        RuntimeError: as `histogram`.

    Example:
        >>> import wengert as wg
        >>> points = wg.tensor([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]])
        >>> wg.histogramdd(points, bins=[2, 2]).hist
        tensor([[0., 1.],
                [1., 1.]])
    """
    shape = input._data.shape
    if len(shape) < 2:
        raise ShapeError(f"torch.histogramdd: input tensor should have at least 2 dimensions, but got {len(shape)}")
    count = shape[-1]
    several = tuple(bins) if isinstance(bins, list | tuple) else (bins,) * count
    if len(several) != count:
        raise ShapeError(
            "histogramdd: The size of bins must be equal to the innermost dimension of the input. Got "
            f"{len(several)} for {count}"
        )
    if weight is not None and weight._data.shape != shape[:-1]:
        raise ShapeError(
            "torch.histogramdd: if weight tensor is provided it should have the same shape as the input tensor "
            f"excluding its innermost dimension, but got input {list(shape)} and weight {list(weight._data.shape)}"
        )
    flat_weight = None if weight is None else reshape_rule(weight, (-1,))
    points = reshape_rule(input, (math.prod(shape[:-1]), count))
    return HistogramddResult(*_histogram("histogramdd", points, several, range, flat_weight, density))


def _histogram(name: str, points: Any, bins: tuple[Any, ...], range: Any, weight: Any, density: bool) -> Any:
    """The counts of points (n, dimensions) in a grid, and the edges of each dimension."""
    x = points._data
    k = kernels_of[type(x)]
    if x.dtype.kind not in "fV":
        raise UnsupportedDTypeError(f'"{name}" not implemented for {scalar_name(points)!r}; convert with .float()')
    if range is not None and len(range) != 2 * len(bins):
        raise ShapeError(f"torch.{name}: range should have {2 * len(bins)} elements, but got {len(range)}")
    places, edges = [], []
    for d, b in enumerate(bins):
        column = x[:, d]
        if isinstance(b, TensorBase):
            edges.append(_given_edges(name, points, b))
            places.append(k.edge_positions(column, edges[-1]))
        else:
            if b <= 0:
                raise ArgumentError(f"torch.{name}(): bins must be > 0, but got {b} for dimension {d}")
            low, high = _limits(f"torch.{name}", column, *((None, None) if range is None else range[2 * d : 2 * d + 2]))
            edges.append(k.asarray(k.linspace(low, high, int(b) + 1)).astype(x.dtype))
            places.append(k.bin_positions(column, low, high, int(b), edges[-1]))
    if weight is not None and weight.dtype is not points.dtype:
        raise DTypeError(
            f"torch.{name}: if weight tensor is provided, input tensor and weight tensor should have the same dtype, "
            f"but got input(dtype={points.dtype}), and weight(dtype={weight.dtype})"
        )
    shape = tuple([e.size - 1 for e in edges])
    weights = None if weight is None else weight._data.astype("float64")
    counts = k.count_cells(places, weights, shape).astype("float64")
    if density:
        counts = counts / counts.sum()
        for d, e in enumerate(edges):
            counts = counts / (e[1:] - e[:-1]).astype("float64").reshape(-1, *(1,) * (len(shape) - d - 1))
    return wrap(counts.astype(x.dtype)), tuple([wrap(e) for e in edges])


def _given_edges(name: str, points: Any, edges: Any) -> Any:
    """The array of a tensor of edges, which must be 1-d and of the points' dtype."""
    if edges.dtype is not points.dtype:
        raise DTypeError(
            f"torch.{name}: input tensor and bins tensors should have the same dtype, but got input {points.dtype} and "
            f"bins {edges.dtype}"
        )
    if edges._data.ndim != 1:
        raise ShapeError(f"torch.{name}: bins tensor should have one dimension, but got {edges._data.ndim} dimensions")
    if not edges._data.size:
        raise ShapeError(f"torch.{name}: bins tensor should have at least 1 element, but got 0")
    return kernels_of[type(edges._data)].ascontiguousarray(edges._data)


def _several(parts: tuple[Any, Any, Any], return_inverse: bool, return_counts: bool) -> Any:
    """What was asked for of values, inverse and counts: one tensor, or a tuple."""
    values, inverse, counts = parts
    found = [values, *([inverse] if return_inverse else []), *([counts] if return_counts else [])]
    return wrap(found[0]) if len(found) == 1 else tuple([wrap(f) for f in found])


def _check_slices(name: str, input: Any, dim: int | None) -> None:
    """Raise if the slices along ``dim`` hold nothing to compare."""
    shape = input._data.shape
    if dim is None or 0 not in shape:
        return
    if shape[dim]:
        raise ShapeError(f"{name}: There are 0 sized dimensions, and they aren't selected, so unique cannot be applied")
    if shape.count(0) > 1:
        raise ShapeError(f"{name}: Number of zero sized dimensions is more than one, so unique cannot be applied")


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
    _check_slices("unique", input, d)
    found = kernels_of[type(input._data)].unique_parts(input._data, d)
    return _several(found, return_inverse, return_counts)


def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The elements (or slices along ``dim``) without repetitions of the one before; see `unique`."""
    d = None if dim is None else canonical_dim(dim, input._data.ndim, "unique_consecutive")
    _check_slices("unique_consecutive", input, d)
    found = kernels_of[type(input._data)].runs(input._data, d)
    return _several(found, return_inverse, return_counts)


def isin(
    elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False, out: Tensor | None = None
) -> Tensor:
    """Which elements are among ``test_elements``.

    Args:
        elements: Tensor or number.
        test_elements: Tensor or number.
        assume_unique: a promise that neither has an element twice; not needed here.
        invert: say which elements are not among them.
        out: a tensor to write the result to.

    Returns:
        bool, of the shape of ``elements``.
    """
    x, y = operands("isin", elements, test_elements)
    a, b = (v._data if isinstance(v, TensorBase) else v for v in (x, y))
    k = kernels_of[type(a if hasattr(a, "dtype") else b)]
    result = wrap(k.asarray(k.is_among(a, b, invert)))
    return result if out is None else write_out(out, result, "isin")
