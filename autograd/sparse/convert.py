"""From one layout to another; values keep their gradients."""

from __future__ import annotations

import math
from typing import Any

from ...backends import kernels_of
from ...backends.errors import ArgumentError
from ...backends.sparse import Compressed, Coordinates
from ...backends.sparse.compressed import compress
from ..ops.shape import reshape_rule
from .core import LAYOUT_TEXT, array_of, assemble, coalesced, dense_of, elements, is_sparse, pattern_of, take, total

__all__ = ["nonzero_pattern", "to_coordinates", "to_layout"]


def to_coordinates(x: Any, sparse_dim: int | None = None) -> Any:
    """A tensor of any layout by coordinates."""
    if not is_sparse(x):
        return _picked(x, sparse_dim)
    values, where = elements(x)
    return x if where is pattern_of(x) else coalesced(assemble(values, where))


def nonzero_pattern(x: Any, sparse_dim: int | None = None) -> Coordinates:
    """Where the elements (or slices of the last dimensions) of a dense array are that are not all zero."""
    shape, k = x.shape, kernels_of[type(x)]
    n = len(shape) if sparse_dim is None else sparse_dim
    if not n:
        indices = k.zeros((0, int(bool((x != x.dtype.type(0)).any()))), dtype="int64")
        return Coordinates(indices, tuple(shape), True)
    filled = x.reshape((math.prod(shape[:n]), -1)) if 0 not in shape else k.zeros((math.prod(shape[:n]), 0))
    flat = k.nonzero((filled != filled.dtype.type(0)).any(axis=1))[0]
    rows = []
    for size in reversed(shape[:n]):
        rows.append(flat % max(size, 1))
        flat = flat // max(size, 1)
    return Coordinates(k.astype(k.stack(rows[::-1], axis=0), "int64"), tuple(shape), True)


def _picked(x: Any, sparse_dim: int | None) -> Any:
    from .core import values_at

    array = array_of(x)
    n = array.ndim if sparse_dim is None else sparse_dim
    if not (0 < n <= array.ndim or (n == array.ndim == 0)):
        raise ArgumentError(
            f"sparse_dim must be in the range [1, {array.ndim}] for a tensor of {array.ndim} dimensions, got {n}"
            if n
            else "to_sparse: sparse_dim argument must be >0"
        )
    where = nonzero_pattern(array, n)
    return assemble(values_at(x, where), where)


def to_layout(x: Any, layout: str, block: Any = None, dense_dim: int = 0) -> Any:
    """``x``, dense or sparse, in a layout of that name."""
    if layout == "strided":
        return dense_of(x)
    if layout == "sparse_coo":
        return to_coordinates(x)
    blocked = layout in ("sparse_bsr", "sparse_bsc")
    if is_sparse(x):
        pattern = pattern_of(x)
        if pattern.layout == layout and (not blocked or block is None or block in (pattern.block, list(pattern.block))):
            return x
    index: Any = "int64"
    if is_sparse(x):
        pattern, dense_dim = pattern_of(x), pattern_of(x).dense_dim
        if isinstance(pattern, Compressed):
            index = pattern.starts.dtype
        elif pattern.sparse_dim != 2:
            raise ArgumentError(
                f"to_sparse: conversion from Sparse to {LAYOUT_TEXT[layout]} for input tensors with sparse_dim()!=2 is "
                "not supported"
            )
    ndim = array_of(x).ndim
    if ndim - dense_dim < 2:
        raise ArgumentError(f"to_{layout}: expected tensor with at least 2 dimensions besides dense ones, got {ndim}")
    sizes = _block_of(layout, block, array_of(x).shape[: ndim - dense_dim])
    if ndim - dense_dim > 2:
        return _batched(x, layout, sizes, dense_dim, index)
    values, where = elements(coalesced(to_coordinates(x) if is_sparse(x) else to_coordinates(x, 2)))
    pattern, order = compress(layout, where, sizes, index)
    if not blocked:
        return assemble(take(values, order), pattern)
    group, place = order
    h, w = sizes
    spread = total(values, group * (h * w) + place, pattern.nnz * h * w)
    return assemble(reshape_rule(spread, pattern.values_shape()), pattern)


def _block_of(layout: str, block: Any, shape: tuple[int, ...]) -> tuple[int, int]:
    if layout not in ("sparse_bsr", "sparse_bsc"):
        if block is not None:
            raise ArgumentError(f"to_sparse for layout {layout} does not take a blocksize")
        return (1, 1)
    if block is None:
        raise ArgumentError(f"to_sparse: conversion to {layout} without blocksize argument given is not supported")
    h, w = (block, block) if isinstance(block, int) else (int(n) for n in block)
    if h <= 0 or w <= 0 or shape[-2] % h or shape[-1] % w:
        raise ArgumentError(
            f"to_{layout}: tensor sparse size ({shape[-2]},{shape[-1]}) must be divisible by given blocksize ({h},{w})"
        )
    return h, w


def _batched(x: Any, layout: str, block: tuple[int, int], dense_dim: int, index: Any) -> Any:
    """Stacked matrices: all of them store the places where one of them has an element."""
    from .core import values_at

    stored = _stored(array_of(x))
    x = dense_of(x)
    array = array_of(x)
    k = kernels_of[type(array)]
    b = array.ndim - 2 - dense_dim
    batch, matrix = array.shape[:b], array.shape[b : b + 2]
    flat = stored.reshape((math.prod(batch), *matrix, math.prod(array.shape[b + 2 :]))).any(axis=-1)
    counts = [nonzero_pattern(flat[i]) for i in range(flat.shape[0])]
    parts = [compress(layout, where, block, index)[0] for where in counts]
    if len({p.nnz for p in parts}) != 1:
        raise ArgumentError(
            "Expect the same number of specified elements per batch when converting to a compressed layout"
        )
    starts, others = (k.stack([p.arrays[i] for p in parts], axis=0).reshape((*batch, -1)) for i in range(2))
    pattern = Compressed(layout, starts, others, array.shape, block)
    return assemble(values_at(x, pattern), pattern)


def _stored(x: Any) -> Any:
    """Which elements a sparse array stores; of a dense one, which are not 0."""
    if not is_sparse(x):
        return x != x.dtype.type(0)
    k = kernels_of[type(x.values)]
    return dense_of(assemble(k.ones(x.values.shape, dtype=bool), x.pattern))
