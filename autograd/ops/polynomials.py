"""The classical orthogonal polynomials; in ``wengert.special``.

Each family is its member of degree 1 and the recurrence from p(k) and p(k - 1) to p(k + 1), which is stable and which
autograd differentiates as it stands.

References:
    F. W. J. Olver and others, NIST Digital Library of Mathematical Functions, table 18.9.1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ..base import TensorBase, wrap
from ..out import write_out
from ..primitive import apply
from ..promotion import operands
from .comparison import eq
from .rounding import Abs, Trunc
from .select import where_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


def family(name: str, text: str, first: Callable[[Any], Any], following: Callable[..., Any]) -> Callable[..., Tensor]:
    """The function that evaluates the polynomials of a family.

    Args:
        name: the function's name.
        text: what it is called.
        first: the polynomial of degree 1.
        following: ``following(k, x, p(k), p(k - 1))`` is p(k + 1).
    """

    def polynomial(input: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
        x, degree = operands(name, input, n, floating=True)
        data = (x if isinstance(x, TensorBase) else degree)._data
        degree = _whole(degree)
        one = wrap(kernels_of[type(data)].ones_like(data))
        x = x * one
        before, here = one, first(x)
        result = _where_degree(degree, 0, before, one * 0)
        for k in range(1, _largest(degree) + 1):
            result = _where_degree(degree, k, here, result)
            before, here = here, following(k, x, here, before)
        return result if out is None else write_out(out, result, name)

    polynomial.__name__ = polynomial.__qualname__ = name
    polynomial.__doc__ = f"{text} of degree ``n``, number or tensor, less its fraction; 0 where it is negative."
    return polynomial


def _whole(degree: Any) -> Any:
    """A degree without its fraction; -1 for one that int64 does not hold, and for NaN."""
    if not isinstance(degree, TensorBase):
        return int(degree) if abs(degree) < 2**63 else -1
    return where_rule(apply(Abs, degree) < 2.0**63, apply(Trunc, degree), -1.0)


def _largest(degree: Any) -> int:
    if not isinstance(degree, TensorBase):
        return int(degree)
    return int(degree._data.max()) if degree._data.size else 0


def _where_degree(degree: Any, k: int, value: Any, otherwise: Any) -> Any:
    if isinstance(degree, TensorBase):
        return where_rule(eq(degree, k), value, otherwise)
    return value if degree == k else otherwise


def _chebyshev(kind: str, first: Callable[[Any], Any], shifted: bool) -> Callable[..., Tensor]:
    name = f"chebyshev_polynomial_{kind}"
    text = f"The Chebyshev polynomial {kind.upper()}"
    if not shifted:
        return family(name, text, first, lambda k, x, p, q: 2 * x * p - q)
    text += " on [0, 1]"
    return family(f"shifted_{name}", text, lambda x: first(2 * x - 1), lambda k, x, p, q: 2 * (2 * x - 1) * p - q)


_FIRST: dict[str, Callable[[Any], Any]] = {
    "t": lambda x: x,
    "u": lambda x: 2 * x,
    "v": lambda x: 2 * x - 1,
    "w": lambda x: 2 * x + 1,
}
chebyshev_polynomial_t = _chebyshev("t", _FIRST["t"], False)
chebyshev_polynomial_u = _chebyshev("u", _FIRST["u"], False)
chebyshev_polynomial_v = _chebyshev("v", _FIRST["v"], False)
chebyshev_polynomial_w = _chebyshev("w", _FIRST["w"], False)
shifted_chebyshev_polynomial_t = _chebyshev("t", _FIRST["t"], True)
shifted_chebyshev_polynomial_u = _chebyshev("u", _FIRST["u"], True)
shifted_chebyshev_polynomial_v = _chebyshev("v", _FIRST["v"], True)
shifted_chebyshev_polynomial_w = _chebyshev("w", _FIRST["w"], True)
hermite_polynomial_h = family(
    "hermite_polynomial_h",
    "The physicists' Hermite polynomial",
    lambda x: 2 * x,
    lambda k, x, p, q: 2 * (x * p - k * q),
)
hermite_polynomial_he = family(
    "hermite_polynomial_he", "The probabilists' Hermite polynomial", lambda x: x, lambda k, x, p, q: x * p - k * q
)
laguerre_polynomial_l = family(
    "laguerre_polynomial_l",
    "The Laguerre polynomial",
    lambda x: 1 - x,
    lambda k, x, p, q: ((2 * k + 1 - x) * p - k * q) / (k + 1),
)
legendre_polynomial_p = family(
    "legendre_polynomial_p",
    "The Legendre polynomial",
    lambda x: x,
    lambda k, x, p, q: ((2 * k + 1) * x * p - k * q) / (k + 1),
)
