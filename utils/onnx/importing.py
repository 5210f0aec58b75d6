"""``load``: an ONNX file as a module, whose parameters are the file's and can be trained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...autograd.base import TensorBase, wrap
from ...backends import get_backend
from ...nn.module import Module
from ...nn.parameter import Parameter
from . import importers_layers as importers_layers
from . import importers_math as importers_math
from . import importers_positions as importers_positions
from . import importers_recurrent as importers_recurrent
from . import importers_shape as importers_shape
from .errors import OnnxImportError
from .importers import IMPORTERS, Frame
from .reading import Node, nodes_of, proto_from
from .types import KEY, array_of

__all__ = ["ONNXModule", "load"]

STATISTICS = {"BatchNormalization": (3, 4)}  # operands that are measured, and not trained


class ONNXModule(Module):
    """A model from an ONNX file.

    Its parameters have the names that they have in the file: the keys of the ``state_dict`` of the model that was
    exported. It is called with the inputs in the file's order, or by their names, and returns the output, or a tuple.

    Attributes:
        input_names: the inputs.
        output_names: the outputs.
    """

    def __init__(self, proto: Any) -> None:
        super().__init__()
        graph = proto.graph
        self._opset = max([s.version for s in proto.opset_import if s.domain in ("", "ai.onnx")], default=1)
        self._nodes = nodes_of(graph, self._opset)
        self._check()
        stored = {t.name: array_of(t) for t in graph.initializer}
        self.input_names = [v.name for v in graph.input if v.name not in stored]
        self._defaults = [v.name for v in graph.input if v.name in stored]
        self.output_names = [v.name for v in graph.output]
        self._shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in graph.input}
        self._where: dict[str, tuple[Any, str]] = {}
        trained, measured = self._sorted(proto, stored)
        for name, array in stored.items():
            tensor = wrap(get_backend("cpu").from_numpy(np.array(array), None))  # type: ignore[arg-type]
            self._keep(name, tensor, name in trained, name in measured)
        self._last = self._last_uses()

    def _check(self) -> None:
        missing = sorted({n.kind for n in _all_nodes(self._nodes) if n.kind not in IMPORTERS})
        if missing:
            raise OnnxImportError(
                f"onnx.load: the model uses operators that are not supported here: {', '.join(missing)}. Export it "
                "without them, or register them: wengert.onnx.register_importer(name, function)"
            )

    def _sorted(self, proto: Any, stored: dict[str, Any]) -> tuple[set[str], set[str]]:
        """Which arrays are trained, and which are measured; the others are constants."""
        told = {p.key: p.value for p in proto.metadata_props}
        measured = {n.inputs[i] for n in self._nodes for i in STATISTICS.get(n.kind, ()) if i < len(n.inputs)}
        if KEY in told:
            lines = [line.partition(" ") for line in told[KEY].splitlines()]
            return {n for k, _, n in lines if k == "parameter"}, {n for k, _, n in lines if k == "buffer"}
        floating = {n for n, a in stored.items() if a.dtype.kind in "fV" and a.size > 1}
        return floating - measured, measured

    def _keep(self, name: str, tensor: Any, trained: bool, measured: bool) -> None:
        """Register a tensor where its name says, or under it as one word."""
        *path, leaf = name.split(".")
        owner: Any = self
        if trained or measured:
            for part in path:
                child = owner._modules.get(part) if part else None
                if child is None:
                    if not part or hasattr(owner, part):
                        break
                    child = Module()
                    owner.add_module(part, child)
                owner = child
            else:
                if leaf and not hasattr(owner, leaf):
                    return self._put(owner, leaf, name, tensor, trained)
        word = name.replace(".", "_") or "tensor"
        while hasattr(self, word):
            word += "_"
        if trained or measured:
            return self._put(self, word, name, tensor, trained)
        self.register_buffer(word, tensor, persistent=False)
        self._where[name] = self, word
        return None

    def _put(self, owner: Any, leaf: str, name: str, tensor: Any, trained: bool) -> None:
        if trained:
            owner.register_parameter(leaf, Parameter(tensor))
        else:
            owner.register_buffer(leaf, tensor)
        self._where[name] = owner, leaf

    def _last_uses(self) -> list[list[str]]:
        """For each node, which tensors nobody needs after it."""
        seen, after = set(self.output_names), []
        for node in reversed(self._nodes):
            used = {n for n in _inputs_of(node) if n}
            after.append([n for n in used if n not in seen])
            seen |= used
        return after[::-1]

    # ------------------------------------------------------------------ running

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs of the graph.

        Args:
            args: the inputs, in the file's order.
            kwargs: inputs by name.

        Raises:
            TypeError: there are too many inputs, or too few.
            ValueError: an input has another number of dimensions than the file says.
        """
        names = [*self.input_names, *self._defaults]
        if len(args) > len(names):
            raise TypeError(f"the model has the inputs {self.input_names}, but {len(args)} were given")
        given = dict(zip(names, args, strict=False))
        for name, value in kwargs.items():
            if name not in names or name in given:
                raise TypeError(f"the model has the inputs {self.input_names}; {name!r} is none, or was given twice")
            given[name] = value
        missing = [n for n in self.input_names if n not in given]
        if missing:
            raise TypeError(f"the model has the inputs {self.input_names}; {', '.join(missing)} was not given")
        for name, value in given.items():
            shape = self._shapes.get(name)
            if isinstance(value, TensorBase) and shape and len(shape) != value._data.ndim:
                raise ValueError(
                    f"the input {name!r} has {len(shape)} dimensions in the file, but got {list(value._data.shape)}"
                )
        values = {name: getattr(*place) for name, place in self._where.items()} | given
        frame = Frame(self, values)
        for node, gone in zip(self._nodes, self._last, strict=True):
            frame.run(node)
            for name in gone:
                values.pop(name, None)
        found = tuple([values[n] for n in self.output_names])
        return found[0] if len(found) == 1 else found

    def extra_repr(self) -> str:
        """What the file holds."""
        return f"{len(self._nodes)} nodes, opset {self._opset}, inputs={self.input_names}, outputs={self.output_names}"


def _subgraphs(node: Node) -> Iterator[Any]:
    for value in node.attributes.values():
        if type(value).__name__ == "GraphProto":
            yield value


def _all_nodes(nodes: list[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        for graph in _subgraphs(node):
            yield from _all_nodes(nodes_of(graph, node.opset))


def _inputs_of(node: Node) -> Iterator[str]:
    yield from node.inputs
    for graph in _subgraphs(node):
        for inner in nodes_of(graph, node.opset):
            yield from _inputs_of(inner)
        yield from [v.name for v in graph.output]


def load(f: Any) -> ONNXModule:
    """An ONNX file as a module.

    Its weights are parameters, under the names that they have in the file, so that the model can be trained further,
    and written again. Sizes are those of the inputs that it is called with. It begins in evaluation mode.

    Args:
        f: a path, an open binary file, bytes, or a model of the package ``onnx``.

    Raises:
        FileNotFoundError: there is no such file.
        RuntimeError: it is no ONNX model, a file that belongs to it is missing, or it uses operators that are not
            supported; the message lists them all.
        ImportError: the package ``onnx`` is missing.

    Example:
        >>> import io
        >>> import wengert as wg
        >>> file = io.BytesIO()
        >>> _ = wg.onnx.export(wg.nn.Linear(3, 2), wg.ones(1, 3), file)
        >>> model = wg.onnx.load(file.getvalue())
        >>> sorted(model.state_dict())
        ['bias', 'weight']
    """
    proto, _ = proto_from(f)
    return ONNXModule(proto).eval()
