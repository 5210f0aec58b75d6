"""Master weights: 16-bit parameters that small steps move, by way of a copy in float32."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn, optim

from .cases.optimizers import CASES, OptimizerCase
from .test_optimizers import gradients, make, values

FIRST = {case.name: case for case in reversed(CASES)}  # the first row of each optimizer
each = pytest.mark.parametrize("case", FIRST.values(), ids=lambda case: case.name)
SHORT = ("bfloat16", "float16")


def leaves(arrays: list[np.ndarray], dtype: str, **options: Any) -> list[Any]:
    return [wg.tensor(a, dtype=getattr(wg, dtype), **options).requires_grad_() for a in arrays]


def give(case: OptimizerCase, sides: list[list[Any]], arrays: list[np.ndarray]) -> None:
    """Gradients that 16 bits hold exactly, in each parameter's own type."""
    for params in sides:
        for p, g in zip(params, arrays, strict=True):
            p.grad = wg.tensor(g, dtype=wg.float32).to(wg.bfloat16).to(p.dtype).to(p.device)
            if case.name == "SparseAdam":
                p.grad = p.grad.to_sparse(1)


def rounded(case: OptimizerCase, rng: np.random.Generator) -> list[np.ndarray]:
    """Parameters that bfloat16 holds exactly."""
    return [wg.tensor(a, dtype=wg.bfloat16).float().numpy() for a in values(case, rng)]


@each
@pytest.mark.parametrize("dtype", SHORT)
def test_steps_are_those_of_float32(case: OptimizerCase, dtype: str, backend: str):
    rng = np.random.default_rng(0)
    arrays = rounded(case, rng)
    params, exact = leaves(arrays, dtype, device=backend), leaves(arrays, "float32", device=backend)
    left, right = make(case, params, master_weights=True), make(case, exact)
    for _ in range(6):
        give(case, [params, exact], gradients(case, rng))
        left.step()
        right.step()
        for p, e in zip(params, exact, strict=True):
            master = left.state[p]["master_param"]
            assert master.dtype is wg.float32
            np.testing.assert_array_equal(master.cpu().numpy(), e.detach().cpu().numpy())
            assert (p.detach() == e.detach().to(p.dtype)).all()
    for p in params:
        assert {t.dtype for t in left.state[p].values() if t.ndim} <= {wg.float32}


@pytest.mark.parametrize(
    ("name", "options"),
    [("SGD", {"lr": 1e-4}), ("SGD", {"lr": 1e-5, "momentum": 0.9}), ("Adam", {"lr": 1e-4}), ("AdamW", {"lr": 1e-4}),
     ("Lion", {"lr": 1e-4}), ("RMSprop", {"lr": 1e-4}), ("LAMB", {"lr": 1e-4})],
)  # fmt: skip
def test_a_thousand_small_steps_arrive(name: str, options: dict[str, Any]):
    ends = {}
    for dtype, master in ((wg.float32, False), (wg.bfloat16, True), (wg.bfloat16, False)):
        p = wg.ones(4, 4, dtype=dtype, requires_grad=True)
        optimizer = getattr(optim, name)([p], **options, master_weights=master)
        for _ in range(1000):
            p.grad = wg.ones_like(p)
            optimizer.step()
        ends[dtype, master] = p.float().mean().item()
    assert ends[wg.bfloat16, False] == 1.0, "the steps are too large to be lost"
    assert ends[wg.float32, False] < 0.95
    assert ends[wg.bfloat16, True] == pytest.approx(ends[wg.float32, False], rel=1 / 256)


@each
@pytest.mark.parametrize("way", ["state_dict", "pickle", "deepcopy"])
def test_training_goes_on_bit_for_bit(case: OptimizerCase, way: str):
    rng = np.random.default_rng(0)
    params = leaves(rounded(case, rng), "bfloat16")
    optimizer = make(case, params, master_weights=True)
    for _ in range(5):
        give(case, [params], gradients(case, rng))
        optimizer.step()
    if way == "state_dict":
        twins = [p.detach().clone().requires_grad_() for p in params]
        other = make(case, twins, lr=0.7)  # the file says that there are master weights
        other.load_state_dict(pickle.loads(pickle.dumps(optimizer.state_dict())))
    else:
        other = copy.deepcopy(optimizer) if way == "deepcopy" else pickle.loads(pickle.dumps(optimizer))
        twins = other.param_groups[0]["params"]
    for _ in range(5):
        give(case, [params, twins], gradients(case, rng))
        optimizer.step()
        other.step()
    states = optimizer.state_dict()["state"], other.state_dict()["state"]
    for i, (p, q) in enumerate(zip(params, twins, strict=True)):
        assert (p == q).all()
        assert states[0][i].keys() == states[1][i].keys()
        for name, value in states[0][i].items():
            assert value.dtype is states[1][i][name].dtype
            assert (value == states[1][i][name]).all(), name


def test_a_saved_state_is_written_and_read(tmp_path: Any):
    model = nn.Linear(3, 2).to(wg.bfloat16)
    optimizer = optim.AdamW(model.parameters(), lr=1e-4, master_weights=True)
    for _ in range(3):
        optimizer.zero_grad()
        model(wg.ones(4, 3, dtype=wg.bfloat16)).float().pow(2).sum().backward()
        optimizer.step()
    wg.save(optimizer.state_dict(), tmp_path / "state")
    state = wg.load(tmp_path / "state")
    assert state["param_groups"][0]["master_weights"] is True
    assert state["state"][0]["master_param"].dtype is wg.float32
    assert (state["state"][0]["master_param"] == optimizer.state[model.weight]["master_param"]).all()


@each
def test_a_state_without_masters_gets_them(case: OptimizerCase):
    """Training that began without master weights goes on with them."""
    rng = np.random.default_rng(0)
    params = leaves(rounded(case, rng), "bfloat16")
    optimizer = make(case, params)
    give(case, [params], gradients(case, rng))
    optimizer.step()
    other = make(case, params, master_weights=True)
    other.load_state_dict(optimizer.state_dict())
    give(case, [params], gradients(case, rng))
    before = [p.detach().float() for p in params]
    other.step()
    for p, b in zip(params, before, strict=True):
        master = other.state[p]["master_param"]
        assert (master.to(p.dtype) == p).all()
        assert (master - b).abs().max() < 0.5


@pytest.mark.parametrize("name", ["SGD", "AdamW", "Adafactor"])
def test_what_is_written_to_a_parameter_counts(name: str):
    p = wg.ones(3, dtype=wg.bfloat16, requires_grad=True)
    optimizer = getattr(optim, name)([p], lr=1e-4, weight_decay=0.0, master_weights=True)
    for _ in range(3):
        p.grad = wg.ones_like(p)
        optimizer.step()
    before = optimizer.state[p]["master_param"].clone()
    with wg.no_grad():
        p[1] = 5.0
    optimizer.step()
    after = optimizer.state[p]["master_param"]
    assert after[1].item() == pytest.approx(5, abs=1e-2)
    assert after[0].item() != 1.0, "the others keep their digits"
    assert after[0].item() == pytest.approx(before[0].item(), abs=1e-2)
    p.data = wg.full((3,), 7.0, dtype=wg.bfloat16)
    optimizer.step()
    assert (optimizer.state[p]["master_param"] - 7).abs().max() < 1e-1


def test_groups_choose_for_themselves():
    a, b, c = (wg.ones(2, dtype=dtype, requires_grad=True) for dtype in (wg.bfloat16, wg.bfloat16, wg.float32))
    optimizer = optim.Adam([{"params": [a, c], "master_weights": True}, {"params": [b]}], lr=1e-4)
    for p in (a, b, c):
        p.grad = wg.ones_like(p)
    optimizer.step()
    assert ["master_param" in optimizer.state[p] for p in (a, b, c)] == [True, False, False]
    assert optimizer.state[b]["exp_avg"].dtype is wg.bfloat16
    assert "master_weights" not in optimizer.param_groups[1]
    optimizer.param_groups[1]["master_weights"] = True
    optimizer.step()
    assert optimizer.state[b]["master_param"].dtype is optimizer.state[b]["exp_avg"].dtype is wg.float32


@pytest.mark.parametrize("layout", ["a view", "transposed", "strided", "seen from outside"])
def test_layouts(layout: str):
    base = wg.arange(12, dtype=wg.float32).reshape(3, 4).to(wg.bfloat16)
    p = {"a view": base[1:], "transposed": base.t(), "strided": base[:, ::2], "seen from outside": base}[layout]
    p = p.detach().requires_grad_()
    exact = p.detach().float().clone().requires_grad_()
    one, two = optim.Adam([p], lr=1e-3, master_weights=True), optim.Adam([exact], lr=1e-3)
    for step in range(4):
        for q in (p, exact):
            q.grad = wg.full_like(q, step + 1.0)
        one.step()
        two.step()
    np.testing.assert_array_equal(one.state[p]["master_param"].numpy(), exact.detach().numpy())
    assert (p == exact.to(wg.bfloat16)).all()


def test_sparse_gradients():
    p = wg.ones(4, 2, dtype=wg.bfloat16, requires_grad=True)
    optimizer = optim.SGD([p], lr=1e-4, master_weights=True)
    for _ in range(100):
        p.grad = wg.sparse_coo_tensor(wg.tensor([[1]]), wg.ones(1, 2, dtype=wg.bfloat16), (4, 2))
        optimizer.step()
    assert optimizer.state[p]["master_param"][1].tolist() == pytest.approx([0.99, 0.99], rel=1e-5)
    assert p[0].tolist() == [1, 1]


def test_recorded_steps_have_none():
    with pytest.raises(RuntimeError, match="master_weights"):
        optim.SGD([wg.ones(2, requires_grad=True)], master_weights=True, differentiable=True)
