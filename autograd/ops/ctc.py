"""Connectionist temporal classification."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.batched import any_in
from ...backends.definitions.ctc import NEVER
from ...backends.dtypes import FROM_NUMPY, float32
from ...backends.errors import DTypeError, ShapeError
from ..admission import unsupported
from ..base import TensorBase, wrap
from ..primitive import Primitive, apply
from .arithmetic import mul
from .cast import cast
from .exponential import exp_rule
from .gather import gather_rule
from .indexing import select
from .join import cat_rule, stack_rule
from .loss import reduced, reduction_of
from .reduction import LogSumExp, sum_rule
from .select import where_rule
from .shape import reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


class CTC(Primitive):
    """``-log`` of each target's probability under the log-probabilities (T, N, C)."""

    kernels = ("ctc", "ctc_backward")

    @staticmethod
    def formula(x: Any, targets: Any, input_lengths: Any, target_lengths: Any, *, blank: int) -> Any:
        """The recursion over time in plain ops."""
        t, into, lengths = (_raw(v) for v in (targets, input_lengths, target_lengths))
        k = kernels_of[type(t)]
        states, skip = k.ctc_states(t, blank)
        n, width = states.shape
        dtype = _raw(x).dtype
        never = k.full((n, width), NEVER, dtype=dtype)
        places = k.arange(width)[None, :]
        start = (places == 0) | ((places == 1) & (lengths[:, None] > 0))
        alpha = where_rule(start, gather_rule(x[0], states, 1), NEVER)
        for time in range(1, x.shape[0]):
            one = cat_rule([never[:, :1], alpha[:, :-1]], 1)
            two = where_rule(skip, cat_rule([never[:, :2], alpha[:, :-2]], 1), NEVER) if width > 2 else never
            moved = _logsum(alpha, one, two) + gather_rule(x[time], states, 1)
            alpha = where_rule((into > time)[:, None], where_rule(moved < NEVER, NEVER, moved), alpha)
        end = gather_rule(alpha, (2 * lengths)[:, None], 1)
        label = gather_rule(alpha, k.maximum(2 * lengths - 1, 0)[:, None], 1)
        label = where_rule((lengths > 0)[:, None], label, NEVER)
        # What is added here is zero, but its gradient is the probabilities: see `ctc_loss`.
        live = (k.arange(x.shape[0])[:, None] < into)[:, :, None]
        chances = exp_rule(x)
        chances = where_rule(live, chances - _raw(chances), 0.0)
        losses = where_rule(into > 0, reshape_rule(_logsum(end, label), (n,)) * -1.0, k.empty_loss(lengths, dtype))
        return losses + sum_rule(chances, (0, 2))

    @staticmethod
    def forward(ctx: Any, x: Any, targets: Any, input_lengths: Any, target_lengths: Any, *, blank: int) -> Any:
        losses, alphas = ctx.k.ctc(x, targets, input_lengths, target_lengths, blank)
        ctx.save(x, targets, input_lengths, target_lengths)
        ctx.cache(alphas, losses)
        return losses

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, targets, input_lengths, target_lengths = ctx.saved
        alphas, losses = ctx.cached
        gx = ctx.k.ctc_backward(g, x, alphas, losses, targets, input_lengths, target_lengths, ctx.params["blank"])
        return gx, None, None, None


def _raw(x: Any) -> Any:
    return x._data if isinstance(x, TensorBase) else x


def _logsum(*terms: Any) -> Any:
    return apply(LogSumExp, stack_rule(terms, 0), dim=(0,), keepdim=False)


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """``-log`` of the probability that a sequence of classes, with repetitions and blanks removed, is the target.

    Args:
        log_probs: (T, N, C) or (T, C), as `log_softmax` gives them.
        targets: classes without blanks, (N, S) padded, or one after the other in one dimension.
        input_lengths: how many of the T steps are each sample's, (N).
        target_lengths: how many labels are each sample's, (N).
        blank: the class that stands for no label.
        reduction: ``"mean"`` (each loss over its target's length, then over the batch), ``"sum"`` or ``"none"``.
        zero_infinity: losses of targets that are impossible become 0, with no gradient.

    Returns:
        A scalar, or (N).

    Raises:
        RuntimeError: shapes, lengths or classes do not fit.

    References:
        A. Graves et al., "Connectionist temporal classification", ICML 2006.

    The gradient is, as PyTorch's, that of the scores behind the log-probabilities: ``exp(log_probs)`` is added to that
    of the log-probabilities themselves, and the backward pass of `log_softmax`, which comes next, leaves it as it is.
    """
    reduction = reduction_of(None, None, reduction)
    x = _check(log_probs, targets)
    single = x.ndim == 2
    inputs: Any = reshape_rule(log_probs, (x.shape[0], 1, x.shape[1])) if single else log_probs
    steps, n, classes = inputs._data.shape
    k = kernels_of[type(x)]
    into, lengths = (
        _lengths("input_lengths", input_lengths, n, steps),
        _lengths("target_lengths", target_lengths, n, None),
    )
    labels = _labels(k, targets._data, lengths, n, blank, classes)
    if x.dtype.itemsize == 2:
        inputs = cast(inputs, float32.dtype)
    each = apply(CTC, inputs, labels, k.asarray(into, dtype="int64"), k.asarray(lengths, dtype="int64"), blank=blank)
    impossible = each._data > -NEVER / 10
    if zero_infinity:
        losses = where_rule(wrap(impossible), 0.0, each)
    else:  # the gradient is NaN there
        losses = mul(each, wrap(k.where(impossible, k.asarray(math.inf, dtype=each._data.dtype), 1)))
    if reduction == "mean":
        losses = losses / wrap(k.asarray([max(length, 1) for length in lengths], dtype=each._data.dtype))
    y: Any = select(losses, 0, 0) if single and reduction == "none" else reduced(losses, reduction)
    return y if y._data.dtype == x.dtype else cast(y, x.dtype)


def _check(log_probs: Any, targets: Any) -> Any:
    for name, t in (("log_probs", log_probs), ("targets", targets)):
        if not isinstance(t, TensorBase):
            raise TypeError(f"ctc_loss(): argument '{name}' must be Tensor, not {type(t).__name__}")
    x = log_probs._data
    if x.ndim not in (2, 3) or not x.size:
        raise ShapeError(
            f"ctc_loss: log_probs tensor must not be empty, and (T, N, C) or (T, C), but its shape is {list(x.shape)}"
        )
    if x.dtype.kind not in "fV":
        raise unsupported("ctc_loss_cpu", FROM_NUMPY[x.dtype], "floating-point numbers; convert with .float()")
    if targets._data.dtype.kind not in "iu":
        raise DTypeError(f"ctc_loss: targets must be integral, but got {targets._data.dtype.name}")
    return x


def _lengths(name: str, given: Any, n: int, most: int | None) -> list[int]:
    if isinstance(given, TensorBase) and given._data.dtype.kind not in "iu":
        raise DTypeError(f"ctc_loss: {name} must be integral, but are {given._data.dtype.name}")
    values = given._data.reshape(-1).tolist() if isinstance(given, TensorBase) else given
    lengths = [int(v) for v in (values if isinstance(values, list | tuple) else [values])]
    if len(lengths) != n:
        raise ShapeError(f"ctc_loss: {name} must be of size batch_size: {len(lengths)} lengths for a batch of {n}")
    if any(v < 0 or (most is not None and v > most) for v in lengths):
        least = min(lengths)
        bound = "at least 0" if least < 0 else f"at most {most}"
        raise ShapeError(
            f"ctc_loss: Expected {name} to have value {bound}, but got value {least if least < 0 else max(lengths)}"
        )
    return lengths


def _labels(k: Any, targets: Any, lengths: list[int], n: int, blank: int, classes: int) -> Any:
    """The targets as (N, S), padded with a class that is there."""
    if not 0 <= blank < classes:
        raise ShapeError(f"ctc_loss: blank must be in label range, got {blank} for {classes} classes")
    longest = max(lengths, default=0)
    if targets.ndim == 2:
        if targets.shape[0] != n or targets.shape[1] < longest:
            raise ShapeError(
                f"ctc_loss: Expected tensor to have size at least {longest} at dimension 1, but got size "
                f"{targets.shape[1]} for argument #2 'targets', of shape {list(targets.shape)}, and {n} samples"
            )
        labels = targets[:, :longest].astype("int64")
    else:
        if targets.size < sum(lengths):
            raise ShapeError(f"ctc_loss: target_lengths add up to {sum(lengths)}, but there are {targets.size} targets")
        starts = [sum(lengths[:i]) for i in range(n)]
        within = k.asarray(starts, dtype="int64")[:, None] + k.arange(longest)[None, :]
        last = max(targets.size - 1, 0)
        labels = (
            k.take(targets.reshape(-1).astype("int64"), k.minimum(within, last))
            if longest
            else (k.zeros((n, 0), dtype="int64"))
        )
    there = k.arange(longest)[None, :] < k.asarray(lengths, dtype="int64")[:, None]
    wrong = there & ((labels < 0) | (labels >= classes))
    if any_in(wrong):
        raise ShapeError(f"ctc_loss: Expected targets to be between 0 and {classes - 1}")
    return k.where(there, labels, blank)
