"""How a file is read: bytes, a path or a model of the package ``onnx``, and its graph as nodes."""

from __future__ import annotations

import os
from typing import Any

from .errors import OnnxImportError
from .program import need_onnx
from .types import array_of

__all__ = ["Node", "nodes_of", "proto_from"]


class Node:
    """One node of a graph.

    Attributes:
        kind: the operator.
        inputs: names of tensors, empty for those that are left out.
        outputs: likewise.
        attributes: by name, in Python's types; graphs as they are.
        opset: the version of the operator set.
        name: of the node.
    """

    __slots__ = ("attributes", "inputs", "kind", "name", "opset", "outputs")

    def __init__(self, proto: Any, opset: int) -> None:
        from onnx import helper

        self.kind = proto.op_type if proto.domain in ("", "ai.onnx") else f"{proto.domain}::{proto.op_type}"
        self.name, self.opset = proto.name, opset
        self.inputs, self.outputs = list(proto.input), list(proto.output)
        self.attributes = {a.name: _plain(helper.get_attribute_value(a)) for a in proto.attribute}

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute, or its default."""
        return self.attributes.get(name, default)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if type(value).__name__ == "TensorProto":
        return array_of(value)
    if isinstance(value, list | tuple) or type(value).__name__.startswith("Repeated"):
        return [_plain(v) for v in value]
    return value


def nodes_of(graph: Any, opset: int) -> list[Node]:
    """The nodes of a graph, in order."""
    return [Node(n, opset) for n in graph.node]


def proto_from(f: Any) -> tuple[Any, str]:
    """The model in a file, and the folder of further files that it names.

    Raises:
        FileNotFoundError: there is no such file.
        OnnxImportError: what is in it is no ONNX model, or a file that belongs to it is missing.
    """
    onnx = need_onnx()
    if isinstance(f, onnx.ModelProto):
        return f, ""
    if hasattr(f, "model_proto"):
        return f.model_proto, ""
    if isinstance(f, bytes | bytearray | memoryview):
        return _parsed(bytes(f), "these bytes"), ""
    if hasattr(f, "read"):
        return _parsed(f.read(), "this file"), ""
    if not isinstance(f, str | os.PathLike):
        raise TypeError(f"onnx.load: expected a path, an open file, bytes or a ModelProto, but got {type(f).__name__}")
    path = os.fspath(f)
    with open(path, "rb") as file:
        data = file.read()
    model, folder = _parsed(data, repr(path)), os.path.dirname(os.path.abspath(path))
    for tensor in model.graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            location = next((e.value for e in tensor.external_data if e.key == "location"), "")
            if not os.path.isfile(os.path.join(folder, location)):
                raise OnnxImportError(
                    f"onnx.load: {path!r} keeps the values of {tensor.name!r} in the file {location!r}, which is not "
                    f"beside it; copy it there"
                )
    try:
        onnx.load_external_data_for_model(model, folder)
    except Exception as error:
        raise OnnxImportError(f"onnx.load: the external data of {path!r} cannot be read: {error}") from error
    return model, folder


def _parsed(data: bytes, what: str) -> Any:
    onnx = need_onnx()
    if isinstance(data, str):
        raise TypeError("onnx.load: the file is open for text; open it with mode 'rb'")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
        known = bool(model.opset_import) and model.ir_version > 0 and model.HasField("graph")
    except Exception as error:
        raise OnnxImportError(
            f"onnx.load: {what} cannot be read as an ONNX model, it may be cut short: {error}"
        ) from error
    if not known:
        raise OnnxImportError(f"onnx.load: {what}: no ONNX model, or one that is cut short: there is no graph in it")
    if len(model.functions):
        from onnx import inliner

        model = inliner.inline_local_functions(model)
    return model
