"""Pooling on the GPU, over one to three dimensions, with channels second or last; the source is ``pool.cu``."""

from __future__ import annotations

import math
from typing import Any

import cupy
import numpy as np

from ..definitions import pool as plain
from ..definitions.conv import Ints, Pairs, channels_last
from .loader import by_items, launch, takes
from .order import contiguous

__all__ = [
    "adaptive_avg_pool",
    "adaptive_avg_pool_input",
    "adaptive_max_positions",
    "avg_pool",
    "avg_pool_input",
    "max_pool",
    "pool_gather",
    "pool_scatter",
]

_FIELDS = ("size", "out", "kernel", "stride", "before", "dilation")
WINDOWS = np.dtype([*[(name, "i4", (3,)) for name in _FIELDS], ("channels", "i8"), ("last", "i8")])  # as in pool.cu


def _three(values: Any, missing: int) -> list[int]:
    """Values per dimension with those of the missing first dimensions."""
    return [missing] * (3 - len(values)) + list(values)


def table_of(
    channels: int,
    last: bool,
    size: Ints,
    out: Ints,
    kernel: Ints = (),
    stride: Ints = (),
    padding: Pairs = (),
    dilation: Ints = (),
) -> Any:
    """The struct of the windows of images with so many channels."""
    table = np.zeros((), WINDOWS)
    before = [p[0] for p in padding]
    given = (size, out, kernel, stride, before, dilation)
    for name, values, missing in zip(_FIELDS, given, (1, 1, 1, 1, 0, 1), strict=True):
        table[name] = _three(values, missing)
    table["channels"], table["last"] = channels, last
    return table


def _suits(x: Any, *sizes: Ints) -> bool:
    return takes(x) and 3 <= x.ndim <= 5 and x.size > 0 and all(math.prod(size) for size in sizes)


def like(x: Any, last: bool) -> Any:
    """``x`` (N, C, ...) with its channels last or second in memory, copied if they are not."""
    if not last:
        return contiguous(x)
    moved = cupy.moveaxis(x, 1, -1)
    return x if moved.flags.c_contiguous else cupy.moveaxis(contiguous(moved), -1, 1)


def new(n: int, c: int, size: Ints, last: bool, dtype: Any) -> Any:
    """Memory for (N, C, *size) with its channels last or second."""
    if last:
        return cupy.moveaxis(cupy.empty((n, *size, c), dtype), -1, 1)
    return cupy.empty((n, c, *size), dtype)


def max_pool(x: Any, kernel: Ints, out: Ints, stride: Ints, padding: Pairs, dilation: Ints, codes: bool = True) -> Any:
    """The largest of each window and its number; see the definition."""
    if not _suits(x, out):
        return plain.max_pool(cupy, x, kernel, out, stride, padding, dilation, codes)
    last = channels_last(x)
    x = like(x, last)
    n, c, *size = x.shape
    table = table_of(c, last, tuple(size), out, kernel, stride, padding, dilation)
    y = new(n, c, out, last, x.dtype)
    code = new(n, c, out, last, plain.code_type(kernel)) if codes else None
    launch("max_pool", x.dtype, by_items(y.size), y, code, x, table, y.size, math.prod(kernel) > 256)
    return y, code


def pool_scatter(
    g: Any, code: Any, size: Ints, kernel: Ints, out: Ints, stride: Ints, padding: Pairs, dilation: Ints
) -> Any:
    """Gradients to the elements that were chosen; see the definition."""
    if not _suits(g, size) or code.dtype.name != plain.code_type(kernel):
        return plain.pool_scatter(cupy, g, code, size, kernel, out, stride, padding, dilation)
    last = channels_last(code)
    g, code = like(g, last), like(code, last)
    n, c = g.shape[:2]
    table = table_of(c, last, size, out, kernel, stride, padding, dilation)
    x = new(n, c, size, last, g.dtype)
    launch("pool_scatter", g.dtype, by_items(x.size), x, g, code, table, x.size, math.prod(kernel) > 256)
    return x


def pool_gather(x: Any, code: Any, kernel: Ints, out: Ints, stride: Ints, padding: Pairs, dilation: Ints) -> Any:
    """The chosen elements; see the definition."""
    if not _suits(x, out) or code.dtype.name != plain.code_type(kernel):
        return plain.pool_gather(cupy, x, code, kernel, out, stride, padding, dilation)
    last = channels_last(code)
    x, code = like(x, last), like(code, last)
    n, c, *size = x.shape
    table = table_of(c, last, tuple(size), out, kernel, stride, padding, dilation)
    y = new(n, c, out, last, x.dtype)
    launch("pool_gather", x.dtype, by_items(y.size), y, x, code, table, y.size, math.prod(kernel) > 256)
    return y


def avg_pool(x: Any, kernel: Ints, out: Ints, stride: Ints, padding: Pairs, include: bool, divisor: int | None) -> Any:
    """Each window's mean; see the definition."""
    if not _suits(x, out) or divisor == 0:
        return plain.avg_pool(cupy, x, kernel, out, stride, padding, include, divisor)
    last = channels_last(x)
    x = like(x, last)
    n, c, *size = x.shape
    table = table_of(c, last, tuple(size), out, kernel, stride, padding)
    y = new(n, c, out, last, x.dtype)
    # The definition counts the padding before as often as there is some after: a window may reach as far on both sides.
    ends = include, *_three([p[0] for p in padding], 0), float(divisor or 0)
    launch("avg_pool", x.dtype, by_items(y.size), y, x, table, y.size, *ends)
    return y


def avg_pool_input(
    g: Any,
    size: Ints,
    kernel: Ints,
    out: Ints,
    stride: Ints,
    padding: Pairs,
    include: bool,
    divisor: int | None,
) -> Any:
    """The adjoint of `avg_pool`; see the definition."""
    if not _suits(g, size) or divisor == 0:
        return plain.avg_pool_input(cupy, g, size, kernel, out, stride, padding, include, divisor)
    last = channels_last(g)
    g = like(g, last)
    n, c = g.shape[:2]
    table = table_of(c, last, size, out, kernel, stride, padding)
    x = new(n, c, size, last, g.dtype)
    ends = include, *_three([p[0] for p in padding], 0), float(divisor or 0)
    launch("avg_pool_input", g.dtype, by_items(x.size), x, g, table, x.size, *ends)
    return x


def adaptive_avg_pool(x: Any, out: Ints) -> Any:
    """Averages over bins that cover each dimension; see the definition."""
    if not _suits(x, out):
        return plain.adaptive_avg_pool(cupy, x, out)
    last = channels_last(x)
    x = like(x, last)
    n, c, *size = x.shape
    y = new(n, c, out, last, x.dtype)
    launch("adaptive_avg_pool", x.dtype, by_items(y.size), y, x, table_of(c, last, tuple(size), out), y.size)
    return y


def adaptive_avg_pool_input(g: Any, size: Ints) -> Any:
    """The adjoint of `adaptive_avg_pool`."""
    if not _suits(g, size):
        return plain.adaptive_avg_pool_input(cupy, g, size)
    last = channels_last(g)
    g = like(g, last)
    n, c, *out = g.shape
    x = new(n, c, size, last, g.dtype)
    launch("adaptive_avg_pool_input", g.dtype, by_items(x.size), x, g, table_of(c, last, size, tuple(out)), x.size)
    return x


def adaptive_max_positions(x: Any, out: Ints) -> Any:
    """The place of each bin's largest element; see the definition."""
    if not _suits(x, out):
        return plain.adaptive_max_positions(cupy, x, out)
    last = channels_last(x)
    x = like(x, last)
    n, c, *size = x.shape
    position = new(n, c, out, last, "int64")
    table = table_of(c, last, tuple(size), out)
    launch("adaptive_max_positions", x.dtype, by_items(position.size), position, x, table, position.size)
    return position
