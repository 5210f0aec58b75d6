"""What courses teach of training: the worked numbers W12-W14 and the systems S7-S9, through the public API."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn, optim
from wengert.optim import lr_scheduler
from wengert.utils.data import DataLoader, TensorDataset


def double(values: Any) -> Any:
    return wg.tensor(values, dtype=wg.float64)


def rates(make: Callable[[Any], Any], lr: float, steps: int) -> list[float]:
    optimizer = optim.SGD([wg.zeros(1, requires_grad=True)], lr=lr)
    schedule = make(optimizer)
    found = [optimizer.param_groups[0]["lr"]]
    for _ in range(steps):
        optimizer.step()
        schedule.step()
        found.append(optimizer.param_groups[0]["lr"])
    return found


# ------------------------------------------------------------------ W12: linear decay to step tau = 4


def test_w12_linear_decay():
    start, end = 0.4, 0.08
    found = rates(lambda o: lr_scheduler.LinearLR(o, 1.0, end / start, total_iters=4), start, 7)
    by_hand = [start, 3 / 4 * start + 1 / 4 * end, 2 / 4 * start + 2 / 4 * end, 1 / 4 * start + 3 / 4 * end]
    np.testing.assert_allclose(found, [*by_hand, end, end, end, end], rtol=1e-12)


# ------------------------------------------------------------------ W13: polynomial ridge regression of degree 10


def polynomial() -> tuple[np.ndarray, np.ndarray]:
    """``y = 5 + 2x + 10x**2 - 2x**3`` and noise, and the powers of x up to the tenth."""
    rng = np.random.default_rng(0)
    x = np.linspace(-1, 1, 100)
    y = 5 + 2 * x + 10 * x**2 - 2 * x**3 + rng.normal(size=100)
    return x[:, None] ** np.arange(11), y


def descended(X: np.ndarray, y: np.ndarray, penalty: float, steps: int) -> np.ndarray:
    """Gradient descent on half the squared error, with the L2 penalty as weight decay."""
    theta = wg.zeros(11, dtype=wg.float64, requires_grad=True)
    steepest = np.linalg.eigvalsh(X.T @ X).max() + penalty
    optimizer = optim.SGD([theta], lr=1 / steepest, weight_decay=penalty)
    features, targets = double(X), double(y)
    for _ in range(steps):
        optimizer.zero_grad()
        (0.5 * ((features @ theta - targets) ** 2).sum()).backward()
        optimizer.step()
    return theta.detach().numpy()


def test_w13_ridge_regression_reaches_the_closed_form():
    X, y = polynomial()
    sizes = []
    for penalty in (0, 10, 100):
        exact = np.linalg.solve(X.T @ X + penalty * np.eye(11), X.T @ y)
        found = descended(X, y, penalty, 1000)
        if penalty:
            np.testing.assert_allclose(found, exact, atol=1e-8)
        else:  # without a penalty some directions are flat: the fit gets there long before the coefficients do
            assert np.sqrt(np.mean((X @ found - X @ exact) ** 2)) < 0.2
        sizes.append(np.linalg.norm(exact))
    assert sizes[0] > sizes[1] > sizes[2], "coefficients shrink as the penalty grows"


# ------------------------------------------------------------------ W14: L2 penalty and weight decay

GOAL = np.array([1.0, -3.0])


def penalised(kind: str, alpha: float, decay: float, penalty: float, **options: Any) -> np.ndarray:
    """The path on a quadratic, with a penalty in the loss, or decay in the optimizer."""
    theta = double([2.0, 2.0]).requires_grad_()
    optimizer = getattr(optim, kind)([theta], lr=alpha, weight_decay=decay, **options)
    path = []
    for _ in range(10):
        optimizer.zero_grad()
        (0.5 * ((theta - double(GOAL)) ** 2).sum() + 0.5 * penalty * (theta**2).sum()).backward()
        optimizer.step()
        path.append(theta.detach().numpy().copy())
    return np.array(path)


def test_w14_under_sgd_they_are_equal():
    alpha, lam = 0.1, 0.5
    theta, by_hand = np.array([2.0, 2.0]), []
    for _ in range(10):
        theta = theta * (1 - alpha * lam) - alpha * (theta - GOAL)
        by_hand.append(theta)
    np.testing.assert_allclose(penalised("SGD", alpha, lam, 0.0), by_hand, rtol=1e-12)
    np.testing.assert_allclose(penalised("SGD", alpha, 0.0, lam), by_hand, rtol=1e-12)


def test_w14_under_adam_they_differ_and_adamw_decouples():
    alpha, lam = 0.1, 0.5
    loss, decay = penalised("Adam", alpha, 0.0, lam), penalised("AdamW", alpha, lam, 0.0)
    np.testing.assert_allclose(penalised("Adam", alpha, lam, 0.0), loss, rtol=1e-12)
    assert abs(loss - decay).max() > 0.05
    theta, m, v = np.array([2.0, 2.0]), 0.0, 0.0
    for t, found in enumerate(decay, 1):
        g = theta - GOAL
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        step = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        theta = theta * (1 - alpha * lam) - alpha * step
        np.testing.assert_allclose(found, theta, rtol=1e-10)


# ------------------------------------------------------------------ S7: batch, online and mini-batch descent


def regression() -> tuple[Any, Any, np.ndarray]:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 3))
    y = x @ [2.0, -1.0, 0.5] + 0.1 * rng.normal(size=60)
    return double(x), double(y)[:, None], np.linalg.lstsq(x, y, rcond=None)[0]


def gradient(x: Any, y: Any) -> np.ndarray:
    model = nn.Linear(3, 1, bias=False, dtype=wg.float64)
    nn.init.constant_(model.weight, 0.3)
    nn.functional.mse_loss(model(x), y).backward()
    return model.weight.grad.numpy()


@pytest.mark.parametrize("size", [1, 20, 60])
def test_s7_expectations_are_equal(size: int):
    """The mean gradient over the batches of an epoch is the gradient over all samples, whatever their size."""
    x, y, _ = regression()
    wg.manual_seed(0)
    loader = DataLoader(TensorDataset(x, y), batch_size=size, shuffle=True)
    parts = [gradient(a, b) for a, b in loader]
    assert len(parts) == 60 // size
    np.testing.assert_allclose(np.mean(parts, axis=0), gradient(x, y), rtol=1e-10)


def test_s7_an_epoch_is_a_partition_in_a_new_order():
    wg.manual_seed(0)
    loader = DataLoader(TensorDataset(wg.arange(60)), batch_size=16, shuffle=True)
    epochs = [[batch[0].tolist() for batch in loader] for _ in range(3)]
    for epoch in epochs:
        assert [len(batch) for batch in epoch] == [16, 16, 16, 12]
        assert sorted(number for batch in epoch for number in batch) == list(range(60))
    assert epochs[0] != epochs[1] != epochs[2]


@pytest.mark.parametrize(("size", "lr"), [(60, 0.2), (1, 0.01), (10, 0.05)], ids=["batch", "online", "mini-batch"])
def test_s7_all_of_them_get_there(size: int, lr: float):
    x, y, best = regression()
    wg.manual_seed(0)
    model = nn.Linear(3, 1, bias=False, dtype=wg.float64)
    optimizer = optim.SGD(model.parameters(), lr=lr)
    loader = DataLoader(TensorDataset(x, y), batch_size=size, shuffle=True)
    curve = []
    for _ in range(60):
        for a, b in loader:
            optimizer.zero_grad()
            nn.functional.mse_loss(model(a), b).backward()
            optimizer.step()
        curve.append(nn.functional.mse_loss(model(x), y).item())
    assert curve[-1] < curve[0] / 5 or curve[0] < 0.02  # online descent is nearly there after one epoch
    np.testing.assert_allclose(model.weight.detach().numpy()[0], best, atol=0.05)


# ------------------------------------------------------------------ S8: the update rules as they are written

Memory = dict[str, Any]


def momentum(s: Memory, g: np.ndarray, t: int) -> np.ndarray:
    s["v"] = 0.9 * s.get("v", 0) - 0.01 * g
    return s["v"]


def nesterov(s: Memory, g: np.ndarray, t: int) -> np.ndarray:
    s["b"] = 0.9 * s.get("b", 0) + g
    return -0.01 * (g + 0.9 * s["b"])


def adagrad(s: Memory, g: np.ndarray, t: int) -> np.ndarray:
    s["r"] = s.get("r", 0) + g * g
    return -0.4 * g / (np.sqrt(s["r"]) + 1e-10)


def rmsprop(s: Memory, g: np.ndarray, t: int) -> np.ndarray:
    s["r"] = 0.9 * s.get("r", 0) + 0.1 * g * g
    return -0.01 * g / (np.sqrt(s["r"]) + 1e-8)


def adam(s: Memory, g: np.ndarray, t: int) -> np.ndarray:
    s["m"], s["r"] = 0.9 * s.get("m", 0) + 0.1 * g, 0.999 * s.get("r", 0) + 0.001 * g * g
    return -0.1 * s["m"] / (1 - 0.9**t) / (np.sqrt(s["r"] / (1 - 0.999**t)) + 1e-8)


RULES: dict[str, tuple[Callable[..., Any], Callable[[Any], Any]]] = {
    "descent": (lambda s, g, t: -0.01 * g, lambda p: optim.SGD(p, lr=0.01)),
    "momentum": (momentum, lambda p: optim.SGD(p, lr=0.01, momentum=0.9)),
    "Nesterov": (nesterov, lambda p: optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True)),
    "Adagrad": (adagrad, lambda p: optim.Adagrad(p, lr=0.4)),
    "RMSProp": (rmsprop, lambda p: optim.RMSprop(p, lr=0.01, alpha=0.9)),
    "Adam": (adam, lambda p: optim.Adam(p, lr=0.1)),
    "AdamW": (adam, lambda p: optim.AdamW(p, lr=0.1, weight_decay=0.05)),
}
BOWLS = {"10 t1**2 + 0.5 t2**2": np.array([20.0, 1.0]), "a condition of 1000": np.array([50.0, 0.05])}


def path(make: Callable[[Any], Any], curvature: np.ndarray, steps: int) -> np.ndarray:
    theta = double([1.5, -2.0]).requires_grad_()
    optimizer = make([theta])
    points = []
    for _ in range(steps):
        optimizer.zero_grad()
        (0.5 * double(curvature) * theta**2).sum().backward()
        optimizer.step()
        points.append(theta.detach().numpy().copy())
    return np.array(points)


@pytest.mark.parametrize("bowl", BOWLS)
@pytest.mark.parametrize("name", RULES)
def test_s8_paths(name: str, bowl: str):
    rule, make = RULES[name]
    theta, memory, expected = np.array([1.5, -2.0]), {}, []
    for t in range(1, 51):
        change = rule(memory, BOWLS[bowl] * theta, t)
        theta = theta * (1 - 0.1 * 0.05) + change if name == "AdamW" else theta + change
        expected.append(theta)
    np.testing.assert_allclose(path(make, BOWLS[bowl], 50), expected, rtol=1e-9, atol=1e-12)


def test_s8_momentum_and_adaptive_rates_help_where_curvatures_differ():
    bowl = BOWLS["a condition of 1000"]
    ends = {name: abs(path(make, bowl, 200)[-1]).max() for name, (_, make) in RULES.items()}
    assert ends["descent"] > 1.5, "along the flat direction plain descent has hardly moved"
    assert max(ends["momentum"], ends["Nesterov"]) < 0.9 * ends["descent"]
    assert max(ends["Adam"], ends["Adagrad"]) < 0.2


# ------------------------------------------------------------------ S9: schedules and the range test


def test_s9_schedules():
    def cycle(mode: str) -> list[float]:
        return rates(
            lambda o: lr_scheduler.CyclicLR(o, 0.1, 0.5, step_size_up=2, mode=mode, cycle_momentum=False), 1.0, 8
        )

    np.testing.assert_allclose(rates(lambda o: lr_scheduler.StepLR(o, 2, 0.1), 1.0, 5), [1, 1, 0.1, 0.1, 0.01, 0.01])
    np.testing.assert_allclose(cycle("triangular"), [0.1, 0.3, 0.5, 0.3, 0.1, 0.3, 0.5, 0.3, 0.1])
    np.testing.assert_allclose(cycle("triangular2"), [0.1, 0.3, 0.5, 0.3, 0.1, 0.2, 0.3, 0.2, 0.1])
    found = rates(lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, T_0=4, T_mult=2, eta_min=0.1), 1.0, 12)
    first, second = ([0.1 + 0.45 * (1 + math.cos(math.pi * i / n)) for i in range(n)] for n in (4, 8))
    np.testing.assert_allclose(found, [*first, *second, 1.0])


def test_s9_the_range_test_on_a_real_model():
    wg.manual_seed(0)
    x = wg.randn(256, 1, 8, 8)
    y = (x[:, 0, :4].sum((1, 2)) > x[:, 0, 4:].sum((1, 2))).long()
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))
    optimizer = optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
    finder = optim.LRFinder(model, optimizer, nn.CrossEntropyLoss())
    found = finder.range_test(loader, start_lr=1e-5, end_lr=100).suggestion()
    losses = finder.history["loss"]
    assert min(losses) < 0.6 * losses[0] < losses[-1], "it falls, and in the end it rises"
    schedule = lr_scheduler.CyclicLR(optimizer, found / 4, found, step_size_up=20)
    for _ in range(10):
        for a, b in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(a), b).backward()
            optimizer.step()
            schedule.step()
    assert (model(x).argmax(1) == y).float().mean().item() > 0.95
