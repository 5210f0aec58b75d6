"""A product added to a tensor, both with factors: ``addmm`` and what its relatives share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends.dtypes import FROM_NUMPY
from ...backends.errors import (
    ArgumentError,
    DTypeError,
    ShapeError,
)
from ..base import TensorBase
from ..grad_mode import mode
from ..inplace import inplace
from ..primitive import Primitive, apply
from .arithmetic import add, mul
from .calling import scaled_product, write_exactly
from .product import matmul, ranks

if TYPE_CHECKING:
    from ..tensor import Tensor


def scalar_of(x: Any, value: Any) -> Any:
    """A factor as the products' kernels take it: cut to a whole number for integers.

    Raises:
        RuntimeError: it is complex, and the tensor is not.
    """
    kind = x._data.dtype.kind
    if isinstance(value, complex) and kind != "c":
        if value.imag:
            raise ArgumentError(f"value cannot be converted to type {FROM_NUMPY[x._data.dtype]} without overflow")
        value = value.real
    return int(value) if isinstance(value, float) and kind in "iu" else value


class Unread(Primitive):
    """Zeros in place of the input, with a gradient of zeros."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return ctx.k.zeros(x.shape, dtype=x.dtype)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * 0


def scaled_sum(op: str, input: Any, product: Any, beta: Any, alpha: Any, out: Any = None) -> Any:
    """``beta * input + alpha * product``; with ``beta == 0`` the input is not read, so its NaNs do not matter.

    Raises:
        TypeError: ``input`` is no Tensor. RuntimeError: it is of another type, or does not broadcast.
    """
    if not isinstance(input, TensorBase):
        raise TypeError(f"{op}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    x, y = input._data, product._data
    if x.dtype != y.dtype:
        raise DTypeError(
            f"{op}: self and mat2 must have the same dtype, but got {x.dtype.name} and {y.dtype.name}; convert one"
        )
    if type(beta) is not int:
        beta = scalar_of(product, beta)
    if type(alpha) is not int:
        alpha = scalar_of(product, alpha)
    if alpha != 1:
        product = mul(product, alpha)
    if beta == 0:
        result = add(product, apply(Unread, input)) if mode.grad and getattr(input, "requires_grad", False) else product
    else:
        try:
            result = add(product, input if beta == 1 else mul(input, beta))
        except ShapeError:
            result = None
        if result is None or result._data.shape != y.shape:
            raise ShapeError(
                f"{op}: The expanded size of the tensor {list(y.shape)} must match the existing size "
                f"{list(x.shape)}: input broadcasts to the product's shape, and not the other way"
            )
    return result if out is None else write_exactly(out, result, op)


@scaled_product
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Tensor:
    """``beta * input + alpha * (mat1 @ mat2)``; ``input`` broadcasts to the product's shape."""
    ranks("addmm", ("mat1", mat1, 2), ("mat2", mat2, 2))
    return scaled_sum("addmm", input, matmul(mat1, mat2), beta, alpha, out)


@scaled_product
def addmm_(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """`addmm` in place."""
    return inplace(input, "addmm_", lambda t: addmm(t, mat1, mat2, beta=beta, alpha=alpha))
