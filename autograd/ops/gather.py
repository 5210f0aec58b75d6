"""Elements and slices at positions that a tensor holds, read and written: gather, scatter, and the rules of index_*.

Reading and adding are each other's adjoints, so the rules below are closed: the gradient of a read is a sum into zeros,
and the gradient of that is a read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.errors import DTypeError, ShapeError
from ..base import TensorBase, wrap
from ..out import write_out
from ..primitive import Primitive, apply
from .dims import canonical_dim, numpy_names, scalar_name
from .expansion import expand
from .gather_arguments import elements
from .layout import refuse_overlap
from .scalar import number_for
from .shape import ravel, reshape_rule
from .writing import writable, write_into

if TYPE_CHECKING:
    from ..tensor import Tensor


class Gather(Primitive):
    """``out[i, j] = x[index[i, j], j]`` for ``dim`` 0."""

    @staticmethod
    def forward(ctx: Any, x: Any, index: Any, *, dim: int) -> Any:
        ctx.save(index)
        ctx.info = x.shape
        return ctx.k.gather_elements(x, index, dim)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (index,) = ctx.saved
        return gather_adjoint(g, index, ctx.params["dim"], ctx.info), None


class GatherAdjoint(Primitive):
    """Zeros of ``shape`` with each element of ``x`` added at its position."""

    @staticmethod
    def forward(ctx: Any, x: Any, index: Any, *, dim: int, shape: tuple[int, ...]) -> Any:
        ctx.save(index)
        y = ctx.k.zeros(shape, dtype=x.dtype)
        ctx.k.scatter_add_(y, index, x, dim)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (index,) = ctx.saved
        return gather_rule(g, index, ctx.params["dim"]), None


class Scatter(Primitive):
    """``x`` with ``src`` written at positions."""

    @staticmethod
    def forward(ctx: Any, x: Any, index: Any, src: Any, *, dim: int, own: bool = False) -> Any:
        ctx.save(index)
        y = writable(x, own)
        ctx.k.scatter_(y, index, src, dim)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (index,), dim = ctx.saved, ctx.params["dim"]
        gx = apply(Scatter, g, index, 0, dim=dim) if ctx.needs[0] else None
        return gx, None, gather_rule(g, index, dim) if ctx.needs[2] else None


class ScatterAdd(Primitive):
    """``x`` with ``src`` added at positions."""

    @staticmethod
    def forward(ctx: Any, x: Any, index: Any, src: Any, *, dim: int, own: bool = False) -> Any:
        ctx.save(index)
        y = writable(x, own)
        ctx.k.scatter_add_(y, index, src, dim)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (index,) = ctx.saved
        return g, None, gather_rule(g, index, ctx.params["dim"]) if ctx.needs[2] else None


class IndexSelect(Primitive):
    """Slices of ``x`` at positions of ``dim``."""

    @staticmethod
    def forward(ctx: Any, x: Any, index: Any, *, dim: int) -> Any:
        ctx.save(index)
        ctx.info = x.shape
        return ctx.k.index_select(x, index, dim)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(IndexSelectAdjoint, g, *ctx.saved, dim=ctx.params["dim"], shape=ctx.info), None


class IndexSelectAdjoint(Primitive):
    """Zeros of ``shape`` with the slices of ``x`` added at positions of ``dim``."""

    @staticmethod
    def forward(ctx: Any, x: Any, index: Any, *, dim: int, shape: tuple[int, ...]) -> Any:
        ctx.save(index)
        y = ctx.k.zeros(shape, dtype=x.dtype)
        ctx.k.index_add_(y, index, x, dim)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (index,) = ctx.saved
        return index_select_rule(g, index, ctx.params["dim"]), None


class IndexAdd(Primitive):
    """``x`` with the slices of ``src`` added at positions of ``dim``."""

    @staticmethod
    def forward(ctx: Any, x: Any, index: Any, src: Any, *, dim: int, own: bool = False) -> Any:
        ctx.save(index)
        y = writable(x, own)
        ctx.k.index_add_(y, index, src, dim)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (index,) = ctx.saved
        return g, None, index_select_rule(g, index, ctx.params["dim"]) if ctx.needs[2] else None


class IndexCopy(Primitive):
    """``x`` with the slices of ``src``, or one number, written at positions of ``dim``."""

    @staticmethod
    def forward(ctx: Any, x: Any, index: Any, src: Any, *, dim: int, own: bool = False) -> Any:
        ctx.save(index)
        y = writable(x, own)
        ctx.k.index_copy_(y, index, src, dim)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (index,), dim = ctx.saved, ctx.params["dim"]
        gx = apply(IndexCopy, g, index, 0, dim=dim) if ctx.needs[0] else None
        return gx, None, index_select_rule(g, index, dim) if ctx.needs[2] else None


class IndexFill(IndexCopy):
    """One number at positions of ``dim``; a position that is named twice is written once."""

    @staticmethod
    def forward(ctx: Any, x: Any, index: Any, src: Any, *, dim: int, own: bool = False) -> Any:
        if ctx.needs[2]:
            ctx.cache(ctx.k.unique(index))
        return IndexCopy.forward(ctx, x, index, src, dim=dim, own=own)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (index,), dim = ctx.saved, ctx.params["dim"]
        gx = apply(IndexCopy, g, index, 0, dim=dim) if ctx.needs[0] else None
        return gx, None, index_select_rule(g, ctx.cached[0], dim) if ctx.needs[2] else None


def gather_rule(x: Any, index: Any, dim: int) -> Any:
    """Elements of a Tensor or array at positions of ``dim``; no checks but of the positions."""
    return apply(Gather, x, index, dim=dim)


def gather_adjoint(x: Any, index: Any, dim: int, shape: tuple[int, ...]) -> Any:
    """Zeros of ``shape`` with the elements of a Tensor or array added at positions of ``dim``."""
    return apply(GatherAdjoint, x, index, dim=dim, shape=shape)


def index_select_rule(x: Any, index: Any, dim: int) -> Any:
    """Slices of a Tensor or array at positions (1-d) of ``dim``; no checks but of the positions."""
    return apply(IndexSelect, x, index, dim=dim)


# ---------------------------------------------------------------------- the public functions


@numpy_names
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False, out: Tensor | None = None) -> Tensor:
    """``out[i][j][k] = input[index[i][j][k]][j][k]`` for ``dim`` 0, and so on.

    Args:
        input: any shape.
        dim: the dimension whose positions ``index`` holds.
        index: int64, as many dimensions as ``input``, no larger than it outside ``dim``.
        sparse_grad: for PyTorch's sake.
        out: a tensor to write the result to.

    Returns:
        The shape of ``index``.

    Raises:
        RuntimeError: the shapes do not fit, or a position is out of range.

    Example:
        >>> import wengert as wg
        >>> wg.gather(wg.tensor([[1, 2], [3, 4]]), 1, wg.tensor([[0], [1]]))
        tensor([[1],
                [4]])
    """
    shape = index._data.shape
    refuse_overlap("gather", out, input, index)
    x, dim, index, _ = elements("gather", input, dim, index)
    if index._data.ndim != x._data.ndim:  # which an empty index may have
        y: Any = reshape_rule(gather_rule(ravel(x), ravel(index), 0), shape)
    else:
        y = gather_rule(x, index, dim)
        y = y if y._data.shape == shape else reshape_rule(y, shape)
    return y if out is None else write_out(out, y, "gather")


@numpy_names
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None, *, out: Tensor | None = None) -> Tensor:
    """`gather` with broadcasting; without ``dim``, from the flattened tensor."""
    if indices._data.dtype.name != "int64":
        raise DTypeError(
            f"torch.take_along_dim(): dtype of indices should be Long but got {scalar_name(indices)}; use .long()"
        )
    if dim is None:
        input, indices, dim = ravel(input), ravel(indices), 0
    ndim = input._data.ndim
    if indices._data.ndim != ndim:
        raise ShapeError(
            f"take_along_dim(): input and indices should have the same number of dimensions, but got {ndim} dimensions "
            f"for input, and {indices._data.ndim} dimensions for indices"
        )
    dim = canonical_dim(dim, ndim, "take_along_dim")
    a, b = list(input._data.shape), list(indices._data.shape)
    sizes = [max(n, m) if 0 not in (n, m) else 0 for n, m in zip(a, b, strict=True)]
    x = expand(input, [n if d != dim else -1 for d, n in enumerate(sizes)])
    index = expand(indices, [n if d != dim else -1 for d, n in enumerate(sizes)])
    n = x._data.shape[dim]
    return gather(x, dim, wrap(index._data % n) if n else index, out=out)


def _scatter(name: str, input: Any, dim: int, index: Any, src: Any, value: Any, reduce: Any, into: bool) -> Any:
    from .scatter_reduce import scatter_reduce, scatter_reduce_

    if value is None:
        value = src
    if reduce is not None:
        op = {"add": "sum", "multiply": "prod"}.get(reduce)
        if op is None:
            raise ShapeError(f"{name}(): reduce argument must be either add or multiply, got {reduce!r}")
        if not isinstance(value, TensorBase):
            k = kernels_of[type(input._data)]
            value = wrap(k.full(index._data.shape, number_for(value, input._data.dtype), dtype=input._data.dtype))
        return (scatter_reduce_ if into else scatter_reduce)(input, dim, index, value, op)
    if not isinstance(value, TensorBase):
        value = number_for(value, input._data.dtype)
    x, dim, index, value = elements(name, input, dim, index, value)
    if not index._data.size:
        return input if into else input.clone()
    if into:
        refuse_overlap(name, input, index, value)
        write_into(Scatter, x, name, index, value, dim=dim)
        return input
    return reshape_rule(apply(Scatter, x, index, value, dim=dim), input._data.shape)


def scatter(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Any = None,
    *,
    value: Any = None,
    reduce: str | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """A copy of ``input`` with ``src`` written at positions: ``out[index[i][j]][j] = src[i][j]`` for ``dim`` 0.

    Args:
        input: any shape.
        dim: the dimension whose positions ``index`` holds.
        index: int64, no larger than ``src``, nor than ``input`` outside ``dim``. Which of several values for one
            position stays is undefined.
        src: a Tensor of the dtype of ``input``, or a number.
        value: a number, by keyword.
        reduce: ``"add"`` or ``"multiply"``: combine with what is there.
        out: a tensor to write the result to.

    Raises:
        RuntimeError: the shapes do not fit, or a position is out of range.
    """
    y = _scatter("scatter", input, dim, index, src, value, reduce, False)
    return y if out is None else write_out(out, y, "scatter")


def scatter_(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Tensor:
    """`scatter` in place."""
    return _scatter("scatter_", input, dim, index, src, value, reduce, True)


def _check_source(name: str, src: Any) -> None:
    if not isinstance(src, TensorBase):
        raise TypeError(f"{name}(): argument 'src' (position 3) must be Tensor, not {type(src).__name__}")


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor, *, out: Tensor | None = None) -> Tensor:
    """A copy of ``input`` with ``src`` added at positions; those named twice get both. See `scatter`."""
    _check_source("scatter_add", src)
    x, dim, index, src = elements("scatter_add", input, dim, index, src)
    y: Any = reshape_rule(apply(ScatterAdd, x, index, src, dim=dim), input._data.shape) if index._data.size else None
    y = input.clone() if y is None else y
    return y if out is None else write_out(out, y, "scatter_add")


def scatter_add_(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """`scatter_add` in place."""
    _check_source("scatter_add_", src)
    x, dim, index, src = elements("scatter_add_", input, dim, index, src)
    refuse_overlap("scatter_add_", input, index, src)
    if index._data.size:
        write_into(ScatterAdd, x, "scatter_add_", index, src, dim=dim)
    return input
