"""Exponentials, logarithms and roots."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

from ..primitive import apply
from .calling import in_place, unary
from .elementwise import Unary, product, quotient, scaled, times

if TYPE_CHECKING:
    from ..tensor import Tensor


class Exp(Unary):
    """``e ** x``."""

    kernel, expression, saves = "exp", "exp(x)", "y"
    derivative = staticmethod(lambda g, y: times(g, y))


class Exp2(Unary):
    """``2 ** x``."""

    kernel, expression, saves = "exp2", "exp2(x)", "y"
    derivative = staticmethod(lambda g, y: scaled(times(g, y), math.log(2)))


class Expm1(Unary):
    """``e ** x - 1``."""

    kernel, expression, saves = "expm1", "expm1(x)", "y"
    derivative = staticmethod(lambda g, y: g * (y + 1))


class Log(Unary):
    """The natural logarithm."""

    kernel, expression = "log", "log(x)"
    derivative = staticmethod(quotient)


class Log2(Unary):
    """The logarithm to base 2."""

    kernel, expression = "log2", "log2(x)"
    derivative = staticmethod(lambda g, x: scaled(quotient(g, x), 1 / math.log(2)))


class Log10(Unary):
    """The logarithm to base 10."""

    kernel, expression = "log10", "log10(x)"
    derivative = staticmethod(lambda g, x: scaled(quotient(g, x), 1 / math.log(10)))


class Log1p(Unary):
    """``log(1 + x)``."""

    kernel, expression = "log1p", "log1p(x)"
    derivative = staticmethod(lambda g, x: quotient(g, x + 1))


class Sqrt(Unary):
    """The square root."""

    kernel, expression, saves = "sqrt", "sqrt(x)", "y"
    derivative = staticmethod(lambda g, y: quotient(g, y + y))


class Rsqrt(Unary):
    """``1 / sqrt(x)``."""

    kernel, expression, saves = "rsqrt", "1 / sqrt(x)", "y"
    derivative = staticmethod(lambda g, y: scaled(product(g, y * y * y), -0.5))


exp_rule = functools.partial(apply, Exp)
log_rule = functools.partial(apply, Log)
sqrt_rule = functools.partial(apply, Sqrt)


def exp(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``e ** input``; integers give floats."""
    return unary(Exp, "exp", input, out)


def exp2(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``2 ** input``."""
    return unary(Exp2, "exp2", input, out)


def expm1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``exp(input) - 1``, exact near zero."""
    return unary(Expm1, "expm1", input, out)


def log(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The natural logarithm: -inf at 0, NaN below.

    Where no gradient arrives, none is sent on, not even at 0:

    Example:
        >>> import wengert as wg
        >>> x = wg.tensor([0.0, 2.0], requires_grad=True)
        >>> wg.where(x > 0, wg.log(x), 0.0).sum().backward()
        >>> x.grad
        tensor([0.0000, 0.5000])
    """
    return unary(Log, "log", input, out)


def log2(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The logarithm to base 2."""
    return unary(Log2, "log2", input, out)


def log10(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The logarithm to base 10."""
    return unary(Log10, "log10", input, out)


def log1p(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``log(1 + input)``, exact near zero."""
    return unary(Log1p, "log1p", input, out)


def sqrt(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The square root; NaN for negative numbers."""
    return unary(Sqrt, "sqrt", input, out)


def rsqrt(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``1 / sqrt(input)``."""
    return unary(Rsqrt, "rsqrt", input, out)


exp_, exp2_, expm1_ = in_place(exp), in_place(exp2), in_place(expm1)
log_, log2_, log10_, log1p_ = in_place(log), in_place(log2), in_place(log10), in_place(log1p)
sqrt_, rsqrt_ = in_place(sqrt), in_place(rsqrt)
