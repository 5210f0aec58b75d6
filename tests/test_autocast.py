"""Mixed precision: which types functions choose in a block, where gradients go, and that nothing leaks out of it."""

from __future__ import annotations

import threading
import warnings
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn
from wengert.autograd import autocast as tables
from wengert.nn import functional as F

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]


def test_products_losses_and_the_rest() -> None:
    x, w = wg.randn(3, 4), wg.randn(5, 4)
    with wg.autocast("cpu", dtype=wg.bfloat16):
        y = F.linear(x, w)
        assert y.dtype is (x @ x.t()).dtype is wg.matmul(x, x.t()).dtype is wg.bfloat16
        assert F.mse_loss(y, wg.zeros(3, 5)).dtype is wg.float32
        assert y.relu().dtype is wg.bfloat16
        assert (y + wg.ones(5)).dtype is wg.float32
        assert (x.double() @ x.double().t()).dtype is wg.float64
        assert (wg.arange(4) @ wg.arange(4)).dtype is wg.int64
        with wg.autocast("cpu", enabled=False):
            assert F.linear(x, w).dtype is wg.float32
        with wg.autocast("cpu", dtype=wg.float16):
            assert F.linear(x, w).dtype is wg.float16
        assert F.linear(x, w).dtype is wg.bfloat16
    assert F.linear(x, w).dtype is wg.float32
    assert (x @ x.t()).dtype is wg.float32


def test_parameters_keep_their_type_and_are_converted_once_a_block() -> None:
    layer, x = nn.Linear(4, 4), wg.randn(3, 4)
    with wg.autocast("cpu"):
        first, second = layer(x), layer(layer(x))
    kinds = {type(node).__name__ for node in nodes(second.grad_fn)}
    assert sum(isinstance(edge, wg.nn.Parameter) for edge in leaves(second.grad_fn)) == 2
    assert "CastBackward0" in kinds or "ToCopyBackward0" in kinds
    (first.float().sum() + second.float().sum()).backward()
    assert layer.weight.grad.dtype is wg.float32
    with wg.autocast("cpu"), wg.no_grad():
        layer.weight.fill_(0.0)
        assert (layer(x) == layer.bias.bfloat16()).all(), "what is not recorded is not kept"


def nodes(start: Any) -> list[Any]:
    found, todo = [], [start]
    while todo:
        node = todo.pop()
        if node is not None and node not in found:
            found.append(node)
            todo += [n for n, _ in node.next_functions]
    return found


def leaves(start: Any) -> list[Any]:
    return [node.variable for node in nodes(start) if hasattr(node, "variable")]


def test_a_model_learns() -> None:
    wg.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 16, 3))
    x, y = wg.randn(12, 1, 6, 6), wg.arange(12) % 3
    optimizer, scaler = wg.optim.Adam(model.parameters(), lr=0.02), wg.amp.GradScaler("cpu")
    losses = []
    for _ in range(15):
        optimizer.zero_grad()
        with wg.autocast("cpu", dtype=wg.float16):
            loss = F.cross_entropy(model(x), y)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]
    assert all(p.dtype is p.grad.dtype is wg.float32 for p in model.parameters())


def test_second_derivatives() -> None:
    w = wg.randn(3, 3, requires_grad=True)
    with wg.autocast("cpu"):
        y = (w @ w).float().pow(3).sum()
        (g,) = wg.autograd.grad(y, w, create_graph=True)
        (h,) = wg.autograd.grad(g.sum(), w)
    assert g.dtype is h.dtype is wg.float32


def test_decorator_state_and_threads() -> None:
    @wg.autocast("cpu", dtype=wg.float16)
    def product(x: wg.Tensor) -> wg.Tensor:
        assert wg.is_autocast_enabled("cpu")
        assert wg.get_autocast_dtype("cpu") is wg.float16
        return x @ x

    assert product(wg.ones(2, 2)).dtype is wg.float16
    assert not wg.is_autocast_enabled("cpu")
    assert wg.get_autocast_dtype("cpu") is wg.bfloat16
    with pytest.raises(ZeroDivisionError), wg.autocast("cpu"):
        raise ZeroDivisionError
    assert not wg.is_autocast_enabled("cpu")
    seen = []
    with wg.autocast("cpu"):
        thread = threading.Thread(target=lambda: seen.append(wg.is_autocast_enabled("cpu")))
        thread.start()
        thread.join()
    assert seen == [False], "a block is its thread's own"


def test_functions_of_the_user() -> None:
    class Double(wg.autograd.Function):
        @staticmethod
        @wg.amp.custom_fwd(device_type="cpu", cast_inputs=wg.float32)
        def forward(ctx: Any, x: wg.Tensor) -> wg.Tensor:
            assert x.dtype is wg.float32
            assert not wg.is_autocast_enabled("cpu")
            return x * 2

        @staticmethod
        @wg.amp.custom_bwd(device_type="cpu")
        def backward(ctx: Any, g: wg.Tensor) -> wg.Tensor:
            assert not wg.is_autocast_enabled("cpu")
            return g * 2

    x = wg.ones(2, dtype=wg.bfloat16, requires_grad=True)
    with wg.autocast("cpu"):
        y = Double.apply(x)
    assert y.dtype is wg.float32
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="Expected `device_type` of type `str`"):
        wg.autocast(wg.device("cpu"))
    with pytest.raises(RuntimeError, match="nowhere"):
        wg.autocast("nowhere")
    with pytest.warns(UserWarning, match="only supports dtypes of"), wg.autocast("cpu", dtype=wg.float32):
        assert (wg.ones(2, 2) @ wg.ones(2, 2)).dtype is wg.float32
    if not wg.cuda.is_available():
        with pytest.warns(UserWarning, match="CUDA is not available"):
            wg.autocast("cuda")
    with warnings.catch_warnings(), wg.autocast("cpu", enabled=False):
        assert (wg.ones(2, 2) @ wg.ones(2, 2)).dtype is wg.float32


# For each function of the CPU's table and some that are in none: a call with two matrices of the block's making.
CALLS: dict[str, Any] = {
    "matmul": lambda T, x, b: T.matmul(x, b),
    "mm": lambda T, x, b: x.mm(x),
    "bmm": lambda T, x, b: T.bmm(x[None], b[None]),
    "addmm": lambda T, x, b: T.addmm(x, x, b),
    "baddbmm": lambda T, x, b: T.baddbmm(x[None], x[None], b[None]),
    "einsum": lambda T, x, b: T.einsum("ij,jk->ik", x, b),
    "multi_dot": lambda T, x, b: T.linalg.multi_dot([x, x, x]),
    "linear": lambda T, x, b: T.nn.functional.linear(x, b),
    "prelu": lambda T, x, b: T.nn.functional.prelu(x, x[0, :1]),
    "conv_tbc": lambda T, x, b: T.conv_tbc(x[None], x[None], x[0]),
    "conv1d": lambda T, x, b: T.nn.functional.conv1d(x[None], b[:, :, None]),
    "conv_transpose1d": lambda T, x, b: T.nn.functional.conv_transpose1d(x[None], b[:, :, None]),
    "scaled_dot_product_attention": lambda T, x, b: T.nn.functional.scaled_dot_product_attention(x, b, x),
    "mse_loss": lambda T, x, b: T.nn.functional.mse_loss(b, b),
    "cross_entropy": lambda T, x, b: T.nn.functional.cross_entropy(b, T.tensor([0, 1, 2])),
    "binary_cross_entropy": lambda T, x, b: T.nn.functional.binary_cross_entropy(b.sigmoid(), b.sigmoid()),
    "kl_div": lambda T, x, b: T.nn.functional.kl_div(b, b.sigmoid()),
    "prod": lambda T, x, b: b.prod(),
    "trace": lambda T, x, b: T.trace(b),
    "inv": lambda T, x, b: T.linalg.inv(b + 5 * T.eye(3).to(b.dtype)),
    "quantile": lambda T, x, b: T.quantile(b, 0.5),
    "cdist": lambda T, x, b: T.cdist(b, b),
    "fft": lambda T, x, b: T.fft.fft(b).real,
    # in no table
    "mv": lambda T, x, b: T.mv(x, x[0]),
    "softmax": lambda T, x, b: b.softmax(1),
    "layer_norm": lambda T, x, b: T.nn.functional.layer_norm(b, (3,)),
    "exp": lambda T, x, b: b.exp(),
    "sum": lambda T, x, b: b.sum(),
    "cat": lambda T, x, b: T.cat([x, b]),
    "mul": lambda T, x, b: x * b,
    "nn.LSTM": lambda T, x, b: T.nn.LSTM(3, 3)(x)[0],
    "nn.GRU": lambda T, x, b: T.nn.GRU(3, 3)(x)[0],
    "nn.LSTMCell": lambda T, x, b: T.nn.LSTMCell(3, 3)(x)[0],
    "nn.MultiheadAttention": lambda T, x, b: T.nn.MultiheadAttention(3, 1)(x, x, x)[0],
    "nn.TransformerEncoderLayer": lambda T, x, b: T.nn.TransformerEncoderLayer(3, 1)(x),
}


@pytest.mark.parity
@pytest.mark.skipif(torch is None, reason="PyTorch is not installed: make parity installs it")
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.filterwarnings("ignore")
def test_types_like_torch(name: str) -> None:
    found = []
    for T in (wg, torch):
        x = T.tensor(np.random.default_rng(0).standard_normal((3, 3)).astype("float32"))
        with T.autocast("cpu", dtype=T.bfloat16):
            found.append(str(CALLS[name](T, x, x.bfloat16()).dtype).split(".")[1])
    assert found[0] == found[1]


def test_tables_name_functions_that_exist() -> None:
    spaces = [wg, F, wg.linalg, wg.fft, wg.Tensor, wg.autograd.ops.recurrent]
    unknown = [name for name in tables.NAMES if not any(hasattr(space, name) for space in spaces)]
    assert not unknown


@pytest.mark.parity
@pytest.mark.parametrize("mode", ["LSTM", "GRU", "RNN"])
def test_recurrent_layers_have_the_types_of_pytorch(mode: str) -> None:
    torch = pytest.importorskip("torch")

    def found(T: Any) -> list[str]:
        net = getattr(T.nn, mode)(3, 4, 2)
        with T.autocast("cpu", dtype=T.bfloat16):
            y, states = net(T.ones(2, 3, 3))
        return [str(t.dtype).split(".")[-1] for t in (y, *(states if isinstance(states, tuple) else (states,)))]

    assert found(wg) == found(torch)
