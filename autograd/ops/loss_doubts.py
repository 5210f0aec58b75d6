"""Inputs of losses that are rarely meant: warnings where PyTorch warns, errors under `wengert.debug.strict`."""

from __future__ import annotations

import math
from typing import Any

from ...backends import kernels_of
from ...backends.call_site import call_site
from ...backends.strictness import doubt, doubt_silently, strictness
from .calling import broadcast_error
from .size import Size

__all__ = ["doubt_sizes", "log_probabilities", "same_size"]


def doubt_sizes(op: str, input: Any, target: Any) -> None:
    """Warn that a loss broadcasts: both sizes, that of the result, the program's line and the likely way out.

    Args:
        op: the loss.
        input: the prediction, whose size is another than the target's.
        target: what it is compared with.

    Raises:
        StrictError: under `wengert.debug.strict`, instead of the warning. ShapeError: they do not broadcast.
    """
    doubt(_text(op, input, target))
    if _broadcast(tuple(input._data.shape), tuple(target._data.shape)) is None:
        raise broadcast_error(op, input, target)


def same_size(op: str, input: Any, target: Any, name: str = "target") -> None:
    """For losses that broadcast without a word in PyTorch: they do so here, but not under `wengert.debug.strict`.

    Args:
        op: the loss.
        input: the prediction.
        target: what it is compared with.
        name: the target's, in the message.
    """
    if strictness.depth and hasattr(target, "_data") and input._data.shape != target._data.shape:
        doubt_silently(_text(op, input, target, name))


def log_probabilities(op: str, x: Any) -> None:
    """Let positive numbers pass for logarithms of probabilities, but not under `wengert.debug.strict`."""
    if not strictness.depth:
        return
    k = kernels_of[type(x)]
    if x.size and bool(k.any(k.astype(x, "float64") > 1e-6)):
        doubt_silently(
            f"{op}: the input holds positive numbers, which are no log-probabilities. Likely fix: cross_entropy for "
            "scores, or log_softmax before."
        )


def _text(op: str, input: Any, target: Any, name: str = "target") -> str:
    a, b = tuple(input._data.shape), tuple(target._data.shape)
    result = _broadcast(a, b)
    gives = f"broadcasts {list(a)} and {list(b)} to {list(result)}" if result is not None else "cannot broadcast them"
    return (
        f"Using a {name} size ({Size(b)}) that is different to the input size ({Size(a)}). This will likely lead to "
        "incorrect results due to broadcasting. Please ensure they have the same size. "
        f"{op} {gives} at {call_site()}; {_way_out(a, b, name)}"
    )


def _broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...] | None:
    """The common shape, or None."""
    rank = max(len(a), len(b))
    pairs = list(zip((1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b, strict=True))
    if any(m != n and 1 not in (m, n) for m, n in pairs):
        return None
    return tuple(n if m == 1 else m for m, n in pairs)


def _way_out(a: tuple[int, ...], b: tuple[int, ...], name: str) -> str:
    """What most likely was meant: a dimension of size 1 too many or missing, another view, or a real broadcast."""
    if b == (*a, 1):
        return f"likely fix: {name}.squeeze(-1)"
    if a == (*b, 1):
        return f"likely fix: input.squeeze(-1), or {name}.unsqueeze({len(b)})"
    if math.prod(a) == math.prod(b):
        return f"likely fix: {name}.view_as(input)"
    if _broadcast(a, b) == a:
        return f"if that is meant: {name}.expand_as(input)"
    return "give both the same shape"
