"""Parameters that an optimizer has put side by side: whoever sees their memory goes on seeing it."""

from __future__ import annotations

import copy
import gc
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn, optim

from .backends import to_backend

SHAPES = [(3, 4), (5,), (), (2, 0, 3), (2, 1, 3)]


def parameters(shapes: list[Any] = SHAPES, dtype: Any = wg.float64, seed: int = 0) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [nn.Parameter(wg.tensor(rng.normal(size=s), dtype=dtype)) for s in shapes]


def copies(params: list[Any]) -> list[Any]:
    """The same values in memory of their own, each as its own optimizer will see it."""
    return [p.detach().clone().requires_grad_() for p in params]


def give_gradients(rng: np.random.Generator, *sides: list[Any], skip: Callable[[int], bool] = lambda i: False) -> None:
    """The same random gradients to the parameters on both sides."""
    for i, same in enumerate(zip(*sides, strict=True)):
        values = rng.normal(size=same[0].shape)
        for p in same:
            p.grad = None if skip(i) else wg.tensor(values).to(p.dtype)


def arenas(optimizer: Any) -> list[Any]:
    """Which parameters are updated together."""
    return [len(arena.params) for known in optimizer._arenas.values() for arena in known.arenas]


def assert_same(left: list[Any], right: list[Any]) -> None:
    for a, b in zip(left, right, strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


MAKERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    "Adam": lambda p: optim.Adam(p, lr=0.1, weight_decay=0.1, amsgrad=True),
}


@pytest.fixture(params=list(MAKERS))
def make(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    return MAKERS[request.param]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


# ------------------------------------------------------------------ together is the same as one by one


@pytest.mark.parametrize("skip", ["none", "frozen", "in turn", "first only"])
def test_together_equals_alone(make: Any, rng: np.random.Generator, skip: str):
    skips = {
        "none": lambda step, i: False,
        "frozen": lambda step, i: i in (1, 3),
        "in turn": lambda step, i: (step + i) % 3 == 0,
        "first only": lambda step, i: step > 2 and i > 0,
    }[skip]
    params = parameters()
    others = copies(params)
    together, alone = make(params), [make([p]) for p in others]
    for step in range(8):
        give_gradients(rng, params, others, skip=lambda i, step=step: skips(step, i))
        together.step()
        for optimizer in alone:
            optimizer.step()
        assert_same(params, others)
    if skip == "none":
        assert arenas(together) == [len(SHAPES)]


def test_parameters_without_gradient_cost_nothing():
    params = parameters([(3,), (1000,)])
    optimizer = optim.Adam(params)
    params[0].grad = wg.ones(3, dtype=wg.float64)
    optimizer.step()
    assert arenas(optimizer) == [1]
    assert list(optimizer.state) == [params[0]]
    params[1].grad = wg.ones(1000, dtype=wg.float64)
    for _ in range(4):
        optimizer.step()
    assert [float(optimizer.state[p]["step"]) for p in params] == [5, 4]
    assert arenas(optimizer) == [2], "side by side once both take part"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_dtypes(make: Any, rng: np.random.Generator, dtype: str):
    params = parameters(dtype=getattr(wg, dtype))
    others = [p.detach().double().requires_grad_() for p in params]
    left, right = make(params), make(others)
    for _ in range(4):
        give_gradients(rng, params, others)
        left.step()
        right.step()
    close = {"float16": 2e-2, "bfloat16": 1e-1, "float32": 1e-5, "float64": 1e-12}[dtype]
    for p, q in zip(params, others, strict=True):
        assert p.dtype is getattr(wg, dtype)
        np.testing.assert_allclose(p.detach().double().numpy(), q.detach().numpy(), atol=close, rtol=close)
    for state in left.state.values():
        assert all(value.dtype is getattr(wg, dtype) for name, value in state.items() if name != "step")


def test_mixed_dtypes_in_one_group(make: Any, rng: np.random.Generator):
    params = parameters([(3,), (4,)]) + parameters([(3,), (4,)], wg.float32) + parameters([(2,)], wg.bfloat16)
    others = copies(params)
    together, alone = make(params), [make([p]) for p in others]
    for _ in range(3):
        give_gradients(rng, params, others)
        together.step()
        for optimizer in alone:
            optimizer.step()
    assert_same(params[:4], others[:4])
    assert sorted(arenas(together)) == [1, 2, 2]


def test_complex_parameters_are_pairs_of_real_ones(make: Any, rng: np.random.Generator):
    values, steps = rng.normal(size=(4, 2)), rng.normal(size=(5, 4, 2))
    z = [wg.tensor(values[..., 0] + 1j * values[..., 1]).requires_grad_() for _ in range(2)]
    z[1] = wg.tensor(np.repeat(z[1].detach().numpy(), 2)).detach()[::2].requires_grad_()  # with gaps
    x = wg.tensor(values, requires_grad=True)
    optimizers = [make([z[0]]), make([z[1]]), make([x])]
    for g in steps:
        for p in z:
            p.grad = wg.tensor(g[..., 0] + 1j * g[..., 1])
        x.grad = wg.tensor(g)
        for optimizer in optimizers:
            optimizer.step()
    for p in z:
        pairs = np.stack([p.detach().numpy().real, p.detach().numpy().imag], axis=-1)
        np.testing.assert_allclose(pairs, x.detach().numpy(), rtol=1e-12)


def test_on_every_backend(make: Any, rng: np.random.Generator, backend: str):
    values = [rng.normal(size=s) for s in SHAPES]
    params = [wg.tensor(v, device=backend, requires_grad=True) for v in values]
    others = [wg.tensor(v, requires_grad=True) for v in values]
    left, right = make(params), make(others)
    for _ in range(3):
        gradients = [rng.normal(size=s) for s in SHAPES]
        for p, q, g in zip(params, others, gradients, strict=True):
            p.grad, q.grad = wg.tensor(g, device=backend), wg.tensor(g)
        left.step()
        right.step()
    for p, q in zip(params, others, strict=True):
        np.testing.assert_allclose(p.detach().cpu().numpy(), q.detach().numpy(), rtol=1e-12)
    assert to_backend(np.zeros(1), backend) is not None


# ------------------------------------------------------------------ what else sees the memory


def seen_by_array() -> tuple[Any, Callable[[], Any]]:
    array = np.ones(3)
    return nn.Parameter(wg.from_numpy(array)), lambda: array


def seen_by_slice_of_array() -> tuple[Any, Callable[[], Any]]:
    array = np.ones(5)
    return nn.Parameter(wg.from_numpy(array[1:4])), lambda: array[1:4]


def seen_by_view_of_dead_array() -> tuple[Any, Callable[[], Any]]:
    array = np.ones(5)
    view = array[1:4]
    p = nn.Parameter(wg.from_numpy(array[1:4]))
    del array
    return p, lambda: view


def seen_through_buffer() -> tuple[Any, Callable[[], Any]]:
    memory = bytearray(np.ones(3).tobytes())
    return nn.Parameter(wg.from_numpy(np.frombuffer(memory))), lambda: np.frombuffer(bytes(memory))


def seen_by_memoryview() -> tuple[Any, Callable[[], Any]]:
    p = nn.Parameter(wg.ones(3, dtype=wg.float64))
    memory = memoryview(p.detach().numpy())
    return p, lambda: np.asarray(memory)


def seen_by_numpy_of_frozen() -> tuple[Any, Callable[[], Any]]:
    p = nn.Parameter(wg.ones(3, dtype=wg.float64), requires_grad=False)
    array = p.numpy()
    p.requires_grad_()
    return p, lambda: array


def seen_by_source() -> tuple[Any, Callable[[], Any]]:
    source = wg.ones(3, dtype=wg.float64)
    return nn.Parameter(source), source.numpy


def seen_by_detached() -> tuple[Any, Callable[[], Any]]:
    p = nn.Parameter(wg.ones(3, dtype=wg.float64))
    detached = p.detach()
    return p, detached.numpy


def seen_by_data() -> tuple[Any, Callable[[], Any]]:
    p = nn.Parameter(wg.ones(3, dtype=wg.float64))
    data = p.data
    return p, data.numpy


def seen_by_view() -> tuple[Any, Callable[[], Any]]:
    p = nn.Parameter(wg.ones(3, dtype=wg.float64))
    with wg.no_grad():
        view = p[1:]
    return p, lambda: np.concatenate([view.numpy()[:1], view.numpy()])


def seen_as_view() -> tuple[Any, Callable[[], Any]]:
    base = wg.ones(4, dtype=wg.float64)
    p = base[1:]
    p.requires_grad_()
    return p, lambda: base.detach().numpy()[1:]


def seen_by_state_dict() -> tuple[Any, Callable[[], Any]]:
    layer = nn.Linear(3, 1, bias=False).double()
    with wg.no_grad():
        layer.weight.fill_(1)
    saved = layer.state_dict()
    return layer.weight, lambda: saved["weight"].numpy().reshape(-1)


def seen_after_loading() -> tuple[Any, Callable[[], Any]]:
    layer = nn.Linear(3, 1, bias=False).double()
    array = np.ones((1, 3))
    layer.load_state_dict({"weight": wg.from_numpy(array)}, assign=True)
    return layer.weight, lambda: array.reshape(-1)


def seen_after_replacing() -> tuple[Any, Callable[[], Any]]:
    p = nn.Parameter(wg.zeros(3, dtype=wg.float64))
    array = np.ones(3)
    p.data = wg.from_numpy(array)
    return p, lambda: array


def seen_by_dlpack() -> tuple[Any, Callable[[], Any]]:
    p = nn.Parameter(wg.ones(3, dtype=wg.float64))
    array = np.from_dlpack(p.detach().numpy())
    return p, lambda: array


def seen_through_file(path: Path) -> tuple[Any, Callable[[], Any]]:
    np.ones(3).tofile(path)
    p = nn.Parameter(wg.from_numpy(np.memmap(path, dtype=np.float64, mode="r+")))
    return p, lambda: np.memmap(path, dtype=np.float64, mode="r")


SEEN = {name.removeprefix("seen_"): make for name, make in globals().items() if name.startswith("seen_")}


@pytest.mark.parametrize("name", SEEN)
def test_memory_that_is_seen_stays_in_place(name: str, make: Any, tmp_path: Path):
    p, look = SEEN[name](tmp_path / "memory") if name == "through_file" else SEEN[name]()
    others = parameters([(2,), (3,), (4,)])
    before = look().copy()
    optimizer = make([others[0], p, *others[1:]])
    for _ in range(3):
        for q in optimizer.param_groups[0]["params"]:
            q.grad = wg.ones_like(q)
        optimizer.step()
        now = p.detach().numpy().reshape(-1)
        np.testing.assert_array_equal(look(), now, err_msg="one that sees the parameter's memory was left behind")
        assert not np.array_equal(before, now)
    assert sorted(arenas(optimizer)) == [1, 3]


@pytest.mark.parametrize("name", SEEN)
def test_what_sees_the_memory_can_write_to_it(name: str, tmp_path: Path):
    if name in ("through_buffer", "through_file"):
        pytest.skip("what looks there is a copy or read-only")
    p, look = SEEN[name]()
    q = nn.Parameter(wg.ones(2, dtype=wg.float64))
    optimizer = optim.SGD([p, q], lr=1.0)
    for value in (5.0, 7.0):
        if name == "by_view":
            with wg.no_grad():
                p.fill_(value)
        else:
            look()[...] = value
        p.grad, q.grad = wg.ones_like(p), wg.ones_like(q)
        optimizer.step()
        assert p.detach().numpy().reshape(-1).tolist() == [value - 1] * 3


def test_memory_that_was_seen_is_moved_when_nobody_looks_any_more():
    params = parameters([(3,), (4,), (5,)])
    watch = [p.detach() for p in params]
    optimizer = optim.Adam(params, lr=0.1)
    others = copies(params)
    alone = [optim.Adam([p], lr=0.1) for p in others]
    rng = np.random.default_rng(0)
    sizes = []
    for step in range(40):
        give_gradients(rng, params, others)
        if step == 5:
            del watch
        optimizer.step()
        for each in alone:
            each.step()
        sizes.append(arenas(optimizer))
    assert sizes[0] == [1, 1, 1]
    assert sizes[-1] == [3]
    assert_same(params, others)
    assert float(optimizer.state[params[0]]["step"]) == 40


def test_two_parameters_on_one_array(make: Any, rng: np.random.Generator):
    base = wg.tensor(rng.normal(size=6))
    params = [base[:2].detach().requires_grad_(), base[2:].detach().requires_grad_()]
    others = copies(params)
    optimizer, alone = make(params), [make([p]) for p in others]
    for step in range(4):
        give_gradients(rng, params, others)
        optimizer.step()
        for each in alone:
            each.step()
        np.testing.assert_array_equal(base.numpy(), np.concatenate([p.detach().numpy() for p in others]))
        assert_same(params, others)
        assert arenas(optimizer) == [1, 1], step


def test_parameters_of_a_temporary_move_together():
    base = np.ones(6)
    params = [wg.from_numpy(base[:2]).requires_grad_(), wg.from_numpy(base[2:]).requires_grad_()]
    del base
    optimizer = optim.SGD(params, lr=1.0)
    for p in params:
        p.grad = wg.ones_like(p)
    optimizer.step()
    assert arenas(optimizer) == [2]
    assert [p.tolist() for p in params] == [[0, 0], [0, 0, 0, 0]]


def test_a_parameter_that_owns_what_another_is_a_view_of():
    whole = wg.ones(4, dtype=wg.float64).requires_grad_()
    part = whole.detach()[:2].requires_grad_()
    optimizer = optim.SGD([whole, part], lr=1.0)
    whole.grad, part.grad = wg.ones(4, dtype=wg.float64), wg.ones(2, dtype=wg.float64)
    optimizer.step()
    assert whole.tolist() == [-1, -1, 0, 0]
    assert part.tolist() == [-1, -1]


def test_a_graph_that_is_kept_keeps_its_values():
    p, q = parameters([(3,), (3,)])
    kept = (p * q).sum()
    kept.backward(retain_graph=True)
    optimizer = optim.SGD([p, q], lr=0.1)
    optimizer.step()
    with pytest.raises(RuntimeError, match=r"SGD\.step"):
        kept.backward()


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
        import weakref

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


# ------------------------------------------------------------------ layouts


def layouts() -> Iterator[tuple[str, Any]]:
    rng = np.random.default_rng(0)
    yield "transposed", wg.tensor(rng.normal(size=(4, 3))).t()
    yield "channels last", wg.tensor(rng.normal(size=(2, 4, 4, 3))).permute(0, 3, 1, 2)
    yield "with gaps", wg.tensor(rng.normal(size=(6, 4)))[::2, 1:3]
    yield "one column", wg.tensor(rng.normal(size=(4, 3)))[:, 1:2]
    yield "scalar", wg.tensor(2.0, dtype=wg.float64)
    yield "empty", wg.zeros(0, 3, dtype=wg.float64)


@pytest.mark.parametrize(("name", "values"), list(layouts()), ids=[name for name, _ in layouts()])
def test_layouts_are_kept(name: str, values: Any, make: Any, rng: np.random.Generator):
    params = [values.detach().requires_grad_(), *parameters([(3,), (2,)])]
    others = copies(params)
    strides = params[0].stride()
    optimizer, alone = make(params), [make([p]) for p in others]
    for step in range(3):
        give_gradients(rng, params, others)
        if step == 1 and params[0].ndim == 2:  # a gradient in another layout
            params[0].grad = params[0].grad.t().contiguous().t()
        optimizer.step()
        for each in alone:
            each.step()
        assert_same(params, others)
        assert params[0].stride() == strides
    for state in optimizer.state.get(params[0], {}).values():
        assert tuple(state.shape) in ((), tuple(params[0].shape))


def test_dense_layouts_move():
    params = [nn.Parameter(wg.tensor(np.ones((4, 3))).t().clone()), nn.Parameter(wg.ones(3, dtype=wg.float64))]
    params[0].data = wg.from_numpy(np.asfortranarray(np.ones((3, 4))))
    optimizer = optim.SGD(params, lr=0.1)
    for p in params:
        p.grad = wg.ones_like(p)
    optimizer.step()
    assert arenas(optimizer) == [2]
    assert params[0].stride() == (1, 3)
    np.testing.assert_allclose(params[0].detach().numpy(), 0.9)


def test_expanded_parameter_is_refused(make: Any):
    p = wg.ones(1, dtype=wg.float64).expand(3).detach().requires_grad_()
    p.grad = wg.ones(3, dtype=wg.float64)
    with pytest.raises(RuntimeError, match="single memory location"):
        make([p]).step()


# ------------------------------------------------------------------ versions


def test_a_saved_weight_that_a_step_changed_is_noticed(make: Any):
    layer = nn.Linear(2, 2).double()
    optimizer = make(layer.parameters())
    x = wg.ones(1, 2, dtype=wg.float64, requires_grad=True)
    layer(x).sum().backward()
    optimizer.step()
    loss = layer(x).sum()
    for p in layer.parameters():
        p.grad = wg.ones_like(p)
    optimizer.step()
    with pytest.raises(RuntimeError, match=rf"{type(optimizer).__name__}\.step"):
        loss.backward()


def test_each_step_counts_one_write(make: Any):
    params = parameters([(2,), (3,)])
    optimizer = make(params)
    alias = params[0].detach()
    params[0].grad = wg.ones_like(params[0])
    versions = [p._version for p in params]
    optimizer.step()
    optimizer.step()
    assert [p._version - v for p, v in zip(params, versions, strict=True)] == [2, 0]
    assert alias._version == params[0]._version
