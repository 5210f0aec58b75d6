"""Errors name the module that raised them, by its path in the model."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

import wengert as wg
from wengert import nn


def model() -> nn.Module:
    net = nn.Module()
    net.features = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(5, 2, bias=False))
    net.forward = lambda x: net.features(x)
    return net


def test_the_path_leads_from_the_model_to_the_layer():
    with pytest.raises(RuntimeError) as caught:
        model()(wg.ones(2, 1, 6, 6))
    text = str(caught.value)
    assert text.startswith("linear: mat1 and mat2 shapes cannot be multiplied (2x64 and 5x2)")
    assert text.endswith(" [in features.3: Linear(in_features=5, out_features=2, bias=False)]")


def test_a_layer_alone_and_one_that_its_model_does_not_know():
    with pytest.raises(RuntimeError, match=r" \[in Linear\(in_features=3, out_features=2, bias=True\)\]$"):
        nn.Linear(3, 2)(wg.ones(2, 4))

    class Hidden(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.parts = (nn.Linear(3, 2),)  # a tuple registers nothing

        def forward(self, x: wg.Tensor) -> wg.Tensor:
            return self.parts[0](x)

    with pytest.raises(RuntimeError, match=r" \[in Linear\(in_features=3, out_features=2, bias=True\)\]$"):
        Hidden()(wg.ones(2, 4))


def test_a_loss_a_recurrent_layer_and_hooks():
    pair = nn.ModuleDict({"rnn": nn.LSTM(3, 4), "loss": nn.CrossEntropyLoss()})
    wrapped = nn.Sequential(pair)
    wrapped.forward = lambda x, y: pair["loss"](pair["rnn"](x)[0][0], y)
    with pytest.raises(RuntimeError, match=r"Expected 3, got 5 \[in 0\.rnn: LSTM\(3, 4\)\]"):
        wrapped(wg.ones(2, 1, 5), wg.tensor([0]))
    with pytest.raises(IndexError, match=r"\[in 0\.loss: CrossEntropyLoss\(\)\]"):
        wrapped(wg.ones(2, 1, 3), wg.tensor([7]))
    wrapped.register_forward_hook(lambda *_: None)
    with pytest.raises(IndexError, match=r"\[in 0\.loss: CrossEntropyLoss\(\)\]"):
        wrapped(wg.ones(2, 1, 3), wg.tensor([7]))


def test_outside_of_a_model_nothing_is_added():
    with pytest.raises(RuntimeError) as caught:
        wg.ones(2, 3) @ wg.ones(2, 3)
    assert "[in " not in str(caught.value)


def test_the_cell_of_a_notebook_goes_by_its_number(monkeypatch: pytest.MonkeyPatch):
    """IPython keeps a cell in a file with a name that tells nobody anything."""
    x = wg.ones(1, requires_grad=True)
    compiler = SimpleNamespace(format_code_name=lambda file: ("Cell", "In[7]") if file == __file__ else None)
    shell = SimpleNamespace(compile=compiler)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    with wg.debug.record_lines():
        y = x * x
    y.backward()
    with pytest.raises(RuntimeError, match=r"recorded at In\[7\]:\d+, .* started at In\[7\]:\d+"):
        y.backward()
