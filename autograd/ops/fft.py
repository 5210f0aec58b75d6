"""Fourier transforms; in ``wengert.fft``.

Three primitives make a closed family. A transform is a symmetric matrix, so that its adjoint is its conjugate: the
transform in the other direction, with the scale of this one, which is what swapping "forward" and "backward" gives.
Everything else is a transform of what was padded, cut or conjugated before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ...backends import kernels_of, to_dtype
from ...backends.dtypes import FROM_NUMPY
from ...backends.errors import ArgumentError, DimensionError, DTypeError
from ..base import TensorBase
from ..out import write_out
from ..primitive import Primitive, apply
from ..promotion import get_default_dtype
from .cast import cast
from .complex import real_rule
from .dims import canonical_dim, canonical_dims, numpy_names, packed
from .elementwise import conj
from .indexing import put_rule
from .join import cat
from .linalg import type_name
from .rearrange import roll
from .sequences import arange
from .shape import reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor

SWAPPED = {"backward": "forward", "forward": "backward", "ortho": "ortho"}
Sizes = int | Sequence[int] | None


class FftC2C(Primitive):
    """The transform of complex numbers over some dimensions, in either direction."""

    @staticmethod
    def forward(ctx: Any, x: Any, *, dims: tuple[int, ...], inverse: bool, norm: str, order: Any = None) -> Any:
        return ctx.k.fft_c2c(x, dims, inverse, norm, order)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        p = ctx.params
        return c2c_rule(g, p["dims"], not p["inverse"], SWAPPED[p["norm"]])


class FftR2C(Primitive):
    """The transform of real numbers: the first half of the coefficients, which has them all."""

    @staticmethod
    def forward(ctx: Any, x: Any, *, dim: int, norm: str) -> Any:
        ctx.info = x.shape[dim]
        return ctx.k.fft_r2c(x, dim, norm)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        dim, norm = ctx.params["dim"], ctx.params["norm"]
        return real_rule(c2c_rule(resized_rule(g, dim, ctx.info), (dim,), True, SWAPPED[norm]))


class FftC2R(Primitive):
    """``n`` real numbers from half of their coefficients, the inverse of `FftR2C`.

    Each coefficient but the first, and but the last of an even ``n``, stands for two: it counts twice in the gradient.
    """

    @staticmethod
    def forward(ctx: Any, x: Any, *, n: int, dim: int, norm: str) -> Any:
        return ctx.k.fft_c2r(x, n, dim, norm)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        n, dim = ctx.params["n"], ctx.params["dim"]
        half = apply(FftR2C, g, dim=dim, norm=SWAPPED[ctx.params["norm"]])
        middle = (slice(None),) * dim + (slice(1, (n + 1) // 2),)
        return half + put_rule(half[middle], middle, half.shape)


def c2c_rule(x: Any, dims: tuple[int, ...], inverse: bool, norm: str, order: Any = None) -> Any:
    """The transform of a complex Tensor or array over dimensions counted from the front."""
    return apply(FftC2C, x, dims=dims, inverse=inverse, norm=norm, order=order) if dims else x


def resized_rule(x: Any, dim: int, n: int) -> Any:
    """``x`` (Tensor or array) cut, or filled up with zeros, to ``n`` elements along ``dim``."""
    shape = tuple(x.shape)
    if n == shape[dim]:
        return x
    key = (slice(None),) * dim + (slice(0, min(n, shape[dim])),)
    return x[key] if n < shape[dim] else put_rule(x, key, (*shape[:dim], n, *shape[dim + 1 :]))


# ---------------------------------------------------------------------- arguments


def _input(op: str, x: Any, real: bool) -> Any:
    """``x`` in a type that is transformed: real as asked, else complex."""
    if not isinstance(x, TensorBase):
        raise TypeError(f"{op}(): argument 'input' (position 1) must be Tensor, not {type(x).__name__}")
    kind = FROM_NUMPY[x._data.dtype]
    if real and kind.is_complex:
        wanted = "real" if op[-1] == "t" else "real-valued"
        raise DTypeError(f"{op} expects a {wanted} input tensor, but got {type_name(x)}; use fft for complex numbers")
    if kind.category < 2:
        kind = get_default_dtype()
    if kind.itemsize == 2:
        raise DTypeError(
            f"{op}: Unsupported dtype {type_name(x)}; supported are float32, float64, complex64 and complex128"
        )
    dtype = (kind if real else kind.to_complex()).dtype
    return x if x._data.dtype == dtype else cast(x, dtype)


def _norm(op: str, norm: str | None) -> str:
    if norm is not None and norm not in SWAPPED:
        raise ArgumentError(f"{op}: Invalid normalization mode: \"{norm}\"; it is 'forward', 'backward' or 'ortho'")
    return norm or "backward"


def _dims(op: str, x: Any, s: Sizes, dim: Any, halved: bool = False) -> tuple[tuple[int, ...], list[int]]:
    """The dimensions to transform, and the size of each; ``halved`` if the last one is that of half the coefficients.

    Raises:
        IndexError: no such dimension. RuntimeError: more sizes than dimensions, or one below 1.
    """
    shape = x._data.shape
    sizes = None if s is None else list(packed(s))
    if op[-1] == "t":
        _check_one(op, s, dim)
    if dim is None:
        count = len(shape) if sizes is None else len(sizes)
        if count > len(shape):
            raise ArgumentError(f"{op}: Got shape with {count} values but input tensor only has {len(shape)} dims")
        dims = tuple(range(len(shape) - count, len(shape)))
    else:
        if not shape:
            first = next(iter(packed(dim)), 0)
            raise DimensionError(f"{op}: Dimension specified as {first} but tensor has no dimensions")
        dims = tuple([canonical_dim(d, len(shape), op) for d in packed(dim)])
        if len(set(dims)) < len(dims):
            raise ArgumentError(f"{op}: FFT dims must be unique, but they are {list(dims)}")
    if sizes is None:
        sizes = [-1] * len(dims)
    if len(sizes) != len(dims):
        raise ArgumentError(
            f"{op}: When given, dim and shape arguments must have the same length, but they are {list(dims)}, {sizes}"
        )
    own = [shape[d] for d in dims]
    if halved and own:
        own[-1] = 2 * (own[-1] - 1)
    sizes = [n if m == -1 else m for m, n in zip(sizes, own, strict=True)]
    if sizes and min(sizes) < 1:
        raise ArgumentError(f"{op}: Invalid number of data points ({min(sizes)}) specified for shape {list(shape)}")
    return dims, sizes


def _check_one(op: str, n: Any, dim: Any) -> None:
    """Raise unless the size and the dimension are integers (None for the size that it is), the size positive."""
    for name, value in (("n", n), ("dim", dim)):
        if (value is not None or name == "dim") and not hasattr(value, "__index__"):
            raise TypeError(f"{op}(): argument '{name}' must be int, not {type(value).__name__}")
    if n is not None and n < 1:
        raise ArgumentError(f"{op}: Invalid number of data points ({n}) specified; there must be one at least")


def _all_resized(x: Any, dims: tuple[int, ...], sizes: list[int]) -> Any:
    for d, n in zip(dims, sizes, strict=True):
        x = resized_rule(x, d, n)
    return x


def _complex(op: str, input: Any, s: Sizes, dim: Any, norm: str | None, out: Any, inverse: bool) -> Any:
    x = _input(op, input, False)
    dims, sizes = _dims(op, x, s, dim)
    y = c2c_rule(_all_resized(x, dims, sizes), dims, inverse, _norm(op, norm))
    return _done(op, y, out, "complex")


def _from_real(op: str, input: Any, s: Sizes, dim: Any, norm: str | None, out: Any, inverse: bool) -> Any:
    """Half the coefficients of real numbers; conjugated and scaled as an inverse's for the Hermitian functions."""
    x = _input(op, input, True)
    dims, sizes = _dims(op, x, s, dim)
    if not dims:
        raise ArgumentError(f"{op[:-1]}n must transform at least one axis")
    scale = _norm(op, norm)
    scale = SWAPPED[scale] if inverse else scale
    x = _all_resized(x, dims, sizes)
    order = None if inverse else kernels_of[type(x._data)].memory_order(x._data, dims[:-1], dims[-1:])
    y = c2c_rule(apply(FftR2C, x, dim=dims[-1], norm=scale), dims[:-1], False, scale, order)
    return _done(op, conj(y) if inverse else y, out, "complex")


def _to_real(op: str, input: Any, s: Sizes, dim: Any, norm: str | None, out: Any, inverse: bool) -> Any:
    """Real numbers from half of their coefficients; from their conjugates, for the Hermitian functions."""
    x = _input(op, input, False)
    dims, sizes = _dims(op, x, s, dim, halved=True)
    if not dims:
        raise ArgumentError(f"{op[:-1]}n must transform at least one axis")
    scale = _norm(op, norm)
    if not inverse:
        x, scale = conj(x), SWAPPED[scale]
    x = _all_resized(x, dims, [*sizes[:-1], sizes[-1] // 2 + 1])
    y = apply(FftC2R, c2c_rule(x, dims[:-1], True, scale), n=sizes[-1], dim=dims[-1], norm=scale)
    return _done(op, y, out, "floating point")


def _done(op: str, y: Any, out: Any, kind: str) -> Any:
    """``y``, in ``out`` if there is one, which must be of its kind."""
    if out is None:
        return y
    if out.dtype.category != y.dtype.category:
        raise DTypeError(f"{op} expects a {kind} output tensor, but got {type_name(out)}")
    return write_out(out, y, op)


# ---------------------------------------------------------------------- the public functions


def _family(transform: Callable[..., Any], stem: str, inverse: bool, text: str) -> tuple[Callable[..., Any], ...]:
    """The functions over one dimension, over two, and over any number, with PyTorch's signatures."""

    def one(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Any = None) -> Tensor:
        return transform(f"fft.{stem}", input, n, dim, norm, out, inverse)

    def two(
        input: Tensor,
        s: Sizes = None,
        dim: Sequence[int] = (-2, -1),
        norm: str | None = None,
        *,
        out: Any = None,
    ) -> Tensor:
        return transform(f"fft.{stem}2", input, s, dim, norm, out, inverse)

    def many(
        input: Tensor,
        s: Sizes = None,
        dim: int | Sequence[int] | None = None,
        norm: str | None = None,
        *,
        out: Any = None,
    ) -> Tensor:
        return transform(f"fft.{stem}n", input, s, dim, norm, out, inverse)

    over = {"": (one, "one dimension"), "2": (two, "two dimensions"), "n": (many, "several dimensions, or all")}
    for suffix, (function, where) in over.items():
        function.__name__ = function.__qualname__ = stem + suffix
        function.__doc__ = _TEXT.format(text=text, where=where, size="n" if not suffix else "s")
    return numpy_names(one), numpy_names(two), numpy_names(many)


_TEXT = """{text}, over {where}.

    Args:
        input: float32, float64, complex64 or complex128; integers become the default float.
        {size}: cut the transformed dimensions to this size first, or fill them up with zeros; for results that are
            real, the size of the result.
        dim: which to transform.
        norm: which direction is divided by the number of points: ``"backward"`` (unless told otherwise), ``"forward"``,
            or by its root each, ``"ortho"``.
        out: a tensor to write the result to.

    Raises:
        RuntimeError: the dtype has no transform, or a size is below 1. IndexError: a dimension is out of range.
    """

fft, fft2, fftn = _family(_complex, "fft", False, "The discrete Fourier transform")
ifft, ifft2, ifftn = _family(_complex, "ifft", True, "The inverse of the discrete Fourier transform")
rfft, rfft2, rfftn = _family(_from_real, "rfft", False, "Half the Fourier coefficients of real numbers")
irfft, irfft2, irfftn = _family(_to_real, "irfft", True, "Real numbers from half of their Fourier coefficients")
hfft, hfft2, hfftn = _family(_to_real, "hfft", False, "The real transform of a signal of which half is given")
ihfft, ihfft2, ihfftn = _family(_from_real, "ihfft", True, "Half of the signal whose transform is given")


def _frequencies(parts: list[Any], n: int, d: float, dtype: Any, device: Any, requires_grad: bool, out: Any) -> Any:
    if n < 0:
        raise ArgumentError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    if dtype is not None and to_dtype(dtype).category < 2:
        raise DTypeError(f"fftfreq requires a floating point or complex dtype, not {dtype}")
    ranges = [arange(a, b, dtype=get_default_dtype() if dtype is None else dtype, device=device) for a, b in parts]
    y = cat(ranges) if len(ranges) > 1 else ranges[0]
    y = y * (1.0 / (n * d)) if n * d else y / (n * d)
    return y.requires_grad_(requires_grad) if out is None else write_out(out, y, "fft.fftfreq")


def fftfreq(
    n: int,
    d: float = 1.0,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The frequencies of the coefficients that `fft` gives, in its order: 0, the positive ones, the negative ones.

    Args:
        n: the number of points.
        d: the distance between them.
        out: a tensor to write the result to.
        dtype: the type; the default float unless told.
        layout: the only one there is.
        device: where to put it.
        requires_grad: whether gradients are wanted.

    Example:
        >>> import wengert as wg
        >>> wg.fft.fftfreq(4)
        tensor([ 0.0000,  0.2500, -0.5000, -0.2500])
    """
    parts = [(0, (n + 1) // 2), (-(n // 2), 0)]
    return _frequencies(parts, n, d, dtype, device, requires_grad, out)


def rfftfreq(
    n: int,
    d: float = 1.0,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The frequencies of the coefficients that `rfft` gives; see `fftfreq`."""
    return _frequencies([(0, n // 2 + 1)], n, d, dtype, device, requires_grad, out)


def _shifted(op: str, input: Any, dim: Any, sign: int) -> Any:
    shape = input._data.shape
    dims = canonical_dims(dim, len(shape), op)
    steps = [shape[d] // 2 if sign > 0 else -(shape[d] // 2) for d in dims]
    return roll(input, steps, dims) if dims else reshape_rule(input, shape)


def fftshift(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Coefficients reordered so that frequency 0 is in the middle of ``dim`` (of all, if None)."""
    return _shifted("fft.fftshift", input, dim, 1)


def ifftshift(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """The inverse of `fftshift`."""
    return _shifted("fft.ifftshift", input, dim, -1)
