"""The binding to cuDNN's graphs: against the package without a GPU, and over NumPy in its place."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends import cudnn as switches
from wengert.backends import get_backend
from wengert.backends.cuda import libraries
from wengert.backends.definitions import attention as plain_attention
from wengert.backends.definitions import conv as plain_conv
from wengert.backends.dtypes import numpy_dtype

from .fake_cublaslt import FakeCublasLt
from .fake_cudnn import FakeGraph, fake_cudnn
from .fake_cupy import FakeStream, fake_cuda
from .strict import strict_xp

NAMES = ("float32", "float64", "float16", "bfloat16")
LOOSE = {"float32": 1e-5, "float64": 1e-12, "float16": 5e-3, "bfloat16": 5e-2}


@pytest.fixture
def fake() -> Iterator[Any]:
    package = fake_cudnn()
    with fake_cuda(libraries={"cudnn frontend": package, "cublasLt": FakeCublasLt()}) as (cupy, backend):
        yield SimpleNamespace(package=package, cupy=cupy, k=backend.kernels, made=package.graphs.made)


def numbers(shape: Any, name: str, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(numpy_dtype(name))


def lying(x: Any, last: bool) -> Any:
    """On the device, with the channels closest together or not."""
    if not last or x.ndim < 4:
        return strict_xp.array(x)
    return strict_xp.array(np.ascontiguousarray(np.moveaxis(x, 1, -1))).transpose(0, x.ndim - 1, *range(1, x.ndim - 1))


GEOMETRIES = [
    ((9,), (3,), (2,), ((1, 1),), (1,), 1),
    ((9,), (3,), (1,), ((2, 1),), (2,), 2),
    ((7, 8), (3, 2), (2, 1), ((1, 1), (0, 1)), (1, 1), 1),
    ((7, 8), (3, 3), (1, 1), ((2, 2), (2, 2)), (2, 2), 4),
    ((5, 6), (1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    ((4, 5, 6), (2, 3, 2), (1, 2, 1), ((0, 0), (1, 1), (1, 0)), (1, 1, 2), 2),
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("last", [False, True], ids=["channels first", "channels last"])
@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_convolutions_and_their_gradients(fake: Any, geometry: Any, last: bool, name: str):
    size, kernel, stride, padding, dilation, groups = geometry
    x, w, b = numbers((2, 4, *size), name), numbers((8, 4 // groups, *kernel), name, 1), numbers(8, name, 2)
    how = (stride, padding, dilation, groups)
    wide = [v.astype(np.float64) for v in (x, w, b)]
    y = plain_conv.conv(np, *wide, *how)
    g = numbers(y.shape, name, 3)
    expected = [
        y,
        plain_conv.conv_input(np, g.astype("f8"), wide[1], size, *how),
        plain_conv.conv_weight(np, wide[0], g.astype("f8"), kernel, *how),
    ]
    dx, dw, dg = lying(x, last), strict_xp.array(w), lying(g, last)
    got = [
        fake.k.conv(dx, dw, strict_xp.array(b), *how),
        fake.k.conv_input(dg, dw, size, *how),
        fake.k.conv_weight(dx, dg, kernel, *how),
    ]
    assert [graph.node[0] for graph in fake.made] == ["conv_fprop", "conv_dgrad", "conv_wgrad"]
    assert all(graph.ran for graph in fake.made)
    for e, o in zip(expected, got, strict=True):
        assert o.dtype == x.dtype
        np.testing.assert_allclose(o.get().astype("f8"), e, rtol=0, atol=LOOSE[name] * np.abs(e).max())
    for o in got[:2]:
        assert plain_conv.channels_last(o) == (last and o.ndim > 3)
    assert got[2].flags.c_contiguous


def test_layers_train_the_same_as_on_the_cpu(fake: Any):
    def trained(device: str) -> list[np.ndarray]:
        wg.manual_seed(0)
        net = wg.nn.Sequential(
            wg.nn.Conv2d(3, 8, 3, stride=2, padding=1), wg.nn.ReLU(), wg.nn.ConvTranspose2d(8, 4, 2, stride=2, groups=2)
        ).to(device)
        x = wg.randn(2, 3, 8, 8).to(device)
        net(x).square().mean().backward()
        return [p.grad.cpu().numpy() for p in net.parameters()]

    for a, b in zip(trained("cpu"), trained("cuda"), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-6)
    assert {graph.node[0] for graph in fake.made} == {"conv_fprop", "conv_dgrad", "conv_wgrad"}


def conv_once(name: str = "float32", seed: int = 0) -> Any:
    x = wg.from_numpy(numbers((2, 4, 6, 6), name, seed)).to("cuda")
    return wg.nn.functional.conv2d(x, wg.from_numpy(numbers((8, 4, 3, 3), name, 1)).to("cuda"))


def test_a_plan_is_made_once(fake: Any):
    for seed in range(3):
        conv_once(seed=seed)
    assert len(fake.made) == 1
    assert fake.made[0].ran == [0, 0, 0]


def test_switches_choose_the_algorithms(fake: Any):
    always = ["DOWN_CONVERT_INPUTS"]
    conv_once()
    assert fake.made[-1].notes == [*always, "NONDETERMINISTIC"]
    with switches.flags(enabled=True, allow_tf32=False):
        conv_once()
    assert fake.made[-1].notes == [*always, "NONDETERMINISTIC", "TENSOR_CORE"]
    conv_once("bfloat16")
    assert fake.made[-1].notes == [*always, "NONDETERMINISTIC", "REDUCED_PRECISION_REDUCTION"]
    with switches.flags(enabled=True, benchmark=True):
        conv_once()
        assert fake.made[-1].notes == always
        assert fake.made[-1].ran[:8] == [0, 0, 0, 0, 1, 1, 1, 1], "each warmed up, then timed"
    with switches.flags(enabled=True, benchmark=True, deterministic=True):
        conv_once()
        assert fake.made[-1].notes == [*always, "NONDETERMINISTIC"]
        assert set(fake.made[-1].ran) == {0}, "the other was left out"
    with switches.flags(enabled=True, benchmark=True, benchmark_limit=1):
        conv_once("float16")
        assert set(fake.made[-1].ran) == {0}
    wg.use_deterministic_algorithms(True)
    try:
        with switches.flags(enabled=True, benchmark=True):
            conv_once("float64")
            assert "NONDETERMINISTIC" in fake.made[-1].notes
    finally:
        wg.use_deterministic_algorithms(False)
    number = len(fake.made)
    with switches.flags(enabled=False):
        conv_once("float16")
    assert len(fake.made) == number


def test_handles_follow_the_stream(fake: Any):
    conv_once()
    with FakeStream() as stream:
        conv_once()
        conv_once()
    conv_once()
    assert fake.package.streams == [0, stream.ptr, 0]


def test_inside_a_capture_nothing_is_planned(fake: Any):
    conv_once()
    stream = FakeStream()
    with stream:
        stream.begin_capture()
        with pytest.raises(RuntimeError, match=r"conv_fprop of float64.*run the step once before capturing it"):
            fake.k.conv(
                strict_xp.ones((1, 1, 3, 3)), strict_xp.ones((1, 1, 2, 2)), None, (1, 1), ((0, 0),) * 2, (1, 1), 1
            )
        stream.end_capture()


@pytest.mark.filterwarnings("ignore:cudnn refused")
def test_what_it_has_no_algorithm_for_is_computed_all_the_same():
    package = fake_cudnn(lambda graph: False)
    with fake_cuda(libraries={"cudnn frontend": package}):
        q = wg.randn(2, 4, 8, 16).bfloat16()
        for build in (conv_once, lambda: attend(q.to("cuda"), q.to("cuda"), q.to("cuda"))):
            got = build().cpu().float().numpy()
            assert np.isfinite(got).all()
        conv_once()
    assert len(package.graphs.made) == 2, "it is asked once"
    assert any("No valid execution plans found." in text for text in libraries.refusals("cudnn"))


def test_programs_can_ask_for_it(fake: Any, capsys: pytest.CaptureFixture[str]):
    assert switches.is_available()
    assert switches.version() == 92801
    assert switches.is_acceptable(wg.ones(2, device="cuda"))
    assert not switches.is_acceptable(wg.ones(2))
    assert not switches.is_acceptable(wg.ones(2, device="cuda", dtype=wg.int64))
    wg.show_config()
    text = capsys.readouterr().out
    assert "cudnn           9.28.1, frontend 1.28.0" in text
    assert "cublasLt        13.1.0" in text


def test_programs_learn_that_it_is_not_there(capsys: pytest.CaptureFixture[str]):
    assert not switches.is_available()
    assert switches.version() is None
    with fake_cuda():
        assert not switches.is_available()
        wg.show_config()
    text = capsys.readouterr().out
    assert "cudnn frontend  not used (import of cudnn halted" in text
    assert "pip install wengert[cudnn]" in text


# Attention.

attend = wg.nn.functional.scaled_dot_product_attention


def together(b: int, t: int, h: int, e: int, name: str) -> Any:
    """Queries, keys and values as views of one projection."""
    x = wg.from_numpy(numbers((b, t, 3, h, e), name)).to("cuda")
    return [x[:, :, i].transpose(1, 2) for i in range(3)]


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("form", ["packed", "plain", "three", "grouped", "one head"])
def test_attention_and_its_gradients(fake: Any, form: str, causal: bool, name: str):
    if form == "packed":
        parts = together(2, 5, 3, 16, name)
    else:
        shapes = {
            "plain": [(2, 3, 5, 16)] * 3,
            "three": [(2, 5, 16)] * 3,
            "grouped": [(2, 6, 5, 16), (2, 3, 5, 16), (2, 3, 5, 16)],
            "one head": [(2, 6, 5, 16), (2, 1, 5, 16), (2, 1, 5, 16)],
        }[form]
        parts = [wg.from_numpy(numbers(s, name, i)).to("cuda") for i, s in enumerate(shapes)]
    gqa = form in ("grouped", "one head")
    leaves = [p.detach().requires_grad_() for p in parts]
    y = attend(*leaves, is_causal=causal, enable_gqa=gqa)
    g = wg.from_numpy(numbers(tuple(y.shape), name, 9))
    y.backward(g.to("cuda"))
    assert [graph.node[0] for graph in fake.made] == ["sdpa", "sdpa_backward"]
    assert fake.made[1].node[1]["use_deterministic_algorithm"] is True
    exact = [p.cpu().double().requires_grad_() for p in parts]
    z = attend(*exact, is_causal=causal, enable_gqa=gqa)
    z.backward(g.double())
    np.testing.assert_allclose(y.cpu().double().detach().numpy(), z.detach().numpy(), rtol=0, atol=LOOSE[name])
    for leaf, e in zip(leaves, exact, strict=True):
        np.testing.assert_allclose(leaf.grad.cpu().double().numpy(), e.grad.numpy(), rtol=0, atol=4 * LOOSE[name])


def test_heads_are_joined_without_a_copy(fake: Any):
    q, k, v = together(2, 5, 3, 16, "bfloat16")
    y = attend(q, k, v).transpose(1, 2)
    assert y.is_contiguous()


def test_attention_of_other_kinds_is_not_fused(fake: Any):
    q = wg.from_numpy(numbers((2, 3, 5, 16), "bfloat16")).to("cuda")
    attend(q, q, q, attn_mask=wg.ones(5, 5, dtype=wg.bool, device="cuda"))
    attend(q, q, q, dropout_p=0.5)
    attend(q.float(), q.float(), q.float())
    attend(q[..., :12], q[..., :12], q[..., :12])
    attend(q, q, q[..., :8])
    wg.backends.cuda.enable_cudnn_sdp(False)
    try:
        attend(q, q, q)
    finally:
        wg.backends.cuda.enable_cudnn_sdp(True)
    assert not fake.made


def test_second_derivatives_of_fused_attention_are_those_of_the_formula(fake: Any):
    q = wg.from_numpy(numbers((1, 1, 4, 8), "float16")).to("cuda").requires_grad_()
    (g,) = wg.autograd.grad(attend(q, q, q).sum(), q, create_graph=True)
    (h,) = wg.autograd.grad(g.square().sum(), q)
    assert np.isfinite(h.cpu().numpy()).all()


# Against the package.


@pytest.fixture
def real() -> Any:
    package = pytest.importorskip("cudnn", reason="nvidia-cudnn-frontend is not installed: pip install wengert[cudnn]")
    try:
        package.backend_version()
    except RuntimeError as error:
        pytest.skip(str(error))
    with fake_cuda(libraries={"cudnn frontend": package}) as (cupy, _):
        from wengert.backends.cuda import attention, conv, cudnn_graph

        yield SimpleNamespace(
            graphs=cudnn_graph.Graphs(package, cupy), attention=attention, conv=conv, rules=cudnn_graph.rules()
        )


def strides_of(shape: Any, order: Any) -> tuple[int, ...]:
    """The strides of a dense array whose dimensions lie in that order in memory."""
    strides, step = [0] * len(shape), 1
    for i in reversed(order):
        strides[i], step = step, step * shape[i]
    return tuple(strides)


OFFLINE = {"handle": 1, "sm_version": 90, "sm_count": 132}


@pytest.mark.parametrize("kind", ["conv_fprop", "conv_dgrad", "conv_wgrad"])
def test_cudnn_accepts_the_graphs_of_convolutions(real: Any, kind: str):
    for geometry, last, name in itertools.product(GEOMETRIES, (False, True), NAMES):
        size, kernel, stride, padding, dilation, groups = geometry
        if len(size) == 1:
            continue
        x, w = (2, 4, *size), (8, 4 // groups, *kernel)
        y = (2, 8, *plain_conv.out_size(size, kernel, stride, padding, dilation))
        shapes = {"conv_fprop": (x, w, y), "conv_dgrad": (y, w, x), "conv_wgrad": (x, y, w)}[kind]
        order = (0, *range(2, len(x)), 1) if last else range(len(x))
        described = tuple((s, strides_of(s, order)) for s in shapes)
        key = (kind, name, described, (stride, padding, dilation), real.rules)
        real.conv.describe(real.graphs, key=key, **OFFLINE).validate()


@pytest.mark.parametrize("keys", [4, 2, 1])
@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_cudnn_accepts_the_graphs_of_attention(real: Any, name: str, keys: int):
    b, h, t, e = 2, 4, 16, 64
    side = (0, 2, 1, 3)
    q, k, sums = (b, h, t, e), (b, keys, t, e), (b, h, t, 1)
    packed = (q, (t * 3 * h * e, e, 3 * h * e, 1))
    stats, like_q, like_k = (sums, strides_of(sums, range(4))), (q, strides_of(q, side)), (k, strides_of(k, side))
    for causal in (False, True):
        key = ("sdpa", name, (packed, like_k, like_k, like_q, stats), 0.125, causal, real.rules)
        real.attention.describe(real.graphs, key=key, **OFFLINE).validate()
        parts = (packed, like_k, like_k, like_q, like_q, stats, like_q, like_k, like_k)
        key = ("sdpa_backward", name, parts, 0.125, causal, real.rules)
        real.attention.describe(real.graphs, key=key, **OFFLINE).validate()


def test_the_package_has_the_names_that_are_used(real: Any):
    for allowed, name in itertools.product([real.rules, real.rules._replace(tf32=False)], NAMES):
        assert real.graphs.unwanted(allowed, name)
    for method in (name for name in vars(FakeGraph) if name != "plans" and callable(vars(FakeGraph)[name])):
        if method.startswith("__") or method in ("_node", "_conv", "_sdpa", "_step"):
            continue
        assert callable(getattr(real.graphs.graph, method)), method
    assert real.graphs.frontend.build_plan_policy.ALL
    assert real.graphs.frontend.heur_mode.FALLBACK
    assert libraries.report()["cudnn"].startswith("9.")


# With a GPU.


@pytest.mark.gpu
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("last", [False, True], ids=["channels first", "channels last"])
def test_a_gpu_convolves(last: bool, name: str):
    backend = get_backend("cuda")
    xp, k = backend.xp, backend.kernels
    for size, kernel, stride, padding, dilation, groups in GEOMETRIES:
        how = (stride, padding, dilation, groups)
        x, w = numbers((2, 16, *size), name), numbers((32, 16 // groups, *kernel), name, 1)
        y = plain_conv.conv(np, x.astype("f8"), w.astype("f8"), None, *how)
        g = numbers(y.shape, name, 2)
        expected = [
            y,
            plain_conv.conv_input(np, g.astype("f8"), w.astype("f8"), size, *how),
            plain_conv.conv_weight(np, x.astype("f8"), g.astype("f8"), kernel, *how),
        ]

        def there(a: Any) -> Any:
            if not last or a.ndim < 4:
                return xp.asarray(a)
            return xp.moveaxis(xp.ascontiguousarray(xp.moveaxis(xp.asarray(a), 1, -1)), -1, 1)

        with switches.flags(enabled=True, allow_tf32=False):
            got = [
                k.conv(there(x), xp.asarray(w), None, *how),
                k.conv_input(there(g), xp.asarray(w), size, *how),
                k.conv_weight(there(x), there(g), kernel, *how),
            ]
        for e, o in zip(expected, got, strict=True):
            np.testing.assert_allclose(xp.asnumpy(o).astype("f8"), e, rtol=0, atol=3 * LOOSE[name] * np.abs(e).max())


@pytest.mark.gpu
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_a_gpu_attends(name: str, causal: bool):
    for t in (8, 64, 130):
        parts = [p.detach().requires_grad_() for p in together(2, t, 4, 64, name)]
        y = attend(*parts, is_causal=causal)
        g = wg.from_numpy(numbers(tuple(y.shape), name, 9))
        y.backward(g.to("cuda"))
        exact = [p.detach().cpu().double().requires_grad_() for p in parts]
        z = attend(*exact, is_causal=causal)
        z.backward(g.double())
        for a, b in [(y, z), *((p.grad, e.grad) for p, e in zip(parts, exact, strict=True))]:
            got, expected = a.detach().cpu().double().numpy(), b.detach().numpy()
            np.testing.assert_allclose(got, expected, rtol=0, atol=LOOSE[name] * max(1, np.abs(expected).max()))


def test_masks_of_the_two_mean_the_same():
    assert plain_attention.causal_mask(np, 2, 3).tolist() == [[True, False, False], [True, True, False]]
