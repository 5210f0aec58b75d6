"""Losses between distributions: cross entropy, negative log likelihood, binary cross entropy, Kullback-Leibler."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...backends.dtypes import FROM_NUMPY
from ...backends.errors import DTypeError, GraphError, InvalidValueError, ShapeError
from ...backends.strictness import doubt
from ..admission import scalar_type, unsupported
from ..base import TensorBase
from ..primitive import apply
from ..promotion import operands
from .arithmetic import add, mul, sub
from .calling import broadcast_error
from .cast import cast
from .exponential import exp, log_rule
from .loss import BCE, NLL, BCELogits, CrossEntropy, reduced, reduction_of
from .loss_doubts import log_probabilities, same_size
from .reduction import LogSumExp, sum_rule
from .select import where_rule
from .shape import reshape_rule
from .size import Size

if TYPE_CHECKING:
    from ..tensor import Tensor


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """``-log softmax(input)[target]``: the loss of a classifier, from its unnormalised scores.

    Args:
        input: (N, C), (N, C, d1, ...) or (C).
        target: class indices, int64, of the input's shape without C; or probabilities of the input's shape.
        weight: (C), a factor per class; the mean is then over the factors.
        size_average: PyTorch's old names for ``reduction``.
        reduce: likewise.
        ignore_index: samples of this class count for nothing.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        label_smoothing: how much of the target is spread evenly over all classes.

    Returns:
        A scalar, or the target's shape (without C) with ``reduction="none"``.

    Raises:
        IndexError: a class index out of range. RuntimeError, ValueError: shapes or dtypes do not fit.

    Example:
        >>> import wengert as wg
        >>> wg.nn.functional.cross_entropy(wg.zeros(2, 4), wg.tensor([0, 3]))
        tensor(1.3863)

    References:
        C. Szegedy et al., "Rethinking the inception architecture for computer vision", arXiv:1512.00567 (smoothing).
    """
    if size_average is not None or reduce is not None or reduction != "mean":
        reduction = reduction_of(size_average, reduce, reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise ShapeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    x, t = _arrays("cross_entropy", input, target)
    _check_weight("cross_entropy", x, weight)
    if x.shape == t.shape:
        return _soft_cross_entropy(input, target, weight, reduction, label_smoothing, ignore_index)
    _check_classes("cross_entropy", x, t)
    _constant("cross_entropy", "weight", weight)
    single = x.ndim == 1
    y: Any = apply(
        CrossEntropy,
        reshape_rule(input, (1, x.size)) if single else input,
        reshape_rule(target, (1,)) if single else target,
        weight,
        ignore_index=ignore_index,
        smoothing=label_smoothing,
        reduction=reduction,
    )
    return reshape_rule(y, ()) if single and reduction == "none" else y


def _soft_cross_entropy(
    input: Any, target: Any, weight: Any, reduction: str, smoothing: float, ignore_index: int
) -> Any:
    """Cross entropy against a distribution per sample."""
    if target._data.dtype.kind not in "fV":
        raise DTypeError(
            f"cross_entropy: Expected floating point type for target with class probabilities, got "
            f"{scalar_type(FROM_NUMPY[target._data.dtype])}; class indices have the input's shape without dimension 1"
        )
    if ignore_index >= 0:
        raise ShapeError("cross_entropy: ignore_index is not supported for floating point target")
    shape = input._data.shape
    axis = 0 if len(shape) == 1 else 1
    if smoothing:
        target = add(mul(target, 1 - smoothing), smoothing / shape[axis])
    logs = sub(input, apply(LogSumExp, input, dim=(axis,), keepdim=True))
    if weight is not None:
        logs = mul(logs, reshape_rule(weight, (-1, *[1] * (len(shape) - axis - 1))))
    losses = sum_rule(mul(logs, target), (axis,)) * -1.0
    if reduction == "mean":
        return sum_rule(losses, None) * (shape[axis] / math.prod(shape) if math.prod(shape) else math.nan)
    return reduced(losses, reduction)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """``-input[target]``: `cross_entropy` from logarithms of probabilities; arguments as there.

    Raises:
        IndexError: a class index out of range. RuntimeError, ValueError: shapes or dtypes do not fit.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    x, t = _arrays("nll_loss", input, target)
    log_probabilities("nll_loss", x)
    _check_weight("nll_loss", x, weight)
    if x.ndim == 1 and t.shape == (1,):
        target, t = reshape_rule(target, ()), t.reshape(())
        return nll_loss(
            reshape_rule(input, (1, x.size)), reshape_rule(target, (1,)), weight, None, ignore_index, None, reduction
        )
    _check_classes("nll_loss", x, t)
    _constant("nll_loss", "weight", weight)
    single = x.ndim == 1
    if single:
        input, target = reshape_rule(input, (1, x.size)), reshape_rule(target, (1,))
    y: Any = apply(NLL, input, target, weight, ignore_index=ignore_index, reduction=reduction)
    return reshape_rule(y, ()) if single and reduction == "none" else y


def _arrays(op: str, input: Any, target: Any) -> tuple[Any, Any]:
    for value in (input, target):
        if not isinstance(value, TensorBase):
            raise TypeError(f"{op}(): argument must be Tensor, not {type(value).__name__}")
    x, t = input._data, target._data
    if x.dtype.kind not in "fV":
        raise unsupported(op, FROM_NUMPY[x.dtype], "floating-point numbers; convert with .float()")
    if x.ndim == 0:
        raise InvalidValueError(f"{op}: Expected 1 or more dimensions (got 0): the input has a dimension of classes")
    if type(x) is not type(t) and input.device != target.device:
        raise ShapeError(
            f"{op}: Expected all tensors to be on the same device, but input is on {input.device} and target on "
            f"{target.device}"
        )
    return x, t


def _check_classes(op: str, x: Any, t: Any) -> None:
    """Check a target of class indices against the scores."""
    expected = x.shape[:1] * (x.ndim > 1) + x.shape[2:]
    rows = t.shape[0] if t.ndim else 0
    if x.ndim > 1 and rows != x.shape[0]:
        raise ValueError(
            f"{op}: Expected input batch_size ({x.shape[0]}) to match target batch_size ({rows}); shapes "
            f"{list(x.shape)} and {list(t.shape)}"
        )
    if x.ndim == t.ndim == 1:
        _check_indices(op, t)
        raise ValueError(f"{op}: For 1D input, 1D target must have size 1, but got target size: {rows}")
    if t.shape != expected:
        flat = "0D or 1D target tensor expected, multi-target not supported; " if x.ndim < 3 else ""
        if x.ndim == 4 and t.ndim != 3:
            flat = f"only batches of spatial targets supported (3D tensors) but got targets of dimension: {t.ndim}; "
        raise ShapeError(
            f"{op}: {flat}Expected target size {list(expected)}, got {list(t.shape)}; size mismatch (got input: "
            f"{list(x.shape)} , target: {list(t.shape)}): a target of class indices has the input's shape without "
            "dimension 1"
        )
    _check_indices(op, t)


def _check_indices(op: str, t: Any) -> None:
    if t.dtype.char not in "lqB":  # int64 and uint8; `.name` is slow
        raise DTypeError(
            f"{op}: expected target dtype to be Long or Byte, but got {scalar_type(FROM_NUMPY[t.dtype])} for a target "
            f"of shape {list(t.shape)}: class indices are int64 (convert with .long()), probabilities have the input's "
            "shape (expected scalar type Long)"
        )


def _check_weight(op: str, x: Any, weight: Any) -> None:
    classes = x.shape[0] if x.ndim == 1 else x.shape[1]
    if weight is not None and weight._data.shape != (classes,):
        raise ShapeError(
            f"{op}: weight tensor should be defined either for all {classes} classes or no classes but got weight "
            f"tensor of shape: {list(weight._data.shape)}"
        )


def _constant(op: str, name: str, weight: Any) -> None:
    if weight is not None and weight.requires_grad:
        raise GraphError(
            f"The function '{op}' is not differentiable with respect to argument '{name}'. This input cannot have "
            "requires_grad True; detach() it"
        )


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """``-(t log(p) + (1 - t) log(1 - p))`` for probabilities ``p``; logarithms are at least -100.

    Args:
        input: probabilities, any shape.
        target: of the same shape, in [0, 1].
        weight: a factor per element, which broadcasts.
        size_average: PyTorch's old names for ``reduction``.
        reduce: likewise.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes differ. RuntimeError: an input is not in [0, 1], where that can be seen at once.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    _same_size("binary_cross_entropy", input, target, ValueError)
    _constant("binary_cross_entropy", "weight", weight)
    if input._data.dtype.kind not in "fV":
        raise unsupported("binary_cross_entropy", FROM_NUMPY[input._data.dtype], "probabilities")
    loss = apply(BCE, input, target)
    return reduced(loss if weight is None else mul(loss, weight), reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """`binary_cross_entropy` of ``sigmoid(input)``, without overflow.

    Args:
        input: scores, any shape.
        target: of the same shape, in [0, 1].
        weight: a factor per element, which broadcasts.
        size_average: PyTorch's old names for ``reduction``.
        reduce: likewise.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: a factor for the part of positive targets, which broadcasts.

    Raises:
        ValueError: the shapes differ.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    op = "binary_cross_entropy_with_logits"
    kind = target._data.dtype
    if input._data.dtype != kind and kind.kind in "fV":
        input, target = operands(op, input, target)
    _same_size(op, input, target, ValueError)
    _constant(op, "weight", weight)
    _constant(op, "pos_weight", pos_weight)
    try:
        loss = apply(BCELogits, input, target, pos_weight)
    except ValueError as error:
        raise broadcast_error(op, pos_weight, input) from error
    loss = loss if loss._data.dtype == kind else cast(loss, kind)
    return reduced(loss if weight is None else mul(loss, weight), reduction)


def _same_size(op: str, input: Any, target: Any, error: type[Exception]) -> None:
    for value in (input, target):
        if not isinstance(value, TensorBase):
            raise TypeError(f"{op}(): argument must be Tensor, not {type(value).__name__}")
    a, b = input._data, target._data
    if a.shape != b.shape:
        ours, theirs = Size(a.shape), Size(b.shape)
        raise error(
            f"{op}: Target size ({theirs}) must be the same as input size ({ours}): Using a target size ({theirs}) "
            f"that is different to the input size ({ours}) is deprecated. Please ensure they have the same size: "
            "reshape or unsqueeze one of them"
        )
    if a.dtype != b.dtype:
        raise DTypeError(
            f"{op}: Found dtype {scalar_type(FROM_NUMPY[b.dtype])} but expected {scalar_type(FROM_NUMPY[a.dtype])} for "
            "the target; convert it with .to(input.dtype)"
        )


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """``target (log(target) - input)``: the Kullback-Leibler divergence of distributions, ``input`` being logarithms.

    Args:
        input: logarithms of probabilities.
        target: probabilities, or their logarithms with ``log_target``.
        size_average: PyTorch's old names for ``reduction``.
        reduce: likewise.
        reduction: ``"mean"`` over all elements, ``"batchmean"`` (the divergence), ``"sum"`` or ``"none"``.
        log_target: the target is given as logarithms.
    """
    batch = reduction == "batchmean"
    if reduction == "mean" and size_average is None and reduce is None:
        doubt(
            "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides "
            "only by the batch size, and aligns with the KL div math definition.'mean' will be changed to behave the "
            "same as 'batchmean' in the next major release."
        )
    reduction = "sum" if batch else reduction_of(size_average, reduce, reduction)
    for t in (input, target):
        if t._data.dtype.kind in "iub":
            raise DTypeError(f"kl_div: Integral inputs not supported, got {t.dtype}; convert with .float()")
    same_size("kl_div", input, target)
    a, b = operands("kl_div", input, target, floating=True)
    if log_target:
        loss = mul(exp(b), sub(b, a))
    else:
        some = b != 0
        logs = log_rule(where_rule(some, b, 1.0))
        loss = where_rule(some, mul(b, sub(logs, a)), mul(b, a) * -1.0)
    y = reduced(loss, reduction)
    return y * (1 / input._data.shape[0]) if batch and input._data.ndim else y
