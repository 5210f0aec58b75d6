"""Negative log likelihoods of regression: Gaussian and Poisson."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.batched import any_in
from ...backends.errors import ShapeError
from ..base import TensorBase, wrap
from .arithmetic import add, div, mul, sub
from .cast import cast
from .exponential import exp, log
from .loss import reduced, reduction_of
from .loss_doubts import same_size
from .select import where_rule
from .shape import reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """``(log(var) + (input - target) ** 2 / var) / 2``: targets as normal with mean ``input`` and variance ``var``.

    Args:
        input: the means.
        target: samples, of the same shape.
        var: variances, of the same shape, or with the last dimension missing or 1; or a number.
        full: add the constant ``log(2 pi) / 2``.
        eps: the least variance; gradients pass as if it were not there.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: a variance is negative, or of a wrong size.
    """
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid; use 'none', 'mean' or 'sum'")
    x = input._data
    number = not isinstance(var, TensorBase)
    if number:
        if float(var) < 0:
            raise ValueError("var has negative entry/entries")
        var = wrap(kernels_of[type(x)].asarray(float(var), dtype=x.dtype))
    v: Any = var
    shape = v._data.shape
    if shape != x.shape and not number:
        if shape == x.shape[:-1]:
            v = reshape_rule(v, (*shape, 1))
        elif len(shape) != x.ndim or [m for m, n in zip(shape, x.shape, strict=True) if m != n] != [1]:
            raise ValueError(f"var is of incorrect size: {list(shape)} for input {list(x.shape)}")
    k = kernels_of[type(v._data)]
    if any_in(v._data < k.asarray(0, dtype=v._data.dtype)):
        raise ValueError("var has negative entry/entries")
    v = add(v, wrap(k.asarray(k.maximum(v._data, k.asarray(eps, dtype=v._data.dtype)) - v._data)))
    same_size("gaussian_nll_loss", input, target)
    difference = sub(input, target)
    loss = mul(add(log(v), div(mul(difference, difference), v)), 0.5)
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: Any = None,
    eps: float = 1e-8,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """``exp(input) - target input``, or ``input - target log(input + eps)``: targets as Poisson counts.

    Args:
        input: logarithms of the rates, or the rates.
        target: counts.
        log_input: whether the input holds logarithms.
        full: add Stirling's approximation of ``log(target!)`` for targets above 1.
        size_average: as in `mse_loss`.
        reduce: likewise.
        reduction: likewise.
        eps: keeps the logarithm away from 0.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    same_size("poisson_nll_loss", input, target)
    try:
        loss = sub(exp(input), mul(target, input)) if log_input else sub(input, mul(target, log(input + eps)))
    except ValueError as error:
        raise ShapeError(f"poisson_nll_loss: {error}") from error
    if full:
        large = where_rule(target > 1, target, 1)
        stirling = add(sub(mul(large, log(large)), large), mul(log(large * (2 * math.pi)), 0.5))
        loss = add(loss, cast(where_rule(target > 1, stirling, 0.0), loss._data.dtype))
    return reduced(loss, reduction)
