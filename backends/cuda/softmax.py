"""Softmax and its logarithm on the GPU, forward and backward; the source is ``softmax.cu``."""

from __future__ import annotations

import math
from typing import Any

import cupy

from ..definitions import activation as plain
from .loader import by_items, by_rows, launch, takes
from .order import contiguous

__all__ = ["log_softmax", "log_softmax_backward", "softmax", "softmax_backward"]


def _parts(shape: tuple[int, ...], axis: int) -> tuple[int, int, int]:
    """The shape as (outer, n, inner) around the axis; a number has one element along any."""
    if not shape:
        return 1, 1, 1
    axis %= len(shape)
    return math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])


def _run(name: str, logarithm: bool, axis: int, *inputs: Any) -> Any:
    """A kernel over rows if the axis is the last one in memory, else the one over lines, on arrays of one shape."""
    inputs = tuple(map(contiguous, inputs))
    like = inputs[-1]
    out = cupy.empty(like.shape, like.dtype)
    outer, n, inner = _parts(like.shape, axis)
    if not out.size:
        return out
    back = "_backward" if len(inputs) > 1 else ""
    if inner > 1:
        launch(f"softmax_lines{back}", like.dtype, by_items(outer * inner), out, *inputs, outer, n, inner, logarithm)
    elif logarithm:
        launch(name, like.dtype, by_rows(outer, n), out, *inputs, outer, n)
    else:
        launch(name, like.dtype, by_rows(outer, n), out, *inputs, outer, n, 0, 1.0)
    return out


def softmax(x: Any, axis: int) -> Any:
    """``exp(x) / sum(exp(x))``; see the definition."""
    return _run("softmax_rows", False, axis, x) if takes(x) else plain.softmax(cupy, x, axis)


def log_softmax(x: Any, axis: int) -> Any:
    """``x - log(sum(exp(x)))``; see the definition."""
    return _run("log_softmax_rows", True, axis, x) if takes(x) else plain.log_softmax(cupy, x, axis)


def softmax_backward(g: Any, y: Any, axis: int) -> Any:
    """``y * (g - sum(g * y))``; see the definition."""
    if not takes(g, y) or g.shape != y.shape:
        return plain.softmax_backward(cupy, g, y, axis)
    return _run("softmax_rows_backward", False, axis, g, y)


def log_softmax_backward(g: Any, y: Any, axis: int) -> Any:
    """``g - exp(y) * sum(g)``; see the definition."""
    if not takes(g, y) or g.shape != y.shape:
        return plain.log_softmax_backward(cupy, g, y, axis)
    return _run("log_softmax_rows_backward", True, axis, g, y)


def masked_softmax(scores: Any, scale: float = 1.0, causal: bool = False) -> Any:
    """``softmax(scale * scores)`` over the last dimension, of rows up to the diagonal only if ``causal``.

    Args:
        scores: (..., L, S), contiguous, of a type that `takes` accepts; written over by the result.
        scale: factor of the scores.
        causal: whether query ``i`` sees the keys up to ``i`` only.
    """
    rows, columns = math.prod(scores.shape[:-1]), scores.shape[-1]
    if scores.size:
        queries = scores.shape[-2] if causal else 0
        launch("softmax_rows", scores.dtype, by_rows(rows, columns), scores, scores, rows, columns, queries, scale)
    return scores


def masked_softmax_backward(g: Any, y: Any, scale: float = 1.0, causal: bool = False) -> Any:
    """The gradient of the scores of `masked_softmax`, written over ``g``, from the result ``y``; (..., L, S)."""
    rows, columns = math.prod(y.shape[:-1]), y.shape[-1]
    if y.size:
        queries = y.shape[-2] if causal else 0
        launch("softmax_rows_backward", y.dtype, by_rows(rows, columns), g, g, y, rows, columns, queries, scale)
    return g
