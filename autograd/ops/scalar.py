"""Python numbers on their way into tensors: checked against the element type, as PyTorch checks them."""

from __future__ import annotations

import functools
import math
from typing import Any

from ...backends import kernels_of
from ...backends.dtypes import FROM_NUMPY, finfo, iinfo
from ...backends.errors import NumberOverflowError
from ...backends.strictness import doubt_silently, strictness

__all__ = ["number_for", "refuse_fractions"]


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
    elif not isinstance(value, int | float | complex):
        raise TypeError(f"a value must be Number, not {type(value).__name__}")
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise _overflow(value, dtype)
    if kind == "b":
        return bool(value)
    if kind == "c":
        value = complex(value)
        for part in (value.real, value.imag):
            if math.isfinite(part) and abs(part) > _limits(dtype)[1]:
                raise _overflow(value, dtype)
        return value
    if isinstance(value, complex):
        if value.imag:
            raise _overflow(value, dtype)
        value = value.real
    lowest, highest = _limits(dtype)
    if kind in "iu":
        if not math.isfinite(value):
            raise _overflow(value, dtype)
        whole = int(value)
        if strictness.depth and whole != value:
            doubt_silently(f"{value!r} loses its fraction when it is written to {FROM_NUMPY[dtype]}; use a wider dtype")
        if not (lowest if lowest or isinstance(value, float) else -highest) <= whole <= highest:
            raise _overflow(value, dtype)
        return whole if whole >= lowest else whole + highest + 1
    if math.isfinite(value) and not lowest <= value <= highest:
        raise _overflow(value, dtype)
    return float(value)


def refuse_fractions(value: Any, dtype: Any) -> None:
    """Let floating-point values pass that lose their fractions on the way to integers, but under strict mode.

    Raises:
        StrictError: under `wengert.debug.strict`.
    """
    if strictness.depth and dtype.kind in "iu" and value.dtype.kind in "fV":
        k = kernels_of[type(value)]
        wide = k.astype(value, "float64")
        if bool(k.any(wide != k.trunc(wide))):
            doubt_silently(
                f"values of {FROM_NUMPY[value.dtype]} lose their fractions when they are written to "
                f"{FROM_NUMPY[dtype]}; use a wider dtype, or say so with .trunc() or .round()"
            )


@functools.cache
def _limits(dtype: Any) -> tuple[Any, Any]:
    info = finfo(dtype) if dtype.kind in "fcV" else iinfo(dtype)
    return info.min, info.max


def _overflow(value: Any, dtype: Any) -> NumberOverflowError:
    name = FROM_NUMPY[dtype].name
    return NumberOverflowError(
        f"value cannot be converted to type {name} without overflow: {value!r}; use a wider dtype"
    )
