"""Activations with corners: ReLU and its relatives, shrinkage, thresholds, gates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends.dtypes import FROM_NUMPY, finfo
from ...backends.errors import ArgumentError, DTypeError, ShapeError
from ..admission import scalar_type
from ..base import TensorBase
from ..formulas import kernel_or_formula
from ..primitive import apply
from .activation import activate, sigmoid
from .calling import in_place
from .dims import canonical_dim
from .elementwise import Binary, Unary, scaled
from .scalar import number_for
from .select import where, where_rule
from .trigonometric import tanh
from .writing import without_repeats

if TYPE_CHECKING:
    from ..tensor import Tensor


@kernel_or_formula
def relu_backward(g: Any, y: Any) -> Any:
    """``g`` where the output is positive."""
    return where_rule(y > 0, g, 0.0)


class Relu(Unary):
    """``max(x, 0)``."""

    kernel, expression, saves = "relu", "max(x, 0)", "y"
    derivative = staticmethod(relu_backward)


@kernel_or_formula
def leaky_relu_backward(g: Any, x: Any, negative_slope: float) -> Any:
    """``g``, times the slope below zero."""
    return where_rule(x > 0, g, scaled(g, negative_slope))


class LeakyRelu(Unary):
    """``x``, times a slope below zero."""

    kernel, expression = "leaky_relu", "x if x > 0 else negative_slope * x"
    derivative = staticmethod(leaky_relu_backward)


class Prelu(Binary):
    """``x``, times ``w`` below zero."""

    torch_name = "PreluKernel"

    kernel, expression = "prelu", "x if x > 0 else w * x"
    derivatives = (
        lambda g, x, w: where_rule(x > 0, g, g * w),
        lambda g, x, w: where_rule(x > 0, 0.0, g * x),
    )


@kernel_or_formula
def hardtanh_backward(g: Any, x: Any, low: Any, high: Any) -> Any:
    """``g`` between the bounds, where the function is not flat."""
    return where_rule((x > low) & (x < high), g, 0.0)


class Hardtanh(Unary):
    """``x`` kept between two bounds, where its derivative is already zero."""

    kernel, expression = "clamp", "min(max(x, low), high)"
    derivative = staticmethod(hardtanh_backward)


@kernel_or_formula
def hardsigmoid_backward(g: Any, x: Any) -> Any:
    """``g / 6`` between the corners."""
    return where_rule((x > -3) & (x < 3), g / 6, 0.0)


class Hardsigmoid(Unary):
    """``x / 6 + 1 / 2``, kept in [0, 1]."""

    kernel, expression = "hardsigmoid", "min(max(x + 3, 0), 6) / 6"
    derivative = staticmethod(hardsigmoid_backward)


@kernel_or_formula
def hardswish_backward(g: Any, x: Any) -> Any:
    """0, ``g``, and what leads from one to the other."""
    return where_rule(x <= -3, 0.0, where_rule(x >= 3, g, g * ((x + x + 3) / 6)))


class Hardswish(Unary):
    """``x * hardsigmoid(x)``."""

    kernel, expression = "hardswish", "x * min(max(x + 3, 0), 6) / 6"
    derivative = staticmethod(hardswish_backward)


@kernel_or_formula
def shrink_backward(g: Any, x: Any, lambd: Any) -> Any:
    """``g`` outside of what is shrunk to 0."""
    return where_rule((x >= -lambd) & (x <= lambd), 0.0, g)


class Hardshrink(Unary):
    """``x``, and 0 near 0."""

    kernel, expression = "hardshrink", "0 if abs(x) <= lambd else x"
    derivative = staticmethod(shrink_backward)


class Softshrink(Unary):
    """``x`` moved towards 0."""

    kernel, expression = "softshrink", "x - min(max(x, -lambd), lambd)"
    derivative = staticmethod(shrink_backward)


@kernel_or_formula
def threshold_backward(g: Any, x: Any, threshold: Any, value: Any) -> Any:
    """``g`` above the threshold."""
    return where_rule(x <= threshold, 0.0, g)


class Threshold(Unary):
    """``x``, and a constant where it is not above the threshold."""

    kernel, expression = "threshold", "value if x <= threshold else x"
    derivative = staticmethod(threshold_backward)


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(input, 0)``; the gradient at 0 is 0.

    Example:
        >>> import wengert as wg
        >>> wg.relu(wg.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """
    return activate(Relu, "relu", input, inplace, integers=True)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """``min(max(input, 0), 6)``."""
    return activate(Hardtanh, "relu6", input, inplace, integers=True, low=0, high=6)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """``input``, times ``negative_slope`` where it is negative."""
    return activate(LeakyRelu, "leaky_relu", input, inplace, negative_slope=negative_slope)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """``input``, times a learned weight where it is negative.

    Args:
        input: (N, C, ...).
        weight: one number, or one for each of the C channels of dimension 1.

    Raises:
        RuntimeError: the number of weights is neither 1 nor C.

    References:
        K. He and others, "Delving deep into rectifiers", arXiv:1502.01852.
    """
    shape, n = input._data.shape, weight._data.size
    if weight._data.ndim > 1:
        raise ShapeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight._data.ndim}")
    if weight._data.dtype != input._data.dtype:
        kinds = [scalar_type(FROM_NUMPY[t._data.dtype]) for t in (input, weight)]
        raise DTypeError(f"prelu: Type promoting not supported. Got {kinds[0]} and {kinds[1]}")
    if n != 1:
        if not shape:
            raise ShapeError(f"prelu: Not allow zero-dim input tensor. There are {n} weights for its one number")
        channels = shape[1] if len(shape) > 1 else 1
        if n != channels:
            raise ShapeError(
                f"prelu: Mismatch of parameter numbers and input channel size. Found parameter numbers = {n} and "
                f"channel size = {channels} in input of shape {list(shape)}."
            )
        weight = weight.reshape(n, *(1,) * (len(shape) - 2))
    elif len(shape) == 0:
        weight = weight.reshape(())
    return apply(Prelu, input, weight)


def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """`leaky_relu` with slopes drawn between ``lower`` and ``upper``; their mean when not training.

    References:
        B. Xu and others, "Empirical evaluation of rectified activations", arXiv:1505.00853.
    """
    if lower > upper:
        raise ArgumentError(
            f"rrelu: Lower bound should be less than or equal to the upper bound, but got {lower} and {upper}"
        )
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    slopes = input.detach().clone().uniform_(lower, upper)
    result = where(input > 0, input, input * slopes)
    return input.copy_(result) if inplace else result


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """``input`` kept in [``min_val``, ``max_val``]; the gradient at the bounds is 0.

    Raises:
        ValueError: ``min_val`` is larger than ``max_val``.
    """
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val cannot be greater than max_val, but got {min_val} and {max_val}")
    if min_val < 0 and isinstance(input, TensorBase) and input._data.dtype.kind == "u":
        raise DTypeError("hardtanh: cannot do hardtanh on an unsigned type with negative limits")
    return activate(Hardtanh, "hardtanh", input, inplace, integers=True, low=min_val, high=max_val)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """``input / 6 + 1 / 2``, kept in [0, 1]."""
    return activate(Hardsigmoid, "hardsigmoid", input, inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """``input * hardsigmoid(input)``.

    References:
        A. Howard and others, "Searching for MobileNetV3", arXiv:1905.02244.
    """
    return activate(Hardswish, "hardswish", input, inplace)


def hardshrink(input: Tensor, lambd: float = 0.5, *, out: Tensor | None = None) -> Tensor:
    """``input``, and 0 where it lies within ``lambd`` of 0."""
    return activate(Hardshrink, "hardshrink", input, out=out, lambd=lambd)


def softshrink(input: Tensor, lambd: float = 0.5, *, out: Tensor | None = None) -> Tensor:
    """``input`` moved towards 0 by ``lambd``, but not across it.

    Raises:
        RuntimeError: ``lambd`` is negative.
    """
    if lambd < 0:
        name, most = scalar_type(FROM_NUMPY[input._data.dtype]), finfo(input._data.dtype).max
        raise ArgumentError(f"lambda must be in range [0, {most:g}] for input dtype {name}, but found {lambd:g}")
    return activate(Softshrink, "softshrink", input, out=out, lambd=lambd)


def tanhshrink(input: Tensor) -> Tensor:
    """``input - tanh(input)``."""
    return input - tanh(input)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """``input``, and ``value`` where it is not above ``threshold``."""
    return threshold_(input, threshold, value) if inplace else _threshold(input, False, threshold, value)


def _threshold(input: Any, inplace: bool, threshold: float, value: float) -> Any:
    if isinstance(input, TensorBase) and input._data.dtype.kind in "iu":
        threshold, value = (number_for(n, input._data.dtype) for n in (threshold, value))
    return activate(Threshold, "threshold", input, inplace, integers=True, threshold=threshold, value=value)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The first half of ``input`` along ``dim``, times the sigmoid of the second.

    Raises:
        RuntimeError: ``dim`` has no two halves.

    References:
        Y. Dauphin and others, "Language modeling with gated convolutional networks", arXiv:1612.08083.
    """
    if not input._data.ndim:
        raise ShapeError("glu does not support scalars because halving size must be even")
    d = canonical_dim(dim, input._data.ndim, "glu")
    n = input._data.shape[d]
    if n % 2:
        raise ShapeError(f"glu: Halving dimension must be even, but dimension {d} is size {n}")
    return input.narrow(d, 0, n // 2) * sigmoid(input.narrow(d, n // 2, n // 2))


relu_, leaky_relu_, rrelu_ = in_place(relu), in_place(leaky_relu), in_place(rrelu)
hardtanh_ = in_place(hardtanh)


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """`threshold` in place, of expanded tensors too: each element is written once."""
    _threshold(without_repeats(input), True, threshold, value)
    return input
