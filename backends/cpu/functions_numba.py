"""NumPy's own inner loops, called without the lock on Python and so on many threads. See ``functions.py``."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from .crew_numba import enter
from .jit_numba import instructions, loop

__all__: list[str] = []  # found through functions.py

WORD = ir.IntType(64)


@instructions
def call(typingctx: Any, function: Any, data: Any, operands: Any, count: Any, steps: Any) -> Any:
    """``function(operands, count, steps, data)`` in C, all of them addresses: how NumPy calls its inner loops."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [pointer] * 4)
        address, data, *others = args
        passed = [builder.inttoptr(a, pointer) for a in (*others, data)]
        builder.call(builder.inttoptr(address, kind.as_pointer()), passed)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 5), codegen


@instructions
def data_of(typingctx: Any, array: Any) -> Any:
    """Where the elements of the NumPy array at an address begin: the first word after its head."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = builder.add(args[0], WORD(object.__basicsize__))
        return builder.load(builder.inttoptr(place, WORD.as_pointer()))

    return types.int64(types.int64), codegen


@loop
def flat(function: int, data: int, count: int, x: int, y: int, z: int, steps: int, first: int, last: int) -> None:
    """Call an inner loop for elements from ``first`` up to ``last``.

    Args:
        function: the inner loop's address.
        data: what it takes beside its operands.
        count: how many operands there are, the result among them: 2 or 3.
        x: the address of an array that lies without gaps.
        y: another one's.
        z: the third one's, if there are three.
        steps: the bytes from one element to the next, 8 bits for each operand.
        first: the first element.
        last: the element after the last.
    """
    enter()
    work = np.empty(7, np.int64)  # addresses, steps, and how many elements
    work[3], work[4], work[5], work[6] = steps & 255, (steps >> 8) & 255, steps >> 16, last - first
    work[0] = data_of(x) + first * work[3]
    work[1] = data_of(y) + first * work[4]
    if count == 3:
        work[2] = data_of(z) + first * work[5]
    at = work.ctypes.data
    call(function, data, at, at + 48, at + 24)


@loop
def run(function: int, data: int, table: Any, first: int, last: int) -> None:
    """Call an inner loop for the rows from ``first`` up to ``last``.

    Args:
        function: the inner loop's address.
        data: what it takes beside its operands.
        table: int64. Its first row is (elements of a row, rows in a group); the others are, for each operand, its
            address and the bytes from one element, row and group to the next.
        first: the first row.
        last: the row after the last.
    """
    enter()
    operands = table.shape[0] - 1
    work = np.empty(2 * operands + 1, np.int64)  # addresses, steps, and how many elements
    work[2 * operands] = table[0, 0]
    for i in range(operands):
        work[operands + i] = table[i + 1, 1]
    at = work.ctypes.data
    for row in range(first, last):
        group, within = row // table[0, 1], row % table[0, 1]
        for i in range(operands):
            work[i] = table[i + 1, 0] + within * table[i + 1, 2] + group * table[i + 1, 3]
        call(function, data, at, at + 16 * operands, at + 8 * operands)
