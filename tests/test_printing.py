"""How tensors print."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.autograd import printing

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

inf, nan = float("inf"), float("nan")


@pytest.fixture(autouse=True)
def options_unchanged() -> Iterator[None]:
    before = copy.copy(printing._options[0])
    yield
    printing._options[0] = before
    if torch is not None:
        torch.set_printoptions(profile="default")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (3, "tensor(3)"),
        (2.5, "tensor(2.5000)"),
        ([1.0, 2.0], "tensor([1., 2.])"),
        ([0.5, 10.0], "tensor([ 0.5000, 10.0000])"),
        ([1, -10], "tensor([  1, -10])"),
        ([True, False], "tensor([ True, False])"),
        ([1e-5, 1.0], "tensor([1.0000e-05, 1.0000e+00])"),
        ([1.0, 2000.0], "tensor([1.0000e+00, 2.0000e+03])"),
        ([1e9, 2e9], "tensor([1.0000e+09, 2.0000e+09])"),
        ([nan, 1.0, -inf], "tensor([nan, 1., -inf])"),
        ([[1, 2], [3, 4]], "tensor([[1, 2],\n        [3, 4]])"),
        ([[[1], [2]], [[3], [4]]], "tensor([[[1],\n         [2]],\n\n        [[3],\n         [4]]])"),
        ([1 + 2j, -0.5j], "tensor([1.+2.0000j, -0.-0.5000j])"),
        ([], "tensor([])"),
        ([[], []], "tensor([], size=(2, 0))"),
    ],
)
def test_numbers(data: Any, text: str) -> None:
    assert repr(wg.tensor(data)) == text
    assert str(wg.tensor(data)) == text


def test_what_is_unusual_is_said() -> None:
    x = wg.tensor([1.0], requires_grad=True)
    assert repr(x) == "tensor([1.], requires_grad=True)"
    assert repr(x * 2) == "tensor([2.], grad_fn=<MulBackward0>)"
    assert repr(x.detach()) == "tensor([1.])"
    assert repr(x.double().detach()) == "tensor([1.], dtype=wengert.float64)"
    assert repr(wg.tensor([1], dtype=wg.int32)) == "tensor([1], dtype=wengert.int32)"
    assert repr(wg.zeros(0, dtype=wg.int64)) == "tensor([], dtype=wengert.int64)"
    assert repr(wg.tensor([1.0]).to("strict")) == "tensor([1.], device='strict')"


def test_grad_fn_after_a_write_to_a_view() -> None:
    x = wg.ones(3, requires_grad=True) * 2
    x[0] = 5.0
    assert repr(x) == "tensor([5., 2., 2.], grad_fn=<CopySlices>)"


def test_views_are_named_as_in_pytorch() -> None:
    x = wg.ones(2, 3, requires_grad=True)
    names = {
        "Select": x[0],
        "Slice": x[:1],
        "Unsqueeze": x[None],
        "View": x.view(6),
        "T": x.t(),
        "Permute": x.permute(1, 0),
        "Transpose": x.transpose(0, 1),
        "Expand": x.expand(2, 2, 3),
        "Index": x[[0, 1]],
        "Clone": x.clone(),
        "ToCopy": x.double(),
        "Cat": wg.cat([x, x]),
        "Split": x.split(1)[0],
    }
    assert {n: type(y.grad_fn).__name__ for n, y in names.items()} == {n: f"{n}Backward0" for n in names}


def test_large_tensors_show_their_edges() -> None:
    assert repr(wg.arange(1001)) == "tensor([   0,    1,    2,  ...,  998,  999, 1000])"
    assert repr(wg.arange(1000)).count(",") == 999
    assert repr(wg.zeros(40, 40)).splitlines()[3:5] == ["        ...,", "        [0., 0., 0.,  ..., 0., 0., 0.],"]


def test_options() -> None:
    wg.set_printoptions(precision=2)
    assert repr(wg.tensor([0.12345])) == "tensor([0.12])"
    wg.set_printoptions(sci_mode=True)
    assert repr(wg.tensor([0.12345])) == "tensor([1.23e-01])"
    wg.set_printoptions(profile="full")
    assert "..." not in repr(wg.zeros(2000))
    wg.set_printoptions(profile="default", linewidth=30)
    assert len(repr(wg.zeros(20)).splitlines()) == 3
    with pytest.raises(ValueError, match="short"):
        wg.set_printoptions(profile="nope")


def test_options_in_a_block() -> None:
    with printing.printoptions(edgeitems=1, threshold=3):
        assert repr(wg.arange(5)) == "tensor([0,  ..., 4])"
    assert repr(wg.arange(5)) == "tensor([0, 1, 2, 3, 4])"


def test_format() -> None:
    assert f"{wg.tensor(3.14159):.2f}" == "3.14"
    assert f"{wg.ones(2)}" == "tensor([1., 1.])"
    with pytest.raises(TypeError):
        f"{wg.ones(2):.2f}"


SHAPES = [(), (3,), (30,), (2, 3), (1, 30), (2, 3, 4, 2), (0, 3), (1001,), (40, 40), (7, 7, 30), (3, 400)]


def drawn(kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    x = rng.standard_normal(shape)
    if kind in ("int64", "int8"):
        return rng.integers(-100, 100, shape).astype(kind)
    if kind == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if kind == "whole":
        return np.asarray(np.round(x * 30), np.float32)
    if kind == "special":
        special = np.array([nan, inf, -inf, 0.0, 1.0, 2.5])
        return np.asarray(special[rng.integers(0, 6, shape)], np.float32)
    if kind == "complex":
        return np.asarray(x + 1j * np.round(5 * rng.standard_normal(shape)), np.complex64)
    return np.asarray(
        x * 10.0 ** {"float": 0, "small": -6, "large": 5, "mixed": rng.integers(-4, 4, shape)}[kind], "f4"
    )


@pytest.mark.parity
@pytest.mark.skipif(torch is None, reason="PyTorch is not installed: make parity installs it")
@pytest.mark.parametrize(
    "options", [{}, {"precision": 2}, {"linewidth": 50}, {"edgeitems": 1, "threshold": 5}, {"sci_mode": True}], ids=str
)
@pytest.mark.parametrize(
    "kind", ["float", "small", "large", "mixed", "whole", "special", "complex", "int64", "int8", "bool"]
)
def test_like_torch(kind: str, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    torch.set_printoptions(**options)
    wg.set_printoptions(**options)
    for shape in SHAPES:
        array = drawn(kind, shape, rng)
        expected = repr(torch.tensor(array)).replace("torch.", "wengert.")
        # The longer name of a dtype may need a line of its own.
        assert " ".join(repr(wg.tensor(array)).split()) == " ".join(expected.split())


def test_limits_print_short_and_compare_by_type():
    assert repr(wg.finfo(wg.float16)) == (
        "finfo(resolution=0.001, min=-65504, max=65504, eps=0.000976562, smallest_normal=6.10352e-05, "
        "tiny=6.10352e-05, dtype=float16)"
    )
    assert repr(wg.iinfo(wg.int32)) == "iinfo(min=-2.14748e+09, max=2.14748e+09, dtype=int32)"
    assert wg.finfo(wg.complex64) == wg.finfo(wg.float32) != wg.finfo(wg.float64)
    assert wg.iinfo(wg.int8) == wg.iinfo(wg.int8)


def test_a_subclass_prints_its_name():
    class Ours(wg.Tensor):
        pass

    assert repr(wg.ones(2).as_subclass(Ours)) == "Ours([1., 1.])"
    assert repr(type(wg.ones(1))) == "<class 'wengert.Tensor'>"


def test_no_edges_show_the_size():
    with wg.autograd.printing.printoptions(edgeitems=0, threshold=2):
        assert repr(wg.zeros(4)) == "tensor([...], size=(4,))"
