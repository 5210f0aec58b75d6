"""Results with several named parts, such as ``max(x, dim)``: tuples with names, printed as PyTorch prints them."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

__all__ = ["named_result"]


def named_result(name: str, fields: str) -> Any:
    """A tuple type with named fields.

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

    return type(name, (base,), {"__slots__": (), "__repr__": show, "__module__": "wengert.return_types"})
