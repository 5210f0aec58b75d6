"""The backward pass: what reaches which leaf, when the graph is freed, and what ``grad`` returns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg


def leaf(*values: float, dtype: Any = None) -> Any:
    return wg.tensor([float(v) for v in values], dtype=dtype, requires_grad=True)


def same(tensor: Any, expected: Any) -> None:
    assert tensor is not None
    np.testing.assert_allclose(tensor.detach().numpy(), expected, rtol=1e-6)


# ---------------------------------------------------------------------- accumulation


def test_gradient_of_a_sum_of_products():
    x, y = leaf(1, 2, 3), leaf(4, 5, 6)
    (x * y + x).sum().backward()
    same(x.grad, [5, 6, 7])
    same(y.grad, [1, 2, 3])


def test_a_leaf_used_often_gets_the_sum():
    x = leaf(1, 2)
    (x + x * x + x).sum().backward()
    same(x.grad, [4, 6])


def test_gradients_accumulate_over_calls():
    x = leaf(1, 2)
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    assert x.grad is first, "the second gradient is added in place"
    same(x.grad, [5, 5])


def test_broadcast_operands_get_gradients_of_their_own_shape():
    x, y = wg.ones(3, 1, requires_grad=True), wg.ones(2, 1, 4, requires_grad=True)
    (x * y).sum().backward()
    assert x.grad.shape == (3, 1)
    assert y.grad.shape == (2, 1, 4)
    same(x.grad, np.full((3, 1), 8.0))
    same(y.grad, np.full((2, 1, 4), 3.0))


def test_gradient_has_the_dtype_of_its_leaf():
    x, y = leaf(1, 2, dtype=wg.float64), leaf(1, 2)
    (x * y).sum().backward()
    assert x.grad.dtype == wg.float64
    assert y.grad.dtype == wg.float32


def test_complex_times_real_gives_the_real_leaf_a_real_gradient():
    x = leaf(1, 2)
    z = wg.tensor([1 + 1j, 2 - 1j])
    (x * z).backward(wg.tensor([1 + 0j, 0 + 1j]))
    assert x.grad.dtype == wg.float32
    same(x.grad, [1, -1])


def test_leaves_do_not_share_their_gradients_memory():
    x, y = leaf(1, 2), leaf(3, 4)
    g = wg.ones(2)
    (x + y).backward(g)
    assert not np.shares_memory(x.grad.numpy(), y.grad.numpy())
    assert not np.shares_memory(x.grad.numpy(), g.numpy())
    x.grad.zero_()
    same(y.grad, [1, 1])
    same(g, [1, 1])


def test_gradient_of_a_view_is_the_leafs_own_contiguous_memory():
    x = wg.ones(2, 3, requires_grad=True)
    x.sum().backward()
    x.grad.add_(1)  # a broadcast gradient could not be written
    same(x.grad, np.full((2, 3), 2.0))
    y = wg.ones(2, 3, requires_grad=True)
    y.t().backward(wg.ones(3, 2))
    assert y.grad.is_contiguous()


def test_create_graph_gives_each_leaf_a_gradient_of_its_own():
    x, y = leaf(1, 2), leaf(3, 4)
    (x + y).sum().backward(create_graph=True)
    assert x.grad is not y.grad
    with wg.no_grad():
        x.grad.zero_()
    same(y.grad, [1, 1])


def test_zero_dimensional_gradients_are_tensors():
    x = wg.tensor(2.0, requires_grad=True)
    y = x * x * x + x
    y.backward()
    assert x.grad.shape == ()
    assert x.grad.item() == 13
    parts = leaf(1, 2, 3).unbind()
    z = sum(p * p + p for p in parts)
    z.backward()
    assert all(type(g._data) is np.ndarray for g in wg.autograd.grad(x * x + x, [x]))


def test_gradients_reach_only_what_requires_them():
    x, y = leaf(1, 2), wg.tensor([3.0, 4.0])
    z = x * y
    assert z.requires_grad
    z.sum().backward()
    assert y.grad is None


def test_integer_results_never_require_grad():
    x = leaf(1, 3, 2)
    values, indices = x.sort()
    assert values.requires_grad
    assert not indices.requires_grad
    assert not (x > 1).requires_grad


# ---------------------------------------------------------------------- freeing and running again


def test_backward_twice_raises():
    x = leaf(1, 2)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.backward()


def test_retain_graph_lets_backward_run_again():
    x = leaf(1, 2)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    same(x.grad, [4, 8])


def test_a_graph_of_sums_saves_nothing_and_runs_again():
    x = leaf(1, 2)
    y = (x + x).sum()
    y.backward()
    y.backward()
    same(x.grad, [4, 4])


def test_masks_are_freed_with_the_rest():
    x = leaf(-1, 2)
    y = wg.where(x > 0, x, -x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_a_shared_part_that_was_freed_is_named():
    x = leaf(1, 2)
    shared = x * x
    (shared * 2).sum().backward()
    with pytest.raises(RuntimeError, match="MulBackward0"):
        (shared * 3).sum().backward()


def test_backward_of_a_non_scalar_needs_a_gradient():
    x = leaf(1, 2)
    with pytest.raises(RuntimeError, match="only for scalar outputs"):
        (x * 2).backward()
    (x * 2).backward(wg.tensor([1.0, 10.0]))
    same(x.grad, [2, 20])


def test_one_element_counts_as_a_scalar():
    x = wg.ones(1, 1, requires_grad=True)
    (x * 3).backward()
    same(x.grad, [[3]])


def test_backward_without_a_graph_raises():
    with pytest.raises(RuntimeError, match="does not require grad and does not have a grad_fn"):
        wg.ones(()).backward()


def test_backward_on_a_leaf():
    x = wg.tensor(3.0, requires_grad=True)
    x.backward()
    x.backward()
    assert x.grad.item() == 2


def test_backward_of_several_tensors_at_once():
    x = leaf(1, 2)
    wg.autograd.backward([x[0] * 3, x * 2], [None, wg.tensor([1.0, 1.0])])
    same(x.grad, [5, 2])


def test_backward_with_inputs_leaves_the_others_alone():
    x, y = leaf(1, 2), leaf(3, 4)
    (x * y).sum().backward(inputs=[x])
    same(x.grad, [3, 4])
    assert y.grad is None


def test_backward_with_a_non_leaf_input():
    x = leaf(1, 2)
    y = x * 2
    (y * y).sum().backward(inputs=[y])
    same(y.grad, [4, 8])
    assert x.grad is None


# ---------------------------------------------------------------------- grad()


def test_grad_returns_and_does_not_accumulate():
    x, y = leaf(1, 2), leaf(3, 4)
    gx, gy = wg.autograd.grad((x * y).sum(), [x, y])
    same(gx, [3, 4])
    same(gy, [1, 2])
    assert x.grad is None


def test_grad_with_respect_to_a_result():
    x = leaf(1, 2)
    y = x * 3
    z = (y * y).sum()
    gy, gx = wg.autograd.grad(z, [y, x])
    same(gy, [6, 12])
    same(gx, [18, 36])


def test_grad_of_a_tensor_with_respect_to_itself():
    x = leaf(1, 2)
    y = x * 2
    same(wg.autograd.grad(y, y, wg.ones(2))[0], [1, 1])
    same(wg.autograd.grad(x, x, wg.ones(2))[0], [1, 1])


def test_unused_inputs():
    x, y = leaf(1, 2), leaf(3, 4)
    with pytest.raises(RuntimeError, match="appears to not have been used in the graph"):
        wg.autograd.grad(x.sum(), [x, y])
    gx, gy = wg.autograd.grad(x.sum(), [x, y], allow_unused=True)
    assert gy is None
    gx, gy = wg.autograd.grad(x.sum(), [x, y], materialize_grads=True)
    same(gx, [1, 1])
    same(gy, [0, 0])
    with pytest.raises(ValueError, match="Expected allow_unused to be True or not passed"):
        wg.autograd.grad(x.sum(), [x, y], allow_unused=False, materialize_grads=True)


def test_batched_grad_is_one_row_per_incoming_gradient():
    x = leaf(1, 2, 3)
    (rows,) = wg.autograd.grad(x * x, x, wg.eye(3), is_grads_batched=True)
    same(rows, np.diag([2.0, 4.0, 6.0]))


def test_third_derivative():
    x = wg.tensor(2.0, dtype=wg.float64, requires_grad=True)
    y = x**4
    for expected in (32.0, 48.0, 48.0, 24.0):
        (y,) = wg.autograd.grad(y, x, create_graph=True)
        assert y.item() == expected
    assert y.requires_grad is False or wg.autograd.grad(y, x, allow_unused=True)[0] in (None, 0)


def test_gradient_penalty():
    """A gradient inside a loss, as in WGAN-GP: d/dx |d(x^3)/dx|^2 = 36 x^3."""
    x = leaf(1, 2, dtype=wg.float64)
    (g,) = wg.autograd.grad((x * x * x).sum(), x, create_graph=True, only_inputs=True)
    (g * g).sum().backward()
    same(x.grad, [36, 288])


def test_second_order_of_a_saved_value_that_was_overwritten_raises():
    x = leaf(1, 2)
    y = x * 1
    (g,) = wg.autograd.grad((y * y * y).sum(), x, create_graph=True)
    with wg.no_grad():
        y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        g.sum().backward()


def test_every_output_of_an_op_that_is_unused_counts_as_zero():
    x = leaf(1, 2, 3, 4)
    first, _, _, last = x.unbind()
    (first * 2 + last).backward()
    same(x.grad, [2, 0, 0, 1])


# ---------------------------------------------------------------------- detach, data, requires_grad


def test_detach_shares_memory_and_version_but_no_graph():
    x = leaf(1, 2)
    y = x * 2
    d = y.detach()
    assert not d.requires_grad
    assert np.shares_memory(d.numpy(), y.detach().numpy())
    d.add_(1)
    assert y._version == 1


def test_detach_cuts_the_gradient():
    x = leaf(1, 2)
    (x * (x * 3).detach()).sum().backward()
    same(x.grad, [3, 6])


def test_data_is_unseen_by_the_version_counter():
    x = leaf(1, 2)
    x.data.add_(1)
    assert x._version == 0
    same(x, [2, 3])
    x.data = wg.tensor([7.0, 8.0])
    same(x, [7, 8])
    assert x.requires_grad
    with pytest.raises(RuntimeError, match="must be floating point or complex"):
        x.data = wg.tensor([1, 2])


def test_requires_grad_can_be_switched_on_leaves_only():
    x = wg.ones(2)
    assert x.requires_grad_() is x
    y = x * 2
    with pytest.raises(RuntimeError, match="only change requires_grad flags of leaf variables"):
        y.requires_grad_(False)
    with pytest.raises(RuntimeError, match="floating point"):
        wg.tensor([1, 2]).requires_grad_()
    x.requires_grad = False
    assert not (x * 2).requires_grad


def test_is_leaf_and_grad_fn():
    x = leaf(1, 2)
    y = x * 2
    assert x.is_leaf
    assert x.grad_fn is None
    assert not y.is_leaf
    assert y.grad_fn.name() == "MulBackward0"
    (first, index), _ = y.grad_fn.next_functions
    assert first.variable is x
    assert index == 0
    assert wg.ones(2).is_leaf
    assert x[:1].is_leaf is False


def test_assigning_a_gradient_is_checked():
    x = leaf(1, 2)
    x.grad = wg.ones(2)
    same(x.grad, [1, 1])
    with pytest.raises(RuntimeError, match="gradient of size"):
        x.grad = wg.ones(3)
    with pytest.raises(RuntimeError, match="gradient with dtype"):
        x.grad = wg.ones(2, dtype=wg.float64)
    with pytest.raises(TypeError, match="expected to be a Tensor or None"):
        x.grad = 3  # type: ignore[assignment]
    same(x.grad, [1, 1])
    x.grad = None
    assert x.grad is None


def test_zeros_for_unused_inputs_can_be_differentiated():
    x, a = wg.tensor(0.5, requires_grad=True), wg.tensor(1.0, requires_grad=True)
    dx = wg.autograd.grad(x * a, x, create_graph=True)
    ddx = wg.autograd.grad(dx, x, create_graph=True, materialize_grads=True)
    (dddx,) = wg.autograd.grad(ddx, x, materialize_grads=True)
    assert dddx.item() == 0
    edge = wg.autograd.graph.get_gradient_edge(a.clone())
    wg.autograd.grad(x * 1, (x, edge), allow_unused=True)
    with pytest.raises(RuntimeError, match="materialize_grads cannot be used when"):
        wg.autograd.grad(x * 1, (x, edge), materialize_grads=True)
    with pytest.raises(ValueError, match="grad requires non-empty inputs"):
        wg.autograd.grad(x * 1, [])


def test_a_dense_gradient_after_a_sparse_one_under_create_graph():
    x = wg.ones(2, requires_grad=True)
    x.grad = wg.sparse_coo_tensor(wg.tensor([[1, 1]]), wg.tensor([1.0, 1.0]))
    x.backward(wg.ones(2), create_graph=True)
    assert x.grad.tolist() == [1.0, 3.0]


def test_hooks_on_saved_tensors_that_backward_enters_end_with_it():
    block = wg.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t)
    seen = []

    def unpack(t):
        block.__enter__()
        return t

    x = wg.ones(2, requires_grad=True)
    with wg.autograd.graph.saved_tensors_hooks(lambda t: t, unpack):
        x.sin().sum().backward()
    with wg.autograd.graph.saved_tensors_hooks(seen.append, lambda t: t):
        x.sin()
    assert len(seen) == 1
    x.sin()
    assert len(seen) == 1


def test_what_a_node_tells_of_its_outputs():
    y = (wg.ones(2, requires_grad=True) * 2).grad_fn
    assert y._input_metadata[0].shape == (2,)
    assert y._input_metadata[0].dtype is wg.float32
    with pytest.raises(TypeError, match="expected 1 arguments, got 2 instead"):
        y(wg.ones(2), wg.ones(2))


def test_a_backward_that_is_recorded_warns_once_unless_told_otherwise():
    x = wg.ones(2, requires_grad=True)
    wg.set_warn_always(True)
    try:
        with pytest.warns(UserWarning, match="Using backward.. with create_graph=True"):
            (x * x).sum().backward(create_graph=True)
    finally:
        wg.set_warn_always(False)


def test_tensors_store_attributes_at_the_speed_of_slots():
    slow = {"__delattr__", "__getattribute__", "__setattr__"}
    assert not [cls for cls in wg.Tensor.__mro__ if cls is not object and slow & vars(cls).keys()]


def test_what_is_part_of_a_tensor_cannot_be_deleted():
    x = wg.ones(2, requires_grad=True)
    for name in ("data", "requires_grad", "_grad_fn", "_backward_hooks"):
        with pytest.raises(RuntimeError, match=name):
            delattr(x, name)
    del x.grad
    x.colour = "red"
    del x.colour
    assert not hasattr(x, "colour")
    with wg.no_grad():
        assert x.numpy().tolist() == [1.0, 1.0]
        x.set_(wg.zeros(3))
    assert x.shape == (3,)


def test_surprising_uses_warn():
    wg.set_warn_always(True)
    try:
        with pytest.warns(UserWarning, match="Converting a tensor with requires_grad=True to a scalar"):
            float(wg.ones((), requires_grad=True))
        with pytest.warns(UserWarning, match="The use of `x.T` on tensors of dimension other than 2"):
            assert wg.ones(2, 3, 4).T.shape == (4, 3, 2)
    finally:
        wg.set_warn_always(False)


def test_nodes_are_called_as_pytorch_calls_them():
    x = wg.ones(2, 3, requires_grad=True)
    assert wg.nn.functional.linear(x, wg.ones(4, 3), wg.ones(4)).grad_fn.name() == "AddmmBackward0"
    assert type(wg.nn.functional.cross_entropy(x, wg.tensor([0, 1])).grad_fn).__name__ == "NllLossBackward0"
    assert [y.grad_fn.name() for y in (x.sum(), x.sum(0), x.mean(), x.mean(1))] == [
        "SumBackward0",
        "SumBackward1",
        "MeanBackward0",
        "MeanBackward1",
    ]


@pytest.mark.parametrize("retain", [False, True])
def test_a_leaf_takes_over_a_gradient_that_is_nobody_elses(retain: bool, monkeypatch: pytest.MonkeyPatch):
    from wengert.autograd import engine

    copies = []
    monkeypatch.setattr(engine, "_laid_out", lambda g, like: copies.append(g) or g.copy())
    x, layer = wg.ones(2, 4), wg.nn.Linear(4, 3)
    layer(x).exp().sum().backward(retain_graph=retain)
    assert not copies
    g = wg.ones(3)
    leaf = wg.zeros(3, requires_grad=True)
    (leaf + 1).backward(g)  # the same array, which is the user's
    assert len(copies) == 1
    leaf.grad[0] = 5
    assert g[0] == 1
