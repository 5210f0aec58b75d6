"""The public Function: PyTorch's contract for operations that users write."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.autograd import Function, gradcheck, gradgradcheck
from wengert.autograd.function import once_differentiable


def leaf(*values: float) -> Any:
    return wg.tensor([float(v) for v in values], requires_grad=True)


def doubles(*values: float) -> Any:
    return wg.tensor(values, dtype=wg.float64, requires_grad=True)


def same(tensor: Any, expected: Any) -> None:
    assert tensor is not None
    np.testing.assert_allclose(tensor.detach().numpy(), expected, rtol=1e-6)


class Product(Function):
    """``x * y``."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        ctx.save_for_backward(x, y)
        return x * y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, y = ctx.saved_tensors
        return g * y, g * x


class Exp(Function):
    """``exp(x)``, from its output."""

    @staticmethod
    def forward(x: Any) -> Any:
        return x.exp()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (y,) = ctx.saved_tensors
        return g * y


def function(forward: Callable[..., Any], backward: Callable[..., Any] = lambda ctx, *gs: gs[0]) -> Any:
    """A Function made of two plain functions."""
    return type("Made", (Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)}).apply


# ---------------------------------------------------------------------- gradients


def test_gradients_of_both_styles():
    x, y = leaf(1, 2), leaf(3, 4)
    z = Product.apply(x, y)
    assert z.grad_fn.name() == "ProductBackward"
    z.sum().backward()
    same(x.grad, [3, 4])
    same(y.grad, [1, 2])
    x.grad = None
    Exp.apply(x).sum().backward()
    same(x.grad, np.exp([1.0, 2.0]))


def test_first_and_second_order():
    x, y = doubles(0.5, -1.5), doubles(2.0, 0.3)
    assert gradcheck(Product.apply, (x, y))
    assert gradgradcheck(Product.apply, (x, y))
    assert gradcheck(Exp.apply, x)
    assert gradgradcheck(Exp.apply, x)
    third = x
    y = Exp.apply(x * 2).sum()
    for _ in range(3):
        (third,) = wg.autograd.grad(y, x, create_graph=True)
        y = third.sum()
    same(third, 8 * np.exp([1.0, -3.0]))


def test_the_same_tensor_twice():
    x = leaf(1, 2)
    Product.apply(x, x).sum().backward()
    same(x.grad, [2, 4])


def test_gradients_are_broadcast_back_and_cast():
    x = leaf(1, 2)
    f = function(lambda ctx, x: x * 1, lambda ctx, g: wg.ones(4, 2, dtype=wg.float64))
    f(x).sum().backward()
    assert x.grad.dtype == wg.float32
    same(x.grad, [4, 4])


def test_forward_runs_unrecorded_on_the_tensors_themselves():
    seen: list[Any] = []

    def forward(ctx: Any, x: Any) -> Any:
        y = x * 2
        seen.extend([x, wg.is_grad_enabled(), y.requires_grad])
        return y

    x = leaf(1, 2)
    y = function(forward)(x)
    assert seen[0] is x
    assert seen[1:] == [False, False]
    assert y.requires_grad


def test_needs_input_grad():
    seen = []

    def forward(ctx: Any, *args: Any) -> Any:
        seen.append(ctx.needs_input_grad)
        return args[0] * 2

    f = function(forward, lambda ctx, g: (g * 2, None, None))
    x, y = leaf(1), wg.ones(1)
    f(x, y, 3).backward()
    f(y, y, 3)
    assert seen == [(True, False, False), (False, False, False)]
    same(x.grad, [2])


def test_nothing_is_recorded_when_nothing_asks():
    f = function(lambda ctx, x: x * 2)
    assert not f(wg.ones(2)).requires_grad
    with wg.no_grad():
        assert not f(leaf(1, 2)).requires_grad


def test_attributes_and_plain_arguments():
    def forward(ctx: Any, x: Any, shape: Any, *, k: Any = None) -> Any:
        ctx.shape, ctx.k, ctx.params, ctx.info = shape, 3, {"a": 1}, "note"
        return x * 3

    def backward(ctx: Any, g: Any) -> Any:
        assert (ctx.shape, ctx.params, ctx.info) == ((1, 2), {"a": 1}, "note")
        return g * ctx.k, None

    x = leaf(1, 2)
    y = function(forward, backward)(x, (1, 2))
    y.sum().backward()
    same(x.grad, [3, 3])


def test_the_node_shows_what_the_ctx_holds():
    def forward(ctx: Any, x: Any) -> Any:
        ctx.factor = 7
        ctx.save_for_backward(x)
        return x * 7

    x = leaf(1, 2)
    node = function(forward)(x).grad_fn
    assert node.factor == 7
    assert node.saved_tensors[0] is x
    with pytest.raises(AttributeError):
        _ = node.no_such_name


def test_keyword_arguments_are_bound_by_name():
    def forward(ctx: Any, x: Any, scale: float = 2.0) -> Any:
        ctx.scale = scale
        return x * scale

    f = function(forward, lambda ctx, g: (g * ctx.scale, None))
    x = leaf(1, 2)
    same(f(x, scale=5.0), [5, 10])
    with pytest.raises(TypeError):
        f(x, factor=5.0)


# ---------------------------------------------------------------------- several outputs


def two(ctx: Any, x: Any) -> Any:
    return x * 2, x * 3


def test_several_outputs():
    f = function(two, lambda ctx, a, b: a * 2 + b * 3)
    x = leaf(1, 2)
    a, b = f(x)
    assert (a.output_nr, b.output_nr) == (0, 1)
    assert a.grad_fn is b.grad_fn
    (a + b).sum().backward()
    same(x.grad, [5, 5])


@pytest.mark.parametrize("materialize", [True, False])
def test_gradients_of_unused_outputs(materialize: bool):
    seen = []

    def forward(ctx: Any, x: Any) -> Any:
        ctx.set_materialize_grads(materialize)
        return x * 2, x * 3, None, 5, (x * 4).long()

    def backward(ctx: Any, *gs: Any) -> Any:
        seen.extend(gs)
        return gs[1]

    x = leaf(1, 2)
    _, b, c, d, e = function(forward, backward)(x)
    assert (c, d) == (None, 5)
    assert not e.requires_grad
    b.sum().backward()
    if materialize:
        same(seen[0], [0, 0])
        assert seen[4].dtype == wg.int64
    else:
        assert seen[0] is None
        assert seen[4] is None
    assert seen[2] is None
    assert seen[3] is None
    same(x.grad, [1, 1])


def test_non_differentiable_outputs():
    def forward(ctx: Any, x: Any) -> Any:
        order = x.sign()
        ctx.mark_non_differentiable(order)
        return x * 2, order

    a, b = function(forward, lambda ctx, g, _: g * 2)(leaf(1, -2))
    assert a.requires_grad
    assert not b.requires_grad


def test_a_tuple_of_one_stays_a_tuple():
    x = leaf(1, 2)
    (y,) = function(lambda ctx, x: (x * 2,), lambda ctx, g: g * 2)(x)
    y.sum().backward()
    same(x.grad, [2, 2])


# ---------------------------------------------------------------------- inputs returned, views, in-place


def test_an_input_returned_as_it_is():
    f = function(lambda ctx, x: x, lambda ctx, g: g * 10)
    x = leaf(1, 2)
    y = f(x)
    assert y is not x
    assert np.shares_memory(y.detach().numpy(), x.detach().numpy())
    y.sum().backward()
    same(x.grad, [10, 10])
    assert x.is_leaf
    with pytest.raises(RuntimeError, match="cloning the output"):
        f(x * 1).add_(1)


def test_a_view_of_an_input_is_not_written():
    f = function(lambda ctx, x: x[:1], lambda ctx, g: wg.cat([g, g]))
    y = leaf(1, 2) * 1
    v = f(y)
    with pytest.raises(RuntimeError, match="cloning the output"):
        v.mul_(2)
    y.add_(1)
    with pytest.raises(RuntimeError, match="custom Function"):
        v.sum().backward()


def test_mark_dirty():
    def forward(ctx: Any, x: Any) -> Any:
        x.mul_(2)
        ctx.mark_dirty(x)
        return x

    f = function(forward, lambda ctx, g: g * 2)
    x = leaf(1, 2)
    y = x * 1
    assert f(y) is y
    y.sum().backward()
    same(x.grad, [2, 2])
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        f(leaf(1, 2))


def test_mark_dirty_of_a_view_moves_its_base():
    def forward(ctx: Any, x: Any) -> Any:
        x.mul_(2)
        ctx.mark_dirty(x)
        return x

    f = function(forward, lambda ctx, g: g * 2)
    x = leaf(1, 2, 3)
    y = x * 1
    v = y[:2]
    assert f(v) is v
    y.sum().backward()
    same(x.grad, [2, 2, 1])


def test_dirty_inputs_must_be_returned():
    def forward(ctx: Any, x: Any) -> Any:
        ctx.mark_dirty(x)
        return x * 2

    with pytest.raises(RuntimeError, match="were not returned as output"):
        function(forward)(leaf(1, 2) * 1)


# ---------------------------------------------------------------------- saving


def test_saved_inputs_outputs_and_intermediates():
    def forward(ctx: Any, x: Any, c: Any) -> Any:
        y, inner = x * 2, x * 3
        ctx.save_for_backward(x, y, inner, None, c)
        return y

    def backward(ctx: Any, g: Any) -> Any:
        x, y, inner, nothing, c = ctx.saved_tensors
        assert nothing is None
        assert (x.requires_grad, y.requires_grad, inner.requires_grad, c.requires_grad) == (True, True, False, False)
        return g * (x + y + inner + c), None

    x = leaf(1, 2)
    function(forward, backward)(x, wg.ones(2)).sum().backward()
    same(x.grad, [7, 13])


def test_saved_tensors_that_were_overwritten_raise():
    def forward(ctx: Any, x: Any) -> Any:
        y = x.exp()
        inner = y * 1
        ctx.save_for_backward(x, y, inner)
        ctx.inner = inner
        return y

    f = function(forward, lambda ctx, g: g * ctx.saved_tensors[1])
    for write in (lambda x, y: x.add_(1), lambda x, y: y.add_(1), lambda x, y: y.grad_fn.inner.add_(1)):
        x = leaf(1, 2) * 1
        y = f(x)
        z = (y * 1).sum()
        with wg.no_grad():
            write(x, y)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            z.backward()


def test_saved_tensors_are_freed_by_backward():
    y = Product.apply(leaf(1, 2), leaf(3, 4)).sum()
    y.backward(retain_graph=True)
    y.backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_a_function_that_saves_nothing_runs_again():
    x = leaf(1, 2)
    y = function(lambda ctx, x: x * 2, lambda ctx, g: g * 2)(x).sum()
    y.backward()
    y.backward()
    same(x.grad, [4, 4])


def test_only_tensors_can_be_saved():
    with pytest.raises(TypeError, match="save_for_backward can only save variables, but argument 1 is of type int"):
        function(lambda ctx, x: ctx.save_for_backward(x, 3))(leaf(1))


def test_a_graph_with_a_function_is_freed_without_the_garbage_collector():
    gc.collect()
    gc.disable()
    try:
        x = leaf(1, 2)
        y = Exp.apply(Product.apply(x, x))
        gone = [weakref.ref(y), weakref.ref(y.grad_fn), weakref.ref(y.grad_fn.ctx)]
        y.sum().backward()
        del y
        assert [g() for g in gone] == [None, None, None]
    finally:
        gc.enable()


# ---------------------------------------------------------------------- once_differentiable, nested backward


def test_once_differentiable():
    class Square(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, g: Any) -> Any:
            assert not wg.is_grad_enabled()
            return 2 * g * ctx.saved_tensors[0]

    x = leaf(1, 2)
    Square.apply(x).sum().backward()
    same(x.grad, [2, 4])
    (g,) = wg.autograd.grad((Square.apply(x) * x).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="marked with @once_differentiable"):
        g.sum().backward()


def test_backward_may_record_and_differentiate():
    """What recomputation in backward (checkpointing) does."""

    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return (x * x).sin()

    def backward(ctx: Any, g: Any) -> Any:
        inner = ctx.saved_tensors[0].detach().requires_grad_()
        with wg.enable_grad():
            y = (inner * inner).sin()
        return wg.autograd.grad(y, inner, g)[0]

    x = doubles(0.3, 1.2)
    assert gradcheck(function(forward, backward), x)


def test_hooks_and_retained_gradients_of_a_functions_output():
    x = leaf(1, 2)
    y = Product.apply(x, x)
    y.retain_grad()
    y.register_hook(lambda g: g * 2)
    y.sum().backward()
    same(y.grad, [2, 2])
    same(x.grad, [4, 8])


def test_a_tensor_returned_twice_is_one_output():
    class Twice(Function):
        @staticmethod
        def forward(ctx, x):
            y = x * 2
            return y, y

        @staticmethod
        def backward(ctx, a, b):
            return a * 2 + b * 2

    x = wg.tensor([1.0, 2.0], dtype=wg.float64, requires_grad=True)
    a, b = Twice.apply(x)
    assert a is b
    assert wg.autograd.gradcheck(lambda x: sum(Twice.apply(x)), [x])


def test_a_graph_of_what_may_be_differentiated_once():
    class Scaled(Function):
        @staticmethod
        def forward(ctx, x, factor, y):
            ctx.save_for_backward(x, y)
            return x * y

        @staticmethod
        @once_differentiable
        def backward(ctx, g):
            x, y = ctx.saved_tensors
            return g * y, None, g * x

    x, y = wg.ones(2, requires_grad=True), wg.ones(2, requires_grad=True)
    go = wg.ones(2, requires_grad=True)
    Scaled.apply(x, 2, y).backward(go, create_graph=True)
    kept = x.grad.grad_fn
    assert kept.name() == "CopyBackwards"
    assert kept.next_functions[0][0] is None
    error = kept.next_functions[1][0]
    assert type(error).__name__ == "Error"
    assert [node is None for node, _ in error.next_functions] == [False, True, False]


def test_undefined_gradients_of_constant_outputs():
    class Two(Function):
        @staticmethod
        def forward(ctx, x):
            a, b = x.clone(), x.clone()
            ctx.mark_non_differentiable(b)
            ctx._materialize_non_diff_grads = False
            return a, b

        @staticmethod
        def backward(ctx, a, b):
            assert b is None
            return a

    Two.apply(wg.ones((), requires_grad=True))[0].backward()


def test_an_instance_has_no_attributes_of_a_node():
    class Same(Function):
        pass

    with pytest.warns(DeprecationWarning, match="should not be instantiated"):
        f = Same()
    with pytest.raises(RuntimeError, match="Attribute 'next_functions' is invalid"):
        f.next_functions  # noqa: B018
    with pytest.raises(RuntimeError, match="Attribute 'name' is invalid"):
        f.name()
    assert not hasattr(f, "colour")
    with pytest.raises(NotImplementedError, match="override the vmap"):
        Same.vmap(None, None)


def test_a_context_that_outlives_its_graph_has_no_saved_tensors():
    kept = []

    class Same(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 1

        @staticmethod
        def backward(ctx, g):
            kept.append(ctx)
            return g

    loss = Same.apply(wg.zeros(1, requires_grad=True))
    loss.backward(retain_graph=True)
    assert len(kept[0].saved_tensors) == 1
    del loss
    gc.collect()
    with pytest.raises(RuntimeError, match="have been freed"):
        kept[0].saved_tensors  # noqa: B018
