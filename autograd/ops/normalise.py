"""The primitive behind the normalisation layers; the layers as functions are in ``norm.py``."""

from __future__ import annotations

import math
from typing import Any

from ...backends.dtypes import float32
from ..primitive import Primitive, apply
from .cast import cast
from .reduction import Sum
from .shape import reshape_rule

Ints = tuple[int, ...]


class Normalise(Primitive):
    """``(x - mean) / sqrt(var + eps) * w + b`` with statistics over some axes.

    ``shape`` is how ``x`` is seen, ``axes`` what the statistics of it run over, ``affine`` the shape of ``w`` and ``b``
    against it. ``running`` is None, or the arrays of a running mean and variance and the momentum to move them by.
    """

    kernels = ("normalise", "normalise_backward")
    layout = "channels"

    @staticmethod
    def formula(
        x: Any, w: Any, b: Any, *, shape: Ints, axes: Ints, affine: Ints, eps: float, centre: bool, running: Any
    ) -> Any:
        dtype, outer = x.dtype, x.shape
        y = float32_of(reshape_rule(x, shape))
        if centre:
            y = y - mean_over(y, axes)
        y = y * (mean_over(y * y, axes) + eps) ** -0.5
        if w is not None:
            y = y * float32_of(reshape_rule(w, affine))
        if b is not None:
            y = y + float32_of(reshape_rule(b, affine))
        y = reshape_rule(y, tuple(outer))
        return y if y.dtype == dtype else cast(y, getattr(dtype, "dtype", dtype))

    @staticmethod
    def forward(
        ctx: Any,
        x: Any,
        w: Any,
        b: Any,
        *,
        shape: Ints,
        axes: Ints,
        affine: Ints,
        eps: float,
        centre: bool,
        running: Any,
    ) -> Any:
        ctx.save(x, w, b)
        scale, shift = (None if v is None else v.reshape(affine) for v in (w, b))
        seen = x.reshape(shape)
        y, mean, var = ctx.k.normalise(seen, scale, shift, axes, eps, centre)
        if running is not None:
            count = math.prod([shape[a] for a in axes])
            ctx.k.update_running_(*running[:2], mean, var, running[2], count)
        ctx.cache(mean, var)
        return y.reshape(x.shape)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w, b = ctx.saved
        mean, var = ctx.cached
        p = ctx.params
        shape, affine = p["shape"], p["affine"]
        gx, gw, gb = ctx.k.normalise_backward(
            g.reshape(shape),
            x.reshape(shape),
            None if w is None else w.reshape(affine),
            mean,
            var,
            p["axes"],
            p["eps"],
            ctx.needs,
        )
        return (
            None if gx is None else gx.reshape(x.shape),
            _sum_like(ctx.k, gw, w, affine) if ctx.needs[1] else None,
            _sum_like(ctx.k, gb, b, affine) if ctx.needs[2] else None,
        )


class Standardise(Primitive):
    """``(x - mean) / sqrt(var + eps) * w + b`` of (N, C, ...) with statistics that are given for each channel."""

    kernels = ("standardise", "standardise_backward")
    torch_name = "NativeBatchNorm"

    @staticmethod
    def formula(x: Any, mean: Any, var: Any, w: Any, b: Any, *, eps: float) -> Any:
        dtype, shape = x.dtype, (-1, *[1] * (len(x.shape) - 2))
        scale = (float32_of(var) + eps) ** -0.5
        if w is not None:
            scale = scale * w
        shift = float32_of(mean) * -1.0 * scale
        if b is not None:
            shift = shift + b
        y = x * reshape_rule(scale, shape) + reshape_rule(shift, shape)
        return y if y.dtype == dtype else cast(y, getattr(dtype, "dtype", dtype))

    @staticmethod
    def forward(ctx: Any, x: Any, mean: Any, var: Any, w: Any, b: Any, *, eps: float) -> Any:
        ctx.save(x, mean, var, w, b)
        return ctx.k.standardise(x, mean, var, w, b, eps)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, mean, var, w, _ = ctx.saved
        needs = ctx.needs[0], *ctx.needs[3:]
        gx, gw, gb = ctx.k.standardise_backward(g, x, mean, var, w, ctx.params["eps"], needs)
        return gx, None, None, gw, gb


def _sum_like(k: Any, g: Any, like: Any, affine: Ints) -> Any:
    """A scale's or shift's gradient, summed to its shape unless the kernel did it."""
    if g.shape != affine:
        g = k.sum(g, axis=tuple(i for i, n in enumerate(affine) if n == 1 and g.shape[i] != 1), keepdims=True)
    return g.reshape(like.shape)


def float32_of(x: Any) -> Any:
    """``x``, in float32 if it is of a 16-bit type."""
    return cast(x, float32.dtype) if x.dtype.itemsize == 2 else x


def mean_over(x: Any, axes: Ints) -> Any:
    """The mean over some axes, kept at size 1."""
    return apply(Sum, x, dim=axes, keepdim=True) * (1.0 / max(math.prod([x.shape[a] for a in axes]), 1))
