"""Averages of weights: stochastic weight averaging (SWA) and exponential moving averages (EMA)."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..autograd.grad_mode import no_grad
from ..autograd.ops import tensor
from ..backends.dtypes import int64
from .schedule import LRScheduler, Rate, check_optimizer, one_per_group, within_step

if TYPE_CHECKING:
    from .optimizer import Optimizer

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]


def get_ema_avg_fn(decay: float = 0.999) -> Callable[[Any, Any, Any], Any]:
    """A function ``(average, current, number)`` that returns ``decay * average + (1 - decay) * current``.

    Raises:
        ValueError: ``decay`` is not in [0, 1].
    """
    _check_decay(decay)
    return lambda average, current, number: decay * average + (1 - decay) * current


def get_swa_avg_fn() -> Callable[[Any, Any, Any], Any]:
    """A function ``(average, current, number)`` that returns the mean of ``number + 1`` models."""
    return lambda average, current, number: average + (current - average) / (number + 1)


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[[list[Any], list[Any], Any], None]:
    """As `get_ema_avg_fn`, for lists, in place.

    Raises:
        ValueError: ``decay`` is not in [0, 1].
    """
    return _in_place(get_ema_avg_fn(decay))


def get_swa_multi_avg_fn() -> Callable[[list[Any], list[Any], Any], None]:
    """As `get_swa_avg_fn`, for lists, in place."""
    return _in_place(get_swa_avg_fn())


def _in_place(rule: Callable[[Any, Any, Any], Any]) -> Callable[[list[Any], list[Any], Any], None]:
    def update(averages: list[Any], currents: list[Any], number: Any) -> None:
        with no_grad():
            for average, current in zip(averages, currents, strict=True):
                average.copy_(rule(average, current, number))

    return update


def _check_decay(decay: float) -> None:
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


class AveragedModel:
    """A copy of a model whose parameters are averages of the model's; itself a ``Module``.

    Args:
        model: the model, which is copied.
        device: where the copy is kept; where the model is when None.
        avg_fn: ``(average, current, number)`` gives the new average; the mean of all when None.
        multi_avg_fn: the same for lists of tensors, in place.
        use_buffers: average buffers too, instead of copying them.

    Example:
        >>> import wengert as wg
        >>> model = wg.nn.Linear(1, 1)
        >>> average = wg.optim.swa_utils.AveragedModel(model)
        >>> for value in (1.0, 2.0, 6.0):
        ...     _ = wg.nn.init.constant_(model.bias, value)
        ...     average.update_parameters(model)
        >>> average.module.bias.item()
        3.0

    References:
        P. Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", arXiv:1803.05407.
    """

    module: Any
    n_averaged: Any
    _kinds: dict[type, type] = {}  # noqa: RUF012  (shared on purpose: one class for each class of modules)

    def __new__(cls, model: Any, *args: Any, **kwargs: Any) -> Any:
        # Optimizers do not know modules, so the class is completed with the one that the model's class comes from.
        base = next((c for c in type(model).__mro__ if c.__name__ == "Module"), None)
        if base is None:
            raise TypeError(f"AveragedModel takes a Module, not {type(model).__name__}")
        kind = cls._kinds.get(base)
        if kind is None:
            kind = cls._kinds[base] = type(cls.__name__, (cls, base), {"__module__": cls.__module__})
        return object.__new__(kind)

    def __init__(
        self,
        model: Any,
        device: Any = None,
        avg_fn: Callable[[Any, Any, Any], Any] | None = None,
        multi_avg_fn: Callable[[list[Any], list[Any], Any], None] | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, dtype=int64, device=device))  # type: ignore[attr-defined]
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the averaged model returns."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Any) -> None:
        """Take the parameters that ``model`` has now into the average."""
        with no_grad():
            averages, currents = _tensors(self.module, self.use_buffers), _tensors(model, self.use_buffers)
            currents = [
                current.detach().to(average.device) for average, current in zip(averages, currents, strict=True)
            ]
            if int(self.n_averaged) == 0:
                for average, current in zip(averages, currents, strict=True):
                    average.copy_(current)
            elif self.avg_fn is not None:
                for average, current in zip(averages, currents, strict=True):
                    average.copy_(self.avg_fn(average.detach(), current, self.n_averaged.to(average.device)))
            else:
                average_all = self.multi_avg_fn or get_swa_multi_avg_fn()
                average_all([average.detach() for average in averages], currents, self.n_averaged)
            if not self.use_buffers:
                for mine, theirs in zip(self.module.buffers(), model.buffers(), strict=True):
                    mine.detach().copy_(theirs.detach().to(mine.device))
            self.n_averaged += 1

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return _rebuild, (self.module,), dict(self.__dict__)


def _rebuild(model: Any) -> Any:
    return AveragedModel.__new__(AveragedModel, model)


def _tensors(module: Any, buffers: bool) -> list[Any]:
    return [*module.parameters(), *(module.buffers() if buffers else ())]


def update_bn(loader: Iterable[Any], model: Any, device: Any = None) -> None:
    """Compute the running means and variances of a model's batch norms anew, from all batches of ``loader``.

    Args:
        loader: inputs, or tuples of which the first part is the input.
        model: the model.
        device: where the inputs go.
    """
    with no_grad():
        norms = [module for module in model.modules() if _is_batch_norm(module)]
        if not norms:
            return
        for module in norms:
            module.reset_running_stats()
        with _training(model), _averaging(norms):
            for batch in loader:
                inputs = batch[0] if isinstance(batch, (list, tuple)) else batch
                if device is not None:
                    inputs = inputs.to(device)
                model(inputs)


def _is_batch_norm(module: Any) -> bool:
    return any("BatchNorm" in cls.__name__ for cls in type(module).__mro__)


@contextmanager
def _training(model: Any) -> Iterator[None]:
    before = model.training
    model.train()
    try:
        yield
    finally:
        model.train(before)


@contextmanager
def _averaging(norms: list[Any]) -> Iterator[None]:
    """Let batch norms keep the mean over all batches."""
    before = [module.momentum for module in norms]
    for module in norms:
        module.momentum = None
    try:
        yield
    finally:
        for module, momentum in zip(norms, before, strict=True):
            module.momentum = momentum


class SWALR(LRScheduler):
    """From the rate that a group has to ``swa_lr`` in ``anneal_epochs`` epochs, and no further.

    Args:
        optimizer: what is scheduled.
        swa_lr: the last rate, a number or one a group.
        anneal_epochs: the length of the way.
        anneal_strategy: ``"cos"`` or ``"linear"``.
        last_epoch: number of the last epoch.

    Raises:
        ValueError: an argument is out of range.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        rates = one_per_group(optimizer, swa_lr, "swa_lr")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["swa_lr"] = rate
        self._anneal_strategy, self.anneal_epochs = anneal_strategy, anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _way(self, step: int) -> float:
        """The part of the way that is done after ``step`` epochs."""
        part = min(1.0, max(0.0, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * part)) / 2 if self._anneal_strategy == "cos" else part

    @within_step
    def get_lr(self) -> list[Rate]:
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._way(step - 1), self._way(step)
        rates = []
        for group, rate in zip(self.optimizer.param_groups, self._rates, strict=True):
            goal = group["swa_lr"]
            start = goal if before == 1 else (rate - before * goal) / (1 - before)
            rates.append(goal * now + start * (1 - now))
        return rates
