"""Averages of a model's weights."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn, optim
from wengert.optim import swa_utils
from wengert.optim.swa_utils import AveragedModel


def model(T: Any = wg) -> Any:
    net = T.nn.Sequential(T.nn.Linear(3, 4), T.nn.BatchNorm1d(4), T.nn.Linear(4, 1)).double()
    rng = np.random.default_rng(0)
    with T.no_grad():
        for p in net.parameters():
            p.copy_(T.tensor(rng.normal(size=tuple(p.shape))))
    return net


AVERAGES = {
    "mean": lambda T: {},
    "mean with buffers": lambda T: {"use_buffers": True},
    "ema": lambda T: {"avg_fn": T.optim.swa_utils.get_ema_avg_fn(0.7)},
    "swa": lambda T: {"avg_fn": T.optim.swa_utils.get_swa_avg_fn()},
    "ema of lists": lambda T: {"multi_avg_fn": T.optim.swa_utils.get_ema_multi_avg_fn(0.7)},
    "swa of lists": lambda T: {"multi_avg_fn": T.optim.swa_utils.get_swa_multi_avg_fn()},
    "own": lambda T: {"avg_fn": lambda average, current, number: T.maximum(average, current)},
}


def trained(T: Any, options: dict[str, Any]) -> Any:
    net = model(T)
    average = T.optim.swa_utils.AveragedModel(net, **options)
    optimizer = T.optim.SGD(net.parameters(), lr=0.1)
    rng = np.random.default_rng(1)
    for _ in range(5):
        optimizer.zero_grad()
        (net(T.tensor(rng.normal(size=(8, 3)))) ** 2).mean().backward()
        optimizer.step()
        average.update_parameters(net)
    return average


@pytest.mark.parity
@pytest.mark.parametrize("name", AVERAGES)
def test_averages_are_pytorchs(name: str):
    torch = pytest.importorskip("torch")
    mine, theirs = (trained(T, AVERAGES[name](T)).state_dict() for T in (wg, torch))
    assert list(mine) == list(theirs)
    for key, value in theirs.items():
        np.testing.assert_allclose(mine[key].numpy(), value.numpy(), rtol=1e-7, err_msg=key)  # float32 weights there


def test_the_average_is_a_module_that_learns_nothing():
    average = trained(wg, {})
    assert isinstance(average, AveragedModel)
    assert isinstance(average, nn.Module)
    assert int(average.n_averaged) == 5
    assert average(wg.ones(2, 3, dtype=wg.float64)).shape == (2, 1)
    assert next(name for name, _ in average.named_parameters()) == "module.0.weight"
    average.eval()
    assert not average.module.training


@pytest.mark.parametrize("way", ["deepcopy", "pickle", "state_dict"])
def test_copies(way: str):
    average = trained(wg, {})
    if way == "state_dict":
        other = AveragedModel(model())
        other.load_state_dict(average.state_dict())
    else:
        other = copy.deepcopy(average) if way == "deepcopy" else pickle.loads(pickle.dumps(average))
    assert isinstance(other, AveragedModel)
    net = model()
    for each in (average, other):
        each.update_parameters(net)
    for p, q in zip(average.parameters(), other.parameters(), strict=True):
        assert (p == q).all()
    assert int(other.n_averaged) == 6


def test_bad_input():
    with pytest.raises(AssertionError, match="Only one"):
        AveragedModel(model(), avg_fn=swa_utils.get_swa_avg_fn(), multi_avg_fn=swa_utils.get_swa_multi_avg_fn())
    for make in (swa_utils.get_ema_avg_fn, swa_utils.get_ema_multi_avg_fn):
        with pytest.raises(ValueError, match="decay"):
            make(1.5)
    with pytest.raises(TypeError, match="Module"):
        AveragedModel([1, 2])


@pytest.mark.parametrize("as_tuples", [False, True])
def test_statistics_of_batch_norm_are_found_anew(as_tuples: bool):
    rng = np.random.default_rng(0)
    batches = [wg.tensor(rng.normal(loc=2.0, size=(16, 4))) for _ in range(3)]
    norm = nn.BatchNorm1d(4, momentum=0.3).double()
    norm(wg.ones(8, 4, dtype=wg.float64))
    norm.eval()
    swa_utils.update_bn([(b, None) for b in batches] if as_tuples else batches, norm)
    means = np.mean([b.numpy().mean(0) for b in batches], axis=0)
    np.testing.assert_allclose(norm.running_mean.numpy(), means)
    assert (norm.momentum, norm.training, int(norm.num_batches_tracked)) == (0.3, False, 3)
    swa_utils.update_bn(batches, nn.Linear(4, 1).double())  # nothing to do


def test_a_recipe_with_a_schedule():
    wg.manual_seed(0)
    net = nn.Linear(2, 1).double()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    average, schedule = AveragedModel(net), swa_utils.SWALR(optimizer, swa_lr=0.3, anneal_epochs=5)
    x = wg.tensor(np.random.default_rng(0).normal(size=(32, 2)))
    y = x @ wg.tensor([[1.0], [-1.0]], dtype=wg.float64)
    for _ in range(60):
        optimizer.zero_grad()
        ((net(x) - y) ** 2).mean().backward()
        optimizer.step()
        schedule.step()
        average.update_parameters(net)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.3)
    assert ((average(x) - y) ** 2).mean().item() < 0.2
