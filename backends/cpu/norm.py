"""Normalisation on NumPy: sums by BLAS, everything else in place on one temporary; large arrays: ``norm_numba.py``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..definitions import norm as plain
from ..definitions.norm import Axes, count
from .blockwise import widened
from .compiled import compiled
from .conv import sum_channels
from .product import ones
from .reduction import blocks

__all__ = ["normalise", "normalise_backward", "p_norm", "standardise", "standardise_backward"]

LAST = (1,)  # of rows


def total(x: Any, axes: Axes) -> Any:
    """The sum over ``axes``, kept at size 1, by products with ones where the memory is in one piece.

    Rows are summed by ``vecdot``: a matrix times a vector would start threads for what memory bounds.
    """
    if not x.flags.c_contiguous or not x.size:
        return x.sum(axes, keepdims=True)
    char, shape, last = x.dtype.char, x.shape, x.ndim - 1
    kept = tuple(1 if i in axes else n for i, n in enumerate(shape))
    if axes == (0,):
        return ones(shape[0], char).dot(x.reshape(shape[0], -1)).reshape(kept)
    if axes == (0, last):
        rows = np.vecdot(x, ones(shape[last], char))
        return ones(shape[0], char).dot(rows.reshape(shape[0], -1)).reshape(kept)
    if axes == tuple(range(axes[0], last + 1)):
        inner = count(x, axes)
        return np.vecdot(x.reshape(*shape[: axes[0]], inner), ones(inner, char)).reshape(kept)
    return x.sum(axes, keepdims=True)


def product_total(a: Any, b: Any, axes: Axes) -> Any:
    """The sum of ``a * b`` over ``axes``, kept at size 1; without the product in memory where that is possible."""
    last = a.ndim - 1
    if not a.size:
        return (a * b).sum(axes, keepdims=True)
    if axes[-1] != last or not (a.flags.c_contiguous and b.flags.c_contiguous):
        return total(a * b, axes)
    inner = math.prod(a.shape[axes[0] :]) if axes == tuple(range(axes[0], last + 1)) else a.shape[last]
    sums = np.vecdot(a.reshape(-1, inner), b.reshape(-1, inner))
    kept = tuple(1 if i in axes else n for i, n in enumerate(a.shape))
    return sums.reshape(kept) if axes != (0, last) else total(sums.reshape(a.shape[0], -1), (0,)).reshape(kept)


def normalise(x: Any, w: Any, b: Any, axes: Axes, eps: float, centre: bool = True) -> tuple[Any, Any, Any]:
    """Normalise and scale; see the definition."""
    if x.dtype.char not in "fd":
        return widened(normalise, plain.normalise, x, w, b, axes, eps, centre)
    if axes == LAST:
        x = np.ascontiguousarray(x)
    loops = compiled("norm", x.size, least=1 if axes == LAST else None)
    if loops is not None and (found := loops.normalise(x, w, b, axes, eps, centre)):
        return found
    if axes == LAST and x.ndim == 2 and x.size:  # without what finds out about other axes
        n = x.shape[1]
        mean = (np.vecdot(x, ones(n, x.dtype.char)) / n)[:, None] if centre else None
        y = x - mean if centre else x
        var = (np.vecdot(y, y) / n)[:, None]
    else:
        n = max(count(x, axes), 1)
        mean = total(x, axes) / n if centre else None
        y = x - mean if centre else x
        var = product_total(y, y, axes) / n
    scale = 1 / np.sqrt(var + eps)
    if w is not None and var.shape == w.shape:  # both vary along the same axes: one multiplication
        scale, w = scale * w, None
    y = np.multiply(y, scale, out=y if centre else None)
    if w is not None:
        y *= w
    if b is not None:
        y += b
    return y, mean, var


def normalise_backward(
    g: Any, x: Any, w: Any, mean: Any, var: Any, axes: Axes, eps: float, needs: tuple[bool, ...]
) -> tuple[Any, Any, Any]:
    """The gradients; see the definition. Those of ``w`` and ``b`` are summed here where the axes are the same."""
    if x.dtype.char not in "fd" or (w is not None and w.dtype != x.dtype):
        return widened(normalise_backward, plain.normalise_backward, g, x, w, mean, var, axes, eps, needs)
    if axes == LAST:
        x = np.ascontiguousarray(x)
    loops = compiled("norm", x.size, least=1 if axes == LAST else None)
    if loops is not None and (found := loops.normalise_backward(g, x, w, mean, var, axes, eps, needs)):
        return found
    n = max(count(x, axes), 1)
    rstd = 1 / np.sqrt(var + eps)
    hat = x * rstd if mean is None else x - mean
    if mean is not None:
        hat *= rstd
    gw = gb = None
    if w is None or w.shape == var.shape:
        gw, gb = product_total(g, hat, axes), None if mean is None else total(g, axes)
        if needs[0]:
            scale = rstd if w is None else rstd * w
            hat *= gw / -n
            hat += g
            if gb is not None:
                hat -= gb / n
            hat *= scale
        return hat if needs[0] else None, gw, gb
    if needs[1]:
        gw = g * hat
        lead = tuple(i for i, m in enumerate(w.shape) if m == 1 and x.shape[i] != 1)
        gw = total(gw, lead) if lead else gw
    if needs[2]:
        lead = tuple(i for i, m in enumerate(w.shape) if m == 1 and x.shape[i] != 1)
        gb = total(g, lead) if lead else g
    if needs[0]:
        h = g * w
        hat *= product_total(h, hat, axes) / -n
        hat += h
        if mean is not None:
            hat -= total(h, axes) / n
        hat *= rstd
    return hat if needs[0] else None, gw, gb


def standardise(x: Any, mean: Any, var: Any, w: Any, b: Any, eps: float) -> Any:
    """Given statistics; see the definition. One pass where it is compiled, else two."""
    if any(v is not None and v.dtype != x.dtype for v in (mean, var, w, b)) or x.dtype.char not in "fd":
        return plain.standardise(np, x, mean, var, w, b, eps)
    scale, shift = plain.line(mean, var, w, b, eps)
    return _scaled(x, scale, shift)


def _scaled(x: Any, scale: Any, shift: Any) -> Any:
    """``x * scale + shift`` per channel, in the layout of ``x``."""
    loops = compiled("norm", x.size)
    if loops is not None and (y := loops.scaled(x, scale, shift)) is not None:
        return y
    shape = (-1, *[1] * (x.ndim - 2))
    y = np.multiply(x, scale.reshape(shape))
    return np.add(y, shift.reshape(shape), out=y)


def standardise_backward(
    g: Any, x: Any, mean: Any, var: Any, w: Any, eps: float, needs: tuple[bool, ...]
) -> tuple[Any, Any, Any]:
    """The gradients; see the definition. Sums by BLAS."""
    if any(v is not None and v.dtype != x.dtype for v in (g, mean, var, w)) or x.dtype.char not in "fd":
        return plain.standardise_backward(np, g, x, mean, var, w, eps, needs)
    scale, _ = plain.line(mean, var, w, None, eps)
    gw = gb = None
    if needs[1]:
        t = x - mean.reshape(-1, *[1] * (x.ndim - 2))
        gw = sum_channels(np.multiply(t, g, out=t)) * (var + x.dtype.type(eps)) ** -0.5
    if needs[2]:
        gb = sum_channels(g)
    return _scaled(g, scale, np.zeros_like(scale)) if needs[0] else None, gw, gb


def p_norm(x: Any, p: float, axes: Axes, keepdims: bool) -> Any:
    """See the definition. Sums of squares over the last dimensions take one pass, compiled or by BLAS."""
    n = count(x, axes) if len(axes) else x.size
    last = tuple(axes) == tuple(range(x.ndim - len(axes), x.ndim))
    if p != 2 or x.dtype.char not in "fd" or not x.flags.c_contiguous or not last or not x.size:
        return plain.p_norm(np, x, p, axes, keepdims)
    y = blocks("squares", x, n)
    if y is None:
        return plain.p_norm(np, x, p, axes, keepdims)
    kept = x.shape[: x.ndim - len(axes)] if len(axes) else ()
    y = np.sqrt(np.add.reduce(y.reshape(*kept, -1), axis=-1))
    return y.reshape((*kept, *[1] * (x.ndim - len(kept)))) if keepdims else y
