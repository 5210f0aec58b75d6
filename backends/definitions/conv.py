"""Convolution over any number of spatial dimensions, with its two adjoints.

``y[n, k, o] = sum over c, t of w[k, c, t] * x[n, c, stride * o + dilation * t - padding]`` is linear in ``x`` and in
``w``. `conv_input` is the adjoint in ``x`` (and so the transposed convolution), `conv_weight` the one in ``w``.
All three see the input as columns: one per output position, holding what the kernel covers there.

Arguments are shared: ``stride`` and ``dilation`` per dimension, ``padding`` as (before, after) per dimension.

References:
    V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning", arXiv:1603.07285.
    K. Chellapilla, S. Puri, P. Simard, "High performance convolutional neural networks for document processing", 2006.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

from .reduction import wide

__all__ = ["conv", "conv_input", "conv_weight", "fold_columns", "laid_out_like", "sum_channels", "unfold_columns"]

Ints = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]


def taps(kernel: Ints) -> Iterator[tuple[int, Ints]]:
    """The kernel's elements: number and position, last dimension fastest."""
    return enumerate(itertools.product(*map(range, kernel)))


def window(offset: Ints, out: Ints, stride: Ints, dilation: Ints) -> tuple[Any, ...]:
    """The index of what one kernel element sees of a padded array: one input per output position."""
    return (
        ...,
        *[
            slice(d * t, d * t + s * (o - 1) + 1, s) if o else slice(0, 0)
            for t, o, s, d in zip(offset, out, stride, dilation, strict=True)
        ],
    )


def pad(xp: Any, x: Any, padding: Pairs, value: float = 0) -> Any:
    """``x`` with ``value`` around its last dimensions."""
    if not any(map(any, padding)):
        return x
    lead = x.ndim - len(padding)
    sizes = [n + before + after for n, (before, after) in zip(x.shape[lead:], padding, strict=True)]
    padded = xp.full((*x.shape[:lead], *sizes), value, dtype=x.dtype)
    padded[interior(x.shape[lead:], padding)] = x
    return padded


def interior(size: Ints, padding: Pairs) -> tuple[Any, ...]:
    """The index of the original inside what `pad` makes."""
    return (..., *[slice(before, before + n) for n, (before, _) in zip(size, padding, strict=True)])


def unfold_columns(xp: Any, x: Any, kernel: Ints, out: Ints, stride: Ints, padding: Pairs, dilation: Ints) -> Any:
    """(N, C, *size) as columns (N, C, taps, *out)."""
    padded = pad(xp, x, padding)
    columns = xp.empty((*x.shape[:2], math.prod(kernel), *out), dtype=x.dtype)
    for number, offset in taps(kernel):
        columns[:, :, number] = padded[window(offset, out, stride, dilation)]
    return columns


def fold_columns(xp: Any, columns: Any, size: Ints, kernel: Ints, stride: Ints, padding: Pairs, dilation: Ints) -> Any:
    """The adjoint of `unfold_columns`: every column's values added where they came from; (N, C, *size)."""
    out = columns.shape[3:]
    padded = [n + before + after for n, (before, after) in zip(size, padding, strict=True)]
    x = xp.zeros((*columns.shape[:2], *padded), dtype=columns.dtype)
    for number, offset in taps(kernel):
        x[window(offset, out, stride, dilation)] += columns[:, :, number]
    return x[interior(size, padding)]


def conv(xp: Any, x: Any, w: Any, bias: Any, stride: Ints, padding: Pairs, dilation: Ints, groups: int) -> Any:
    """The convolution of ``x`` (N, C, *size) with ``w`` (K, C / groups, *kernel); (N, K, *out)."""
    out = out_size(x.shape[2:], w.shape[2:], stride, padding, dilation)
    columns = unfold_columns(xp, wide(x), w.shape[2:], out, stride, padding, dilation)
    columns = columns.reshape(len(x), groups, math.prod(w.shape[1:]), math.prod(out))
    weight = wide(w).reshape(groups, w.shape[0] // groups, math.prod(w.shape[1:]))
    y = xp.matmul(weight, columns).reshape(len(x), w.shape[0], *out)
    if bias is not None:
        y = y + bias.reshape(-1, *[1] * len(out))
    return y.astype(x.dtype)


def conv_input(xp: Any, g: Any, w: Any, size: Ints, stride: Ints, padding: Pairs, dilation: Ints, groups: int) -> Any:
    """What ``x`` of the given spatial size receives from the output gradient ``g`` (N, K, *out)."""
    n, k, *out = g.shape
    weight = wide(w).reshape(groups, k // groups, math.prod(w.shape[1:]))
    flat = wide(g).reshape(n, groups, k // groups, math.prod(out))
    columns = xp.matmul(xp.swapaxes(weight, 1, 2), flat)
    columns = columns.reshape(n, groups * w.shape[1], math.prod(w.shape[2:]), *out)
    return fold_columns(xp, columns, size, w.shape[2:], stride, padding, dilation).astype(g.dtype)


def conv_weight(
    xp: Any, x: Any, g: Any, kernel: Ints, stride: Ints, padding: Pairs, dilation: Ints, groups: int
) -> Any:
    """What ``w`` of the given kernel size receives from the output gradient ``g`` (N, K, *out)."""
    n, k, *out = g.shape
    c = x.shape[1] // groups
    columns = unfold_columns(xp, wide(x), kernel, tuple(out), stride, padding, dilation)
    columns = columns.reshape(n, groups, c * math.prod(kernel), math.prod(out))
    flat = wide(g).reshape(n, groups, k // groups, math.prod(out))
    each = xp.matmul(flat, xp.swapaxes(columns, 2, 3))
    return xp.sum(each, axis=0).reshape(k, c, *kernel).astype(g.dtype)


def out_size(size: Ints, kernel: Ints, stride: Ints, padding: Pairs, dilation: Ints) -> Ints:
    """How many positions the kernel has in each dimension."""
    return tuple(
        (n + sum(p) - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True)
    )


def sum_channels(xp: Any, x: Any) -> Any:
    """The sum over all dimensions but the second: what a bias per channel receives."""
    return xp.sum(wide(x), axis=(0, *range(2, x.ndim))).astype(x.dtype)


def channels_last(x: Any) -> bool:
    """Whether the channels of ``x`` (N, C, H, W) or (N, C, D, H, W) lie closest together, and not the columns."""
    return x.ndim > 3 and not x.flags.c_contiguous and bool(x.transpose(0, *range(2, x.ndim), 1).flags.c_contiguous)


def laid_out_like(xp: Any, y: Any, x: Any) -> Any:
    """``y`` with its channels closest together in memory if those of ``x`` are; both (N, C, ...)."""
    if x.flags.c_contiguous or y.ndim != x.ndim or not channels_last(x):
        return y
    if y.strides[1] == y.itemsize and y.strides[0] == y.size // max(len(y), 1) * y.itemsize:
        return y
    return xp.moveaxis(xp.moveaxis(y, 1, -1).copy(order="C"), -1, 1)
