"""LSTM, GRU and Elman network over time on the CPU: the definition, or compiled with all its steps where that pays."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ..definitions import recurrent as plain
from ..definitions.recurrent import Sizes, steps
from .compiled import compiled, spread
from .product import sum_rows

__all__ = [
    "gru_sequence",
    "gru_sequence_backward",
    "lstm_sequence",
    "lstm_sequence_backward",
    "rnn_sequence",
    "rnn_sequence_backward",
]

STEPS = 3  # from which on laying out the weight anew pays


def _loops(sizes: Sizes, x: Any, *others: Any) -> Any:
    """The compiled loops, if they are worth it for the gates ``x`` and all is float32; else None."""
    if len(sizes) < STEPS or not all(v is None or v.dtype.char == "f" for v in (x, *others)):
        return None
    return compiled("recurrent", x.size)


class Job:
    """What the compiled loops over some steps share: the steps, the weight's panels, and the number of states."""

    def __init__(self, loops: Any, weight: Any, transposed: bool, sizes: Sizes, reverse: bool) -> None:
        self.loops, self.rows, self.table = loops, max(sizes), _table(sizes, reverse)
        depth, width = weight.shape[::-1] if transposed else weight.shape
        self.columns = -(-width // loops.WIDE) * loops.WIDE
        self.panels = np.zeros(depth * self.columns, np.float32)
        self.work = len(self.table) * depth * width
        weight = np.ascontiguousarray(weight)
        loops.pack(weight.ctypes.data, weight.shape[1], *weight.shape, transposed, self.panels.ctypes.data)

    def run(self, loop: str, *args: Any) -> None:
        """Take all states through the steps, shared out among threads."""
        spread(getattr(self.loops, loop), self.rows, self.work >> 4, self.table, self.panels, *args)

    def start(self, g: Any, width: int) -> Any:
        """The gradient of the last states in memory of its own, in rows of whole panels."""
        start = np.zeros((self.rows, self.columns), np.float32)
        if g is not None:
            start[:, :width] = g
        return start


@functools.lru_cache(maxsize=64)
def _table(sizes: Sizes, reverse: bool) -> Any:
    """The first row and the number of rows of each step, in the order of the computation."""
    return np.array([(rows.start, some.stop) for rows, some in steps(sizes, reverse)], np.int64).reshape(-1, 2)


def _rows(g: Any, width: int) -> Any:
    """The gradient of the outputs as rows that follow each other; none for zero."""
    return np.empty((0, width), np.float32) if g is None else np.ascontiguousarray(g)


def lstm_sequence(
    drive: Any, h: Any, c: Any, weight: Any, project: Any, sizes: Sizes, reverse: bool
) -> tuple[Any, ...]:
    """See the definition."""
    loops = _loops(sizes, drive, h, c, weight) if project is None else None
    if loops is None:
        return plain.lstm_sequence(np, drive, h, c, weight, project, sizes, reverse)
    job = Job(loops, weight, True, sizes, reverse)
    drive, h, c = np.ascontiguousarray(drive), h.copy("C"), c.copy("C")
    gates, (before, after, entered, output) = np.empty_like(drive), np.empty((4, len(drive), c.shape[1]), np.float32)
    job.run("lstm", drive, c, h, gates, before, after, entered, output)
    return output, h, c, gates, before, after, entered


def lstm_sequence_backward(
    g: Any, gh: Any, gc: Any, weight: Any, project: Any, kept: tuple[Any, ...], sizes: Sizes, reverse: bool
) -> tuple[Any, ...]:
    """See the definition."""
    gates, before, after, entered = kept
    loops = _loops(sizes, gates, g, gh, gc, weight) if project is None else None
    if loops is None:
        return plain.lstm_sequence_backward(np, g, gh, gc, weight, project, kept, sizes, reverse)
    job, width = Job(loops, weight, False, sizes, not reverse), before.shape[1]
    states = job.start(gh, width)
    cells = np.zeros((job.rows, width), np.float32) if gc is None else gc.copy("C")
    gate_grads = np.empty_like(gates)
    job.run("lstm_backward", gates, before, after, _rows(g, width), states, cells, gate_grads)
    return gate_grads, np.ascontiguousarray(states[:, :width]), cells, gate_grads.T.dot(entered), None


def gru_sequence(drive: Any, h: Any, weight: Any, bias: Any, sizes: Sizes, reverse: bool) -> tuple[Any, ...]:
    """See the definition."""
    loops = _loops(sizes, drive, h, weight, bias)
    if loops is None:
        return plain.gru_sequence(np, drive, h, weight, bias, sizes, reverse)
    job = Job(loops, weight, True, sizes, reverse)
    drive, h = np.ascontiguousarray(drive), h.copy("C")
    bias = np.zeros(drive.shape[1], np.float32) if bias is None else np.ascontiguousarray(bias)
    gates, (again, entered, output) = np.empty_like(drive), np.empty((3, len(drive), h.shape[1]), np.float32)
    job.run("gru", drive, bias, h, gates, again, entered, output)
    return output, h, gates, again, entered


def gru_sequence_backward(
    g: Any, gh: Any, weight: Any, bias: Any, kept: tuple[Any, ...], sizes: Sizes, reverse: bool
) -> tuple[Any, ...]:
    """See the definition."""
    gates, again, entered = kept
    loops = _loops(sizes, gates, g, gh, weight)
    if loops is None:
        return plain.gru_sequence_backward(np, g, gh, weight, bias, kept, sizes, reverse)
    job, width = Job(loops, weight, False, sizes, not reverse), again.shape[1]
    states = job.start(gh, width)
    drive_grads, again_grads = np.empty_like(gates), np.empty_like(gates)
    job.run("gru_backward", gates, again, entered, _rows(g, width), states, drive_grads, again_grads)
    g_bias = None if bias is None else sum_rows(again_grads)
    return drive_grads, np.ascontiguousarray(states[:, :width]), again_grads.T.dot(entered), g_bias


def rnn_sequence(drive: Any, h: Any, weight: Any, sizes: Sizes, reverse: bool, relu: bool) -> tuple[Any, ...]:
    """See the definition."""
    loops = _loops(sizes, drive, h, weight)
    if loops is None:
        return plain.rnn_sequence(np, drive, h, weight, sizes, reverse, relu)
    job = Job(loops, weight, True, sizes, reverse)
    drive, h = np.ascontiguousarray(drive), h.copy("C")
    entered, output = np.empty((2, *drive.shape), np.float32)
    job.run("rnn", drive, h, entered, output, relu)
    return output.copy(), h, output, entered  # the user may write on what is returned


def rnn_sequence_backward(
    g: Any, gh: Any, weight: Any, kept: tuple[Any, ...], sizes: Sizes, reverse: bool, relu: bool
) -> tuple[Any, ...]:
    """See the definition."""
    output, entered = kept
    loops = _loops(sizes, output, g, gh, weight)
    if loops is None:
        return plain.rnn_sequence_backward(np, g, gh, weight, kept, sizes, reverse, relu)
    job, width = Job(loops, weight, False, sizes, not reverse), output.shape[1]
    states, drive_grads = job.start(gh, width), np.empty_like(output)
    job.run("rnn_backward", output, _rows(g, width), states, drive_grads, relu)
    return drive_grads, np.ascontiguousarray(states[:, :width]), drive_grads.T.dot(entered)
