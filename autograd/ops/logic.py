"""Logical ops on truth values, and bitwise ops on integers; none has a gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..admission import no_signature, unsupported
from ..base import TensorBase
from ..promotion import result_type
from .calling import in_place, mask, operator

if TYPE_CHECKING:
    from ..tensor import Tensor


def _logical(kernel: str, *values: Any, out: Any) -> Any:
    for v in values:
        if not isinstance(v, TensorBase):
            raise TypeError(f"{kernel}(): arguments must be Tensors, not {type(v).__name__}")
    return mask(kernel, kernel, *values, out=out)


def logical_and(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Where both are true (not zero)."""
    return _logical("logical_and", input, other, out=out)


def logical_or(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Where one is true (not zero)."""
    return _logical("logical_or", input, other, out=out)


def logical_xor(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Where exactly one is true (not zero)."""
    return _logical("logical_xor", input, other, out=out)


def logical_not(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Where ``input`` is false (zero)."""
    return _logical("logical_not", input, out=out)


def _refuse(kernel: str, bools: bool, *values: Any) -> None:
    """Raise unless the operands' common type is one that the kernel takes."""
    for v in values:
        if not isinstance(v, TensorBase | int | float | complex) and not hasattr(v, "dtype"):
            raise no_signature(kernel, *values)
    kind = result_type(*[_standing(v) for v in values])
    if kind.category > 1 or (kind.category == 0 and not bools):
        raise unsupported(kernel, kind, "integers and bool" if bools else "integers")


def _standing(value: Any) -> Any:
    """What stands for an operand where types meet: an array's type, and the number that a NumPy scalar holds."""
    if isinstance(value, TensorBase) or not hasattr(value, "item"):
        return value
    return value.dtype if getattr(value, "ndim", 0) else value.item()


def integers(kernel: str, *values: Any, out: Any, bools: bool = True) -> Any:
    """A kernel for integers, and for truth values where ``bools``.

    Raises:
        RuntimeError: an operand is of another type.
    """
    admitted = "iub" if bools else "iu"
    for v in values:
        if v._data.dtype.kind not in admitted if isinstance(v, TensorBase) else not isinstance(v, int):
            _refuse(kernel, bools, *values)
            break
    return mask(kernel, kernel, *values, out=out)


def bitwise_and(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """``input & other`` of integers, or of truth values.

    Raises:
        RuntimeError: an operand is floating point.
    """
    return integers("bitwise_and", input, other, out=out)


def bitwise_or(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """``input | other`` of integers, or of truth values."""
    return integers("bitwise_or", input, other, out=out)


def bitwise_xor(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """``input ^ other`` of integers, or of truth values."""
    return integers("bitwise_xor", input, other, out=out)


def bitwise_not(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``~input`` of integers, or of truth values."""
    return integers("invert", input, out=out)


def bitwise_left_shift(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """``input << other`` of integers."""
    return integers("left_shift", input, other, out=out, bools=False)


def bitwise_right_shift(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """``input >> other`` of integers; the sign is kept."""
    return integers("right_shift", input, other, out=out, bools=False)


def invert_operator(input: Tensor) -> Tensor:
    """``~input``.

    Raises:
        TypeError: ``input`` is of neither integers nor truth values.
    """
    if input._data.dtype.kind not in "biu":
        raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    return bitwise_not(input)


logical_and_, logical_or_ = in_place(logical_and), in_place(logical_or)
logical_xor_, logical_not_ = in_place(logical_xor), in_place(logical_not)
bitwise_and_, bitwise_or_, bitwise_xor_ = in_place(bitwise_and), in_place(bitwise_or), in_place(bitwise_xor)
bitwise_not_ = in_place(bitwise_not)
bitwise_left_shift_, bitwise_right_shift_ = in_place(bitwise_left_shift), in_place(bitwise_right_shift)
and_operator, rand_operator = operator(bitwise_and), operator(bitwise_and, True)
or_operator, ror_operator = operator(bitwise_or), operator(bitwise_or, True)
xor_operator, rxor_operator = operator(bitwise_xor), operator(bitwise_xor, True)
lshift_operator, rlshift_operator = operator(bitwise_left_shift), operator(bitwise_left_shift, True)
rshift_operator, rrshift_operator = operator(bitwise_right_shift), operator(bitwise_right_shift, True)
