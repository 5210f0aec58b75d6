"""Sampling an image at given places: ``grid_sample``, and the places of an affine map."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from ...backends import kernels_of
from ...backends.call_site import warn
from ...backends.dtypes import FROM_NUMPY, float32
from ...backends.errors import DTypeError, ShapeError
from ..admission import scalar_type
from ..base import TensorBase, wrap
from ..primitive import Primitive, apply
from .arithmetic import add, mul, sub
from .cast import cast
from .pool import FlatGather
from .product import bmm_rule
from .product_sums import Unread
from .rectifier import Hardtanh
from .rounding import abs as absolute
from .select import where_rule
from .shape import reshape_rule

if TYPE_CHECKING:
    from ..tensor import Tensor

CUBIC = -0.75


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """The image at the places in ``grid``, differentiable in both.

    Args:
        input: (N, C, H, W) or (N, C, D, H, W).
        grid: (N, H', W', 2) or (N, D', H', W', 3): x, y (, z), from -1 at one edge to 1 at the other.
        mode: ``"bilinear"`` (trilinear for 5D), ``"nearest"`` or ``"bicubic"`` (4D).
        padding_mode: what lies outside: ``"zeros"``, the ``"border"``, or the image's ``"reflection"``.
        align_corners: whether -1 and 1 are the centres of the corner pixels, and not their outer edges.

    Returns:
        (N, C, H', W') or (N, C, D', H', W').

    Raises:
        RuntimeError: shapes, dtypes or modes do not fit.
        ValueError: likewise.

    References:
        M. Jaderberg et al., "Spatial transformer networks", arXiv:1506.02025.
    """
    _check(input, grid, mode, padding_mode)
    dtype = input._data.dtype
    if dtype.itemsize == 2:  # places need more digits than 16-bit types have
        input, grid = cast(input, float32.dtype), cast(grid, float32.dtype)
    x, align = input._data, _default(align_corners)
    size = x.shape[2:]
    n, out = len(size), grid._data.shape[1:-1]
    taps = []
    for d, m in enumerate(size):
        c = grid[..., n - 1 - d]
        c = (c + 1) * ((m - 1) / 2) if align else ((c + 1) * m - 1) * 0.5
        if mode != "bicubic":
            c = _folded(c, m, padding_mode, align)
        taps.append(_taps(c, m, mode, padding_mode, align))
    y: Any = None
    k = kernels_of[type(x)]
    for corner in itertools.product(*taps):
        position: Any = 0
        inside: Any = True
        weight: Any = None
        for (place, w), m in zip(corner, size, strict=True):
            inside = inside & (place >= 0) & (place < m)
            position = position * m + k.clip(place, 0, m - 1)
            weight = w if weight is None else mul(weight, w)
        shape = (x.shape[0], 1, *out)
        places = k.broadcast_to(position.reshape(shape), (*x.shape[:2], *out))
        value = where_rule(wrap(inside.reshape(shape)), apply(FlatGather, input, places), 0.0)
        if weight is not None:
            value = mul(value, reshape_rule(weight, shape))
        y = value if y is None else add(y, value)
    if mode == "nearest" and grid.requires_grad:  # the places are rounded, so their gradient is there, and 0
        y = add(y, reshape_rule(apply(Unread, grid[..., 0]), shape))
    return y if dtype == x.dtype else cast(y, dtype)


def _check(input: Any, grid: Any, mode: str, padding_mode: str) -> None:
    for name, t in (("input", input), ("grid", grid)):
        if not isinstance(t, TensorBase):
            raise TypeError(f"grid_sample(): argument '{name}' must be Tensor, not {type(t).__name__}")
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
            f"'{padding_mode}'"
        )
    x, g = input._data, grid._data
    if x.dtype != g.dtype or x.dtype.kind not in "fV":
        ours, theirs = scalar_type(FROM_NUMPY[x.dtype]), scalar_type(FROM_NUMPY[g.dtype])
        raise DTypeError(
            f"grid_sampler(): expected input and grid to have same floating dtype: expected scalar type {ours} but "
            f"found {theirs}"
        )
    shapes = f"got input with sizes {list(x.shape)} and grid with sizes {list(g.shape)}"
    if x.shape[:1] != g.shape[:1]:
        raise ShapeError(f"grid_sampler(): expected grid and input to have same batch size, but {shapes}")
    if g.shape[-1:] != (x.ndim - 2,):
        raise ShapeError(f"grid_sampler(): expected grid to have size {x.ndim - 2} in last dimension, but {shapes}")
    if x.ndim not in (4, 5) or g.ndim != x.ndim:
        raise ShapeError(
            f"grid_sampler(): expected 4D or 5D input and grid with same number of dimensions as input, but {shapes}"
        )
    if mode == "bicubic" and x.ndim != 4:
        raise ShapeError("grid_sampler(): bicubic interpolation only supports 4D input")
    if 0 in x.shape[2:]:
        raise ShapeError(
            f"grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes {list(x.shape)} "
            f"with dimension {2 + x.shape[2:].index(0)} being empty"
        )


def _default(align_corners: bool | None) -> bool:
    """Whether corners are aligned; not saying so is warned of, as the default once changed."""
    if align_corners is None:
        warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please "
            "specify align_corners=True if the old behavior is desired. See the documentation of grid_sample for "
            "details."
        )
    return bool(align_corners)


def _folded(c: Any, size: int, padding: str, align: bool) -> Any:
    """Coordinates brought into the image, by its border or by reflection; gradients follow."""
    if padding == "zeros":
        return c
    if padding == "reflection":
        low, span = (0.0, size - 1.0) if align else (-0.5, float(size))
        if span == 0:
            return c * 0.0
        k = kernels_of[type(c._data)]
        c = absolute(c - low)
        flips = k.floor(c._data / span)
        rest = sub(c, wrap(flips * span))
        c = where_rule(wrap(flips % 2 == 0), rest, span - rest) + low
    return apply(Hardtanh, c, low=0.0, high=size - 1.0)  # no gradient on the border itself


def _taps(c: Any, size: int, mode: str, padding: str, align: bool) -> list[tuple[Any, Any]]:
    """The pixels of one dimension that a coordinate is made of: their places (arrays) and weights (Tensors)."""
    k = kernels_of[type(c._data)]
    if mode == "nearest":
        return [(k.rint(c._data).astype("int64"), None)]
    floor = k.floor(c._data)
    t = sub(c, wrap(floor))
    if mode == "bilinear":
        first = floor.astype("int64")
        return [(first, 1 - t), (first + 1, t)]
    found = []
    for tap, weight in zip((-1, 0, 1, 2), _cubic(t), strict=True):
        place = _folded(wrap(floor + tap), size, padding, align)._data
        found.append((place.astype("int64"), weight))
    return found


def _cubic(t: Any) -> tuple[Any, ...]:
    """Weights of four neighbours for a place ``t`` between the second and the third."""
    a = CUBIC

    def near(s: Any) -> Any:
        return ((a + 2) * s - (a + 3)) * s * s + 1

    def far(s: Any) -> Any:
        return ((s - 5) * s + 8) * s * a - 4 * a

    return far(t + 1), near(t), near(1 - t), far(2 - t)


def affine_grid(theta: Tensor, size: Any, align_corners: bool | None = None) -> Tensor:
    """The places where `grid_sample` must look for an image moved by an affine map.

    Args:
        theta: (N, 2, 3) or (N, 3, 4): the maps' matrices.
        size: (N, C, H, W) or (N, C, D, H, W) of the output.
        align_corners: as for `grid_sample`.

    Returns:
        (N, H, W, 2) or (N, D, H, W, 3).

    Raises:
        RuntimeError: the shapes do not fit.
        ValueError: likewise.
    """
    m = theta._data
    size = tuple(int(s) for s in size)
    n = len(size) - 2
    if n not in (2, 3):
        raise NotImplementedError(
            f"affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms; got {size}"
        )
    if m.dtype.kind not in "fV":
        raise ValueError(f"Expected theta to have floating point type, but got {m.dtype.name}")
    if min(size) < 1:
        raise ValueError(f"Expected non-zero, positive output size. Got {size}")
    if m.shape != (size[0], n, n + 1):
        raise ValueError(
            f"Expected a batch of {n}D affine matrices of shape Nx{n}x{n + 1} for size {list(size)}, with N={size[0]}. "
            f"Got {list(m.shape)}."
        )
    align_corners = _default(align_corners)
    if align_corners and min(size[2:]) == 1:
        warn(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when align_corners=True. This "
            "is not an intended use case of affine_grid. See the documentation of affine_grid for details."
        )
    places = apply(AffineGrid, theta, size=size, align=align_corners)
    return reshape_rule(places, (size[0], *size[2:], n))


class AffineGrid(Primitive):
    """The places (N, points, n) of a regular grid's points after the affine maps (N, n, n + 1)."""

    @staticmethod
    def forward(ctx: Any, theta: Any, *, size: tuple[int, ...], align: bool) -> Any:
        return bmm_rule(_points(ctx.k, size, align, theta.dtype), theta, False, True)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        points = _points(ctx.k, ctx.params["size"], ctx.params["align"], ctx.dtype)
        return bmm_rule(g, points, True, False)


def _points(k: Any, size: tuple[int, ...], align: bool, dtype: Any) -> Any:
    """The points of a regular grid, once for each of the batch: x, y (, z) and 1."""
    axes, n = [], len(size) - 2
    for d, s in enumerate(size[2:]):
        edge = 1.0 if align else (s - 1) / s
        line = k.linspace(-edge, edge, s) if s > 1 else k.zeros(1)
        axes.append(k.broadcast_to(line.reshape([-1 if i == d else 1 for i in range(n)]), size[2:]).reshape(-1))
    points = k.stack([*reversed(axes), k.ones(axes[0].shape)], axis=1).astype(dtype)
    return k.broadcast_to(points, (size[0], *points.shape))
