"""What programs take from PyTorch's private tools."""

from __future__ import annotations

from typing import Any

from .backends import Device as _Device
from .backends import to_dtype as _to_dtype

__all__: list[str] = []


def _get_device_index(device: Any, optional: bool = False, allow_cpu: bool = False) -> int:
    """The number of a device.

    Raises:
        ValueError: it has none, and none is needed unless ``optional``.
    """
    if isinstance(device, int):
        return device
    place = None if device is None else _Device(device)
    if place is not None and place.index is not None:
        return int(place.index)
    if place is not None and place.type == "cpu" and allow_cpu:
        return -1
    if optional:
        return 0
    raise ValueError(f"Expected a torch.device with a specified index or an integer, but got: {device}")


def _element_size(dtype: Any) -> int:
    return int(_to_dtype(dtype).itemsize)
