"""Reductions, running results and softmax in ONNX."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .graph import Graph, rule
from .varying import Varying

__all__ = ["count"]


def count(x: Any, axes: Any) -> Any:
    """How many elements a reduction brings together."""
    dims = range(x.ndim) if axes is None else [axes] if isinstance(axes, int) else axes
    n: Any = 1
    for a in dims:
        n = x.shape[a] * n
    return n


KINDS = {
    "sum": "Sum",
    "mean": "Mean",
    "prod": "Prod",
    "max": "Max",
    "min": "Min",
    "amax": "Max",
    "amin": "Min",
    "logsumexp": "LogSumExp",
}


@rule(" ".join(KINDS))
def reduction(g: Graph, x: Any, axis: Any = None, keepdims: bool = False, **options: Any) -> str:
    """Sums, means, products and extremes."""
    kind, dtype = KINDS[g.step.name], g.out.dtype
    if x.dtype.kind == "b" and kind in ("Max", "Min"):
        made = g.reduce(kind, g.cast(x, "int32"), axis, keepdims)
        return g.cast_from(made, np.dtype("int32"), dtype)
    if kind == "Mean" and dtype.kind not in "fV":
        dtype = np.dtype("float32")
    return g.reduce(kind, g.cast(x, dtype), axis, keepdims)


@rule("any all")
def truth(g: Graph, x: Any, axis: Any = None, keepdims: bool = False) -> str:
    """Whether one is true, or all."""
    zero = g.constant(0, x.dtype)
    true = g.name(x) if x.dtype.kind == "b" else str(g.op("Not", g.op("Equal", x, zero)))
    as_int = g.op("Cast", true, to=6)
    made = g.reduce("Max" if g.step.name == "any" else "Min", as_int, axis, keepdims)
    return g.cast_from(made, np.dtype("int32"), g.out.dtype)


@rule("count_true count_nonzero")
def count_true(g: Graph, x: Any, axis: Any = None, keepdims: bool = False) -> str:
    """How many are true."""
    true = g.name(x) if x.dtype.kind == "b" else str(g.op("Not", g.op("Equal", x, g.constant(0, x.dtype))))
    return g.reduce("Sum", g.op("Cast", true, to=7), axis, keepdims)


@rule("var")
def variance(g: Graph, x: Any, axis: Any = None, correction: float = 0, keepdims: bool = False) -> Any:
    """The variance and the mean."""
    mean = g.reduce("Mean", x, axis, True)
    centred = g.op("Sub", x, mean)
    total = g.reduce("Sum", g.op("Mul", centred, centred), axis, keepdims)
    divisor = count(x, axis) - correction
    if not isinstance(divisor, Varying):
        return str(g.op("Div", total, g.constant(max(divisor, 0), x.dtype))), mean
    return str(g.op("Div", total, g.scalar(_whole(divisor), x.dtype))), mean


def _whole(n: Varying) -> Any:
    return Varying([int(v) for v in n.values])


@rule("p_norm")
def p_norm(g: Graph, x: Any, p: float, axes: Any, keepdims: bool) -> str:
    """The norm of vectors."""
    if p in (1, 2):
        return g.reduce("L1" if p == 1 else "L2", x, axes, keepdims)
    size = g.op("Abs", x)
    if math.isinf(p):
        return g.reduce("Max" if p > 0 else "Min", size, axes, keepdims)
    if p == 0:
        there = g.op("Cast", g.op("Not", g.op("Equal", x, g.constant(0, x.dtype))), to=1)
        return g.cast_from(g.reduce("Sum", there, axes, keepdims), np.dtype("float32"), x.dtype)
    total = g.reduce("Sum", g.op("Pow", size, g.constant(p, x.dtype)), axes, keepdims)
    return str(g.op("Pow", total, g.constant(1 / p, x.dtype)))


@rule("softmax log_softmax")
def softmax(g: Graph, x: Any, axis: int = -1) -> str:
    """Along one dimension."""
    kind = "Softmax" if g.step.name == "softmax" else "LogSoftmax"
    if x.ndim == 0:
        one = g.op("Reshape", x, g.constant([1], "int64"))
        return g.squeeze(g.op(kind, one, axis=0), [0])
    return str(g.op(kind, x, axis=axis % x.ndim))


# ---------------------------------------------------------------------- running results


@rule("cumsum")
def cumsum(g: Graph, x: Any, axis: int = 0, reverse: bool = False, **options: Any) -> str:
    """Sums so far."""
    name = g.cast(x, g.out.dtype)
    return str(g.op("CumSum", name, g.constant(axis % max(x.ndim, 1), "int64"), reverse=int(reverse)))


def running(g: Graph, x: Any, axis: int, neutral: Any, combine: Any, shape: Any = None) -> str:
    """The running result of an associative function, with what lies 1, 2, 4, ... places back."""
    name, sizes = g.name(x), list(x.shape if shape is None else shape)
    axis %= len(sizes)
    n = sizes[axis]
    if isinstance(n, Varying):
        raise NotImplementedError("a running result over a dimension of variable size")
    dtype, by = g.out.dtype if shape is None else g.dtypes[name], 1
    pads = [0] * (2 * len(sizes))
    while by < n:
        pads[axis] = by
        moved = g.op("Pad", name, g.ints(pads), g.constant(neutral, dtype))
        ends, axes = g.constant([n], "int64"), g.constant([axis], "int64")
        name = str(combine(name, g.op("Slice", moved, g.constant([0], "int64"), ends, axes)))
        by *= 2
    return name


@rule("cumprod")
def cumprod(g: Graph, x: Any, axis: int) -> str:
    """Products so far."""
    return running(g, x, axis, 1, lambda a, b: g.op("Mul", a, b))


@rule("logcumsumexp")
def logcumsumexp(g: Graph, x: Any, axis: int, reverse: bool = False) -> str:
    """Logarithms of sums of exponentials so far."""
    if reverse:
        raise NotImplementedError("reverse")

    def combine(a: Any, b: Any) -> Any:
        high = g.op("Max", a, b)
        total = g.op("Add", g.op("Exp", g.op("Sub", a, high)), g.op("Exp", g.op("Sub", b, high)))
        return g.op("Add", high, g.op("Log", total))

    return running(g, x, axis, -3e38, combine)


@rule("cumulative_extreme")
def cumulative_extreme(g: Graph, x: Any, axis: int, largest: bool) -> Any:
    """The largest (or least) so far, and where it was last."""
    info: Any = np.iinfo(x.dtype) if x.dtype.kind in "iu" else np.finfo(x.dtype)
    kind = "Max" if largest else "Min"
    best = running(g, x, axis, info.min if largest else info.max, lambda a, b: g.op(kind, a, b))
    axis %= x.ndim
    places = np.arange(x.shape[axis]).reshape([-1 if i == axis else 1 for i in range(x.ndim)])
    here = g.where(g.op("Equal", x, best), g.constant(places, "int64"), g.constant(0, "int64"))
    g.dtypes[here] = np.dtype("int64")
    return best, running(g, here, axis, 0, lambda a, b: g.op("Max", a, b), x.shape)


# ---------------------------------------------------------------------- losses


@rule("squared_error")
def squared_error(g: Graph, x: Any, y: Any, reduction: str) -> str:
    """The mean, or the sum, of squared differences."""
    difference = g.op("Sub", x, y)
    square = g.op("Mul", difference, difference)
    return square if reduction == "none" else g.reduce("Mean" if reduction == "mean" else "Sum", square, None, False)
