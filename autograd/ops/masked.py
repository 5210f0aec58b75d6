"""Elements where a mask holds, positions of elements that are not zero, and positions as masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.batched import any_in
from ...backends.errors import ArgumentError, DTypeError, InvalidValueError, ShapeError
from ..base import TensorBase, wrap
from ..inplace import inplace
from ..out import write_out
from ..primitive import Primitive, apply
from ..write_checks import check_writable
from .conversion import to
from .dims import scalar_name, sizes_of
from .expansion import broadcast_shapes, broadcast_tensors, expand
from .index_put import write_positions
from .indexing import slice_rule
from .layout import clone, contiguous_format, refuse_overlap
from .select import where_rule
from .shape import ravel, reshape_rule
from .slices import fill_value
from .splitting import unbind

if TYPE_CHECKING:
    from ..tensor import Tensor


class MaskedFill(Primitive):
    """``value`` where the mask holds, else ``x``."""

    layout = "contiguous"

    @staticmethod
    def forward(ctx: Any, x: Any, mask: Any, value: Any) -> Any:
        ctx.save(mask)
        return ctx.k.where(mask, ctx.k.asarray(value, dtype=x.dtype), x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (mask,) = ctx.saved
        gx = where_rule(mask, 0.0, g) if ctx.needs[0] else None
        return gx, None, where_rule(mask, g, 0.0) if ctx.needs[2] else None


def _mask(name: str, input: Any, mask: Any) -> Any:
    if mask._data.dtype.kind != "b":
        raise DTypeError(f"{name} only supports boolean masks, but got mask with dtype {scalar_name(mask)}")
    return mask if type(mask._data) is type(input._data) else to(mask, input.device)


def _solid(x: Any) -> Any:
    """``x`` with at least one dimension."""
    return x if x._data.ndim else reshape_rule(x, (1,))


def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """``value``, a number or 0-d tensor, where ``mask`` holds, else ``input``; they broadcast.

    Raises:
        RuntimeError: the mask is not boolean, or the shapes do not broadcast.

    Example:
        >>> import wengert as wg
        >>> wg.ones(3).masked_fill(wg.tensor([True, False, True]), 0)
        tensor([0., 1., 0.])
    """
    broadcast_shapes(input._data.shape, mask._data.shape)
    value = fill_value("masked_fill", input, value)
    return apply(MaskedFill, input, _mask("masked_fill", input, mask), value)


def masked_fill_(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """`masked_fill` in place."""
    refuse_overlap("masked_fill_", input, mask)
    return inplace(input, "masked_fill_", lambda t: masked_fill(t, mask, value))


def masked_select(input: Tensor, mask: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The elements where ``mask`` holds, in one dimension; the two broadcast."""
    refuse_overlap("masked_select", out, input, mask)
    if mask._data.dtype.kind != "b":
        raise DTypeError(f"masked_select: expected BoolTensor for mask, but got {scalar_name(mask)}")
    x, m = broadcast_tensors(input, _mask("masked_select", input, mask))
    y = _solid(x)[_solid(m)]
    return y if out is None else write_out(out, y, "masked_select")


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """``input`` with the elements of ``source``, in order, where ``mask`` holds.

    Raises:
        RuntimeError: ``source`` has too few elements, or another dtype.
    """
    x, m = broadcast_tensors(input, _mask("masked_scatter_", input, mask))
    return masked_scatter_(clone(x, memory_format=contiguous_format), m, source)


def masked_scatter_(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """`masked_scatter` in place."""
    if source._data.dtype != input._data.dtype:
        raise DTypeError(
            f"masked_scatter: expected self and source to have same dtypes but got {scalar_name(input)} and "
            f"{scalar_name(source)}"
        )
    check_writable(input, "masked_scatter_")
    m = _solid(expand(_mask("masked_scatter_", input, mask), input._data.shape))
    positions = [wrap(p) for p in kernels_of[type(m._data)].nonzero(m._data)]
    count = positions[0]._data.size
    if source._data.size < count:
        raise ShapeError(
            f"masked_scatter: Number of elements of source < number of ones in mask: {source._data.size} are not "
            f"enough elements for {count}"
        )
    values = slice_rule(ravel(source), 0, 0, count)
    write_positions(_solid(input), positions, tuple(range(len(positions))), values, False, "masked_scatter_")
    return input


# ---------------------------------------------------------------------- positions


def nonzero(input: Tensor, *, as_tuple: bool = False, out: Tensor | None = None) -> Any:
    """Where the elements are that are not zero.

    Args:
        input: any shape.
        as_tuple: return one tensor of positions per dimension, which can be used as an index.
        out: a tensor to write the result to.

    Returns:
        int64, shape (number, dimensions); or a tuple of tensors of shape (number,).

    Example:
        >>> import wengert as wg
        >>> wg.nonzero(wg.tensor([0, 3, 5]))
        tensor([[1],
                [2]])
    """
    x = input._data
    if as_tuple and out is not None:
        raise ArgumentError("nonzero does not support the out kwarg when as_tuple is True")
    if out is not None and out._data.dtype.name != "int64":
        raise DTypeError(
            f"nonzero: Expected out tensor to have scalar type Long but got scalar type {scalar_name(out)}"
        )
    k = kernels_of[type(x)]
    positions = [p.astype("int64") for p in k.nonzero(x if x.ndim else x.reshape(1))]
    if as_tuple:
        return tuple([wrap(p) for p in positions])
    number = positions[0].size
    y = wrap(k.stack(positions, axis=0).T if x.ndim else k.zeros((number, 0), dtype="int64"))
    return y if out is None else write_out(out, y, "nonzero")


def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1) -> Tensor:
    """`nonzero` with a fixed number of rows: cut off, or filled up with ``fill_value``.

    Raises:
        RuntimeError: ``size`` is negative.
    """
    if size < 0:
        raise ShapeError(f"nonzero_static: 'size' must be an non-negative integer, got {size}")
    rows = nonzero(input)._data[:size]
    k = kernels_of[type(rows)]
    y = k.full((size, input._data.ndim), fill_value, dtype="int64")
    y[: rows.shape[0]] = rows
    return wrap(y)


def argwhere(input: Tensor) -> Tensor:
    """`nonzero` as one tensor."""
    return nonzero(input)


def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """The positions in each dimension of ``shape`` that positions in the flattened tensor mean.

    Args:
        indices: integers, any shape.
        shape: the sizes.

    Raises:
        TypeError: ``indices`` or ``shape`` are no integers. ValueError: a size is negative.
    """
    x = indices._data
    if x.dtype.kind not in "iu":
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    if isinstance(shape, TensorBase) or not isinstance(shape, int | list | tuple):
        raise TypeError(f"expected 'shape' to be int or sequence of ints, but got {type(shape)}")
    for n in shape if isinstance(shape, list | tuple) else ():
        if not hasattr(n, "__index__"):
            raise TypeError(f"expected 'shape' sequence to only contain ints, but got {type(n)}")
    sizes = sizes_of("unravel_index", shape)
    if any(n < 0 for n in sizes):
        raise InvalidValueError(f"'shape' cannot have negative values, but got {tuple(sizes)}")
    rest, found = x.astype("int64"), []
    k = kernels_of[type(x)]
    for n in reversed(sizes):
        found.append(k.asarray(rest % n))
        rest = rest // n
    return unbind(wrap(k.stack(found[::-1], axis=-1)), -1) if found else ()


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """For each class number a row that is 1 there and 0 elsewhere.

    Args:
        tensor: class numbers, int64, any shape.
        num_classes: how many classes there are; one more than the largest number unless told.

    Returns:
        int64, one more dimension.

    Raises:
        RuntimeError: a number is negative, or not below ``num_classes``, or there are none to tell how many classes.

    Example:
        >>> import wengert as wg
        >>> wg.nn.functional.one_hot(wg.tensor([1, 0]), 3)
        tensor([[0, 1, 0],
                [1, 0, 0]])
    """
    x = tensor._data
    if x.dtype.name != "int64":
        raise DTypeError(f"one_hot is only applicable to index tensor of type LongTensor, got {tensor.dtype}")
    k = kernels_of[type(x)]
    if not x.size:
        if num_classes <= 0:
            raise ShapeError("Can not infer total number of classes from empty tensor.")
        return wrap(k.zeros((*x.shape, num_classes), dtype="int64"))
    if any_in(x < 0):
        raise ShapeError("Class values must be non-negative.")
    most = int(k.max(x))
    if num_classes == -1:
        num_classes = most + 1
    elif num_classes < 1:
        raise ShapeError("num_classes should be positive")
    elif most >= num_classes:
        raise ShapeError(f"Class values must be smaller than num_classes: {most} is not below {num_classes}")
    y = k.zeros((*x.shape, num_classes), dtype="int64")
    k.scatter_(y, x[..., None], 1, x.ndim)
    return wrap(y)
