"""Learning-rate schedules: their sequences by formula and against PyTorch, saved state, and bad input."""

from __future__ import annotations

import copy
import math
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import optim
from wengert.optim import lr_scheduler

Make = Callable[..., Any]


def schedulers(T: Any) -> Any:
    return T.optim.lr_scheduler


MAKE: dict[str, Make] = {
    "LambdaLR": lambda T, o, **k: schedulers(T).LambdaLR(o, [lambda e: 0.95**e, lambda e: 1 / (1 + e)], **k),
    "MultiplicativeLR": lambda T, o, **k: schedulers(T).MultiplicativeLR(o, lambda e: 0.95, **k),
    "StepLR": lambda T, o, **k: schedulers(T).StepLR(o, 7, 0.5, **k),
    "MultiStepLR": lambda T, o, **k: schedulers(T).MultiStepLR(o, [3, 3, 20, 50], 0.3, **k),
    "ConstantLR": lambda T, o, **k: schedulers(T).ConstantLR(o, 0.3, 10, **k),
    "LinearLR": lambda T, o, **k: schedulers(T).LinearLR(o, 0.2, 0.9, 13, **k),
    "ExponentialLR": lambda T, o, **k: schedulers(T).ExponentialLR(o, 0.97, **k),
    "PolynomialLR": lambda T, o, **k: schedulers(T).PolynomialLR(o, 20, 2.0, **k),
    "CosineAnnealingLR": lambda T, o, **k: schedulers(T).CosineAnnealingLR(o, 13, 0.01, **k),
    "CosineAnnealingLR to the end": lambda T, o, **k: schedulers(T).CosineAnnealingLR(o, 100, **k),
    "CosineAnnealingWarmRestarts": lambda T, o, **k: schedulers(T).CosineAnnealingWarmRestarts(o, 5, 2, 0.001, **k),
    "restarts of one length": lambda T, o, **k: schedulers(T).CosineAnnealingWarmRestarts(o, 7, **k),
    "CyclicLR": lambda T, o, **k: schedulers(T).CyclicLR(o, 0.01, 0.1, 5, 7, **k),
    "triangular2": lambda T, o, **k: schedulers(T).CyclicLR(o, 0.01, 0.1, 5, mode="triangular2", **k),
    "exp_range": lambda T, o, **k: schedulers(T).CyclicLR(
        o, [0.01, 0.02], [0.1, 0.3], 5, mode="exp_range", gamma=0.97, **k
    ),
    "cycles of one's own": lambda T, o, **k: schedulers(T).CyclicLR(
        o, 0.01, 0.1, 5, cycle_momentum=False, scale_fn=lambda x: 1 / 5 ** (x * 1e-4), scale_mode="iterations", **k
    ),
    "OneCycleLR": lambda T, o, **k: schedulers(T).OneCycleLR(o, 0.1, total_steps=101, **k),
    "three phases": lambda T, o, **k: schedulers(T).OneCycleLR(
        o, [0.1, 0.2], epochs=11, steps_per_epoch=10, three_phase=True, anneal_strategy="linear", **k
    ),
    "SWALR": lambda T, o, **k: T.optim.swa_utils.SWALR(o, [0.05, 0.01], anneal_epochs=7, **k),
    "SWALR at once": lambda T, o, **k: T.optim.swa_utils.SWALR(o, 0.05, 0, "linear", **k),
    "ReduceLROnPlateau": lambda T, o: schedulers(T).ReduceLROnPlateau(
        o, patience=3, factor=0.5, cooldown=2, min_lr=[0.001, 0.01]
    ),
    "plateau above": lambda T, o: schedulers(T).ReduceLROnPlateau(
        o, "max", patience=3, threshold=0.1, threshold_mode="abs"
    ),
    "SequentialLR": lambda T, o: schedulers(T).SequentialLR(
        o,
        [
            schedulers(T).LinearLR(o, 0.1, 1, 5),
            schedulers(T).CosineAnnealingLR(o, 20),
            schedulers(T).ExponentialLR(o, 0.9),
        ],
        [5, 30],
    ),
    "restarts after warmup": lambda T, o: schedulers(T).SequentialLR(
        o, [schedulers(T).ConstantLR(o, 0.1, 5), schedulers(T).CosineAnnealingWarmRestarts(o, 20)], [5]
    ),
    "ChainedScheduler": lambda T, o: schedulers(T).ChainedScheduler(
        [schedulers(T).ConstantLR(o, 0.1, 5), schedulers(T).ExponentialLR(o, 0.9)]
    ),
}
RESUMABLE = [name for name in MAKE if name not in ("SequentialLR", "restarts after warmup", "ChainedScheduler",
                                                   "ReduceLROnPlateau", "plateau above")]  # fmt: skip
METRICS = np.random.default_rng(0).normal(size=300)


def optimizer_of(T: Any, name: str = "SGD", tensor: bool = False, **options: Any) -> Any:
    groups = []
    for i in range(2):
        lr = 0.1 * (i + 1)
        rate = T.tensor(lr, dtype=T.float64) if tensor else lr
        groups.append({"params": [T.ones(2, requires_grad=True)], "lr": rate})
    if name == "SGD":
        options.setdefault("momentum", 0.9)
    return getattr(T.optim, name)(groups, **options)


def rates(optimizer: Any) -> list[float]:
    found = []
    for group in optimizer.param_groups:
        momentum = group["betas"][0] if "betas" in group else group["momentum"]
        found += [float(group["lr"]), float(momentum), float(group.get("initial_lr", -1))]
    return found


def run(optimizer: Any, schedule: Any, epochs: int, start: int = 0) -> np.ndarray:
    rows = []
    for epoch in range(start, start + epochs):
        optimizer.step()
        schedule.step(*([METRICS[epoch]] if "Plateau" in type(schedule).__name__ else []))
        rows.append(rates(optimizer) + [float(rate) for rate in schedule.get_last_lr()])
    return np.array(rows)


@pytest.mark.parity
@pytest.mark.parametrize("tensor", [False, True], ids=["numbers", "tensors"])
@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize("name", MAKE)
def test_a_hundred_epochs(name: str, optimizer: str, tensor: bool):
    torch = pytest.importorskip("torch")
    sequences, states = [], []
    for T in (wg, torch):
        o = optimizer_of(T, optimizer, tensor)
        schedule = MAKE[name](T, o)
        sequences.append(np.vstack([[*rates(o), *map(float, schedule.get_last_lr())], run(o, schedule, 100)]))
        states.append(schedule.state_dict())
    np.testing.assert_allclose(*sequences, rtol=1e-12, atol=1e-15)
    assert states[0].keys() - {"scale_fn"} <= states[1].keys(), "saved under names that PyTorch does not know"


@pytest.mark.parity
@pytest.mark.parametrize("name", RESUMABLE)
@pytest.mark.parametrize("epochs", [1, 7, 13, 17])
def test_training_that_goes_on(name: str, epochs: int):
    torch = pytest.importorskip("torch")
    sequences = []
    for T in (wg, torch):
        o = optimizer_of(T)
        run(o, MAKE[name](T, o), epochs)
        schedule = MAKE[name](T, o, last_epoch=epochs - 1)
        sequences.append(np.vstack([[*rates(o), *schedule.get_last_lr()], run(o, schedule, 30)]))
        with pytest.raises(KeyError, match="initial_lr"):
            MAKE[name](T, optimizer_of(T), last_epoch=epochs)
    np.testing.assert_allclose(*sequences, rtol=1e-12, atol=1e-15)


@pytest.mark.parity
@pytest.mark.parametrize("name", RESUMABLE)
@pytest.mark.parametrize("epochs", [[0, 0, 1, 2], [5, 0, 3], [20, 21, 50, 13]], ids=str)
@pytest.mark.filterwarnings("ignore:The epoch parameter")
def test_epochs_by_number(name: str, epochs: list[int]):
    torch = pytest.importorskip("torch")
    sequences = []
    for T in (wg, torch):
        o = optimizer_of(T)
        schedule = MAKE[name](T, o)
        rows = []
        for epoch in epochs:
            o.step()
            schedule.step(epoch)
            rows.append(rates(o))
            schedule.step()
            rows.append(rates(o))
        sequences.append(rows)
    np.testing.assert_allclose(*sequences, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", MAKE)
def test_saved_and_loaded(name: str):
    optimizer = optimizer_of(wg)
    schedule = MAKE[name](wg, optimizer)
    run(optimizer, schedule, 17)
    states = [optimizer.state_dict(), schedule.state_dict()]
    if name not in ("cycles of one's own", "MultiplicativeLR", "LambdaLR"):
        states = pickle.loads(pickle.dumps(states))  # functions are not saved, but they are not in the way either
    states = copy.deepcopy(states)
    other = optimizer_of(wg)
    again = MAKE[name](wg, other)
    other.load_state_dict(states[0])
    again.load_state_dict(states[1])
    np.testing.assert_array_equal(run(optimizer, schedule, 40, 17), run(other, again, 40, 17))


@pytest.mark.parametrize("name", MAKE)
def test_an_optimizer_with_a_schedule_can_be_copied(name: str):
    optimizer = optimizer_of(wg)
    schedule = MAKE[name](wg, optimizer)
    run(optimizer, schedule, 3)
    other = copy.deepcopy(optimizer)
    assert pickle.loads(pickle.dumps(optimizer)).param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]
    other.step()
    twin = copy.deepcopy(schedule)
    np.testing.assert_array_equal(run(optimizer, schedule, 5, 3), run(twin.optimizer, twin, 5, 3))


def test_rates_by_formula():
    def sequence(make: Callable[[Any], Any], epochs: int, lr: float = 1.0) -> list[float]:
        optimizer = optim.SGD([wg.ones(1, requires_grad=True)], lr=lr)
        schedule = make(optimizer)
        found = [optimizer.param_groups[0]["lr"]]
        for _ in range(epochs):
            optimizer.step()
            schedule.step()
            found.append(optimizer.param_groups[0]["lr"])
        return found

    s = lr_scheduler
    assert sequence(lambda o: s.StepLR(o, 2, 0.5), 5) == [1, 1, 0.5, 0.5, 0.25, 0.25]
    assert sequence(lambda o: s.MultiStepLR(o, [1, 3], 0.5), 4) == [1, 0.5, 0.5, 0.25, 0.25]
    assert sequence(lambda o: s.ExponentialLR(o, 0.5), 3) == [1, 0.5, 0.25, 0.125]
    assert sequence(lambda o: s.ConstantLR(o, 0.5, 2), 3) == [0.5, 0.5, 1, 1]
    np.testing.assert_allclose(sequence(lambda o: s.PolynomialLR(o, 4), 5), [1, 0.75, 0.5, 0.25, 0, 0])
    half_cosine = [(1 + math.cos(math.pi * i / 4)) / 2 for i in range(5)]
    np.testing.assert_allclose(sequence(lambda o: s.CosineAnnealingLR(o, 4), 4), half_cosine, atol=1e-12)
    restarts = [*half_cosine[:4], *half_cosine[:4], 1]
    np.testing.assert_allclose(sequence(lambda o: s.CosineAnnealingWarmRestarts(o, 4), 8), restarts, atol=1e-12)
    triangle = [0, 0.5, 1, 0.5, 0, 0.25, 0.5, 0.25, 0]
    found = sequence(lambda o: s.CyclicLR(o, 0, 1, 2, mode="triangular2", cycle_momentum=False), 8)
    np.testing.assert_allclose(found, triangle, atol=1e-12)


@pytest.mark.parametrize("mode", ["triangular", "triangular2", "exp_range"])
def test_cycles_go_on_for_long(mode: str):
    optimizer = optimizer_of(wg)
    schedule = lr_scheduler.CyclicLR(optimizer, 0.01, 0.1, 2, mode=mode, gamma=0.999)
    optimizer.step()
    for _ in range(5000):
        schedule.step()
    assert 0.01 <= schedule.get_last_lr()[0] <= 0.1


def test_linear_decay_to_step_four():
    """After step k of tau: ``(1 - k / tau) * start + k / tau * end``, then constant."""
    start, end, tau = 0.8, 0.2, 4
    optimizer = optim.SGD([wg.ones(1, requires_grad=True)], lr=start)
    schedule = lr_scheduler.LinearLR(optimizer, 1.0, end / start, total_iters=tau)
    found = []
    for _ in range(6):
        optimizer.step()
        schedule.step()
        found.append(schedule.get_last_lr()[0])
    by_hand = [3 / 4 * start + 1 / 4 * end, 2 / 4 * start + 2 / 4 * end, 1 / 4 * start + 3 / 4 * end, end, end, end]
    np.testing.assert_allclose(found, by_hand)


def test_fractions_of_epochs():
    optimizer = optimizer_of(wg)
    schedule = lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 4, 2)
    for epoch in (0.5, 3.75, 4.0, 11.0, 12.0):
        schedule.step(epoch)
        part = {0.5: 0.125, 3.75: 0.9375, 4.0: 0.0, 11.0: 0.875, 12.0: 0.0}[epoch]
        assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1 * (1 + math.cos(math.pi * part)) / 2)


def test_a_rate_that_is_a_tensor_stays_the_same_tensor():
    rate = wg.tensor(0.5, dtype=wg.float64)
    optimizer = optim.SGD([wg.ones(1, requires_grad=True)], lr=rate)
    schedule = lr_scheduler.ExponentialLR(optimizer, 0.5)
    before = schedule.get_last_lr()[0]
    optimizer.step()
    schedule.step()
    assert optimizer.param_groups[0]["lr"] is rate
    assert (rate.item(), before.item(), schedule.base_lrs[0].item()) == (0.25, 0.5, 0.5)


def test_the_schedule_before_the_optimizer_warns_once():
    optimizer = optimizer_of(wg)
    schedule = lr_scheduler.StepLR(optimizer, 2)
    with pytest.warns(UserWarning, match=r"before `optimizer\.step\(\)`"):
        schedule.step()
    schedule.step()
    other = optimizer_of(wg)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = lr_scheduler.StepLR(other, 2)
        other.step()
        again.step()


def test_epochs_by_number_are_deprecated():
    for schedule in (lr_scheduler.StepLR(optimizer_of(wg), 2), lr_scheduler.ReduceLROnPlateau(optimizer_of(wg))):
        schedule.optimizer.step()
        with pytest.warns(UserWarning, match="deprecated"):
            schedule.step(*([1.0] if isinstance(schedule, lr_scheduler.ReduceLROnPlateau) else []), 3)
        assert schedule.last_epoch == 3


def test_groups_that_came_later_are_noticed():
    optimizer = optimizer_of(wg)
    schedule = lr_scheduler.LambdaLR(optimizer, lambda e: 1.0)
    optimizer.add_param_group({"params": [wg.ones(1, requires_grad=True)]})
    optimizer.step()
    with pytest.raises(ValueError, match="add_param_group"):
        schedule.step()


def test_objects_that_are_rules_are_saved():
    class Rule:
        def __init__(self, base: float) -> None:
            self.base = base

        def __call__(self, epoch: float) -> float:
            return self.base**epoch

    for make in (
        lambda o, rule: lr_scheduler.LambdaLR(o, rule),
        lambda o, rule: lr_scheduler.CyclicLR(o, 0.1, 0.2, 2, scale_fn=rule),
    ):
        state = make(optimizer_of(wg), Rule(0.5)).state_dict()
        rule = Rule(0.1)
        make(optimizer_of(wg), rule).load_state_dict(state)
        assert rule.base == 0.5


BAD: dict[str, Callable[[Any, Any], Any]] = {
    "no optimizer": lambda T, o: schedulers(T).StepLR(5, 3),
    "no optimizer for a plateau": lambda T, o: schedulers(T).ReduceLROnPlateau(5),
    "no optimizer for cycles": lambda T, o: schedulers(T).CyclicLR(5, 0.1, 0.2),
    "no optimizer for one cycle": lambda T, o: schedulers(T).OneCycleLR(5, 0.1, 10),
    "too few functions": lambda T, o: schedulers(T).LambdaLR(o, [lambda e: 1]),
    "constant above one": lambda T, o: schedulers(T).ConstantLR(o, 2.0),
    "start at zero": lambda T, o: schedulers(T).LinearLR(o, 0.0),
    "end above one": lambda T, o: schedulers(T).LinearLR(o, 0.5, 2.0),
    "no length": lambda T, o: schedulers(T).CosineAnnealingWarmRestarts(o, 0),
    "half a length": lambda T, o: schedulers(T).CosineAnnealingWarmRestarts(o, 1.5),
    "shorter each time": lambda T, o: schedulers(T).CosineAnnealingWarmRestarts(o, 2, 0.5),
    "lowest rate": lambda T, o: schedulers(T).CosineAnnealingWarmRestarts(o, 2, eta_min="x"),
    "negative epoch": lambda T, o: schedulers(T).CosineAnnealingWarmRestarts(o, 2).step(-1),
    "mode": lambda T, o: schedulers(T).CyclicLR(o, 0.1, 0.2, mode="other"),
    "too few rates": lambda T, o: schedulers(T).CyclicLR(o, [0.1], 0.2),
    "no momentum": lambda T, o: schedulers(T).CyclicLR(T.optim.Adagrad([T.ones(1, requires_grad=True)]), 0.1, 0.2),
    "no total": lambda T, o: schedulers(T).OneCycleLR(o, 0.1),
    "negative total": lambda T, o: schedulers(T).OneCycleLR(o, 0.1, total_steps=-3),
    "no epochs": lambda T, o: schedulers(T).OneCycleLR(o, 0.1, epochs=0, steps_per_epoch=3),
    "part of the way": lambda T, o: schedulers(T).OneCycleLR(o, 0.1, 10, pct_start=2.0),
    "strategy": lambda T, o: schedulers(T).OneCycleLR(o, 0.1, 10, anneal_strategy="x"),
    "beyond the end": lambda T, o: [s := schedulers(T).OneCycleLR(o, 0.1, 2), o.step(), *[s.step() for _ in range(3)]],
    "no schedules": lambda T, o: schedulers(T).SequentialLR(o, [], []),
    "milestones": lambda T, o: schedulers(T).SequentialLR(o, [schedulers(T).StepLR(o, 3)], [2]),
    "another's schedule": lambda T, o: schedulers(T).SequentialLR(o, [schedulers(T).StepLR(optimizer_of(T), 3)], []),
    "plateau in a chain": lambda T, o: schedulers(T).ChainedScheduler([schedulers(T).ReduceLROnPlateau(o)]),
    "empty chain": lambda T, o: schedulers(T).ChainedScheduler([]),
    "factor of one": lambda T, o: schedulers(T).ReduceLROnPlateau(o, factor=1.0),
    "mode of a plateau": lambda T, o: schedulers(T).ReduceLROnPlateau(o, mode="x"),
    "threshold": lambda T, o: schedulers(T).ReduceLROnPlateau(o, threshold_mode="x"),
    "lowest rates": lambda T, o: schedulers(T).ReduceLROnPlateau(o, min_lr=[0.1]),
    "no metric": lambda T, o: schedulers(T).ReduceLROnPlateau(o).step(),
    "strategy of SWA": lambda T, o: T.optim.swa_utils.SWALR(o, 0.1, anneal_strategy="x"),
    "length of SWA": lambda T, o: T.optim.swa_utils.SWALR(o, 0.1, anneal_epochs=-1),
}
TYPES = {"no optimizer": TypeError, "no optimizer for a plateau": TypeError, "no optimizer for cycles": TypeError,
         "no optimizer for one cycle": TypeError, "no metric": TypeError}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name: str):
    with pytest.raises(TYPES.get(name, ValueError)):
        BAD[name](wg, optimizer_of(wg))


@pytest.mark.parity
@pytest.mark.parametrize("name", BAD)
def test_pytorch_raises_the_same(name: str):
    torch = pytest.importorskip("torch")
    with pytest.raises(TYPES.get(name, ValueError)):
        BAD[name](torch, optimizer_of(torch))


@pytest.mark.parity
def test_arguments_are_pytorchs():
    torch = pytest.importorskip("torch")
    import inspect

    assert set(lr_scheduler.__all__) == {*torch.optim.lr_scheduler.__all__, "WarmupCosineLR"}
    for name in torch.optim.lr_scheduler.__all__:
        mine, theirs = (inspect.signature(getattr(schedulers(T), name)).parameters for T in (wg, torch))
        assert [(p.name, p.default) for p in mine.values()] == [(p.name, p.default) for p in theirs.values()], name


def test_a_step_that_was_replaced_after_the_schedule_was_made_is_told():
    optimizer = wg.optim.SGD([wg.ones(2, requires_grad=True)], lr=0.1)
    schedule = wg.optim.lr_scheduler.StepLR(optimizer, 3)
    original = optimizer.step
    optimizer.step = lambda *args: original(*args)  # type: ignore[method-assign]
    optimizer.step()
    with pytest.warns(UserWarning, match=r"`optimizer.step\(\)` has been overridden.*how-to-adjust-learning-rate"):
        schedule.step()


def test_messages_that_programs_look_for():
    optimizer = wg.optim.SGD([wg.ones(2, requires_grad=True)], lr=0.1)
    with pytest.raises(KeyError, match="when resuming scheduler with last_epoch >= 0"):
        wg.optim.lr_scheduler.StepLR(optimizer, 3, last_epoch=1)
    schedule = wg.optim.lr_scheduler.StepLR(optimizer, 3)
    optimizer.step()
    with pytest.warns(UserWarning, match="epoch parameter") as given:
        schedule.step(2)
    assert given[0].message.args[0] == wg.optim.lr_scheduler.EPOCH_DEPRECATION_WARNING
