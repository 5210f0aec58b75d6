"""Order statistics along an axis, and counts of values."""

from __future__ import annotations

from typing import Any

from .reduction import wide

__all__ = [
    "bin_positions",
    "count_bins",
    "count_cells",
    "count_true",
    "cumulative_extreme",
    "edge_positions",
    "is_among",
    "median",
    "mode",
    "nanmedian",
    "runs",
    "unique_parts",
]


def _ordered(xp: Any, x: Any, axis: int) -> Any:
    """The indices that sort ``x`` along ``axis``, NaN last, equal elements in their order."""
    w = wide(x)
    return xp.argsort(w, axis=axis, kind="stable")


def _nans(xp: Any, x: Any) -> Any:
    return x != x if x.dtype.kind in "fV" else xp.zeros(x.shape, dtype=bool)


def _picked(xp: Any, x: Any, indices: Any, axis: int) -> Any:
    return xp.take_along_axis(x, indices, axis=axis), indices


def median(xp: Any, x: Any, axis: int) -> Any:
    """The lower median along ``axis`` (which stays at size 1) and its index; the first NaN if there is one."""
    n = x.shape[axis]
    order = _ordered(xp, x, axis)
    middle = xp.take(order, xp.full((1,), (n - 1) // 2, dtype="int64"), axis=axis)
    nans = _nans(xp, x)
    first = xp.argmax(nans, axis=axis, keepdims=True)
    return _picked(xp, x, xp.where(xp.any(nans, axis=axis, keepdims=True), first, middle), axis)


def nanmedian(xp: Any, x: Any, axis: int) -> Any:
    """The lower median along ``axis`` of what is not NaN, and its index."""
    order = _ordered(xp, x, axis)
    count = xp.sum(~_nans(xp, x), axis=axis, keepdims=True)
    return _picked(xp, x, xp.take_along_axis(order, xp.maximum(count - 1, 0) // 2, axis=axis), axis)


def mode(xp: Any, x: Any, axis: int) -> Any:
    """The most frequent value along ``axis`` (the smallest of several), and the last index that has it.

    In sorted order equal values form runs; the position in the run, counted up, tells its length at its end.
    """
    order = _ordered(xp, x, axis)
    rows = xp.moveaxis(xp.take_along_axis(x, order, axis=axis), axis, -1)
    n = rows.shape[-1]
    position = xp.arange(n)
    starts = xp.concatenate([xp.ones(rows[..., :1].shape, dtype=bool), rows[..., 1:] != rows[..., :-1]], axis=-1)
    start = cumulative_extreme(xp, xp.where(starts, position, xp.zeros_like(position)), rows.ndim - 1, True)[0]
    best = xp.moveaxis(xp.argmax(position - start, axis=-1, keepdims=True), -1, axis)
    return _picked(xp, x, xp.take_along_axis(order, best, axis=axis), axis)


def cumulative_extreme(xp: Any, x: Any, axis: int, largest: bool) -> Any:
    """The running maximum (minimum) along ``axis`` and its index: the last of equal ones; NaN beats everything.

    Each step compares with what lies twice as far back, so that log2(n) steps reach the start.
    """
    index = xp.zeros(x.shape, dtype="int64")
    if not x.ndim or not x.size:
        return x.copy(), index
    y = xp.moveaxis(x, axis, -1).copy()
    n = y.shape[-1]
    index = xp.moveaxis(index, axis, -1) + xp.arange(n)
    step = 1
    while step < n:
        before, now, back = y[..., :-step], y[..., step:], index[..., :-step]
        keeps = (now >= before if largest else now <= before) | (now != now)
        value = xp.where(keeps, now, before)
        at = xp.where(keeps, index[..., step:], back)
        y = xp.concatenate([y[..., :step], value], axis=-1)
        index = xp.concatenate([index[..., :step], at], axis=-1)
        step *= 2
    return tuple([xp.ascontiguousarray(xp.moveaxis(part, -1, axis)) for part in (y, index)])


def bin_positions(xp: Any, x: Any, low: float, high: float, bins: int, edges: Any = None) -> Any:
    """The number of the bin that each element is in, of ``bins`` equal ones; ``bins`` where it is in none.

    Computed in the precision of ``x``; an element that rounding has put beside its bin is moved where ``edges`` says.
    """
    number = x.dtype.type
    first, last = number(low), number(high)
    inside = (x >= first) & (x <= last)
    with_width = last > first  # not so where the widened range is one number still, the largest there is
    scaled = (x - first) * number(bins) / (last - first) if with_width else xp.full_like(x, bins if last > 0 else 0)
    at = xp.where(inside, scaled, number(0)).astype("int64")
    at = xp.minimum(at, bins - 1)
    if edges is not None:
        at = xp.where((x < edges[at]) & (at > 0), at - 1, at)
        at = xp.where((x >= edges[at + 1]) & (at < bins - 1), at + 1, at)
    return xp.where(inside, at, bins)


def edge_positions(xp: Any, x: Any, edges: Any) -> Any:
    """The number of the interval between rising ``edges`` that each element is in; their number where it is in none."""
    n = edges.size - 1
    w = wide(edges)
    at = xp.searchsorted(w, wide(x), side="right") - 1
    at = xp.minimum(at, n - 1)
    return xp.where((x >= edges[0]) & (x <= edges[-1]), at, n)


def count_cells(xp: Any, places: Any, weights: Any, shape: tuple[int, ...]) -> Any:
    """How many points, or how much weight, each cell of a grid gets; ``places`` has an array a dimension."""
    total, flat, inside = 1, 0, True
    for at, n in zip(places, shape, strict=True):
        flat, inside, total = flat * n + at, (at < n) & inside, total * n
    return count_bins(xp, xp.where(inside, flat, total), weights, total).reshape(shape)


def count_bins(xp: Any, positions: Any, weights: Any, bins: int) -> Any:
    """How many elements, or how much weight, each of the first ``bins`` numbers gets."""
    flat = positions.reshape(-1)
    weight = None if weights is None else weights.reshape(-1)
    return xp.bincount(flat, weights=weight, minlength=bins + 1)[:bins]


def count_true(xp: Any, x: Any, axis: Any) -> Any:
    """How many are not zero along ``axis``."""
    return xp.sum(wide(x) != 0, axis=axis)


def unique_parts(xp: Any, x: Any, axis: int | None) -> Any:
    """The different elements (slices along ``axis``) in order, each element's place among them, and their counts."""
    values, inverse, counts = xp.unique(wide(x), return_inverse=True, return_counts=True, axis=axis, equal_nan=False)
    if axis is not None:
        return slices_first(xp, values, axis).astype(x.dtype), inverse.reshape(-1), counts
    return values.astype(x.dtype), inverse.reshape(x.shape), counts


def slices_first(xp: Any, x: Any, axis: int) -> Any:
    """``x`` with whole slices along ``axis`` one after another in memory."""
    return xp.moveaxis(xp.ascontiguousarray(xp.moveaxis(x, axis, 0)), 0, axis)


def runs(xp: Any, x: Any, axis: int | None) -> Any:
    """The elements (slices) that differ from the one before, each element's place among them, and the runs' lengths."""
    rows = x.reshape(-1) if axis is None else xp.moveaxis(x, axis, 0)
    n = rows.shape[0]
    flat = wide(rows).reshape(n, rows.size // n if n else 0)
    new = xp.ones(n, dtype=bool)
    new[1:] = xp.any(flat[1:] != flat[:-1], axis=1)
    starts = xp.flatnonzero(new)
    inverse = xp.cumsum(new.astype("int64")) - 1
    counts = xp.concatenate([starts[1:], xp.full((min(n, 1),), n, dtype="int64")]) - starts
    values = rows[starts]
    if axis is not None:
        return xp.moveaxis(values, 0, axis), inverse, counts
    return values, inverse.reshape(x.shape), counts


def is_among(xp: Any, x: Any, values: Any, invert: bool) -> Any:
    """Whether each element of ``x`` is one of ``values``; either may be a number."""
    if not hasattr(values, "dtype"):
        values = xp.full((1,), values, dtype=x.dtype)
    if not hasattr(x, "dtype"):
        x = xp.full((), x, dtype=values.dtype)
    return xp.isin(wide(x), wide(values), invert=invert)
