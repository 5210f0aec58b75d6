"""Hidden device synchronisations: where a program waits for a device to have computed a value."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

from ...backends import kernels_of
from ...backends.call_site import call_site
from ..base import TensorBase
from ..subclass import public_namespaces
from ..tensor import Tensor
from .sites import source_line
from .table import aligned

__all__ = ["sync_counter"]

# What brings values to the host.
READS = (
    "item",
    "tolist",
    "numpy",
    "cpu",
    "__array__",
    "__bool__",
    "__float__",
    "__int__",
    "__index__",
    "__complex__",
    "__repr__",
    "__str__",
    "__format__",
    "is_nonzero",
)
# What has a shape, or an answer, that depends on the values.
SHAPED_BY_VALUES = (
    "nonzero",
    "argwhere",
    "masked_select",
    "unique",
    "unique_consecutive",
    "bincount",
    "histc",
    "equal",
    "allclose",
)


class sync_counter(contextlib.ContextDecorator):
    """A block that counts, by line of the program, what makes it wait for the device.

    On a GPU operations run while the program goes on; ``item()``, ``if tensor:``, ``nonzero()`` and the like wait for
    all of them. On the CPU nothing has to wait, and the same calls are counted: so a training loop can be looked at
    before it goes to a GPU.

    Attributes:
        total: how many there were.
        counts: ``{(what, "file:line"): how often}``.

    Example:
        >>> import wengert as wg
        >>> losses = wg.ones(3)
        >>> with wg.debug.sync_counter() as syncs:
        ...     total = sum(loss.item() for loss in losses)
        ...     if losses.sum() > 2:
        ...         pass
        >>> syncs.total
        4
        >>> [what for what, line in syncs.counts]
        ['item', '__bool__']
    """

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], int] = {}
        self._inside = False

    @property
    def total(self) -> int:
        """How many there were."""
        return sum(self.counts.values())

    def __enter__(self) -> sync_counter:
        self._undo: list[tuple[Any, str, Any, bool]] = []
        for name in (*READS, *SHAPED_BY_VALUES, "__getitem__"):
            method = getattr(Tensor, name, None)
            if method is not None:
                own = name in vars(Tensor)
                self._undo.append((Tensor, name, method, own))
                setattr(Tensor, name, self._counting(name, method))
        for namespace, names in public_namespaces():
            for name in SHAPED_BY_VALUES:
                if name in names and name in namespace:
                    self._undo.append((namespace, name, namespace[name], True))
                    namespace[name] = self._counting(name, namespace[name])
        return self

    def __exit__(self, *exc: object) -> None:
        for owner, name, before, own in reversed(self._undo):
            if isinstance(owner, dict):
                owner[name] = before
            elif own:
                setattr(owner, name, before)
            else:
                delattr(owner, name)

    def _recreate_cm(self) -> sync_counter:
        return self

    def _counting(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            if self._inside or (name == "__getitem__" and not _by_mask(args[1])) or not _on_device(args[0], name):
                return function(*args, **kwargs)
            key = ("boolean index" if name == "__getitem__" else name, call_site())
            self.counts[key] = self.counts.get(key, 0) + 1
            self._inside = True
            try:
                return function(*args, **kwargs)
            finally:
                self._inside = False

        return run

    def __str__(self) -> str:
        if not self.counts:
            return "nothing waits for the device"
        rows = [("count", "what", "line", "")]
        for (what, site), count in sorted(self.counts.items(), key=lambda pair: -pair[1]):
            rows.append((str(count), what, site, source_line(site)))
        return "\n".join([*aligned(rows), f"total: {self.total}"])

    __repr__ = __str__


def _by_mask(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(p, TensorBase) and p._data.dtype.kind in "b?" for p in parts)


def _on_device(tensor: Any, name: str) -> bool:
    """Whether it counts: moving what is on the CPU already to the CPU does not."""
    if not isinstance(tensor, TensorBase):
        return False
    return name != "cpu" or kernels_of[type(tensor._data)].backend.name != "cpu"
