"""The causal mask: what it is, and whether a mask is it."""

from __future__ import annotations

import math
from typing import Any

from ..autograd import ops

__all__ = ["causal_mask", "is_causal_mask"]


def causal_mask(size: int, device: Any = None, dtype: Any = None) -> Any:
    """The mask (size, size) to add: -inf above the diagonal, 0 elsewhere."""
    return ops.triu(ops.full((size, size), -math.inf, device=device, dtype=dtype), 1)


def is_causal_mask(mask: Any, is_causal: bool | None = None, size: int | None = None) -> bool:
    """Whether a mask is the causal one; ``is_causal`` is believed where it is given."""
    if is_causal is not None or mask is None or mask.ndim != 2:
        return is_causal is True
    size = mask.shape[0] if size is None else size
    if tuple(mask.shape) != (size, size):
        return False
    return bool((mask == causal_mask(size, mask.device, mask.dtype)).all())
