"""Rows of the op table: normalisation, dropout, embeddings, attention."""

from __future__ import annotations

from typing import Any

import numpy as np

from .base import Args, Make, OpCase
from .products import row, shaped


def batch_norm(make: Make) -> list[Args]:
    """In training with and without running statistics; in evaluation."""
    plain = [(make.real(*s), None, None, make.real(3), make.real(3), True) for s in ((4, 3), (4, 3, 5), (2, 3, 4, 5))]
    return [*plain, (make.real(4, 3, 5), None, None, None, None, True)]


def batch_norm_eval(T: Any, x: Any, w: Any, b: Any) -> Any:
    mean, var = T.arange(3).to(x.dtype).to(x.device), (T.arange(3) + 1).to(x.dtype).to(x.device)
    return T.nn.functional.batch_norm(x, mean, var, w, b)


def batch_norm_running(T: Any, x: Any) -> Any:
    """The output and both running statistics after one step."""
    mean, var = T.zeros(3, dtype=x.dtype, device=x.device), T.ones(3, dtype=x.dtype, device=x.device)
    y = T.nn.functional.batch_norm(x, mean, var, training=True, momentum=0.3)
    return y, mean, var


def instance_norm_running(T: Any, x: Any) -> Any:
    mean, var = T.zeros(3, dtype=x.dtype, device=x.device), T.ones(3, dtype=x.dtype, device=x.device)
    y = T.nn.functional.instance_norm(x, mean, var, momentum=0.3)
    return y, mean, var, T.nn.functional.instance_norm(x, mean, var, use_input_stats=False)


def seen(make: Make) -> list[Args]:
    """A mask that hides some keys, and all keys of one query."""
    mask = np.array([[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]], bool)
    qkv = make.real(2, 3, 4, 5), make.real(2, 3, 3, 5), make.real(2, 3, 3, 2)
    same = make.real(2, 4, 5), make.real(2, 4, 5), make.real(2, 4, 5)
    grouped = make.real(2, 6, 4, 5), make.real(2, 2, 3, 5), make.real(2, 2, 3, 2)
    return [
        qkv,
        (*qkv, mask),
        (*qkv, make.real(3, 1, 3)),
        (*same, {"is_causal": True, "scale": 0.3}),
        (*grouped, {"enable_gqa": True}),
        (*grouped, make.real(2, 6, 4, 3), {"enable_gqa": True}),
    ]


def dropped(name: str) -> OpCase:
    """Draws differ from PyTorch's, so this compares derivatives only; every call draws the same mask."""
    path = f"nn.functional.{name}"

    def fn(T: Any, x: Any, p: float) -> Any:
        return getattr(T.nn.functional, name)(x, p, True) * x

    def samples(make: Make) -> list[Args]:
        return [(make.real(3, 4, 2, *[2] * (name in ("dropout2d", "dropout3d")), *[2] * (name == "dropout3d")), 0.4)]

    return OpCase(path, fn, samples, parity=False)


def embeddings(make: Make) -> list[Args]:
    index = np.array([[0, 3, 3], [5, 1, 0]])
    return [(index, make.real(6, 3)), (np.array(2), make.real(6, 3)), (np.zeros((0,), int), make.real(6, 3))]


def bags(mode: str) -> Any:
    """Bags of fixed and of given sizes, one of them empty."""

    def samples(make: Make) -> list[Args]:
        fixed = np.array([[0, 3, 3], [5, 1, 0]])
        row_, starts = np.array([0, 3, 3, 5, 1, 0, 2]), np.array([0, 2, 2, 6])
        found: list[Args] = [(fixed, make.real(6, 3), {"mode": mode}), (row_, make.real(6, 3), starts, {"mode": mode})]
        if mode == "sum":
            found.append((fixed, make.real(6, 3), {"mode": mode, "per_sample_weights": make.real(2, 3)}))
        return found

    return samples


def multi_head(T: Any, q: Any, k: Any, v: Any, w: Any, b: Any, wo: Any, bo: Any, options: Any) -> Any:
    y, shares = T.nn.functional.multi_head_attention_forward(
        q, k, v, 6, 2, w, b, None, None, options.pop("zero", False), 0.0, wo, bo, **options
    )
    return y if shares is None else (y, shares)


def multi_head_samples(make: Make) -> list[Args]:
    def inputs(*batch: int) -> Args:
        return make.real(4, *batch, 6), make.real(5, *batch, 6), make.real(5, *batch, 6)

    weights = make.real(18, 6), make.real(18), make.real(6, 6), make.real(6)
    hidden = np.zeros((3, 5), bool)
    hidden[0, -2:] = True
    return [
        (*inputs(3), *weights, {}),
        (*inputs(3), *weights, {"key_padding_mask": hidden, "average_attn_weights": False}),
        (*inputs(3), *weights, {"attn_mask": make.real(6, 4, 5), "need_weights": False}),
        (*inputs(), *weights, {"attn_mask": np.triu(np.ones((4, 5), bool), 2)}),
    ]


CASES: list[OpCase] = [
    row("nn.functional.batch_norm", batch_norm),
    OpCase("nn.functional.batch_norm", batch_norm_eval, shaped(((4, 3, 5), (3,), (3,))), note="eval"),
    OpCase("nn.functional.batch_norm", batch_norm_running, shaped(((4, 3, 5),)), note="running", dtypes=("float32",)),
    row("nn.functional.instance_norm", shaped(((2, 3, 5),), ((2, 3, 4, 2), None, None, (3,), (3,)))),
    OpCase(
        "nn.functional.instance_norm",
        instance_norm_running,
        shaped(((4, 3, 5),)),
        note="running",
        dtypes=("float32",),
        orders=0,
    ),
    row(
        "nn.functional.layer_norm",
        lambda make: [
            (make.real(4, 6), [6], make.real(6), make.real(6)),
            (make.real(2, 3, 4), [3, 4], make.real(3, 4), None),
            (make.real(2, 3, 4), [4]),
        ],
        also=("layer_norm",),
    ),
    row(
        "nn.functional.rms_norm",
        lambda make: [(make.real(4, 6), [6], make.real(6), 1e-3), (make.real(2, 3, 4), [3, 4], None, 1e-3)],
        also=("rms_norm",),
    ),
    row(
        "nn.functional.group_norm",
        shaped(((2, 6, 3, 2), 3, (6,), (6,)), ((2, 6, 4), 1), ((3, 6), 2, (6,))),
        also=("group_norm",),
    ),
    row("nn.functional.local_response_norm", shaped(((2, 5, 3), 3, 0.5, 0.7, 2.0), ((2, 4, 2, 3), 2, 0.5))),
    *map(dropped, ("dropout", "alpha_dropout", "feature_alpha_dropout", "dropout1d", "dropout2d", "dropout3d")),
    OpCase("feature_dropout", lambda T, x: T.feature_dropout(x, 0.4, True) * x, shaped(((3, 4, 2),)), parity=False),
    row("nn.functional.embedding", embeddings),
    row("nn.functional.scaled_dot_product_attention", seen),
    *[row("nn.functional.embedding_bag", bags(mode), note=mode) for mode in ("sum", "mean", "max")],
    OpCase("nn.functional.multi_head_attention_forward", multi_head, multi_head_samples),
    OpCase(
        "nn.functional.gumbel_softmax",
        lambda T, x: T.nn.functional.gumbel_softmax(x, 0.7),
        shaped(((3, 4),)),
        dtypes=(),
        parity=False,
    ),
]
