"""PyTorch's path to what its losses do with ``reduction`` and with the older flags; custom losses import it."""

from __future__ import annotations

from ..autograd.ops.loss import legacy_reduction, reduction_of

__all__ = ["get_enum", "legacy_get_enum", "legacy_get_string"]

NUMBERS = {"none": 0, "mean": 1, "sum": 2}


def get_enum(reduction: str) -> int:
    """The number of a reduction.

    Raises:
        ValueError: there is no such reduction.
    """
    return NUMBERS[reduction_of(None, None, reduction)]


def legacy_get_string(size_average: bool | None, reduce: bool | None, emit_warning: bool = True) -> str:
    """The reduction that the older flags mean."""
    return legacy_reduction(size_average, reduce, emit_warning)


def legacy_get_enum(size_average: bool | None, reduce: bool | None, emit_warning: bool = True) -> int:
    """Its number."""
    return NUMBERS[legacy_reduction(size_average, reduce, emit_warning)]
