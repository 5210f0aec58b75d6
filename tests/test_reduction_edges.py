"""Sums, moments, quantiles, histograms and draws at their edges: too few elements, infinities, other types."""

from __future__ import annotations

import math

import pytest

import wengert as wg


def test_statistics_of_too_few_elements_warn():
    for name in ("std", "var", "std_mean", "var_mean"):
        with pytest.warns(UserWarning, match=rf"{name}\(\): degrees of freedom is <= 0"):
            getattr(wg, name)(wg.rand(3, 2), dim=-1, correction=2)


def test_logcumsumexp_starts_from_nothing():
    inf = math.inf
    x = wg.tensor([complex(-inf, inf), complex(-inf, inf), 1.25 + 2.5j])
    y = wg.logcumsumexp(x, 0)
    assert y.real.tolist() == [-inf, -inf, 1.25]
    assert y.imag.isfinite().all()


def test_gradient_of_infinite_elements_is_spoiled_beside_them_only():
    x = wg.tensor([1.0, 2.0, math.inf, 4.0, 8.0, 16.0])
    assert wg.gradient(x)[0].tolist() == [1.0, math.inf, 1.0, -math.inf, 6.0, 8.0]


def test_histc_at_the_ends_of_the_type():
    for dtype in (wg.float32, wg.float64):
        ends = wg.finfo(dtype)
        assert wg.histc(wg.full((3,), ends.min, dtype=dtype), bins=4).tolist() == [3, 0, 0, 0]
        assert wg.histc(wg.full((3,), ends.max, dtype=dtype), bins=4).tolist() == [0, 0, 0, 3]
    with pytest.raises(RuntimeError, match="max must be larger than min"):
        wg.histc(wg.tensor([1, 2]), min=5, max=1)


def test_quantiles_out_of_range_or_of_another_type():
    x = wg.rand(3)
    with pytest.raises(RuntimeError, match=r"quantile\(\) q values must be in the range \[0, 1\]"):
        wg.quantile(x, wg.tensor([0.5, 1.5]))
    with pytest.raises(RuntimeError, match=r"quantile\(\) out tensor must be same dtype as the input tensor"):
        wg.quantile(x, 0.5, out=wg.empty((), dtype=wg.int32))


def test_factors_in_their_old_places_warn():
    x, y = wg.ones(2), wg.full((2,), 3.0)
    for name, expected in (("add", 7.0), ("sub", -5.0)):
        with pytest.warns(UserWarning, match=f"This overload of {name} is deprecated"):
            assert getattr(wg, name)(x, 2, y).tolist() == [expected] * 2
    for name in ("addcmul", "addcdiv"):
        with pytest.warns(UserWarning, match=f"This overload of {name} is deprecated"):
            getattr(wg, name)(x, 2, y, y)


def test_bernoulli_writes_any_type():
    out = wg.full((20,), 7, dtype=wg.uint8)
    wg.bernoulli(wg.rand(20), out=out)
    assert set(out.tolist()) <= {0, 1}


def test_segments_share_the_gradient_among_their_nans():
    x = wg.tensor([1.0, math.nan, 3.0, 4.0, 5.0, 5.0], requires_grad=True)
    for how, initial, expected in (("max", 0, [1, 1, 0, 0, 0.5, 0.5]), ("min", 9, [1, 1, 0, 1, 0, 0])):
        x.grad = None
        y = wg.segment_reduce(x, how, lengths=wg.tensor([1, 2, 3, 0]), initial=initial)
        y.sum().backward()
        assert y[1].isnan()
        assert x.grad.tolist() == expected
    x.grad = None
    wg.segment_reduce(x, "prod", lengths=wg.tensor([1, 2, 3, 0]), initial=2).sum().backward()
    assert x.grad[[0, 1, 3, 4, 5]].tolist() == [2, 6, 50, 40, 40]
    assert x.grad[2].isnan()
