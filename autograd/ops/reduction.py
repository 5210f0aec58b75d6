"""Reductions over dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..primitive import Primitive, apply
from .shape import expand_rule, reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


class SumTo(Primitive):
    """``x`` summed to a shape that broadcasts to its own: the adjoint of broadcasting."""

    @staticmethod
    def forward(ctx: Any, x: Any, *, shape: tuple[int, ...]) -> Any:
        ctx.info = x.shape
        lead = x.ndim - len(shape)
        axes = tuple(range(lead)) + tuple(
            i + lead for i, n in enumerate(shape) if n == 1 and x.shape[i + lead] != 1
        )
        return ctx.k.sum(x, axis=axes, keepdims=True).reshape(shape)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return expand_rule(g, ctx.info)


class Sum(Primitive):
    """The sum over some dimensions."""

    @staticmethod
    def forward(ctx: Any, x: Any, *, dim: Any, keepdim: bool) -> Any:
        ctx.info = x.shape
        return ctx.k.sum(x, axis=dim, keepdims=keepdim)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        shape, dim = ctx.info, ctx.params["dim"]
        if not ctx.params["keepdim"] and shape:
            g = restore_dims(g, shape, dim)
        return expand_rule(g, shape)


def restore_dims(g: Any, shape: tuple[int, ...], dim: Any) -> Any:
    """``g`` with the reduced dimensions back, at size 1."""
    dims = range(len(shape)) if dim is None else (dim,) if isinstance(dim, int) else dim
    gone = {d % len(shape) for d in dims}
    return reshape_rule(g, tuple(1 if i in gone else n for i, n in enumerate(shape)))


def sum_to(x: Any, shape: tuple[int, ...]) -> Any:
    """``x`` (Tensor or array) summed to ``shape``."""
    return apply(SumTo, x, shape=shape)


def sum(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    return apply(Sum, input, dim=dim, keepdim=keepdim)
