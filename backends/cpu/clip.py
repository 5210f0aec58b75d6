"""Norms of many arrays, without putting them side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..definitions import clip as plain

__all__ = ["scale_to_norm_", "total_norm"]


def total_norm(arrays: Sequence[Any], order: float) -> Any:
    """See the definition. The norm of the arrays' norms is the norm of all."""
    if order != 2 or not all(a.dtype.char in "fd" for a in arrays):
        if order <= 0 or len(arrays) == 1:
            return plain.total_norm(np, arrays, order)
        return plain.total_norm(np, [plain.total_norm(np, [a], order) for a in arrays], order)
    squares = sum([float(np.dot(flat, flat)) for flat in [a.reshape(-1) for a in arrays]])
    if not 1e-30 < squares < 1e36:  # it may be that float32 was not enough for it
        return plain.total_norm(np, [a.astype(np.float64) for a in arrays], order).astype(arrays[0].dtype)
    return np.asarray(math.sqrt(squares), np.result_type(*[a.dtype for a in arrays]))


def scale_to_norm_(arrays: Sequence[Any], norm: Any, max_norm: float) -> None:
    """See the definition; nothing is multiplied by 1."""
    factor = max_norm / (float(norm) + 1e-6)
    if not factor >= 1:  # which is also so for what is no number
        for a in arrays:
            np.multiply(a, a.dtype.type(factor), out=a)
