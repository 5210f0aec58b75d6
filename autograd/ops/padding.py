"""Padding: more elements around the last dimensions, of one value or repeated from inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...backends import assign
from ...backends.errors import ShapeError
from ..primitive import Primitive, apply
from .dims import sizes_of
from .expansion import expand_rule
from .indexing import slice_rule
from .join import cat_rule
from .layout import clone, contiguous, laid_out_like
from .rearrange import Flip
from .scalar import number_for

if TYPE_CHECKING:
    from ..tensor import Tensor


class ConstantPad(Primitive):
    """``x`` in the middle of one value; ``before`` and ``after`` count elements per dimension."""

    layout = "channels"

    @staticmethod
    def forward(ctx: Any, x: Any, *, before: tuple[int, ...], after: tuple[int, ...], value: Any) -> Any:
        ctx.info = x.shape
        shape = tuple([b + n + a for b, n, a in zip(before, x.shape, after, strict=True)])
        y = ctx.k.full(shape, value, dtype=x.dtype)
        assign(y[inside(before, x.shape)], x)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g[inside(ctx.params["before"], ctx.info)]


ConstantPad.node_type.__name__ = "ConstantPadNdBackward0"


def inside(before: tuple[int, ...], shape: tuple[int, ...]) -> tuple[slice, ...]:
    """The key of the part of ``shape`` that begins after ``before`` elements."""
    return tuple([slice(b, b + n) for b, n in zip(before, shape, strict=True)])


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """``input`` with elements added (or, for negative numbers, taken) around its last dimensions.

    Args:
        input: any shape.
        pad: pairs (before, after), the last dimension's first.
        mode: ``"constant"``, ``"reflect"`` (mirrored at the outermost element), ``"replicate"`` (the outermost element)
            or ``"circular"`` (from the other end).
        value: what to add in mode ``"constant"``; 0 unless told.

    Raises:
        RuntimeError: there are too many numbers or an odd number of them, or the result has a negative size, or there
            are not enough elements to mirror.
        NotImplementedError: the mode is unknown.

    Example:
        >>> import wengert as wg
        >>> wg.nn.functional.pad(wg.tensor([1.0, 2.0, 3.0]), (1, 2))
        tensor([0., 1., 2., 3., 0., 0.])
    """
    amounts = sizes_of("pad", pad)
    ndim = input._data.ndim
    if len(amounts) % 2:
        raise ShapeError(f"Padding length must be divisible by 2, got {list(amounts)}")
    if len(amounts) > 2 * ndim:
        raise ShapeError(
            f"Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(amounts)} and input of dimension {ndim}"
        )
    lead = ndim - len(amounts) // 2
    before = (0,) * lead + amounts[::2][::-1]
    after = (0,) * lead + amounts[1::2][::-1]
    if mode == "constant":
        return laid_out_like(_constant(input, before, after, 0 if value is None else value), input)
    if value is not None and value != 0:
        raise ShapeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in _PIECES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}; use constant, {', '.join(_PIECES)}")
    if ndim not in (len(amounts) // 2 + 1, len(amounts) // 2 + 2) or not 2 <= len(amounts) <= 6:
        raise NotImplementedError(
            f"Padding size {len(amounts)} is not supported for {ndim}D input tensor; Only 2D, 3D, 4D, 5D padding with "
            "non-constant padding are supported for now"
        )
    if mode != "circular" and 0 in input._data.shape[ndim - len(amounts) // 2 - 1 :]:
        raise ShapeError(
            f"Expected {len(amounts) // 2 + 1}D or {len(amounts) // 2 + 2}D (batch mode) tensor with possibly 0 batch "
            f"size and other non-zero dimensions for input, but got: {list(input._data.shape)}"
        )
    y: Any = input
    for dim in range(lead, ndim):
        if before[dim] or after[dim]:
            y = _from_inside(y, dim, before[dim], after[dim], mode)
    y = clone(y) if y is input else contiguous(y)
    return y if mode == "circular" else laid_out_like(y, input)


def constant_pad_nd(input: Tensor, pad: Sequence[int], value: float = 0) -> Tensor:
    """`pad` with a constant."""
    return _pad(input, pad, "constant", value)


_pad = pad


def _constant(input: Any, before: tuple[int, ...], after: tuple[int, ...], value: Any) -> Any:
    y = input
    for dim, (b, n, a) in enumerate(zip(before, input._data.shape, after, strict=True)):
        first, last = max(0, -b), n - max(0, -a)
        if first > last or n + b + a < 0:
            raise ShapeError(
                f"pad: The input size {n}, plus negative padding {b} and {a}, resulted in a negative output size at "
                f"dimension {dim} of shape {list(input._data.shape)}"
            )
        if first or last < n:
            y = slice_rule(y, dim, first, last)
    number = number_for(value, input._data.dtype)
    front, back = [tuple([max(n, 0) for n in side]) for side in (before, after)]
    return apply(ConstantPad, y, before=front, after=back, value=number)


def _reflected(x: Any, dim: int, before: int, after: int) -> list[Any]:
    n = x._data.shape[dim]
    front, back = slice_rule(x, dim, 1, before + 1), slice_rule(x, dim, n - 1 - after, n - 1)
    return [apply(Flip, front, dims=(dim,)), x, apply(Flip, back, dims=(dim,))]


def _replicated(x: Any, dim: int, before: int, after: int) -> list[Any]:
    shape = x._data.shape
    n = shape[dim]
    sides = [(slice_rule(x, dim, 0, 1), before), (slice_rule(x, dim, n - 1, n), after)]
    front, back = [expand_rule(edge, (*shape[:dim], k, *shape[dim + 1 :])) for edge, k in sides]
    return [front, x, back]


def _circular(x: Any, dim: int, before: int, after: int) -> list[Any]:
    n = x._data.shape[dim]
    return [slice_rule(x, dim, n - before, n), x, slice_rule(x, dim, 0, after)]


_PIECES = {"reflect": _reflected, "replicate": _replicated, "circular": _circular}


def _from_inside(x: Any, dim: int, before: int, after: int, mode: str) -> Any:
    """``x`` padded along one dimension with its own elements."""
    n = x._data.shape[dim]
    most = {"reflect": n - 1, "replicate": max(before, after) if n else 0, "circular": n}[mode]
    if before > most or after > most:
        raise ShapeError(
            ("Padding value causes wrapping around more than once. " if mode == "circular" else "")
            + "pad: Argument #4: Padding size should be less than the corresponding input dimension, but got: padding "
            f"({before}, {after}) at dimension {dim} of input {list(x._data.shape)} in mode {mode!r}"
        )
    if n + before + after < 0 or -before > n or -after > n:
        raise ShapeError(f"pad: padding ({before}, {after}) takes more than the {n} elements of dimension {dim}")
    if mode == "circular" and min(before, after) < 0:  # what is cut off does not come in at the other end either
        x = slice_rule(x, dim, max(0, -before), n - max(0, -after))
        before, after = max(before, 0), max(after, 0)
    pieces = _PIECES[mode](x, dim, max(before, 0), max(after, 0))
    y = cat_rule([p for p in pieces if p._data.shape[dim]] or pieces[:1], dim)
    total = y._data.shape[dim]
    return slice_rule(y, dim, max(0, -before), total - max(0, -after)) if min(before, after) < 0 else y
