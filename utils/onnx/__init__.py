"""ONNX files: a model is recorded while it runs and written as one, and one is read as a module.

* ``exporting.py``: ``export``, from a model and an example to a graph;
* ``tracing.py``, ``shapes.py``: the runs with several sizes, and what is common to them;
* ``varying.py``, ``sizes.py``: numbers that depend on sizes, and the formulas that they are;
* ``graph.py`` and ``rules_*.py``: the table of kernels, each with how it is written in ONNX's operators;
* ``importing.py`` and ``importers_*.py``: ``load``, and the table of ONNX's operators, each with what it computes;
* ``checking.py``: comparing the two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .checking import differences as differences
from .checking import verify as verify
from .errors import OnnxExporterError as OnnxExporterError
from .errors import OnnxImportError as OnnxImportError
from .errors import TracerWarning as TracerWarning
from .errors import UnsupportedOperatorError as UnsupportedOperatorError
from .exporting import CUSTOM, DEFAULT_OPSET
from .exporting import TrainingMode as TrainingMode
from .exporting import export as export
from .exporting import is_in_onnx_export as is_in_onnx_export
from .graph import RULES
from .importers import IMPORTERS
from .importing import ONNXModule as ONNXModule
from .importing import load as load
from .program import ONNXProgram as ONNXProgram

__all__ = [
    "DEFAULT_OPSET",
    "ONNXModule",
    "ONNXProgram",
    "OnnxExporterError",
    "OnnxImportError",
    "TracerWarning",
    "TrainingMode",
    "UnsupportedOperatorError",
    "differences",
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


def register_custom_op_symbolic(symbolic_name: str, symbolic_fn: Callable[..., Any], opset_version: int) -> None:
    """Say how a kernel is written in ONNX.

    Args:
        symbolic_name: ``"wengert::name"``, the name that the error about it says.
        symbolic_fn: ``symbolic_fn(g, *args)`` adds nodes by ``g.op(kind, *inputs, **attributes)`` and returns what
            that returned; ``args`` are those of the kernel. A kind ``"domain::Name"`` is of another operator set.
        opset_version: the first version of ONNX's operators for which it holds.

    Raises:
        ValueError: the name has no ``::``.

    Example:
        >>> import wengert as wg
        >>> wg.onnx.register_custom_op_symbolic("wengert::erfinv", lambda g, x: g.op("my.ops::ErfInv", x), 13)
        >>> class Model(wg.nn.Module):
        ...     def forward(self, x):
        ...         return x.erfinv()
        >>> program = wg.onnx.export(Model(), wg.zeros(3))
        >>> program.model_proto.graph.node[0].domain
        'my.ops'
        >>> wg.onnx.unregister_custom_op_symbolic("wengert::erfinv", 13)
    """
    space, separator, name = symbolic_name.partition("::")
    if not (space and separator and name):
        raise ValueError(
            f"Failed to register operator {symbolic_name}. The symbolic name must match the format domain::name, and "
            "should start with a letter and contain only alphanumerical characters"
        )
    CUSTOM.setdefault(name, {})[opset_version] = symbolic_fn


def unregister_custom_op_symbolic(symbolic_name: str, opset_version: int) -> None:
    """Forget what `register_custom_op_symbolic` was told."""
    name = symbolic_name.rpartition("::")[2]
    CUSTOM.get(name, {}).pop(opset_version, None)


def register_importer(kind: str, function: Callable[..., Any]) -> None:
    """Say what an operator of a file computes.

    Args:
        kind: the operator, ``"domain::Name"`` where it is not ONNX's own.
        function: ``function(node, *inputs)`` returns the output, or a tuple of them; ``node.get(name, default)`` is an
            attribute.

    Example:
        >>> import wengert as wg
        >>> wg.onnx.register_importer("my.ops::ErfInv", lambda node, x: wg.erfinv(x))
    """
    IMPORTERS[kind] = function


def exported_operators() -> list[str]:
    """The kernels and functions that can be written; what is not listed is written by its definition, in these."""
    return sorted({*RULES, *CUSTOM})


def imported_operators() -> list[str]:
    """The operators of ONNX that can be read."""
    return sorted(IMPORTERS)
