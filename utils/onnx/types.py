"""Element types here, in NumPy and in ONNX."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

__all__ = ["KEY", "array_of", "code_of", "dtype_of", "tensor_of"]

KEY = "wengert.parameters"  # under which a file lists what is trained in it, and what is measured
CODES = {
    "float32": 1,
    "uint8": 2,
    "int8": 3,
    "uint16": 4,
    "int16": 5,
    "int32": 6,
    "int64": 7,
    "bool": 9,
    "float16": 10,
    "float64": 11,
    "uint32": 12,
    "uint64": 13,
    "complex64": 14,
    "complex128": 15,
    "bfloat16": 16,
}
NAMES = {code: name for name, code in CODES.items()}


def code_of(dtype: Any) -> int:
    """ONNX's number of an element type.

    Raises:
        TypeError: it has none.
    """
    name = np.dtype(dtype).name
    if name not in CODES:
        raise TypeError(f"ONNX has no element type {name}")
    return CODES[name]


def dtype_of(code: int) -> Any:
    """The element type that ONNX numbers so.

    Raises:
        TypeError: there is none here.
    """
    if code not in NAMES:
        raise TypeError(f"element type number {code} of ONNX is not supported here; it has {', '.join(CODES)}")
    name = NAMES[code]
    return np.dtype(ml_dtypes.bfloat16) if name == "bfloat16" else np.dtype(name)


def tensor_of(array: Any, name: str) -> Any:
    """An array as ONNX stores it."""
    from onnx import TensorProto

    made = TensorProto()
    made.name, made.data_type = name, code_of(array.dtype)
    made.dims.extend(array.shape)
    made.raw_data = np.ascontiguousarray(array).tobytes()
    return made


def array_of(tensor: Any, folder: str = "") -> Any:
    """The array that ONNX stores, perhaps in a file of its own in ``folder``."""
    from onnx import numpy_helper

    return np.asarray(numpy_helper.to_array(tensor, folder))
