"""Sums, means and extremes of 16-bit numbers on the GPU, in one pass and in float32; the source is ``reduction.cu``.

CuPy converts all of bfloat16 before it adds, and has no fast reduction for it. Other types are left to it.
"""

from __future__ import annotations

import builtins
import math
from typing import Any

import cupy

from ..definitions import conv as plain_conv
from ..definitions import product as plain_product
from ..definitions import reduction as plain
from .loader import by_items, by_rows, launch, takes, wide_type
from .order import axis_order, contiguous, inverse

__all__ = ["argmax", "argmin", "max", "mean", "min", "sum", "sum_channels", "sum_rows"]

OPS = {"sum": 0, "max": 1, "min": 2, "squares": 3}  # as in reduction.cu
BLOCKS = 1024  # enough to keep a GPU busy
LEAST = 4096  # elements of a row that are worth a block of their own
LEAST_ROWS = 64  # rows likewise


def _suits(x: Any) -> bool:
    return bool(x.dtype.itemsize == 2 and takes(x) and x.size > 0)


def _axes(x: Any, axis: Any) -> tuple[int, ...]:
    named = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return tuple(sorted({a % x.ndim for a in named})) if x.ndim else ()


def _folded(x: Any, axes: tuple[int, ...], op: str, scale: float, dtype: Any) -> Any:
    """A contiguous array folded over neighbouring axes, which stay at size 1."""
    shape = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    n = math.prod([x.shape[a] for a in axes])
    outer, inner = math.prod(x.shape[: axes[0]]), math.prod(x.shape[axes[-1] + 1 :])
    number = OPS[op]
    if inner == 1:
        chunk = _chunk(n, outer, LEAST)
        parts = -(-n // chunk)
        ((blocks,), block) = by_rows(outer, builtins.min(chunk, n))
        partial, steps = cupy.empty(outer * parts, wide_type(x.dtype)), (parts, 1)
        launch("reduce_rows", x.dtype, ((blocks, parts), block), partial, x, outer, n, chunk, number)
    else:
        tiles = outer * -(-inner // 32)
        chunk = _chunk(n, tiles, LEAST_ROWS)
        parts = -(-n // chunk)
        partial, steps = cupy.empty(parts * outer * inner, wide_type(x.dtype)), (1, outer * inner)
        launch("reduce_middle", x.dtype, ((tiles, parts), (32, 8)), partial, x, outer, n, inner, chunk, number)
    y, count = cupy.empty(shape, dtype), outer * inner
    launch("finish_reduction", dtype, by_items(count), y, partial, count, parts, *steps, number, scale)
    return y


def _chunk(n: int, blocks: int, least: int) -> int:
    """How many of ``n`` elements a part has, where there are so many blocks without parts."""
    parts = builtins.min(builtins.max(BLOCKS // blocks, 1), 65535)
    return builtins.max(least, -(-n // parts) + 7 & ~7)


def _reduced(x: Any, axis: Any, keepdims: bool, op: str, mean: bool = False) -> Any:
    """The reduction over any axes: one run of neighbours after the other, in the order in which memory has them."""
    axes = _axes(x, axis)
    shape = tuple(n for i, n in enumerate(x.shape) if i not in axes)
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    if not axes:
        return x.copy()
    scale = 1 / math.prod([x.shape[a] for a in axes]) if mean else 1.0
    order = axis_order(x)
    y = contiguous(x.transpose(order))
    left = tuple(sorted(order.index(a) for a in axes))
    while left:
        run = left[-1:]
        while len(run) < len(left) and left[-len(run) - 1] == run[0] - 1:
            run = (run[0] - 1, *run)
        left = left[: len(left) - len(run)]
        y = _folded(y, run, op, 1.0 if left else scale, wide_type(x.dtype) if left else x.dtype)
    return y.transpose(inverse(order)).reshape(kept if keepdims else shape)


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum over ``axis``; see the definition."""
    return _reduced(x, axis, keepdims, "sum") if _suits(x) else plain.sum(cupy, x, axis, keepdims)


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean over ``axis``; see the definition."""
    return _reduced(x, axis, keepdims, "sum", True) if _suits(x) else plain.mean(cupy, x, axis, keepdims)


def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest element."""
    return _reduced(x, axis, keepdims, "max") if _suits(x) else cupy.max(x, axis=axis, keepdims=keepdims)


def min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest element."""
    return _reduced(x, axis, keepdims, "min") if _suits(x) else cupy.min(x, axis=axis, keepdims=keepdims)


def sum_rows(x: Any) -> Any:
    """The sum over leading dimensions; see the definition."""
    if not _suits(x) or x.ndim < 2:
        return plain_product.sum_rows(cupy, x)
    return _reduced(x, tuple(range(x.ndim - 1)), False, "sum")


def sum_channels(x: Any) -> Any:
    """The sum over all dimensions but the second; see the definition."""
    if not _suits(x):
        return plain_conv.sum_channels(cupy, x)
    return _reduced(x, (0, *range(2, x.ndim)), False, "sum")


def _place(x: Any, axis: int | None, keepdims: bool, smallest: bool) -> Any:
    shape = tuple(1 if axis is None or i == axis % x.ndim else n for i, n in enumerate(x.shape))
    rows = contiguous(x).reshape(1, x.size) if axis is None or not x.ndim else contiguous(cupy.moveaxis(x, axis, -1))
    columns = rows.shape[-1]
    count = rows.size // columns
    y = cupy.empty(rows.shape[:-1], "int64")
    launch("place_rows", x.dtype, by_rows(count, columns), y, rows, count, columns, smallest)
    return y.reshape(shape) if keepdims else y.reshape(()) if axis is None else y


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The index of the largest element, the first of equal ones."""
    return _place(x, axis, keepdims, False) if _suits(x) else cupy.argmax(x, axis=axis, keepdims=keepdims)


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The index of the smallest element, the first of equal ones."""
    return _place(x, axis, keepdims, True) if _suits(x) else cupy.argmin(x, axis=axis, keepdims=keepdims)
