"""Copies of elements of any type, as bytes: the parts of what ``moves.py`` plans. Imported only when it pays."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from . import simd_numba as simd
from .crew_numba import enter
from .jit_numba import inlined, instructions, loop

__all__: list[str] = []  # found through moves.py

BYTE, FLAG, WORD = ir.IntType(8), ir.IntType(1), ir.IntType(64)
BLOCK = 4096
TILE = 16  # elements of four bytes that fill a line of memory


@instructions
def move(typingctx: Any, target: Any, source: Any, count: Any) -> Any:
    """Copy so many bytes from one address to another, where they do not overlap."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = BYTE.as_pointer()
        memcpy = builder.module.declare_intrinsic("llvm.memcpy", [pointer, pointer, WORD])
        target, source = [builder.inttoptr(a, pointer) for a in args[:2]]
        builder.call(memcpy, [target, source, args[2], FLAG(0)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


@instructions
def clear(typingctx: Any, target: Any, count: Any) -> Any:
    """Write zeros to so many bytes from an address on."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        memset = builder.module.declare_intrinsic("llvm.memset", [BYTE.as_pointer(), WORD])
        builder.call(memset, [builder.inttoptr(args[0], BYTE.as_pointer()), BYTE(0), args[1], FLAG(0)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


def _pointer_to(kind: Any) -> Any:
    """An address, seen as that of integers of one width."""

    def pointer(typingctx: Any, address: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

        return types.CPointer(kind)(types.int64), codegen

    return instructions(pointer)


at8, at16, at32, at64 = map(_pointer_to, (types.uint8, types.uint16, types.uint32, types.uint64))


@inlined
def line(y: Any, step: int, x: Any, stride: int, count: int) -> None:
    """``y[i * step] = x[i * stride]`` for pointers to elements; the usual steps are known to the compiler."""
    if step == 1:
        if stride == -1:
            for i in range(count):
                y[i] = x[-i]
        elif stride == 0:
            value = x[0]
            for i in range(count):
                y[i] = value
        else:
            for i in range(count):
                y[i] = x[i * stride]
    elif stride == 1:
        for i in range(count):
            y[i * step] = x[i]
    else:
        for i in range(count):
            y[i * step] = x[i * stride]


@inlined
def elements(width: int, y: int, step: int, x: int, stride: int, count: int) -> None:
    """`line` at addresses, for elements of ``width`` bytes; steps in bytes."""
    if step == width and stride == width:
        move(y, x, width * count)
    elif width == 4:
        line(at32(y), step // 4, at32(x), stride // 4, count)
    elif width == 8:
        line(at64(y), step // 8, at64(x), stride // 8, count)
    elif width == 1:
        line(at8(y), step, at8(x), stride, count)
    else:
        line(at16(y), step // 2, at16(x), stride // 2, count)


@loop
def copy(width: int, table: Any, y: int, x: int, first: int, last: int, ahead: int, behind: int) -> None:
    """Copy the rows from ``first`` up to ``last``.

    Args:
        width: bytes of an element: 1, 2, 4 or 8.
        table: int64 (3, 4). Row 0 has the sizes of four dimensions, the one within rows first; rows 1 and 2, for what
            is written and what is read, the bytes from one position to the next in each dimension.
        y: the address of what is written.
        x: that of what is read.
        first: the first row.
        last: the row after the last.
        ahead: the first element of each row.
        behind: the element after the last.
    """
    enter()
    n1, n2 = table[0, 1], table[0, 2]
    to, of = y + ahead * table[1, 0], x + ahead * table[2, 0]
    for row in range(first, last):
        i, j, k = row % n1, row // n1 % n2, row // (n1 * n2)
        here = to + i * table[1, 1] + j * table[1, 2] + k * table[1, 3]
        there = of + i * table[2, 1] + j * table[2, 2] + k * table[2, 3]
        elements(width, here, table[1, 0], there, table[2, 0], behind - ahead)


@inlined
def tile(y: Any, step: int, x: Any, stride: int, rows: int, columns: int) -> None:
    """``y[i * step + j] = x[j * stride + i]``."""
    for start in range(0, columns, TILE):
        stop = min(start + TILE, columns)
        for i in range(rows):
            for j in range(start, stop):
                y[i * step + j] = x[j * stride + i]


@loop
def transpose(width: int, table: Any, y: int, x: int, first: int, last: int, ahead: int, behind: int) -> None:
    """`copy` where what is read lies without gaps along the second dimension, not the first: in strips.

    A row is here a strip of `TILE` positions of the second dimension; the last ones may be fewer.
    """
    enter()
    n0, n1, n2 = table[0, 0], table[0, 1], table[0, 2]
    strips = (n1 + TILE - 1) // TILE
    step, stride = table[1, 1] // width, table[2, 0] // width
    for row in range(first, last):
        i, j, k = row % strips * TILE, row // strips % n2, row // (strips * n2)
        to = y + i * table[1, 1] + j * table[1, 2] + k * table[1, 3]
        of = x + i * table[2, 1] + j * table[2, 2] + k * table[2, 3]
        rows = min(TILE, n1 - i)
        if width == 4:
            simd.transpose(of, stride, n0, rows, to, step)
        elif width == 8:
            tile(at64(to), step, at64(of), stride, rows, n0)
        elif width == 2:
            tile(at16(to), step, at16(of), stride, rows, n0)
        else:
            tile(at8(to), step, at8(of), stride, rows, n0)


@loop
def triangle(
    y: int, x: int, width: int, rows: int, columns: int, offset: int, upper: bool, first: int, last: int
) -> None:
    """Copy rows of matrices up to a diagonal, or from it on, and write zeros beside it.

    Args:
        y: the address of what is written, in C order.
        x: that of what is read, in C order.
        width: bytes of an element.
        rows: of each matrix.
        columns: of each matrix.
        offset: the diagonal.
        upper: keep what is on and above it.
        first: the first row, of all matrices.
        last: the row after the last.
    """
    enter()
    size = columns * width
    for row in range(first, last):
        edge = row % rows + offset + (0 if upper else 1)
        edge = min(max(edge, 0), columns) * width
        to, of = y + row * size, x + row * size
        if upper:
            clear(to, edge)
            move(to + edge, of + edge, size - edge)
        else:
            move(to, of, edge)
            clear(to + edge, size - edge)


@loop
def rows_at(y: int, x: int, index: Any, rows: int, size: int, first: int, last: int) -> None:
    """Copy the rows that ``index`` names: of each block, ``index.size`` of them.

    Args:
        y: the address of what is written, in C order.
        x: that of what is read, in C order.
        index: int64 (m,), positions that are known to be there.
        rows: in a block of what is read.
        size: bytes of a row.
        first: the first row that is written, of all blocks.
        last: the row after the last.
    """
    enter()
    for row in range(first, last):
        block, place = row // index.size, row % index.size
        move(y + row * size, x + (block * rows + index[place]) * size, size)


@loop
def count_up(y: Any, first: int, step: int, start: int, stop: int) -> None:
    """``y[i] = first + i * step``."""
    enter()
    part, number = y[start:stop], first + start * step
    for i in range(part.size):
        part[i] = number
        number += step


@loop
def count_up_by(y: Any, first: float, step: float, start: int, stop: int) -> None:
    """`count_up` of floats: exact counts in blocks that are short enough for numbers of 32 bits."""
    enter()
    for begin in range(start, stop, BLOCK):
        part = y[begin : min(begin + BLOCK, stop)]
        for i in range(part.size):
            part[i] = (begin + np.float64(np.int32(i))) * step + first
