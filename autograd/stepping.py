"""``backward_steps``: the backward pass, one operation at a time, with everything that goes in and comes out.

The engine's own loop runs each operation, so what is accumulated is what ``backward`` accumulates, to the bit.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..backends.errors import GraphError, SparseOperandError
from .api import _gradients, _tuple
from .base import TensorBase, wrap
from .engine import Pass, conform
from .entries import begin, deliver_roots, key_of
from .grad_mode import mode
from .node import LEAF

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["BackwardStep", "backward_steps"]

JACOBIAN_LIMIT = 64  # elements of an output whose Jacobian is worked out, one run of the rule for each


class BackwardStep:
    """One operation's backward, after it has run.

    Attributes:
        index: its place in the pass, from 0.
        count: how many steps the pass has.
        node: the recorded operation, as ``grad_fn`` shows it.
        incoming: the gradient of each output; None for an output that nothing depends on.
        outgoing: the gradient of each input, of the input's shape; None where there is none.
        leaves: the leaf tensors whose ``.grad`` became complete in this step.
        seconds: how long the rule ran.

    A step keeps alive what the operation had saved, for `local` and `inputs`.
    """

    def __init__(self, index: int, run: SteppedPass, node: Any, kept: Any, leaves: tuple[Any, ...]) -> None:
        self.index, self.count, self.node, self.seconds = index, len(run.order), node, run.seconds
        self.leaves: tuple[Tensor, ...] = leaves
        self.incoming: tuple[Tensor | None, ...] = tuple(map(_tensor, run.incoming))
        raw = (*run.raw, *(None,) * len(node.edges))  # a rule may leave out what comes last
        self.outgoing: tuple[Tensor | None, ...] = tuple(
            None if g is None or e is None else _tensor(conform(g, *_expected(e)))
            for g, e in zip(raw, node.edges, strict=False)
        )
        self._kept = kept

    @property
    def op(self) -> str:
        """The operation's name, such as ``Mul``."""
        return self.node.op.__name__  # type: ignore[no-any-return]

    @property
    def inputs(self) -> tuple[Tensor | None, ...]:
        """The value of each input that is known: leaves, and what the operation saved; else None."""
        found = saved_values(self._kept)[0]
        return tuple(
            e.detach() if e is not None and e.edge_kind == LEAF else _tensor(found.get(i))
            for i, e in enumerate(self.node.edges)
        )

    @property
    def local(self) -> tuple[Tensor | None, ...]:
        """The derivative of the output with respect to each input, by itself: what the incoming gradient meets.

        For an elementwise operation it has the output's shape, and ``outgoing = incoming * local`` (summed over
        broadcast dimensions). For others it is the Jacobian, of shape ``(*output, *input)``, where the output has at
        most 64 elements, and ``outgoing = (incoming[..., None] * local).sum(output dimensions)``; of one element, it
        has the input's shape. None where there is no gradient, for larger outputs, and for several outputs.
        """
        node = self._kept
        nothing = (None,) * len(node.edges)
        if node.count != 1:
            return nothing
        k, shape, dtype = node.k, node.shape, node.dtype
        size = 1
        for n in shape:
            size *= n
        try:
            if hasattr(node.op, "expression") or size == 1:
                return self._answers(k.ones(shape, dtype), elementwise=size > 1)
            if not 0 < size <= JACOBIAN_LIMIT:
                return nothing
            rows = []
            for i in range(size):
                one = k.zeros((size,), dtype)
                one[i] = 1
                rows.append(self._answers(one.reshape(shape), elementwise=False))
        except (GraphError, SparseOperandError):  # a user's Function has given back what it saved; sparse gradients
            return nothing
        from .ops import stack

        columns = zip(*rows, strict=True)
        return tuple(None if c[0] is None else stack(list(c)).reshape(*shape, *c[0].shape) for c in columns)

    def _answers(self, g: Any, elementwise: bool) -> tuple[Tensor | None, ...]:
        """What the rule makes of an incoming gradient of ones, or of a one among zeros."""
        node = self._kept
        before = mode.grad, mode.reattach
        mode.grad = mode.reattach = False
        try:
            raw = node.op.backward(node, g)
        finally:
            mode.grad, mode.reattach = before
        raw = (*(raw if type(raw) is tuple else (raw,)), *(None,) * len(node.edges))
        found: list[Tensor | None] = []
        for r, e in zip(raw, node.edges, strict=False):
            if r is None or e is None:
                found.append(None)
            elif elementwise:
                found.append(_tensor(conform(r, node.shape, node.dtype) if r.shape != node.shape else r))
            else:
                found.append(_tensor(conform(r, *_expected(e))))
        return tuple(found)

    def __repr__(self) -> str:
        return f"<BackwardStep {self.index + 1}/{self.count}: {self.node.name()}>"

    def __str__(self) -> str:
        """What came in and what goes on, in a line for each input; numbers where they are single ones."""
        lines = [f"{self.index + 1}/{self.count} {self.op}"]
        for i, (out, local) in enumerate(zip(self.outgoing, self.local, strict=True)):
            if out is not None:
                come, meets, leaves = map(_said, (self.incoming[0], local, out))
                how = f"{come} * {meets} = {leaves}" if local is not None else f"{come} -> {leaves}"
                lines.append(f"  to input {i}: {how}")
        return "\n".join(lines)


def backward_steps(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> Iterator[BackwardStep]:
    """`wengert.autograd.backward`, one operation at a time.

    Each turn of the loop runs the rule of one operation. When the loop has ended, every ``.grad`` is what
    ``backward`` would have left, to the bit; if it is left early, the rest of the pass does not happen.

    Args:
        tensors: where the walk starts.
        grad_tensors: the gradient that arrives at each from outside; None means 1, for a scalar.
        retain_graph: keep what was saved; ``create_graph`` unless told.
        create_graph: record the backward itself.
        inputs: accumulate into these only.

    Returns:
        An iterator of `BackwardStep`.

    Raises:
        RuntimeError: as `wengert.autograd.backward`; at the call, not in the loop.

    Example:
        >>> import wengert as wg
        >>> x, y, z = (wg.tensor(v, requires_grad=True) for v in (-2.0, 5.0, -4.0))
        >>> for step in wg.autograd.backward_steps((x + y) * z):
        ...     print(step)
        1/2 Mul
          to input 0: 1 * -4 = -4
          to input 1: 1 * 3 = 3
        2/2 Add
          to input 0: -4 * 1 = -4
          to input 1: -4 * 1 = -4
        >>> x.grad.item(), y.grad.item(), z.grad.item()
        (-4.0, -4.0, 3.0)
    """
    outputs = _tuple(tensors, "tensors")
    keys = None
    if inputs is not None:
        wanted = _tuple(inputs, "inputs")
        keys = {key_of(i, "backward") for i in wanted}
        for tensor in wanted:
            if isinstance(tensor, TensorBase):
                tensor.retain_grad()  # type: ignore[attr-defined]
    retain = create_graph if retain_graph is None else retain_graph
    return steps_of(SteppedPass(create_graph, retain, keys, True), outputs, _gradients(grad_tensors, outputs))


def steps_of(run: SteppedPass, outputs: Sequence[Any], grads: Sequence[Any]) -> Iterator[BackwardStep]:
    """The steps of a pass that has not begun; mistakes in the arguments are complained of at once."""
    return _walk(run, begin(run, outputs, grads))


def _walk(run: SteppedPass, roots: list[Any]) -> Iterator[BackwardStep]:
    with _Running(run):
        deliver_roots(run, roots)
    for index, node in enumerate(run.order):
        kept = copy.copy(node)  # still knows what the node itself gives back
        with _Running(run):
            run.step(node)
        leaves = dict.fromkeys(e for e in node.edges if e is not None and e.edge_kind == LEAF)
        complete = tuple(e for e in leaves if not run.waiting[e] and (run.wanted is None or e in run.wanted))
        yield BackwardStep(index, run, node, kept, complete)
    with _Running(run):
        for callback in run.callbacks:
            callback()


class SteppedPass(Pass):
    """A pass that notes what goes into and comes out of the operation that runs."""

    incoming: list[Any]
    raw: tuple[Any, ...]
    seconds: float

    def step(self, node: Any) -> None:
        """Run one node. What it was given is noted after hooks have seen it, and what it returned, too."""
        g = self.pending.get(node)
        self.incoming = g if type(g) is list else [g] * node.count
        self.raw = (None,) * len(node.edges)
        before, start = mode.observe, time.perf_counter()
        self.seconds = 0.0

        def observe(node: Any, grads: tuple[Any, ...]) -> None:
            self.seconds = time.perf_counter() - start
            self.raw = grads
            if before is not None:
                before(node, grads)

        mode.observe = observe
        self.run([node])

    def _inspect(self, node: Any, g: Any) -> list[Any]:
        self.incoming = super()._inspect(node, g)
        return self.incoming


class _Running:
    """The state in which a pass runs; between its steps the caller's own holds."""

    def __init__(self, run: Pass) -> None:
        self.run = run

    def __enter__(self) -> None:
        self.before = mode.grad, mode.reattach, mode.running, mode.savers, mode.observe
        mode.grad = mode.reattach = self.run.create_graph
        mode.running = self.run

    def __exit__(self, *exc: object) -> None:
        mode.grad, mode.reattach, mode.running, mode.savers, mode.observe = self.before


def saved_values(node: Any) -> tuple[dict[int, Any], dict[int, Any]]:
    """The arrays of inputs and of outputs, by position, that a recorded node keeps."""
    inputs: dict[int, Any] = {}
    outputs: dict[int, Any] = {}
    for s in node._saved or ():
        if type(s) is tuple and type(s[1]) is int and s[2][0] == s[3]:  # not overwritten since
            if s[1] >= 0:
                inputs[s[1]] = s[0]
            else:
                outputs[~s[1]] = s[0]
    return inputs, outputs


def _expected(edge: Any) -> tuple[Any, Any]:
    """The shape and dtype of the gradient that goes along an edge."""
    data = edge._data if edge.edge_kind == LEAF else edge
    return data.shape, data.dtype


def _said(g: Any) -> str:
    if g is None:
        return "nothing"
    return f"{g.item():g}" if g.ndim == 0 and not g.is_complex() else f"{tuple(g.shape)}"


def _tensor(value: Any) -> Any:
    return value if value is None or isinstance(value, TensorBase) else wrap(value)
