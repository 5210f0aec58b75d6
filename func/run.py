"""One call of a function under a transform: which inputs are differentiated, and what the results still depend on.

A transform gives the chosen inputs a new place in the graph: a fresh leaf, or, where the caller differentiates too
(a transform around this one, or ``requires_grad``), a view that leads on to the caller's tensor. Results that depend
on nothing but fresh leaves are constants outside and leave the graph; all others stay in it. Transforms nest by that
alone, and a gradient is recorded only where somebody outside can ask for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..autograd import ops
from ..autograd.base import TensorBase, edge_of
from ..autograd.batching import lift
from ..autograd.entries import gradients_of
from ..autograd.forward_mode import keep_tangents
from ..autograd.grad_mode import enable_grad, mode
from ..autograd.node import LEAF, OUTPUT
from ..backends.errors import ArgumentError, InvalidValueError
from .tree import Structure, flatten, unflatten

__all__ = ["Argnums", "Run", "chosen"]

Argnums = int | tuple[int, ...]


def chosen(argnums: Any, count: int) -> tuple[int, ...]:
    """Which of ``count`` positional arguments ``argnums`` names, each as a number from 0.

    Raises:
        RuntimeError: not an int or a tuple of ints, empty, out of range, or one argument twice.
    """
    numbers = argnums if isinstance(argnums, tuple) else (argnums,)
    if not all(isinstance(i, int) for i in numbers):
        raise ArgumentError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    if not numbers:
        raise ArgumentError("argnums must be non-empty; name the arguments to differentiate by their positions")
    for i in numbers:
        if not -count <= i < count:
            raise ArgumentError(f"Got argnum={i}, but only {count} positional inputs")
    numbers = tuple(i % count for i in numbers)
    if len(set(numbers)) < len(numbers):
        raise ArgumentError(f"argnums elements must be unique, got {numbers}")
    return numbers


class Run:
    """A call of ``func`` with some arguments in a new place of the graph.

    Args:
        name: the transform, for messages.
        func: what is called.
        args: its positional arguments.
        kwargs: its keyword arguments, which are not differentiated.
        argnums: the arguments to differentiate; each may be a tree of tensors.
        has_aux: ``func`` returns ``(output, aux)``.

    Attributes:
        inputs: the tensors to differentiate by.
        structure: how they lie in the chosen arguments, one argument by itself or a tuple of them.
        output: what ``func`` returned, without ``aux``.
        aux: the second part, out of the graph where it may be.

    Raises:
        RuntimeError: wrong ``argnums``, an input that is not floating, or no ``aux`` although ``has_aux``.
        ValueError: an input that is no tensor.
    """

    def __init__(
        self,
        name: str,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        argnums: Argnums,
        has_aux: bool,
    ) -> None:
        self.outer = mode.grad
        numbers = chosen(argnums, len(args))
        selected = tuple(args[i] for i in numbers)
        leaves, self.structure = flatten(selected if isinstance(argnums, tuple) else selected[0])
        with enable_grad():
            self.inputs = [self._track(leaf) for leaf in leaves]
            self.fresh = {id(t) for t in self.inputs if t._edge is None}
            tracked = unflatten(self.structure, self.inputs)
            given = list(args)
            for i, value in zip(numbers, tracked if isinstance(argnums, tuple) else (tracked,), strict=True):
                given[i] = value
            self.output, self.aux = func(*given, **kwargs), None
        if has_aux:
            if not isinstance(self.output, tuple) or len(self.output) != 2:
                raise ArgumentError(
                    f"{name}(f)(*args): output of function f should be a tuple: (output, aux) if has_aux is True"
                )
            self.output, aux = self.output
            self.aux = self.released(aux)

    def _track(self, leaf: Any) -> Any:
        if not isinstance(leaf, TensorBase):
            raise InvalidValueError(f"Thing passed to transform API must be Tensor, got {type(leaf)}")
        if mode.levels:  # within vmap the gradient is that of an example, also by what all examples share
            leaf = lift(leaf, mode.levels[-1][0])
        if self.outer and edge_of(leaf) is not None:
            return ops.view_as(leaf, leaf)
        return keep_tangents(leaf.detach(), leaf).requires_grad_()

    def seen_outside(self, tensors: Sequence[Any]) -> bool:
        """Whether one of ``tensors`` depends on a leaf that this run did not make, and the caller records."""
        stack = [edge_of(t) for t in tensors] if self.outer else []
        seen = set[Any]()
        while stack:
            edge = stack.pop()
            if edge is None:
                continue
            if edge.edge_kind == LEAF:
                if id(edge) not in self.fresh:
                    return True
                continue
            node = edge.node if edge.edge_kind == OUTPUT else edge
            if node not in seen:
                seen.add(node)
                stack += node.edges
        return False

    def released(self, tree: Any) -> Any:
        """``tree`` with every tensor that is a constant outside taken out of the graph."""
        leaves, structure = flatten(tree)
        for leaf in leaves:
            if not isinstance(leaf, TensorBase):
                raise ArgumentError(f"Expected tensors, got unsupported type {type(leaf)}")
        return unflatten(structure, [t if self.seen_outside([t]) else keep_tangents(t.detach(), t) for t in leaves])

    def pull(self, outputs: Sequence[Any], gs: Sequence[Any], retain: bool, create: bool) -> list[Any]:
        """The gradients of ``outputs`` by each input, given those of the outputs; zeros where there is no path."""
        pairs = [(o, g) for o, g in zip(outputs, gs, strict=True) if edge_of(o) is not None]
        found: list[Any] = [None] * len(self.inputs)
        if pairs:
            found = gradients_of([o for o, _ in pairs], [g for _, g in pairs], self.inputs, retain or create, create)
        return [ops.zeros_like(x) if g is None else g for x, g in zip(self.inputs, found, strict=True)]

    def arranged(self, gradients: Sequence[Any]) -> Any:
        """One value for each input, in the shape of the arguments."""
        return unflatten(self.structure, gradients)

    def outputs(self) -> tuple[list[Any], Structure]:
        """The tensors of the output, and how they lie in it.

        Raises:
            RuntimeError: the output holds something that is no tensor, or nothing at all.
        """
        leaves, structure = flatten(self.output)
        if not leaves:
            raise ArgumentError(
                f"vjp(f, *primals): Expected f to be a function that has non-empty output (got output = {self.output})"
            )
        for leaf in leaves:
            if not isinstance(leaf, TensorBase):
                raise ArgumentError(
                    f"vjp(f, *primals): expected f(*primals) to return only tensors, got unsupported type {type(leaf)}"
                )
        return leaves, structure
