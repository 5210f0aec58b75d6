"""Activations of float32 compiled: one pass over memory each way. Imported only when it pays; see ``compiled.py``.

``<name>`` writes the function of ``x``, ``<name>_backward`` the gradient from ``g`` and what the op saved.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .crew_numba import enter
from .jit_numba import loop
from .vector_numba import HALF, ONE, TWO, ZERO, erf, exp, expm1, fma, log1p_unit, sigmoid, tanh

__all__: list[str] = []  # found through cpu/activation.py and cpu/rectifier.py

F = np.float32
ROOT_HALF, DENSITY = F(0.7071067811865476), F(0.3989422804014327)
THREE, SIX = F(3), F(6)
CUBIC, CUBIC_SLOPE, SLOPE = F(0.044715), F(3 * 0.044715), F(0.7978845608028654)


@loop
def relu(x: Any, y: Any) -> None:
    enter()
    for i in range(y.size):
        y[i] = ZERO if x[i] <= ZERO else x[i]


@loop
def relu_backward(g: Any, y: Any, out: Any) -> None:
    enter()
    for i in range(out.size):
        out[i] = g[i] if y[i] > ZERO else ZERO


@loop
def sigmoid_(x: Any, y: Any) -> None:
    enter()
    for i in range(y.size):
        y[i] = sigmoid(x[i])


@loop
def sigmoid_backward(g: Any, y: Any, out: Any) -> None:
    enter()
    for i in range(out.size):
        out[i] = g[i] * (y[i] * (ONE - y[i]))


@loop
def tanh_backward(g: Any, y: Any, out: Any) -> None:
    enter()
    for i in range(out.size):
        out[i] = g[i] * (ONE - y[i] * y[i])


@loop
def silu(x: Any, y: Any) -> None:
    enter()
    for i in range(y.size):
        y[i] = x[i] / (ONE + exp(-x[i]))


@loop
def silu_backward(g: Any, x: Any, out: Any) -> None:
    enter()
    for i in range(out.size):
        s = sigmoid(x[i])
        out[i] = g[i] * (s * (ONE + x[i] * (ONE - s)))


@loop
def erf_(x: Any, y: Any) -> None:
    enter()
    for i in range(y.size):
        y[i] = erf(x[i])


@loop
def gelu(x: Any, y: Any) -> None:
    enter()
    for i in range(y.size):
        y[i] = HALF * x[i] * (ONE + erf(x[i] * ROOT_HALF))


@loop
def gelu_backward(g: Any, x: Any, out: Any) -> None:
    enter()
    for i in range(out.size):
        share = HALF * (ONE + erf(x[i] * ROOT_HALF))
        out[i] = g[i] * (share + x[i] * (exp(-HALF * (x[i] * x[i])) * DENSITY))


@loop
def gelu_tanh(x: Any, y: Any) -> None:
    enter()
    for i in range(y.size):
        t = tanh(SLOPE * x[i] * fma(CUBIC, x[i] * x[i], ONE))
        y[i] = HALF * x[i] * (ONE + t)


@loop
def gelu_tanh_backward(g: Any, x: Any, out: Any) -> None:
    enter()
    for i in range(out.size):
        square = x[i] * x[i]
        t = tanh(SLOPE * x[i] * fma(CUBIC, square, ONE))
        slope = (ONE - t * t) * (SLOPE * x[i] * fma(CUBIC_SLOPE, square, ONE))
        out[i] = g[i] * (HALF * (ONE + t + slope))


@loop
def softplus(x: Any, y: Any, beta: Any, threshold: Any) -> None:
    enter()
    for i in range(y.size):
        z = x[i] * beta
        soft = ((z if z > ZERO else ZERO) + log1p_unit(exp(-abs(z)))) / beta
        y[i] = x[i] if z > threshold else soft


@loop
def softplus_backward(g: Any, x: Any, out: Any, beta: Any, threshold: Any) -> None:
    enter()
    for i in range(out.size):
        z = x[i] * beta
        out[i] = g[i] if z > threshold else g[i] * sigmoid(z)


@loop
def log_sigmoid(x: Any, y: Any) -> None:
    enter()
    for i in range(y.size):
        y[i] = (ZERO if x[i] > ZERO else x[i]) - log1p_unit(exp(-abs(x[i])))


@loop
def bce_logits(t: Any, x: Any, y: Any) -> None:
    """The binary cross entropy of ``t`` and the sigmoid of ``x``."""
    enter()
    for i in range(y.size):
        below = ZERO if x[i] > ZERO else -x[i]
        y[i] = below + log1p_unit(exp(-abs(x[i]))) + (ONE - t[i]) * x[i]


@loop
def bce_logits_backward(g: Any, t: Any, x: Any, out: Any) -> None:
    enter()
    for i in range(out.size):
        out[i] = g[i] * (sigmoid(x[i]) - t[i])


@loop
def mish(x: Any, y: Any) -> None:
    """With ``e = exp(-abs(x))`` the tanh of softplus is ``(1 + 2 e) / (1 + 2 e + 2 e**2)``, or with x < 0 its like."""
    enter()
    for i in range(y.size):
        e = exp(-abs(x[i]))
        n = ONE + TWO * e if x[i] > ZERO else e * (e + TWO)
        y[i] = x[i] * (n / (n + (TWO * e * e if x[i] > ZERO else TWO)))


@loop
def mish_backward(g: Any, x: Any, out: Any) -> None:
    enter()
    for i in range(out.size):
        e = exp(-abs(x[i]))
        positive = x[i] > ZERO
        n = ONE + TWO * e if positive else e * (e + TWO)
        rest = TWO * e * e if positive else TWO
        t = n / (n + rest)
        s = (ONE if positive else e) / (ONE + e)
        out[i] = g[i] * (t + x[i] * s * (rest / (n + rest) * (ONE + t)))


@loop
def elu(x: Any, y: Any, alpha: Any, scale: Any, input_scale: Any) -> None:
    enter()
    for i in range(y.size):
        below = expm1((ZERO if x[i] > ZERO else x[i]) * input_scale) * scale * alpha
        y[i] = x[i] * scale if x[i] > ZERO else below


@loop
def elu_backward(g: Any, x: Any, out: Any, alpha: Any, scale: Any, input_scale: Any) -> None:
    enter()
    factor = scale * alpha * input_scale
    for i in range(out.size):
        below = exp((ZERO if x[i] > ZERO else x[i]) * input_scale) * factor
        out[i] = g[i] * (scale if x[i] > ZERO else below)


@loop
def leaky_relu_backward(g: Any, x: Any, out: Any, slope: Any) -> None:
    enter()
    for i in range(out.size):
        out[i] = g[i] if x[i] > ZERO else g[i] * slope


@loop
def inside_backward(g: Any, x: Any, out: Any, low: Any, high: Any, factor: Any) -> None:
    """``g * factor`` between two bounds, but not on them."""
    enter()
    for i in range(out.size):
        out[i] = g[i] * factor if (x[i] > low) & (x[i] < high) else ZERO


@loop
def within_backward(g: Any, x: Any, out: Any, low: Any, high: Any) -> None:
    """``g`` between two bounds and on them."""
    enter()
    for i in range(out.size):
        out[i] = g[i] if (x[i] >= low) & (x[i] <= high) else ZERO


@loop
def beyond_backward(g: Any, x: Any, out: Any, low: Any, high: Any) -> None:
    """``g`` outside of two bounds."""
    enter()
    for i in range(out.size):
        out[i] = ZERO if (x[i] >= low) & (x[i] <= high) else g[i]


@loop
def hardswish_backward(g: Any, x: Any, out: Any) -> None:
    enter()
    for i in range(out.size):
        slope = (x[i] + x[i] + THREE) / SIX
        out[i] = ZERO if x[i] <= -THREE else g[i] if x[i] >= THREE else g[i] * slope


@loop
def div_backward(g: Any, x: Any, y: Any, gx: Any, gy: Any) -> None:
    """``g / y`` and ``-g * x / y ** 2``; where nothing arrives, nothing leaves."""
    enter()
    for i in range(gx.size):
        q = g[i] / y[i]
        q = g[i] if g[i] == ZERO else q
        p = q * x[i]
        r = p / y[i]
        gx[i] = q
        gy[i] = -p if p == ZERO else -r


@loop
def dropout(x: Any, mask: Any, out: Any, scale: Any) -> None:
    enter()
    for i in range(out.size):
        out[i] = x[i] * scale if mask[i] else x[i] * ZERO
