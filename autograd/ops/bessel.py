"""Bessel functions, Airy's function, and the orthogonal polynomials; in ``wengert.special``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends.errors import GraphError
from ..primitive import apply
from .calling import in_place, unary
from .elementwise import Unary
from .rounding import Sign
from .select import where_rule
from .trigonometric import cos_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


def _over(y: Any, x: Any, limit: float) -> Any:
    """``y / x``, and its limit at 0."""
    return where_rule(x == 0, limit, y / where_rule(x == 0, 1.0, x))


class I0(Unary):
    """The modified Bessel function of the first kind, order 0."""

    kernel, expression = "i0", "i0(x)"
    derivative = staticmethod(lambda g, x: g * apply(I1, x))


class I1(Unary):
    """The modified Bessel function of the first kind, order 1."""

    kernel, expression = "i1", "i1(x)"
    derivative = staticmethod(lambda g, x: g * (apply(I0, x) - _over(apply(I1, x), x, 0.5)))


class I0e(Unary):
    """``exp(-abs(x)) * i0(x)``."""

    kernel, expression = "i0e", "i0e(x)"
    derivative = staticmethod(lambda g, x: g * (apply(I1e, x) - apply(Sign, x) * apply(I0e, x)))


class I1e(Unary):
    """``exp(-abs(x)) * i1(x)``."""

    kernel, expression = "i1e", "i1e(x)"

    @staticmethod
    def derivative(g: Any, x: Any) -> Any:
        """By the rule of `I1` and the product rule."""
        y = apply(I1e, x)
        return g * (apply(I0e, x) - y * apply(Sign, x) - _over(y, x, 0.5))


class J0(Unary):
    """The Bessel function of the first kind, order 0."""

    kernel, expression = "bessel_j0", "j0(x)"
    derivative = staticmethod(lambda g, x: -(g * apply(J1, x)))


class J1(Unary):
    """The Bessel function of the first kind, order 1."""

    kernel, expression = "bessel_j1", "j1(x)"
    derivative = staticmethod(lambda g, x: g * (apply(J0, x) - _over(apply(J1, x), x, 0.5)))


class Y0(Unary):
    """The Bessel function of the second kind, order 0."""

    kernel, expression = "bessel_y0", "y0(x)"
    derivative = staticmethod(lambda g, x: -(g * apply(Y1, x)))


class Y1(Unary):
    """The Bessel function of the second kind, order 1."""

    kernel, expression = "bessel_y1", "y1(x)"
    derivative = staticmethod(lambda g, x: g * (apply(Y0, x) - apply(Y1, x) / x))


class K0(Unary):
    """The modified Bessel function of the second kind, order 0."""

    kernel, expression = "k0", "k0(x)"
    derivative = staticmethod(lambda g, x: -(g * apply(K1, x)))


class K1(Unary):
    """The modified Bessel function of the second kind, order 1."""

    kernel, expression = "k1", "k1(x)"
    derivative = staticmethod(lambda g, x: -(g * (apply(K0, x) + apply(K1, x) / x)))


class K0e(Unary):
    """``exp(x) * k0(x)``."""

    kernel, expression = "k0e", "k0e(x)"
    derivative = staticmethod(lambda g, x: g * (apply(K0e, x) - apply(K1e, x)))


class K1e(Unary):
    """``exp(x) * k1(x)``."""

    kernel, expression = "k1e", "k1e(x)"

    @staticmethod
    def derivative(g: Any, x: Any) -> Any:
        """By the rule of `K1` and the product rule."""
        y = apply(K1e, x)
        return g * (y - apply(K0e, x) - y / x)


class SphericalJ0(Unary):
    """``sin(x) / x``."""

    kernel, expression = "spherical_bessel_j0", "1 if x == 0 else sin(x) / x"
    derivative = staticmethod(lambda g, x: g * _over(cos_rule(x) - apply(SphericalJ0, x), x, 0.0))


class AiryAi(Unary):
    """Airy's function; its derivative is a function of its own, which is not here."""

    kernel, expression = "airy_ai", "airy_ai(x)"

    @staticmethod
    def derivative(g: Any, x: Any) -> Any:
        """None is known here."""
        raise GraphError("airy_ai: the derivative is not implemented; detach() its input")


def i0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The modified Bessel function of the first kind, order 0."""
    return unary(I0, "i0", input, out)


def i0e(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``exp(-abs(input)) * i0(input)``, which does not overflow."""
    return unary(I0e, "i0e", input, out)


def i1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The modified Bessel function of the first kind, order 1."""
    return unary(I1, "i1", input, out)


def i1e(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``exp(-abs(input)) * i1(input)``, which does not overflow."""
    return unary(I1e, "i1e", input, out)


def bessel_j0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The Bessel function of the first kind, order 0."""
    return unary(J0, "bessel_j0", input, out)


def bessel_j1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The Bessel function of the first kind, order 1."""
    return unary(J1, "bessel_j1", input, out)


def bessel_y0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The Bessel function of the second kind, order 0: minus infinity at 0, NaN below."""
    return unary(Y0, "bessel_y0", input, out)


def bessel_y1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The Bessel function of the second kind, order 1: minus infinity at 0, NaN below."""
    return unary(Y1, "bessel_y1", input, out)


def modified_bessel_k0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The modified Bessel function of the second kind, order 0: infinite at 0, NaN below."""
    return unary(K0, "modified_bessel_k0", input, out)


def modified_bessel_k1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The modified Bessel function of the second kind, order 1: infinite at 0, NaN below."""
    return unary(K1, "modified_bessel_k1", input, out)


def scaled_modified_bessel_k0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``exp(input) * modified_bessel_k0(input)``."""
    return unary(K0e, "scaled_modified_bessel_k0", input, out)


def scaled_modified_bessel_k1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``exp(input) * modified_bessel_k1(input)``."""
    return unary(K1e, "scaled_modified_bessel_k1", input, out)


def spherical_bessel_j0(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``sin(input) / input``, and 1 at 0."""
    return unary(SphericalJ0, "spherical_bessel_j0", input, out)


def airy_ai(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Airy's function Ai; not differentiable here, as in PyTorch."""
    return unary(AiryAi, "airy_ai", input, out)


i0_ = in_place(i0)
