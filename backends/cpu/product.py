"""Matrix products on NumPy: BLAS is given transposed views and folded batches, so that nothing is copied.

That of a layer's rows in float32 is compiled where it pays, with the bias; see ``product_numba.py``.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ..definitions import product as plain
from ..definitions.product import flat
from .compiled import compiled, spread

__all__ = ["gram", "linear", "linear_backward", "matmul", "mm", "sum_rows"]

BLAS = "fdFD"  # type characters of what OpenBLAS multiplies


def matmul(a: Any, b: Any) -> Any:
    """``a @ b``; see the definition."""
    return np.matmul(a, b) if a.dtype.char in BLAS else plain.matmul(np, a, b)


LEAST = 3 << 15  # products of numbers from which on the compiled kernel takes less time than BLAS
ROWS, FEW = 8, 64  # below ROWS, BLAS reads the weight as it lies; up to FEW, it is slow with a weight of any size
LARGE = 1 << 20  # numbers in a weight
SIDE = 32  # columns, below which the panel is not filled
EMPTY = np.empty(0, np.float32)


def _turned(x: Any, w: Any, bias: Any = None) -> Any:
    """``x @ w.T`` of matrices, plus a bias, by the compiled kernel; None where BLAS is to do it."""
    rows, columns, work = x.shape[0], w.shape[0], x.size * w.shape[0]
    if work < LEAST or rows < ROWS or columns < SIDE or (rows > FEW and w.size >= LARGE) or x.dtype.char != "f":
        return None
    if w.dtype.char != "f" or not (x.flags.c_contiguous and w.flags.c_contiguous) or x.shape[1] != w.shape[1]:
        return None
    loops = compiled("product", work >> 6, least=1)
    if loops is None or loops.LANES != 16:  # measured with vectors of that size only
        return None
    y = np.empty((rows, columns), np.float32)
    panels, bias = -(-columns // loops.WIDE), EMPTY if bias is None else np.ascontiguousarray(bias)
    spread(loops.multiply, panels, (work >> 4) // panels, x, w, bias, y)
    return y


def mm(x: Any, w: Any, transposed: bool = False) -> Any:
    """``x @ w`` or ``x @ w.T`` as one product; see the definition."""
    if transposed:
        w = w.T
    if x.dtype.char not in BLAS:
        return plain.mm(np, x, w)
    rows = x if x.ndim == 2 else flat(x)
    y = _turned(rows, w.T) if w.flags.f_contiguous else None
    if y is None:
        y = rows.dot(w)
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], w.shape[1])


def gram(x: Any, y: Any) -> Any:
    """``x.T @ y`` over all rows; see the definition."""
    return flat(x).T.dot(flat(y)) if x.dtype.char in BLAS else plain.gram(np, x, y)


def linear(x: Any, w: Any, b: Any = None) -> Any:
    """``x @ w.T + b``, the bias added in place; see the definition."""
    if b is not None and b.dtype.char == "f":
        y = _turned(x if x.ndim == 2 else flat(x), w, b)
        if y is not None:
            return y if x.ndim == 2 else y.reshape(*x.shape[:-1], w.shape[0])
    y = mm(x, w, True)
    if b is not None:
        y += b
    return y


def linear_backward(g: Any, x: Any, w: Any, bias: bool) -> tuple[Any, Any, Any]:
    """The gradients of rows, weight and bias: a product, a product, and a product with ones."""
    if g.dtype.char not in BLAS:
        return (
            None if w is None else mm(g, w),
            None if x is None else gram(g, x),
            sum_rows(g) if bias else None,
        )
    rows = g if g.ndim == 2 else flat(g)
    gx = gw = gb = None
    if w is not None:
        gx = rows.dot(w)
        if g.ndim != 2:
            gx = gx.reshape(*g.shape[:-1], w.shape[1])
    if x is not None:
        gw = rows.T.dot(x if x.ndim == 2 else flat(x))
    if bias:
        gb = ones(rows.shape[0], rows.dtype.char).dot(rows)
    return gx, gw, gb


def sum_rows(x: Any) -> Any:
    """The sum over leading dimensions as a product with ones: BLAS does it up to 20 times faster than ``np.sum``."""
    if x.dtype.char not in BLAS:
        return plain.sum_rows(np, x)
    rows = flat(x)
    return ones(rows.shape[0], rows.dtype.char).dot(rows)


@functools.lru_cache(maxsize=64)
def ones(n: int, char: str) -> Any:
    """A vector of ones that nobody writes on."""
    return np.ones(n, char)
