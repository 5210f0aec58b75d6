"""What the elementwise ops admit: which element types, and where a Python number may stand for a tensor.

Asked on the slow paths only: by operands that need promotion, by complex ones, and when a kernel has failed.
"""

from __future__ import annotations

from typing import Any

from ..backends import dtypes
from ..backends.dtypes import FROM_NUMPY, DType
from ..backends.errors import UnsupportedDTypeError
from .base import TensorBase

__all__ = ["c_name", "need_tensors", "no_signature", "refuse", "refuse_array", "scalar_type", "unsupported"]

_REAL = """
    airy_ai bessel_j0 bessel_j1 bessel_y0 bessel_y1 i0 i0e i1 i1e modified_bessel_k0 modified_bessel_k1
    scaled_modified_bessel_k0 scaled_modified_bessel_k1 spherical_bessel_j0
    digamma entr erf erfc erfcx erfinv lgamma log_ndtr logit ndtr ndtri polygamma xlog1py xlogy zeta
    ceil copysign deg2rad floor floor_divide fmod frac heaviside isneginf isposinf rad2deg remainder round signbit trunc
    atan2 clamp fmax fmin ge gt hypot igamma igammac le logaddexp2 lt maximum minimum nextafter
    celu elu gelu hardshrink hardsigmoid hardswish hardtanh leaky_relu logsigmoid mish relu relu6 selu softplus
    softshrink threshold
    chebyshev_polynomial_t chebyshev_polynomial_u chebyshev_polynomial_v chebyshev_polynomial_w hermite_polynomial_h
    hermite_polynomial_he laguerre_polynomial_l legendre_polynomial_p shifted_chebyshev_polynomial_t
    shifted_chebyshev_polynomial_u shifted_chebyshev_polynomial_v shifted_chebyshev_polynomial_w
"""
_NOT_BOOL = "ceil floor floor_divide fmod hypot igamma igammac logaddexp logaddexp2 nextafter pow remainder round trunc"
_NOT_INTEGER = "hypot igamma igammac logaddexp logaddexp2 nextafter"
REFUSED: dict[tuple[str, int], str] = {
    **{(op, 3): "real numbers" for op in _REAL.split()},
    **{(op, 0): "numbers, not truth values" for op in _NOT_BOOL.split()},
    **{(op, 1): "floating-point numbers" for op in _NOT_INTEGER.split()},
}
TENSOR_FIRST = frozenset(("eq", "ge", "gt", "le", "lt", "ne"))
NUMBERS_ALONE = frozenset(("add", "div", "floor_divide", "mul", "sub"))  # these make tensors even of two numbers
_SCALAR_TYPES = {
    dtypes.bool_: "Bool",
    dtypes.uint8: "Byte",
    dtypes.int8: "Char",
    dtypes.int16: "Short",
    dtypes.int32: "Int",
    dtypes.int64: "Long",
    dtypes.float16: "Half",
    dtypes.bfloat16: "BFloat16",
    dtypes.float32: "Float",
    dtypes.float64: "Double",
    dtypes.complex64: "ComplexFloat",
    dtypes.complex128: "ComplexDouble",
    **{kind: f"UInt{8 * kind.itemsize}" for kind in dtypes.WIDE_UNSIGNED},
    **{kind: kind.name.capitalize() for kind in dtypes.FLOAT8},
}
_C_NAMES = {
    "bool": "bool",
    "uint8": "unsigned char",
    "int8": "signed char",
    "int16": "short int",
    "int32": "int",
    "int64": "long int",
    "float16": "c10::Half",
    "bfloat16": "c10::BFloat16",
    "float32": "float",
    "float64": "double",
    "complex64": "c10::complex<float>",
    "complex128": "c10::complex<double>",
}


def scalar_type(kind: DType) -> str:
    """The older name of an element type, which errors use: ``Float`` for float32."""
    return _SCALAR_TYPES[kind]


def c_name(dtype: Any) -> str:
    """What PyTorch's messages about kernels call an element type: ``c10::Half`` for float16."""
    name: str = dtype.name
    return _C_NAMES.get(name, name)


def unsupported(op: str, kind: DType, takes: str = "other types; convert it first") -> UnsupportedDTypeError:
    """The error for an element type that an op does not take."""
    if kind.category == 3:
        return UnsupportedDTypeError(
            f'"{op}" not implemented for {scalar_type(kind)!r}: {op} is not supported for complex inputs, it takes '
            f"{takes}; use .real or abs()"
        )
    return UnsupportedDTypeError(f'"{op}" not implemented for {scalar_type(kind)!r} ({kind}): it takes {takes}')


def refuse(op: str, kind: DType) -> None:
    """Raise if an op does not take an element type.

    Raises:
        NotImplementedError: it does not.
    """
    takes = REFUSED.get((op, kind.category))
    if takes is not None:
        raise unsupported(op, kind, takes)


def refuse_array(op: str, error: TypeError, *values: Any) -> None:
    """Raise what a kernel's TypeError means, if it is that the array namespace does not know an element type."""
    for v in values:
        data = v._data if isinstance(v, TensorBase) else v
        kind = FROM_NUMPY.get(getattr(data, "dtype", None))
        if kind is not None and "ufunc" in str(error):
            raise unsupported(op, kind) from error


def need_tensors(op: str, **arguments: Any) -> None:
    """Raise unless every argument is a Tensor (or an array, in a gradient rule).

    Raises:
        TypeError: one is not.
    """
    for position, (name, value) in enumerate(arguments.items(), 1):
        if not isinstance(value, TensorBase) and not hasattr(value, "dtype"):
            raise TypeError(
                f"{op}(): argument '{name}' (position {position}) must be Tensor, not {type(value).__name__}; "
                "wrap it with wengert.tensor(...)"
            )


def no_signature(op: str, *values: Any) -> TypeError:
    """The error for arguments that fit none of the ways to call an op."""
    got = ", ".join("Tensor" if isinstance(v, TensorBase) else type(v).__name__ for v in values)
    return TypeError(
        f"{op}() received an invalid combination of arguments - got ({got}), but expected one of: (Tensor input, "
        "Tensor other), (Tensor input, Number other); wrap a number with wengert.tensor(...)"
    )
