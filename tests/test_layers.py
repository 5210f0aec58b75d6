"""Every layer and loss: made in several ways, run, differentiated, copied, saved, and compared with PyTorch."""

from __future__ import annotations

import copy
import inspect
import io
import math
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn

from .backends import backend, to_backend, to_numpy  # noqa: F401  (a fixture)
from .cases.base import Make
from .cases.layers import CASES, LayerCase

# Base classes and containers, which have tests of their own.
ELSEWHERE = {
    "DataParallel",
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
    "LazyLinear",
    "Module",
    "ModuleDict",
    "ModuleList",
    "ParameterDict",
    "ParameterList",
    "RNNBase",
    "RNNCellBase",
    "Sequential",
    "TransformerDecoder",
    "TransformerEncoder",
}


def mapped(value: Any, change: Any) -> Any:
    """``value`` with ``change`` applied to the arrays in it."""
    if isinstance(value, np.ndarray):
        return change(value)
    return value


def make_layer(case: LayerCase, T: Any, change: Any) -> Any:
    """The row's layer, with float64 parameters."""
    args = [mapped(a, change) for a in case.args]
    kwargs = {k: mapped(v, change) for k, v in case.kwargs}
    return getattr(T.nn, case.name)(*args, **kwargs).to(T.float64)


def tensor_on(device: str, requires_grad: bool = False) -> Any:
    """What makes a wengert tensor of a NumPy array."""

    def change(array: np.ndarray) -> Any:
        t = wg.autograd.base.wrap(to_backend(array, device))
        return t.requires_grad_(requires_grad and array.dtype.kind == "f")

    return change


def tensors(case: LayerCase, device: str, requires_grad: bool) -> list[Any]:
    """The inputs of one call; those that may be differentiated require grad if asked to."""
    values = case.inputs(Make(1))
    free = len(values) if case.free is None else case.free
    return [mapped(a, tensor_on(device, requires_grad and i < free)) for i, a in enumerate(values)]


def outputs_of(result: Any) -> list[Any]:
    """The tensors of a result, whichever tuples they stand in."""
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
            w = wg.autograd.base.wrap(to_backend(w, o.device.type)) if T is wg else T.tensor(w)
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
            for x in inputs:
                if isinstance(x, wg.Tensor) and x.requires_grad:
                    assert x.grad is None or x.grad.shape == x.shape


@pytest.mark.parametrize("case", [c for c in CASES if c.orders], ids=str)
def test_gradients_of_layer(case: LayerCase):
    layer = make_layer(case, wg, wg.tensor)
    inputs = tensors(case, "cpu", True)
    free = [x for x in (*inputs, *layer.parameters()) if isinstance(x, wg.Tensor) and x.requires_grad]
    if not free:
        return
    before = {name: buffer.clone() for name, buffer in layer._buffers.items() if buffer is not None}

    def function(*_: Any) -> Any:
        layer._buffers.update({name: buffer.clone() for name, buffer in before.items()})  # running statistics
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
    file = io.BytesIO()
    wg.save(layer.state_dict(), file)
    file.seek(0)
    loaded = make_layer(case, wg, wg.tensor)
    loaded.eval()
    loaded.load_state_dict(wg.load(file))
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), loaded):
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


@pytest.mark.parity
@pytest.mark.parametrize("case", [c for c in CASES if c.parity], ids=str)
def test_layer_is_that_of_torch(case: LayerCase):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = make_layer(case, torch, torch.tensor)
    mine = make_layer(case, wg, wg.tensor)
    if case.repr:
        assert repr(mine) == repr(theirs).replace("torch.", "wengert.")
    state = theirs.state_dict()
    assert list(mine.state_dict()) == list(state)
    mine.load_state_dict({k: wg.tensor(v.numpy()) for k, v in state.items()})
    for training in (False, True):
        if training and case.random:
            break
        mine.train(training)
        theirs.train(training)
        compare_with_torch(case, mine, theirs, torch)


def compare_with_torch(case: LayerCase, mine: Any, theirs: Any, torch: Any) -> None:
    tolerance = case.tolerance
    xs = tensors(case, "cpu", True)
    ys = [torch.tensor(values(x), requires_grad=x.requires_grad) if isinstance(x, wg.Tensor) else x for x in xs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs.zero_grad()
        expected = outputs_of(theirs(*ys))
    mine.zero_grad()
    outputs = outputs_of(mine(*xs))
    for a, b in zip(outputs, expected, strict=True):
        assert tuple(a.shape) == tuple(b.shape)
        assert str(a.dtype).partition(".")[2] == str(b.dtype).partition(".")[2]
        np.testing.assert_allclose(values(a), values(b), rtol=tolerance, atol=tolerance)
    if case.same_gradients and any(o.requires_grad for o in expected):
        weighted_sum(expected, torch).backward()
        weighted_sum(outputs, wg).backward()
        pairs = [*zip(xs, ys, strict=True), *zip(mine.parameters(), theirs.parameters(), strict=True)]
        for x, y in pairs:
            if isinstance(x, wg.Tensor) and y.grad is not None:
                np.testing.assert_allclose(values(x.grad), values(y.grad), rtol=tolerance, atol=tolerance)
    for (name, a), b in zip(mine.named_buffers(), theirs.buffers(), strict=True):
        np.testing.assert_allclose(values(a), values(b), rtol=tolerance, atol=tolerance, err_msg=name)
