"""Convolutions over 1 to 3 dimensions, and transposed ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ..autograd import ops
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

Sizes = int | tuple[int, ...]
PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


def repeated(value: Any, n: int) -> tuple[Any, ...]:
    """One value for each of ``n`` dimensions, as a tuple; a sequence stays as it is."""
    return tuple(value) if isinstance(value, Sequence) else (value,) * n


class Convolution(Module):
    """What all convolutions share: their settings, their parameters, and how these start and print."""

    dims: ClassVar[int]
    transposed: ClassVar[bool] = False
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes,
        padding: str | Sizes,
        dilation: Sizes,
        output_padding: Sizes,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        n = self.dims
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = repeated(kernel_size, n)
        self.stride = repeated(stride, n)
        self.padding = padding if isinstance(padding, str) else repeated(padding, n)
        self.dilation = repeated(dilation, n)
        self.output_padding = repeated(output_padding, n)
        self.groups = groups
        self.padding_mode = padding_mode
        self._check()
        self._reversed_padding_repeated_twice = self._padding_around()
        first, second = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        self.weight = Parameter(ops.empty((first, second // groups, *self.kernel_size), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(ops.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _check(self) -> None:
        if self.groups <= 0:
            raise ValueError("groups must be a positive integer")
        for name, channels in (("in_channels", self.in_channels), ("out_channels", self.out_channels)):
            if channels % self.groups:
                raise ValueError(f"{name} must be divisible by groups: {channels} channels, {self.groups} groups")
        if isinstance(self.padding, str):
            if self.padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {self.padding!r}, should be one of 'same', 'valid'")
            if self.padding == "same" and any(s != 1 for s in self.stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if self.padding_mode not in PADDING_MODES:
            raise ValueError(
                f"padding_mode must be one of {', '.join(PADDING_MODES)}, but got padding_mode={self.padding_mode!r}"
            )

    def _padding_around(self) -> tuple[int, ...]:
        """The padding of both ends of each dimension, last dimension first: what `functional.pad` takes."""
        around: list[int] = []
        for d in reversed(range(len(self.kernel_size))):
            if self.padding == "same":
                total = self.dilation[d] * (self.kernel_size[d] - 1)
                around += [total // 2, total - total // 2]
            elif self.padding == "valid":
                around += [0, 0]
            elif d < len(self.padding):
                around += [int(self.padding[d])] * 2
        return tuple(around)

    def reset_parameters(self) -> None:
        """Draw the parameters anew, uniform in ±1/sqrt(fan_in)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in = math.prod(self.weight.shape[1:])
            if fan_in:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        """The settings that are not the default."""
        n = len(self.kernel_size)
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding != (0,) * len(self.padding):
            text += f", padding={self.padding}"
        if self.dilation != (1,) * len(self.dilation):
            text += f", dilation={self.dilation}"
        if self.output_padding != (0,) * n:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class ConvNd(Convolution):
    """What convolutions that are not transposed share."""

    _conv: ClassVar[Any]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: str | Sizes = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            0,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The convolution with another weight, for subclasses that change it: standardised, quantised, low-rank."""
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode), 0
        return self._conv(input, weight, bias, self.stride, padding, self.dilation, self.groups)  # type: ignore[no-any-return]

    def forward(self, input: Tensor) -> Tensor:
        """The convolution of ``input`` with the weight."""
        return self._conv_forward(input, self.weight, self.bias)


class Conv1d(ConvNd):
    """Convolution (correlation) over one dimension; see `Conv2d`.

    Shape: (N, C, L) or (C, L) to (N, K, L') or (K, L').
    """

    dims = 1
    _conv = staticmethod(F.conv1d)


class Conv2d(ConvNd):
    """Convolution (correlation) over two dimensions.

    Args:
        in_channels: C.
        out_channels: K.
        kernel_size: (kh, kw), or one size for both; as for all sizes below.
        stride: how far the kernel moves.
        padding: what is added at both ends, ``"valid"`` for nothing, ``"same"`` for an output as large as the input.
        dilation: the distance between the kernel's elements.
        groups: the channels are divided into that many groups, each with its own kernels.
        bias: whether there is one.
        padding_mode: ``zeros``, ``reflect``, ``replicate`` or ``circular``.
        device, dtype: of the parameters.

    Shape: (N, C, H, W) or (C, H, W) to (N, K, H', W') or (K, H', W') with
    ``H' = (H + 2 * padding - dilation * (kh - 1) - 1) // stride + 1``. ``weight`` is (K, C / groups, kh, kw).

    Raises:
        ValueError: ``groups`` does not divide both numbers of channels, or the padding is none of these.

    Example:
        >>> import wengert as wg
        >>> wg.nn.Conv2d(3, 8, 3, padding=1)(wg.ones(2, 3, 5, 5)).shape
        wengert.Size([2, 8, 5, 5])
    """

    dims = 2
    _conv = staticmethod(F.conv2d)


class Conv3d(ConvNd):
    """Convolution (correlation) over three dimensions; see `Conv2d`.

    Shape: (N, C, D, H, W) or (C, D, H, W) to (N, K, D', H', W') or (K, D', H', W').
    """

    dims = 3
    _conv = staticmethod(F.conv3d)


class ConvTransposeNd(Convolution):
    """What transposed convolutions share."""

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}, not {padding_mode!r}')
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            output_padding,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _convolve(self, conv: Any, input: Tensor, output_size: Sequence[int] | None) -> Tensor:
        extra = self._output_padding(input, output_size)
        return conv(  # type: ignore[no-any-return]
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
        )

    def _output_padding(self, input: Tensor, output_size: Sequence[int] | None) -> tuple[int, ...]:
        """What is to be added to the smallest output to give ``output_size``."""
        if output_size is None:
            return self.output_padding
        n = self.dims
        wanted = list(output_size)[-n:]
        if len(output_size) not in (n, input.ndim):
            raise ValueError(
                f"ConvTranspose{n}D: for {input.ndim}D input, output_size must have {n} or {input.ndim} elements "
                f"(got {len(output_size)})"
            )
        sizes = input.shape[-n:]
        spans = [d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel_size, strict=True)]
        margins = [2 * int(p) for p in self.padding]
        least = [(m - 1) * s - p + r for m, s, p, r in zip(sizes, self.stride, margins, spans, strict=True)]
        most = [m + s - 1 for m, s in zip(least, self.stride, strict=True)]
        if any(not low <= m <= high for low, m, high in zip(least, wanted, most, strict=True)):
            raise ValueError(
                f"requested an output size of {wanted}, but valid sizes range from {least} to {most} (for an input of "
                f"{sizes})"
            )
        return tuple(m - low for m, low in zip(wanted, least, strict=True))


class ConvTranspose1d(ConvTransposeNd):
    """The transpose of `Conv1d`; see `ConvTranspose2d`.

    Shape: (N, C, L) or (C, L) to (N, K, L') or (K, L').
    """

    dims = 1

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """The transposed convolution of ``input``; ``output_size`` chooses among the sizes a stride leaves open."""
        return self._convolve(F.conv_transpose1d, input, output_size)


class ConvTranspose2d(ConvTransposeNd):
    """The transpose of `Conv2d`: it maps from the shape that one gives to the shape that it takes.

    Args:
        in_channels: C.
        out_channels: K.
        kernel_size: (kh, kw), or one size for both; as for all sizes below.
        stride: of the convolution that it transposes: how far apart its input's elements are laid.
        padding: what is cut off at both ends.
        output_padding: what is added at the far end, where a stride leaves the output's size open.
        groups: the channels are divided into that many groups, each with its own kernels.
        bias: whether there is one.
        dilation: the distance between the kernel's elements.
        padding_mode: only ``zeros``.
        device, dtype: of the parameters.

    Shape: (N, C, H, W) or (C, H, W) to (N, K, H', W') or (K, H', W') with
    ``H' = (H - 1) * stride - 2 * padding + dilation * (kh - 1) + output_padding + 1``. ``weight`` is
    (C, K / groups, kh, kw).

    Example:
        >>> import wengert as wg
        >>> wg.nn.ConvTranspose2d(8, 3, 2, stride=2)(wg.ones(1, 8, 4, 4)).shape
        wengert.Size([1, 3, 8, 8])
    """

    dims = 2

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """The transposed convolution of ``input``; ``output_size`` chooses among the sizes a stride leaves open."""
        return self._convolve(F.conv_transpose2d, input, output_size)


class ConvTranspose3d(ConvTransposeNd):
    """The transpose of `Conv3d`; see `ConvTranspose2d`.

    Shape: (N, C, D, H, W) or (C, D, H, W) to (N, K, D', H', W') or (K, D', H', W').
    """

    dims = 3

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """The transposed convolution of ``input``; ``output_size`` chooses among the sizes a stride leaves open."""
        return self._convolve(F.conv_transpose3d, input, output_size)
