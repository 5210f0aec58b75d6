"""Rows of the op table: convolutions and pooling."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .base import Args, Make, OpCase
from .products import row, shaped

Options = dict[str, Any]


def conv(n: int, *samples: tuple[Any, ...]) -> list[OpCase]:
    """The convolution over ``n`` dimensions, under its functional name and its short one."""
    return [row(f"nn.functional.conv{n}d", shaped(*samples), also=(f"conv{n}d",))]


def transposed(n: int, *samples: tuple[Any, ...]) -> list[OpCase]:
    """The transposed convolution over ``n`` dimensions."""
    return [row(f"nn.functional.conv_transpose{n}d", shaped(*samples), also=(f"conv_transpose{n}d",))]


def distinct(*cases: tuple[Any, ...]) -> Callable[[Make], Iterable[Args]]:
    """Samples whose elements are well apart, so that no step changes which one is the largest."""
    return lambda make: [(make.distinct(*shape), *rest) for shape, *rest in cases]


def unpool(n: int) -> OpCase:
    """Max pooling and back."""

    def fn(T: Any, x: Any) -> Any:
        F = T.nn.functional
        y, places = getattr(F, f"max_pool{n}d")(x, 2, return_indices=True)
        return getattr(F, f"max_unpool{n}d")(y, places, 2)

    return OpCase(f"nn.functional.max_unpool{n}d", fn, distinct(((2, 3) + (4,) * n,)))


def positive(shape: tuple[int, ...]) -> Callable[[Make], Iterable[Args]]:
    """Power-average pools of positive numbers."""
    return lambda make: [(make.positive(*shape), p, 2) for p in (1.0, 2.0, 3.0)]


def fractional(n: int) -> Callable[[Make], Iterable[Args]]:
    """Windows whose starts are given, so that every library takes the same ones."""

    def samples(make: Make) -> Iterable[Args]:
        for out in (3, (4, 3, 5)[:n]):
            yield (
                make.distinct(2, 3, *(9, 8, 7)[:n]),
                2,
                {"output_size": out, "_random_samples": make.rng.random((2, 3, n))},
            )

    return samples


WINDOWS = {"dilation": (2, 1), "padding": 1, "stride": (1, 2)}


def unfolded(make: Make) -> Iterable[Args]:
    return [(make.real(2, 3, 6, 5), (2, 3), WINDOWS), (make.real(3, 6, 5), 2)]


def folded(make: Make) -> Iterable[Args]:
    return [(make.real(2, 18, 18), (6, 5), (2, 3), WINDOWS), (make.real(12, 20), (5, 6), 2)]


def resized(make: Make) -> Iterable[Args]:
    """Every mode, to a size and by a factor, up and down."""
    for n, modes in ((1, ["linear"]), (2, ["bilinear", "bicubic"]), (3, ["trilinear"])):
        x = make.real(1, 2, *(5, 4, 3)[:n])
        for mode in ("nearest", "nearest-exact", "area"):
            yield x, {"size": (7, 3, 4)[:n], "mode": mode}
        for mode in modes:
            for align in (True, False):
                yield x, {"size": (7, 3, 4)[:n], "mode": mode, "align_corners": align}
                yield x, {"scale_factor": 1.7, "mode": mode, "align_corners": align}
    for mode in ("bilinear", "bicubic"):
        yield make.real(1, 2, 8, 7), {"size": (3, 9), "mode": mode, "antialias": True, "align_corners": False}
    yield make.real(1, 2, 5), {"scale_factor": 1.5, "recompute_scale_factor": True}


def sampled(make: Make) -> Iterable[Args]:
    """Places inside and outside of the image, away from where the weights have kinks."""
    for padding in ("zeros", "border", "reflection"):
        for mode in ("bilinear", "bicubic"):
            grid = make.real(2, 3, 4, 2, low=-1.6, high=1.6)
            yield make.real(2, 3, 5, 4), grid, {"mode": mode, "padding_mode": padding, "align_corners": False}
        grid = make.real(2, 2, 3, 4, 3, low=-1.3, high=1.3)
        yield make.real(2, 2, 3, 5, 4), grid, {"padding_mode": padding, "align_corners": True}


MAX = [(2,), (3, 2, 1), (2, 1, 1, 2), (3, 2, 0, 1, True)]

CASES: list[OpCase] = [
    *conv(1, ((2, 3, 9), (4, 3, 4), (4,)), ((2, 4, 9), (6, 2, 3), (6,), {"stride": 2, "padding": 1, "groups": 2})),
    *conv(
        2,
        ((2, 3, 6, 7), (4, 3, 3, 2), (4,)),
        ((3, 6, 7), (4, 3, 3, 3), (4,), {"padding": 1}),
        ((2, 4, 7, 6), (6, 2, 3, 2), (6,), {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 2), "groups": 2}),
        ((2, 4, 6, 5), (4, 1, 3, 3), None, {"groups": 4, "padding": "same"}),
        ((2, 3, 4, 5), (4, 3, 1, 1)),
        ((0, 3, 4, 5), (4, 3, 3, 3)),
    ),
    *conv(3, ((1, 2, 4, 5, 4), (3, 2, 2, 3, 2), (3,), {"padding": 1, "stride": (1, 2, 1)})),
    *transposed(1, ((2, 4, 5), (4, 2, 3), (2,), {"stride": 2, "output_padding": 1})),
    *transposed(
        2,
        ((2, 4, 5, 4), (4, 3, 3, 2), (3,)),
        ((4, 4, 3), (4, 2, 3, 3), (4,), {"groups": 2, "dilation": 2, "stride": (3, 2), "output_padding": (2, 1)}),
    ),
    *transposed(
        2,
        (
            (1, 2, 3, 4),
            (2, 2, 2, 3),
            (2,),
            {"stride": (3, 2), "output_padding": (2, 3), "dilation": 4, "padding": (1, 2)},
        ),
        ((1, 2, 3, 3), (2, 1, 2, 2), {"stride": 1, "output_padding": 2, "dilation": 3, "padding": 1}),
    ),
    *transposed(3, ((1, 2, 3, 3, 2), (2, 2, 2, 2, 2), (2,), {"stride": 2, "padding": 1})),
    row("nn.functional.max_pool1d", distinct(((2, 3, 9), 3), ((3, 9), 3, 2, 1)), also=("max_pool1d",)),
    row(
        "nn.functional.max_pool2d",
        distinct(*[((2, 3, 7, 8), *a) for a in MAX], ((2, 3, 7, 8), 3, 2, 1, {"return_indices": True})),
        also=("max_pool2d",),
    ),
    row("nn.functional.max_pool3d", distinct(((2, 2, 4, 5, 6), 2), ((2, 4, 5, 6), 2, 1, 1)), also=("max_pool3d",)),
    row("nn.functional.max_pool1d_with_indices", distinct(((2, 3, 9), 3)), also=("max_pool1d_with_indices",)),
    row("nn.functional.max_pool2d_with_indices", distinct(((2, 3, 6, 7), 2))),
    row("nn.functional.max_pool3d_with_indices", distinct(((2, 2, 4, 4, 4), 2))),
    *map(unpool, (1, 2, 3)),
    row("nn.functional.avg_pool1d", shaped(((2, 3, 8), 3), ((3, 8), 3, 2, 1, True, False)), also=("avg_pool1d",)),
    row(
        "nn.functional.avg_pool2d",
        shaped(
            ((2, 3, 7, 8), 2),
            ((2, 3, 7, 8), 3, 2, 1),
            ((2, 3, 7, 8), 3, 2, 1, True, False),
            ((3, 7, 8), 3, {"divisor_override": 4}),
        ),
    ),
    row(
        "nn.functional.avg_pool3d", shaped(((1, 2, 4, 5, 6), 2), ((2, 4, 5, 6), 3, 2, 1, {"count_include_pad": False}))
    ),
    row("nn.functional.adaptive_avg_pool1d", shaped(((2, 3, 8), 3)), also=("adaptive_avg_pool1d",)),
    row(
        "nn.functional.adaptive_avg_pool2d",
        lambda make: [(make.real(2, 3, 7, 9), o) for o in (1, (3, 5), (None, 4))] + [(make.real(3, 8, 8), (4, 2))],
    ),
    row("nn.functional.adaptive_avg_pool3d", lambda make: [(make.real(2, 3, 4, 5, 3), (2, 2, 3))]),
    row("nn.functional.adaptive_max_pool1d", distinct(((2, 3, 8), 3), ((3, 8), 4)), also=("adaptive_max_pool1d",)),
    row(
        "nn.functional.adaptive_max_pool2d",
        distinct(((2, 3, 7, 9), (3, 5)), ((2, 3, 7, 9), 2, True), ((3, 8, 8), (4, 2)), ((3, 8, 8), 2, True)),
    ),
    row("nn.functional.adaptive_max_pool3d", distinct(((2, 3, 4, 5, 3), (2, 2, 3)))),
    *[row(f"nn.functional.adaptive_max_pool{n}d_with_indices", distinct(((2, 3) + (5,) * n, 3))) for n in (1, 2, 3)],
    *[row(f"nn.functional.lp_pool{n}d", positive((2, 3) + (4,) * n)) for n in (1, 2, 3)],
    *[
        row(f"nn.functional.fractional_max_pool{n}d{tail}", fractional(n), dtypes=("float32",))
        for n in (2, 3)
        for tail in ("", "_with_indices")
    ],
    row("conv_tbc", shaped(((6, 2, 3), (3, 3, 4), (4,), 1)), also=("nn.functional.conv_tbc",)),
    row("nn.functional.unfold", unfolded),
    row("nn.functional.fold", folded),
    row("nn.functional.pixel_shuffle", shaped(((2, 8, 3, 2), 2), ((4, 3, 2), 2)), also=("pixel_shuffle",)),
    row("nn.functional.pixel_unshuffle", shaped(((2, 3, 4, 6), 2)), also=("pixel_unshuffle",)),
    row(
        "nn.functional.channel_shuffle",
        shaped(((2, 6, 3, 2), 3)),
        also=("channel_shuffle", "native_channel_shuffle", "nn.functional.native_channel_shuffle"),
    ),
    row("nn.functional.interpolate", resized),
    row("nn.functional.upsample", shaped(((1, 2, 3, 4), None, 2)), parity=False),  # PyTorch warns
    row("nn.functional.upsample_nearest", shaped(((1, 2, 3, 4), 6)), parity=False),
    row("nn.functional.upsample_bilinear", shaped(((1, 2, 3, 4), 6)), parity=False),
    row("nn.functional.grid_sample", sampled),
    OpCase(
        "nn.functional.affine_grid",
        lambda T, theta, size, align: T.nn.functional.affine_grid(theta, size, align_corners=align),
        lambda make: (
            [(make.real(2, 2, 3), [2, 3, 4, 5], a) for a in (True, False)]
            + [(make.real(2, 3, 4), [2, 3, 4, 3, 2], True)]
        ),
    ),
]
