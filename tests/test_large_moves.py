"""Copies, order, positions and running sums of arrays that are large enough for several threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends.cpu import casts, cumulative, indexing, moves, random, sorting
from wengert.backends.definitions import cumulative as plain_cumulative
from wengert.backends.definitions import indexing as plain_indexing
from wengert.backends.definitions import random as plain_random
from wengert.backends.definitions import sorting as plain_sorting
from wengert.backends.definitions import statistics as plain_statistics

pytest.importorskip("numba", reason="compiled kernels need Numba")
pytestmark = [
    pytest.mark.usefixtures("threads"),
    pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:overflow:RuntimeWarning"),
]
KINDS = ["?", "h", "f", "D"]
SHAPES = [((200, 700), 1), ((200, 700), 0), ((5, 90, 301), 1), ((140_003,), 0)]  # and a dimension


def numbers(shape: Any, kind: str, seed: int = 0, special: bool = True) -> Any:
    """Numbers of a type, equal ones and special ones among them."""
    x = np.random.default_rng(seed).standard_normal(shape) * 50
    if special and kind in "efd":
        flat = x.reshape(-1)
        flat[::97], flat[1::97], flat[2::97], flat[3::97], flat[4::97] = 0.0, -0.0, np.nan, np.inf, -np.inf
    return x.astype(kind)


def same(found: Any, expected: Any) -> None:
    """Type, shape and every bit but those of NaN, and elements that lie in C order."""
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    assert found.flags.c_contiguous
    if found.dtype.kind == "V":
        found, expected = found.astype("f"), expected.astype("f")
    np.testing.assert_array_equal(found, expected)
    if found.dtype.kind == "f":
        np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))


@pytest.mark.parametrize("kind", KINDS)
def test_copies_of_every_layout(kind: str):
    x = numbers((4, 9, 101, 113), kind, special=False)
    turned = (x, x[::-1], x[..., ::-1], x.transpose(0, 2, 3, 1), x.T, x[:, ::2, 1:], x[..., ::2], x.reshape(-1)[::3])
    spread = (np.broadcast_to(x[..., :1], x.shape), np.broadcast_to(x[0], x.shape), x[0, ..., None] + x[0, 0, 0, :3])
    for v in (*turned, *spread, np.broadcast_to(x[:1, :1, :1, :1], x.shape)):
        same(moves.compact(v), v.copy("C"))
        wide = np.zeros((*v.shape[:-1], 2 * v.shape[-1]), kind)
        moves.copy_into(wide[..., ::2], v)
        same(wide[..., ::2].copy(), v.copy("C"))
        assert not wide[..., 1::2].any()
    with pytest.raises(ValueError, match="broadcast"):
        moves.copy_into(np.zeros((9, 101, 113), kind), x[0, ..., :5])


def test_copies_within_one_array():
    x = np.arange(400_000, dtype=np.float32)
    expected = x[:-1].copy()
    moves.copy_into(x[1:], x[:-1])
    same(x[1:].copy(), expected)
    frozen = np.zeros(400_000, np.float32)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        moves.copy_into(frozen, x)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_made_of_copies(kind: str):
    x, row = numbers((3, 311, 301), kind, special=False), numbers(400_001, kind, special=False)
    for axis in (0, 1, -1):
        same(moves.concatenate([x, x[:, :, :]], axis=axis), np.concatenate([x, x], axis=axis))
        same(moves.stack([x, x], axis=axis), np.stack([x, x], axis=axis))
        one = np.broadcast_to(x[:1, :1, :1], x.shape)
        same(moves.concatenate([one, x, one], axis=axis), np.concatenate([one, x, one], axis=axis))
    for shift in (3, -1, 10**7, 0):
        same(moves.roll(row, (shift,), (0,)), np.roll(row, shift, 0))
    same(moves.roll(x, (3, -7, 2), (0, 2, 0)), np.roll(x, (3, -7, 2), (0, 2, 0)))
    same(moves.tile(x, (2, 1, 3)), np.tile(x, (2, 1, 3)))
    same(moves.full((999, 777), 3, np.dtype(kind)), np.full((999, 777), 3, np.dtype(kind)))
    for offset in (-1000, -5, 0, 1, 50, 1000):
        for upper in (False, True):
            same(moves.triangle(x, offset, upper), plain_indexing.triangle(np, x, offset, upper))


@pytest.mark.parametrize("kind", ["i", "l", "f", "d"])
def test_progressions(kind: str):
    for first, step in ((0, 1), (5, -3), (7, 2), (0.5, 0.25)):
        args = (first, step) if kind in "fd" else (int(first), int(step + 0.75))
        expected = plain_cumulative.progression(np, *args, 300_001, np.dtype(kind))
        same(moves.progression(*args, 300_001, np.dtype(kind)), expected)


@pytest.mark.parametrize("kind", ["?", "f", "d", "D"])
@pytest.mark.parametrize(("shape", "dim"), SHAPES)
def test_reading_and_writing_at_positions(kind: str, shape: tuple[int, ...], dim: int):
    rng, n = np.random.default_rng(1), shape[dim]
    sizes = [m + 9 if d == dim else m for d, m in enumerate(shape)]
    x, index, few = numbers(shape, kind, special=False), rng.integers(0, n, sizes), rng.integers(0, n, 77)
    same(indexing.gather_elements(x, index, dim), plain_indexing.gather_elements(np, x, index, dim))
    same(indexing.index_select(x, few, dim), np.take(x, few, dim))
    same(indexing.index_get(x, (slice(None),) * dim + (few - n,)), np.take(x, few, dim))
    found, expected = x.copy(), x.copy()
    value = numbers(sizes, kind, seed=2, special=False)
    indexing.scatter_(found, index, value, dim)
    plain_indexing.scatter_(np, expected, index, value, dim)
    same(found, expected)
    for wrong in (n, -1):
        bad = index.copy()
        bad.reshape(-1)[5] = wrong
        for call in (indexing.gather_elements, lambda x, i, d: indexing.scatter_(x, i, 0, d)):
            with pytest.raises(IndexError, match=f"index {wrong} is out of bounds"):
                call(x, bad, dim)
    few[3] = n
    with pytest.raises(IndexError, match=f"index {n} is out of bounds"):
        indexing.index_select(x, few, dim)


@pytest.mark.parametrize("kind", ["f", "l"])
@pytest.mark.parametrize(("shape", "dim"), SHAPES)
def test_combining_at_positions(kind: str, shape: tuple[int, ...], dim: int):
    rng, n = np.random.default_rng(1), shape[dim]
    x, value, index = numbers(shape, kind), numbers(shape, kind, seed=2), rng.integers(0, n, shape)
    names = (("scatter_extreme_", (True,)), ("scatter_extreme_", (False,)), ("scatter_add_", ()), ("index_add_", ()))
    for name, options in names:
        found, expected, place = x.copy(), x.copy(), index
        if name == "index_add_":
            place = rng.integers(0, n, n)
        getattr(indexing, name)(found, place, value, dim, *options)
        getattr(plain_indexing, name)(np, expected, place, value, dim, *options)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("shape", [(300, 700), (5, 140, 300), (5000, 1)])
def test_positions_of_several_dimensions(shape: tuple[int, ...]):
    mask = np.random.default_rng(0).random(shape) < 0.4
    for v in (mask, mask.T, mask * 2.5, mask[::-1]):
        for found, expected in zip(indexing.nonzero(v), np.nonzero(v), strict=True):
            same(found, expected)
    x = numbers(shape, "f", special=False)
    key = tuple([np.random.default_rng(n).integers(-n, n, (70, 60)) for n in shape])
    same(indexing.index_get(x, key), x[key])
    found, expected = x.copy(), x.copy()
    indexing.index_put_(found, key, np.float32(1.5), True)
    plain_indexing.index_put_(np, expected, key, np.float32(1.5), True)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    key[-1][5, 5] = shape[-1]
    with pytest.raises(IndexError, match=f"index {shape[-1]} is out of bounds for dimension {len(shape) - 1}"):
        indexing.index_get(x, key)
    counted = np.random.default_rng(0).integers(0, 50, 300_000)
    same(indexing.bincount(counted, None, 70), np.bincount(counted, None, 70))


def rows_of(kind: str, shape: tuple[int, ...]) -> Any:
    """Rows to sort; ``near``: numbers that differ in their last bits only, ``far``: integers of 63 bits."""
    if kind == "near":
        return 1 + numbers(shape, "d", special=False) * 1e-14
    if kind == "far":
        return (numbers(shape, "d", special=False) * 2.0**50).astype("l")
    if kind == "bfloat16":
        return numbers(shape, "f").astype(wg.bfloat16.dtype)
    return numbers(shape, kind)


@pytest.mark.parametrize("kind", ["?", "bfloat16", "f", "d", "near", "far"])
@pytest.mark.parametrize(("shape", "dim"), [((30, 700), 1), ((700, 30), 0), ((280_000,), 0), ((5000, 6), 1)])
def test_order(kind: str, shape: tuple[int, ...], dim: int):
    x = rows_of(kind, shape)
    for down in (False, True):
        order = plain_sorting.sort_positions(np, x, dim, down)
        same(sorting.sort_positions(x, dim, down), order)
        for count in (1, 5, shape[dim] // 5):
            best = order[(slice(None),) * dim + (slice(0, count),)]
            np.testing.assert_array_equal(sorting.top_positions(x, count, dim, down), best)
        if not down:
            third = order[(slice(None),) * dim + (slice(shape[dim] // 3 - 1, shape[dim] // 3),)]
            np.testing.assert_array_equal(sorting.kth_positions(x, shape[dim] // 3, dim), third)
    (values, inverse, counts), expected = sorting.unique_parts(x, None), plain_statistics.unique_parts(np, x, None)
    np.testing.assert_array_equal(values.astype("d"), expected[0].astype("d"))
    np.testing.assert_array_equal(values[inverse].astype("d"), x.astype("d"))  # whichever NaN is which
    same(counts, expected[2])
    for part, expected in zip(sorting.median(x, dim), plain_statistics.median(np, x, dim), strict=True):
        np.testing.assert_array_equal(part.astype("d"), expected.astype("d"))


@pytest.mark.parametrize("kind", ["f", "l"])
@pytest.mark.parametrize("n", [1, 2, 7, 1000])
def test_places_in_a_sorted_row(kind: str, n: int):
    row, values = np.sort(numbers(n, kind)), numbers(20_000, kind, seed=1)
    for right in (False, True):
        same(sorting.places(row, values, right), plain_sorting.places(np, row, values, right).astype("l"))


@pytest.mark.parametrize("kind", ["f", "l"])
@pytest.mark.parametrize(("shape", "dim"), SHAPES)
def test_running_results(kind: str, shape: tuple[int, ...], dim: int):
    x = numbers(shape, kind, special=False)
    for v in (x, np.broadcast_to(x[..., :1], shape), np.broadcast_to(np.array(2, kind), shape)):
        wide = v.astype("d") if kind == "f" else v
        for reverse in (False, True):
            expected = plain_cumulative.cumsum(np, wide, dim, reverse)
            np.testing.assert_allclose(cumulative.cumsum(v, dim, reverse), expected, rtol=1e-6, atol=1e-2)
        near = (1 + wide * 1e-6).astype("f") if kind == "f" else wide
        expected = plain_cumulative.cumprod(np, near.astype("d") if kind == "f" else near, dim)
        np.testing.assert_allclose(cumulative.cumprod(near, dim), expected, rtol=1e-5)
    x = numbers(shape, kind)
    for largest in (False, True):
        expected = plain_statistics.cumulative_extreme(np, x, dim, largest)
        for part, wanted in zip(cumulative.cumulative_extreme(x, dim, largest), expected, strict=True):
            same(part, wanted)


@pytest.mark.parametrize("kind", ["?", "B", "i", "l", "f", "d"])
def test_casts(kind: str):
    x = numbers(200_001, "d") * 1e3
    x[:3] = 1e20, 3e9, 1e-42
    x = x.astype(kind)
    for other in "?ilfde":
        same(casts.astype(x, np.dtype(other)), x.astype(other))


@pytest.mark.parametrize("limits", [(0, 9), (0, 8), (-(2**63), 2**63), (7, 8), (-(2**63), 2**63 - 1), (3, 2**33 + 7)])
def test_random_integers(limits: tuple[int, int]):
    place = 12345678901, 7, *limits, (100_003,)
    same(random.random_integers(*place), plain_random.random_integers(np, *place))


def test_random_numbers_do_not_depend_on_the_number_of_threads():
    same(random.random_normal(5, 9, (300_001,), "float32"), plain_random.random_normal(np, 5, 9, (300_001,), "float32"))
