"""Order statistics: median, quantiles, the most frequent value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.batched import all_in
from ...backends.dtypes import float32, float64
from ...backends.errors import ArgumentError, DTypeError, ShapeError, UnsupportedDTypeError
from ..admission import need_tensors
from ..base import TensorBase, wrap
from ..out import write_out
from ..primitive import apply
from .comparison import isnan
from .dims import canonical_dim, numpy_names, scalar_name
from .extrema import nonempty, place
from .gather import gather
from .reduction import Reduction
from .return_types import named_result
from .select import where_rule
from .sorting import sort

if TYPE_CHECKING:
    from ..tensor import Tensor


class Median(Reduction):
    """The element in the middle of each row, the lower one of two, and its index."""

    kernel = "median"

    @classmethod
    def forward(cls, ctx: Any, x: Any, *, dim: Any, keepdim: bool) -> Any:
        ctx.info = x.shape
        k = ctx.k
        if not dim:
            return x.copy(), k.zeros((), dtype="int64")
        values, indices = getattr(k, cls.kernel)(x, dim[0])
        if not keepdim:
            shape = x.shape[: dim[0]] + x.shape[dim[0] + 1 :]
            values, indices = values.reshape(shape), indices.reshape(shape)
        ctx.save(indices)
        return values, indices

    @classmethod
    def backward(cls, ctx: Any, g: Any, _: Any) -> Any:
        return place(ctx, g, *ctx.saved_arrays) if ctx.info else g


class Nanmedian(Median):
    """The median of what is not NaN, and its index."""

    kernel = "nanmedian"


class Mode(Median):
    """The most frequent element of each row, and its index."""

    kernel = "mode"


Results = {Median: "median", Nanmedian: "nanmedian", Mode: "mode"}
_TYPES = {prim: named_result(name, "values indices") for prim, name in Results.items()}


def _middle(prim: Any, input: Any, dim: int | None, keepdim: bool, out: Any) -> Any:
    name = Results[prim]
    need_tensors(name, input=input)
    if input.dtype.category == 3 or (input.dtype.category == 0 and prim is not Mode):
        raise UnsupportedDTypeError(f'"{name}_cpu" not implemented for {scalar_name(input)!r}')
    if dim is None:
        if not input._data.size and input.dtype.category == 2:
            return input.sum() * float("nan")
        return apply(prim, input.reshape(-1), dim=(0,), keepdim=False)[0]
    dims = (canonical_dim(dim, input._data.ndim, name),) if input._data.ndim else ()
    if not dims:
        canonical_dim(dim, 0, name)
    nonempty(name, input, dims)
    pair = apply(prim, input, dim=dims, keepdim=keepdim)
    if out is not None:
        for what, target, part in zip(("values", "indices"), out, pair, strict=True):
            if target.dtype is not part.dtype:
                raise DTypeError(
                    f"{name}: expected scalar type {scalar_name(part)!r} but got {scalar_name(target)!r} for {what} "
                    "output"
                )
        pair = [write_out(target, part, name) for target, part in zip(out, pair, strict=True)]
    return _TYPES[prim](*pair)


@numpy_names
def median(input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """The median of all elements, or along a dimension with its index; of two in the middle the lower; NaN wins.

    Args:
        input: any real dtype.
        dim: None for all elements, or a dimension.
        keepdim: keep the reduced dimension at size 1.
        out: a pair of tensors to write the result to.

    Returns:
        A tensor; with ``dim`` a named tuple ``(values, indices)``.
    """
    return _middle(Median, input, dim, keepdim, out)


@numpy_names
def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """The median of what is not NaN; see `median`."""
    return _middle(Nanmedian, input, dim, keepdim, out)


@numpy_names
def mode(input: Tensor, dim: int = -1, keepdim: bool = False, *, out: Any = None) -> Any:
    """The most frequent value along ``dim``, the smallest of several, and an index where it is."""
    return _middle(Mode, input, dim, keepdim, out)


_QUANTILE_TYPES = (float32, float64)
INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile(name: str, input: Any, q: Any, dim: Any, keepdim: bool, how: str, out: Any, skip_nan: bool) -> Any:
    if how not in INTERPOLATIONS:
        names = f"{', '.join(INTERPOLATIONS[:-1])} or {INTERPOLATIONS[-1]}"
        raise ArgumentError(f"{name}() interpolation must be one of {names}, but got {how}")
    if input.dtype not in _QUANTILE_TYPES:
        raise DTypeError(f"{name}() input tensor must be either float or double dtype, not {input.dtype}")
    k = kernels_of[type(input._data)]
    if not isinstance(q, TensorBase):
        if not 0 <= q <= 1:
            raise ArgumentError(f"{name}() q must be in the range [0, 1] but got {q}")
        q = wrap(k.full((), q, dtype=input._data.dtype))
    if q._data.ndim > 1:
        raise ShapeError(f"{name}() q must be a scalar or 1D tensor, but its shape is {list(q._data.shape)}")
    if q.dtype is not input.dtype:
        raise DTypeError(f"{name}() q tensor must be same dtype as the input tensor: {q.dtype} and {input.dtype}")
    if not input._data.size:
        raise ShapeError(f"{name}() input tensor must be non-empty")
    if q._data.ndim and not all_in((q._data >= 0) & (q._data <= 1)):
        raise ArgumentError(f"{name}() q values must be in the range [0, 1]")
    if out is not None and out.dtype is not input.dtype:
        raise DTypeError(f"{name}() out tensor must be same dtype as the input tensor: {out.dtype} and {input.dtype}")
    d = None if dim is None else canonical_dim(dim, input._data.ndim, name)
    rows = input.reshape(-1) if d is None or not input._data.ndim else input.movedim(d, -1)
    values = _interpolated(sort(rows, -1)[0], q.reshape(-1), how, skip_nan)  # (..., q)
    if keepdim:
        lead = (1,) * input._data.ndim if d is None or not input._data.ndim else (*rows.shape[:d], 1, *rows.shape[d:-1])
        values = values.reshape(*lead, -1)
    result = values.movedim(-1, 0) if q._data.ndim else values.squeeze(-1)
    return result if out is None else write_out(out, result, name)


def _interpolated(rows: Any, q: Any, how: str, skip_nan: bool) -> Any:
    """The quantiles ``q`` of sorted rows: what lies between two elements is interpolated."""
    nans = isnan(rows)
    last = rows._data.shape[-1] - 1
    if skip_nan:
        rank = q * (last - nans.sum(-1, keepdim=True)).clamp(min=0).to(q.dtype)
    else:  # NaN is sorted to the end, from where every quantile takes it
        rank = where_rule(nans.any(-1, keepdim=True), q * 0 + last, q * last)
    if how in _ROUNDINGS:
        rank = getattr(rank, _ROUNDINGS[how])()
    below = rank.detach().long()
    values = gather(rows, -1, below)
    if how in _ROUNDINGS:
        return values
    above = gather(rows, -1, rank.detach().ceil().long())
    weight = rank - below if how == "linear" else 0.5
    return values + (above - values) * weight


_ROUNDINGS = {"lower": "floor", "higher": "ceil", "nearest": "round"}


@numpy_names
def quantile(
    input: Tensor,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Tensor | None = None,
) -> Tensor:
    """The values that a share ``q`` of the elements lies below, along ``dim`` or of all; NaN if there is one.

    Args:
        input: float32 or float64.
        q: a number in [0, 1], or a 1-d tensor of them, of the dtype of ``input``.
        dim: a dimension, or None for all elements.
        keepdim: keep the reduced dimension at size 1.
        interpolation: what lies between two elements: ``"linear"``, or ``"lower"``, ``"higher"``, ``"midpoint"``,
            ``"nearest"``.
        out: a tensor to write the result to.

    Returns:
        The shape of ``input`` without ``dim``; with a leading dimension for the quantiles where ``q`` is 1-d.

    Example:
        >>> import wengert as wg
        >>> wg.quantile(wg.tensor([1.0, 2.0, 4.0]), 0.75)
        tensor(3.)
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, out, False)


@numpy_names
def nanquantile(
    input: Tensor,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Tensor | None = None,
) -> Tensor:
    """The quantiles of what is not NaN; see `quantile`."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, out, True)
