"""Convolution, pooling, normalisation, resizing: what ONNX's operators compute."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...autograd import ops
from ...nn import functional as F
from .importers import Frame, imports, ints, number

if TYPE_CHECKING:
    from .reading import Node

__all__: list[str] = []


def _padding(node: Node, size: Any, kernel: Any, stride: Any, dilation: Any) -> list[tuple[int, int]]:
    """Pairs of what is added before and after each dimension."""
    n, how = len(kernel), node.get("auto_pad", "NOTSET")
    if how == "NOTSET":
        pads = node.get("pads", [0] * (2 * n))
        return list(zip(pads[:n], pads[n:], strict=True))
    if how == "VALID":
        return [(0, 0)] * n
    pairs = []
    for m, k, s, d in zip(size, kernel, stride, dilation, strict=True):
        total = max((-(-m // s) - 1) * s + d * (k - 1) + 1 - m, 0)
        small, large = total // 2, total - total // 2
        pairs.append((small, large) if how == "SAME_UPPER" else (large, small))
    return pairs


def _padded(x: Any, pairs: list[tuple[int, int]], value: float = 0.0) -> tuple[Any, list[int]]:
    """The input, and the padding that is the same on both sides; what is not is added at once."""
    if all(a == b for a, b in pairs):
        return x, [a for a, _ in pairs]
    return F.pad(x, [n for pair in reversed(pairs) for n in pair], value=value), [0] * len(pairs)


@imports("Conv")
def conv(node: Node, x: Any, w: Any, b: Any = None) -> Any:
    """A convolution."""
    n = w.ndim - 2
    stride, dilation = node.get("strides", [1] * n), node.get("dilations", [1] * n)
    x, padding = _padded(x, _padding(node, x.shape[2:], w.shape[2:], stride, dilation))
    function = (F.conv1d, F.conv2d, F.conv3d)[n - 1]
    return function(x, w, b, tuple(stride), tuple(padding), tuple(dilation), node.get("group", 1))


@imports("ConvTranspose")
def conv_transpose(node: Node, x: Any, w: Any, b: Any = None) -> Any:
    """A transposed convolution."""
    n = w.ndim - 2
    stride, dilation = node.get("strides", [1] * n), node.get("dilations", [1] * n)
    more = node.get("output_padding", [0] * n)
    wanted = node.get("output_shape")
    full = [
        (m - 1) * s + d * (k - 1) + 1 + o
        for m, k, s, d, o in zip(x.shape[2:], w.shape[2:], stride, dilation, more, strict=True)
    ]
    how = node.get("auto_pad", "NOTSET")
    if wanted is not None or how.startswith("SAME"):
        sizes = wanted[-n:] if wanted is not None else [m * s for m, s in zip(x.shape[2:], stride, strict=True)]
        totals = [max(f - m, 0) for f, m in zip(full, sizes, strict=True)]
        pairs = [(t - t // 2, t // 2) if how != "SAME_UPPER" else (t // 2, t - t // 2) for t in totals]
    else:
        pads = node.get("pads", [0] * (2 * n))
        pairs = list(zip(pads[:n], pads[n:], strict=True))
    function = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[n - 1]
    settings = tuple(stride), node.get("group", 1), tuple(dilation)
    if all(a == c for a, c in pairs):
        same = tuple([a for a, _ in pairs])
        return function(x, w, b, settings[0], same, tuple(more), settings[1], settings[2])
    y = function(x, w, b, settings[0], 0, tuple(more), settings[1], settings[2])
    return y[(..., *[slice(a, f - c) for f, (a, c) in zip(full, pairs, strict=True)])]


# ---------------------------------------------------------------------- pooling


def _windows(node: Node, x: Any) -> tuple[Any, Any, Any, Any]:
    kernel = node.get("kernel_shape")
    n = len(kernel)
    stride, dilation = node.get("strides", [1] * n), node.get("dilations", [1] * n)
    return kernel, stride, dilation, _padding(node, x.shape[2:], kernel, stride, dilation)


@imports("MaxPool")
def max_pool(node: Node, x: Any) -> Any:
    """The largest of each window, and where it is in the whole tensor."""
    kernel, stride, dilation, pairs = _windows(node, x)
    size, n = x.shape, len(kernel)
    symmetric = all(a == b and 2 * a <= k for (a, b), k in zip(pairs, kernel, strict=True))
    y = x if symmetric else F.pad(x, [m for p in reversed(pairs) for m in p], value=-math.inf)
    padding = [a for a, _ in pairs] if symmetric else [0] * n
    function = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[n - 1]
    settings = tuple(kernel), tuple(stride), tuple(padding), tuple(dilation), bool(node.get("ceil_mode", 0))
    if len(node.outputs) < 2:
        return function(y, *settings)
    found, places = function(y, *settings, return_indices=True)
    inner = places
    if not symmetric:  # places were counted in the padded image
        inner, rest = ops.zeros_like(places), places
        for d in range(n):
            after = math.prod(y.shape[3 + d :])
            coordinate = ops.div(rest, after, rounding_mode="floor") - pairs[d][0]
            rest, inner = ops.remainder(rest, after), inner * size[2 + d] + coordinate
    planes = ops.arange(size[0] * size[1], device=x.device).reshape(size[0], size[1], *[1] * n)
    return found, inner + planes * math.prod(size[2:])


@imports("AveragePool")
def average_pool(node: Node, x: Any) -> Any:
    """The mean of each window."""
    kernel, stride, dilation, pairs = _windows(node, x)
    n = len(kernel)
    if any(d != 1 for d in dilation):
        raise NotImplementedError("AveragePool with dilations")
    function: Any = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[n - 1]
    include, up = bool(node.get("count_include_pad", 0)), bool(node.get("ceil_mode", 0))
    if all(a == b and 2 * a <= k for (a, b), k in zip(pairs, kernel, strict=True)):
        padding = tuple([a for a, _ in pairs])
        return function(x, tuple(kernel), tuple(stride), padding, up, include)
    amounts = [m for p in reversed(pairs) for m in p]
    y = function(F.pad(x, amounts), tuple(kernel), tuple(stride), 0, up)
    if include:
        return y
    return y / function(F.pad(ops.ones_like(x), amounts), tuple(kernel), tuple(stride), 0, up)


@imports("GlobalAveragePool")
def global_average(node: Node, x: Any) -> Any:
    """The mean of each channel."""
    return ops.mean(x, tuple(range(2, x.ndim)), True)


@imports("GlobalMaxPool")
def global_max(node: Node, x: Any) -> Any:
    """The largest of each channel."""
    return ops.amax(x, tuple(range(2, x.ndim)), True)


@imports("Col2Im")
def col2im(node: Node, x: Any, image: Any, block: Any) -> Any:
    """Columns added up to an image."""
    n = block.numel()
    pads = node.get("pads", [0] * (2 * n))
    if n != 2 or pads[:n] != pads[n:]:
        raise NotImplementedError("Col2Im of other than two dimensions, or with unequal padding")
    dilation, stride = tuple(node.get("dilations", [1] * n)), tuple(node.get("strides", [1] * n))
    return F.fold(x, tuple(ints(image)), tuple(ints(block)), dilation, tuple(pads[:n]), stride)


# ---------------------------------------------------------------------- normalisation


@imports("BatchNormalization")
def batch_norm(node: Node, x: Any, w: Any, b: Any, mean: Any, var: Any) -> Any:
    """Normalisation with given statistics."""
    return F.batch_norm(x, mean, var, w, b, False, 0.1, node.get("epsilon", 1e-5))


@imports("InstanceNormalization")
def instance_norm(node: Node, x: Any, w: Any, b: Any) -> Any:
    """Of each channel of each example."""
    return F.instance_norm(x, None, None, w, b, eps=node.get("epsilon", 1e-5))


@imports("LayerNormalization RMSNormalization")
def layer_norm(node: Node, x: Any, w: Any, b: Any = None) -> Any:
    """Of the last dimensions."""
    axis, eps = node.get("axis", -1) % x.ndim, node.get("epsilon", 1e-5)
    axes = tuple(range(axis, x.ndim))
    if node.kind == "LayerNormalization" and tuple(w.shape) == tuple(x.shape[axis:]) and len(node.outputs) < 2:
        return F.layer_norm(x, tuple(w.shape), w, b, eps)
    mean = ops.mean(x, axes, True) if node.kind == "LayerNormalization" else 0.0
    centred = x - mean
    scale = ops.rsqrt(ops.mean(centred * centred, axes, True) + eps)
    y = centred * scale * w
    return (y if b is None else y + b), mean, scale


@imports("GroupNormalization")
def group_norm(node: Node, x: Any, w: Any, b: Any) -> Any:
    """Of groups of channels."""
    groups, channels = node.get("num_groups"), x.shape[1]
    if w.shape[0] != channels:  # before version 21 there was one scale for each group
        w, b = (ops.repeat_interleave(v, channels // groups) for v in (w, b))
    return F.group_norm(x, groups, w, b, node.get("epsilon", 1e-5))


@imports("LRN")
def local_response(node: Node, x: Any) -> Any:
    """Over neighbouring channels."""
    size, alpha = node.get("size"), node.get("alpha", 1e-4)
    return F.local_response_norm(x, size, alpha, node.get("beta", 0.75), node.get("bias", 1.0))


@imports("LpNormalization")
def lp_norm(node: Node, x: Any) -> Any:
    """Vectors of length one."""
    return F.normalize(x, float(node.get("p", 2)), node.get("axis", -1), eps=0.0)


@imports("Dropout")
def dropout(node: Node, x: Any, ratio: Any = None, training: Any = None, *, frame: Frame) -> Any:
    """The input; while the module is trained, some elements of it are zero."""
    p = number(ratio, node.get("ratio", 0.5))
    on = frame.module.training and (training is None or bool(training) or True)
    y = F.dropout(x, p) if on else x
    return y, ops.ones_like(x, dtype=ops.eq(x, x).dtype)


# ---------------------------------------------------------------------- resizing


@imports("Upsample Resize")
def resize(node: Node, x: Any, *given: Any) -> Any:
    """Other sizes of some dimensions."""
    _roi, scales, sizes = (None, given[0], None) if node.kind == "Upsample" else (*given, None, None, None)[:3]
    if node.kind == "Resize" and node.opset < 11:
        _roi, scales, sizes = None, given[0], None
    axes = [a % x.ndim for a in node.get("axes", range(x.ndim))]
    empty = scales is None or not scales.numel()
    factors = [None] * len(axes) if empty else scales.tolist()
    wanted = [None] * len(axes) if sizes is None or not sizes.numel() else ints(sizes)
    mode = node.get("mode", "nearest")
    place = node.get("coordinate_transformation_mode", "half_pixel" if node.opset >= 11 else "asymmetric")
    plan = [
        (a, math.floor(x.shape[a] * f) if w is None else w, f) for a, f, w in zip(axes, factors, wanted, strict=True)
    ]
    plan = [(a, out, f) for a, out, f in plan if out != x.shape[a] or (f is not None and f != 1)]
    for a, out, f in plan:
        x = _resized(node, x, a, out, f, mode, place)
    return x


def _resized(node: Node, x: Any, axis: int, out: int, factor: Any, mode: str, place: str) -> Any:
    import numpy as np

    from .importers import tensor

    n = x.shape[axis]
    step = n / out if factor is None else 1 / factor
    to = np.arange(out, dtype="float64")
    if place == "align_corners":
        at = to * ((n - 1) / (out - 1) if out > 1 else 0.0)
    elif place == "asymmetric":
        at = to * step
    elif place in ("half_pixel", "pytorch_half_pixel", "half_pixel_symmetric"):
        at = (to + 0.5) * step - 0.5
        at = np.zeros_like(at) if place == "pytorch_half_pixel" and out == 1 else at
    else:
        raise NotImplementedError(f"Resize with coordinate_transformation_mode {place!r}")
    if mode == "nearest":
        rounding = node.get("nearest_mode", "round_prefer_floor" if node.opset >= 11 else "floor")
        roundings: dict[str, Any] = {
            "floor": np.floor,
            "ceil": np.ceil,
            "round_prefer_floor": lambda v: np.ceil(v - 0.5),
            "round_prefer_ceil": lambda v: np.floor(v + 0.5),
        }
        chosen = roundings[rounding](at)
        return ops.index_select(x, axis, tensor(np.clip(chosen, 0, n - 1).astype("int64"), x))
    if node.get("antialias", 0):
        raise NotImplementedError("Resize with antialias")
    weights = _weights(at, n, mode, node.get("cubic_coeff_a", -0.75), bool(node.get("exclude_outside", 0)))
    w = tensor(weights, x).to(x.dtype)
    return ops.movedim(ops.matmul(ops.movedim(x, axis, -1), w.t()), -1, axis)


def _weights(at: Any, n: int, mode: str, a: float, exclude: bool) -> Any:
    """The matrix (out, n) that interpolates at the places ``at``."""
    import numpy as np

    from ...backends.definitions.resample import cubic

    first, w = np.floor(at), np.zeros((len(at), n))
    for tap in (0, 1) if mode == "linear" else (-1, 0, 1, 2):
        distance = at - first - tap
        weight = 1 - abs(distance) if mode == "linear" else cubic(np, distance, a)
        place = (first + tap).astype("int64")
        if exclude:
            weight = np.where((place < 0) | (place >= n), 0.0, weight)
        np.add.at(w, (np.arange(len(at)), np.clip(place, 0, n - 1)), weight)
    return w / w.sum(1, keepdims=True) if exclude else w
