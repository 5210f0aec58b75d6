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
            raise ValueError("SequentialLR expects at least one scheduler, but got no scheduler.")
        _check_same(optimizer, schedulers, "SequentialLR")
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "Sequential Schedulers expects number of schedulers provided to be one more than the number of "
                f"milestone points, but got number of schedulers {len(schedulers)} and the number of milestones to be "
                f"equal to {len(milestones)}"
            )
        self._schedulers, self._milestones, self.optimizer = schedulers, milestones, optimizer
        self.last_epoch = last_epoch + 1
        # Making the schedules has set the rates already: begin again with the first one's.
        for group in optimizer.param_groups:
            set_rate(group, copied(group["initial_lr"]))
        self.recursive_undo()
        first = schedulers[bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def recursive_undo(self, sched: Any = None) -> None:
        """Take back the step that schedules, and those that they are made of, made when they were constructed."""
        sched = self if sched is None else sched
        if hasattr(sched, "_schedulers"):
            for schedule in sched._schedulers:
                self.recursive_undo(schedule)
        elif hasattr(sched, "last_epoch"):
            sched.last_epoch -= 1

    def step(self) -> None:  # type: ignore[override]
        """Go on by one epoch."""
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        schedule = self._schedulers[i]
        if i > 0 and self._milestones[i - 1] == self.last_epoch:
            schedule._update_lr(0)
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
                f"{name} does not support `ReduceLROnPlateau` scheduler as it requires additional kwargs to be "
                f"specified when calling `step`, but got one at index {i} in the given schedulers sequence."
            )
        if getattr(schedule, "optimizer", None) is not optimizer:
            raise ValueError(
                f"{name} expects all schedulers to belong to the same optimizer, but got scheduler "
                f"{type(schedule).__name__} at index {i} has another one, which is different from "
                f"{type(optimizer).__name__}."
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
