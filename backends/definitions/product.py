"""Matrix products. 16-bit floats are multiplied and accumulated in float32."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .reduction import wide

__all__ = ["bmm", "contract", "gram", "linear", "matmul", "mm", "sum_rows"]


Labels = tuple[int, ...]


def matmul(xp: Any, a: Any, b: Any) -> Any:
    """``a @ b`` in the dtype of ``a``; the leading dimensions broadcast."""
    return xp.matmul(wide(a), wide(b)).astype(a.dtype)


def flat(x: Any) -> Any:
    """``x`` as a matrix of rows: all leading dimensions become one."""
    return x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def mm(xp: Any, x: Any, w: Any, transposed: bool = False) -> Any:
    """``x @ w`` (``x @ w.T`` if transposed) for a matrix ``w`` and rows ``x`` (..., n): one product for all."""
    y = matmul(xp, flat(x), w.T if transposed else w)
    return y.reshape(*x.shape[:-1], y.shape[-1])


def gram(xp: Any, x: Any, y: Any) -> Any:
    """``sum over rows of outer(x, y)``: (..., n) and (..., m) give (n, m)."""
    return matmul(xp, flat(x).T, flat(y))


def bmm(xp: Any, a: Any, b: Any, ta: bool = False, tb: bool = False) -> Any:
    """Products of stacked matrices, either of which may be meant transposed."""
    return matmul(xp, xp.swapaxes(a, -1, -2) if ta else a, xp.swapaxes(b, -1, -2) if tb else b)


def contract(
    xp: Any, a: Any, b: Any, left: Labels, right: Labels, out: Labels, multiply: Callable[[Any, Any], Any] | None = None
) -> Any:
    """The sum of products that Einstein's convention writes as ``left,right->out``, as one stacked matrix product.

    Labels are distinct within an operand, and each is in two of the three at least. In all three: a batch. In both
    operands: summed. In one operand and ``out``: rows or columns. ``multiply`` is a backend's own product.
    """
    batch = [i for i in out if i in left and i in right]
    rows = [i for i in out if i in left and i not in right]
    columns = [i for i in out if i in right and i not in left]
    summed = [i for i in left if i in right and i not in out]
    size = dict(zip(left, a.shape, strict=True)) | dict(zip(right, b.shape, strict=True))

    def matrix(x: Any, labels: Labels, *parts: list[int]) -> Any:
        order = [labels.index(i) for part in parts for i in part]
        return xp.transpose(x, order).reshape([math.prod([size[i] for i in part]) for part in parts])

    factors = matrix(a, left, batch, rows, summed), matrix(b, right, batch, summed, columns)
    y = matmul(xp, *factors) if multiply is None else multiply(*factors)
    made = batch + rows + columns
    y = y.reshape([size[i] for i in made])
    return xp.transpose(y, [made.index(i) for i in out])


def sum_rows(xp: Any, x: Any) -> Any:
    """The sum over all dimensions but the last."""
    return xp.sum(wide(flat(x)), axis=0).astype(x.dtype)


def linear(xp: Any, x: Any, w: Any, b: Any = None) -> Any:
    """``x @ w.T + b``."""
    y = mm(xp, x, w, True)
    return y if b is None else y + b
