"""The gamma function's family, computed in float64.

All come from two textbook tools: a recurrence moves the argument to where an asymptotic series is exact, and a
reflection formula brings negative arguments to positive ones.

References:
    F. W. J. Olver and others, NIST Digital Library of Mathematical Functions (DLMF), chapters 5, 8 and 25.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from .reduction import in_double

__all__ = ["digamma", "gammainc", "gammaincc", "lgamma", "polygamma", "zeta"]

EULER = 0.57721566490153286061


def _bernoulli(count: int) -> list[Fraction]:
    """The Bernoulli numbers B(0), B(1), ..."""
    found = [Fraction(1)]
    for n in range(1, count):
        found.append(-sum((math.comb(n + 1, k) * found[k] for k in range(n)), Fraction(0)) / (n + 1))
    return found


BERNOULLI = [float(b) for b in _bernoulli(25)[2::2]]  # B(2), B(4), ..., B(24)
_STIRLING = [b / (2 * k * (2 * k - 1)) for k, b in enumerate(BERNOULLI[:9], 1)]
_DIGAMMA = [b / (2 * k) for k, b in enumerate(BERNOULLI[:9], 1)]


def _zeta_minus_one(n: int) -> float:
    """zeta(n) - 1 for whole n > 1: ten terms, and the Euler-Maclaurin formula for the others (DLMF 25.2.9)."""
    total = math.fsum(k**-n for k in range(2, 12)) + 12.0 ** (1 - n) / (n - 1) + 12.0**-n / 2
    factor = n * 12.0 ** (-n - 1)
    for k, b in enumerate(BERNOULLI, 1):
        total += factor * b / math.factorial(2 * k)
        factor *= (n + 2 * k - 1) * (n + 2 * k) / 144
    return total


_NEAR_TWO = [(-1) ** k * _zeta_minus_one(k) / k for k in range(2, 34)]  # DLMF 5.7.3


def horner(x: Any, coefficients: list[float]) -> Any:
    """``coefficients[0] + coefficients[1] * x + ...``."""
    y = x * 0 + coefficients[-1]
    for c in reversed(coefficients[:-1]):
        y = y * x + c
    return y


STEPS = 10  # by which small arguments are raised


def _raised(xp: Any, x: Any) -> Any:
    """``x``, by `STEPS` more where it is below that; and the product of the steps, and the sum of their inverses.

    Of a product p and its derivative d in x, the sum of inverses is d / p: one division for all.
    """
    low = x < STEPS
    factor = xp.where(low, x, xp.ones_like(x))
    product, derivative = factor, xp.ones_like(x)
    for _ in range(STEPS - 1):
        factor = factor + 1
        derivative = derivative * factor + product
        product = product * factor
    return (
        xp.where(low, x + STEPS, x),
        xp.where(low, product, xp.ones_like(x)),
        xp.where(low, derivative / product, xp.zeros_like(x)),
    )


def _lgamma_positive(xp: Any, x: Any) -> Any:
    """log(gamma(x)) for x > 0: Stirling's series (DLMF 5.11.1), and Taylor's about 2 where the result is near 0."""
    z, product, _ = _raised(xp, x)
    series = horner(1 / (z * z), _STIRLING) / z
    far = (z - 0.5) * xp.log(z) - z + 0.5 * math.log(2 * math.pi) + series - xp.log(product)
    t = xp.where(x < 1.5, x - 1, x - 2)  # log gamma(1 + t) = log gamma(2 + t) - log(1 + t)
    t = xp.minimum(xp.maximum(t, -0.5), 0.5)
    about = t * ((1 - EULER) + t * horner(t, _NEAR_TWO)) - xp.where(x < 1.5, xp.log1p(t), xp.zeros_like(t))
    return xp.where((x > 0.5) & (x < 2.5), about, xp.where(xp.isinf(x), x, far))


def _sine(xp: Any, x: Any) -> Any:
    """sin(pi * x), exact at whole numbers."""
    r = x - 2 * xp.rint(x / 2)
    return xp.sin(math.pi * xp.where(r > 0.5, 1 - r, xp.where(r < -0.5, -1 - r, r)))


@in_double
def lgamma(xp: Any, x: Any) -> Any:
    """``log(abs(gamma(x)))``; infinite at 0, -1, -2, ..."""
    negative = x < 0.5
    up = _lgamma_positive(xp, xp.where(negative, 1 - x, x))
    down = math.log(math.pi) - xp.log(xp.abs(_sine(xp, x))) - up  # DLMF 5.5.3
    return xp.where(negative, xp.where(xp.isinf(x), -x, down), up)


@in_double
def digamma(xp: Any, x: Any) -> Any:
    """The derivative of `lgamma`; NaN at -1, -2, ... and infinite at 0."""
    negative = x < 0.5
    z, _, inverses = _raised(xp, xp.where(negative, 1 - x, x))
    r = 1 / (z * z)
    up = xp.log(z) - 0.5 / z - r * horner(r, _DIGAMMA) - inverses  # DLMF 5.11.2
    reflected = up - math.pi * _sine(xp, x + 0.5) / _sine(xp, x)  # DLMF 5.5.4
    whole = (x == xp.floor(x)) & (x < 0)
    below = xp.where(x == 0, xp.copysign(xp.full_like(x, math.inf), -x), reflected)
    return xp.where(negative, xp.where(whole, xp.full_like(x, math.nan), below), up)


@in_double
def zeta(xp: Any, s: Any, q: Any) -> Any:
    """Hurwitz's zeta function: the sum of ``(q + k) ** -s`` over k = 0, 1, ..., for s > 1, by Euler-Maclaurin."""
    total = xp.zeros_like(s * q)
    for k in range(10):
        total = total + (q + k) ** -s
    z = q + 10
    tail = z ** (1 - s) / (s - 1) + z**-s / 2
    factor = s * z ** (-s - 1)
    for k, b in enumerate(BERNOULLI, 1):
        tail = tail + factor * (b / math.factorial(2 * k))
        factor = factor * (s + 2 * k - 1) * (s + 2 * k) / (z * z)
    total = total + tail
    pole = (q <= 0) & (q == xp.floor(q))
    inf, nan = xp.full_like(total, math.inf), xp.full_like(total, math.nan)
    total = xp.where(pole, inf, xp.where((q < 0) & (s != xp.floor(s)), nan, total))
    return xp.where(s == 1, inf, xp.where(s < 1, nan, total))


def _cotangent_derivative(n: int) -> list[float]:
    """The coefficients of the polynomial in cot(x) that is the n-th derivative of cot(x): each is -(1 + c**2) P'(c)."""
    p = [0, 1]
    for _ in range(n):
        d = [k * c for k, c in enumerate(p)][1:]
        p = [-(a + b) for a, b in zip([*d, 0, 0], [0, 0, *d], strict=True)]
    return [float(c) for c in p]


@in_double
def polygamma(xp: Any, x: Any, n: int) -> Any:
    """The n-th derivative of `digamma`: ``(-1) ** (n + 1) * n! * zeta(n + 1, x)`` (DLMF 5.15.1)."""
    if n == 0:
        return digamma(xp, x)
    scale = float(math.factorial(n)) if n < 171 else math.inf
    negative = x < 0
    z = xp.where(negative, 1 - x, x)
    up = scale * zeta(xp, xp.full_like(z, n + 1.0), z) * (-1) ** (n + 1)
    cot = _sine(xp, x + 0.5) / _sine(xp, x)
    turned = (-1) ** n * up - math.pi ** (n + 1) * horner(cot, _cotangent_derivative(n))  # DLMF 5.15.6
    pole = negative & (x == xp.floor(x))
    return xp.where(negative, xp.where(pole, xp.full_like(x, math.inf * (-1) ** (n + 1)), turned), up)


def _prefactor(xp: Any, a: Any, x: Any) -> Any:
    """``x ** a * exp(-x) / gamma(a + 1)``; by Stirling's series for large ``a``, where logarithms would cancel."""
    large = xp.maximum(a, 10.0)
    m = (x - large) / large
    series = horner(1 / (large * large), _STIRLING) / large
    far = xp.exp(-large * (m - xp.log1p(m)) - series) / xp.sqrt(2 * math.pi * large)
    near = xp.minimum(a, 10.0)
    return xp.where(a > 10, far, xp.exp(near * xp.log(x) - x - lgamma(xp, near + 1)))


def _series(xp: Any, a: Any, x: Any) -> Any:
    """The lower function by its power series (DLMF 8.7.1), for x < a + 1."""
    term = total = xp.ones_like(x)
    k = 0
    while k < 2000:
        for _ in range(20):
            k += 1
            term = term * x / (a + k)
            total = total + term
        if not bool(xp.any(term > total * 1e-17)):
            break
    return total * _prefactor(xp, a, x)


def _fraction(xp: Any, a: Any, x: Any) -> Any:
    """The upper function by its continued fraction (DLMF 8.9.2), by Lentz's method, for x >= a + 1."""
    tiny = 1e-300
    b = x + 1 - a
    c = xp.full_like(x, 1 / tiny)
    d = 1 / b
    h = d
    k = 0
    while k < 2000:
        for _ in range(20):
            k += 1
            factor = -k * (k - a)
            b = b + 2
            d = 1 / (factor * d + b)
            c = b + factor / c
            h = h * d * c
        if not bool(xp.any(xp.abs(d * c - 1) > 1e-16)):
            break
    return h * a * _prefactor(xp, a, x)


def _incomplete(xp: Any, a: Any, x: Any, upper: bool) -> Any:
    """The regularized incomplete gamma functions; each formula only sees arguments that it is good for."""
    a, x = xp.broadcast_arrays(a, x)
    good = (a > 0) & (x > 0) & xp.isfinite(a) & xp.isfinite(x)
    a1, x1 = xp.where(good, a, xp.ones_like(a)), xp.where(good, x, xp.ones_like(x))
    small = x1 < a1 + 1
    p = _series(xp, xp.where(small, a1, xp.ones_like(a)), xp.where(small, x1, xp.ones_like(x)))
    q = _fraction(xp, xp.where(small, xp.ones_like(a), a1), xp.where(small, xp.full_like(x, 2.5), x1))
    one, zero, nan = xp.ones_like(p), xp.zeros_like(p), xp.full_like(p, math.nan)
    y = xp.where(small, 1 - p, q) if upper else xp.where(small, p, 1 - q)
    low, high = (one, zero) if upper else (zero, one)  # the values at x = 0 and at infinity
    edge = xp.where((x == 0) & (a > 0), low, xp.where(a == 0, high, xp.where(xp.isinf(x), high, low)))
    wrong = (a < 0) | (x < 0) | xp.isnan(a) | xp.isnan(x) | ((a == 0) & (x == 0)) | (xp.isinf(a) & xp.isinf(x))
    return xp.where(good, y, xp.where(wrong, nan, edge))


@in_double
def gammainc(xp: Any, a: Any, x: Any) -> Any:
    """The integral of ``t ** (a - 1) * exp(-t)`` from 0 to ``x``, divided by ``gamma(a)``."""
    return _incomplete(xp, a, x, False)


@in_double
def gammaincc(xp: Any, a: Any, x: Any) -> Any:
    """The integral of ``t ** (a - 1) * exp(-t)`` from ``x`` to infinity, divided by ``gamma(a)``."""
    return _incomplete(xp, a, x, True)
