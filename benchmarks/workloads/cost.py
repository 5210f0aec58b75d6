"""What is not time per call: importing, the first steps of a program, and memory."""

from __future__ import annotations

import gc
import importlib
import time
import tracemalloc
from typing import Any

from benchmarks.memory import resident
from benchmarks.programs import example

from . import workload

EAGER = {"compile": "the same as PyTorch's"}
MEMORY = {**EAGER, "jax": "a compiled program decides by itself what it keeps"}


@workload(
    "import, over import numpy",
    "start",
    unit="s",
    limit=0.15,
    quick=True,
    without=EAGER,
)
def import_time(name: str, at: Any) -> float:
    importlib.import_module("numpy")
    start = time.perf_counter()
    importlib.import_module(name)
    return time.perf_counter() - start


def first_steps(name: str, at: Any, steps: int) -> float:
    """Seconds from the import's end to the end of a training step of the program of ``make demo``."""
    lib = importlib.import_module(name)
    net = example(lib, "digits").DigitNet
    x, y = at.normal(32, 1, 8, 8), at.integers(10, 32)
    start = time.perf_counter()
    model = net(8).to(at.device)
    optimizer = lib.optim.Adam(model.parameters(), lr=1e-3)
    images, labels = at.tensor(lib, x), at.tensor(lib, y)
    loss_of = at.compiled(lambda x, y: lib.nn.functional.cross_entropy(model(x), y))
    for _ in range(steps):
        loss = loss_of(images, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    loss.item()
    return time.perf_counter() - start


def demo(name: str, steps: int, cache: str, **settings: Any) -> None:
    workload(f"{name}, {cache} cache", "start", unit="s", sizes={"steps": steps}, cache=cache, **settings)(first_steps)


WITHOUT_JAX = {"jax": "the program of make demo is not written for JAX"}
AT_ONCE: dict[str, Any] = {
    "environment": {"WENGERT_NUMBA": "1"},
    "without": {**WITHOUT_JAX, **EAGER, "numpy": "without compiled kernels there is nothing to wait for"},
}
demo("demo's first step", 1, "cold", limit=30.0, without=WITHOUT_JAX)
demo("demo's first step", 1, "warm", limit=1.0, without=WITHOUT_JAX, quick=True)
demo("demo's first 50 steps", 50, "cold", without=WITHOUT_JAX, compile=False)
demo("demo's first 50 steps", 50, "warm", without=WITHOUT_JAX, compile=False)
demo("demo's first step, WENGERT_NUMBA=1", 1, "cold", limit=30.0, **AT_ONCE)
demo("demo's first step, WENGERT_NUMBA=1", 1, "warm", **AT_ONCE)


@workload("memory held by 100 x (x + 1) on 0.26 MB", "start", unit="MB", limit=0.5, without=MEMORY)
def held(name: str, at: Any) -> float:
    """Counted by tracemalloc where it can (NumPy's memory), else by what the process grew."""
    library = importlib.import_module(name)
    x = library.ones(256, 256, device=at.device, requires_grad=True)
    counted = name == "wengert"
    (x + 1).sum().backward()
    gc.collect()
    if counted:
        tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0] if counted else resident()
    h = x
    for _ in range(100):
        h = h + 1
    after = tracemalloc.get_traced_memory()[0] if counted else resident()
    return (after - before - h.nbytes) / 1e6  # the last result is the program's own


@workload("growth over 1,000 MLP steps, gc off", "start", unit="MB", limit=1.0, without=MEMORY)
def growth(name: str, at: Any) -> float:
    from .models import small_mlp, training

    lib = importlib.import_module(name)
    step = training(lib, at, small_mlp(lib, at, 32))
    for _ in range(200):
        step()
    gc.collect()
    gc.disable()
    before = resident()
    for _ in range(1000):
        step()
    return (resident() - before) / 1e6
