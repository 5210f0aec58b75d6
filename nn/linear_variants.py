"""Linear layers with a twist that PyTorch lacks: weights that are dropped, and the largest of several outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..autograd import ops
from ..backends.errors import InvalidValueError
from . import functional as F
from .linear import Linear

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = ["DropConnectLinear", "Maxout"]


class DropConnectLinear(Linear):
    """A linear layer that drops weights in training, where dropout would drop inputs.

    A weight is kept with probability ``1 - p`` and then divided by it, so that evaluation needs no scaling. One draw
    serves a whole batch.

    Args:
        in_features, out_features, bias, device, dtype: as for `Linear`.
        p: the probability that a weight is dropped.

    Shape: (*, D) to (*, E); parameters as in `Linear`.

    Raises:
        ValueError: ``p`` is not within [0, 1].

    Example:
        >>> import wengert as wg
        >>> layer = wg.nn.DropConnectLinear(4, 2, p=0.5).eval()
        >>> layer(wg.ones(3, 4)).shape
        wengert.Size([3, 2])

    References:
        L. Wan et al., "Regularization of neural networks using DropConnect", ICML 2013.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        p: float = 0.5,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if not 0 <= p <= 1:
            raise InvalidValueError(f"DropConnectLinear: p must be a probability, between 0 and 1, but got {p}")
        super().__init__(in_features, out_features, bias, device=device, dtype=dtype)
        self.p = p

    def forward(self, input: Tensor) -> Tensor:
        """(*, D) to (*, E)."""
        return F.linear(input, F.dropout(self.weight, self.p, self.training), self.bias)

    def extra_repr(self) -> str:
        """The sizes and the probability."""
        return f"{super().extra_repr()}, p={self.p}"


class Maxout(Linear):
    """The largest of ``pieces`` linear functions, for each output: a convex activation that is learned.

    Args:
        in_features: D.
        out_features: E.
        pieces: how many functions an output chooses from.
        bias, device, dtype: as for `Linear`.

    Shape: (*, D) to (*, E). ``weight`` is (E * pieces, D): the functions of an output are neighbours.

    Raises:
        ValueError: ``pieces`` is not positive.

    Example:
        >>> import wengert as wg
        >>> wg.nn.Maxout(4, 2, pieces=3)(wg.ones(5, 4)).shape
        wengert.Size([5, 2])

    References:
        I. J. Goodfellow et al., "Maxout networks", arXiv:1302.4389.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        pieces: int = 2,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if pieces < 1:
            raise InvalidValueError(f"Maxout: pieces must be positive, but is {pieces}")
        super().__init__(in_features, out_features * pieces, bias, device=device, dtype=dtype)
        self.pieces = pieces

    def forward(self, input: Tensor) -> Tensor:
        """(*, D) to (*, E)."""
        return ops.amax(ops.unflatten(super().forward(input), -1, (-1, self.pieces)), -1)

    def extra_repr(self) -> str:
        """The sizes and the number of functions."""
        return f"{super().extra_repr()}, pieces={self.pieces}"
