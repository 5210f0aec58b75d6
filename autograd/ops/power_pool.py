"""Pools that are made of others: power averages, and maxima of windows at random places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends.dtypes import float32
from ...backends.errors import ShapeError
from ..base import TensorBase
from ..primitive import Primitive, apply
from . import pool
from .arithmetic import mul, pow
from .conv_arguments import Ints, per_dim
from .random import draw
from .rectifier import relu
from .rounding import abs as absolute
from .rounding import sign
from .shape import reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


def _lp_pool(n: int, input: Any, norm_type: float, kernel_size: Any, stride: Any, ceil_mode: bool) -> Any:
    """``(sum of x ** p) ** (1 / p)`` per window: an average pool of powers, times the window's size."""
    area = 1
    for k in per_dim(f"lp_pool{n}d", "kernel_size", kernel_size, n):
        area *= k
    means = pool.avg_pool(n, pow(input, norm_type), kernel_size, stride, 0, ceil_mode, True, None)
    return pow(mul(mul(sign(means), relu(absolute(means))), area), 1.0 / norm_type)


def lp_pool1d(input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """Power-average pooling over one dimension; see `lp_pool2d`."""
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """``(sum over the window of x ** p) ** (1 / p)``: sum pooling for p = 1, towards max pooling for large p.

    Args:
        input: (N, C, H, W) or (C, H, W), floating.
        norm_type: p.
        kernel_size: as in `avg_pool2d`.
        stride: likewise.
        ceil_mode: likewise.
    """
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """Power-average pooling over three dimensions; see `lp_pool2d`."""
    return _lp_pool(3, input, norm_type, kernel_size, stride, ceil_mode)


class FractionalMaxPool(Primitive):
    """The largest element of windows that start at pseudo-random places, and its place."""

    @staticmethod
    def forward(ctx: Any, x: Any, samples: Any, *, kernel: Ints, out: Ints) -> Any:
        position = ctx.k.fractional_positions(x, samples, kernel, out)
        ctx.save(position)
        ctx.info = x.shape[2:]
        return ctx.k.flat_gather(x, position), position

    @staticmethod
    def backward(ctx: Any, g: Any, _: Any) -> Any:
        return apply(pool.FlatAdd, g, *ctx.saved_arrays, size=ctx.info), None


def _fractional(
    n: int, input: Any, kernel_size: Any, output_size: Any, output_ratio: Any, return_indices: bool, samples: Any
) -> Any:
    op = f"fractional_max_pool{n}d"
    if not isinstance(input, TensorBase):
        raise TypeError(f"{op}(): argument 'input' must be Tensor, not {type(input).__name__}")
    try:
        x, single = pool.batched(op, n, input)
    except ShapeError as error:
        raise ShapeError(f"{error}: {op}(): Expected input to have non-zero size for non-batch dimensions") from None
    size = x._data.shape[2:]
    for name, value in (("kernel_size", kernel_size), ("output_size", output_size)):
        if hasattr(value, "__len__") and len(value) != n:
            raise ShapeError(f"{op}: {name} must either be a single int or a tuple of {n} ints, but got {list(value)}")
    kernel = per_dim(op, "kernel_size", kernel_size, n)
    if output_size is None and output_ratio is None:
        raise ValueError(f"{op} requires specifying either an output_size or an output_ratio")
    if output_size is None:
        ratios = (output_ratio,) * n if isinstance(output_ratio, float) else tuple(output_ratio)
        if any(not 0 < r < 1 for r in ratios):
            raise ValueError(f"{op}: output_ratio must lie in (0, 1), got {list(ratios)}")
        out = tuple(int(m * r) for m, r in zip(size, ratios, strict=True))
    else:
        out = per_dim(op, "output_size", output_size, n, 0)
    if any(o + k - 1 > m for o, k, m in zip(out, kernel, size, strict=True)):
        d = next(i for i, (o, k, m) in enumerate(zip(out, kernel, size, strict=True)) if o + k - 1 > m)
        side = ("time", "height", "width")[3 - n + d]
        raise ShapeError(
            f"{op}(): pool {side} {kernel[d]} too large relative to input {side} {size[d]}, for an output of "
            f"{list(out)}"
        )
    fits = samples is None or samples._data.shape == (*x._data.shape[:2], n)
    if not fits and not (single and n == 3):  # of a batch of samples PyTorch's 3-d pool takes the first
        got = list(samples._data.shape)
        which = next((i for i, w in enumerate((*x._data.shape[:2], n)) if len(got) != 3 or got[i] != w), 0)
        raise ShapeError(
            f"{op}: Expect _random_samples.size({which}) equals to {(*x._data.shape[:2], n)[which]}; got {got}."
        )
    drawn = (
        draw("random_uniform", None, x.device, (*x._data.shape[:2], n), float32.dtype)
        if samples is None
        else samples._data[: x._data.shape[0]]
    )
    y, position = apply(FractionalMaxPool, x, drawn, kernel=kernel, out=out)
    if single:
        y, position = (reshape_rule(t, t._data.shape[1:]) for t in (y, position))
    return (y, position) if return_indices else y


def fractional_max_pool2d(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Max pooling over windows whose starts are spread at random, so that any ratio of sizes is possible.

    Args:
        input: (N, C, H, W) or (C, H, W).
        kernel_size: of the windows.
        output_size: the output's size, or
        output_ratio: the output's size as a part of the input's, in (0, 1).
        return_indices: return also where each maximum is.

    References:
        B. Graham, "Fractional max-pooling", arXiv:1412.6071.
    """
    return _fractional(2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def fractional_max_pool3d(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """`fractional_max_pool2d` over three dimensions."""
    return _fractional(3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def fractional_max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """`fractional_max_pool2d` with its indices."""
    return _fractional(2, input, kernel_size, output_size, output_ratio, True, _random_samples)


def fractional_max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """`fractional_max_pool3d` with its indices."""
    return _fractional(3, input, kernel_size, output_size, output_ratio, True, _random_samples)
