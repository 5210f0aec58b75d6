"""Choosing elements: by a condition, by bounds, by size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.errors import ArgumentError, DeviceError, DTypeError
from ..admission import no_signature, unsupported
from ..base import TensorBase, wrap
from ..formulas import kernel_or_formula
from ..out import write_out
from ..primitive import Primitive, apply
from ..promotion import operands, result_type
from .calling import binary, broadcast_error, in_place
from .cast import cast
from .elementwise import Binary, Unary, scaled
from .scalar import number_for

if TYPE_CHECKING:
    from ..tensor import Tensor


class Where(Primitive):
    """``x`` where the condition holds, else ``y``."""

    layout = "operands"
    expression = "x if condition else y"

    @staticmethod
    def forward(ctx: Any, condition: Any, x: Any, y: Any) -> Any:
        ctx.save(condition)
        return ctx.k.where(condition, x, y)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (condition,) = ctx.saved
        needs = ctx.needs
        gx = where_rule(condition, g, 0.0) if needs[1] else None
        gy = where_rule(condition, 0.0, g) if needs[2] else None
        return None, gx, gy


@kernel_or_formula
def clamp_backward(g: Any, x: Any, low: Any, high: Any) -> Any:
    """``g`` between the bounds and on them."""
    if low is None or high is None:
        return where_rule(x <= high if low is None else x >= low, g, 0.0)
    return where_rule((x >= low) & (x <= high), g, 0.0)


class Clamp(Unary):
    """``min(max(x, low), high)`` with numbers, or None, as bounds."""

    kernel, expression = "clamp", "min(max(x, low), high)"
    derivative = staticmethod(clamp_backward)


class ClampTensor(Primitive):
    """``min(max(x, low), high)`` with tensors, or None, as bounds."""

    layout = "operands"

    @staticmethod
    def forward(ctx: Any, x: Any, low: Any, high: Any) -> Any:
        ctx.save(x, low, high)
        k = ctx.k
        y = x if low is None else k.maximum(x, low)
        return k.asarray(y if high is None else k.minimum(y, high))

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, low, high = ctx.saved
        below = False if low is None else x < low
        above = False if high is None else x > high
        if low is None or high is None:
            inside = x <= high if low is None else x >= low  # not so for NaN
        else:
            inside = (x >= low) & (x <= high)
            above = above | (low > high)  # then the upper bound holds everywhere
            below = below & ~above
        return (
            where_rule(inside, g, 0.0) if ctx.needs[0] else None,
            where_rule(below, g, 0.0) if ctx.needs[1] else None,
            where_rule(above, g, 0.0) if ctx.needs[2] else None,
        )


def _share(loses: Any, ties: Any, g: Any) -> Any:
    return where_rule(loses, 0.0, where_rule(ties, scaled(g, 0.5), g))


class Maximum(Binary):
    """The larger operand; equal ones share the gradient."""

    kernel, expression = "maximum", "max(x, y)"
    derivatives = (lambda g, x, y: _share(x < y, x == y, g), lambda g, x, y: _share(y < x, x == y, g))


class Minimum(Binary):
    """The smaller operand; equal ones share the gradient."""

    kernel, expression = "minimum", "min(x, y)"
    derivatives = (lambda g, x, y: _share(x > y, x == y, g), lambda g, x, y: _share(y > x, x == y, g))


class Fmax(Binary):
    """The larger operand, or the one that is not NaN; the first of equal ones."""

    kernel, expression = "fmax", "fmax(x, y)"
    derivatives = (
        lambda g, x, y: where_rule((x >= y) | (y != y), g, 0.0),
        lambda g, x, y: where_rule((x >= y) | (y != y), 0.0, g),
    )


class Fmin(Binary):
    """The smaller operand, or the one that is not NaN; the first of equal ones."""

    kernel, expression = "fmin", "fmin(x, y)"
    derivatives = (
        lambda g, x, y: where_rule((x <= y) | (y != y), g, 0.0),
        lambda g, x, y: where_rule((x <= y) | (y != y), 0.0, g),
    )


def where_rule(condition: Any, x: Any, y: Any) -> Any:
    """``where`` for gradient rules: Tensors, arrays and numbers, no promotion."""
    return apply(Where, condition, x, y)


def where(condition: Tensor, input: Any = None, other: Any = None, *, out: Tensor | None = None) -> Any:
    """``input`` where the condition holds, else ``other``; with the condition alone, the indices where it holds.

    Args:
        condition: boolean, any shape; the three broadcast.
        input: Tensor or number.
        other: Tensor or number.
        out: a tensor to write the result to.

    Returns:
        The broadcast shape, the promoted dtype; or a tuple with one index tensor a dimension.

    Raises:
        RuntimeError: the condition is not boolean, or the shapes do not broadcast.

    Example:
        >>> import wengert as wg
        >>> wg.where(wg.tensor([True, False]), 1.0, wg.tensor([2.0, 3.0]))
        tensor([1., 3.])
    """
    if not isinstance(condition, TensorBase):
        raise TypeError(f"where(): argument 'condition' (position 1) must be Tensor, not {type(condition).__name__}")
    k = kernels_of[type(condition._data)]
    if (input is None) != (other is None):
        raise no_signature("where", condition, input if other is None else other)
    if input is None and other is None:
        return tuple([wrap(index) for index in k.nonzero(condition._data)])
    if condition._data.dtype.char not in "?B":
        raise DTypeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype {condition.dtype}"
        )
    if condition._data.dtype.char == "B":
        condition = cast(condition, k.dtype("bool"))
    if not isinstance(input, TensorBase) and not isinstance(other, TensorBase):
        dtype = result_type(input, other).dtype
        input, other = wrap(k.full((), input, dtype=dtype)), wrap(k.full((), other, dtype=dtype))
    x, y = operands("where", input, other)
    for v in (x, y):
        if type(v) is type(condition) and v.device != condition.device:
            raise DeviceError(
                f"where: Expected condition, x and y to be on the same device, but condition is on {condition.device} "
                f"and a value is on {v.device}"
            )
    try:
        result = apply(Where, condition, x, y)
    except ValueError as error:
        raise broadcast_error("where", condition, x, y) from error
    return result if out is None else write_out(out, result, "where", condition, input, other)


def where_method(input: Tensor, condition: Tensor, other: Any) -> Tensor:
    """``input`` where the condition holds, else ``other``."""
    return where(condition, input, other)


def clamp(input: Tensor, min: Any = None, max: Any = None, *, out: Tensor | None = None) -> Tensor:
    """``input`` with what lies below ``min`` raised to it, and what lies above ``max`` lowered to it.

    Args:
        input: any real dtype.
        min: number, Tensor that broadcasts, or None.
        max: number, Tensor that broadcasts, or None; it wins where it is below ``min``.
        out: a tensor to write the result to.

    Raises:
        RuntimeError: both bounds are None.

    Example:
        >>> import wengert as wg
        >>> wg.clamp(wg.tensor([-1.0, 0.5, 3.0]), 0, 1)
        tensor([0.0000, 0.5000, 1.0000])
    """
    if not isinstance(input, TensorBase):
        raise no_signature("clamp", input, min, max)
    if min is None and max is None:
        raise ArgumentError("clamp: At least one of 'min' or 'max' must not be None")
    x = input
    if isinstance(min, TensorBase) or isinstance(max, TensorBase):
        bounds = [b for b in (min, max) if b is not None]
        ready = iter(operands("clamp", input, *bounds))
        x = next(ready)
        low, high = (None if b is None else next(ready) for b in (min, max))
        try:
            y = apply(ClampTensor, x, low, high)
        except ValueError as error:
            raise broadcast_error("clamp", x, *(b for b in (low, high) if b is not None)) from error
    else:
        kind = result_type(input, *(b for b in (min, max) if b is not None))
        if kind.category in (0, 3):
            raise unsupported("clamp", kind, "integers and floating-point numbers")
        dtype = kind.dtype
        if kind.category == 1:
            min, max = (None if b is None else number_for(b, dtype) for b in (min, max))
        y = apply(Clamp, x if x._data.dtype == dtype else cast(x, dtype), low=min, high=max)
    return y if out is None else write_out(out, y, "clamp", input, min, max)


def clamp_min(input: Tensor, min: Any, *, out: Tensor | None = None) -> Tensor:
    """``clamp(input, min=min)``."""
    if min is None:
        raise no_signature("clamp_min", input, min)
    return clamp(input, min, out=out)


def clamp_max(input: Tensor, max: Any, *, out: Tensor | None = None) -> Tensor:
    """``clamp(input, max=max)``."""
    if max is None:
        raise no_signature("clamp_max", input, max)
    return clamp(input, None, max, out=out)


def _pair(name: str, prim: Any, input: Any, other: Any, out: Any) -> Any:
    for position, (which, v) in enumerate((("input", input), ("other", other)), 1):
        if not isinstance(v, TensorBase):
            raise TypeError(
                f"{name}(): argument '{which}' (position {position}) must be Tensor, not {type(v).__name__}; "
                "use clamp for a number"
            )
    return binary(prim, name, input, other, out)


def maximum(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The larger of two elements; NaN if either is. Equal elements get half of the gradient each."""
    return _pair("maximum", Maximum, input, other, out)


def minimum(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The smaller of two elements; NaN if either is. Equal elements get half of the gradient each."""
    return _pair("minimum", Minimum, input, other, out)


def fmax(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The larger of two elements; where one is NaN, the other."""
    return _pair("fmax", Fmax, input, other, out)


def fmin(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The smaller of two elements; where one is NaN, the other."""
    return _pair("fmin", Fmin, input, other, out)


clip = clamp
clamp_, clamp_min_, clamp_max_ = in_place(clamp), in_place(clamp_min), in_place(clamp_max)
clip_ = clamp_
