"""What the namespace says of itself: devices, element types and abilities."""

from __future__ import annotations

from typing import Any

from ..autograd.promotion import get_default_dtype
from ..backends import Device, DType, default_device, device_count, dtypes
from .promotion import KINDS

__all__ = ["ArrayNamespaceInfo"]

# The sizes of an array's shape: what NumPy and CuPy take.
MAX_DIMENSIONS = 64


class ArrayNamespaceInfo:
    """What the standard's ``__array_namespace_info__()`` returns.

    Example:
        >>> import wengert.array_api as xp
        >>> xp.__array_namespace_info__().default_dtypes()["integral"]
        wengert.int64
    """

    def capabilities(self) -> dict[str, Any]:
        """Which optional parts of the standard there are."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": MAX_DIMENSIONS}

    def default_device(self) -> Device:
        """Where arrays lie if no device is named."""
        return default_device()

    def default_dtypes(self, *, device: Any = None) -> dict[str, DType]:
        """The element types of arrays made of Python numbers, and of indices; the same on every device."""
        floating = get_default_dtype()
        return {
            "real floating": floating,
            "complex floating": floating.to_complex(),
            "integral": dtypes.int64,
            "indexing": dtypes.int64,
        }

    def dtypes(self, *, device: Any = None, kind: str | tuple[str, ...] | None = None) -> dict[str, DType]:
        """The standard's element types by name, of one kind or of several if they are named.

        Raises:
            ValueError: no kind has this name.
        """
        kinds = ("bool", "numeric") if kind is None else (kind,) if isinstance(kind, str) else kind
        unknown = [one for one in kinds if one not in KINDS]
        if unknown:
            raise ValueError(f"dtypes: there is no kind {unknown[0]!r}; the kinds are {', '.join(KINDS)}")
        return {str(dtype).partition(".")[2]: dtype for one in kinds for dtype in KINDS[one]}

    def devices(self) -> list[Device]:
        """The devices that arrays can lie on."""
        return [Device("cpu"), *[Device("cuda", index) for index in range(device_count("cuda"))]]
