"""Convolutions with a kernel for each channel on the GPU; others are `conv.py`'s. The source is ``depthwise.cu``."""

from __future__ import annotations

import math
from typing import Any

import cupy

from ..definitions.conv import Ints, Pairs, channels_last, out_size
from . import conv as others
from .loader import by_items, launch, takes
from .order import contiguous
from .pool import like, new, table_of

__all__ = ["conv", "conv_input", "conv_weight"]


def _suits(a: Any, b: Any, channels: int, groups: int, stride: Ints) -> bool:
    """Whether each of several channels is a group of its own."""
    return groups == channels > 1 and takes(a, b) and len(stride) <= 3 and bool(a.size and b.size)


def conv(x: Any, w: Any, bias: Any, stride: Ints, padding: Pairs, dilation: Ints, groups: int) -> Any:
    """The convolution of ``x`` with ``w``; see the definition."""
    out = out_size(x.shape[2:], w.shape[2:], stride, padding, dilation)
    alike = bias is None or bias.dtype == x.dtype
    if not _suits(x, w, x.shape[1], groups, stride) or not alike or not math.prod(out):
        return others.conv(x, w, bias, stride, padding, dilation, groups)
    last = channels_last(x)
    x, channels = like(x, last), x.shape[1]
    y = new(x.shape[0], w.shape[0], out, last, x.dtype)
    table = table_of(channels, last, x.shape[2:], out, w.shape[2:], stride, padding, dilation)
    given = y, x, contiguous(w), contiguous(bias), table
    launch("depthwise", x.dtype, by_items(y.size), *given, y.size, w.shape[0] // channels)
    return y


def conv_input(g: Any, w: Any, size: Ints, stride: Ints, padding: Pairs, dilation: Ints, groups: int) -> Any:
    """What the input receives; see the definition."""
    channels = groups * w.shape[1]
    if not _suits(g, w, channels, groups, stride) or not math.prod(size):
        return others.conv_input(g, w, size, stride, padding, dilation, groups)
    last = channels_last(g)
    g = like(g, last)
    x = new(g.shape[0], channels, size, last, g.dtype)
    table = table_of(channels, last, size, g.shape[2:], w.shape[2:], stride, padding, dilation)
    launch("depthwise_input", g.dtype, by_items(x.size), x, g, contiguous(w), table, x.size, w.shape[0] // channels)
    return x


def conv_weight(x: Any, g: Any, kernel: Ints, stride: Ints, padding: Pairs, dilation: Ints, groups: int) -> Any:
    """What the weight receives; see the definition."""
    channels = x.shape[1]
    if not _suits(x, g, channels, groups, stride):
        return others.conv_weight(x, g, kernel, stride, padding, dilation, groups)
    last = channels_last(x)
    x, g = like(x, last), like(g, last)
    w = cupy.empty((g.shape[1], 1, *kernel), g.dtype)
    table = table_of(channels, last, x.shape[2:], g.shape[2:], kernel, stride, padding, dilation)
    launch("depthwise_weight", g.dtype, ((w.size,), (256,)), w, x, g, table, len(x), g.shape[1] // channels)
    return w
