"""Bags of embeddings: rows looked up and summed, averaged or maximised, without keeping the rows apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.call_site import warn
from ...backends.errors import ArgumentError, DimensionError, DTypeError, ShapeError
from ..base import TensorBase, wrap
from ..primitive import apply
from .arithmetic import div, mul
from .embedding import embedding
from .gather import IndexSelectAdjoint, gather_rule
from .select import where_rule
from .shape import reshape_rule
from .size import Size

if TYPE_CHECKING:
    from ..tensor import Tensor


TYPES = (
    "embedding_bag: Expected tensor for argument #1 '{}' to have one of the following scalar types: Long, Int; but got "
    "{} instead (while checking arguments for embedding_bag); convert with .long()"
)


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The sum, mean or maximum of each bag of rows of ``weight``.

    Args:
        input: indices, (bags, size of each), or (all) with ``offsets``.
        weight: (number of embeddings, their size).
        offsets: where each bag starts in a one-dimensional input.
        max_norm: as in `embedding`.
        norm_type: likewise.
        scale_grad_by_freq: likewise.
        sparse: likewise.
        mode: ``"sum"``, ``"mean"`` or ``"max"``; an empty bag gives zeros.
        per_sample_weights: a factor per index, with ``mode="sum"`` only.
        include_last_offset: the last offset is where the last bag ends.
        padding_idx: indices that count for nothing.

    Returns:
        (bags, embedding size).

    Raises:
        ValueError: the arguments do not fit together.
        RuntimeError: likewise.
    """
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if input._data.dtype.kind in "fV" and weight._data.dtype.name == "int64":
        warn(
            "Argument order of nn.functional.embedding_bag was changed. Usage `embedding_bag(weight, input, ...)` is "
            "deprecated, and should now be `embedding_bag(input, weight, ...)`."
        )
        input, weight = weight, input
    index, bag, bags = bags_of(input, offsets, include_last_offset)
    _check_weights(input, weight, per_sample_weights, mode)
    if sparse and mode == "max":
        raise ArgumentError("embedding_bag: max mode does not support sparse weights")
    if weight._data.ndim != 2:
        raise ShapeError(f"embedding_bag: weight has to be a 2D Tensor, but its shape is {list(weight._data.shape)}")
    n = weight._data.shape[0]
    if padding_idx is not None and not -n <= padding_idx < n:
        raise ShapeError(
            f"embedding_bag: padding_idx must be within the number of embeddings, {-n} through {n - 1}, but got "
            f"{padding_idx}"
        )
    flat = reshape_rule(input, (index.size,))  # not an array: what is written to the indices must be noticed
    try:
        rows: Any = embedding(flat, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)
    except DimensionError as error:
        raise ShapeError(f"embedding_bag: Expected idx >= 0 && idx < num_embeddings: {error}") from None
    k, dtype = kernels_of[type(index)], weight._data.dtype
    width = weight._data.shape[1]
    counted = k.ones(index.shape, dtype=bool)
    if padding_idx is not None:
        counted = index != padding_idx % weight._data.shape[0]
    if mode == "max":
        return _largest(rows, k.where(counted, bag, bags), bags)  # what does not count: to a bag that is thrown away
    rows = where_rule(wrap(counted[:, None]), rows, 0.0)
    if per_sample_weights is not None:
        rows = mul(rows, reshape_rule(per_sample_weights, (index.size, 1)))
    y = apply(IndexSelectAdjoint, rows, bag, dim=0, shape=(bags, width))
    if mode == "mean":
        number = k.bincount(k.where(counted, bag, bags), minlength=bags + 1)[:bags]
        y = div(y, wrap(k.maximum(number, 1)[:, None].astype(dtype)))
    return y


def _largest(rows: Any, bag: Any, bags: int) -> Any:
    """The maximum of each bag and column, zero for an empty bag; the first of equal ones gets the gradient."""
    data = rows._data
    k, (size, width) = kernels_of[type(data)], data.shape
    if not size:
        return apply(IndexSelectAdjoint, rows, bag, dim=0, shape=(bags, width))
    at = k.broadcast_to(bag[:, None], (size, width))
    top = k.full((bags + 1, width), -float("inf"), dtype=data.dtype)
    k.scatter_extreme_(top, at, data, 0, True)
    wins = (data == k.take_along_axis(top, at, 0)) | (data != data)  # NaN
    first = k.full((bags + 1, width), size, dtype="int64")
    k.scatter_extreme_(first, at, k.where(wins, k.arange(size, dtype="int64")[:, None], size), 0, False)
    first = first[:bags]
    filled = first < size
    return where_rule(wrap(filled), gather_rule(rows, wrap(k.where(filled, first, 0)), 0), 0.0)


def _check_weights(input: Any, weight: Any, per_sample_weights: Any, mode: str) -> None:
    if per_sample_weights is None:
        return
    if mode != "sum":
        raise NotImplementedError(
            f"embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' "
            f"(got mode={mode!r})"
        )
    if per_sample_weights._data.shape != input._data.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({Size(per_sample_weights._data.shape)}) is not None, then it must "
            f"have the same shape as the input ({Size(input._data.shape)})"
        )
    if per_sample_weights._data.dtype != weight._data.dtype:
        raise DTypeError(
            "embedding_bag: Expected tensor for argument #1 'weight' to have the same type as tensor for argument #1 "
            f"'per_sample_weights', but they are {weight._data.dtype.name} and {per_sample_weights._data.dtype.name}"
        )


def bags_of(input: Any, offsets: Any, include_last: bool) -> tuple[Any, Any, int]:
    """All indices in one row, the bag of each, and how many bags there are."""
    for name, value in (("input", input), ("offsets", offsets)):
        if value is not None and not isinstance(value, TensorBase):
            raise TypeError(f"embedding_bag(): argument '{name}' must be Tensor, not {type(value).__name__}")
    index = input._data
    if index.dtype.name not in ("int64", "int32"):
        raise DTypeError(TYPES.format("indices", input.type()))
    k = kernels_of[type(index)]
    if index.ndim == 2:
        if offsets is not None:
            raise ValueError(
                f"if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                f"sequences. However, found offsets of type {type(offsets)}"
            )
        bags, size = index.shape
        return index.reshape(-1), k.repeat(k.arange(bags), size), bags
    if index.ndim != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {index.ndim}")
    if offsets is None or offsets._data.ndim != 1:
        raise ValueError(
            "offsets has to be a 1D Tensor but got None" if offsets is None else "offsets has to be a 1D Tensor"
        )
    starts = offsets._data
    if starts.dtype.name not in ("int64", "int32"):
        raise DTypeError(TYPES.format("offsets", offsets.type()))
    if starts.size and int(starts[0]) != 0:
        raise ShapeError(
            "embedding_bag: offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from "
            f"position 0. However, got {int(starts[0])}"
        )
    if starts.size and int(starts.max()) > index.size:
        raise ShapeError(
            f"embedding_bag: offsets[-1] can not be greater than input's length {index.size} but got offsets[-1] of "
            f"{int(starts.max())}"
        )
    if include_last:
        starts = starts[:-1]
    bag = k.searchsorted(starts, k.arange(index.size, dtype=starts.dtype), side="right") - 1
    return index, bag, starts.size
