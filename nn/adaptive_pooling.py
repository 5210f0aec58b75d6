"""Pooling to a given size: of as many windows as the output shall have elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import functional as F
from .module import Module

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
]


OutputSize = int | None | tuple[int | None, ...]


class AdaptiveAvgPoolNd(Module):
    """What adaptive mean pools share.

    Args:
        output_size: the output's sizes, or one for all; None keeps that of the input.
    """

    def __init__(self, output_size: OutputSize) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        """The settings."""
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(AdaptiveAvgPoolNd):
    """The means of as many windows of (N, C, L) as the output shall have elements."""

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, L) to (N, C, L')."""
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(AdaptiveAvgPoolNd):
    """The means of as many windows of (N, C, H, W) as the output shall have elements.

    Args:
        output_size: (H', W'), or one size for both; None keeps that of the input.

    Example:
        >>> import wengert as wg
        >>> wg.nn.AdaptiveAvgPool2d(1)(wg.ones(2, 3, 5, 7)).shape
        wengert.Size([2, 3, 1, 1])
    """

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C, H', W')."""
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(AdaptiveAvgPoolNd):
    """The means of as many windows of (N, C, D, H, W) as the output shall have elements."""

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, D, H, W) to (N, C, D', H', W')."""
        return F.adaptive_avg_pool3d(input, self.output_size)


class AdaptiveMaxPoolNd(Module):
    """What adaptive max pools share.

    Args:
        output_size: the output's sizes, or one for all; None keeps that of the input.
        return_indices: return where the largest elements are, too.
    """

    def __init__(self, output_size: OutputSize, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def extra_repr(self) -> str:
        """The settings."""
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(AdaptiveMaxPoolNd):
    """The largest elements of as many windows of (N, C, L) as the output shall have elements."""

    def forward(self, input: Tensor) -> Any:
        """(N, C, L) to (N, C, L')."""
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(AdaptiveMaxPoolNd):
    """The largest elements of as many windows of (N, C, H, W) as the output shall have elements."""

    def forward(self, input: Tensor) -> Any:
        """(N, C, H, W) to (N, C, H', W')."""
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool3d(AdaptiveMaxPoolNd):
    """The largest elements of as many windows of (N, C, D, H, W) as the output shall have elements."""

    def forward(self, input: Tensor) -> Any:
        """(N, C, D, H, W) to (N, C, D', H', W')."""
        return F.adaptive_max_pool3d(input, self.output_size, self.return_indices)
