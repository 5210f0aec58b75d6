"""Layers and losses by themselves, in plain ``jax.numpy``, forward and backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from . import jax_common as common
from .jax_common import Array, finished


def both_ways(at: Any, function: Callable[..., Array], *leaves: Any, layout: Any = None) -> Callable[[], Any]:
    """``function(*leaves)`` and its gradients, for some gradient of its own; returns the first leaf's.

    ``layout`` takes PyTorch's numbers for that to where this version has them.
    """

    def compute(g: Array, *leaves: Array) -> tuple[Array, tuple[Array, ...]]:
        y, backward = jax.vjp(function, *leaves)
        return y, backward(g)

    arrays = [jnp.asarray(leaf) for leaf in leaves]
    shape = jax.eval_shape(function, *arrays).shape
    g = at.normal(*shape) if layout is None else layout(at)
    call = finished(compute, jnp.asarray(g), *arrays)
    return lambda: call()[1][0]


def one(function: Callable[[Array], Array]) -> Callable[..., Any]:
    """A workload of a function of one array."""
    return lambda at, shape: both_ways(at, function, at.normal(*shape))


def normalised(x: Array, axes: tuple[int, ...]) -> Array:
    return (x - x.mean(axes, keepdims=True)) * jax.lax.rsqrt(x.var(axes, keepdims=True) + 1e-5)


def groups(x: Array) -> Array:
    n, c, h, w = x.shape
    return normalised(x.reshape(n, 8, c // 8, h, w), (2, 3, 4)).reshape(x.shape)


softmax_rows = one(lambda x: jax.nn.softmax(x, 1))
softmax_columns = one(lambda x: jax.nn.softmax(x, 0))
layer_norm = one(lambda x: normalised(x, (1,)))
group_norm = one(groups)
gelu = one(lambda x: jax.nn.gelu(x, approximate=False))
silu = one(jax.nn.silu)
cumsum = one(lambda x: jnp.cumsum(x, 1))


def dropout(at: Any, shape: tuple[int, int]) -> Any:
    x, key = at.normal(*shape), jax.random.key(0)

    def drop(x: Array, key: Any) -> tuple[Array, Array, Any]:
        key, now = jax.random.split(key)
        mask = jax.random.bernoulli(now, 0.9, x.shape)
        y, backward = jax.vjp(lambda x: jnp.where(mask, x / 0.9, 0), x)
        return y, backward(jnp.ones_like(y))[0], key

    call = finished(drop, jnp.asarray(x), key)
    return lambda: call()[1]


def cross_entropy(at: Any, shape: tuple[int, int]) -> Any:
    x, target = at.normal(*shape), jnp.asarray(at.integers(shape[1], shape[0]))
    return both_ways(at, lambda x: common.cross_entropy(x, target), x)


def batch_norm(at: Any, shape: tuple[int, ...], last: bool) -> Any:
    axes = (0, 1, 2) if last else (0, 2, 3)
    x = at.normal(*shape).transpose(0, 2, 3, 1) if last else at.normal(*shape)
    weights = jnp.ones(shape[1]), jnp.zeros(shape[1])
    wide = (-1,) if last else (1, -1, 1, 1)
    return both_ways(
        at,
        lambda x, w, b: normalised(x, axes) * w.reshape(wide) + b.reshape(wide),
        x,
        *weights,
        layout=lambda at: at.normal(*shape).transpose(0, 2, 3, 1) if last else at.normal(*shape),
    )


def batch_norm_contiguous_format(at: Any, shape: tuple[int, ...]) -> Any:
    return batch_norm(at, shape, last=False)


def batch_norm_channels_last(at: Any, shape: tuple[int, ...]) -> Any:
    return batch_norm(at, shape, last=True)


def attention(at: Any, shape: tuple[int, ...]) -> Any:
    leaves = [at.normal(*shape).transpose(0, 2, 1, 3).copy() for _ in range(3)]  # (N, T, heads, width)
    return both_ways(
        at,
        lambda q, k, v: common.attention(q, k, v, causal=True),
        *leaves,
        layout=lambda at: at.normal(*shape).transpose(0, 2, 1, 3).copy(),
    )


def embedding(at: Any, rows: int, width: int, shape: tuple[int, int]) -> Any:
    table = at.normal(rows, width)
    index = jnp.asarray(at.integers(rows, *shape))
    return both_ways(at, lambda table: table[index], table)


def randn(at: Any, size: int) -> Any:
    return finished(lambda key: jax.random.normal(key, (size,)), jax.random.key(0))


def randperm(at: Any, size: int) -> Any:
    return finished(lambda key: jax.random.permutation(key, size), jax.random.key(0))
