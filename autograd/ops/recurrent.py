"""Recurrent layers over time as one operation each: LSTM, GRU and Elman networks.

The loop over time runs inside a kernel, on arrays; the ``formula`` is the same loop in differentiable ops, made of the
step that the cells of `wengert.nn` compute, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..primitive import Primitive, apply
from .activation import sigmoid
from .arithmetic import mul
from .join import cat
from .linear import linear
from .product import mm
from .product_sums import addmm
from .rectifier import relu
from .shape import t
from .splitting import chunk, split
from .trigonometric import tanh

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["gru_sequence", "gru_step", "lstm_sequence", "lstm_step", "rnn_sequence", "rnn_step"]

States = tuple[Any, ...]  # (h,), or (h, c) of an LSTM
Sizes = tuple[int, ...]


def rnn_step(mode: str, drive: Tensor, h: Tensor, recur: Tensor) -> Tensor:
    """``act(drive + h @ recur)``.

    Args:
        mode: ``RNN_TANH`` or ``RNN_RELU``.
        drive: (N, H), the input's share, with both biases.
        h: (N, H), the state before the step.
        recur: (H, H), the transposed recurrent weight.
    """
    total = addmm(drive, h, recur)
    return relu(total) if mode == "RNN_RELU" else tanh(total)


def lstm_step(drive: Tensor, h: Tensor, c: Tensor, recur: Tensor, project: Tensor | None) -> tuple[Tensor, Tensor]:
    """``c' = f * c + i * g``, ``h' = o * tanh(c')`` with the gates i, f, g, o of ``drive + h @ recur``.

    Args:
        drive: (N, 4H), the input's share of the gates, with both biases.
        h: (N, P), the output before the step.
        c: (N, H), the cell before the step.
        recur: (P, 4H), the transposed recurrent weight.
        project: (H, P), the transposed projection of the output; None for P = H.
    """
    i, f, g, o = chunk(addmm(drive, h, recur), 4, 1)
    cell = sigmoid(f) * c + sigmoid(i) * tanh(g)
    output = mul(sigmoid(o), tanh(cell))
    return (output if project is None else mm(output, project)), cell


def gru_step(drive: Tensor, h: Tensor, recur: Tensor, bias: Tensor | None) -> Tensor:
    """``h' = n + z * (h - n)`` with ``n = tanh(drive_n + r * (h @ recur + bias)_n)`` and the gates r and z.

    Args:
        drive: (N, 3H), the input's share of r, z and n, with its own bias.
        h: (N, H), the state before the step.
        recur: (H, 3H), the transposed recurrent weight.
        bias: (3H,), the recurrent bias, or None.
    """
    again = mm(h, recur) if bias is None else addmm(bias, h, recur)
    width = h.shape[1]
    sizes = [2 * width, width]
    (drive_rz, drive_n), (again_rz, again_n) = split(drive, sizes, 1), split(again, sizes, 1)
    r, z = chunk(sigmoid(drive_rz + again_rz), 2, 1)
    n = tanh(drive_n + r * again_n)
    result: Tensor = n + z * (h - n)
    return result


def scan(drive: Any, start: States, sizes: Sizes, reverse: bool, step: Callable[[Any, States], States]) -> States:
    """Run ``step`` over time: the outputs one after the other, (M, P), and the last states.

    Args:
        drive: (M, G), the steps' inputs one after the other.
        start: the states before the first step, of the whole batch.
        sizes: how many sequences take part in each step; sizes fall where sequences end.
        reverse: go through time backwards, so that sequences begin late.
        step: ``step(input, states)`` gives the next states.
    """
    inputs: Sequence[Any] = split(drive, list(sizes))
    outputs, ended = [], []
    order = range(len(sizes))[::-1] if reverse else range(len(sizes))
    first = sizes[order[0]]
    now = tuple(s[:first] for s in start) if first < start[0].shape[0] else start
    for i in order:
        size, before = sizes[i], now[0].shape[0]
        if size < before:
            ended.append(tuple(s[size:] for s in now))
            now = tuple(s[:size] for s in now)
        elif size > before:
            now = tuple(cat([s, begun[before:size]]) for s, begun in zip(now, start, strict=True))
        now = step(inputs[i], now)
        outputs.append(now[0])
    if ended:
        now = tuple(cat(parts) for parts in zip(now, *reversed(ended), strict=True))
    return cat(outputs[::-1] if reverse else outputs), *now


class LSTMSequence(Primitive):
    """The LSTM over time."""

    kernels = ("lstm_sequence", "lstm_sequence_backward")
    undefined = True

    @staticmethod
    def formula(drive: Any, h: Any, c: Any, weight: Any, project: Any, *, sizes: Sizes, reverse: bool) -> Any:
        recur, out = t(weight), None if project is None else t(project)
        return scan(drive, (h, c), sizes, reverse, lambda x, s: lstm_step(x, s[0], s[1], recur, out))

    @staticmethod
    def forward(ctx: Any, drive: Any, h: Any, c: Any, weight: Any, project: Any, *, sizes: Sizes, reverse: bool) -> Any:
        ctx.save(drive, h, c, weight, project)
        output, h, c, *kept = ctx.k.lstm_sequence(drive, h, c, weight, project, sizes, reverse)
        ctx.cache(*kept)
        return output, h, c

    @staticmethod
    def backward(ctx: Any, g: Any, gh: Any, gc: Any) -> Any:
        _, _, _, weight, project = ctx.saved
        return ctx.k.lstm_sequence_backward(g, gh, gc, weight, project, ctx.cached, **ctx.params)


class GRUSequence(Primitive):
    """The GRU over time."""

    kernels = ("gru_sequence", "gru_sequence_backward")
    undefined = True

    @staticmethod
    def formula(drive: Any, h: Any, weight: Any, bias: Any, *, sizes: Sizes, reverse: bool) -> Any:
        recur = t(weight)
        return scan(drive, (h,), sizes, reverse, lambda x, s: (gru_step(x, s[0], recur, bias),))

    @staticmethod
    def forward(ctx: Any, drive: Any, h: Any, weight: Any, bias: Any, *, sizes: Sizes, reverse: bool) -> Any:
        ctx.save(drive, h, weight, bias)
        output, h, *kept = ctx.k.gru_sequence(drive, h, weight, bias, sizes, reverse)
        ctx.cache(*kept)
        return output, h

    @staticmethod
    def backward(ctx: Any, g: Any, gh: Any) -> Any:
        _, _, weight, bias = ctx.saved
        return ctx.k.gru_sequence_backward(g, gh, weight, bias, ctx.cached, **ctx.params)


class RNNSequence(Primitive):
    """The Elman network over time."""

    kernels = ("rnn_sequence", "rnn_sequence_backward")
    undefined = True

    @staticmethod
    def formula(drive: Any, h: Any, weight: Any, *, sizes: Sizes, reverse: bool, relu: bool) -> Any:
        recur, mode = t(weight), "RNN_RELU" if relu else "RNN_TANH"
        return scan(drive, (h,), sizes, reverse, lambda x, s: (rnn_step(mode, x, s[0], recur),))

    @staticmethod
    def forward(ctx: Any, drive: Any, h: Any, weight: Any, *, sizes: Sizes, reverse: bool, relu: bool) -> Any:
        ctx.save(drive, h, weight)
        output, h, *kept = ctx.k.rnn_sequence(drive, h, weight, sizes, reverse, relu)
        ctx.cache(*kept)
        return output, h

    @staticmethod
    def backward(ctx: Any, g: Any, gh: Any) -> Any:
        return ctx.k.rnn_sequence_backward(g, gh, ctx.saved[2], ctx.cached, **ctx.params)


class LSTMLayer(Primitive):
    """A whole LSTM layer, its input's product included, where a backend has it as one."""

    kernels = ("lstm_layer", "lstm_layer_backward")
    undefined = True

    @staticmethod
    def formula(
        x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, *, sizes: Sizes, reverse: bool
    ) -> Any:
        drive = linear(x, w_ih, None if b_ih is None else b_ih + b_hh)
        output, after = lstm_sequence(drive, (h, c), w_hh, None, sizes, reverse)
        return output, *after

    @staticmethod
    def forward(ctx: Any, *inputs: Any, sizes: Sizes, reverse: bool) -> Any:
        ctx.save(*inputs)
        output, h, c, *kept = ctx.k.lstm_layer(*inputs, sizes, reverse)
        ctx.cache(*kept)
        return output, h, c

    @staticmethod
    def backward(ctx: Any, g: Any, gh: Any, gc: Any) -> Any:
        return ctx.k.lstm_layer_backward(g, gh, gc, tuple(ctx.saved), ctx.cached, **ctx.params)


class GRULayer(Primitive):
    """A whole layer of gated recurrent units, where a backend has it as one."""

    kernels = ("gru_layer", "gru_layer_backward")
    undefined = True

    @staticmethod
    def formula(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, *, sizes: Sizes, reverse: bool) -> Any:
        output, after = gru_sequence(linear(x, w_ih, b_ih), (h,), w_hh, b_hh, sizes, reverse)
        return output, *after

    @staticmethod
    def forward(ctx: Any, *inputs: Any, sizes: Sizes, reverse: bool) -> Any:
        ctx.save(*inputs)
        output, h, *kept = ctx.k.gru_layer(*inputs, sizes, reverse)
        ctx.cache(*kept)
        return output, h

    @staticmethod
    def backward(ctx: Any, g: Any, gh: Any) -> Any:
        return ctx.k.gru_layer_backward(g, gh, tuple(ctx.saved), ctx.cached, **ctx.params)


def lstm_layer(x: Tensor, states: States, weights: Sequence[Any], sizes: Sizes, reverse: bool) -> tuple[Tensor, States]:
    """One LSTM layer on sequences of one length, (M, I), with input and recurrent weights, and their biases or None."""
    output, *after = apply(LSTMLayer, x, *states, *weights, sizes=sizes, reverse=reverse)
    return output, tuple(after)


def gru_layer(x: Tensor, states: States, weights: Sequence[Any], sizes: Sizes, reverse: bool) -> tuple[Tensor, States]:
    """One layer of gated recurrent units; as `lstm_layer`, with one state."""
    output, *after = apply(GRULayer, x, *states, *weights, sizes=sizes, reverse=reverse)
    return output, tuple(after)


def lstm_sequence(
    drive: Tensor, states: States, weight: Tensor, project: Tensor | None, sizes: Sizes, reverse: bool
) -> tuple[Tensor, States]:
    """An LSTM over time.

    Args:
        drive: (M, 4H), the input's share of the gates i, f, g, o, with both biases; time steps one after the other.
        states: h (N, P) and c (N, H) before the first step.
        weight: (4H, P), the recurrent weight.
        project: (P, H), the projection of the output; None for P = H.
        sizes: how many sequences take part in each step, M in all; they may fall, where sequences end.
        reverse: go through time backwards.

    Returns:
        The outputs (M, P), and the last h and c of every sequence.
    """
    output, *states_after = apply(LSTMSequence, drive, *states, weight, project, sizes=sizes, reverse=reverse)
    return output, tuple(states_after)


def gru_sequence(
    drive: Tensor, states: States, weight: Tensor, bias: Tensor | None, sizes: Sizes, reverse: bool
) -> tuple[Tensor, States]:
    """Gated recurrent units over time; as `lstm_sequence`, with ``drive`` (M, 3H) and the recurrent bias apart."""
    output, h = apply(GRUSequence, drive, *states, weight, bias, sizes=sizes, reverse=reverse)
    return output, (h,)


def rnn_sequence(
    drive: Tensor, states: States, weight: Tensor, relu: bool, sizes: Sizes, reverse: bool
) -> tuple[Tensor, States]:
    """An Elman network over time; as `lstm_sequence`, with ``drive`` (M, H) and tanh, or ``relu``."""
    output, h = apply(RNNSequence, drive, *states, weight, sizes=sizes, reverse=reverse, relu=relu)
    return output, (h,)
