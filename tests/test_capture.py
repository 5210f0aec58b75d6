"""Whole training steps that never make the host wait for the device, so that they can be captured and replayed.

They run on the CUDA backend over the stand-in for CuPy, by the plain definitions, and by the backend's own kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import wengert as wg
from wengert import nn
from wengert.nn import functional as F

from . import emulation
from .emulation.backend import emulated
from .fake_cupy import fake_cuda
from .strict import no_sync, sync_count


@pytest.fixture(scope="module", params=["definitions", "kernels"])
def device(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "kernels" and emulation.compiler() is None:
        pytest.skip("g++ is not installed")
    with fake_cuda() if request.param == "definitions" else emulated():
        yield "cuda"


class Block(nn.Module):
    """A residual block and a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU())
        self.body = nn.Sequential(
            nn.Conv2d(4, 4, 3, padding=1, bias=False),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Conv2d(4, 4, 3, padding=1, bias=False),
            nn.BatchNorm2d(4),
        )
        self.pool, self.mean, self.head = nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1), nn.Linear(4, 3)

    def forward(self, x: Any) -> Any:
        x = self.stem(x)
        x = self.pool(F.relu(self.body(x) + x))
        return self.head(self.mean(x).flatten(1))


class Language(nn.Module):
    """A transformer that sees the past only."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(11, 8), nn.Embedding(5, 8)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, activation="gelu", batch_first=True)
        self.norm, self.head = nn.LayerNorm(8), nn.Linear(8, 11, bias=False)

    def forward(self, index: Any) -> Any:
        x = self.tokens(index) + self.places.weight
        mask = nn.Transformer.generate_square_subsequent_mask(5, device=index.device)
        return self.head(self.norm(self.layer(x, src_mask=mask, is_causal=True))).flatten(0, 1)


class Recurrent(nn.Module):
    """Two layers of an LSTM, with dropout between them."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.lstm = nn.Embedding(11, 4), nn.LSTM(4, 6, 2, dropout=0.2, batch_first=True)
        self.head = nn.Linear(6, 11)

    def forward(self, index: Any) -> Any:
        return self.head(self.lstm(self.tokens(index))[0]).flatten(0, 1)


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3))


def numbers(*shape: int) -> Callable[[], tuple[Any, Any]]:
    return lambda: (wg.randn(*shape), wg.tensor([0, 2, 1, 0]))


def words() -> tuple[Any, Any]:
    return wg.randint(0, 11, (4, 5)), wg.randint(0, 11, (20,))


MODELS: dict[str, tuple[Callable[[], nn.Module], Callable[[], tuple[Any, Any]]]] = {
    "perceptron": (mlp, numbers(4, 6)),
    "residual block": (Block, numbers(4, 3, 6, 6)),
    "transformer": (Language, words),
    "lstm": (Recurrent, words),
}
OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "adam": lambda params: wg.optim.Adam(params, 1e-2),
    "adamw": lambda params: wg.optim.AdamW(params, 1e-2, amsgrad=True),
    "sgd": lambda params: wg.optim.SGD(params, 1e-2, momentum=0.9, nesterov=True, weight_decay=1e-3),
}


def prepared(model: str, optimizer: str, device: str, dtype: Any = None) -> tuple[Callable[[], Any], Any]:
    """A training step, and the optimizer that it has."""
    with wg.device(device):
        net = MODELS[model][0]().train()
        if dtype is not None:
            net.to(dtype)
        x, target = MODELS[model][1]()
        x = x.to(dtype) if dtype is not None and x.is_floating_point() else x
    chosen = OPTIMIZERS[optimizer](net.parameters())
    schedule = wg.optim.lr_scheduler.CosineAnnealingLR(chosen, 10)

    def step() -> Any:
        chosen.zero_grad()
        loss = F.cross_entropy(net(x), target, label_smoothing=0.1)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        chosen.step()
        schedule.step()
        return loss

    return step, chosen


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("model", MODELS)
def test_a_step_waits_for_nothing(model: str, optimizer: str, device: str):
    step, _ = prepared(model, optimizer, device)
    losses = [float(step())]
    with no_sync():
        later = [step() for _ in range(3)]
    before = sync_count()
    losses += [float(loss) for loss in later]
    assert sync_count() == before + 3, "the loss is what is waited for, when it is asked for"
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("dtype", [wg.float16, wg.bfloat16], ids=str)
@pytest.mark.parametrize("model", MODELS)
def test_a_step_in_a_short_type_waits_for_nothing(model: str, dtype: Any, device: str):
    step, _ = prepared(model, "sgd", device, dtype)
    step()
    with no_sync():
        loss = step()
    assert loss.dtype is dtype


@pytest.mark.parametrize("model", ["perceptron", "residual block", "transformer"])
def test_a_step_of_mixed_precision_waits_for_one_number(model: str, device: str):
    with wg.device(device):
        net = MODELS[model][0]().train()
        x, target = MODELS[model][1]()
    optimizer, scaler = wg.optim.Adam(net.parameters(), 1e-2), wg.amp.GradScaler(device, init_scale=8.0)

    def step() -> int:
        optimizer.zero_grad()
        with no_sync(), wg.autocast(device, dtype=wg.float16):
            loss = F.cross_entropy(net(x), target)
        with no_sync():
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        before = sync_count()
        scaler.step(optimizer)
        scaler.update()
        return sync_count() - before

    step()
    assert step() <= 1, "whether all gradients are finite"
