"""Bad input: each kind of mistake raises PyTorch's exception with PyTorch's words, and names the layer in the model."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import wengert as wg
from wengert import nn

from .cases.bad_input import CALLS, MAKING, Row, z

LIBRARIES = ["wengert", pytest.param("torch", marks=pytest.mark.parity)]


def model_of(T: Any, layer: Any) -> Any:
    """A model whose part ``features.1.layer`` is the layer, and which hands its arguments to it."""
    model = T.nn.Module()
    model.features = T.nn.Sequential(T.nn.Identity(), T.nn.ModuleDict({"layer": layer}))
    model.forward = lambda *args: model.features[1]["layer"](*args)
    return model


def words(row: Row, T: Any) -> str:
    return re.escape(row[2].replace("{T}", T.__name__))


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("what", CALLS)
def test_a_call(what: str, library: str):
    T = pytest.importorskip(library)
    build, error, _ = row = CALLS[what]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer, args = build(T)
        with pytest.raises(error, match=words(row, T)) as caught:
            model_of(T, layer)(*args)
    if T is wg:
        assert " [in features.1.layer" in str(caught.value)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(error, match=r" \[in (\w+\.)*\w+(: \w+)?\(.*\)\]$|\[in \w+\]$"):
                layer(*args)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("what", MAKING)
def test_a_layer_that_cannot_be_made(what: str, library: str):
    T = pytest.importorskip(library)
    build, error, _ = row = MAKING[what]
    with pytest.raises(error, match=words(row, T)):
        build(T)


# ---------------------------------------------------------------------- the place in the model


class Own(nn.Module):
    """A program's own layer, which raises its own errors."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def forward(self, x: Any) -> Any:
        raise self.error


@pytest.mark.parametrize("error", [ValueError("mine"), KeyError("k"), AssertionError(), RuntimeError("a", 2)], ids=repr)
def test_errors_of_the_program_stay_as_they_are(error: Exception):
    args = error.args
    with pytest.raises(type(error)) as caught:
        model_of(wg, Own(error))(wg.zeros(1))
    assert caught.value is error
    assert error.args == args


def test_the_program_s_own_layer_is_named_where_the_library_raises_in_it():
    class Shape(nn.Module):
        def forward(self, x: Any) -> Any:
            return x.view(3, 4) @ x.view(4, 3) + x.reshape(5)

    with pytest.raises(
        RuntimeError, match=r"shape '\[5\]' is invalid for input of size 12.* \[in features.1.layer: Shape"
    ):
        model_of(wg, Shape())(wg.zeros(12))


def test_an_error_that_is_caught_and_raised_again_is_placed_once():
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm2d(3)

        def forward(self, x: Any) -> Any:
            try:
                return self.norm(x)
            except ValueError as error:
                raise error

    with pytest.raises(ValueError, match="expected 4D input") as caught:
        model_of(wg, Twice())(wg.zeros(2, 3))
    assert str(caught.value).count("[in ") == 1
    assert "[in features.1.layer.norm: BatchNorm2d(3" in str(caught.value)


WAYS_OUT: dict[str, tuple[Callable[[], Any], str]] = {
    "flattened too little": (lambda: nn.Linear(12, 2)(z(wg, 2, 3, 4)), r"flatten\(1\)"),
    "another type": (lambda: nn.Linear(3, 2)(z(wg, 2, 3, dt="float64")), r"\.to\(other\.dtype\)"),
    "one value": (lambda: nn.BatchNorm1d(3)(z(wg, 1, 3)), "use a larger batch or eval mode"),
    "numbers as indices": (lambda: nn.Embedding(5, 3)(z(wg, 2)), r"convert with \.long\(\)"),
    "classes as numbers": (lambda: nn.CrossEntropyLoss()(z(wg, 2, 3), z(wg, 2)), r"convert with \.long\(\)"),
    "rows of a table": (lambda: nn.Embedding(5, 3)(wg.tensor([5])), "rows are 0 to 4"),
    "unsorted lengths": (
        lambda: nn.utils.rnn.pack_padded_sequence(z(wg, 3, 2, 1), wg.tensor([1, 3])),
        "enforce_sorted=",
    ),
    "batch first": (lambda: nn.MultiheadAttention(4, 2)(z(wg, 3, 2, 4), *[z(wg, 3, 3, 4)] * 2), "without batch_first"),
    "whole numbers": (lambda: nn.MSELoss()(z(wg, 2, dt="int64"), z(wg, 2, dt="int64")), r"convert with \.float\(\)"),
    "small image": (lambda: nn.Conv2d(1, 1, 5)(z(wg, 1, 1, 3, 3)), "add padding"),
}


@pytest.mark.parametrize("what", WAYS_OUT)
def test_the_way_out(what: str):
    call, way = WAYS_OUT[what]
    with pytest.raises((RuntimeError, ValueError, IndexError, NotImplementedError, AssertionError), match=way):
        call()
