"""Layers that make their input larger at its ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from . import functional as F
from .conv import repeated
from .module import Module

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]

Sizes = int | tuple[int, ...]


class Pad(Module):
    """What all paddings share.

    Args:
        padding: how much is added before and after, for each dimension from the last one on, or one number for all.
    """

    mode: ClassVar[str]
    dims: ClassVar[int]

    def __init__(self, padding: Sizes) -> None:
        super().__init__()
        self.padding = repeated(padding, 2 * self.dims)

    def forward(self, input: Tensor) -> Tensor:
        """``input``, larger."""
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.padding}"


class ConstantPad(Pad):
    """What paddings with one value share.

    Args:
        padding: how much is added before and after, for each dimension from the last one on, or one number for all.
        value: what is added.
    """

    mode = "constant"

    def __init__(self, padding: Sizes, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """``input``, larger."""
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        """The settings."""
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(ConstantPad):
    """One value at both ends of the last dimension."""

    dims = 1


class ConstantPad2d(ConstantPad):
    """One value at both ends of the last two dimensions.

    Example:
        >>> import wengert as wg
        >>> wg.nn.ConstantPad2d((1, 0, 0, 0), 7.0)(wg.ones(1, 1, 1, 2))
        tensor([[[[7., 1., 1.]]]])
    """

    dims = 2


class ConstantPad3d(ConstantPad):
    """One value at both ends of the last three dimensions."""

    dims = 3


class ZeroPad(ConstantPad):
    """What paddings with zeros share."""

    def __init__(self, padding: Sizes) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.padding}"


class ZeroPad1d(ZeroPad, ConstantPad1d):
    """Zeros at both ends of the last dimension."""


class ZeroPad2d(ZeroPad, ConstantPad2d):
    """Zeros at both ends of the last two dimensions."""


class ZeroPad3d(ZeroPad, ConstantPad3d):
    """Zeros at both ends of the last three dimensions."""


class ReflectionPad(Pad):
    """What paddings by reflection share."""

    mode = "reflect"


class ReflectionPad1d(ReflectionPad):
    """The input mirrored at both ends of the last dimension, without its outermost element."""

    dims = 1


class ReflectionPad2d(ReflectionPad):
    """The input mirrored at both ends of the last two dimensions, without its outermost elements."""

    dims = 2


class ReflectionPad3d(ReflectionPad):
    """The input mirrored at both ends of the last three dimensions, without its outermost elements."""

    dims = 3


class ReplicationPad(Pad):
    """What paddings by the outermost element share."""

    mode = "replicate"


class ReplicationPad1d(ReplicationPad):
    """The outermost element again, at both ends of the last dimension."""

    dims = 1


class ReplicationPad2d(ReplicationPad):
    """The outermost elements again, at both ends of the last two dimensions."""

    dims = 2


class ReplicationPad3d(ReplicationPad):
    """The outermost elements again, at both ends of the last three dimensions."""

    dims = 3


class CircularPad(Pad):
    """What paddings from the other end share."""

    mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        """``input``, larger.

        Raises:
            ValueError: the input has neither ``dims + 1`` nor ``dims + 2`` dimensions.
        """
        if input.ndim not in (self.dims + 1, self.dims + 2):
            raise ValueError(f"expected {self.dims + 1}D or {self.dims + 2}D input (got {input.ndim}D input)")
        return super().forward(input)


class CircularPad1d(CircularPad):
    """The elements of the other end, at both ends of the last dimension."""

    dims = 1


class CircularPad2d(CircularPad):
    """The elements of the other end, at both ends of the last two dimensions."""

    dims = 2


class CircularPad3d(CircularPad):
    """The elements of the other end, at both ends of the last three dimensions."""

    dims = 3
