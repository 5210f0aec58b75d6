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
        self.hooks_dict_ref = self._tables[0]  # PyTorch's name for it

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

    __slots__ = ("metadata", "node_post", "node_pre", "retain", "tensor")

    def __init__(self) -> None:
        self.tensor: dict[int, HookTable] = {}
        self.retain: dict[int, weakref.ref[Any]] = {}
        self.node_pre = HookTable()
        self.node_post = HookTable()
        self.metadata: dict[Any, Any] = {}

    def before(self, gs: list[Any], as_tensors: bool) -> list[Any]:
        """The output gradients after tensor hooks have seen, and perhaps replaced, them."""
        for index, table in self.tensor.items():  # of an output that was not used they see None
            gs[index] = call(table, gs[index], as_tensors)
        for index, owner in self.retain.items():
            tensor = owner()
            if tensor is not None and gs[index] is not None:
                retained(tensor, gs[index], as_tensors)
        return gs

    def prehooks(self, gs: list[Any], as_tensors: bool) -> list[Any]:
        """The output gradients after the node's pre-hooks."""
        for hook in list(self.node_pre.values()):
            seen = tuple(_tensor(g, as_tensors) for g in gs)
            result = hook(seen)
            if result is not None:
                gs = [_back(g, as_tensors) for g in _checked(hook, result, seen)]
        return gs

    def after(self, grads: tuple[Any, ...], gs: list[Any], as_tensors: bool) -> tuple[Any, ...]:
        """The input gradients after post-hooks."""
        for hook in list(self.node_post.values()):
            seen = tuple(_tensor(g, as_tensors) for g in grads)
            result = hook(seen, tuple(_tensor(g, as_tensors) for g in gs))
            if result is not None:
                grads = tuple(_back(g, as_tensors) for g in _checked(hook, result, seen))
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
        if result is not None:
            _check_value(hook, result, tensor)
            tensor = result
    return _back(tensor, as_tensors)


def _checked(hook: Any, result: Any, seen: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a node's hook returned in place of the gradients that it saw, if it fits."""
    if isinstance(result, TensorBase) and len(seen) == 1:
        result = (result,)
    if not isinstance(result, tuple):
        raise TypeError(f"expected tuple, but hook returned '{type(result).__name__}'")
    if len(result) != len(seen):
        raise RuntimeError(
            f"hook {_name(hook)} has returned an incorrect number of values (got {len(result)}, "
            f"but expected {len(seen)})"
        )
    for given, before in zip(result, seen, strict=True):
        if given is not None:
            _check_value(hook, given, before)
    return result


def _check_value(hook: Any, result: Any, before: Any) -> None:
    """Raise unless ``result`` may take the place of the gradient ``before``."""
    if not isinstance(result, TensorBase):
        raise TypeError(
            f"expected Variable, but hook returned '{type(result).__name__}': {_name(hook)} has to return a Tensor or "
            "None"
        )
    if before is None:
        raise RuntimeError(f"can't replace a None gradient with a non-None value: hook {_name(hook)} returned a Tensor")
    if result._data.shape != before._data.shape:
        raise RuntimeError(
            f"hook {_name(hook)} has changed the size of value: the gradient is {list(before._data.shape)}, "
            f"the hook returned {list(result._data.shape)}"
        )
    if result._data.dtype != before._data.dtype:
        raise RuntimeError(
            f"hook {_name(hook)} has changed the type of value (was {_typename(before)} got {_typename(result)})"
        )


def _typename(tensor: Any) -> Any:
    return tensor.type()


def _name(hook: Any) -> str:
    return repr(getattr(hook, "__name__", type(hook).__name__))


def retained(tensor: Any, g: Any, as_tensors: bool) -> None:
    """Add to the ``.grad`` of a non-leaf that asked to retain it."""
    g = _tensor(g, as_tensors)
    tensor._grad = cast(g, g._data.dtype) if tensor._grad is None else tensor._grad + g  # a copy of its own


def register_tensor_hook(tensor: Any, edge: Any, hook: Any) -> RemovableHandle:
    """Register ``hook(grad)`` on a tensor: on its node's output, or on the leaf itself."""
    if edge.edge_kind == LEAF:
        return leaf_hooks_of(edge).tensor.add(hook)
    node, index = (edge.node, edge.index) if edge.edge_kind == OUTPUT else (edge, 0)
    return hooks_of(node).tensor.setdefault(index, HookTable()).add(hook)


class LeafHooks:
    """A leaf's hooks: on its gradient before it is accumulated, after, and around its `AccumulateGrad`.

    Attributes:
        tensor: on the gradient.
        node_pre, node_post: the accumulating node's own.
        post: called with the leaf when its gradient has been accumulated.
        metadata: the accumulating node's dictionary.
        node: a weak reference to that node, if somebody has asked for it.
    """

    __slots__ = ("metadata", "node", "node_post", "node_pre", "post", "tensor")

    def __init__(self) -> None:
        self.tensor = HookTable()
        self.node_pre = HookTable()
        self.node_post = HookTable()
        self.post = HookTable()
        self.metadata: dict[Any, Any] = {}
        self.node: weakref.ref[Any] | None = None

    def before(self, g: Any, as_tensors: bool) -> Any:
        """The gradient after the node's pre-hooks."""
        for hook in list(self.node_pre.values()):
            seen = (_tensor(g, as_tensors),)
            result = hook(seen)
            if result is not None:
                g = _back(_checked(hook, result, seen)[0], as_tensors)
        return g

    def after(self, leaf: Any, g: Any) -> None:
        """Tell those who wait for the leaf's gradient that it is there; ``g`` is the Tensor that arrived."""
        for hook in list(self.post.values()):
            if hook(leaf) is not None:
                raise RuntimeError(f"Tensor post accumulate grad hooks should return None. {_name(hook)} did not")
        for hook in list(self.node_post.values()):
            hook((), (g,))


def leaf_hooks_of(leaf: Any) -> LeafHooks:
    """The leaf's hooks, made when first asked for."""
    if leaf._hooks is None:
        leaf._hooks = LeafHooks()
    return leaf._hooks  # type: ignore[no-any-return]
