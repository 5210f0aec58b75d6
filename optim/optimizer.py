"""``Optimizer``: parameter groups, state, and the step that every optimizer shares."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from ..autograd.base import TensorBase
from ..autograd.grad_mode import enable_grad, mode, no_grad
from ..autograd.hooks import HookTable, RemovableHandle
from ..autograd.inplace import wrote
from ..backends.errors import ArgumentError
from ..backends.sparse import SparseArray
from .arena import GroupArenas, gradient_of
from .each import step_each
from .helpers import ParamsT as ParamsT
from .helpers import StateDict as StateDict
from .helpers import _capturable_doc as _capturable_doc
from .helpers import _default_to_fused_or_foreach as _default_to_fused_or_foreach
from .helpers import _differentiable_doc as _differentiable_doc
from .helpers import _disable_dynamo_if_unsupported as _disable_dynamo_if_unsupported
from .helpers import _dispatch_sqrt as _dispatch_sqrt
from .helpers import _foreach_doc as _foreach_doc
from .helpers import _fused_doc as _fused_doc
from .helpers import _get_capturable_supported_devices as _get_capturable_supported_devices
from .helpers import _get_scalar_dtype as _get_scalar_dtype
from .helpers import _get_value as _get_value
from .helpers import _maximize_doc as _maximize_doc
from .helpers import _params_doc as _params_doc
from .helpers import _stack_if_compiling as _stack_if_compiling
from .helpers import _to_scalar as _to_scalar
from .helpers import _use_grad_for_differentiable as _use_grad_for_differentiable
from .helpers import _view_as_real as _view_as_real
from .options import check_flags
from .saving import Saving
from .step_hooks import hooked
from .step_hooks import register_optimizer_step_post_hook as register_optimizer_step_post_hook
from .step_hooks import register_optimizer_step_pre_hook as register_optimizer_step_pre_hook

__all__ = ["Optimizer", "required"]

Params = Iterable[Any]
required = object()  # a default that every group must give


class Optimizer(Saving):
    """Base of all optimizers: holds the parameters in groups, and their state.

    A subclass names its state (`buffers`, `scalars`), checks its options (`check`) and changes parameters in `update`.
    Parameters and state lie side by side in one buffer, so that ``update`` usually runs once a group. A subclass may
    also replace ``step``, as PyTorch's do.

    ``master_weights=True``, which PyTorch does not have and all optimizers here but `LBFGS` take, also as an option of
    a group, is for parameters of bfloat16 or float16: near 1, a step of less than 1/256 would be rounded away there.
    The rule then works on a float32 copy of the parameter, ``state[p]["master_param"]``, with state in float32, and the
    parameter is that copy, rounded. What is written to the parameter goes into the copy at the next step, and a state
    dict has the copy too. float32 parameters are as without it.

    Args:
        params: tensors, ``(name, tensor)`` pairs, or dictionaries with ``"params"`` and options of that group.
        defaults: options of groups that do not name their own.

    Raises:
        ValueError: no parameters, one of them in two groups, or not a leaf. TypeError: not tensors.

    Example:
        >>> import wengert as wg
        >>> class SignSGD(wg.optim.Optimizer):
        ...     counted = False
        ...     def update(self, k, group, p, g, state, step):
        ...         p[...] = p - group["lr"] * k.sign(g)
        >>> p = wg.tensor([1.0, -3.0], requires_grad=True)
        >>> optimizer = SignSGD([p], {"lr": 0.5})
        >>> (p * p).sum().backward()
        >>> optimizer.step()
        >>> p
        tensor([ 0.5000, -2.5000], requires_grad=True)

        A thousand steps of 1e-4 that bfloat16 alone would lose:

        >>> p = wg.ones(1, dtype=wg.bfloat16, requires_grad=True)
        >>> optimizer = wg.optim.SGD([p], lr=1e-4, master_weights=True)
        >>> for _ in range(1000):
        ...     p.grad = wg.ones_like(p)
        ...     optimizer.step()
        >>> p
        tensor([0.8984], dtype=wengert.bfloat16, requires_grad=True)

    References:
        P. Micikevicius et al., "Mixed Precision Training", arXiv:1710.03740, section 3.1 (``master_weights``).
    """

    counted: ClassVar[bool] = True  # whether the state shows how many steps a parameter has had
    takes_sparse: ClassVar[bool] = False  # whether `update` itself knows what to do with sparse gradients
    elementwise: ClassVar[bool] = True  # False: `update` gets each parameter by itself, in its shape

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._set_up()
        if required not in defaults.values():
            self.check(defaults)
        check_flags(defaults)
        if isinstance(params, TensorBase):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got a Tensor; "
                "put it in a list"
            )
        if defaults.get("fused"):
            self._step_supports_amp_scaling = True
        groups: list[Any] = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list; pass model.parameters()")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "step" in vars(cls):
            cls.step = hooked(vars(cls)["step"])  # type: ignore[method-assign]

    def _set_up(self) -> None:
        self._arenas: dict[int, GroupArenas] = {}
        self._stepping = False
        self._scheduled_step: Any = None  # what replaced ``step`` when the schedule was made, if something did
        self._opt_called = False  # whether there was a step: schedules ask, under PyTorch's name
        self._pre_hooks = HookTable()
        self._post_hooks = HookTable()
        self._save_pre_hooks = HookTable()
        self._save_hooks = HookTable()
        self._load_hooks = HookTable()
        self._load_post_hooks = HookTable()

    # ------------------------------------------------------------------ what a subclass writes

    def check(self, group: dict[str, Any]) -> None:
        """Raise ValueError if an option of ``group`` is out of range."""

    def buffers(self, group: dict[str, Any]) -> dict[str, float]:
        """The state arrays that ``group`` needs, each of its parameter's shape: their names and first values."""
        return {}

    def scalars(self, group: dict[str, Any]) -> dict[str, float]:
        """State that is one number a parameter: names and first values."""
        return {}

    def first_state(self, k: Any, group: dict[str, Any], p: Any) -> dict[str, Any]:
        """The state arrays of one parameter before its first step; only for optimizers that are not elementwise."""
        return {name: k.full_like(p, value) for name, value in self.buffers(group).items()}

    def dense_gradient(self, k: Any, group: dict[str, Any], p: Any, g: Any) -> Any:
        """What ``update`` gets for a sparse gradient ``g`` of the array ``p``; None if that is all done.

        Raises:
            RuntimeError: the optimizer takes dense gradients only.
        """
        raise ArgumentError(f"{type(self).__name__} does not support sparse gradients")

    def update(self, k: Any, group: dict[str, Any], p: Any, g: Any, state: dict[str, Any], step: int) -> None:
        """Change the array ``p`` in place.

        Args:
            k: the kernels of the arrays' backend.
            group: the options.
            p: the parameters.
            g: their gradients, of the same shape.
            state: the arrays that ``buffers`` named, of that shape, and the numbers that ``scalars`` named, which may
                be replaced.
            step: the number of this step, from 1.
        """
        raise NotImplementedError

    # ------------------------------------------------------------------ the step

    @hooked
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient.

        Args:
            closure: computes the loss again, with gradients, and returns it.

        Returns:
            What ``closure`` returned, or None.

        Raises:
            RuntimeError: a gradient's shape or dtype is not its parameter's; nothing was changed.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        if "found_inf" in vars(self) and not self._unscaled():
            return loss
        before, mode.grad = mode.grad, bool(self.defaults.get("differentiable"))
        try:
            self._update_all()
        finally:
            mode.grad = before
        return loss

    def _unscaled(self) -> bool:
        """Divide the gradients by the scale that a `GradScaler` has left here; whether all of them were finite."""
        scale = getattr(self, "grad_scale", None)
        if float(self.found_inf):  # type: ignore[attr-defined]
            return False
        if scale is not None:
            with no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        if p._grad is not None:
                            p._grad.div_(scale)
        return True

    def _update_all(self) -> None:
        writer = f"{type(self).__name__}.step"
        together, singly = [], []
        for group in self.param_groups:
            if self.elementwise and not group.get("differentiable"):
                for arena in self._arenas_of(group):
                    grads = [gradient_of(p) for p in arena.params]
                    if SparseArray in map(type, grads):
                        grads = self._without_sparse(arena, group, grads)
                    together.append((group, arena, grads))
            else:
                singly.append((group, [p for p in group["params"] if gradient_of(p) is not None]))
        for group, arena, grads in together:  # not before all gradients have been looked at
            with arena.k.backend.on(arena.device):
                for p, g, state, step in arena.runs(grads, self.state, writer):
                    self.update(arena.k, group, p, g, state, step)
        for group, params in singly:
            step_each(self, group, params, writer, bool(group.get("differentiable")))

    def _without_sparse(self, arena: Any, group: dict[str, Any], grads: list[Any]) -> list[Any]:
        ready = []
        for p, g in zip(arena.params, grads, strict=True):
            if type(g) is SparseArray:
                g = self.dense_gradient(arena.k, group, p._data, g)
                if g is None:
                    wrote(p, f"{type(self).__name__}.step")
            ready.append(g)
        return ready

    def _arenas_of(self, group: dict[str, Any]) -> Any:
        known = self._arenas.get(id(group))
        if known is None or known.group is not group:
            present = {id(g) for g in self.param_groups}
            self._arenas = {key: old for key, old in self._arenas.items() if key in present}
            known = self._arenas[id(group)] = GroupArenas(group)
        return known.current(self)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or set them to zero in place.

        Args:
            set_to_none: forget them, which is faster; steps then skip parameters that get no new one.
        """
        for group in self.param_groups:
            for p in group["params"]:
                g = p._grad
                if g is None:
                    continue
                if set_to_none:
                    p._grad = None
                elif g._edge is not None:
                    p._grad = g.detach().zero_() if g._view is not None else g.detach_().zero_()
                else:
                    g._rg = False
                    with no_grad():
                        g.zero_()

    # ------------------------------------------------------------------ groups

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with options of their own, such as the layers unfrozen in the middle of training.

        Raises:
            TypeError: not a dictionary, or not tensors. ValueError: see the class. Nothing was added then.
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
        if any(isinstance(p, tuple) for p in params):
            if not all(isinstance(p, tuple) for p in params):
                raise ValueError("all optimizer params should be with/without names. Some param names are missing")
            group["param_names"] = [name for name, _ in params]
            params = [p for _, p in params]
        group["params"] = params
        self._check_params(params)
        for name, default in self.defaults.items():
            if default is required and name not in group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            group.setdefault(name, default)
        if len({id(p) for p in params}) != len(params):
            params = _once(group)
        present = {id(p) for g in self.param_groups for p in g["params"]}
        if any(id(p) in present for p in params):
            raise ValueError("some parameters appear in more than one parameter group")
        if self.param_groups and ("param_names" in group) != ("param_names" in self.param_groups[0]):
            now, before = ("with", "without") if "param_names" in group else ("without", "with")
            raise ValueError(
                f"all optimizer param groups should be with/without names. cannot add param group {now} names to the "
                f"optimizer, whose parameters are {before} names"
            )
        self.check(group)
        check_flags(group)
        self.param_groups.append(group)

    def _check_params(self, params: list[Any]) -> None:
        for p in params:
            if not isinstance(p, TensorBase):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(p).__name__}")
            if not p.is_leaf and not self.defaults.get("differentiable"):  # type: ignore[attr-defined]
                raise ValueError(
                    f"can't optimize a non-leaf Tensor of shape {list(p._data.shape)}, made by "
                    f"{p.grad_fn.name()}: detach() it and ask for requires_grad"  # type: ignore[attr-defined]
                )

    # ------------------------------------------------------------------ hooks

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step; it may return other arguments as a pair."""
        return self._pre_hooks.add(hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return self._post_hooks.add(hook)

    def __repr__(self) -> str:
        lines = [type(self).__name__ + " ("]
        for i, group in enumerate(self.param_groups):
            lines += ["", f"Parameter Group {i}"][1 if i == 0 else 0 :]
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])


def _once(group: dict[str, Any]) -> list[Any]:
    """Leave repeated parameters, and their names, out of a group, with a warning."""
    warnings.warn(
        "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error. "
        "Pass each parameter once: a repeated one is left out",
        stacklevel=4,
    )
    params = group["params"]
    first = [i for i, p in enumerate(params) if all(p is not q for q in params[:i])]
    for name in ("params", "param_names"):
        if name in group:
            group[name] = [group[name][i] for i in first]
    return group["params"]  # type: ignore[no-any-return]
