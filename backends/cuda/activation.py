"""Activations on the GPU, one launch each; the source is ``activation.cu``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import cupy

from ..definitions import activation as plain
from .loader import ACTIVATIONS, by_items, launch, takes
from .order import as_laid_out, dense, empty_as

__all__ = [
    "elu",
    "elu_backward",
    "gelu",
    "gelu_backward",
    "leaky_relu",
    "leaky_relu_backward",
    "log_sigmoid",
    "mish",
    "mish_backward",
    "relu",
    "relu_backward",
    "sigmoid",
    "sigmoid_backward",
    "silu",
    "silu_backward",
    "softplus",
    "softplus_backward",
    "tanh_backward",
]

CURVES = {**ACTIVATIONS, "elu": 7, "leaky_relu": 8, "log_sigmoid": 9, "softplus": 10, "mish": 11}  # as in activation.cu


def _forward(name: str, x: Any, *numbers: float) -> Any:
    x = dense(x)
    y = empty_as(x)
    if y.size:
        parameters = (*numbers, 0.0, 0.0, 0.0)[:3]
        launch("activation", x.dtype, by_items(y.size, 16 // x.itemsize), y, x, y.size, CURVES[name], *parameters)
    return y


def _backward(name: str, g: Any, x: Any, *numbers: float) -> Any:
    x = dense(x)
    g, gx = as_laid_out(g, x), empty_as(x)
    if gx.size:
        parameters = (*numbers, 0.0, 0.0, 0.0)[:3]
        shape = by_items(gx.size, 16 // x.itemsize)
        launch("activation_backward", x.dtype, shape, gx, g, x, gx.size, CURVES[name], *parameters)
    return gx


def _curve(name: str) -> Callable[[Any], Any]:
    """The kernel of that name, for an activation without parameters."""
    definition = getattr(plain, name)

    @functools.wraps(definition)
    def run(x: Any) -> Any:
        return _forward(name, x) if takes(x) else definition(cupy, x)

    return run


def _slope(name: str) -> Callable[[Any, Any], Any]:
    """The gradient of that name, for an activation without parameters."""
    definition, curve = getattr(plain, name), name.removesuffix("_backward")

    @functools.wraps(definition)
    def run(g: Any, x: Any) -> Any:
        if not takes(g, x) or g.shape != x.shape:
            return definition(cupy, g, x)
        return _backward(curve, g, x)

    return run


log_sigmoid, mish, relu, sigmoid, silu = map(_curve, ("log_sigmoid", "mish", "relu", "sigmoid", "silu"))
mish_backward, sigmoid_backward, silu_backward = map(_slope, ("mish_backward", "sigmoid_backward", "silu_backward"))


def elu(x: Any, alpha: float, scale: float, input_scale: float) -> Any:
    """``scale * x``, and a curve below zero; see the definition."""
    if not takes(x):
        return plain.elu(cupy, x, alpha, scale, input_scale)
    return _forward("elu", x, alpha, scale, input_scale)


def elu_backward(g: Any, x: Any, alpha: float, scale: float, input_scale: float) -> Any:
    """``g`` times the derivative of `elu`; see the definition."""
    if not takes(g, x) or g.shape != x.shape:
        return plain.elu_backward(cupy, g, x, alpha, scale, input_scale)
    return _backward("elu", g, x, alpha, scale, input_scale)


def leaky_relu(x: Any, negative_slope: float) -> Any:
    """``x``, times ``negative_slope`` where it is negative; see the definition."""
    return _forward("leaky_relu", x, negative_slope) if takes(x) else plain.leaky_relu(cupy, x, negative_slope)


def softplus(x: Any, beta: float, threshold: float) -> Any:
    """``log(1 + exp(beta * x)) / beta``; see the definition."""
    return _forward("softplus", x, beta, threshold) if takes(x) else plain.softplus(cupy, x, beta, threshold)


def softplus_backward(g: Any, x: Any, beta: float, threshold: float) -> Any:
    """``g * sigmoid(beta * x)``; see the definition."""
    if not takes(g, x) or g.shape != x.shape:
        return plain.softplus_backward(cupy, g, x, beta, threshold)
    return _backward("softplus", g, x, beta, threshold)


def gelu(x: Any, approximate: str) -> Any:
    """``x`` times the normal distribution function of ``x``; see the definition."""
    if not takes(x):
        return plain.gelu(cupy, x, approximate)
    return _forward("gelu_tanh" if approximate == "tanh" else "gelu", x)


def gelu_backward(g: Any, x: Any, approximate: str) -> Any:
    """``g`` times the derivative of `gelu`; see the definition."""
    if not takes(g, x) or g.shape != x.shape:
        return plain.gelu_backward(cupy, g, x, approximate)
    return _backward("gelu_tanh" if approximate == "tanh" else "gelu", g, x)


def relu_backward(g: Any, y: Any) -> Any:
    """``g`` where ``y`` is positive."""
    if not takes(g, y) or g.shape != y.shape:
        return cupy.where(y > 0, g, cupy.zeros((), g.dtype))
    return _backward("relu", g, y)


def leaky_relu_backward(g: Any, x: Any, negative_slope: float) -> Any:
    """``g``, times the slope where ``x`` is negative."""
    if not takes(g, x) or g.shape != x.shape:
        return cupy.where(x > 0, g, (g * negative_slope).astype(g.dtype))
    return _backward("leaky_relu", g, x, negative_slope)


def tanh_backward(g: Any, y: Any) -> Any:
    """``g * (1 - y * y)``."""
    return _backward("tanh", g, y) if takes(g, y) and g.shape == y.shape else g * (1 - y * y)


def bias_activation(x: Any, bias: Any, activation: str = "none", over: bool = False) -> Any:
    """``activation(x + bias)`` in one pass.

    Args:
        x: (..., C), contiguous, of a type that `takes` accepts.
        bias: (C), of the same type.
        activation: a name in `ACTIVATIONS`.
        over: write over ``x``.
    """
    y = x if over else cupy.empty(x.shape, x.dtype)
    if y.size:
        shape = by_items(y.size, 16 // x.itemsize)
        launch("bias_activation", x.dtype, shape, y, x, bias, y.size, bias.size, ACTIVATIONS[activation])
    return y
