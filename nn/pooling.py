"""Pooling: the largest element, the mean or a norm of each window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import functional as F
from .conv import repeated
from .module import Module

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = [
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "FractionalMaxPool2d",
    "FractionalMaxPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
]

Sizes = int | tuple[int, ...]


class MaxPoolNd(Module):
    """What max pools share; see `MaxPool2d`."""

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def _pool(self, pool: Any, input: Tensor) -> Any:
        return pool(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(MaxPoolNd):
    """The largest element of each window of (N, C, L) or (C, L); see `MaxPool2d`."""

    def forward(self, input: Tensor) -> Any:
        """(N, C, L) to (N, C, L')."""
        return self._pool(F.max_pool1d, input)


class MaxPool2d(MaxPoolNd):
    """The largest element of each window of (N, C, H, W) or (C, H, W).

    Args:
        kernel_size: (kh, kw), or one size for both; as for all sizes below.
        stride: how far the window moves; as far as it is large when left out.
        padding: by how much the window may stand out at both ends.
        dilation: the distance between the window's elements.
        return_indices: return where the largest elements are, too, for `MaxUnpool2d`.
        ceil_mode: the last window may stand out beyond the far end.

    Example:
        >>> import wengert as wg
        >>> wg.nn.MaxPool2d(2)(wg.ones(1, 1, 4, 6)).shape
        wengert.Size([1, 1, 2, 3])
    """

    def forward(self, input: Tensor) -> Any:
        """(N, C, H, W) to (N, C, H', W')."""
        return self._pool(F.max_pool2d, input)


class MaxPool3d(MaxPoolNd):
    """The largest element of each window of (N, C, D, H, W) or (C, D, H, W); see `MaxPool2d`."""

    def forward(self, input: Tensor) -> Any:
        """(N, C, D, H, W) to (N, C, D', H', W')."""
        return self._pool(F.max_pool3d, input)


class MaxUnpoolNd(Module):
    """What max unpools share.

    Args:
        kernel_size: of the pool that is undone; as for all sizes below.
        stride: how far its window moved; as far as it was large when left out.
        padding: its padding.
    """

    dims: int

    def __init__(self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0) -> None:
        super().__init__()
        self.kernel_size = repeated(kernel_size, self.dims)
        self.stride = repeated(kernel_size if stride is None else stride, self.dims)
        self.padding = repeated(padding, self.dims)

    def _unpool(self, unpool: Any, input: Tensor, indices: Tensor, output_size: Sequence[int] | None) -> Tensor:
        return unpool(input, indices, self.kernel_size, self.stride, self.padding, output_size)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        """The settings."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(MaxUnpoolNd):
    """The elements that `MaxPool1d` kept, back where they were, with zeros elsewhere."""

    dims = 1

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """(N, C, L') to (N, C, L)."""
        return self._unpool(F.max_unpool1d, input, indices, output_size)


class MaxUnpool2d(MaxUnpoolNd):
    """The elements that `MaxPool2d` kept, back where they were, with zeros elsewhere."""

    dims = 2

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """(N, C, H', W') to (N, C, H, W)."""
        return self._unpool(F.max_unpool2d, input, indices, output_size)


class MaxUnpool3d(MaxUnpoolNd):
    """The elements that `MaxPool3d` kept, back where they were, with zeros elsewhere."""

    dims = 3

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """(N, C, D', H', W') to (N, C, D, H, W)."""
        return self._unpool(F.max_unpool3d, input, indices, output_size)


class AvgPoolNd(Module):
    """What mean pools share; see `AvgPool2d`."""

    kernel_size: Any
    stride: Any
    padding: Any

    def extra_repr(self) -> str:
        """The settings."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(AvgPoolNd):
    """The mean of each window of (N, C, L) or (C, L); see `AvgPool2d`."""

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = repeated(kernel_size, 1)
        self.stride = repeated(kernel_size if stride is None else stride, 1)
        self.padding = repeated(padding, 1)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, L) to (N, C, L')."""
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)


class AvgPoolWithDivisor(AvgPoolNd):
    """What mean pools over 2 and 3 dimensions share; see `AvgPool2d`."""

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def _pool(self, pool: Any, input: Tensor) -> Tensor:
        return pool(  # type: ignore[no-any-return]
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )


class AvgPool2d(AvgPoolWithDivisor):
    """The mean of each window of (N, C, H, W) or (C, H, W).

    Args:
        kernel_size: (kh, kw), or one size for both; as for all sizes below.
        stride: how far the window moves; as far as it is large when left out.
        padding: by how much the window may stand out at both ends.
        ceil_mode: the last window may stand out beyond the far end.
        count_include_pad: divide by the window's size also where it stands out.
        divisor_override: divide by this instead.

    Example:
        >>> import wengert as wg
        >>> wg.nn.AvgPool2d(2)(wg.ones(1, 1, 2, 2))
        tensor([[[[1.]]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C, H', W')."""
        return self._pool(F.avg_pool2d, input)


class AvgPool3d(AvgPoolWithDivisor):
    """The mean of each window of (N, C, D, H, W) or (C, D, H, W); see `AvgPool2d`."""

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, D, H, W) to (N, C, D', H', W')."""
        return self._pool(F.avg_pool3d, input)


class FractionalMaxPoolNd(Module):
    """What fractional max pools share; see `FractionalMaxPool2d`."""

    dims: int

    def __init__(
        self,
        kernel_size: Sizes,
        output_size: Sizes | None = None,
        output_ratio: float | tuple[float, ...] | None = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        if output_size is None and output_ratio is None:
            raise ValueError(f"{name} requires specifying either an output size, or a pooling ratio")
        if output_size is not None and output_ratio is not None:
            raise ValueError("only one of output_size and output_ratio may be specified")
        self.kernel_size = repeated(kernel_size, self.dims)
        self.output_size = None if output_size is None else repeated(output_size, self.dims)
        self.output_ratio = None if output_ratio is None else repeated(output_ratio, self.dims)
        if self.output_ratio is not None and not all(0 < ratio < 1 for ratio in self.output_ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)

    def _pool(self, pool: Any, input: Tensor) -> Any:
        samples = self._buffers["_random_samples"]
        return pool(
            input,
            self.kernel_size,
            self.output_size,
            self.output_ratio,
            self.return_indices,
            _random_samples=samples,
        )


class FractionalMaxPool2d(FractionalMaxPoolNd):
    """The largest element of each of as many windows of (N, C, H, W) as are asked for, at random places.

    Args:
        kernel_size: (kh, kw), or one size for both.
        output_size: (H', W'), or one size for both.
        output_ratio: or the ratio of the output's sizes to the input's.
        return_indices: return where the largest elements are, too, for `MaxUnpool2d`.

    Raises:
        ValueError: neither a size nor a ratio is given, or both, or the ratio is not between 0 and 1.

    References:
        B. Graham, "Fractional max-pooling", 2014, arXiv:1412.6071.
    """

    dims = 2

    def forward(self, input: Tensor) -> Any:
        """(N, C, H, W) to (N, C, H', W')."""
        return self._pool(F.fractional_max_pool2d, input)


class FractionalMaxPool3d(FractionalMaxPoolNd):
    """The largest element of each of as many windows of (N, C, D, H, W) as are asked for, at random places."""

    dims = 3

    def forward(self, input: Tensor) -> Any:
        """(N, C, D, H, W) to (N, C, D', H', W')."""
        return self._pool(F.fractional_max_pool3d, input)


class LPPoolNd(Module):
    """What norm pools share; see `LPPool2d`."""

    def __init__(
        self, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def _pool(self, pool: Any, input: Tensor) -> Tensor:
        return pool(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(LPPoolNd):
    """``(sum of x**p) ** (1 / p)`` over each window of (N, C, L) or (C, L); see `LPPool2d`."""

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, L) to (N, C, L')."""
        return self._pool(F.lp_pool1d, input)


class LPPool2d(LPPoolNd):
    """``(sum of x**p) ** (1 / p)`` over each window of (N, C, H, W) or (C, H, W).

    Args:
        norm_type: p.
        kernel_size: (kh, kw), or one size for both; as for all sizes below.
        stride: how far the window moves; as far as it is large when left out.
        ceil_mode: the last window may stand out beyond the far end.
    """

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C, H', W')."""
        return self._pool(F.lp_pool2d, input)


class LPPool3d(LPPoolNd):
    """``(sum of x**p) ** (1 / p)`` over each window of (N, C, D, H, W) or (C, D, H, W); see `LPPool2d`."""

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, D, H, W) to (N, C, D', H', W')."""
        return self._pool(F.lp_pool3d, input)
