"""Anomaly mode: each node remembers the line that recorded it, and backward stops at the first NaN."""

from __future__ import annotations

import sys
import traceback
import warnings
from typing import Any

from ..backends.call_site import call_site
from ..backends.errors import GraphError
from .base import TensorBase
from .grad_mode import ModeContext, mode, trace_with
from .hooks import hooks_of

__all__ = [
    "detect_anomaly",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "set_anomaly_enabled",
    "set_detect_anomaly",
]


def _remember(node: Any, outputs: Any, inputs: Any) -> None:
    node.site = call_site()
    hooks_of(node).metadata["traceback_"] = traceback.format_stack(sys._getframe(2))
    outer = None if mode.running is None else mode.running.current
    if outer is not None:  # recorded by a backward pass, under create_graph
        hooks_of(node).metadata["parent_"] = outer


def _complain(node: Any) -> None:
    """Warn where the node that failed was recorded, and those that led to it."""
    what = f"Error detected in {node.name()}."
    while node is not None:
        metadata = {} if node.hooks is None else node.hooks.metadata
        lines = metadata.get("traceback_")
        if lines is None:
            text = (
                " No forward pass information available. Enable detect anomaly during forward pass for more "
                "information."
            )
        else:
            text = " Traceback of forward call that caused the error:\n" + "".join(lines)
        warnings.warn(what + text, stacklevel=2)
        node = metadata.get("parent_")
        what = "" if node is None else f"\n\nPrevious calculation was induced by {node.name()}."


def _check(node: Any, grads: tuple[Any, ...]) -> None:
    for i, g in enumerate(grads):
        array = g._data if isinstance(g, TensorBase) else g
        if array is not None and node.edges[i] is not None and bool(node.k.any(node.k.isnan(array))):
            made = "" if node.site is None else f" The operation was recorded at {node.site}."
            raise GraphError(
                f"Function '{node.name()}' returned nan values in its {i}th output.{made} Look at the values that went "
                "in there: a division by zero, or the logarithm or root of a number out of range"
            )


def _accept(node: Any, grads: tuple[Any, ...]) -> None:
    """Look at nothing."""


def _switch(on: bool, check_nan: bool) -> None:
    trace_with(_remember if on else None)
    mode.observe = (_check if check_nan else _accept) if on else None
    mode.complain = _complain if on else None


def is_anomaly_enabled() -> bool:
    """Whether this thread is in anomaly mode."""
    return mode.trace is _remember


def is_anomaly_check_nan_enabled() -> bool:
    """Whether a gradient that is NaN raises in this thread."""
    return mode.observe is _check


def set_anomaly_enabled(mode: bool, check_nan: bool = True) -> None:
    """Switch anomaly mode on or off; ``check_nan=False`` only remembers the lines."""
    _switch(mode, check_nan)


class set_detect_anomaly(ModeContext):
    """Switch anomaly mode on or off: at once when called, and until the block's end when used with ``with``.

    Args:
        mode: True to switch it on.
        check_nan: raise when a gradient is NaN; with False only the lines are remembered.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:  # the parameters' names are PyTorch's
        state = globals()["mode"]
        self._before = state.trace, state.observe, state.complain
        _switch(mode, check_nan)

    def __enter__(self) -> None:
        """The constructor has switched already."""

    def __exit__(self, *exc: object) -> None:
        mode.trace, mode.observe, mode.complain = self._before


class detect_anomaly(ModeContext):
    """A block in anomaly mode. It is slow, and meant for finding a mistake.

    Args:
        check_nan: raise when a gradient is NaN; with False only the lines are remembered.
    """

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
            "debugging.",
            stacklevel=2,
        )

    def __enter__(self) -> None:
        self._before = mode.trace, mode.observe, mode.complain
        _switch(True, self.check_nan)

    def __exit__(self, *exc: object) -> None:
        mode.trace, mode.observe, mode.complain = self._before

    def clone(self) -> detect_anomaly:
        context = object.__new__(detect_anomaly)  # the decorator has warned already
        context.check_nan = self.check_nan
        return context
