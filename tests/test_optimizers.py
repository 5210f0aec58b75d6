"""Every optimizer of the table: against its textbook version, against PyTorch, and at work."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import optim

from .cases.optimizers import CASES, ELSEWHERE, OptimizerCase

each = pytest.mark.parametrize("case", CASES, ids=str)
each_of_torch = pytest.mark.parametrize("case", [case for case in CASES if case.torch], ids=str)


def make(case: OptimizerCase, params: list[Any], T: Any = wg, **options: Any) -> Any:
    return getattr(T.optim, case.name)(params, **{**case.options, **options})


def values(case: OptimizerCase, rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.normal(size=shape) for shape in case.shapes]


def gradients(case: OptimizerCase, rng: np.random.Generator) -> list[np.ndarray]:
    """Random ones; for SparseAdam with rows of zeros."""
    found = values(case, rng)
    if case.name == "SparseAdam":
        found = [g * (rng.integers(0, 2, g.shape[:1]) > 0).reshape(-1, *[1] * (g.ndim - 1)) for g in found]
    return found


def leaves(arrays: list[np.ndarray], T: Any = wg, **options: Any) -> list[Any]:
    return [T.tensor(a, requires_grad=True, **options) for a in arrays]


def give(case: OptimizerCase, params: list[Any], arrays: list[Any], T: Any = wg, **options: Any) -> None:
    for p, g in zip(params, arrays, strict=True):
        p.grad = None if g is None else T.tensor(g, **options).to(p.dtype)
        if case.name == "SparseAdam" and g is not None:
            p.grad = p.grad.to_sparse(1)


def test_every_optimizer_has_a_row():
    kinds = [v for name, v in vars(optim).items() if name[0] != "_" and isinstance(v, type)]
    public = {kind.__name__ for kind in kinds if issubclass(kind, optim.Optimizer)} - {"Optimizer"}
    assert {case.name for case in CASES} | ELSEWHERE == public


@each
def test_steps_are_the_textbooks(case: OptimizerCase, backend: str):
    rng = np.random.default_rng(0)
    expected = values(case, rng)
    params = leaves(expected, device=backend)
    optimizer = make(case, params)
    memories: list[dict[str, Any]] = [{} for _ in expected]
    for step in range(1, 21):
        found = gradients(case, rng)
        give(case, params, found, device=backend)
        optimizer.step()
        for i, g in enumerate(found):
            expected[i] = case.rule(expected[i], g, memories[i], step, **case.options)
        for p, e in zip(params, expected, strict=True):
            np.testing.assert_allclose(p.detach().cpu().numpy(), e, rtol=1e-10, atol=1e-10)


@each
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_short_types(case: OptimizerCase, dtype: str, backend: str):
    rng = np.random.default_rng(0)
    arrays = values(case, rng)
    params, exact = leaves(arrays, dtype=getattr(wg, dtype), device=backend), leaves(arrays)
    left, right = make(case, params), make(case, exact)
    for _ in range(3):
        found = gradients(case, rng)
        give(case, params, found, device=backend)
        give(case, exact, found)
        left.step()
        right.step()
    close = 2e-5 if dtype == "float32" else 0.2
    for p, e in zip(params, exact, strict=True):
        assert p.dtype is getattr(wg, dtype)
        if (case.name, dtype) not in ROUGH:
            np.testing.assert_allclose(p.detach().cpu().double().numpy(), e.detach().numpy(), atol=close, rtol=close)


# Rounding turns a sign, or the axes of a matrix, and so takes another path.
ROUGH = {
    ("Lion", "bfloat16"),
    ("SOAP", "bfloat16"),
    ("SOAP", "float32"),
    ("Rprop", "bfloat16"),
    ("SophiaG", "bfloat16"),
}


# ------------------------------------------------------------------ against PyTorch


@pytest.mark.parity
@each_of_torch
@pytest.mark.parametrize("skip", [False, True], ids=["always", "with gaps"])
def test_parity(case: OptimizerCase, skip: bool, monkeypatch: pytest.MonkeyPatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)  # Muon rounds to bfloat16 there
    rng = np.random.default_rng(0)
    arrays = values(case, rng)
    params, others = leaves(arrays), leaves(arrays, torch)
    optimizer, theirs = make(case, params), make(case, others, torch)
    for step in range(20):
        found = [None if skip and (step + i) % 3 == 0 else g for i, g in enumerate(gradients(case, rng))]
        give(case, params, found)
        give(case, others, found, torch)
        optimizer.step()
        theirs.step()
        for p, q in zip(params, others, strict=True):
            np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-10, atol=1e-10)
    assert_same_layout(optimizer.state_dict(), theirs.state_dict(), torch)


def assert_same_layout(mine: Any, theirs: Any, torch: Any) -> None:
    assert mine.keys() == theirs.keys()
    assert mine["param_groups"] == theirs["param_groups"]
    assert mine["state"].keys() == theirs["state"].keys()
    for number, state in theirs["state"].items():
        assert mine["state"][number].keys() == state.keys()
        for name, value in state.items():
            found = mine["state"][number][name]
            assert isinstance(found, wg.Tensor) == isinstance(value, torch.Tensor), name
            assert str(found.dtype).split(".")[1] == str(value.dtype).split(".")[1], name
            assert tuple(found.shape) == tuple(value.shape), name
            np.testing.assert_allclose(found.detach().numpy(), value.detach().numpy(), rtol=1e-6, atol=1e-10)


@pytest.mark.parity
@each_of_torch
def test_a_file_of_pytorchs_is_taken_over(case: OptimizerCase, monkeypatch: pytest.MonkeyPatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    rng = np.random.default_rng(0)
    others = leaves(values(case, rng), torch)
    theirs = make(case, others, torch)
    for _ in range(3):
        give(case, others, gradients(case, rng), torch)
        theirs.step()
    saved = mapped(theirs.state_dict(), torch)
    params = leaves([q.detach().numpy().copy() for q in others])
    optimizer = make(case, params, lr=0.7)
    optimizer.load_state_dict(saved)
    for _ in range(3):
        found = gradients(case, rng)
        give(case, others, found, torch)
        give(case, params, found)
        theirs.step()
        optimizer.step()
    for p, q in zip(params, others, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-10, atol=1e-10)


def mapped(value: Any, torch: Any) -> Any:
    """A state_dict of PyTorch's with this library's tensors."""
    if isinstance(value, dict):
        return {k: mapped(v, torch) for k, v in value.items()}
    if isinstance(value, list):
        return [mapped(v, torch) for v in value]
    return wg.tensor(value.detach().numpy()) if isinstance(value, torch.Tensor) else value


@pytest.mark.parity
@pytest.mark.parametrize("name", sorted({case.name for case in CASES if case.torch}))
def test_arguments_are_pytorchs(name: str):
    torch = pytest.importorskip("torch")
    import inspect

    mine, theirs = (
        [(p.name, p.default, p.kind) for p in inspect.signature(getattr(T.optim, name)).parameters.values()]
        for T in (wg, torch)
    )
    assert mine == [*theirs, ("master_weights", False, inspect.Parameter.KEYWORD_ONLY)]


# ------------------------------------------------------------------ state


@each
@pytest.mark.parametrize("way", ["state_dict", "pickle", "deepcopy"])
def test_training_goes_on_bit_for_bit(case: OptimizerCase, way: str):
    rng = np.random.default_rng(0)
    params = leaves(values(case, rng))
    optimizer = make(case, params)
    for _ in range(5):
        give(case, params, gradients(case, rng))
        optimizer.step()
    if way == "state_dict":
        twins = [p.detach().clone().requires_grad_() for p in params]
        other = make(case, twins)
        other.load_state_dict(pickle.loads(pickle.dumps(optimizer.state_dict())))
    else:
        other = copy.deepcopy(optimizer) if way == "deepcopy" else pickle.loads(pickle.dumps(optimizer))
        twins = other.param_groups[0]["params"]
    for _ in range(5):
        found = gradients(case, rng)
        give(case, params, found)
        give(case, twins, found)
        optimizer.step()
        other.step()
    for p, q in zip(params, twins, strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())


# ------------------------------------------------------------------ steps that are recorded


@pytest.mark.parametrize("case", [c for c in CASES if c.differentiable], ids=str)
def test_gradients_flow_through_steps(case: OptimizerCase):
    rng = np.random.default_rng(0)
    start, slopes, weights = (rng.normal(size=4) for _ in range(3))
    factors = rng.uniform(0.5, 1.5, size=3)

    def train(x: Any, c: Any, lr: Any) -> Any:
        p = x.clone()
        optimizer = make(case, [p], lr=lr, differentiable=True)
        for factor in factors:
            p.grad = c * p.clone() * factor + c
            optimizer.step()
        return (p * wg.tensor(weights)).sum()

    x, c = leaves([start, slopes])
    lr = wg.tensor(0.1, dtype=wg.float64, requires_grad=True)
    found = wg.autograd.grad(train(x, c, lr), (x, c, lr), allow_unused=True)
    assert found[0] is not None
    h = 1e-6
    for i, g in enumerate(found):
        if g is None or (case.name in ("ASGD", "Rprop") and i == 2):
            continue  # the rate is a number of the state there
        inputs = [x.detach(), c.detach(), lr.detach()]
        direction = wg.tensor(rng.normal(size=inputs[i].shape))
        ends = []
        for sign in (1, -1):
            moved = [value + sign * h * direction if i == j else value for j, value in enumerate(inputs)]
            ends.append(train(*moved).item())
        assert math.isclose((g * direction).sum().item(), (ends[0] - ends[1]) / (2 * h), rel_tol=1e-4, abs_tol=1e-6)


def test_gradients_flow_through_numbers_of_the_state():
    product = wg.tensor(0.5, dtype=wg.float64, requires_grad=True)

    def after_a_step(product: Any) -> Any:
        p = wg.ones(3, dtype=wg.float64)
        p.grad = wg.ones_like(p)
        optimizer = optim.NAdam([p], lr=0.1, differentiable=True)
        optimizer.state[p].update(step=wg.tensor(10.0), mu_product=product, exp_avg=p * 2, exp_avg_sq=p * 3)
        optimizer.step()
        return p

    assert wg.autograd.gradcheck(after_a_step, (product,))


def test_a_recorded_step_of_a_leaf_is_refused():
    p = wg.ones(2, requires_grad=True)
    p.grad = wg.ones(2)
    with pytest.raises(RuntimeError, match="leaf"):
        optim.SGD([p], lr=0.1, differentiable=True).step()
