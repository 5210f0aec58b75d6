"""Python numbers on their way into tensors: checked against the element type, as PyTorch checks them."""

from __future__ import annotations

import functools
import math
from typing import Any

from ...backends.dtypes import FROM_NUMPY, finfo, iinfo
from ...backends.errors import DTypeError

__all__ = ["number_for"]


def number_for(value: Any, dtype: Any) -> Any:
    """``value`` as a Python number that an array of NumPy dtype ``dtype`` takes without a warning.

    Floats lose their fraction on the way to integers, and the integer -1 is the largest unsigned number; anything else
    that does not fit is an error.

    Raises:
        RuntimeError: the value is out of the type's range, or not finite, or not real.
    """
    kind = dtype.kind
    if kind == "f" and value.__class__ in (int, float) and -60000 < value < 60000:
        return value
    if hasattr(value, "item"):
        value = value.item()
    if kind == "b":
        return bool(value)
    if kind == "c":
        return complex(value)
    if isinstance(value, complex):
        if value.imag:
            raise _overflow(value, dtype)
        value = value.real
    lowest, highest = _limits(dtype)
    if kind in "iu":
        if not math.isfinite(value):
            raise _overflow(value, dtype)
        whole = int(value)
        if not (lowest if lowest or isinstance(value, float) else -highest) <= whole <= highest:
            raise _overflow(value, dtype)
        return whole if whole >= lowest else whole + highest + 1
    if math.isfinite(value) and not lowest <= value <= highest:
        raise _overflow(value, dtype)
    return float(value)


@functools.cache
def _limits(dtype: Any) -> tuple[Any, Any]:
    info = finfo(dtype) if dtype.kind in "fV" else iinfo(dtype)
    return info.min, info.max


def _overflow(value: Any, dtype: Any) -> DTypeError:
    name = FROM_NUMPY[dtype].name
    return DTypeError(f"value cannot be converted to type {name} without overflow: {value!r}; use a wider dtype")
