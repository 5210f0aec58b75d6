"""Losses of regression and classification; others are in ``margin_loss.py`` and ``likelihood_loss.py``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..backends.call_site import warn
from ..backends.strictness import doubt
from . import functional as F
from .linear import Linear
from .module import Module

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "HuberLoss",
    "L1Loss",
    "LinearCrossEntropyLoss",
    "MSELoss",
    "NLLLoss",
    "NLLLoss2d",
    "SmoothL1Loss",
]


class Loss(Module):
    """What all losses share.

    Args:
        size_average, reduce: older names of what ``reduction`` says.
        reduction: ``mean`` or ``sum`` over the batch, or ``none``.
    """

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__()
        if size_average is not None or reduce is not None:
            reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
            doubt(f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.")
        self.reduction = reduction


class WeightedLoss(Loss):
    """A loss with a weight for each class or element.

    Args:
        weight: a tensor, kept as a buffer.
        size_average, reduce: older names of what ``reduction`` says.
        reduction: ``mean`` or ``sum`` over the batch, or ``none``.
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class L1Loss(Loss):
    """``|x - y|``."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Two tensors of one shape."""
        return F.l1_loss(input, target, reduction=self.reduction)


class MSELoss(Loss):
    """``(x - y) ** 2``.

    Args:
        size_average, reduce: older names of what ``reduction`` says.
        reduction: ``mean`` or ``sum`` over all elements, or ``none``.

    Example:
        >>> import wengert as wg
        >>> wg.nn.MSELoss()(wg.tensor([1.0, 2.0]), wg.tensor([1.0, 4.0]))
        tensor(2.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Two tensors of one shape."""
        return F.mse_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(Loss):
    """``(x - y)**2 / (2 * beta)`` where ``|x - y| < beta``, else ``|x - y| - beta / 2``.

    Args:
        size_average, reduce: older names of what ``reduction`` says.
        reduction: ``mean`` or ``sum`` over all elements, or ``none``.
        beta: where it becomes linear.
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Two tensors of one shape."""
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(Loss):
    """``(x - y)**2 / 2`` where ``|x - y| < delta``, else ``delta * (|x - y| - delta / 2)``.

    Args:
        reduction: ``mean`` or ``sum`` over all elements, or ``none``.
        delta: where it becomes linear.
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        if not isinstance(delta, int | float):
            raise TypeError(f"delta must be a float or int, got: {type(delta)}")
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Two tensors of one shape."""
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class NLLLoss(WeightedLoss):
    """The negative log-likelihood of the right class: ``-weight[y] * x[y]`` for log-probabilities ``x``.

    Args:
        weight: (C,), one for each class.
        size_average: an older name of what ``reduction`` says.
        ignore_index: a target that does not count.
        reduce: an older name of what ``reduction`` says.
        reduction: ``mean`` (weighted) or ``sum``, or ``none``.
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """(N, C, *) and class numbers (N, *)."""
        return F.nll_loss(input, target, weight=self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class NLLLoss2d(NLLLoss):
    """`NLLLoss` by its older name, with a warning.

    Args:
        weight, size_average, ignore_index, reduce, reduction: as in `NLLLoss`.
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        warn(
            "`NLLLoss2d` has been deprecated. Please use `NLLLoss` instead as a drop-in replacement and see "
            "https://pytorch.org/docs/main/nn.html#torch.nn.NLLLoss for more details.",
            FutureWarning,
        )
        super().__init__(weight, size_average, ignore_index, reduce, reduction)


class CrossEntropyLoss(WeightedLoss):
    """The negative log-likelihood of the right class, for scores that become probabilities by softmax.

    Args:
        weight: (C,), one for each class.
        size_average: an older name of what ``reduction`` says.
        ignore_index: a target that does not count.
        reduce: an older name of what ``reduction`` says.
        reduction: ``mean`` (weighted) or ``sum``, or ``none``.
        label_smoothing: how much of the target goes to all classes alike.

    Example:
        >>> import wengert as wg
        >>> wg.nn.CrossEntropyLoss()(wg.zeros(2, 4), wg.tensor([0, 3]))
        tensor(1.3863)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """(N, C, *) and class numbers (N, *), or probabilities (N, C, *)."""
        return F.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class LinearCrossEntropyLoss(WeightedLoss):
    """`CrossEntropyLoss` of scores that a linear layer makes, in one go.

    Args:
        in_features: D.
        num_classes: C.
        out_features: further dimensions of the scores.
        bias: whether the linear layer has one.
        device, dtype: of its parameters.
        reduction: ``mean`` (weighted) or ``sum``, or ``none``.
        weight: (C,), one for each class.
        ignore_index: a target that does not count.
        label_smoothing: how much of the target goes to all classes alike.
        options: accepted as in PyTorch.
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: Any = None,
        dtype: Any = None,
        reduction: str = "mean",
        weight: Tensor | None = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        options: Any = None,
    ) -> None:
        super().__init__(weight, reduction=reduction)
        self.num_classes = num_classes
        self.out_features = tuple(out_features)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        self.options = options
        self.linear = Linear(in_features, num_classes * math.prod(self.out_features), bias, device, dtype)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """(N, D) or (D), and class numbers (N, *out_features), or probabilities (N, C, *out_features)."""
        if self.out_features:
            scores = self.linear(input).unflatten(-1, (self.num_classes, *self.out_features))
            ignored = -100 if self.ignore_index is None else self.ignore_index
            return F.cross_entropy(
                scores,
                target,
                weight=self.weight,
                ignore_index=ignored,
                reduction=self.reduction,
                label_smoothing=self.label_smoothing,
            )
        return F.linear_cross_entropy(
            input,
            self.linear.weight,
            target,
            linear_bias=self.linear.bias,
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            options=self.options,
        )

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
            f"out_features={self.out_features}, bias={self.linear.bias is not None}, reduction={self.reduction}, "
            f"ignore_index={self.ignore_index}, label_smoothing={self.label_smoothing}, options={self.options}"
        )


class BCELoss(WeightedLoss):
    """``-(y * log(x) + (1 - y) * log(1 - x))`` for probabilities ``x``."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Two tensors of one shape."""
        return F.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(WeightedLoss):
    """`BCELoss` of ``sigmoid(x)``, without overflow.

    Args:
        weight: of each element.
        size_average, reduce: older names of what ``reduction`` says.
        reduction: ``mean`` or ``sum`` over all elements, or ``none``.
        pos_weight: of positive targets, one for each class.
    """

    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Two tensors of one shape."""
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, pos_weight=self.pos_weight, reduction=self.reduction
        )
