"""Whole recurrent layers on the GPU by cuDNN, where it is there; else as the ops that they are made of."""

from __future__ import annotations

import functools
from typing import Any

import cupy

from .. import cudnn as switches
from ..dtypes import to_dtype
from ..registry import kernels_of
from .cudnn_rnn import Layer, Layers, RefusedError, Shape
from .libraries import find

__all__ = ["gru_layer", "gru_layer_backward", "lstm_layer", "lstm_layer_backward"]

Sizes = tuple[int, ...]


@functools.cache
def library() -> Layers | None:
    """The binding to cuDNN's recurrent layers; None where the library is missing."""
    found = find("cudnn")
    return None if found is None else Layers(found, cupy)


def _layer(mode: str, x: Any, w_ih: Any, b_ih: Any, sizes: Sizes) -> tuple[Layer | None, Shape | None]:
    layers = library()
    if layers is None or not x.size or len(set(sizes)) != 1:
        return None, None
    width = w_ih.shape[0] // (4 if mode == "LSTM" else 3)
    name, tf32 = to_dtype(x.dtype).name, bool(switches.allow_tf32)
    shape = Shape(mode, name, len(sizes), sizes[0], x.shape[1], width, b_ih is not None, tf32)
    return layers.layer(shape, x.device.id), shape


def _turned(x: Any, sizes: Sizes, reverse: bool) -> Any:
    """Steps in the order in which they are computed, contiguous; the same again turns them back."""
    if x is None or not reverse:
        return None if x is None else cupy.ascontiguousarray(x)
    steps = x.reshape(len(sizes), sizes[0], -1)[::-1]
    return cupy.ascontiguousarray(steps).reshape(x.shape)


def _forward(mode: str, x: Any, states: tuple[Any, ...], parts: Any, sizes: Sizes, reverse: bool) -> Any:
    """Outputs, states and what is kept, by cuDNN; None where it will not."""
    layer, shape = _layer(mode, x, parts[0], parts[2], sizes)
    if layer is None:
        return None
    h, c = (
        (cupy.ascontiguousarray(s) for s in states) if len(states) == 2 else (cupy.ascontiguousarray(states[0]), None)
    )
    weights = layer.packed(*parts)
    try:
        y, hy, cy, reserve = layer.forward(_turned(x, sizes, reverse), h, c, weights)
    except RefusedError as error:
        library().refuse(shape, x.device.id, error)  # type: ignore[union-attr,arg-type]
        return None
    return _turned(y, sizes, reverse), hy, cy, (y, weights, reserve)


def _backward(mode: str, gs: tuple[Any, ...], inputs: tuple[Any, ...], kept: Any, sizes: Sizes, reverse: bool) -> Any:
    """The gradients of all inputs, by cuDNN."""
    y, weights, reserve = kept
    count = len(gs) - 1
    x, states, parts = inputs[0], inputs[1 : 1 + count], inputs[1 + count :]
    layer, _ = _layer(mode, x, parts[0], parts[2], sizes)
    assert layer is not None
    g = cupy.zeros_like(y) if gs[0] is None else _turned(gs[0], sizes, reverse)
    gh, gc, h, c = (None if v is None else cupy.ascontiguousarray(v) for v in (*_two(gs[1:]), *_two(states)))
    gx, ghx, gcx, grads = layer.backward(g, gh, gc, _turned(x, sizes, reverse), h, c, y, weights, reserve)
    return (_turned(gx, sizes, reverse), *(ghx, gcx)[:count], *grads)


def _two(values: Any) -> Any:
    return values if len(values) == 2 else (*values, None)


def _by_cudnn(kept: tuple[Any, ...]) -> bool:
    return bool(kept[-1].dtype == "uint8")


def lstm_layer(
    x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, sizes: Sizes, reverse: bool
) -> tuple[Any, ...]:
    """A whole LSTM layer: outputs, the last h and c, and what the backward pass wants kept."""
    found = _forward("LSTM", x, (h, c), (w_ih, w_hh, b_ih, b_hh), sizes, reverse)
    if found is not None:
        return *found[:3], *found[3]
    k = kernels_of[type(x)]
    drive = k.linear(x, w_ih, None if b_ih is None else b_ih + b_hh)
    return tuple(k.lstm_sequence(drive, h, c, w_hh, None, sizes, reverse))


def lstm_layer_backward(
    g: Any, gh: Any, gc: Any, inputs: tuple[Any, ...], kept: tuple[Any, ...], sizes: Sizes, reverse: bool
) -> tuple[Any, ...]:
    """The gradients of the inputs of `lstm_layer`, from those of its outputs and last states (None for 0)."""
    if _by_cudnn(kept):
        return tuple(_backward("LSTM", (g, gh, gc), inputs, kept, sizes, reverse))
    x, _, _, w_ih, w_hh, b_ih, _ = inputs
    k = kernels_of[type(x)]
    gd, ghx, gcx, gw, _ = k.lstm_sequence_backward(g, gh, gc, w_hh, None, kept, sizes, reverse)
    gx, gw_ih, gb = k.linear_backward(gd, x, w_ih, b_ih is not None)
    return gx, ghx, gcx, gw_ih, gw, gb, gb


def gru_layer(
    x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, sizes: Sizes, reverse: bool
) -> tuple[Any, ...]:
    """A whole GRU layer: outputs, the last h, and what the backward pass wants kept."""
    found = _forward("GRU", x, (h,), (w_ih, w_hh, b_ih, b_hh), sizes, reverse)
    if found is not None:
        return found[0], found[1], *found[3]
    k = kernels_of[type(x)]
    return tuple(k.gru_sequence(k.linear(x, w_ih, b_ih), h, w_hh, b_hh, sizes, reverse))


def gru_layer_backward(
    g: Any, gh: Any, inputs: tuple[Any, ...], kept: tuple[Any, ...], sizes: Sizes, reverse: bool
) -> tuple[Any, ...]:
    """The gradients of the inputs of `gru_layer`, from those of its outputs and last state (None for 0)."""
    if _by_cudnn(kept):
        return tuple(_backward("GRU", (g, gh), inputs, kept, sizes, reverse))
    x, _, w_ih, w_hh, b_ih, b_hh = inputs
    k = kernels_of[type(x)]
    gd, ghx, gw, gb_hh = k.gru_sequence_backward(g, gh, w_hh, b_hh, kept, sizes, reverse)
    gx, gw_ih, gb = k.linear_backward(gd, x, w_ih, b_ih is not None)
    return gx, ghx, gw_ih, gw, gb, gb_hh
