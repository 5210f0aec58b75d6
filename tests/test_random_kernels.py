"""The counter-based generator: its published vectors, the same bits everywhere, and the distributions it must have."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from wengert.backends import get_backend
from wengert.backends.cpu import random as fast
from wengert.backends.definitions import random as plain
from wengert.backends.dtypes import to_dtype
from wengert.backends.errors import DTypeError

from .backends import to_backend, to_numpy

KEY = 0x0123456789ABCDEF
FLOATS = ("float16", "bfloat16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
# Random123's known answers for philox4x32 with 10 rounds: key, counter, and the words of its block.
KNOWN = [
    ((0, 0), 0, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ((2**32 - 1, 2**32 - 1), 2**128 - 1, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ((0xA4093822, 0x299F31D0), 0x03707344_13198A2E_85A308D3_243F6A88, "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def draw(device: str, name: str, *args: Any) -> Any:
    return to_numpy(getattr(get_backend(device).kernels, name)(KEY, *args))


def define(name: str, *args: Any) -> Any:
    return getattr(plain, name)(np, KEY, *args)


def same_bits(a: Any, b: Any) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@pytest.mark.parametrize(("key", "counter", "words"), KNOWN)
def test_known_answers(backend: str, key: tuple[int, int], counter: int, words: str):
    block = to_numpy(get_backend(backend).kernels.philox(*key, counter, 4))
    assert [f"{word:08x}" for word in block] == words.split()


@pytest.mark.parametrize("counter", [0, 2**32 - 3, 2**64 - 3, 2**96 - 3, 2**128 - 3])
def test_blocks_are_numbered_across_every_carry(backend: str, counter: int):
    philox = get_backend(backend).kernels.philox
    together = to_numpy(philox(1, 2, counter, 4 * 7 - 1))
    apart = [to_numpy(philox(1, 2, counter + i, 4)) for i in range(7)]
    assert together.dtype == np.uint32
    assert np.array_equal(together, np.concatenate(apart)[:-1])


@pytest.mark.parametrize("n", [0, 1, 4 * fast.PIECE - 1, 4 * fast.PIECE + 5])
def test_words_made_in_pieces_are_the_defined_ones(n: int):
    assert same_bits(fast.philox(3, 4, 2**64 - 1000, n), plain.philox(np, 3, 4, 2**64 - 1000, n))


@pytest.mark.parametrize("shape", [(), 0, 5, (3, 0), (7, 11), (2 * fast.PIECE + 3,)])
@pytest.mark.parametrize("dtype", [*FLOATS, *COMPLEX])
@pytest.mark.parametrize("name", ["random_uniform", "random_normal", "random_exponential"])
def test_floating_draws_have_the_defined_bits(backend: str, name: str, dtype: str, shape: Any):
    if name == "random_exponential" and dtype in COMPLEX:
        return  # there are no complex exponential numbers
    drawn = draw(backend, name, 2**64 - 7, shape, dtype)
    assert drawn.shape == np.empty(shape).shape
    assert drawn.dtype == to_dtype(dtype).dtype
    assert same_bits(drawn, define(name, 2**64 - 7, shape, dtype))


def test_other_draws_have_the_defined_bits(backend: str):
    n = 4 * fast.PIECE + 3
    p = np.linspace(0, 1, n)
    for name, *args in (
        ("random_integers", 5, -3, 40, n, "int16"),
        ("random_integers", 5, -(2**63), 2**63, (5, 3)),
        ("random_bernoulli", 5, 0.3, n),
        ("random_bernoulli", 5, 1 / 3, (5, 3), "float32"),
        ("random_permutation", 5, 1001),
    ):
        assert same_bits(draw(backend, name, *args), define(name, *args)), name
    assert same_bits(
        draw(backend, "random_bernoulli", 5, to_backend(p, backend), n), define("random_bernoulli", 5, p, n)
    )


@pytest.mark.parametrize("dtype", [*FLOATS, *COMPLEX])
@pytest.mark.parametrize("name", ["random_uniform", "random_normal"])
def test_a_draw_in_two_parts_is_one_draw(name: str, dtype: str):
    whole = define(name, 10, 40, dtype)
    first = define(name, 10, 24, dtype)
    second = define(name, 10 + plain.blocks_used(name, 24, dtype), 16, dtype)
    assert same_bits(whole, np.concatenate([first, second]))


def test_blocks_used_count_every_word():
    assert [plain.blocks(n) for n in (0, 1, 4, 5)] == [0, 1, 1, 2]
    assert plain.blocks(5, words_per_item=2) == 3
    used = {dtype: plain.blocks_used("random_normal", 9, dtype) for dtype in (*FLOATS, *COMPLEX)}
    assert used == {"float16": 3, "bfloat16": 3, "float32": 3, "float64": 5, "complex64": 5, "complex128": 9}
    assert plain.blocks_used("random_integers", 9, "int64") == plain.blocks_used("random_permutation", 9) == 5
    assert plain.blocks_used("random_bernoulli", 9) == plain.blocks_used("philox", 9) == 3


def test_streams_never_change():
    """A seed gives the same numbers in every release: programs and papers rely on it."""
    digest = hashlib.sha256()
    for dtype in (*FLOATS, *COMPLEX):
        for name in ("random_uniform", "random_normal"):
            digest.update(define(name, 3, 1000, dtype).tobytes())
    digest.update(define("random_exponential", 3, 1000, "float64").tobytes())
    digest.update(define("random_integers", 3, -10, 1000, 1000).tobytes())
    digest.update(define("random_permutation", 3, 1000).tobytes())
    digest.update(define("random_bernoulli", 3, 0.3, 1000).tobytes())
    assert digest.hexdigest() == "c39ceda77b00424978a3926359c1e6daed9701fa72f216ec3a0a2ba6f1a0b784"


def kolmogorov_smirnov(sample: Any, cumulative: Any) -> float:
    """The largest distance between the sample's distribution and the expected one, times sqrt(n)."""
    ordered = np.sort(np.asarray(sample, np.float64).ravel())
    expected, n = cumulative(ordered), ordered.size
    above, below = np.arange(1, n + 1) / n - expected, expected - np.arange(n) / n
    return float(max(above.max(), below.max()) * math.sqrt(n))


def chi_square(counts: Any, expected: Any) -> float:
    """Pearson's statistic as a number of standard deviations from its mean."""
    degrees = counts.size - 1
    return float((np.sum((counts - expected) ** 2 / expected) - degrees) / math.sqrt(2 * degrees))


UNLIKELY = 1.95  # sqrt(n) times the distance goes beyond it once in a thousand samples
N = 100_000
normal_cumulative = np.vectorize(lambda x: 0.5 * (1 + math.erf(x / math.sqrt(2))))


@pytest.mark.parametrize("dtype", FLOATS)
def test_uniform_numbers(dtype: str):
    x = define("random_uniform", 0, N, dtype)
    bits = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}[dtype]
    scaled = x.astype(np.float64) * 2.0**bits
    assert x.min() >= 0
    assert x.max() < 1
    assert np.array_equal(scaled, np.floor(scaled)), "multiples of 2**-bits, so that none was rounded up to 1"
    counts = np.bincount((x.astype(np.float64) * 64).astype(int), minlength=64)
    assert abs(chi_square(counts, N / 64)) < 4
    assert abs(x.astype(np.float64).mean() - 0.5) < 0.005
    if dtype in ("float32", "float64"):
        assert kolmogorov_smirnov(x, lambda x: x) < UNLIKELY


@pytest.mark.parametrize("dtype", FLOATS)
def test_normal_numbers(dtype: str):
    x = define("random_normal", 0, N, dtype).astype(np.float64)
    assert np.isfinite(x).all()
    assert abs(x.mean()) < 4 / math.sqrt(N)
    assert abs(x.var() - 1) < 4 * math.sqrt(2 / N)
    assert abs((x**3).mean()) < 4 * math.sqrt(15 / N)
    assert abs((x**4).mean() - 3) < 4 * math.sqrt(96 / N)
    assert abs((x[0::2] * x[1::2]).mean()) < 4 / math.sqrt(N / 2), "the two of a pair are independent"
    if dtype in ("float32", "float64"):
        assert kolmogorov_smirnov(x, normal_cumulative) < UNLIKELY


@pytest.mark.parametrize("dtype", COMPLEX)
def test_complex_numbers(dtype: str):
    z = define("random_normal", 0, N, dtype)
    assert abs(np.mean(abs(z) ** 2) - 1) < 4 / math.sqrt(N)
    assert abs(np.var(z.real) - 0.5) < 0.01
    u = define("random_uniform", 0, N, dtype)
    assert abs(u.mean() - (0.5 + 0.5j)) < 0.01


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_exponential_numbers(dtype: str):
    x = define("random_exponential", 0, N, dtype)
    assert x.min() > 0
    assert abs(x.mean() - 1) < 4 / math.sqrt(N)
    assert kolmogorov_smirnov(x, lambda x: -np.expm1(-x)) < UNLIKELY


@pytest.mark.parametrize(("word", "width"), [(0, 32), (2**32 - 1, 32), (0, 64), (2**32 - 1, 64)])
def test_the_outermost_words_give_finite_numbers(word: int, width: int):
    words, dtype = np.full(8, word, np.uint32), to_dtype(f"float{width}")
    assert np.isfinite(plain.normal_from(np, words, dtype)).all()
    exponential = plain.exponential_from(np, words, dtype)
    assert np.isfinite(exponential).all()
    assert (exponential > 0).all()
    assert (plain.uniform_from(np, words, dtype) < 1).all()


@pytest.mark.parametrize(("dtype", "integer"), [("float32", np.uint32), ("float64", np.uint64)])
def test_box_muller_is_right_to_the_last_bits(dtype: str, integer: Any):
    """The numbers against the library's logarithm, cosine and sine, in float64."""
    stream = plain.philox(np, 1, 2, 3, 4000)
    a, b = stream.view(integer).reshape(-1, 2).T
    bits = 8 * a.dtype.itemsize
    fraction = a.astype(dtype) * 2.0**-bits + 2.0 ** -(bits + 1)
    radius = np.sqrt(-2 * np.log(fraction.astype(np.float64)))
    angle = (b << 2).view(f"i{bits // 8}") * (math.pi / 4 * 2.0 ** (1 - bits))
    cosine = np.where(b >> (bits - 2) & 1, -np.cos(angle), np.cos(angle))
    swap = b >> (bits - 1) == 1
    expected = np.stack([np.where(swap, np.sin(angle), cosine), np.where(swap, cosine, np.sin(angle))], axis=1)
    numbers = plain.normal_from(np, stream, to_dtype(dtype)).reshape(-1, 2)
    eps = float(np.finfo(dtype).eps)
    assert np.allclose(numbers, expected * radius[:, None], rtol=4 * eps, atol=4 * eps)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 2), (-7, 8), (5, 1005), (-(2**63), 2**63), (2**62, 2**63)])
def test_integers_stay_in_their_range(low: int, high: int):
    x = define("random_integers", 0, low, high, 20_000)
    assert x.dtype == np.int64
    assert low <= int(x.min())
    assert int(x.max()) < high
    if high - low <= 1005:
        counts = np.bincount(x - low, minlength=high - low)
        assert counts.min() > 0
        assert high - low == 1 or abs(chi_square(counts, 20_000 / (high - low))) < 4
    else:
        assert abs(float(x.astype(np.float64).mean()) - (low + high) / 2) < (high - low) * 0.01


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "int64", "float32", "float64", "float16", "bfloat16"])
def test_integers_of_every_dtype(dtype: str):
    x = define("random_integers", 0, 0, 100, 1000, dtype)
    assert x.dtype == to_dtype(dtype).dtype
    assert np.array_equal(x.astype(np.int64), define("random_integers", 0, 0, 100, 1000))


@pytest.mark.parametrize("n", [0, 1, 2, 3, 1000])
def test_permutations_hold_every_number_once(n: int):
    order = define("random_permutation", 0, n)
    assert order.dtype == np.int64
    assert np.array_equal(np.sort(order), np.arange(n))


def test_every_permutation_is_as_likely():
    counts = np.zeros(24, int)
    for i in range(2400):
        order = define("random_permutation", i * plain.blocks_used("random_permutation", 4), 4)
        counts[rank(order)] += 1
    assert abs(chi_square(counts, 100)) < 4


def rank(order: Any) -> int:
    """The number of a permutation among all of its length, in alphabetical order."""
    left, number = list(range(len(order))), 0
    for item in order:
        number = number * len(left) + left.index(item)
        left.remove(item)
    return number


@pytest.mark.parametrize("p", [0.0, 1e-3, 0.3, 0.5, 1.0])
def test_bernoulli_numbers(p: float):
    x = define("random_bernoulli", 0, p, N)
    assert x.dtype == np.bool_
    assert abs(x.mean() - p) <= 4 * math.sqrt(p * (1 - p) / N)
    for probabilities in (np.full(N, p), np.array(p)):
        assert np.array_equal(define("random_bernoulli", 0, probabilities, N), x)
    assert np.array_equal(define("random_bernoulli", 0, p, N, "float32"), x.astype(np.float32))


def test_each_probability_of_an_array_is_its_own():
    p = np.array([0, 0.25, 0.75, 1], ml_dtypes.bfloat16)
    means = define("random_bernoulli", 0, p, (20_000, 4)).mean(axis=0)
    assert np.allclose(means, p.astype(float), atol=0.02)
    assert means[[0, 3]].tolist() == [0, 1]


def test_seeds_and_offsets_are_independent_streams():
    a, b = define("random_uniform", 0, N, "float32"), define("random_uniform", N, N, "float32")
    c = plain.random_uniform(np, KEY + 1, 0, N, "float32")
    negative = plain.random_uniform(np, -1, 0, 8, "float32")
    for x, y in ((a, b), (a, c)):
        assert abs(np.corrcoef(x, y)[0, 1]) < 4 / math.sqrt(N)
    assert same_bits(negative, plain.random_uniform(np, 2**64 - 1, 0, 8, "float32")), "a seed counts modulo 2**64"


@pytest.mark.parametrize("dtype", ["int64", "bool", "uint8"])
@pytest.mark.parametrize("name", ["random_uniform", "random_normal", "random_exponential"])
def test_integers_are_no_dtype_for_floating_draws(backend: str, name: str, dtype: str):
    with pytest.raises(DTypeError, match=f"{name} draws floating-point numbers, got dtype wengert.{dtype}"):
        draw(backend, name, 0, 3, dtype)


def test_exponential_numbers_are_real(backend: str):
    with pytest.raises(DTypeError, match=r"wengert\.complex64"):
        draw(backend, "random_exponential", 0, 3, "complex64")
