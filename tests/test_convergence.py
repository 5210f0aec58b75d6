"""Every optimizer at work: a quadratic, Rosenbrock's valley, logistic regression."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import optim

from .cases.optimizers import CASES, ELSEWHERE

# For each optimizer, arguments with which it solves the quadratic, the valley and the regression.
Options = dict[str, Any]
FREE: Options = {"weight_decay": 0.0}
SETTINGS: dict[str, tuple[Options, Options, Options]] = {
    "SGD": ({"lr": 0.1, "momentum": 0.5}, {"lr": 3e-3, "momentum": 0.9}, {"lr": 1.0, "momentum": 0.9}),
    "ASGD": ({"lr": 0.2, "lambd": 0.0}, {"lr": 3e-3, "lambd": 0.0}, {"lr": 3.0, "lambd": 0.0}),
    "Adam": ({"lr": 0.1}, {"lr": 0.3}, {"lr": 0.3}),
    "AdamW": ({"lr": 0.1, **FREE}, {"lr": 0.3, **FREE}, {"lr": 0.3, **FREE}),
    "Adamax": ({"lr": 0.1}, {"lr": 1.0}, {"lr": 1.0}),
    "NAdam": ({"lr": 0.1}, {"lr": 0.1}, {"lr": 0.3}),
    "RAdam": ({"lr": 0.1}, {"lr": 3e-3, "betas": (0.0, 0.9)}, {"lr": 3.0}),
    "Adagrad": ({"lr": 1.0}, {"lr": 1.0}, {"lr": 3.0}),
    "Adadelta": ({"lr": 10.0}, {"lr": 3.0}, {"lr": 30.0}),
    "RMSprop": ({"lr": 0.05, "centered": True}, {"lr": 0.03}, {"lr": 0.1}),
    "Rprop": ({"lr": 0.1}, {"lr": 0.03}, {"lr": 0.03}),
    "Adafactor": ({"lr": 0.3, "beta2_decay": -0.5}, {"lr": 0.3, "beta2_decay": -0.5}, {"lr": 0.1}),
    "Muon": ({"lr": 0.1, **FREE}, {"lr": 0.03, **FREE}, {"lr": 0.1, **FREE}),
    "SparseAdam": ({"lr": 0.1}, {"lr": 0.3}, {"lr": 0.3}),
    "Lion": ({"lr": 0.1}, {"lr": 0.03}, {"lr": 0.1}),
    "LAMB": ({"lr": 0.05, **FREE}, {"lr": 0.1, **FREE}, {"lr": 0.03, **FREE}),
    "LARS": tuple({"lr": lr, "trust_coefficient": 0.02} for lr in (1.0, 1.0, 0.3)),  # type: ignore[dict-item]
    "SophiaG": ({"lr": 0.05, **FREE}, {"lr": 0.01, **FREE}, {"lr": 0.1, **FREE}),
    "SOAP": ({"lr": 0.1, **FREE}, {"lr": 0.03, **FREE}, {"lr": 0.3, **FREE}),
    "LBFGS": ({}, {"line_search_fn": "strong_wolfe"}, {"line_search_fn": "strong_wolfe"}),
    "Lookahead": ({"lr": 0.1, "momentum": 0.5}, {"lr": 3e-3, "momentum": 0.9}, {"lr": 1.0, "momentum": 0.9}),
    "SAM": ({"lr": 0.1, "rho": 1e-3}, {"lr": 1e-3, "momentum": 0.9, "rho": 1e-3}, {"lr": 1.0, "rho": 1e-3}),
}


def made(name: str, params: list[Any], options: Options) -> Any:
    """Lookahead is one around SGD."""
    if name == "Lookahead":
        return optim.Lookahead(optim.SGD(params, **options))
    if name == "SAM":
        return optim.SAM(params, optim.SGD, **options)
    return getattr(optim, name)(params, **options)


def minimised(name: str, p: Any, options: Options, loss: Callable[[], Any], steps: int) -> None:
    """So many steps, at a rate that falls to nothing."""
    optimizer = made(name, [p], options)
    schedule = None if name == "LBFGS" else optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)

    def closure() -> Any:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        if name == "SparseAdam":
            p.grad = p.grad.to_sparse(1)
        return value

    for _ in range(steps):
        optimizer.step(closure)
        if schedule is not None:
            schedule.step()


def test_every_optimizer_has_settings():
    assert set(SETTINGS) == {case.name for case in CASES} | ELSEWHERE


@pytest.mark.parametrize("name", SETTINGS)
def test_quadratic(name: str):
    p = wg.tensor([[3.0, -2.0], [1.0, 4.0]], dtype=wg.float64, requires_grad=True)
    goal = wg.tensor([[1.0, 1.0], [-1.0, 2.0]], dtype=wg.float64)
    scale = wg.tensor([[1.0, 3.0], [2.0, 0.5]], dtype=wg.float64)
    minimised(name, p, SETTINGS[name][0], lambda: (scale * (p - goal) ** 2).sum(), 300)
    assert (p - goal).abs().max().item() < 0.05


@pytest.mark.parametrize("name", SETTINGS)
def test_rosenbrocks_valley(name: str):
    p = wg.tensor([[-1.2, 1.0]], dtype=wg.float64, requires_grad=True)

    def loss() -> Any:
        x, y = p[0]
        return (1 - x) ** 2 + 100 * (y - x**2) ** 2

    start = loss().item()
    minimised(name, p, SETTINGS[name][1], loss, 1000 if name != "LBFGS" else 20)
    assert loss().item() < start / 100


@pytest.mark.parametrize("name", SETTINGS)
def test_logistic_regression(name: str):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2))
    y = (x @ [1.0, -2.0] + 0.5 + 3 * rng.normal(size=60) > 0) * 1.0
    data, labels = wg.tensor(np.c_[x, np.ones(60)]), wg.tensor(y)
    theta = wg.full((1, 3), 0.1, dtype=wg.float64, requires_grad=True)

    def loss() -> Any:
        return wg.nn.functional.binary_cross_entropy_with_logits(data @ theta[0], labels)

    minimised(name, theta, SETTINGS[name][2], loss, 300 if name != "LBFGS" else 5)
    a, best = data.numpy(), np.zeros(3)
    for _ in range(20):  # Newton's method
        s = 1 / (1 + np.exp(-a @ best))
        best -= np.linalg.solve(a.T * (s * (1 - s)) @ a, a.T @ (s - y))
    np.testing.assert_allclose(theta.detach().numpy()[0], best, atol=0.02)
