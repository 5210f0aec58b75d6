"""Pooling over any number of spatial dimensions, and the adjoints.

A window's elements are numbered like a kernel's taps (``definitions/conv.py``). Max pooling reports, as ``code``, the
number of the element it took; the gradient goes back by that number. Averages are linear, so their adjoint suffices.

Shared arguments: ``kernel``, ``out``, ``stride`` and ``dilation`` per dimension, ``padding`` as (before, after) for
each dimension.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

from .conv import Ints, Pairs, interior, pad, taps, window
from .reduction import wide

__all__ = [
    "adaptive_avg_pool",
    "adaptive_avg_pool_input",
    "adaptive_max_positions",
    "avg_pool",
    "avg_pool_input",
    "flat_add",
    "flat_gather",
    "flat_put",
    "fractional_positions",
    "max_pool",
    "pool_gather",
    "pool_positions",
    "pool_scatter",
]


def lowest(xp: Any, dtype: Any) -> Any:
    """What loses every comparison."""
    return -math.inf if dtype.kind in "fV" else int(xp.iinfo(dtype).min)


def code_type(kernel: Ints) -> str:
    """The smallest type that numbers the elements of a window."""
    return "uint8" if math.prod(kernel) <= 256 else "int32"


def first_inside(xp: Any, kernel: Ints, out: Ints, stride: Ints, padding: Pairs, dilation: Ints) -> Any:
    """The number of the first element of each window that is not padding, broadcastable to ``out``."""
    code = xp.zeros((1,) * len(out), dtype="int32")
    for axis, (k, o, s, (before, _), d) in enumerate(zip(kernel, out, stride, padding, dilation, strict=True)):
        first = xp.maximum(-((xp.arange(o, dtype="int32") * s - before) // d), 0)
        code = code * k + first.reshape([-1 if i == axis else 1 for i in range(len(out))])
    return code


def max_pool(
    xp: Any, x: Any, kernel: Ints, out: Ints, stride: Ints, padding: Pairs, dilation: Ints, codes: bool = True
) -> Any:
    """The largest element of each window, (N, C, *out), and its number (None unless ``codes``); NaN is the largest."""
    padded = pad(xp, x, padding, lowest(xp, x.dtype))
    y = xp.full((*x.shape[:2], *out), lowest(xp, x.dtype), dtype=x.dtype)
    code = xp.zeros(y.shape, dtype=code_type(kernel)) + first_inside(xp, kernel, out, stride, padding, dilation)
    code = code.astype(code_type(kernel))
    for number, offset in taps(kernel):
        seen = padded[window(offset, out, stride, dilation)]
        better = (seen > y) | (seen != seen)
        y = xp.where(better, seen, y)
        code = xp.where(better, xp.asarray(number, dtype=code.dtype), code)
    return y, code if codes else None


def pool_scatter(
    xp: Any, g: Any, code: Any, size: Ints, kernel: Ints, out: Ints, stride: Ints, padding: Pairs, dilation: Ints
) -> Any:
    """``g`` (N, C, *out) added to where each window's chosen element came from; (N, C, *size)."""
    padded = [n + before + after for n, (before, after) in zip(size, padding, strict=True)]
    x = xp.zeros((*g.shape[:2], *padded), dtype=wide(g).dtype)
    for number, offset in taps(kernel):
        x[window(offset, out, stride, dilation)] += xp.where(code == number, wide(g), 0)
    return x[interior(size, padding)].astype(g.dtype)


def pool_gather(
    xp: Any, x: Any, code: Any, kernel: Ints, out: Ints, stride: Ints, padding: Pairs, dilation: Ints
) -> Any:
    """The element of that number from each window; the adjoint of `pool_scatter`."""
    padded = pad(xp, x, padding)
    y = xp.zeros((*x.shape[:2], *out), dtype=x.dtype)
    for number, offset in taps(kernel):
        y = xp.where(code == number, padded[window(offset, out, stride, dilation)], y)
    return y


def pool_positions(
    xp: Any, code: Any, size: Ints, kernel: Ints, out: Ints, stride: Ints, padding: Pairs, dilation: Ints
) -> Any:
    """The chosen elements' places in the flattened spatial dimensions, int64, as PyTorch reports them."""
    position = xp.zeros(code.shape, dtype="int64")
    code = code.astype("int64")
    for axis, (n, k, o, s, (before, _), d) in enumerate(zip(size, kernel, out, stride, padding, dilation, strict=True)):
        tap = code // math.prod(kernel[axis + 1 :]) % k
        start = (xp.arange(o, dtype="int64") * s - before).reshape([-1 if i == axis else 1 for i in range(len(out))])
        position = position * n + start + tap * d
    return position


# ---------------------------------------------------------------------- averages


def counts(
    xp: Any, size: Ints, kernel: Ints, out: Ints, stride: Ints, padding: Pairs, include: bool, divisor: int | None
) -> Any:
    """What each window's sum is divided by: a number, or an array that broadcasts to ``out``."""
    if divisor is not None:
        return divisor
    fits = all(
        (o - 1) * s + k <= n + 2 * before
        for n, k, o, s, (before, _) in zip(size, kernel, out, stride, padding, strict=True)
    )
    if fits and (include or not any(map(any, padding))):
        return math.prod(kernel)
    total: Any = 1
    for axis, (n, k, o, s, (before, _)) in enumerate(zip(size, kernel, out, stride, padding, strict=True)):
        start = xp.arange(o, dtype="int64") * s - before
        stop = xp.minimum(start + k, n + before if include else n)
        number = stop - (start if include else xp.maximum(start, 0))
        total = total * number.reshape([-1 if i == axis else 1 for i in range(len(out))])
    return total


def avg_pool(
    xp: Any,
    x: Any,
    kernel: Ints,
    out: Ints,
    stride: Ints,
    padding: Pairs,
    include: bool,
    divisor: int | None,
) -> Any:
    """Each window's sum, one dimension after the other, over its count."""
    y = pad(xp, wide(x), padding)
    for axis, (k, o, s) in enumerate(zip(kernel, out, stride, strict=True), 2):
        y = sum([y[strip(y.ndim, axis, t, o, s)] for t in range(k)])
    total = counts(xp, x.shape[2:], kernel, out, stride, padding, include, divisor)
    return (y / total).astype(x.dtype)


def avg_pool_input(
    xp: Any,
    g: Any,
    size: Ints,
    kernel: Ints,
    out: Ints,
    stride: Ints,
    padding: Pairs,
    include: bool,
    divisor: int | None,
) -> Any:
    """The adjoint of `avg_pool`: each window's share added to all its elements; (N, C, *size)."""
    x = (wide(g) / counts(xp, size, kernel, out, stride, padding, include, divisor)).astype(wide(g).dtype)
    for axis, (n, k, o, s, p) in enumerate(zip(size, kernel, out, stride, padding, strict=True), 2):
        spread = xp.zeros([n + sum(p) if i == axis else m for i, m in enumerate(x.shape)], dtype=x.dtype)
        for t in range(k):
            spread[strip(x.ndim, axis, t, o, s)] += x
        x = spread
    return x[interior(size, padding)].astype(g.dtype)


def strip(ndim: int, axis: int, start: int, out: int, step: int) -> tuple[Any, ...]:
    """The index of every ``step``-th place of one axis, ``out`` of them."""
    chosen = slice(start, start + step * (out - 1) + 1, step) if out else slice(0, 0)
    return tuple(chosen if i == axis else slice(None) for i in range(ndim))


def bins(size: int, out: int) -> list[tuple[int, int]]:
    """Where the windows of an adaptive pool start and stop."""
    return [(i * size // out, -(-(i + 1) * size // out)) for i in range(out)]


def bin_weights(xp: Any, size: int, out: int, dtype: Any) -> Any:
    """The matrix (out, size) that averages over each bin."""
    index = xp.arange(out, dtype="int64")
    start, stop = (index * size // out)[:, None], (-(-(index + 1) * size // out))[:, None]
    place = xp.arange(size, dtype="int64")
    return (((place >= start) & (place < stop)) / (stop - start)).astype(dtype)


def adaptive_avg_pool(xp: Any, x: Any, out: Ints) -> Any:
    """Averages over bins that cover each dimension: one small matrix product per dimension."""
    y = wide(x)
    for axis, (size, o) in enumerate(zip(x.shape[2:], out, strict=True), 2):
        weights = bin_weights(xp, size, o, y.dtype)
        y = xp.moveaxis(xp.matmul(xp.moveaxis(y, axis, -1), weights.T), -1, axis)
    return y.astype(x.dtype)


def adaptive_avg_pool_input(xp: Any, g: Any, size: Ints) -> Any:
    """The adjoint of `adaptive_avg_pool`."""
    x = wide(g)
    for axis, (n, o) in enumerate(zip(size, g.shape[2:], strict=True), 2):
        x = xp.moveaxis(xp.matmul(xp.moveaxis(x, axis, -1), bin_weights(xp, n, o, x.dtype)), -1, axis)
    return x.astype(g.dtype)


def adaptive_max_positions(xp: Any, x: Any, out: Ints) -> Any:
    """The place of each bin's largest element in the flattened spatial dimensions; (N, C, *out), int64."""
    size = x.shape[2:]
    position = xp.empty((*x.shape[:2], *out), dtype="int64")
    edges = [bins(n, o) for n, o in zip(size, out, strict=True)]
    for cell in itertools.product(*map(range, out)):
        ranges = [edge[i] for edge, i in zip(edges, cell, strict=True)]
        block = x[(..., *[slice(*r) for r in ranges])]
        best = xp.argmax(block.reshape(*x.shape[:2], math.prod(block.shape[2:])), axis=-1)
        position[(..., *cell)] = flat_place(best, ranges, size)
    return position


def fractional_positions(xp: Any, x: Any, samples: Any, kernel: Ints, out: Ints) -> Any:
    """The place of the largest element of windows whose starts step by a fraction, (N, C, *out), int64.

    Args:
        xp: the array namespace.
        x: (N, C, *size).
        samples: in [0, 1), (N, C, dimensions): where the fractions start; in two dimensions the width's comes
            first, as in PyTorch.
        kernel: size of the windows.
        out: how many there are.
    """
    places, values = [], []
    starts = []
    for axis, (n, k, o) in enumerate(zip(x.shape[2:], kernel, out, strict=True)):
        u = wide(samples)[:, :, 1 - axis if len(out) == 2 else axis, None]
        step = (n - k) / (o - 1) if o > 1 else 0.0
        index = xp.arange(o, dtype=u.dtype)
        start = xp.floor((index + u) * step).astype("int64") - xp.floor(u * step).astype("int64")
        start = xp.where(index == o - 1, n - k, start)  # the last window ends at the edge
        starts.append(start.reshape(*x.shape[:2], *[o if i == axis else 1 for i in range(len(out))]))
    for _, offset in taps(kernel):
        place: Any = 0
        for n, start, t in zip(x.shape[2:], starts, offset, strict=True):
            place = place * n + start + t
        places.append(place)
        values.append(flat_gather(xp, x, place))
    best = xp.argmax(xp.stack(values), axis=0)
    return xp.take_along_axis(xp.stack(places), best[None], 0)[0]


def flat_place(best: Any, ranges: list[tuple[int, int]], size: Ints) -> Any:
    """A place inside a block, counted in the whole."""
    lengths = [stop - start for start, stop in ranges]
    place: Any = 0
    for axis, (start, _) in enumerate(ranges):
        place = place * size[axis] + best // math.prod(lengths[axis + 1 :]) % lengths[axis] + start
    return place


# ---------------------------------------------------------------------- by place in the flattened spatial dimensions


def rows_and_places(xp: Any, position: Any) -> tuple[Any, Any]:
    """Index arrays (N * C, places) for arrays whose spatial dimensions are flattened."""
    places = position.reshape(math.prod(position.shape[:2]), math.prod(position.shape[2:]))
    return xp.arange(places.shape[0], dtype="int64")[:, None], places


def flat_gather(xp: Any, x: Any, position: Any) -> Any:
    """``x`` (N, C, *size) at places of its flattened spatial dimensions; the shape of ``position``."""
    flat = x.reshape(math.prod(x.shape[:2]), math.prod(x.shape[2:]))
    return flat[rows_and_places(xp, position)].reshape(position.shape)


def flat_add(xp: Any, g: Any, position: Any, size: Ints) -> Any:
    """The adjoint of `flat_gather`: values added to their places in zeros (N, C, *size)."""
    flat = xp.zeros((math.prod(g.shape[:2]), math.prod(size)), dtype=wide(g).dtype)
    rows, places = rows_and_places(xp, position)
    xp.add.at(flat, (rows, places), wide(g).reshape(places.shape))
    return flat.reshape(*g.shape[:2], *size).astype(g.dtype)


def flat_put(xp: Any, x: Any, position: Any, size: Ints) -> Any:
    """Values written to their places in zeros (N, C, *size)."""
    flat = xp.zeros((math.prod(x.shape[:2]), math.prod(size)), dtype=x.dtype)
    rows, places = rows_and_places(xp, position)
    flat[rows, places] = x.reshape(places.shape)
    return flat.reshape(*x.shape[:2], *size)
