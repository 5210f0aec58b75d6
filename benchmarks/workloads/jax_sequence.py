"""Recurrent networks and GPT, in plain ``jax.numpy``."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from .jax_common import Array, Parts, Running, Tree, Weights, adam, attention, inference, layer_norm, linear, training


def sequences(at: Any, batch: int, length: int, vocabulary: int) -> tuple[Any, Any]:
    tokens = at.integers(vocabulary, batch, length + 1)
    return tokens[:, :-1], tokens[:, 1:]


def recurrent_params(at: Any, width: int, gates: int) -> Tree:
    weights = Weights(at)
    return {
        "embedding": weights.embedding(65, width),
        "in": weights.linear(width, gates * width),
        "hidden": weights.linear(width, gates * width),
        "head": weights.linear(width, 65),
    }


def lstm_parts(at: Any, batch: int, length: int, width: int) -> Parts:
    def cell(params: Tree, state: tuple[Array, Array], inputs: Array) -> tuple[tuple[Array, Array], Array]:
        h, c = state
        i, f, g, o = jnp.split(inputs + linear(params["hidden"], h), 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    def apply(params: Tree, running: Running, x: Array) -> Array:
        inputs = linear(params["in"], params["embedding"][x]).swapaxes(0, 1)  # all steps in one product
        zero = jnp.zeros((x.shape[0], width))
        _, outputs = lax.scan(lambda state, inputs: cell(params, state, inputs), (zero, zero), inputs)
        return linear(params["head"], outputs.swapaxes(0, 1))

    return Parts(recurrent_params(at, width, 4), apply, sequences(at, batch, length, 65), adam(1e-3))


def char_lstm(at: Any, **sizes: int) -> Any:
    return training(lstm_parts(at, **sizes))


def char_lstm_inference(at: Any, **sizes: int) -> Any:
    return inference(lstm_parts(at, **sizes))


def gru_parts(at: Any, batch: int, length: int, width: int) -> Parts:
    def cell(params: Tree, h: Array, inputs: Array) -> tuple[Array, Array]:
        r, z, n = jnp.split(inputs, 3, axis=-1)
        hr, hz, hn = jnp.split(linear(params["hidden"], h), 3, axis=-1)
        z = jax.nn.sigmoid(z + hz)
        n = jnp.tanh(n + jax.nn.sigmoid(r + hr) * hn)
        h = (1 - z) * n + z * h
        return h, h

    def apply(params: Tree, running: Running, x: Array) -> Array:
        inputs = linear(params["in"], params["embedding"][x]).swapaxes(0, 1)
        zero = jnp.zeros((x.shape[0], width))
        _, outputs = lax.scan(lambda h, inputs: cell(params, h, inputs), zero, inputs)
        return linear(params["head"], outputs.swapaxes(0, 1))

    return Parts(recurrent_params(at, width, 3), apply, sequences(at, batch, length, 65), adam(1e-3))


def char_gru(at: Any, **sizes: int) -> Any:
    return training(gru_parts(at, **sizes))


def char_gru_inference(at: Any, **sizes: int) -> Any:
    return inference(gru_parts(at, **sizes))


def block_params(weights: Weights, width: int) -> Tree:
    return {
        "ln1": weights.norm(width),
        "qkv": weights.linear(width, 3 * width),
        "out": weights.linear(width, width),
        "ln2": weights.norm(width),
        "up": weights.linear(width, 4 * width),
        "down": weights.linear(4 * width, width),
    }


def block(p: Tree, x: Array, heads: int) -> Array:
    n, t, width = x.shape
    qkv = linear(p["qkv"], layer_norm(p["ln1"], x)).reshape(n, t, 3, heads, width // heads)
    y = attention(qkv[:, :, 0], qkv[:, :, 1], qkv[:, :, 2], causal=True)
    x = x + linear(p["out"], y.reshape(n, t, width))
    return x + linear(p["down"], jax.nn.gelu(linear(p["up"], layer_norm(p["ln2"], x))))


def gpt_parts(at: Any, batch: int, length: int, depth: int, heads: int, width: int, vocabulary: int) -> Parts:
    weights = Weights(at)
    params = {
        "tokens": weights.embedding(vocabulary, width),  # the last layer's weight, too
        "positions": weights.embedding(length, width),
        "blocks": [block_params(weights, width) for _ in range(depth)],
        "ln": weights.norm(width),
    }

    def apply(params: Tree, running: Running, tokens: Array) -> Array:
        x = params["tokens"][tokens] + params["positions"][: tokens.shape[1]]
        for p in params["blocks"]:
            x = block(p, x, heads)
        return layer_norm(params["ln"], x) @ params["tokens"].T

    return Parts(params, apply, sequences(at, batch, length, vocabulary), adam(1e-3, decay=0.01))


def gpt(at: Any, **sizes: int) -> Any:
    return training(gpt_parts(at, **sizes))


def gpt_inference(at: Any, **sizes: int) -> Any:
    return inference(gpt_parts(at, **sizes))
