"""Master weights: float32 copies of 16-bit parameters, which small steps do move."""

from __future__ import annotations

from typing import Any

__all__ = ["MASTER", "has_master", "master_of", "taken_from"]

MASTER = "master_param"  # their name in the state of a parameter


def has_master(group: dict[str, Any], p: Any) -> bool:
    """Whether the parameter ``p`` has one: the group asks for it, and the parameter is of 16 bits."""
    dtype = p._data.dtype
    return bool(group.get("master_weights")) and dtype.itemsize == 2 and dtype.kind in "fV"


def master_of(k: Any, array: Any) -> Any:
    """A parameter's array in float32."""
    return k.astype(array, "float32")


def taken_from(k: Any, master: Any, array: Any) -> None:
    """Let ``master`` have the values that were written to its parameter's ``array`` since the last step.

    Loading a model, clipping weights and averaging them all write to parameters: where the array is not the rounded
    master, it holds something newer.
    """
    newer = k.astype(master, array.dtype).view("uint16") != array.view("uint16")
    if newer.any():
        master[...] = k.where(newer, k.astype(array, "float32"), master)
