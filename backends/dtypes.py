"""The element types of tensors: what lives here is each type's name, size and NumPy counterpart.

Which type results when two types meet is decided in ``wengert.autograd.promotion``, above every backend.
"""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from .errors import DTypeError

__all__ = [
    "DType",
    "bfloat16",
    "bool_",
    "complex32",
    "complex64",
    "complex128",
    "finfo",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
    "float16",
    "float32",
    "float64",
    "iinfo",
    "int8",
    "int16",
    "int32",
    "int64",
    "numpy_dtype",
    "to_dtype",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]


class DType:
    """An element type, one object per type, such as ``wengert.float32``.

    A thin name over a NumPy dtype: ``np.zeros(3, dtype=wengert.float32)`` works and
    ``wengert.float32 == np.dtype("float32")`` holds. NumPy's own dtype objects cannot say
    ``is_floating_point`` (bfloat16 is of kind ``"V"`` there), and PyTorch programs ask for it.
    """

    __slots__ = ("category", "dtype", "is_complex", "is_floating_point", "is_signed", "itemsize", "name")

    def __init__(self, name: str, dtype: Any, category: int) -> None:
        self.name = name
        self.dtype = np.dtype(dtype)
        self.category = category  # 0 bool, 1 integer, 2 floating, 3 complex
        self.itemsize = self.dtype.itemsize
        self.is_floating_point = category == 2
        self.is_complex = category == 3
        self.is_signed = name != "bool" and not name.startswith("uint")

    def to_real(self) -> DType:
        """The real type with the precision of this one."""
        return {complex64: float32, complex128: float64}.get(self, self)

    def to_complex(self) -> DType:
        """The complex type with the precision of this one; complex64 for 16-bit floats.

        Raises:
            RuntimeError: an integer or boolean type has none.
        """
        if self.category < 2:
            raise DTypeError(f"Unknown Complex ScalarType for {self.name}; use to_complex() of a floating type")
        return {float32: complex64, float64: complex128, float16: complex64, bfloat16: complex64}.get(self, self)

    @property
    def abbr(self) -> str:
        """A short name such as ``"f32"``."""
        letters = {"bool": "b", "bfloat": "bf", "float": "f", "complex": "c", "uint": "u", "int": "i"}
        width, _, kind = self.name.partition("_")
        return letters[width.rstrip("0123456789")] + str(8 * self.itemsize) + kind

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DType):
            return self is other
        if other is None or isinstance(other, str):
            return False
        try:
            return bool(self.dtype == np.dtype(other))  # type: ignore[call-overload]
        except TypeError:
            return False

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return f"wengert.{self.name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_by_name, (self.name,))


class AbsentDType(DType):
    """An element type that NumPy lacks: programs name it, in tables of types, and there are no tensors of it.

    Raises:
        RuntimeError: a tensor of it is to be made.
    """

    def __init__(self, name: str, category: int, itemsize: int) -> None:
        self.name, self.category, self.itemsize = name, category, itemsize
        self.is_floating_point, self.is_complex = category == 2, category == 3
        self.is_signed = not name.startswith("q") or name in ("qint8", "qint32")

    @property
    def dtype(self) -> Any:
        """NumPy's counterpart, of which there is none."""
        raise DTypeError(f"{self.name}: NumPy has no such element type; use another")

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return hash(self.name)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_by_name, (self.name,))


bool_ = DType("bool", np.bool_, 0)
uint8 = DType("uint8", np.uint8, 1)
int8 = DType("int8", np.int8, 1)
int16 = DType("int16", np.int16, 1)
int32 = DType("int32", np.int32, 1)
int64 = DType("int64", np.int64, 1)
float16 = DType("float16", np.float16, 2)
bfloat16 = DType("bfloat16", ml_dtypes.bfloat16, 2)
float32 = DType("float32", np.float32, 2)
float64 = DType("float64", np.float64, 2)
complex64 = DType("complex64", np.complex64, 3)
complex128 = DType("complex128", np.complex128, 3)
# Types to store and convert. Arithmetic of mixed types refuses them, as PyTorch's does.
uint16 = DType("uint16", np.uint16, 1)
uint32 = DType("uint32", np.uint32, 1)
uint64 = DType("uint64", np.uint64, 1)
float8_e4m3fn = DType("float8_e4m3fn", ml_dtypes.float8_e4m3fn, 2)
float8_e4m3fnuz = DType("float8_e4m3fnuz", ml_dtypes.float8_e4m3fnuz, 2)
float8_e5m2 = DType("float8_e5m2", ml_dtypes.float8_e5m2, 2)
float8_e5m2fnuz = DType("float8_e5m2fnuz", ml_dtypes.float8_e5m2fnuz, 2)
float8_e8m0fnu = DType("float8_e8m0fnu", ml_dtypes.float8_e8m0fnu, 2)

WIDE_UNSIGNED = (uint16, uint32, uint64)
FLOAT8 = (float8_e4m3fn, float8_e4m3fnuz, float8_e5m2, float8_e5m2fnuz, float8_e8m0fnu)
ALL = (
    *(bool_, uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64, complex64, complex128),
    *WIDE_UNSIGNED,
    *FLOAT8,
)
FROM_NUMPY: dict[Any, DType] = {d.dtype: d for d in ALL}
complex32 = AbsentDType("complex32", 3, 4)
qint8, quint8, qint32 = AbsentDType("qint8", 1, 1), AbsentDType("quint8", 1, 1), AbsentDType("qint32", 1, 4)
_NAMES = {d.name: d for d in (*ALL, complex32, qint8, quint8, qint32)}
_PYTHON = {bool: bool_, int: int64, float: float64, complex: complex128}


def _by_name(name: str) -> DType:
    return _NAMES[name]


def to_dtype(value: Any) -> DType:
    """The ``DType`` that ``value`` means: a DType, a NumPy dtype or type, a Python type, or a name.

    Raises:
        TypeError: the type has no counterpart here (strings, objects, dates).
    """
    if isinstance(value, DType):
        return value
    if value in _PYTHON:
        return _PYTHON[value]
    try:
        return FROM_NUMPY[np.dtype(value)]
    except (TypeError, KeyError):
        names = ", ".join(d.name for d in ALL)
        raise TypeError(f"{value!r} is not a tensor element type; use one of: {names}") from None


def numpy_dtype(value: Any) -> Any:
    """The NumPy dtype of ``value``; see `to_dtype`."""
    return to_dtype(value).dtype


def _asked(name: str, dtype: Any) -> DType:
    if not (isinstance(dtype, DType | np.dtype | type) or dtype is None):
        raise TypeError(f"{name}(): argument 'type' (position 1) must be wengert.dtype, not {type(dtype).__name__}")
    return to_dtype(dtype)


class finfo:
    """Limits of a floating-point type: ``bits, eps, max, min, tiny, smallest_normal, resolution, dtype``.

    Args:
        type: a floating-point type, or a complex one for the limits of its parts; the usual float32 when left out.

    Raises:
        TypeError: it is neither.
    """

    def __init__(self, type: Any = float32) -> None:
        kind = _asked("finfo", type)
        if not (kind.is_floating_point or kind.is_complex):
            raise TypeError(
                f"wengert.finfo() requires a floating point input type. Use wengert.iinfo to handle '{kind.name}'"
            )
        kind = kind.to_real()
        info: Any = ml_dtypes.finfo(kind.dtype)  # type: ignore[no-untyped-call]
        self.bits = int(info.bits)
        self.eps = float(info.eps)
        self.max = float(info.max)
        self.min = float(info.min)
        self.tiny = self.smallest_normal = float(info.smallest_normal)
        self.resolution = float(f"1e-{info.precision}")
        self.dtype = kind.name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, finfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(("finfo", self.dtype))

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


class iinfo:
    """Limits of an integer type: ``bits, min, max, dtype``.

    Args:
        type: an integer type.

    Raises:
        TypeError: it is none.
    """

    def __init__(self, type: Any) -> None:
        kind = _asked("iinfo", type)
        if kind.category == 0:
            raise TypeError("wengert.bool is not supported by wengert.iinfo")
        if kind.category != 1:
            raise TypeError(
                f"wengert.iinfo() requires an integer input type. Use wengert.finfo to handle '{kind.name}'"
            )
        info = np.iinfo(kind.dtype)
        self.bits, self.min, self.max, self.dtype = info.bits, int(info.min), int(info.max), kind.name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(("iinfo", self.dtype))

    def __repr__(self) -> str:
        return f"iinfo(min={float(self.min):g}, max={float(self.max):g}, dtype={self.dtype})"
