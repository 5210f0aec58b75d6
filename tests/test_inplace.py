"""In-place writes and views: gradients, versions, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends.errors import InplaceError, ModifiedError

from .view_programs import Program


def leaf(*values: float) -> Any:
    return wg.tensor([float(v) for v in values], requires_grad=True)


def same(tensor: Any, expected: Any) -> None:
    assert tensor is not None
    np.testing.assert_allclose(tensor.detach().numpy(), expected, rtol=1e-6)


# ---------------------------------------------------------------------- writes to whole tensors


def test_a_write_is_part_of_the_graph():
    x = leaf(1, 2)
    y = x * 2
    z = y.add_(1).mul_(y)
    assert z is y
    same(y, [9, 25])
    y.sum().backward()  # (2x + 1)^2
    same(x.grad, [12, 20])


@pytest.mark.parametrize(
    ("write", "slope"),
    [
        (lambda y, w: y.mul_(w), lambda x, w: w),
        (lambda y, w: y.div_(w), lambda x, w: 1 / w),
        (lambda y, w: y.pow_(2), lambda x, w: 2 * x),
        (lambda y, w: y.sin_(), lambda x, w: np.cos(x)),
        (lambda y, w: y.exp_(), lambda x, w: np.exp(x)),
        (lambda y, w: y.sqrt_(), lambda x, w: 0.5 / np.sqrt(x)),
        (lambda y, w: y.clamp_(1.5), lambda x, w: x >= 1.5),
        (lambda y, w: y.__imul__(y.sum()), lambda x, w: 2 * x.sum() + 0 * x),
    ],
    ids=["mul_", "div_", "pow_", "sin_", "exp_", "sqrt_", "clamp_", "imul"],
)
def test_an_op_may_need_the_value_that_it_overwrites(write: Any, slope: Any):
    """What a rule saved of the old value is kept although its memory is written."""
    x, w = leaf(1, 2, 3), wg.tensor([2.0, 3.0, 4.0], requires_grad=True)
    y = x * 1
    write(y, w)
    y.sum().backward()
    same(x.grad, slope(np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 4.0])))


def test_a_constant_tensor_joins_the_graph_when_a_leaf_is_written_to_it():
    b, w = wg.ones(2), leaf(2, 3)
    b.mul_(w)
    assert b.requires_grad
    assert not b.is_leaf
    b.sum().backward()
    same(w.grad, [1, 1])


@pytest.mark.parametrize(
    "overwrite",
    [
        lambda y: y.zero_(),
        lambda y: y.fill_(3.0),
        lambda y: y.copy_(wg.ones(2)),
        lambda y: y.__setitem__(slice(None), 3.0),
        lambda y: y.__setitem__(..., wg.ones(2)),
        lambda y: y[:].zero_(),
    ],
)
def test_overwritten_values_get_no_gradient(overwrite: Callable[[Any], Any]):
    x = leaf(1, 2)
    y = x * 2
    overwrite(y)
    assert y.requires_grad
    y.sum().backward()
    same(x.grad, [0, 0])


def test_copy_moves_the_gradient_to_the_source():
    x, s = leaf(1, 2), leaf(5, 6)
    y = x * 2
    y.copy_(s * 3)
    y.sum().backward()
    same(x.grad, [0, 0])
    same(s.grad, [3, 3])


def test_augmented_assignment_keeps_the_object():
    x = leaf(1, 2)
    y = z = x * 2
    y += 1
    y -= 2
    y *= 3
    y /= 2
    assert y is z
    assert y._version == 4
    y.sum().backward()
    same(x.grad, [3, 3])


def test_writes_under_no_grad_are_not_recorded():
    x = leaf(1, 2)
    with wg.no_grad():
        x -= 0.5
        x.mul_(2)
        x[0] = 9
    same(x, [9, 3])
    assert x.is_leaf
    assert x._version == 3
    x.sum().backward()
    same(x.grad, [1, 1])


# ---------------------------------------------------------------------- views


def test_views_share_memory_and_version():
    x = wg.arange(6.0)
    for view in (x[1:3], x.view(2, 3), x.reshape(3, 2), x.view(2, 3).t(), x[::2], x[None], x.unsqueeze(0), x.detach()):
        before = x._version
        view.add_(1)
        assert x._version == view._version == before + 1
    same(x, [7, 8, 10, 9, 11, 11])
    assert x[1:3]._base is x
    assert x.view(2, 3)[1]._base is x
    assert x._base is None
    assert not (x + 1)._is_view()


def test_advanced_indexing_and_operators_copy():
    x = wg.arange(4.0)
    x[wg.tensor([0, 1])].add_(1)
    (+x * 1).add_(1)
    x.clone().add_(1)
    same(x, [0, 1, 2, 3])


def test_a_write_through_a_view_reaches_the_base():
    x = leaf(1, 2, 3, 4)
    y = x * 1
    y[1:3].mul_(10)
    same(y, [1, 20, 30, 4])
    (y * y).sum().backward()
    same(x.grad, [2, 400, 600, 8])


def test_a_write_to_the_base_reaches_the_view():
    x = leaf(1, 2, 3)
    y = x * 1
    v = y[:2]
    y.mul_(5)
    v.sum().backward()
    same(x.grad, [5, 5, 0])


def test_a_write_to_one_view_reaches_its_siblings():
    x = leaf(1, 2, 3)
    y = x * 1
    left, right = y[:2], y[1:]
    left.mul_(5)
    same(right, [10, 3])
    right.sum().backward()
    same(x.grad, [0, 5, 1])


def test_a_chain_of_views():
    x = leaf(1, 2, 3, 4)
    y = x * 1
    m = y.view(2, 2)
    row = m.t()[1]
    end = row[0:1]
    end.mul_(5)
    same(y, [1, 10, 3, 4])
    same(m, [[1, 10], [3, 4]])
    same(row, [10, 4])
    (m * wg.tensor([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    same(x.grad, [1, 10, 3, 4])


def test_several_writes_through_different_views():
    x = leaf(1, 2, 3, 4)
    y = x * 1
    a, b = y[:3], y.view(2, 2)[1]
    a.mul_(2)
    b.mul_(3)
    a.add_(y[1:].clone())
    same(y, [6, 22, 30, 12])
    y.sum().backward()
    same(x.grad, [2, 4, 12, 6])


def test_a_base_in_another_memory_order():
    """Which elements a view of a view is depends on how the base lies in memory, not on its shape alone."""
    x = wg.arange(6.0).view(2, 3).requires_grad_()
    base = x.t() * 1
    flat = base.t().reshape(-1)
    assert flat._base is base, "reshape copied: the base is in C order, and this test shows nothing"
    flat[1:3].mul_(10)
    same(base.t(), [[0, 10, 20], [3, 4, 5]])
    base.sum().backward()
    same(x.grad, [[1, 10, 10], [1, 1, 1]])


def test_a_constant_base_joins_the_graph_through_its_view():
    b, w = wg.ones(4), leaf(2, 3)
    v, sibling = b[:2], b[1:3]
    v.mul_(w)
    assert b.requires_grad
    assert sibling.requires_grad
    assert not sibling.is_leaf
    sibling.sum().backward()
    same(w.grad, [0, 1])


def test_setitem_with_tensors_and_numbers():
    x, w = leaf(1, 2, 3, 4), leaf(5, 6)
    y = x * 1
    y[0] = 7
    y[1:3] = w
    y[wg.tensor([3])] = w[:1] * 2
    (y * wg.arange(1.0, 5.0)).sum().backward()
    same(x.grad, [0, 0, 0, 0])
    same(w.grad, [2 + 8, 3])


def test_setitem_with_a_mask():
    x = leaf(1, -2, 3)
    y = x * 1
    y[y < 0] = 0
    same(y, [1, 0, 3])
    y.sum().backward()
    same(x.grad, [1, 0, 1])


def test_second_derivatives_through_a_write_to_a_view():
    x = wg.tensor([1.0, 2.0, 3.0], dtype=wg.float64, requires_grad=True)

    def f(x: Any) -> Any:
        y = x * x
        y[:2].mul_(y[1:].clone())
        y[2] = x[0] ** 3
        return y * y

    assert wg.autograd.gradcheck(f, x)
    assert wg.autograd.gradgradcheck(f, x)


def test_a_view_made_before_requires_grad_is_a_leaf_until_its_base_is_written():
    b = wg.ones(3)
    v = b[:2]
    b.requires_grad_()
    with wg.no_grad():
        b.add_(1)
    (v * 2).sum().backward()
    same(b.grad, [2, 2, 0])


def test_a_detached_alias_is_a_constant():
    x = leaf(1, 2)
    y = x * 1
    d = y.detach()
    y.mul_(3)
    same(d, [3, 6])
    assert not d.requires_grad


# ---------------------------------------------------------------------- modified saved values


def test_a_saved_value_that_was_overwritten_raises():
    x = leaf(1, 2)
    y = x * 2
    z = y * y
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation") as error:
        z.sum().backward()
    text = str(error.value)
    assert "MulBackward0" in text
    assert "[2]" in text
    assert "version 0" in text
    assert "version 1" in text
    assert "add_ at " in text
    assert "test_inplace.py" in text


@pytest.mark.parametrize(
    "write", [lambda y: y[:1].zero_(), lambda y: y.detach().add_(1), lambda y: y.view(2, 1).add_(1)]
)
def test_writes_through_views_and_aliases_are_seen(write: Callable[[Any], Any]):
    x = leaf(1, 2)
    y = x * 2
    z = y * y
    with wg.no_grad():
        write(y)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_a_saved_output_that_was_overwritten_raises():
    y = leaf(1, 2).exp()
    z = y * 1
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        (z + y).sum().backward()


def test_values_that_no_rule_needs_may_be_overwritten():
    x = leaf(1, 2)
    y = x * 2
    z = y + 1
    y.zero_()
    z.sum().backward()
    same(x.grad, [2, 2])


def test_an_optimizer_step_between_forward_and_backward_is_seen():
    w, x = leaf(1, 2), leaf(3, 4)
    loss = (w * x).sum()
    with wg.no_grad():
        w.sub_(0.1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


# ---------------------------------------------------------------------- what is refused


def refused(write: Callable[[], Any], *parts: str) -> None:
    with pytest.raises(RuntimeError) as error:
        write()
    for part in parts:
        assert part in str(error.value)


def test_leaves_that_require_grad_are_not_written():
    x = leaf(1, 2)
    refused(lambda: x.add_(1), "add_", "a leaf Variable that requires grad", "no_grad")
    refused(lambda: x.__setitem__(0, 1.0), "leaf Variable that requires grad")
    refused(lambda: x[:1].add_(1), "a view of a leaf Variable that requires grad")
    refused(lambda: x.view(2, 1).t().zero_(), "a view of a leaf Variable that requires grad")
    same(x, [1, 2])
    assert x._version == 0


def test_a_leaf_that_is_a_view_is_not_written():
    v = wg.ones(4)[:2].requires_grad_()
    refused(lambda: v.add_(1), "leaf Variable that requires grad")
    same(v, [1, 1])


@pytest.mark.parametrize("name", ["split", "unbind", "chunk"])
def test_one_of_several_views_is_not_written(name: str):
    y = leaf(1, 2, 3, 4) * 1
    arguments = {"split": (2,), "unbind": (), "chunk": (2,)}[name]
    part = getattr(y, name)(*arguments)[0]
    refused(lambda: part.mul_(2), "returns multiple views", "clone()")
    refused(lambda: part.view(-1)[:1].mul_(2), "returns multiple views")
    with wg.no_grad():
        part.mul_(2)
    assert y[0].item() == 2
    constant = wg.ones(4)
    getattr(constant, name)(*arguments)[0].mul_(2)
    assert constant[0].item() == 2


def test_a_view_made_under_no_grad_is_not_written_outside():
    y, b = leaf(1, 2) * 1, wg.ones(2)
    with wg.no_grad():
        v, c = y[:1], b[:1]
    refused(lambda: v.mul_(2), "created in no_grad mode")
    refused(lambda: c.mul_(leaf(3)), "created in no_grad mode")
    same(y, [1, 2])
    same(b, [1, 1])
    c.mul_(2)
    same(b, [2, 1])


def test_expanded_tensors_are_not_written():
    e = wg.ones(2, 1).expand(2, 3)
    refused(lambda: e.add_(1), "more than one element", "clone()")
    e.clone().add_(1)
    wg.ones(2, 1).expand(2, 1).add_(1)


@pytest.mark.parametrize(
    ("write", "values"),
    [
        (lambda x: x.zero_(), [0, 0]),
        (lambda x: x.fill_(3), [3, 3]),
        (lambda x: wg.nn.functional.threshold_(x, 2, 1), [1, 5]),
        (lambda x: wg.nn.functional.threshold(x, 2, 1, inplace=True), [1, 5]),
        (lambda x: wg.zeros(3, 2, out=x), [0, 0]),
        (lambda x: wg.full((3, 2), 4.0, out=x), [4, 4]),
        (lambda x: wg._foreach_zero_([x]), [0, 0]),
    ],
)
def test_expanded_tensors_take_one_number_everywhere(write: Any, values: list[float]):
    x = wg.tensor([-1.0, 5.0])
    write(x.expand(3, 2))
    same(x, values)


def test_the_gradient_of_a_write_to_an_expanded_tensor():
    for write, expected in ((lambda x: x.zero_(), [0, 0]), (lambda x: wg.nn.functional.threshold_(x, 0, 1), [0, 2])):
        x = wg.tensor([-1.0, 5.0], requires_grad=True)
        y = x * 2
        z = y.expand(3, 2)
        assert write(z) is z
        y.sum().backward(retain_graph=True)
        same(x.grad, expected)
        x.grad = None
        z.sum().backward()
        same(x.grad, [3 * g for g in expected])


def test_expanded_tensors_change_their_shape():
    x = wg.ones(1, 2).expand(3, 2)
    assert x.t_().shape == (2, 3)
    assert x.unsqueeze_(0).shape == (1, 2, 3)
    assert x.squeeze_(0).transpose_(0, 1).shape == (3, 2)


def test_a_write_that_does_not_fit_changes_nothing():
    y = wg.ones(2)
    refused(lambda: y.add_(wg.ones(3, 2)), "add_", "[2]", "[3, 2]")
    refused(lambda: y.add_(wg.ones(3)), "[2]", "[3]")
    counts = wg.tensor([1, 2])
    refused(lambda: counts.add_(0.5), "add_", "float32", "int64")
    refused(lambda: y.mul_(1j), "complex64", "float32")
    same(y, [1, 1])
    same(counts, [1, 2])
    assert y._version == counts._version == 0


def test_inplace_on_inference_tensors_is_refused_outside():
    with wg.inference_mode():
        y = wg.ones(2)
    refused(lambda: y.add_(1), "inference tensor", "clone()")


def test_views_cannot_leave_the_graph_in_place():
    y = leaf(1, 2) * 1
    refused(lambda: y[:1].detach_(), "Can't detach views in-place")
    z = y * 2
    assert z.detach_() is z
    assert not z.requires_grad
    assert z.is_leaf


def test_out_is_not_recorded():
    x, out = leaf(1, 2), wg.zeros(2)
    refused(lambda: wg.add(x, 1, out=out), "don't support automatic differentiation")
    with wg.no_grad():
        assert wg.add(x, 1, out=out) is out
    same(out, [2, 3])


# ---------------------------------------------------------------------- random programs


def slope(gradients: Any, directions: list[np.ndarray]) -> Any:
    pairs = zip(gradients, directions, strict=True)
    return sum((g * wg.tensor(d)).sum() for g, d in pairs if g is not None)


@pytest.mark.parametrize("block", range(5))
def test_random_programs_against_finite_differences(block: int):
    """Gradients of first and second order through views and writes; a program may also be refused."""
    right = 0
    for seed in range(block * 20, block * 20 + 20):
        program = Program(seed)

        def run(moved: float, program: Program = program) -> Any:
            pool, leaves = program.start(wg, moved)
            for number in range(len(program.steps)):
                program.step(wg, pool, leaves, number)
            return program.loss(wg, pool), leaves

        directions = program.directions()
        try:
            loss, leaves = run(0.0)
            first = slope(wg.autograd.grad(loss, leaves, create_graph=True, allow_unused=True), directions)
            second = (
                slope(wg.autograd.grad(first, leaves, allow_unused=True), directions) if first.requires_grad else 0.0
            )
        except (InplaceError, ModifiedError):
            continue
        if not abs(loss.item()) < 1e6:
            continue
        step = 1e-5
        (above, above_leaves), (below, below_leaves) = run(step), run(-step)
        scale = 1 + abs(loss.item())
        assert abs(first.item() - (above.item() - below.item()) / (2 * step)) < 1e-6 * scale, seed
        moved = [
            slope(wg.autograd.grad(a, b, allow_unused=True), directions).item()
            for a, b in ((above, above_leaves), (below, below_leaves))
        ]
        assert abs(float(second) - (moved[0] - moved[1]) / (2 * step)) < 1e-5 * (scale + abs(first.item())), seed
        right += 1
    assert right > 8


@pytest.mark.parametrize(
    "write",
    [
        lambda x: x.add_(x[0]),
        lambda x: x[0, :2].mul_(x[0, 1:]),
        lambda x: wg.add(x[0, 1:], 1, out=x[0, :2]),
        lambda x: x[0].index_add_(0, wg.tensor([0]), x[0, :1]),
        lambda x: x[0].scatter_(0, wg.tensor([2, 0]), x[0, :2]),
        lambda x: x[0].index_put_((wg.tensor([2, 0]),), x[0, :2]),
        lambda x: wg.gather(x[0], 0, wg.tensor([2, 1, 0]), out=x[0]),
        lambda x: wg.cat([x[0], x[0]], out=x.view(-1)),
    ],
)
def test_what_is_written_may_not_overlap_what_is_read(write: Callable[[Any], Any]) -> None:
    x = wg.arange(6.0).view(2, 3)
    refused(lambda: write(x), "refer to a single memory location")
    assert x.tolist() == [[0, 1, 2], [3, 4, 5]]
    x.add_(x)  # all of it, element by element, is fine
    assert x.tolist() == [[0, 2, 4], [6, 8, 10]]


def test_a_write_through_as_strided_has_its_gradient() -> None:
    """The gradient that arrives may lie otherwise than the tensor: expanded, or transposed."""
    x = wg.arange(6.0).requires_grad_()
    y = (x * 2).view(2, 3)
    y.as_strided((2, 2), (3, 1), 1).mul_(3)
    y.sum().backward()
    same(x.grad, [2, 6, 6, 2, 6, 6])
    x.grad = None
    y = (x * 2).view(2, 3)
    y.as_strided((2,), (4,)).mul_(3)
    (y.t() * wg.arange(6.0).view(3, 2)).sum().backward()
    same(x.grad, [0, 4, 8, 2, 18, 10])


def test_parts_that_are_slices_may_be_written() -> None:
    """The parts of ``tensor_split`` and its kin are slices, not the outputs of one op."""
    x = leaf(1, 2, 3, 4)
    y = x * 1
    y.tensor_split(2)[1].mul_(2)
    y.hsplit(4)[0].mul_(3)
    y.sum().backward()
    same(x.grad, [3, 1, 2, 2])


def test_some_ops_write_expanded_tensors_with_a_warning():
    index = wg.tensor([2, 1, 0])
    mask = wg.tensor([True, False, True])
    for write in (
        lambda x: x.index_fill_(0, index, 4.0),
        lambda x: x.index_put_((index,), wg.full((3,), 4.0)),
        lambda x: x.masked_fill_(mask, 4.0),
        lambda x: x.masked_fill_(mask, wg.tensor(4.0)),
    ):
        x = wg.zeros(1).expand(3)
        with pytest.warns(UserWarning, match="on expanded tensors"):
            write(x)
        assert x.tolist() == [4.0] * 3
    with pytest.raises(RuntimeError, match="unsupported operation"):
        wg.zeros(1).expand(3).index_copy_(0, index, wg.ones(3))


@pytest.mark.parametrize(
    "pick",
    [
        lambda x: x.max(1),
        lambda x: x.min(1),
        lambda x: x.sort(1),
        lambda x: x.topk(2, 1),
        lambda x: x.kthvalue(2, 1),
        lambda x: x.median(1),
        lambda x: x.mode(1),
        lambda x: x.cummax(1),
        lambda x: wg.nn.functional.max_pool1d(x, 2, return_indices=True),
        lambda x: wg.nn.functional.adaptive_max_pool1d(x, 3, return_indices=True),
        lambda x: wg.nn.functional.fractional_max_pool2d(x[None], 2, 2, return_indices=True),
    ],
    ids=range(11),
)
def test_indices_that_an_op_returned_may_not_be_written_to_before_backward(pick: Any):
    x = wg.tensor([[[3.0, 1.0, 2.0, 4.0], [5.0, 7.0, 6.0, 0.0], [0.5, 8.0, 2.5, 1.5]]], requires_grad=True)
    values, indices = pick(x)
    indices.zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        values.sum().backward()


@pytest.mark.parametrize(
    "look_up",
    [
        lambda x, i: x[i],
        lambda x, i: x[:, i],
        lambda x, i: wg.zeros(3, 3).index_put((i,), x),
        lambda x, i: wg.nn.functional.embedding(i, x),
        lambda x, i: wg.nn.functional.embedding_bag(i[None], x),
        lambda x, i: wg.nn.functional.max_unpool1d(x[:1], i[None], 2),
    ],
    ids=["rows", "columns", "put", "embedding", "bag", "unpool"],
)
def test_indices_that_were_used_may_not_be_written_to_before_backward(look_up: Any):
    x, index = wg.ones(3, 3, requires_grad=True), wg.tensor([0, 1, 2])
    y = look_up(x, index)
    index.zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
