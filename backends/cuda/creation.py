"""Arrays of one number, made on the device: copying it there would make the host wait, and cannot be captured."""

from __future__ import annotations

from typing import Any

import cupy

__all__ = ["asarray"]

NUMBERS = {bool: "bool", int: "int64", float: "float64", complex: "complex128"}


def asarray(value: Any, dtype: Any = None) -> Any:
    """``value`` as an array; of a Python number, one without dimensions."""
    kind = NUMBERS.get(type(value))
    return cupy.asarray(value, dtype=dtype) if kind is None else cupy.full((), value, dtype=dtype or kind)
