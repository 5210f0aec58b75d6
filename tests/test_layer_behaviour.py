"""What single layers do beyond the layer table: refusals, modes, old files, pretrained tables, random layers."""

from __future__ import annotations

import copy
import math
import re
import warnings
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn
from wengert.nn import functional as F


def numbers(t: Any) -> np.ndarray:
    return np.array(t.tolist())


# ---------------------------------------------------------------------- what is refused

# Each row: what is done in namespace T, and what the message says. With torch, the type of the error is compared.
REFUSED: dict[str, tuple[Any, str]] = {
    "Conv2d in_channels": (lambda T: T.nn.Conv2d(3, 4, 3, groups=2), "in_channels must be divisible by groups"),
    "Conv2d out_channels": (lambda T: T.nn.Conv2d(4, 3, 3, groups=2), "out_channels must be divisible by groups"),
    "Conv2d groups": (lambda T: T.nn.Conv2d(4, 4, 3, groups=0), "groups must be a positive integer"),
    "Conv2d padding": (lambda T: T.nn.Conv2d(3, 4, 3, padding="most"), "Invalid padding string 'most'"),
    "Conv2d same": (lambda T: T.nn.Conv2d(3, 4, 3, padding="same", stride=2), "not supported for strided"),
    "Conv2d mode": (lambda T: T.nn.Conv2d(3, 4, 3, padding_mode="x"), "padding_mode must be one of"),
    "Conv2d input": (lambda T: T.nn.Conv2d(2, 2, 3)(T.zeros(1, 3, 5, 5)), "2 channels"),
    "ConvTranspose2d mode": (lambda T: T.nn.ConvTranspose2d(1, 1, 1, padding_mode="reflect"), 'Only "zeros"'),
    "ConvTranspose2d size": (
        lambda T: T.nn.ConvTranspose2d(1, 1, 3, stride=2)(T.zeros(1, 1, 3, 3), [9, 9]),
        "requested an output size of",
    ),
    "ConvTranspose2d sizes": (
        lambda T: T.nn.ConvTranspose2d(1, 1, 3)(T.zeros(1, 1, 3, 3), [5]),
        "output_size must have",
    ),
    "Linear input": (lambda T: T.nn.Linear(2, 2)(T.zeros(1, 3)), "1x3"),
    "Bilinear": (lambda T: T.nn.Bilinear(0, 1, 1), "in1_features must be > 0"),
    "Dropout": (lambda T: T.nn.Dropout(2.0), "between 0 and 1, but got 2.0"),
    "Embedding padding": (lambda T: T.nn.Embedding(3, 2, padding_idx=5), "Padding_idx must be within num_embeddings"),
    "Embedding weight": (lambda T: T.nn.Embedding(3, 2, _weight=T.zeros(2, 2)), "Shape of weight does not match"),
    "Embedding table": (lambda T: T.nn.Embedding.from_pretrained(T.zeros(2)), "2-dimensional"),
    "Embedding index": (lambda T: T.nn.Embedding(3, 2)(T.tensor([3])), "out of range"),
    "GroupNorm": (lambda T: T.nn.GroupNorm(2, 3), r"num_channels \(3\) must be divisible by num_groups \(2\)"),
    "BatchNorm1d": (lambda T: T.nn.BatchNorm1d(2)(T.zeros(2)), "expected 2D or 3D input"),
    "BatchNorm2d": (lambda T: T.nn.BatchNorm2d(2)(T.zeros(2, 2)), "expected 4D input"),
    "BatchNorm3d": (lambda T: T.nn.BatchNorm3d(2)(T.zeros(2, 2)), "expected 5D input"),
    "BatchNorm one value": (lambda T: T.nn.BatchNorm1d(2)(T.zeros(1, 2)), "more than 1 value per channel"),
    "InstanceNorm1d": (lambda T: T.nn.InstanceNorm1d(2)(T.zeros(2)), "expected 2D or 3D input"),
    "InstanceNorm channels": (lambda T: T.nn.InstanceNorm1d(2, affine=True)(T.zeros(1, 3, 4)), "match num_features"),
    "LayerNorm input": (lambda T: T.nn.LayerNorm(3)(T.zeros(2, 4)), "4"),
    "Hardtanh": (lambda T: T.nn.Hardtanh(2.0, 1.0), "must be"),
    "Softmax2d": (lambda T: T.nn.Softmax2d()(T.zeros(2, 2)), "3D or 4D"),
    "Unflatten": (lambda T: T.nn.Unflatten(1, 3), "tuple of ints"),
    "Unflatten element": (lambda T: T.nn.Unflatten(1, (2, "a")), "at pos 1"),
    "TripletMarginLoss": (lambda T: T.nn.TripletMarginLoss(margin=-1.0), "margin to be greater than 0"),
    "MultiMarginLoss": (lambda T: T.nn.MultiMarginLoss(p=3), "only p == 1 and p == 2 supported"),
    "FractionalMaxPool2d": (lambda T: T.nn.FractionalMaxPool2d(2), "either an output size, or a pooling ratio"),
    "FractionalMaxPool2d both": (lambda T: T.nn.FractionalMaxPool2d(2, 2, 0.5), "only one of"),
    "FractionalMaxPool2d ratio": (lambda T: T.nn.FractionalMaxPool2d(2, output_ratio=1.5), "between 0 and 1"),
    "MultiheadAttention": (lambda T: T.nn.MultiheadAttention(7, 2), "embed_dim must be divisible by num_heads"),
    "PixelShuffle": (lambda T: T.nn.PixelShuffle(2**39)(T.zeros(1, 4, 2, 2)), "upscale factor is too large"),
    "MultiheadAttention size": (lambda T: T.nn.MultiheadAttention(8, 0), "must be greater than 0"),
}


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.parametrize("library", ["wengert", pytest.param("torch", marks=pytest.mark.parity)])
def test_what_layers_refuse(what: str, library: str):
    T = pytest.importorskip(library)
    call, message = REFUSED[what]
    with pytest.raises((ValueError, RuntimeError, TypeError, AssertionError, IndexError), match=message) as caught:
        call(T)
    if library == "torch":
        with pytest.raises(caught.type):
            call(wg)


# ---------------------------------------------------------------------- norms


def test_running_statistics():
    layer = nn.BatchNorm1d(2)
    x = wg.tensor([[1.0, 2.0], [3.0, 6.0]])
    layer(x)
    np.testing.assert_allclose(numbers(layer.running_mean), [0.2, 0.4], rtol=1e-6)
    np.testing.assert_allclose(numbers(layer.running_var), [0.9 + 0.1 * 2, 0.9 + 0.1 * 8], rtol=1e-6)
    assert layer.num_batches_tracked.item() == 1
    layer.eval()
    layer(x)
    assert layer.num_batches_tracked.item() == 1
    layer.reset_running_stats()
    assert layer.running_mean.tolist() == [0.0, 0.0]
    assert layer.num_batches_tracked.item() == 0


def test_statistics_that_are_no_longer_tracked_stay_as_they_are():
    layer = nn.BatchNorm1d(2)
    layer.track_running_stats = False
    layer(wg.randn(4, 2))
    assert layer.num_batches_tracked.item() == 0
    assert layer.running_mean.tolist() == [0.0, 0.0]


def test_statistics_from_before_batches_were_counted():
    layer = nn.Sequential(nn.BatchNorm1d(2))
    old = OrderedDict((k, v) for k, v in layer.state_dict().items() if "tracked" not in k)
    layer.load_state_dict(old)  # no version in it, so it is taken for an old file
    old._metadata = {"0": {"version": 2}}  # type: ignore[attr-defined]
    with pytest.raises(RuntimeError, match="num_batches_tracked"):
        layer.load_state_dict(old)


def test_an_instance_norm_without_parameters_only_warns_of_the_number_of_channels():
    with pytest.warns(UserWarning, match="which is not used because affine=False"):
        assert nn.InstanceNorm1d(2)(wg.randn(1, 3, 4)).shape == (1, 3, 4)
    dims = [norm(2)._get_no_batch_dim() for norm in (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)]
    assert dims == [2, 3, 4]


# ---------------------------------------------------------------------- embeddings


def test_the_padding_row():
    layer = nn.Embedding(4, 3, padding_idx=-3)
    assert layer.padding_idx == 1
    assert layer.weight[1].tolist() == [0.0, 0.0, 0.0]
    layer(wg.tensor([0, 1, 1])).sum().backward()
    assert layer.weight.grad.sum(1).tolist() == [3.0, 0.0, 0.0, 0.0]


def test_pretrained_tables():
    table = wg.arange(6.0).reshape(3, 2)
    layer = nn.Embedding.from_pretrained(table)
    assert not layer.weight.requires_grad
    assert layer(wg.tensor([2])).tolist() == [[4.0, 5.0]]
    table[2] = 0.0
    assert layer(wg.tensor([2])).tolist() == [[0.0, 0.0]]
    layer = nn.Embedding.from_pretrained(table, freeze=False, padding_idx=0)
    assert layer.weight.requires_grad
    assert layer.weight[0].tolist() == [0.0, 1.0]  # a given table is not changed
    bag = nn.EmbeddingBag.from_pretrained(table, mode="sum")
    assert bag(wg.tensor([[0, 1]])).tolist() == [[2.0, 4.0]]


# ---------------------------------------------------------------------- random layers


@pytest.mark.parametrize("name", ["Dropout", "Dropout1d", "Dropout2d", "Dropout3d"])
def test_dropout(name: str):
    layer = getattr(nn, name)(0.25)
    dims = {"Dropout": (100, 100), "Dropout1d": (50, 200, 3), "Dropout2d": (50, 200, 2, 2)}.get(
        name, (50, 200, 2, 2, 1)
    )
    x = wg.ones(dims)
    y = numbers(layer(x))
    assert set(np.unique(y)) == {0.0, np.float64(np.float32(1 / 0.75))}
    assert abs((y == 0).mean() - 0.25) < 0.03
    if name != "Dropout":  # whole channels are dropped
        per_channel = y.reshape(*y.shape[:2], -1)
        assert (per_channel == per_channel[:, :, :1]).all()
    layer.eval()
    assert (numbers(layer(x)) == 1).all()


@pytest.mark.parametrize("name", ["AlphaDropout", "FeatureAlphaDropout"])
def test_alpha_dropout_keeps_mean_and_variance(name: str):
    layer = getattr(nn, name)(0.3)
    y = numbers(layer(wg.randn(400, 100, 2)))
    assert abs(y.mean()) < 0.05
    assert abs(y.std() - 1) < 0.05


def test_inplace_activations_write_to_their_input():
    for layer in (
        nn.ReLU(True),
        nn.LeakyReLU(0.1, True),
        nn.ELU(1.0, True),
        nn.Hardtanh(-1.0, 1.0, True),
        nn.ReLU6(True),
    ):
        x = wg.tensor([-2.0, 3.0])
        assert layer(x) is x
        assert x[0].item() > -2.0


def test_legacy_reductions():
    with pytest.warns(UserWarning, match="reduction='sum'"):
        assert nn.L1Loss(size_average=False).reduction == "sum"
    with pytest.warns(UserWarning, match="reduction='none'"):
        assert nn.MSELoss(reduce=False).reduction == "none"
    with pytest.warns(UserWarning, match="use reduction='mean'"):
        assert nn.functional.mse_loss(wg.ones(2), wg.zeros(2), reduction="elementwise_mean").item() == 1.0
    assert nn._reduction.legacy_get_string(False, None, emit_warning=False) == "sum"
    assert [nn._reduction.get_enum(name) for name in ("none", "mean", "sum")] == [0, 1, 2]
    assert nn._reduction.legacy_get_enum(None, False, emit_warning=False) == 0
    with pytest.raises(ValueError, match="not a valid value for reduction"):
        nn._reduction.get_enum("median")


# ---------------------------------------------------------------------- attention


def test_attention_masks_and_weights():
    layer = nn.MultiheadAttention(4, 2, batch_first=True).eval()
    x = wg.randn(2, 3, 4)
    _, weights = layer(x, x, x)
    assert weights.shape == (2, 3, 3)
    np.testing.assert_allclose(numbers(weights.sum(-1)), 1, rtol=1e-5)
    assert layer(x, x, x, need_weights=False)[1] is None
    assert layer(x, x, x, average_attn_weights=False)[1].shape == (2, 2, 3, 3)
    mask = wg.tensor([[False, True, True], [False, False, True], [False, False, False]])
    _, weights = layer(x, x, x, attn_mask=mask)
    assert (numbers(weights)[:, numbers(mask)] == 0).all()
    padding = wg.tensor([[False, False, True], [False, True, True]])
    _, weights = layer(x, x, x, key_padding_mask=padding)
    assert (numbers(weights)[0, :, 2] == 0).all()
    assert (numbers(weights)[1, :, 1:] == 0).all()


WRONG_ATTENTION: dict[str, tuple[Any, str]] = {
    "rows": ({"key_padding_mask": (3, 3)}, r"key_padded_mask.shape\[0\] to be 2, but got 3"),
    "columns": ({"key_padding_mask": (2, 4)}, r"key_padded_mask.shape\[1\] to be 3, but got 4"),
    "dimensions of a mask": ({"key_padding_mask": (3,)}, "key_padding_mask"),
    "type of a mask": ({"key_padding_mask": (2, 3, "int64")}, "only bool and floating types of key_padding_mask"),
    "dimensions of the keys": ({"key": (3, 4)}, "expected `key` and `value` to be 3-D but found 2-D"),
    "dimensions of the queries": ({"query": (1, 2, 3, 4)}, "received 4-D query tensor"),
    "mask": ({"attn_mask": (3,)}, "`attn_mask` to be `None`, 2-D or 3-D but found 1-D"),
    "mask without a batch": (
        {"query": (3, 4), "key": (5, 4), "value": (5, 4), "attn_mask": (1, 3, 5)},
        r"Expected `attn_mask` shape to be \(2, 3, 5\)",
    ),
}


@pytest.mark.parametrize("what", WRONG_ATTENTION)
@pytest.mark.parametrize("library", ["wengert", pytest.param("torch", marks=pytest.mark.parity)])
def test_attention_refuses_shapes(what: str, library: str):
    T = pytest.importorskip(library)
    changed, message = WRONG_ATTENTION[what]
    shapes: dict[str, Any] = {"query": (3, 2, 4), "key": (3, 2, 4), "value": (3, 2, 4), **changed}
    with pytest.raises(AssertionError, match=message):
        T.nn.MultiheadAttention(4, 2)(
            **{
                name: T.ones(shape[:2], dtype=T.int64) if shape[-1] == "int64" else T.ones(shape)
                for name, shape in shapes.items()
            }
        )


@pytest.mark.parametrize("static", ["key", "value"])
@pytest.mark.parametrize("library", ["wengert", pytest.param("torch", marks=pytest.mark.parity)])
def test_given_keys_get_no_bias(static: str, library: str):
    T = pytest.importorskip(library)
    layer, x = T.nn.MultiheadAttention(4, 2, add_bias_kv=True), T.ones(3, 1, 4)
    given = {"key": "static_k", "value": "static_v"}[static]
    with pytest.raises(AssertionError, match=f"bias cannot be added to static {static}"):
        T.nn.functional.multi_head_attention_forward(
            x,
            x,
            x,
            4,
            2,
            layer.in_proj_weight,
            layer.in_proj_bias,
            layer.bias_k,
            layer.bias_v,
            False,
            0.0,
            layer.out_proj.weight,
            layer.out_proj.bias,
            **{given: T.ones(2, 3, 2)},
        )


# ---------------------------------------------------------------------- a model as a whole


def small_network(T: Any) -> Any:
    n = T.nn
    return n.Sequential(
        n.Conv2d(1, 4, 3, padding=1),
        n.BatchNorm2d(4),
        n.ReLU(),
        n.MaxPool2d(2),
        n.Flatten(),
        n.Linear(64, 16),
        n.LayerNorm(16),
        n.GELU(),
        n.Linear(16, 10),
    )


def test_a_network_learns():
    wg.manual_seed(0)
    model, loss_of = small_network(wg), nn.CrossEntropyLoss()
    x, y = wg.randn(32, 1, 8, 8), wg.randint(0, 10, (32,))
    optimizer = wg.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.05 < losses[0]
    frozen = copy.deepcopy(model).eval()
    assert frozen(x).argmax(1).tolist() == y.tolist()


@pytest.mark.parity
def test_a_network_trains_as_with_torch():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    theirs, mine = small_network(torch).double(), small_network(wg).double()
    mine.load_state_dict({k: wg.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    x = np.random.default_rng(0).standard_normal((16, 1, 8, 8))
    y = np.arange(16) % 10
    runs = []
    for T, model in ((wg, mine), (torch, theirs)):
        optimizer = T.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)
        losses = []
        for _ in range(10):
            optimizer.zero_grad()
            loss = T.nn.CrossEntropyLoss(label_smoothing=0.1)(model(T.tensor(x)), T.tensor(y))
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        runs.append(losses)
    np.testing.assert_allclose(runs[0], runs[1], rtol=1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for a, b in zip(mine.state_dict().values(), theirs.state_dict().values(), strict=True):
            np.testing.assert_allclose(numbers(a), b.numpy(), rtol=1e-8, atol=1e-10)


def test_a_bag_of_equal_rows_gives_the_gradient_to_the_first():
    weight = wg.ones(3, 2, requires_grad=True)
    index, starts = wg.tensor([2, 0, 2]), wg.tensor([0, 0, 3])
    y = F.embedding_bag(index, weight, starts, mode="max")
    assert y.tolist() == [[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]]
    y.sum().backward()
    assert weight.grad.tolist() == [[0.0, 0.0], [0.0, 0.0], [1.0, 1.0]]
    weight.grad = None
    F.embedding_bag(index[:0], weight, starts[:2], mode="max").sum().backward()
    assert not weight.grad.any()


@pytest.mark.parametrize("index", [[[-1, 1]], [[3, 1]]])
def test_bags_refuse_numbers_out_of_range_as_torch_does(index: Any):
    with pytest.raises(RuntimeError, match="Expected idx >= 0 && idx < num_embeddings"):
        F.embedding_bag(wg.tensor(index), wg.ones(3, 2))


def test_pools_of_nothing():
    x = wg.ones(1, 2, 4, 4, requires_grad=True)
    for pool in (F.adaptive_avg_pool2d, F.adaptive_max_pool2d):
        with pytest.raises(RuntimeError, match="non-zero size for non-batch dimensions"):
            pool(x, 0).sum().backward()
        with pytest.raises(RuntimeError, match="bytes"):
            pool(x, 2**40)
    assert nn.AdaptiveMaxPool1d(3)(wg.ones(0, 2, 5)).shape == (0, 2, 3)
    with pytest.raises(RuntimeError, match="Expected input to have non-zero size"):
        F.fractional_max_pool2d(wg.ones(1, 0, 4, 4), 2, 2)
    with pytest.raises(RuntimeError, match="output_size must either"):
        F.fractional_max_pool2d(x, 2, (2,))


def test_a_module_that_is_not_initialised_draws_nothing():
    wg.manual_seed(3)
    expected = wg.rand(2).tolist()
    wg.manual_seed(3)
    assert nn.utils.skip_init(nn.Linear, 5, 1).weight.shape == (1, 5)
    assert wg.rand(2).tolist() == expected


def test_complex_modules_are_warned_of():
    layer = nn.Linear(2, 2)
    for dtype in (wg.complex64, wg.complex128):
        with pytest.warns(UserWarning, match="Complex modules are a new feature") as caught:
            assert layer.to(dtype).weight.dtype is dtype
        assert [w.filename for w in caught] == [__file__]


# ---------------------------------------------------------------------- losses of unlike shapes and types


# Each row: what is called with a namespace T, the dtype of the result, and its values.
UNLIKE: dict[str, tuple[Any, str, Any]] = {
    "l1 of a number": (lambda T, f: f.l1_loss(T.tensor(1.0).double(), T.zeros(2), reduction="sum"), "float64", 2),
    "mse of a number": (lambda T, f: f.mse_loss(T.zeros(2), T.tensor(1.0).double()), "float64", 1),
    "l1 of integers": (lambda T, f: f.l1_loss(T.tensor([1, 5]), T.tensor([3, 4]), reduction="none"), "int64", [2, 1]),
    "huber": (lambda T, f: f.huber_loss(T.zeros(2), T.ones(2).double()), "float32", 0.5),
    "soft margin": (lambda T, f: f.soft_margin_loss(T.zeros(2).half(), T.ones(2)), "float16", math.log(2)),
    "hinge of integers": (
        lambda T, f: f.hinge_embedding_loss(T.tensor([0, 2]), T.tensor([1, -1]), 5.7, reduction="none"),
        "int64",
        [0, 3],
    ),
    "ranking of integers": (lambda T, f: f.margin_ranking_loss(*[T.tensor([2])] * 3), "float32", 0),
    "a broadcast label": (
        lambda T, f: f.multilabel_soft_margin_loss(T.zeros(3), T.ones(2, 3), reduction="none"),
        "float32",
        [2 / 3 * math.log(2)] * 3,
    ),
    "one row": (lambda T, f: f.multi_margin_loss(T.zeros(1, 3), T.tensor(1), reduction="none"), "float32", 2 / 3),
    "cosine": (lambda T, f: f.cosine_similarity(T.tensor(1.0).double(), T.ones(1, 1)), "float64", [1]),
    "threshold": (lambda T, f: f.threshold(T.tensor([1, -3, 5]), 4.9, -1.5), "int64", [-1, -1, 5]),
    "all dropped": (lambda T, f: f.dropout(T.tensor([1, 2]), 1.0), "int64", [0, 0]),
    "one class": (lambda T, f: f.gumbel_softmax(T.tensor(3.0), hard=True), "float32", 1),
}


@pytest.mark.parametrize("what", UNLIKE)
@pytest.mark.parametrize("library", ["wengert", pytest.param("torch", marks=pytest.mark.parity)])
@pytest.mark.filterwarnings("ignore:Using a target size")
def test_unlike_shapes_and_types(what: str, library: str):
    T = pytest.importorskip(library)
    call, dtype, values = UNLIKE[what]
    result = call(T, T.nn.functional)
    assert result.dtype is getattr(T, dtype)
    np.testing.assert_allclose(numbers(result), values, rtol=1e-3)
    assert np.shape(numbers(result)) == np.shape(values)


# Each row: what is called, the error, and what its message says.
UNFIT: dict[str, tuple[Any, type[Exception], str]] = {
    "l1 bool": (lambda T, f: f.l1_loss(T.ones(2), T.ones(2).bool()), RuntimeError, "Subtraction, the `-` operator"),
    "l1 mean": (lambda T, f: f.l1_loss(T.tensor([1]), T.tensor([2])), RuntimeError, "could not infer output dtype"),
    "huber": (lambda T, f: f.huber_loss(T.tensor([1]), T.ones(1)), RuntimeError, "result type Float can't be cast"),
    "soft margin": (lambda T, f: f.soft_margin_loss(T.ones(3), T.ones(2, 3)), RuntimeError, "broadcast shape [2, 3]"),
    "soft margin of integers": (
        lambda T, f: f.soft_margin_loss(T.tensor([1]), T.ones(1)),
        RuntimeError,
        "result type Float can't be cast to the desired output type Long",
    ),
    "hinge": (
        lambda T, f: f.hinge_embedding_loss(T.ones(3), T.ones(2)),
        RuntimeError,
        "must match the size of tensor b",
    ),
    "cosine": (
        lambda T, f: f.cosine_embedding_loss(T.ones(2, 3), T.ones(2, 3), T.ones(3)),
        RuntimeError,
        "must match the size of tensor b",
    ),
    "ranking": (
        lambda T, f: f.margin_ranking_loss(T.ones(2), T.ones(2), T.ones(2).bool()),
        RuntimeError,
        "a bool tensor is not supported",
    ),
    "labels": (lambda T, f: f.multilabel_soft_margin_loss(T.tensor(1.0), T.ones(3)), IndexError, "no dimensions"),
    "nll without classes": (
        lambda T, f: f.nll_loss(T.zeros(2, 3), T.tensor(1)),
        ValueError,
        "Expected input batch_size (2) to match target batch_size (0)",
    ),
    "nll of one sample": (
        lambda T, f: f.nll_loss(T.zeros(3), T.tensor([1, 2])),
        ValueError,
        "For 1D input, 1D target must have size 1, but got target size: 2",
    ),
    "bilinear types": (
        lambda T, f: f.bilinear(T.ones(3), T.ones(3).long(), T.ones(2, 3, 3)),
        RuntimeError,
        "got input1: float, input2: long int, weight: float",
    ),
    "bilinear": (
        lambda T, f: f.bilinear(T.tensor(1.0), T.ones(3), T.ones(2, 3, 3)),
        RuntimeError,
        "input dimensions do not match: got 0 and 1",
    ),
}


@pytest.mark.parametrize("what", UNFIT)
@pytest.mark.parametrize("library", ["wengert", pytest.param("torch", marks=pytest.mark.parity)])
@pytest.mark.filterwarnings("ignore:Using a target size")
def test_what_losses_refuse(what: str, library: str):
    T = pytest.importorskip(library)
    call, error, message = UNFIT[what]
    with pytest.raises(error, match=re.escape(message)):
        call(T, T.nn.functional)


def test_dropping_all_draws_nothing():
    x = wg.ones(3, requires_grad=True)
    wg.manual_seed(0)
    expected = wg.rand(2).tolist()
    wg.manual_seed(0)
    y = F.dropout(x * 2, 1.0, inplace=True)
    assert wg.rand(2).tolist() == expected
    y.sum().backward()
    assert (y.tolist(), x.grad.tolist()) == ([0, 0, 0], [0, 0, 0])
    with pytest.warns(UserWarning, match="1-D input"):
        assert F.dropout3d(wg.ones(2), 1.0).tolist() == [0, 0]
