"""Systems that courses on neural networks teach (S1-S6, S10-S13, S15, S17), through the public API."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn, optim
from wengert.nn import functional as F
from wengert.utils import datasets


def double(values: Any) -> Any:
    return wg.tensor(values, dtype=wg.float64)


SQUARE = double([[0, 0], [0, 1], [1, 0], [1, 1]])

# ------------------------------------------------------------------ S1: threshold units that learn


def perceptron(x: Any, y: Any, epochs: int) -> tuple[Any, Any, list[int]]:
    w, b, mistakes = wg.zeros(x.shape[1], dtype=x.dtype), 0.0, []
    for _ in range(epochs):
        errors = 0
        for row, target in zip(x, y.tolist(), strict=True):
            error = target - (row @ w + b >= 0).float().item()
            w, b = w + error * row, b + error
            errors += error != 0
        mistakes.append(errors)
    return w, b, mistakes


def test_s1_perceptron():
    assert perceptron(SQUARE, wg.tensor([0, 0, 0, 1]), 10)[2][-1] == 0
    assert min(perceptron(SQUARE, wg.tensor([0, 1, 1, 0]), 50)[2]) > 0


def test_s1_adaline():
    rng = np.random.default_rng(0)
    labels = np.repeat([-1.0, 1.0], 30)
    x, y = double(rng.normal(size=(60, 2)) + 2 * labels[:, None]), double(labels)
    w, b = wg.zeros(2, dtype=wg.float64, requires_grad=True), wg.zeros((), dtype=wg.float64, requires_grad=True)
    optimizer = optim.SGD([w, b], lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        ((x @ w + b - y) ** 2).mean().backward()
        optimizer.step()
    assert ((x @ w + b) * y > 0).all()
    best = np.linalg.lstsq(np.c_[x.numpy(), np.ones(60)], labels, rcond=None)[0]
    np.testing.assert_allclose([*w.tolist(), b.item()], best, atol=1e-3)


# ------------------------------------------------------------------ S2: the linear neuron


@pytest.mark.parametrize("scaling", ["1/m", "1/2n"])
def test_s2_linear_regression(scaling: str):
    """Gradient descent reaches the normal equations; half the loss needs twice the rate, and takes the same path."""
    rng = np.random.default_rng(0)
    x = np.c_[np.ones(50), rng.normal(size=(50, 3))]
    y = x @ [1.0, 2.0, -3.0, 0.5] + 0.1 * rng.normal(size=50)
    theta = wg.zeros(4, dtype=wg.float64, requires_grad=True)
    factor = 1.0 if scaling == "1/m" else 0.5
    for _ in range(200):
        (gradient,) = wg.autograd.grad(factor * F.mse_loss(double(x) @ theta, double(y)), theta)
        np.testing.assert_allclose(
            gradient.numpy(), factor * 2 / 50 * x.T @ (x @ theta.detach().numpy() - y), atol=1e-12
        )
        theta = (theta - 0.2 / factor * gradient).detach().requires_grad_()
    np.testing.assert_allclose(theta.detach().numpy(), np.linalg.solve(x.T @ x, x.T @ y), rtol=1e-8)


# ------------------------------------------------------------------ S3: logistic regression


@pytest.mark.parametrize("penalty", [0.0, 5.0])
def test_s3_logistic_regression(penalty: float):
    """The gradient is X'(yhat - y)/n, and scikit-learn's fit is reached; a penalty of lambda/2n spares the bias."""
    linear = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 2))
    y = (x @ [1.0, -2.0] + 0.5 + rng.normal(size=80) > 0).astype(float)
    model = nn.Linear(2, 1).double()

    def loss() -> Any:
        data = F.binary_cross_entropy_with_logits(model(double(x)).squeeze(1), double(y))
        return data + penalty / (2 * 80) * (model.weight**2).sum()

    loss().backward()
    w, b = model.weight.detach().numpy()[0], model.bias.item()
    error = 1 / (1 + np.exp(-(x @ w + b))) - y
    np.testing.assert_allclose(model.weight.grad.numpy()[0], (x.T @ error + penalty * w) / 80)
    np.testing.assert_allclose(model.bias.grad.item(), error.mean())

    optimizer = optim.LBFGS(model.parameters(), max_iter=100, line_search_fn="strong_wolfe", tolerance_grad=1e-10)

    def closure() -> Any:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)
    theirs = linear.LogisticRegression(C=1 / penalty if penalty else np.inf, tol=1e-10).fit(x, y)
    np.testing.assert_allclose(model.weight.detach().numpy(), theirs.coef_, rtol=1e-4)
    np.testing.assert_allclose(model.bias.detach().numpy(), theirs.intercept_, rtol=1e-3, atol=1e-5)


# ------------------------------------------------------------------ S4: softmax regression


def test_s4_softmax_regression():
    pytest.importorskip("sklearn")
    train, test = datasets.digits("train"), datasets.digits("test")
    x, y = train.data.flatten(1), train.targets
    wg.manual_seed(0)
    model = nn.Linear(64, 10)
    one_hot = F.one_hot(y, 10).float()
    assert F.cross_entropy(model(x), y).item() == pytest.approx(F.cross_entropy(model(x), one_hot).item(), rel=1e-5)
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    for _ in range(100):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    assert (model(test.data.flatten(1)).argmax(1) == test.targets).float().mean().item() > 0.93


# ------------------------------------------------------------------ S5: multilayer perceptrons


@pytest.mark.parametrize("depth", [1, 3])
def test_s5_multilayer_perceptrons(depth: int):
    points, classes = datasets.spirals(200, classes=2).tensors
    wg.manual_seed(0)
    sizes = [2, *[32] * depth]
    layers = [m for a, b in itertools.pairwise(sizes) for m in (nn.Linear(a, b), nn.Tanh())]
    model = nn.Sequential(*layers, nn.Linear(32, 2))
    optimizer = optim.Adam(model.parameters(), lr=0.03)
    for _ in range(200):
        optimizer.zero_grad()
        F.cross_entropy(model(points), classes).backward()
        optimizer.step()
    assert (model(points).argmax(1) == classes).float().mean().item() > 0.95
    straight = nn.Linear(2, 2)
    for _ in range(100):
        F.cross_entropy(straight(points), classes).backward()
    assert (straight(points).argmax(1) == classes).float().mean().item() < 0.8


# ------------------------------------------------------------------ S6: backpropagation as modules


class Dense:
    """A layer that sends a message forwards, one backwards, and one to its parameters."""

    def __init__(self, weight: Any, bias: Any) -> None:
        self.weight, self.bias = weight, bias

    def forward(self, x: Any) -> Any:
        self.x = x
        return x @ self.weight + self.bias

    def backward(self, delta: Any) -> Any:
        return delta @ self.weight.T

    def parameter(self, delta: Any) -> tuple[Any, Any]:
        return self.x.T @ delta, delta.sum(0)


class Squash:
    def forward(self, x: Any) -> Any:
        self.y = wg.tanh(x)
        return self.y

    def backward(self, delta: Any) -> Any:
        return delta * (1 - self.y**2)

    def parameter(self, delta: Any) -> tuple[Any, ...]:
        return ()


def test_s6_modules_with_messages():
    """Layer by layer, the messages are the engine's gradients, and those of differences."""
    wg.manual_seed(0)
    arrays = [wg.randn(*shape, dtype=wg.float64, requires_grad=True) for shape in ((3, 4), (4,), (4, 2), (2,))]
    x, y = wg.randn(5, 3, dtype=wg.float64), wg.randn(5, 2, dtype=wg.float64)

    def loss(w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
        return ((wg.tanh(x @ w1 + b1) @ w2 + b2 - y) ** 2).sum()

    assert wg.autograd.gradcheck(loss, arrays)
    w1, b1, w2, b2 = (a.detach() for a in arrays)
    layers, message = [Dense(w1, b1), Squash(), Dense(w2, b2)], x
    for layer in layers:
        message = layer.forward(message)
    delta, found = 2 * (message - y), []
    for layer in reversed(layers):
        found[:0] = layer.parameter(delta)
        delta = layer.backward(delta)
    for by_message, by_engine in zip(found, wg.autograd.grad(loss(*arrays), arrays), strict=True):
        np.testing.assert_allclose(by_message.numpy(), by_engine.numpy(), rtol=1e-12)


# ------------------------------------------------------------------ S10: initialisation


def test_s10_initialisation():
    """Ten tanh layers of 500 units: N(0, 1) saturates, N(0, 0.01²) vanishes, Xavier keeps; constants stay alike."""
    wg.manual_seed(0)
    x = wg.randn(100, 500)

    def last(fill: Any, squash: Any = wg.tanh) -> Any:
        h = x
        for _ in range(10):
            h = squash(h @ fill(wg.empty(500, 500)).T)
        return h

    assert last(lambda w: nn.init.normal_(w, std=0.01)).std().item() < 1e-6
    assert (last(nn.init.normal_).abs() > 0.99).float().mean().item() > 0.8
    assert 0.1 < last(nn.init.xavier_normal_).std().item() < 0.5
    assert last(lambda w: nn.init.constant_(w, 0.01)).std(1).max().item() < 1e-6
    he = last(lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"), F.relu)
    assert 0.3 < (he**2).mean().item() < 3
    assert last(nn.init.xavier_normal_, F.relu).std().item() < 0.1


# ------------------------------------------------------------------ S11: activations

AT = (-2.0, -0.5, 0.5, 2.0)
SIGMOID = [1 / (1 + math.exp(-z)) for z in AT]
ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805
ACTIVATIONS: dict[str, tuple[Any, list[float], list[float]]] = {
    "identity": (nn.Identity(), list(AT), [1, 1, 1, 1]),
    "sigmoid": (nn.Sigmoid(), SIGMOID, [s * (1 - s) for s in SIGMOID]),
    "tanh": (nn.Tanh(), [math.tanh(z) for z in AT], [1 - math.tanh(z) ** 2 for z in AT]),
    "relu": (nn.ReLU(), [0, 0, 0.5, 2], [0, 0, 1, 1]),
    "leaky": (nn.LeakyReLU(0.1), [-0.2, -0.05, 0.5, 2], [0.1, 0.1, 1, 1]),
    "elu": (nn.ELU(), [math.expm1(-2), math.expm1(-0.5), 0.5, 2], [math.exp(-2), math.exp(-0.5), 1, 1]),
    "selu": (
        nn.SELU(),
        [SCALE * ALPHA * math.expm1(-2), SCALE * ALPHA * math.expm1(-0.5), SCALE * 0.5, SCALE * 2],
        [SCALE * ALPHA * math.exp(-2), SCALE * ALPHA * math.exp(-0.5), SCALE, SCALE],
    ),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_s11_activations(name: str):
    module, values, slopes = ACTIVATIONS[name]
    z = double(AT).requires_grad_()
    out = module(z)
    np.testing.assert_allclose(out.detach().numpy(), values, rtol=1e-12)
    np.testing.assert_allclose(wg.autograd.grad(out.sum(), z)[0].numpy(), slopes, rtol=1e-12)


def test_s11_the_slope_of_a_parametric_relu_is_learned():
    z, layer = double(AT), nn.PReLU(init=0.25).double()
    layer(z).sum().backward()
    assert layer.weight.grad.item() == -2.5  # the sum of the negative inputs


# ------------------------------------------------------------------ S12: losses


def test_s12_losses():
    z, y = double([2.0, -1.0, 0.5]), double([1.0, 0.0, 1.0])
    p = 1 / (1 + np.exp(-z.numpy()))
    bernoulli = -np.mean(np.where(y.numpy() == 1, np.log(p), np.log(1 - p)))
    assert F.mse_loss(z, y).item() == pytest.approx((1 + 1 + 0.25) / 3)
    assert F.l1_loss(z, y).item() == pytest.approx(2.5 / 3)
    assert F.binary_cross_entropy(wg.sigmoid(z), y).item() == pytest.approx(bernoulli)
    assert F.binary_cross_entropy_with_logits(z, y).item() == pytest.approx(bernoulli)  # K outputs, a sigmoid each
    softmax = np.exp(z.numpy()) / np.exp(z.numpy()).sum()
    assert F.cross_entropy(z[None], wg.tensor([2])).item() == pytest.approx(-np.log(softmax[2]))
    assert F.binary_cross_entropy_with_logits(double([1000.0]), double([0.0])).item() == 1000
    assert F.cross_entropy(double([[1000.0, 0.0]]), wg.tensor([1])).item() == 1000


# ------------------------------------------------------------------ S13: regularisation


def test_s13_penalties_and_masks():
    """The slopes of L2 and L1 penalties, and DropConnect: on average a layer whose weights are dropped is the layer."""
    w = double([2.0, -1.0]).requires_grad_()
    (0.3 * w.abs().sum() + 0.1 / 2 * (w**2).sum()).backward()
    np.testing.assert_allclose(w.grad.numpy(), [0.3 + 0.2, -0.3 - 0.1], rtol=1e-12)

    wg.manual_seed(0)
    layer, x = nn.Linear(20, 3).double(), wg.randn(1, 20, dtype=wg.float64)
    with wg.no_grad():
        dropped = wg.cat([F.linear(x, F.dropout(layer.weight, 0.5), layer.bias) for _ in range(4000)])
        assert dropped.std(0).min().item() > 0.1
        assert (dropped.mean(0) - layer(x)[0]).abs().max().item() < 0.05


# ------------------------------------------------------------------ S15: convolution


def test_s15_a_convolution_moves_with_its_image():
    """f(Tx) = T f(x), and the gradient of a shared weight is the sum over its places."""
    wg.manual_seed(0)
    scene, kernel = wg.zeros(1, 1, 20, 20), wg.randn(1, 1, 3, 3)
    scene[0, 0, 2:10, 3:11] = wg.randn(8, 8)
    moved = F.conv2d(scene.roll((7, 6), dims=(2, 3)), kernel, padding=1)
    wg.testing.assert_close(F.conv2d(scene, kernel, padding=1).roll((7, 6), dims=(2, 3)), moved)

    shared = wg.ones(1, 1, 1, 1, requires_grad=True)
    F.conv2d(wg.ones(1, 1, 100, 100), shared).sum().backward()
    assert shared.grad.item() == 100 * 100


# ------------------------------------------------------------------ S17: transfer


def test_s17_a_frozen_trunk_gets_no_gradient_and_keeps_nothing():
    wg.manual_seed(0)
    trunk = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 16))
    model, x, y = nn.Sequential(trunk, nn.Linear(16, 2)), wg.randn(32, 1, 8, 8), wg.randint(2, (32,))
    free = wg.debug.saved(F.cross_entropy(model(x), y)).total_bytes
    trunk.requires_grad_(False)
    before = [p.clone() for p in trunk.parameters()]
    loss = F.cross_entropy(model(x), y)
    assert {row.op for row in wg.debug.saved(loss)} == {"Linear", "CrossEntropy"}
    assert wg.debug.saved(loss).total_bytes < free / 10

    optimizer = optim.Adam((p for p in model.parameters() if p.requires_grad), lr=0.1)
    loss.backward()
    optimizer.step()
    assert all(p.grad is None for p in trunk.parameters())
    assert all(a.equal(b) for a, b in zip(before, trunk.parameters(), strict=True))
    assert all(p.grad is not None for p in model[1].parameters())
    assert sum(t.numel() for s in optimizer.state.values() for t in s.values() if t.dim()) == 2 * 34
