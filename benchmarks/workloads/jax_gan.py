"""DCGAN, in plain ``jax.numpy``."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from .jax_common import Array, Running, Tree, Weights, adam, carried, conv, finished, transposed

NOISE = 100


def generator_params(weights: Weights, width: int, size: int) -> Tree:
    filters = width * size // 8
    layers = [(weights.transposed(NOISE, filters, 4, bias=False), weights.norm(filters))]
    while filters > width:
        layers.append((weights.transposed(filters, filters // 2, 4, bias=False), weights.norm(filters // 2)))
        filters //= 2
    return layers, weights.transposed(width, 3, 4, bias=False)


def generator(params: Tree, running: Running, z: Array) -> Array:
    layers, last = params
    for i, (p, norm) in enumerate(layers):
        z = jax.nn.relu(running.norm(norm, transposed(p, z, 2 if i else 1, 1 if i else 0)))
    return jnp.tanh(transposed(last, z, 2, 1))


def discriminator_params(weights: Weights, width: int, size: int) -> Tree:
    first, layers, filters = weights.conv(3, width, 4, bias=False), [], width
    while filters < width * size // 8:
        layers.append((weights.conv(filters, filters * 2, 4, bias=False), weights.norm(filters * 2)))
        filters *= 2
    return first, layers, weights.conv(filters, 1, 4, bias=False)


def discriminator(params: Tree, running: Running, x: Array) -> Array:
    first, layers, last = params
    x = jax.nn.leaky_relu(conv(first, x, 2, 1), 0.2)
    for p, norm in layers:
        x = jax.nn.leaky_relu(running.norm(norm, conv(p, x, 2, 1)), 0.2)
    return conv(last, x).reshape(-1)


def judge(logits: Array, real: bool) -> Array:
    return jax.nn.softplus(-logits if real else logits).mean()


def dcgan(at: Any, batch: int, width: int, size: int) -> Any:
    weights = Weights(at)
    g, d = generator_params(weights, width, size), discriminator_params(weights, width, size)
    g, d = (jax.tree.map(lambda p: jnp.array(p, jnp.float32), tree) for tree in (g, d))
    z = jnp.asarray(at.normal(batch, NOISE, 1, 1).transpose(0, 2, 3, 1))
    real = jnp.asarray(at.normal(batch, 3, size, size).transpose(0, 2, 3, 1))
    optimizer = adam(2e-4, 0.5)

    def critic(d: Tree, seen: Any, made: Array, real: Array) -> tuple[Array, Any]:
        first = Running(seen, training=True)
        loss = judge(discriminator(d, first, real), real=True)
        second = Running(first.after, training=True)
        return loss + judge(discriminator(d, second, made), real=False), second.after

    def maker(g: Tree, d: Tree, made_seen: Any, seen: Any, z: Array) -> tuple[Array, Any]:
        ours, theirs = Running(made_seen, training=True), Running(seen, training=True)
        loss = judge(discriminator(d, theirs, generator(g, ours, z)), real=True)
        return loss, (ours.after, theirs.after)

    def update(g: Tree, d: Tree, stats: Any, states: Any, z: Array, real: Array) -> tuple[Any, ...]:
        made = generator(g, Running(stats[0], training=True), z)  # once: the compiler sees that `maker` repeats it
        (loss, seen), grads = jax.value_and_grad(critic, has_aux=True)(d, stats[1], made, real)
        d, theirs = optimizer.update(d, grads, states[1])
        (_, stats), grads = jax.value_and_grad(maker, has_aux=True)(g, d, stats[0], seen, z)
        g, ours = optimizer.update(g, grads, states[0])
        return loss, g, d, stats, (ours, theirs)

    stats = tuple(fresh(f, p, x) for f, p, x in ((generator, g, z), (discriminator, d, real)))
    return carried(update, (g, d, stats, (optimizer.init(g), optimizer.init(d))), (z, real))


def fresh(function: Any, params: Tree, x: Array) -> Any:
    """Running statistics to start from."""

    def shapes(params: Tree, x: Array) -> Any:
        running = Running(None, training=False)
        function(params, running, x)
        return running.after

    found = jax.eval_shape(shapes, params, x)
    return [(jnp.zeros(mean.shape), jnp.ones(variance.shape)) for mean, variance in found]


def generate(at: Any, batch: int, width: int, size: int) -> Any:
    params = jax.tree.map(lambda p: jnp.array(p, jnp.float32), generator_params(Weights(at), width, size))
    z = jnp.asarray(at.normal(batch, NOISE, 1, 1).transpose(0, 2, 3, 1))
    stats = fresh(generator, params, z)
    return finished(lambda p, s, z: generator(p, Running(s, training=False), z), params, stats, z)
