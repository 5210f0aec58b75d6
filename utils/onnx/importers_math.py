"""Element by element, reductions and products: what ONNX's operators compute."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...autograd import ops
from ...autograd.ops import einsum as einsum_op
from ...nn import functional as F
from .importers import axes_of, cast, imports, number, tensor
from .types import dtype_of

if TYPE_CHECKING:
    from .reading import Node

__all__: list[str] = []

SIMPLE: dict[str, Callable[..., Any]] = {
    "Abs": ops.abs,
    "Acos": ops.acos,
    "Acosh": ops.acosh,
    "Asin": ops.asin,
    "Asinh": ops.asinh,
    "Atan": ops.atan,
    "Atanh": ops.atanh,
    "BitwiseNot": ops.bitwise_not,
    "Ceil": ops.ceil,
    "Cos": ops.cos,
    "Cosh": ops.cosh,
    "Det": ops.det,
    "Erf": ops.erf,
    "Exp": ops.exp,
    "Floor": ops.floor,
    "HardSwish": F.hardswish,
    "IsNaN": ops.isnan,
    "Log": ops.log,
    "Mish": F.mish,
    "Neg": ops.neg,
    "Not": ops.logical_not,
    "Reciprocal": ops.reciprocal,
    "Relu": F.relu,
    "Round": ops.round,
    "Sigmoid": ops.sigmoid,
    "Sign": ops.sign,
    "Sin": ops.sin,
    "Sinh": ops.sinh,
    "Softplus": F.softplus,
    "Softsign": F.softsign,
    "Sqrt": ops.sqrt,
    "Tan": ops.tan,
    "Tanh": ops.tanh,
}
PAIRS: dict[str, Callable[..., Any]] = {
    "Add": ops.add,
    "And": ops.logical_and,
    "BitwiseAnd": ops.bitwise_and,
    "BitwiseOr": ops.bitwise_or,
    "BitwiseXor": ops.bitwise_xor,
    "Equal": ops.eq,
    "Greater": ops.gt,
    "GreaterOrEqual": ops.ge,
    "Less": ops.lt,
    "LessOrEqual": ops.le,
    "MatMul": ops.matmul,
    "Mul": ops.mul,
    "Or": ops.logical_or,
    "Sub": ops.sub,
    "Xor": ops.logical_xor,
}


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda node, *inputs: function(*inputs)


for _name, _function in {**SIMPLE, **PAIRS}.items():
    imports(_name)(_plain(_function))


@imports("Identity")
def identity(node: Node, x: Any) -> Any:
    """The input."""
    return x


@imports("Div")
def div(node: Node, a: Any, b: Any) -> Any:
    """Quotients; of integers rounded towards zero."""
    return ops.div(a, b) if a.is_floating_point() else ops.div(a, b, rounding_mode="trunc")


@imports("Mod")
def mod(node: Node, a: Any, b: Any) -> Any:
    """Remainders, with the sign of the divisor unless told."""
    return ops.fmod(a, b) if node.get("fmod", 0) else ops.remainder(a, b)


@imports("Pow")
def power(node: Node, a: Any, b: Any) -> Any:
    """Powers, in the type of the base."""
    return cast(ops.pow(a, b), a.dtype)


@imports("Min Max Sum Mean")
def variadic(node: Node, *inputs: Any) -> Any:
    """Of any number of operands."""
    function = {"Min": ops.minimum, "Max": ops.maximum}.get(node.kind, ops.add)
    total = functools.reduce(function, inputs)
    return total / len(inputs) if node.kind == "Mean" else total


@imports("Clip")
def clip(node: Node, x: Any, low: Any = None, high: Any = None) -> Any:
    """Between two bounds."""
    low = node.get("min") if low is None else number(low)
    high = node.get("max") if high is None else number(high)
    return x if low is None and high is None else ops.clamp(x, low, high)


@imports("Cast")
def to_type(node: Node, x: Any) -> Any:
    """Another element type."""
    return ops.to(x, dtype=dtype_of(node.get("to")))


@imports("CastLike")
def to_type_of(node: Node, x: Any, like: Any) -> Any:
    """The element type of another tensor."""
    return cast(x, like.dtype)


@imports("Where")
def where(node: Node, condition: Any, x: Any, y: Any) -> Any:
    """One or the other."""
    return ops.where(condition, x, y)


@imports("IsInf")
def isinf(node: Node, x: Any) -> Any:
    """Where there is no end."""
    positive, negative = node.get("detect_positive", 1), node.get("detect_negative", 1)
    if positive and negative:
        return ops.isinf(x)
    return ops.isposinf(x) if positive else ops.isneginf(x)


@imports("BitShift")
def shift(node: Node, x: Any, y: Any) -> Any:
    """Bits moved."""
    return (ops.bitwise_left_shift if node.get("direction") == "LEFT" else ops.bitwise_right_shift)(x, y)


# ---------------------------------------------------------------------- activations


@imports("LeakyRelu")
def leaky_relu(node: Node, x: Any) -> Any:
    """A slope below zero."""
    return F.leaky_relu(x, node.get("alpha", 0.01))


@imports("PRelu")
def prelu(node: Node, x: Any, slope: Any) -> Any:
    """A slope below zero that is a tensor."""
    return ops.where(x < 0, x * slope, x)


@imports("Elu Celu")
def elu(node: Node, x: Any) -> Any:
    """Exponential below zero."""
    alpha = node.get("alpha", 1.0)
    return F.elu(x, alpha) if node.kind == "Elu" else F.celu(x, alpha)


@imports("Selu")
def selu(node: Node, x: Any) -> Any:
    """The scaled one."""
    alpha, gamma = node.get("alpha", 1.67326319217681884765625), node.get("gamma", 1.05070102214813232421875)
    return F.elu(x, alpha) * gamma


@imports("HardSigmoid")
def hardsigmoid(node: Node, x: Any) -> Any:
    """A line between 0 and 1."""
    return ops.clamp(x * node.get("alpha", 0.2) + node.get("beta", 0.5), 0.0, 1.0)


@imports("Gelu")
def gelu(node: Node, x: Any) -> Any:
    """``x`` times the normal distribution function."""
    return F.gelu(x, approximate=node.get("approximate", "none"))


@imports("Swish")
def swish(node: Node, x: Any) -> Any:
    """``x sigmoid(alpha x)``."""
    return x * ops.sigmoid(x * node.get("alpha", 1.0))


@imports("ThresholdedRelu")
def thresholded(node: Node, x: Any) -> Any:
    """Zero up to a threshold."""
    return F.threshold(x, node.get("alpha", 1.0), 0.0)


@imports("Shrink")
def shrink(node: Node, x: Any) -> Any:
    """Zero around zero, and moved towards it elsewhere."""
    bias, lambd = node.get("bias", 0.0), node.get("lambd", 0.5)
    return ops.where(x < -lambd, x + bias, ops.where(x > lambd, x - bias, ops.zeros_like(x)))


@imports("Softmax LogSoftmax Hardmax")
def softmax(node: Node, x: Any) -> Any:
    """Along one dimension; before version 13 over all dimensions from one on."""
    axis = node.get("axis", -1 if node.opset >= 13 else 1) % max(x.ndim, 1)
    rows = x if node.opset >= 13 else ops.reshape(x, (math.prod(x.shape[:axis]), -1))
    dim = axis if node.opset >= 13 else 1
    if node.kind == "Hardmax":
        made = cast(F.one_hot(ops.argmax(rows, dim), rows.shape[dim]), x.dtype).movedim(-1, dim)
    else:
        made = (ops.softmax if node.kind == "Softmax" else ops.log_softmax)(rows, dim)
    return made if node.opset >= 13 else ops.reshape(made, x.shape)


# ---------------------------------------------------------------------- reductions


def _reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(node: Node, x: Any, given: Any = None) -> Any:
        axes = axes_of(node, x, given)
        keep = bool(node.get("keepdims", 1))
        if axes is None or not axes:
            if node.get("noop_with_empty_axes", 0):
                return x
            axes = list(range(x.ndim))
        return function(x, axes, keep) if axes else function(x.reshape(1), [0], False)

    return run


def _prod(x: Any, axes: list[int], keep: bool) -> Any:
    for a in sorted(axes, reverse=True):
        x = ops.prod(x, a, keep)
    return x


REDUCTIONS: dict[str, Callable[..., Any]] = {
    "L1": lambda x, axes, keep: ops.sum(ops.abs(x), axes, keep),
    "L2": lambda x, axes, keep: ops.sqrt(ops.sum(x * x, axes, keep)),
    "LogSum": lambda x, axes, keep: ops.log(ops.sum(x, axes, keep)),
    "LogSumExp": ops.logsumexp,
    "Max": lambda x, axes, keep: ops.amax(x, axes, keep),
    "Mean": ops.mean,
    "Min": lambda x, axes, keep: ops.amin(x, axes, keep),
    "Prod": _prod,
    "Sum": lambda x, axes, keep: cast(ops.sum(x, axes, keep), x.dtype),
    "SumSquare": lambda x, axes, keep: ops.sum(x * x, axes, keep),
}
for _name, _function in REDUCTIONS.items():
    imports(f"Reduce{_name}")(_reduction(_function))


@imports("ArgMax ArgMin")
def position(node: Node, x: Any) -> Any:
    """Where the extreme is."""
    axis, keep = node.get("axis", 0) % max(x.ndim, 1), bool(node.get("keepdims", 1))
    function = ops.argmax if node.kind == "ArgMax" else ops.argmin
    if not node.get("select_last_index", 0):
        return function(x, axis, keep)
    return x.shape[axis] - 1 - function(ops.flip(x, [axis]), axis, keep)


@imports("CumSum")
def cumsum(node: Node, x: Any, axis: Any) -> Any:
    """Sums so far."""
    dim = number(axis) % max(x.ndim, 1)
    y = ops.flip(x, [dim]) if node.get("reverse", 0) else x
    total = cast(ops.cumsum(y, dim), x.dtype)
    total = total - y if node.get("exclusive", 0) else total
    return ops.flip(total, [dim]) if node.get("reverse", 0) else total


# ---------------------------------------------------------------------- products


@imports("Gemm")
def gemm(node: Node, a: Any, b: Any, c: Any = None) -> Any:
    """``alpha a b + beta c``."""
    alpha, beta = node.get("alpha", 1.0), node.get("beta", 1.0)
    a = a.t() if node.get("transA", 0) else a
    if node.get("transB", 0) and alpha == 1 and (c is None or (beta == 1 and c.ndim == 1)):
        return F.linear(a, b, c)
    made = ops.matmul(a, b.t() if node.get("transB", 0) else b)
    made = made if alpha == 1 else made * alpha
    return made if c is None else made + (c if beta == 1 else c * beta)


@imports("Einsum")
def einsum(node: Node, *inputs: Any) -> Any:
    """Einstein's sums."""
    return einsum_op(node.get("equation"), *inputs)


# ---------------------------------------------------------------------- losses


@imports("NegativeLogLikelihoodLoss")
def nll(node: Node, x: Any, target: Any, weight: Any = None) -> Any:
    """The loss of log-probabilities."""
    ignored = node.get("ignore_index", -100)
    return F.nll_loss(x, target.long(), weight, None, ignored, None, node.get("reduction", "mean"))


@imports("SoftmaxCrossEntropyLoss")
def cross_entropy(node: Node, x: Any, target: Any, weight: Any = None) -> Any:
    """The loss of logits, and the log-probabilities."""
    scores = ops.log_softmax(x, 1)
    return nll(node, scores, target, weight), scores


@imports("Constant")
def constant(node: Node) -> Any:
    """What the file holds."""
    import numpy as np

    for name, value in node.attributes.items():
        if name == "value":
            return tensor(np.array(value), None)
        if name.startswith("value_"):
            kind = {"value_float": "float32", "value_floats": "float32"}.get(name, "int64")
            return tensor(np.array(value, dtype=kind), None)
    raise ValueError("a constant without a value")
