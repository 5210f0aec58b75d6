"""``Size``: what ``tensor.shape`` is. A tuple of integers that knows how many elements they make."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["Size"]


class Size(tuple[int, ...]):
    """The sizes of a tensor's dimensions: a tuple whose slices and sums are sizes again.

    Example:
        >>> import wengert as wg
        >>> wg.zeros(2, 3).shape
        wengert.Size([2, 3])
        >>> wg.zeros(2, 3).shape.numel()
        6
    """

    __slots__ = ()

    def numel(self) -> int:
        """The product of the sizes."""
        return math.prod(self)

    def __getitem__(self, index: Any) -> Any:
        item = tuple.__getitem__(self, index)
        return Size(item) if isinstance(index, slice) else item

    def __add__(self, other: Any) -> Any:
        return Size(tuple.__add__(self, other)) if isinstance(other, tuple) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        return Size(other + tuple(self)) if isinstance(other, tuple) else NotImplemented

    def __mul__(self, times: Any) -> Any:
        return Size(tuple.__mul__(self, times))

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return f"wengert.Size([{', '.join(map(str, self))}])"

    def __reduce__(self) -> Any:
        return (Size, (tuple(self),))
