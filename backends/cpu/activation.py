"""Activations on NumPy: one buffer, written again and again while it is in the cache."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..definitions import activation as plain

__all__ = [
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
    return np.maximum(x, 0) if x.dtype.kind != "V" else plain.relu(np, x)


def relu_backward(g: Any, y: Any) -> Any:
    """``g`` where ``y`` is positive."""
    if g.dtype.char == "f" and y.dtype.char == "f":  # keep the bits or clear them: no product, so no 0 * inf
        mask = (y > 0).astype(np.int32)
        np.negative(mask, out=mask)
        return np.bitwise_and(g.view(np.int32), mask, out=mask).view(np.float32)
    t = np.multiply(g, y > 0)
    return t if math.isfinite(add(t, axis=None)) else np.where(y > 0, g, g.dtype.type(0))


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
