"""The backward pass, one operation at a time: the same bits as ``backward``, and what each step shows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import wengert as wg
from wengert import nn
from wengert.nn import functional as F


def circuit() -> tuple[wg.Tensor, list[wg.Tensor]]:
    x, y, z = (wg.tensor(v, requires_grad=True) for v in (-2.0, 5.0, -4.0))
    return (x + y) * z, [x, y, z]


def perceptron() -> tuple[wg.Tensor, list[wg.Tensor]]:
    model = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3))
    return F.cross_entropy(model(wg.randn(6, 5)), wg.tensor([0, 1, 2, 0, 1, 2])), list(model.parameters())


def convolutions() -> tuple[wg.Tensor, list[wg.Tensor]]:
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 2)
    )
    return model(wg.randn(2, 1, 8, 8)).square().mean(), list(model.parameters())


def recurrent() -> tuple[wg.Tensor, list[wg.Tensor]]:
    cell = nn.LSTMCell(3, 4)
    h, c = wg.zeros(2, 4), wg.zeros(2, 4)
    for x in wg.randn(5, 2, 3):
        h, c = cell(x, (h, c))
    return h.sum(), list(cell.parameters())


def shared_and_broadcast() -> tuple[wg.Tensor, list[wg.Tensor]]:
    w, b = wg.randn(4, 3, requires_grad=True), wg.randn(3, requires_grad=True)
    first, second = (w * b + b + w).split(2)
    h = first * second.exp() + b * w[1]
    h[0] *= 2
    return (h * h).sum() + b.sum(), [w, b]


class Cube(wg.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * x * x * g


def users_own() -> tuple[wg.Tensor, list[wg.Tensor]]:
    x = wg.randn(4, requires_grad=True)
    return (Cube.apply(x) * x).sum(), [x]


PROGRAMS = [circuit, perceptron, convolutions, recurrent, shared_and_broadcast, users_own]


def bits(tensors: list[wg.Tensor]) -> list[bytes]:
    return [t.grad.numpy().tobytes() for t in tensors]


@pytest.mark.parametrize("program", PROGRAMS)
def test_gradients_are_those_of_backward_to_the_bit(program: Callable[[], tuple[wg.Tensor, list[wg.Tensor]]]):
    wg.manual_seed(3)
    loss, leaves = program()
    loss.backward()
    wg.manual_seed(3)
    again, others = program()
    steps = list(again.backward_steps())
    assert bits(leaves) == bits(others)
    assert [s.index for s in steps] == list(range(len(steps)))
    assert {s.count for s in steps} == {len(steps)}
    assert len(steps) == sum(n.kind == "op" for n in loss.graph)
    done = [leaf for s in steps for leaf in s.leaves]
    assert {id(t) for t in done} == {id(t) for t in others}
    assert len(done) == len(others)


@pytest.mark.parametrize("program", PROGRAMS)
def test_gradients_are_added_to_what_was_there(program: Callable[[], tuple[wg.Tensor, list[wg.Tensor]]]):
    found = []
    for stepped in (False, True):
        wg.manual_seed(3)
        loss, leaves = program()
        for _ in range(2):
            if stepped:
                for _ in loss.backward_steps(retain_graph=True):
                    pass
            else:
                loss.backward(retain_graph=True)
        found.append(bits(leaves))
    assert found[0] == found[1]


def test_each_step_shows_what_comes_in_what_it_meets_and_what_goes_out():
    f, (x, y, z) = circuit()
    seen = [
        (s.op, [g.item() for g in s.incoming], [d.item() for d in s.local], [g.item() for g in s.outgoing])
        for s in f.backward_steps()
    ]
    assert seen == [("Mul", [1], [-4, 3], [-4, 3]), ("Add", [-4], [1, 1], [-4, -4])]
    assert [t.grad.item() for t in (x, y, z)] == [-4, -4, 3]


def test_gradients_appear_as_the_steps_go():
    f, (x, _, z) = circuit()
    steps = f.backward_steps()
    assert z.grad is None
    first = next(steps)
    assert first.leaves[0] is z
    assert (z.grad.item(), x.grad) == (3, None)
    assert first.node is f.grad_fn
    assert [v.item() for v in first.inputs] == [3, -4]
    assert repr(first) == "<BackwardStep 1/2: MulBackward0>"
    next(steps)
    assert x.grad.item() == -4
    assert list(steps) == []


def test_local_derivatives_are_elementwise_where_the_operation_is():
    x, b = wg.randn(3, 4, requires_grad=True, dtype=wg.float64), wg.randn(4, requires_grad=True, dtype=wg.float64)
    for step in (x.sin() * b).backward_steps(wg.ones(3, 4, dtype=wg.float64)):
        for d, out in zip(step.local, step.outgoing, strict=True):
            assert d.shape == (3, 4)
            product = step.incoming[0] * d
            wg.testing.assert_close(product if out.ndim == 2 else product.sum(0), out)


def test_local_derivatives_are_jacobians_where_it_is_not():
    x = wg.randn(2, 3, requires_grad=True, dtype=wg.float64)
    w = wg.randn(3, 4, requires_grad=True, dtype=wg.float64)
    steps = list(F.softmax(x @ w, 1)[0, 2].backward_steps())
    kinds = {s.op: s for s in steps}
    softmax = kinds["Softmax"]
    (jacobian,) = softmax.local
    assert jacobian.shape == (2, 4, 2, 4)
    t = F.softmax((x @ w)[0], 0).detach()
    wg.testing.assert_close(jacobian[0, :, 0], wg.diag(t) - wg.outer(t, t))
    for d, out in zip(kinds["Mm"].local, kinds["Mm"].outgoing, strict=True):
        (g,) = kinds["Mm"].incoming
        wg.testing.assert_close((g[..., None, None] * d).sum((0, 1)), out)


def test_large_jacobians_are_left_out():
    x = wg.randn(20, 20, requires_grad=True)
    softmax = next(s for s in F.softmax(x, 1).square().sum().backward_steps() if s.op == "Softmax")
    assert softmax.local == (None,)


def test_the_graph_is_freed_as_by_backward_and_kept_when_asked():
    x = wg.randn(3, requires_grad=True)
    y = (x.exp() * x).sum()
    list(y.backward_steps(retain_graph=True))
    list(y.backward_steps())
    assert y.graph.saved_bytes == 0
    with pytest.raises(RuntimeError, match="second time"):
        list(y.backward_steps())


def test_mistakes_are_told_at_the_call():
    with pytest.raises(RuntimeError, match="does not require grad"):
        wg.ones(1).backward_steps()
    with pytest.raises(RuntimeError, match="implicitly created only for scalar outputs"):
        wg.ones(2, requires_grad=True).backward_steps()


def test_the_callers_mode_holds_between_steps():
    f, (x, _, _) = circuit()
    with wg.no_grad():
        for step in f.backward_steps(create_graph=True):
            assert not wg.is_grad_enabled()
            assert not (x * 2).requires_grad
            assert all(g.requires_grad for g in step.outgoing if step.op == "Mul")
    assert x.grad.requires_grad
    for t in (x,):
        t.grad = None


def test_second_derivatives_can_be_stepped_through():
    x = wg.tensor(2.0, requires_grad=True)
    (g,) = wg.autograd.grad(x**3, x, create_graph=True)
    list(g.backward_steps())
    assert x.grad.item() == 12


def test_gradients_may_go_to_some_inputs_only():
    f, (x, y, z) = circuit()
    steps = list(wg.autograd.backward_steps([f], inputs=[x]))
    assert (x.grad.item(), y.grad, z.grad) == (-4, None, None)
    assert [leaf is x for s in steps for leaf in s.leaves] == [True]


def test_hooks_run_and_are_seen():
    f, (x, _, z) = circuit()
    z.register_hook(lambda g: g * 10)
    f.register_hook(lambda g: g * 2)
    first = next(f.backward_steps())
    assert first.incoming[0].item() == 2
    assert z.grad.item() == 60
    assert x.grad is None


def test_outputs_that_were_not_used_have_zeros():
    x = wg.randn(6, requires_grad=True)
    first, _ = x.split(3)
    step = list(first.sum().backward_steps())[-1]
    assert step.op == "Split"
    np.testing.assert_array_equal(step.incoming[1].numpy(), np.zeros(3))
    assert step.local == (None,)
