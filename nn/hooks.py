"""Module hooks: functions of the user's that run around ``forward`` and backward.

A module without hooks has no table for them: ``module(x)`` then costs one test for None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from ..autograd.hooks import HookTable, RemovableHandle
from ..backends.call_site import warn
from .backward_hooks import BackwardHooks, watch_last_node

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


class WithoutModule:
    """A hook that is called without the module, its first argument; a class, so that it can be pickled."""

    def __init__(self, hook: Callable[..., Any]) -> None:
        self.hook = hook

    def __call__(self, module: Any, *args: Any) -> Any:
        return self.hook(*args)


class WithoutResult:
    """A hook that must not return anything."""

    def __init__(self, hook: Callable[..., Any]) -> None:
        self.hook = hook

    def __call__(self, *args: Any) -> None:
        if self.hook(*args) is not None:
            raise RuntimeError("state_dict post-hook must return None")


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
    other = {"backward": "backward_plain", "backward_plain": "backward"}.get(kind)
    if other is not None and getattr(everywhere, other):
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module hook. Please use only "
            "one of them."
        )
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


def replace_everywhere(kind: str, hooks: Mapping[int, Callable[..., Any]]) -> None:
    """Let ``hooks`` take the place of all hooks of one kind that every module has."""
    given, table = dict(hooks), getattr(everywhere, kind)
    for key in list(table):
        del table[key]
        active.pop(key, None)
    for key, hook in given.items():
        table[key] = active[key] = Hook(hook)


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
        pre, post = entries(module, "backward_pre"), entries(module, "backward")
        backward = BackwardHooks(module, pre, post) if pre or post else None
        if backward is not None:
            args = backward.watch_inputs(args)
        result = module.forward(*args, **kwargs)
        for hook in entries(module, "forward"):
            done.add(id(hook))
            result = _call_forward(hook, module, args, kwargs, result)
        plain = entries(module, "backward_plain")
        if plain:
            watch_last_node(plain, module, args, result)
        return result if backward is None else backward.watch_outputs(result)
    except Exception:
        for hook in entries(module, "forward"):
            if hook.always_call and id(hook) not in done:
                try:
                    result = _call_forward(hook, module, args, kwargs, result)
                except Exception as error:  # the first error is the one that the caller wants to see
                    warn(
                        "module forward hook with ``always_call=True`` raised an exception that was silenced as "
                        f"another error was raised in forward: {error}"
                    )
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


def _call_forward(hook: Hook, module: Any, args: Any, kwargs: Any, result: Any) -> Any:
    changed = hook.call(module, args, kwargs, result) if hook.with_kwargs else hook.call(module, args, result)
    return result if changed is None else changed
