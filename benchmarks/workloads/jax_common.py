"""Layers, losses, optimizers and steps in plain ``jax.numpy``, for the JAX versions of the workloads.

Images are (N, H, W, C), which is what XLA's convolutions on the CPU are made for. Parameters are drawn in PyTorch's
shapes and order, and then laid out as JAX's programs have them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

Tree = Any
Array = Any


class Weights:
    """Draws parameters, as `Setting.placed` does for PyTorch's modules."""

    def __init__(self, at: Any) -> None:
        self.draw = at.weight

    def linear(self, inputs: int, outputs: int, *, bias: bool = True) -> Tree:
        found = {"w": self.draw(outputs, inputs).T}
        return {**found, "b": jnp.zeros(outputs)} if bias else found

    def embedding(self, count: int, width: int) -> Array:
        return self.draw(count, width)

    def conv(self, inputs: int, outputs: int, size: int, *, bias: bool = True) -> Tree:
        found = {"w": self.draw(outputs, inputs, size, size).transpose(2, 3, 1, 0)}
        return {**found, "b": jnp.zeros(outputs)} if bias else found

    def transposed(self, inputs: int, outputs: int, size: int, *, bias: bool = True) -> Tree:
        found = {"w": self.draw(inputs, outputs, size, size).transpose(2, 3, 0, 1)[::-1, ::-1]}
        return {**found, "b": jnp.zeros(outputs)} if bias else found

    def norm(self, width: int) -> Tree:
        return {"w": jnp.ones(width), "b": jnp.zeros(width)}


class Running:
    """The running statistics of batch norms, in the order in which the model has them."""

    def __init__(self, before: list[Any] | None, *, training: bool) -> None:
        self.before = iter(before or [])
        self.after: list[Any] = []
        self.training = training

    def norm(self, p: Tree, x: Array) -> Array:
        """Batch norm over all but the last dimension."""
        mean, variance = next(self.before, (jnp.zeros(x.shape[-1]), jnp.ones(x.shape[-1])))
        if self.training:
            axes, count = tuple(range(x.ndim - 1)), x.size // x.shape[-1]
            batch_mean, batch_variance = x.mean(axes), x.var(axes)
            after = 0.9 * mean + 0.1 * batch_mean, 0.9 * variance + 0.1 * batch_variance * count / (count - 1)
            mean, variance = batch_mean, batch_variance
        else:
            after = mean, variance
        self.after.append(after)
        return (x - mean) * (lax.rsqrt(variance + 1e-5) * p["w"]) + p["b"]


def linear(p: Tree, x: Array) -> Array:
    y = x @ p["w"]
    return y + p["b"] if "b" in p else y


def conv(p: Tree, x: Array, stride: int = 1, padding: int = 0) -> Array:
    y = lax.conv_general_dilated(
        x, p["w"], (stride, stride), [(padding, padding)] * 2, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    return y + p["b"] if "b" in p else y


def transposed(p: Tree, x: Array, stride: int = 1, padding: int = 0) -> Array:
    edge = p["w"].shape[0] - 1 - padding
    y = lax.conv_general_dilated(
        x,
        p["w"],
        (1, 1),
        [(edge, edge)] * 2,
        lhs_dilation=(stride, stride),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    return y + p["b"] if "b" in p else y


def max_pool(x: Array, size: int = 2) -> Array:
    window = (1, size, size, 1)
    return lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")


def layer_norm(p: Tree, x: Array, eps: float = 1e-5) -> Array:
    mean = x.mean(-1, keepdims=True)
    variance = x.var(-1, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + eps) * p["w"] + p["b"]


def attention(q: Array, k: Array, v: Array, *, causal: bool) -> Array:
    """Of (N, T, heads, width)."""
    return jax.nn.dot_product_attention(q, k, v, is_causal=causal)


def cross_entropy(logits: Array, targets: Array) -> Array:
    """The mean over all places; classes come last."""
    chances = jax.nn.log_softmax(logits)
    return -jnp.take_along_axis(chances, targets[..., None], -1).mean()


class Optimizer(NamedTuple):
    """Makes its state of the parameters, and updates both with gradients."""

    init: Callable[[Tree], Tree]
    update: Callable[[Tree, Tree, Tree], tuple[Tree, Tree]]


def sgd(lr: float, momentum: float = 0.0) -> Optimizer:
    def init(params: Tree) -> Tree:
        return jax.tree.map(jnp.zeros_like, params) if momentum else ()

    def update(params: Tree, grads: Tree, state: Tree) -> tuple[Tree, Tree]:
        if momentum:
            grads = state = jax.tree.map(lambda m, g: momentum * m + g, state, grads)
        return jax.tree.map(lambda p, g: p - lr * g, params, grads), state

    return Optimizer(init, update)


def adam(lr: float, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8, decay: float = 0.0) -> Optimizer:
    def init(params: Tree) -> Tree:
        zeros = jax.tree.map(jnp.zeros_like, params)
        return zeros, jax.tree.map(jnp.zeros_like, params), jnp.zeros((), jnp.int32)

    def update(params: Tree, grads: Tree, state: Tree) -> tuple[Tree, Tree]:
        m, v, count = state
        count = count + 1
        m = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, m, grads)
        v = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, v, grads)
        size, root = lr / (1 - b1**count), jnp.sqrt(1 - b2**count)
        params = jax.tree.map(
            lambda p, m, v: p * (1 - lr * decay) - size * m / (jnp.sqrt(v) / root + eps), params, m, v
        )
        return params, (m, v, count)

    return Optimizer(init, update)


class Parts(NamedTuple):
    """A model and a batch for it.

    Attributes:
        params: a tree of arrays.
        apply: ``apply(params, running, x)`` returns logits, with the classes last.
        batch: inputs and targets.
        optimizer: for the training step.
    """

    params: Tree
    apply: Callable[[Tree, Running, Array], Array]
    batch: tuple[Any, Any]
    optimizer: Optimizer


def training(parts: Parts) -> Callable[[], Any]:
    """A compiled step: forward, loss, backward, optimizer. It takes over the memory of what it replaces."""

    def loss_of(params: Tree, stats: Any, x: Array, y: Array) -> tuple[Array, Any]:
        running = Running(stats, training=True)
        return cross_entropy(parts.apply(params, running, x), y), running.after

    def update(params: Tree, stats: Any, state: Tree, x: Array, y: Array) -> tuple[Any, ...]:
        (loss, stats), grads = jax.value_and_grad(loss_of, has_aux=True)(params, stats, x, y)
        params, state = parts.optimizer.update(params, grads, state)
        return loss, params, stats, state

    x, y = (jnp.asarray(array) for array in parts.batch)
    params = jax.tree.map(lambda p: jnp.array(p, jnp.float32), parts.params)
    stats = first_stats(parts, params, x)
    return carried(update, (params, stats, parts.optimizer.init(params)), (x, y))


def carried(update: Callable[..., Any], state: tuple[Any, ...], data: tuple[Any, ...]) -> Callable[[], Any]:
    """A step of ``update(*state, *data)``, which returns a loss and the next state."""
    compiled = jax.jit(update, donate_argnums=tuple(range(len(state))))
    now = [state]

    def step() -> Any:
        loss, *after = compiled(*now[0], *data)
        now[0] = tuple(after)
        return loss

    return step


def first_stats(parts: Parts, params: Tree, x: Array) -> Any:
    """The running statistics that a model starts from."""

    def shapes(params: Tree, x: Array) -> Any:
        running = Running(None, training=False)
        parts.apply(params, running, x)
        return running.after

    found = jax.eval_shape(shapes, params, x)
    return [(jnp.zeros(mean.shape), jnp.ones(variance.shape)) for mean, variance in found]


def inference(parts: Parts) -> Callable[[], Any]:
    """A compiled forward pass, each waited for."""
    x = jnp.asarray(parts.batch[0])
    params = jax.tree.map(lambda p: jnp.array(p, jnp.float32), parts.params)
    stats = first_stats(parts, params, x)
    return finished(lambda p, s, x: parts.apply(p, Running(s, training=False), x), params, stats, x)


def finished(function: Callable[..., Any], *args: Any) -> Callable[[], Any]:
    """A compiled call whose result is waited for: calls that do not depend on each other would run at once."""
    compiled = jax.jit(function)
    return lambda: jax.block_until_ready(compiled(*args))
