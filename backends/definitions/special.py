"""Special functions that the array namespaces lack, from published formulas, to the precision of float64."""

from __future__ import annotations

import math
from typing import Any

from .reduction import in_double, wide, widened

__all__ = ["entr", "erf", "erfc", "erfcx", "erfinv", "log_ndtr", "logit", "ndtr", "ndtri", "sinc", "xlog1py", "xlogy"]

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
# M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37 (1988): the
# numerator and denominator of ndtri(p) / (p - 1/2) in 0.180625 - (p - 1/2)**2, and of -ndtri(p) in sqrt(-log p).
_NDTRI = (
    (
        2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
        1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0,
    ),
    (
        5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
        5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0,
    ),
)
_NDTRI_MIDDLE = (
    (
        7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
        3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0,
    ),
    (
        1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
        6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0,
    ),
)
_NDTRI_FAR = (
    (
        2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
        2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0,
    ),
    (
        2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
        1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0,
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


def _ndtri_from(xp: Any, centre: Any, tail: Any) -> Any:
    """The `ndtri` of p from ``centre = p - 1/2`` and ``tail = min(p, 1 - p)``: each is exact in its place."""
    inner = centre * rational(0.180625 - centre * centre, _NDTRI)
    r = xp.sqrt(-xp.log(xp.maximum(tail, 5e-324)))
    middle, far = rational(xp.minimum(r, 5.0) - 1.6, _NDTRI_MIDDLE), rational(xp.maximum(r, 5.0) - 5.0, _NDTRI_FAR)
    outer = xp.copysign(xp.where(r <= 5, middle, far), centre)
    y = xp.where(xp.abs(centre) <= 0.425, inner, outer)
    y = xp.where(tail == 0, xp.copysign(xp.full_like(y, math.inf), centre), y)
    return xp.where(tail >= 0, y, xp.full_like(y, math.nan))


@in_double
def ndtri(xp: Any, p: Any) -> Any:
    """The number that a standard normal one is below with probability ``p``."""
    return _ndtri_from(xp, p - 0.5, xp.minimum(p, 1 - p))


@in_double
def erfinv(xp: Any, x: Any) -> Any:
    """The number whose `erf` is ``x``."""
    return _ndtri_from(xp, x / 2, (1 - xp.abs(x)) / 2) / math.sqrt(2)


@in_double
def log_ndtr(xp: Any, x: Any) -> Any:
    """The logarithm of the normal distribution function, precise in both tails."""
    low = xp.minimum(x, -1.0)
    left = xp.log(erfcx(xp, low * -math.sqrt(0.5)) / 2) - low * low / 2
    return xp.where(x < -1, left, xp.log1p(-erfc(xp, xp.maximum(x, -1.0) * math.sqrt(0.5)) / 2))


@widened
def sinc(xp: Any, x: Any) -> Any:
    """``sin(pi * x) / (pi * x)``, and 1 at 0."""
    z = math.pi * xp.where(x == 0, xp.ones_like(x), x)
    return xp.where(x == 0, xp.ones_like(x), xp.sin(z) / z)


def entr(xp: Any, x: Any) -> Any:
    """``-x * log(x)``, 0 at 0, minus infinity below."""
    w = wide(x)
    zero = xp.zeros_like(w)
    y = xp.where(w > 0, -w * xp.log(w), xp.where(w == 0, zero, zero - math.inf))
    return xp.where(xp.isnan(w), w, y).astype(x.dtype, copy=False)


def xlogy(xp: Any, x: Any, y: Any) -> Any:
    """``x * log(y)``, and 0 where ``x`` is 0 and ``y`` not NaN."""
    return _times_log(xp, x, y, xp.log)


def xlog1py(xp: Any, x: Any, y: Any) -> Any:
    """``x * log(1 + y)``, and 0 where ``x`` is 0 and ``y`` not NaN."""
    return _times_log(xp, x, y, xp.log1p)


def _times_log(xp: Any, x: Any, y: Any, log: Any) -> Any:
    like = x if hasattr(x, "dtype") else y
    x, y = (wide(v) if hasattr(v, "dtype") else v for v in (x, y))
    if not hasattr(y, "dtype"):
        y = xp.full((), y, dtype=x.dtype)
    if not hasattr(x, "dtype"):
        x = xp.full((), x, dtype=y.dtype)
    value = xp.where((x == 0) & (y == y), xp.zeros_like(x), x * log(y))
    return value.astype(like.dtype, copy=False)


def ndtr(xp: Any, x: Any) -> Any:
    """The normal distribution function: ``erfc(-x / sqrt(2)) / 2``."""
    w = wide(x)
    return (erfc(xp, w * -math.sqrt(0.5)) / 2).astype(x.dtype, copy=False)


def logit(xp: Any, x: Any, eps: float | None) -> Any:
    """``log(x / (1 - x))``, with ``x`` kept in [eps, 1 - eps] where ``eps`` is given."""
    w = wide(x)
    if eps is not None:
        w = xp.minimum(xp.maximum(w, eps), 1 - eps)
    return xp.log(w / (1 - w)).astype(x.dtype, copy=False)
