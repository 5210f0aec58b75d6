"""Layers that drop something at random in training and do nothing in evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import functional as F
from .module import Module

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class DropoutNd(Module):
    """What all of them share.

    Args:
        p: the probability that something is dropped.
        inplace: write to the input.

    Raises:
        ValueError: ``p`` is not between 0 and 1.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        """The settings."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(DropoutNd):
    """Zeros in place of elements, each with probability ``p``; the others are divided by ``1 - p``.

    Args:
        p: the probability that an element is dropped.
        inplace: write to the input.

    Example:
        >>> import wengert as wg
        >>> wg.nn.Dropout(0.5).eval()(wg.ones(3))
        tensor([1., 1., 1.])

    References:
        G. Hinton et al., "Improving neural networks by preventing co-adaptation of feature detectors", 2012,
        arXiv:1207.0580.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(DropoutNd):
    """Zeros in place of whole channels of (N, C, L) or (C, L), each with probability ``p``."""

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, L) or (C, L), and the same out."""
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(DropoutNd):
    """Zeros in place of whole channels of (N, C, H, W), each with probability ``p``.

    References:
        J. Tompson et al., "Efficient object localization using convolutional networks", 2014, arXiv:1411.4280.
    """

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W), and the same out."""
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(DropoutNd):
    """Zeros in place of whole channels of (N, C, D, H, W) or (C, D, H, W), each with probability ``p``."""

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, D, H, W) or (C, D, H, W), and the same out."""
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(DropoutNd):
    """Dropout that keeps mean and variance of its input: for networks of `SELU`.

    References:
        G. Klambauer et al., "Self-normalizing neural networks", 2017, arXiv:1706.02515.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(DropoutNd):
    """`AlphaDropout` of whole channels."""

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, *) or (C, *), and the same out."""
        return F.feature_alpha_dropout(input, self.p, self.training)
