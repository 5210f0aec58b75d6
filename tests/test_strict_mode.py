"""`wengert.debug.strict`, and the warnings that it makes errors of: doubtful calls, with line and way out."""

from __future__ import annotations

import inspect
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import wengert as wg
from wengert import debug, nn
from wengert.backends.errors import StrictError
from wengert.nn import functional as F

LOSSES = {
    "mse_loss": F.mse_loss,
    "l1_loss": F.l1_loss,
    "smooth_l1_loss": F.smooth_l1_loss,
    "smooth_l1_loss without a kink": lambda x, y: F.smooth_l1_loss(x, y, beta=0.0),
    "huber_loss": F.huber_loss,
}
MODULES = {"mse_loss": nn.MSELoss, "l1_loss": nn.L1Loss, "smooth_l1_loss": nn.SmoothL1Loss, "huber_loss": nn.HuberLoss}
SIZES = [
    ((4,), (4, 1), "[4, 4]", "likely fix: target.squeeze(-1)"),
    ((4, 1), (4,), "[4, 4]", "likely fix: input.squeeze(-1), or target.unsqueeze(1)"),
    ((2, 3), (3, 2, 1), "[3, 2, 3]", "likely fix: target.view_as(input)"),
    ((4, 3), (1, 3), "[4, 3]", "if that is meant: target.expand_as(input)"),
    ((4, 3), (), "[4, 3]", "if that is meant: target.expand_as(input)"),
]


def here(offset: int = 0) -> str:
    """``file:line`` of the caller, or of a line further down."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return f"{__file__}:{frame.f_back.f_lineno + offset}"


@pytest.mark.parametrize(("a", "b", "result", "fix"), SIZES, ids=str)
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_that_broadcasts_warns_with_sizes_line_and_fix(name: str, a: Any, b: Any, result: str, fix: str):
    x, y = wg.zeros(a), wg.ones(b)
    line = here(+2)
    with pytest.warns(UserWarning, match="Using a target size") as caught:
        LOSSES[name](x, y)
    assert len(caught) == 1
    text = str(caught[0].message)
    assert text.startswith(
        f"Using a target size (wengert.Size({list(b)})) that is different to the input size (wengert.Size({list(a)})). "
        "This will likely lead to incorrect results due to broadcasting. Please ensure they have the same size."
    )
    assert f"broadcasts {list(a)} and {list(b)} to {result} at " in text
    assert fix in text
    assert caught[0].filename == __file__
    if "kink" not in name:
        assert f"{caught[0].filename}:{caught[0].lineno}" == line
        assert line in text


@pytest.mark.parametrize("name", MODULES)
def test_the_line_is_that_which_calls_the_model(name: str):
    criterion = nn.ModuleDict({"loss": MODULES[name]()})
    model = nn.Module()
    model.criterion = criterion
    model.forward = lambda x, y: criterion["loss"](x, y)
    x, y = wg.zeros(3, 1), wg.ones(3)
    with pytest.warns(UserWarning, match=r"input.squeeze\(-1\)") as caught:
        model(x, y)
    assert caught[0].filename == __file__
    with debug.strict(), pytest.raises(StrictError, match=r"\[in criterion.loss: \w+\(\)\]$"):
        model(x, y)


def test_sizes_that_do_not_broadcast_warn_and_then_raise():
    with (
        pytest.warns(UserWarning, match="huber_loss cannot broadcast them"),
        pytest.raises(RuntimeError, match=r"huber_loss: The size of tensor a \(3\) must match the size of tensor b"),
    ):
        F.huber_loss(wg.zeros(3), wg.zeros(4))


def test_equal_sizes_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for loss in LOSSES.values():
            loss(wg.zeros(4, 1), wg.zeros(4, 1))


x, rows = wg.zeros(4), wg.zeros(4, 3)
whole = wg.zeros(3, dtype=wg.int64)
labels = wg.zeros(4, dtype=wg.int64)
small = wg.tensor([200, 3], dtype=wg.uint8)

# What is refused: the call, and the words that say why or what to do. Without strict mode all of these work.
REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "mse_loss": (lambda: F.mse_loss(x, x[:, None]), r"target.squeeze\(-1\)"),
    "l1_loss": (lambda: nn.L1Loss()(x[:, None], x), r"input.squeeze\(-1\)"),
    "kl_div": (lambda: F.kl_div(rows, rows[:, :1], reduction="sum"), "Using a target size"),
    "poisson_nll_loss": (lambda: F.poisson_nll_loss(x, x[:, None]), "broadcasts"),
    "gaussian_nll_loss": (lambda: F.gaussian_nll_loss(x, x[:, None], x + 1), "broadcasts"),
    "soft_margin_loss": (lambda: F.soft_margin_loss(x[:, None], x[:1]), "broadcasts"),
    "hinge_embedding_loss": (lambda: F.hinge_embedding_loss(x, x[:, None]), "broadcasts"),
    "multilabel_soft_margin_loss": (lambda: F.multilabel_soft_margin_loss(rows, rows[:1]), "broadcasts"),
    "margin_ranking_loss": (lambda: F.margin_ranking_loss(rows, rows, rows[:, :1]), "broadcasts"),
    "cosine_embedding_loss": (lambda: F.cosine_embedding_loss(rows, rows[:1], x), "second input"),
    "triplet_margin_loss": (lambda: F.triplet_margin_loss(rows, rows[:1], rows), "positive"),
    "a column and a row": (lambda: x[:, None] - x, r"sub: shapes \[4, 1\] and \[4\] broadcast to \[4, 4\]"),
    "a product of them": (lambda: x.mul(x[:, None]), r"mul: .* broadcast to \[4, 4\]"),
    "a comparison of them": (lambda: (rows.argmax(1) == labels[:, None]).sum(), r"eq: .*\.squeeze\(-1\)"),
    "a power of them": (lambda: x[:, None] ** x, "pow"),
    "softmax of one element": (lambda: F.softmax(x[:, None], dim=1), "every probability is 1"),
    "log-softmax of one element": (lambda: nn.LogSoftmax(-1)(x[:, None]), "sigmoid"),
    "one class": (lambda: F.cross_entropy(x[:, None], labels), "the loss is always 0"),
    "probabilities as scores": (lambda: F.cross_entropy(wg.randn(4, 3).softmax(1), labels), "leave out the softmax"),
    "scores as log-probabilities": (lambda: F.nll_loss(rows + 1, labels), "cross_entropy for scores"),
    "a fraction as an element": (lambda: whole.clone().__setitem__(0, 2.5), "2.5 loses its fraction"),
    "fractions as elements": (lambda: whole.clone().__setitem__(..., wg.tensor(0.5)), r"\.trunc\(\)"),
    "copy_": (lambda: whole.clone().copy_(wg.tensor([0.5, 1, 2])), "lose their fractions"),
    "fill_": (lambda: whole.clone().fill_(0.1), "loses its fraction"),
    "full": (lambda: wg.full((2,), 0.5, dtype=wg.int64), "loses its fraction"),
    "bytes below zero": (lambda: small - 4, "sub: the result does not fit uint8"),
    "bytes that are added": (lambda: small + small, r"add: .*\.float\(\)"),
    "bytes that are multiplied": (lambda: small.to(wg.int8) * 3, "does not fit int8"),
    "size_average": (lambda: F.mse_loss(x, x, size_average=True), "reduction='mean'"),
    "reduce": (lambda: nn.MSELoss(reduce=False), "reduction='none'"),
    "no dim": (lambda: F.softmax(rows), "Implicit dimension choice"),
    "a mean that is no divergence": (lambda: F.kl_div(rows, rows), "batchmean"),
    "an old initialiser": (lambda: nn.init.normal(wg.empty(3)), "nn.init.normal_"),
    "dropout of one layer": (lambda: nn.LSTM(2, 3, dropout=0.5), "num_layers=1"),
    "T of three dimensions": (lambda: wg.zeros(2, 3, 4).T, "x.mT"),
}


@pytest.fixture
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("what", REFUSED)
def test_what_strict_mode_refuses(what: str):
    call, words = REFUSED[what]
    call()
    with debug.strict(), pytest.raises(StrictError, match=words) as caught:
        call()
    assert "(Refused by wengert.debug.strict.)" in str(caught.value)
    assert f"{__file__}:{call.__code__.co_firstlineno}" in str(caught.value)
    assert isinstance(caught.value, RuntimeError)
    with debug.strict(), debug.strict(False):
        call()
    call()


ALLOWED: dict[str, Callable[[], Any]] = {
    "equal sizes": lambda: F.mse_loss(rows, rows),
    "rows and columns of one rank": lambda: x[:, None] - x[None, :],
    "a column and a row of other sizes": lambda: x[:, None] * wg.ones(3),
    "a bias": lambda: rows + wg.ones(3),
    "one element": lambda: wg.ones(1) + wg.ones(1, 1),
    "scores": lambda: F.cross_entropy(wg.randn(4, 3), labels),
    "log-probabilities": lambda: F.nll_loss(wg.randn(4, 3).log_softmax(1), labels),
    "whole numbers": lambda: whole.clone().copy_(wg.tensor([1.0, 2.0, 3.0])),
    "bytes that fit": lambda: small - 3,
    "bytes on purpose": lambda: small.int() - 4,
    "layers": lambda: nn.MultiheadAttention(4, 2)(wg.randn(3, 4), wg.randn(3, 4), wg.randn(3, 4)),
    "positions": lambda: nn.RotaryEmbedding(6)(wg.randn(2, 3, 6)),
    "a margin": lambda: F.multi_margin_loss(wg.randn(4, 3), labels),
    "gradients": lambda: (wg.randn(4, 1, requires_grad=True) * wg.ones(4, 3)).sum().backward(),
}


@pytest.mark.parametrize("what", ALLOWED)
def test_what_strict_mode_allows(what: str):
    with debug.strict():
        ALLOWED[what]()


def test_a_model_trains_in_strict_mode():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3))
    with debug.strict():
        model(wg.zeros(2, 1, 6, 6))
        optimizer = wg.optim.Adam(model.parameters())
        for _ in range(2):
            optimizer.zero_grad()
            F.cross_entropy(model(wg.randn(5, 1, 6, 6)), wg.tensor([0, 1, 2, 0, 1])).backward()
            optimizer.step()


def test_strict_as_a_decorator_and_as_a_switch():
    @debug.strict()
    def compute(again: bool) -> Any:
        return compute(False) if again else x[:, None] - x

    with pytest.raises(StrictError):
        compute(True)
    assert (x[:, None] - x).shape == (4, 4)
    debug.set_strict(True)
    debug.set_strict(True)
    try:
        with pytest.raises(StrictError):
            x[:, None] - x
        seen: list[Exception] = []

        def elsewhere() -> None:
            try:
                x[:, None] + x
            except StrictError as error:
                seen.append(error)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert len(seen) == 1
    finally:
        debug.set_strict(False)
    assert (x[:, None] - x).shape == (4, 4)
    with pytest.raises(TypeError, match="expects a bool"):
        debug.set_strict(1)


def test_nothing_changes_when_a_call_is_refused():
    y = whole.clone()
    with debug.strict(), pytest.raises(StrictError):
        y.fill_(0.5)
    assert y.tolist() == [0, 0, 0]
