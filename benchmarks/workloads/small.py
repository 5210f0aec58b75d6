"""Tensors without a model: what recording an operation costs, long chains, large arrays, second derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import workload
from .models import mlp

RECORDED = {"compile": "a recorded operation is eager", "jax": "JAX records nothing outside of a transformation"}


def pair(lib: Any, at: Any) -> Any:
    return tuple(lib.ones(4, 4, device=at.device, requires_grad=True) for _ in range(2))


@workload("a + b, 4x4, recorded", "tensors", target=1.0, without=RECORDED)
def add(lib: Any, at: Any) -> Callable[[], Any]:
    a, b = pair(lib, at)
    return lambda: a + b


@workload("a * b, 4x4, recorded", "tensors", without=RECORDED)
def mul(lib: Any, at: Any) -> Callable[[], Any]:
    a, b = pair(lib, at)
    return lambda: a * b


@workload(
    "chain of 1,000 ops, 8 floats, forward + backward",
    "tensors",
    sizes={"length": 500},
    tiny={"length": 5},
    jax="jax_tensors.chain",
    quick=True,
    chart=True,
)
def chain(lib: Any, at: Any, length: int) -> Callable[[], Any]:
    x = lib.ones(8, device=at.device, requires_grad=True)
    w = lib.ones(8, device=at.device) * 0.999

    def forward(x: Any) -> Any:
        h = x
        for _ in range(length):
            h = h * w + x
        return h.sum()

    return forward_and_backward(at, forward, x)


def forward_and_backward(at: Any, forward: Callable[[Any], Any], x: Any) -> Callable[[], Any]:
    """A step of a function with one number as its result."""
    compute = at.compiled(forward)

    def step() -> Any:
        x.grad = None
        y = compute(x)
        y.backward()
        return y

    return step


@workload(
    "exp, sigmoid, tanh, div on 1M floats, forward + backward",
    "tensors",
    sizes={"size": 1_000_000},
    tiny={"size": 100},
    jax="jax_tensors.elementwise",
    quick=True,
    chart=True,
)
def elementwise(lib: Any, at: Any, size: int) -> Callable[[], Any]:
    x = at.tensor(lib, at.normal(size), requires_grad=True)
    return forward_and_backward(at, lambda x: (lib.tanh(x).exp() / (1 + lib.sigmoid(x))).sum(), x)


def reductions(dim: int, name: str) -> None:
    @workload(
        f"sum, mean, amax, var of {name}, 4096 x 1024",
        "tensors",
        sizes={"shape": (4096, 1024), "dim": dim},
        tiny={"shape": (5, 4)},
        jax="jax_tensors.reductions",
        chart=True,
    )
    def prepare(lib: Any, at: Any, shape: tuple[int, int], dim: int) -> Callable[[], Any]:
        x = at.tensor(lib, at.normal(*shape), requires_grad=True)
        return forward_and_backward(at, lambda x: (x.sum(dim) + x.mean(dim) + x.amax(dim) + x.var(dim)).sum(), x)


reductions(1, "rows")
reductions(0, "columns")


@workload(
    "Hessian-vector product, MLP 64-64-64-10, batch 32",
    "tensors",
    sizes={"batch": 32},
    tiny={"batch": 4},
    jax="jax_tensors.hessian_vector",
    quick=True,
    chart=True,
    without={"compile": "torch.compile does not differentiate twice"},
)
def hessian_vector(lib: Any, at: Any, batch: int) -> Callable[[], Any]:
    """The gradient of the gradient's product with a vector."""
    x, y = (at.tensor(lib, array) for array in (at.normal(batch, 64), at.integers(10, batch)))
    model = at.placed(lib, mlp(lib, 64, 64, 64, 10))
    parameters = list(model.parameters())
    vector = [at.tensor(lib, at.normal(*p.shape)) for p in parameters]

    def call() -> Any:
        loss = lib.nn.functional.cross_entropy(model(x), y)
        gradients = lib.autograd.grad(loss, parameters, create_graph=True)
        product = sum((g * v).sum() for g, v in zip(gradients, vector, strict=True))
        return lib.autograd.grad(product, parameters)[0]

    return call
