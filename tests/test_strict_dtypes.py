"""The stand-in for CuPy: dtypes, casts, and what depends on them. The other rules are in `tests/test_strict.py`."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from .strict import StrictError, strict_xp
from .test_strict import array, same

xp: Any = strict_xp


@pytest.fixture
def x() -> Any:
    return array(np.arange(6).reshape(2, 3))


@pytest.mark.parametrize("value", ["text", None, [object()], np.datetime64("2020-01-01"), np.longdouble(1)])
def test_dtypes_that_a_device_lacks_are_refused(value: Any):
    with pytest.raises(ValueError, match="Unsupported dtype"):
        xp.array(value)
    with pytest.raises((ValueError, TypeError)):
        xp.zeros(3, dtype=np.asarray(value).dtype)


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf, -np.inf, 300.0])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ml_dtypes.bfloat16])
def test_casts_without_a_defined_result_are_refused(value: float, dtype: Any):
    x, small = array([1, value], dtype), xp.zeros(2, np.uint8)
    for cast in (
        lambda: x.astype(np.uint8),
        lambda: small.__setitem__(..., x),
        lambda: small.__setitem__(0, value),
        lambda: small.fill(value),
        lambda: xp.copyto(small, x, casting="unsafe"),
        lambda: xp.full(2, value, np.uint8),
        lambda: xp.full_like(small, value),
        lambda: xp.asarray(x, dtype=np.uint8),
    ):
        with pytest.raises(StrictError, match="undefined"):
            cast()
    assert same(array([1.9, 254], dtype).astype(np.uint8), np.array([1, 254], np.uint8))
    assert same(array([-1.9], dtype).astype(np.int8), np.array([-1], np.int8))


def test_scatter_add_takes_the_dtypes_of_atomic_adds():
    index = array([0, 0, 2], np.int64)
    for dtype in (np.int32, np.int64, np.uint32, np.uint64, np.float16, np.float32, np.float64):
        x = xp.zeros(3, dtype)
        xp.add.at(x, index, xp.ones(3, dtype))
        assert same(x, np.array([2, 0, 1], dtype))
    for dtype in (np.bool_, np.int8, np.int16, np.uint8, ml_dtypes.bfloat16, np.complex64):
        with pytest.raises(TypeError, match="does not support"):
            xp.add.at(xp.zeros(3, dtype), index, xp.ones(3, dtype))
    with pytest.raises(NotImplementedError, match="multiply"):
        xp.multiply.at(xp.ones(3), index, xp.ones(3))


def test_only_sums_and_products_of_ufuncs_are_folded(x: Any):
    assert same(xp.add.reduce(x, axis=1), x.get().sum(axis=1))
    assert same(xp.multiply.accumulate(x, axis=1), x.get().cumprod(axis=1))
    assert xp.subtract.outer(x, x).shape == (2, 3, 2, 3)
    for use in (lambda: xp.maximum.reduce(x), lambda: xp.maximum.accumulate(x), lambda: xp.multiply.reduceat(x, [0])):
        with pytest.raises(NotImplementedError):
            use()


def test_bfloat16_has_what_cupy_has_of_it():
    x = array([[1, 2], [3, 4]], ml_dtypes.bfloat16)
    half = x.dtype.type(0.5)
    for result in (x * half, x + x, xp.exp(x), x.sum(axis=0), x.mean(), x @ x, xp.tensordot(x, x, 1), x.max()):
        assert result.dtype == ml_dtypes.bfloat16
    x *= 0.5  # the dtype of the result is given
    refused = [
        lambda: x * 0.5,
        lambda: x * 2,
        lambda: xp.maximum(x, 0.0),
        lambda: xp.where(x > 0, x, 0.0),
        lambda: xp.sort(x),
    ]
    refused += [lambda: x[None] @ x[None], lambda: xp.einsum("ij->i", x), lambda: xp.argsort(x), lambda: x.sort()]
    refused += [lambda: xp.logical_not(x), lambda: divmod(x, x)]
    for use in refused:
        with pytest.raises(TypeError):
            use()


# Sorting, repeating, and writing into views.


def test_sorting_in_place_needs_contiguous_memory(x: Any):
    with pytest.raises(NotImplementedError, match="contiguous"):
        x.T.sort()
    with pytest.raises(ValueError, match="stable"):
        x.argsort(kind="quicksort")
    x[::-1].copy().sort()
    x.sort(axis=0)
    assert same(xp.argsort(-x, axis=1, kind="stable"), np.array([[2, 1, 0]] * 2))


def test_repeats_are_host_numbers(x: Any):
    assert x.repeat(2, axis=0).shape == (4, 3)
    with pytest.raises(TypeError, match="repeat"):
        xp.repeat(x, array([1, 2], np.int64), axis=0)


def test_no_floating_point_warnings(x: Any):
    assert np.isinf(float((1 / x)[0, 0]))
    assert np.isnan(float(xp.log(-x)[0, 1]))
