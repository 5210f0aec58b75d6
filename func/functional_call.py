"""``functional_call``: run a module with other parameters and buffers than its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..autograd.base import TensorBase
from ..backends.errors import ArgumentError

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor
    from ..nn.module import Module

__all__ = ["functional_call"]

ABSENT = object()


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """``module(*args, **kwargs)`` with the given tensors in place of its own, for this call.

    Args:
        module: the module, which is as before afterwards.
        parameter_and_buffer_dicts: tensors by dotted name, or several such dicts; what is not named stays.
        args: the positional arguments; a single one need not be in a tuple.
        kwargs: the keyword arguments.
        tie_weights: a tensor that the module holds under several names is replaced under all of them.
        strict: every parameter and buffer must be named, and nothing else.

    Returns:
        What the module returns.

    Raises:
        ValueError: not dicts, or a name in two of them. RuntimeError: ``strict``, and the names are not the module's.
        TypeError: a value that is no tensor. AttributeError: a name leads through a module that is not there.

    Example:
        >>> import wengert as wg
        >>> layer = wg.nn.Linear(2, 1)
        >>> values = {"weight": wg.ones(1, 2), "bias": wg.zeros(1)}
        >>> wg.func.functional_call(layer, values, wg.tensor([1.0, 2.0]))
        tensor([3.])
    """
    values = _merged(parameter_and_buffer_dicts)
    own = _tensors_of(module)
    if strict:
        _check_names(module, own, values)
    if tie_weights:
        values = _tied(own, values)
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _replaced(module, values):
        return module(*args, **(kwargs or {}))


def _merged(dicts: Any) -> dict[str, Any]:
    """One dict of all values."""
    if isinstance(dicts, Mapping):
        return dict(dicts)
    if not isinstance(dicts, Sequence):
        raise ValueError(
            f"Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got {type(dicts)}"
        )
    if not all(isinstance(part, Mapping) for part in dicts):
        raise ValueError("Expected all elements of parameter_and_buffer_dicts to be dictionaries")
    repeated = [name for name, count in Counter(name for part in dicts for name in part).items() if count > 1]
    if repeated:
        raise ValueError(f"{repeated} appeared in multiple dictionaries; behavior of functional call is ambiguous")
    return {name: value for part in dicts for name, value in part.items()}


def _tensors_of(module: Module) -> dict[str, Any]:
    """The module's parameters and buffers under each of their names."""
    return dict(module.named_parameters(remove_duplicate=False)) | dict(module.named_buffers(remove_duplicate=False))


def _check_names(module: Module, own: dict[str, Any], values: dict[str, Any]) -> None:
    missing = [repr(name) for name in own if name not in values]
    unexpected = [repr(name) for name in values if name not in own]
    parts = [
        f"\n\t{what} key(s): {', '.join(names)}."
        for what, names in (("Unexpected", unexpected), ("Missing", missing))
        if names
    ]
    if parts:
        raise ArgumentError(f"Error(s) in reparametrizing for {type(module).__name__}:{''.join(parts)}")


def _tied(own: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """``values`` with the further names of every tensor that is given under one of its names."""
    given = {id(own[name]): value for name, value in values.items() if name in own}
    return {name: given[id(tensor)] for name, tensor in own.items() if id(tensor) in given} | values


@contextmanager
def _replaced(module: Module, values: dict[str, Any]) -> Iterator[None]:
    """Put ``values`` into the modules; their own tensors come back at the end, whatever happens."""
    before: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for path, value in values.items():
            if not isinstance(value, TensorBase):
                raise TypeError(f"{path!r} is to be a Tensor, got {value!r}, of type {type(value).__name__}")
            *owners, name = path.split(".")
            # Members are read from the instance's dict; writing there leaves the registration alone.
            members = module.get_submodule(".".join(owners)).__dict__
            before.append((members, name, members.get(name, ABSENT)))
            members[name] = value
        yield
    finally:
        for members, name, old in reversed(before):
            if old is ABSENT:
                members.pop(name, None)
            else:
                members[name] = old
