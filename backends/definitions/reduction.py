"""Reductions. Sums and products of 16-bit floats accumulate in float32, as on every PyTorch device."""

from __future__ import annotations

from typing import Any

__all__ = ["sum"]

Axis = int | tuple[int, ...] | None


def wide(x: Any) -> Any:
    """``x`` in float32 if it is a 16-bit float, else ``x`` itself."""
    return x.astype("float32") if x.dtype.itemsize == 2 and x.dtype.kind in "fV" else x


def sum(xp: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The sum over ``axis``; all axes when None. Keeps the dtype of ``x``."""
    return xp.sum(wide(x), axis=axis, keepdims=keepdims, dtype=None if x.dtype.kind in "fcV" else x.dtype).astype(
        x.dtype
    )
