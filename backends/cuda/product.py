"""Matrix products on the GPU: by cuBLASLt where it is there, else by CuPy; same numbers, fewer calls and copies.

How exact float32 products are is what `wengert.set_float32_matmul_precision` says, read at every call.
"""

from __future__ import annotations

import functools
from typing import Any

import cupy

from ..definitions import product as plain
from ..definitions.product import flat
from ..definitions.reduction import wide
from ..registry import kernels_of
from ..settings import get_float32_matmul_precision
from .cublaslt import CublasLt
from .libraries import find
from .switches import matmul as switches

__all__ = ["bmm", "contract", "gram", "linear", "linear_activation", "linear_backward", "matmul", "mm"]


@functools.cache
def library() -> CublasLt | None:
    """The binding to cuBLASLt; None where the library is missing."""
    found = find("cublasLt")
    return None if found is None else CublasLt(found, cupy)


def _multiplied(a: Any, b: Any, bias: Any = None, activation: str = "") -> Any:
    """The product by cuBLASLt, or None."""
    lt = library()
    if lt is None or a.ndim < 2 or b.ndim < 2 or a.dtype != b.dtype:
        return None
    single = a.dtype.itemsize > 2
    reduced = single or (
        switches.allow_fp16_reduced_precision_reduction
        if a.dtype.kind == "f"
        else switches.allow_bf16_reduced_precision_reduction
    )
    tf32 = get_float32_matmul_precision() != "highest"
    return lt.product(a, b, bias=bias, activation=activation, tf32=tf32, reduced=bool(reduced))


def matmul(a: Any, b: Any) -> Any:
    """``a @ b``; see the definition."""
    y = _multiplied(a, b)
    return plain.matmul(cupy, a, b) if y is None else y


def product_of(a: Any, b: Any, out: Any = None) -> Any:
    """``cupy.matmul`` for the plain definitions, which multiply in float32 and up."""
    y = _multiplied(a, b) if out is None else None
    if y is not None:
        return y
    return cupy.matmul(a, b) if out is None else cupy.matmul(a, b, out=out)


def mm(x: Any, w: Any, transposed: bool = False) -> Any:
    """``x @ w`` or ``x @ w.T`` as one product; see the definition."""
    y = matmul(flat(x), w.T if transposed else w)
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], y.shape[-1])


def gram(x: Any, y: Any) -> Any:
    """``x.T @ y`` over all rows; see the definition."""
    return matmul(flat(x).T, flat(y))


def bmm(a: Any, b: Any, ta: bool = False, tb: bool = False) -> Any:
    """Products of stacked matrices; see the definition."""
    return matmul(a.swapaxes(-1, -2) if ta else a, b.swapaxes(-1, -2) if tb else b)


def contract(a: Any, b: Any, left: Any, right: Any, out: Any) -> Any:
    """A sum of products as one stacked product; see the definition."""
    return plain.contract(cupy, a, b, left, right, out, multiply=matmul)


def linear(x: Any, w: Any, b: Any = None) -> Any:
    """``x @ w.T + b`` in one call; see the definition."""
    return linear_activation(x, w, b, "")


def linear_activation(x: Any, w: Any, b: Any, activation: str) -> Any:
    """``act(x @ w.T + b)`` with ``""``, ``"relu"`` or ``"gelu"``, the form with tanh; in one call where that can be."""
    rows = flat(x)
    fits = b is not None and b.flags.c_contiguous and b.dtype == x.dtype
    y = _multiplied(rows, w.T, b if fits else None, activation) if fits or b is None else None
    if y is None:
        y = matmul(rows, w.T)
        if b is not None:
            y += b
        y = _activated(y, activation)
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], w.shape[0])


def _activated(y: Any, activation: str) -> Any:
    if activation == "relu":
        return cupy.maximum(y, y.dtype.type(0), out=y)
    if activation == "gelu":
        z = wide(y)
        inner = 0.7978845608028654 * (z + 0.044715 * z * z * z)
        return (0.5 * z * (1 + cupy.tanh(inner))).astype(y.dtype)
    return y


def linear_backward(g: Any, x: Any, w: Any, bias: bool) -> tuple[Any, Any, Any]:
    """The gradients of rows, weight and bias: None for those that are not wanted."""
    return (
        None if w is None else mm(g, w),
        None if x is None else gram(g, x),
        kernels_of[type(g)].sum_rows(g) if bias else None,
    )
