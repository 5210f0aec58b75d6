"""Tensors overwritten with random numbers. The old values have no say in the result, so their gradient is zero."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...backends import kernels_of, to_dtype
from ...backends.errors import ShapeError, UnsupportedDTypeError
from ..base import TensorBase, wrap
from ..write_checks import check_writable
from .conversion import Overwrite
from .random import draw, integer_range, integers, wide
from .sampling import probability
from .writing import write_into

if TYPE_CHECKING:
    from ..random import Generator
    from ..tensor import Tensor


def _fill(tensor: Any, name: str, array: Any) -> Any:
    k = kernels_of[type(tensor._data)]
    return write_into(Overwrite, tensor, name, wrap(k.asarray(array.astype(tensor._data.dtype, copy=False))))


def _draw_for(tensor: Any, kernel: str, generator: Any, name: str, *args: Any) -> Any:
    check_writable(tensor, name)
    x = tensor._data
    if x.dtype.kind not in "fcV":
        raise UnsupportedDTypeError(
            f"{name}: not implemented for {tensor.dtype}; use a floating-point tensor, or random_()"
        )
    return wide(draw(kernel, generator, tensor.device, x.shape, x.dtype, *args))


def uniform_(input: Tensor, a: float = 0.0, b: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with uniform numbers in [``a``, ``b``).

    Raises:
        RuntimeError: ``a`` is above ``b``.
    """
    if a > b:
        raise ShapeError(f"uniform_ expects to return a [from, to) range, but found from={a} > to={b}")
    u = _draw_for(input, "random_uniform", generator, "uniform_")
    numbers = u * (b - a) + a
    if a and input._data.dtype.kind != "c":  # the sum may be rounded up to the bound, in the tensor's type or before
        k = kernels_of[type(u)]
        rounded = wide(k.asarray(numbers).astype(input._data.dtype, copy=False))
        numbers = k.where(rounded < b, rounded, rounded * 0 + a)
    return _fill(input, "uniform_", numbers)


def normal_(input: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with normal numbers.

    Raises:
        RuntimeError: ``std`` is negative.
    """
    if std < 0:
        raise ShapeError(f"normal_: normal expects std >= 0.0, but found std {std}")
    z = _draw_for(input, "random_normal", generator, "normal_")
    return _fill(input, "normal_", z * std + mean)


def exponential_(input: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with numbers of the exponential distribution with rate ``lambd``.

    Raises:
        RuntimeError: ``lambd`` is not positive.
    """
    if lambd <= 0:
        raise ShapeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
    return _fill(input, "exponential_", _draw_for(input, "random_exponential", generator, "exponential_") / lambd)


def log_normal_(input: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with ``exp`` of normal numbers.

    Raises:
        RuntimeError: ``std`` is not positive.
    """
    if std <= 0:
        raise ShapeError(f"log_normal_ expects std > 0.0, but found std={std}")
    z = _draw_for(input, "random_normal", generator, "log_normal_")
    return _fill(input, "log_normal_", kernels_of[type(z)].exp(z * std + mean))


def cauchy_(input: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with numbers of the Cauchy distribution: the quotient of two normal numbers.

    Raises:
        RuntimeError: ``sigma`` is not positive.
    """
    if sigma <= 0:
        raise ShapeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma}")
    z = _draw_for(input, "random_normal", generator, "cauchy_") / _draw_for(
        input, "random_normal", generator, "cauchy_"
    )
    return _fill(input, "cauchy_", z * sigma + median)


def geometric_(input: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with the number of trials up to the first success, each of which has probability ``p``.

    Raises:
        RuntimeError: ``p`` is not within (0, 1).
    """
    if not 0 < p < 1:
        raise ShapeError(f"geometric_ expects p to be in (0, 1), but got p={p}")
    check_writable(input, "geometric_")
    waits = draw("random_exponential", generator, input.device, input._data.shape, to_dtype("float64").dtype)
    return _fill(input, "geometric_", kernels_of[type(waits)].ceil(waits / -math.log1p(-p)))


def bernoulli_(input: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with 1 with probability ``p`` (a number, or a tensor that broadcasts), else 0."""
    check_writable(input, "bernoulli_")
    x = input._data
    q = kernels_of[type(x)].astype(p._data, "float64") if isinstance(p, TensorBase) else probability("bernoulli_", p)
    return _fill(input, "bernoulli_", draw("random_bernoulli", generator, input.device, x.shape, x.dtype, q))


def random_(input: Tensor, *bounds: Any, generator: Generator | None = None, **named: Any) -> Tensor:
    """Overwrite with integers: ``random_()``, ``random_(to)`` or ``random_(from, to)``, without ``to`` itself.

    Raises:
        RuntimeError: the bounds are in the wrong order, or do not fit the dtype.
    """
    check_writable(input, "random_")
    low, high = named.get("from"), named.get("to")
    if len(bounds) == 1:
        high = bounds[0]
    elif bounds:
        low, high = bounds
    _, most = integer_range(input.dtype)
    high = most + 1 if high is None else high
    x = input._data
    array = integers("random_", low or 0, high, x.shape, x.dtype, input.device, generator)
    return _fill(input, "random_", array)
