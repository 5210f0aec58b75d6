"""What elementwise ops are made of: ``Unary`` and ``Binary``, and the arithmetic that their gradients share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ...backends import kernels_of
from ...backends.registry import MANY
from ..base import TensorBase
from ..primitive import Primitive, apply

__all__ = ["Binary", "Unary", "conj", "is_zero", "product", "quotient", "scaled", "times"]


class Unary(Primitive):
    """An elementwise function of one operand; a subclass is a table row.

    Class attributes:
        kernel: the kernel's name.
        expression: the function of a scalar ``x``, as Python.
        saves: what the derivative needs: ``"x"``, ``"y"`` or nothing.
        derivative: ``derivative(g, *saved, **params)`` is ``g`` times the derivative. It is written for real numbers
            and holds for complex ones, as all these functions are real on the real axis: f'(conj(x)) = conj(f'(x)).
    """

    layout = "operands"
    kernel: ClassVar[str]
    expression: ClassVar[str]
    saves: ClassVar[str] = "x"
    derivative: ClassVar[Callable[..., Any]]

    @classmethod
    def forward(cls, ctx: Any, x: Any, **params: Any) -> Any:
        kernel = getattr(ctx.k, cls.kernel)
        y = kernel(x, **params) if x.dtype.itemsize != 2 else ctx.k.with_halves(kernel, x, **params)
        saves = cls.saves
        if saves == "x":
            ctx.save(x)
        elif saves == "y":
            if type(y) is not type(x):  # NumPy makes scalars of 0-d results
                y = ctx.k.asarray(y)
            ctx.save(y)
        return y

    @classmethod
    def backward(cls, ctx: Any, g: Any) -> Any:
        if half(ctx, g):
            return kernels_of[type(g)].in_float32(cls.derivative, g, *ctx.saved, **ctx.params)
        g, *saved = ready(ctx, g)
        return cls.derivative(g, *saved, **ctx.params)


class Binary(Primitive):
    """An elementwise function of two operands.

    Class attributes:
        kernel: the kernel's name.
        expression: the function of scalars ``x`` and ``y``, as Python.
        derivatives: for each operand, ``f(g, x, y)`` is ``g`` times the derivative, or None where there is none.
    """

    layout = "operands"
    kernel: ClassVar[str]
    expression: ClassVar[str]
    derivatives: ClassVar[tuple[Callable[..., Any] | None, Callable[..., Any] | None]]

    @classmethod
    def forward(cls, ctx: Any, x: Any, y: Any) -> Any:
        ctx.save(x, y)
        return getattr(ctx.k, cls.kernel)(x, y)

    @classmethod
    def backward(cls, ctx: Any, g: Any) -> Any:
        wanted = [f if need else None for f, need in zip(cls.derivatives, ctx.needs, strict=True)]
        if half(ctx, g):
            in_float32 = kernels_of[type(g)].in_float32
            return tuple([None if f is None else in_float32(f, g, *ctx.saved) for f in wanted])
        g, x, y = ready(ctx, g)
        return tuple([None if f is None else f(g, x, y) for f in wanted])


def half(ctx: Any, g: Any) -> bool:
    """Whether a gradient is an array of 16-bit floats, whose rules are computed in float32."""
    return ctx.dtype.itemsize == 2 and not isinstance(g, TensorBase)


def ready(ctx: Any, g: Any) -> tuple[Any, ...]:
    """``g`` and what was saved, as derivatives want it: complex values conjugated."""
    return (g, *map(conj, ctx.saved)) if ctx.dtype.kind == "c" else (g, *ctx.saved)


class Conj(Primitive):
    """The complex conjugate."""

    layout = "operands"

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return ctx.k.conjugate(x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return conj(g)


class Product(Primitive):
    """``g * d``, and 0 where ``g`` is 0, even if ``d`` is infinite or NaN.

    Rules use it where a derivative ``d`` has poles: what no gradient arrives at, sends none on.
    """

    @staticmethod
    def forward(ctx: Any, g: Any, d: Any) -> Any:
        ctx.save(g, d)
        return ctx.k.product(g, d)

    @staticmethod
    def backward(ctx: Any, h: Any) -> Any:
        g, d = ctx.saved
        return product(h, conj(d)) if ctx.needs[0] else None, h * conj(g) if ctx.needs[1] else None


class Quotient(Primitive):
    """``g / d``, and 0 where ``g`` is 0, even if ``d`` is."""

    @staticmethod
    def forward(ctx: Any, g: Any, d: Any) -> Any:
        ctx.save(g, d)
        return ctx.k.quotient(g, d)

    @staticmethod
    def backward(ctx: Any, h: Any) -> Any:
        g, d = ctx.saved
        d = conj(d)
        gg = quotient(h, d)
        return gg, -quotient(gg * conj(g), d) if ctx.needs[1] else None


def product(g: Any, d: Any) -> Any:
    """``g * d`` (Tensors or arrays), and 0 where ``g`` is 0."""
    return apply(Product, g, d)


def quotient(g: Any, d: Any) -> Any:
    """``g / d`` (Tensors or arrays), and 0 where ``g`` is 0."""
    return apply(Quotient, g, d)


def times(g: Any, d: Any) -> Any:
    """``g * d`` (Tensors or arrays): the operator, or the kernel where that may have several threads."""
    if isinstance(g, TensorBase) or g.size < MANY or not kernels_of[type(g)].direct:
        return g * d
    return kernels_of[type(g)].multiply(g, d)


def conj(x: Any) -> Any:
    """The complex conjugate of a Tensor, array or number; ``x`` itself where it is real."""
    data = x._data if isinstance(x, TensorBase) else x
    if hasattr(data, "dtype"):
        return apply(Conj, x) if data.dtype.kind == "c" else x
    return x.conjugate() if isinstance(x, complex) else x


def is_zero(x: Any) -> Any:
    """Where a Tensor or array is 0; arrays of bfloat16 do not compare with Python numbers everywhere."""
    return x == (0 if isinstance(x, TensorBase) else x.dtype.type(0))


def scaled(g: Any, factor: complex) -> Any:
    """``g * factor``, in the type of ``g``: an array of bfloat16 would become float32 by a Python float."""
    return times(g, factor if isinstance(g, TensorBase) else g.dtype.type(factor))
