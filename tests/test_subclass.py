"""Subclasses of Tensor: what is computed from one is one too, or what its ``__torch_function__`` makes of it."""

from __future__ import annotations

import pickle
from typing import ClassVar

import pytest

import wengert as wg
from wengert.autograd.subclass import has_torch_function


class Ours(wg.Tensor):
    def squares(self):
        return (self * self).sum()


class Logged(wg.Tensor):
    calls: ClassVar[list[str]] = []

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        cls.calls.append(func.__name__)
        return super().__torch_function__(func, types, args, kwargs)


class Refusing(wg.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return NotImplemented


def test_results_are_of_the_subclass():
    x = wg.ones(2, 2).as_subclass(Ours)
    results = [x + 1, 1 + x, wg.ones(2, 2) + x, wg.exp(x), x.T, x[0], x.sum(), x > 0, x.double(), x.detach(), x.data]
    results += [wg.stack([x, x]), wg.nn.functional.relu(x), wg.zeros_like(x), next(iter(x)), x.max(0).values]
    assert [type(y) for y in results] == [Ours] * len(results)
    assert x.squares().item() == 4.0
    assert type(x.shape) is wg.Size
    assert type(wg.tensor(x.tolist())) is wg.Tensor


def test_plain_tensors_stay_plain():
    x = wg.ones(2)
    y = x.as_subclass(Ours)
    assert type(y.contiguous()) is Ours
    assert type(x) is wg.Tensor
    assert type(x + x) is type(wg.exp(x)) is wg.Tensor
    assert type(wg.nn.Parameter(x) * 1) is wg.Tensor


def test_gradients_pass_through():
    x = wg.ones(2, requires_grad=True)
    (x.as_subclass(Ours) * 3).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_torch_function_sees_every_call():
    x = wg.ones(2).as_subclass(Logged)
    Logged.calls.clear()
    assert type(wg.relu(x) + 1) is Logged
    assert Logged.calls == ["relu", "add"]
    assert has_torch_function((x,))
    with wg.autograd.subclass.DisableTorchFunctionSubclass():
        assert type(x + 1) is wg.Tensor


def test_classes_may_refuse():
    with pytest.raises(TypeError, match="no implementation found for 'exp'"):
        wg.exp(wg.ones(2).as_subclass(Refusing))


def test_the_class_below_decides():
    class Below(Ours):
        pass

    x, y = wg.ones(2).as_subclass(Ours), wg.ones(2).as_subclass(Below)
    assert type(x + y) is type(y + x) is Below


def test_made_by_a_constructor_of_its_own():
    class Tagged(wg.Tensor):
        def __new__(cls, data, tag):
            self = wg.Tensor._make_subclass(cls, data, True)
            self.tag = tag
            return self

    t = Tagged(wg.ones(2), "a")
    assert (t.tag, t.requires_grad, t.is_leaf) == ("a", True, True)


def test_functions_of_the_user_ask_too():
    def area(shape):
        if wg.overrides.has_torch_function_unary(shape):
            return wg.overrides.handle_torch_function(area, (shape,), shape)
        return "plain"

    class Disc:
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return cls.__name__, func.__name__, types

    assert area(wg.ones(2)) == "plain"
    assert area(Disc()) == ("Disc", "area", (Disc,))
    assert wg.overrides.has_torch_function_variadic(1, Disc())
    assert not wg.overrides.has_torch_function_variadic(1, wg.ones(1))
    assert wg.overrides.is_tensor_like(Disc())
    assert not wg.overrides.is_tensor_like(3)
    with pytest.raises(TypeError, match="no implementation found for 'area'"):
        wg.overrides.handle_torch_function(area, (wg.ones(2).as_subclass(Refusing),))


def test_functions_can_be_pickled_all_the_same():
    assert type(wg.ones(2).as_subclass(Ours) + 1) is Ours, "there are subclasses"
    with wg.autocast("cpu"):
        layer = wg.nn.TransformerEncoderLayer(4, 2, activation=wg.nn.functional.relu)
    for function in (wg.relu, wg.nn.functional.relu, wg.matmul, wg.nn.functional.linear, layer.activation):
        assert pickle.loads(pickle.dumps(function)) is function
    again = pickle.loads(pickle.dumps(layer))
    assert again.activation is layer.activation
