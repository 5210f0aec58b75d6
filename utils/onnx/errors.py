"""What can go wrong on the way to an ONNX file and from one."""

from __future__ import annotations

from ...backends.errors import WengertError

__all__ = ["OnnxExporterError", "OnnxImportError", "TracerWarning", "UnsupportedOperatorError"]


class OnnxExporterError(WengertError, RuntimeError):
    """A model that cannot be written as an ONNX file."""


class UnsupportedOperatorError(OnnxExporterError):
    """An operation of a model for which there is no rule.

    Args:
        name: of the operation.
        place: where it ran.
        opset: the version of the operator set asked for.
    """

    def __init__(self, name: str, place: str, opset: int) -> None:
        super().__init__(
            f"Exporting the operator '{name}' to ONNX opset version {opset} is not supported{place}. Compute it with "
            f"other operations, or say how to write it: wengert.onnx.register_custom_op_symbolic('wengert::{name}', "
            f"lambda g, *args: g.op(...), {opset})"
        )


class OnnxImportError(WengertError, RuntimeError):
    """A file that is no ONNX model, or that uses what cannot be run here."""


class TracerWarning(UserWarning):
    """Something that a recording cannot follow."""
