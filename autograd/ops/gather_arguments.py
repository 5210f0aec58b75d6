"""What ops that take an index tensor ask of their arguments."""

from __future__ import annotations

from typing import Any

from ...backends import kernels_of, to_dtype
from ...backends.errors import DTypeError, OutOfRangeError, ShapeError
from ..base import TensorBase, wrap
from .cast import cast
from .conversion import to
from .dims import canonical_dim, scalar_name
from .indexing import slice_rule
from .shape import reshape_rule


def index_tensor(name: str, input: Any, index: Any, long: bool = False) -> Any:
    """An index tensor on the device of ``input``; of int64 only if ``long``.

    Raises:
        TypeError: it is no tensor. RuntimeError: it is not of an integer type.
    """
    if not isinstance(index, TensorBase):
        raise TypeError(f"{name}(): argument 'index' must be Tensor, not {type(index).__name__}")
    kind = index._data.dtype
    if kind.kind != "i" or kind.itemsize < 4:
        raise DTypeError(f"{name}(): Expected dtype int32/int64 for index, got {index.dtype}; use .long()")  # type: ignore[attr-defined]
    if long and kind.itemsize != 8:
        what = "Expected dtype int64 for index" if "fill" in name else "Expected a long tensor for index"
        raise OutOfRangeError(f"{name}(): {what}, but got {scalar_name(index)}; use .long()")
    if type(index._data) is not type(input._data) and index.device != input.device:  # type: ignore[attr-defined]
        return to(index, input.device)  # type: ignore[arg-type]
    return index


def wrap_negative(index: Any, n: int) -> Any:
    """Positions counted from the front, those below zero from the end."""
    x = index._data
    return wrap(kernels_of[type(x)].where(x < 0, x + n, x))


def same_dtype(name: str, input: Any, src: Any, what: str = "src") -> None:
    """Raise unless ``src`` is of the dtype of ``input``."""
    if src._data.dtype != input._data.dtype:
        raise DTypeError(
            f"{name}(): Expected self.dtype to be equal to {what}.dtype: {input.dtype} is not {src.dtype}; convert one"
        )


def at_least_1d(x: Any) -> Any:
    """A Tensor with at least one dimension; other values as they are."""
    return x if not isinstance(x, TensorBase) or x._data.ndim else reshape_rule(x, (1,))


def elements(name: str, input: Any, dim: int, index: Any, src: Any = None) -> tuple[Any, int, Any, Any]:
    """The operands of gather and scatter, none of them 0-d, and ``src`` cut to the size of ``index``.

    Raises:
        RuntimeError: ``index`` has another number of dimensions, or is larger than ``input`` outside ``dim``, or
            than ``src``.
    """
    dim = canonical_dim(dim, input._data.ndim, name)
    if isinstance(index, TensorBase) and not index._data.size and index._data.dtype.kind != "i":
        index = cast(index, to_dtype("int64").dtype)  # an empty index may be of any type
    index = index_tensor(name, input, index)
    x, index, src = at_least_1d(input), at_least_1d(index), at_least_1d(src)
    a, b = x._data.shape, index._data.shape
    if index._data.size and len(a) != len(b):
        what = "input" if name == "gather" else "self"
        raise ShapeError(
            f"{name}(): Index tensor must have the same number of dimensions as {what} tensor: {list(b)} and {list(a)}"
        )
    wrong = [d for d, (n, m) in enumerate(zip(a, b, strict=False)) if m > n and d != dim]
    if index._data.size and wrong:
        raise ShapeError(
            f"{name}(): Size does not match at dimension {wrong[0]}: expected index {list(b)} to be no larger than "
            f"self {list(a)} apart from dimension {dim}"
        )
    if isinstance(src, TensorBase):
        same_dtype(name, input, src)
        c = src._data.shape
        if len(c) != len(b) and index._data.size:
            raise ShapeError(
                f"{name}(): Index tensor must have the same number of dimensions as src tensor: {list(b)} and {list(c)}"
            )
        if c != b:
            if any(m > n for n, m in zip(c, b, strict=False)):
                raise ShapeError(
                    f"{name}(): Expected index {list(b)} to be no larger than self {list(a)} apart from dimension "
                    f"{dim} and to be no larger size than src {list(c)}"
                )
            for d, m in enumerate(b):
                src = slice_rule(src, d, 0, m)
    return x, dim, index, src


def slices(name: str, input: Any, dim: int, index: Any) -> tuple[int, Any]:
    """``dim`` and ``index`` of an op that picks slices.

    Raises:
        IndexError, RuntimeError: ``index`` has more than one dimension.
    """
    dim = canonical_dim(dim, input._data.ndim, name)
    index = index_tensor(name, input, index, long="copy" in name or "fill" in name)
    if index._data.ndim > 1:
        what = "has to be a vector/scalar" if "fill" in name else "is supposed to be a vector"
        what = "should have dimension 1 or 0" if "copy" in name else what
        raise OutOfRangeError(f"{name}(): Index {what} (got {index._data.ndim} dimensions: {list(index._data.shape)})")
    return dim, at_least_1d(index)


def source_of(name: str, x: Any, dim: int, index: Any, source: Any) -> Any:
    """The slices that index_add and index_copy write, which must fit."""
    if not isinstance(source, TensorBase):
        raise TypeError(f"{name}(): argument 'source' must be Tensor, not {type(source).__name__}")
    if source._data.dtype != x._data.dtype:
        raise DTypeError(
            f"{name}(): self ({scalar_name(x)}) and source ({scalar_name(source)}) must have the same scalar type"
        )
    source = at_least_1d(source)
    shape = list(x._data.shape)
    shape[dim] = index._data.size
    if source._data.ndim == len(shape) and source._data.shape[dim] != index._data.size:
        raise OutOfRangeError(
            f"{name}(): Number of indices ({index._data.size}) should be equal to source.size(dim): "
            f"({source._data.shape[dim]}), for dim: {dim}"
        )
    if list(source._data.shape) != shape:
        raise OutOfRangeError(
            f"{name}(): source tensor shape must match self tensor shape, excluding the specified dimension. Got "
            f"self.shape = {list(x._data.shape)} source.shape = {list(source._data.shape)}; for {index._data.size} "
            f"positions of dimension {dim} it must be {shape}"
        )
    return source
