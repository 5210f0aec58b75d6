"""Dropout on the GPU; the source is ``dropout.cu``."""

from __future__ import annotations

import math
from typing import Any

import cupy

from ..definitions import dropout as plain
from ..definitions.random import MASK32, MASK64
from .loader import by_items, launch, takes
from .order import as_laid_out, contiguous, dense, empty_as

__all__ = ["masked_scale", "seeded_dropout"]


def masked_scale(x: Any, mask: Any, scale: float) -> Any:
    """``x * mask * scale``; see the definition."""
    if not takes(x) or mask.dtype.char != "?" or mask.shape != x.shape:
        return plain.masked_scale(cupy, x, mask, scale)
    x = dense(x)
    y = empty_as(x)
    if y.size:
        shape = by_items(y.size, 16 // x.itemsize)
        launch("masked_scale", x.dtype, shape, y, x, as_laid_out(mask, x), y.size, scale)
    return y


def seeded_dropout(x: Any, key: int, offset: int, keep: float, scale: float) -> Any:
    """`masked_scale` by the mask that ``random_bernoulli(key, offset, keep, x.shape)`` draws, without storing the mask.

    The backward pass is the same function of the gradient.
    """
    x = contiguous(x)
    y = cupy.empty(x.shape, x.dtype)
    if y.size:
        threshold = min(max(math.ceil(keep * 2.0**32), 0), MASK32 + 1)
        place = key & MASK64, offset & MASK64, offset >> 64 & MASK64
        launch("seeded_dropout", x.dtype, by_items(y.size, 4), y, x, y.size, *place, threshold, scale)
    return y
