"""The norm of many arrays at once, and scaling them in place: what clipping and unscaling gradients are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .reduction import wide

__all__ = ["scale_to_norm_", "total_norm", "unscale_"]


def total_norm(xp: Any, arrays: Sequence[Any], order: float) -> Any:
    """The norm of all elements of all arrays, as if they were one vector: an array without dimensions.

    Order 0 is the exception, as in PyTorch: the number of arrays that are not all zeros.
    """
    if order == 0:
        counts = [xp.any(a != 0) for a in arrays]
        return xp.asarray(xp.sum(xp.stack(counts)), dtype=arrays[0].real.dtype)
    flat = arrays[0].reshape(-1) if len(arrays) == 1 else xp.concatenate([a.reshape(-1) for a in arrays])
    magnitudes = xp.abs(wide(flat))
    if order == math.inf:
        norm = xp.max(magnitudes)
    elif order == -math.inf:
        norm = xp.min(magnitudes)
    elif order == 2:
        norm = xp.sqrt(xp.sum(magnitudes * magnitudes))
    else:
        norm = xp.sum(magnitudes**order) ** (1 / order)
    return xp.asarray(norm, dtype=magnitudes.dtype).astype(flat.real.dtype)


def scale_to_norm_(xp: Any, arrays: Sequence[Any], norm: Any, max_norm: float) -> None:
    """Multiply arrays in place by ``max_norm / norm`` where that is below 1. The host does not look at ``norm``."""
    norm = wide(norm)
    factor = xp.minimum(max_norm / (norm + 1e-6), xp.ones_like(norm))
    for a in arrays:
        a[...] = (wide(a) * factor).astype(a.dtype)


def unscale_(xp: Any, arrays: Sequence[Any], found: Any, inverse: Any) -> None:
    """Multiply arrays in place by ``inverse``; ``found`` becomes 1 if one has an infinity or NaN.

    Both are arrays without dimensions: the host does not look at them.
    """
    for a in arrays:
        found[...] = xp.where(xp.all(xp.isfinite(a)), found, xp.ones_like(found))
        a[...] = (wide(a) * inverse).astype(a.dtype)
