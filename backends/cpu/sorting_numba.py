"""Order of rows by way of numbers that hold an element's rank and its place. Imported only when it pays.

Elements come as their bits, integers of the same width. `key` makes numbers of them that are in the same order, and
`pack` puts each element's position into the low bits of its key, so that no two are equal: any sort of these numbers
keeps equal elements in their order, and what is sorted says by itself where it was.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .crew_numba import enter
from .jit_numba import inlined, loop

__all__: list[str] = []  # found through cpu/sorting.py

BLOCK = 32  # elements that are compared together
LONG = 64  # elements of a run in which only a sort of its own could help


@inlined
def key(bits: Any, infinity: int, most: int) -> Any:
    """An integer that is larger where the element is; NaN is the largest, and the two zeros are one.

    Args:
        bits: of the element.
        infinity: the bits of a float's infinity; 0 for integers.
        most: the largest integer of the same width.
    """
    number = np.int64(bits)
    if infinity:
        size = number & most
        if size > infinity:
            return infinity + 1
        if number < 0:
            return -size
    return number


@loop
def limits(x: Any, infinity: int, most: int, found: Any, first: int, last: int) -> None:
    """The least and the largest key of rows, one pair for each."""
    enter()
    for r in range(first, last):
        row = x[r]
        low = high = key(row[0], infinity, most)
        for i in range(row.size):
            k = key(row[i], infinity, most)
            low, high = min(low, k), max(high, k)
        found[r, 0], found[r, 1] = low, high


@loop
def pack(
    x: Any, infinity: int, most: int, base: int, down: bool, shift: int, bits: int, y: Any, first: int, last: int
) -> None:
    """Keys, counted from ``base`` (downwards if ``down``), less the lowest ``shift`` bits, with positions behind.

    Elements ``first`` to ``last`` of the flattened rows are packed.
    """
    enter()
    n = x.shape[1]
    place = first
    while place < last:
        r = place // n
        start, stop = place - r * n, min(n, last - r * n)
        row, out = x[r, start:stop], y[r, start:stop]
        for i in range(out.size):
            k = key(row[i], infinity, most)
            distance = np.uint64(base - k if down else k - base)
            out[i] = distance >> np.uint64(shift) << np.uint64(bits) | np.uint64(start + i)
        place = r * n + stop


@loop
def mend(x: Any, infinity: int, most: int, down: bool, bits: int, y: Any, wrong: Any, first: int, last: int) -> None:
    """Order elements whose keys differ in nothing but the bits that were left out; tell of runs that are too long."""
    enter()
    mask = np.uint64((1 << bits) - 1)
    for r in range(first, last):
        row, out = x[r], y[r]
        begin = 0
        for i in range(1, out.size + 1):
            if i < out.size and out[i] >> np.uint64(bits) == out[begin] >> np.uint64(bits):
                continue
            if i - begin > LONG:
                same = key(row[out[begin] & mask], infinity, most)
                for j in range(begin + 1, i):
                    if key(row[out[j] & mask], infinity, most) != same:
                        wrong[0] = 1
                        return
            else:
                for j in range(begin + 1, i):
                    word = out[j]
                    k = key(row[word & mask], infinity, most)
                    at = j
                    while at > begin:
                        other = key(row[out[at - 1] & mask], infinity, most)
                        if (other >= k) if down else (other <= k):
                            break
                        out[at] = out[at - 1]
                        at -= 1
                    out[at] = word
            begin = i


@loop
def positions(y: Any, bits: int, out: Any, first: int, last: int) -> None:
    """The positions in elements ``first`` to ``last`` of what is packed."""
    enter()
    mask = np.uint64((1 << bits) - 1)
    source, target = y[first:last], out[first:last]
    for i in range(target.size):
        target[i] = np.int64(source[i] & mask)


@inlined
def split(a: Any, b: Any, count: int) -> int:
    """How many of the ``count`` least elements of two ascending arrays, all of them different, are in the first."""
    low, high = max(0, count - b.size), min(count, a.size)
    while low < high:
        middle = (low + high) // 2
        if a[middle] < b[count - middle - 1]:
            low = middle + 1
        else:
            high = middle
    return low


@loop
def merge(a: Any, b: Any, out: Any, first: int, last: int) -> None:
    """Elements ``first`` to ``last`` of two ascending arrays in one."""
    enter()
    i = split(a, b, first)
    j = first - i
    for place in range(first, last):
        if j >= b.size or (i < a.size and a[i] < b[j]):
            out[place] = a[i]
            i += 1
        else:
            out[place] = b[j]
            j += 1


@loop
def top(x: Any, infinity: int, most: int, largest: bool, out: Any, first: int, last: int) -> None:
    """Where the largest (or least) elements of rows ``first`` to ``last`` are, in order; of equal ones the first.

    A short list of the best so far is kept. Most blocks have no element that belongs in it, which is quickly seen.
    """
    enter()
    count = out.shape[1]
    keys = np.empty(count, np.int64)
    for r in range(first, last):
        row, places = x[r], out[r]
        kept = 0
        for start in range(0, row.size, BLOCK):
            part = row[start : start + BLOCK]
            if kept == count:
                better = False
                bound = keys[count - 1]
                for i in range(part.size):
                    k = key(part[i], infinity, most)
                    better |= (k if largest else ~k) > bound
                if not better:
                    continue
            for i in range(part.size):
                k = key(part[i], infinity, most)
                if not largest:
                    k = ~k
                if kept == count and k <= keys[count - 1]:
                    continue
                at = kept if kept < count else count - 1
                while at > 0 and keys[at - 1] < k:
                    keys[at], places[at] = keys[at - 1], places[at - 1]
                    at -= 1
                keys[at], places[at] = k, start + i
                kept = min(kept + 1, count)


@loop
def search(row: Any, values: Any, right: bool, out: Any, first: int, last: int) -> None:
    """Before how many elements of an ascending row each value goes; NaN is larger than all numbers."""
    enter()
    part, places = values[first:last], out[first:last]
    numbers = row.size
    while numbers > 0 and row[numbers - 1] != row[numbers - 1]:
        numbers -= 1
    for i in range(places.size):
        value = part[i]
        if value != value:
            places[i] = row.size if right else numbers
            continue
        low, size = 0, numbers
        while size > 0:  # without a branch on what is found
            half = (size + 1) >> 1
            element = row[low + half - 1]
            behind = element <= value if right else element < value
            low += half if behind else 0
            size -= half
        places[i] = low
