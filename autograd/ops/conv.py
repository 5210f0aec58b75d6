"""Convolutions in one, two and three dimensions, and transposed ones.

One family of three primitives, linear in each operand and closed: forward, input gradient and weight gradient are
the three ways to contract ``y``, ``x`` and ``w`` in one trilinear form, ``sum y[o] w[t] x[s o + d t - p]``. Leaving one
of the three open is one primitive, so the backward of each is the other two, and derivatives of any order are right.
A transposed convolution is the input gradient used as a forward pass.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from ...backends.errors import ShapeError
from ..primitive import Primitive, apply
from .arithmetic import add
from .conv_arguments import Ints, check_channels, check_ranks, check_types, paddings, per_dim
from .elementwise import conj as conjugate
from .expansion import expand_rule
from .padding import constant_pad_nd
from .product import conj
from .shape import permute_rule, reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


class Convolution(Primitive):
    """``y`` from ``x`` and ``w``, plus a bias per channel."""

    layout = "some channels"

    @staticmethod
    def forward(ctx: Any, x: Any, w: Any, b: Any = None, **geometry: Any) -> Any:
        needs = ctx.needs
        ctx.save(x if needs[1] else None, w if needs[0] else None)
        ctx.info = x.shape[2:], w.shape[2:]
        return ctx.k.conv(x, w, b, **geometry)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved
        size, kernel = ctx.info
        return (
            None if w is None else apply(ConvolutionInput, g, conj(ctx, w), size=size, **ctx.params),
            None if x is None else apply(ConvolutionWeight, conj(ctx, x), g, kernel=kernel, **ctx.params),
            apply(SumChannels, g) if len(ctx.needs) > 2 and ctx.needs[2] else None,
        )


class ConvolutionInput(Primitive):
    """``x`` of spatial size ``size`` from ``y`` and ``w``."""

    torch_name = "Convolution"

    layout = "channels"

    @staticmethod
    def forward(ctx: Any, y: Any, w: Any, *, size: Ints, **geometry: Any) -> Any:
        needs = ctx.needs
        ctx.save(y if needs[1] else None, w if needs[0] else None)
        ctx.info = w.shape[2:], geometry
        return ctx.k.conv_input(y, w, size, **geometry)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        y, w = ctx.saved
        kernel, geometry = ctx.info
        return (
            None if w is None else apply(Convolution, g, conj(ctx, w), **geometry),
            None if y is None else apply(ConvolutionWeight, g, conj(ctx, y), kernel=kernel, **geometry),
        )


class ConvolutionWeight(Primitive):
    """``w`` of kernel size ``kernel`` from ``x`` and ``y``."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any, *, kernel: Ints, **geometry: Any) -> Any:
        needs = ctx.needs
        ctx.save(x if needs[1] else None, y if needs[0] else None)
        ctx.info = x.shape[2:], geometry
        return ctx.k.conv_weight(x, y, kernel, **geometry)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, y = ctx.saved
        size, geometry = ctx.info
        return (
            None if y is None else apply(ConvolutionInput, conj(ctx, y), g, size=size, **geometry),
            None if x is None else apply(Convolution, conj(ctx, x), g, **geometry),
        )


class SumChannels(Primitive):
    """The sum over all dimensions but the second."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.info = x.shape
        return ctx.k.sum_channels(x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        shape = ctx.info
        return expand_rule(reshape_rule(g, (-1, *[1] * (len(shape) - 2))), shape)


# ---------------------------------------------------------------------- arguments


def convolution_of(
    op: str, n: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    """The convolution over ``n`` spatial dimensions, with its arguments checked."""
    check_ranks(op, n, input, weight, bias)
    x, w = input._data, weight._data
    stride, dilation = per_dim(op, "stride", stride, n), per_dim(op, "dilation", dilation, n)
    pairs = paddings(op, padding, w.shape[2:], stride, dilation)
    check_channels(op, n, x, w, None if bias is None else bias._data, groups, False)
    check_types(op, input, weight, bias, ("uint8", "int8", "int16", "int32", "int64"))
    for size, kernel, pair, d in zip(x.shape[-n:], w.shape[2:], pairs, dilation, strict=True):
        if d * (kernel - 1) + 1 > size + sum(pair) or kernel == 0:
            padded = " x ".join(str(s + sum(p)) for s, p in zip(x.shape[-n:], pairs, strict=True))
            spans = " x ".join(str(e * (k - 1) + 1) for e, k in zip(dilation, w.shape[2:], strict=True))
            raise ShapeError(
                f"{op}: Calculated padded input size per channel: ({padded}). Kernel size: ({spans}). "
                + ("Kernel size can't be greater than actual input size" if kernel else KERNEL_SIZE)
                + "; add padding"
            )
    single = x.ndim == n + 1
    values = (reshape_rule(input, (1, *x.shape)) if single else input, weight)
    y = apply(
        Convolution,
        *values if bias is None else (*values, bias),
        stride=stride,
        padding=pairs,
        dilation=dilation,
        groups=groups,
    )
    return reshape_rule(y, y._data.shape[1:]) if single else y


KERNEL_SIZE = "kernel size should be greater than zero"


def _transposed_size(
    op: str, shape: Ints, kernel: Ints, stride: Ints, margins: Ints, extra: Ints, dilation: Ints
) -> Ints:
    if any(e >= s and e >= d for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise ShapeError(
            f"{op}: output padding must be smaller than either stride or dilation, but got output_padding="
            f"{list(extra)}, stride={list(stride)}, dilation={list(dilation)}"
        )
    if 0 in kernel:
        raise ShapeError(f"{op}: {KERNEL_SIZE}, but got {list(kernel)}")
    size = tuple(
        (m - 1) * s - 2 * p + d * (k - 1) + e + 1
        for m, s, p, d, k, e in zip(shape[-len(kernel) :], stride, margins, dilation, kernel, extra, strict=True)
    )
    if any(m < 1 for m in size):
        given, made = (" x ".join(map(str, s)) for s in (shape[-len(kernel) :], size))
        raise ShapeError(
            f"{op}: Given input size per channel: ({given}). Calculated output size per channel: ({made}). Output size "
            "is too small; take less padding"
        )
    return size


def transposed_of(
    op: str,
    n: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Any:
    """The transposed convolution over ``n`` spatial dimensions, with its arguments checked."""
    check_ranks(op, n, input, weight, bias)
    x, w = input._data, weight._data
    stride, dilation = per_dim(op, "stride", stride, n), per_dim(op, "dilation", dilation, n)
    margins = per_dim(op, "padding", padding, n, 0)
    extra = per_dim(op, "output_padding", output_padding, n, 0)
    check_channels(op, n, x, w, None if bias is None else bias._data, groups, True)
    check_types(op, input, weight, bias, ("int64",))
    size = _transposed_size(op, x.shape, w.shape[2:], stride, margins, extra, dilation)
    # A step or more of extra rows would give the convolution back more outputs than there are: less padding behind
    # takes in the rows that it had cut off, and what lies beyond these is zero.
    behind = tuple(max(p - e, 0) if e >= s else p for p, e, s in zip(margins, extra, stride, strict=True))
    zeros = tuple(max(e - p, 0) if e >= s else 0 for p, e, s in zip(margins, extra, stride, strict=True))
    single = x.ndim == n + 1
    y = apply(
        ConvolutionInput,
        reshape_rule(input, (1, *x.shape)) if single else input,
        weight,
        size=tuple(m - z for m, z in zip(size, zeros, strict=True)),
        stride=stride,
        padding=tuple(zip(margins, behind, strict=True)),
        dilation=dilation,
        groups=groups,
    )
    if any(zeros):
        y = constant_pad_nd(y, tuple(itertools.chain(*((0, z) for z in reversed(zeros)))))
    if bias is not None:
        y = add(y, reshape_rule(bias, (-1, *[1] * n)))
    return reshape_rule(y, y._data.shape[1:]) if single else y


def gradient_of_input(
    n: int, size: Any, weight: Any, g: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Tensor:
    """What a convolution's input of ``size`` receives from the output gradient ``g``."""
    op, w = f"conv{n}d_input", weight._data
    stride, dilation = per_dim(op, "stride", stride, n), per_dim(op, "dilation", dilation, n)
    how = {"stride": stride, "padding": paddings(op, padding, w.shape[2:], stride, dilation), "dilation": dilation}
    weight = conjugate(weight) if w.dtype.kind == "c" else weight
    y: Tensor = apply(ConvolutionInput, g, weight, size=tuple(size)[-n:], groups=groups, **how)
    return y


def gradient_of_weight(
    n: int, input: Any, size: Any, g: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Tensor:
    """What a convolution's weight of ``size`` receives from the output gradient ``g``."""
    op, kernel = f"conv{n}d_weight", tuple(size)[-n:]
    stride, dilation = per_dim(op, "stride", stride, n), per_dim(op, "dilation", dilation, n)
    how = {"stride": stride, "padding": paddings(op, padding, kernel, stride, dilation), "dilation": dilation}
    input = conjugate(input) if input._data.dtype.kind == "c" else input
    y: Tensor = apply(ConvolutionWeight, input, g, kernel=kernel, groups=groups, **how)
    return y


# ---------------------------------------------------------------------- the public functions


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution over one dimension; see `conv2d`."""
    return convolution_of("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution over two dimensions (cross-correlation: the kernel is not flipped).

    ``y[n, k, i, j] = bias[k] + sum over c, a, b of weight[k, c, a, b] * input[n, c, i + a, j + b]`` with stride 1.

    Args:
        input: (N, C, H, W) or (C, H, W).
        weight: (K, C / groups, kernel height, kernel width).
        bias: (K) or None.
        stride: step of the kernel, a number or one per dimension.
        padding: zeros on both sides, a number or one per dimension, ``"valid"`` for none, or ``"same"`` for an output
            of the input's size (stride 1; an odd total puts the extra zero at the end).
        dilation: distance of the kernel's elements.
        groups: into how many independent convolutions the channels are divided.

    Returns:
        (N, K, H', W') with ``H' = (H + 2 padding - dilation (kernel - 1) - 1) // stride + 1``.

    Raises:
        RuntimeError: shapes, dtypes or devices do not fit.

    Example:
        >>> import wengert as wg
        >>> wg.nn.functional.conv2d(wg.ones(1, 3, 8, 8), wg.ones(6, 3, 5, 5), padding="same").shape
        wengert.Size([1, 6, 8, 8])
    """
    return convolution_of("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution over three dimensions; see `conv2d`."""
    return convolution_of("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """Transposed convolution over one dimension; see `conv_transpose2d`."""
    return transposed_of("conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """The adjoint of `conv2d`: spreads each input over the outputs that a convolution would have read it from.

    Args:
        input: (N, K, H, W) or (K, H, W).
        weight: (K, C / groups, kernel height, kernel width).
        bias: (C) or None.
        stride: those of the convolution.
        padding: likewise.
        dilation: likewise.
        groups: likewise.
        output_padding: rows and columns added to the end of the output, whose size the stride leaves open.

    Returns:
        (N, C, H', W') with ``H' = (H - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1``.
    """
    return transposed_of("conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """Transposed convolution over three dimensions; see `conv_transpose2d`."""
    return transposed_of("conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """`conv1d` of (time, batch, channels) with a weight of (kernel, channels in, channels out)."""
    x, w = permute_rule(input, (1, 2, 0)), permute_rule(weight, (2, 1, 0))
    return permute_rule(conv1d(x, w, bias, padding=pad), (2, 0, 1))


def convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: int,
) -> Tensor:
    """`conv1d`, `conv2d` or `conv3d`, or one of their transposed forms, by the weight's rank.

    Args:
        input: (N, C, ...) or (C, ...).
        weight: as those take it.
        bias: one per channel of the output, or None.
        stride: one per spatial dimension, or one for all.
        padding: likewise.
        dilation: likewise.
        transposed: whether it is a transposed convolution.
        output_padding: of a transposed convolution, one per spatial dimension.
        groups: as those take it.
    """
    n = weight._data.ndim - 2
    if transposed:
        return transposed_of(
            f"conv_transpose{n}d", n, input, weight, bias, stride, padding, output_padding, groups, dilation
        )
    return convolution_of(f"conv{n}d", n, input, weight, bias, stride, padding, dilation, groups)
