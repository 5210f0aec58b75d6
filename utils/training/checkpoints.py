"""Checkpoints: all that a training run needs to go on as if it had never stopped."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...autograd.random import get_rng_state, set_rng_state
from ...backends.errors import InvalidValueError
from ..serialization import load, save
from .callbacks import Callback, monitored

if TYPE_CHECKING:
    from .trainer import Trainer

__all__ = ["Checkpoint", "get_random_state", "set_random_state"]


class Checkpoint(Callback):
    """Keeps the last state of a run, and the best one, in a folder.

    A file appears under its name when it is complete, so that a crash in the middle of writing leaves the one before.

    Args:
        folder: where ``last.pt`` and ``best.pt`` go.
        monitor: the number in the epoch's logs that says which state is the best; None keeps no best one.
        mode: ``min`` or ``max``.
        every_epochs: after how many epochs ``last.pt`` is written.
        every_steps: after how many updates it is written within an epoch; 0 for never.

    Raises:
        ValueError: ``mode`` is unknown.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        monitor: str | None = "valid_loss",
        mode: str = "min",
        every_epochs: int = 1,
        every_steps: int = 0,
    ) -> None:
        if mode not in ("min", "max"):
            raise InvalidValueError(f"mode must be 'min' or 'max', not {mode!r}")
        self.folder, self.monitor, self.mode = Path(folder), monitor, mode
        self.every_epochs, self.every_steps = every_epochs, every_steps
        self.best: float | None = None

    @property
    def last_path(self) -> Path:
        """Where the last state is."""
        return self.folder / "last.pt"

    @property
    def best_path(self) -> Path:
        """Where the best state is."""
        return self.folder / "best.pt"

    def save(self, trainer: Trainer) -> None:
        """Write the last state now."""
        save(trainer.state_dict(), self.last_path)

    def on_fit_start(self, trainer: Trainer) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if not os.access(self.folder, os.W_OK):
            raise PermissionError(f"Checkpoint: no file can be written in {self.folder}; choose another folder")

    def on_batch_end(self, trainer: Trainer, loss: float) -> None:
        if self.every_steps and trainer.updated and trainer.step % self.every_steps == 0:
            self.save(trainer)

    def on_epoch_end(self, trainer: Trainer, logs: dict[str, float]) -> None:
        better = False
        if self.monitor is not None:
            value = monitored("Checkpoint", self.monitor, logs)
            better = value == value and (
                self.best is None or (value < self.best if self.mode == "min" else value > self.best)
            )
            if better:
                self.best = value
        if better:
            save(trainer.state_dict(), self.best_path)
        if (trainer.epoch + 1) % self.every_epochs == 0 or trainer.epoch + 1 == trainer.epochs:
            self.save(trainer)

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best = state["best"]


def get_random_state(own: Any = None) -> dict[str, Any]:
    """Where wengert's, Python's and NumPy's random numbers are, and those of a generator ``own``."""
    kind, keys, *rest = np.random.get_state()  # noqa: NPY002  (the stream that others draw from)
    return {
        "wengert": get_rng_state(),
        "python": random.getstate(),
        "numpy": [kind, keys, *rest],
        "own": None if own is None else own.get_state(),
    }


def set_random_state(state: dict[str, Any], own: Any = None) -> None:
    """Go back to where `get_random_state` was."""
    set_rng_state(state["wengert"])
    if own is not None and state["own"] is not None:
        own.set_state(state["own"])
    random.setstate(state["python"])
    np.random.set_state(tuple(state["numpy"]))  # noqa: NPY002


def read(path: str | os.PathLike[str], device: Any = None) -> Any:
    """The state that a `Checkpoint` wrote; nothing but data is read.

    Args:
        path: the file, or the folder of which ``last.pt`` is read.
        device: where to put its tensors.
    """
    path = Path(path)
    return load(path / "last.pt" if path.is_dir() else path, map_location=device)
