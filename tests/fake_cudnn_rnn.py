"""cuDNN's recurrent layers in NumPy: the functions that the binding calls, on addresses of main memory.

Parameters lie in memory in an order of their own, with gaps, which only `cudnnGetRNNWeightParams` tells.
"""

from __future__ import annotations

import ctypes
from typing import Any

import ml_dtypes
import numpy as np

from wengert.backends.definitions import recurrent as plain

TYPES = {0: np.float32, 1: np.float64, 2: np.float16, 9: ml_dtypes.bfloat16}
SETTINGS = (
    *("algo", "mode", "bias", "direction", "input", "dtype", "exact"),
    *("math", "inputs", "width", "projected", "layers", "dropout", "flags"),
)
GAP = 16  # bytes between parameters


class FakeRNN:
    """The library.

    Attributes:
        calls: the names of the functions that computed.
        status: what the next forward pass returns instead.
    """

    def __init__(self) -> None:
        self.objects: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.streams: list[int] = []
        self.status = 0
        self.math: list[int] = []

    def _make(self, where: Any) -> int:
        self.objects.append({})
        where._obj.value = len(self.objects)
        return 0

    cudnnCreate = cudnnCreateDropoutDescriptor = cudnnCreateRNNDescriptor = _make
    cudnnCreateRNNDataDescriptor = cudnnCreateTensorDescriptor = _make

    def cudnnSetStream(self, handle: Any, stream: int) -> int:
        self.streams.append(stream)
        return 0

    def cudnnSetDropoutDescriptor(self, drop: Any, handle: Any, p: float, states: Any, size: int, seed: int) -> int:
        assert (p, states, size) == (0.0, None, 0)
        return 0

    def cudnnSetRNNDescriptor_v8(self, rnn: Any, *settings: Any) -> int:
        names = SETTINGS
        about = dict(zip(names, settings, strict=True))
        assert (about["algo"], about["direction"], about["input"], about["layers"], about["flags"]) == (0, 0, 0, 1, 1)
        assert about["projected"] == about["width"]
        assert about["exact"] == (1 if about["dtype"] == 1 else 0)
        self.math.append(about["math"])
        self.objects[rnn.value - 1].update(about)
        return 0

    def cudnnSetRNNDataDescriptor(self, data: Any, dtype: int, layout: int, *rest: Any) -> int:
        steps, batch, size, lengths, fill = rest
        assert (layout, fill) == (0, None)
        assert list(lengths) == [steps] * batch
        self.objects[data.value - 1].update(steps=steps, batch=batch, size=size, dtype=dtype)
        return 0

    def cudnnSetTensorNdDescriptor(self, tensor: Any, dtype: int, n: int, dims: Any, strides: Any) -> int:
        assert n == 3
        self.objects[tensor.value - 1].update(dims=tuple(dims), strides=tuple(strides), dtype=dtype)
        return 0

    def _layout(self, rnn: dict[str, Any]) -> tuple[list[tuple[int, int]], int]:
        count, item = (4 if rnn["mode"] == 2 else 3), np.dtype(TYPES[rnn["dtype"]]).itemsize
        places: list[Any] = [None] * (2 * count)
        end = GAP
        for i in reversed(range(2 * count)):
            bias, end = end, end + rnn["width"] * item + GAP
            columns = rnn["inputs"] if i < count else rnn["width"]
            places[i] = (end, bias)
            end += rnn["width"] * columns * item + GAP
        return places, end

    def cudnnGetRNNWeightSpaceSize(self, handle: Any, rnn: Any, size: Any) -> int:
        size._obj.value = self._layout(self.objects[rnn.value - 1])[1]
        return 0

    def cudnnGetRNNTempSpaceSizes(self, handle: Any, rnn: Any, mode: int, x: Any, work: Any, reserve: Any) -> int:
        assert mode == 1
        work._obj.value, reserve._obj.value = 64, 128
        return 0

    def cudnnGetRNNWeightParams(
        self, handle: Any, rnn: Any, layer: int, size: int, start: int, i: int, *rest: Any
    ) -> int:
        about = self.objects[rnn.value - 1]
        weight, bias = self._layout(about)[0][i]
        rest[1]._obj.value = start + weight
        rest[3]._obj.value = start + bias if about["bias"] else None
        return 0

    def _array(self, dtype: int, address: Any, *shape: int) -> Any:
        if address is None:
            return None
        kind = np.dtype(TYPES[dtype])
        memory = (ctypes.c_byte * (int(np.prod(shape)) * kind.itemsize)).from_address(address)
        return np.frombuffer(memory, kind).reshape(shape)

    def _parameters(self, rnn: dict[str, Any], start: int) -> list[Any]:
        count, found = (4 if rnn["mode"] == 2 else 3), []
        for i, (weight, bias) in enumerate(self._layout(rnn)[0]):
            columns = rnn["inputs"] if i < count else rnn["width"]
            found.append(
                (
                    self._array(rnn["dtype"], start + weight, rnn["width"], columns),
                    self._array(rnn["dtype"], start + bias, rnn["width"]) if rnn["bias"] else None,
                )
            )
        return found

    def _joined(self, rnn: dict[str, Any], start: int) -> list[Any]:
        parts = self._parameters(rnn, start)
        count = len(parts) // 2
        halves = (parts[:count], parts[count:])
        weights = [np.concatenate([w for w, _ in half]).astype(np.float64) for half in halves]
        if not rnn["bias"]:
            return [*weights, np.zeros(len(weights[0])), np.zeros(len(weights[0]))]
        return [*weights, *(np.concatenate([b for _, b in half]).astype(np.float64) for half in halves)]

    def _run(self, rnn: dict[str, Any], x: Any, h: Any, c: Any, start: int, sizes: Any) -> Any:
        w_ih, w_hh, b_ih, b_hh = self._joined(rnn, start)
        wide = [None if v is None else v.astype(np.float64) for v in (x, h, c)]
        drive = wide[0] @ w_ih.T + b_ih
        if rnn["mode"] == 2:
            return plain.lstm_sequence(np, drive + b_hh, wide[1], wide[2], w_hh, None, sizes, False)
        return plain.gru_sequence(np, drive, wide[1], w_hh, b_hh, sizes, False)

    def _operands(self, rnn: Any, x: Any, h: Any) -> Any:
        about, data, states = (self.objects[o.value - 1] for o in (rnn, x, h))
        assert states["dims"] == (1, data["batch"], about["width"])
        assert states["dtype"] == data["dtype"] == about["dtype"]
        return about, data["steps"], data["batch"], about["dtype"]

    def cudnnRNNForward(
        self, handle: Any, rnn: Any, mode: int, lengths: Any, xd: Any, x: Any, yd: Any, y: Any, *rest: Any
    ) -> int:
        hd, hx, hy, _cd, cx, cy, _size, start, work, _at, reserve, kept = rest
        if self.status:
            return self.status
        assert (mode, lengths, work, reserve) == (1, None, 64, 128)
        about, steps, batch, dtype = self._operands(rnn, xd, hd)
        width = about["width"]
        states = [self._array(dtype, s, batch, width) for s in (hx, cx)]
        inputs = self._array(dtype, x, steps * batch, about["inputs"])
        found = self._run(about, inputs, *states, start, (batch,) * steps)
        self._array(dtype, y, steps * batch, width)[...] = found[0]
        self._array(dtype, hy, batch, width)[...] = found[1]
        if cx is not None:
            self._array(dtype, cy, batch, width)[...] = found[2]
        self._array(0, kept, 1)[0] = 42
        self.calls.append("forward")
        return 0

    def cudnnRNNBackwardData_v8(
        self, handle: Any, rnn: Any, lengths: Any, yd: Any, y: Any, dy: Any, xd: Any, dx: Any, *rest: Any
    ) -> int:
        hd, hx, dhy, dhx, _cd, cx, dcy, dcx, _size, start, _work, _at, _reserve, kept = rest
        about, steps, batch, dtype = self._operands(rnn, xd, hd)
        assert self._array(0, kept, 1)[0] == 42
        self._array(0, kept, 1)[0] = 43
        self.given = (dy, dhy, hx, cx, dcy)
        width = about["width"]
        self._array(dtype, dx, steps * batch, about["inputs"])[...] = np.nan  # what follows writes all of it
        self.pending = {"start": start, "dx": dx, "dhx": dhx, "dcx": dcx, "width": width}
        self.calls.append("backward data")
        # The inputs arrive with the second call; what the two share is computed there.
        return 0

    def cudnnRNNBackwardWeights_v8(
        self, handle: Any, rnn: Any, add: int, lengths: Any, xd: Any, x: Any, hd: Any, hx: Any, *rest: Any
    ) -> int:
        _yd, _y, _size, grads, _work, _at, _reserve, kept = rest
        about, steps, batch, dtype = self._operands(rnn, xd, hd)
        assert add == 0
        assert self._array(0, kept, 1)[0] == 43, "the reserve of the call before"
        p, width, sizes = self.pending, about["width"], (batch,) * steps
        dy, dhy, h, c, dcy = self.given
        g = self._array(dtype, dy, steps * batch, width).astype(np.float64)
        states = [self._array(dtype, s, batch, width) for s in (h, c, dhy, dcy)]
        h, c, gh, gc = (None if s is None else s.astype(np.float64) for s in states)
        inputs = self._array(dtype, x, steps * batch, about["inputs"]).astype(np.float64)
        w_ih, w_hh, _, b_hh = self._joined(about, p["start"])
        found = self._run(about, inputs, h, c, p["start"], sizes)
        if about["mode"] == 2:
            gd, ghx, gcx, gw, _ = plain.lstm_sequence_backward(
                np, g, gh, gc, w_hh, None, tuple(found[3:]), sizes, False
            )
            gb_hh = gd.sum(0)
            self._array(dtype, p["dcx"], batch, width)[...] = gcx
        else:
            gd, ghx, gw, gb_hh = plain.gru_sequence_backward(np, g, gh, w_hh, b_hh, tuple(found[2:]), sizes, False)
        self._array(dtype, p["dx"], steps * batch, about["inputs"])[...] = gd @ w_ih
        self._array(dtype, p["dhx"], batch, width)[...] = ghx
        parts = self._parameters(about, grads)
        count = len(parts) // 2
        for i, (weight, bias) in enumerate(parts):
            rows = slice(i % count * width, (i % count + 1) * width)
            weight += ((gd.T @ inputs) if i < count else gw)[rows].astype(weight.dtype)
            if bias is not None:
                bias += (gd.sum(0) if i < count else gb_hh)[rows].astype(bias.dtype)
        self.calls.append("backward weights")
        return 0
