"""Connectionist temporal classification: the forward recursion over time, and its reverse.

States of a sample are its target with a blank before, between and after the labels. ``alpha[t, s]`` is the logarithm of
the probability of all paths that are in state ``s`` at time ``t``. Logarithms of zero are `NEVER`, which is finite, so
that differences of two of them are no NaN.

References:
    A. Graves, S. Fernandez, F. Gomez, J. Schmidhuber, "Connectionist temporal classification", ICML 2006.
"""

from __future__ import annotations

from typing import Any

from .reduction import wide

__all__ = ["ctc", "ctc_backward", "ctc_states", "empty_loss"]

NEVER = -1e30


def ctc_states(xp: Any, targets: Any, blank: int) -> tuple[Any, Any]:
    """The classes of all states, (N, 2 S + 1), and where a path may come from two states before."""
    n, s = targets.shape
    states = xp.full((n, 2 * s + 1), blank, dtype="int64")
    states[:, 1::2] = targets
    skip = xp.zeros(states.shape, dtype=bool)
    skip[:, 2:] = (states[:, 2:] != blank) & (states[:, 2:] != states[:, :-2])
    return states, skip


def shifted(xp: Any, a: Any, by: int) -> Any:
    """``a`` (N, L) with ``by`` columns of `NEVER` before it, or, negative, zeros after it."""
    out = xp.full(a.shape, NEVER if by > 0 else 0.0, dtype=a.dtype)
    if by > 0:
        out[:, by:] = a[:, :-by]
    else:
        out[:, :by] = a[:, -by:]
    return out


def sources(xp: Any, alpha: Any, skip: Any) -> tuple[Any, Any, Any]:
    """Where a path may come from: the same state, the one before, and the one before that."""
    two = shifted(xp, alpha, 2) if alpha.shape[1] > 2 else xp.full(alpha.shape, NEVER, dtype=alpha.dtype)
    return alpha, shifted(xp, alpha, 1), xp.where(skip, two, xp.asarray(NEVER, dtype=alpha.dtype))


def logsum(xp: Any, *terms: Any) -> Any:
    """``log(sum(exp))`` of a few arrays."""
    top = terms[0]
    for t in terms[1:]:
        top = xp.maximum(top, t)
    return top + xp.log(sum([xp.exp(t - top) for t in terms]))


def last_states(xp: Any, alpha: Any, lengths: Any) -> tuple[Any, Any]:
    """``alpha`` (N, L) in the last blank and in the last label, `NEVER` where there is no label."""
    end = xp.take_along_axis(alpha, (2 * lengths)[:, None], 1)[:, 0]
    label = xp.take_along_axis(alpha, xp.maximum(2 * lengths - 1, 0)[:, None], 1)[:, 0]
    return end, xp.where(lengths > 0, label, xp.asarray(NEVER, dtype=alpha.dtype))


def ctc(xp: Any, x: Any, targets: Any, input_lengths: Any, target_lengths: Any, blank: int) -> tuple[Any, Any]:
    """``-log`` of the probability of each target.

    Args:
        xp: the array namespace.
        x: log-probabilities, (T, N, C).
        targets: classes (N, S), int64, padded with anything valid.
        input_lengths: (N), int64.
        target_lengths: likewise.
        blank: the class of the blank.

    Returns:
        The losses (N), huge where a target is impossible, and all alphas (T, N, 2 S + 1) for the backward pass.
    """
    x = wide(x)
    states, skip = ctc_states(xp, targets, blank)
    places = xp.arange(states.shape[1], dtype="int64")[None, :]
    never = xp.asarray(NEVER, dtype=x.dtype)
    start = (places == 0) | ((places == 1) & (target_lengths[:, None] > 0))
    alpha = xp.where(start, xp.take_along_axis(x[0], states, 1), never)
    alphas = xp.empty((x.shape[0], *alpha.shape), dtype=x.dtype)
    alphas[0] = alpha
    for t in range(1, x.shape[0]):
        moved = logsum(xp, *sources(xp, alpha, skip)) + xp.take_along_axis(x[t], states, 1)
        alpha = xp.where((input_lengths > t)[:, None], xp.maximum(moved, never), alpha)
        alphas[t] = alpha
    losses = -logsum(xp, *last_states(xp, alpha, target_lengths))
    return xp.where(input_lengths > 0, losses, empty_loss(xp, target_lengths, losses.dtype)), alphas


def empty_loss(xp: Any, target_lengths: Any, dtype: Any) -> Any:
    """The losses of samples without steps: none for an empty target, which is certain, else impossible."""
    return xp.where(target_lengths > 0, xp.asarray(-NEVER, dtype=dtype), xp.asarray(0, dtype=dtype))


def ctc_backward(
    xp: Any,
    g: Any,
    x: Any,
    alphas: Any,
    losses: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int,
) -> Any:
    """``g`` times the probability of each class less that of passing it on the target's paths, at each time.

    A state's gradient is shared among the states its paths came from, in proportion to their probabilities.
    """
    states, skip = ctc_states(xp, targets, blank)
    places = xp.arange(states.shape[1], dtype="int64")[None, :]
    ends = (places == 2 * target_lengths[:, None]) | ((places == 2 * target_lengths[:, None] - 1) & (places >= 0))
    ga = xp.where(ends, -g[:, None] * xp.exp(xp.minimum(alphas[-1] + losses[:, None], 0)), 0).astype(alphas.dtype)
    classes = (states[:, :, None] == xp.arange(x.shape[2], dtype="int64")).astype(alphas.dtype)  # (N, L, C)
    gx = xp.zeros(x.shape, dtype=alphas.dtype)
    for t in range(x.shape[0] - 1, -1, -1):
        live = (input_lengths > t)[:, None]
        passed = xp.matmul(xp.where(live, ga, 0)[:, None, :].astype(alphas.dtype), classes)[:, 0]
        gx[t] = passed + xp.where(live, xp.exp(wide(x[t])) * g[:, None], 0)
        if t == 0:
            break
        before = sources(xp, alphas[t - 1], skip)
        total = logsum(xp, *before)
        same, one, two = (ga * xp.exp(b - total) for b in before)
        back = same + shifted(xp, one, -1) + (shifted(xp, two, -2) if ga.shape[1] > 2 else 0)
        ga = xp.where(live, back, ga).astype(alphas.dtype)
    return gx.astype(x.dtype)
