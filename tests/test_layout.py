"""The memory order of results: that of the operands, the first one first."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends.layout import is_channels_last, is_dense, result_strides


def permuted(shape, order, T=wg):
    """Numbers in [1, 2) whose dimensions lie in ``order``, the slowest first."""
    rng = np.random.default_rng(0)
    x = T.tensor(rng.uniform(1, 2, [shape[i] for i in order]).astype("float32"))
    return x.permute([order.index(i) for i in range(len(order))])


SHAPE = (2, 3, 4)
ORDERS = list(itertools.permutations(range(3)))


@pytest.mark.parametrize("order", ORDERS)
def test_one_operand_keeps_its_order(order):
    x = permuted(SHAPE, order)
    for y in (x.exp(), x * 2, x.double(), x.clone(), x > 1, wg.zeros_like(x), wg.rand_like(x), x.clamp(1.2), -x):
        assert y.stride() == x.stride()
    assert x.clone(memory_format=wg.contiguous_format).is_contiguous()
    assert x.sum(0).is_contiguous()
    assert x.softmax(-1).is_contiguous()


@pytest.mark.parametrize("a", ORDERS)
@pytest.mark.parametrize("b", ORDERS)
def test_the_first_operand_decides(a, b):
    x, y = permuted(SHAPE, a), permuted(SHAPE, b)
    for z in (x + y, x < y, wg.maximum(x, y), wg.atan2(x, y), x.requires_grad_() * y):
        assert z.stride() == x.stride()


def test_what_the_first_operand_leaves_open_the_next_one_decides():
    images = permuted((2, 3, 4, 5), (0, 2, 3, 1))
    bias = wg.ones(3, 1, 1)
    assert (bias + images).is_contiguous(memory_format=wg.channels_last)
    assert (wg.tensor(2.0) * images).is_contiguous(memory_format=wg.channels_last)
    usual = wg.ones(2, 3, 4, 5)
    assert (usual + images).is_contiguous()
    assert (images + usual).is_contiguous(memory_format=wg.channels_last)


def test_images_stay_channels_last():
    x = wg.rand(2, 3, 8, 8).to(memory_format=wg.channels_last)
    f = wg.nn.functional
    for y in (
        f.max_pool2d(x, 2),
        f.avg_pool2d(x, 2),
        f.adaptive_avg_pool2d(x, 3),
        f.conv2d(x, wg.rand(4, 3, 3, 3)),
        f.interpolate(x, scale_factor=2, mode="bilinear"),
        f.pad(x, (1, 1)),
        f.batch_norm(x, None, None, training=True),
        wg.cat([x, x]),
    ):
        assert y.is_contiguous(memory_format=wg.channels_last)
        assert not y.is_contiguous()


def test_saved_results_are_those_that_the_program_sees():
    x = permuted(SHAPE, (2, 0, 1)).requires_grad_()
    y = wg.logaddexp(x, wg.ones(SHAPE))
    y.sum().backward()
    assert wg.allclose(x.grad, wg.sigmoid(x.detach() - 1))


def test_dimensions_of_size_one():
    assert wg.empty_strided((2, 1, 3), (3, 7, 1)).stride() == (3, 7, 1)
    assert wg.empty(0, 3).t().stride() == (1, 1)


def test_rules_by_numbers():
    assert result_strides((2, 3), (((2, 3), (1, 2)), ((2, 3), (3, 1)))) == (1, 2)
    assert result_strides((2, 3), (((3,), (1,)), ((2, 3), (1, 2)))) == (1, 2)
    assert result_strides((2, 3, 4), (((2, 3, 4), (0, 1, 3)),)) == (12, 1, 3)
    assert is_dense((2, 3), (1, 2))
    assert not is_dense((2, 3), (0, 1))
    assert is_channels_last((2, 3, 4, 5), (60, 1, 15, 3))
    assert not is_channels_last((2, 3, 4, 5), (60, 20, 5, 1))


@pytest.mark.parity
def test_random_layouts_as_in_torch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    functions = (
        lambda T, x, y, z: x + y,
        lambda T, x, y, z: T.where(x > 1.5, y, z),
        lambda T, x, y, z: T.exp(x) <= y,
        lambda T, x, y, z: T.maximum(x, z),
        lambda T, x, y, z: T.nn.functional.gelu(z),
        lambda T, x, y, z: x.half(),
        lambda T, x, y, z: T.empty_like(y),
    )
    for _ in range(300):
        shape = tuple(rng.integers(2, 5, rng.integers(2, 5)))
        drawn = []
        for _ in range(3):
            order = rng.permutation(len(shape)).tolist()
            own = tuple(n if rng.random() < 0.8 else 1 for n in shape)
            step = tuple(slice(None, None, 2) if rng.random() < 0.2 else slice(None) for _ in shape)
            size = tuple(2 * n if s.step else n for n, s in zip(own, step, strict=True))
            full = rng.random() < 0.2
            drawn.append((size, order, step, shape if full else own))
        ours, theirs = (
            [permuted(size, order, T)[step].expand(full) for size, order, step, full in drawn] for T in (wg, torch)
        )
        for f in functions:
            expected, got = f(torch, *theirs), f(wg, *ours)
            pairs = zip(got.stride(), expected.stride(), expected.shape, strict=True)
            assert all(a == b for a, b, n in pairs if n > 1), (drawn, got.stride(), expected.stride())


def test_to_keeps_what_suggests_the_format():
    images = wg.rand(2, 3, 4, 6).to(memory_format=wg.channels_last)
    assert images.to(memory_format=wg.channels_last) is images
    assert images.to(memory_format=wg.contiguous_format).is_contiguous()
    part = images[..., ::2]
    assert part.clone().is_contiguous(memory_format=wg.channels_last)
    assert part.double(memory_format=wg.contiguous_format).is_contiguous()
    matrix = wg.rand(4, 6)[:, ::2]
    assert matrix.to(memory_format=wg.contiguous_format) is matrix
    with pytest.raises(RuntimeError, match="required rank 4"):
        matrix.to(memory_format=wg.channels_last)


def test_new_dimensions_have_strides():
    matrix = wg.rand(4, 6)[:, ::2]
    assert matrix.unsqueeze(0).stride() == (24, 6, 2)
    assert matrix.unsqueeze(1).stride() == (6, 6, 2)
    assert matrix.unsqueeze(2).stride() == (6, 2, 1)


def test_strides_that_do_not_fit_a_view_as_another_type():
    x = wg.zeros(4, 4, 3)
    with pytest.raises(RuntimeError, match=r"self.size\(-1\) must be divisible by 2"):
        x.view(wg.float64)
    with pytest.raises(RuntimeError, match=r"self.storage_offset\(\) must be divisible by 2"):
        x[..., 1:].view(wg.float64)
    with pytest.raises(RuntimeError, match=r"self.stride\(1\) must be divisible by 2"):
        x.as_strided((4, 4, 2), (2, 1, 1)).view(wg.float64)
    with pytest.raises(RuntimeError, match=r"stride divisible by 2 for all but last dimension"):
        wg.view_as_complex(x.as_strided((2, 2), (1, 1)))
    with pytest.raises(RuntimeError, match=r"storage_offset divisible by 2"):
        wg.view_as_complex(x.view(-1)[1:3])
    empty = wg.zeros(0, 5, 64, dtype=wg.uint8).view(wg.int16)
    assert (empty.shape, empty.stride()) == ((0, 5, 32), (160, 32, 1))
    assert not wg.zeros(2, requires_grad=True).view(wg.float32).requires_grad


def test_as_strided_shares_the_gradient_among_elements_in_one_place():
    x = wg.arange(5.0, dtype=wg.float64).requires_grad_()
    g = wg.rand(5, 5, dtype=wg.float64)
    (x.expand(5, 5).as_strided((5, 5), (0, 1), 0) * g).sum().backward()
    wg.testing.assert_close(x.grad, g.sum(0))
    assert wg.autograd.gradgradcheck(lambda x: x.expand(3, 5).as_strided((2, 2), (1, 2), 1) ** 2, [x])


def test_resize_as_preserves_the_format():
    for shape, memory_format in (((2, 3, 4, 5), wg.channels_last), ((2, 3, 2, 4, 5), wg.channels_last_3d)):
        template = wg.rand(shape).contiguous(memory_format=memory_format)
        flat = wg.rand(template.numel()).resize_as_(template, memory_format=wg.preserve_format)
        assert flat.is_contiguous(memory_format=memory_format)
    assert wg.rand(6).resize_as_(wg.rand(3, 2).t(), memory_format=wg.preserve_format).is_contiguous()
    with pytest.raises(RuntimeError, match="Storage size calculation overflowed"):
        wg.rand(()).resize_(2, 4, 2**29, 2**30)
    assert not wg.tensor([]).is_set_to(wg.tensor([]))
    empty = wg.empty(2, 0)
    assert empty.is_set_to(wg.tensor([]).set_(empty))


def test_names_of_swapped_dimensions():
    x = wg.rand(2, 3, 4)
    assert wg.swapaxes(x, axis0=0, axis1=-1).shape == x.swapdims(dim0=0, dim1=2).shape == (4, 3, 2)
    assert x.swapaxes_(axis0=0, axis1=1).shape == (3, 2, 4)


@pytest.mark.parametrize("join", [lambda a, b: wg.cat([a, b], 1), lambda a, b: wg.cat([b, a], 1)])
def test_joined_tensors_lie_in_the_usual_order(join: Any):
    """A first part of size 1 leaves the order open, in which the second does not lie."""
    assert join(wg.zeros(1, 1, 4), wg.zeros(1, 4, 3).transpose(1, 2)).stride() == (16, 4, 1)


def test_layer_norm_gives_the_usual_order():
    for shape in ((1, 7, 5), (2, 7, 5)):
        y = wg.nn.functional.layer_norm(wg.randn(*shape).transpose(1, 2), (7,))
        assert y.is_contiguous()
        assert y.shape == (shape[0], 5, 7)


@pytest.mark.parametrize("dtype", [wg.float32, wg.float64])
@pytest.mark.parametrize("length", [3, 70])
def test_attention_keeps_heads_side_by_side(length: int, dtype: Any):
    split = wg.randn(2, length, 3, 8, dtype=dtype).transpose(1, 2)
    whole = split.contiguous()
    attention = wg.nn.functional.scaled_dot_product_attention
    assert attention(split, split, split).stride() == split.stride()
    assert attention(whole, whole, whole).stride() == whole.stride()
    assert wg.allclose(attention(split, split, split), attention(whole, whole, whole))


def test_an_output_that_is_laid_out_anew_is_still_what_was_saved():
    x = wg.randn(5, 3, 4).half().permute(1, 2, 0).requires_grad_()
    y = wg.linalg.vector_norm(x, dim=1)
    assert y.is_contiguous()
    y.sum().backward()
    assert wg.allclose(x.grad.float(), (x / y[:, None]).float(), atol=1e-2)
