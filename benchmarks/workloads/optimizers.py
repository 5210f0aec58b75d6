"""Steps of optimizers by themselves, and clipping: gradients are there already."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import workload

LARGE: dict[str, Any] = {"sizes": {"count": 50, "size": 100_000}, "tiny": {"count": 3, "size": 7}}
EAGER = {"compile": "optimizers run eagerly, but for the first row"}


def large(lib: Any, at: Any, count: int, size: int) -> list[Any]:
    """Parameters and their gradients."""
    return given(lib, at, [(size,)] * count)


def small(lib: Any, at: Any) -> list[Any]:
    """The six parameters of an MLP 64-64-64-10."""
    return given(lib, at, [(64, 64), (64,), (64, 64), (64,), (10, 64), (10,)])


def given(lib: Any, at: Any, shapes: list[tuple[int, ...]]) -> list[Any]:
    parameters = [lib.nn.Parameter(at.tensor(lib, at.normal(*shape))) for shape in shapes]
    for p in parameters:
        p.grad = at.tensor(lib, at.normal(*p.shape))
    return parameters


def stepping(at: Any, optimizer: Any) -> Callable[[], Any]:
    """The step, which returns the first parameter for the libraries to agree on."""
    step, first = at.compiled(optimizer.step), optimizer.param_groups[0]["params"][0]

    def call() -> Any:
        step()
        return first

    return call


@workload(
    "Adam, 50 tensors, 5M parameters, step",
    "optimizers",
    jax="jax_tensors.adam",
    target=0.4,
    quick=True,
    chart=True,
    **LARGE,
)
def adam(lib: Any, at: Any, count: int, size: int) -> Callable[[], Any]:
    return stepping(at, lib.optim.Adam(large(lib, at, count, size), lr=1e-3))


@workload("Adam, 50 tensors, 5M parameters, fused step", "optimizers", target=0.6, without=EAGER, **LARGE)
def adam_fused(lib: Any, at: Any, count: int, size: int) -> Callable[[], Any]:
    return stepping(at, lib.optim.Adam(large(lib, at, count, size), lr=1e-3, fused=True))


@workload("AdamW, 50 tensors, 5M parameters, fused step", "optimizers", target=0.6, without=EAGER, **LARGE)
def adamw_fused(lib: Any, at: Any, count: int, size: int) -> Callable[[], Any]:
    return stepping(at, lib.optim.AdamW(large(lib, at, count, size), lr=1e-3, fused=True))


@workload("SGD with momentum, 50 tensors, 5M parameters, fused step", "optimizers", target=0.6, without=EAGER, **LARGE)
def sgd_fused(lib: Any, at: Any, count: int, size: int) -> Callable[[], Any]:
    return stepping(at, lib.optim.SGD(large(lib, at, count, size), lr=1e-3, momentum=0.9, fused=True))


@workload("AdamW, 5M bfloat16 parameters with float32 masters, step", "optimizers", without=EAGER, **LARGE)
def masters(lib: Any, at: Any, count: int, size: int) -> Callable[[], Any]:
    """PyTorch has no master weights: there the parameters are float32, and their bfloat16 copies made by hand."""
    parameters = large(lib, at, count, size)
    short = [p.detach().to(lib.bfloat16) for p in parameters]
    grads = [p.grad.to(lib.bfloat16) for p in parameters]
    if lib.__name__ == "wengert":
        for p, g in zip(short, grads, strict=True):
            p.requires_grad_().grad = g
        optimizer = lib.optim.AdamW(short, lr=1e-3, master_weights=True)
        return lambda: optimizer.step()
    optimizer = lib.optim.AdamW(parameters, lr=1e-3, fused=True)

    def step() -> None:
        for p, g in zip(parameters, grads, strict=True):
            p.grad = g.float()
        optimizer.step()
        for p, s in zip(parameters, short, strict=True):
            s.copy_(p.detach())

    return step


@workload("Adam, MLP 64-64-64-10, step", "optimizers", target=0.6, without=EAGER)
def small_adam(lib: Any, at: Any) -> Callable[[], Any]:
    return stepping(at, lib.optim.Adam(small(lib, at), lr=1e-3))


@workload("SGD, MLP 64-64-64-10, step", "optimizers", target=0.8, without=EAGER)
def small_sgd(lib: Any, at: Any) -> Callable[[], Any]:
    return stepping(at, lib.optim.SGD(small(lib, at), lr=1e-3))


@workload("clip_grad_norm_, MLP 64-64-64-10", "optimizers", target=0.6, without=EAGER)
def small_clip(lib: Any, at: Any) -> Callable[[], Any]:
    parameters = small(lib, at)
    return lambda: lib.nn.utils.clip_grad_norm_(parameters, 1e9)


@workload("clip_grad_norm_, 50 tensors, 5M parameters", "optimizers", without=EAGER, **LARGE)
def large_clip(lib: Any, at: Any, count: int, size: int) -> Callable[[], Any]:
    parameters = large(lib, at, count, size)
    return lambda: lib.nn.utils.clip_grad_norm_(parameters, 1e9)
