"""Comparisons and tests of values; the results are boolean and have no gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends.errors import ArgumentError, DTypeError
from ..base import TensorBase
from .calling import in_place, mask, operator

if TYPE_CHECKING:
    from ..tensor import Tensor


def eq(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """``input == other``, element by element, with broadcasting and promotion.

    Raises:
        RuntimeError: the shapes do not broadcast.
    """
    return mask("equal", "eq", input, other, out=out)


def ne(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """``input != other``, element by element."""
    return mask("not_equal", "ne", input, other, out=out)


def lt(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """``input < other``, element by element."""
    return mask("less", "lt", input, other, out=out)


def le(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """``input <= other``, element by element."""
    return mask("less_equal", "le", input, other, out=out)


def gt(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """``input > other``, element by element."""
    return mask("greater", "gt", input, other, out=out)


def ge(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """``input >= other``, element by element."""
    return mask("greater_equal", "ge", input, other, out=out)


def isnan(input: Tensor) -> Tensor:
    """Where ``input`` is NaN."""
    return mask("isnan", "isnan", input)


def isinf(input: Tensor) -> Tensor:
    """Where ``input`` is infinite, of either sign."""
    return mask("isinf", "isinf", input)


def isfinite(input: Tensor) -> Tensor:
    """Where ``input`` is neither infinite nor NaN."""
    return mask("isfinite", "isfinite", input)


def isposinf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Where ``input`` is positive infinity."""
    return mask("isposinf", "isposinf", input, out=out)


def isneginf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Where ``input`` is negative infinity."""
    return mask("isneginf", "isneginf", input, out=out)


def isreal(input: Tensor) -> Tensor:
    """Where the imaginary part is zero: everywhere, for real tensors."""
    return mask("isreal", "isreal", input)


def _same_dtype(name: str, input: Tensor, other: Tensor) -> None:
    for v in (input, other):
        if not isinstance(v, TensorBase):
            raise TypeError(f"{name}(): arguments must be Tensors, not {type(v).__name__}")
    if input.dtype is not other.dtype:
        raise DTypeError(f"{name}: {input.dtype} did not match {other.dtype}; convert one of them")


def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """Where ``abs(input - other) <= atol + rtol * abs(other)``.

    Args:
        input: any dtype.
        other: the same dtype; the shapes broadcast.
        rtol: relative tolerance.
        atol: absolute tolerance.
        equal_nan: whether NaN is close to NaN.

    Raises:
        RuntimeError: the dtypes differ, or a tolerance is negative.
    """
    _same_dtype("isclose", input, other)
    for which, value in (("rtol", rtol), ("atol", atol)):
        if value < 0:
            raise ArgumentError(f"isclose: {which} must be greater than or equal to zero, but got {value}")
    if input.dtype.category < 2 and not rtol and not atol:
        return eq(input, other)
    return mask("isclose", "isclose", input, other, rtol=rtol, atol=atol, equal_nan=equal_nan)


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether `isclose` holds everywhere."""
    return bool(isclose(input, other, rtol, atol, equal_nan)._data.all())


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and the same elements (NaN equals nothing).

    Example:
        >>> import wengert as wg
        >>> wg.equal(wg.tensor([1, 2]), wg.tensor([1, 2]))
        True
    """
    for v in (input, other):
        if not isinstance(v, TensorBase):
            raise TypeError(f"equal(): arguments must be Tensors, not {type(v).__name__}")
    return input._data.shape == other._data.shape and bool(eq(input, other)._data.all())


not_equal, less, less_equal, greater, greater_equal = ne, lt, le, gt, ge
eq_, ne_, lt_, le_, gt_, ge_ = (in_place(f) for f in (eq, ne, lt, le, gt, ge))
not_equal_, less_, less_equal_, greater_, greater_equal_ = ne_, lt_, le_, gt_, ge_
eq_operator, ne_operator, lt_operator, le_operator, gt_operator, ge_operator = (
    operator(f) for f in (eq, ne, lt, le, gt, ge)
)
