"""Tensors among other libraries' arrays: NumPy's functions and operators, DLPack, programs written for a standard.

What is expected here is what docs/array_api.md says, and PyTorch does wherever its result is no error.
"""

from __future__ import annotations

import operator
import os
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import wengert as wg
import wengert.array_api as xp

A = np.array([[1.0, 2.0], [3.0, 4.0]])


def leaf() -> Any:
    return wg.tensor(A, requires_grad=True)


# ---------------------------------------------------------------------- NumPy's functions


@pytest.mark.parametrize("call", [np.sin, np.sqrt, np.abs, np.negative, lambda t: np.add(t, A), lambda t: np.add(A, t)])
def test_numpys_elementwise_functions_give_tensors_outside_the_graph(call: Any):
    t = wg.tensor(A)
    assert isinstance(call(t), wg.Tensor)
    np.testing.assert_array_equal(call(t).numpy(), call(A))
    with pytest.raises(RuntimeError, match=r"Can't call numpy\(\) on Tensor that requires grad. Use tensor.detach"):
        call(leaf())
    with wg.no_grad():
        assert not call(leaf()).requires_grad


def test_numpys_truth_values_are_bytes_as_in_pytorch():
    assert np.greater(wg.tensor(A), 1).dtype is wg.uint8


@pytest.mark.parametrize("name", ["mean", "sum", "max", "min", "prod"])
def test_numpys_reductions_are_the_tensors_methods(name: str):
    y = getattr(np, name)(leaf())
    assert y.item() == getattr(np, name)(A)
    assert y.requires_grad


@pytest.mark.parametrize("call", [np.concatenate, np.stack, np.array])
def test_numpys_other_functions_give_arrays(call: Any):
    assert isinstance(call([wg.tensor(A), wg.tensor(A)]), np.ndarray)
    with pytest.raises(RuntimeError, match="requires grad"):
        call([leaf(), leaf()])


OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.lt]


@pytest.mark.parametrize("op", OPERATORS)
def test_operators_take_arrays_on_either_side_and_stay_in_the_graph(op: Any):
    for left, right in ((A, leaf()), (leaf(), A)):
        y = op(left, right)
        assert isinstance(y, wg.Tensor)
        np.testing.assert_allclose(y.detach().numpy(), op(A, A))
        if op is not operator.lt:
            y.sum().backward()
            assert (left if isinstance(left, wg.Tensor) else right).grad.shape == (2, 2)


def test_matrix_products_with_arrays_are_numpys():
    assert (wg.tensor(A) @ A).tolist() == (A @ A).tolist()
    with pytest.raises(RuntimeError, match="requires grad"):
        leaf() @ A
    with pytest.raises(TypeError, match="unsupported operand"):
        A @ leaf()


@pytest.mark.parametrize("op", [operator.and_, operator.or_, operator.xor, operator.lshift])
def test_operators_of_bits_take_arrays(op: Any):
    array = np.array([1, 2, 5])
    t = wg.tensor(array)
    assert op(t, array).tolist() == op(array, t).tolist() == op(array, array).tolist()
    with pytest.raises(RuntimeError, match="not implemented"):
        op(t, np.ones(3))


def test_numpys_numbers_count_as_pythons():
    t = wg.ones(2)
    for y in (np.float64(2) * t, t * np.float64(2), np.float64(2) - t, t / np.float64(2), t ** np.float64(2)):
        assert isinstance(y, wg.Tensor)
        assert y.dtype is wg.float32
    x = wg.ones(2, requires_grad=True)
    (np.float32(3) * x).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_conversions_share_memory_unless_told():
    t = wg.ones(2)
    np.asarray(t)[0] = 5
    assert t[0] == 5
    assert not np.shares_memory(np.array(t, copy=True), t.numpy())
    assert np.shares_memory(np.asarray(t, copy=False), t.numpy())
    with pytest.raises(ValueError, match="without a copy"):
        np.asarray(t, dtype="float64", copy=False)


def test_asarray_stays_in_the_graph():
    for options in ({"copy": True}, {"dtype": wg.float64}, {"dtype": wg.float32, "copy": True}):
        x = wg.ones(2, requires_grad=True)
        (wg.asarray(x, **options) * 3).sum().backward()
        assert x.grad.tolist() == [3.0, 3.0]
    assert wg.tensor([2**64 - 1, 0], dtype=wg.uint64).tolist() == [2**64 - 1, 0]
    with pytest.raises(ValueError, match="does not fit"):
        wg.tensor(2**64 - 1)
    for bad in (-1, [3, 2**64]):
        with pytest.raises(OverflowError, match="uint64"):
            wg.tensor(bad, dtype=wg.uint64)


# ---------------------------------------------------------------------- DLPack

EXCHANGED = [
    "bool",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]
FLOATS = ["bfloat16", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu"]


@pytest.mark.parametrize("name", EXCHANGED)
def test_dlpack_shares_memory_with_numpy_both_ways(name: str):
    t = wg.tensor([1, 0, 3]).to(getattr(wg, name))
    array = np.from_dlpack(t)
    assert array.dtype == name
    assert array.ctypes.data == t.data_ptr()
    back = wg.from_dlpack(array)
    assert back.dtype is t.dtype
    back[1] = 1
    assert bool(t[1])


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("version", [None, (1, 0)])
def test_dlpack_has_types_that_numpy_lacks(name: str, version: Any):
    t = wg.tensor([1.0, 0.5, 2.0]).to(getattr(wg, name))
    back = wg.from_dlpack(t.__dlpack__(max_version=version))
    assert back.dtype is t.dtype
    assert back.data_ptr() == t.data_ptr()
    assert back.float().tolist() == [1.0, 0.5, 2.0]
    assert wg.from_dlpack(t).dtype is t.dtype
    with pytest.raises(RuntimeError, match="Unsupported dtype"):
        np.from_dlpack(t)


def test_dlpack_keeps_strides():
    t = wg.arange(12).reshape(3, 4)
    for view in (t.T, t[:, ::2], t[1:, 1:], t[:0], t[0, 0], t[:1].expand(3, 4), wg.zeros(0, 3)):
        for back in (wg.from_dlpack(view), wg.from_dlpack(view.__dlpack__(max_version=(1, 0)))):
            assert back.shape == view.shape
            assert back.tolist() == view.tolist()
            if view.numel():
                assert back.data_ptr() == view.data_ptr()
    with pytest.raises(ValueError, match="negative"):
        wg.from_dlpack(np.arange(3)[::-1])


def test_dlpack_of_memory_that_is_not_to_be_written():
    array = np.arange(3.0)
    array.flags.writeable = False
    assert wg.from_dlpack(array).tolist() == [0.0, 1.0, 2.0]
    copy = wg.from_dlpack(array, copy=True)
    copy[0] = 7
    assert array[0] == 0


def test_dlpack_copies_and_devices():
    t = wg.ones(2)
    assert wg.from_dlpack(t, copy=True).data_ptr() != t.data_ptr()
    assert wg.from_dlpack(t, copy=False, device="cpu").data_ptr() == t.data_ptr()
    assert np.from_dlpack(t, copy=True).ctypes.data != t.data_ptr()
    assert t.__dlpack_device__() == (wg.utils.dlpack.DLDeviceType.kDLCPU, 0)
    assert wg.from_dlpack(t.__dlpack__(stream=-1, dl_device=(1, 0), copy=True)).tolist() == [1.0, 1.0]
    with pytest.raises(BufferError):
        t.__dlpack__(dl_device=(2, 0))


def test_dlpack_refuses():
    t, x = wg.ones(2), wg.ones(2, requires_grad=True)
    for bad, error, text in (
        (lambda: x.__dlpack__(), BufferError, "require gradient"),
        (lambda: wg.from_dlpack(x), BufferError, "require gradient"),
        (lambda: np.from_dlpack(x), BufferError, "require gradient"),
        (lambda: t.to_sparse().__dlpack__(), BufferError, "layout"),
        (lambda: t.__dlpack__(stream=1), AssertionError, "stream should be None on cpu"),
        (lambda: t.__dlpack__(stream="1"), TypeError, "stream must be"),
        (lambda: wg.from_dlpack(3), RuntimeError, "invalid capsule"),
        (lambda: wg.from_dlpack(t.__dlpack__(), copy=True), AssertionError, "not supported"),
        (lambda: wg.from_dlpack(np.array(["a"])), BufferError, None),
    ):
        with pytest.raises(error, match=text):
            bad()
    capsule = t.__dlpack__()
    assert wg.from_dlpack(capsule).tolist() == [1.0, 1.0]
    with pytest.raises(RuntimeError, match="consumed only once"):
        wg.from_dlpack(capsule)
    assert wg.from_dlpack(wg.utils.dlpack.to_dlpack(x)).data_ptr() == x.data_ptr()


def test_dlpack_keeps_memory_while_anyone_holds_it():
    owner = np.full(3, 7.0)
    gone = weakref.ref(owner)
    t = wg.from_dlpack(owner)
    del owner
    assert gone() is not None
    assert t.tolist() == [7.0, 7.0, 7.0]
    capsule = t.__dlpack__()
    del t
    assert gone() is not None
    del capsule  # nobody took it, so it lets go by itself
    assert gone() is None
    array = np.from_dlpack(wg.arange(1000.0) * 2)
    assert array[999] == 1998.0
    halves = wg.from_dlpack((wg.arange(100).to(wg.bfloat16) * 2).__dlpack__())
    assert halves[99] == 198


@pytest.mark.parametrize("name", [*EXCHANGED, "bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_dlpack_with_jax(name: str):
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        t = wg.tensor([1, 0, 3]).to(getattr(wg, name))
        array = jax.numpy.from_dlpack(t)
        assert str(array.dtype) == name
        np.testing.assert_array_equal(np.asarray(array), t.numpy())
        back = wg.from_dlpack(array)
        assert back.dtype is t.dtype
        assert back.data_ptr() == array.unsafe_buffer_pointer()
        del array
        assert back.float().tolist() == t.float().tolist()


@pytest.mark.parity
@pytest.mark.parametrize("name", [*EXCHANGED, *FLOATS])
@pytest.mark.parametrize("version", [None, (1, 0)])
def test_dlpack_with_pytorch(name: str, version: Any):
    torch = pytest.importorskip("torch")
    t = wg.tensor([1, 0, 3]).to(getattr(wg, name))
    theirs = torch.from_dlpack(t if version else t.__dlpack__())
    assert theirs.dtype is getattr(torch, name)
    assert theirs.data_ptr() == t.data_ptr()
    back = wg.from_dlpack(theirs.__dlpack__(max_version=version))
    assert back.dtype is t.dtype
    assert back.data_ptr() == t.data_ptr()
    view = torch.arange(6).reshape(2, 3).T
    assert wg.from_dlpack(view).stride() == view.stride()


# ---------------------------------------------------------------------- what departs from the standard


def test_what_the_page_says_departs_does():
    """Each deviation that docs/array_api.md lists is still one, so that the list is neither short nor long."""
    t = wg.ones(2, 3)
    assert t.size() == (2, 3)
    assert (wg.ones(2, dtype=wg.int8) + wg.ones((), dtype=wg.int64)).dtype is wg.int8
    assert xp.add(wg.ones(2, dtype=wg.int8), wg.ones((), dtype=wg.int64)).dtype is wg.int64
    with pytest.raises(RuntimeError, match="uint16"):
        wg.ones(2, dtype=wg.uint16) + wg.ones(2, dtype=wg.int8)
    assert xp.add(wg.ones(2, dtype=wg.uint16), wg.ones(2, dtype=wg.int8)).dtype is wg.int32
    with pytest.raises(RuntimeError, match="same dtype"):
        wg.ones(2, dtype=wg.float64) @ wg.ones(2)
    assert xp.matmul(wg.ones(2, dtype=wg.float64), wg.ones(2)).dtype is wg.float64
    with pytest.raises(ValueError, match="step must be greater than zero"):
        _ = t[::-1]
    large = wg.zeros(1, dtype=wg.uint64)
    with pytest.raises(ValueError, match="Overflow"):
        large[0] = 2**63
    large[0] = xp.asarray(2**63, dtype=xp.uint64)
    assert large.tolist() == [2**63]
    assert bool(wg.signbit(wg.tensor(-0.0) % 1))
    assert not xp.signbit(xp.remainder(wg.tensor(-0.0), 1))
    assert xp.asarray(1.0).dtype is wg.float32
    with pytest.raises(RuntimeError, match="mT"):
        _ = wg.ones(3).mT
    assert xp.add(wg.ones(2, dtype=wg.int8), wg.ones(2)).dtype is wg.float32
    assert (wg.ones(2) * np.array(2.0)).dtype is wg.float32


# ---------------------------------------------------------------------- gradients, and programs for the standard


def test_gradients_flow_through_the_namespace():
    x0 = wg.tensor([[0.3, 1.2, 0.7], [1.1, 0.4, 2.0]], dtype=wg.float64, requires_grad=True)
    for function in (
        lambda x: xp.sum(xp.remainder(x, 0.47)),
        lambda x: xp.sum(xp.clip(x, 0.5, 1.15) ** 2),
        lambda x: xp.prod(x, axis=(0, 1)),
        lambda x: xp.var(x, axis=1, correction=1),
        lambda x: xp.cumulative_prod(x, axis=1, include_initial=True),
        lambda x: xp.unique_values(x) ** 2,
        lambda x: xp.sort(x, axis=0, descending=True) * 2,
        lambda x: xp.take_along_axis(x, xp.asarray([[-1, 0]]), axis=1),
        lambda x: xp.linalg.solve(xp.matmul(x, xp.matrix_transpose(x)), x),
        lambda x: xp.linalg.vector_norm(x, axis=(0, 1), ord=3),
        lambda x: xp.linalg.trace(xp.matmul(x, xp.matrix_transpose(x))),
        lambda x: xp.abs(xp.fft.rfft(x)),
        lambda x: xp.sign(x) * xp.tensordot(x, x, axes=2),
        lambda x: xp.concat([x, xp.astype(xp.ones((1, 3)), xp.float32)], axis=None) * 3,
        lambda x: xp.asarray(x, copy=True) * xp.full_like(x, 3),
    ):
        assert wg.autograd.gradcheck(function, (x0,))


def test_a_program_for_any_library():
    def standardised(x: Any) -> Any:
        namespace = x.__array_namespace__(api_version="2024.12")
        spread = namespace.std(x, axis=0, keepdims=True)
        return (x - namespace.mean(x, axis=0, keepdims=True)) / spread

    np.testing.assert_allclose(standardised(wg.tensor(A)).numpy(), standardised(A))
    with pytest.raises(ValueError, match=r"2024\.12"):
        wg.ones(1).__array_namespace__(api_version="1999.1")
    assert wg.ones(2).to_device("cpu").device == wg.device("cpu")
    with pytest.raises(ValueError, match="stream"):
        wg.ones(2).to_device("cpu", stream=1)


SCIENCE = """
import numpy as np, wengert as wg
from scipy import fft, integrate, special, stats
from sklearn import config_context
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

X = np.random.default_rng(0).normal(size=(20, 4))
y = X @ np.arange(4.0)
with config_context(array_api_dispatch=True):
    for f in (
        lambda x: PCA(2, svd_solver="full").fit(x).transform(x),
        lambda x: Ridge(solver="svd").fit(x, x[:, 0]).predict(x),
        lambda x: special.logsumexp(x, axis=1),
        lambda x: stats.skew(x),
        lambda x: abs(fft.rfft(x)),
        lambda x: integrate.trapezoid(x),
    ):
        ours = f(wg.tensor(X))
        assert isinstance(ours, wg.Tensor), type(ours)
        np.testing.assert_allclose(ours.numpy(), f(X), atol=1e-8)
    assert r2_score(wg.tensor(y), wg.tensor(y + 0.1)) == r2_score(y, y + 0.1)
    x = wg.tensor(X, requires_grad=True)
    special.logsumexp(x, axis=1).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), special.softmax(X, axis=1))
"""


@pytest.mark.slow
@pytest.mark.sweep
def test_scipy_and_scikit_learn_compute_with_tensors():
    """In a process of its own, for SciPy asks once, on import, whether it is to take other libraries' arrays."""
    pytest.importorskip("sklearn")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCIENCE],
        env={**os.environ, "SCIPY_ARRAY_API": "1"},
        cwd=Path(__file__).parents[1],
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr


def test_arrays_of_small_floats_come_as_numpys():
    assert np.asarray(wg.ones(2).bfloat16()).dtype == ml_dtypes.bfloat16
