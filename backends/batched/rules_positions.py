"""Batching rules for reading and writing at positions; see ``rules.py``.

Positions that differ from example to example become, with one more array of positions (each example's number),
positions in the physical array.
"""

from __future__ import annotations

import itertools
from typing import Any

from .array import BatchedArray, BatchError
from .rules import KERNEL_RULES, RULES, Kind, aligned, array_namespace, expanded, given, is_array, lift, moved, rule

__all__: list[str] = []


class Places:
    """Where a key that has arrays in it leads to in the physical array.

    Attributes:
        whole: the physical array (or one that all examples share), its indexed dimensions first.
        key: what ``whole`` is indexed with.
        front: how many dimensions of the result stand for the positions.
        place: where among an example's dimensions these belong.
    """

    def __init__(self, kind: Kind, x: Any, key: Any) -> None:
        parts = _without_ellipsis(list(key) if type(key) is tuple else [key], x.ndim)
        parts = [_positions(kind, p) for p in parts]
        advanced = [i for i, p in enumerate(parts) if not isinstance(p, slice)]
        if any(p is None for p in parts):
            raise _Unfit
        positions = [parts[i] for i in advanced]
        self.front = max(p.ndim for p in positions)
        adjacent = all(b - a == 1 for a, b in itertools.pairwise(advanced))
        self.place = advanced[0] if adjacent else 0
        own = type(x) is kind
        whole = x._all if own else x
        basic = [slice(None) if i in advanced else p for i, p in enumerate(parts)]
        whole = whole[(*((slice(None),) if own else ()), *basic)]
        others = [i for i in range(whole.ndim - own) if i not in advanced]
        axes = [*advanced, *others]
        self.whole = whole.transpose((0, *[a + 1 for a in axes])) if own else whole.transpose(axes)
        plain = tuple([aligned(kind, p, self.front) for p in positions])
        if own:
            xp = array_namespace(whole)
            number = xp.arange(kind.batch).reshape(kind.batch, *(1,) * self.front)
            plain = (number, *plain)
        self.key = plain

    def outward(self, y: Any) -> Any:
        """A physical result with the dimensions of the positions where an example has them."""
        if not self.place:
            return y
        axes = [i + 1 for i in range(y.ndim - 1)]
        front, rest = axes[: self.front], axes[self.front :]
        return y.transpose((0, *rest[: self.place], *front, *rest[self.place :]))

    def inward(self, kind: Kind, value: Any) -> Any:
        """A value to be written, in the order of ``whole``."""
        if not self.place or not is_array(value):
            return aligned(kind, value, self.front + self.whole.ndim - len(self.key)) if is_array(value) else value
        ndim = self.front + self.whole.ndim - len(self.key)
        whole = (
            aligned(kind, value, ndim)
            if type(value) is kind
            else value.reshape((1,) * (ndim + 1 - value.ndim) + value.shape)
        )
        axes = [i + 1 for i in range(ndim)]
        front = axes[self.place : self.place + self.front]
        return whole.transpose((0, *front, *[a for a in axes if a not in front]))


class _Unfit(Exception):
    """A key that is read for each example by itself."""


def _without_ellipsis(parts: list[Any], ndim: int) -> list[Any]:
    used = sum(
        [p.ndim if is_array(p) and p.dtype.kind == "b" else 1 for p in parts if p is not None and p is not Ellipsis]
    )
    place = next((i for i, p in enumerate(parts) if p is Ellipsis), len(parts))
    filled = [slice(None)] * (ndim - used)
    return [*parts[:place], *filled, *parts[place + 1 :]]


def _positions(kind: Kind, part: Any) -> Any:
    """One part of a key: a slice, None, or integer positions."""
    if isinstance(part, slice) or part is None:
        return part
    if not is_array(part):
        xp = kind.namespace
        while hasattr(xp, "below"):
            xp = xp.below
        part = xp.asarray(part)
    if part.dtype.kind not in "iu":
        raise _Unfit  # masks
    return part


def _has_own(kind: Kind, parts: list[Any]) -> bool:
    return any(type(p) is kind for p in parts)


@rule("__getitem__")
def indexed(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Indexing by arrays that all examples share, or by integer positions of each."""
    x, key = args
    parts = list(key) if type(key) is tuple else [key]
    if type(x) is kind and not _has_own(kind, parts):
        shared = _indexed_by_shared(kind, x, parts)
        if shared is not NotImplemented:
            return shared
    try:
        places = Places(kind, x, key)
    except _Unfit:
        return NotImplemented
    return kind.of(places.outward(places.whole[places.key]))


def _indexed_by_shared(kind: Kind, x: Any, parts: list[Any]) -> Any:
    """The physical array indexed in the same way, where NumPy leaves the batch in front."""
    if any(is_array(p) and p.dtype.kind == "b" for p in parts) and len(parts) > 1:
        return NotImplemented
    advanced = [i for i, p in enumerate(parts) if is_array(p) or type(p) in (list, int)]
    if any(p is Ellipsis or p is None for p in parts):
        return NotImplemented
    if any(b - a > 1 for a, b in itertools.pairwise(advanced)):
        return NotImplemented
    return kind.of(x._all[(slice(None), *parts)])


@rule("__setitem__")
def assigned(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Writes to places that all examples share, or to integer positions of each."""
    x, key, value = args
    if type(x) is not kind:
        return NotImplemented
    parts = list(key) if type(key) is tuple else [key]
    if any(is_array(p) or type(p) is list for p in parts):
        if len(parts) == 1 and is_array(key) and key.dtype.kind == "b" and type(value) is not kind:
            if type(key) is kind and (not is_array(value) or not value.ndim) and key.ndim <= x.ndim:
                x._all[key._all] = value  # a mask of each example's own, and one number
                return None
            return NotImplemented
        try:
            places = Places(kind, x, key)
        except _Unfit:
            return NotImplemented
        places.whole[places.key] = places.inward(kind, value)
        return None
    target = x._all[(slice(None), *parts, *(() if any(p is Ellipsis for p in parts) else (Ellipsis,)))]
    target[...] = aligned(kind, value, target.ndim - 1)
    return None


@rule("add.at subtract.at maximum.at minimum.at multiply.at")
def written_at(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Writes where repeated positions add up."""
    x, key, value = args
    if type(x) is not kind:
        return NotImplemented
    try:
        places = Places(kind, x, key)
    except (_Unfit, ValueError):
        return NotImplemented
    function(places.whole, places.key, places.inward(kind, value))
    return None


@rule("index_get", KERNEL_RULES)
def got(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Indexing."""
    return indexed(kind, function, args, {})


@rule("index_put_", KERNEL_RULES)
def put(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Writing, or adding, at positions."""
    x, key, value, *accumulate = given(args, kwargs)
    if type(x) is not kind:
        return NotImplemented
    try:
        places = Places(kind, x, tuple(key))
    except _Unfit:
        return NotImplemented
    return function(places.whole, places.key, places.inward(kind, value), *accumulate)


@rule("take", RULES)
def taken(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Elements at positions."""
    x, index, *rest = args
    axis = rest[0] if rest else kwargs.get("axis")
    if kwargs.get("out") is not None or not is_array(index):
        return NotImplemented
    if axis is None:
        x, axis = x.reshape(-1), 0
    if type(x) is not kind or type(index) is kind:
        return indexed(kind, function, (x, (slice(None),) * (axis % x.ndim) + (index,)), {})
    return kind.of(function(x._all, index, moved(axis, x.ndim)))


@rule("embedding", KERNEL_RULES)
def looked_up(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Rows of a table: where each example has its own, they are tables one below the other."""
    w, index = args
    if type(w) is not kind:
        return kind.of(function(w, index._all))
    rows = w.shape[0]
    return kind.of(function(w._all.reshape(kind.batch * rows, w.shape[1]), _stacked_rows(kind, index, rows)))


@rule("embedding_grad", KERNEL_RULES)
def added_rows(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """The adjoint: one table below the other."""
    g, index, rows, padding, by_frequency = given(args, kwargs)
    g = expanded(kind, g)
    index = index if type(index) is kind else lift(index, kind)
    xp = array_namespace(g)
    if padding >= 0:
        g = xp.where((index._all == padding)[..., None], xp.zeros((), dtype=g.dtype), g)
    whole = function(g, _stacked_rows(kind, index, rows), kind.batch * rows, -1, by_frequency)
    return kind.of(whole.reshape(kind.batch, rows, g.shape[-1]))


def _stacked_rows(kind: Kind, index: Any, rows: int) -> Any:
    """The rows of tables one below the other that an index of each means; -1 for what is no row."""
    positions = expanded(kind, index)
    xp = array_namespace(positions)
    number = xp.arange(kind.batch, dtype=positions.dtype).reshape(kind.batch, *(1,) * (positions.ndim - 1))
    inside = (positions >= 0) & (positions < rows)
    return xp.where(inside, positions + number * rows, xp.asarray(-1, dtype=positions.dtype))


@rule("index_select", KERNEL_RULES)
def selected(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Slices at positions."""
    x, index, dim = given(args, kwargs)
    if not x.ndim:
        return NotImplemented
    if type(x) is not kind or type(index) is kind:
        return indexed(kind, function, (x, (slice(None),) * (dim % x.ndim) + (index,)), {})
    return kind.of(function(x._all, index, moved(dim, x.ndim)))


@rule("index_add_ index_copy_", KERNEL_RULES)
def slices_written(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Writing, or adding, slices at positions."""
    x, index, value, dim = given(args, kwargs)
    if type(x) is not kind or not x.ndim or (is_array(value) and value.ndim != x.ndim):
        return NotImplemented
    if type(index) is not kind:
        return function(x._all, index, expanded(kind, value) if is_array(value) else value, moved(dim, x.ndim))
    from ..registry import kernels_of

    places = Places(kind, x, (slice(None),) * (dim % x.ndim) + (index,))
    adds = (
        function.__name__ == "index_add_" if hasattr(function, "__name__") else function.func.__name__ == "index_add_"
    )
    k = kernels_of[type(x._all)]
    return k.index_put_(places.whole, places.key, places.inward(kind, value), accumulate=adds)


@rule("scatter_ scatter_add_ scatter_extreme_ scatter_prod_", KERNEL_RULES)
def scattered(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Writing along one dimension."""
    x, index, value, dim, *rest = given(args, kwargs)
    if type(x) is not kind or not x.ndim or index.ndim != x.ndim:
        return NotImplemented
    value = expanded(kind, value) if is_array(value) and value.ndim else value
    if is_array(value) and value.ndim == 0 and type(value) is kind:
        return NotImplemented
    return function(x._all, expanded(kind, index), value, moved(dim, x.ndim), *rest)


@rule("windows", KERNEL_RULES)
def windows(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """All windows along a dimension."""
    x, dim, *rest = given(args, kwargs)
    return kind.of(function(x._all, moved(dim, x.ndim), *rest), x) if x.ndim else NotImplemented


@rule("strided", KERNEL_RULES)
def strided(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """An example's memory with other strides; the offset counts from where the example begins."""
    from ..registry import kernels_of

    x, sizes, strides, offset = given(args, kwargs)
    whole = x._all
    if not isinstance(whole, BatchedArray):
        owner = whole if whole.base is None or not hasattr(whole.base, "itemsize") else whole.base
        k = kernels_of[type(whole)]
        offset += (k.address(whole) - k.address(owner)) // whole.itemsize
    apart = whole.strides[0] // whole.itemsize
    return kind.of(function(whole, (kind.batch, *sizes), (apart, *strides), offset), x if x.base is None else x.base)


@rule("places", KERNEL_RULES)
def places_in_row(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """The places of values in one row, or in a row of each example."""
    from ..registry import kernels_of

    row, values, *right = given(args, kwargs)
    if type(row) is not kind:
        return kind.of(function(row, values._all, *right))
    whole = expanded(kind, values)
    found = kernels_of[type(whole)].row_positions(row._all, whole.reshape(kind.batch, -1), *right)
    return kind.of(found.reshape(whole.shape))


@rule("row_positions", KERNEL_RULES)
def places_in_rows(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """The places of values in rows."""
    rows, values, *right = given(args, kwargs)
    return kind.of(function(expanded(kind, rows), expanded(kind, values), *right))


@rule("address", KERNEL_RULES)
def refused(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """What asks where an example lies in memory."""
    raise BatchError("vmap: an example has no memory of its own to ask for; clone() it")
