"""Joining tensors; what splits them is in ``splitting.py``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...backends.errors import InvalidValueError, ShapeError
from ..base import TensorBase
from ..out import write_out
from ..primitive import Primitive, apply
from ..promotion import result_type
from .atleast import atleast_1d, atleast_2d, atleast_3d
from .cast import cast
from .dims import canonical_dim, numpy_names
from .layout import refuse_overlap
from .shape import reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


def part(dim: int, start: int, stop: int) -> tuple[Any, ...]:
    """The index of elements ``start`` to ``stop`` of dimension ``dim``."""
    return (slice(None),) * dim + (slice(start, stop),)


class Cat(Primitive):
    """Tensors one after another along ``dim``."""

    layout = "common channels"

    @staticmethod
    def forward(ctx: Any, *xs: Any, dim: int) -> Any:
        ctx.info = [x.shape[dim] for x in xs]
        return ctx.k.concatenate(xs, axis=dim)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        dim, start, grads = ctx.params["dim"], 0, []
        for n, need in zip(ctx.info, ctx.needs, strict=True):
            grads.append(g[part(dim, start, start + n)] if need else None)
            start += n
        return tuple(grads)


class Stack(Primitive):
    """Tensors of one shape along a new dimension ``dim``."""

    @staticmethod
    def forward(ctx: Any, *xs: Any, dim: int) -> Any:
        return ctx.k.stack(xs, axis=dim)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        lead = (slice(None),) * ctx.params["dim"]
        return tuple([g[(*lead, i)] if need else None for i, need in enumerate(ctx.needs)])


def cat_rule(xs: Sequence[Any], dim: int) -> Any:
    """Tensors or arrays of one element type, joined along ``dim``."""
    return apply(Cat, *xs, dim=dim)


def stack_rule(xs: Sequence[Any], dim: int) -> Any:
    """Tensors or arrays of one element type and shape, along a new ``dim``."""
    return apply(Stack, *xs, dim=dim)


# ---------------------------------------------------------------------- joining


STACKS = ("stack", "hstack", "vstack", "dstack", "column_stack")


def _ready(name: str, tensors: Sequence[Any]) -> list[Any]:
    """The tensors, of one element type.

    Raises:
        TypeError: one is no tensor. ValueError: there are none.
    """
    if isinstance(tensors, TensorBase):
        raise TypeError(f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not Tensor")
    xs = list(tensors)
    if not xs:
        what = "expects a non-empty TensorList" if name in STACKS else "(): expected a non-empty list of Tensors"
        raise InvalidValueError(f"{name}{' ' * (name in STACKS)}{what}")
    for i, x in enumerate(xs):
        if not isinstance(x, TensorBase):
            raise TypeError(f"{name}(): expected Tensor as element {i} in argument 0, but got {type(x).__name__}")
    if any(x._data.dtype is not xs[0]._data.dtype for x in xs):
        dtype = result_type(*xs).dtype
        xs = [x if x._data.dtype == dtype else cast(x, dtype) for x in xs]
    return xs


@numpy_names
def cat(tensors: Sequence[Tensor], dim: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Tensors one after another along ``dim``; all other sizes must agree.

    Args:
        tensors: of any shapes that agree outside ``dim``; empty 1-d tensors are passed over.
        dim: an existing dimension.
        out: a tensor to write the result to.

    Returns:
        The promoted dtype.

    Raises:
        RuntimeError: the shapes disagree, or there is no tensor.

    Example:
        >>> import wengert as wg
        >>> wg.cat([wg.zeros(2), wg.ones(1)])
        tensor([0., 0., 1.])
    """
    xs = _ready("cat", tensors)
    refuse_overlap("cat", out, *xs)
    sized = [x for x in xs if x._data.shape != (0,)] or xs[:1]
    shape = sized[0]._data.shape
    if not shape:
        raise ShapeError("zero-dimensional tensor (at position 0) cannot be concatenated; use stack")
    dim = 0 if shape == (0,) else canonical_dim(dim, len(shape), "cat")  # any will do where all were passed over
    for i, x in enumerate(sized):
        if x._data.shape != shape:
            _check_like(shape, x._data.shape, dim, i)
    y = cat_rule(sized, dim)
    return y if out is None else write_out(out, y, "cat")


concat = concatenate = cat


def _check_like(shape: tuple[int, ...], other: tuple[int, ...], dim: int, i: int) -> None:
    """Raise unless tensor number ``i`` can be put behind the first one."""
    if len(other) != len(shape):
        raise ShapeError(
            f"cat: Tensors must have same number of dimensions: got {len(shape)} and {len(other)} "
            f"(shapes {list(shape)} and {list(other)})"
        )
    for d, (n, m) in enumerate(zip(shape, other, strict=True)):
        if n != m and d != dim:
            raise ShapeError(
                f"cat: Sizes of tensors must match except in dimension {dim}. Expected size {n} but got size {m} "
                f"for tensor number {i} in the list. All tensors must have the same shape: {list(shape)} (except in "
                f"the concatenating dimension), but found shape: {list(other)}"
            )


@numpy_names
def stack(tensors: Sequence[Tensor], dim: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Tensors of one shape along a new dimension ``dim``.

    Raises:
        RuntimeError: the shapes differ, or there is no tensor.

    Example:
        >>> import wengert as wg
        >>> wg.stack([wg.zeros(2), wg.ones(2)], dim=1)
        tensor([[0., 1.],
                [0., 1.]])
    """
    xs = _ready("stack", tensors)
    shape = xs[0]._data.shape
    for i, x in enumerate(xs):
        if x._data.shape != shape:
            raise ShapeError(
                f"stack expects each tensor to be equal size, but got {list(shape)} at entry 0 and "
                f"{list(x._data.shape)} at entry {i}"
            )
    y = stack_rule(xs, canonical_dim(dim, len(shape) + 1, "stack"))
    return y if out is None else write_out(out, y, "stack")


def hstack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """Side by side: along dimension 1, or 0 for 1-d tensors."""
    xs = atleast_1d(_ready("hstack", tensors))
    return cat(xs, 0 if xs[0]._data.ndim == 1 else 1, out=out)


def vstack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """One below another, as rows."""
    return cat(atleast_2d(_ready("vstack", tensors)), 0, out=out)


row_stack = vstack


def dstack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """One behind another, along dimension 2."""
    return cat(atleast_3d(_ready("dstack", tensors)), 2, out=out)


def column_stack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """Side by side, with 1-d tensors as columns."""
    columns = [x if x._data.ndim > 1 else reshape_rule(x, (x._data.size, 1)) for x in _ready("column_stack", tensors)]
    return cat(columns, 1, out=out)


def block_diag(*tensors: Tensor) -> Tensor:
    """The matrices along the diagonal of a larger one that is zero elsewhere.

    Raises:
        RuntimeError: one has more than two dimensions.
    """
    from .creation import empty
    from .indexing import put_rule

    xs = atleast_2d(_ready("block_diag", tensors or [empty(1, 0)]))
    for i, x in enumerate(xs):
        if x._data.ndim > 2:
            raise ShapeError(
                "torch.block_diag: Input tensors must have 2 or fewer dimensions. "
                f"Input {i} has {x._data.ndim} dimensions"
            )
    shape = tuple([sum(n) for n in zip(*[x._data.shape for x in xs], strict=True)])
    total: Any = None
    row = column = 0
    for x in xs:
        height, width = x._data.shape
        placed = put_rule(x, (slice(row, row + height), slice(column, column + width)), shape)
        total = placed if total is None else total + placed
        row, column = row + height, column + width
    return total
