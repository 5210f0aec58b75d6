"""The table of operators that can be read, and what their functions need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ...autograd import ops
from ...autograd.base import TensorBase, wrap
from ...backends import get_backend
from .errors import OnnxImportError
from .reading import Node, nodes_of

__all__ = ["IMPORTERS", "Frame", "axes_of", "imports", "ints", "number", "tensor"]

# Operators -> functions of the node and its inputs, which return the output, or a tuple of them.
F = TypeVar("F", bound=Callable[..., Any])
IMPORTERS: dict[str, Callable[..., Any]] = {}


def imports(names: str) -> Callable[[F], F]:
    """What operators of these names compute."""

    def keep(function: F) -> F:
        IMPORTERS.update(dict.fromkeys(names.split(), function))
        return function

    return keep


class Frame:
    """A graph that is being run.

    Attributes:
        module: the module whose graph it is.
        values: the tensors that there are, by name.
    """

    def __init__(self, module: Any, values: dict[str, Any]) -> None:
        self.module, self.values = module, values

    def run(self, node: Node) -> None:
        """Compute one node.

        Raises:
            OnnxImportError: it cannot be computed; the message names it.
        """
        inputs = [self.values[n] if n else None for n in node.inputs]
        try:
            made = IMPORTERS[node.kind](node, *inputs, **({"frame": self} if node.kind in FRAMED else {}))
        except Exception as error:
            shapes = ", ".join([str(list(i._data.shape)) if isinstance(i, TensorBase) else repr(i) for i in inputs])
            raise OnnxImportError(f"{node.kind} {node.name!r} of inputs {shapes}: {error}") from error
        outputs = made if isinstance(made, tuple) else (made,)
        self.values.update(zip(node.outputs, outputs, strict=False))

    def subgraph(self, graph: Any, opset: int, inputs: Any = ()) -> tuple[Any, ...]:
        """The outputs of a graph inside of a node, which sees the tensors around it."""
        from .types import array_of

        inner = Frame(self.module, dict(self.values))
        inner.values.update({t.name: tensor(array_of(t), None) for t in graph.initializer})
        inner.values.update(zip([v.name for v in graph.input], inputs, strict=False))
        for node in nodes_of(graph, opset):
            inner.run(node)
        return tuple([inner.values[v.name] for v in graph.output])


FRAMED = {"Dropout", "If", "Loop"}


def tensor(array: Any, like: Any) -> Any:
    """A NumPy array as a tensor, on the device of another."""
    made = wrap(get_backend("cpu").from_numpy(array, None))  # type: ignore[arg-type]
    return made if like is None else made.to(like.device)


def ints(x: Any) -> list[int]:
    """A tensor of integers as numbers."""
    found = x.tolist() if hasattr(x, "tolist") else x
    return [int(n) for n in found] if isinstance(found, list | tuple) else [int(found)]


def number(x: Any, default: Any = None) -> Any:
    """A tensor of one element as a number."""
    if x is None:
        return default
    return x.reshape(-1)[0].item() if hasattr(x, "reshape") else x


def axes_of(node: Node, x: Any, given: Any, name: str = "axes") -> list[int] | None:
    """Dimensions that are an input or, in older versions, an attribute; None where neither is there."""
    found = node.get(name) if given is None else ints(given)
    if found is None:
        return None
    found = [found] if isinstance(found, int) else found
    return [a % max(x.ndim, 1) for a in found]


def cast(x: Any, dtype: Any) -> Any:
    """A tensor as another element type; itself if it is of that one."""
    return ops.to(x, dtype) if x.dtype is not dtype else x
