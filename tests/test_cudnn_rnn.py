"""The binding to cuDNN's recurrent layers: against NVIDIA's headers and library, and over NumPy in its place."""

from __future__ import annotations

from collections.abc import Iterator
from ctypes import byref, c_int32, c_uint32, c_void_p
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends.cuda import cudnn_rnn, libraries
from wengert.backends.cuda.cudnn_rnn import CONSTANTS, Shape

from .fake_cublaslt import FakeCublasLt
from .fake_cudnn_rnn import FakeRNN
from .fake_cupy import fake_cuda
from .nvidia import enumerators, header, library


@pytest.fixture
def fake() -> Iterator[Any]:
    rnn = FakeRNN()
    with fake_cuda(libraries={"cudnn": rnn, "cublasLt": FakeCublasLt()}) as (cupy, backend):
        yield SimpleNamespace(rnn=rnn, cupy=cupy, backend=backend)


def test_constants_are_those_of_the_headers():
    text = header("cudnn_adv_v9.h") + header("cudnn_graph_v9.h")
    found = enumerators(text)
    assert {name: found.get(name) for name in CONSTANTS} == CONSTANTS
    assert "#define CUDNN_RNN_PADDED_IO_ENABLED (1U << 0)" in text


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("dtype", cudnn_rnn.TYPES)
@pytest.mark.parametrize("mode", cudnn_rnn.GATES)
def test_the_library_gives_back_what_it_was_told(mode: str, dtype: str, bias: bool):
    real = library("cudnn")
    cudnn_rnn.declare(real)
    if real.cudnnCreate(byref(c_void_p())) == 0:
        pytest.skip("there is a device, on which layers run")
    rnn = cudnn_rnn.made(real, "RNN")
    shape = Shape(mode, dtype, 7, 3, 5, 8, bias, False)
    # Without a device there is no handle, which the description of dropout wants; the layer's own does without both.
    status = real.cudnnSetRNNDescriptor_v8(
        rnn,
        *(0, CONSTANTS[f"CUDNN_{mode}"], 2 if bias else 0, 0, 0),
        *(CONSTANTS[f"CUDNN_DATA_{cudnn_rnn.TYPES[dtype]}"], 1 if dtype == "float64" else 0, 3),
        *(shape.inputs, shape.width, shape.width, 1, None, cudnn_rnn.PADDED_IO),
    )
    if status:
        pytest.skip(f"this cuDNN describes no layer without a device: status {status}")
    values = [c_int32() for _ in range(12)]
    dropout, flags = c_void_p(), c_uint32()
    assert real.cudnnGetRNNDescriptor_v8(rnn, *map(byref, values), byref(dropout), byref(flags)) == 0
    got = [v.value for v in values]
    assert got[1] == CONSTANTS[f"CUDNN_{mode}"]
    assert got[8:] == [shape.inputs, shape.width, shape.width, 1]
    assert flags.value == 1


def ran(mode: str, device: str, dtype: Any, **options: Any) -> list[Any]:
    """Outputs, states and all gradients of a layer."""
    wg.manual_seed(0)
    net = getattr(wg.nn, mode)(5, 4, **options).to(dtype).to(device)
    x = wg.randn(6, 3, 5, dtype=dtype).to(device).requires_grad_()
    y, states = net(x)
    states = states if isinstance(states, tuple) else (states,)
    total = (y * y).sum() + sum((s * (i + 2)).sum() for i, s in enumerate(states))
    total.backward()
    found = [y, *states, x.grad, *(p.grad for p in net.parameters())]
    return [t.detach().cpu().double().numpy() for t in found]


@pytest.mark.parametrize(
    "options", [{}, {"bias": False}, {"bidirectional": True}, {"num_layers": 2}], ids=lambda o: next(iter(o), "plain")
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize("mode", ["LSTM", "GRU"])
def test_layers_and_their_gradients(fake: Any, mode: str, dtype: str, options: Any):
    kind = getattr(wg, dtype)
    there, here = ran(mode, "cuda", kind, **options), ran(mode, "cpu", kind, **options)
    loose = {"float64": 1e-10, "float32": 1e-5, "float16": 2e-2, "bfloat16": 2e-1}[dtype]
    for a, b in zip(there, here, strict=True):
        np.testing.assert_allclose(a, b, rtol=loose, atol=loose * max(1, np.abs(b).max()))
    count = 2 if options.get("bidirectional") or options.get("num_layers") else 1
    assert fake.rnn.calls.count("forward") == fake.rnn.calls.count("backward weights") == count


def test_states_that_are_given_and_outputs_that_are_not_used(fake: Any):
    def last(device: str) -> list[Any]:
        wg.manual_seed(1)
        net = wg.nn.LSTM(5, 4).double().to(device)
        h, c = (wg.randn(1, 3, 4, dtype=wg.float64).to(device).requires_grad_() for _ in range(2))
        _, (_, end) = net(wg.randn(6, 3, 5, dtype=wg.float64).to(device), (h, c))
        end.square().sum().backward()
        return [t.cpu().numpy() for t in (h.grad, c.grad, net.weight_hh_l0.grad)]

    for a, b in zip(last("cuda"), last("cpu"), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)


def test_second_derivatives_are_those_of_the_formula(fake: Any):
    def second(device: str) -> Any:
        wg.manual_seed(1)
        net, x = wg.nn.GRU(3, 2).double().to(device), wg.randn(3, 2, 3, dtype=wg.float64).to(device).requires_grad_()
        (g,) = wg.autograd.grad(net(x)[0].square().sum(), x, create_graph=True)
        return wg.autograd.grad(g.square().sum(), x)[0].cpu().numpy()

    np.testing.assert_allclose(second("cuda"), second("cpu"), rtol=1e-8)


def test_sequences_of_many_lengths_take_the_other_way(fake: Any):
    net = wg.nn.LSTM(5, 4).to("cuda")
    packed = wg.nn.utils.rnn.pack_sequence([wg.randn(n, 5, device="cuda") for n in (4, 2, 1)])
    net(packed)
    wg.nn.LSTM(5, 4, proj_size=2).to("cuda")(wg.randn(2, 3, 5, device="cuda"))
    assert not fake.rnn.calls


def test_a_description_is_made_once_and_follows_the_switches(fake: Any):
    x = wg.randn(2, 3, 5, device="cuda")
    net = wg.nn.LSTM(5, 4).to("cuda")
    net(x)
    net(x)
    assert fake.rnn.math == [0]
    with wg.backends.cudnn.flags(enabled=True, allow_tf32=False):
        net(x)
    assert fake.rnn.math == [0, 3]
    net.bfloat16()(x.bfloat16())
    assert fake.rnn.math == [0, 3, 1]
    before = len(fake.rnn.calls)
    with wg.backends.cudnn.flags(enabled=False):
        net.float()(x)
    assert len(fake.rnn.calls) == before
    with wg.cuda.stream(wg.cuda.Stream()):
        net(x)
    assert fake.rnn.streams[-1] != fake.rnn.streams[0]


@pytest.mark.filterwarnings("ignore:cudnn refused")
def test_what_it_refuses_is_computed_all_the_same(fake: Any):
    fake.rnn.status = 9
    for mode in ("LSTM", "GRU"):
        for a, b in zip(ran(mode, "cuda", wg.float64), ran(mode, "cpu", wg.float64), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9)
    assert any("cudnnRNNForward: status 9" in text for text in libraries.refusals("cudnn"))


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize("mode", ["LSTM", "GRU"])
def test_a_gpu_has_the_same_layers(mode: str, dtype: str):
    loose = {"float64": 1e-9, "float32": 1e-4, "float16": 3e-2, "bfloat16": 2e-1}[dtype]
    for options in ({}, {"bias": False}, {"bidirectional": True}):
        with wg.backends.cudnn.flags(enabled=True, allow_tf32=False):
            pairs = zip(
                ran(mode, "cuda", getattr(wg, dtype), **options),
                ran(mode, "cpu", getattr(wg, dtype), **options),
                strict=True,
            )
        for a, b in pairs:
            np.testing.assert_allclose(a, b, rtol=loose, atol=loose * max(1, np.abs(b).max()))
