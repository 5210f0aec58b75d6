"""Products added to something (the family of ``addmm``), chains of products, and products of vectors."""

from __future__ import annotations

import functools
import itertools
import warnings
from typing import TYPE_CHECKING, Any

from ...backends.errors import ArgumentError, ShapeError
from ..base import TensorBase
from ..inplace import inplace, move, stand_in, wrote
from ..out import write_out
from ..promotion import result_type
from ..write_checks import check_writable
from .arithmetic import mul, sub
from .calling import in_place, scaled_product, write_exactly
from .creation_like import zeros_like
from .dims import canonical_dim
from .elementwise import conj
from .logic import logical_or
from .product import bmm, check_pair, check_vectors, dot, matmul, mv, outer, ranks
from .product_sums import scaled_sum
from .rearrange import roll
from .reduction import sum_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


@scaled_product
def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Tensor:
    """``beta * input + alpha * (mat @ vec)``."""
    ranks("addmv", ("mat", mat, 2), ("vec", vec, 1))
    if mat._data.shape[1] != vec._data.shape[0]:
        raise ShapeError(
            f"addmv: size mismatch, got input ({', '.join(map(str, input.shape))}), mat "
            f"({mat._data.shape[0]}x{mat._data.shape[1]}), vec ({vec._data.shape[0]})"
        )
    return scaled_sum("addmv", input, mv(mat, vec), beta, alpha, out)


@scaled_product
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Tensor:
    """``beta * input + alpha * outer(vec1, vec2)``; of bools, ``(beta and input) or (alpha and outer(vec1, vec2))``.

    Raises:
        RuntimeError: a vector has not one dimension, a factor does not fit the type, or ``input`` does not broadcast.
    """
    product = outer(vec1, vec2)
    kind = result_type(input, product)
    for name, factor in (("alpha", alpha), ("beta", beta)):
        if isinstance(factor, float) and kind.category < 2:
            raise ArgumentError(
                f"addr: For integral input tensors, argument {name} must not be a floating point number."
            )
        if isinstance(factor, bool) and kind.category > 0:
            raise ArgumentError(f"addr: Boolean {name} only supported for Boolean results.")
    if kind.category == 0:
        none = zeros_like(product)
        result = logical_or(product if alpha else none, input if beta else none)
    else:
        result = scaled_sum("addr", input.to(kind), product.to(kind), beta, alpha)
    return result if out is None else write_out(out, result, "addr")


@scaled_product
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Tensor:
    """``beta * input + alpha * bmm(batch1, batch2)``."""
    return scaled_sum("baddbmm", input, bmm(batch1, batch2), beta, alpha, out)


@scaled_product
def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1, out: Any = None) -> Tensor:
    """``beta * input + alpha * (the sum over the batch of batch1 @ batch2)``."""
    return scaled_sum("addbmm", input, sum_rule(bmm(batch1, batch2), (0,)), beta, alpha, out)


addmv_, addr_, baddbmm_ = [scaled_product(in_place(f)) for f in (addmv, addr, baddbmm)]


@scaled_product
def addbmm_(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """`addbmm` in place; an ``input`` that broadcasts to the product's shape takes that shape."""
    shape = (*batch1._data.shape[1:2], *batch2._data.shape[2:])
    if input._data.shape == shape or input._view is not None:
        return inplace(input, "addbmm_", lambda t: addbmm(t, batch1, batch2, beta=beta, alpha=alpha))
    check_writable(input, "addbmm_")
    result = addbmm(stand_in(input), batch1, batch2, beta=beta, alpha=alpha)
    input._data = result._data
    wrote(input, "addbmm_")
    move(input, result)
    return input


def ger(input: Tensor, vec2: Tensor, *, out: Any = None) -> Tensor:
    """`outer` under its old name."""
    return outer(input, vec2, out=out)


def vdot(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """`dot` with the first vector conjugated."""
    check_vectors("vdot", input, other)
    return dot(conj(input), other, out=out)


def chain_matmul(*matrices: Tensor, out: Any = None) -> Tensor:
    """The product of several matrices, in the order that takes the fewest multiplications.

    Raises:
        RuntimeError: shapes do not fit, or there is no matrix.

    Example:
        >>> import wengert as wg
        >>> wg.chain_matmul(wg.ones(2, 3), wg.ones(3, 4), wg.ones(4, 1)).shape
        wengert.Size([2, 1])
    """
    if len(matrices) == 1 and isinstance(matrices[0], list | tuple):
        matrices = tuple(matrices[0])
    if not matrices:
        raise ShapeError("chain_matmul(): Expected one or more matrices")
    for m in matrices:
        if m._data.ndim != 2:
            raise ShapeError(
                f"chain_matmul: Tensor dimension is {m._data.ndim}, expected 2 instead. The shape is {list(m.shape)}; "
                "linalg.multi_dot takes vectors at the ends"
            )
    for a, b in itertools.pairwise(matrices):
        check_pair("chain_matmul", a, b)
    result = multiplied(list(matrices))
    return result if out is None else write_exactly(out, result, "chain_matmul")


def multiplied(matrices: list[Any]) -> Any:
    """The product, cut where the dynamic programme says.

    References:
        T. Cormen et al., "Introduction to algorithms", section on matrix-chain multiplication.
    """
    sizes = [m._data.shape[0] for m in matrices] + [matrices[-1]._data.shape[1]]

    @functools.cache
    def cost(i: int, j: int) -> tuple[int, int]:
        if j - i == 1:
            return 0, i
        return min((cost(i, k)[0] + cost(k, j)[0] + sizes[i] * sizes[k] * sizes[j], k) for k in range(i + 1, j))

    def product(i: int, j: int) -> Any:
        if j - i == 1:
            return matrices[i]
        k = cost(i, j)[1]
        return matmul(product(i, k), product(k, j))

    return product(0, len(matrices))


def cross(input: Tensor, other: Tensor, dim: int | None = None, *, out: Any = None) -> Tensor:
    """The vector product along a dimension of size 3; the other dimensions broadcast.

    Args:
        input: Tensors of one dtype.
        other: likewise.
        dim: the dimension; unless told the first of size 3, with a warning as in PyTorch.
        out: a tensor to write the result to.

    Raises:
        RuntimeError: the dimension's size is not 3.
    """
    for value in (input, other):
        if not isinstance(value, TensorBase):
            raise TypeError(f"cross(): argument must be Tensor, not {type(value).__name__}")
    a, b = input._data, other._data
    if dim is None:
        warnings.warn(
            "Using cross without specifying the dim arg is deprecated. Please either pass the dim explicitly or simply "
            "use linalg.cross.",
            stacklevel=2,
        )
        dim = next((d for d, n in enumerate(a.shape) if n == 3), None)
        if dim is None:
            raise ShapeError(f"cross: no dimension of size 3 in input of shape {list(a.shape)}")
    axis = canonical_dim(dim, a.ndim, "cross")
    if a.ndim != b.ndim or a.shape[axis] != 3 or b.shape[axis] != 3:
        raise ShapeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got shapes {list(a.shape)} and {list(b.shape)}"
        )
    left = mul(roll(input, -1, axis), roll(other, -2, axis))
    result = sub(left, mul(roll(input, -2, axis), roll(other, -1, axis)))
    return result if out is None else write_exactly(out, result, "cross")
