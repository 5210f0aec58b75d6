"""Places of elements, orders and sets, in the standard's signatures."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from ..autograd import ops
from ..autograd.tensor import Tensor
from ..backends import dtypes
from .promotion import together

__all__ = [
    "argmax",
    "argmin",
    "argsort",
    "isin",
    "nonzero",
    "searchsorted",
    "sort",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
    "where",
]


class UniqueAll(NamedTuple):
    """What `unique_all` finds."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """What `unique_counts` finds."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """What `unique_inverse` finds."""

    values: Tensor
    inverse_indices: Tensor


def argmax(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the largest element along ``axis``, the first of equals; in the flat array if it is None: int64."""
    return _extreme(ops.argmax, x, axis, keepdims)


def argmin(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the smallest element along ``axis``, the first of equals; in the flat array if it is None: int64."""
    return _extreme(ops.argmin, x, axis, keepdims)


def _extreme(op: Any, x: Tensor, axis: int | None, keepdims: bool) -> Tensor:
    if axis is not None:
        return op(x, axis, keepdims)
    place: Tensor = op(ops.flatten(x), 0)
    return ops.reshape(place, (1,) * x.ndim) if keepdims else place


def nonzero(x: Tensor, /) -> tuple[Tensor, ...]:
    """The indices of the elements that are not zero, in an array for each axis.

    Raises:
        ValueError: ``x`` has no dimensions.
    """
    if x.ndim == 0:
        raise ValueError("nonzero: an array without dimensions has no indices; reshape it to (1,) first")
    return tuple(ops.nonzero(x, as_tuple=True))


def where(condition: Tensor, x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """The elements of ``x1`` where ``condition`` is true, and of ``x2`` elsewhere, in their common type."""
    if isinstance(x1, Tensor) or isinstance(x2, Tensor):
        x1, x2 = together(x1, x2)
    return ops.where(condition, x1, x2)


def searchsorted(
    x1: Tensor,
    x2: Tensor | int | float,
    /,
    *,
    side: Literal["left", "right"] = "left",
    sorter: Tensor | None = None,
) -> Tensor:
    """Where to insert the elements of ``x2`` so that ``x1`` stays sorted: int64, of the shape of ``x2``.

    Args:
        x1: ``(n,)``, sorted, or sorted by ``sorter``.
        x2: ``(*)``, or a number.
        side: before the elements of the same value, or behind them.
        sorter: ``(n,)``, the indices that sort ``x1``.
    """
    ordered, values = together(x1, x2)
    if sorter is not None:
        ordered = ordered[sorter]
    return ops.searchsorted(ordered.contiguous(), values.contiguous(), side=side)


def isin(x1: Tensor | int, x2: Tensor | int, /, *, invert: bool = False) -> Tensor:
    """Whether each element of ``x1`` is one of ``x2``, or is none with ``invert``: bool, of the shape of ``x1``."""
    x1, x2 = together(x1, x2)
    return ops.isin(x1, x2, invert=invert)


def sort(x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """The elements in order along ``axis``; gradients flow back to where they were."""
    return ops.sort(x, dim=axis, descending=descending, stable=stable)[0]


def argsort(x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """The indices that put the elements in order along ``axis``; equal ones keep theirs: int64."""
    return ops.argsort(x, dim=axis, descending=descending, stable=stable)


def _order(flat: Tensor) -> Tensor:
    """The indices that sort a flat array, complex numbers by their real parts first."""
    if not flat.dtype.is_complex:
        return ops.argsort(flat, stable=True)
    order = ops.argsort(ops.imag(flat), stable=True)
    return order[ops.argsort(ops.real(flat)[order], stable=True)]


def unique_all(x: Tensor, /) -> UniqueAll:
    """The different values of an array, sorted; every NaN is one of its own.

    Returns:
        ``values`` ``(m,)``, through which gradients flow; ``indices`` ``(m,)``, where each is found first;
        ``inverse_indices`` of the shape of ``x``, the place of each element among the values; ``counts`` ``(m,)``.

    Example:
        >>> import wengert.array_api as xp
        >>> xp.unique_all(xp.asarray([3, 1, 3])).indices
        tensor([1, 0])
    """
    flat = ops.flatten(x)
    order = _order(flat)
    ordered = flat[order]
    new = ops.ones(flat.shape, dtype=dtypes.bool_, device=x.device)
    new[1:] = ordered[1:] != ordered[:-1]
    starts = ops.nonzero(new, as_tuple=True)[0]
    inverse = ops.empty_like(order)
    inverse[order] = ops.cumsum(new, 0) - 1
    end = ops.full((1,), flat.numel(), dtype=starts.dtype, device=x.device)
    counts = ops.diff(ops.cat([starts, end]))
    return UniqueAll(ordered[starts], order[starts], ops.reshape(inverse, x.shape), counts)


def unique_counts(x: Tensor, /) -> UniqueCounts:
    """The different values of an array, and how often each is found; see `unique_all`."""
    found = unique_all(x)
    return UniqueCounts(found.values, found.counts)


def unique_inverse(x: Tensor, /) -> UniqueInverse:
    """The different values of an array, and the place of each element among them; see `unique_all`."""
    found = unique_all(x)
    return UniqueInverse(found.values, found.inverse_indices)


def unique_values(x: Tensor, /) -> Tensor:
    """The different values of an array; see `unique_all`."""
    return unique_all(x).values
