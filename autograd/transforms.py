"""Which transforms of `wengert.func` run, and what a function may not do while it is transformed."""

from __future__ import annotations

import contextlib
import functools
import types
from collections.abc import Iterator
from typing import Any

from ..backends.errors import GraphError
from .base import TensorBase
from .grad_mode import mode

__all__ = ["Transform", "check_capture", "refuse_inside", "within"]


class Transform:
    """One call of a transformed function.

    Args:
        name: of the transform, such as ``"grad"``.
        function: what is transformed.
    """

    __slots__ = ("function", "name")

    def __init__(self, name: str, function: Any) -> None:
        self.name, self.function = name, function


@contextlib.contextmanager
def within(name: str, function: Any) -> Iterator[None]:
    """While the function runs."""
    before = mode.transforms
    mode.transforms = (*before, Transform(name, function))
    try:
        yield
    finally:
        mode.transforms = before


def refuse_inside(what: str, instead: str) -> None:
    """Raise if a transformed function runs, which may not do ``what``."""
    if mode.transforms:
        inner = mode.transforms[-1]
        raise GraphError(
            f"You are attempting to call {what} inside of a function being transformed by a functorch transform: "
            f"{inner.name} of {name_of(inner.function)}. This is unsupported: the gradients that the transform "
            f"computes would not know of it. {instead}"
        )


def name_of(function: Any) -> str:
    """What to call a function in a message."""
    return getattr(function, "__name__", None) or type(function).__name__


def check_capture(tensor: Any, op: str) -> None:
    """Refuse a write of differentiable values to a tensor that a transformed function has from outside.

    Raises:
        RuntimeError: the innermost transform's function reaches ``tensor`` other than by its arguments.
    """
    inner = mode.transforms[-1]
    if inner.name == "vmap":
        return
    base = tensor if tensor._view is None else tensor._view.base
    if any(found is tensor or found is base for found in _reached(inner.function)):
        raise GraphError(
            "During a grad (vjp, jvp, grad, etc) transform, the function provided attempted to call in-place operation "
            f"({op}) that would mutate a captured Tensor: {inner.name} of {name_of(inner.function)} writes values that "
            f"depend on its arguments to a tensor of shape {list(base.shape)} made outside of it. This is not "
            "supported; please rewrite the function being transformed to explicitly accept the mutated Tensor(s) as "
            "inputs, or to return the new values"
        )


def _reached(function: Any) -> Iterator[Any]:
    """The tensors that a function has without being given them: in its closure, its globals, its module."""
    stack, seen = [function], set[int]()
    while stack and len(seen) < 1000:
        value = stack.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, TensorBase):
            yield value
        elif isinstance(value, types.FunctionType):
            code = value.__code__
            stack += [value.__globals__[name] for name in code.co_names if name in value.__globals__]
            stack += [cell.cell_contents for cell in value.__closure__ or () if _filled(cell)]
            stack += value.__defaults__ or ()
        elif isinstance(value, types.MethodType):
            stack += [value.__func__, value.__self__]
        elif isinstance(value, functools.partial):
            stack += [value.func]
        elif hasattr(type(value), "named_buffers"):  # a module
            stack += [*value.parameters(), *value.buffers()]
        elif isinstance(value, (list, tuple)):
            stack += value
        elif isinstance(value, dict):
            stack += value.values()


def _filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018  (an empty cell raises)
    except ValueError:
        return False
    return True
