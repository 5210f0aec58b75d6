"""Weights computed from others: weight and spectral norm, parametrizations, pruning, fusion."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict
from typing import Any

import pytest

import wengert as wg
from wengert import nn
from wengert.nn.utils import parametrizations, parametrize, prune


def fill(module: Any) -> Any:
    """Give the parameters numbers that are the same in every library."""
    for i, (_, p) in enumerate(sorted(module.named_parameters())):
        p.data.copy_((i + 0.37 * p.detach().new_ones(p.numel()).cumsum(0).reshape(p.shape)).sin())
    return module


def norms(T: Any) -> list[Any]:
    new, old = T.nn.utils.parametrizations, T.nn.utils
    return [
        lambda: new.weight_norm(T.nn.Linear(4, 3)),
        lambda: new.weight_norm(T.nn.Linear(4, 3), dim=None),
        lambda: new.weight_norm(T.nn.Linear(4, 3), "bias"),
        lambda: old.weight_norm(T.nn.Linear(4, 3), dim=1),
        lambda: old.remove_weight_norm(old.weight_norm(T.nn.Linear(4, 3))),
        lambda: new.orthogonal(T.nn.Linear(4, 3), orthogonal_map="cayley", use_trivialization=False),
        lambda: new.orthogonal(T.nn.Linear(4, 4), orthogonal_map="matrix_exp", use_trivialization=False),
        lambda: new.orthogonal(T.nn.Linear(4, 3), orthogonal_map="householder", use_trivialization=False),
        lambda: T.nn.utils.prune.l1_unstructured(fill(T.nn.Linear(4, 3)), "weight", 5),
        lambda: T.nn.utils.prune.ln_structured(fill(T.nn.Linear(4, 3)), "weight", 0.3, n=2, dim=1),
        lambda: T.nn.utils.prune.identity(T.nn.Linear(4, 3), "bias"),
    ]


def run(T: Any, make: Any) -> Any:
    layer = fill(make().double())
    x = T.linspace(-1, 1, 8, dtype=T.float64).reshape(2, 4).requires_grad_()
    out = layer(x)
    (out**3).sum().backward()
    grads = {n: p.grad.tolist() for n, p in layer.named_parameters() if p.grad is not None}
    return list(layer.state_dict()), out.tolist(), grads, x.grad.tolist(), repr(layer)


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("i", range(11))
def test_weights_are_those_of_torch(i: int):
    torch = pytest.importorskip("torch")
    pytest.importorskip("torch.nn.utils.prune")
    ours, theirs = run(wg, norms(wg)[i]), run(torch, norms(torch)[i])
    assert ours[0] == theirs[0]
    assert ours[4] == theirs[4]
    assert set(ours[2]) == set(theirs[2])
    pairs = [(ours[1], theirs[1]), (ours[3], theirs[3]), *((ours[2][n], theirs[2][n]) for n in ours[2])]
    for a, b in pairs:
        assert wg.allclose(wg.tensor(a, dtype=wg.float64), wg.tensor(b, dtype=wg.float64))


@pytest.mark.parametrize("new", [True, False])
def test_spectral_norm_learns_the_largest_singular_value(new: bool):
    layer = (parametrizations if new else nn.utils).spectral_norm(nn.Linear(5, 4))
    for _ in range(100):
        layer(wg.ones(1, 5))
    assert wg.linalg.svdvals(layer.weight.detach())[0].item() == pytest.approx(1.0, abs=1e-3)
    layer.eval()
    before = [b.clone() for b in layer.buffers()]
    layer(wg.ones(1, 5)).sum().backward()
    assert all(wg.equal(a, b) for a, b in zip(before, layer.buffers(), strict=True))
    if not new:
        weight = layer.weight.detach().clone()
        nn.utils.remove_spectral_norm(layer)
        assert wg.allclose(layer.weight, weight)
        assert isinstance(layer.weight, nn.Parameter)
        with pytest.raises(ValueError, match="not found"):
            nn.utils.remove_spectral_norm(layer)


def test_spectral_norm_notes_its_layout_and_reads_the_older_one():
    layer = nn.utils.spectral_norm(nn.Linear(3, 5))
    layer(wg.ones(2, 3))
    state = layer.state_dict()
    assert state._metadata[""]["spectral_norm"] == {"weight.version": 1}  # type: ignore[attr-defined]
    older = OrderedDict(state)
    v = older.pop("weight_v")
    older["weight"] = layer.weight.detach().clone()
    other = nn.utils.spectral_norm(nn.Linear(3, 5))
    other.load_state_dict(older)  # without metadata, with the weight in the place of v
    assert wg.allclose(other.weight_v, v, atol=1e-5)
    del older["weight_u"]
    with pytest.raises(RuntimeError, match=r"Missing key.*weight_u"):
        other.load_state_dict(older)
    plain = nn.utils.remove_spectral_norm(layer)
    assert "spectral_norm" not in plain.state_dict()._metadata[""]  # type: ignore[attr-defined]
    plain.load_state_dict({"weight": wg.zeros(5, 3), "bias": wg.zeros(5)})
    assert isinstance(pickle.loads(pickle.dumps(other)), nn.Linear)


class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).mT

    def right_inverse(self, x):
        return x.triu()


def test_a_parametrized_tensor_is_assigned_cached_and_removed():
    layer = nn.Linear(3, 3)
    weight = layer.weight
    parametrize.register_parametrization(layer, "weight", Symmetric())
    assert layer.parametrizations.weight.original is weight  # optimizers hold it
    assert type(layer).__name__ == "ParametrizedLinear"
    assert parametrize.type_before_parametrizations(layer) is nn.Linear
    layer.weight = wg.arange(9.0).reshape(3, 3)
    assert layer.weight.tolist() == [[0, 1, 2], [1, 4, 5], [2, 5, 8]]
    assert layer.weight is not layer.weight
    with parametrize.cached():
        assert layer.weight is layer.weight
    twin = copy.deepcopy(layer)
    twin.weight = wg.eye(3)
    assert layer.weight[0, 1] == 1
    with pytest.raises(RuntimeError, match="only supported through state_dict"):
        pickle.dumps(layer)
    other = parametrize.transfer_parametrizations_and_params(layer, nn.Linear(3, 3))
    assert wg.equal(other.weight, layer.weight)
    parametrize.remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear
    assert layer.weight is weight
    assert list(layer.state_dict()) == ["bias", "weight"]
    with pytest.raises(ValueError, match="does not have a parametrization"):
        parametrize.remove_parametrizations(layer, "weight")


def test_parametrizations_may_not_change_a_shape():
    class First(nn.Module):
        def forward(self, x):
            return x[0]

    with pytest.raises(ValueError, match="may not change the shape"):
        parametrize.register_parametrization(nn.Linear(3, 3), "weight", First())
    with pytest.raises(ValueError, match="does not have a parameter"):
        parametrize.register_parametrization(nn.Linear(3, 3), "nothing", First())
    layer = parametrize.register_parametrization(nn.Linear(3, 3), "weight", First(), unsafe=True)
    assert layer.weight.shape == (3,)


def test_weight_norm_loads_its_older_form():
    old, new = nn.utils.weight_norm(nn.Linear(4, 3)), parametrizations.weight_norm(nn.Linear(4, 3))
    new.load_state_dict(old.state_dict())
    assert wg.allclose(new(wg.ones(1, 4)), old(wg.ones(1, 4)))


def test_pruning_adds_up_and_becomes_permanent():
    model = nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 3))
    prune.l1_unstructured(model[0], "weight", 6)
    prune.random_structured(model[0], "weight", 2, dim=0)
    prune.l1_unstructured(model[0], "weight", 2)
    assert int((model[0].weight_mask == 0).sum()) >= 8
    prune.global_unstructured([(model[0], "weight"), (model[1], "weight")], prune.L1Unstructured, amount=0.5)
    zeros = int((model[0].weight == 0).sum() + (model[1].weight == 0).sum())
    assert zeros >= 21
    model(wg.ones(1, 4)).sum().backward()
    assert int((model[0].weight_orig.grad == 0).sum()) >= int((model[0].weight_mask == 0).sum())
    prune.remove(model[0], "weight")
    prune.remove(model[1], "weight")
    assert not prune.is_pruned(model)
    assert int((model[0].weight == 0).sum() + (model[1].weight == 0).sum()) == zeros
    assert list(model[0].state_dict()) == ["bias", "weight"]
    for amount in (1.5, -1, 1000):
        with pytest.raises(ValueError, match="amount"):
            prune.l1_unstructured(model[0], "weight", amount)
    with pytest.raises(ValueError, match="multidimensional"):
        prune.ln_structured(model[0], "bias", 1, n=2, dim=0)


def test_fused_layers_do_the_same():
    conv, norm = nn.ConvTranspose2d(2, 3, 2).eval(), nn.BatchNorm2d(3).eval()
    norm.running_mean.fill_(0.3)
    norm.running_var.fill_(2.0)
    x = wg.rand(1, 2, 4, 4)
    assert wg.allclose(nn.utils.fuse_conv_bn_eval(conv, norm, transpose=True)(x), norm(conv(x)), atol=1e-6)
    linear, norm = nn.Linear(4, 3).eval(), nn.BatchNorm1d(3).eval()
    norm.running_mean.fill_(0.3)
    assert wg.allclose(nn.utils.fuse_linear_bn_eval(linear, norm)(x[0, 0]), norm(linear(x[0, 0])), atol=1e-6)
    with pytest.raises(AssertionError):
        nn.utils.fuse_linear_bn_eval(linear.train(), norm)


def test_hooks_are_counted_and_cleared():
    layer, seen = nn.Linear(2, 2), []
    assert not layer._forward_hooks
    layer.register_forward_hook(lambda *args: seen.append(1))
    assert len(layer._forward_hooks) == 1
    layer._forward_hooks.clear()
    layer(wg.ones(1, 2))
    assert not seen


@pytest.mark.parametrize(
    ("inverse", "says"),
    [
        (lambda self, x: (x, x), "right_inverse must return a tensor"),
        (lambda self, x: x.bool(), "must have the same dtype"),
        (lambda self, x: x[:-1], "must have the same shape"),
    ],
    ids=["tuple", "dtype", "shape"],
)
def test_a_further_parametrization_must_go_back_to_the_same_kind_of_tensor(inverse: Any, says: str):
    layer = parametrize.register_parametrization(nn.Linear(3, 3), "weight", nn.Identity())
    step = type("Step", (nn.Identity,), {"right_inverse": inverse})()
    with pytest.raises(ValueError, match=says):
        parametrize.register_parametrization(layer, "weight", step)
    assert len(layer.parametrizations.weight) == 1


def test_the_householder_map_starts_at_the_orthogonal_factor():
    layer = nn.Linear(4, 4).double()
    q, r = wg.linalg.qr(layer.weight.detach())
    expected = q * r.diagonal().sgn()
    parametrizations.orthogonal(layer, orthogonal_map="householder", use_trivialization=False)
    wg.testing.assert_close(layer.weight.detach(), expected)


def test_amounts_to_prune_are_checked_under_the_names_of_torch():
    with pytest.raises(TypeError):
        prune._validate_pruning_amount_init("half")
    with pytest.raises(ValueError, match="smaller than the number of parameters"):
        prune._validate_pruning_amount(20, 19)
    assert [prune._compute_nparams_toprune(a, 17) for a in (0, 3, 0.4, 1.0)] == [0, 3, 7, 17]


def test_pruned_recurrent_weights_are_no_parameters():
    layer = nn.LSTM(2, 2)
    assert layer._flat_weights_names == ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
    prune.l1_unstructured(layer, "weight_ih_l0", 0.5)
    assert [isinstance(w, nn.Parameter) for w in layer._flat_weights] == [False, True, True, True]
    prune.remove(layer, "weight_ih_l0")
    assert all(isinstance(w, nn.Parameter) for w in layer._flat_weights)
