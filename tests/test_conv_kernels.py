"""The CPU's compiled convolutions and pools beside their definitions, computed in float64."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from wengert.backends.cpu import compiled, conv, conv_plan, pool, threads
from wengert.backends.definitions import conv as plain
from wengert.backends.definitions import pool as plain_pool

LAYOUTS = ("contiguous", "channels last", "gaps")
# batch, channels, size, outputs, kernel, stride, padding, dilation, groups
SHAPES: dict[str, tuple[Any, ...]] = {
    "odd": (2, 3, (9, 8), 5, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "3x3": (3, 16, (20, 19), 33, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "3x3, uneven padding": (2, 24, (21, 18), 40, (3, 3), (1, 1), ((2, 0), (0, 1)), (1, 1), 1),
    "3x3, many channels": (5, 64, (4, 4), 130, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "3x3, tiny images": (9, 32, (2, 2), 32, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "3x3, large image": (1, 32, (50, 70), 32, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "step and dilation": (3, 16, (20, 19), 40, (5, 3), (2, 1), ((2, 2), (0, 0)), (1, 2), 1),
    "groups": (3, 24, (20, 19), 48, (3, 3), (2, 3), ((1, 0), (0, 2)), (2, 1), 4),
    "small groups": (2, 32, (13, 12), 32, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 8),
    "depthwise": (3, 20, (13, 17), 20, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 20),
    "depthwise, step": (2, 40, (20, 21), 40, (5, 3), (2, 1), ((1, 1), (1, 1)), (1, 2), 40),
    "two outputs a channel": (2, 6, (11, 12), 12, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 6),
    "pointwise": (5, 20, (13, 17), 18, (1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "pointwise, step": (5, 20, (13, 17), 18, (1, 1), (2, 2), ((0, 0), (0, 0)), (1, 1), 1),
    "first layer": (4, 1, (28, 28), 6, (5, 5), (1, 1), ((2, 2), (2, 2)), (1, 1), 1),
    "few outputs": (3, 2, (21, 40), 10, (3, 5), (1, 1), ((2, 0), (1, 1)), (1, 1), 1),
    "few outputs, dilation": (2, 3, (20, 33), 7, (3, 3), (1, 1), ((2, 2), (2, 2)), (2, 2), 1),
    "one output, short rows": (1, 2, (40, 7), 1, (3, 2), (1, 1), ((3, 0), (1, 2)), (1, 1), 1),
    "few outputs, one dimension": (3, 4, (50,), 5, (3,), (1,), ((1, 1),), (1,), 1),
    "few positions": (1, 20, (6, 7), 18, (3, 3), (2, 1), ((1, 1), (0, 0)), (1, 1), 1),
    "few channels": (5, 3, (17, 18), 24, (3, 3), (1, 1), ((1, 1), (1, 0)), (1, 1), 1),
    "few channels, step": (3, 6, (17, 18), 16, (5, 5), (2, 2), ((2, 2), (0, 0)), (2, 1), 1),
    "large kernel": (2, 4, (40, 50), 24, (7, 7), (2, 2), ((3, 3), (3, 3)), (1, 1), 1),
    "step over the kernel": (1, 4, (5, 5), 6, (2, 2), (3, 3), ((4, 4), (4, 4)), (1, 1), 1),
    "step, few columns": (5, 34, (8, 6), 20, (4, 4), (2, 2), ((1, 1), (1, 1)), (1, 1), 1),
    "step, large image": (1, 40, (90, 70), 33, (3, 4), (3, 2), ((1, 0), (2, 1)), (1, 1), 1),
    "the whole image": (5, 18, (4, 3), 20, (4, 3), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "one dimension": (5, 12, (50,), 18, (3,), (2,), ((2, 2),), (1,), 2),
    "three dimensions": (2, 6, (7, 8, 9), 10, (3, 2, 3), (1, 2, 1), ((1, 1), (0, 0), (1, 1)), (1, 1, 2), 1),
}
WINDOWS: dict[str, tuple[Any, ...]] = {
    "2": (2, 20, (9, 11), (2, 2), (2, 2), 0, 1),
    "3, step 2": (2, 33, (9, 11), (3, 3), (2, 2), 1, 1),
    "3, step 1": (2, 70, (7, 6), (3, 3), (1, 1), 1, 1),
    "few channels": (3, 6, (13, 10), (3, 2), (1, 2), 1, 1),
    "dilation": (2, 16, (9, 11), (2, 3), (2, 1), 1, 2),
    "one dimension": (4, 20, (40,), (3,), (2,), 1, 1),
    "three dimensions": (2, 20, (5, 6, 7), (2, 2, 2), (1, 2, 2), 0, 1),
    "one window": (8, 6, (4, 4), (4, 4), (4, 4), 0, 1),
}


def laid(x: Any, layout: str) -> Any:
    """``x`` in another memory order."""
    if layout == "channels last":
        return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
    if layout == "gaps":
        wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
        wide[..., ::2] = x
        return wide[..., ::2]
    return x


def normal(rng: np.random.Generator, *shape: int) -> Any:
    return rng.normal(size=shape).astype(np.float32)


@pytest.fixture(params=[1, 3])
def number(request: pytest.FixtureRequest) -> Any:
    """How many threads there are."""
    before = threads.get_num_threads()
    threads.set_num_threads(request.param)
    yield request.param
    threads.set_num_threads(before)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled kernels take everything that suits them, on all threads."""
    pytest.importorskip("numba")
    from wengert.backends.cpu import workers

    monkeypatch.setattr(compiled, "_mode", "all")
    monkeypatch.setattr(compiled, "_families", {})
    monkeypatch.setattr(compiled, "LEAST", 1)
    monkeypatch.setattr(conv, "LEAST", 1)
    monkeypatch.setattr(workers, "SHARED", 1)


def close(y: Any, expected: Any, terms: int) -> None:
    """Within what rounding of so many terms may add up to, against the largest; Winograd's transforms lose a digit."""
    assert y.shape == expected.shape
    bound = 1e-6 * max(8, terms**0.5) * max(np.abs(expected).max(initial=0), 1e-30)
    assert np.abs(y - expected).max(initial=0) <= bound


def check(case: tuple[Any, ...], layout: str) -> None:
    n, c, size, k, kernel, stride, padding, dilation, groups = case
    rng = np.random.default_rng(0)
    x, w, b = normal(rng, n, c, *size), normal(rng, k, c // groups, *kernel), normal(rng, k)
    how = (stride, padding, dilation, groups)
    expected = plain.conv(np, x.astype("d"), w.astype("d"), b.astype("d"), *how)
    g = normal(rng, *expected.shape)
    wide = [v.astype("d") for v in (x, w, g)]
    x, w, g = laid(x, layout), laid(w, "gaps") if layout == "gaps" else w, laid(g, layout)
    given = [v.copy() for v in (x, w, g, b)]
    results = conv.conv(x, w, b, *how), conv.conv_input(g, w, size, *how), conv.conv_weight(x, g, kernel, *how)
    close(results[0], expected, c // groups * int(np.prod(kernel)))
    close(results[1], plain.conv_input(np, wide[2], wide[1], size, *how), k // groups * int(np.prod(kernel)))
    close(results[2], plain.conv_weight(np, wide[0], wide[2], kernel, *how), n * int(np.prod(g.shape[2:])))
    for value, before in zip((x, w, g, b), given, strict=True):
        np.testing.assert_array_equal(value, before)
    again = conv.conv(x, w, b, *how), conv.conv_input(g, w, size, *how), conv.conv_weight(x, g, kernel, *how)
    for first, second in zip(results, again, strict=True):
        np.testing.assert_array_equal(first, second)
    if len(size) > 1 and min(c, k) > 1 and size != kernel:
        assert plain.channels_last(results[0]) == plain.channels_last(x)
        assert plain.channels_last(results[1]) == plain.channels_last(g)
    if layout == "contiguous":
        assert all(y.flags.c_contiguous for y in results)


@pytest.mark.usefixtures("eager", "number")
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", SHAPES)
def test_convolutions(name: str, layout: str):
    check(SHAPES[name], layout)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", SHAPES)
def test_convolutions_without_numba(name: str, layout: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(compiled, "_families", {"conv": None})
    check(SHAPES[name], layout)


@pytest.mark.usefixtures("eager", "number")
@pytest.mark.parametrize("tile", [0, 2, 4])
@pytest.mark.parametrize("name", [name for name in SHAPES if name.startswith("3x3")])
def test_every_tile(name: str, tile: int, monkeypatch: pytest.MonkeyPatch):
    """Winograd's transforms of each size, where the choice by cost would be another, too."""
    from wengert.backends.cpu import conv_winograd

    monkeypatch.setattr(conv_winograd, "tile_of", lambda s: tile)
    check(SHAPES[name], "contiguous")
    check(SHAPES[name], "channels last")


@pytest.mark.usefixtures("eager")
def test_accuracy_of_winograd():
    """Outputs of unit variance: the largest error of 4 x 4 tiles is a dozen times that of a plain sum, or less."""
    from wengert.backends.cpu import conv_winograd

    rng = np.random.default_rng(0)
    x, w = normal(rng, 8, 128, 16, 16), normal(rng, 128, 128, 3, 3) / np.float32(np.sqrt(9 * 128))
    how = ((1, 1), ((1, 1), (1, 1)), (1, 1), 1)
    assert conv_winograd.tile_of(conv_plan.shape_of(8, 128, (16, 16), 128, (3, 3), *how)) == 4
    exact = plain.conv(np, x.astype("d"), w.astype("d"), None, *how)
    error = np.abs(conv.conv(x, w, None, *how) - exact)
    assert error.max() < 2.5e-5
    assert np.sqrt((error**2).mean()) < 2.5e-6


@pytest.mark.usefixtures("eager")
def test_threads_do_not_change_outputs():
    rng = np.random.default_rng(0)
    how = ((1, 1), ((1, 1), (1, 1)), (1, 1), 1)
    x, w, g = normal(rng, 6, 32, 14, 14), normal(rng, 48, 32, 3, 3), normal(rng, 6, 48, 14, 14)
    results = []
    before = threads.get_num_threads()
    for count in (1, 2, 3, 5):
        threads.set_num_threads(count)
        results.append((conv.conv(x, w, None, *how), conv.conv_input(g, w, (14, 14), *how)))
    threads.set_num_threads(before)
    for first, second in results[1:]:
        np.testing.assert_array_equal(first, results[0][0])
        np.testing.assert_array_equal(second, results[0][1])


@pytest.mark.usefixtures("eager")
def test_empty_and_single_rows():
    for n in (0, 1):
        how = ((1, 1), ((1, 1), (1, 1)), (1, 1), 1)
        x, w = np.ones((n, 16, 5, 5), np.float32), np.ones((16, 16, 3, 3), np.float32)
        y = conv.conv(x, w, None, *how)
        assert y.shape == (n, 16, 5, 5)
        assert conv.conv_input(y, w, (5, 5), *how).shape == x.shape
        assert conv.conv_weight(x, y, (3, 3), *how).shape == w.shape
        assert pool.max_pool(x, (2, 2), (2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))[0].shape == (n, 16, 2, 2)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    "name", ["first layer", "step, few columns", "groups", "depthwise", "3, step 2", "few channels"]
)
def test_threads_give_the_same_bits(name: str):
    """Outputs and input gradients of each route, and pools, on one thread and on several."""
    rng, results, before = np.random.default_rng(0), [], threads.get_num_threads()
    if name in WINDOWS:
        n, c, size, kernel, stride, margin, _ = WINDOWS[name]
        padding = tuple((min(margin, k // 2),) * 2 for k in kernel)
        out = plain.out_size(size, kernel, stride, padding, (1, 1))
        x, g = normal(rng, n, c, *size), normal(rng, n, c, *out)
    else:
        n, c, size, k, kernel, *how = SHAPES[name]
        x, w = normal(rng, n, c, *size), normal(rng, k, c // how[-1], *kernel)
        g = normal(rng, n, k, *plain.out_size(size, kernel, *how[:-1]))
    for count in (1, 2, 4):
        threads.set_num_threads(count)
        if name in WINDOWS:
            y, code = pool.max_pool(x, kernel, out, stride, padding, (1, 1))
            back = pool.pool_scatter(g, code, size, kernel, out, stride, padding, (1, 1))
            results.append((y, back, pool.avg_pool(x, kernel, out, stride, padding, True, None)))
        else:
            results.append((conv.conv(x, w, None, *how), conv.conv_input(g, w, size, *how)))
    threads.set_num_threads(before)
    for each in results[1:]:
        for first, second in zip(results[0], each, strict=True):
            np.testing.assert_array_equal(first, second)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("n", [0, 1])
@pytest.mark.parametrize("name", ["first layer", "step, few columns", "groups", "depthwise", "the whole image"])
def test_no_image_and_one(name: str, n: int):
    _, c, size, k, kernel, *how = SHAPES[name]
    rng = np.random.default_rng(0)
    x, w = normal(rng, n, c, *size), normal(rng, k, c // how[-1], *kernel)
    y = conv.conv(x, w, None, *how)
    close(y, plain.conv(np, x, w, None, *how), c * int(np.prod(kernel)))
    close(conv.conv_input(y, w, size, *how), plain.conv_input(np, y, w, size, *how), k * int(np.prod(kernel)))
    close(conv.conv_weight(x, y, kernel, *how), plain.conv_weight(np, x, y, kernel, *how), int(np.prod(y.shape[2:])))


@pytest.mark.usefixtures("eager")
def test_infinities_and_nan_stay_in_their_windows():
    """As far as a direct convolution lets them; tiles share what a neighbour sees."""
    how = ((1, 1), ((0, 0), (0, 0)), (1, 1), 1)
    x, w = np.ones((1, 4, 9, 9), np.float32), np.ones((4, 4, 3, 3), np.float32)
    x[0, 0, 0, 0] = np.nan
    y = conv.conv(x, w, None, *how)
    assert np.isnan(y[0, :, 0, 0]).all()
    assert np.isfinite(y[0, :, 1:, 1:]).all()


def test_float64_and_others_are_left_to_numpy():
    x, w = np.ones((2, 32, 20, 20)), np.ones((32, 32, 3, 3))
    loops, _ = conv._compiled(x, w, (20, 20), 32, 32, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1)
    assert loops is None


def check_pools(case: tuple[Any, ...], layout: str) -> None:
    n, c, size, kernel, stride, margin, gap = case
    rng = np.random.default_rng(0)
    padding = tuple((min(margin, k // 2),) * 2 for k in kernel)
    dilation = (gap,) * len(size)
    out = plain.out_size(size, kernel, stride, padding, dilation)
    x, g = normal(rng, n, c, *size), laid(normal(rng, n, c, *out), layout)
    special = x.copy()
    special[0, 0].flat[3], special[0, 1] = np.nan, -np.inf
    special = laid(special, layout)
    y, code = pool.max_pool(special, kernel, out, stride, padding, dilation)
    expected, number = plain_pool.max_pool(np, special, kernel, out, stride, padding, dilation)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(code, number)
    np.testing.assert_array_equal(pool.max_pool(special, kernel, out, stride, padding, dilation, False)[0], expected)
    for taken in (code, np.ascontiguousarray(code)):
        back = pool.pool_scatter(g, taken, size, kernel, out, stride, padding, dilation)
        np.testing.assert_allclose(
            back, plain_pool.pool_scatter(np, g, number, size, kernel, out, stride, padding, dilation), 1e-5, 1e-6
        )
    if gap > 1:
        return
    x = laid(x, layout)
    for include in (True, False):
        how = (kernel, out, stride, padding, include, None)
        np.testing.assert_allclose(pool.avg_pool(x, *how), plain_pool.avg_pool(np, x, *how), 1e-5, 1e-6)
        back = pool.avg_pool_input(g, size, *how)
        np.testing.assert_allclose(back, plain_pool.avg_pool_input(np, g, size, *how), 1e-5, 1e-6)


@pytest.mark.usefixtures("eager", "number")
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", WINDOWS)
def test_pools(name: str, layout: str):
    check_pools(WINDOWS[name], layout)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", WINDOWS)
def test_pools_without_numba(name: str, layout: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(compiled, "_families", {"pool": None})
    check_pools(WINDOWS[name], layout)


def test_few_convolutions_do_not_import_numba():
    program = (
        "import sys, wengert as wg\n"
        "x, w = wg.rand(8, 16, 32, 32, requires_grad=True), wg.rand(16, 16, 3, 3, requires_grad=True)\n"
        "y = wg.nn.functional.conv2d(x, w, padding=1)\n"
        "wg.nn.functional.max_pool2d(y, 2).sum().backward()\n"
        "assert 'numba' not in sys.modules\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "WENGERT_NUMBA"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
