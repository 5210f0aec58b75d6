"""Scaled dot-product attention, forward and backward, with the probabilities kept between the two."""

from __future__ import annotations

import math
from typing import Any

from .reduction import wide

__all__ = ["attention", "attention_backward", "causal_mask"]


def causal_mask(xp: Any, rows: int, columns: int) -> Any:
    """True where a query may look: at keys that are not later than itself."""
    return xp.arange(rows)[:, None] >= xp.arange(columns)[None, :]


def attention(
    xp: Any,
    q: Any,
    k: Any,
    v: Any,
    mask: Any,
    dropped: Any,
    scale: float,
    causal: bool,
    keep: float,
) -> tuple[Any, tuple[Any, ...]]:
    """``softmax(scale q k' + mask) v`` over the last two dimensions.

    Args:
        xp: the array namespace.
        q: (..., L, E).
        k: (..., S, E).
        v: (..., S, Ev).
        mask: broadcasts to (..., L, S); bool (False hides) or a number to add; or None.
        dropped: which probabilities to keep, (..., L, S), or None; the kept ones are divided by ``keep``.
        scale: factor of the scores.
        causal: hide later keys.
        keep: the probability of being kept.

    Returns:
        The result (..., L, Ev), and what the backward pass wants kept: here the probabilities before dropping. A query
        that sees no key gets zeros.
    """
    scores = xp.matmul(wide(q) * scale, xp.swapaxes(wide(k), -1, -2))
    hidden = xp.asarray(-math.inf, dtype=scores.dtype)
    if causal:
        scores = xp.where(causal_mask(xp, q.shape[-2], k.shape[-2]), scores, hidden)
    if mask is not None:
        scores = xp.where(mask, scores, hidden) if mask.dtype.kind == "b" else scores + wide(mask)
    top = xp.max(scores, axis=-1, keepdims=True) if scores.shape[-1] else xp.asarray(0, dtype=scores.dtype)
    p = xp.exp(scores - xp.where(top == hidden, xp.asarray(0, dtype=scores.dtype), top))
    sums = xp.sum(p, axis=-1, keepdims=True)
    p = p / xp.where(sums == 0, xp.asarray(1, dtype=p.dtype), sums)
    kept = p if dropped is None else p * dropped / keep
    return xp.matmul(kept, wide(v)).astype(q.dtype), (p,)


def attention_backward(
    xp: Any,
    g: Any,
    q: Any,
    k: Any,
    v: Any,
    mask: Any,
    dropped: Any,
    kept: tuple[Any, ...],
    scale: float,
    causal: bool,
    keep: float,
    mask_wanted: bool,
) -> tuple[Any, Any, Any, Any]:
    """The gradients of ``q``, ``k``, ``v`` and, where it is wanted, of an added mask: that of the scores."""
    g, (p,) = wide(g), kept
    thinned = p if dropped is None else p * dropped / keep
    gv = xp.matmul(xp.swapaxes(thinned, -1, -2), g)
    gp = xp.matmul(g, xp.swapaxes(wide(v), -1, -2))
    if dropped is not None:
        gp = gp * dropped / keep
    gs = p * (gp - xp.sum(gp * p, axis=-1, keepdims=True))
    gq = xp.matmul(gs, wide(k)) * scale
    gk = xp.matmul(xp.swapaxes(gs, -1, -2), wide(q)) * scale
    return gq.astype(q.dtype), gk.astype(k.dtype), gv.astype(v.dtype), gs if mask_wanted else None
