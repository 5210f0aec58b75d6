"""The compiled elementary functions of float32: within their stated errors over the whole range."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from wengert import special
from wengert.backends.cpu import compiled

from .test_fused import EXTREME

numba = pytest.importorskip("numba")
if not compiled._load("vector"):
    pytest.skip("Numba is switched off", allow_module_level=True)

from wengert.backends.cpu import vector_numba as vector  # noqa: E402


def exact_erf(x: Any) -> Any:
    import wengert as wg

    return special.erf(wg.from_numpy(x)).numpy()


# The exact function, and the numbers it is written for.
FUNCTIONS: dict[str, tuple[Callable[..., Any], float, float]] = {
    "exp": (np.exp, -np.inf, np.inf),
    "exp_flushed": (np.exp, -86, 0),
    "expm1": (np.expm1, -np.inf, 88),
    "tanh": (np.tanh, -np.inf, np.inf),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), -88, np.inf),
    "log1p_unit": (np.log1p, 0, 1),
    "log": (np.log, 1.2e-38, 3.4e38),
    "erf": (exact_erf, -np.inf, np.inf),
}


def on_arrays(name: str) -> Callable[[Any], Any]:
    function = getattr(vector, name)

    @numba.njit
    def run(x: Any, y: Any) -> None:
        for i in range(x.size):
            y[i] = function(x[i])

    def call(x: Any) -> Any:
        y = np.empty_like(x)
        run(x, y)
        return y

    return call


def numbers(low: float, high: float) -> Iterator[Any]:
    """Numbers of all exponents, subnormal ones, infinities and NaN; all 2**32 if ``WENGERT_EXHAUSTIVE`` is set."""
    yield np.linspace(max(low, -20), min(high, 20), 100_000).astype(np.float32)
    step, piece = (1, 1 << 24) if os.environ.get("WENGERT_EXHAUSTIVE") else (5003, 1 << 32)
    for start in range(0, 1 << 32, piece):
        x = np.arange(start, start + piece, step, dtype=np.uint64).astype(np.uint32).view(np.float32)
        yield x[(x >= low) & (x <= high) | np.isnan(x)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_error_in_units_of_the_last_place(name: str):
    exact, low, high = FUNCTIONS[name]
    function, whole = on_arrays(name), math.isinf(low) or math.isinf(high)
    for x in numbers(low, high):
        x = x if whole else x[~np.isnan(x)]
        with np.errstate(over="ignore", invalid="ignore"):
            found, expected = function(x), exact(x.astype(np.float64))
            rounded = expected.astype(np.float32)
        finite = np.isfinite(rounded) & np.isfinite(found)
        np.testing.assert_array_equal(found[~finite], rounded[~finite])
        step = np.spacing(np.abs(rounded[finite])).astype(np.float64)
        errors = np.abs(found[finite].astype(np.float64) - expected[finite]) / step
        assert errors.max(initial=0) <= vector.ULPS[name], x[finite][errors.argmax()]


@pytest.mark.parametrize("name", ["exp", "tanh", "sigmoid", "erf"])
def test_extreme_values(name: str):
    with np.errstate(over="ignore"):
        expected = FUNCTIONS[name][0](EXTREME.astype(np.float64)).astype(np.float32)
    found = on_arrays(name)(EXTREME)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-37)
    if name != "exp":
        np.testing.assert_array_equal(np.signbit(found[:2]), np.signbit(expected[:2]))


def test_all_stated_errors_are_measured():
    assert set(vector.ULPS) == set(FUNCTIONS)
