"""Joining tensors, and splitting them into views."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ...backends.errors import DimensionError, DTypeError, InvalidValueError, ShapeError
from ..base import TensorBase
from ..inplace import write_out
from ..primitive import Primitive, apply
from ..promotion import result_type
from .atleast import atleast_1d, atleast_2d, atleast_3d
from .cast import cast
from .dims import canonical_dim, numpy_names, scalar_name, sizes_of
from .layout import refuse_overlap
from .shape import reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


F = TypeVar("F", bound=Callable[..., Any])


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


class Split(Primitive):
    """Views of consecutive parts of dimension ``dim``."""

    view = views_many = True

    @staticmethod
    def forward(ctx: Any, x: Any, *, sizes: tuple[int, ...], dim: int) -> Any:
        parts, start = [], 0
        for n in sizes:
            parts.append(x[part(dim, start, start + n)])
            start += n
        return tuple(parts)

    @staticmethod
    def backward(ctx: Any, *gs: Any) -> Any:
        return cat_rule(gs, ctx.params["dim"])


class Unbind(Primitive):
    """Views of the slices of dimension ``dim``, without it."""

    view = views_many = True

    @staticmethod
    def forward(ctx: Any, x: Any, *, dim: int) -> Any:
        lead = (slice(None),) * dim
        return tuple([x[(*lead, i, ...)] for i in range(x.shape[dim])])

    @staticmethod
    def backward(ctx: Any, *gs: Any) -> Any:
        return stack_rule(gs, ctx.params["dim"])


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
    dim = canonical_dim(dim, len(shape), "cat")
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
    if any(x._data.ndim > 2 for x in xs):
        raise ShapeError("block_diag: Input tensors must have 2 or fewer dimensions")
    shape = tuple([sum(n) for n in zip(*[x._data.shape for x in xs], strict=True)])
    total: Any = None
    row = column = 0
    for x in xs:
        height, width = x._data.shape
        placed = put_rule(x, (slice(row, row + height), slice(column, column + width)), shape)
        total = placed if total is None else total + placed
        row, column = row + height, column + width
    return total


# ---------------------------------------------------------------------- splitting


@numpy_names
def split(tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Views of consecutive parts.

    Args:
        tensor: any shape but 0-d.
        split_size_or_sections: the size of each part (the last may be smaller), or all their sizes.
        dim: the dimension to split.

    Raises:
        RuntimeError: the sizes do not add up.

    Example:
        >>> import wengert as wg
        >>> [part.tolist() for part in wg.arange(5).split(2)]
        [[0, 1], [2, 3], [4]]
    """
    shape = tensor._data.shape
    if not shape:
        raise ShapeError("split expects at least a 1-dimensional tensor")
    dim = canonical_dim(dim, len(shape), "split")
    n = shape[dim]
    if isinstance(split_size_or_sections, list | tuple):
        sizes = sizes_of("split", split_size_or_sections)
        if any(s < 0 for s in sizes):
            raise ShapeError(
                "split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes="
                f"{list(sizes)}"
            )
        if sum(sizes) != n:
            raise ShapeError(
                f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension {dim}), "
                f"but got split_sizes={list(sizes)}"
            )
    else:
        (size,) = sizes_of("split", split_size_or_sections)
        if size < 0:
            raise ShapeError(f"split expects split_size be non-negative, but got split_size={size}")
        if size == 0 and n:
            raise ShapeError(f"split: split_size can only be 0 if dimension size is 0, but got dimension size of {n}")
        sizes = tuple([min(size, n - start) for start in range(0, n, size)]) if n else (0,)
    return apply(Split, tensor, sizes=sizes, dim=dim)


split_with_sizes = split


def split_method(input: Tensor, split_size: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """`wengert.split`, whose second argument has another name as a method."""
    return split(input, split_size, dim)


def _either_name(function: F) -> F:
    """Let ``sections=`` and ``indices=`` stand for ``indices_or_sections=``, as PyTorch does."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        for name in ("sections", "indices", "tensor_indices_or_sections"):
            if name in kwargs:
                kwargs["indices_or_sections"] = kwargs.pop(name)
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]


@numpy_names
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most ``chunks`` views of consecutive parts of one size, except perhaps the last.

    Raises:
        RuntimeError: ``chunks`` is not positive, or the tensor is 0-d.
    """
    if not input._data.ndim:
        raise ShapeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise ShapeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    dim = canonical_dim(dim, input._data.ndim, "chunk")
    n = input._data.shape[dim]
    if n == 0:
        return split(input, [0] * chunks, dim)
    return split(input, -(-n // chunks), dim)


@_either_name
def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of ``n`` parts whose sizes differ by one at most, or of the parts between given indices.

    Args:
        input: any shape but 0-d.
        indices_or_sections: the number of parts, or the indices to cut at; also as an integer tensor.
        dim: the dimension to split.
    """
    shape = input._data.shape
    if not shape:
        raise ShapeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    dim = canonical_dim(dim, len(shape), "tensor_split")
    if isinstance(indices_or_sections, TensorBase):
        if indices_or_sections._data.dtype.name != "int64":
            raise DTypeError(
                "tensor_split expected tensor_indices_or_sections to have dtype of long, but got "
                f"{scalar_name(indices_or_sections)}"
            )
        if indices_or_sections._data.ndim > 1:
            raise ShapeError(
                "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor, "
                f"but got a tensor with {indices_or_sections._data.ndim} dims"
            )
        indices_or_sections = indices_or_sections.tolist()  # type: ignore[attr-defined]
    elif not isinstance(indices_or_sections, int | list | tuple):
        raise TypeError(
            "tensor_split() received an invalid combination of arguments: sections must be an integer, or indices a "
            f"sequence of them, got {type(indices_or_sections).__name__}"
        )
    n = shape[dim]
    if isinstance(indices_or_sections, int):
        if indices_or_sections <= 0:
            raise ShapeError(f"number of sections must be larger than 0, got {indices_or_sections}")
        small, larger = divmod(n, indices_or_sections)
        cuts = [small * i + min(i, larger) for i in range(1, indices_or_sections)]
    else:
        cuts = [slice(None, c).indices(n)[1] for c in sizes_of("tensor_split", list(indices_or_sections))]
    bounds = zip([0, *cuts], [*cuts, n], strict=True)
    return tuple([input[part(dim, start, max(start, stop))] for start, stop in bounds])


@numpy_names
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of the slices along ``dim``, which they do not have."""
    if not input._data.ndim:
        raise DimensionError("unbind: Dimension specified as 0 but tensor has no dimensions")
    return apply(Unbind, input, dim=canonical_dim(dim, input._data.ndim, "unbind"))


def _split_at(name: str, least: int, dim_of: Any) -> Any:
    def run(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
        shape = input._data.shape
        if len(shape) < least:
            raise ShapeError(
                f"torch.{name} requires a tensor with at least {least} dimension, but got a tensor with {len(shape)} "
                "dimensions!"
            )
        dim, sections = dim_of(len(shape)), indices_or_sections
        if not isinstance(sections, int | list | tuple):
            raise TypeError(
                f"{name}() received an invalid combination of arguments: sections must be an integer or a sequence of "
                f"them, got {type(sections).__name__}"
            )
        if isinstance(sections, int) and (sections <= 0 or shape[dim] % sections):
            raise ShapeError(
                f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension {shape[dim]} is "
                f"not divisible by the split_size {indices_or_sections}!"
            )
        return tensor_split(input, indices_or_sections, dim)

    return run


@_either_name
def hsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """`tensor_split` along dimension 1 (0 for 1-d tensors), into equal parts."""
    return _split_at("hsplit", 1, lambda ndim: min(1, ndim - 1))(input, indices_or_sections)


@_either_name
def vsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """`tensor_split` along dimension 0, into equal parts."""
    return _split_at("vsplit", 2, lambda ndim: 0)(input, indices_or_sections)


@_either_name
def dsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """`tensor_split` along dimension 2, into equal parts."""
    return _split_at("dsplit", 3, lambda ndim: 2)(input, indices_or_sections)


def _apart(parts: Any) -> Any:
    """Views that may be written: nobody knows any more that they share memory."""
    for part in parts:
        part._view = part._ver = None
    return parts


def unsafe_split(input: Tensor, split_size: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """`split` whose parts may be written in place, if neither ``input`` nor the other parts are used afterwards."""
    return _apart(split(input, split_size, dim))


def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """`chunk` whose parts may be written in place, as those of `unsafe_split`."""
    return _apart(chunk(input, chunks, dim))


def unsafe_split_with_sizes(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """`split_with_sizes` whose parts may be written in place, as those of `unsafe_split`."""
    return _apart(split_with_sizes(input, split_sizes, dim))
