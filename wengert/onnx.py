"""Models as ONNX files, both ways: PyTorch's names for writing them, and `load`, which reads them.

A model is run with an example and written down, with ``dynamic_axes`` for any size of batch. What can be written and
read, and how the two are checked against each other, is in ``docs/onnx.md``. The package ``onnx`` is needed, which
``pip install "wengert[onnx]"`` brings, and only when one of these functions is called.

Example:
    >>> import wengert as wg
    >>> program = wg.onnx.export(wg.nn.Linear(3, 2), wg.ones(4, 3))
    >>> wg.onnx.load(program)
    ONNXModule(1 nodes, opset 18, inputs=['input'], outputs=['output'])
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .backends.paths import add_path as _add_path
from .utils.onnx import OnnxExporterError as OnnxExporterError
from .utils.onnx import OnnxImportError as OnnxImportError
from .utils.onnx import ONNXModule as ONNXModule
from .utils.onnx import ONNXProgram as ONNXProgram
from .utils.onnx import TracerWarning as TracerWarning
from .utils.onnx import TrainingMode as TrainingMode
from .utils.onnx import UnsupportedOperatorError as UnsupportedOperatorError
from .utils.onnx import export as export
from .utils.onnx import exported_operators as exported_operators
from .utils.onnx import imported_operators as imported_operators
from .utils.onnx import is_in_onnx_export as is_in_onnx_export
from .utils.onnx import load as load
from .utils.onnx import register_custom_op_symbolic as register_custom_op_symbolic
from .utils.onnx import register_importer as register_importer
from .utils.onnx import unregister_custom_op_symbolic as unregister_custom_op_symbolic
from .utils.onnx import verify as verify

__all__ = [
    "ONNXModule",
    "ONNXProgram",
    "OnnxExporterError",
    "OnnxImportError",
    "TracerWarning",
    "TrainingMode",
    "UnsupportedOperatorError",
    "export",
    "exported_operators",
    "imported_operators",
    "is_in_onnx_export",
    "load",
    "register_custom_op_symbolic",
    "register_importer",
    "unregister_custom_op_symbolic",
    "verify",
]

__path__: list[str] = []  # a package, since it has something below it


def _parse_args(*kinds: str) -> Callable[[Any], Any]:
    """A decorator that returns what it decorates."""
    return lambda function: function


symbolic_helper = _add_path(f"{__name__}.symbolic_helper", {"parse_args": _parse_args})
errors = _add_path(
    f"{__name__}.errors",
    {"OnnxExporterError": OnnxExporterError, "UnsupportedOperatorError": UnsupportedOperatorError},
)
for _number in range(7, 24):
    globals()[f"symbolic_opset{_number}"] = _add_path(f"{__name__}.symbolic_opset{_number}", {})
