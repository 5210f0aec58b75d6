"""Parametrizations: a parameter or buffer that is computed from others, each time that it is read.

A parametrized module gets a class of its own, below the one it had, in which the tensor's name is a property. What the
tensor is computed from, and how, is in ``module.parametrizations``, where training and the state dict find it.
"""

from __future__ import annotations

import contextlib
import copy
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...autograd.base import TensorBase
from ...autograd.grad_mode import no_grad
from ..containers import ModuleDict
from ..parameter import Parameter
from .parametrization_list import ParametrizationList, register_tensor, set_values

if TYPE_CHECKING:
    from ..module import Module

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]


class _Cache(threading.local):
    """What was computed within `cached`: the depth of these blocks, and the tensors by module and name."""

    depth = 0

    def __init__(self) -> None:
        self.tensors: dict[tuple[int, str], Any] = {}


_cache = _Cache()


@contextlib.contextmanager
def cached() -> Iterator[None]:
    """Within the block compute each parametrized tensor once, when it is first read.

    Example:
        >>> import wengert as wg
        >>> from wengert.nn.utils import parametrize
        >>> layer = wg.nn.utils.parametrizations.weight_norm(wg.nn.Linear(2, 3))
        >>> with parametrize.cached():
        ...     layer.weight is layer.weight
        True
    """
    _cache.depth += 1
    try:
        yield
    finally:
        _cache.depth -= 1
        if not _cache.depth:
            _cache.tensors = {}


def _give_class(module: Module) -> None:
    """Put ``module`` into a class of its own, in which names can be properties."""
    cls = type(module)

    def __getstate__(self: Any) -> Any:
        raise RuntimeError(
            "Serialization of parametrized modules is only supported through state_dict(). See:\n"
            "save the state dict, make the module anew, parametrize it, and load the state dict"
        )

    def __deepcopy__(self: Any, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            copied = self.__new__(type(self))
            memo[id(self)] = copied
            copied.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return memo[id(self)]

    members: dict[str, Any] = {"__getstate__": __getstate__}
    if not hasattr(cls, "__deepcopy__"):
        members["__deepcopy__"] = __deepcopy__
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), members)


def _give_property(module: Any, name: str) -> None:
    def get(self: Any) -> Any:
        if not _cache.depth:
            return self.parametrizations[name]()
        key = (id(self), name)
        if key not in _cache.tensors:
            _cache.tensors[key] = self.parametrizations[name]()
        return _cache.tensors[key]

    def set(self: Any, value: Any) -> None:
        self.parametrizations[name].right_inverse(value)

    setattr(type(module), name, property(get, set))


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Let a module's parameter or buffer be computed by ``parametrization`` from what it was.

    Args:
        module: its owner.
        tensor_name: its name; once more for a tensor that is parametrized already adds a further step.
        parametrization: its ``forward`` gives the tensor; its ``right_inverse``, if it has one, gives what ``forward``
            is called with, one tensor or several, and is called now and whenever the tensor is assigned to.
        unsafe: do not check that shape and dtype stay the same.

    Returns:
        ``module``.

    Raises:
        ValueError: there is no such tensor, or shape or dtype would change.

    Example:
        >>> import wengert as wg
        >>> from wengert.nn.utils import parametrize
        >>> class Symmetric(wg.nn.Module):
        ...     def forward(self, x):
        ...         return x.triu() + x.triu(1).mT
        >>> layer = parametrize.register_parametrization(wg.nn.Linear(3, 3), "weight", Symmetric())
        >>> wg.equal(layer.weight, layer.weight.mT)
        True
        >>> list(layer.state_dict())
        ['bias', 'parametrizations.weight.original']
    """
    owner: Any = module
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        parametrizations = owner.parametrizations[tensor_name]
        if not unsafe:
            _check_step(owner, tensor_name, parametrization)
        parametrizations.append(parametrization)
        parametrizations.unsafe |= unsafe
    elif tensor_name in module._parameters or tensor_name in module._buffers:
        original = getattr(module, tensor_name)
        parametrizations = ParametrizationList([parametrization], original, unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _give_class(module)
            owner.parametrizations = ModuleDict()
        _give_property(module, tensor_name)
        owner.parametrizations[tensor_name] = parametrizations
    else:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
            f"'{tensor_name}'"
        )
    return module


def _check_step(owner: Any, name: str, parametrization: Any) -> None:
    """Whether one more step keeps shape and dtype, forwards and backwards."""
    with no_grad():
        before = getattr(owner, name)
        after = parametrization(before)
        if not isinstance(after, TensorBase):
            raise ValueError(f"A parametrization must return a tensor. Got {type(after).__name__}.")
        for what in ("dtype", "shape"):
            if getattr(after, what) != getattr(before, what):
                raise ValueError(
                    f"Registering a parametrization may not change the {what} of the tensor, unless the `unsafe` "
                    f"flag is enabled.\ncurrent {what}: {getattr(before, what)}\n{what} after parametrization: "
                    f"{getattr(after, what)}"
                )
        if not hasattr(parametrization, "right_inverse"):
            return
        try:
            back = parametrization.right_inverse(after)
        except NotImplementedError:
            return
        if not isinstance(back, TensorBase):
            raise ValueError(f"parametrization.right_inverse must return a tensor. Got: {type(back).__name__}")
        for what in ("dtype", "shape"):
            if getattr(back, what) != getattr(before, what):
                raise ValueError(
                    f"The tensor returned by parametrization.right_inverse must have the same {what} as the tensor, "
                    f"unless the `unsafe` flag is enabled.\n{what} of the tensor: {getattr(before, what)}\n"
                    f"returned {what}: {getattr(back, what)}"
                )


def is_parametrized(module: Any, tensor_name: str | None = None) -> bool:
    """Whether a module has parametrized tensors, or one of this name."""
    parametrizations = getattr(module, "parametrizations", None)
    if not isinstance(parametrizations, ModuleDict):
        return False
    return len(parametrizations) > 0 if tensor_name is None else tensor_name in parametrizations


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make a parametrized tensor a plain one again.

    Args:
        module: its owner.
        tensor_name: its name.
        leave_parametrized: it keeps the values that it has; otherwise it gets the original ones back.

    Returns:
        ``module``.

    Raises:
        ValueError: it is not parametrized, or has several originals and ``leave_parametrized`` is False.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    owner: Any = module
    parametrizations = owner.parametrizations[tensor_name]
    if parametrizations.is_tensor:
        original = parametrizations.original
        if leave_parametrized:
            with no_grad():
                value = getattr(module, tensor_name)
            set_values(original, value)
    else:
        if not leave_parametrized:
            raise ValueError(
                "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a "
                "sequence of tensors."
            )
        value = getattr(module, tensor_name)
        first = parametrizations.original0
        original = Parameter(value.detach()) if first.requires_grad else value.detach()
    delattr(type(module), tensor_name)
    del owner.parametrizations[tensor_name]
    register_tensor(module, tensor_name, original)
    if not is_parametrized(module):
        del owner.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class that a module had before it was parametrized."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Give ``to_module`` the parametrizations of ``from_module``, and the values of what they are computed from.

    Args:
        from_module: a parametrized module.
        to_module: a module with tensors of the same names.
        tensor_name: only this one; all when left out.

    Returns:
        ``to_module``.
    """
    if not is_parametrized(from_module):
        return to_module
    source: Any = from_module
    target: Any = to_module
    parametrizations: Any = source.parametrizations
    for name in [tensor_name] if tensor_name is not None else list(parametrizations):
        if not hasattr(target, name):
            setattr(target, name, Parameter(getattr(source, name).detach()))
        steps = parametrizations[name]
        for step in steps:
            register_parametrization(target, name, step)
        there: Any = target.parametrizations
        for original in ["original"] if steps.is_tensor else [f"original{i}" for i in range(steps.ntensors)]:
            set_values(getattr(there[name], original), getattr(steps, original).clone())
    return to_module
