"""Pooling by windows: maximum, average and unpooling, over one to three dimensions.

Max pooling chooses elements; then it is a gather, whose adjoint is a scatter, whose adjoint is that gather. Averages
are linear and come in pairs too. So each backward is the other primitive of its pair, at every order.
"""

from __future__ import annotations

import functools
import math
import sys
from typing import Any

from ...backends.batched import any_in
from ...backends.dtypes import FROM_NUMPY
from ...backends.errors import DTypeError, ShapeError
from ..admission import scalar_type, unsupported
from ..base import TensorBase
from ..primitive import Primitive, apply
from .conv_arguments import Ints, per_dim
from .shape import reshape_rule


class MaxPool(Primitive):
    """The largest element of each window."""

    layout = "channels"

    @staticmethod
    def forward(ctx: Any, x: Any, **windows: Any) -> Any:
        y, code = ctx.k.max_pool(x, **windows, codes=ctx.needs[0])
        ctx.cache(code)
        ctx.info = x.shape[2:]
        return ctx.k.laid_out_like(y, x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(PoolScatter, g, ctx.cached[0], size=ctx.info, **ctx.params)


class MaxPoolWithIndices(Primitive):
    """The largest element of each window, and its place in the flattened spatial dimensions."""

    layout = "channels"

    @staticmethod
    def forward(ctx: Any, x: Any, **windows: Any) -> Any:
        y, code = ctx.k.max_pool(x, **windows)
        ctx.cache(code)
        ctx.info = x.shape[2:]
        position = ctx.k.laid_out_like(ctx.k.pool_positions(code, x.shape[2:], **windows), x)
        ctx.save(position)
        return ctx.k.laid_out_like(y, x), position

    @staticmethod
    def backward(ctx: Any, g: Any, _: Any) -> Any:
        ctx.saved_arrays  # raises if the places were overwritten, as PyTorch does; the codes say the same  # noqa: B018
        return apply(PoolScatter, g, ctx.cached[0], size=ctx.info, **ctx.params)


class PoolScatter(Primitive):
    """Values of windows to the elements that were chosen there."""

    @staticmethod
    def forward(ctx: Any, g: Any, code: Any, *, size: Ints, **windows: Any) -> Any:
        ctx.cache(code)
        ctx.info = windows
        return ctx.k.pool_scatter(g, code, size, **windows)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(PoolGather, g, ctx.cached[0], **ctx.info), None


class PoolGather(Primitive):
    """The chosen element of each window."""

    @staticmethod
    def forward(ctx: Any, x: Any, code: Any, **windows: Any) -> Any:
        ctx.cache(code)
        ctx.info = x.shape[2:]
        return ctx.k.pool_gather(x, code, **windows)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(PoolScatter, g, ctx.cached[0], size=ctx.info, **ctx.params), None


class AvgPool(Primitive):
    """The mean of each window."""

    layout = "channels"

    @staticmethod
    def forward(ctx: Any, x: Any, **windows: Any) -> Any:
        ctx.info = x.shape[2:]
        return ctx.k.laid_out_like(ctx.k.avg_pool(x, **windows), x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(AvgPoolInput, g, size=ctx.info, **ctx.params)


class AvgPoolInput(Primitive):
    """Each window's value shared among its elements."""

    @staticmethod
    def forward(ctx: Any, g: Any, *, size: Ints, **windows: Any) -> Any:
        ctx.info = windows
        return ctx.k.laid_out_like(ctx.k.avg_pool_input(g, size, **windows), g)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(AvgPool, g, **ctx.info)


class FlatGather(Primitive):
    """Elements at places of the flattened spatial dimensions."""

    @staticmethod
    def forward(ctx: Any, x: Any, position: Any) -> Any:
        ctx.cache(position)
        ctx.info = x.shape[2:]
        return ctx.k.flat_gather(x, position)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(FlatAdd, g, ctx.cached[0], size=ctx.info), None


class FlatAdd(Primitive):
    """Values added to places of the flattened spatial dimensions of zeros."""

    @staticmethod
    def forward(ctx: Any, g: Any, position: Any, *, size: Ints) -> Any:
        ctx.cache(position)
        return ctx.k.flat_add(g, position, size)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(FlatGather, g, ctx.cached[0]), None


class MaxUnpool(Primitive):
    """Values written to the places they were the maximum of; zeros elsewhere."""

    @staticmethod
    def forward(ctx: Any, x: Any, position: Any, *, size: Ints) -> Any:
        ctx.save(position)
        return ctx.k.laid_out_like(ctx.k.flat_put(x, position, size), x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(FlatGather, g, *ctx.saved_arrays), None


# ---------------------------------------------------------------------- arguments


def batched(op: str, n: int, input: Any, channels: bool = True) -> tuple[Any, bool]:
    """The input with a batch dimension, and whether one was added; without ``channels`` only the places must exist."""
    if not isinstance(input, TensorBase):
        raise TypeError(f"{op}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    x = input._data
    if x.ndim not in (n + 1, n + 2) or 0 in x.shape[(-n - 1 if channels else -n) :]:
        raise ShapeError(
            f"{op}: Expected {n + 1}D or {n + 2}D (batch mode) tensor with optional 0 dim batch size for input, but "
            f"got:{list(x.shape)}; a non-empty {n + 1}D or {n + 2}D (batch mode) tensor expected for input"
        )
    return (reshape_rule(input, (1, *x.shape)), True) if x.ndim == n + 1 else (input, False)


def unbatched(y: Any, single: bool) -> Any:
    """The result without the batch dimension that `batched` added."""
    return reshape_rule(y, y._data.shape[1:]) if single else y


def window_sizes(op: str, name: str, value: Any, n: int, least: int = 1) -> Ints:
    """One number per dimension from a number or a sequence of them, as the pools ask for it.

    Raises:
        RuntimeError: the wrong number of them, or one is too small. TypeError: these are no whole numbers.
    """
    single = isinstance(value, int)
    if not single and len(value) not in (1, n):
        words = {1: "one int", 2: "a tuple of two ints", 3: "a tuple of three ints"}[n]
        omitted = "omitted, " if name == "stride" else ""
        raise ShapeError(
            f"{op}: {name} must either be {omitted}a single int, or {words}: {op}() {name} must be "
            f"{'None, ' if omitted else ''}an int, list of ints{',' if omitted else ''} or tuple of ints of size {n} "
            f"but got size {len(value)} (argument '{name}' should contain {words})"
        )
    if not single or value < least:
        values = (value,) if single else tuple(value)
        bad = next((v for v in values if isinstance(v, int) and v < least), None)
        if bad is not None:
            zero = "stride should not be zero; " if name != "padding" else "pad must be non-negative, but got pad: "
            bound = "non-negative" if least == 0 else "greater than zero"
            raise ShapeError(
                f"{op}: {zero}{bad if name == 'padding' else ''} ({name} should be {bound}, but got {list(values)}: "
                f"{op}() {name} must be {bound}, but got {bad})"
            )
    return per_dim(op, name, value, n, least)


def _windows(
    op: str, n: int, shape: Ints, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> dict[str, Any]:
    """The geometry of windows, as the kernels take it.

    With ``ceil_mode`` a last window may hang over the end, by padding made here, but must start before it.
    """
    size = shape[-n:]  # before it the channels, for the message
    sizes = window_sizes(op, "kernel_size", kernel, n)
    steps = sizes if stride is None or len_of(stride) == 0 else window_sizes(op, "stride", stride, n)
    gaps = window_sizes(op, "dilation", dilation, n)
    margins = window_sizes(op, "padding", padding, n, 0)
    out: list[int] = []
    pairs: list[tuple[int, int]] = []
    for m, k, s, p, d in zip(size, sizes, steps, margins, gaps, strict=True):
        span = d * (k - 1) + 1
        if 2 * p > span:
            raise ShapeError(
                f"{op}: pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k} and "
                f"dilation={d}; {op}() padding should be at most half of kernel size, but got padding={p} and "
                f"kernel_size={k}"
            )
        number = (m + 2 * p - span + (s - 1 if ceil_mode else 0)) // s + 1
        if ceil_mode and (number - 1) * s >= m + p:
            number -= 1
        out.append(number)
        pairs.append((p, max(p, (number - 1) * s + span - m - p)))
    if any(o < 1 for o in out):
        raise ShapeError(
            f"{op}: Given input size: ({'x'.join(map(str, shape[-n - 1 :]))}). Calculated output size: "
            f"({'x'.join(map(str, [*shape[-n - 1 : -n], *out]))}). Output size is too small "
            f"({op}() Invalid computed output size: {min(out)}; the input image is smaller than kernel size)"
        )
    return {"kernel": sizes, "out": tuple(out), "stride": steps, "padding": tuple(pairs), "dilation": gaps}


_known_windows = functools.lru_cache(maxsize=256)(_windows)  # of numbers: equal tuples may differ in their types


def len_of(value: Any) -> int:
    """The length of a sequence; 1 for a number."""
    return len(value) if hasattr(value, "__len__") else 1


def max_pool(
    n: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    """Max pooling over ``n`` dimensions."""
    op = f"max_pool{n}d"
    x, single = _checked(op, n, input, kernel_size, stride, padding, dilation)
    if x._data.dtype.kind in "bc":
        raise unsupported(op, FROM_NUMPY[x._data.dtype])
    numbers = all(type(v) is int for v in (kernel_size, padding, dilation)) and (stride is None or type(stride) is int)
    find = _known_windows if numbers else _windows
    windows = find(op, n, x._data.shape[1:], kernel_size, stride, padding, dilation, ceil_mode)
    if return_indices:
        y, position = apply(MaxPoolWithIndices, x, **windows)
        return unbatched(y, single), unbatched(position, single)
    return unbatched(apply(MaxPool, x, **windows), single)


def avg_pool(
    n: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Any:
    """Average pooling over ``n`` dimensions."""
    op = f"avg_pool{n}d"
    x, single = _checked(op, n, input, kernel_size, stride, padding, 1)
    if x._data.dtype.kind not in "fV" and x._data.dtype.name != "int64":
        raise unsupported(op, FROM_NUMPY[x._data.dtype])
    if divisor_override == 0:
        raise ShapeError(f"{op}: divisor must be not zero")
    windows = _windows(op, n, x._data.shape[1:], kernel_size, stride, padding, 1, ceil_mode)
    del windows["dilation"]
    return unbatched(apply(AvgPool, x, **windows, include=count_include_pad, divisor=divisor_override), single)


def _checked(op: str, n: int, input: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> tuple[Any, bool]:
    """`batched`, after the windows: of two mistakes PyTorch names theirs first."""
    try:
        return batched(op, n, input)
    except ShapeError:
        _windows(op, n, (sys.maxsize,) * n, kernel, stride, padding, dilation, False)
        raise


def max_unpool(n: int, input: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any) -> Any:
    """The partial inverse of max pooling over ``n`` dimensions."""
    op = f"max_unpool{n}d"
    x, single = batched(op, n, input)
    position = indices._data
    if position.dtype.name != "int64":
        raise DTypeError(
            f"{op}: elements in indices should be type int64 but got: {scalar_type(FROM_NUMPY[position.dtype])}"
        )
    if position.shape != input._data.shape:
        raise ShapeError(
            f"{op}: Expected shape of indices to be same as that of the input tensor ({list(input._data.shape)}) but "
            f"got indices tensor with shape: {list(position.shape)}"
        )
    sizes = window_sizes(op, "kernel_size", kernel_size, n)
    steps = sizes if stride is None or len_of(stride) == 0 else window_sizes(op, "stride", stride, n)
    margins = window_sizes(op, "padding", padding, n, 0)
    default = tuple(
        (m - 1) * s + k - 2 * p for m, s, k, p in zip(x._data.shape[2:], steps, sizes, margins, strict=True)
    )
    out = default if output_size is None else _unpooled(op, n, tuple(output_size), default, steps)
    last = math.prod(out)
    if position.size and any_in((position < 0) | (position >= last)):
        wrong = int(position[(position < 0) | (position >= last)].reshape(-1)[0])
        volume = "x".join(map(str, out))
        raise ShapeError(f"{op}: Found an invalid max index: {wrong} (output volumes are of size {volume})")
    y = apply(MaxUnpool, x, reshape_rule(indices, x._data.shape), size=out)
    return unbatched(y, single)


def _unpooled(op: str, n: int, wanted: Ints, default: Ints, steps: Ints) -> Ints:
    """The size asked for, with or without batch and channels, if the pool can have come from it."""
    if len(wanted) not in (n, n + 2):
        raise ValueError(
            f"{op}: output_size should be a sequence containing {n} or {n + 2} elements, but it has a length of "
            f"'{len(wanted)}'"
        )
    out = wanted[-n:]
    for d, (o, m, s) in enumerate(zip(out, default, steps, strict=True)):
        if abs(o - m) >= s:
            raise ValueError(f'{op}: invalid output_size "{out}" (dim {d} must be between {m - s} and {m + s})')
    return out
