"""The classes of results with several named parts, such as that of ``max(x, dim)``."""

from __future__ import annotations

from typing import Any

from .autograd.ops.return_types import KINDS as _KINDS


def __getattr__(name: str) -> Any:
    if name in _KINDS:
        return _KINDS[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(_KINDS)
