"""Tensors with at least so many dimensions."""

from __future__ import annotations

from typing import Any

from ..base import TensorBase
from .shape import reshape, unsqueeze


def _at_least(tensors: tuple[Any, ...], grow: Any) -> Any:
    if len(tensors) == 1 and isinstance(tensors[0], TensorBase):
        return grow(tensors[0])
    several = tensors[0] if len(tensors) == 1 else tensors
    return tuple([grow(x) for x in several])


def atleast_1d(*tensors: Any) -> Any:
    """Each tensor with at least one dimension; one tensor gives a tensor, several give a tuple."""
    return _at_least(tensors, lambda x: x if x._data.ndim else reshape(x, (1,)))


def atleast_2d(*tensors: Any) -> Any:
    """Each tensor with at least two dimensions; new ones are in front."""
    return _at_least(tensors, lambda x: x if x._data.ndim >= 2 else reshape(x, (1, x._data.size)))


def atleast_3d(*tensors: Any) -> Any:
    """Each tensor with at least three dimensions; a matrix gets the third behind its own two."""

    def grow(x: Any) -> Any:
        x = atleast_2d(x)
        return x if x._data.ndim >= 3 else unsqueeze(x, -1)

    return _at_least(tensors, grow)
