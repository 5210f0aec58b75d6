"""A thin binding to cuBLASLt: products of matrices with a bias and an activation, as one call.

CuPy's own products refuse to be captured into a graph, widen stacked 16-bit matrices, and copy what is not
contiguous. Here a product is described once (shapes, strides, types, alignment, how exact it must be), the library is
asked once which of its algorithms to use, and from then on it is one call of a C function. The host waits for nothing.

The library's matrices have their columns one after the other. A matrix in our order is to it the transposed one, so
what it computes is ``out.T = b.T @ a.T``: the factors change places, and "transposed" keeps its meaning.
"""

from __future__ import annotations

import ctypes
import itertools
import math
import threading
from ctypes import byref, c_double, c_float, c_int, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p, sizeof
from typing import Any, NamedTuple

from ..dtypes import to_dtype
from ..errors import DeviceError
from .libraries import refused, used

# From cublasLt.h, cublas_api.h and library_types.h; tests/test_cublaslt.py compares them with these files.
CONSTANTS = {
    "CUDA_R_32F": 0,
    "CUDA_R_64F": 1,
    "CUDA_R_16F": 2,
    "CUDA_C_32F": 4,
    "CUDA_C_64F": 5,
    "CUDA_R_16BF": 14,
    "CUBLAS_OP_N": 0,
    "CUBLAS_OP_T": 1,
    "CUBLAS_COMPUTE_32F": 68,
    "CUBLAS_COMPUTE_64F": 70,
    "CUBLAS_COMPUTE_32F_FAST_TF32": 77,
    "CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT": 5,
    "CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET": 6,
    "CUBLASLT_MATMUL_DESC_TRANSA": 3,
    "CUBLASLT_MATMUL_DESC_TRANSB": 4,
    "CUBLASLT_MATMUL_DESC_EPILOGUE": 7,
    "CUBLASLT_MATMUL_DESC_BIAS_POINTER": 8,
    "CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE": 26,
    "CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES": 1,
    "CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK": 3,
    "CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES": 5,
    "CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES": 6,
    "CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES": 7,
    "CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES": 8,
    "CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE": 2,
    "CUBLASLT_REDUCTION_SCHEME_MASK": 7,
    "CUBLASLT_EPILOGUE_DEFAULT": 1,
    "CUBLASLT_EPILOGUE_RELU": 2,
    "CUBLASLT_EPILOGUE_BIAS": 4,
    "CUBLASLT_EPILOGUE_GELU": 32,
}
C = CONSTANTS
STATUS = {
    1: "not initialized",
    3: "out of memory",
    7: "invalid value",
    8: "not for this architecture",
    11: "mapping error",
    13: "execution failed",
    14: "internal error",
    15: "not supported",
}
WORKSPACE = 32 << 20  # bytes; NVIDIA's advice for Hopper, and a constant, so that the choice of algorithms is one, too
CANDIDATES = 8
_SINGLE, _DOUBLE = C["CUBLAS_COMPUTE_32F"], C["CUBLAS_COMPUTE_64F"]


class Kind(NamedTuple):
    """How one element type is multiplied."""

    type: int
    compute: int
    scale: int
    one: Any
    zero: Any
    fuses: bool  # whether a bias and an activation can be part of the product


_ONE, _ZERO = c_float(1), c_float(0)
KINDS = {
    "float32": Kind(C["CUDA_R_32F"], _SINGLE, C["CUDA_R_32F"], _ONE, _ZERO, True),
    "float16": Kind(C["CUDA_R_16F"], _SINGLE, C["CUDA_R_32F"], _ONE, _ZERO, True),
    "bfloat16": Kind(C["CUDA_R_16BF"], _SINGLE, C["CUDA_R_32F"], _ONE, _ZERO, True),
    "float64": Kind(C["CUDA_R_64F"], _DOUBLE, C["CUDA_R_64F"], c_double(1), c_double(0), False),
    "complex64": Kind(C["CUDA_C_32F"], _SINGLE, C["CUDA_C_32F"], (c_float * 2)(1), (c_float * 2)(), False),
    "complex128": Kind(C["CUDA_C_64F"], _DOUBLE, C["CUDA_C_64F"], (c_double * 2)(1), (c_double * 2)(), False),
}
ACTIVATIONS = {
    "": C["CUBLASLT_EPILOGUE_DEFAULT"],
    "relu": C["CUBLASLT_EPILOGUE_RELU"],
    "gelu": C["CUBLASLT_EPILOGUE_GELU"],  # the one with tanh
}


class Result(ctypes.Structure):
    """``cublasLtMatmulHeuristicResult_t``."""

    _fields_ = (
        ("algo", c_uint64 * 8),
        ("workspace", c_size_t),
        ("state", c_int),
        ("waves", c_float),
        ("reserved", c_int * 4),
    )


class Matrix(NamedTuple):
    """A stack of matrices as the library sees it: its rows are our columns."""

    rows: int
    columns: int
    transposed: bool  # of the two factors only
    step: int  # elements from one of its columns to the next
    batch: int
    batch_step: int


class Key(NamedTuple):
    """All that the choice of an algorithm depends on."""

    kind: str
    compute: int
    a: Matrix
    b: Matrix
    out: Matrix
    epilogue: int
    reduction: int
    alignment: int


def matrix(shape: tuple[int, ...], strides: tuple[int, ...], batch: int, batch_step: int) -> Matrix | None:
    """The library's view of matrices (..., r, c) with ``strides`` in elements; None where they must be copied first."""
    (r, c), (down, right) = shape[-2:], strides[-2:]
    if (right == 1 or c == 1) and (down >= c or r == 1):
        return Matrix(c, r, False, max(down if r > 1 else c, c, 1), batch, batch_step)
    if (down == 1 or r == 1) and (right >= r or c == 1):
        return Matrix(r, c, True, max(right if c > 1 else r, r, 1), batch, batch_step)
    return None


def one_step(shape: tuple[int, ...], strides: tuple[int, ...]) -> int | None:
    """The one stride that leads through all leading dimensions; None where no single one does."""
    pairs = [(n, s) for n, s in zip(shape, strides, strict=True) if n != 1]
    for (_, outer), (n, inner) in itertools.pairwise(pairs):
        if outer != n * inner:
            return None
    return pairs[-1][1] if pairs else 0


class CublasLt:
    """The library on the devices of this process.

    Args:
        library: the shared library, or what has its functions.
        cupy: CuPy, for memory, streams and devices.
    """

    def __init__(self, library: Any, cupy: Any) -> None:
        self._c, self._cupy = library, cupy
        self._local = threading.local()  # of a thread: a pointer to a bias lies in the description until the call
        if isinstance(library, ctypes.CDLL):
            _declare(library)
        version = int(library.cublasLtGetVersion())
        self.version = f"{version // 10000}.{version // 100 % 100}.{version % 100}"
        used("cublasLt", self.version)

    def product(
        self, a: Any, b: Any, *, bias: Any = None, activation: str = "", tf32: bool = False, reduced: bool = True
    ) -> Any:
        """``act(a @ b + bias)`` of matrices (..., n, k) and (..., k, m); None where this is nothing for the library.

        Args:
            a: the left factors; leading dimensions broadcast.
            b: the right factors, of the same type.
            bias: (m,), contiguous, or None; of single matrices only.
            activation: ``""``, ``"relu"`` or ``"gelu"`` (the form with tanh).
            tf32: whether float32 factors may be rounded to TF32.
            reduced: whether parts of a 16-bit product may be added in 16 bits.
        """
        name = to_dtype(a.dtype).name
        kind = KINDS.get(name)
        if kind is None or (not kind.fuses and (bias is not None or activation)):
            return None
        lead = a.shape[:-2]
        if lead != b.shape[:-2]:
            lead = _broadcast(lead, b.shape[:-2])
        batch = math.prod(lead)
        out = self._cupy.empty((*lead, a.shape[-2], b.shape[-1]), a.dtype)
        if not (out.size and a.shape[-1]):
            return None
        (a, left), (b, right) = self._described(a, lead, batch), self._described(b, lead, batch)
        n, m = out.shape[-2:]
        epilogue = ACTIVATIONS[activation]
        if bias is not None:
            epilogue = C["CUBLASLT_EPILOGUE_BIAS"] | (epilogue if activation else 0)
        key = Key(
            name,
            C["CUBLAS_COMPUTE_32F_FAST_TF32"] if tf32 and name in ("float32", "complex64") else kind.compute,
            right,  # the factors change places
            left,
            Matrix(m, n, False, m, batch, n * m),
            epilogue,
            C["CUBLASLT_REDUCTION_SCHEME_MASK" if reduced else "CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE"],
            alignment(b.data.ptr | a.data.ptr | out.data.ptr | (0 if bias is None else bias.data.ptr)),
        )
        return out if self._run(key, kind, b, a, out, bias) else None

    def _described(self, x: Any, lead: tuple[int, ...], batch: int) -> tuple[Any, Matrix]:
        size = x.dtype.itemsize
        own = x.shape[:-2]
        if own != lead:
            x = self._cupy.broadcast_to(x, (*lead, *x.shape[-2:]))
        strides = tuple([s // size for s in x.strides])
        step = one_step(lead, strides[:-2])
        found = None if step is None else matrix(x.shape, strides, batch, step)
        if found is None:
            x = self._cupy.ascontiguousarray(x)
            found = Matrix(x.shape[-1], x.shape[-2], False, x.shape[-1], batch, x.shape[-1] * x.shape[-2])
        return x, found

    def _run(self, key: Key, kind: Kind, a: Any, b: Any, out: Any, bias: Any) -> bool:
        device = out.device.id
        plans, handle = self._of_thread(device)
        stream = self._cupy.cuda.get_current_stream().ptr
        plan = plans.get(key, 0)
        if plan == 0:
            plan = plans[key] = self._plan(key, kind, handle, stream, bias)
        if plan is None:
            return False
        if bias is not None:
            plan.point_to(bias.data.ptr)
        space = self._workspace(device, stream) if plan.workspace else 0
        status = self._c.cublasLtMatmul(
            handle,
            plan.product,
            plan.one,
            a.data.ptr,
            plan.a,
            b.data.ptr,
            plan.b,
            plan.zero,
            out.data.ptr,
            plan.out,
            out.data.ptr,
            plan.out,
            plan.algorithm,
            space,
            WORKSPACE if space else 0,
            stream,
        )
        if status:
            plans[key] = None
            refused("cublasLt", f"a product of {key.kind}", STATUS.get(status, f"status {status}"))
        return not status

    def _of_thread(self, device: int) -> tuple[dict[Key, Any], Any]:
        starts: dict[int, Any] = self._local.__dict__.setdefault("starts", {})
        found = starts.get(device)
        if found is None:
            handle = c_void_p()
            status = self._c.cublasLtCreate(byref(handle))
            if status:
                raise DeviceError(
                    f"cuBLASLt {self.version} cannot start on cuda:{device}: {STATUS.get(status, status)}. Is its "
                    "major version that of CuPy's CUDA? WENGERT_NO_LIBRARIES=cublasLt does without it"
                )
            found = starts[device] = ({}, handle)
        plans, handle = found
        return plans, handle

    def _workspace(self, device: int, stream: int) -> int:
        """Scratch memory, one piece for each queue of work, since products in two of them may run at the same time."""
        spaces = self._local.__dict__.setdefault("spaces", {})
        space = spaces.get((device, stream))
        if space is None:
            space = spaces[device, stream] = self._cupy.cuda.alloc(WORKSPACE)
        return int(space.ptr)

    def _plan(self, key: Key, kind: Kind, handle: Any, stream: int, bias: Any) -> Plan | None:
        runtime = self._cupy.cuda.runtime
        if stream and runtime.streamIsCapturing(stream):
            raise DeviceError(
                "a product of matrices is new to cuBLASLt inside a graph that is being captured, where it cannot be "
                "asked for an algorithm; run the step once before capturing it"
            )
        plan = Plan(self._c, key, kind, 0 if bias is None else bias.data.ptr)
        status = plan.choose(handle)
        if status:
            refused("cublasLt", f"a product of {key.kind}", STATUS.get(status, f"status {status}"))
            return None
        return plan


class Plan:
    """One kind of product, described to the library, with the algorithm that it chose.

    Args:
        library: the shared library.
        key: what the product is.
        kind: how its element type is multiplied.
        bias: the address of a bias, whose alignment counts; 0 without one.
    """

    def __init__(self, library: Any, key: Key, kind: Kind, bias: int = 0) -> None:
        self._c, self._key, self.one, self.zero = library, key, byref(kind.one), byref(kind.zero)
        self.product, self.preference = c_void_p(), c_void_p()
        self.workspace, self.candidates = 0, 0
        self.algorithm: Any = None
        check(library.cublasLtMatmulDescCreate(byref(self.product), key.compute, kind.scale))
        self._set("TRANSA", c_int32(C["CUBLAS_OP_T" if key.a.transposed else "CUBLAS_OP_N"]))
        self._set("TRANSB", c_int32(C["CUBLAS_OP_T" if key.b.transposed else "CUBLAS_OP_N"]))
        self._set("EPILOGUE", c_uint32(key.epilogue))
        if bias:
            self._set("BIAS_DATA_TYPE", c_int32(kind.type))
            self.point_to(bias)
        self.a, self.b, self.out = (self._layout(m, kind.type) for m in (key.a, key.b, key.out))

    def point_to(self, bias: int) -> None:
        """Say where the bias of the next call lies."""
        self._set("BIAS_POINTER", c_void_p(bias))

    def _set(self, name: str, value: Any) -> None:
        attribute = C[f"CUBLASLT_MATMUL_DESC_{name}"]
        check(self._c.cublasLtMatmulDescSetAttribute(self.product, attribute, byref(value), sizeof(value)))

    def _layout(self, m: Matrix, type: int) -> Any:
        layout = c_void_p()
        check(self._c.cublasLtMatrixLayoutCreate(byref(layout), type, m.rows, m.columns, m.step))
        if m.batch > 1:
            for name, value in (("BATCH_COUNT", c_int32(m.batch)), ("STRIDED_BATCH_OFFSET", c_int64(m.batch_step))):
                attribute = C[f"CUBLASLT_MATRIX_LAYOUT_{name}"]
                check(self._c.cublasLtMatrixLayoutSetAttribute(layout, attribute, byref(value), sizeof(value)))
        return layout

    def prefer(self) -> None:
        """Say which algorithms may be chosen."""
        check(self._c.cublasLtMatmulPreferenceCreate(byref(self.preference)))
        settings = [
            ("MAX_WORKSPACE_BYTES", c_uint64(WORKSPACE)),
            ("REDUCTION_SCHEME_MASK", c_uint32(self._key.reduction)),
            *((f"MIN_ALIGNMENT_{part}_BYTES", c_uint32(self._key.alignment)) for part in "ABCD"),
        ]
        for name, value in settings:
            attribute = C[f"CUBLASLT_MATMUL_PREF_{name}"]
            check(self._c.cublasLtMatmulPreferenceSetAttribute(self.preference, attribute, byref(value), sizeof(value)))

    def choose(self, handle: Any, number: int = 0) -> int:
        """Take the library's candidate of that number, its favourite unless told; returns a status, 0 for success."""
        if not self.preference:
            self.prefer()
        results, count = (Result * CANDIDATES)(), c_int()
        status = self._c.cublasLtMatmulAlgoGetHeuristic(
            handle,
            self.product,
            self.a,
            self.b,
            self.out,
            self.out,
            self.preference,
            CANDIDATES,
            results,
            byref(count),
        )
        if status:
            return int(status)
        found = [r for r in results[: count.value] if not r.state]
        self.candidates = len(found)
        if number >= len(found):
            return 15  # not supported
        self._result = found[number]
        self.algorithm, self.workspace = byref(self._result.algo), int(self._result.workspace)
        return 0


def check(status: int) -> None:
    """Raise unless a call that describes something went well; none of them touches the device."""
    if status:
        raise DeviceError(f"cuBLASLt refuses a description: {STATUS.get(status, f'status {status}')}")


def alignment(address: int) -> int:
    """The largest power of two, up to 256, that divides an address, or all addresses that were joined by ``|``."""
    return address & -address & 255 or 256


def _broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    if len(a) < len(b):
        a, b = b, a
    b = (1,) * (len(a) - len(b)) + b
    for i, j in zip(a, b, strict=True):
        if i != j and 1 not in (i, j):
            raise ValueError(f"shapes {a} and {b} of stacked matrices do not broadcast")
    return tuple([j if i == 1 else i for i, j in zip(a, b, strict=True)])


def _declare(library: Any) -> None:
    """Say what the functions take: pointers are not the size of Python's default, an int."""
    p, where, size = c_void_p, ctypes.POINTER(c_void_p), c_size_t
    signatures = {
        "cublasLtCreate": [where],
        "cublasLtMatmulDescCreate": [where, c_int, c_int],
        "cublasLtMatmulDescSetAttribute": [p, c_int, p, size],
        "cublasLtMatmulDescGetAttribute": [p, c_int, p, size, p],
        "cublasLtMatrixLayoutCreate": [where, c_int, c_uint64, c_uint64, c_int64],
        "cublasLtMatrixLayoutSetAttribute": [p, c_int, p, size],
        "cublasLtMatrixLayoutGetAttribute": [p, c_int, p, size, p],
        "cublasLtMatmulPreferenceCreate": [where],
        "cublasLtMatmulPreferenceSetAttribute": [p, c_int, p, size],
        "cublasLtMatmulPreferenceGetAttribute": [p, c_int, p, size, p],
        "cublasLtMatmulAlgoGetHeuristic": [*[p] * 7, c_int, p, p],
        "cublasLtMatmul": [*[p] * 14, size, p],
    }
    for name, arguments in signatures.items():
        getattr(library, name).argtypes = arguments
        getattr(library, name).restype = c_int
    library.cublasLtGetVersion.argtypes, library.cublasLtGetVersion.restype = [], c_size_t
