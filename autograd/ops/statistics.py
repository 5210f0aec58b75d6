"""Variance and standard deviation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends.errors import DTypeError
from ..inplace import write_out
from ..primitive import apply
from .elementwise import scaled
from .reduction import Dim, Reduction, count, mean_rule, numpy_names, reduced

if TYPE_CHECKING:
    from ..tensor import Tensor


class Var(Reduction):
    """The variance and the mean over some dimensions."""

    @staticmethod
    def forward(ctx: Any, x: Any, *, dim: Any, correction: float, keepdim: bool) -> Any:
        ctx.info = x.shape
        ctx.save(x)
        variance, average = ctx.k.var(x, axis=dim, correction=correction, keepdims=keepdim)
        return variance, average.reshape(variance.shape)

    undefined = True

    @classmethod
    def backward(cls, ctx: Any, g: Any, gm: Any) -> Any:
        (x,) = ctx.saved
        dim = ctx.params["dim"]
        n = count(ctx.info, dim)
        gx = None
        if g is not None:
            freedom = n - ctx.params["correction"]
            share = scaled(cls.restored(ctx, g), 2 / freedom if freedom > 0 else float("nan"))
            gx = share * (x - mean_rule(x, dim, True))
        if gm is not None:
            even = scaled(cls.restored(ctx, gm), 1 / (n or 1))
            gx = even if gx is None else gx + even
        return gx


def _moments(name: str, input: Any, dim: Any, unbiased: Any, correction: Any, keepdim: bool) -> Any:
    """Variance and mean. ``unbiased`` is the old way to say ``correction`` and may stand where ``dim`` does."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    dims = reduced(name, input, dim)
    if input.dtype.category < 2:
        raise DTypeError(f"{name}: std and var only support floating point and complex dtypes, not {input.dtype}")
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    return apply(Var, input, dim=dims, correction=correction, keepdim=keepdim)


def _done(value: Any, out: Any, name: str) -> Any:
    return value if out is None else write_out(out, value, name)


@numpy_names
def var(
    input: Tensor,
    dim: Dim = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """The variance: squared deviations from the mean, summed and divided by the count less ``correction``.

    Args:
        input: floating point or complex.
        dim: one dimension, several, or None for all.
        unbiased: the old name of ``correction``: True for 1, False for 0.
        keepdim: keep the reduced dimensions at size 1.
        correction: 1 (Bessel's) unless told.
        out: a tensor to write the result to.

    Raises:
        RuntimeError: ``input`` is of integers.

    Example:
        >>> import wengert as wg
        >>> wg.tensor([1.0, 2.0, 3.0]).var(correction=0)
        tensor(0.6667)
    """
    return _done(_moments("var", input, dim, unbiased, correction, keepdim)[0], out, "var")


@numpy_names
def std(
    input: Tensor,
    dim: Dim = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """The standard deviation: the square root of `var`."""
    variance = _moments("std", input, dim, unbiased, correction, keepdim)[0]
    return _done(variance.sqrt(), out, "std")


@numpy_names
def var_mean(
    input: Tensor,
    dim: Dim = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """The variance and the mean; see `var`."""
    return _moments("var_mean", input, dim, unbiased, correction, keepdim)


@numpy_names
def std_mean(
    input: Tensor,
    dim: Dim = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """The standard deviation and the mean; see `var`."""
    variance, average = _moments("std_mean", input, dim, unbiased, correction, keepdim)
    return variance.sqrt(), average
