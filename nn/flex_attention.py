"""Attention whose scores and mask are functions of the user's, of positions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from ..autograd import ops
from ..backends.paths import add_path
from . import attention

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = ["BlockMask", "and_masks", "create_block_mask", "create_mask", "flex_attention", "noop_mask", "or_masks"]

BLOCK_SIZE = 128
Mod = Callable[..., Any]


class BlockMask:
    """Which queries see which keys: a function of batch, head and positions, and the sizes that it is for.

    PyTorch keeps blocks of it, to leave out those that are empty. Here it is the function, and its table when needed.

    Attributes:
        mask_mod: the function.
        shape: (N, nh, T, S).
    """

    def __init__(self, mask_mod: Mod, shape: tuple[int, int, int, int], block_size: Any, device: Any) -> None:
        self.mask_mod, self.shape, self.device = mask_mod, shape, device
        self.BLOCK_SIZE = (block_size, block_size) if isinstance(block_size, int) else tuple(block_size)
        self.seq_lengths = shape[2:]

    def numel(self) -> int:
        """How many pairs there are."""
        return math.prod(self.shape)

    def to_dense(self) -> Tensor:
        """For each pair of blocks, whether a query of one sees a key of the other: int32."""
        table = create_mask(self.mask_mod, *self.shape, device=self.device)
        rows, columns = self.BLOCK_SIZE
        _, _, t, s = self.shape
        table = ops.pad(table.to(int), [0, -s % columns, 0, -t % rows])
        n, nh, t, s = table.shape
        blocks = table.reshape(n, nh, t // rows, rows, s // columns, columns)
        return blocks.amax((3, 5)).int()  # type: ignore[no-any-return]

    def sparsity(self) -> float:
        """How much of it is left out, in percent, by whole blocks."""
        dense = self.to_dense()
        return 100.0 * (1 - float(dense.sum()) / dense.numel())


class AuxRequest(NamedTuple):
    """What else than the result is wanted: the logarithms of the softmax's sums, or the largest scores."""

    lse: bool = False
    max_scores: bool = False


class AuxOutput(NamedTuple):
    """What an `AuxRequest` asked for; None for what it did not."""

    lse: Any = None
    max_scores: Any = None


def _positions(device: Any, *sizes: int) -> tuple[Any, ...]:
    """Indices along several dimensions, each a tensor that broadcasts along the others."""
    n = len(sizes)
    return tuple([ops.arange(size, device=device).reshape([-1] + [1] * (n - 1 - i)) for i, size in enumerate(sizes)])


def noop_mask(batch: Any, head: Any, token_q: Any, token_kv: Any) -> Any:
    """A mask that lets every query see every key."""
    return ops.ones_like(batch + head + token_q + token_kv, dtype=bool)


def and_masks(*mask_mods: Mod) -> Mod:
    """What all of some masks let through."""

    def mask(b: Any, h: Any, q: Any, kv: Any) -> Any:
        result = noop_mask(b, h, q, kv)
        for mod in mask_mods:
            result = result & mod(b, h, q, kv)
        return result

    return mask


def or_masks(*mask_mods: Mod) -> Mod:
    """What one of some masks lets through."""

    def mask(b: Any, h: Any, q: Any, kv: Any) -> Any:
        result = ~noop_mask(b, h, q, kv)
        for mod in mask_mods:
            result = result | mod(b, h, q, kv)
        return result

    return mask


def create_mask(mod_fn: Mod, B: int | None, H: int | None, Q_LEN: int, KV_LEN: int, device: Any = "cpu") -> Tensor:
    """A mask as a table: bool, (N, nh, T, S).

    Args:
        mod_fn: ``mod_fn(batch, head, query, key)``, on tensors of indices that broadcast.
        B: N, how many sequences there are; None for 1.
        H: nh, how many heads; None for 1.
        Q_LEN: T, how many queries.
        KV_LEN: S, how many keys.
        device: of the table.
    """
    shape = (B or 1, H or 1, Q_LEN, KV_LEN)
    return ops.broadcast_to(mod_fn(*_positions(device, *shape)), shape)


def create_block_mask(
    mask_mod: Mod,
    B: int | None,
    H: int | None,
    Q_LEN: int,
    KV_LEN: int,
    device: Any = "cpu",
    BLOCK_SIZE: Any = BLOCK_SIZE,
    _compile: bool = False,
    **others: Any,
) -> BlockMask:
    """The `BlockMask` of a function; see `create_mask`.

    Example:
        >>> from wengert.nn.attention.flex_attention import create_block_mask
        >>> create_block_mask(lambda b, h, q, kv: q >= kv, None, None, 4, 4, BLOCK_SIZE=2).to_dense()
        tensor([[[[1, 0],
                  [1, 1]]]], dtype=wengert.int32)
    """
    return BlockMask(mask_mod, (B or 1, H or 1, Q_LEN, KV_LEN), BLOCK_SIZE, device)


def flex_attention(
    query: Any,
    key: Any,
    value: Any,
    score_mod: Mod | None = None,
    block_mask: BlockMask | None = None,
    scale: float | None = None,
    enable_gqa: bool = False,
    return_lse: bool = False,
    kernel_options: Any = None,
    *,
    return_aux: AuxRequest | None = None,
) -> Any:
    """``softmax(score_mod(scale q k^T)) v``.

    Args:
        query: (N, nh, T, D).
        key: (N, nh, S, D).
        value: (N, nh, S, E).
        score_mod: ``score_mod(score, batch, head, query, key)``, on all scores at once: indices broadcast.
        block_mask: which queries see which keys; a query that sees none gets zeros.
        scale: ``1 / sqrt(D)`` unless told.
        enable_gqa: whether several heads of ``query`` share one of ``key`` and ``value``.
        return_lse: whether to return the logarithms of the softmax's sums too.
        kernel_options: for PyTorch's sake.
        return_aux: what else to return.

    Returns:
        (N, nh, T, E), and (N, nh, T) if asked for.
    """
    if enable_gqa:
        shared = query.size(-3) // key.size(-3)
        key, value = key.repeat_interleave(shared, -3), value.repeat_interleave(shared, -3)
    scores = (query @ key.mT) * (1 / math.sqrt(query.size(-1)) if scale is None else scale)
    places = _positions(query.device, *scores.shape)
    if score_mod is not None:
        scores = score_mod(scores, *places).to(scores.dtype)
    if block_mask is not None:
        scores = ops.where(block_mask.mask_mod(*places), scores, -math.inf)
    lse = scores.logsumexp(-1)
    alone = (lse == -math.inf).unsqueeze(-1)
    weights = ops.exp(scores - ops.where(alone, ops.zeros_like(lse).unsqueeze(-1), lse.unsqueeze(-1)))
    output = weights.to(value.dtype) @ value
    if return_aux is not None:
        largest = scores.amax(-1) if return_aux.max_scores else None
        return output, AuxOutput(lse if return_aux.lse else None, largest)
    return (output, lse) if return_lse else output


vars(attention)["flex_attention"] = add_path(
    f"{__package__}.attention.flex_attention",
    {
        **{name: globals()[name] for name in __all__},
        "AuxOutput": AuxOutput,
        "AuxRequest": AuxRequest,
        "_DEFAULT_SPARSE_BLOCK_SIZE": BLOCK_SIZE,
        "_mask_mod_signature": Mod,
        "_score_mod_signature": Mod,
    },
)
