"""Reading and writing at positions, sorting, in ONNX."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from .graph import Graph, rule
from .rules_shape import basic, parts_of, resolved

__all__: list[str] = []


def _is_array(part: Any) -> bool:
    return hasattr(part, "dtype") or isinstance(part, list)


@rule("__getitem__ index_get")
def getitem(g: Graph, x: Any, key: Any) -> str:
    """``x[key]``: slices first, then positions that broadcast together."""
    parts = parts_of(key, x.ndim)
    if not any(_is_array(p) for p in parts):
        return basic(g, x, parts)
    if any(hasattr(p, "dtype") and p.dtype.kind == "b" for p in parts):
        return _masked(g, x, parts)
    if any(p is None for p in parts):
        raise NotImplementedError("new dimensions and positions in one key")
    x, parts = _advanced(g, x, parts)
    places = [i for i, p in enumerate(parts) if _is_array(p)]
    if len(places) == 1:
        return str(g.op("Gather", x, _index(g, parts[places[0]]), axis=places[0]))
    adjacent = all(b - a == 1 for a, b in itertools.pairwise(places))
    others = [i for i in range(len(parts)) if i not in places]
    moved = g.transpose(x, [*places, *others])
    made = str(g.op("GatherND", moved, _together(g, [parts[i] for i in places])))
    if not adjacent or places[0] == 0:
        return made
    front = max(_ndim(parts[i]) for i in places)
    lead = places[0]
    order = [*range(front, front + lead), *range(front), *range(front + lead, front + len(others))]
    return g.transpose(made, order)


def _advanced(g: Graph, x: Any, parts: list[Any]) -> tuple[str, list[Any]]:
    """Slices applied, so that full ones and positions are left; numbers count as positions, as NumPy has it."""
    parts = [np.asarray(p, dtype="int64") if isinstance(p, int) else p for p in parts]
    name = basic(g, x, [p if isinstance(p, slice) else slice(None) for p in parts])
    return name, [slice(None) if isinstance(p, slice) else p for p in parts]


def _ndim(index: Any) -> int:
    return int(np.ndim(index)) if not hasattr(index, "ndim") else int(index.ndim)


def _shape(index: Any) -> tuple[Any, ...]:
    return tuple(index.shape) if hasattr(index, "shape") else np.shape(index)


def _index(g: Graph, index: Any) -> str:
    return g.cast(index, "int64") if hasattr(index, "number") else g.constant(index, "int64")


def _together(g: Graph, indices: list[Any]) -> str:
    """Positions that broadcast together as one tensor, its last dimension one for each index."""
    ndim = max(map(_ndim, indices))
    names = [_index(g, i) for i in indices]
    if len({_shape(i) for i in indices}) > 1:
        shapes = [[1] * (ndim - _ndim(i)) + list(_shape(i)) for i in indices]
        shape = [next((n for n in sizes if n != 1), 1) for sizes in zip(*shapes, strict=True)]
        names = [str(g.op("Expand", n, g.ints(shape))) for n in names]
    return str(g.op("Concat", *[g.unsqueeze(n, [ndim]) for n in names], axis=-1))


def _masked(g: Graph, x: Any, parts: list[Any]) -> str:
    """What a mask of the first dimensions picks."""
    if len([p for p in parts if _is_array(p)]) > 1 or not _is_array(parts[0]):
        raise NotImplementedError("a mask beside other positions")
    places = g.op("Transpose", g.op("NonZero", parts[0]), perm=[1, 0])
    return str(g.op("GatherND", x, places))


@rule("nonzero flatnonzero")
def nonzero(g: Graph, x: Any) -> Any:
    """The positions of what is not zero, dimension by dimension."""
    name = g.name(x)
    if x.dtype.kind == "b":  # not every runtime has it for masks
        name = g.cast(x, "int64")
    found = g.op("NonZero", name)
    if g.step.name == "flatnonzero":
        return str(g.op("Gather", found, g.constant(0, "int64"), axis=0))
    rows = [str(g.op("Gather", found, g.constant(i, "int64"), axis=0)) for i in range(len(g.step.outputs))]
    return tuple(rows)


@rule("take index_select")
def take(g: Graph, x: Any, index: Any, dim: Any = None, axis: Any = None, **options: Any) -> str:
    """Slices at positions."""
    axis = dim if axis is None else axis
    if axis is None:
        return str(g.op("Gather", g.reshape(x, (_size(x),)), _index(g, index), axis=0))
    return str(g.op("Gather", x, _index(g, index), axis=axis % max(x.ndim, 1)))


def _size(x: Any) -> Any:
    size: Any = 1
    for n in x.shape:
        size = n * size
    return size


@rule("embedding")
def embedding(g: Graph, w: Any, index: Any) -> str:
    """Rows of a table."""
    return str(g.op("Gather", w, _index(g, index), axis=0))


@rule("gather_elements take_along_axis")
def gather_elements(g: Graph, x: Any, index: Any, dim: Any = -1, axis: Any = None) -> str:
    """Positions along one dimension, for each element."""
    dim = dim if axis is None else axis
    if (found := g.tops.get(g.name(index))) is not None and found[:2] == (g.name(x), dim % x.ndim):
        return found[2]  # the elements in order, whose positions these are
    last = dim % x.ndim == x.ndim - 1
    if last and tuple(x.shape[:-1]) == tuple(index.shape[:-1]):
        places = g.unsqueeze(_index(g, index), [index.ndim])
        return str(g.op("GatherND", x, places, batch_dims=x.ndim - 1))
    if g.step.name == "take_along_axis":
        shape = [n if i != dim % x.ndim else m for i, (n, m) in enumerate(zip(x.shape, index.shape, strict=True))]
        if tuple(shape) != tuple(index.shape):
            return str(g.op("GatherElements", x, g.expand(index, shape), axis=dim % x.ndim))
    return str(g.op("GatherElements", x, _index(g, index), axis=dim % x.ndim))


REDUCTIONS = {"scatter_": None, "scatter_add_": "add", "scatter_prod_": "mul"}


@rule("scatter_ scatter_add_ scatter_prod_ scatter_extreme_")
def scatter(g: Graph, x: Any, index: Any, value: Any, dim: int, largest: bool = True) -> str:
    """Written along one dimension."""
    reduction = REDUCTIONS.get(g.step.name, "max" if largest else "min")
    updates = g.operand(value, x.dtype)
    shape = tuple(getattr(value, "shape", ()))
    if shape != tuple(index.shape):
        if len(shape) == len(index.shape) and 1 not in shape:
            axes = [i for i, (n, m) in enumerate(zip(shape, index.shape, strict=True)) if n != m]
            ends = [index.shape[i] for i in axes]
            updates = str(g.op("Slice", updates, g.ints([0] * len(axes)), g.ints(ends), g.ints(axes)))
        else:
            updates = g.expand(updates, index.shape)
    return str(g.op("ScatterElements", x, _index(g, index), updates, axis=dim % x.ndim, reduction=reduction))


@rule("index_put_ __setitem__ add.at")
def index_put(g: Graph, x: Any, key: Any, value: Any, accumulate: bool = False) -> str:
    """Written, or added, at positions."""
    parts = parts_of(key, x.ndim)
    masks = [p for p in parts if hasattr(p, "dtype") and p.dtype.kind == "b"]
    if masks:
        return _put_masked(g, x, parts, value)
    parts = [np.asarray(p, dtype="int64") if isinstance(p, int) else p for p in parts]
    if any(p is None or (isinstance(p, slice) and resolved(p, n) != (0, n, 1)) for p, n in _with_sizes(parts, x)):
        raise NotImplementedError("writing to positions of a slice")
    places = [i for i, p in enumerate(parts) if _is_array(p)]
    others = [i for i in range(x.ndim) if i not in places]
    order = [*places, *others]
    adjacent = all(b - a == 1 for a, b in itertools.pairwise(places))
    moved, index = g.transpose(x, order), _together(g, [parts[i] for i in places])
    front = max(_ndim(parts[i]) for i in places)
    lead = places[0] if adjacent else 0
    updates = _updates(g, value, x, index, front, lead, [x.shape[i] for i in others])
    add = accumulate or g.step.name == "add.at"
    made = g.op("ScatterND", moved, index, updates, reduction="add" if add else None)
    return g.transpose(made, [order.index(i) for i in range(x.ndim)])


def _with_sizes(parts: list[Any], x: Any) -> Any:
    return zip(parts, x.shape, strict=True)


def _updates(g: Graph, value: Any, x: Any, index: str, front: int, lead: int, rest: list[Any]) -> str:
    """What is written, for every position, its dimensions in the order of ``index`` and then the others."""
    found = g.op("Shape", index)
    counts = g.op("Slice", found, g.constant([0], "int64"), g.constant([-1], "int64"))
    inner = g.ints(rest) if rest else None
    shape = g.op("Concat", counts, inner, axis=0) if inner else counts
    name = g.operand(value, x.dtype)
    if lead and getattr(value, "ndim", 0):  # the positions' dimensions are not the first ones
        ndim = front + len(rest)
        name = g.unsqueeze(name, list(range(ndim - value.ndim)))
        name = g.transpose(name, [*range(lead, lead + front), *range(lead), *range(lead + front, ndim)])
    return str(g.op("Expand", name, shape))


def _put_masked(g: Graph, x: Any, parts: list[Any], value: Any) -> str:
    """One number where a mask holds."""
    if len([p for p in parts if _is_array(p)]) > 1 or not _is_array(parts[0]) or _ndim(value):
        raise NotImplementedError("values written where a mask holds")
    mask = g.unsqueeze(parts[0], list(range(parts[0].ndim, x.ndim)))
    return g.where(mask, g.operand(value, x.dtype), x)


@rule("index_add_ index_copy_")
def index_write(g: Graph, x: Any, index: Any, value: Any, dim: int) -> str:
    """Slices written, or added, at positions."""
    key = (*[slice(None)] * dim, index)
    return index_put(g, x, key, value, g.step.name == "index_add_")


# ---------------------------------------------------------------------- sorting


@rule("sort_positions")
def sort_positions(g: Graph, x: Any, dim: int = -1, descending: bool = False) -> str:
    """The positions of the elements in order."""
    dim %= max(x.ndim, 1)
    return _top(g, x, x.shape[dim], dim, descending)


@rule("argsort")
def argsort(g: Graph, x: Any, axis: int = -1, **options: Any) -> str:
    """The same under NumPy's name."""
    return sort_positions(g, x, axis)


@rule("top_positions")
def top_positions(g: Graph, x: Any, count: Any, dim: int, largest: bool = True) -> str:
    """The positions of the largest or least elements, in order."""
    return _top(g, x, count, dim % max(x.ndim, 1), largest)


def _top(g: Graph, x: Any, count: Any, dim: int, largest: bool) -> str:
    name = g.cast(x, "int32") if x.dtype.kind in "b" or (x.dtype.itemsize < 4 and x.dtype.kind in "iu") else g.name(x)
    values, places = g.op("TopK", name, g.ints([count]), outputs=2, axis=dim, largest=int(largest), sorted=1)
    g.tops[places] = name, dim, values
    return str(places)


@rule("sort")
def sort(g: Graph, x: Any, axis: int = -1, **options: Any) -> str:
    """The elements in order."""
    axis %= x.ndim
    values, _ = g.op("TopK", x, g.ints([x.shape[axis]]), outputs=2, axis=axis, largest=0, sorted=1)
    return str(values)


@rule("argmax argmin")
def position(g: Graph, x: Any, axis: Any = None, keepdims: bool = False) -> str:
    """Where the largest or the least element is."""
    kind = "ArgMax" if g.step.name == "argmax" else "ArgMin"
    name = g.cast(x, "int32") if x.dtype.kind == "b" else g.name(x)
    if axis is None:
        flat = str(g.op("Reshape", name, g.constant([-1], "int64")))
        made = str(g.op(kind, flat, axis=0, keepdims=0))
        return g.reshape(made, g.out.shape, ()) if keepdims else made
    return str(g.op(kind, name, axis=axis % max(x.ndim, 1), keepdims=int(keepdims)))


@rule("places")
def places_in_row(g: Graph, row: Any, values: Any, right: bool = False) -> str:
    """How many elements of a row are less than each value (or equal)."""
    dtype = np.result_type(row.dtype, values.dtype)
    wanted = g.unsqueeze(g.cast(values, dtype), [values.ndim])
    before = g.op("LessOrEqual" if right else "Less", g.cast(row, dtype), wanted)
    return g.reduce("Sum", g.op("Cast", before, to=7), [values.ndim], False)


@rule("is_among isin")
def is_among(g: Graph, x: Any, values: Any, invert: bool = False) -> str:
    """Whether each element is among some values."""
    dtype = np.result_type(x.dtype, values.dtype)
    flat = g.op("Reshape", g.cast(values, dtype), g.constant([-1], "int64"))
    same = g.op("Equal", g.unsqueeze(g.cast(x, dtype), [x.ndim]), flat)
    found = g.op("Cast", g.reduce("Max", g.op("Cast", same, to=6), [x.ndim], False), to=9)
    return str(g.op("Not", found) if invert else found)


@rule("bincount")
def bincount(g: Graph, x: Any, weights: Any = None, minlength: Any = 0) -> str:
    """How often each number is there."""
    dtype = g.out.dtype
    zeros = g.op("Expand", g.constant(0, dtype), g.ints([g.out.shape[0]]))
    ones = g.op("Expand", g.constant(1, dtype), g.op("Shape", x)) if weights is None else g.cast(weights, dtype)
    return str(g.op("ScatterElements", zeros, _index(g, x), ones, axis=0, reduction="add"))
