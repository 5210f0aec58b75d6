"""Scaled dot-product attention."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.dtypes import float32
from ...backends.errors import ArgumentError, DTypeError, ShapeError
from ..base import TensorBase
from ..primitive import Primitive, apply
from .cast import cast
from .exponential import exp_rule
from .product import bmm_rule
from .random import draw
from .reduction import sum_rule
from .select import where_rule
from .shape import reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


class Attention(Primitive):
    """``softmax(scale q k' + mask) v``; ``dropped`` says which probabilities are kept."""

    torch_name = "ScaledDotProductFlashAttentionForCpu"

    kernels = ("attention", "attention_backward")

    @staticmethod
    def formula(q: Any, k: Any, v: Any, mask: Any, dropped: Any, *, scale: float, causal: bool, keep: float) -> Any:
        dtype = getattr(q.dtype, "dtype", q.dtype)
        if q.dtype.itemsize == 2:
            q, k, v = (cast(t, float32.dtype) for t in (q, k, v))
        scores = bmm_rule(q * scale, k, False, True)
        data = scores._data if isinstance(scores, TensorBase) else scores
        kernels, last = kernels_of[type(data)], data.ndim - 1
        if causal:
            scores = where_rule(kernels.causal_mask(*data.shape[-2:]), scores, -math.inf)
        if mask is not None:
            scores = where_rule(mask, scores, -math.inf) if _is_bool(mask) else scores + mask
        data = scores._data if isinstance(scores, TensorBase) else scores
        top = kernels.max(data, axis=-1, keepdims=True) if data.shape[-1] else 0.0
        exps = exp_rule(scores - kernels.where(top == -math.inf, kernels.asarray(0, dtype=data.dtype), top))
        sums = sum_rule(exps, (last,), True)
        p = exps / where_rule(sums == 0, 1.0, sums)
        if dropped is not None:
            p = p * dropped * (1 / keep)
        y = bmm_rule(p, v)
        return y if y.dtype == dtype else cast(y, dtype)

    @staticmethod
    def forward(
        ctx: Any, q: Any, k: Any, v: Any, mask: Any, dropped: Any, *, scale: float, causal: bool, keep: float
    ) -> Any:
        ctx.save(q, k, v, mask, dropped)
        y, kept = ctx.k.attention(q, k, v, mask, dropped, scale, causal, keep)
        ctx.cache(*kept)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        gq, gk, gv, gm = ctx.k.attention_backward(g, *ctx.saved, ctx.cached, **ctx.params, mask_wanted=ctx.needs[3])
        return gq, gk, gv, gm, None


def _is_bool(mask: Any) -> bool:
    return (mask._data if isinstance(mask, TensorBase) else mask).dtype.kind == "b"


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """``softmax(scale * query @ key' + attn_mask) @ value``: each query's mean of the values, by how well keys match.

    Args:
        query: (..., L, E).
        key: (..., S, E).
        value: (..., S, Ev).
        attn_mask: broadcasts to (..., L, S); bool (True takes part) or a number that is added to the score.
        dropout_p: probability with which each weight is zeroed.
        is_causal: a query sees the keys up to its own place only; not together with ``attn_mask``.
        scale: ``1 / sqrt(E)`` unless told.
        enable_gqa: key and value may have fewer heads (dimension -3) than the query; each serves a group of them.

    Returns:
        (..., L, Ev). A query that sees no key gets zeros.

    Raises:
        RuntimeError: shapes, dtypes or the two masks do not fit together.

    References:
        A. Vaswani et al., "Attention is all you need", arXiv:1706.03762.
        J. Ainslie et al., "GQA: training generalized multi-query transformer models", arXiv:2305.13245.
    """
    op = "scaled_dot_product_attention"
    q, k, v = _arrays(op, query, key, value)
    if is_causal and attn_mask is not None:
        raise ShapeError(f"{op}: Explicit attn_mask should not be set when is_causal=True")
    grouped = enable_gqa and q.ndim >= 3 and k.shape[-3] != q.shape[-3]
    values: list[Any] = [query, key, value]
    if grouped:
        values, attn_mask = _by_group(op, values, attn_mask)
    mask = None
    if attn_mask is not None:
        kind = attn_mask._data.dtype
        if not _is_bool(attn_mask) and kind != q.dtype:
            if kind.name != "float32":
                raise DTypeError(
                    f"{op}: Expected attn_mask dtype to be bool or float or to match query dtype, but got "
                    f"attn_mask.dtype: {kind.name} and query.dtype: {q.dtype.name} instead."
                )
            attn_mask = cast(attn_mask, q.dtype)
        mask = attn_mask
    dropped = None
    if dropout_p:
        if not 0 < dropout_p <= 1:
            raise ArgumentError(f"{op}: dropout probability has to be between 0 and 1, but got {dropout_p}")
        a, b = values[0]._data.shape, values[1]._data.shape
        dropped = draw("random_bernoulli", None, query.device, (*_lead(a, b), a[-2], b[-2]), "bool", 1 - dropout_p)
    factor = 1 / math.sqrt(q.shape[-1] or 1) if scale is None else scale
    keep = (1 - dropout_p) or 1.0
    try:
        y = apply(Attention, *values, mask, dropped, scale=factor, causal=is_causal, keep=keep)
    except ValueError as error:
        raise ShapeError(
            f"{op}: shapes do not fit: query {list(q.shape)}, key {list(k.shape)}, value {list(v.shape)}, mask "
            f"{None if attn_mask is None else list(attn_mask._data.shape)}; leading dimensions broadcast"
        ) from error
    return reshape_rule(y, (*q.shape[:-1], v.shape[-1])) if grouped else y


def _arrays(op: str, query: Any, key: Any, value: Any) -> tuple[Any, Any, Any]:
    for name, t in (("query", query), ("key", key), ("value", value)):
        if not isinstance(t, TensorBase):
            raise TypeError(f"{op}(): argument '{name}' must be Tensor, not {type(t).__name__}")
    q, k, v = query._data, key._data, value._data
    if not q.dtype == k.dtype == v.dtype or q.dtype.kind not in "fV":
        raise DTypeError(
            f"{op}: Expected query, key, and value to have the same floating dtype, but got {q.dtype.name}, "
            f"{k.dtype.name} and {v.dtype.name}"
        )
    if min(q.ndim, k.ndim, v.ndim) < 2:
        raise ShapeError(
            f"{op}: Expected query, key, and value to all be at least 2 dimensional, but got query.dim: {q.ndim} "
            f"key.dim: {k.ndim} and value.dim: {v.ndim} instead."
        )
    if q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2]:
        raise ShapeError(
            f"{op}: query (..., L, E), key (..., S, E) and value (..., S, Ev) do not fit, so that their matrices "
            "(mat1 and mat2 shapes) cannot be multiplied: their shapes are "
            f"{list(q.shape)}, {list(k.shape)} and {list(v.shape)}"
        )
    return q, k, v


def _lead(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    """The broadcast leading dimensions of queries and keys."""
    n = max(len(a), len(b)) - 2
    return tuple(max(s) for s in zip(*[(1,) * (n - len(s) + 2) + s[:-2] for s in (a, b)], strict=True))


def _by_group(op: str, values: list[Any], mask: Any) -> tuple[list[Any], Any]:
    """Query heads as (heads of the key, group), so that each key's head broadcasts over its group."""
    query, key, value = values
    q, heads = query._data.shape, key._data.shape[-3]
    if q[-3] % heads or value._data.shape[-3] != heads:
        raise ShapeError(
            f"{op}: Number of heads in key and value must divide the number of heads in query, got {q[-3]} in the "
            f"query, {heads} in the key and {value._data.shape[-3]} in the value"
        )
    group = q[-3] // heads
    out = [reshape_rule(query, (*q[:-3], heads, group, *q[-2:]))]
    out += [reshape_rule(t, (*t._data.shape[:-2], 1, *t._data.shape[-2:])) for t in (key, value)]
    if mask is not None and mask._data.ndim > 2:
        m = mask._data.shape
        split = (heads, group) if m[-3] == q[-3] else (1, 1)
        mask = reshape_rule(mask, (*m[:-3], *split, *m[-2:]))
    return out, mask
