"""What `nn.functional` does at its edges: integers, layouts, sizes of zero; gradients of convolutions."""

from __future__ import annotations

import numpy as np
import pytest

import wengert as wg
from wengert.nn import functional as F


def test_convolution_and_average_pooling_of_integers():
    x = wg.arange(16).reshape(1, 1, 4, 4)
    assert F.conv2d(x, wg.ones(1, 1, 2, 2, dtype=wg.int64)).tolist()[0][0][0] == [10, 14, 18]
    pooled = F.avg_pool2d(x, 2)
    assert pooled.dtype is wg.int64
    assert pooled.tolist() == [[[[2, 4], [10, 12]]]]
    with pytest.raises(NotImplementedError, match="not implemented for 'Int'"):
        F.avg_pool2d(x.int(), 2)


def test_bytes_are_resized_with_whole_weights():
    x = wg.tensor([[[[0, 1], [2, 4]]]], dtype=wg.uint8)
    y = F.interpolate(x, size=3, mode="bilinear", align_corners=True)
    assert y.tolist() == [[[[0, 1, 1], [1, 2, 3], [2, 3, 4]]]]


@pytest.mark.parametrize(
    "op",
    [
        lambda x: F.max_pool2d(x, 2, return_indices=True)[1],
        lambda x: F.adaptive_max_pool2d(x, 3),
        lambda x: F.adaptive_avg_pool2d(x, 3),
        lambda x: F.interpolate(x, scale_factor=2),
        lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"),
        lambda x: F.pad(x, (1, 1)),
        lambda x: F.local_response_norm(x, 2),
        lambda x: F.channel_shuffle(x, 2),
    ],
)
def test_channels_stay_last(op):
    x = wg.rand(2, 4, 5, 7).contiguous(memory_format=wg.channels_last)
    assert op(x).is_contiguous(memory_format=wg.channels_last)
    assert op(x.contiguous()).is_contiguous()
    np.testing.assert_allclose(op(x).numpy(), op(x.contiguous()).numpy(), rtol=1e-5)


def test_gradients_of_convolutions_as_functions():
    x, w = wg.rand(2, 4, 6, 7, requires_grad=True), wg.rand(6, 2, 3, 2, requires_grad=True)
    how = {"stride": (2, 1), "padding": 1, "groups": 2}
    y = F.conv2d(x, w, **how)
    g = wg.rand(*y.shape)
    gx, gw = wg.autograd.grad(y, (x, w), g)
    np.testing.assert_allclose(wg.nn.grad.conv2d_input(x.shape, w, g, **how).detach().numpy(), gx.numpy(), rtol=1e-5)
    np.testing.assert_allclose(wg.nn.grad.conv2d_weight(x, w.shape, g, **how).detach().numpy(), gw.numpy(), rtol=1e-4)


def test_norms_of_nothing():
    weight = wg.ones(3, requires_grad=True)
    y = F.batch_norm(wg.zeros(0, 3, 2), wg.zeros(3), wg.ones(3), weight, training=True)
    y.sum().backward()
    assert y.shape == (0, 3, 2)
    assert weight.grad.tolist() == [0.0, 0.0, 0.0]
    assert F.layer_norm(wg.zeros(2, 0), (0,)).shape == (2, 0)


def test_impossible_targets_of_ctc():
    scores = wg.zeros(2, 1, 3, requires_grad=True)
    args = scores.log_softmax(-1), wg.tensor([[1, 1, 2]]), [2], [3]
    assert F.ctc_loss(*args).item() == float("inf")
    loss = F.ctc_loss(*args, zero_infinity=True)
    loss.backward()
    assert loss.item() == 0.0
    assert (scores.grad == 0).all()
    assert F.ctc_loss(wg.zeros(2, 2, 3), wg.tensor([[1], [1]]), [0, 2], [0, 1], reduction="none").tolist()[0] == 0.0


def test_places_that_are_rounded_have_a_gradient_of_zeros():
    image, grid = wg.randn(1, 2, 4, 4, requires_grad=True), wg.rand(1, 3, 3, 2, requires_grad=True)
    y = wg.nn.functional.grid_sample(image, grid, mode="nearest", align_corners=False)
    g_image, g_grid = wg.autograd.grad(y.sum(), [image, grid])
    assert g_grid.shape == grid.shape
    assert not g_grid.any()
    assert g_image.sum().item() == 18.0


@pytest.mark.parametrize("padding", ["border", "reflection"])
def test_a_place_on_the_border_moves_nothing(padding: str):
    image = wg.arange(5.0).expand(1, 1, 5, 5)
    grid = wg.tensor([[[[1.0, 1.0], [0.8, -0.8]]]], requires_grad=True)
    F.grid_sample(image, grid, padding_mode=padding, align_corners=True).sum().backward()
    assert grid.grad.round(decimals=4).tolist() == [[[[0.0, 0.0], [2.0, 0.0]]]]


def test_an_affine_grid_keeps_nothing_of_its_map_and_warns_of_a_single_point():
    theta = wg.rand(2, 2, 3, requires_grad=True)
    grid = F.affine_grid(theta, (2, 1, 3, 4), align_corners=False)
    grid.sum().backward()
    grid.sum().backward()  # there is nothing that the first one has freed
    with pytest.warns(UserWarning, match="See the documentation of affine_grid for details"):
        F.affine_grid(theta, (2, 1, 3, 1), align_corners=True)


def test_sizes_of_images_are_whole_and_finite():
    x = wg.ones(1, 1, 4, 4)
    for size in ((2.0, 2.0), (wg.tensor(2.0), 2)):
        with pytest.raises(TypeError, match="expected size to be one of int or"):
            F.interpolate(x, size=size)
    assert F.interpolate(x, size=wg.tensor(2)).shape == (1, 1, 2, 2)
    for scale in (-1e20, 1e20, float("inf")):
        with pytest.raises(RuntimeError, match="interpolate"):
            F.interpolate(x, scale_factor=scale, mode="bilinear")


def test_gradients_of_16_bit_images_are_summed_with_more_digits():
    x = wg.randn(1, 1, 1, 4, dtype=wg.bfloat16, requires_grad=True)
    g = wg.randn(1, 1, 30, 120, dtype=wg.bfloat16)
    F.interpolate(x, size=(30, 120)).backward(g)
    wide = x.detach().float().requires_grad_()
    F.interpolate(wide, size=(30, 120)).backward(g.float())
    assert wg.allclose(x.grad.float(), wide.grad, rtol=0.01)
