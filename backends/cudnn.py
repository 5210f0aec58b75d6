"""Switches of cuDNN that programs set, as ``wengert.backends.cudnn``; its bindings are below ``backends/cuda``.

``enabled`` is whether it may compute at all, ``allow_tf32`` whether it may round float32 factors to TF32. Algorithms
whose results do not repeat to the bit are taken only with ``benchmark``, which times the best ``benchmark_limit`` of
them (0 for all), and without ``deterministic``.
"""

from __future__ import annotations

from typing import Any

from .registry import device_count
from .settings import switched

enabled = True
benchmark = False
benchmark_limit = 10
deterministic = False
allow_tf32 = True
fp32_precision = "none"


def is_available() -> bool:
    """Whether cuDNN computes here: there are a CUDA device, ``nvidia-cudnn-frontend`` and its library."""
    return version() is not None


def is_acceptable(tensor: Any) -> bool:
    """Whether cuDNN would take the tensor, by its device and element type."""
    return bool(enabled) and tensor.device.type == "cuda" and tensor.dtype.is_floating_point and is_available()


def version() -> int | None:
    """The version of cuDNN as a number, such as 91900; None where it does not compute."""
    if not device_count("cuda"):
        return None
    from .cuda.cudnn_graph import library

    graphs = library()
    return None if graphs is None else graphs.version


def set_flags(**values: Any) -> tuple[Any, ...]:
    """Set switches, named with a leading underscore, for good; returns what they were."""
    names = [name.removeprefix("_") for name in values]
    before = tuple([globals()[name] for name in names])
    globals().update({name: value for name, value in zip(names, values.values(), strict=True) if value is not None})
    return before


def flags(
    enabled: bool = False,
    benchmark: bool = False,
    benchmark_limit: int = 10,
    deterministic: bool = False,
    allow_tf32: bool = True,
    **others: Any,
) -> Any:
    """Set switches until the end of the block; what is left out is set to its default."""
    return switched(
        globals(),
        enabled=enabled,
        benchmark=benchmark,
        benchmark_limit=benchmark_limit,
        deterministic=deterministic,
        allow_tf32=allow_tf32,
    )
