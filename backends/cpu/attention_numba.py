"""The rows of attention's tiles compiled, and whole heads, for float32; see ``attention.py``. Imported when it pays."""

from __future__ import annotations

from typing import Any

import numpy as np

from .block_numba import multiply, pack, whole
from .crew_numba import enter
from .jit_numba import inlined, loop, summing
from .simd_numba import copy
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


# ---------------------------------------------------------------------- whole heads

ROWS = 48  # queries at a time, whose scores stay in the second cache


@inlined
def _at(places: Any, operand: int, item: int, heads: int) -> int:
    """The address of a head of an operand; its row in ``places`` has address and distances of batch, heads, rows."""
    return places[operand, 0] + 4 * (item // heads * places[operand, 1] + item % heads * places[operand, 2])


@inlined
def _exp_scaled(x: Any, scale: Any, top: Any) -> Any:
    """Overwrite ``x`` with ``exp(scale * x - top)``; the sum of it."""
    for i in range(x.size):
        x[i] *= scale
    return exp_in_place(x, top)


@loop
def forward(start: int, stop: int, places: Any, sizes: Any, scale: Any, causal: bool, sums: Any) -> None:
    """Heads ``start`` to ``stop`` of the attention without a mask, for a positive ``scale``.

    Operands are q, k, v and the result; ``sizes`` are the heads, queries, keys and widths of a key and of a value.
    """
    enter()
    heads, queries, keys, width, out_width = sizes
    by_key = np.zeros(width * whole(keys), np.float32)
    values = np.zeros(keys * whole(out_width), np.float32)
    scores = np.empty((ROWS, whole(keys)), np.float32)
    mixed = np.empty((ROWS, whole(out_width)), np.float32)
    q_row, k_row, v_row, y_row = places[0, 3], places[1, 3], places[2, 3], places[3, 3]
    for item in range(start, stop):
        q, y = _at(places, 0, item, heads), _at(places, 3, item, heads)
        pack(_at(places, 1, item, heads), k_row, keys, width, True, by_key.ctypes.data)
        pack(_at(places, 2, item, heads), v_row, keys, out_width, False, values.ctypes.data)
        for low in range(0, queries, ROWS):
            count = min(ROWS, queries - low)
            seen = min(low + count, keys) if causal else keys
            multiply(count, width, seen, q + 4 * low * q_row, q_row, 1, by_key.ctypes.data, width, scores.ctypes.data,
                     scores.shape[1], False)  # fmt: skip
            for r in range(count):
                whole_row = scores[r]
                row = whole_row[: min(low + r + 1, seen)] if causal else whole_row[:seen]
                top = row_max(row) * scale
                if top == -np.inf:
                    whole_row[:seen] = ZERO
                    sums[item, low + r] = np.inf
                    continue
                total = _exp_scaled(row, scale, top)
                whole_row[row.size : seen] = ZERO
                sums[item, low + r] = top + np.log(total)
                factor = np.float32(1) / total
                for i in range(row.size):
                    row[i] *= factor
            multiply(count, seen, out_width, scores.ctypes.data, scores.shape[1], 1, values.ctypes.data, keys,
                     mixed.ctypes.data, mixed.shape[1], False)  # fmt: skip
            for r in range(count):
                copy(mixed[r].ctypes.data, y + 4 * (low + r) * y_row, out_width)


@loop
def backward(start: int, stop: int, places: Any, sizes: Any, scale: Any, causal: bool, sums: Any) -> None:
    """The gradients; operands are q, k, v, the result's gradient, and those of q, k and v, which are written."""
    enter()
    heads, queries, keys, width, out_width = sizes
    across, out_across = whole(width), whole(out_width)
    by_key, by_value = np.zeros(width * whole(keys), np.float32), np.zeros(out_width * whole(keys), np.float32)
    key_rows = np.zeros(keys * across, np.float32)
    queried, given = np.zeros(ROWS * across, np.float32), np.zeros(ROWS * out_across, np.float32)
    p, slopes = np.empty((ROWS, whole(keys)), np.float32), np.empty((ROWS, whole(keys)), np.float32)
    mixed = np.empty((ROWS, across), np.float32)
    gk, gv = np.empty((keys, across), np.float32), np.empty((keys, out_across), np.float32)
    q_row, k_row, v_row, g_row, gq_row, gk_row, gv_row = places[:, 3]
    for item in range(start, stop):
        q, g, gq = _at(places, 0, item, heads), _at(places, 3, item, heads), _at(places, 4, item, heads)
        pack(_at(places, 1, item, heads), k_row, keys, width, True, by_key.ctypes.data)
        pack(_at(places, 1, item, heads), k_row, keys, width, False, key_rows.ctypes.data)
        pack(_at(places, 2, item, heads), v_row, keys, out_width, True, by_value.ctypes.data)
        gk[:] = ZERO
        gv[:] = ZERO
        for low in range(0, queries, ROWS):
            count = min(ROWS, queries - low)
            seen = min(low + count, keys) if causal else keys
            multiply(count, width, seen, q + 4 * low * q_row, q_row, 1, by_key.ctypes.data, width, p.ctypes.data,
                     p.shape[1], False)  # fmt: skip
            multiply(count, out_width, seen, g + 4 * low * g_row, g_row, 1, by_value.ctypes.data, out_width,
                     slopes.ctypes.data, slopes.shape[1], False)  # fmt: skip
            for r in range(count):
                own = min(low + r + 1, seen) if causal else seen
                _slope_row(p[r][:own], slopes[r][:own], scale, sums[item, low + r])
                p[r][own:seen] = ZERO
                slopes[r][own:seen] = ZERO
            multiply(count, seen, width, slopes.ctypes.data, slopes.shape[1], 1, key_rows.ctypes.data, keys,
                     mixed.ctypes.data, across, False)  # fmt: skip
            for r in range(count):
                copy(mixed[r].ctypes.data, gq + 4 * (low + r) * gq_row, width)
            pack(q + 4 * low * q_row, q_row, count, width, False, queried.ctypes.data)
            pack(g + 4 * low * g_row, g_row, count, out_width, False, given.ctypes.data)
            multiply(seen, count, width, slopes.ctypes.data, 1, slopes.shape[1], queried.ctypes.data, count,
                     gk.ctypes.data, across, True)  # fmt: skip
            multiply(seen, count, out_width, p.ctypes.data, 1, p.shape[1], given.ctypes.data, count,
                     gv.ctypes.data, out_across, True)  # fmt: skip
        to_k, to_v = _at(places, 5, item, heads), _at(places, 6, item, heads)
        for s in range(keys):
            copy(gk[s].ctypes.data, to_k + 4 * s * gk_row, width)
            copy(gv[s].ctypes.data, to_v + 4 * s * gv_row, out_width)


@inlined
def _slope_row(p: Any, slope: Any, scale: Any, top: Any) -> None:
    """Products of a query with keys become probabilities; their gradients ``slope`` those of the products."""
    for i in range(p.size):
        p[i] = exp_flushed(p[i] * scale - top)
    common = dot(slope, p)
    for i in range(p.size):
        slope[i] = p[i] * (slope[i] - common) * scale
