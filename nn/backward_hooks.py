"""Module hooks on backward: where they sit in the graph, and what they see there.

A hook is an object whose ``call`` is the function that was registered.
"""

from __future__ import annotations

import functools
from typing import Any

from ..autograd.base import TensorBase, edge_of, version_of
from ..autograd.hooks import hooks_of
from ..autograd.inplace import View
from ..autograd.node import LEAF, OUTPUT
from ..autograd.primitive import Primitive, apply
from ..backends.call_site import warn

__all__ = ["BackwardHooks", "watch_last_node"]


class Watch(Primitive):
    """Its inputs, unchanged: a place in the graph where the gradients of several tensors meet."""

    undefined = True

    @staticmethod
    def forward(ctx: Any, *xs: Any) -> Any:
        return tuple([x[...] for x in xs])

    @staticmethod
    def backward(ctx: Any, *gs: Any) -> Any:
        return gs


Watch.node_type.__name__ = "BackwardHookFunctionBackward"  # PyTorch's is a Function


class BackwardHooks:
    """One call's full backward hooks: it sits on both sides of ``forward`` and sees the gradients pass.

    Args:
        module: whose hooks they are.
        pre: run with the gradients of the outputs, which they may replace.
        post: run when the gradients of the inputs are known as well.
    """

    def __init__(self, module: Any, pre: list[Any], post: list[Any]) -> None:
        self.module, self.pre, self.post = module, pre, post
        self.grad_outputs: tuple[Any, ...] | None = None
        self.inputs = 0  # how many arguments there are
        self.places: list[int] = []  # which of the outputs, or of the inputs, are watched
        self.joined = False

    def watch_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, with the tensors among them behind a node that knows when their gradients are complete."""
        args, places, node, self.inputs = _watched(args)
        if node is not None:
            self.joined = True

            def after(grad_inputs: tuple[Any, ...], _: Any) -> Any:
                if self.grad_outputs is None:
                    return None
                changed = self._run_post(_spread(grad_inputs, places, self.inputs))
                self.grad_outputs = None
                return None if changed is None else tuple([changed[i] for i in places])

            hooks_of(node).node_post.add(after)
        return args

    def watch_outputs(self, result: Any) -> Any:
        """What ``forward`` returned, with its tensors behind a node that sees their gradients first."""
        single = not isinstance(result, tuple)
        if single and not isinstance(result, TensorBase):
            warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received "
                f"{type(result)}"
            )
        outputs, places, node, count = _watched((result,) if single else tuple(result))
        if node is None:
            return result

        def before(grads: tuple[Any, ...]) -> Any:
            seen = _spread(grads, places, count)
            for hook in self.pre:
                changed = hook.call(self.module, seen)
                if changed is not None:
                    seen = _same_number(changed, seen, "Backward pre hook", "grad_output")
            self.grad_outputs = seen
            if not self.joined and self.post:  # no input wants a gradient, so nothing will come out at the other end
                warn(
                    "Full backward hook is firing when gradients are computed with respect to module outputs since no "
                    "inputs require gradients."
                )
                changed = self._run_post((None,) * self.inputs)
                if changed is not None and any(g is not None for g in changed):
                    raise RuntimeError(
                        "Backward hook for Modules where no input requires gradient should always return None or None "
                        "for all gradients."
                    )
            return tuple([seen[i] for i in places])

        hooks_of(node).node_pre.add(before)
        if single:
            return outputs[0]
        return type(result)(*outputs) if hasattr(result, "_fields") else type(result)(outputs)

    def _run_post(self, grad_inputs: tuple[Any, ...]) -> tuple[Any, ...] | None:
        replaced = None
        for hook in self.post:
            changed = hook.call(self.module, grad_inputs, self.grad_outputs)
            if changed is not None:
                grad_inputs = replaced = _same_number(changed, grad_inputs, "Backward hook", "grad_input")
        return replaced


def _watched(values: tuple[Any, ...]) -> tuple[tuple[Any, ...], list[int], Any, int]:
    """``values`` with its tensors passed through `Watch`; the tensors' positions; the node; the number of values."""
    places = [i for i, v in enumerate(values) if isinstance(v, TensorBase) and edge_of(v) is not None]
    if not places:
        return values, [], None, len(values)
    sources = [values[i] for i in places]
    changed = list(values)
    tensors = apply(Watch, *sources)
    if tensors[0]._edge is None:  # nothing is being recorded
        return values, [], None, len(values)
    for n, (i, source, tensor) in enumerate(zip(places, sources, tensors, strict=True)):
        tensor._ver = version_of(source)  # the memory is shared, so writes must be seen, and go around the hooks
        base = source if source._view is None else source._view.base
        tensor._view = View(base, None, f"Output {n} of BackwardHookFunction")
        changed[i] = tensor
    edge = tensors[0]._edge
    return tuple(changed), places, getattr(edge, "node", edge), len(values)


def _spread(grads: tuple[Any, ...], places: list[int], count: int) -> tuple[Any, ...]:
    """The gradients in the positions of their tensors, None in the others."""
    spread: list[Any] = [None] * count
    for place, g in zip(places, grads, strict=True):
        spread[place] = g
    return tuple(spread)


def _same_number(changed: Any, seen: tuple[Any, ...], who: str, what: str) -> tuple[Any, ...]:
    gradients: tuple[Any, ...] = changed if isinstance(changed, tuple) else (changed,)
    if len(gradients) != len(seen):
        raise RuntimeError(
            f"{who} returned an invalid number of {what}, got {len(gradients)}, but expected {len(seen)}"
        )
    return gradients


# ---------------------------------------------------------------------- the older kind


def watch_last_node(hooks: list[Any], module: Any, args: tuple[Any, ...], result: Any) -> None:
    """Let hooks of the older kind see the gradients of the last operation of ``forward``."""
    last = result
    while not isinstance(last, TensorBase):
        if not isinstance(last, dict | list | tuple) or not last:
            return
        last = next(iter(last.values())) if isinstance(last, dict) else last[0]
    edge = edge_of(last)
    if edge is not None and edge.edge_kind != LEAF:
        node = edge.node if edge.edge_kind == OUTPUT else edge
        for hook in hooks:
            hooks_of(node).node_post.add(functools.partial(hook.call, module))
        _warn_of_gaps(args, result, last)


def _warn_of_gaps(args: tuple[Any, ...], result: Any, last: Any) -> None:
    """Say which gradients a hook of the older kind does not see."""
    results: Any = (result,) if isinstance(result, TensorBase) else result
    missing, when = "grad_output", ""
    if not _all_tensors(results):
        when = "on a Module that does not return a single Tensor or a tuple of Tensors"
    elif not _all_tensors(args):
        missing, when = "grad_input", "on a Module that does not take as input a single Tensor or a tuple of Tensors"
    else:
        nodes = {r.grad_fn for r in results} - {None}
        if len(nodes) > 1:
            when = "when outputs are generated by different autograd Nodes"
        elif {x.grad_fn for x in args} - {None} != {node for node, _ in last.grad_fn.next_functions}:
            missing, when = "grad_input", "when the forward contains multiple autograd Nodes"
    if when:
        warn(
            f"Using a non-full backward hook {when} is deprecated: it will be missing some {missing}. Please use "
            "register_full_backward_hook, which sees the gradients of the module's inputs and outputs.",
            FutureWarning,
        )


def _all_tensors(values: Any) -> bool:
    return isinstance(values, tuple) and all(isinstance(value, TensorBase) for value in values)
