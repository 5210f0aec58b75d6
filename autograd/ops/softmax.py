"""Softmax and its logarithm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import to_dtype
from ...backends.strictness import doubt
from ..admission import unsupported
from ..formulas import kernel_or_formula
from ..out import write_out
from ..primitive import Primitive, apply
from .cast import cast
from .dims import canonical_dim, numpy_names
from .exponential import exp_rule
from .reduction import sum_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


@kernel_or_formula
def softmax_backward(g: Any, y: Any, axis: int) -> Any:
    """``y * (g - sum(g * y))``."""
    t = g * y
    return t - y * sum_rule(t, (axis,), True)


@kernel_or_formula
def log_softmax_backward(g: Any, y: Any, axis: int) -> Any:
    """``g - exp(y) * sum(g)``."""
    return g - exp_rule(y) * sum_rule(g, (axis,), True)


class Softmax(Primitive):
    """``exp(x) / sum(exp(x))`` along a dimension; the output is all that backward needs."""

    layout = "contiguous"

    @staticmethod
    def forward(ctx: Any, x: Any, *, dim: int) -> Any:
        y = ctx.k.softmax(x, dim)
        ctx.save(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (y,) = ctx.saved
        return softmax_backward(g, y, axis=ctx.params["dim"])


class LogSoftmax(Primitive):
    """``x - log(sum(exp(x)))`` along a dimension."""

    layout = "contiguous"

    @staticmethod
    def forward(ctx: Any, x: Any, *, dim: int) -> Any:
        y = ctx.k.log_softmax(x, dim)
        ctx.save(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (y,) = ctx.saved
        return log_softmax_backward(g, y, axis=ctx.params["dim"])


def _guessed(name: str, ndim: int) -> int:
    """The dimension that PyTorch took before it asked for one, with its warning."""
    doubt(f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.")
    return 0 if ndim in (0, 1, 3) else 1


def _along(prim: Any, name: str, input: Tensor, dim: int | None, dtype: Any, out: Any) -> Any:
    x = input if dtype is None else cast(input, to_dtype(dtype).dtype)
    ndim = x._data.ndim
    if dim is None:  # what PyTorch guesses when it is not told
        dim = _guessed(name, ndim)
    if x._data.dtype.kind not in "fV":
        raise unsupported(name, x.dtype, "floating-point numbers; pass dtype=, or convert with .float()")
    dim = canonical_dim(dim, ndim, name)
    y = apply(prim, x, dim=dim) if ndim else apply(prim, x.reshape(1), dim=0).reshape(())
    return y if out is None else write_out(out, y, name)


@numpy_names
def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None, *, out: Tensor | None = None
) -> Tensor:
    """``exp(input) / sum(exp(input))`` along ``dim``: positive numbers that sum to 1.

    Args:
        input: floating point; 16-bit types are computed in float32.
        dim: the dimension that sums to 1; say it, as the guess (0 or 1, by rank) is PyTorch's old one.
        dtype: convert to this type first.
        out: a tensor to write the result to.

    Raises:
        IndexError: ``dim`` is out of range. RuntimeError: ``input`` is of integers.

    Example:
        >>> import wengert as wg
        >>> wg.softmax(wg.tensor([0.0, 0.0]), dim=0)
        tensor([0.5000, 0.5000])
    """
    if not isinstance(_stacklevel, int):  # torch.softmax(input, dim, dtype)
        dtype = _stacklevel
    return _along(Softmax, "softmax", input, dim, dtype, out)


@numpy_names
def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None, *, out: Tensor | None = None
) -> Tensor:
    """``log(softmax(input))`` along ``dim``, without overflow; see `softmax`."""
    if not isinstance(_stacklevel, int):
        dtype = _stacklevel
    return _along(LogSoftmax, "log_softmax", input, dim, dtype, out)


@numpy_names
def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """``softmax(-input)``."""
    if dim is None:
        dim = _guessed("softmin", input._data.ndim)
    return softmax(-input, dim, _stacklevel, dtype)
