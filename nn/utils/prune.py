"""Pruning: a mask of zeros and ones before a parameter.

A pruned parameter ``weight`` becomes the parameter ``weight_orig`` and the buffer ``weight_mask``; ``weight`` itself
is their product, computed before each ``forward``. `remove` makes it permanent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ...autograd import ops
from .pruning_methods import (
    BasePruningMethod,
    CustomFromMask,
    Identity,
    L1Unstructured,
    LnStructured,
    PruningContainer,
    RandomStructured,
    RandomUnstructured,
    hook_of,
)
from .pruning_methods import amount_of as _compute_nparams_toprune  # noqa: F401  # PyTorch's names for these
from .pruning_methods import check_amount as _validate_pruning_amount_init  # noqa: F401
from .pruning_methods import check_amount_of as _validate_pruning_amount  # noqa: F401

__all__ = [
    "BasePruningMethod",
    "CustomFromMask",
    "Identity",
    "L1Unstructured",
    "LnStructured",
    "PruningContainer",
    "RandomStructured",
    "RandomUnstructured",
    "custom_from_mask",
    "global_unstructured",
    "identity",
    "is_pruned",
    "l1_unstructured",
    "ln_structured",
    "random_structured",
    "random_unstructured",
    "remove",
]


def identity(module: Any, name: str) -> Any:
    """Give the tensor ``name`` a mask of ones; see `Identity`. The module is returned, as by all that follow."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Any, name: str, amount: float) -> Any:
    """Prune elements at random; see `RandomUnstructured`."""
    RandomUnstructured.apply(module, name, amount=amount)
    return module


def l1_unstructured(module: Any, name: str, amount: float, importance_scores: Any = None) -> Any:
    """Prune the smallest elements; see `L1Unstructured`.

    Example:
        >>> import wengert as wg
        >>> layer = wg.nn.Linear(2, 3)
        >>> _ = wg.nn.utils.prune.l1_unstructured(layer, "weight", amount=2)
        >>> int((layer.weight == 0).sum()), list(layer.state_dict())
        (2, ['bias', 'weight_orig', 'weight_mask'])
    """
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module: Any, name: str, amount: float, dim: int) -> Any:
    """Prune slices at random; see `RandomStructured`."""
    RandomStructured.apply(module, name, amount=amount, dim=dim)
    return module


def ln_structured(module: Any, name: str, amount: float, n: Any, dim: int, importance_scores: Any = None) -> Any:
    """Prune the slices with the smallest norm; see `LnStructured`."""
    LnStructured.apply(module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Any, name: str, mask: Any) -> Any:
    """Prune where ``mask`` is zero; see `CustomFromMask`."""
    CustomFromMask.apply(module, name, mask=mask)
    return module


def global_unstructured(
    parameters: Sequence[tuple[Any, str]], pruning_method: Any, importance_scores: Any = None, **kwargs: Any
) -> None:
    """Prune several tensors as if they were one.

    Args:
        parameters: pairs of a module and a name.
        pruning_method: an unstructured one.
        importance_scores: by pair, instead of the tensors' own values.
        kwargs: for the method's constructor.

    Raises:
        TypeError: the method is structured, or the pairs are none.
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    pairs = list(parameters)
    given = {} if importance_scores is None else importance_scores
    if not isinstance(given, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    scores = ops.cat([given.get(pair, getattr(*pair)).detach().reshape(-1) for pair in pairs])
    masks = ops.cat([getattr(m, f"{n}_mask", ops.ones_like(getattr(m, n))).detach().reshape(-1) for m, n in pairs])
    method = pruning_method(**kwargs)
    method._tensor_name = "temp"
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
            f"{pruning_method} of type {method.PRUNING_TYPE}"
        )
    container = PruningContainer()
    container._tensor_name = "temp"
    container.add_pruning_method(method)
    final, start = container.compute_mask(scores, masks), 0
    for module, name in pairs:
        tensor = getattr(module, name)
        custom_from_mask(module, name, final[start : start + tensor.numel()].view_as(tensor))
        start += tensor.numel()


def remove(module: Any, name: str) -> Any:
    """Make what is pruned permanent: ``name`` is a parameter again, and the mask is gone.

    Raises:
        ValueError: it is not pruned.
    """
    found = hook_of(module, name)
    if found is None:
        raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")
    key, method = found
    method.remove(module)
    module._hooks.forward_pre.pop(key)
    return module


def is_pruned(module: Any) -> bool:
    """Whether something in a module, or below it, is pruned.

    Example:
        >>> import wengert as wg
        >>> wg.nn.utils.prune.is_pruned(wg.nn.Linear(2, 3))
        False
    """
    return any(
        isinstance(entry.call, BasePruningMethod)
        for part in module.modules()
        for entry in ({} if part._hooks is None else part._hooks.forward_pre).values()
    )
