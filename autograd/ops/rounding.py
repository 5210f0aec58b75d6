"""Signs, absolute values and rounding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends.errors import DTypeError
from ..base import TensorBase, wrap
from ..formulas import kernel_or_formula
from ..out import write_out
from ..primitive import Primitive, apply
from .calling import in_place, mask, unary
from .elementwise import Unary, conj, quotient, scaled
from .select import where_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


class Step(Unary):
    """A function that is constant between jumps: its derivative is zero."""

    saves = ""
    derivative = staticmethod(lambda g: scaled(g, 0))


class Sign(Step):
    """-1, 0 or 1."""

    kernel, expression = "sign", "(x > 0) - (x < 0)"


class Floor(Step):
    """The largest integer not above ``x``."""

    kernel, expression = "floor", "floor(x)"


class Ceil(Step):
    """The smallest integer not below ``x``."""

    kernel, expression = "ceil", "ceil(x)"


class Trunc(Step):
    """The integer part."""

    kernel, expression = "trunc", "trunc(x)"


class Round(Step):
    """The nearest integer, the even one of two."""

    kernel, expression = "rint", "rint(x)"


class RoundTo(Primitive):
    """The nearest multiple of ``10 ** -decimals``."""

    layout = "operands"

    @staticmethod
    def forward(ctx: Any, x: Any, *, decimals: int) -> Any:
        return ctx.k.round_to(x, decimals)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return scaled(g, 0)


class Frac(Unary):
    """``x - trunc(x)``."""

    kernel, expression, saves = "frac", "x - trunc(x)", ""
    derivative = staticmethod(lambda g: g)


@kernel_or_formula
def abs_backward(g: Any, x: Any) -> Any:
    """``g`` times the sign of ``x``, or the direction of a complex one."""
    return g * apply(Sgn, x)


class Abs(Unary):
    """The absolute value; its derivative at 0 is taken as 0."""

    kernel, expression = "abs", "abs(x)"
    derivative = staticmethod(abs_backward)


class Sgn(Primitive):
    """``x / abs(x)``, and 0 at 0: the sign of a real number, the direction of a complex one."""

    layout = "operands"

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = ctx.k.asarray(ctx.k.sgn(x))
        if y.dtype.kind == "c":
            ctx.save(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        if ctx.dtype.kind != "c":
            return scaled(g, 0)
        x, y = ctx.saved
        along = g * conj(y)  # its real part is what would change the length, which is always 1
        size = apply(Abs, x)
        across = quotient(g - y * ((along + conj(along)) / 2), where_rule(size == 0, 1.0, size))
        return where_rule(size == 0, 0.0, across)


def abs(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The absolute value; complex numbers give real ones."""
    if input.dtype.category == 0:
        raise DTypeError("abs: not implemented for bool; a mask is its own absolute value")
    return unary(Abs, "abs", input, out, floating=False)


def sign(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """-1, 0 or 1, as ``input`` is negative, zero or positive."""
    if input.dtype.category == 3:
        raise DTypeError("Unlike NumPy, sign() is not intended to support complex numbers. Use sgn() instead.")
    return unary(Sign, "sign", input, out, floating=False)


def _rounded(prim: Any, name: str, input: Any, out: Any) -> Any:
    """Integers are whole, and stay integers: not every array namespace leaves them so."""
    if isinstance(input, TensorBase) and input._data.dtype.kind in "iu":
        return wrap(input._data.copy()) if out is None else write_out(out, input, name)
    return unary(prim, name, input, out, floating=False)


def floor(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The largest integer not above each element, in the dtype of ``input``."""
    return _rounded(Floor, "floor", input, out)


def ceil(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The smallest integer not below each element, in the dtype of ``input``."""
    return _rounded(Ceil, "ceil", input, out)


def trunc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Each element without its fraction, in the dtype of ``input``."""
    return _rounded(Trunc, "trunc", input, out)


def round(input: Tensor, *, decimals: int = 0, out: Tensor | None = None) -> Tensor:
    """The nearest integer, and the even one of two that are equally near.

    Args:
        input: any real dtype.
        decimals: round to so many digits after the point (before it, when negative).
        out: a tensor to write the result to.

    Example:
        >>> import wengert as wg
        >>> wg.round(wg.tensor([0.5, 1.5, 2.345]))
        tensor([0., 2., 2.])
    """
    if decimals == 0:
        return _rounded(Round, "round", input, out)
    if input.dtype.category < 2:
        raise DTypeError(f"round: decimals={decimals} needs floating-point numbers, not {input.dtype}")
    return unary(RoundTo, "round", input, out, decimals=decimals)


def frac(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The fraction, ``input - trunc(input)``, with the sign of ``input``."""
    if input.dtype.category < 2:
        raise DTypeError(f"frac: not implemented for {input.dtype}; integers have no fraction")
    return unary(Frac, "frac", input, out)


def sgn(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The sign; of a complex number ``input / abs(input)``, and 0 of 0."""
    return unary(Sgn, "sgn", input, out, floating=False)


def signbit(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Whether the sign bit is set: of negative numbers, and of -0.0."""
    return mask("sign_bit", "signbit", input, out=out)


def abs_(input: Tensor) -> Tensor:
    """`abs` in place.

    Raises:
        RuntimeError: ``input`` is complex, and its absolute value is not.
    """
    if input.dtype.category == 3:
        raise DTypeError("In-place abs is not supported for complex tensors.")
    return _abs_(input)


absolute, fix = abs, trunc
_abs_, sign_, sgn_ = in_place(abs), in_place(sign), in_place(sgn)
floor_, ceil_, trunc_, round_, frac_ = in_place(floor), in_place(ceil), in_place(trunc), in_place(round), in_place(frac)
absolute_, fix_ = abs_, trunc_
