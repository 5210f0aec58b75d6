"""Shapes and places of elements, in the standard's signatures, and what indexes arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autograd import ops
from ..autograd.tensor import Tensor
from ..backends import dtypes
from ..backends.errors import ShapeError
from .promotion import together

__all__ = [
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "concat",
    "expand_dims",
    "flip",
    "moveaxis",
    "permute_dims",
    "repeat",
    "reshape",
    "roll",
    "squeeze",
    "stack",
    "take",
    "take_along_axis",
    "tile",
    "unstack",
]

Axes = int | tuple[int, ...]


def broadcast_arrays(*arrays: Tensor) -> tuple[Tensor, ...]:
    """Views of the arrays in the one shape that they broadcast to."""
    return tuple(ops.broadcast_tensors(*arrays)) if arrays else ()


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that arrays of these shapes broadcast to.

    Raises:
        ValueError: they do not.
    """
    try:
        return tuple(ops.broadcast_shapes(*shapes))
    except RuntimeError as error:
        raise ValueError(str(error)) from None


def broadcast_to(x: Tensor, /, shape: tuple[int, ...]) -> Tensor:
    """A view of ``x`` in ``shape``, with its elements repeated where it has size 1."""
    return ops.broadcast_to(x, shape)


def concat(arrays: Sequence[Tensor], /, *, axis: int | None = 0) -> Tensor:
    """Arrays one behind another along ``axis``; flat ones if it is None. The result has their common type."""
    parts = together(*arrays)
    return ops.cat(parts, axis) if axis is not None else ops.cat([ops.flatten(x) for x in parts])


def stack(arrays: Sequence[Tensor], /, *, axis: int = 0) -> Tensor:
    """Arrays of one shape along a new axis, in their common type."""
    return ops.stack(together(*arrays), axis)


def unstack(x: Tensor, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """The slices along ``axis``, which they lack."""
    return tuple(ops.unbind(x, axis))


def expand_dims(x: Tensor, /, axis: Axes = 0) -> Tensor:
    """``x`` with an axis of size 1, which has place ``axis`` in the result; several for a tuple."""
    if isinstance(axis, int):
        return ops.unsqueeze(x, axis)
    for place in sorted(places(axis, x.ndim + len(axis), "expand_dims")):
        x = ops.unsqueeze(x, place)
    return x


def squeeze(x: Tensor, /, axis: Axes) -> Tensor:
    """``x`` without the named axes, which have size 1.

    Raises:
        ValueError: one of them has another size.
    """
    axes = places((axis,) if isinstance(axis, int) else axis, x.ndim, "squeeze")
    wrong = [a for a in axes if x.shape[a] != 1]
    if wrong:
        raise ValueError(f"squeeze: axis {wrong[0]} has size {x.shape[wrong[0]]}; only axes of size 1 can go")
    return ops.squeeze(x, tuple(axes))


def places(axes: Sequence[int], ndim: int, op: str) -> list[int]:
    """Axes counted from the front.

    Raises:
        IndexError: one is out of range. ValueError: one is named twice.
    """
    found: list[int] = []
    for axis in axes:
        if not -ndim <= axis < ndim:
            raise IndexError(f"{op}: axis {axis} is out of range for {ndim} dimensions")
        found.append(axis % ndim)
    if len(set(found)) < len(found):
        raise ValueError(f"{op}: an axis appears twice in {tuple(axes)}")
    return found


def permute_dims(x: Tensor, /, axes: tuple[int, ...]) -> Tensor:
    """A view of ``x`` with its axes in the order of ``axes``."""
    return ops.permute(x, axes)


def moveaxis(x: Tensor, source: Axes, destination: Axes, /) -> Tensor:
    """A view of ``x`` with the axes ``source`` at the places ``destination``, and the others in their order."""
    return ops.movedim(x, source, destination)


def flip(x: Tensor, /, *, axis: Axes | None = None) -> Tensor:
    """``x`` with its elements in reverse order along ``axis``; along all axes if it is None."""
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return ops.flip(x, tuple(axes))


def roll(x: Tensor, /, shift: Axes, *, axis: Axes | None = None) -> Tensor:
    """``x`` with its elements moved on by ``shift`` along ``axis``, the last ones first; as if flat if it is None."""
    if isinstance(shift, int) and isinstance(axis, tuple):
        shift = (shift,) * len(axis)
    if axis == ():
        return ops.clone(x)
    return ops.roll(x, shift, axis)


def repeat(x: Tensor, repeats: int | Tensor, /, *, axis: int | None = None) -> Tensor:
    """``x`` with each element along ``axis`` ``repeats`` times; each element of the flat array if it is None."""
    if isinstance(repeats, Tensor) and repeats.ndim == 0:
        repeats = int(repeats)
    if axis is None:
        x, axis = ops.flatten(x), 0
    return ops.repeat_interleave(x, repeats, axis)


def reshape(x: Tensor, /, shape: tuple[int, ...], *, copy: bool | None = None) -> Tensor:
    """The elements of ``x`` in another shape, one of whose sizes may be -1.

    Args:
        x: ``(*)``.
        shape: the new sizes.
        copy: True for memory of its own, False for a view or an error, None for a view where there is one.

    Raises:
        ValueError: ``copy`` is False, and there is no view of this shape.
    """
    if copy is False:
        try:
            return x.view(shape)
        except ShapeError as error:
            raise ValueError(f"reshape: copy=False, but {error}") from None
    y = ops.reshape(x, shape)
    return ops.clone(y) if copy else y


def tile(x: Tensor, repetitions: tuple[int, ...], /) -> Tensor:
    """``x`` laid out next to itself, ``repetitions`` times along each axis."""
    return ops.tile(x, repetitions)


def take(x: Tensor, indices: Tensor, /, *, axis: int | None = None) -> Tensor:
    """The elements along ``axis`` at ``indices``; negative ones count from the end.

    Args:
        x: ``(*)``; ``axis`` may be None if it has one dimension.
        indices: ``(n,)``, integers.
        axis: the axis to take from.

    Raises:
        ValueError: ``axis`` is None, and ``x`` has more dimensions. IndexError: an index is out of range.
    """
    if axis is None:
        if x.ndim != 1:
            raise ValueError(f"take: axis is needed for an array of {x.ndim} dimensions")
        axis = 0
    (axis,) = places((axis,), x.ndim, "take")
    key: Any = (slice(None),) * axis + (indices,)
    return x[key]


def take_along_axis(x: Tensor, indices: Tensor, /, *, axis: int = -1) -> Tensor:
    """The element at each index along ``axis``; negative indices count from the end.

    Args:
        x: ``(*)``.
        indices: integers, of the dimensions of ``x``; the sizes off ``axis`` broadcast.
        axis: the axis to take from.
    """
    size = x.shape[axis]
    indices = indices.to(dtypes.int64)
    return ops.take_along_dim(x, ops.where(indices < 0, indices + size, indices), axis)
