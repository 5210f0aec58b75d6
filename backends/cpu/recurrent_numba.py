"""The elementwise part of a step of LSTM and GRU compiled, for float32: one visit of each row, forward and backward.

See ``definitions/recurrent.py`` for the formulas. Imported only when it pays.
"""

from __future__ import annotations

from typing import Any

from .jit_numba import loop
from .vector_numba import ONE, sigmoid, tanh

__all__: list[str] = []  # found through cpu/recurrent.py


@loop
def lstm_cell(sums: Any, gates: Any, c: Any, before: Any, after: Any, h: Any, output: Any) -> None:
    """Rows of one step: ``gates`` (N, 4H) holds the drive, to which ``sums`` is added; all the others are (N, H)."""
    width = c.shape[1]
    for r in range(sums.shape[0]):
        a, s, cell, old = gates[r], sums[r], c[r], before[r]
        i, f, g, o = a[:width], a[width : 2 * width], a[2 * width : 3 * width], a[3 * width :]
        s_if, s_g, s_o = s[: 2 * width], s[2 * width : 3 * width], s[3 * width :]
        for j in range(2 * width):
            a[j] = sigmoid(a[j] + s_if[j])
        for j in range(width):
            g[j] = tanh(g[j] + s_g[j])
        for j in range(width):
            o[j] = sigmoid(o[j] + s_o[j])
        top, state, out = after[r], h[r], output[r]
        old[:] = cell
        for j in range(width):
            cell[j] = f[j] * cell[j] + i[j] * g[j]
        for j in range(width):
            top[j] = tanh(cell[j])
            out[j] = o[j] * top[j]
        state[:] = out


@loop
def lstm_cell_backward(gates: Any, before: Any, after: Any, top: Any, gc: Any, d: Any) -> None:
    """``top`` (N, H) is the gradient of the outputs, ``gc`` that of the cells, which moves on; ``d`` (N, 4H)."""
    width = gc.shape[1]
    for r in range(gates.shape[0]):
        a, out, old, t, slope, low = gates[r], d[r], before[r], after[r], top[r], gc[r]
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
def gru_cell(sums: Any, gates: Any, bias: Any, again: Any, entered: Any, h: Any, output: Any) -> None:
    """Rows of one step: ``gates`` (N, 3H) holds the drive; ``sums`` is what the state gives, without ``bias`` (3H)."""
    width = h.shape[1]
    for r in range(sums.shape[0]):
        a, s, share, x, state, out = gates[r], sums[r], again[r], entered[r], h[r], output[r]
        reset, z, n = a[:width], a[width : 2 * width], a[2 * width :]
        s_n, bias_n = s[2 * width :], bias[2 * width :]  # slices: an index with an offset keeps loops from vectors
        for j in range(2 * width):
            a[j] = sigmoid(a[j] + (s[j] + bias[j]))
        for j in range(width):
            share[j] = s_n[j] + bias_n[j]
            n[j] = tanh(n[j] + reset[j] * share[j])
        for j in range(width):
            out[j] = (x[j] - n[j]) * z[j] + n[j]
        state[:] = out


@loop
def gru_cell_backward(gates: Any, again: Any, entered: Any, top: Any, d: Any, e: Any) -> None:
    """``d`` (N, 3H) gets the gradients of the drive, ``e`` those of the state's share; ``top`` becomes ``top * z``."""
    width = top.shape[1]
    for r in range(gates.shape[0]):
        a, share, x, slope, out, other = gates[r], again[r], entered[r], top[r], d[r], e[r]
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
