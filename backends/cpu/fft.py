"""Fourier transforms on NumPy, some rows at a time: of millions of bytes at once its transforms are far slower."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..definitions import fft as plain

__all__ = ["fft_c2c"]

PIECE = 65536  # elements

Dims = tuple[int, ...]


def fft_c2c(x: Any, dims: Dims, inverse: bool, norm: str, order: Dims | None = None) -> Any:
    """The transform, or its inverse, of complex numbers over ``dims``; see the definition."""
    last = x.ndim - 1
    if dims != (last,) or x.size <= PIECE or not x.flags.c_contiguous:
        return plain.fft_c2c(np, x, dims, inverse, norm, order)
    transform: Any = np.fft.ifft if inverse else np.fft.fft
    rows = x.reshape(-1, x.shape[-1])
    y = np.empty_like(rows)
    step = max(1, PIECE // x.shape[-1])
    for start in range(0, len(rows), step):
        transform(rows[start : start + step], norm=norm, out=y[start : start + step])
    return plain.laid_out(np, y.reshape(x.shape), order or plain.memory_order(np, x, dims))
