"""Activations with corners on NumPy: minima and maxima of whole arrays instead of a choice for each element."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..definitions import activation as plain
from .namespace import FASTER
from .special import looped

__all__ = [
    "elu",
    "elu_backward",
    "hardsigmoid",
    "hardswish",
    "leaky_relu",
    "log_sigmoid",
    "silu",
    "softplus",
    "softplus_backward",
]

WIDE = "fd"  # type characters of what is computed as it is


def leaky_relu(x: Any, negative_slope: float) -> Any:
    """``x``, times ``negative_slope`` where it is negative: the larger of the two where the slope is in (0, 1]."""
    if x.dtype.char not in WIDE or not x.ndim or not 0 < negative_slope <= 1:
        return plain.leaky_relu(FASTER, x, negative_slope)
    y = np.multiply(x, negative_slope)
    return np.maximum(x, y, out=y)


def elu(x: Any, alpha: float, scale: float, input_scale: float) -> Any:
    """``scale * x``; where that is negative, ``scale * alpha * (exp(input_scale * x) - 1)``."""
    if x.dtype.char not in WIDE or not x.ndim or not (alpha > 0 and scale > 0 and input_scale > 0):
        return plain.elu(FASTER, x, alpha, scale, input_scale)
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
        return plain.hardsigmoid(np, x)
    y = np.add(x, 3)
    np.clip(y, 0, 6, out=y)
    return np.divide(y, 6, out=y)


def hardswish(x: Any) -> Any:
    """``x * hardsigmoid(x)``."""
    if x.dtype.char not in WIDE or not x.ndim:
        return plain.hardswish(np, x)
    y = hardsigmoid(x)
    return np.multiply(y, x, out=y)


def silu(x: Any) -> Any:
    """``x * sigmoid(x)``."""
    if x.dtype.char not in WIDE or not x.ndim:
        return plain.silu(np, x)
    if (y := looped("silu", x, least=1)) is not None:
        return y
    y = np.negative(x)
    np.exp(y, out=y)
    np.add(y, 1, out=y)
    return np.divide(x, y, out=y)


def softplus(x: Any, beta: float, threshold: float) -> Any:
    """``log(1 + exp(beta * x)) / beta``, and ``x`` where ``beta * x`` is above ``threshold``."""
    if x.dtype.char not in WIDE or not x.ndim:
        return plain.softplus(FASTER, x, beta, threshold)
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
    return plain.softplus_backward(FASTER, g, x, beta, threshold) if gx is None else gx


def elu_backward(g: Any, x: Any, alpha: float, scale: float, input_scale: float) -> Any:
    """The gradient of `elu`."""
    gx = looped("elu_backward", x, g, least=1, numbers=(alpha, scale, input_scale)) if input_scale > 0 else None
    return plain.elu_backward(FASTER, g, x, alpha, scale, input_scale) if gx is None else gx


def log_sigmoid(x: Any) -> Any:
    """``log(sigmoid(x))`` without overflow."""
    y = looped("log_sigmoid", x, least=1)
    return plain.log_sigmoid(np, x) if y is None else y
