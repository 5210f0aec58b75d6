"""Tensors without a model, and an optimizer's step, in plain ``jax.numpy``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from .jax_common import Array, Running, Tree, Weights, carried, cross_entropy, finished
from .jax_common import adam as adam_of
from .jax_vision import mlp, mlp_params


def both(function: Callable[[Array], Array], x: Any) -> Callable[[], Any]:
    """A function of one number and its gradient; returns the number when both are there."""
    call = finished(jax.value_and_grad(function), jnp.asarray(x))
    return lambda: call()[0]


def chain(at: Any, length: int) -> Any:
    w = jnp.ones(8) * 0.999

    def forward(x: Array) -> Array:
        h = x
        for _ in range(length):
            h = h * w + x
        return h.sum()

    return both(forward, jnp.ones(8))


def elementwise(at: Any, size: int) -> Any:
    return both(lambda x: (jnp.exp(jnp.tanh(x)) / (1 + jax.nn.sigmoid(x))).sum(), at.normal(size))


def reductions(at: Any, shape: tuple[int, int], dim: int) -> Any:
    return both(
        lambda x: (x.sum(dim) + x.mean(dim) + x.max(dim) + x.var(dim, ddof=1)).sum(),
        at.normal(*shape),
    )


def hessian_vector(at: Any, batch: int) -> Any:
    """Forward over reverse, which is how JAX's documentation does it."""
    x, y = at.normal(batch, 64), at.integers(10, batch)
    params = jax.tree.map(jnp.asarray, mlp_params(Weights(at), 64, 64, 64, 10))
    vector = [{"w": jnp.asarray(at.normal(*p["w"].shape[::-1]).T), "b": at.normal(*p["b"].shape)} for p in params]

    def loss_of(params: Tree, x: Array, y: Array) -> Array:
        return cross_entropy(mlp(params, Running(None, training=True), x), y)

    def product(params: Tree, vector: Tree, x: Array, y: Array) -> Tree:
        return jax.jvp(jax.grad(lambda p: loss_of(p, x, y)), (params,), (vector,))[1]

    call = finished(product, params, vector, jnp.asarray(x), jnp.asarray(y))
    return lambda: call()[0]["w"]


def adam(at: Any, count: int, size: int) -> Any:
    params = [jnp.asarray(at.normal(size)) for _ in range(count)]
    grads = [jnp.asarray(at.normal(size)) for _ in range(count)]
    optimizer = adam_of(1e-3)

    def update(params: Tree, state: Tree, grads: Tree) -> tuple[Any, ...]:
        params, state = optimizer.update(params, grads, state)
        return (params[0] * params[0]).mean(), params, state  # what `agreed` makes of PyTorch's first parameter

    return carried(update, (params, optimizer.init(params)), (grads,))
