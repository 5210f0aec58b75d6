"""Hooks on tensors, leaves and nodes, and gradients that non-leaves retain."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import wengert as wg


def leaf(*values: float) -> Any:
    return wg.tensor([float(v) for v in values], requires_grad=True)


def same(tensor: Any, expected: Any) -> None:
    assert tensor is not None
    np.testing.assert_allclose(tensor.detach().numpy(), expected, rtol=1e-6)


# ---------------------------------------------------------------------- on tensors


def test_a_hook_sees_the_whole_gradient_once():
    seen = []
    x = leaf(1, 2)
    y = x * 2
    y.register_hook(seen.append)
    (y * 3 + y).sum().backward()
    (g,) = seen
    same(g, [4, 4])


def test_what_a_hook_returns_replaces_the_gradient():
    x = leaf(1, 2)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: g + 1)
    y.sum().backward()
    same(x.grad, [22, 22])


def test_a_leafs_hook_runs_before_accumulation():
    x = leaf(1, 2)
    x.register_hook(lambda g: -g)
    (x * 2 + x).sum().backward()
    same(x.grad, [-3, -3])
    (x * 2).sum().backward()
    same(x.grad, [-5, -5])


def test_hooks_apply_to_grad_too():
    x = leaf(1, 2)
    x.register_hook(lambda g: g * 10)
    y = x * 3
    y.register_hook(lambda g: g * 2)
    gy, gx = wg.autograd.grad(y.sum(), [y, x])
    same(gy, [2, 2])
    same(gx, [60, 60])


def test_hooks_can_be_removed():
    x = leaf(1, 2)
    handle = x.register_hook(lambda g: g * 10)
    with x.register_hook(lambda g: g * 100):
        pass
    handle.remove()
    handle.remove()
    x.sum().backward()
    same(x.grad, [1, 1])


def test_a_handle_outlives_its_tensor():
    handle = leaf(1).register_hook(lambda g: g)
    gc.collect()
    handle.remove()


def test_hooks_of_wrong_results_are_named():
    x = leaf(1, 2)
    for result, message, kind in [
        (wg.ones(3), "changed the size", RuntimeError),
        (wg.ones(2, dtype=wg.float64), "changed the type", RuntimeError),
        (3, "return a Tensor or None", TypeError),
    ]:
        y = x * 2
        y.register_hook(lambda g, r=result: r)
        with pytest.raises(kind, match=message):
            y.sum().backward()


def test_hooks_need_a_tensor_that_requires_grad():
    with pytest.raises(RuntimeError, match="doesn't require gradient"):
        wg.ones(2).register_hook(lambda g: g)


def test_a_hook_under_create_graph_is_differentiated():
    x = leaf(1, 2)
    y = x * x
    y.register_hook(lambda g: g * y)
    (g,) = wg.autograd.grad(y.sum(), x, create_graph=True)
    same(g, [2, 16])  # 2x * x^2
    g.sum().backward()  # through y again, where the hook acts again: 2x^2 + (2x * x^2) * 2x
    same(x.grad, [6, 72])


def test_a_hook_registered_before_an_in_place_write_sees_the_old_tensors_gradient():
    seen = []
    x = leaf(1, 2)
    y = x * 2
    y.register_hook(seen.append)
    y.mul_(3)
    y.sum().backward()
    same(seen[0], [3, 3])


def test_a_hook_on_one_output_of_several():
    seen = []
    x = leaf(1, 2, 3)
    parts = x.unbind()
    parts[1].register_hook(lambda g: seen.append(g.item()))
    (parts[0] + parts[1] * 5).backward()
    assert seen == [5]
    same(x.grad, [1, 5, 0])


def test_an_unused_outputs_hook_sees_none():
    seen = []
    parts = leaf(1, 2).unbind()
    parts[1].register_hook(seen.append)
    parts[0].backward()
    assert seen == [None]


# ---------------------------------------------------------------------- after accumulation


def test_post_accumulate_hook_runs_once_with_the_leaf():
    seen = []
    x = leaf(1, 2)
    x.register_post_accumulate_grad_hook(lambda t: seen.append((t is x, t.grad.numpy().copy())))
    (x * 2 + x).sum().backward()
    assert len(seen) == 1
    assert seen[0][0]
    np.testing.assert_array_equal(seen[0][1], [3, 3])


def test_post_accumulate_hook_can_step_and_clear():
    x = leaf(1, 2)

    def step(t: Any) -> None:
        with wg.no_grad():
            t -= 0.5 * t.grad
        t.grad = None

    handle = x.register_post_accumulate_grad_hook(step)
    (x * x).sum().backward()
    same(x, [0, 0])
    assert x.grad is None
    handle.remove()
    (x * 2).sum().backward()
    same(x.grad, [2, 2])


def test_post_accumulate_hook_is_for_leaves():
    with pytest.raises(RuntimeError, match="non-leaf"):
        (leaf(1) * 2).register_post_accumulate_grad_hook(lambda t: None)


def test_post_accumulate_hook_does_not_run_for_grad():
    seen = []
    x = leaf(1, 2)
    x.register_post_accumulate_grad_hook(seen.append)
    wg.autograd.grad((x * 2).sum(), x)
    assert not seen


# ---------------------------------------------------------------------- retained gradients


def test_retain_grad():
    x = leaf(1, 2)
    y = x * 2
    y.retain_grad()
    assert y.retains_grad
    assert not x.retains_grad
    (y * y).sum().backward(retain_graph=True)
    same(y.grad, [4, 8])
    (y * y).sum().backward()
    same(y.grad, [8, 16])


def test_retained_gradients_are_not_shared():
    x = leaf(1, 2)
    y = x * 2
    z = y + 0
    y.retain_grad()
    z.retain_grad()
    z.sum().backward()
    y.grad.zero_()
    same(z.grad, [1, 1])
    same(x.grad, [2, 2])


def test_retained_gradient_is_the_one_after_hooks():
    x = leaf(1, 2)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 7)
    y.sum().backward()
    same(y.grad, [7, 7])


def test_retain_grad_follows_an_in_place_write():
    x = leaf(1, 2)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    assert y.retains_grad
    y.sum().backward()
    same(y.grad, [1, 1])


def test_retain_grad_of_a_written_view():
    x = leaf(1, 2, 3)
    y = x * 2
    v = y[:2]
    v.retain_grad()
    y.retain_grad()
    v.mul_(3)
    (v * 2).sum().backward()
    same(v.grad, [2, 2])
    same(y.grad, [2, 2, 0])


def test_retain_grad_of_a_leaf_changes_nothing():
    x = leaf(1, 2)
    x.retain_grad()
    x.sum().backward()
    same(x.grad, [1, 1])
    with pytest.raises(RuntimeError, match="requires_grad=False"):
        wg.ones(2).retain_grad()


def test_retain_grad_keeps_no_tensor_alive():
    x = leaf(1, 2)
    y = x * 2
    y.retain_grad()
    z = y * 3
    gone = weakref.ref(y)
    del y
    assert gone() is None
    z.sum().backward()
    same(x.grad, [6, 6])


# ---------------------------------------------------------------------- on nodes


def test_node_hooks_see_and_replace_gradients():
    seen = []
    x, y = leaf(1, 2), leaf(3, 4)
    z = x * y

    def post(grad_inputs: Any, grad_outputs: Any) -> Any:
        seen.append((len(grad_inputs), len(grad_outputs)))
        return grad_inputs[0] * 10, grad_inputs[1]

    z.grad_fn.register_prehook(lambda grad_outputs: (grad_outputs[0] * 2,))
    handle = z.grad_fn.register_hook(post)
    z.sum().backward(retain_graph=True)
    assert seen == [(2, 1)]
    same(x.grad, [60, 80])
    same(y.grad, [2, 4])
    handle.remove()
    z.sum().backward()
    assert len(seen) == 1


def test_a_nodes_prehook_does_not_change_what_grad_returns_for_its_output():
    x = leaf(1, 2)
    y = x * 3
    y.grad_fn.register_prehook(lambda gs: (gs[0] * 100,))
    gy, gx = wg.autograd.grad(y.sum(), [y, x], retain_graph=True)
    same(gy, [1, 1])
    same(gx, [300, 300])
    same(wg.autograd.grad(y.sum(), y)[0], [1, 1])


def test_node_metadata_is_the_users_own():
    y = leaf(1) * 2
    y.grad_fn.metadata["note"] = "here"
    assert y.grad_fn.metadata == {"note": "here"}


def test_backward_runs_the_nodes_of_the_inputs_it_is_asked_for():
    log: list[str] = []
    x = leaf(1)
    y = x * 1
    y.register_hook(lambda g: g * 3)
    y.grad_fn.register_prehook(lambda gs: log.append("pre"))
    y.grad_fn.register_hook(lambda gi, go: log.append("post"))
    (y * 1).backward(inputs=[y])
    assert log == ["pre", "post"]
    same(y.grad, [3])
    assert y.retains_grad
    assert x.grad is None


def test_a_post_accumulate_hook_returns_nothing():
    x = leaf(1)
    x.register_post_accumulate_grad_hook(lambda t: t.grad)
    with pytest.raises(RuntimeError, match="hooks should return None"):
        x.sum().backward()


def test_the_accumulating_nodes_hook_sees_what_the_leafs_hook_did():
    x = leaf(1, 1)
    node = x.view_as(x).grad_fn.next_functions[0][0]

    def more(t: Any) -> None:
        t.grad.add_(0.5)

    x.register_post_accumulate_grad_hook(more)
    seen: list[Any] = []
    node.register_hook(lambda gi, go: seen.append(go[0].clone()))
    x.sum().backward()
    same(seen[0], [1.5, 1.5])
