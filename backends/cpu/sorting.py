"""The largest elements on the CPU: a partition finds them, and only they are sorted."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..definitions import sorting as plain
from ..definitions.reduction import wide

__all__ = ["top_positions"]


def top_positions(x: Any, count: int, dim: int, largest: bool = True) -> Any:
    """Where the ``count`` largest (or least) elements are, in order; see the definition.

    Of equal elements at the end of the list, any may be the ones that are in it.
    """
    n = x.shape[dim]
    if not 0 < count < n // 4:
        return plain.top_positions(np, x, count, dim, largest)
    keys = wide(x)
    place = n - count if largest else count - 1
    chosen = (slice(None),) * dim + (slice(place, None) if largest else slice(0, count),)
    positions = np.sort(np.argpartition(keys, place, axis=dim)[chosen], axis=dim)  # equal ones in their old order
    order = plain.sort_positions(np, np.take_along_axis(keys, positions, dim), dim, largest)
    return np.take_along_axis(positions, order, dim)
