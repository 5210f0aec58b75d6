"""PyTorch's own table of optimizers, with all options that it tests: trajectories, states, schedules, errors."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import wengert as wg

try:
    import torch
    from torch.testing._internal.common_optimizers import OptimizerErrorEnum, optim_db

    from .opinfo.convert import Converter
except ImportError:
    torch = None  # type: ignore[assignment]
    optim_db = []

pytestmark = [
    pytest.mark.parity,
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.skipif(torch is None, reason="PyTorch is not installed: make parity installs it"),
]

SHAPES = ((3, 4), (4,), (), (2, 3, 2))
MATRICES = ((3, 4), (4, 2))  # for Muon, which takes nothing else
STEPS = 6
# Relative tolerances: Muon's iteration is in bfloat16, ASGD keeps its rates in float32, LBFGS enlarges roundings.
TOLERANCE = {"Muon": 5e-3, "ASGD": 1e-7, "LBFGS": 1e-5}


def name_of(info: Any) -> str:
    return str(info.optim_cls.__name__)


DENSE = [info for info in optim_db if not info.only_supports_sparse_grads]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class Pair:
    """The same parameters and the same optimizer, PyTorch's and wengert's."""

    def __init__(self, info: Any, options: dict[str, Any], dtype: str, groups: bool = False) -> None:
        self.rng = np.random.default_rng(0)
        shapes = MATRICES if name_of(info) == "Muon" else SHAPES
        values = [self.draw(shape, dtype) for shape in shapes]
        self.theirs = [torch.nn.Parameter(torch.tensor(v)) for v in values]
        self.ours = [wg.nn.Parameter(wg.tensor(v)) for v in values]
        self.dtype = dtype
        # A tensor as an option (lr, betas) is changed by nobody, but each side gets its own.
        mine = {k: v.clone() if isinstance(v, torch.Tensor) else v for k, v in options.items()}
        self.their_optimizer = info.optim_cls(self.split(self.theirs, groups), **mine)
        self.our_optimizer = getattr(wg.optim, name_of(info))(self.split(self.ours, groups), **Converter()(mine))

    def draw(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        value = self.rng.standard_normal(shape)
        if np.dtype(dtype).kind == "c":
            value = value + 1j * self.rng.standard_normal(shape)
        return np.asarray(value, dtype=dtype)

    @staticmethod
    def split(parameters: list[Any], groups: bool) -> Any:
        if not groups:
            return parameters
        return [{"params": parameters[:1], "weight_decay": 0.1}, {"params": parameters[1:], "lr": 0.02}]

    def step(self, closure: bool = False, without: int | None = None) -> None:
        """One step on a random gradient (or the gradient of a quadratic), the same for both."""
        gs = [self.draw(p.shape, self.dtype) for p in self.theirs]
        sides = ((torch, self.theirs, self.their_optimizer), (wg, self.ours, self.our_optimizer))
        losses = []
        for lib, parameters, optimizer in sides:
            if closure:

                def evaluate(lib: Any = lib, parameters: Any = parameters, optimizer: Any = optimizer) -> Any:
                    optimizer.zero_grad()
                    parts = [((p - lib.tensor(g)) ** 2).abs().sum() for p, g in zip(parameters, gs, strict=True)]
                    loss = sum(parts[1:], parts[0])
                    loss.backward()
                    return loss

                losses.append(optimizer.step(evaluate).item())
                continue
            for i, (p, g) in enumerate(zip(parameters, gs, strict=True)):
                p.grad = None if i == without else lib.tensor(g)
            optimizer.step()
        if losses:
            np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)

    def check(self, tolerance: float) -> None:
        for i, (o, t) in enumerate(zip(self.ours, self.theirs, strict=True)):
            x, y = o.detach().numpy(), t.detach().numpy()
            np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance, err_msg=f"parameter {i}")

    def check_state(self, tolerance: float) -> None:
        ours, theirs = self.our_optimizer.state_dict(), self.their_optimizer.state_dict()
        assert list(ours) == list(theirs)
        for o, t in zip(ours["param_groups"], theirs["param_groups"], strict=True):
            assert set(o) == set(t)
            for key in set(o) - {"params"}:
                same_option(o[key], t[key], key)
            assert list(o["params"]) == list(t["params"])
        assert set(ours["state"]) == set(theirs["state"])
        for index, state in theirs["state"].items():
            assert set(ours["state"][index]) == set(state), f"state of parameter {index}"
            for key, value in state.items():
                same_state(ours["state"][index][key], value, key, tolerance)


def same_option(ours: Any, theirs: Any, key: str) -> None:
    if isinstance(theirs, torch.Tensor):
        theirs, ours = theirs.tolist(), ours.tolist()
    if isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs), key
        for o, t in zip(ours, theirs, strict=True):
            same_option(o, t, key)
    else:
        assert ours == theirs, key


def same_state(ours: Any, theirs: Any, key: str, tolerance: float) -> None:
    if isinstance(theirs, torch.Tensor) and isinstance(ours, float):  # LBFGS's step, where the rate is a tensor
        assert ours == pytest.approx(theirs.item(), rel=max(tolerance, 1e-9)), key
    elif isinstance(theirs, torch.Tensor):
        assert tuple(ours.shape) == tuple(theirs.shape), key
        assert str(ours.dtype).split(".")[-1] == str(theirs.dtype).split(".")[-1], key
        np.testing.assert_allclose(
            ours.detach().numpy(), theirs.detach().numpy(), rtol=tolerance, atol=tolerance, err_msg=key
        )
    elif isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs), key
        for o, t in zip(ours, theirs, strict=True):
            same_state(o, t, key, tolerance)
    elif isinstance(theirs, float):
        assert ours == pytest.approx(theirs, rel=max(tolerance, 1e-9)), key
    else:
        assert ours == theirs, key


def options(info: Any) -> Iterator[dict[str, Any]]:
    """Every set of options in the table, with each implementation that PyTorch has of them."""
    for entry in info.optim_inputs_func(device="cpu"):
        yield entry.kwargs
        for flag in set(info.supported_impls) & {"foreach", "differentiable", "fused"}:
            if flag != "fused" or "cpu" in info.supports_fused_on:
                yield {**entry.kwargs, flag: flag != "differentiable"}


def trajectory(info: Any, given: dict[str, Any], dtype: str, tolerance: float, **how: Any) -> Pair:
    """Some steps, compared one by one; then the states."""
    tolerance = max(tolerance, TOLERANCE.get(name_of(info), 0.0))
    pair = Pair(info, given, dtype, **how)
    for step in range(STEPS):
        pair.step(info.step_requires_closure, without=1 if step == 2 else None)
        pair.check(tolerance)
    if not (name_of(info) == "LBFGS" and dtype == "complex128"):  # when it stops is a matter of roundings there
        pair.check_state(tolerance)
    return pair


@pytest.mark.parametrize("info", DENSE, ids=name_of)
def test_trajectories(info: Any) -> None:
    for given in options(info):
        trajectory(info, given, "float64", 1e-9)


@pytest.mark.parametrize("info", [info for info in DENSE if name_of(info) != "LBFGS"], ids=name_of)
def test_trajectories_in_float32(info: Any) -> None:
    for entry in info.optim_inputs_func(device="cpu"):
        trajectory(info, entry.kwargs, "float32", 5e-5)


@pytest.mark.parametrize("info", [info for info in DENSE if info.supports_complex], ids=name_of)
def test_complex_parameters(info: Any) -> None:
    for entry in info.optim_inputs_func(device="cpu"):
        if "weight_decay" not in entry.kwargs or not entry.kwargs.get("fused"):
            trajectory(info, entry.kwargs, "complex128", 1e-9)


@pytest.mark.parametrize("info", [info for info in DENSE if info.supports_param_groups], ids=name_of)
def test_groups(info: Any) -> None:
    for entry in info.optim_inputs_func(device="cpu"):
        if "weight_decay" not in entry.kwargs and "lr" not in entry.kwargs:
            trajectory(info, entry.kwargs, "float64", 1e-9, groups=True)


@pytest.mark.parametrize("info", DENSE, ids=name_of)
def test_schedules(info: Any) -> None:
    for makers in info.scheduler_inputs:
        pair = Pair(info, {}, "float64")
        schedules = [[make(pair.their_optimizer) for make in makers], []]
        for schedule in schedules[0]:
            state = {k: v for k, v in vars(schedule).items() if not k.startswith("_")}
            schedules[1].append(counterpart(schedule, state, pair.our_optimizer))
        for step in range(STEPS):
            pair.step(info.step_requires_closure)
            for side in schedules:
                for schedule in side:
                    if type(schedule).__name__ == "ReduceLROnPlateau":
                        schedule.step(float(step))
                    else:
                        schedule.step()
            pair.check(TOLERANCE.get(name_of(info), 1e-9))
            ours, theirs = (
                [g["lr"] for g in optimizer.param_groups] for optimizer in (pair.our_optimizer, pair.their_optimizer)
            )
            assert [float(x) for x in ours] == pytest.approx([float(x) for x in theirs])


def counterpart(schedule: Any, state: dict[str, Any], optimizer: Any) -> Any:
    """wengert's schedule with the settings of one of PyTorch's."""
    cls = getattr(wg.optim.lr_scheduler, type(schedule).__name__)
    wanted = [n for n in inspect.signature(cls.__init__).parameters if n not in ("self", "optimizer", "last_epoch")]
    return cls(optimizer, **{n: state[n] for n in wanted if n in state})


@pytest.mark.parametrize("info", DENSE, ids=name_of)
def test_states_travel(info: Any) -> None:
    """A state dict of PyTorch's continues here; pickles and copies go on as the original does."""
    entry = info.optim_inputs_func(device="cpu")[0]
    pair = trajectory(info, entry.kwargs, "float64", 1e-9)
    theirs = pair.their_optimizer.state_dict()
    pair.our_optimizer.load_state_dict(converted(theirs))
    pair.step(info.step_requires_closure)
    pair.check(TOLERANCE.get(name_of(info), 1e-9))
    assert repr(pair.our_optimizer) == repr(pair.their_optimizer)
    for copied in (copy.deepcopy(pair.our_optimizer), pickle.loads(pickle.dumps(pair.our_optimizer))):
        assert repr(copied) == repr(pair.our_optimizer)
        assert list(copied.state_dict()["state"]) == list(pair.our_optimizer.state_dict()["state"])


def converted(state: Any) -> Any:
    if isinstance(state, torch.Tensor):
        return Converter()(state)
    if isinstance(state, dict):
        return {k: converted(v) for k, v in state.items()}
    return type(state)(map(converted, state)) if isinstance(state, list | tuple) else state


@pytest.mark.parametrize("info", DENSE, ids=name_of)
def test_refused_arguments(info: Any) -> None:
    wrong = []
    for entry in info.optim_error_inputs_func(device="cpu", dtype=torch.float32):
        given = entry.optimizer_error_input
        cls = getattr(wg.optim, name_of(info))
        shape = (2, 2)
        parameters = [wg.nn.Parameter(wg.ones(shape))] if given.params is None else parameters_of(given.params)
        raised: Any = None
        with warnings.catch_warnings():
            if issubclass(entry.error_type, Warning):
                warnings.simplefilter("error", entry.error_type)
            try:
                optimizer = cls(parameters, **Converter()(given.kwargs))
                if entry.error_on == OptimizerErrorEnum.STEP_ERROR:
                    for p in optimizer.param_groups[0]["params"]:
                        p.grad = wg.ones_like(p)
                    optimizer.step()
            except Exception as error:
                raised = error
        if not isinstance(raised, entry.error_type) or not re.search(entry.error_regex, str(raised)):
            wrong.append(
                f"{given.desc} {given.kwargs}: {raised!r} for {entry.error_type.__name__}({entry.error_regex})"
            )
    assert not wrong, "\n".join(wrong)


def parameters_of(params: Any) -> Any:
    if isinstance(params, torch.Tensor):
        return KNOWN.setdefault(id(params), (params, wg.nn.Parameter(Converter()(params.detach()))))[1]
    if isinstance(params, dict):
        return {key: parameters_of(value) for key, value in params.items()}
    return type(params)(map(parameters_of, params)) if isinstance(params, list | tuple) else params


KNOWN: dict[int, Any] = {}
