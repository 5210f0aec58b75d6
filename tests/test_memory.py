"""How much a graph holds, when it lets go, and graphs too deep for recursion."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import wengert as wg


@pytest.fixture
def no_gc() -> Iterator[None]:
    """What is freed here is freed by reference counting alone."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def held(build: Callable[[], Any]) -> int:
    """The bytes that are still allocated because of what ``build`` returns."""
    build()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        kept = build()
        after = tracemalloc.get_traced_memory()[0]
        del kept
    finally:
        tracemalloc.stop()
    return after - before


def test_a_chain_of_sums_holds_one_value(no_gc: None):
    x = wg.ones(256, 256, requires_grad=True)  # 0.26 MB

    def build() -> Any:
        y = x
        for _ in range(100):
            y = y + 1
        return y

    assert held(build) < 500_000


def test_a_rule_that_needs_only_its_output_keeps_no_input(no_gc: None):
    x = wg.ones(256, 256, requires_grad=True)

    def build() -> Any:
        y = x
        for _ in range(10):
            y = (y * 0.1).exp()  # exp keeps its output, the product keeps nothing
        return y

    assert held(build) < 10 * 262_144 + 100_000


def test_a_product_with_a_constant_keeps_the_constant_only(no_gc: None):
    x, w = wg.ones(256, 256, requires_grad=True), wg.ones(256, 256)

    def build() -> Any:
        y = x
        for _ in range(10):
            y = y * w
        return y

    assert held(build) < 262_144 + 100_000


def test_backward_frees_what_was_saved(no_gc: None):
    x = wg.ones(256, 256, requires_grad=True)

    def build() -> Any:
        y = x
        for _ in range(10):
            y = wg.where(y > 0, y * y, y)
        loss = y.sum()
        loss.backward()
        x.grad = None
        return loss

    assert held(build) < 200_000


def test_dropping_the_result_drops_the_graph(no_gc: None):
    x = wg.ones(3, requires_grad=True)
    y = (x * x).exp()
    node = weakref.ref(y.grad_fn)
    middle = weakref.ref(y.grad_fn.next_functions[0][0])
    del y
    assert node() is None
    assert middle() is None


def test_a_result_needs_no_input_alive(no_gc: None):
    x = wg.ones(3, requires_grad=True)
    y = x * 2
    z = y + 1
    gone = weakref.ref(y)
    del y
    assert gone() is None
    z.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [2, 2, 2])


def linear_step() -> Callable[[], None]:
    rng = np.random.default_rng(0)
    x, target = (wg.tensor(rng.standard_normal((16, n)).astype("f4")) for n in (8, 4))
    w = wg.tensor(rng.standard_normal((8, 4)).astype("f4"), requires_grad=True)
    b = wg.zeros(4, requires_grad=True)

    def step() -> None:
        loss = ((x @ w + b).tanh() - target).pow(2).mean()
        loss.backward()
        with wg.no_grad():
            for p in (w, b):
                p -= 0.01 * p.grad
                p.grad = None

    return step


def view_step() -> Callable[[], None]:
    w = wg.ones(2, 3, requires_grad=True)

    def step() -> None:
        y = w * 2
        y[0].mul_(3)
        y[1] = w[0] * 5
        y.t()[1:].add_(1)
        y.view(-1)[2:4] *= w.sum()
        y.retain_grad()
        y.register_hook(lambda g: g * 1)
        (y * y).sum().backward()
        w.grad = None

    return step


def second_order_step() -> Callable[[], None]:
    w = wg.ones(3, requires_grad=True)

    def step() -> None:
        (g,) = wg.autograd.grad((w * w * w).exp().sum(), w, create_graph=True)
        (g * g).sum().backward()
        w.grad = None

    return step


def function_step() -> Callable[[], None]:
    class Cube(wg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = x * x
            ctx.save_for_backward(x, y)
            return y * x, y

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            x, y = ctx.saved_tensors
            return g * 3 * y + h * 2 * x

    w = wg.ones(3, requires_grad=True)

    def step() -> None:
        a, b = Cube.apply(w)
        (a * b).sum().backward()
        w.grad = None

    return step


@pytest.mark.parametrize("make", [linear_step, view_step, second_order_step, function_step])
def test_training_does_not_grow_without_the_garbage_collector(make: Callable[[], Any], no_gc: None):
    step = make()
    for _ in range(2500):  # until Python's free list of tuples is full
        step()
    objects = len(gc.get_objects())
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(1000):
            step()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert len(gc.get_objects()) - objects < 20
    assert grown < 20_000
    assert gc.collect() < 50, "reference cycles were left behind"


def test_a_million_operations_deep():
    x = wg.tensor(1.0, requires_grad=True)
    y = x
    gc.disable()  # its full passes over a growing graph are most of the time otherwise
    try:
        for _ in range(1_000_000):
            y = y * 1.0
        y.backward()
        assert x.grad.item() == 1
        del y
    finally:
        gc.enable()


@pytest.mark.parametrize("drop_first", [True, False])
def test_deep_graphs_of_every_shape_are_dropped_without_recursion(drop_first: bool):
    x = wg.ones(2, requires_grad=True)
    y = x
    chain = []
    for i in range(30_000):
        a, b = y.unbind() if i % 3 == 0 else (y, y)
        y = wg.stack([a, b]) if i % 3 == 0 else a * b
        with wg.no_grad():
            y.clamp_(0.5, 1.0)
        if i % 100 == 0:
            y = y.clone()
            y[:1].add_(0.0)
            chain.append(y)
    if drop_first:
        del y
        chain.clear()
    else:
        chain.clear()
        (g,) = wg.autograd.grad(y.sum(), y)
        del g, y
    assert x.grad is None


def test_a_deep_graph_of_a_gradient():
    x = wg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(20_000):
        y = y.sin() * 1.0
    (g,) = wg.autograd.grad(y, x, create_graph=True)
    (h,) = wg.autograd.grad(g, x)
    assert np.isfinite(h.item())
    del y, g
