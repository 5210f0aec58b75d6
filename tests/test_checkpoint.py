"""Checkpointing changes what is kept, and neither results nor gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import wengert as wg
from wengert import nn
from wengert.utils.checkpoint import CheckpointError, checkpoint, checkpoint_sequential


def plain(function: Callable[..., Any], *args: Any, use_reentrant: bool = False, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


def model() -> nn.Sequential:
    wg.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))


def same(a: Any, b: Any) -> bool:
    return all(bool(wg.equal(x, y)) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("use_reentrant", [True, False])
def test_gradients_of_parameters_and_dropout(use_reentrant: bool):
    grads = []
    for run in (plain, checkpoint):
        net = model()
        x = wg.randn(3, 4, requires_grad=True)
        loss = run(net, x * 2, use_reentrant=use_reentrant).pow(2).sum()
        wg.rand(1)  # other draws in between
        loss.backward()
        after = wg.rand(1)
        grads.append([x.grad, after, loss.detach(), *(p.grad for p in net.parameters())])
    assert same(*grads)


def test_input_without_gradient_and_autograd_grad():
    net, x = model().eval(), wg.randn(3, 4)
    params = list(net.parameters())
    expected = wg.autograd.grad(net(x).sum(), params)
    assert same(wg.autograd.grad(checkpoint(net, x, use_reentrant=False).sum(), params), expected)
    assert all(p.grad is None for p in params)


def test_nested_arguments_keywords_and_results():
    def f(pair: Any, n: int, *, extra: Any, off: Any = None) -> Any:
        a, b = pair
        return {"sum": a + b * extra["c"], "rest": [a * n, b.detach(), "text"]}, wg.arange(2)

    grads = []
    for run in (plain, checkpoint):
        a, b, c = (wg.tensor([v, v + 1], requires_grad=True) for v in (1.0, 2.0, 3.0))
        out, count = run(f, (a, b), 3, extra={"c": c}, use_reentrant=False)
        assert out["rest"][2] == "text"
        assert not out["rest"][1].requires_grad
        assert count.tolist() == [0, 1]
        (out["sum"].sum() + (out["rest"][0] ** 2).sum()).backward()
        grads.append([a.grad, b.grad, c.grad])
    assert same(*grads)


def test_one_result_unused():
    x = wg.tensor([2.0], requires_grad=True)
    a, _ = checkpoint(lambda x: (x * x, x.exp()), x, use_reentrant=False)
    a.backward()
    assert x.grad.tolist() == [4.0]


def test_closure_over_values_that_depend_on_each_other():
    grads = []
    for run in (plain, checkpoint):
        p = wg.tensor([2.0], requires_grad=True)
        q = p * 3
        x = p + q
        run(lambda x, p=p, q=q: x * q * p + wg.stack(q.unbind()).sum(), x, use_reentrant=False).backward()
        grads.append([p.grad])
    assert same(*grads)


@pytest.mark.parametrize("order", [2, 3])
def test_gradients_of_gradients(order: int):
    results = []
    for run in (plain, checkpoint):
        x = wg.tensor([0.3, 0.7], dtype=wg.float64, requires_grad=True)
        w = wg.tensor([1.5, -0.5], dtype=wg.float64, requires_grad=True)
        y = run(lambda x, w=w: (x * w).sin() * x, x * 1, use_reentrant=False).sum()
        for _ in range(order):
            gx, gw = wg.autograd.grad(y, [x, w], create_graph=True)
            y = (gx * gx).sum() + (gw * x).sum()
        results.append([y.detach(), gx.detach(), gw.detach()])
    assert all(bool(wg.allclose(a, b, rtol=1e-12)) for a, b in zip(*results, strict=True))


def test_nested_checkpoints():
    x = wg.tensor([0.5], requires_grad=True)

    def inner(v: Any) -> Any:
        return v.sin()

    def outer(v: Any) -> Any:
        return checkpoint(inner, v * 2, use_reentrant=False) * v

    checkpoint(outer, x, use_reentrant=False).backward()
    y = wg.tensor([0.5], requires_grad=True)
    ((y * 2).sin() * y).backward()
    assert same([x.grad], [y.grad])


def test_hooks_run_once():
    w = wg.tensor([3.0], requires_grad=True)
    w.register_hook(lambda g: g * 10)
    q = w * 1
    q.register_hook(lambda g: g + 1)
    checkpoint(lambda x: x * w * q, wg.ones(1), use_reentrant=False).backward()
    assert w.grad.tolist() == [(3 + (3 + 1)) * 10]


def test_runs_again_only_in_backward():
    calls = []

    def f(x: Any) -> Any:
        calls.append(wg.is_grad_enabled())
        return x * x

    x = wg.ones(2, requires_grad=True)
    with wg.no_grad():
        checkpoint(f, x, use_reentrant=False)
    y = checkpoint(f, x, use_reentrant=False).sum()
    assert calls == [False, True]
    y.backward(retain_graph=True)
    y.backward()
    assert calls == [False, True, True, True]
    assert x.grad.tolist() == [4.0, 4.0]
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_intermediate_values_are_not_kept():
    import weakref

    kept = []

    def f(x: Any) -> Any:
        y = x.exp()
        kept.append(weakref.ref(y))
        return y.sin().sum()

    x = wg.ones(5, requires_grad=True)
    y = checkpoint(f, x, use_reentrant=False)
    assert kept[0]() is None
    y.backward()


def test_a_function_that_changes_its_mind_is_refused():
    sizes = iter([2, 3])
    x = wg.ones(1, requires_grad=True)
    y = checkpoint(lambda x: x.expand(next(sizes)) * 2, x, use_reentrant=False).sum()
    with pytest.raises(CheckpointError, match="different metadata"):
        y.backward()


def test_an_argument_written_to_later_is_refused():
    x = wg.ones(2, requires_grad=True)
    h = x * 1
    y = checkpoint(lambda v: v * v, h, use_reentrant=False).sum()
    h.add_(1)
    with pytest.raises(RuntimeError, match="modified"):
        y.backward()


@pytest.mark.parametrize("segments", [1, 2, 3])
def test_sequential(segments: int):
    grads = []
    for checkpointed in (False, True):
        net = model()
        x = wg.randn(3, 4, requires_grad=True)
        y = checkpoint_sequential(net, segments, x, use_reentrant=False) if checkpointed else net(x)
        y.sum().backward()
        grads.append([y.detach(), x.grad, *(p.grad for p in net.parameters())])
    assert same(*grads)
    with pytest.raises(ValueError, match="Unexpected keyword"):
        checkpoint_sequential([], 1, wg.ones(1), wrong=1)


def test_bad_determinism_check():
    with pytest.raises(ValueError, match="determinism_check"):
        checkpoint(wg.sin, wg.ones(1), determinism_check="maybe")
