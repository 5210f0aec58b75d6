"""Doubtful calls: what PyTorch accepts, with a warning or without, and what is rarely meant.

`wengert.debug.strict` makes errors of them. The switch is one for all threads, as those of other debugging tools are.
"""

from __future__ import annotations

from .call_site import call_site, warn
from .errors import StrictError

__all__ = ["doubt", "doubt_silently", "refuse_doubtful", "strictness"]


class Strictness:
    """Whether doubtful calls are errors: while ``depth`` is above 0."""

    __slots__ = ("depth",)

    def __init__(self) -> None:
        self.depth = 0


strictness = Strictness()


def doubt(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn of a doubtful call, at the program's line.

    Raises:
        StrictError: under `wengert.debug.strict`, instead.
    """
    if strictness.depth:
        refuse_doubtful(message)
    warn(message, category)


def doubt_silently(message: str) -> None:
    """Let a call pass of which PyTorch does not warn either.

    Raises:
        StrictError: under `wengert.debug.strict`.
    """
    if strictness.depth:
        refuse_doubtful(message)


def refuse_doubtful(message: str) -> None:
    """Raise the error for a doubtful call, with the program's line."""
    site = call_site()
    line = "" if site in message else f" Called at {site}."
    raise StrictError(f"{message.rstrip('.')}.{line} (Refused by wengert.debug.strict.)")
