"""Activations on NumPy: one buffer, written again and again while it is in the cache."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..definitions import activation as plain
from .elementwise import LARGE, where
from .special import ERF, alike, erf_into, mapped

__all__ = [
    "gelu",
    "gelu_backward",
    "log_softmax",
    "log_softmax_backward",
    "relu",
    "relu_backward",
    "sigmoid",
    "sigmoid_backward",
    "softmax",
    "softmax_backward",
    "tanh_backward",
]

WIDE = "fd"  # type characters of what is computed as it is
add = np.add.reduce


def relu(x: Any) -> Any:
    """``max(x, 0)``."""
    if x.dtype.char in WIDE and x.size >= LARGE:
        return x.clip(0, math.inf)  # clip is vectorised, maximum is not
    return np.maximum(x, 0) if x.dtype.kind != "V" else plain.relu(np, x)


def relu_backward(g: Any, y: Any) -> Any:
    """``g`` where ``y`` is positive."""
    return where(y > 0, g, 0.0)


def sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``."""
    if x.dtype.char not in WIDE or not x.ndim:
        return plain.sigmoid(np, x)
    y = np.negative(x)
    np.exp(y, out=y)
    np.add(y, 1, out=y)
    return np.divide(1, y, out=y)


def sigmoid_backward(g: Any, y: Any) -> Any:
    """``g * y * (1 - y)``."""
    if y.dtype.char not in WIDE or not y.ndim:
        return plain.sigmoid_backward(np, g, y)
    t = np.subtract(1, y)
    np.multiply(t, y, out=t)
    return np.multiply(t, g, out=t)


def tanh_backward(g: Any, y: Any) -> Any:
    """``g * (1 - y ** 2)``."""
    t = np.multiply(y, y)
    if not t.ndim:
        return g * (1 - t)
    np.subtract(1, t, out=t)
    return np.multiply(g, t, out=t)


# The coefficients of erf(x / sqrt(2)).
HALVED = tuple([c * 0.5**k * math.sqrt(0.5) for k, c in enumerate(ERF)])


def _gelu_into(y: Any, x: Any) -> None:
    erf_into(y, x, HALVED)
    np.add(y, 1, out=y)
    np.multiply(y, x, out=y)
    np.multiply(y, 0.5, out=y)


def _gelu_gradient_into(out: Any, g: Any, x: Any) -> None:
    erf_into(out, x, HALVED)
    np.add(out, 1, out=out)
    np.multiply(out, 0.5, out=out)
    t = np.multiply(x, x)
    np.multiply(t, -0.5, out=t)
    np.exp(t, out=t)
    np.multiply(t, x, out=t)
    np.multiply(t, 1 / math.sqrt(2 * math.pi), out=t)
    np.add(out, t, out=out)
    np.multiply(out, g, out=out)


def _gelu_tanh_into(y: Any, x: Any) -> None:
    t = np.multiply(x, x)
    np.multiply(t, 0.044715, out=t)
    np.add(t, 1, out=t)
    np.multiply(t, x, out=t)
    np.multiply(t, math.sqrt(2 / math.pi), out=t)
    np.tanh(t, out=t)
    np.add(t, 1, out=t)
    np.multiply(t, x, out=t)
    np.multiply(t, 0.5, out=y)


def _gelu_tanh_gradient_into(out: Any, g: Any, x: Any) -> None:
    square = np.multiply(x, x)
    np.multiply(square, 0.044715, out=square)
    t = np.add(square, 1)
    np.multiply(t, x, out=t)
    np.multiply(t, math.sqrt(2 / math.pi), out=t)
    np.tanh(t, out=t)
    np.multiply(square, 3, out=square)
    np.add(square, 1, out=square)
    np.multiply(square, x, out=square)
    np.multiply(square, math.sqrt(2 / math.pi), out=square)  # the derivative of what tanh was taken of, times x
    slope = np.multiply(t, t)
    np.subtract(1, slope, out=slope)
    np.multiply(slope, square, out=slope)
    np.add(slope, t, out=slope)
    np.add(slope, 1, out=slope)
    np.multiply(slope, 0.5, out=slope)
    np.multiply(slope, g, out=out)


def gelu(x: Any, approximate: str) -> Any:
    """``x`` times the normal distribution function of ``x``; see the definition."""
    if not alike(x):
        return plain.gelu(np, x, approximate)
    return mapped(_gelu_into if approximate == "none" else _gelu_tanh_into, x)


def gelu_backward(g: Any, x: Any, approximate: str) -> Any:
    """``g`` times the derivative of `gelu`; see the definition."""
    if not alike(g, x):
        return plain.gelu_backward(np, g, x, approximate)
    return mapped(_gelu_gradient_into if approximate == "none" else _gelu_tanh_gradient_into, g, x)


def softmax(x: Any, axis: int) -> Any:
    """``exp(x) / sum(exp(x))`` along ``axis``."""
    if x.dtype.char not in WIDE or not x.size:
        return plain.softmax(np, x, axis)
    y = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    np.exp(y, out=y)
    return np.divide(y, add(y, axis=axis, keepdims=True), out=y)


def softmax_backward(g: Any, y: Any, axis: int) -> Any:
    """``y * (g - sum(g * y))``."""
    if y.dtype.char not in WIDE:
        return plain.softmax_backward(np, g, y, axis)
    t = g * y
    total = add(t, axis=axis, keepdims=True)
    np.subtract(g, total, out=t)
    return np.multiply(t, y, out=t)


def log_softmax(x: Any, axis: int) -> Any:
    """``x - log(sum(exp(x)))`` along ``axis``."""
    if x.dtype.char not in WIDE or not x.size:
        return plain.log_softmax(np, x, axis)
    y = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    return np.subtract(y, np.log(add(np.exp(y), axis=axis, keepdims=True)), out=y)


def log_softmax_backward(g: Any, y: Any, axis: int) -> Any:
    """``g - exp(y) * sum(g)``."""
    if y.dtype.char not in WIDE:
        return plain.log_softmax_backward(np, g, y, axis)
    t = np.exp(y)
    np.multiply(t, add(g, axis=axis, keepdims=True), out=t)
    return np.subtract(g, t, out=t)
