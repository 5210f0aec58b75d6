"""Normalisation: zero mean and unit variance over some axes, then a scale and a shift.

Batch, layer, group, instance and root-mean-square norms differ in the axes and in the shape of ``w`` and ``b`` only,
which broadcast to ``x``. Statistics of 16-bit inputs are float32.
"""

from __future__ import annotations

import math
from typing import Any

from .reduction import wide

__all__ = [
    "normalise",
    "normalise_backward",
    "p_norm",
    "standardise",
    "standardise_backward",
    "update_running_",
]

Axes = tuple[int, ...]


def normalise(xp: Any, x: Any, w: Any, b: Any, axes: Axes, eps: float, centre: bool = True) -> tuple[Any, Any, Any]:
    """``(x - mean) / sqrt(var + eps) * w + b`` and the biased statistics, with the reduced axes at size 1.

    Without ``centre`` nothing is subtracted, ``var`` is the mean square, and the mean that is returned is None.
    """
    y = wide(x)
    mean = None
    if centre:
        mean = xp.mean(y, axis=axes, keepdims=True)
        y = y - mean
    var = xp.mean(y * y, axis=axes, keepdims=True)
    y = y * (var + eps) ** -0.5
    if w is not None:
        y = y * wide(w)
    if b is not None:
        y = y + wide(b)
    return y.astype(x.dtype), mean, var


def normalise_backward(
    xp: Any, g: Any, x: Any, w: Any, mean: Any, var: Any, axes: Axes, eps: float, needs: tuple[bool, ...]
) -> tuple[Any, Any, Any]:
    """The gradients of ``x``, ``w`` and ``b``, the last two in full size; None where not needed.

    With ``h = g w`` and the normalised ``n``: ``gx = (h - mean(h) - n mean(h n)) / sqrt(var + eps)``. The two means
    are the parts of ``h`` that the statistics took away, so a norm without a mean drops the first.
    """
    g = wide(g)
    rstd = (var + eps) ** -0.5
    n = (wide(x) if mean is None else wide(x) - mean) * rstd
    gx = None
    if needs[0]:
        h = g if w is None else g * wide(w)
        gx = h - n * xp.mean(h * n, axis=axes, keepdims=True)
        if mean is not None:
            gx = gx - xp.mean(h, axis=axes, keepdims=True)
        gx = (gx * rstd).astype(x.dtype)
    return gx, g * n if needs[1] else None, g if needs[2] else None


def line(mean: Any, var: Any, w: Any, b: Any, eps: float) -> tuple[Any, Any]:
    """The scale and the shift per channel that given statistics make with ``w`` and ``b``, either of which is None."""
    scale = (wide(var) + eps) ** -0.5
    if w is not None:
        scale = scale * wide(w)
    shift = wide(mean) * -scale
    return scale, shift if b is None else shift + wide(b)


def standardise(xp: Any, x: Any, mean: Any, var: Any, w: Any, b: Any, eps: float) -> Any:
    """``(x - mean) / sqrt(var + eps) * w + b`` of (N, C, ...) with given statistics per channel."""
    scale, shift = (v.reshape(-1, *[1] * (x.ndim - 2)) for v in line(mean, var, w, b, eps))
    return (wide(x) * scale + shift).astype(x.dtype)


def standardise_backward(
    xp: Any, g: Any, x: Any, mean: Any, var: Any, w: Any, eps: float, needs: tuple[bool, ...]
) -> tuple[Any, Any, Any]:
    """The gradients of ``x``, ``w`` and ``b``, (C) for the latter two; None where not needed."""
    shape, axes = (-1, *[1] * (x.ndim - 2)), (0, *range(2, x.ndim))
    scale, _ = line(mean, var, w, None, eps)
    gx = (wide(g) * scale.reshape(shape)).astype(x.dtype) if needs[0] else None
    gw = gb = None
    if needs[1]:
        gw = xp.sum((wide(x) - wide(mean).reshape(shape)) * wide(g), axis=axes) * (wide(var) + eps) ** -0.5
    if needs[2]:
        gb = xp.sum(wide(g), axis=axes)
    return gx, gw, gb


def update_running_(
    xp: Any, running_mean: Any, running_var: Any, mean: Any, var: Any, momentum: float, count: int
) -> None:
    """Move the running statistics towards a batch's, whose variance is made unbiased; in place."""
    unbiased = var.reshape(running_var.shape) * (count / max(count - 1, 1))
    for running, now in ((running_mean, mean.reshape(running_mean.shape)), (running_var, unbiased)):
        running *= 1 - momentum
        running += (now * momentum).astype(running.dtype)


def count(x: Any, axes: Axes) -> int:
    """How many elements one statistic covers."""
    return math.prod([x.shape[a] for a in axes])


def p_norm(xp: Any, x: Any, p: float, axes: Axes, keepdims: bool) -> Any:
    """``sum(abs(x) ** p) ** (1 / p)``; the largest and the smallest for infinite ``p``, the non-zeros' number for 0."""
    sizes = abs(wide(x))
    if math.isinf(p):
        y = (xp.max if p > 0 else xp.min)(sizes, axis=axes, keepdims=keepdims)
    elif p == 0:
        y = xp.sum((sizes != 0).astype(sizes.dtype), axis=axes, keepdims=keepdims)
    elif p == 2:
        y = xp.sqrt(xp.sum(sizes * sizes, axis=axes, keepdims=keepdims))
    else:
        y = xp.sum(sizes if p == 1 else sizes**p, axis=axes, keepdims=keepdims) ** (1 / p)
    return y if x.dtype.kind == "c" else y.astype(x.dtype)
