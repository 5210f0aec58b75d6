"""What an index means: ``x[key]`` taken apart into a basic part and index tensors."""

from __future__ import annotations

import operator
import warnings
from typing import Any

from ...backends import kernels_of
from ...backends.batched import BatchedArray
from ...backends.errors import DeviceError, DimensionError, InvalidValueError, ShapeError
from ..base import TensorBase, wrap
from .expansion import broadcast_shapes

FULL = slice(None)


def plain_key(key: Any) -> tuple[Any, ...] | None:
    """A key of integers, forward slices, None and at most one Ellipsis, as arrays take it; None for any other key.

    It holds an Ellipsis, so that arrays do not answer with a scalar. Positions are not checked.
    """
    parts = key if key.__class__ is tuple else (key,)
    whole = True
    for k in parts:
        kind = k.__class__
        if kind is slice:
            step = k.step
            if step is not None and not (step.__class__ is int and step > 0):
                return None
        elif k is Ellipsis and whole:
            whole = False
        elif kind is not int and k is not None:
            return None
    return (*parts, ...) if whole else parts


class Key:
    """A parsed key: a basic part, and index tensors on dimensions of the view that the basic part gives.

    Attributes:
        basic: what NumPy takes, with a full slice (None for 0-d masks) in place of each index tensor.
        where: the view's dimension of each index array.
        indices: integer Tensors on the device of the indexed one.
        plain: whether the basic part leaves the tensor as it is.
        masked: whether it picks elements by one mask, and by nothing else.
    """

    __slots__ = ("basic", "indices", "masked", "plain", "where")

    def __init__(self, x: Any, key: Any) -> None:
        shape = x._data.shape
        parts = _parts(key)
        used = 0
        for p in parts:
            used += _consumed(p)
        if used > len(shape):
            if not shape and any(isinstance(p, slice) for p in parts):
                raise DimensionError("slice() cannot be applied to a 0-dim tensor.")
            raise DimensionError(f"too many indices for tensor of dimension {len(shape)} (shape {list(shape)})")
        basic: list[Any] = []
        self.where: list[int] = []
        self.indices: list[Any] = []
        dim = place = 0  # dimension of x, and of the view
        ellipsis_seen = False
        for p in parts:
            if p is None:
                basic.append(None)
                place += 1
            elif p is Ellipsis:
                if not ellipsis_seen:
                    basic += [FULL] * (len(shape) - used)
                    dim += len(shape) - used
                    place += len(shape) - used
                ellipsis_seen = True
            elif isinstance(p, slice):
                basic.append(_plain_slice(p))
                dim += 1
                place += 1
            elif isinstance(p, TensorBase):
                n = self._add(x, p, dim, place)
                basic += [FULL] * n or [None]
                dim += n
                place += n or 1
            else:
                basic.append(position_of(p, shape, dim))
                dim += 1
        self.basic = tuple(basic)
        self.plain = all(b is FULL for b in basic)
        picks = [p for p in parts if isinstance(p, TensorBase)]
        self.masked = len(picks) == 1 and picks[0]._data.dtype.kind in "bu"

    def _add(self, x: Any, index: Any, dim: int, place: int) -> int:
        """Keep an index tensor; returns how many dimensions it stands for."""
        data = index._data
        k = kernels_of[type(x._data)]
        if type(data) is not type(x._data):
            data = _moved(x, data)
        if data.dtype.kind not in "bu" or (data.dtype.kind == "u" and data.dtype.itemsize > 1):
            self.where.append(place)
            self.indices.append(index if data is index._data else wrap(data))
            return 1
        if data.dtype.kind == "u" and data.ndim:
            warnings.warn(
                "indexing with dtype uint8 is now deprecated, please use a dtype bool instead",
                UserWarning,
                stacklevel=4,
            )
        shape = x._data.shape[dim : dim + data.ndim]
        if data.shape != shape:
            bad = next(i for i, (n, m) in enumerate(zip(data.shape, shape, strict=True)) if n != m)
            raise DimensionError(
                f"The shape of the mask {list(data.shape)} at index {bad} does not match the shape of the indexed "
                f"tensor {list(x._data.shape)} at index {dim + bad}"
            )
        for i, positions in enumerate(k.nonzero(data.reshape(data.shape or (1,)))):
            self.where.append(place + i)
            self.indices.append(wrap(positions))
        return int(data.ndim)


def _parts(key: Any) -> list[Any]:
    """The key as a list in which sequences have become tensors."""
    if (
        isinstance(key, list)
        and len(key) < 32
        and any(k is None or k is Ellipsis or isinstance(k, slice | TensorBase | list | tuple) for k in key)
    ):
        warnings.warn(
            "Using a non-tuple sequence for multidimensional indexing is deprecated; write x[tuple(seq)] for x[seq]",
            UserWarning,
            stacklevel=4,
        )
        key = tuple(key)
    return [_part(k) for k in (key if isinstance(key, tuple) else (key,))]


def _part(k: Any) -> Any:
    if k is None or k is Ellipsis or isinstance(k, slice):
        return k
    if isinstance(k, TensorBase):
        kind = k._data.dtype
        if kind.kind == "i" and (kind.itemsize > 2 or not k._data.ndim):
            return k if k._data.ndim or isinstance(k._data, BatchedArray) else k._data.item()
        if kind.char in "?B":
            return k
        raise DimensionError(f"tensors used as indices must be long, int, byte or bool tensors, not {kind.name}")
    if isinstance(k, bool):
        return _index_tensor(k)
    if hasattr(k, "__index__") and not getattr(k, "shape", ()):
        return operator.index(k)
    if isinstance(k, list | tuple | range) or hasattr(k, "__array__"):
        return _part(_index_tensor(k))
    if isinstance(k, str):
        raise TypeError(
            "new(): invalid data type 'str': an index must be an integer, slice, None, Ellipsis or tensor, not the "
            f"string {k!r}"
        )
    raise DimensionError(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices "
        f"(got {type(k).__name__})"
    )


def _index_tensor(values: Any) -> Any:
    from .data import as_tensor

    found = as_tensor(values, device="cpu")
    # Of numbers with a fraction the whole part counts, as in PyTorch; an empty sequence has no numbers.
    return as_tensor(values, dtype="int64", device="cpu") if found._data.dtype.kind == "f" else found


def _consumed(p: Any) -> int:
    """How many dimensions one part of a key takes."""
    if p is None or p is Ellipsis:
        return 0
    if isinstance(p, TensorBase) and p._data.dtype.kind in "bu":
        return p._data.ndim
    return 1


def _plain_slice(s: slice) -> slice:
    if s == FULL:
        return FULL
    step = 1 if s.step is None else operator.index(s.step)
    if step == 0:
        raise ValueError("slice step cannot be zero")
    if step <= 0:
        raise ValueError(f"step must be greater than zero, got {step}; use flip() to reverse a dimension")
    start, stop = [None if v is None else operator.index(v) for v in (s.start, s.stop)]
    return slice(start, stop, step)


def position_of(i: int, shape: tuple[int, ...], dim: int) -> int:
    """``i``, if it is a position of ``dim``; else an IndexError."""
    n = shape[dim]
    if not -n <= i < n:
        if not -(2**63) <= i < 2**63:
            raise InvalidValueError(f"Overflow when unpacking long long: {i} is no position")
        raise DimensionError(f"index {i} is out of bounds for dimension {dim} with size {n}; valid are {-n} to {n - 1}")
    return i


def _moved(x: Any, index: Any) -> Any:
    """An index array of another backend, on the device of ``x``."""
    if isinstance(index, BatchedArray):  # each example's own, of a tensor that all of them share
        return index
    source, target = kernels_of[type(index)].backend, kernels_of[type(x._data)].backend
    if source.name != "cpu":
        raise DeviceError(
            f"indices should be either on cpu or on the same device as the indexed tensor ({x.device}), "
            f"not on {source.device_of(index)}; move them with .to({str(x.device)!r})"
        )
    return target.from_numpy(index, x.device)


def check_together(indices: list[Any]) -> None:
    """Raise unless the index arrays broadcast together."""
    if len(indices) > 1:
        try:
            broadcast_shapes(*[i._data.shape for i in indices])
        except ShapeError:
            shapes = ", ".join([str(list(i._data.shape)) for i in indices])
            raise DimensionError(
                f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}"
            ) from None
