"""What helps in choosing rates and ends: warmup with a cosine, the range test, early stopping."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn, optim
from wengert.optim.lr_scheduler import WarmupCosineLR

# ------------------------------------------------------------------ warmup and cosine


def sgd(lr: Any = 0.5) -> Any:
    return optim.SGD([wg.ones(1, requires_grad=True)], lr=lr)


def rates(schedule: Any, steps: int) -> list[float]:
    found = []
    for _ in range(steps):
        found.append(float(schedule.get_last_lr()[0]))
        schedule.optimizer.step()
        schedule.step()
    return found


@pytest.mark.parametrize("tensor", [False, True])
def test_warmup_and_cosine_by_formula(tensor: bool):
    rate = wg.tensor(0.5, dtype=wg.float64) if tensor else 0.5
    schedule = WarmupCosineLR(sgd(rate), warmup_steps=10, total_steps=90, start_factor=0.1, eta_min=0.01)
    expected = [0.5 * (0.1 + 0.9 * i / 10) for i in range(10)]
    expected += [0.01 + 0.49 * (1 + math.cos(math.pi * i / 80)) / 2 for i in range(80)]
    np.testing.assert_allclose(rates(schedule, 100), [*expected, *[0.01] * 10], rtol=1e-12)


@pytest.mark.parametrize(("warmup", "total"), [(0, 7), (3, 3), (1, 1)])
def test_warmup_or_cosine_alone(warmup: int, total: int):
    found = rates(WarmupCosineLR(sgd(1.0), warmup, total), total + 2)
    line = [i / warmup for i in range(warmup)]
    cosine = [(1 + math.cos(math.pi * i / max(1, total - warmup))) / 2 for i in range(total - warmup + 2)]
    expected = [*line, *(cosine if warmup < total else [1.0, 0.0])]
    np.testing.assert_allclose(found[: total + 1], expected[: total + 1], atol=1e-12)


@pytest.mark.parity
def test_warmup_and_cosine_are_a_chain_of_pytorchs():
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.5)
    s = torch.optim.lr_scheduler
    line, cosine = s.LinearLR(optimizer, 0.1, total_iters=5), s.CosineAnnealingLR(optimizer, 20)
    chain = s.SequentialLR(optimizer, [line, cosine], [5])
    mine = rates(WarmupCosineLR(sgd(), 5, 25, start_factor=0.1), 25)
    np.testing.assert_allclose(mine, rates(chain, 25), rtol=1e-9)


def test_warmup_and_cosine_go_on():
    schedule = WarmupCosineLR(sgd(), 3, 10)
    rates(schedule, 4)
    other = WarmupCosineLR(sgd(), 1, 2)
    other.load_state_dict(pickle.loads(pickle.dumps(schedule.state_dict())))
    assert rates(schedule, 6) == rates(other, 6)
    optimizer = sgd()
    optimizer.param_groups[0]["initial_lr"] = 0.5
    assert WarmupCosineLR(optimizer, 4, 8, last_epoch=1).get_last_lr() == [0.25]


@pytest.mark.parametrize(
    "options", [{"warmup_steps": -1}, {"warmup_steps": 9}, {"total_steps": 0}, {"start_factor": 1.5}], ids=str
)
def test_warmup_that_makes_no_sense(options: dict[str, Any]):
    with pytest.raises(ValueError, match=r"warmup_steps|start_factor"):
        WarmupCosineLR(sgd(), **{"warmup_steps": 2, "total_steps": 8, **options})


# ------------------------------------------------------------------ the range test


def task(seed: int = 0) -> tuple[Any, Any]:
    """A regression with a hidden layer and a batch norm, and its batches."""
    wg.manual_seed(seed)
    x = wg.randn(64, 4)
    y = (x @ wg.randn(4, 1)).tanh()
    model = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.Tanh(), nn.Dropout(0.1), nn.Linear(16, 1))
    data = wg.utils.data.TensorDataset(x, y)
    return model, wg.utils.data.DataLoader(data, batch_size=16, shuffle=True)


def everything(model: Any, optimizer: Any) -> Any:
    return copy.deepcopy([model.state_dict(), optimizer.state_dict(), [m.training for m in model.modules()]])


def same(a: Any, b: Any) -> bool:
    if isinstance(a, wg.Tensor):
        return bool((a == b).all())
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return all(same(x, y) for x, y in zip(a, b, strict=True)) if isinstance(a, list) else a == b


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_a_range_test_leaves_no_trace(name: str):
    model, loader = task()
    optimizer = getattr(optim, name)(model.parameters(), lr=0.01)
    nn.functional.mse_loss(model(loader.dataset.tensors[0]), loader.dataset.tensors[1]).backward()
    optimizer.step()
    model[0].eval()
    before, grad, random = everything(model, optimizer), model[0].weight.grad.clone(), wg.get_rng_state()
    finder = optim.LRFinder(model, optimizer, nn.MSELoss())
    finder.range_test(loader, start_lr=1e-4, end_lr=100, num_iter=40)
    assert len(finder.history["lr"]) > 20
    assert same(everything(model, optimizer), before)
    assert (model[0].weight.grad == grad).all()
    assert (wg.get_rng_state() == random).all()

    def fails(output: Any, target: Any) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        optim.LRFinder(model, optimizer, fails).range_test(loader)
    assert same(everything(model, optimizer), before)


def test_rates_of_a_range_test():
    model, loader = task()
    finder = optim.LRFinder(model, optim.SGD(model.parameters(), lr=0.1), nn.MSELoss())
    finder.range_test(loader, start_lr=1e-4, end_lr=1e-1, num_iter=4, smooth_f=0.0)
    np.testing.assert_allclose(finder.history["lr"], [1e-4, 1e-3, 1e-2, 1e-1])
    finder.range_test(loader, start_lr=1.0, end_lr=4.0, num_iter=4, step_mode="linear", diverge_th=math.inf)
    np.testing.assert_allclose(finder.history["lr"], [1.0, 2.0, 3.0, 4.0])


def test_a_range_test_finds_a_rate_that_trains():
    model, loader = task()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    finder = optim.LRFinder(model, optimizer, nn.MSELoss()).range_test(loader, start_lr=1e-5, end_lr=1000)
    assert finder.history["loss"][-1] > finder.best_loss, "it went on until the loss rose"
    steepest, minimum = finder.suggestion(), finder.suggestion("minimum", skip_end=0)
    assert 1e-3 < steepest < 10
    assert minimum == pytest.approx(finder.history["lr"][finder.history["loss"].index(finder.best_loss)] / 10)
    ends = {}
    for rate in (steepest, steepest / 1000, 1000 * steepest):
        again, loader = task()
        optimizer = optim.SGD(again.parameters(), lr=rate)
        for _ in range(10):
            for x, y in loader:
                optimizer.zero_grad()
                loss = nn.functional.mse_loss(again(x), y)
                loss.backward()
                optimizer.step()
        ends[rate] = loss.item()
    assert ends[steepest] == min(ends.values())


def test_the_steepest_place():
    finder = optim.LRFinder(nn.Linear(1, 1), sgd(), nn.MSELoss())
    grid = np.logspace(-4, 1, 51)
    finder.history = {"lr": grid.tolist(), "loss": (1 / (1 + (grid / 1e-2) ** 2)).tolist()}  # steepest at 1e-2
    assert finder.suggestion(skip_start=0, skip_end=0) == pytest.approx(1e-2)
    assert finder.suggestion("minimum", skip_start=0, skip_end=0) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="steepest"):
        finder.suggestion("valley")
    with pytest.raises(RuntimeError, match="range_test"):
        finder.suggestion(skip_start=40, skip_end=20)


def test_validation_batches_and_accumulation():
    model, loader = task()
    finder = optim.LRFinder(model, optim.SGD(model.parameters(), lr=0.1), nn.MSELoss(), device="cpu")
    finder.range_test(loader, loader, start_lr=1e-4, num_iter=5, accumulation_steps=2, smooth_f=0.0)
    assert len(finder.history["loss"]) == 5
    with pytest.raises(ValueError, match="no batches"):
        finder.range_test([])


@pytest.mark.parametrize(
    "options",
    [{"start_lr": 0.0}, {"start_lr": 1.0, "end_lr": 0.5}, {"num_iter": 1}, {"step_mode": "cubic"}, {"smooth_f": 1.0},
     {"accumulation_steps": 0}],
    ids=str,
)  # fmt: skip
def test_a_range_test_that_makes_no_sense(options: dict[str, Any]):
    model, loader = task()
    with pytest.raises(ValueError, match="|".join(["expected one of", *options])):
        optim.LRFinder(model, optim.SGD(model.parameters()), nn.MSELoss()).range_test(loader, **options)


def test_the_picture_of_a_range_test(tmp_path: Any):
    pytest.importorskip("matplotlib")
    model, loader = task()
    finder = optim.LRFinder(model, optim.SGD(model.parameters(), lr=0.1), nn.MSELoss())
    figure = finder.range_test(loader, num_iter=40).plot(path=tmp_path / "rates.png")
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    assert (tmp_path / "rates.png").stat().st_size > 0
    line = axes.lines[0]
    assert line.get_xdata().tolist() == finder.history["lr"][10:-5]
    assert [text.get_text().split(":")[0] for text in axes.get_legend().get_texts()] == ["steepest", "minimum"]
    assert finder.plot(log_lr=False, suggest_lr=False).axes[0].get_legend() is None


# ------------------------------------------------------------------ early stopping


@pytest.mark.parametrize(
    ("options", "metrics", "stops", "best"),
    [
        ({"patience": 2}, [5, 4, 4, 4, 4, 1], 4, 1),
        ({"patience": 0}, [5, 4, 4], 2, 1),
        ({"patience": 1, "min_delta": 0.5}, [5, 4.8, 4.6, 1], 2, 0),
        ({"patience": 1, "mode": "max"}, [1, 2, 1, 1.5, 3], 3, 1),
        ({"patience": 1}, [3, math.nan, 2, math.nan, math.nan], 4, 2),
        ({"patience": 3}, [3, 2, 1], None, 2),
    ],
)
def test_when_to_stop(options: dict[str, Any], metrics: list[float], stops: int | None, best: int):
    stopping = optim.EarlyStopping(**options)
    found = [stopping.step(wg.tensor(float(m))) for m in metrics]
    assert (found.index(True) if True in found else None) == stops
    assert stopping.best_epoch == best or stops is not None
    assert stopping.stopped == found[-1]


def test_the_best_weights_come_back():
    model = nn.Linear(2, 1)
    stopping = optim.EarlyStopping(patience=1, restore_best=True)
    for epoch, metric in enumerate([3.0, 1.0, 2.0, 2.0]):
        nn.init.constant_(model.weight, float(epoch))
        if stopping.step(metric, model):
            break
    assert epoch == 3
    assert model.weight.tolist() == [[1.0, 1.0]]
    with pytest.raises(RuntimeError, match="model"):
        stopping.step(1.0)


def test_stopping_goes_on():
    model = nn.Linear(2, 1)
    stopping = optim.EarlyStopping(patience=2, restore_best=True)
    for metric in (2.0, 1.0, 3.0):
        stopping.step(metric, model)
    other = optim.EarlyStopping()
    other.load_state_dict(pickle.loads(pickle.dumps(stopping.state_dict())))
    assert [other.step(3.0, model), other.step(3.0, model)] == [False, True]
    assert other.best == 1.0
    for wrong in ({"patience": -1}, {"min_delta": -1.0}, {"mode": "least"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            optim.EarlyStopping(**wrong)
