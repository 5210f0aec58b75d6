"""The layers that PyTorch lacks: their values, and what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest

import wengert as wg
from wengert import nn


def test_sinusoids():
    layer = nn.SinusoidalPosition(6, max_length=50, dtype=wg.float64)
    table = layer(wg.zeros(2, 7, 6, dtype=wg.float64)).numpy()
    for t in range(7):
        for i in range(3):
            angle = t / 10000 ** (2 * i / 6)
            np.testing.assert_allclose(table[:, t, 2 * i : 2 * i + 2], [[math.sin(angle), math.cos(angle)]] * 2)
    assert list(layer.state_dict()) == []
    with pytest.raises(RuntimeError, match=r"T up to max_length=50, got \[51, 6\]"):
        layer(wg.zeros(51, 6, dtype=wg.float64))
    with pytest.raises(ValueError, match="positive even number"):
        nn.SinusoidalPosition(5)


@pytest.mark.parametrize("interleaved", [False, True])
def test_rotations(interleaved: bool):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 5, 8))
    layer = nn.RotaryEmbedding(8, base=100.0, interleaved=interleaved)
    y = layer(wg.tensor(x), offset=3).numpy()
    for t in range(5):
        for i in range(4):
            a, b = (2 * i, 2 * i + 1) if interleaved else (i, i + 4)
            angle = (t + 3) / 100 ** (2 * i / 8)
            z = (x[:, t, a] + 1j * x[:, t, b]) * np.exp(1j * angle)
            np.testing.assert_allclose(y[:, t, a] + 1j * y[:, t, b], z)


def test_rotated_products_depend_on_the_distance_only():
    layer = nn.RotaryEmbedding(16)
    q, k = wg.randn(1, 16), wg.randn(1, 16)
    products = [(layer(q, offset=t) * layer(k, offset=t + 7)).sum().item() for t in (0, 5, 300)]
    assert products == pytest.approx([products[0]] * 3, abs=1e-4)
    with pytest.raises(RuntimeError, match=r"expected \(\*, T, 16\), got \[3, 4\]"):
        layer(wg.zeros(3, 4))


def test_dropped_weights():
    wg.manual_seed(0)
    layer = nn.DropConnectLinear(50, 40, bias=False, p=0.25)
    x = wg.eye(50)
    dropped = layer(x).t()
    kept = dropped != 0
    assert 0.2 < 1 - kept.float().mean().item() < 0.3
    wg.testing.assert_close(dropped[kept], layer.weight[kept] / 0.75)
    assert not (layer(x).t() == dropped).all()
    assert (layer.eval()(x).t() == layer.weight).all()
    with pytest.raises(ValueError, match="between 0 and 1"):
        nn.DropConnectLinear(2, 2, p=1.5)


def test_maxout_is_the_largest_of_its_pieces():
    layer = nn.Maxout(3, 2, pieces=4)
    x = wg.randn(5, 3)
    parts = nn.functional.linear(x, layer.weight, layer.bias).view(5, 2, 4)
    assert (layer(x) == parts.max(-1).values).all()
    assert layer.weight.shape == (8, 3)
    with pytest.raises(ValueError, match="pieces must be positive"):
        nn.Maxout(2, 2, pieces=0)
