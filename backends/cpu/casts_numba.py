"""Casts between float32 and 16-bit types by the CPU's own instructions. Imported only when it pays.

Arrays of 16-bit types come and go as their bits, uint16, since Numba knows neither type.
"""

from __future__ import annotations

import platform
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types

from .crew_numba import enter
from .jit_numba import instructions, loop

__all__: list[str] = []  # found through cpu/casts.py

if platform.machine() in ("x86_64", "AMD64") and not llvmlite.binding.get_host_cpu_features().get("f16c"):
    raise ImportError("this CPU has no instructions for float16")

I16, I32, F16, F32 = ir.IntType(16), ir.IntType(32), ir.HalfType(), ir.FloatType()


@instructions
def to_half(typingctx: Any, x: Any) -> Any:
    """A float32 as the bits of a float16."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(builder.fptrunc(args[0], F16), I16)

    return types.uint16(types.float32), codegen


@instructions
def from_half(typingctx: Any, bits: Any) -> Any:
    """The bits of a float16 as a float32."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fpext(builder.bitcast(args[0], F16), F32)

    return types.float32(types.uint16), codegen


@instructions
def to_brain(typingctx: Any, x: Any) -> Any:
    """A float32 as the bits of a bfloat16: its upper half, rounded to even; NaN has its quiet bit set."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], I32)
        odd = builder.and_(builder.lshr(bits, I32(16)), I32(1))
        rounded = builder.lshr(builder.add(bits, builder.add(odd, I32(0x7FFF))), I32(16))
        quiet = builder.or_(builder.lshr(bits, I32(16)), I32(0x40))
        return builder.trunc(builder.select(builder.fcmp_unordered("uno", args[0], args[0]), quiet, rounded), I16)

    return types.uint16(types.float32), codegen


@loop
def half(x: Any, y: Any) -> None:
    """float32 to float16."""
    enter()
    for i in range(y.size):
        y[i] = to_half(x[i])


@loop
def widened(x: Any, y: Any) -> None:
    """float16 to float32."""
    enter()
    for i in range(y.size):
        y[i] = from_half(x[i])


@loop
def brain(x: Any, y: Any) -> None:
    """float32 to bfloat16."""
    enter()
    for i in range(y.size):
        y[i] = to_brain(x[i])


@loop
def convert(x: Any, y: Any) -> None:
    """One type of numbers to another, as in C."""
    enter()
    for i in range(y.size):
        y[i] = x[i]


@loop
def truth(x: Any, y: Any) -> None:
    """Whether numbers are not zero."""
    enter()
    for i in range(y.size):
        y[i] = x[i] != 0
