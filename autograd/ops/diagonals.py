"""Triangles and diagonals of matrices, read and replaced, and other parts replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import dtypes, kernels_of, to_dtype
from ...backends.errors import DimensionError, ShapeError
from ..admission import unsupported
from ..inplace import inplace
from ..out import write_out
from ..primitive import Primitive, apply
from .creation import finished, make
from .dims import canonical_dim
from .index_put import CopySlices
from .keys import FULL
from .layout import clone
from .shape import reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor


class Tril(Primitive):
    """The lower triangle of each matrix, zero above it."""

    upper = False

    @classmethod
    def forward(cls, ctx: Any, x: Any, *, diagonal: int) -> Any:
        return ctx.k.triangle(x, diagonal, cls.upper)

    @classmethod
    def backward(cls, ctx: Any, g: Any) -> Any:
        return apply(cls, g, diagonal=ctx.params["diagonal"])


class Triu(Tril):
    """The upper triangle of each matrix, zero below it."""

    upper = True


class Diagonal(Primitive):
    """A view of the elements ``[i, i + offset]`` of two dimensions, as a last dimension."""

    view = True

    @staticmethod
    def forward(ctx: Any, x: Any, *, offset: int, dim1: int, dim2: int) -> Any:
        ctx.info = x.shape
        return ctx.k.diagonal(x, offset, dim1, dim2)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(DiagEmbed, g, shape=ctx.info, **ctx.params)


class DiagEmbed(Primitive):
    """Zeros of ``shape`` with the last dimension of ``x`` on a diagonal: the adjoint of `Diagonal`."""

    @staticmethod
    def forward(ctx: Any, x: Any, *, shape: tuple[int, ...], offset: int, dim1: int, dim2: int) -> Any:
        y = ctx.k.zeros(shape, dtype=x.dtype)
        ctx.k.diagonal(y, offset, dim1, dim2)[...] = x
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        p = ctx.params
        return apply(Diagonal, g, offset=p["offset"], dim1=p["dim1"], dim2=p["dim2"])


def _triangle(prim: Any, name: str, input: Any, diagonal: int, out: Any) -> Any:
    if input._data.ndim < 2:
        raise ShapeError(f"{name}: input tensor must have at least 2 dimensions, got shape {list(input._data.shape)}")
    y = apply(prim, input, diagonal=int(diagonal))
    return y if out is None else write_out(out, y, name)


def tril(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """The elements on and below a diagonal of each matrix, zero above it.

    Args:
        input: shape (..., rows, columns).
        diagonal: which one: 0 is the main diagonal, positive ones are above it.
        out: a tensor to write the result to.
    """
    return _triangle(Tril, "tril", input, diagonal, out)


def triu(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """The elements on and above a diagonal of each matrix, zero below it; see `tril`."""
    return _triangle(Triu, "triu", input, diagonal, out)


def tril_(input: Tensor, diagonal: int = 0) -> Tensor:
    """`tril` in place."""
    return inplace(input, "tril_", lambda t: tril(t, diagonal))


def triu_(input: Tensor, diagonal: int = 0) -> Tensor:
    """`triu` in place."""
    return inplace(input, "triu_", lambda t: triu(t, diagonal))


def _triangle_indices(row: int, col: int, offset: int, upper: bool, dtype: Any, device: Any) -> Tensor:
    name = "triu_indices" if upper else "tril_indices"
    for which, n in (("row", row), ("col", col)):
        if n < 0:
            raise ShapeError(f"{name}: {which} must be non-negative, got {n}")
    kind = to_dtype("int64" if dtype is None else dtype)
    if kind not in (dtypes.int32, dtypes.int64):
        raise unsupported(name, kind, "int32 and int64")
    ones = make("ones", device, (row, col), dtype="bool")
    k = kernels_of[type(ones)]
    positions = k.stack(k.nonzero(k.triangle(ones, offset, upper)), axis=0)
    return finished(positions.astype(kind.dtype), False)


def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None, layout: Any = None
) -> Tensor:
    """Row and column of each element of the lower triangle of a (row, col) matrix, shape (2, n), int64."""
    return _triangle_indices(row, col, offset, False, dtype, device)


def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None, layout: Any = None
) -> Tensor:
    """Row and column of each element of the upper triangle of a (row, col) matrix, shape (2, n), int64."""
    return _triangle_indices(row, col, offset, True, dtype, device)


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A view of a diagonal of two dimensions, as a last dimension.

    Raises:
        RuntimeError: the two dimensions are one.
    """
    ndim = input._data.ndim
    a, b = canonical_dim(dim1, ndim, "diagonal"), canonical_dim(dim2, ndim, "diagonal")
    if a == b:
        raise ShapeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return apply(Diagonal, input, offset=int(offset), dim1=a, dim2=b)


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The last dimension on a diagonal of two new ones, zero elsewhere.

    Raises:
        RuntimeError: the two dimensions are one.
    """
    x = input._data
    ndim = x.ndim + 1
    a, b = canonical_dim(dim1, ndim, "diag_embed"), canonical_dim(dim2, ndim, "diag_embed")
    if a == b:
        raise ShapeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    n = x.shape[-1] + abs(offset)
    rest = iter(x.shape[:-1])
    shape = tuple([n if d in (a, b) else next(rest) for d in range(ndim)])
    return apply(DiagEmbed, input, shape=shape, offset=int(offset), dim1=a, dim2=b)


def diag(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """A vector as the diagonal of a matrix; of a matrix, a copy of its diagonal.

    Raises:
        RuntimeError: ``input`` has neither one nor two dimensions.
    """
    ndim = input._data.ndim
    if ndim not in (1, 2):
        raise ShapeError(f"diag(): Supports 1D or 2D tensors. Got {ndim}D")
    y: Any = diag_embed(input, diagonal) if ndim == 1 else clone(_diagonal(input, diagonal))
    return y if out is None else write_out(out, y, "diag")


_diagonal = diagonal


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """All elements on the diagonal of a matrix."""
    return diag_embed(reshape_rule(input, (input._data.size,)), offset)


# ---------------------------------------------------------------------- a part replaced


def _replaced(name: str, input: Any, src: Any, key: tuple[Any, ...]) -> Any:
    wanted = input._data[key].shape
    if src._data.shape != wanted:
        raise ShapeError(
            f"{name}: expected src to have a size equal to the slice of self: {list(src._data.shape)} is not "
            f"{list(wanted)}"
        )
    return apply(CopySlices, input, src.to(input.dtype), key=key)


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy of ``input`` with ``src`` at one position of ``dim``."""
    dim = canonical_dim(dim, input._data.ndim, "select_scatter")
    n = input._data.shape[dim]
    if not -n <= index < n:
        raise DimensionError(f"select_scatter(): index {index} out of range for dimension {dim} with size {n}")
    return _replaced("select_scatter", input, src, (FULL,) * dim + (index, ...))


def slice_scatter(
    input: Tensor,
    src: Tensor,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """A copy of ``input`` with ``src`` in a slice of ``dim``."""
    dim = canonical_dim(dim, input._data.ndim, "slice_scatter")
    y = _replaced("slice_scatter", input, src, (FULL,) * dim + (slice(start, end, step),))
    return y if out is None else write_out(out, y, "slice_scatter")


def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A copy of ``input`` with ``src`` on a diagonal."""
    result = clone(input)
    target = diagonal(result, offset, dim1, dim2)
    if target._data.shape != src._data.shape:
        raise ShapeError(
            f"diagonal_scatter: expected src to have a size equal to the slice of self: {list(src._data.shape)} is not "
            f"{list(target._data.shape)}"
        )
    target.copy_(src)
    return result
