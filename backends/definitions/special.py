"""Special functions that the array namespaces lack, from published formulas, to the precision of float64."""

from __future__ import annotations

import math
from typing import Any

from .reduction import wide

__all__ = ["erf", "erfc", "erfcx"]

# W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of Computation 23 (1969): the
# numerator and denominator of erf(x)/x in x**2 for x <= 0.46875, of exp(x**2) erfc(x) in x for x <= 4, and of
# (1/sqrt(pi) - x exp(x**2) erfc(x)) x**2 in 1/x**2 above.
# fmt: off
_ERF = (
    (1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2,
     3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)
_ERFC_MIDDLE = (
    (
        2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
        2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
        1.23033935479799725e3,
    ),
    (
        1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
        3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
    ),
)
_ERFC_FAR = (
    (
        1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
        1.60837851487422766e-2, 6.58749161529837803e-4,
    ),
    (
        1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1, 6.05183413124413191e-2,
        2.33520497626869185e-3,
    ),
)
# fmt: on


def polynomial(x: Any, coefficients: tuple[float, ...]) -> Any:
    """Horner's rule; the highest power comes first."""
    number = x.dtype.type
    y = x * number(coefficients[0]) + number(coefficients[1])
    for c in coefficients[2:]:
        y = y * x + number(c)
    return y


def rational(x: Any, quotient: tuple[tuple[float, ...], tuple[float, ...]]) -> Any:
    """A numerator over a denominator."""
    return polynomial(x, quotient[0]) / polynomial(x, quotient[1])


def _near(xp: Any, x: Any) -> Any:
    """erf(x) for abs(x) <= 0.46875."""
    return x * rational(x * x, _ERF)


def _scaled_tail(xp: Any, z: Any) -> Any:
    """exp(z**2) erfc(z) for z > 0.46875."""
    number = z.dtype.type
    far = xp.maximum(z, number(4.0))
    r = number(1.0) / (far * far)
    beyond = (number(1 / math.sqrt(math.pi)) - r * rational(r, _ERFC_FAR)) / far
    return xp.where(z > number(4.0), beyond, rational(xp.minimum(z, number(4.0)), _ERFC_MIDDLE))


def _exp_minus_square(xp: Any, z: Any) -> Any:
    """exp(-z**2), with z split so that the rounding of its square is not blown up by exp."""
    number = z.dtype.type
    head = xp.trunc(z * number(16.0)) / number(16.0)
    return xp.exp(-head * head) * xp.exp(-(z - head) * (z + head))


def _erfc_positive(xp: Any, z: Any) -> Any:
    """erfc(z) for z > 0.46875."""
    z = xp.minimum(z, z.dtype.type(30.0))  # it is 0 from 27 on
    return _exp_minus_square(xp, z) * _scaled_tail(xp, z)


def erf(xp: Any, x: Any) -> Any:
    """``2 / sqrt(pi)`` times the integral of ``exp(-t ** 2)`` from 0 to ``x``."""
    w = wide(x)
    number = w.dtype.type
    z = xp.abs(w)
    inner = _near(xp, xp.minimum(z, number(0.5)))
    outer = number(1.0) - _erfc_positive(xp, xp.maximum(z, number(0.46875)))
    return xp.copysign(xp.where(z <= number(0.46875), inner, outer), w).astype(x.dtype, copy=False)


def erfc(xp: Any, x: Any) -> Any:
    """``1 - erf(x)``, precise where that is tiny."""
    w = wide(x)
    number = w.dtype.type
    z = xp.abs(w)
    inner = number(1.0) - _near(xp, xp.maximum(xp.minimum(w, number(0.5)), number(-0.5)))
    tail = _erfc_positive(xp, xp.maximum(z, number(0.46875)))
    outer = xp.where(w < 0, number(2.0) - tail, tail)
    return xp.where(z <= number(0.46875), inner, outer).astype(x.dtype, copy=False)


def erfcx(xp: Any, x: Any) -> Any:
    """``exp(x ** 2) * erfc(x)``, which does not underflow."""
    w = wide(x)
    number = w.dtype.type
    z = xp.abs(w)
    square = xp.exp(w * w)
    inner = square * (number(1.0) - _near(xp, xp.maximum(xp.minimum(w, number(0.5)), number(-0.5))))
    tail = _scaled_tail(xp, xp.maximum(z, number(0.46875)))
    head = xp.trunc(w * number(16.0)) / number(16.0)
    growth = xp.exp(head * head) * xp.exp((w - head) * (w + head))
    outer = xp.where(w < 0, number(2.0) * growth - tail, tail)
    return xp.where(z <= number(0.46875), inner, outer).astype(x.dtype, copy=False)
