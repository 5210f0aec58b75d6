"""Activations as layers: one class for each function of `wengert.nn.functional`."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar

from ..autograd import ops
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]


class Activation(Module):
    """What activations share: how they print.

    Attributes:
        shown: the names of the settings that `repr` shows; ``inplace`` is shown where it is True.
    """

    shown: ClassVar[tuple[str, ...]] = ()
    inplace: bool = False

    def extra_repr(self) -> str:
        """The settings."""
        parts = [f"{name}={getattr(self, name)!r}" for name in self.shown]
        return ", ".join([*parts, "inplace=True"] if self.inplace else parts)


class InplaceActivation(Activation):
    """An activation whose only setting is whether it writes to its input.

    Args:
        inplace: write to the input.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


class Threshold(Activation):
    """``x`` where ``x > threshold``, else ``value``.

    Args:
        threshold: where the input begins to pass.
        value: what stands below.
        inplace: write to the input.
    """

    shown = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.threshold(input, self.threshold, self.value, self.inplace)


class ReLU(InplaceActivation):
    """``max(0, x)``.

    Args:
        inplace: write to the input.

    Example:
        >>> import wengert as wg
        >>> wg.nn.ReLU()(wg.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.relu(input, self.inplace)


class ReLU6(InplaceActivation):
    """``min(max(0, x), 6)``.

    References:
        A. Krizhevsky, "Convolutional deep belief networks on CIFAR-10", 2010.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.relu6(input, self.inplace)


class RReLU(Activation):
    """``x`` where positive, else ``a * x`` with ``a`` uniform in [lower, upper]; in evaluation its mean.

    Args:
        lower: the smallest slope.
        upper: the largest slope.
        inplace: write to the input.

    References:
        B. Xu et al., "Empirical evaluation of rectified activations in convolutional network", 2015, arXiv:1505.00853.
    """

    shown = ("lower", "upper")

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class Hardtanh(Activation):
    """``x`` cut off at ``min_val`` and ``max_val``.

    Args:
        min_val: the smallest output.
        max_val: the largest output.
        inplace: write to the input.
        min_value, max_value: older names of the two.

    Raises:
        AssertionError: ``max_val`` is not larger than ``min_val``.
    """

    shown = ("min_val", "max_val")

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__()
        for old, new, value in (("min_value", "min_val", min_value), ("max_value", "max_val", max_value)):
            if value is not None:
                warnings.warn(f"keyword argument `{old}` is deprecated, use `{new}`", FutureWarning, stacklevel=2)
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        if self.max_val <= self.min_val:
            raise AssertionError(f"max_val ({self.max_val}) must be greater than min_val ({self.min_val})")
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)


class Sigmoid(Activation):
    """``1 / (1 + exp(-x))``."""

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.sigmoid(input)


class Hardsigmoid(InplaceActivation):
    """``x / 6 + 1 / 2`` cut off at 0 and 1.

    Args:
        inplace: write to the input.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.hardsigmoid(input, self.inplace)

    def extra_repr(self) -> str:
        """Nothing."""
        return ""


class Tanh(Activation):
    """The hyperbolic tangent."""

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return input.tanh()


class SiLU(InplaceActivation):
    """``x * sigmoid(x)``, also called swish.

    References:
        P. Ramachandran, B. Zoph, Q. V. Le, "Searching for activation functions", 2017, arXiv:1710.05941.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.silu(input, self.inplace)


class Mish(InplaceActivation):
    """``x * tanh(softplus(x))``.

    References:
        D. Misra, "Mish: a self regularized non-monotonic activation function", 2019, arXiv:1908.08681.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.mish(input, self.inplace)


class Hardswish(InplaceActivation):
    """``x * min(max(0, x + 3), 6) / 6``.

    References:
        A. Howard et al., "Searching for MobileNetV3", 2019, arXiv:1905.02244.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.hardswish(input, self.inplace)

    def extra_repr(self) -> str:
        """Nothing."""
        return ""


class ELU(Activation):
    """``x`` where positive, else ``alpha * (exp(x) - 1)``.

    Args:
        alpha: the limit for very negative input, with its sign turned.
        inplace: write to the input.

    References:
        D.-A. Clevert, T. Unterthiner, S. Hochreiter, "Fast and accurate deep network learning by exponential linear
        units", 2015, arXiv:1511.07289.
    """

    shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.elu(input, self.alpha, self.inplace)


class CELU(Activation):
    """``max(0, x) + min(0, alpha * (exp(x / alpha) - 1))``.

    Args:
        alpha: the limit for very negative input, with its sign turned.
        inplace: write to the input.

    References:
        J. T. Barron, "Continuously differentiable exponential linear units", 2017, arXiv:1704.07483.
    """

    shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.celu(input, self.alpha, self.inplace)


class SELU(InplaceActivation):
    """`ELU` scaled so that mean and variance tend to 0 and 1 from layer to layer.

    References:
        G. Klambauer et al., "Self-normalizing neural networks", 2017, arXiv:1706.02515.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.selu(input, self.inplace)


class GLU(Activation):
    """``a * sigmoid(b)`` for the two halves ``a`` and ``b`` of the input.

    Args:
        dim: along which it is halved.
    """

    shown = ("dim",)

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """(*, 2 * D, *) to (*, D, *)."""
        return F.glu(input, self.dim)


class GELU(Activation):
    """``x`` times the normal distribution function of ``x``.

    Args:
        approximate: ``none``, or ``tanh`` for a formula with tanh.

    References:
        D. Hendrycks, K. Gimpel, "Gaussian error linear units", 2016, arXiv:1606.08415.
    """

    shown = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.gelu(input, approximate=self.approximate)


class Hardshrink(Activation):
    """``x`` where ``|x| > lambd``, else 0.

    Args:
        lambd: the threshold.
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """The threshold."""
        return f"{self.lambd}"


class LeakyReLU(Activation):
    """``x`` where positive, else ``negative_slope * x``.

    Args:
        negative_slope: the slope on the left.
        inplace: write to the input.
    """

    shown = ("negative_slope",)

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.leaky_relu(input, self.negative_slope, self.inplace)


class LogSigmoid(Activation):
    """``log(sigmoid(x))``, without overflow."""

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.logsigmoid(input)


class Softplus(Activation):
    """``log(1 + exp(beta * x)) / beta``, a smooth ReLU.

    Args:
        beta: how sharp its bend is.
        threshold: above ``beta * x = threshold`` it is ``x``.
    """

    shown = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.softplus(input, self.beta, self.threshold)


class Softshrink(Activation):
    """``x`` moved towards 0 by ``lambd``, and 0 where it would pass it.

    Args:
        lambd: by how much.
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """By how much."""
        return f"{self.lambd}"


class PReLU(Activation):
    """``x`` where positive, else ``weight * x``, with a slope that is learned.

    Args:
        num_parameters: one slope for all channels (1), or as many as there are channels.
        init: the slope that it starts with.
        device, dtype: of the parameter.

    References:
        K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers", 2015, arXiv:1502.01852.
    """

    shown = ("num_parameters",)
    weight: Parameter

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(ops.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """The slope that it started with."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, *), or any shape with one slope."""
        return F.prelu(input, self.weight)


class Softsign(Activation):
    """``x / (1 + |x|)``."""

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.softsign(input)


class Tanhshrink(Activation):
    """``x - tanh(x)``."""

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.tanhshrink(input)


class DimActivation(Activation):
    """An activation along one dimension.

    Args:
        dim: which; left out, it is guessed from the number of dimensions, with a warning.
    """

    shown = ("dim",)

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim


class Softmin(DimActivation):
    """``exp(-x) / sum of exp(-x)`` along a dimension.

    Args:
        dim: which.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.softmin(input, self.dim)


class Softmax(DimActivation):
    """``exp(x) / sum of exp(x)`` along a dimension.

    Args:
        dim: which.

    Example:
        >>> import wengert as wg
        >>> wg.nn.Softmax(dim=0)(wg.zeros(2))
        tensor([0.5000, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.softmax(input, self.dim)


class Softmax2d(Activation):
    """`Softmax` over the channels of (N, C, H, W) or (C, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W) or (C, H, W), and the same out."""
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.ndim}D instead")
        return F.softmax(input, -3)


class LogSoftmax(DimActivation):
    """The logarithm of `Softmax`, without overflow.

    Args:
        dim: which dimension.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.log_softmax(input, self.dim)
