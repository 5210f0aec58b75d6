"""Deprecated names and arguments of `wengert.nn`: they work, and warn as PyTorch's do, at the program's line."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest

import wengert as wg


def z(T: Any, *shape: int) -> Any:
    return T.zeros(*shape)


CALLS: dict[str, Callable[[Any], Any]] = {
    "mse sa": lambda T: T.nn.functional.mse_loss(z(T, 2), z(T, 2), size_average=False),
    "mse red": lambda T: T.nn.functional.mse_loss(z(T, 2), z(T, 2), reduce=False),
    "l1 both": lambda T: T.nn.functional.l1_loss(z(T, 2), z(T, 2), size_average=False, reduce=True),
    "ce sa": lambda T: T.nn.functional.cross_entropy(z(T, 2, 2), T.tensor([0, 1]), size_average=True),
    "nll sa": lambda T: T.nn.functional.nll_loss(z(T, 2, 2), T.tensor([0, 1]), size_average=True),
    "bce sa": lambda T: T.nn.functional.binary_cross_entropy(z(T, 2), z(T, 2), size_average=True),
    "bcel sa": lambda T: T.nn.functional.binary_cross_entropy_with_logits(z(T, 2), z(T, 2), size_average=True),
    "kl": lambda T: T.nn.functional.kl_div(z(T, 2), z(T, 2)),
    "klsa": lambda T: T.nn.functional.kl_div(z(T, 2), z(T, 2), size_average=True),
    "poisson": lambda T: T.nn.functional.poisson_nll_loss(z(T, 2), z(T, 2), size_average=True),
    "hinge": lambda T: T.nn.functional.hinge_embedding_loss(z(T, 2), z(T, 2), reduce=True),
    "smooth": lambda T: T.nn.functional.smooth_l1_loss(z(T, 2), z(T, 2), reduce=True),
    "triplet": lambda T: T.nn.functional.triplet_margin_loss(z(T, 2, 2), z(T, 2, 2), z(T, 2, 2), reduce=True),
    "multi": lambda T: T.nn.functional.multi_margin_loss(z(T, 2, 2), T.tensor([0, 1]), reduce=True),
    "mlm": lambda T: T.nn.functional.multilabel_margin_loss(z(T, 2, 2), T.tensor([[0, 1], [0, 1]]), reduce=True),
    "mlsm": lambda T: T.nn.functional.multilabel_soft_margin_loss(z(T, 2, 2), z(T, 2, 2), reduce=True),
    "soft": lambda T: T.nn.functional.soft_margin_loss(z(T, 2, 2), z(T, 2, 2), reduce=True),
    "cos": lambda T: T.nn.functional.cosine_embedding_loss(z(T, 2, 2), z(T, 2, 2), T.ones(2), reduce=True),
    "rank": lambda T: T.nn.functional.margin_ranking_loss(z(T, 2), z(T, 2), T.ones(2), reduce=True),
    "MSELoss": lambda T: T.nn.MSELoss(size_average=False),
    "NLLLoss": lambda T: T.nn.NLLLoss(reduce=False),
    "KLDiv": lambda T: T.nn.KLDivLoss()(z(T, 2), z(T, 2)),
    "KLDivsa": lambda T: T.nn.KLDivLoss(size_average=True),
    "Triplet": lambda T: T.nn.TripletMarginLoss(reduce=True),
    "softmax": lambda T: T.nn.functional.softmax(z(T, 2, 2)),
    "softmin": lambda T: T.nn.functional.softmin(z(T, 2, 2)),
    "logsoftmax": lambda T: T.nn.functional.log_softmax(z(T, 2, 2)),
    "gumbel": lambda T: T.nn.functional.gumbel_softmax(z(T, 2, 2), eps=1.0),
    "Softmax": lambda T: T.nn.Softmax()(z(T, 2, 2)),
    "LogSoftmax": lambda T: T.nn.LogSoftmax()(z(T, 2, 2)),
    "Softmin": lambda T: T.nn.Softmin()(z(T, 2, 2)),
    "tanh": lambda T: T.nn.functional.tanh(z(T, 2)),
    "sigmoid": lambda T: T.nn.functional.sigmoid(z(T, 2)),
    "NLLLoss2d": lambda T: T.nn.NLLLoss2d(),
    "upsample": lambda T: T.nn.functional.upsample(z(T, 1, 1, 4), scale_factor=2),
    "upsample_nearest": lambda T: T.nn.functional.upsample_nearest(z(T, 1, 1, 4), scale_factor=2),
    "upsample_bilinear": lambda T: T.nn.functional.upsample_bilinear(z(T, 1, 1, 4, 4), scale_factor=2),
    "interp half": lambda T: T.nn.functional.interpolate(z(T, 1, 1, 4, 4), scale_factor=2, mode="bilinear"),
    "interp rsf": lambda T: T.nn.functional.interpolate(z(T, 1, 1, 4, 4), scale_factor=1.5, mode="bilinear"),
    "interp rsf int": lambda T: T.nn.functional.interpolate(z(T, 1, 1, 4, 4), scale_factor=2.5),
    "grid": lambda T: T.nn.functional.grid_sample(z(T, 1, 1, 4, 4), z(T, 1, 2, 2, 2)),
    "affine": lambda T: T.nn.functional.affine_grid(z(T, 1, 2, 3), (1, 1, 2, 2)),
    "affine1": lambda T: T.nn.functional.affine_grid(z(T, 1, 2, 3), (1, 1, 1, 2), align_corners=True),
    "dropout2d": lambda T: T.nn.functional.dropout2d(z(T, 2, 3, 4)),
    "dropout2d2": lambda T: T.nn.functional.dropout2d(z(T, 2, 3)),
    "dropout3d": lambda T: T.nn.functional.dropout3d(z(T, 2, 3, 4)),
    "alpha": lambda T: T.nn.functional.feature_alpha_dropout(z(T, 2, 3, 4)),
    "bn1": lambda T: T.nn.LazyBatchNorm1d(),
    "lstm drop": lambda T: T.nn.LSTM(2, 3, dropout=0.5),
    "hardtanh2": lambda T: T.nn.Hardtanh(min_value=-2, max_value=2),
    "hardtanhmax": lambda T: T.nn.Hardtanh(max_value=3),
    "embedding_bag old": lambda T: T.nn.functional.embedding_bag(z(T, 5, 3), T.tensor([[1, 2]])),
    "mha mask mix": lambda T: T.nn.MultiheadAttention(4, 2)(
        z(T, 3, 2, 4), z(T, 3, 2, 4), z(T, 3, 2, 4), T.zeros(2, 3, dtype=T.bool), True, z(T, 3, 3)
    ),
    "clip": lambda T: T.nn.utils.clip_grad_norm([z(T, 2).requires_grad_()], 1.0),
    "weight_norm": lambda T: T.nn.utils.weight_norm(T.nn.Linear(2, 2)),
    "init trunc": lambda T: T.nn.init.trunc_normal_(z(T, 2), mean=10),
    "init depr": lambda T: T.nn.init.xavier_normal(z(T, 2, 2)),
    "kaiming0": lambda T: T.nn.init.kaiming_normal_(z(T, 0, 2)),
    "Conv0": lambda T: T.nn.Conv2d(0, 2, 1),
    "PReLU0": lambda T: T.nn.PReLU(0),
    "cross chan": lambda T: T.nn.CrossMapLRN2d(2)(z(T, 1, 4, 2, 2)),
    "nonfull": lambda T: T.nn.Linear(2, 2).register_backward_hook(lambda *a: None),
}


def caught(call: Callable[[Any], Any], T: Any) -> list[warnings.WarningMessage]:
    """The warnings of a call; those of divisions by zero, which the library keeps to itself, left out."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        call(T)
    return [w for w in found if w.category is not RuntimeWarning]


@pytest.mark.parity
@pytest.mark.parametrize("what", CALLS)
def test_warnings_are_those_of_torch(what: str):
    torch = pytest.importorskip("torch")
    expected, found = caught(CALLS[what], torch), caught(CALLS[what], wg)
    assert [w.category for w in found] == [w.category for w in expected]
    for mine, theirs in zip(found, expected, strict=True):
        assert str(mine.message).replace("wengert.", "torch.") == str(theirs.message)
        assert mine.filename == __file__


@pytest.mark.parametrize("what", ["mse sa", "softmin", "NLLLoss2d", "tanh", "sigmoid", "clip", "init depr"])
def test_deprecated_calls_still_work(what: str):
    for w in caught(CALLS[what], wg):
        assert w.filename == __file__


def test_containers_of_old():
    with pytest.warns(FutureWarning, match="Subclass that instead"):
        box = wg.nn.Container(a=wg.nn.Linear(1, 2))
    assert list(box.state_dict()) == ["a.weight", "a.bias"]


def test_many_models_on_one_device():
    from wengert.nn.parallel.parallel_apply import parallel_apply
    from wengert.nn.parallel.replicate import replicate

    model = wg.nn.Linear(2, 2)
    assert replicate(model, [0]) == [model]
    x = wg.ones(1, 2)
    assert [y.tolist() for y in parallel_apply([model, model], [x, (x,)])] == [model(x).tolist()] * 2
