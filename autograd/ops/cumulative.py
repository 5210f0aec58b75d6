"""Running sums, products and extremes along a dimension; differences, and areas under curves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...backends.errors import ArgumentError, DTypeError, ShapeError, UnsupportedDTypeError
from ..base import TensorBase
from ..out import write_out
from ..primitive import Primitive, apply
from .arithmetic import mul
from .calling import in_place
from .combined import logaddexp
from .dims import canonical_dim, canonical_dims, numpy_names, scalar_name
from .gather import gather_adjoint
from .join import cat
from .logic import logical_xor
from .reduction import summable
from .return_types import named_result
from .select import maximum

if TYPE_CHECKING:
    from ..tensor import Tensor


class Cumsum(Primitive):
    """The running sum along ``dim``, from the end where ``reverse``; the one is the other's gradient."""

    layout = "contiguous"

    @staticmethod
    def forward(ctx: Any, x: Any, *, dim: int, reverse: bool = False) -> Any:
        return ctx.k.cumsum(x, dim, reverse)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(Cumsum, g, dim=ctx.params["dim"], reverse=not ctx.params.get("reverse", False))


class Cumprod(Primitive):
    """The running product along ``dim``."""

    layout = "contiguous"
    kernels = ("cumprod", "cumprod_backward")

    @staticmethod
    def formula(x: Any, *, dim: int) -> Any:
        """Multiply by what lies 1, 2, 4, ... places back: exact with zeros, at any order."""
        return scan(x, dim, mul)

    @staticmethod
    def forward(ctx: Any, x: Any, *, dim: int) -> Any:
        y = ctx.k.asarray(ctx.k.cumprod(x, dim))
        ctx.save(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return ctx.k.cumprod_backward(g, *ctx.saved, ctx.params["dim"])


class Logcumsumexp(Primitive):
    """The logarithm of the running sum of exponentials."""

    layout = "contiguous"
    kernels = ("logcumsumexp", "logcumsumexp_backward")

    @staticmethod
    def formula(x: Any, *, dim: int) -> Any:
        """Combine with what lies 1, 2, 4, ... places back."""
        return scan(x, dim, _log_of_sum)

    @staticmethod
    def forward(ctx: Any, x: Any, *, dim: int) -> Any:
        y = ctx.k.asarray(ctx.k.logcumsumexp(x, dim))
        ctx.save(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return ctx.k.logcumsumexp_backward(g, *ctx.saved, ctx.params["dim"])


class Cummax(Primitive):
    """The running maximum along ``dim``, and its index: the last of equal ones."""

    layout = "contiguous"
    largest = True

    @classmethod
    def forward(cls, ctx: Any, x: Any, *, dim: int) -> Any:
        ctx.info = x.shape
        values, indices = ctx.k.cumulative_extreme(x, dim, cls.largest)
        ctx.save(indices)
        return values, indices

    @staticmethod
    def backward(ctx: Any, g: Any, _: Any) -> Any:
        (indices,) = ctx.saved_arrays
        return gather_adjoint(g, indices, ctx.params["dim"], ctx.info) if ctx.info else g


class Cummin(Cummax):
    """The running minimum along ``dim``, and its index: the last of equal ones."""

    largest = False


def _log_of_sum(a: Any, b: Any) -> Any:
    """`logaddexp`, of complex Tensors too; the larger real part is taken out, which no gradient has to know."""
    if a.dtype.category != 3:
        return logaddexp(a, b)
    top = maximum(a.detach().real, b.detach().real)
    return ((a - top).exp() + (b - top).exp()).log() + top


CummaxResult, CumminResult = named_result("cummax", "values indices"), named_result("cummin", "values indices")


def scan(x: Any, dim: int, combine: Callable[[Any, Any], Any]) -> Any:
    """The running result of an associative op in log2(n) steps: with what lies 1, 2, 4, ... places back."""
    step, n = 1, x.shape[dim] if x.shape else 1
    before: tuple[Any, ...] = (slice(None),) * dim
    while step < n:
        head, tail, back = slice(None, step), slice(step, None), slice(None, n - step)
        x = cat([x[(*before, head)], combine(x[(*before, tail)], x[(*before, back)])], dim)
        step *= 2
    return x


def _running(name: str, prim: Any, input: Tensor, dim: int, dtype: Any, out: Any) -> Any:
    d = canonical_dim(dim, input._data.ndim, name)
    y = apply(prim, summable(input, dtype, out, name), dim=d)
    return y if out is None else write_out(out, y, name)


@numpy_names
def cumsum(input: Tensor, dim: int, *, dtype: Any = None, out: Tensor | None = None) -> Tensor:
    """The running sum along ``dim``; integers are summed in int64.

    Example:
        >>> import wengert as wg
        >>> wg.cumsum(wg.tensor([1, 2, 3]), 0)
        tensor([1, 3, 6])
    """
    return _running("cumsum", Cumsum, input, dim, dtype, out)


@numpy_names
def cumprod(input: Tensor, dim: int, *, dtype: Any = None, out: Tensor | None = None) -> Tensor:
    """The running product along ``dim``; integers are multiplied in int64."""
    return _running("cumprod", Cumprod, input, dim, dtype, out)


@numpy_names
def logcumsumexp(input: Tensor, dim: int, *, out: Tensor | None = None) -> Tensor:
    """``log(cumsum(exp(input)))`` along ``dim``, without overflow.

    Raises:
        RuntimeError: ``input`` is not floating point.
    """
    if input.dtype.category < 2:
        raise UnsupportedDTypeError(f'"logcumsumexp" not implemented for {scalar_name(input)!r}; convert with .float()')
    y = _running("logcumsumexp", Logcumsumexp, input, dim, None, None)
    return y if out is None else write_out(out, y, "logcumsumexp")


def _extreme(name: str, prim: Any, kind: Any, input: Tensor, dim: int, out: Any) -> Any:
    if input.dtype.category == 3:
        raise UnsupportedDTypeError(f'"{name}_cpu" not implemented for {scalar_name(input)!r}, which has no order')
    pair = apply(prim, input, dim=canonical_dim(dim, input._data.ndim, name))
    if out is not None:
        pair = [write_out(target, part, name) for target, part in zip(out, pair, strict=True)]
    return kind(*pair)


@numpy_names
def cummax(input: Tensor, dim: int, *, out: Any = None) -> Any:
    """The running maximum along ``dim`` and its index, as ``(values, indices)``; NaN stays from where it occurs."""
    return _extreme("cummax", Cummax, CummaxResult, input, dim, out)


@numpy_names
def cummin(input: Tensor, dim: int, *, out: Any = None) -> Any:
    """The running minimum along ``dim`` and its index, as ``(values, indices)``; NaN stays from where it occurs."""
    return _extreme("cummin", Cummin, CumminResult, input, dim, out)


@numpy_names
def diff(
    input: Tensor,
    n: int = 1,
    dim: int = -1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """The differences of neighbours along ``dim``, taken ``n`` times; of truth values, whether they differ.

    Args:
        input: one dimension at least.
        n: how often.
        dim: the dimension, which gets shorter by ``n``.
        prepend: what comes before ``input`` along ``dim``.
        append: what comes after it.
        out: a tensor to write the result to.

    Raises:
        RuntimeError: ``input`` is 0-d, ``n`` is negative, or ``prepend`` or ``append`` does not fit.
    """
    if not input._data.ndim:
        raise ShapeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise ArgumentError(f"diff: order must be non-negative but got {n}")
    d = canonical_dim(dim, input._data.ndim, "diff")
    for part in (prepend, append):
        if part is not None:
            _check_beside(part, input, d)
    parts = [p for p in (prepend, input, append) if p is not None]
    x = cat(parts, d) if n and len(parts) > 1 else input.clone() if not n else input
    for _ in range(min(n, x._data.shape[d])):
        size = x._data.shape[d] - 1
        later, earlier = x.narrow(d, 1, size), x.narrow(d, 0, size)
        x = logical_xor(later, earlier) if x._data.dtype.char == "?" else later - earlier
    return x if out is None else write_out(out, x, "diff")


def _check_beside(part: Any, input: Any, dim: int) -> None:
    """Raise unless a tensor can be put before or behind another along ``dim``."""
    a, b = part._data.shape, input._data.shape
    if len(a) != len(b):
        raise ShapeError(
            f"diff expects prepend or append to be the same dimension as input, got {len(a)} and {len(b)} dimensions"
        )
    if any(n != m for d, (n, m) in enumerate(zip(a, b, strict=True)) if d != dim):
        raise ShapeError(
            "diff expects the shape of tensor to prepend or append to match that of input except along the "
            f"differencing dimension; input.size = {list(b)}, but got tensor.size = {list(a)}"
        )


def _steps(name: str, y: Tensor, x: Tensor | None, dx: Any, dim: int) -> Any:
    """The distances between neighbours along ``dim``, ready to multiply by."""
    if x is None:
        return dx
    steps = diff(x)
    n = y._data.shape[dim]
    if x._data.shape[-1] != n:
        raise ShapeError(f"{name}: there must be one `x` value for each sample point, not {x._data.shape[-1]} for {n}")
    if x._data.ndim == 1:
        return steps.reshape(-1, *(1,) * (y._data.ndim - dim - 1))
    return diff(x, dim=dim)


def _areas(name: str, y: Tensor, x: Tensor | None, dx: Any, dim: int) -> Any:
    d = canonical_dim(dim, y._data.ndim, name)
    size = y._data.shape[d] - 1
    if x is not None and dx is not None:
        raise TypeError(f"{name}() takes x or dx, not both")
    if size < 1:
        return y.narrow(d, 0, 0) * 1.0, d
    sides = y.narrow(d, 1, size) + y.narrow(d, 0, size)
    return sides * _steps(name, y, x, 1 if dx is None else dx, d) / 2, d


def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The area under samples along ``dim``, by the trapezoidal rule.

    Args:
        y: the samples.
        x: where they were taken; evenly, ``dx`` apart, without it.
        dx: the distance; 1 unless told.
        dim: the dimension that is integrated.
    """
    areas, d = _areas("trapezoid", y, x, dx, dim)
    return areas.sum(d)


def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The area up to each sample but the first; see `trapezoid`."""
    areas, d = _areas("cumulative_trapezoid", y, x, dx, dim)
    return cumsum(areas, d)


def gradient(input: Tensor, *, spacing: Any = None, dim: Any = None, edge_order: int = 1) -> tuple[Tensor, ...]:
    """The slope along each dimension, estimated from samples: by both neighbours inside, by one side at the edges.

    Args:
        input: the samples.
        spacing: the distance between samples, 1 unless told, for all dimensions or one each; or a 1-d tensor of
            coordinates each.
        dim: one dimension, several, or None for all.
        edge_order: how many neighbours the edges use, 1 or 2.

    Returns:
        One tensor of the shape of ``input`` a dimension.

    Raises:
        RuntimeError: a dimension has too few samples, or the numbers of spacings and dimensions differ.
    """
    if input._data.dtype.name == "uint8":
        raise DTypeError("torch.gradient does not support uint8 input.")
    dims = canonical_dims(dim, input._data.ndim, "gradient")
    spacing = 1 if spacing is None else spacing
    given = list(spacing) if isinstance(spacing, tuple | list) else [spacing] * len(dims)
    if len(given) != len(dims):
        if dim is None:
            raise ArgumentError(
                "torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to 'self.dim() "
                f"= {len(dims)}', since dim argument was not given, but got a list of length {len(given)}"
            )
        raise ArgumentError(
            "torch.gradient expected spacing to be unspecified, a scalar or it's spacing and dim arguments to have the "
            f"same length, but got a spacing argument of length {len(given)} and a dim argument of length {len(dims)}."
        )
    if edge_order not in (1, 2):
        raise ArgumentError(f"torch.gradient only supports edge_order=1 and edge_order=2. Got {edge_order}")
    x = input if input.dtype.category > 1 else input.float()
    return tuple([_slope(x, d, h, edge_order) for d, h in zip(dims, given, strict=True)])


def _slope(y: Tensor, d: int, h: Any, edge_order: int) -> Tensor:
    n = y._data.shape[d]
    if n <= edge_order:
        raise ShapeError(
            f"torch.gradient expected each dimension size to be at least edge_order+1; got {n} for edge_order "
            f"{edge_order}"
        )
    step: Any = h
    if isinstance(step, TensorBase) and step._data.ndim:
        step = diff(h).reshape(-1, *(1,) * (y._data.ndim - d - 1)).to(y.dtype)
    even = not isinstance(step, TensorBase) or not step._data.ndim
    chords = diff(y, dim=d) / step  # the slope between neighbours
    first, final = chords.narrow(d, 0, 1), chords.narrow(d, n - 2, 1)
    if n == 2:
        return cat([first, final], d)
    left, right = chords.narrow(d, 0, n - 2), chords.narrow(d, 1, n - 2)
    if even:  # of the neighbours themselves, so that an element that is infinite spoils only theirs
        inner = (y.narrow(d, 2, n - 2) - y.narrow(d, 0, n - 2)) / (2 * step)
        turn_first, turn_final = (right - left).narrow(d, 0, 1) / 2, (right - left).narrow(d, n - 3, 1) / 2
    else:
        a, b = step.narrow(0, 0, n - 2), step.narrow(0, 1, n - 2)
        inner = (left * b + right * a) / (a + b)
        curve = (right - left) / (a + b)
        turn_first, turn_final = curve.narrow(d, 0, 1) * step[0], curve.narrow(d, n - 3, 1) * step[n - 2]
    if edge_order == 2:
        first, final = first - turn_first, final + turn_final
    return cat([first, inner, final], d)


trapz = trapezoid
cumsum_, cumprod_ = in_place(cumsum), in_place(cumprod)
