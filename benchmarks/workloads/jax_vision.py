"""The multilayer perceptrons and models of images, in plain ``jax.numpy``."""

from __future__ import annotations

import itertools
from typing import Any

import jax
import jax.numpy as jnp

from .jax_common import (
    Array,
    Parts,
    Running,
    Tree,
    Weights,
    adam,
    attention,
    conv,
    inference,
    layer_norm,
    linear,
    max_pool,
    sgd,
    training,
    transposed,
)


def images(at: Any, batch: int, channels: int, size: int, classes: int = 10) -> tuple[Any, Any]:
    x, y = at.normal(batch, channels, size, size), at.integers(classes, batch)
    return x.transpose(0, 2, 3, 1), y


def mlp_params(weights: Weights, *widths: int) -> Tree:
    return [weights.linear(d, e) for d, e in itertools.pairwise(widths)]


def mlp(params: Tree, running: Running, x: Array) -> Array:
    for p in params[:-1]:
        x = jax.nn.relu(linear(p, x))
    return linear(params[-1], x)


def small_mlp(at: Any, batch: int) -> Any:
    data = at.normal(batch, 64), at.integers(10, batch)
    return training(Parts(mlp_params(Weights(at), 64, 64, 64, 10), mlp, data, sgd(0.01)))


def large(at: Any, batch: int, width: int) -> Parts:
    data = at.normal(batch, 784), at.integers(10, batch)
    return Parts(mlp_params(Weights(at), 784, width, width, 10), mlp, data, adam(1e-3))


def large_mlp(at: Any, **sizes: int) -> Any:
    return training(large(at, **sizes))


def large_mlp_inference(at: Any, **sizes: int) -> Any:
    return inference(large(at, **sizes))


def lenet_parts(at: Any, batch: int) -> Parts:
    weights = Weights(at)
    convs = [weights.conv(1, 6, 5), weights.conv(6, 16, 5)]
    linears = mlp_params(weights, 400, 120, 84, 10)
    w = linears[0]["w"]  # its rows are in the order of (C, H, W)
    linears[0]["w"] = w.reshape(16, 5, 5, 120).transpose(1, 2, 0, 3).reshape(400, 120)

    def apply(params: Tree, running: Running, x: Array) -> Array:
        convs, linears = params
        x = max_pool(jax.nn.relu(conv(convs[0], x, padding=2)))
        x = max_pool(jax.nn.relu(conv(convs[1], x)))
        return mlp(linears, running, x.reshape(x.shape[0], -1))

    return Parts((convs, linears), apply, images(at, batch, 1, 28), sgd(0.01))


def lenet(at: Any, **sizes: int) -> Any:
    return training(lenet_parts(at, **sizes))


def lenet_inference(at: Any, **sizes: int) -> Any:
    return inference(lenet_parts(at, **sizes))


def block_params(weights: Weights, inputs: int, width: int, stride: int) -> Tree:
    found = {
        "conv1": weights.conv(inputs, width, 3, bias=False),
        "bn1": weights.norm(width),
        "conv2": weights.conv(width, width, 3, bias=False),
        "bn2": weights.norm(width),
    }
    if stride != 1 or inputs != width:
        found["short"] = weights.conv(inputs, width, 1, bias=False)
        found["norm"] = weights.norm(width)
    return found


def block(p: Tree, running: Running, x: Array, stride: int) -> Array:
    y = jax.nn.relu(running.norm(p["bn1"], conv(p["conv1"], x, stride, 1)))
    y = running.norm(p["bn2"], conv(p["conv2"], y, 1, 1))
    if "short" in p:
        x = running.norm(p["norm"], conv(p["short"], x, stride))
    return jax.nn.relu(x + y)


STAGES = (  # channels before and after, stride
    *((64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1)),
    *((128, 256, 2), (256, 256, 1), (256, 512, 2), (512, 512, 1)),
)


def resnet18_parts(at: Any, batch: int, size: int) -> Parts:
    weights = Weights(at)
    params = {
        "conv1": weights.conv(3, 64, 3, bias=False),
        "bn1": weights.norm(64),
        "blocks": [block_params(weights, *stage) for stage in STAGES],
        "fc": weights.linear(512, 10),
    }

    def apply(params: Tree, running: Running, x: Array) -> Array:
        x = jax.nn.relu(running.norm(params["bn1"], conv(params["conv1"], x, 1, 1)))
        for p, (_, _, stride) in zip(params["blocks"], STAGES, strict=True):
            x = block(p, running, x, stride)
        return linear(params["fc"], x.mean((1, 2)))

    return Parts(params, apply, images(at, batch, 3, size), sgd(0.01, 0.9))


def resnet18(at: Any, **sizes: int) -> Any:
    return training(resnet18_parts(at, **sizes))


def resnet18_inference(at: Any, **sizes: int) -> Any:
    return inference(resnet18_parts(at, **sizes))


VGG = (64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0)  # filters; 0 is a pooling


def vgg11_parts(at: Any, batch: int, hidden: int) -> Parts:
    weights = Weights(at)
    filters = [3, *filter(None, VGG)]
    convs = [weights.conv(c, k, 3) for c, k in itertools.pairwise(filters)]
    params = convs, mlp_params(weights, 512, hidden, hidden, 10)

    def apply(params: Tree, running: Running, x: Array) -> Array:
        convs = iter(params[0])
        for count in VGG:
            x = jax.nn.relu(conv(next(convs), x, 1, 1)) if count else max_pool(x)
        return mlp(params[1], running, x.reshape(x.shape[0], -1))

    return Parts(params, apply, images(at, batch, 3, 32), sgd(0.01, 0.9))


def vgg11(at: Any, **sizes: int) -> Any:
    return training(vgg11_parts(at, **sizes))


def vgg11_inference(at: Any, **sizes: int) -> Any:
    return inference(vgg11_parts(at, **sizes))


def encoder_params(weights: Weights, width: int) -> Tree:
    return {
        "ln1": weights.norm(width),
        "in": weights.linear(width, 3 * width),
        "out": weights.linear(width, width),
        "ln2": weights.norm(width),
        "up": weights.linear(width, 4 * width),
        "down": weights.linear(4 * width, width),
    }


def encoder(p: Tree, x: Array, heads: int) -> Array:
    n, t, width = x.shape
    qkv = linear(p["in"], layer_norm(p["ln1"], x, 1e-6)).reshape(n, t, 3, heads, width // heads)
    y = attention(qkv[:, :, 0], qkv[:, :, 1], qkv[:, :, 2], causal=False)
    x = x + linear(p["out"], y.reshape(n, t, width))
    return x + linear(p["down"], jax.nn.gelu(linear(p["up"], layer_norm(p["ln2"], x, 1e-6)), approximate=False))


def vit_parts(at: Any, batch: int, size: int, depth: int, heads: int, width: int) -> Parts:
    weights = Weights(at)
    params = {
        "class": at.weight(1, 1, width),
        "patches": weights.conv(3, width, 4),
        "positions": at.weight(1, (size // 4) ** 2 + 1, width),
        "blocks": [encoder_params(weights, width) for _ in range(depth)],
        "ln": weights.norm(width),
        "head": weights.linear(width, 10),
    }

    def apply(params: Tree, running: Running, x: Array) -> Array:
        x = conv(params["patches"], x, stride=4).reshape(x.shape[0], -1, width)
        start = jnp.broadcast_to(params["class"], (x.shape[0], 1, width))
        x = jnp.concatenate([start, x], 1) + params["positions"]
        for p in params["blocks"]:
            x = encoder(p, x, heads)
        return linear(params["head"], layer_norm(params["ln"], x, 1e-6)[:, 0])

    return Parts(params, apply, images(at, batch, 3, size), adam(1e-3, decay=0.01))


def vit(at: Any, **sizes: int) -> Any:
    return training(vit_parts(at, **sizes))


def vit_inference(at: Any, **sizes: int) -> Any:
    return inference(vit_parts(at, **sizes))


def double_params(weights: Weights, inputs: int, outputs: int) -> Tree:
    return [
        weights.conv(inputs, outputs, 3, bias=False),
        weights.norm(outputs),
        weights.conv(outputs, outputs, 3, bias=False),
        weights.norm(outputs),
    ]


def double(p: Tree, running: Running, x: Array) -> Array:
    x = jax.nn.relu(running.norm(p[1], conv(p[0], x, 1, 1)))
    return jax.nn.relu(running.norm(p[3], conv(p[2], x, 1, 1)))


def unet_parts(at: Any, batch: int, size: int, width: int, depth: int) -> Parts:
    weights = Weights(at)
    sizes = [width * 2**level for level in range(depth + 1)]
    above = list(zip(sizes[:0:-1], sizes[-2::-1], strict=True))
    params = {
        "start": double_params(weights, 3, width),
        "down": [double_params(weights, a, b) for a, b in itertools.pairwise(sizes)],
        "up": [weights.transposed(a, b, 2) for a, b in above],
        "merge": [double_params(weights, a, b) for a, b in above],
        "head": weights.conv(width, 2, 1),
    }

    def apply(params: Tree, running: Running, x: Array) -> Array:
        levels = [double(params["start"], running, x)]
        for p in params["down"]:
            levels.append(double(p, running, max_pool(levels[-1])))
        y = levels.pop()
        for up, merge in zip(params["up"], params["merge"], strict=True):
            y = double(merge, running, jnp.concatenate([levels.pop(), transposed(up, y, 2)], -1))
        return conv(params["head"], y)

    x, y = at.normal(batch, 3, size, size).transpose(0, 2, 3, 1), at.integers(2, batch, size, size)
    return Parts(params, apply, (x, y), adam(1e-3))


def unet(at: Any, **sizes: int) -> Any:
    return training(unet_parts(at, **sizes))


def unet_inference(at: Any, **sizes: int) -> Any:
    return inference(unet_parts(at, **sizes))
