"""Reductions over runs of neighbours, which lengths or offsets mark off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.batched import any_in
from ...backends.errors import ArgumentError, DTypeError, ShapeError
from ..base import wrap
from .comparison import isnan
from .creation import full
from .dims import canonical_dim
from .scatter_reduce import index_reduce
from .select import where
from .shape import reshape_rule
from .slices import index_add, index_select

if TYPE_CHECKING:
    from ..tensor import Tensor

# What PyTorch calls each reduction, under its old and its new name; and what an empty segment gives.
NAMES = {"sum": "sum", "mean": "mean", "prod": "prod", "max": "amax", "min": "amin", "amax": "amax", "amin": "amin"}
EMPTY = {"sum": 0.0, "mean": 0.0, "prod": 1.0, "amax": float("-inf"), "amin": float("inf")}


def segment_reduce(
    data: Tensor,
    reduce: str,
    *,
    lengths: Tensor | None = None,
    indices: Tensor | None = None,
    offsets: Tensor | None = None,
    axis: int = 0,
    unsafe: bool = False,
    initial: float | None = None,
) -> Tensor:
    """The sum, mean, product or extreme of each of the runs of neighbours that ``axis`` is divided into.

    Args:
        data: floating point, (*, n, *).
        reduce: ``"sum"``, ``"mean"``, ``"prod"``, ``"max"`` or ``"min"``.
        lengths: (*, segments), integers: the number of elements of each run; the leading sizes are those of ``data``
            before ``axis``.
        indices: not supported, as in PyTorch.
        offsets: (*, segments + 1), integers: where each run begins, and the end, instead of ``lengths``.
        axis: the dimension that is divided; the last one of ``lengths``.
        unsafe: leave the lengths unchecked; what is in no run does not count.
        initial: what each run starts from; a run without elements gives it, too.

    Returns:
        (*, segments, *).

    Raises:
        RuntimeError: there are neither lengths nor offsets, or they do not fit, or ``reduce`` is unknown.

    Example:
        >>> import wengert as wg
        >>> wg.segment_reduce(wg.tensor([1.0, 2.0, 3.0]), "sum", lengths=wg.tensor([1, 2]))
        tensor([1., 5.])
    """
    if reduce not in NAMES:
        raise ArgumentError(f"segment_reduce: reduce argument must be sum, prod, mean, max or min, got {reduce}")
    if data.dtype.category != 2:
        raise DTypeError(f"segment_reduce: expects floating point data, not {data.dtype}")
    if indices is not None:
        raise ArgumentError("segment_reduce(): indices based reduction is not supported yet.")
    axis = canonical_dim(axis, data._data.ndim, "segment_reduce")
    counts = _lengths(data, lengths, offsets, axis, unsafe)
    shape, segments = data._data.shape, counts.shape[-1]
    rows = reshape_rule(data, (-1, *shape[axis + 1 :])) if data._data.size else data.reshape(0, *shape[axis + 1 :])
    kept, names = _members(counts.reshape(-1, segments), shape[axis])
    y = _reduced(NAMES[reduce], index_select(rows, 0, kept), names, counts.reshape(-1), initial)
    return reshape_rule(y, (*shape[:axis], segments, *shape[axis + 1 :]))


def _lengths(data: Any, lengths: Any, offsets: Any, axis: int, unsafe: bool) -> Any:
    """The array of the runs' lengths."""
    if lengths is None and offsets is None:
        raise ArgumentError("segment_reduce(): Either lengths or offsets must be defined.")
    given = offsets if lengths is None else lengths
    x = given._data
    if x.dtype.kind != "i":
        raise DTypeError(f"segment_reduce(): lengths and offsets must be integers, not {given.dtype}")
    if x.ndim - 1 != axis or x.shape[:-1] != data._data.shape[:axis]:
        raise ShapeError(
            "segment_reduce(): Expected the dimensions of lengths before the last one to be those of data before axis: "
            f"{list(x.shape)} for {list(data._data.shape)} and axis {axis}"
        )
    counts = x[..., 1:] - x[..., :-1] if lengths is None else x
    if not unsafe and x.size:
        if any_in(counts < 0):
            raise ArgumentError("segment_reduce(): lengths contains negative value!")
        if any_in(counts.sum(axis=-1) != data._data.shape[axis]):
            raise ShapeError(
                "segment_reduce(): Expected all rows of lengths along axis to sum to data.size(lengths.dim()-1) when "
                "!unsafe."
            )
    return counts


def _members(counts: Any, n: int) -> tuple[Any, Any]:
    """The positions, in rows of ``n`` laid end to end, that are in a run, and the number of the run."""
    k = kernels_of[type(counts)]
    lead, segments = counts.shape
    ends = k.cumsum(counts.astype("int64"), axis=1)
    place = k.broadcast_to(k.arange(n).astype("int64"), (lead, n))
    run = k.row_positions(ends, place, True) if segments else k.zeros((lead, n), dtype="int64")
    names = (run + k.arange(lead).reshape(lead, 1) * segments).reshape(-1)
    kept = k.flatnonzero((run < segments).reshape(-1))
    return wrap(kept.astype("int64")), wrap(names[kept].astype("int64"))


def _reduced(how: str, rows: Any, names: Any, counts: Any, initial: float | None) -> Any:
    """The rows with one name, reduced to one row each."""
    start = EMPTY[how] if initial is None else initial
    shape = (counts.shape[0], *rows._data.shape[1:])
    y = full(shape, start, dtype=rows.dtype, device=rows.device)
    add = how in ("sum", "mean")
    nan = None if add else isnan(rows)
    if nan is not None and any_in(nan._data):
        return _spoiled(how, y, rows, names, nan)
    y = index_add(y, 0, names, rows) if add else index_reduce(y, 0, names, rows, how)
    if how == "mean":
        empty = float("nan") if initial is None else initial
        number = wrap(counts.reshape(-1, *(1,) * (len(shape) - 1)))
        y = where(number > 0, y / number.clamp(min=1).to(rows.dtype), empty)
    return y


def _spoiled(how: str, y: Any, rows: Any, names: Any, nan: Any) -> Any:
    """`_reduced` of extremes and products where some elements are NaN.

    The extremes of a segment with NaNs belong to all of them alike. A product goes on without them, and is multiplied
    by them in the end: what it is without its only NaN is the gradient of that.
    """
    zeros = full(y._data.shape, 0, dtype=y.dtype, device=y.device)
    total = index_add(zeros, 0, names, where(nan, rows, 0.0))
    number = index_add(zeros, 0, names, nan.to(rows.dtype))
    y = index_reduce(y, 0, names, where(nan, EMPTY[how], rows), how)
    if how == "prod":
        return y * where(number > 0, total * where(number > 1, rows.new_full((), float("nan")), 1.0), 1.0)
    return where(number > 0, total / number.clamp(min=1), y)
