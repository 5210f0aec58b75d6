"""Zeroing by a mask on the CPU: one pass where it is compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..definitions import dropout as plain
from .compiled import compiled, spread

__all__ = ["masked_scale"]


def masked_scale(x: Any, mask: Any, scale: float) -> Any:
    """``x * mask * scale``; see the definition."""
    loops = compiled("activation", x.size)
    alike = x.dtype.char == "f" and x.shape == mask.shape and x.flags.c_contiguous and mask.flags.c_contiguous
    if loops is None or not alike or mask.dtype.char != "?":
        return plain.masked_scale(np, x, mask, scale)
    out = np.empty(x.shape, np.float32)
    flat = [a.reshape(-1) for a in (x, mask, out)]
    number = np.float32(scale)
    spread(lambda start, stop: loops.dropout(*[a[start:stop] for a in flat], number), x.size, 1)
    return out
