"""Attention on the GPU by cuDNN's flash kernels for 16-bit types, without a mask; else the plain definitions.

The fused kernels keep, per query, the logarithm of the sum of exponentials instead of all probabilities. The result
lies in memory with the heads beside one another, so that joining them copies nothing.
"""

from __future__ import annotations

import functools
from typing import Any

import cupy

from ..definitions import attention as plain
from ..dtypes import to_dtype
from . import cudnn_graph
from .cudnn_graph import Graphs, rules, steps
from .namespace import Namespace
from .switches import cudnn_sdp_enabled

__all__ = ["attention", "attention_backward"]

XP = Namespace(cupy)
WIDEST = 256  # of a head, on Hopper; and a multiple of eight


def attention(
    q: Any, k: Any, v: Any, mask: Any, dropped: Any, scale: float, causal: bool, keep: float
) -> tuple[Any, tuple[Any, ...]]:
    """``softmax(scale q k' + mask) v``; see the definition. Where it is fused, the result and the sums are kept."""
    if mask is None and dropped is None:
        fused = _fused(q, k, v, scale, causal)
        if fused is not None:
            return fused
    return plain.attention(XP, q, k, v, mask, dropped, scale, causal, keep)


def attention_backward(
    g: Any,
    q: Any,
    k: Any,
    v: Any,
    mask: Any,
    dropped: Any,
    kept: tuple[Any, ...],
    scale: float,
    causal: bool,
    keep: float,
    mask_wanted: bool,
) -> tuple[Any, Any, Any, Any]:
    """The gradients of ``q``, ``k``, ``v`` and an added mask; see the definition."""
    if len(kept) == 2:
        grads = _fused_backward(g, q, k, v, *kept, scale, causal)
        if grads is not None:
            return *grads, None
        _, kept = plain.attention(XP, q, k, v, mask, dropped, scale, causal, keep)
    return plain.attention_backward(XP, g, q, k, v, mask, dropped, kept, scale, causal, keep, mask_wanted)


def heads(x: Any) -> Any:
    """``x`` as (B, H, T, E): groups of heads that share a key are heads of the query; None where that takes a copy."""
    if x.ndim == 3:
        return x[:, None]
    if x.ndim == 4:
        return x
    b, h, group, t, e = x.shape
    sizes, strides = (h, group), x.strides[1:3]
    if 1 not in sizes and strides[0] != group * strides[1]:
        return None
    return x[:, :, 0] if group == 1 else x[:, 0] if h == 1 else x.reshape(b, h * group, t, e)


def fitting(q: Any, k: Any, v: Any) -> bool:
    """Whether the fused kernels take the operands, as far as one can tell without asking."""
    sizes = {x.shape[-1] for x in (q, k, v)}
    return (
        to_dtype(q.dtype).name in ("float16", "bfloat16")
        and q.ndim in (3, 4, 5)
        and q.ndim == k.ndim == v.ndim
        and k.shape == v.shape
        and (q.shape[:-2] == k.shape[:-2] or (q.ndim == 5 and q.shape[:2] == k.shape[:2] and k.shape[2] == 1))
        and len(sizes) == 1
        and q.shape[-1] % 8 == 0
        and q.shape[-1] <= WIDEST
        and bool(q.size and k.size)
    )


def dense(x: Any) -> Any:
    """``x``, copied unless the elements of a head's row lie side by side, and nothing overlaps."""
    if x.strides[-1] == x.itemsize and all(s and s % 16 == 0 for n, s in zip(x.shape[:-1], x.strides, strict=False)):
        return x
    return cupy.ascontiguousarray(x)


def side_by_side(shape: Any, dtype: Any) -> Any:
    """A fresh array (..., H, T, E) that lies in memory as (..., T, H, E)."""
    *lead, h, t, e = shape
    return cupy.empty((*lead, t, h, e), dtype).swapaxes(-3, -2)


def _operands(*arrays: Any) -> Any:
    found = [heads(x) for x in arrays]
    return None if any(x is None for x in found) else [dense(x) for x in found]


def _fused(q: Any, k: Any, v: Any, scale: float, causal: bool) -> Any:
    graphs = cudnn_graph.library() if cudnn_sdp_enabled() and cudnn_graph.enabled() else None
    operands = _operands(q, k, v) if graphs is not None and fitting(q, k, v) else None
    if graphs is None or operands is None:
        return None
    y = side_by_side(operands[0].shape, q.dtype)
    sums = cupy.empty((*y.shape[:-1], 1), "float32")
    if not _run(graphs, "sdpa", [*operands, y, sums], scale, causal):
        return None
    return y.reshape(q.shape), (y, sums)


def _fused_backward(g: Any, q: Any, k: Any, v: Any, y: Any, sums: Any, scale: float, causal: bool) -> Any:
    graphs = cudnn_graph.library()
    operands = _operands(q, k, v)
    if graphs is None or operands is None:
        return None
    grads = [side_by_side(x.shape, x.dtype) for x in operands]
    arrays = [*operands, y, dense(g.reshape(y.shape)), sums, *grads]
    if not _run(graphs, "sdpa_backward", arrays, scale, causal):
        return None
    return [grad.reshape(x.shape) for grad, x in zip(grads, (q, k, v), strict=True)]


def _run(graphs: Graphs, kind: str, arrays: list[Any], scale: float, causal: bool) -> bool:
    name = to_dtype(arrays[0].dtype).name
    shapes = tuple([(x.shape, tuple(steps(x))) for x in arrays])
    key = (kind, name, shapes, float(scale), causal, rules())
    what = f"{kind} of {name} {list(arrays[0].shape)} and {list(arrays[1].shape)}"
    return graphs.run(key, what, functools.partial(describe, key=key), arrays)


def describe(graphs: Graphs, key: Any, **options: Any) -> Any:
    """The graph of attention, or of its backward pass."""
    kind, name, shapes, scale, causal, allowed = key
    graph = graphs.new(name, **options)
    types = graphs.frontend.data_type
    backward = kind == "sdpa_backward"
    inputs = 6 if backward else 3

    def tensor(i: int) -> Any:
        (dim, step), single = shapes[i], backward and i == 5
        more = {"data_type": types.FLOAT} if single else {}
        return graph.tensor(name=f"t{i}", dim=list(dim), stride=list(step), uid=i + 1, **more)

    given = [tensor(i) for i in range(inputs)]
    common = {"attn_scale": scale, "use_causal_mask": causal, "name": kind}
    if backward:
        names = ("q", "k", "v", "o", "dO", "stats")
        outputs = graph.sdpa_backward(
            **dict(zip(names, given, strict=True)), use_deterministic_algorithm=allowed.deterministic, **common
        )
    else:
        outputs = graph.sdpa(q=given[0], k=given[1], v=given[2], generate_stats=True, **common)
    for i, output in enumerate(outputs, inputs):
        dim, step = shapes[i]
        output.set_output(True).set_uid(i + 1).set_dim(list(dim)).set_stride(list(step))
        if not backward and i == 4:
            output.set_data_type(types.FLOAT)
    return graph
