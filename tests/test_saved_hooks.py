"""Hooks on what operations save, edges as places in the graph, and hooks that wait for several gradients."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.autograd import graph


def leaf(*values: float) -> wg.Tensor:
    return wg.tensor(values, dtype=wg.float64, requires_grad=True)


def same(tensor: Any, expected: Any) -> None:
    np.testing.assert_allclose(tensor.detach().numpy(), expected)


# ---------------------------------------------------------------------- saved tensors


def test_saved_tensors_go_through_the_innermost_hooks():
    x = leaf(1, 2)
    with graph.saved_tensors_hooks(lambda t: t * 100, lambda t: t):
        with graph.saved_tensors_hooks(lambda t: t.tolist(), lambda v: wg.tensor(v, dtype=wg.float64)):
            y = x * x
        z = y * y
    z.sum().backward()
    same(x.grad, 200 * np.array([1, 2]) ** 2 * 2 * np.array([1, 2]))


def test_hooks_see_what_a_function_saves_and_second_derivatives_pass_through_them():
    seen = []

    class Cube(wg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 3 * ctx.saved_tensors[0] ** 2

    x = leaf(2)
    with graph.saved_tensors_hooks(lambda t: seen.append(t.shape) or t.clone(), lambda t: t):
        y = Cube.apply(x)
        (g,) = wg.autograd.grad(y.sum(), x, create_graph=True)
    assert seen
    assert seen[0] == (1,)
    same(wg.autograd.grad(g.sum(), x)[0], [12])


def test_hooks_keep_values_that_are_overwritten_afterwards():
    x = leaf(1, 2)
    with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        y = x * 2
        y.mul_(y.detach().clone())
        y.exp_()
    y.sum().backward()
    same(x.grad, 4 * np.array([1, 2]) * np.exp(4 * np.array([1.0, 4.0])))


@pytest.mark.parametrize(
    ("pack", "unpack", "kind", "message"),
    [
        (lambda t: t.mul_(2), lambda t: t, RuntimeError, "modifying its input in place"),
        (lambda t: 0, lambda v: v, TypeError, "expected to be a Tensor"),
        (lambda t: int("x"), lambda v: v, ValueError, "invalid literal"),
    ],
)
def test_hooks_that_do_wrong_are_named(pack: Any, unpack: Any, kind: type[Exception], message: str):
    x = leaf(1, 2) * 1

    def program() -> None:
        with graph.saved_tensors_hooks(pack, unpack):
            y = x * x
        y.sum().backward()

    with pytest.raises(kind, match=message):
        program()


def test_saving_on_the_cpu_and_disabled_hooks():
    x = leaf(1, 2)
    with graph.save_on_cpu():
        (x * x).exp().sum().backward()
    same(x.grad, 2 * np.array([1, 2]) * np.exp(np.array([1.0, 4.0])))
    with pytest.raises(RuntimeError, match="no"), graph.disable_saved_tensors_hooks("no"), graph.save_on_cpu():
        pass
    with pytest.raises(RuntimeError, match="no"), graph.save_on_cpu(), graph.disable_saved_tensors_hooks("no"):
        pass
    with graph.save_on_cpu():
        pass


def test_saved_values_of_a_node_by_pytorchs_names():
    x = leaf(1, 2)
    y = x * x.detach()
    assert y.grad_fn._saved_self is None  # its gradient does not need it
    assert (x * x).grad_fn._saved_self is x
    z = x.exp()
    same(z.grad_fn._saved_result, z.detach().numpy())
    w = x * x
    w.grad_fn._raw_saved_self.register_hooks(lambda t: t * 3, lambda t: t)
    w.sum().backward()
    same(x.grad, [4, 8])
    with pytest.raises(RuntimeError, match="second time"):
        _ = w.grad_fn._saved_self


# ---------------------------------------------------------------------- edges


def test_an_edge_stands_for_its_tensor():
    x = leaf(1, 2)
    y = x * 3
    edge = graph.get_gradient_edge(y)
    assert edge.node is y.grad_fn
    z = (y * y).sum()
    (at_y,) = wg.autograd.grad(z, edge, retain_graph=True)
    same(at_y, 2 * y.detach().numpy())
    (at_x,) = wg.autograd.grad(edge, x, wg.ones(2, dtype=wg.float64))
    same(at_x, [3, 3])
    z.backward(inputs=graph.get_gradient_edge(x))
    same(x.grad, 18 * np.array([1, 2]))
    with pytest.raises(RuntimeError, match="does not require gradients"):
        graph.get_gradient_edge(wg.ones(2))


def test_the_accumulating_node_is_one_and_has_hooks():
    x = leaf(1, 2)
    y = x * 3
    node = y.grad_fn.next_functions[0][0]
    assert node is y.grad_fn.next_functions[0][0]
    assert node.variable is x
    seen = []
    node.register_prehook(lambda gs: seen.append("before") or (gs[0] * 2,))
    node.register_hook(lambda grads, gs: seen.append((grads, gs[0].tolist())))
    y.sum().backward()
    assert seen == ["before", ((), [6, 6])]
    same(x.grad, [6, 6])


def test_hooks_of_nodes_must_fit():
    x = leaf(1, 2)
    for register, result, kind, message in [
        ("register_prehook", lambda gs: (gs[0], gs[0]), RuntimeError, "incorrect number"),
        ("register_prehook", lambda gs: (1,), TypeError, "expected Variable"),
        ("register_hook", lambda grads, gs: 2, TypeError, "expected tuple"),
        ("register_hook", lambda grads, gs: (grads[0],) * 3, RuntimeError, "incorrect number"),
    ]:
        y = x * 2
        getattr(y.grad_fn, register)(result)
        with pytest.raises(kind, match=message):
            y.sum().backward()


# ---------------------------------------------------------------------- several gradients


def test_a_hook_for_several_gradients():
    seen: list[Any] = []
    a, b, c = leaf(1), leaf(2), leaf(3)
    handle = graph.register_multi_grad_hook((a, b, c), lambda gs: seen.append([g is None for g in gs]))
    any_handle = graph.register_multi_grad_hook((a, b), lambda g: seen.append("any"), mode="any")
    (a * b).sum().backward()
    (a * b * c).sum().backward()
    assert sorted(map(str, seen)) == sorted(map(str, ["any", [False, False, True], "any", [False, False, False]]))
    handle.remove()
    any_handle.remove()
    c.sum().backward()
    assert len(seen) == 4
    with pytest.raises(ValueError, match="Expects mode"):
        graph.register_multi_grad_hook((a,), print, mode="some")


def test_callbacks_at_the_end_of_backward():
    seen = []
    x = leaf(1)
    queue = wg.autograd.Variable._execution_engine.queue_callback
    x.register_hook(lambda g: queue(lambda: seen.append(x.grad.item())))
    (x * 2).backward()
    assert seen == [2]
    with pytest.raises(RuntimeError, match="during backward"):
        queue(lambda: None)


def test_backward_within_backward_goes_as_deep_as_it_likes():
    class Deeper(wg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            with wg.enable_grad():
                ctx.x = x.detach().requires_grad_() - 1
            return ctx.x.detach()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            if ctx.x >= 0:
                with wg.enable_grad():
                    Deeper.apply(ctx.x).sum().backward()
            return g

    x = wg.tensor(500.0, requires_grad=True)
    threads = threading.active_count()
    Deeper.apply(x).sum().backward()
    assert x.grad.item() == 1
    assert threading.active_count() == threads


def test_a_write_that_only_the_user_knows_of_is_counted():
    x = leaf(1, 2) * 1
    y = x * x
    graph.increment_version(x)
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        y.sum().backward()


@pytest.mark.parametrize("name", ["copy_", "setitem", "index_put_", "scatter_", "fill_", "zero_", "index_fill_"])
def test_writes_in_place_reach_the_tensor_under_hooks(name: str):
    def write(y: Any, b: Any) -> Any:
        if name == "setitem":
            y[0] = b[0] * 2
        elif name == "index_put_":
            y.index_put_((wg.tensor([0]),), b[:1])
        elif name == "scatter_":
            y.scatter_(0, wg.tensor([1]), b[:1])
        elif name == "index_fill_":
            y.index_fill_(0, wg.tensor([2]), 9.0)
        else:
            getattr(y, name)(*{"copy_": (b * 1,), "fill_": (3.0,)}.get(name, ()))
        return y

    a, b = wg.ones(3, requires_grad=True), wg.tensor([5.0, 6.0, 7.0], requires_grad=True)
    plain = write(a * 1, b)
    with wg.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        hooked = write(a * 1, b)
        seen = hooked.tolist()
    assert seen == plain.tolist()
    for y in (plain, hooked):
        y.sum().backward(retain_graph=True)
    gradient = a.grad.clone()
    a.grad = None
    plain.sum().backward()
    assert wg.equal(gradient, 2 * a.grad)
