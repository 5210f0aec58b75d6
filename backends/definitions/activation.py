"""Activations. Softmax of 16-bit floats is computed in float32."""

from __future__ import annotations

import math
from typing import Any

from .elementwise import like
from .reduction import wide
from .special import erf

__all__ = [
    "elu",
    "gelu",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "log_softmax_backward",
    "mish",
    "prelu",
    "relu",
    "sigmoid",
    "sigmoid_backward",
    "silu",
    "softmax",
    "softmax_backward",
    "softplus",
    "softshrink",
    "softsign",
    "threshold",
]


def relu(xp: Any, x: Any) -> Any:
    """``max(x, 0)``."""
    return xp.maximum(x, 0)


def leaky_relu(xp: Any, x: Any, negative_slope: float) -> Any:
    """``x``, times ``negative_slope`` where it is negative."""
    return xp.where(x > 0, x, x * like(x, negative_slope))


def prelu(xp: Any, x: Any, w: Any) -> Any:
    """``x``, times ``w`` where it is negative."""
    return xp.where(x > 0, x, x * w)


def elu(xp: Any, x: Any, alpha: float, scale: float, input_scale: float) -> Any:
    """``scale * x``; where that is negative, ``scale * alpha * (exp(input_scale * x) - 1)``."""
    below = xp.expm1(xp.minimum(x, 0) * like(x, input_scale)) * like(x, scale * alpha)
    return xp.where(x > 0, x * like(x, scale), below)


def sigmoid(xp: Any, x: Any) -> Any:
    """``1 / (1 + exp(-x))`` by way of tanh, which does not overflow at either end; complex numbers as it says."""
    if x.dtype.kind == "c":
        return 1 / (1 + xp.exp(-x))
    half = like(x, 0.5)
    return half * xp.tanh(half * x) + half


def sigmoid_backward(xp: Any, g: Any, y: Any) -> Any:
    """``g * y * (1 - y)``."""
    return g * (y * (1 - y))


def log_sigmoid(xp: Any, x: Any) -> Any:
    """``log(sigmoid(x))`` without overflow."""
    return xp.minimum(x, 0) - xp.log1p(xp.exp(-xp.abs(x)))


def softplus(xp: Any, x: Any, beta: float, threshold: float) -> Any:
    """``log(1 + exp(beta * x)) / beta``, and ``x`` where ``beta * x`` is above ``threshold``."""
    z = x * like(x, beta)
    soft = (xp.maximum(z, 0) + xp.log1p(xp.exp(-xp.abs(z)))) / like(x, beta)
    return xp.where(z > like(x, threshold), x, soft)


def silu(xp: Any, x: Any) -> Any:
    """``x * sigmoid(x)``."""
    return x * sigmoid(xp, x)


def mish(xp: Any, x: Any) -> Any:
    """``x * tanh(log(1 + exp(x)))``."""
    return x * xp.tanh(xp.maximum(x, 0) + xp.log1p(xp.exp(-xp.abs(x))))


def gelu(xp: Any, x: Any, approximate: str) -> Any:
    """``x`` times the normal distribution function of ``x``, or the approximation of that by tanh."""
    w = wide(x)
    half, one = like(w, 0.5), like(w, 1.0)
    if approximate == "tanh":
        inner = like(w, math.sqrt(2 / math.pi)) * (w + like(w, 0.044715) * (w * w * w))
        return (half * w * (one + xp.tanh(inner))).astype(x.dtype)
    return (half * w * (one + erf(xp, w * like(w, math.sqrt(0.5))))).astype(x.dtype)


def softsign(xp: Any, x: Any) -> Any:
    """``x / (1 + abs(x))``."""
    return x / (1 + xp.abs(x))


def hardsigmoid(xp: Any, x: Any) -> Any:
    """``x / 6 + 1 / 2``, kept in [0, 1]."""
    return xp.minimum(xp.maximum(x + 3, 0), 6) / 6


def hardswish(xp: Any, x: Any) -> Any:
    """``x * hardsigmoid(x)``."""
    return x * hardsigmoid(xp, x)


def hardshrink(xp: Any, x: Any, lambd: float) -> Any:
    """``x``, and 0 where it lies within ``lambd`` of 0."""
    return xp.where(xp.abs(x) <= like(x, lambd), xp.zeros_like(x), x)


def softshrink(xp: Any, x: Any, lambd: float) -> Any:
    """``x`` moved towards 0 by ``lambd``, but not across it."""
    bound = like(x, lambd)
    return x - xp.minimum(xp.maximum(x, -bound), bound)


def threshold(xp: Any, x: Any, threshold: float, value: float) -> Any:
    """``x``, and ``value`` where it is not above ``threshold``."""
    return xp.where(x > like(x, threshold), x, like(x, value))


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
