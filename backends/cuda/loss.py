"""Cross entropy on the GPU: one pass over the scores forward, one backward; the source is ``loss.cu``."""

from __future__ import annotations

import math
from typing import Any

import cupy

from ..definitions import loss as plain
from ..definitions.conv import channels_last
from .loader import by_items, by_rows, launch, takes, wide_type
from .order import contiguous

__all__ = ["cross_entropy", "cross_entropy_backward"]


def _suits(x: Any, target: Any, weight: Any) -> bool:
    return takes(x, weight) and x.ndim > 1 and x.size > 0 and target.shape == (x.shape[0], *x.shape[2:])


def _inner(x: Any) -> int:
    """How many elements lie between two classes of a sample: 1 where its scores are a row of memory."""
    return 1 if channels_last(x) else math.prod(x.shape[2:])


def _laid_out(x: Any) -> Any:
    return x if channels_last(x) else contiguous(x)


def _target(target: Any) -> Any:
    return contiguous(target.astype("int64", copy=False))


def cross_entropy(x: Any, target: Any, weight: Any, ignore_index: int, smoothing: float) -> tuple[Any, Any, Any]:
    """Cross entropy per sample; see the definition. Kept are the largest scores, and the sums of exponentials."""
    if not _suits(x, target, weight):
        return plain.cross_entropy(cupy, x, target, weight, ignore_index, smoothing)
    x = _laid_out(x)
    parts = [cupy.empty(target.shape, wide_type(x.dtype)) for _ in range(4)]
    classes, inner = x.shape[1], _inner(x)
    given = x, _target(target), contiguous(weight)
    ends = classes, ignore_index, smoothing
    if inner == 1:
        shape = by_rows(target.size, classes)
        launch("cross_entropy_rows", x.dtype, shape, *parts, None, *given, None, target.size, *ends)
    else:
        shape = by_items(target.size)
        launch("cross_entropy_lines", x.dtype, shape, *parts, *given, target.size, inner, *ends)
    losses, each, *kept = parts
    return losses, each, tuple(kept)


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
    """The gradient of the scores, in their type; see the definition."""
    if not _suits(x, target, weight):
        return plain.cross_entropy_backward(cupy, g, x, kept, target, each, weight, ignore_index, smoothing)
    x = _laid_out(x)
    if g.ndim and g.shape != target.shape:
        g = cupy.broadcast_to(g, target.shape)
    gx = cupy.empty_like(x) if x.flags.c_contiguous else _empty_last(x)
    classes, inner = x.shape[1], _inner(x)
    given = gx, contiguous(g), x, *kept, _target(target), contiguous(weight)
    ends = classes, g.ndim == 0, ignore_index, smoothing
    if inner == 1:
        shape = by_rows(target.size, classes)
        launch("cross_entropy_rows_backward", x.dtype, shape, *given, target.size, *ends)
    else:
        shape = by_items(target.size)
        launch("cross_entropy_lines_backward", x.dtype, shape, *given, target.size, inner, *ends)
    return gx


def _empty_last(x: Any) -> Any:
    """Memory like that of ``x`` (N, C, ...), whose channels are last."""
    return cupy.moveaxis(cupy.empty((x.shape[0], *x.shape[2:], x.shape[1]), x.dtype), -1, 1)


def cross_entropy_and_gradient(
    x: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    smoothing: float = 0.0,
    factor: Any = None,
    over: bool = False,
) -> tuple[Any, Any, Any]:
    """The losses of rows of scores and their gradient in one pass over them, for a step that needs both.

    Args:
        x: (N, C), contiguous, of a type that `takes` accepts.
        target: (N), int64.
        weight: (C) or None.
        ignore_index: a class whose samples count for nothing.
        smoothing: how much of the target is spread evenly over all classes.
        factor: an array without dimensions that the gradient of the summed losses is multiplied by; None for 1.
        over: write the gradient over the scores.

    Returns:
        The losses (N), the samples' weights (N), and the gradient (N, C).
    """
    parts = [cupy.empty(target.shape, wide_type(x.dtype)) for _ in range(4)]
    gx = x if over else cupy.empty_like(x)
    rows, classes = x.shape
    given = gx, x, target, weight, factor
    if x.size:
        shape = by_rows(rows, classes)
        launch("cross_entropy_rows", x.dtype, shape, *parts, *given, rows, classes, ignore_index, smoothing)
    return parts[0], parts[1], gx
