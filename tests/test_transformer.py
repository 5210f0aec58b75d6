"""Transformers: agreement with PyTorch in values and gradients, masks, and errors."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn

LAYER_OPTIONS = [
    {},
    {"norm_first": True, "activation": "gelu"},
    {"batch_first": True, "bias": False},
    {"layer_norm_eps": 1e-3, "norm_first": True, "batch_first": True},
]


def pair(make: Any) -> tuple[Any, Any]:
    """``make(T.nn)`` of both libraries, in float64 and with the same weights."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = make(torch.nn).double()
    mine = make(nn).double()
    assert repr(mine) == repr(theirs)
    state = theirs.state_dict()
    assert [(k, tuple(v.shape)) for k, v in mine.state_dict().items()] == [
        (k, tuple(v.shape)) for k, v in state.items()
    ]
    mine.load_state_dict({k: wg.tensor(v.numpy()) for k, v in state.items()})
    return mine, theirs


def compare(mine: Any, theirs: Any, run: Any, *shapes: tuple[int, ...]) -> None:
    """In training and evaluation, ``run(T, module, inputs)`` has the same values and gradients in both libraries."""
    import torch

    arrays = [np.random.default_rng(i).standard_normal(shape) for i, shape in enumerate(shapes)]
    for training in (True, False):
        found = []
        for T, module in ((wg, mine), (torch, theirs)):
            module.train(training)
            module.zero_grad()
            inputs = [T.tensor(a).requires_grad_() for a in arrays]
            output = run(T, module, inputs)
            (output * T.cos(T.arange(output.numel(), dtype=T.float64)).reshape(output.shape)).sum().backward()
            grads = [t.grad.numpy() for t in (*inputs, *module.parameters())]
            found.append([output.detach().numpy(), *grads])
        for a, b in zip(*found, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def causal(T: Any, n: int) -> Any:
    return T.nn.Transformer.generate_square_subsequent_mask(n, dtype=T.float64)


def padding(T: Any, n: int) -> Any:
    """The last position of the second sequence is padding."""
    return T.tensor([[False] * n, [False] * (n - 1) + [True]])


@pytest.mark.parity
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("options", LAYER_OPTIONS, ids=str)
def test_encoder_is_that_of_torch(options: dict[str, Any], masked: bool):
    mine, theirs = pair(
        lambda N: N.TransformerEncoder(N.TransformerEncoderLayer(4, 2, 6, 0.0, **options), 2, N.LayerNorm(4))
    )

    def run(T: Any, module: Any, ts: list[Any]) -> Any:
        additive = T.zeros(2, 5, dtype=T.float64).masked_fill(padding(T, 5), float("-inf"))
        return module(ts[0], causal(T, 5), additive) if masked else module(ts[0])

    compare(mine, theirs, run, (2, 5, 4) if options.get("batch_first") else (5, 2, 4))


@pytest.mark.parity
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("options", LAYER_OPTIONS, ids=str)
def test_decoder_is_that_of_torch(options: dict[str, Any], masked: bool):
    mine, theirs = pair(lambda N: N.TransformerDecoder(N.TransformerDecoderLayer(4, 2, 6, 0.0, **options), 2))

    def run(T: Any, module: Any, ts: list[Any]) -> Any:
        if not masked:
            return module(*ts)
        return module(*ts, tgt_mask=causal(T, 3), memory_key_padding_mask=padding(T, 5), tgt_is_causal=True)

    compare(mine, theirs, run, *([(2, 3, 4), (2, 5, 4)] if options.get("batch_first") else [(3, 2, 4), (5, 2, 4)]))


@pytest.mark.parity
@pytest.mark.parametrize("batch", [(), (2,)])
@pytest.mark.parametrize("options", LAYER_OPTIONS[:2], ids=str)
def test_transformer_is_that_of_torch(options: dict[str, Any], batch: tuple[int, ...]):
    mine, theirs = pair(lambda N: N.Transformer(4, 2, 2, 1, 6, 0.0, **options))
    compare(mine, theirs, lambda T, m, ts: m(*ts, tgt_mask=causal(T, 3)), (5, *batch, 4), (3, *batch, 4))


@pytest.mark.parity
def test_an_activation_that_is_a_module_is_a_member():
    mine, theirs = pair(lambda N: N.TransformerEncoderLayer(4, 2, 6, 0.0, activation=N.Tanh()))
    compare(mine, theirs, lambda T, m, ts: m(*ts), (5, 2, 4))


def test_what_comes_later_does_not_change_what_was_before():
    layer = nn.TransformerEncoderLayer(4, 2, 6, batch_first=True).eval()
    mask, x = nn.Transformer.generate_square_subsequent_mask(5), wg.randn(2, 5, 4)
    y = layer(x, mask, is_causal=True)
    x[:, 3:] = 0.0
    again = layer(x, mask)
    assert wg.allclose(y[:, :3], again[:, :3])
    assert not wg.allclose(y[:, 3:], again[:, 3:])


def test_layers_begin_alike_and_are_their_own():
    layer = nn.TransformerEncoderLayer(4, 2, 6)
    encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False, mask_check=False)
    first, second = (dict(part.named_parameters()) for part in encoder.layers)
    assert all(wg.equal(first[name], second[name]) and first[name] is not second[name] for name in first)


def test_parts_can_be_replaced():
    class Same(nn.Module):
        def forward(self, x: Any, *args: Any, **kwargs: Any) -> Any:
            return x

    model = nn.Transformer(4, 2, custom_encoder=Same(), custom_decoder=Same())
    tgt = wg.ones(3, 2, 4)
    assert model(wg.ones(5, 2, 4), tgt) is tgt


def test_what_does_not_fit_is_refused():
    with pytest.raises(RuntimeError, match="relu/gelu"):
        nn.TransformerEncoderLayer(4, 2, activation="tanh")
    model = nn.Transformer(4, 2, 1, 1, 6)
    for src, tgt, text in (((2, 2, 4), (2, 3, 4), "batch number"), ((2, 2, 4), (2, 2, 5), "feature number")):
        with pytest.raises(RuntimeError, match=text):
            model(wg.ones(src), wg.ones(tgt))
    with pytest.raises(RuntimeError, match="batch number"):
        model(wg.ones(2, 2, 4), wg.ones(2, 4))
    with pytest.raises(RuntimeError, match="attn_mask"):
        nn.TransformerEncoderLayer(4, 2, 6)(wg.ones(3, 2, 4), is_causal=True)
