"""Who saved what for backward, and how big it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..base import TensorBase
from ..graph import Graph
from ..node import LEAF
from ..profiler_events import format_memory
from ..saved import Packed
from .table import aligned

__all__ = ["Saved", "SavedRow", "saved"]


@dataclass(frozen=True)
class SavedRow:
    """One array that an operation keeps.

    Attributes:
        op: the operation.
        module: the path of its module, where it was recorded (`wengert.viz.module_paths`), else empty.
        site: the program's ``file:line``, where it was recorded (`record_lines`), else empty.
        what: ``"input 0"``, ``"output 0"``, ``"cached 0"`` (an intermediate) or ``"hooked 0"`` (what a hook gave).
        shape, dtype: of the array.
        bytes: how much memory it keeps alive; 0 for parameters and other leaves, which live anyway, and for what
            another row keeps already.
    """

    op: str
    module: str
    site: str
    what: str
    shape: tuple[int, ...]
    dtype: str
    bytes: int


class Saved(list[SavedRow]):
    """The rows, the largest first; printed as a table."""

    @property
    def total_bytes(self) -> int:
        """How much memory all of it keeps alive."""
        return sum(row.bytes for row in self)

    def __str__(self) -> str:
        titles = ("op", "module", "what", "shape", "dtype", "bytes", "line")
        cells = [
            (r.op, r.module, r.what, str(list(r.shape)), r.dtype, format_memory(r.bytes) if r.bytes else "-", r.site)
            for r in self
        ]
        return "\n".join([*aligned([titles, *cells]), f"total: {format_memory(self.total_bytes)}"])

    __repr__ = __str__


def saved(*outputs: Any) -> Saved:
    """What the graph of some tensors keeps for its backward pass.

    Args:
        outputs: tensors, or containers of them, or a `Graph`.

    Returns:
        A list of `SavedRow`, the largest first, which prints as a table with the total.

    Example:
        >>> import wengert as wg
        >>> x = wg.ones(100, requires_grad=True)
        >>> print(wg.debug.saved((x.exp() * 2).sum()))
        op   module  what      shape  dtype    bytes  line
        Exp          output 0  [100]  float32  400 B
        total: 400 B
    """
    rows: list[SavedRow] = []
    seen: set[int] = set()
    for output in outputs:
        graph = output if isinstance(output, Graph) else Graph(output)
        for box in graph:
            if box.kind == "op":
                rows += _rows(box, seen)
    rows.sort(key=lambda row: -row.bytes)
    return Saved(rows)


def _rows(box: Any, seen: set[int]) -> Iterator[SavedRow]:
    node = box.source
    module, site = box.module, box.site or ""
    for what, array, leaf in _kept(node):
        memory = _memory(array)
        count = 0 if leaf or id(memory) in seen else int(memory.nbytes)
        seen.add(id(memory))
        yield SavedRow(box.op, module, site, what, tuple(array.shape), str(array.dtype), count)


def _kept(node: Any) -> Iterator[tuple[str, Any, bool]]:
    """What a node keeps: a description, the array, and whether it is a leaf's."""
    for i, s in enumerate(node._saved or ()):
        if type(s) is Packed:
            if isinstance(s.value, TensorBase):
                yield f"hooked {i}", s.value._data, False
            continue
        array, source = (s[0], s[1]) if type(s) is tuple else (s, None)
        if not hasattr(array, "dtype"):
            continue
        if type(source) is int:
            edge = node.edges[source] if source >= 0 else None
            leaf = edge is not None and edge.edge_kind == LEAF
            yield (f"input {source}" if source >= 0 else f"output {~source}"), array, leaf
        else:
            yield f"input {i}", array, source is not None and source.edge_kind == LEAF
    for i, array in enumerate(node._cached or ()):
        if hasattr(array, "dtype") and hasattr(array, "nbytes"):
            yield f"cached {i}", array, False


def _memory(array: Any) -> Any:
    """The array that owns the memory of a view."""
    while getattr(array, "base", None) is not None and hasattr(array.base, "nbytes"):
        array = array.base
    return array
