"""Which memory order the result of an elementwise op has, for operands that lie in any order.

Array libraries keep an order too, but where operands differ they fall back to the usual one. Here the first operand
decides, and the next ones only what it leaves open, as PyTorch has it: so channels-last images stay channels-last.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

__all__ = ["arranged", "contiguous_strides", "is_dense", "relaid", "result_strides"]

Strides = tuple[int, ...]
CHANNELS_LAST = (0, 2, 3, 1)


def contiguous_strides(shape: Sequence[int], order: Sequence[int] | None = None) -> Strides:
    """The strides, in elements, of dense memory; ``order`` has the dimensions from the slowest to the fastest."""
    strides = [1] * len(shape)
    step = 1
    for i in reversed(range(len(shape)) if order is None else order):
        strides[i] = step
        step *= max(shape[i], 1)
    return tuple(strides)


def _follows(shape: Sequence[int], strides: Strides, order: Sequence[int]) -> bool:
    """Whether the elements lie one after another in an order of the dimensions, those of size 1 aside."""
    step = 1
    for i in reversed(order):
        if shape[i] != 1 and strides[i] != step:
            return False
        step *= shape[i]
    return True


def is_dense(shape: Sequence[int], strides: Strides) -> bool:
    """Whether the elements lie one after another in some order, without gaps and without sharing memory."""
    step = 1
    for s, n in sorted([(s, n) for s, n in zip(strides, shape, strict=True) if n > 1]):
        if s != step:
            return False
        step *= n
    return True


@functools.lru_cache(maxsize=1024)  # a program has few combinations, and each takes long to think through
def result_strides(shape: Strides, operands: tuple[tuple[Strides, Strides], ...]) -> Strides:
    """The strides, in elements, of an elementwise result.

    Args:
        shape: of the result.
        operands: shape and strides, in elements, of each operand, of as many dimensions or fewer.
    """
    if 0 in shape:
        return contiguous_strides(shape)
    if all(s == shape for s, _ in operands):
        usual = range(len(shape))
        if all(_follows(shape, strides, usual) for _, strides in operands):
            return contiguous_strides(shape)
        if len(shape) == 4 and all(_follows(shape, strides, CHANNELS_LAST) for _, strides in operands):
            return contiguous_strides(shape, CHANNELS_LAST)
        first = operands[0][1]
        if all(strides == first for _, strides in operands) and is_dense(shape, first):
            return first
    rows = []
    for s, strides in operands:
        lead = len(shape) - len(s)
        own = [t if m == n else 0 for t, m, n in zip(strides, s, shape[lead:], strict=True)]
        rows.append((*[0] * lead, *own))
    return contiguous_strides(shape, _slowest_first(shape, rows))


def _slowest_first(shape: Strides, rows: list[Strides]) -> list[int]:
    """The dimensions sorted by what the operands' strides say, where they say something."""
    order = list(reversed(range(len(shape))))  # the fastest first
    for i in range(1, len(order)):
        place = i
        for j in range(i - 1, -1, -1):
            verdict = _compare(shape, rows, order[j], order[place])
            if verdict > 0:
                order[j], order[place] = order[place], order[j]
                place = j
            elif verdict < 0:
                break
    return order[::-1]


def _compare(shape: Strides, rows: list[Strides], a: int, b: int) -> int:
    """1 if dimension ``a`` is slower than ``b``, -1 if it is faster, 0 if no operand says; stride 0 says nothing."""
    for row in rows:
        if row[a] and row[b]:
            if row[a] != row[b]:
                return 1 if row[a] > row[b] else -1
            if shape[a] > shape[b]:
                return 1
    return 0


def is_channels_last(shape: Sequence[int], strides: Strides) -> bool:
    """Whether images (4 dimensions) or volumes (5) have their channels last, as far as sizes of 1 let one tell."""
    if len(shape) not in (4, 5) or not strides[1]:
        return False
    least = 0
    for i in (1, *range(len(shape) - 1, 1, -1), 0):
        if not shape[i] or strides[i] < least or (i == 0 and least == strides[1]):
            return False
        least = strides[i] * max(shape[i], 1)
    return True


def arranged(layout: str, k: Any, y: Any, operands: Sequence[Any]) -> Any:
    """An output in the memory order that a primitive's ``layout`` asks for: itself, or a copy.

    Args:
        layout: ``"operands"``: see `relaid`; ``"contiguous"``: the usual order; ``"channels"``: channels last where
            the first operand has them last, ``"common channels"`` where all have, ``"some channels"`` where one of the
            first two has, else the usual order.
        k: the kernels for arrays of this kind.
        y: the output.
        operands: the arrays it was computed from.
    """
    if layout == "operands":
        return relaid(k, y, operands)
    if not getattr(y, "ndim", 0):
        return y
    deciding = operands if layout == "common channels" else operands[:1] if layout == "channels" else ()
    if layout == "some channels":
        last = any(_has_channels_last(x, y.ndim) for x in operands[:2])
    else:
        last = bool(deciding) and all(_has_channels_last(x, y.ndim) for x in deciding)
    if last:
        order = (0, *range(2, y.ndim), 1)
        y = y.transpose(order)
        y = y if y.flags.c_contiguous else y.copy("C")
        return y.transpose([order.index(i) for i in range(len(order))])
    if not y.flags.c_contiguous:
        return y.copy("C")
    return k.with_strides(y, tuple([s * y.itemsize for s in contiguous_strides(y.shape)])) if 1 in y.shape else y


def _has_channels_last(x: Any, ndim: int) -> bool:
    return x.ndim == ndim and is_channels_last(x.shape, tuple([s // x.itemsize for s in x.strides]))


def relaid(k: Any, y: Any, operands: Sequence[Any]) -> Any:
    """``y`` in the memory order that an elementwise result of these operands has: itself, or a copy.

    Args:
        k: the kernels for arrays of this kind.
        y: the result.
        operands: the arrays it was computed from, in order; what is no array says nothing.
    """
    shape, size = y.shape, y.itemsize
    first = operands[0]
    arrays = [x for x in operands if getattr(x, "ndim", 0)]
    if len(arrays) == 1 and first is arrays[0] and first.strides == y.strides and first.itemsize == size:
        return y  # nearly always: one operand whose order was kept
    if not arrays or not y.size or any(x.ndim > y.ndim for x in arrays):
        return y
    known = tuple([(x.shape, tuple([s // x.itemsize for s in x.strides])) for x in arrays])
    wanted = tuple([s * size for s in result_strides(shape, known)])
    if wanted == y.strides:
        return y
    if any(n > 1 and s != t for n, s, t in zip(shape, y.strides, wanted, strict=True)):
        order = sorted(range(len(shape)), key=lambda i: -wanted[i])
        y = y.transpose(order).copy("C").transpose([order.index(i) for i in range(len(order))])
    return k.with_strides(y, wanted)
