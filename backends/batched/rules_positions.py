"""Batching rules for indexing; see ``rules.py``."""

from __future__ import annotations

import itertools
from typing import Any

from .rules import KERNEL_RULES, RULES, Kind, aligned, array_namespace, expanded, given, is_array, moved, rule

__all__: list[str] = []


@rule("__getitem__")
def indexed(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Indexing by arrays that all examples share, or by integer positions of each."""
    x, key = args
    parts = list(key) if type(key) is tuple else [key]
    own = [p for p in parts if type(p) is kind]
    if type(x) is not kind or own:
        return _indexed_by_own(kind, x, parts)
    if any(is_array(p) and p.dtype.kind == "b" for p in parts) and len(parts) > 1:
        return NotImplemented
    advanced = [i for i, p in enumerate(parts) if is_array(p) or type(p) in (list, int)]
    if Ellipsis in [p for p in parts if not is_array(p)] or None in [p for p in parts if not is_array(p)]:
        return NotImplemented
    if any(b - a > 1 for a, b in itertools.pairwise(advanced)):
        return NotImplemented  # NumPy puts such dimensions in front, before the batch
    return kind.of(x._all[(slice(None), *parts)])


def _indexed_by_own(kind: Kind, x: Any, parts: list[Any]) -> Any:
    """Indexing by integer positions that differ from example to example: one more position, the example's number."""
    if any(not is_array(p) or p.dtype.kind not in "iu" for p in parts):
        return NotImplemented
    ndim = max(p.ndim for p in parts)
    positions = [aligned(kind, p, ndim) for p in parts]
    if type(x) is not kind:
        return kind.of(x[tuple(positions)])
    xp = array_namespace(positions[0] if type(parts[0]) is kind else expanded(kind, parts[0]))
    number = xp.arange(kind.batch).reshape(kind.batch, *(1,) * ndim)
    return kind.of(x._all[(number, *positions)])


@rule("__setitem__")
def assigned(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Writes at places that all examples share."""
    x, key, value = args
    parts = list(key) if type(key) is tuple else [key]
    if type(x) is not kind or any(type(p) is kind for p in parts):
        return NotImplemented
    if any(is_array(p) or type(p) is list for p in parts):
        return NotImplemented
    target = x._all[(slice(None), *parts, *(() if any(p is Ellipsis for p in parts) else (Ellipsis,)))]
    target[...] = aligned(kind, value, target.ndim - 1)
    return None


@rule("take", RULES)
def taken(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Elements at positions that all examples share."""
    x, index, *rest = args
    axis = rest[0] if rest else kwargs.get("axis")
    if type(x) is not kind or type(index) is kind or kwargs.get("out") is not None:
        return NotImplemented
    if axis is None:
        x, axis = x.reshape(x.size), 0
    return kind.of(function(x._all, index, moved(axis, x.ndim)))


@rule("embedding", KERNEL_RULES)
def looked_up(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Rows of a table that all examples share."""
    w, index = args
    return NotImplemented if type(w) is kind else kind.of(function(w, index._all))


@rule("index_get", KERNEL_RULES)
def got(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Indexing."""
    x, key = args
    made = indexed(kind, function, (x, key), {}) if type(x) is kind or any(type(p) is kind for p in key) else None
    return NotImplemented if made is None else made


@rule("index_select", KERNEL_RULES)
def selected(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Slices at positions that all examples share."""
    x, index, dim = given(args, kwargs)
    if type(x) is not kind or type(index) is kind or not x.ndim:
        return NotImplemented
    return kind.of(function(x._all, index, moved(dim, x.ndim)))
