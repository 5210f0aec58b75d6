"""``functional_call``: run a module with other parameters and buffers than its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..nn.utils.stateless import _functional_call

if TYPE_CHECKING:
    from ..autograd.tensor import Tensor
    from ..nn.module import Module

__all__ = ["functional_call"]


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
        parameter_and_buffer_dicts: tensors by dotted name, or several such dicts; what is not named stays. A tensor
            that the module assigns to such a name in the call goes into the one dict.
        args: the positional arguments; a single one need not be in a tuple.
        kwargs: the keyword arguments.
        tie_weights: a tensor that the module holds under several names is replaced under all of them.
        strict: every parameter and buffer must be named, and nothing else.

    Returns:
        What the module returns.

    Raises:
        ValueError: not dicts, a name in two of them, or two tensors for one that the module shares.
        RuntimeError: ``strict``, and the names are not the module's.
        TypeError: a value that is no tensor, or that of an attribute which is none.
        AttributeError: a name leads through a module that is not there.

    Example:
        >>> import wengert as wg
        >>> layer = wg.nn.Linear(2, 1)
        >>> values = {"weight": wg.ones(1, 2), "bias": wg.zeros(1)}
        >>> wg.func.functional_call(layer, values, wg.tensor([1.0, 2.0]))
        tensor([3.])
    """
    values = _merged(parameter_and_buffer_dicts)
    return _functional_call(module, values, args, kwargs, tie_weights=tie_weights, strict=strict)


def _merged(dicts: Any) -> dict[str, Any]:
    """One dict of all values."""
    if isinstance(dicts, dict):
        return dicts  # itself, since it is told what the module assigns
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
