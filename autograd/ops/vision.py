"""Rearrangements of images: windows as columns and back, pixels between space and channels, groups of channels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...backends.errors import InvalidValueError, ShapeError
from ..base import TensorBase
from ..primitive import Primitive, apply
from .conv_arguments import Ints, Pairs, per_dim
from .layout import clone, contiguous_format, laid_out_like
from .shape import permute_rule, reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


class Unfold(Primitive):
    """Every window of an image as a column."""

    @staticmethod
    def forward(ctx: Any, x: Any, *, kernel: Ints, out: Ints, stride: Ints, padding: Pairs, dilation: Ints) -> Any:
        ctx.info = x.shape[2:]
        return ctx.k.unfold_columns(x, kernel, out, stride, padding, dilation)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(Fold, g, size=ctx.info, **ctx.params)


class Fold(Primitive):
    """Columns added back to where their windows were: the adjoint of `Unfold`."""

    @staticmethod
    def forward(ctx: Any, x: Any, *, size: Ints, out: Ints, **windows: Any) -> Any:
        ctx.info = {"out": out, **windows}
        return ctx.k.fold_columns(x, size, **windows)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(Unfold, g, **ctx.info)


def _pair(op: str, name: str, value: Any, least: int = 1) -> Ints:
    """Two numbers from one or two, as `unfold` and `fold` ask for them."""
    if not isinstance(value, int) and len(value) not in (1, 2):
        raise ShapeError(f"{op}: It is expected {name} equals to 2, but got size {len(value)}")
    try:
        return per_dim(op, name, value, 2, least)
    except ShapeError:
        bound = "non-negative" if least == 0 else "greater than zero"
        words = name.replace("_", " ")
        raise ShapeError(f"{op}: {words} should be {bound}, but got {name}={value}") from None


def _geometry(op: str, size: Ints, kernel: Any, dilation: Any, padding: Any, stride: Any) -> dict[str, Any]:
    sizes, gaps = _pair(op, "kernel_size", kernel), _pair(op, "dilation", dilation)
    steps, margins = _pair(op, "stride", stride), _pair(op, "padding", padding, 0)
    out = tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, d, p, s in zip(size, sizes, gaps, margins, steps, strict=True)
    )
    if any(o < 1 for o in out):
        raise ShapeError(
            f"{op}: Given input with spatial size {size}, kernel_size={sizes}, dilation={gaps}, padding={margins}, "
            f"calculated shape of the array of sliding blocks as {out}, but its components must be at "
            "least one"
        )
    pairs = tuple((p, p) for p in margins)
    return {"kernel": sizes, "out": out, "stride": steps, "padding": pairs, "dilation": gaps}


def _check(op: str, input: Any, ndim: int) -> tuple[Any, bool]:
    """The input with a batch dimension, and whether one was added."""
    if not isinstance(input, TensorBase):
        raise TypeError(f"{op}(): argument 'input' must be Tensor, not {type(input).__name__}")
    x = input._data
    if x.ndim not in (ndim - 1, ndim) or 0 in x.shape[1 - ndim :]:
        raise ShapeError(
            f"{op}: Expected {ndim - 1}D or {ndim}D (batch mode) tensor for input with possibly 0 batch size and "
            f"non-zero dimensions for input, but got: {list(x.shape)}"
        )
    return (reshape_rule(input, (1, *x.shape)), True) if x.ndim == ndim - 1 else (input, False)


def unfold(input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """Every window of the image as a column.

    Args:
        input: (N, C, H, W) or (C, H, W).
        kernel_size: of the windows, a number or one per dimension.
        dilation: likewise.
        padding: likewise.
        stride: likewise.

    Returns:
        (N, C * window size, number of windows).
    """
    x, single = _check("unfold", input, 4)
    n, c, *size = x._data.shape
    windows = _geometry("unfold", tuple(size), kernel_size, dilation, padding, stride)
    shape = (n, c * math.prod(windows["kernel"]), math.prod(windows["out"]))
    return reshape_rule(apply(Unfold, x, **windows), shape[1:] if single else shape)


def fold(
    input: Tensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """Columns added up to an image: the adjoint of `unfold`.

    Args:
        input: (N, C * window size, number of windows), or without N.
        output_size: the image's size.
        kernel_size: of the windows, a number or one per dimension.
        dilation: likewise.
        padding: likewise.
        stride: likewise.

    Returns:
        (N, C, *output_size), or without N.

    Raises:
        RuntimeError: the input is not of the size that the windows ask for.
    """
    x, single = _check("fold", input, 3)
    size = _pair("fold", "output_size", output_size)
    windows = _geometry("fold", size, kernel_size, dilation, padding, stride)
    n, rows, columns = x._data.shape
    area = math.prod(windows["kernel"])
    if rows % area or columns != math.prod(windows["out"]):
        blocks = f"{' * '.join(map(str, windows['out']))} = {math.prod(windows['out'])}"
        wanted = (
            f"Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={rows} and kernel_size={windows['kernel']}."
            if rows % area
            else f"expected size of input's dimension 2 to match the calculated number of sliding blocks {blocks}, "
            f"but got input.size(2)={columns}."
        )
        raise ShapeError(
            f"fold: Given output_size={size}, kernel_size={windows['kernel']}, dilation={windows['dilation']}, "
            f"padding={windows['padding'][0][0], windows['padding'][1][0]}, stride={windows['stride']}, {wanted} The "
            f"input is of size {list(x._data.shape)}"
        )
    x = reshape_rule(x, (n, rows // area, area, *windows["out"]))
    y = apply(Fold, x, size=size, **windows)
    return reshape_rule(y, y._data.shape[1:]) if single else y


def _tail(op: str, input: Any, dims: int) -> tuple[Ints, Ints]:
    if not isinstance(input, TensorBase):
        raise TypeError(f"{op}(): argument 'input' must be Tensor, not {type(input).__name__}")
    shape = input._data.shape
    if len(shape) < dims:
        raise ShapeError(f"{op} expects input to have at least {dims} dimensions, but got input of shape {list(shape)}")
    return shape[:-dims], shape[-dims:]


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Channels to space: (..., C r^2, H, W) becomes (..., C, H r, W r).

    References:
        W. Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel convolutional
        neural network", arXiv:1609.05158.
    """
    lead, (c, h, w) = _tail("pixel_shuffle", input, 3)
    r, n = upscale_factor, len(lead)
    if r < 1:
        raise ShapeError(f"pixel_shuffle expects a positive upscale_factor, but got {r}")
    if r * r >= 2**63:
        raise InvalidValueError(f"upscale factor is too large, (upscale_factor)^2 overflowed: upscale_factor={r}")
    if c % (r * r):
        raise ShapeError(
            f"pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={c} is not divisible by {r * r}"
        )
    x = reshape_rule(input, (*lead, c // (r * r), r, r, h, w))
    x = permute_rule(x, (*range(n), n, n + 3, n + 1, n + 4, n + 2))
    return laid_out_like(_fresh(reshape_rule(x, (*lead, c // (r * r), h * r, w * r)), input), input)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Space to channels: (..., C, H r, W r) becomes (..., C r^2, H, W)."""
    lead, (c, h, w) = _tail("pixel_unshuffle", input, 3)
    r, n = downscale_factor, len(lead)
    if r < 1:
        raise ShapeError(f"pixel_unshuffle expects a positive downscale_factor, but got {r}")
    for name, size, dim in (("height", h, -2), ("width", w, -1)):
        if size % r:
            raise ShapeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but input.size({dim})={size} is "
                f"not divisible by {r}"
            )
    x = reshape_rule(input, (*lead, c, h // r, r, w // r, r))
    x = permute_rule(x, (*range(n), n, n + 2, n + 4, n + 1, n + 3))
    return laid_out_like(_fresh(reshape_rule(x, (*lead, c * r * r, h // r, w // r)), input), input)


def _fresh(y: Any, input: Any) -> Any:
    """A tensor with memory of its own: a factor of one leaves a view of the input."""
    return clone(y, memory_format=contiguous_format) if y._data.shape == input._data.shape else y


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Channels of ``groups`` groups dealt out in turn: (N, g c, ...) with group and place in the group swapped.

    References:
        X. Zhang et al., "ShuffleNet", arXiv:1707.01083.
    """
    shape = input._data.shape
    if len(shape) < 3:
        raise ShapeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(shape)}")
    if groups < 1:
        raise ShapeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    if shape[1] % groups:
        raise ShapeError(
            f"channel_shuffle: Number of channels must be divisible by groups. Got {shape[1]} channels and "
            f"{groups} groups."
        )
    x = reshape_rule(input, (shape[0], groups, shape[1] // groups, *shape[2:]))
    return laid_out_like(reshape_rule(permute_rule(x, (0, 2, 1, *range(3, len(shape) + 1))), shape), input)


native_channel_shuffle = channel_shuffle
