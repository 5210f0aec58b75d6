"""The node that one call of a user's ``Function`` becomes, and how its ``backward`` is called and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..backends.errors import GraphError, ShapeError
from .base import TensorBase, wrap
from .engine import as_array
from .node import Node

if TYPE_CHECKING:
    from .function import Function, FunctionCtx


class BackwardCFunction(Node):
    """The node of a Function. Attributes that it has not itself are those of the ``ctx``."""

    __slots__ = ("ctx",)
    ctx: FunctionCtx
    _forward_cls: ClassVar[Any]  # the Function

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "ctx":
            raise AttributeError(name)
        return getattr(self.ctx, name)

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What the ``ctx`` saved, as Tensors in their place of the graph."""
        packed = self._saved
        if packed is None:
            raise self._freed()
        return tuple(s if s is None else self._attach(s) for s in packed)

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """As for every node; arguments that are no tensors have no place among them."""
        every = super().next_functions
        return tuple([e for e, shape in zip(every, self.info, strict=True) if shape is not None])


class FunctionOp:
    """What the engine calls as a Function node's ``op``."""

    variant = None
    undefined = True  # zeros for unused outputs are made here, unless the ctx says otherwise

    def __init__(self, function: type[Function]) -> None:
        self.function = function
        self.__name__ = function.__name__

    def backward(self, node: Any, *gs: Any) -> tuple[Any, ...]:
        """The user's ``backward``, for arrays."""
        grads = self.backward_graph(node, *[g if g is None else wrap(as_array(g)) for g in gs])
        return tuple([g if g is None else g._data for g in grads])

    def backward_graph(self, node: Any, *gs: Any) -> tuple[Any, ...]:
        """The user's ``backward``, checked."""
        if node.ctx._materialize:
            gs = tuple([_zeros(node, i) if g is None else g for i, g in enumerate(gs)])
        function = self.function
        rule = function.backward
        if function.vjp is not function.unwritten:
            if rule is not function.unwritten:
                raise GraphError(
                    "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only "
                    "implement one of them."
                )
            rule = function.vjp
        grads = rule(node.ctx, *gs)
        return _checked(node, grads if isinstance(grads, tuple) else (grads,))


def _zeros(node: Any, index: int) -> Any:
    """Zeros in place of the gradient of an output that was not used; None for an output that was no tensor."""
    shape, dtype = (node.shape[index], node.dtype[index]) if node.count > 1 else (node.shape, node.dtype)
    return None if dtype is None else wrap(node.k.zeros(shape, dtype=dtype))


def _checked(node: Any, grads: tuple[Any, ...]) -> tuple[Any, ...]:
    """What the user's ``backward`` returned, if it fits the inputs."""
    name, wanted = node.name(), len(node.edges)
    if len(grads) < wanted or any(g is not None for g in grads[wanted:]):
        raise GraphError(
            f"function {name} returned an incorrect number of gradients (expected {wanted}, got {len(grads)}): "
            "return one for each argument of forward, None for those without"
        )
    for i, (g, shape) in enumerate(zip(grads, node.info, strict=False)):
        if g is None:
            continue
        if shape is None:
            raise GraphError(
                f"function {name} returned a gradient different than None at position {i + 1}, but the corresponding "
                "forward input was not a Variable"
            )
        if not isinstance(g, TensorBase):
            raise GraphError(f"function {name}: expected Variable or None (got {type(g).__name__}) at position {i + 1}")
        got = g._data.shape
        lead = len(got) - len(shape)
        if lead < 0 or any(n not in (1, m) for n, m in zip(shape, got[lead:], strict=True)):
            raise ShapeError(
                f"Function {name} returned an invalid gradient at index {i} - got {list(got)} but expected shape "
                f"compatible with {list(shape)}"
            )
    return grads[:wanted]
