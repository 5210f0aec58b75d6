"""Batching rules for losses of scores of classes; see ``rules.py``."""

from __future__ import annotations

from typing import Any

from .rules import KERNEL_RULES, Kind, aligned, array_namespace, rule
from .rules_products import folded, unfolded

__all__: list[str] = []


@rule("cross_entropy", KERNEL_RULES)
def cross_entropy(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """The loss of each sample: the batch joins the samples, where all examples share the classes' weights."""
    x, target, weight, *rest = args
    if kwargs or not kind.batch or type(weight) is kind or not target.ndim:
        return NotImplemented
    losses, each, kept = function(folded(kind, x), folded(kind, target), weight, *rest)
    return _unfolded(kind, losses), _unfolded(kind, each), tuple([_unfolded(kind, k) for k in kept])


@rule("cross_entropy_backward", KERNEL_RULES)
def cross_entropy_backward(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """The gradient of the scores, in the same way; of scores that all examples share, computed once and scaled."""
    g, x, kept, target, each, weight, *rest = args
    if kwargs or not kind.batch or not target.ndim or type(weight) is kind:
        return NotImplemented
    own = [type(a) is kind for a in (x, target, each, *kept)]
    if not any(own):
        one = function(array_namespace(g._all).ones(target.shape, dtype=g.dtype), x, kept, target, each, weight, *rest)
        whole = aligned(kind, g, target.ndim)
        return kind.of(whole[:, :, None] * one)
    if not all(o or a is None for o, a in zip(own, (x, target, each, *kept), strict=True)):
        return NotImplemented
    whole = aligned(kind, g, target.ndim)
    whole = array_namespace(target._all).broadcast_to(whole, (kind.batch, *target.shape))
    whole = whole.reshape(folded(kind, target).shape)
    given = [None if a is None else folded(kind, a) for a in (x, target, each, *kept)]
    return unfolded(kind, function(whole, given[0], tuple(given[3:]), given[1], given[2], weight, *rest))


def _unfolded(kind: Kind, y: Any) -> Any:
    return None if y is None else unfolded(kind, y)
