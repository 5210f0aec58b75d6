"""Smooth activations as layers; those with a kink are in ``rectifiers.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from . import functional as F
from .module import Module

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = [
    "GELU",
    "GLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softsign",
    "Tanh",
    "Tanhshrink",
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


class Sigmoid(Activation):
    """``1 / (1 + exp(-x))``."""

    def forward(self, input: Tensor) -> Tensor:
        """Any shape."""
        return F.sigmoid(input)


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
