"""Products of a few rows with a matrix that is used many times, compiled, for float32.

A recurrent layer multiplies the states of a batch by the same weight at every step, attention some queries by the keys
of their head: too few rows for a BLAS to earn back what it spends on laying out the matrix anew each time. Here that is
done once, in *panels* of WIDE columns whose rows follow each other in memory, and a block of rows times a panel keeps
its sums in registers. An element is the sum over the depth in its order whatever the block is, so that it does not
depend on how rows are shared out.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from .jit_numba import inlined, instructions, loop
from .simd_numba import FAST, FLOAT, INT, LANE, LANES, WIDE, _call, _filled, _pointer, _vector_at, copy, transpose

__all__: list[str] = []  # found through the modules that are built on it

TALL, HALF, LOW = (12, 8, 4) if LANES == 16 else (6, 4, 2)  # rows of a block: with 2 vectors each they fit registers
DEPTH = 256  # of the part of a panel that is used at a time: it stays in the first cache


def _emit_block(
    height: int, builder: Any, a: Any, a_row: Any, a_step: Any, b: Any, depth: Any, c: Any, c_row: Any, start: Any,
    start_row: Any,
) -> None:  # fmt: skip
    """``c[i, j] = start[i, j] + sum over l < depth of a[i, l] * b[l, j]`` for ``height`` rows and WIDE columns."""
    places = [(i, j) for i in range(height) for j in range(2)]
    sums = {p: cgutils.alloca_once(builder, LANE) for p in places}

    def at(base: Any, row: Any, i: int, j: int) -> Any:
        offset = builder.add(builder.mul(row, ir.Constant(INT, i)), ir.Constant(INT, j * LANES))
        return _vector_at(builder, base, offset)

    for p in places:
        builder.store(ir.Constant(LANE, [0.0] * LANES), sums[p])
    rows = [_pointer(builder, a, builder.mul(a_row, ir.Constant(INT, i)), FLOAT) for i in range(height)]
    with cgutils.for_range(builder, depth) as inner:
        base = builder.mul(inner.index, ir.Constant(INT, WIDE))
        right = [
            builder.load(_vector_at(builder, b, builder.add(base, ir.Constant(INT, j * LANES))), align=4)
            for j in range(2)
        ]
        along = builder.mul(inner.index, a_step)
        for i in range(height):
            left = _filled(builder, builder.load(builder.gep(rows[i], [along])))
            for j in range(2):
                product = builder.fmul(left, right[j], flags=FAST)
                builder.store(builder.fadd(builder.load(sums[i, j]), product, flags=FAST), sums[i, j])
    for p in places:
        before = builder.load(at(start, start_row, *p), align=4)
        builder.store(builder.fadd(before, builder.load(sums[p])), at(c, c_row, *p), align=4)


def _block(height: int) -> Any:
    """The block of so many rows."""

    @instructions
    def block(
        typingctx: Any,
        a: Any,
        a_row: Any,
        a_step: Any,
        b: Any,
        depth: Any,
        c: Any,
        c_row: Any,
        start: Any,
        start_row: Any,
    ) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            _call(builder, f"wengert_block{height}", functools.partial(_emit_block, height), args)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 9), codegen

    return block


_tall, _half, _low, _single = _block(TALL), _block(HALF), _block(LOW), _block(1)


@inlined
def column(
    rows: int, a: int, a_row: int, a_step: int, b: int, depth: int, c: int, c_row: int, start: int, start_row: int
) -> None:
    """All rows times one panel, from the highest blocks that fit to the lowest."""
    i = 0
    while i < rows:
        left, from_a, to_c, from_start = rows - i, a + 4 * i * a_row, c + 4 * i * c_row, start + 4 * i * start_row
        if left >= TALL:
            _tall(from_a, a_row, a_step, b, depth, to_c, c_row, from_start, start_row)
            i += TALL
        elif left >= HALF:
            _half(from_a, a_row, a_step, b, depth, to_c, c_row, from_start, start_row)
            i += HALF
        elif left >= LOW:
            _low(from_a, a_row, a_step, b, depth, to_c, c_row, from_start, start_row)
            i += LOW
        else:
            _single(from_a, a_row, a_step, b, depth, to_c, c_row, from_start, start_row)
            i += 1


@loop
def multiply(
    rows: int, depth: int, columns: int, a: int, a_row: int, a_step: int, panels: int, full: int, c: int, c_row: int,
    more: bool,
) -> None:  # fmt: skip
    """``c = a @ b``, or ``c += a @ b`` for ``more``, with the first ``depth`` rows of a ``b`` in panels of ``full``.

    Arrays are given by address; neighbours in a column of ``a`` are ``a_row`` numbers apart, in a row ``a_step``. Rows
    of ``c`` have room for the columns of whole panels.
    """
    nothing = np.zeros(WIDE, np.float32)
    for k in range(0, depth, DEPTH):
        part = min(DEPTH, depth - k)
        from_a = a + 4 * k * a_step
        for j in range(0, columns, WIDE):
            to, b = c + 4 * j, panels + 4 * (j * full + k * WIDE)
            if k or more:
                column(rows, from_a, a_row, a_step, b, part, to, c_row, to, c_row)
            else:
                column(rows, from_a, a_row, a_step, b, part, to, c_row, nothing.ctypes.data, 0)


@inlined
def product(rows: int, depth: int, columns: int, a: int, a_row: int, panels: int, c: int, c_row: int) -> None:
    """``c = a @ b`` for all of a ``b`` in panels; see `multiply`."""
    multiply(rows, depth, columns, a, a_row, 1, panels, depth, c, c_row, False)


@inlined
def whole(columns: int) -> int:
    """The columns of so many panels as ``columns`` take."""
    return (columns + WIDE - 1) // WIDE * WIDE


@loop
def pack(source: int, step: int, rows: int, width: int, transposed: bool, target: int) -> None:
    """Write a matrix whose rows are ``step`` apart, or its transpose, into panels, which are zero to begin with."""
    if transposed:
        for j in range(0, rows, WIDE):
            transpose(source + 4 * j * step, step, min(WIDE, rows - j), width, target + 4 * j * width, WIDE)
        return
    for j in range(0, width, WIDE):
        for k in range(rows):
            copy(source + 4 * (k * step + j), target + 4 * (j * rows + k * WIDE), min(WIDE, width - j))
