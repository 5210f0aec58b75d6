"""``EarlyStopping``: when training no longer helps."""

from __future__ import annotations

import math
from typing import Any, SupportsFloat

from ..backends.errors import ArgumentError

__all__ = ["EarlyStopping"]


class EarlyStopping:
    """Says when a metric has not improved for more than ``patience`` epochs; keeps the best weights if asked to.

    Args:
        patience: epochs without improvement that are allowed.
        min_delta: a smaller improvement is none.
        mode: ``"min"`` for a metric that should fall, ``"max"`` for one that should rise.
        restore_best: keep a copy of the best weights, and put it back when it is time to stop.

    Raises:
        ValueError: ``patience`` or ``min_delta`` is negative, or ``mode`` is unknown.

    Attributes:
        best: the best metric so far.
        best_epoch: its number, counted from 0.
        num_bad_epochs: how many epochs ago that was.
        stopped: whether it was time to stop.

    Example:
        >>> import wengert as wg
        >>> stopping = wg.optim.EarlyStopping(patience=1)
        >>> for loss in (3.0, 2.0, 2.5, 2.2, 1.0):
        ...     if stopping.step(loss):
        ...         break
        >>> loss, stopping.best, stopping.best_epoch
        (2.2, 2.0, 1)

    References:
        L. Prechelt, "Early Stopping - But When?", in "Neural Networks: Tricks of the Trade", 1998.
    """

    def __init__(
        self, patience: int = 10, min_delta: float = 0.0, mode: str = "min", restore_best: bool = False
    ) -> None:
        if patience < 0:
            raise ValueError(f"Invalid patience: {patience}; it must not be negative")
        if not min_delta >= 0:
            raise ValueError(f"Invalid min_delta: {min_delta}; it must not be negative")
        if mode not in ("min", "max"):
            raise ValueError(f"mode {mode} is unknown! Use 'min' or 'max'")
        self.patience, self.min_delta, self.mode, self.restore_best = patience, min_delta, mode, restore_best
        self.best = math.inf if mode == "min" else -math.inf
        self.best_epoch, self.last_epoch, self.num_bad_epochs = -1, -1, 0
        self.stopped = False
        self.best_state: dict[str, Any] | None = None

    def step(self, metric: SupportsFloat, model: Any = None) -> bool:
        """Look at an epoch's metric; a NaN is no improvement.

        Args:
            metric: a number, or a tensor with one element.
            model: what ``restore_best`` copies and puts back: a module, or anything with a state dict.

        Returns:
            Whether it is time to stop.

        Raises:
            RuntimeError: ``restore_best`` without a model.
        """
        if self.restore_best and model is None:
            raise ArgumentError("EarlyStopping(restore_best=True).step needs the model too: step(metric, model)")
        value = float(metric)
        self.last_epoch += 1
        gain = self.best - value if self.mode == "min" else value - self.best
        if gain > self.min_delta:
            self.best, self.best_epoch, self.num_bad_epochs = value, self.last_epoch, 0
            if self.restore_best:
                self.best_state = {name: _copied(v) for name, v in model.state_dict().items()}
        else:
            self.num_bad_epochs += 1
        self.stopped = self.num_bad_epochs > self.patience
        if self.stopped and self.restore_best:
            self.restore(model)
        return self.stopped

    def restore(self, model: Any) -> None:
        """Put the best weights back, if there have been any."""
        if self.best_state is not None:
            model.load_state_dict(self.best_state)

    def state_dict(self) -> dict[str, Any]:
        """Everything, the best weights included."""
        return dict(self.__dict__)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state that ``state_dict`` returned."""
        self.__dict__.update(state_dict)


def _copied(value: Any) -> Any:
    return value.detach().clone() if hasattr(value, "detach") else value
