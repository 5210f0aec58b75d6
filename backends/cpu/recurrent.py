"""LSTM and GRU over time on the CPU: the loop of the definition, with a compiled step where that pays."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..definitions import recurrent as plain
from ..definitions.recurrent import Sizes, steps
from .compiled import compiled

__all__ = ["gru_sequence", "gru_sequence_backward", "lstm_sequence", "lstm_sequence_backward"]


def _loops(x: Any, *others: Any) -> Any:
    """The compiled steps, if they are worth it for the gates ``x`` and all is float32; else None."""
    loops = compiled("recurrent", x.size)
    return loops if all(v is None or v.dtype.char == "f" for v in (x, *others)) else None


def lstm_sequence(
    drive: Any, h: Any, c: Any, weight: Any, project: Any, sizes: Sizes, reverse: bool
) -> tuple[Any, ...]:
    """See the definition."""
    loops = _loops(drive, h, c, weight) if project is None else None
    if loops is None:
        return plain.lstm_sequence(np, drive, h, c, weight, project, sizes, reverse)
    gates, h, c, weight = drive.copy("C"), h.copy("C"), c.copy("C"), weight.T.copy("C")
    before, after, entered, output = np.empty((4, len(gates), c.shape[1]), np.float32)
    sums = np.empty((max(sizes), gates.shape[1]), np.float32)
    for rows, some in steps(sizes, reverse):
        entered[rows] = h[some]
        np.matmul(entered[rows], weight, out=sums[some])
        loops.lstm_cell(sums[some], gates[rows], c[some], before[rows], after[rows], h[some], output[rows])
    return output, h, c, gates, before, after, entered


def lstm_sequence_backward(
    g: Any, gh: Any, gc: Any, weight: Any, project: Any, kept: tuple[Any, ...], sizes: Sizes, reverse: bool
) -> tuple[Any, ...]:
    """See the definition."""
    gates, before, after, entered = kept
    loops = _loops(gates, g, gh, gc, weight) if project is None else None
    if loops is None:
        return plain.lstm_sequence_backward(np, g, gh, gc, weight, project, kept, sizes, reverse)
    gh, gc = (_start(v, sizes, before) for v in (gh, gc))
    gate_grads = np.empty_like(gates)
    for rows, some in steps(sizes, not reverse):
        top = gh[some]
        if g is not None:
            top += g[rows]
        loops.lstm_cell_backward(gates[rows], before[rows], after[rows], top, gc[some], gate_grads[rows])
        np.matmul(gate_grads[rows], weight, out=gh[some])
    return gate_grads, gh, gc, gate_grads.T.dot(entered), None


def _start(g: Any, sizes: Sizes, like: Any) -> Any:
    """The gradient of the last states, in memory of its own."""
    return np.zeros((max(sizes), like.shape[1]), np.float32) if g is None else g.copy("C")


def gru_sequence(drive: Any, h: Any, weight: Any, bias: Any, sizes: Sizes, reverse: bool) -> tuple[Any, ...]:
    """See the definition."""
    loops = _loops(drive, h, weight, bias)
    if loops is None:
        return plain.gru_sequence(np, drive, h, weight, bias, sizes, reverse)
    gates, h, weight = drive.copy("C"), h.copy("C"), weight.T.copy("C")
    bias = np.zeros(gates.shape[1], np.float32) if bias is None else np.ascontiguousarray(bias)
    again, entered, output = np.empty((3, len(gates), h.shape[1]), np.float32)
    sums = np.empty((max(sizes), gates.shape[1]), np.float32)
    for rows, some in steps(sizes, reverse):
        entered[rows] = h[some]
        np.matmul(entered[rows], weight, out=sums[some])
        loops.gru_cell(sums[some], gates[rows], bias, again[rows], entered[rows], h[some], output[rows])
    return output, h, gates, again, entered


def gru_sequence_backward(
    g: Any, gh: Any, weight: Any, bias: Any, kept: tuple[Any, ...], sizes: Sizes, reverse: bool
) -> tuple[Any, ...]:
    """See the definition."""
    gates, again, entered = kept
    loops = _loops(gates, g, gh, weight)
    if loops is None:
        return plain.gru_sequence_backward(np, g, gh, weight, bias, kept, sizes, reverse)
    gh = _start(gh, sizes, again)
    drive_grads, again_grads = np.empty_like(gates), np.empty_like(gates)
    share = np.empty_like(gh)
    for rows, some in steps(sizes, not reverse):
        top = gh[some]
        if g is not None:
            top += g[rows]
        loops.gru_cell_backward(gates[rows], again[rows], entered[rows], top, drive_grads[rows], again_grads[rows])
        top += np.matmul(again_grads[rows], weight, out=share[some])
    g_bias = None if bias is None else np.ones(len(again_grads), np.float32).dot(again_grads)
    return drive_grads, gh, again_grads.T.dot(entered), g_bias
