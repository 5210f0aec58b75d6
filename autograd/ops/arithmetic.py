"""Addition, subtraction, multiplication, division, powers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..primitive import Primitive
from .calling import binary, binary_

if TYPE_CHECKING:
    from ..tensor import Tensor


class Add(Primitive):
    """``x + y``."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        return ctx.k.add(x, y)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g, g


class Mul(Primitive):
    """``x * y``."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        needs = ctx.needs
        ctx.save(x if needs[1] else None, y if needs[0] else None)
        return ctx.k.multiply(x, y)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, y = ctx.saved
        return (None if y is None else g * y), (None if x is None else g * x)


def add(input: Any, other: Any, *, alpha: Any = 1, out: Any = None) -> Tensor:
    """``input + alpha * other``, with broadcasting.

    Args:
        input: Tensor or number.
        other: Tensor or number.
        alpha: a number that multiplies ``other``.
        out: a tensor to write the result to.

    Returns:
        The broadcast shape, the promoted dtype.

    Raises:
        RuntimeError: the shapes do not broadcast.

    Example:
        >>> import wengert as wg
        >>> wg.add(wg.tensor([1.0, 2.0]), 10, alpha=2)
        tensor([21., 22.])
    """
    if not (alpha.__class__ is int and alpha == 1):
        other = mul(other, alpha)
    return binary(Add, "add", input, other, out)  # type: ignore[no-any-return]


def add_(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """`add` in place."""
    if not (alpha.__class__ is int and alpha == 1):
        other = mul(other, alpha)
    return binary_(Add, "add", input, other)


def mul(input: Any, other: Any, *, out: Any = None) -> Tensor:
    """``input * other``, with broadcasting."""
    return binary(Mul, "mul", input, other, out)  # type: ignore[no-any-return]
