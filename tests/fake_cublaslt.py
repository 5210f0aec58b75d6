"""cuBLASLt in NumPy: the functions that the binding calls, on addresses of main memory.

It reads what it is told, and nothing else: columns one after the other, steps, batches, transposes and epilogues. So a
wrong description gives wrong numbers here as it would on a GPU.
"""

from __future__ import annotations

import ctypes
from typing import Any

import ml_dtypes
import numpy as np

TYPES = {0: np.float32, 1: np.float64, 2: np.float16, 4: np.complex64, 5: np.complex128, 14: ml_dtypes.bfloat16}
SUCCESS, NOT_SUPPORTED = 0, 15


def tf32(x: np.ndarray) -> np.ndarray:
    """float32 numbers with a significand of eleven bits."""
    bits = np.ascontiguousarray(x).view(np.uint32)
    return ((bits + np.uint32(0x1000)) & np.uint32(0xFFFFE000)).view(np.float32)


class FakeCublasLt:
    """The library.

    Attributes:
        calls: (description, layouts of a, b and out, stream, workspace) of every product.
        asked: how often an algorithm was asked for.
        status: what the next products return instead of computing.
    """

    def __init__(self) -> None:
        self.objects: list[dict[Any, Any]] = []
        self.calls: list[Any] = []
        self.asked, self.status, self.answer = 0, SUCCESS, SUCCESS

    def cublasLtGetVersion(self) -> int:
        return 130100

    def _make(self, where: Any, **parts: Any) -> int:
        self.objects.append(parts)
        where._obj.value = len(self.objects)
        return SUCCESS

    def _set(self, handle: Any, attribute: int, value: Any, size: int) -> int:
        assert ctypes.sizeof(value._obj) == size
        self.objects[handle.value - 1][attribute] = value._obj.value or 0
        return SUCCESS

    cublasLtMatmulDescSetAttribute = cublasLtMatrixLayoutSetAttribute = cublasLtMatmulPreferenceSetAttribute = _set

    def cublasLtCreate(self, where: Any) -> int:
        return self._make(where)

    def cublasLtMatmulDescCreate(self, where: Any, compute: int, scale: int) -> int:
        return self._make(where, compute=compute, scale=scale)

    def cublasLtMatrixLayoutCreate(self, where: Any, type: int, rows: int, columns: int, step: int) -> int:
        assert step >= rows, "columns would overlap"
        return self._make(where, type=type, rows=rows, columns=columns, step=step)

    def cublasLtMatmulPreferenceCreate(self, where: Any) -> int:
        return self._make(where)

    def cublasLtMatmulAlgoGetHeuristic(self, handle: Any, *rest: Any) -> int:
        *_, preference, asked, results, count = rest
        assert preference.value
        assert asked == len(results)
        self.asked += 1
        results[0].workspace = 1024
        count._obj.value = 1
        return self.answer

    def _array(self, layout: dict[Any, Any], address: int) -> Any:
        """(batch, columns, rows): the matrices as the library has them, turned."""
        dtype = np.dtype(TYPES[layout["type"]])
        assert address % dtype.itemsize == 0
        batch, step = layout.get(5, 1), layout.get(6, 0)
        far = (batch - 1) * step + (layout["columns"] - 1) * layout["step"] + layout["rows"]
        memory = np.frombuffer((ctypes.c_byte * (far * dtype.itemsize)).from_address(address), dtype)
        shape, strides = (batch, layout["columns"], layout["rows"]), (step, layout["step"], 1)
        return np.lib.stride_tricks.as_strided(memory, shape, [s * dtype.itemsize for s in strides])

    def cublasLtMatmul(self, *args: Any) -> int:
        _, product, one, a, la, b, lb, zero, c, lc, d, ld, algorithm, space, size, stream = args
        if self.status:
            return self.status
        assert algorithm is not None
        assert (c, lc) == (d, ld)
        assert (space == 0) == (size == 0)
        assert np.frombuffer(one._obj, np.uint8).any()
        assert not np.frombuffer(zero._obj, np.uint8).any()
        about = self.objects[product.value - 1]
        layouts = [self.objects[x.value - 1] for x in (la, lb, ld)]
        self.calls.append((about, *layouts, stream, space))
        x, y, out = (self._array(layout, address) for layout, address in zip(layouts, (a, b, d), strict=True))
        exact = np.float32 if about["compute"] in (68, 77) and x.dtype.kind != "c" else x.dtype
        x, y = (v.astype(exact) for v in (x, y))
        if about["compute"] == 77 and exact is np.float32:
            x, y = tf32(x), tf32(y)
        x = x if about[3] else x.swapaxes(1, 2)  # (batch, rows, columns) of op(A)
        y = y if about[4] else y.swapaxes(1, 2)
        assert x.shape[1:] + y.shape[2:] == (layouts[2]["rows"], y.shape[1], layouts[2]["columns"])
        result = np.matmul(x, y).swapaxes(1, 2)
        epilogue = about[7]
        if epilogue & 4:
            assert about[26] == layouts[2]["type"]
            vector = {"type": about[26], "rows": layouts[2]["rows"], "columns": 1, "step": layouts[2]["rows"]}
            result = result + self._array(vector, about[8])[0, 0].astype(exact)
        if epilogue & 2:
            result = np.maximum(result, 0)
        if epilogue & 32:
            result = 0.5 * result * (1 + np.tanh(0.7978845608028654 * (result + 0.044715 * result**3)))
        out[...] = result
        return SUCCESS
