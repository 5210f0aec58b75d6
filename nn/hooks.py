"""Module hooks: functions of the user's that run around ``forward`` and backward.

A module without hooks has no table for them: ``module(x)`` then costs one test for None.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from ..autograd.base import TensorBase, edge_of, version_of
from ..autograd.hooks import HookTable, RemovableHandle, hooks_of
from ..autograd.inplace import View
from ..autograd.node import LEAF, OUTPUT
from ..autograd.primitive import Primitive, apply
from ..backends.call_site import warn

__all__ = [
    "ModuleHooks",
    "active",
    "call_with_hooks",
    "register_module_backward_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
]

KINDS = (
    "forward_pre",
    "forward",
    "backward_pre",
    "backward",
    "backward_plain",
    "state_dict_pre",
    "state_dict",
    "load_state_dict_pre",
    "load_state_dict_post",
)


class ModuleHooks:
    """The hooks of one module, a table for each kind. An entry is the hook with the options it was registered with."""

    __slots__ = KINDS
    forward_pre: HookTable
    forward: HookTable
    backward_pre: HookTable
    backward: HookTable
    backward_plain: HookTable
    state_dict_pre: HookTable
    state_dict: HookTable
    load_state_dict_pre: HookTable
    load_state_dict_post: HookTable

    def __init__(self) -> None:
        for kind in KINDS:
            setattr(self, kind, HookTable())

    def add(self, kind: str, hook: Callable[..., Any], prepend: bool = False, **options: Any) -> RemovableHandle:
        """Register a hook; ``prepend`` makes it run before those that are there."""
        table: HookTable = getattr(self, kind)
        handle = table.add(Hook(hook, **options))
        if prepend:
            entries = list(table.items())
            table.clear()
            table.update([entries[-1], *entries[:-1]])
        return handle


class Hook:
    """A function, and how it wants to be called."""

    __slots__ = ("always_call", "call", "with_kwargs")

    def __init__(self, call: Callable[..., Any], with_kwargs: bool = False, always_call: bool = False) -> None:
        self.call, self.with_kwargs, self.always_call = call, with_kwargs, always_call


class Functions(MutableMapping[int, Callable[..., Any]]):
    """A table of hooks as the functions that were registered: what is taken out of it is taken out of the table."""

    def __init__(self, table: HookTable) -> None:
        self._table = table

    def __getitem__(self, key: int) -> Callable[..., Any]:
        return self._table[key].call  # type: ignore[no-any-return]

    def __setitem__(self, key: int, hook: Callable[..., Any]) -> None:
        self._table[key] = Hook(hook)

    def __delitem__(self, key: int) -> None:
        del self._table[key]

    def __iter__(self) -> Iterator[int]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)


everywhere = ModuleHooks()  # hooks of every module
active = HookTable()  # all of them in one table, so that a call asks once whether there are any


def _register_everywhere(kind: str, hook: Callable[..., Any], **options: Any) -> RemovableHandle:
    table = getattr(everywhere, kind)
    handle = RemovableHandle(table, active)
    table[handle.id] = active[handle.id] = Hook(hook, **options)
    return handle


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, args)`` before the ``forward`` of every module; see `Module.register_forward_pre_hook`."""
    return _register_everywhere("forward_pre", hook)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call ``hook(module, args, output)`` after the ``forward`` of every module; see `Module.register_forward_hook`."""
    return _register_everywhere("forward", hook, with_kwargs=with_kwargs, always_call=always_call)


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, grad_output)`` before the backward of every module."""
    return _register_everywhere("backward_pre", hook)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, grad_input, grad_output)`` after the backward of every module."""
    return _register_everywhere("backward", hook)


def register_module_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, grad_input, grad_output)`` after the backward of every module's last operation.

    An older kind, kept for programs that have it: `register_module_full_backward_hook` sees the module's own gradients.
    """
    return _register_everywhere("backward_plain", hook)


def entries(module: Any, kind: str) -> list[Hook]:
    """The hooks of one kind that a module runs: those of every module first."""
    own = module._hooks
    return [*getattr(everywhere, kind).values(), *(getattr(own, kind).values() if own is not None else ())]


def call_with_hooks(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``module.forward(*args, **kwargs)`` with the module's hooks around it."""
    done: set[int] = set()
    result = None
    try:
        for hook in entries(module, "forward_pre"):
            args, kwargs = _call_pre(hook, module, args, kwargs)
        backward = BackwardHooks.of(module)
        if backward is not None:
            args = backward.watch_inputs(args)
        result = module.forward(*args, **kwargs)
        for hook in entries(module, "forward"):
            done.add(id(hook))
            result = _call_forward(hook, module, args, kwargs, result)
        for hook in entries(module, "backward_plain"):
            _watch_node(hook, module, result)
        return result if backward is None else backward.watch_outputs(result)
    except Exception:
        for hook in entries(module, "forward"):
            if hook.always_call and id(hook) not in done:
                _call_forward(hook, module, args, kwargs, result)
        raise


def _call_pre(hook: Hook, module: Any, args: Any, kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if not hook.with_kwargs:
        changed = hook.call(module, args)
        if changed is not None:
            args = changed if isinstance(changed, tuple) else (changed,)
        return args, kwargs
    changed = hook.call(module, args, kwargs)
    if changed is None:
        return args, kwargs
    if isinstance(changed, tuple) and len(changed) == 2:
        return changed
    raise RuntimeError(
        f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {type(changed).__name__}"
    )


def _watch_node(hook: Hook, module: Any, result: Any) -> None:
    """Let a hook of the older kind see the gradients of the last operation of ``forward``."""
    while not isinstance(result, TensorBase):
        if not isinstance(result, dict | list | tuple) or not result:
            return
        result = next(iter(result.values())) if isinstance(result, dict) else result[0]
    edge = edge_of(result)
    if edge is not None and edge.edge_kind != LEAF:
        node = edge.node if edge.edge_kind == OUTPUT else edge
        hooks_of(node).node_post.add(functools.partial(hook.call, module))


def _call_forward(hook: Hook, module: Any, args: Any, kwargs: Any, result: Any) -> Any:
    changed = hook.call(module, args, kwargs, result) if hook.with_kwargs else hook.call(module, args, result)
    return result if changed is None else changed


# ---------------------------------------------------------------------- backward


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

    def __init__(self, module: Any, pre: list[Hook], post: list[Hook]) -> None:
        self.module, self.pre, self.post = module, pre, post
        self.grad_outputs: tuple[Any, ...] | None = None
        self.inputs = 0  # how many arguments there are
        self.places: list[int] = []  # which of the outputs, or of the inputs, are watched
        self.joined = False

    @classmethod
    def of(cls, module: Any) -> BackwardHooks | None:
        """Those of a module, or None if it has none."""
        pre, post = entries(module, "backward_pre"), entries(module, "backward")
        return cls(module, pre, post) if pre or post else None

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
        single = not isinstance(result, (tuple, list))
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
