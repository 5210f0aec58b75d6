"""Whole slices at positions of one dimension, read and written: index_select, index_add, index_copy, index_fill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends.batched import any_in
from ...backends.errors import DTypeError, ShapeError
from ..base import TensorBase
from ..out import write_out
from ..primitive import apply
from .conversion import to
from .dims import numpy_names
from .gather import IndexAdd, IndexCopy, IndexFill, index_select_rule
from .gather_arguments import at_least_1d, slices, source_of, wrap_negative
from .layout import refuse_overlap
from .scalar import number_for
from .shape import reshape_rule
from .writing import write_into

if TYPE_CHECKING:
    from ..tensor import Tensor


@numpy_names
def index_select(input: Tensor, dim: int, index: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The slices of ``input`` at the positions ``index`` of ``dim``, as a copy.

    Args:
        input: any shape.
        dim: the dimension.
        index: int64, shape (n,).
        out: a tensor to write the result to.

    Raises:
        IndexError: a position is out of range, or ``index`` has several dimensions.

    Example:
        >>> import wengert as wg
        >>> wg.index_select(wg.eye(2), 0, wg.tensor([1, 1]))
        tensor([[0., 1.],
                [0., 1.]])
    """
    refuse_overlap("index_select", out, input, index)
    dim, index = slices("index_select", input, dim, index)
    if not input._data.size and input._data.ndim > 1:
        _check_empty(input, dim, index)
    y = index_select_rule(at_least_1d(input), index, dim)
    if not input._data.ndim:
        if index._data.size != 1:
            raise ShapeError(f"index_select(): Index to scalar can have only 1 value, got {index._data.size} values")
        y = reshape_rule(y, ())
    return y if out is None else write_out(out, y, "index_select")


def _check_empty(input: Tensor, dim: int, index: Tensor) -> None:
    """Raise if there is nothing to select at a position of a tensor without elements."""
    n = input._data.shape[dim]
    if index._data.size and not n:
        raise ShapeError("index_select(): self indexing axis dim should be positive, but it has no positions")
    if any_in((index._data < 0) | (index._data >= n)):
        raise ShapeError(
            f"index_select(): INDICES element is out of DATA bounds: {n} positions, and positions up to "
            f"{index._data.max()} or below 0"
        )


def _scaled(source: Any, alpha: Any) -> Any:
    return source if alpha == 1 else source * alpha


def index_add(
    input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1, out: Tensor | None = None
) -> Tensor:
    """A copy of ``input`` with ``alpha`` times the slices of ``source`` added at the positions ``index`` of ``dim``.

    Raises:
        RuntimeError: the shapes do not fit. IndexError: a position is out of range.
    """
    dim, index = slices("index_add", input, dim, index)
    x = at_least_1d(input)
    y = apply(IndexAdd, x, index, _scaled(source_of("index_add", x, dim, index, source), alpha), dim=dim)
    y = reshape_rule(y, input._data.shape)
    return y if out is None else write_out(out, y, "index_add")


def index_add_(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """`index_add` in place."""
    refuse_overlap("index_add_", input, index, source)
    dim, index = slices("index_add_", input, dim, index)
    x = at_least_1d(input)
    write_into(
        IndexAdd, x, "index_add_", index, _scaled(source_of("index_add_", x, dim, index, source), alpha), dim=dim
    )
    return input


def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor, *, out: Tensor | None = None) -> Tensor:
    """A copy of ``input`` with the slices of ``source`` written at the positions ``index`` of ``dim``."""
    dim, index = slices("index_copy", input, dim, index)
    x = at_least_1d(input)
    y = apply(IndexCopy, x, index, source_of("index_copy", x, dim, index, source), dim=dim)
    y = reshape_rule(y, input._data.shape)
    return y if out is None else write_out(out, y, "index_copy")


def index_copy_(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """`index_copy` in place."""
    refuse_overlap("index_copy_", input, index, source)
    dim, index = slices("index_copy_", input, dim, index)
    x = at_least_1d(input)
    write_into(IndexCopy, x, "index_copy_", index, source_of("index_copy_", x, dim, index, source), dim=dim)
    return input


def fill_value(name: str, input: Any, value: Any) -> Any:
    """A number or 0-d Tensor that may be written to ``input``, of its dtype.

    Raises:
        RuntimeError: it has dimensions, or does not fit the dtype.
    """
    if not isinstance(value, TensorBase):
        if isinstance(value, complex) and input._data.dtype.kind != "c":
            raise DTypeError(
                f"{name}(): Converting complex Scalar to non-complex type is not supported: value cannot be "
                f"converted to type {input.dtype} without overflow"
            )
        return number_for(value, input._data.dtype)
    if value._data.ndim:
        raise ShapeError(
            f"{name} only supports a 0-dimensional value tensor, but got tensor with {value._data.ndim} dimension(s)."
        )
    if value._data.dtype.kind == "c" and input._data.dtype.kind != "c":
        raise DTypeError(
            f"{name}: value cannot be converted to type {input.dtype} without overflow: it is {value.dtype}"  # type: ignore[attr-defined]
        )
    return to(value, input.device, input.dtype)  # type: ignore[arg-type]


def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """A copy of ``input`` with ``value``, a number or 0-d tensor, in the slices at the positions ``index``."""
    dim, index = slices("index_fill", input, dim, index)
    value = fill_value("index_fill", input, value)
    index = wrap_negative(index, at_least_1d(input)._data.shape[dim])
    return reshape_rule(apply(IndexFill, at_least_1d(input), index, value, dim=dim), input._data.shape)


def index_fill_(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """`index_fill` in place."""
    refuse_overlap("index_fill_", input, index)
    dim, index = slices("index_fill_", input, dim, index)
    x, value = at_least_1d(input), fill_value("index_fill_", input, value)
    write_into(IndexFill, x, "index_fill_", wrap_negative(index, x._data.shape[dim]), value, dim=dim)
    return input
