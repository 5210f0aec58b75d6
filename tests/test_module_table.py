"""PyTorch's own table of modules, with its sample inputs: what each module computes, and what it is made of.

A module is made with PyTorch's arguments, takes over the state of PyTorch's module, and must then give the same outputs
and gradients in training and in evaluation, the same state-dict keys and the same text, and survive what its users do
to it: conversion, pickling, copies, non-contiguous inputs. Arguments that PyTorch refuses must be refused.
"""

from __future__ import annotations

import copy
import dataclasses
import pickle
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import wengert as wg

try:
    import torch
    from torch.testing._internal.common_modules import ModuleErrorEnum, module_db

    from .opinfo.convert import Converter, Unconvertible, fresh
except ImportError:
    torch = None  # type: ignore[assignment]
    module_db, Converter = [], object  # type: ignore[assignment, misc]

pytestmark = [
    pytest.mark.parity,
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.skipif(torch is None, reason="PyTorch is not installed: make parity installs it"),
]

# Drawn at random in training, so that only evaluation can be compared.
RANDOM = {"Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout", "RReLU"}
RANDOM |= {"FractionalMaxPool2d", "FractionalMaxPool3d"}
# Tests that are left out, and why.
EXCUSED = {
    ("test_refused_arguments", "NLLLoss"): "a weight of another type is converted",
    ("test_refused_arguments", "LinearCrossEntropyLoss"): "the texts are cross_entropy's",
    ("test_float32", "FractionalMaxPool2d"): "PyTorch's own samples draw float64 windows for float32 inputs",
    ("test_float32", "FractionalMaxPool3d"): "PyTorch's own samples draw float64 windows for float32 inputs",
    ("test_float32", "CTCLoss"): "long sums in float32, in another order",
}


def name_of(info: Any) -> str:
    return str(info.module_cls.__name__)


@pytest.fixture(autouse=True)
def excused(request: pytest.FixtureRequest) -> None:
    reason = EXCUSED.get((request.node.originalname, name_of(request.node.callspec.params["info"])))
    if reason is not None:
        pytest.skip(reason)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class Sample:
    """One entry of the table: PyTorch's module and wengert's with the same state, and the arguments of a call."""

    def __init__(self, info: Any, entry: Any, dtype: Any, training: bool) -> None:
        self.info, self.entry, self.training = info, entry, training
        made = entry.constructor_input
        convert = ModuleConverter()
        self.theirs = self.make(info.module_cls, made.args, made.kwargs, {"dtype": dtype})
        self.ours = self.make(
            getattr(wg.nn, name_of(info)), convert(made.args), convert(made.kwargs), convert({"dtype": dtype})
        )
        if info.is_lazy:  # the first call makes the parameters
            for module, (args, kwargs) in zip((self.theirs, self.ours), self.arguments(), strict=True):
                module(*args, **kwargs)
        for module in (self.theirs, self.ours):
            module.train(training)
        self.same_state()

    @staticmethod
    def make(cls: Any, args: Any, kwargs: Any, options: Any) -> Any:
        try:
            return cls(*args, **kwargs, **options)
        except TypeError:  # it has no parameters
            return cls(*args, **kwargs)

    def same_state(self) -> None:
        """Load the state of PyTorch's module; the keys must be the same."""
        state = self.theirs.state_dict()
        assert list(self.ours.state_dict()) == list(state)
        for key, value in self.ours.state_dict().items():
            assert tuple(value.shape) == tuple(state[key].shape)
            assert dtype_of(value) == dtype_of(state[key])
        self.ours.load_state_dict({key: Converter()(value) for key, value in state.items()})

    def arguments(self) -> tuple[Any, Any]:
        """The arguments of a call, for PyTorch and for wengert."""
        given = self.entry.forward_input
        convert = Converter()
        theirs = fresh((given.args, given.kwargs))
        return theirs, convert(theirs)


class ModuleConverter(Converter):
    """A `Converter` that also knows the modules that containers are made with."""

    def __call__(self, x: Any) -> Any:
        if isinstance(x, torch.nn.TransformerEncoderLayer):
            return self.layer(x, wg.nn.TransformerEncoderLayer)
        if isinstance(x, torch.nn.TransformerDecoderLayer):
            return self.layer(x, wg.nn.TransformerDecoderLayer)
        if isinstance(x, torch.nn.LinearCrossEntropyOptions):
            return wg.nn.LinearCrossEntropyOptions(**{f.name: self(getattr(x, f.name)) for f in dataclasses.fields(x)})
        return super().__call__(x)

    def layer(self, x: Any, kind: Any) -> Any:
        attention = x.self_attn
        return kind(
            attention.embed_dim,
            attention.num_heads,
            x.linear1.out_features,
            x.dropout.p,
            self(x.activation),
            x.norm1.eps,
            attention.batch_first,
            x.norm_first,
            x.linear1.bias is not None,
            dtype=self(x.linear1.weight.dtype),
        )


def dtype_of(tensor: Any) -> str:
    return str(tensor.dtype).split(".")[-1]


def mapped(value: Any, fn: Any) -> Any:
    """``value`` with ``fn`` applied to every torch tensor in it."""
    if isinstance(value, torch.Tensor):
        return fn(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*[mapped(v, fn) for v in value])
    if isinstance(value, list | tuple):
        return type(value)(mapped(v, fn) for v in value)
    if isinstance(value, dict):
        return {key: mapped(v, fn) for key, v in value.items()}
    return value


def tensors(value: Any) -> list[Any]:
    """All the tensors in a nest of sequences and mappings."""
    if isinstance(value, wg.Tensor | torch.Tensor):
        return [value]
    if isinstance(value, list | tuple):
        return [t for v in value for t in tensors(v)]
    return [t for v in value.values() for t in tensors(v)] if isinstance(value, dict) else []


def close(ours: Any, theirs: Any, what: str, tolerance: float = 1e-8) -> None:
    """Two tensors of the same type, shape and values."""
    assert tuple(ours.shape) == tuple(theirs.shape), what
    assert dtype_of(ours) == dtype_of(theirs), what
    x, y = ours.detach().numpy(), theirs.detach().numpy()
    scale = max(1.0, float(np.abs(y[np.isfinite(y)]).max(initial=0.0))) if y.dtype.kind in "fc" else 1.0
    np.testing.assert_allclose(x, y, rtol=0, atol=tolerance * scale, err_msg=what)


def samples(info: Any, dtype: Any, training: bool) -> Iterator[Sample]:
    torch.manual_seed(0)
    entries = info.module_inputs_func(info, device="cpu", dtype=dtype, requires_grad=True, training=training)
    for entry in entries:
        try:
            yield Sample(info, entry, dtype, training)
        except Unconvertible:
            continue


def run(sample: Sample, arguments: tuple[Any, Any], tolerance: float) -> None:
    """One call and its gradients, compared."""
    modules = (sample.theirs, sample.ours)
    theirs, ours = (tensors(module(*args, **kwargs)) for module, (args, kwargs) in zip(modules, arguments, strict=True))
    assert len(ours) == len(theirs)
    if sample.training and name_of(sample.info) in RANDOM:
        assert [tuple(t.shape) for t in ours] == [tuple(t.shape) for t in theirs]
        return
    for i, (o, t) in enumerate(zip(ours, theirs, strict=True)):
        close(o, t, f"output {i}", tolerance)
        assert o.requires_grad == t.requires_grad, f"output {i}"
    leaves = [
        [t for t in (*module.parameters(), *tensors(args)) if t.requires_grad]
        for module, args in zip(modules, arguments, strict=True)
    ]
    wanted = [t for t in theirs if t.requires_grad]
    if not wanted:
        return
    gs = [torch.randn_like(t) for t in wanted]
    expected = torch.autograd.grad(wanted, leaves[0], gs, allow_unused=True)
    ours = [o for o in ours if o.requires_grad]
    found = wg.autograd.grad(ours, leaves[1], Converter()(gs), allow_unused=True)
    for i, (o, t) in enumerate(zip(found, expected, strict=True)):
        if t is None or o is None:
            assert all(g is None or not g.any() for g in (o, t)), f"gradient {i}"
        else:
            close(o, t, f"gradient {i}", tolerance)
    for key, value in sample.theirs.state_dict().items():  # running statistics
        close(sample.ours.state_dict()[key], value, key, tolerance)


def strided(t: Any) -> Any:
    """The same values with gaps between them in memory; PyTorch's CTC loss crashes on such targets."""
    if t.dim() == 0 or not t.is_floating_point():
        return fresh(t)
    wide = torch.empty(*t.shape, 2, dtype=t.dtype)
    wide[..., 0] = t.detach()
    return wide[..., 0].detach().requires_grad_(t.requires_grad)


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("info", module_db, ids=name_of)
def test_outputs_and_gradients(info: Any, training: bool) -> None:
    for sample in samples(info, torch.float64, training):
        run(sample, sample.arguments(), 1e-8)
        assert repr(sample.ours) == repr(sample.theirs)
        apart = mapped(sample.arguments()[0], strided)
        run(sample, (apart, Converter()(apart)), 1e-8)


@pytest.mark.parametrize("info", module_db, ids=name_of)
def test_float32(info: Any) -> None:
    if torch.float32 in info.supported_dtypes("cpu"):
        for sample in samples(info, torch.float32, False):
            run(sample, sample.arguments(), 3e-5)


@pytest.mark.parametrize("info", module_db, ids=name_of)
def test_copies_and_conversions(info: Any) -> None:
    for sample in samples(info, torch.float64, False):
        _, (args, kwargs) = sample.arguments()
        expected = tensors(sample.ours(*args, **kwargs))
        for copied in (copy.deepcopy(sample.ours), pickle.loads(pickle.dumps(sample.ours))):
            assert repr(copied) == repr(sample.ours)
            assert list(copied.state_dict()) == list(sample.ours.state_dict())
            for x, y in zip(tensors(copied(*args, **kwargs)), expected, strict=True):
                np.testing.assert_array_equal(x.detach().numpy(), y.detach().numpy())
        before = list(sample.ours.parameters())
        for convert in ("float", "half", "bfloat16", "double"):
            getattr(sample.ours, convert)()
            getattr(sample.theirs, convert)()
            theirs = sample.theirs.state_dict()
            assert {k: dtype_of(v) for k, v in sample.ours.state_dict().items()} == {
                k: dtype_of(v) for k, v in theirs.items()
            }
        assert all(p is q for p, q in zip(before, sample.ours.parameters(), strict=True))
        break  # the others differ in what they compute only


@pytest.mark.parametrize("info", [i for i in module_db if i.module_error_inputs_func], ids=name_of)
def test_refused_arguments(info: Any) -> None:
    for training in (True, False):
        entries = info.module_error_inputs_func(
            info, device="cpu", dtype=torch.float32, requires_grad=False, training=training
        )
        for entry in entries:
            made, called = entry.module_error_input.constructor_input, entry.module_error_input.forward_input
            convert = ModuleConverter()
            args, kwargs = convert(made.args), convert(made.kwargs)
            cls = getattr(wg.nn, name_of(info))
            if entry.error_on == ModuleErrorEnum.CONSTRUCTION_ERROR:
                with pytest.raises(entry.error_type, match=entry.error_regex):
                    cls(*args, **kwargs)
            else:
                module = cls(*args, **kwargs)
                args, kwargs = convert(called.args), convert(called.kwargs)
                with pytest.raises(entry.error_type, match=entry.error_regex):
                    module(*args, **kwargs)
