"""Rows of numbers at equal distances, and the identity matrix."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

from ...backends import dtypes, kernels_of, to_dtype
from ...backends.errors import ShapeError
from ..promotion import get_default_dtype
from .creation import check_layout, dtype_of, finished, make, shape_of

if TYPE_CHECKING:
    from ..tensor import Tensor


def arange(
    start: Any,
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
    start, end, step = [v.item() if hasattr(v, "item") else v for v in (start, end, step)]
    if dtype is None and out is not None:
        dtype = out.dtype
    integral = not any(isinstance(v, float) for v in (start, end, step))
    d = (dtypes.int64 if integral else get_default_dtype()).dtype if dtype is None else to_dtype(dtype).dtype
    if not step:
        raise ShapeError("arange: step must be nonzero")
    if not all(math.isfinite(v) for v in (start, end)):
        raise ShapeError(f"arange: unsupported range: {start} -> {end}")
    if (end - start) * step < 0:
        raise ShapeError(f"arange: upper bound and lower bound inconsistent with step sign: {start}, {end}, {step}")
    if d.kind in "iu":
        start, step = operator.index(int(start)), operator.index(int(step)) if integral else step
    count = max(0, -((start - end) // step) if integral else math.ceil((end - start) / step))
    counts = make("arange", device, count, dtype="int64" if integral else "float64")
    array = (counts * step + start).astype(d)
    return finished(array, requires_grad, out, "arange")


def range_(start: Any = 0, end: Any = None, step: Any = 1, **options: Any) -> Tensor:
    """``start, start + step, ...`` up to and with ``end``, as floats: PyTorch's deprecated ``range``."""
    if end is None:
        start, end = 0, start
    options["dtype"] = options.get("dtype") or get_default_dtype()
    count = math.floor((end - start) / step) + 1
    return arange(start, start + step * (count - 0.5), step, **options)


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
    return finished(_spaced("linspace", start, end, steps, dtype, device, out), requires_grad, out, "linspace")


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
    """``base`` to the power of the numbers of `linspace`."""
    check_layout(layout)
    d = dtype_of(out.dtype if dtype is None and out is not None else dtype)
    powers = float(base) ** _spaced("logspace", start, end, steps, "float64", device, None)
    return finished(powers.astype(d), requires_grad, out, "logspace")


def _spaced(name: str, start: Any, end: Any, steps: int, dtype: Any, device: Any, out: Any) -> Any:
    start, end = [v.item() if hasattr(v, "item") else v for v in (start, end)]
    if steps < 0:
        raise ShapeError(f"{name}: number of steps must be non-negative, got {steps}")
    if dtype is None and out is None and (isinstance(start, complex) or isinstance(end, complex)):
        dtype = get_default_dtype().to_complex()
    d = dtype_of(out.dtype if dtype is None and out is not None else dtype)
    i = make("arange", device, steps, dtype="float64")
    step = (end - start) / max(steps - 1, 1)
    k = kernels_of[type(i)]
    if d.kind in "iu":  # in exact steps, so that whole numbers stay whole
        numbers = k.floor(start + i * (end - start) / max(steps - 1, 1) + 1e-12) if steps > 1 else i + start
        return numbers.astype(d)
    # Counted from both ends, so that the last number is the end itself and the row is symmetric.
    numbers = k.where(i < (steps + 1) // 2, start + i * step, end - (steps - 1 - i) * step)
    return numbers.astype(d)


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
    d = dtype_of(out.dtype if dtype is None and out is not None else dtype)
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
