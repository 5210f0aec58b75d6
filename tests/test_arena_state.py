"""Parameters, groups and state that are replaced while an optimizer has them side by side."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn, optim

from .arenas import MAKERS, SHAPES, arenas, assert_same, copies, give_gradients, parameters
from .arenas import make as make
from .arenas import rng as rng

# ------------------------------------------------------------------ what is replaced


def test_data_replaced(make: Any, rng: np.random.Generator):
    params = parameters()
    others = copies(params)
    optimizer, alone = make(params), [make([p]) for p in others]
    for step in range(6):
        if step == 2:
            for p in (params[1], others[1]):
                p.data = wg.full_like(p, 7.0)
        if step == 3:
            for p in (params[0], others[0]):
                p.data = p.data.t().contiguous().t()
        if step == 4:
            with wg.no_grad():
                for p in (params[4], others[4]):
                    p.mul_(0.5)
        give_gradients(rng, params, others)
        optimizer.step()
        for each in alone:
            each.step()
        assert_same(params, others)


def test_data_of_another_shape_with_the_old_gradient_changes_nothing(make: Any):
    params = parameters([(3,), (4,)])
    optimizer = make(params)
    for p in params:
        p.grad = wg.ones_like(p)
    optimizer.step()
    before = [p.detach().clone() for p in params]
    params[1].data = wg.zeros(5, dtype=wg.float64)
    with pytest.raises((RuntimeError, ValueError), match="shape"):
        optimizer.step()
    np.testing.assert_array_equal(params[0].detach().numpy(), before[0].numpy())
    assert params[1].tolist() == [0.0] * 5


def test_gradient_of_another_dtype_changes_nothing(make: Any):
    params = parameters([(3,), (4,)])
    optimizer = make(params)
    for p in params:
        p.grad = wg.ones_like(p)
    params[1].data = params[1].data.float()
    with pytest.raises(RuntimeError, match="zero_grad"):
        optimizer.step()
    assert params[0].tolist() == parameters([(3,)])[0].tolist()
    assert not optimizer.state


def test_module_moved_to_another_dtype(make: Any):
    wg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1)).double()
    optimizer = make(model.parameters())
    x = wg.ones(2, 3)
    for dtype in (wg.float64, wg.float32, wg.float64):
        model.to(dtype)
        before = [p.detach().clone() for p in model.parameters()]
        optimizer.zero_grad()
        model(x.to(dtype)).sum().backward()
        optimizer.step()
        assert arenas(optimizer) == [4]
        for p, old in zip(model.parameters(), before, strict=True):
            assert p.dtype is dtype
            assert (p != old).any()
            assert all(v.dtype is dtype for name, v in optimizer.state.get(p, {}).items() if name != "step")
    if type(optimizer) is optim.Adam:
        assert all(float(state["step"]) == 3 for state in optimizer.state.values())


def test_module_loaded_in_mid_training(make: Any):
    model = nn.Linear(2, 2).double()
    saved = copy.deepcopy(model.state_dict())
    optimizer = make(model.parameters())
    for _ in range(2):
        for p in model.parameters():
            p.grad = wg.ones_like(p)
        optimizer.step()
    model.load_state_dict(saved)
    assert_same(list(model.parameters()), list(saved.values()))
    optimizer.step()
    assert arenas(optimizer) == [2]
    assert all((p != s).all() for p, s in zip(model.parameters(), saved.values(), strict=True))


def test_parameter_of_a_group_replaced(make: Any):
    params = parameters([(3,), (4,)])
    optimizer = make(params)
    for p in params:
        p.grad = wg.ones_like(p)
    optimizer.step()
    (new,) = parameters([(4,)], seed=5)
    before = params[1].tolist()
    optimizer.param_groups[0]["params"][1] = new
    new.grad = wg.ones_like(new)
    value = new.tolist()
    optimizer.step()
    assert new.tolist() != value
    assert params[1].tolist() == before


def test_groups_added_in_mid_training(make: Any, rng: np.random.Generator):
    params = parameters()
    others = copies(params)
    optimizer = make(params[:2])
    alone = [make([p]) for p in others]
    for step in range(4):
        if step == 2:
            optimizer.add_param_group({"params": params[2:], "lr": 0.01})
            for each in alone[2:]:
                each.param_groups[0]["lr"] = 0.01
        give_gradients(rng, params, others)
        optimizer.step()
        for i, each in enumerate(alone):
            if i < 2 or step >= 2:
                each.step()
        assert_same(params, others)
    assert arenas(optimizer) == [2, 3]
    optimizer.param_groups.pop()
    optimizer.step()


def test_group_that_changes_its_options(rng: np.random.Generator):
    params = parameters([(3,), (4,)])
    others = copies(params)
    optimizers = [optim.SGD(params, lr=0.1), *[optim.SGD([p], lr=0.1) for p in others]]
    for step in range(6):
        for optimizer in optimizers:
            optimizer.param_groups[0]["momentum"] = 0.9 if 2 <= step < 5 else 0.0
        give_gradients(rng, params, others)
        for optimizer in optimizers:
            optimizer.step()
        assert_same(params, others)


def test_two_optimizers_on_one_parameter(rng: np.random.Generator):
    params = parameters([(3,), (4,), (5,)])
    others = copies(params)
    left = [optim.Adam(params, lr=0.1), optim.SGD(params[:2], lr=0.1, momentum=0.9)]
    right = [[optim.Adam([p], lr=0.1) for p in others], [optim.SGD([p], lr=0.1, momentum=0.9) for p in others[:2]]]
    for step in range(6):
        give_gradients(rng, params, others)
        left[step % 2].step()
        for each in right[step % 2]:
            each.step()
        assert_same(params, others)
    assert arenas(left[0]) == [3]


def test_optimizer_made_again_finds_its_parameters_side_by_side(make: Any, rng: np.random.Generator):
    params = parameters()
    for _ in range(3):
        optimizer = make(params)
        give_gradients(rng, params)
        optimizer.step()
        assert arenas(optimizer) == [len(SHAPES)]


def test_nothing_is_kept_after_the_optimizer():
    params = parameters([(3,), (4,)])
    optimizer = optim.Adam(params)
    give_gradients(np.random.default_rng(0), params)
    gc.collect()
    gc.disable()
    try:
        optimizer.step()
        arena = next(iter(optimizer._arenas.values())).arenas[0]
        gone = weakref.ref(arena)
        del arena, optimizer
        assert gone() is None
    finally:
        gc.enable()


# ------------------------------------------------------------------ state from outside


def trained(make: Any, steps: int) -> tuple[list[Any], Any, np.random.Generator]:
    params, rng = parameters(), np.random.default_rng(3)
    optimizer = make(params)
    for _ in range(steps):
        give_gradients(rng, params)
        optimizer.step()
    return params, optimizer, rng


def continued(params: list[Any], optimizer: Any, rng: np.random.Generator, steps: int) -> list[Any]:
    for _ in range(steps):
        give_gradients(rng, params)
        optimizer.step()
    return params


COPIES = {
    "state_dict": lambda optimizer, params, make: loaded(make(params), optimizer.state_dict()),
    "pickled state_dict": lambda o, params, make: loaded(make(params), pickle.loads(pickle.dumps(o.state_dict()))),
    "deepcopy": lambda optimizer, params, make: copy.deepcopy(optimizer),
    "pickle": lambda optimizer, params, make: pickle.loads(pickle.dumps(optimizer)),
}


def loaded(optimizer: Any, state_dict: Any) -> Any:
    optimizer.load_state_dict(state_dict)
    return optimizer


@pytest.mark.parametrize("way", COPIES)
def test_training_goes_on_bit_for_bit(make: Any, way: str):
    params, optimizer, rng = trained(make, 4)
    twins = copies(params)
    other = COPIES[way](optimizer, twins, make)
    twins = [p for group in other.param_groups for p in group["params"]]
    assert_same(params, twins)
    again = copy.deepcopy(rng)
    continued(params, optimizer, rng, 4)
    continued(twins, other, again, 4)
    assert_same(params, twins)
    for p, q in zip(params, twins, strict=True):
        assert optimizer.state.get(p, {}).keys() == other.state.get(q, {}).keys()
        assert_same(list(optimizer.state.get(p, {}).values()), list(other.state.get(q, {}).values()))


def test_loading_back_in_the_middle_of_training(make: Any):
    params, optimizer, rng = trained(make, 3)
    values, state, then = copies(params), copy.deepcopy(optimizer.state_dict()), copy.deepcopy(rng)
    first = [p.tolist() for p in continued(params, optimizer, rng, 3)]
    with wg.no_grad():
        for p, value in zip(params, values, strict=True):
            p.copy_(value)
    optimizer.load_state_dict(state)
    assert [p.tolist() for p in continued(params, optimizer, then, 3)] == first
    assert arenas(optimizer) == [len(SHAPES)]


def test_loaded_state_is_a_copy():
    _params, optimizer, _ = trained(MAKERS["Adam"], 2)
    saved = optimizer.state_dict()
    before = copy.deepcopy(saved)
    other = loaded(optim.Adam(parameters()), saved)
    others = other.param_groups[0]["params"]
    continued(others, other, np.random.default_rng(0), 2)
    for number, state in before["state"].items():
        for name, value in state.items():
            np.testing.assert_array_equal(value.numpy(), saved["state"][number][name].numpy())


def tamper_fill(state: dict[str, Any]) -> None:
    state["exp_avg"].fill_(3.0)
    state["step"].fill_(10)


def tamper_replace(state: dict[str, Any]) -> None:
    state["exp_avg"] = wg.full_like(state["exp_avg"], 3.0)
    state["step"] = wg.tensor(10.0)


def tamper_data(state: dict[str, Any]) -> None:
    state["exp_avg"].data = wg.full_like(state["exp_avg"], 3.0)
    state["step"].data = wg.tensor(10.0)


def tamper_clear(state: dict[str, Any]) -> None:
    state.clear()


TAMPERS = [tamper_fill, tamper_replace, tamper_data, tamper_clear]


@pytest.mark.parametrize("tamper", TAMPERS)
def test_state_changed_from_outside(tamper: Callable[[dict[str, Any]], None], rng: np.random.Generator):
    params = parameters()
    others = copies(params)
    optimizer, alone = optim.Adam(params, lr=0.1), [optim.Adam([p], lr=0.1) for p in others]
    for step in range(5):
        if step == 2:
            tamper(optimizer.state[params[1]])
            tamper(alone[1].state[others[1]])
        give_gradients(rng, params, others)
        optimizer.step()
        for each in alone:
            each.step()
        assert_same(params, others)
    assert float(optimizer.state[params[1]]["step"]) == (3 if tamper is tamper_clear else 13)
    assert float(optimizer.state[params[0]]["step"]) == 5


def test_all_state_forgotten():
    params, optimizer, rng = trained(MAKERS["Adam"], 3)
    optimizer.state.clear()
    continued(params, optimizer, rng, 1)
    assert [float(optimizer.state[p]["step"]) for p in params] == [1.0] * len(SHAPES)


def test_state_of_another_shape_changes_nothing():
    params, optimizer, _rng = trained(MAKERS["Adam"], 2)
    values = [p.tolist() for p in params]
    optimizer.state[params[0]]["exp_avg"] = wg.zeros(7, dtype=wg.float64)
    with pytest.raises(ValueError, match=r"\[7\]"):
        optimizer.step()
    assert [p.tolist() for p in params] == values


def test_a_state_tensor_goes_on_showing_the_state():
    params, optimizer, rng = trained(MAKERS["Adam"], 2)
    average = optimizer.state[params[0]]["exp_avg"]
    params[1].data = params[1].data.clone()  # the buffers are made anew
    continued(params, optimizer, rng, 1)
    assert optimizer.state[params[0]]["exp_avg"] is average
    before = average.clone()
    continued(params, optimizer, rng, 1)
    assert (average != before).all()


# ------------------------------------------------------------------ everything at once


HISTORIES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("Adam", {"lr": 0.01, "amsgrad": True}),
    ("NAdam", {"lr": 0.01}),
    ("ASGD", {"lr": 0.01, "t0": 2}),
    ("RMSprop", {"centered": True, "momentum": 0.5}),
]


def happen(event: int, p: Any, q: Any, optimizer: Any, other: Any, draw: np.random.Generator, watch: list[Any]) -> None:
    """One of the things that programs do between steps, to a parameter and to its twin."""
    values = wg.tensor(draw.normal(size=p.shape))
    if event == 0:
        p.data, q.data = values, values.clone()
        watch[:] = [w for w in watch if w[0] is not p]
    elif event == 1:
        with wg.no_grad():
            p.copy_(values)
            q.copy_(values)
    elif event == 2:
        watch.append((p, p.detach()))
    elif event == 3:
        watch.append((p, wg.from_numpy(p.detach().numpy())))
    elif event == 4:
        watch.append((p, p.data))
    elif event == 5:
        watch.clear()
    elif event == 6:
        optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    elif event == 7:
        optimizer.state.pop(p, None)
        other.state.pop(q, None)
    elif event == 8:
        for each, tensor in ((optimizer, p), (other, q)):
            for name, value in each.state.get(tensor, {}).items():
                if value.ndim == tensor.ndim > 0:
                    each.state[tensor][name] = value * 0.5


@pytest.mark.parametrize("seed", range(30))
def test_a_history_of_everything(seed: int):
    draw = np.random.default_rng(seed)
    name, options = HISTORIES[seed % len(HISTORIES)]
    params = parameters(seed=seed)
    twins = copies(params)
    optimizer = getattr(optim, name)(params, **options)
    others = [getattr(optim, name)([q], **options) for q in twins]
    watch: list[Any] = []
    for _ in range(20):
        i = int(draw.integers(len(params)))
        happen(int(draw.integers(10)), params[i], twins[i], optimizer, others[i], draw, watch)
        skipped = draw.random(len(params)) < 0.25
        give_gradients(draw, params, twins, skip=skipped.__getitem__)
        optimizer.step()
        for other in others:
            other.step()
        assert_same(params, twins)
        for p, seen in watch:
            assert_same([p], [seen])
        for p, q, other in zip(params, twins, others, strict=True):
            mine, theirs = optimizer.state.get(p, {}), other.state.get(q, {})
            assert mine.keys() == theirs.keys()
            assert_same(list(mine.values()), list(theirs.values()))
