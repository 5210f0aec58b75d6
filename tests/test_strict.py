"""The stand-in for CuPy: every rule of `tests/strict.py`, refused or allowed."""

from __future__ import annotations

import copy
import operator
import pickle
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from wengert.backends import Device, backend_of, get_backend, kernels_of, names

from .backends import to_backend, to_numpy
from .strict import StrictArray, StrictError, SyncError, no_sync, strict_xp, sync_count

xp: Any = strict_xp


def array(values: Any, dtype: Any = np.float32) -> Any:
    return to_backend(np.asarray(values, dtype), "strict")


@pytest.fixture
def x() -> Any:
    return array(np.arange(6).reshape(2, 3))


@pytest.fixture
def host() -> Any:
    return np.ones((2, 3), np.float32)


def same(a: Any, expected: Any) -> bool:
    expected = np.asarray(expected)
    return isinstance(a, StrictArray) and a.dtype == expected.dtype and np.array_equal(a.get(), expected)


# The registry knows it without a change to the library.


def test_it_is_a_backend_like_any_other(x: Any):
    assert "strict" in names()
    backend = get_backend("strict")
    assert backend_of(x) is backend
    assert kernels_of[StrictArray] is backend.kernels
    assert backend.device_of(x) == Device("strict")
    assert backend.kernels.tanh is xp.tanh
    assert not backend.kernels.has("no_such_kernel")
    assert np.array_equal(to_numpy(x), np.arange(6, dtype=np.float32).reshape(2, 3))


def test_data_is_copied_on_the_way_there_and_back(host: Any):
    x = to_backend(host, "strict")
    host[...] = 7
    assert float(x.sum()) == 6
    to_numpy(x)[...] = 7
    assert float(x.sum()) == 6


# Host and device do not mix.

MIXES: dict[str, Callable[[Any, Any], Any]] = {
    "np.asarray(x)": lambda x, host: np.asarray(x),
    "np.array([x, x])": lambda x, host: np.array([x, x]),
    "x + host": lambda x, host: x + host,
    "host + x": lambda x, host: host + x,
    "x == host": lambda x, host: x == host,
    "x @ host": lambda x, host: x @ host.T,
    "host @ x": lambda x, host: host.T @ x,
    "x += host": lambda x, host: x.__iadd__(host),
    "x + list": lambda x, host: operator.add(x, [1.0, 2.0, 3.0]),
    "list + x": lambda x, host: operator.add([1.0, 2.0, 3.0], x),
    "x + 0-d host": lambda x, host: x + np.array(1.0),
    "x + None": lambda x, host: x + None,
    "x + longdouble": lambda x, host: x + np.longdouble(1),
    "xp.add(x, host)": lambda x, host: xp.add(x, host),
    "xp.add(x, list)": lambda x, host: xp.add(x, [1, 2, 3]),
    "xp.where(c, x, host)": lambda x, host: xp.where(x > 0, x, host),
    "xp.sum(host)": lambda x, host: xp.sum(host),
    "xp.sum(list)": lambda x, host: xp.sum([1, 2]),
    "xp.concatenate([x, host])": lambda x, host: xp.concatenate([x, host]),
    "np.sum(x)": lambda x, host: np.sum(x),
    "np.add(x, x)": lambda x, host: np.add(x, x),
    "np.add(x, host)": lambda x, host: np.add(x, host),
    "np.add(host, host, out=x)": lambda x, host: np.add(host, host, out=x),
    "np.add.reduce(x)": lambda x, host: np.add.reduce(x),
    "np.concatenate([x, host])": lambda x, host: np.concatenate([x, host]),
    "xp.copyto(x, host)": lambda x, host: xp.copyto(x, host),
}


@pytest.mark.parametrize("mix", MIXES)
def test_host_arrays_and_device_arrays_do_not_mix(mix: str, x: Any, host: Any):
    with pytest.raises(TypeError):
        MIXES[mix](x, host)


@pytest.mark.parametrize("value", [np.ones((2, 3), np.float32), [1.0, 2.0, 3.0], (1.0, 2.0, 3.0)])
def test_host_data_is_not_assigned(value: Any, x: Any):
    with pytest.raises(ValueError, match="cannot be assigned"):
        x[...] = value
    with pytest.raises(ValueError, match="cannot be assigned"):
        x[array([0, 1], np.int64)] = value


def test_scalars_are_operands(x: Any):
    assert (2 * x + True - 1.5).dtype == np.float32
    assert (x + np.float32(1)).dtype == np.float32
    assert (np.float32(1) + x).dtype == np.float32
    assert (x * np.float64(1)).dtype == (np.float64(1) * x).dtype == np.float64
    assert (x + 1j).dtype == np.complex64
    assert (np.float32(2) > x).dtype == np.bool_
    assert xp.maximum(x, 0).dtype == np.float32


def test_an_operator_leaves_the_work_to_types_that_ask_for_it(x: Any):
    class Deferring:
        __array_ufunc__ = None

        def __radd__(self, other: Any) -> str:
            return "mine"

        def __eq__(self, other: object) -> Any:
            return "mine"

        __hash__ = None  # type: ignore[assignment]

    class Loud:
        __array_priority__ = 1000

        def __rmatmul__(self, other: Any) -> str:
            return "mine"

    assert x + Deferring() == "mine"
    assert (x == Deferring()) == "mine"
    assert x @ Loud() == "mine"
    with pytest.raises(TypeError):
        x + object()


# What makes the host wait.

WAITS: dict[str, Callable[[Any], Any]] = {
    "float": lambda x: float(x[0, 0]),
    "int": lambda x: int(x[0, 0]),
    "bool": lambda x: bool(x[0, 0]),
    "complex": lambda x: complex(x[0, 0]),
    "if": lambda x: 1 if x[0, 0] == 0 else 2,
    "item": lambda x: x.sum().item(),
    "tolist": lambda x: x.tolist(),
    "get": lambda x: x.get(),
    "set": lambda x: x.set(np.zeros((2, 3), np.float32)),
    "repr": lambda x: repr(x),
    "format": lambda x: f"{x.sum():.2f}",
    "asnumpy": lambda x: xp.asnumpy(x),
    "pickle": lambda x: pickle.dumps(x),
    "asarray": lambda x: xp.asarray([1.0, 2.0]),
    "x[mask]": lambda x: x[x > 2],
    "x[mask] = v": lambda x: x.__setitem__(x > 2, 0.0),
    "x[index] = scalar": lambda x: x.__setitem__(xp.zeros(1, np.int64), 0.0),
    "add.at scalar": lambda x: xp.add.at(x, xp.zeros(1, np.int64), 1.0),
    "nonzero": lambda x: xp.nonzero(x),
    "x.nonzero": lambda x: x.nonzero(),
    "where(c)": lambda x: xp.where(x > 2),
    "unique": lambda x: xp.unique(x),
    "bincount": lambda x: xp.bincount(x.astype(np.int64).ravel()),
    "flatnonzero": lambda x: xp.flatnonzero(x),
}


@pytest.mark.parametrize("wait", WAITS)
def test_what_waits_is_counted_and_can_be_forbidden(wait: str, x: Any):
    before = sync_count()
    WAITS[wait](x)
    assert sync_count() > before
    with no_sync(), pytest.raises(SyncError, match="wait"):
        WAITS[wait](x)
    WAITS[wait](x)


def test_ordinary_work_does_not_wait(x: Any):
    index, condition = array([0, 1], np.int64), x > 2
    with no_sync():
        y = xp.where(condition, xp.exp(x), 0.0) @ x.T
        y += x.sum(axis=1, keepdims=True)
        y[0] = 1.0
        y[index] = x[index, :2]
        xp.add.at(y, index, x[:, :2])
        xp.take_along_axis(x, xp.argsort(x, axis=1), axis=1)
        xp.zeros(3)
        xp.full((2, 2), 1.5)
        xp.arange(4)
        xp.sort(x.ravel())


# Indices.


def test_device_integers_are_no_host_integers(x: Any):
    n = array(2, np.int64)
    for use in (
        lambda: range(n),
        lambda: [1, 2, 3][n],
        lambda: xp.zeros((n, 2)),
        lambda: xp.zeros(n),
        lambda: x.reshape(n, 3),
        lambda: x.sum(axis=n),
        lambda: xp.roll(x, 1, axis=n),
        lambda: x[0:n],
    ):
        with pytest.raises(TypeError):
            use()
    assert not hasattr(n, "__index__")


def test_in_is_refused(x: Any):
    with pytest.raises(TypeError, match="one element after the other"):
        assert 1.0 in x


@pytest.mark.parametrize("key", [[0, 1], np.array([0, 1]), (slice(None), [0, 1]), True, np.True_, range(2)])
def test_host_indices_are_refused(key: Any, x: Any):
    with pytest.raises((TypeError, IndexError)):
        x[key]
    with pytest.raises((TypeError, IndexError)):
        x[key] = 0.0
    with pytest.raises(TypeError):
        xp.take(x, [0, 1])
    with pytest.raises(TypeError):
        x.take([0, 1], axis=1)


def test_indices_out_of_range_are_refused(x: Any):
    far = array([0, 3], np.int64)
    for use in (
        lambda: x[far],
        lambda: x[:, -4],
        lambda: xp.take(x, far, axis=1),
        lambda: x.take(far, axis=1),
        lambda: xp.take_along_axis(x, far[None, :] * 2, axis=1),
        lambda: xp.add.at(x, far, x),
    ):
        with pytest.raises(IndexError):
            use()


def test_assigning_twice_to_one_place_is_refused(x: Any):
    twice, once = array([1, 1], np.int64), array([1, 0], np.int64)
    with pytest.raises(StrictError, match="twice"):
        x[twice] = x[once]
    with pytest.raises(StrictError, match="twice"):
        x[twice] += x[once]
    with pytest.raises(StrictError, match="twice"):
        x[:, array([0, 0], np.int64)] = array([[1, 2], [3, 4]])
    x[twice] = 5.0  # one value: there is no winner to ask for
    x[once] = x[once] + 1
    assert same(x, np.array([[1, 2, 3], [6, 6, 6]], np.float32))


def test_several_masks_are_refused(x: Any):
    with pytest.raises(NotImplementedError, match="masks"):
        x[x[:, 0] > 0, x[0] > 0]


def test_indexing_gives_what_numpy_gives(x: Any, host: Any):
    host = x.get()
    rows = np.array([1, 0, 1])
    keys: list[Any] = [0, -1, (0, 1), ..., None, slice(None, None, -1), (slice(None), 1), (..., None, 0), np.int64(1)]
    for key in keys:
        assert same(x[key], host[key]), key
    device_rows = array(rows, np.int64)
    assert same(x[device_rows], host[rows])
    assert same(x[device_rows, ::2], host[rows, ::2])
    assert same(x[device_rows, array([0, 1, 2], np.int64)], host[rows, [0, 1, 2]])
    assert same(x[array(1, np.int64)], host[1])
    assert same(x[x > 2], host[host > 2])
    assert [float(row.sum()) for row in x] == [3, 12]
    assert len(x) == 2
    with pytest.raises(TypeError, match="0-d"):
        iter(x.sum())


# Views and memory.


def test_views_share_memory_and_know_their_owner(x: Any):
    views = [x[0], x[0, 0], x.T, x.mT, x[:, ::2], x.reshape(3, 2), x.ravel(), x[None], xp.transpose(x), x.view()]
    views += [xp.broadcast_to(x, (4, 2, 3)), xp.expand_dims(x, 0), xp.squeeze(x[None]), x[0].reshape(1, 3), x.real]
    views += [xp.lib.stride_tricks.as_strided(x, (2, 2), (12, 4)), xp.swapaxes(x, 0, 1)]
    for view in views:
        assert view is x or view.base is x
        assert view is x or not view.flags.owndata
    x[...] = 9.0
    assert all((view.get() == 9).all() for view in views)
    for owner in (x, x.copy(), x + 1, x.sum(), x.T.reshape(6), x.flatten(), xp.concatenate([x, x]), x.astype(np.int32)):
        assert owner.base is None
    assert xp.asarray(x) is x
    assert x.astype(np.float32, copy=False) is x
    assert xp.array(x) is not x


def test_a_single_element_is_a_view_too(x: Any):
    corner = x[1, 2]
    assert isinstance(corner, StrictArray)
    corner[...] = 50.0
    corner += 1
    assert float(x[1, 2]) == 51


def test_reductions_and_elements_are_0d_arrays(x: Any):
    for result in (x.sum(), x.max(), x.argmax(), xp.mean(x), xp.all(x), x[0] @ x[0], xp.linalg.norm(x), xp.vdot(x, x)):
        assert isinstance(result, StrictArray)
        assert result.shape == ()
    for result in (
        xp.allclose(x, x),
        xp.array_equal(x, x),
        xp.count_nonzero(x),
        xp.sqrt(2.0),
        xp.searchsorted(x[0], 1),
    ):
        assert isinstance(result, StrictArray)
        assert result.shape == ()


def test_in_place_operators_keep_the_array(x: Any):
    n = array(3, np.int64)
    same_x, same_n = x, n
    x += 1
    x *= np.float32(2)
    x[:, 0] -= 2.0
    n -= 1
    assert x is same_x
    assert n is same_n
    assert same(x, np.array([[0, 4, 6], [6, 10, 12]], np.float32))
    with pytest.raises(TypeError):
        n += 0.5  # numbers with a fraction do not fit
    with pytest.raises(TypeError, match="@="):
        x @= x


def test_fresh_memory_is_poisoned():
    assert np.isnan(xp.empty(3).get()).all()
    assert np.isnan(xp.empty_like(array([1.0])).get()).all()
    assert np.isnan(xp.ndarray((2, 2), np.complex64).get()).all()
    assert np.isnan(xp.empty(2, ml_dtypes.bfloat16).get().astype(float)).all()
    assert xp.empty(2, np.int32).get().tolist() == [2**31 - 1] * 2


def test_elementwise_results_are_c_ordered(x: Any):
    for result in (x.T + 1, -x.T, xp.exp(x.T), xp.where(x.T > 1, x.T, 0), xp.clip(x.T, 0, 1), x[:, ::-1].T * 2):
        assert result.flags.c_contiguous
        assert result.flags["C_CONTIGUOUS"]
    assert x.T.flags.f_contiguous
    assert not x.T.flags.c_contiguous


def test_attributes_and_helpers(x: Any):
    assert (x.shape, x.strides, x.ndim, x.size, x.itemsize, x.nbytes) == ((2, 3), (12, 4), 2, 6, 4, 24)
    assert x.dtype is np.dtype(np.float32)
    assert x[0].data.ptr == x.data.ptr != x[1].data.ptr
    assert x.device.id == 0
    for copied in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert same(copied, x.get())
        assert copied.base is None
    z = x + 1j * x
    z.imag = 0.0
    assert same(z.conj().real, x.get())
    with pytest.raises(TypeError, match="unhashable"):
        hash(x)
    assert xp.from_dlpack(x).data.ptr == x.data.ptr


HIDDEN = ["ctypes", "setflags", "resize", "getfield", "to_device", "__array_interface__", "__array_namespace__"]


@pytest.mark.parametrize("name", HIDDEN)
def test_methods_that_cupy_lacks_are_hidden(name: str, x: Any):
    assert not hasattr(x, name)
    assert not hasattr(x.flags, "writeable")


@pytest.mark.parametrize("name", ["errstate", "seterr", "block", "insert", "geomspace", "unstack", "vecdot", "random"])
def test_functions_that_cupy_lacks_are_hidden(name: str):
    assert not hasattr(xp, name)
    assert name not in dir(xp)


@pytest.mark.parametrize("name", ["vector_norm", "matrix_norm", "multi_dot", "svdvals", "outer", "tensordot"])
def test_linear_algebra_that_cupy_lacks_is_hidden(name: str):
    assert not hasattr(xp.linalg, name)


KEYWORDS: dict[str, Callable[[Any], Any]] = {
    "sum where": lambda x: xp.sum(x, where=x > 0),
    "x.sum initial": lambda x: x.sum(initial=1),
    "max initial": lambda x: xp.max(x, initial=0),
    "mean where": lambda x: x.mean(where=x > 0),
    "var correction": lambda x: xp.var(x, correction=1),
    "std mean": lambda x: x.std(mean=x),
    "any where": lambda x: xp.any(x, where=x > 0),
    "ufunc where": lambda x: xp.add(x, x, where=x > 0),
    "ufunc order": lambda x: xp.exp(x, order="K"),
    "ufunc subok": lambda x: xp.exp(x, subok=True),
    "reduce initial": lambda x: xp.add.reduce(x, initial=1),
    "einsum optimize": lambda x: xp.einsum("ij->i", x, optimize=True),
    "einsum out": lambda x: xp.einsum("ij->i", x, out=x[:, 0]),
    "argsort stable": lambda x: xp.argsort(x, stable=True),
    "x.argsort stable": lambda x: x.argsort(stable=True),
    "sort order": lambda x: xp.sort(x, order=None),
    "count_nonzero keepdims": lambda x: xp.count_nonzero(x, keepdims=True),
    "clip min": lambda x: xp.clip(x, min=0),
    "take mode": lambda x: xp.take(x, xp.zeros(1, int), mode="clip"),
    "take_along_axis arr": lambda x: xp.take_along_axis(arr=x, indices=xp.zeros((2, 1), int), axis=1),
    "concatenate arrays": lambda x: xp.concatenate(arrays=[x]),
    "stack arrays": lambda x: xp.stack(arrays=[x]),
    "reshape shape": lambda x: xp.reshape(x, shape=(6,)),
    "zeros_like device": lambda x: xp.zeros_like(x, device="cpu"),
    "zeros like": lambda x: xp.zeros(3, like=x),
    "fft out": lambda x: xp.fft.fft(x, out=x),
}


@pytest.mark.parametrize("use", KEYWORDS)
def test_keywords_that_cupy_lacks_are_refused(use: str, x: Any):
    with pytest.raises(TypeError, match=r"keyword|Wrong arguments"):
        KEYWORDS[use](x)


def test_keywords_that_cupy_has_are_taken(x: Any):
    host, out = x.get(), xp.empty((2, 3), np.float32)
    assert xp.add(x, 1, out=out) is out
    assert xp.add(x, 1, out) is out
    assert xp.add(x, 1, out=(out,)) is out
    assert same(out, host + 1)
    assert xp.add(x, x, dtype=np.float64).dtype == np.float64
    assert x.sum(axis=0, dtype=np.float64, keepdims=True).shape == (1, 3)
    assert xp.sum(x, axis=1, out=out[:, 0]).base is out
    assert same(xp.clip(x, 1, 3), host.clip(1, 3))
    assert same(x.clip(min=1, max=3), host.clip(1, 3))
    assert same(xp.pad(x, ((0, 0), (1, 1)), mode="constant"), np.pad(host, ((0, 0), (1, 1))))
    assert same(xp.einsum("ij,kj->ik", x, x), host @ host.T)
    assert same(xp.take(x, array([2, 0], np.int64), axis=1), host[:, [2, 0]])
    assert same(xp.stack([x, x], axis=1), np.stack([host, host], axis=1))
    assert same(xp.var(x, axis=0, ddof=1), host.var(axis=0, ddof=1))
    assert [part.shape for part in xp.split(x, 3, axis=1)] == [(2, 1)] * 3
    q, r = xp.linalg.qr(x)
    assert xp.allclose(q @ r, x, atol=1e-5)
    assert xp.fft.rfft(x).dtype == np.complex64
