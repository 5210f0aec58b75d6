"""Choosing by a condition."""

from __future__ import annotations

from typing import Any

from ..primitive import Primitive, apply


class Where(Primitive):
    """``x`` where the condition holds, else ``y``."""

    @staticmethod
    def forward(ctx: Any, condition: Any, x: Any, y: Any) -> Any:
        ctx.cache(condition)
        return ctx.k.where(condition, x, y)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (condition,) = ctx.cached
        needs = ctx.needs
        gx = where_rule(condition, g, 0.0) if needs[1] else None
        gy = where_rule(condition, 0.0, g) if needs[2] else None
        return None, gx, gy


def where_rule(condition: Any, x: Any, y: Any) -> Any:
    """``where`` for gradient rules: Tensors, arrays and numbers, no promotion."""
    return apply(Where, condition, x, y)
