"""The models of ``examples/models``: as many parameters as the reference models have, and they learn."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.nn import functional as F

pytestmark = pytest.mark.slow
sklearn_datasets = pytest.importorskip("sklearn.datasets")


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "examples"))
    wg.manual_seed(0)
    return importlib.import_module("models")


REFERENCES: list[tuple[str, Callable[[Any], Any], int]] = [
    ("LeNet-5", lambda m: m.LeNet5(), 61_706),
    ("VGG-11", lambda m: m.VGG(11), 132_863_336),
    ("VGG-16", lambda m: m.VGG(16), 138_357_544),
    ("ResNet-18", lambda m: m.resnet18(), 11_689_512),
    ("ResNet-34", lambda m: m.resnet34(), 21_797_672),
    ("ResNet-50", lambda m: m.resnet50(), 25_557_032),
    ("ResNeXt-50", lambda m: m.resnext50_32x4d(), 25_028_904),
    ("GPT-2", lambda m: m.gpt2(), 124_439_808),
    ("ViT-B/16", lambda m: m.vit_b_16(), 86_567_656),
    ("DCGAN generator", lambda m: m.Generator(), 3_576_704),
    ("DCGAN discriminator", lambda m: m.Discriminator(), 2_765_568),
    ("U-Net", lambda m: m.UNet(), 31_037_698),
    ("VAE", lambda m: m.VAE(), 652_824),
]


@pytest.mark.parametrize(("name", "make", "count"), REFERENCES, ids=[name for name, *_ in REFERENCES])
def test_number_of_parameters(models: ModuleType, monkeypatch: pytest.MonkeyPatch, name: str, make: Any, count: int):
    for initialiser in [n for n in vars(wg.nn.init) if n.endswith("_") and not n.startswith("_")]:
        monkeypatch.setattr(wg.nn.init, initialiser, lambda tensor, *args, **options: tensor)  # numbers take seconds
    assert sum(p.numel() for p in make(models).parameters()) == count


def digits(size: int, count: int = 512) -> tuple[wg.Tensor, wg.Tensor]:
    """Real digits, enlarged to ``size`` pixels."""
    found = sklearn_datasets.load_digits()
    images = wg.tensor(found.images[:count], dtype=wg.float32)[:, None] / 16
    return F.interpolate(images, size=size, mode="bilinear"), wg.tensor(found.target[:count])


def learn(model: Any, loss_of: Callable[[], wg.Tensor], steps: int, lr: float = 1e-3) -> tuple[float, float]:
    """The mean loss of the first steps and of the last ones."""
    optimizer = wg.optim.Adam(model.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        loss = loss_of()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    few = max(2, steps // 8)
    return float(np.mean(losses[:few])), float(np.mean(losses[-few:]))


CLASSIFIERS: list[tuple[str, Callable[[Any], Any], int, int]] = [
    ("LeNet-5", lambda m: m.LeNet5(), 28, 1),
    ("VGG-11", lambda m: m.VGG(11, 10, batch_norm=True, hidden=64, spatial=1, dropout=0.0), 32, 3),
    ("ResNet-18", lambda m: m.resnet18(10, small=True, channels=1), 8, 1),
    ("ViT", lambda m: m.ViT(16, 4, depth=2, heads=4, width=64, hidden=128, classes=10, channels=1), 16, 1),
]


@pytest.mark.parametrize(("name", "make", "size", "channels"), CLASSIFIERS, ids=[name for name, *_ in CLASSIFIERS])
def test_classifiers_learn_digits(models: ModuleType, name: str, make: Any, size: int, channels: int):
    model = make(models)
    deep = name.startswith(("VGG", "ResNet"))
    images, labels = digits(size, 4 if deep else 16)
    images = images.expand(-1, channels, -1, -1)

    def loss() -> wg.Tensor:
        return F.cross_entropy(model(images), labels)

    first, last = learn(model, loss, 8 if deep else 20, lr=1e-3)
    assert last < 0.8 * first
    keys = dict(model.state_dict())
    again = make(models)
    again.load_state_dict(keys)
    model.eval(), again.eval()
    assert (model(images[:2]) == again(images[:2])).all()


@pytest.fixture(scope="module")
def text() -> tuple[wg.Tensor, int]:
    """English prose that comes with scikit-learn, as numbers of characters."""
    prose = sklearn_datasets.load_iris().DESCR + sklearn_datasets.load_breast_cancer().DESCR
    alphabet = sorted(set(prose))
    return wg.tensor([alphabet.index(c) for c in prose]), len(alphabet)


def windows(text: wg.Tensor, length: int, count: int) -> wg.Tensor:
    starts = wg.randint(0, len(text) - length - 1, (count,))
    return text[starts[:, None] + wg.arange(length + 1)]


def test_gpt_learns_text_and_continues_it(models: ModuleType, text: Any):
    characters, vocabulary = text
    model = models.GPT(vocabulary, context=32, depth=2, heads=4, width=64)

    def loss() -> wg.Tensor:
        batch = windows(characters, 32, 8)
        return model(batch[:, :-1], batch[:, 1:])[1]

    first, last = learn(model, loss, 60, lr=3e-3)
    assert last < 0.8 * first
    longer = model.generate(characters[None, :40], 8, top_k=5)
    assert longer.shape == (1, 48)
    assert (longer[:, :40] == characters[:40]).all()
    with pytest.raises(ValueError, match="33 tokens do not fit its context of 32"):
        model(characters[None, :33])


def test_char_lstm_learns_text_and_continues_it(models: ModuleType, text: Any):
    characters, vocabulary = text
    model = models.CharLSTM(vocabulary, width=64, layers=2)

    def loss() -> wg.Tensor:
        batch = windows(characters, 32, 8)
        return F.cross_entropy(model(batch[:, :-1])[0].flatten(0, 1), batch[:, 1:].flatten())

    first, last = learn(model, loss, 60, lr=1e-2)
    assert last < 0.85 * first
    assert model.generate(characters[None, :5], 8).shape == (1, 13)


def test_vae_learns_digits(models: ModuleType):
    images, _ = digits(8)
    model = models.VAE(64, 64, 8)
    first, last = learn(model, lambda: model.loss(images), 60, lr=1e-2)
    assert last < 0.8 * first


def test_unet_learns_to_find_the_ink(models: ModuleType):
    images, _ = digits(17, 16)  # an odd size, so that the paths must be brought together
    model = models.UNet(1, 2, width=8, depth=2)
    ink = (images[:, 0] > 0.5).long()
    first, last = learn(model, lambda: F.cross_entropy(model(images), ink), 20, lr=1e-2)
    assert model(images).shape == (16, 2, 17, 17)
    assert last < 0.6 * first


def test_dcgan_plays_its_game(models: ModuleType):
    """Both sides step in turn; the discriminator's verdict stays finite, and the generator's images move."""
    real, _ = digits(16, 32)
    real = real * 2 - 1
    generator = models.Generator(8, width=8, channels=1, size=16)
    discriminator = models.Discriminator(width=8, channels=1, size=16)
    optimizers = [wg.optim.Adam(m.parameters(), lr=2e-3, betas=(0.5, 0.999)) for m in (generator, discriminator)]
    noise = wg.randn(32, 8, 1, 1)
    before = generator(noise).detach()
    assert before.shape == real.shape
    ones, zeros = wg.ones(32), wg.zeros(32)
    verdicts = []
    for _ in range(12):
        fake = generator(wg.randn(32, 8, 1, 1))
        loss = F.binary_cross_entropy_with_logits(discriminator(real), ones)
        loss = loss + F.binary_cross_entropy_with_logits(discriminator(fake.detach()), zeros)
        optimizers[1].zero_grad()
        loss.backward()
        optimizers[1].step()
        verdicts.append(loss.item())
        optimizers[0].zero_grad()
        F.binary_cross_entropy_with_logits(discriminator(fake), ones).backward()
        optimizers[0].step()
    assert verdicts[-1] < verdicts[0]
    assert (generator(noise) - before).abs().mean().item() > 0.01
