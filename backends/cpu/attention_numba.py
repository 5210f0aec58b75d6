"""The rows of attention's tiles compiled, for float32; see ``attention.py``. Imported only when it pays."""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit_numba import loop, summing
from .softmax_numba import dot, row_max
from .vector_numba import ZERO, exp_flushed

__all__: list[str] = []  # found through cpu/attention.py


@summing
def exp_in_place(x: Any, top: Any) -> Any:
    """Overwrite ``x`` with ``exp(x - top)``; the sum of it. With one array there is no overlap to look out for."""
    total = ZERO
    for i in range(x.size):
        e = exp_flushed(x[i] - top)
        x[i] = e
        total += e
    return total


@loop
def softmax(scores: Any, before: int, sums: Any) -> None:
    """Rows of (H, L, S) become probabilities, in place; row i sees its first ``before + i + 1`` keys.

    ``sums`` (H, L) gets the logarithms of the sums of exponentials, infinity for a row that sees nothing.
    """
    for h in range(scores.shape[0]):
        for r in range(scores.shape[1]):
            whole = scores[h, r]
            row = whole[: min(before + r + 1, whole.size)]
            top = row_max(row)
            if top == -np.inf:
                whole[:] = ZERO
                sums[h, r] = np.inf
                continue
            total = exp_in_place(row, top)
            factor = np.float32(1) / total
            for i in range(row.size):
                row[i] *= factor
            whole[row.size :] = ZERO
            sums[h, r] = top + np.log(total)


@loop
def softmax_backward(scores: Any, g: Any, before: int, sums: Any) -> None:
    """Scores become probabilities ``p``, and ``g``, the gradient of these, ``p * (g - sum(g * p))``; in place."""
    for h in range(scores.shape[0]):
        for r in range(scores.shape[1]):
            whole, slope = scores[h, r], g[h, r]
            row, top = whole[: min(before + r + 1, whole.size)], sums[h, r]
            for i in range(row.size):
                row[i] = exp_flushed(row[i] - top)
            whole[row.size :] = ZERO
            common = dot(slope[: row.size], row)
            for i in range(slope.size):
                slope[i] = whole[i] * (slope[i] - common)
