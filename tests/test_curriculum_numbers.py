"""Worked examples from courses on neural networks, to the numbers that a student gets with pencil and paper."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import wengert as wg
from wengert import nn, optim
from wengert.nn import functional as F


@pytest.fixture
def examples(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The package of example models."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "examples"))
    return importlib.import_module("models")


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


def test_the_same_gradients_through_layers():
    """``loss = (sigmoid(x W1 + b1) W2 + b2 - y)^2`` as a model, with gradients by hand."""
    model = nn.Sequential(nn.Linear(3, 4), nn.Sigmoid(), nn.Linear(4, 1)).double()
    x, y = leaf([[0.5, -1.0, 2.0]]), constant([[0.5]])
    between: dict[str, wg.Tensor] = {}
    for name, module in model.named_children():
        module.register_full_backward_hook(lambda _, gi, go, name=name: between.update({name: go[0]}))
    z2 = model(x)
    nn.MSELoss()(z2, y).backward()
    first, second = model[0], model[2]
    z1 = wg.sigmoid(first(x)).detach()
    dz2 = 2 * (z2.detach() - y)
    dz1 = dz2 @ second.weight.detach()
    dh1 = dz1 * z1 * (1 - z1)
    for name, expected in (("2", dz2), ("1", dz1), ("0", dh1)):
        np.testing.assert_allclose(between[name].numpy(), expected.numpy(), rtol=1e-12)
    np.testing.assert_allclose(second.weight.grad.numpy(), (dz2.T @ z1).numpy(), rtol=1e-12)
    np.testing.assert_allclose(second.bias.grad.numpy(), dz2[0].numpy(), rtol=1e-12)
    np.testing.assert_allclose(first.weight.grad.numpy(), (dh1.T @ x.detach()).numpy(), rtol=1e-12)
    np.testing.assert_allclose(first.bias.grad.numpy(), dh1[0].numpy(), rtol=1e-12)


def linear(weight: object, bias: object) -> nn.Linear:
    """A linear layer whose units have the rows of ``weight``."""
    w, b = constant(weight), constant(bias)
    layer = nn.Linear(w.shape[1], w.shape[0]).double()
    layer.load_state_dict({"weight": w, "bias": b})
    return layer


# One hidden layer of four sigmoid units, the rows of W' one unit each.
X = (-3, 1, 5)
W = ((3, -9, 2), (11, -2, 7), (-6, 3, -4), (6, -1, 5))
B = (5, 2, -1, 1)


def test_one_hidden_layer_one_sigmoid_output():
    hidden, output = linear(W, B), linear([(3, -12, 8, 1)], [6])
    z_in = hidden(constant(X))
    z_out = wg.sigmoid(z_in)
    f_in = output(z_out)
    assert z_in.tolist() == [-3, 2, 0, 7]
    np.testing.assert_allclose(z_out.detach().numpy(), (0.05, 0.88, 0.50, 1.00), atol=0.005)
    assert f_in.item() == pytest.approx(0.5718, abs=5e-5)
    assert wg.sigmoid(f_in).item() == pytest.approx(0.6392, abs=5e-5)
    model = nn.Sequential(hidden, nn.Sigmoid(), output, nn.Sigmoid())
    assert model(constant(X)).item() == pytest.approx(0.6392, abs=5e-5)


def test_one_hidden_layer_three_softmax_outputs():
    output = linear(((3, -12, 8, 1), (2, -3, 9, 1), (-5, 1, -1, 7)), (6, 0, -8))
    model = nn.Sequential(linear(W, B), nn.Sigmoid(), output)
    a = model(constant(X))
    t = nn.Softmax(dim=0)(a)
    expected = softmax(a.detach().numpy())
    np.testing.assert_allclose(t.detach().numpy(), expected)
    np.testing.assert_allclose(a.detach().numpy(), (0.5718, 2.9515, -0.8627), atol=5e-5)
    np.testing.assert_allclose(expected, (0.0831, 0.8972, 0.0198), atol=5e-5)
    assert t.sum().item() == pytest.approx(1)
    by_hand = np.diag(expected) - np.outer(expected, expected)
    np.testing.assert_allclose(jacobian(t, a), by_hand, atol=1e-12)
    np.testing.assert_allclose(
        wg.autograd.functional.jacobian(nn.Softmax(dim=0), a.detach()).numpy(), by_hand, atol=1e-12
    )


def test_three_hidden_relu_layers():
    layers = [
        linear(((13, -9, 2), (-8, 0, 3), (4, -1, 5), (-3, 12, 7)), (5, -2, 2, 11)),
        linear(((1, 0, -4, 1), (0, 11, 2, -14), (-1, 5, -2, 16), (0, -9, -3, 4)), (-5, 3, 1, -8)),
        linear(((1, -2, -18, -7), (3, -4, 8, 0), (-2, 1, 21, 5), (2, -2, 11, -13)), (4, -6, 1, -17)),
        linear(((9, 3, -1, -4), (-8, -2, 14, 3), (13, 2, -9, -1)), (-1, -4, -30)),
    ]
    inputs: list[list[float]] = []
    for layer in layers:
        layer.register_forward_hook(lambda _module, _args, output: inputs.append(output.tolist()))
    model = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2], nn.ReLU(), layers[3], nn.Softmax(0))
    out = model(constant((7, 1, -4)))
    assert inputs == [[79, -70, 9, -26], [38, 21, -96, -35], [0, 24, -54, 17], [3, -1, 1]]
    np.testing.assert_allclose(out.detach().numpy(), softmax(np.array([3.0, -1.0, 1.0])))


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
    layer = nn.Conv2d(1, 1, 2, bias=False).double()
    layer.load_state_dict({"weight": image([[0, 1], [2, 3]])})
    assert layer(image([[0, 1, 2], [3, 4, 5], [6, 7, 8]]))[0, 0].tolist() == [[19, 25], [37, 43]]
    columns = F.unfold(image([[0, 1, 2], [3, 4, 5], [6, 7, 8]]), 2)  # the same as one matrix product
    assert (constant([[0, 1, 2, 3]]) @ columns[0]).tolist() == [[19, 25, 37, 43]]


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
    assert nn.Conv2d(1, 1, kernel, padding="same")(x).shape[-1] == size
    assert nn.Conv2d(1, 1, kernel)(x).shape[-1] == size - kernel + 1
    assert nn.Conv2d(1, 1, kernel, stride=stride)(x).shape[-1] == (size - kernel) // stride + 1


def test_weights_that_a_convolution_saves():
    filter_, photo = nn.Conv2d(3, 1, 5, padding=2, bias=False), wg.zeros(1, 3, 100, 100)
    assert filter_.weight.numel() == 75
    assert photo.numel() * filter_(photo).numel() == 300_000_000  # of a dense layer between the same sizes


def test_max_pooling():
    x = image([[1, 3, 6, 2], [3, 8, 1, 1], [2, 9, 2, 1], [5, 1, 3, 1]]).requires_grad_()
    for pool in (nn.MaxPool2d(2), nn.MaxPool2d(2, stride=2), lambda t: F.max_pool2d(t, 2)):
        assert pool(x)[0, 0].tolist() == [[8, 6], [9, 3]]
    nn.MaxPool2d(2)(x).sum().backward()
    assert x.grad[0, 0].tolist() == [[0, 0, 1, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]


def test_softmax_of_large_numbers():
    x = wg.tensor([1.0, 1000.0, 2.0], requires_grad=True)
    for function in (nn.Softmax(dim=0), lambda t: F.softmax(t, dim=0), lambda t: F.log_softmax(t, dim=0).exp()):
        out = function(x)
        assert out.tolist() == [0, 1, 0]
        assert wg.autograd.grad(out[1], x)[0].tolist() == [0, 0, 0]
    loss = F.cross_entropy(x[None], wg.tensor([0]))
    assert loss.item() == 999.0
    assert wg.autograd.grad(loss, x)[0].tolist() == [-1, 1, 0]


# ---------------------------------------------------------------------- residual networks


class Block(nn.Module):
    """Two convolutions, beside a shortcut or not."""

    def __init__(self, width: int, shortcut: bool) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)
        self.shortcut = shortcut

    def forward(self, x: wg.Tensor) -> wg.Tensor:
        y = self.conv2(F.relu(self.conv1(x)))
        return F.relu(x + y if self.shortcut else y)


def deep(shortcut: bool, blocks: int = 12, width: int = 8) -> nn.Module:
    """A network of 2 + 2 * ``blocks`` layers for images of 8x8."""
    start = [nn.Conv2d(1, width, 3, stride=2, padding=1), nn.ReLU()]
    rest = [Block(width, shortcut) for _ in range(blocks)]
    return nn.Sequential(*start, *rest, nn.Flatten(), nn.Linear(width * 16, 10))


def losses_of(model: nn.Module, images: wg.Tensor, labels: wg.Tensor, steps: int) -> list[float]:
    optimizer = optim.Adam(model.parameters(), lr=3e-3)
    found = []
    for _ in range(steps):
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


def test_a_residual_network_trains_where_the_plain_one_does_not():
    datasets = pytest.importorskip("sklearn.datasets")
    digits = datasets.load_digits()
    images, labels = wg.tensor(digits.images[:64, None] / 16, dtype=wg.float32), wg.tensor(digits.target[:64])
    wg.manual_seed(0)
    plain, residual = deep(shortcut=False), deep(shortcut=True)
    count = [sum(p.numel() for p in model.parameters()) for model in (plain, residual)]
    assert count[0] == count[1]
    without, with_ = (losses_of(model, images, labels, 30) for model in (plain, residual))
    assert without[-1] > 0.95 * np.log(10)  # no better than guessing
    assert with_[-1] < 0.5
    assert (residual(images).argmax(1) == labels).float().mean().item() > 0.85


def test_shortcuts_of_both_kinds(examples: ModuleType):
    """A block that changes the shape has a 1x1 shortcut with a norm; the others hand on their input."""
    model = examples.resnet18()
    kinds = [block.downsample for stage in (1, 2, 3, 4) for block in getattr(model, f"layer{stage}")]
    assert [kind is None for kind in kinds] == [True, True, False, True, False, True, False, True]
    shortcut = model.layer2[0].downsample
    assert shortcut[0].kernel_size == (1, 1)
    assert shortcut[0].stride == (2, 2)
    assert model.layer2(wg.zeros(1, 64, 8, 8)).shape == (1, 128, 4, 4)


def test_exact_number_of_parameters_of_residual_networks(examples: ModuleType):
    counts = {"resnet18": 11_689_512, "resnet34": 21_797_672, "resnet50": 25_557_032}
    for name, count in counts.items():
        assert sum(p.numel() for p in getattr(examples, name)().parameters()) == count


@pytest.mark.parametrize(("depth", "count"), [(11, 132_863_336), (16, 138_357_544)])
def test_exact_number_of_parameters_of_vgg(examples: ModuleType, depth: int, count: int):
    """The paper's networks but for their large linear layers, which are added by hand: they would take 500 MB."""
    small = examples.VGG(depth, hidden=1)
    trunk = sum(p.numel() for p in small.features.parameters())
    head = (512 * 7 * 7 + 1) * 4096 + (4096 + 1) * 4096 + (4096 + 1) * 1000
    assert trunk + head == count
