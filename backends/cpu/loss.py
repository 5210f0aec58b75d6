"""Losses on NumPy: the common case of cross entropy, without weights, ignored samples or smoothing, in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..definitions import loss as plain
from ..errors import ArgumentError, DimensionError
from .compiled import LEAST, LIGHT, compiled, spread
from .elementwise import looped
from .product import ones
from .reduction import RUN
from .special import looped as looped32

__all__ = [
    "bce",
    "bce_logits",
    "bce_logits_backward",
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


largest, smallest = np.maximum.reduce, np.minimum.reduce


def _ignored(target: Any) -> bool:
    """Whether a class is negative, so that its sample is left out, or wrong."""
    return bool(smallest(target, axis=None) < 0)


def pick(x: Any, target: Any) -> Any:
    """One class of each sample; see the definition.

    Raises:
        IndexError: a class that is not there.
    """
    if target.size and (target.min() < 0 or target.max() >= x.shape[1]):
        wrong = target[(target < 0) | (target >= x.shape[1])].flat[0]
        raise DimensionError(
            f"Target {wrong} is out of bounds. The input of shape {list(x.shape)} has classes 0 to {x.shape[1] - 1}; "
            "a class to be left out is named by ignore_index"
        )
    return np.take_along_axis(x, target[:, None], 1)[:, 0]


def cross_entropy(x: Any, target: Any, weight: Any, ignore_index: int, smoothing: float) -> tuple[Any, Any, Any]:
    """Cross entropy per sample; see the definition. The weights are None where all are 1.

    Raises:
        IndexError: a class that is not there.
    """
    plainly = x.ndim == 2 and x.dtype.char in "fd" and weight is None and not smoothing and ignore_index < 0
    if not plainly or not target.size or not x.shape[1] or _ignored(target):
        valid = target != ignore_index
        pick(x, np.where(valid, target, 0))
        return plain.cross_entropy(np, x, target, weight, ignore_index, smoothing)
    loops = compiled("softmax", x.size, least=1)
    if loops is not None and x.dtype.char == "f" and x.flags.c_contiguous and target.dtype.char == "l":
        if largest(target) >= x.shape[1]:
            pick(x, target)
        losses, tops, sums = np.empty((3, len(x)), np.float32)
        spread(loops.cross_entropy, *x.shape, x, target, losses, tops, sums)
        return losses, None, (tops, sums)
    exps = x - largest(x, axis=1, keepdims=True)
    try:
        losses = exps[np.arange(len(x)), target]
    except IndexError:
        pick(x, target)
        raise
    np.exp(exps, out=exps)
    sums = np.vecdot(exps, ones(x.shape[1], x.dtype.char))
    np.subtract(np.log(sums), losses, out=losses)
    return losses, None, (exps, sums[:, None])


def cross_entropy_backward(
    g: Any,
    x: Any,
    kept: tuple[Any, ...],
    target: Any,
    each: Any,
    weight: Any,
    ignore_index: int,
    smoothing: float,
) -> Any:
    """The gradient of the scores; see the definition."""
    if each is not None:
        return plain.cross_entropy_backward(np, g, x, kept, target, each, weight, ignore_index, smoothing)
    exps, sums = kept
    if exps.ndim == 1:
        gx = np.empty(x.shape, np.float32)
        spread(
            compiled("softmax", x.size, least=1).cross_entropy_backward, *x.shape, g.reshape(-1), x, target, *kept, gx
        )
        return gx
    gx = exps * (g.reshape(-1, 1) / sums)
    gx[np.arange(len(gx)), target] -= g
    return gx


def nll(x: Any, target: Any, weight: Any, ignore_index: int, reduction: str) -> Any:
    """``-x[target]``, weighted and reduced; see the definition.

    Raises:
        IndexError: a class that is not there.
    """
    if x.ndim != 2 or x.dtype.char not in "fd" or not target.size or not _all_count(target, weight, ignore_index):
        pick(x, np.where(target != ignore_index, target, 0))
        return plain.nll(np, x, target, weight, ignore_index, reduction)
    try:
        losses = x[np.arange(len(x)), target]
    except IndexError:
        pick(x, target)
        raise
    if reduction == "none":
        return np.negative(losses, out=losses)
    return np.add.reduce(losses) / (-losses.size if reduction == "mean" else -1)


def nll_factor(target: Any, weight: Any, ignore_index: int, reduction: str, dtype: Any) -> tuple[Any, Any]:
    """What `nll` depends on, and by how much; see the definition."""
    if dtype.char not in "fd" or not target.size or not _all_count(target, weight, ignore_index):
        return plain.nll_factor(np, target, weight, ignore_index, reduction, dtype)
    return target, np.full(target.shape, -1 / target.size if reduction == "mean" else -1.0, dtype)


def _all_count(target: Any, weight: Any, ignore_index: int) -> bool:
    """Whether all samples count for 1."""
    return weight is None and not _ignored(target) and (ignore_index < 0 or not (target == ignore_index).any())


def place(g: Any, target: Any, n: int) -> Any:
    """Each sample's value at its class; see the definition."""
    if g.ndim != 1 or not g.size or _ignored(target) or largest(target) >= n:
        return plain.place(np, g, target, n)
    y = np.zeros((len(g), n), g.dtype)
    y[np.arange(len(g)), target] = g
    return y


def squared_error(x: Any, y: Any, reduction: str) -> Any:
    """``(x - y) ** 2``, reduced without being stored; see the definition."""
    total = _squared_errors(x, y) if reduction != "none" and x.size >= LEAST else None
    if total is not None:
        return np.asarray(total / x.size if reduction == "mean" else total, x.dtype)
    d = x - y
    if d.dtype.char not in "fd" or reduction == "none" or not d.size:
        return plain.squared_error(np, x, y, reduction)
    d = d.reshape(-1)
    total = d.dot(d)
    return np.asarray(total / d.size if reduction == "mean" else total, d.dtype)


def _squared_errors(x: Any, y: Any) -> Any:
    """The sum of ``(x - y) ** 2`` by a compiled loop; None where NumPy is to do it."""
    if x.dtype.char not in "fd" or y.dtype != x.dtype or y.shape != x.shape:
        return None
    if not (x.flags.c_contiguous and y.flags.c_contiguous) or (loops := compiled("arithmetic", x.size)) is None:
        return None
    a, b, sums = x.reshape(-1), y.reshape(-1), np.empty(-(-x.size // RUN), x.dtype)
    spread(lambda start, stop: loops.squared_errors(a, b, sums, RUN, start, stop), sums.size, LIGHT * RUN)
    return np.add.reduce(sums)


def bce_logits(x: Any, t: Any, positive: Any = None) -> Any:
    """See the definition."""
    same = positive is None and t.shape == x.shape
    y = looped32("bce_logits", x, t) if same else None
    return plain.bce_logits(np, x, t, positive) if y is None else y


def bce_logits_backward(g: Any, x: Any, t: Any, positive: Any = None) -> Any:
    """See the definition."""
    same = positive is None and g.shape == t.shape == x.shape
    gx = looped32("bce_logits_backward", x, g, t) if same else None
    return plain.bce_logits_backward(np, g, x, t, positive) if gx is None else gx


def huber(x: Any, y: Any, delta: float) -> Any:
    """See the definition."""
    loss = looped("huber", x, y, numbers=(delta,))
    return plain.huber(np, x, y, delta) if loss is None else loss


def huber_backward(g: Any, x: Any, y: Any, delta: float) -> Any:
    """See the definition."""
    gx = looped("huber_backward", g, x, y, numbers=(delta,))
    return plain.huber_backward(np, g, x, y, delta) if gx is None else gx


def bce(x: Any, t: Any) -> Any:
    """Binary cross entropy of probabilities; see the definition.

    Raises:
        RuntimeError: one of them is none.
    """
    if x.size and not (x.min() >= 0 and x.max() <= 1):
        raise ArgumentError("binary_cross_entropy: all elements of input should be between 0 and 1")
    return plain.bce(np, x, t)
