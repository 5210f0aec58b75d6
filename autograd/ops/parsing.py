"""Nested Python data into one NumPy array, with PyTorch's choice of element type and its errors."""

from __future__ import annotations

from typing import Any

from ...backends import get_backend, kernels_of
from ...backends.dtypes import FROM_NUMPY, DType, bool_, int64, to_dtype
from ...backends.errors import DTypeError, InvalidValueError, NumberOverflowError
from ..base import TensorBase
from ..promotion import get_default_dtype, promote_types
from .scalar import number_for

__all__ = ["array_from", "native"]

_NUMBERS = (bool, int, float, complex)


def array_from(data: Any, dtype: Any, default: Any) -> Any:
    """``data`` as a fresh NumPy array.

    Args:
        data: a number, nested sequences of numbers and 0-d Tensors, or an array.
        dtype: the element type, or None to infer it.
        default: the element type of Python floats.

    Raises:
        ValueError, TypeError, RuntimeError: see `wengert.tensor`.
    """
    xp = get_backend("cpu").xp
    if isinstance(data, xp.ndarray | xp.generic):
        native(data)
        kind = to_dtype(data.dtype).dtype if dtype is None else dtype
        if getattr(data, "ndim", 0) == 0 and dtype is not None:
            return xp.asarray(number_for(data, dtype), dtype=dtype)
        return xp.array(data, dtype=kind)
    if hasattr(data, "__array__") and not isinstance(data, TensorBase | list | tuple):
        return array_from(xp.asarray(data), dtype, default)
    if data is None and dtype is not None:
        raise TypeError("'NoneType' object cannot be interpreted as a number")
    leaves: list[list[Any]] = []
    try:
        shape = _scan(data, 0, leaves)
    except TypeError:
        plain = _without_arrays(data)
        if plain is data:
            raise
        return array_from(plain, dtype, default)
    kinds: set[type] = set()
    for leaf in leaves:
        kinds.update(map(type, leaf))
    if kinds <= {float}:
        array = xp.array(leaves, dtype="float64")
        with xp.errstate(over="ignore"):
            return (
                array.astype(default).reshape(shape) if dtype is None else _converted(xp, array, dtype).reshape(shape)
            )
    if not kinds <= set(_NUMBERS):
        leaves, found = _unpacked(leaves)
        inner = _inner_shape(xp, leaves)
        shape = (*shape, *inner)
        if dtype is None and found is not None:
            dtype = found
    if dtype is None:
        dtype = _infer(leaves, default)
    return _fill(xp, leaves, dtype).reshape(shape)


def native(array: Any) -> None:
    """Raise if an array's numbers lie in foreign byte order.

    Raises:
        ValueError: they do.
    """
    if not array.dtype.isnative:
        raise InvalidValueError(
            "given numpy array has byte order different from the native byte order. Conversion between byte orders is "
            "currently not supported; use array.astype(array.dtype.newbyteorder('='))"
        )


def _without_arrays(data: Any) -> Any:
    """Arrays inside lists and tuples as lists; ``data`` itself where there are none."""
    if isinstance(data, list | tuple):
        items = [_without_arrays(item) for item in data]
        return items if any(a is not b for a, b in zip(items, data, strict=True)) else data
    return data.tolist() if hasattr(data, "dtype") and hasattr(data, "tolist") and data.ndim else data


def _scan(data: Any, depth: int, leaves: list[list[Any]]) -> tuple[int, ...]:
    """The shape of nested sequences; their innermost lists are added to ``leaves``."""
    if not _is_sequence(data):
        _check_element(data, depth)
        leaves.append([data])
        return ()
    n = len(data)
    nested = [_is_sequence(item) for item in data] if n and _may_nest(data) else ()
    if not any(nested):
        leaves.append(list(data))
        return (n,)
    shape: tuple[int, ...] | None = None
    for item, is_sequence in zip(data, nested, strict=True):
        if not is_sequence and not isinstance(item, TensorBase) and hasattr(item, "ndim") and item.ndim:
            item = list(item)  # an array beside lists counts as one
        elif not is_sequence:
            raise TypeError(f"not a sequence: {type(item).__name__} among sequences at dim {depth + 1}")
        inner = _scan(item, depth + 1, leaves)
        if shape is None:
            shape = inner
        elif inner != shape:
            level = next(
                (i for i, (a, b) in enumerate(zip(shape, inner, strict=False)) if a != b), min(len(shape), len(inner))
            )
            if level >= min(len(shape), len(inner)):
                raise TypeError(f"not a sequence: nesting is deeper in some places than in others at dim {depth + 1}")
            raise InvalidValueError(
                f"expected sequence of length {shape[level]} at dim {depth + 1 + level} (got {inner[level]}); "
                "all sequences at one depth must have one length"
            )
    return (n, *(shape or ()))


def _may_nest(data: Any) -> bool:
    return not {*map(type, data)} <= {*_NUMBERS}


def _is_sequence(data: Any) -> bool:
    return isinstance(data, list | tuple | range) or (
        hasattr(data, "__len__")
        and hasattr(data, "__getitem__")
        and not isinstance(data, str | bytes | dict | TensorBase)
        and not hasattr(data, "dtype")
    )


def _check_element(data: Any, depth: int) -> None:
    if isinstance(data, str | bytes):
        if depth:
            raise InvalidValueError(f"too many dimensions {type(data).__name__!r}")
        raise TypeError(f"new(): invalid data type {type(data).__name__!r}")
    if not (isinstance(data, _NUMBERS) or hasattr(data, "dtype") or hasattr(data, "__index__")):
        raise DTypeError(f"Could not infer dtype of {type(data).__name__}: tensors hold numbers")


def _unpacked(leaves: list[list[Any]]) -> tuple[list[list[Any]], Any]:
    """Tensors and NumPy scalars among the numbers as plain numbers (or arrays), and the dtype they ask for."""
    found: Any = None
    rows = []
    for leaf in leaves:
        row = []
        for value in leaf:
            _check_element(value, 1)
            kind = _kind_of(value)
            found = kind if found is None else promote_types(found, kind)
            row.append(_number_of(value))
        rows.append(row)
    return rows, None if found is None else found.dtype


def _kind_of(value: Any) -> DType:
    """The element type that one value asks for."""
    if isinstance(value, TensorBase):
        return FROM_NUMPY[value._data.dtype]
    if hasattr(value, "dtype"):
        return to_dtype(value.dtype)
    default = get_default_dtype()
    if isinstance(value, float):
        return default
    return default.to_complex() if isinstance(value, complex) else bool_ if isinstance(value, bool) else int64


def _number_of(value: Any) -> Any:
    """A 0-d Tensor or NumPy scalar as a Python number; arrays and numbers as they are.

    Raises:
        ValueError: a Tensor with several elements.
    """
    if isinstance(value, TensorBase):
        if value._data.size != 1:
            raise InvalidValueError(
                "only one element tensors can be converted to Python scalars: the list holds a tensor of shape "
                f"{list(value._data.shape)}; use wengert.stack"
            )
        return kernels_of[type(value._data)].backend.to_numpy(value._data).reshape(()).item()
    return value.item() if hasattr(value, "dtype") and not getattr(value, "shape", ()) else value


def _inner_shape(xp: Any, leaves: list[list[Any]]) -> tuple[int, ...]:
    """The shape of the arrays among the leaves; they must agree."""
    shapes = {getattr(value, "shape", ()) for leaf in leaves for value in leaf}
    if len(shapes) > 1:
        if () in shapes:
            raise TypeError("not a sequence: a number among arrays")
        a, b = sorted(shapes)[:2]
        raise InvalidValueError(
            f"expected sequence of length {list(a)} at dim 1 (got {list(b)}): arrays in a list differ in shape"
        )
    return tuple(shapes.pop()) if shapes else ()


def _infer(leaves: list[list[Any]], default: Any) -> Any:
    kinds: set[type] = set()
    for leaf in leaves:
        kinds.update(map(type, leaf))
    if any(issubclass(k, complex) for k in kinds):
        return FROM_NUMPY[default].to_complex().dtype
    if not kinds or any(issubclass(k, float) for k in kinds):
        return default
    return to_dtype("bool" if all(issubclass(k, bool) for k in kinds) else "int64").dtype


def _fill(xp: Any, leaves: list[list[Any]], dtype: Any) -> Any:
    if dtype == "uint64" and all(isinstance(v, int) for leaf in leaves for v in leaf):
        return _unsigned(xp, leaves)
    try:
        array = xp.array(leaves)
    except OverflowError:
        array = None
    if array is None or array.dtype.kind not in "biufc" or (array.dtype.kind == "u" and array.dtype.itemsize == 8):
        large = (v for leaf in leaves for v in leaf if isinstance(v, int) and not -(2**63) <= v < 2**63)
        if dtype.kind not in "fcVb" and any(True for _ in large):
            raise InvalidValueError(
                "Overflow when unpacking long long: an integer does not fit int64; write it as a float"
            )
        array = xp.array(leaves, dtype="float64")
    return _converted(xp, array, dtype)


def _unsigned(xp: Any, leaves: list[list[Any]]) -> Any:
    """Integers as uint64, which NumPy makes floats of where small and large ones come together.

    Raises:
        OverflowError: one is negative, or too large.
    """
    try:
        return xp.array(leaves, dtype="uint64")
    except OverflowError as error:
        raise NumberOverflowError(f"can't convert an integer to uint64, or int too big to convert: {error}") from None


def _converted(xp: Any, array: Any, dtype: Any) -> Any:
    """``array`` as ``dtype``, with PyTorch's checks: integers that do not fit and complex numbers are errors."""
    if array.dtype == dtype:
        return array
    if array.dtype.kind == "c" and dtype.kind not in "cb":
        raise TypeError(f"must be real number, not complex: the dtype asked for is {FROM_NUMPY[dtype]}")
    if dtype.kind in "iu" and array.size:
        for extreme in (array.min(), array.max()):
            number_for(extreme, dtype)
        if array.dtype.kind in "iu":
            return array.astype(dtype)
        return array.astype("int64").astype(dtype)
    with xp.errstate(over="ignore"):
        return array.astype(dtype)
