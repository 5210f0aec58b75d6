"""Whose memory a parameter's array is: which parameters may be moved together without anyone being left behind.

A NumPy array, a view or a detached tensor on a parameter's memory must go on showing its values. So only those are
moved whose memory nothing else refers to, by CPython's count of references; the others are updated where they are.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

__all__ = ["memory_order", "movable"]


def memory_order(array: Any) -> tuple[int, ...] | None:
    """The axes of ``array`` from the outermost to the innermost in memory; None where that is their order already."""
    if array.flags.c_contiguous:
        return None
    strides = array.strides
    return tuple(sorted(range(array.ndim), key=lambda axis: -strides[axis]))


def dense(array: Any) -> bool:
    """Whether the elements lie side by side, in whatever order of axes."""
    axes = memory_order(array)
    return bool(axes is None or array.transpose(axes).flags.c_contiguous)


def movable(params: Sequence[Any]) -> list[Any]:
    """Those of ``params`` whose elements lie side by side, in memory that only these parameters refer to."""
    users: dict[int, list[Any]] = {}
    for p in params:
        users.setdefault(_owner(p), []).append(p)
    unseen = {id(p) for members in users.values() if _unseen(members) for p in members}
    return [p for p in params if id(p) in unseen and p._view is None and dense(p._data)]


def _owner(p: Any) -> int:
    return id(p._data if p._data.base is None else p._data.base)


def _unseen(members: list[Any]) -> bool:
    """Whether these parameters, which share one memory, are all that refers to it."""
    for p in members:
        # Besides the parameter there is only the argument of this call; likewise for the version, which aliases share.
        if sys.getrefcount(p._data) != 2 or (p._ver is not None and sys.getrefcount(p._ver) != 2):
            return False
    base = members[0]._data.base
    if base is None:
        return len(members) == 1 and bool(members[0]._data.flags.owndata)
    if not hasattr(base, "flags") or not base.flags.owndata or any(p._data.base is None for p in members):
        return False  # memory from elsewhere (a buffer, a file), or one parameter owns what another is a view of
    return sys.getrefcount(base) == len(members) + 2  # this function's own name, and the argument
