"""Every row of the op table under ``vmap``, ``vmap`` of ``grad``, and a backward pass for many rows at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.autograd.batched_backward import gradients_of_rows
from wengert.backends.batched import BatchError, level
from wengert.func import grad, vmap

from .cases.base import OpCase
from .cases.ops import CASES
from .op_checks import Inputs, differentiable, flat, run, samples, values

BATCH = 3
# Rows that may say, under vmap, that they read values or write to what all examples share, as PyTorch's do. Sparse
# tensors have no batches.
READS_VALUES = {
    *("is_nonzero", "Tensor.map2_", "histc", "histogram", "histogramdd", "lobpcg", "spmm", "smm", "sspaddmm", "hspmm"),
    *("nn.functional.batch_norm[running]", "nn.functional.instance_norm[running]"),
}


# What runs once for each example in these rows, and says so: what counts, and what writes where values say.
LOOPS = {
    *("bincount", "bin_positions", "nonzero", "searchsorted", "numbered", "unique", "isin", "cumsum", "__getitem__"),
    *("index_copy_", "update_running_", "add", "renormalise_rows_", "memory", "ldl_solve", "cross_entropy_backward"),
}


@pytest.fixture(autouse=True)
def slow(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The names of functions that ran once for each example."""
    names: set[str] = set()
    monkeypatch.setattr(level, "_say_slow", lambda kind, name: names.add(name))
    yield names
    assert names <= LOOPS


def may_refuse(case: OpCase) -> bool:
    return "sparse" in str(case) or str(case) in READS_VALUES or case.name in READS_VALUES


class Batch:
    """A sample's floating arguments, three of each, some of them turned round; the others are the same for all."""

    def __init__(self, case: OpCase, sample: Any) -> None:
        self.case = case
        inputs = Inputs(sample, "cpu")
        self.args, self.leaves = inputs.args, inputs.leaves
        self.places = {id(t): i for i, t in enumerate(self.leaves)}
        self.stacks = [wg.stack([self.variant(t, i) for i in range(BATCH)]) for t in self.leaves]

    def variant(self, t: Any, i: int) -> Any:
        return t.flip(0) if i == 1 and t.ndim and self.case.smooth else t

    def __call__(self, *leaves: Any) -> Any:
        wg.manual_seed(0)
        return self.case.fn(wg, *self.put(self.args, leaves))

    def put(self, value: Any, leaves: Any) -> Any:
        if id(value) in self.places:
            return leaves[self.places[id(value)]]
        if type(value) in (list, tuple):
            return type(value)(self.put(v, leaves) for v in value)
        return {k: self.put(v, leaves) for k, v in value.items()} if type(value) is dict else value

    def total(self, *leaves: Any) -> Any:
        outputs = [o for o in flat(self(*leaves)) if isinstance(o, wg.Tensor) and o.requires_grad]
        return sum((o.abs() ** 2 if o.is_complex() else o).sum() for o in outputs)


def tensors(result: Any) -> list[np.ndarray]:
    return [values(o) for o in flat(result) if isinstance(o, wg.Tensor)]


def one_by_one(function: Callable[..., Any], batch: Batch) -> list[list[np.ndarray]] | None:
    """What each example gives; None where one fails, or gives no tensor, or another shape."""
    try:
        each = [tensors(function(*[s[i].clone() for s in batch.stacks])) for i in range(BATCH)]
    except Exception:  # the variants may be no arguments of this op
        return None
    return each if len({tuple(a.shape for a in e) for e in each}) == 1 else None


def check(function: Callable[..., Any], batch: Batch) -> None:
    expected = one_by_one(function, batch)
    if expected is None or not expected[0]:
        return
    got = tensors(vmap(function, randomness="same")(*[s.clone() for s in batch.stacks]))
    for j, array in enumerate(got):
        each = np.stack([e[j] for e in expected])
        np.testing.assert_allclose(array, each, rtol=1e-6, atol=1e-8, err_msg=f"output {j}")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_vmap(case: OpCase):
    for sample in samples(case)[:4]:
        batch = Batch(case, sample)
        if not batch.leaves:
            continue
        try:
            with np.errstate(all="ignore"):
                check(batch, batch)
                if case.orders:
                    check(grad(batch.total, argnums=tuple(range(len(batch.leaves)))), batch)
        except (BatchError, ValueError) as error:
            if not (may_refuse(case) and "vmap" in str(error)):
                raise


@pytest.mark.parametrize("case", [c for c in CASES if c.orders and not may_refuse(c)], ids=str)
def test_rows_of_a_jacobian_at_once(case: OpCase):
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        for sample in samples(case)[:2]:
            inputs = Inputs(sample, "cpu", grad=True)
            outputs = [o for o in differentiable(run(case, inputs)) if not o.is_complex() and o.ndim < 6]
            if not outputs or not inputs.leaves:
                continue
            rows = [wg.from_numpy(rng.standard_normal((BATCH, *o.shape))).to(o.dtype) for o in outputs]
            got = gradients_of_rows(outputs, rows, inputs.leaves, True)
            for i in range(BATCH):
                vs = [r[i] for r in rows]
                each = wg.autograd.grad(outputs, inputs.leaves, vs, retain_graph=True, allow_unused=True)
                for g, e in zip(got, each, strict=True):
                    assert (g is None) == (e is None)
                    if g is not None:
                        np.testing.assert_allclose(values(g[i]), values(e), rtol=1e-6, atol=1e-8)
