"""``Device``: a name for where an array lives, such as ``cpu`` or ``cuda:0``."""

from __future__ import annotations

import re
from typing import Any

from .errors import DeviceError

_PATTERN = re.compile(r"([a-zA-Z_]+)(?::(0|[1-9]\d*))?")
# Kinds that PyTorch knows: programs name them on every machine, and using one without a backend is the error.
_OTHERS = "ipu xpu mkldnn opengl opencl ideep hip ve fpga maia xla lazy vulkan mps meta hpu mtia privateuseone"
KNOWN = tuple(_OTHERS.split())


class Device:
    """Where a tensor's memory is: a backend's name and, where there are several, a number.

    Args:
        type: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, a `Device`, or an ``int`` (a CUDA device number).
        index: the device's number, when ``type`` does not hold it.

    Raises:
        RuntimeError: there is no such kind of device.

    Example:
        >>> import wengert as wg
        >>> wg.device("cuda:1").index
        1

    A device is also a context manager: inside ``with wg.device("cuda"):`` factories make tensors there.
    """

    __slots__ = ("_previous", "index", "type")
    type: str
    index: int | None

    def __init__(self, type: str | int | Device, index: int | None = None) -> None:
        from . import registry

        if isinstance(type, Device):
            self.type, self.index = type.type, type.index
        elif isinstance(type, int) and not isinstance(type, bool):
            self.type, self.index = "cuda", type
        elif isinstance(type, str):
            match = _PATTERN.fullmatch(type)
            if match is None:
                raise DeviceError(f"Invalid device string: '{type}'; write 'cpu', 'cuda' or 'cuda:1'")
            self.type = match[1]
            self.index = int(match[2]) if match[2] is not None else None
            if index is not None:
                if self.index is not None:
                    raise DeviceError(
                        f"type (string) must not include an index because index was passed explicitly: {type}"
                    )
                if index < 0:
                    raise DeviceError(f"Device index must not be negative, and it is {index}")
                self.index = index
        else:
            raise TypeError(f"device() needs a string, an int or a device, got {type.__class__.__name__}")
        if self.type not in registry.names() and self.type not in KNOWN:
            kinds = ", ".join(dict.fromkeys([*registry.names(), *KNOWN]))
            raise DeviceError(
                f"Expected one of {kinds} device type at start of device string: {type}; a backend of another kind "
                "comes with wengert.backends.register"
            )
        self._previous: list[Any] = []

    def __enter__(self) -> Device:
        from . import registry

        self._previous.append(registry.default_device())
        registry.set_default_device(self)
        return self

    def __exit__(self, *exc: object) -> None:
        from . import registry

        registry.set_default_device(self._previous.pop())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{index})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (Device, (self.type, self.index))
