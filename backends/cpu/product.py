"""Matrix products on NumPy: BLAS is given transposed views and folded batches, so that nothing is copied."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ..definitions import product as plain
from ..definitions.product import flat

__all__ = ["gram", "linear", "linear_backward", "matmul", "mm", "sum_rows"]

BLAS = "fdFD"  # type characters of what OpenBLAS multiplies


def matmul(a: Any, b: Any) -> Any:
    """``a @ b``; see the definition."""
    return np.matmul(a, b) if a.dtype.char in BLAS else plain.matmul(np, a, b)


def mm(x: Any, w: Any, transposed: bool = False) -> Any:
    """``x @ w`` or ``x @ w.T`` as one product; see the definition."""
    if transposed:
        w = w.T
    if x.dtype.char not in BLAS:
        return plain.mm(np, x, w)
    return x.dot(w) if x.ndim == 2 else flat(x).dot(w).reshape(*x.shape[:-1], w.shape[1])


def gram(x: Any, y: Any) -> Any:
    """``x.T @ y`` over all rows; see the definition."""
    return flat(x).T.dot(flat(y)) if x.dtype.char in BLAS else plain.gram(np, x, y)


def linear(x: Any, w: Any, b: Any = None) -> Any:
    """``x @ w.T + b``, the bias added in place; see the definition."""
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
