"""The table of a model: its counts are those of the literature, and making it changes nothing."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn
from wengert.nn import functional as F


def rows(found: Any) -> dict[str, Any]:
    return {row.path: row for row in found.rows}


def test_a_classifier_row_by_row():
    model = nn.Sequential(nn.Conv2d(3, 8, 3, groups=1), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8 * 16, 5))
    model[3].bias.requires_grad_(False)
    found = wg.summary(model, wg.zeros(2, 3, 6, 6))
    by_path = rows(found)
    assert list(by_path) == ["", "0", "1", "2", "3"]
    assert by_path["0"].shapes == [(2, 8, 4, 4)]
    assert by_path["0"].flops == 2 * (2 * 8 * 16) * (3 * 9)
    assert by_path["0"].activation_bytes == 2 * 8 * 16 * 4
    assert by_path["3"].flops == 2 * 2 * 128 * 5
    assert (found.parameters, found.trainable) == (8 * 27 + 8 + 16 + 645, 8 * 27 + 8 + 16 + 640)
    assert found.flops == sum(by_path[p].flops for p in "0123")
    text = str(found)
    assert "5 of them frozen" in text
    assert "[2, 8, 4, 4]" in text


def test_it_changes_nothing():
    model = nn.Sequential(nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2))
    model[1].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    kernel = wg.backends.get_backend("cpu").kernels.linear
    wg.summary(model, wg.randn(8, 4))
    assert [m.training for m in model] == [True, False, True]
    assert all((before[name] == value).all() for name, value in model.state_dict().items())
    assert wg.backends.get_backend("cpu").kernels.linear is kernel
    assert not model._forward_hooks
    with pytest.raises(RuntimeError):
        wg.summary(model, wg.randn(8, 5))
    assert wg.backends.get_backend("cpu").kernels.linear is kernel
    assert not model._forward_hooks


def test_shared_parts_several_inputs_and_parts_that_do_not_run():
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.once = nn.Linear(3, 3)
            self.tied = nn.Linear(3, 3)
            self.tied.weight = self.once.weight
            self.idle = nn.Linear(7, 7)

        def forward(self, x: Any, y: Any, *, scale: float) -> Any:
            return {"sum": self.once(x) + self.once(y) * scale, "product": self.tied(x) @ y.t()}

    found = wg.summary(Model(), (wg.ones(2, 3), wg.ones(2, 3)), scale=2.0)
    by_path = rows(found)
    assert by_path["once"].calls == 2
    assert by_path["once"].shapes == [(2, 3), (2, 3)]
    assert by_path["idle"].calls == 0
    assert "not called" in str(found)
    assert found.parameters == 9 + 3 + 3 + 56
    assert by_path[""].shapes == [(2, 3), (2, 2)]
    assert by_path[""].flops == 3 * 2 * (2 * 9) + 2 * (2 * 2 * 3)


COSTS = {
    "attention": (lambda x: F.scaled_dot_product_attention(x, x, x), (2, 5, 4), 2 * 2 * 5 * 5 * 8),
    "einsum": (lambda x: wg.einsum("bij,bkj->bik", x, x), (2, 5, 4), 2 * 2 * 5 * 5 * 4),
    "transposed convolution": (lambda x: F.conv_transpose1d(x, wg.ones(5, 3, 2)), (2, 5, 4), 2 * 2 * 5 * 4 * 3 * 2),
    "grouped convolution": (lambda x: F.conv1d(x, wg.ones(4, 2, 3), groups=2), (1, 4, 5), 2 * 4 * 3 * 2 * 3),
}


@pytest.mark.parametrize("name", COSTS)
def test_arithmetic_of_functions(name: str):
    function, shape, cost = COSTS[name]
    model = nn.Module()
    model.forward = function
    assert wg.summary(model, wg.ones(shape)).flops == cost


@pytest.mark.parametrize(("kind", "gates"), [(nn.LSTM, 4), (nn.GRU, 3), (nn.RNN, 1)])
def test_arithmetic_of_recurrent_layers(kind: Any, gates: int):
    found = wg.summary(kind(3, 4), wg.ones(6, 2, 3))
    assert found.flops == 2 * 12 * gates * 4 * (3 + 4)
    assert found.rows[0].shapes[0] == (6, 2, 4)


@pytest.mark.slow
def test_resnet18_as_published(monkeypatch: pytest.MonkeyPatch):
    """1.81 billion multiplications with additions for an image of 224x224."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "examples"))
    model = importlib.import_module("models").resnet18()
    found = wg.summary(model, wg.zeros(1, 3, 224, 224), depth=1)
    assert found.flops == 2 * 1_814_073_344
    assert found.parameters == 11_689_512
    lines = str(found).splitlines()
    assert len(lines) == 1 + 1 + 10 + 1 + 1
    np.testing.assert_equal(rows(found)["layer4.1"].shapes, [(1, 512, 7, 7)])
