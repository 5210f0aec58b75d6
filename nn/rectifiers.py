"""Activations with a kink or a bend at zero: the ReLU family, and those cut off at both ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..autograd import ops
from ..backends.call_site import warn
from . import functional as F
from . import init
from .activation import Activation, InplaceActivation
from .parameter import Parameter

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = [
    "CELU",
    "ELU",
    "SELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "Softshrink",
    "Threshold",
]


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

    shown: ClassVar[tuple[str, ...]] = ("min_val", "max_val")

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
                warn(f"keyword argument `{old}` is deprecated and renamed to `{new}`", FutureWarning)
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        if self.max_val <= self.min_val:
            raise AssertionError(f"max_val ({self.max_val}) must be greater than min_val ({self.min_val})")
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)


class ReLU6(Hardtanh):
    """``min(max(0, x), 6)``.

    Args:
        inplace: write to the input.

    References:
        A. Krizhevsky, "Convolutional deep belief networks on CIFAR-10", 2010.
    """

    shown = ()

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.relu6(input, self.inplace)


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
