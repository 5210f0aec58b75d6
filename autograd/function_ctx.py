"""The context of a user's Function: what ``forward`` leaves for ``backward`` and ``jvp``."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from ..backends.errors import GraphError
from .base import TensorBase

__all__ = ["FunctionCtx"]


class FunctionCtx:
    """What ``forward`` leaves for ``backward``: saved tensors, settings, and any attribute that the user sets.

    Attributes:
        needs_input_grad: per argument of ``apply``, whether its gradient is wanted.
    """

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self._to_save: tuple[Any, ...] | None = ()  # None when the node has it
        self._dirty: tuple[Any, ...] = ()
        self._constant: tuple[Any, ...] = ()
        self._forward_saved: tuple[Any, ...] | None = None  # shown as saved_tensors while ``jvp`` runs
        self._in_jvp = False
        self._materialize = True
        self._materialize_non_diff_grads = True
        self._node: Callable[[], Any] = lambda: None  # a weak reference: the node holds the context

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors for backward: inputs and outputs come back in their place of the graph.

        Raises:
            TypeError: one is neither a Tensor nor None; set those as attributes of ``ctx``.
        """
        for i, t in enumerate(tensors):
            if t is not None and not isinstance(t, TensorBase):
                raise TypeError(
                    f"save_for_backward can only save variables, but argument {i} is of type {type(t).__name__}; "
                    "keep anything else as an attribute of ctx"
                )
        self._to_save = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Keep tensors for ``jvp``, which finds them in ``saved_tensors``."""
        self._forward_saved = tensors

    def mark_dirty(self, *tensors: Any) -> None:
        """Say which inputs ``forward`` wrote to in place; each of them must be returned."""
        self._dirty = tensors

    def mark_shared_storage(self, *pairs: Any) -> None:
        """Nothing: a relic, since memory that is shared is found without it."""
        warnings.warn(
            "mark_shared_storage is deprecated. Tensors with shared storages are automatically tracked. Note that "
            "calls to `set_()` are not tracked",
            FutureWarning,
            stacklevel=2,
        )

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Say which outputs have no gradient."""
        self._constant = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """With False, ``backward`` gets None instead of zeros for outputs that were not used."""
        self._materialize = value

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What ``save_for_backward`` kept.

        Raises:
            RuntimeError: backward has already freed them, or one was overwritten in place since.
        """
        if self._in_jvp and self._forward_saved is not None:
            return self._forward_saved
        node = self._node()
        if node is not None:
            return node.saved_tensors  # type: ignore[no-any-return]
        if self._to_save is None:
            raise GraphError("the graph that this context belongs to, and what was saved in it, have been freed")
        return self._to_save

    @property
    def saved_variables(self) -> tuple[Any, ...]:
        """The old name of `saved_tensors`."""
        warnings.warn("'saved_variables' is deprecated; use 'saved_tensors'", DeprecationWarning, stacklevel=2)
        return self.saved_tensors
