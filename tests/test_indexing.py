"""Indexing against NumPy and PyTorch: keys, views, writes, gradients, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn

import wengert as wg

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

SHAPE = (3, 4, 2)


def basic_keys() -> Any:
    """Keys that NumPy and this library read alike."""
    return hn.basic_indices(SHAPE, allow_newaxis=True, max_dims=6).filter(
        lambda key: all(
            not isinstance(k, slice) or k.step is None or k.step > 0
            for k in (key if isinstance(key, tuple) else (key,))
        )
    )


@given(key=basic_keys())
@settings(deadline=None, max_examples=150)
def test_basic_keys_are_views(key: Any) -> None:
    a = np.arange(24.0).reshape(SHAPE)
    x = wg.tensor(a, requires_grad=True)
    y = x[key]
    np.testing.assert_array_equal(y.detach().numpy(), a[key])
    assert y._is_view()
    y.sum().backward()
    expected = np.zeros(SHAPE)
    expected[key] = 1
    np.testing.assert_array_equal(x.grad.numpy(), expected)


@given(key=basic_keys(), scale=st.integers(-3, 3))
@settings(deadline=None, max_examples=100)
def test_basic_writes(key: Any, scale: int) -> None:
    a = np.arange(24.0).reshape(SHAPE)
    value = np.ones(a[key].shape) * scale
    x, v = wg.tensor(a, requires_grad=True), wg.tensor(value, requires_grad=True)
    y = x * 1
    y[key] = v
    expected = a.copy()
    expected[key] = value
    np.testing.assert_array_equal(y.detach().numpy(), expected)
    weights = wg.arange(24.0, dtype=wg.float64).reshape(SHAPE)
    (y * weights).sum().backward()
    mask = np.ones(SHAPE)
    mask[key] = 0
    np.testing.assert_array_equal(x.grad.numpy(), weights.numpy() * mask)
    np.testing.assert_array_equal(v.grad.numpy(), weights.numpy()[key])


@st.composite
def any_keys(draw: Any) -> list[Any]:
    """Keys with integer and boolean arrays in any place; as PyTorch reads them."""
    key: list[Any] = []
    dim = 0
    while dim < len(SHAPE):
        kind = draw(st.sampled_from(["int", "slice", "array", "mask", "none", "stop", "two"]))
        n = SHAPE[dim]
        if kind == "stop":
            break
        if kind == "int":
            key.append(draw(st.integers(-n, n - 1)))
        elif kind == "slice":
            key.append(slice(draw(st.integers(0, n)), None, draw(st.integers(1, 2))))
        elif kind == "array":
            key.append(np.array(draw(st.lists(st.integers(-n, n - 1), min_size=2, max_size=2))))
        elif kind == "two":
            key.append(np.array(draw(st.lists(st.integers(-n, n - 1), min_size=1, max_size=1)))[:, None])
        elif kind == "mask":
            mask = np.zeros(n, bool)
            mask[draw(st.permutations(range(n)))[:2]] = True
            key.append(mask)
        if kind == "none":
            key.append(None)
        else:
            dim += 1
        if len(key) > 6:
            break
    return key


@pytest.mark.parity
@pytest.mark.skipif(torch is None, reason="PyTorch is not installed: make parity installs it")
@given(key=any_keys())
@settings(deadline=None, max_examples=200)
def test_mixed_keys_like_torch(key: list[Any]) -> None:
    a = np.arange(24.0).reshape(SHAPE)

    def run(T: Any) -> list[np.ndarray]:
        k = tuple(T.tensor(p) if isinstance(p, np.ndarray) else p for p in key)
        x = T.tensor(a, requires_grad=True)
        y = x[k]
        (y * T.arange(float(y.numel())).reshape(y.shape)).sum().backward()
        z = x.detach() * 1
        z[k] = -1.0
        return [y.detach().numpy(), x.grad.numpy(), z.numpy()]

    for ours, theirs in zip(run(wg), run(torch), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_repeated_positions_add_up() -> None:
    x = wg.zeros(3, requires_grad=True)
    x[wg.tensor([0, 0, 2, 0])].sum().backward()
    assert x.grad.tolist() == [3, 0, 1]
    for dtype, many in (("float16", 3000), ("bfloat16", 3000)):
        y = wg.zeros(2, dtype=getattr(wg, dtype), requires_grad=True)
        y[wg.zeros(many, dtype=wg.int64)].sum().backward()
        assert y.grad.tolist()[0] == pytest.approx(many, rel=4e-3), "16-bit sums are made in float32"


X = wg.arange(12.0).reshape(3, 4)
WRONG: list[tuple[str, Callable[[Any], Any], type[Exception], str]] = [
    ("position", lambda x: x[3], IndexError, "index 3 is out of bounds for dimension 0 with size 3"),
    ("negative position", lambda x: x[0, -5], IndexError, "index -5 is out of bounds for dimension 1 with size 4"),
    ("too long", lambda x: x[0, 0, 0], IndexError, "too many indices for tensor of dimension 2"),
    ("float", lambda x: x[1.5], IndexError, "only integers"),
    ("string", lambda x: x["a"], TypeError, "string"),
    ("negative step", lambda x: x[::-1], ValueError, "step must be greater than zero"),
    ("0-d", lambda x: x[0, 0][0], IndexError, "0-dim"),
    ("list", lambda x: x[[0, 3]], IndexError, "index 3 is out of bounds for dimension 0 with size 3"),
    ("tensor", lambda x: x[:, wg.tensor([-5])], IndexError, "index -5 is out of bounds for dimension 1 with size 4"),
    ("float tensor", lambda x: x[wg.tensor([0.0])], IndexError, "long, int, byte or bool"),
    ("int8 tensor", lambda x: x[wg.tensor([0], dtype=wg.int8)], IndexError, "long, int, byte or bool"),
    ("mask", lambda x: x[wg.ones(4, dtype=wg.bool)], IndexError, r"mask \[4\] at index 0 .* \[3, 4\] at index 0"),
    ("shapes", lambda x: x[[0, 1], [0, 1, 2]], IndexError, r"shapes \[2\], \[3\]"),
    ("gather", lambda x: x.gather(0, wg.tensor([[3]])), RuntimeError, "index 3 is out of bounds"),
    ("gather negative", lambda x: x.gather(0, wg.tensor([[-1]])), RuntimeError, "index -1 is out of bounds"),
    ("gather dtype", lambda x: x.gather(0, wg.tensor([[0.0]])), RuntimeError, "int64"),
    ("gather rank", lambda x: x.gather(0, wg.tensor([0])), RuntimeError, "same number of dimensions"),
    ("index_select", lambda x: x.index_select(1, wg.tensor([4])), IndexError, "index 4 is out of bounds"),
    ("take", lambda x: x.take(wg.tensor([12])), IndexError, "access index 12 on"),
    ("topk", lambda x: x.topk(5), RuntimeError, "out of range"),
    ("narrow", lambda x: x.narrow(0, 2, 2), RuntimeError, "exceeds dimension size"),
    ("select", lambda x: x.select(0, 3), IndexError, "out of range"),
    ("unfold", lambda x: x.unfold(0, 4, 1), RuntimeError, "maximum size"),
    ("as_strided", lambda x: x.as_strided((13,), (1,)), RuntimeError, "storage"),
    ("view", lambda x: x.t().view(12), RuntimeError, "reshape"),
    ("reshape", lambda x: x.reshape(5, -1), RuntimeError, "invalid for input of size 12"),
    ("expand", lambda x: x.expand(3, 5), RuntimeError, r"expanded size of the tensor \(5\)"),
    ("squeeze", lambda x: x.squeeze(2), IndexError, r"\[-2, 1\], but got 2"),
    ("permute", lambda x: x.permute(0, 0), RuntimeError, "duplicate dims"),
    ("cat", lambda x: wg.cat([x, x[:, :2]]), RuntimeError, "Expected size 4 but got size 2"),
    ("stack", lambda x: wg.stack([x, x[0]]), RuntimeError, "equal size"),
    ("split", lambda x: x.split([1, 1]), RuntimeError, "sum exactly to 3"),
    ("pad", lambda x: wg.nn.functional.pad(x, (5, 0), mode="reflect"), RuntimeError, "Padding size"),
    ("one_hot", lambda x: wg.nn.functional.one_hot(wg.tensor([3]), 3), RuntimeError, "num_classes"),
]
WRONG_WRITES: list[tuple[str, Callable[[Any], Any], type[Exception], str]] = [
    ("position", lambda x: x.__setitem__(3, 1), IndexError, "index 3 is out of bounds"),
    ("list", lambda x: x.__setitem__([0, 3], 1), IndexError, "index 3 is out of bounds"),
    ("shape", lambda x: x.__setitem__(0, wg.ones(3)), RuntimeError, r"\[3\] .* \[4\]"),
    ("shape at positions", lambda x: x.__setitem__([0, 1], wg.ones(3, 4)), RuntimeError, r"\[3, 4\].*\[2, 4\]"),
    ("dtype", lambda x: x.__setitem__([0, 1], wg.ones(2, 4).double()), RuntimeError, "dtypes match"),
    ("list value", lambda x: x.__setitem__(0, [1, 2, 3, 4]), TypeError, "can't assign a list"),
    ("complex", lambda x: x.__setitem__(0, 1j), RuntimeError, "without overflow"),
    ("too large", lambda x: x.__setitem__(0, 1e40), RuntimeError, "without overflow"),
    ("scatter_", lambda x: x.scatter_(0, wg.tensor([[0, 3]]), 1.0), RuntimeError, "index 3"),
    ("scatter_ dtype", lambda x: x.scatter_(0, wg.tensor([[0]]), wg.ones(1, 1).double()), RuntimeError, "src.dtype"),
    ("index_add_", lambda x: x.index_add_(0, wg.tensor([0, 3]), wg.ones(2, 4)), RuntimeError, "index 3"),
    ("index_add_ size", lambda x: x.index_add_(0, wg.tensor([0]), wg.ones(2, 4)), RuntimeError, "Number of indices"),
    ("index_fill_", lambda x: x.index_fill_(0, wg.tensor([0, 3]), 1), IndexError, "index 3"),
    ("masked_fill_", lambda x: x.masked_fill_(wg.ones(3, 4), 1), RuntimeError, "boolean"),
    ("masked_scatter_", lambda x: x.masked_scatter_(x < 5, wg.ones(2)), RuntimeError, "enough elements"),
    ("put_", lambda x: x.put_(wg.tensor([0, 12]), wg.ones(2)), IndexError, "index 12"),
    ("index_put_", lambda x: x.index_put_((wg.tensor([0, 3]),), wg.ones(4)), IndexError, "index 3"),
]


@pytest.mark.parametrize(("wrong", "error", "text"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_reading_refuses(wrong: Callable[[Any], Any], error: type[Exception], text: str, backend: str) -> None:
    with wg.device(backend), pytest.raises(error, match=text):
        wrong(X.to(backend))


@pytest.mark.parametrize(("wrong", "error", "text"), [w[1:] for w in WRONG_WRITES], ids=[w[0] for w in WRONG_WRITES])
def test_nothing_is_written_in_vain(
    wrong: Callable[[Any], Any], error: type[Exception], text: str, backend: str
) -> None:
    x = X.to(backend).clone()
    with wg.device(backend), pytest.raises(error, match=text):
        wrong(x)
    assert x.tolist() == X.tolist()
    assert x._version == 0


def test_writes_reach_base_and_views() -> None:
    x = wg.zeros(3, 3)
    row, column, corner = x[1], x[:, 1], x[1:][:, 1:]
    row[1] = 5
    column += 1
    corner.fill_(7)
    assert x.tolist() == [[0, 1, 0], [0, 7, 7], [0, 7, 7]]
    assert (row.tolist(), column.tolist()) == ([0, 7, 7], [1, 7, 7])
    x.t()[0] = wg.tensor([1.0, 2.0, 3.0])
    assert x[:, 0].tolist() == [1, 2, 3]
    x.diagonal().zero_()
    x.unfold(0, 2, 1)[0, 2].fill_(9)
    x.as_strided((1,), (1,), 3).fill_(4)
    assert x.tolist() == [[0, 1, 9], [4, 0, 9], [3, 7, 0]]


def test_writes_into_views_move_gradients() -> None:
    x = wg.ones(3, 3, requires_grad=True)
    v = wg.full((3,), 2.0, requires_grad=True)
    y = x * 2
    y[1] = v * 3
    y.diagonal().mul_(5)
    y[:, 0][1:] = 0
    y.sum().backward()
    assert x.grad.tolist() == [[10, 2, 2], [0, 0, 0], [0, 2, 10]]
    assert v.grad.tolist() == [0, 15, 3]


def test_leaves_that_require_grad_are_not_written() -> None:
    x = wg.ones(3, requires_grad=True)
    for write in (lambda: x.__setitem__(0, 1), lambda: x[:2].zero_(), lambda: x.index_fill_(0, wg.tensor([0]), 1)):
        with pytest.raises(RuntimeError, match="leaf"):
            write()
    with wg.no_grad():
        x[0] = 5
        x[1:].zero_()
    assert (x.tolist(), x.requires_grad, x.is_leaf) == ([5, 0, 0], True, True)


def test_a_gradient_lands_in_a_tensor_without_one() -> None:
    buffer, value = wg.zeros(3), wg.ones(2, requires_grad=True)
    buffer[1:] = value * 2
    assert buffer.requires_grad
    (buffer * wg.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert value.grad.tolist() == [4, 6]


def test_views_of_split_may_not_be_written() -> None:
    x = wg.ones(4, requires_grad=True) * 1
    for part in (*x.split(2), *x.chunk(2), *x.unbind()):
        with pytest.raises(RuntimeError, match="multiple views"):
            part.zero_()


def test_positions_may_be_on_the_cpu() -> None:
    x = X.to("strict")
    assert x[wg.tensor([0, 2])].tolist() == X[[0, 2]].tolist()
    assert x[wg.tensor([True, False, True])].tolist() == X[[0, 2]].tolist()
    with pytest.raises(RuntimeError, match="device"):
        X[wg.tensor([0]).to("strict")]


def test_deprecated_indices_are_warned_of():
    x = wg.arange(3.0)
    with pytest.warns(UserWarning, match="dtype uint8 is now deprecated"):
        assert x[wg.tensor([1, 0, 1], dtype=wg.uint8)].tolist() == [0, 2]
    with pytest.warns(UserWarning, match="non-tuple sequence"):
        assert wg.ones(2, 3)[[slice(None), 1]].shape == (2,)


def test_out_tensors_of_another_shape_are_resized_with_a_warning():
    out = wg.empty(3)
    with pytest.warns(UserWarning, match="was resized"):
        assert wg.add(wg.ones(2), 1, out=out) is out
    assert out.tolist() == [2, 2]
    with pytest.raises(RuntimeError, match="Expected out tensor to have dtype float, but got double instead"):
        wg.take(x := wg.ones(3), wg.tensor([0]), out=wg.empty(1, dtype=wg.float64))
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor"):
        wg.add(x, x, out=wg.empty(1).expand(3))


@pytest.mark.parametrize("index", [0, -1])
def test_results_lie_in_order(index: int) -> None:
    """A result of several positions is contiguous, whichever dimension they are on."""
    x = wg.arange(24.0).view(2, 3, 4)
    at = wg.tensor([1, index])
    for y in (x[:, at], x[..., at], x[:, at, at], x.topk(2, 0).values, x.kthvalue(1, 1).indices, x.cummax(0).values):
        assert y.is_contiguous()
    assert x.nonzero().stride() == (1, 23)
    assert x[0, 0, wg.tensor(index)].shape == x.take(wg.tensor(index)).shape == ()


def test_selecting_from_a_tensor_without_elements():
    positions = wg.tensor([0, 1])
    with pytest.raises(RuntimeError, match="self indexing axis dim should be positive"):
        wg.index_select(wg.rand(0, 3), 0, positions)
    with pytest.raises(RuntimeError, match="INDICES element is out of DATA bounds"):
        wg.index_select(wg.rand(0, 3), 1, wg.tensor([0, 5]))
    assert wg.index_select(wg.rand(0, 3), 1, positions).shape == (0, 2)
    with pytest.raises(RuntimeError, match="Index to scalar can have only 1 value"):
        wg.index_select(wg.tensor(1.0), 0, positions[:0])
    assert wg.cat([wg.rand(0), wg.rand(0)], dim=1).shape == (0,)
    assert wg.add(wg.tensor(True), True, alpha=True).dtype is wg.bool
