"""Forward mode: `forward_ad`, `jvp`, and every row of the op table against its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as wg
import wengert.autograd.forward_ad as fwAD

from .cases.base import OpCase
from .cases.ops import CASES
from .op_checks import Inputs, differentiable, dot, noise, run, samples, values

# A tangent of a sparse tensor would be sparse: forward mode is for dense ones. Some functions are left by the graph.
SPARSE = ("spmm", "smm", "sspaddmm", "hspmm", "Tensor.coalesce")


def skipped(case: OpCase) -> bool:
    return not case.orders or "sparse" in str(case) or case.name in SPARSE


@pytest.mark.parametrize("case", [c for c in CASES if not skipped(c)], ids=str)
def test_tangents_agree_with_gradients(case: OpCase):
    """``<v, J t> == <J' v, t>`` for random ``v`` and ``t``: the left side by forward mode, the right by backward."""
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        for sample in samples(case)[:4]:
            inputs = Inputs(sample, "cpu", grad=True)
            if not inputs.leaves:
                continue
            outputs = differentiable(run(case, inputs))
            if not outputs:
                continue
            vs = [noise(rng, o) for o in outputs]
            gs = wg.autograd.grad(outputs, inputs.leaves, [wg.from_numpy(v) for v in vs], allow_unused=True)
            directions = [noise(rng, x) for x in inputs.leaves]
            pairs = [(values(g), t) for g, t in zip(gs, directions, strict=True) if g is not None]
            right = dot([g for g, _ in pairs], [t for _, t in pairs])
            left = forward(case, sample, directions, vs)
            assert left == pytest.approx(right, rel=1e-6, abs=1e-7)


def forward(case: OpCase, sample: Any, directions: list[np.ndarray], vs: list[np.ndarray]) -> float:
    inputs = Inputs(sample, "cpu", grad=True)
    with fwAD.dual_level():
        duals = [
            fwAD.make_dual(x, wg.from_numpy(t).to(x.dtype)) for x, t in zip(inputs.leaves, directions, strict=True)
        ]
        places = {id(x): d for x, d in zip(inputs.leaves, duals, strict=True)}
        inputs.args = exchanged(inputs.args, places)
        outputs = differentiable(run(case, inputs))
        tangents = [fwAD.unpack_dual(o).tangent for o in outputs]
    found = [np.zeros_like(v) if t is None else values(t) for t, v in zip(tangents, vs, strict=True)]
    assert [t.shape for t in found] == [v.shape for v in vs]
    return dot(vs, found)


def exchanged(value: Any, places: dict[int, Any]) -> Any:
    if id(value) in places:
        return places[id(value)]
    if type(value) in (list, tuple):
        return type(value)(exchanged(v, places) for v in value)
    return {k: exchanged(v, places) for k, v in value.items()} if type(value) is dict else value


# ---------------------------------------------------------------------- forward_ad


def test_a_level_its_duals_and_its_end():
    x, t = wg.tensor([1.0, 2.0]), wg.tensor([3.0, 4.0])
    with fwAD.dual_level():
        dual = fwAD.make_dual(x, t)
        assert not dual.requires_grad
        y = (dual * dual).sin()
        primal, tangent = fwAD.unpack_dual(y)
        assert wg.allclose(tangent, (x * x).cos() * 2 * x * t)
        assert fwAD.unpack_dual(primal).tangent is None
        assert fwAD.unpack_dual(dual.detach()).tangent is None
        assert wg.equal(fwAD.unpack_dual(dual.clone()).tangent, t)
        assert fwAD.unpack_dual(x).tangent is None
    assert fwAD.unpack_dual(y).tangent is None
    assert (x * x)._grad is None


def test_what_make_dual_refuses():
    x = wg.ones(2)
    with pytest.raises(RuntimeError, match="no level exists"):
        fwAD.make_dual(x, x)
    with fwAD.dual_level():
        with pytest.raises(RuntimeError, match="different size"):
            fwAD.make_dual(x, wg.ones(3))
        with pytest.raises(ValueError, match="floating point"):
            fwAD.make_dual(wg.ones(2, dtype=wg.int64), x)
        dual = fwAD.make_dual(x, x)
        with pytest.raises(RuntimeError, match="already has a forward gradient"):
            fwAD.make_dual(dual, x)
        with pytest.raises(RuntimeError, match="Nested"):
            fwAD.enter_dual_level()
    with pytest.raises(RuntimeError, match="positive"):
        fwAD.exit_dual_level()


def test_writes_in_place_move_tangents():
    t = wg.tensor([1.0, 1.0, 1.0])
    with fwAD.dual_level():
        x = fwAD.make_dual(wg.tensor([1.0, 2.0, 3.0]), t)
        y = x.clone()
        y.mul_(x)
        y[1] = 5.0
        y[0:1].add_(x[2:3] * 10)
        assert fwAD.unpack_dual(y).tangent.tolist() == [12.0, 0.0, 6.0]
        z = wg.zeros(3)
        z[2] = x[1] ** 2
        assert fwAD.unpack_dual(z).tangent.tolist() == [0.0, 0.0, 4.0]
        z.zero_()
        assert fwAD.unpack_dual(z).tangent.tolist() == [0.0, 0.0, 0.0]


def test_backward_within_a_level_gives_gradients_with_tangents():
    x = wg.tensor([1.0, 2.0], requires_grad=True)
    with fwAD.dual_level():
        dual = fwAD.make_dual(x, wg.tensor([1.0, 0.5]))
        (g,) = wg.autograd.grad((dual**3).sum(), dual)
        assert wg.allclose(g, 3 * x.detach() ** 2)
        assert wg.allclose(fwAD.unpack_dual(g).tangent, 6 * x.detach() * wg.tensor([1.0, 0.5]))


def test_the_graph_goes_through_tangents():
    x = wg.tensor([1.0, 2.0], requires_grad=True)
    with fwAD.dual_level():
        tangent = fwAD.unpack_dual(fwAD.make_dual(x, wg.ones(2)).exp()).tangent
    tangent.sum().backward()
    assert wg.allclose(x.grad, x.detach().exp())


def test_nothing_is_asked_outside_of_levels():
    from wengert.autograd import primitive

    with fwAD.dual_level():
        assert primitive._forward is not None
    assert primitive._forward is None
