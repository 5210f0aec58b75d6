"""Variance, standard deviation, covariance, correlation."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

from ...backends.batched import any_in
from ...backends.errors import ArgumentError, DTypeError, ShapeError
from ..out import write_out
from ..primitive import apply
from .complex import complex
from .dims import numpy_names
from .elementwise import is_zero, scaled
from .product import matmul
from .reduction import Dim, Reduction, count, mean_rule, reduced
from .select import where_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


class Var(Reduction):
    """The variance and the mean over some dimensions."""

    undefined = True
    factor = 2
    keeps = False  # whether backward needs the output

    @staticmethod
    def finish(ctx: Any, variance: Any) -> Any:
        """What is made of the variance."""
        return variance

    @staticmethod
    def scale(g: Any, y: Any) -> Any:
        """``g`` times what `finish` adds to the derivative."""
        return g

    @classmethod
    def forward(cls, ctx: Any, x: Any, *, dim: Any, correction: float, keepdim: bool) -> Any:
        ctx.info = x.shape
        variance, average = ctx.k.var(x, axis=dim, correction=correction, keepdims=keepdim)
        y = cls.finish(ctx, variance)
        ctx.save(x, y if cls.keeps else None)
        return y, average.reshape(variance.shape)

    @classmethod
    def backward(cls, ctx: Any, g: Any, gm: Any) -> Any:
        x, y = ctx.saved
        dim = ctx.params["dim"]
        n = count(ctx.info, dim)
        gx = None
        if g is not None:
            freedom = n - ctx.params["correction"]
            share = scaled(cls.restored(ctx, cls.scale(g, y)), cls.factor / freedom if freedom > 0 else math.nan)
            gx = share * (x - mean_rule(x, dim, True))
        if gm is not None:
            even = scaled(cls.restored(ctx, gm), 1 / (n or 1))
            gx = even if gx is None else gx + even
        return gx


class Std(Var):
    """The standard deviation and the mean; the gradient is 0 where all elements are equal."""

    factor, keeps = 1, True

    @staticmethod
    def finish(ctx: Any, variance: Any) -> Any:
        """Its root."""
        return ctx.k.asarray(ctx.k.sqrt(variance))

    @staticmethod
    def scale(g: Any, y: Any) -> Any:
        """``g / y``, and 0 where ``y`` is 0."""
        zero = is_zero(y)
        return where_rule(zero, 0.0, g / where_rule(zero, 1.0, y))


def _moments(prim: Any, name: str, input: Any, dim: Any, unbiased: Any, correction: Any, keepdim: bool) -> Any:
    """Variance and mean. ``unbiased`` is the old way to say ``correction`` and may stand where ``dim`` does."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    dims = reduced(name, input, dim)
    if input._data.dtype.kind in "iub":
        raise DTypeError(f"{name}: std and var only support floating point and complex dtypes, not {input.dtype}")
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    n = count(input._data.shape, dims)
    if n <= correction:
        warnings.warn(
            f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor "
            f"(input numel divided by output numel): correction is {correction}, for {n} elements",
            stacklevel=4,
        )
    return apply(prim, input, dim=dims, correction=correction, keepdim=keepdim)


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
    return _done(_moments(Var, "var", input, dim, unbiased, correction, keepdim)[0], out, "var")


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
    return _done(_moments(Std, "std", input, dim, unbiased, correction, keepdim)[0], out, "std")


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
    return _moments(Var, "var_mean", input, dim, unbiased, correction, keepdim)


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
    return _moments(Std, "std_mean", input, dim, unbiased, correction, keepdim)


def cov(
    input: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None
) -> Tensor:
    """The covariance matrix of variables (rows) from observations (columns).

    Args:
        input: (variables, observations), or (observations) of one variable.
        correction: the divisor is the number of observations less this.
        fweights: (observations), integers: how often each observation counts.
        aweights: (observations): how much each observation counts.

    Returns:
        (variables, variables); 0-d for one variable.

    Raises:
        RuntimeError: ``input`` has more than two dimensions; the weights are not 1-d, of another length, or negative.
    """
    if input._data.ndim > 2:
        raise ShapeError(f"cov(): expected input to have two or fewer dimensions but got {input._data.ndim}")
    rows = input.reshape(1, -1) if input._data.ndim < 2 else input
    n = rows._data.shape[1]
    for name, w in (("fweights", fweights), ("aweights", aweights)):
        if w is not None:
            _check_weights(name, w, n)
    rows = rows if rows.dtype.category > 1 else rows.float()
    weights = fweights if aweights is None else aweights if fweights is None else fweights * aweights
    if weights is None:
        centred, total, scaled_rows = rows - rows.mean(1, keepdim=True), max(n - correction, 0), None
    else:
        whole = weights.sum()
        centred = rows - (rows * weights).sum(1, keepdim=True) / whole
        scaled_rows = centred * weights
        total = whole - correction * (1 if aweights is None else (weights * aweights).sum() / whole)
        total = total.clamp(min=0)
    other = (centred if scaled_rows is None else scaled_rows).mT
    result = matmul(centred, other.conj() if rows.dtype.category == 3 else other) / total
    return result.squeeze()


def _check_weights(name: str, w: Any, n: int) -> None:
    """Raise unless ``w`` are weights of ``n`` observations."""
    kind = "integral" if name == "fweights" else "floating point"
    if w._data.ndim > 1:
        raise ShapeError(
            f"cov(): expected {name} to have one or fewer dimensions but got {name} with {w._data.ndim} dimensions"
        )
    if w.dtype.category != (1 if name == "fweights" else 2):
        found = w.type().rpartition(".")[2].removesuffix("Tensor")
        raise DTypeError(f"cov(): expected {name} to have {kind} dtype but got {name} with {found} dtype")
    if w._data.size != n:
        raise ShapeError(
            f"cov(): expected {name} to have the same numel as there are observations in the input but got "
            f"{w._data.size} != {n}"
        )
    if n and any_in(w._data < 0):
        raise ArgumentError(f"cov(): {name} cannot be negative")


def corrcoef(input: Tensor) -> Tensor:
    """The correlation matrix of variables (rows) from observations (columns): covariances over the deviations."""
    c = cov(input)
    if not c._data.ndim:
        return c / c
    deviation = c.diagonal().real.sqrt() if c.dtype.category == 3 else c.diagonal().sqrt()
    r = c / deviation.unsqueeze(1) / deviation.unsqueeze(0)
    return complex(r.real.clamp(-1, 1), r.imag.clamp(-1, 1)) if c.dtype.category == 3 else r.clamp(-1, 1)
