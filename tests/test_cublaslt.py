"""The binding to cuBLASLt: against NVIDIA's header, against the library without a GPU, and in NumPy's place of it."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from ctypes import byref, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p, sizeof
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.backends import Device, cuda
from wengert.backends.cuda import cublaslt, libraries
from wengert.backends.cuda.cublaslt import CONSTANTS, KINDS, CublasLt, Key, Matrix, Plan, alignment, matrix, one_step
from wengert.backends.dtypes import numpy_dtype

from .fake_cublaslt import FakeCublasLt
from .fake_cupy import FakeStream, fake_cuda
from .nvidia import enumerators, header, library
from .strict import StrictArray

LOOSE = {"float32": 1e-5, "float64": 1e-12, "float16": 2e-3, "bfloat16": 2e-2, "complex64": 1e-5, "complex128": 1e-12}


# Against NVIDIA's files.


def test_constants_are_those_of_the_headers():
    found = (
        enumerators(header("cublasLt.h")) | enumerators(header("cublas_api.h")) | enumerators(header("library_types.h"))
    )
    assert {name: found.get(name) for name in CONSTANTS} == CONSTANTS


def test_structures_have_the_sizes_of_the_header():
    text = header("cublasLt.h")
    assert "uint64_t data[8];\n} cublasLtMatmulAlgo_t;" in text
    start = text.index("} cublasLtMatmulHeuristicResult_t")
    body = text[text.rindex("typedef struct {", 0, start) : start]
    fields = [
        "cublasLtMatmulAlgo_t algo",
        "size_t workspaceSize",
        "cublasStatus_t state",
        "float wavesCount",
        "int reserved[4]",
    ]
    assert [body.index(f) for f in fields] == sorted(body.index(f) for f in fields)
    assert sizeof(cublaslt.Result) == 96
    assert cublaslt.Result.workspace.offset == 64


@pytest.fixture
def real() -> Any:
    found = library("cublasLt")
    cublaslt._declare(found)
    return found


def key(**changes: Any) -> Key:
    parts = {
        "kind": "bfloat16",
        "compute": 68,
        "a": Matrix(7, 5, True, 8, 3, 56),
        "b": Matrix(5, 4, False, 5, 3, 0),
        "out": Matrix(7, 4, False, 7, 3, 28),
        "epilogue": 4,
        "reduction": 7,
        "alignment": 16,
    }
    return Key(**{**parts, **changes})


def attribute(get: Any, handle: Any, name: str, type: Any) -> int:
    value, written = type(), c_size_t()
    assert get(handle, CONSTANTS[name], byref(value), sizeof(value), byref(written)) == 0
    assert written.value == sizeof(value)
    return int(value.value or 0)


def test_the_library_gives_back_what_it_was_told(real: Any):
    plan = Plan(real, key(), KINDS["bfloat16"], bias=4096)
    plan.prefer()
    wanted = [
        (plan.product, "MATMUL_DESC_TRANSA", c_int32, 1),
        (plan.product, "MATMUL_DESC_TRANSB", c_int32, 0),
        (plan.product, "MATMUL_DESC_EPILOGUE", c_uint32, 4),
        (plan.product, "MATMUL_DESC_BIAS_POINTER", c_void_p, 4096),
        (plan.product, "MATMUL_DESC_BIAS_DATA_TYPE", c_int32, 14),
        (plan.a, "MATRIX_LAYOUT_BATCH_COUNT", c_int32, 3),
        (plan.a, "MATRIX_LAYOUT_STRIDED_BATCH_OFFSET", c_int64, 56),
        (plan.b, "MATRIX_LAYOUT_STRIDED_BATCH_OFFSET", c_int64, 0),
        (plan.preference, "MATMUL_PREF_MAX_WORKSPACE_BYTES", c_uint64, 32 << 20),
        (plan.preference, "MATMUL_PREF_REDUCTION_SCHEME_MASK", c_uint32, 7),
        (plan.preference, "MATMUL_PREF_MIN_ALIGNMENT_B_BYTES", c_uint32, 16),
    ]
    for handle, name, type, value in wanted:
        family = {"MATMUL_D": "MatmulDesc", "MATRIX_L": "MatrixLayout", "MATMUL_P": "MatmulPreference"}[name[:8]]
        get = getattr(real, f"cublasLt{family}GetAttribute")
        assert attribute(get, handle, f"CUBLASLT_{name}", type) == value, name
    plan.point_to(8192)
    assert (
        attribute(real.cublasLtMatmulDescGetAttribute, plan.product, "CUBLASLT_MATMUL_DESC_BIAS_POINTER", c_void_p)
        == 8192
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_type_can_be_described(real: Any, kind: str):
    Plan(real, key(kind=kind, compute=KINDS[kind].compute, epilogue=1), KINDS[kind]).prefer()


def test_without_a_device_it_says_so(real: Any):
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    if cupy.cuda.is_available():
        pytest.skip("there is a device")
    with pytest.raises(RuntimeError, match=r"cuBLASLt 1\d\.\d+\.\d+ cannot start on cuda:0.*WENGERT_NO_LIBRARIES"):
        CublasLt(real, cupy)._of_thread(0)


# The arithmetic of descriptions.


def test_matrices_are_described_without_copies():
    assert matrix((3, 4), (4, 1), 1, 0) == Matrix(4, 3, False, 4, 1, 0)
    assert matrix((3, 4), (1, 3), 1, 0) == Matrix(3, 4, True, 3, 1, 0)
    assert matrix((3, 4), (10, 1), 1, 0) == Matrix(4, 3, False, 10, 1, 0)
    assert matrix((3, 4), (8, 2), 1, 0) is None
    assert matrix((3, 4), (0, 1), 1, 0) is None
    assert matrix((1, 4), (0, 1), 1, 0) == Matrix(4, 1, False, 4, 1, 0)
    assert matrix((3, 1), (5, 7), 1, 0) == Matrix(1, 3, False, 5, 1, 0)


def test_one_step_through_a_batch():
    assert one_step((2, 3), (30, 10)) == 10
    assert one_step((2, 3), (0, 0)) == 0
    assert one_step((2, 3), (10, 0)) is None
    assert one_step((1, 3, 1), (7, 10, 9)) == 10
    assert one_step((), ()) == 0


@pytest.mark.parametrize(("address", "expected"), [(0, 256), (512, 256), (768, 256), (8, 8), (520, 8), (128, 128)])
def test_alignment(address: int, expected: int):
    assert alignment(address) == expected


# In NumPy's place of it.


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    made = FakeCublasLt()
    monkeypatch.setattr(cublaslt, "alignment", lambda address: 16)  # main memory has other addresses every time
    with fake_cuda(libraries={"cublasLt": made}) as (cupy, backend):
        yield SimpleNamespace(lt=made, cupy=cupy, backend=backend, k=backend.kernels)


def numbers(shape: Any, name: str, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape) + (1j * rng.standard_normal(shape) if "complex" in name else 0)
    return x.astype(numpy_dtype(name))


def on_device(x: Any) -> StrictArray:
    from .strict import strict_xp

    return strict_xp.array(x)


LAYOUTS = {
    "plain": lambda x: on_device(x),
    "transposed": lambda x: on_device(np.ascontiguousarray(x.swapaxes(-1, -2))).swapaxes(-1, -2),
    "every second": lambda x: on_device(np.repeat(x, 2, axis=-1))[..., ::2],
    "wide": lambda x: on_device(np.concatenate([x, x], axis=-1))[..., : x.shape[-1]],
    "reversed": lambda x: on_device(np.ascontiguousarray(x[..., ::-1, :]))[..., ::-1, :],
}
BATCHES = [((), ()), ((3,), (3,)), ((2, 3), (3,)), ((3,), ()), ((2, 1), (1, 3)), ((1,), (2, 3)), ((), (2,))]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("right", LAYOUTS)
@pytest.mark.parametrize("left", LAYOUTS)
def test_products_of_every_layout_and_type(fake: Any, left: str, right: str, name: str):
    for first, second in BATCHES:
        a, b = numbers((*first, 4, 5), name), numbers((*second, 5, 3), name, 1)
        y = fake.k.matmul(LAYOUTS[left](a), LAYOUTS[right](b))
        wide = np.complex128 if "complex" in name else np.float64
        np.testing.assert_allclose(
            y.get().astype(wide), np.matmul(a.astype(wide), b.astype(wide)), rtol=0, atol=10 * LOOSE[name]
        )
        assert y.dtype == a.dtype
    assert len(fake.lt.calls) == len(BATCHES)


@pytest.mark.parametrize("shape", [(1, 5, 3), (4, 1, 3), (4, 5, 1), (1, 1, 1)])
def test_vectors_and_single_elements(fake: Any, shape: tuple[int, int, int]):
    n, k, m = shape
    for left in LAYOUTS:
        for right in LAYOUTS:
            a, b = numbers((2, n, k), "float64"), numbers((2, k, m), "float64", 1)
            y = fake.k.matmul(LAYOUTS[left](a), LAYOUTS[right](b))
            np.testing.assert_allclose(y.get(), a @ b, rtol=1e-12)


def test_empty_products_are_left_to_cupy(fake: Any):
    for n, k, m in ((0, 5, 3), (4, 0, 3), (4, 5, 0)):
        y = fake.k.matmul(on_device(np.ones((n, k))), on_device(np.ones((k, m))))
        assert y.shape == (n, m)
        assert not y.get().any()
    assert not fake.lt.calls


@pytest.mark.parametrize("name", ["float32", "float16", "bfloat16", "float64"])
@pytest.mark.parametrize("activation", ["", "relu", "gelu"])
def test_linear_with_bias_and_activation(fake: Any, activation: str, name: str):
    x, w, b = numbers((2, 6, 5), name), numbers((3, 5), name, 1), numbers(3, name, 2)
    y = fake.k.linear_activation(on_device(x), on_device(w), on_device(b), activation)
    z = x.astype("f8") @ w.astype("f8").T + b.astype("f8")
    z = np.maximum(z, 0) if activation == "relu" else z
    z = 0.5 * z * (1 + np.tanh(0.7978845608028654 * (z + 0.044715 * z**3))) if activation == "gelu" else z
    np.testing.assert_allclose(y.get().astype("f8"), z, rtol=0, atol=10 * LOOSE[name])
    assert y.dtype == x.dtype
    assert len(fake.lt.calls) == 1
    assert bool(fake.lt.calls[0][0][7] & 4) == (name != "float64"), "of float64 the library adds no bias"


def test_a_layer_is_one_call_forward_and_two_backward(fake: Any):
    x = wg.randn(8, 5, device="cuda", requires_grad=True)
    layer = wg.nn.Linear(5, 3, device="cuda")
    layer(x)
    assert len(fake.lt.calls) == 1
    layer(x).sum().backward()
    assert len(fake.lt.calls) == 4


def test_the_library_is_asked_once_for_each_kind_of_product(fake: Any):
    a, b = wg.randn(4, 5, device="cuda"), wg.randn(5, 3, device="cuda")
    for _ in range(3):
        a @ b
    assert fake.lt.asked == 1
    a @ wg.randn(5, 4, device="cuda")
    assert fake.lt.asked == 2


def test_einsum_and_attention_use_it(fake: Any):
    q = wg.randn(2, 3, 4, 5, device="cuda")
    wg.einsum("bhtd,bhsd->bhts", q, q)
    assert len(fake.lt.calls) == 1
    wg.nn.functional.scaled_dot_product_attention(q, q, q)
    assert len(fake.lt.calls) == 3


def test_precision_is_asked_at_every_call(fake: Any):
    a, b = wg.randn(4, 50, device="cuda"), wg.randn(50, 3, device="cuda")
    exact = a.cpu().numpy().astype("f8") @ b.cpu().numpy().astype("f8")
    error = [np.abs((a @ b).cpu().numpy() - exact).max()]
    wg.set_float32_matmul_precision("high")
    try:
        error.append(np.abs((a @ b).cpu().numpy() - exact).max())
        assert [call[0]["compute"] for call in fake.lt.calls] == [68, 77]
        (a.double() @ b.double(), a.bfloat16() @ b.bfloat16())
        assert [call[0]["compute"] for call in fake.lt.calls[2:]] == [70, 68]
    finally:
        wg.set_float32_matmul_precision("highest")
    assert error[0] < 1e-5 < error[1]
    wg.backends.cuda.matmul.allow_tf32 = True
    a @ b
    wg.backends.cuda.matmul.allow_tf32 = False
    a @ b
    assert [call[0]["compute"] for call in fake.lt.calls[4:]] == [77, 68]


def test_reduced_reductions_are_a_switch(fake: Any, monkeypatch: pytest.MonkeyPatch):
    a = wg.randn(4, 4, device="cuda").bfloat16()
    a @ a
    monkeypatch.setattr(cuda.matmul, "allow_bf16_reduced_precision_reduction", False)
    a @ a
    masks = [o[3] for o in fake.lt.objects if 3 in o and 1 in o]
    assert masks == [7, 2]


def test_streams_have_workspaces_of_their_own(fake: Any):
    a = wg.randn(4, 4, device="cuda")
    a @ a
    with wg.cuda.stream(wg.cuda.Stream()):
        a @ a
        a @ a
    a @ a
    spaces, streams = [c[5] for c in fake.lt.calls], [c[4] for c in fake.lt.calls]
    assert streams[0] == streams[3] == 0
    assert streams[1] == streams[2] != 0
    assert spaces[0] == spaces[3] != spaces[1] == spaces[2]


def test_inside_a_capture_nothing_new_is_asked(fake: Any):
    a = wg.randn(4, 4, device="cuda")
    stream = FakeStream()
    with stream:
        a @ a
        stream.begin_capture()
        a @ a
        with pytest.raises(RuntimeError, match="run the step once before capturing it"):
            a[:3] @ a
        stream.end_capture()


def test_what_it_refuses_is_computed_all_the_same(fake: Any):
    a, b = numbers((4, 5), "float32"), numbers((5, 3), "float32", 1)
    fake.lt.status = 15
    before = sum(libraries.refusals("cublasLt").values())
    libraries_warned = pytest.warns(UserWarning, match="cublasLt refused a product of float32 .not supported.")
    wg.set_warn_always(True)
    try:
        with libraries_warned:
            y = fake.k.matmul(on_device(a), on_device(b))
    finally:
        wg.set_warn_always(False)
    np.testing.assert_allclose(y.get(), a @ b, rtol=1e-5)
    assert sum(libraries.refusals("cublasLt").values()) == before + 1
    fake.lt.status = 0
    fake.k.matmul(on_device(a), on_device(b))
    assert not fake.lt.calls, "it is not asked again for what it refused"


def test_without_the_library_cupy_computes():
    with fake_cuda() as (_, backend):
        a, b = numbers((2, 4, 5), "bfloat16"), numbers((5, 3), "bfloat16", 1)
        y = backend.kernels.matmul(on_device(a), on_device(b))
        np.testing.assert_allclose(y.get().astype("f4"), a.astype("f4") @ b.astype("f4"), rtol=1e-2, atol=1e-2)
        assert y.dtype == a.dtype


def test_the_environment_can_leave_it_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WENGERT_NO_LIBRARIES", "cudnn,cublasLt")
    assert libraries.find("cublasLt") is None
    assert libraries.report()["cublasLt"].startswith("not used, as WENGERT_NO_LIBRARIES says")


@pytest.mark.gpu
@pytest.mark.parametrize("name", KINDS)
def test_a_gpu_multiplies(name: str):
    backend = wg.backends.get_backend("cuda")
    before = libraries.refusals("cublasLt")
    for n, k, m in ((64, 128, 32), (1, 7, 5), (33, 65, 129)):
        for first, second in BATCHES:
            for turned in (False, True):
                a, b = numbers((*first, n, k), name), numbers((*second, k, m), name, 1)
                x, y = (backend.from_numpy(v, Device("cuda")) for v in (a, b))
                if turned:
                    x = backend.xp.ascontiguousarray(x.swapaxes(-1, -2)).swapaxes(-1, -2)
                got = backend.to_numpy(backend.kernels.matmul(x, y))
                wide = np.complex128 if "complex" in name else np.float64
                expected = np.matmul(a.astype(wide), b.astype(wide))
                np.testing.assert_allclose(got.astype(wide), expected, rtol=0, atol=40 * LOOSE[name])
    assert libraries.refusals("cublasLt") == before, "the library computed all of it"


@pytest.mark.gpu
def test_a_gpu_has_the_form_of_gelu_with_tanh():
    from wengert.backends.cuda import product

    x, w, b = (wg.randn(*s, device="cuda")._data for s in ((64, 32), (16, 32), (16,)))
    assert product.library() is not None
    got = product.linear_activation(x, w, b, "gelu")
    expected = product._activated(product.linear(x, w, b), "gelu")
    assert float(abs(got - expected).max()) < 1e-5


def test_addresses_are_pointers_to_ctypes(real: Any):
    assert real.cublasLtMatmul.argtypes[3] is c_void_p
    assert len(real.cublasLtMatmul.argtypes) == 16
    assert isinstance(real, ctypes.CDLL)
