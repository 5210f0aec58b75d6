"""Shapes, slices, joining and repeating in ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np

from .graph import Graph, rule
from .varying import Varying

__all__ = ["parts_of", "resolved"]

END = np.iinfo("int64").max


@rule("reshape")
def reshape(g: Graph, x: Any, shape: Any) -> str:
    """Another shape."""
    return g.reshape(x, shape)


@rule("transpose")
def transpose(g: Graph, x: Any, order: Any) -> str:
    """Another order of dimensions."""
    return g.transpose(x, order)


@rule("broadcast_to")
def broadcast_to(g: Graph, x: Any, shape: Any) -> str:
    """Repeated to a shape."""
    return g.expand(x, (shape,) if isinstance(shape, int | Varying) else shape)


# ---------------------------------------------------------------------- slices


def parts_of(key: Any, ndim: int) -> list[Any]:
    """One part of a key for each dimension, and None for each new one."""
    parts = list(key) if type(key) is tuple else [key]
    used = sum([_dims(p) for p in parts])
    place = next((i for i, p in enumerate(parts) if p is Ellipsis), len(parts))
    return [*parts[:place], *[slice(None)] * (ndim - used), *parts[place + 1 :]]


def _dims(part: Any) -> int:
    if part is None or part is Ellipsis:
        return 0
    return int(part.ndim) if hasattr(part, "dtype") and part.dtype.kind == "b" else 1


def resolved(part: Any, n: Any) -> tuple[Any, Any, int]:
    """Start, stop and step of a slice of a dimension of size ``n``, counted from the beginning."""
    step = 1 if part.step is None else part.step
    if step < 0:
        return part.start, part.stop, step
    start, stop = 0 if part.start is None else part.start, n if part.stop is None else part.stop
    start = start + n if _sign(start) < 0 else start
    stop = stop + n if _sign(stop) < 0 else stop
    if not isinstance(start, Varying) and not isinstance(n, Varying):
        start = min(max(start, 0), n)
    if not isinstance(stop, Varying):
        stop = max(stop, 0)
        stop = min(stop, n) if not isinstance(n, Varying) else n if all(stop >= v for v in n.values) else stop
    return start, stop, step


def _sign(n: Any) -> int:
    return -1 if (n.values[0] if isinstance(n, Varying) else n) < 0 else 1


def is_full(part: Any, n: Any) -> bool:
    """Whether a slice leaves a dimension as it is."""
    if not isinstance(part, slice):
        return False
    start, stop, step = resolved(part, n)
    return step == 1 and start == 0 and stop == n


def sliced(g: Graph, x: Any, axes: Any, starts: Any, stops: Any, steps: Any = None) -> str:
    """Part of some dimensions."""
    if not axes:
        return g.name(x)
    ends = [END if n is None else n for n in stops]
    if steps is None or all(s == 1 for s in steps):
        return str(g.op("Slice", x, g.ints(starts), g.ints(ends), g.ints(axes)))
    return str(g.op("Slice", x, g.ints(starts), g.ints(ends), g.ints(axes), g.ints(steps)))


def basic(g: Graph, x: Any, parts: list[Any]) -> str:
    """``x`` at a key of numbers, slices and None."""
    axes, starts, stops, steps, taken, new = [], [], [], [], [], []
    axis = place = 0
    for part in parts:
        if part is None:
            new.append(place)
            place += 1
            continue
        n = x.shape[axis]
        if isinstance(part, slice):
            if not is_full(part, n):
                start, stop, step = resolved(part, n)
                if step < 0:
                    start, stop = END if start is None else start, -END if stop is None else stop
                axes.append(axis)
                starts.append(start)
                stops.append(None if stop == n else stop)
                steps.append(step)
            place += 1
        else:
            taken.append((axis, part))
        axis += 1
    name = sliced(g, x, axes, starts, stops, steps)
    for a, index in reversed(taken):
        place_of = g.scalar(index, "int64") if isinstance(index, Varying) else g.constant(index, "int64")
        name = str(g.op("Gather", name, place_of, axis=a))
    return g.unsqueeze(name, new)


@rule("slice_put")
def slice_put(g: Graph, x: Any, value: Any, key: Any) -> str:
    """``x`` with ``value`` in the place of a slice."""
    parts = parts_of(key, x.ndim)
    gone = [i for i, p in enumerate([p for p in parts if p is None or isinstance(p, slice)]) if p is None]
    name = g.squeeze(value, gone)
    parts = [p for p in parts if p is not None]
    name = g.unsqueeze(name, [i for i, p in enumerate(parts) if not isinstance(p, slice)])
    ranges = []
    for axis, (part, n) in enumerate(zip(parts, x.shape, strict=True)):
        if isinstance(part, slice):
            if not is_full(part, n):
                ranges.append((axis, *resolved(part, n)))
        else:
            start = part + n if _sign(part) < 0 else part
            ranges.append((axis, start, start + 1, 1))
    if not ranges:
        return name
    if any(step != 1 for *_, step in ranges):
        return _masked_put(g, x, name, ranges)
    filled = g.filling(x)
    if filled is not None and x.dtype.kind != "b":
        return _padded(g, x, name, ranges, filled)
    return _joined(g, x, x.shape, name, ranges)


def _padded(g: Graph, x: Any, value: str, ranges: Any, filled: Any) -> str:
    """What is put into a tensor of one number is padded with it."""
    before, after = [0] * x.ndim, [0] * x.ndim
    for axis, start, stop, _ in ranges:
        before[axis], after[axis] = start, x.shape[axis] - stop
    return str(g.op("Pad", value, g.ints([*before, *after]), g.constant(filled, x.dtype), mode="constant"))


def _joined(g: Graph, x: Any, shape: Any, value: str, ranges: Any) -> str:
    """What lies before the slice, the value, and what lies behind it."""
    (axis, start, stop, _), *rest = ranges
    if rest:
        inner = sliced(g, x, [axis], [start], [stop])
        value = _joined(g, inner, [stop - start if i == axis else n for i, n in enumerate(shape)], value, rest)
    pieces = [value]
    if start != 0:
        pieces.insert(0, sliced(g, x, [axis], [0], [start]))
    if stop != shape[axis]:
        pieces.append(sliced(g, x, [axis], [stop], [None]))
    return pieces[0] if len(pieces) == 1 else str(g.op("Concat", *pieces, axis=axis))


def _masked_put(g: Graph, x: Any, value: str, ranges: Any) -> str:
    """Every so many places of a dimension: the value is spread, and taken where the slice is."""
    mask: Any = np.ones((1,) * x.ndim, dtype=bool)
    for axis, start, stop, step in ranges:
        n = x.shape[axis]
        places = np.arange(n)[slice(start, stop, step)]
        source, here = np.zeros(n, dtype="int64"), np.zeros(n, dtype=bool)
        source[places], here[places] = np.arange(len(places)), True
        value = str(g.op("Gather", value, g.constant(source, "int64"), axis=axis))
        mask = mask & here.reshape([-1 if i == axis else 1 for i in range(x.ndim)])
    return g.where(g.constant(mask, "bool"), value, x)


# ---------------------------------------------------------------------- joining, repeating, moving


@rule("concatenate concat")
def concatenate(g: Graph, arrays: Any, axis: int = 0) -> str:
    """One after the other."""
    dtype, ndim = g.out.dtype, g.out.ndim
    return str(g.op("Concat", *[g.operand(a, dtype) for a in arrays], axis=axis % ndim))


@rule("stack")
def stack(g: Graph, arrays: Any, axis: int = 0) -> str:
    """Side by side in a new dimension."""
    dtype, ndim = g.out.dtype, g.out.ndim
    parts = [g.unsqueeze(g.operand(a, dtype), [axis % ndim]) for a in arrays]
    return str(g.op("Concat", *parts, axis=axis % ndim))


@rule("tile")
def tile(g: Graph, x: Any, reps: Any) -> str:
    """The whole so many times."""
    reps = [reps] if isinstance(reps, int) else list(reps)
    missing = len(reps) - x.ndim
    name = g.unsqueeze(x, list(range(missing)))
    return str(g.op("Tile", name, g.ints([1] * -missing + reps)))


@rule("repeat")
def repeat(g: Graph, x: Any, count: Any, axis: Any = None) -> str:
    """Every element so many times."""
    if not isinstance(count, int):
        return _repeated_by(g, x, count, axis)
    shape = list(x.shape)
    name: Any = x
    if axis is None:
        name, shape, axis = g.reshape(x, (g.out.shape[0] // count,)), [g.out.shape[0] // count], 0
    axis %= len(shape)
    name = g.unsqueeze(name, [axis + 1])
    wide = [*shape[: axis + 1], count, *shape[axis + 1 :]]
    name = str(g.op("Expand", name, g.ints([1] * (axis + 1) + [count] + [1] * (len(shape) - axis - 1))))
    return g.reshape(name, g.out.shape, wide)


def _repeated_by(g: Graph, x: Any, count: Any, axis: Any) -> str:
    counts = g.known(count)
    if counts is None or axis is None:
        raise NotImplementedError
    places = np.repeat(np.arange(len(counts)), counts)
    return str(g.op("Gather", x, g.constant(places, "int64"), axis=axis))


@rule("roll")
def roll(g: Graph, x: Any, shift: Any, axis: Any = None) -> str:
    """Moved around."""
    name, shape = g.name(x), list(x.shape)
    if axis is None:
        size = 1
        for n in shape:
            size = n * size
        name, shape, axis = g.reshape(x, (size,)), [size], 0
    shifts, axes = ([shift], [axis]) if isinstance(axis, int) else (list(shift), list(axis))
    for by, a in zip(shifts, axes, strict=True):
        a %= max(len(shape), 1)
        by = by if isinstance(by, Varying) or isinstance(shape[a], Varying) else by % shape[a] if shape[a] else 0
        if by == 0:
            continue
        cut = -by  # counted from the end
        tail = sliced(g, name, [a], [cut], [None])
        name = str(g.op("Concat", tail, sliced(g, name, [a], [0], [cut]), axis=a))
    return g.reshape(name, x.shape, shape) if x.ndim != len(shape) else name


@rule("flip")
def flip(g: Graph, x: Any, axis: Any = None) -> str:
    """The other way round."""
    axes = range(x.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
    axes = [a % x.ndim for a in axes]
    return sliced(g, x, axes, [-1] * len(axes), [-END] * len(axes), [-1] * len(axes))


@rule("triangle")
def triangle(g: Graph, x: Any, offset: int, upper: bool) -> str:
    """Above or below a diagonal."""
    if x.dtype.kind == "b":  # not every runtime has it for masks
        made = g.op("Trilu", g.cast(x, "int64"), g.constant(offset, "int64"), upper=int(upper))
        return str(g.op("Cast", made, to=9))
    return str(g.op("Trilu", x, g.constant(offset, "int64"), upper=int(upper)))


@rule("tril triu")
def tril(g: Graph, x: Any, k: int = 0) -> str:
    """The same under NumPy's names."""
    return triangle(g, x, k, g.step.name == "triu")


@rule("diagonal")
def diagonal(g: Graph, x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> str:
    """A diagonal, as the last dimension."""
    a, b = axis1 % x.ndim, axis2 % x.ndim
    rest = [i for i in range(x.ndim) if i not in (a, b)]
    rows, columns = x.shape[a], x.shape[b]
    places = np.arange(rows * columns).reshape(rows, columns).diagonal(offset)
    shape = [*[x.shape[i] for i in rest], rows, columns]
    flat = g.reshape(g.transpose(x, [*rest, a, b]), [*shape[:-2], rows * columns], shape)
    return str(g.op("Gather", flat, g.constant(places, "int64"), axis=len(rest)))


@rule("diagonal_put")
def diagonal_put(g: Graph, x: Any, value: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> str:
    """``x`` with another diagonal."""
    a, b = axis1 % x.ndim, axis2 % x.ndim
    order = [*[i for i in range(x.ndim) if i not in (a, b)], a, b]
    rows, columns = np.arange(x.shape[a])[:, None], np.arange(x.shape[b])
    mask = columns - rows == offset
    length = value.shape[-1]
    places = np.clip((rows[:, 0] if offset >= 0 else rows[:, 0] + offset), 0, max(length - 1, 0))
    spread = g.unsqueeze(g.op("Gather", value, g.constant(places, "int64"), axis=value.ndim - 1), [value.ndim])
    made = g.where(g.constant(mask, "bool"), spread, g.transpose(x, order))
    return g.transpose(made, [order.index(i) for i in range(x.ndim)])


@rule("windows")
def windows(g: Graph, x: Any, dim: int, size: int, step: int) -> str:
    """All windows of a dimension, as a last dimension."""
    n = x.shape[dim]
    if isinstance(n, Varying):
        count = g.scalar((n - size) // step + 1, "int64")
        starts = g.op("Range", g.constant(0, "int64"), count, g.constant(1, "int64"))
        starts = g.op("Mul", starts, g.constant(step, "int64"))
        places: Any = g.op("Add", g.unsqueeze(starts, [1]), g.constant(np.arange(size), "int64"))
    else:
        places = g.constant(np.arange(0, n - size + 1, step)[:, None] + np.arange(size), "int64")
    made = g.op("Gather", x, places, axis=dim)
    order = list(range(x.ndim + 1))
    order.append(order.pop(dim + 1))
    return g.transpose(made, order)


# ---------------------------------------------------------------------- made of sizes


@rule("zeros ones empty full")
def full(g: Graph, shape: Any, value: Any = None, dtype: Any = None, **options: Any) -> str:
    """One number everywhere."""
    sizes = (shape,) if isinstance(shape, int | Varying) else shape
    number = {"zeros": 0, "empty": 0, "ones": 1}.get(g.step.name, value)
    return str(g.op("Expand", g.operand(number, g.out.dtype), g.ints(list(sizes))))


@rule("arange")
def arange(g: Graph, *bounds: Any, dtype: Any = None, **options: Any) -> str:
    """Numbers at equal distances."""
    start, stop, step = (0, *bounds, 1) if len(bounds) == 1 else (*bounds, 1)[:3]
    kind = np.dtype("float32") if g.out.dtype.kind in "fV" else np.dtype("int64")
    return g.cast_from(g.op("Range", *[g.operand(n, kind) for n in (start, stop, step)]), kind, g.out.dtype)


@rule("eye identity")
def eye(g: Graph, rows: Any, columns: Any = None, k: int = 0, dtype: Any = None, **options: Any) -> str:
    """Ones on a diagonal."""
    from .types import code_of

    shape = g.ints([rows, rows if columns is None else columns])
    zeros = g.op("Expand", g.constant(0, "float32"), shape)
    return str(g.op("EyeLike", zeros, k=k, dtype=code_of(g.out.dtype)))


@rule("linspace")
def linspace(g: Graph, start: Any, stop: Any, num: Any = 50, dtype: Any = None, **options: Any) -> str:
    """So many numbers from one to another."""
    kind = g.out.dtype
    count = g.scalar(num, "int64")
    places = g.op("Cast", g.op("Range", g.constant(0, "int64"), count, g.constant(1, "int64")), to=1)
    step = g.op("Div", g.operand(stop - start, "float32"), g.scalar(num - 1, "float32"))
    made = g.op("Add", g.op("Mul", places, step), g.operand(start, "float32"))
    return g.cast_from(made, np.dtype("float32"), kind)


@rule("random_normal random_uniform")
def random(g: Graph, key: Any, offset: Any, *rest: Any) -> str:
    """Numbers that are drawn anew in every run; a runtime has a generator of its own."""
    from .types import code_of

    *given, shape, _dtype = rest
    kind = "RandomNormal" if g.step.name.endswith("normal") else "RandomUniform"
    bounds = {} if not given else {"mean_f": given[0], "scale_f": given[1]} if kind == "RandomNormal" else None
    if bounds is None:
        bounds = {"low_f": given[0], "high_f": given[1]}
    bounds = {k: float(v) for k, v in bounds.items()}
    if any(isinstance(n, Varying) for n in shape):
        like = g.op("Expand", g.constant(0, "float32"), g.ints(list(shape)))
        return str(g.op(f"{kind}Like", like, dtype=code_of(g.out.dtype), **bounds))
    return str(g.op(kind, shape=list(shape), dtype=code_of(g.out.dtype), **bounds))
