"""Rows of the op table: losses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .base import Args, Make, OpCase
from .products import row, shaped

REDUCTIONS = ("mean", "sum", "none")


def weighted(name: str) -> Callable[..., Any]:
    """``fn(T, x, target, options)`` with a constant weight per class if ``"weighted"`` says so."""

    def fn(T: Any, x: Any, target: Any, options: Any = None) -> Any:
        options = dict(options or {})
        if options.pop("weighted", False):
            options["weight"] = T.arange(5).to(x) + 0.5
        return getattr(T.nn.functional, name)(x, target, **options)

    return fn


def classes(smoothing: bool) -> Callable[[Make], Iterable[Args]]:
    """Scores and class indices: flat, with dimensions behind, single; weighted, ignored, smoothed."""

    def samples(make: Make) -> Iterable[Args]:
        for reduction in REDUCTIONS:
            yield make.real(4, 5), make.integers(4, high=5), {"reduction": reduction}
            yield make.real(2, 5, 3), make.integers(2, 3, high=5), {"reduction": reduction}
        yield make.real(4, 5), np.array([1, 2, 2, 0]), {"ignore_index": 2, "weighted": True}
        yield make.real(2, 5, 2, 2), np.array([[[0, -100], [3, 4]], [[1, 2], [-100, 0]]]), {"weighted": True}
        yield make.real(5), np.array(3)
        if smoothing:
            yield make.real(4, 5), np.array([1, 2, 2, 0]), {"ignore_index": 2, "label_smoothing": 0.2, "weighted": True}
            yield make.real(4, 5), np.array([1, 4, 2, 0]), {"label_smoothing": 0.1, "reduction": "none"}
            yield make.real(4, 5), make.positive(4, 5), {"label_smoothing": 0.1, "weighted": True}
            yield make.real(2, 5, 3), make.positive(2, 5, 3), {"reduction": "sum"}

    return samples


def pairs(*options: dict[str, Any], low: float = -2.0, high: float = 2.0) -> Callable[[Make], Iterable[Args]]:
    """A prediction and a target in every reduction, and with each of the options."""

    def samples(make: Make) -> Iterable[Args]:
        for option in [{"reduction": r} for r in REDUCTIONS] + list(options):
            chosen = {k: make.positive(*v) if isinstance(v, tuple) else v for k, v in option.items()}
            yield make.real(3, 4, low=low, high=high), make.real(3, 4, low=low, high=high), chosen

    return samples


def apart(*options: dict[str, Any]) -> Callable[[Make], Iterable[Args]]:
    """A prediction and a target with differences away from the kinks at 0 and at 1."""

    def samples(make: Make) -> Iterable[Args]:
        for option in [{"reduction": r} for r in REDUCTIONS] + list(options):
            target = make.real(3, 4)
            yield target + make.away(3, 4, points=(-1.0, 0.0, 1.0)), target, option

    return samples


def signs(inputs: int, shape: tuple[int, ...], *options: dict[str, Any]) -> Callable[[Make], Iterable[Args]]:
    """One or two inputs and integer targets of 1 and -1, one per sample."""

    def samples(make: Make) -> Iterable[Args]:
        for option in [{"reduction": r} for r in REDUCTIONS] + list(options):
            target = make.integers(4, high=2) * 2 - 1
            yield *[make.real(*shape) for _ in range(inputs)], target, option

    return samples


def multi_margin(make: Make) -> Iterable[Args]:
    return [
        (make.real(4, 5), make.integers(4, high=5)),
        (make.real(4, 5), make.integers(4, high=5), 2, 0.6, make.positive(5), {"reduction": "none"}),
        (make.real(5), np.array(2)),
        (make.real(5), np.array([2]), {"reduction": "none"}),
    ]


def multilabel_margin(make: Make) -> Iterable[Args]:
    target = np.array([[3, 0, -1, 1, 2], [1, 1, -1, 0, 0], [-1, 0, 0, 0, 0], [0, 1, 2, 3, 4]])
    return [(make.real(4, 5), target), (make.real(4, 5), target, {"reduction": "none"}), (make.real(5), target[0])]


def triplets(*options: dict[str, Any]) -> Callable[[Make], Iterable[Args]]:
    def samples(make: Make) -> Iterable[Args]:
        for option in [{"reduction": r} for r in REDUCTIONS] + list(options):
            yield make.real(4, 3), make.real(4, 3), make.real(4, 3), option

    return samples


def gaussian(make: Make) -> Iterable[Args]:
    for shape in ((3, 4), (3, 1), (3,)):
        yield make.real(3, 4), make.real(3, 4), make.positive(*shape), {"full": len(shape) > 1, "reduction": "none"}


def poisson(make: Make) -> Iterable[Args]:
    counts = make.integers(3, 4, high=5)
    return [
        (make.real(3, 4), counts),
        (make.real(3, 4), counts, {"full": True, "reduction": "sum"}),
        (make.positive(3, 4), counts, {"log_input": False, "reduction": "none"}),
    ]


def ctc(T: Any, x: Any, *rest: Any) -> Any:
    """Through log_softmax, as PyTorch's gradient is only right there."""
    return T.nn.functional.ctc_loss(T.log_softmax(x, -1), *rest[:-1], **rest[-1])


def ctc_samples(make: Make) -> Iterable[Args]:
    targets = np.array([[1, 1, 2], [3, 2, 1], [2, 4, 2]])
    lengths = np.array([8, 6, 7]), np.array([3, 0, 2])
    for reduction in REDUCTIONS:
        yield make.real(8, 3, 5), targets, *lengths, {"reduction": reduction}
    short = np.array([2, 6, 7]), np.array([3, 0, 2])  # two steps are too few for three labels
    yield make.real(8, 3, 5), targets, *short, {"reduction": "sum", "zero_infinity": True}


CASES: list[OpCase] = [
    OpCase("nn.functional.cross_entropy", weighted("cross_entropy"), classes(True)),
    OpCase("nn.functional.nll_loss", weighted("nll_loss"), classes(False)),
    row("nn.functional.mse_loss", pairs({"weight": (3, 4)})),
    row("nn.functional.l1_loss", apart()),
    row("nn.functional.smooth_l1_loss", apart({"beta": 1.0})),
    row("nn.functional.huber_loss", apart({"delta": 1.0})),
    row("nn.functional.binary_cross_entropy", pairs(low=0.1, high=0.9)),
    row("nn.functional.binary_cross_entropy_with_logits", pairs()),
    *[
        OpCase(
            f"nn.functional.{name}",
            lambda T, x, t, name=name: getattr(T.nn.functional, name)(x, t, T.arange(4).to(x) + 0.5, reduction="sum"),
            lambda make: [(make.real(3, 4, low=0.1, high=0.9), make.real(3, 4, low=0.1, high=0.9))],
            note="weight",
        )
        for name in ("binary_cross_entropy", "binary_cross_entropy_with_logits")
    ],
    OpCase(
        "nn.functional.binary_cross_entropy_with_logits",
        lambda T, x, t: T.nn.functional.binary_cross_entropy_with_logits(x, t, pos_weight=T.arange(4).to(x) + 0.5),
        shaped(((3, 4), (3, 4))),
        note="pos_weight",
    ),
    row("nn.functional.kl_div", pairs({"log_target": True, "reduction": "batchmean"}, low=0.1, high=0.9)),
    OpCase(
        "nn.functional.linear_cross_entropy",
        lambda T, x, w, t: T.nn.functional.linear_cross_entropy(x, w, t),
        lambda make: [
            (make.real(4, 3), make.real(5, 3), make.integers(4, high=5)),
            (make.real(4, 3), make.real(5, 2, 3), make.integers(4, 2, high=5)),
        ],
    ),
    row("nn.functional.margin_ranking_loss", signs(2, (4,), {"margin": 0.7})),
    row("nn.functional.hinge_embedding_loss", signs(1, (4,), {"margin": 0.3})),
    row("nn.functional.cosine_embedding_loss", signs(2, (4, 3), {"margin": 0.1})),
    row("nn.functional.soft_margin_loss", signs(1, (4,))),
    row("nn.functional.multi_margin_loss", multi_margin),
    row("nn.functional.multilabel_margin_loss", multilabel_margin),
    row("nn.functional.multilabel_soft_margin_loss", pairs({"weight": (4,)})),
    row("nn.functional.triplet_margin_loss", triplets({}, {"swap": True, "p": 1.0, "margin": 0.5})),
    row("nn.functional.triplet_margin_with_distance_loss", triplets({"swap": True})),
    row("nn.functional.gaussian_nll_loss", gaussian),
    row("nn.functional.poisson_nll_loss", poisson),
    OpCase("nn.functional.ctc_loss", ctc, ctc_samples),
]
