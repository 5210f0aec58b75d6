"""For evaluation: a batch norm taken into the layer before it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, TypeVar

from ...autograd import ops
from ..parameter import Parameter

if TYPE_CHECKING:
    from ...autograd.tensor import Tensor
    from ..module import Module

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]

M = TypeVar("M", bound="Module")


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """The weight and bias of a convolution that does what a convolution and the batch norm after it do.

    Args:
        conv_w: the weight of the convolution.
        conv_b: its bias.
        bn_rm: the running mean.
        bn_rv: the running variance.
        bn_eps: what is added to the variance.
        bn_w: the weight of the batch norm.
        bn_b: its bias.
        transpose: the convolution is a transposed one.
    """
    conv_b = ops.zeros_like(bn_rm) if conv_b is None else conv_b
    bn_w = ops.ones_like(bn_rm) if bn_w is None else bn_w
    bn_b = ops.zeros_like(bn_rm) if bn_b is None else bn_b
    scale = bn_w * ops.rsqrt(bn_rv + bn_eps)
    shape = [1, -1] if transpose else [-1, 1]
    weight = (conv_w * scale.reshape(shape + [1] * (conv_w.ndim - 2))).to(conv_w.dtype)
    bias = ((conv_b - bn_rm) * scale + bn_b).to(conv_b.dtype)
    return Parameter(weight.detach(), conv_w.requires_grad), Parameter(bias.detach(), conv_b.requires_grad)


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
) -> tuple[Parameter, Parameter]:
    """The weight and bias of a linear layer with a batch norm taken into it; see `fuse_conv_bn_weights`."""
    return fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)


def _fused(layer: M, bn: Any, **options: Any) -> M:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    fused: Any = copy.deepcopy(layer)
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, **options
    )
    return fused  # type: ignore[no-any-return]


def fuse_conv_bn_eval(conv: M, bn: Module, transpose: bool = False) -> M:
    """A copy of ``conv`` that does what ``bn(conv(x))`` does; both must be in evaluation.

    Raises:
        AssertionError: one of them is in training, or ``bn`` has no running statistics.

    Example:
        >>> import wengert as wg
        >>> conv, norm = wg.nn.Conv2d(2, 3, 1).eval(), wg.nn.BatchNorm2d(3).eval()
        >>> x = wg.ones(1, 2, 4, 4)
        >>> wg.allclose(wg.nn.utils.fuse_conv_bn_eval(conv, norm)(x), norm(conv(x)), atol=1e-6)
        True
    """
    return _fused(conv, bn, transpose=transpose)


def fuse_linear_bn_eval(linear: M, bn: Any) -> M:
    """A copy of ``linear`` that does what ``bn(linear(x))`` does; both must be in evaluation.

    Raises:
        AssertionError: one of them is in training, or their sizes do not fit.
    """
    if getattr(linear, "out_features", None) != bn.num_features and bn.num_features != 1:
        raise AssertionError("To fuse, linear.out_features == bn.num_features or bn.num_features == 1")
    return _fused(linear, bn)
