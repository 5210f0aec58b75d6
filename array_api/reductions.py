"""Sums, extremes, moments and running totals, in the standard's signatures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..autograd import ops
from ..backends import DType, dtypes
from .manipulation import Axes, places
from .promotion import SIGNED, UNSIGNED, together

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = [
    "all",
    "any",
    "count_nonzero",
    "cumulative_prod",
    "cumulative_sum",
    "diff",
    "max",
    "mean",
    "min",
    "prod",
    "std",
    "sum",
    "var",
]


def _axes(op: str, x: Tensor, axis: Axes | None) -> tuple[int, ...]:
    """The axes to reduce: all of them for None."""
    if axis is None:
        return tuple(range(x.ndim))
    return tuple(places((axis,) if isinstance(axis, int) else axis, x.ndim, op))


def _one_by_one(op: Callable[..., Tensor], x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    """``op`` of one axis, over several: they are moved to the end and laid out as one."""
    kept = [a for a in range(x.ndim) if a not in axes]
    flat = ops.reshape(
        ops.permute(x, (*kept, *axes)), (*[x.shape[a] for a in kept], -1 if x.numel() else _count(x, axes))
    )
    y = op(flat, len(kept))
    return ops.reshape(y, tuple([1 if a in axes else x.shape[a] for a in range(x.ndim)])) if keepdims else y


def _count(x: Tensor, axes: tuple[int, ...]) -> int:
    count = 1
    for a in axes:
        count *= x.shape[a]
    return count


def _total_type(x: Tensor, dtype: DType | None) -> DType:
    """The type of a sum: integers are added as 64-bit integers of their sign, where PyTorch's are always signed."""
    if dtype is not None:
        return dtype
    return dtypes.uint64 if x.dtype in UNSIGNED else dtypes.int64 if x.dtype in SIGNED else x.dtype


def sum(x: Tensor, /, *, axis: Axes | None = None, dtype: DType | None = None, keepdims: bool = False) -> Tensor:
    """The sum over ``axis``, or over all axes.

    Args:
        x: ``(*)``, numbers.
        axis: one axis or several; none at all for ``()``.
        dtype: the type to add in; 64-bit integers for integers, that of ``x`` for floats, if it is None.
        keepdims: whether the axes stay, with size 1.
    """
    axes, dtype = _axes("sum", x, axis), _total_type(x, dtype)
    return ops.sum(x, axes, keepdims, dtype=dtype) if axes else ops.clone(x).to(dtype)


def prod(x: Tensor, /, *, axis: Axes | None = None, dtype: DType | None = None, keepdims: bool = False) -> Tensor:
    """The product over ``axis``, or over all axes; see `sum`."""
    axes, dtype = _axes("prod", x, axis), _total_type(x, dtype)
    if not axes:
        return ops.clone(x).to(dtype)
    return _one_by_one(lambda flat, dim: ops.prod(flat, dim, dtype=dtype), x, axes, keepdims)


def max(x: Tensor, /, *, axis: Axes | None = None, keepdims: bool = False) -> Tensor:
    """The largest element over ``axis``, or over all axes; NaN where there is one."""
    axes = _axes("max", x, axis)
    return ops.amax(x, axes, keepdims) if axes else ops.clone(x)


def min(x: Tensor, /, *, axis: Axes | None = None, keepdims: bool = False) -> Tensor:
    """The smallest element over ``axis``, or over all axes; NaN where there is one."""
    axes = _axes("min", x, axis)
    return ops.amin(x, axes, keepdims) if axes else ops.clone(x)


def mean(x: Tensor, /, *, axis: Axes | None = None, keepdims: bool = False) -> Tensor:
    """The mean over ``axis``, or over all axes."""
    axes = _axes("mean", x, axis)
    return ops.mean(x, axes, keepdims) if axes else ops.clone(x)


def var(x: Tensor, /, *, axis: Axes | None = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """The variance over ``axis``, or over all axes; its divisor is the number of elements less ``correction``."""
    axes = _axes("var", x, axis)
    if not axes:  # each element alone
        return ops.var(ops.unsqueeze(x, -1), -1, correction=correction)
    return ops.var(x, axes, correction=correction, keepdim=keepdims)


def std(x: Tensor, /, *, axis: Axes | None = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """The standard deviation over ``axis``, or over all axes; see `var`."""
    axes = _axes("std", x, axis)
    if not axes:
        return ops.std(ops.unsqueeze(x, -1), -1, correction=correction)
    return ops.std(x, axes, correction=correction, keepdim=keepdims)


def all(x: Tensor, /, *, axis: Axes | None = None, keepdims: bool = False) -> Tensor:
    """Whether all elements over ``axis``, or over all axes, are true: of type bool."""
    axes, truth = _axes("all", x, axis), x.to(dtypes.bool_)
    return ops.all(truth, axes, keepdims) if axes else truth.clone()


def any(x: Tensor, /, *, axis: Axes | None = None, keepdims: bool = False) -> Tensor:
    """Whether any element over ``axis``, or over all axes, is true: of type bool."""
    axes, truth = _axes("any", x, axis), x.to(dtypes.bool_)
    return ops.any(truth, axes, keepdims) if axes else truth.clone()


def count_nonzero(x: Tensor, /, *, axis: Axes | None = None, keepdims: bool = False) -> Tensor:
    """How many elements over ``axis``, or over all axes, are not zero: int64."""
    return sum((x != 0).to(dtypes.int64), axis=axis, keepdims=keepdims)


def cumulative_sum(
    x: Tensor, /, *, axis: int | None = None, dtype: DType | None = None, include_initial: bool = False
) -> Tensor:
    """The sums of the elements up to each one along ``axis``.

    Args:
        x: ``(*)``.
        axis: it may be None if ``x`` has one dimension.
        dtype: as in `sum`.
        include_initial: whether to start with the sum of none, 0, so that there is one more.

    Example:
        >>> import wengert.array_api as xp
        >>> xp.cumulative_sum(xp.asarray([1, 2, 3]), include_initial=True)
        tensor([0, 1, 3, 6])
    """
    return _cumulative("cumulative_sum", ops.cumsum, x, axis, dtype, 0 if include_initial else None)


def cumulative_prod(
    x: Tensor, /, *, axis: int | None = None, dtype: DType | None = None, include_initial: bool = False
) -> Tensor:
    """The products of the elements up to each one along ``axis``; see `cumulative_sum`."""
    return _cumulative("cumulative_prod", ops.cumprod, x, axis, dtype, 1 if include_initial else None)


def _cumulative(name: str, op: Any, x: Tensor, axis: int | None, dtype: DType | None, initial: int | None) -> Tensor:
    if axis is None:
        if x.ndim != 1:
            raise ValueError(f"{name}: axis is needed for an array of {x.ndim} dimensions")
        axis = 0
    (axis,) = places((axis,), x.ndim, name)
    y: Tensor = op(x, axis, dtype=_total_type(x, dtype))
    if initial is None:
        return y
    first = ops.full((*x.shape[:axis], 1, *x.shape[axis + 1 :]), initial, dtype=y.dtype, device=y.device)
    return ops.cat([first, y], axis)


def diff(
    x: Tensor, /, *, axis: int = -1, n: int = 1, prepend: Tensor | None = None, append: Tensor | None = None
) -> Tensor:
    """The differences of neighbours along ``axis``, ``n`` times over, with elements put before and behind if given."""
    ends = [end for end in (prepend, append) if end is not None]
    x, *ends = together(x, *ends)
    if prepend is not None:
        prepend = ends.pop(0)
    return ops.diff(x, n, axis, prepend=prepend, append=ends[0] if append is not None else None)
