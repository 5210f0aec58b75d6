"""``compile`` and its relatives: names for programs that use them. Nothing is captured, and ops run one after another.

A compiled function of PyTorch computes what the plain one does, so returning the plain one is right, if not faster.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

__all__ = [
    "allow_in_graph",
    "assume_constant_result",
    "compile",
    "cudagraph_mark_step_begin",
    "disable",
    "is_compiling",
    "is_dynamo_compiling",
    "is_exporting",
    "list_backends",
    "reset",
    "set_stance",
]


def compile(
    model: Any = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: str | Callable[..., Any] | None = None,
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
    **others: Any,
) -> Any:
    """``model`` itself, a function or a module; without one, a decorator that returns what it decorates.

    Args:
        model: what would be compiled.
        fullgraph: for PyTorch's sake, as everything after it.
        dynamic: as ``fullgraph``.
        backend: as ``fullgraph``.
        mode: as ``fullgraph``; not together with ``options``.
        options: as ``fullgraph``.
        disable: as ``fullgraph``.
        others: as ``fullgraph``.

    Raises:
        RuntimeError: both ``mode`` and ``options`` are given. TypeError: ``model`` cannot be called.

    Example:
        >>> import wengert as wg
        >>> @wg.compile(mode="reduce-overhead")
        ... def double(x):
        ...     return x * 2
        >>> double(wg.ones(2))
        tensor([2., 2.])
    """
    if mode is not None and options is not None:
        raise RuntimeError("Either mode or options can be specified, but both can't be specified at the same time.")
    if model is None:
        return _itself
    return _itself(model)


def _itself(model: Any) -> Any:
    if not callable(model):
        raise TypeError(f"compile() takes a function or a module, not a {type(model).__name__}")
    return model


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """``fn`` itself, which runs as it is anyway; without one, a decorator."""
    return _itself if fn is None else _itself(fn)


def allow_in_graph(fn: Any) -> Any:
    """``fn`` itself."""
    return fn


def assume_constant_result(fn: Any) -> Any:
    """``fn`` itself."""
    return fn


def reset() -> None:
    """Forget what was compiled: nothing."""


def is_compiling() -> bool:
    """Whether a compiler runs this; it does not."""
    return False


def is_dynamo_compiling() -> bool:
    """Whether a compiler runs this; it does not."""
    return False


def is_exporting() -> bool:
    """Whether the program is being exported; it is not."""
    return False


def list_backends(exclude_tags: Any = ()) -> list[str]:
    """The compilers that there are: none."""
    return []


def cudagraph_mark_step_begin() -> None:
    """The begin of an iteration, of which nothing here takes notice."""


def set_stance(stance: str = "default", **options: Any) -> contextlib.AbstractContextManager[None]:
    """How compiled functions run, for good or for a block: as they are."""
    return contextlib.nullcontext()
