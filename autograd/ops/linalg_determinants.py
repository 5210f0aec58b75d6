"""Determinants; in ``wengert.linalg``.

References:
    M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation" (2008).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..primitive import Primitive, apply
from .complex import imag_rule
from .elementwise import conj, quotient
from .exponential import log
from .linalg import bmm_rule, check_matrix, done, done_all, mH, mT
from .linalg_solving import Inverse
from .reduction import sum_rule
from .return_types import named_result

if TYPE_CHECKING:
    from ..tensor import Tensor

SlogdetResult = named_result("linalg_slogdet", "sign logabsdet")


class Det(Primitive):
    """The determinant: its derivative by an element is that element's cofactor."""

    torch_name = "LinalgDet"

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save(x)
        return ctx.k.det(x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return conj(apply(Cofactor, ctx.saved[0])) * g[..., None, None]


class Cofactor(Primitive):
    """``c = det(x) inv(x).T``, with ``dc = (sum(c * dx) c - c dx.T c) / det(x)``: it needs a regular matrix."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = ctx.k.cofactor(x)
        ctx.save(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, y = ctx.saved
        c, d = conj(y), conj(apply(Det, x))[..., None, None]
        inner = sum_rule(g * c, (g.ndim - 2, g.ndim - 1), True)
        return quotient(inner * c - bmm_rule(bmm_rule(c, mT(g)), c), d + c * 0)


class Slogdet(Primitive):
    """Sign and logarithm of the determinant.

    ``d log(det) = trace(inv(x) dx)``, of which the imaginary part turns the sign of a complex one.
    """

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        sign, size = map(ctx.k.asarray, ctx.k.slogdet(x))
        ctx.save(x, sign)
        ctx.info = x.dtype.kind == "c"
        return sign, size

    @staticmethod
    def backward(ctx: Any, gs: Any, g: Any) -> Any:
        x, sign = ctx.saved
        if ctx.info:
            g = g + imag_rule(gs * conj(sign)) * 1j
        return mH(apply(Inverse, x)) * g[..., None, None]


# ---------------------------------------------------------------------- the public functions


def det(A: Tensor, *, out: Any = None) -> Tensor:
    """The determinant of square matrices (..., n, n).

    Singular matrices have a gradient as well (PyTorch gives 0 for some); the second derivative needs a regular one.
    """
    check_matrix("linalg.det", A, True)
    return done("linalg.det", apply(Det, A), out)


def slogdet(A: Tensor, *, out: Any = None) -> Any:
    """Sign and logarithm of the size of the determinant, which does not overflow.

    Returns:
        ``(sign, logabsdet)``; of a singular matrix 0 and -inf.
    """
    check_matrix("linalg.slogdet", A, True)
    parts = apply(Slogdet, A)
    return done_all("linalg.slogdet", SlogdetResult, parts, out)


def logdet(input: Tensor) -> Tensor:
    """The logarithm of the determinant; NaN where that is negative."""
    check_matrix("logdet", input, True)
    sign, size = apply(Slogdet, input)
    return log(sign.detach() if input._data.dtype.kind == "f" else sign) + size
