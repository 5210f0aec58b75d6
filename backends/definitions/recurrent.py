"""Recurrent layers over time: LSTM, GRU and Elman networks, forward and backward.

A sequence is given as its time steps one after the other, (M, ...) with M the sum of the steps' sizes. The sizes may
fall from step to step, where sequences of a batch end; going through time in ``reverse`` they grow. The state (N, H) of
all sequences is kept as a whole, and a step writes its first rows only: so a sequence that has ended keeps its last
state, and one that has not begun its first.

In the kernels' names ``drive`` is the input's share of the gates, ``weight`` (G * H, P) the recurrent weight, and
``h`` what enters the next step.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .reduction import wide

__all__ = [
    "gru_sequence",
    "gru_sequence_backward",
    "lstm_sequence",
    "lstm_sequence_backward",
    "rnn_sequence",
    "rnn_sequence_backward",
]

Sizes = tuple[int, ...]
COPIED = 3  # steps from which on the weight is laid out anew


def steps(sizes: Sizes, reverse: bool) -> Iterator[tuple[slice, slice]]:
    """Per time step, in the order of the computation: its rows in the sequence, and its rows in the state."""
    ends, end = [], 0
    for size in sizes:
        end += size
        ends.append(end)
    pairs = [(slice(end - size, end), slice(0, size)) for end, size in zip(ends, sizes, strict=True)]
    return iter(pairs[::-1] if reverse else pairs)


def _turned(xp: Any, weight: Any, sizes: Sizes) -> Any:
    """The transposed weight, laid out anew where that pays: one copy makes many steps' products a quarter faster."""
    turned = wide(weight).T
    return turned if len(sizes) < COPIED else xp.ascontiguousarray(turned)


def _own(x: Any) -> Any:
    """``x`` in full precision, in memory that may be written."""
    wider = wide(x)
    return x.copy() if wider is x else wider


def _halves(xp: Any, like: Any, gates: int, tanh: int | None) -> tuple[Any, Any]:
    """Factor and shift (gates * H,) that make sigmoids of one tanh: ``sigmoid(x) = tanh(x / 2) / 2 + 1 / 2``.

    The gate number ``tanh`` keeps its tanh.
    """
    width = like.shape[1] // gates
    factor, shift = xp.full(gates * width, 0.5, dtype=like.dtype), xp.full(gates * width, 0.5, dtype=like.dtype)
    if tanh is not None:
        own = slice(tanh * width, (tanh + 1) * width)
        factor[own], shift[own] = 1, 0
    return factor, shift


def _activate(xp: Any, a: Any, factor: Any, shift: Any) -> None:
    """Gates from their sums, in place."""
    a *= factor
    xp.tanh(a, out=a)
    a *= factor
    a += shift


def lstm_sequence(
    xp: Any, drive: Any, h: Any, c: Any, weight: Any, project: Any, sizes: Sizes, reverse: bool
) -> tuple[Any, ...]:
    """An LSTM over time.

    Args:
        xp: the array namespace.
        drive: (M, 4H), the input's share of the gates i, f, g, o, with both biases.
        h: (N, P), the outputs before the first step.
        c: (N, H), the cells before it.
        weight: (4H, P).
        project: (P, H), the projection of the output; None for P = H.
        sizes: how many sequences take part in each step.
        reverse: go through time backwards.

    Returns:
        The outputs (M, P), the last h and c, and for the backward pass: the gates (M, 4H), the cells before each step
        and the tanh of those after it (M, H), and what entered each step (M, P).
    """
    dtype = drive.dtype
    gates, weight = _own(drive), _turned(xp, weight, sizes)
    h, c, project = _own(h), _own(c), None if project is None else wide(project).T
    width = c.shape[1]
    before, cells, after = (xp.empty((len(gates), width), dtype=gates.dtype) for _ in range(3))
    entered, output = (xp.empty((len(gates), h.shape[1]), dtype=gates.dtype) for _ in range(2))
    factor, shift = _halves(xp, gates, 4, 2)
    for rows, some in steps(sizes, reverse):
        a, y = gates[rows], after[rows]
        entered[rows], before[rows] = h[some], c[some]
        a += xp.matmul(entered[rows], weight)
        _activate(xp, a, factor, shift)
        cell = cells[rows]
        xp.multiply(a[:, width : 2 * width], before[rows], out=cell)
        xp.multiply(a[:, :width], a[:, 2 * width : 3 * width], out=y)
        cell += y
        c[some] = cell
        xp.tanh(cell, out=y)
        out = a[:, 3 * width :] * y
        output[rows] = out if project is None else xp.matmul(out, project)
        h[some] = output[rows]
    return output.astype(dtype, copy=False), h.astype(dtype), c.astype(dtype), gates, before, after, entered


def lstm_sequence_backward(
    xp: Any, g: Any, gh: Any, gc: Any, weight: Any, project: Any, kept: tuple[Any, ...], sizes: Sizes, reverse: bool
) -> tuple[Any, ...]:
    """The gradients of drive, h, c, weight and project, from those of the outputs and the last states (None for 0).

    The gates' own derivatives are ``factor ** 2 - (gate - shift) ** 2``: of a sigmoid ``s (1 - s)``, of a tanh
    ``1 - t ** 2``.
    """
    gates, before, after, entered = kept
    dtype, width = weight.dtype, before.shape[1]
    weight, project = wide(weight), None if project is None else wide(project)
    count = max(sizes)
    gh = xp.zeros((count, entered.shape[1]), dtype=gates.dtype) if gh is None else _own(gh)
    gc = xp.zeros((count, width), dtype=gates.dtype) if gc is None else _own(gc)
    factor, shift = _halves(xp, gates, 4, 2)
    gate_grads = xp.empty_like(gates)
    projected = None if project is None else xp.empty_like(entered)
    for rows, some in steps(sizes, not reverse):
        a, d, t = gates[rows], gate_grads[rows], after[rows]
        top = gh[some]
        if g is not None:
            top += g[rows]
        if project is not None:
            projected[rows] = top  # type: ignore[index]
            top = xp.matmul(top, project)
        o = a[:, 3 * width :]
        low = gc[some]
        low += top * o * (1 - t * t)
        xp.multiply(low, a[:, 2 * width : 3 * width], out=d[:, :width])
        xp.multiply(low, before[rows], out=d[:, width : 2 * width])
        xp.multiply(low, a[:, :width], out=d[:, 2 * width : 3 * width])
        xp.multiply(top, t, out=d[:, 3 * width :])
        low *= a[:, width : 2 * width]
        slope = a - shift
        slope *= slope
        d *= xp.subtract(factor * factor, slope, out=slope)
        gh[some] = xp.matmul(d, weight)
    g_weight = xp.matmul(gate_grads.T, entered).astype(dtype, copy=False)
    g_project = None
    if project is not None:
        g_project = xp.matmul(projected.T, gates[:, 3 * width :] * after).astype(dtype, copy=False)  # type: ignore[union-attr]
    return gate_grads.astype(dtype, copy=False), gh.astype(dtype), gc.astype(dtype), g_weight, g_project


def gru_sequence(xp: Any, drive: Any, h: Any, weight: Any, bias: Any, sizes: Sizes, reverse: bool) -> tuple[Any, ...]:
    """Gated recurrent units over time.

    Args:
        xp: the array namespace.
        drive: (M, 3H), the input's share of r, z and n, with its own bias.
        h: (N, H), the states before the first step.
        weight: (3H, H).
        bias: (3H,), the recurrent bias, or None.
        sizes: how many sequences take part in each step.
        reverse: go through time backwards.

    Returns:
        The outputs (M, H), the last h, and for the backward pass: r, z and n (M, 3H), the recurrent share of n before
        it meets r (M, H), and what entered each step (M, H).
    """
    dtype = drive.dtype
    gates, weight = _own(drive), _turned(xp, weight, sizes)
    h, bias = _own(h), None if bias is None else wide(bias)
    width = h.shape[1]
    again, entered, output = (xp.empty((len(gates), width), dtype=gates.dtype) for _ in range(3))
    factor, shift = _halves(xp, gates[:, : 2 * width], 2, None)
    for rows, some in steps(sizes, reverse):
        a, x, y = gates[rows], entered[rows], output[rows]
        x[...] = h[some]
        recurrent = xp.matmul(x, weight)
        if bias is not None:
            recurrent += bias
        again[rows] = recurrent[:, 2 * width :]
        rz, n = a[:, : 2 * width], a[:, 2 * width :]
        rz += recurrent[:, : 2 * width]
        _activate(xp, rz, factor, shift)
        n += rz[:, :width] * again[rows]
        xp.tanh(n, out=n)
        xp.subtract(x, n, out=y)
        y *= rz[:, width:]
        y += n
        h[some] = y
    return output.astype(dtype, copy=False), h.astype(dtype), gates, again, entered


def gru_sequence_backward(
    xp: Any, g: Any, gh: Any, weight: Any, bias: Any, kept: tuple[Any, ...], sizes: Sizes, reverse: bool
) -> tuple[Any, ...]:
    """The gradients of drive, h, weight and bias, from those of the outputs and of the last h (None for 0)."""
    gates, again, entered = kept
    dtype, width = weight.dtype, again.shape[1]
    weight = wide(weight)
    gh = xp.zeros((max(sizes), width), dtype=gates.dtype) if gh is None else _own(gh)
    drive_grads, again_grads = xp.empty_like(gates), xp.empty_like(gates)
    for rows, some in steps(sizes, not reverse):
        a, d, e = gates[rows], drive_grads[rows], again_grads[rows]
        top = gh[some]
        if g is not None:
            top += g[rows]
        r, z, n = a[:, :width], a[:, width : 2 * width], a[:, 2 * width :]
        gn = xp.multiply(top * (1 - z), 1 - n * n, out=d[:, 2 * width :])
        xp.multiply(top, entered[rows] - n, out=d[:, width : 2 * width])
        xp.multiply(gn, again[rows], out=d[:, :width])
        rz = a[:, : 2 * width]
        d[:, : 2 * width] *= rz * (1 - rz)
        e[:, : 2 * width] = d[:, : 2 * width]
        xp.multiply(gn, r, out=e[:, 2 * width :])
        gh[some] = top * z + xp.matmul(e, weight)
    g_weight = xp.matmul(again_grads.T, entered).astype(dtype, copy=False)
    g_bias = None if bias is None else xp.sum(again_grads, axis=0).astype(dtype, copy=False)
    return drive_grads.astype(dtype, copy=False), gh.astype(dtype), g_weight, g_bias


def rnn_sequence(xp: Any, drive: Any, h: Any, weight: Any, sizes: Sizes, reverse: bool, relu: bool) -> tuple[Any, ...]:
    """``h' = act(drive + weight @ h)`` over time, ``act`` being tanh or ``relu``.

    Returns:
        The outputs (M, H), the last h, and for the backward pass the outputs in full precision and what entered each
        step (M, H).
    """
    dtype = drive.dtype
    output, weight = _own(drive), _turned(xp, weight, sizes)
    h = _own(h)
    entered = xp.empty_like(output)
    for rows, some in steps(sizes, reverse):
        y = output[rows]
        entered[rows] = h[some]
        y += xp.matmul(entered[rows], weight)
        if relu:
            xp.maximum(y, 0, out=y)
        else:
            xp.tanh(y, out=y)
        h[some] = y
    return output.astype(dtype), h.astype(dtype), output, entered


def rnn_sequence_backward(
    xp: Any, g: Any, gh: Any, weight: Any, kept: tuple[Any, ...], sizes: Sizes, reverse: bool, relu: bool
) -> tuple[Any, ...]:
    """The gradients of drive, h and weight, from those of the outputs and of the last h (None for 0)."""
    output, entered = kept
    dtype, weight = weight.dtype, wide(weight)
    gh = xp.zeros((max(sizes), output.shape[1]), dtype=output.dtype) if gh is None else _own(gh)
    drive_grads = xp.empty_like(output)
    for rows, some in steps(sizes, not reverse):
        top, y = gh[some], output[rows]
        if g is not None:
            top += g[rows]
        d = xp.multiply(top, y > 0 if relu else 1 - y * y, out=drive_grads[rows])
        gh[some] = xp.matmul(d, weight)
    g_weight = xp.matmul(drive_grads.T, entered).astype(dtype, copy=False)
    return drive_grads.astype(dtype, copy=False), gh.astype(dtype), g_weight
