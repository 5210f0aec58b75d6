"""Orders of memory: results in the order of their operands, and copies between two orders by tiles."""

from __future__ import annotations

from typing import Any

import cupy

from .transposed import contiguous

__all__ = ["as_laid_out", "axis_order", "contiguous", "dense", "empty_as", "inverse"]


def axis_order(x: Any) -> tuple[int, ...]:
    """The dimensions from the one with the widest steps in memory to the one with the smallest."""
    return tuple(sorted(range(x.ndim), key=lambda i: (-abs(x.strides[i]), i)))


def dense(x: Any) -> Any:
    """``x`` if its elements fill one piece of memory, in whatever order of dimensions; else a contiguous copy."""
    return x if x.flags.c_contiguous or x.transpose(axis_order(x)).flags.c_contiguous else contiguous(x)


def empty_as(x: Any, dtype: Any = None) -> Any:
    """Memory for a result with the shape of the dense array ``x`` and its order of dimensions."""
    dtype = x.dtype if dtype is None else dtype
    if x.flags.c_contiguous:
        return cupy.empty(x.shape, dtype)
    order = axis_order(x)
    return cupy.empty([x.shape[i] for i in order], dtype).transpose(inverse(order))


def as_laid_out(g: Any, x: Any) -> Any:
    """``g`` in the order of dimensions of the dense array ``x``, copied if it is not."""
    if g.strides == x.strides and g.itemsize == x.itemsize:
        return g
    if x.flags.c_contiguous:
        return contiguous(g)
    order = axis_order(x)
    turned = g.transpose(order)
    return g if turned.flags.c_contiguous else contiguous(turned).transpose(inverse(order))


def inverse(order: tuple[int, ...]) -> tuple[int, ...]:
    """The order that undoes ``order``."""
    return tuple(sorted(range(len(order)), key=order.__getitem__))
