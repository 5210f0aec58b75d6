"""Rows of the op table: further names of short compositions."""

from __future__ import annotations

from typing import Any

import numpy as np

from .base import Args, Make, OpCase
from .elementwise import function


def packed(name: str) -> Any:
    """``fn(T, x, *args)`` that calls the function on ``x`` without gaps, since strides matter to it."""
    return lambda T, x, *rest: getattr(T, name)(x.contiguous(), *rest)


def copy(name: str, *rest: Any, shape: tuple[int, ...] = (2, 3), **options: Any) -> OpCase:
    """A row for a view op that copies."""
    fn = packed(name) if name in ("as_strided_copy", "view_as_complex_copy") else function(name)
    return OpCase(name, fn, lambda make: [(make.real(*shape), *rest)], **{"integer": True, **options})


def sampled(make: Make) -> list[Args]:
    """Images and places in them, with each pair of modes."""
    image, grid = make.real(1, 2, 4, 5), make.real(1, 3, 3, 2, low=-0.8, high=0.8)
    return [
        (image, grid, mode, padding, align) for mode, padding, align in ((0, 0, False), (0, 1, True), (0, 2, False))
    ]


def in_place(name: str) -> OpCase:
    """A row for dropout in place, on a copy; the numbers drawn are not PyTorch's."""

    def fn(T: Any, x: Any) -> Any:
        return getattr(T, name)(x.clone(), 0.4, True) * x

    return OpCase(name, fn, lambda make: [(make.real(3, 4, 2),)], parity=False)


def signs(make: Make, *shape: int) -> np.ndarray:
    """1 and -1, whole numbers, so that nothing is differentiated by them."""
    return np.where(make.bools(*shape), 1, -1)


def numbered(name: str, inputs: Any, *rest: Any, **options: Any) -> OpCase:
    """A row for a loss whose reduction is a number; ``inputs(make)`` are its tensors, targets last."""
    return OpCase(
        name, function(name), lambda make: [(*inputs(make), *rest, number) for number in (0, 1, 2)], **options
    )


def normalised(name: str) -> OpCase:
    """A row for a norm, with the statistics of the batch and with running ones, which are no inputs."""

    def fn(T: Any, x: Any, weight: Any, bias: Any, own: bool) -> Any:
        mean, var = (None, None) if own else (T.full_like(weight, 0.3), T.full_like(weight, 1.7))
        return getattr(T, name)(x, weight, bias, mean, var, own, 0.1, 1e-5, False)

    return OpCase(
        name, fn, lambda make: [(make.real(4, 3, 5), make.positive(3), make.real(3), own) for own in (True, False)]
    )


LOSSES = [
    numbered("kl_div", lambda m: (m.real(3, 4), m.positive(3, 4))),
    numbered("cosine_embedding_loss", lambda m: (m.real(3, 4), m.real(3, 4), signs(m, 3)), 0.1),
    numbered("hinge_embedding_loss", lambda m: (m.away(3, 4, points=(0.0, 1.0)), signs(m, 3, 4)), 1.0),
    numbered("margin_ranking_loss", lambda m: (m.distinct(5), m.distinct(5), signs(m, 5)), 0.12),
    numbered("triplet_margin_loss", lambda m: (m.real(3, 4), m.real(3, 4), m.real(3, 4)), 1.0, 2.0, 1e-6, False),
    numbered("poisson_nll_loss", lambda m: (m.real(3, 4), m.positive(3, 4)), True, False, 1e-8),
    numbered("binary_cross_entropy_with_logits", lambda m: (m.real(3, 4), m.real(3, 4, low=0, high=1), None, None)),
    OpCase(
        "ctc_loss",
        lambda T, x, *rest: T.ctc_loss(x.log_softmax(-1), *rest),
        lambda m: [(m.real(6, 2, 4), m.integers(2, 2, low=1, high=4), (6, 5), (2, 1), 0, n, False) for n in (0, 1, 2)],
        dtypes=("float32",),
    ),
    OpCase(
        "embedding",
        function("embedding"),
        lambda make: [
            (make.real(5, 3), make.integers(2, 4, high=5)),
            (make.real(5, 3), make.integers(4, low=3, high=5), 2),
        ],
    ),
    normalised("batch_norm"),
    normalised("instance_norm"),
]

CASES = [
    *LOSSES,
    copy("alias_copy"),
    copy("as_strided_copy", (2, 2), (1, 2), 1, shape=(6,)),
    copy("detach_copy", orders=0),
    copy("diagonal_copy", 1),
    copy("expand_copy", (4, 2, 3)),
    copy("permute_copy", (1, 0)),
    copy("select_copy", 1, -1),
    copy("slice_copy", 1, 0, None, 2),
    copy("split_copy", 2, 1),
    copy("split_with_sizes_copy", (1, 2), 1),
    copy("squeeze_copy", shape=(2, 1, 3)),
    copy("t_copy"),
    copy("transpose_copy", 0, 1),
    copy("unbind_copy", 1),
    copy("unfold_copy", 1, 2, 1),
    copy("unsqueeze_copy", -1),
    copy("view_as_complex_copy", shape=(3, 2), dtypes=("float32",), integer=False),
    OpCase(
        "view_as_real_copy",
        function("view_as_real_copy"),
        lambda make: [(make.real(3) + 1j * make.real(3),)],
        dtypes=("float32",),
    ),
    copy("view_copy", (3, 2)),
    OpCase(
        "trace",
        function("trace"),
        lambda make: [(make.real(3, 4),), (make.real(0, 2),)],
        np.trace,
        integer=True,
        also=("Tensor.trace",),
    ),
    *map(in_place, ("dropout_", "alpha_dropout_", "feature_dropout_", "feature_alpha_dropout_")),
    OpCase(
        "affine_grid_generator",
        lambda T, theta: T.affine_grid_generator(theta, (1, 2, 3, 4), False),
        lambda make: [(make.real(1, 2, 3),)],
    ),
    OpCase("grid_sampler", function("grid_sampler"), sampled),
    OpCase(
        "Tensor.map2_",
        lambda T, x, y: x.clone().map2_(y, x, lambda a, b, c: a * b + c),
        lambda make: [(make.real(2, 3), make.real(3))],
        lambda x, y: x * y + x,
        orders=0,
        dtypes=("float32",),
        strict=False,
        note="a Python function",
    ),
    OpCase(
        "is_distributed",
        lambda T, x: T.tensor(T.is_distributed(x) or x.is_distributed()),
        lambda make: [(make.real(2),)],
        orders=0,
        also=("Tensor.is_distributed",),
    ),
]
