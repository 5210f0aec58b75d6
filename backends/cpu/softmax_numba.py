"""Softmax, its logarithm and cross entropy of float32 rows, compiled: a row stays in the cache through all its passes.

Shares below 1e-37 of the largest become 0. Imported only when it pays; see ``compiled.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .crew_numba import enter
from .jit_numba import loop, summing
from .vector_numba import ZERO, exp_flushed, larger, ordered, unordered

__all__: list[str] = []  # found through cpu/activation.py and cpu/loss.py


@loop
def row_max(x: Any) -> Any:
    """The largest element; a NaN may or may not be it."""
    top = ordered(x[0])
    for i in range(1, x.size):
        top = larger(top, ordered(x[i]))
    return unordered(top)


@summing
def exp_row(x: Any, top: Any, y: Any) -> Any:
    """Write ``exp(x - top)``; the sum of it."""
    total = ZERO
    for i in range(x.size):
        e = exp_flushed(x[i] - top)
        y[i] = e
        total += e
    return total


@summing
def exp_sum(x: Any, top: Any) -> Any:
    """The sum of ``exp(x - top)``."""
    total = ZERO
    for i in range(x.size):
        total += exp_flushed(x[i] - top)
    return total


@summing
def dot(a: Any, b: Any) -> Any:
    """The scalar product."""
    total = ZERO
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@summing
def total(a: Any) -> Any:
    """The sum."""
    total = ZERO
    for i in range(a.size):
        total += a[i]
    return total


@loop
def softmax(start: int, stop: int, x: Any, y: Any) -> None:
    """Rows of (R, n)."""
    enter()
    for r in range(start, stop):
        source, out = x[r], y[r]
        factor = np.float32(1) / exp_row(source, row_max(source), out)
        for i in range(out.size):
            out[i] *= factor


@loop
def softmax_backward(start: int, stop: int, g: Any, y: Any, out: Any) -> None:
    """``y * (g - sum(g * y))`` of rows."""
    enter()
    for r in range(start, stop):
        gs, ys, outs = g[r], y[r], out[r]
        common = dot(gs, ys)
        for i in range(outs.size):
            outs[i] = ys[i] * (gs[i] - common)


@loop
def log_sum_exp(start: int, stop: int, x: Any, y: Any) -> None:
    """Of rows of (R, n); (R, 1). Of rows whose largest element is infinite, or not a number, NaN or that."""
    enter()
    for r in range(start, stop):
        source = x[r]
        top = row_max(source)
        if np.isfinite(top):
            y[r, 0] = np.log(exp_sum(source, top)) + top
        else:
            rest = ZERO
            for i in range(source.size):
                rest += source[i] * ZERO if source[i] != source[i] else ZERO
            y[r, 0] = top + rest


@loop
def log_softmax(start: int, stop: int, x: Any, y: Any) -> None:
    """Rows of (R, n)."""
    enter()
    for r in range(start, stop):
        source, out = x[r], y[r]
        top = row_max(source)
        log = np.log(exp_sum(source, top))
        for i in range(out.size):
            out[i] = source[i] - top - log


@loop
def log_softmax_backward(start: int, stop: int, g: Any, y: Any, out: Any) -> None:
    """``g - exp(y) * sum(g)`` of rows."""
    enter()
    for r in range(start, stop):
        gs, ys, outs = g[r], y[r], out[r]
        common = total(gs)
        for i in range(outs.size):
            outs[i] = gs[i] - exp_flushed(ys[i]) * common


@loop
def cross_entropy(start: int, stop: int, x: Any, target: Any, losses: Any, tops: Any, sums: Any) -> None:
    """Of rows: the loss, the largest score, and the sum of exponentials of what the others fall short of it."""
    enter()
    for r in range(start, stop):
        source = x[r]
        top = row_max(source)
        total = exp_sum(source, top)
        losses[r] = np.log(total) - (source[target[r]] - top)
        tops[r] = top
        sums[r] = total


@loop
def cross_entropy_backward(start: int, stop: int, g: Any, x: Any, target: Any, tops: Any, sums: Any, out: Any) -> None:
    """``g * (softmax(x) - target)`` of rows; ``g`` has one element, or one for each row."""
    enter()
    for r in range(start, stop):
        source, outs, top = x[r], out[r], tops[r]
        share = g[r if g.size > 1 else 0]
        factor = share / sums[r]
        for i in range(outs.size):
            outs[i] = exp_flushed(source[i] - top) * factor
        outs[target[r]] -= share
