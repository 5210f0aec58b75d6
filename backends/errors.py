"""Named exception types. Each is a subclass of the type that PyTorch raises in the same place."""

from __future__ import annotations

__all__ = [
    "AcceleratorError",
    "ArgumentError",
    "BackendUnavailableError",
    "DTypeError",
    "DeviceError",
    "DimensionError",
    "GraphError",
    "InplaceError",
    "InvalidValueError",
    "KernelError",
    "LinAlgError",
    "ModifiedError",
    "NonFiniteError",
    "OutOfMemoryError",
    "OutOfRangeError",
    "ShapeError",
    "SparseOperandError",
    "StrictError",
    "UnsupportedDTypeError",
    "WengertError",
]


class WengertError(Exception):
    """Base of every exception that this library defines.

    Attributes:
        place: where in a model it was raised, as the message's end says; a module that it passes through fills it in.
    """

    place: str = ""

    def __str__(self) -> str:
        return super().__str__() + self.place


class ArgumentError(WengertError, RuntimeError):
    """An argument that an op does not take, or a combination of them."""


class InvalidValueError(ArgumentError, ValueError):
    """An argument whose value is out of range, where PyTorch raises a ValueError."""


class ShapeError(WengertError, RuntimeError):
    """Shapes that an op cannot combine."""


class SparseOperandError(WengertError, NotImplementedError):
    """A sparse array where only arrays that store every element will do."""


class LinAlgError(WengertError, RuntimeError):
    """A matrix that has no inverse, or no factorisation of the kind asked for: `wengert.linalg.LinAlgError`."""


class DTypeError(WengertError, RuntimeError):
    """Element types that an op does not take or cannot combine."""


class UnsupportedDTypeError(DTypeError, NotImplementedError):
    """An element type that an op does not take, where PyTorch raises a NotImplementedError."""


class NumberOverflowError(DTypeError, InvalidValueError, OverflowError):
    """A number that an element type does not hold; PyTorch raises one of these, by how the number came."""


class DeviceError(WengertError, RuntimeError):
    """Operands on different devices, or a device that is not there."""


class KernelError(WengertError, RuntimeError):
    """A kernel for a device that its compiler refuses."""


class DimensionError(WengertError, IndexError):
    """A dimension or an index out of range."""


class OutOfRangeError(DimensionError, RuntimeError):
    """A position out of range, or too many positions; PyTorch raises an IndexError or a RuntimeError, by op."""


class GraphError(WengertError, RuntimeError):
    """A graph that cannot be walked: freed already, never recorded, or not asked for."""


class InplaceError(WengertError, RuntimeError):
    """An in-place write that would make gradients wrong."""


class ModifiedError(GraphError):
    """A value that backward needs was overwritten after it was saved."""


class NonFiniteError(GraphError, ArithmeticError):
    """A value that is NaN or infinite, found by `wengert.debug.nan_guard`."""


class StrictError(WengertError, RuntimeError):
    """A call that is allowed, but rarely meant, refused by `wengert.debug.strict`."""


class OutOfMemoryError(WengertError, RuntimeError, MemoryError):
    """A device has not enough memory left: `wengert.cuda.OutOfMemoryError`."""


class AcceleratorError(DeviceError):
    """A device reports that something it was asked to do earlier has failed."""


class BackendUnavailableError(DeviceError):
    """The backend's package or its driver is missing."""
