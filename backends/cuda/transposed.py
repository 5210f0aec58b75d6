"""Copies in another order of dimensions on the GPU; the source is ``transposed.cu``."""

from __future__ import annotations

import math
from typing import Any

import cupy
import numpy as np

from .loader import MOST_BLOCKS, launch

__all__ = ["compact"]

SIZED = {
    2: np.dtype(np.float16),
    4: np.dtype(np.float32),
    8: np.dtype(np.float64),
}  # what has elements of so many bytes


def compact(x: Any) -> Any:
    """A copy in C order."""
    found = matrices(x)
    if found is None:
        return x.copy(order="C")
    batch, rows, columns = found
    y = cupy.empty(x.shape, x.dtype)
    tiles = batch * -(-rows // 32) * -(-columns // 32)
    launch("transpose", SIZED[x.itemsize], ((min(tiles, MOST_BLOCKS),), (32, 8)), y, x, batch, rows, columns)
    return y


def contiguous(x: Any) -> Any:
    """``x`` with its elements in C order, copied if they are not; None stays."""
    return x if x is None or x.flags.c_contiguous else compact(x)


def matrices(x: Any) -> tuple[int, int, int] | None:
    """How memory has ``x``, if as matrices (batch, rows, columns) of which it is the transposed ones; else None."""
    if x.itemsize not in SIZED or not x.size:
        return None
    runs: list[list[int]] = []  # of dimensions that are one in memory: size and step
    for n, step in zip(x.shape, x.strides, strict=True):
        if n == 1:
            continue
        if runs and runs[-1][1] == n * step:
            runs[-1] = [runs[-1][0] * n, step]
        else:
            runs.append([n, step])
    if len(runs) == 2:
        runs.insert(0, [1, x.nbytes])
    if len(runs) != 3:
        return None
    (batch, far), (columns, near), (rows, step) = runs
    whole = far == rows * columns * x.itemsize and near == x.itemsize and step == columns * x.itemsize
    return (batch, rows, columns) if whole and math.prod((batch, rows, columns)) == x.size else None
