"""Zeroing elements by a mask."""

from __future__ import annotations

from typing import Any

from .reduction import wide

__all__ = ["masked_scale"]


def masked_scale(xp: Any, x: Any, mask: Any, scale: float) -> Any:
    """``x * mask * scale``; the mask broadcasts."""
    y = wide(x) * scale
    y *= mask
    return y.astype(x.dtype, copy=False)
