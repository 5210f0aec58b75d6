"""What keeps graphs alive: the tensors from which recorded operations can still be reached, and who holds them."""

from __future__ import annotations

import gc
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..base import TensorBase
from ..node import LEAF, OUTPUT
from ..profiler_events import format_memory
from .memory import _kept, _memory
from .table import aligned

__all__ = ["LiveGraph", "LiveGraphs", "live_graphs"]


@dataclass(frozen=True)
class LiveGraph:
    """A tensor that keeps a graph alive.

    Attributes:
        op: the operation that made it.
        shape, dtype: of the tensor.
        ops: how many recorded operations can be reached from it, those that a row above has counted left out.
        bytes: how much memory these keep for backward.
        site: the program's ``file:line`` that made it, where it was recorded (`record_lines`), else empty.
        held_by: the variables, attributes and containers that hold it.
    """

    op: str
    shape: tuple[int, ...]
    dtype: str
    ops: int
    bytes: int
    site: str
    held_by: tuple[str, ...]


class LiveGraphs(list[LiveGraph]):
    """The rows, the newest tensor first; printed as a table."""

    @property
    def ops(self) -> int:
        """How many recorded operations are alive."""
        return sum(row.ops for row in self)

    @property
    def total_bytes(self) -> int:
        """How much memory they keep for backward."""
        return sum(row.bytes for row in self)

    def __str__(self) -> str:
        if not self:
            return "no graph is alive"
        titles = ("op", "shape", "ops", "bytes", "held by", "line")
        cells = [
            (r.op, str(list(r.shape)), str(r.ops), format_memory(r.bytes), "; ".join(r.held_by) or "?", r.site)
            for r in self
        ]
        total = f"total: {self.ops} operations, {format_memory(self.total_bytes)} saved"
        return "\n".join([*aligned([titles, *cells]), total])

    __repr__ = __str__


def live_graphs() -> LiveGraphs:
    """Which tensors keep recorded operations alive: where memory grows, `total += loss` without `item()` is among them.

    Returns:
        A list of `LiveGraph`, which prints as a table. Tensors inside a graph that a newer one leads to are not
        listed.

    Example:
        >>> import wengert as wg
        >>> x = wg.ones(1000, requires_grad=True)
        >>> total = wg.zeros(())
        >>> for _ in range(3):
        ...     total = total + (x ** 2).sum()
        >>> report = wg.debug.live_graphs()
        >>> next((row.op, row.ops) for row in report if "'total'" in str(row.held_by))
        ('Add', 9)
    """
    gc.collect()
    # By type(), since isinstance() asks for __class__, which makes some lazy objects of other libraries do things.
    tensors = [t for t in gc.get_objects() if issubclass(type(t), TensorBase) and _node(t) is not None]
    tensors.sort(key=lambda t: -_node(t).seq)
    places = _variables({id(t) for t in tensors})
    seen: set[Any] = set()
    memories: set[int] = set()
    rows = LiveGraphs()
    for t in tensors:
        node = _node(t)
        if node in seen:
            continue
        ops, count = _reach(node, seen, memories)
        held = tuple(dict.fromkeys([*places.get(id(t), ()), *_holders(t, tensors)]))
        rows.append(
            LiveGraph(node.op.__name__, tuple(t._data.shape), str(t._data.dtype), ops, count, node.site or "", held)
        )
    return rows


def _node(tensor: Any) -> Any:
    edge = tensor._edge
    if edge is None or edge.edge_kind == LEAF:
        return None
    return edge.node if edge.edge_kind == OUTPUT else edge


def _reach(root: Any, seen: set[Any], memories: set[int]) -> tuple[int, int]:
    """How many nodes lead to ``root`` that nobody has counted, and what they keep."""
    ops = count = 0
    stack = [root]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        ops += 1
        for _, array, leaf in _kept(node):
            memory = _memory(array)
            if not leaf and id(memory) not in memories:
                memories.add(id(memory))
                count += int(memory.nbytes)
        for edge in node.edges:
            if edge is not None and edge.edge_kind != LEAF:
                stack.append(edge.node if edge.edge_kind == OUTPUT else edge)
    return ops, count


def _variables(wanted: set[int]) -> dict[int, list[str]]:
    """Local variables of all running functions that hold one of the tensors."""
    found: dict[int, list[str]] = {}
    for frame in sys._current_frames().values():
        inner: types.FrameType | None = frame
        while inner is not None:
            if inner.f_code.co_filename != __file__ and inner.f_locals is not inner.f_globals:
                for name, value in inner.f_locals.items():
                    if id(value) in wanted:
                        place = f"local {name!r} of {inner.f_code.co_name}()"
                        found.setdefault(id(value), []).append(place)
            inner = inner.f_back
    return found


def _holders(tensor: Any, ours: Any) -> Iterator[str]:
    """What else refers to a tensor, in words."""
    for holder in gc.get_referrers(tensor):
        if holder is ours or isinstance(holder, types.FrameType):
            continue
        if isinstance(holder, dict):
            yield from _in_dict(holder, tensor)
        elif isinstance(holder, list | tuple | set | frozenset):
            yield f"a {type(holder).__name__} of {len(holder)}{_owner(holder)}"
        elif isinstance(holder, types.CellType):
            yield "a closure"
        elif isinstance(holder, TensorBase):
            yield "a tensor"
        elif hasattr(holder, "__dict__"):
            names = [name for name, value in vars(holder).items() if value is tensor]
            yield from (f"attribute {name!r} of a {type(holder).__name__}" for name in names)


def _in_dict(holder: dict[Any, Any], tensor: Any) -> Iterator[str]:
    keys = [key for key, value in holder.items() if value is tensor]
    for key in keys:
        if "__name__" in holder and "__builtins__" in holder:
            yield f"global {key!r} of {holder['__name__']}"
            continue
        owners = [o for o in gc.get_referrers(holder) if getattr(o, "__dict__", None) is holder]
        yield f"attribute {key!r} of a {type(owners[0]).__name__}" if owners else f"item {key!r} of a dict"


def _owner(container: Any) -> str:
    """The name of a variable or attribute that holds a container."""
    for holder in gc.get_referrers(container):
        members = holder if isinstance(holder, dict) else getattr(holder, "__dict__", {})
        names = [key for key, value in members.items() if value is container]
        if names:
            return f" in {names[0]!r}"
    held = _variables({id(container)}).get(id(container))
    return f" in {held[0]}" if held else ""
