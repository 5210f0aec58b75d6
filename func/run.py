"""One call of a function under a transform: which inputs are differentiated, and what the results still depend on.

A transform gives the chosen inputs a new place in the graph: a fresh leaf, or, where the caller differentiates too
(a transform around this one, or ``requires_grad``), a view that leads on to the caller's tensor. Results that depend
on nothing but fresh leaves are constants outside and leave the graph; all others stay in it. Transforms nest by that
alone, and a gradient is recorded only where somebody outside can ask for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..autograd import ops
from ..autograd.base import TensorBase, edge_of
from ..autograd.batching import lift
from ..autograd.entries import gradients_of
from ..autograd.forward_mode import keep_tangents
from ..autograd.grad_mode import INFERENCE, mode
from ..autograd.node import LEAF, OUTPUT
from ..autograd.transforms import within
from ..backends.errors import ArgumentError, GraphError, InvalidValueError, ShapeError
from .tree import Structure, flatten, paths, unflatten

__all__ = ["Argnums", "Run", "chosen"]

Argnums = int | tuple[int, ...]


def chosen(argnums: Any, count: int) -> tuple[int, ...]:
    """Which of ``count`` positional arguments ``argnums`` names, each as a number from 0.

    Raises:
        RuntimeError: not an int or a tuple of ints, empty, out of range, or one argument twice.
    """
    if not isinstance(argnums, (int, tuple)):
        raise ArgumentError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    numbers = argnums if isinstance(argnums, tuple) else (argnums,)
    for i in numbers:
        if not isinstance(i, int):
            raise ArgumentError(f"argnum must be int, got: {type(i)}")
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
        name: the transform, for messages; see ``CALLS``.
        func: what is called.
        args: its positional arguments.
        kwargs: its keyword arguments, which are not differentiated.
        argnums: the arguments to differentiate, all for None; each may be a tree of tensors.
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
        argnums: Argnums | None,
        has_aux: bool,
    ) -> None:
        self.name = name
        numbers = tuple(range(len(args))) if argnums is None else chosen(argnums, len(args))
        several = not isinstance(argnums, int)
        selected = tuple(args[i] for i in numbers)
        leaves, self.structure = flatten(selected if several else selected[0])
        with recording(), within(name, func):
            self.inputs = [self._track(leaf, i, numbers, several) for i, leaf in enumerate(leaves)]
            self.fresh = {id(t) for t in self.inputs if t._edge is None}
            tracked = unflatten(self.structure, self.inputs)
            given = list(args)
            for i, value in zip(numbers, tracked if several else (tracked,), strict=True):
                given[i] = value
            self.output, self.aux = func(*given, **kwargs), None
        if has_aux:
            self.output, aux = output_and_aux(self.output, CALLS[name])
            self.aux = self.released(aux)

    def _track(self, leaf: Any, place: int, numbers: tuple[int, ...], several: bool) -> Any:
        if not isinstance(leaf, TensorBase):
            root = "args" if several else f"args[{numbers[0]}]"
            where = paths(self.structure, root)[place]
            raise InvalidValueError(
                f"Thing passed to transform API must be Tensor, got {type(leaf)}: {self.name} differentiates by every "
                f"leaf of the arguments in argnums, and {where} is none. Name other arguments in argnums, or give a "
                "tensor"
            )
        if leaf._data.dtype.kind not in "fcV":
            root = "args" if several else f"args[{numbers[0]}]"
            raise GraphError(
                f"only Tensors of floating point dtype can require gradients, not {leaf.dtype}: "  # type: ignore[attr-defined]
                f"{self.name} is asked to differentiate by {paths(self.structure, root)[place]}; leave it out of "
                "argnums, or convert it: x.float()"
            )
        if leaf._ver is INFERENCE:
            leaf = ops.clone(leaf)  # type: ignore[arg-type]
        if mode.levels:  # within vmap the gradient is that of an example, also by what all examples share
            leaf = lift(leaf, mode.levels[-1][0])
        if edge_of(leaf) is not None:
            return ops.view_as(leaf, leaf)
        fresh = keep_tangents(leaf.detach(), leaf)
        fresh._rg = True
        return fresh

    def seen_outside(self, tensors: Sequence[Any]) -> bool:
        """Whether one of ``tensors`` depends on a leaf that this run did not make, and the caller records."""
        stack = [edge_of(t) for t in tensors] if mode.grad else []
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
        only_tensors(leaves, structure, "aux")
        return unflatten(structure, [self._left(t) for t in leaves])

    def _left(self, tensor: Any) -> Any:
        """A tensor, and its tangents, out of the graph where they are constants outside."""
        kept = tensor if self.seen_outside([tensor]) else keep_tangents(tensor.detach(), tensor)
        for level, tangent in list(kept.__dict__.get("_tangents", {}).items()):
            kept.__dict__["_tangents"][level] = self._left(tangent)
        return kept

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
        return outputs_of(self.output, CALLS[self.name])


# How messages write a call of each transform.
CALLS = {
    "grad": "grad_and_value(f)(*args)",
    "vjp": "vjp(f, *primals)",
    "jvp": "jvp(f, primals, tangents)",
    "jacrev": "jacrev(f)(*args), by vjp(f, *primals)",
    "jacfwd": "jacfwd(f)(*args), by jvp(f, primals, tangents)",
    "hvp": "hvp(f, primals, tangents)",
}


@contextlib.contextmanager
def recording() -> Iterator[None]:
    """A block in which operations are recorded, within ``no_grad`` and ``inference_mode``, too."""
    before = mode.grad, mode.fresh
    mode.grad, mode.fresh = True, None
    try:
        yield
    finally:
        mode.grad, mode.fresh = before


def output_and_aux(result: Any, call: str) -> tuple[Any, Any]:
    """What a function returned that also returns auxiliary values.

    Raises:
        RuntimeError: it is no pair.
    """
    if not isinstance(result, tuple) or len(result) != 2:
        what = f"a tuple of {len(result)}" if isinstance(result, tuple) else f"{type(result)}"
        raise ArgumentError(
            f"{call}: output of function f should be a tuple: (output, aux) if has_aux is True, got {what}"
        )
    return result


def only_tensors(leaves: Sequence[Any], structure: Structure, what: str) -> None:
    """Refuse auxiliary values that are no tensors.

    Raises:
        RuntimeError: a leaf is none.
    """
    for leaf, path in zip(leaves, paths(structure, what), strict=True):
        if not isinstance(leaf, TensorBase):
            raise ArgumentError(
                f"Expected tensors, got unsupported type {type(leaf)} at {path}; return it by other means (a list that "
                "the function appends to), or make it a tensor"
            )


def outputs_of(output: Any, call: str) -> tuple[list[Any], Structure]:
    """The tensors of what a function returned, and how they lie in it.

    Raises:
        RuntimeError: it holds something that is no tensor, or nothing at all.
    """
    leaves, structure = flatten(output)
    if not leaves or output is None:
        raise ArgumentError(
            f"{call}: Expected f to be a function that has non-empty output (got output = {leaves}); return at least "
            "one tensor"
        )
    for leaf, path in zip(leaves, paths(structure, "output"), strict=True):
        if not isinstance(leaf, TensorBase):
            raise ArgumentError(
                f"{call}: expected f(*primals) to return only tensors, got unsupported type {type(leaf)} at {path}; "
                "return such values as aux, with has_aux=True, or leave them out"
            )
    return leaves, structure


def only_real(tensors: Sequence[Any], structure: Structure, who: str, what: str) -> None:
    """Refuse complex tensors.

    Raises:
        RuntimeError: one of them is complex.
    """
    for i, tensor in enumerate(tensors):
        if isinstance(tensor, TensorBase) and tensor._data.dtype.kind == "c":
            raise ArgumentError(
                f"{who}: Expected all {what}s to be real but received complex tensor at flattened input idx: {i} "
                f"({paths(structure, what)[i]}); take view_as_real() of it, or use vjp"
            )


def fitting(primals: Any, tangents: Any, call: str) -> tuple[list[Any], list[Any], Structure]:
    """The tensors of the point and of the direction, and how they lie in the arguments.

    Raises:
        RuntimeError: they are no tensors, or do not fit together.
    """
    if not isinstance(primals, tuple):
        raise ArgumentError(
            f"{call}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals), got "
            f"{type(primals)}; a single argument is (x,)"
        )
    points, structure = flatten(primals)
    directions, other = flatten(tangents)
    if structure != other:
        raise ArgumentError(
            f"{call}: Expected primals and tangents to have the same python structure. For example, if primals is a "
            f"tuple of 3 tensors, tangents also must be. Got primals and tangents with structure {structure} and "
            f"{other}"
        )
    if not points:
        raise ArgumentError(f"{call}: Expected primals to contain at least one Tensor.")
    for what, leaves in (("primals", points), ("tangents", directions)):
        for leaf, path in zip(leaves, paths(structure, what), strict=True):
            if not isinstance(leaf, TensorBase):
                raise ArgumentError(
                    f"{call}: Expected {what} to only contain Tensors, got {type(leaf)} at {path}; give it to f by a "
                    "closure (lambda x: f(x, 3)), or make it a tensor"
                )
            if leaf._data.dtype.kind not in "fcV":
                raise ValueError(
                    f"Expected {what[:-1]} to be floating point or complex, but got: {leaf.dtype} at {path} of {call}"  # type: ignore[attr-defined]
                )
    for p, t, path in zip(points, directions, paths(structure, "tangents"), strict=True):
        if p._data.shape != t._data.shape:
            raise ShapeError(
                "Trying to set a forward gradient that has a different size than that of the original Tensor, this is "
                f"not supported. Tensor is of size {list(p.shape)} while the given forward gradient is of size "
                f"{list(t.shape)}: {path} of {call}"
            )
    return points, directions, structure
