"""Attention as a layer, and PyTorch's switch between ways to compute it."""

from __future__ import annotations

import contextlib
import enum
import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..autograd import ops
from . import functional as F
from . import init
from .linear import NonDynamicallyQuantizableLinear
from .module import Module
from .parameter import Parameter

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = ["MultiheadAttention"]

__path__: list[str] = []  # a package, since it has something below it


class SDPBackend(enum.Enum):
    """The ways that PyTorch has to compute attention; there is one here, which all of them mean."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextlib.contextmanager
def sdpa_kernel(backends: list[SDPBackend] | SDPBackend, set_priority: bool = False) -> Iterator[None]:
    """A block in which PyTorch computes `functional.scaled_dot_product_attention` in one of these ways.

    Args:
        backends: the ways, or one of them; whichever they are, the result is the same.
        set_priority: taken, and not used.

    Raises:
        AssertionError: they are something else.
    """
    chosen = [backends] if isinstance(backends, SDPBackend) else backends
    if not isinstance(chosen, list) or not all(isinstance(backend, SDPBackend) for backend in chosen):
        raise AssertionError("Backend must be an instance of SDPBackend or a list of SDPBackend instances")
    yield


class MultiheadAttention(Module):
    """``softmax(q k^T / sqrt(hd)) v`` in several heads, between projections.

    Args:
        embed_dim: E, the width of query and output; the heads share it.
        num_heads: nh, how many there are.
        dropout: the probability with which an attention weight is dropped.
        bias: whether the projections have one.
        add_bias_kv: learn one more key and value, for all positions.
        add_zero_attn: one more key and value of zeros.
        kdim: the width of the keys, E when left out.
        vdim: the width of the values, E when left out.
        batch_first: inputs are (N, T, E) instead of (T, N, E).
        device, dtype: of the parameters.

    Shape: query (T, N, E), key (S, N, kdim) and value (S, N, vdim) to (T, N, E), and weights (N, T, S); without N for
    one sample.

    Raises:
        ValueError: a size is not positive. AssertionError: ``num_heads`` does not divide ``embed_dim``.

    References:
        A. Vaswani et al., "Attention is all you need", 2017, arXiv:1706.03762.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and num_heads={num_heads} "
                "instead"
            )
        if embed_dim % num_heads:
            raise AssertionError(f"embed_dim must be divisible by num_heads: {embed_dim} by {num_heads}")
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        self.add_zero_attn = add_zero_attn

        def parameter(name: str, wanted: bool, *shape: int) -> None:
            empty = Parameter(ops.empty(shape, device=device, dtype=dtype)) if wanted else None
            self.register_parameter(name, empty)

        together = self._qkv_same_embed_dim
        parameter("q_proj_weight", not together, embed_dim, embed_dim)
        parameter("k_proj_weight", not together, embed_dim, self.kdim)
        parameter("v_proj_weight", not together, embed_dim, self.vdim)
        parameter("in_proj_weight", together, 3 * embed_dim, embed_dim)
        parameter("in_proj_bias", bias, 3 * embed_dim)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, device=device, dtype=dtype)
        parameter("bias_k", add_bias_kv, 1, 1, embed_dim)
        parameter("bias_v", add_bias_kv, 1, 1, embed_dim)
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        members = dict(self._parameters)
        for name in ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"):
            if members[name] is not None:
                init.xavier_uniform_(members[name])
        if members["in_proj_bias"] is not None:
            init.zeros_(members["in_proj_bias"])
            init.zeros_(self.out_proj.bias)  # type: ignore[arg-type]
        for name in ("bias_k", "bias_v"):
            if members[name] is not None:
                init.xavier_normal_(members[name])

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """The attended values, and the attention weights.

        Args:
            query: (T, N, E).
            key: (S, N, kdim).
            value: (S, N, vdim).
            key_padding_mask: (N, S), True where a key is to be ignored.
            need_weights: return the weights, too; None in their place otherwise.
            attn_mask: (T, S) or (N * nh, T, S), True where attention is not allowed, or a number to add.
            average_attn_weights: the weights' mean over the heads instead of (N, nh, T, S).
            is_causal: ``attn_mask`` is the causal one.
        """
        swap = self.batch_first and query.ndim == 3
        if swap:
            query, key, value = (t.transpose(0, 1) for t in (query, key, value))
        p: Any = self._parameters
        output, weights = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            p["in_proj_weight"],
            p["in_proj_bias"],
            p["bias_k"],
            p["bias_v"],
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=p["q_proj_weight"],
            k_proj_weight=p["k_proj_weight"],
            v_proj_weight=p["v_proj_weight"],
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return (output.transpose(0, 1) if swap else output), weights


def __getattr__(name: str) -> Any:
    if name == "bias":  # a path of PyTorch's
        return importlib.import_module(".attention_bias", __package__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
