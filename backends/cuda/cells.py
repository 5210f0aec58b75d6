"""LSTM and GRU over time on the GPU: a product and a launch for each step; the source is ``cells.cu``."""

from __future__ import annotations

from typing import Any

import cupy

from ..definitions import recurrent as plain
from ..definitions.recurrent import Sizes, steps
from ..registry import kernels_of
from .loader import by_items, launch, takes, wide_type
from .order import contiguous

__all__ = ["gru_sequence", "gru_sequence_backward", "lstm_sequence", "lstm_sequence_backward"]


def _own(x: Any) -> Any:
    """A contiguous copy in the type that gates are computed in."""
    return x.astype(wide_type(x.dtype), order="C", copy=True)


def _wide(x: Any) -> Any:
    return None if x is None else contiguous(x.astype(wide_type(x.dtype), copy=False))


def _suits(*arrays: Any) -> bool:
    return takes(*arrays) and all(a is None or a.size for a in arrays)


def _product(a: Any, b: Any) -> Any:
    """``a @ b`` by whatever multiplies matrices on this backend."""
    return contiguous(kernels_of[type(a)].matmul(a, b))


def _empty(number: int, rows: int, width: int, dtype: Any) -> Any:
    return [cupy.empty((rows, width), dtype) for _ in range(number)]


def lstm_sequence(
    drive: Any, h: Any, c: Any, weight: Any, project: Any, sizes: Sizes, reverse: bool
) -> tuple[Any, ...]:
    """See the definition."""
    if not _suits(drive, h, c, weight, project):
        return plain.lstm_sequence(cupy, drive, h, c, weight, project, sizes, reverse)
    dtype, gates, h, c = drive.dtype, _own(drive), _own(h), _own(c)
    weight, project = _wide(weight.T), None if project is None else _wide(project.T)
    rows, width, wide = len(gates), c.shape[1], gates.dtype
    before, after = _empty(2, rows, width, wide)
    entered, output = _empty(2, rows, h.shape[1], wide)
    for at, some in steps(sizes, reverse):
        entered[at] = h[some]
        sums, count = _product(entered[at], weight), some.stop
        cell = cupy.empty((count, width), wide) if project is not None else output[at]
        state = None if project is not None else h[some]
        given = gates[at], sums, c[some], before[at], after[at], state, cell
        launch("lstm_cell", wide, by_items(count * width), *given, count, width)
        if project is not None:
            output[at] = h[some] = _product(cell, project)
    ends = (v.astype(dtype, copy=False) for v in (output, h, c))
    return *ends, gates, before, after, entered


def lstm_sequence_backward(
    g: Any, gh: Any, gc: Any, weight: Any, project: Any, kept: tuple[Any, ...], sizes: Sizes, reverse: bool
) -> tuple[Any, ...]:
    """See the definition."""
    gates, before, after, entered = kept
    if not _suits(g, gh, gc, weight, project):
        return plain.lstm_sequence_backward(cupy, g, gh, gc, weight, project, kept, sizes, reverse)
    dtype, width, wide = weight.dtype, before.shape[1], gates.dtype
    gh, gc = _start(gh, sizes, entered), _start(gc, sizes, before)
    g, weight, project = _wide(g), _wide(weight), _wide(project)
    grads = cupy.empty(gates.shape, wide)
    projected = None if project is None else cupy.empty(entered.shape, wide)
    for at, some in steps(sizes, not reverse):
        top, added, count = gh[some], None if g is None else g[at], some.stop
        if projected is not None:
            if added is not None:
                top += added
            projected[at] = top
            top, added = _product(top, project), None
        given = grads[at], gc[some], top, added, gates[at], before[at], after[at]
        launch("lstm_cell_backward", wide, by_items(count * width), *given, count, width)
        gh[some] = _product(grads[at], weight)
    g_weight = _product(grads.T, entered).astype(dtype, copy=False)
    g_project = None
    if projected is not None:
        g_project = _product(projected.T, gates[:, 3 * width :] * after).astype(dtype, copy=False)
    return (*(v.astype(dtype, copy=False) for v in (grads, gh, gc)), g_weight, g_project)


def _start(g: Any, sizes: Sizes, like: Any) -> Any:
    """The gradient of the last states, in memory of its own."""
    return cupy.zeros((max(sizes), like.shape[1]), like.dtype) if g is None else _own(g)


def gru_sequence(drive: Any, h: Any, weight: Any, bias: Any, sizes: Sizes, reverse: bool) -> tuple[Any, ...]:
    """See the definition."""
    if not _suits(drive, h, weight, bias):
        return plain.gru_sequence(cupy, drive, h, weight, bias, sizes, reverse)
    dtype, gates, h = drive.dtype, _own(drive), _own(h)
    weight, bias, width, wide = _wide(weight.T), _wide(bias), h.shape[1], gates.dtype
    again, entered, output = _empty(3, len(gates), width, wide)
    for at, some in steps(sizes, reverse):
        sums, count = _product(h[some], weight), some.stop
        given = gates[at], sums, bias, again[at], entered[at], h[some], output[at]
        launch("gru_cell", wide, by_items(count * width), *given, count, width)
    return output.astype(dtype, copy=False), h.astype(dtype, copy=False), gates, again, entered


def gru_sequence_backward(
    g: Any, gh: Any, weight: Any, bias: Any, kept: tuple[Any, ...], sizes: Sizes, reverse: bool
) -> tuple[Any, ...]:
    """See the definition."""
    gates, again, entered = kept
    if not _suits(g, gh, weight, bias):
        return plain.gru_sequence_backward(cupy, g, gh, weight, bias, kept, sizes, reverse)
    dtype, width, wide = weight.dtype, again.shape[1], gates.dtype
    gh, g, weight = _start(gh, sizes, again), _wide(g), _wide(weight)
    grads, again_grads = _empty(2, len(gates), gates.shape[1], wide)
    for at, some in steps(sizes, not reverse):
        top, count = gh[some], some.stop
        given = grads[at], again_grads[at], top, None if g is None else g[at], gates[at], again[at], entered[at]
        launch("gru_cell_backward", wide, by_items(count * width), *given, count, width)
        top += _product(again_grads[at], weight)
    g_weight = _product(again_grads.T, entered).astype(dtype, copy=False)
    g_bias = None if bias is None else cupy.sum(again_grads, axis=0).astype(dtype, copy=False)
    return grads.astype(dtype, copy=False), gh.astype(dtype, copy=False), g_weight, g_bias
