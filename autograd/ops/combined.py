"""Functions of two or three operands: blends, products added to something, lengths, sums of exponentials."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...backends.errors import DTypeError
from ..admission import need_tensors
from ..base import TensorBase
from ..out import write_out
from ..primitive import apply
from ..promotion import result_type
from .activation import sigmoid_rule
from .arithmetic import add, div, mul, sub
from .calling import arithmetic_in_place, binary, in_place, raw, warn_old_form
from .cast import cast
from .comparison import lt
from .elementwise import Binary, quotient, scaled
from .exponential import exp_rule
from .rounding import abs as absolute
from .select import where

if TYPE_CHECKING:
    from ..tensor import Tensor


class Hypot(Binary):
    """``sqrt(x ** 2 + y ** 2)``."""

    kernel, expression = "hypot", "hypot(x, y)"
    derivatives = (
        lambda g, x, y: quotient(g * x, apply(Hypot, x, y)),
        lambda g, x, y: quotient(g * y, apply(Hypot, x, y)),
    )


class LogAddExp(Binary):
    """``log(exp(x) + exp(y))``."""

    kernel, expression = "logaddexp", "max(x, y) + log1p(exp(-abs(x - y)))"

    @staticmethod
    def share(g: Any, x: Any, y: Any) -> Any:
        """``g * exp(x) / (exp(x) + exp(y))``; a complex exponential must not overflow, not even in a denominator."""
        if raw(x).dtype.kind == "c":
            return g * exp_rule(x - apply(LogAddExp, x, y))
        return g * sigmoid_rule(x - y)

    derivatives = (share, lambda g, x, y: LogAddExp.share(g, y, x))


class LogAddExp2(Binary):
    """``log2(2 ** x + 2 ** y)``."""

    kernel, expression = "logaddexp2", "max(x, y) + log2(1 + exp2(-abs(x - y)))"
    derivatives = (
        lambda g, x, y: g * sigmoid_rule(scaled(x - y, math.log(2))),
        lambda g, x, y: g * sigmoid_rule(scaled(y - x, math.log(2))),
    )


def _scaled_by(value: Any, kind: Any) -> Any:
    """The factor of `addcmul` in the kind of the result: whole for integers."""
    return int(value) if kind.category == 1 and isinstance(value, float) else value


def addcmul(
    input: Tensor,
    tensor1: Any,
    tensor2: Tensor,
    third: Tensor | None = None,
    *,
    value: Any = 1,
    out: Tensor | None = None,
) -> Tensor:
    """``input + value * tensor1 * tensor2``, with broadcasting.

    Args:
        input: any dtype.
        tensor1: any dtype.
        tensor2: any dtype.
        third: for ``addcmul(input, value, tensor1, tensor2)``, PyTorch's older form.
        value: a number, without its fraction for integers.
        out: a tensor to write the result to.

    Example:
        >>> import wengert as wg
        >>> wg.addcmul(wg.ones(2), wg.tensor([1.0, 2.0]), wg.tensor([3.0, 4.0]), value=0.5)
        tensor([2.5000, 5.0000])
    """
    if third is not None:
        value, tensor1, tensor2 = tensor1, tensor2, third
        warn_old_form("addcmul", "value=")
    value = _scaled_by(value, result_type(input, tensor1, tensor2))
    y = add(input, mul(tensor1, tensor2), alpha=value)
    return y if out is None else write_out(out, y, "addcmul", input, tensor1, tensor2)


def addcdiv(
    input: Tensor,
    tensor1: Any,
    tensor2: Tensor,
    third: Tensor | None = None,
    *,
    value: Any = 1,
    out: Tensor | None = None,
) -> Tensor:
    """``input + value * tensor1 / tensor2``, with broadcasting; also ``addcdiv(input, value, tensor1, tensor2)``.

    Raises:
        RuntimeError: both ``tensor1`` and ``tensor2`` are of integers.
    """
    if third is not None:
        value, tensor1, tensor2 = tensor1, tensor2, third
        warn_old_form("addcdiv", "value=")
    if tensor1.dtype.category < 2 and tensor2.dtype.category < 2:
        raise DTypeError("addcdiv: Integer division with addcdiv is not supported; convert tensor1 or tensor2 to float")
    y = add(input, div(tensor1, tensor2), alpha=value)
    return y if out is None else write_out(out, y, "addcdiv", input, tensor1, tensor2)


def lerp(input: Tensor, end: Tensor, weight: Any, *, out: Tensor | None = None) -> Tensor:
    """``input + weight * (end - input)``: the point between two, at ``weight`` of the way.

    Args:
        input: floating point: the start.
        end: the same dtype.
        weight: a number, or a tensor of the same dtype; the shapes broadcast.
        out: a tensor to write the result to.

    Raises:
        RuntimeError: the dtypes differ.
    """
    if isinstance(weight, TensorBase) and not weight._data.ndim:
        weight = cast(weight, input._data.dtype)
    for which, other in (("end", end), ("weight", weight)):
        if isinstance(other, TensorBase) and input._data.dtype != other._data.dtype:
            raise DTypeError(
                f"lerp: expected dtype {input.dtype} for `{which}` but got dtype {other._data.dtype.name}; convert one"
            )
    if input.dtype.category < 2:
        raise DTypeError(f"lerp: not implemented for {input.dtype}; convert with .float()")
    # From whichever is nearer, so that weights of 0 and 1 give the start and the end exactly.
    if isinstance(weight, TensorBase):
        near = lt(absolute(weight), 0.5)  # type: ignore[arg-type]
        y = add(where(near, input, end), mul(sub(end, input), where(near, weight, sub(weight, 1))))
    elif abs(weight) < 0.5:
        y = add(input, mul(sub(end, input), weight))
    else:
        y = add(end, mul(sub(end, input), weight - 1))
    return y if out is None else write_out(out, y, "lerp", input, end, weight)


def hypot(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``sqrt(input ** 2 + other ** 2)`` without overflow."""
    need_tensors("hypot", input=input, other=other)
    return binary(Hypot, "hypot", input, other, out, floating=True)


def logaddexp(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``log(exp(input) + exp(other))`` without overflow."""
    need_tensors("logaddexp", input=input, other=other)
    return binary(LogAddExp, "logaddexp", input, other, out, floating=True)


def logaddexp2(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``log2(2 ** input + 2 ** other)`` without overflow."""
    need_tensors("logaddexp2", input=input, other=other)
    return binary(LogAddExp2, "logaddexp2", input, other, out, floating=True)


addcmul_ = arithmetic_in_place(addcmul, "tt", lambda k, x, *others: k.add_product_into(x, *others), "value")
addcdiv_ = arithmetic_in_place(addcdiv, "tt", lambda k, x, *others: k.add_quotient_into(x, *others), "value")
lerp_ = arithmetic_in_place(lerp, "tn", lambda k, x, end, weight, _: k.lerp_into(x, end, weight))
hypot_ = in_place(hypot)
