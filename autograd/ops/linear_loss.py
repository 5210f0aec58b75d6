"""Cross entropy of the scores that a linear layer makes: the two in one call, with PyTorch's options for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...backends.call_site import warn
from ...backends.errors import ArgumentError, ShapeError
from .classification import cross_entropy
from .linear import linear
from .shape import reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


@dataclass(frozen=True)
class LinearCrossEntropyOptions:
    """How PyTorch is to divide `linear_cross_entropy` into pieces; here the scores are made in one piece.

    The result does not depend on any of them, so they are checked and kept.

    Args:
        allow_retain_graph: whether backward may run twice; here it always may.
        batch_chunk_size: samples per piece, or None for all.
        chunking_method: ``"auto"``, ``"aspect_ratio"``, ``"aspect_ratio:N"`` or None.
        acc_policy: ``"auto"``, ``"accurate"``, ``"balanced"`` or ``"compact"``.
        acc_dtype: the type to add up in, a floating-point one, or None.

    Raises:
        ValueError: an argument is none of these.
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: Any = None

    def __post_init__(self) -> None:
        if self.acc_policy not in ("auto", "accurate", "balanced", "compact"):
            raise ValueError(f"invalid acc_policy: {self.acc_policy!r}")
        if self.chunking_method not in (None, "auto"):
            name, _, parts = str(self.chunking_method).partition(":")
            if (
                name != "aspect_ratio"
                or not (parts or "1").isdigit()
                or str(self.chunking_method).endswith((":", ":0"))
            ):
                raise ValueError(f"invalid chunking_method: {self.chunking_method!r}")
        size = self.batch_chunk_size
        if size is not None and not (isinstance(size, int) and size > 0):
            raise ValueError(f"batch_chunk_size must be positive int or None, got {size!r}")
        if self.acc_dtype is not None and not self.acc_dtype.is_floating_point:
            raise ValueError(f"acc_dtype must be a floating-point type or None, got {self.acc_dtype!r}")


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: LinearCrossEntropyOptions | None = None,
) -> Tensor:
    """`cross_entropy` of ``linear(input, linear_weight, linear_bias)``; arguments as in those two.

    Args:
        input: (N, D) or (D).
        linear_weight: (C, D), or (C, d1, ..., D) for scores of (N, C, d1, ...).
        target: as in `cross_entropy`.
        linear_bias: (C), or (C, d1, ...), or None.
        weight: as in `cross_entropy`.
        reduction: likewise.
        ignore_index: likewise; not for a target of probabilities.
        label_smoothing: likewise.
        options: see `LinearCrossEntropyOptions`.

    Raises:
        RuntimeError: shapes do not fit.

    Example:
        >>> import wengert as wg
        >>> x, w = wg.zeros(2, 3), wg.ones(4, 3)
        >>> wg.nn.functional.linear_cross_entropy(x, w, wg.tensor([0, 3]))
        tensor(1.3863)
    """
    places = _check(input, linear_weight, linear_bias)
    rows, classes = input._data.shape[:-1], linear_weight._data.shape[0]
    if target._data.shape == (*rows, classes, *places) and ignore_index is not None:
        raise ArgumentError("ignore_index cannot be specified when target contains probabilities")
    if options is not None and (places or label_smoothing or target._data.dtype.name != "int64"):
        warn(
            "linear_cross_entropy: ``options`` ignored; chunked path needs reduction in {'mean','sum','none'}, "
            f"label_smoothing == 0, target.dtype == int64, out_features == (). Got {reduction=}, {label_smoothing=}, "
            f"target.dtype={target.dtype}, out_features={places}."
        )
    if places:
        linear_weight = reshape_rule(linear_weight, (-1, linear_weight._data.shape[-1]))
        linear_bias = None if linear_bias is None else reshape_rule(linear_bias, (-1,))
    scores = linear(input, linear_weight, linear_bias)
    if places:
        scores = reshape_rule(scores, (*rows, classes, *places))
    return cross_entropy(
        scores,
        target,
        weight,
        ignore_index=-100 if ignore_index is None else ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )


def _check(input: Any, weight: Any, bias: Any) -> tuple[int, ...]:
    """The further dimensions of the scores, after checking the shapes."""
    x, w = input._data.shape, weight._data.shape
    if len(x) not in (1, 2):
        raise ShapeError(f"expected input with dimensionality 1 or 2, got {len(x)}")
    if len(w) < 2:
        raise ShapeError(f"expected linear_weight with dimensionality at least 2, got {len(w)}")
    if x[-1] != w[-1]:
        raise ShapeError(
            f"expected equal input and linear_weight last dimensions (in_features), got {x[-1]} and {w[-1]}, "
            "respectively"
        )
    if bias is not None and bias._data.shape != w[:-1]:
        raise ShapeError(f"expected linear_bias shape {w[:-1]}, got {bias._data.shape}")
    if len(w) > 2 and len(x) == 1:
        raise ShapeError(
            f"K-dimensional loss defined by linear_weight shape {w} requires batched input, (N, {x[0]}), got unbatched "
            f"input with shape {x}"
        )
    places: tuple[int, ...] = w[1:-1]
    return places
