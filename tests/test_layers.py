"""Every layer and loss: made in several ways, run, differentiated, copied, saved, and compared with PyTorch."""

from __future__ import annotations

import contextlib
import copy
import functools
import inspect
import io
import math
import pickle
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

import wengert as wg
from wengert import nn
from wengert.backends.dtypes import numpy_dtype

from .backends import backend, to_backend, to_numpy  # noqa: F401  (a fixture)
from .cases import composite_layers, layers, loss_layers  # noqa: F401  (their rows are in CASES)
from .cases.base import Make
from .cases.layer_case import CASES, Built, LayerCase

# Classes without a `forward` of their own: bases, and containers, which tests/test_module.py has.
ELSEWHERE = {"Container", "Module", "ModuleDict", "ModuleList"}
ELSEWHERE |= {"ParameterDict", "ParameterList", "RNNBase", "RNNCellBase"}


def mapped(value: Any, change: Any) -> Any:
    """``value`` with ``change`` applied to the arrays in it."""
    if isinstance(value, np.ndarray):
        return change(value)
    return tuple(mapped(v, change) for v in value) if isinstance(value, tuple) else value


def made(value: Any, T: Any, change: Any) -> Any:
    """An argument that a layer is made with, for the library ``T``."""
    return value.make(T) if isinstance(value, Built) else mapped(value, change)


def make_layer(case: LayerCase, T: Any, change: Any, dtype: str = "float64") -> Any:
    """The row's layer, with parameters of the dtype; a lazy one has had its first call."""
    args = [made(a, T, change) for a in case.args]
    kwargs = {k: made(v, T, change) for k, v in case.kwargs}
    layer = getattr(T.nn, case.name)(*args, **kwargs).to(getattr(T, dtype))
    if case.name.startswith("Lazy"):
        layer.eval()(*[mapped(value, change) for value in case.inputs(Make(1))])
        layer.train()
    return layer


def of_dtype(array: np.ndarray, dtype: str) -> np.ndarray:
    """The array, with the dtype if it holds real numbers."""
    return array.astype(numpy_dtype(dtype)) if array.dtype.kind == "f" else array


def tensor_on(device: str, requires_grad: bool = False, dtype: str = "float64") -> Any:
    """What makes a wengert tensor of a NumPy array."""

    def change(array: np.ndarray) -> Any:
        t = wg.autograd.base.wrap(to_backend(of_dtype(array, dtype), device))
        return t.requires_grad_(requires_grad and array.dtype.kind == "f")

    return change


def tensors(case: LayerCase, device: str, requires_grad: bool, dtype: str = "float64") -> list[Any]:
    """The inputs of one call; those that may be differentiated require grad if asked to."""
    values = case.inputs(Make(1))
    free = len(values) if case.free is None else case.free
    return [mapped(a, tensor_on(device, requires_grad and i < free, dtype)) for i, a in enumerate(values)]


def outputs_of(result: Any) -> list[Any]:
    """The tensors of a result, whichever tuples they stand in."""
    if result is None:
        return []
    return [t for part in result for t in outputs_of(part)] if isinstance(result, tuple) else [result]


def run(case: LayerCase, layer: Any, device: str, requires_grad: bool = False) -> tuple[list[Any], list[Any]]:
    """The outputs and inputs of one call."""
    inputs = tensors(case, device, requires_grad)
    wg.manual_seed(0)
    return outputs_of(layer(*inputs)), inputs


def weighted_sum(outputs: list[Any], T: Any) -> Any:
    """A number that depends on every element of the differentiable outputs in another way."""
    total = 0.0
    for o in outputs:
        if o.requires_grad:
            w = np.cos(np.arange(math.prod(o.shape)) + 1.0).reshape(tuple(o.shape))
            w = (
                wg.autograd.base.wrap(to_backend(w, o.device.type)).to(o.dtype)
                if T is wg
                else T.tensor(w, dtype=o.dtype)
            )
            total = total + (o * w).sum()
    return total


def values(t: Any) -> np.ndarray:
    return to_numpy(t._data) if isinstance(t, wg.Tensor) else t.detach().numpy()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_layer(case: LayerCase, backend: str):  # noqa: F811
    if backend == "strict" and not case.strict:
        pytest.skip("the row says that it does not run on the stand-in")
    with wg.device(backend):
        wg.manual_seed(3)
        layer = make_layer(case, wg, tensor_on(backend))
        other = make_layer(case, wg, tensor_on(backend))
        other.load_state_dict(layer.state_dict())
        for training in (True, False):
            layer.train(training)
            other.train(training)
            outputs, inputs = run(case, layer, backend, requires_grad=True)
            again, _ = run(case, other, backend)
            for a, b in zip(outputs, again, strict=True):
                assert a.device.type == backend
                np.testing.assert_array_equal(values(a), values(b))
            loss = weighted_sum(outputs, wg)
            if isinstance(loss, float):
                continue
            loss.backward()
            for name, p in layer.named_parameters():
                if p.grad is None:
                    assert case.idle, name
                    continue
                assert p.grad.shape == p.shape
                assert p.grad.dtype == p.dtype
            for x in outputs_of(tuple(inputs)):
                if isinstance(x, wg.Tensor) and x.requires_grad:
                    assert x.grad is None or x.grad.shape == x.shape


@pytest.mark.parametrize("case", [c for c in CASES if c.orders], ids=str)
def test_gradients_of_layer(case: LayerCase):
    layer = make_layer(case, wg, wg.tensor)
    inputs = tensors(case, "cpu", True)
    free = [x for x in (*outputs_of(tuple(inputs)), *layer.parameters()) if isinstance(x, wg.Tensor)]
    free = [x for x in free if x.requires_grad]
    if not free:
        return
    before = {name: buffer.clone() for name, buffer in layer.named_buffers()}

    def function(*_: Any) -> Any:
        for name, buffer in before.items():  # running statistics
            owner, _, last = name.rpartition(".")
            layer.get_submodule(owner)._buffers[last] = buffer.clone()
        wg.manual_seed(0)
        return tuple(o for o in outputs_of(layer(*inputs)) if o.requires_grad)

    assert wg.autograd.gradcheck(function, tuple(free))
    if case.orders > 1:
        assert wg.autograd.gradgradcheck(function, tuple(free))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_copies_of_layer(case: LayerCase):
    layer = make_layer(case, wg, wg.tensor)
    layer.eval()
    expected, _ = run(case, layer, "cpu")
    own, plain = io.BytesIO(), io.BytesIO()
    wg.save(layer.state_dict(), own)
    plain.write(safetensors.numpy.save({key: value.numpy() for key, value in layer.state_dict().items()}))
    twins = [copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))]
    for file in (own, plain):
        file.seek(0)
        twins.append(make_layer(case, wg, wg.tensor).eval())
        twins[-1].load_state_dict(wg.load(file))
    for twin in twins:
        outputs, _ = run(case, twin, "cpu")
        for a, b in zip(expected, outputs, strict=True):
            assert a.tolist() == b.tolist()


def test_every_layer_has_a_row():
    classes = {
        name
        for name, value in vars(nn).items()
        if inspect.isclass(value) and issubclass(value, nn.Module) and not name.startswith("_")
    }
    assert classes - ELSEWHERE <= {case.name for case in CASES}


# ---------------------------------------------------------------------- with torch


# How near torch's the numbers must be, relative to the largest, in each dtype.
TOLERANCES = {"float64": 1e-9, "float32": 1e-4, "bfloat16": 6e-2, "float16": 1e-2}


def torch_tensor(torch: Any, dtype: str) -> Any:
    """What makes a torch tensor of a NumPy array."""
    return lambda array: torch.tensor(array).to(getattr(torch, dtype) if array.dtype.kind == "f" else None)


def number(t: Any) -> np.ndarray:
    """The values of a tensor of either library, of the short types in float32."""
    short = str(t.dtype).endswith(("bfloat16", "float16"))
    return values(t.detach().float() if short else t.detach())


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parity
@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("case", [c for c in CASES if c.parity], ids=str)
def test_layer_is_that_of_torch(case: LayerCase, dtype: str):
    """Their state loads from both kinds of file, then outputs, gradients and buffers are equal."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("safetensors.torch")
    torch.manual_seed(0)
    with quiet():
        try:
            theirs = make_layer(case, torch, torch_tensor(torch, dtype), dtype)
        except (RuntimeError, NotImplementedError):
            pytest.skip(f"PyTorch does not have it in {dtype}")
        mine = make_layer(case, wg, tensor_on("cpu", dtype=dtype), dtype)
    if case.repr:
        assert repr(mine) == repr(theirs).replace("torch.", "wengert.")
    state = theirs.state_dict()
    assert list(mine.state_dict()) == list(state)
    assert [tuple(v.shape) for v in mine.state_dict().values()] == [tuple(v.shape) for v in state.values()]
    for content in files_of_torch(torch, state):
        mine = make_layer(case, wg, tensor_on("cpu", dtype=dtype), dtype)
        mine.load_state_dict(wg.load(io.BytesIO(content)))
    for training in (False, True):
        if training and case.random:
            break
        mine.train(training)
        theirs.train(training)
        compare_with_torch(case, mine, theirs, torch, dtype)
    back = io.BytesIO()
    wg.save(mine.state_dict(), back)
    back.seek(0)
    returned = torch.load(back)
    theirs.load_state_dict(returned)
    assert {k: v.dtype for k, v in returned.items()} == {k: v.dtype for k, v in state.items()}


def files_of_torch(torch: Any, state: Any) -> list[bytes]:
    """What torch.save makes of a state, and what the safetensors package makes of it."""
    file = io.BytesIO()
    torch.save(state, file)
    return [file.getvalue(), safetensors.torch.save({k: v.detach().clone() for k, v in state.items()})]


def compare_with_torch(case: LayerCase, mine: Any, theirs: Any, torch: Any, dtype: str) -> None:
    xs = tensors(case, "cpu", True, dtype)

    def twin(x: Any) -> Any:
        if isinstance(x, tuple):
            return tuple(twin(v) for v in x)
        if not isinstance(x, wg.Tensor):
            return x
        t = torch.tensor(number(x)).to(getattr(torch, str(x.dtype).partition(".")[2]))
        return t.requires_grad_(x.requires_grad)

    ys = [twin(x) for x in xs]
    with quiet():
        theirs.zero_grad()
        mine.zero_grad()
        try:
            expected = outputs_of(theirs(*ys))
        except (RuntimeError, NotImplementedError):
            if dtype in ("float64", "float32"):
                raise
            pytest.skip(f"PyTorch does not have it in {dtype}")
        outputs = outputs_of(mine(*xs))
    check = functools.partial(near, case, dtype)
    for a, b in zip(outputs, expected, strict=True):
        check(a, b, "output")
    if case.same_gradients and any(o.requires_grad for o in expected):
        weighted_sum(expected, torch).backward()
        weighted_sum(outputs, wg).backward()
        pairs = [*zip(outputs_of(tuple(xs)), outputs_of(tuple(ys)), strict=True)]
        pairs += zip(mine.parameters(), theirs.parameters(), strict=True)
        for x, y in pairs:
            if isinstance(x, wg.Tensor) and y.grad is not None:
                check(x.grad, y.grad, "gradient")
            elif isinstance(x, wg.Tensor):
                assert x.grad is None or not x.grad.any()
    for (name, a), b in zip(mine.named_buffers(), theirs.buffers(), strict=True):
        check(a, b, name)


def near(case: LayerCase, dtype: str, a: Any, b: Any, what: str) -> None:
    """The same shape, dtype and, nearly, values."""
    assert tuple(a.shape) == tuple(b.shape), what
    assert str(a.dtype).partition(".")[2] == str(b.dtype).partition(".")[2], what
    x, y = number(a), number(b)
    if y.dtype.kind != "f":
        assert not case.short or (x == y).all(), what
    elif case.short or dtype in ("float64", "float32"):
        scale = float(np.abs(y[np.isfinite(y)]).max(initial=1.0))
        tolerance = max(case.tolerance, TOLERANCES[dtype]) * scale
        np.testing.assert_allclose(x, y, rtol=0, atol=tolerance, err_msg=what)
