"""Matrix products, attention and recurrent layers in ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np

from .graph import Graph, rule
from .varying import Varying

__all__: list[str] = []


@rule("matmul dot")
def matmul(g: Graph, a: Any, b: Any, **options: Any) -> str:
    """``a @ b``."""
    dtype = g.out.dtype
    return str(g.op("MatMul", g.operand(a, dtype), g.operand(b, dtype)))


@rule("mm")
def mm(g: Graph, x: Any, w: Any, transposed: bool = False) -> str:
    """Rows times a matrix."""
    return str(g.op("MatMul", x, g.transpose(w, [1, 0]) if transposed else w))


@rule("bmm")
def bmm(g: Graph, a: Any, b: Any, ta: bool = False, tb: bool = False) -> str:
    """Products of stacked matrices."""
    return str(g.op("MatMul", turned(g, a) if ta else a, turned(g, b) if tb else b))


def turned(g: Graph, x: Any) -> str:
    """The last two dimensions exchanged."""
    order = list(range(x.ndim))
    order[-2:] = order[:-3:-1]
    return g.transpose(x, order)


@rule("linear")
def linear(g: Graph, x: Any, w: Any, b: Any = None) -> str:
    """``x @ w.T + b``."""
    if x.ndim == 2 and x.dtype.kind == "f":
        return str(g.op("Gemm", x, w, b, transB=1))
    made = g.op("MatMul", x, g.transpose(w, [1, 0]))
    return str(made if b is None else g.op("Add", made, b))


@rule("contract")
def contract(g: Graph, a: Any, b: Any, left: Any, right: Any, out: Any) -> str:
    """Einstein's sums."""
    letters = {label: chr(ord("a") + i) for i, label in enumerate(dict.fromkeys([*left, *right, *out]))}
    terms = ["".join([letters[label] for label in part]) for part in (left, right, out)]
    return str(g.op("Einsum", a, b, equation=f"{terms[0]},{terms[1]}->{terms[2]}"))


@rule("outer")
def outer(g: Graph, a: Any, b: Any) -> str:
    """Products of all pairs."""
    return str(g.op("Mul", g.unsqueeze(a, [1]), g.unsqueeze(b, [0])))


@rule("det linalg.det")
def det(g: Graph, x: Any) -> str:
    """The determinant."""
    return str(g.op("Det", x))


@rule("attention")
def attention(
    g: Graph, q: Any, k: Any, v: Any, mask: Any, dropped: Any, scale: float, causal: bool, keep: float
) -> Any:
    """``softmax(scale q k' + mask) v``."""
    dtype = q.dtype
    scores = g.op("MatMul", g.op("Mul", q, g.operand(scale, dtype)), turned(g, k))
    hidden = g.constant(-np.inf, dtype)
    if causal:
        scores = g.where(_causal(g, q.shape[-2], k.shape[-2]), scores, hidden)
    if mask is not None:
        boolean = mask.dtype.kind == "b"
        scores = g.where(mask, scores, hidden) if boolean else str(g.op("Add", scores, g.cast(mask, dtype)))
    p = g.op("Softmax", scores, axis=-1)
    if mask is not None:  # a query that sees no key gets zeros
        p = g.where(g.op("IsNaN", p), g.constant(0, dtype), p)
    if dropped is not None:
        p = g.op("Div", g.op("Mul", p, g.cast(dropped, dtype)), g.operand(keep, dtype))
    return (str(g.op("MatMul", p, v)),)


def _causal(g: Graph, rows: Any, columns: Any) -> str:
    """Where a query may look: at keys that are not later than itself."""
    if not isinstance(rows, Varying) and not isinstance(columns, Varying):
        return g.constant(np.arange(rows)[:, None] >= np.arange(columns), "bool")
    zero, one = g.constant(0, "int64"), g.constant(1, "int64")
    queries, keys = (g.op("Range", zero, g.scalar(n, "int64"), one) for n in (rows, columns))
    return str(g.op("GreaterOrEqual", g.unsqueeze(queries, [1]), keys))


# ---------------------------------------------------------------------- recurrent layers


def _gates(g: Graph, w: Any, order: Any) -> str:
    """A weight or a bias with its gates in ONNX's order, and a dimension for the one direction."""
    rows = w.shape[0] // len(order)
    if list(order) == list(range(len(order))):
        return g.unsqueeze(w, [0])
    sizes = g.constant([rows] * len(order), "int64")
    parts = g.op("Split", w, sizes, outputs=len(order), axis=0)
    return g.unsqueeze(g.op("Concat", *[parts[i] for i in order], axis=0), [0])


def _sequence(g: Graph, x: Any, sizes: Any) -> tuple[Any, Any, str]:
    """Steps, sequences, and the input (T * N, D) as (T, N, D)."""
    if len(sizes) != 2 or not hasattr(x, "shape"):
        raise NotImplementedError("sequences of several lengths")
    steps, rows = sizes
    return steps, rows, g.reshape(x, (steps, rows, x.shape[-1]))


def _recurrent(
    g: Graph, kind: str, x: str, weights: Any, states: Any, sizes: Any, reverse: bool, **attributes: Any
) -> Any:
    """The node, and its results as the kernel gives them: (T * N, H), and the last states (N, H)."""
    steps, rows, width = sizes
    initial = [g.unsqueeze(s, [0]) for s in states]
    made = g.op(
        kind,
        x,
        *weights,
        None,
        *initial,
        outputs=1 + len(states),
        hidden_size=width,
        direction="reverse" if reverse else "forward",
        **attributes,
    )
    whole = g.squeeze(made[0], [1])
    return g.reshape(whole, (steps * rows, width), (steps, rows, width)), *[g.squeeze(s, [0]) for s in made[1:]]


def _biases(g: Graph, wb: Any, rb: Any, order: Any, rows: int, dtype: Any) -> str:
    if wb is None and rb is None:
        return ""
    zeros = g.constant(np.zeros((1, rows)), dtype)
    return str(g.op("Concat", *[zeros if b is None else _gates(g, b, order) for b in (wb, rb)], axis=1))


@rule("lstm_layer")
def lstm_layer(g: Graph, x: Any, h: Any, c: Any, w: Any, r: Any, wb: Any, rb: Any, sizes: Any, reverse: bool) -> Any:
    """An LSTM; ONNX has the gates in the order i, o, f, c."""
    order = (0, 3, 1, 2)
    steps, rows, data = _sequence(g, x, sizes)
    weights = _gates(g, w, order), _gates(g, r, order), _biases(g, wb, rb, order, w.shape[0], x.dtype)
    return _recurrent(g, "LSTM", data, weights, (h, c), (steps, rows, r.shape[1]), reverse)


@rule("gru_layer")
def gru_layer(g: Graph, x: Any, h: Any, w: Any, r: Any, wb: Any, rb: Any, sizes: Any, reverse: bool) -> Any:
    """Gated recurrent units; ONNX has the gates in the order z, r, h."""
    order = (1, 0, 2)
    steps, rows, data = _sequence(g, x, sizes)
    weights = _gates(g, w, order), _gates(g, r, order), _biases(g, wb, rb, order, w.shape[0], x.dtype)
    sizes = steps, rows, r.shape[1]
    return _recurrent(g, "GRU", data, weights, (h,), sizes, reverse, linear_before_reset=1)


@rule("rnn_sequence")
def rnn_sequence(g: Graph, drive: Any, h: Any, weight: Any, sizes: Any, reverse: bool, relu: bool) -> Any:
    """An Elman network, whose input has met its weight already."""
    steps, rows, data = _sequence(g, drive, sizes)
    width = weight.shape[1]
    weights = g.constant(np.eye(width)[None], drive.dtype), g.unsqueeze(weight, [0]), None
    return _recurrent(
        g, "RNN", data, weights, (h,), (steps, rows, width), reverse, activations=["Relu" if relu else "Tanh"]
    )
