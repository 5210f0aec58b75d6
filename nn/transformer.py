"""Transformers: attention and small networks in turn, encoders and decoders made of them."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..backends.errors import ArgumentError, ShapeError
from . import functional as F
from . import init
from .attention import MultiheadAttention
from .causal import causal_mask, is_causal_mask
from .containers import ModuleList
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .norms import LayerNorm

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = [
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
]

Activation = str | Callable[[Any], Any]


def clones(module: Module, n: int) -> ModuleList:
    """``n`` copies of a module."""
    return ModuleList([copy.deepcopy(module) for _ in range(n)])


def activation_named(activation: Activation) -> Callable[[Any], Any]:
    """The function that ``relu`` or ``gelu`` names; a function is its own."""
    if not isinstance(activation, str):
        return activation
    if activation not in ("relu", "gelu"):
        raise ArgumentError(f"activation should be relu/gelu, not {activation}; another one is given as a function")
    return F.relu if activation == "relu" else F.gelu


class TransformerLayer(Module):
    """What the layers of encoder and decoder share; see `TransformerEncoderLayer`."""

    attentions: tuple[str, ...]  # the names of the layer's attentions

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        options = {"bias": bias, "device": device, "dtype": dtype}
        for name in self.attentions:
            attention = MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=batch_first, **options)
            self.add_module(name, attention)
        self.linear1 = Linear(d_model, dim_feedforward, **options)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **options)
        self.norm_first = norm_first
        blocks = range(1, len(self.attentions) + 2)
        for i in blocks:
            self.add_module(f"norm{i}", LayerNorm(d_model, eps=layer_norm_eps, **options))
        for i in blocks:
            self.add_module(f"dropout{i}", Dropout(dropout))
        self.activation = activation_named(activation)

    def _attend(self, name: str, x: Tensor, memory: Tensor, mask: Any, padding: Any, is_causal: bool) -> Tensor:
        result: Tensor = getattr(self, name)(
            x, memory, memory, attn_mask=mask, key_padding_mask=padding, is_causal=is_causal, need_weights=False
        )[0]
        return result

    def _feed_forward(self, x: Tensor) -> Tensor:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))  # type: ignore[no-any-return]

    def _residual(self, i: int, x: Tensor, block: Callable[[Tensor], Tensor]) -> Tensor:
        """``x`` plus what the block makes of it, normalised before or after."""
        norm, dropout = getattr(self, f"norm{i}"), getattr(self, f"dropout{i}")
        return x + dropout(block(norm(x))) if self.norm_first else norm(x + dropout(block(x)))  # type: ignore[no-any-return]


class TransformerEncoderLayer(TransformerLayer):
    """Self-attention and a network of two layers, each with a residual connection and a `LayerNorm`.

    Args:
        d_model: E, the width of input and output.
        nhead: the number of heads, which share it.
        dim_feedforward: the width between the network's two layers.
        dropout: the probability with which an element is dropped, in the attention and after each part.
        activation: of the network: ``relu``, ``gelu``, or a function.
        layer_norm_eps: of the norms.
        batch_first: inputs are (N, S, E) instead of (S, N, E).
        norm_first: normalise what goes into the attention and the network, instead of the sums after them.
        bias: whether linear layers and norms have one.
        device, dtype: of the parameters.

    Shape: (S, N, E), and the same out; without N for one sequence.

    Raises:
        RuntimeError: ``activation`` names neither of the two.

    Example:
        >>> import wengert as wg
        >>> wg.nn.TransformerEncoderLayer(d_model=8, nhead=2)(wg.rand(10, 3, 8)).shape
        wengert.Size([10, 3, 8])

    References:
        A. Vaswani et al., "Attention is all you need", 2017, arXiv:1706.03762.
    """

    attentions = ("self_attn",)

    @property
    def activation_relu_or_gelu(self) -> int:
        """1 for relu, 2 for gelu, 0 for another function; what PyTorch's layer calls it."""
        named = inspect.unwrap(F.relu), inspect.unwrap(F.gelu)
        return next((i for i, function in enumerate(named, 1) if inspect.unwrap(self.activation) is function), 0)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """The encoded sequences.

        Args:
            src: (S, N, E).
            src_mask: (S, S) or (N * nhead, S, S), True where attention is not allowed, or a number to add.
            src_key_padding_mask: (N, S), True where a position is to be ignored.
            is_causal: ``src_mask`` is the causal one.
        """
        x = self._residual(1, src, lambda x: self._attend("self_attn", x, x, src_mask, src_key_padding_mask, is_causal))
        return self._residual(2, x, self._feed_forward)


class TransformerDecoderLayer(TransformerLayer):
    """Self-attention, attention to an encoder's output, and a network of two layers; see `TransformerEncoderLayer`.

    Args:
        d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, device,
            dtype: as for `TransformerEncoderLayer`.

    Shape: (T, N, E) and memory (S, N, E) to (T, N, E); without N for one sequence.

    Raises:
        RuntimeError: ``activation`` names neither ``relu`` nor ``gelu``.
    """

    attentions = ("self_attn", "multihead_attn")

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """The decoded sequences.

        Args:
            tgt: (T, N, E).
            memory: (S, N, E), what the encoder gave.
            tgt_mask: (T, T), True where attention is not allowed, or a number to add.
            memory_mask: (T, S), likewise.
            tgt_key_padding_mask: (N, T), True where a position is to be ignored.
            memory_key_padding_mask: (N, S), likewise.
            tgt_is_causal: ``tgt_mask`` is the causal one.
            memory_is_causal: likewise.
        """

        def itself(x: Tensor) -> Tensor:
            return self._attend("self_attn", x, x, tgt_mask, tgt_key_padding_mask, tgt_is_causal)

        def other(x: Tensor) -> Tensor:
            return self._attend("multihead_attn", x, memory, memory_mask, memory_key_padding_mask, memory_is_causal)

        x = self._residual(2, self._residual(1, tgt, itself), other)
        return self._residual(3, x, self._feed_forward)


class TransformerEncoder(Module):
    """Several copies of a layer, one after the other.

    Args:
        encoder_layer: the layer, copied ``num_layers`` times; all copies begin with its weights.
        num_layers: how many.
        norm: what the last output goes through.
        enable_nested_tensor, mask_check: accepted for PyTorch's sake; padding is computed along with the rest.

    Example:
        >>> import wengert as wg
        >>> layer = wg.nn.TransformerEncoderLayer(d_model=8, nhead=2)
        >>> wg.nn.TransformerEncoder(layer, num_layers=2)(wg.rand(10, 3, 8)).shape
        wengert.Size([10, 3, 8])
    """

    use_nested_tensor = False

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = clones(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """The encoded sequences; see `TransformerEncoderLayer`.

        Args:
            src: as a layer takes it.
            mask: likewise.
            src_key_padding_mask: likewise.
            is_causal: whether ``mask`` is the causal one; looked up when left out.
        """
        x, causal = src, is_causal_mask(mask, is_causal)
        for layer in self.layers:
            x = layer(x, src_mask=mask, src_key_padding_mask=src_key_padding_mask, is_causal=causal)
        return x if self.norm is None else self.norm(x)


class TransformerDecoder(Module):
    """Several copies of a layer, one after the other.

    Args:
        decoder_layer: the layer, copied ``num_layers`` times; all copies begin with its weights.
        num_layers: how many.
        norm: what the last output goes through.
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = clones(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """The decoded sequences; see `TransformerDecoderLayer`."""
        x, causal = tgt, is_causal_mask(tgt_mask, tgt_is_causal)
        for layer in self.layers:
            x = layer(
                x,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )
        return x if self.norm is None else self.norm(x)


class Transformer(Module):
    """An encoder of one sequence, and a decoder of another that attends to it.

    Args:
        d_model: E, the width of both.
        nhead: the number of heads, which share it.
        num_encoder_layers, num_decoder_layers: how many layers each has.
        dim_feedforward, dropout, activation: see `TransformerEncoderLayer`.
        custom_encoder, custom_decoder: modules in their places.
        layer_norm_eps, batch_first, norm_first, bias, device, dtype: see `TransformerEncoderLayer`.

    Shape: src (S, N, E) and tgt (T, N, E) to (T, N, E); without N for one sequence.

    Raises:
        RuntimeError: batch or width of the two sequences do not fit.

    Example:
        >>> import wengert as wg
        >>> model = wg.nn.Transformer(d_model=8, nhead=2, dim_feedforward=16)
        >>> model(wg.rand(10, 3, 8), wg.rand(6, 3, 8)).shape
        wengert.Size([6, 3, 8])

    References:
        A. Vaswani et al., "Attention is all you need", 2017, arXiv:1706.03762.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        places: dict[str, Any] = {"device": device, "dtype": dtype}
        shape = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)

        def norm() -> LayerNorm:
            return LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **places)

        self.encoder = custom_encoder
        if custom_encoder is None:
            self.encoder = TransformerEncoder(TransformerEncoderLayer(*shape, **places), num_encoder_layers, norm())
        self.decoder = custom_decoder
        if custom_decoder is None:
            self.decoder = TransformerDecoder(TransformerDecoderLayer(*shape, **places), num_decoder_layers, norm())
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def _reset_parameters(self) -> None:
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """The causal mask to add: -inf above the diagonal, 0 elsewhere.

        Args:
            sz: the number of positions; the mask is (sz, sz).
            device: where the mask is.
            dtype: its dtype, the default one when left out.

        Example:
            >>> import wengert as wg
            >>> wg.nn.Transformer.generate_square_subsequent_mask(2)
            tensor([[0., -inf],
                    [0., 0.]])
        """
        return causal_mask(sz, device, dtype)  # type: ignore[no-any-return]

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """The decoded sequences; the masks are those of `TransformerEncoderLayer` and `TransformerDecoderLayer`."""
        batch = 0 if self.batch_first else 1
        if src.ndim == 3 and (tgt.ndim != 3 or src.shape[batch] != tgt.shape[batch]):
            raise ShapeError(
                f"the batch number of src and tgt must be equal: their shapes are {list(src.shape)}, {list(tgt.shape)}"
            )
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise ShapeError(
                f"the feature number of src and tgt must be equal to d_model={self.d_model}: their shapes are "
                f"{list(src.shape)}, {list(tgt.shape)}"
            )
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        result: Tensor = self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )
        return result
