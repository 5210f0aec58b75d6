"""The part of ``Optimizer`` that writes and reads state, in PyTorch's layout."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from copy import deepcopy
from typing import Any, ClassVar

from ..autograd.base import TensorBase
from ..autograd.hooks import HookTable, RemovableHandle
from ..backends.dtypes import float32
from .master import has_master

__all__ = ["Saving"]

# What a copy or a pickle of an optimizer makes anew, besides hooks.
UNSAVED = ("_arenas", "_stepping", "_opt_called", "_scheduled_step")


class Saving:
    """State out and in: ``state_dict``, ``load_state_dict``, pickling."""

    defaults: dict[str, Any]
    state: defaultdict[Any, dict[str, Any]]
    param_groups: list[dict[str, Any]]
    elementwise: ClassVar[bool]
    _arenas: dict[int, Any]
    _save_pre_hooks: HookTable
    _save_hooks: HookTable
    _load_hooks: HookTable
    _load_post_hooks: HookTable

    def state_dict(self) -> dict[str, Any]:
        """State and groups, with parameters named by their number, in PyTorch's layout.

        Returns:
            ``{"state": {number: {name: tensor}}, "param_groups": [{..., "params": [numbers]}]}``. The tensors are
            those of the optimizer: later steps change them.
        """
        for hook in list(self._save_pre_hooks.values()):
            hook(self)
        numbers: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            for p in group["params"]:
                numbers.setdefault(id(p), len(numbers))
            packed = {name: value for name, value in group.items() if name != "params"}
            packed["params"] = [numbers[id(p)] for p in group["params"]]
            groups.append(packed)
        # Programs keep entries of their own here, under names of their own.
        state = {
            numbers[id(p)] if isinstance(p, TensorBase) else p: s
            for p, s in self.state.items()
            if not isinstance(s, dict) or s
        }
        result: dict[str, Any] = {"state": state, "param_groups": groups}
        for hook in list(self._save_hooks.values()):
            replaced = hook(self, result)
            result = result if replaced is None else replaced
        return result

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state that ``state_dict`` returned, of this or of another optimizer on like parameters.

        Raises:
            ValueError: groups or shapes do not fit; nothing is changed then.
        """
        loaded = dict(state_dict)
        for hook in list(self._load_hooks.values()):
            replaced = hook(self, loaded)
            loaded = loaded if replaced is None else replaced
        groups = deepcopy(loaded["param_groups"])
        mapping = self._matched(groups)
        wide = {
            p
            for mine, theirs in zip(self.param_groups, groups, strict=True)
            for p in mine["params"]
            if has_master({**self.defaults, **theirs}, p)
        }
        state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for number, values in loaded["state"].items():
            p = mapping.get(number)
            if p is None:
                state[number] = values
            elif isinstance(values, dict):
                state[p] = {name: self._like(p, p in wide, number, name, value) for name, value in values.items()}
        for mine, theirs in zip(self.param_groups, groups, strict=True):
            theirs["params"] = mine["params"]
            if "param_names" in mine:
                theirs.setdefault("param_names", mine["param_names"])
            for name, value in self.defaults.items():
                theirs.setdefault(name, value)
            mine.clear()
            mine.update(theirs)
        # As PyTorch does: optimizers of others override this to bring older states up to date.
        self.__setstate__({"state": state, "param_groups": self.param_groups})
        for hook in list(self._load_post_hooks.values()):
            hook(self)

    def _matched(self, groups: list[dict[str, Any]]) -> dict[Any, Any]:
        """The parameters by the numbers that the loaded ``groups`` give them."""
        if len(groups) != len(self.param_groups):
            raise ValueError(
                f"loaded state dict has a different number of parameter groups: {len(groups)}, "
                f"where the optimizer has {len(self.param_groups)}"
            )
        mapping: dict[Any, Any] = {}
        for i, (mine, theirs) in enumerate(zip(self.param_groups, groups, strict=True)):
            if len(mine["params"]) != len(theirs["params"]):
                raise ValueError(
                    f"loaded state dict contains a parameter group that doesn't match the size of optimizer's group: "
                    f"group {i} has {len(theirs['params'])} parameters, the optimizer's {len(mine['params'])}"
                )
            mapping.update(zip(theirs["params"], mine["params"], strict=True))
        return mapping

    def _like(self, p: Any, wide: bool, number: Any, name: str, value: Any) -> Any:
        """A loaded value with the parameter's dtype (float32 if ``wide``) and device, as a copy."""
        if isinstance(value, (list, tuple)):
            return type(value)(self._like(p, wide, number, name, item) for item in value)
        if not isinstance(value, TensorBase):
            return deepcopy(value)
        own = value.detach().clone()  # type: ignore[attr-defined]
        if value._data.ndim == 0 and p._data.ndim > 0:
            return own  # a count of steps, or another number
        if self.elementwise and name != "step" and value._data.shape != p._data.shape:
            raise ValueError(
                f"loaded state of parameter {number}: {name} has shape {list(value._data.shape)}, "
                f"the parameter {list(p._data.shape)}: it was saved for other parameters"
            )
        if name == "step":
            return own
        if p._data.dtype.kind not in "fcV":
            return own.to(device=p.device)
        return own.to(device=p.device, dtype=float32 if wide else p.dtype)

    # ------------------------------------------------------------------ hooks

    def register_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` before ``state_dict``."""
        return _add(self._save_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` after ``state_dict``; what it returns replaces the dictionary."""
        return _add(self._save_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before ``load_state_dict``; what it returns replaces the dictionary."""
        return _add(self._load_hooks, hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` after ``load_state_dict``."""
        return _add(self._load_post_hooks, hook, prepend)

    # ------------------------------------------------------------------ copies

    def _set_up(self) -> None:
        """Make what is neither saved nor copied."""

    def __getstate__(self) -> dict[str, Any]:
        kept = {name: value for name, value in self.__dict__.items() if name not in UNSAVED}
        return {name: value for name, value in kept.items() if not isinstance(value, HookTable)} | {
            "state": dict(self.state)
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "_arenas" in self.__dict__:
            self._arenas.clear()
        else:
            self._set_up()
        self.__dict__.update(state)
        self.state = defaultdict(dict, state["state"])


def _add(table: HookTable, hook: Callable[..., Any], prepend: bool) -> RemovableHandle:
    handle = table.add(hook)
    if prepend:
        others = {key: value for key, value in table.items() if key != handle.id}
        for key, value in others.items():
            del table[key]
            table[key] = value
    return handle
