"""Writing to elements by position: ``x[key] = value`` and ``index_put``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends.errors import DimensionError, DTypeError, InvalidValueError, OutOfRangeError, ShapeError
from ..base import TensorBase
from ..primitive import Primitive, apply
from ..write_checks import check_writable
from .cast import cast
from .expansion import broadcast_shapes
from .indexing import basic_rule, index_rule, key_of
from .keys import FULL, Key, check_together, plain_key
from .layout import apart, refuse_overlap
from .scalar import number_for, refuse_fractions
from .shape import reshape_rule
from .writing import writable, write_into

if TYPE_CHECKING:
    from ..tensor import Tensor


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


def delitem(input: Tensor, key: Any) -> None:
    """``del input[key]``, which tensors do not take.

    Raises:
        TypeError: always.
    """
    raise TypeError("Tensor does not support deleting items; pick what is to stay, as in x[mask]")


def setitem(input: Tensor, key: Any, value: Any) -> None:
    """``input[key] = value``, broadcast to the shape that ``input[key]`` has.

    Raises:
        IndexError: see `getitem`. TypeError: the value is neither tensor nor number. RuntimeError: its shape does not
            broadcast, or the tensor may not be written (see `wengert.autograd.write_checks.check_writable`).
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
    target = input if parsed.plain else basic_rule(input, (*parsed.basic, ...))
    if parsed.masked and isinstance(value, TensorBase) and value._data.size == 1:  # one number fills, of any type
        value = cast(reshape_rule(value, ()), input._data.dtype)
    write_positions(target, parsed.indices, tuple(parsed.where), value, False, "__setitem__")


def _assignable(input: Any, value: Any) -> Any:
    if isinstance(value, TensorBase):
        if type(value._data) is not type(input._data) and value.device != input.device:  # type: ignore[attr-defined]
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
        input, key = basic_rule(input, key), (...,)
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
            refuse_fractions(value._data, input._data.dtype)
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
