"""PyTorch's names for writing models as ONNX files, which this package does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from .backends.paths import add_path as _add_path

__all__ = ["ONNXProgram", "export", "is_in_onnx_export", "register_custom_op_symbolic"]

__path__: list[str] = []  # a package, since it has something below it


class ONNXProgram:
    """A model as ONNX. There is none, but programs ask whether something is one."""


def register_custom_op_symbolic(symbolic_name: str, symbolic_fn: Any, opset_version: int, **options: Any) -> None:
    """Accepted: nothing is exported."""


def _parse_args(*kinds: str) -> Callable[[Any], Any]:
    """A decorator that returns what it decorates."""
    return lambda function: function


symbolic_helper = _add_path(f"{__name__}.symbolic_helper", {"parse_args": _parse_args})
for _number in range(7, 24):
    globals()[f"symbolic_opset{_number}"] = _add_path(f"{__name__}.symbolic_opset{_number}", {})


def is_in_onnx_export() -> bool:
    """Whether a model is being exported; it is not."""
    return False


def export(*args: Any, **kwargs: Any) -> NoReturn:
    """Write a model as an ONNX file.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError("onnx.export: models are not traced here; save the state_dict, and export it in PyTorch")
