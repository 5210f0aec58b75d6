"""Arrays from nothing, from Python's numbers and from other libraries, in the standard's signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ..autograd import ops
from ..autograd.tensor import Tensor
from .promotion import together

if TYPE_CHECKING:
    from ..backends import DType

__all__ = [
    "arange",
    "asarray",
    "empty",
    "empty_like",
    "eye",
    "from_dlpack",
    "full",
    "full_like",
    "linspace",
    "meshgrid",
    "ones",
    "ones_like",
    "tril",
    "triu",
    "zeros",
    "zeros_like",
]

Sizes = int | tuple[int, ...]


def asarray(obj: Any, /, *, dtype: DType | None = None, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor of what is given: numbers, nested sequences of them, arrays of any library.

    Args:
        obj: what to convert. A tensor stays in its graph.
        dtype: the element type; that of ``obj`` if it is None.
        device: where it lies; where ``obj`` does if it is None.
        copy: True for memory of its own, False for the memory of ``obj`` or an error, None for a copy if need be.

    Raises:
        ValueError: ``copy`` is False, and a copy is needed.

    Example:
        >>> import wengert.array_api as xp
        >>> xp.asarray([[1, 2], [3, 4]], dtype=xp.float64)
        tensor([[1., 2.],
                [3., 4.]], dtype=wengert.float64)
    """
    if copy is False and isinstance(obj, bool | int | float | complex | list | tuple):
        raise ValueError(f"asarray: a {type(obj).__name__} has no memory to share; copy=False needs an array")
    if device is None and isinstance(obj, Tensor):
        device = obj.device
    return ops.asarray(obj, dtype=dtype, device=device, copy=copy)


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor on the memory of another library's array, through DLPack; see `wengert.from_dlpack`."""
    return ops.from_dlpack(x, device=device, copy=copy)


def arange(
    start: int | float,
    /,
    stop: int | float | None = None,
    step: int | float = 1,
    *,
    dtype: DType | None = None,
    device: Any = None,
) -> Tensor:
    """``start``, ``start + step``, ... up to and without ``stop``: ``(n,)``, none if ``step`` leads away.

    A lone ``start`` is the end of a range that starts at 0. Whole numbers give int64, others the default float type.
    """
    if stop is None:
        start, stop = 0, start
    if step and (stop - start) * step <= 0:  # PyTorch takes no empty ranges
        start, stop = (0, 0) if all(type(v) is int for v in (start, stop, step)) else (0.0, 0.0)
        step = 1
    return ops.arange(start, stop, step, dtype=dtype, device=device)


def linspace(
    start: complex,
    stop: complex,
    /,
    num: int,
    *,
    dtype: DType | None = None,
    device: Any = None,
    endpoint: bool = True,
) -> Tensor:
    """``num`` evenly spaced numbers from ``start`` to ``stop``, which is left out without ``endpoint``: ``(num,)``."""
    if endpoint:
        return ops.linspace(start, stop, num, dtype=dtype, device=device)
    return ops.linspace(start, stop, num + 1, dtype=dtype, device=device)[:-1]


def _sizes(shape: Sizes) -> tuple[int, ...]:
    return shape if isinstance(shape, tuple) else tuple(shape) if isinstance(shape, list) else (shape,)


def zeros(shape: Sizes, *, dtype: DType | None = None, device: Any = None) -> Tensor:
    """Zeros, of the default float type unless told: ``shape``."""
    return ops.zeros(_sizes(shape), dtype=dtype, device=device)


def ones(shape: Sizes, *, dtype: DType | None = None, device: Any = None) -> Tensor:
    """Ones, of the default float type unless told: ``shape``."""
    return ops.ones(_sizes(shape), dtype=dtype, device=device)


def empty(shape: Sizes, *, dtype: DType | None = None, device: Any = None) -> Tensor:
    """Memory as it comes, of the default float type unless told: ``shape``."""
    return ops.empty(_sizes(shape), dtype=dtype, device=device)


def full(shape: Sizes, fill_value: complex, *, dtype: DType | None = None, device: Any = None) -> Tensor:
    """``fill_value`` everywhere, of the type of its kind unless told: ``shape``."""
    return ops.full(_sizes(shape), fill_value, dtype=dtype, device=device)


def zeros_like(x: Tensor, /, *, dtype: DType | None = None, device: Any = None) -> Tensor:
    """Zeros of the shape, type and device of ``x`` unless told."""
    return ops.zeros_like(x, dtype=dtype, device=device)


def ones_like(x: Tensor, /, *, dtype: DType | None = None, device: Any = None) -> Tensor:
    """Ones of the shape, type and device of ``x`` unless told."""
    return ops.ones_like(x, dtype=dtype, device=device)


def empty_like(x: Tensor, /, *, dtype: DType | None = None, device: Any = None) -> Tensor:
    """Memory as it comes, of the shape, type and device of ``x`` unless told."""
    return ops.empty_like(x, dtype=dtype, device=device)


def full_like(x: Tensor, /, fill_value: complex, *, dtype: DType | None = None, device: Any = None) -> Tensor:
    """``fill_value`` everywhere, of the shape, type and device of ``x`` unless told."""
    return ops.full_like(x, fill_value, dtype=dtype, device=device)


def eye(
    n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: DType | None = None, device: Any = None
) -> Tensor:
    """Ones on the ``k``-th diagonal, counted upwards from the main one, and zeros elsewhere: ``(n_rows, n_cols)``."""
    n_cols = n_rows if n_cols is None else n_cols
    made = ops.zeros((n_rows, n_cols), dtype=dtype, device=device)
    if -n_rows < k < n_cols:
        made.diagonal(k).fill_(1)
    return made


def tril(x: Tensor, /, *, k: int = 0) -> Tensor:
    """``x`` with zeros above its ``k``-th diagonal: ``(*, M, N)``."""
    return ops.tril(x, k)


def triu(x: Tensor, /, *, k: int = 0) -> Tensor:
    """``x`` with zeros below its ``k``-th diagonal: ``(*, M, N)``."""
    return ops.triu(x, k)


def meshgrid(*arrays: Tensor, indexing: Literal["xy", "ij"] = "xy") -> tuple[Tensor, ...]:
    """The coordinates of a grid from those of its axes: ``(N_1, ..., N_k)`` each, or ``(N_2, N_1, ...)`` for "xy"."""
    return tuple(ops.meshgrid(*together(*arrays), indexing=indexing)) if arrays else ()
