"""``x[key]`` and ``x[key] = value``.

A key has a basic part (integers, slices, None, Ellipsis), which gives a view, and tensors of integers or booleans,
which pick elements of that view. PyTorch applies them in this order, and so does this module; NumPy treats an integer
beside an index array as an array too, which puts dimensions elsewhere.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from ...backends.errors import ArgumentError, DimensionError, DTypeError, InvalidValueError, OutOfRangeError, ShapeError
from ...backends.sparse import SparseArray
from ..base import TensorBase
from ..inplace import check_writable, write_out
from ..primitive import Primitive, apply
from .cast import cast
from .dims import canonical_dim, numpy_names
from .keys import FULL, Key, check_together, plain_key, position_of
from .layout import apart, clone, contiguous_format, refuse_overlap
from .scalar import number_for
from .shape import broadcast_shapes, reshape_rule
from .writing import writable, write_into

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
        y[key] = x
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g[ctx.params["key"]]


class CopySlices(Primitive):
    """``x`` with ``value`` at a basic key; in the memory of ``x`` if ``own``."""

    @staticmethod
    def forward(ctx: Any, x: Any, value: Any, *, key: tuple[Any, ...], own: bool = False) -> Any:
        y = writable(x, own)
        y[key] = value
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        key = ctx.params["key"]
        return apply(CopySlices, g, 0, key=key) if ctx.needs[0] else None, g[key] if ctx.needs[1] else None


CopySlices.node_type.__name__ = "CopySlices"


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


class IndexPut(Primitive):
    """``x`` with ``value`` written (or added, if ``accumulate``) at integer arrays; in its own memory if ``own``."""

    @staticmethod
    def forward(
        ctx: Any, x: Any, value: Any, *indices: Any, where: tuple[int, ...], accumulate: bool, own: bool = False
    ) -> Any:
        ctx.save(*indices)
        y = writable(x, own)
        ctx.k.index_put_(y, key_of(indices, where), value, accumulate=accumulate)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        indices, where, accumulate = ctx.saved, ctx.params["where"], ctx.params["accumulate"]
        gx = gv = None
        if ctx.needs[0]:
            gx = g if accumulate else apply(IndexPut, g, 0, *indices, where=where, accumulate=False)
        if ctx.needs[1]:
            gv = index_rule(g, indices, where)
        return gx, gv, *[None for _ in indices]


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


# ---------------------------------------------------------------------- reading


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
            return _basic(input, quick)
        except IndexError:
            pass  # taking the key apart finds out what is wrong with it
    parsed = Key(input, key)
    if not parsed.indices:
        return _basic(input, (*parsed.basic, ...))
    y = input if parsed.plain else _basic(input, (*parsed.basic, ...))
    check_together(parsed.indices)
    return apply(Index, y, *parsed.indices, where=tuple(parsed.where))


def delitem(input: Tensor, key: Any) -> None:
    """``del input[key]``, which tensors do not take.

    Raises:
        TypeError: always.
    """
    raise TypeError("Tensor does not support deleting items; pick what is to stay, as in x[mask]")


def _basic(input: Any, key: tuple[Any, ...]) -> Any:
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


# ---------------------------------------------------------------------- writing


def setitem(input: Tensor, key: Any, value: Any) -> None:
    """``input[key] = value``, broadcast to the shape that ``input[key]`` has.

    Raises:
        IndexError: see `getitem`. TypeError: the value is neither tensor nor number. RuntimeError: its shape does not
            broadcast, or the tensor may not be written (see `wengert.autograd.inplace.check_writable`).
            Nothing is written then.
    """
    if key.__class__ is int and not input._data.ndim:
        raise DimensionError("invalid index of a 0-dim tensor. Use fill_() to write a 0-dim tensor")
    value = _assignable(input, value)
    quick = plain_key(key)
    if quick is not None:
        try:
            return _write_basic(input, quick, value)
        except IndexError:
            pass  # nothing was written; taking the key apart finds out what is wrong with it
    parsed = Key(input, key)
    if not parsed.indices:
        return _write_basic(input, (*parsed.basic, ...), value)
    target = input if parsed.plain else _basic(input, (*parsed.basic, ...))
    if parsed.masked and isinstance(value, TensorBase) and value._data.size == 1:  # one number fills, of any type
        value = cast(reshape_rule(value, ()), input._data.dtype)
    write_positions(target, parsed.indices, tuple(parsed.where), value, False, "__setitem__")


def _assignable(input: Any, value: Any) -> Any:
    if isinstance(value, TensorBase):
        if type(value._data) is not type(input._data):
            from .conversion import to

            value = to(value, input.device)  # type: ignore[arg-type]
        return value
    if isinstance(value, bool | int | float | complex) or (
        hasattr(value, "dtype") and not getattr(value, "shape", (0,))
    ):
        if value.__class__ is int and not -(2**63) <= value < 2**63:
            raise InvalidValueError(f"Overflow when unpacking long long: {value}; write it as a float")
        return number_for(value, input._data.dtype)
    kind = type(value)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    raise TypeError(f"can't assign a {name} to a {input.type()}; wrap it with wengert.tensor(...)")


def fitted(value: Any, shape: tuple[int, ...], message: str) -> Any:
    """A number as it is; a Tensor without the leading 1s that the target shape does not have.

    Raises:
        RuntimeError: it does not broadcast to ``shape``.
    """
    if not isinstance(value, TensorBase):
        return value
    own = value._data.shape
    extra = len(own) - len(shape)
    if extra > 0 and all(n == 1 for n in own[:extra]):
        value = reshape_rule(value, own[extra:])
        own = own[extra:]
        extra = 0
    if extra > 0 or any(n not in (1, m) for n, m in zip(reversed(own), reversed(shape))):  # noqa: B905
        raise ShapeError(message.format(value=list(own), target=list(shape)) + _misfit(own, shape))
    return value


def _misfit(own: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """Why a value of shape ``own`` does not broadcast to ``shape``, in the words of ``expand``."""
    lead = len(shape) - len(own)
    if lead < 0:
        return (
            f" (expand: the number of sizes provided ({len(shape)}) must be greater or equal to the number of "
            f"dimensions in the tensor ({len(own)}))"
        )
    d = next(d for d, n in enumerate(own) if n not in (1, shape[d + lead]))
    return (
        f" (The expanded size of the tensor ({shape[d + lead]}) must match the existing size ({own[d]}) at "
        f"non-singleton dimension {d + lead})"
    )


def _write_basic(input: Tensor, key: tuple[Any, ...], value: Any) -> None:
    if 0 in input._data.strides:  # of an expanded tensor, parts may be writable though the whole is not
        input, key = _basic(input, key), (...,)
    check_writable(input, "__setitem__")
    target = input._data[key]
    value = fitted(
        value,
        target.shape,
        "__setitem__: a value of shape {value} does not broadcast to the target of shape {target}",
    )
    if isinstance(value, TensorBase):
        value = apart("__setitem__", target, input, value)
        if value._data.dtype != input._data.dtype:
            value = cast(value, input._data.dtype)
    write_into(CopySlices, input, "__setitem__", value, key=key)


def write_positions(
    target: Any, indices: list[Any], where: tuple[int, ...], value: Any, accumulate: bool, name: str
) -> None:
    """Write or add ``value`` at index tensors of ``target``, in place and in the graph."""
    refuse_overlap(name, target, value, *indices)
    value = _prepared(target, indices, where, value)
    write_into(IndexPut, target, name, value, *indices, where=where, accumulate=accumulate)


def _prepared(target: Any, indices: list[Any], where: tuple[int, ...], value: Any) -> Any:
    """``value`` fit to be written at the index tensors.

    Raises:
        IndexError: these do not broadcast together. RuntimeError: the value's shape or dtype does not fit.
    """
    check_together(indices)
    if not isinstance(value, TensorBase):
        return value
    if value._data.dtype != target._data.dtype:
        raise DTypeError(
            f"Index put requires the source and destination dtypes match, got {target.dtype} for the destination "
            f"and {value.dtype} for the source; convert the value with .to({target.dtype})"  # type: ignore[attr-defined]
        )
    shape = indexed_shape(target._data.shape, [i._data.shape for i in indices], where)
    message = "shape mismatch: value tensor of shape {value} cannot be broadcast to indexing result of shape {target}"
    return fitted(value, shape, message)


def indexed_shape(shape: tuple[int, ...], indices: list[Any], where: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a tensor of ``shape`` at index arrays of the given shapes on the dimensions ``where``."""
    picked = tuple(broadcast_shapes(*indices))
    rest = [n for d, n in enumerate(shape) if d not in where]
    first = where[0] if list(where) == list(range(where[0], where[0] + len(where))) else 0
    return (*rest[:first], *picked, *rest[first:])


def _put_key(name: str, input: Any, indices: Any) -> Key:
    """The key that a sequence of index tensors, and None for whole dimensions, means.

    Raises:
        TypeError: it is no sequence. IndexError: it is empty.
    """
    if isinstance(indices, TensorBase) or not isinstance(indices, list | tuple):
        raise TypeError(
            f"{name}(): argument 'indices' (position 1) must be tuple of Tensors, not {type(indices).__name__}"
        )
    parsed = Key(input, tuple([FULL if i is None else i for i in indices]))
    if not parsed.indices:
        raise OutOfRangeError(f"{name}(): at least one index must be provided")
    return parsed


def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy of ``input`` with ``values`` written, or added, at ``indices``; see `index_put_`."""
    parsed = _put_key("index_put", input, indices)
    values = _prepared(input, parsed.indices, tuple(parsed.where), values)
    return apply(IndexPut, input, values, *parsed.indices, where=tuple(parsed.where), accumulate=accumulate)


def index_put_(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """``input[indices] = values`` in place, or ``+=`` with repeated positions counted each time.

    Args:
        input: any shape.
        indices: a tuple of integer or boolean tensors, or None for a whole dimension.
        values: broadcasts to the shape of ``input[indices]``; of the dtype of ``input``.
        accumulate: add instead of write.
    """
    check_writable(input, "index_put_")
    parsed = _put_key("index_put_", input, indices)
    refuse_overlap("index_put_", input, values, *indices)
    write_positions(input, parsed.indices, tuple(parsed.where), values, accumulate, "index_put_")
    return input
