"""Sorting, the largest elements, and places in sorted rows."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.errors import DimensionError, DTypeError, ShapeError, UnsupportedDTypeError
from ..base import TensorBase, wrap
from ..out import write_out
from ..primitive import Primitive, apply
from ..promotion import promote_types
from .data import as_tensor
from .dims import canonical_dim, numpy_names, scalar_name
from .gather import gather_adjoint
from .layout import refuse_overlap
from .return_types import named_result
from .shape import reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor

SortResult = named_result("sort", "values indices")
TopkResult = named_result("topk", "values indices")
KthvalueResult = named_result("kthvalue", "values indices")


class Picked(Primitive):
    """Elements of each row of ``dim``, and where they were: the gradient goes back there."""

    @staticmethod
    def picked(ctx: Any, x: Any, positions: Any, dim: int) -> Any:
        """The outputs of an op that found ``positions``."""
        positions = ctx.k.ascontiguousarray(positions)
        ctx.save(positions)
        ctx.info = x.shape
        return ctx.k.ascontiguousarray(ctx.k.gather_elements(x, positions, dim)), positions

    @staticmethod
    def backward(ctx: Any, g: Any, _: Any) -> Any:
        (positions,) = ctx.saved_arrays
        return gather_adjoint(g, positions, ctx.params["dim"], ctx.info)


class Sort(Picked):
    """Each row in order."""

    layout = "operands"

    @classmethod
    def forward(cls, ctx: Any, x: Any, *, dim: int, descending: bool) -> Any:
        return cls.picked(ctx, x, ctx.k.sort_positions(x, dim, descending), dim)


class Topk(Picked):
    """The largest (or least) elements of each row, in order."""

    @classmethod
    def forward(cls, ctx: Any, x: Any, *, count: int, dim: int, largest: bool) -> Any:
        return cls.picked(ctx, x, ctx.k.top_positions(x, count, dim, largest), dim)


class Kthvalue(Picked):
    """The element that is at position ``count - 1`` when its row is sorted."""

    @classmethod
    def forward(cls, ctx: Any, x: Any, *, count: int, dim: int) -> Any:
        return cls.picked(ctx, x, ctx.k.kth_positions(x, count, dim), dim)


def _row(name: str, input: Any) -> Any:
    """``input`` with a dimension to sort along.

    Raises:
        TypeError: it is no Tensor. RuntimeError: it is complex.
    """
    if not isinstance(input, TensorBase):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    if input._data.dtype.kind == "c":
        verb = "Sort" if "sort" in name else name
        raise DTypeError(f"{verb} does not support complex dtypes, which have no order: got {input.dtype}")  # type: ignore[attr-defined]
    return input if input._data.ndim else reshape_rule(input, (1,))


def _result(kind: Any, pair: Any, shape: tuple[int, ...], out: Any, name: str) -> Any:
    if pair[0]._data.shape != shape:
        pair = [reshape_rule(part, shape) for part in pair]
    return kind(*pair) if out is None else kind(*[write_out(o, p, name) for o, p in zip(out, pair, strict=True)])


@numpy_names
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False, *, out: Any = None) -> Any:
    """Each row of ``dim`` in order.

    Args:
        input: any real dtype.
        dim: the dimension to sort along.
        descending: largest first; NaN is larger than all numbers.
        stable: equal elements keep their order; they do in any case.
        out: two tensors to write the results to.

    Returns:
        ``(values, indices)``: the sorted elements, and where they were, int64.

    Example:
        >>> import wengert as wg
        >>> wg.sort(wg.tensor([3, 1, 2])).indices
        tensor([1, 2, 0])
    """
    x = _row("sort", input)
    pair = apply(Sort, x, dim=canonical_dim(dim, x._data.ndim, "sort"), descending=bool(descending))
    return _result(SortResult, pair, input._data.shape, out, "sort")


@numpy_names
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """Where the elements of each sorted row come from, int64; see `sort`."""
    x = _row("argsort", input)._data
    positions = kernels_of[type(x)].sort_positions(x, canonical_dim(dim, x.ndim, "argsort"), bool(descending))
    return wrap(positions.reshape(input._data.shape))


def msort(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Sorted along the first dimension."""
    y = sort(input, 0).values
    return y if out is None else write_out(out, y, "msort")


@numpy_names
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True, *, out: Any = None) -> Any:
    """The ``k`` largest (or least) elements of each row of ``dim``, in order.

    Args:
        input: any real dtype.
        k: how many.
        dim: the dimension to choose along.
        largest: False for the least.
        sorted: they are in order in any case.
        out: two tensors to write the results to.

    Returns:
        ``(values, indices)``.

    Raises:
        RuntimeError: a row has fewer elements.
    """
    x = _row("topk", input)
    if isinstance(dim, bool):
        raise TypeError("topk(): argument 'dim' (position 2) must be int, not bool")
    if x._data.dtype.kind == "b":
        raise DTypeError("topk does not support bool dtypes; convert with .int()")
    dim = canonical_dim(dim, x._data.ndim, "topk")
    if not 0 <= k <= x._data.shape[dim]:
        raise ShapeError(f"topk: selected index k out of range: {k} of {x._data.shape[dim]} along dimension {dim}")
    pair = apply(Topk, x, count=int(k) if input._data.ndim else 1, dim=dim, largest=bool(largest))
    return _result(TopkResult, pair, pair[0]._data.shape if input._data.ndim else (), out, "topk")


@numpy_names
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False, *, out: Any = None) -> Any:
    """The ``k``-th least element of each row of ``dim``, counted from 1, and where it is.

    Raises:
        RuntimeError: a row has fewer elements.
    """
    for target in out or ():
        refuse_overlap("kthvalue", target, input)
    x = _row("kthvalue", input)
    if x._data.dtype.kind == "b":
        raise UnsupportedDTypeError("\"kthvalue_cpu\" not implemented for 'Bool'")
    dim = canonical_dim(dim, x._data.ndim, "kthvalue")
    shape = x._data.shape
    if not shape[dim]:
        raise DimensionError(f"kthvalue(): Expected reduction dim {dim} to have non-zero size.")
    if not 1 <= k <= shape[dim]:
        raise ShapeError(f"kthvalue: selected number k out of range for dimension {dim}: {k} of {shape[dim]}")
    pair = apply(Kthvalue, x, count=int(k), dim=dim)
    size = (1,) if keepdim and input._data.ndim else ()
    return _result(KthvalueResult, pair, (*shape[:dim], *size, *shape[dim + 1 :]), out, "kthvalue")


# ---------------------------------------------------------------------- places in sorted rows


def searchsorted(
    sorted_sequence: Tensor,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    out: Tensor | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """Before how many elements of its ascending row each value goes.

    Args:
        sorted_sequence: shape (n,), or rows with the leading sizes of ``input``.
        input: values; a number, or a Tensor.
        out_int32: return int32 instead of int64.
        right: go behind equal elements.
        side: ``"left"`` or ``"right"``, another way to say it.
        out: a tensor to write the result to.
        sorter: positions that put ``sorted_sequence`` into order, if it is not.

    Returns:
        The shape of ``input``.

    Raises:
        RuntimeError: the leading sizes differ, or ``right`` and ``side`` contradict each other.

    Example:
        >>> import wengert as wg
        >>> wg.searchsorted(wg.tensor([1, 3, 5]), wg.tensor([3, 6]))
        tensor([1, 3])
    """
    if side not in (None, "left", "right"):
        raise ShapeError(f"searchsorted: side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise ShapeError(
            "searchsorted: side and right can't be set to opposites, got side of left while right was True"
        )
    values: Any = input if isinstance(input, TensorBase) else as_tensor(input, device=sorted_sequence.device)
    _check_search(sorted_sequence, values, values is input, sorter, out, "int32" if out_int32 else "int64")
    rows, v = sorted_sequence._data, values._data
    k = kernels_of[type(rows)]
    if sorter is not None:
        rows = k.take_along_axis(rows, sorter._data, -1)
    if not rows.ndim:
        raise ShapeError("searchsorted: boundaries tensor should have at least 1 dimension")
    if rows.dtype != v.dtype:
        common = promote_types(sorted_sequence.dtype, values.dtype).dtype
        rows, v = rows.astype(common), v.astype(common)
    if rows.ndim > 1 and rows.shape[:-1] != v.shape[:-1]:
        raise ShapeError(
            "searchsorted: boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor "
            f"and input value tensor must match, but we got boundaries tensor {list(rows.shape)} and input tensor "
            f"{list(v.shape)}"
        )
    behind = right or side == "right"
    positions = k.places(rows, v, behind) if rows.ndim == 1 else k.row_positions(rows, v, behind)
    y: Tensor = wrap(k.asarray(positions).astype("int32" if out_int32 else "int64"))
    return y if out is None else write_out(out, y, "searchsorted")


def _check_search(boundaries: Any, values: Any, given: bool, sorter: Any, out: Any, result: str) -> None:
    """Raise unless `searchsorted` takes the arguments; warn of copies."""
    for what, x in (("boundary", boundaries), ("input value", values)):
        if x.dtype.category in (0, 3):
            raise UnsupportedDTypeError(f'"searchsorted" not implemented for {scalar_name(x)!r}')
        if not x._data.flags.c_contiguous:
            warnings.warn(
                f"searchsorted(): {what} tensor is non-contiguous, this will lower the performance due to extra data "
                "copy; please use a contiguous tensor if possible",
                stacklevel=3,
            )
    if not given and boundaries._data.ndim != 1:
        raise ShapeError(
            "searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1, but it is "
            f"{boundaries._data.ndim}"
        )
    if out is not None and out._data.dtype.name != result:
        raise DTypeError(
            "searchsorted(): output tensor's dtype is wrong, it can only be Int(int32) or Long(int64) depending on "
            f"whether out_int32 flag is True, but we got {scalar_name(out)}"
        )
    if sorter is None:
        return
    if sorter._data.shape != boundaries._data.shape:
        raise ShapeError(
            "searchsorted(): boundary and sorter must have the same size, but got boundary tensor "
            f"{list(boundaries._data.shape)} and got sorter tensor {list(sorter._data.shape)}"
        )
    if sorter._data.dtype.name != "int64":
        raise DTypeError(f"searchsorted(): sorter must be a tensor of long dtype but got dtype {scalar_name(sorter)}")
    at = sorter._data
    if at.size and (int(at.min()) < 0 or int(at.max()) >= at.shape[-1]):
        raise ShapeError("searchsorted(): sorter index out of range")


def bucketize(
    input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False, out: Tensor | None = None
) -> Tensor:
    """The number of the bucket that each value falls into; ``boundaries``, shape (n,), ascend.

    Raises:
        RuntimeError: ``boundaries`` has not one dimension.
    """
    if boundaries._data.ndim != 1:
        raise ShapeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries._data.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right, out=out)
