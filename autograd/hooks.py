"""Hooks: functions of the user's that backward calls. A node without any pays one test for None."""

from __future__ import annotations

import itertools
import weakref
from typing import Any

from .base import TensorBase, wrap
from .node import LEAF, OUTPUT
from .ops.cast import cast

_ids = itertools.count().__next__


class RemovableHandle:
    """What registering a hook returns; ``remove()`` takes the hook away. Also a context manager."""

    def __init__(self, table: dict[int, Any], *more: dict[int, Any]) -> None:
        self.id = _ids()
        self._tables = [weakref.ref(t) if isinstance(t, HookTable) else (lambda t=t: t) for t in (table, *more)]

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        for table in self._tables:
            hooks = table()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class HookTable(dict[int, Any]):
    """Hooks by handle id, in the order in which they were registered."""

    __slots__ = ("__weakref__",)

    def add(self, hook: Any) -> RemovableHandle:
        """Register ``hook``."""
        handle = RemovableHandle(self)
        self[handle.id] = hook
        return handle


class Hooks:
    """The hooks of one node: on each output's gradient, and around the whole node."""

    __slots__ = ("metadata", "post", "pre", "retain", "tensor")

    def __init__(self) -> None:
        self.tensor: dict[int, HookTable] = {}
        self.retain: dict[int, weakref.ref[Any]] = {}
        self.pre = HookTable()
        self.post = HookTable()
        self.metadata: dict[Any, Any] = {}

    def add(self, kind: str, hook: Any) -> RemovableHandle:
        """Register a node hook; ``kind`` is ``"pre"`` or ``"post"``."""
        table: HookTable = getattr(self, kind)
        return table.add(hook)

    def before(self, gs: list[Any], as_tensors: bool) -> list[Any]:
        """The output gradients after tensor hooks have seen, and perhaps replaced, them."""
        for index, table in self.tensor.items():
            if gs[index] is not None:
                gs[index] = call(table, gs[index], as_tensors)
        for index, owner in self.retain.items():
            tensor = owner()
            if tensor is not None and gs[index] is not None:
                retained(tensor, gs[index], as_tensors)
        return gs

    def prehooks(self, gs: list[Any], as_tensors: bool) -> list[Any]:
        """The output gradients after the node's pre-hooks."""
        for hook in list(self.pre.values()):
            result = hook(tuple(_tensor(g, as_tensors) for g in gs))
            if result is not None:
                result = result if isinstance(result, tuple) else (result,)
                gs = [_back(g, as_tensors) for g in result]
        return gs

    def after(self, grads: tuple[Any, ...], gs: list[Any], as_tensors: bool) -> tuple[Any, ...]:
        """The input gradients after post-hooks."""
        for hook in list(self.post.values()):
            result = hook(tuple(_tensor(g, as_tensors) for g in grads), tuple(_tensor(g, as_tensors) for g in gs))
            if result is not None:
                result = result if isinstance(result, tuple) else (result,)
                grads = tuple(_back(g, as_tensors) for g in result)
        return grads


def hooks_of(node: Any) -> Hooks:
    """The node's hooks, made when first asked for."""
    if node.hooks is None:
        node.hooks = Hooks()
    return node.hooks  # type: ignore[no-any-return]


def _tensor(g: Any, as_tensors: bool) -> Any:
    return g if as_tensors or g is None else wrap(g)


def _back(g: Any, as_tensors: bool) -> Any:
    return g if as_tensors or g is None else g._data


def call(table: dict[int, Any], g: Any, as_tensors: bool) -> Any:
    """Show a gradient to each hook in turn; what one returns is what the next one sees.

    Raises:
        RuntimeError: a hook returned something that is no tensor, or of another shape.
    """
    tensor = _tensor(g, as_tensors)
    for hook in list(table.values()):
        result = hook(tensor)
        if result is None:
            continue
        if not isinstance(result, TensorBase):
            raise TypeError(f"expected hook {_name(hook)} to return a Tensor or None, got {type(result).__name__}")
        if result._data.shape != tensor._data.shape:
            raise RuntimeError(
                f"hook {_name(hook)} has changed the size of value: the gradient is {list(tensor._data.shape)}, "
                f"the hook returned {list(result._data.shape)}"
            )
        if result._data.dtype != tensor._data.dtype:
            raise RuntimeError(
                f"hook {_name(hook)} has changed the type of value (was {tensor._data.dtype}, got {result._data.dtype})"
            )
        tensor = result
    return _back(tensor, as_tensors)


def _name(hook: Any) -> str:
    return repr(getattr(hook, "__qualname__", hook))


def retained(tensor: Any, g: Any, as_tensors: bool) -> None:
    """Add to the ``.grad`` of a non-leaf that asked to retain it."""
    g = _tensor(g, as_tensors)
    tensor._grad = cast(g, g._data.dtype) if tensor._grad is None else tensor._grad + g  # a copy of its own


def register_tensor_hook(tensor: Any, edge: Any, hook: Any) -> RemovableHandle:
    """Register ``hook(grad)`` on a tensor: on its node's output, or on the leaf itself."""
    if edge.edge_kind == LEAF:
        if edge._hooks is None:
            edge._hooks = LeafHooks()
        return edge._hooks.tensor.add(hook)  # type: ignore[no-any-return]
    node, index = (edge.node, edge.index) if edge.edge_kind == OUTPUT else (edge, 0)
    return hooks_of(node).tensor.setdefault(index, HookTable()).add(hook)


class LeafHooks:
    """A leaf's hooks: on its gradient before it is accumulated, and after."""

    __slots__ = ("post", "tensor")

    def __init__(self) -> None:
        self.tensor = HookTable()
        self.post = HookTable()
