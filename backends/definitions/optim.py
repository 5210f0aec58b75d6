"""One optimizer step, element by element, in place: ``p`` and the state arrays are written, ``g`` is not.

Parameters and state of 16 bits are computed on in float32 and rounded once. A rule reads every array through `wide` and
uses operators, so that it also runs on Tensors, with the ops as ``xp``: that is how a step is differentiated.
"""

from __future__ import annotations

from typing import Any

from .reduction import wide as wide_array

__all__ = [
    "adadelta_step_",
    "adagrad_step_",
    "adam_step_",
    "adamax_step_",
    "asgd_step_",
    "gather_gradients",
    "lion_step_",
    "nadam_step_",
    "radam_step_",
    "rmsprop_step_",
    "rprop_step_",
    "sgd_step_",
    "sophia_step_",
]


def wide(x: Any) -> Any:
    """What the rules compute on: 16-bit numbers in float32. A Tensor is copied, since its old value may be saved."""
    if hasattr(x, "clone"):
        return x.clone().float() if x.dtype.itemsize == 2 else x.clone()
    return wide_array(x)


def descent(p: Any, g: Any, weight_decay: Any = 0, maximize: bool = False) -> tuple[Any, Any]:
    """The parameters, and the gradient with its sign for ``maximize`` and its L2 penalty."""
    w, g = wide(p), wide(g)
    if maximize:
        g = -g
    return w, g + weight_decay * w if weight_decay else g


def gather_gradients(xp: Any, parts: Any) -> Any:
    """Arrays of one dimension end to end. A backend whose rules take a list may return them as they are."""
    return parts[0] if len(parts) == 1 else xp.concatenate(parts)


def sgd_step_(
    xp: Any,
    p: Any,
    g: Any,
    momentum_buffer: Any,
    *,
    lr: Any,
    momentum: float,
    dampening: float,
    weight_decay: Any,
    nesterov: bool,
    maximize: bool,
    first: bool,
) -> None:
    """``b = momentum * b + (1 - dampening) * g``, ``p = p - lr * b``; ``first``: the buffer holds nothing yet."""
    w, g = descent(p, g, weight_decay, maximize)
    if momentum:
        b = g if first else momentum * wide(momentum_buffer) + (1 - dampening) * g
        momentum_buffer[...] = b
        g = g + momentum * b if nesterov else b
    if w is p:
        p -= lr * g
    else:
        p[...] = w - lr * g


def adam_step_(
    xp: Any,
    p: Any,
    g: Any,
    exp_avg: Any,
    exp_avg_sq: Any,
    max_exp_avg_sq: Any,
    *,
    lr: Any,
    beta1: Any,
    beta2: Any,
    eps: float,
    weight_decay: float,
    decoupled: bool,
    maximize: bool,
    step: int,
) -> None:
    """``p = p - lr * m_hat / (sqrt(v_hat) + eps)``; with the largest ``v`` so far where its array is given."""
    w, g = descent(p, g, 0 if decoupled else weight_decay, maximize)
    if decoupled and weight_decay:
        w = w * (1 - lr * weight_decay)
    m, v = averages(g, exp_avg, exp_avg_sq, beta1, beta2)
    if max_exp_avg_sq is not None:
        v = xp.maximum(wide(max_exp_avg_sq), v)
        max_exp_avg_sq[...] = v
    rate, scale = lr / (1 - beta1**step), 1 / (1 - beta2**step) ** 0.5
    p[...] = w - rate * m / (xp.sqrt(v) * scale + eps)


def averages(g: Any, exp_avg: Any, exp_avg_sq: Any, beta1: Any, beta2: Any) -> tuple[Any, Any]:
    """Move the running averages of the gradient and of its square towards ``g``; return them."""
    m, v = wide(exp_avg), wide(exp_avg_sq)
    m = m + (1 - beta1) * (g - m)
    v = beta2 * v + (1 - beta2) * g * g
    exp_avg[...] = m
    exp_avg_sq[...] = v
    return m, v


def nadam_step_(
    xp: Any,
    p: Any,
    g: Any,
    exp_avg: Any,
    exp_avg_sq: Any,
    *,
    lr: Any,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled: bool,
    maximize: bool,
    step: int,
    now: float,
    ahead: float,
) -> None:
    """Adam with Nesterov's momentum: ``now`` and ``ahead`` weigh the gradient and its average."""
    w, g = descent(p, g, 0 if decoupled else weight_decay, maximize)
    if decoupled and weight_decay:
        w = w * (1 - lr * weight_decay)
    m, v = averages(g, exp_avg, exp_avg_sq, beta1, beta2)
    d = xp.sqrt(v / (1 - beta2**step)) + eps
    p[...] = w - (lr * now) * g / d - (lr * ahead) * m / d


def radam_step_(
    xp: Any,
    p: Any,
    g: Any,
    exp_avg: Any,
    exp_avg_sq: Any,
    *,
    lr: Any,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled: bool,
    maximize: bool,
    step: int,
    rectify: float,
) -> None:
    """Adam with its adaptive rate times ``rectify``; where that is 0, momentum alone."""
    w, g = descent(p, g, 0 if decoupled else weight_decay, maximize)
    if decoupled and weight_decay:
        w = w * (1 - lr * weight_decay)
    m, v = averages(g, exp_avg, exp_avg_sq, beta1, beta2)
    m = m / (1 - beta1**step)
    if rectify:
        m = m * ((1 - beta2**step) ** 0.5 * rectify) / (xp.sqrt(v) + eps)
    p[...] = w - lr * m


def adamax_step_(
    xp: Any,
    p: Any,
    g: Any,
    exp_avg: Any,
    exp_inf: Any,
    *,
    lr: Any,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
    step: int,
) -> None:
    """Adam with the largest recent gradient, ``u = max(beta2 * u, |g| + eps)``, as the denominator."""
    w, g = descent(p, g, weight_decay, maximize)
    m = wide(exp_avg)
    m = m + (1 - beta1) * (g - m)
    u = xp.maximum(beta2 * wide(exp_inf), xp.abs(g) + eps)
    exp_avg[...] = m
    exp_inf[...] = u
    p[...] = w - (lr / (1 - beta1**step)) * m / u


def rmsprop_step_(
    xp: Any,
    p: Any,
    g: Any,
    square_avg: Any,
    momentum_buffer: Any,
    grad_avg: Any,
    *,
    lr: Any,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    maximize: bool,
) -> None:
    """``p = p - lr * g / (sqrt(v) + eps)``, with the variance for ``v`` where ``grad_avg`` is given."""
    w, g = descent(p, g, weight_decay, maximize)
    v = alpha * wide(square_avg) + (1 - alpha) * g * g
    square_avg[...] = v
    if grad_avg is not None:
        a = wide(grad_avg)
        a = a + (1 - alpha) * (g - a)
        grad_avg[...] = a
        v = v - a * a
    d = g / (xp.sqrt(v) + eps)
    if momentum > 0:
        d = momentum * wide(momentum_buffer) + d
        momentum_buffer[...] = d
    p[...] = w - lr * d


def adagrad_step_(
    xp: Any, p: Any, g: Any, total: Any, *, lr: Any, eps: float, weight_decay: float, maximize: bool
) -> None:
    """``s = s + g**2``, ``p = p - lr * g / (sqrt(s) + eps)``."""
    w, g = descent(p, g, weight_decay, maximize)
    s = wide(total) + g * g
    total[...] = s
    p[...] = w - lr * g / (xp.sqrt(s) + eps)


def adadelta_step_(
    xp: Any,
    p: Any,
    g: Any,
    square_avg: Any,
    acc_delta: Any,
    *,
    lr: Any,
    rho: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """The gradient over its recent size and times that of recent updates."""
    w, g = descent(p, g, weight_decay, maximize)
    v, a = wide(square_avg), wide(acc_delta)
    v = rho * v + (1 - rho) * g * g
    d = xp.sqrt(a + eps) / xp.sqrt(v + eps) * g
    square_avg[...] = v
    acc_delta[...] = rho * a + (1 - rho) * d * d
    p[...] = w - lr * d


def rprop_step_(
    xp: Any,
    p: Any,
    g: Any,
    prev: Any,
    step_size: Any,
    *,
    shrink: float,
    grow: float,
    smallest: float,
    largest: float,
    maximize: bool,
) -> None:
    """A step size for each element: larger while the gradient keeps its sign, smaller (and no step) when it turns."""
    w, g = descent(p, g, 0, maximize)
    agree = g * wide(prev)
    s = wide(step_size)
    s = xp.where(agree > 0, s * grow, xp.where(agree < 0, s * shrink, s))
    s = xp.clip(s, smallest, largest)
    g = xp.where(agree < 0, xp.zeros_like(g), g)
    prev[...] = g
    step_size[...] = s
    p[...] = w - xp.sign(g) * s


def asgd_step_(
    xp: Any,
    p: Any,
    g: Any,
    ax: Any,
    *,
    eta: float,
    mu: float,
    lambd: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """``p = p * (1 - lambd * eta) - eta * g``, and ``ax``, the average of ``p``."""
    w, g = descent(p, g, weight_decay, maximize)
    w = w * (1 - lambd * eta) - eta * g
    p[...] = w
    a = wide(ax)
    ax[...] = w if mu == 1 else a + (w - a) * mu


def lion_step_(
    xp: Any, p: Any, g: Any, exp_avg: Any, *, lr: Any, beta1: float, beta2: float, weight_decay: float, maximize: bool
) -> None:
    """``p = p - lr * (sign(beta1 * m + (1 - beta1) * g) + weight_decay * p)``, then ``m`` moves by ``beta2``."""
    w, g = descent(p, g, 0, maximize)
    m = wide(exp_avg)
    direction = xp.sign(beta1 * m + (1 - beta1) * g)
    exp_avg[...] = beta2 * m + (1 - beta2) * g
    p[...] = w * (1 - lr * weight_decay) - lr * direction


def sophia_step_(
    xp: Any,
    p: Any,
    g: Any,
    exp_avg: Any,
    hessian: Any,
    *,
    lr: Any,
    beta1: float,
    scale: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """``p = p * (1 - lr * weight_decay) - lr * clip(m / (scale * h + eps), -1, 1)``."""
    w, g = descent(p, g, 0, maximize)
    m = wide(exp_avg)
    m = beta1 * m + (1 - beta1) * g
    exp_avg[...] = m
    p[...] = w * (1 - lr * weight_decay) - lr * xp.clip(m / (scale * wide(hessian) + eps), -1.0, 1.0)
