"""The context of an op that is not recorded, where others have a node."""

from __future__ import annotations

from typing import Any, ClassVar

from ..backends import kernels_of
from ..backends.errors import GraphError
from ..backends.registry import Backend, when_loaded
from ..backends.sparse import SparseArray


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


def _add_context(backend: Backend) -> None:
    backend.kernels.nocontext = NoContext(backend.kernels)


def give_contexts() -> None:
    """Put one context beside the kernels of each backend; called once, by ``primitive.py``."""
    when_loaded(_add_context)
    _add_context(kernels_of[SparseArray].backend)
