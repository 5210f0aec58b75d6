"""The modes that switch recording off, inference tensors, and threads."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends.errors import GraphError


def leaf(*values: float) -> Any:
    return wg.tensor([float(v) for v in values], requires_grad=True)


def same(tensor: Any, expected: Any) -> None:
    assert tensor is not None
    np.testing.assert_allclose(tensor.detach().numpy(), expected, rtol=1e-6)


def test_no_grad_and_enable_grad():
    x = leaf(1, 2)
    with wg.no_grad():
        assert not wg.is_grad_enabled()
        assert not (x * 2).requires_grad
        with wg.enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad


def test_modes_are_restored_after_an_exception():
    with pytest.raises(ZeroDivisionError), wg.no_grad():
        raise ZeroDivisionError
    assert wg.is_grad_enabled()


def test_set_grad_enabled_as_a_call_and_as_a_context():
    wg.set_grad_enabled(False)
    assert not wg.is_grad_enabled()
    wg.set_grad_enabled(True)
    with wg.set_grad_enabled(False):
        assert not wg.is_grad_enabled()
    assert wg.is_grad_enabled()


@pytest.mark.parametrize(
    "make",
    [wg.no_grad, lambda: wg.no_grad, lambda: wg.set_grad_enabled(False), wg.inference_mode, lambda: wg.inference_mode],
    ids=["no_grad()", "no_grad", "set_grad_enabled(False)", "inference_mode()", "inference_mode"],
)
def test_modes_decorate_functions(make: Any):
    def double(x: Any) -> Any:
        """Twice."""
        return x * 2

    decorated = make()(double)
    assert wg.is_grad_enabled()
    assert decorated.__doc__ == "Twice."
    assert not decorated(leaf(1, 2)).requires_grad
    assert wg.is_grad_enabled()


def test_modes_decorate_generators():
    @wg.no_grad()
    def count(x: Any) -> Any:
        for i in range(2):
            got = yield (x * i).requires_grad, wg.is_grad_enabled()
            assert got is None or got == "sent"

    generator = count(leaf(1, 2))
    assert next(generator) == (False, False)
    assert wg.is_grad_enabled(), "the mode does not leak to the consumer"
    assert generator.send("sent") == (False, False)
    with pytest.raises(StopIteration):
        next(generator)


def test_inference_tensors_stay_out_of_graphs():
    x = leaf(1, 2)
    with wg.inference_mode():
        y = x * 2
        y.add_(1)
        assert y.is_inference()
        assert wg.is_inference_mode_enabled()
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        x * y
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor"):
        y.add_(1)
    with pytest.raises(RuntimeError, match="inference tensor"):
        y.requires_grad_()
    assert (x * y.clone()).requires_grad
    assert (x + y).requires_grad, "addition saves nothing"


def test_backward_runs_rules_without_recording():
    seen = []
    x = leaf(1, 2)
    y = x * x
    y.register_hook(lambda g: seen.append((wg.is_grad_enabled(), g.requires_grad)))
    y.sum().backward(retain_graph=True)
    y.sum().backward(create_graph=True)
    assert seen == [(False, False), (True, True)] or seen == [(False, False), (True, False)]
    assert wg.is_grad_enabled()


def test_a_rule_that_fails_leaves_the_modes_as_they_were():
    x = leaf(1, 2)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(GraphError):
        y.backward(create_graph=True)
    assert wg.is_grad_enabled()
    with wg.no_grad(), pytest.raises(GraphError):
        y.backward()
    assert wg.is_grad_enabled()


def test_grad_mode_is_per_thread():
    seen = {}

    def work() -> None:
        seen["enabled"] = wg.is_grad_enabled()
        x = leaf(1, 2)
        (x * x).sum().backward()
        seen["grad"] = x.grad

    with wg.no_grad():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert seen["enabled"]
    same(seen["grad"], [2, 4])


def test_threads_build_and_walk_their_own_graphs():
    results: dict[int, Any] = {}

    def work(i: int) -> None:
        x = leaf(float(i))
        for _ in range(30):
            x.grad = None
            y = x
            for _ in range(20):
                y = y * 1.01 + x
            y.backward()
        results[i] = x.grad.item()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(set(results.values())) == 1
    assert len(results) == 4


def test_backward_inside_a_hook():
    x, inner = leaf(1, 2), leaf(3, 4)

    def hook(g: Any) -> None:
        with wg.enable_grad():
            (inner * inner).sum().backward()

    y = x * x
    y.register_hook(hook)
    y.sum().backward()
    same(inner.grad, [6, 8])
    same(x.grad, [2, 4])
