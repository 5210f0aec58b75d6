"""``LRScheduler``: what all learning-rate schedules share."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from ..autograd.base import TensorBase
from .optimizer import Optimizer

__all__ = ["LRScheduler", "Rate", "check_optimizer", "copied", "one_per_group", "set_rate", "within_step"]

Rate = Any  # a number, or a tensor of one element

_ORDER = "See more details at https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
EPOCH_DEPRECATION_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please use "
    "`scheduler.step()` to step the scheduler. With an epoch, the closed form of the schedule is used, if it has one"
)


def within_step(get_lr: Callable[[Any], list[Rate]]) -> Callable[[Any], list[Rate]]:
    """A ``get_lr`` that warns when it is called from outside of ``step``: its rates are the next ones, not these."""

    @functools.wraps(get_lr)
    def checked(self: Any) -> list[Rate]:
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.",
                UserWarning,
                stacklevel=2,
            )
        return get_lr(self)

    return checked


class LRScheduler:
    """Base of all schedules: sets the ``lr`` of each group of ``optimizer`` at every `step`.

    A subclass writes ``get_lr()``: the rates of all groups for epoch ``self.last_epoch``.

    Args:
        optimizer: what is scheduled.
        last_epoch: -1 to start; the number of the last epoch when training goes on.

    Raises:
        KeyError: training goes on, and a group has no ``initial_lr``. TypeError: ``optimizer`` is none.

    Example:
        >>> import wengert as wg
        >>> class Halved(wg.optim.lr_scheduler.LRScheduler):
        ...     def get_lr(self):
        ...         return [lr / 2**self.last_epoch for lr in self.base_lrs]
        >>> optimizer = wg.optim.SGD([wg.ones(1, requires_grad=True)], lr=1.0)
        >>> schedule = Halved(optimizer)
        >>> optimizer.step()
        >>> schedule.step()
        >>> schedule.get_last_lr()
        [0.5]
    """

    _get_lr_called_within_step = False  # whether rates are being computed by a step
    _is_initial = False  # whether the step that every constructor makes is being made

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming scheduler with "
                    f"last_epoch >= 0, got last_epoch={last_epoch}: load the optimizer's state dict first, or begin "
                    "anew with last_epoch=-1"
                )
        self.base_lrs = [copied(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        optimizer._scheduled_step = vars(optimizer).get("step")
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state that ``state_dict`` returned."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> list[Rate]:
        """The rates that the last step set."""
        return self._last_lr

    def get_lr(self) -> list[Rate]:
        """The rates of all groups for epoch ``self.last_epoch``, where the rates now are those of the epoch before."""
        raise NotImplementedError

    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch, or (deprecated) to epoch number ``epoch``, and set the rates."""
        if self._step_count == 1:
            self._check_order()
        if epoch is not None:
            warn_of_epoch()
        self._step_count += 1
        self._update_lr(epoch)

    def _check_order(self) -> None:
        """Warn at the first step unless the optimizer has made one."""
        if vars(self.optimizer).get("step") is not getattr(self.optimizer, "_scheduled_step", None):
            warnings.warn(
                "Seems like `optimizer.step()` has been overridden after learning rate scheduler initialization. "
                f"Please, make sure to call `optimizer.step()` before `lr_scheduler.step()`. {_ORDER}",
                UserWarning,
                stacklevel=3,
            )
        elif not getattr(self.optimizer, "_opt_called", False):
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. You should call them in the "
                "opposite order: `optimizer.step()` before `lr_scheduler.step()`. Failure to do this skips the first "
                f"value of the learning rate schedule. {_ORDER}",
                UserWarning,
                stacklevel=3,
            )

    def _update_lr(self, epoch: int | None = None) -> None:
        """Set the rates of the next epoch, or of ``epoch``."""
        if epoch is None:
            self.last_epoch += 1
            self._set(self.get_lr)
        else:
            self.last_epoch = epoch
            self._set(getattr(self, "_get_closed_form_lr", self.get_lr))

    def _set(self, rule: Callable[[], Sequence[Rate]]) -> None:
        """Set the rates that ``rule`` computes."""
        self._get_lr_called_within_step = True
        try:
            values = rule()
        finally:
            self._get_lr_called_within_step = False
        groups = self.optimizer.param_groups
        if len(values) != len(groups):
            raise ValueError(
                f"{type(self).__name__} was made for {len(values)} parameter groups, and there are {len(groups)} now: "
                "make the schedule after add_param_group()"
            )
        for group, value in zip(groups, values, strict=True):
            set_rate(group, value)
        self._last_lr = self._rates

    @property
    def _rates(self) -> list[Rate]:
        return [copied(group["lr"]) for group in self.optimizer.param_groups]

    def _scaled(self, factor: float) -> list[Rate]:
        return [rate * factor for rate in self._rates]


class _LRScheduler(LRScheduler):
    """The base class's older name, which programs still derive schedules of their own from."""


def warn_of_epoch() -> None:
    """Say that the argument ``epoch`` will go."""
    warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=3)


def check_optimizer(optimizer: Any) -> None:
    """Raise TypeError unless it is one."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def copied(rate: Rate) -> Rate:
    """A rate that does not change with the optimizer's tensor."""
    return rate.clone() if isinstance(rate, TensorBase) else rate  # type: ignore[attr-defined]


def set_rate(group: dict[str, Any], value: Rate) -> None:
    """Set a group's rate; a tensor keeps its identity and takes the value."""
    if isinstance(group["lr"], TensorBase):
        group["lr"].fill_(float(value))  # type: ignore[attr-defined]
    else:
        group["lr"] = value


def one_per_group(optimizer: Optimizer, value: Any, name: str) -> list[Any]:
    """``value`` as a list with an entry for each group, which later changes of a tensor do not reach.

    Raises:
        ValueError: it is a list of another length.
    """
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        value = [value] * groups
    if len(value) != groups:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} values, "
            f"param_groups has {groups}."
        )
    return [copied(v) for v in value]


def state_of_function(function: Any) -> dict[str, Any] | None:
    """What to save of a user's rule: the attributes of an object that can be called, nothing of a plain function."""
    return None if function is None or hasattr(function, "__code__") else dict(function.__dict__)
