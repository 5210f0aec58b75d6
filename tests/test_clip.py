"""Clipping gradients, and parameters as one vector."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn

from .backends import backend, to_numpy  # noqa: F401  (a fixture)

ORDERS = (2.0, 1.0, 3.0, 0.5, 0.0, math.inf, -math.inf)


def model_with_gradients(dtype: Any = wg.float64) -> nn.Module:
    wg.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2), nn.Linear(2, 2)).to(dtype)
    for p in list(model.parameters())[:-1]:  # the last one has no gradient
        p.grad = wg.randn(p.shape, dtype=wg.float64).to(dtype)
    return model


def gradients(model: nn.Module) -> np.ndarray:
    return np.concatenate([np.ravel(to_numpy(p.grad.double()._data)) for p in model.parameters() if p.grad is not None])


def norm(x: np.ndarray, order: float) -> float:
    return float(np.linalg.norm(x, order)) if order else float(np.any(x != 0))


@pytest.mark.parametrize("order", ORDERS)
def test_total_norm(order: float, backend: str):  # noqa: F811
    with wg.device(backend):
        model = model_with_gradients()
        x = gradients(model)
        grads = [p.grad for p in model.parameters() if p.grad is not None]
        total = nn.utils.get_total_norm(grads, order)
        assert total.shape == ()
        assert total.device.type == backend
        np.testing.assert_allclose(total.item(), norm(x, order) if order else len(grads), rtol=1e-12)
        np.testing.assert_allclose(
            nn.utils.get_total_norm(grads[0], order).item(), norm(np.ravel(to_numpy(grads[0]._data)), order), rtol=1e-12
        )


@pytest.mark.parametrize("order", [2.0, 1.0, math.inf])
@pytest.mark.parametrize("share", [0.5, 2.0])
def test_clip_grad_norm(order: float, share: float, backend: str):  # noqa: F811
    with wg.device(backend):
        model = model_with_gradients()
        x = gradients(model)
        max_norm = share * norm(x, order)
        total = nn.utils.clip_grad_norm_(model.parameters(), max_norm, order)
        np.testing.assert_allclose(total.item(), norm(x, order), rtol=1e-12)
        np.testing.assert_allclose(gradients(model), x * min(1, max_norm / (norm(x, order) + 1e-6)), rtol=1e-12)


def test_short_types_are_summed_in_float32():
    p = nn.Parameter(wg.ones(1000, dtype=wg.bfloat16))
    p.grad = wg.ones(1000, dtype=wg.bfloat16)
    total = nn.utils.clip_grad_norm_(p, 1.0)
    assert total.dtype == wg.bfloat16
    assert abs(total.item() - math.sqrt(1000)) < 0.2
    assert p.grad.dtype == wg.bfloat16


def test_large_and_small_gradients_do_not_overflow():
    for value in (1e30, 1e-30):
        p = nn.Parameter(wg.ones(4))
        p.grad = wg.full((4,), value)
        np.testing.assert_allclose(nn.utils.get_total_norm([p.grad]).item(), 2 * value, rtol=1e-6)


def test_nothing_to_clip():
    assert nn.utils.clip_grad_norm_([], 1.0).item() == 0.0
    assert nn.utils.clip_grad_norm_(nn.Linear(2, 2).parameters(), 1.0).item() == 0.0


def test_a_generator_with_nothing_left_is_warned_of():
    parameters = model_with_gradients().parameters()
    assert len(list(parameters)) == 6
    with pytest.warns(
        UserWarning, match="`parameters` is an empty generator, no gradient clipping will occur"
    ) as caught:
        assert nn.utils.clip_grad_norm_(parameters, 1.0) == 0
    assert [w.filename for w in caught] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.utils.clip_grad_norm_([], 1.0)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_gradients_that_are_not_finite(bad: float):
    model = model_with_gradients()
    model[1].bias.grad[0] = bad
    before = gradients(model)
    kind = "NaN" if math.isnan(bad) else "an infinity"
    with pytest.raises(RuntimeError, match=rf"non-finite.*the first with {kind} is number 3, of shape \[2\]"):
        nn.utils.clip_grad_norm_(model.parameters(), 1.0, error_if_nonfinite=True)
    with pytest.raises(RuntimeError, match=rf"non-finite.*the first with {kind} is '1.bias', of shape \[2\]"):
        nn.utils.clip_grad_norm_(model.named_parameters(), 1.0, error_if_nonfinite=True)
    np.testing.assert_array_equal(gradients(model), before)
    assert not math.isfinite(nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())


def test_a_graph_that_saved_a_gradient_notices():
    p = nn.Parameter(wg.ones(3))
    p.grad = wg.full((3,), 5.0)
    p.grad.requires_grad_()
    y = (p.grad * p.grad).sum()
    nn.utils.clip_grad_norm_([p], 1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_the_norm_can_be_differentiated():
    x, y = wg.tensor([3.0], requires_grad=True), wg.tensor([4.0], requires_grad=True)
    nn.utils.get_total_norm([x, y]).backward()
    np.testing.assert_allclose([x.grad.item(), y.grad.item()], [0.6, 0.8], rtol=1e-6)


def test_clip_grad_value(backend: str):  # noqa: F811
    with wg.device(backend):
        model = model_with_gradients()
        x = gradients(model)
        nn.utils.clip_grad_value_(model.parameters(), 0.5)
        np.testing.assert_array_equal(gradients(model), np.clip(x, -0.5, 0.5))


def test_vectors():
    model = model_with_gradients()
    vector = nn.utils.parameters_to_vector(model.parameters())
    assert vector.shape == (29,)
    assert vector.requires_grad
    arrays = [p._data for p in model.parameters()]
    nn.utils.vector_to_parameters(wg.arange(29.0), model.parameters())
    assert nn.utils.parameters_to_vector(model.parameters()).tolist() == list(range(29))
    assert all(a is p._data for a, p in zip(arrays, model.parameters(), strict=True))
    assert model[0].weight.is_leaf
    for wrong, error in ((wg.arange(28.0), RuntimeError), ([1.0], TypeError)):
        with pytest.raises(error):
            nn.utils.vector_to_parameters(wrong, model.parameters())
    assert nn.utils.parameters_to_vector(model.parameters()).tolist() == list(range(29))


@pytest.mark.parity
@pytest.mark.parametrize("order", [2.0, 1.0, 3.0, math.inf])
def test_clipping_is_that_of_torch(order: float):
    torch = pytest.importorskip("torch")
    model = model_with_gradients()
    theirs = [torch.nn.Parameter(torch.zeros(tuple(p.shape), dtype=torch.float64)) for p in model.parameters()]
    for p, q in zip(model.parameters(), theirs, strict=True):
        if p.grad is not None:
            q.grad = torch.tensor(to_numpy(p.grad._data).copy())
    expected = torch.nn.utils.clip_grad_norm_(theirs, 1.5, order)
    total = nn.utils.clip_grad_norm_(model.parameters(), 1.5, order)
    np.testing.assert_allclose(total.item(), expected.item(), rtol=1e-12)
    flat = np.concatenate([q.grad.numpy().ravel() for q in theirs if q.grad is not None])
    np.testing.assert_allclose(gradients(model), flat, rtol=1e-12)
