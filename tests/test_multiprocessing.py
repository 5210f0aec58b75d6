"""Tensors that several processes see."""

from __future__ import annotations

import multiprocessing
import pickle
from typing import Any

import pytest

import wengert as wg
from wengert import nn


def work(i: int, model: Any, row: Any) -> None:
    """What another process does."""
    optimizer = wg.optim.SGD(model.parameters(), lr=1.0)
    model(wg.ones(1, 2)).sum().backward()
    optimizer.step()
    row.fill_(7.0)


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_a_shared_model_is_trained_by_another_process(method: str):
    if method == "forkserver":
        pytest.skip("as spawn")
    model, table = nn.Linear(2, 1, bias=False), wg.zeros(3, 2).t().share_memory_()
    model.weight.grad = wg.zeros(1, 2)
    assert not model.weight.is_shared()
    assert model.share_memory() is model
    assert model.weight.is_shared()
    assert model.weight.untyped_storage().is_shared()
    assert model.weight.grad.is_shared()
    assert table.stride() == (1, 2)
    assert table[1].is_shared()
    before = model.weight.detach().clone()
    wg.multiprocessing.start_processes(work, (model, table[1]), start_method=method)
    assert wg.allclose(model.weight, before - 1)
    assert table.tolist() == [[0.0] * 3, [7.0] * 3]


def test_a_pickle_outside_of_a_start_holds_the_values():
    x = wg.arange(3.0).share_memory_()
    y = pickle.loads(pickle.dumps(x))
    x.zero_()
    assert y.tolist() == [0.0, 1.0, 2.0]
    assert not y.is_shared()
