"""What the op table cannot say of elementwise ops and reductions: kinks, poles, ties, refusals, and silence."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg

INF = float("inf")


def gradient(fn: Callable[[Any], Any], x: list[float]) -> list[float]:
    t = wg.tensor(x, requires_grad=True)
    fn(t).sum().backward()
    return t.grad.tolist()  # type: ignore[no-any-return]


# The trap of ``where``: the branch that is not taken has an infinite derivative.
TRAPS: dict[str, tuple[Callable[[Any], Any], float]] = {
    "log": (wg.log, 0.0),
    "sqrt": (wg.sqrt, 0.0),
    "rsqrt": (wg.rsqrt, 0.0),
    "reciprocal": (wg.reciprocal, 0.0),
    "div": (lambda x: 1 / x, 0.0),
    "pow": (lambda x: x**0.5, 0.0),
    "pow negative": (lambda x: x**-2, 0.0),
    "pow tensor": (lambda x: x ** (x * 0 + 0.5), 0.0),
    "asin": (wg.asin, 1.0),
    "acos": (wg.acos, -1.0),
    "acosh": (wg.acosh, 1.0),
    "atanh": (wg.atanh, 1.0),
    "norm": (lambda x: x.norm(dim=-1, keepdim=True), 0.0),
    "std": (lambda x: wg.stack([x, x]).std(0), 0.0),
    "erfinv": (wg.erfinv, 1.0),
    "logit": (wg.logit, 0.0),
    "xlogy": (lambda x: wg.xlogy(x, x), 0.0),
    "hypot": (lambda x: wg.hypot(x, x), 0.0),
    "elu": (lambda x: wg.nn.functional.elu(x), 1000.0),
}


@pytest.mark.parametrize("name", TRAPS)
@pytest.mark.parametrize("create_graph", [False, True])
def test_no_gradient_in_means_none_out(name: str, create_graph: bool):
    fn, pole = TRAPS[name]
    x = wg.tensor([pole, 2.0 if name == "acosh" else 0.5], requires_grad=True)
    y = wg.where(wg.tensor([False, True]), fn(x), 0.0)
    (g,) = wg.autograd.grad(y.sum(), x, create_graph=create_graph)
    assert g[0].item() == 0
    assert np.isfinite(g.tolist()).all()


def test_ties():
    assert gradient(lambda x: x.amax(), [2.0, 1.0, 2.0]) == [0.5, 0, 0.5]
    assert gradient(lambda x: x.max(), [2.0, 1.0, 2.0]) == [0.5, 0, 0.5]
    assert gradient(lambda x: x.max(0).values, [2.0, 1.0, 2.0]) == [1, 0, 0]
    assert gradient(lambda x: x.cummax(0).values, [2.0, 1.0, 2.0]) == [2, 0, 1]
    assert gradient(lambda x: wg.maximum(x, wg.tensor(2.0)), [2.0, 3.0]) == [0.5, 1]
    assert gradient(lambda x: x.clamp(0, 1), [0.0, 0.5, 1.0, 2.0]) == [1, 1, 1, 0]
    assert gradient(wg.nn.functional.hardtanh, [-1.0, 0.5, 1.0]) == [0, 1, 0]
    assert gradient(wg.relu, [0.0, 1.0]) == [0, 1]
    assert gradient(abs, [0.0, -1.0]) == [0, -1]
    assert gradient(lambda x: x.norm(p=INF), [3.0, -3.0, 1.0]) == [0.5, -0.5, 0]


def test_equal_elements_have_no_spread():
    assert gradient(lambda x: x.std(), [1.0, 1.0, 1.0]) == [0, 0, 0]
    assert gradient(lambda x: x.norm(), [0.0, 0.0]) == [0, 0]


def test_products_of_zeros():
    assert gradient(lambda x: x.prod(), [2.0, 0.0, 3.0]) == [0, 6, 0]
    assert gradient(lambda x: x.prod(), [0.0, 0.0, 3.0]) == [0, 0, 0]
    assert gradient(lambda x: x.cumprod(0), [2.0, 0.0, 3.0]) == [1, 8, 0]


def test_nan_goes_through():
    x = wg.tensor([1.0, float("nan"), 3.0])
    for y in (x.max(), x.min(), x.amax(), x.median(), x.sum(), x.clamp(0, 1)[1], x.max(0).values, wg.relu(x)[1]):
        assert y.isnan().item()
    assert x.max(0).indices.item() == x.argmax().item() == 1
    assert x.nanmedian().item() == 1.0
    assert x.nansum().item() == 4.0


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_poles_are_silent(dtype: str):
    x = wg.tensor([0.0, -1.0, INF], dtype=getattr(wg, dtype))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"wengert\.")  # as the library does
        for fn in (wg.log, wg.sqrt, wg.rsqrt, wg.reciprocal, wg.exp, wg.sinh, wg.acos, wg.lgamma):
            fn(x)
        _ = x / x, x - x, x.max(), x.sum(), x.std(), x.softmax(0), wg.logsumexp(x, 0), x % 0


def overlapping() -> wg.Tensor:
    overlapping.x = wg.arange(6.0)  # type: ignore[attr-defined]
    return overlapping.x  # type: ignore[attr-defined,no-any-return]


REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "shapes": (lambda: wg.ones(2, 3) + wg.ones(4), RuntimeError, "size of tensor a .3. must match.*b .4.*dimension 1"),
    "dim": (lambda: wg.ones(2, 2).sum(5), IndexError, r"expected to be in range of \[-2, 1\], but got 5"),
    "twice": (lambda: wg.ones(2, 2).sum((0, 0)), RuntimeError, "multiple times"),
    "bool minus": (lambda: wg.tensor([True]) - wg.tensor([True]), RuntimeError, "logical_xor"),
    "bool neg": (lambda: -wg.tensor([True]), RuntimeError, "logical_not"),
    "int mean": (lambda: wg.tensor([1]).mean(), RuntimeError, "could not infer output dtype"),
    "int var": (lambda: wg.tensor([1]).var(), RuntimeError, "only support floating point"),
    "int softmax": (lambda: wg.softmax(wg.tensor([1]), 0), RuntimeError, "not implemented for"),
    "int gelu": (lambda: wg.nn.functional.gelu(wg.tensor([1])), RuntimeError, "not implemented for .Long"),
    "zero": (lambda: wg.tensor([1]) // 0, RuntimeError, "ZeroDivisionError"),
    "modulo zero": (lambda: wg.tensor([1]) % wg.tensor([0]), RuntimeError, "ZeroDivisionError"),
    "int power": (lambda: wg.tensor([2]) ** -1, RuntimeError, "negative integer powers"),
    "rounding": (lambda: wg.div(wg.ones(1), 2, rounding_mode="up"), RuntimeError, "rounding_mode"),
    "alpha": (lambda: wg.add(wg.tensor([1]), wg.tensor([1]), alpha=0.5), RuntimeError, "alpha"),
    "empty max": (lambda: wg.ones(0).max(), RuntimeError, "Specify the reduction dim"),
    "empty max dim": (lambda: wg.ones(2, 0).max(1), IndexError, "non-zero size"),
    "empty argmax": (lambda: wg.ones(0).argmax(), IndexError, "Expected reduction dim to be specified"),
    "bitwise float": (lambda: wg.ones(1) & 1, RuntimeError, "integers and bool"),
    "clamp": (lambda: wg.ones(1).clamp(), RuntimeError, "At least one of"),
    "maximum": (lambda: wg.maximum(wg.ones(1), 3), TypeError, "must be Tensor, not int"),
    "text": (lambda: wg.ones(1) + "a", TypeError, "unsupported operand"),
    "order": (lambda: wg.ones(1) < "a", TypeError, "not supported between"),
    "no tensor": (lambda: wg.exp(1.0), TypeError, "must be Tensor, not float"),
    "isclose": (lambda: wg.isclose(wg.ones(1), wg.ones(1, dtype=wg.float64)), RuntimeError, "did not match"),
    "condition": (lambda: wg.where(wg.ones(1), 1, 2), RuntimeError, "boolean tensor"),
    "quantile": (lambda: wg.quantile(wg.ones(3), 1.5), RuntimeError, r"range \[0, 1\]"),
    "bincount": (lambda: wg.bincount(wg.tensor([-1])), RuntimeError, "non-negative"),
    "complex order": (lambda: wg.ones(2, dtype=wg.complex64).max(), RuntimeError, "no order"),
    "number first": (
        lambda: wg.eq(2, wg.ones(1)),
        TypeError,
        r"invalid combination of arguments - got \(int, Tensor\)",
    ),
    "numbers alone": (lambda: wg.pow(2, 3), TypeError, r"invalid combination of arguments - got \(int, int\)"),
    "number second": (lambda: wg.atan2(wg.ones(1), 2), TypeError, r"'other' \(position 2\) must be Tensor, not int"),
    "complex floor": (lambda: wg.floor(wg.tensor([1j])), NotImplementedError, "not supported for complex inputs"),
    "complex less": (lambda: wg.tensor([1j]) < 2, NotImplementedError, "not implemented for 'ComplexFloat'"),
    "bool power": (lambda: wg.tensor([True]) ** wg.tensor([True]), NotImplementedError, "not implemented for 'Bool'"),
    "int hypot": (lambda: wg.hypot(wg.tensor([1]), wg.tensor([2])), NotImplementedError, "not implemented for 'Long'"),
    "abs_": (lambda: wg.tensor([1j]).abs_(), RuntimeError, "In-place abs"),
    "float_power_": (lambda: wg.ones(1).float_power_(2), RuntimeError, "requires dtype Double"),
    "overlap": (lambda: overlapping()[1:].add_(overlapping.x[:-1]), RuntimeError, "refer to a single memory location"),
    "overlap of out": (lambda: wg.exp(overlapping()[1:], out=overlapping.x[:-1]), RuntimeError, "some elements of the"),
    "row of itself": (lambda: overlapping().add_(overlapping.x[0]), RuntimeError, "some elements of the input tensor"),
    "huge integer": (lambda: wg.tensor([1]) + 2**64, OverflowError, "does not fit int64"),
    "invert": (lambda: ~wg.ones(1), TypeError, "only implemented on integer and Boolean"),
    "one choice": (lambda: wg.where(wg.tensor([True]), 1), TypeError, "invalid combination"),
    "isposinf out": (lambda: wg.isposinf(wg.ones(1), out=wg.ones(1)), RuntimeError, "Expected out tensor"),
    "complex alpha": (lambda: wg.add(wg.ones(1), wg.ones(1), alpha=1j), RuntimeError, "must not be a complex number"),
    "in-place cast": (lambda: wg.tensor([1]).add_(0.5), RuntimeError, "can't be cast"),
    "in-place size": (lambda: wg.ones(2).add_(wg.ones(3, 2)), RuntimeError, "doesn't match the broadcast shape"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_name_the_reason(name: str):
    call, error, text = REFUSED[name]
    with pytest.raises(error, match=text):
        call()


def test_two_numbers_make_a_tensor():
    assert wg.add(2, 2.5).item() == 4.5
    assert wg.mul(2, 3).dtype is wg.int64


def test_whole_numbers_stay_what_they_are():
    x = wg.tensor([3, -2], dtype=wg.uint8)
    assert all(f(x).dtype is wg.uint8 for f in (wg.round, wg.floor, wg.ceil, wg.trunc))
    assert wg.conj_physical(wg.tensor([True])).dtype is wg.bool


def test_polynomials_of_broken_degrees():
    x = wg.tensor([0.5])
    assert wg.special.legendre_polynomial_p(x, 2.9).item() == wg.special.legendre_polynomial_p(x, 2).item()


def test_complex_logaddexp():
    x, y = wg.tensor([1 + 1j, 5j]), wg.tensor([2 - 2j, -5j])
    assert (wg.logaddexp(x, y).exp() - x.exp() - y.exp()).abs().max() < 1e-5
    big = wg.tensor([1e4 + 0j, 2 + 1j], dtype=wg.complex128, requires_grad=True)
    wg.logcumsumexp(big, 0).real.sum().backward()
    assert big.grad.tolist() == [2, 0]


def test_nextafter_passes_the_gradient_where_it_steps():
    x = wg.tensor([1.0, 2.0], requires_grad=True)
    wg.nextafter(x, wg.tensor([1.0, 3.0])).sum().backward()
    assert x.grad.tolist() == [0, 1]


def test_a_complex_number_keeps_the_precision_of_the_tensor():
    z = wg.tensor(1j, dtype=wg.complex128)
    assert (wg.ones(2) * z).dtype is wg.complex64
    assert (wg.ones(2, dtype=wg.float64) * z.to(wg.complex64)).dtype is wg.complex128


def test_half_and_a_finer_number_are_rounded_once():
    x = wg.tensor([0.25, 1.0], dtype=wg.float16)
    assert (x * 1e5).tolist() == [24992, float("inf")]
    assert (x - x * 0.1).dtype is wg.float16
    y = x.detach().requires_grad_()
    (y * 3e-8).sum().backward()
    assert y.grad.dtype is wg.float16


def test_truth_values_beside_integers_are_integers():
    assert (wg.tensor([True]) << wg.tensor([2])).tolist() == [4]
    assert wg.gcd(wg.tensor([4]), wg.tensor([True])).tolist() == [1]
    with pytest.raises(NotImplementedError, match="'Bool'"):
        wg.tensor([True]) << wg.tensor([True])


def test_ldexp_of_large_exponents():
    x = wg.tensor([1.5, 2.0], requires_grad=True)
    n = wg.tensor([3, -140], dtype=wg.int16)
    y = wg.ldexp(x, n)
    y.sum().backward()
    assert y.tolist() == [12, 2.0**-139]
    assert x.grad.tolist() == [8, 2.0**-140]


def test_the_sign_of_nan_is_zero():
    x = wg.tensor([float("nan"), -2.0, 0.0], requires_grad=True)
    assert wg.sign(x).tolist() == [0, -1, 0]
    assert wg.lgamma(wg.tensor([float("-inf"), 1e-310], dtype=wg.float64)).tolist() == pytest.approx(
        [float("inf"), 713.801378827]
    )


def test_what_may_share_memory():
    x = wg.arange(6.0)
    x[:3].add_(x[3:])
    x[::2].add_(x[1::2])
    x.mul_(x.view(6))
    wg.add(x, x, out=x)
    assert x.tolist() == [128, 50, 200, 18, 162, 50]


@pytest.mark.filterwarnings("ignore:This overload of:UserWarning")
def test_the_older_order_of_arguments():
    p, g = wg.ones(2), wg.tensor([1.0, 2.0])
    p.add_(-0.5, g)
    assert p.tolist() == [0.5, 0]
    assert wg.sub(g, 2, g).tolist() == [-1, -2]
    assert wg.addcmul(g, 2, g, g).tolist() == [3, 10]
    assert g.clone().addcdiv_(-1, g, g).tolist() == [0, 1]


def test_alpha_and_value_take_the_kind_of_the_result():
    assert wg.add(wg.tensor([True]), wg.tensor([True]), alpha=2).dtype is wg.bool
    one = wg.tensor([1])
    assert wg.addcmul(one, one, one, value=1.5).tolist() == [2]


def test_nan_to_num_of_complex_numbers():
    z = wg.tensor([complex("nan+infj")], requires_grad=True)
    y = wg.nan_to_num(z, posinf=2.0)
    y.real.sum().backward()
    assert y.tolist() == [2j]
    assert z.grad.tolist() == [0]
    assert wg.heaviside(wg.tensor([float("nan")]), wg.ones(1)).tolist() == [0]


def test_nan_sends_no_gradient_through_a_clamp():
    x = wg.tensor([float("nan"), 1.0, 3.0], requires_grad=True)
    wg.clamp(x, wg.zeros(3), wg.full((3,), 2.0)).sum().backward()
    wg.clamp_min(x, wg.zeros(3)).sum().backward()
    assert x.grad.tolist() == [0, 2, 1]


def test_comparison_with_strangers():
    x = wg.ones(2)
    assert (x == "text") is False
    assert (x != None) is True  # noqa: E711
    assert (x == wg.tensor([1, 0])).tolist() == [True, False]


def test_integers_wrap_as_in_torch():
    x = wg.tensor([255, 1], dtype=wg.uint8)
    assert (x == -1).tolist() == [True, False]
    assert (x + 300).tolist() == [43, 45]
    assert (x + 300).dtype == wg.uint8


def test_named_results():
    pair = wg.tensor([[1.0, 5.0]]).max(dim=1)
    assert pair.values.item() == 5.0
    assert pair.indices.item() == 1
    assert repr(pair) == "wengert.return_types.max(\nvalues=tensor([5.]),\nindices=tensor([1]))"


def test_numpy_spellings():
    x = wg.ones(2, 3)
    assert x.sum(axis=1).shape == (2,)
    assert x.mean(axis=(0, 1), keepdims=True).shape == (1, 1)


def test_gradient_of_gradient_passes_points_where_the_first_is_zero():
    x = wg.tensor([0.25], dtype=wg.float64, requires_grad=True)
    w = wg.zeros(1, dtype=wg.float64, requires_grad=True)
    (gx,) = wg.autograd.grad((x.sqrt() * w).sum(), x, create_graph=True)
    assert gx.item() == 0
    (gw,) = wg.autograd.grad(gx, w)
    assert gw.item() == 1.0  # d/dw of w / (2 sqrt(x))
