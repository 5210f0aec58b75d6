"""Worked examples from courses on neural networks, to the numbers that a student gets with pencil and paper."""

from __future__ import annotations

import numpy as np
import pytest

import wengert as wg
from wengert import nn, optim
from wengert.nn import functional as F


def leaf(values: object) -> wg.Tensor:
    return wg.tensor(values, dtype=wg.float64, requires_grad=True)


def constant(values: object) -> wg.Tensor:
    return wg.tensor(values, dtype=wg.float64)


def jacobian(outputs: wg.Tensor, inputs: wg.Tensor) -> np.ndarray:
    """Row i: the gradient of output i, found by one backward pass."""
    rows = [wg.autograd.grad(output, inputs, retain_graph=True)[0].numpy() for output in outputs]
    return np.array(rows)


def softmax(a: np.ndarray) -> np.ndarray:
    e = np.exp(a - a.max())
    return e / e.sum()


def test_chain_rule_circuit():
    x, y, z = leaf(-2.0), leaf(5.0), leaf(-4.0)
    q = x + y
    f = q * z
    f.backward()
    assert (q.item(), f.item()) == (3.0, -12.0)
    assert (x.grad.item(), y.grad.item(), z.grad.item()) == (-4.0, -4.0, 3.0)


def test_gradients_between_the_layers():
    rng = np.random.default_rng(0)
    x, w1, b1 = leaf(rng.normal(size=(1, 3))), leaf(rng.normal(size=(3, 4))), leaf(rng.normal(size=4))
    w2, b2, y = leaf(rng.normal(size=(4, 1))), leaf(rng.normal(size=1)), constant([[0.5]])
    h1 = x @ w1 + b1
    z1 = wg.sigmoid(h1)
    z2 = z1 @ w2 + b2
    loss = ((z2 - y) ** 2).sum()
    for t in (h1, z1, z2):
        t.retain_grad()
    loss.backward()

    values = z1.detach().numpy()
    dz2 = 2 * (z2.detach().numpy() - 0.5)
    dz1 = dz2 @ w2.detach().numpy().T  # dz2/dz1 = W2'
    dh1 = dz1 * values * (1 - values)  # dz1/dh1 = z1 (1 - z1)
    np.testing.assert_allclose(z2.grad.numpy(), dz2)
    np.testing.assert_allclose(z1.grad.numpy(), dz1)
    np.testing.assert_allclose(h1.grad.numpy(), dh1)
    np.testing.assert_allclose(x.grad.numpy(), dh1 @ w1.detach().numpy().T)  # dh1/dx = W1'
    np.testing.assert_allclose(w1.grad.numpy(), x.detach().numpy().T @ dh1)
    np.testing.assert_allclose(b2.grad.numpy(), dz2[0])


# One hidden layer of four sigmoid units, the rows of W' one unit each.
X = (-3, 1, 5)
W = ((3, -9, 2), (11, -2, 7), (-6, 3, -4), (6, -1, 5))
B = (5, 2, -1, 1)


def hidden() -> tuple[wg.Tensor, wg.Tensor]:
    z_in = constant(W) @ constant(X) + constant(B)
    return z_in, wg.sigmoid(z_in)


def test_one_hidden_layer_one_sigmoid_output():
    z_in, z_out = hidden()
    f_in = constant((3, -12, 8, 1)) @ z_out + 6
    assert z_in.tolist() == [-3, 2, 0, 7]
    np.testing.assert_allclose(z_out.numpy(), (0.05, 0.88, 0.50, 1.00), atol=0.005)
    assert f_in.item() == pytest.approx(0.5718, abs=5e-5)
    assert wg.sigmoid(f_in).item() == pytest.approx(0.6392, abs=5e-5)


def test_one_hidden_layer_three_softmax_outputs():
    _, z = hidden()
    a = (constant(((3, -12, 8, 1), (2, -3, 9, 1), (-5, 1, -1, 7))) @ z + constant((6, 0, -8))).requires_grad_()
    t = wg.softmax(a, dim=0)
    expected = softmax(a.detach().numpy())
    np.testing.assert_allclose(t.detach().numpy(), expected)
    assert t.sum().item() == pytest.approx(1)
    np.testing.assert_allclose(jacobian(t, a), np.diag(expected) - np.outer(expected, expected), atol=1e-12)


def test_three_hidden_relu_layers():
    x = constant((7, 1, -4))
    z1_in = constant(((13, -9, 2), (-8, 0, 3), (4, -1, 5), (-3, 12, 7))) @ x + constant((5, -2, 2, 11))
    w2 = constant(((1, 0, -4, 1), (0, 11, 2, -14), (-1, 5, -2, 16), (0, -9, -3, 4)))
    z2_in = w2 @ wg.relu(z1_in) + constant((-5, 3, 1, -8))
    w3 = constant(((1, -2, -18, -7), (3, -4, 8, 0), (-2, 1, 21, 5), (2, -2, 11, -13)))
    z3_in = w3 @ wg.relu(z2_in) + constant((4, -6, 1, -17))
    u = constant(((9, 3, -1, -4), (-8, -2, 14, 3), (13, 2, -9, -1)))
    f_in = u @ wg.relu(z3_in) + constant((-1, -4, -30))
    assert z1_in.tolist() == [79, -70, 9, -26]
    assert z2_in.tolist() == [38, 21, -96, -35]
    assert z3_in.tolist() == [0, 24, -54, 17]
    assert f_in.tolist() == [3, -1, 1]
    np.testing.assert_allclose(wg.softmax(f_in, dim=0).numpy(), softmax(np.array([3.0, -1.0, 1.0])))


# ---------------------------------------------------------------------- boolean functions

INPUTS = [(0, 0), (0, 1), (1, 0), (1, 1)]


def neuron(bias: float, *weights: float):
    return lambda *x: wg.sigmoid(bias + sum(w * v for w, v in zip(weights, x, strict=True)))


AND, OR, NOT, NOR = neuron(-30, 20, 20), neuron(-10, 20, 20), neuron(10, -20), neuron(10, -20, -20)


def table(function) -> list[int]:
    return [round(function(constant(a), constant(b)).item()) for a, b in INPUTS]


def test_neurons_compute_boolean_functions():
    assert table(AND) == [0, 0, 0, 1]
    assert table(OR) == [0, 1, 1, 1]
    assert [round(NOT(constant(a)).item()) for a in (0, 1)] == [1, 0]
    assert table(lambda a, b: OR(AND(a, b), NOR(a, b))) == [1, 0, 0, 1]  # XNOR, by two layers


def learned(model: nn.Module, targets: list[int], steps: int = 400) -> list[int]:
    x, y = wg.tensor(INPUTS, dtype=wg.float32), wg.tensor(targets, dtype=wg.float32)
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    for _ in range(steps):
        loss = F.binary_cross_entropy_with_logits(model(x).squeeze(1), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return (model(x).squeeze(1) > 0).long().tolist()


def test_exclusive_or_needs_two_layers():
    assert learned(nn.Linear(2, 1), [0, 0, 0, 1]) == [0, 0, 0, 1]
    assert learned(nn.Linear(2, 1), [0, 1, 1, 0]) != [0, 1, 1, 0]
    assert learned(nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1)), [0, 1, 1, 0]) == [0, 1, 1, 0]


# ---------------------------------------------------------------------- convolution and pooling


def image(rows: object) -> wg.Tensor:
    return constant(rows)[None, None]  # (1, 1, H, W)


def test_convolution():
    out = F.conv2d(image([[0, 1, 2], [3, 4, 5], [6, 7, 8]]), image([[0, 1], [2, 3]]))
    assert out[0, 0].tolist() == [[19, 25], [37, 43]]


FIGURE = """
0 0 0 0 1 1 0 0 0 0
0 0 0 1 1 1 1 0 0 0
0 0 0 0 1 1 0 0 0 0
1 0 0 1 1 1 1 0 0 0
0 0 1 1 1 1 1 1 0 0
0 1 0 1 1 1 1 0 1 0
0 0 0 1 1 1 1 0 0 0
0 0 0 1 1 1 1 0 0 0
0 0 0 1 0 0 1 0 0 0
0 0 1 1 0 0 1 0 0 0
"""
SOBEL = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]


def test_sobel_edges():
    pixels = np.array([[255.0 * int(c) for c in line.split()] for line in FIGURE.split("\n")[1:-1]])
    x = leaf(pixels)
    gx = F.conv2d(x[None, None], image(SOBEL))[0, 0]
    gy = F.conv2d(x[None, None], image(np.transpose(SOBEL)))[0, 0]
    assert gx.shape == (8, 8)
    assert gx[0].tolist() == [0, 510, 1020, 510, -510, -1020, -510, 0]
    edges = wg.sqrt(gx**2 + gy**2)
    np.testing.assert_allclose(edges.detach().numpy(), np.hypot(gx.detach().numpy(), gy.detach().numpy()))
    assert edges[0, 2].item() == pytest.approx(np.hypot(1020, 0))


@pytest.mark.parametrize(("size", "kernel", "stride"), [(100, 5, 1), (28, 5, 2), (7, 3, 2), (8, 3, 3)])
def test_output_sizes(size: int, kernel: int, stride: int):
    x, w = wg.zeros(1, 1, size, size), wg.zeros(1, 1, kernel, kernel)
    assert F.conv2d(x, w).shape[-1] == size - kernel + 1
    assert F.conv2d(x, w, stride=stride).shape[-1] == (size - kernel) // stride + 1
    assert F.conv2d(x, w, padding=kernel // 2).shape[-1] == size
    assert nn.Conv2d(3, 1, 5, bias=False).weight.numel() == 75


def test_max_pooling():
    out = F.max_pool2d(image([[1, 3, 6, 2], [3, 8, 1, 1], [2, 9, 2, 1], [5, 1, 3, 1]]), 2, stride=2)
    assert out[0, 0].tolist() == [[8, 6], [9, 3]]


def test_softmax_of_large_numbers():
    out = wg.softmax(wg.tensor([1.0, 1000.0, 2.0]), dim=0)
    assert out.tolist() == [0, 1, 0]
