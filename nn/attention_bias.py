"""Causal masks that know their kind: PyTorch's ``nn.attention.bias``.

It is imported when a program asks for it, since there being a class of tensors makes all functions look for one.
"""

from __future__ import annotations

import enum
import warnings
from typing import Any

from ..autograd import ops
from ..autograd.tensor import Tensor
from ..backends.dtypes import bool_
from . import functional as F
from .parameter import tensor_on

__all__ = ["CausalBias", "CausalVariant", "causal_lower_right", "causal_upper_left"]


class CausalVariant(enum.IntEnum):
    """Where the triangle of a causal mask that is not square lies: in the upper left, or the lower right corner."""

    UPPER_LEFT = 1
    LOWER_RIGHT = 2


class CausalBias(Tensor):
    """A causal mask (L, S) for `functional.scaled_dot_product_attention`.

    Args:
        variant: in which corner its triangle lies.
        seq_len_q: L, the number of queries.
        seq_len_kv: S, the number of keys.

    Raises:
        AssertionError: ``variant`` is something else.
    """

    def __new__(cls, variant: CausalVariant, seq_len_q: int, seq_len_kv: int) -> Any:
        return tensor_on(cls, None, False)

    def __init__(self, variant: CausalVariant, seq_len_q: int, seq_len_kv: int) -> None:
        if not isinstance(variant, CausalVariant):
            raise AssertionError(f"variant must be a CausalVariant, got {type(variant).__name__}")
        self.variant, self.seq_len_q, self.seq_len_kv = variant, seq_len_q, seq_len_kv
        if seq_len_q > seq_len_kv and variant == CausalVariant.LOWER_RIGHT:
            warnings.warn(
                "Lower right causal bias will produce NaNs in the output when seq_len_q > seq_len_kv!", stacklevel=2
            )

    def _materialize(self, device: Any = None) -> Any:
        """The mask itself, True where attention is allowed."""
        below = self.seq_len_kv - self.seq_len_q if self.variant == CausalVariant.LOWER_RIGHT else 0
        ones = ops.ones(self.seq_len_q, self.seq_len_kv, dtype=bool_, device=device)
        return ops.tril(ones, below)

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "") == "scaled_dot_product_attention":
            return _attend(*args, **(kwargs or {}))
        return super().__torch_function__(func, types, args, kwargs)

    def __repr__(self) -> str:
        return repr(self._materialize())


def _attend(query: Tensor, key: Tensor, value: Tensor, attn_mask: CausalBias, dropout_p: float = 0.0,
            is_causal: bool = False, **options: Any) -> Any:  # fmt: skip
    if is_causal:
        raise ValueError("CausalBias should not be used with causal=True")
    if attn_mask.seq_len_q == attn_mask.seq_len_kv or attn_mask.variant == CausalVariant.UPPER_LEFT:
        return F.scaled_dot_product_attention(query, key, value, None, dropout_p, True, **options)
    mask = attn_mask._materialize(query.device)
    return F.scaled_dot_product_attention(query, key, value, mask, dropout_p, **options)


def causal_upper_left(*size: int) -> CausalBias:
    """The mask (L, S) under which query ``i`` sees the keys up to the ``i``-th.

    Example:
        >>> import wengert as wg
        >>> wg.nn.attention.bias.causal_upper_left(2, 3)
        tensor([[ True, False, False],
                [ True,  True, False]])
    """
    return _bias(CausalVariant.UPPER_LEFT, size)


def causal_lower_right(*size: int) -> CausalBias:
    """The mask (L, S) under which the last query sees all keys, and each one before it one key less.

    Example:
        >>> import wengert as wg
        >>> wg.nn.attention.bias.causal_lower_right(2, 3)
        tensor([[ True,  True, False],
                [ True,  True,  True]])
    """
    return _bias(CausalVariant.LOWER_RIGHT, size)


def _bias(variant: CausalVariant, size: tuple[int, ...]) -> CausalBias:
    if len(size) != 2:
        raise AssertionError(f"causal_{variant.name.lower()} only supports 2D tensors")
    return CausalBias(variant, *size)
