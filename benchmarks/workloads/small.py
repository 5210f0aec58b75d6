"""Small tensors, where the time is Python's: what recording one operation costs."""

from __future__ import annotations

from typing import Any

from . import workload


def pair(lib: Any, device: str) -> tuple[Any, Any]:
    return tuple(lib.ones(4, 4, device=device, requires_grad=True) for _ in range(2))


@workload("a + b, 4x4, recorded", target=1.0)
def add(lib: Any, device: str) -> Any:
    a, b = pair(lib, device)
    return lambda: a + b


@workload("a * b, 4x4, recorded")
def mul(lib: Any, device: str) -> Any:
    a, b = pair(lib, device)
    return lambda: a * b


@workload("chain of 1,000 ops, 8 floats, forward + backward", unit="ms")
def chain(lib: Any, device: str) -> Any:
    x = lib.ones(8, device=device, requires_grad=True)
    w = lib.ones(8, device=device) * 0.999

    def step() -> None:
        h = x
        for _ in range(500):
            h = h * w + x
        h.sum().backward()
        x.grad = None

    return step
