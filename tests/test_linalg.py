"""Linear algebra and Fourier transforms: what they refuse, and what no row of the op table shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import linalg
from wengert.backends.definitions import triangular


@pytest.mark.parametrize(
    "compute",
    [
        lambda a: linalg.inv(a),
        lambda a: linalg.solve(a, a),
        lambda a: linalg.matrix_power(a, -1),
        lambda a: linalg.cholesky(-a),
        lambda a: wg.inverse(wg.stack([wg.eye(2, device=a.device), a])),
    ],
)
def test_singular_matrices_raise(compute: Callable[[Any], Any], backend: str) -> None:
    with (
        wg.device(backend),
        pytest.raises(linalg.LinAlgError, match=r"linalg\.\w+: .*(singular|not positive)"),
    ):
        compute(wg.ones(2, 2))
    assert issubclass(linalg.LinAlgError, RuntimeError)


@pytest.mark.parametrize(
    ("compute", "message"),
    [
        (lambda: linalg.inv(wg.ones(2, 3)), "square matrices, but they are 2 by 3"),
        (lambda: linalg.svd(wg.ones(3)), r"at least 2 dimensions. Its shape is \[3\]"),
        (lambda: linalg.qr(wg.ones(2, 2).half()), "Low precision dtypes not supported. Got Half"),
        (lambda: linalg.det(wg.ones(2, 2, dtype=wg.int64)), "floating point or complex.*Long"),
        (lambda: linalg.solve(wg.eye(3), wg.ones(2, 2)), r"\[3, 3\] and \[2, 2\]"),
        (lambda: linalg.matrix_norm(wg.ones(2, 2), 3), "Order 3 not supported"),
        (lambda: wg.fft.fft(wg.ones(3).bfloat16()), "Unsupported dtype BFloat16"),
        (lambda: wg.fft.rfft(wg.ones(3, dtype=wg.complex64)), "expects a real input"),
        (lambda: wg.fft.fft(wg.ones(3), n=0), r"Invalid number of data points \(0\)"),
        (lambda: wg.fft.fftn(wg.ones(3), norm="other"), "Invalid normalization mode"),
    ],
)
def test_bad_input_raises(compute: Callable[[], Any], message: str) -> None:
    with pytest.raises(RuntimeError, match=message):
        compute()


def test_a_vector_of_zeros_has_norm_gradient_zero() -> None:
    x = wg.zeros(3, requires_grad=True)
    wg.norm(x).backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.zeros(3))


def test_singular_values_that_are_equal_have_gradients() -> None:
    x = wg.eye(3, dtype=wg.float64).requires_grad_()
    linalg.matrix_norm(x, "nuc").backward()
    np.testing.assert_allclose(x.grad.numpy(), np.eye(3), atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize("shape", [(1, 1), (9, 5), (2, 5, 9), (60, 60)])
def test_compiled_elimination_does_what_its_definition_does(dtype: str, shape: tuple[int, ...]):
    """Pivots too, with a column of zeros and a NaN among them; wide matrices are halved first."""
    loops = pytest.importorskip("wengert.backends.cpu.linalg_numba")
    rng = np.random.default_rng(0)
    columns = rng.standard_normal(shape).astype(dtype)
    columns = columns.reshape(-1, *shape[-2:])
    if shape == (9, 5):
        columns[:, 1], columns[:, 4, 3] = 0, np.nan
    high = min(shape[-2:])
    expected, order = columns.copy(), np.zeros((len(columns), high), np.int64)
    triangular._eliminate(np, expected.swapaxes(-1, -2), order, True, 0, high)
    got, swaps = columns.copy(), np.zeros_like(order)
    loops.eliminate(got, swaps, True, 0, high)
    last = high - (high == shape[-1])  # the definition does not look for a pivot in a single row
    np.testing.assert_array_equal(swaps[:, :last], order[:, :last])
    np.testing.assert_allclose(got, expected, rtol=2e-3 if dtype == "float32" else 1e-9, atol=1e-5)
