"""Losses: distances between predictions and targets, reduced to a number.

Cross entropy from scores is fused, since its gradient is simpler than those of its parts; others compose.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.dtypes import FROM_NUMPY
from ...backends.errors import DTypeError, ShapeError
from ...backends.strictness import doubt
from ..admission import scalar_type, unsupported
from ..base import TensorBase, wrap
from ..formulas import kernel_or_formula
from ..primitive import Primitive, _differentiate_formula, apply
from ..promotion import operands
from .arithmetic import div, mul, sub
from .calling import broadcast_error
from .cast import cast
from .exponential import log_rule
from .loss_doubts import doubt_sizes
from .reduction import mean, mean_rule, sum_rule
from .rounding import abs as absolute
from .select import Clamp, where_rule
from .shape import reshape_rule
from .softmax import LogSoftmax, Softmax
from .trigonometric import tanh_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


class Pick(Primitive):
    """One class of each sample: (N, C, ...) and integers (N, ...) give (N, ...)."""

    @staticmethod
    def forward(ctx: Any, x: Any, target: Any) -> Any:
        ctx.cache(target)
        ctx.info = x.shape[1]
        return ctx.k.pick(x, target)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(Place, g, ctx.cached[0], n=ctx.info), None


class Place(Primitive):
    """Each sample's value at its class, zeros elsewhere: the adjoint of `Pick`."""

    @staticmethod
    def forward(ctx: Any, g: Any, target: Any, *, n: int) -> Any:
        ctx.cache(target)
        return ctx.k.place(g, target, n)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(Pick, g, ctx.cached[0]), None


class CrossEntropy(Primitive):
    """``-log softmax(x)[target]``, weighted and reduced. Its gradient is ``softmax(x)`` minus the target."""

    torch_name = "NllLoss"

    kernels = ("cross_entropy", "cross_entropy_backward")

    @staticmethod
    def formula(x: Any, target: Any, weight: Any, *, ignore_index: int, smoothing: float, reduction: str) -> Any:
        data, labels = _array(x), _array(target)
        k = kernels_of[type(data)]
        logs = apply(LogSoftmax, x, dim=1)
        valid, safe, each = k.class_weights(labels, _array(weight), ignore_index, data.dtype)
        losses = apply(Pick, logs, safe) * -each
        if smoothing:
            shape = (1, -1, *[1] * (data.ndim - 2))
            share = logs if weight is None else logs * _array(weight).astype(data.dtype).reshape(shape)
            losses = losses * (1 - smoothing) + sum_rule(share, (1,)) * (-smoothing / data.shape[1])
        losses = where_rule(valid, losses, 0.0)
        if reduction == "none":
            return losses
        return _over(sum_rule(losses, None), not_zero(k, k.sum(each)) if reduction == "mean" else None)

    @staticmethod
    def forward(
        ctx: Any, x: Any, target: Any, weight: Any, *, ignore_index: int, smoothing: float, reduction: str
    ) -> Any:
        ctx.save(x, target, weight)
        losses, each, kept = ctx.k.cross_entropy(x, target, weight, ignore_index, smoothing)
        y, total = losses, None
        if reduction != "none":
            y = ctx.k.sum(losses)
            if reduction == "mean":
                total = losses.size if each is None else not_zero(ctx.k, ctx.k.sum(each))
                y = _over(y, total)
        ctx.cache(each, total, *kept)
        return y.astype(x.dtype)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, target, weight = ctx.saved
        each, total, *kept = ctx.cached
        p = ctx.params
        g = _over(g.astype(kept[0].dtype), total)
        gx = ctx.k.cross_entropy_backward(g, x, kept, target, each, weight, p["ignore_index"], p["smoothing"])
        return gx, None, None

    @staticmethod
    def _graph(ctx: Any, g: Any) -> Any:
        """The rule for gradients that are recorded: ``g (softmax(x) - target)``, or what the formula gives."""
        x, target, weight = ctx.saved
        p = ctx.params
        if p["smoothing"]:
            return _differentiate_formula(CrossEntropy, ctx, g)
        data = _array(x)
        k = kernels_of[type(data)]
        _, safe, each = k.class_weights(_array(target), _array(weight), p["ignore_index"], data.dtype)
        total = not_zero(k, k.sum(each)) if p["reduction"] == "mean" else None
        factor = g * _over(each, total)
        column = reshape_rule(factor, (data.shape[0], 1, *data.shape[2:]))
        return apply(Softmax, x, dim=1) * column - apply(Place, factor, safe, n=data.shape[1]), None, None


CrossEntropy.backward_graph = CrossEntropy._graph


class NLL(Primitive):
    """``-x[target]``, weighted and reduced: linear in ``x``, so that the gradient places ``g`` where ``x`` was read."""

    torch_name = "NllLoss"

    @staticmethod
    def forward(ctx: Any, x: Any, target: Any, weight: Any, *, ignore_index: int, reduction: str) -> Any:
        ctx.save(target, weight)
        ctx.info = x.shape[1], x.dtype
        return ctx.k.nll(x, target, weight, ignore_index, reduction)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        target, weight = (_array(v) for v in ctx.saved)
        classes, dtype = ctx.info
        places, factor = ctx.k.nll_factor(target, weight, **ctx.params, dtype=dtype)
        g = g * (wrap(factor) if isinstance(g, TensorBase) else factor)
        return apply(Place, g, places, n=classes), None, None


def _array(x: Any) -> Any:
    return x._data if isinstance(x, TensorBase) else x


def not_zero(k: Any, total: Any) -> Any:
    """A divisor; NaN for none at all, so that a mean over nothing is NaN without a warning."""
    return k.where(total == 0, k.asarray(math.nan, dtype=total.dtype), total)


def _over(x: Any, total: Any) -> Any:
    return x if total is None else x / total if not isinstance(total, int) else x * (1 / total if total else math.nan)


class SquaredError(Primitive):
    """``(x - y) ** 2``, or its mean or sum."""

    torch_name = "MseLoss"

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any, *, reduction: str) -> Any:
        ctx.save(x, y)
        return ctx.k.squared_error(x, y, reduction)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, y = ctx.saved
        d = x - y
        g = g * (2.0 / (math.prod(d.shape) or 1) if ctx.params["reduction"] == "mean" else 2.0) * d
        return g, -g if ctx.needs[1] else None


@kernel_or_formula
def huber_backward(g: Any, x: Any, y: Any, delta: float) -> Any:
    """``g`` times ``x - y``, clamped to ``delta`` on both sides."""
    return g * apply(Clamp, x - y, low=-delta, high=delta)


class Huber(Primitive):
    """Of ``d = x - y``: ``d ** 2 / 2`` up to ``|d| = delta``, a line beyond."""

    torch_name = "HuberLoss"

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any, *, delta: float) -> Any:
        ctx.save(x, y)
        return ctx.k.huber(x, y, delta)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, y = ctx.saved
        g = huber_backward(g, x, y, ctx.params["delta"])
        return g, -g if ctx.needs[1] else None


class SmoothL1(Huber):
    """`Huber`, as ``smooth_l1_loss`` records it, which divides by delta afterwards."""

    torch_name = "SmoothL1Loss"


class BCE(Primitive):
    """``-(t log(x) + (1 - t) log(1 - x))`` with logarithms of at least -100."""

    @staticmethod
    def forward(ctx: Any, x: Any, t: Any) -> Any:
        ctx.save(x, t)
        return ctx.k.bce(x, t)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, t = ctx.saved
        gx = bce_backward(g, x, t) if ctx.needs[0] else None
        if not ctx.needs[1]:
            return gx, None
        return gx, g * (_clamped(log_rule(1 - x), -100.0) - _clamped(log_rule(x), -100.0))


def _clamped(x: Any, low: float) -> Any:
    return apply(Clamp, x, low=low, high=None)


@kernel_or_formula
def bce_backward(g: Any, x: Any, t: Any) -> Any:
    """The gradient of `BCE`: ``g (x - t) / (x (1 - x))``, the denominator at least 1e-12."""
    return g * (x - t) / _clamped(x * (1 - x), 1e-12)


class BCELogits(Primitive):
    """`BCE` of ``sigmoid(x)``, with a weight for ``t`` (or None); does not overflow."""

    @staticmethod
    def forward(ctx: Any, x: Any, t: Any, positive: Any) -> Any:
        ctx.save(x, t, positive)
        return ctx.k.bce_logits(x, t, positive)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, t, positive = ctx.saved
        gx = bce_logits_backward(g, x, t, positive) if ctx.needs[0] else None
        if not ctx.needs[1]:
            return gx, None, None
        gt = -x if positive is None else (positive - 1) * apply(BCELogits, x, x * 0 + 1, None) - x
        return gx, g * gt, None


@kernel_or_formula
def bce_logits_backward(g: Any, x: Any, t: Any, positive: Any) -> Any:
    """The gradient of `BCELogits`: ``g (sigmoid(x) - t)``, with the weight of ``t``."""
    rest = 0.5 - 0.5 * tanh_rule(0.5 * x)
    if positive is not None:
        rest = rest * ((positive - 1) * t + 1)
    return g * (1 - t - rest)


# ---------------------------------------------------------------------- arguments


def reduction_of(size_average: Any, reduce: Any, reduction: str) -> str:
    """The reduction, after PyTorch's old flags for it.

    Raises:
        ValueError: there is no such reduction.
    """
    if size_average is not None or reduce is not None:
        return legacy_reduction(size_average, reduce)
    if reduction in ("none", "mean", "sum"):
        return reduction
    if reduction == "elementwise_mean":
        doubt("reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.")
        return "mean"
    raise ValueError(f"{reduction} is not a valid value for reduction; use 'none', 'mean' or 'sum'")


def legacy_reduction(size_average: bool | None, reduce: bool | None, emit_warning: bool = True) -> str:
    """What PyTorch's old flags for the reduction mean."""
    average = size_average is None or size_average
    reduction = "none" if not (reduce is None or reduce) else "mean" if average else "sum"
    if emit_warning:
        doubt(f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.")
    return reduction


def reduced(loss: Any, reduction: str) -> Any:
    """The loss, its mean or its sum."""
    if reduction == "none":
        return loss
    if reduction == "mean" and loss._data.dtype.kind in "iub":
        return mean(loss)  # which refuses
    return mean_rule(loss, None) if reduction == "mean" else sum_rule(loss, None)


def as_input(op: str, loss: Any, input: Any) -> Any:
    """A loss in the dtype of its input.

    Raises:
        RuntimeError: that is an integer type.
    """
    dtype = input._data.dtype
    if loss._data.dtype == dtype:
        return loss
    if dtype.kind in "iub":
        found, wanted = (scalar_type(FROM_NUMPY[d]) for d in (loss._data.dtype, dtype))
        raise DTypeError(f"{op}: result type {found} can't be cast to the desired output type {wanted}")
    return cast(loss, dtype)


def _pair(op: str, input: Any, target: Any) -> tuple[Any, Any]:
    """Prediction and target in one type; a warning if one is broadcast, which is rarely meant."""
    for value in (input, target):
        if not isinstance(value, TensorBase):
            raise TypeError(f"{op}(): argument must be Tensor, not {type(value).__name__}")
    a, b = input._data, target._data
    if a.shape != b.shape:
        doubt_sizes(op, input, target)
    if op == "mse_loss" and a.dtype.kind == "c":
        raise unsupported(op, FROM_NUMPY[a.dtype], "floating-point numbers; convert with .float()")
    if op != "l1_loss" and a.dtype.kind not in "fcV" and b.dtype.kind not in "fcV":
        raise unsupported(op, FROM_NUMPY[a.dtype], "floating-point numbers; convert with .float()")
    if a.dtype == b.dtype and type(a) is type(b):
        return input, target
    if not a.ndim or not b.ndim:  # what is broadcast has a say in the type, as it has not in arithmetic
        ndim = max(a.ndim, b.ndim)
        input, target = (t if t._data.ndim else reshape_rule(t, (1,) * ndim) for t in (input, target))
    return tuple(operands(op, input, target))


def _weighted(op: str, loss: Any, weight: Any, reduction: str) -> Any:
    """A loss per element times a weight per element; their mean is over the weights' sum."""
    if weight is None:
        return reduced(loss, reduction)
    if weight._data.shape != loss._data.shape:
        raise ValueError(
            f"{op}: Weights and input must have the same size. Got an input of {list(loss._data.shape)} and weights of "
            f"{list(weight._data.shape)}"
        )
    total = reduced(mul(loss, weight), "none" if reduction == "none" else "sum")
    return total if reduction != "mean" else div(total, sum_rule(weight, None))


# ---------------------------------------------------------------------- regression


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The squared difference, ``(input - target) ** 2``.

    Args:
        input: of one shape; another shape is broadcast, with a warning.
        target: likewise.
        size_average: PyTorch's old names for ``reduction``.
        reduce: likewise.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        weight: of the input's shape, or None; the mean is over the weights then.

    Example:
        >>> import wengert as wg
        >>> wg.nn.functional.mse_loss(wg.tensor([1.0, 2.0]), wg.tensor([3.0, 2.0]))
        tensor(2.)
    """
    reduction = reduction_of(size_average, reduce, reduction)
    input, target = _pair("mse_loss", input, target)
    try:
        loss: Tensor = apply(SquaredError, input, target, reduction="none" if weight is not None else reduction)
    except ValueError as error:
        raise broadcast_error("mse_loss", input, target) from error
    return loss if weight is None else _weighted("mse_loss", loss, weight, reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The absolute difference; arguments as in `mse_loss`."""
    reduction = reduction_of(size_average, reduce, reduction)
    if "b" in [t._data.dtype.kind for t in (input, target) if isinstance(t, TensorBase)]:
        sub(input, target)  # which refuses
    input, target = _pair("l1_loss", input, target)
    return _weighted("l1_loss", absolute(sub(input, target)), weight, reduction)


def _huber(op: str, prim: Any, input: Any, target: Any, delta: float) -> Any:
    """The loss of each element."""
    x, y = _pair(op, input, target)
    try:
        return apply(prim, x, y, delta=float(delta))
    except ValueError as error:
        raise broadcast_error(op, x, y) from error


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """`l1_loss` with its kink rounded: ``d ** 2 / (2 beta)`` for differences below ``beta``, else ``|d| - beta / 2``.

    Raises:
        RuntimeError: ``beta`` is negative.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if beta < 0:
        raise ShapeError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    return reduced(_huber("smooth_l1_loss", SmoothL1, input, target, beta) * (1 / beta), reduction)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """``d ** 2 / 2`` for differences up to ``delta``, else ``delta (|d| - delta / 2)``; of the input's dtype.

    Raises:
        RuntimeError: ``delta`` is not positive, or the input of integers.
    """
    reduction = reduction_of(None, None, reduction)
    if delta <= 0:
        raise ShapeError(f"huber_loss does not support non-positive values for delta, got {delta}")
    loss = as_input("huber_loss", _huber("huber_loss", Huber, input, target, delta), input)
    return reduced(loss if weight is None else mul(loss, weight), reduction)
