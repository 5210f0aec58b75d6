"""Losses that are likelihoods of a distribution: Poisson, Gaussian, Kullback-Leibler, and alignments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import functional as F
from .loss import Loss

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = ["CTCLoss", "GaussianNLLLoss", "KLDivLoss", "PoissonNLLLoss"]


class KLDivLoss(Loss):
    """``y * (log(y) - x)`` for log-probabilities ``x``.

    Args:
        size_average, reduce: older names of what ``reduction`` says.
        reduction: ``batchmean``, ``mean`` or ``sum``, or ``none``.
        log_target: ``y`` is a log-probability, too.
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Two tensors of one shape."""
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class PoissonNLLLoss(Loss):
    """``exp(x) - y * x``, the negative log-likelihood of counts ``y`` with rate ``exp(x)``.

    Args:
        log_input: ``x`` is the logarithm of the rate; else the rate.
        full: add Stirling's approximation of ``log(y!)``.
        size_average: an older name of what ``reduction`` says.
        eps: added to the rate under the logarithm.
        reduce: an older name of what ``reduction`` says.
        reduction: ``mean`` or ``sum`` over all elements, or ``none``.
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        """Two tensors of one shape."""
        return F.poisson_nll_loss(
            log_input, target, log_input=self.log_input, full=self.full, eps=self.eps, reduction=self.reduction
        )


class GaussianNLLLoss(Loss):
    """``(log(var) + (x - y)**2 / var) / 2``, the negative log-likelihood of a normal distribution.

    Args:
        full: add the constant term.
        eps: the smallest variance.
        reduction: ``mean`` or ``sum`` over all elements, or ``none``.
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        """Tensors of one shape; ``var`` may lack the last dimension, or be a number."""
        return F.gaussian_nll_loss(input, target, var, full=self.full, eps=self.eps, reduction=self.reduction)


class CTCLoss(Loss):
    """The negative log-likelihood of a label sequence, summed over its alignments with the input.

    Args:
        blank: the class between labels.
        reduction: ``mean`` (of each loss by its target's length) or ``sum``, or ``none``.
        zero_infinity: zero in place of an infinite loss, where a target is longer than its input.

    References:
        A. Graves et al., "Connectionist temporal classification", ICML 2006.
    """

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(self, log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any) -> Tensor:
        """(T, N, C), (N, S) or all targets in a row, and (N) each."""
        return F.ctc_loss(
            log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction, self.zero_infinity
        )
