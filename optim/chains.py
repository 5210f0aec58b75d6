"""Schedules made of others: one after another, or several at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .plateau import ReduceLROnPlateau
from .schedule import LRScheduler, copied, set_rate

if TYPE_CHECKING:
    from .optimizer import Optimizer

__all__ = ["ChainedScheduler", "SequentialLR"]


class SequentialLR(LRScheduler):
    """One schedule after another; the next begins at each of the ``milestones``."""

    def __init__(
        self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int], last_epoch: int = -1
    ) -> None:
        if not schedulers:
            raise ValueError("SequentialLR expects at least one scheduler to be chained, but got no scheduler.")
        _check_same(optimizer, schedulers, "SequentialLR")
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "SequentialLR expects one milestone less than there are schedulers: the epochs at which the next one "
                f"begins. It got {len(milestones)} milestones and {len(schedulers)} schedulers"
            )
        self._schedulers, self._milestones, self.optimizer = schedulers, milestones, optimizer
        self.last_epoch = last_epoch + 1
        # Making the schedules has set the rates already: begin again with the first one's.
        for group in optimizer.param_groups:
            set_rate(group, copied(group["initial_lr"]))
        for schedule in schedulers:
            schedule.last_epoch -= 1
        schedulers[0]._initial_step()
        self._last_lr = schedulers[0].get_last_lr()

    def step(self) -> None:  # type: ignore[override]
        """Go on by one epoch."""
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        schedule = self._schedulers[i]
        if i > 0 and self._milestones[i - 1] == self.last_epoch:
            schedule._go_to(0)
        else:
            schedule.step()
        self._last_lr = schedule.get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        return _state_of_many(self)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        _load_many(self, state_dict)


class ChainedScheduler(LRScheduler):
    """Several schedules at once, each applied at every step."""

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        if not schedulers:
            raise ValueError("ChainedScheduler expects at least one scheduler to be chained, but got no scheduler.")
        self.optimizer = optimizer or schedulers[0].optimizer
        _check_same(self.optimizer, schedulers, "ChainedScheduler")
        self._schedulers = list(schedulers)
        self._last_lr = [copied(group["lr"]) for group in self.optimizer.param_groups]

    def step(self) -> None:  # type: ignore[override]
        """Go on by one epoch."""
        for schedule in self._schedulers:
            schedule.step()
        self._last_lr = [copied(group["lr"]) for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        return _state_of_many(self)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        _load_many(self, state_dict)


def _check_same(optimizer: Optimizer, schedulers: Sequence[LRScheduler], name: str) -> None:
    for i, schedule in enumerate(schedulers):
        if isinstance(schedule, ReduceLROnPlateau):
            raise ValueError(
                f"{name} does not support `ReduceLROnPlateau`, whose step() takes the metric, but got one at index {i}"
            )
        if getattr(schedule, "optimizer", None) is not optimizer:
            raise ValueError(
                f"{name} expects all schedulers to belong to the same optimizer, but got scheduler at index {i} "
                f"({type(schedule).__name__}) with another one"
            )


def _state_of_many(chain: Any) -> dict[str, Any]:
    state = {k: v for k, v in chain.__dict__.items() if k not in ("optimizer", "_schedulers")}
    state["_schedulers"] = [schedule.state_dict() for schedule in chain._schedulers]
    return state


def _load_many(chain: Any, state_dict: dict[str, Any]) -> None:
    rest = dict(state_dict)
    for schedule, state in zip(chain._schedulers, rest.pop("_schedulers"), strict=True):
        schedule.load_state_dict(state)
    chain.__dict__.update(rest)
