"""Elements and slices at positions that a tensor holds, read and written: gather, scatter, index_*, take.

Reading and adding are each other's adjoints, so the rules below are closed: the gradient of a read is a sum into zeros,
and the gradient of that is a read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import kernels_of, to_dtype
from ...backends.errors import DimensionError, DTypeError, OutOfRangeError, ShapeError
from ..base import TensorBase, wrap
from ..inplace import check_writable, inplace, write_out
from ..primitive import Primitive, apply
from .cast import cast
from .conversion import to
from .dims import canonical_dim, numpy_names, scalar_name
from .indexing import index_rule, slice_rule, write_positions
from .layout import is_contiguous, refuse_overlap
from .scalar import number_for
from .shape import expand, ravel, reshape_rule
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


# ---------------------------------------------------------------------- what the arguments must be


def _index(name: str, input: Any, index: Any, long: bool = False) -> Any:
    """An index tensor on the device of ``input``; of int64 only if ``long``.

    Raises:
        TypeError: it is no tensor. RuntimeError: it is not of an integer type.
    """
    if not isinstance(index, TensorBase):
        raise TypeError(f"{name}(): argument 'index' must be Tensor, not {type(index).__name__}")
    kind = index._data.dtype
    if kind.kind != "i" or kind.itemsize < 4:
        raise DTypeError(f"{name}(): Expected dtype int32/int64 for index, got {index.dtype}; use .long()")  # type: ignore[attr-defined]
    if long and kind.itemsize != 8:
        what = "Expected dtype int64 for index" if "fill" in name else "Expected a long tensor for index"
        raise OutOfRangeError(f"{name}(): {what}, but got {scalar_name(index)}; use .long()")
    if type(index._data) is not type(input._data):
        return to(index, input.device)  # type: ignore[arg-type]
    return index


def same_dtype(name: str, input: Any, src: Any, what: str = "src") -> None:
    """Raise unless ``src`` is of the dtype of ``input``."""
    if src._data.dtype != input._data.dtype:
        raise DTypeError(
            f"{name}(): Expected self.dtype to be equal to {what}.dtype: {input.dtype} is not {src.dtype}; convert one"
        )


def at_least_1d(x: Any) -> Any:
    """A Tensor with at least one dimension; other values as they are."""
    return x if not isinstance(x, TensorBase) or x._data.ndim else reshape_rule(x, (1,))


def elements(name: str, input: Any, dim: int, index: Any, src: Any = None) -> tuple[Any, int, Any, Any]:
    """The operands of gather and scatter, none of them 0-d, and ``src`` cut to the size of ``index``.

    Raises:
        RuntimeError: ``index`` has another number of dimensions, or is larger than ``input`` outside ``dim``, or
            than ``src``.
    """
    dim = canonical_dim(dim, input._data.ndim, name)
    if isinstance(index, TensorBase) and not index._data.size and index._data.dtype.kind != "i":
        index = cast(index, to_dtype("int64").dtype)  # an empty index may be of any type
    index = _index(name, input, index)
    x, index, src = at_least_1d(input), at_least_1d(index), at_least_1d(src)
    a, b = x._data.shape, index._data.shape
    if index._data.size and len(a) != len(b):
        what = "input" if name == "gather" else "self"
        raise ShapeError(
            f"{name}(): Index tensor must have the same number of dimensions as {what} tensor: {list(b)} and {list(a)}"
        )
    wrong = [d for d, (n, m) in enumerate(zip(a, b, strict=False)) if m > n and d != dim]
    if index._data.size and wrong:
        raise ShapeError(
            f"{name}(): Size does not match at dimension {wrong[0]}: expected index {list(b)} to be no larger than "
            f"self {list(a)} apart from dimension {dim}"
        )
    if isinstance(src, TensorBase):
        same_dtype(name, input, src)
        c = src._data.shape
        if len(c) != len(b) and index._data.size:
            raise ShapeError(
                f"{name}(): Index tensor must have the same number of dimensions as src tensor: {list(b)} and {list(c)}"
            )
        if c != b:
            if any(m > n for n, m in zip(c, b, strict=False)):
                raise ShapeError(
                    f"{name}(): Expected index {list(b)} to be no larger than self {list(a)} apart from dimension "
                    f"{dim} and to be no larger size than src {list(c)}"
                )
            for d, m in enumerate(b):
                src = slice_rule(src, d, 0, m)
    return x, dim, index, src


def slices(name: str, input: Any, dim: int, index: Any) -> tuple[int, Any]:
    """``dim`` and ``index`` of an op that picks slices.

    Raises:
        IndexError, RuntimeError: ``index`` has more than one dimension.
    """
    dim = canonical_dim(dim, input._data.ndim, name)
    index = _index(name, input, index, long="copy" in name or "fill" in name)
    if index._data.ndim > 1:
        what = "has to be a vector/scalar" if "fill" in name else "is supposed to be a vector"
        what = "should have dimension 1 or 0" if "copy" in name else what
        raise OutOfRangeError(f"{name}(): Index {what} (got {index._data.ndim} dimensions: {list(index._data.shape)})")
    return dim, at_least_1d(index)


def source_of(name: str, x: Any, dim: int, index: Any, source: Any) -> Any:
    """The slices that index_add and index_copy write, which must fit."""
    if not isinstance(source, TensorBase):
        raise TypeError(f"{name}(): argument 'source' must be Tensor, not {type(source).__name__}")
    if source._data.dtype != x._data.dtype:
        raise DTypeError(
            f"{name}(): self ({scalar_name(x)}) and source ({scalar_name(source)}) must have the same scalar type"
        )
    source = at_least_1d(source)
    shape = list(x._data.shape)
    shape[dim] = index._data.size
    if source._data.ndim == len(shape) and source._data.shape[dim] != index._data.size:
        raise OutOfRangeError(
            f"{name}(): Number of indices ({index._data.size}) should be equal to source.size(dim): "
            f"({source._data.shape[dim]}), for dim: {dim}"
        )
    if list(source._data.shape) != shape:
        raise OutOfRangeError(
            f"{name}(): source tensor shape must match self tensor shape, excluding the specified dimension. Got "
            f"self.shape = {list(x._data.shape)} source.shape = {list(source._data.shape)}; for {index._data.size} "
            f"positions of dimension {dim} it must be {shape}"
        )
    return source


# ---------------------------------------------------------------------- single elements


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


def wrap_negative(index: Any, n: int) -> Any:
    """Positions counted from the front, those below zero from the end."""
    x = index._data
    return wrap(kernels_of[type(x)].where(x < 0, x + n, x))


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


def take(input: Tensor, index: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Elements at positions of the flattened tensor, in the shape of ``index``.

    Raises:
        IndexError: a position is out of range, or there are no elements.
    """
    refuse_overlap("take", out, input, index)
    index = _index("take", input, index, long=True)
    if index._data.size and not input._data.size:
        raise OutOfRangeError("take(): tried to take from an empty tensor")
    try:
        y = index_rule(ravel(input), (index,), (0,))
    except DimensionError as error:
        raise _far("take", input, error) from None
    return y if out is None else write_out(out, y, "take")


def _far(name: str, input: Any, error: Exception) -> Exception:
    return OutOfRangeError(
        f"{name}(): out of range: tried to access {str(error).split(' is ', 1)[0]} on a tensor of {input._data.size} "
        "elements."
    )


def put_(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """Write (or add) the elements of ``source`` at positions of the flattened tensor, in place."""
    index = _index("put_", input, index, long=True)
    if source._data.dtype != input._data.dtype:
        raise DTypeError(
            "put_(): self and source expected to have the same dtype, but got self.dtype = "
            f"{scalar_name(input)} and source.dtype = {scalar_name(source)}"
        )
    refuse_overlap("put_", input, index, source)
    if index._data.size != source._data.size:
        raise OutOfRangeError(
            f"put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{source._data.size}, index.numel() = {index._data.size}"
        )
    flat = ravel(input)
    if not is_contiguous(input) and input._data.size:  # write to a copy, then copy that back
        check_writable(input, "put_")
        return inplace(input, "put_", lambda t: reshape_rule(put(ravel(t), index, source, accumulate), t._data.shape))
    try:
        write_positions(flat, [ravel(index)], (0,), ravel(source), accumulate, "put_")
    except DimensionError as error:
        raise _far("put_", input, error) from None
    return input


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """`put_` on a copy."""
    return put_(input.clone(), index, source, accumulate)
