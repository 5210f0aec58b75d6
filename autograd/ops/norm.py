"""Normalisation layers as functions: batch, layer, group, instance, root-mean-square and local response norm.

All but the last are one primitive, which sees its input in a shape where the statistics run over whole axes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.dtypes import FROM_NUMPY, finfo
from ...backends.errors import DTypeError, GraphError, InvalidValueError, ShapeError
from ..admission import scalar_type, unsupported
from ..base import TensorBase, wrap
from ..inplace import wrote
from ..primitive import apply
from .arithmetic import add, mul
from .layout import laid_out_like
from .normalise import Normalise, Standardise, float32_of, mean_over
from .pool import AvgPool
from .shape import reshape_rule
from .size import Size

if TYPE_CHECKING:
    from ..tensor import Tensor

Ints = tuple[int, ...]


# ---------------------------------------------------------------------- arguments


def _check(op: str, input: Any, **parameters: tuple[Any, Ints]) -> Any:
    """The input's array, after checking its type, and the shapes of scale, shift and running statistics."""
    if not isinstance(input, TensorBase):
        raise TypeError(f"{op}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    x = input._data
    if x.dtype.kind not in "fV":
        raise unsupported(op, FROM_NUMPY[x.dtype])
    for name, (value, shape) in parameters.items():
        if value is not None and value._data.shape != shape:
            vector = "to be a vector of size equal to the number of channels in input"
            raise ShapeError(
                f"{op}: {name} should contain {math.prod(shape)} elements not {value._data.size}: Expected {name} "
                f"{vector}, but got {name} of shape {list(value._data.shape)} and input of shape {list(x.shape)}"
            )
        if value is not None and value._data.dtype != x.dtype and x.dtype.itemsize != 2:
            raise DTypeError(
                f"{op}: mixed dtype (CPU): all inputs must share same datatype. mixed dtype: expect parameter to have "
                f"scalar type of {scalar_type(FROM_NUMPY[x.dtype])}: expected scalar type {x.dtype.name} for {name} "
                f"but found {value._data.dtype.name}"
            )
    return x


def _channels(op: str, input: Any, least: int) -> int:
    shape: Ints = input._data.shape if isinstance(input, TensorBase) else ()
    if len(shape) < least:
        raise ShapeError(
            f"{op}: Expected at least {least} dimensions for input tensor but received {len(shape)}: (N, C, ...) is "
            f"normalised, but the shape is {list(shape)}"
        )
    return shape[1]


# ---------------------------------------------------------------------- the public functions


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each channel over the batch and the spatial dimensions.

    Args:
        input: (N, C, ...), floating.
        running_mean: (C) or None. In training they move towards the batch's statistics, in place and by
            ``momentum``, the variance made unbiased; otherwise they are what is normalised with.
        running_var: likewise.
        weight: (C) or None.
        bias: likewise.
        training: use the batch's own statistics.
        momentum: how far the running statistics move.
        eps: added to the variance.

    Raises:
        ValueError: training with one value per channel. RuntimeError: shapes, or no running statistics to use.

    Example:
        >>> import wengert as wg
        >>> x = wg.tensor([[1.0], [3.0]])
        >>> wg.nn.functional.batch_norm(x, None, None, training=True, eps=1e-12)
        tensor([[-1.],
                [ 1.]])

    References:
        S. Ioffe, C. Szegedy, "Batch normalization", arXiv:1502.03167.
    """
    c = len(input) if isinstance(input, TensorBase) and input._data.shape == (0,) else _channels("batch_norm", input, 2)
    stats = {"running_mean": (running_mean, (c,)), "running_var": (running_var, (c,))}
    x = _check("batch_norm", input, **stats, weight=(weight, (c,)), bias=(bias, (c,)))
    if eps < 0 and not training:
        raise InvalidValueError(f"batch_norm eps must be non-negative, but got {eps}")
    if not training:
        for name, value in (("running_mean", running_mean), ("running_var", running_var)):
            if value is None:
                raise ShapeError(f"batch_norm: {name} must be defined in evaluation mode")
            if value.requires_grad:
                raise GraphError(
                    f"The function 'batch_norm' is not differentiable with respect to argument '{name}'. This input "
                    "cannot have requires_grad True; detach() it"
                )
        return apply(Standardise, input, running_mean, running_var, weight, bias, eps=eps)
    if eps <= 0:
        raise InvalidValueError(f"batch_norm eps must be positive during training, but got {eps}")
    if (running_mean is None) != (running_var is None):
        raise InvalidValueError("running_mean and running_var must either both be None or neither be None")
    if not x.size:
        return _nothing(input, weight, bias, (c, *[1] * (x.ndim - 2)))
    area = math.prod(x.shape[2:])
    if x.shape[0] * area == 1:
        raise ValueError(
            f"batch_norm: Expected more than 1 value per channel when training, got input size {Size(x.shape)}; "
            "use a larger batch or eval mode"
        )
    running = None
    if running_mean is not None and running_var is not None and input._data.size:
        running = running_mean._data, running_var._data, momentum
    if area == 1:
        seen: dict[str, Ints] = {"shape": (x.shape[0], c), "axes": (0,), "affine": (1, c)}
    else:
        seen = {"shape": (x.shape[0], c, area), "axes": (0, 2), "affine": (1, c, 1)}
    y: Any = apply(Normalise, input, weight, bias, **seen, eps=eps, centre=True, running=running)
    if running is not None:
        wrote(running_mean, "batch_norm")  # type: ignore[arg-type]
        wrote(running_var, "batch_norm")  # type: ignore[arg-type]
    return y


def _nothing(input: Any, weight: Any, bias: Any, affine: Ints) -> Any:
    """An input without elements, as it is, with gradients of zero for all."""
    y = input.clone()
    if weight is not None:
        y = mul(y, reshape_rule(weight, affine))
    return y if bias is None else add(y, reshape_rule(bias, affine))


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each sample over its last dimensions.

    Args:
        input: (..., *normalized_shape), floating.
        normalized_shape: sizes of the dimensions that the statistics run over.
        weight: of ``normalized_shape``, or None.
        bias: likewise.
        eps: added to the variance.

    Raises:
        RuntimeError: the input does not end in ``normalized_shape``.

    References:
        J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer normalization", arXiv:1607.06450.
    """
    return _last_dims("layer_norm", input, normalized_shape, weight, bias, eps, True)


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """Divide each sample by the root of the mean square of its last dimensions.

    Args:
        input: (..., *normalized_shape), floating.
        normalized_shape: sizes of the dimensions that the mean runs over.
        weight: of ``normalized_shape``, or None.
        eps: added to the mean square; the type's own epsilon unless told.

    References:
        B. Zhang, R. Sennrich, "Root mean square layer normalization", arXiv:1910.07467.
    """
    if eps is None:
        eps = finfo(input._data.dtype).eps
    return _last_dims("rms_norm", input, normalized_shape, weight, None, eps, False)


def _last_dims(op: str, input: Any, normalized: Any, weight: Any, bias: Any, eps: float, centre: bool) -> Any:
    last = (normalized,) if isinstance(normalized, int) else tuple(normalized)
    if not last:
        raise ShapeError(
            f"{op}: Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but "
            "got normalized_shape = []"
        )
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and value._data.shape != last:
            raise ShapeError(
                f"{op}: Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(value._data.shape)} and normalized_shape = {list(last)}"
            )
    if op == "rms_norm" and isinstance(input, TensorBase) and input._data.dtype.kind == "c":
        return _complex_rms_norm(input, last, weight, eps)
    x = _check(op, input, weight=(weight, last), bias=(bias, last))
    if x.shape[-len(last) :] != last:
        raise ShapeError(
            f"{op}: Given normalized_shape={list(last)}, expected input with shape [*, "
            f"{', '.join(map(str, last))}], but got input of size{list(x.shape)}"
        )
    if not x.size:
        return _nothing(input, weight, bias, last)
    size = math.prod(last)
    rows = math.prod(x.shape[: -len(last)])
    return apply(
        Normalise,
        input,
        weight,
        bias,
        shape=(rows, size),
        axes=(1,),
        affine=(1, size),
        eps=eps,
        centre=centre,
        running=None,
    )


def _complex_rms_norm(input: Any, last: Ints, weight: Any, eps: float) -> Any:
    """`rms_norm` of complex numbers: as PyTorch composes it, with their squares and not those of their sizes."""
    if input._data.shape[-len(last) :] != last:
        raise ShapeError(f"rms_norm: Given normalized_shape={list(last)}, but got input of size{list(input.shape)}")
    dims = tuple(range(input._data.ndim - len(last), input._data.ndim))
    y = mul(input, (mean_over(mul(input, input), dims) + eps) ** -0.5)
    return y if weight is None else mul(y, weight)


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Normalise each sample over groups of channels and their spatial dimensions.

    Args:
        input: (N, C, ...), floating.
        num_groups: into how many groups the channels are divided.
        weight: (C) or None.
        bias: likewise.
        eps: added to the variance.

    Raises:
        RuntimeError: the channels do not divide into that many groups.

    References:
        Y. Wu, K. He, "Group normalization", arXiv:1803.08494.
    """
    c = _channels("group_norm", input, 2)
    x = _check("group_norm", input, weight=(weight, (c,)), bias=(bias, (c,)))
    if num_groups < 1 or c % num_groups:
        raise ShapeError(
            f"group_norm: Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{list(x.shape)} and num_groups={num_groups}"
        )
    if x.shape[0] * math.prod(x.shape[2:]) * (c // num_groups) == 1:
        raise ValueError(
            f"group_norm: Expected more than 1 value per channel when training, got input size "
            f"{list(x.shape)}; a group needs two values at least"
        )
    return _grouped(input, x, num_groups, weight, bias, eps)


def _grouped(input: Any, x: Any, groups: int, weight: Any, bias: Any, eps: float) -> Any:
    if not x.size:
        return _nothing(input, weight, bias, (x.shape[1], *[1] * (x.ndim - 2)))
    each = x.shape[1] // groups
    return apply(
        Normalise,
        input,
        weight,
        bias,
        shape=(x.shape[0], groups, each, math.prod(x.shape[2:])),
        axes=(2, 3),
        affine=(1, groups, each, 1),
        eps=eps,
        centre=True,
        running=None,
    )


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each channel of each sample over its spatial dimensions.

    Args:
        input: (N, C, ...), floating, with spatial dimensions.
        running_mean: (C) or None; they move towards the mean over the batch of the samples' statistics.
        running_var: likewise.
        weight: (C) or None.
        bias: likewise.
        use_input_stats: use the sample's own statistics; otherwise the running ones.
        momentum: how far the running statistics move.
        eps: added to the variance.

    References:
        D. Ulyanov, A. Vedaldi, V. Lempitsky, "Instance normalization", arXiv:1607.08022.
    """
    c = _channels("instance_norm", input, 2)
    stats = {"running_mean": (running_mean, (c,)), "running_var": (running_var, (c,))}
    x = _check("instance_norm", input, weight=(weight, (c,)), bias=(bias, (c,)), **stats)
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise ShapeError(
                "instance_norm: Expected running_mean and running_var to be defined when use_input_stats is false"
            )
        return apply(Standardise, input, running_mean, running_var, weight, bias, eps=eps)
    area = math.prod(x.shape[2:])
    if area == 1:
        raise ValueError(
            f"instance_norm: Expected more than 1 spatial element when training, got input size {Size(x.shape)}"
        )
    if running_mean is not None and running_var is not None:
        _move_towards_instances(input, running_mean, running_var, momentum, area)
    return _grouped(input, x, c, weight, bias, eps)


def _move_towards_instances(input: Any, mean: Any, var: Any, momentum: float, area: int) -> None:
    x = wrap(input._data[...])
    x = float32_of(reshape_rule(x, (*x.shape[:2], area)))
    means = mean_over(x, (2,))
    centred = x - means
    now = mean_over(means, (0,)), mean_over(mean_over(centred * centred, (2,)), (0,))
    arrays = [v._data for v in now]
    kernels_of[type(mean._data)].update_running_(mean._data, var._data, *arrays, momentum, area)
    wrote(mean, "instance_norm")
    wrote(var, "instance_norm")


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """Divide each element by ``(k + alpha * mean of squares of ``size`` neighbouring channels) ** beta``.

    Args:
        input: (N, C, ...), floating.
        size: number of channels.
        alpha: the constants above.
        beta: likewise.
        k: likewise.

    References:
        A. Krizhevsky, I. Sutskever, G. E. Hinton, "ImageNet classification with deep convolutional neural
            networks", 2012.
    """
    if input._data.ndim < 3:
        raise InvalidValueError(f"Expected 3D or higher dimensionality input (got {input._data.ndim} dimensions)")
    if size < 1:
        raise ShapeError(f"local_response_norm: kernel size should be greater than zero, but got size={size}")
    c = input._data.shape[1]
    x = input._data
    if x.dtype.kind not in "fV" and x.dtype.name != "int64":
        raise unsupported("local_response_norm", FROM_NUMPY[x.dtype])
    n, area = x.shape[0], math.prod(x.shape[2:])
    squares = reshape_rule(mul(input, input), (n, 1, c, area))
    windows = {
        "kernel": (size, 1),
        "out": (c, area),
        "stride": (1, 1),
        "padding": ((size // 2, (size - 1) // 2), (0, 0)),
    }
    means = reshape_rule(apply(AvgPool, squares, **windows, include=True, divisor=size), x.shape)
    if not x.size:
        return input.clone()
    y: Any = mul(input, (means * alpha + k) ** -beta)
    return laid_out_like(y, input)
