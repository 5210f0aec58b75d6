"""Elements repeated without a copy: ``expand`` and broadcasting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...backends.errors import ArgumentError, InvalidValueError, ShapeError
from ..base import TensorBase
from ..primitive import Primitive, apply
from .dims import sizes_of, spread
from .size import Size

if TYPE_CHECKING:
    from ..tensor import Tensor


class Expand(Primitive):
    """``x`` repeated along new and size-1 dimensions, without a copy."""

    view = True

    @staticmethod
    def forward(ctx: Any, x: Any, *, shape: tuple[int, ...]) -> Any:
        return ctx.k.broadcast_to(x, shape)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g  # the engine sums it to the input's shape


def expand_rule(x: Any, shape: tuple[int, ...]) -> Any:
    """``x`` (Tensor or array) broadcast to ``shape``."""
    return apply(Expand, x, shape=shape)


def expand(input: Tensor, sizes: Sequence[int], *, implicit: bool = False) -> Tensor:
    """Size-1 and new leading dimensions repeated, without a copy; -1 keeps a size.

    Raises:
        RuntimeError: a size differs from the tensor's and that is not 1.

    Example:
        >>> import wengert as wg
        >>> wg.tensor([[1], [2]]).expand(-1, 3)
        tensor([[1, 1, 1],
                [2, 2, 2]])
    """
    shape = input._data.shape
    wanted = sizes_of("expand", sizes)
    lead = len(wanted) - len(shape)
    if lead < 0:
        raise ShapeError(
            f"expand: the number of sizes provided ({len(wanted)}, {list(wanted)}) must be greater or equal to the "
            f"number of dimensions in the tensor ({len(shape)}, {list(shape)})"
        )
    target = []
    for i, n in enumerate(wanted):
        old = shape[i - lead] if i >= lead else None
        if n == -1 and old is not None:
            n = old
        elif n < 0:
            raise ShapeError(
                f"expand: The expanded size of the tensor ({n}) isn't allowed in a leading, non-existing dimension {i}"
            )
        elif old is not None and old not in (1, n):
            raise ShapeError(
                f"expand: The expanded size of the tensor ({n}) must match the existing size ({old}) at non-singleton "
                f"dimension {i}.  Target sizes: {list(wanted)}.  Tensor sizes: {list(shape)}"
            )
        target.append(n)
    return apply(Expand, input, shape=tuple(target))


expand_method = spread(expand, "size")


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """``input.expand(other.shape)``."""
    return expand(input, other._data.shape)


def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor:
    """`expand` under NumPy's name."""
    return expand(input, size)


def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that tensors of these shapes broadcast to.

    Raises:
        RuntimeError: they do not.

    Example:
        >>> import wengert as wg
        >>> wg.broadcast_shapes((2, 1), (3,))
        wengert.Size([2, 3])
    """
    try:
        plain = [(s,) if isinstance(s, int) else sizes_of("broadcast_shapes", s) for s in shapes]
    except TypeError as error:
        raise ArgumentError(
            "broadcast_shapes: Input shapes should be of type ints, a tuple of ints, or a list of ints, "
            f"got {', '.join(map(str, shapes))}"
        ) from error
    result = [1] * max(map(len, plain), default=0)
    for shape in plain:
        for i, n in enumerate(reversed(shape), 1):
            if n != 1 and result[-i] not in (1, n):
                raise ShapeError(
                    f"broadcast_shapes: Shape mismatch: objects cannot be broadcast to a single shape: Attempting to "
                    f"broadcast a dimension of length {n} at {-i}! The shapes are "
                    f"{', '.join(str(list(s)) for s in plain)}. The size of tensor a ({result[-i]}) must match the "
                    f"size of tensor b ({n}) at non-singleton dimension {len(result) - i}"
                )
            if n < 0:
                raise InvalidValueError(
                    f"broadcast_shapes: Attempting to broadcast a dimension with negative length! Got {list(shape)}"
                )
            result[-i] = n if n != 1 else result[-i]
    return Size(result)


def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """The tensors, each expanded to the shape they broadcast to."""
    several = tensors[0] if len(tensors) == 1 and not isinstance(tensors[0], TensorBase) else tensors
    shape = broadcast_shapes(*[x._data.shape for x in several])
    return tuple([x if x._data.shape == shape else expand(x, shape) for x in several])
