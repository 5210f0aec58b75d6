"""Special functions of one and two arguments; those of Bessel and the polynomials are in ``bessel.py``.

``wengert.special`` and the tensors' methods name them as PyTorch does.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

from ...backends.errors import ArgumentError, GraphError
from ..admission import need_tensors
from ..out import write_out
from ..primitive import Primitive, apply
from .calling import binary, in_place, unary
from .elementwise import Binary, Unary, product, quotient, scaled
from .exponential import exp_rule, log_rule
from .select import where_rule
from .trigonometric import cos_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


class Erf(Unary):
    """The error function."""

    kernel, expression = "erf", "erf(x)"
    derivative = staticmethod(lambda g, x: scaled(g * exp_rule(-(x * x)), 2 / math.sqrt(math.pi)))


class Erfc(Unary):
    """``1 - erf(x)``."""

    kernel, expression = "erfc", "erfc(x)"
    derivative = staticmethod(lambda g, x: scaled(g * exp_rule(-(x * x)), -2 / math.sqrt(math.pi)))


class Erfcx(Unary):
    """``exp(x ** 2) * erfc(x)``."""

    kernel, expression = "erfcx", "erfcx(x)"
    derivative = staticmethod(lambda g, x: g * (2 * (x * apply(Erfcx, x)) - 2 / math.sqrt(math.pi)))


class Erfinv(Unary):
    """The inverse of erf."""

    kernel, expression, saves = "erfinv", "erfinv(x)", "y"
    derivative = staticmethod(lambda g, y: product(g, scaled(exp_rule(y * y), math.sqrt(math.pi) / 2)))


class Ndtr(Unary):
    """The normal distribution function."""

    kernel, expression = "ndtr", "0.5 * erfc(-x * sqrt(0.5))"
    derivative = staticmethod(lambda g, x: g * density(x))


class Ndtri(Unary):
    """The inverse of the normal distribution function."""

    kernel, expression, saves = "ndtri", "ndtri(x)", "y"
    derivative = staticmethod(lambda g, y: quotient(g, density(y)))


class LogNdtr(Unary):
    """The logarithm of the normal distribution function."""

    kernel, expression = "log_ndtr", "log_ndtr(x)"
    derivative = staticmethod(
        lambda g, x: quotient(scaled(g, math.sqrt(2 / math.pi)), apply(Erfcx, scaled(x, -math.sqrt(0.5))))
    )


class Entr(Unary):
    """``-x * log(x)``."""

    kernel, expression = "entr", "-x * log(x)"
    derivative = staticmethod(lambda g, x: product(g, -log_rule(x) - 1))


class Logit(Unary):
    """``log(x / (1 - x))``."""

    kernel, expression = "logit", "log(x / (1 - x))"

    @staticmethod
    def derivative(g: Any, x: Any, eps: Any) -> Any:
        """``g / (x * (1 - x))``, and 0 where ``x`` was clamped."""
        slope = quotient(g, x * (1 - x))
        return slope if eps is None else where_rule((x >= eps) & (x <= 1 - eps), slope, 0.0)


class Sinc(Unary):
    """``sin(pi * x) / (pi * x)``."""

    kernel, expression = "sinc", "1 if x == 0 else sin(pi * x) / (pi * x)"

    @staticmethod
    def derivative(g: Any, x: Any) -> Any:
        """``g * (cos(pi * x) - sinc(x)) / x``, and 0 at 0."""
        away = where_rule(x == 0, 1.0, x)
        return where_rule(x == 0, 0.0, g * ((cos_rule(scaled(away, math.pi)) - apply(Sinc, away)) / away))


class Xlogy(Binary):
    """``x * log(y)``."""

    kernel, expression = "xlogy", "0 if x == 0 else x * log(y)"
    derivatives = (
        lambda g, x, y: where_rule((x == 0) & (y <= 0), 0.0, product(g, _log(y))),
        lambda g, x, y: quotient(g * x, y),
    )


class Xlog1py(Binary):
    """``x * log(1 + y)``."""

    kernel, expression = "xlog1py", "0 if x == 0 else x * log1p(y)"
    derivatives = (
        lambda g, x, y: where_rule((x == 0) & (y <= -1), 0.0, product(g, _log(y + 1))),
        lambda g, x, y: quotient(g * x, y + 1),
    )


def _log(y: Any) -> Any:
    return log_rule(y) if hasattr(y, "dtype") else math.log(y) if y > 0 else -math.inf if y == 0 else math.nan


class Lgamma(Unary):
    """``log(abs(gamma(x)))``."""

    kernel, expression = "lgamma", "lgamma(x)"
    derivative = staticmethod(lambda g, x: product(g, apply(Polygamma, x, n=0)))


class Polygamma(Unary):
    """The derivative of order ``n + 1`` of lgamma; each is the derivative of the one before."""

    kernel, expression = "polygamma", "polygamma(n, x)"
    derivative = staticmethod(lambda g, x, n: product(g, apply(Polygamma, x, n=n + 1)))


class Zeta(Primitive):
    """Hurwitz's zeta function; its derivative by the exponent has no closed form here."""

    layout = "operands"

    @staticmethod
    def forward(ctx: Any, s: Any, q: Any) -> Any:
        ctx.save(s, q)
        dtype = (s if hasattr(s, "dtype") else q).dtype
        return ctx.k.zeta(*[v if hasattr(v, "dtype") else ctx.k.full((), v, dtype=dtype) for v in (s, q)])

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        if ctx.needs[0]:
            raise GraphError("zeta: the derivative with respect to its first argument is not implemented; detach() it")
        s, q = ctx.saved
        return None, -(g * s * apply(Zeta, s + 1, q))


class Gammainc(Primitive):
    """The regularized lower incomplete gamma function."""

    layout = "operands"
    kernel, sign = "gammainc", 1

    @classmethod
    def forward(cls, ctx: Any, a: Any, x: Any) -> Any:
        ctx.save(a, x)
        return getattr(ctx.k, cls.kernel)(a, x)

    @classmethod
    def backward(cls, ctx: Any, g: Any) -> Any:
        if ctx.needs[0]:
            raise GraphError(f"{cls.kernel}: the derivative with respect to `input` is not implemented; detach() it")
        a, x = ctx.saved
        return None, g * cls.sign * exp_rule((a - 1) * log_rule(x) - x - apply(Lgamma, a))


class Gammaincc(Gammainc):
    """The regularized upper incomplete gamma function."""

    kernel, sign = "gammaincc", -1


erf_rule = functools.partial(apply, Erf)


def density(x: Any) -> Any:
    """The standard normal density."""
    return scaled(exp_rule(scaled(x * x, -0.5)), 1 / math.sqrt(2 * math.pi))


def erf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The error function: ``2 / sqrt(pi)`` times the integral of ``exp(-t ** 2)`` from 0 to ``input``."""
    return unary(Erf, "erf", input, out)


def erfc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``1 - erf(input)``, precise where that is tiny."""
    return unary(Erfc, "erfc", input, out)


def erfcx(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``exp(input ** 2) * erfc(input)``, which does not underflow."""
    return unary(Erfcx, "erfcx", input, out)


def erfinv(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The inverse of `erf`; infinite at -1 and 1, NaN outside."""
    return unary(Erfinv, "erfinv", input, out)


def ndtr(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The probability that a standard normal number is below ``input``."""
    return unary(Ndtr, "ndtr", input, out)


def ndtri(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The inverse of `ndtr`."""
    return unary(Ndtri, "ndtri", input, out)


def log_ndtr(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``log(ndtr(input))``, precise in both tails."""
    return unary(LogNdtr, "log_ndtr", input, out)


def entr(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``-input * log(input)``: 0 at 0, minus infinity below."""
    return unary(Entr, "entr", input, out)


def logit(input: Tensor, eps: float | None = None, *, out: Tensor | None = None) -> Tensor:
    """``log(input / (1 - input))``, the inverse of `sigmoid`.

    Args:
        input: probabilities.
        eps: clamp ``input`` to [eps, 1 - eps] first; without it, what lies outside [0, 1] gives NaN.
        out: a tensor to write the result to.
    """
    return unary(Logit, "logit", input, out, eps=eps)


def sinc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``sin(pi * input) / (pi * input)``, and 1 at 0."""
    return unary(Sinc, "sinc", input, out)


def xlogy(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """``input * log(other)``, and 0 where ``input`` is 0 (unless ``other`` is NaN)."""
    return binary(Xlogy, "xlogy", input, other, out, floating=True)


def xlog1py(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """``input * log(1 + other)``, and 0 where ``input`` is 0 (unless ``other`` is NaN)."""
    return binary(Xlog1py, "xlog1py", input, other, out, floating=True)


def lgamma(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``log(abs(gamma(input)))``; infinite at 0, -1, -2, ..."""
    return unary(Lgamma, "lgamma", input, out)


def digamma(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The derivative of `lgamma`."""
    return unary(Polygamma, "digamma", input, out, n=0)


def polygamma(n: int, input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The n-th derivative of `digamma`.

    Raises:
        RuntimeError: ``n`` is negative.
    """
    if n < 0:
        raise ArgumentError(f"polygamma(n, x) does not support negative n, such as {n}")
    return unary(Polygamma, "polygamma", input, out, n=n)


def polygamma_method(input: Tensor, n: int) -> Tensor:
    """The n-th derivative of `digamma`."""
    return polygamma(n, input)


def multigammaln(input: Tensor, p: int, *, out: Tensor | None = None) -> Tensor:
    """The logarithm of the multivariate gamma function of dimension ``p``.

    Raises:
        RuntimeError: ``p`` is below 1.
    """
    if p < 1:
        raise ArgumentError(f"mvlgamma: p has to be greater than or equal to 1, not {p}")
    total = lgamma(input)
    for i in range(1, p):
        total = total + lgamma(input - i / 2)
    result = total + p * (p - 1) / 4 * math.log(math.pi)
    return result if out is None else write_out(out, result, "mvlgamma")


def zeta(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """Hurwitz's zeta function: the sum of ``(other + k) ** -input`` over k = 0, 1, 2, ..."""
    return binary(Zeta, "zeta", input, other, out, floating=True)


def gammainc(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The integral of ``t ** (input - 1) * exp(-t)`` from 0 to ``other``, divided by ``gamma(input)``.

    Differentiable in ``other``.
    """
    return _incomplete("igamma", Gammainc, input, other, out)


def gammaincc(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``1 - gammainc(input, other)``, precise where that is tiny."""
    return _incomplete("igammac", Gammaincc, input, other, out)


def _incomplete(name: str, prim: Any, input: Any, other: Any, out: Any) -> Any:
    need_tensors(name, input=input, other=other)
    return binary(prim, name, input, other, out)


gammaln, psi, mvlgamma, igamma, igammac = lgamma, digamma, multigammaln, gammainc, gammaincc
erf_, erfc_, erfinv_ = in_place(erf), in_place(erfc), in_place(erfinv)
lgamma_, digamma_, mvlgamma_, polygamma_ = (
    in_place(lgamma),
    in_place(digamma),
    in_place(mvlgamma),
    in_place(polygamma_method),
)
igamma_, igammac_ = in_place(igamma), in_place(igammac)
logit_, sinc_, xlogy_ = in_place(logit), in_place(sinc), in_place(xlogy)
