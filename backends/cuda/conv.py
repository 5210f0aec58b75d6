"""Convolutions on the GPU by cuDNN, where it is there and has one; else the plain definitions, with the same numbers.

Where the channels of the images lie closest together, those of the weights are made to, and so lie those of the result.
"""

from __future__ import annotations

import functools
from typing import Any

import cupy

from ..definitions import conv as plain
from ..definitions.conv import Ints, Pairs, channels_last, out_size
from ..dtypes import to_dtype
from . import cudnn_graph
from .cudnn_graph import TYPES, Graphs, rules, steps
from .namespace import Namespace

__all__ = ["conv", "conv_input", "conv_weight"]

XP = Namespace(cupy)


def conv(x: Any, w: Any, bias: Any, stride: Ints, padding: Pairs, dilation: Ints, groups: int) -> Any:
    """The convolution of ``x`` with ``w``; see the definition."""
    size = out_size(x.shape[2:], w.shape[2:], stride, padding, dilation)
    last = channels_last(x)
    y = empty((x.shape[0], w.shape[0], *size), x.dtype, last)
    if not _run("conv_fprop", packed(x, last), packed(w, last), y, stride, padding, dilation):
        return plain.conv(XP, x, w, bias, stride, padding, dilation, groups)
    if bias is not None:
        y += bias.reshape(-1, *[1] * len(size))
    return y


def conv_input(g: Any, w: Any, size: Ints, stride: Ints, padding: Pairs, dilation: Ints, groups: int) -> Any:
    """What the input receives; see the definition."""
    last = channels_last(g)
    x = empty((g.shape[0], w.shape[1] * groups, *size), g.dtype, last)
    if not _run("conv_dgrad", packed(g, last), packed(w, last), x, stride, padding, dilation):
        return plain.conv_input(XP, g, w, size, stride, padding, dilation, groups)
    return x


def conv_weight(x: Any, g: Any, kernel: Ints, stride: Ints, padding: Pairs, dilation: Ints, groups: int) -> Any:
    """What the weight receives; see the definition."""
    last = channels_last(x) or channels_last(g)
    w = empty((g.shape[1], x.shape[1] // groups, *kernel), g.dtype, last)
    if not _run("conv_wgrad", packed(x, last), packed(g, last), w, stride, padding, dilation):
        return plain.conv_weight(XP, x, g, kernel, stride, padding, dilation, groups)
    return cupy.ascontiguousarray(w)


def empty(shape: Ints, dtype: Any, last: bool) -> Any:
    """A fresh array (N, C, ...) with its channels closest together if they should be ``last``."""
    if not last:
        return cupy.empty(shape, dtype)
    array = cupy.empty((shape[0], *shape[2:], shape[1]), dtype)
    return array.transpose(0, array.ndim - 1, *range(1, array.ndim - 1))


def packed(x: Any, last: bool) -> Any:
    """``x``, copied unless it lies in the usual order, or with its channels closest together if they should be last."""
    if not last:
        return cupy.ascontiguousarray(x)
    n = x.ndim
    return cupy.ascontiguousarray(x.transpose(0, *range(2, n), 1)).transpose(0, n - 1, *range(1, n - 1))


def _run(kind: str, a: Any, b: Any, out: Any, stride: Ints, padding: Pairs, dilation: Ints) -> bool:
    graphs = cudnn_graph.library()
    name = to_dtype(out.dtype).name
    if graphs is None or not cudnn_graph.enabled() or name not in TYPES:
        return False
    if not (a.size and b.size and out.size) or len(stride) > 3 or a.dtype != b.dtype:
        return False
    if len(stride) == 1:  # one row of images
        a, b, out = (v.reshape(*v.shape[:2], 1, v.shape[2]) for v in (a, b, out))
        stride, padding, dilation = (1, *stride), ((0, 0), *padding), (1, *dilation)
    shapes = tuple([(v.shape, tuple(steps(v))) for v in (a, b, out)])
    geometry = (stride, padding, dilation)
    key = (kind, name, shapes, geometry, rules())
    what = f"{kind} of {name} {list(a.shape)} and {list(b.shape)}"
    return graphs.run(key, what, functools.partial(describe, key=key), (a, b, out))


def describe(graphs: Graphs, key: Any, **options: Any) -> Any:
    """The graph of one convolution."""
    kind, name, ((a_dim, a_step), (b_dim, b_step), (dim, step)), (stride, padding, dilation), _ = key
    graph = graphs.new(name, **options)
    a = graph.tensor(name="a", dim=list(a_dim), stride=list(a_step), uid=1)
    b = graph.tensor(name="b", dim=list(b_dim), stride=list(b_step), uid=2)
    operands = {"conv_fprop": ("image", "weight"), "conv_dgrad": ("loss", "filter"), "conv_wgrad": ("image", "loss")}
    result = getattr(graph, kind)(
        **dict(zip(operands[kind], (a, b), strict=True)),
        pre_padding=[before for before, _ in padding],
        post_padding=[after for _, after in padding],
        stride=list(stride),
        dilation=list(dilation),
    )
    result.set_output(True).set_uid(3).set_dim(list(dim)).set_stride(list(step))
    result.set_data_type(getattr(graphs.frontend.data_type, TYPES[name]))
    return graph
