"""Results with several named parts, such as ``max(x, dim)``: tuples with names, printed as PyTorch prints them."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

__all__ = ["KINDS", "named_result"]

KINDS: dict[str, Any] = {}  # by name, for `wengert.return_types`


def named_result(name: str, fields: str) -> Any:
    """A tuple type with named fields, which takes its parts one by one or as one sequence.

    Example:
        >>> from wengert.autograd.ops.return_types import named_result
        >>> pair = named_result("pair", "first second")
        >>> pair(1, 2)
        wengert.return_types.pair(
        first=1,
        second=2)
    """
    base: Any = namedtuple(name, fields)  # type: ignore[misc]  # mypy wants literals

    def show(self: Any) -> str:
        parts = ",\n".join(f"{field}={value!r}" for field, value in zip(self._fields, self, strict=True))
        return f"wengert.return_types.{name}(\n{parts})"

    def make(cls: type, *parts: Any) -> Any:
        return tuple.__new__(cls, parts if len(parts) == count else parts[0])

    count = len(base._fields)
    methods = {"__slots__": (), "__repr__": show, "__new__": make, "__module__": "wengert.return_types"}
    KINDS[name] = type(name, (base,), methods)
    return KINDS[name]
