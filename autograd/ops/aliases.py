"""Further names that PyTorch has for short compositions: copies of views, dropout in place, numbered modes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ...backends.errors import ArgumentError, GraphError, ShapeError, UnsupportedDTypeError
from ..out import write_out
from .complex import view_as_complex, view_as_real
from .diagonals import diagonal
from .dropout import alpha_dropout, dropout, feature_alpha_dropout, feature_dropout
from .expansion import expand
from .grid import affine_grid, grid_sample
from .indexing import getitem, select
from .inspection import detach
from .layout import clone, contiguous_format
from .reduction import sum
from .resizing import map_
from .shape import permute, reshape_rule, squeeze, t, transpose, unsqueeze, view
from .splitting import split, split_with_sizes, unbind
from .strides import as_strided, unfold

if TYPE_CHECKING:
    from ..tensor import Tensor

F = TypeVar("F", bound=Callable[..., Any])


def copying(function: F) -> F:
    """The form of a view op whose results have memory of their own: a view, then a copy of it.

    Example:
        >>> import wengert as wg
        >>> x = wg.zeros(2, 3)
        >>> wg.t_copy(x).fill_(1.0).shape, x.sum()
        (wengert.Size([3, 2]), tensor(0.))
    """
    name = f"{function.__name__}_copy"

    @functools.wraps(function)
    def copied(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        if not isinstance(result, tuple):
            copy = clone(result, memory_format=contiguous_format)
            return copy if out is None else write_out(out, copy, name)
        copies = tuple([clone(part, memory_format=contiguous_format) for part in result])
        if out is None:
            return copies
        if len(out) != len(copies):
            raise ArgumentError(f"{name}: there are {len(copies)} results, but out holds {len(out)} tensors")
        for target, copy in zip(out, copies, strict=True):
            write_out(target, copy, name)
        return None

    signature = inspect.signature(function)
    parameters = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    out = inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, default=None)
    copied.__signature__ = signature.replace(parameters=[*parameters, out])  # type: ignore[attr-defined]
    copied.__name__ = copied.__qualname__ = name
    copied.__module__ = __name__
    copied.__doc__ = f"`{function.__name__}`, with the result in memory of its own."
    return copied  # type: ignore[return-value]


def _alias(input: Tensor) -> Tensor:
    return input


_alias.__name__ = "alias"


def _slice(input: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Tensor:
    if not -input._data.ndim <= dim < input._data.ndim:
        raise IndexError(f"slice_copy: dimension {dim} is out of range for a tensor with {input._data.ndim} dimensions")
    before = (slice(None),) * (dim % input._data.ndim)
    return getitem(input, (*before, slice(start, end, step)))


_slice.__name__ = "slice"

alias_copy = copying(_alias)
as_strided_copy = copying(as_strided)
detach_copy = copying(detach)
diagonal_copy = copying(diagonal)
expand_copy = copying(expand)
permute_copy = copying(permute)
select_copy = copying(select)
slice_copy = copying(_slice)
split_copy = copying(split)
split_with_sizes_copy = copying(split_with_sizes)
squeeze_copy = copying(squeeze)
t_copy = copying(t)
transpose_copy = copying(transpose)
unbind_copy = copying(unbind)
unfold_copy = copying(unfold)
unsqueeze_copy = copying(unsqueeze)
view_as_complex_copy = copying(view_as_complex)
view_as_real_copy = copying(view_as_real)
view_copy = copying(view)


def trace(input: Tensor) -> Tensor:
    """The sum of a matrix's diagonal.

    Args:
        input: shape (n, m), any number type.

    Returns:
        A 0-d tensor, int64 for whole numbers.

    Raises:
        RuntimeError: ``input`` is no matrix.

    Example:
        >>> import wengert as wg
        >>> wg.trace(wg.tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor(5.)
    """
    if input._data.ndim != 2:
        raise ShapeError(f"trace: expected a matrix, but got tensor with dim {input._data.ndim}")
    if input._data.dtype.kind == "b":
        raise UnsupportedDTypeError("\"trace\" not implemented for 'Bool'; convert with .int()")
    return sum(diagonal(input))


def dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`dropout` in place."""
    return dropout(input, p, train, inplace=True)


def alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`alpha_dropout` in place."""
    return alpha_dropout(input, p, train, inplace=True)


def feature_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`feature_dropout` in place."""
    return feature_dropout(input, p, train, inplace=True)


def feature_alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`feature_alpha_dropout` in place."""
    return feature_alpha_dropout(input, p, train, inplace=True)


def affine_grid_generator(theta: Tensor, size: Any, align_corners: bool) -> Tensor:
    """`affine_grid`, with no defaults."""
    return affine_grid(theta, size, align_corners)


MODES = ("bilinear", "nearest", "bicubic")
PADDINGS = ("zeros", "border", "reflection")


def grid_sampler(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """`grid_sample`, with numbers for the modes.

    Args:
        input: as `grid_sample`.
        grid: as `grid_sample`.
        interpolation_mode: 0 for bilinear, 1 for nearest, 2 for bicubic.
        padding_mode: 0 for zeros, 1 for border, 2 for reflection.
        align_corners: as `grid_sample`.

    Raises:
        RuntimeError: another number.
    """
    if interpolation_mode not in range(3) or padding_mode not in range(3):
        raise ArgumentError(
            f"grid_sampler: interpolation_mode {interpolation_mode} and padding_mode {padding_mode} must be 0, 1 or 2"
        )
    return grid_sample(input, grid, MODES[interpolation_mode], PADDINGS[padding_mode], align_corners)


def grid_sampler_2d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """`grid_sampler` of (N, C, H, W)."""
    _need_rank("grid_sampler_2d", input, grid, 4)
    return grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners)


def grid_sampler_3d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """`grid_sampler` of (N, C, D, H, W)."""
    _need_rank("grid_sampler_3d", input, grid, 5)
    return grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners)


def _need_rank(op: str, input: Any, grid: Any, ndim: int) -> None:
    if input._data.ndim != ndim:
        if input._data.shape[:1] != grid._data.shape[:1]:
            raise ShapeError(
                f"{op}(): expected grid and input to have same batch size, but got input with sizes "
                f"{list(input._data.shape)} and grid with sizes {list(grid._data.shape)}"
            )
        raise ShapeError(f"{op}(): expected {ndim}D input, but got input with sizes {list(input._data.shape)}")


def map2_(input: Tensor, x: Tensor, y: Tensor, callable: Any) -> Tensor:
    """Replace every element by ``callable(element, of_x, of_y)``; slow, on the CPU only.

    Raises:
        TypeError: a tensor is on another device, or requires grad.
    """
    if y.requires_grad:
        raise GraphError("Can't call map2_() on Variable that requires grad. Use var.detach().map2_() instead.")
    others = iter(reshape_rule(y.expand_as(input), (-1,)).tolist())
    return map_(input, x, lambda a, b: callable(a, b, next(others)))


def is_distributed(input: Tensor) -> bool:
    """Whether a tensor is spread over several processes: never."""
    return False
