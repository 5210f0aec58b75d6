"""Activations with a curve: sigmoid, tanh's kin, the smooth relatives of ReLU. Those with corners: ``rectifier.py``."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

from ...backends.dtypes import FROM_NUMPY
from ...backends.errors import ArgumentError
from ..admission import refuse, unsupported
from ..base import TensorBase
from ..formulas import kernel_or_formula
from ..inplace import inplace as write
from ..out import write_out
from ..primitive import apply
from .arithmetic import add, div
from .calling import in_place, unary
from .elementwise import Unary, scaled
from .exponential import exp_rule
from .rounding import Abs, abs
from .select import where_rule
from .special import erf_rule
from .trigonometric import tanh_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


def activate(
    prim: Any, name: str, input: Any, inplace: bool = False, integers: bool = False, out: Any = None, **params: Any
) -> Any:
    """``prim`` on a floating-point tensor, in its memory where ``inplace``, or in ``out``.

    Raises:
        TypeError: ``input`` is no Tensor. RuntimeError: it is of integers, unless ``integers``.
    """
    if isinstance(input, TensorBase):
        kind = input._data.dtype.kind
        if kind in "biuc":
            if kind == "b" or (kind in "iu" and not integers):
                raise unsupported(name, FROM_NUMPY[input._data.dtype], "floating-point numbers; convert with .float()")
            refuse(name, FROM_NUMPY[input._data.dtype])
    elif not hasattr(input, "dtype"):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    if inplace:
        return write(input, name + "_", lambda t: apply(prim, t, **params))
    y = apply(prim, input, **params)
    return y if out is None else write_out(out, y, name)


@kernel_or_formula
def sigmoid_backward(g: Any, y: Any) -> Any:
    """``g * y * (1 - y)``."""
    return g * (y * (1 - y))


class Sigmoid(Unary):
    """``1 / (1 + exp(-x))``."""

    kernel, expression, saves = "sigmoid", "1 / (1 + exp(-x))", "y"
    derivative = staticmethod(sigmoid_backward)


sigmoid_rule = functools.partial(apply, Sigmoid)


class LogSigmoid(Unary):
    """``log(sigmoid(x))``."""

    layout = "contiguous"
    kernel, expression = "log_sigmoid", "min(x, 0) - log1p(exp(-abs(x)))"
    derivative = staticmethod(lambda g, x: g * sigmoid_rule(-x))


@kernel_or_formula
def silu_backward(g: Any, x: Any) -> Any:
    """``g * s * (1 + x * (1 - s))`` with ``s = sigmoid(x)``."""
    s = sigmoid_rule(x)
    return g * (s * (1 + x * (1 - s)))


class Silu(Unary):
    """``x * sigmoid(x)``."""

    kernel, expression = "silu", "x / (1 + exp(-x))"
    derivative = staticmethod(silu_backward)


@kernel_or_formula
def mish_backward(g: Any, x: Any) -> Any:
    """``g * (t + x * sigmoid(x) * (1 - t ** 2))`` with ``t = tanh(softplus(x))``."""
    t = tanh_rule(softplus_rule(x))
    return g * (t + x * sigmoid_rule(x) * (1 - t * t))


class Mish(Unary):
    """``x * tanh(softplus(x))``."""

    kernel, expression = "mish", "x * tanh(max(x, 0) + log1p(exp(-abs(x))))"
    derivative = staticmethod(mish_backward)


@kernel_or_formula
def softplus_backward(g: Any, x: Any, beta: float, threshold: float) -> Any:
    """``g * sigmoid(beta * x)``, and ``g`` where the function is straight."""
    z = scaled(x, beta)
    return where_rule(z > threshold, g, g * sigmoid_rule(z))


class Softplus(Unary):
    """``log(1 + exp(beta * x)) / beta``, straight above the threshold."""

    kernel = "softplus"
    expression = "x if beta * x > threshold else (max(beta * x, 0) + log1p(exp(-abs(beta * x)))) / beta"
    derivative = staticmethod(softplus_backward)


def softplus_rule(x: Any) -> Any:
    """``log(1 + exp(x))`` for gradient rules."""
    return apply(Softplus, x, beta=1.0, threshold=20.0)


@kernel_or_formula
def gelu_backward(g: Any, x: Any, approximate: str) -> Any:
    """``g * (P(x) + x * P'(x))`` with P the normal distribution function, or its approximation by tanh."""
    if approximate == "tanh":
        c = math.sqrt(2 / math.pi)
        square = x * x
        t = tanh_rule(scaled(x * (1 + scaled(square, 0.044715)), c))
        slope = scaled((1 - t * t) * x * (1 + scaled(square, 3 * 0.044715)), c)
        return scaled(g * (1 + t + slope), 0.5)
    share = scaled(1 + erf_rule(scaled(x, math.sqrt(0.5))), 0.5)
    density = scaled(exp_rule(scaled(x * x, -0.5)), 1 / math.sqrt(2 * math.pi))
    return g * (share + x * density)


class Gelu(Unary):
    """``x`` times the normal distribution function of ``x``."""

    kernel, expression = "gelu", "0.5 * x * (1 + erf(x * sqrt(0.5)))"
    derivative = staticmethod(gelu_backward)


class Softsign(Unary):
    """``x / (1 + abs(x))``."""

    kernel, expression = "softsign", "x / (1 + abs(x))"

    @staticmethod
    def derivative(g: Any, x: Any) -> Any:
        """``g / (1 + abs(x)) ** 2``."""
        d = apply(Abs, x) + 1
        return g / (d * d)


@kernel_or_formula
def elu_backward(g: Any, x: Any, alpha: float, scale: float, input_scale: float) -> Any:
    """``scale * g``; below zero times ``alpha * input_scale * exp(input_scale * x)``."""
    below = where_rule(x > 0, 0.0, x)  # so that exp cannot overflow in the branch that is not taken
    curve = exp_rule(scaled(below, input_scale))
    return where_rule(x > 0, scaled(g, scale), scaled(g * curve, scale * alpha * input_scale))


class Elu(Unary):
    """``x``, bent below zero towards ``-alpha``."""

    kernel = "elu"
    expression = "scale * x if x > 0 else scale * alpha * expm1(input_scale * x)"
    derivative = staticmethod(elu_backward)


def sigmoid(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``1 / (1 + exp(-input))``, in (0, 1); integers give floats."""
    return unary(Sigmoid, "sigmoid", input, out)


def logsigmoid(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``log(sigmoid(input))`` without overflow."""
    return activate(LogSigmoid, "logsigmoid", input, out=out)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``input * sigmoid(input)``, also known as swish.

    References:
        S. Elfwing, E. Uchibe, K. Doya, "Sigmoid-weighted linear units", arXiv:1702.03118.
    """
    return activate(Silu, "silu", input, inplace)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """``input * tanh(softplus(input))``.

    References:
        D. Misra, "Mish: a self regularized non-monotonic activation function", arXiv:1908.08681.
    """
    return activate(Mish, "mish", input, inplace)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0, *, out: Tensor | None = None) -> Tensor:
    """``log(1 + exp(beta * input)) / beta``: ReLU with a round corner.

    Args:
        input: floating point.
        beta: how sharp the corner is.
        threshold: where ``beta * input`` is larger, the result is ``input``.
        out: where to put the result.
    """
    return activate(Softplus, "softplus", input, out=out, beta=beta, threshold=threshold)


def gelu(input: Tensor, approximate: str = "none", *, out: Tensor | None = None) -> Tensor:
    """``input`` times the probability that a standard normal number is below it.

    Args:
        input: floating point.
        approximate: ``"none"`` uses erf, ``"tanh"`` an approximation.
        out: where to put the result.

    Raises:
        RuntimeError: ``approximate`` is neither.

    References:
        D. Hendrycks, K. Gimpel, "Gaussian error linear units", arXiv:1606.08415.
    """
    if approximate not in ("none", "tanh"):
        raise ArgumentError(f"gelu: approximate argument must be either none or tanh, not {approximate!r}.")
    return activate(Gelu, "gelu", input, out=out, approximate=approximate)


def softsign(input: Tensor) -> Tensor:
    """``input / (1 + abs(input))``, in (-1, 1)."""
    if isinstance(input, TensorBase) and input._data.dtype.kind in "iuc":
        return div(input, add(abs(input), 1))
    return activate(Softsign, "softsign", input)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``input``, and ``alpha * (exp(input) - 1)`` below zero.

    References:
        D. Clevert, T. Unterthiner, S. Hochreiter, "Fast and accurate deep network learning by ELUs", arXiv:1511.07289.
    """
    return activate(Elu, "elu", input, inplace, alpha=alpha, scale=1.0, input_scale=1.0)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """`elu`, scaled so that unit variance goes through it unchanged.

    References:
        G. Klambauer and others, "Self-normalizing neural networks", arXiv:1706.02515.
    """
    alpha, scale = 1.6732632423543772848, 1.0507009873554804934
    return activate(Elu, "selu", input, inplace, alpha=alpha, scale=scale, input_scale=1.0)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``input``, and ``alpha * (exp(input / alpha) - 1)`` below zero: smooth for every ``alpha``.

    Raises:
        RuntimeError: ``alpha`` is zero.

    References:
        J. T. Barron, "Continuously differentiable exponential linear units", arXiv:1704.07483.
    """
    if alpha == 0:
        raise ArgumentError("celu: ZeroDivisionError: alpha cannot be 0 for CELU")
    return activate(Elu, "celu", input, inplace, alpha=alpha, scale=1.0, input_scale=1 / alpha)


sigmoid_, elu_ = in_place(sigmoid), in_place(elu)
selu_, celu_ = in_place(selu), in_place(celu)
expit = sigmoid
