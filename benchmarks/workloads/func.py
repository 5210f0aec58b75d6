"""Functions of functions: Hessians, Jacobians, gradients of each sample, products with a Hessian, checkpointing."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable
from typing import Any

from benchmarks.memory import peak, reset_peak, resident
from benchmarks.programs import example

from . import workload

TRACED = {"compile": "the transforms trace the function by themselves"}


def mlp(lib: Any, at: Any, *widths: int) -> Any:
    """Linear layers with tanh between them, which has derivatives of any order."""
    nn = lib.nn
    layers: list[Any] = []
    for d, e in itertools.pairwise(widths):
        layers += [nn.Linear(d, e), nn.Tanh()]
    return at.placed(lib, nn.Sequential(*layers[:-1]))


def parameters(model: Any) -> dict[str, Any]:
    return {name: p.detach() for name, p in model.named_parameters()}


@workload("Hessian of an MLP of 1,000 parameters", "derivatives", target=0.7, without=TRACED)
def hessian(lib: Any, at: Any) -> Callable[[], Any]:
    model = mlp(lib, at, 16, 24, 20, 4)
    params = parameters(model)
    sizes = [p.numel() for p in params.values()]
    x, y = at.tensor(lib, at.normal(8, 16)), at.tensor(lib, at.integers(4, 8))

    def loss(flat: Any) -> Any:
        parts = [part.reshape(p.shape) for part, p in zip(flat.split(sizes), params.values(), strict=True)]
        scores = lib.func.functional_call(model, dict(zip(params, parts, strict=True)), (x,))
        return lib.nn.functional.cross_entropy(scores, y)

    point = lib.cat([p.reshape(-1) for p in params.values()])
    whole = lib.func.hessian(loss)
    return lambda: whole(point).sum()


@workload("gradients of each of 64 samples, CNN", "derivatives", target=0.7, sizes={"n": 64}, tiny={"n": 2},
          without=TRACED)  # fmt: skip
def per_sample(lib: Any, at: Any, n: int) -> Callable[[], Any]:
    nn = lib.nn
    layers = [nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU()]
    model = at.placed(lib, nn.Sequential(*layers, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(784, 10)))
    params = parameters(model)
    x, y = at.tensor(lib, at.normal(n, 1, 28, 28)), at.tensor(lib, at.integers(10, n))

    def loss(params: Any, image: Any, label: Any) -> Any:
        scores = lib.func.functional_call(model, params, (image[None],))
        return lib.nn.functional.cross_entropy(scores, label[None])

    each = lib.func.vmap(lib.func.grad(loss), (None, 0, 0))
    return lambda: each(params, x, y)["0.weight"].sum()


@workload("Jacobian of 100 by 100, backward", "derivatives", target=0.7, without=TRACED)
def jacobian(lib: Any, at: Any) -> Callable[[], Any]:
    w, x = at.tensor(lib, at.weight(100, 100)), at.tensor(lib, at.normal(100))
    matrix = lib.func.jacrev(lambda x: (w @ x).tanh())
    return lambda: matrix(x).sum()


@workload("product with the Hessian of an MLP", "derivatives", target=0.7, without=TRACED)
def hessian_product(lib: Any, at: Any) -> Callable[[], Any]:
    model = mlp(lib, at, 64, 128, 128, 10)
    x, y = at.tensor(lib, at.normal(64, 64)), at.tensor(lib, at.integers(10, 64))
    params = list(model.parameters())
    vs = [at.tensor(lib, at.normal(*p.shape)) for p in params]

    def product() -> Any:
        gs = lib.autograd.grad(lib.nn.functional.cross_entropy(model(x), y), params, create_graph=True)
        return lib.autograd.grad(sum((g * v).sum() for g, v in zip(gs, vs, strict=True)), params)[0].sum()

    return product


def gpt(lib: Any, at: Any, checkpointed: bool) -> Callable[[], Any]:
    """A training step without the optimizer of 24 blocks, each of which is computed again on the way back."""
    model = example(lib, "models").GPT(64, context=128, depth=24, heads=4, width=128)
    checkpoint = importlib.import_module(f"{lib.__name__}.utils.checkpoint").checkpoint
    for block in model.modules():
        if checkpointed and type(block).__name__ == "Block":
            block.forward = lambda *args, run=block.forward: checkpoint(run, *args, use_reentrant=False)
    x, y = at.tensor(lib, at.integers(64, 4, 128)), at.tensor(lib, at.integers(64, 4 * 128))

    def step() -> Any:
        model.zero_grad()
        loss = lib.nn.functional.cross_entropy(model(x)[0].reshape(-1, 64), y)
        loss.backward()
        return loss

    return step


@workload("GPT, 24 blocks, checkpointed", "derivatives", draws=True, without=TRACED)
def checkpointed(lib: Any, at: Any) -> Callable[[], Any]:
    return gpt(lib, at, checkpointed=True)


@workload("GPT, 24 blocks", "derivatives", draws=True, without=TRACED)
def whole(lib: Any, at: Any) -> Callable[[], Any]:
    return gpt(lib, at, checkpointed=False)


def memory(name: str, at: Any, checkpointed: bool) -> float:
    """MB at the peak of a step, over those before it."""
    step = gpt(importlib.import_module(name), at, checkpointed)
    step()
    reset_peak()
    before = resident()
    step()
    return ((peak() or before) - before) / 1e6


for named, again in (("GPT, 24 blocks, checkpointed: memory", True), ("GPT, 24 blocks: memory", False)):
    workload(named, "derivatives", unit="MB", sizes={"checkpointed": again},
             tiny={}, without={**TRACED, "jax": "there is no JAX version of this"})(memory)  # fmt: skip
