"""Comparing a model with the file that it was exported to."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autograd.base import TensorBase
from ...autograd.grad_mode import no_grad
from .errors import OnnxExporterError
from .importing import load
from .program import ONNXProgram, numpy_of
from .tracing import leaves

__all__ = ["differences", "verify"]

RUNTIMES = ("reference", "onnxruntime", "import")


def differences(model: Any, args: Any, program: Any, runtime: str, kwargs: Any = None) -> list[float]:
    """For each output, the largest absolute difference of a model and its file.

    Args:
        model: the module, in the mode in which it was exported.
        args: what it is called with.
        program: what `export` returned.
        runtime: ``"reference"``, the interpreter of the package ``onnx``; ``"onnxruntime"``; or ``"import"``, the file
            read as a module.
        kwargs: further arguments by name.

    Raises:
        RuntimeError: an output has another shape or element type.
    """
    args = args if isinstance(args, tuple) else (args,)
    named = kwargs or {}
    with no_grad():
        wanted: list[Any] = [t for t in leaves(model(*args, **named)) if isinstance(t, TensorBase)]
        if runtime == "import":
            inputs = [t for t in leaves((args, named)) if isinstance(t, TensorBase)]
            made = load(program)(*inputs)
            found = made if isinstance(made, tuple) else (made,)
        else:
            found = (program if runtime == "onnxruntime" else program.call_reference)(*args, **named)
    worst = []
    for i, (a, b) in enumerate(zip(found, wanted, strict=True)):
        if a.shape != b.shape or a.dtype != b.dtype:
            raise OnnxExporterError(
                f"output {i} of {runtime} is {a.dtype} {list(a.shape)}, and of the model {b.dtype} {list(b.shape)}"
            )
        worst.append(_largest(numpy_of(a), numpy_of(b)))
    return worst


def _largest(a: Any, b: Any) -> float:
    if not a.size:
        return 0.0
    a, b = a.astype("float64"), b.astype("float64")
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        return float(np.where(same, 0.0, abs(a - b)).max())


def verify(
    model: Any,
    args: Any,
    program: ONNXProgram,
    *,
    kwargs: Any = None,
    runtimes: Any = RUNTIMES,
    rtol: float = 1e-4,
    atol: float = 1e-5,
) -> dict[str, float]:
    """Check that a file computes what its model does.

    Args:
        model: the module; it is run in evaluation mode.
        args: what it is called with, of any sizes that the file takes.
        program: what `export` returned.
        kwargs: further arguments by name.
        runtimes: who runs the file: ``"reference"``, ``"onnxruntime"``, ``"import"``.
        rtol: how large differences may be, relative to the largest element.
        atol: and absolutely.

    Returns:
        The largest absolute difference of each runtime.

    Raises:
        RuntimeError: one is too large.

    Example:
        >>> import wengert as wg
        >>> model, x = wg.nn.Linear(3, 2), wg.ones(1, 3)
        >>> program = wg.onnx.export(model, x)
        >>> wg.onnx.verify(model, x, program, runtimes=["import"])
        {'import': 0.0}
    """
    before = [(m, m.training) for m in model.modules()]
    model.eval()
    try:
        found = {r: max(differences(model, args, program, r, kwargs), default=0.0) for r in runtimes}
        with no_grad():
            given = args if isinstance(args, tuple) else (args,)
            outputs = [t for t in leaves(model(*given, **(kwargs or {}))) if isinstance(t, TensorBase)]
    finally:
        for module, was in before:
            module.training = was
    size = max([float(np.abs(numpy_of(o).astype("float64")).max(initial=0.0)) for o in outputs], default=0.0)
    for runtime, worst in found.items():
        if not worst <= atol + rtol * size:
            raise OnnxExporterError(f"{runtime} differs from the model by {worst:.3g}, of numbers up to {size:.3g}")
    return found
