"""gradcheck and gradgradcheck find wrong gradients and pass right ones, on every backend; anomaly mode finds NaN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.autograd import Function, gradcheck, gradgradcheck
from wengert.autograd.gradcheck import GradcheckError

from .op_checks import values


def made(gradient: Callable[..., Any], forward: Callable[..., Any] = lambda x: x * x * x) -> Any:
    """A function whose gradient is what the test says."""

    class Made(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return forward(x)

        @staticmethod
        def backward(ctx: Any, *gs: Any) -> Any:
            return gradient(ctx.saved_tensors[0], *gs)

    return Made.apply


@pytest.fixture
def x(backend: str) -> Any:
    return wg.tensor([[0.5, -1.5], [2.0, 0.3]], dtype=wg.float64, device=backend, requires_grad=True)


right = made(lambda x, g: 3 * g * x * x)
FAST = pytest.mark.parametrize("fast", [False, True], ids=["slow", "fast"])


@FAST
def test_right_gradients_pass(x: Any, fast: bool):
    before = values(x)
    assert gradcheck(right, x, fast_mode=fast)
    assert gradgradcheck(right, (x,), fast_mode=fast, gen_non_contig_grad_outputs=True)
    assert gradcheck(lambda a, b: a.t() @ b, (x, x.detach().clone().requires_grad_()), fast_mode=fast)
    np.testing.assert_array_equal(values(x), before)
    assert x._version == 0
    assert x.grad is None


@FAST
def test_wrong_gradients_fail(x: Any, fast: bool):
    wrong = made(lambda x, g: 2 * g * x * x)
    with pytest.raises(GradcheckError, match="Jacobian mismatch for output 0 with respect to input 0") as error:
        gradcheck(wrong, x, fast_mode=fast)
    assert "numerical" in str(error.value)
    assert "analytical" in str(error.value)
    assert not gradcheck(wrong, x, fast_mode=fast, raise_exception=False)
    np.testing.assert_array_equal(values(x), [[0.5, -1.5], [2.0, 0.3]])


@FAST
def test_a_gradient_that_is_wrong_in_one_entry_fails(x: Any, fast: bool):
    def gradient(x: Any, g: Any) -> Any:
        mask = wg.ones_like(x)
        mask[1, 0] = 1.01
        return 3 * g * x * x * mask

    assert not gradcheck(made(gradient), x, fast_mode=fast, raise_exception=False)


@FAST
def test_a_wrong_second_derivative_fails(x: Any, fast: bool):
    """The classic mistake: the first gradient is right, but treats a saved value as a constant."""
    wrong = made(lambda x, g: 3 * g * (x * x).detach())
    assert gradcheck(wrong, x, fast_mode=fast)
    with pytest.raises(GradcheckError, match="Jacobian mismatch"):
        gradgradcheck(wrong, x, fast_mode=fast)


@FAST
def test_complex_inputs_and_outputs(backend: str, fast: bool):
    z = wg.tensor([1 + 2j, -0.5 + 0.3j], device=backend, dtype=wg.complex128, requires_grad=True)
    y = wg.tensor([1.5, -0.5], device=backend, dtype=wg.float64, requires_grad=True)
    assert gradcheck(lambda z, y: z * z * y, (z, y), fast_mode=fast)
    assert gradgradcheck(lambda z, y: z * z * y, (z, y), fast_mode=fast)
    conjugated = made(lambda z, g: 2 * g * z, lambda z: z * z)  # conj(z) is missing
    assert not gradcheck(conjugated, z, fast_mode=fast, raise_exception=False)


@FAST
def test_several_inputs_and_outputs(x: Any, fast: bool):
    y = wg.tensor([3.0, 4.0], dtype=wg.float64, device=x.device, requires_grad=True)
    constant = wg.ones(2, 2, dtype=wg.float64, device=x.device)

    def f(a: Any, scale: float, b: Any, c: Any) -> Any:
        return a * b * scale + c, (a * a).sum(), b.detach() * 2, c

    assert gradcheck(f, (x, 2.0, y, constant), fast_mode=fast)
    assert gradgradcheck(f, (x, 2.0, y, constant), fast_mode=fast)


def test_a_gradient_that_changes_from_run_to_run_fails(x: Any):
    runs = iter(range(1000))
    unstable = made(lambda x, g: 3 * g * x * x + next(runs) * 1e-9 * g)
    with pytest.raises(GradcheckError, match="Backward is not reentrant"):
        gradcheck(unstable, x)
    assert gradcheck(unstable, x, nondet_tol=1e-5, check_undefined_grad=False)


def test_a_gradient_that_does_not_use_what_arrives_fails(x: Any):
    fixed = made(lambda x, g: wg.ones_like(x), lambda x: x.sum())
    with pytest.raises(GradcheckError, match=r"Jacobian mismatch|not multiplied by grad_output"):
        gradcheck(fixed, x)
    nan = made(lambda x, g: wg.where(g == 0, float("nan"), 3 * g * x * x))
    with pytest.raises(GradcheckError, match="not multiplied by grad_output"):
        gradcheck(nan, x, fast_mode=True)


def test_an_output_without_a_graph_must_be_constant(x: Any):
    with pytest.raises(GradcheckError, match="expected to be zero"):
        gradcheck(lambda t: t.detach() * 2, x)
    assert gradcheck(lambda t: wg.ones(2, dtype=wg.float64, device=t.device), x)


def test_inputs_are_checked():
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        gradcheck(lambda t: t * 2, wg.ones(2, dtype=wg.float64))
    with pytest.warns(UserWarning, match="not a double precision"):
        gradcheck(lambda t: t * 2, wg.ones(2, requires_grad=True), eps=1e-3, atol=1e-2)
    broadcast = wg.ones(1, dtype=wg.float64).expand(3).requires_grad_()
    with pytest.raises(RuntimeError, match="dimension with stride 0"):
        gradcheck(lambda t: t * 2, broadcast)


def test_checking_leaves_the_random_numbers_alone(x: Any):
    wg.manual_seed(3)
    expected = wg.rand(2)
    wg.manual_seed(3)
    gradcheck(right, x, fast_mode=True)
    np.testing.assert_array_equal(values(wg.rand(2)), values(expected))


# ---------------------------------------------------------------------- anomaly mode


def bad_root(x: Any) -> Any:
    return made(lambda x, g: g * float("nan"), lambda x: x * 1)(x)


def test_anomaly_mode_names_the_function_and_the_line():
    x = wg.tensor([0.0, 1.0], requires_grad=True)
    with pytest.warns(UserWarning, match="Anomaly Detection"):
        context = wg.autograd.detect_anomaly()
    with context:
        assert wg.autograd.is_anomaly_enabled()
        y = bad_root(x * 2).sum()
        with (
            pytest.warns(UserWarning, match="Error detected in MadeBackward. Traceback of forward call"),
            pytest.raises(RuntimeError, match="'MadeBackward' returned nan values in its 0th output") as error,
        ):
            y.backward()
    assert "test_gradcheck.py:" in str(error.value)
    assert not wg.autograd.is_anomaly_enabled()


def test_anomaly_mode_as_a_switch():
    x = wg.tensor([0.0, 1.0], requires_grad=True)
    with wg.autograd.set_detect_anomaly(True):
        y = x * x
        assert "test_gradcheck.py" in y.grad_fn.site
        with pytest.warns(UserWarning, match="Error detected"), pytest.raises(RuntimeError, match="nan values"):
            bad_root(x).sum().backward(create_graph=True)
        with wg.autograd.set_detect_anomaly(True, check_nan=False):
            bad_root(x).sum().backward()
    assert (x * x).grad_fn.site is None
    wg.autograd.set_detect_anomaly(True)
    assert wg.autograd.is_anomaly_enabled()
    wg.autograd.set_detect_anomaly(False)
    assert not wg.autograd.is_anomaly_enabled()


def test_anomaly_mode_says_what_induced_a_backward_that_failed():
    def backward(x: Any, g: Any) -> Any:
        return made(lambda x, g: g * float("nan"), lambda g: g * 2)(g)

    x = wg.tensor([1.0, 2.0], requires_grad=True)
    with wg.autograd.set_detect_anomaly(True):
        y = made(backward, lambda x: x * 2)(x * x)
        (g,) = wg.autograd.grad((y * y).sum(), x, create_graph=True)
        with (
            pytest.warns(UserWarning, match="detected|induced") as warned,
            pytest.raises(RuntimeError, match="nan values"),
        ):
            g.sum().backward()
    assert any("Previous calculation was induced by MadeBackward" in str(w.message) for w in warned)


def test_anomaly_mode_passes_what_is_finite():
    x = wg.tensor([0.0, 1.0], requires_grad=True)
    with wg.autograd.set_detect_anomaly(True):
        (x * x).sum().backward()
    np.testing.assert_array_equal(values(x.grad), [0, 2])


def test_a_modified_value_is_reported_with_the_line_that_recorded_it():
    x = wg.tensor([0.0, 1.0], requires_grad=True) * 1
    with wg.autograd.set_detect_anomaly(True):
        y = x * x
    with wg.no_grad():
        x.add_(1)
    with (
        wg.autograd.set_detect_anomaly(True),
        pytest.warns(UserWarning, match="Error detected in"),
        pytest.raises(RuntimeError, match=r"recorded at .*test_gradcheck\.py:\d+"),
    ):
        y.sum().backward()


def test_forward_mode_and_batches_of_gradients_are_checked_where_asked():
    class Wrong(wg.autograd.Function):
        """Its gradient is right, and its tangent is not."""

        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2 * ctx.saved_tensors[0]

        @staticmethod
        def jvp(ctx: Any, t: Any) -> Any:
            return t * 3

    x = wg.tensor([[0.4, -1.0], [2.0, 0.3]], dtype=wg.float64, requires_grad=True)
    z = wg.tensor([0.4 + 1j, -1.0], dtype=wg.complex128, requires_grad=True)
    for function, value in ((lambda t: (t.sin() @ t, t.sum(0)), x), (lambda t: (t * t).abs(), z)):
        assert gradcheck(function, value, check_forward_ad=True, check_batched_grad=True)
        assert gradgradcheck(function, value, check_fwd_over_rev=True, check_batched_grad=True)
    assert gradcheck(Wrong.apply, x)
    with pytest.raises(RuntimeError, match="computed with forward mode mismatch for output 0 with respect to input 0"):
        gradcheck(Wrong.apply, x, check_forward_ad=True)
    assert not gradcheck(Wrong.apply, x, check_forward_ad=True, raise_exception=False)
