"""Activations. Those of 16-bit floats are computed in float32."""

from __future__ import annotations

import math
from typing import Any

from .reduction import wide, widened
from .special import erf

__all__ = [
    "elu",
    "elu_backward",
    "gelu",
    "gelu_backward",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "log_softmax_backward",
    "mish",
    "mish_backward",
    "prelu",
    "relu",
    "sigmoid",
    "sigmoid_backward",
    "silu",
    "silu_backward",
    "softmax",
    "softmax_backward",
    "softplus",
    "softplus_backward",
    "softshrink",
    "softsign",
    "threshold",
]


@widened
def relu(xp: Any, x: Any) -> Any:
    """``max(x, 0)``."""
    return xp.maximum(x, 0)


@widened
def leaky_relu(xp: Any, x: Any, negative_slope: float) -> Any:
    """``x``, times ``negative_slope`` where it is negative."""
    return xp.where(x > 0, x, x * negative_slope)


@widened
def prelu(xp: Any, x: Any, w: Any) -> Any:
    """``x``, times ``w`` where it is negative."""
    return xp.where(x > 0, x, x * w)


@widened
def elu(xp: Any, x: Any, alpha: float, scale: float, input_scale: float) -> Any:
    """``scale * x``; where that is negative, ``scale * alpha * (exp(input_scale * x) - 1)``."""
    below = xp.expm1(xp.minimum(x, 0) * input_scale) * scale * alpha
    return xp.where(x > 0, x * scale, below)


@widened
def elu_backward(xp: Any, g: Any, x: Any, alpha: float, scale: float, input_scale: float) -> Any:
    """``scale * g``; below zero times ``alpha * input_scale * exp(input_scale * x)``."""
    curve = xp.exp(xp.minimum(x, 0) * input_scale)
    return xp.where(x > 0, g * scale, g * curve * (scale * alpha * input_scale))


@widened
def sigmoid(xp: Any, x: Any) -> Any:
    """``1 / (1 + exp(-x))``; where exp overflows, the result is 0, as it should be."""
    return 1 / (1 + xp.exp(-x))


@widened
def sigmoid_backward(xp: Any, g: Any, y: Any) -> Any:
    """``g * y * (1 - y)``."""
    return g * (y * (1 - y))


@widened
def log_sigmoid(xp: Any, x: Any) -> Any:
    """``log(sigmoid(x))`` without overflow."""
    return xp.minimum(x, 0) - xp.log1p(xp.exp(-xp.abs(x)))


@widened
def softplus(xp: Any, x: Any, beta: float, threshold: float) -> Any:
    """``log(1 + exp(beta * x)) / beta``, and ``x`` where ``beta * x`` is above ``threshold``."""
    z = x * beta
    soft = (xp.maximum(z, 0) + xp.log1p(xp.exp(-xp.abs(z)))) / beta
    return xp.where(z > threshold, x, soft)


@widened
def softplus_backward(xp: Any, g: Any, x: Any, beta: float, threshold: float) -> Any:
    """``g * sigmoid(beta * x)``, and ``g`` where the function is straight."""
    z = x * beta
    return xp.where(z > threshold, g, g * sigmoid(xp, z))


@widened
def silu(xp: Any, x: Any) -> Any:
    """``x * sigmoid(x)``."""
    return x * sigmoid(xp, x)


@widened
def silu_backward(xp: Any, g: Any, x: Any) -> Any:
    """``g * s * (1 + x * (1 - s))`` with ``s = sigmoid(x)``."""
    s = sigmoid(xp, x)
    return g * (s * (1 + x * (1 - s)))


@widened
def mish(xp: Any, x: Any) -> Any:
    """``x * tanh(log(1 + exp(x)))``."""
    return x * xp.tanh(xp.maximum(x, 0) + xp.log1p(xp.exp(-xp.abs(x))))


@widened
def mish_backward(xp: Any, g: Any, x: Any) -> Any:
    """``g * (t + x * sigmoid(x) * (1 - t ** 2))`` with ``t = tanh(softplus(x))``."""
    t = xp.tanh(xp.maximum(x, 0) + xp.log1p(xp.exp(-xp.abs(x))))
    return g * (t + x * sigmoid(xp, x) * (1 - t * t))


@widened
def gelu(xp: Any, x: Any, approximate: str) -> Any:
    """``x`` times the normal distribution function of ``x``, or the approximation of that by tanh."""
    if approximate == "tanh":
        inner = math.sqrt(2 / math.pi) * (x + 0.044715 * (x * x * x))
        return 0.5 * x * (1 + xp.tanh(inner))
    return 0.5 * x * (1 + erf(xp, x * math.sqrt(0.5)))


@widened
def gelu_backward(xp: Any, g: Any, x: Any, approximate: str) -> Any:
    """``g`` times the derivative of `gelu`."""
    if approximate == "tanh":
        c = math.sqrt(2 / math.pi)
        t = xp.tanh(c * (x + 0.044715 * (x * x * x)))
        return g * (0.5 * (1 + t + (1 - t * t) * (c * (x + 3 * 0.044715 * (x * x * x)))))
    share = 0.5 * (1 + erf(xp, x * math.sqrt(0.5)))
    return g * (share + x * xp.exp(-0.5 * (x * x)) * (1 / math.sqrt(2 * math.pi)))


@widened
def softsign(xp: Any, x: Any) -> Any:
    """``x / (1 + abs(x))``."""
    return x / (1 + xp.abs(x))


@widened
def hardsigmoid(xp: Any, x: Any) -> Any:
    """``x / 6 + 1 / 2``, kept in [0, 1]."""
    return xp.minimum(xp.maximum(x + 3, 0), 6) / 6


@widened
def hardswish(xp: Any, x: Any) -> Any:
    """``x * hardsigmoid(x)``."""
    return x * hardsigmoid(xp, x)


@widened
def hardshrink(xp: Any, x: Any, lambd: float) -> Any:
    """``x``, and 0 where it lies within ``lambd`` of 0."""
    return xp.where(xp.abs(x) <= lambd, xp.zeros_like(x), x)


@widened
def softshrink(xp: Any, x: Any, lambd: float) -> Any:
    """``x`` moved towards 0 by ``lambd``, but not across it."""
    return x - xp.minimum(xp.maximum(x, -lambd), lambd)


@widened
def threshold(xp: Any, x: Any, threshold: float, value: float) -> Any:
    """``x``, and ``value`` up to ``threshold``; NaN stays."""
    return xp.where(x <= threshold, value, x)


def softmax(xp: Any, x: Any, axis: int) -> Any:
    """``exp(x) / sum(exp(x))`` along ``axis``."""
    if not x.size:
        return xp.zeros_like(x)
    w = wide(x)
    y = xp.exp(w - xp.max(w, axis=axis, keepdims=True))
    y /= xp.sum(y, axis=axis, keepdims=True)
    return y.astype(x.dtype, copy=False)


def softmax_backward(xp: Any, g: Any, y: Any, axis: int) -> Any:
    """``y * (g - sum(g * y))``."""
    w = wide(y)
    t = g * w
    t -= w * xp.sum(t, axis=axis, keepdims=True)
    return t.astype(y.dtype, copy=False)


def log_softmax(xp: Any, x: Any, axis: int) -> Any:
    """``x - log(sum(exp(x)))`` along ``axis``."""
    if not x.size:
        return xp.zeros_like(x)
    w = wide(x)
    y = w - xp.max(w, axis=axis, keepdims=True)
    y -= xp.log(xp.sum(xp.exp(y), axis=axis, keepdims=True))
    return y.astype(x.dtype, copy=False)


def log_softmax_backward(xp: Any, g: Any, y: Any, axis: int) -> Any:
    """``g - exp(y) * sum(g)``."""
    t = xp.exp(wide(y))
    t *= xp.sum(wide(g), axis=axis, keepdims=True)
    return xp.subtract(wide(g), t, out=t).astype(y.dtype, copy=False)
