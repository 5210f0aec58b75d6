"""Conditions that raise an error unless they hold, which PyTorch has as ``_check``, ``_check_index`` and so on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.base import TensorBase
from ..autograd.ops import is_nonzero

__all__ = [
    "assert_",
    "assert_async",
    "check",
    "check_index",
    "check_not_implemented",
    "check_tensor_all",
    "check_type",
    "check_value",
]

Message = Callable[[], Any] | None


def _check_with(error: type[Exception], cond: bool, message: Message) -> None:
    if not isinstance(cond, bool):
        raise TypeError(f"cond must be a bool, but got {type(cond)}")
    if cond:
        return
    if message is None:
        raise error("Expected cond to be True, but got False. (Could this error message be improved?)")
    if not callable(message):
        raise TypeError("message must be a callable")
    raise error(str(message()))


def assert_(condition: bool, message: str) -> None:
    """``assert`` as a function."""
    assert condition, message


def check(cond: bool, message: Message = None) -> None:
    """Raise a RuntimeError with the text that ``message`` returns, unless ``cond`` holds."""
    _check_with(RuntimeError, cond, message)


def check_index(cond: bool, message: Message = None) -> None:
    """`check` with an IndexError."""
    _check_with(IndexError, cond, message)


def check_value(cond: bool, message: Message = None) -> None:
    """`check` with a ValueError."""
    _check_with(ValueError, cond, message)


def check_type(cond: bool, message: Message = None) -> None:
    """`check` with a TypeError."""
    _check_with(TypeError, cond, message)


def check_not_implemented(cond: bool, message: Message = None) -> None:
    """`check` with a NotImplementedError."""
    _check_with(NotImplementedError, cond, message)


def check_tensor_all(cond: Any, message: Message = None) -> None:
    """`check` that all elements of a boolean tensor are True."""
    if not isinstance(cond, TensorBase):
        raise TypeError(f"cond must be a tensor, but got {type(cond)}")
    if cond._data.dtype.kind != "b":
        raise TypeError(f"cond tensor must have dtype wengert.bool, but got {cond.dtype}")  # type: ignore[attr-defined]
    _check_with(RuntimeError, bool(cond.all()), message)  # type: ignore[attr-defined]


def assert_async(input: Any, message: str = "") -> None:
    """Raise a RuntimeError unless the only element of a tensor is not zero."""
    if not is_nonzero(input):
        raise RuntimeError(message or "Expected Tensor with single nonzero value, but got zero")
