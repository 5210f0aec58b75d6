"""What a `Trainer` tells others while it trains, and some who listen."""

from __future__ import annotations

import csv
import functools
import io
import math
import os
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ...backends.errors import BackendUnavailableError, InvalidValueError
from ...optim import EarlyStopping as Patience
from ..safetensors import complete

if TYPE_CHECKING:
    from .trainer import Trainer

__all__ = ["CSVLog", "Callback", "Curves", "EarlyStopping", "Progress", "TensorBoard"]


class Callback:
    """Listens to a `Trainer`: a subclass overrides what it wants to hear of."""

    def on_fit_start(self, trainer: Trainer) -> None:
        """Training begins, or goes on from a checkpoint."""

    def on_epoch_start(self, trainer: Trainer) -> None:
        """``trainer.epoch`` begins, or goes on in its middle."""

    def on_batch_end(self, trainer: Trainer, loss: float) -> None:
        """Another batch was learnt from; ``trainer.batch`` counts those of the epoch, ``trainer.step`` all updates."""

    def on_epoch_end(self, trainer: Trainer, logs: dict[str, float]) -> None:
        """An epoch is over; ``logs`` is what `Trainer.history` keeps of it."""

    def on_fit_end(self, trainer: Trainer) -> None:
        """Training is over, for whatever reason; also after an exception."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of this listener."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""


class Progress(Callback):
    """A bar of tqdm's for each epoch; a line of text for each where tqdm is not installed.

    Args:
        file: where to write; standard error when left out.
    """

    def __init__(self, file: IO[str] | None = None) -> None:
        self.file, self._began = file, 0.0
        self._bar: Any = None

    def on_epoch_start(self, trainer: Trainer) -> None:
        self._began, self._sum, self._count = time.perf_counter(), 0.0, 0
        try:
            from tqdm import tqdm
        except ImportError:
            return
        file = self.file or sys.stderr
        self._bar = tqdm(
            total=trainer.batches,
            initial=trainer.batch,
            desc=f"epoch {trainer.epoch + 1}/{trainer.epochs}",
            file=file,
            dynamic_ncols=True,
            mininterval=0.1 if file.isatty() else 10,
        )

    def on_batch_end(self, trainer: Trainer, loss: float) -> None:
        self._sum, self._count = self._sum + loss, self._count + 1
        if self._bar is not None:
            self._bar.set_postfix_str(f"loss {self._sum / self._count:.4g}", refresh=False)
            self._bar.update()

    def on_epoch_end(self, trainer: Trainer, logs: dict[str, float]) -> None:
        text = ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in logs.items() if name != "epoch")
        if self._bar is None:
            seconds = time.perf_counter() - self._began
            print(f"epoch {trainer.epoch + 1}/{trainer.epochs}: {text}, {seconds:.1f} s", file=self.file or sys.stderr)
            return
        self._bar.set_postfix_str(text)
        self._bar.close()
        self._bar = None

    def on_fit_end(self, trainer: Trainer) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class EarlyStopping(Callback):
    """Ends training when a number has not become better for some epochs; see `wengert.optim.EarlyStopping`.

    Args:
        monitor: the name of the number in the epoch's logs.
        patience: how many epochs may pass without a better one.
        mode: ``min`` or ``max``.
        min_delta: how much better counts.
        restore_best: go back to the best weights at the end.
    """

    def __init__(
        self,
        monitor: str = "valid_loss",
        patience: int = 5,
        mode: str = "min",
        min_delta: float = 0.0,
        restore_best: bool = False,
    ) -> None:
        self.monitor = monitor
        self.rule = Patience(patience, min_delta, mode, restore_best)

    def on_epoch_end(self, trainer: Trainer, logs: dict[str, float]) -> None:
        if self.rule.step(monitored("EarlyStopping", self.monitor, logs), trainer.model):
            trainer.stop(f"{self.monitor} has not become better for {self.rule.patience} epochs")

    def state_dict(self) -> dict[str, Any]:
        return dict(self.rule.state_dict())

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.rule.load_state_dict(state)


def monitored(who: str, name: str, logs: dict[str, float]) -> float:
    """The number ``name`` of an epoch.

    Raises:
        KeyError: there is none; the message lists those that are there.
    """
    if name not in logs:
        raise KeyError(f"{who} watches {name!r}, and the epoch has {', '.join(map(repr, logs))}")
    return logs[name]


class CSVLog(Callback):
    """A line for each epoch in a file of comma-separated values.

    Args:
        path: the file. When training goes on from a checkpoint, lines of later epochs are taken out of it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def on_fit_start(self, trainer: Trainer) -> None:
        if trainer.epoch == 0 and trainer.batch == 0:
            self.path.unlink(missing_ok=True)
        elif self.path.exists():
            with open(self.path, newline="", encoding="utf-8") as file:
                rows = [row for row in csv.DictReader(file) if self._epoch(row) < trainer.epoch]
            with complete(self.path) as whole:
                whole.write(_lines(rows, header=True))

    def _epoch(self, row: dict[str, Any]) -> int:
        """The epoch of a line.

        Raises:
            ValueError: the file is none of this callback's.
        """
        try:
            return int(row["epoch"])
        except (KeyError, TypeError, ValueError):
            raise InvalidValueError(
                f"CSVLog: {self.path} is there, and is no log of epochs: it has the line {row}; move it away, "
                "or choose another path"
            ) from None

    def on_epoch_end(self, trainer: Trainer, logs: dict[str, float]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        begun = self.path.exists() and self.path.stat().st_size > 0
        with open(self.path, "ab") as file:
            file.write(_lines([logs], header=not begun))


def _lines(rows: list[Any], header: bool) -> bytes:
    """Rows as lines of comma-separated values, perhaps below their names; nothing for no rows."""
    text = io.StringIO(newline="")
    if rows:
        writer = csv.DictWriter(text, list(rows[0]))
        if header:
            writer.writeheader()
        writer.writerows(rows)
    return text.getvalue().encode()


class Curves(Callback):
    """A picture of the numbers of all epochs, drawn anew after each.

    Args:
        path: a PNG or SVG file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def on_epoch_end(self, trainer: Trainer, logs: dict[str, float]) -> None:
        from ...viz import curves

        panels: dict[str, dict[str, list[float]]] = {}
        for name in trainer.history[-1]:
            if name not in ("epoch", "seconds"):
                part, _, what = name.rpartition("_") if name.startswith(("train_", "valid_")) else ("", "", name)
                values = [row.get(name, math.nan) for row in trainer.history]
                panels.setdefault(what, {})[part or name] = values
        self.path.parent.mkdir(parents=True, exist_ok=True)
        curves(panels, self.path)


class TensorBoard(Callback):
    """Losses and other numbers for TensorBoard, written by tensorboardX.

    Args:
        folder: where the event files go.
        every: after how many updates the training loss is written.
    """

    def __init__(self, folder: str | os.PathLike[str], every: int = 10) -> None:
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            raise BackendUnavailableError(
                "TensorBoard's files are written by tensorboardX, which is not installed: "
                "pip install 'wengert[tensorboard]'"
            ) from error
        made: Any = SummaryWriter  # it has types in some releases
        self.open, self.every = functools.partial(made, os.fspath(folder)), every
        self.writer: Any = None

    def on_fit_start(self, trainer: Trainer) -> None:
        self.writer = self.open()

    def on_batch_end(self, trainer: Trainer, loss: float) -> None:
        if trainer.step % self.every == 0:
            self.writer.add_scalar("train/batch_loss", loss, trainer.step)

    def on_epoch_end(self, trainer: Trainer, logs: dict[str, float]) -> None:
        for name, value in logs.items():
            if name != "epoch":
                self.writer.add_scalar(name.replace("_", "/", 1), value, trainer.step)

    def on_fit_end(self, trainer: Trainer) -> None:
        self.writer.close()  # a flush would leave behind what the writer's thread has not come to
