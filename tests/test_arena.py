"""Parameters that an optimizer has put side by side: whoever sees their memory goes on seeing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn, optim

from .arenas import SHAPES, arenas, assert_same, copies, give_gradients, parameters
from .arenas import make as make
from .arenas import rng as rng

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


@pytest.mark.parametrize("name", [name for name in SEEN if not name.startswith("through_")])  # copies, read-only
def test_what_sees_the_memory_can_write_to_it(name: str):
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
