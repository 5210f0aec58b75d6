"""Rows of numbers at equal distances, and the identity matrix."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...backends import dtypes, kernels_of, to_dtype
from ...backends.errors import DTypeError, InvalidValueError, ShapeError
from ..admission import unsupported
from ..base import TensorBase
from ..promotion import get_default_dtype
from .creation import check_layout, dtype_beside, dtype_of, finished, make, shape_of
from .scalar import number_for

if TYPE_CHECKING:
    from ..tensor import Tensor


def arange(
    start: Any = None,
    end: Any = None,
    step: Any = 1,
    *,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """``start, start + step, ...`` up to but without ``end``.

    Args:
        start: the first number; the end, when there is only one argument.
        end: where to stop.
        step: the distance.
        out: a tensor to write the result to.
        dtype: int64 if all three are integers, else the default float, unless told.
        layout: ``wengert.strided``.
        device: where to put it.
        requires_grad: whether gradients are wanted.
        pin_memory: for PyTorch's sake.

    Raises:
        RuntimeError: the step is zero or points away from ``end``.

    Example:
        >>> import wengert as wg
        >>> wg.arange(1, 2, 0.5)
        tensor([1.0000, 1.5000])
    """
    check_layout(layout)
    if end is None:
        start, end = 0, start
    start, end, step = [_number("arange", v, real=True) for v in (0 if start is None else start, end, step)]
    dtype = dtype_beside(out, dtype)
    integral = not any(isinstance(v, float) for v in (start, end, step))
    kind = (dtypes.int64 if integral else get_default_dtype()) if dtype is None else to_dtype(dtype)
    if kind.category in (0, 3):
        raise unsupported("arange", kind, "integers and floating-point numbers")
    whole = kind.category == 1
    _check_range(start, end, int(step) if kind is dtypes.int64 else step)
    first, distance = (int(start), int(step)) if whole else (start, step)
    if kind is dtypes.int64:
        count = max(0, -((first - int(end)) // distance))
    else:  # by the numbers as they were given, even where integers lose their fractions
        count = math.ceil((float(end) - float(start)) / float(step))
    return finished(make("progression", device, first, distance, count, kind.dtype), requires_grad, out, "arange")


def _number(name: str, value: Any, real: bool = False) -> Any:
    """A number, or the number in a 0-d tensor or array.

    Raises:
        TypeError: it is none. RuntimeError: it is to be real, and is not.
    """
    number = value.item() if hasattr(value, "item") and value.ndim == 0 else value
    if not isinstance(number, int | float | complex):
        raise TypeError(f"{name}(): argument must be Number, not {type(value).__name__}")
    return number_for(number, dtypes.float64.dtype) if real and isinstance(number, complex) else number


def _check_range(start: float, end: float, step: float) -> None:
    if step == 0:
        raise InvalidValueError("arange: step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise InvalidValueError(f"arange: unsupported range: {start} -> {end}")
    if (end - start) * step < 0:
        raise InvalidValueError(
            "arange: upper bound and lower bound inconsistent with step sign: upper bound and larger bound are "
            f"{start} and {end}, and the step is {step}"
        )


def range_(start: Any = 0, end: Any = None, step: Any = 1, **options: Any) -> Tensor:
    """``start, start + step, ...`` up to and with ``end``, as floats: PyTorch's deprecated ``range``."""
    if end is None:
        start, end = 0, start
    kind = to_dtype(options.get("dtype") or get_default_dtype())
    options["dtype"] = kind
    if kind.category == 1:
        start, end, step = int(start), int(end), int(step)
    if step:
        count = math.floor((end - start) / step) + 1
        end = start + step * count if kind.category == 1 else start + step * (count - 0.5)
    return arange(start, end, step, **options)


def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``steps`` numbers from ``start`` to ``end``, both included, at equal distances.

    Raises:
        RuntimeError: ``steps`` is negative.

    Example:
        >>> import wengert as wg
        >>> wg.linspace(0, 1, 3)
        tensor([0.0000, 0.5000, 1.0000])
    """
    check_layout(layout)
    start, end, kind = _ends("linspace", start, end, steps, dtype, out)
    array = _spaced(start, end, steps, kind.dtype, device).astype(kind.dtype)
    return finished(array, requires_grad, out, "linspace")


def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``base`` to the power of the numbers of `linspace`; ends that are to give integers lose their fractions."""
    check_layout(layout)
    start, end, kind = _ends("logspace", start, end, steps, dtype, out)
    d = kind.dtype
    if steps == 1:
        array = make("full", device, (1,), number_for(base**start, d), dtype=d)
        return finished(array, requires_grad, out, "logspace")
    if kind.category == 1:
        start, end = number_for(start, d), number_for(end, d)
        powers = _spaced(start, end, steps, dtypes.float32.dtype, device).astype("float64")
    elif d.itemsize == 2:
        start, end = (float(make("full", device, (), v, dtype=d)) for v in (start, end))
        powers = _spaced(start, end, steps, dtypes.float32.dtype, device).astype(d).astype("float32")
    else:
        powers = _spaced(start, end, steps, d, device)
    k = kernels_of[type(powers)]
    powers = k.power(k.full((), base, dtype=powers.dtype), powers)
    return finished(powers.astype(d), requires_grad, out, "logspace")


def _ends(name: str, start: Any, end: Any, steps: Any, dtype: Any, out: Any) -> tuple[Any, Any, Any]:
    """The first and the last number, and the element type of the result."""
    for which, value in (("start", start), ("end", end)):
        if isinstance(value, TensorBase) and value._data.ndim:
            raise ShapeError(
                f"{name} only supports 0-dimensional start and end tensors, but got {which} with "
                f"{value._data.ndim} dimension(s)"
            )
    start, end = _number(name, start), _number(name, end)
    if isinstance(steps, bool) or not hasattr(steps, "__index__"):
        raise TypeError(f"{name}(): argument 'steps' must be int, not {type(steps).__name__}")
    if steps < 0:
        raise ShapeError(f"{name}: number of steps must be non-negative, got {steps}")
    dtype = dtype_beside(out, dtype)
    kind = get_default_dtype() if dtype is None else to_dtype(dtype)
    if isinstance(start, complex) or isinstance(end, complex):
        if dtype is None:
            kind = kind.to_complex()
        elif kind.category < 3:
            raise DTypeError(f"{name}(): inferred dtype complex can't be safely cast to passed dtype {kind}")
    if kind.category == 0 and steps > 1:
        raise unsupported(name, kind, "integers and floating-point numbers")
    return start, end, kind


def _spaced(start: Any, end: Any, steps: int, dtype: Any, device: Any) -> Any:
    """Numbers at equal distances, counted from both ends: the last is the end itself, and the row is symmetric.

    They are computed in ``dtype``, every step of the way, and in float64 where it is of integers.
    """
    wide = dtype
    if dtype.kind in "biu":
        start, end, wide = number_for(start, dtype), number_for(end, dtype), dtypes.float64.dtype
    i = make("arange", device, steps, dtype="int64")
    k = kernels_of[type(i)]
    first, last = k.full((), start, dtype=wide), k.full((), end, dtype=wide)
    if steps < 2:
        return i + first
    step = k.true_divide(last - first, k.full((), steps - 1, dtype=wide))
    ahead, behind = i.astype(wide) * step, (steps - 1 - i).astype(wide) * step
    return k.where(i < steps // 2, first + ahead, last - behind)


def eye(
    n: int,
    m: int | None = None,
    *,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The identity matrix, with ``n`` rows and ``m`` columns.

    Raises:
        RuntimeError: a size is negative.
    """
    check_layout(layout)
    shape = shape_of("eye", (n, n if m is None else m))
    d = dtype_of(dtype_beside(out, dtype))
    return finished(make("eye", device, *shape, dtype=d), requires_grad, out, "eye")


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The powers of each element as a row: from ``N - 1`` down to 0, or up with ``increasing``.

    Args:
        x: shape (n,).
        N: how many powers; n unless told.
        increasing: 0 first.

    Raises:
        RuntimeError: ``x`` has not one dimension, or ``N`` is negative.
    """
    if x._data.ndim != 1:
        raise ShapeError(f"x must be a one-dimensional tensor, got shape {list(x._data.shape)}")
    count = x._data.size if N is None else N
    if count < 0:
        raise ShapeError(f"N must be non-negative, got {N}")
    powers = arange(count, device=x.device) if increasing else arange(count - 1, -1, -1, device=x.device)
    return x.reshape(-1, 1) ** powers
