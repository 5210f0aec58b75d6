"""Convolution, pooling, resizing and normalisation in ONNX."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from .graph import Graph, rule
from .varying import Varying

__all__: list[str] = []


def _pads(padding: Any) -> list[Any]:
    return [*[before for before, _ in padding], *[after for _, after in padding]]


@rule("conv")
def conv(
    g: Graph, x: Any, w: Any, bias: Any = None, stride: Any = (), padding: Any = (), dilation: Any = (), groups: int = 1
) -> str:
    """A convolution."""
    shape = list(w.shape[2:])
    return str(
        g.op(
            "Conv",
            x,
            w,
            bias,
            kernel_shape=shape,
            strides=list(stride),
            pads=_pads(padding),
            dilations=list(dilation),
            group=groups,
        )
    )


@rule("conv_input")
def conv_input(
    g: Graph, y: Any, w: Any, size: Any, stride: Any = (), padding: Any = (), dilation: Any = (), groups: int = 1
) -> str:
    """A transposed convolution."""
    more = []
    for n, m, k, s, (before, after), d in zip(size, y.shape[2:], w.shape[2:], stride, padding, dilation, strict=True):
        more.append(n - ((m - 1) * s + d * (k - 1) + 1 - before - after))
    return str(
        g.op(
            "ConvTranspose",
            y,
            w,
            kernel_shape=list(w.shape[2:]),
            strides=list(stride),
            pads=_pads(padding),
            dilations=list(dilation),
            group=groups,
            output_padding=more if more != [0] * len(more) else None,
        )
    )


# ---------------------------------------------------------------------- pooling


def _reach(size: Any, kernel: Any, out: Any, stride: Any, padding: Any, dilation: Any) -> tuple[list[Any], bool]:
    """The padding with which ONNX has as many windows, and whether its sizes are rounded up for that."""
    up = any(isinstance(after, Varying) for _, after in padding)
    pads = [[before, before if isinstance(after, Varying) else after] for before, after in padding]
    for i, (n, k, o, s, d) in enumerate(zip(size, kernel, out, stride, dilation, strict=True)):
        whole = n + sum(pads[i]) - d * (k - 1) - 1
        if whole // s + 1 == o:
            continue
        if isinstance(n, Varying):
            up = True
        else:
            pads[i][1] += (o - 1) * s - whole
    return pads, up


def _global(x: Any, kernel: Any, padding: Any) -> bool:
    """Whether there is one window, which is the whole image."""
    return tuple(kernel) == tuple(x.shape[2:]) and not any(n != 0 for pair in padding for n in pair)


@rule("max_pool")
def max_pool(
    g: Graph, x: Any, kernel: Any, out: Any, stride: Any, padding: Any, dilation: Any, codes: bool = True
) -> Any:
    """The largest of each window; in the place of its number, its place, which is all that is asked for later."""
    if _global(x, kernel, padding) and not codes:
        return str(g.op("GlobalMaxPool", x)), None
    pads, up = _reach(x.shape[2:], kernel, out, stride, padding, dilation)
    y, index = g.op(
        "MaxPool",
        x,
        outputs=2,
        kernel_shape=list(kernel),
        strides=list(stride),
        pads=_pads(pads),
        dilations=list(dilation),
        ceil_mode=int(up),
    )
    size: Any = 1
    for n in x.shape[2:]:
        size = n * size
    return (y, str(g.op("Mod", index, g.scalar(size, "int64")))) if codes else (y, None)


@rule("pool_positions")
def pool_positions(g: Graph, code: Any, size: Any, **windows: Any) -> str:
    """The places of the chosen elements, which `max_pool` has found already."""
    return g.name(code)


@rule("avg_pool")
def avg_pool(
    g: Graph, x: Any, kernel: Any, out: Any, stride: Any, padding: Any, include: bool, divisor: int | None
) -> str:
    """Averages; where ONNX divides by another number than PyTorch, the sum over PyTorch's number."""
    if _global(x, kernel, padding) and divisor is None:
        return str(g.op("GlobalAveragePool", x))
    dilation = (1,) * len(kernel)
    pads, up = _reach(x.shape[2:], kernel, out, stride, padding, dilation)
    plain = divisor is None and all(before == after for before, after in pads)
    shape: dict[str, Any] = {"kernel_shape": list(kernel), "strides": list(stride)}
    if plain:
        return str(g.op("AveragePool", x, pads=_pads(pads), ceil_mode=int(up), count_include_pad=int(include), **shape))
    from ...backends.definitions.pool import counts

    if any(isinstance(n, Varying) for n in x.shape[2:]):
        raise NotImplementedError("windows that reach beyond a dimension of variable size")
    total = counts(np, tuple(x.shape[2:]), kernel, out, stride, padding, include, divisor)
    around = [0, 0, *[b for b, _ in pads], 0, 0, *[a for _, a in pads]]
    padded = g.op("Pad", x, g.ints(around), g.constant(0, x.dtype)) if any(around) else g.name(x)
    mean = g.op("AveragePool", padded, **shape)
    return str(g.op("Mul", mean, g.constant(math.prod(kernel) / np.asarray(total), x.dtype)))


@rule("adaptive_avg_pool")
def adaptive_avg_pool(g: Graph, x: Any, out: Any) -> str:
    """Averages of so many bins."""
    if all(o == 1 for o in out):
        return str(g.op("GlobalAveragePool", x))
    sizes = x.shape[2:]
    if tuple(sizes) == tuple(out):
        return g.name(x)
    if all(not isinstance(n, Varying) and n % o == 0 for n, o in zip(sizes, out, strict=True)):
        kernel = [n // o for n, o in zip(sizes, out, strict=True)]
        return str(g.op("AveragePool", x, kernel_shape=kernel, strides=kernel))
    from ...backends.definitions.pool import bin_weights

    made: Any = x
    for axis, (n, o) in enumerate(zip(sizes, out, strict=True), 2):
        if isinstance(n, Varying):
            raise NotImplementedError("bins of a dimension of variable size")
        order = [a for a in range(x.ndim) if a != axis] + [axis]
        made = g.op("MatMul", g.transpose(made, order), g.constant(bin_weights(np, n, o, x.dtype).T, x.dtype))
        made = g.transpose(made, [order.index(a) for a in range(x.ndim)])
    return str(made)


@rule("adaptive_max_positions")
def adaptive_max_positions(g: Graph, x: Any, out: Any) -> str:
    """The place of the largest element of each bin."""
    sizes = x.shape[2:]
    if any(isinstance(n, Varying) for n in sizes):
        raise NotImplementedError("bins of a dimension of variable size")
    if all(n % o == 0 for n, o in zip(sizes, out, strict=True)):
        kernel = [n // o for n, o in zip(sizes, out, strict=True)]
        _, index = g.op("MaxPool", x, outputs=2, kernel_shape=kernel, strides=kernel)
        return str(g.op("Mod", index, g.constant(math.prod(sizes), "int64")))
    from ...backends.definitions.pool import bins

    flat = g.reshape(x, (*x.shape[:2], math.prod(sizes)))
    edges = [bins(n, o) for n, o in zip(sizes, out, strict=True)]
    numbers, found = np.arange(math.prod(sizes)).reshape(sizes), []
    for cell in itertools.product(*map(range, out)):
        part = numbers[tuple([slice(*edge[i]) for edge, i in zip(edges, cell, strict=True)])].reshape(-1)
        best = g.op("ArgMax", g.op("Gather", flat, g.constant(part, "int64"), axis=2), axis=2, keepdims=1)
        found.append(g.op("Gather", g.constant(part, "int64"), best, axis=0))
    whole = g.op("Concat", *found, axis=2)
    return g.reshape(whole, (*x.shape[:2], *out), (*x.shape[:2], len(found)))


@rule("flat_gather")
def flat_gather(g: Graph, x: Any, position: Any) -> str:
    """Elements at places of the flattened spatial dimensions."""
    lead = tuple(x.shape[:2])
    size: Any = 1
    for n in x.shape[2:]:
        size = n * size
    count: Any = 1
    for n in position.shape[2:]:
        count = n * count
    flat, places = g.reshape(x, (*lead, size)), g.reshape(position, (*lead, count))
    made = str(g.op("GatherND", flat, g.unsqueeze(places, [3]), batch_dims=2))
    return g.reshape(made, position.shape, (*lead, count))


@rule("flat_put")
def flat_put(g: Graph, x: Any, position: Any, size: Any) -> str:
    """Elements written to places of zeros."""
    lead = tuple(x.shape[:2])
    count: Any = 1
    for n in x.shape[2:]:
        count = n * count
    zeros = g.op("Expand", g.constant(0, x.dtype), g.ints([*lead, math.prod(size)]))
    flat, places = g.reshape(x, (*lead, count)), g.reshape(position, (*lead, count))
    made = str(g.op("ScatterElements", zeros, places, flat, axis=2))
    return g.reshape(made, (*lead, *size), (*lead, math.prod(size)))


@rule("unfold_columns")
def unfold_columns(g: Graph, x: Any, kernel: Any, out: Any, stride: Any, padding: Any, dilation: Any) -> str:
    """What each element of the kernel sees: (N, C, taps, *out)."""
    padded: Any = g.name(x)
    if any(map(any, padding)):
        pads = [0, 0, *[b for b, _ in padding], 0, 0, *[a for _, a in padding]]
        padded = g.op("Pad", x, g.ints(pads), g.constant(0, x.dtype))
    axes, seen = g.constant(np.arange(2, x.ndim), "int64"), []
    for offset in itertools.product(*map(range, kernel)):
        starts = [d * t for d, t in zip(dilation, offset, strict=True)]
        ends = [(o - 1) * s + b + 1 for b, o, s in zip(starts, out, stride, strict=True)]
        part = g.op("Slice", padded, g.ints(starts), g.ints(ends), axes, g.ints(list(stride)))
        seen.append(g.unsqueeze(part, [2]))
    return str(g.op("Concat", *seen, axis=2))


@rule("fold_columns")
def fold_columns(g: Graph, columns: Any, size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> str:
    """Columns (N, C, taps, *out) added up to an image."""
    n, c = columns.shape[:2]
    places: Any = 1
    for o in columns.shape[3:]:
        places = o * places
    flat = g.reshape(columns, (n, c * math.prod(kernel), places))
    pads = _pads(padding)
    return str(
        g.op(
            "Col2Im",
            flat,
            g.ints(list(size)),
            g.ints(list(kernel)),
            dilations=list(dilation),
            pads=pads,
            strides=list(stride),
        )
    )


@rule("resample")
def resample(
    g: Graph,
    x: Any,
    axis: int,
    size: Any,
    out: Any,
    mode: str,
    step: Any,
    align: bool,
    antialias: bool,
    back: bool,
) -> str:
    """One dimension resized."""
    if back or x.dtype.kind == "u":
        raise NotImplementedError("resizing of bytes")
    if antialias:
        return _by_weights(g, x, axis, size, out, mode, step, align, antialias)
    settings = {
        "mode": mode,
        "coordinate_transformation_mode": "align_corners" if align else "half_pixel",
        "cubic_coeff_a_f": -0.75 if mode == "cubic" else None,
    }
    scaled = not align and not isinstance(step, Varying) and (isinstance(out, Varying) or size / out != step)
    source, shape, changed, key = g.name(x), tuple(x.shape), {axis: 1 / step if scaled else out}, (mode, align, scaled)
    if source in g.resized and g.resized[source][3] == key:  # dimensions that are resized alike, at once
        source, shape, earlier, _ = g.resized[source]
        changed = earlier | changed
    made = _resize(g, source, shape, changed, scaled, settings)
    g.resized[made] = source, shape, changed, key
    return made


def _resize(g: Graph, x: str, shape: Any, changed: dict[int, Any], scaled: bool, settings: Any) -> str:
    axes = sorted(changed)
    if g.opset >= 18:
        numbers, settings = [changed[a] for a in axes], {**settings, "axes": axes}
    else:
        numbers = [changed.get(a, 1.0 if scaled else n) for a, n in enumerate(shape)]
    if scaled:
        return str(g.op("Resize", x, None, g.constant(numbers, "float32"), **settings))
    return str(g.op("Resize", x, None, None, g.ints(numbers), **settings))


def _by_weights(g: Graph, x: Any, axis: int, size: Any, out: Any, mode: str, step: Any, *how: Any) -> str:
    """A product with the matrix of weights, for what runtimes have each in their own way."""
    if isinstance(size, Varying) or isinstance(out, Varying):
        raise NotImplementedError("antialiasing with a variable size")
    from ...backends.definitions.resample import weights

    w = weights(np, size, out, mode, step, *how).astype(x.dtype)
    order = [a for a in range(x.ndim) if a != axis] + [axis]
    made = g.op("MatMul", g.transpose(x, order), g.constant(w.T, x.dtype))
    return g.transpose(made, [order.index(a) for a in range(x.ndim)])


# ---------------------------------------------------------------------- normalisation


@rule("standardise")
def standardise(g: Graph, x: Any, mean: Any, var: Any, w: Any, b: Any, eps: float) -> str:
    """Batch normalisation with given statistics."""
    size = mean.shape[0]
    w = g.constant(np.ones(size), mean.dtype) if w is None else w
    b = g.constant(np.zeros(size), mean.dtype) if b is None else b
    return str(g.op("BatchNormalization", x, w, b, mean, var, epsilon=float(eps)))


@rule("normalise")
def normalise(g: Graph, x: Any, w: Any, b: Any, axes: Any, eps: float, centre: bool = True) -> Any:
    """Normalisation over some dimensions."""
    last = tuple(range(x.ndim - len(axes), x.ndim))
    if centre and tuple(axes) == last and len(axes) == 1 and g.opset >= 17 and x.dtype.kind == "f":
        layer = _layer_norm(g, x, w, b, eps)
        if layer is not None:
            return layer, None, None
    y, mean = g.name(x), None
    wide = x.dtype if x.dtype.itemsize > 2 else np.dtype("float32")
    y = g.cast(x, wide)
    if centre:
        mean = g.reduce("Mean", y, axes, True)
        y = str(g.op("Sub", y, mean))
    var = g.reduce("Mean", g.op("Mul", y, y), axes, True)
    y = str(g.op("Div", y, g.op("Sqrt", g.op("Add", var, g.constant(eps, wide)))))
    y = y if w is None else str(g.op("Mul", y, g.cast(w, wide)))
    y = y if b is None else str(g.op("Add", y, g.cast(b, wide)))
    return g.cast_from(y, wide, x.dtype), mean, var


def _layer_norm(g: Graph, x: Any, w: Any, b: Any, eps: float) -> str | None:
    """ONNX's layer norm, on the tensor that the rows were made of."""
    name = g.name(x)
    source, shape = g.reshaped.get(name, (name, tuple(x.shape)))
    size, taken = 1, 0
    while taken < len(shape) and size != x.shape[-1]:
        taken += 1
        n = shape[-taken]
        if isinstance(n, Varying):
            return None
        size *= n
    if size != x.shape[-1] or not taken:
        return None
    rows = tuple(shape[len(shape) - taken :])
    scale = g.constant(np.ones(rows), x.dtype) if w is None else g.reshape(w, rows)
    shift = None if b is None else g.reshape(b, rows)
    made = str(g.op("LayerNormalization", source, scale, shift, axis=-taken, epsilon=float(eps)))
    if source == name:
        return made
    g.reshaped[flat := g.reshape(made, x.shape, shape)] = made, shape
    return flat
