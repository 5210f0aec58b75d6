"""Batch and instance normalisation: per channel, over the batch or within each sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..backends.call_site import warn
from . import functional as F
from .norms import StatisticsNorm, require_dims

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]


class BatchNormNd(StatisticsNorm):
    """What batch norms share; see `BatchNorm2d`."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, *), and the same out."""
        self._check_input_dim(input)
        momentum = 0.0 if self.momentum is None else self.momentum
        training = self.training
        if training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked._data += 1  # an integer, so that no graph can have saved it
            if self.momentum is None:
                momentum = 1.0 / float(self.num_batches_tracked)
        use_running = not training or self.track_running_stats
        return F.batch_norm(
            input,
            self.running_mean if use_running else None,
            self.running_var if use_running else None,
            self.weight,
            self.bias,
            training or (self.running_mean is None and self.running_var is None),
            momentum,
            self.eps,
        )


class BatchNorm1d(BatchNormNd):
    """``(x - mean) / sqrt(var + eps) * weight + bias`` per channel of (N, C) or (N, C, L); see `BatchNorm2d`."""

    def _check_input_dim(self, input: Tensor) -> None:
        require_dims(input, 2, 3)


class BatchNorm2d(BatchNormNd):
    """``(x - mean) / sqrt(var + eps) * weight + bias`` per channel of (N, C, H, W).

    In training, mean and variance are the batch's; in evaluation, they are the running statistics.

    Args:
        num_features: C.
        eps: added to the variance.
        momentum: how much of a batch goes into the running statistics; None averages all batches alike.
        affine: whether there are ``weight`` and ``bias``, of shape (C,).
        track_running_stats: False uses the batch's statistics in evaluation too.
        device, dtype: of parameters and statistics.
        bias: whether there is a ``bias``.

    Raises:
        ValueError: the input has another number of dimensions, or, in training, one value per channel.

    Example:
        >>> import wengert as wg
        >>> wg.nn.BatchNorm2d(3)(wg.ones(2, 3, 4, 4)).shape
        wengert.Size([2, 3, 4, 4])

    References:
        S. Ioffe, C. Szegedy, "Batch normalization", 2015, arXiv:1502.03167.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        require_dims(input, 4)


class BatchNorm3d(BatchNormNd):
    """``(x - mean) / sqrt(var + eps) * weight + bias`` per channel of (N, C, D, H, W); see `BatchNorm2d`."""

    def _check_input_dim(self, input: Tensor) -> None:
        require_dims(input, 5)


class InstanceNormNd(StatisticsNorm):
    """What instance norms share; see `InstanceNorm2d`."""

    dims: int

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def _get_no_batch_dim(self) -> int:
        """How many dimensions an input without a batch has."""
        return self.dims + 1

    def _check_input_dim(self, input: Tensor) -> None:
        require_dims(input, self._get_no_batch_dim(), self._get_no_batch_dim() + 1)

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, *) or (C, *), and the same out."""
        self._check_input_dim(input)
        channel = input.ndim - self._get_no_batch_dim()
        if input.shape[channel] != self.num_features:
            size = f"input's size at dim={channel}"
            if self.affine:
                raise ValueError(
                    f"expected {size} to match num_features ({self.num_features}), but got: {input.shape[channel]} "
                    f"(shape {list(input.shape)})"
                )
            warn(
                f"{size} does not match num_features. You can silence this warning by not passing in num_features, "
                "which is not used because affine=False"
            )
        if channel == 1:
            return self._normalised(input)
        return self._normalised(input.unsqueeze(0)).squeeze(0)

    def _normalised(self, input: Tensor) -> Tensor:
        return F.instance_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )


class InstanceNorm1d(InstanceNormNd):
    """``(x - mean) / sqrt(var + eps)`` per channel and sample of (N, C, L) or (C, L); see `InstanceNorm2d`."""

    dims = 1


class InstanceNorm2d(InstanceNormNd):
    """``(x - mean) / sqrt(var + eps) * weight + bias`` per channel and sample of (N, C, H, W) or (C, H, W).

    Args:
        num_features: C.
        eps: added to the variance.
        momentum: how much of a batch goes into the running statistics.
        affine: whether there are ``weight`` and ``bias``, of shape (C,).
        track_running_stats: whether there are running statistics, which evaluation uses.
        device, dtype: of parameters and statistics.
        bias: whether there is a ``bias``.

    References:
        D. Ulyanov, A. Vedaldi, V. Lempitsky, "Instance normalization", 2016, arXiv:1607.08022.
    """

    dims = 2


class InstanceNorm3d(InstanceNormNd):
    """``(x - mean) / sqrt(var + eps)`` per channel and sample of (N, C, D, H, W); see `InstanceNorm2d`."""

    dims = 3
