"""Batching rules for products, convolution and pooling; see ``rules.py``."""

from __future__ import annotations

import math
from typing import Any

from .rules import KERNEL_RULES, RULES, Kind, aligned, expanded, given, is_array, moved, rule, wrapped

__all__: list[str] = []


@rule("matmul", RULES, KERNEL_RULES)
def product(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """``a @ b``: vectors get a dimension that is taken away again."""
    a, b = args
    if kwargs.get("out") is not None:
        return NotImplemented
    row, column = a.ndim == 1, b.ndim == 1
    a = a.reshape(1, a.size) if row else a
    b = b.reshape(b.size, 1) if column else b
    ndim = max(a.ndim, b.ndim)
    y = function(aligned(kind, a, ndim), aligned(kind, b, ndim))
    if row:
        y = y.reshape(*y.shape[:-2], y.shape[-1])
    if column:
        y = y.reshape(y.shape[:-1])
    return kind.of(y)


@rule("dot", RULES)
def vector_product(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """``a.dot(b)`` of vectors and matrices, which is ``a @ b``."""
    if kwargs.get("out") is not None or not all(0 < a.ndim < 3 for a in args):
        return NotImplemented
    return product(kind, _matmul, args, {})


@rule("mm", KERNEL_RULES)
def rows_times(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Rows times a matrix: one product for all examples where they share the matrix."""
    x, w, transposed = (*given(args, kwargs), False)[:3]
    if type(w) is not kind:
        return kind.of(function(x._all, w, transposed))
    w = w.transpose() if transposed else w
    return kind.of(_matmul(_rows(kind, x), w._all).reshape(kind.batch, *x.shape[:-1], w.shape[-1]))


def _rows(kind: Kind, x: Any) -> Any:
    """Physical rows (batch or 1, rows, n)."""
    whole = x._all if type(x) is kind else x.reshape(1, *x.shape)
    return whole.reshape(whole.shape[0], math.prod(x.shape[:-1]), x.shape[-1])


def _matmul(a: Any, b: Any) -> Any:
    """Stacked products with sums of 16-bit floats in float32."""
    from ..registry import kernels_of

    return kernels_of[type(a)].matmul(a, b)


@rule("gram", KERNEL_RULES)
def gram(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Sums of outer products of rows, for each example."""
    x, y = (_rows(kind, a) for a in args)
    return kind.of(_matmul(x.transpose(0, 2, 1), y))


@rule("sum_rows", KERNEL_RULES)
def row_sums(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Sums over all dimensions but the last, for each example."""
    from ..registry import kernels_of

    rows = _rows(kind, args[0])
    return kind.of(kernels_of[type(rows)].sum(rows, 1))


@rule("linear", KERNEL_RULES)
def linear(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """A layer: one product for all examples where they share its weight."""
    x, w, b = (*args, None)[:3]
    if type(w) is not kind and type(b) is not kind:
        return kind.of(function(x._all, w, b))
    y = rows_times(kind, None, (x, w, True), {}) if type(w) is kind else None
    if y is None:
        y = kind.of(function(expanded(kind, x), w))
    return y if b is None else y + b


@rule("bmm", KERNEL_RULES)
def stacked_product(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Products of stacked matrices."""
    a, b, *flags = args
    ndim = max(a.ndim, b.ndim)
    return kind.of(function(aligned(kind, a, ndim), aligned(kind, b, ndim), *flags, **kwargs))


@rule("contract", KERNEL_RULES)
def contraction(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Einstein's sums, with one more label for the batch."""
    a, b, left, right, out = given(args, kwargs)
    batch = max([*left, *right, *out, 0]) + 1
    whole_a, whole_b = expanded(kind, a), expanded(kind, b)
    return kind.of(function(whole_a, whole_b, (batch, *left), (batch, *right), (batch, *out)))


@rule("outer")
def outer(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Products of all pairs."""
    a, b = args
    return a.reshape(a.size, 1) * b.reshape(1, b.size)


@rule("linalg.inv linalg.det linalg.slogdet linalg.cholesky linalg.eigh linalg.eigvalsh linalg.eig linalg.eigvals")
@rule("linalg.svd linalg.qr linalg.pinv")
@rule(
    "cholesky cofactor det eig eigvals inverse pinv matrix_exp singular_values slogdet svd eigh qr qr_raw", KERNEL_RULES
)
@rule("cholesky_info lu_factor lu_info ldl_factor", KERNEL_RULES)
def stacked_matrices(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Functions of one matrix that take any stack of them."""
    if any(type(a) is kind for a in (*args[1:], *kwargs.values())):
        return NotImplemented
    return wrapped(kind, function(args[0]._all, *args[1:], **kwargs))


@rule("solve solve_triangular", KERNEL_RULES)
def solved(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Systems of equations in stacks of equal dimensions."""
    a, b, *rest = args
    if a.ndim != b.ndim:
        return NotImplemented
    return kind.of(function(expanded(kind, a), expanded(kind, b), *rest, **kwargs))


@rule("normalise normalise_backward", KERNEL_RULES)
def normalised(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Normalisation over some axes; scales and shifts have the input's number of dimensions."""
    ndim = args[0].ndim
    place = next(i for i, a in enumerate(args) if isinstance(a, tuple) and not is_array(a))
    axes = args[place]
    if any(is_array(a) and a.ndim != ndim for a in args) or kwargs:
        return NotImplemented
    if axes == (0, *range(2, ndim)):  # of channels: those of all examples side by side
        plain = [channels(kind, a) if is_array(a) else a for a in args]
        return tuple(r if r is None else unchanneled(kind, r) for r in function(*plain))
    if axes != tuple(range(ndim - len(axes), ndim)):
        return NotImplemented  # kernels are made for the axes of batch, group and layer norm
    plain = [expanded(kind, a) if is_array(a) else a for a in args]
    plain[place] = moved(args[place], ndim)
    return tuple(r if r is None else kind.of(r) for r in function(*plain))


# ---------------------------------------------------------------------- convolution and pooling


def folded(kind: Kind, x: Any) -> Any:
    """(batch, N, ...) as (batch * N, ...)."""
    whole = expanded(kind, x)
    return whole.reshape(whole.shape[0] * whole.shape[1], *whole.shape[2:])


def unfolded(kind: Kind, y: Any) -> Any:
    """The way back."""
    return kind.of(y.reshape(kind.batch, y.shape[0] // max(kind.batch, 1), *y.shape[1:]))


def channels(kind: Kind, x: Any) -> Any:
    """(batch, N, C, ...) as (N, batch * C, ...): each example a group of channels."""
    whole = expanded(kind, x)
    whole = whole.transpose(1, 0, *range(2, whole.ndim))
    return whole.reshape(whole.shape[0], whole.shape[1] * whole.shape[2], *whole.shape[3:])


def unchanneled(kind: Kind, y: Any) -> Any:
    """The way back."""
    n, c, *rest = y.shape
    return kind.of(y.reshape(n, kind.batch, c // kind.batch, *rest).transpose(1, 0, *range(2, y.ndim + 1)))


def _geometry(kwargs: Any) -> tuple[Any, ...]:
    """What ops give convolutions by name, in the order of the kernels' parameters."""
    return tuple([kwargs[name] for name in ("stride", "padding", "dilation", "groups") if name in kwargs])


@rule("conv", KERNEL_RULES)
def convolution(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Convolutions: the batch joins the examples where they share the weight, else it is groups."""
    x, w, bias, *rest = args + _geometry(kwargs)
    if not kind.batch:
        return NotImplemented
    if type(w) is not kind and type(bias) is not kind:
        return unfolded(kind, function(folded(kind, x), w, bias, *rest))
    *settings, groups = rest
    weight = expanded(kind, w)
    weight = weight.reshape(kind.batch * weight.shape[1], *weight.shape[2:])
    if bias is not None:
        bias = expanded(kind, bias).reshape(-1)
    return unchanneled(kind, function(channels(kind, x), weight, bias, *settings, groups * kind.batch))


@rule("conv_input", KERNEL_RULES)
def convolution_input(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """The adjoint in the input, in the same way."""
    g, w, *rest = args + _geometry(kwargs)
    if not kind.batch:
        return NotImplemented
    if type(w) is not kind:
        return unfolded(kind, function(folded(kind, g), w, *rest))
    *settings, groups = rest
    weight = w._all.reshape(kind.batch * w.shape[0], *w.shape[1:])
    return unchanneled(kind, function(channels(kind, g), weight, *settings, groups * kind.batch))


@rule("conv_weight", KERNEL_RULES)
def convolution_weight(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """The adjoint in the weight: one for each example, so each is a group."""
    x, g, *settings, groups = args + _geometry(kwargs)
    if not kind.batch:
        return NotImplemented
    w = function(channels(kind, x), channels(kind, g), *settings, groups * kind.batch)
    return kind.of(w.reshape(kind.batch, w.shape[0] // kind.batch, *w.shape[1:]))


@rule("sum_channels", KERNEL_RULES)
def channel_sums(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """Sums over all dimensions but the second, for each example."""
    x = args[0]
    from ..registry import kernels_of

    axes = (1, *range(3, x.ndim + 1))
    return kind.of(kernels_of[type(x._all)].sum(x._all, axes))


@rule(
    "max_pool avg_pool avg_pool_input pool_gather pool_scatter adaptive_avg_pool adaptive_avg_pool_input", KERNEL_RULES
)
@rule("unfold_columns fold_columns adaptive_max_positions pool_positions flat_add flat_gather flat_put", KERNEL_RULES)
@rule("resample laid_out_like fractional_positions", KERNEL_RULES)
def joining(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """What works on each of (N, ...) by itself: the batch joins the examples."""
    arrays = [a for a in args if is_array(a)]
    if not arrays or any(a.ndim != arrays[0].ndim or a.ndim < 2 for a in arrays) or not kind.batch:
        return NotImplemented
    return _of_each_row(kind, function, args, kwargs)


@rule("pick place", KERNEL_RULES)
def of_rows(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    """The same for operands of (N, ...) and (N, C, ...)."""
    if not kind.batch or any(is_array(a) and not a.ndim for a in args):
        return NotImplemented
    return _of_each_row(kind, function, args, kwargs)


def _of_each_row(kind: Kind, function: Any, args: Any, kwargs: Any) -> Any:
    if any(type(v) is kind for v in kwargs.values()):
        return NotImplemented
    result = function(*[folded(kind, a) if is_array(a) else a for a in args], **kwargs)
    if type(result) is not tuple:
        return unfolded(kind, result)
    return tuple(r if r is None else unfolded(kind, r) for r in result)
