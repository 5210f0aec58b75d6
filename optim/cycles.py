"""Schedules that go up and down: ``CyclicLR`` and ``OneCycleLR``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .schedule import LRScheduler, Rate, check_optimizer, one_per_group, set_rate, state_of_function, within_step

if TYPE_CHECKING:
    from .optimizer import Optimizer

__all__ = ["CyclicLR", "OneCycleLR"]


class Cycle(LRScheduler):
    """What cycles of rate and momentum share: which option of the optimizer is its momentum."""

    use_beta1: bool
    cycle_momentum: bool

    def _begin(self, optimizer: Optimizer, low: Any, high: Any, last_epoch: int) -> None:
        """Note the bounds of the momentum in each group; at the start, set it to the highest."""
        self.use_beta1 = "betas" in optimizer.defaults
        if "momentum" not in optimizer.defaults and not self.use_beta1:
            raise ValueError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
        lows = one_per_group(optimizer, low, "base_momentum")
        highs = one_per_group(optimizer, high, "max_momentum")
        if last_epoch == -1:
            for group, lowest, highest in zip(optimizer.param_groups, lows, highs, strict=True):
                self._set_momentum(group, highest)
                group["max_momentum"], group["base_momentum"] = highest, lowest

    def _set_momentum(self, group: dict[str, Any], value: float) -> None:
        if self.use_beta1:
            group["betas"] = (value, *group["betas"][1:])
        else:
            group["momentum"] = value


class CyclicLR(Cycle):
    """The rate goes up and down between ``base_lr`` and ``max_lr``; momentum the other way.

    Args:
        optimizer: what is scheduled.
        base_lr, max_lr: the bounds, a number or one a group.
        step_size_up, step_size_down: steps of the two halves.
        mode: ``"triangular"``, ``"triangular2"`` (half as high each cycle) or ``"exp_range"`` (``gamma ** step``).
        gamma: of ``"exp_range"``.
        scale_fn, scale_mode: a height of one's own, of the ``"cycle"`` or of the ``"iterations"``.
        cycle_momentum, base_momentum, max_momentum: the momentum's cycle.
        last_epoch: number of the last step.

    References:
        L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", arXiv:1506.01186.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError(
                f"mode is invalid and scale_fn is None: got {mode!r}; use triangular, triangular2 or exp_range"
            )
        bases = one_per_group(optimizer, base_lr, "base_lr")
        if last_epoch == -1:
            for group, rate in zip(optimizer.param_groups, bases, strict=True):
                set_rate(group, rate)
        self.max_lrs = one_per_group(optimizer, max_lr, "max_lr")
        down = step_size_up if step_size_down is None else step_size_down
        self.total_size = float(step_size_up + down)
        self.step_ratio = step_size_up / self.total_size
        self.mode, self.gamma, self.cycle_momentum = mode, gamma, cycle_momentum
        self._scale_fn_custom, self.scale_mode = scale_fn, scale_mode
        if scale_fn is None:
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
        if cycle_momentum:
            self._begin(optimizer, base_momentum, max_momentum, last_epoch)
            self.base_momentums = one_per_group(optimizer, base_momentum, "base_momentum")
            self.max_momentums = one_per_group(optimizer, max_momentum, "max_momentum")
        super().__init__(optimizer, last_epoch)
        self.base_lrs = bases

    def scale_fn(self, x: float) -> float:
        """The height of a cycle, as a part of the first one's."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        return 0.5 ** (x - 1) if self.mode == "triangular2" else float(self.gamma**x)

    @within_step
    def get_lr(self) -> list[Rate]:
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            for group, low, high in zip(
                self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True
            ):
                self._set_momentum(group, high - (high - low) * height * scale)
        return [low + (high - low) * height * scale for low, high in zip(self.base_lrs, self.max_lrs, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        state = super().state_dict()
        state["_scale_fn_custom"] = state_of_function(self._scale_fn_custom)
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        rest = dict(state_dict)
        state = rest.pop("_scale_fn_custom", None)
        if state is not None and self._scale_fn_custom is not None:
            self._scale_fn_custom.__dict__.update(state)
        super().load_state_dict(rest)


class OneCycleLR(Cycle):
    """One cycle over the whole training: up from ``max_lr / div_factor`` to ``max_lr``, then far down.

    Args:
        optimizer: what is scheduled.
        max_lr: the top, a number or one a group.
        total_steps: the length, or ``epochs`` and ``steps_per_epoch``.
        pct_start: the part of it that goes up.
        anneal_strategy: ``"cos"`` or ``"linear"``.
        cycle_momentum, base_momentum, max_momentum: momentum goes the other way.
        div_factor: the first rate is ``max_lr / div_factor``.
        final_div_factor: the last is the first over this.
        three_phase: come down as steeply as up, and then to the last rate.
        last_epoch: number of the last step.

    References:
        L. N. Smith, N. Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates",
        arXiv:1708.07120. Departs from the paper in having two phases unless ``three_phase``.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        self.total_steps = _total_steps(total_steps, epochs, steps_per_epoch)
        if not 0 <= pct_start <= 1 or not isinstance(pct_start, float):
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._schedule_phases = _phases(self.total_steps, pct_start, three_phase)
        self._anneal_func_type, self.cycle_momentum = anneal_strategy, cycle_momentum
        if last_epoch == -1:
            for group, top in zip(optimizer.param_groups, one_per_group(optimizer, max_lr, "max_lr"), strict=True):
                group["initial_lr"] = top / div_factor
                group["max_lr"] = top
                group["min_lr"] = group["initial_lr"] / final_div_factor
        if cycle_momentum:
            self._begin(optimizer, base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)

    def _between(self, start: float, end: float, part: float) -> float:
        if self._anneal_func_type == "cos":
            return end + (start - end) / 2.0 * (1 + math.cos(math.pi * part))
        return (end - start) * part + start

    @within_step
    def get_lr(self) -> list[Rate]:
        number = self.last_epoch
        if number > self.total_steps:
            raise ValueError(f"Tried to step {number} times. The specified number of total steps is {self.total_steps}")
        rates = []
        for group in self.optimizer.param_groups:
            begin = 0.0
            for i, phase in enumerate(self._schedule_phases):
                end = phase["end_step"]
                if number <= end or i == len(self._schedule_phases) - 1:
                    part = (number - begin) / (end - begin)
                    rates.append(self._between(group[phase["start_lr"]], group[phase["end_lr"]], part))
                    if self.cycle_momentum:
                        low, high = group[phase["start_momentum"]], group[phase["end_momentum"]]
                        self._set_momentum(group, self._between(low, high, part))
                    break
                begin = end
        return rates


def _phases(total: int, up: float, three: bool) -> list[dict[str, Any]]:
    """When each phase of a cycle ends, and between which options of a group rate and momentum go in it."""
    top = float(up * total) - 1
    rise = (top, "initial_lr", "max_lr", "max_momentum", "base_momentum")
    if three:
        fall = (float(2 * up * total) - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum")
        parts = [rise, fall, (total - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum")]
    else:
        parts = [rise, (total - 1, "max_lr", "min_lr", "base_momentum", "max_momentum")]
    names = ("end_step", "start_lr", "end_lr", "start_momentum", "end_momentum")
    return [dict(zip(names, part, strict=True)) for part in parts]


def _total_steps(total: int | None, epochs: int | None, steps: int | None) -> int:
    if total is None and (epochs is None or steps is None):
        raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
    for name, value in (
        (("total_steps", total),) if total is not None else (("epochs", epochs), ("steps_per_epoch", steps))
    ):
        if not isinstance(value, int) or value <= 0:
            raise ValueError(f"Expected positive integer {name}, but got {value}")
    return total if total is not None else epochs * steps  # type: ignore[operator]
