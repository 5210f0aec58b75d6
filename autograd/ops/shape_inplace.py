"""Tensors that change their own shape: nothing is written, the tensor becomes another view of its memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..base import version_of, wrap
from ..grad_mode import mode
from ..write_checks import check_writable
from .shape import squeeze, t, transpose, unsqueeze

if TYPE_CHECKING:
    from ..tensor import Tensor


def change_view(tensor: Tensor, name: str, change: Any) -> Tensor:
    """Make ``tensor`` what ``change`` makes of it, in the graph too. Only its shape changes, so nothing is written."""
    check_writable(tensor, name)
    before = wrap(tensor._data)
    before._edge, before._rg, before._ver, before._view = tensor._edge, tensor._rg, version_of(tensor), tensor._view
    after = change(before)
    tensor._data = after._data
    if mode.grad:
        tensor._edge, tensor._rg = after._edge, after._rg
    if tensor._view is not None:
        tensor._view = after._view
    return tensor


def unsqueeze_(input: Tensor, dim: int) -> Tensor:
    """`unsqueeze` in place."""
    return change_view(input, "unsqueeze_", lambda x: unsqueeze(x, dim))


def squeeze_(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """`squeeze` in place."""
    return change_view(input, "squeeze_", lambda x: squeeze(x, dim))


def transpose_(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """`transpose` in place."""
    return change_view(input, "transpose_", lambda x: transpose(x, dim0, dim1))


swapdims_ = transpose_


def swapaxes_(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """`swapaxes` in place."""
    return transpose_(input, axis0, axis1)


def t_(input: Tensor) -> Tensor:
    """`t` in place."""
    return change_view(input, "t_", t)
