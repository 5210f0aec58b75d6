"""Collating: many items become one batch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from ...autograd.base import TensorBase
from ...autograd.ops import as_tensor, stack, tensor
from ...backends import dtypes
from ...backends.errors import ShapeError

__all__ = ["default_collate", "default_convert"]


def default_convert(data: Any) -> Any:
    """Arrays, also those nested in containers, become Tensors; everything else stays.

    Example:
        >>> import numpy as np
        >>> from wengert.utils.data import default_convert
        >>> default_convert({"x": np.array([1, 2]), "name": "a"})
        {'x': tensor([1, 2]), 'name': 'a'}
    """
    if isinstance(data, np.ndarray | np.generic):
        return data if data.dtype.kind in "SUO" else as_tensor(data)
    if isinstance(data, TensorBase | str | bytes):
        return data
    if isinstance(data, Mapping):
        return _rebuilt_mapping(data, {key: default_convert(value) for key, value in data.items()})
    if _is_namedtuple(data):
        return type(data)(*map(default_convert, data))
    if isinstance(data, tuple):
        return [default_convert(value) for value in data]
    if isinstance(data, Sequence):
        return _rebuilt_sequence(data, [default_convert(value) for value in data])
    return data


def default_collate(batch: Any) -> Any:
    """One batch of a list of items: Tensors are stacked along a new first dimension, containers are walked into.

    Numbers and arrays become Tensors, strings stay as they are. Dictionaries and named tuples keep their type, other
    tuples become lists.

    Args:
        batch: items of the same structure.

    Raises:
        RuntimeError: lists or Tensors of different sizes. TypeError: an item of a type that no batch is made of.

    Example:
        >>> from wengert.utils.data import default_collate
        >>> default_collate([{"x": 1, "y": (2.0, "a")}, {"x": 3, "y": (4.0, "b")}])
        {'x': tensor([1, 3]), 'y': [tensor([2., 4.], dtype=wengert.float64), ('a', 'b')]}
    """
    elem = batch[0]
    leaf = _collate_leaves(batch, elem)
    if leaf is not None:
        return leaf
    if isinstance(elem, Mapping):
        return _rebuilt_mapping(elem, {key: default_collate([d[key] for d in batch]) for key in elem})
    if _is_namedtuple(elem):
        return type(elem)(*(default_collate(column) for column in zip(*batch, strict=True)))
    if isinstance(elem, Sequence):
        sizes = [len(item) for item in batch]
        if any(n != sizes[0] for n in sizes):
            raise ShapeError(f"each element in list of batch should be of equal size, but the sizes are {sizes}")
        columns = [default_collate(column) for column in zip(*batch, strict=True)]
        return columns if isinstance(elem, tuple) else _rebuilt_sequence(elem, columns)
    raise TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found "
        f"{elem.dtype if isinstance(elem, np.ndarray) else type(elem)}. Give the DataLoader a collate_fn for others"
    )


def _collate_leaves(batch: Any, elem: Any) -> Any:
    """The batch of items that are no containers; None for other items."""
    if isinstance(elem, TensorBase):
        return stack(batch, 0)
    if isinstance(elem, str | bytes):
        return batch
    if isinstance(elem, np.ndarray):
        return None if elem.dtype.kind in "SUO" else stack([as_tensor(b) for b in batch], 0)
    if isinstance(elem, np.generic):
        return as_tensor(np.array(batch))
    if isinstance(elem, float):
        return tensor(batch, dtype=dtypes.float64)
    if isinstance(elem, int):
        return tensor(batch)
    return None


def _is_namedtuple(value: Any) -> bool:
    return isinstance(value, tuple) and hasattr(value, "_fields")


def _rebuilt_mapping(like: Any, values: dict[Any, Any]) -> Any:
    """``values`` in a mapping of the type of ``like``; a plain dictionary where that type is not made from one."""

    def build() -> Any:
        if isinstance(like, MutableMapping):
            clone = copy.copy(like)
            clone.update(values)
            return clone
        return type(like)(values)

    return _or_else(build, values)


def _rebuilt_sequence(like: Any, values: list[Any]) -> Any:
    """``values`` in a sequence of the type of ``like``; a list where that type is not made from one."""

    def build() -> Any:
        if isinstance(like, MutableSequence):
            clone = copy.copy(like)
            for i, value in enumerate(values):
                clone[i] = value
            return clone
        return type(like)(values)

    return values if isinstance(like, range) else _or_else(build, values)


def _or_else(build: Callable[[], Any], fallback: Any) -> Any:
    try:
        return build()
    except TypeError:  # what the type's constructor takes is its own affair
        return fallback
