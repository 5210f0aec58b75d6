"""Fused ops against formulas in plain ops: values and gradients, with the compiled kernels and without them."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import wengert as wg
from wengert.autograd.ops import recurrent
from wengert.backends import definitions, get_backend
from wengert.backends.cpu import attention as attention_kernel
from wengert.backends.cpu import compiled
from wengert.backends.cpu import random as random_kernels

F = wg.nn.functional
ROWS = [(3, 5), (7, 33), (1, 17), (0, 8), (5, 1), (129, 100)]
IMAGES = [(2, 6, 3, 5), (1, 4, 1, 2), (3, 4, 9, 9), (0, 4, 3, 3)]
TOLERANCE = {"rtol": 3e-5, "atol": 3e-6}


@dataclass(frozen=True)
class Fused:
    """A fused op, ``op(*tensors)``, and the same in plain ops."""

    name: str
    op: Callable[..., Any]
    formula: Callable[..., Any]
    shapes: Callable[[tuple[int, ...]], tuple[tuple[int, ...], ...]] = lambda shape: (shape,)
    sizes: tuple[tuple[int, ...], ...] = tuple(ROWS)

    def __str__(self) -> str:
        return self.name


def normal(x: Any, dims: tuple[int, ...], eps: float = 1e-5, centre: bool = True) -> Any:
    d = x - x.mean(dims, keepdim=True) if centre else x
    return d / (d.square().mean(dims, keepdim=True) + eps).sqrt()


def attention(q: Any, k: Any, v: Any, causal: bool = False, mask: Any = None, bias: Any = None) -> Any:
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    if causal:
        mask = wg.ones(*scores.shape[-2:], dtype=wg.bool).tril()
    if mask is not None:
        scores = scores.masked_fill(~mask, -1e30)
    if bias is not None:
        scores = scores + bias
    return wg.exp(scores - scores.amax(-1, keepdim=True)).div(logits_sum(scores)) @ v


def logits_sum(x: Any) -> Any:
    return wg.exp(x - x.amax(-1, keepdim=True)).sum(-1, keepdim=True)


def labels(x: Any, classes: int) -> Any:
    return wg.arange(x.shape[0]) * 7 % classes


def log_probabilities(x: Any, dim: int = 1) -> Any:
    d = x - x.detach().amax(dim, keepdim=True) if x.shape[0] and x.shape[1] else x
    return d - wg.exp(d).sum(dim, keepdim=True).log()


def erf_half(x: Any) -> Any:
    return 0.5 * (1 + wg.erf(x * 0.5**0.5))


def same(shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    return shape, shape[1:], shape[1:]


def channels(shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    return shape, (shape[1],), (shape[1],)


def along(v: Any, x: Any) -> Any:
    return v.reshape(1, -1, *[1] * (x.ndim - 2))


def statistics(x: Any) -> tuple[Any, Any]:
    """A mean and a variance for each channel."""
    return wg.arange(x.shape[1], dtype=x.dtype) / 4, 1 / (1 + wg.arange(x.shape[1], dtype=x.dtype))


def heads(shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    length, keys, width = shape
    return (2, 3, length, width), (2, 3, keys, width), (2, 3, keys, 5)


def sequence(op: Any, fused: bool, size: Any, *tensors: Any, **params: Any) -> Any:
    """All outputs of a recurrent op or of its formula, in one row. The last sequence ends early."""
    params |= {"sizes": (size, size, max(1, size - 1)), "reverse": False}
    outputs = recurrent.apply(op, *tensors, **params) if fused else op.formula(*tensors, **params)
    return wg.cat([y.flatten() for y in outputs])


def states(gates: int, number: int) -> Callable[[tuple[int, ...]], tuple[tuple[int, ...], ...]]:
    """Shapes of the drive, ``number`` states and the recurrent weight for N sequences and H units."""
    return lambda s: ((3 * s[0] - (s[0] > 1), gates * s[1]), *[s] * number, (gates * s[1], s[1]))


def lstm(fused: bool) -> Callable[..., Any]:
    return lambda *t: sequence(recurrent.LSTMSequence, fused, t[1].shape[0], *t, None)


def gru(fused: bool) -> Callable[..., Any]:
    return lambda *t: sequence(recurrent.GRUSequence, fused, t[1].shape[0], *t, t[0][0] * 0.5)


def elman(fused: bool, relu: bool) -> Callable[..., Any]:
    return lambda *t: sequence(recurrent.RNNSequence, fused, t[1].shape[0], *t, relu=relu)


def dropped(function: Callable[..., Any]) -> Callable[..., Any]:
    """With the same random numbers at every call."""

    def run(x: Any) -> Any:
        wg.manual_seed(3)
        return function(x)

    return run


STATES = ((4, 5), (61, 17), (1, 33), (3, 1))  # sequences and units
LENGTHS = ((5, 7, 3), (1, 4, 2), (33, 65, 8), (300, 300, 4), (0, 3, 2))
TABLE = [
    Fused("softmax", lambda x: wg.softmax(x, 1), lambda x: wg.exp(log_probabilities(x))),
    Fused("softmax of columns", lambda x: wg.softmax(x, 0), lambda x: wg.exp(log_probabilities(x.t()).t()),
          sizes=tuple(ROWS[:3])),
    Fused("log_softmax", lambda x: wg.log_softmax(x, 1), log_probabilities),
    Fused("cross_entropy", lambda x: F.cross_entropy(x, labels(x, x.shape[1]), reduction="sum"),
          lambda x: -log_probabilities(x)[wg.arange(x.shape[0]), labels(x, x.shape[1])].sum()),
    Fused("cross_entropy of each", lambda x: F.cross_entropy(x, labels(x, x.shape[1]), reduction="none"),
          lambda x: -log_probabilities(x)[wg.arange(x.shape[0]), labels(x, x.shape[1])]),
    Fused("cross_entropy with ignored and smoothed",
          lambda x: F.cross_entropy(x, labels(x, x.shape[1]), ignore_index=0, label_smoothing=0.1, reduction="sum"),
          lambda x: -((log_probabilities(x)[wg.arange(x.shape[0]), labels(x, x.shape[1])] * 0.9
                       + log_probabilities(x).mean(1) * 0.1) * (labels(x, x.shape[1]) != 0)).sum()),
    Fused("nll_loss", lambda x: F.nll_loss(x, labels(x, x.shape[1])),
          lambda x: -x[wg.arange(x.shape[0]), labels(x, x.shape[1])].mean(),
          sizes=tuple(ROWS[:3])),
    Fused("layer_norm", lambda x, w, b: F.layer_norm(x, x.shape[1:], w, b),
          lambda x, w, b: normal(x, (1,)) * w + b, same),
    Fused("layer_norm without weight", lambda x: F.layer_norm(x, x.shape[1:]), lambda x: normal(x, (1,))),
    Fused("rms_norm", lambda x, w: F.rms_norm(x, x.shape[1:], w, 1e-5),
          lambda x, w: normal(x, (1,), centre=False) * w, lambda shape: (shape, shape[1:])),
    Fused("batch_norm", lambda x, w, b: F.batch_norm(x, None, None, w, b, True),
          lambda x, w, b: normal(x, (0, 2, 3)) * along(w, x) + along(b, x), channels, tuple(IMAGES[:3])),
    Fused("batch_norm of rows", lambda x, w, b: F.batch_norm(x, None, None, w, b, True),
          lambda x, w, b: normal(x, (0,)) * w + b, channels, ((3, 5), (70, 33))),
    Fused("batch_norm, given statistics", lambda x, w, b: F.batch_norm(x, *statistics(x), w, b),
          lambda x, w, b: (x - along(statistics(x)[0], x)) / along(statistics(x)[1] + 1e-5, x).sqrt() * along(w, x)
          + along(b, x), channels, (*IMAGES, (3, 5), (0, 4))),
    Fused("group_norm", lambda x, w, b: F.group_norm(x, 2, w, b),
          lambda x, w, b: normal(x.reshape(x.shape[0], 2, -1), (2,)).reshape(x.shape) * along(w, x) + along(b, x),
          channels, tuple(IMAGES[:3])),
    Fused("instance_norm", lambda x, w, b: F.instance_norm(x, None, None, w, b),
          lambda x, w, b: normal(x, (2, 3)) * along(w, x) + along(b, x), channels, tuple(IMAGES)),
    Fused("linear", F.linear, lambda x, w, b: (x[:, None] * w).sum(2) + b,
          lambda shape: (shape, (6, shape[1]), (6,))),
    Fused("cumsum", lambda x: wg.cumsum(x, 1), lambda x: x @ wg.ones(x.shape[1], x.shape[1], dtype=x.dtype).triu()),
    Fused("relu", wg.relu, lambda x: x * (x > 0)),
    Fused("sigmoid", wg.sigmoid, lambda x: 1 / (1 + wg.exp(-x))),
    Fused("tanh", wg.tanh, lambda x: 2 / (1 + wg.exp(-2 * x)) - 1),
    Fused("silu", F.silu, lambda x: x / (1 + wg.exp(-x))),
    Fused("gelu", F.gelu, lambda x: x * erf_half(x)),
    Fused("gelu by tanh", lambda x: F.gelu(x, "tanh"),
          lambda x: x / (1 + wg.exp(-2 * (2 / np.pi) ** 0.5 * (x + 0.044715 * x**3)))),
    Fused("softplus", lambda x: F.softplus(x, 2.0, 1.0),
          lambda x: wg.where(2 * x > 1, x, wg.log(1 + wg.exp(2 * x)) / 2)),
    Fused("logsigmoid", F.logsigmoid, lambda x: -wg.log(1 + wg.exp(-x))),
    Fused("mish", F.mish, lambda x: x * (1 - 2 / ((1 + wg.exp(x)) ** 2 + 1))),
    Fused("elu", lambda x: F.elu(x, 0.7), lambda x: wg.where(x > 0, x, 0.7 * (wg.exp(x) - 1))),
    Fused("celu", lambda x: F.celu(x, 0.7), lambda x: wg.where(x > 0, x, 0.7 * (wg.exp(x / 0.7) - 1))),
    Fused("leaky_relu", F.leaky_relu, lambda x: wg.where(x > 0, x, 0.01 * x)),
    Fused("hardtanh", F.hardtanh, lambda x: wg.where(x.abs() < 1, x, x.detach().sign())),
    Fused("hardsigmoid", F.hardsigmoid, lambda x: wg.where(x.abs() < 3, x / 6 + 0.5, (x > 0).to(x.dtype))),
    Fused("hardswish", F.hardswish, lambda x: x * wg.where(x.abs() < 3, x / 6 + 0.5, (x > 0).to(x.dtype))),
    Fused("softshrink", F.softshrink, lambda x: wg.where(x.abs() > 0.5, x - 0.5 * x.detach().sign(), 0 * x)),
    Fused("threshold", lambda x: F.threshold(x, 0.3, -1.0), lambda x: wg.where(x > 0.3, x, 0 * x - 1)),
    Fused("clamp", lambda x: x.clamp(-0.5, 0.5), lambda x: wg.where(x.abs() <= 0.5, x, 0.5 * x.detach().sign())),
    Fused("div", lambda x, y: x / (y * y + 0.5), lambda x, y: x * (y * y + 0.5) ** -1, lambda shape: (shape, shape)),
    Fused("attention", F.scaled_dot_product_attention, attention, heads, LENGTHS),
    Fused("causal attention", lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
          lambda q, k, v: attention(q, k, v, True), heads, LENGTHS),
    Fused("attention with a mask",
          lambda q, k, v: F.scaled_dot_product_attention(q, k, v, every_third(q, k)),
          lambda q, k, v: attention(q, k, v, mask=every_third(q, k)), heads, LENGTHS),
    Fused("attention with a bias", lambda q, k, v, b: F.scaled_dot_product_attention(q, k, v, b),
          lambda q, k, v, b: attention(q, k, v, bias=b), lambda s: (*heads(s), s[:2]), LENGTHS),
    Fused("attention of broadcast heads", F.scaled_dot_product_attention, attention,
          lambda s: ((2, 3, s[0], s[2]), (3, s[1], s[2]), (2, 1, s[1], 4)), LENGTHS),
    Fused("dropout", dropped(lambda x: F.dropout(x, 0.25)),
          dropped(lambda x: x * F.dropout(wg.ones(*x.shape, dtype=x.dtype), 0.25))),
    Fused("lstm", lstm(True), lstm(False), states(4, 2), STATES),
    Fused("gru", gru(True), gru(False), states(3, 1), STATES),
    Fused("elman", elman(True, False), elman(False, False), states(1, 1), STATES),
    Fused("elman with relu", elman(True, True), elman(False, True), states(1, 1), STATES),
]  # fmt: skip


def every_third(q: Any, k: Any) -> Any:
    n, m = q.shape[-2], k.shape[-2]
    return (wg.arange(n)[:, None] + wg.arange(m)) % 3 != 1 if m > 3 else wg.ones(n, m, dtype=wg.bool)


@pytest.fixture(params=["numpy", "numba"])
def kernels(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Without compiled kernels, and with them for arrays of any size, cut into as many pieces as there can be."""
    if request.param == "numba":
        pytest.importorskip("numba")
    monkeypatch.setattr(compiled, "_mode", "all" if request.param == "numba" else "0")
    monkeypatch.setattr(compiled, "_families", {})
    for name in ("LEAST", "SHARED"):
        monkeypatch.setattr(compiled, name, 1)
    monkeypatch.setattr(attention_kernel, "FEW", 0)
    before = wg.get_num_threads()
    wg.set_num_threads(3)
    yield request.param
    wg.set_num_threads(before)


def laid_out(array: Any, layout: str) -> Any:
    """The array in another memory order, or with gaps."""
    if layout == "gaps":
        wider = np.zeros((*array.shape[:-1], 2 * array.shape[-1] + 1), array.dtype)
        wider[..., :-1:2] = array
        return wider[..., :-1:2]
    order = [0, *range(2, array.ndim), 1] if array.ndim > 2 else [*range(array.ndim)][::-1]
    return array.transpose(order).copy().transpose(np.argsort(order)) if layout == "turned" else array


def outcome(function: Callable[..., Any], arrays: list[Any], dtype: Any, layout: str) -> list[Any]:
    """The output, and the gradients of its product with fixed numbers."""
    tensors = [wg.from_numpy(laid_out(a.astype(dtype), layout)).requires_grad_() for a in arrays]
    y = function(*tensors)
    g = np.random.default_rng(1).normal(size=tuple(y.shape)).astype(dtype)
    y.backward(wg.from_numpy(np.asarray(g)))
    return [y.detach().numpy(), *[np.zeros(t.shape) if t.grad is None else t.grad.numpy() for t in tensors]]


@pytest.mark.parametrize("layout", ["usual", "turned", "gaps"])
@pytest.mark.parametrize("row", TABLE, ids=str)
def test_is_its_formula(row: Fused, layout: str, kernels: str):
    for size in row.sizes:
        rng = np.random.default_rng(0)
        arrays = [rng.normal(size=shape) * 1.5 + 0.1 for shape in row.shapes(size)]
        found = outcome(row.op, arrays, np.float32, layout)
        expected = outcome(row.formula, arrays, np.float64, "usual")
        for a, b in zip(found, expected, strict=True):
            scale = max(1.0, float(np.abs(b).max(initial=0.0)))
            assert a.dtype == np.float32
            # An error in a state grows from step to step where nothing forgets it.
            tolerance = {"rtol": 3e-4, "atol": 3e-5} if row.name == "elman" else TOLERANCE
            np.testing.assert_allclose(a / scale, b / scale, **tolerance, err_msg=f"{row} {size}")


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_same_bits_for_any_number_of_threads(row: Fused, kernels: str):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in row.shapes(row.sizes[1])]
    several = outcome(row.op, arrays, np.float32, "usual")
    wg.set_num_threads(1)
    for a, b in zip(several, outcome(row.op, arrays, np.float32, "usual"), strict=True):
        np.testing.assert_array_equal(a, b)


EXTREME = np.array([0.0, -0.0, 1e-45, -1e-40, 1e-38, 88.8, -88.8, 104.0, -104.0, 3e38, -3e38, np.inf, -np.inf, np.nan],
                   np.float32)  # fmt: skip
SMOOTH = ("relu", "sigmoid", "tanh", "silu", "gelu", "softplus", "logsigmoid", "mish", "elu")


@pytest.mark.parametrize("name", SMOOTH)
def test_extreme_values(name: str, kernels: str):
    """As in float64, infinities, NaN and the ends of the range included."""
    op = getattr(F, name)
    x = np.concatenate([EXTREME, np.linspace(-9, 9, 50).astype(np.float32)])
    found, expected = (op(wg.from_numpy(x.astype(kind))).numpy() for kind in (np.float32, np.float64))
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(found, expected.astype(np.float32), rtol=2e-6, atol=1e-6)


def test_rows_of_extreme_values(kernels: str):
    rows = np.tile(EXTREME[:6], (3, 4))
    rows[0, 3], rows[1, 5], rows[2, :] = np.nan, np.inf, -np.inf
    found, expected = (wg.softmax(wg.from_numpy(rows.astype(kind)), 1).numpy() for kind in (np.float32, np.float64))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    far = np.array([[1000.0, 0.0, -1000.0] * 4], np.float32)
    np.testing.assert_allclose(wg.log_softmax(wg.from_numpy(far), 1).numpy()[0, 1], -1000 - np.log(4), rtol=1e-6)


PROGRAM = """
import os, sys
import wengert as wg
x = wg.randn(384, 384, requires_grad=True)
for _ in range({times}):
    wg.nn.functional.gelu(wg.softmax(x, 1)).sum().backward()
sys.exit("numba" in sys.modules)
"""


@pytest.mark.parametrize(("mode", "times", "imported"), [("auto", 3, 0), ("0", 3, 0), ("1", 1, 1)])
def test_when_numba_is_imported(mode: str, times: int, imported: int):
    pytest.importorskip("numba")
    environment = {**os.environ, "WENGERT_NUMBA": mode}
    root = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", PROGRAM.format(times=times)], env=environment, cwd=root, check=False)
    assert done.returncode == imported


def test_a_broken_numba_is_no_obstacle(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(compiled, "_mode", "all")
    monkeypatch.setattr(compiled, "_families", {})
    monkeypatch.setitem(sys.modules, "numba", None)
    x = wg.randn(300, 300)
    assert wg.softmax(x, 1).shape == (300, 300)
    assert compiled._families["softmax"] is None


def test_attention_stores_no_array_of_queries_by_keys():
    q, k, v = (wg.randn(1, 2, 2048, 16, requires_grad=True) for _ in range(3))
    tracemalloc.start()
    F.scaled_dot_product_attention(q, k, v, is_causal=True).sum().backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2048 * 2048 * 4  # one such array, of one head


def test_attention_drops_the_same_in_both_passes(kernels: str):
    """Where every weight is kept with probability 1/2, the gradient of the values sums up the kept weights."""
    q, k = wg.randn(3, 40, 8), wg.randn(3, 50, 8)
    v = wg.ones(3, 50, 1, requires_grad=True)
    y = F.scaled_dot_product_attention(q, k, v, dropout_p=0.5)
    y.sum().backward()
    np.testing.assert_allclose(v.grad.sum().item(), y.sum().item(), rtol=1e-5)


def test_casts(kernels: str):
    """Every float16, and numbers of the whole range of float32: to the last bit, but for what NaN carries."""
    k = get_backend("cpu").kernels
    wide = np.arange(0, 2**32, 9973, dtype=np.uint64).astype(np.uint32).view(np.float32)
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    for x, dtype in ((wide, np.float16), (wide, ml_dtypes.bfloat16), (halves, np.float32)):
        with np.errstate(over="ignore", invalid="ignore"):
            found, expected = k.astype(x, np.dtype(dtype)), x.astype(dtype)
        assert found.dtype == dtype
        number = ~np.isnan(x)
        assert found[number].tobytes() == expected[number].tobytes()
        assert np.isnan(found[~number]).all()


@pytest.mark.parametrize("name", ["lgamma", "digamma"])
def test_gamma(name: str, kernels: str):
    x = np.concatenate([EXTREME, np.linspace(-6.05, 30, 4001), [1, 2, 1 + 1e-6, 2 - 1e-6]]).astype(np.float32)
    function = getattr(wg, name)
    found, expected = (function(wg.from_numpy(x.astype(kind))).numpy() for kind in (np.float32, np.float64))
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(found, expected.astype(np.float32), rtol=3e-7, atol=1e-7)


def test_rows_added_at_repeated_positions(kernels: str):
    index, g = np.array([[3, 0, 3], [3, 1, -1]]) % 5, np.random.default_rng(0).normal(size=(2, 3, 70))
    table = wg.zeros(5, 70, requires_grad=True)
    F.embedding(wg.from_numpy(index), table, padding_idx=1).backward(wg.from_numpy(g.astype(np.float32)))
    expected = np.zeros((5, 70))
    np.add.at(expected, index[index != 1], g[index != 1])
    np.testing.assert_allclose(table.grad.numpy(), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["random_normal", "random_uniform", "random_bernoulli"])
def test_random_numbers_have_the_same_bits(name: str, kernels: str):
    rest = (0.3, (5003,)) if name == "random_bernoulli" else ((5003,), wg.float32)
    found = getattr(random_kernels, name)(2**63 + 5, 2**64 - 300, *rest)
    expected = getattr(definitions.random, name)(np, 2**63 + 5, 2**64 - 300, *rest)
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("n", [1, 2, 3, 64, 5000])
def test_permutations_are_the_same(n: int, kernels: str):
    found = random_kernels.random_permutation(2**63 + 5, 7, n)
    np.testing.assert_array_equal(found, definitions.random.random_permutation(np, 2**63 + 5, 7, n))


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["0", "all"])
def test_the_op_table_in_both_modes(mode: str):
    """Rows of the op table that have compiled kernels, with these switched off, and on for arrays of any size."""
    pytest.importorskip("numba")
    names = (
        "softmax or cross_entropy or nll or norm or gelu or mish or silu or elu or attention or dropout or embedding"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "tests/test_ops.py", "-k", names]
    environment = {**os.environ, "WENGERT_NUMBA": mode}
    root = Path(__file__).parent.parent
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
