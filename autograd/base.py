"""The part of a tensor that the engine sees: its array, its gradient, and its place in the graph.

``Tensor`` itself, with its operators and methods, is built on the ops, and the ops are built on this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .grad_mode import mode

if TYPE_CHECKING:
    from .inplace import View
    from .tensor import Tensor

new = object.__new__


class TensorBase:
    """Storage of a tensor.

    Attributes:
        _data: the array.
        _grad: the accumulated gradient, a Tensor or None.
        _edge: where a gradient of this tensor goes: a Node, an Output, a leaf that this is an alias of, or None.
        _rg: whether a gradient is wanted.
        _ver: ``[count, last writer]``, shared with every tensor on the same memory; None while nobody has asked.
        _view: how this tensor was made from its base, when it is a view.
        _hooks: a leaf's hooks.
    """

    __slots__ = ("__dict__", "__weakref__", "_data", "_edge", "_grad", "_hooks", "_rg", "_ver", "_view")
    edge_kind = 2  # an edge to a tensor is an edge to a leaf

    _data: Any
    _grad: Tensor | None
    _edge: Any
    _rg: bool
    _ver: list[Any] | None
    _view: View | None
    _hooks: Any


_class: Any = TensorBase


def bind(cls: type) -> None:
    """Tell the engine which class its results have; called once, when ``Tensor`` is complete."""
    global _class
    _class = cls


def wrap(array: Any) -> Any:
    """A Tensor of ``array``, outside any graph."""
    t = new(_class)
    t._data = array
    t._grad = t._edge = t._view = t._hooks = None
    t._rg = False
    t._ver = mode.fresh
    return t


def version_of(tensor: TensorBase) -> list[Any]:
    """The version that ``tensor`` shares with all tensors on its memory."""
    if tensor._ver is None:
        tensor._ver = [0, None]
    return tensor._ver


def alias(tensor: TensorBase) -> Any:
    """A Tensor on the same memory with the same version, outside any graph; its array is an object of its own."""
    t = wrap(tensor._data[...])
    t._ver = version_of(tensor)
    return t


def edge_of(tensor: TensorBase) -> Any:
    """Where a gradient of ``tensor`` goes, or None."""
    if not tensor._rg and (tensor._view is None or not tensor._view.joined(tensor)):
        return None
    if tensor._view is not None:
        return tensor._view.live_edge(tensor)
    return tensor if tensor._edge is None else tensor._edge
