"""The state of a module as PyTorch's modules keep it, for files that both sides read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from .hooks import Hook, ModuleHooks
from .member_views import TRANSIENT
from .members import BUFFER, BUFFERS, MODULE, PARAMETER

__all__ = ["from_torch", "is_from_torch", "to_torch"]

# Where PyTorch keeps the hooks of a kind, and the options that a hook may have.
HOOKS = {
    "forward_pre": ("_forward_pre_hooks", {"with_kwargs": "_forward_pre_hooks_with_kwargs"}),
    "forward": (
        "_forward_hooks",
        {"with_kwargs": "_forward_hooks_with_kwargs", "always_call": "_forward_hooks_always_called"},
    ),
    "backward_pre": ("_backward_pre_hooks", {}),
    "backward": ("_backward_hooks", {}),
    "state_dict_pre": ("_state_dict_pre_hooks", {}),
    "state_dict": ("_state_dict_hooks", {}),
    "load_state_dict_pre": ("_load_state_dict_pre_hooks", {}),
    "load_state_dict_post": ("_load_state_dict_post_hooks", {}),
}
TABLES = {table for name, options in HOOKS.values() for table in (name, *options.values())}
MEMBERS = {"_parameters": PARAMETER, "_buffers": BUFFER, "_modules": MODULE}
OTHERS = {"_non_persistent_buffers_set", "_is_full_backward_hook", "_hooks", "_kinds"}
# What the class knows here, and each instance there.
CLASS_WIDE = (
    *("transposed", "activation_relu_or_gelu", "use_nested_tensor"),
    *("_all_weights", "_flat_weights_names", "_flat_weights"),
)
RESERVED = ("bias_k", "bias_v")  # parameters that may be None: under a parameter's name here, and just None there


def to_torch(module: Any, state: Mapping[str, Any]) -> dict[str, Any]:
    """What ``__dict__`` of PyTorch's module would hold.

    Args:
        module: the module, for what its class knows.
        state: what pickle would keep of it here.
    """
    kinds = state["_kinds"]
    result: dict[str, Any] = {"training": state.get("training", True)}
    result["_parameters"] = _of(state, kinds, PARAMETER)
    result["_buffers"] = _of(state, kinds, *BUFFERS)
    result["_non_persistent_buffers_set"] = {name for name, kind in kinds.items() if kind == TRANSIENT}
    result.update(_hooks_to_torch(state.get("_hooks")))
    result["_modules"] = _of(state, kinds, MODULE)
    result.update((name, value) for name, value in state.items() if name not in kinds and name not in OTHERS)
    for name in CLASS_WIDE:
        if hasattr(type(module), name):
            result[name] = getattr(module, name)
    return result


def _of(state: Mapping[str, Any], kinds: Mapping[str, str], *wanted: str) -> dict[str, Any]:
    return {name: state[name] for name, kind in kinds.items() if kind in wanted}


def _hooks_to_torch(hooks: ModuleHooks | None) -> dict[str, Any]:
    result: dict[str, Any] = {"_is_full_backward_hook": None}
    for kind, (table, options) in HOOKS.items():
        entries = {} if hooks is None else dict(getattr(hooks, kind))
        result[table] = OrderedDict((key, hook.call) for key, hook in entries.items())
        for option, name in options.items():
            result[name] = OrderedDict((key, True) for key, hook in entries.items() if getattr(hook, option))
    if hooks is not None and (hooks.backward or hooks.backward_plain):
        result["_is_full_backward_hook"] = not hooks.backward_plain
        result["_backward_hooks"].update((key, hook.call) for key, hook in hooks.backward_plain.items())
    return result


def is_from_torch(state: Any) -> bool:
    """Whether this is the state of a module of PyTorch's."""
    return isinstance(state, dict) and "_parameters" in state and "_kinds" not in state


def from_torch(module: Any, state: Mapping[str, Any]) -> dict[str, Any]:
    """What ``__dict__`` holds here: the inverse of `to_torch`."""
    kinds: dict[str, str] = {}
    result: dict[str, Any] = {"_kinds": kinds}
    transient = state.get("_non_persistent_buffers_set", ())
    for table, kind in MEMBERS.items():
        for name, value in state.get(table, {}).items():
            kinds[name] = TRANSIENT if kind == BUFFER and name in transient else kind
            result[name] = value
    for name, value in state.items():
        known = name in MEMBERS or name in TABLES or name in OTHERS
        if not known and not (name in CLASS_WIDE and hasattr(type(module), name)):
            result[name] = value
            if name in RESERVED and value is None:
                kinds[name] = PARAMETER
    hooks = _hooks_from_torch(state)
    if hooks is not None:
        result["_hooks"] = hooks
    return result


def _hooks_from_torch(state: Mapping[str, Any]) -> ModuleHooks | None:
    hooks, found = ModuleHooks(), False
    for kind, (table, options) in HOOKS.items():
        plain = kind == "backward" and state.get("_is_full_backward_hook") is False
        for key, call in (state.get(table) or {}).items():
            given = {option: True for option, name in options.items() if (state.get(name) or {}).get(key)}
            getattr(hooks, "backward_plain" if plain else kind)[key] = Hook(call, **given)
            found = True
    return hooks if found else None
