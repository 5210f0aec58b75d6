"""Where a token stands: sinusoids that are added to its embedding, and rotations of queries and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..autograd import ops
from ..backends.errors import InvalidValueError, ShapeError
from .module import Module

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor

__all__ = ["RotaryEmbedding", "SinusoidalPosition"]


def angles(length: int, dim: int, base: float, **options: Any) -> Tensor:
    """``t / base ** (2 i / dim)`` of place t and pair i: (length, dim / 2), computed in float64."""
    rates = base ** (ops.arange(0, dim, 2, dtype="float64") / -dim)
    result: Tensor = ops.outer(ops.arange(length, dtype="float64"), rates).to(**options)
    return result


def check_even(name: str, dim: int) -> None:
    """Raise an error unless ``dim`` consists of pairs."""
    if dim <= 0 or dim % 2:
        raise InvalidValueError(f"{name}: dim must be a positive even number, since it holds pairs, but is {dim}")


class SinusoidalPosition(Module):
    """Adds to each token sines and cosines of its place, of wavelengths from 2 pi to ``base`` times 2 pi.

    Args:
        dim: D, even.
        max_length: the longest sequence.
        base: the ratio of the wavelengths.
        device, dtype: of the table.

    Shape: (*, T, D) to the same. The table is a buffer that ``state_dict`` leaves out, as it can be computed.

    Raises:
        ValueError: ``dim`` is odd. RuntimeError: a sequence is longer than ``max_length``, or of another width.

    Example:
        >>> import wengert as wg
        >>> position = wg.nn.SinusoidalPosition(4, max_length=8)
        >>> position(wg.zeros(1, 2, 4))[0, 0]
        tensor([0., 1., 0., 1.])

    References:
        A. Vaswani et al., "Attention is all you need", arXiv:1706.03762.
    """

    table: Tensor

    def __init__(
        self, dim: int, max_length: int = 5000, base: float = 10000.0, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        check_even("SinusoidalPosition", dim)
        self.dim, self.max_length, self.base = dim, max_length, base
        phase = angles(max_length, dim, base)
        table = ops.stack([ops.sin(phase), ops.cos(phase)], dim=-1).flatten(1)
        self.register_buffer("table", table.to(device=device, dtype=dtype or ops.zeros(0).dtype), persistent=False)

    def forward(self, input: Tensor) -> Tensor:
        """(*, T, D) to the same."""
        if input.ndim < 2 or input.shape[-1] != self.dim or input.shape[-2] > self.max_length:
            raise ShapeError(
                f"SinusoidalPosition: expected (*, T, {self.dim}) with T up to max_length={self.max_length}, got "
                f"{list(input.shape)}"
            )
        result: Tensor = input + self.table[: input.shape[-2]].to(input.dtype)
        return result

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.dim}, max_length={self.max_length}"


class RotaryEmbedding(Module):
    """Turns pairs of features by angles that grow with the place, so that a product of two depends on their distance.

    Queries and keys go through it, values do not. Angles are ``t / base ** (2 i / dim)`` for place t and pair i.

    Args:
        dim: D, even: the size of a head.
        base: how much slower the last pair turns than the first.
        interleaved: pairs are neighbours (0, 1), (2, 3), as in the paper; else feature i is paired with i + D / 2, as
            most published models have it.

    Shape: (*, T, D) to the same.

    Raises:
        ValueError: ``dim`` is odd. RuntimeError: the input's last size is not ``dim``.

    Example:
        >>> import wengert as wg
        >>> rotary = wg.nn.RotaryEmbedding(8)
        >>> q = rotary(wg.randn(2, 4, 16, 8))  # (batch, heads, T, D)
        >>> one_more = rotary(wg.randn(2, 4, 1, 8), offset=16)  # the token after these

    References:
        J. Su et al., "RoFormer: enhanced transformer with rotary position embedding", arXiv:2104.09864.
    """

    def __init__(self, dim: int, base: float = 10000.0, interleaved: bool = False) -> None:
        super().__init__()
        check_even("RotaryEmbedding", dim)
        self.dim, self.base, self.interleaved = dim, base, interleaved
        self._tables: dict[Any, tuple[Tensor, Tensor]] = {}

    def forward(self, input: Tensor, offset: int = 0) -> Tensor:
        """(*, T, D) to the same; ``offset`` is the place of the first token."""
        if input.ndim < 2 or input.shape[-1] != self.dim:
            raise ShapeError(f"RotaryEmbedding: expected (*, T, {self.dim}), got {list(input.shape)}")
        cos, sin = self._table(offset + input.shape[-2], input)
        cos, sin = cos[offset:], sin[offset:]
        if self.interleaved:
            first, second = input[..., 0::2], input[..., 1::2]
        else:
            first, second = ops.chunk(input, 2, -1)
        turned = [first * cos - second * sin, first * sin + second * cos]
        return ops.stack(turned, -1).flatten(-2) if self.interleaved else ops.cat(turned, -1)

    def _table(self, length: int, like: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines and sines (length, D / 2) of the type and on the device of ``like``; kept for the next call."""
        place = like.dtype, like.device
        kept = self._tables.get(place)
        if kept is None or len(kept[0]) < length:
            phase = angles(max(length, 2 * len(kept[0]) if kept else 0), self.dim, self.base)
            kept = tuple(f(phase).to(dtype=like.dtype, device=like.device) for f in (ops.cos, ops.sin))  # type: ignore[assignment]
            self._tables[place] = kept  # type: ignore[assignment]
        cos, sin = kept  # type: ignore[misc]
        return cos[:length], sin[:length]

    def extra_repr(self) -> str:
        """The settings."""
        return f"{self.dim}, base={self.base}, interleaved={self.interleaved}"
