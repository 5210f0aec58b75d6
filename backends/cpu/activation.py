"""Activations on NumPy: one buffer, written again and again while it is in the cache."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..definitions import activation as plain
from .blockwise import narrow, widened
from .compiled import compiled, spread
from .elementwise import BITS, LARGE, where
from .special import ERF, alike, erf_into, looped, mapped

__all__ = [
    "gelu",
    "gelu_backward",
    "log_softmax",
    "log_softmax_backward",
    "mish",
    "mish_backward",
    "relu",
    "relu_backward",
    "sigmoid",
    "sigmoid_backward",
    "silu_backward",
    "softmax",
    "softmax_backward",
    "tanh_backward",
]

WIDE = "fd"  # type characters of what is computed as it is
ZEROS = {char: np.zeros((), char) for char in WIDE}  # NumPy takes twice as long for a Python number in such a place
ONES = {char: np.ones((), char) for char in WIDE}
SMALL = 512  # elements from which on the call of a compiled loop costs less than two or three of NumPy's
add = np.add.reduce


def relu(x: Any) -> Any:
    """``max(x, 0)``."""
    char = x.dtype.char
    if char not in ZEROS:
        return np.maximum(x, 0) if x.itemsize != 2 else narrow(relu, plain.relu, x)
    if x.size < 2 * LARGE:
        return np.maximum(x, ZEROS[char])
    y = looped("relu", x, least=1)
    return x.clip(0, math.inf) if y is None else y  # clip is vectorised, maximum is not


def relu_backward(g: Any, y: Any) -> Any:
    """``g`` where ``y`` is positive."""
    gx = looped("relu_backward", y, g, least=SMALL)
    if gx is not None:
        return gx
    dtype = y.dtype
    same = g.dtype is dtype and g.shape == y.shape and y.ndim and g.flags.c_contiguous and y.flags.c_contiguous
    if not same or dtype.char not in ZEROS:
        return where(y > 0, g, 0.0)
    # The bits of g, or none: a byte that is -1 or 0 becomes an integer of as many bits.
    bits = BITS[dtype.itemsize]
    mask = np.negative(np.greater(y, ZEROS[dtype.char]).view(BITS[1])).astype(bits)
    return np.bitwise_and(mask, g.view(bits), out=mask).view(dtype)


def sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``."""
    if x.dtype.char not in WIDE or not x.ndim:
        return narrow(sigmoid, plain.sigmoid, x)
    if (y := looped("sigmoid_", x, least=SMALL)) is not None:
        return y
    one = ONES[x.dtype.char]
    y = np.negative(x)
    np.exp(y, y)
    np.add(y, one, y)
    return np.divide(one, y, y)


def sigmoid_backward(g: Any, y: Any) -> Any:
    """``g * y * (1 - y)``."""
    if y.dtype.char not in WIDE or not y.ndim:
        return narrow(sigmoid_backward, plain.sigmoid_backward, g, y)
    if (gx := looped("sigmoid_backward", y, g, least=LARGE)) is not None:
        return gx
    t = np.subtract(ONES[y.dtype.char], y)
    np.multiply(t, y, t)
    return np.multiply(t, g, t)


def tanh_backward(g: Any, y: Any) -> Any:
    """``g * (1 - y ** 2)``."""
    if (gx := looped("tanh_backward", y, g, least=LARGE)) is not None:
        return gx
    t = np.multiply(y, y)
    if not t.ndim:
        return g * (1 - t)
    np.subtract(ONES.get(t.dtype.char, 1), t, t)
    return np.multiply(g, t, t)


def silu_backward(g: Any, x: Any) -> Any:
    """The gradient of ``x * sigmoid(x)``."""
    gx = looped("silu_backward", x, g, least=1)
    return narrow(silu_backward, plain.silu_backward, g, x) if gx is None else gx


def mish(x: Any) -> Any:
    """``x * tanh(log(1 + exp(x)))``."""
    y = looped("mish", x, least=1)
    return narrow(mish, plain.mish, x) if y is None else y


def mish_backward(g: Any, x: Any) -> Any:
    """The gradient of `mish`."""
    gx = looped("mish_backward", x, g, least=1)
    return narrow(mish_backward, plain.mish_backward, g, x) if gx is None else gx


# The coefficients of erf(x / sqrt(2)).
HALVED = tuple([c * 0.5**k * math.sqrt(0.5) for k, c in enumerate(ERF)])


def _gelu_into(y: Any, x: Any) -> None:
    erf_into(y, x, HALVED)
    np.add(y, 1, out=y)
    np.multiply(y, 0.5, out=y)  # before the product, which could overflow
    np.multiply(y, x, out=y)


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
    np.multiply(t, 0.5, out=t)
    np.multiply(t, x, out=y)


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
    if (y := looped("gelu" if approximate == "none" else "gelu_tanh", x, least=1)) is not None:
        return y
    if not alike(x):
        return narrow(gelu, plain.gelu, x, approximate)
    return mapped(_gelu_into if approximate == "none" else _gelu_tanh_into, x)


def gelu_backward(g: Any, x: Any, approximate: str) -> Any:
    """``g`` times the derivative of `gelu`; see the definition."""
    name = "gelu_backward" if approximate == "none" else "gelu_tanh_backward"
    if (gx := looped(name, x, g, least=1)) is not None:
        return gx
    if not alike(g, x):
        return narrow(gelu_backward, plain.gelu_backward, g, x, approximate)
    return mapped(_gelu_gradient_into if approximate == "none" else _gelu_tanh_gradient_into, g, x)


def by_rows(name: str, axis: int, x: Any, *gradient: Any) -> Any:
    """The compiled loop ``name`` over rows of float32 that lie along ``axis``; None where NumPy is to do it."""
    loops = compiled("softmax", x.size, least=1)
    if loops is None or x.dtype.char != "f" or not x.flags.c_contiguous or axis % x.ndim != x.ndim - 1:
        return None
    n = x.shape[-1]
    if any(g.dtype.char != "f" for g in gradient) or n < SHORT:
        return None
    out = np.empty(x.shape, np.float32)
    arrays = (*gradient, x, out)
    if x.ndim != 2 or (gradient and not gradient[0].flags.c_contiguous):
        arrays = tuple([np.ascontiguousarray(a).reshape(-1, n) for a in arrays])
    spread(getattr(loops, name), x.size // n, n, *arrays)
    return out


SHORT = 8  # elements of a row, below which vectors are not filled


def softmax(x: Any, axis: int) -> Any:
    """``exp(x) / sum(exp(x))`` along ``axis``."""
    if (y := by_rows("softmax", axis, x)) is not None:
        return y
    if x.dtype.char not in WIDE or not x.size:
        return widened(softmax, plain.softmax, x, axis)
    y = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    np.exp(y, out=y)
    return np.divide(y, add(y, axis=axis, keepdims=True), out=y)


def softmax_backward(g: Any, y: Any, axis: int) -> Any:
    """``y * (g - sum(g * y))``."""
    if (gx := by_rows("softmax_backward", axis, y, g)) is not None:
        return gx
    if y.dtype.char not in WIDE:
        return widened(softmax_backward, plain.softmax_backward, g, y, axis)
    t = g * y
    total = add(t, axis=axis, keepdims=True)
    np.subtract(g, total, out=t)
    return np.multiply(t, y, out=t)


def log_softmax(x: Any, axis: int) -> Any:
    """``x - log(sum(exp(x)))`` along ``axis``."""
    if (y := by_rows("log_softmax", axis, x)) is not None:
        return y
    if x.dtype.char not in WIDE or not x.size:
        return widened(log_softmax, plain.log_softmax, x, axis)
    y = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    return np.subtract(y, np.log(add(np.exp(y), axis=axis, keepdims=True)), out=y)


def log_softmax_backward(g: Any, y: Any, axis: int) -> Any:
    """``g - exp(y) * sum(g)``."""
    if (gx := by_rows("log_softmax_backward", axis, y, g)) is not None:
        return gx
    if y.dtype.char not in WIDE:
        return widened(log_softmax_backward, plain.log_softmax_backward, g, y, axis)
    t = np.exp(y)
    np.multiply(t, add(g, axis=axis, keepdims=True), out=t)
    return np.subtract(g, t, out=t)
