"""LSTM, GRU and Elman network over time compiled, for float32: each step's product and what follows it, row by row.

See ``definitions/recurrent.py`` for the formulas. A kernel takes a range of rows of the batch through all steps: a row
depends on no other, so that threads need not wait for each other. A row of ``table`` has a step's first row in the
sequence and its number of rows; ``panels`` is the recurrent weight, laid out by `pack`. Imported only when it pays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .block_numba import pack as pack
from .block_numba import product, whole
from .crew_numba import enter
from .jit_numba import inlined, loop
from .simd_numba import WIDE as WIDE
from .vector_numba import ONE, ZERO, sigmoid, tanh

__all__: list[str] = []  # found through cpu/recurrent.py

CHUNK = 48  # rows whose sums are in the second cache when they are used


@loop
def lstm(
    start: int, stop: int, table: Any, panels: Any, drive: Any, c: Any, h: Any, gates: Any, before: Any, after: Any,
    entered: Any, output: Any,
) -> None:  # fmt: skip
    """Rows ``start`` to ``stop`` of the states ``h`` and ``c``, in place; ``drive`` and ``gates`` are (M, 4H)."""
    enter()
    depth, columns = h.shape[1], drive.shape[1]
    sums = np.empty((CHUNK, whole(columns)), np.float32)
    for t in range(len(table)):
        first, size = table[t]
        for low in range(start, min(stop, size), CHUNK):
            count = min(CHUNK, min(stop, size) - low)
            top = first + low
            entered[top : top + count] = h[low : low + count]
            product(
                count, depth, columns, h[low:].ctypes.data, depth, panels.ctypes.data, sums.ctypes.data, sums.shape[1]
            )
            for r in range(count):
                at = top + r
                _lstm_row(sums[r], drive[at], gates[at], c[low + r], before[at], after[at], h[low + r])
                output[at] = h[low + r]


@loop
def _lstm_row(s: Any, d: Any, a: Any, cell: Any, old: Any, top: Any, out: Any) -> None:
    """One row: gates ``a`` of the sums ``s`` and the drive ``d``, then the cell and the output."""
    width = cell.size
    i, f, g, o = a[:width], a[width : 2 * width], a[2 * width : 3 * width], a[3 * width :]
    d_g, d_o = d[2 * width : 3 * width], d[3 * width :]  # slices: an index with an offset keeps loops from vectors
    s_g, s_o = s[2 * width : 3 * width], s[3 * width :]
    for j in range(2 * width):
        a[j] = sigmoid(d[j] + s[j])
    for j in range(width):
        g[j] = tanh(d_g[j] + s_g[j])
    for j in range(width):
        o[j] = sigmoid(d_o[j] + s_o[j])
    old[:] = cell
    for j in range(width):
        cell[j] = f[j] * cell[j] + i[j] * g[j]
    for j in range(width):
        top[j] = tanh(cell[j])
        out[j] = o[j] * top[j]


@loop
def lstm_backward(
    start: int, stop: int, table: Any, panels: Any, gates: Any, before: Any, after: Any, g: Any, gh: Any, gc: Any,
    d: Any,
) -> None:  # fmt: skip
    """Gradients ``d`` (M, 4H) of the drive; ``gh``, in rows of whole panels, and ``gc`` move on from step to step.

    ``g`` (M, H) holds the gradients of the outputs, or has no row.
    """
    enter()
    width, depth = gc.shape[1], gates.shape[1]
    for t in range(len(table)):
        first, size = table[t]
        for low in range(start, min(stop, size), CHUNK):
            count = min(CHUNK, min(stop, size) - low)
            top = first + low
            for r in range(count):
                at, slope = top + r, gh[low + r][:width]
                if len(g):
                    _add(slope, g[at])
                _lstm_row_backward(gates[at], before[at], after[at], slope, gc[low + r], d[at])
            product(
                count, depth, width, d[top:].ctypes.data, depth, panels.ctypes.data, gh[low:].ctypes.data, gh.shape[1]
            )


@inlined
def _add(x: Any, y: Any) -> None:
    for j in range(x.size):
        x[j] += y[j]


@loop
def _lstm_row_backward(a: Any, old: Any, t: Any, slope: Any, low: Any, out: Any) -> None:
    """``slope`` is the gradient of the row's output, ``low`` that of its cell."""
    width = low.size
    i, f, g, o = a[:width], a[width : 2 * width], a[2 * width : 3 * width], a[3 * width :]
    di, df, dg, do = out[:width], out[width : 2 * width], out[2 * width : 3 * width], out[3 * width :]
    for j in range(width):
        do[j] = slope[j] * t[j] * (o[j] * (ONE - o[j]))
        low[j] += slope[j] * o[j] * (ONE - t[j] * t[j])
    for j in range(width):
        di[j] = low[j] * g[j] * (i[j] * (ONE - i[j]))
        df[j] = low[j] * old[j] * (f[j] * (ONE - f[j]))
    for j in range(width):
        dg[j] = low[j] * i[j] * (ONE - g[j] * g[j])
        low[j] *= f[j]


@loop
def gru(
    start: int, stop: int, table: Any, panels: Any, drive: Any, bias: Any, h: Any, gates: Any, again: Any,
    entered: Any, output: Any,
) -> None:  # fmt: skip
    """Rows ``start`` to ``stop`` of the state ``h``, in place; ``drive`` and ``gates`` are (M, 3H), ``bias`` (3H)."""
    enter()
    depth, columns = h.shape[1], drive.shape[1]
    sums = np.empty((CHUNK, whole(columns)), np.float32)
    for t in range(len(table)):
        first, size = table[t]
        for low in range(start, min(stop, size), CHUNK):
            count = min(CHUNK, min(stop, size) - low)
            top = first + low
            entered[top : top + count] = h[low : low + count]
            product(
                count, depth, columns, h[low:].ctypes.data, depth, panels.ctypes.data, sums.ctypes.data, sums.shape[1]
            )
            for r in range(count):
                at = top + r
                _gru_row(sums[r], drive[at], bias, gates[at], again[at], entered[at], h[low + r])
                output[at] = h[low + r]


@loop
def _gru_row(s: Any, d: Any, bias: Any, a: Any, share: Any, x: Any, out: Any) -> None:
    """One row: gates ``a`` and the state's ``share`` of the last of them, then the output."""
    width = x.size
    reset, z, n = a[:width], a[width : 2 * width], a[2 * width :]
    s_n, bias_n, d_n = s[2 * width :], bias[2 * width :], d[2 * width :]
    for j in range(2 * width):
        a[j] = sigmoid(d[j] + (s[j] + bias[j]))
    for j in range(width):
        share[j] = s_n[j] + bias_n[j]
        n[j] = tanh(d_n[j] + reset[j] * share[j])
    for j in range(width):
        out[j] = (x[j] - n[j]) * z[j] + n[j]


@loop
def gru_backward(
    start: int, stop: int, table: Any, panels: Any, gates: Any, again: Any, entered: Any, g: Any, gh: Any, d: Any,
    e: Any,
) -> None:  # fmt: skip
    """Gradients of the drive, ``d`` (M, 3H), and of the state's share, ``e``; ``gh`` and ``g`` as for the LSTM."""
    enter()
    width, depth = again.shape[1], gates.shape[1]
    sums = np.empty((CHUNK, gh.shape[1]), np.float32)
    for t in range(len(table)):
        first, size = table[t]
        for low in range(start, min(stop, size), CHUNK):
            count = min(CHUNK, min(stop, size) - low)
            top = first + low
            for r in range(count):
                at, slope = top + r, gh[low + r][:width]
                if len(g):
                    _add(slope, g[at])
                _gru_row_backward(gates[at], again[at], entered[at], slope, d[at], e[at])
            product(
                count, depth, width, e[top:].ctypes.data, depth, panels.ctypes.data, sums.ctypes.data, sums.shape[1]
            )
            for r in range(count):
                _add(gh[low + r], sums[r])


@loop
def _gru_row_backward(a: Any, share: Any, x: Any, slope: Any, out: Any, other: Any) -> None:
    """``slope``, the gradient of the row's output, becomes what of it goes to the state directly."""
    width = x.size
    reset, z, n = a[:width], a[width : 2 * width], a[2 * width :]
    dr, dz, dn, en = out[:width], out[width : 2 * width], out[2 * width :], other[2 * width :]
    for j in range(width):
        dn[j] = slope[j] * (ONE - z[j]) * (ONE - n[j] * n[j])
        en[j] = dn[j] * reset[j]
    for j in range(width):
        dr[j] = dn[j] * share[j] * (reset[j] * (ONE - reset[j]))
        dz[j] = slope[j] * (x[j] - n[j]) * (z[j] * (ONE - z[j]))
        slope[j] *= z[j]
    for j in range(2 * width):
        other[j] = out[j]


@loop
def rnn(
    start: int, stop: int, table: Any, panels: Any, drive: Any, h: Any, entered: Any, output: Any, relu: bool
) -> None:
    """Rows ``start`` to ``stop`` of the state ``h``, in place; ``drive`` and ``output`` are (M, H)."""
    enter()
    depth, columns = h.shape[1], drive.shape[1]
    sums = np.empty((CHUNK, whole(columns)), np.float32)
    for t in range(len(table)):
        first, size = table[t]
        for low in range(start, min(stop, size), CHUNK):
            count = min(CHUNK, min(stop, size) - low)
            top = first + low
            entered[top : top + count] = h[low : low + count]
            product(
                count, depth, columns, h[low:].ctypes.data, depth, panels.ctypes.data, sums.ctypes.data, sums.shape[1]
            )
            for r in range(count):
                _rnn_row(sums[r], drive[top + r], h[low + r], relu)
                output[top + r] = h[low + r]


@loop
def _rnn_row(s: Any, d: Any, out: Any, relu: bool) -> None:
    if relu:
        for j in range(out.size):
            y = d[j] + s[j]
            out[j] = ZERO if y < ZERO else y
    else:
        for j in range(out.size):
            out[j] = tanh(d[j] + s[j])


@loop
def rnn_backward(
    start: int, stop: int, table: Any, panels: Any, output: Any, g: Any, gh: Any, d: Any, relu: bool
) -> None:
    """Gradients ``d`` (M, H) of the drive; ``gh`` and ``g`` as for the LSTM."""
    enter()
    width = output.shape[1]
    for t in range(len(table)):
        first, size = table[t]
        for low in range(start, min(stop, size), CHUNK):
            count = min(CHUNK, min(stop, size) - low)
            top = first + low
            for r in range(count):
                at, slope = top + r, gh[low + r][:width]
                if len(g):
                    _add(slope, g[at])
                _rnn_row_backward(output[at], slope, d[at], relu)
            product(
                count, width, width, d[top:].ctypes.data, width, panels.ctypes.data, gh[low:].ctypes.data, gh.shape[1]
            )


@loop
def _rnn_row_backward(y: Any, slope: Any, out: Any, relu: bool) -> None:
    if relu:
        for j in range(out.size):
            out[j] = slope[j] if y[j] > ZERO else slope[j] * ZERO
    else:
        for j in range(out.size):
            out[j] = slope[j] * (ONE - y[j] * y[j])
