"""Files: PyTorch's path to ``save`` and ``load``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from .utils.serialization import load as load
from .utils.serialization import save as save
from .utils.torch_file import SAFE

__all__ = ["add_safe_globals", "clear_safe_globals", "get_safe_globals", "load", "safe_globals", "save"]

MAP_LOCATION = Any  # what annotations say of `load`'s argument
DEFAULT_PROTOCOL = 2  # of the pickles inside PyTorch's files


def add_safe_globals(safe_globals: list[Any]) -> None:
    """Name classes and functions that `load` may use of a file of whole objects with ``weights_only=True``.

    Args:
        safe_globals: the classes and functions, or pairs of one and the full name that it has in the file.
    """
    SAFE.extend(safe_globals)


def get_safe_globals() -> list[Any]:
    """What `add_safe_globals` was given."""
    return list(SAFE)


def clear_safe_globals() -> None:
    """Forget what `add_safe_globals` was given."""
    SAFE.clear()


@contextlib.contextmanager
def safe_globals(safe_globals: list[Any]) -> Iterator[None]:
    """A block in which these classes are named; see `add_safe_globals`."""
    before = list(SAFE)
    add_safe_globals(safe_globals)
    try:
        yield
    finally:
        SAFE[:] = before
