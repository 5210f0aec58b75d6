"""The CPU's fast versions of optimizer steps: the same numbers as the plain rules, to the last bit."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from wengert.backends.cpu import compiled
from wengert.backends.cpu import optim as fast
from wengert.backends.definitions import optim as plain

ADAM = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0, "decoupled": False,
        "maximize": False, "step": 3}  # fmt: skip
SGD = {"lr": 0.01, "momentum": 0.9, "dampening": 0.0, "weight_decay": 0.0, "nesterov": False, "maximize": False,
       "first": False}  # fmt: skip
CASES: list[tuple[str, int, dict[str, Any]]] = [
    ("adam_step_", 2, ADAM),
    ("adam_step_", 2, {**ADAM, "weight_decay": 0.1}),
    ("adam_step_", 2, {**ADAM, "weight_decay": 0.1, "decoupled": True}),
    ("adam_step_", 2, {**ADAM, "maximize": True, "step": 1}),
    ("adam_step_", 3, ADAM),
    ("sgd_step_", 0, {**SGD, "momentum": 0.0}),
    ("sgd_step_", 0, {**SGD, "momentum": 0.0, "weight_decay": 0.1, "maximize": True}),
    ("sgd_step_", 1, SGD),
    ("sgd_step_", 1, {**SGD, "first": True, "dampening": 0.5}),
    ("sgd_step_", 1, {**SGD, "nesterov": True, "weight_decay": 0.1}),
    ("sgd_step_", 1, {**SGD, "dampening": 0.3, "maximize": True}),
    ("lion_step_", 1, {"lr": 0.1, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.1, "maximize": False}),
]
SIZES = [[5], [100_000], [3, 50_000, 7, 1, 0, 20_000, 40_000], [9] * 12_000]


def arrays(sizes: list[int], states: int, dtype: str) -> tuple[Any, list[Any], list[Any]]:
    """Parameters and state, each flat, and the gradient in parts."""
    rng = np.random.default_rng(0)
    n = sum(sizes)
    state = [rng.uniform(0, 1, n).astype(dtype) for _ in range(states)]
    return rng.normal(size=n).astype(dtype), [rng.normal(size=s).astype(dtype) for s in sizes], state


def check(kernel: Any, name: str, states: int, options: Any, sizes: list[int], dtype: str) -> None:
    width = {"adam_step_": 3, "sgd_step_": 1, "lion_step_": 1}[name]
    p, parts, state = arrays(sizes, states, dtype)
    q, _, expected = arrays(sizes, states, dtype)
    missing = [None] * (width - states)
    kernel(p, fast.gather_gradients(parts), *state, *missing, **options)
    getattr(plain, name)(np, q, np.concatenate(parts), *expected, *missing, **options)
    np.testing.assert_array_equal(p, q)
    for left, right in zip(state, expected, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("sizes", SIZES, ids=lambda sizes: f"{len(sizes)} parts")
@pytest.mark.parametrize(("name", "states", "options"), CASES)
def test_in_pieces(name: str, states: int, options: Any, sizes: list[int], dtype: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(compiled, "_families", {"optim": None})
    check(getattr(fast, name), name, states, options, sizes, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sizes", SIZES, ids=lambda sizes: f"{len(sizes)} parts")
@pytest.mark.parametrize(("name", "states", "options"), [c for c in CASES if c[:2] != ("adam_step_", 3)][:-1])
def test_compiled(name: str, states: int, options: Any, sizes: list[int], dtype: str):
    pytest.importorskip("numba")
    from wengert.backends.cpu import optim_numba

    check(getattr(optim_numba, name), name, states, options, sizes, dtype)


def test_gradients_with_gaps():
    pytest.importorskip("numba")
    from wengert.backends.cpu import optim_numba

    g = np.random.default_rng(0).normal(size=(2, 100_000))
    for part in (g[:, ::2][0], np.broadcast_to(g[0, :1], (50_000,)), g[1, ::-2]):
        p, q = np.ones(50_000), np.ones(50_000)
        optim_numba.sgd_step_(p, [part[:20_000], part[20_000:]], None, **{**SGD, "momentum": 0.0})
        np.testing.assert_array_equal(p, q - 0.01 * part)


def test_takes_over_when_it_pays(monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("numba")
    from wengert.backends.cpu import optim_numba

    monkeypatch.setattr(compiled, "_mode", "1")
    p = np.ones(1 << 16, np.float32)
    assert fast._compiled(p[:100], 1 << 15) is None
    assert fast._compiled(p.astype(np.float16), 1 << 15) is None
    assert fast._compiled(p, 1 << 15) is optim_numba


def test_training_a_small_model_does_not_import_numba():
    program = (
        "import sys, wengert as wg\n"
        "p = wg.ones(100, 100, requires_grad=True)\n"
        "optimizer = wg.optim.Adam([p])\n"
        "for _ in range(20):\n"
        "    p.grad = wg.ones(100, 100)\n"
        "    optimizer.step()\n"
        "assert 'numba' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
