"""Losses on NumPy: the common case of cross entropy, without weights, ignored samples or smoothing, in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..definitions import loss as plain
from ..errors import ArgumentError, DimensionError
from .compiled import compiled, spread
from .product import ones

__all__ = ["bce", "cross_entropy", "cross_entropy_backward", "pick", "squared_error"]


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
    if not plainly or not target.size or not x.shape[1] or target.min() < 0:
        valid = target != ignore_index
        pick(x, np.where(valid, target, 0))
        return plain.cross_entropy(np, x, target, weight, ignore_index, smoothing)
    loops = compiled("softmax", x.size)
    if loops is not None and x.dtype.char == "f" and x.flags.c_contiguous and target.dtype.char == "l":
        if target.max() >= x.shape[1]:
            pick(x, target)
        losses, tops, sums = np.empty((3, len(x)), np.float32)
        spread(loops.cross_entropy, *x.shape, x, target, losses, tops, sums)
        return losses, None, (tops, sums)
    exps = x - x.max(1, keepdims=True)
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
        spread(compiled("softmax", x.size).cross_entropy_backward, *x.shape, g.reshape(-1), x, target, *kept, gx)
        return gx
    gx = exps * (g.reshape(-1, 1) / sums)
    gx[np.arange(len(gx)), target] -= g
    return gx


def squared_error(x: Any, y: Any, reduction: str) -> Any:
    """``(x - y) ** 2``, reduced without being stored; see the definition."""
    d = x - y
    if d.dtype.char not in "fd" or reduction == "none" or not d.size:
        return plain.squared_error(np, x, y, reduction)
    d = d.reshape(-1)
    total = d.dot(d)
    return np.asarray(total / d.size if reduction == "mean" else total, d.dtype)


def bce(x: Any, t: Any) -> Any:
    """Binary cross entropy of probabilities; see the definition.

    Raises:
        RuntimeError: one of them is none.
    """
    if x.size and not (x.min() >= 0 and x.max() <= 1):
        raise ArgumentError("binary_cross_entropy: all elements of input should be between 0 and 1")
    return plain.bce(np, x, t)
