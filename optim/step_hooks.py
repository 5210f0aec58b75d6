"""What runs around every step: the hooks of one optimizer, and those of all."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..autograd.hooks import HookTable, RemovableHandle
from ..autograd.watch import begin_range, end_range, watching

__all__ = ["hooked", "register_optimizer_step_post_hook", "register_optimizer_step_pre_hook"]

_before_all, _after_all = HookTable(), HookTable()


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` before each step of every optimizer."""
    return _before_all.add(hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` after each step of every optimizer."""
    return _after_all.add(hook)


def hooked(step: Callable[..., Any]) -> Callable[..., Any]:
    """``step`` with the hooks around it; one that calls its base class's step runs them once."""

    @functools.wraps(step)
    def with_hooks(self: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(self, "_stepping", True):  # within a step, or a wrapper that did not call Optimizer.__init__
            return step(self, *args, **kwargs)
        arguments: tuple[Any, ...] = (self, *args)
        for hook in [*_before_all.values(), *self._pre_hooks.values()]:
            replaced = hook(self, arguments, kwargs)
            if replaced is not None:
                if not isinstance(replaced, tuple) or len(replaced) != 2:
                    raise RuntimeError(
                        f"{hook} must return None or a tuple of (new_args, new_kwargs), but got {replaced}."
                    )
                arguments, kwargs = replaced
        self._stepping = self._opt_called = True
        seen = begin_range(f"Optimizer.step#{type(self).__name__}.step") if watching else None  # for profilers
        try:
            result = step(*arguments, **kwargs)
        finally:
            self._stepping = False
            end_range(seen)
        for hook in [*self._post_hooks.values(), *_after_all.values()]:
            hook(self, arguments, kwargs)
        return result

    return with_hooks
