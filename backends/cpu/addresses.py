"""Where the elements of a NumPy array begin, which kernels that work on addresses ask many times in a call."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import numpy as np

__all__: list[str] = []  # nothing here is a kernel

HEAD = object.__basicsize__  # what all Python objects begin with; an array goes on with the address
_word = ctypes.c_ssize_t.from_address


def _first_word(x: Any) -> int:
    return _word(id(x) + HEAD).value


def _by_protocol(x: Any) -> int:
    """What arrays say themselves; it takes them a microsecond, as they put a dictionary together."""
    return int(x.__array_interface__["data"][0])


def _is_first() -> bool:
    """Whether an array has its address where NumPy's C interface (``PyArrayObject_fields``) puts it."""
    if sys.implementation.name != "cpython":  # elsewhere ``id`` is no address
        return False
    x = np.arange(6.0).reshape(2, 3)
    return all(_first_word(a) == _by_protocol(a) for a in (x, x[1:, 1:], np.array(1)))


FIRST = _is_first()
address = _first_word if FIRST else _by_protocol
