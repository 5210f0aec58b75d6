"""The gradients of convolutions as functions: those of the input and of the weight, given that of the output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..autograd.ops.conv import gradient_of_input, gradient_of_weight

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = ["conv1d_input", "conv1d_weight", "conv2d_input", "conv2d_weight", "conv3d_input", "conv3d_weight"]


def conv1d_input(
    input_size: Sequence[int],
    weight: Tensor,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of `conv1d`'s input; see `conv2d_input`."""
    return gradient_of_input(1, input_size, weight, grad_output, stride, padding, dilation, groups)


def conv1d_weight(
    input: Tensor,
    weight_size: Sequence[int],
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of `conv1d`'s weight; see `conv2d_weight`."""
    return gradient_of_weight(1, input, weight_size, grad_output, stride, padding, dilation, groups)


def conv2d_input(
    input_size: Sequence[int],
    weight: Tensor,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of `conv2d`'s input.

    Args:
        input_size: of the input, (N, C, H, W), which a stride leaves open.
        weight: (K, C / groups, kernel height, kernel width).
        grad_output: the gradient of the output, (N, K, H', W').
        stride: of the convolution.
        padding: likewise.
        dilation: likewise.
        groups: likewise.

    Example:
        >>> import wengert as wg
        >>> wg.nn.grad.conv2d_input((1, 1, 3, 3), wg.ones(1, 1, 2, 2), wg.ones(1, 1, 2, 2))
        tensor([[[[1., 2., 1.],
                  [2., 4., 2.],
                  [1., 2., 1.]]]])
    """
    return gradient_of_input(2, input_size, weight, grad_output, stride, padding, dilation, groups)


def conv2d_weight(
    input: Tensor,
    weight_size: Sequence[int],
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of `conv2d`'s weight.

    Args:
        input: (N, C, H, W).
        weight_size: of the weight, (K, C / groups, kernel height, kernel width).
        grad_output: the gradient of the output, (N, K, H', W').
        stride: of the convolution.
        padding: likewise.
        dilation: likewise.
        groups: likewise.
    """
    return gradient_of_weight(2, input, weight_size, grad_output, stride, padding, dilation, groups)


def conv3d_input(
    input_size: Sequence[int],
    weight: Tensor,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of `conv3d`'s input; see `conv2d_input`."""
    return gradient_of_input(3, input_size, weight, grad_output, stride, padding, dilation, groups)


def conv3d_weight(
    input: Tensor,
    weight_size: Sequence[int],
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of `conv3d`'s weight; see `conv2d_weight`."""
    return gradient_of_weight(3, input, weight_size, grad_output, stride, padding, dilation, groups)
