"""An optimizer on other parameters and another state, for the length of a block."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..autograd.base import TensorBase
from ..backends.errors import ArgumentError

if TYPE_CHECKING:
    from .optimizer import Optimizer

__all__ = ["swap_in_optimizer_params_and_state"]

_NAME = "swap_in_optimizer_params_and_state"


@contextmanager
def swap_in_optimizer_params_and_state(
    optimizer: Optimizer, swapin_parameters: dict[str, Any], swapin_optim_state: dict[str, Any]
) -> Iterator[None]:
    """A block in which ``optimizer`` works on these parameters, with this state; afterwards it is as before.

    ``load_state_dict`` copies a state and keeps the parameters; here the tensors themselves take part, so that a step
    in the block changes those that were given.

    Args:
        optimizer: one that has made a step.
        swapin_parameters: by name, in the order of the optimizer's own.
        swapin_optim_state: as ``optimizer.state_dict()`` returns it.

    Raises:
        RuntimeError: the state is not laid out as the optimizer's, or there are too few parameters.

    Example:
        >>> import wengert as wg
        >>> p, q = wg.ones(1, requires_grad=True), wg.zeros(1, requires_grad=True)
        >>> optimizer = wg.optim.SGD([p], lr=0.5, momentum=0.9)
        >>> p.grad = q.grad = wg.ones(1)
        >>> optimizer.step()
        >>> state = {"state": {}, "param_groups": optimizer.state_dict()["param_groups"]}
        >>> with wg.optim.swap_in_optimizer_params_and_state(optimizer, {"p": q}, state):
        ...     optimizer.step()
        >>> p.item(), q.item()
        (0.5, -0.5)
    """
    groups = _checked(optimizer, swapin_parameters, swapin_optim_state)
    state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
    kept = optimizer.state, [dict(group) for group in optimizer.param_groups]
    try:
        for group, (options, params) in zip(optimizer.param_groups, groups, strict=True):
            for p, number in zip(params, options["params"], strict=True):
                state[p] = dict(swapin_optim_state["state"].get(number, {}))
            group.update(options)
            group["params"] = params
        optimizer.state = state
        yield
    finally:
        optimizer.state = kept[0]
        for group, before in zip(optimizer.param_groups, kept[1], strict=True):
            group.clear()
            group.update(before)


def _checked(optimizer: Optimizer, parameters: dict[str, Any], given: Any) -> list[tuple[dict[str, Any], list[Any]]]:
    """For each group, its options in ``given`` and its parameters."""
    _require(optimizer.state, f"{_NAME} requires initialized optimizer state.")
    _require(isinstance(given, dict), f"{_NAME} requires a DCP-style optimizer state_dict.")
    state, groups = given.get("state"), given.get("param_groups")
    _check_state(state)
    _require(
        isinstance(groups, list),
        f"{_NAME} requires swapin_optim_state['param_groups'] to be a list of param-group dicts, got "
        f"{type(groups).__name__}.",
    )
    _require(
        len(groups) == len(optimizer.param_groups),
        "swapin_optim_state has a different number of parameter groups than the live optimizer.",
    )
    tensors, found, known = list(parameters.values()), [], set()
    for i, (live, options) in enumerate(zip(optimizer.param_groups, groups, strict=True)):
        numbers = _numbers(i, live, options)
        known.update(numbers)
        found.append((options, tensors[: len(numbers)]))
        _require(
            len(tensors) >= len(numbers),
            f"{_NAME} requires the explicit parameter state to match optimizer.param_groups ordering.",
        )
        del tensors[: len(numbers)]
    extra = [key for key in state if key not in known]
    _require(
        not extra,
        f"{_NAME} requires swapin_optim_state['state'] to be keyed only by packed parameter ids from "
        f"param_groups[*]['params']; got extra keys {extra!r}.",
    )
    return found


def _check_state(state: Any) -> None:
    _require(
        isinstance(state, dict),
        f"{_NAME} requires swapin_optim_state['state'] to be a dict mapping packed parameter ids to per-param state "
        f"dicts, got {type(state).__name__}.",
    )
    _require(
        not any(isinstance(key, TensorBase) for key in state),
        f"{_NAME} requires optimizer.state_dict()-style state keyed by packed parameter ids.",
    )
    _require(
        all(isinstance(value, dict) for key, value in state.items() if isinstance(key, int)),
        f"{_NAME} requires per-parameter optimizer state entries to be dictionaries.",
    )


def _numbers(i: int, live: dict[str, Any], options: Any) -> list[int]:
    """The numbers of the parameters of group ``i``."""
    _require(isinstance(options, dict), f"{_NAME} requires each optimizer param group to be a dictionary.")
    numbers = options.get("params")
    _require(
        isinstance(numbers, list) and all(isinstance(number, int) for number in numbers),
        f"{_NAME} requires optimizer.state_dict()-style param_groups[*]['params'] entries keyed by packed parameter "
        "ids.",
    )
    _require(
        len(numbers) == len(live["params"]),
        f"swapin_optim_state param group {i} has a different number of params than the live optimizer param group.",
    )
    ours, theirs = ([key for key in one if key not in other] for one, other in ((live, options), (options, live)))
    _require(
        not ours and not theirs,
        f"{_NAME} requires optimizer.state_dict()-style param group keys to exactly match the live optimizer group "
        f"keys for group {i}. Keys only in swap-in: {theirs}. Keys only in live: {ours}.",
    )
    return numbers  # type: ignore[no-any-return]


def _require(holds: Any, text: str) -> None:
    if not holds:
        raise ArgumentError(text)
