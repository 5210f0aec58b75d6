"""The context of an op that is not recorded, where others have a node."""

from __future__ import annotations

from typing import Any, ClassVar

from ..backends.errors import GraphError


class NoContext:
    """The context of an op that is not recorded: it keeps nothing, and nothing is needed."""

    __slots__ = ("info", "k")
    needs = (False,) * 64
    params: ClassVar[dict[str, Any]] = {}

    def __init__(self, k: Any) -> None:
        self.k = k

    def save(self, *values: Any) -> None:
        """Keep nothing."""

    cache = save

    @property
    def saved(self) -> Any:
        """Nothing, since nothing was recorded."""
        raise GraphError("nothing was recorded")
