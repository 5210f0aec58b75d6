"""The models of ``examples/models`` run with PyTorch in wengert's place: weights go over and back, numbers are equal.

The same files are read twice. For PyTorch the word ``wengert`` in them is replaced, which is all that it takes.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import wengert as wg
from benchmarks.programs import example

torch = pytest.importorskip("torch")
safetensors_torch = pytest.importorskip("safetensors.torch")

pytestmark = [pytest.mark.parity, pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def both() -> tuple[ModuleType, ModuleType]:
    """The models for PyTorch and for wengert."""
    return example(torch, "models"), example(wg, "models")


def image(channels: int, size: int) -> Callable[[np.random.Generator], np.ndarray]:
    return lambda rng: rng.uniform(0, 1, (4, channels, size, size))


def tokens(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 11, (3, 8))


def classify(T: Any, model: Any, x: Any) -> Any:
    """Outputs and a loss."""
    y = model(x)
    return y, T.nn.functional.cross_entropy(y, T.arange(len(y)) % y.shape[1])


def predict(T: Any, model: Any, x: Any) -> Any:
    y = model(x[:, :-1])[0]
    return y, T.nn.functional.cross_entropy(y.flatten(0, 1), x[:, 1:].flatten())


def own_loss(T: Any, model: Any, x: Any) -> Any:
    return (*model(x), model.loss(x))


def judge(T: Any, model: Any, x: Any) -> Any:
    y = model(x)
    return y, T.nn.functional.binary_cross_entropy_with_logits(y, T.ones_like(y))


def segment(T: Any, model: Any, x: Any) -> Any:
    y = model(x)
    return y, T.nn.functional.cross_entropy(y, (x[:, 0] > 0.5).long())


def square(T: Any, model: Any, x: Any) -> Any:
    y = model(x)
    return y, (y * y).mean()


# Each: how the model is made, its input, and how outputs and loss come of them.
MODELS: dict[str, tuple[Callable[[Any], Any], Callable[[np.random.Generator], np.ndarray], Callable[..., Any]]] = {
    "LeNet-5": (lambda m: m.LeNet5(), image(1, 28), classify),
    "VGG-11": (lambda m: m.VGG(11, 10, hidden=32, spatial=1, dropout=0.0), image(3, 32), classify),
    "VGG-16 with norms": (
        lambda m: m.VGG(16, 5, batch_norm=True, hidden=16, spatial=1, dropout=0.0),
        image(3, 32),
        classify,
    ),
    "ResNet-18": (lambda m: m.resnet18(), image(3, 64), classify),
    "ResNet-34": (lambda m: m.resnet34(10, small=True), image(3, 16), classify),
    "ResNet-50": (lambda m: m.resnet50(10), image(3, 64), classify),
    "GPT": (lambda m: m.GPT(11, context=8, depth=2, heads=2, width=16), tokens, predict),
    "CharLSTM": (lambda m: m.CharLSTM(11, width=12, layers=2), tokens, predict),
    "DCGAN generator": (
        lambda m: m.Generator(8, width=8, channels=1, size=16),
        lambda rng: rng.normal(size=(4, 8, 1, 1)),
        square,
    ),
    "DCGAN discriminator": (lambda m: m.Discriminator(width=8, channels=2, size=16), image(2, 16), judge),
    "U-Net": (lambda m: m.UNet(1, 2, width=4, depth=2), image(1, 13), segment),
    "VAE": (lambda m: m.VAE(36, 20, 4), image(1, 6), own_loss),
    "ViT": (lambda m: m.ViT(16, 4, depth=2, heads=2, width=16, hidden=24, classes=5), image(3, 16), classify),
}


@pytest.fixture(autouse=True)
def same_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """The VAE draws while it computes: both libraries get the same numbers."""

    def fixed(T: Any) -> Callable[[Any], Any]:
        return lambda x: T.tensor(np.random.default_rng(5).normal(size=tuple(x.shape)), dtype=x.dtype)

    for T in (torch, wg):
        monkeypatch.setattr(T, "randn_like", fixed(T))


def settled(T: Any, model: Any, seed: int = 3) -> Any:
    """The model with other numbers than it starts from: no zeros, no equal layers, running statistics of a batch."""
    rng = np.random.default_rng(seed)
    with T.no_grad():
        for p in model.parameters():
            p.add_(T.tensor(0.05 * rng.normal(size=tuple(p.shape)), dtype=p.dtype))
        for name, b in model.named_buffers():
            if name.endswith(("running_mean", "running_var")):
                b.copy_(T.tensor(rng.uniform(0.5, 1.5, tuple(b.shape)), dtype=b.dtype))
    return model


def file_of(kind: str, state: Any) -> io.BytesIO:
    """What PyTorch's users keep weights in."""
    file = io.BytesIO()
    if kind == "safetensors":
        file.write(safetensors_torch.save({key: value.clone() for key, value in state.items()}))
    else:
        torch.save(state, file, _use_new_zipfile_serialization=kind == ".pt")
    file.seek(0)
    return file


def value_of(t: Any) -> np.ndarray:
    return t.detach().numpy()


def near(a: Any, b: Any, tolerance: float, what: str) -> None:
    x, y = value_of(a), value_of(b)
    assert x.dtype == y.dtype
    scale = max(1e-3, float(np.abs(y).max()))
    np.testing.assert_allclose(x, y, rtol=0, atol=tolerance * scale, err_msg=what)


def compare(name: str, theirs: Any, mine: Any, dtype: str, tolerance: float) -> None:
    """Outputs in evaluation; outputs, loss, gradients and running statistics in training."""
    _, make_input, run = MODELS[name]
    x = make_input(np.random.default_rng(1))
    kind = {"dtype": dtype} if x.dtype.kind == "f" else {"dtype": "int64"}
    xs = [T.tensor(x, dtype=getattr(T, kind["dtype"])) for T in (torch, wg)]
    for training in (False, True):
        theirs.train(training), mine.train(training)
        expected, found = run(torch, theirs, xs[0]), run(wg, mine, xs[1])
        for e, f in zip(expected, found, strict=True):
            near(f, e, tolerance, f"outputs, training={training}")
    theirs.zero_grad(), mine.zero_grad()
    expected[-1].backward()
    found[-1].backward()
    if dtype == "float32":  # after many layers single numbers differ: a ReLU has opened in one library only
        a, b = (np.concatenate([value_of(p.grad).ravel() for p in model.parameters()]) for model in (mine, theirs))
        assert np.linalg.norm(a - b) < 0.02 * np.linalg.norm(b)
    else:
        for (key, p), q in zip(mine.named_parameters(), theirs.parameters(), strict=True):
            near(p.grad, q.grad, 10 * tolerance, f"gradient of {key}")
    for (key, a), b in zip(mine.named_buffers(), theirs.buffers(), strict=True):
        near(a, b, tolerance, key)


@pytest.mark.parametrize("name", MODELS)
def test_weights_from_torch(both: Any, name: str):
    torch.manual_seed(0)
    make = MODELS[name][0]
    theirs = settled(torch, make(both[0]).double())
    mine = make(both[1]).double()
    assert str(mine) == str(theirs)
    state = theirs.state_dict()
    assert list(mine.state_dict()) == list(state)
    for kind in (".pt", "older .pth", "safetensors"):
        with wg.no_grad():
            for value in mine.state_dict().values():
                value.zero_()
        assert str(mine.load_state_dict(wg.load(file_of(kind, state)))) == "<All keys matched successfully>"
        for key, value in mine.state_dict().items():
            np.testing.assert_array_equal(value_of(value), value_of(state[key]), err_msg=f"{key} from {kind}")
    compare(name, theirs, mine, "float64", 1e-9)


@pytest.mark.parametrize("name", MODELS)
def test_weights_to_torch(both: Any, name: str):
    make = MODELS[name][0]
    mine = settled(wg, make(both[1]))
    file = io.BytesIO()
    wg.save(mine.state_dict(), file)
    file.seek(0)
    theirs = make(both[0])
    theirs.load_state_dict(torch.load(file))
    if name == "GPT":  # two names of one tensor stay one tensor
        assert theirs.lm_head.weight is theirs.transformer["wte"].weight
    for key, value in theirs.state_dict().items():
        np.testing.assert_array_equal(value_of(mine.state_dict()[key]), value_of(value), err_msg=key)
    compare(name, theirs, mine, "float32", 1e-3)


def test_a_step_of_training_is_the_same(both: Any):
    """Weights of PyTorch, then ten steps of Adam in each library."""
    torch.manual_seed(0)
    theirs, mine = both[0].LeNet5().double(), both[1].LeNet5().double()
    mine.load_state_dict(wg.load(file_of(".pt", theirs.state_dict())))
    rng = np.random.default_rng(0)
    steps = [(rng.uniform(size=(8, 1, 28, 28)), rng.integers(0, 10, 8)) for _ in range(10)]
    losses = []
    for T, model in ((torch, theirs), (wg, mine)):
        optimizer = T.optim.Adam(model.parameters(), lr=1e-2)
        found = []
        for x, y in steps:
            optimizer.zero_grad()
            loss = T.nn.functional.cross_entropy(model(T.tensor(x)), T.tensor(y))
            loss.backward()
            optimizer.step()
            found.append(loss.item())
        losses.append(found)
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-8)
    for (key, a), b in zip(mine.state_dict().items(), theirs.state_dict().values(), strict=True):
        near(a, b, 1e-7, key)
