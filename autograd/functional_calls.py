"""One call of a user's function for the functions of ``functional.py``: what is given and returned, checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ..backends.errors import ArgumentError, GraphError, ShapeError
from . import ops
from .base import TensorBase, edge_of
from .entries import gradients_of
from .transforms import refuse_inside

if TYPE_CHECKING:
    from .tensor import Tensor

    Tensors: TypeAlias = Tensor | tuple[Tensor, ...]


def tensors_of(values: Any, what: str, who: str) -> tuple[Any, ...]:
    """A tensor or a tuple of them as a tuple; ``what`` names them in the message."""
    found = values if isinstance(values, tuple) else (values,)
    for i, value in enumerate(found):
        if not isinstance(value, TensorBase):
            where = f"the value at index {i} has type" if isinstance(values, tuple) else f"the given {what} has type"
            raise TypeError(
                f"The {what} given to {who} must be either a Tensor or a tuple of Tensors but {where} {type(value)}."
            )
    return found


class Call:
    """One call of ``func`` on inputs of its own, so that the caller's ``.grad`` and graph are left alone."""

    def __init__(self, func: Callable[..., Any], inputs: Any, who: str, create_graph: bool, strict: bool) -> None:
        refuse_inside(
            f"Tensor.requires_grad_(), which torch.autograd.functional.* APIs ({who}) need,",
            "Use the functions of wengert.func instead, which nest.",
        )
        self.who, self.create_graph, self.strict = who, create_graph, strict
        self.one_input = not isinstance(inputs, tuple)
        given = tensors_of(inputs, "inputs", who)
        self.inputs = [
            ops.view_as(x, x) if create_graph and edge_of(x) is not None else x.detach().requires_grad_() for x in given
        ]
        result = func(*self.inputs)
        self.one_output = not isinstance(result, tuple)
        self.outputs = tensors_of(result, "outputs of the user-provided function", who)
        if strict:
            for i, output in enumerate(self.outputs):
                if edge_of(output) is None:
                    raise GraphError(
                        f"Output {i} of the user-provided function does not require gradients. The outputs must be "
                        "computed in a differentiable manner from the input when running in strict mode."
                    )

    def scalar(self) -> Any:
        """The only output, which has one element."""
        if len(self.outputs) != 1:
            raise ArgumentError(f"The function given to {self.who} should return a single Tensor")
        (output,) = self.outputs
        if output._data.size != 1:
            raise ShapeError(
                f"The Tensor returned by the function given to {self.who} should contain a single element, "
                f"got the shape {list(output.shape)}"
            )
        return output

    def vector(self, v: Any, like: Sequence[Any], one: bool, returns: str) -> tuple[Any, ...]:
        """``v`` checked against the tensors it belongs to; None means 1 where there is one element."""
        if v is None:
            if len(like) != 1 or like[0]._data.size != 1:
                raise ArgumentError(
                    f"The vector v can only be None if {returns} a single Tensor with a single element."
                )
            return (ops.ones_like(like[0]),)
        found = tensors_of(v, "v", self.who)
        if len(found) != len(like):
            if one:
                raise ArgumentError("The given v should contain a single Tensor.")
            raise ArgumentError(f"v is a tuple of invalid length: should be {len(like)} but got {len(found)}.")
        for g, x in zip(found, like, strict=True):
            if g.shape != x.shape:
                raise ShapeError(f"v has invalid size: should be {x.shape} but got {g.shape}.")
        return found

    def pull(
        self, outputs: Sequence[Any], gs: Sequence[Any], missing: str, record: bool | None = None, strict: bool = True
    ) -> list[Any]:
        """The gradients of ``outputs`` by the inputs: zeros, or in strict mode an error, where there is no path."""
        found = gradients_kept(outputs, gs, self.inputs, self.create_graph if record is None else record)
        for i, g in enumerate(found):
            if g is None and self.strict and strict:
                raise GraphError(missing.format(i=i) + " This is not allowed in strict mode.")
        return [ops.zeros_like(x) if g is None else g for x, g in zip(self.inputs, found, strict=True)]

    def check_recorded(self, gradients: Sequence[Any], missing: str) -> None:
        """In strict mode refuse derivatives that do not depend on the input themselves."""
        for i, g in enumerate(gradients):
            if self.strict and edge_of(g) is None:
                raise GraphError(missing.format(i=i))

    def values(self) -> Any:
        """What ``func`` returned."""
        return self.given_back(self.outputs, self.one_output)

    def given_back(self, tensors: Sequence[Any], one: bool) -> Any:
        """One tensor or a tuple, out of the graph unless that is wanted."""
        found = tuple(tensors) if self.create_graph else tuple(t.detach() for t in tensors)
        return found[0] if one else found


INDEPENDENT = "The output of the user-provided function is independent of input {i}."


CONSTANT = (
    "The jacobian of the user-provided function is independent of input {i}. This is not allowed in strict mode when "
    "create_graph=True."
)


FLAT = (
    "While computing the hessian, found that the jacobian of the user-provided function with respect to input {i} is "
    "independent of the input. This is not allowed in strict mode."
)


def gradients_kept(outputs: Sequence[Any], gs: Sequence[Any], inputs: Sequence[Any], record: bool) -> list[Any]:
    """The gradients by ``inputs``, None where there is no path; the graph stays for further walks."""
    pairs = [(o, g) for o, g in zip(outputs, gs, strict=True) if edge_of(o) is not None]
    if not pairs:
        return [None] * len(inputs)
    return gradients_of([o for o, _ in pairs], [g for _, g in pairs], inputs, True, record)
