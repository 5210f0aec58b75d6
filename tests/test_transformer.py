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


@pytest.mark.parametrize("corner", ["upper_left", "lower_right"])
@pytest.mark.parametrize("size", [(4, 4), (3, 5)])
def test_a_causal_bias_is_its_mask(corner: str, size: tuple[int, int]):
    from wengert.nn.attention.bias import CausalBias, CausalVariant

    bias = getattr(nn.attention.bias, f"causal_{corner}")(*size)
    assert isinstance(bias, (wg.Tensor, CausalBias))
    assert bias.variant == CausalVariant[corner.upper()]
    mask = wg.ones(*size, dtype=wg.bool).tril(size[1] - size[0] if corner == "lower_right" else 0)
    q, k, v = wg.rand(2, size[0], 8), wg.rand(2, size[1], 8), wg.rand(2, size[1], 8)
    attend = nn.functional.scaled_dot_product_attention
    assert wg.allclose(attend(q, k, v, attn_mask=bias), attend(q, k, v, attn_mask=mask))
    assert repr(bias) == repr(mask)
    with pytest.raises(ValueError, match="causal=True"):
        attend(q, k, v, bias, is_causal=True)


def test_stacks_tell_their_layers_that_a_mask_is_causal():
    seen: list[Any] = []

    class Spy(nn.Module):
        def forward(self, x: Any, *args: Any, is_causal: Any = None, tgt_is_causal: Any = None, **rest: Any) -> Any:
            seen.append(is_causal if tgt_is_causal is None else tgt_is_causal)
            return x

    x = wg.ones(3, 1, 2)
    causal = nn.Transformer.generate_square_subsequent_mask(3)
    encoder, decoder = nn.TransformerEncoder(Spy(), 1), nn.TransformerDecoder(Spy(), 1)
    for mask, hint in ((causal, None), (causal.isinf(), None), (causal * 2, None), (wg.zeros(3, 3), None), (None, None),
                       (causal, False)):  # fmt: skip
        encoder(x, mask=mask, is_causal=hint)
        decoder(x, x, tgt_mask=mask, tgt_is_causal=hint)
    assert seen == [True] * 6 + [False] * 6
    assert nn.modules.transformer._detect_is_causal_mask(causal, size=3)
    assert not nn.modules.transformer._detect_is_causal_mask(causal, size=4)


def test_the_hint_of_a_causal_mask_changes_nothing():
    x, mask = wg.rand(4, 2, 6), nn.Transformer.generate_square_subsequent_mask(4)
    for options in ({}, {"add_bias_kv": True}, {"add_zero_attn": True}):
        layer = nn.MultiheadAttention(6, 2, **options)  # type: ignore[arg-type]
        for needed in (True, False):
            with_hint, without = (layer(x, x, x, attn_mask=mask, need_weights=needed, is_causal=c)[0] for c in (1, 0))
            assert wg.allclose(with_hint, without, atol=1e-6)


def test_the_switch_of_fused_layers_is_remembered():
    wg.backends.mha.set_fastpath_enabled(False)
    assert not wg.backends.mha.get_fastpath_enabled()
    wg.backends.mha.set_fastpath_enabled(True)
