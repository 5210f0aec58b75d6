"""Activations with corners on NumPy: minima and maxima of whole arrays instead of a choice for each element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..definitions import activation as plain
from .blockwise import narrow
from .elementwise import looped as large_looped
from .namespace import FASTER
from .special import looped

__all__ = [
    "clamp_backward",
    "elu",
    "elu_backward",
    "hardsigmoid",
    "hardsigmoid_backward",
    "hardswish",
    "hardswish_backward",
    "hardtanh_backward",
    "leaky_relu",
    "leaky_relu_backward",
    "log_sigmoid",
    "shrink_backward",
    "silu",
    "softplus",
    "softplus_backward",
    "threshold_backward",
]

WIDE = "fd"  # type characters of what is computed as it is


def leaky_relu(x: Any, negative_slope: float) -> Any:
    """``x``, times ``negative_slope`` where it is negative: the larger of the two where the slope is in (0, 1]."""
    if x.dtype.char not in WIDE or not x.ndim or not 0 < negative_slope <= 1:
        return narrow(leaky_relu, plain.leaky_relu, x, negative_slope)
    if (y := large_looped("leaky_relu", x, numbers=(negative_slope,))) is not None:
        return y
    y = np.multiply(x, negative_slope)
    return np.maximum(x, y, out=y)


def elu(x: Any, alpha: float, scale: float, input_scale: float) -> Any:
    """``scale * x``; where that is negative, ``scale * alpha * (exp(input_scale * x) - 1)``."""
    if x.dtype.char not in WIDE or not x.ndim or not (alpha > 0 and scale > 0 and input_scale > 0):
        return narrow(elu, plain.elu, x, alpha, scale, input_scale)
    if (y := looped("elu", x, least=1, numbers=(alpha, scale, input_scale))) is not None:
        return y
    y = x.clip(-np.inf, 0)
    if input_scale != 1:
        np.multiply(y, input_scale, out=y)
    np.expm1(y, out=y)
    if scale * alpha != 1:
        np.multiply(y, scale * alpha, out=y)
    positive = np.multiply(x, scale) if scale != 1 else x
    if alpha * input_scale <= 1:  # the curve is nowhere below the line
        return np.maximum(y, positive, out=y)
    return FASTER.where(x > 0, positive, y)


def hardsigmoid(x: Any) -> Any:
    """``x / 6 + 1 / 2``, kept in [0, 1]."""
    if x.dtype.char not in WIDE or not x.ndim:
        return narrow(hardsigmoid, plain.hardsigmoid, x)
    y = np.add(x, 3)
    np.clip(y, 0, 6, out=y)
    return np.divide(y, 6, out=y)


def hardswish(x: Any) -> Any:
    """``x * hardsigmoid(x)``."""
    if x.dtype.char not in WIDE or not x.ndim:
        return narrow(hardswish, plain.hardswish, x)
    y = hardsigmoid(x)
    return np.multiply(y, x, out=y)


def silu(x: Any) -> Any:
    """``x * sigmoid(x)``."""
    if x.dtype.char not in WIDE or not x.ndim:
        return narrow(silu, plain.silu, x)
    if (y := looped("silu", x, least=1)) is not None:
        return y
    y = np.negative(x)
    np.exp(y, out=y)
    np.add(y, 1, out=y)
    return np.divide(x, y, out=y)


def softplus(x: Any, beta: float, threshold: float) -> Any:
    """``log(1 + exp(beta * x)) / beta``, and ``x`` where ``beta * x`` is above ``threshold``."""
    if x.dtype.char not in WIDE or not x.ndim:
        return narrow(softplus, plain.softplus, x, beta, threshold)
    if (y := looped("softplus", x, least=1, numbers=(beta, threshold))) is not None:
        return y
    z = np.multiply(x, beta)
    y = np.abs(z)
    np.negative(y, out=y)
    np.exp(y, out=y)
    np.log1p(y, out=y)
    np.add(y, z.clip(0, np.inf), out=y)
    if beta != 1:
        np.divide(y, beta, out=y)
    return FASTER.where(z > threshold, x, y)


def softplus_backward(g: Any, x: Any, beta: float, threshold: float) -> Any:
    """The gradient of `softplus`."""
    gx = looped("softplus_backward", x, g, least=1, numbers=(beta, threshold))
    return narrow(softplus_backward, plain.softplus_backward, g, x, beta, threshold) if gx is None else gx


def elu_backward(g: Any, x: Any, alpha: float, scale: float, input_scale: float) -> Any:
    """The gradient of `elu`."""
    gx = looped("elu_backward", x, g, least=1, numbers=(alpha, scale, input_scale)) if input_scale > 0 else None
    return narrow(elu_backward, plain.elu_backward, g, x, alpha, scale, input_scale) if gx is None else gx


def log_sigmoid(x: Any) -> Any:
    """``log(sigmoid(x))`` without overflow."""
    y = looped("log_sigmoid", x, least=1)
    return narrow(log_sigmoid, plain.log_sigmoid, x) if y is None else y


def leaky_relu_backward(g: Any, x: Any, negative_slope: float) -> Any:
    """``g``, times the slope below zero."""
    gx = looped("leaky_relu_backward", x, g, numbers=(negative_slope,))
    return FASTER.where(x > 0, g, g * negative_slope) if gx is None else gx


def hardtanh_backward(g: Any, x: Any, low: float, high: float) -> Any:
    """``g`` between the bounds, but not on them."""
    gx = looped("inside_backward", x, g, numbers=(low, high, 1.0))
    return FASTER.where((x > low) & (x < high), g, 0.0) if gx is None else gx


def hardsigmoid_backward(g: Any, x: Any) -> Any:
    """``g / 6`` between -3 and 3."""
    gx = looped("inside_backward", x, g, numbers=(-3.0, 3.0, 1 / 6))
    return FASTER.where((x > -3) & (x < 3), g / 6, 0.0) if gx is None else gx


def hardswish_backward(g: Any, x: Any) -> Any:
    """The gradient of `hardswish`."""
    gx = looped("hardswish_backward", x, g)
    if gx is not None:
        return gx
    return FASTER.where(x <= -3, 0.0, FASTER.where(x >= 3, g, g * ((x + x + 3) / 6)))


def clamp_backward(g: Any, x: Any, low: float | None, high: float | None) -> Any:
    """``g`` between the bounds and on them."""
    low, high = -math.inf if low is None else low, math.inf if high is None else high
    gx = looped("within_backward", x, g, numbers=(low, high))
    return FASTER.where((x >= low) & (x <= high), g, 0.0) if gx is None else gx


def shrink_backward(g: Any, x: Any, lambd: float) -> Any:
    """``g`` outside of what is shrunk to 0."""
    gx = looped("beyond_backward", x, g, numbers=(-lambd, lambd))
    return FASTER.where((x >= -lambd) & (x <= lambd), 0.0, g) if gx is None else gx


def threshold_backward(g: Any, x: Any, threshold: float, value: float) -> Any:
    """``g`` above the threshold."""
    gx = looped("beyond_backward", x, g, numbers=(-math.inf, threshold))
    return FASTER.where(x <= threshold, 0.0, g) if gx is None else gx
