"""Lazy layers: what they are before and after the first input, moved, copied, loaded, and beside PyTorch's."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn
from wengert.nn.lazy import LazyModuleMixin
from wengert.nn.uninitialized import is_lazy

LAYERS: list[tuple[str, tuple[Any, ...], dict[str, Any], tuple[int, ...]]] = [
    ("LazyLinear", (3,), {}, (2, 5)),
    ("LazyLinear", (3,), {"bias": False}, (5,)),
    ("LazyConv1d", (4, 3), {}, (2, 5, 7)),
    ("LazyConv2d", (4, 3), {"groups": 2, "padding": 1}, (2, 6, 5, 5)),
    ("LazyConv2d", (4, 3, 1, "same"), {"bias": False}, (6, 5, 5)),
    ("LazyConv3d", (2, 2), {}, (1, 2, 3, 3, 3)),
    ("LazyConvTranspose1d", (4, 3), {}, (2, 5, 7)),
    ("LazyConvTranspose2d", (4, 3), {"groups": 2, "stride": 2}, (2, 6, 4, 4)),
    ("LazyConvTranspose3d", (2, 2), {"bias": False}, (1, 2, 3, 3, 3)),
    ("LazyBatchNorm1d", (), {}, (4, 3)),
    ("LazyBatchNorm2d", (), {"affine": False}, (4, 3, 2, 2)),
    ("LazyBatchNorm3d", (), {"track_running_stats": False, "bias": False}, (4, 3, 2, 2, 2)),
    ("LazyInstanceNorm1d", (), {}, (4, 3, 5)),
    ("LazyInstanceNorm2d", (), {"affine": False}, (4, 3, 2, 2)),
    ("LazyInstanceNorm3d", (), {}, (4, 3, 2, 2, 2)),
]


@pytest.mark.parity
@pytest.mark.parametrize(("name", "args", "kwargs", "shape"), LAYERS, ids=str)
def test_lazy_layer_is_that_of_torch(name: str, args: Any, kwargs: Any, shape: Any):
    torch = pytest.importorskip("torch")
    mine, theirs = getattr(nn, name)(*args, **kwargs), getattr(torch.nn, name)(*args, **kwargs)
    assert repr(mine) == repr(theirs)
    assert list(mine.state_dict()) == list(theirs.state_dict())
    assert mine.has_uninitialized_params() == theirs.has_uninitialized_params()
    mine, theirs = mine.double(), theirs.double()
    x = np.random.default_rng(0).standard_normal(shape)
    mine(wg.tensor(x))
    theirs(torch.tensor(x))
    assert repr(mine) == repr(theirs)
    assert type(mine) is getattr(nn, name.removeprefix("Lazy"))
    mine.load_state_dict({k: wg.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    a, b = mine(wg.tensor(x)), theirs(torch.tensor(x))
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-9, atol=1e-9)
    for (n, p), q in zip(mine.state_dict().items(), theirs.state_dict().values(), strict=True):
        np.testing.assert_allclose(p.numpy(), q.numpy(), rtol=1e-9, err_msg=n)


@pytest.mark.parametrize(("name", "args", "kwargs", "shape"), LAYERS, ids=str)
def test_lazy_layer_works_after_it_was_moved_and_copied(name: str, args: Any, kwargs: Any, shape: Any):
    layer = getattr(nn, name)(*args, **kwargs).to(wg.float64)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), layer):
        parameters = list(twin.parameters())
        y = twin(wg.randn(shape, dtype=wg.float64))
        assert y.dtype == wg.float64
        assert [id(p) for p in parameters] == [id(p) for p in twin.parameters()]
        assert all(type(p) is nn.Parameter and p.requires_grad for p in parameters)
        if parameters:
            y.sum().backward()
            assert all(p.grad is not None and p.grad.shape == p.shape for p in parameters)


def test_a_lazy_layer_begins_like_the_ordinary_one():
    wg.manual_seed(0)
    lazy = nn.LazyLinear(30)
    lazy(wg.ones(2, 20))
    wg.manual_seed(0)
    assert wg.equal(lazy.weight, nn.Linear(20, 30).weight)


def test_lazy_layers_in_a_network():
    model = nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))
    assert model(wg.randn(3, 1, 5, 5)).shape == (3, 2)
    assert model[4].in_features == 36
    assert model.eval()(wg.randn(3, 1, 5, 5)).shape == (3, 2)


def test_without_a_shape():
    layer = nn.LazyLinear(3)
    assert repr(layer.weight) == "<UninitializedParameter>"
    assert is_lazy(layer.weight)
    with pytest.raises(RuntimeError, match="uninitialized"):
        _ = layer.weight.shape
    with pytest.raises(ValueError, match="uninitialized"):
        layer.weight.numel()
    with pytest.raises(RuntimeError, match="Expected 3D"):
        nn.LazyConv2d(3, 2)(wg.ones(2, 5))
    with pytest.raises(ValueError, match="expected 4D"):
        nn.LazyBatchNorm2d()(wg.ones(2, 5))
    with pytest.raises(ValueError, match="groups"):
        nn.LazyConv1d(4, 2, groups=2)(wg.ones(2, 3, 5))


def test_loading():
    state = nn.Linear(4, 3).state_dict()
    lazy = nn.LazyLinear(3)
    lazy.load_state_dict(state)
    assert not lazy.has_uninitialized_params()
    y = lazy(wg.ones(2, 4))
    assert type(lazy) is nn.Linear
    assert lazy.in_features == 4
    assert wg.allclose(y, wg.ones(2, 4) @ state["weight"].T + state["bias"])
    other = nn.LazyLinear(3)
    other.load_state_dict(nn.LazyLinear(3).state_dict())
    assert other.has_uninitialized_params()
    with pytest.raises(RuntimeError, match="uninitialized"):
        nn.Linear(4, 3).load_state_dict(nn.LazyLinear(3).state_dict())
    norm = nn.LazyBatchNorm1d()
    norm.load_state_dict(nn.BatchNorm1d(3).state_dict())
    assert norm(wg.randn(4, 3)).shape == (4, 3)


def test_a_lazy_module_of_ones_own():
    class Scale(LazyModuleMixin, nn.Module):
        def __init__(self, ready: bool = True) -> None:
            super().__init__()
            self.factor = nn.UninitializedParameter()
            self.ready = ready
            self.calls = 0

        def initialize_parameters(self, x: Any) -> None:
            self.calls += 1
            if self.ready:
                self.factor.materialize(x.shape)
                nn.init.ones_(self.factor)

        def forward(self, x: Any) -> Any:
            return x * self.factor

    module = Scale()
    for _ in range(2):
        assert module(wg.ones(2)).tolist() == [1.0, 1.0]
    assert module.calls == 1
    with pytest.raises(RuntimeError, match="fully initialized"):
        Scale(False)(wg.ones(2))

    class Bare(LazyModuleMixin, nn.Module):
        """Without initialize_parameters."""

    with pytest.raises(NotImplementedError):
        Bare()(wg.ones(2))


def test_nothing_computes_with_a_parameter_without_a_shape():
    parameter, buffer = nn.UninitializedParameter(), nn.UninitializedBuffer()
    for compute in (
        lambda: parameter + parameter,
        lambda: wg.add(parameter, 1),
        lambda: wg.empty_like(parameter),
        lambda: wg.sin(buffer),
        lambda: wg.optim.Adagrad([parameter]),
    ):
        with pytest.raises(ValueError, match="uninitialized parameter"):
            compute()
    assert parameter.dtype == wg.float32
    assert parameter.device == wg.Device("cpu")
    parameter.materialize(3, dtype=wg.float64)
    assert (parameter.shape, parameter.dtype) == ((3,), wg.float64)


@pytest.mark.parametrize("name", ["weight_norm", "spectral_norm"])
def test_norms_as_hooks_and_script_need_shapes(name: str):
    with pytest.raises(ValueError, match="have uninitialized parameters"):
        getattr(nn.utils, name)(nn.LazyLinear(3))
    with pytest.raises(RuntimeError, match="run a forward pass"):
        wg.jit.script(nn.LazyLinear(3))
