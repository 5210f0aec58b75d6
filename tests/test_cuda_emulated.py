"""The op table and the optimizers on the CUDA backend, whose own kernels run on the CPU (see `tests/emulation`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from . import emulation, test_clip, test_ops, test_optimizers
from .cases.base import OpCase
from .cases.ops import CASES
from .cases.optimizers import CASES as RULES
from .emulation.backend import emulated

# The ops whose kernels the backend has itself. `make test` runs these; the marker "sweep" is for all.
OWN = re.compile(
    r"(nn\.functional\.)?(log_)?(softmax|softmin|sigmoid|tanh|relu|leaky_relu|elu|selu|gelu|silu|mish|softplus|logsigmoid"
    r"|sum|mean|amax|amin|max|min|argmax|argmin|aminmax|cross_entropy|linear_cross_entropy|nll_loss"
    r"|(batch|layer|group|instance|rms)_norm|embedding|embedding_bag|(alpha_|feature_)*dropout\d?d?_?"
    r"|(max|avg|adaptive_max|adaptive_avg|lp)_pool\dd(_with_indices)?|max_unpool\dd|lstm|gru|lstm_cell|gru_cell"
    r"|linear|conv2d|multi_head_attention_forward|scaled_dot_product_attention)"
)
STRICT = [case for case in CASES if case.strict]
CHOSEN = [case for case in STRICT if OWN.fullmatch(case.name)]


@pytest.fixture(scope="module", autouse=True)
def backend() -> Iterator[Any]:
    if emulation.compiler() is None:
        pytest.skip("g++ is not installed")
    with emulated() as found:
        yield found


@pytest.mark.parametrize("case", CHOSEN, ids=str)
def test_op(case: OpCase):
    test_ops.test_op(case, "cuda")


@pytest.mark.sweep
@pytest.mark.parametrize("case", [case for case in STRICT if case not in CHOSEN], ids=str)
def test_other_op(case: OpCase):
    test_ops.test_op(case, "cuda")


@pytest.mark.parametrize("case", RULES, ids=str)
def test_optimizer(case: Any):
    test_optimizers.test_steps_are_the_textbooks(case, "cuda")
    for dtype in ("float32", "bfloat16"):
        test_optimizers.test_short_types(case, dtype, "cuda")


@pytest.mark.parametrize("order", test_clip.ORDERS)
def test_norms_of_gradients(order: float):
    test_clip.test_total_norm(order, "cuda")
    if order > 0:
        test_clip.test_clip_grad_norm(order, 0.5, "cuda")
        test_clip.test_clip_grad_norm(order, 2.0, "cuda")


def test_the_table_reaches_every_family():
    assert len(CHOSEN) > 80
    names = {case.name.rpartition(".")[2] for case in CHOSEN}
    assert {"softmax", "cross_entropy", "batch_norm", "embedding", "max_pool2d", "lstm", "gru", "sum", "gelu"} <= names
