"""Who holds arrays: tensors that programs see, and graphs that wait for their backward pass. For messages only."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

from ..backends import kernels_of
from .base import TensorBase
from .node import Node

__all__ = ["holders"]


def holders() -> Iterator[tuple[str, Any]]:
    """Every array that a tensor or a recorded op holds, with what to call the holder. Slow: it asks all objects."""
    for thing in gc.get_objects():
        kind = type(thing)
        if issubclass(kind, TensorBase):
            array: Any = getattr(thing, "_data", None)
            if type(array) in kernels_of:
                yield f"a {array.dtype.name} tensor of shape {list(array.shape)}", array
        elif issubclass(kind, Node):
            for value in (*(getattr(thing, "_saved", None) or ()), *(getattr(thing, "_cached", None) or ())):
                array = value[0] if type(value) is tuple else value
                if type(array) in kernels_of:
                    site = getattr(thing, "site", None)
                    where = "" if site is None else f" at {site}"
                    shape = list(array.shape)
                    yield f"what {thing.name()}{where} keeps for backward, {array.dtype.name} of shape {shape}", array
