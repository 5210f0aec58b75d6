"""``x[key]``; writing to elements is in ``index_put.py``.

A key has a basic part (integers, slices, None, Ellipsis), which gives a view, and tensors of integers or booleans,
which pick elements of that view. PyTorch applies them in this order, and so does this module; NumPy treats an integer
beside an index array as an array too, which puts dimensions elsewhere.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from ...backends import assign
from ...backends.errors import ArgumentError, DimensionError, OutOfRangeError, ShapeError
from ...backends.sparse import SparseArray
from ..base import TensorBase
from ..out import write_out
from ..primitive import Primitive, apply
from .dims import canonical_dim, numpy_names
from .keys import FULL, Key, check_together, plain_key, position_of
from .layout import clone, contiguous_format

if TYPE_CHECKING:
    from ..tensor import Tensor


class Slice(Primitive):
    """``x[key]`` with integers, slices, None and Ellipsis: a view."""

    view = True

    @staticmethod
    def forward(ctx: Any, x: Any, *, key: tuple[Any, ...]) -> Any:
        ctx.info = x.shape
        return x[key]

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return put_rule(g, ctx.params["key"], ctx.info)


class Select(Slice):
    """One position of a dimension, which goes."""


class Alias(Slice):
    """The tensor itself, as another view."""


class Put(Primitive):
    """Zeros of ``shape``, with ``x`` at a basic key: the adjoint of `Slice`."""

    @staticmethod
    def forward(ctx: Any, x: Any, *, key: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
        y = ctx.k.zeros(shape, dtype=x.dtype)
        assign(y[key], x)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g[ctx.params["key"]]


class Index(Primitive):
    """``x`` at integer arrays that broadcast together; ``where`` says which dimension each belongs to."""

    @staticmethod
    def forward(ctx: Any, x: Any, *indices: Any, where: tuple[int, ...]) -> Any:
        ctx.save(*indices)
        ctx.info = x.shape
        return ctx.k.index_get(x, key_of(indices, where))

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(IndexAdjoint, g, *ctx.saved, where=ctx.params["where"], shape=ctx.info), *[None for _ in ctx.saved]


class IndexAdjoint(Primitive):
    """Zeros of ``shape`` with ``x`` added at integer arrays: the adjoint of `Index`."""

    @staticmethod
    def forward(ctx: Any, x: Any, *indices: Any, where: tuple[int, ...], shape: tuple[int, ...]) -> Any:
        ctx.save(*indices)
        y = ctx.k.zeros(shape, dtype=x.dtype)
        ctx.k.index_put_(y, key_of(indices, where), x, accumulate=True)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return index_rule(g, ctx.saved, ctx.params["where"]), *[None for _ in ctx.saved]


def key_of(indices: Any, where: tuple[int, ...]) -> tuple[Any, ...]:
    """The index tuple that has ``indices`` at the dimensions ``where`` and full slices between them."""
    key: list[Any] = [FULL] * (max(where) + 1)
    for index, dim in zip(indices, where, strict=True):
        key[dim] = index
    return tuple(key)


def put_rule(x: Any, key: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with ``x`` (Tensor or array) at a basic key."""
    return apply(Put, x, key=key, shape=shape)


def index_rule(x: Any, indices: Any, where: tuple[int, ...]) -> Any:
    """``x`` (Tensor or array) at integer arrays on the dimensions ``where``."""
    return apply(Index, x, *indices, where=where)


def getitem(input: Tensor, key: Any) -> Tensor:
    """``input[key]``: a view for integers, slices, None and Ellipsis; a copy where tensors or lists pick elements.

    Raises:
        IndexError: a position is out of range, the key is longer than the shape, or a mask has another shape.
    """
    if key.__class__ is int:
        shape = input._data.shape
        if not shape:
            raise DimensionError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python to convert a 0-dim tensor to a number"
            )
        return apply(Select, input, key=(position_of(key, shape, 0), ...))
    quick = plain_key(key)
    if quick is not None:
        try:
            return basic_rule(input, quick)
        except IndexError:
            pass  # taking the key apart finds out what is wrong with it
    parsed = Key(input, key)
    if not parsed.indices:
        return basic_rule(input, (*parsed.basic, ...))
    y = input if parsed.plain else basic_rule(input, (*parsed.basic, ...))
    check_together(parsed.indices)
    return apply(Index, y, *parsed.indices, where=tuple(parsed.where))


def basic_rule(input: Any, key: tuple[Any, ...]) -> Any:
    """``input[key]`` with a basic key that holds an Ellipsis, so that the result is never a scalar."""
    last = key[-1]
    if last is ... and len(key) > 1:
        last = key[-2]
    if last.__class__ is int:
        return apply(Select, input, key=key)
    return apply(Unsqueezed if last is None else Alias if last is ... else Slice, input, key=key)


class Unsqueezed(Slice):
    """``x[None]``."""


Unsqueezed.node_type.__name__ = "UnsqueezeBackward0"


@numpy_names
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The view at one position of ``dim``.

    Raises:
        IndexError: the position is out of range.
    """
    shape = input._data.shape
    if not shape:
        raise DimensionError("select() cannot be applied to a 0-dim tensor.")
    dim = canonical_dim(dim, len(shape), "select")
    n, i = shape[dim], operator.index(index)
    if not -n <= i < n:
        raise DimensionError(f"select(): index {i} out of range for tensor of size {list(shape)} at dimension {dim}")
    return apply(Select, input, key=((FULL,) * dim + (i, ...)))


@numpy_names
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """The view of ``length`` positions of ``dim`` from ``start`` on.

    Raises:
        RuntimeError: they are not all there. IndexError: ``start`` is out of range.
    """
    shape = input._data.shape
    if not shape:
        raise ShapeError("narrow() cannot be applied to a 0-dim tensor.")
    dim = canonical_dim(dim, len(shape), "narrow")
    if isinstance(start, TensorBase) and (start._data.ndim or start._data.dtype.kind not in "iu"):
        raise ArgumentError(f"narrow(): start must be an 0-dim integral Tensor. Got {start.dtype}")  # type: ignore[attr-defined]
    n, first = shape[dim], operator.index(start)
    if length < 0:
        raise ShapeError(
            f"narrow(): length must be non-negative. start ({first}) + length ({length}) exceeds dimension size ({n})."
        )
    if not -n <= first <= n:
        raise DimensionError(f"narrow(): start out of range (expected to be in range of [-{n}, {n}], but got {first})")
    first += n if first < 0 else 0
    if first + length > n:
        raise ShapeError(f"narrow(): start ({first}) + length ({length}) exceeds dimension size ({n}).")
    return apply(Slice, input, key=((FULL,) * dim + (slice(first, first + length),)))


def narrow_copy(input: Tensor, dim: int, start: Any, length: int, *, out: Tensor | None = None) -> Tensor:
    """`narrow` as a copy."""
    if isinstance(input._data, SparseArray) and not 0 <= dim < input._data.ndim:
        raise ShapeError(f"Invalid dimension {dim}. Dimension should be within [0, {input._data.ndim - 1}]")
    try:
        y: Any = clone(narrow(input, dim, start, length), memory_format=contiguous_format)
    except DimensionError as error:
        raise OutOfRangeError(str(error)) from None
    return y if out is None else write_out(out, y, "narrow_copy")


def slice_rule(x: Any, dim: int, start: int, stop: int) -> Any:
    """Positions ``start`` to ``stop`` of ``dim`` of a Tensor or array."""
    return x[(FULL,) * dim + (slice(start, stop),)]
