"""A thin binding to cuDNN's recurrent layers: one layer in one direction over whole sequences of one length.

The graphs of `cudnn_graph` have no recurrent layers, so this calls the library's functions by ``ctypes``. cuDNN keeps
all parameters of a layer in one piece of memory, and says itself where each gate's weight and bias lie in it.
"""

from __future__ import annotations

import ctypes
import threading
from ctypes import byref, c_int, c_int32, c_size_t, c_uint32, c_void_p
from typing import Any, NamedTuple

from .. import cudnn as switches
from ..dtypes import to_dtype
from ..errors import DeviceError
from .libraries import refused, used

# From cudnn_adv_v9.h and cudnn_graph_v9.h; tests/test_cudnn_rnn.py compares them with these files.
CONSTANTS = {
    "CUDNN_DATA_FLOAT": 0,
    "CUDNN_DATA_DOUBLE": 1,
    "CUDNN_DATA_HALF": 2,
    "CUDNN_DATA_BFLOAT16": 9,
    "CUDNN_RNN_ALGO_STANDARD": 0,
    "CUDNN_LSTM": 2,
    "CUDNN_GRU": 3,
    "CUDNN_RNN_NO_BIAS": 0,
    "CUDNN_RNN_DOUBLE_BIAS": 2,
    "CUDNN_UNIDIRECTIONAL": 0,
    "CUDNN_LINEAR_INPUT": 0,
    "CUDNN_DEFAULT_MATH": 0,
    "CUDNN_TENSOR_OP_MATH": 1,
    "CUDNN_FMA_MATH": 3,
    "CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED": 0,
    "CUDNN_FWD_MODE_TRAINING": 1,
    "CUDNN_WGRAD_MODE_ADD": 0,
}
C = CONSTANTS
PADDED_IO = 1  # CUDNN_RNN_PADDED_IO_ENABLED
TYPES = {"float32": "FLOAT", "float64": "DOUBLE", "float16": "HALF", "bfloat16": "BFLOAT16"}
GATES = {"LSTM": 4, "GRU": 3}


class Shape(NamedTuple):
    """What a layer is."""

    mode: str
    dtype: str
    steps: int
    batch: int
    inputs: int
    width: int
    bias: bool
    tf32: bool


class RefusedError(DeviceError):
    """The library would not do something."""


class Layer:
    """A layer described to the library, and where its parameters lie.

    Args:
        library: the shared library.
        handle: the library's handle.
        shape: what the layer is.
        cupy: CuPy.
    """

    def __init__(self, library: Any, handle: Any, shape: Shape, cupy: Any) -> None:
        self._c, self._handle, self.shape, self._cupy = library, handle, shape, cupy
        self.type = C[f"CUDNN_DATA_{TYPES[shape.dtype]}"]
        self.rnn, self.x, self.y, self.h = describe(library, handle, shape)
        self.size, self.work, self.reserve = (c_size_t() for _ in range(3))
        self._call("cudnnGetRNNWeightSpaceSize", handle, self.rnn, byref(self.size))
        mode = C["CUDNN_FWD_MODE_TRAINING"]
        self._call("cudnnGetRNNTempSpaceSizes", handle, self.rnn, mode, self.x, byref(self.work), byref(self.reserve))
        self._places: list[tuple[int, int]] = []

    def _call(self, name: str, *args: Any) -> None:
        check(name, getattr(self._c, name)(*args))

    def parameters(self, space: Any) -> list[tuple[Any, Any]]:
        """Per gate, input's before state's, views of its weight, flat, and of its bias or None, in ``space``."""
        if not self._places:
            self._places = self._find(space)
        item = self._cupy.dtype(self.dtype).itemsize
        flat, found = space.view(self.dtype), []
        count, s = GATES[self.shape.mode], self.shape
        for i, (weight, bias) in enumerate(self._places):
            columns = s.inputs if i < count else s.width
            first, second = weight // item, bias // item
            matrix = flat[first : first + s.width * columns].reshape(s.width, columns)
            found.append((matrix, flat[second : second + s.width] if s.bias else None))
        return found

    @property
    def dtype(self) -> Any:
        """The element type of CuPy's."""
        return to_dtype(self.shape.dtype).dtype

    def _find(self, space: Any) -> list[tuple[int, int]]:
        """Where the library puts each gate's weight and bias, in bytes from the beginning."""
        places, start = [], space.data.ptr
        for i in range(2 * GATES[self.shape.mode]):
            weight, bias, matrix, vector = c_void_p(), c_void_p(), made(self._c, "Tensor"), made(self._c, "Tensor")
            self._call(
                "cudnnGetRNNWeightParams",
                self._handle,
                self.rnn,
                0,
                self.size.value,
                start,
                i,
                matrix,
                byref(weight),
                vector,
                byref(bias),
            )
            places.append(((weight.value or start) - start, (bias.value or start) - start))
        return places

    def space(self, size: c_size_t) -> Any:
        """Fresh memory of that size."""
        return self._cupy.empty(max(int(size.value), 1), "uint8")

    def packed(self, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any) -> Any:
        """The parameters as the library keeps them."""
        space, width = self.space(self.size), self.shape.width
        count = GATES[self.shape.mode]
        for i, (weight, bias) in enumerate(self.parameters(space)):
            rows = slice(i % count * width, (i % count + 1) * width)
            weight[...] = (w_ih if i < count else w_hh)[rows]
            if bias is not None:
                bias[...] = (b_ih if i < count else b_hh)[rows]
        return space

    def unpacked(self, space: Any) -> list[Any]:
        """The gradients of the two weights and the two biases (or None) from the library's memory."""
        parts, count = self.parameters(space), GATES[self.shape.mode]
        halves = parts[:count], parts[count:]
        weights = [self._cupy.concatenate([weight for weight, _ in half]) for half in halves]
        if not self.shape.bias:
            return [*weights, None, None]
        return [*weights, *(self._cupy.concatenate([bias for _, bias in half]) for half in halves)]

    def forward(self, x: Any, h: Any, c: Any, weights: Any) -> tuple[Any, Any, Any, Any]:
        """The outputs, the last states (c of an LSTM only), and what the backward pass needs."""
        s, cupy = self.shape, self._cupy
        y = cupy.empty((s.steps * s.batch, s.width), x.dtype)
        hy, cy = cupy.empty_like(h), None if c is None else cupy.empty_like(c)
        work, reserve = self.space(self.work), self.space(self.reserve)
        self._call(
            "cudnnRNNForward",
            *(self._handle, self.rnn, C["CUDNN_FWD_MODE_TRAINING"], None),
            *(self.x, address(x), self.y, address(y), self.h, address(h), address(hy)),
            *(self.h, address(c), address(cy), self.size.value, address(weights)),
            *(self.work.value, address(work), self.reserve.value, address(reserve)),
        )
        return y, hy, cy, reserve

    def backward(
        self, g: Any, gh: Any, gc: Any, x: Any, h: Any, c: Any, y: Any, weights: Any, reserve: Any
    ) -> tuple[Any, Any, Any, list[Any]]:
        """The gradients of the input, of the states, and of the parameters."""
        cupy, work, reserve = self._cupy, self.space(self.work), reserve.copy()  # which it writes on
        gx, ghx, gcx = cupy.empty_like(x), cupy.empty_like(h), None if c is None else cupy.empty_like(c)
        end = (self.work.value, address(work), self.reserve.value, address(reserve))
        self._call(
            "cudnnRNNBackwardData_v8",
            *(self._handle, self.rnn, None, self.y, address(y), address(g), self.x, address(gx)),
            *(self.h, address(h), address(gh), address(ghx), self.h, address(c), address(gc), address(gcx)),
            *(self.size.value, address(weights), *end),
        )
        grads = self.space(self.size)
        grads.fill(0)
        self._call(
            "cudnnRNNBackwardWeights_v8",
            *(self._handle, self.rnn, C["CUDNN_WGRAD_MODE_ADD"], None, self.x, address(x), self.h, address(h)),
            *(self.y, address(y), self.size.value, address(grads), *end),
        )
        return gx, ghx, gcx, self.unpacked(grads)


class Layers:
    """The layers of this process.

    Args:
        library: the shared library, or what has its functions.
        cupy: CuPy.
    """

    def __init__(self, library: Any, cupy: Any) -> None:
        self._c, self._cupy, self._local = library, cupy, threading.local()
        if isinstance(library, ctypes.CDLL):
            declare(library)
        used("cudnn layers", "in use")

    def layer(self, shape: Shape, device: int) -> Layer | None:
        """The layer of that shape on the current stream; None where the library has none."""
        if not switches.enabled or shape.dtype not in TYPES:
            return None
        known = self._local.__dict__.setdefault("known", {})
        try:
            if ("handle", device) not in known:
                handle = c_void_p()
                check("cudnnCreate", self._c.cudnnCreate(byref(handle)))
                known["handle", device] = handle
            handle = known["handle", device]
            check("cudnnSetStream", self._c.cudnnSetStream(handle, self._cupy.cuda.get_current_stream().ptr))
            if (shape, device) not in known:
                known[shape, device] = Layer(self._c, handle, shape, self._cupy)
        except RefusedError as error:
            self.refuse(shape, device, error)
        found: Layer | None = known.get((shape, device))
        return found

    def refuse(self, shape: Shape, device: int, error: Exception) -> None:
        """Do without the library for a shape from here on."""
        self._local.__dict__["known"][shape, device] = None
        refused("cudnn", f"a {shape.mode} of {shape.dtype}", str(error))


def describe(library: Any, handle: Any, shape: Shape) -> tuple[Any, Any, Any, Any]:
    """The library's descriptions of the layer, its input, its output and its states."""
    kind = C[f"CUDNN_DATA_{TYPES[shape.dtype]}"]
    exact = C["CUDNN_DATA_DOUBLE" if shape.dtype == "float64" else "CUDNN_DATA_FLOAT"]
    short = shape.dtype in ("float16", "bfloat16")
    math = "TENSOR_OP_MATH" if short else "DEFAULT_MATH" if shape.tf32 and shape.dtype == "float32" else "FMA_MATH"
    dropout, rnn = made(library, "Dropout"), made(library, "RNN")
    check("cudnnSetDropoutDescriptor", library.cudnnSetDropoutDescriptor(dropout, handle, 0.0, None, 0, 0))
    status = library.cudnnSetRNNDescriptor_v8(
        rnn,
        C["CUDNN_RNN_ALGO_STANDARD"],
        C[f"CUDNN_{shape.mode}"],
        C["CUDNN_RNN_DOUBLE_BIAS" if shape.bias else "CUDNN_RNN_NO_BIAS"],
        C["CUDNN_UNIDIRECTIONAL"],
        C["CUDNN_LINEAR_INPUT"],
        kind,
        exact,
        C[f"CUDNN_{math}"],
        shape.inputs,
        shape.width,
        shape.width,  # no projection
        1,
        dropout,
        PADDED_IO,
    )
    check("cudnnSetRNNDescriptor_v8", status)
    lengths = (c_int * shape.batch)(*[shape.steps] * shape.batch)
    data = []
    for size in (shape.inputs, shape.width):
        one = made(library, "RNNData")
        layout = C["CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED"]
        sizes = (shape.steps, shape.batch, size)
        check("cudnnSetRNNDataDescriptor", library.cudnnSetRNNDataDescriptor(one, kind, layout, *sizes, lengths, None))
        data.append(one)
    states = made(library, "Tensor")
    dims, strides = (1, shape.batch, shape.width), (shape.batch * shape.width, shape.width, 1)
    triple = c_int * 3
    status = library.cudnnSetTensorNdDescriptor(states, kind, 3, triple(*dims), triple(*strides))
    check("cudnnSetTensorNdDescriptor", status)
    return rnn, data[0], data[1], states


def made(library: Any, kind: str) -> Any:
    """A new description of a kind."""
    found = c_void_p()
    name = f"cudnnCreate{kind}Descriptor"
    check(name, getattr(library, name)(byref(found)))
    return found


def address(array: Any) -> Any:
    """Where an array lies; None for none."""
    return None if array is None else array.data.ptr


def check(name: str, status: int) -> None:
    """Raise `RefusedError` unless a call went well."""
    if status:
        raise RefusedError(f"{name}: status {status}")


def declare(library: Any) -> None:
    """Say what the functions take: pointers are not the size of Python's default, an int."""
    p, n, size = c_void_p, c_int32, c_size_t
    where = ctypes.POINTER(c_void_p)
    signatures = {
        "cudnnCreate": [where],
        "cudnnSetStream": [p, p],
        **{f"cudnnCreate{kind}Descriptor": [where] for kind in ("Dropout", "RNN", "RNNData", "Tensor")},
        "cudnnSetDropoutDescriptor": [p, p, ctypes.c_float, p, size, ctypes.c_ulonglong],
        "cudnnSetRNNDescriptor_v8": [p, *[c_int] * 8, n, n, n, n, p, c_uint32],
        "cudnnGetRNNDescriptor_v8": [p, *[p] * 8, p, p, p, p, p, p],
        "cudnnSetRNNDataDescriptor": [p, c_int, c_int, c_int, c_int, c_int, p, p],
        "cudnnSetTensorNdDescriptor": [p, c_int, c_int, p, p],
        "cudnnGetRNNWeightSpaceSize": [p, p, p],
        "cudnnGetRNNTempSpaceSizes": [p, p, c_int, p, p, p],
        "cudnnGetRNNWeightParams": [p, p, n, size, p, n, p, where, p, where],
        "cudnnRNNForward": [p, p, c_int, p, p, p, p, p, p, p, p, p, p, p, size, p, size, p, size, p],
        "cudnnRNNBackwardData_v8": [p, p, p, p, p, p, p, p, p, p, p, p, p, p, p, p, size, p, size, p, size, p],
        "cudnnRNNBackwardWeights_v8": [p, p, c_int, p, p, p, p, p, p, p, size, p, size, p, size, p],
    }
    for name, arguments in signatures.items():
        getattr(library, name).argtypes = arguments
        getattr(library, name).restype = c_int
