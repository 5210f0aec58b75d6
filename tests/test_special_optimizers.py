"""Optimizers that need a closure or another optimizer, and what is particular to a few others."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn, optim

from .test_optimizer_base import leaf, stepped


def rosenbrock(T: Any, x: Any) -> Any:
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def bowl(T: Any, x: Any) -> Any:
    return (T.cos(x) + 0.3 * x * x).sum() + 0.1 * (x[1:] * x[:-1]).sum()


def minimised(T: Any, steps: int, loss: Any = rosenbrock, **options: Any) -> tuple[list[float], Any, Any]:
    rng = np.random.default_rng(0)
    params = [T.tensor(rng.normal(size=n), requires_grad=True) for n in (3, 2)]
    optimizer = T.optim.LBFGS(params, **options)

    def closure() -> Any:
        optimizer.zero_grad()
        value = loss(T, T.cat(params))
        value.backward()
        return value

    losses = [optimizer.step(closure).item() for _ in range(steps)]
    return losses, np.concatenate([p.detach().numpy() for p in params]), optimizer


def test_lbfgs_solves_rosenbrock():
    _, x, _ = minimised(wg, 10, line_search_fn="strong_wolfe", max_iter=30)
    np.testing.assert_allclose(x, 1, atol=1e-4)


@pytest.mark.parity
@pytest.mark.parametrize(
    "options",
    [{}, {"lr": 0.3, "max_iter": 4, "history_size": 2}, {"line_search_fn": "strong_wolfe"},
     {"line_search_fn": "strong_wolfe", "history_size": 3, "max_iter": 5, "lr": 5.0}],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("loss", [bowl, rosenbrock])
def test_lbfgs_is_pytorchs(options: dict[str, Any], loss: Any):
    torch = pytest.importorskip("torch")
    steps = 20 if loss is bowl else 2  # on the way through the valley rounding grows a thousandfold in a few steps
    losses, x, optimizer = minimised(wg, steps, loss, **options)
    expected, y, theirs = minimised(torch, steps, loss, **options)
    np.testing.assert_allclose(losses, expected, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(x, y, rtol=1e-7, atol=1e-8)
    mine, other = optimizer.state_dict()["state"][0], theirs.state_dict()["state"][0]
    assert mine.keys() == other.keys()
    assert [mine["func_evals"], mine["n_iter"]] == [other["func_evals"], other["n_iter"]]


def test_lbfgs_goes_on_after_loading():
    _, _, optimizer = minimised(wg, 2, max_iter=3, line_search_fn="strong_wolfe")
    params = optimizer.param_groups[0]["params"]
    twins = [p.detach().clone().requires_grad_() for p in params]
    other = optim.LBFGS(twins, max_iter=3, line_search_fn="strong_wolfe")
    other.load_state_dict(pickle.loads(pickle.dumps(optimizer.state_dict())))

    def closure_of(o: Any, tensors: list[Any]) -> Any:
        def closure() -> Any:
            o.zero_grad()
            value = rosenbrock(wg, wg.cat(tensors))
            value.backward()
            return value

        return closure

    optimizer.step(closure_of(optimizer, params))
    other.step(closure_of(other, twins))
    for p, q in zip(params, twins, strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())


@pytest.mark.parametrize("least", [float("inf"), -float("inf")])
def test_lbfgs_without_a_gradient(least: float):
    optimizer = optim.LBFGS([wg.ones(2), wg.ones(3)], tolerance_grad=least)
    assert isinstance(optimizer.step(lambda: wg.tensor([10.0])), wg.Tensor)


def test_lbfgs_needs_a_closure():
    for arguments in ((), (None,)):
        with pytest.raises(TypeError, match="closure"):
            optim.LBFGS([leaf(2)]).step(*arguments)


@pytest.mark.parity
def test_sparse_adam_is_pytorchs_on_embeddings():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    table = rng.normal(size=(6, 3))
    mine = nn.Embedding.from_pretrained(wg.tensor(table), freeze=False, sparse=True)
    theirs = torch.nn.Embedding.from_pretrained(torch.tensor(table), freeze=False, sparse=True)
    optimizers = [optim.SparseAdam(mine.parameters(), lr=0.1), torch.optim.SparseAdam(theirs.parameters(), lr=0.1)]
    for _ in range(20):
        words, weights = rng.integers(0, 6, size=3), rng.normal(size=(3, 3))
        for T, model, optimizer in ((wg, mine, optimizers[0]), (torch, theirs, optimizers[1])):
            optimizer.zero_grad()
            (model(T.tensor(words)) * T.tensor(weights)).sum().backward()
            optimizer.step()
    np.testing.assert_allclose(mine.weight.detach().numpy(), theirs.weight.detach().numpy(), rtol=1e-10)


def test_lookahead():
    p, q = leaf(2), leaf(2)
    fast, optimizer = optim.SGD([q], lr=0.1), optim.Lookahead(optim.SGD([p], lr=0.1), k=3, alpha=0.5)
    schedule = optim.lr_scheduler.StepLR(optimizer, 2, 0.5)
    other = optim.lr_scheduler.StepLR(fast, 2, 0.5)
    slow = 1.0
    for step in range(1, 8):
        stepped(optimizer)
        stepped(fast)
        schedule.step()
        other.step()
        if step % 3 == 0:
            slow += 0.5 * (q[0].item() - slow)
            with wg.no_grad():
                q.fill_(slow)
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-6)
    with pytest.raises(ValueError, match="alpha"):
        optim.Lookahead(fast, alpha=2.0)
    with pytest.raises(TypeError):
        optim.Lookahead([p])


@pytest.mark.parametrize("way", ["state_dict", "pickle", "deepcopy"])
def test_lookahead_goes_on(way: str):
    optimizer = optim.Lookahead(optim.Adam([leaf(2)], lr=0.1), k=3)
    for _ in range(4):
        stepped(optimizer)
    if way == "state_dict":
        p = optimizer.param_groups[0]["params"][0].detach().clone().requires_grad_()
        other = optim.Lookahead(optim.Adam([p], lr=0.5), k=3)
        other.load_state_dict(pickle.loads(pickle.dumps(optimizer.state_dict())))
    else:
        other = copy.deepcopy(optimizer) if way == "deepcopy" else pickle.loads(pickle.dumps(optimizer))
    for _ in range(4):
        left, right = stepped(optimizer), stepped(other)
    assert left.param_groups[0]["params"][0].tolist() == right.param_groups[0]["params"][0].tolist()
    assert other.state is other.optimizer.state


@pytest.mark.parametrize("adaptive", [False, True])
def test_sam(adaptive: bool):
    start = np.array([1.0, -2.0, 0.5])
    p = wg.tensor(start, requires_grad=True)
    optimizer = optim.SAM([p], optim.SGD, rho=0.1, adaptive=adaptive, lr=0.05)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (p**4).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == pytest.approx((start**4).sum())
    g = 4 * start**3
    weight = abs(start) if adaptive else 1
    worst = start + 0.1 * weight**2 * g / np.linalg.norm(weight * g)
    np.testing.assert_allclose(p.detach().numpy(), start - 0.05 * 4 * worst**3, rtol=1e-9)
    with pytest.raises(RuntimeError, match="closure"):
        optimizer.step()
    with pytest.raises(ValueError, match="rho"):
        optim.SAM([p], optim.SGD, rho=-1.0)


def test_sophia_uses_curvature():
    p = wg.tensor([1.0, 1.0], dtype=wg.float64, requires_grad=True)
    optimizer = optim.SophiaG([p], lr=0.1, rho=1.0, weight_decay=0.0, betas=(0.0, 0.5))
    p.grad = wg.tensor([2.0, 0.1], dtype=wg.float64)
    optimizer.update_hessian()
    optimizer.step()
    # h = 0.5 g**2: the first element is within the curvature's bounds, the second is clipped.
    np.testing.assert_allclose(p.detach().numpy(), [1 - 0.1 * min(1, 2 / 2), 1 - 0.1 * min(1, 0.1 / 0.005)])


def test_weights_are_what_muon_makes_orthogonal():
    p = wg.tensor(np.random.default_rng(0).normal(size=(4, 8)), requires_grad=True)
    before = p.detach().numpy().copy()
    optimizer = optim.Muon([p], lr=1.0, weight_decay=0.0)
    p.grad = wg.tensor(np.random.default_rng(1).normal(size=(4, 8)))
    optimizer.step()
    sizes = np.linalg.svd(before - p.detach().numpy(), compute_uv=False)
    assert sizes.min() > 0.6
    assert sizes.max() < 1.3
