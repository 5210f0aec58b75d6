"""Philox on the CPU: the words and numbers of ``definitions/random.py``, made piece by piece in the cache.

The definition makes whole arrays, about 15 passes per round over 64-bit words: far out of cache for a million numbers.
Here one piece goes through all rounds, in place, and becomes numbers before the next one starts.

Small draws are cut from a `Window`, a stretch of numbers made ahead: what lies at a position does not depend on who
asks.
"""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ..definitions import random as plain
from ..definitions.random import KEY_STEPS, MASK32, ROUNDS
from ..dtypes import DType, bool_, float32, int64, to_dtype
from .compiled import compiled, spread

__all__ = [
    "philox",
    "random_bernoulli",
    "random_exponential",
    "random_integers",
    "random_normal",
    "random_permutation",
    "random_uniform",
]

PIECE = 8192  # blocks; their words, in 64 bits each and three times over, fill most of a 1 MB cache
_MULTIPLIERS = np.array(plain.MULTIPLIERS, np.uint64)[:, None]
_SHIFT, _MASK = np.uint64(32), np.uint64(MASK32)


class Window:
    """A stretch of a stream of numbers, made ahead, from which small draws are cut.

    A small draw alone costs a hundred calls of NumPy, most of them for a handful of numbers; a stretch of `AHEAD`
    blocks costs hardly more. The state is replaced as a whole, so that threads may share a window.
    """

    def __init__(self) -> None:
        self.state: tuple[int, int, Any] = (-1, 0, np.empty((0, 1)))

    def cut(self, key: int, offset: int, number: int, make: Callable[[int, int, int], Any]) -> Any:
        """The numbers of ``number`` blocks from ``offset`` on, one row a block: a view, not to be written.

        Args:
            key: the seed.
            offset: the first block.
            number: how many, at most `AHEAD`.
            make: ``make(key, offset, blocks)`` gives the numbers of so many blocks, end to end.
        """
        seed, start, rows = self.state
        if seed != key or not start <= offset <= start + len(rows) - number:
            start, rows = offset, make(key, offset, AHEAD).reshape(AHEAD, -1)
            self.state = key, start, rows
        return rows[offset - start : offset - start + number]


AHEAD = 1024  # blocks
_windows: dict[tuple[str, DType], Window] = {}


def philox(key0: int, key1: int, counter: int, n: int) -> Any:
    """``n`` random words, uint32; see the definition."""
    number = plain.blocks(n)
    out = np.empty((number, 4), np.uint32)
    for start in range(0, number, PIECE):
        _fill(out[start : start + PIECE], key0, key1, counter + start)
    return out.reshape(-1)[:n]


def _fill(out: Any, key0: int, key1: int, counter: int) -> None:
    """Write the blocks from ``counter`` on to ``out``, shape (blocks, 4).

    Words 0 and 2 of every block are kept as one array and words 1 and 3 as another, so that one call serves both
    halves of a round. The products' lower halves are left unmasked until they have been used.
    """
    loops = compiled("random", out.size)
    if loops is not None:
        halves = counter & plain.MASK64, counter >> 64 & plain.MASK64
        loops.philox(out.reshape(-1), *[np.uint64(n) for n in (key0, key1, *halves)])
        return
    even, odd, spare = np.empty((3, 2, len(out)), np.uint64)
    even[0], odd[0], even[1], odd[1] = plain.counters(np, counter, len(out))
    for key in _round_keys(key0, key1):
        np.multiply(even, _MULTIPLIERS, out=spare)
        product = spare[::-1]
        np.right_shift(product, _SHIFT, out=even)
        np.bitwise_xor(even, odd, out=even)
        np.bitwise_xor(even, key, out=even)
        np.bitwise_and(even, _MASK, out=even)
        odd, spare = product, odd
    out[:, 0::2] = even.T
    out[:, 1::2] = odd.T


@functools.lru_cache(maxsize=16)
def _round_keys(key0: int, key1: int) -> Any:
    """The keys of all rounds, shape (rounds, 2, 1)."""
    steps = [(key0 + i * KEY_STEPS[0] & MASK32, key1 + i * KEY_STEPS[1] & MASK32) for i in range(ROUNDS)]
    return np.array(steps, np.uint64)[:, :, None]


def _words(key: int, offset: int, number: int) -> Any:
    """The words of ``number`` blocks, end to end."""
    return philox(key & MASK32, key >> 32 & MASK32, offset, 4 * number)


def _numbers(name: str, key: int, offset: int, shape: Any, dtype: DType, make: Callable[[Any], Any]) -> Any:
    """A draw of the kernel ``name``, whose numbers ``make`` makes of words, the same ones for the same words."""
    words, count = plain.words_per_item(name, dtype), math.prod(shape) if isinstance(shape, tuple | list) else shape
    number = plain.blocks(count, words)
    if number * 2 > AHEAD:
        return _draw(key, offset, shape, words, dtype, make)
    window = _windows.get((name, dtype)) or _windows.setdefault((name, dtype), Window())
    rows = window.cut(key, offset, number, lambda *place: make(_words(*place)).astype(dtype.dtype, copy=False))
    return rows.reshape(-1)[:count].reshape(shape).copy()


def _draw(key: int, offset: int, shape: Any, words: int, dtype: DType, make: Callable[[Any], Any]) -> Any:
    """What ``make`` makes of the words from block ``offset`` on, piece by piece."""
    out = np.empty(shape, dtype.dtype)
    flat = out.reshape(-1)
    if 2 * plain.blocks(flat.size, words) <= AHEAD:
        rows = _word_window.cut(key, offset, plain.blocks(flat.size, words), _words)
        flat[...] = make(rows.reshape(-1))[: flat.size]
        return out
    items = PIECE * 4 // words

    def fill(begin: int, end: int) -> None:
        for start in range(begin * items, min(end * items, flat.size), items):
            piece = flat[start : start + items]
            first = offset + start * words // 4
            stream = _words(key, first, plain.blocks(piece.size, words))
            piece[...] = make(stream)[: piece.size]

    number = -(-flat.size // items)
    if compiled("random", flat.size) is None:
        fill(0, number)
    else:
        spread(fill, number, items, python=True)
    return out


_word_window = Window()


def random_uniform(key: int, offset: int, shape: Any, dtype: Any) -> Any:
    """Numbers in [0, 1); see the definition."""
    plain.real_of("random_uniform", dtype)
    kind = to_dtype(dtype)
    return _numbers("random_uniform", key, offset, shape, kind, lambda stream: plain.uniform_from(np, stream, kind))


def random_normal(key: int, offset: int, shape: Any, dtype: Any) -> Any:
    """Numbers of the standard normal distribution; see the definition."""
    plain.real_of("random_normal", dtype)
    kind = to_dtype(dtype)
    return _numbers("random_normal", key, offset, shape, kind, lambda stream: _normal_from(stream, kind))


def _normal_from(stream: Any, dtype: DType) -> Any:
    """Words as normal numbers; see the definition."""
    loops = compiled("random", stream.size) if dtype is float32 else None
    if loops is None:
        return plain.normal_from(np, stream, dtype)
    numbers = np.empty(stream.size, np.float32)
    loops.normal(stream, numbers)
    return numbers


def random_exponential(key: int, offset: int, shape: Any, dtype: Any) -> Any:
    """Numbers of the exponential distribution; see the definition."""
    kind = plain.real_of("random_exponential", dtype, allow_complex=False)
    return _numbers(
        "random_exponential", key, offset, shape, kind, lambda stream: plain.exponential_from(np, stream, kind)
    )


def random_integers(key: int, offset: int, low: int, high: int, shape: Any, dtype: Any = int64) -> Any:
    """Integers from ``low`` to ``high - 1``; see the definition."""
    return _draw(key, offset, shape, 2, to_dtype(dtype), lambda stream: _integers_from(stream, low, high))


def _integers_from(stream: Any, low: int, high: int) -> Any:
    """Words as integers; see the definition."""
    loops = compiled("random", stream.size) if sys.byteorder == "little" else None
    if loops is None:
        return plain.integers_from(np, stream, low, high)
    numbers = np.empty(stream.size // 2, np.int64)
    size = np.uint64((high - low) & plain.MASK64)
    loops.integers(stream.view(np.uint64), np.uint64(low & plain.MASK64), size, numbers)
    return numbers


def random_permutation(key: int, offset: int, n: int, dtype: Any = int64) -> Any:
    """The integers below ``n`` in random order; see the definition."""
    number = plain.blocks(n, 2)
    few = 2 * number <= AHEAD
    words = _word_window.cut(key, offset, number, _words).reshape(-1) if few else _words(key, offset, number)
    loops = compiled("random", 2 * n, least=1)
    if loops is None or sys.byteorder == "big":
        return plain.permutation_from(np, words, n, to_dtype(dtype))
    width = max(1, (n - 1).bit_length())
    keys, order = words.view(np.uint64)[:n], np.empty(n, np.uint64)
    loops.permutation(keys, np.uint64(width), order)
    return order.astype(to_dtype(dtype).dtype)


def random_bernoulli(key: int, offset: int, p: Any, shape: Any, dtype: Any = bool_) -> Any:
    """True with probability ``p``; see the definition. One probability for all compares the words themselves."""
    kind = to_dtype(dtype)
    if isinstance(p, np.ndarray):
        fraction = _draw(key, offset, shape, 1, to_dtype("float64"), lambda stream: stream * 2.0**-32)
        return (fraction < p).astype(kind.dtype, copy=False)
    threshold = math.ceil(p * 2.0**32)
    if threshold > MASK32:
        return np.ones(shape, kind.dtype)
    return _draw(key, offset, shape, 1, kind, lambda stream: stream < np.uint32(max(threshold, 0)))
