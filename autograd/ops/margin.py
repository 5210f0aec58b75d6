"""Losses that ask for a margin: ranking, hinge, triplets, and their forms for several classes or labels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.batched import any_in
from ...backends.dtypes import FROM_NUMPY
from ...backends.errors import DimensionError, DTypeError, InvalidValueError, ShapeError
from ..admission import scalar_type
from ..base import TensorBase, wrap
from ..primitive import apply
from ..promotion import operands
from .activation import softplus_rule
from .arithmetic import add, div, mul, neg, sub
from .calling import broadcast_error
from .distance import pairwise_distance
from .exponential import exp, log1p, sqrt
from .gather import gather_rule
from .loss import Pick, as_input, reduced, reduction_of
from .loss_doubts import same_size
from .reduction import sum_rule
from .select import Clamp, minimum, where_rule
from .shape import reshape_rule
from .size import Size

if TYPE_CHECKING:
    from ..tensor import Tensor


def _hinge(x: Any, zero: float = 0.0) -> Any:
    """``max(x, 0)``."""
    return apply(Clamp, x, low=zero, high=None)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, -target (input1 - input2) + margin)``: where the target is 1 the first input should be the larger.

    Raises:
        RuntimeError: the operands do not have equally many dimensions.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    ranks = [t._data.ndim for t in (input1, input2, target)]
    if len(set(ranks)) > 1:
        shapes = [Size(t._data.shape) for t in (input1, input2, target)]
        raise ShapeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: "
            f"{shapes[0]}, input2: {shapes[1]}, target: {shapes[2]}"
        )
    same_size("margin_ranking_loss", input1, input2, "second input")
    same_size("margin_ranking_loss", input1, target)
    return reduced(_hinge(add(mul(neg(target), sub(input1, input2)), float(margin))), reduction)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """``input`` where the target is 1, ``max(0, margin - input)`` where it is -1."""
    reduction = reduction_of(size_average, reduce, reduction)
    same_size("hinge_embedding_loss", input, target)
    zero: float = 0.0
    if input._data.dtype.kind in "iu":
        zero, margin = 0, int(margin)
    try:
        far = where_rule(target != 1, _hinge(sub(margin, input), zero), zero)
        near = where_rule(target != -1, input, zero)
    except ValueError as error:
        raise broadcast_error("hinge_embedding_loss", input, target) from error
    return reduced(add(far, near), reduction)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """``1 - cos`` where the target is 1, ``max(0, cos - margin)`` where it is -1; ``cos`` over the last dimension.

    Args:
        input1: (N, D) or (D).
        input2: likewise.
        target: (N) or a scalar, 1 or -1.
        margin: at which cosine different vectors are different enough.
        size_average: as in `mse_loss`.
        reduce: likewise.
        reduction: likewise.

    Raises:
        RuntimeError: the shapes do not fit.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    ndim = target._data.ndim
    if ndim > 1 or input1._data.ndim != ndim + 1 or input2._data.ndim != ndim + 1:
        many = "0D or 1D target tensor expected, multi-target not supported; " if ndim > 1 else ""
        raise ShapeError(
            f"cosine_embedding_loss: {many}{ndim}D target tensor expects {ndim + 1}D input tensors, but found inputs "
            f"with sizes {list(input1._data.shape)} and {list(input2._data.shape)}"
        )
    same_size("cosine_embedding_loss", input1, input2, "second input")
    input1, input2 = operands("cosine_embedding_loss", input1, input2, floating=True)
    products = [sum_rule(mul(a, b), (ndim,)) for a, b in ((input1, input2), (input1, input1), (input2, input2))]
    cos = div(products[0], sqrt(mul(products[1] + 1e-12, products[2] + 1e-12)))
    try:
        loss = add(where_rule(target == 1, 1 - cos, 0.0), where_rule(target == -1, _hinge(cos - margin), 0.0))
    except ValueError as error:
        raise broadcast_error("cosine_embedding_loss", cos, target) from error
    return reduced(loss, reduction)


def soft_margin_loss(
    input: Tensor, target: Tensor, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Tensor:
    """``log(1 + exp(-target input))`` for targets 1 and -1; infinite where the power overflows.

    Raises:
        RuntimeError: the target is larger than the input, or the input of integers.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    same_size("soft_margin_loss", input, target)
    try:
        product = mul(input, mul(target, -1))
    except ValueError as error:
        raise broadcast_error("soft_margin_loss", input, target) from error
    if product._data.shape != input._data.shape:
        raise ShapeError(
            f"soft_margin_loss: output with shape {list(input._data.shape)} doesn't match the broadcast shape "
            f"{list(product._data.shape)}"
        )
    return reduced(as_input("soft_margin_loss", log1p(exp(product)), input), reduction)


def _rows(op: str, input: Any, target: Any, per_class: bool) -> tuple[Any, Any, bool]:
    """Scores (N, C) and targets (N) or (N, C), and whether N was added."""
    for value in (input, target):
        if not isinstance(value, TensorBase):
            raise TypeError(f"{op}(): argument must be Tensor, not {type(value).__name__}")
    x, t = input._data, target._data
    if x.ndim == 2 and len(x) == 1 and not t.ndim and not per_class:
        input, x = reshape_rule(input, x.shape[1:]), x[0]
    if x.ndim > 2 or 0 in x.shape[1:] or (x.ndim == 1 and not x.size):
        raise ShapeError(
            f"{op}: Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(x.shape)}"
        )
    single = x.ndim < 2
    expected = (x.shape or (1,)) if per_class and single else x.shape if per_class else () if single else x.shape[:1]
    if t.shape != expected and not (single and t.size == 1 and (not per_class or x.size == 1)):
        raise ShapeError(
            f"{op}: inconsistent target size: {list(t.shape)} for input of size: {list(x.shape)}"
            + (
                ""
                if per_class
                else f"; {op}: target tensor should be 1-D with size equal to the number of input samples (batch "
                f"size). Expected target size {list(expected or (1,))}, but got {list(t.shape)}. Input has shape "
                f"{list(x.shape)}."
            )
        )
    if t.dtype.name != "int64":
        raise DTypeError(f"{op}: expected scalar type Long but found {scalar_type(FROM_NUMPY[t.dtype])} for the target")
    if single:
        input = reshape_rule(input, (1, x.size))
        t = t.reshape((1, -1) if per_class else (1,))
    return input, t, single


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """``sum over other classes j of max(0, margin - x[y] + x[j]) ** p / C``, times the weight of class ``y``.

    Args:
        input: (N, C) or (C).
        target: classes, (N) or a scalar, int64.
        p: 1 or 2.
        margin: what the right class should be ahead by.
        weight: (C) or None.
        size_average: as in `mse_loss`.
        reduce: likewise.
        reduction: likewise.

    Raises:
        ValueError: ``p`` is neither 1 nor 2. RuntimeError: shapes do not fit. IndexError: a class is out of range.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight._data.ndim != 1:
        raise InvalidValueError(f"multi_margin_loss: weight must be one-dimensional, got {list(weight._data.shape)}")
    classes = input._data.shape[-1:]
    if weight is not None and classes and input._data.size and weight._data.shape != classes:
        raise ShapeError(
            f"multi_margin_loss: inconsistent weight size, expected {classes[0]} but got {list(weight._data.shape)}"
        )
    scores, t, single = _rows("multi_margin_loss", input, target, False)
    n, c = scores._data.shape
    k = kernels_of[type(t)]
    try:
        right = reshape_rule(apply(Pick, scores, t), (n, 1))
    except IndexError as error:
        raise ShapeError(f"multi_margin_loss: target out of range: {error}") from None
    gap = _hinge(scores - right + margin)
    gap = mul(gap, gap) if p == 2 else gap
    if weight is not None:
        gap = mul(gap, reshape_rule(apply(Pick, weight.expand(n, c), t), (n, 1)))
    others = wrap(t[:, None] != k.arange(c)[None, :])
    loss = sum_rule(where_rule(others, gap, 0.0), (1,)) * (1 / c)
    alone = single and target._data.ndim == 0
    return reduced(reshape_rule(loss, ()) if alone else loss, reduction)


def multilabel_margin_loss(
    input: Tensor, target: Tensor, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Tensor:
    """``sum over labels j and other classes i of max(0, 1 - (x[j] - x[i])) / C``.

    Args:
        input: (N, C) or (C).
        target: of the same shape, int64: the labels of each sample, then -1.
        size_average: as in `mse_loss`.
        reduce: likewise.
        reduction: likewise.

    Raises:
        RuntimeError: shapes do not fit.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    scores, t, single = _rows("multilabel_margin_loss", input, target, True)
    n, c = scores._data.shape
    k = kernels_of[type(t)]
    listed = k.cumsum((t < 0).astype("int64"), 1) == 0  # only what comes before the first -1
    safe = k.where(listed, t, 0)
    if any_in(safe >= c):
        raise ShapeError(f"multilabel_margin_loss: argument #2 'target' is out of range: labels must lie in [-1, {c})")
    label = ((safe[:, :, None] == k.arange(c)) & listed[:, :, None]).any(1)
    right = reshape_rule(gather_rule(scores, safe, 1), (n, c, 1))  # a label that is listed twice counts twice
    gap = _hinge(1 - (right - reshape_rule(scores, (n, 1, c))))
    wanted = wrap(listed[:, :, None] & ~label[:, None, :])
    loss = sum_rule(where_rule(wanted, gap, 0.0), (1, 2)) * (1 / c)
    return reduced(reshape_rule(loss, ()) if single else loss, reduction)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Binary cross entropy of ``sigmoid(input)``, averaged over the classes, the last dimension.

    Args:
        input: (N, C).
        target: of the same shape, 0 or 1.
        weight: a factor per class, or None.
        size_average: as in `mse_loss`.
        reduce: likewise.
        reduction: likewise.

    Raises:
        IndexError: the input has no dimensions.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if not input._data.ndim:
        raise DimensionError("multilabel_soft_margin_loss: Dimension specified as -1 but tensor has no dimensions")
    same_size("multilabel_soft_margin_loss", input, target)
    # -log sigmoid(x) = softplus(-x), and -log sigmoid(-x) = softplus(x)
    loss = add(mul(target, softplus_rule(input * -1)), mul(sub(1, target), softplus_rule(input)))
    if weight is not None:
        loss = mul(loss, weight)
    dim = input._data.ndim - 1  # of the input, whatever the target is
    return reduced(div(sum_rule(loss, (dim,)), input._data.shape[dim] or math.nan), reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, margin + d(anchor, positive) - d(anchor, negative))`` with distances of the p-norm.

    Args:
        anchor: (N, D) or (D).
        positive: likewise.
        negative: likewise.
        margin: how much farther the negative should be.
        p: of `pairwise_distance`.
        eps: likewise.
        swap: take the negative's distance from the positive, where that is smaller.
        size_average: as in `mse_loss`.
        reduce: likewise.
        reduction: likewise.

    References:
        V. Balntas et al., "Learning shallow convolutional feature descriptors with triplet losses", BMVC 2016.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    _same_rank("triplet_margin_loss", anchor, positive, negative)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    return _triplet(lambda a, b: pairwise_distance(a, b, p, eps), anchor, positive, negative, margin, swap, reduction)


def _same_rank(op: str, anchor: Any, positive: Any, negative: Any) -> None:
    ranks = [t._data.ndim for t in (anchor, positive, negative)]
    if len(set(ranks)) > 1:
        raise ShapeError(
            f"{op}: The anchor, positive, and negative tensors are expected to have the same number of dimensions, but "
            f"got: anchor {ranks[0]}D, positive {ranks[1]}D, and negative {ranks[2]}D inputs"
        )
    same_size(op, anchor, positive, "positive")
    same_size(op, anchor, negative, "negative")


def _triplet(
    distance: Callable[[Any, Any], Any],
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float,
    swap: bool,
    reduction: str,
) -> Any:
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced(_hinge(sub(near, far) + margin), reduction)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` with a distance of one's own, `pairwise_distance` unless told.

    Raises:
        ValueError: the margin is not positive.
    """
    reduction = reduction_of(None, None, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    _same_rank("triplet_margin_with_distance_loss", anchor, positive, negative)
    return _triplet(distance_function or pairwise_distance, anchor, positive, negative, margin, swap, reduction)
