"""Casts on NumPy: float16 to float32 by shifting bits, ten times as fast as its own; if it pays, by instructions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..definitions import reduction as plain
from .compiled import compiled, spread
from .elementwise import LARGE

__all__ = ["astype"]

PIECE = 32768  # elements
FRACTION = 13  # bits of a fraction that float32 has and float16 lacks
KEPT = np.int32(-0x70002000)  # the sign, and 15 bits from where the exponent of float16 comes to lie
REBASED = np.float32(2.0**112)  # the exponents count from different places


def astype(x: Any, dtype: Any) -> Any:
    """``x`` in another element type; see the definition."""
    if x.size >= LARGE and (y := _compiled(x, dtype)) is not None:
        return y
    if dtype != np.float32 or x.itemsize != 2 or x.size < LARGE or not x.flags.c_contiguous:
        return plain.astype(np, x, dtype)
    if x.dtype.kind == "V":  # bfloat16: the upper half of a float32
        bits = x.view(np.uint16).astype(np.uint32)
        return np.left_shift(bits, 16, out=bits).view(np.float32)
    if x.dtype != np.float16:
        return plain.astype(np, x, dtype)
    y = np.empty(x.shape, np.float32)
    halves, results = x.reshape(-1), y.reshape(-1)
    for start in range(0, x.size, PIECE):
        _widen(results[start : start + PIECE], halves[start : start + PIECE])
    return y


LOOPS = {("float32", "float16"): "half", ("float16", "float32"): "widened", ("float32", "bfloat16"): "brain"}
NUMBERS = ("float32", "float64", "int32", "int64")
LOOPS |= {(a, b): "convert" for a in (*NUMBERS, "bool", "uint8") for b in NUMBERS if a != b}
LOOPS |= {(a, "bool"): "truth" for a in NUMBERS}
MANY = 1 << 15  # elements, from which a loop is worth what leads to it where NumPy has one itself


def _compiled(x: Any, dtype: Any) -> Any:
    """``x`` by the CPU's instructions for pairs of types that NumPy is slow with, or None."""
    dtype = np.dtype(dtype)  # which may be given by its name
    name = LOOPS.get((x.dtype.name, dtype.name)) if x.dtype.isnative and dtype.isnative else None
    if name in ("convert", "truth") and x.size < MANY:
        return None
    loops = compiled("casts", x.size) if name and x.flags.c_contiguous else None
    if loops is None:
        return None
    y = np.empty(x.shape, dtype)
    flat = [a.reshape(-1).view(np.uint16) if a.itemsize == 2 else a.reshape(-1) for a in (x, y)]
    loop = getattr(loops, name or "")
    spread(lambda start, stop: loop(*[a[start:stop] for a in flat]), x.size, 1)
    return y


def _widen(y: Any, x: Any) -> None:
    """Write float16 ``x`` as float32: its bits moved into place, and the exponent set right by a product."""
    bits = y.view(np.int32)
    bits[...] = x.view(np.int16)  # the sign is extended to the upper half
    np.left_shift(bits, FRACTION, out=bits)
    np.bitwise_and(bits, KEPT, out=bits)
    np.multiply(y, REBASED, out=y)
    if not max(y.max(), -y.min()) < 65536:  # infinity and NaN have no place among the moved exponents
        y[...] = x
