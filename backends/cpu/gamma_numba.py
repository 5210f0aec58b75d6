"""The gamma function's family compiled, for float32 from 1/2 on, computed in float64. Imported only when it pays.

See ``definitions/gamma.py`` for the formulas.
"""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir
from numba import types

from ..definitions.gamma import _DIGAMMA, _STIRLING, STEPS
from .crew_numba import enter
from .jit_numba import inlined, instructions, loop

__all__: list[str] = []  # found through cpu/special.py

I64, F64 = ir.IntType(64), ir.DoubleType()
ROOT_HALF = 0x3FE6A09E667F3BCD  # the bits of sqrt(1/2)
LN2, HALF_LOG_TWO_PI = math.log(2), 0.5 * math.log(2 * math.pi)
# 2 atanh(s) = 2 s + s**3 times this polynomial in s**2, a minimax fit for |s| <= 0.172
L0, L1, L2, L3, L4, L5 = (0.666666666665867, 0.40000000052574697, 0.28571417075830396, 0.22223375876340135,
                          0.18123496702574815, 0.16821684847045607)  # fmt: skip
S0, S1, S2, S3, S4, S5, S6, S7, S8 = _STIRLING
D0, D1, D2, D3, D4, D5, D6, D7, D8 = _DIGAMMA


@instructions
def exponent(typingctx: Any, x: Any) -> Any:
    """The n, as a float, for which ``x / 2**n`` lies within a factor sqrt(2) of 1."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        n = builder.ashr(builder.sub(builder.bitcast(args[0], I64), I64(ROOT_HALF)), I64(52))
        return builder.sitofp(n, F64)

    return types.float64(types.float64), codegen


@instructions
def mantissa(typingctx: Any, x: Any) -> Any:
    """``x / 2**n`` with the n of `exponent`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], I64)
        n = builder.ashr(builder.sub(bits, I64(ROOT_HALF)), I64(52))
        return builder.bitcast(builder.sub(bits, builder.shl(n, I64(52))), F64)

    return types.float64(types.float64), codegen


@inlined
def log(x: Any) -> Any:
    """The natural logarithm of a positive normal number."""
    m = mantissa(x)
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    series = ((((L5 * z + L4) * z + L3) * z + L2) * z + L1) * z + L0
    return exponent(x) * LN2 + (2.0 * s + s * z * series)


@loop
def lgamma(x: Any, y: Any) -> None:
    """``log(gamma(x))`` for finite x of 1/2 and more."""
    enter()
    for i in range(y.size):
        v = float(x[i])
        low = v < STEPS
        factor = v if low else 1.0
        step = 1.0 if low else 0.0
        product = factor
        for _ in range(STEPS - 1):
            factor += step
            product *= factor
        z = v + STEPS if low else v
        r = 1.0 / (z * z)
        series = (((((((S8 * r + S7) * r + S6) * r + S5) * r + S4) * r + S3) * r + S2) * r + S1) * r + S0
        found = (z - 0.5) * log(z) - z + HALF_LOG_TWO_PI + series / z - log(product)
        y[i] = 0.0 if v == 1.0 or v == 2.0 else found


@loop
def digamma(x: Any, y: Any) -> None:
    """The derivative of `lgamma` for finite x of 1/2 and more."""
    enter()
    for i in range(y.size):
        v = float(x[i])
        low = v < STEPS
        factor = v if low else 1.0
        step = 1.0 if low else 0.0
        product, derivative = factor, step
        for _ in range(STEPS - 1):
            factor += step
            derivative = derivative * factor + product * step
            product *= factor
        z = v + STEPS if low else v
        r = 1.0 / (z * z)
        series = (((((((D8 * r + D7) * r + D6) * r + D5) * r + D4) * r + D3) * r + D2) * r + D1) * r + D0
        y[i] = log(z) - 0.5 / z - r * series - derivative / product
