"""Philox on the GPU: one launch per draw, with the bits of ``definitions/random.py``; the source is ``philox.cu``."""

from __future__ import annotations

import functools
import math
from typing import Any

import cupy
import numpy as np

from ..definitions import random as plain
from ..definitions.random import MASK32, MASK64
from ..dtypes import DType, bool_, float64, int64, to_dtype
from .loader import source

__all__ = [
    "philox",
    "random_bernoulli",
    "random_exponential",
    "random_integers",
    "random_normal",
    "random_permutation",
    "random_uniform",
]

OPTIONS = ("--std=c++17", "--fmad=false")  # one rounding per operation, as on the CPU
_THREADS = 256
_MOST_BLOCKS = 4096  # of threads; each then goes on to further items


@functools.cache
def _kernel(name: str) -> Any:
    return _module().get_function(name)


@functools.cache
def _module() -> Any:
    return cupy.RawModule(code=source("philox"), options=OPTIONS)


def _launch(name: str, out: Any, words: int, key: int, offset: int, *arguments: int) -> Any:
    """Fill the fresh array ``out`` with items of ``words`` words each; integers travel as uint64."""
    number = plain.blocks(out.size, words)
    if number:
        grid = min(-(-number // _THREADS), _MOST_BLOCKS)
        scalars = (out.size, key & MASK64, offset & MASK64, offset >> 64 & MASK64, *arguments)
        _kernel(name)((grid,), (_THREADS,), (out, *(np.uint64(scalar) for scalar in scalars)))
    return out


def philox(key0: int, key1: int, counter: int, n: int) -> Any:
    """``n`` random words, uint32; see the definition."""
    return _launch("words_uint32", cupy.empty(n, np.uint32), 1, key0 | key1 << 32, counter)


def random_uniform(key: int, offset: int, shape: Any, dtype: Any) -> Any:
    """Numbers in [0, 1); see the definition."""
    real, kind = plain.real_of("random_uniform", dtype), to_dtype(dtype)
    if real.itemsize == 2:  # the top bits of the same words: rounding down is what shortens a fraction
        step = 2.0 ** plain.PRECISION[real.name]
        return (cupy.floor(_real("uniform", key, offset, shape, real) * step) / step).astype(real.dtype)
    return _as_complex(_real("uniform", key, offset, _parts(shape, kind), real), kind, shape)


def random_normal(key: int, offset: int, shape: Any, dtype: Any) -> Any:
    """Numbers of the standard normal distribution; see the definition."""
    real, kind = plain.real_of("random_normal", dtype), to_dtype(dtype)
    numbers = _real("normal", key, offset, _parts(shape, kind), real)
    if kind.is_complex:
        numbers *= math.sqrt(0.5)
    return _as_complex(numbers.astype(real.dtype, copy=False), kind, shape)


def random_exponential(key: int, offset: int, shape: Any, dtype: Any) -> Any:
    """Numbers of the exponential distribution; see the definition."""
    real = plain.real_of("random_exponential", dtype, allow_complex=False)
    return _real("exponential", key, offset, shape, real).astype(real.dtype, copy=False)


def _real(name: str, key: int, offset: int, shape: Any, real: DType) -> Any:
    """float64 numbers for float64, and float32 numbers for everything below it."""
    wide = real is float64
    out = cupy.empty(shape, np.float64 if wide else np.float32)
    return _launch(f"{name}_{out.dtype.name}", out, 2 if wide else 1, key, offset)


def _parts(shape: Any, kind: DType) -> Any:
    """``shape``; for complex numbers, how many real and imaginary parts it holds."""
    if not kind.is_complex:
        return shape
    return 2 * (shape if isinstance(shape, int) else math.prod(shape))


def _as_complex(numbers: Any, kind: DType, shape: Any) -> Any:
    return numbers.view(kind.dtype).reshape(shape) if kind.is_complex else numbers


def random_integers(key: int, offset: int, low: int, high: int, shape: Any, dtype: Any = int64) -> Any:
    """Integers from ``low`` to ``high - 1``; see the definition."""
    out = _launch("integers_int64", cupy.empty(shape, np.int64), 2, key, offset, (high - low) & MASK64, low & MASK64)
    return out.astype(to_dtype(dtype).dtype, copy=False)


def random_permutation(key: int, offset: int, n: int, dtype: Any = int64) -> Any:
    """The integers below ``n`` in random order; see the definition."""
    words = _launch("words_uint32", cupy.empty(4 * plain.blocks(n, 2), np.uint32), 1, key, offset)
    return plain.permutation_from(cupy, words, n, to_dtype(dtype))


def random_bernoulli(key: int, offset: int, p: Any, shape: Any, dtype: Any = bool_) -> Any:
    """True with probability ``p``; see the definition."""
    kind = to_dtype(dtype)
    if isinstance(p, cupy.ndarray):
        out = _launch("words_uint32", cupy.empty(shape, np.uint32), 1, key, offset) * 2.0**-32 < p
    else:
        threshold = min(max(math.ceil(p * 2.0**32), 0), MASK32 + 1)
        out = _launch("bernoulli_bool", cupy.empty(shape, np.bool_), 1, key, offset, threshold)
    return out.astype(kind.dtype, copy=False)
