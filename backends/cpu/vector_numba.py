"""Elementary functions of float32 as Numba compiles them into vector instructions; imported only by other such files.

Numba's own ``exp`` and ``tanh`` call the C library once for each element. These are written without calls and without
branches, so that a loop over them handles as many elements at a time as the CPU has room for: the argument is reduced
to a short interval, a polynomial (a minimax fit in this file's form) does the rest, and powers of two are put together
from their bits. NaN stays NaN, infinities and subnormal numbers are treated as in the exact function.

The largest errors over all float32 numbers, in units in the last place, are those of `ULPS`; a test measures them.

References:
    J.-M. Muller, "Elementary functions: algorithms and implementation", 3rd edition, 2016.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from .jit_numba import inlined, instructions

__all__: list[str] = []  # nothing here is a kernel

ULPS = {
    "exp": 1.0,
    "exp_flushed": 1.0,
    "expm1": 2.5,
    "tanh": 3.5,
    "sigmoid": 2.5,
    "log1p_unit": 2.0,
    "erf": 6.0,
    "log": 1.5,
}
F = np.float32
I32, F32 = ir.IntType(32), ir.FloatType()
ONE_BITS, MAGIC_BITS = 0x3F800000, 0x4B400000  # of 1.0, and of 1.5 * 2**23
MAGIC = F(12582912.0)  # added to a small number it leaves the nearest integer in the low bits


def _f32(count: int) -> Any:
    return types.float32(*[types.float32] * count)


@instructions
def fma(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """``a * b + c``, rounded once."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        function = builder.module.declare_intrinsic("llvm.fma", [F32], ir.FunctionType(F32, [F32] * 3))
        return builder.call(function, args)

    return _f32(3), codegen


@instructions
def copysign(typingctx: Any, size: Any, sign: Any) -> Any:
    """``size`` with the sign of ``sign``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        function = builder.module.declare_intrinsic("llvm.copysign", [F32], ir.FunctionType(F32, [F32] * 2))
        return builder.call(function, args)

    return _f32(2), codegen


@instructions
def scale(typingctx: Any, p: Any, rounded: Any) -> Any:
    """``p * 2**n`` for the integer n in ``rounded = n + MAGIC``; by two factors, as one could leave the range."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        n = builder.sub(builder.bitcast(args[1], I32), I32(MAGIC_BITS))
        first = builder.ashr(n, I32(1))
        product = args[0]
        for part in (first, builder.sub(n, first)):
            bits = builder.add(builder.shl(part, I32(23)), I32(ONE_BITS))
            product = builder.fmul(product, builder.bitcast(bits, F32))
        return product

    return _f32(2), codegen


@instructions
def power(typingctx: Any, rounded: Any) -> Any:
    """``2**n`` for the integer n in ``rounded = n + MAGIC``, from -126 to 127."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        bits = builder.shl(builder.bitcast(args[0], I32), I32(23))
        return builder.bitcast(builder.add(bits, I32(ONE_BITS)), F32)

    return _f32(1), codegen


@instructions
def exponent(typingctx: Any, x: Any) -> Any:
    """The integer n, as a float, for which ``x / 2**n`` lies within a factor sqrt(2) of 1; ``x`` is normal."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        n = builder.ashr(builder.sub(builder.bitcast(args[0], I32), I32(0x3F3504F3)), I32(23))
        return builder.sitofp(n, F32)

    return _f32(1), codegen


@instructions
def mantissa(typingctx: Any, x: Any) -> Any:
    """``x / 2**n`` with the n of `exponent`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], I32)
        n = builder.ashr(builder.sub(bits, I32(0x3F3504F3)), I32(23))
        return builder.bitcast(builder.sub(bits, builder.shl(n, I32(23))), F32)

    return _f32(1), codegen


@instructions
def ordered(typingctx: Any, x: Any) -> Any:
    """The bits of ``x`` as an integer that is ordered as the numbers are; integers have a vectorised maximum."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], I32)
        return builder.xor(bits, builder.and_(builder.ashr(bits, I32(31)), I32(0x7FFFFFFF)))

    return types.int32(types.float32), codegen


@instructions
def unordered(typingctx: Any, x: Any) -> Any:
    """The number whose `ordered` is ``x``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        bits = builder.xor(args[0], builder.and_(builder.ashr(args[0], I32(31)), I32(0x7FFFFFFF)))
        return builder.bitcast(bits, F32)

    return types.float32(types.int32), codegen


@instructions
def larger(typingctx: Any, a: Any, b: Any) -> Any:
    """The larger of two int32, without the conversion to int64 that Numba's own would bring."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(builder.icmp_signed(">", *args), *args)

    return types.int32(types.int32, types.int32), codegen


LOG2E, LN2_HIGH, LN2_LOW = F(1.4426950408889634), F(-0.693145751953125), F(-1.42860682030941723212e-6)
Q0, Q1, Q2, Q3, Q4 = map(F, (0.49999993432042167, 0.16666520398237722, 0.04166839080083291, 0.008368745183714462,
                             0.0013814539357608108))  # fmt: skip
ZERO, HALF, ONE, TWO = F(0), F(0.5), F(1), F(2)
TOP, BOTTOM = F(89), F(-105)  # exp is infinite above, zero below
FAR = F(9.1)  # from which on tanh is 1
L0, L1, L2, L3, L4 = map(F, (0.6666667562195655, 0.39998877744139605, 0.28616884786148356, 0.21427657840415765,
                             0.24300935044575364))  # fmt: skip
M0, M1, M2 = map(F, (0.6666677671767401, 0.39977495519576883, 0.29873074617755374))
LN2 = F(0.6931471805599453)


@inlined
def nearest(x: Any) -> Any:
    """The integer nearest to ``x / log 2``, plus `MAGIC`."""
    return fma(x, LOG2E, MAGIC)


@inlined
def rest_minus_one(x: Any, rounded: Any) -> Any:
    """``exp(x - n log 2) - 1`` for the integer n in ``rounded``."""
    n = rounded - MAGIC
    r = fma(n, LN2_LOW, fma(n, LN2_HIGH, x))
    q = fma(fma(fma(fma(Q4, r, Q3), r, Q2), r, Q1), r, Q0)
    return fma(r * r, q, r)


@inlined
def exp(x: Any) -> Any:
    """``e ** x``."""
    x = TOP if x > TOP else x
    x = BOTTOM if x < BOTTOM else x
    rounded = nearest(x)
    return scale(ONE + rest_minus_one(x, rounded), rounded)


@inlined
def exp_flushed(x: Any) -> Any:
    """``e ** x`` for x of at most 0, and 0 where that is below 1e-37: one product less, for shares of a sum."""
    low = x < F(-86)
    x = F(-86) if low else x
    rounded = nearest(x)
    y = (ONE + rest_minus_one(x, rounded)) * power(rounded)
    return ZERO if low else y


@inlined
def expm1(x: Any) -> Any:
    """``e ** x - 1``, precise near 0, for x of at most 88."""
    x = F(-18) if x < F(-18) else x
    rounded = nearest(x)
    s = power(rounded)
    return fma(s, rest_minus_one(x, rounded), s - ONE)


@inlined
def tanh(x: Any) -> Any:
    """The hyperbolic tangent, ``(e ** 2x - 1) / (e ** 2x + 1)`` of the absolute value."""
    a = copysign(x, ONE)
    a = FAR if a > FAR else a
    a = a + a
    rounded = nearest(a)
    s = power(rounded)
    e = fma(s, rest_minus_one(a, rounded), s - ONE)
    return copysign(e / (e + TWO), x)


@inlined
def sigmoid(x: Any) -> Any:
    """``1 / (1 + e ** -x)``."""
    return ONE / (ONE + exp(-x))


@inlined
def log1p_unit(t: Any) -> Any:
    """``log(1 + t)`` for t from 0 to 1, as ``2 atanh(t / (2 + t))``."""
    s = t / (TWO + t)
    z = s * s
    series = fma(fma(fma(fma(L4, z, L3), z, L2), z, L1), z, L0)
    return fma(s * z, series, TWO * s)


@inlined
def log(x: Any) -> Any:
    """The natural logarithm of a positive normal number."""
    n = exponent(x)
    m = mantissa(x) - ONE
    s = m / (TWO + m)
    z = s * s
    series = fma(fma(M2, z, M1), z, M0)
    # 2 s = m - s m, which keeps the digits that the quotient rounds off
    tail = fma(s, fma(z, series, ZERO) - m, n * -LN2_LOW)
    return fma(n, -LN2_HIGH, m + tail)


E0, E1, E2, E3, E4, E5, E6 = map(F, (
    1.128379274022564, 0.10276905748007777, -0.00019183250088401755, -0.0006197851805372704, 8.763835908543579e-05,
    -5.668802568342542e-06, 1.4188190013198391e-07,
))  # fmt: skip


@inlined
def erf(x: Any) -> Any:
    """The error function as ``tanh(x * p(x ** 2))``; see ``special.py`` for the polynomial."""
    z = x * x
    p = fma(fma(fma(fma(fma(fma(E6, z, E5), z, E4), z, E3), z, E2), z, E1), z, E0)
    return tanh(x * p)
