"""``WarmupCosineLR``: a rate that rises in a line, and falls along a cosine."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .schedule import LRScheduler, Rate, within_step

if TYPE_CHECKING:
    from .optimizer import Optimizer

__all__ = ["WarmupCosineLR"]


class WarmupCosineLR(LRScheduler):
    """Up in a line to the initial rate in ``warmup_steps`` steps, then along half a cosine down to ``eta_min``.

    PyTorch has no such schedule; this is what others call a cosine schedule with warmup. Call ``step`` after every
    step of the optimizer, not once an epoch.

    Args:
        optimizer: what is scheduled.
        warmup_steps: the length of the line.
        total_steps: the length of both; afterwards the rate stays at ``eta_min``.
        start_factor: the first rate, as a part of the initial one.
        eta_min: the last rate.
        last_epoch: number of the last step.

    Raises:
        ValueError: an argument is out of range. TypeError: ``optimizer`` is none.

    Example:
        >>> import wengert as wg
        >>> optimizer = wg.optim.SGD([wg.ones(1, requires_grad=True)], lr=1.0)
        >>> schedule = wg.optim.lr_scheduler.WarmupCosineLR(optimizer, warmup_steps=2, total_steps=6)
        >>> rates = []
        >>> for _ in range(7):
        ...     rates += schedule.get_last_lr()
        ...     optimizer.step()
        ...     schedule.step()
        >>> [round(rate, 3) for rate in rates]
        [0.0, 0.5, 1.0, 0.854, 0.5, 0.146, 0.0]

    References:
        P. Goyal et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour", arXiv:1706.02677 (warmup).
        I. Loshchilov, F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", arXiv:1608.03983 (cosine).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        warmup_steps: int,
        total_steps: int,
        start_factor: float = 0.0,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        if not 0 <= warmup_steps <= total_steps or total_steps < 1:
            raise ValueError(
                f"expected 0 <= warmup_steps <= total_steps and a step at least, but got warmup_steps={warmup_steps}, "
                f"total_steps={total_steps}"
            )
        if not 0.0 <= start_factor <= 1.0:
            raise ValueError(f"start_factor must be between 0 and 1, but got {start_factor}")
        self.warmup_steps, self.total_steps = warmup_steps, total_steps
        self.start_factor, self.eta_min = start_factor, eta_min
        super().__init__(optimizer, last_epoch)

    @within_step
    def get_lr(self) -> list[Rate]:
        return self._get_closed_form_lr()

    def _get_closed_form_lr(self) -> list[Rate]:
        step, warmup = self.last_epoch, self.warmup_steps
        if step < warmup:
            factor = self.start_factor + (1 - self.start_factor) * step / warmup
            return [base * factor for base in self.base_lrs]
        part = min(1.0, (step - warmup) / max(1, self.total_steps - warmup))
        height = (1 + math.cos(math.pi * part)) / 2
        return [self.eta_min + (base - self.eta_min) * height for base in self.base_lrs]
