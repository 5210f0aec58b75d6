"""Making tensors and turning them into something else: dtypes, devices, memory, errors."""

from __future__ import annotations

import copy
import operator
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg


@pytest.mark.parametrize(
    ("data", "dtype", "shape"),
    [
        (1, "int64", ()),
        (1.0, "float32", ()),
        (True, "bool", ()),
        (1j, "complex64", ()),
        ([1, 2.5], "float32", (2,)),
        ([True, 2], "int64", (2,)),
        ([1, 2j], "complex64", (2,)),
        ([], "float32", (0,)),
        ([[], []], "float32", (2, 0)),
        ([[1, 2], (3, 4)], "int64", (2, 2)),
        (range(4), "int64", (4,)),
        (np.arange(3, dtype=np.int16), "int16", (3,)),
        (np.float64(1), "float64", ()),
        ([np.float64(1), np.float64(2)], "float64", (2,)),
        ([np.zeros(2, np.int16), np.zeros(2, np.float64)], "float64", (2, 2)),
        (np.zeros((2, 0), np.uint8), "uint8", (2, 0)),
    ],
    ids=str,
)
def test_tensor_infers_the_dtype(data: Any, dtype: str, shape: tuple[int, ...]) -> None:
    x = wg.tensor(data)
    assert (x.dtype.name, tuple(x.shape)) == (dtype, shape)


@pytest.mark.parametrize(
    ("row", "numbers"),
    [
        (lambda: wg.arange(0, 2, 0.5, dtype=wg.int32), [0, 0, 0, 0]),
        (lambda: wg.arange(-8.000001, -4, dtype=wg.int64), [-8, -7, -6, -5]),
        (lambda: wg.arange(-8.000001, -4, dtype=wg.int16), [-8, -7, -6, -5, -4]),
        (lambda: wg.arange(end=2), [0, 1]),
        (lambda: wg.linspace(-2, -3, 4, dtype=wg.int64), [-2, -2, -2, -3]),
        (lambda: wg.linspace(0, 10, 4, dtype=wg.uint8), [0, 3, 6, 10]),
        (lambda: wg.logspace(0, 1.2, 2, base=5, dtype=wg.int64), [1, 5]),
        (lambda: wg.range(0, 4, 2, dtype=wg.int64), [0, 2, 4]),
        (lambda: wg.zeros(1, dtype=float).double(), [0]),
    ],
)
def test_rows_of_integers(row: Callable[[], Any], numbers: list[int]) -> None:
    assert row().tolist() == numbers


def test_strides_of_any_kind() -> None:
    assert wg.empty_strided((2, 3), (0, 1)).stride() == (0, 1)
    assert wg.empty_strided((2, 3), (4, 1)).stride() == (4, 1)


def test_more_ways_to_ask() -> None:
    assert wg.randint(high=3, size=(2,)).shape == wg.rand(size=(2,)).shape == (2,)
    assert wg.full((1,), np.int64(2)).dtype is wg.int64
    assert wg.tensor([np.array([1, 2]), [3, 4]]).tolist() == [[1, 2], [3, 4]]
    assert wg.ones(1).type(wg.int64).dtype is wg.int64


def test_python_types_are_double() -> None:
    assert wg.zeros(1, dtype=float).dtype is wg.float64
    assert wg.zeros(1, dtype=complex).dtype is wg.complex128


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: wg.arange(0, 64, 0.5, dtype=wg.int64), ValueError, "step must be nonzero"),
        (lambda: wg.arange(wg.tensor([3])), TypeError, "must be Number, not Tensor"),
        (lambda: wg.arange(3, dtype=wg.float64, out=wg.empty(3)), RuntimeError, "does not match dtype of out"),
        (lambda: wg.linspace(wg.tensor([0.0]), 1, 3), RuntimeError, "0-dimensional start and end"),
        (lambda: wg.full((2,), -1.0, dtype=wg.uint8), RuntimeError, "without overflow"),
        (lambda: wg.full((2,), 2**70), OverflowError, "without overflow"),
        (lambda: wg.full((2,), "a", dtype=wg.bool), TypeError, "must be Number"),
        (lambda: wg.empty_strided((2, 3), (1,)), RuntimeError, "dimensionality of strides"),
        (lambda: wg.zeros(2**62), RuntimeError, "Storage size calculation overflowed"),
        (lambda: wg.rand(), TypeError, "missing 1 required"),
        (lambda: wg.rand(2, dtype=wg.float64, out=wg.empty(2)), RuntimeError, "does not match dtype of out"),
        (lambda: wg.randint(2.5, (2,)), TypeError, "must be int"),
        (lambda: wg.tril_indices(3, 3, dtype=wg.float32), RuntimeError, "not implemented for"),
        (lambda: wg.ones(2).type("foo"), ValueError, "invalid type"),
        (lambda: wg.as_tensor(np.arange(3)[::-1]), ValueError, "stride"),
        (lambda: wg.from_numpy(np.array([1], dtype=">i4")), ValueError, "byte order"),
        (lambda: wg.LongTensor(wg.ones(2)), TypeError, "expected a tensor of"),
        (lambda: wg.zeros_like([1]), TypeError, "must be Tensor, not list"),
    ],
)
def test_rows_refuse(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_lists_of_tensors() -> None:
    zero_dim = [wg.tensor(1.0), wg.tensor(2), 3]
    assert repr(wg.tensor(zero_dim)) == "tensor([1., 2., 3.])"
    assert wg.tensor([wg.tensor(1, dtype=wg.int8)]).dtype is wg.int8
    assert wg.tensor([wg.tensor([1]), wg.tensor([2])]).tolist() == [1, 2]
    x = wg.tensor([wg.tensor(1.0, requires_grad=True)])
    assert not x.requires_grad


def test_the_default_dtype_is_that_of_floats() -> None:
    wg.set_default_dtype(wg.float64)
    try:
        assert wg.tensor(1.5).dtype == wg.zeros(1).dtype == wg.arange(1.0).dtype == wg.rand(1).dtype == wg.float64
        assert wg.tensor(1).dtype == wg.int64
        assert wg.tensor(1j).dtype == wg.complex128
        assert repr(wg.tensor(1.5)) == "tensor(1.5000)"
    finally:
        wg.set_default_dtype(wg.float32)


@pytest.mark.parametrize(
    ("data", "error", "text"),
    [
        ([[1, 2], [3]], ValueError, "length 2 at dim 1 \\(got 1\\)"),
        ([[[1, 2]], [[3]]], ValueError, "length 2 at dim 2 \\(got 1\\)"),
        ([[1], 2], TypeError, "not a sequence"),
        ("a", TypeError, "str"),
        (["a"], ValueError, "str"),
        (None, RuntimeError, "NoneType"),
        ([None], RuntimeError, "NoneType"),
        ({}, RuntimeError, "dict"),
        ([2**63], ValueError, "int64"),
        (np.array(["a"]), TypeError, "element type"),
        (np.zeros(2, np.longdouble), TypeError, "element type"),
        ([wg.zeros(2), wg.zeros(2)], ValueError, "stack"),
    ],
    ids=str,
)
def test_tensor_refuses(data: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        wg.tensor(data)


@pytest.mark.parametrize(
    ("data", "dtype", "error"),
    [
        ([300], "uint8", RuntimeError),
        (2**40, "int32", RuntimeError),
        ([float("nan")], "int64", RuntimeError),
        ([1j], "float32", TypeError),
    ],
)
def test_values_must_fit(data: Any, dtype: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        wg.tensor(data, dtype=getattr(wg, dtype))


def test_values_are_converted_as_in_pytorch() -> None:
    assert wg.tensor([1.7, -1.7], dtype=wg.int64).tolist() == [1, -1]
    assert wg.tensor([-1], dtype=wg.uint8).tolist() == [255]
    assert wg.tensor([1e40]).tolist() == [float("inf")]
    assert wg.tensor([0.0, 0.5], dtype=wg.bool).tolist() == [False, True]


def test_tensor_copies_and_from_numpy_shares() -> None:
    a = np.zeros(2)
    copied, shared, as_is = wg.tensor(a), wg.from_numpy(a), wg.as_tensor(a)
    a[0] = 5
    assert (copied.tolist(), shared.tolist(), as_is.tolist()) == ([0, 0], [5, 0], [5, 0])
    shared.add_(1)
    assert a.tolist() == [6, 1]
    assert shared.numpy().ctypes.data == a.ctypes.data == shared.data_ptr()
    with pytest.raises(ValueError, match="negative"):
        wg.from_numpy(np.arange(3)[::-1])
    with pytest.raises(TypeError, match="ndarray"):
        wg.from_numpy([1])
    with pytest.raises(TypeError, match=r"longdouble|float128|float96"):
        wg.from_numpy(np.zeros(1, np.longdouble))


def test_as_tensor_keeps_what_is_right_already() -> None:
    x = wg.ones(2, requires_grad=True)
    assert wg.as_tensor(x) is x
    assert wg.as_tensor(x, dtype=wg.float64).requires_grad
    assert wg.asarray(x) is x
    assert wg.asarray(x, copy=True) is not x
    with pytest.raises(ValueError, match="alias"):
        wg.asarray([1, 2], copy=False)


def test_dlpack() -> None:
    a = np.arange(3.0)
    x = wg.from_dlpack(a)
    a[0] = 7
    assert x.tolist() == [7, 1, 2]
    b = np.from_dlpack(x)
    if x.numpy().flags.writeable:  # NumPy before 2.2 imports all DLPack memory read-only
        x[1] = 9
    else:
        a[1] = 9
    assert b.tolist() == [7, 9, 2]
    with pytest.raises(BufferError, match="detach"):
        np.from_dlpack(wg.ones(1, requires_grad=True))


FACTORIES: dict[str, Callable[..., Any]] = {
    "zeros": lambda **o: wg.zeros(2, 3, **o),
    "ones": lambda **o: wg.ones((2, 3), **o),
    "empty": lambda **o: wg.empty(2, 3, **o),
    "full": lambda **o: wg.full((2, 3), 2, **o),
    "eye": lambda **o: wg.eye(3, **o),
    "arange": lambda **o: wg.arange(3, **o),
    "linspace": lambda **o: wg.linspace(0, 1, 3, **o),
    "rand": lambda **o: wg.rand(2, 3, **o),
    "randn": lambda **o: wg.randn(2, 3, **o),
    "tensor": lambda **o: wg.tensor([1, 2], **o),
    "zeros_like": lambda **o: wg.zeros_like(wg.ones(2), **o),
    "new_zeros": lambda **o: wg.ones(2).new_zeros(3, **o),
    "rand_like": lambda **o: wg.rand_like(wg.ones(2), **o),
}


@pytest.mark.parametrize("name", FACTORIES)
def test_what_every_factory_takes(name: str, backend: str) -> None:
    make = FACTORIES[name]
    x = make(dtype=wg.float64, device=backend, requires_grad=True)
    assert (x.dtype, x.device.type, x.requires_grad, x.is_leaf) == (wg.float64, backend, True, True)
    if not name.startswith(("zeros_like", "new", "rand_like")):
        with wg.device(backend):
            assert make(dtype=wg.float32).device.type == backend
    with pytest.raises(RuntimeError, match="start of device string"):
        make(device="nowhere")
    if not name.startswith("rand"):
        with pytest.raises(RuntimeError, match="floating point"):
            make(dtype=wg.int64, requires_grad=True)


def test_out() -> None:
    out = wg.empty(0)
    assert wg.zeros(2, 3, out=out) is out
    assert tuple(out.shape) == (2, 3)
    assert wg.arange(3, out=wg.empty(3)).tolist() == [0, 1, 2]
    assert wg.cat([wg.ones(1), wg.zeros(1)], out=wg.empty(2)).tolist() == [1, 0]
    with pytest.raises(RuntimeError, match="automatic differentiation"):
        wg.cat([wg.ones(1, requires_grad=True)], out=wg.empty(1))


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        (lambda: wg.zeros(2, -1), RuntimeError, "negative"),
        (lambda: wg.zeros(2.5), TypeError, "integers"),
        (lambda: wg.arange(0, 5, 0), RuntimeError, "nonzero"),
        (lambda: wg.arange(0, 5, -1), RuntimeError, "step sign"),
        (lambda: wg.linspace(0, 1, -1), RuntimeError, "steps"),
        (lambda: wg.full((2,), 300, dtype=wg.uint8), RuntimeError, "uint8"),
        (lambda: wg.zeros(2, dtype="text"), TypeError, "element type"),
        (lambda: wg.zeros(2, device="cuda:x"), RuntimeError, "cuda:x"),
        (lambda: wg.zeros(2, layout=wg.Tensor), RuntimeError, "strided"),
    ],
)
def test_factories_refuse(wrong: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        wrong()


def test_sizes_and_strides() -> None:
    x = wg.zeros(2, 3, 4)
    assert x.shape == x.size() == (2, 3, 4) == wg.Size([2, 3, 4])
    assert repr(x.shape) == "wengert.Size([2, 3, 4])"
    assert isinstance(x.shape[1:], wg.Size)
    assert isinstance(x.shape + wg.Size([5]), wg.Size)
    assert x.shape.numel() == x.numel() == x.nelement() == 24
    assert (x.dim(), x.ndim, x.size(-1), x.element_size(), x.nbytes) == (3, 3, 4, 4, 96)
    y = x.transpose(0, 2)[1:]
    assert (x.stride(), y.stride(), y.storage_offset()) == ((12, 4, 1), (1, 4, 12), 1)
    assert (x.is_contiguous(), y.is_contiguous(), y.contiguous().is_contiguous()) == (True, False, True)
    assert x.contiguous() is x
    assert wg.zeros(3, 0).stride() == (1, 1)
    assert pickle.loads(pickle.dumps(x.shape)) == x.shape
    with pytest.raises(IndexError):
        x.size(3)


def test_memory_formats() -> None:
    x = wg.rand(2, 3, 4, 5)
    y = x.contiguous(memory_format=wg.channels_last)
    assert y.stride() == (60, 1, 15, 3)
    assert y.is_contiguous(memory_format=wg.channels_last)
    assert not y.is_contiguous()
    assert bool((x == y).all())
    assert y.clone().stride() == wg.zeros_like(y).stride() == y.double().stride() == y.stride()
    assert y.contiguous().stride() == x.stride()
    assert x.to(memory_format=wg.channels_last).stride() == y.stride()
    assert wg.empty(2, 3, 4, 5, memory_format=wg.channels_last).stride() == y.stride()
    with pytest.raises(RuntimeError, match="rank 4"):
        wg.rand(2).contiguous(memory_format=wg.channels_last)


def test_to() -> None:
    x = wg.ones(2, requires_grad=True)
    assert x.to("cpu") is x
    assert x.to(wg.float32) is x
    assert x.to(x) is x
    assert x.to(wg.float32, copy=True) is not x
    assert x.to("strict", wg.float64).dtype is wg.float64
    y = x.to("strict") * 2
    y.sum().backward()
    assert (x.grad.device.type, x.grad.tolist()) == ("cpu", [2, 2])
    assert x.to(device="strict").cpu().device.type == "cpu"
    for name in ("float", "double", "half", "bfloat16", "int", "long", "short", "bool", "cfloat"):
        assert getattr(wg.ones(1), name)().dtype is getattr(wg, name)
    assert wg.ones(1).type() == "wengert.FloatTensor"
    assert wg.ones(1).type(wg.int32).type("wengert.DoubleTensor").dtype is wg.float64
    with pytest.raises(RuntimeError, match="nowhere"):
        x.to("nowhere")
    with pytest.raises(TypeError, match="colour"):
        x.to(colour=1)


def test_into_python() -> None:
    x = wg.tensor([[1, 2], [3, 4]])
    assert x.tolist() == [[1, 2], [3, 4]]
    assert wg.tensor(2.5).tolist() == wg.tensor([2.5]).item() == float(wg.tensor(2.5)) == 2.5
    assert [type(wg.tensor(v).item()) for v in (1, 1.0, True, 1j)] == [int, float, bool, complex]
    assert wg.tensor(1.5, dtype=wg.bfloat16).item() == 1.5
    assert (int(wg.tensor(2.7)), operator.index(wg.tensor(3)), complex(wg.tensor(1))) == (2, 3, 1)
    assert ["a", "b"][wg.tensor(1)] == "b"
    assert 3 in x
    assert 5 not in x
    assert bool(wg.tensor([2.0]))
    assert [row.tolist() for row in x] == x.tolist()
    assert len(x) == 2


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        (lambda: wg.ones(2).item(), RuntimeError, "2 elements"),
        (lambda: bool(wg.ones(2)), RuntimeError, "ambiguous"),
        (lambda: bool(wg.ones(0)), RuntimeError, "no values"),
        (lambda: operator.index(wg.ones(1)), TypeError, "integer"),
        (lambda: len(wg.tensor(1)), TypeError, "0-d"),
        (lambda: list(wg.tensor(1)), TypeError, "0-d"),
        (lambda: "a" in wg.ones(2), RuntimeError, "str"),
        (lambda: wg.ones(2, requires_grad=True).numpy(), RuntimeError, "detach"),
        (lambda: wg.ones(2).to("strict").numpy(), TypeError, "cpu"),
        (lambda: copy.deepcopy(wg.ones(2, requires_grad=True) * 2), RuntimeError, "deepcopy"),
    ],
)
def test_conversions_refuse(wrong: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        wrong()


def test_numpy() -> None:
    x = wg.ones(2)
    a = x.numpy()
    a[0] = 5
    assert x.tolist() == [5, 1]
    assert np.asarray(x).dtype == np.float32
    assert np.asarray(x, dtype=np.float64).dtype == np.float64
    assert np.add(x.numpy(), 1).tolist() == [6, 2]
    assert wg.ones(2, requires_grad=True).numpy(force=True).tolist() == [1, 1]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int8", "bool", "complex64"])
def test_pickles_and_copies(dtype: str) -> None:
    x = wg.tensor([[0, 1], [1, 0]]).to(getattr(wg, dtype)).t()
    for y in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x)):
        assert (y.dtype, y.tolist(), y.device) == (x.dtype, x.tolist(), x.device)
        y[0, 0] = 1
    assert x.tolist()[0][0] == 0
    shallow = copy.copy(x)
    shallow[0, 0] = 1
    assert x.tolist()[0][0] == 1


def test_copies_of_leaves_keep_gradients_and_attributes() -> None:
    x = wg.ones(2, requires_grad=True)
    x.grad = wg.tensor([1.0, 2.0])
    x.note = "mine"
    for y in (copy.deepcopy(x), pickle.loads(pickle.dumps(x)), copy.copy(x)):
        assert (y.requires_grad, y.is_leaf, y.note) == (True, True, "mine")
    twice = copy.deepcopy([x, x])
    assert twice[0] is twice[1]
    assert copy.deepcopy(x).grad is not x.grad
    assert copy.deepcopy(x).grad.tolist() == [1, 2]


def test_legacy_constructor() -> None:
    assert tuple(wg.Tensor(2, 3).shape) == (2, 3)
    assert wg.Tensor([1, 2]).dtype is wg.float32
    assert tuple(wg.Tensor().shape) == (0,)
    assert wg.Tensor(wg.ones(2)).tolist() == [1, 1]
    with pytest.raises(TypeError, match="sequence"):
        wg.Tensor(2.5)


def test_overwriting() -> None:
    x = wg.zeros(2, 3, dtype=wg.int64)
    assert x.fill_(1.9).tolist() == [[1, 1, 1]] * 2
    assert x.copy_(wg.tensor([1.5, 2.5, 3.5])).tolist() == [[1, 2, 3]] * 2
    assert x.zero_() is x
    assert x._version == 3
    for wrong in (lambda: x.copy_(wg.ones(2)), lambda: x.fill_(wg.ones(2)), lambda: x.fill_(1j)):
        with pytest.raises(RuntimeError):
            wrong()
    assert x.tolist() == [[0, 0, 0]] * 2
    with pytest.raises(RuntimeError, match="leaf"):
        wg.ones(2, requires_grad=True).zero_()


def test_overlapping_memory() -> None:
    x = wg.arange(6)
    with pytest.raises(RuntimeError, match="clone"):
        x[1:] = x[:-1]
    with pytest.raises(RuntimeError, match="clone"):
        x[1:].copy_(x[:-1])
    with pytest.raises(RuntimeError, match="single memory location"):
        wg.zeros(1).expand(3).copy_(wg.arange(3))
    x[:] = x
    x[:3] = x[3:]
    assert x.tolist() == [3, 4, 5, 3, 4, 5]
    y = wg.arange(6).reshape(2, 3)
    y[:, 1:] = y[:, :2]
    assert y.tolist() == [[0, 0, 1], [3, 3, 4]]


def test_tensors_that_change_their_size() -> None:
    x = wg.arange(6)
    assert x.resize_(2, 2).tolist() == [[0, 1], [2, 3]]
    assert tuple(x.resize_as_(wg.ones(3)).shape) == (3,)
    assert x.tolist() == [0, 1, 2]
    assert x.unsqueeze_(0).t_().squeeze_().tolist() == [0, 1, 2]
    y = wg.ones(2, dtype=wg.int64).set_(x)
    y[0] = 9
    assert x[0] == 9
    assert y.is_set_to(x)
    with pytest.raises(RuntimeError, match=r"require(s)? grad"):
        wg.ones(2, requires_grad=True).resize_(3)


def test_transposed_in_place_in_the_graph() -> None:
    x = wg.ones(2, 3, requires_grad=True)
    y = (x * 2).t_()
    (y * wg.arange(6.0).reshape(3, 2)).sum().backward()
    assert (tuple(y.shape), type(y.grad_fn).__name__) == ((3, 2), "TBackward0")
    assert x.grad.tolist() == [[0, 4, 8], [2, 6, 10]]


def test_storage() -> None:
    x = wg.zeros(4, 2)
    a, b = x.untyped_storage(), x[1:].t().untyped_storage()
    assert a == b
    assert (a.nbytes(), len(a), a.data_ptr(), a.device.type) == (32, 32, x.data_ptr(), "cpu")
    assert x.clone().untyped_storage() != a


def test_older_names() -> None:
    assert wg.LongTensor([1, 2]).dtype is wg.int64
    assert tuple(wg.FloatTensor(2, 3).shape) == (2, 3)
    assert isinstance(wg.ones(1), wg.FloatTensor)
    assert not isinstance(wg.ones(1), wg.LongTensor)
    assert wg.ones(1).type(wg.DoubleTensor).dtype is wg.float64
    assert wg.ones(1).long().new([1, 2]).dtype is wg.int64
    v = wg.autograd.Variable(wg.ones(2), requires_grad=True)
    assert v.requires_grad
    assert isinstance(v, wg.autograd.Variable)
    wg.set_default_tensor_type("wengert.DoubleTensor")
    try:
        assert wg.zeros(1).dtype is wg.float64
    finally:
        wg.set_default_tensor_type(wg.FloatTensor)
    with pytest.raises(TypeError, match="FloatTensor"):
        wg.set_default_tensor_type("NoTensor")


def test_elements_through_python() -> None:
    x = wg.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert x.apply_(lambda v: v * v).tolist() == [[1, 4], [9, 16]]
    assert x.map_(wg.ones(2), lambda a, b: a - b).tolist() == [[0, 3], [8, 15]]
    assert x.fill_diagonal_(7).tolist() == [[7, 3], [8, 7]]
    assert wg.zeros(5, 2).fill_diagonal_(1, wrap=True).tolist() == [[1, 0], [0, 1], [0, 0], [1, 0], [0, 1]]
    assert wg.ones(2, 3).sum_to_size(1, 3).tolist() == [[2, 2, 2]]
    assert [row.tolist() for row in reversed(wg.arange(3))] == [2, 1, 0]


def test_questions_about_devices_are_answered_without_one() -> None:
    if wg.cuda.is_available():
        pytest.skip("this machine has a GPU")
    assert (wg.cuda.device_count(), wg.cuda.memory_allocated(), wg.accelerator.is_available()) == (0, 0, False)
    assert wg.accelerator.current_accelerator() is None
    assert not wg.backends.cudnn.is_available()
    wg.cuda.empty_cache()
    wg.cuda.manual_seed_all(3)
    assert wg.initial_seed() == 3
    for ask in (wg.cuda.current_device, wg.cuda.init, wg.accelerator.synchronize, lambda: wg.ones(1).cuda()):
        with pytest.raises(RuntimeError):
            ask()
    with pytest.raises(RuntimeError, match="CuPy"):
        wg.zeros(1, device="cuda")


def test_settings() -> None:
    assert wg.get_float32_matmul_precision() == "highest"
    wg.set_float32_matmul_precision("high")
    try:
        assert wg.get_float32_matmul_precision() == "high"
    finally:
        wg.set_float32_matmul_precision("highest")
    with pytest.raises(RuntimeError, match="highest, high, medium"):
        wg.set_float32_matmul_precision("low")
    threads = wg.get_num_threads()
    wg.set_num_threads(1)
    assert wg.get_num_threads() == 1
    wg.set_num_threads(threads)
    with pytest.raises(RuntimeError, match="positive"):
        wg.set_num_threads(0)


def test_storages_are_the_memory_of_tensors():
    x = wg.arange(4)
    s = x.storage()
    s[1] = 7
    assert x.tolist() == [0, 7, 2, 3]
    assert (s.tolist(), s.size(), s.dtype, s.untyped().nbytes()) == ([0, 7, 2, 3], 4, wg.int64, 32)
    assert x[2:].storage() == s
    assert isinstance(s, wg.LongStorage)
    assert not isinstance(s, wg.FloatStorage)
    assert wg.IntStorage([-1, 0]).byte().tolist() == [255, 0]
    assert wg.LongStorage.dtype is wg.int64
    assert wg.tensor(s.untyped(), dtype=wg.int64).tolist() == [0, 7, 2, 3]
    with pytest.raises(RuntimeError, match="Expected a Storage of type"):
        wg.tensor(s, dtype=wg.float32)
    with pytest.raises(NotImplementedError, match="resized"):
        s.untyped().resize_(0)


def test_tensors_take_storages():
    s = wg.arange(6).storage()
    y = wg.empty(0, dtype=wg.int64).set_(s, 1, (2, 2), (2, 1))
    assert y.tolist() == [[1, 2], [3, 4]]
    assert wg.empty(0, dtype=wg.int64).set_(s.untyped()).shape == (6,)
    assert wg.ones((), dtype=wg.int64).set_(s, 0, (), ()).shape == ()
    with pytest.raises(RuntimeError, match="Expected a Storage of type"):
        wg.empty(0).set_(s)


def test_resizing_keeps_the_memory():
    x = wg.arange(4)
    assert x.resize_(2).tolist() == [0, 1]
    assert x.resize_(4).tolist() == [0, 1, 2, 3]
    assert wg.arange(6).reshape(2, 3).t().resize_(2, 2).tolist() == [[0, 1], [2, 3]]
    assert x.resize_(6)[:4].tolist() == [0, 1, 2, 3]
    y = wg.ones(2, 3, 4, 5).resize_((2, 3, 4, 5), memory_format=wg.channels_last)
    assert y.is_contiguous(memory_format=wg.channels_last)


def test_deep_copies_share_what_their_originals_share():
    a = wg.arange(6.0).reshape(2, 3)
    first, (memory,), flat = copy.deepcopy([a, [a.storage()], a.view(6)])
    first.add_(1)
    assert memory.tolist() == flat.tolist() == [1, 2, 3, 4, 5, 6]
    assert a.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_dlpack_capsules():
    x = wg.arange(3)
    y = wg.utils.dlpack.from_dlpack(wg.utils.dlpack.to_dlpack(x))
    assert y.data_ptr() == x.data_ptr()
    with pytest.raises(AssertionError, match="stream should be None"):
        x.__dlpack__(stream=0)


def test_arrays_that_tensors_cannot_share():
    a = np.zeros(3)
    a.flags.writeable = False
    with pytest.warns(UserWarning, match="not writable"):
        wg.from_numpy(a)
    odd = np.ndarray((2,), np.float64, bytearray(32), strides=(12,))
    with pytest.raises(ValueError, match="multiple of the element byte size"):
        wg.from_numpy(odd)
    with pytest.raises(ValueError, match="expected sequence of length 3"):
        wg.tensor([[1, 2, 3], np.zeros(2)])


@pytest.mark.parametrize("dtype", [wg.bool, wg.uint8, wg.int64, wg.float16, wg.float32, wg.complex64])
def test_make_tensor(dtype):
    t = wg.testing.make_tensor((3, 4), dtype=dtype, device="cpu", noncontiguous=True, exclude_zero=True)
    assert (t.shape, t.dtype, t.is_contiguous()) == ((3, 4), dtype, False)
    assert bool((t != 0).all())
    with pytest.raises(ValueError, match="less than"):
        wg.testing.make_tensor(2, dtype=dtype, device="cpu", low=3, high=1)


def test_checks_raise_the_error_that_they_name():
    for check, error in ((wg._check, RuntimeError), (wg._check_index, IndexError), (wg._check_value, ValueError)):
        check(True)
        with pytest.raises(error, match="Expected cond to be True"):
            check(False)
        with pytest.raises(error, match="message"):
            check(False, lambda: "message")
        with pytest.raises(TypeError, match="cond must be a bool"):
            check(1)
    wg._check_tensor_all(wg.tensor([True]))
    with pytest.raises(RuntimeError, match="got zero"):
        wg._assert_async(wg.tensor(0))


def test_calls_by_element_and_new_by_size():
    x = wg.arange(3.0)
    with pytest.raises(TypeError, match="give numbers"):
        x.apply_(lambda k: "text")
    with pytest.raises(TypeError, match="not callable"):
        x.map_(x, "text")
    with pytest.raises(RuntimeError, match="requires grad"):
        x.map2_(x, wg.ones(3, requires_grad=True), lambda a, b, c: a)
    assert x.new(size=(3, 4)).shape == (3, 4)
    empty, ten, hundred = (wg.rand(n).storage().__sizeof__() for n in (0, 10, 100))
    assert hundred - empty == 10 * (ten - empty)
