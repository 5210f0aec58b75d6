"""Splitting tensors into views of their parts."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ...backends.errors import DimensionError, DTypeError, ShapeError
from ..base import TensorBase
from ..primitive import Primitive, apply
from .dims import canonical_dim, numpy_names, scalar_name, sizes_of
from .join import cat_rule, part, stack_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


F = TypeVar("F", bound=Callable[..., Any])


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
    for view in parts:
        view._view = view._ver = None
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
