"""Bessel and Airy functions, computed in float64 from textbook formulas, each where it is exact.

Small arguments use power series, large ones asymptotic series (whose smallest term is about ``exp(-2x)``, below
the rounding error for x > 20), those between a stable recurrence or the trapezoidal rule, which is exact to
rounding error for these integrands.

References:
    M. Abramowitz, I. A. Stegun, Handbook of Mathematical Functions (A&S), chapters 9 and 10.
    F. W. J. Olver and others, NIST Digital Library of Mathematical Functions (DLMF), chapters 9 and 10.
    L. N. Trefethen, J. A. C. Weideman, "The exponentially convergent trapezoidal rule", SIAM Review 56 (2014).
"""

from __future__ import annotations

import math
from typing import Any

from .gamma import EULER, horner
from .reduction import in_double

__all__ = [
    "airy_ai",
    "bessel_j0",
    "bessel_j1",
    "bessel_y0",
    "bessel_y1",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "k0",
    "k0e",
    "k1",
    "k1e",
    "spherical_bessel_j0",
]

FAR = 20.0
_INVERSE_SQUARES = [1 / (math.factorial(k) * math.factorial(k)) for k in range(60)]  # of k!
_INVERSE_PRODUCTS = [1 / (math.factorial(k) * math.factorial(k + 1)) for k in range(60)]  # of k! (k + 1)!


def _hankel(order: float, count: int = 25) -> list[float]:
    """The coefficients a(k) of the asymptotic series in 1/x (DLMF 10.17.1)."""
    found = [1.0]
    for k in range(1, count):
        found.append(found[-1] * (4 * order * order - (2 * k - 1) ** 2) / (8 * k))
    return found


def _signed(coefficients: list[float]) -> list[float]:
    return [(-1) ** k * c for k, c in enumerate(coefficients)]


def _scaled_i(xp: Any, z: Any, order: int) -> Any:
    """exp(-z) I(z) for z >= 0: the power series (DLMF 10.25.2), then the asymptotic one (DLMF 10.40.1)."""
    near = xp.minimum(z, FAR)
    quarter = near * near / 4
    series = horner(quarter, _INVERSE_SQUARES) if order == 0 else near / 2 * horner(quarter, _INVERSE_PRODUCTS)
    far = xp.maximum(z, FAR)
    tail = horner(1 / far, _signed(_hankel(order))) / xp.sqrt(2 * math.pi * far)
    return xp.where(z < FAR, series * xp.exp(-near), tail)


@in_double
def i0(xp: Any, x: Any) -> Any:
    """The modified Bessel function of the first kind, order 0."""
    z = xp.abs(x)
    return xp.exp(z) * _scaled_i(xp, z, 0)


@in_double
def i0e(xp: Any, x: Any) -> Any:
    """``exp(-abs(x)) * i0(x)``."""
    return _scaled_i(xp, xp.abs(x), 0)


@in_double
def i1(xp: Any, x: Any) -> Any:
    """The modified Bessel function of the first kind, order 1."""
    z = xp.abs(x)
    return xp.copysign(xp.exp(z) * _scaled_i(xp, z, 1), x)


@in_double
def i1e(xp: Any, x: Any) -> Any:
    """``exp(-abs(x)) * i1(x)``."""
    return xp.copysign(_scaled_i(xp, xp.abs(x), 1), x)


def _k_integral(xp: Any, z: Any, order: float) -> Any:
    """exp(z) K(z) for 1 <= z: the integral of exp(-z (cosh t - 1)) cosh(order t) over t > 0 (DLMF 10.32.9)."""
    step = 0.1
    total = xp.full_like(z, 0.5)
    for k in range(1, 46):
        t = k * step
        total = total + xp.exp(-z * (math.cosh(t) - 1)) * math.cosh(order * t)
    return total * step


def _k_small(xp: Any, x: Any, order: int) -> Any:
    """K(x) for 0 < x <= 2 by power series (DLMF 10.31.1 and 10.31.2)."""
    quarter = x * x / 4
    log = xp.log(x / 2) + EULER
    harmonic = [sum(1 / j for j in range(1, k + 1)) for k in range(21)]
    if order == 0:
        return -log * horner(quarter, _INVERSE_SQUARES[:20]) + horner(
            quarter, [h * c for h, c in zip(harmonic, _INVERSE_SQUARES[:20], strict=False)]
        )
    sums = [(harmonic[k] + harmonic[k + 1]) / 2 * _INVERSE_PRODUCTS[k] for k in range(20)]
    return 1 / x + x / 2 * (log * horner(quarter, _INVERSE_PRODUCTS[:20]) - horner(quarter, sums))


def _scaled_k(xp: Any, x: Any, order: int) -> Any:
    """exp(x) K(x); infinite at 0, NaN below."""
    near = xp.minimum(xp.maximum(x, 1e-300), 2.0)
    middle = xp.minimum(xp.maximum(x, 2.0), FAR)
    far = xp.maximum(x, FAR)
    tail = horner(1 / far, _hankel(order)) * xp.sqrt(math.pi / (2 * far))  # DLMF 10.40.2
    y = xp.where(x <= 2, xp.exp(near) * _k_small(xp, near, order), _k_integral(xp, middle, order))
    y = xp.where(x > FAR, tail, y)
    return xp.where(x > 0, y, xp.where(x == 0, xp.full_like(x, math.inf), xp.full_like(x, math.nan)))


@in_double
def k0(xp: Any, x: Any) -> Any:
    """The modified Bessel function of the second kind, order 0."""
    return xp.exp(-x) * _scaled_k(xp, x, 0)


@in_double
def k0e(xp: Any, x: Any) -> Any:
    """``exp(x) * k0(x)``."""
    return _scaled_k(xp, x, 0)


@in_double
def k1(xp: Any, x: Any) -> Any:
    """The modified Bessel function of the second kind, order 1."""
    return xp.exp(-x) * _scaled_k(xp, x, 1)


@in_double
def k1e(xp: Any, x: Any) -> Any:
    """``exp(x) * k1(x)``."""
    return _scaled_k(xp, x, 1)


def _recurrence(xp: Any, z: Any, start: int = 84) -> Any:
    """J0, J1, Y0, Y1 for 0 < z <= 25.

    J(k - 1) = 2k/z J(k) - J(k + 1) is stable downwards from any start far above z, up to a factor that
    J0 + 2 J2 + 2 J4 + ... = 1 tells (Miller's algorithm, A&S 9.12). Neumann's series of the same J give Y (A&S 9.1.88).
    """
    above, here = xp.zeros_like(z), xp.full_like(z, 1e-290)
    norm, even, odd = xp.zeros_like(z), xp.zeros_like(z), xp.zeros_like(z)
    for k in range(start, 0, -1):
        if k % 2 == 0:
            norm = norm + 2 * here
            even = even + here * ((-1) ** (k // 2) / (k // 2))
        elif k > 1:
            n = (k - 1) // 2
            odd = odd + here * ((-1) ** n * (2 * n + 1) / (n * (n + 1)))
        above, here = here, 2 * k / z * here - above
    scale = 1 / (norm + here)
    j0, j1 = here * scale, above * scale
    log = xp.log(z / 2) + EULER
    y0 = 2 / math.pi * (log * j0 - 2 * even * scale)
    y1 = 2 / math.pi * ((log - 1) * j1 - j0 / z - odd * scale)
    return j0, j1, y0, y1


def _asymptotic(xp: Any, z: Any, order: int) -> Any:
    """J and Y for z > 25 by Hankel's expansions (DLMF 10.17.3 and 10.17.4)."""
    a = _hankel(order)
    r = 1 / (z * z)
    p, q = horner(r, _signed(a[0::2])), horner(r, _signed(a[1::2])) / z
    phase = z - math.pi / 2 * order - math.pi / 4
    cos, sin = xp.cos(phase), xp.sin(phase)
    scale = xp.sqrt(2 / (math.pi * z))
    return scale * (p * cos - q * sin), scale * (p * sin + q * cos)


def _bessel(xp: Any, z: Any, order: int, second: bool) -> Any:
    near = _recurrence(xp, xp.minimum(xp.maximum(z, 1e-3), 25.0))[order + 2 * second]
    return xp.where(z > 25, _asymptotic(xp, xp.maximum(z, 25.0), order)[int(second)], near)


@in_double
def bessel_j0(xp: Any, x: Any) -> Any:
    """The Bessel function of the first kind, order 0."""
    z = xp.abs(x)
    return xp.where(z < 1e-2, 1 - z * z / 4 * (1 - z * z / 16), _bessel(xp, z, 0, False))


@in_double
def bessel_j1(xp: Any, x: Any) -> Any:
    """The Bessel function of the first kind, order 1."""
    z = xp.abs(x)
    y = xp.where(z < 1e-2, z / 2 * (1 - z * z / 8 * (1 - z * z / 24)), _bessel(xp, z, 1, False))
    return xp.where(x < 0, -y, y)


def _second(xp: Any, x: Any, y: Any) -> Any:
    """Minus infinity at 0, NaN below."""
    return xp.where(x > 0, y, xp.where(x == 0, xp.full_like(x, -math.inf), xp.full_like(x, math.nan)))


@in_double
def bessel_y0(xp: Any, x: Any) -> Any:
    """The Bessel function of the second kind, order 0."""
    z = xp.maximum(x, 1e-300)
    square = z * z / 4
    small = 2 / math.pi * ((xp.log(z / 2) + EULER) * (1 - square * (1 - square / 4)) + square * (1 - square * 3 / 8))
    return _second(xp, x, xp.where(z < 1e-2, small, _bessel(xp, z, 0, True)))


@in_double
def bessel_y1(xp: Any, x: Any) -> Any:
    """The Bessel function of the second kind, order 1."""
    z = xp.maximum(x, 1e-300)
    square = z * z / 4
    log = xp.log(z / 2) + EULER
    small = (log * z * (1 - square / 2) - 2 / z - z / 2 * (1 - square * 5 / 4)) / math.pi
    return _second(xp, x, xp.where(z < 1e-2, small, _bessel(xp, z, 1, True)))


@in_double
def spherical_bessel_j0(xp: Any, x: Any) -> Any:
    """``sin(x) / x``, and 1 at 0."""
    safe = xp.where(x == 0, xp.ones_like(x), x)
    y = xp.where(x == 0, xp.ones_like(x), xp.sin(safe) / safe)
    return xp.where(xp.isinf(x), xp.zeros_like(x), y)


def _airy_series(count: int = 24) -> list[float]:
    """The coefficients u(k) of Airy's asymptotic series in 1/zeta (DLMF 9.7.2)."""
    found = [1.0]
    for k in range(1, count):
        found.append(found[-1] * (6 * k - 5) * (6 * k - 3) * (6 * k - 1) / ((2 * k - 1) * 216 * k))
    return found


def _airy_contour(xp: Any, x: Any, shift: float = 0.7, step: float = 0.05) -> Any:
    """Ai(x) for -9.5 <= x <= 2: the integral of exp(i (t**3 / 3 + x t)) along t = s + i shift (DLMF 9.5.4)."""
    total = xp.zeros_like(x)
    for k in range(150):
        s = k * step
        size = shift**3 / 3 - s * s * shift  # of the exponent without x
        angle = s**3 / 3 - s * shift * shift + x * s
        total = total + (0.5 if k == 0 else 1.0) * math.exp(size) * xp.cos(angle)
    return total * xp.exp(-x * shift) * (step / math.pi)


@in_double
def airy_ai(xp: Any, x: Any) -> Any:
    """Airy's function Ai: by K of order 1/3 above 2, by a contour integral down to -9.5, by asymptotics below."""
    u = _airy_series()
    right = xp.maximum(x, 2.0)
    zeta = 2 / 3 * right * xp.sqrt(right)
    near, far = xp.minimum(zeta, FAR), xp.maximum(zeta, FAR)
    series = horner(1 / far, _signed(u)) / (2 * xp.sqrt(math.pi * xp.sqrt(right)))  # DLMF 9.7.5
    integral = xp.sqrt(right / 3) / math.pi * _k_integral(xp, near, 1 / 3)  # DLMF 9.6.2
    above = xp.exp(-zeta) * xp.where(zeta > FAR, series, integral)
    left = xp.maximum(-x, 9.5)
    zeta = 2 / 3 * left * xp.sqrt(left)
    r = 1 / (zeta * zeta)
    phase = zeta - math.pi / 4
    even, odd = horner(r, _signed(u[0::2])), horner(r, _signed(u[1::2])) / zeta
    below = (even * xp.cos(phase) + odd * xp.sin(phase)) / xp.sqrt(math.pi * xp.sqrt(left))  # DLMF 9.7.9
    middle = _airy_contour(xp, xp.minimum(xp.maximum(x, -9.5), 2.0))
    return xp.where(x > 2, above, xp.where(x < -9.5, below, middle))
