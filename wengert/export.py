"""PyTorch's names for programs as graphs, which are not made here: see `wengert.fx`."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["Dim", "ExportedProgram", "export", "register_dataclass"]


class ExportedProgram:
    """A program as a graph. There is none, but programs ask whether something is one."""


class Dim:
    """The name of a size that may change."""

    AUTO, DYNAMIC, STATIC = "AUTO", "DYNAMIC", "STATIC"

    def __init__(self, name: str, *, min: int | None = None, max: int | None = None) -> None:
        self.__name__, self.min, self.max = name, min, max


def register_dataclass(cls: type, **options: Any) -> None:
    """Accepted: objects of any class may be arguments."""


def export(*args: Any, **kwargs: Any) -> NoReturn:
    """The graph of a program.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError("export: programs are not traced here; save the state_dict instead")
