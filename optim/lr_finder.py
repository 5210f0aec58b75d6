"""``LRFinder``: the learning-rate range test."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..autograd.grad_mode import no_grad
from ..autograd.graph import renderers
from ..autograd.random import get_rng_state, set_rng_state
from ..backends.errors import ArgumentError
from .schedule import set_rate

if TYPE_CHECKING:
    from .optimizer import Optimizer

__all__ = ["LRFinder"]


class LRFinder:
    """Trains for a few steps with a rate that grows from tiny to far too large, and notes the loss at each rate.

    Good rates are where the loss falls most steeply; where it is least, the rate is too large already. Afterwards the
    model, the optimizer and the random numbers are as before.

    Args:
        model: a module, which is called with a batch's inputs.
        optimizer: of its parameters. All groups get the same rate.
        criterion: ``(output, targets)`` gives the loss.
        device: where batches are moved; nowhere when None.

    Attributes:
        history: ``{"lr": [...], "loss": [...]}``; the losses are smoothed.
        best_loss: the least of them.

    Example:
        >>> import wengert as wg
        >>> _ = wg.manual_seed(0)
        >>> x = wg.randn(64, 3)
        >>> batches = [(x, x @ wg.tensor([[1.0], [-2.0], [0.5]]))]
        >>> model = wg.nn.Linear(3, 1)
        >>> finder = wg.optim.LRFinder(model, wg.optim.SGD(model.parameters(), lr=0.1), wg.nn.MSELoss())
        >>> rate = finder.range_test(batches, start_lr=1e-4, end_lr=10).suggestion()
        >>> 1e-3 < rate < 1
        True

    References:
        L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", arXiv:1506.01186, section 3.3.
    """

    def __init__(
        self, model: Any, optimizer: Optimizer, criterion: Callable[[Any, Any], Any], device: Any = None
    ) -> None:
        self.model, self.optimizer, self.criterion, self.device = model, optimizer, criterion, device
        self.history: dict[str, list[float]] = {"lr": [], "loss": []}
        self.best_loss = math.inf

    def range_test(
        self,
        train_loader: Iterable[Any],
        val_loader: Iterable[Any] | None = None,
        start_lr: float = 1e-7,
        end_lr: float = 10.0,
        num_iter: int = 100,
        step_mode: str = "exp",
        smooth_f: float = 0.05,
        diverge_th: float = 5.0,
        accumulation_steps: int = 1,
    ) -> LRFinder:
        """Do the test.

        Args:
            train_loader: pairs of inputs and targets; begun again when it ends.
            val_loader: where the loss is measured; on the training batches themselves when None.
            start_lr: the first rate.
            end_lr: the last rate.
            num_iter: how many rates.
            step_mode: ``"exp"`` for equal ratios between them, ``"linear"`` for equal distances.
            smooth_f: how much of a running average the loss just before makes up, in [0, 1); 0 does not smooth.
            diverge_th: stop where the loss is so many times the least one, or not finite.
            accumulation_steps: batches for one step.

        Returns:
            This object.

        Raises:
            ValueError: an argument is out of range.
        """
        _check(start_lr, end_lr, num_iter, step_mode, smooth_f, accumulation_steps)
        self.history, self.best_loss = {"lr": [], "loss": []}, math.inf
        with self._untouched():
            batches = _endless(train_loader)
            for i in range(num_iter):
                part = i / max(1, num_iter - 1)
                span = end_lr - start_lr
                rate = start_lr * (end_lr / start_lr) ** part if step_mode == "exp" else start_lr + span * part
                loss = self._train(batches, rate, accumulation_steps)
                if val_loader is not None:
                    loss = self._validate(val_loader)
                if not math.isfinite(loss):
                    break
                if self.history["loss"]:
                    loss = smooth_f * self.history["loss"][-1] + (1 - smooth_f) * loss
                self.history["lr"].append(rate)
                self.history["loss"].append(loss)
                self.best_loss = min(self.best_loss, loss)
                if loss > diverge_th * self.best_loss:
                    break
        return self

    def _train(self, batches: Iterator[Any], rate: float, steps: int) -> float:
        """One step at this rate; the mean loss of its batches before it."""
        self.model.train()
        for group in self.optimizer.param_groups:
            set_rate(group, rate)
        self.optimizer.zero_grad()
        total = 0.0
        for _ in range(steps):
            loss = self._loss(next(batches)) / steps
            loss.backward()
            total += loss.item()
        if math.isfinite(total):
            self.optimizer.step()
        return total

    def _validate(self, loader: Iterable[Any]) -> float:
        self.model.eval()
        total, count = 0.0, 0
        with no_grad():
            for batch in loader:
                size = len(batch[0])
                total, count = total + float(self._loss(batch)) * size, count + size
        return total / max(1, count)

    def _loss(self, batch: Any) -> Any:
        inputs, targets = (x if self.device is None else x.to(self.device) for x in batch)
        return self.criterion(self.model(inputs), targets)

    @contextmanager
    def _untouched(self) -> Iterator[None]:
        """A block after which model, optimizer, gradients and random numbers are as before."""
        model, optimizer = self.model, self.optimizer
        weights = {name: copy.deepcopy(value) for name, value in model.state_dict().items()}
        state, called = copy.deepcopy(optimizer.state_dict()), optimizer._opt_called
        rates = [group["lr"] for group in optimizer.param_groups]
        values = [float(rate) for rate in rates]
        modes = [(module, module.training) for module in model.modules()]
        grads = [(p, p.grad) for p in model.parameters()]
        random = get_rng_state()
        try:
            yield
        finally:
            set_rng_state(random)
            model.load_state_dict(weights)
            optimizer.load_state_dict(state)
            optimizer._opt_called = called
            for group, rate, value in zip(optimizer.param_groups, rates, values, strict=True):
                group["lr"] = rate
                set_rate(group, value)
            for module, mode in modes:
                module.training = mode
            for p, g in grads:
                p.grad = g

    # ------------------------------------------------------------------ what it says

    def suggestion(self, method: str = "steepest", skip_start: int = 10, skip_end: int = 5) -> float:
        """A rate to train with.

        Args:
            method: ``"steepest"``: where the loss falls fastest; ``"minimum"``: a tenth of the rate where it is least.
            skip_start: how many of the first rates do not count.
            skip_end: how many of the last rates do not count.

        Raises:
            ValueError: ``method`` is unknown. RuntimeError: there was no test, or too short a one.
        """
        rates, losses = self._counted(skip_start, skip_end)
        if method == "minimum":
            return rates[losses.index(min(losses))] / 10
        if method != "steepest":
            raise ValueError(f"method {method!r} is unknown! Use 'steepest' or 'minimum'")
        slopes = []
        for i in range(len(rates)):
            left, right = max(0, i - 1), min(len(rates) - 1, i + 1)
            slopes.append((losses[right] - losses[left]) / math.log(rates[right] / rates[left]))
        return rates[slopes.index(min(slopes))]

    def _counted(self, skip_start: int, skip_end: int) -> tuple[list[float], list[float]]:
        stop = len(self.history["lr"]) - skip_end
        rates, losses = self.history["lr"][skip_start:stop], self.history["loss"][skip_start:stop]
        if len(rates) < 2:
            raise ArgumentError(
                f"the range test has {len(self.history['lr'])} rates, of which {skip_start} + {skip_end} do not count: "
                "call range_test() first, with more iterations, or skip fewer"
            )
        return rates, losses

    def plot(
        self,
        skip_start: int = 10,
        skip_end: int = 5,
        log_lr: bool = True,
        suggest_lr: bool = True,
        path: Any = None,
    ) -> Any:
        """Draw the loss over the rate, and the rates that `suggestion` proposes.

        Args:
            skip_start: how many of the first rates are not shown.
            skip_end: how many of the last rates are not shown.
            log_lr: equal ratios of rates are equal distances.
            suggest_lr: mark the proposals.
            path: a PNG, SVG or PDF file to write.

        Returns:
            The ``matplotlib.figure.Figure``.

        Raises:
            ImportError: matplotlib is not installed. RuntimeError: there was no test, or too short a one.
        """
        rates, losses = self._counted(skip_start, skip_end)
        marks = {}
        if suggest_lr:
            marks = {method: self.suggestion(method, skip_start, skip_end) for method in ("steepest", "minimum")}
        return renderers["range test"](rates, losses, marks, log=log_lr, path=path)


def _endless(loader: Iterable[Any]) -> Iterator[Any]:
    while True:
        empty = True
        for batch in loader:
            empty = False
            yield batch
        if empty:
            raise ValueError("the loader has no batches")


def _check(start: float, end: float, count: int, mode: str, smooth: float, steps: int) -> None:
    if not 0 < start < end:
        raise ValueError(f"expected 0 < start_lr < end_lr, but got {start} and {end}")
    if count < 2 or steps < 1:
        raise ValueError(f"num_iter must be larger than 1 and accumulation_steps than 0, but got {count} and {steps}")
    if mode not in ("exp", "linear"):
        raise ValueError(f"expected one of (exp, linear), got {mode}")
    if not 0 <= smooth < 1:
        raise ValueError(f"smooth_f is outside the range [0, 1): {smooth}")
