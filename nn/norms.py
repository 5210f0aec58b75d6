"""Normalisations: over the batch, over features, over groups of channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..autograd import ops
from ..backends.dtypes import int64
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = ["CrossMapLRN2d", "GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


class LayerNorm(Module):
    """``(x - mean) / sqrt(var + eps) * weight + bias`` over the last dimensions of each sample.

    Args:
        normalized_shape: the sizes of the dimensions over which mean and variance are taken.
        eps: added to the variance.
        elementwise_affine: whether there are ``weight`` and ``bias``, of ``normalized_shape``.
        bias: whether there is a ``bias``.
        device, dtype: of the parameters.

    Shape: (*, *normalized_shape), and the same out.

    Example:
        >>> import wengert as wg
        >>> wg.nn.LayerNorm(4)(wg.tensor([1.0, 1.0, 3.0, 3.0])).detach().round(decimals=2)
        tensor([-1., -1.,  1.,  1.])

    References:
        J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer normalization", 2016, arXiv:1607.06450.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape = shape
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        options = {"device": device, "dtype": dtype}
        self.register_parameter("weight", Parameter(ops.ones(shape, **options)) if elementwise_affine else None)
        with_bias = elementwise_affine and bias
        self.register_parameter("bias", Parameter(ops.zeros(shape, **options)) if with_bias else None)

    def reset_parameters(self) -> None:
        """Ones and zeros again."""
        reset(self)

    def forward(self, input: Tensor) -> Tensor:
        """(*, *normalized_shape), and the same out."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """``x / sqrt(mean(x**2) + eps) * weight`` over the last dimensions of each sample.

    Args:
        normalized_shape: the sizes of the dimensions over which the mean is taken.
        eps: added to the mean square; the smallest step of the dtype when left out.
        elementwise_affine: whether there is a ``weight``, of ``normalized_shape``.
        device, dtype: of the parameter.

    Shape: (*, *normalized_shape), and the same out.

    References:
        B. Zhang, R. Sennrich, "Root mean square layer normalization", 2019, arXiv:1910.07467.
    """

    weight: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape = shape
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        weight = Parameter(ops.ones(shape, device=device, dtype=dtype)) if elementwise_affine else None
        self.register_parameter("weight", weight)

    def reset_parameters(self) -> None:
        """Ones again."""
        reset(self)

    def forward(self, x: Tensor) -> Tensor:
        """(*, *normalized_shape), and the same out."""
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Module):
    """``(x - mean) / sqrt(var + eps) * weight + bias`` over groups of channels of each sample.

    Args:
        num_groups: how many groups the channels are divided into.
        num_channels: C.
        eps: added to the variance.
        affine: whether there are ``weight`` and ``bias``, of shape (C,).
        device, dtype: of the parameters.
        bias: whether there is a ``bias``.

    Shape: (N, C, *), and the same out.

    Raises:
        ValueError: ``num_groups`` does not divide ``num_channels``.

    References:
        Y. Wu, K. He, "Group normalization", 2018, arXiv:1803.08494.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        add_affine(self, num_channels, affine, bias, device, dtype)

    def reset_parameters(self) -> None:
        """Ones and zeros again."""
        reset(self)

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, *), and the same out."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(Module):
    """``x / (k + alpha * mean of x**2 over neighbouring channels) ** beta``.

    Args:
        size: how many neighbouring channels.
        alpha: multiplies the mean.
        beta: the exponent.
        k: added to the mean.

    Shape: (N, C, *), and the same out.

    References:
        A. Krizhevsky, I. Sutskever, G. E. Hinton, "ImageNet classification with deep convolutional neural networks",
        NIPS 2012. Departs from the paper as PyTorch does: ``alpha`` multiplies the mean instead of the sum.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, *), and the same out."""
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(Module):
    """`LocalResponseNorm` of (N, C, H, W) as Lua's Torch had it, over channels at most ``(size - 1) // 2`` away.

    Args:
        size: how many neighbouring channels; an even number means one less.
        alpha: over ``size``, multiplies the sum of squares.
        beta: the exponent.
        k: added to the sum.

    References:
        See `LocalResponseNorm`. Departs from it as PyTorch does, whose running sum never lets go of the first channel.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W), and the same out."""
        if input.ndim != 4:
            raise ValueError(f"CrossMapLRN2d: Expected input to be 4D, got {input.ndim}D instead.")
        squares, channels, reach = input * input, input.shape[1], (self.size - 1) // 2
        padded = F.pad(squares, (0, 0, 0, 0, reach, reach))
        sums = [padded[:, start : start + channels] for start in range(2 * reach + 1)]
        if channels > reach + 1:
            first = squares[:, :1].expand(-1, channels - reach - 1, -1, -1)
            sums.append(F.pad(first, (0, 0, 0, 0, reach + 1, 0)))
        return input * (self.k + sum(sums) * (self.alpha / self.size)) ** -self.beta  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


def add_affine(module: Module, channels: int, affine: bool, bias: bool, device: Any, dtype: Any) -> None:
    """Give a module a ``weight`` of ones and a ``bias`` of zeros, or None in their places."""
    options = {"device": device, "dtype": dtype}
    module.register_parameter("weight", Parameter(ops.ones(channels, **options)) if affine else None)
    module.register_parameter("bias", Parameter(ops.zeros(channels, **options)) if affine and bias else None)


def reset(module: Any) -> None:
    """Ones and zeros again for the parameters that a module has."""
    if module.weight is not None:
        init.ones_(module.weight)
    if getattr(module, "bias", None) is not None:
        init.zeros_(module.bias)


class StatisticsNorm(Module):
    """What batch and instance norms share: parameters per channel, and running statistics.

    Args:
        num_features: C.
        eps: added to the variance.
        momentum: how much of a batch goes into the running statistics; None averages all batches alike.
        affine: whether there are ``weight`` and ``bias``, of shape (C,).
        track_running_stats: whether there are running statistics, which evaluation uses.
        device, dtype: of parameters and statistics.
        bias: whether there is a ``bias``.
    """

    _version = 2  # 1 had no num_batches_tracked
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        device: Any,
        dtype: Any,
        bias: bool,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        add_affine(self, num_features, affine, bias, device, dtype)
        track, options = track_running_stats, {"device": device, "dtype": dtype}
        self.register_buffer("running_mean", ops.zeros(num_features, **options) if track else None)
        self.register_buffer("running_var", ops.ones(num_features, **options) if track else None)
        count = ops.zeros((), dtype=int64, device=device) if track else None
        self.register_buffer("num_batches_tracked", count)

    def reset_running_stats(self) -> None:
        """Forget all batches."""
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            init.zeros_(self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Forget all batches; ones and zeros again for the parameters."""
        self.reset_running_stats()
        reset(self)

    def _check_input_dim(self, input: Tensor) -> None:
        raise NotImplementedError

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any], *args: Any
    ) -> None:
        key = prefix + "num_batches_tracked"
        if (local_metadata.get("version") or 1) < 2 and self.num_batches_tracked is not None and key not in state_dict:
            state_dict[key] = self.num_batches_tracked
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


def require_dims(input: Tensor, *allowed: int) -> None:
    """Raise ValueError unless ``input`` has one of these numbers of dimensions."""
    if input.ndim not in allowed:
        wanted = " or ".join(f"{n}D" for n in allowed)
        raise ValueError(f"expected {wanted} input (got {input.ndim}D input) of shape {list(input.shape)}")
