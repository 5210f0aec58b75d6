"""Random numbers from a counter: Philox 4x32-10, and the distributions that are made from its words.

A random word is a pure function of a 64-bit key (the seed) and a position, so a draw is the same on every device,
for every number of threads and for every way of cutting it into pieces. The same holds for what is made of the words:
only additions, products, quotients, square roots and bit operations are used, which IEEE 754 rounds in one way.
Library functions such as ``log`` and ``sin`` are not, as they differ in the last bit from one machine to the next.

Every ``random_*`` kernel takes the key, the number of the first 128-bit block it may use (``offset``), and a shape.
It uses `blocks_used` blocks; the next draw starts after them. ``*_from`` functions turn words into numbers.

References:
    J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
    G. E. P. Box, M. E. Muller, "A note on the generation of random normal deviates", 1958.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ..dtypes import DType, bool_, float64, int64, to_dtype
from ..errors import DTypeError

__all__ = [
    "philox",
    "random_bernoulli",
    "random_exponential",
    "random_integers",
    "random_normal",
    "random_permutation",
    "random_uniform",
]

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
MASK32, MASK64 = 2**32 - 1, 2**64 - 1
_FIXED_WORDS = {"philox": 1, "random_bernoulli": 1, "random_integers": 2, "random_permutation": 2}
PRECISION = {"float16": 11, "bfloat16": 8, "float32": 24}  # bits of a significand

# The textbook series of sin(x)/x and cos(x) in x**2, and of 2 atanh(s)/s in s**2. The counts are what float32 and
# float64 can tell apart where they are used: |x| <= pi/4 and |s| <= 0.172.
_SINE = [(-1) ** k / math.factorial(2 * k + 1) for k in range(9)]
_COSINE = [(-1) ** k / math.factorial(2 * k) for k in range(9)]
_ATANH = [2 / (2 * k + 1) for k in range(11)]
_TERMS = {32: (5, 5, 5), 64: (9, 9, 11)}


def blocks(n: int, words_per_item: int = 1) -> int:
    """The number of 128-bit blocks, four words each, that ``n`` items take."""
    return -(-n * words_per_item // 4)


def words_per_item(kernel: str, dtype: Any = None) -> int:
    """How many 32-bit words one item takes: two for integers, otherwise by the size of the type."""
    return _FIXED_WORDS.get(kernel) or max(1, to_dtype(dtype).itemsize // 4)


def blocks_used(kernel: str, n: int, dtype: Any = None) -> int:
    """By how many blocks a generator's offset moves when ``kernel`` draws ``n`` items.

    >>> from wengert.backends.definitions.random import blocks_used
    >>> blocks_used("random_uniform", 5, "float32"), blocks_used("random_uniform", 5, "float64")
    (2, 3)
    """
    return blocks(n, words_per_item(kernel, dtype))


def philox(xp: Any, key0: int, key1: int, counter: int, n: int) -> Any:
    """``n`` random words: word ``i`` is lane ``i % 4`` of the block with the number ``counter + i // 4``.

    Args:
        xp: the array namespace.
        key0: the lower 32 bits of the key.
        key1: the upper 32 bits.
        counter: the first block's number, modulo 2**128.
        n: how many words.

    Returns:
        Array of shape (n,), uint32.
    """
    c0, c1, c2, c3 = counters(xp, counter, blocks(n))
    for _ in range(ROUNDS):
        product0, product1 = c0 * MULTIPLIERS[0], c2 * MULTIPLIERS[1]
        c0, c1 = (product1 >> 32) ^ c1 ^ key0, product1 & MASK32
        c2, c3 = (product0 >> 32) ^ c3 ^ key1, product0 & MASK32
        key0, key1 = (key0 + KEY_STEPS[0]) & MASK32, (key1 + KEY_STEPS[1]) & MASK32
    return xp.stack([c0, c1, c2, c3], axis=1).astype(xp.uint32).reshape(-1)[:n]


def counters(xp: Any, counter: int, number: int) -> tuple[Any, Any, Any, Any]:
    """The 128-bit numbers ``counter, counter + 1, ...`` as four arrays of 32 bits each, held in uint64."""
    start = xp.uint64(counter & MASK64)
    low = xp.arange(number, dtype=xp.uint64) + start
    high = (low < start).astype(xp.uint64) + xp.uint64(counter >> 64 & MASK64)
    return low & MASK32, low >> 32, high & MASK32, high >> 32


def _pairs64(xp: Any, words: Any) -> Any:
    """Two neighbouring 32-bit words as one of 64 bits, the first word below the second."""
    return words[0::2].astype(xp.uint64) | (words[1::2].astype(xp.uint64) << 32)


def _draw(xp: Any, name: str, key: int, offset: int, shape: Any, dtype: DType, make: Callable[[Any], Any]) -> Any:
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    count = math.prod(shape)
    words = philox(xp, key & MASK32, key >> 32 & MASK32, offset, 4 * blocks_used(name, count, dtype))
    return make(words)[:count].reshape(shape)


def real_of(name: str, dtype: Any, allow_complex: bool = True) -> DType:
    """The type of the real numbers that the kernel ``name`` draws for ``dtype``."""
    kind = to_dtype(dtype)
    if not (kind.is_floating_point or (kind.is_complex and allow_complex)):
        raise DTypeError(f"{name} draws floating-point numbers, got dtype {kind}; use float32, or random_integers")
    return kind.to_real()


def random_uniform(xp: Any, key: int, offset: int, shape: Any, dtype: Any) -> Any:
    """Numbers in [0, 1): multiples of ``2**-p`` where ``p`` is the number of bits in the type's significand.

    Args:
        xp: the array namespace.
        key: the seed, of which 64 bits count.
        offset: the number of the first block that it may use.
        shape: an int or a tuple.
        dtype: floating, or complex (then both parts are uniform).

    Raises:
        DTypeError: another dtype.
    """
    real_of("random_uniform", dtype)
    kind = to_dtype(dtype)
    return _draw(xp, "random_uniform", key, offset, shape, kind, lambda words: uniform_from(xp, words, kind))


def uniform_from(xp: Any, words: Any, dtype: DType) -> Any:
    """The top bits of each word, as a fraction."""
    real = dtype.to_real()
    if real is float64:
        numbers = (_pairs64(xp, words) >> 11).astype(xp.float64) * 2.0**-53
    else:
        precision = PRECISION[real.name]
        numbers = ((words >> (32 - precision)).astype(xp.float32) * 2.0**-precision).astype(real.dtype, copy=False)
    return numbers.view(dtype.dtype)


def random_normal(xp: Any, key: int, offset: int, shape: Any, dtype: Any) -> Any:
    """Numbers of the standard normal distribution; see `random_uniform` for the arguments.

    Complex numbers have a total variance of 1, half of it in each part. 16-bit types are rounded from float32.
    """
    real_of("random_normal", dtype)
    kind = to_dtype(dtype)
    return _draw(xp, "random_normal", key, offset, shape, kind, lambda words: normal_from(xp, words, kind))


def normal_from(xp: Any, words: Any, dtype: DType) -> Any:
    """Box-Muller: ``sqrt(-2 log u)`` times the cosine and the sine of a uniform angle.

    The angle's low bits give an angle within 45 degrees of the first axis. Its two top bits reflect the point
    in the second axis and in the diagonal, which carries that quarter onto the whole circle.
    """
    radius_words, angle_words = _split(xp, words, dtype)
    bits = 8 * angle_words.dtype.itemsize
    real, signed = (xp.float64, xp.int64) if bits == 64 else (xp.float32, xp.int32)
    radius = xp.sqrt(_log(xp, _open_fraction(xp, radius_words)) * -2.0)
    angle = (angle_words << 2).view(signed).astype(real) * (math.pi / 4 * 2.0 ** (1 - bits))
    square = angle * angle
    sines, cosines, _ = _TERMS[bits]
    sine, cosine = angle * _series(square, _SINE[:sines]), _series(square, _COSINE[:cosines])
    cosine = xp.where((angle_words >> (bits - 2)) & 1 != 0, -cosine, cosine)
    swap = angle_words >> (bits - 1) != 0
    numbers = xp.empty((radius.size, 2), real)
    numbers[:, 0] = radius * xp.where(swap, sine, cosine)
    numbers[:, 1] = radius * xp.where(swap, cosine, sine)
    if dtype.is_complex:
        numbers *= math.sqrt(0.5)
    return numbers.reshape(-1).astype(dtype.to_real().dtype, copy=False).view(dtype.dtype)


def random_exponential(xp: Any, key: int, offset: int, shape: Any, dtype: Any) -> Any:
    """Positive numbers of the exponential distribution with rate 1: ``-log(u)``; arguments as in `random_uniform`."""
    kind = real_of("random_exponential", dtype, allow_complex=False)
    return _draw(xp, "random_exponential", key, offset, shape, kind, lambda words: exponential_from(xp, words, kind))


def exponential_from(xp: Any, words: Any, dtype: DType) -> Any:
    """``-log(u)``; where ``u`` was rounded to 1 the result is the smallest step below it instead of 0."""
    fraction = _open_fraction(xp, _pairs64(xp, words) if dtype is float64 else words)
    least = 2.0**-54 if dtype is float64 else 2.0**-25
    return xp.maximum(-_log(xp, fraction), least).astype(dtype.dtype, copy=False)


def random_integers(xp: Any, key: int, offset: int, low: int, high: int, shape: Any, dtype: Any = int64) -> Any:
    """Integers from ``low`` to ``high - 1`` in any real dtype: a 64-bit word modulo their number, as in PyTorch.

    ``-2**63 <= low < high <= 2**63``; one is likelier than another by at most ``(high - low) / 2**64`` of itself.
    """
    kind = to_dtype(dtype)

    def make(words: Any) -> Any:
        return integers_from(xp, words, low, high).astype(kind.dtype, copy=False)

    return _draw(xp, "random_integers", key, offset, shape, kind, make)


def integers_from(xp: Any, words: Any, low: int, high: int) -> Any:
    """``low + word % (high - low)`` in arithmetic modulo 2**64, read as int64."""
    numbers = _pairs64(xp, words)
    if high - low < 2**64:
        numbers = numbers % xp.uint64(high - low)
    return (numbers + xp.uint64(low & MASK64)).view(xp.int64)


def random_permutation(xp: Any, key: int, offset: int, n: int, dtype: Any = int64) -> Any:
    """The integers below ``n`` in random order."""
    kind = to_dtype(dtype)
    return _draw(xp, "random_permutation", key, offset, n, kind, lambda words: permutation_from(xp, words, n, kind))


def permutation_from(xp: Any, words: Any, n: int, dtype: DType) -> Any:
    """The order of random 64-bit keys whose low bits are the integers themselves.

    With the integer inside its key there are no ties, so that any sort gives the same answer, and no index is sorted
    along. Keys have ``64 - log2(n)`` random bits: for a million, two of them agree once in 30 permutations.
    """
    width = max(1, (n - 1).bit_length())
    keys = _pairs64(xp, words)[:n] >> width << width
    return (xp.sort(keys | xp.arange(n, dtype=xp.uint64)) & (2**width - 1)).astype(dtype.dtype)


def random_bernoulli(xp: Any, key: int, offset: int, p: Any, shape: Any, dtype: Any = bool_) -> Any:
    """True (or 1, in another dtype) with probability ``p``, to a resolution of ``2**-32``.

    ``p`` is a Python float or an array that broadcasts to ``shape``.
    """
    kind = to_dtype(dtype)
    words = _draw(xp, "random_bernoulli", key, offset, shape, kind, lambda words: words)
    return (words.astype(xp.float64) * 2.0**-32 < p).astype(kind.dtype, copy=False)


def _split(xp: Any, words: Any, dtype: DType) -> tuple[Any, Any]:
    """Words for the radius and words for the angle, of the width that ``dtype`` needs."""
    wide = _pairs64(xp, words) if dtype.to_real() is float64 else words
    return wide[0::2], wide[1::2]


def _open_fraction(xp: Any, words: Any) -> Any:
    """A word as a fraction in (0, 1]: its own place plus half a step, so that it is never 0."""
    bits = 8 * words.dtype.itemsize
    return words.astype(xp.float64 if bits == 64 else xp.float32) * 2.0**-bits + 2.0 ** -(bits + 1)


def _series(z: Any, coefficients: Sequence[float]) -> Any:
    """The polynomial with these coefficients, lowest first, by Horner's rule."""
    total = z * coefficients[-1] + coefficients[-2]
    for coefficient in coefficients[-3::-1]:
        total = total * z + coefficient
    return total


def _log(xp: Any, x: Any) -> Any:
    """The natural logarithm of positive normal numbers, from their bits.

    With ``x = 2**e * m`` and ``m`` within a factor ``sqrt(2)`` of 1:
    ``log x = e log 2 + 2 atanh(s)``, where ``s = (m - 1) / (m + 1)``.
    """
    bits = 8 * x.dtype.itemsize
    integer, width, root_half = (xp.int32, 23, 0x3F3504F3) if bits == 32 else (xp.int64, 52, 0x3FE6A09E667F3BCD)
    pattern = x.view(integer)
    exponent = (pattern - root_half) >> width
    m = (pattern - (exponent << width)).view(x.dtype)
    s = (m - 1.0) / (m + 1.0)
    return exponent.astype(x.dtype) * math.log(2) + s * _series(s * s, _ATANH[: _TERMS[bits][2]])
