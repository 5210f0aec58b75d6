"""Initialisers: they fill a tensor in place with numbers that training starts well from, and return it.

None of them is recorded, so they take parameters as well as plain tensors.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ..autograd.base import wrap
from ..autograd.grad_mode import no_grad
from ..autograd.ops.sequences import eye as identity
from ..autograd.ops.special import erf
from ..backends import kernels_of
from ..backends.call_site import warn
from ..backends.dtypes import finfo, float32
from ..backends.strictness import doubt

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

F = TypeVar("F", bound=Callable[..., Any])
_LINEAR = (
    "linear",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "sigmoid",
)


def unrecorded(function: F) -> F:
    """``function`` under `no_grad`."""
    wrapped: F = no_grad()(function)
    return wrapped


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which a layer's weights are scaled so that its nonlinearity keeps the variance.

    Args:
        nonlinearity: ``linear``, ``conv1d`` to ``conv_transpose3d``, ``sigmoid``, ``tanh``, ``relu``, ``leaky_relu`` or
            ``selu``.
        param: the negative slope of ``leaky_relu``, 0.01 unless given.

    Raises:
        ValueError: another nonlinearity, or a slope that is no number.

    Example:
        >>> import wengert as wg
        >>> wg.nn.init.calculate_gain("relu")
        1.4142135623730951
    """
    if nonlinearity in _LINEAR:
        return 1.0
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "selu":
        return 0.75
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {slope} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    raise ValueError(
        f"Unsupported nonlinearity {nonlinearity}; use one of {', '.join(_LINEAR)}, tanh, relu, leaky_relu, selu"
    )


@unrecorded
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with numbers from the uniform distribution on [a, b)."""
    return tensor.uniform_(a, b, generator=generator)


@unrecorded
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with numbers from the normal distribution."""
    return tensor.normal_(mean, std, generator=generator)


@unrecorded
def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Any = None
) -> Tensor:
    """Fill with numbers from the normal distribution cut off outside [a, b].

    A uniform number between the distribution function's values at ``a`` and ``b`` goes through its inverse.
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be incorrect."
        )
    low, high = (math.erf((edge - mean) / std / math.sqrt(2.0)) for edge in (a, b))
    dtype = float32 if tensor.itemsize == 2 else tensor.dtype
    drawn = tensor.new_empty(tensor.shape, dtype=dtype).uniform_(low, high, generator=generator)
    return tensor.copy_((_inverse_erf(drawn) * (std * math.sqrt(2.0)) + mean).clamp(a, b))


def _inverse_erf(y: Any) -> Any:
    """The ``x`` with ``erf(x) = y``: Winitzki's approximation, good to 0.2 %, and three steps of Newton's method."""
    y = y.clamp(-1 + finfo(y.dtype).eps, 1 - finfo(y.dtype).eps)  # at ±1 it is infinite
    log = (-y * y).log1p()
    half = 2 / (math.pi * 0.147) + log / 2
    x = y.sign() * ((half * half - log / 0.147).sqrt() - half).sqrt()
    for _ in range(3):
        x = x - (erf(x) - y) * (math.sqrt(math.pi) / 2) * (x * x).exp()
    return x


@unrecorded
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one value."""
    return tensor.fill_(val)


@unrecorded
def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones."""
    return tensor.fill_(1.0)


@unrecorded
def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros."""
    return tensor.zero_()


@unrecorded
def eye_(tensor: Tensor) -> Tensor:
    """Fill with the identity matrix, so that a linear layer hands on as many features as it can.

    Raises:
        ValueError: the tensor does not have 2 dimensions.
    """
    if tensor.ndim != 2:
        raise ValueError(f"Only tensors with 2 dimensions are supported, got shape {list(tensor.shape)}")
    return tensor.copy_(identity(*tensor.shape, dtype=tensor.dtype, device=tensor.device))


@unrecorded
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill a convolution's weight so that it hands on as many channels as it can, unchanged.

    Args:
        tensor: (K, C, *kernel) with 1 to 3 kernel dimensions.
        groups: of the convolution.

    Raises:
        ValueError: another number of dimensions, or K is not divisible by ``groups``.
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError(f"Only tensors with 3, 4, or 5 dimensions are supported, got shape {list(tensor.shape)}")
    if tensor.shape[0] % groups:
        raise ValueError(f"dim 0 must be divisible by groups: {tensor.shape[0]} channels, {groups} groups")
    per_group = tensor.shape[0] // groups
    centre = tuple(n // 2 for n in tensor.shape[2:])
    tensor.zero_()
    for group in range(groups):
        for channel in range(min(per_group, tensor.shape[1])):
            tensor[(group * per_group + channel, channel, *centre)] = 1.0
    return tensor


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """How many numbers a unit of the layer reads, and how many units read one number."""
    if tensor.ndim < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions, got shape "
            f"{list(tensor.shape)}"
        )
    kernel = math.prod(tensor.shape[2:])
    return tensor.shape[1] * kernel, tensor.shape[0] * kernel


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    if mode.lower() not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return fan_in if mode.lower() == "fan_in" else fan_out


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fill uniformly in ±gain * sqrt(6 / (fan_in + fan_out)).

    Example:
        >>> import wengert as wg
        >>> bool(wg.nn.init.xavier_uniform_(wg.empty(3, 3)).abs().max() <= 1)
        True

    References:
        X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010.
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    bound = gain * math.sqrt(6.0 / (fan_in + fan_out))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fill from the normal distribution with standard deviation gain * sqrt(2 / (fan_in + fan_out))."""
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / (fan_in + fan_out)), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    return calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode))


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Fill uniformly in ±gain * sqrt(3 / fan).

    Args:
        tensor: at least 2 dimensions.
        a: the negative slope of the ``leaky_relu`` that follows.
        mode: ``fan_in`` keeps the variance of the forward pass, ``fan_out`` that of the backward pass.
        nonlinearity: what follows; see `calculate_gain`.
        generator: draws the numbers.

    References:
        K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers", 2015, arXiv:1502.01852.
    """
    if math.prod(tensor.shape) == 0:
        return _no_elements(tensor)
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Fill from the normal distribution with standard deviation gain / sqrt(fan); see `kaiming_uniform_`."""
    if math.prod(tensor.shape) == 0:
        return _no_elements(tensor)
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def _no_elements(tensor: Tensor) -> Tensor:
    warn("Initializing zero-element tensors is a no-op")
    return tensor


@unrecorded
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Fill with a (semi-)orthogonal matrix, the trailing dimensions being taken as one.

    Raises:
        ValueError: the tensor has fewer than 2 dimensions.

    References:
        A. Saxe, J. McClelland, S. Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
        networks", 2013, arXiv:1312.6120.
    """
    if tensor.ndim < 2:
        raise ValueError(f"Only tensors with 2 or more dimensions are supported, got shape {list(tensor.shape)}")
    if math.prod(tensor.shape) == 0:
        return tensor
    rows = tensor.shape[0]
    columns = math.prod(tensor.shape[1:])
    dtype = float32 if tensor.itemsize == 2 else tensor.dtype  # no 16-bit factorisation exists
    drawn = tensor.new_empty((max(rows, columns), min(rows, columns)), dtype=dtype).normal_(0, 1, generator=generator)
    k = kernels_of[type(drawn._data)]
    q, r = k.linalg.qr(drawn._data)
    q = q * k.sign(k.xp.diagonal(r))  # makes the distribution uniform over the orthogonal matrices
    q = q.T if rows < columns else q
    return tensor.copy_(wrap((q * gain).reshape(tuple(tensor.shape))))


@unrecorded
def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Fill from the normal distribution, and set a part of each column to zero.

    Args:
        tensor: 2 dimensions.
        sparsity: the part of each column that is zero.
        std: of the other numbers.
        generator: draws the numbers.

    Raises:
        ValueError: another number of dimensions.
    """
    if tensor.ndim != 2:
        raise ValueError(f"Only tensors with 2 dimensions are supported, got shape {list(tensor.shape)}")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    tensor.normal_(0, std, generator=generator)
    order = tensor.new_empty((rows, columns)).uniform_(generator=generator).argsort(0)
    return tensor.scatter_(0, order[:zeros], 0.0)


# The unrecorded fillers by the names that older programs import.
_no_grad_uniform_, _no_grad_normal_, _no_grad_trunc_normal_ = uniform_, normal_, trunc_normal_
_no_grad_fill_, _no_grad_zero_ = constant_, zeros_


def _renamed(new: Callable[..., Any]) -> Callable[..., Any]:
    """The function under the name that it had without its underscore."""
    old = new.__name__[:-1]

    def function(*args: Any, **kwargs: Any) -> Any:
        doubt(f"`nn.init.{old}` is now deprecated in favor of `nn.init.{new.__name__}`.", FutureWarning)
        return new(*args, **kwargs)

    function.__name__ = function.__qualname__ = old
    function.__doc__ = f"`{new.__name__}`, which is the name to use."
    return function


uniform, normal, constant = _renamed(uniform_), _renamed(normal_), _renamed(constant_)
eye, dirac, orthogonal, sparse = _renamed(eye_), _renamed(dirac_), _renamed(orthogonal_), _renamed(sparse_)
xavier_uniform, xavier_normal = _renamed(xavier_uniform_), _renamed(xavier_normal_)
kaiming_uniform, kaiming_normal = _renamed(kaiming_uniform_), _renamed(kaiming_normal_)
