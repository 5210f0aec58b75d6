"""What the further names refuse, and what the op table cannot show: own memory, ``out=``, switches."""

from __future__ import annotations

from typing import Any

import pytest

import wengert as wg


def test_copies_have_memory_of_their_own():
    x = wg.zeros(2, 3)
    for copy in (
        wg.alias_copy(x),
        wg.detach_copy(x),
        wg.slice_copy(x),
        *wg.unbind_copy(x),
        wg.expand_copy(x, (2, 2, 3)),
    ):
        copy += 1
    assert not x.any()


def test_copies_fill_out():
    x = wg.arange(6.0).reshape(2, 3)
    out = wg.empty(0)
    assert wg.t_copy(x, out=out) is out
    assert out.tolist() == x.t().tolist()
    parts = [wg.empty(3), wg.empty(3)]
    assert wg.unbind_copy(x, out=parts) is None
    assert [p.tolist() for p in parts] == x.tolist()


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda x: wg.trace(x[0]), RuntimeError),
        (lambda x: wg.slice_copy(x, 2), IndexError),
        (lambda x: wg.unbind_copy(x, out=[wg.empty(3)]), RuntimeError),
        (lambda x: wg.grid_sampler(x[None, None], wg.zeros(1, 1, 1, 2), 3, 0, False), RuntimeError),
        (lambda x: wg.kl_div(x, x, 3), RuntimeError),
        (lambda x: wg.margin_ranking_loss(x, x, x, reduction=-1), RuntimeError),
        (lambda x: wg.dropout_(x, 1.5, True), ValueError),
        (lambda x: wg.set_deterministic_debug_mode("often"), RuntimeError),
        (lambda x: wg.set_deterministic_debug_mode(3), RuntimeError),
    ],
)
def test_what_does_not_fit_is_refused(call: Any, error: type[Exception]):
    with pytest.raises(error):
        call(wg.zeros(2, 3))


def test_switches():
    try:
        for number, name in enumerate(("default", "warn", "error")):
            wg.set_deterministic_debug_mode(name)
            assert wg.get_deterministic_debug_mode() == number
            assert wg.are_deterministic_algorithms_enabled() == (number > 0)
    finally:
        wg.use_deterministic_algorithms(False)
    try:
        wg.set_anomaly_enabled(True, check_nan=False)
        assert wg.is_anomaly_enabled()
        assert not wg.is_anomaly_check_nan_enabled()
    finally:
        wg.set_anomaly_enabled(False)
    assert not wg.is_anomaly_enabled()
