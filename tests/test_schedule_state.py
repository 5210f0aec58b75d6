"""What schedules keep: rates that are tensors, groups that come later, chains of chains, no circles of references."""

from __future__ import annotations

import copy
import gc
import warnings
import weakref
from typing import Any

import pytest

import wengert as wg
from wengert import optim
from wengert.optim import lr_scheduler as s
from wengert.optim.swa_utils import SWALR

from .test_lr_scheduler import MAKE, METRICS, optimizer_of, run


def sgd(lr: Any = 0.1, **options: Any) -> Any:
    return optim.SGD([wg.ones(1, requires_grad=True)], lr=lr, **options)


def test_every_schedule_has_a_row():
    public = {*s.__all__, "SWALR"} - {"LRScheduler", "WarmupCosineLR"}  # the latter is in test_training_aids.py
    tested = {type(make(wg, optimizer_of(wg))).__name__ for make in MAKE.values()}
    assert tested == public


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda o, t: s.CyclicLR(o, t(0.1), t(0.2), base_momentum=t(0.8), max_momentum=t(0.9)),
         {"max_momentum": 0.9, "base_momentum": 0.8}),
        (lambda o, t: s.OneCycleLR(o, t(0.1), total_steps=10, base_momentum=t(0.85), max_momentum=t(0.95)),
         {"max_lr": 0.1, "max_momentum": 0.95, "base_momentum": 0.85}),
        (lambda o, t: SWALR(o, t(0.05)), {"swa_lr": 0.05}),
    ],
)  # fmt: skip
def test_bounds_that_are_tensors_are_copied(make: Any, names: dict[str, float]):
    given: list[Any] = []

    def tensor(value: float) -> Any:
        given.append(wg.tensor(value))
        return given[-1]

    optimizer = sgd(tensor(0.1), momentum=0.9)
    schedule = make(optimizer, tensor)
    initial = copy.deepcopy(optimizer.param_groups[0]["initial_lr"])
    for _ in range(2):
        for value in given:
            value.mul_(0.5)
        optimizer.step()
        schedule.step()
        group = optimizer.param_groups[0]
        assert group["initial_lr"] == initial
        for name, value in names.items():
            assert float(group[name]) == pytest.approx(value), name


@pytest.mark.parametrize("lowest", [0.0, [1e-5, 1e-4]], ids=["one", "list"])
def test_a_plateau_with_groups_that_came_later(lowest: Any):
    optimizer = optimizer_of(wg)
    schedule = s.ReduceLROnPlateau(optimizer, patience=0, min_lr=lowest)
    optimizer.add_param_group({"params": [wg.ones(1, requires_grad=True)], "lr": 0.5})
    schedule.step(1.0)
    if isinstance(lowest, list):
        with pytest.raises(RuntimeError, match="The number of param groups in the `optimizer`"):
            schedule.step(2.0)
        schedule.min_lrs.append(0.0)
    schedule.step(2.0)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.01, 0.02, 0.05])


def test_a_plateau_keeps_the_type_of_a_rate():
    optimizer = optim.SGD([{"params": [wg.ones(1, requires_grad=True)], "lr": wg.tensor([0.1])},
                           {"params": [wg.ones(1, requires_grad=True)], "lr": 0.2}])  # fmt: skip
    rate = optimizer.param_groups[0]["lr"]
    schedule = s.ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
    schedule.step(1.0)
    schedule.step(1.0)
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == pytest.approx(0.05)
    assert optimizer.param_groups[1]["lr"] == 0.1
    assert schedule.get_last_lr()[0] is not rate


def test_chains_of_chains():
    def rates(make: Any) -> list[float]:
        optimizer = sgd()
        schedule = make(optimizer)
        found = []
        for _ in range(8):
            found.append(schedule.get_last_lr()[0])
            optimizer.step()
            schedule.step()
        return found

    def both(o: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return s.SequentialLR(o, [s.ChainedScheduler([s.LinearLR(o, 0.1, total_iters=5), s.ConstantLR(o, 0.1, 5)]),
                                      s.ConstantLR(o, 0.5, 5)], [5])  # fmt: skip

    assert rates(both) == pytest.approx([0.001, 0.0028, 0.0046, 0.0064, 0.0082, 0.05, 0.05, 0.05])
    first_at_once = s.SequentialLR(o := sgd(), [s.ConstantLR(o, 0.5), s.ConstantLR(o, 0.2)], [0])
    assert first_at_once.get_last_lr() == pytest.approx([0.02])


def test_rates_that_are_not_the_last_ones():
    optimizer = sgd()
    for schedule in (s.StepLR(optimizer, 2), s.CosineAnnealingWarmRestarts(optimizer, 3), SWALR(optimizer, 0.1)):
        with pytest.warns(UserWarning, match="please use `get_last_lr"):
            schedule.get_lr()
        optimizer.step()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            schedule.step()
        assert not schedule._get_lr_called_within_step


@pytest.mark.parametrize("name", MAKE)
def test_nothing_is_kept_in_a_circle(name: str):
    def used() -> Any:
        optimizer = optimizer_of(wg)
        schedule = MAKE[name](wg, optimizer)
        run(optimizer, schedule, 1)
        assert len(METRICS)
        return weakref.ref(schedule), weakref.ref(optimizer)

    gc.disable()
    try:
        refs = used()
        assert [ref() for ref in refs] == [None, None]
    finally:
        gc.enable()


def test_the_older_name_of_the_base_class():
    class Halved(s._LRScheduler):
        def get_lr(self) -> list[float]:
            return [lr / 2**self.last_epoch for lr in self.base_lrs]

    schedule = Halved(sgd())
    schedule.optimizer.step()
    schedule.step()
    assert schedule.get_last_lr() == [0.05]
    assert isinstance(schedule, s.LRScheduler)
    assert not isinstance(s.StepLR(sgd(), 2), s._LRScheduler)
