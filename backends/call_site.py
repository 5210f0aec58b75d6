"""The line of the program that called the library: for errors that name it, and warnings that point at it."""

from __future__ import annotations

import functools
import sys
import warnings
from types import FrameType
from typing import Any

__all__ = ["call_site", "named", "program_line", "warn"]

_PACKAGE = __name__.partition(".")[0]


def call_site() -> str:
    """``file:line`` of the innermost frame outside this package, as `named` writes it."""
    return named(*program_line(2))


def named(file: str, line: int) -> str:
    """``file:line``; the file that IPython keeps a cell in goes by the number of the cell, ``In[3]:line``."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    cell = getattr(getattr(shell, "compile", None), "format_code_name", lambda file: None)(file)
    return f"{cell[1] if cell else file}:{line}"


def program_line(depth: int = 1) -> tuple[str, int]:
    """File and line of the innermost frame outside this package; the search begins ``depth`` frames up."""
    frame, _ = _outside(sys._getframe(depth))
    return frame.f_code.co_filename, frame.f_lineno


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """A warning that points at the line of the program, however deep in the library it is given.

    Args:
        message: what to say.
        category: of the warning.
    """
    _, depth = _outside(sys._getframe(1))
    warnings.warn(message, category, stacklevel=depth + 1)


def _outside(frame: FrameType) -> tuple[FrameType, int]:
    """The innermost frame outside this package, and how many frames lie below it; the outermost if all are inside."""
    depth = 1
    while frame.f_back is not None and _is_inside(frame.f_globals.get("__name__")):
        frame, depth = frame.f_back, depth + 1
    return frame, depth


@functools.cache
def _is_inside(module: Any) -> bool:
    return str(module).partition(".")[0] == _PACKAGE
