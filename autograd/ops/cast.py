"""Change of element type."""

from __future__ import annotations

from typing import Any

from ..primitive import Primitive, apply


class Cast(Primitive):
    """``x`` with another element type. The engine casts the gradient back."""

    @staticmethod
    def forward(ctx: Any, x: Any, *, dtype: Any) -> Any:
        return ctx.k.astype(x, dtype)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g


def cast(x: Any, dtype: Any) -> Any:
    """``x`` (Tensor or array) as NumPy dtype ``dtype``; a complex value loses its imaginary part on the way to real."""
    return apply(Cast, x, dtype=dtype)
