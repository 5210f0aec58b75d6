"""What all optimizers share: groups, closures, hooks, state and bad input; and the optimizers that are no rows."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn, optim

Make = Callable[[Any], Any]


def leaf(*shape: int, T: Any = wg) -> Any:
    return T.ones(*shape, requires_grad=True)


def stepped(optimizer: Any) -> Any:
    """The optimizer after a step along gradients of ones."""
    for group in optimizer.param_groups:
        for p in group["params"]:
            p.grad = wg.ones_like(p)
    optimizer.step()
    return optimizer


# ------------------------------------------------------------------ bad input: the same error types as PyTorch's

BAD: dict[str, Callable[[Any], Any]] = {
    "no parameters": lambda T: T.optim.SGD([], lr=0.1),
    "no parameters in a generator": lambda T: T.optim.Adam(iter(())),
    "a tensor instead of a list": lambda T: T.optim.SGD(leaf(2, T=T), lr=0.1),
    "no tensor": lambda T: T.optim.SGD([3.0], lr=0.1),
    "no leaf": lambda T: T.optim.SGD([leaf(2, T=T) * 2], lr=0.1),
    "a set": lambda T: T.optim.SGD([{"params": {leaf(2, T=T)}}], lr=0.1),
    "in two groups": lambda T: [p := leaf(2, T=T), T.optim.SGD([{"params": [p]}, {"params": [p]}], lr=0.1)],
    "a group that is no dict": lambda T: T.optim.SGD([leaf(2, T=T)], lr=0.1).add_param_group([leaf(2, T=T)]),
    "a group of no tensors": lambda T: T.optim.SGD([leaf(2, T=T)], lr=0.1).add_param_group({"params": ["x"]}),
    "some names": lambda T: T.optim.SGD([("a", leaf(2, T=T)), leaf(2, T=T)], lr=0.1),
    "names later": lambda T: T.optim.SGD([leaf(2, T=T)]).add_param_group({"params": [("a", leaf(2, T=T))]}),
    "negative rate": lambda T: T.optim.SGD([leaf(2, T=T)], lr=-0.1),
    "negative rate of Adam": lambda T: T.optim.Adam([leaf(2, T=T)], lr=-0.1),
    "negative momentum": lambda T: T.optim.SGD([leaf(2, T=T)], momentum=-0.1),
    "negative weight decay": lambda T: T.optim.AdamW([leaf(2, T=T)], weight_decay=-0.1),
    "nesterov without momentum": lambda T: T.optim.SGD([leaf(2, T=T)], lr=0.1, nesterov=True),
    "nesterov with dampening": lambda T: T.optim.SGD([leaf(2, T=T)], momentum=0.1, dampening=0.1, nesterov=True),
    "beta of one": lambda T: T.optim.Adam([leaf(2, T=T)], betas=(1.0, 0.9)),
    "second beta": lambda T: T.optim.NAdam([leaf(2, T=T)], betas=(0.9, -1.0)),
    "negative eps": lambda T: T.optim.RAdam([leaf(2, T=T)], eps=-1.0),
    "rho of Adadelta": lambda T: T.optim.Adadelta([leaf(2, T=T)], rho=1.5),
    "rate decay of Adagrad": lambda T: T.optim.Adagrad([leaf(2, T=T)], lr_decay=-1.0),
    "start of Adagrad": lambda T: T.optim.Adagrad([leaf(2, T=T)], initial_accumulator_value=-1.0),
    "momentum of RMSprop": lambda T: T.optim.RMSprop([leaf(2, T=T)], momentum=-1.0),
    "alpha of RMSprop": lambda T: T.optim.RMSprop([leaf(2, T=T)], alpha=-1.0),
    "etas of Rprop": lambda T: T.optim.Rprop([leaf(2, T=T)], etas=(1.5, 0.5)),
    "decay of NAdam": lambda T: T.optim.NAdam([leaf(2, T=T)], momentum_decay=-1.0),
    "weight decay of ASGD": lambda T: T.optim.ASGD([leaf(2, T=T)], weight_decay=-1.0),
    "eps of SparseAdam": lambda T: T.optim.SparseAdam([leaf(2, T=T)], eps=0.0),
    "complex for SparseAdam": lambda T: T.optim.SparseAdam([T.ones(2, dtype=T.complex64)]),
    "vector for Muon": lambda T: T.optim.Muon([leaf(2, T=T)]),
    "rule of Muon": lambda T: T.optim.Muon([leaf(2, 2, T=T)], adjust_lr_fn="other"),
    "clipping of Adafactor": lambda T: T.optim.Adafactor([leaf(2, T=T)], d=0.5),
    "decay of Adafactor": lambda T: T.optim.Adafactor([leaf(2, T=T)], beta2_decay=0.5),
    "eps of Adafactor": lambda T: T.optim.Adafactor([leaf(2, T=T)], eps=(None, -1.0)),
    "fused and foreach": lambda T: T.optim.Adam([leaf(2, T=T)], fused=True, foreach=True),
    "fused and differentiable": lambda T: T.optim.Adam([leaf(2, T=T)], fused=True, differentiable=True),
    "rate of two elements": lambda T: T.optim.Adam([leaf(2, T=T)], lr=T.ones(2)),
    "two groups for LBFGS": lambda T: T.optim.LBFGS([{"params": [leaf(2, T=T)]}, {"params": [leaf(2, T=T)]}]),
    "line search of LBFGS": lambda T: lbfgs_step(T, line_search_fn="armijo"),
    "fewer groups": lambda T: load(T, lambda s: s["param_groups"].clear()),
    "fewer parameters": lambda T: load(T, lambda s: s["param_groups"][0]["params"].clear()),
    "no groups": lambda T: load(T, lambda s: s.pop("param_groups")),
    "no state": lambda T: load(T, lambda s: s.pop("state")),
}  # fmt: skip


def lbfgs_step(T: Any, **options: Any) -> None:
    p = leaf(2, T=T)

    def closure() -> Any:
        loss = (p * p).sum()
        loss.backward()
        return loss

    T.optim.LBFGS([p], **options).step(closure)


def load(T: Any, spoil: Callable[[Any], Any]) -> None:
    optimizer = T.optim.Adam([leaf(2, T=T)])
    state = optimizer.state_dict()
    spoil(state)
    optimizer.load_state_dict(state)


# What else can go wrong in a step leaves parameters and state as they were.
def spoilt(name: str, spoil: Callable[[Any, Any], Any]) -> tuple[Any, Any, Any]:
    """What two parameters and their optimizer's state were before a step that fails, and what they are after it."""
    optimizer = stepped(getattr(optim, name)([leaf(2), leaf(3)], lr=0.1))
    params = optimizer.param_groups[0]["params"]
    for p in params:
        p.grad = wg.ones_like(p)
    closure = spoil(optimizer, params)
    shown = copy.deepcopy([[p.detach() for p in params], optimizer.state_dict()["state"]])
    with pytest.raises((RuntimeError, TypeError, ValueError, ZeroDivisionError)) as caught:
        optimizer.step(closure)
    return caught.value, shown, [[p.detach() for p in params], optimizer.state_dict()["state"]]


SPOIL: dict[str, Callable[[Any, Any], Any]] = {
    "a closure that is none": lambda o, params: 3,
    "a closure that fails": lambda o, params: lambda: 1 / 0,
    "a closure with arguments": lambda o, params: lambda x: x,
    "a sparse gradient": lambda o, params: setattr(params[1], "grad", wg.ones(3).to_sparse()),
    "data of another shape": lambda o, params: setattr(params[1], "data", wg.ones(4)),
}


@pytest.mark.parametrize("how", SPOIL)
@pytest.mark.parametrize("name", ["Adam", "AdamW", "RMSprop", "NAdam", "Lion"])
def test_a_step_that_fails_is_not_half_made(name: str, how: str):
    error, before, after = spoilt(name, SPOIL[how])
    assert str(error)
    for b, a in zip(before[0], after[0], strict=True):
        if how != "data of another shape":
            assert (b == a).all()
    for number, state in before[1].items():
        for key, value in state.items():
            assert (after[1][number][key] == value).all(), key


EXPECTED = {"a set": TypeError, "a tensor instead of a list": TypeError, "no tensor": TypeError,
            "a group that is no dict": TypeError, "a group of no tensors": TypeError, "no groups": KeyError,
            "no state": KeyError, "line search of LBFGS": RuntimeError, "fused and foreach": RuntimeError,
            "fused and differentiable": RuntimeError}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name: str):
    with pytest.raises(EXPECTED.get(name, ValueError)) as caught:
        BAD[name](wg)
    assert len(str(caught.value)) > 20 or type(caught.value) is KeyError


@pytest.mark.parity
@pytest.mark.parametrize("name", BAD)
def test_pytorch_raises_the_same(name: str):
    torch = pytest.importorskip("torch")
    with pytest.raises(EXPECTED.get(name, ValueError)):
        BAD[name](torch)


def test_duplicates_are_left_out():
    p = leaf(2)
    with pytest.warns(UserWarning, match="duplicate"):
        optimizer = optim.SGD([p, p], lr=0.1)
    assert len(optimizer.param_groups[0]["params"]) == 1


def test_a_failed_group_is_not_added():
    optimizer = stepped(optim.SGD([leaf(2)], lr=0.1))
    for group in ({"params": [leaf(2)], "lr": -1.0}, {"params": [3]}, {"params": optimizer.param_groups[0]["params"]}):
        with pytest.raises((ValueError, TypeError)):
            optimizer.add_param_group(group)
    assert len(optimizer.param_groups) == 1


def test_a_failed_load_changes_nothing():
    optimizer = stepped(optim.Adam([leaf(2), leaf(3)], lr=0.1))
    other = stepped(optim.Adam([leaf(2), leaf(4)], lr=0.7)).state_dict()
    before = copy.deepcopy(optimizer.state_dict())
    with pytest.raises(ValueError, match=r"\[4\]"):
        optimizer.load_state_dict(other)
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    for number, state in before["state"].items():
        for name, value in state.items():
            assert (after["state"][number][name] == value).all()


def test_a_closure_that_fails_changes_nothing():
    p = leaf(2)
    optimizer = optim.SGD([p], lr=0.1)
    p.grad = wg.ones(2)
    with pytest.raises(ZeroDivisionError):
        optimizer.step(lambda: 1 / 0)
    assert p.tolist() == [1, 1]
    assert wg.is_grad_enabled()


# ------------------------------------------------------------------ stepping


def test_closure_runs_with_gradients_and_its_loss_is_returned():
    p = leaf(2)
    optimizer = optim.SGD([p], lr=0.5)

    def closure() -> Any:
        assert wg.is_grad_enabled()
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with wg.no_grad():
        assert optimizer.step(closure).item() == 2
    assert p.tolist() == [0, 0]
    assert optimizer.step() is None


def test_zero_grad():
    p = leaf(2)
    optimizer = optim.SGD([p], lr=0.5)
    p.grad = wg.ones(2)
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0, 0]
    (p * p).sum().backward(create_graph=True)
    kept = p.grad
    optimizer.zero_grad(set_to_none=False)
    assert p.grad is kept
    assert p.grad.tolist() == [0, 0]
    assert not p.grad.requires_grad
    optimizer.zero_grad()
    assert p.grad is None


def test_gradients_add_up_between_steps():
    p, q = leaf(3), leaf(3)
    one, two = optim.Adam([p], lr=0.1), optim.Adam([q], lr=0.1)
    for scale in (1.0, 2.0, 3.0):
        (p * p * scale).sum().backward()
    (q * q * 6.0).sum().backward()
    one.step()
    two.step()
    assert p.tolist() == q.tolist()


def test_rates_may_be_tensors():
    p, q = leaf(3), leaf(3)
    rate = wg.tensor(0.1, dtype=wg.float64)
    betas = wg.tensor(0.9, dtype=wg.float64), wg.tensor(0.999, dtype=wg.float64)
    left, right = optim.Adam([p], lr=rate, betas=betas), optim.Adam([q], lr=0.1)
    for _ in range(3):
        stepped(left)
        stepped(right)
        rate.mul_(0.5)
        right.param_groups[0]["lr"] *= 0.5
    assert p.tolist() == q.tolist()


def test_groups_have_options_of_their_own():
    p, q = leaf(2), leaf(2)
    optimizer = optim.SGD([{"params": [p]}, {"params": q, "lr": 1.0, "extra": "kept"}], lr=0.5)
    stepped(optimizer)
    assert (p.tolist(), q.tolist()) == ([0.5, 0.5], [0, 0])
    assert optimizer.param_groups[1]["extra"] == "kept"


def test_parameters_with_names():
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.named_parameters(), lr=0.1)
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]
    other = optim.SGD(model.parameters(), lr=0.1)
    other.load_state_dict(optimizer.state_dict())
    assert other.param_groups[0]["param_names"] == ["weight", "bias"]


def test_repr():
    text = repr(optim.SGD([{"params": leaf(2)}, {"params": leaf(2), "lr": 0.5}], lr=0.1))
    assert text.startswith("SGD (\nParameter Group 0\n    dampening: 0\n")
    assert "\n\nParameter Group 1\n" in text
    assert "    lr: 0.5\n" in text


# ------------------------------------------------------------------ hooks


def test_step_hooks():
    seen: list[Any] = []
    optimizer = optim.SGD([leaf(2)], lr=0.1)
    before = optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append(("before", args[1:], kwargs)))
    after = optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append(("after", o is optimizer)))
    everywhere = optim.optimizer.register_optimizer_step_post_hook(lambda o, args, kwargs: seen.append("all"))
    optimizer.step(None)
    for handle in (before, after, everywhere):
        handle.remove()
    optimizer.step()
    assert seen == [("before", (None,), {}), ("after", True), "all"]


def test_a_hook_may_replace_the_arguments():
    optimizer = optim.SGD([leaf(2)], lr=0.1)
    handle = optimizer.register_step_pre_hook(lambda o, args, kwargs: ((o, lambda: "loss"), {}))
    assert optimizer.step() == "loss"
    handle.remove()
    optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
    with pytest.raises(RuntimeError, match="new_args"):
        optimizer.step()


def test_hooks_of_saved_state():
    optimizer = optim.SGD([leaf(2)], lr=0.1)
    calls: list[str] = []
    optimizer.register_state_dict_pre_hook(lambda o: calls.append("before"))
    optimizer.register_state_dict_post_hook(lambda o, state: {**state, "more": 1})
    optimizer.register_load_state_dict_pre_hook(lambda o, state: calls.append(str(state.pop("more"))))
    optimizer.register_load_state_dict_pre_hook(lambda o, state: calls.append("first"), prepend=True)
    optimizer.register_load_state_dict_post_hook(lambda o: calls.append("after"))
    optimizer.load_state_dict(optimizer.state_dict())
    assert calls == ["before", "first", "1", "after"]


def test_entries_of_ones_own_in_the_state():
    optimizer = stepped(optim.Adam([leaf(2)], lr=0.1))
    optimizer.register_state_dict_pre_hook(lambda o: o.state.__setitem__("runs", 3))
    saved = optimizer.state_dict()
    assert saved["state"]["runs"] == 3
    assert saved["state"][0] is optimizer.state[optimizer.param_groups[0]["params"][0]]
    other = optim.Adam([leaf(2)])
    other.load_state_dict(saved)
    assert other.state["runs"] == 3


@pytest.mark.parametrize("fused", [None, True])
def test_numbers_of_the_state_have_at_least_float32(fused: Any):
    try:
        for kind, expected in ((wg.float64, wg.float64), (wg.float16, wg.float32)):
            wg.set_default_dtype(kind)
            p = wg.ones(2, dtype=wg.float32, requires_grad=True)
            optimizer = stepped(optim.Adam([p], fused=fused))
            assert optimizer.state[p]["step"].dtype is (wg.float32 if fused else expected)
            again = optim.Adam([p])
            again.load_state_dict(optimizer.state_dict())
            wg.set_default_dtype(wg.float32)
            assert stepped(again).state[p]["step"].dtype is optimizer.state[p]["step"].dtype
    finally:
        wg.set_default_dtype(wg.float32)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adagrad"])
def test_a_scaler_tells_a_fused_step_what_it_found(name: str):
    p = leaf(2)
    optimizer = getattr(optim, name)([p], fused=True)
    assert optimizer._step_supports_amp_scaling
    p.grad = wg.full((2,), 4.0)
    optimizer.grad_scale, optimizer.found_inf = wg.tensor(4.0), wg.tensor(1.0)
    optimizer.step()
    assert (p.tolist(), p.grad.tolist()) == ([1, 1], [4, 4])
    optimizer.found_inf = wg.tensor(0.0)
    optimizer.step()
    assert p.grad.tolist() == [1, 1]
    assert p[0] < 1


class Own(optim.Optimizer):
    """An optimizer as programs write it for PyTorch: all in ``step``."""

    def __init__(self, params: Any, lr: float) -> None:
        super().__init__(params, {"lr": lr})

    @wg.no_grad()
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.state[p]["steps"] = self.state[p].get("steps", 0) + 1
                    p.add_(p.grad, alpha=-group["lr"])
        return None


class Twice(Own):
    def step(self, closure: Any = None) -> Any:
        super().step()
        return super().step()


class Older(Own):
    """One that brings the groups of older files up to date, where PyTorch's programs do that."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("clipped", True)


def test_states_pass_through_setstate():
    optimizer = Older([leaf(2)], lr=0.1)
    calls: list[Any] = []
    optimizer.register_step_post_hook(lambda *_: calls.append(1))
    optimizer.load_state_dict(stepped(Own([leaf(2)], lr=0.25)).state_dict())
    assert optimizer.param_groups[0]["clipped"]
    assert optimizer.param_groups[0]["lr"] == 0.25
    stepped(optimizer)
    assert calls == [1], "hooks stay"
    assert pickle.loads(pickle.dumps(optimizer)).param_groups[0]["clipped"]


def test_names_that_optimizers_of_others_import():
    from wengert.optim.optimizer import (
        ParamsT,
        _default_to_fused_or_foreach,
        _dispatch_sqrt,
        _get_scalar_dtype,
        _get_value,
        _use_grad_for_differentiable,
        _view_as_real,
    )

    class Plain(optim.Optimizer):
        def __init__(self, params: ParamsT, differentiable: bool) -> None:
            super().__init__(params, {"lr": wg.tensor(0.5), "differentiable": differentiable})

        @_use_grad_for_differentiable
        def step(self, closure: Any = None) -> Any:
            assert wg.is_grad_enabled() == self.defaults["differentiable"]
            for p in self.param_groups[0]["params"]:
                p.add_(p.grad, alpha=-_get_value(self.param_groups[0]["lr"]))

    assert stepped(Plain([leaf(2)], False)).param_groups[0]["params"][0].tolist() == [0.5, 0.5]
    stepped(Plain([wg.ones(2)], True))
    params, grads = [wg.ones(2, dtype=wg.complex64), wg.ones(2)], [wg.ones(2, dtype=wg.complex64), wg.ones(2)]
    _view_as_real(params, grads)
    assert [tuple(t.shape) for t in params + grads] == [(2, 2), (2,)] * 2
    assert (_dispatch_sqrt(4.0), _get_scalar_dtype()) == (2.0, wg.float32)
    assert _default_to_fused_or_foreach(params, False) == (False, False)


@pytest.mark.parametrize(("kind", "steps"), [(Own, 1), (Twice, 2)])
def test_an_optimizer_of_ones_own(kind: Any, steps: int):
    p = leaf(2)
    optimizer = kind([p], lr=0.25)
    calls: list[Any] = []
    optimizer.register_step_post_hook(lambda *_: calls.append(1))
    schedule = optim.lr_scheduler.StepLR(optimizer, 1)
    stepped(optimizer)
    schedule.step()  # does not warn: the optimizer has stepped
    assert p.tolist() == [1 - 0.25 * steps] * 2
    assert calls == [1]
    again = pickle.loads(pickle.dumps(optimizer.state_dict()))
    optimizer.load_state_dict(again)
    assert optimizer.state[p]["steps"] == steps


# ------------------------------------------------------------------ worked examples


def trajectory(make: Make, penalty: float = 0.0) -> np.ndarray:
    """Parameters over five steps on a fixed loss, with an L2 penalty ``penalty / 2 * theta**2`` added to it."""
    theta = wg.tensor([1.0, -2.0], dtype=wg.float64, requires_grad=True)
    optimizer = make([theta])
    path = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = (theta**3).sum() + penalty / 2 * (theta * theta).sum()
        loss.backward()
        optimizer.step()
        path.append(theta.detach().numpy().copy())
    return np.array(path)


def test_l2_penalty_is_weight_decay_under_sgd():
    alpha, decay = 0.01, 0.3
    penalised = trajectory(lambda p: optim.SGD(p, lr=alpha), penalty=decay)
    np.testing.assert_allclose(penalised, trajectory(lambda p: optim.SGD(p, lr=alpha, weight_decay=decay)))
    theta, path = np.array([1.0, -2.0]), []
    for _ in range(5):  # theta (1 - alpha lambda) - alpha g
        theta = theta * (1 - alpha * decay) - alpha * 3 * theta**2
        path.append(theta)
    np.testing.assert_allclose(penalised, path)


def test_l2_penalty_is_not_weight_decay_under_adam():
    alpha, decay = 0.01, 0.3
    penalised = trajectory(lambda p: optim.Adam(p, lr=alpha), penalty=decay)
    decayed = trajectory(lambda p: optim.AdamW(p, lr=alpha, weight_decay=decay))
    np.testing.assert_allclose(penalised, trajectory(lambda p: optim.Adam(p, lr=alpha, weight_decay=decay)))
    assert abs(penalised - decayed).max() > 1e-3
    # AdamW decouples: its first step is Adam's without a penalty, from a parameter that has shrunk.
    plain = trajectory(lambda p: optim.Adam(p, lr=alpha))
    start = np.array([1.0, -2.0])
    np.testing.assert_allclose(decayed[0] - plain[0], -alpha * decay * start, atol=1e-9)
