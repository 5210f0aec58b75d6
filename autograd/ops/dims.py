"""Arguments that name dimensions or sizes, checked and made plain."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any, TypeVar

from ...backends.errors import DimensionError, ShapeError

__all__ = [
    "canonical_dim",
    "canonical_dims",
    "infer_shape",
    "numpy_names",
    "packed",
    "scalar_name",
    "sizes_of",
    "spread",
]

F = TypeVar("F", bound=Callable[..., Any])


def canonical_dim(dim: Any, ndim: int, op: str = "") -> int:
    """``dim`` counted from the front. A 0-d tensor takes 0 and -1, as in PyTorch.

    Raises:
        IndexError: there is no such dimension.
    """
    dim = operator.index(dim)
    bound = ndim or 1
    if not -bound <= dim < bound:
        name = f"{op}: " if op else ""
        raise DimensionError(
            f"{name}Dimension out of range (expected to be in range of [{-bound}, {bound - 1}], but got {dim})"
        )
    return dim % bound


def canonical_dims(dims: Any, ndim: int, op: str = "") -> tuple[int, ...]:
    """One dimension or several, counted from the front; None is all of them.

    Raises:
        IndexError: one is out of range. RuntimeError: one is named twice.
    """
    if dims is None:
        return tuple(range(ndim))
    found = tuple([canonical_dim(d, ndim, op) for d in packed(dims)])
    if len(set(found)) != len(found):
        twice = next(d for d in found if found.count(d) > 1)
        raise ShapeError(f"{op}: dim {twice} appears multiple times in the list of dims {list(found)}")
    return found


def scalar_name(x: Any) -> str:
    """The element type of a Tensor as PyTorch's messages call it: ``Float``, ``Long``, ``Byte``."""
    return str(x.type()).rpartition(".")[2].removesuffix("Tensor")


def numpy_names(function: F) -> F:
    """Let an op take ``axis`` for ``dim`` and ``keepdims`` for ``keepdim``, as PyTorch does."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            if "axis" in kwargs:
                kwargs["dim"] = kwargs.pop("axis")
            if "keepdims" in kwargs:
                kwargs["keepdim"] = kwargs.pop("keepdims")
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]


def packed(args: Any) -> tuple[Any, ...]:
    """``f(2, 3)`` and ``f((2, 3))`` alike: the integers as one tuple."""
    if isinstance(args, tuple | list):
        if len(args) == 1 and isinstance(args[0], tuple | list):
            args = args[0]
        return args if args.__class__ is tuple else tuple(args)
    return tuple(args) if hasattr(args, "__iter__") and not hasattr(args, "__index__") else (args,)


def sizes_of(op: str, args: Any) -> tuple[int, ...]:
    """Sizes as plain integers.

    Raises:
        TypeError: one is no integer.
    """
    try:
        return tuple(map(operator.index, packed(args)))
    except TypeError:
        raise TypeError(f"{op}(): sizes must be integers, got {args!r}") from None


def spread(function: Callable[..., Any], keyword: str) -> Callable[..., Any]:
    """The method form of ``function(input, sizes)``: ``x.method(2, 3)`` as well as ``x.method((2, 3))``."""

    @functools.wraps(function)
    def method(input: Any, *sizes: Any, **options: Any) -> Any:
        if keyword in options:
            sizes = options.pop(keyword)
        elif not sizes:
            raise TypeError(f'{function.__name__}() missing 1 required positional arguments: "{keyword}"')
        return function(input, packed(sizes), **options)

    return method


def infer_shape(op: str, shape: tuple[int, ...], count: int) -> tuple[int, ...]:
    """``shape`` with its -1 worked out for ``count`` elements.

    Raises:
        RuntimeError: no size fits.
    """
    known = 1
    gap = None
    for i, n in enumerate(shape):
        if n >= 0:
            known *= n
        elif n == -1 and gap is None:
            gap = i
        else:
            why = "only one dimension can be inferred" if n == -1 else f"invalid shape dimension {n}"
            raise ShapeError(f"{op}: {why} in shape {list(shape)}")
    if gap is None:
        if known == count:
            return shape
    elif known and count % known == 0:
        return (*shape[:gap], count // known, *shape[gap + 1 :])
    elif known == 0 == count:
        raise ShapeError(
            f"{op}: cannot reshape tensor of 0 elements into shape {list(shape)} because the unspecified dimension "
            "size -1 can be any value and is ambiguous"
        )
    raise ShapeError(f"{op}: shape '{list(shape)}' is invalid for input of size {count}; the sizes must multiply to it")
