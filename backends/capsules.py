"""DLPack capsules of element types that NumPy and CuPy do not exchange: bfloat16 and the floats of 8 bits.

An array library names a capsule's element type by a code and a number of bits. NumPy knows neither bfloat16's code
nor what to do with one, but it hands over integers of the same size without a copy. So such an array leaves as
integers, and the code in its capsule is then put right; one that arrives is renamed to integers, and viewed as what
it was. Memory, strides and lifetime are the array library's own business all the while.
"""

from __future__ import annotations

import ctypes
from typing import Any

from .dtypes import FROM_NUMPY, DType, bfloat16
from .dtypes import float8_e4m3fn as e4m3fn
from .dtypes import float8_e4m3fnuz as e4m3fnuz
from .dtypes import float8_e5m2 as e5m2
from .dtypes import float8_e5m2fnuz as e5m2fnuz
from .dtypes import float8_e8m0fnu as e8m0fnu
from .errors import DTypeError

__all__ = ["Renamed", "exported", "imported"]

UNSIGNED = 1
CODES: dict[DType, int] = {bfloat16: 4, e4m3fn: 10, e4m3fnuz: 11, e5m2: 12, e5m2fnuz: 13, e8m0fnu: 14}
TYPES = {code: dtype for dtype, code in CODES.items()}


class _Tensor(ctypes.Structure):
    """DLPack's ``DLTensor``, to its element type."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
    )


class _Versioned(ctypes.Structure):
    """DLPack's ``DLManagedTensorVersioned``, to its tensor."""

    _fields_ = (
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("manager", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64),
        ("tensor", _Tensor),
    )


_valid = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.c_char_p)(("PyCapsule_IsValid", ctypes.pythonapi))
_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)


def _tensor(capsule: Any) -> Any:
    """The description in a capsule that nobody took yet; None for anything else."""
    if _valid(capsule, b"dltensor_versioned"):
        return ctypes.cast(_pointer(capsule, b"dltensor_versioned"), ctypes.POINTER(_Versioned)).contents.tensor
    if _valid(capsule, b"dltensor"):
        return ctypes.cast(_pointer(capsule, b"dltensor"), ctypes.POINTER(_Tensor)).contents
    return None


def exported(array: Any, **options: Any) -> Any:
    """The capsule of an array of any element type; ``options`` are those of ``__dlpack__``."""
    code = CODES.get(FROM_NUMPY[array.dtype])
    if code is None:
        return array.__dlpack__(**options)
    capsule = array.view(f"uint{8 * array.itemsize}").__dlpack__(**options)
    _tensor(capsule).code = code
    return capsule


class Renamed:
    """An exporter whose capsules hold integers in place of the types that array libraries do not take.

    Args:
        source: an object with ``__dlpack__`` and ``__dlpack_device__``, or a capsule of main memory.

    Raises:
        RuntimeError: a capsule is none, or used up.
    """

    def __init__(self, source: Any) -> None:
        self.source = source
        self.found: DType | None = None

    def __dlpack__(self, **options: Any) -> Any:
        capsule = self.source.__dlpack__(**options) if hasattr(self.source, "__dlpack__") else self.source
        tensor = _tensor(capsule)
        if tensor is None:
            raise DTypeError(
                "from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed only once, so "
                f"you might have already constructed a tensor from it once; this is a {type(capsule).__name__}"
            )
        if tensor.code in TYPES and tensor.lanes == 1:
            self.found, tensor.code = TYPES[tensor.code], UNSIGNED
        return capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.source.__dlpack_device__() if hasattr(self.source, "__dlpack_device__") else (1, 0)


def imported(xp: Any, source: Any, **options: Any) -> Any:
    """An array of namespace ``xp`` on the memory of what ``source`` exports."""
    renamed = Renamed(source)
    array = xp.from_dlpack(renamed, **options)
    return array if renamed.found is None else array.view(renamed.found.dtype)
