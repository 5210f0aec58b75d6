"""Running sums and products along a dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..inplace import write_out
from ..primitive import Primitive, apply
from .calling import in_place
from .dims import canonical_dim
from .reduction import _summable, numpy_names

if TYPE_CHECKING:
    from ..tensor import Tensor


class Cumsum(Primitive):
    """The running sum along ``dim``, from the end where ``reverse``; the one is the other's gradient."""

    @staticmethod
    def forward(ctx: Any, x: Any, *, dim: int, reverse: bool = False) -> Any:
        return ctx.k.cumsum(x, dim, reverse)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(Cumsum, g, dim=ctx.params["dim"], reverse=not ctx.params.get("reverse", False))


class Cumprod(Primitive):
    """The running product along ``dim``."""

    kernels = ("cumprod", "cumprod_backward")

    @staticmethod
    def formula(x: Any, *, dim: int) -> Any:
        """Multiply by what lies 1, 2, 4, ... places back: exact with zeros, at any order."""
        from .join import cat

        step, n = 1, x.shape[dim] if x.shape else 1
        before: tuple[Any, ...] = (slice(None),) * dim
        while step < n:
            head, tail, back = slice(None, step), slice(step, None), slice(None, n - step)
            x = cat([x[(*before, head)], x[(*before, tail)] * x[(*before, back)]], dim)
            step *= 2
        return x

    @staticmethod
    def forward(ctx: Any, x: Any, *, dim: int) -> Any:
        y = ctx.k.asarray(ctx.k.cumprod(x, dim))
        ctx.save(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return ctx.k.cumprod_backward(g, *ctx.saved, ctx.params["dim"])


def _running(name: str, prim: Any, input: Tensor, dim: int, dtype: Any, out: Any) -> Any:
    d = canonical_dim(dim, input._data.ndim, name)
    y = apply(prim, _summable(input, dtype), dim=d)
    return y if out is None else write_out(out, y, name)


@numpy_names
def cumsum(input: Tensor, dim: int, *, dtype: Any = None, out: Tensor | None = None) -> Tensor:
    """The running sum along ``dim``; integers are summed in int64.

    Example:
        >>> import wengert as wg
        >>> wg.cumsum(wg.tensor([1, 2, 3]), 0)
        tensor([1, 3, 6])
    """
    return _running("cumsum", Cumsum, input, dim, dtype, out)


@numpy_names
def cumprod(input: Tensor, dim: int, *, dtype: Any = None, out: Tensor | None = None) -> Tensor:
    """The running product along ``dim``; integers are multiplied in int64."""
    return _running("cumprod", Cumprod, input, dim, dtype, out)


cumsum_, cumprod_ = in_place(cumsum), in_place(cumprod)
