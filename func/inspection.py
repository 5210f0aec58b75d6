"""What PyTorch's transforms offer for looking inside, and for functions that write in place."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..autograd.base import wrap
from ..backends.batched import BatchedArray

__all__ = ["debug_unwrap", "functionalize"]


def debug_unwrap(tensor: Any, *, recurse: bool = True) -> Any:
    """All examples of a tensor that is one of a batch: for printing within a mapped function.

    Args:
        tensor: any tensor; one that belongs to no level comes back as it is.
        recurse: all levels, not only the innermost.

    Returns:
        A tensor with a dimension for each level in front, outside of any graph.

    Example:
        >>> import wengert as wg
        >>> def f(x):
        ...     print(wg.func.debug_unwrap(x).shape)
        ...     return x
        >>> y = wg.vmap(f)(wg.ones(3, 2))
        wengert.Size([3, 2])
    """
    array = tensor._data
    while isinstance(array, BatchedArray):
        array = array._all
        if not recurse:
            break
    return tensor if array is tensor._data else wrap(array)


def functionalize(func: Callable[..., Any], *, remove: str = "mutations") -> Callable[..., Any]:
    """``func`` itself: writes in place are recorded as they are, so none has to be taken out.

    Args:
        func: the function.
        remove: ``"mutations"`` or ``"mutations_and_views"``.

    Raises:
        RuntimeError: another value of ``remove``.

    Example:
        >>> import wengert as wg
        >>> wg.func.functionalize(lambda x: x.clone().zero_())(wg.ones(2))
        tensor([0., 0.])
    """
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError(
            f"functionalize(f, remove='mutations'): Valid options for remove are 'mutations' and "
            f"'mutations_and_views', got remove={remove}"
        )

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **kwargs)

    return wrapped
