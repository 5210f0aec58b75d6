"""Recurrent layers and attention: what ONNX's operators compute."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...autograd import ops
from ...autograd.ops import recurrent
from ...nn import functional as F
from .importers import imports, ints

if TYPE_CHECKING:
    from .reading import Node

__all__: list[str] = []


def _reordered(w: Any, order: Any) -> Any:
    """A weight or bias (gates * H, ...) with its gates in PyTorch's order."""
    parts = ops.chunk(w, len(order), 0)
    return ops.cat([parts[i] for i in order], 0)


def _check(node: Node, x: Any, lengths: Any, usual: tuple[str, ...]) -> None:
    if lengths is not None and any(n != x.shape[0] for n in ints(lengths)):
        raise NotImplementedError("sequences of several lengths")
    names = [str(a).lower() for a in node.get("activations", [])]
    count = 2 if node.get("direction", "forward") == "bidirectional" else 1
    if names and tuple(names) != tuple(u.lower() for u in usual) * count:
        raise NotImplementedError(f"activations {names}")
    if node.get("clip") is not None:
        raise NotImplementedError("clip")


def _run(node: Node, x: Any, w: Any, r: Any, b: Any, states: list[Any], order: Any, layer: Any) -> Any:
    """Each direction by itself, and the results side by side."""
    if node.get("layout", 0):
        x, states = ops.transpose(x, 0, 1), [None if s is None else ops.transpose(s, 0, 1) for s in states]
    steps, rows, width = x.shape[0], x.shape[1], r.shape[2]
    direction = node.get("direction", "forward")
    ways = [False, True] if direction == "bidirectional" else [direction == "reverse"]
    flat = ops.reshape(x, (steps * rows, x.shape[2]))
    outputs, lasts = [], []
    for d, reverse in enumerate(ways):
        weights = _reordered(w[d], order), _reordered(r[d], order)
        half = None if b is None else b.shape[1] // 2
        biases = (None, None) if b is None else (_reordered(b[d, :half], order), _reordered(b[d, half:], order))
        initial = tuple([ops.zeros(rows, width, dtype=x.dtype) if s is None else s[d] for s in states])
        output, after = layer(flat, initial, weights, biases, (rows,) * steps, reverse)
        outputs.append(ops.reshape(output, (steps, rows, width)))
        lasts.append(after)
    y = ops.stack(outputs, 1)
    ends = [ops.stack([last[i] for last in lasts], 0) for i in range(len(states))]
    if node.get("layout", 0):
        y, ends = ops.permute(y, (2, 0, 1, 3)), [ops.transpose(e, 0, 1) for e in ends]
    return y, *ends


@imports("LSTM")
def lstm(
    node: Node, x: Any, w: Any, r: Any, b: Any = None, lengths: Any = None, h: Any = None, c: Any = None, p: Any = None
) -> Any:
    """Long short-term memory; ONNX has the gates in the order i, o, f, c."""
    _check(node, x, lengths, ("Sigmoid", "Tanh", "Tanh"))
    if p is not None or node.get("input_forget", 0):
        raise NotImplementedError("peepholes and coupled gates")

    def layer(x: Any, states: Any, weights: Any, biases: Any, sizes: Any, reverse: bool) -> Any:
        bias = None if biases[0] is None else biases[0] + biases[1]
        drive = F.linear(x, weights[0], bias)
        return recurrent.lstm_sequence(drive, states, weights[1], None, sizes, reverse)

    return _run(node, x, w, r, b, [h, c], (0, 2, 3, 1), layer)


@imports("GRU")
def gru(node: Node, x: Any, w: Any, r: Any, b: Any = None, lengths: Any = None, h: Any = None) -> Any:
    """Gated recurrent units; ONNX has the gates in the order z, r, h."""
    _check(node, x, lengths, ("Sigmoid", "Tanh"))

    def layer(x: Any, states: Any, weights: Any, biases: Any, sizes: Any, reverse: bool) -> Any:
        drive = F.linear(x, weights[0], biases[0])
        if node.get("linear_before_reset", 0):
            return recurrent.gru_sequence(drive, states, weights[1], biases[1], sizes, reverse)
        return _reset_first(drive, states[0], weights[1], biases[1], sizes, reverse)

    return _run(node, x, w, r, b, [h], (1, 0, 2), layer)


def _reset_first(drive: Any, h: Any, weight: Any, bias: Any, sizes: Any, reverse: bool) -> Any:
    """The form in which the state is reset before it meets its weight."""
    width, rows = h.shape[1], h.shape[0]
    made: list[Any] = [None] * len(sizes)
    bias = ops.zeros(3 * width, dtype=h.dtype) if bias is None else bias
    for t in reversed(range(len(sizes))) if reverse else range(len(sizes)):
        a = drive[t * rows : (t + 1) * rows]
        gates = ops.sigmoid(a[:, : 2 * width] + F.linear(h, weight[: 2 * width], bias[: 2 * width]))
        reset, update = gates[:, :width], gates[:, width:]
        new = ops.tanh(a[:, 2 * width :] + F.linear(reset * h, weight[2 * width :], bias[2 * width :]))
        h = made[t] = (1 - update) * new + update * h
    return ops.cat(made, 0), (h,)


@imports("RNN")
def rnn(node: Node, x: Any, w: Any, r: Any, b: Any = None, lengths: Any = None, h: Any = None) -> Any:
    """Elman's network."""
    names = [str(a).lower() for a in node.get("activations", ["Tanh"])]
    if len(set(names)) > 1 or names[0] not in ("tanh", "relu"):
        raise NotImplementedError(f"activations {names}")
    if lengths is not None and any(n != x.shape[0] for n in ints(lengths)):
        raise NotImplementedError("sequences of several lengths")

    def layer(x: Any, states: Any, weights: Any, biases: Any, sizes: Any, reverse: bool) -> Any:
        drive = F.linear(x, weights[0], None if biases[0] is None else biases[0] + biases[1])
        return recurrent.rnn_sequence(drive, states, weights[1], names[0] == "relu", sizes, reverse)

    return _run(node, x, w, r, b, [h], (0,), layer)


@imports("Attention")
def attention(node: Node, q: Any, k: Any, v: Any, mask: Any = None, *past: Any) -> Any:
    """Scaled dot products, of 4-D operands, or of 3-D ones with their heads side by side."""
    if any(p is not None for p in past) or node.get("softcap", 0.0):
        raise NotImplementedError("Attention with a past, or with softcap")
    flat = q.ndim == 3
    if flat:
        heads, shared = node.get("q_num_heads"), node.get("kv_num_heads")
        q, k, v = (_split_heads(t, n) for t, n in ((q, heads), (k, shared), (v, shared)))
    if k.shape[1] != q.shape[1]:
        k, v = (ops.repeat_interleave(t, q.shape[1] // k.shape[1], 1) for t in (k, v))
    scale = node.get("scale") or 1 / math.sqrt(q.shape[-1])
    scores = ops.matmul(q * scale, ops.transpose(k, -1, -2))
    if node.get("is_causal", 0):
        later = ops.triu(ops.ones(q.shape[-2], k.shape[-2], dtype=ops.eq(q, q).dtype), 1)
        scores = ops.masked_fill(scores, later, -math.inf)
    if mask is not None:
        scores = ops.where(mask, scores, -math.inf) if not mask.is_floating_point() else scores + mask
    y = ops.matmul(ops.softmax(scores, -1), v)
    return ops.flatten(ops.transpose(y, 1, 2), 2) if flat else y


def _split_heads(x: Any, heads: int) -> Any:
    return ops.transpose(ops.reshape(x, (*x.shape[:2], heads, x.shape[2] // heads)), 1, 2)
