"""The layer table's losses."""

from __future__ import annotations

import numpy as np

from .layer_case import add, built, classes, loss, pair, reals, signs


def softmax(x: np.ndarray) -> np.ndarray:
    """Probabilities along the last dimension."""
    e = np.exp(x)
    return e / e.sum(-1, keepdims=True)


weights = np.array([0.5, 1.0, 2.0, 0.25])
for reduction in ("mean", "sum", "none"):
    for name in ("L1Loss", "MSELoss", "SmoothL1Loss", "HuberLoss"):
        loss(name, pair(3, 4), reduction=reduction)
    loss("CrossEntropyLoss", classes(5), reduction=reduction)
    loss("NLLLoss", classes(5, 2), reduction=reduction, weight=weights)
    add(
        "BCELoss", lambda m: (m.positive(3, 4, low=0.1, high=0.9), m.positive(3, 4, low=0, high=1)), reduction=reduction
    )
    loss("BCEWithLogitsLoss", lambda m: (m.real(3, 4), m.bools(3, 4) * 1.0), reduction=reduction, pos_weight=weights)
    loss("KLDivLoss", lambda m: (m.real(3, 4), m.positive(3, 4)), reduction=reduction)
    loss("TripletMarginLoss", reals((3, 4), (3, 4), (3, 4)), free=3, reduction=reduction)
    loss("MarginRankingLoss", lambda m: (m.real(5), m.real(5), signs(m, 5)), free=2, reduction=reduction, margin=0.3)
    loss("HingeEmbeddingLoss", lambda m: (m.real(3, 4), signs(m, 3, 4)), reduction=reduction)
    loss("SoftMarginLoss", lambda m: (m.real(3, 4), signs(m, 3, 4)), reduction=reduction)
    loss(
        "CosineEmbeddingLoss",
        lambda m: (m.real(3, 4), m.real(3, 4), signs(m, 3)),
        free=2,
        reduction=reduction,
        margin=0.1,
    )
    loss("MultiMarginLoss", classes(3), reduction=reduction)
    loss("MultiLabelSoftMarginLoss", lambda m: (m.real(3, 4), m.bools(3, 4) * 1.0), reduction=reduction, weight=weights)
    loss("PoissonNLLLoss", lambda m: (m.real(3, 4), m.positive(3, 4)), reduction=reduction)
    loss("GaussianNLLLoss", lambda m: (m.real(3, 4), m.real(3, 4), m.positive(3, 4)), reduction=reduction)
loss("SmoothL1Loss", pair(3, 4), beta=0.5)
loss("HuberLoss", pair(3, 4), delta=0.5)
loss("CrossEntropyLoss", classes(3, 2, 2), weight=weights, ignore_index=1, label_smoothing=0.1)
loss("CrossEntropyLoss", lambda m: (m.real(3, 4), m.positive(3, 4)), label_smoothing=0.2)
loss("CrossEntropyLoss", lambda m: (m.real(4), np.array(2)))
loss("NLLLoss", classes(5), ignore_index=2)
add("LinearCrossEntropyLoss", lambda m: (m.real(5, 3), m.integers(5, high=4)), 3, 4, options={"free": 1})
add(
    "LinearCrossEntropyLoss",
    lambda m: (m.real(5, 3), m.integers(5, 2, high=4)),
    3,
    4,
    out_features=(2,),
    bias=True,
    weight=weights,
    ignore_index=1,
    label_smoothing=0.1,
    options={"free": 1},
)
loss("BCEWithLogitsLoss", lambda m: (m.real(3, 4), m.bools(3, 4) * 1.0), weight=weights)
loss("KLDivLoss", lambda m: (m.real(3, 4), m.real(3, 4)), reduction="batchmean", log_target=True)
loss("PoissonNLLLoss", lambda m: (m.positive(3, 4), m.positive(3, 4, low=1.1)), log_input=False, full=True)
loss("GaussianNLLLoss", lambda m: (m.real(3, 4), m.real(3, 4), m.positive(3, 1)), full=True)
loss("MultiMarginLoss", classes(3), p=2, margin=0.5, weight=weights)
loss("MultiLabelMarginLoss", lambda m: (m.distinct(2, 4), np.array([[3, 0, -1, 1], [2, -1, 0, 0]])))
loss("TripletMarginLoss", reals((3, 4), (3, 4), (3, 4)), free=3, margin=0.5, p=3.0, swap=True)
loss("TripletMarginWithDistanceLoss", reals((3, 4), (3, 4), (3, 4)), free=3)
lengths = [np.array([6, 5]), np.array([3, 2])]
# The gradient is that of the scores behind the log-probabilities, as in torch, and so not the derivative of the loss.
loss(
    "CTCLoss",
    lambda m: (
        np.log(softmax(m.real(6, 2, 5))),
        m.integers(2, 3, low=1, high=5),
        *lengths,
    ),
    options={"orders": 0},
)
loss(
    "CTCLoss",
    lambda m: (np.log(softmax(m.real(5, 4))), m.integers(2, low=1, high=4), np.array(5), np.array(2)),
    reduction="none",
    zero_infinity=True,
    blank=0,
    options={"orders": 0},
)
loss("MultiLabelMarginLoss", lambda m: (m.distinct(4), np.array([1, 3, -1, 0])), reduction="sum")
loss("MultiLabelMarginLoss", lambda m: (m.distinct(2, 4), np.array([[3, 0, -1, 1], [-1, 2, 0, 0]])), reduction="none")
loss("TripletMarginWithDistanceLoss", reals((3, 4), (3, 4), (3, 4)), free=3, margin=0.4, swap=True, reduction="none")
loss(
    "TripletMarginWithDistanceLoss",
    reals((3, 4), (3, 4), (3, 4)),
    free=3,
    distance_function=built("PairwiseDistance", p=1.0),
    reduction="sum",
)
loss("BCELoss", lambda m: (m.positive(3, 4, low=0.1, high=0.9), m.bools(3, 4) * 1.0), weight=weights)
loss("CosineEmbeddingLoss", lambda m: (m.real(4), m.real(4), np.array(-1.0)), free=2, margin=-0.5)
loss("HingeEmbeddingLoss", lambda m: (m.real(6), signs(m, 6)), margin=0.3)
loss("L1Loss", pair(2, 3, 2))
loss("MSELoss", lambda m: (m.real(4), m.real(4)), free=2)
loss("MarginRankingLoss", lambda m: (m.real(3, 1), m.real(1, 4), signs(m, 3, 4)), free=2)
loss("MultiLabelSoftMarginLoss", lambda m: (m.real(4), m.bools(4) * 1.0))
loss("MultiMarginLoss", lambda m: (m.real(4), np.array(1)))
loss("SoftMarginLoss", lambda m: (m.real(), np.array(-1.0)))
loss("KLDivLoss", lambda m: (m.real(3, 4), m.positive(3, 4)), free=2, reduction="batchmean")
loss("NLLLoss", lambda m: (m.real(4), np.array(3)), weight=weights)
loss("NLLLoss", classes(2, 3, 2), reduction="sum", ignore_index=1)
loss("CrossEntropyLoss", lambda m: (m.real(3, 4, 2), m.positive(3, 4, 2)), weight=weights, reduction="none")
loss("CrossEntropyLoss", lambda m: (m.real(3, 4), np.array([-100, 2, -100])))

for name in ("mean", "sum"):
    loss("NLLLoss2d", classes(2, 3, 2), weight=weights, reduction=name)
