"""Images in another size: ``interpolate`` in all its modes."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.call_site import warn
from ...backends.dtypes import FROM_NUMPY, float32
from ...backends.errors import ShapeError
from ..admission import unsupported
from ..base import TensorBase
from ..primitive import Primitive, apply
from .adaptive_pool import adaptive_avg_pool
from .cast import cast
from .gather import index_select_rule
from .layout import laid_out_like

if TYPE_CHECKING:
    from ..tensor import Tensor

RANKS = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}  # spatial dimensions that a mode is for


class Resample(Primitive):
    """One dimension resized by a matrix of weights, or, with ``back``, the adjoint of that."""

    layout = "channels"

    @staticmethod
    def forward(ctx: Any, x: Any, *, back: bool, **how: Any) -> Any:
        ctx.info = how
        return ctx.k.laid_out_like(ctx.k.resample(x, back=back, **how), x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return apply(Resample, g, back=not ctx.params["back"], **ctx.info)


def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Resize the spatial dimensions. Each dimension is resized by itself, by one small matrix product.

    Args:
        input: (N, C, L), (N, C, H, W) or (N, C, D, H, W).
        size: the output's size, a number or one per dimension.
        scale_factor: or by how much to multiply the size, a number or one per dimension.
        mode: ``"nearest"``, ``"nearest-exact"``, ``"linear"`` (3D), ``"bilinear"``, ``"bicubic"`` (4D),
            ``"trilinear"`` (5D) or ``"area"``.
        align_corners: for the linear and cubic modes, whether the corners' centres stay in place.
        recompute_scale_factor: place the samples by the sizes and not by ``scale_factor``.
        antialias: average while shrinking, as Pillow does (bilinear and bicubic).

    Raises:
        ValueError: the arguments do not fit together.
        NotImplementedError: likewise.

    Example:
        >>> import wengert as wg
        >>> wg.nn.functional.interpolate(wg.tensor([[[1.0, 2.0]]]), scale_factor=2)
        tensor([[[1., 1., 2., 2.]]])
    """
    x = _input(input, mode)
    n = x.ndim - 2
    _check_mode(x.ndim, mode, align_corners, antialias)
    sizes, factors = _sizes(x.shape[2:], size, scale_factor, recompute_scale_factor)
    if mode == "area":
        return adaptive_avg_pool(n, input, sizes)
    k = kernels_of[type(x)]
    smooth = not mode.startswith("nearest")
    # What is computed dimension by dimension is rounded once, at the end.
    wide = x.dtype.itemsize == 2 and (smooth or input.requires_grad)  # gradients of copies are sums
    y: Any = cast(input, float32.dtype) if wide else input
    for d in reversed(range(2, x.ndim)):  # the last dimension first: bytes are rounded after each, in this order
        m, o, factor = x.shape[d], sizes[d - 2], factors[d - 2]
        step = m / o if factor is None else 1 / factor
        if not smooth:
            if m != o or step != 1:
                y = index_select_rule(y, k.nearest_places(m, o, step, mode.endswith("exact")), d)
            continue
        align = bool(align_corners)
        if align:
            step = (m - 1) / (o - 1) if o > 1 else 0.0
        if m == o and step == 1:
            continue
        how = {"axis": d, "size": m, "out": o, "mode": "cubic" if mode == "bicubic" else "linear"}
        y = apply(Resample, y, back=False, **how, step=step, align=align, antialias=antialias)
    y = input.clone() if y is input else cast(y, x.dtype) if y._data.dtype != x.dtype else y
    return laid_out_like(y, input)


def _check_mode(ndim: int, mode: str, align_corners: bool | None, antialias: bool) -> None:
    if mode in ("nearest", "area", "nearest-exact"):
        if align_corners is not None:
            raise ValueError(
                "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | "
                "trilinear"
            )
    elif mode in RANKS and RANKS[mode] != ndim - 2:
        raise NotImplementedError(f"Got {ndim}D input, but {mode} mode needs {RANKS[mode] + 2}D input")
    elif mode not in RANKS:
        raise NotImplementedError(
            "Input Error: Only 3D, 4D and 5D input Tensors supported (got "
            f"{ndim}D) for the modes: nearest | linear | bilinear | bicubic | trilinear | area | nearest-exact (got "
            f"{mode})"
        )
    if antialias and not (mode in ("bilinear", "bicubic") and ndim == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor as input"
        )


def _input(input: Any, mode: str) -> Any:
    if not isinstance(input, TensorBase):
        raise TypeError(f"interpolate(): argument 'input' must be Tensor, not {type(input).__name__}")
    x = input._data
    if x.ndim not in (3, 4, 5):
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {x.ndim}D) for the modes: nearest | linear "
            f"| bilinear | bicubic | trilinear | lanczos | area | nearest-exact (got {mode}); the shape is "
            f"{list(x.shape)}"
        )
    if x.dtype.kind not in "fV" and x.dtype.name != "uint8":
        raise unsupported("interpolate", FROM_NUMPY[x.dtype], "floating-point numbers and uint8; convert with .float()")
    if 0 in x.shape[1:]:
        raise ShapeError(f"Non-empty {x.ndim}D data tensor expected but got a tensor with sizes {list(x.shape)}")
    return x


def _sizes(old: tuple[int, ...], size: Any, scale: Any, recompute: bool | None) -> tuple[tuple[int, ...], list[Any]]:
    """The output's size, and the scale of each dimension where samples are to be placed by it."""
    n = len(old)
    if (size is None) == (scale is None):
        raise ValueError(
            "only one of size or scale_factor should be defined"
            if size is not None
            else "either size or scale_factor should be defined"
        )
    if size is not None:
        if recompute:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        sizes = tuple(_whole(s) for s in ((size,) * n if isinstance(size, int) or hasattr(size, "item") else size))
        factors: list[Any] = [None] * n
    else:
        if hasattr(scale, "__len__") and len(scale) != n:
            raise ValueError(
                f"Input and scale_factor must have the same number of spatial dimensions, but got input with spatial "
                f"dimensions of {list(old)} and scale_factor of shape {tuple(scale)}."
            )
        factors = [float(s) for s in ((scale,) * n if isinstance(scale, int | float) else scale)]
        if not all(abs(m * f) < 2**63 for m, f in zip(old, factors, strict=False)):
            raise ShapeError(f"interpolate: the output of an input {list(old)} is too large with scale_factor={scale}")
        sizes = tuple(math.floor(m * f) for m, f in zip(old, factors, strict=False))
        if recompute:
            factors = [None] * n
    if len(sizes) != n:
        raise ValueError(
            f"Input and output must have the same number of spatial dimensions, but got input with spatial dimensions "
            f"of {list(old)} and output size of {size}. Please provide input tensor in (N, C, d1, d2, ...,dK) "
            "format and output size in (o1, o2, ...,oK) format."
        )
    if any(s < 1 for s in sizes):
        raise ShapeError(
            f"interpolate: Input and output sizes should be greater than 0, but got input {list(old)} "
            f"output {list(sizes)}"
        )
    return sizes, factors


def _whole(size: Any) -> int:
    try:
        return operator.index(size)
    except TypeError:
        raise TypeError(
            "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, int, int], but got a "
            f"{type(size).__name__} in it: {size}"
        ) from None


def _deprecated(name: str) -> None:
    warn(f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead.")


def upsample(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Tensor:
    """`interpolate` under its old name."""
    _deprecated("upsample")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """`interpolate` with ``mode="nearest"``, under its old name."""
    _deprecated("upsample_nearest")
    return interpolate(input, size, scale_factor)


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """`interpolate` with ``mode="bilinear"`` and aligned corners, under its old name."""
    _deprecated("upsample_bilinear")
    return interpolate(input, size, scale_factor, "bilinear", align_corners=True)
