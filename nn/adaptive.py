"""A softmax over many classes that spends little on the rare ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..autograd import ops
from ..backends.errors import ShapeError
from . import functional as F
from .containers import ModuleList, Sequential
from .linear import Linear
from .module import Module

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class Result(NamedTuple):
    """What `AdaptiveLogSoftmaxWithLoss` returns: the log-probability of each target, and the mean loss."""

    output: Any
    loss: Any


class AdaptiveLogSoftmaxWithLoss(Module):
    """An approximation of log-softmax over classes that are sorted by how often they occur.

    The ``head`` tells the frequent classes apart, and chooses among clusters of rarer ones; each cluster has its own,
    ever narrower projection.

    Args:
        in_features: D, the width of the input.
        n_classes: V, the number of classes.
        cutoffs: where the clusters begin, rising; the classes below the first are the frequent ones.
        div_value: by how much each cluster is narrower than the one before.
        head_bias: whether the head has a bias.
        device, dtype: of the parameters.

    Shape: (N, D) and targets (N), or (D) and a target (), to log-probabilities (N) or (), and a loss ().

    Raises:
        ValueError: the cutoffs do not rise, or are not between 1 and ``n_classes - 1``.

    Example:
        >>> import wengert as wg
        >>> softmax = wg.nn.AdaptiveLogSoftmaxWithLoss(16, 20, cutoffs=[5, 10])
        >>> out, loss = softmax(wg.ones(3, 16), wg.tensor([0, 7, 19]))
        >>> out.shape, softmax.log_prob(wg.ones(3, 16)).shape
        (wengert.Size([3]), wengert.Size([3, 20]))

    References:
        É. Grave et al., "Efficient softmax approximation for GPUs", arXiv:1609.04309.
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        rising = cutoffs == sorted(set(cutoffs)) and all(int(c) == c for c in cutoffs)
        if not rising or min(cutoffs) <= 0 or max(cutoffs) > n_classes - 1:
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each "
                f"value is between 1 and n_classes-1; not {cutoffs} with {n_classes} classes"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        options: dict[str, Any] = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, bias=head_bias, **options)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            width = int(in_features // div_value ** (i + 1))
            size = self.cutoffs[i + 1] - self.cutoffs[i]
            self.tail.append(
                Sequential(
                    Linear(in_features, width, bias=False, **options), Linear(width, size, bias=False, **options)
                )
            )

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        self.head.reset_parameters()
        for module in self.tail.modules():
            if isinstance(module, Linear):
                module.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> Result:
        """The log-probability of each target, and their negative mean."""
        _check_batch(input_, target_)
        single = target_.ndim == 0
        input, target = (input_[None], target_[None]) if single else (input_, target_)
        if bool(((target < 0) | (target >= self.n_classes)).any()):
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{target.min().item()}, {target.max().item()}] were found."
            )
        output = input.new_zeros(target.shape[0])
        inside = target.clamp(max=self.shortlist_size - 1)
        for i, cluster in enumerate(self.tail):
            rows = ((target >= self.cutoffs[i]) & (target < self.cutoffs[i + 1])).nonzero()[:, 0]
            if rows.numel():
                logs = F.log_softmax(cluster(input.index_select(0, rows)), dim=1)
                chosen = logs.gather(1, (target[rows] - self.cutoffs[i])[:, None])[:, 0]
                output = output.index_copy(0, rows, chosen.to(output.dtype))
                inside = inside.index_fill(0, rows, self.shortlist_size + i)
        head = F.log_softmax(self.head(input), dim=1)
        output = output + head.gather(1, inside[:, None])[:, 0]
        loss = (-output).mean()
        return Result(output[0] if single else output, loss)

    def _full_log_prob(self, input: Tensor, head_output: Tensor) -> Tensor:
        head = F.log_softmax(head_output, dim=1)
        parts = [head[:, : self.shortlist_size]]
        for i, cluster in enumerate(self.tail):
            parts.append(F.log_softmax(cluster(input), dim=1) + head[:, self.shortlist_size + i, None])
        return ops.cat(parts, dim=1)

    def log_prob(self, input: Tensor) -> Tensor:
        """The log-probabilities of all classes: (N, D) to (N, V)."""
        return self._full_log_prob(input, self.head(input))

    def predict(self, input: Tensor) -> Tensor:
        """The most likely class of each input, without the clusters where the head is sure: (N, D) to (N)."""
        head_output = self.head(input)
        output = head_output.argmax(dim=1)
        rare = output >= self.shortlist_size
        if bool(rare.any()):
            rows = rare.nonzero()[:, 0]
            full = self._full_log_prob(input.index_select(0, rows), head_output.index_select(0, rows))
            output = output.index_copy(0, rows, full.argmax(dim=1))
        return output  # type: ignore[no-any-return]


def _check_batch(input: Tensor, target: Tensor) -> None:
    if target.ndim == 1:
        if input.shape[0] != target.shape[0]:
            raise ShapeError(
                f"Input and target should have the same size in the batch dimension: {list(input.shape)}, "
                f"{list(target.shape)}"
            )
        if input.ndim != 2:
            raise ShapeError(f"1D target tensor expects 2D input tensors, but found inputs with size {input.shape}")
    elif target.ndim == 0:
        if input.ndim != 1:
            raise ShapeError(f"0D target tensor expects 1D input tensors, but found inputs with size {input.shape}")
    else:
        raise ShapeError("0D or 1D target tensor expected, multi-target not supported")
