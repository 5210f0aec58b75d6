"""Element types as the array API standard has them: promotion, kinds, limits and casts.

The standard's promotion looks at types alone: an array without dimensions counts as much as any other, where PyTorch's
operators let it decide only a kind. So the functions of this namespace convert their operands first, by `together`.
"""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from functools import reduce
from typing import Any

from ..autograd import ops, promotion
from ..autograd.tensor import Tensor
from ..backends import DType, default_device, dtypes
from ..backends.errors import DTypeError

__all__ = ["astype", "can_cast", "finfo", "iinfo", "isdtype", "result_type"]

SIGNED = (dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64)
UNSIGNED = (dtypes.uint8, dtypes.uint16, dtypes.uint32, dtypes.uint64)
REAL = (dtypes.float32, dtypes.float64)
COMPLEX = (dtypes.complex64, dtypes.complex128)
KINDS: dict[str, tuple[DType, ...]] = {
    "bool": (dtypes.bool_,),
    "signed integer": SIGNED,
    "unsigned integer": UNSIGNED,
    "integral": (*SIGNED, *UNSIGNED),
    "real floating": REAL,
    "complex floating": COMPLEX,
    "numeric": (*SIGNED, *UNSIGNED, *REAL, *COMPLEX),
}
_NUMBERS = (bool, int, float, complex)


def _of_two(a: DType, b: DType) -> DType:
    """The type of two types. Integers of both signs take the signed type that holds both; uint64 has none."""
    if a is b:
        return a
    integers = KINDS["integral"]
    if a in integers and b in integers:
        if (a in SIGNED) == (b in SIGNED):
            return a if a.itemsize > b.itemsize else b
        signed, unsigned = (a, b) if a in SIGNED else (b, a)
        found = next((d for d in SIGNED if d.itemsize > unsigned.itemsize and d.itemsize >= signed.itemsize), None)
        if found is None:
            raise DTypeError(f"result_type: no integer type holds both {a} and {b}; convert one of them with astype()")
        return found
    return promotion.promote_types(a, b)


def _with_number(dtype: DType, number: Any) -> DType:
    """The type of an array of ``dtype`` and a Python number: the number's kind counts where it is the higher one."""
    if isinstance(number, bool) or dtype.is_complex:
        return dtype
    if isinstance(number, complex):
        return dtype.to_complex() if dtype.is_floating_point else promotion.get_default_dtype().to_complex()
    if isinstance(number, float):
        return dtype if dtype.is_floating_point else promotion.get_default_dtype()
    return dtypes.int64 if dtype is dtypes.bool_ else dtype


def result_type(*arrays_and_dtypes: Tensor | DType | bool | int | float | complex) -> DType:
    """The element type that results when arrays, types and Python numbers meet.

    Raises:
        ValueError: there is neither an array nor a type. RuntimeError: no type holds both, as for uint64 and int8.

    Example:
        >>> import wengert.array_api as xp
        >>> xp.result_type(xp.ones(2, dtype=xp.uint8), xp.int8, 3)
        wengert.int16
    """
    numbers = [x for x in arrays_and_dtypes if isinstance(x, _NUMBERS)]
    kinds = [x if isinstance(x, DType) else x.dtype for x in arrays_and_dtypes if not isinstance(x, _NUMBERS)]
    if not kinds:
        raise ValueError("result_type: at least one array or dtype is needed, besides Python numbers")
    return reduce(_with_number, numbers, reduce(_of_two, kinds))


def together(*operands: Any) -> list[Any]:
    """The operands as tensors of their common type; Python numbers become tensors without dimensions."""
    dtype = result_type(*operands)
    device = next(x.device for x in operands if isinstance(x, Tensor))
    return [
        (x if x.dtype is dtype else x.to(dtype)) if isinstance(x, Tensor) else ops.tensor(x, dtype=dtype, device=device)
        for x in operands
    ]


def can_cast(from_: DType | Tensor, to: DType, /) -> bool:
    """Whether values of one type become another's by the promotion rules, without a loss of kind or range."""
    kind = from_ if isinstance(from_, DType) else from_.dtype
    try:
        return _of_two(kind, to) is to
    except RuntimeError:
        return False


def isdtype(dtype: DType, kind: DType | str | tuple[DType | str, ...]) -> bool:
    """Whether a type is another, or of a kind, or one of several.

    Args:
        dtype: the type.
        kind: a type; ``"bool"``, ``"signed integer"``, ``"unsigned integer"``, ``"integral"``, ``"real floating"``,
            ``"complex floating"`` or ``"numeric"``; or a tuple of those.

    Raises:
        ValueError: no kind has this name. TypeError: it is neither a type nor a name.

    Example:
        >>> import wengert.array_api as xp
        >>> xp.isdtype(xp.float32, ("real floating", "integral"))
        True
    """
    if isinstance(kind, tuple):
        return builtins.any(isdtype(dtype, one) for one in kind if not isinstance(one, tuple) or _nested())
    if isinstance(kind, str):
        if kind not in KINDS:
            raise ValueError(f"isdtype: there is no kind {kind!r}; the kinds are {', '.join(KINDS)}")
        if kind in ("real floating", "numeric") and dtype.is_floating_point:
            return True  # float16 and bfloat16 are of this kind too
        return dtype in KINDS[kind]
    if not isinstance(kind, DType):
        raise TypeError(f"isdtype: kind must be a dtype, a name or a tuple of those, not {type(kind).__name__}")
    return dtype is kind


def _nested() -> bool:
    raise TypeError("isdtype: a tuple of kinds holds no tuples")


@dataclass(frozen=True)
class FloatInfo:
    """The limits of a floating type; of a complex type, those of its parts."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: DType


@dataclass(frozen=True)
class IntInfo:
    """The limits of an integer type."""

    bits: int
    max: int
    min: int
    dtype: DType


def finfo(type: DType | Tensor, /) -> FloatInfo:
    """The limits of a floating type, or of an array's.

    Raises:
        TypeError: it is not a floating type.
    """
    dtype = type if isinstance(type, DType) else type.dtype
    info = dtypes.finfo(dtype)
    part = dtype.to_real() if dtype.is_complex else dtype
    return FloatInfo(info.bits, info.eps, info.max, info.min, info.smallest_normal, part)


def iinfo(type: DType | Tensor, /) -> IntInfo:
    """The limits of an integer type, or of an array's.

    Raises:
        TypeError: it is not an integer type.
    """
    dtype = type if isinstance(type, DType) else type.dtype
    info = dtypes.iinfo(dtype)
    return IntInfo(info.bits, info.max, info.min, dtype)


def astype(x: Tensor, dtype: DType, /, *, copy: bool = True, device: Any = None) -> Tensor:
    """The array in another element type, and on another device if one is named; gradients flow back.

    Args:
        x: ``(*)``.
        dtype: the element type of the result.
        copy: whether to copy where nothing has to change.
        device: where the result lies; where ``x`` does, if it is None.

    Raises:
        TypeError: it would drop imaginary parts.
    """
    if x.dtype.is_complex and not dtype.is_complex and dtype is not dtypes.bool_:
        raise TypeError(f"astype: {x.dtype} to {dtype} would drop imaginary parts; take real() or imag() first")
    return x.to(device=x.device if device is None else device, dtype=dtype, copy=copy)


def placed(device: Any) -> Any:
    """The device that is meant where none is named."""
    return default_device() if device is None else device
