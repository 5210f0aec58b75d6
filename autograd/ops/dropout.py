"""Dropout: elements or whole channels set to zero at random, while training.

The mask is drawn once, in the forward pass, and kept: every derivative sees the same one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.call_site import warn
from ...backends.dtypes import FROM_NUMPY
from ...backends.errors import DTypeError, ShapeError
from ..admission import scalar_type
from ..base import TensorBase, wrap
from ..inplace import inplace as write_inplace
from ..primitive import Primitive, apply
from .arithmetic import add, mul
from .random import draw
from .shape import reshape_rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..tensor import Tensor

ALPHA = -1.7580993408473766  # where SELU's left end tends to: -scale * alpha of that function


class Dropout(Primitive):
    """``x * mask * scale``."""

    layout = "operands"

    @staticmethod
    def forward(ctx: Any, x: Any, mask: Any, *, scale: float) -> Any:
        ctx.cache(mask)
        return ctx.k.masked_scale(x, mask, scale)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(Dropout, g, ctx.cached[0], scale=ctx.params["scale"]), None


def _run(op: str, input: Any, p: float, training: bool, inplace: bool, channels: bool, alpha: bool) -> Any:
    """Dropout of elements or channels, with zeros or with what keeps mean and variance (``alpha``)."""
    if not isinstance(input, TensorBase):
        raise TypeError(f"{op}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if p == 0 or not training or not input._data.size:
        return input
    if p == 1:
        return write_inplace(input, op + "_", lambda t: mul(t, 0)) if inplace else mul(input, 0)
    if channels and input._data.ndim < 2:
        raise ShapeError(f"{op}: Feature dropout requires at least 2 dimensions in the input, got {input._data.ndim}")
    kind = input._data.dtype
    if kind.kind in "iub":
        raise DTypeError(
            f"{op}: result type Float can't be cast to the desired output type {scalar_type(FROM_NUMPY[kind])}; "
            "convert the input with .float()"
        )
    shape = input._data.shape
    if channels:
        shape = shape[:2] + (1,) * (len(shape) - 2)
    place: Any = kernels_of[type(input._data)].backend.device_of(input._data)
    mask = draw("random_bernoulli", None, place, shape, "bool", 1 - p)
    change = _alpha_dropped if alpha else _dropped
    if inplace:
        return write_inplace(input, op + "_", lambda t: change(t, mask, p))
    return change(input, mask, p)


def _dropped(x: Any, mask: Any, p: float) -> Any:
    return apply(Dropout, x, mask, scale=1 / (1 - p))


def _alpha_dropped(x: Any, mask: Any, p: float) -> Any:
    """Dropped elements become `ALPHA`; then a scale and a shift restore mean 0 and variance 1."""
    k, dtype = kernels_of[type(x._data)], x._data.dtype
    scale = ((1 - p) * (1 + p * ALPHA**2)) ** -0.5
    shift = -scale * ALPHA * p
    kept, dropped = (k.asarray(v, dtype=dtype) for v in (shift, scale * ALPHA + shift))
    return add(apply(Dropout, x, mask, scale=scale), wrap(k.where(mask, kept, dropped)))


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each element with probability ``p``, and multiply the others by ``1 / (1 - p)``.

    Args:
        input: any shape, floating.
        p: the probability.
        training: without it the input is returned as it is.
        inplace: write on the input.

    Raises:
        ValueError: ``p`` is not in [0, 1].

    Example:
        >>> import wengert as wg
        >>> wg.nn.functional.dropout(wg.ones(3), 0.0)
        tensor([1., 1., 1.])

    References:
        N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15, 2014.
    """
    return _run("dropout", input, p, training, inplace, False, False)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout that keeps mean and variance of inputs with mean 0 and variance 1, for networks of SELUs.

    References:
        G. Klambauer et al., "Self-normalizing neural networks", arXiv:1706.02515.
    """
    return _run("alpha_dropout", input, p, training, inplace, False, True)


def feature_dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels: of (N, C, ...), each sample's channel is dropped or kept as one."""
    return _run("feature_dropout", input, p, training, inplace, True, False)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """`alpha_dropout` of whole channels."""
    return _run("feature_alpha_dropout", input, p, training, inplace, True, True)


def _batched(
    n: int, input: Any, p: float, training: bool, inplace: bool, run: Callable[..., Any] = feature_dropout
) -> Any:
    """Channel dropout over ``n`` dimensions; an input without a batch gets one meanwhile."""
    op, ndim = f"dropout{n}d", input._data.ndim
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if ndim not in (n + 1, n + 2) and n == 1:
        raise ShapeError(
            f"{op}: Expected 2D or 3D input, but received a {ndim}D input. Note that dropout1d exists to provide "
            "channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch "
            "dimension (i.e. 2D or 3D inputs)"
        )
    if ndim not in (n + 1, n + 2):
        warn(
            f"{op}: Received a {ndim}-D input to {op}, which is deprecated and will result in an error in a future "
            "release. To retain the behavior and silence this warning, please use dropout instead. Note that "
            f"{op} exists to provide channel-wise dropout on inputs with {n} spatial dimensions, a channel dimension, "
            f"and an optional batch dimension (i.e. {n + 1}D or {n + 2}D inputs)."
        )
        return run(input, p, training, inplace)
    if ndim == n + 2:
        return run(input, p, training, inplace)
    if inplace:
        return write_inplace(input, op + "_", lambda t: _batched(n, t, p, training, False))
    single = reshape_rule(input, (1, *input._data.shape))
    return reshape_rule(run(single, p, training, False), input._data.shape)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`feature_dropout` of (N, C, L) or (C, L)."""
    return _batched(1, input, p, training, inplace)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`feature_dropout` of (N, C, H, W); an input of three dimensions is taken as (N, C, L), as PyTorch does."""
    if isinstance(input, TensorBase) and input._data.ndim == 3:
        warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired "
            "- input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change in a "
            "future release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To maintain "
            "the 1D channel-wise dropout behavior, please switch to using dropout1d instead."
        )
        return feature_dropout(input, p, training, inplace)
    return _batched(2, input, p, training, inplace)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`feature_dropout` of (N, C, D, H, W) or (C, D, H, W)."""
    return _batched(3, input, p, training, inplace)
