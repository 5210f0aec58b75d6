"""Every row of the op table under pairs of transforms, each against the same by other means.

``vmap`` of ``jvp`` and ``jvp`` of ``vmap`` give the tangents of the examples one by one, ``vjp`` of ``vmap`` and
``vmap`` of ``vjp`` their gradients, and ``jvp`` of ``vjp`` and ``vjp`` of ``jvp`` the same product with the Hessian.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends.batched import BatchError
from wengert.func import grad, jvp, vjp, vmap

from .cases.base import OpCase
from .cases.ops import CASES
from .op_checks import flat, samples, values
from .test_batching_table import BATCH, LOOPS, Batch, may_refuse, slow
from .test_forward_mode import skipped

__all__ = ["LOOPS", "slow"]  # the fixture that looks for loops over examples holds here, too
TABLE = [c for c in CASES if not skipped(c) and not may_refuse(c)]
# A tangent or gradient written with some functions of values has no second derivative, or an example has another shape.
TWICE = [c for c in TABLE if c.orders > 1 and c.smooth]


def real(outputs: Any) -> tuple[Any, ...]:
    """The differentiable results."""
    kept = [o for o in flat(outputs) if isinstance(o, wg.Tensor) and (o.is_floating_point() or o.is_complex())]
    return tuple(kept)


def noise(rng: np.random.Generator, t: Any) -> Any:
    return wg.from_numpy(rng.standard_normal(tuple(t.shape))).to(t.dtype)


def batches(case: OpCase) -> list[Batch]:
    """Batches of arguments for which each example works, and gives results of one shape."""
    found = []
    for sample in samples(case)[:2]:
        batch = Batch(case, sample)
        try:
            shapes = {tuple(o.shape for o in real(batch(*[s[i] for s in batch.stacks]))) for i in range(BATCH)}
        except Exception:  # the variants may be no arguments of this op
            continue
        if batch.leaves and len(shapes) == 1 and shapes != {()}:
            found.append(batch)
    return found


def close(ours: Any, theirs: Any) -> None:
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(values(a), values(b), rtol=1e-6, atol=1e-7)


def stacked(each: list[Any]) -> list[Any]:
    return [wg.stack(parts) for parts in zip(*each, strict=True)]


def on_all(case: OpCase, check: Callable[[Batch, np.random.Generator], None]) -> None:
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        for batch in batches(case):
            check(batch, rng)


def mapped(batch: Batch) -> Callable[..., Any]:
    return vmap(lambda *leaves: real(batch(*leaves)), randomness="same")


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_vmap_and_jvp(case: OpCase):
    def check(batch: Batch, rng: np.random.Generator) -> None:
        f = lambda *leaves: real(batch(*leaves))  # noqa: E731
        points, n = [s.clone() for s in batch.stacks], len(batch.stacks)
        along = [noise(rng, s) for s in points]
        push = lambda *both: jvp(f, both[:n], both[n:])[1]  # noqa: E731
        each = [push(*[t[i].clone() for t in (*points, *along)]) for i in range(BATCH)]
        close(vmap(push, randomness="same")(*[t.clone() for t in (*points, *along)]), stacked(each))
        close(jvp(mapped(batch), tuple(p.clone() for p in points), tuple(along))[1], stacked(each))

    on_all(case, check)


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_vmap_and_vjp(case: OpCase):
    def check(batch: Batch, rng: np.random.Generator) -> None:
        f = lambda *leaves: real(batch(*leaves))  # noqa: E731
        points, n = [s.clone() for s in batch.stacks], len(batch.stacks)
        outputs, pull = vjp(mapped(batch), *[p.clone() for p in points])
        gs = [noise(rng, o) for o in outputs]
        each = [vjp(f, *[p[i].clone() for p in points])[1](tuple(g[i] for g in gs)) for i in range(BATCH)]
        close(pull(tuple(gs)), stacked(each))
        pulled = vmap(lambda *both: vjp(f, *both[:n])[1](both[n:]), randomness="same")
        close(pulled(*[t.clone() for t in (*points, *gs)]), stacked(each))

    on_all(case, check)


@pytest.mark.parametrize("case", TWICE, ids=str)
def test_jvp_and_vjp(case: OpCase):
    def check(batch: Batch, rng: np.random.Generator) -> None:
        points = tuple(s[0].clone() for s in batch.stacks)
        along = tuple(noise(rng, p) for p in points)
        every = tuple(range(len(points)))
        total = lambda *leaves: sum((o.abs() ** 2 if o.is_complex() else o**2).sum() for o in real(batch(*leaves)))  # noqa: E731
        if any(p.is_complex() for p in points):
            return
        forward_over_reverse = jvp(grad(total, every), points, along)[1]
        reverse_over_forward = grad(lambda *leaves: jvp(total, leaves, along)[1], every)(*points)
        close(forward_over_reverse, reverse_over_forward)

    on_all(case, check)


def test_errors_are_those_of_batches():
    """An op that refuses a batch says so by an error of its own, which the tables look for."""
    with pytest.raises(BatchError):
        vmap(lambda x: x.item())(wg.ones(2))
