"""Running a module with other tensors than its own: what `func.functional_call` does, and its older name."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ...autograd.base import TensorBase
from ...backends.errors import ArgumentError

if TYPE_CHECKING:
    from ..module import Module

__all__ = ["functional_call"]

ABSENT = object()


def functional_call(
    module: Module,
    parameters_and_buffers: dict[str, Any],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """`func.functional_call` with one dict of tensors. It warns that it is older, as in PyTorch.

    Args:
        module: the module, which is as before afterwards.
        parameters_and_buffers: tensors by dotted name.
        args: the positional arguments; a single one need not be in a tuple.
        kwargs: the keyword arguments.
        tie_weights: a tensor that the module holds under several names is replaced under all of them.
        strict: every parameter and buffer must be named, and nothing else.
    """
    warnings.warn(
        "This API is deprecated as of PyTorch 2.0. Please use `torch.func.functional_call` instead which is a drop-in "
        "replacement.",
        FutureWarning,
        stacklevel=2,
    )
    return _functional_call(module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict)


def _functional_call(
    module: Module,
    parameters_and_buffers: dict[str, Any],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _reparametrize_module(module, parameters_and_buffers, tie_weights=tie_weights, strict=strict):
        return module(*args, **(kwargs or {}))


@contextmanager
def _reparametrize_module(
    module: Module, parameters_and_buffers: dict[str, Any], *, tie_weights: bool = False, strict: bool = False
) -> Iterator[None]:
    """Put the tensors into the module; its own come back at the end, whatever happens.

    Where the module has assigned another tensor to a name by then, that tensor goes into the given dict.
    """
    values = _tied(_tensors_of(module), parameters_and_buffers) if tie_weights else parameters_and_buffers
    if strict:
        _check_names(module, _tensors_of(module), values)
    before: list[tuple[str, Module, str, Any]] = []
    try:
        for path, value in values.items():
            owner, _, name = path.rpartition(".")
            inner = module.get_submodule(owner)
            before.append((path, inner, name, _swap(inner, name, value)))
        yield
    finally:
        for path, inner, name, old in reversed(before):
            now = _swap(inner, name, old)
            if path in parameters_and_buffers and now is not ABSENT:
                parameters_and_buffers[path] = now


def _swap(module: Module, name: str, value: Any) -> Any:
    """Put a value in the place of another, which is returned; either may be `ABSENT`."""
    if not (value is None or value is ABSENT or isinstance(value, TensorBase)):
        raise TypeError(f"{value} is not an instance of torch.Tensor, so it can't be {type(module).__name__}.{name}")
    if name in module._kinds:  # it stays a parameter or a buffer, whatever it holds
        old = module.__dict__[name]
        if value is ABSENT:
            delattr(module, name)
        else:
            module.__dict__[name] = value
        return old
    old = getattr(module, name, ABSENT)
    if not (old is None or old is ABSENT or isinstance(old, TensorBase)):
        raise TypeError(f"attribute `{name}`: {old} is not an instance of torch.Tensor")
    if value is not ABSENT:
        setattr(module, name, value)
    elif old is not ABSENT:
        delattr(module, name)
    return old


def _tensors_of(module: Module) -> dict[str, Any]:
    """The module's parameters and buffers under each of their names."""
    return dict(module.named_parameters(remove_duplicate=False)) | dict(module.named_buffers(remove_duplicate=False))


def _check_names(module: Module, own: dict[str, Any], values: dict[str, Any]) -> None:
    differences = {"Unexpected": sorted(values.keys() - own), "Missing": sorted(own.keys() - values.keys())}
    parts = [f"\n\t{what} key(s): {', '.join(map(repr, names))}." for what, names in differences.items() if names]
    if parts:
        raise ArgumentError(f"Error(s) in reparametrizing for {type(module).__name__}:{''.join(parts)}")


def _tied(own: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """``values`` with the further names of every tensor that is given under one of its names."""
    names: dict[int, list[str]] = {}
    for name, tensor in own.items():
        names.setdefault(id(tensor), []).append(name)
    found = dict(values)
    for together in names.values():
        given = [values[name] for name in together if name in values]
        if any(value is not given[0] for value in given):
            raise ValueError(
                f"functional_call got multiple values for keys {sorted(together)}, which are tied. Consider using "
                "tie_weights=False"
            )
        if given:
            found.update(dict.fromkeys(together, given[0]))
    return found
