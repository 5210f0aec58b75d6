"""Elements of a tensor read as one row: ``take`` and ``put``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends.errors import DimensionError, DTypeError, OutOfRangeError
from ..inplace import inplace
from ..out import write_out
from ..write_checks import check_writable
from .dims import scalar_name
from .gather_arguments import index_tensor
from .index_put import write_positions
from .indexing import index_rule
from .layout import is_contiguous, refuse_overlap
from .shape import ravel, reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


def take(input: Tensor, index: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Elements at positions of the flattened tensor, in the shape of ``index``.

    Raises:
        IndexError: a position is out of range, or there are no elements.
    """
    refuse_overlap("take", out, input, index)
    index = index_tensor("take", input, index, long=True)
    if index._data.size and not input._data.size:
        raise OutOfRangeError("take(): tried to take from an empty tensor")
    try:
        y = index_rule(ravel(input), (index,), (0,))
    except DimensionError as error:
        raise _far("take", input, error) from None
    return y if out is None else write_out(out, y, "take")


def _far(name: str, input: Any, error: Exception) -> Exception:
    return OutOfRangeError(
        f"{name}(): out of range: tried to access {str(error).split(' is ', 1)[0]} on a tensor of {input._data.size} "
        "elements."
    )


def put_(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """Write (or add) the elements of ``source`` at positions of the flattened tensor, in place."""
    index = index_tensor("put_", input, index, long=True)
    if source._data.dtype != input._data.dtype:
        raise DTypeError(
            "put_(): self and source expected to have the same dtype, but got self.dtype = "
            f"{scalar_name(input)} and source.dtype = {scalar_name(source)}"
        )
    refuse_overlap("put_", input, index, source)
    if index._data.size != source._data.size:
        raise OutOfRangeError(
            f"put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{source._data.size}, index.numel() = {index._data.size}"
        )
    flat = ravel(input)
    if not is_contiguous(input) and input._data.size:  # write to a copy, then copy that back
        check_writable(input, "put_")
        return inplace(input, "put_", lambda t: reshape_rule(put(ravel(t), index, source, accumulate), t._data.shape))
    try:
        write_positions(flat, [ravel(index)], (0,), ravel(source), accumulate, "put_")
    except DimensionError as error:
        raise _far("put_", input, error) from None
    return input


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """`put_` on a copy."""
    return put_(input.clone(), index, source, accumulate)
