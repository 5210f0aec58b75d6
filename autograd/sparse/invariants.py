"""What indices of sparse tensors must be, and the switch that has every new tensor checked."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ...backends import kernels_of
from ...backends.errors import ArgumentError, ShapeError

if TYPE_CHECKING:
    from ...backends.sparse import Compressed

__all__ = ["check_compressed", "check_coordinates", "check_sparse_tensor_invariants", "checking"]

F = TypeVar("F", bound=Callable[..., Any])
_always = [False]


class check_sparse_tensor_invariants:
    """Have the indices of every new sparse tensor checked, in a ``with`` block or from here on.

    Args:
        enable: whether to check.

    Example:
        >>> import wengert as wg
        >>> with wg.sparse.check_sparse_tensor_invariants():
        ...     wg.sparse.check_sparse_tensor_invariants.is_enabled()
        True
    """

    def __init__(self, enable: bool = True) -> None:
        self.state = enable
        self.before: bool | None = None

    @staticmethod
    def is_enabled() -> bool:
        """Whether new tensors are checked."""
        return _always[0]

    @staticmethod
    def enable() -> None:
        """Check from here on."""
        _always[0] = True

    @staticmethod
    def disable() -> None:
        """Do not check from here on."""
        _always[0] = False

    def __enter__(self) -> None:
        if self.before is not None:
            raise RuntimeError(
                "This context manager instance is already activated. Use a different context manager instance for "
                "context nesting"
            )
        self.before = _always[0]
        _always[0] = self.state

    def __exit__(self, *error: Any) -> None:
        assert self.before is not None
        _always[0], self.before = self.before, None

    def __call__(self, function: F) -> F:
        """A function during which tensors are checked."""

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with type(self)(self.state):
                return function(*args, **kwargs)

        return run  # type: ignore[return-value]


def checking(wish: bool | None) -> bool:
    """Whether a constructor checks, by its argument or by the switch."""
    return _always[0] if wish is None else bool(wish)


def check_coordinates(index: Any, values: Any, shape: tuple[int, ...], thorough: bool) -> None:
    """Raise unless coordinates and values fit a tensor of ``shape``; if ``thorough``, look at every coordinate."""
    n, dense = index.shape[0], values.ndim - 1
    if n + dense != len(shape):
        raise ShapeError(f"number of dimensions must be sparse_dim ({n}) + dense_dim ({dense}), but got {len(shape)}")
    if tuple(values.shape[1:]) != tuple(shape[n:]):
        raise ShapeError(
            f"values has incorrect size, expected {[values.shape[0], *shape[n:]]}, got {list(values.shape)}"
        )
    if not thorough:
        return
    if not index.size:
        if index.shape[1] and any(not size for size in shape[:n]):
            raise ArgumentError("a tensor without elements cannot store any")
        return
    least, most = index.min(axis=1).tolist(), index.max(axis=1).tolist()
    for d, size in enumerate(shape[:n]):
        if least[d] < 0:
            raise ArgumentError(f"found negative index {least[d]} for dim {d}")
        if most[d] >= size:
            raise ArgumentError(
                f"size is inconsistent with indices: for dim {d}, size is {size} but found index {most[d]}"
            )


def check_compressed(pattern: Compressed, values: Any) -> None:
    """Raise unless compressed indices and values fit."""
    rows = pattern.by_rows
    first, second = ("crow_indices", "col_indices") if rows else ("ccol_indices", "row_indices")
    starts, others = pattern.arrays
    b = len(pattern.batch)
    if len(pattern.shape) < b + 2:
        raise ShapeError(f"size must have dimensionality >= {b + 2}, but got {len(pattern.shape)}")
    lines = pattern.shape[b + (0 if rows else 1)] // pattern.block[0 if rows else 1]
    across = pattern.shape[b + (1 if rows else 0)] // pattern.block[1 if rows else 0]
    k = kernels_of[type(starts)]
    if starts.dtype != others.dtype:
        raise ArgumentError(f"{first} and {second} must have the same dtype, but got {starts.dtype} and {others.dtype}")
    if starts.shape[-1] != lines + 1:
        raise ShapeError(
            f"{first}.shape[-1] must be equal to the number of {'rows' if rows else 'columns'} + 1 (={lines + 1}), but "
            f"got {starts.shape[-1]}"
        )
    if others.shape[-1] != values.shape[b]:
        raise ShapeError(
            f"{second}.shape[-1] must be equal to nnz (={values.shape[b]}) as defined by values.shape[{b}], but got "
            f"{others.shape[-1]}"
        )
    if tuple(others.shape[:-1]) != pattern.batch or tuple(values.shape[: b + 1]) != tuple(others.shape):
        raise ShapeError(
            f"{second} and values must have the same batch and nnz, but got {list(others.shape)} and "
            f"{list(values.shape)}"
        )
    if values.shape != pattern.values_shape():
        raise ShapeError(f"values must have the shape {list(pattern.values_shape())} but got {list(values.shape)}")
    if bool((starts[..., 0] != 0).any()):
        raise ArgumentError(f"`{first}[..., 0] == 0` is not satisfied.")
    if bool((starts[..., -1] != pattern.nnz).any()):
        raise ArgumentError(f"`{first}[..., -1] == nnz` is not satisfied.")
    counts = starts[..., 1:] - starts[..., :-1]
    if bool(((counts < 0) | (counts > across)).any()):
        raise ArgumentError(
            f"`0 <= {first}[..., 1:] - {first}[..., :-1] <= {'ncols' if rows else 'nrows'}` is not satisfied."
        )
    if others.size and (int(others.min()) < 0 or int(others.max()) >= across):
        raise ArgumentError(f"`0 <= {second} < {'ncols' if rows else 'nrows'}` is not satisfied.")
    _check_order(k, pattern, second)


def _check_order(k: Any, pattern: Compressed, name: str) -> None:
    starts, others = pattern.arrays
    n = pattern.nnz
    flat, begin = others.reshape(-1, n), starts.reshape(-1, starts.shape[-1])
    for i in range(flat.shape[0]):
        falls = k.nonzero(flat[i][1:] <= flat[i][:-1])[0] + 1
        if bool((~k.isin(falls, begin[i])).any()):
            first, lines = ("crow_indices", "nrows") if pattern.by_rows else ("ccol_indices", "ncols")
            raise ArgumentError(
                f"`{name}[..., {first}[..., i - 1]:{first}[..., i]] for all i = 1, ..., {lines} are sorted and "
                "distinct along the last dimension values` is not satisfied."
            )
