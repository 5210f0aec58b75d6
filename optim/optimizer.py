"""``Optimizer``: parameter groups, state, and the step that every optimizer shares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any, ClassVar

from ..autograd.base import TensorBase
from ..autograd.grad_mode import enable_grad, mode, no_grad
from ..autograd.hooks import HookTable, RemovableHandle
from .arena import Arena, UncountedArena, build

__all__ = ["Optimizer", "required"]

Params = Iterable[Any]
required = object()  # a default that every group must give


class Optimizer:
    """Base of all optimizers: holds the parameters in groups, and their state.

    A subclass sets ``defaults`` and writes two methods: `buffers` names the state arrays, and `update` changes one
    piece of parameters in place. The base class gathers the gradients of all parameters of a group into one buffer, so
    that ``update`` usually runs once a group.

    Args:
        params: tensors, ``(name, tensor)`` pairs, or dictionaries with ``"params"`` and options of that group.
        defaults: options of groups that do not name their own.

    Raises:
        ValueError: no parameters, one of them in two groups, or not a leaf. TypeError: not tensors.
    """

    counted: ClassVar[bool] = True  # whether the state shows how many steps a parameter has had

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._set_up()
        if isinstance(params, TensorBase):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got a Tensor; "
                "put it in a list"
            )
        groups: list[Any] = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list; pass model.parameters()")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def _set_up(self) -> None:
        self._arenas: dict[int, tuple[Any, list[Arena]]] = {}
        self._pre_hooks = HookTable()
        self._post_hooks = HookTable()
        self._save_hooks = HookTable()
        self._load_hooks = HookTable()

    # ------------------------------------------------------------------ what a subclass writes

    def buffers(self, group: dict[str, Any]) -> tuple[str, ...]:
        """The names of the state arrays that ``group`` needs, each of its parameter's shape."""
        return ()

    def update(self, k: Any, group: dict[str, Any], p: Any, g: Any, state: dict[str, Any], step: int) -> None:
        """Change the array ``p`` in place.

        Args:
            k: the kernels of the arrays' backend.
            group: the options.
            p, g: parameters and gradients, of one shape.
            state: the arrays that ``buffers`` named, of that shape, zeros before the first step.
            step: the number of this step, from 1.
        """
        raise NotImplementedError

    # ------------------------------------------------------------------ the step

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient.

        Args:
            closure: computes the loss again, with gradients, and returns it.

        Returns:
            What ``closure`` returned, or None.
        """
        for hook in list(self._pre_hooks.values()):
            hook(self, (closure,), {})
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        before, mode.grad = mode.grad, False
        try:
            self._step_groups()
        finally:
            mode.grad = before
        for hook in list(self._post_hooks.values()):
            hook(self, (closure,), {})
        return loss

    def _step_groups(self) -> None:
        writer = f"{type(self).__name__}.step"
        for group in self.param_groups:
            for arena in self._arenas_of(group):
                for p, g, state, step in arena.runs(self.state, writer):
                    self.update(arena.k, group, p, g, state, step)

    def _arenas_of(self, group: dict[str, Any]) -> list[Arena]:
        """The group's arenas, made anew if a parameter or its state was replaced."""
        names = self.buffers(group)
        key = id(group)
        known, arenas = self._arenas.get(key, (None, []))
        if known != (names, len(group["params"])) or not all([a.valid(self.state) for a in arenas]):
            self._arenas.pop(key, None)
            del arenas
            kind = Arena if self.counted else UncountedArena
            arenas = build(kind, group["params"], names, self.state)
            self._arenas[key] = (names, len(group["params"])), arenas
        return arenas

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or set them to zero in place.

        Args:
            set_to_none: forget them, which is faster; steps then skip parameters that get no new one.
        """
        for group in self.param_groups:
            for p in group["params"]:
                if p._grad is not None:
                    if set_to_none:
                        p._grad = None
                    else:
                        if p._grad._edge is not None:
                            p._grad.detach_()
                        else:
                            p._grad._rg = False
                        with no_grad():
                            p._grad.zero_()

    # ------------------------------------------------------------------ groups

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with options of their own, such as the layers unfrozen in the middle of training.

        Raises:
            TypeError: not a dictionary, or not tensors. ValueError: see the class.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        group = dict(param_group)
        params = group["params"]
        if isinstance(params, TensorBase):
            params = [params]
        elif isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
                "will change between runs. Please use a list instead."
            )
        params = list(params)
        named = [p for p in params if isinstance(p, tuple)]
        if named:
            if len(named) != len(params):
                raise TypeError("all optimizer params should be with/without names.")
            group["param_names"] = [name for name, _ in params]
            params = [p for _, p in params]
        group["params"] = params
        self._check_params(params)
        for name, default in self.defaults.items():
            if default is required and name not in group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            group.setdefault(name, default)
        if len({id(p) for p in params}) != len(params):
            raise ValueError("optimizer contains a parameter group with duplicate parameters; pass each parameter once")
        present = {id(p) for g in self.param_groups for p in g["params"]}
        if any(id(p) in present for p in params):
            raise ValueError("some parameters appear in more than one parameter group")
        self.check(group)
        self.param_groups.append(group)

    def check(self, group: dict[str, Any]) -> None:
        """Raise ValueError if an option of ``group`` is out of range."""

    def _check_params(self, params: list[Any]) -> None:
        for p in params:
            if not isinstance(p, TensorBase):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(p).__name__}")
            if p._edge is not None and not self.defaults.get("differentiable"):
                raise ValueError(
                    f"can't optimize a non-leaf Tensor of shape {list(p._data.shape)}, made by {p.grad_fn.name()}: "
                    "detach() it and ask for requires_grad"
                )

    # ------------------------------------------------------------------ hooks

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step."""
        return self._pre_hooks.add(hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return self._post_hooks.add(hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` after ``state_dict``; what it returns replaces the dictionary."""
        return self._save_hooks.add(hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before ``load_state_dict``; what it returns replaces the dictionary."""
        return self._load_hooks.add(hook)

    # ------------------------------------------------------------------ saving

    def state_dict(self) -> dict[str, Any]:
        """State and groups, with parameters named by their number, in PyTorch's layout.

        Returns:
            ``{"state": {number: {name: tensor}}, "param_groups": [{..., "params": [numbers]}]}``.
        """
        numbers: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            for p in group["params"]:
                numbers.setdefault(id(p), len(numbers))
            packed = {name: value for name, value in group.items() if name != "params"}
            packed["params"] = [numbers[id(p)] for p in group["params"]]
            groups.append(packed)
        state = {
            (numbers[id(p)] if isinstance(p, TensorBase) else p): dict(s) for p, s in self.state.items() if s
        }
        result: dict[str, Any] = {"state": state, "param_groups": groups}
        for hook in list(self._save_hooks.values()):
            result = hook(self, result) or result
        return result

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state that ``state_dict`` returned, of this or of another optimizer on like parameters.

        Raises:
            ValueError: groups or shapes do not fit; nothing is changed then.
        """
        loaded = dict(state_dict)
        for hook in list(self._load_hooks.values()):
            loaded = hook(self, loaded) or loaded
        groups = deepcopy([{k: v for k, v in g.items()} for g in loaded["param_groups"]])
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
        state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for number, values in loaded["state"].items():
            p = mapping.get(number)
            if p is None:
                state[number] = values
            else:
                state[p] = {name: self._like(p, number, name, value) for name, value in values.items()}
        for mine, theirs in zip(self.param_groups, groups, strict=True):
            theirs["params"] = mine["params"]
            if "param_names" in mine and "param_names" not in theirs:
                theirs["param_names"] = mine["param_names"]
            for name, value in self.defaults.items():
                theirs.setdefault(name, value)
            mine.clear()
            mine.update(theirs)
        self.state = state
        self._arenas.clear()

    @staticmethod
    def _like(p: Any, number: Any, name: str, value: Any) -> Any:
        """A loaded value with the parameter's dtype and device, as a copy."""
        if not isinstance(value, TensorBase):
            return deepcopy(value)
        if name == "step" or value._data.ndim == 0:
            return value.detach().clone()  # type: ignore[attr-defined]
        if name in ("exp_avg", "exp_avg_sq", "momentum_buffer") and value._data.shape != p._data.shape:
            raise ValueError(
                f"loaded state of parameter {number}: {name} has shape {list(value._data.shape)}, "
                f"the parameter {list(p._data.shape)}"
            )
        return value.detach().to(device=p.device, dtype=p.dtype).clone()  # type: ignore[attr-defined]

    def __getstate__(self) -> dict[str, Any]:
        kept = {k: v for k, v in self.__dict__.items() if k not in ("_arenas",)}
        return {**kept, "state": dict(self.state)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._set_up()
        self.__dict__.update(state)
        self.state = defaultdict(dict, state["state"])

    def __repr__(self) -> str:
        lines = [type(self).__name__ + " ("]
        for i, group in enumerate(self.param_groups):
            lines += ["", f"Parameter Group {i}"][1 if i == 0 else 0 :]
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])


def number(value: Any) -> float:
    """A rate as a Python number; PyTorch allows a tensor of one element."""
    return float(value.item()) if isinstance(value, TensorBase) else value  # type: ignore[attr-defined, no-any-return]
