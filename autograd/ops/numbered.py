"""The forms of losses, norms and lookups that stand at PyTorch's front door, beside those of ``nn.functional``.

They are older: ``reduction`` is a number, and weights come before statistics or indices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.errors import ArgumentError, ShapeError
from ..base import wrap
from . import classification, ctc, likelihood
from . import margin as margins
from .bag import bags_of
from .bag import embedding_bag as embedding_bag_of
from .embedding import embedding as embedding_of
from .embedding import renormalise
from .norm import batch_norm as batch_norm_of
from .norm import instance_norm as instance_norm_of

if TYPE_CHECKING:
    from ..tensor import Tensor

REDUCTIONS = ("none", "mean", "sum")


def _named(reduction: int) -> str:
    if reduction not in (0, 1, 2):
        raise ArgumentError(f"reduction must be 0 (none), 1 (mean) or 2 (sum), got {reduction!r}")
    return REDUCTIONS[reduction]


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    pos_weight: Tensor | None = None,
    reduction: int = 1,
) -> Tensor:
    """`nn.functional.binary_cross_entropy_with_logits`; ``reduction`` is 0 for none, 1 for mean, 2 for sum."""
    return classification.binary_cross_entropy_with_logits(
        input, target, weight, reduction=_named(reduction), pos_weight=pos_weight
    )


def kl_div(input: Tensor, target: Tensor, reduction: int = 1, *, log_target: bool = False) -> Tensor:
    """`nn.functional.kl_div`; ``reduction`` is 0 for none, 1 for the mean of all elements, 2 for sum."""
    if reduction == 1:
        return classification.kl_div(input, target, reduction="none", log_target=log_target).mean()
    return classification.kl_div(input, target, reduction=_named(reduction), log_target=log_target)


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 1
) -> Tensor:
    """`nn.functional.cosine_embedding_loss`; ``reduction`` is 0 for none, 1 for mean, 2 for sum."""
    return margins.cosine_embedding_loss(input1, input2, target, margin, reduction=_named(reduction))


def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, reduction: int = 1) -> Tensor:
    """`nn.functional.hinge_embedding_loss`; ``reduction`` is 0 for none, 1 for mean, 2 for sum."""
    return margins.hinge_embedding_loss(input, target, margin, reduction=_named(reduction))


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 1
) -> Tensor:
    """`nn.functional.margin_ranking_loss`; ``reduction`` is 0 for none, 1 for mean, 2 for sum."""
    return margins.margin_ranking_loss(input1, input2, target, margin, reduction=_named(reduction))


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: int = 1,
) -> Tensor:
    """`nn.functional.triplet_margin_loss`; ``reduction`` is 0 for none, 1 for mean, 2 for sum."""
    return margins.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction=_named(reduction))


def poisson_nll_loss(input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int) -> Tensor:
    """`nn.functional.poisson_nll_loss`; ``reduction`` is 0 for none, 1 for mean, 2 for sum."""
    return likelihood.poisson_nll_loss(input, target, log_input, full, eps=eps, reduction=_named(reduction))


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: int = 1,
    zero_infinity: bool = False,
) -> Tensor:
    """`nn.functional.ctc_loss`; ``reduction`` is 0 for none, 1 for mean, 2 for sum."""
    return ctc.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, _named(reduction), zero_infinity)


def embedding(
    weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False
) -> Tensor:
    """`nn.functional.embedding`, weights first; a negative ``padding_idx`` stands for none."""
    row = None if padding_idx < 0 else padding_idx
    return embedding_of(indices, weight, row, scale_grad_by_freq=scale_grad_by_freq, sparse=sparse)


def embedding_renorm_(input: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> Tensor:
    """Scale the rows of ``input`` that ``indices`` name down to a norm of ``max_norm``, in place."""
    return renormalise(input, indices, max_norm, norm_type)


def embedding_bag(
    weight: Tensor,
    indices: Tensor,
    offsets: Tensor,
    scale_grad_by_freq: bool = False,
    mode: int = 0,
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`nn.functional.embedding_bag`, weights first; ``mode`` is 0 for sum, 1 for mean, 2 for max.

    Returns:
        The bags; the bag of each index; the bags' sizes; and, as PyTorch's fourth result, the sizes again.
    """
    for name, value, ranks in (("input", indices, (1, 2)), ("offsets", offsets, (1,)), ("weight", weight, (2,))):
        if value._data.ndim not in ranks:
            kinds = " or ".join([f"{rank}D" for rank in ranks])
            raise ShapeError(f"embedding_bag: {name} has to be a {kinds} Tensor, but its shape is {list(value.shape)}")
    y = embedding_bag_of(
        indices,
        weight,
        offsets,
        scale_grad_by_freq=scale_grad_by_freq,
        mode=("sum", "mean", "max")[mode],
        sparse=sparse,
        per_sample_weights=per_sample_weights,
        include_last_offset=include_last_offset,
        padding_idx=padding_idx,
    )
    _, bag, bags = bags_of(indices, offsets, include_last_offset)
    sizes = wrap(kernels_of[type(bag)].bincount(bag, minlength=bags)[:bags])
    return y, wrap(bag), sizes, sizes


def batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """`nn.functional.batch_norm`, weights first; ``cudnn_enabled`` is ignored."""
    return batch_norm_of(input, running_mean, running_var, weight, bias, training, momentum, eps)


def instance_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """`nn.functional.instance_norm`, weights first; ``cudnn_enabled`` is ignored."""
    return instance_norm_of(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)
