"""Steps of optimizers by themselves, and clipping: gradients are there already."""

from __future__ import annotations

from typing import Any

from . import workload


def large(lib: Any, device: str) -> list[Any]:
    """Fifty parameters, five million numbers."""
    lib.manual_seed(0)
    parameters = [lib.nn.Parameter(lib.randn(100_000, device=device)) for _ in range(50)]
    for p in parameters:
        p.grad = lib.randn(100_000, device=device)
    return parameters


def small(lib: Any, device: str) -> list[Any]:
    """The six parameters of an MLP 64-64-64-10."""
    lib.manual_seed(0)
    parameters = [lib.nn.Parameter(lib.randn(*s, device=device)) for s in ((64, 64), (64,)) * 2 + ((10, 64), (10,))]
    for p in parameters:
        p.grad = lib.randn(*p.shape, device=device)
    return parameters


def stepping(optimizer: Any) -> Any:
    for _ in range(20):  # what is made or compiled at first is not measured
        optimizer.step()
    return optimizer.step


@workload("Adam, 50 tensors, 5M parameters, step", unit="ms", threads=0, target=0.4)
def adam(lib: Any, device: str) -> Any:
    return stepping(lib.optim.Adam(large(lib, device), lr=1e-3))


@workload("Adam, 50 tensors, 5M parameters, fused step", unit="ms", threads=0, target=0.6)
def adam_fused(lib: Any, device: str) -> Any:
    return stepping(lib.optim.Adam(large(lib, device), lr=1e-3, fused=True))


@workload("AdamW, 50 tensors, 5M parameters, fused step", unit="ms", threads=0, target=0.6)
def adamw_fused(lib: Any, device: str) -> Any:
    return stepping(lib.optim.AdamW(large(lib, device), lr=1e-3, fused=True))


@workload("SGD with momentum, 50 tensors, 5M parameters, fused step", unit="ms", threads=0, target=0.6)
def sgd_fused(lib: Any, device: str) -> Any:
    return stepping(lib.optim.SGD(large(lib, device), lr=1e-3, momentum=0.9, fused=True))


@workload("AdamW, 5M bfloat16 parameters with float32 masters, step", unit="ms", threads=0)
def masters(lib: Any, device: str) -> Any:
    """PyTorch has no master weights: there the parameters are float32, and their bfloat16 copies made by hand."""
    parameters = large(lib, device)
    short = [p.detach().to(lib.bfloat16) for p in parameters]
    grads = [p.grad.to(lib.bfloat16) for p in parameters]
    if lib.__name__ == "wengert":
        for p, g in zip(short, grads, strict=True):
            p.requires_grad_().grad = g
        return stepping(lib.optim.AdamW(short, lr=1e-3, master_weights=True))
    optimizer = lib.optim.AdamW(parameters, lr=1e-3, fused=True)

    def step() -> None:
        for p, g in zip(parameters, grads, strict=True):
            p.grad = g.float()
        optimizer.step()
        for p, s in zip(parameters, short, strict=True):
            s.copy_(p.detach())

    return step


@workload("Adam, MLP 64-64-64-10, step", target=0.6)
def small_adam(lib: Any, device: str) -> Any:
    return stepping(lib.optim.Adam(small(lib, device), lr=1e-3))


@workload("SGD, MLP 64-64-64-10, step", target=0.8)
def small_sgd(lib: Any, device: str) -> Any:
    return stepping(lib.optim.SGD(small(lib, device), lr=1e-3))


@workload("clip_grad_norm_, MLP 64-64-64-10", target=0.6)
def small_clip(lib: Any, device: str) -> Any:
    parameters = small(lib, device)
    return lambda: lib.nn.utils.clip_grad_norm_(parameters, 1e9)


@workload("clip_grad_norm_, 50 tensors, 5M parameters", unit="ms", threads=0)
def large_clip(lib: Any, device: str) -> Any:
    parameters = large(lib, device)
    return lambda: lib.nn.utils.clip_grad_norm_(parameters, 1e9)
