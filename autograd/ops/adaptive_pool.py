"""Adaptive pooling, whose windows follow from the size that is asked for."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

from ...backends.dtypes import FROM_NUMPY
from ...backends.errors import InvalidValueError, ShapeError
from ..admission import unsupported
from ..base import TensorBase
from ..primitive import Primitive, apply
from .pool import AvgPool, FlatAdd, MaxPool, MaxPoolWithIndices, batched, unbatched

if TYPE_CHECKING:
    from .conv_arguments import Ints, Pairs


def refuse_empty(g: Any) -> None:
    """Raise for the gradient of bins of which there are none."""
    if 0 in g.shape[1:]:
        raise ShapeError(
            f"adaptive pooling: Expected grad_output to have non-zero size for non-batch dimensions, but got "
            f"{list(g.shape)}"
        )


class AdaptiveAvgPool(Primitive):
    """The mean of each of ``out`` bins per dimension."""

    layout = "channels"

    @staticmethod
    def forward(ctx: Any, x: Any, *, out: Ints) -> Any:
        ctx.info = x.shape[2:]
        return ctx.k.laid_out_like(ctx.k.adaptive_avg_pool(x, out), x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        refuse_empty(g)
        return apply(AdaptiveAvgPoolInput, g, size=ctx.info)


class AdaptiveAvgPoolInput(Primitive):
    """Each bin's value shared among its elements."""

    @staticmethod
    def forward(ctx: Any, g: Any, *, size: Ints) -> Any:
        ctx.info = g.shape[2:]
        return ctx.k.laid_out_like(ctx.k.adaptive_avg_pool_input(g, size), g)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(AdaptiveAvgPool, g, out=ctx.info)


class AdaptiveMaxPool(Primitive):
    """The largest element of each bin, and its place in the flattened spatial dimensions."""

    layout = "channels"

    @staticmethod
    def forward(ctx: Any, x: Any, *, out: Ints) -> Any:
        position = ctx.k.laid_out_like(ctx.k.adaptive_max_positions(x, out), x)
        ctx.save(position)
        ctx.info = x.shape[2:]
        return ctx.k.laid_out_like(ctx.k.flat_gather(x, position), x), position

    @staticmethod
    def backward(ctx: Any, g: Any, _: Any) -> Any:
        refuse_empty(g)
        return apply(FlatAdd, g, *ctx.saved_arrays, size=ctx.info)


def _out_size(op: str, n: int, size: Ints, output_size: Any) -> Ints:
    if output_size is not None and not isinstance(output_size, int) and not hasattr(output_size, "__len__"):
        raise TypeError(f"{op}(): argument 'output_size' must be tuple of ints, not {type(output_size).__name__}")
    wanted = (output_size,) * n if output_size is None or isinstance(output_size, int) else tuple(output_size)
    if len(wanted) != n:
        word = f"; {op}() argument 'output_size' should contain one int (got {len(wanted)})" if n == 1 else ""
        raise ShapeError(
            f"{op}: output_size must be {n} (internal error: output_size.size() must be {n}), got {list(wanted)}{word}"
        )
    out = tuple(m if o is None else o for m, o in zip(size, wanted, strict=True))
    if any(o < 0 for o in out):
        received = ", ".join(map(str, out))
        raise ShapeError(
            f"{op}: elements of output_size must be greater than or equal to 0 but received {{{received}}}: Trying to "
            f"create tensor with negative dimension {min(out)}"
        )
    if math.prod(out) > sys.maxsize // 8:
        raise ShapeError(f"{op}: an output of size {list(out)} has more bytes than can be counted")
    return out


def _rank(n: int, input: Any, output_size: Any) -> None:
    """PyTorch fills in a list's missing sizes from the input, which therefore must have more dimensions than it."""
    if n == 1 or not hasattr(output_size, "__len__") or not isinstance(input, TensorBase):
        return
    if input._data.ndim <= len(output_size):
        raise InvalidValueError(
            f"adaptive pooling: Input dimension should be at least {len(output_size) + 1}, but the input is "
            f"{list(input._data.shape)}"
        )


def _even(size: Ints, out: Ints) -> dict[str, Any] | None:
    """The geometry of plain windows where the bins of an adaptive pool are all alike."""
    if any(o == 0 or m % o for m, o in zip(size, out, strict=True)):
        return None
    step = tuple(m // o for m, o in zip(size, out, strict=True))
    none: Pairs = ((0, 0),) * len(size)
    return {"kernel": step, "out": out, "stride": step, "padding": none}


def adaptive_avg_pool(n: int, input: Any, output_size: Any) -> Any:
    """Average pooling to a given size over ``n`` dimensions."""
    op = f"adaptive_avg_pool{n}d"
    _rank(n, input, output_size)
    x, single = batched(op, n, input, channels=False)
    if x._data.dtype.kind not in "fV":
        raise unsupported(op, FROM_NUMPY[x._data.dtype])
    out = _out_size(op, n, x._data.shape[2:], output_size)
    even = _even(x._data.shape[2:], out)
    if even is None:
        return unbatched(apply(AdaptiveAvgPool, x, out=out), single)
    return unbatched(apply(AvgPool, x, **even, include=True, divisor=None), single)


def adaptive_max_pool(n: int, input: Any, output_size: Any, return_indices: bool) -> Any:
    """Max pooling to a given size over ``n`` dimensions."""
    op = f"adaptive_max_pool{n}d"
    _rank(n, input, output_size)
    try:
        x, single = batched(op, n, input)
    except ShapeError as error:
        raise ShapeError(
            f"{error}: {op}(): Expected {n + 1}D or {n + 2}D tensor, but got: {list(input._data.shape)}; Expected "
            "input to have non-zero size for non-batch dimensions"
        ) from None
    if x._data.dtype.kind not in "fV":
        raise unsupported(op, FROM_NUMPY[x._data.dtype])
    out = _out_size(op, n, x._data.shape[2:], output_size)
    even = _even(x._data.shape[2:], out)
    if even is None:
        y, position = apply(AdaptiveMaxPool, x, out=out)
    elif return_indices:
        y, position = apply(MaxPoolWithIndices, x, **even, dilation=(1,) * n)
    else:
        return unbatched(apply(MaxPool, x, **even, dilation=(1,) * n), single)
    return (unbatched(y, single), unbatched(position, single)) if return_indices else unbatched(y, single)
