"""Which element type results when types meet: PyTorch's rules, in one place, above every backend.

An operand belongs to one of three groups: tensors with dimensions, tensors without, and Python numbers. A group
decides only where its kind (bool < integer < floating < complex) is higher than that of the groups before it.
"""

from __future__ import annotations

import functools
from typing import Any

from ..backends import get_backend, kernels_of
from ..backends.batched import BatchedArray
from ..backends.dtypes import (
    FLOAT8,
    FROM_NUMPY,
    WIDE_UNSIGNED,
    DType,
    bfloat16,
    bool_,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int16,
    int64,
    to_dtype,
    uint8,
)
from ..backends.errors import DeviceError, DTypeError, NumberOverflowError
from .admission import NUMBERS_ALONE, REFUSED, TENSOR_FIRST, need_tensors, no_signature, refuse, scalar_type
from .base import TensorBase, wrap

__all__ = [
    "OperandError",
    "can_cast",
    "get_default_dtype",
    "is_complex",
    "is_floating_point",
    "promote_types",
    "result_type",
    "set_default_dtype",
]

_default = [float32]
_ORDER = {d: i for i, d in enumerate((float16, bfloat16, float32, float64))}
_number = (bool, int, float, complex)


class OperandError(TypeError):
    """An operand that is neither a tensor nor a number: an operator leaves it to the other side."""


def get_default_dtype() -> DType:
    """The floating type that Python floats become."""
    return _default[0]


def set_default_dtype(d: Any) -> None:
    """Make ``d`` the type that Python floats become.

    Raises:
        TypeError: ``d`` is not a floating type.
    """
    kind = None if isinstance(d, str) else to_dtype(d)
    if kind is None or not kind.is_floating_point:
        raise TypeError(f"invalid dtype object: only floating-point types are supported as the default type, got {d!r}")
    _default[0] = kind


@functools.cache
def promote_types(type1: Any, type2: Any) -> DType:
    """The smallest type that both types convert to without a change of kind.

    Raises:
        RuntimeError: they differ, and one is an 8-bit float, or a wide unsigned integer beside another integer.
    """
    a, b = to_dtype(type1), to_dtype(type2)
    if a is b:
        return a
    if a in FLOAT8 or b in FLOAT8:
        raise _not_promoted("Float8 Types", a, b)
    if (a in WIDE_UNSIGNED or b in WIDE_UNSIGNED) and max(a.category, b.category) < 2:
        raise _not_promoted("uint16, uint32, uint64 types", a, b)
    if a.category != b.category:
        low, high = sorted((a, b), key=lambda d: d.category)
        return complex128 if high is complex64 and low is float64 else high
    if a.category == 1:
        if uint8 in (a, b):
            other = b if a is uint8 else a
            return int16 if other.itemsize == 1 else other
        return max(a, b, key=lambda d: d.itemsize)
    if a.category == 2:
        return float32 if {a, b} == {float16, bfloat16} else max(a, b, key=_ORDER.__getitem__)
    return complex128


def _not_promoted(kinds: str, a: DType, b: DType) -> DTypeError:
    return DTypeError(
        f"Promotion for {kinds} is not supported, attempted to promote {scalar_type(a)} and {scalar_type(b)}; "
        "convert one with .to(dtype)"
    )


def _scalar_dtype(value: Any) -> DType:
    if isinstance(value, bool):
        return bool_
    if isinstance(value, int):
        return int64
    if isinstance(value, float):
        return _default[0]
    return _default[0].to_complex()


def _combine(first: DType | None, second: DType | None) -> DType | None:
    """The type of two groups, the first of which goes before the second."""
    if first is None or second is None:
        return first or second
    if second.category <= first.category:
        return first
    return first.to_complex() if first.category == 2 else promote_types(first, second)


def result_type(*operands: Any) -> DType:
    """The type of a result computed from tensors and Python numbers.

    Args:
        operands: Tensors, Python numbers, or element types (which count as tensors with dimensions).

    Example:
        >>> import wengert as wg
        >>> wg.result_type(wg.tensor([1, 2], dtype=wg.int8), 1.0)
        wengert.float32
    """
    groups: list[DType | None] = [None, None, None]
    for o in operands:
        if isinstance(o, TensorBase):
            group, kind = (0 if o._data.ndim else 1), FROM_NUMPY[o._data.dtype]
        elif isinstance(o, _number):
            group, kind = 2, _scalar_dtype(o)
        else:
            group, kind = 0, to_dtype(o)
        present = groups[group]
        groups[group] = kind if present is None else promote_types(present, kind)
    dims, zero, scalar = groups
    result = _combine(_combine(dims, zero), scalar)
    if result is None:
        raise TypeError("result_type() needs at least one operand")
    return result


def can_cast(from_: Any, to: Any) -> bool:
    """Whether a value of type ``from_`` may be written to type ``to``: not complex to real, nor float to integer."""
    a, b = to_dtype(from_), to_dtype(to)
    return a.category <= b.category and not (b is bool_ and a is not bool_)


def is_floating_point(input: Any) -> bool:
    """Whether the tensor's type is floating point."""
    need_tensors("is_floating_point", input=input)
    return FROM_NUMPY[input._data.dtype].is_floating_point


def is_complex(input: Any) -> bool:
    """Whether the tensor's type is complex."""
    need_tensors("is_complex", input=input)
    return FROM_NUMPY[input._data.dtype].is_complex


def operands(op: str, *values: Any, floating: bool = False) -> list[Any]:
    """Values ready for one elementwise kernel: of one element type, on one device.

    Python numbers stay Python numbers where arrays take them as they are. Arrays among Tensors become Tensors.

    Args:
        op: the op's name, for messages.
        values: Tensors, arrays and Python numbers.
        floating: integers become the default float, as for division and the functions of analysis.

    Raises:
        TypeError: a value is none of these. DeviceError: tensors on different devices.
    """
    if not any(isinstance(v, TensorBase) for v in values):
        if any(hasattr(v, "dtype") for v in values):
            return list(values)  # a gradient rule asked
        values = _numbers_alone(op, values)
    tensors: list[Any] = [_coerce(op, v) for v in values]
    if op in TENSOR_FIRST and not isinstance(tensors[0], TensorBase):
        raise no_signature(op, *values)
    kind = result_type(*tensors)
    if (op, kind.category) in REFUSED:
        refuse(op, kind)
    if floating and kind.category < 2:
        kind = _default[0]
    dtype = kind.dtype
    first = _same_device(op, tensors)
    k = kernels_of[type(first)]
    out: list[Any] = []
    for t in tensors:
        if isinstance(t, TensorBase):
            if type(t._data) is not type(first) and not _levels(t._data, first):
                # a 0-d tensor of the CPU may meet tensors of a device
                host = kernels_of[type(t._data)].backend.to_numpy(t._data)
                t = wrap(k.backend.from_numpy(host, k.backend.device_of(first)))
            out.append(t if t._data.dtype == dtype else _cast(t, dtype))
        elif kind.category < 2:
            out.append(wrap(k.full((), _wrapped(t, kind), dtype=dtype)))
        elif dtype.kind == "V":
            out.append(wrap(k.full((), t, dtype=dtype)))
        else:
            out.append(t)
    return out


def _levels(a: Any, b: Any) -> bool:
    """Whether one of two arrays is of a level of ``vmap``: `apply` brings such together."""
    return isinstance(a, BatchedArray) or isinstance(b, BatchedArray)


def _numbers_alone(op: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Operands none of which is a tensor: the first becomes one, for the ops that take such."""
    if op not in NUMBERS_ALONE or not all(isinstance(v, _number) for v in values):
        raise no_signature(op, *values)
    k = get_backend("cpu").kernels
    return wrap(k.full((), values[0], dtype=result_type(*values).dtype)), *values[1:]


def _wrapped(value: Any, kind: DType) -> Any:
    """A Python integer in the range of an integer type: what lies outside wraps around, as in PyTorch."""
    if kind is bool_:
        return value
    bits = 8 * kind.itemsize
    if not -(2**63) <= value < 2**64:
        raise NumberOverflowError(f"the integer {value} does not fit int64; write it as a float")
    value = int(value) & ((1 << bits) - 1)
    return value - (1 << bits) if kind.is_signed and value >> (bits - 1) else value


def _cast(t: Any, dtype: Any) -> Any:
    from .ops.cast import cast

    return cast(t, dtype)


def _coerce(op: str, value: Any) -> Any:
    if isinstance(value, TensorBase) or type(value) in _number:
        return value
    if type(value) in kernels_of:
        return wrap(value)
    if hasattr(value, "dtype") and hasattr(value, "item"):  # a NumPy scalar counts as the Python number it holds
        return value.item()
    if isinstance(value, _number):
        return value
    raise OperandError(
        f"{op}(): argument must be Tensor or Number, not {type(value).__name__}; wrap it with wengert.tensor(...)"
    )


def _same_device(op: str, tensors: list[Any]) -> Any:
    """The array of the operand that decides the device: the first with dimensions, else the first."""
    arrays = [t._data for t in tensors if isinstance(t, TensorBase)]
    sized = [a for a in arrays if a.ndim]
    first = (sized or [a for a in arrays if kernels_of[type(a)].backend.name != "cpu"] or arrays)[0]
    device = kernels_of[type(first)].backend.device_of(first)
    for a in arrays:
        other = kernels_of[type(a)].backend.device_of(a)
        if other != device and not (a.ndim == 0 and other.type == "cpu"):
            raise DeviceError(
                f"{op}: Expected all tensors to be on the same device, but found at least two devices, {device} (shape "
                f"{list(first.shape)}) and {other} (shape {list(a.shape)}); move one with .to({str(device)!r})"
            )
    return first
