"""Whole recurrent layers as one kernel, which programs are recorded with: on the CPU they are two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["LAYERS"]


def lstm_layer(k: Any) -> Callable[..., Any]:
    """An LSTM layer in the kernels of a backend."""

    def run(x: Any, h: Any, c: Any, w: Any, r: Any, wb: Any, rb: Any, sizes: Any, reverse: bool) -> Any:
        drive = k.linear(x, w, None if wb is None else wb + rb)
        return k.lstm_sequence(drive, h, c, r, None, sizes, reverse)[:3]

    return run


def gru_layer(k: Any) -> Callable[..., Any]:
    """A layer of gated recurrent units in the kernels of a backend."""

    def run(x: Any, h: Any, w: Any, r: Any, wb: Any, rb: Any, sizes: Any, reverse: bool) -> Any:
        return k.gru_sequence(k.linear(x, w, wb), h, r, rb, sizes, reverse)[:2]

    return run


def _unused(k: Any) -> Callable[..., Any]:
    def run(*args: Any) -> Any:
        raise NotImplementedError("a recorded layer has no backward pass")

    return run


LAYERS = {
    "lstm_layer": lstm_layer,
    "gru_layer": gru_layer,
    "lstm_layer_backward": _unused,
    "gru_layer_backward": _unused,
}
