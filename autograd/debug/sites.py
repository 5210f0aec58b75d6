"""Lines of the program, remembered for each recorded operation while somebody wants them."""

from __future__ import annotations

import linecache
from typing import Any

from ...backends.call_site import call_site
from ..grad_mode import ModeContext, mode, trace_with

__all__ = ["record_lines", "source_line"]


class record_lines(ModeContext):
    """A block (or a decorated function) whose operations remember the line that recorded them.

    Errors, `live_graphs`, `saved` and the graph's own view name the line then. It costs about a microsecond an
    operation.

    Example:
        >>> import wengert as wg
        >>> x = wg.ones(3, requires_grad=True)
        >>> with wg.debug.record_lines():
        ...     y = x.exp()
        >>> y.graph[-1].site is not None
        True
    """

    def __enter__(self) -> None:
        self._before = before = mode.trace

        def remember(node: Any, outputs: Any, inputs: Any) -> None:
            node.site = call_site()
            if before is not None:
                before(node, outputs, inputs)

        trace_with(remember)

    def __exit__(self, *exc: object) -> None:
        mode.trace = self._before


def source_line(site: str | None) -> str:
    """The text of the line that ``file:line`` names; empty where it cannot be read."""
    if site is None:
        return ""
    file, _, number = site.rpartition(":")
    return linecache.getline(file, int(number)).strip() if number.isdigit() else ""
