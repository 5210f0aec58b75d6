"""Elementwise functions, sums and copies of arrays that are large enough for several threads, beside NumPy's own."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends.cpu import elementwise, functions, moves, reduction
from wengert.backends.definitions import elementwise as plain

pytest.importorskip("numba", reason="compiled kernels need Numba")
pytestmark = [
    pytest.mark.usefixtures("threads"),
    pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:divide by zero:RuntimeWarning"),
]
N = functions.FEW + 3


def special(kind: str, n: int = N, seed: int = 0) -> Any:
    """Numbers of a type, the special ones among them."""
    rng = np.random.default_rng(seed)
    if kind == "?":
        return rng.random(n) < 0.5
    x = rng.standard_normal(n) * 100
    if kind in "fd":
        x[::97], x[1::97], x[2::97], x[3::97], x[4::97] = 0.0, -0.0, np.nan, np.inf, 1e-40
    return x.astype(kind)


def equal(found: Any, expected: Any) -> None:
    """Values with the sign of zeros, type, shape and order in memory."""
    assert (found.dtype, found.shape, found.strides) == (expected.dtype, expected.shape, expected.strides)
    np.testing.assert_array_equal(found, expected)
    if found.dtype.kind == "f":
        np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))


@pytest.mark.parametrize("name", functions.UNARY)
def test_a_function_of_one_array_gives_what_numpy_gives(name: str):
    function = getattr(np, name)
    for kind in "fd":
        equal(getattr(functions, name)(special(kind)), function(special(kind)))


@pytest.mark.parametrize("name", functions.BINARY)
def test_a_function_of_two_arrays_gives_what_numpy_gives(name: str):
    function = getattr(np, name)
    for kind in "fd":
        x, y = special(kind), special(kind, seed=1)
        for operands in ((x, y), (x, 2.5), (3, y), (x, np.array(1.5, kind)), (x, kind and np.ones(1, kind))):
            equal(getattr(functions, name)(*operands), function(*operands))


@pytest.mark.parametrize("kind", ["?", "b", "B", "h", "i", "l", "q", "e", "F"])
def test_other_types(kind: str):
    x, y = special(kind), special(kind, seed=1)
    for name in ("add", "multiply", "maximum", "equal"):
        equal(getattr(functions, name)(x, y), getattr(np, name)(x, y))
    equal(functions.add(x, special("d")), np.add(x, special("d")))


def test_operands_are_broadcast_and_keep_their_order_in_memory():
    x = special("f", 4 * 64 * 30 * 40).reshape(4, 64, 30, 40)
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    channel, number = special("f", 64).reshape(1, 64, 1, 1), np.broadcast_to(np.float32(2), x.shape)
    others = (x, last, channel, number, x[:1], x[:, :, :, :1], x[0, 0, 0], x.swapaxes(2, 3).copy().swapaxes(2, 3))
    for a, b in itertools.product((x, last, x[:, :, ::2], x[::-1], x.T), others):
        if a is x.T or a.shape != x.shape:
            b = a[:1]
        equal(functions.add(a, b), np.add(a, b))
        equal(functions.subtract(b, a), np.subtract(b, a))
    thin = special("f", N).reshape(-1, 1)
    equal(functions.multiply(thin, special("f", 3)), np.multiply(thin, special("f", 3)))
    with pytest.raises(ValueError, match="could not be broadcast"):
        functions.add(special("f"), special("f", N - 1))


def test_strange_arrays_are_left_to_numpy():
    buffer = np.zeros(4 * N + 1, np.int8)
    unaligned = buffer[1:].view(np.float32)
    unaligned[...] = special("f")
    swapped = special("f").astype(">f4")
    for x in (unaligned, swapped):
        np.testing.assert_array_equal(functions.add(x, x), np.add(x, x))


def test_writing_into_an_operand():
    for name in ("add", "subtract", "multiply", "true_divide"):
        for other in (special("f", seed=1), 1.5, special("f", 1)):
            x, expected = special("f"), special("f")
            functions.write_into(x, name, other)
            equal(x, getattr(np, name)(expected, other))
    x = special("f", 2 * N)
    expected = np.add(x[1:], x[:-1])
    functions.write_into(x[1:], "add", x[:-1])  # they overlap
    equal(x[1:], expected)
    frozen = special("f")
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        functions.write_into(frozen, "add", 1.0)


def test_scaled_sums_in_place():
    for x, y in (
        (special("f"), special("f", seed=1)),
        (special("d"), special("d", seed=1)),
        (special("f"), special("d")),
    ):
        expected = x.copy()
        plain.add_scaled_into(np, expected, y.astype(x.dtype), 0.3)
        elementwise.add_scaled_into(x, y.astype(x.dtype), 0.3)
        np.testing.assert_allclose(x, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", ["f", "d"])
def test_products_and_quotients_of_gradients(kind: str):
    d = special(kind)
    for g in (special(kind, seed=1), np.broadcast_to(np.array(2, kind), d.shape), np.zeros_like(d)):
        np.testing.assert_array_equal(elementwise.product(g, d), plain.product(np, g, d))
        np.testing.assert_array_equal(elementwise.quotient(g, d), plain.quotient(np, g, d))
    x, y = np.abs(d), special(kind, seed=1)
    np.testing.assert_allclose(elementwise.rsqrt(x), plain.rsqrt(np, x), rtol=3e-7)
    equal(elementwise.power(y, 3), y * y * y)
    for low, high in ((-1, 1), (None, 2), (0.5, None), (1, -1)):
        np.testing.assert_array_equal(elementwise.clamp(y, low, high), plain.clamp(np, y, low, high))


@pytest.mark.parametrize("kind", ["f", "d", "i", "l"])
def test_where(kind: str):
    mask, x, y = special("?"), special(kind), special(kind, seed=1)
    numbers = (0.0, 1.5, -0.0, np.nan) if kind in "fd" else (0, 7)
    equal(elementwise.where(mask, x, y), plain.where(np, mask, x, y))
    for number in numbers:
        equal(elementwise.where(mask, x, number), plain.where(np, mask, x, number))
        equal(elementwise.where(mask, number, y), plain.where(np, mask, number, y))


@pytest.mark.parametrize("kind", ["f", "d"])
@pytest.mark.parametrize("shape", [(N,), (4096 * 40,), (3, 50_001), (50_000, 3), (30, 5, 1001), (1, N), (N, 1), (7, 0)])
def test_sums(kind: str, shape: tuple[int, ...]):
    x = np.random.default_rng(0).standard_normal(shape).astype(kind)
    for axis in (None, -1, tuple(range(len(shape))), (len(shape) - 2, len(shape) - 1) if len(shape) > 1 else 0):
        expected = x.astype("d").sum(axis)
        found = reduction.sum(x, axis)
        assert found.shape == expected.shape
        assert found.dtype == x.dtype
        # Eight partial sums of a few hundred elements each, or more: far below the error of adding one by one.
        np.testing.assert_allclose(found, expected, atol=x.size**0.5 * 64 * np.finfo(kind).eps)
        assert reduction.sum(x, axis, True).shape == x.sum(axis, keepdims=True).shape


def test_sums_do_not_depend_on_the_number_of_threads(threads: int):
    x = np.random.default_rng(0).standard_normal((3, 70_001)).astype("f")
    found = reduction.sum(x, 1)
    wg.set_num_threads(1)
    equal(found, reduction.sum(x, 1))


def test_joined_arrays():
    x, y = special("f").reshape(1, -1), special("f", 2 * N, seed=1).reshape(2, -1)
    equal(moves.concatenate([x, y]), np.concatenate([x, y]))
    equal(moves.concatenate([y, y[:, :5].copy()], axis=1), np.concatenate([y, y[:, :5]], axis=1))
    equal(moves.concatenate([y, y.astype("d")], axis=-1), np.concatenate([y, y.astype("d")], axis=-1))
    with pytest.raises(ValueError, match="must match exactly"):
        moves.concatenate([y, x[:, :-1].copy()])


def test_tensors_in_place_without_a_graph():
    x, y = wg.randn(N), wg.randn(N)
    a, b = x.numpy().copy(), y.numpy()
    data = x.numpy()
    for step, expected in (
        (lambda: x.add_(y, alpha=0.5), a + np.float32(0.5) * b),
        (lambda: x.mul_(y), None),
        (lambda: x.sub_(2.0), None),
        (lambda: x.div_(y), None),
    ):
        before, version = x.numpy().copy(), x._version
        assert step() is x
        assert x._version == version + 1
        if expected is None:
            expected = {1: before * b, 2: before - 2, 3: before / b}[version]
        np.testing.assert_allclose(x.numpy(), expected, rtol=1e-6, atol=1e-6)
        assert x.numpy().ctypes.data == data.ctypes.data
    leaf = wg.ones(N, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf"):
        leaf.add_(1.0)
    kept = wg.randn(N, requires_grad=True)
    z = kept.exp()
    with wg.no_grad():
        z.mul_(2.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_gradients_of_large_tensors():
    x = wg.randn(N, dtype=wg.float64, requires_grad=True)
    y = wg.rand(N, dtype=wg.float64) + 1
    for _ in range(2):  # the second is added to the first
        (x * y + x / y + x.exp() + x**3 + (x * x + 1).sqrt()).sum().backward()
    v, w = x.detach(), y
    expected = 2 * (w + 1 / w + v.exp() + 3 * v * v + v / (v * v + 1).sqrt())
    np.testing.assert_allclose(x.grad.numpy(), expected.numpy(), rtol=1e-12)


def test_logarithms_of_sums_of_exponentials():
    x = wg.randn(600, 900)
    x[3], x[4, 2], x[5, 7], x[7, 3] = -np.inf, np.inf, np.nan, -np.inf
    x[6, 1], x[6, 2] = np.inf, np.nan
    for dim, keepdim in ((1, False), (-1, True), ((0, 1), False), (0, False)):
        found, expected = x.logsumexp(dim, keepdim), x.double().logsumexp(dim, keepdim)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-6)


def test_losses_of_large_tensors():
    f = wg.nn.functional
    x, y = wg.randn(N, dtype=wg.float64) * 3, wg.rand(N, dtype=wg.float64)
    d = x - y
    expected = {
        f.mse_loss: (d * d).mean(),
        f.huber_loss: wg.where(d.abs() < 1, d * d / 2, d.abs() - 0.5).mean(),
        f.smooth_l1_loss: wg.where(d.abs() < 1, d * d / 2, d.abs() - 0.5).mean(),
        f.binary_cross_entropy_with_logits: (f.softplus(x) - x * y).mean(),
    }
    slopes = {f.mse_loss: 2 * d, f.binary_cross_entropy_with_logits: x.sigmoid() - y}
    for loss, value in expected.items():
        for kind, tolerance in ((wg.float32, 1e-5), (wg.float64, 1e-12)):
            leaf = x.detach().to(kind).requires_grad_()
            found = loss(leaf, y.to(kind))
            np.testing.assert_allclose(found.item(), value.item(), rtol=tolerance)
            found.backward()
            slope = slopes.get(loss, d.clamp(-1, 1)) / N
            np.testing.assert_allclose(leaf.grad.numpy(), slope.numpy(), rtol=tolerance * 100, atol=tolerance / N)


def test_counting_norms_and_signs():
    x = wg.randn(N)
    x[5] = np.nan
    mask = x > 0
    assert mask.sum().item() == int((x.numpy() > 0).sum())
    assert mask.sum().dtype == wg.int64
    np.testing.assert_array_equal(x.sign().numpy(), np.nan_to_num(np.sign(x.numpy())))
    y = wg.randn(3, N // 3)
    np.testing.assert_allclose(y.norm().item(), y.double().norm().item(), rtol=1e-6)
    np.testing.assert_allclose(y.norm(dim=1).numpy(), y.double().pow(2).sum(1).sqrt().numpy(), rtol=1e-6)
    np.testing.assert_array_equal(wg.nn.functional.leaky_relu(y, 0.1).numpy(), np.where(y > 0, y, y * np.float32(0.1)))


def test_the_steps_of_an_optimizer_written_by_hand():
    p, g, m, v = wg.randn(N), wg.randn(N), wg.zeros(N), wg.zeros(N)
    q, h = p.double(), g.double()
    for _ in range(3):
        m.lerp_(g, 0.1)
        v.mul_(0.99).addcmul_(g, g, value=0.01)
        p.addcdiv_(m, v.sqrt().add_(1e-8), value=-0.1)
    a, b = wg.zeros(N, dtype=wg.float64), wg.zeros(N, dtype=wg.float64)
    for _ in range(3):
        a = a + 0.1 * (h - a)
        b = 0.99 * b + 0.01 * h * h
        q = q - 0.1 * a / (b.sqrt() + 1e-8)
    np.testing.assert_allclose(p.numpy(), q.numpy(), atol=1e-5)
    assert (p._version, m._version, v._version) == (3, 3, 6)
    m.lerp_(g, 0.9)
    np.testing.assert_allclose(m.numpy(), (a + 0.9 * (h - a)).numpy(), atol=1e-5)


def test_large_tensors_under_vmap():
    """Arrays of a level are no memory that kernels write to."""
    x, y = wg.randn(2, N, dtype=wg.float64), wg.randn(N, dtype=wg.float64)
    places = wg.arange(N)

    def slope(v: Any) -> Any:
        return wg.func.grad(lambda t: (t * t * y + t.exp() * t + t.abs() + t[::2].sum()).sum())(v)

    functions = (
        lambda v: v.clone().mul_(v * 2).add_(v, alpha=0.5).sub_(1.0).lerp_(v, 0.2),
        lambda v: y.index_add(0, places, v),
        lambda v: y.clone() + v.clone().fill_(2.0),
        lambda v: wg.nn.functional.pad(v[None], (1, 2))[0],
        slope,
    )
    for function in functions:
        found = wg.func.vmap(function)(x)
        np.testing.assert_allclose(found.numpy(), wg.stack([function(v) for v in x]).numpy(), rtol=1e-12)


def test_large_sparse_gradients_accumulate():
    table = wg.nn.Embedding(N // 4, 8, sparse=True)
    rows = wg.tensor([1, 2, 1])
    for _ in range(2):
        (table(rows).sum() + table(rows).sum() + 2 * table(rows).sum()).backward()
    total = table.weight.grad.to_dense()
    assert total[1].tolist() == [16.0] * 8
    assert total[2].tolist() == [8.0] * 8
    assert total.sum().item() == 24 * 8
