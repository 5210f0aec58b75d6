"""The training loop: what it computes, who is told, and that a run goes on as if it had never stopped."""

from __future__ import annotations

import csv
import math
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import wengert as wg
from wengert import nn, train
from wengert.nn import functional as F
from wengert.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset
from wengert.utils.datasets import digits, iris


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3))

    def forward(self, x: wg.Tensor) -> wg.Tensor:
        return self.layers(x)


class Noisy(Dataset):
    """Rows with noise that is drawn as they are read."""

    rows = iris("train")

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: int) -> Any:
        x, y = self.rows[i]
        return x + 0.1 * wg.randn(4), y


def right(output: wg.Tensor, target: wg.Tensor) -> wg.Tensor:
    return (output.argmax(1) == target).float().mean()


class StopAt(train.Callback):
    """Ends training after an update."""

    def __init__(self, step: int) -> None:
        self.at = step

    def on_batch_end(self, trainer: train.Trainer, loss: float) -> None:
        if trainer.step == self.at and trainer.updated:
            trainer.stop("told to")


def made(folder: Path | None = None, *more: train.Callback, **options: Any) -> train.Trainer:
    wg.manual_seed(0)
    model = Net()
    optimizer = wg.optim.Adam(model.parameters(), 0.01)
    schedule = wg.optim.lr_scheduler.CosineAnnealingLR(optimizer, 40)
    callbacks = [] if folder is None else [train.Checkpoint(folder, every_steps=1)]
    options = {"accumulate": 2, "clip": 1.0, "ema": 0.9, "scheduler": schedule, "scheduler_per": "step"} | options
    return train.Trainer(
        model,
        optimizer,
        F.cross_entropy,
        metrics={"right": right},
        callbacks=[*callbacks, *more],
        progress=False,
        **options,
    )


def loaders(workers: int = 0, generator: Any = None) -> tuple[DataLoader, DataLoader]:
    return (
        DataLoader(Noisy(), 16, shuffle=True, num_workers=workers, generator=generator),
        DataLoader(iris("test"), 30),
    )


def without_times(history: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history]


def weights(trainer: train.Trainer) -> list[bytes]:
    return [t._data.tobytes() for part in (trainer.model, trainer.average) for t in part.state_dict().values()]


def test_a_loop_by_hand_computes_the_same():
    trainer = made(accumulate=1, clip=None, ema=None, scheduler=None)
    history = trainer.fit(*loaders(), epochs=3)
    wg.manual_seed(0)
    model = Net()
    optimizer = wg.optim.Adam(model.parameters(), 0.01)
    batches, valid = loaders()
    for epoch in range(3):
        model.train()
        losses = []
        for x, y in batches:
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        model.eval()
        with wg.no_grad():
            tested = [F.cross_entropy(model(x), y).item() for x, y in valid]
        assert history[epoch]["train_loss"] == sum(losses) / len(losses)
        assert history[epoch]["valid_loss"] == sum(tested) / len(tested)
    assert list(history[0]) == [*("epoch", "train_loss", "train_right", "valid_loss", "valid_right", "lr", "seconds")]
    assert trainer.step == 24
    assert trainer.predict(valid).shape == (30, 3)


def test_it_learns():
    trainer = made(accumulate=1, scheduler=None)
    history = trainer.fit(*loaders(), epochs=30)
    assert history[-1]["valid_right"] > 0.9
    assert trainer.evaluate(loaders()[1])["right"] == history[-1]["valid_right"]
    assert trainer.model.training


@pytest.mark.parametrize("at", [3, 4, 9, 12])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_stopped_run_goes_on_to_the_bit(tmp_path: Path, at: int, workers: int):
    whole = made()
    expected = without_times(whole.fit(*loaders(workers), epochs=4))
    stopped = made(tmp_path, StopAt(at))
    stopped.fit(*loaders(workers), epochs=4)
    assert stopped.stopped == "told to"
    assert stopped.step == at
    again = made(tmp_path)
    wg.manual_seed(99)  # what happened since then does not matter
    assert again.resume(tmp_path)
    wg.rand(3)
    assert without_times(again.fit(*loaders(workers), epochs=4)) == expected
    assert weights(again) == weights(whole)
    on = stopped  # and it can go on where it is
    on.callbacks = []
    assert without_times(on.fit(*loaders(workers), epochs=4)) == expected


def test_the_loaders_own_generator_is_kept(tmp_path: Path):
    whole = made()
    expected = without_times(whole.fit(*loaders(0, wg.Generator().manual_seed(5)), epochs=2))
    stopped = made(tmp_path, StopAt(2))
    stopped.fit(*loaders(0, wg.Generator().manual_seed(5)), epochs=2)
    again = made(tmp_path)
    again.resume(tmp_path)
    assert again.batch == 4
    history = without_times(again.fit(*loaders(0, wg.Generator().manual_seed(5)), epochs=1))
    assert history == expected[:1]


def test_best_and_last(tmp_path: Path):
    trainer = made(tmp_path)
    history = trainer.fit(*loaders(), epochs=5)
    best = min(range(5), key=lambda i: history[i]["valid_loss"])
    assert wg.load(tmp_path / "best.pt")["epoch"] == best + 1
    assert wg.load(tmp_path / "last.pt")["epoch"] == 5
    other = made(tmp_path)
    assert other.resume(tmp_path / "best.pt")
    assert other.callbacks[0].best == history[best]["valid_loss"]
    assert len(other.history) == best + 1
    assert not made().resume(tmp_path / "none")
    with pytest.raises(RuntimeError, match="the checkpoint was made with average"):
        made(ema=None).resume(tmp_path)
    (tmp_path / "last.pt").write_bytes((tmp_path / "last.pt").read_bytes()[:-100])
    with pytest.raises(RuntimeError, match="truncated"):
        made().resume(tmp_path)


SCRIPT = """
import json, os, sys
import wengert.utils.torch_writing as writing
from pathlib import Path
from tests.test_trainer import loaders, made, weights, without_times
folder = Path(sys.argv[1])
real, count = writing.add, 0
def dies(archive, name, content):
    global count
    if name == "last/version":
        count += 1
        if count == int(sys.argv[2]):
            archive.fp.flush()
            os.kill(os.getpid(), 9)
    real(archive, name, content)
writing.add = dies
trainer = made(folder)
trainer.resume(folder)
history = trainer.fit(*loaders(), epochs=3)
print(json.dumps([without_times(history), [w.hex() for w in weights(trainer)]]))
"""


def run(folder: Path, death: int) -> subprocess.CompletedProcess[str]:
    """Train in a process of its own, which is killed while it writes the last state for the ``death``-th time."""
    command = [sys.executable, "-c", SCRIPT, str(folder), str(death)]
    return subprocess.run(command, cwd=Path(__file__).parent.parent, check=False, capture_output=True, text=True)


def test_a_run_that_is_killed_while_it_writes_goes_on(tmp_path: Path):
    whole = run(tmp_path / "whole", 0)
    assert whole.returncode == 0, whole.stderr
    for death in (4, 3, 1):
        assert run(tmp_path / "killed", death).returncode == -signal.SIGKILL
        assert wg.load(tmp_path / "killed" / "last.pt")["step"] <= 4
    assert run(tmp_path / "killed", 0).stdout == whole.stdout


class Press(train.Callback):
    """Presses Ctrl-C."""

    def __init__(self, times: int) -> None:
        self.times = times

    def on_batch_end(self, trainer: train.Trainer, loss: float) -> None:
        if trainer.step == 2:
            for _ in range(self.times):
                os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_saves_and_ends(tmp_path: Path):
    before = signal.getsignal(signal.SIGINT)
    trainer = made(tmp_path, Press(1))
    assert trainer.fit(*loaders(), epochs=2) == []
    assert trainer.stopped == "interrupted"
    assert signal.getsignal(signal.SIGINT) is before
    assert wg.load(tmp_path / "last.pt")["step"] == 2
    with pytest.raises(KeyboardInterrupt):
        made(None, Press(2)).fit(*loaders(), epochs=2)
    assert signal.getsignal(signal.SIGINT) is before


class Listener(train.Callback):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def on_fit_start(self, trainer: train.Trainer) -> None:
        self.heard.append("fit")

    def on_epoch_start(self, trainer: train.Trainer) -> None:
        self.heard.append(f"epoch {trainer.epoch}")

    def on_batch_end(self, trainer: train.Trainer, loss: float) -> None:
        self.heard.append(f"batch {trainer.batch}")

    def on_epoch_end(self, trainer: train.Trainer, logs: dict[str, float]) -> None:
        self.heard.append(f"end of {int(logs['epoch'])}")

    def on_fit_end(self, trainer: train.Trainer) -> None:
        self.heard.append("end")


def test_who_is_told_what():
    listener = Listener()
    data = DataLoader(TensorDataset(wg.randn(6, 4), wg.zeros(6, dtype=wg.int64)), 3)
    made(None, listener).fit(data, epochs=2)
    assert listener.heard == [
        "fit",
        *("epoch 0", "batch 1", "batch 2", "end of 0"),
        *("epoch 1", "batch 1", "batch 2", "end of 1"),
        "end",
    ]

    def fails(model: Any, batch: Any) -> Any:
        raise OSError("no data")

    listener.heard.clear()
    model = Net()
    with pytest.raises(OSError, match="no data"):
        train.Trainer(
            model, wg.optim.SGD(model.parameters(), 0.1), step=fails, callbacks=[listener], progress=False
        ).fit(data)
    assert listener.heard == ["fit", "epoch 0", "end"]


def test_early_stopping(tmp_path: Path):
    stopping = train.EarlyStopping("valid_loss", patience=2, restore_best=True)
    trainer = made(tmp_path, stopping, accumulate=1, ema=None, scheduler=None)
    trainer.optimizer.param_groups[0]["lr"] = 0.3
    history = trainer.fit(*loaders(), epochs=60)
    assert len(history) < 60
    assert "2 epochs" in str(trainer.stopped)
    best = min(row["valid_loss"] for row in history)
    assert trainer.evaluate(loaders()[1])["loss"] == pytest.approx(best, rel=1e-6)
    with pytest.raises(KeyError, match="watches 'score', and the epoch has 'epoch', 'train_loss'"):
        made(None, train.EarlyStopping("score")).fit(*loaders())


def test_files_of_numbers_and_curves(tmp_path: Path):
    pytest.importorskip("matplotlib")
    log, curves = train.CSVLog(tmp_path / "logs" / "run.csv"), train.Curves(tmp_path / "curves.png")
    trainer = made(tmp_path, log, curves)
    trainer.fit(*loaders(), epochs=2)
    again = made(tmp_path, log)
    again.resume(tmp_path)
    again.fit(*loaders(), epochs=4)
    rows = list(csv.DictReader((tmp_path / "logs" / "run.csv").read_text().splitlines()))
    assert [int(row["epoch"]) for row in rows] == [0, 1, 2, 3]
    assert float(rows[3]["valid_loss"]) == again.history[3]["valid_loss"]
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    made(None, log).fit(*loaders(), epochs=1)
    assert len((tmp_path / "logs" / "run.csv").read_text().splitlines()) == 2


def test_tensorboard(tmp_path: Path):
    pytest.importorskip("tensorboardX")
    made(None, train.TensorBoard(tmp_path, every=1)).fit(*loaders(), epochs=1)
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    assert content.count(b"train/batch_loss") > 1
    assert b"valid/loss" in content


def test_progress_without_tqdm(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    made(None, train.Progress()).fit(*loaders(), epochs=2)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("epoch 2/2: train loss ")


def test_progress_with_tqdm(capsys: pytest.CaptureFixture[str]):
    pytest.importorskip("tqdm")
    made(None, train.Progress()).fit(*loaders(), epochs=1)
    assert "epoch 1/1" in capsys.readouterr().err


@pytest.mark.parametrize("amp", ["bfloat16", "float16"])
def test_mixed_precision(amp: str):
    trainer = made(amp=amp)
    history = trainer.fit(*loaders(), epochs=10)
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    assert all(p.dtype == wg.float32 for p in trainer.model.parameters())
    assert trainer.scaler.is_enabled() == (amp == "float16")


def test_accumulated_batches_are_one_update():
    x, y = wg.randn(8, 4), wg.arange(8) % 3

    def updated(batch: int, accumulate: int) -> Any:
        wg.manual_seed(1)
        model = nn.Linear(4, 3)
        optimizer = wg.optim.SGD(model.parameters(), 0.1)
        trainer = train.Trainer(model, optimizer, F.cross_entropy, accumulate=accumulate, progress=False)
        trainer.fit(DataLoader(TensorDataset(x, y), batch))
        assert trainer.step == 1
        return model.weight

    assert wg.allclose(updated(8, 1), updated(2, 4), atol=1e-6)


def test_a_step_of_ones_own_and_schedules():
    model = nn.Linear(2, 1)
    optimizer = wg.optim.SGD(model.parameters(), 0.1)
    plateau = wg.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=0, threshold=10.0)

    def step(model: Any, batch: Any) -> Any:
        out = model(batch["x"])
        return {"loss": (out**2).mean(), "size": out.abs().mean()}

    class Stream(IterableDataset):
        def __iter__(self) -> Any:
            return iter([{"x": wg.ones(2)}] * 6)

    trainer = train.Trainer(model, optimizer, step=step, scheduler=plateau, progress=False)
    history = trainer.fit(DataLoader(Stream(), 2), epochs=3)
    assert {"train_loss", "train_size"} <= set(history[0])
    assert history[-1]["lr"] < 0.1
    assert math.isfinite(trainer.evaluate(DataLoader(Stream(), 2))["size"])


def test_errors():
    model = Net()
    optimizer = wg.optim.SGD(model.parameters(), 0.1)
    for options, text in [
        ({}, "either loss"),
        ({"loss": F.mse_loss, "step": right}, "either loss"),
        ({"step": right, "metrics": {"a": right}}, "as a dictionary"),
        ({"loss": right, "scheduler_per": "day"}, "scheduler_per"),
        ({"loss": right, "accumulate": 0}, "at least 1"),
        ({"loss": right, "amp": "int8"}, "amp must be"),
    ]:
        with pytest.raises(ValueError, match=text):
            train.Trainer(model, optimizer, **options)
    trainer = train.Trainer(model, optimizer, F.cross_entropy, progress=False)
    with pytest.raises(RuntimeError, match="gave no batch"):
        trainer.fit([])
    with pytest.raises(RuntimeError, match=r"batches \(inputs, targets\), not Tensor"):
        trainer.fit([wg.ones(2, 4)])
    with pytest.raises(RuntimeError, match="batch 0 of epoch 0 is nan"):
        trainer.fit([(wg.full((2, 4), math.nan), wg.zeros(2, dtype=wg.int64))])
    with pytest.raises(ValueError, match="mode must be"):
        train.Checkpoint("x", mode="best")


def test_a_network_reads_digits():
    wg.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    trainer = train.Trainer(
        model, wg.optim.Adam(model.parameters(), 3e-3), F.cross_entropy, metrics={"right": right}, progress=False
    )
    history = trainer.fit(DataLoader(digits("train"), 64, shuffle=True), DataLoader(digits("test"), 500), epochs=12)
    assert history[-1]["valid_right"] > 0.93
