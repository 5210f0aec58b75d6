"""``Size``: what ``tensor.shape`` is. A tuple of integers that knows how many elements they make."""

from __future__ import annotations

import math
import operator
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

    def __new__(cls, sizes: Any = ()) -> Size:
        """The sizes of an iterable: integers, or 0-d tensors of them.

        Raises:
            TypeError: one is no integer.
        """
        if type(sizes) is tuple:
            for n in sizes:
                if n.__class__ is not int:
                    break
            else:
                return tuple.__new__(cls, sizes)
        return tuple.__new__(cls, map(_size, sizes))

    def numel(self) -> int:
        """The product of the sizes."""
        return math.prod(self)

    def __getitem__(self, index: Any) -> Any:
        item = tuple.__getitem__(self, index)
        return tuple.__new__(Size, item) if isinstance(index, slice) else item

    def __add__(self, other: Any) -> Any:
        return tuple.__new__(Size, tuple.__add__(self, other)) if isinstance(other, tuple) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        return Size(other + tuple(self)) if isinstance(other, tuple) else NotImplemented

    def __mul__(self, times: Any) -> Any:
        return tuple.__new__(Size, tuple.__mul__(self, times))

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return f"wengert.Size([{', '.join(map(str, self))}])"

    def __reduce__(self) -> Any:
        return (Size, (tuple(self),))


def _size(value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError:
        kind = type(value).__name__
        raise TypeError(f"wengert.Size() takes an iterable of 'int', and an item is a '{kind}'") from None
