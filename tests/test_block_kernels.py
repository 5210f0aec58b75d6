"""The CPU's products with a weight in panels, beside NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from wengert.backends.cpu import compiled, threads
from wengert.backends.cpu import product as layer

block = pytest.importorskip("wengert.backends.cpu.block_numba", reason="Numba compiles these kernels")

SHAPES = [(1, 1, 1), (3, 5, 7), (12, 256, 32), (31, 257, 33), (21, 600, 100), (40, 64, 16), (0, 4, 4)]


def panels(matrix: np.ndarray, transposed: bool) -> np.ndarray:
    """The matrix, or its transpose, in panels."""
    depth, width = matrix.shape[::-1] if transposed else matrix.shape
    laid = np.zeros(depth * (-(-width // block.WIDE) * block.WIDE), np.float32)
    block.pack(matrix.ctypes.data, matrix.shape[1], *matrix.shape, transposed, laid.ctypes.data)
    return laid


def product(a: np.ndarray, laid: np.ndarray, columns: int, depth: int | None = None, more: float = 0) -> np.ndarray:
    """``a @ b`` plus the number ``more``."""
    c = np.full((len(a), -(-columns // block.WIDE) * block.WIDE), more or np.nan, np.float32)
    steps = [s // 4 for s in a.strides]
    full = depth or a.shape[1]
    block.multiply(
        *a.shape, columns, a.ctypes.data, *steps, laid.ctypes.data, full, c.ctypes.data, c.shape[1], bool(more)
    )
    return c[:, :columns]


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(("rows", "depth", "columns"), SHAPES)
def test_product(rows: int, depth: int, columns: int, transposed: bool):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((rows, depth), np.float32), rng.standard_normal((depth, columns), np.float32)
    found = product(a, panels(np.ascontiguousarray(b.T) if transposed else b, transposed), columns)
    np.testing.assert_allclose(found, a.astype(float) @ b.astype(float), rtol=1e-5, atol=1e-4)


def test_a_row_is_the_same_in_blocks_of_any_height():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((37, 300), np.float32), rng.standard_normal((300, 70), np.float32)
    laid = panels(b, False)
    whole = product(a, laid, 70)
    for start, stop in ((0, 1), (1, 6), (6, 14), (14, 37)):
        np.testing.assert_array_equal(product(np.ascontiguousarray(a[start:stop]), laid, 70), whole[start:stop])


def test_a_transposed_left_side_part_of_the_panels_and_a_sum():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((20, 45), np.float32).T, rng.standard_normal((50, 70), np.float32)
    found = product(a, panels(b, False), 70, 50, 2.0)
    np.testing.assert_allclose(found, 2 + a.astype(float) @ b[:20].astype(float), rtol=1e-5, atol=1e-5)


LAYERS = [(1, 1, 1), (3, 5, 7), (50, 257, 33), (97, 40, 600), (64, 600, 32), (0, 4, 4), (4, 0, 4)]


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch):
    """Products of all sizes are compiled, and shared out among threads."""
    for name in ("LEAST", "ROWS", "SIDE"):
        monkeypatch.setattr(layer, name, 0)
    monkeypatch.setattr(compiled, "SHARED", 1)
    monkeypatch.setattr(compiled, "_mode", "all")
    monkeypatch.setattr(compiled, "_families", {})


@pytest.mark.parametrize("layout", ["usual", "turned", "gaps"])
@pytest.mark.parametrize(("rows", "depth", "columns"), LAYERS)
def test_layers(rows: int, depth: int, columns: int, layout: str, always: Any):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((rows, depth), np.float32), rng.standard_normal((columns, depth), np.float32)
    b = rng.standard_normal(2 * columns, np.float32)[::2]
    expected = x.astype(float) @ w.astype(float).T
    if layout == "turned":
        x, w = np.asfortranarray(x), np.asfortranarray(w)
    elif layout == "gaps":
        x, w = (np.repeat(v, 2, 1)[:, ::2] for v in (x, w))
    close = {"rtol": 1e-5, "atol": 1e-4}
    np.testing.assert_allclose(layer.linear(x, w, b), expected + b, **close)
    np.testing.assert_allclose(layer.linear(x, w), expected, **close)
    np.testing.assert_allclose(layer.mm(x, w, True), expected, **close)
    np.testing.assert_allclose(layer.mm(x[None], w.T)[0], expected, **close)


def test_layers_do_not_depend_on_the_number_of_threads(always: Any):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((50, 300), np.float32), rng.standard_normal((700, 300), np.float32)
    before = threads.get_num_threads()
    try:
        found = []
        for number in (1, 2, 3):
            threads.set_num_threads(number)
            found.append(layer.linear(x, w, w[:, 0]))
    finally:
        threads.set_num_threads(before)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
