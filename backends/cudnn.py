"""Switches of cuDNN that programs set; there is one implementation of each op here, so they change nothing."""

from __future__ import annotations

from typing import Any

from .settings import switched

enabled = True
benchmark = False
benchmark_limit = 10
deterministic = False
allow_tf32 = True
fp32_precision = "none"


def is_available() -> bool:
    """Whether cuDNN computes here; this library brings its own kernels."""
    return False


def is_acceptable(tensor: Any) -> bool:
    """Whether cuDNN would take the tensor; there is none."""
    return False


def version() -> int | None:
    """The version of cuDNN; None, as it is not used."""
    return None


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
