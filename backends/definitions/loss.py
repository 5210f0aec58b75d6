"""Losses: cross entropy from unnormalised scores in one pass, and picking one class per sample.

Classes are dimension 1. An index outside the classes makes a NaN here, as a device cannot raise without waiting; a
backend that can look raises.
"""

from __future__ import annotations

from typing import Any

from .elementwise import like
from .reduction import wide

__all__ = [
    "bce",
    "bce_backward",
    "bce_logits",
    "bce_logits_backward",
    "class_weights",
    "cross_entropy",
    "cross_entropy_backward",
    "huber",
    "huber_backward",
    "nll",
    "nll_factor",
    "pick",
    "place",
    "squared_error",
]


def classes(xp: Any, n: int, ndim: int) -> Any:
    """0 .. n - 1 along dimension 1."""
    return xp.arange(n, dtype="int64").reshape(1, n, *[1] * (ndim - 2))


def pick(xp: Any, x: Any, target: Any) -> Any:
    """``x[n, target[n]]``: one class of each sample; (N, C, ...) and (N, ...) give (N, ...)."""
    inside = (target >= 0) & (target < x.shape[1])
    chosen = xp.take_along_axis(x, xp.where(inside, target, 0)[:, None], 1)[:, 0]
    return xp.where(inside, chosen, xp.asarray(float("nan"), dtype=x.dtype))


def place(xp: Any, g: Any, target: Any, n: int) -> Any:
    """The adjoint of `pick`: each sample's value at its class, zeros elsewhere; (N, n, ...)."""
    return xp.where(classes(xp, n, g.ndim + 1) == target[:, None], g[:, None], xp.asarray(0, dtype=g.dtype))


def cross_entropy(
    xp: Any, x: Any, target: Any, weight: Any, ignore_index: int, smoothing: float
) -> tuple[Any, Any, Any]:
    """``-log softmax(x)[target]`` per sample, times its class's weight.

    Args:
        xp: the array namespace.
        x: (N, C, ...).
        target: (N, ...), integers.
        weight: (C) or None.
        ignore_index: a class whose samples count for nothing.
        smoothing: how much of the target is spread evenly over all classes.

    Returns:
        The losses (N, ...), each sample's weight (N, ...), and what the backward pass wants kept: here the
        exponentials (N, C, ...) and their sums (N, 1, ...).
    """
    x = wide(x)
    shifted = x - xp.max(x, axis=1, keepdims=True)
    exps = xp.exp(shifted)
    sums = xp.sum(exps, axis=1, keepdims=True)
    valid, safe, each = class_weights(xp, target, weight, ignore_index, x.dtype)
    logs = shifted - xp.log(sums)
    losses = xp.where(valid, -pick(xp, logs, safe) * each, xp.asarray(0, dtype=x.dtype))
    if smoothing:
        even = -xp.sum(logs if weight is None else logs * class_weight(weight, x), axis=1) / x.shape[1]
        losses = losses * (1 - smoothing) + xp.where(valid, even, xp.asarray(0, dtype=x.dtype)) * smoothing
    return losses, each, (exps, sums)


def nll(xp: Any, x: Any, target: Any, weight: Any, ignore_index: int, reduction: str) -> Any:
    """``-x[target]``, times the class's weight; reduced, the mean being over the weights.

    Args:
        xp: the array namespace.
        x: (N, C, ...).
        target: (N, ...), integers.
        weight: (C) or None.
        ignore_index: a class whose samples count for nothing.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """
    kind = "float32" if x.dtype.itemsize == 2 else x.dtype
    valid, safe, each = class_weights(xp, target, weight, ignore_index, kind)
    losses = xp.where(valid, -wide(pick(xp, x, safe)) * each, xp.asarray(0, dtype=kind))
    if reduction != "none":
        losses = xp.sum(losses)
    if reduction == "mean":
        losses = losses / xp.sum(each)
    return losses.astype(x.dtype)


def nll_factor(xp: Any, target: Any, weight: Any, ignore_index: int, reduction: str, dtype: Any) -> tuple[Any, Any]:
    """What `nll` depends on: a class for each sample, and by how much."""
    kind = "float32" if dtype.itemsize == 2 else dtype
    _, safe, each = class_weights(xp, target, weight, ignore_index, kind)
    return safe, -each / xp.sum(each) if reduction == "mean" else -each


def class_weights(xp: Any, target: Any, weight: Any, ignore_index: int, dtype: Any) -> tuple[Any, Any, Any]:
    """Which samples count, a class for each of them (0 for those that do not), and their weights (0 there)."""
    valid = target != ignore_index
    safe = xp.where(valid, target, 0)
    each = xp.ones(target.shape, dtype=dtype) if weight is None else xp.take(weight.astype(dtype), safe)
    return valid, safe, xp.where(valid, each, xp.asarray(0, dtype=dtype))


def class_weight(weight: Any, x: Any) -> Any:
    """A weight per class, along dimension 1 of ``x``."""
    return weight.astype(x.dtype).reshape(1, -1, *[1] * (x.ndim - 2))


def cross_entropy_backward(
    xp: Any,
    g: Any,
    x: Any,
    kept: tuple[Any, ...],
    target: Any,
    each: Any,
    weight: Any,
    ignore_index: int,
    smoothing: float,
) -> Any:
    """``g (softmax(x) - target distribution)``, with the classes' weights; ``g`` broadcasts to the target's shape."""
    exps, sums = kept
    valid = target != ignore_index
    safe = xp.where(valid, target, 0)
    hard = xp.where(valid, g * each * (1 - smoothing), xp.asarray(0, dtype=exps.dtype))
    soft = hard
    spread: Any = None
    if smoothing:
        share = xp.where(valid, g * (smoothing / exps.shape[1]), xp.asarray(0, dtype=exps.dtype))
        if weight is None:
            soft, spread = hard + share * exps.shape[1], share[:, None]
        else:
            soft, spread = hard + share * xp.sum(weight.astype(exps.dtype)), share[:, None] * class_weight(weight, exps)
    gx = exps * (soft[:, None] / sums) - place(xp, hard, safe, exps.shape[1])
    return gx if spread is None else gx - spread


def squared_error(xp: Any, x: Any, y: Any, reduction: str) -> Any:
    """``(x - y) ** 2``, or its mean or sum."""
    d = wide(x) - wide(y)
    d = d * d
    if reduction != "none":
        d = xp.mean(d) if reduction == "mean" else xp.sum(d)
    return d.astype(x.dtype)


def huber(xp: Any, x: Any, y: Any, delta: float) -> Any:
    """Of ``d = x - y``: ``d ** 2 / 2`` up to ``|d| = delta``, a line beyond."""
    d = abs(wide(x) - wide(y))
    c = xp.minimum(d, like(d, delta))
    return (c * (d - c * like(d, 0.5))).astype(x.dtype)


def huber_backward(xp: Any, g: Any, x: Any, y: Any, delta: float) -> Any:
    """``g`` times ``x - y``, clamped to ``delta`` on both sides."""
    d = wide(x) - wide(y)
    return (g * xp.minimum(xp.maximum(d, like(d, -delta)), like(d, delta))).astype(x.dtype)


def bce(xp: Any, x: Any, t: Any) -> Any:
    """``-(t log(x) + (1 - t) log(1 - x))`` with logarithms of at least -100."""
    p, t = wide(x), wide(t)
    return ((t - 1) * xp.maximum(xp.log1p(-p), -100) - t * xp.maximum(xp.log(p), -100)).astype(x.dtype)


def bce_backward(xp: Any, g: Any, x: Any, t: Any) -> Any:
    """``g (x - t) / (x (1 - x))``, the denominator at least 1e-12."""
    p = wide(x)
    return (wide(g) * (p - wide(t)) / xp.maximum(p * (1 - p), 1e-12)).astype(x.dtype)


def bce_logits(xp: Any, x: Any, t: Any, positive: Any = None) -> Any:
    """`bce` of ``sigmoid(x)``, with ``positive`` (or None) as the weight of ``t``; does not overflow.

    ``-log sigmoid(x) = max(-x, 0) + log(1 + exp(-abs(x)))``, and ``-log(1 - sigmoid(x))`` is that plus ``x``.
    """
    z, t = wide(x), wide(t)
    loss = xp.maximum(-z, 0) + xp.log1p(xp.exp(-abs(z)))
    if positive is not None:
        loss = loss * ((wide(positive) - 1) * t + 1)
    return (loss + (1 - t) * z).astype(x.dtype)


def bce_logits_backward(xp: Any, g: Any, x: Any, t: Any, positive: Any = None) -> Any:
    """``g (sigmoid(x) - t)``, with the weight of ``t``."""
    t = wide(t)
    rest = 0.5 - 0.5 * xp.tanh(0.5 * wide(x))  # sigmoid(-x)
    if positive is not None:
        rest = rest * ((wide(positive) - 1) * t + 1)
    return (wide(g) * (1 - t - rest)).astype(x.dtype)
