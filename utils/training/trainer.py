"""``Trainer``: the loop that most programs write, with what goes around it."""

from __future__ import annotations

import contextlib
import copy
import itertools
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...autograd import ops
from ...autograd.grad_mode import no_grad
from ...autograd.mixed_precision import autocast
from ...backends import to_dtype
from ...backends.cpu import compiled
from ...backends.errors import ArgumentError, InvalidValueError
from ...nn.utils import clip_grad_norm_
from ...optim.grad_scaler import GradScaler
from ...optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from . import checkpoints
from .callbacks import Callback, Progress

__all__ = ["Trainer"]

_END = object()

Step = Callable[[Any, Any], Any]
AMP = (None, "bfloat16", "float16")


class Trainer:
    """Trains a model: batches, updates, evaluation, checkpoints; nothing that could not be written by hand.

    A batch is what the loader gives. It is moved to ``device``; of a pair (inputs, targets) the loss is
    ``loss(model(inputs), targets)``, and ``step`` says what it is of anything else.

    Args:
        model: the module.
        optimizer: of its parameters.
        loss: ``loss(output, target)``; not with ``step``.
        step: ``step(model, batch)`` gives the loss of a batch, a tensor with one element; or a dictionary of the loss,
            under ``"loss"``, and other numbers to be averaged over the epoch.
        metrics: names to functions ``metric(output, target)``, averaged over the batches; not with ``step``.
        scheduler: a schedule of the learning rate.
        scheduler_per: ``"epoch"`` or ``"step"``: after which it moves on. ReduceLROnPlateau is given the epoch's
            ``valid_loss``, or ``train_loss`` where there is no evaluation.
        device: where batches go; where the model's first parameter is when left out.
        accumulate: how many batches make one update.
        clip: the largest norm of all gradients together; None leaves them.
        amp: compute in ``"bfloat16"`` or ``"float16"``, by autocast; the latter with a `GradScaler`.
        ema: the decay of an exponential moving average of the weights, kept in ``trainer.average`` and used to
            evaluate; None keeps none.
        callbacks: who is told what goes on; see `Callback`.
        progress: show a progress bar.

    Attributes:
        history: for each epoch a dictionary of its numbers: ``epoch``, ``train_loss``, ``valid_loss``, ``lr``, ...
        epoch, batch, step: where training is: epochs and batches begin with 0, updates are counted in all.
        stopped: why training ended before its last epoch; None if it did not.

    Raises:
        ValueError: arguments that contradict one another.

    Example:
        >>> import wengert as wg
        >>> from wengert.train import Trainer
        >>> from wengert.utils.data import DataLoader
        >>> from wengert.utils.datasets import iris
        >>> _ = wg.manual_seed(0)
        >>> model = wg.nn.Sequential(wg.nn.Linear(4, 16), wg.nn.ReLU(), wg.nn.Linear(16, 3))
        >>> optimizer = wg.optim.Adam(model.parameters(), 0.01)
        >>> trainer = Trainer(model, optimizer, wg.nn.functional.cross_entropy, progress=False)
        >>> history = trainer.fit(DataLoader(iris("train"), 16, shuffle=True), DataLoader(iris("test"), 30), epochs=20)
        >>> history[-1]["valid_loss"] < history[0]["valid_loss"]
        True
    """

    def __init__(
        self,
        model: Any,
        optimizer: Any,
        loss: Step | None = None,
        *,
        step: Step | None = None,
        metrics: Mapping[str, Step] | None = None,
        scheduler: Any = None,
        scheduler_per: str = "epoch",
        device: Any = None,
        accumulate: int = 1,
        clip: float | None = None,
        amp: str | None = None,
        ema: float | None = None,
        callbacks: Sequence[Callback] = (),
        progress: bool = True,
    ) -> None:
        if (loss is None) == (step is None):
            raise InvalidValueError("Trainer needs either loss(output, target) or step(model, batch)")
        if metrics and step is not None:
            raise InvalidValueError("Trainer: a step(model, batch) returns its metrics with the loss, as a dictionary")
        if scheduler_per not in ("epoch", "step"):
            raise InvalidValueError(f"scheduler_per must be 'epoch' or 'step', not {scheduler_per!r}")
        if accumulate < 1:
            raise InvalidValueError(f"accumulate counts batches, at least 1, not {accumulate}")
        if amp not in AMP:
            raise InvalidValueError(f"amp must be None, 'bfloat16' or 'float16', not {amp!r}")
        first = next(iter(model.parameters()), None)
        self.model, self.optimizer, self.loss, self.metrics = model, optimizer, loss, dict(metrics or {})
        self._step_of = step or self._supervised
        self.scheduler, self.scheduler_per = scheduler, scheduler_per
        self.device = device if device is not None or first is None else first.device
        self.accumulate, self.clip, self.amp = accumulate, clip, amp
        kind = "cpu" if self.device is None else str(self.device).partition(":")[0]
        self._device_type = kind
        self.scaler = GradScaler(kind, enabled=amp == "float16")
        self.average: Any = (
            None if ema is None else AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(ema), use_buffers=True)
        )
        listeners = [*callbacks, *([Progress()] if progress else [])]
        # A checkpoint is written when all others have heard of the epoch, since it keeps their states too.
        self.callbacks = sorted(listeners, key=lambda callback: isinstance(callback, checkpoints.Checkpoint))
        self.history: list[dict[str, float]] = []
        self.epoch = self.batch = self.step = self.epochs = 0
        self.batches: int | None = None
        self.updated = False
        self.stopped: str | None = None
        self._begun: dict[str, Any] | None = None  # random numbers at the start of the epoch: the batches' order
        self._sums = Means()
        self._resumed: dict[str, Any] | None = None

    # ------------------------------------------------------------------ training

    def fit(self, train: Iterable[Any], valid: Iterable[Any] | None = None, epochs: int = 1) -> list[dict[str, float]]:
        """Train until ``epochs`` epochs have been trained in all; also on from a checkpoint.

        The first Ctrl-C ends it after the batch that is under way, with all callbacks called and, where a `Checkpoint`
        listens, the state saved; a second one interrupts at once.

        Args:
            train: a `DataLoader`, or anything that gives batches each time it is walked through.
            valid: batches to evaluate with after each epoch.
            epochs: how many epochs there are to be in all.

        Returns:
            `history`.

        Raises:
            RuntimeError: the loss is not finite, or ``train`` gives no batches.
        """
        self.epochs, self.stopped = epochs, None
        self.batches = _length(train)
        if self._resumed is not None:  # whatever was drawn since then
            checkpoints.set_random_state(self._resumed)
            self._resumed = None
        self._tell("on_fit_start")
        try:
            with _Interrupts() as interrupts:
                while self.epoch < epochs and self.stopped is None:
                    self._train_epoch(train, valid, interrupts)
        finally:
            self._tell("on_fit_end")
        return self.history

    def stop(self, reason: str) -> None:
        """End training after this epoch, or after this batch if the epoch is not over."""
        self.stopped = reason

    def _train_epoch(self, train: Iterable[Any], valid: Any, interrupts: _Interrupts) -> None:
        began = time.perf_counter()
        batches = self._batches(train)
        self._tell("on_epoch_start")
        self.model.train()
        rest = iter(batches)
        while True:
            with self._located():
                batch = next(rest, _END)
                if batch is _END:
                    break
                loss = self._learn(batch)
            self.batch += 1
            self._tell("on_batch_end", loss)
            if interrupts.asked:
                self.stop("interrupted")
                self._save_now()
            if self.stopped is not None:
                self._resumed = checkpoints.get_random_state()  # from where another fit() goes on
                return
        if not self._sums.count:
            raise ArgumentError(
                "Trainer.fit: the training data gave no batch; is the dataset empty, or an iterator used up?"
            )
        if self.batch % self.accumulate:  # the last batches are fewer, and are an update nevertheless
            self._update()
        logs = {"epoch": self.epoch, **self._sums.means("train_")}
        if valid is not None:
            logs |= {f"valid_{name}": value for name, value in self.evaluate(valid).items()}
        logs["lr"] = float(self.optimizer.param_groups[0]["lr"])
        logs["seconds"] = time.perf_counter() - began
        self._schedule("epoch", logs)
        self.history.append(logs)
        self._sums, self._begun = Means(), None
        done, self.batch = self.batch, 0
        self._tell("on_epoch_end", logs)
        self.epoch += 1
        self.batches = self.batches or done

    @contextlib.contextmanager
    def _located(self) -> Iterator[None]:
        """What goes wrong within says with which batch."""
        try:
            yield
        except Exception as error:
            error.add_note(f"This was batch {self.batch} of epoch {self.epoch}.")
            raise

    def _batches(self, train: Iterable[Any]) -> Iterable[Any]:
        """The batches of this epoch that are left to do."""
        own = getattr(train, "generator", None)  # the order may come from the loader's own numbers
        if self._begun is None or not self.batch:
            self._begun, self._sums = checkpoints.get_random_state(own), Means()
            return iter(train)
        now = checkpoints.get_random_state(own)
        checkpoints.set_random_state(self._begun, own)
        if hasattr(train, "iter_from"):
            rest: Iterator[Any] = train.iter_from(self.batch)
        else:
            rest = iter(train)
            for _ in itertools.islice(rest, self.batch):
                pass
        checkpoints.set_random_state(now)
        return rest

    def _learn(self, batch: Any) -> float:
        with autocast(self._device_type, to_dtype(self.amp or "bfloat16"), enabled=self.amp is not None):
            numbers = self._numbers_of(self.model, batch)
        loss = numbers["loss"]
        value = float(loss.item())
        if value != value or value in (float("inf"), -float("inf")):
            raise ArgumentError(
                f"the loss of batch {self.batch} of epoch {self.epoch} is {value}; wengert.debug.nan_guard() finds "
                "where it comes from, and a smaller learning rate or clip=1.0 may prevent it"
            )
        self.scaler.scale(loss / self.accumulate).backward()
        self._sums.add(numbers)
        self.updated = (self.batch + 1) % self.accumulate == 0
        if self.updated:
            self._update()
        return value

    def _numbers_of(self, model: Any, batch: Any) -> dict[str, Any]:
        result = self._step_of(model, moved(batch, self.device))
        return dict(result) if isinstance(result, Mapping) else {"loss": result}

    def _supervised(self, model: Any, batch: Any) -> Any:
        if not isinstance(batch, (list, tuple)) or len(batch) != 2:
            raise ArgumentError(
                f"Trainer with a loss takes batches (inputs, targets), not {type(batch).__name__}"
                f"{f' of {len(batch)}' if isinstance(batch, (list, tuple)) else ''}; give it step(model, batch) instead"
            )
        inputs, targets = batch
        output = model(inputs)
        numbers = {"loss": self.loss(output, targets)}  # type: ignore[misc]
        with no_grad():
            return numbers | {name: metric(output, targets) for name, metric in self.metrics.items()}

    def _update(self) -> None:
        if self.clip is not None:
            self.scaler.unscale_(self.optimizer)
            clip_grad_norm_(self.model.parameters(), self.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad()
        if self.average is not None:
            self.average.update_parameters(self.model)
        self.step += 1
        self._schedule("step", {})

    def _schedule(self, per: str, logs: dict[str, float]) -> None:
        if self.scheduler is None or self.scheduler_per != per:
            return
        if type(self.scheduler).__name__ == "ReduceLROnPlateau":
            self.scheduler.step(logs.get("valid_loss", logs.get("train_loss")))
        else:
            self.scheduler.step()

    # ------------------------------------------------------------------ looking

    @no_grad()
    def evaluate(self, data: Iterable[Any]) -> dict[str, float]:
        """The mean loss and metrics over batches, without training.

        Args:
            data: a `DataLoader`, or other batches.
        """
        model = self.model if self.average is None else self.average.module
        training, sums = model.training, Means()
        model.eval()
        try:
            for batch in data:
                sums.add(self._numbers_of(model, batch))
        finally:
            model.train(training)
        if not sums.count:
            raise ArgumentError(
                "Trainer.evaluate: the data gave no batch; is the dataset empty, or an iterator used up?"
            )
        return sums.means()

    @no_grad()
    def predict(self, data: Iterable[Any]) -> Any:
        """The model's outputs for batches, one below the other; of a pair (inputs, targets) the inputs are used."""
        model = self.model if self.average is None else self.average.module
        training = model.training
        model.eval()
        try:
            outputs = [
                model(moved(batch[0] if isinstance(batch, (list, tuple)) else batch, self.device)) for batch in data
            ]
        finally:
            model.train(training)
        if not outputs:
            raise ArgumentError(
                "Trainer.predict: the data gave no batch; is the dataset empty, or an iterator used up?"
            )
        return ops.cat(outputs)

    def _tell(self, what: str, *args: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, what)(self, *args)

    # ------------------------------------------------------------------ stopping and going on

    def _save_now(self) -> None:
        for callback in self.callbacks:
            if isinstance(callback, checkpoints.Checkpoint):
                callback.save(self)

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to go on: weights, optimizer, schedule, random numbers, and the place in the data."""
        between = bool(self.batch == 0)
        gradients = {n: p.grad for n, p in self.model.named_parameters() if p.grad is not None}
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": None if self.scheduler is None else self.scheduler.state_dict(),
            "scaler": self.scaler.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "gradients": gradients if self.batch % self.accumulate else {},
            "epoch": self.epoch + (len(self.history) > self.epoch),
            "batch": self.batch,
            "step": self.step,
            "history": copy.deepcopy(self.history),
            "sums": self._sums.state(),
            "begun": None if between else self._begun,
            "random": checkpoints.get_random_state(),
            "handled": compiled.handled(),
            "callbacks": [[type(callback).__name__, callback.state_dict()] for callback in self.callbacks],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to what `state_dict` gave; `fit` then goes on exactly as it would have."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        for part, name in ((self.scheduler, "scheduler"), (self.average, "average")):
            if (part is None) != (state[name] is None):
                raise ArgumentError(
                    f"the checkpoint was made with{'out' if state[name] is None else ''} {name}, and this Trainer has "
                    f"{'none' if part is None else 'one'}"
                )
            if part is not None:
                part.load_state_dict(state[name])
        self.scaler.load_state_dict(state["scaler"])
        for name, parameter in self.model.named_parameters():
            parameter.grad = state["gradients"].get(name)
        self.epoch, self.batch, self.step = state["epoch"], state["batch"], state["step"]
        self.history = copy.deepcopy(state["history"])
        self._sums, self._begun = Means(*state["sums"]), state["begun"]
        kept = list(state["callbacks"])
        for callback in self.callbacks:
            found = next((i for i, (name, _) in enumerate(kept) if name == type(callback).__name__), None)
            if found is not None:
                callback.load_state_dict(kept.pop(found)[1])
        compiled.set_handled(state["handled"])
        self._resumed = state["random"]
        checkpoints.set_random_state(self._resumed)

    def resume(self, path: str | os.PathLike[str]) -> bool:
        """Go on from a checkpoint, if it is there.

        Args:
            path: a file that a `Checkpoint` wrote, or its folder.

        Returns:
            Whether there was one.

        Raises:
            RuntimeError: it is damaged, or of another model.
        """
        try:
            state = checkpoints.read(path, self.device)
        except FileNotFoundError:
            return False
        self.load_state_dict(state)
        return True


class Means:
    """Sums of numbers, batch by batch."""

    def __init__(self, sums: Mapping[str, float] | None = None, count: int = 0) -> None:
        self.sums, self.count = dict(sums or {}), count

    def add(self, numbers: Mapping[str, Any]) -> None:
        """Another batch."""
        self.count += 1
        for name, value in numbers.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(value.item() if hasattr(value, "item") else value)

    def means(self, prefix: str = "") -> dict[str, float]:
        """The mean of each number."""
        return {prefix + name: total / max(self.count, 1) for name, total in self.sums.items()}

    def state(self) -> list[Any]:
        """What makes another of these."""
        return [dict(self.sums), self.count]


class _Interrupts:
    """Turns the first Ctrl-C into a wish, in the main thread; the second is Python's own again."""

    def __init__(self) -> None:
        self.asked = False
        self._before: Any = None

    def __enter__(self) -> _Interrupts:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def _ask(self, number: int, frame: Any) -> None:
        self.asked = True
        self._give_back()

    def _give_back(self) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    def __exit__(self, *exc: object) -> None:
        self._give_back()


def moved(batch: Any, device: Any) -> Any:
    """A nesting of tensors, on a device."""
    if ops.is_tensor(batch):
        return batch if device is None else batch.to(device, non_blocking=True)
    if isinstance(batch, Mapping):
        return {key: moved(value, device) for key, value in batch.items()}
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*[moved(value, device) for value in batch])
    if isinstance(batch, (list, tuple)):
        return type(batch)([moved(value, device) for value in batch])
    return batch


def _length(data: Any) -> int | None:
    try:
        return len(data)
    except TypeError:
        return None
