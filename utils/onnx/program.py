"""The file that is made: ``ONNXProgram``, which is written, run and compared."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ...autograd.base import TensorBase, wrap
from ...backends import get_backend
from .tracing import leaves

__all__ = ["ONNXProgram", "need_onnx", "numpy_of"]

LIMIT = (1 << 31) - (1 << 20)  # bytes that one protocol buffer may have


def need_onnx() -> Any:
    """The package ``onnx``.

    Raises:
        ImportError: it is not installed.
    """
    try:
        import onnx
    except ImportError as error:
        raise ImportError('wengert.onnx needs the package onnx: pip install "wengert[onnx]"') from error
    return onnx


def numpy_of(tensor: Any) -> Any:
    """A tensor's values as a NumPy array."""
    return get_backend("cpu").to_numpy(tensor.detach().cpu()._data)


class ONNXProgram:
    """A model as ONNX.

    Attributes:
        model_proto: the model as the package ``onnx`` has it.

    Example:
        >>> import wengert as wg
        >>> program = wg.onnx.export(wg.nn.Linear(3, 2), wg.ones(4, 3), dynamic_axes={"input": {0: "batch"}})
        >>> [node.op_type for node in program.model_proto.graph.node]
        ['Gemm']
        >>> program.call_reference(wg.ones(5, 3))[0].shape
        wengert.Size([5, 2])
    """

    def __init__(self, model_proto: Any, bytes_of_data: int) -> None:
        self.model_proto, self._bytes = model_proto, bytes_of_data
        self._session: Any = None

    def __repr__(self) -> str:
        graph = self.model_proto.graph
        nodes, opset = len(graph.node), self.model_proto.opset_import[0].version
        return f"ONNXProgram({nodes} nodes, opset {opset}, inputs={self.input_names}, outputs={self.output_names})"

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs that are no initializers."""
        stored = {t.name for t in self.model_proto.graph.initializer}
        return [v.name for v in self.model_proto.graph.input if v.name not in stored]

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs."""
        return [v.name for v in self.model_proto.graph.output]

    def save(self, destination: Any, *, external_data: bool | None = None) -> None:
        """Write the file.

        Args:
            destination: a path, or an open binary file.
            external_data: whether arrays are written to a file of their own, ``<destination>.data``; unless told, where
                one file would be larger than protocol buffers may be, 2 GB.

        Raises:
            ValueError: arrays of their own beside an open file.
        """
        onnx = need_onnx()
        external = self._bytes > LIMIT if external_data is None else external_data
        if hasattr(destination, "write"):
            if external:
                raise ValueError("onnx: external data needs a path to stand beside, and this is an open file")
            destination.write(self.model_proto.SerializeToString())
            return
        path = os.fspath(destination)
        if not external:
            onnx.save_model(self.model_proto, path)
            return
        data = f"{os.path.basename(path)}.data"
        if os.path.exists(beside := os.path.join(os.path.dirname(path), data)):
            os.remove(beside)  # else it would be appended to
        whole = onnx.ModelProto()
        whole.CopyFrom(self.model_proto)
        onnx.save_model(
            whole, path, save_as_external_data=True, all_tensors_to_one_file=True, location=data, size_threshold=1024
        )

    def _feeds(self, args: Any, kwargs: Any) -> dict[str, Any]:
        tensors = [t for t in leaves((args, kwargs)) if isinstance(t, TensorBase)]
        if len(tensors) != len(self.input_names):
            raise TypeError(f"the model has the inputs {self.input_names}, but {len(tensors)} tensors were given")
        return {name: numpy_of(t) for name, t in zip(self.input_names, tensors, strict=True)}

    def call_reference(self, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """The outputs, by the interpreter of the package ``onnx``, which is slow and exact."""
        need_onnx()
        from onnx.reference import ReferenceEvaluator

        found = ReferenceEvaluator(self.model_proto).run(None, self._feeds(args, kwargs))
        return tuple([wrap(np.asarray(y)) for y in found])

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """The outputs, by ``onnxruntime``.

        Raises:
            ImportError: it is not installed.
        """
        if self._session is None:
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3
            options.intra_op_num_threads = 1
            data = self.model_proto.SerializeToString()
            self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        return tuple([wrap(np.asarray(y)) for y in self._session.run(None, self._feeds(args, kwargs))])
