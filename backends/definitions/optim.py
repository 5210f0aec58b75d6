"""One optimizer step on parameters of any shape, in place. ``p`` and the state arrays are written; ``g`` is not.

16-bit parameters are updated in float32 and rounded once.
"""

from __future__ import annotations

import math
from typing import Any

from .reduction import wide

__all__ = ["adam_step_", "sgd_step_"]


def sgd_step_(
    xp: Any,
    p: Any,
    g: Any,
    momentum_buffer: Any,
    *,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
    first: bool,
) -> None:
    """Stochastic gradient descent: ``b = momentum * b + (1 - dampening) * g``, ``p = p - lr * b``.

    ``first`` says that the buffer holds nothing yet: it then becomes the gradient itself.
    """
    w, g = wide(p), wide(g)
    if maximize:
        g = -g
    if weight_decay:
        g = g + weight_decay * w
    if momentum:
        b = g if first else momentum * wide(momentum_buffer) + (1 - dampening) * g
        momentum_buffer[...] = b
        g = g + momentum * b if nesterov else b
    p[...] = w - lr * g


def adam_step_(
    xp: Any,
    p: Any,
    g: Any,
    exp_avg: Any,
    exp_avg_sq: Any,
    max_exp_avg_sq: Any,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled: bool,
    maximize: bool,
    step: int,
) -> None:
    """Adam: ``p = p - lr * m_hat / (sqrt(v_hat) + eps)``; the largest ``v`` so far where ``max_exp_avg_sq`` is given."""
    w, g = wide(p), wide(g)
    if maximize:
        g = -g
    if weight_decay:
        if decoupled:
            w = w * (1 - lr * weight_decay)
        else:
            g = g + weight_decay * w
    m, v = wide(exp_avg), wide(exp_avg_sq)
    m = m + (1 - beta1) * (g - m)
    v = beta2 * v + (1 - beta2) * g * g
    exp_avg[...] = m
    exp_avg_sq[...] = v
    if max_exp_avg_sq is not None:
        v = xp.maximum(wide(max_exp_avg_sq), v)
        max_exp_avg_sq[...] = v
    correction1, correction2 = 1 - beta1**step, 1 - beta2**step
    p[...] = w - (lr / correction1) * m / (xp.sqrt(v) / math.sqrt(correction2) + eps)
