"""Optimizer steps that look at a whole parameter at a time: its norm, its rows, its matrix. In place, as in `optim`."""

from __future__ import annotations

import math
from typing import Any

from .optim import averages, descent, wide

__all__ = [
    "adafactor_step_",
    "lamb_step_",
    "lars_step_",
    "muon_step_",
    "soap_basis_",
    "soap_step_",
    "sparse_adam_step_",
]


def norm(xp: Any, x: Any) -> Any:
    """The Euclidean norm of all elements, as an array of no dimensions."""
    return xp.sqrt(xp.sum(x * x))


def sparse_adam_step_(
    xp: Any,
    p: Any,
    g: Any,
    exp_avg: Any,
    exp_avg_sq: Any,
    *,
    key: tuple[Any, ...],
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    maximize: bool,
    step: int,
) -> None:
    """Adam on the parts ``p[key]`` that ``g`` has a gradient for; the others stay as they are."""
    w, g = descent(p[key], g, 0, maximize)
    m, v = wide(exp_avg[key]), wide(exp_avg_sq[key])
    m = m + (1 - beta1) * (g - m)
    v = v + (1 - beta2) * (g * g - v)
    rate = lr * (1 - beta2**step) ** 0.5 / (1 - beta1**step)
    w = w - rate * m / (xp.sqrt(v) + eps)
    for whole, part in ((p, w), (exp_avg, m), (exp_avg_sq, v)):
        whole[key] = part.astype(whole.dtype)


def adafactor_step_(
    xp: Any,
    p: Any,
    g: Any,
    row_var: Any,
    col_var: Any,
    variance: Any,
    *,
    lr: float,
    beta2_decay: float,
    eps1: float,
    eps2: float,
    d: float,
    weight_decay: float,
    maximize: bool,
    step: int,
) -> None:
    """RMSprop with the squares of a matrix kept as the product of a column and a row, and steps of bounded size."""
    w, g = descent(p, g, 0, maximize)
    new = step**beta2_decay
    rate = min(lr, 1 / math.sqrt(step))
    size = norm(xp, w) / math.sqrt(w.size)
    alpha = xp.maximum(size, xp.full_like(size, eps2)) * rate
    if weight_decay:
        w = w * (1 - lr * weight_decay)
    if variance is None:
        r, c = wide(row_var), wide(col_var)
        r = r + new * (xp.sum(g * g, axis=-1, keepdims=True) / g.shape[-1] - r)
        c = c + new * (xp.sum(g * g, axis=-2, keepdims=True) / g.shape[-2] - c)
        row_var[...] = r
        col_var[...] = c
        mean = xp.sum(r, axis=-2, keepdims=True) / r.shape[-2]
        v = r @ c / xp.maximum(mean, xp.full_like(mean, eps1))
    else:
        v = wide(variance)
        v = v + new * (g * g - v)
        variance[...] = v
    u = g / xp.sqrt(xp.maximum(v, xp.full_like(v, eps1 * eps1)))
    clipped = norm(xp, u) / (math.sqrt(u.size) * d)
    p[...] = w - alpha / xp.maximum(clipped, xp.ones_like(clipped)) * u


def orthogonal(xp: Any, g: Any, coefficients: tuple[float, float, float], steps: int, eps: float) -> Any:
    """About the nearest matrix to ``g`` with orthonormal rows or columns, by Newton-Schulz iteration."""
    a, b, c = coefficients
    x = g.T if g.shape[0] > g.shape[1] else g
    size = norm(xp, x)
    x = x / xp.maximum(size, xp.full_like(size, eps))
    for _ in range(steps):
        s = x @ x.T
        x = a * x + (b * s + c * (s @ s)) @ x
    return x.T if g.shape[0] > g.shape[1] else x


def muon_step_(
    xp: Any,
    p: Any,
    g: Any,
    momentum_buffer: Any,
    *,
    lr: float,
    rate: float,
    weight_decay: float,
    momentum: float,
    nesterov: bool,
    coefficients: tuple[float, float, float],
    eps: float,
    steps: int,
) -> None:
    """``p = p * (1 - lr * weight_decay) - rate * orthogonal(momentum)``."""
    w, g = descent(p, g)
    b = wide(momentum_buffer)
    b = b + (1 - momentum) * (g - b)
    momentum_buffer[...] = b
    u = orthogonal(xp, g + momentum * (b - g) if nesterov else b, coefficients, steps, eps)
    p[...] = w * (1 - lr * weight_decay) - rate * u


def lamb_step_(
    xp: Any,
    p: Any,
    g: Any,
    exp_avg: Any,
    exp_avg_sq: Any,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
    step: int,
) -> None:
    """Adam's direction, and a rate proportional to the norm of the parameter."""
    w, g = descent(p, g, 0, maximize)
    m, v = averages(g, exp_avg, exp_avg_sq, beta1, beta2)
    u = m / (1 - beta1**step) / (xp.sqrt(v / (1 - beta2**step)) + eps) + weight_decay * w
    p[...] = w - lr * ratio(xp, norm(xp, w), norm(xp, u)) * u


def ratio(xp: Any, a: Any, b: Any) -> Any:
    """``a / b``, and 1 where one of them is 0."""
    both = (a > 0) & (b > 0)
    one = xp.ones_like(a)
    return xp.where(both, a / xp.where(both, b, one), one)


def lars_step_(
    xp: Any,
    p: Any,
    g: Any,
    momentum_buffer: Any,
    *,
    lr: float,
    momentum: float,
    weight_decay: float,
    trust: float,
    eps: float,
    nesterov: bool,
    maximize: bool,
) -> None:
    """Momentum, and a rate proportional to the norm of the parameter over that of its gradient."""
    w, g = descent(p, g, 0, maximize)
    size, slope = norm(xp, w), norm(xp, g)
    local = ratio(xp, size * (slope > 0), slope + weight_decay * size + eps)
    one = xp.ones_like(size)
    g = (g + weight_decay * w) * xp.where((size > 0) & (slope > 0), trust * local, one)
    b = momentum * wide(momentum_buffer) + g
    momentum_buffer[...] = b
    p[...] = w - lr * (g + momentum * b if nesterov else b)


def soap_step_(
    xp: Any,
    p: Any,
    g: Any,
    exp_avg: Any,
    exp_avg_sq: Any,
    bases: tuple[Any, ...],
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
    step: int,
) -> None:
    """Adam in the coordinates of ``bases``: one orthogonal matrix (or None) for each dimension."""
    w, g = descent(p, g, 0, maximize)
    m, v = wide(exp_avg), wide(exp_avg_sq)
    m = m + (1 - beta1) * (g - m)
    turned = turn(xp, g, bases)
    v = beta2 * v + (1 - beta2) * turned * turned
    exp_avg[...] = m
    exp_avg_sq[...] = v
    u = turn(xp, m, bases) / (1 - beta1**step) / (xp.sqrt(v / (1 - beta2**step)) + eps)
    p[...] = w * (1 - lr * weight_decay) - lr * turn(xp, u, [None if q is None else q.T for q in bases])


def turn(xp: Any, x: Any, bases: Any) -> Any:
    """``x`` with each dimension multiplied by its matrix."""
    for axis, q in enumerate(bases):
        if q is not None:
            x = xp.moveaxis(xp.moveaxis(x, axis, -1) @ q, -1, axis)
    return x


def soap_basis_(
    xp: Any, g: Any, axis: int, covariance: Any, basis: Any, *, beta: float, first: bool, renew: bool
) -> None:
    """Move the covariance of one dimension towards that of ``g``; renew its eigenvectors, starting from the old."""
    flat = xp.moveaxis(wide(g), axis, 0).reshape(g.shape[axis], -1)
    now = flat @ flat.T
    c = now if first else covariance + (1 - beta) * (now - covariance)
    covariance[...] = c
    if first:
        basis[...] = xp.linalg.eigh(c)[1]
    elif renew:
        basis[...] = xp.linalg.qr(c @ basis)[0]
