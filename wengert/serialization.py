"""Files: PyTorch's path to ``save`` and ``load``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from .utils.serialization import load as load
from .utils.serialization import save as save

__all__ = ["add_safe_globals", "clear_safe_globals", "get_safe_globals", "load", "safe_globals", "save"]

MAP_LOCATION = Any  # what annotations say of `load`'s argument
DEFAULT_PROTOCOL = 2  # of the pickles inside PyTorch's files

_safe: list[Any] = []


def add_safe_globals(safe_globals: list[Any]) -> None:
    """Name classes that PyTorch may make when it loads. Files hold tensors and plain values here, and need none."""
    _safe.extend(safe_globals)


def get_safe_globals() -> list[Any]:
    """What `add_safe_globals` was given."""
    return list(_safe)


def clear_safe_globals() -> None:
    """Forget what `add_safe_globals` was given."""
    _safe.clear()


@contextlib.contextmanager
def safe_globals(safe_globals: list[Any]) -> Iterator[None]:
    """A block in which these classes are named; see `add_safe_globals`."""
    before = list(_safe)
    add_safe_globals(safe_globals)
    try:
        yield
    finally:
        _safe[:] = before
